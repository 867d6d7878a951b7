/* The questions of this area. */
#include "incident/problem_ask.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ca/api.h"
#include "ca/viewer.h"

#define COLUMNS                                                                                              \
    "SELECT id, status, kind, channel, received_us, sent_us, contact, reporter, may_name, authority, "       \
    "title, "                                                                                                \
    "cause, clause, raw_sha256, raw_bytes, kept_sha256, reading, tries, rank, rank_why, same_as, incident, " \
    "bug, acknowledged_us, triaged_us, found_us, told_us, decision, closed_us, revoked_us FROM problem "

const struct store_sql problem_ask_sql[PROBLEM_SQL_ROWS] = {
    [PROBLEM_SQL_VERDICT] = {"query.problem.verdict",
                             "SELECT e.findings FROM intent i JOIN intent_end e ON e.intent = i.id "
                             "WHERE i.issuer = ?1 AND i.serial = ?2 LIMIT 1"},
    [PROBLEM_SQL_DER] = {"query.problem.der",
                         "SELECT der FROM certificate_der WHERE issuer = ?1 AND serial = ?2 AND copy = 0"},
    [PROBLEM_SQL_PRIOR] = {"query.problem.prior",
                           "SELECT i.problem, p.received_us, p.status, p.decision FROM problem_item AS i "
                           "JOIN problem AS p ON p.id = i.problem WHERE i.issuer = ?1 AND i.issuer <> 0 AND "
                           "i.serial = ?2 AND i.problem <> ?3 ORDER BY i.problem LIMIT 50"},
    [PROBLEM_SQL_PRIOR_ACCOUNT] = {"query.problem.prior-account",
                                   "SELECT count(DISTINCT problem) FROM problem_item WHERE account = ?1 AND "
                                   "account <> 0 AND problem <> ?2"},
    [PROBLEM_SQL_CLAIM] =
        {"query.problem.claim",
         "SELECT received_us, cause, clause, kind, authority, channel, title, may_name FROM "
         "problem WHERE id = ?1"},
    [PROBLEM_SQL_PROVEN] = {"query.problem.proven", "SELECT name FROM problem_domain WHERE problem = ?1 AND "
                                                    "proven_us <> 0 ORDER BY name LIMIT 100"},
    [PROBLEM_SQL_ISSUED] = {"query.problem.issued",
                            "SELECT issued_us, rule_set, build, oldest_validation_us, "
                            "oldest_caa_us, name_count FROM certificate WHERE issuer = ?1 "
                            "AND serial = ?2 AND copy = 0"},
    {"query.problem", COLUMNS "WHERE id = ?1"},
    {"query.problems", COLUMNS "WHERE id < ?1 ORDER BY id DESC LIMIT ?2"},
    {"query.problems.status",
     COLUMNS "WHERE status = ?1 AND (rank, id) < (?2, ?3) ORDER BY rank DESC, id DESC "
             "LIMIT ?4"},
    {"query.problems.contact",
     COLUMNS "WHERE contact = ?1 AND contact <> '' AND id < ?2 ORDER BY id DESC LIMIT ?3"},
    {"query.problem.items",
     "SELECT kind, value, issuer, serial, account FROM problem_item WHERE problem = ?1 "
     "ORDER BY idx LIMIT 200"},
    {"query.problem.files",
     "SELECT name, type, bytes, sha256 FROM problem_file WHERE problem = ?1 ORDER BY idx LIMIT 200"},
    {"query.problem.words",
     "SELECT at_us, kind, by_whom, to_whom, shown, text, notice FROM problem_word WHERE "
     "problem = ?1 ORDER BY idx LIMIT 1000"},
    {"query.problem.domains",
     "SELECT name, method, authorization_id, since_us, proven_us FROM problem_domain "
     "WHERE problem = ?1 ORDER BY name LIMIT 100"},
    {"query.problem.notices", "SELECT id, kind, channel, recipient, status, ended_us, said FROM notice WHERE "
                              "subject = ?1 ORDER BY id LIMIT 200"},
    {"query.problem.clocks",
     "SELECT duty, start_us, due_us, status, met_us FROM clock WHERE subject = ?1 ORDER BY "
     "id LIMIT 50"},
    {"query.problem.upload", "SELECT upload FROM problem WHERE id = ?1"},
    {"query.problem.part",
     "SELECT part, bytes FROM problem_part WHERE upload = ?1 AND part >= ?2 ORDER BY part "
     "LIMIT 1"},
    {"query.problem.channels",
     "SELECT name, minutes, added_us, added_by FROM problem_channel WHERE name > '' AND "
     "removed_us = 0 ORDER BY name LIMIT 100"},
    {"query.problem.probe",
     "SELECT sent_us, due_us, seen_us, alarmed_us FROM problem_probe WHERE channel = ?1 "
     "ORDER BY sent_us DESC LIMIT 1"},
};
enum {
    SQL_ONE = PROBLEM_SQL_ASKS,
    SQL_ALL,
    SQL_STATUS,
    SQL_CONTACT,
    SQL_ITEMS,
    SQL_FILES,
    SQL_WORDS,
    SQL_DOMAINS,
    SQL_NOTICES,
    SQL_CLOCKS,
    SQL_UPLOAD,
    SQL_PART,
    SQL_CHANNELS,
    SQL_PROBE,
};
static const struct ca_query_sql tables = {problem_ask_sql, LT_COUNT(problem_ask_sql)};

enum column {
    ID,
    STATUS,
    KIND,
    CHANNEL,
    RECEIVED,
    SENT,
    CONTACT,
    REPORTER,
    MAY_NAME,
    AUTHORITY,
    TITLE,
    CAUSE,
    CLAUSE,
    RAW,
    BYTES,
    KEPT,
    READING,
    TRIES,
    RANK,
    RANK_WHY,
    SAME_AS,
    INCIDENT,
    BUG,
    ACKNOWLEDGED,
    TRIAGED,
    FOUND,
    TOLD,
    DECISION,
    CLOSED,
    REVOKED,
};

static void write_row(struct query_out *o, const struct store_rows *rows, bool people)
{
    query_int(o, "id", store_int(rows, ID));
    query_cstr(o, "status", store_cstr(rows, STATUS));
    query_cstr(o, "kind", store_cstr(rows, KIND));
    query_cstr(o, "channel", store_cstr(rows, CHANNEL));
    query_time(o, "received", store_int(rows, RECEIVED));
    query_cstr(o, "title", store_cstr(rows, TITLE));
    query_cstr(o, "contact", people ? store_cstr(rows, CONTACT) : "");
    query_cstr(o, "cause", store_cstr(rows, CAUSE));
    query_int(o, "rank", store_int(rows, RANK));
    query_cstr(o, "rank_why", store_cstr(rows, RANK_WHY));
    query_int(o, "same_as", store_int(rows, SAME_AS));
    query_int(o, "incident", store_int(rows, INCIDENT));
    query_cstr(o, "decision", store_cstr(rows, DECISION));
    query_time(o, "found", store_int(rows, FOUND));
    query_time(o, "told", store_int(rows, TOLD) > 0 ? store_int(rows, TOLD) : 0);
    query_bool(o, "came_back", store_int(rows, TOLD) < 0);
    query_time(o, "revoked", store_int(rows, REVOKED) > 0 ? store_int(rows, REVOKED) : 0);
    query_time(o, "closed", store_int(rows, CLOSED));
}

static void write_more(struct query_out *o, const struct store_rows *rows)
{
    query_time(o, "sent", store_int(rows, SENT));
    query_cstr(o, "reporter", store_cstr(rows, REPORTER));
    query_bool(o, "may_name", store_int(rows, MAY_NAME) != 0);
    query_cstr(o, "authority", store_cstr(rows, AUTHORITY));
    query_cstr(o, "clause", store_cstr(rows, CLAUSE));
    query_hex(o, "raw_sha256", store_bytes(rows, RAW));
    query_int(o, "raw_bytes", store_int(rows, BYTES));
    query_hex(o, "kept_sha256", store_bytes(rows, KEPT));
    query_cstr(o, "reading", store_cstr(rows, READING));
    query_int(o, "tries", store_int(rows, TRIES));
    query_cstr(o, "bug", store_cstr(rows, BUG));
    query_time(o, "acknowledged", store_int(rows, ACKNOWLEDGED));
    query_time(o, "triaged", store_int(rows, TRIAGED));
}

lt_res problem_id_of(const struct ca_query *query, int64_t *ret_id)
{
    uint64_t id = 0;
    LT_CHECK(!lt_failed(lt_parse_u64(lt_slice_cstr(query->q->id), INT64_MAX, &id)), LT_PEER_NOT_FOUND,
             "\"%.40s\" is no problem report", query->q->id);
    *ret_id = (int64_t)id;
    return LT_OK;
}

/* ---- list ---- */

static lt_res list(const struct ca_query *query, struct query_out *o)
{
    const Ipc__Query *q = query->q;
    struct query_cursor at = {.key = INT64_MAX, .issuer = INT64_MAX};
    struct store_rows rows;
    size_t limit = query_limit(query);
    size_t count = 0;
    LT_TRY(query_cursor_read(query, 'P', &at));
    if (q->status[0] != '\0') {
        LT_TRY(store_query(query->store, &problem_ask_sql[SQL_STATUS],
                           STORE_ARGS(STORE_S(q->status), STORE_I(at.set ? at.issuer : INT64_MAX),
                                      STORE_I(at.set ? at.key : INT64_MAX), STORE_I(limit)),
                           &rows));
    } else if (q->name[0] != '\0') {
        LT_CHECK(ca_viewer_sees_people(query), LT_PEER_UNAUTHORIZED,
                 "who reported is for operators and auditors");
        LT_TRY(store_query(query->store, &problem_ask_sql[SQL_CONTACT],
                           STORE_ARGS(STORE_S(q->name), STORE_I(at.set ? at.key : INT64_MAX), STORE_I(limit)),
                           &rows));
    } else {
        LT_TRY(store_query(query->store, &problem_ask_sql[SQL_ALL],
                           STORE_ARGS(STORE_I(at.set ? at.key : INT64_MAX), STORE_I(limit)), &rows));
    }
    query_open(o, "problems", '[');
    while (store_next(&rows)) {
        query_open(o, NULL, '{');
        write_row(o, &rows, ca_viewer_sees_people(query));
        query_close(o, '}');
        at.key = store_int(&rows, ID);
        at.issuer = store_int(&rows, RANK);
        count++;
    }
    query_close(o, ']');
    at.set = count == limit;
    if (at.set) {
        query_cursor_write(o, 'P', &at);
    }
    return store_rows_end(&rows);
}

/* ---- one ---- */

lt_res problem_items_of(const struct ca_query *query, int64_t id,
                        struct problem_item list_[PROBLEM_ITEMS_MAX], size_t *ret_count)
{
    struct store_rows rows;
    size_t n = 0;
    bool whole = true;
    LT_TRY(store_query(query->store, &problem_ask_sql[SQL_ITEMS], STORE_ARGS(STORE_I(id)), &rows));
    while (n < PROBLEM_ITEMS_MAX && store_next(&rows)) {
        list_[n] = (struct problem_item){
            lt_arena_cstr(query->arena, store_bytes(&rows, 0)),
            lt_arena_cstr(query->arena, store_bytes(&rows, 1)), store_int(&rows, 2),
            lt_arena_copy(query->arena, store_bytes(&rows, 3)), store_int(&rows, 4)};
        whole = whole && list_[n].kind != NULL && list_[n].value != NULL && list_[n].serial.ptr != NULL;
        n++;
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(whole, LT_PEER_TOO_LARGE, "the answer is over the limit");
    *ret_count = n;
    return LT_OK;
}

static lt_res write_items(const struct ca_query *query, struct query_out *o, int64_t id)
{
    struct problem_item *items = LT_NEW_ARRAY(query->arena, struct problem_item, PROBLEM_ITEMS_MAX);
    struct query_tables t;
    size_t count = 0;
    LT_CHECK(items != NULL, LT_PEER_TOO_LARGE, "the answer is over the limit");
    LT_TRY(query_tables_load(query, &t));
    LT_TRY(problem_items_of(query, id, items, &count));
    query_open(o, "about", '[');
    for (size_t i = 0; i < count; i++) {
        const struct query_issuer *issuer = query_issuer_by_id(&t, items[i].issuer);
        query_open(o, NULL, '{');
        query_cstr(o, "kind", items[i].kind);
        query_cstr(o, "value", items[i].value);
        query_bool(o, "known", items[i].issuer != 0);
        if (items[i].issuer != 0) {
            query_cstr(o, "issuer", issuer == NULL ? "" : issuer->name);
            query_hex(o, "serial", items[i].serial);
            query_id(o, "account", items[i].account);
        }
        query_close(o, '}');
    }
    query_close(o, ']');
    return LT_OK;
}

typedef void row_writer(struct query_out *o, const struct store_rows *rows);

static void write_file(struct query_out *o, const struct store_rows *rows)
{
    query_text(o, "name", store_bytes(rows, 0));
    query_text(o, "type", store_bytes(rows, 1));
    query_int(o, "bytes", store_int(rows, 2));
    query_hex(o, "sha256", store_bytes(rows, 3));
}

static void write_word(struct query_out *o, const struct store_rows *rows)
{
    query_time(o, "at", store_int(rows, 0));
    query_cstr(o, "kind", store_cstr(rows, 1));
    query_text(o, "by", store_bytes(rows, 2));
    query_text(o, "to", store_bytes(rows, 3));
    query_bool(o, "shown", store_int(rows, 4) != 0);
    query_text(o, "text", store_bytes(rows, 5));
    query_int(o, "notice", store_int(rows, 6));
}

static void write_domain(struct query_out *o, const struct store_rows *rows)
{
    query_text(o, "name", store_bytes(rows, 0));
    query_cstr(o, "method", store_cstr(rows, 1));
    query_id(o, "authorization", store_int(rows, 2));
    query_time(o, "since", store_int(rows, 3));
    query_time(o, "proven", store_int(rows, 4));
}

static void write_notice(struct query_out *o, const struct store_rows *rows)
{
    query_int(o, "id", store_int(rows, 0));
    query_cstr(o, "kind", store_cstr(rows, 1));
    query_cstr(o, "channel", store_cstr(rows, 2));
    query_text(o, "to", store_bytes(rows, 3));
    query_cstr(o, "status", store_cstr(rows, 4));
    query_time(o, "ended", store_int(rows, 5));
    query_text(o, "said", store_bytes(rows, 6));
}

static void write_clock(struct query_out *o, const struct store_rows *rows)
{
    query_cstr(o, "duty", store_cstr(rows, 0));
    query_time(o, "start", store_int(rows, 1));
    query_time(o, "due", store_int(rows, 2));
    query_cstr(o, "status", store_cstr(rows, 3));
    query_time(o, "met", store_int(rows, 4));
}

static lt_res write_list(const struct ca_query *query, struct query_out *o, const char *key, int statement,
                         struct store_value of, row_writer *write)
{
    struct store_rows rows;
    LT_TRY(store_query(query->store, &problem_ask_sql[statement], &of, 1, &rows));
    query_open(o, key, '[');
    while (store_next(&rows)) {
        query_open(o, NULL, '{');
        write(o, &rows);
        query_close(o, '}');
    }
    query_close(o, ']');
    return store_rows_end(&rows);
}

static lt_res show(const struct ca_query *query, struct query_out *o)
{
    struct store_rows rows;
    int64_t id = 0;
    LT_TRY(problem_id_of(query, &id));
    LT_TRY(store_query(query->store, &problem_ask_sql[SQL_ONE], STORE_ARGS(STORE_I(id)), &rows));
    bool found = store_next(&rows);
    if (found) {
        write_row(o, &rows, ca_viewer_sees_people(query));
        write_more(o, &rows);
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(found, LT_PEER_NOT_FOUND, "there is no problem report %lld", (long long)id);
    char *subject = lt_arena_printf(query->arena, "problem %lld", (long long)id);
    LT_CHECK(subject != NULL, LT_PEER_TOO_LARGE, "the answer is over the limit");
    LT_TRY(write_items(query, o, id));
    LT_TRY(write_list(query, o, "files", SQL_FILES, STORE_I(id), write_file));
    LT_TRY(write_list(query, o, "thread", SQL_WORDS, STORE_I(id), write_word));
    LT_TRY(write_list(query, o, "domains", SQL_DOMAINS, STORE_I(id), write_domain));
    LT_TRY(write_list(query, o, "notices", SQL_NOTICES, STORE_S(subject), write_notice));
    return write_list(query, o, "clocks", SQL_CLOCKS, STORE_S(subject), write_clock);
}

/* One part of the bytes; the cursor is the number of the next one. */
static lt_res raw(const struct ca_query *query, struct query_out *o)
{
    struct store_rows rows;
    int64_t id = 0;
    uint64_t part = 0;
    lt_slice upload = {0};
    LT_TRY(problem_id_of(query, &id));
    LT_TRY(query->q->cursor[0] == '\0' ? LT_OK
                                       : lt_parse_u64(lt_slice_cstr(query->q->cursor), INT32_MAX, &part));
    LT_TRY(store_query(query->store, &problem_ask_sql[SQL_UPLOAD], STORE_ARGS(STORE_I(id)), &rows));
    bool found = store_next(&rows);
    upload = found ? lt_arena_copy(query->arena, store_bytes(&rows, 0)) : upload;
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(found, LT_PEER_NOT_FOUND, "there is no problem report %lld", (long long)id);
    LT_TRY(store_query(query->store, &problem_ask_sql[SQL_PART], STORE_ARGS(STORE_B(upload), STORE_I(part)),
                       &rows));
    found = store_next(&rows);
    query_base64(o, "data", found ? store_bytes(&rows, 1) : LT_LIT(""));
    if (found) {
        char next[24];
        (void)snprintf(next, sizeof next, "%lld", (long long)store_int(&rows, 0) + 1); /* it fits */
        query_cstr(o, "next", next);
    }
    return store_rows_end(&rows);
}

static lt_res channels(const struct ca_query *query, struct query_out *o)
{
    struct store_rows rows;
    struct store_rows last;
    lt_res r = LT_OK;
    LT_TRY(store_query(query->store, &problem_ask_sql[SQL_CHANNELS], STORE_NO_ARGS, &rows));
    query_open(o, "channels", '[');
    while (!lt_failed(r) && store_next(&rows)) {
        query_open(o, NULL, '{');
        query_text(o, "name", store_bytes(&rows, 0));
        query_int(o, "minutes", store_int(&rows, 1));
        query_time(o, "since", store_int(&rows, 2));
        query_text(o, "by", store_bytes(&rows, 3));
        r = store_query(query->store, &problem_ask_sql[SQL_PROBE], STORE_ARGS(STORE_T(store_bytes(&rows, 0))),
                        &last);
        if (!lt_failed(r)) {
            bool tried = store_next(&last);
            query_time(o, "tried", tried ? store_int(&last, 0) : 0);
            query_time(o, "arrived", tried ? store_int(&last, 2) : 0);
            query_bool(o, "alarm", tried && store_int(&last, 3) != 0);
            r = store_rows_end(&last);
        }
        query_close(o, '}');
    }
    query_close(o, ']');
    LT_TRY(store_rows_end(&rows));
    return r;
}

static const struct incident_question questions[] = {
    {"problem.list", list},
    {"problem.show", show},
    {"problem.raw", raw},
    {"problem.channels", channels},
    {"problem.triage", problem_triage},
};
const struct incident_questions incident_questions_problem = {questions, LT_COUNT(questions), &tables};
