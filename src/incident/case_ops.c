/* What operators do with incidents, and what is due in them. */
#include <string.h>

#include "base/text.h"
#include "ca/book.h"
#include "ca/reasons.h"
#include "incident/action.h"
#include "incident/case_internal.h"
#include "incident/case_show.h"
#include "incident/clock.h"
#include "incident/notice.h"

static const struct store_sql sql[] = {
    {"incident.role-get",
     "SELECT holder FROM incident_role WHERE incident = ?1 AND role = ?2 AND until_us = 0 "
     "LIMIT 1"},
    {"incident.role-end", "UPDATE incident_role SET until_us = ?3 WHERE incident = ?1 AND role = ?2 AND "
                          "until_us = 0"},
    {"incident.role-add",
     "INSERT INTO incident_role (incident, role, since_us, holder, given_by, until_us, words) "
     "VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6)"},
    {"incident.change", "UPDATE incident SET severity = ?2, cause = ?3, restricted = ?4, must_us = ?5 "
                        "WHERE id = ?1"},
    {"incident.live", "SELECT id FROM incident WHERE closed_us = 0 AND id > ?1 ORDER BY id LIMIT 100"},
    {"incident.clocks-open", "SELECT duty FROM clock WHERE subject = ?1 AND met_us = 0 AND status <> 'void' "
                             "AND duty NOT IN ('irg-4', 'irg-5', 'irg-6') ORDER BY id LIMIT 1"},
    {"incident.mass-live", "SELECT m.status FROM incident_plan p JOIN mass m ON m.id = p.mass WHERE "
                           "p.incident = ?1 AND m.status <> 'done' AND m.status <> 'stopped' LIMIT 1"},
    {"incident.reports-open", "SELECT duty FROM clock WHERE subject = ?1 AND met_us = 0 AND status <> 'void' "
                              "AND duty IN ('irg-1', 'irg-2') ORDER BY id LIMIT 1"},
    {"incident.clock-runs", "SELECT duty FROM clock WHERE duty = ?1 AND subject = ?2 AND met_us = 0 AND "
                            "status <> 'void' LIMIT 1"},
    {"incident.closed-by", "SELECT event FROM incident_step WHERE incident = ?1 AND status = 'closed' "
                           "ORDER BY step DESC LIMIT 1"},
};
enum {
    SQL_ROLE_GET,
    SQL_ROLE_END,
    SQL_ROLE_ADD,
    SQL_CHANGE,
    SQL_LIVE,
    SQL_CLOCKS_OPEN,
    SQL_MASS_LIVE,
    SQL_REPORTS_OPEN,
    SQL_CLOCK_RUNS,
    SQL_CLOSED_BY,
};
const struct incident_sql incident_case_ops_sql = {sql, LT_COUNT(sql)};

enum { ANSWER_MAX = 400 * 1024, LIST_MAX = 1000, LIVE_MAX = 100 };

/* ---- what every op begins and ends with ---- */

static lt_res seen_of(struct incident_call *c, struct incident_case *in)
{
    int64_t id = 0;
    LT_TRY(incident_id(c, &id));
    LT_TRY(incident_load(c->t, id, in));
    return incident_may_see(c->t, in, c->by);
}

lt_res incident_case_of(struct incident_call *c, struct incident_case *ret_case)
{
    LT_TRY(seen_of(c, ret_case));
    LT_CHECK(ret_case->closed_us == 0, LT_PEER_CONFLICT,
             "incident %lld is closed; step \"reopen\" opens it again", (long long)ret_case->id);
    return LT_OK;
}

lt_res incident_case_answer(struct incident_call *c, int64_t id, struct ca_body *body)
{
    struct incident_case in;
    lt_res r = incident_load(c->t, id, &in);
    ca_body_int(body, "id", id);
    ca_body_str(body, "status", lt_failed(r) ? "" : in.status);
    lt_res said = ca_body_cstr(body, c->t->arena, &c->json);
    return lt_failed(r) ? r : said;
}

static lt_res answer(struct incident_call *c, int64_t id)
{
    struct ca_body b;
    ca_body_init(&b);
    return incident_case_answer(c, id, &b);
}

/* The first column of the first row; "": there is none. */
static lt_res first_text(struct ca_turn *t, size_t which, const struct store_value *values, size_t count,
                         const char **ret_text)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &sql[which], values, count, &rows));
    *ret_text = lt_arena_cstr(t->arena, store_next(&rows) ? store_bytes(&rows, 0) : LT_LIT(""));
    LT_ASSERT(*ret_text != NULL);
    return store_rows_end(&rows);
}

/* A clock of revocation that has begun is ended by who may approve, as with "clock void": whatever else is
 * said to end it. */
static lt_res may_void(struct incident_call *c, const struct incident_case *in, const char *what)
{
    const struct ca_operator *o = ca_operator_by_name(&c->t->book->operators, lt_slice_cstr(c->by));
    const struct incident_duty *d =
        in->cause[0] == 0 ? NULL : incident_duty_for_cause(lt_slice_cstr(in->cause), (lt_time){in->aware_us});
    const char *runs = "";
    const char *subject = incident_case_subject(c->t, in->id);
    LT_TRY(d == NULL ? LT_OK
                     : first_text(c->t, SQL_CLOCK_RUNS, STORE_ARGS(STORE_S(d->id), STORE_S(subject)), &runs));
    LT_CHECK(runs[0] == 0 || (o != NULL && (o->roles & CA_ROLE_APPROVER) != 0), LT_PEER_UNAUTHORIZED,
             "%s ends the clock %s of incident %lld, which has begun: that is for an approver", what, runs,
             (long long)in->id);
    return LT_OK;
}

/* ---- opening ---- */

/* When the clocks begin follows from how it came to light, unless somebody says so. */
static lt_res aware_of(struct incident_call *c, lt_time *ret_aware)
{
    static const char *const names[INCIDENT_INSTANTS] = {
        [INCIDENT_RECEIVED] = "received", [INCIDENT_FOUND] = "found", [INCIDENT_CONFIRMED] = "confirmed"};
    lt_time instants[INCIDENT_INSTANTS] = {{0}, {0}, {0}};
    const struct incident_start *rule = NULL;
    bool any = false;
    ret_aware->us = incident_number(c, "aware");
    for (size_t i = 0; i < INCIDENT_INSTANTS; i++) {
        instants[i].us = incident_number(c, names[i]);
        any = any || instants[i].us != 0;
    }
    return ret_aware->us != 0 || !any ? LT_OK
                                      : incident_start_judge(lt_slice_cstr(incident_text(c, "source")),
                                                             instants, c->t->now, &rule, ret_aware);
}

lt_res incident_case_op_open(struct incident_call *c)
{
    int64_t id = 0;
    const char *by = lt_arena_printf(c->t->arena, "operator %s", c->by);
    LT_ASSERT(by != NULL);
    struct incident_opening o = {
        .title = incident_text(c, "title"),
        .source = incident_text(c, "source"),
        .cause = incident_text(c, "cause"),
        .severity = incident_text(c, "severity"),
        .restricted = incident_number(c, "restricted") != 0,
        .drill = incident_number(c, "drill") != 0,
        .problem = incident_number(c, "problem"),
        .scope = incident_text(c, "scope"),
        .by = by,
        .jws = c->jws,
    };
    LT_TRY(aware_of(c, &o.aware));
    LT_TRY(incident_open(c->t, &o, &id));
    LT_TRY(incident_case_give_role(c, id, "commander", c->by, "opened it"));
    if (incident_number(c, "detected") == 0) {
        LT_TRY(incident_step(c->t, id, "declare", by, ""));
    }
    return answer(c, id);
}

/* ---- steps by hand ---- */

/* Those that follow from something else are not said by hand. */
static bool by_hand(const char *event)
{
    static const char *const events[] = {"declare", "dismiss", "notify", "replace",
                                         "report",  "learn",   "reopen", NULL};
    return incident_case_word(events, event);
}

static lt_res may_dismiss(struct incident_call *c, const struct incident_case *in)
{
    int64_t halts = 0;
    LT_CHECK(incident_text(c, "words")[0] != 0, LT_PEER_MALFORMED, "why it was none is wanted (\"words\")");
    LT_TRY(incident_case_halts_open(c->t, in->id, &halts));
    LT_CHECK(halts == 0, LT_PEER_CONFLICT, "%lld halts of incident %lld stand", (long long)halts,
             (long long)in->id);
    return may_void(c, in, "dismissing it");
}

/* Nobody counted the certificates: then why there is none has to be said. */
static lt_res may_report(struct incident_call *c, const struct incident_case *in)
{
    struct incident_case_scope scope;
    LT_TRY(incident_scope_last(c->t, in->id, &scope));
    LT_CHECK(in->cause[0] == 0 || scope.count == 0 || in->scope_version != 0 ||
                 incident_text(c, "words")[0] != 0,
             LT_PEER_CONFLICT,
             "incident %lld has no scope: lintel incident scope, or say why no certificate is affected "
             "(\"words\")",
             (long long)in->id);
    return LT_OK;
}

static lt_res may_learn(struct incident_call *c, const struct incident_case *in)
{
    const char *duty = "";
    LT_TRY(
        first_text(c->t, SQL_REPORTS_OPEN, STORE_ARGS(STORE_S(incident_case_subject(c->t, in->id))), &duty));
    LT_CHECK(duty[0] == 0, LT_PEER_CONFLICT,
             "the full report of incident %lld is not out: the clock %s of it runs (lintel incident handed)",
             (long long)in->id, duty);
    return LT_OK;
}

/* What was dismissed had nothing done for it: it begins where it was left off, and not with its report. */
static lt_res opened_again(struct incident_call *c, const struct incident_case *in, const char **event)
{
    const char *by = "";
    LT_TRY(first_text(c->t, SQL_CLOSED_BY, STORE_ARGS(STORE_I(in->id)), &by));
    bool dismissed = strcmp(by, "dismiss") == 0;
    LT_CHECK(dismissed || strcmp(*event, "declare") != 0, LT_PEER_CONFLICT,
             "incident %lld is closed; step \"reopen\" opens it again: there is no \"declare\" from there",
             (long long)in->id);
    *event = dismissed && strcmp(*event, "reopen") == 0 ? "declare" : *event;
    return LT_OK;
}

static lt_res may_step(struct incident_call *c, const struct incident_case *in, const char *event)
{
    static const struct {
        const char *event;
        lt_res (*may)(struct incident_call *c, const struct incident_case *in);
    } rows[] = {{"dismiss", may_dismiss}, {"report", may_report}, {"learn", may_learn}};
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        if (strcmp(rows[i].event, event) == 0) {
            return rows[i].may(c, in);
        }
    }
    return LT_OK;
}

lt_res incident_case_op_step(struct incident_call *c)
{
    struct incident_case in;
    const char *event = incident_text(c, "event");
    const char *by = lt_arena_printf(c->t->arena, "operator %s", c->by);
    LT_ASSERT(by != NULL);
    LT_TRY(seen_of(c, &in));
    LT_CHECK(by_hand(event), LT_PEER_MALFORMED,
             "\"%.40s\" is no step by hand: declare, dismiss, notify, replace, report, learn, reopen", event);
    LT_TRY(strcmp(in.status, "closed") == 0 ? opened_again(c, &in, &event) : LT_OK);
    LT_TRY(incident_case_next(in.status, event) == NULL ? LT_OK : may_step(c, &in, event));
    LT_TRY(incident_step(c->t, in.id, event, by, incident_text(c, "words")));
    return answer(c, in.id);
}

lt_res incident_case_op_note(struct incident_call *c)
{
    struct incident_case in;
    struct ca_body b;
    LT_TRY(seen_of(c, &in));
    LT_CHECK(incident_number(c, "at") <= c->t->now.us, LT_PEER_MALFORMED, "\"at\" is in the future");
    ca_body_init(&b);
    ca_body_int(&b, "incident", in.id);
    ca_body_str(&b, "words", incident_text(c, "words"));
    if (incident_given(c, "at")) {
        ca_body_time(&b, "at", (lt_time){incident_number(c, "at")});
    }
    ca_body_str(&b, "by", c->by);
    LT_TRY(incident_case_event(c->t, in.id, "incident.note", &b, c->jws));
    return answer(c, in.id);
}

/* ---- roles ---- */

static lt_res holder_of(struct ca_turn *t, int64_t id, const char *role, const char **ret_holder)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &sql[SQL_ROLE_GET], STORE_ARGS(STORE_I(id), STORE_S(role)), &rows));
    *ret_holder = lt_arena_cstr(t->arena, store_next(&rows) ? store_bytes(&rows, 0) : LT_LIT(""));
    LT_ASSERT(*ret_holder != NULL);
    return store_rows_end(&rows);
}

lt_res incident_case_give_role(struct incident_call *c, int64_t id, const char *role, const char *holder,
                               const char *words)
{
    const char *before = NULL;
    struct ca_body b;
    LT_TRY(holder_of(c->t, id, role, &before));
    LT_CHECK(strcmp(before, holder) != 0, LT_PEER_CONFLICT, "%.64s has the role %s already", holder, role);
    LT_TRY(store_exec(c->t->store, &sql[SQL_ROLE_END],
                      STORE_ARGS(STORE_I(id), STORE_S(role), STORE_I(c->t->now.us)), NULL));
    if (holder[0] != 0) {
        lt_res r = store_exec(c->t->store, &sql[SQL_ROLE_ADD],
                              STORE_ARGS(STORE_I(id), STORE_S(role), STORE_I(c->t->now.us), STORE_S(holder),
                                         STORE_S(c->by), STORE_S(words)),
                              NULL);
        LT_CHECK(r.code != LT_PEER_CONFLICT, LT_RETRY_BUSY, "the role was handed over in this very moment");
        LT_TRY(r);
    }
    ca_body_init(&b);
    ca_body_int(&b, "incident", id);
    ca_body_str(&b, "role", role);
    ca_body_str(&b, "before", before);
    ca_body_str(&b, "holder", holder);
    ca_body_str(&b, "words", words);
    ca_body_str(&b, "by", c->by);
    return incident_case_event(c->t, id, "incident.role", &b, c->jws);
}

/* A restricted incident is for those who have a role in it, so anybody may be given one; nobody is left over
 * as the last who sees it. */
lt_res incident_case_op_role(struct incident_call *c)
{
    struct incident_case in;
    const char *role = incident_text(c, "role");
    const char *holder = incident_text(c, "holder");
    LT_TRY(incident_case_of(c, &in));
    LT_CHECK(incident_case_word(incident_case_roles, role), LT_PEER_MALFORMED,
             "\"%.40s\" is no role: commander, scribe, communications, revocation, legal, liaison", role);
    LT_CHECK(holder[0] == 0 || ca_operator_by_name(&c->t->book->operators, lt_slice_cstr(holder)) != NULL,
             LT_PEER_NOT_FOUND, "there is no operator \"%.64s\" (lintel operator list)", holder);
    LT_CHECK(holder[0] != 0 || strcmp(role, "commander") != 0, LT_PEER_CONFLICT,
             "an incident has a commander until it is closed: hand the role over");
    LT_TRY(incident_case_give_role(c, in.id, role, holder, incident_text(c, "words")));
    return answer(c, in.id);
}

/* ---- what is known of it ---- */

lt_res incident_case_op_link(struct incident_call *c)
{
    struct incident_case in;
    LT_TRY(incident_case_of(c, &in));
    LT_TRY(incident_link_problem(c->t, in.id, incident_number(c, "problem"), c->by));
    return answer(c, in.id);
}

/* Another cause has another clock, from the same moment. */
static lt_res change_clocks(struct incident_call *c, const struct incident_case *in, const char *cause)
{
    const char *subject = incident_case_subject(c->t, in->id);
    lt_time aware = {in->aware_us};
    int64_t ignored = 0;
    const struct incident_duty *before = in->cause[0] == 0
                                             ? NULL
                                             : incident_duty_for_cause(lt_slice_cstr(in->cause), aware);
    const struct incident_duty *now = incident_duty_for_cause(lt_slice_cstr(cause), aware);
    if (before != NULL) {
        bool later = now == NULL ||
                     incident_duty_due(now, aware).due.us > incident_duty_due(before, aware).due.us;
        LT_TRY(later ? may_void(c, in, "another cause with more time") : LT_OK);
        LT_TRY(incident_clock_void(c->t, subject, before->id, incident_text(c, "words")));
    }
    if (now == NULL) {
        return LT_OK;
    }
    const struct incident_clock_start s = {now->id, subject, aware, "its cause was found to be another"};
    return incident_clock_open(c->t, &s, &ignored);
}

/* It turns out to be what must not be known yet: another route of reports, and nothing of it in public. */
static lt_res now_restricted(struct incident_call *c, const struct incident_case *in)
{
    LT_TRY(incident_clock_happened(c->t, "incident.sensitive", incident_case_subject(c->t, in->id), c->t->now,
                                   "the incident was restricted"));
    return incident_publish_end(c->t, in->id, c->by);
}

lt_res incident_case_op_severity(struct incident_call *c)
{
    struct incident_case in;
    struct ca_body b;
    LT_TRY(incident_case_of(c, &in));
    const char *severity = incident_given(c, "severity") ? incident_text(c, "severity") : in.severity;
    const char *cause = incident_given(c, "cause") ? incident_text(c, "cause") : in.cause;
    bool restricted = incident_given(c, "restricted") ? incident_number(c, "restricted") != 0 : in.restricted;
    lt_time aware = {in.aware_us};
    const struct ca_cause *row = cause[0] == 0 ? NULL : ca_cause_find(lt_slice_cstr(cause), aware);
    LT_CHECK(incident_case_word(incident_case_severities, severity), LT_PEER_MALFORMED,
             "\"%.40s\" is no severity: critical, high, medium, low", severity);
    LT_CHECK(cause[0] == 0 || row != NULL, LT_PEER_MALFORMED,
             "\"%.60s\" is no cause of revocation (lintel revoke --help)", cause);
    LT_TRY(strcmp(cause, in.cause) == 0 ? LT_OK : change_clocks(c, &in, cause));
    LT_TRY(store_exec(c->t->store, &sql[SQL_CHANGE],
                      STORE_ARGS(STORE_I(in.id), STORE_S(severity), STORE_S(cause), STORE_I(restricted),
                                 STORE_I(row == NULL ? 0 : ca_cause_clocks(row, aware).must.us)),
                      NULL));
    LT_TRY(restricted && !in.restricted ? now_restricted(c, &in) : LT_OK);
    ca_body_init(&b);
    ca_body_int(&b, "incident", in.id);
    ca_body_str(&b, "severity", severity);
    ca_body_str(&b, "cause", cause);
    ca_body_bool(&b, "restricted", restricted);
    ca_body_str(&b, "words", incident_text(c, "words"));
    ca_body_str(&b, "by", c->by);
    LT_TRY(incident_case_event(c->t, in.id, "incident.changed", &b, c->jws));
    return answer(c, in.id);
}

/* ---- for those who have a role ---- */

lt_res incident_case_op_show(struct incident_call *c)
{
    struct incident_case in;
    struct lt_buf json;
    LT_TRY(seen_of(c, &in));
    lt_buf_init(&json, ANSWER_MAX);
    lt_buf_add(&json, LT_LIT("{\"incident\":"));
    lt_res r = incident_case_show(c->t->store, in.id, true, &json);
    lt_buf_add_byte(&json, '}');
    c->json = lt_failed(r) ? NULL : lt_arena_cstr(c->t->arena, lt_buf_slice(&json));
    lt_buf_done(&json);
    LT_TRY(r);
    LT_CHECK(c->json != NULL, LT_PEER_TOO_LARGE, "the answer is over the limit");
    return LT_OK;
}

lt_res incident_case_op_mine(struct incident_call *c)
{
    struct lt_buf json;
    int64_t ignored = 0;
    const struct incident_case_page page = {
        .before = INT64_MAX, .limit = LIST_MAX, .status = "", .holder = c->by};
    lt_buf_init(&json, ANSWER_MAX);
    lt_buf_add(&json, LT_LIT("{\"incidents\":"));
    lt_res r = incident_case_list(c->t->store, &page, &json, &ignored);
    lt_buf_add_byte(&json, '}');
    c->json = lt_failed(r) ? NULL : lt_arena_cstr(c->t->arena, lt_buf_slice(&json));
    lt_buf_done(&json);
    LT_TRY(r);
    LT_CHECK(c->json != NULL, LT_PEER_TOO_LARGE, "the answer is over the limit");
    return LT_OK;
}

/* ---- closing ---- */

lt_res incident_case_op_close(struct incident_call *c)
{
    struct incident_case in;
    int64_t halts = 0;
    int64_t actions = 0;
    const char *duty = NULL;
    const char *mass = NULL;
    LT_TRY(incident_case_of(c, &in));
    const char *subject = incident_case_subject(c->t, in.id);
    LT_TRY(incident_case_halts_open(c->t, in.id, &halts));
    LT_TRY(incident_action_open(c->t, subject, &actions));
    LT_TRY(first_text(c->t, SQL_CLOCKS_OPEN, STORE_ARGS(STORE_S(subject)), &duty));
    LT_TRY(first_text(c->t, SQL_MASS_LIVE, STORE_ARGS(STORE_I(in.id)), &mass));
    LT_CHECK(halts == 0, LT_PEER_CONFLICT, "%lld halts of it stand (lintel incident show %lld)",
             (long long)halts, (long long)in.id);
    LT_CHECK(mass[0] == 0, LT_PEER_CONFLICT, "its mass revocation is %s", mass);
    LT_CHECK(actions == 0, LT_PEER_CONFLICT,
             "%lld promises of it are open (lintel action list --for 'incident %lld')", (long long)actions,
             (long long)in.id);
    LT_CHECK(duty[0] == 0, LT_PEER_CONFLICT, "the clock %s of it is not met (lintel clock list)", duty);
    LT_TRY(incident_clock_void(c->t, subject, "irg-4", "the incident is closed"));
    LT_TRY(incident_clock_void(c->t, subject, "irg-6", "the incident is closed"));
    LT_TRY(incident_step(c->t, in.id, "close", c->by, incident_text(c, "words")));
    return answer(c, in.id);
}

/* ---- what is due ---- */

static lt_res due(struct incident_beat *b, int64_t id, bool *ret_more)
{
    struct incident_case c;
    LT_TRY(incident_load(b->t, id, &c));
    LT_TRY(incident_case_halt_due(b->t, &c));
    return incident_case_plan_due(b->t, &c, ret_more);
}

static lt_res beat(struct incident_beat *b, bool *ret_more)
{
    int64_t ids[LIVE_MAX];
    int64_t last = 0;
    size_t count = 0;
    do {
        struct store_rows rows;
        count = 0;
        LT_TRY(store_query(b->t->store, &sql[SQL_LIVE], STORE_ARGS(STORE_I(last)), &rows));
        while (count < LIVE_MAX && store_next(&rows)) {
            ids[count++] = store_int(&rows, 0);
        }
        LT_TRY(store_rows_end(&rows));
        for (size_t i = 0; i < count; i++) {
            LT_TRY(due(b, ids[i], ret_more));
            last = ids[i];
        }
    } while (count == LIVE_MAX);
    return LT_OK;
}

enum { ANYBODY = CA_ROLE_OPERATOR | CA_ROLE_APPROVER | CA_ROLE_AUDITOR | CA_ROLE_VIEWER };

static const struct incident_op ops[] = {
    {"incident.open", CA_ROLE_OPERATOR, incident_case_op_open},
    {"incident.step", CA_ROLE_OPERATOR, incident_case_op_step},
    {"incident.note", ANYBODY, incident_case_op_note},
    {"incident.role", CA_ROLE_OPERATOR, incident_case_op_role},
    {"incident.link", CA_ROLE_OPERATOR, incident_case_op_link},
    {"incident.change", CA_ROLE_OPERATOR, incident_case_op_severity},
    {"incident.contain", CA_ROLE_OPERATOR | CA_ROLE_APPROVER, incident_case_op_contain},
    {"incident.fix", CA_ROLE_OPERATOR, incident_case_op_fix},
    {"incident.scope", CA_ROLE_OPERATOR, incident_case_op_scope},
    {"incident.freeze", CA_ROLE_OPERATOR, incident_case_op_freeze},
    {"incident.thaw", CA_ROLE_OPERATOR, incident_case_op_thaw},
    {"incident.plan", CA_ROLE_OPERATOR, incident_case_op_plan},
    {"incident.notify", CA_ROLE_OPERATOR, incident_case_op_notify},
    {"incident.revoke", CA_ROLE_OPERATOR, incident_case_op_revoke},
    {"incident.close", CA_ROLE_OPERATOR, incident_case_op_close},
    {"incident.show-mine", ANYBODY, incident_case_op_show},
    {"incident.list-mine", ANYBODY, incident_case_op_mine},
};

const struct incident_area incident_area_case = {
    .name = "case",
    .ops = {ops, LT_COUNT(ops)},
    .beat = beat,
    .sql = {&incident_case_sql, &incident_case_halt_sql, &incident_case_scope_sql, &incident_case_plan_sql,
            &incident_case_ops_sql, &incident_case_show_sql},
};
