/* The table of methods: dates, wildcards, reuse, and names that no method is good for. */
#include "check.h"
#include "validate/methods.h"

static lt_time at(const char *text)
{
    lt_time t;
    assert_ok(lt_time_parse(lt_slice_cstr(text), &t));
    return t;
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < validate_method_count; i++) {
        const struct validate_method *m = &validate_methods[i];
        assert_ptr_equal(validate_method_find(m->name, m->identifier), m); /* once in the table */
        assert_ptr_equal(validate_method_by_ruleset(m->ruleset, m->name), m);
        assert_non_null(strstr(m->ruleset, m->section));
        assert_true(m->until[0] == '\0' || at(m->from).us < at(m->until).us);
        assert_true(strcmp(m->identifier, "dns") == 0 || !m->wildcard);
        /*= CABF-BR 3.2.2.4.20 "This method is NOT suitable for validating Wildcard Domain Names." */
        assert_true(m->kind == VALIDATE_KIND_DNS || m->kind == VALIDATE_KIND_MAIL ||
                    m->kind == VALIDATE_KIND_CAA || !m->wildcard);
        assert_true(m->persistent || m->kind == VALIDATE_KIND_CAA || m->token_max_days == 30);
        assert_true(!m->persistent || m->reuse_max_days == 10);
    }
    assert_null(validate_method_find("http-01", "email"));
    assert_null(validate_method_find("HTTP-01", "dns"));
    assert_null(validate_method_find("dns-01", "ip"));
    assert_null(validate_method_by_ruleset("BR 2.2.6 3.2.2.4.19", "dns-01"));
}

static void test_dates(void **state)
{
    static const struct {
        const char *name;
        const char *identifier;
        const char *when;
        bool in_force;
    } rows[] = {
        {"http-01", "dns", "2026-11-22T00:00:00Z", true},
        {"http-01", "dns", "2020-03-02T23:59:59Z", false},
        {"http-01", "dns", "2020-03-03T00:00:00Z", true},
        {"dns-account-01", "dns", "2025-02-28T23:59:59Z", false},
        {"dns-persist-01", "dns", "2025-11-09T23:59:59Z", false},
        {"dns-persist-01", "dns", "2025-11-10T00:00:00Z", true},
        {"dns-persist-01", "ip", "2025-12-15T23:59:59Z", false},
        {"dns-persist-01", "ip", "2025-12-16T00:00:00Z", true},
        {"email-constructed", "dns", "2028-03-14T23:59:59Z", true},
        {"email-constructed", "dns", "2028-03-15T00:00:00Z", false},
        {"email-caa-contact", "dns", "2028-03-15T00:00:00Z", false},
    };
    (void)state;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        const struct validate_method *m = validate_method_find(rows[i].name, rows[i].identifier);
        assert_non_null(m);
        assert_int_equal(validate_method_in_force(m, at(rows[i].when)), rows[i].in_force);
    }
}

static void test_reuse(void **state)
{
    static const struct {
        const char *name;
        const char *when; /* of issuance */
        int days;
    } rows[] = {
        {"http-01", "2025-01-01T00:00:00Z", 398},       {"http-01", "2026-03-14T23:59:59Z", 398},
        {"http-01", "2026-03-15T00:00:00Z", 200},       {"dns-01", "2027-03-14T23:59:59Z", 200},
        {"dns-01", "2027-03-15T00:00:00Z", 100},        {"tls-alpn-01", "2029-03-14T23:59:59Z", 100},
        {"tls-alpn-01", "2029-03-15T00:00:00Z", 10},    {"dns-persist-01", "2026-01-01T00:00:00Z", 10},
        {"dns-persist-01", "2030-01-01T00:00:00Z", 10},
    };
    (void)state;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        const struct validate_method *m = validate_method_find(rows[i].name, "dns");
        assert_int_equal(validate_method_reuse_s(m, at(rows[i].when)), rows[i].days * LT_SECONDS_PER_DAY);
    }
}

static void test_refusals(void **state)
{
    static const char *const no_wildcards[] = {"http-01", "tls-alpn-01", "website-change"};
    static const char *const wildcards[] = {"dns-01", "dns-account-01", "dns-persist-01", "dns-change",
                                            "caa"};
    lt_time now = at("2026-11-22T00:00:00Z");
    (void)state;
    for (size_t i = 0; i < LT_COUNT(no_wildcards); i++) {
        const struct validate_method *m = validate_method_find(no_wildcards[i], "dns");
        assert_null(validate_method_refusal(m, false, now));
        assert_non_null(strstr(validate_method_refusal(m, true, now), "wildcard"));
    }
    for (size_t i = 0; i < LT_COUNT(wildcards); i++) {
        assert_null(validate_method_refusal(validate_method_find(wildcards[i], "dns"), true, now));
    }
    const struct validate_method *early = validate_method_find("dns-persist-01", "dns");
    assert_non_null(strstr(validate_method_refusal(early, false, at("2025-01-01T00:00:00Z")), "yet"));
    const struct validate_method *mail = validate_method_find("email-constructed", "dns");
    assert_null(validate_method_refusal(mail, true, now));
    assert_non_null(strstr(validate_method_refusal(mail, false, at("2028-03-15T00:00:00Z")), "any more"));
}

static void test_names(void **state)
{
    static const char *const good[] = {"example.com", "onion.example", "x.onions", "in-addr.arpa.example",
                                       "arpa"};
    static const char *const bad[] = {
        "", "a.onion", "A.ONION", "onion", "1.in-addr.arpa", "IP6.ARPA", "x.8.b.d.0.1.0.0.2.ip6.arpa"};
    (void)state;
    for (size_t i = 0; i < LT_COUNT(good); i++) {
        assert_null(validate_name_refusal(lt_slice_cstr(good[i])));
    }
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        assert_non_null(validate_name_refusal(lt_slice_cstr(bad[i])));
    }
}

/* Some clients stop reading at a challenge without a token: what has one is offered first. */
static void test_tokens_first(void **state)
{
    bool persistent = false;
    (void)state;
    for (size_t i = 0; i < validate_method_count; i++) {
        const struct validate_method *m = &validate_methods[i];
        assert_false(m->acme && !m->persistent && persistent);
        persistent = persistent || (m->acme && m->persistent);
    }
    assert_true(persistent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),     cmocka_unit_test(test_dates), cmocka_unit_test(test_reuse),
        cmocka_unit_test(test_refusals), cmocka_unit_test(test_names), cmocka_unit_test(test_tokens_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
