/* Heads and chunked bodies: what is taken, and, above all, what is not. */
#include "http/parse.h"

#include <stdio.h>
#include <string.h>

#include "check.h"

#define GET "GET /a HTTP/1.1\r\n"
#define POST "POST /a HTTP/1.1\r\n"
#define HOST "Host: example.com\r\n"
#define END "\r\n"

/* As a server would: find, then parse. 0: a good head; 1: more is needed; else the status. */
static unsigned judge(lt_slice bytes, struct http_head *ret_head)
{
    size_t at = 0;
    size_t len = 0;
    unsigned status = 0;
    lt_res r = http_head_find(bytes, &at, &len, &status);
    if (r.code == LT_RETRY_AGAIN) {
        return 1;
    }
    if (lt_failed(r)) {
        return status;
    }
    r = http_request_parse(LT_SLICE(bytes.ptr, len), ret_head, &status);
    return lt_failed(r) ? status : 0;
}

#define ROW(status_, text_)                \
    {                                      \
        (status_), text_, sizeof text_ - 1 \
    }

static const struct {
    unsigned status;
    const char *text;
    size_t len;
} heads[] = {
    ROW(0, GET HOST END),
    ROW(0, "GET / HTTP/1.0\r\n" HOST END),
    ROW(0, "HEAD /acme/new-nonce?a=b&c=%20/?x HTTP/1.1\r\n" HOST END),
    ROW(0, "GET http://example.com/a/b?c HTTP/1.1\r\n" HOST END),
    ROW(0, "GET /ocsp/MEI//A+b=%2b%2F%3D HTTP/1.1\r\n" HOST END), /* base64 of DER */
    ROW(0, "GET https://EXAMPLE.com/a HTTP/1.1\r\n" HOST END),
    ROW(0, "GET /a/ HTTP/1.1\r\nhOST:example.com\r\n" END),
    ROW(0, GET "Host: [::1]:14000\r\n" END),
    ROW(0, GET HOST "X-Empty:\r\nX-Text: \t a b\xc3\xa9 \t\r\n" END),
    ROW(0, POST HOST "Content-Length: 65536\r\n" END),
    ROW(0, POST HOST "Content-Length: 0\r\n" END),
    ROW(0, POST HOST "Transfer-Encoding: CHUNKED\r\n" END),
    ROW(0, POST HOST "Content-Length: 1\r\nExpect: 100-Continue\r\n" END),
    ROW(0, "GET /%41%2d%C3%A9 HTTP/1.1\r\n" HOST END),
    ROW(0, "GET /a...b/.c/..d HTTP/1.1\r\n" HOST END),
    ROW(1, ""),
    ROW(1, "G"),
    ROW(1, GET HOST),
    ROW(1, GET HOST "\r"),
    /* line ends and control characters */
    ROW(400, "GET / HTTP/1.1\nHost: a\n\n"),
    ROW(400, GET "Host: example.com\n" END),
    ROW(400, GET HOST "X: a\rb\r\n" END),
    ROW(400, GET HOST "X: a\r\r\n" END),
    ROW(400, GET HOST "X: a\0b\r\n" END),
    ROW(400, GET HOST "X: a\x01\r\n" END),
    ROW(400, GET HOST "X: a\x7f\r\n" END),
    ROW(400, "\r\n\r\n"),
    ROW(400, "\x16\x03\x01\x02"),
    ROW(400, " GET / HTTP/1.1\r\n" HOST END),
    /* request line */
    ROW(400, "GET /\r\n" HOST END),
    ROW(400, "GET  / HTTP/1.1\r\n" HOST END),
    ROW(400, "GET /  HTTP/1.1\r\n" HOST END),
    ROW(400, "GET / HTTP/1.1 \r\n" HOST END),
    ROW(400, "GET\t/\tHTTP/1.1\r\n" HOST END),
    ROW(400, "G(T / HTTP/1.1\r\n" HOST END),
    ROW(400, "GET / http/1.1\r\n" HOST END),
    ROW(400, "GET / HTTP/1.10\r\n" HOST END),
    ROW(400, "GET / HTTP/1\r\n" HOST END),
    ROW(505, "GET / HTTP/9.9\r\n" HOST END),
    ROW(505, "GET / HTTP/2.0\r\n" HOST END),
    ROW(505, "GET / HTTP/1.2\r\n" HOST END),
    ROW(501, "TRACE / HTTP/1.1\r\n" HOST END),
    ROW(501, "get / HTTP/1.1\r\n" HOST END),
    ROW(501, "CONNECT a:1 HTTP/1.1\r\n" HOST END),
    /* target */
    ROW(400, "OPTIONS * HTTP/1.1\r\n" HOST END),
    ROW(400, "GET a HTTP/1.1\r\n" HOST END),
    ROW(400, "GET http://other.com/a HTTP/1.1\r\n" HOST END),
    ROW(400, "GET http://example.com HTTP/1.1\r\n" HOST END),
    ROW(400, "GET ftp://example.com/a HTTP/1.1\r\n" HOST END),
    ROW(400, "GET /a/../b HTTP/1.1\r\n" HOST END),
    ROW(400, "GET /a/. HTTP/1.1\r\n" HOST END),
    ROW(400, "GET /.. HTTP/1.1\r\n" HOST END),
    ROW(400, "GET /%2e%2E/b HTTP/1.1\r\n" HOST END),
    ROW(400, "GET /.%2e HTTP/1.1\r\n" HOST END),
    ROW(400, "GET //a HTTP/1.1\r\n" HOST END),
    ROW(400, "GET /ocsp/../a HTTP/1.1\r\n" HOST END),
    ROW(400, "GET /ocsp/a//.b HTTP/1.1\r\n" HOST END),
    ROW(400, "GET /ocsp/a%2 HTTP/1.1\r\n" HOST END),
    ROW(400, "GET /ocsp/a%2f%2e HTTP/1.1\r\n" HOST END),
    ROW(400, "GET /ocsp//%00 HTTP/1.1\r\n" HOST END),
    ROW(400, "GET /ocspx/a//b HTTP/1.1\r\n" HOST END),
    ROW(400, "GET /a//b HTTP/1.1\r\n" HOST END),
    ROW(400, "GET /a%2fb HTTP/1.1\r\n" HOST END),
    ROW(400, "GET /a%5Cb HTTP/1.1\r\n" HOST END),
    ROW(400, "GET /a%00b HTTP/1.1\r\n" HOST END),
    ROW(400, "GET /a%0d%0ab HTTP/1.1\r\n" HOST END),
    ROW(400, "GET /a%4 HTTP/1.1\r\n" HOST END),
    ROW(400, "GET /a%zz HTTP/1.1\r\n" HOST END),
    ROW(400, "GET /a\\b HTTP/1.1\r\n" HOST END),
    ROW(400, "GET /a#b HTTP/1.1\r\n" HOST END),
    ROW(400, "GET /\xc3\xa9 HTTP/1.1\r\n" HOST END),
    ROW(400, "GET /a?b=\" HTTP/1.1\r\n" HOST END),
    ROW(400, "GET /a?b=%g0 HTTP/1.1\r\n" HOST END),
    /* Host */
    ROW(400, GET END),
    ROW(400, GET "Host:\r\n" END),
    ROW(400, GET HOST HOST END),
    ROW(400, GET HOST "Host: other.com\r\n" END),
    ROW(400, GET "Host: a b\r\n" END),
    ROW(400, GET "Host: a/b\r\n" END),
    ROW(400, GET "Host: user@a\r\n" END),
    ROW(400, "GET / HTTP/1.0\r\n" END),
    /* fields */
    ROW(400, GET "Host : example.com\r\n" END),
    ROW(400, GET HOST "X\r\n" END),
    ROW(400, GET HOST ": a\r\n" END),
    ROW(400, GET HOST "X Y: a\r\n" END),
    ROW(400, GET HOST "X: a\r\n b\r\n" END),
    ROW(400, GET HOST "X: a\r\n\tb\r\n" END),
    ROW(400, GET " X: a\r\n" HOST END),
    /* framing */
    ROW(400, POST HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n" END),
    ROW(400, POST HOST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n" END),
    ROW(400, POST HOST "Content-Length: 5\r\nContent-Length: 6\r\n" END),
    ROW(400, POST HOST "Content-Length: 5\r\nContent-Length: 5\r\n" END),
    ROW(400, POST HOST "Content-Length: 5, 5\r\n" END),
    ROW(400, POST HOST "Content-Length: +5\r\n" END),
    ROW(400, POST HOST "Content-Length: -5\r\n" END),
    ROW(400, POST HOST "Content-Length: 0x5\r\n" END),
    ROW(400, POST HOST "Content-Length: 05\r\n" END),
    ROW(400, POST HOST "Content-Length: 5 5\r\n" END),
    ROW(400, POST HOST "Content-Length:\r\n" END),
    ROW(400, POST HOST "Content-Length: 99999999999999999999999\r\n" END),
    ROW(413, POST HOST "Content-Length: 65537\r\n" END),
    ROW(501, POST HOST "Transfer-Encoding: xchunked\r\n" END),
    ROW(501, POST HOST "Transfer-Encoding: gzip\r\n" END),
    ROW(501, POST HOST "Transfer-Encoding: identity\r\n" END),
    ROW(400, POST HOST "Transfer-Encoding: gzip, chunked\r\n" END),
    ROW(400, POST HOST "Transfer-Encoding: chunked, chunked\r\n" END),
    ROW(400, POST HOST "Transfer-Encoding: chunked;x\r\n" END),
    ROW(400, POST HOST "Transfer-Encoding:\r\n" END),
    ROW(400, POST HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n" END),
    ROW(400, "POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n" END),
    ROW(417, POST HOST "Expect: 200-maybe\r\n" END),
};

static void test_heads(void **state)
{
    (void)state;
    for (size_t i = 0; i < LT_COUNT(heads); i++) {
        struct http_head h;
        unsigned status = judge(LT_SLICE(heads[i].text, heads[i].len), &h);
        if (status != heads[i].status) {
            print_error("row %zu: %u, not %u: %s\n", i, status, heads[i].status, heads[i].text);
        }
        assert_int_equal(status, heads[i].status);
    }
}

/* Byte by byte and all at once come to the same end at the same place. */
static void test_find_in_pieces(void **state)
{
    (void)state;
    for (size_t i = 0; i < LT_COUNT(heads); i++) {
        lt_slice whole = LT_SLICE(heads[i].text, heads[i].len);
        size_t at_whole = 0;
        size_t at = 0;
        size_t len_whole = 0;
        size_t len = 0;
        unsigned status;
        lt_res r_whole = http_head_find(whole, &at_whole, &len_whole, &status);
        lt_res r = {LT_RETRY_AGAIN};
        for (size_t n = 0; n <= whole.len && r.code == LT_RETRY_AGAIN; n++) {
            r = http_head_find(LT_SLICE(whole.ptr, n), &at, &len, &status);
        }
        assert_int_equal(r.code, r_whole.code);
        assert_int_equal(at, at_whole);
        assert_int_equal(len, len_whole);
    }
}

static void test_parts(void **state)
{
    (void)state;
    struct http_head h;
    const char *text = "POST http://example.com/acme/new-order?x=1&y HTTP/1.1\r\n" HOST
                       "Content-Type:application/jose+json\r\nContent-Length: 17\r\nConnection: te, Close\r\n"
                       "Expect: 100-continue\r\nAccept: \t a \r\nAccept: b\r\n" END "next";
    assert_int_equal(judge(lt_slice_cstr(text), &h), 0);
    assert_true(lt_slice_eq_cstr(h.method, "POST"));
    assert_true(lt_slice_eq_cstr(h.path, "/acme/new-order"));
    assert_true(lt_slice_eq_cstr(h.query, "x=1&y"));
    assert_true(lt_slice_eq_cstr(h.host, "example.com"));
    assert_true(lt_slice_eq_cstr(http_head_field(&h, "CONTENT-type"), "application/jose+json"));
    assert_true(lt_slice_eq_cstr(http_head_field(&h, "accept"), "a"));
    assert_int_equal(http_head_field(&h, "x").len, 0);
    assert_true(h.has_length && h.length == 17 && !h.chunked);
    assert_true(h.expect_continue);
    assert_false(h.keep_alive);
    assert_int_equal(judge(lt_slice_cstr(GET HOST END), &h), 0);
    assert_true(h.keep_alive && !h.has_length && !h.chunked && !h.expect_continue);
    assert_int_equal(judge(lt_slice_cstr("GET / HTTP/1.0\r\n" HOST "Connection: keep-alive\r\n" END), &h), 0);
    assert_false(h.keep_alive);
}

/* Exactly HTTP_HEAD_MAX bytes are taken, one more is not; nor are too many fields. */
static void test_head_limits(void **state)
{
    (void)state;
    static char text[HTTP_HEAD_MAX + 64];
    struct http_head h;
    for (size_t extra = 0; extra < 2; extra++) {
        size_t len = (size_t)snprintf(text, sizeof text, GET HOST "X: ");
        size_t fill = HTTP_HEAD_MAX - 4 - len + extra;
        memset(text + len, 'a', fill);
        memcpy(text + len + fill, "\r\n\r\n", 4);
        assert_int_equal(judge(LT_SLICE(text, len + fill + 4), &h), extra == 0 ? 0 : 431);
    }
    for (size_t fields = HTTP_FIELDS_MAX - 1; fields <= HTTP_FIELDS_MAX; fields++) {
        size_t len = (size_t)snprintf(text, sizeof text, GET HOST);
        for (size_t i = 0; i < fields; i++) {
            len += (size_t)snprintf(text + len, sizeof text - len, "X: a\r\n");
        }
        len += (size_t)snprintf(text + len, sizeof text - len, "\r\n");
        assert_int_equal(judge(LT_SLICE(text, len), &h), fields < HTTP_FIELDS_MAX ? 0 : 431);
    }
    memset(text, 'A', sizeof text); /* no line end at all */
    assert_int_equal(judge(LT_SLICE(text, sizeof text), &h), 431);
}

static void test_responses(void **state)
{
    (void)state;
    static const struct {
        bool good;
        const char *text;
        unsigned status;
    } rows[] = {
        {true, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", 200},
        {true, "HTTP/1.1 204 \r\n\r\n", 204},
        {true, "HTTP/1.1 404\r\n\r\n", 404},
        {true, "HTTP/1.0 301 Gone away\r\n\r\n", 301},
        {true, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200},
        {false, "HTTP/1.1 99 no\r\n\r\n", 0},
        {false, "HTTP/1.1 099 no\r\n\r\n", 0},
        {false, "HTTP/1.1 600 no\r\n\r\n", 0},
        {false, "HTTP/1.1 2000 no\r\n\r\n", 0},
        {false, "HTTP/1.1  200 OK\r\n\r\n", 0},
        {false, "HTTP/2.0 200 OK\r\n\r\n", 0},
        {false, "HTTP/1.1\r\n\r\n", 0},
        {false, "ICY 200 OK\r\n\r\n", 0},
        {false, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 0},
        {false, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", 0},
        {false, "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", 0},
        {false, "HTTP/1.1 200 OK\r\nX : a\r\n\r\n", 0},
        {false, "HTTP/1.1 200 OK\r\n X: a\r\n\r\n", 0},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct http_head h;
        lt_res r = http_response_parse(lt_slice_cstr(rows[i].text), &h);
        if (lt_failed(r) == rows[i].good) {
            print_error("row %zu: %s\n", i, rows[i].text);
        }
        assert_int_equal(!lt_failed(r), rows[i].good);
        assert_true(!rows[i].good || h.status == rows[i].status);
    }
}

/* step bytes at a time. false: refused. ret_data holds what came, ret_left what lay behind the end. */
static bool decode(lt_slice in, size_t step, char *ret_data, size_t *ret_len, size_t *ret_left,
                   bool *ret_done)
{
    struct http_chunked c = {0};
    *ret_len = 0;
    for (size_t at = 0; at < in.len && !c.done;) {
        lt_slice piece = lt_slice_sub(in, at, step);
        size_t before = piece.len;
        while (piece.len > 0 && !c.done) {
            lt_slice data;
            if (lt_failed(http_chunked_next(&c, &piece, &data))) {
                return false;
            }
            memcpy(ret_data + *ret_len, data.ptr == NULL ? (const uint8_t *)"" : data.ptr, data.len);
            *ret_len += data.len;
        }
        at += before - piece.len;
        *ret_left = in.len - at;
    }
    *ret_done = c.done;
    return true;
}

static void test_chunked(void **state)
{
    (void)state;
    static const struct {
        bool good;
        bool done;
        const char *text;
        const char *data;
        size_t left;
    } rows[] = {
        {true, true, "0\r\n\r\n", "", 0},
        {true, true, "5\r\nhello\r\n0\r\n\r\nGET", "hello", 3},
        {true, true, "5\r\nhello\r\n6\r\n world\r\n00\r\n\r\n", "hello world", 0},
        {true, true, "A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789", 0},
        {true, true, "5;a=b;c=\"d\"\r\nhello\r\n0;x\r\n\r\n", "hello", 0},
        {true, true, "0\r\nX-A: b\r\nX-C: d\r\n\r\n", "", 0},
        {true, true, "00000005\r\nhello\r\n0\r\n\r\n", "hello", 0},
        {true, false, "5\r\nhel", "hel", 0},
        {true, false, "5\r\nhello\r\n0\r\n", "hello", 0},
        {false, false, "0x5\r\nhello\r\n0\r\n\r\n", "", 0},
        {false, false, "+5\r\nhello\r\n0\r\n\r\n", "", 0},
        {false, false, "-5\r\nhello\r\n0\r\n\r\n", "", 0},
        {false, false, " 5\r\nhello\r\n0\r\n\r\n", "", 0},
        {false, false, "5 \r\nhello\r\n0\r\n\r\n", "", 0},
        {false, false, "\r\nhello\r\n0\r\n\r\n", "", 0},
        {false, false, ";a\r\nhello\r\n0\r\n\r\n", "", 0},
        {false, false, "5\nhello\r\n0\r\n\r\n", "", 0},
        {false, false, "5\rhello\r\n0\r\n\r\n", "", 0},
        {false, false, "5\r\nhello\n0\r\n\r\n", "", 0},
        {false, false, "5\r\nhello0\r\n\r\n", "", 0},
        {false, false, "4\r\nhello\r\n0\r\n\r\n", "", 0},
        {false, false, "5\r\nhello\r\n0\r\n\rX", "", 0},
        {false, false, "5\r\nhello\r\n0\r\n\n", "", 0},
        {false, false, "5;a\x01\r\nhello\r\n0\r\n\r\n", "", 0},
        {false, false, "5;a\nhello\r\n0\r\n\r\n", "", 0},
        {false, false, "0\r\n X: a\r\n\r\n", "", 0},
        {false, false, "0\r\nX: a\n\r\n", "", 0},
        {false, false, "000000005\r\nhello\r\n0\r\n\r\n", "", 0},
        {false, false, "fffffffff\r\n", "", 0},
        {false, false, "g\r\n", "", 0},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        for (size_t step = 1; step < 40; step += 38) {
            char data[256];
            size_t len;
            size_t left = 0;
            bool done = false;
            bool good = decode(lt_slice_cstr(rows[i].text), step, data, &len, &left, &done);
            if (good != rows[i].good) {
                print_error("row %zu step %zu: %s\n", i, step, rows[i].text);
            }
            assert_int_equal(good, rows[i].good);
            if (good) {
                assert_int_equal(done, rows[i].done);
                assert_true(lt_slice_eq_cstr(LT_SLICE(data, len), rows[i].data));
                assert_int_equal(left, rows[i].left);
            }
        }
    }
}

/* Lines beside the data have a budget; data earns more of it. */
static void test_chunked_budget(void **state)
{
    (void)state;
    struct http_chunked c = {0};
    size_t fed = 0;
    lt_slice data;
    lt_res r = LT_OK;
    while (!lt_failed(r) && fed < 100000) {
        lt_slice tiny = LT_LIT("1\r\na\r\n");
        while (!lt_failed(r) && tiny.len > 0) {
            r = http_chunked_next(&c, &tiny, &data);
        }
        fed += 1;
    }
    assert_int_equal(r.code, LT_PEER_TOO_LARGE);
    assert_true(fed < 2000);
    c = (struct http_chunked){0};
    for (size_t i = 0; i < 10000; i++) {
        lt_slice fair = LT_LIT("20\r\n0123456789abcdef0123456789abcdef\r\n");
        while (fair.len > 0) {
            assert_false(lt_failed(http_chunked_next(&c, &fair, &data)));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heads),          cmocka_unit_test(test_find_in_pieces),
        cmocka_unit_test(test_parts),          cmocka_unit_test(test_head_limits),
        cmocka_unit_test(test_responses),      cmocka_unit_test(test_chunked),
        cmocka_unit_test(test_chunked_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
