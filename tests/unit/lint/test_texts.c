/* What rules read out of texts: URLs, mail addresses, identifiers of organizations, countries, months. */
#include "forge.h"

#include "lint/rules/common.h"
#include "lint/rules/mailbox.h"
#include "lint/rules/orgid.h"
#include "lint/rules/url.h"

static void urls_are_taken_apart(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        const char *scheme; /* NULL: it cannot be taken apart */
        const char *host;
        const char *name;
    } rows[] = {
        {"http://a.example/x", "http", "a.example", "a.example"},
        {"HTTP://u:p@a.example:80?q", "HTTP", "a.example:80", "a.example"},
        {"ldap://[2001:db8::1]:389/x", "ldap", "[2001:db8::1]:389", "2001:db8::1"},
        {"//a.example", "", "a.example", "a.example"},
        {"mailto:a@a.example", "mailto", "", ""},
        {"a/b", "", "", ""},
        {"http://a.example/%41#%42", "http", "a.example", "a.example"},
        {"http://a.example/%4", NULL, NULL, NULL},
        {"http://a.example/\x01", NULL, NULL, NULL},
        {"http://a example/", NULL, NULL, NULL},
        {"http://a.example:8x/", NULL, NULL, NULL},
        {"http://[::1/", NULL, NULL, NULL},
        {"http://[1.2.3.4]/", NULL, NULL, NULL},
        {"http://%41.example/", NULL, NULL, NULL},
        {"://a.example", NULL, NULL, NULL},
        {"a:b:c/d:e", "a", "", ""},
        {"1:b", NULL, NULL, NULL},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct lint_url url;
        bool fine = lint_url_parse(lt_slice_cstr(rows[i].text), &url);
        assert_int_equal(fine, rows[i].scheme != NULL);
        if (fine) {
            assert_true(lt_slice_eq_cstr(url.scheme, rows[i].scheme));
            assert_true(lt_slice_eq_cstr(url.host, rows[i].host));
            assert_true(lt_slice_eq_cstr(url.name, rows[i].name));
        }
    }
    assert_true(lint_url_has_scheme(LT_LIT("hTTp://a"), "http"));
    assert_false(lint_url_has_scheme(LT_LIT("https://a"), "http"));
}

static void addresses_are_told_apart(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        bool bare;
        bool address;
    } rows[] = {
        {"a@example.com", true, true},
        {"a.b+c@example.com", true, true},
        {"\xc3\xa4@\xc3\xa4.example", true, true},
        {"a@[192.0.2.1]", true, true},
        {"a@[2001:db8::1]", true, true},
        {"\"a b\"@example.com", false, true},
        {"A. B. <a@example.com>", false, true},
        {" a@example.com (it (is) me)", false, true},
        {"friends: A <a@example.com>;", false, true},
        {"friends: a@example.com, b@example.com;", false, false},
        {"\"\"@example.com", false, false},
        {"a@example.com, b@example.com", false, false},
        {"a b@example.com", false, false},
        {"a..b@example.com", false, false},
        {".a@example.com", false, false},
        {"a@example.com.", false, false},
        {"a@", false, false},
        {"@example.com", false, false},
        {"example.com", false, false},
        {"a@[x]", false, false},
        {"<a@example.com", false, false},
        {"a@example.com (", false, false},
        {"a\xff@example.com", false, false},
        {"", false, false},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        assert_int_equal(lint_mailbox(lt_slice_cstr(rows[i].text)), rows[i].bare);
        assert_int_equal(lint_mail_address(lt_slice_cstr(rows[i].text)), rows[i].address);
    }
    assert_true(lt_slice_eq_cstr(lint_mail_domain(LT_LIT("a@b@c.example")), "c.example"));
    assert_int_equal(lint_mail_domain(LT_LIT("a")).len, 0);
}

static void identifiers_are_split(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        bool psd;
        const char *state; /* NULL: it has not the form of one */
        const char *reference;
    } rows[] = {
        {"NTRUS+DE-1-2", false, "DE", "1-2"},    {"VATDE-1", false, "", "1"},
        {"PSDDE-BAFIN-1", false, "", "BAFIN-1"}, {"PSDDE-BAFIN-1", true, "", "1"},
        {"PSDDE-BaFin-1", true, NULL, NULL},     {"NTRUS+D-1", false, NULL, NULL},
        {"NTRUS-", false, NULL, NULL},           {"NTRUS", false, NULL, NULL},
        {"ntrUS-1", false, NULL, NULL},          {"NTR-1", false, NULL, NULL},
        {"NTRUS-1\n", false, NULL, NULL},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct lint_org_id id;
        bool fine = lint_org_id_split(lt_slice_cstr(rows[i].text), rows[i].psd, &id);
        assert_int_equal(fine, rows[i].state != NULL);
        if (fine) {
            assert_true(lt_slice_eq_cstr(id.state, rows[i].state));
            assert_true(lt_slice_eq_cstr(id.reference, rows[i].reference));
        }
    }
    assert_null(lint_lei_check(LT_LIT("529900T8BM49AURSDO55")));
    assert_non_null(lint_lei_check(LT_LIT("529900T8BM49AURSDO56")));
    assert_non_null(lint_lei_check(LT_LIT("529900T8BM49AURSDO5")));
    assert_non_null(lint_lei_check(LT_LIT("529900T8BM49AURSDOA5")));
}

static void countries_are_known(void **unused)
{
    (void)unused;
    static const struct {
        const char *code;
        bool assigned;
        bool loose;
    } rows[] = {
        {"US", true, true},    {"AD", true, true},  {"ZW", true, true},   {"us", false, true},
        {"AN", false, true},   {"XX", false, true}, {"XG", false, false}, {"UK", false, false},
        {"USA", false, false}, {"", false, false},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        assert_int_equal(lint_country(lt_slice_cstr(rows[i].code)), rows[i].assigned);
        assert_int_equal(lint_country_loose(lt_slice_cstr(rows[i].code)), rows[i].loose);
    }
}

static void months_run_over(void **unused)
{
    (void)unused;
    static const struct {
        const char *from;
        int months;
        const char *to;
    } rows[] = {
        {"2016-01-15T12:00:00Z", 27, "2018-04-15T12:00:00Z"},
        {"2015-11-30T00:00:00Z", 27, "2018-03-02T00:00:00Z"},
        {"2015-12-31T23:59:59Z", 2, "2016-03-02T23:59:59Z"},
        {"2016-12-01T00:00:00Z", 1, "2017-01-01T00:00:00Z"},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        lt_time from;
        lt_time to;
        assert_ok(lt_time_parse(lt_slice_cstr(rows[i].from), &from));
        assert_ok(lt_time_parse(lt_slice_cstr(rows[i].to), &to));
        assert_int_equal(lint_add_months(from, rows[i].months), lt_time_seconds(to));
    }
    lt_time last;
    assert_ok(lt_time_parse(LT_LIT("9999-12-31T00:00:00Z"), &last));
    assert_true(lint_add_months(last, 1) == INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_taken_apart),  cmocka_unit_test(addresses_are_told_apart),
        cmocka_unit_test(identifiers_are_split), cmocka_unit_test(countries_are_known),
        cmocka_unit_test(months_run_over),
    };
    return cmocka_run_group_tests_name("lint/texts", tests, NULL, NULL);
}
