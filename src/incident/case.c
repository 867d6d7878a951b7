/* See case.h: rows and edges. */
#include "incident/case.h"

#include <string.h>

#include "base/text.h"
#include "ca/reasons.h"
#include "incident/case_internal.h"
#include "incident/clock.h"
#include "incident/duty.h"

#define COLUMNS                                                                                    \
    "id, status, since_us, title, source, cause, severity, restricted, drill, aware_us, must_us, " \
    "opened_us, opened_by, contained_us, scope_version, plan_version, late_us, closed_us"

static const struct store_sql sql[] = {
    {"incident.get", "SELECT " COLUMNS " FROM incident WHERE id = ?1"},
    {"incident.last", "SELECT coalesce(max(id), 0) FROM incident"},
    {"incident.add", "INSERT INTO incident (" COLUMNS ") VALUES (?1, 'detected', ?2, ?3, ?4, ?5, ?6, ?7, ?8, "
                     "?9, ?10, ?2, ?11, 0, 0, 0, 0, 0)"},
    {"incident.move", "UPDATE incident SET status = ?3, since_us = ?4, closed_us = ?5 "
                      "WHERE id = ?1 AND status = ?2"},
    {"incident.step-last", "SELECT step FROM incident_step WHERE incident = ?1 ORDER BY step DESC LIMIT 1"},
    {"incident.step-add", "INSERT INTO incident_step (incident, step, event, status, at_us, by_whom, words) "
                          "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"},
    {"incident.link", "INSERT INTO incident_problem (incident, problem, linked_us, linked_by) "
                      "VALUES (?1, ?2, ?3, ?4) ON CONFLICT (incident, problem) DO NOTHING"},
    {"incident.has-role", "SELECT role FROM incident_role WHERE holder = ?1 AND incident = ?2 AND "
                          "until_us = 0 LIMIT 1"},
    {"incident.contained", "UPDATE incident SET contained_us = ?2 WHERE id = ?1 AND contained_us = 0"},
    {"incident.scoped", "UPDATE incident SET scope_version = ?2 WHERE id = ?1"},
    {"incident.plan-of", "UPDATE incident SET plan_version = ?2 WHERE id = ?1"},
    {"incident.late", "UPDATE incident SET late_us = ?2 WHERE id = ?1 AND late_us = 0"},
    {"incident.scope-last", "SELECT version, text, as_of_us, count FROM incident_scope WHERE incident = ?1 "
                            "ORDER BY version DESC LIMIT 1"},
    {"incident.mass", "SELECT p.mass FROM incident_plan p JOIN incident i ON i.id = p.incident AND "
                      "i.plan_version = p.version WHERE p.incident = ?1"},
};
enum {
    SQL_GET,
    SQL_LAST,
    SQL_ADD,
    SQL_MOVE,
    SQL_STEP_LAST,
    SQL_STEP_ADD,
    SQL_LINK,
    SQL_HAS_ROLE,
    SQL_CONTAINED,
    SQL_SCOPED,
    SQL_PLANNED,
    SQL_LATE,
    SQL_SCOPE_LAST,
    SQL_MASS,
};
const struct incident_sql incident_case_sql = {sql, LT_COUNT(sql)};

/* Back edges are what really happens: a scope that was too small while others are revoked already, a question
 * while one thought to be learning, a bug that is opened again. */
const struct incident_case_edge incident_case_edges[] = {
    {"detected", "declare", "declared", "somebody takes it on"},
    {"detected", "contain", "contained", "what goes wrong is stopped first"},
    {"detected", "dismiss", "closed", "it was none"},
    {"declared", "contain", "contained", "the first halt is in force"},
    {"declared", "scope", "scoped", "nothing had to be stopped"},
    {"declared", "report", "reporting", "no certificate is affected"},
    {"declared", "dismiss", "closed", "it was none"},
    {"contained", "scope", "scoped", "the certificates are known and counted"},
    {"contained", "report", "reporting", "no certificate is affected"},
    {"scoped", "scope", "scoped", "a correction"},
    {"scoped", "notify", "notifying", "subscribers are told"},
    {"scoped", "replace", "replacing", "renewal information asks for replacement"},
    {"scoped", "revoke", "revoking", "nobody has to be waited for"},
    {"scoped", "report", "reporting", "none of them has to be revoked"},
    {"notifying", "scope", "scoped", "a correction"},
    {"notifying", "replace", "replacing", "windows are set"},
    {"notifying", "revoke", "revoking", "the first of them are revoked"},
    {"replacing", "scope", "scoped", "a correction"},
    {"replacing", "revoke", "revoking", "the first of them are revoked"},
    {"replacing", "report", "reporting", "none of them has to be revoked"},
    {"revoking", "scope", "scoped", "a correction: there are more"},
    {"revoking", "report", "reporting", "all are revoked, or kept by a court's order"},
    {"reporting", "scope", "scoped", "a correction"},
    {"reporting", "learn", "learning", "the full report is out"},
    {"learning", "scope", "scoped", "a correction"},
    {"learning", "report", "reporting", "somebody asks"},
    {"learning", "close", "closed", "all promises are kept, nobody asks"},
    {"closed", "reopen", "reporting", "somebody asks, or it was not over"},
    {"closed", "declare", "declared", "it had been dismissed, and is one after all"},
};
const size_t incident_case_edge_count = LT_COUNT(incident_case_edges);

const char *const incident_case_roles[] = {"commander", "scribe", "communications", "revocation", "legal",
                                           "liaison",   NULL};
const char *const incident_case_severities[] = {"critical", "high", "medium", "low", NULL};

const char *incident_case_next(const char *from, const char *event)
{
    for (size_t i = 0; i < LT_COUNT(incident_case_edges); i++) {
        if (strcmp(incident_case_edges[i].from, from) == 0 &&
            strcmp(incident_case_edges[i].event, event) == 0) {
            return incident_case_edges[i].to;
        }
    }
    return NULL;
}

const char *incident_case_subject(struct ca_turn *t, int64_t id)
{
    const char *s = lt_arena_printf(t->arena, "incident %lld", (long long)id);
    LT_ASSERT(s != NULL);
    return s;
}

lt_res incident_case_event(struct ca_turn *t, int64_t id, const char *kind, struct ca_body *body,
                           lt_slice jws)
{
    return ca_body_event(body, t, kind, incident_case_subject(t, id), jws);
}

static const char *text(struct ca_turn *t, const struct store_rows *rows, int at)
{
    const char *s = lt_arena_cstr(t->arena, store_bytes(rows, at));
    LT_ASSERT(s != NULL);
    return s;
}

static void read_row(struct ca_turn *t, const struct store_rows *rows, struct incident_case *c)
{
    c->id = store_int(rows, 0);
    c->status = text(t, rows, 1);
    c->since_us = store_int(rows, 2);
    c->title = text(t, rows, 3);
    c->source = text(t, rows, 4);
    c->cause = text(t, rows, 5);
    c->severity = text(t, rows, 6);
    c->restricted = store_int(rows, 7) != 0;
    c->drill = store_int(rows, 8) != 0;
    c->aware_us = store_int(rows, 9);
    c->must_us = store_int(rows, 10);
    c->opened_us = store_int(rows, 11);
    c->opened_by = text(t, rows, 12);
    c->contained_us = store_int(rows, 13);
    c->scope_version = store_int(rows, 14);
    c->plan_version = store_int(rows, 15);
    c->late_us = store_int(rows, 16);
    c->closed_us = store_int(rows, 17);
}

lt_res incident_load(struct ca_turn *t, int64_t id, struct incident_case *ret_case)
{
    struct store_rows rows;
    *ret_case = (struct incident_case){.id = 0};
    LT_TRY(store_query(t->store, &sql[SQL_GET], STORE_ARGS(STORE_I(id)), &rows));
    if (store_next(&rows)) {
        read_row(t, &rows, ret_case);
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(ret_case->id != 0, LT_PEER_NOT_FOUND, "there is no incident %lld", (long long)id);
    return LT_OK;
}

lt_res incident_may_see(struct ca_turn *t, const struct incident_case *c, const char *operator_name)
{
    struct store_rows rows;
    if (!c->restricted) {
        return LT_OK;
    }
    LT_TRY(
        store_query(t->store, &sql[SQL_HAS_ROLE], STORE_ARGS(STORE_S(operator_name), STORE_I(c->id)), &rows));
    bool has = store_next(&rows);
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(has, LT_PEER_NOT_FOUND, "there is no incident %lld", (long long)c->id);
    return LT_OK;
}

/* ---- its clocks ---- */

static const struct incident_duty *duty_of(const char *cause, lt_time aware)
{
    return cause[0] == 0 ? NULL : incident_duty_for_cause(lt_slice_cstr(cause), aware);
}

/* That we know of it starts the clock of the first report, and that of the revocation where a rule sets one.
 */
static lt_res start_clocks(struct ca_turn *t, int64_t id, const char *cause, bool restricted, lt_time aware)
{
    int64_t ignored = 0;
    const char *subject = incident_case_subject(t, id);
    static const char evidence[] = "the incident's opening says when we became aware";
    const struct incident_duty *d = duty_of(cause, aware);
    LT_TRY(incident_clock_happened(t, "incident.aware", subject, aware, evidence));
    if (restricted) { /* the other route: nothing of it in public yet */
        LT_TRY(incident_clock_happened(t, "incident.sensitive", subject, aware, evidence));
    }
    if (d == NULL) {
        return LT_OK;
    }
    const struct incident_clock_start s = {d->id, subject, aware, evidence};
    return incident_clock_open(t, &s, &ignored);
}

static lt_res void_clocks(struct ca_turn *t, const struct incident_case *c, const char *words)
{
    const char *subject = incident_case_subject(t, c->id);
    const struct incident_duty *d = duty_of(c->cause, (lt_time){c->aware_us});
    LT_TRY(incident_clock_void(t, subject, "irg-1", words));
    LT_TRY(incident_clock_void(t, subject, "irg-11", words));
    return d == NULL ? LT_OK : incident_clock_void(t, subject, d->id, words);
}

/* What a step does to them: what is none owes nothing, and what is one after all owes it since we knew. */
static lt_res step_clocks(struct ca_turn *t, const struct incident_case *c, const char *event,
                          const char *words)
{
    if (strcmp(event, "dismiss") == 0) {
        return void_clocks(t, c, words);
    }
    return strcmp(event, "declare") == 0 && strcmp(c->status, "closed") == 0
               ? start_clocks(t, c->id, c->cause, c->restricted, (lt_time){c->aware_us})
               : LT_OK;
}

/* ---- steps ---- */

static lt_res next_number(struct ca_turn *t, size_t which, const struct store_value *values, size_t count,
                          int64_t *ret_next)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &sql[which], values, count, &rows));
    *ret_next = store_next(&rows) ? store_int(&rows, 0) + 1 : 1;
    return store_rows_end(&rows);
}

static lt_res add_step(struct ca_turn *t, int64_t id, const char *event, const char *status, const char *by,
                       const char *words)
{
    int64_t step = 0;
    LT_TRY(next_number(t, SQL_STEP_LAST, STORE_ARGS(STORE_I(id)), &step));
    return store_exec(t->store, &sql[SQL_STEP_ADD],
                      STORE_ARGS(STORE_I(id), STORE_I(step), STORE_S(event), STORE_S(status),
                                 STORE_I(t->now.us), STORE_S(by), STORE_S(words)),
                      NULL);
}

static lt_res move(struct ca_turn *t, const struct incident_case *c, const char *event, const char *to,
                   const char *by)
{
    int64_t changed = 0;
    bool closes = strcmp(to, "closed") == 0;
    (void)by;
    LT_TRY(store_exec(t->store, &sql[SQL_MOVE],
                      STORE_ARGS(STORE_I(c->id), STORE_S(c->status), STORE_S(to), STORE_I(t->now.us),
                                 STORE_I(closes ? t->now.us : 0)),
                      &changed));
    LT_CHECK(changed == 1, LT_RETRY_BUSY, "incident %lld has just changed (%s)", (long long)c->id, event);
    return LT_OK;
}

static lt_res step_event(struct ca_turn *t, const struct incident_case *c, const char *event, const char *to,
                         const char *by, const char *words)
{
    struct ca_body b;
    const char *kind = lt_arena_printf(t->arena, "incident.%s", event);
    LT_ASSERT(kind != NULL);
    ca_body_init(&b);
    ca_body_int(&b, "incident", c->id);
    ca_body_str(&b, "from", c->status);
    ca_body_str(&b, "status", to);
    ca_body_str(&b, "by", by);
    ca_body_str(&b, "words", words);
    return incident_case_event(t, c->id, kind, &b, LT_SLICE(NULL, 0));
}

lt_res incident_step(struct ca_turn *t, int64_t id, const char *event, const char *by, const char *words)
{
    struct incident_case c;
    LT_TRY(incident_load(t, id, &c));
    const char *to = incident_case_next(c.status, event);
    LT_CHECK(to != NULL, LT_PEER_CONFLICT, "incident %lld is %s: there is no \"%s\" from there",
             (long long)id, c.status, event);
    LT_TRY(move(t, &c, event, to, by));
    LT_TRY(add_step(t, id, event, to, by, words));
    LT_TRY(step_event(t, &c, event, to, by, words));
    return step_clocks(t, &c, event, words);
}

lt_res incident_step_if(struct ca_turn *t, int64_t id, const char *event, const char *by, const char *words)
{
    struct incident_case c;
    LT_TRY(incident_load(t, id, &c));
    const char *to = incident_case_next(c.status, event);
    bool moves = to != NULL && strcmp(to, c.status) != 0;
    return moves ? incident_step(t, id, event, by, words) : LT_OK;
}

/* ---- opening ---- */

bool incident_case_word(const char *const *list, const char *word)
{
    for (size_t i = 0; list[i] != NULL; i++) {
        if (strcmp(list[i], word) == 0) {
            return true;
        }
    }
    return false;
}

static lt_res check_opening(const struct incident_opening *o, lt_time aware, lt_time now)
{
    LT_CHECK(o->title[0] != 0 && strlen(o->title) <= INCIDENT_TITLE_MAX, LT_PEER_MALFORMED,
             "an incident needs a title of at most %d bytes", INCIDENT_TITLE_MAX);
    LT_CHECK(o->severity[0] == 0 || incident_case_word(incident_case_severities, o->severity),
             LT_PEER_MALFORMED, "\"%.40s\" is no severity: critical, high, medium, low", o->severity);
    LT_CHECK(aware.us <= now.us, LT_PEER_MALFORMED, "its clocks cannot begin in the future");
    LT_CHECK(incident_start_at(lt_slice_cstr(o->source), now) != NULL, LT_PEER_MALFORMED,
             "\"%.40s\" is no source that data/duties knows (lintel duty list)", o->source);
    LT_CHECK(o->cause[0] == 0 || ca_cause_find(lt_slice_cstr(o->cause), aware) != NULL, LT_PEER_MALFORMED,
             "\"%.60s\" is no cause of revocation (lintel revoke --help)", o->cause);
    return LT_OK;
}

static lt_time must_be_revoked(const struct incident_opening *o, lt_time aware)
{
    const struct ca_cause *cause = o->cause[0] == 0 ? NULL : ca_cause_find(lt_slice_cstr(o->cause), aware);
    return cause == NULL ? (lt_time){0} : ca_cause_clocks(cause, aware).must;
}

static lt_res opened_event(struct ca_turn *t, int64_t id, const struct incident_opening *o, lt_time aware)
{
    struct ca_body b;
    ca_body_init(&b);
    ca_body_int(&b, "incident", id);
    ca_body_str(&b, "title", o->title);
    ca_body_str(&b, "source", o->source);
    ca_body_str(&b, "cause", o->cause);
    ca_body_str(&b, "severity", o->severity);
    ca_body_bool(&b, "restricted", o->restricted);
    ca_body_bool(&b, "drill", o->drill);
    ca_body_time(&b, "aware", aware);
    ca_body_int(&b, "problem", o->problem);
    ca_body_str(&b, "scope", strlen(o->scope) > INCIDENT_WORDS_MAX ? "" : o->scope);
    ca_body_str(&b, "by", o->by);
    return incident_case_event(t, id, "incident.opened", &b, o->jws);
}

static const char *or_empty(const char *s)
{
    return s == NULL ? "" : s;
}

lt_res incident_open(struct ca_turn *t, const struct incident_opening *given, int64_t *ret_id)
{
    struct incident_opening o = *given;
    lt_time aware = o.aware.us == 0 ? t->now : o.aware;
    o.cause = or_empty(o.cause);
    o.scope = or_empty(o.scope);
    o.severity = or_empty(o.severity)[0] == 0 ? "medium" : o.severity;
    LT_TRY(check_opening(&o, aware, t->now));
    LT_TRY(next_number(t, SQL_LAST, STORE_NO_ARGS, ret_id));
    LT_TRY(
        store_exec(t->store, &sql[SQL_ADD],
                   STORE_ARGS(STORE_I(*ret_id), STORE_I(t->now.us), STORE_S(o.title), STORE_S(o.source),
                              STORE_S(o.cause), STORE_S(o.severity), STORE_I(o.restricted), STORE_I(o.drill),
                              STORE_I(aware.us), STORE_I(must_be_revoked(&o, aware).us), STORE_S(o.by)),
                   NULL));
    LT_TRY(add_step(t, *ret_id, "open", "detected", o.by, o.title));
    LT_TRY(opened_event(t, *ret_id, &o, aware));
    LT_TRY(o.problem == 0 ? LT_OK : incident_link_problem(t, *ret_id, o.problem, o.by));
    return start_clocks(t, *ret_id, o.cause, o.restricted, aware);
}

lt_res incident_link_problem(struct ca_turn *t, int64_t id, int64_t problem, const char *by)
{
    int64_t changed = 0;
    struct ca_body b;
    LT_TRY(store_exec(t->store, &sql[SQL_LINK],
                      STORE_ARGS(STORE_I(id), STORE_I(problem), STORE_I(t->now.us), STORE_S(by)), &changed));
    if (changed == 0) {
        return LT_OK;
    }
    ca_body_init(&b);
    ca_body_int(&b, "incident", id);
    ca_body_int(&b, "problem", problem);
    ca_body_str(&b, "by", by);
    return incident_case_event(t, id, "incident.linked", &b, LT_SLICE(NULL, 0));
}

/* ---- what the other files note ---- */

static lt_res note(struct ca_turn *t, size_t which, int64_t id, int64_t value)
{
    return store_exec(t->store, &sql[which], STORE_ARGS(STORE_I(id), STORE_I(value)), NULL);
}

lt_res incident_case_contained(struct ca_turn *t, int64_t id)
{
    return note(t, SQL_CONTAINED, id, t->now.us);
}

lt_res incident_case_scoped(struct ca_turn *t, int64_t id, int64_t version)
{
    return note(t, SQL_SCOPED, id, version);
}

lt_res incident_case_planned(struct ca_turn *t, int64_t id, int64_t version)
{
    return note(t, SQL_PLANNED, id, version);
}

lt_res incident_case_late(struct ca_turn *t, int64_t id)
{
    return note(t, SQL_LATE, id, t->now.us);
}

lt_res incident_scope_last(struct ca_turn *t, int64_t id, struct incident_case_scope *ret_scope)
{
    struct store_rows rows;
    *ret_scope = (struct incident_case_scope){.text = "", .count = -1};
    LT_TRY(store_query(t->store, &sql[SQL_SCOPE_LAST], STORE_ARGS(STORE_I(id)), &rows));
    if (store_next(&rows)) {
        ret_scope->version = store_int(&rows, 0);
        ret_scope->text = text(t, &rows, 1);
        ret_scope->as_of_us = store_int(&rows, 2);
        ret_scope->count = store_int(&rows, 3);
    }
    return store_rows_end(&rows);
}

lt_res incident_mass_of(struct ca_turn *t, int64_t id, int64_t *ret_mass)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &sql[SQL_MASS], STORE_ARGS(STORE_I(id)), &rows));
    *ret_mass = store_next(&rows) ? store_int(&rows, 0) : 0;
    return store_rows_end(&rows);
}
