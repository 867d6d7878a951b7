/* Questions about drills: what was held, what is due, who reacted. */
#include "incident/ask.h"

#include <stdio.h>

#include "base/text.h"

#define DRILL_COLUMNS                                                                           \
    "SELECT id, scenario, kind, mode, seed, certificates, begun_us, ended_us, passed, missed, " \
    "record_sha256, findings, date, recorded_us, recorded_by, record FROM drill "
#define REHEARSAL_COLUMNS                                                                                   \
    "SELECT id, status, note, explanation, start_us, end_us, until_us, count, reacted, ended_us, made_us, " \
    "made_by FROM drill_rehearsal "

static const struct store_sql sql[] = {
    {"query.drill.list", DRILL_COLUMNS "WHERE id < ?1 ORDER BY id DESC LIMIT ?2"},
    {"query.drill.show", DRILL_COLUMNS "WHERE id = ?1"},
    {"query.drill.dates",
     "SELECT id, scenario, kind, owner, due_us, every_days, note, status, drill, late_us, "
     "made_us, made_by FROM drill_date WHERE id < ?1 ORDER BY id DESC LIMIT ?2"},
    {"query.drill.rehearsals", REHEARSAL_COLUMNS "WHERE id < ?1 ORDER BY id DESC LIMIT ?2"},
    {"query.drill.rehearsal", REHEARSAL_COLUMNS "WHERE id = ?1"},
    {"query.drill.reacted",
     "SELECT count(*) FROM drill_rehearsed d WHERE d.rehearsal = ?1 AND EXISTS (SELECT 1 FROM replacement p "
     "WHERE p.old_issuer = d.issuer AND p.old_serial = d.serial AND p.seen_us >= d.since_us)"},
    {"query.drill.who",
     "SELECT d.account, count(*), sum(CASE WHEN EXISTS (SELECT 1 FROM replacement p WHERE "
     "p.old_issuer = d.issuer AND p.old_serial = d.serial AND p.seen_us >= d.since_us) THEN 1 ELSE 0 END) "
     "FROM drill_rehearsed d WHERE d.rehearsal = ?1 GROUP BY d.account ORDER BY d.account LIMIT 1000"},
    {"query.drill.reactions", "SELECT id, mass, percent, looked, reacted, ended_us FROM drill_reaction "
                              "WHERE id < ?1 ORDER BY id DESC LIMIT ?2"},
    {"query.drill.beat", "SELECT value FROM meta WHERE key = 'drill.beat'"},
};
enum {
    SQL_LIST,
    SQL_SHOW,
    SQL_DATES,
    SQL_REHEARSALS,
    SQL_REHEARSAL,
    SQL_REACTED,
    SQL_WHO,
    SQL_REACTIONS,
    SQL_BEAT,
};
static const struct ca_query_sql own_sql = {sql, LT_COUNT(sql)};

static void time_if(struct query_out *o, const char *name, int64_t us)
{
    if (us != 0) {
        query_time(o, name, us);
    }
}

static void write_drill(struct query_out *o, const struct store_rows *rows, bool whole)
{
    query_int(o, "id", store_int(rows, 0));
    query_cstr(o, "scenario", store_cstr(rows, 1));
    query_cstr(o, "kind", store_cstr(rows, 2));
    query_cstr(o, "mode", store_cstr(rows, 3));
    query_int(o, "seed", store_int(rows, 4));
    query_int(o, "certificates", store_int(rows, 5));
    query_time(o, "begun", store_int(rows, 6));
    query_time(o, "ended", store_int(rows, 7));
    query_bool(o, "passed", store_int(rows, 8) != 0);
    query_cstr(o, "missed", store_cstr(rows, 9));
    query_hex(o, "record_sha256", store_bytes(rows, 10));
    query_cstr(o, "findings", store_cstr(rows, 11));
    query_int(o, "date", store_int(rows, 12));
    query_time(o, "recorded", store_int(rows, 13));
    query_cstr(o, "recorded_by", store_cstr(rows, 14));
    if (whole) {
        query_cstr(o, "record", store_cstr(rows, 15));
    }
}

static void write_date(struct query_out *o, const struct store_rows *rows)
{
    query_int(o, "id", store_int(rows, 0));
    query_cstr(o, "scenario", store_cstr(rows, 1));
    query_cstr(o, "kind", store_cstr(rows, 2));
    query_cstr(o, "owner", store_cstr(rows, 3));
    query_time(o, "due", store_int(rows, 4));
    query_int(o, "every_days", store_int(rows, 5));
    query_cstr(o, "note", store_cstr(rows, 6));
    query_cstr(o, "status", store_cstr(rows, 7));
    query_int(o, "drill", store_int(rows, 8));
    query_bool(o, "late", store_int(rows, 9) != 0);
    query_time(o, "made", store_int(rows, 10));
    query_cstr(o, "made_by", store_cstr(rows, 11));
}

static void write_rehearsal(struct query_out *o, const struct store_rows *rows)
{
    query_int(o, "id", store_int(rows, 0));
    query_cstr(o, "status", store_cstr(rows, 1));
    query_cstr(o, "note", store_cstr(rows, 2));
    query_cstr(o, "explanation", store_cstr(rows, 3));
    query_time(o, "start", store_int(rows, 4));
    query_time(o, "end", store_int(rows, 5));
    query_time(o, "until", store_int(rows, 6));
    query_int(o, "count", store_int(rows, 7));
    query_int(o, "reacted_at_end", store_int(rows, 8));
    time_if(o, "ended", store_int(rows, 9));
    query_time(o, "made", store_int(rows, 10));
    query_cstr(o, "made_by", store_cstr(rows, 11));
}

static void write_reaction(struct query_out *o, const struct store_rows *rows)
{
    char mass[32];
    query_int(o, "id", store_int(rows, 0));
    (void)snprintf(mass, sizeof mass, "m%lld", (long long)store_int(rows, 1)); /* fits */
    query_cstr(o, "mass", mass);
    query_int(o, "percent", store_int(rows, 2));
    query_int(o, "looked", store_int(rows, 3));
    query_int(o, "reacted", store_int(rows, 4));
    query_cstr(o, "status", store_int(rows, 5) != 0 ? "done" : "running");
}

static void write_row(struct query_out *o, size_t statement, const struct store_rows *rows)
{
    query_open(o, NULL, '{');
    if (statement == SQL_LIST) {
        write_drill(o, rows, false);
    } else if (statement == SQL_DATES) {
        write_date(o, rows);
    } else if (statement == SQL_REHEARSALS) {
        write_rehearsal(o, rows);
    } else {
        write_reaction(o, rows);
    }
    query_close(o, '}');
}

/* The newest first; a page ends with the id behind which the next begins. */
static lt_res list(const struct ca_query *query, struct query_out *o, size_t statement, const char *key)
{
    struct query_cursor cursor;
    struct store_rows rows;
    size_t limit = query_limit(query);
    size_t count = 0;
    int64_t last = 0;
    bool more = false;
    LT_TRY(query_cursor_read(query, (char)('a' + statement), &cursor));
    LT_TRY(store_query(query->store, &sql[statement],
                       STORE_ARGS(STORE_I(cursor.set ? cursor.key : INT64_MAX), STORE_I(limit + 1)), &rows));
    query_open(o, key, '[');
    while (store_next(&rows)) {
        more = count++ == limit;
        if (!more) {
            last = store_int(&rows, 0);
            write_row(o, statement, &rows);
        }
    }
    query_close(o, ']');
    LT_TRY(store_rows_end(&rows));
    if (more) {
        const struct query_cursor next = {.key = last};
        query_cursor_write(o, (char)('a' + statement), &next);
    }
    return LT_OK;
}

static lt_res answer_list(const struct ca_query *query, struct query_out *o)
{
    return list(query, o, SQL_LIST, "drills");
}

static lt_res answer_dates(const struct ca_query *query, struct query_out *o)
{
    return list(query, o, SQL_DATES, "dates");
}

static lt_res answer_rehearsals(const struct ca_query *query, struct query_out *o)
{
    return list(query, o, SQL_REHEARSALS, "rehearsals");
}

static lt_res answer_reactions(const struct ca_query *query, struct query_out *o)
{
    return list(query, o, SQL_REACTIONS, "reactions");
}

static lt_res read_id(const struct ca_query *query, int64_t *ret_id)
{
    uint64_t id = 0;
    LT_CHECK(!lt_failed(lt_parse_u64(lt_slice_cstr(query->q->id), INT64_MAX, &id)), LT_PEER_NOT_FOUND,
             "\"%.40s\" is no id", query->q->id);
    *ret_id = (int64_t)id;
    return LT_OK;
}

static lt_res answer_show(const struct ca_query *query, struct query_out *o)
{
    struct store_rows rows;
    int64_t id = 0;
    LT_TRY(read_id(query, &id));
    LT_TRY(store_query(query->store, &sql[SQL_SHOW], STORE_ARGS(STORE_I(id)), &rows));
    bool found = store_next(&rows);
    if (found) {
        write_drill(o, &rows, true);
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(found, LT_PEER_NOT_FOUND, "no drill %lld", (long long)id);
    return LT_OK;
}

static lt_res write_who(const struct ca_query *query, struct query_out *o, int64_t id)
{
    struct store_rows rows;
    LT_TRY(store_query(query->store, &sql[SQL_REACTED], STORE_ARGS(STORE_I(id)), &rows));
    query_int(o, "reacted", store_next(&rows) ? store_int(&rows, 0) : 0);
    LT_TRY(store_rows_end(&rows));
    LT_TRY(store_query(query->store, &sql[SQL_WHO], STORE_ARGS(STORE_I(id)), &rows));
    query_open(o, "accounts", '[');
    while (store_next(&rows)) {
        query_open(o, NULL, '{');
        query_int(o, "account", store_int(&rows, 0));
        query_int(o, "certificates", store_int(&rows, 1));
        query_int(o, "reacted", store_int(&rows, 2));
        query_close(o, '}');
    }
    query_close(o, ']');
    return store_rows_end(&rows);
}

static lt_res answer_rehearsal(const struct ca_query *query, struct query_out *o)
{
    struct store_rows rows;
    int64_t id = 0;
    LT_TRY(read_id(query, &id));
    LT_TRY(store_query(query->store, &sql[SQL_REHEARSAL], STORE_ARGS(STORE_I(id)), &rows));
    bool found = store_next(&rows);
    if (found) {
        write_rehearsal(o, &rows);
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(found, LT_PEER_NOT_FOUND, "no rehearsal %lld", (long long)id);
    return write_who(query, o, id);
}

/* Of a drill's family: up to when everything that was due has had its turn, in microseconds. */
static lt_res answer_beat(const struct ca_query *query, struct query_out *o)
{
    struct store_rows rows;
    uint64_t us = 0;
    LT_TRY(store_query(query->store, &sql[SQL_BEAT], STORE_NO_ARGS, &rows));
    if (store_next(&rows)) {
        lt_ignore(lt_parse_u64(store_bytes(&rows, 0), INT64_MAX, &us)); /* ours */
    }
    query_int(o, "beat_us", (int64_t)us);
    return store_rows_end(&rows);
}

static const struct incident_question questions[] = {
    {"drill.list", answer_list},           {"drill.show", answer_show},
    {"drill.dates", answer_dates},         {"drill.rehearsals", answer_rehearsals},
    {"drill.rehearsal", answer_rehearsal}, {"drill.reactions", answer_reactions},
    {"drill.beat", answer_beat},
};
const struct incident_questions incident_questions_drill = {questions, LT_COUNT(questions), &own_sql};
