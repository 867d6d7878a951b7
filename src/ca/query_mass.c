/* Mass revocations with how far they are, and the freeze list. */
#include "ca/query_parts.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ca/reasons.h"
#include "ca/revoke.h"

enum { SQL_LIST, SQL_SHOW, SQL_TIERS, SQL_HOLDS, SQL_CAUSES, SQL_HOLD };
#define COLUMNS                                                                                            \
    "SELECT id, status, source, scope, scope_sha256, cause, reason, note, aware_us, should_us, must_us, "  \
    "late_because, revoked_us, created_us, created_by, plan, count, root, batches, at_batch, stop_after, " \
    "revoked, already, held, started_us, ended_us, why, EXISTS (SELECT 1 FROM incident_plan p JOIN "       \
    "incident "                                                                                            \
    "i ON i.id = p.incident AND i.restricted = 1 WHERE p.mass = mass.id) FROM mass "
static const struct store_sql sql[] = {
    [SQL_LIST] = {"query.masses", COLUMNS "WHERE id < ?1 ORDER BY id DESC LIMIT ?2"},
    [SQL_SHOW] = {"query.mass", COLUMNS "WHERE id = ?1"},
    [SQL_TIERS] =
        {"query.mass.tiers",
         "SELECT t.tier, t.scope, (SELECT coalesce(sum(b.count), 0) FROM mass_batch b WHERE "
         "b.mass = t.mass AND b.tier = t.tier), (SELECT coalesce(sum(b.revoked + b.already + b.held), 0) "
         "FROM mass_batch b WHERE b.mass = t.mass AND b.tier = t.tier) "
         "FROM mass_tier t WHERE t.mass = ?1 ORDER BY t.tier LIMIT 16"},
    [SQL_HOLDS] = {"query.holds",
                   "SELECT issuer, serial, since_us, reason, reference, by_whom, lifted_us, lifted_by "
                   "FROM revocation_hold WHERE (issuer, serial, since_us) > (?1, ?2, ?3) "
                   "ORDER BY issuer, serial, since_us LIMIT ?4"},
    [SQL_CAUSES] = {"query.causes",
                    "SELECT since_us, cause, section, reason, aware_us, should_us, must_us, late_because, "
                    "by_whom FROM revocation_cause WHERE issuer = ?1 AND serial = ?2 "
                    "ORDER BY since_us DESC LIMIT 16"},
    [SQL_HOLD] = {"query.hold", "SELECT since_us, reason, reference, by_whom FROM revocation_hold "
                                "WHERE issuer = ?1 AND serial = ?2 AND lifted_us = 0"},
};
const struct ca_query_sql query_mass_sql = {sql, LT_COUNT(sql)};

enum column {
    ID,
    STATUS,
    SOURCE,
    SCOPE,
    SCOPE_SHA256,
    CAUSE,
    REASON,
    NOTE,
    AWARE,
    SHOULD,
    MUST,
    LATE_BECAUSE,
    REVOKED_AT,
    CREATED,
    CREATED_BY,
    PLAN,
    COUNT,
    ROOT,
    BATCHES,
    AT_BATCH,
    STOP_AFTER,
    REVOKED,
    ALREADY,
    HELD,
    STARTED,
    ENDED,
    WHY,
    RESTRICTED,
};

static void time_if(struct query_out *o, const char *name, int64_t us)
{
    if (us != 0) {
        query_time(o, name, us);
    }
}

/* How fast, and how long still: both from what was done since the start. */
static void write_pace(const struct ca_query *query, struct query_out *o, const struct store_rows *rows)
{
    int64_t done = store_int(rows, REVOKED) + store_int(rows, ALREADY) + store_int(rows, HELD);
    int64_t end_us = store_int(rows, ENDED) != 0 ? store_int(rows, ENDED) : query->now.us;
    int64_t spent_us = store_int(rows, STARTED) == 0 ? 0 : end_us - store_int(rows, STARTED);
    query_int(o, "done", done);
    if (spent_us > 0 && done > 0) {
        int64_t rate = done * LT_US_PER_SECOND / spent_us;
        query_int(o, "per_second", rate);
        if (rate > 0 && store_int(rows, ENDED) == 0) {
            query_int(o, "seconds_left", (store_int(rows, COUNT) - done) / rate);
        }
    }
    if (store_int(rows, MUST) != 0 && store_int(rows, ENDED) == 0) {
        query_int(o, "clock_seconds_left", (store_int(rows, MUST) - query->now.us) / LT_US_PER_SECOND);
    }
}

static void write_row(const struct ca_query *query, struct query_out *o, const struct store_rows *rows)
{
    char id[32];
    (void)snprintf(id, sizeof id, "m%lld", (long long)store_int(rows, ID));
    query_cstr(o, "id", id);
    query_cstr(o, "status", store_cstr(rows, STATUS));
    query_cstr(o, "source", store_cstr(rows, SOURCE));
    /* Of a restricted incident everybody may know that something is revoked, and not what it is about. */
    bool restricted = store_int(rows, RESTRICTED) != 0;
    query_bool(o, "restricted", restricted);
    query_text(o, "scope", restricted ? LT_LIT("") : store_bytes(rows, SCOPE));
    query_hex(o, "scope_sha256", store_bytes(rows, SCOPE_SHA256));
    query_cstr(o, "cause", store_cstr(rows, CAUSE));
    query_cstr(o, "reason", query_reason_name(store_int(rows, REASON)));
    query_cstr(o, "note", restricted ? "" : store_cstr(rows, NOTE));
    query_time(o, "aware", store_int(rows, AWARE));
    time_if(o, "should", store_int(rows, SHOULD));
    time_if(o, "must", store_int(rows, MUST));
    query_cstr(o, "late_because", restricted ? "" : store_cstr(rows, LATE_BECAUSE));
    time_if(o, "dated_back_to", store_int(rows, REVOKED_AT));
    query_time(o, "created", store_int(rows, CREATED));
    query_cstr(o, "created_by", store_cstr(rows, CREATED_BY));
    query_cstr(o, "plan", store_cstr(rows, PLAN));
    query_int(o, "count", store_int(rows, COUNT));
    query_hex(o, "root", store_bytes(rows, ROOT));
    query_int(o, "batches", store_int(rows, BATCHES));
    query_int(o, "batches_done", store_int(rows, AT_BATCH));
    query_int(o, "stop_after", store_int(rows, STOP_AFTER));
    query_int(o, "revoked", store_int(rows, REVOKED));
    query_int(o, "already", store_int(rows, ALREADY));
    query_int(o, "held", store_int(rows, HELD));
    time_if(o, "started", store_int(rows, STARTED));
    time_if(o, "ended", store_int(rows, ENDED));
    query_cstr(o, "why", store_cstr(rows, WHY));
    write_pace(query, o, rows);
}

lt_res query_mass_list(const struct ca_query *query, struct query_out *out)
{
    struct query_cursor at;
    struct store_rows rows;
    size_t count = 0;
    int64_t last = 0;
    LT_TRY(query_cursor_read(query, 'M', &at));
    LT_TRY(store_query(query->store, &sql[SQL_LIST],
                       STORE_ARGS(STORE_I(at.set ? at.key : INT64_MAX), STORE_I(query_limit(query) + 1)),
                       &rows));
    at.set = false;
    query_open(out, "masses", '[');
    while (!at.set && store_next(&rows)) {
        at.set = count++ == query_limit(query);
        if (!at.set) {
            query_open(out, NULL, '{');
            write_row(query, out, &rows);
            query_close(out, '}');
            last = store_int(&rows, ID);
        }
    }
    query_close(out, ']');
    LT_TRY(store_rows_end(&rows));
    at.key = last;
    query_cursor_write(out, 'M', &at);
    return LT_OK;
}

static lt_res write_tiers(const struct ca_query *query, int64_t id, bool restricted, struct query_out *out)
{
    struct store_rows rows;
    LT_TRY(store_query(query->store, &sql[SQL_TIERS], STORE_ARGS(STORE_I(id)), &rows));
    query_open(out, "tiers", '[');
    while (store_next(&rows)) {
        query_open(out, NULL, '{');
        query_int(out, "tier", store_int(&rows, 0));
        query_text(out, "scope", restricted ? LT_LIT("") : store_bytes(&rows, 1));
        query_int(out, "count", store_int(&rows, 2));
        query_int(out, "done", store_int(&rows, 3));
        query_close(out, '}');
    }
    query_close(out, ']');
    return store_rows_end(&rows);
}

lt_res query_mass_show(const struct ca_query *query, struct query_out *out)
{
    struct store_rows rows;
    uint64_t id = 0;
    lt_slice name = lt_slice_cstr(query->q->id);
    LT_CHECK(lt_slice_starts(name, LT_LIT("m")), LT_PEER_NOT_FOUND, "there is no mass revocation %s",
             query->q->id);
    LT_TRY(lt_parse_u64(lt_slice_sub(name, 1, name.len), INT64_MAX, &id));
    LT_TRY(store_query(query->store, &sql[SQL_SHOW], STORE_ARGS(STORE_I((int64_t)id)), &rows));
    bool found = store_next(&rows);
    bool restricted = found && store_int(&rows, RESTRICTED) != 0;
    if (found) {
        write_row(query, out, &rows);
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(found, LT_PEER_NOT_FOUND, "there is no mass revocation %s", query->q->id);
    return write_tiers(query, (int64_t)id, restricted, out);
}

static void write_hold(const struct query_tables *tables, struct query_out *out,
                       const struct store_rows *rows)
{
    const struct query_issuer *issuer = query_issuer_by_id(tables, store_int(rows, 0));
    query_open(out, NULL, '{');
    query_cstr(out, "issuer", issuer == NULL ? "" : issuer->name);
    query_hex(out, "serial", store_bytes(rows, 1));
    query_time(out, "since", store_int(rows, 2));
    query_cstr(out, "reason", store_cstr(rows, 3));
    query_cstr(out, "reference", store_cstr(rows, 4));
    query_cstr(out, "by", store_cstr(rows, 5));
    time_if(out, "lifted", store_int(rows, 6));
    query_cstr(out, "lifted_by", store_cstr(rows, 7));
    query_close(out, '}');
}

lt_res query_hold_list(const struct ca_query *query, struct query_out *out)
{
    struct query_tables tables;
    struct query_cursor at;
    struct store_rows rows;
    size_t count = 0;
    LT_TRY(query_tables_load(query, &tables));
    LT_TRY(query_cursor_read(query, 'H', &at));
    LT_TRY(store_query(query->store, &sql[SQL_HOLDS],
                       STORE_ARGS(STORE_I(at.issuer), STORE_B(at.set ? at.serial : LT_LIT("")),
                                  STORE_I(at.key), STORE_I(query_limit(query) + 1)),
                       &rows));
    at.set = false;
    query_open(out, "holds", '[');
    while (!at.set && store_next(&rows)) {
        at.set = count++ == query_limit(query);
        if (!at.set) {
            write_hold(&tables, out, &rows);
            at.issuer = store_int(&rows, 0);
            at.serial = lt_arena_copy(query->arena, store_bytes(&rows, 1));
            at.key = store_int(&rows, 2);
            LT_CHECK(at.serial.ptr != NULL, LT_PEER_TOO_LARGE, "the answer is over the limit");
        }
    }
    query_close(out, ']');
    LT_TRY(store_rows_end(&rows));
    query_cursor_write(out, 'H', &at);
    return LT_OK;
}

static lt_res write_causes(const struct ca_query *query, struct query_out *out,
                           const struct query_certificate *c)
{
    struct store_rows rows;
    LT_TRY(store_query(query->store, &sql[SQL_CAUSES], STORE_ARGS(STORE_I(c->issuer), STORE_B(c->serial)),
                       &rows));
    query_open(out, "clocks", '[');
    while (store_next(&rows)) {
        query_open(out, NULL, '{');
        query_time(out, "since", store_int(&rows, 0));
        query_cstr(out, "cause", store_cstr(&rows, 1));
        query_cstr(out, "section", store_cstr(&rows, 2));
        query_cstr(out, "reason", query_reason_name(store_int(&rows, 3)));
        query_time(out, "aware", store_int(&rows, 4));
        time_if(out, "should", store_int(&rows, 5));
        query_time(out, "must", store_int(&rows, 6));
        query_cstr(out, "late_because", store_cstr(&rows, 7));
        query_cstr(out, "by", store_cstr(&rows, 8));
        query_close(out, '}');
    }
    query_close(out, ']');
    return store_rows_end(&rows);
}

lt_res query_clocks_write(const struct ca_query *query, struct query_out *out,
                          const struct query_certificate *c)
{
    struct store_rows rows;
    LT_TRY(write_causes(query, out, c));
    LT_TRY(
        store_query(query->store, &sql[SQL_HOLD], STORE_ARGS(STORE_I(c->issuer), STORE_B(c->serial)), &rows));
    if (store_next(&rows)) {
        query_open(out, "hold", '{');
        query_time(out, "since", store_int(&rows, 0));
        query_cstr(out, "reason", store_cstr(&rows, 1));
        query_cstr(out, "reference", store_cstr(&rows, 2));
        query_cstr(out, "by", store_cstr(&rows, 3));
        query_close(out, '}');
    }
    return store_rows_end(&rows);
}
