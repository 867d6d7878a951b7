/* Bodies of forms: what a browser sends is read, anything else is refused. */
#include "check.h"
#include "http/form.h"

static struct lt_arena arena;

static int set_up(void **state)
{
    (void)state;
    lt_arena_init(&arena, 1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    lt_arena_done(&arena);
    return 0;
}

static void test_types(void **state)
{
    static const struct {
        const char *type;
        bool good;
    } rows[] = {
        {"application/x-www-form-urlencoded", true},
        {"Application/X-WWW-Form-Urlencoded; charset=UTF-8", true},
        {"application/x-www-form-urlencoded ", true},
        {"", false},
        {"application/x-www-form-urlencodedx", false},
        {"application/json", false},
        {"multipart/form-data; boundary=x", false},
        {"text/plain", false}, /* what a foreign page's form may send as well */
    };
    (void)state;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        assert_int_equal(http_form_is(lt_slice_cstr(rows[i].type)), rows[i].good);
    }
}

static void test_good(void **state)
{
    struct http_form f;
    (void)state;
    assert_ok(http_form_parse(LT_LIT(""), &arena, &f));
    assert_int_equal(f.count, 0);
    assert_ok(http_form_parse(LT_LIT("do=resume"), &arena, &f));
    assert_int_equal(f.count, 1);
    assert_true(lt_slice_eq_cstr(f.fields[0].name, "do"));
    assert_true(lt_slice_eq_cstr(f.fields[0].value, "resume"));
    assert_ok(http_form_parse(LT_LIT("a=1+2%203&b=&c&d=%3D%26%c3%a4"), &arena, &f));
    assert_int_equal(f.count, 4);
    assert_true(lt_slice_eq_cstr(f.fields[0].value, "1 2 3"));
    assert_int_equal(f.fields[1].value.len, 0);
    assert_int_equal(f.fields[2].value.len, 0);
    assert_true(lt_slice_eq_cstr(f.fields[3].value, "=&\xc3\xa4"));
}

static void test_bad(void **state)
{
    static const char *const rows[] = {
        "=x",
        "&",
        "a=1&",
        "a=1&&b=2",
        "a=1&a=2",
        "a=1&%61=2",
        "a=%",
        "a=%1",
        "a=%zz",
        "a=%g0",
        "%=1",
        "a=%00",
        "a=%0a",
        "a=%0d%0aX: y",
        "a=%7f",
        "a=\x01",
        "a=%ff",
        "a=%c3",
        "a=%c3%28",
        "a=%c0%80",
        "a=%e0%80%80",
        "a=%ed%a0%80",
        "a=%f4%90%80%80",
        "a=%f8%88%80%80%80",
        "a=%c2%85",
        "%0a=1",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=1",
        "a=1&b=2&c=3&d=4&e=5&f=6&g=7&h=8&i=9&j=1&k=2&l=3&m=4&n=5&o=6&p=7&q=8",
    };
    (void)state;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct http_form f;
        lt_res r = http_form_parse(lt_slice_cstr(rows[i]), &arena, &f);
        if (!lt_failed(r)) {
            print_error("taken: %s\n", rows[i]);
        }
        assert_int_equal(lt_class_of(r.code), LT_CLASS_PEER);
    }
}

static void test_limits(void **state)
{
    char body[HTTP_FORM_VALUE_MAX + 8];
    struct http_form f;
    struct lt_arena small;
    (void)state;
    memset(body, 'x', sizeof body);
    memcpy(body, "a=", 2);
    assert_ok(http_form_parse(LT_SLICE(body, HTTP_FORM_VALUE_MAX + 2), &arena, &f));
    assert_fails(http_form_parse(LT_SLICE(body, HTTP_FORM_VALUE_MAX + 3), &arena, &f), LT_PEER_TOO_LARGE);
    lt_arena_init(&small, 64);
    assert_fails(http_form_parse(LT_SLICE(body, 200), &small, &f), LT_PEER_TOO_LARGE);
    lt_arena_done(&small);
}

/* Lines belong into the one field that has them; everywhere else they are refused. */
static void test_area(void **state)
{
    struct http_form f;
    static char body[HTTP_FORM_AREA_MAX + 8];
    (void)state;
    assert_ok(http_form_parse_area(LT_LIT("do=x&csr=a%0D%0Ab%09c"), "csr", &arena, &f));
    assert_true(lt_slice_eq_cstr(f.fields[1].value, "a\r\nb\tc"));
    assert_fails(http_form_parse(LT_LIT("csr=a%0Ab"), &arena, &f), LT_PEER_MALFORMED);
    assert_fails(http_form_parse_area(LT_LIT("do=a%0Ab"), "csr", &arena, &f), LT_PEER_MALFORMED);
    assert_fails(http_form_parse_area(LT_LIT("csr=a%00b"), "csr", &arena, &f), LT_PEER_MALFORMED);
    assert_fails(http_form_parse_area(LT_LIT("csr=%ff"), "csr", &arena, &f), LT_PEER_MALFORMED);
    assert_fails(http_form_parse_area(LT_LIT("cs%0Ar=x"), "csr", &arena, &f), LT_PEER_MALFORMED);
    memset(body, 'x', sizeof body);
    memcpy(body, "csr=", 4);
    assert_ok(http_form_parse_area(LT_SLICE(body, HTTP_FORM_AREA_MAX + 4), "csr", &arena, &f));
    assert_fails(http_form_parse_area(LT_SLICE(body, HTTP_FORM_AREA_MAX + 5), "csr", &arena, &f),
                 LT_PEER_TOO_LARGE);
    assert_fails(http_form_parse_area(LT_SLICE(body, HTTP_FORM_VALUE_MAX + 8), "other", &arena, &f),
                 LT_PEER_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),
        cmocka_unit_test_setup_teardown(test_good, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bad, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_limits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_area, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
