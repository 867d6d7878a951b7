/* Clocks of duties: begun, warned of, met or breached; rows of the book. */
#include "incident/clock.h"

#include <string.h>

#include "ca/body.h"
#include "ca/event.h"
#include "incident/clock_beat.h"
#include "incident/notice.h"

static const struct store_sql sql[] = {
    {"clock.last", "SELECT coalesce(max(id), 0) FROM clock"},
    {"clock.find", "SELECT id FROM clock WHERE duty = ?1 AND subject = ?2 AND start_us = ?3"},
    {"clock.add",
     "INSERT INTO clock (id, duty, subject, start_us, evidence, force, section, aim_us, due_us, exact, "
     "opened_us, status, warned, next_us, met_us, proof) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, "
     "?11, 'open', 0, ?12, 0, '')"},
    {"clock.running",
     "SELECT id, duty, subject, start_us, aim_us, due_us, exact, force, section, status, warned FROM clock "
     "WHERE duty = ?1 AND subject = ?2 AND met_us = 0 AND status <> 'void' ORDER BY start_us LIMIT 100"},
    {"clock.due",
     "SELECT id, duty, subject, start_us, aim_us, due_us, exact, force, section, status, warned FROM clock "
     "WHERE next_us <= ?1 ORDER BY next_us LIMIT 50"},
    {"clock.end", "UPDATE clock SET status = ?2, met_us = ?3, proof = ?4, next_us = NULL WHERE id = ?1"},
    {"clock.look", "UPDATE clock SET status = ?2, warned = ?3, next_us = ?4 WHERE id = ?1"},
    {"clock.until",
     "UPDATE clock SET aim_us = 0, due_us = ?2, exact = 1, warned = 0, status = 'open', next_us = ?3 "
     "WHERE id = ?1"},
    {"clock.tightest", "SELECT due_us FROM clock WHERE subject = ?1 AND met_us = 0 AND status <> 'void' "
                       "ORDER BY due_us LIMIT 1"},
    {"clock.get", "SELECT id, duty, subject, start_us, aim_us, due_us, exact, force, section, status, warned "
                  "FROM clock WHERE id = ?1"},
    {"clock.again", "UPDATE clock SET status = ?2, warned = 0, next_us = start_us, proof = '' WHERE id = ?1"},
};
enum {
    SQL_LAST,
    SQL_FIND,
    SQL_ADD,
    SQL_RUNNING,
    SQL_DUE,
    SQL_END,
    SQL_LOOK,
    SQL_UNTIL,
    SQL_TIGHTEST,
    SQL_GET,
    SQL_AGAIN,
};
const struct incident_sql incident_clock_sql = {sql, LT_COUNT(sql)};

enum { AT_ONCE = 50, RUNNING_MAX = 100, SLICE_US = 15000 };

/* Of its time, in percent, at which somebody is told; the time that should be kept is one more. */
static const int64_t steps[] = {50, 75, 90, 100};
enum { CALL_FROM = 75, WAKE_FROM = 90 };

struct row {
    int64_t id;
    const char *duty;
    const char *subject;
    const char *force;
    const char *section;
    const char *status;
    lt_time start;
    lt_time aim;
    lt_time due;
    bool exact;
    int64_t warned;
};

/* ---- states ---- */

enum event { MET_IN_TIME, MET_LATE, PASSED, PASSED_OURS, VOIDED, AGAIN };
static const struct edge {
    const char *from;
    enum event event;
    const char *to;
    const char *kind; /* of the event in the book */
} edges[] = {
    {"open", MET_IN_TIME, "met", "clock.met"},
    {"open", MET_LATE, "late", "clock.late"}, /* nobody had looked at it between */
    {"open", PASSED, "breached", "clock.breached"},
    {"open", PASSED_OURS, "overdue", "clock.overdue"},
    {"open", VOIDED, "void", "clock.void"},
    /* What was done in time may be told later than its end. */
    {"breached", MET_IN_TIME, "met", "clock.met"},
    {"breached", MET_LATE, "late", "clock.late"},
    {"breached", VOIDED, "void", "clock.void"},
    {"overdue", MET_IN_TIME, "met", "clock.met"},
    {"overdue", MET_LATE, "late", "clock.late"},
    {"overdue", VOIDED, "void", "clock.void"},
    {"void", AGAIN, "open", "clock.reopened"}, /* it applies after all, from the same moment */
};

static const struct edge *edge_of(const char *from, enum event event)
{
    for (size_t i = 0; i < LT_COUNT(edges); i++) {
        if (strcmp(edges[i].from, from) == 0 && edges[i].event == event) {
            return &edges[i];
        }
    }
    return NULL;
}

bool incident_clock_edge(const char *from, size_t event, const char **ret_to)
{
    const struct edge *e = edge_of(from, (enum event)event);
    *ret_to = e == NULL ? NULL : e->to;
    return e != NULL;
}

/* ---- when it is looked at ---- */

static int64_t percent_of(const struct row *r, int64_t us)
{
    int64_t whole = r->due.us - r->start.us;
    return whole <= 0 ? 100 : (us - r->start.us) * 100 / whole;
}

static lt_time at_percent(const struct row *r, int64_t percent)
{
    return (lt_time){r->start.us + (r->due.us - r->start.us) / 100 * percent +
                     (r->due.us - r->start.us) % 100 * percent / 100};
}

/* 0: there is none. */
static int64_t aim_percent(const struct row *r)
{
    return r->aim.us == 0 ? 0 : percent_of(r, r->aim.us);
}

/* The last step that the clock has passed, and when the next comes; *ret_next .us 0: no more. */
static int64_t step_at(const struct row *r, lt_time now, lt_time *ret_next)
{
    int64_t passed = 0;
    int64_t aim = aim_percent(r);
    *ret_next = (lt_time){0};
    if (aim != 0 && r->aim.us <= now.us) {
        passed = aim;
    } else if (aim != 0) {
        *ret_next = r->aim;
    }
    for (size_t i = 0; i < LT_COUNT(steps); i++) {
        lt_time at = steps[i] == 100 ? r->due : at_percent(r, steps[i]);
        if (at.us <= now.us) {
            passed = passed > steps[i] ? passed : steps[i];
        } else if (ret_next->us == 0 || at.us < ret_next->us) {
            *ret_next = at;
        }
    }
    return passed;
}

/* ---- events ---- */

static void fill(struct ca_body *b, const struct row *r)
{
    ca_body_int(b, "clock", r->id);
    ca_body_str(b, "duty", r->duty);
    ca_body_str(b, "section", r->section);
    ca_body_str(b, "force", r->force);
    ca_body_time(b, "start", r->start);
    if (r->aim.us != 0) {
        ca_body_time(b, "aim", r->aim);
    }
    ca_body_time(b, "due", r->due);
    if (!r->exact) {
        ca_body_bool(b, "own_measure", true);
    }
}

static lt_res tell(struct ca_turn *t, const struct row *r, const char *kind, const char *name,
                   const char *words)
{
    struct ca_body b;
    ca_body_init(&b);
    fill(&b, r);
    if (name != NULL) {
        ca_body_str(&b, name, words);
    }
    return ca_body_event(&b, t, kind, r->subject, LT_SLICE(NULL, 0));
}

/* ---- opening ---- */

static lt_res one_int(struct ca_turn *t, const struct store_sql *q, const struct store_value *values,
                      size_t count, int64_t *ret_value)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, q, values, count, &rows));
    *ret_value = store_next(&rows) ? store_int(&rows, 0) : 0;
    return store_rows_end(&rows);
}

static lt_res add(struct ca_turn *t, const struct incident_clock_start *s, const struct incident_duty *duty,
                  int64_t *ret_id)
{
    struct incident_due due = incident_duty_due(duty, s->start);
    struct row r = {.duty = duty->id,
                    .subject = s->subject,
                    .force = duty->force,
                    .section = duty->section,
                    .start = s->start,
                    .aim = due.aim,
                    .due = due.due,
                    .exact = duty->exact};
    LT_TRY(one_int(t, &sql[SQL_LAST], STORE_NO_ARGS, &r.id));
    r.id++;
    /* The beat sees what is over already, and tells only of the last step. */
    LT_TRY(
        store_exec(t->store, &sql[SQL_ADD],
                   STORE_ARGS(STORE_I(r.id), STORE_S(r.duty), STORE_S(r.subject), STORE_I(r.start.us),
                              STORE_S(s->evidence), STORE_S(r.force), STORE_S(r.section), STORE_I(r.aim.us),
                              STORE_I(r.due.us), STORE_I(r.exact), STORE_I(t->now.us), STORE_I(r.start.us)),
                   NULL));
    *ret_id = r.id;
    return tell(t, &r, "clock.opened", "evidence", s->evidence);
}

static const char *kept(struct ca_turn *t, const struct store_rows *rows, int column)
{
    const char *text = lt_arena_cstr(t->arena, lt_slice_cstr(store_cstr(rows, column)));
    LT_ASSERT(text != NULL);
    return text;
}

static lt_res read_rows(struct ca_turn *t, const struct store_sql *q, const struct store_value *values,
                        size_t count, struct row *list, size_t most, size_t *ret_count)
{
    struct store_rows rows;
    size_t n = 0;
    LT_TRY(store_query(t->store, q, values, count, &rows));
    while (n < most && store_next(&rows)) {
        list[n++] = (struct row){.id = store_int(&rows, 0),
                                 .duty = kept(t, &rows, 1),
                                 .subject = kept(t, &rows, 2),
                                 .start = {store_int(&rows, 3)},
                                 .aim = {store_int(&rows, 4)},
                                 .due = {store_int(&rows, 5)},
                                 .exact = store_int(&rows, 6) != 0,
                                 .force = kept(t, &rows, 7),
                                 .section = kept(t, &rows, 8),
                                 .status = kept(t, &rows, 9),
                                 .warned = store_int(&rows, 10)};
    }
    *ret_count = n;
    return store_rows_end(&rows);
}

/* What was void and begins anew from the same moment runs from there: the beat tells of what passed
 * meanwhile. One that runs or is over stays as it is. */
static lt_res open_again(struct ca_turn *t, int64_t id, const char *evidence)
{
    struct row r;
    size_t count = 0;
    LT_TRY(read_rows(t, &sql[SQL_GET], STORE_ARGS(STORE_I(id)), &r, 1, &count));
    const struct edge *e = count == 0 ? NULL : edge_of(r.status, AGAIN);
    if (e == NULL) {
        return LT_OK;
    }
    LT_TRY(store_exec(t->store, &sql[SQL_AGAIN], STORE_ARGS(STORE_I(id), STORE_S(e->to)), NULL));
    return tell(t, &r, e->kind, "evidence", evidence);
}

lt_res incident_clock_open(struct ca_turn *t, const struct incident_clock_start *s, int64_t *ret_id)
{
    const struct incident_duty *duty = incident_duty_at(lt_slice_cstr(s->duty), s->start);
    *ret_id = 0;
    LT_CHECK(incident_duty_known(lt_slice_cstr(s->duty)), LT_PEER_MALFORMED, "there is no duty \"%.80s\"",
             s->duty);
    LT_CHECK(s->evidence != NULL && s->evidence[0] != '\0', LT_PEER_MALFORMED,
             "a clock needs evidence of its start");
    LT_CHECK(s->start.us > 0 && s->start.us <= t->now.us, LT_PEER_MALFORMED,
             "a clock cannot begin in the future, nor before 1970");
    if (duty == NULL) {
        return LT_OK; /* the rules of that day did not have it */
    }
    LT_TRY(one_int(t, &sql[SQL_FIND], STORE_ARGS(STORE_S(s->duty), STORE_S(s->subject), STORE_I(s->start.us)),
                   ret_id));
    return *ret_id != 0 ? open_again(t, *ret_id, s->evidence) : add(t, s, duty, ret_id);
}

/* ---- ending ---- */

static lt_res running(struct ca_turn *t, const char *subject, const char *duty, struct row **ret_list,
                      size_t *ret_count)
{
    *ret_list = LT_NEW_ARRAY(t->arena, struct row, RUNNING_MAX);
    LT_CHECK(*ret_list != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    return read_rows(t, &sql[SQL_RUNNING], STORE_ARGS(STORE_S(duty), STORE_S(subject)), *ret_list,
                     RUNNING_MAX, ret_count);
}

/* when .us 0: void. */
static lt_res end(struct ca_turn *t, const struct row *r, enum event event, lt_time when, const char *proof)
{
    const struct edge *e = edge_of(r->status, event);
    LT_CHECK(e != NULL, LT_STATE_CORRUPT, "a clock that is %s cannot end so", r->status);
    LT_TRY(store_exec(t->store, &sql[SQL_END],
                      STORE_ARGS(STORE_I(r->id), STORE_S(e->to), STORE_I(when.us), STORE_S(proof)), NULL));
    if (event == VOIDED) {
        return tell(t, r, e->kind, "why", proof);
    }
    struct ca_body b;
    ca_body_init(&b);
    fill(&b, r);
    ca_body_time(&b, "met", when);
    ca_body_int(&b, "margin_s", (r->due.us - when.us) / LT_US_PER_SECOND);
    ca_body_str(&b, "evidence", proof);
    return ca_body_event(&b, t, e->kind, r->subject, LT_SLICE(NULL, 0));
}

static lt_res meet_before(struct ca_turn *t, const char *subject, const char *duty, lt_time when,
                          const char *evidence, bool strictly)
{
    struct row *list = NULL;
    size_t count = 0;
    LT_CHECK(evidence != NULL && evidence[0] != '\0', LT_PEER_MALFORMED,
             "that a duty was met needs evidence");
    LT_CHECK(when.us <= t->now.us, LT_PEER_MALFORMED, "a duty cannot be met in the future");
    LT_TRY(running(t, subject, duty, &list, &count));
    for (size_t i = 0; i < count; i++) {
        const struct row *r = &list[i];
        if (r->start.us < when.us || (r->start.us == when.us && !strictly)) {
            LT_TRY(end(t, r, when.us <= r->due.us ? MET_IN_TIME : MET_LATE, when, evidence));
        }
    }
    return LT_OK;
}

lt_res incident_clock_meet(struct ca_turn *t, const char *subject, const char *duty, lt_time when,
                           const char *evidence)
{
    return meet_before(t, subject, duty, when, evidence, false);
}

lt_res incident_clock_void(struct ca_turn *t, const char *subject, const char *duty, const char *why)
{
    struct row *list = NULL;
    size_t count = 0;
    LT_CHECK(why != NULL && why[0] != '\0', LT_PEER_MALFORMED, "that a duty does not apply needs a reason");
    LT_TRY(running(t, subject, duty, &list, &count));
    for (size_t i = 0; i < count; i++) {
        LT_TRY(end(t, &list[i], VOIDED, (lt_time){0}, why));
    }
    return LT_OK;
}

lt_res incident_clock_until(struct ca_turn *t, const char *subject, const char *duty, lt_time due,
                            const char *why)
{
    struct row *list = NULL;
    size_t count = 0;
    LT_CHECK(why != NULL && why[0] != '\0', LT_PEER_MALFORMED, "another end of a clock needs a reason");
    LT_TRY(running(t, subject, duty, &list, &count));
    LT_CHECK(count != 0, LT_PEER_NOT_FOUND, "no clock of %.60s runs for %.60s", duty, subject);
    struct row r = list[count - 1];
    LT_CHECK(due.us > r.start.us, LT_PEER_MALFORMED, "a clock cannot end before it began");
    r.aim.us = 0;
    r.due = due;
    r.exact = true;
    LT_TRY(store_exec(t->store, &sql[SQL_UNTIL],
                      STORE_ARGS(STORE_I(r.id), STORE_I(due.us), STORE_I(r.start.us)), NULL));
    return tell(t, &r, "clock.moved", "why", why);
}

lt_res incident_clock_next(struct ca_turn *t, const char *subject, lt_time *ret_due)
{
    return one_int(t, &sql[SQL_TIGHTEST], STORE_ARGS(STORE_S(subject)), &ret_due->us);
}

lt_res incident_clock_happened(struct ca_turn *t, const char *kind, const char *subject, lt_time when,
                               const char *evidence)
{
    for (size_t i = 0; i < incident_duty_count; i++) {
        const struct incident_duty *d = &incident_duties[i];
        if (strcmp(d->met, kind) == 0) {
            LT_TRY(meet_before(t, subject, d->id, when, evidence, strcmp(d->on, kind) == 0));
        }
    }
    for (size_t i = 0; i < incident_duty_count; i++) {
        const struct incident_duty *d = &incident_duties[i];
        if (strcmp(d->on, kind) == 0 && incident_duty_in_force(d, when)) {
            int64_t id = 0;
            struct incident_clock_start s = {d->id, subject, when, evidence};
            LT_TRY(incident_clock_open(t, &s, &id));
        }
    }
    return LT_OK;
}

/* ---- what is due ---- */

static lt_res page(struct ca_turn *t, const struct row *r, int64_t percent)
{
    bool must = strcmp(r->force, "MUST") == 0 && r->exact;
    const char *severity = !must || percent < WAKE_FROM ? "low" : percent < 100 ? "high" : "critical";
    char due[LT_RFC3339_SIZE];
    lt_time_rfc3339(r->due, due);
    char *words = percent >= 100
                      ? lt_arena_printf(t->arena, "clock %lld of %s (%s) is over: it was due at %s",
                                        (long long)r->id, r->duty, r->section, due)
                      : lt_arena_printf(t->arena, "clock %lld of %s (%s) is at %lld %%: due at %s",
                                        (long long)r->id, r->duty, r->section, (long long)percent, due);
    LT_CHECK(words != NULL, LT_PEER_TOO_LARGE, "the message is over the limit");
    return incident_page(t, severity, r->subject, words);
}

static lt_res tell_step(struct ca_turn *t, const struct row *r, int64_t percent, const char *kind)
{
    struct ca_body b;
    ca_body_init(&b);
    fill(&b, r);
    ca_body_int(&b, "percent", percent);
    ca_body_int(&b, "left_s", (r->due.us - t->now.us) / LT_US_PER_SECOND);
    LT_TRY(ca_body_event(&b, t, kind, r->subject, LT_SLICE(NULL, 0)));
    return percent >= CALL_FROM ? page(t, r, percent) : LT_OK;
}

static lt_res look(struct ca_turn *t, const struct row *r)
{
    lt_time next;
    int64_t percent = step_at(r, t->now, &next);
    const struct edge *e = percent < 100 ? NULL : edge_of(r->status, r->exact ? PASSED : PASSED_OURS);
    LT_TRY(store_exec(t->store, &sql[SQL_LOOK],
                      STORE_ARGS(STORE_I(r->id), STORE_S(e == NULL ? r->status : e->to),
                                 STORE_I(percent > r->warned ? percent : r->warned),
                                 next.us == 0 ? STORE_N : STORE_I(next.us)),
                      NULL));
    if (percent <= r->warned) {
        return LT_OK;
    }
    return tell_step(t, r, percent,
                     e != NULL                   ? e->kind
                     : percent == aim_percent(r) ? "clock.aim-missed"
                                                 : "clock.warned");
}

lt_res incident_clock_beat(struct ca_turn *t, bool *ret_more)
{
    size_t count = 0;
    struct row *list = LT_NEW_ARRAY(t->arena, struct row, AT_ONCE);
    LT_CHECK(list != NULL, LT_PEER_TOO_LARGE, "the slice is over the limit");
    LT_TRY(read_rows(t, &sql[SQL_DUE], STORE_ARGS(STORE_I(t->now.us)), list, AT_ONCE, &count));
    for (size_t i = 0; i < count; i++) {
        LT_TRY(look(t, &list[i]));
    }
    *ret_more = count == AT_ONCE;
    return LT_OK;
}
