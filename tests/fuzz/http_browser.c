/* What browsers say beside the request, a line each: a host that is taken means the same with any port, a
 * cookie that is found was one alone, and an origin that is ours is so for this host only. */
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "http/browser.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_host(lt_slice host, lt_slice other)
{
    lt_slice name;
    lt_slice again;
    struct lt_buf with_port;
    if (lt_failed(http_host_split(host, &name))) {
        return;
    }
    LT_ASSERT(name.len > 0 && name.ptr == host.ptr && lt_slice_find(name, '@') == name.len &&
              lt_slice_find(name, '/') == name.len);
    lt_buf_init(&with_port, host.len + 64);
    lt_buf_add(&with_port, name);
    lt_buf_add_cstr(&with_port, ":65535");
    LT_ASSERT(!lt_failed(http_host_split(lt_buf_slice(&with_port), &again)) && lt_slice_eq(again, name));
    lt_buf_reset(&with_port);
    lt_buf_add_cstr(&with_port, "https://");
    lt_buf_add(&with_port, host);
    LT_ASSERT(http_origin_is(lt_buf_slice(&with_port), host));
    LT_ASSERT(lt_slice_eq_nocase(host, other) || !http_origin_is(lt_buf_slice(&with_port), other));
    lt_buf_done(&with_port);
}

static void check_cookie(lt_slice first, lt_slice second)
{
    const struct http_field fields[] = {{LT_LIT("cookie"), first},
                                        {LT_LIT("COOKIE"), second},
                                        {LT_LIT("cookie"), LT_LIT("lintel_session=x")}};
    lt_slice value = http_cookie_find(fields, 2, "lintel_session");
    LT_ASSERT(lt_slice_find(value, ';') == value.len);
    if (value.len > 0) { /* with a second one there is none */
        LT_ASSERT(http_cookie_find(fields, 3, "lintel_session").len == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lt_slice rest = LT_SLICE(data, size);
    lt_slice line[2] = {{0}};
    while (lt_slice_split(&rest, '\n', &line[0])) {
        check_host(line[0], line[1]);
        check_cookie(line[0], line[1]);
        (void)http_accepts_gzip(line[0]); /* it must only be safe */
        line[1] = line[0];
    }
    return 0;
}
