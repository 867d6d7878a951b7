/* Forms with files: what a browser sends is read however it is cut, anything else is refused. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "http/multipart.h"

#define B "--xYz"
#define TYPE "multipart/form-data; boundary=xYz"
#define PART(head_, data_) B "\r\nContent-Disposition: form-data; " head_ "\r\n\r\n" data_ "\r\n"

enum { TOLD_MAX = 8192 };

/* Everything that is said of a body, in a line: "name/filename/type=data;". */
static lt_res tell(lt_slice type, lt_slice body, size_t step, char *out)
{
    struct http_multipart m;
    size_t at = 0;
    LT_TRY(http_multipart_begin(&m, type));
    out[0] = '\0';
    for (size_t from = 0; from < body.len; from += step) {
        lt_slice piece = lt_slice_sub(body, from, step);
        enum http_multipart_event e;
        do {
            lt_slice run;
            LT_TRY(http_multipart_next(&m, &piece, &e, &run));
            if (e == HTTP_MULTIPART_PART) {
                at += (size_t)snprintf(out + at, TOLD_MAX - at, "%s/%s%s/%s=", m.name, m.is_file ? "f:" : "",
                                       m.filename, m.type);
            } else if (e == HTTP_MULTIPART_DATA) {
                at += (size_t)snprintf(out + at, TOLD_MAX - at, "%.*s", LT_FMT(run));
            } else if (e == HTTP_MULTIPART_END) {
                at += (size_t)snprintf(out + at, TOLD_MAX - at, ";");
            }
        } while (e != HTTP_MULTIPART_MORE);
        assert_int_equal(piece.len, 0);
    }
    LT_CHECK(http_multipart_whole(&m), LT_PEER_MALFORMED, "cut off");
    return LT_OK;
}

static void test_good(void **state)
{
    static const struct {
        const char *body;
        const char *told;
    } rows[] = {
        {PART("name=\"do\"", "report") B "--\r\n", "do//=report;"},
        {PART("name=\"do\"", "report") B "--", "do//=report;"},
        {PART("name=do", "") B "--\r\n", "do//=;"},
        {PART("name=\"file\"; filename=\"a b;c.pem\"\r\nContent-Type: application/x-pem-file", "x\r\ny") B
         "--\r\n",
         "file/f:a b;c.pem/application/x-pem-file=x\r\ny;"},
        {PART("name=\"file\"; filename=\"\"\r\nContent-Type: application/octet-stream", "") B "--\r\n",
         "file/f:/application/octet-stream=;"},
        {PART("name=\"a\"", "1") PART("name=\"a\"", "2") B "--\r\n", "a//=1;a//=2;"},
        /* what is nearly the end of a part */
        {PART("name=\"a\"", "\r\n--xY\r\n--\r\n-\r\r\n\n--xYz-") B "--\r\n",
         "a//=\r\n--xY\r\n--\r\n-\r\r\n\n--xYz-;"},
        {PART("filename=\"q\\\"q\"; name=\"f\"", "z") B "--\r\n", "f/f:q\\\"q/=z;"},
        {PART("name=\"f\"; filename=\"x\"; filename*=utf-8''y", "z") B "--\r\n", "f/f:x/=z;"},
        {B "\r\ncontent-transfer-encoding: binary\r\ncontent-DISPOSITION:form-data;name=\"f\"\r\n\r\n1\r\n" B
           "--\r\n",
         "f//=1;"},
    };
    char out[TOLD_MAX];
    (void)state;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        for (size_t step = 1; step < 200; step++) {
            assert_ok(tell(LT_LIT(TYPE), lt_slice_cstr(rows[i].body), step, out));
            assert_string_equal(out, rows[i].told);
        }
    }
}

static void test_bad(void **state)
{
    static const struct {
        const char *body;
        int code;
    } rows[] = {
        {"", LT_PEER_MALFORMED},
        {B "--\r\n", LT_PEER_MALFORMED},                                 /* no parts */
        {"hello\r\n" PART("name=\"a\"", "1") B "--", LT_PEER_MALFORMED}, /* a preamble */
        {"\r\n" PART("name=\"a\"", "1") B "--", LT_PEER_MALFORMED},
        {PART("name=\"a\"", "1") B "--\r\nbye", LT_PEER_MALFORMED}, /* an epilogue */
        {PART("name=\"a\"", "1") B "--\r\n\r\n", LT_PEER_MALFORMED},
        {PART("name=\"a\"", "1") B "--\r", LT_PEER_MALFORMED},
        {PART("name=\"a\"", "1"), LT_PEER_MALFORMED}, /* cut off */
        {PART("name=\"a\"", "1") B "-", LT_PEER_MALFORMED},
        {PART("name=\"a\"", "1") B " --", LT_PEER_MALFORMED},
        {PART("name=\"a\"", "\r\n" B "w") B "--", LT_PEER_MALFORMED}, /* a longer boundary */
        {PART("name=\"\"", "1") B "--", LT_PEER_MALFORMED},
        {PART("filename=\"a\"", "1") B "--", LT_PEER_MALFORMED}, /* no name */
        {PART("name=\"a\"; name=\"b\"", "1") B "--", LT_PEER_MALFORMED},
        {PART("name=\"a\"; filename=\"b\"; filename=\"c\"", "1") B "--", LT_PEER_MALFORMED},
        {PART("name=\"a", "1") B "--", LT_PEER_MALFORMED}, /* the quote is open */
        {PART("name=\"a\"x", "1") B "--", LT_PEER_MALFORMED},
        {PART("name=\"a\tb\"", "1") B "--", LT_PEER_MALFORMED},
        {PART("name=\"a\"\r\nContent-Disposition: form-data; name=\"b\"", "1") B "--", LT_PEER_MALFORMED},
        {PART("name=\"a\"\r\nContent-Transfer-Encoding: base64", "MQ==") B "--", LT_PEER_MALFORMED},
        {PART("name=\"a\"\r\n folded", "1") B "--", LT_PEER_MALFORMED},
        {PART("name=\"a\"\nX: y", "1") B "--", LT_PEER_MALFORMED},
        {PART("name=\"a\"\rX: y", "1") B "--", LT_PEER_MALFORMED},
        {B "\r\n\r\n1\r\n" B "--", LT_PEER_TOO_LARGE}, /* no head: what follows is read as one */
        {B "\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\n1\r\n" B "--", LT_PEER_MALFORMED},
        {B "\nContent-Disposition: form-data; name=\"a\"\n\n1\n" B "--", LT_PEER_MALFORMED},
        {PART("name=\"abcdefghijklmnopqrstuvwxyz0123456\"", "1") B "--", LT_PEER_MALFORMED}, /* 33 */
    };
    char out[TOLD_MAX];
    (void)state;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        for (size_t step = 1; step < 200; step += 3) {
            lt_res r = tell(LT_LIT(TYPE), lt_slice_cstr(rows[i].body), step, out);
            bool cut = rows[i].code == LT_PEER_TOO_LARGE && r.code == LT_PEER_MALFORMED;
            if (r.code != rows[i].code && !cut) {
                fail_msg("row %zu, step %zu: %d", i, step, r.code);
            }
        }
    }
}

static void test_limits(void **state)
{
    static const char part[] = PART("name=\"a\"", "1");
    static char body[64 * 1024];
    char out[TOLD_MAX];
    (void)state;
    for (size_t parts = HTTP_MULTIPART_PARTS_MAX; parts <= HTTP_MULTIPART_PARTS_MAX + 1; parts++) {
        body[0] = '\0';
        for (size_t i = 0; i < parts; i++) {
            memcpy(body + i * (sizeof part - 1), part, sizeof part);
        }
        memcpy(body + parts * (sizeof part - 1), B "--", sizeof B "--");
        lt_res r = tell(LT_LIT(TYPE), lt_slice_cstr(body), 1000, out);
        assert_int_equal(r.code, parts > HTTP_MULTIPART_PARTS_MAX ? LT_PEER_TOO_LARGE : 0);
    }
    /* a head that does not end */
    memset(body, 'x', sizeof body - 1);
    memcpy(body, B "\r\n", sizeof B "\r\n" - 1);
    assert_int_equal(tell(LT_LIT(TYPE), lt_slice_cstr(body), 7, out).code, LT_PEER_TOO_LARGE);
}

static void test_types(void **state)
{
    static const struct {
        const char *type;
        bool is;
        bool good;
    } rows[] = {
        {"multipart/form-data; boundary=xYz", true, true},
        {"Multipart/Form-Data;charset=utf-8 ; BOUNDARY=\"x Y\"", true, true},
        {"multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW", true, true},
        {"multipart/form-data", true, false},
        {"multipart/form-data; boundary=", true, false},
        {"multipart/form-data; boundary=\"x ", true, false},
        {"multipart/form-data; boundary=\"x \"", true, false},
        {"multipart/form-data; boundary=a; boundary=b", true, false},
        {"multipart/form-data; boundary=a\"b", true, false},
        {"multipart/form-data; "
         "boundary=12345678901234567890123456789012345678901234567890123456789012345678901",
         true, false}, /* 71 */
        {"multipart/mixed; boundary=xYz", false, true},
        {"application/x-www-form-urlencoded", false, false},
        {"", false, false},
    };
    struct http_multipart m;
    (void)state;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        assert_int_equal(http_multipart_is(lt_slice_cstr(rows[i].type)), rows[i].is);
        assert_int_equal(!lt_failed(http_multipart_begin(&m, lt_slice_cstr(rows[i].type))), rows[i].good);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
