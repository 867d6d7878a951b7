/* What reports are made of, as one answer: everything that the book knows of an incident and a person has
 * written. Its certificates: report_members.c. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "crypto/digest.h"
#include "incident/report_ask.h"

enum column { TEXT, NUMBER, TIME, RAW, HEX };

struct column_row {
    const char *name;
    enum column kind;
};

enum { COLUMNS_MAX = 16 };

const struct store_sql report_ask_sql[] = {
    [REPORT_SQL_SECTIONS] =
        {"report.ask-sections",
         "SELECT incident, kind, section, role, due_us, text, written_us, written_by, signed_us, signed_by "
         "FROM report_section WHERE incident = 0 OR incident = ?1 ORDER BY incident, kind, section LIMIT "
         "1000"},
    [REPORT_SQL_CAUSES] =
        {"report.ask-causes",
         "SELECT cause, title, description, timeline, detection, interaction, method "
         "FROM report_cause WHERE incident = ?1 AND dropped_us = 0 ORDER BY cause LIMIT 100"},
    [REPORT_SQL_WHYS] = {"report.ask-whys",
                         "SELECT cause, step, question, answer, evidence FROM report_why WHERE incident = ?1 "
                         "ORDER BY cause, step LIMIT 1000"},
    [REPORT_SQL_BONES] = {"report.ask-bones",
                          "SELECT bone, cause, category, text FROM report_bone WHERE incident = ?1 AND "
                          "dropped_us = 0 ORDER BY bone LIMIT 1000"},
    [REPORT_SQL_LESSONS] = {"report.ask-lessons",
                            "SELECT lesson, kind, text, actions FROM report_lesson WHERE incident = ?1 AND "
                            "dropped_us = 0 ORDER BY lesson LIMIT 1000"},
    [REPORT_SQL_ACTIONS] = {"report.ask-actions",
                            "SELECT id, title, kind, causes, criteria, owner, status, due_us FROM "
                            "incident_action WHERE subject = ?1 ORDER BY id LIMIT 1000"},
    [REPORT_SQL_EVENTS] =
        {"report.ask-events",
         "SELECT time_us, chain, sequence, kind, body, time_us FROM event WHERE subject = ?1 AND "
         "(kind LIKE 'incident.%' OR kind LIKE 'report.%') "
         "ORDER BY time_us LIMIT 1000"},
    [REPORT_SQL_PROBLEMS] =
        {"report.ask-problems",
         "SELECT p.problem, e.time_us, e.chain, e.sequence, e.kind, e.body, e.time_us FROM incident_problem "
         "p "
         "JOIN event e ON e.subject = 'problem ' || p.problem WHERE p.incident = ?1 ORDER BY p.problem, "
         "e.time_us "
         "LIMIT 1000"},
    [REPORT_SQL_CLOCKS] =
        {"report.ask-clocks",
         "SELECT duty, start_us, force, section, aim_us, due_us, status, met_us, proof FROM "
         "clock WHERE subject = ?1 ORDER BY id LIMIT 1000"},
    [REPORT_SQL_HALTS] =
        {"report.ask-halts",
         "SELECT h.id, h.kind, h.value, h.reason, h.since_us, coalesce(h.lifted_us, 0), i.build, i.proof, "
         "coalesce(h.lifted_us, 0) "
         "FROM "
         "incident_halt i JOIN halt h ON h.id = i.halt WHERE i.incident = ?1 ORDER BY i.added_us LIMIT 1000"},
    [REPORT_SQL_SCOPES] =
        {"report.ask-scopes",
         "SELECT version, text, count, as_of_us, detected_us, wrong, avoided, saved_us, saved_by FROM "
         "incident_scope WHERE incident = ?1 ORDER BY version LIMIT 1000"},
    [REPORT_SQL_PLANS] = {"report.ask-plans",
                          "SELECT version, scope_version, mass, status, count, start_us, "
                          "end_us, must_us, late, set_us, made_us FROM "
                          "incident_plan WHERE incident = ?1 ORDER BY version LIMIT 1000"},
    [REPORT_SQL_MASSES] = {"report.ask-masses",
                           "SELECT p.version, m.id, m.status, m.count, m.revoked, m.already, "
                           "m.held, m.created_us, m.started_us, "
                           "m.ended_us, m.must_us, m.late_because, m.reason, m.started_us FROM incident_plan "
                           "p JOIN mass m ON m.id = p.mass WHERE "
                           "p.incident = ?1 ORDER BY p.version LIMIT 100"},
    [REPORT_SQL_HOLDS] =
        {"report.ask-holds",
         "SELECT issuer, serial, since_us, reason, reference, lifted_us FROM revocation_hold "
         "WHERE issuer > 0 AND lifted_us = 0 ORDER BY issuer, serial LIMIT 1000"},
    [REPORT_SQL_DELAYS] =
        {"report.ask-delays",
         "SELECT issuer, serial, reason, until_us, said_us, said_by FROM report_delay WHERE "
         "incident = ?1 ORDER BY issuer, serial LIMIT 1000"},
    [REPORT_SQL_ROLES] = {"report.ask-roles",
                          "SELECT role, holder, since_us, until_us FROM incident_role WHERE incident = ?1 "
                          "ORDER BY role, since_us LIMIT 1000"},
    [REPORT_SQL_HANDED] =
        {"report.ask-handed",
         "SELECT number, kind, handed_us, handed_by, where_to, sha256 FROM report_handed WHERE "
         "incident = ?1 ORDER BY number LIMIT 1000"},
    [REPORT_SQL_INCIDENT] =
        {"report.ask-incident",
         "SELECT status, title, source, cause, severity, restricted, drill, aware_us, must_us, opened_us, "
         "opened_by, contained_us, scope_version, late_us, closed_us FROM incident WHERE id = ?1"},
    [REPORT_SQL_MASS] =
        {"report.ask-mass",
         "SELECT p.mass, p.end_us, m.count, m.batches, m.reason FROM incident i JOIN incident_plan p ON "
         "p.incident = i.id AND p.scope_version = i.scope_version JOIN mass m ON m.id = p.mass WHERE "
         "i.id = ?1 ORDER BY p.version DESC LIMIT 1"},
    [REPORT_SQL_BATCHES] =
        {"report.ask-batches",
         "SELECT tier, issuer, first, last, status, already, revoked_us FROM mass_batch WHERE mass = ?1 "
         "AND batch >= ?2 AND batch < ?3 ORDER BY batch"},
    [REPORT_SQL_MEMBERS] =
        {"report.ask-members",
         "SELECT serial, state FROM mass_member WHERE mass = ?1 AND tier = ?2 AND issuer = ?3 AND "
         "serial >= ?4 AND serial <= ?5 ORDER BY serial LIMIT 10000"},
    [REPORT_SQL_CERTIFICATES] =
        {"report.ask-certificates",
         "SELECT serial, sha256, not_after_us, profile, shard FROM certificate WHERE issuer = ?1 "
         "AND serial >= ?2 AND serial <= ?3 AND copy = 0 ORDER BY serial"},
    [REPORT_SQL_REVOCATION] = {"report.ask-revocation",
                               "SELECT revoked_us, reason FROM revocation WHERE issuer = ?1 AND "
                               "shard = ?2 AND serial = ?3"},
    [REPORT_SQL_RESTRICTED] = {"report.ask-restricted",
                               "SELECT 1 FROM incident WHERE id = ?1 AND restricted = 1"},
    [REPORT_SQL_GRANTS] = {"report.ask-grants",
                           "SELECT body FROM event WHERE subject = ?1 AND time_us > ?2 AND "
                           "kind = 'report.granted' ORDER BY time_us LIMIT 1000"},
    [REPORT_SQL_DER] = {"report.ask-der", "SELECT der FROM certificate_der WHERE issuer = ?1 AND serial = ?2 "
                                          "AND copy = 0"},
    [REPORT_SQL_FEW] = {"report.ask-few",
                        "SELECT sha256, not_before_us FROM certificate WHERE issuer = ?1 AND "
                        "serial = ?2 AND copy = 0"},
};
static const struct ca_query_sql ask_sql = {report_ask_sql, LT_COUNT(report_ask_sql)};

enum argument { BY_NONE, BY_ID, BY_SUBJECT };

/* One list of the answer: rows of one statement. */
static const struct list {
    const char *name;
    size_t sql;
    enum argument by;
    struct column_row columns[COLUMNS_MAX]; /* NULL ends them */
} lists[] = {
    {"sections",
     REPORT_SQL_SECTIONS,
     BY_ID,
     {{"incident", NUMBER},
      {"kind", TEXT},
      {"section", TEXT},
      {"role", TEXT},
      {"due", TIME},
      {"text", TEXT},
      {"written", TIME},
      {"written_by", TEXT},
      {"signed", TIME},
      {"signed_by", TEXT}}},
    {"causes",
     REPORT_SQL_CAUSES,
     BY_ID,
     {{"cause", NUMBER},
      {"title", TEXT},
      {"description", TEXT},
      {"timeline", TEXT},
      {"detection", TEXT},
      {"interaction", TEXT},
      {"method", TEXT}}},
    {"whys",
     REPORT_SQL_WHYS,
     BY_ID,
     {{"cause", NUMBER}, {"step", NUMBER}, {"question", TEXT}, {"answer", TEXT}, {"evidence", TEXT}}},
    {"bones",
     REPORT_SQL_BONES,
     BY_ID,
     {{"bone", NUMBER}, {"cause", NUMBER}, {"category", TEXT}, {"text", TEXT}}},
    {"lessons",
     REPORT_SQL_LESSONS,
     BY_ID,
     {{"lesson", NUMBER}, {"kind", TEXT}, {"text", TEXT}, {"actions", TEXT}}},
    {"actions",
     REPORT_SQL_ACTIONS,
     BY_SUBJECT,
     {{"id", NUMBER},
      {"title", TEXT},
      {"kind", TEXT},
      {"causes", TEXT},
      {"criteria", TEXT},
      {"owner", TEXT},
      {"status", TEXT},
      {"due", TIME}}},
    {"events",
     REPORT_SQL_EVENTS,
     BY_SUBJECT,
     {{"time", TIME}, {"chain", TEXT}, {"sequence", NUMBER}, {"kind", TEXT}, {"body", RAW}, {"us", NUMBER}}},
    {"problems",
     REPORT_SQL_PROBLEMS,
     BY_ID,
     {{"problem", NUMBER},
      {"time", TIME},
      {"chain", TEXT},
      {"sequence", NUMBER},
      {"kind", TEXT},
      {"body", RAW},
      {"us", NUMBER}}},
    {"clocks",
     REPORT_SQL_CLOCKS,
     BY_SUBJECT,
     {{"duty", TEXT},
      {"start", TIME},
      {"force", TEXT},
      {"section", TEXT},
      {"aim", TIME},
      {"due", TIME},
      {"status", TEXT},
      {"met", TIME},
      {"proof", TEXT}}},
    {"halts",
     REPORT_SQL_HALTS,
     BY_ID,
     {{"id", TEXT},
      {"kind", TEXT},
      {"value", TEXT},
      {"reason", TEXT},
      {"since", TIME},
      {"lifted", TIME},
      {"build", TEXT},
      {"proof", TEXT},
      {"us", NUMBER}}},
    {"scopes",
     REPORT_SQL_SCOPES,
     BY_ID,
     {{"version", NUMBER},
      {"text", TEXT},
      {"count", NUMBER},
      {"as_of", TIME},
      {"detected", TIME},
      {"wrong", TEXT},
      {"avoided", TEXT},
      {"saved", TIME},
      {"saved_by", TEXT}}},
    {"plans",
     REPORT_SQL_PLANS,
     BY_ID,
     {{"version", NUMBER},
      {"scope_version", NUMBER},
      {"mass", NUMBER},
      {"status", TEXT},
      {"count", NUMBER},
      {"start", TIME},
      {"end", TIME},
      {"must", TIME},
      {"late", NUMBER},
      {"set", TIME},
      {"made", TIME}}},
    {"masses",
     REPORT_SQL_MASSES,
     BY_ID,
     {{"version", NUMBER},
      {"id", NUMBER},
      {"status", TEXT},
      {"count", NUMBER},
      {"revoked", NUMBER},
      {"already", NUMBER},
      {"held", NUMBER},
      {"created", TIME},
      {"started", TIME},
      {"ended", TIME},
      {"must", TIME},
      {"late_because", TEXT},
      {"reason", NUMBER},
      {"us", NUMBER}}},
    {"holds",
     REPORT_SQL_HOLDS,
     BY_NONE,
     {{"issuer", NUMBER},
      {"serial", HEX},
      {"since", TIME},
      {"reason", TEXT},
      {"reference", TEXT},
      {"lifted", TIME}}},
    {"delays",
     REPORT_SQL_DELAYS,
     BY_ID,
     {{"issuer", NUMBER},
      {"serial", HEX},
      {"reason", TEXT},
      {"until", TIME},
      {"said", TIME},
      {"said_by", TEXT}}},
    {"roles", REPORT_SQL_ROLES, BY_ID, {{"role", TEXT}, {"holder", TEXT}, {"since", TIME}, {"until", TIME}}},
    {"handed",
     REPORT_SQL_HANDED,
     BY_ID,
     {{"number", NUMBER}, {"kind", TEXT}, {"handed", TIME}, {"by", TEXT}, {"where", TEXT}, {"sha256", HEX}}},
};

static void write_column(struct query_out *o, const struct column_row *c, const struct store_rows *rows,
                         int at)
{
    switch (c->kind) {
    case TEXT:
        query_text(o, c->name, store_bytes(rows, at));
        break;
    case NUMBER:
        query_int(o, c->name, store_int(rows, at));
        break;
    case TIME:
        query_time(o, c->name, store_int(rows, at));
        break;
    case RAW:
        query_raw(o, c->name, store_bytes(rows, at));
        break;
    case HEX:
        query_hex(o, c->name, store_bytes(rows, at));
        break;
    }
}

static lt_res write_list(const struct ca_query *query, struct query_out *o, const struct list *l, int64_t id)
{
    char subject[40];
    struct store_rows rows;
    (void)snprintf(subject, sizeof(subject), "incident %lld", (long long)id);
    const struct store_value v = l->by == BY_SUBJECT ? STORE_S(subject) : STORE_I(id);
    LT_TRY(store_query(query->store, &report_ask_sql[l->sql], &v, l->by == BY_NONE ? 0 : 1, &rows));
    query_open(o, l->name, '[');
    while (store_next(&rows)) {
        query_open(o, NULL, '{');
        for (int k = 0; k < COLUMNS_MAX && l->columns[k].name != NULL; k++) {
            write_column(o, &l->columns[k], &rows, k);
        }
        query_close(o, '}');
    }
    query_close(o, ']');
    return store_rows_end(&rows);
}

static const struct column_row incident_columns[] = {
    {"status", TEXT},          {"title", TEXT},     {"source", TEXT},
    {"cause", TEXT},           {"severity", TEXT},  {"restricted", NUMBER},
    {"drill", NUMBER},         {"aware", TIME},     {"must", TIME},
    {"opened", TIME},          {"opened_by", TEXT}, {"contained", TIME},
    {"scope_version", NUMBER}, {"late", TIME},      {"closed", TIME}};

enum { GRANT_S = 15 * 60 };

/* By the word that the registrar gave to somebody who has a role in it. */
static lt_res is_granted(const struct ca_query *query, int64_t id, bool *ret_granted)
{
    struct store_rows rows;
    lt_slice token = {NULL, 0};
    uint8_t hash[CRYPTO_SHA256_LEN];
    char subject[40];
    bool read = !lt_failed(lt_unhex(query->arena, lt_slice_cstr(query->q->by), &token)) && token.len == 32;
    (void)snprintf(subject, sizeof(subject), "incident %lld", (long long)id);
    crypto_sha256(token, hash);
    const char *wanted = lt_hex(query->arena, LT_SLICE(hash, sizeof(hash)));
    LT_CHECK(wanted != NULL, LT_PEER_TOO_LARGE, "the answer is over the limit");
    LT_TRY(store_query(query->store, &report_ask_sql[REPORT_SQL_GRANTS],
                       STORE_ARGS(STORE_S(subject), STORE_I(query->now.us - GRANT_S * LT_US_PER_SECOND)),
                       &rows));
    *ret_granted = false;
    while (store_next(&rows)) {
        *ret_granted = *ret_granted || (read && strstr(store_cstr(&rows, 0), wanted) != NULL);
    }
    return store_rows_end(&rows);
}

static lt_res check_restricted(const struct ca_query *query, int64_t id)
{
    struct store_rows rows;
    bool granted = false;
    bool has_role = false;
    LT_TRY(store_query(query->store, &report_ask_sql[REPORT_SQL_RESTRICTED], STORE_ARGS(STORE_I(id)), &rows));
    bool restricted = store_next(&rows);
    LT_TRY(store_rows_end(&rows));
    LT_TRY(restricted ? is_granted(query, id, &granted) : LT_OK);
    LT_TRY(restricted ? incident_ask_has_role(query, id, &has_role) : LT_OK);
    LT_CHECK(
        !restricted || granted || has_role, LT_PEER_NOT_FOUND,
        "there is no incident %lld that everybody may see; who has a role in a restricted one signs for it "
        "(--mine)",
        (long long)id);
    return LT_OK;
}

lt_res report_ask_incident(const struct ca_query *query, int64_t *ret_id)
{
    uint64_t id = 0;
    LT_CHECK(!lt_failed(lt_parse_u64(lt_slice_cstr(query->q->id), INT64_MAX, &id)) && id > 0,
             LT_PEER_NOT_FOUND, "there is no incident \"%.40s\"", query->q->id);
    *ret_id = (int64_t)id;
    return check_restricted(query, (int64_t)id);
}

static lt_res write_incident(const struct ca_query *query, struct query_out *o, int64_t id)
{
    struct store_rows rows;
    LT_TRY(store_query(query->store, &report_ask_sql[REPORT_SQL_INCIDENT], STORE_ARGS(STORE_I(id)), &rows));
    bool found = store_next(&rows);
    if (found) {
        query_open(o, "incident", '{');
        query_int(o, "id", id);
        for (int k = 0; k < (int)LT_COUNT(incident_columns); k++) {
            write_column(o, &incident_columns[k], &rows, k);
        }
        query_close(o, '}');
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(found, LT_PEER_NOT_FOUND, "there is no incident %lld", (long long)id);
    return LT_OK;
}

static lt_res write_issuers(const struct ca_query *query, struct query_out *o)
{
    struct query_tables t;
    LT_TRY(query_tables_load(query, &t));
    query_open(o, "issuers", '[');
    for (size_t i = 0; i < t.issuer_count; i++) {
        query_open(o, NULL, '{');
        query_int(o, "id", t.issuers[i].id);
        query_cstr(o, "name", t.issuers[i].name);
        query_close(o, '}');
    }
    query_close(o, ']');
    query_open(o, "profiles", '[');
    for (size_t i = 0; i < t.profile_count; i++) {
        query_open(o, NULL, '{');
        query_int(o, "id", t.profiles[i].id);
        query_cstr(o, "name", t.profiles[i].name);
        query_close(o, '}');
    }
    query_close(o, ']');
    return LT_OK;
}

lt_res report_ask_facts(const struct ca_query *query, struct query_out *o)
{
    int64_t id = 0;
    LT_TRY(report_ask_incident(query, &id));
    LT_TRY(write_incident(query, o, id));
    query_time(o, "now", query->now.us);
    query_cstr(o, "build", query->build);
    for (size_t i = 0; i < LT_COUNT(lists); i++) {
        LT_TRY(write_list(query, o, &lists[i], id));
    }
    return write_issuers(query, o);
}

static const struct incident_question questions[] = {
    {"report.facts", report_ask_facts},       {"report.members", report_ask_members},
    {"report.preliminary", report_ask_draft}, {"report.full", report_ask_draft},
    {"report.delayed", report_ask_draft},     {"report.closure", report_ask_draft},
    {"report.timeline", report_ask_timeline}, {"report.appendix", report_ask_appendix},
};

const struct incident_questions incident_questions_report = {questions, LT_COUNT(questions), &ask_sql};
