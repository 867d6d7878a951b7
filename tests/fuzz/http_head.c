/* HTTP heads: found in pieces as in one; what is taken as a request has one meaning: written again from its
 * parts it parses to the same parts, and nothing in them can end a line. */
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "http/date.h"
#include "http/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool clean(lt_slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == 0 || s.ptr[i] == '\r' || s.ptr[i] == '\n') {
            return false;
        }
    }
    return true;
}

static void check_again(const struct http_head *h)
{
    struct lt_buf out;
    lt_buf_init(&out, 4 * HTTP_HEAD_MAX);
    lt_buf_addf(&out, "%.*s %.*s HTTP/1.%d\r\n", LT_FMT(h->method), LT_FMT(h->target), h->http10 ? 0 : 1);
    for (size_t i = 0; i < h->field_count; i++) {
        LT_ASSERT(clean(h->fields[i].name) && clean(h->fields[i].value));
        lt_buf_add(&out, h->fields[i].name);
        lt_buf_add(&out, LT_LIT(":"));
        lt_buf_add(&out, h->fields[i].value);
        lt_buf_add(&out, LT_LIT("\r\n"));
    }
    lt_buf_add(&out, LT_LIT("\r\n"));
    struct http_head again;
    unsigned status;
    LT_ASSERT(!lt_failed(http_request_parse(lt_buf_slice(&out), &again, &status)));
    LT_ASSERT(lt_slice_eq(h->path, again.path) && lt_slice_eq(h->query, again.query));
    LT_ASSERT(lt_slice_eq(h->host, again.host) && h->field_count == again.field_count);
    LT_ASSERT(h->chunked == again.chunked && h->has_length == again.has_length && h->length == again.length);
    LT_ASSERT(h->keep_alive == again.keep_alive && h->expect_continue == again.expect_continue);
    lt_buf_done(&out);
}

static void check_request(lt_slice head)
{
    struct http_head h;
    unsigned status = 0;
    if (lt_failed(http_request_parse(head, &h, &status))) {
        LT_ASSERT(status >= 400 && status <= 505);
        return;
    }
    LT_ASSERT(h.path.len > 0 && h.path.ptr[0] == '/' && clean(h.path) && clean(h.query));
    LT_ASSERT(memmem(h.path.ptr, h.path.len, "/../", 4) == NULL && h.host.len > 0);
    LT_ASSERT(!(h.chunked && h.has_length) && h.length <= HTTP_BODY_MAX);
    check_again(&h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lt_slice in = LT_SLICE(data, size);
    size_t at = 0;
    size_t len = 0;
    unsigned status = 0;
    lt_res r = http_head_find(in, &at, &len, &status);
    size_t at_pieces = 0;
    size_t len_pieces = 0;
    lt_res p = {LT_RETRY_AGAIN};
    for (size_t n = 0; n <= size && p.code == LT_RETRY_AGAIN; n += 1 + n / 2) {
        p = http_head_find(LT_SLICE(data, n), &at_pieces, &len_pieces, &status);
    }
    LT_ASSERT(p.code == LT_RETRY_AGAIN || (p.code == r.code && at == at_pieces && len == len_pieces));
    if (!lt_failed(r)) {
        struct http_head h;
        lt_res ignored = http_response_parse(LT_SLICE(data, len), &h);
        (void)ignored; /* either way is fine: it must only be safe */
        check_request(LT_SLICE(data, len));
    }
    lt_time t;
    if (!lt_failed(http_date_parse(in, &t))) {
        char text[HTTP_DATE_SIZE];
        http_date(t, text);
        LT_ASSERT(lt_slice_eq_cstr(in, text));
    }
    return 0;
}
