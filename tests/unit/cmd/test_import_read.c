/* Files that somebody brings: PEM with text around it, DER, tables; whole and byte by byte; and what is none.
 */
#include "check.h"

#include "base/text.h"
#include "cmd/cert.h"

enum { SEEN_MAX = 4096 };

struct seen {
    char text[SEEN_MAX]; /* "der 3;", "row serial|issuer|not_before|…;", "bad 4;" */
    size_t len;
};

static void note(struct seen *s, const char *text)
{
    int n = snprintf(s->text + s->len, sizeof s->text - s->len, "%s;", text);
    assert_true(n > 0 && (size_t)n < sizeof s->text - s->len);
    s->len += (size_t)n;
}

static lt_res on_der(void *self, lt_slice der)
{
    char text[32];
    (void)snprintf(text, sizeof text, "der %zu", der.len);
    note(self, text);
    return LT_OK;
}

static lt_res on_row(void *self, const lt_slice fields[CMD_IMPORT_COLUMNS])
{
    char text[512] = "row ";
    for (size_t i = 0; i < CMD_IMPORT_COLUMNS; i++) {
        size_t at = strlen(text);
        (void)snprintf(text + at, sizeof text - at, "%s%.*s", i > 0 ? "|" : "", LT_FMT(fields[i]));
    }
    note(self, text);
    return LT_OK;
}

static lt_res on_bad(void *self, size_t line, const char *why)
{
    assert_true(strlen(why) > 0);
    char text[32];
    (void)snprintf(text, sizeof text, "bad %zu", line);
    note(self, text);
    return LT_OK;
}

static void read_as(const char *name, lt_slice bytes, size_t piece, struct seen *s)
{
    *s = (struct seen){.len = 0};
    const struct cmd_import_sink sink = {.self = s, .der = on_der, .row = on_row, .bad = on_bad};
    struct cmd_import_reader *r = cmd_import_reader_new(&sink);
    for (int again = 0; again < 2; again++) { /* one file leaves nothing for the next */
        *s = (struct seen){.len = 0};
        cmd_import_reader_begin(r, name);
        for (size_t at = 0; at < bytes.len; at += piece) {
            assert_ok(cmd_import_reader_feed(r, lt_slice_sub(bytes, at, piece)));
        }
        assert_ok(cmd_import_reader_end(r));
    }
    cmd_import_reader_free(r);
}

#define BLOCK "-----BEGIN CERTIFICATE-----\nMAMC\r\nAQU=\n-----END CERTIFICATE-----\n"
#define HEAD "Serial,Issuer,Not Before,Not After\n"

static const struct {
    const char *name;
    const char *text;
    const char *seen;
} rows[] = {
    {"a.pem", BLOCK, "der 5;"},
    {"a.pem", "subject: x\n\n" BLOCK "more\n" BLOCK, "der 5;der 5;"},
    {"a", "-----BEGIN X509 CERTIFICATE-----\nMAMCAQU=\n-----END X509 CERTIFICATE-----", "der 5;"},
    {"a.pem", "-----BEGIN PRIVATE KEY-----\nMAMCAQU=\n-----END PRIVATE KEY-----\n" BLOCK, "der 5;"},
    {"a.crt", "0\x03\x02\x01\x05", "der 5;"},
    {"a.pem", "\xef\xbb\xbf" BLOCK, "der 5;"},
    {"t.csv", HEAD "0a,tls,2026-01-01,2027-01-01\n", "row 0a|tls|2026-01-01|2027-01-01|||||||;"},
    {"t.csv", HEAD "0a,tls,2026-01-01,2027-01-01", "row 0a|tls|2026-01-01|2027-01-01|||||||;"},
    {"t.txt", HEAD "0a,tls,2026-01-01,2027-01-01\r\n", "row 0a|tls|2026-01-01|2027-01-01|||||||;"},
    {"t.csv", "serial #;not before;not after;dNSNames\n1;2;3;\"a.b, c.d\"\n", "row 1||2|3||a.b, c.d|||||;"},
    {"t.csv", "serial\tnot_before\tnot_after\tunknown\n1\t2\t3\t4\n\n5\t6\t7\n",
     "row 1||2|3|||||||;row 5||6|7|||||||;"},
    {"t.csv", HEAD "1,\"a \"\"b\"\"\nc\",2,3\n4,,5,6\n", "row 1|a \"b\"\nc|2|3|||||||;row 4||5|6|||||||;"},
    {"t.csv",
     "reason,revoked,SPKI_SHA256,Key Type,sha256,issued,serial,not_before,not_after\n1,2,3,4,5,6,7,8,9\n",
     "row 7||8|9|6||5|3|4|2|1;"},
    {"t.csv", HEAD, ""},
    /* what is none */
    {"a.pem", "", "bad 1;"},
    {"a.pem", "nothing here\n", ""},
    {"a.pem", "-----BEGIN CERTIFICATE-----\nMAMC\n", "bad 3;"},
    {"a.pem", "-----END CERTIFICATE-----\n", "bad 1;"},
    {"a.pem", "-----BEGIN CERTIFICATE-----\nM*MC\n-----END CERTIFICATE-----\n" BLOCK, "bad 3;der 5;"},
    {"a.pem", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", "bad 2;"},
    {"a.pem", "-----BEGIN CERTIFICATE-----\nMA\n" BLOCK, "bad 3;der 5;"},
    {"t.csv", "serial,not_before\n1,2\n", "bad 1;"},
    {"t.csv", "1,2,3\n4,5,6\n", "bad 1;"},
    {"t.csv", HEAD "1,\"never closed\n2,3,4,5\n", "bad 4;"},
    {"t.csv", "", "bad 1;"},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        static const size_t pieces[] = {1, 2, 7, 1 << 16};
        for (size_t k = 0; k < LT_COUNT(pieces); k++) {
            struct seen s;
            if (pieces[k] == 1 && strncmp(rows[i].text, "\xef\xbb\xbf", 3) == 0) {
                continue; /* the mark is looked for in the first piece */
            }
            if (pieces[k] == 2 && strncmp(rows[i].text, "\xef\xbb\xbf", 3) == 0) {
                continue;
            }
            read_as(rows[i].name, lt_slice_cstr(rows[i].text), pieces[k], &s);
            if (strcmp(s.text, rows[i].seen) != 0) {
                print_error("row %zu, pieces of %zu\n", i, pieces[k]);
            }
            assert_string_equal(s.text, rows[i].seen);
        }
    }
}

/* What is too large is told once, and what stands behind it is read. */
static void test_too_large(void **state)
{
    (void)state;
    struct lt_buf b;
    struct seen s;
    lt_buf_init(&b, 1 << 20);
    lt_buf_add_cstr(&b, "-----BEGIN CERTIFICATE-----\n");
    for (size_t i = 0; i < 4000; i++) {
        lt_buf_add_cstr(&b, "MAMCAQUwAwIBBTADAgEFMAMCAQUwAwIBBTADAgEFMAMCAQUwAwIBBTADAgEF\n");
    }
    lt_buf_add_cstr(&b, "-----END CERTIFICATE-----\n" BLOCK);
    read_as("a.pem", lt_buf_slice(&b), 4096, &s);
    assert_string_equal(s.text, "bad 4002;der 5;");
    lt_buf_reset(&b);
    lt_buf_add_cstr(&b, "0");
    (void)lt_buf_extend(&b, CMD_IMPORT_CERTIFICATE_MAX + 1);
    read_as("a.der", lt_buf_slice(&b), 4096, &s);
    assert_string_equal(s.text, "bad 0;");
    lt_buf_reset(&b);
    lt_buf_add_cstr(&b, HEAD "1,\"");
    for (size_t i = 0; i < CMD_IMPORT_LINE_MAX + 10; i++) {
        lt_buf_add_byte(&b, 'x');
    }
    lt_buf_add_cstr(&b, "\",3,4\n5,6,7,8\n");
    read_as("t.csv", lt_buf_slice(&b), 4096, &s);
    assert_string_equal(s.text, "bad 2;row 5|6|7|8|||||||;");
    lt_buf_reset(&b);
    lt_buf_add_cstr(&b, HEAD "1");
    for (size_t i = 0; i < CMD_IMPORT_COLUMNS_MAX + 1; i++) {
        lt_buf_add_byte(&b, ',');
    }
    lt_buf_add_cstr(&b, "\n");
    read_as("t.csv", lt_buf_slice(&b), 4096, &s);
    assert_string_equal(s.text, "bad 2;");
    lt_buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
