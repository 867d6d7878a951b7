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
    SQL_BATCHES,
    SQL_MEMBERS,
    SQL_CERTIFICATES,
    SQL_REVOCATION,
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
                   "WHERE issuer > 0 AND lifted_us = 0 ORDER BY issuer, serial LIMIT 1000"},
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
    [SQL_MASS] =
        {"report.ask-mass",
         "SELECT p.mass, p.end_us, m.count, m.batches, m.reason FROM incident i JOIN incident_plan p ON "
         "p.incident = i.id AND p.scope_version = i.scope_version JOIN mass m ON m.id = p.mass WHERE "
         "i.id = ?1 ORDER BY p.version DESC LIMIT 1"},
    [SQL_BATCHES] =
        {"report.ask-batches",
         "SELECT tier, issuer, first, last, status, already, revoked_us FROM mass_batch WHERE mass = ?1 "
         "AND batch >= ?2 AND batch < ?3 ORDER BY batch"},
    [SQL_MEMBERS] =
        {"report.ask-members",
         "SELECT serial, state FROM mass_member WHERE mass = ?1 AND tier = ?2 AND issuer = ?3 AND "
         "serial >= ?4 AND serial <= ?5 ORDER BY serial LIMIT 10000"},
    [SQL_CERTIFICATES] =
        {"report.ask-certificates",
         "SELECT serial, sha256, not_after_us, profile, shard FROM certificate WHERE issuer = ?1 "
         "AND serial >= ?2 AND serial <= ?3 AND copy = 0 ORDER BY serial"},
    [SQL_REVOCATION] = {"report.ask-revocation",
                        "SELECT revoked_us, reason FROM revocation WHERE issuer = ?1 AND "
                        "shard = ?2 AND serial = ?3"},
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

/* A member as it goes out, big-endian: SHA-256, notAfter and revocationDate in seconds (0: none), reason,
 * issuer, profile; with evidence=1 the serial number behind its length, filled up. */
enum {
    BATCHES_PAGE = 10,
    BATCH_ROWS = 10000,
    ROW_SHORT = 32 + 4 + 4 + 1 + 1 + 1,
    ROW_LONG = ROW_SHORT + 1 + 20,
    SERIAL_MAX = 20,
    STRIDE = 16,
    FEW = 10000
};

/* Consecutive members of one tier and issuer, as they were sealed. */
struct batch {
    int64_t tier;
    int64_t issuer;
    lt_slice first; /* in the arena */
    lt_slice last;
    bool done; /* all of it was revoked by this batch, but what was left out */
    int64_t revoked_us;
};

struct listed {
    const struct ca_query *query;
    int64_t mass;
    int64_t count;
    int64_t batches;
    int64_t reason;
    int64_t end_us;
    size_t size; /* of a row */
    struct lt_buf packed;
};

struct certificate {
    lt_slice sha256;
    int64_t not_after_us;
    int64_t profile;
    int64_t shard;
    int64_t revoked_us;
    int64_t reason;
};

static void put32(uint8_t *p, int64_t us)
{
    uint32_t s = (uint32_t)(us / LT_US_PER_SECOND);
    for (int i = 0; i < 4; i++) {
        p[i] = (uint8_t)(s >> (24 - 8 * i));
    }
}

static void put_row(struct listed *l, const struct batch *b, lt_slice serial, const struct certificate *c)
{
    uint8_t *p = lt_buf_extend(&l->packed, l->size);
    LT_ASSERT(p != NULL);
    (void)memset(p, 0, l->size);
    if (c->sha256.len == 32) { /* what was brought in without its bytes has none */
        (void)memcpy(p, c->sha256.ptr, 32);
    }
    put32(p + 32, c->not_after_us);
    put32(p + 36, c->revoked_us);
    p[40] = (uint8_t)c->reason;
    p[41] = (uint8_t)b->issuer;
    p[42] = (uint8_t)c->profile;
    if (l->size == ROW_LONG && serial.len <= SERIAL_MAX) {
        p[43] = (uint8_t)serial.len;
        (void)memcpy(p + 44, serial.ptr, serial.len);
    }
}

static lt_res find_revocation(struct listed *l, const struct batch *b, lt_slice serial, struct certificate *c)
{
    struct store_rows rows;
    LT_TRY(store_query(l->query->store, &sql[SQL_REVOCATION],
                       STORE_ARGS(STORE_I(b->issuer), STORE_I(c->shard), STORE_B(serial)), &rows));
    if (store_next(&rows)) {
        c->revoked_us = store_int(&rows, 0);
        c->reason = store_int(&rows, 1);
    }
    return store_rows_end(&rows);
}

static lt_res open_certificates(struct listed *l, const struct batch *b, lt_slice from,
                                struct store_rows *ret)
{
    return store_query(l->query->store, &sql[SQL_CERTIFICATES],
                       STORE_ARGS(STORE_I(b->issuer), STORE_B(from), STORE_B(b->last)), ret);
}

/* Certificates of the same range walk beside the members; where too many of them are none, a leap. */
static lt_res walk(struct listed *l, const struct batch *b, struct store_rows *members,
                   struct store_rows *all)
{
    bool there = store_next(all);
    while (store_next(members)) {
        lt_slice serial = store_bytes(members, 0);
        struct certificate c = {.revoked_us = 0};
        for (int i = 0; there && lt_slice_cmp(store_bytes(all, 0), serial) < 0; i++) {
            if (i == STRIDE) {
                LT_TRY(store_rows_end(all));
                LT_TRY(open_certificates(l, b, serial, all));
            }
            there = store_next(all);
        }
        if (there && lt_slice_eq(store_bytes(all, 0), serial)) {
            c.sha256 = store_bytes(all, 1);
            c.not_after_us = store_int(all, 2);
            c.profile = store_int(all, 3);
            c.shard = store_int(all, 4);
        }
        if (!b->done) {
            LT_TRY(find_revocation(l, b, serial, &c));
        } else if (store_int(members, 1) == 0) {
            c.revoked_us = b->revoked_us;
            c.reason = l->reason;
        }
        put_row(l, b, serial, &c);
    }
    return LT_OK;
}

static lt_res add_batch(struct listed *l, const struct batch *b)
{
    struct store_rows members;
    struct store_rows all;
    LT_TRY(store_query(l->query->store, &sql[SQL_MEMBERS],
                       STORE_ARGS(STORE_I(l->mass), STORE_I(b->tier), STORE_I(b->issuer), STORE_B(b->first),
                                  STORE_B(b->last)),
                       &members));
    lt_res r = open_certificates(l, b, b->first, &all);
    if (lt_failed(r)) {
        lt_ignore(store_rows_end(&members)); /* the other failure is what is told */
        return r;
    }
    r = walk(l, b, &members, &all);
    lt_res ends[] = {store_rows_end(&members), store_rows_end(&all)};
    LT_TRY(r);
    LT_TRY(ends[0]);
    return ends[1];
}

static lt_res load_batches(struct listed *l, int64_t from, struct batch list[BATCHES_PAGE], size_t *ret_count)
{
    struct store_rows rows;
    size_t n = 0;
    LT_TRY(store_query(l->query->store, &sql[SQL_BATCHES],
                       STORE_ARGS(STORE_I(l->mass), STORE_I(from), STORE_I(from + BATCHES_PAGE)), &rows));
    while (n < BATCHES_PAGE && store_next(&rows)) {
        bool done = strcmp(store_cstr(&rows, 4), "done") == 0 && store_int(&rows, 5) == 0;
        list[n++] = (struct batch){
            .tier = store_int(&rows, 0),
            .issuer = store_int(&rows, 1),
            .first = lt_arena_copy(l->query->arena, store_bytes(&rows, 2)),
            .last = lt_arena_copy(l->query->arena, store_bytes(&rows, 3)),
            .done = done &&
                    l->count >= FEW, /* of a few each is looked at: its reason may be another by now */
            .revoked_us = store_int(&rows, 6),
        };
    }
    *ret_count = n;
    return store_rows_end(&rows);
}

static lt_res load_list(struct listed *l, int64_t incident)
{
    struct store_rows rows;
    LT_TRY(store_query(l->query->store, &sql[SQL_MASS], STORE_ARGS(STORE_I(incident)), &rows));
    if (store_next(&rows)) {
        l->mass = store_int(&rows, 0);
        l->end_us = store_int(&rows, 1);
        l->count = store_int(&rows, 2);
        l->batches = store_int(&rows, 3);
        l->reason = store_int(&rows, 4);
    }
    return store_rows_end(&rows);
}

static lt_res add_page(struct listed *l)
{
    struct batch list[BATCHES_PAGE];
    size_t count = 0;
    int64_t page = l->query->q->version > 0 ? l->query->q->version : 1;
    LT_TRY(load_batches(l, (page - 1) * BATCHES_PAGE, list, &count));
    for (size_t i = 0; i < count; i++) {
        LT_CHECK(list[i].first.ptr != NULL && list[i].last.ptr != NULL, LT_PEER_TOO_LARGE, "over the limit");
        LT_TRY(add_batch(l, &list[i]));
    }
    return LT_OK;
}

/* Page by page, a hundred thousand each (version=N, from 1). Without a plan for the scope as it is now there
 * is no frozen list: mass is 0, and the expression is asked. pages 0: it is still being frozen. */
static lt_res answer_members(const struct ca_query *query, struct query_out *o)
{
    struct listed l = {.query = query, .size = query->q->evidence ? ROW_LONG : ROW_SHORT};
    int64_t id = 0;
    LT_TRY(incident_of(query, &id));
    LT_TRY(load_list(&l, id));
    query_int(o, "mass", l.mass);
    query_int(o, "pages", (l.batches + BATCHES_PAGE - 1) / BATCHES_PAGE);
    query_time(o, "end", l.end_us);
    query_int(o, "row", (int64_t)l.size);
    lt_buf_init(&l.packed, (size_t)BATCHES_PAGE * BATCH_ROWS * ROW_LONG);
    lt_res r = l.mass == 0 ? LT_OK : add_page(&l);
    query_base64(o, "rows", lt_buf_slice(&l.packed));
    lt_buf_done(&l.packed);
    return r;
}

static const struct incident_question questions[] = {
    {"report.facts", answer_facts},
    {"report.members", answer_members},
};

const struct incident_questions incident_questions_report = {questions, LT_COUNT(questions), &ask_sql};
