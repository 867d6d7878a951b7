/* Drills that were held, and the calendar. */
#include "incident/drill.h"

#include <stdio.h>
#include <string.h>

#include "ca/body.h"
#include "ca/event.h"
#include "ca/scratch_book.h"
#include "incident/clock.h"
#include "incident/notice.h"

#define DUTY "mass-plan-test"

static const struct store_sql sql[] = {
    {"drill.next", "SELECT coalesce(max(id), 0) + 1 FROM drill"},
    {"drill.add",
     "INSERT INTO drill (id, scenario, kind, mode, seed, certificates, begun_us, ended_us, passed, missed, "
     "record_sha256, record, findings, date, recorded_us, recorded_by) "
     "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)"},
    {"drill.date-next", "SELECT coalesce(max(id), 0) + 1 FROM drill_date"},
    {"drill.date-add",
     "INSERT INTO drill_date (id, scenario, kind, owner, due_us, every_days, note, status, drill, late_us, "
     "made_us, made_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'planned', 0, 0, ?8, ?9)"},
    {"drill.date-get",
     "SELECT scenario, kind, owner, due_us, every_days, note, status FROM drill_date WHERE id = ?1"},
    {"drill.date-held",
     "UPDATE drill_date SET status = 'held', drill = ?2 WHERE id = ?1 AND status = 'planned'"},
    {"drill.date-drop", "UPDATE drill_date SET status = 'dropped' WHERE id = ?1 AND status = 'planned'"},
    {"drill.date-late", "SELECT id, scenario, owner, due_us FROM drill_date "
                        "WHERE status = 'planned' AND due_us <= ?1 AND late_us = 0 ORDER BY due_us LIMIT 20"},
    {"drill.date-told", "UPDATE drill_date SET late_us = ?2 WHERE id = ?1"},
    {"drill.beat", "INSERT INTO meta (key, value) VALUES ('drill.beat', ?1) "
                   "ON CONFLICT (key) DO UPDATE SET value = excluded.value"},
};
enum {
    SQL_NEXT,
    SQL_ADD,
    SQL_DATE_NEXT,
    SQL_DATE_ADD,
    SQL_DATE_GET,
    SQL_DATE_HELD,
    SQL_DATE_DROP,
    SQL_DATE_LATE,
    SQL_DATE_TOLD,
    SQL_BEAT,
};
static const struct incident_sql own_sql = {sql, LT_COUNT(sql)};

enum { SUBJECT_SIZE = 40, DAY_S = 86400 };

static lt_res next_id(struct ca_turn *t, size_t statement, int64_t *ret_id)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &sql[statement], STORE_NO_ARGS, &rows));
    *ret_id = store_next(&rows) ? store_int(&rows, 0) : 1;
    return store_rows_end(&rows);
}

static bool is_kind(const char *word)
{
    static const char *const kinds[] = {"simulation", "tabletop", "rehearsal"};
    for (size_t i = 0; i < LT_COUNT(kinds); i++) {
        if (strcmp(kinds[i], word) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- the calendar ---- */

struct date {
    int64_t id;
    const char *scenario;
    const char *kind;
    const char *owner;
    lt_time due;
    int64_t every_days;
    const char *note;
    const char *by;
    lt_slice jws;
};

static lt_res add_date(struct ca_turn *t, struct date *d)
{
    struct ca_body body;
    char subject[SUBJECT_SIZE];
    LT_TRY(next_id(t, SQL_DATE_NEXT, &d->id));
    LT_TRY(store_exec(t->store, &sql[SQL_DATE_ADD],
                      STORE_ARGS(STORE_I(d->id), STORE_S(d->scenario), STORE_S(d->kind), STORE_S(d->owner),
                                 STORE_I(d->due.us), STORE_I(d->every_days), STORE_S(d->note),
                                 STORE_I(t->now.us), STORE_S(d->by)),
                      NULL));
    (void)snprintf(subject, sizeof subject, "drill-date %lld", (long long)d->id);
    ca_body_init(&body);
    ca_body_str(&body, "scenario", d->scenario);
    ca_body_str(&body, "kind", d->kind);
    ca_body_str(&body, "owner", d->owner);
    ca_body_time(&body, "due", d->due);
    ca_body_int(&body, "every_days", d->every_days);
    ca_body_str(&body, "note", d->note);
    ca_body_str(&body, "by", d->by);
    LT_TRY(ca_body_event(&body, t, "drill.planned", subject, d->jws));
    const struct incident_clock_start start = {DUTY, subject, t->now, "drill.planned"};
    int64_t clock = 0;
    LT_TRY(incident_clock_open(t, &start, &clock));
    return incident_clock_until(t, subject, DUTY, d->due, "as the calendar of drills has it");
}

static lt_res run_date(struct incident_call *c)
{
    struct ca_body body;
    struct date d = {
        .scenario = incident_text(c, "scenario"),
        .kind = incident_text(c, "kind"),
        .owner = incident_text(c, "owner"),
        .due = {incident_number(c, "due")},
        .every_days = incident_number(c, "every-days"),
        .note = incident_text(c, "note"),
        .by = c->by,
        .jws = c->jws,
    };
    LT_CHECK(is_kind(d.kind), LT_PEER_USAGE,
             "a drill is a simulation, a tabletop or a rehearsal, no \"%.40s\"", d.kind);
    LT_CHECK(d.owner[0] != 0, LT_PEER_USAGE, "a drill without an owner is held by nobody");
    LT_CHECK(d.due.us > c->t->now.us, LT_PEER_USAGE, "the day is over");
    LT_TRY(add_date(c->t, &d));
    ca_body_init(&body);
    ca_body_int(&body, "id", d.id);
    ca_body_time(&body, "due", d.due);
    return ca_body_cstr(&body, c->t->arena, &c->json);
}

static lt_res run_drop(struct incident_call *c)
{
    int64_t id = 0;
    int64_t changed = 0;
    struct ca_body body;
    char subject[SUBJECT_SIZE];
    LT_TRY(incident_id(c, &id));
    LT_TRY(store_exec(c->t->store, &sql[SQL_DATE_DROP], STORE_ARGS(STORE_I(id)), &changed));
    LT_CHECK(changed == 1, LT_PEER_NOT_FOUND, "no drill is planned as %lld", (long long)id);
    (void)snprintf(subject, sizeof subject, "drill-date %lld", (long long)id);
    LT_TRY(incident_clock_void(c->t, subject, DUTY, incident_text(c, "why")));
    ca_body_init(&body);
    ca_body_str(&body, "why", incident_text(c, "why"));
    ca_body_str(&body, "by", c->by);
    LT_TRY(ca_body_event(&body, c->t, "drill.dropped", subject, c->jws));
    ca_body_init(&body);
    ca_body_int(&body, "id", id);
    return ca_body_cstr(&body, c->t->arena, &c->json);
}

/* The date was kept: its clock is met, and where it comes again the next one is planned. */
static lt_res keep_date(struct incident_call *c, int64_t date, int64_t drill)
{
    struct store_rows rows;
    struct ca_turn *t = c->t;
    struct date next = {.by = c->by, .jws = c->jws};
    int64_t changed = 0;
    char subject[SUBJECT_SIZE];
    char evidence[SUBJECT_SIZE];
    LT_TRY(store_query(t->store, &sql[SQL_DATE_GET], STORE_ARGS(STORE_I(date)), &rows));
    if (store_next(&rows)) {
        next.scenario = lt_arena_cstr(t->arena, store_bytes(&rows, 0));
        next.kind = lt_arena_cstr(t->arena, store_bytes(&rows, 1));
        next.owner = lt_arena_cstr(t->arena, store_bytes(&rows, 2));
        next.every_days = store_int(&rows, 4);
        next.note = lt_arena_cstr(t->arena, store_bytes(&rows, 5));
    }
    LT_TRY(store_rows_end(&rows));
    LT_TRY(store_exec(t->store, &sql[SQL_DATE_HELD], STORE_ARGS(STORE_I(date), STORE_I(drill)), &changed));
    LT_CHECK(changed == 1, LT_PEER_NOT_FOUND, "no drill is planned as %lld", (long long)date);
    (void)snprintf(subject, sizeof subject, "drill-date %lld", (long long)date);
    (void)snprintf(evidence, sizeof evidence, "drill %lld", (long long)drill);
    LT_TRY(incident_clock_meet(t, subject, DUTY, t->now, evidence));
    if (next.every_days == 0) {
        return LT_OK;
    }
    LT_CHECK(next.scenario != NULL && next.kind != NULL && next.owner != NULL && next.note != NULL,
             LT_RETRY_UNAVAILABLE, "too much at once");
    next.due = lt_time_add_seconds(t->now, next.every_days * DAY_S);
    return add_date(t, &next);
}

/* ---- what was held ---- */

static lt_res check_record(const struct incident_call *c)
{
    int64_t begun = incident_number(c, "begun");
    int64_t ended = incident_number(c, "ended");
    LT_CHECK(is_kind(incident_text(c, "kind")), LT_PEER_USAGE,
             "a drill is a simulation, a tabletop or a rehearsal, no \"%.40s\"", incident_text(c, "kind"));
    LT_CHECK(begun > 0 && ended >= begun, LT_PEER_USAGE, "it ended before it began");
    LT_CHECK(incident_data(c, "sha256").len == 32, LT_PEER_USAGE, "sha256 is no SHA-256");
    LT_CHECK(incident_number(c, "passed") == 0 || incident_text(c, "missed")[0] == 0, LT_PEER_USAGE,
             "it passed, or it missed something");
    return LT_OK;
}

static lt_res record_event(struct incident_call *c, const char *subject)
{
    struct ca_body body;
    ca_body_init(&body);
    ca_body_str(&body, "scenario", incident_text(c, "scenario"));
    ca_body_str(&body, "kind", incident_text(c, "kind"));
    ca_body_str(&body, "mode", incident_text(c, "mode"));
    ca_body_int(&body, "seed", incident_number(c, "seed"));
    ca_body_int(&body, "certificates", incident_number(c, "certificates"));
    ca_body_time(&body, "begun", (lt_time){incident_number(c, "begun")});
    ca_body_time(&body, "ended", (lt_time){incident_number(c, "ended")});
    ca_body_bool(&body, "passed", incident_number(c, "passed") != 0);
    ca_body_str(&body, "missed", incident_text(c, "missed"));
    ca_body_hex(&body, "record_sha256", incident_data(c, "sha256"));
    ca_body_str(&body, "findings", incident_text(c, "findings"));
    ca_body_int(&body, "date", incident_number(c, "date"));
    ca_body_str(&body, "by", c->by);
    return ca_body_event(&body, c->t, "drill.recorded", subject, c->jws);
}

static lt_res run_record(struct incident_call *c)
{
    int64_t id = 0;
    struct ca_turn *t = c->t;
    struct ca_body body;
    char subject[SUBJECT_SIZE];
    LT_TRY(check_record(c));
    LT_TRY(next_id(t, SQL_NEXT, &id));
    LT_TRY(store_exec(
        t->store, &sql[SQL_ADD],
        STORE_ARGS(STORE_I(id), STORE_S(incident_text(c, "scenario")), STORE_S(incident_text(c, "kind")),
                   STORE_S(incident_text(c, "mode")), STORE_I(incident_number(c, "seed")),
                   STORE_I(incident_number(c, "certificates")), STORE_I(incident_number(c, "begun")),
                   STORE_I(incident_number(c, "ended")), STORE_I(incident_number(c, "passed") != 0),
                   STORE_S(incident_text(c, "missed")), STORE_B(incident_data(c, "sha256")),
                   STORE_S(incident_text(c, "record")), STORE_S(incident_text(c, "findings")),
                   STORE_I(incident_number(c, "date")), STORE_I(t->now.us), STORE_S(c->by)),
        NULL));
    (void)snprintf(subject, sizeof subject, "drill %lld", (long long)id);
    LT_TRY(record_event(c, subject));
    /*= CABF-BR 5.7.1.2 "The CA SHALL annually test, review, and update its plan and such procedures." */
    LT_TRY(incident_clock_happened(t, "plan.tested", "ca", t->now, subject));
    if (incident_number(c, "date") != 0) {
        LT_TRY(keep_date(c, incident_number(c, "date"), id));
    }
    ca_body_init(&body);
    ca_body_int(&body, "id", id);
    return ca_body_cstr(&body, t->arena, &c->json);
}

/* ---- what is due ---- */

static lt_res tell_late(struct ca_turn *t, int64_t id, const char *scenario, const char *owner,
                        int64_t due_us)
{
    struct ca_body body;
    char subject[SUBJECT_SIZE];
    char words[400];
    LT_TRY(store_exec(t->store, &sql[SQL_DATE_TOLD], STORE_ARGS(STORE_I(id), STORE_I(t->now.us)), NULL));
    (void)snprintf(subject, sizeof subject, "drill-date %lld", (long long)id);
    ca_body_init(&body);
    ca_body_str(&body, "scenario", scenario);
    ca_body_str(&body, "owner", owner);
    ca_body_time(&body, "due", (lt_time){due_us});
    LT_TRY(ca_body_event(&body, t, "drill.late", subject, LT_SLICE(NULL, 0)));
    (void)snprintf(words, sizeof words, "the drill %s of %.200s was not held",
                   scenario[0] == 0 ? "of this year" : scenario, owner);
    return incident_page(t, "low", subject, words);
}

static lt_res look_for_late(struct ca_turn *t, bool *ret_more)
{
    struct store_rows rows;
    int64_t id = 0;
    int64_t due_us = 0;
    const char *scenario = NULL;
    const char *owner = NULL;
    LT_TRY(store_query(t->store, &sql[SQL_DATE_LATE], STORE_ARGS(STORE_I(t->now.us)), &rows));
    if (store_next(&rows)) {
        id = store_int(&rows, 0);
        scenario = lt_arena_cstr(t->arena, store_bytes(&rows, 1));
        owner = lt_arena_cstr(t->arena, store_bytes(&rows, 2));
        due_us = store_int(&rows, 3);
        *ret_more = *ret_more || store_next(&rows);
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(id == 0 || (scenario != NULL && owner != NULL), LT_RETRY_UNAVAILABLE, "too much at once");
    return id == 0 ? LT_OK : tell_late(t, id, scenario, owner, due_us);
}

/* Of a drill: that everything which was due at this time has had its turn. */
static lt_res say_beat(struct ca_turn *t)
{
    char at[32];
    if (lt_failed(ca_scratch_book_check(t->store, true))) {
        return LT_OK;
    }
    (void)snprintf(at, sizeof at, "%lld", (long long)t->now.us);
    return store_exec(t->store, &sql[SQL_BEAT], STORE_ARGS(STORE_S(at)), NULL);
}

static lt_res beat(struct incident_beat *b, bool *ret_more)
{
    LT_TRY(look_for_late(b->t, ret_more));
    LT_TRY(drill_rehearse_beat(b->t, ret_more));
    LT_TRY(drill_react_beat(b->t, ret_more));
    return say_beat(b->t);
}

static const struct incident_op ops[] = {
    {"drill.record", CA_ROLE_OPERATOR, run_record},
    {"drill.date", CA_ROLE_OPERATOR, run_date},
    {"drill.drop", CA_ROLE_OPERATOR, run_drop},
    {"drill.rehearse", CA_ROLE_OPERATOR, drill_rehearse},
    {"drill.rehearse-add", CA_ROLE_OPERATOR, drill_rehearse_add},
    {"drill.rehearse-end", CA_ROLE_OPERATOR, drill_rehearse_end},
    {"drill.react", CA_ROLE_OPERATOR, drill_react},
};
const struct incident_area incident_area_drill = {
    .name = "drill",
    .ops = {ops, LT_COUNT(ops)},
    .beat = beat,
    .sql = {&own_sql, &drill_rehearse_sql, &drill_react_sql},
};
