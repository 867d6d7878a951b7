/* Host names: taken apart at the public suffix, with their top-level domain and its dates. */
#include "check.h"

#include "lint/names.h"
#include "lint/rules.h"

static void splits(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        const char *suffix;
        const char *sld;
        const char *trd;
        bool ok; /* there is a label left of the suffix */
    } rows[] = {
        {"example.com", "com", "example", "", true},
        {"www.example.com", "com", "example", "www", true},
        {"a.b.example.co.uk", "co.uk", "example", "a.b", true},
        {"WWW.Example.CO.UK", "CO.UK", "Example", "WWW", true},
        {"*.example.com", "com", "example", "*", true},
        {"*.com", "com", "*", "", true},
        {"com", "com", "", "", false},
        {"co.uk", "co.uk", "", "", false},
        {"a.unknown", "unknown", "a", "", true},
        {"host", "host", "", "", false},
        {"blogspot.com", "com", "blogspot", "", true}, /* private suffixes do not count */
        {"a.blogspot.com", "com", "blogspot", "a", true},
        {"a.b.kobe.jp", "b.kobe.jp", "a", "", true},   /* *.kobe.jp */
        {"city.kobe.jp", "kobe.jp", "city", "", true}, /* !city.kobe.jp */
        {"x.city.kobe.jp", "kobe.jp", "city", "x", true},
        {"a.b.c.d.e.f.g.example.org", "org", "example", "a.b.c.d.e.f.g", true},
        {"a..com", "com", "", "a", true},
        {"", "", "", "", false},
        {".example.com", "", "", "", false},
        {"example.com.", "", "", "", false},
        {"under_score.example.com", "com", "example", "under_score", true},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct lint_name n;
        lint_name_split(lt_slice_cstr(rows[i].text), false, &n);
        if (n.psl_ok != rows[i].ok ||
            (rows[i].ok && (!lt_slice_eq_cstr(n.sld, rows[i].sld) || !lt_slice_eq_cstr(n.trd, rows[i].trd) ||
                            !lt_slice_eq_cstr(n.suffix, rows[i].suffix)))) {
            fail_msg("%s: %.*s | %.*s | %.*s", rows[i].text, LT_FMT(n.trd), LT_FMT(n.sld), LT_FMT(n.suffix));
        }
    }
}

static void shapes(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        bool ldh;
        bool wildcard;
        bool ip;
        size_t labels;
    } rows[] = {
        {"example.com", true, false, false, 2},
        {"*.example.com", true, true, false, 3},
        {"exa mple.com", false, false, false, 2},
        {"ex*mple.com", false, false, false, 2},
        {"a_b.example.com", true, false, false, 3},
        {"192.0.2.1", true, false, true, 4},
        {"2001:db8::1", false, false, true, 1},
        {"192.0.2.256", true, false, false, 4},
        {"", false, false, false, 1},
        {"1.example", true, false, false, 2},
        {"\xc3\xbc.example", false, false, false, 2},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct lint_name n;
        lint_name_split(lt_slice_cstr(rows[i].text), true, &n);
        if (n.ldh != rows[i].ldh || n.wildcard != rows[i].wildcard || n.is_ip != rows[i].ip ||
            n.label_count != rows[i].labels) {
            fail_msg("%s: ldh %d, wildcard %d, ip %d, labels %zu", rows[i].text, n.ldh, n.wildcard, n.is_ip,
                     n.label_count);
        }
    }
}

static void long_ones(void **unused)
{
    (void)unused;
    static char text[4096];
    struct lint_name n;
    memset(text, 'a', sizeof text);
    memcpy(text + sizeof text - 4, ".com", 4);
    lint_name_split(LT_SLICE(text, sizeof text), false, &n);
    assert_slice(n.suffix, "com");
    assert_int_equal(n.sld.len, sizeof text - 4);
    memset(text, '.', sizeof text);
    lint_name_split(LT_SLICE(text, sizeof text), false, &n);
    assert_false(n.psl_ok);
    assert_int_equal(n.label_count, sizeof text + 1);
    memset(text, 0, sizeof text);
    lint_name_split(LT_SLICE(text, sizeof text), false, &n);
    assert_null(n.tld_row);
}

static void tlds(void **unused)
{
    (void)unused;
    static const struct {
        const char *label;
        int64_t delegated;
        int64_t removed;
    } rows[] = {
        {"com", LINT_DAY(1985, 1, 1), 0},    {"COM", LINT_DAY(1985, 1, 1), 0},
        {"aaa", LINT_DAY(2015, 8, 28), 0},   {"abarth", LINT_DAY(2016, 8, 4), LINT_DAY(2023, 6, 5)},
        {"onion", LINT_DAY(2015, 2, 18), 0}, {"zw", -1, 0},
        {"xn--vermgensberatung-pwb", -1, 0},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        const struct lint_tld *t = lint_tld_find(lt_slice_cstr(rows[i].label));
        assert_non_null(t);
        assert_true(rows[i].delegated < 0 || t->delegated == rows[i].delegated);
        assert_int_equal(t->removed, rows[i].removed);
    }
    static const char *const none[] = {"", "internal", "local", "co", "zz", "comm", "c", "com.", "example"};
    for (size_t i = 0; i < LT_COUNT(none); i++) {
        bool is_co = strcmp(none[i], "co") == 0; /* Colombia */
        assert_int_equal(lint_tld_find(lt_slice_cstr(none[i])) != NULL, is_co);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits),
        cmocka_unit_test(shapes),
        cmocka_unit_test(long_ones),
        cmocka_unit_test(tlds),
    };
    return cmocka_run_group_tests_name("lint names", tests, NULL, NULL);
}
