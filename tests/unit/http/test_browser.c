/* What browsers say beside the request: hosts, cookies, origins, packing. */
#include "check.h"
#include "http/browser.h"

static void test_hosts(void **state)
{
    static const struct {
        const char *host;
        const char *name; /* NULL: refused */
    } rows[] = {
        {"localhost", "localhost"},
        {"localhost:14001", "localhost"},
        {"ca.example.org:443", "ca.example.org"},
        {"127.0.0.1:1", "127.0.0.1"},
        {"[::1]", "[::1]"},
        {"[::1]:14001", "[::1]"},
        {"LOCALHOST", "LOCALHOST"},
        {"", NULL},
        {":14001", NULL},
        {"localhost:", NULL},
        {"localhost:123456", NULL},
        {"localhost:1a", NULL},
        {"localhost:1:2", NULL},
        {"evil.example@localhost", NULL},
        {"localhost/x", NULL},
        {"localhost evil.example", NULL},
        {"[::1", NULL},
        {"[]:1", NULL},
        {"[::1]x", NULL},
        {"[localhost]", NULL},
        {"::1", NULL},
    };
    (void)state;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        lt_slice name;
        lt_res r = http_host_split(lt_slice_cstr(rows[i].host), &name);
        if (lt_failed(r) != (rows[i].name == NULL)) {
            print_error("\"%s\"\n", rows[i].host);
        }
        assert_int_equal(lt_failed(r), rows[i].name == NULL);
        assert_true(rows[i].name == NULL || lt_slice_eq_cstr(name, rows[i].name));
    }
}

static void test_cookies(void **state)
{
    static const struct {
        const char *fields[2];
        const char *value;
    } rows[] = {
        {{"s=1"}, "1"},
        {{"a=b; s=1"}, "1"},
        {{"a=b; s=1; c=d"}, "1"},
        {{"a=b", "s=1"}, "1"}, /* HTTP/2 */
        {{"s=a=b"}, "a=b"},
        {{"s="}, ""},
        {{"as=1"}, ""},
        {{"S=1"}, ""},
        {{"a=s=1"}, ""},
        {{"s"}, ""},
        {{""}, ""},
        {{"s=1; s=2"}, ""}, /* one of them is not ours */
        {{"s=1", "s=1"}, ""},
    };
    (void)state;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct http_field fields[3] = {{LT_LIT("host"), LT_LIT("s=9")}};
        size_t count = 1;
        for (size_t k = 0; k < 2 && rows[i].fields[k] != NULL; k++) {
            fields[count++] = (struct http_field){LT_LIT("Cookie"), lt_slice_cstr(rows[i].fields[k])};
        }
        assert_true(lt_slice_eq_cstr(http_cookie_find(fields, count, "s"), rows[i].value));
    }
}

static void test_origins(void **state)
{
    static const struct {
        const char *origin;
        const char *host;
        bool same;
    } rows[] = {
        {"http://localhost:14001", "localhost:14001", true},
        {"https://localhost:14001", "localhost:14001", true},
        {"https://CA.example", "ca.example", true},
        {"http://localhost:14001", "localhost:14002", false},
        {"http://localhost:14001", "localhost", false},
        {"http://localhost.evil.example", "localhost", false},
        {"http://localhost/", "localhost", false},
        {"ftp://localhost", "localhost", false},
        {"localhost", "localhost", false},
        {"null", "null", false},
        {"http://", "", false},
    };
    (void)state;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        assert_int_equal(http_origin_is(lt_slice_cstr(rows[i].origin), lt_slice_cstr(rows[i].host)),
                         rows[i].same);
    }
}

static void test_packing(void **state)
{
    static const struct {
        const char *accept;
        bool gzip;
    } rows[] = {
        {"gzip", true},
        {"gzip, deflate, br", true},
        {"br;q=1, GZIP;q=0.5", true},
        {"gzip;q=0.001", true},
        {"", false},
        {"br", false},
        {"gzip;q=0", false},
        {"gzip; q=0.000", false},
        {"xgzip", false},
        {"identity", false},
    };
    (void)state;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        assert_int_equal(http_accepts_gzip(lt_slice_cstr(rows[i].accept)), rows[i].gzip);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_cookies),
        cmocka_unit_test(test_origins),
        cmocka_unit_test(test_packing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
