/* Scopes that have a name: listed, shown, run again, and what changed: between two versions, each as it was
 * saved, or since a version was saved. */
#include <string.h>

#include "ca/query_scope_internal.h"

static const struct store_sql sql[] = {
    {"query.scope.saved",
     "SELECT s.name, s.version, s.text, s.sha256, s.note, s.as_of_us, s.count, s.members_sha256, s.saved_us, "
     "s.saved_by FROM scope s WHERE s.name > ?1 AND s.version = (SELECT max(x.version) FROM scope x "
     "WHERE x.name = s.name) ORDER BY s.name LIMIT ?2"},
    {"query.scope.versions",
     "SELECT s.name, s.version, s.text, s.sha256, s.note, s.as_of_us, s.count, s.members_sha256, s.saved_us, "
     "s.saved_by FROM scope s WHERE s.name = ?1 AND s.version < ?2 ORDER BY s.version DESC LIMIT ?3"},
};
enum { SQL_SAVED, SQL_VERSIONS };
const struct ca_query_sql query_scope_saved_sql = {sql, LT_COUNT(sql)};

enum { VERSIONS_SHOWN = 100 };

struct saved {
    int64_t version;
    lt_slice text;
    int64_t as_of_us;
    int64_t count;
    lt_slice members_sha256;
};

static void write_saved(const struct store_rows *rows, struct query_out *out)
{
    query_open(out, NULL, '{');
    query_text(out, "name", store_bytes(rows, 0));
    query_int(out, "version", store_int(rows, 1));
    query_text(out, "scope", store_bytes(rows, 2));
    query_hex(out, "sha256", store_bytes(rows, 3));
    query_text(out, "note", store_bytes(rows, 4));
    query_time(out, "as_of", store_int(rows, 5));
    query_int(out, "count", store_int(rows, 6));
    query_hex(out, "members_sha256", store_bytes(rows, 7));
    query_time(out, "saved", store_int(rows, 8));
    query_text(out, "saved_by", store_bytes(rows, 9));
    query_close(out, '}');
}

lt_res query_scope_saved(const struct ca_query *query, struct query_out *out)
{
    struct query_cursor at;
    struct store_rows rows;
    size_t count = 0;
    LT_TRY(query_cursor_read(query, 's', &at));
    LT_TRY(store_query(query->store, &sql[SQL_SAVED],
                       STORE_ARGS(STORE_T(at.name), STORE_I(query_limit(query))), &rows));
    query_open(out, "scopes", '[');
    while (store_next(&rows)) {
        write_saved(&rows, out);
        at.name = lt_arena_copy(query->arena, store_bytes(&rows, 0));
        count++;
    }
    query_close(out, ']');
    LT_TRY(store_rows_end(&rows));
    at = (struct query_cursor){.set = count == query_limit(query), .name = at.name};
    query_cursor_write(out, 's', &at);
    return LT_OK;
}

lt_res query_scope_show(const struct ca_query *query, struct query_out *out)
{
    struct store_rows rows;
    size_t count = 0;
    LT_TRY(store_query(query->store, &sql[SQL_VERSIONS],
                       STORE_ARGS(STORE_S(query->q->id), STORE_I(INT64_MAX), STORE_I(VERSIONS_SHOWN)),
                       &rows));
    query_open(out, "versions", '[');
    for (; store_next(&rows); count++) {
        write_saved(&rows, out);
    }
    query_close(out, ']');
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(count > 0, LT_PEER_NOT_FOUND, "there is no scope \"%.64s\"", query->q->id);
    return LT_OK;
}

/* The version itself, or with 0 the last one before `below`. */
static lt_res load(const struct ca_query *query, int64_t version, int64_t below, struct saved *ret_saved)
{
    struct store_rows rows;
    bool found = false;
    LT_TRY(store_query(
        query->store, &sql[SQL_VERSIONS],
        STORE_ARGS(STORE_S(query->q->id), STORE_I(version != 0 ? version + 1 : below), STORE_I(1)), &rows));
    if (store_next(&rows)) {
        *ret_saved = (struct saved){.version = store_int(&rows, 1),
                                    .text = lt_arena_copy(query->arena, store_bytes(&rows, 2)),
                                    .as_of_us = store_int(&rows, 5),
                                    .count = store_int(&rows, 6),
                                    .members_sha256 = lt_arena_copy(query->arena, store_bytes(&rows, 7))};
        found = version == 0 || ret_saved->version == version;
    }
    LT_TRY(store_rows_end(&rows));
    bool newest = version == 0 && below == INT64_MAX;
    LT_CHECK(found || !newest, LT_PEER_NOT_FOUND, "there is no scope \"%.64s\"", query->q->id);
    LT_CHECK(found, LT_PEER_NOT_FOUND, "scope \"%.64s\" has no %s version", query->q->id,
             version != 0 ? "such" : "earlier");
    LT_CHECK(ret_saved->text.ptr != NULL && ret_saved->members_sha256.ptr != NULL, LT_PEER_TOO_LARGE,
             "the answer is over the limit");
    return LT_OK;
}

/* An expression, and the moment that it is held against. */
struct side {
    lt_slice text;
    int64_t us;
    bool as_of;
};

static struct side as_saved(const struct saved *s)
{
    return (struct side){s->text, s->as_of_us, true};
}

static struct side of_now(const struct ca_query *query, lt_slice text)
{
    return (struct side){text, query->now.us, false};
}

/* Certificates of one side that the other has not: how many, and a page of them. */
static lt_res write_side(const struct ca_query *query, const struct side *have, const struct side *lack,
                         const char *key, struct query_out *out)
{
    struct query_scope a;
    LT_TRY(query_scope_prepare(query, have->text, &a));
    LT_TRY(scope_parse(lack->text, query->arena, NULL, &a.but_not));
    a.ask.now = (lt_time){have->us};
    a.ask.as_of = have->as_of;
    a.but_not_now = (lt_time){lack->us};
    a.but_not_as_of = lack->as_of;
    query_open(out, key, '{');
    LT_TRY(query_scope_write_page(&a, out));
    query_close(out, '}');
    return LT_OK;
}

static lt_res write_change(const struct ca_query *query, const struct side *is, const struct side *was,
                           struct query_out *out)
{
    bool added = strcmp(query->q->side, "added") == 0;
    bool removed = strcmp(query->q->side, "removed") == 0;
    bool both = query->q->side[0] == 0;
    LT_CHECK(added || removed || both, LT_PEER_MALFORMED, "\"side\" is added or removed");
    LT_CHECK(!both || query->q->cursor[0] == 0, LT_PEER_MALFORMED,
             "a cursor goes on with one side: side=added or side=removed");
    if (added || both) {
        LT_TRY(write_side(query, is, was, "added", out));
    }
    return removed || both ? write_side(query, was, is, "removed", out) : LT_OK;
}

lt_res query_scope_diff(const struct ca_query *query, struct query_out *out)
{
    struct saved now;
    struct saved before;
    LT_TRY(load(query, query->q->version, INT64_MAX, &now));
    LT_TRY(load(query, query->q->against, now.version, &before));
    query_cstr(out, "name", query->q->id);
    query_int(out, "version", now.version);
    query_int(out, "against", before.version);
    query_text(out, "scope", now.text);
    query_text(out, "scope_before", before.text);
    query_time(out, "as_of", query->q->both_now ? query->now.us : now.as_of_us);
    query_time(out, "as_of_before", query->q->both_now ? query->now.us : before.as_of_us);
    query_int(out, "count_saved", now.count);
    query_int(out, "count_saved_before", before.count);
    const struct side is = query->q->both_now ? of_now(query, now.text) : as_saved(&now);
    const struct side was = query->q->both_now ? of_now(query, before.text) : as_saved(&before);
    return write_change(query, &is, &was, out);
}

/* Runs a version again: at its own moment (the result must be the saved one) and now, and what lies between
 * the two. */
lt_res query_scope_again(const struct ca_query *query, struct query_out *out)
{
    struct saved s;
    struct query_scope a;
    int64_t count = 0;
    uint8_t hash[SCOPE_HASH_LEN];
    LT_TRY(load(query, query->q->version, INT64_MAX, &s));
    const struct side is = of_now(query, s.text);
    const struct side was = as_saved(&s);
    LT_TRY(query_scope_prepare(query, s.text, &a));
    query_cstr(out, "name", query->q->id);
    query_int(out, "version", s.version);
    query_int(out, "count_saved", s.count);
    query_time(out, "saved_as_of", s.as_of_us);
    LT_TRY(query_scope_write_text(&a, out));
    if (query->q->side[0] != 0) { /* more of what the first answer began */
        return write_change(query, &is, &was, out);
    }
    LT_TRY(query_scope_hash(&a, &count, hash));
    query_int(out, "count", count);
    query_hex(out, "members_sha256", LT_SLICE(hash, sizeof(hash)));
    a.ask.now.us = s.as_of_us;
    a.ask.as_of = true;
    LT_TRY(query_scope_hash(&a, &count, hash));
    query_int(out, "count_then", count);
    query_hex(out, "members_sha256_then", LT_SLICE(hash, sizeof(hash)));
    query_bool(out, "of_now", scope_of_now(a.scope));
    query_bool(out, "as_saved",
               count == s.count && lt_slice_eq(s.members_sha256, LT_SLICE(hash, sizeof(hash))));
    return write_change(query, &is, &was, out);
}
