/* What a CA lacks for profiles that browsers trust, day by day. */
#include "check.h"

#include "ca/public_trust.h"

enum { VIEWS = 6 };

static const enum validate_rir rirs[VIEWS] = {VALIDATE_RIR_RIPE,   VALIDATE_RIR_ARIN,    VALIDATE_RIR_APNIC,
                                              VALIDATE_RIR_LACNIC, VALIDATE_RIR_AFRINIC, VALIDATE_RIR_RIPE};
static struct validate_perspective list[VIEWS];

#define GOOD "acme:\n  caa-identities: [ca.example.com]\n"

static void judge(const char *yaml, size_t views, const char *when, struct ca_public_trust *ret)
{
    LT_CLEANUP(ca_config_freep) struct ca_config *config = NULL;
    struct validate_perspectives p = {.list = list, .count = views};
    lt_time now;
    for (size_t i = 0; i < VIEWS; i++) {
        list[i].rir = rirs[i];
    }
    assert_ok(ca_config_parse(lt_slice_cstr(yaml), &config));
    assert_ok(lt_time_parse(lt_slice_cstr(when), &now));
    ca_public_trust_judge(config, &p, now, ret);
}

static void lacks(void **state)
{
    static const struct {
        const char *yaml;
        size_t views;
        const char *when;
        size_t count;
        const char *words;
    } rows[] = {
        {GOOD, 4, "2026-11-22T00:00:00Z", 0, ""},
        {GOOD, 5, "2026-12-15T00:00:00Z", 0, ""},
        {GOOD, 0, "2024-01-01T00:00:00Z", 0, ""}, /* before there was a rule */
        {GOOD, 0, "2025-03-15T00:00:00Z", 0, ""}, /* asked for, and not yet blocking */
        {GOOD, 2, "2025-09-15T00:00:00Z", 0, ""},
        {GOOD, 1, "2025-09-15T00:00:00Z", 1, "1 remote perspectives"},
        {GOOD, 2, "2026-03-15T00:00:00Z", 1, "3 in 2 regions"},
        {GOOD, 3, "2026-06-14T23:59:59Z", 0, ""},
        {GOOD, 3, "2026-06-15T00:00:00Z", 1, "4 in 2 regions"},
        {GOOD, 4, "2026-12-15T00:00:00Z", 1, "5 in 2 regions"},
        {GOOD, 0, "2026-11-22T00:00:00Z", 1, "0 remote perspectives in 0 regions"},
        {"name: X\n", 4, "2026-11-22T00:00:00Z", 1, "caa-identities"},
        {GOOD "validation:\n  dnssec: none\n  allow-private: true\n", 4, "2026-11-22T00:00:00Z", 2, "dnssec"},
        {"validation:\n  dnssec: none\n  allow-private: true\n", 0, "2026-11-22T00:00:00Z", 4,
         "caa-identities"},
        {GOOD "validation:\n  allow-private: true\n", 4, "2026-11-22T00:00:00Z", 1, "allow-private"},
        {GOOD "validation:\n  http-port: 8080\n", 4, "2026-11-22T00:00:00Z", 1, "8080, and http-01"},
        {GOOD "validation:\n  http-port: 443\n", 4, "2026-11-22T00:00:00Z", 1, "http-port is 443"},
        {GOOD "validation:\n  https-port: 8443\n", 4, "2026-11-22T00:00:00Z", 1, "8443, and redirects"},
        {GOOD "validation:\n  trust-anchor: my.ds\n", 4, "2026-11-22T00:00:00Z", 1, "trust-anchor"},
        {GOOD "validation:\n  http-port: 80\n  https-port: 443\n", 4, "2026-11-22T00:00:00Z", 0, ""},
        {"validation:\n  http-port: 1\n  https-port: 2\n  trust-anchor: x\n  allow-private: true\n", 0,
         "2026-11-22T00:00:00Z", 6, "caa-identities"},
    };
    (void)state;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct ca_public_trust t;
        judge(rows[i].yaml, rows[i].views, rows[i].when, &t);
        if (t.lack_count != rows[i].count) {
            print_error("row %zu: %zu, %s\n", i, t.lack_count, t.lacks[0]);
        }
        assert_int_equal(t.lack_count, rows[i].count);
        assert_true(rows[i].count == 0 || strstr(t.lacks[0], rows[i].words) != NULL);
    }
}

static void one_region(void **state)
{
    struct ca_public_trust t;
    LT_CLEANUP(ca_config_freep) struct ca_config *config = NULL;
    struct validate_perspectives p = {.list = list, .count = 4};
    lt_time now;
    (void)state;
    for (size_t i = 0; i < VIEWS; i++) {
        list[i].rir = VALIDATE_RIR_RIPE;
    }
    assert_ok(ca_config_parse(LT_LIT(GOOD), &config));
    assert_ok(lt_time_parse(LT_LIT("2026-11-22T00:00:00Z"), &now));
    ca_public_trust_judge(config, &p, now, &t);
    assert_int_equal(t.lack_count, 1);
    assert_non_null(strstr(t.lacks[0], "in 1 regions"));
    ca_public_trust_judge(config, NULL, now, &t);
    assert_int_equal(t.lack_count, 1);
}

static void soon(void **state)
{
    static const struct {
        size_t views;
        const char *when;
        bool said;
    } rows[] = {
        {4, "2026-11-22T00:00:00Z", true},  {5, "2026-11-22T00:00:00Z", false},
        {4, "2026-09-01T00:00:00Z", false},                                     /* far away */
        {4, "2026-12-14T23:59:59Z", true},  {6, "2027-01-01T00:00:00Z", false}, /* no row comes after it */
        {3, "2026-11-22T00:00:00Z", false},                                     /* is missing now */
    };
    (void)state;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct ca_public_trust t;
        judge(GOOD, rows[i].views, rows[i].when, &t);
        if ((t.soon[0] != '\0') != rows[i].said) {
            print_error("row %zu: %s\n", i, t.soon);
        }
        assert_int_equal(t.soon[0] != '\0', rows[i].said);
        assert_true(!rows[i].said || strstr(t.soon, "from 2026-12-15 on, 5 in 2 regions") != NULL);
    }
}

static void which_profile(void **state)
{
    struct ca_profile rows[] = {{.name = "a", .public_trust = true, .kind = CA_PROFILE_CA},
                                {.name = "b", .kind = CA_PROFILE_SUBSCRIBER},
                                {.name = "c", .public_trust = true, .kind = CA_PROFILE_SUBSCRIBER},
                                {.name = "long", .public_trust = true, .kind = CA_PROFILE_SUBSCRIBER}};
    struct ca_profile *all[] = {&rows[0], &rows[1], &rows[2], &rows[3]};
    struct ca_profiles p = {.rows = all, .count = 4};
    (void)state;
    size_t at = 0;
    char names[16];
    assert_string_equal(ca_public_profile(&p, &at)->name, "c");
    assert_string_equal(ca_public_profile(&p, &at)->name, "long");
    assert_null(ca_public_profile(&p, &at));
    ca_public_profile_names(&p, names, sizeof names);
    assert_string_equal(names, "c, long");
    ca_public_profile_names(&p, names, 5);
    assert_string_equal(names, "c, l");
    p.count = 2; /* CAs are made in a ceremony, not ordered */
    at = 0;
    assert_null(ca_public_profile(&p, &at));
    p.count = at = 0;
    assert_null(ca_public_profile(&p, &at));
    ca_public_profile_names(&p, names, sizeof names);
    assert_string_equal(names, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lacks), cmocka_unit_test(one_region),
                                       cmocka_unit_test(soon), cmocka_unit_test(which_profile)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
