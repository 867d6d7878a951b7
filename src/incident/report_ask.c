/* What reports are made of, as one answer: everything that the book knows of an incident and a person has
 * written. And its certificates, page after page of short rows, for appendices of millions of lines. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "crypto/digest.h"
#include "incident/ask.h"

enum column { TEXT, NUMBER, TIME, RAW, HEX };

struct column_row {
    const char *name;
    enum column kind;
};

enum { COLUMNS_MAX = 16 };

enum {
    SQL_SECTIONS,
    SQL_CAUSES,
    SQL_WHYS,
    SQL_BONES,
    SQL_LESSONS,
    SQL_ACTIONS,
    SQL_EVENTS,
    SQL_PROBLEMS,
    SQL_CLOCKS,
    SQL_HALTS,
    SQL_SCOPES,
    SQL_PLANS,
    SQL_MASSES,
    SQL_HOLDS,
    SQL_DELAYS,
    SQL_ROLES,
    SQL_HANDED,
    SQL_INCIDENT,
    SQL_MASS,
    SQL_MEMBERS,
    SQL_RESTRICTED,
    SQL_GRANTS
};
static const struct store_sql sql[] = {
    [SQL_SECTIONS] =
        {"report.ask-sections",
         "SELECT incident, kind, section, role, due_us, text, written_us, written_by, signed_us, signed_by "
         "FROM report_section WHERE incident = 0 OR incident = ?1 ORDER BY incident, kind, section LIMIT "
         "1000"},
    [SQL_CAUSES] = {"report.ask-causes",
                    "SELECT cause, title, description, timeline, detection, interaction, method "
                    "FROM report_cause WHERE incident = ?1 AND dropped_us = 0 ORDER BY cause LIMIT 100"},
    [SQL_WHYS] = {"report.ask-whys",
                  "SELECT cause, step, question, answer, evidence FROM report_why WHERE incident = ?1 "
                  "ORDER BY cause, step LIMIT 1000"},
    [SQL_BONES] = {"report.ask-bones",
                   "SELECT bone, cause, category, text FROM report_bone WHERE incident = ?1 AND "
                   "dropped_us = 0 ORDER BY bone LIMIT 1000"},
    [SQL_LESSONS] = {"report.ask-lessons",
                     "SELECT lesson, kind, text, actions FROM report_lesson WHERE incident = ?1 AND "
                     "dropped_us = 0 ORDER BY lesson LIMIT 1000"},
    [SQL_ACTIONS] = {"report.ask-actions",
                     "SELECT id, title, kind, causes, criteria, owner, status, due_us FROM "
                     "incident_action WHERE subject = ?1 ORDER BY id LIMIT 1000"},
    [SQL_EVENTS] = {"report.ask-events",
                    "SELECT time_us, chain, sequence, kind, body FROM event WHERE subject = ?1 AND "
                    "(kind LIKE 'incident.%' OR kind LIKE 'report.%') "
                    "ORDER BY time_us LIMIT 1000"},
    [SQL_PROBLEMS] =
        {"report.ask-problems",
         "SELECT p.problem, e.time_us, e.chain, e.sequence, e.kind, e.body FROM incident_problem p "
         "JOIN event e ON e.subject = 'problem ' || p.problem WHERE p.incident = ?1 ORDER BY p.problem, "
         "e.time_us "
         "LIMIT 1000"},
    [SQL_CLOCKS] = {"report.ask-clocks",
                    "SELECT duty, start_us, force, section, aim_us, due_us, status, met_us, proof FROM "
                    "clock WHERE subject = ?1 ORDER BY id LIMIT 1000"},
    [SQL_HALTS] =
        {"report.ask-halts",
         "SELECT h.id, h.kind, h.value, h.reason, h.since_us, coalesce(h.lifted_us, 0), i.build, i.proof "
         "FROM "
         "incident_halt i JOIN halt h ON h.id = i.halt WHERE i.incident = ?1 ORDER BY i.added_us LIMIT 1000"},
    [SQL_SCOPES] =
        {"report.ask-scopes",
         "SELECT version, text, count, as_of_us, detected_us, wrong, avoided, saved_us, saved_by FROM "
         "incident_scope WHERE incident = ?1 ORDER BY version LIMIT 1000"},
    [SQL_PLANS] = {"report.ask-plans", "SELECT version, scope_version, mass, status, count, start_us, "
                                       "end_us, must_us, late, set_us, made_us FROM "
                                       "incident_plan WHERE incident = ?1 ORDER BY version LIMIT 1000"},
    [SQL_MASSES] = {"report.ask-masses", "SELECT p.version, m.id, m.status, m.count, m.revoked, m.already, "
                                         "m.held, m.created_us, m.started_us, "
                                         "m.ended_us, m.must_us, m.late_because, m.reason FROM incident_plan "
                                         "p JOIN mass m ON m.id = p.mass WHERE "
                                         "p.incident = ?1 ORDER BY p.version LIMIT 100"},
    [SQL_HOLDS] = {"report.ask-holds",
                   "SELECT issuer, serial, since_us, reason, reference, lifted_us FROM revocation_hold "
                   "WHERE lifted_us = 0 ORDER BY issuer, serial, since_us LIMIT 1000"},
    [SQL_DELAYS] = {"report.ask-delays",
                    "SELECT issuer, serial, reason, until_us, said_us, said_by FROM report_delay WHERE "
                    "incident = ?1 ORDER BY issuer, serial LIMIT 1000"},
    [SQL_ROLES] = {"report.ask-roles",
                   "SELECT role, holder, since_us, until_us FROM incident_role WHERE incident = ?1 "
                   "ORDER BY role, since_us LIMIT 1000"},
    [SQL_HANDED] = {"report.ask-handed",
                    "SELECT number, kind, handed_us, handed_by, where_to, sha256 FROM report_handed WHERE "
                    "incident = ?1 ORDER BY number LIMIT 1000"},
    [SQL_INCIDENT] =
        {"report.ask-incident",
         "SELECT status, title, source, cause, severity, restricted, drill, aware_us, must_us, opened_us, "
         "opened_by, contained_us, scope_version, late_us, closed_us FROM incident WHERE id = ?1"},
    [SQL_MASS] = {"report.ask-mass",
                  "SELECT p.mass, p.end_us FROM incident i JOIN incident_plan p ON p.incident = i.id AND "
                  "p.scope_version = i.scope_version WHERE i.id = ?1 ORDER BY p.version DESC LIMIT 1"},
    [SQL_MEMBERS] =
        {"report.ask-members",
         "SELECT m.tier, m.issuer, m.serial, c.sha256, c.not_after_us, c.profile, r.recorded_us, r.reason "
         "FROM mass_member m JOIN certificate c ON c.issuer = m.issuer AND c.serial = m.serial AND "
         "c.copy = 0 LEFT JOIN revocation r ON r.issuer = c.issuer AND r.shard = c.shard AND "
         "r.serial = c.serial WHERE m.mass = ?1 AND (m.tier, m.issuer, m.serial) > (?2, ?3, ?4) "
         "ORDER BY m.tier, m.issuer, m.serial LIMIT ?5"},
    [SQL_RESTRICTED] = {"report.ask-restricted", "SELECT 1 FROM incident WHERE id = ?1 AND restricted = 1"},
    [SQL_GRANTS] = {"report.ask-grants", "SELECT body FROM event WHERE subject = ?1 AND time_us > ?2 AND "
                                         "kind = 'report.granted' ORDER BY time_us LIMIT 1000"},
};
static const struct ca_query_sql ask_sql = {sql, LT_COUNT(sql)};

enum argument { BY_NONE, BY_ID, BY_SUBJECT };

/* One list of the answer: rows of one statement. */
static const struct list {
    const char *name;
    size_t sql;
    enum argument by;
    struct column_row columns[COLUMNS_MAX]; /* NULL ends them */
} lists[] = {
    {"sections",
     SQL_SECTIONS,
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
     SQL_CAUSES,
     BY_ID,
     {{"cause", NUMBER},
      {"title", TEXT},
      {"description", TEXT},
      {"timeline", TEXT},
      {"detection", TEXT},
      {"interaction", TEXT},
      {"method", TEXT}}},
    {"whys",
     SQL_WHYS,
     BY_ID,
     {{"cause", NUMBER}, {"step", NUMBER}, {"question", TEXT}, {"answer", TEXT}, {"evidence", TEXT}}},
    {"bones", SQL_BONES, BY_ID, {{"bone", NUMBER}, {"cause", NUMBER}, {"category", TEXT}, {"text", TEXT}}},
    {"lessons", SQL_LESSONS, BY_ID, {{"lesson", NUMBER}, {"kind", TEXT}, {"text", TEXT}, {"actions", TEXT}}},
    {"actions",
     SQL_ACTIONS,
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
     SQL_EVENTS,
     BY_SUBJECT,
     {{"time", TIME}, {"chain", TEXT}, {"sequence", NUMBER}, {"kind", TEXT}, {"body", RAW}}},
    {"problems",
     SQL_PROBLEMS,
     BY_ID,
     {{"problem", NUMBER},
      {"time", TIME},
      {"chain", TEXT},
      {"sequence", NUMBER},
      {"kind", TEXT},
      {"body", RAW}}},
    {"clocks",
     SQL_CLOCKS,
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
     SQL_HALTS,
     BY_ID,
     {{"id", TEXT},
      {"kind", TEXT},
      {"value", TEXT},
      {"reason", TEXT},
      {"since", TIME},
      {"lifted", TIME},
      {"build", TEXT},
      {"proof", TEXT}}},
    {"scopes",
     SQL_SCOPES,
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
     SQL_PLANS,
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
     SQL_MASSES,
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
      {"reason", NUMBER}}},
    {"holds",
     SQL_HOLDS,
     BY_NONE,
     {{"issuer", NUMBER},
      {"serial", HEX},
      {"since", TIME},
      {"reason", TEXT},
      {"reference", TEXT},
      {"lifted", TIME}}},
    {"delays",
     SQL_DELAYS,
     BY_ID,
     {{"issuer", NUMBER},
      {"serial", HEX},
      {"reason", TEXT},
      {"until", TIME},
      {"said", TIME},
      {"said_by", TEXT}}},
    {"roles", SQL_ROLES, BY_ID, {{"role", TEXT}, {"holder", TEXT}, {"since", TIME}, {"until", TIME}}},
    {"handed",
     SQL_HANDED,
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
    LT_TRY(store_query(query->store, &sql[l->sql], &v, l->by == BY_NONE ? 0 : 1, &rows));
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
    LT_TRY(store_query(query->store, &sql[SQL_GRANTS],
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
    LT_TRY(store_query(query->store, &sql[SQL_RESTRICTED], STORE_ARGS(STORE_I(id)), &rows));
    bool restricted = store_next(&rows);
    LT_TRY(store_rows_end(&rows));
    LT_TRY(restricted ? is_granted(query, id, &granted) : LT_OK);
    LT_CHECK(
        !restricted || granted, LT_PEER_NOT_FOUND,
        "there is no incident %lld that everybody may see; who has a role in a restricted one signs for it "
        "(--mine)",
        (long long)id);
    return LT_OK;
}

static lt_res incident_of(const struct ca_query *query, int64_t *ret_id)
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
    LT_TRY(store_query(query->store, &sql[SQL_INCIDENT], STORE_ARGS(STORE_I(id)), &rows));
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

static lt_res answer_facts(const struct ca_query *query, struct query_out *o)
{
    int64_t id = 0;
    LT_TRY(incident_of(query, &id));
    LT_TRY(write_incident(query, o, id));
    query_time(o, "now", query->now.us);
    query_cstr(o, "build", query->build);
    for (size_t i = 0; i < LT_COUNT(lists); i++) {
        LT_TRY(write_list(query, o, &lists[i], id));
    }
    return write_issuers(query, o);
}

/* ---- certificates ---- */

/* A member as it goes out, big-endian: SHA-256, notAfter and the revocation in seconds (0: none), reason,
 * issuer, profile; with evidence=1 the serial number behind its length, filled up. */
enum { ROWS_PAGE = 100000, ROW_SHORT = 32 + 4 + 4 + 1 + 1 + 1, ROW_LONG = ROW_SHORT + 1 + 20 };

static void put32(uint8_t *p, int64_t us)
{
    uint32_t s = (uint32_t)(us / LT_US_PER_SECOND);
    for (int i = 0; i < 4; i++) {
        p[i] = (uint8_t)(s >> (24 - 8 * i));
    }
}

static void put_row(uint8_t *p, const struct store_rows *rows, bool with_serial)
{
    lt_slice hash = store_bytes(rows, 3);
    lt_slice serial = store_bytes(rows, 2);
    (void)memset(p, 0, with_serial ? ROW_LONG : ROW_SHORT);
    if (hash.len == 32) { /* what was brought in without its bytes has none */
        (void)memcpy(p, hash.ptr, 32);
    }
    put32(p + 32, store_int(rows, 4));
    put32(p + 36, store_int(rows, 6));
    p[40] = (uint8_t)store_int(rows, 7);
    p[41] = (uint8_t)store_int(rows, 1);
    p[42] = (uint8_t)store_int(rows, 5);
    if (with_serial && serial.len <= 20) {
        p[43] = (uint8_t)serial.len;
        (void)memcpy(p + 44, serial.ptr, serial.len);
    }
}

static lt_res members_mass(const struct ca_query *query, int64_t id, int64_t *ret_mass, int64_t *ret_end_us)
{
    struct store_rows rows;
    LT_TRY(store_query(query->store, &sql[SQL_MASS], STORE_ARGS(STORE_I(id)), &rows));
    *ret_mass = 0;
    *ret_end_us = 0;
    if (store_next(&rows)) {
        *ret_mass = store_int(&rows, 0);
        *ret_end_us = store_int(&rows, 1);
    }
    return store_rows_end(&rows);
}

/* Without a plan for the scope as it is now there is no frozen list: mass is 0, and the expression is asked.
 */
static lt_res answer_members(const struct ca_query *query, struct query_out *o)
{
    struct query_cursor at;
    struct store_rows rows;
    struct lt_buf packed;
    int64_t id = 0;
    int64_t mass = 0;
    int64_t end_us = 0;
    size_t count = 0;
    bool with_serial = query->q->evidence;
    size_t size = with_serial ? ROW_LONG : ROW_SHORT;
    LT_TRY(incident_of(query, &id));
    LT_TRY(query_cursor_read(query, 'R', &at));
    LT_TRY(members_mass(query, id, &mass, &end_us));
    query_int(o, "mass", mass);
    query_time(o, "end", end_us);
    LT_TRY(store_query(query->store, &sql[SQL_MEMBERS],
                       STORE_ARGS(STORE_I(mass), STORE_I(at.set ? at.key : -1), STORE_I(at.issuer),
                                  STORE_B(at.set ? at.serial : LT_LIT("")), STORE_I(ROWS_PAGE)),
                       &rows));
    at.set = false;
    lt_buf_init(&packed, (size_t)ROWS_PAGE * ROW_LONG);
    uint8_t last[20];
    while (store_next(&rows)) {
        uint8_t *p = lt_buf_extend(&packed, size);
        LT_ASSERT(p != NULL);
        put_row(p, &rows, with_serial);
        count++;
        if (count == ROWS_PAGE) {
            lt_slice serial = store_bytes(&rows, 2);
            size_t len = serial.len < sizeof(last) ? serial.len : sizeof(last);
            (void)memcpy(last, serial.ptr, len);
            at = (struct query_cursor){.set = true,
                                       .key = store_int(&rows, 0),
                                       .issuer = store_int(&rows, 1),
                                       .serial = LT_SLICE(last, len)};
        }
    }
    lt_res r = store_rows_end(&rows);
    query_int(o, "count", (int64_t)count);
    query_int(o, "row", (int64_t)size);
    query_base64(o, "rows", lt_buf_slice(&packed));
    lt_buf_done(&packed);
    query_cursor_write(o, 'R', &at);
    return r;
}

static const struct incident_question questions[] = {
    {"report.facts", answer_facts},
    {"report.members", answer_members},
};

const struct incident_questions incident_questions_report = {questions, LT_COUNT(questions), &ask_sql};
