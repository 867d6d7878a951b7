/* Monitoring: each trigger with what makes it fire and what does not; passes in slices, findings that end,
 * and what is done about them. */
#include "book_rig.h"
#include "check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "ca/config.h"
#include "incident/watch.h"

#define PATH "/tmp/lintel-test-watch.db"
enum { HOUR = 3600, DAY = 86400, SQL_MAX = 2000 };
#define US LT_US_PER_SECOND

static const struct ca_config *config; /* of the passes; NULL: none */

static void remove_files(void)
{
    (void)remove(PATH);
    (void)remove(PATH "-wal");
    (void)remove(PATH "-shm");
}

static int set_up(void **state)
{
    struct rig *r = calloc(1, sizeof *r);
    assert_non_null(r);
    remove_files();
    config = NULL;
    assert_ok(rig_open(r, PATH, NULL, true));
    *state = r;
    return 0;
}

static int tear_down(void **state)
{
    rig_free(*state);
    remove_files();
    return 0;
}

/* ---- steps ---- */

/* Rows that only a test writes, with numbers put in: beside the store, as another program would. */
LT_PRINTF(2, 3) static void sql(struct rig *r, const char *format, ...)
{
    char text[SQL_MAX];
    sqlite3 *db = NULL;
    va_list args;
    (void)r;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    assert_true(n > 0 && n < SQL_MAX);
    assert_int_equal(sqlite3_open(PATH, &db), SQLITE_OK);
    if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK) {
        print_error("%s: %s\n", text, sqlite3_errmsg(db));
        fail();
    }
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

struct pass {
    const struct watch_row *row;
    bool more;
    size_t slices;
};

static lt_res step_run(struct rig *r, struct ca_turn *t, void *arg)
{
    struct pass *p = arg;
    (void)r;
    return watch_run(t, p->row->number, (lt_time){0});
}

static lt_res step_off(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    return watch_switch(t, *(const int64_t *)arg, false);
}

static lt_res step_on(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    return watch_switch(t, *(const int64_t *)arg, true);
}

static lt_res step_beat(struct rig *r, struct ca_turn *t, void *arg)
{
    struct pass *p = arg;
    struct incident_beat b = {.t = t, .config = config};
    (void)r;
    p->slices++;
    return watch_beat(&b, &p->more);
}

static lt_res step_run_from(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    return watch_run(t, *(const int64_t *)arg, (lt_time){US});
}

struct fact {
    const char *name;
    const char *value;
};

static lt_res step_fact(struct rig *r, struct ca_turn *t, void *arg)
{
    const struct fact *f = arg;
    (void)r;
    return watch_state(t, f->name, f->value, "ann");
}

static void fact(struct rig *r, const char *name, const char *value)
{
    struct fact f = {name, value};
    assert_ok(rig_run(r, step_fact, &f));
}

struct settled {
    int64_t number;
    const char *subject;
};

static lt_res step_settle(struct rig *r, struct ca_turn *t, void *arg)
{
    const struct settled *s = arg;
    (void)r;
    return watch_settle(t, s->number, s->subject, "it was looked at");
}

/* Only this trigger looks; a whole pass. */
static void only(struct rig *r, int64_t number)
{
    for (size_t i = 0; i < watch_row_count; i++) {
        int64_t n = watch_rows[i].number;
        assert_ok(rig_run(r, n == number ? step_on : step_off, &n));
    }
}

static void pass(struct rig *r, int64_t number)
{
    struct pass p = {.row = watch_row_by_number(number), .more = true};
    assert_non_null(p.row);
    r->now = lt_time_add_seconds(r->now, 1);
    assert_ok(rig_run(r, step_run, &p));
    while (p.more && p.slices < 200) {
        assert_ok(rig_run(r, step_beat, &p));
    }
    assert_true(p.slices < 200);
}

static int64_t findings(struct rig *r, int64_t number)
{
    char text[200];
    (void)snprintf(text, sizeof text, "SELECT count(*) FROM watch_finding WHERE trigger_id = %lld",
                   (long long)number);
    return rig_number(r, text);
}

/* After a pass there are so many findings. */
static void expect(struct rig *r, int64_t number, int64_t count)
{
    pass(r, number);
    if (findings(r, number) != count) {
        print_error("trigger %lld\n", (long long)number);
    }
    assert_int_equal(findings(r, number), count);
}

static int64_t count_events(struct rig *r, const char *kind)
{
    char text[200];
    (void)snprintf(text, sizeof text, "SELECT count(*) FROM event WHERE kind = '%s'", kind);
    return rig_number(r, text);
}

/* A certificate that is only a row: issuer 2, as the rig has it. */
struct row {
    unsigned serial;
    int64_t issued_us;
    int64_t not_after_us;
    int64_t sequence;
    int64_t order;
    int64_t validation_us;
    int64_t caa_us;
};

static void certificate(struct rig *r, const struct row *c)
{
    sql(r,
        "INSERT INTO certificate (issuer, serial, copy, kind, profile, sha256, spki_sha256, key_type, "
        "key_bits, "
        "not_before_us, not_after_us, issued_us, account, order_id, name_set_sha256, name_count, rule_set, "
        "build, "
        "delivered, worst_method, worst_dimension, oldest_validation_us, oldest_caa_us, least_quorum, shard, "
        "sequence) "
        "VALUES (2, x'%08x', 0, 'x509', 1, x'%08x', x'%08x', 2, 256, %lld, %lld, %lld, %lld, %lld, x'00', 1, "
        "'', '', "
        "1, '', 0, %lld, %lld, 0, 0, %lld)",
        c->serial, c->serial, c->serial, (long long)c->issued_us, (long long)c->not_after_us,
        (long long)c->issued_us, (long long)c->order, (long long)c->order, (long long)c->validation_us,
        (long long)c->caa_us, (long long)c->sequence);
}

static struct row live(const struct rig *r, unsigned serial)
{
    return (struct row){.serial = serial,
                        .issued_us = lt_time_add_seconds(r->now, -HOUR).us,
                        .not_after_us = lt_time_add_seconds(r->now, 60 * DAY).us,
                        .sequence = 1};
}

static void revoke(struct rig *r, unsigned serial, int64_t recorded_us)
{
    sql(r,
        "INSERT INTO revocation (issuer, shard, serial, reason, revoked_us, recorded_us, not_after_us, "
        "by_whom, "
        "sequence) VALUES (2, 0, x'%08x', 4, %lld, %lld, %lld, 'test', 1)",
        serial, (long long)recorded_us, (long long)recorded_us,
        (long long)lt_time_add_seconds(r->now, 60 * DAY).us);
}

static void crl(struct rig *r, unsigned number, int64_t age_s, int64_t life_s, int64_t entries)
{
    int64_t from_us = lt_time_add_seconds(r->now, -age_s).us;
    sql(r,
        "INSERT INTO crl (issuer, shard, number, this_update_us, next_update_us, entries, sha256, sequence) "
        "VALUES (2, 0, x'%016x', %lld, %lld, %lld, x'00', 1)",
        number, (long long)from_us, (long long)(from_us + life_s * US), (long long)entries);
}

/* ---- 4, 13: what linters find ---- */

static void finding_row(struct rig *r, const char *rule, unsigned serial, const char *result)
{
    sql(r,
        "INSERT INTO certificate_finding (rule, issuer, serial, copy, result, found_us) VALUES ('%s', 2, "
        "x'%08x', 0, "
        "'%s', 1)",
        rule, serial, result);
}

static void lint_findings(void **state)
{
    struct rig *r = *state;
    struct row c = live(r, 1);
    only(r, 4);
    certificate(r, &c);
    c = live(r, 2);
    c.not_after_us = lt_time_add_seconds(r->now, -DAY).us;
    certificate(r, &c);
    c = live(r, 3);
    certificate(r, &c);
    revoke(r, 3, r->now.us);
    finding_row(r, "e_one", 1, "warn");
    finding_row(r, "e_two", 2, "error");              /* expired */
    finding_row(r, "e_two", 3, "error");              /* revoked */
    finding_row(r, "lintel_br_key_roca", 1, "error"); /* of another trigger */
    expect(r, 4, 0);
    finding_row(r, "e_two", 1, "error");
    expect(r, 4, 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM incident"), 1);
    expect(r, 4, 1); /* one case, one event */
    assert_int_equal(rig_number(r, "SELECT count(*) FROM incident"), 1);
    assert_int_equal(count_events(r, "watch.fired"), 1);
    revoke(r, 1, r->now.us);
    expect(r, 4, 0);
    assert_int_equal(count_events(r, "watch.cleared"), 1);
}

static void event_row(struct rig *r, const char *kind, int64_t at_us)
{
    sql(r,
        "INSERT INTO event (chain, sequence, time_us, kind, subject, body, hash) VALUES ('elsewhere', "
        "(SELECT coalesce(max(sequence), 0) + 1 FROM event WHERE chain = 'elsewhere'), %lld, '%s', 'x', "
        "'{}', x'00')",
        (long long)at_us, kind);
}

static void new_lint_rules(void **state)
{
    struct rig *r = *state;
    struct row c = live(r, 1);
    only(r, 4);
    certificate(r, &c);
    event_row(r, "lint.rules", r->now.us);
    expect(r, 4, 0); /* there is a day to look */
    r->now = lt_time_add_seconds(r->now, 25 * HOUR);
    expect(r, 4, 1);
    event_row(r, "lint.audit", r->now.us);
    expect(r, 4, 0);
}

static void weak_keys(void **state)
{
    struct rig *r = *state;
    struct row c = live(r, 1);
    only(r, 13);
    certificate(r, &c);
    finding_row(r, "e_two", 1, "error");
    fact(r, "weak-class/old", "swept: incident 3");
    expect(r, 13, 0);
    finding_row(r, "lintel_br_key_debian", 1, "error");
    expect(r, 13, 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM incident WHERE cause = 'key-computable'"), 1);
    fact(r, "weak-class/close-primes", "close primes");
    expect(r, 13, 2);
    fact(r, "weak-class/close-primes", "swept: none");
    revoke(r, 1, r->now.us);
    expect(r, 13, 0);
}

/* ---- 5, 6, 7: what was issued ---- */

static void issued_without_intent(void **state)
{
    struct rig *r = *state;
    only(r, 5);
    expect(r, 5, 0); /* from here on */
    assert_ok(rig_run(r, rig_plan, (void *)(uintptr_t) "a.example.com"));
    assert_ok(rig_answer(r, SIZE_MAX));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM certificate"), 1);
    r->now = lt_time_add_seconds(r->now, 60);
    struct row imported = live(r, 7);
    imported.issued_us = r->now.us;
    imported.sequence = 0;
    certificate(r, &imported);
    r->now = lt_time_add_seconds(r->now, 60);
    expect(r, 5, 0);
    struct row c = live(r, 1);
    c.issued_us = r->now.us;
    certificate(r, &c);
    expect(r, 5, 0); /* not before others have had time to commit */
    r->now = lt_time_add_seconds(r->now, 60);
    expect(r, 5, 1);
    expect(r, 5, 1); /* it stays until somebody settles it */
    struct settled s = {5, "certificate tls 00000001"};
    assert_fails(rig_run(r, step_settle, &s), LT_PEER_NOT_FOUND);
    s.subject = "certificate workload 00000001";
    assert_ok(rig_run(r, step_settle, &s));
    assert_int_equal(findings(r, 5), 0);
    r->book->alarmed = true;
    expect(r, 5, 1);
    r->book->alarmed = false;
}

static void old_evidence(void **state)
{
    struct rig *r = *state;
    struct row c = live(r, 1);
    only(r, 6);
    pass(r, 6);
    r->now = lt_time_add_seconds(r->now, 60);
    c.issued_us = r->now.us;
    c.order = 5;
    c.validation_us = lt_time_add_seconds(r->now, -9 * DAY).us;
    certificate(r, &c);
    c.serial = 2;
    c.order = 0; /* of our own services */
    c.validation_us = 0;
    certificate(r, &c);
    r->now = lt_time_add_seconds(r->now, 60);
    expect(r, 6, 0);
    c.issued_us = r->now.us;
    c.serial = 3;
    c.order = 6;
    certificate(r, &c); /* none at all */
    c.serial = 4;
    c.validation_us = lt_time_add_seconds(r->now, -400 * DAY).us;
    certificate(r, &c);
    r->now = lt_time_add_seconds(r->now, 60);
    expect(r, 6, 2);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM incident"), 1);
    /* Once more from the beginning: what was found is known, and so is its case. */
    int64_t number = 6;
    assert_ok(rig_run(r, step_run_from, &number));
    expect(r, 6, 2);
    assert_int_equal(rig_number(r, "SELECT looked FROM watch_run WHERE trigger_id = 6"), 4);
    assert_int_equal(rig_number(r, "SELECT incident FROM watch_run WHERE trigger_id = 6"), 1);
    number = 4; /* always looks at everything */
    assert_fails(rig_run(r, step_run_from, &number), LT_PEER_CONFLICT);
}

static void name_row(struct rig *r, unsigned serial, const char *name, int64_t authorization)
{
    sql(r,
        "INSERT INTO certificate_name (name, type, issuer, serial, copy, authorization_id) VALUES ('%s', "
        "'dns', 2, "
        "x'%08x', 0, %lld)",
        name, serial, (long long)authorization);
}

static void evidence_row(struct rig *r, int64_t authorization, int64_t checked_us, bool ok, bool caa)
{
    sql(r,
        "INSERT INTO evidence (authorization_id, checked_us, dimension, ok, identifier_type, identifier, "
        "dnssec, caa_us, "
        "statement) VALUES (%lld, %lld, 1, %d, 'dns', 'x', '', %lld, '')",
        (long long)authorization, (long long)checked_us, ok, (long long)(caa ? checked_us : 0));
}

/* One name was checked twice, the other not at all: the bug of 2020. */
static void caa_of_one_name(void **state)
{
    struct rig *r = *state;
    struct row c = live(r, 1);
    sql(r, "INSERT INTO dimension (id, method, rule_set, build, resolver, perspectives) VALUES (1, 'dns-01', "
           "'', '', '', "
           "'')");
    only(r, 7);
    pass(r, 7);
    r->now = lt_time_add_seconds(r->now, 60);
    c.issued_us = r->now.us;
    c.order = 5;
    c.caa_us = lt_time_add_seconds(r->now, -HOUR).us;
    certificate(r, &c);
    name_row(r, 1, "com.example.a", 100);
    name_row(r, 1, "com.example.b", 101);
    evidence_row(r, 100, c.caa_us, true, true);
    evidence_row(r, 101, c.caa_us, true, true);
    r->now = lt_time_add_seconds(r->now, 60);
    expect(r, 7, 0);
    c.serial = 2;
    c.issued_us = r->now.us;
    certificate(r, &c);
    name_row(r, 2, "com.example.a", 100);
    name_row(r, 2, "com.example.c", 102);
    evidence_row(r, 100, c.caa_us + 5, true, true);
    evidence_row(r, 102, c.caa_us, true, false); /* it was validated, and CAA not looked at */
    c.serial = 3;
    c.caa_us = lt_time_add_seconds(r->now, -9 * HOUR).us;
    certificate(r, &c); /* over eight hours old */
    r->now = lt_time_add_seconds(r->now, 60);
    expect(r, 7, 2);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM incident WHERE cause = 'caa-unreliable'"), 1);
}

/* ---- 8, 9, 11: CRLs ---- */

static void crls(void **state)
{
    struct rig *r = *state;
    static const struct {
        int64_t age_s;
        int64_t life_s;
        int64_t entries;
        int64_t before; /* entries of the one before */
        int64_t found;
    } rows[] = {
        {HOUR, 10 * DAY, 5, 5, 0},       {47 * HOUR, 10 * DAY, 5, 5, 0},
        {49 * HOUR, 10 * DAY, 5, 5, 1},                                 /* over half of four days */
        {HOUR, 2 * HOUR, 5, 5, 0},       {110 * 60, 2 * HOUR, 5, 5, 1}, /* near its own end */
        {HOUR, 10 * DAY, 40, 2000, 1},                                  /* most of it is gone */
        {HOUR, 10 * DAY, 1500, 2000, 0},
    };
    only(r, 8);
    sql(r, "DELETE FROM crl");
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        sql(r, "DELETE FROM crl");
        crl(r, 1, rows[i].age_s + HOUR, rows[i].life_s, rows[i].before);
        crl(r, 2, rows[i].age_s, rows[i].life_s, rows[i].entries);
        expect(r, 8, rows[i].found);
    }
}

static void crl_missing_or_not_met(void **state)
{
    struct rig *r = *state;
    struct row c = live(r, 1);
    only(r, 8);
    sql(r, "DELETE FROM crl");
    expect(r, 8, 0); /* no certificate, no CRL */
    certificate(r, &c);
    expect(r, 8, 0); /* one hour is early */
    r->now = lt_time_add_seconds(r->now, DAY);
    expect(r, 8, 1);
    crl(r, 2, HOUR, 10 * DAY, 0);
    expect(r, 8, 0);
    sql(r, "INSERT INTO crl_check (issuer, shard, number, published_us, tries, good, detail, bytes, took_us) "
           "VALUES (2, 0, "
           "x'02', 1, 1, 0, 'IDP is another', 100, 1000)");
    expect(r, 8, 0); /* it is tried again */
    sql(r, "UPDATE crl_check SET tries = 4");
    expect(r, 8, 1);
    sql(r, "UPDATE crl_check SET good = 1, took_us = 11000000");
    expect(r, 8, 1);
    sql(r, "UPDATE crl_check SET took_us = 9000000");
    expect(r, 8, 0);
}

static void revoked_not_on_crl(void **state)
{
    struct rig *r = *state;
    only(r, 9);
    sql(r, "DELETE FROM crl");
    crl(r, 1, 30 * HOUR, 10 * DAY, 0);
    revoke(r, 1, lt_time_add_seconds(r->now, -40 * HOUR).us); /* on it */
    revoke(r, 2, lt_time_add_seconds(r->now, -5 * HOUR).us);  /* there is time */
    expect(r, 9, 0);
    r->now = lt_time_add_seconds(r->now, 2 * HOUR);
    expect(r, 9, 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM watch_finding WHERE severity = 'low'"), 1);
    r->now = lt_time_add_seconds(r->now, 14 * HOUR); /* 21 hours: the next step */
    expect(r, 9, 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM watch_finding WHERE severity = 'high'"), 1);
    r->now = lt_time_add_seconds(r->now, 4 * HOUR);
    expect(r, 9, 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM watch_finding WHERE severity = 'critical'"), 1);
    assert_int_equal(count_events(r, "watch.fired"), 3);
    crl(r, 2, 60, 10 * DAY, 2);
    expect(r, 9, 0);
}

static void entries_removed_early(void **state)
{
    struct rig *r = *state;
    only(r, 11);
    sql(r, "DELETE FROM crl");
    crl(r, 1, 3 * DAY, 10 * DAY, 0);
    crl(r, 2, DAY, 10 * DAY, 0);
    expect(r, 11, 0); /* nothing is left out */
    sql(r, "INSERT INTO crl_kept (issuer, shard, number, kept_from_us) VALUES (2, 0, x'%016x', %lld)", 2U,
        (long long)lt_time_add_seconds(r->now, -4 * DAY).us);
    expect(r, 11, 0);
    sql(r, "UPDATE crl_kept SET kept_from_us = %lld", (long long)lt_time_add_seconds(r->now, -2 * DAY).us);
    expect(r, 11, 1);
}

static void responder_row(struct rig *r, const char *not_after)
{
    sql(r,
        "INSERT INTO event (chain, sequence, time_us, kind, subject, body, hash) VALUES ('elsewhere', "
        "(SELECT coalesce(max(sequence), 0) + 1 FROM event WHERE chain = 'elsewhere'), %lld, "
        "'responder.issued', "
        "'ocsp workload', '{\"not_after\":\"%s\"}', x'00')",
        (long long)r->now.us, not_after);
}

static void nobody_answers(void **state)
{
    struct rig *r = *state;
    struct ca_config_issuer issuers[] = {{.name = "workload", .ocsp = true}, {.name = "tls"}};
    struct ca_config c = {.issuers = issuers, .issuer_count = LT_COUNT(issuers)};
    struct row row = live(r, 1);
    char later[LT_RFC3339_SIZE];
    only(r, 10);
    config = &c;
    r->book->ocsp_told = lt_time_add_seconds(r->now, 30 * DAY); /* of that later */
    r->book->ocsp_answered = r->book->ocsp_told;
    expect(r, 10, 0); /* nothing was issued */
    row.issued_us = r->now.us;
    certificate(r, &row);
    expect(r, 10, 0); /* a quarter of an hour is allowed */
    r->now = lt_time_add_seconds(r->now, HOUR);
    expect(r, 10, 1);
    lt_time_rfc3339(lt_time_add_seconds(r->now, 10 * DAY), later);
    responder_row(r, later);
    expect(r, 10, 0);
    r->now = lt_time_add_seconds(r->now, 11 * DAY);
    expect(r, 10, 1);
    lt_time_rfc3339(lt_time_add_seconds(r->now, 10 * DAY), later);
    responder_row(r, later);
    r->book->ocsp_told = lt_time_add_seconds(r->now, -HOUR);
    expect(r, 10, 1); /* nobody says that answers are written */
    r->book->ocsp_told = r->now;
    r->book->ocsp_answered = r->now;
    expect(r, 10, 0);
    r->now = lt_time_add_seconds(r->now, 1200);
    r->book->ocsp_told = r->now;
    expect(r, 10, 0); /* it stands still, and nothing was issued */
    row.serial = 2;
    row.issued_us = lt_time_add_seconds(r->now, -1000).us;
    certificate(r, &row);
    expect(r, 10, 1);
    r->book->ocsp_answered = r->now;
    expect(r, 10, 0);
    issuers[0].ocsp = false;
    r->book->ocsp_told.us = 1;
    expect(r, 10, 0);
    config = NULL;
}

/* ---- 12: keys ---- */

static void blocked_keys(void **state)
{
    struct rig *r = *state;
    struct row c = live(r, 1);
    only(r, 12);
    certificate(r, &c);
    sql(r, "INSERT INTO key_block (spki_sha256, reason, source, blocked_us) VALUES (x'%08x', '', '', %lld)",
        9U, (long long)lt_time_add_seconds(r->now, -HOUR).us);
    expect(r, 12, 0); /* nobody has that key */
    sql(r, "INSERT INTO key_block (spki_sha256, reason, source, blocked_us) VALUES (x'%08x', '', '', %lld)",
        1U, (long long)r->now.us);
    expect(r, 12, 0); /* it is being revoked */
    r->now = lt_time_add_seconds(r->now, HOUR);
    expect(r, 12, 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM incident WHERE cause = 'key-compromise'"), 1);
    revoke(r, 1, r->now.us);
    expect(r, 12, 0);
}

/* ---- 15: our own reports ---- */

static void heartbeat(void **state)
{
    struct rig *r = *state;
    only(r, 15);
    expect(r, 15, 0); /* no channel */
    sql(r,
        "INSERT INTO problem_channel (name, minutes, added_us, added_by, removed_us) VALUES ('form', 10, "
        "%lld, 'ann', 0)",
        (long long)r->now.us);
    expect(r, 15, 0);
    sql(r,
        "INSERT INTO problem_probe (channel, token_sha256, sent_us, due_us, seen_us, alarmed_us) VALUES "
        "('form', x'01', "
        "%lld, %lld, 0, 0)",
        (long long)r->now.us, (long long)lt_time_add_seconds(r->now, 600).us);
    expect(r, 15, 0);
    r->now = lt_time_add_seconds(r->now, 700);
    expect(r, 15, 1); /* it did not come */
    sql(r, "UPDATE problem_probe SET seen_us = %lld", (long long)r->now.us);
    expect(r, 15, 0);
    r->now = lt_time_add_seconds(r->now, 27 * HOUR);
    expect(r, 15, 1); /* none was sent */
    sql(r, "UPDATE problem_channel SET removed_us = 1");
    expect(r, 15, 0);
}

/* ---- 16, 17, 19 ---- */

static void running_clocks(void **state)
{
    struct rig *r = *state;
    only(r, 16);
    sql(r, "INSERT INTO clock (id, duty, subject, start_us, evidence, force, section, aim_us, due_us, exact, "
           "opened_us, "
           "status, warned, met_us, proof) VALUES (1, 'irg-1', 'incident 1', 1, 'x', 'MUST', 'x', 0, 2, 1, "
           "1, 'open', 0, "
           "0, '')");
    expect(r, 16, 0);
    sql(r, "UPDATE clock SET warned = 50");
    expect(r, 16, 1);
    sql(r, "UPDATE clock SET warned = 100, status = 'breached'");
    expect(r, 16, 1);
    assert_int_equal(count_events(r, "watch.fired"), 2);
    sql(r, "UPDATE clock SET status = 'late', met_us = 3");
    expect(r, 16, 0);
}

static void cps_and_profile(void **state)
{
    struct rig *r = *state;
    char hex[2 * CA_HASH_LEN + 1] = "";
    const struct ca_profile *p = NULL;
    only(r, 17);
    expect(r, 17, 0); /* nobody has held it against anything */
    p = r->book->rows[0].profile;
    for (size_t i = 0; i < CA_HASH_LEN; i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", p->sha256[i]);
    }
    char name[100];
    (void)snprintf(name, sizeof name, "cps/%s", p->name);
    fact(r, name, hex);
    expect(r, 17, 0);
    fact(r, name, "0000");
    expect(r, 17, 1);
    fact(r, name, "");
    expect(r, 17, 0);
}

static void rules_that_come(void **state)
{
    struct rig *r = *state;
    only(r, 19);
    assert_ok(lt_time_parse(LT_LIT("2026-10-01T00:00:00Z"), &r->now));
    expect(r, 19, 0);
    assert_ok(lt_time_parse(LT_LIT("2027-01-15T00:00:00Z"), &r->now));
    pass(r, 19);
    assert_true(findings(r, 19) >= 1); /* 100 days of validity, in March */
    assert_ok(lt_time_parse(LT_LIT("2027-03-15T00:00:00Z"), &r->now));
    expect(r, 19, 0);
}

/* ---- 20 ---- */

static void issued_after_stop(void **state)
{
    struct rig *r = *state;
    only(r, 20);
    assert_ok(rig_run(r, rig_plan, (void *)(uintptr_t) "a.example.com"));
    assert_ok(rig_answer(r, SIZE_MAX));
    r->now = lt_time_add_seconds(r->now, 100);
    fact(r, "stopped/all", "as the board decided");
    expect(r, 20, 0);
    struct row responder = live(r, 0x7f000000);
    responder.issued_us = lt_time_add_seconds(r->now, 20).us;
    certificate(r, &responder);
    for (size_t i = 0; i < r->book->row_count; i++) {
        if (r->book->rows[i].profile->kind == CA_PROFILE_RESPONDER) {
            sql(r, "UPDATE certificate SET profile = %lld WHERE serial = x'7f000000'",
                (long long)r->book->rows[i].id);
        }
    }
    expect(r, 20, 0); /* who may answer by OCSP is no subscriber */
    sql(r, "DELETE FROM certificate WHERE serial = x'7f000000'");
    r->now = lt_time_add_seconds(r->now, 100);
    assert_ok(rig_run(r, rig_plan, (void *)(uintptr_t) "b.example.com"));
    assert_ok(rig_answer(r, SIZE_MAX));
    expect(r, 20, 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM halt WHERE kind = 'issuer' AND lifted_us IS NULL"),
                     1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM incident WHERE severity = 'critical'"), 1);
    assert_fails(rig_run(r, rig_plan, (void *)(uintptr_t) "c.example.com"), LT_POLICY_HALTED);
    fact(r, "stopped/all", "");
    expect(r, 20, 0);
    rig_audit(r);
}

/* ---- 21, 22, 23 ---- */

static void success_rates(void **state)
{
    struct rig *r = *state;
    int64_t before = ca_id_from(lt_time_add_seconds(r->now, -2 * DAY));
    int64_t after = ca_id_from(lt_time_add_seconds(r->now, -HOUR));
    sql(r, "INSERT INTO dimension (id, method, rule_set, build, resolver, perspectives) VALUES (1, 'dns-01', "
           "'', '', '', "
           "'')");
    only(r, 21);
    for (int i = 0; i < 60; i++) {
        evidence_row(r, before + i, 1, i % 10 != 0, false); /* nine of ten */
    }
    expect(r, 21, 0); /* nothing to hold it against */
    for (int i = 0; i < 60; i++) {
        evidence_row(r, after + i, 1, i % 10 != 0, false);
    }
    expect(r, 21, 0);
    sql(r, "UPDATE evidence SET ok = 0 WHERE authorization_id >= %lld", (long long)after);
    expect(r, 21, 1);
    sql(r, "DELETE FROM evidence WHERE authorization_id >= %lld", (long long)(after + 10));
    expect(r, 21, 0); /* ten of seventy are no step */
}

static void ari_coverage(void **state)
{
    struct rig *r = *state;
    only(r, 22);
    for (unsigned i = 1; i <= 60; i++) {
        struct row c = live(r, i);
        c.issued_us = lt_time_add_seconds(r->now, -2 * DAY).us;
        certificate(r, &c);
    }
    expect(r, 22, 0); /* no plan */
    fact(r, "plan/ari-coverage", "50");
    expect(r, 22, 1);
    sql(r, "INSERT INTO certificate_poll (issuer, serial, polls, first_us, last_us, client) SELECT issuer, "
           "serial, 1, 1, 1, "
           "'' FROM certificate WHERE serial <= x'0000001e'");
    expect(r, 22, 0);
    fact(r, "plan/ari-coverage", "many");
    expect(r, 22, 0);
}

static void bounced_contacts(void **state)
{
    struct rig *r = *state;
    only(r, 23);
    sql(r, "INSERT INTO contact (account, address, verified_us, verified_by, bounced_us, bounce) VALUES (5, "
           "'a@example.com', "
           "10, '', 5, 'old'), (6, 'b@example.com', 10, '', 0, '')");
    expect(r, 23, 0);
    sql(r, "UPDATE contact SET bounced_us = 20, bounce = '550 no such user' WHERE account = 6");
    expect(r, 23, 1);
    sql(r, "UPDATE contact SET verified_us = 30 WHERE account = 6");
    expect(r, 23, 0);
}

/* ---- 24 ---- */

static void drift(void **state)
{
    struct rig *r = *state;
    only(r, 24);
    expect(r, 24, 0);
    sql(r, "UPDATE host SET seen_us = %lld WHERE id = 1", (long long)lt_time_add_seconds(r->now, 10).us);
    expect(r, 24, 1);
    sql(r, "UPDATE host SET seen_us = 0 WHERE id = 1");
    expect(r, 24, 0);
    event_row(r, "x.y", lt_time_add_seconds(r->now, HOUR).us);
    expect(r, 24, 1);
}

/* ---- passes ---- */

static void switched_off(void **state)
{
    struct rig *r = *state;
    struct pass p = {.row = watch_row_by_number(23)};
    int64_t number = 23;
    int64_t none = 14;
    assert_ok(rig_run(r, step_off, &number));
    assert_fails(rig_run(r, step_run, &p), LT_PEER_CONFLICT);
    assert_fails(rig_run(r, step_off, &none), LT_PEER_NOT_FOUND);
    assert_null(watch_row_by_number(1));
    struct settled s = {23, "account 6 b@example.com"};
    assert_fails(rig_run(r, step_settle, &s), LT_PEER_NOT_FOUND);
}

/* More than a slice: all are found, in one case, and forgotten in slices as well. */
static void in_slices(void **state)
{
    struct rig *r = *state;
    only(r, 23);
    for (int i = 0; i < 6; i++) {
        sql(r,
            "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99) INSERT INTO "
            "contact (account, "
            "address, verified_us, verified_by, bounced_us, bounce) SELECT %d + i, 'a@example.com', 0, '', "
            "5, 'gone' FROM n",
            i * 100 + 1);
    }
    expect(r, 23, 600);
    assert_int_equal(count_events(r, "watch.fired"), 600);
    sql(r, "UPDATE contact SET bounced_us = 0");
    expect(r, 23, 0);
    assert_int_equal(count_events(r, "watch.cleared"), 600);
}

/* So many that nobody reads them: the first thousand are told of, the rest is counted. */
static void too_many_to_tell(void **state)
{
    struct rig *r = *state;
    only(r, 23);
    sql(r, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500) INSERT INTO "
           "contact (account, "
           "address, verified_us, verified_by, bounced_us, bounce) SELECT i, 'a@example.com', 0, '', 5, "
           "'gone' FROM n");
    expect(r, 23, 1000);
    assert_int_equal(rig_number(r, "SELECT found FROM watch_run WHERE trigger_id = 23"), 1500);
    assert_int_equal(count_events(r, "watch.fired"), 1000);
    assert_int_equal(count_events(r, "watch.more"), 1);
    expect(r, 23, 1000); /* nor by the next pass */
    sql(r, "UPDATE contact SET bounced_us = 0");
    expect(r, 23, 0);
}

/* All of them look by themselves, and find nothing in a book where nothing is wrong. */
static void a_quiet_book(void **state)
{
    struct rig *r = *state;
    struct pass p = {.more = true};
    assert_ok(rig_run(r, rig_plan, (void *)(uintptr_t) "a.example.com"));
    assert_ok(rig_answer(r, SIZE_MAX));
    while (p.more && p.slices < 200) {
        assert_ok(rig_run(r, step_beat, &p));
    }
    assert_int_equal(rig_number(r, "SELECT count(*) FROM watch_run WHERE ended_us > 0"),
                     (int64_t)watch_row_count);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM watch_finding"), 0);
    rig_audit(r);
}

int main(void)
{
#define BOOK_TEST(f_) cmocka_unit_test_setup_teardown(f_, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        BOOK_TEST(lint_findings),
        BOOK_TEST(new_lint_rules),
        BOOK_TEST(weak_keys),
        BOOK_TEST(issued_without_intent),
        BOOK_TEST(old_evidence),
        BOOK_TEST(caa_of_one_name),
        BOOK_TEST(crls),
        BOOK_TEST(crl_missing_or_not_met),
        BOOK_TEST(revoked_not_on_crl),
        BOOK_TEST(entries_removed_early),
        BOOK_TEST(nobody_answers),
        BOOK_TEST(blocked_keys),
        BOOK_TEST(heartbeat),
        BOOK_TEST(running_clocks),
        BOOK_TEST(cps_and_profile),
        BOOK_TEST(rules_that_come),
        BOOK_TEST(issued_after_stop),
        BOOK_TEST(success_rates),
        BOOK_TEST(ari_coverage),
        BOOK_TEST(bounced_contacts),
        BOOK_TEST(drift),
        BOOK_TEST(switched_off),
        BOOK_TEST(in_slices),
        BOOK_TEST(too_many_to_tell),
        BOOK_TEST(a_quiet_book),
    };
    return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
