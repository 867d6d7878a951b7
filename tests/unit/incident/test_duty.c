/* Duties as data: what data/duties says is whole, agrees with the tables that other rooms have, and judges
 * the incidents of the record by the rules of their day and of now. */
#include "check.h"

#include <string.h>

#include "ca/freshness.h"
#include "ca/reasons.h"
#include "incident/duty.h"

enum { HOUR = 3600, DAY = 24 * HOUR };

static lt_time at(const char *text)
{
    lt_time t;
    assert_ok(lt_time_parse(lt_slice_cstr(text), &t));
    return t;
}

static const char *text_of(lt_time t)
{
    static char text[LT_RFC3339_SIZE];
    lt_time_rfc3339(t, text);
    return text;
}

/* Every id of the guidelines, and what each root program and both requirements ask for. */
static void all_are_there(void **state)
{
    (void)state;
    static const char *const ids[] = {
        "irg-1",
        "irg-2",
        "irg-3",
        "irg-4",
        "irg-5",
        "irg-6",
        "irg-7",
        "irg-8",
        "irg-9",
        "irg-10",
        "irg-11",
        "cpr-findings",
        "mass-plan-test",
        "mrsp-delayed",
        "chrome-report",
        "chrome-secondary",
        "apple-report",
        "microsoft-revoke",
        "crl",
        "crl-entry",
        "control",
    };
    lt_time now = at("2026-11-22T00:00:00Z");
    for (size_t i = 0; i < LT_COUNT(ids); i++) {
        const struct incident_duty *d = incident_duty_at(lt_slice_cstr(ids[i]), now);
        assert_non_null(d);
        assert_true(incident_duty_known(lt_slice_cstr(ids[i])));
    }
    assert_false(incident_duty_known(LT_LIT("irg-12")));
    assert_null(incident_duty_at(LT_LIT(""), now));
    assert_null(incident_duty_at(LT_LIT("irg-1"), at("2020-02-29T00:00:00Z")));
    assert_null(incident_duty_at(LT_LIT("irg-11"), at("2025-07-14T23:59:59Z")));
    assert_non_null(incident_duty_at(LT_LIT("irg-11"), at("2025-07-15T00:00:00Z")));
}

static void every_row_is_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < incident_duty_count; i++) {
        const struct incident_duty *d = &incident_duties[i];
        bool must = strcmp(d->force, "MUST") == 0;
        assert_true(must || strcmp(d->force, "SHOULD") == 0);
        assert_true(d->limit_s > 0 && d->aim_s < d->limit_s);
        assert_true(d->start[0] != 0 && d->because[0] != 0 && d->words[0] != 0 && d->section[0] != 0);
        if (d->from[0] != 0) {
            assert_ptr_equal(incident_duty_at(lt_slice_cstr(d->id), at(d->from)), d);
        }
        if (d->until[0] != 0) {
            assert_ptr_not_equal(incident_duty_at(lt_slice_cstr(d->id), at(d->until)), d);
        }
    }
}

static void limits(void **state)
{
    (void)state;
    static const struct {
        const char *id;
        int64_t aim_s;
        int64_t limit_s;
        bool exact;
    } rows[] = {
        {"irg-1", 0, 72 * HOUR, true},
        {"irg-2", 0, 14 * DAY, true},
        {"irg-3", 0, 7 * DAY, true},
        {"irg-4", 0, 7 * DAY, true},
        {"irg-5", 0, 3 * DAY, true},
        {"irg-6", 3 * DAY, 7 * DAY, true},
        {"irg-7", 0, 24 * HOUR, false},
        {"irg-9", 0, 24 * HOUR, false},
        {"irg-10", 0, 30 * DAY, true},
        {"cpr-findings", 0, 24 * HOUR, true},
        {"microsoft-revoke", 0, 24 * HOUR, true},
        {"chrome-report", 0, 14 * DAY, true},
        {"mass-plan-test", 0, 365 * DAY, true},
    };
    lt_time now = at("2026-11-22T00:00:00Z");
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        const struct incident_duty *d = incident_duty_at(lt_slice_cstr(rows[i].id), now);
        assert_non_null(d);
        assert_int_equal(d->aim_s, rows[i].aim_s);
        assert_int_equal(d->limit_s, rows[i].limit_s);
        assert_int_equal(d->exact, rows[i].exact);
    }
}

/* The causes of revocation and their duties are one thing in two tables. */
static void same_as_causes(void **state)
{
    (void)state;
    size_t of_causes = 0;
    for (size_t i = 0; i < ca_cause_count; i++) {
        const struct ca_cause *c = &ca_causes[i];
        char name[100];
        (void)snprintf(name, sizeof name, "%s/%s", c->kind, c->name);
        const struct incident_duty *d = incident_duty_for_cause(lt_slice_cstr(name), at(c->from));
        assert_non_null(d);
        assert_string_equal(d->cause, name);
        assert_string_equal(d->section, c->section);
        assert_string_equal(d->from, c->from);
        assert_string_equal(d->until, c->until);
        assert_int_equal(d->aim_s, c->should_s);
        assert_int_equal(d->limit_s, c->must_s);
        assert_string_equal(d->id + strlen("revoke-"), name);
    }
    for (size_t i = 0; i < incident_duty_count; i++) {
        of_causes += incident_duties[i].cause[0] != 0 ? 1 : 0;
    }
    assert_int_equal(of_causes, ca_cause_count);
    assert_null(incident_duty_for_cause(LT_LIT("tls/coffee"), at("2026-11-22T00:00:00Z")));
    assert_null(incident_duty_for_cause(LT_LIT(""), at("2026-11-22T00:00:00Z")));
}

static void same_as_freshness(void **state)
{
    (void)state;
    static const struct {
        const char *id;
        enum ca_fresh_kind kind;
    } rows[] = {
        {"crl", CA_FRESH_CRL},
        {"crl-with-ocsp", CA_FRESH_CRL_WITH_OCSP},
        {"crl-of-cas", CA_FRESH_CRL_OF_CAS},
        {"crl-entry", CA_FRESH_ENTRY},
        {"crl-first", CA_FRESH_FIRST},
        {"ocsp-first", CA_FRESH_ANSWER},
        {"ocsp-update", CA_FRESH_ANSWER_UPDATE},
    };
    static const char *const days[] = {"2023-01-01T00:00:00Z", "2024-03-15T00:00:00Z",
                                       "2026-11-22T00:00:00Z"};
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        for (size_t k = 0; k < LT_COUNT(days); k++) {
            const struct incident_duty *d = incident_duty_at(lt_slice_cstr(rows[i].id), at(days[k]));
            const struct ca_fresh_rule *r = ca_fresh_rule_at(rows[i].kind, at(days[k]));
            assert_int_equal(d == NULL, r == NULL);
            assert_true(d == NULL || d->limit_s == r->limit_s);
        }
    }
}

/* ---- when clocks begin ---- */

static void sources(void **state)
{
    (void)state;
    static const struct {
        const char *source;
        const char *as_of;
        enum incident_instant at;
    } rows[] = {
        {"problem-report", "2020-02-29T00:00:00Z", INCIDENT_RECEIVED},
        {"problem-report", "2026-11-22T00:00:00Z", INCIDENT_RECEIVED},
        {"design-review", "2026-11-22T00:00:00Z", INCIDENT_CONFIRMED},
        {"pre-issuance-lint", "2026-11-22T00:00:00Z", INCIDENT_FOUND},
        {"post-issuance", "2024-06-01T00:00:00Z", INCIDENT_CONFIRMED},
        {"post-issuance", "2026-11-22T00:00:00Z", INCIDENT_FOUND},
        {"periodic-review", "2026-11-22T00:00:00Z", INCIDENT_FOUND},
        {"audit", "2024-06-01T00:00:00Z", INCIDENT_RECEIVED},
        {"audit", "2026-11-22T00:00:00Z", INCIDENT_RECEIVED},
        {"monitor", "2026-11-22T00:00:00Z", INCIDENT_FOUND},
        {"person", "2026-11-22T00:00:00Z", INCIDENT_FOUND},
    };
    const lt_time all[INCIDENT_INSTANTS] = {{1000}, {2000}, {3000}};
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        const struct incident_start *rule = NULL;
        lt_time start;
        assert_ok(incident_start_judge(lt_slice_cstr(rows[i].source), all, at(rows[i].as_of), &rule, &start));
        assert_int_equal(rule->at, rows[i].at);
        assert_int_equal(start.us, all[rows[i].at].us);
        assert_true(rule->words[0] != 0 && rule->section[0] != 0);
        lt_time none[INCIDENT_INSTANTS] = {{1000}, {2000}, {3000}};
        none[rows[i].at].us = 0; /* that instant has not come: nothing runs, whatever else is known */
        assert_fails(
            incident_start_judge(lt_slice_cstr(rows[i].source), none, at(rows[i].as_of), &rule, &start),
            LT_PEER_NOT_FOUND);
    }
}

static void sources_refused(void **state)
{
    (void)state;
    const lt_time all[INCIDENT_INSTANTS] = {{1000}, {2000}, {3000}};
    const struct incident_start *rule = NULL;
    lt_time start;
    static const char *const bad[] = {"", "rumour", "Problem-Report", "problem-report "};
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        assert_fails(
            incident_start_judge(lt_slice_cstr(bad[i]), all, at("2026-11-22T00:00:00Z"), &rule, &start),
            LT_PEER_MALFORMED);
    }
    assert_fails(incident_start_judge(LT_LIT("audit"), all, at("2010-01-01T00:00:00Z"), &rule, &start),
                 LT_PEER_MALFORMED);
}

/* ---- the record ---- */

static void recorded(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *as_of;
        const char *start;
        const char *aim; /* "": none */
        const char *due;
    } rows[] = {
        /* Five days then; since a check of CAA counts as validation, 24 hours. */
        {"le-caa-2020", "2020-02-29T03:08:00Z", "2020-02-29T03:08:00Z", "2020-03-01T03:08:00Z",
         "2020-03-05T03:08:00Z"},
        {"le-caa-2020", "2026-03-30T23:59:59Z", "2020-02-29T03:08:00Z", "2020-03-01T03:08:00Z",
         "2020-03-05T03:08:00Z"},
        {"le-caa-2020", "2026-11-22T00:00:00Z", "2020-02-29T03:08:00Z", "", "2020-03-01T03:08:00Z"},
        {"le-tls-alpn-2022", "2022-01-25T16:48:00Z", "2022-01-25T16:48:00Z", "2022-01-26T16:48:00Z",
         "2022-01-30T16:48:00Z"},
        {"le-tls-alpn-2022", "2026-11-22T00:00:00Z", "2022-01-25T16:48:00Z", "2022-01-26T16:48:00Z",
         "2022-01-30T16:48:00Z"},
        /* From what was public, not from when the CA was sure: 17 h 12 min earlier. */
        {"digicert-cname-2024", "2024-07-29T02:17:59Z", "2024-07-29T02:17:59Z", "", "2024-07-30T02:17:59Z"},
        {"digicert-cname-2024", "2026-11-22T00:00:00Z", "2024-07-29T02:17:59Z", "", "2024-07-30T02:17:59Z"},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        const struct incident_recorded *r = incident_recorded_find(lt_slice_cstr(rows[i].name));
        assert_non_null(r);
        lt_time instants[INCIDENT_INSTANTS];
        const struct incident_start *rule = NULL;
        lt_time start;
        incident_recorded_instants(r, instants);
        assert_ok(incident_start_judge(lt_slice_cstr(r->source), instants, at(rows[i].as_of), &rule, &start));
        assert_string_equal(text_of(start), rows[i].start);
        const struct incident_duty *d = incident_duty_for_cause(lt_slice_cstr(r->cause), at(rows[i].as_of));
        assert_non_null(d);
        struct incident_due due = incident_duty_due(d, start);
        assert_string_equal(due.aim.us == 0 ? "" : text_of(due.aim), rows[i].aim);
        assert_string_equal(text_of(due.due), rows[i].due);
    }
    assert_null(incident_recorded_find(LT_LIT("procert-2020")));
}

/* What the CA itself counted in 2024: 24 hours from 19:30. */
static void a_source_changes_the_deadline(void **state)
{
    (void)state;
    const struct incident_recorded *r = incident_recorded_find(LT_LIT("digicert-cname-2024"));
    lt_time instants[INCIDENT_INSTANTS];
    const struct incident_start *rule = NULL;
    lt_time start;
    assert_non_null(r);
    incident_recorded_instants(r, instants);
    assert_ok(
        incident_start_judge(LT_LIT("design-review"), instants, at("2024-07-29T00:00:00Z"), &rule, &start));
    assert_string_equal(text_of(lt_time_add_seconds(start, DAY)), "2024-07-30T19:30:00Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_are_there),
        cmocka_unit_test(every_row_is_whole),
        cmocka_unit_test(limits),
        cmocka_unit_test(same_as_causes),
        cmocka_unit_test(same_as_freshness),
        cmocka_unit_test(sources),
        cmocka_unit_test(sources_refused),
        cmocka_unit_test(recorded),
        cmocka_unit_test(a_source_changes_the_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
