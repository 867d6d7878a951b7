/* A web server's answer, in pieces of every size: whatever the bytes and the cuts, the reader says the same.
 * And a Location in it, resolved. */
#include "validate/http_reply.h"
#include "validate/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum validate_http_state read_all(struct validate_http *h, lt_slice bytes, size_t step)
{
    validate_http_init(h);
    for (size_t at = 0; at < bytes.len; at += step) {
        (void)validate_http_feed(h, lt_slice_sub(bytes, at, step)); /* the end says it all */
    }
    return validate_http_eof(h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct validate_http whole;
    struct validate_http pieces;
    if (size == 0) {
        return 0;
    }
    lt_slice bytes = LT_SLICE(data + 1, size - 1);
    enum validate_http_state a = read_all(&whole, bytes, bytes.len + 1);
    enum validate_http_state b = read_all(&pieces, bytes, (size_t)data[0] % 7 + 1);
    LT_ASSERT(a == b && (a == VALIDATE_HTTP_DONE || a == VALIDATE_HTTP_BAD));
    LT_ASSERT(whole.body.len <= VALIDATE_BODY_MAX);
    if (a == VALIDATE_HTTP_DONE) {
        struct validate_url to;
        const struct validate_url base = {.port = 80, .host = "a.example.com", .path = "/b/c?d"};
        LT_ASSERT(whole.status >= 200 && whole.status <= 599);
        LT_ASSERT(lt_slice_eq(lt_buf_slice(&whole.body), lt_buf_slice(&pieces.body)));
        if (!lt_failed(validate_url_resolve(&base, lt_slice_cstr(whole.location), &to))) {
            struct validate_url again;
            char text[4096];
            validate_url_print(&to, text, sizeof text);
            LT_ASSERT(to.path[0] == '/');
            LT_ASSERT(!lt_failed(validate_url_resolve(&base, lt_slice_cstr(text), &again)));
            LT_ASSERT(validate_url_eq(&to, &again));
        }
    }
    validate_http_done(&whole);
    validate_http_done(&pieces);
    return 0;
}
