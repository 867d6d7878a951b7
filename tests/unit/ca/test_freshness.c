/* How old what is published may grow: rules of their day, and half of them as the warning. */
#include "check.h"

#include <string.h>

#include "ca/freshness.h"

enum { HOUR = 3600, DAY = 24 * HOUR };

static lt_time at(const char *text)
{
    lt_time t;
    assert_ok(lt_time_parse(lt_slice_cstr(text), &t));
    return t;
}

/* Today every kind has a rule, each with its source; dates parse and are in order. */
static void the_table(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < CA_FRESH_COUNT; kind++) {
        const struct ca_fresh_rule *r = ca_fresh_rule_at((enum ca_fresh_kind)kind,
                                                         at("2026-11-22T00:00:00Z"));
        assert_non_null(r);
        assert_true(strlen(ca_fresh_kind_name((enum ca_fresh_kind)kind)) > 0);
    }
    for (size_t i = 0; i < ca_fresh_rule_count; i++) {
        const struct ca_fresh_rule *r = &ca_fresh_rules[i];
        assert_true(r->limit_s > 0 && r->source[0] != 0 && r->words[0] != 0);
        if (r->from[0] != 0 && r->until[0] != 0) {
            assert_true(at(r->from).us < at(r->until).us);
        }
    }
}

static void rules_of_their_day(void **state)
{
    (void)state;
    static const struct {
        enum ca_fresh_kind kind;
        const char *when;
        int64_t limit_s; /* 0: there was no such rule */
    } rows[] = {
        {CA_FRESH_CRL, "2023-01-01T00:00:00Z", 7 * DAY},
        {CA_FRESH_CRL, "2024-03-14T23:59:59Z", 7 * DAY},
        {CA_FRESH_CRL, "2024-03-15T00:00:00Z", 4 * DAY},
        {CA_FRESH_CRL, "2026-11-22T00:00:00Z", 4 * DAY},
        {CA_FRESH_CRL_WITH_OCSP, "2026-11-22T00:00:00Z", 7 * DAY},
        {CA_FRESH_CRL_OF_CAS, "2026-11-22T00:00:00Z", 365 * DAY},
        {CA_FRESH_ENTRY, "2026-11-22T00:00:00Z", DAY},
        {CA_FRESH_FIRST, "2024-01-01T00:00:00Z", 0},
        {CA_FRESH_FIRST, "2026-11-22T00:00:00Z", DAY},
        {CA_FRESH_ANSWER, "2025-01-14T23:59:59Z", 0},
        {CA_FRESH_ANSWER, "2025-01-15T00:00:00Z", 900},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        const struct ca_fresh_rule *r = ca_fresh_rule_at(rows[i].kind, at(rows[i].when));
        assert_int_equal(r == NULL ? 0 : r->limit_s, rows[i].limit_s);
    }
}

static void late_at_half(void **state)
{
    (void)state;
    lt_time now = at("2026-11-22T12:00:00Z");
    static const struct {
        enum ca_fresh_kind kind;
        int64_t age_s;
        const char *state;
    } rows[] = {
        {CA_FRESH_ENTRY, 0, "fresh"},
        {CA_FRESH_ENTRY, 12 * HOUR - 1, "fresh"},
        {CA_FRESH_ENTRY, 12 * HOUR, "late"},
        {CA_FRESH_ENTRY, DAY - 1, "late"},
        {CA_FRESH_ENTRY, DAY, "broken"},
        {CA_FRESH_ENTRY, -HOUR, "fresh"},
        {CA_FRESH_ANSWER, 449, "fresh"},
        {CA_FRESH_ANSWER, 450, "late"},
        {CA_FRESH_ANSWER, 900, "broken"},
        {CA_FRESH_CRL, 2 * DAY, "late"},
        {CA_FRESH_CRL_WITH_OCSP, 3 * DAY, "fresh"},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        enum ca_fresh_state s = ca_fresh_judge(rows[i].kind, lt_time_add_seconds(now, -rows[i].age_s), now);
        assert_string_equal(ca_fresh_state_name(s), rows[i].state);
    }
    /* Where no rule was in force, nothing is late. */
    now = at("2024-01-01T00:00:00Z");
    assert_int_equal(ca_fresh_judge(CA_FRESH_ANSWER, lt_time_add_seconds(now, -DAY), now), CA_FRESH_GOOD);
}

/* The rule, or what the CRL says of itself: whichever is reached first. */
static void crls(void **state)
{
    (void)state;
    lt_time now = at("2026-11-22T12:00:00Z");
    static const struct {
        int64_t age_s;
        int64_t life_s;
        bool of_cas;
        enum ca_fresh_state state;
    } rows[] = {
        {HOUR, 7 * DAY, false, CA_FRESH_GOOD},
        {2 * DAY - 1, 7 * DAY, false, CA_FRESH_GOOD},
        {2 * DAY, 7 * DAY, false, CA_FRESH_LATE},
        {4 * DAY, 7 * DAY, false, CA_FRESH_BROKEN}, /* it has not expired, and should not be there any more */
        {12 * HOUR, DAY, false, CA_FRESH_LATE},
        {DAY, DAY, false, CA_FRESH_BROKEN},
        {4 * DAY, 365 * DAY, true, CA_FRESH_GOOD},
        {183 * DAY, 365 * DAY, true, CA_FRESH_LATE},
        {50 * DAY, 90 * DAY, true, CA_FRESH_LATE},
        {90 * DAY, 90 * DAY, true, CA_FRESH_BROKEN},
        {HOUR, 0, false, CA_FRESH_BROKEN}, /* nonsense is not fresh */
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct ca_fresh_crl c = {.this_update = lt_time_add_seconds(now, -rows[i].age_s),
                                 .of_cas = rows[i].of_cas};
        c.next_update = lt_time_add_seconds(c.this_update, rows[i].life_s);
        assert_int_equal(ca_fresh_judge_crl(&c, now), rows[i].state);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table),
        cmocka_unit_test(rules_of_their_day),
        cmocka_unit_test(late_at_half),
        cmocka_unit_test(crls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
