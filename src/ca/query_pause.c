/* Names that are paused, account by account. */
#include "ca/query_parts.h"

enum { SQL_PAUSES, SQL_OF_ACCOUNT };
#define COLUMNS "SELECT account, identifier_type, identifier, failures, last_us, paused_us FROM name_pause "
static const struct store_sql sql[] = {
    [SQL_PAUSES] = {"query.pauses", COLUMNS "WHERE paused_us IS NOT NULL AND (account, identifier, "
                                            "identifier_type) > (?1, ?2, ?3) "
                                            "ORDER BY account, identifier, identifier_type LIMIT ?4"},
    [SQL_OF_ACCOUNT] = {"query.pauses.account",
                        COLUMNS "WHERE paused_us IS NOT NULL AND account = ?1 AND (identifier, "
                                "identifier_type) > (?2, ?3) "
                                "ORDER BY identifier, identifier_type LIMIT ?4"},
};
const struct ca_query_sql query_pause_sql = {sql, LT_COUNT(sql)};

enum column { ACCOUNT, TYPE, NAME, FAILURES, LAST, PAUSED };

static void write_row(struct query_out *o, const struct store_rows *rows)
{
    query_open(o, NULL, '{');
    query_id(o, "account", store_int(rows, ACCOUNT));
    query_cstr(o, "type", store_cstr(rows, TYPE));
    query_cstr(o, "identifier", store_cstr(rows, NAME));
    query_int(o, "failures", store_int(rows, FAILURES));
    query_time(o, "last", store_int(rows, LAST));
    query_time(o, "paused", store_int(rows, PAUSED));
    query_close(o, '}');
}

/* The row behind which the next page begins. */
static lt_res remember(const struct ca_query *query, const struct store_rows *rows, struct query_cursor *at)
{
    at->key = store_int(rows, ACCOUNT);
    at->name = lt_arena_copy(query->arena, store_bytes(rows, NAME));
    at->type = lt_arena_copy(query->arena, store_bytes(rows, TYPE));
    LT_CHECK(at->name.ptr != NULL && at->type.ptr != NULL, LT_PEER_TOO_LARGE, "the answer is too large");
    return LT_OK;
}

lt_res query_pause_list(const struct ca_query *query, struct query_out *out)
{
    struct query_cursor at;
    struct store_rows rows;
    size_t count = 0;
    lt_res r = LT_OK;
    int64_t account = query->q->account_id;
    LT_TRY(query_cursor_read(query, 'U', &at));
    LT_TRY(store_query(query->store, &sql[account != 0 ? SQL_OF_ACCOUNT : SQL_PAUSES],
                       STORE_ARGS(STORE_I(account != 0 ? account : at.key),
                                  STORE_T(at.set ? at.name : LT_LIT("")),
                                  STORE_T(at.set ? at.type : LT_LIT("")), STORE_I(query_limit(query) + 1)),
                       &rows));
    query_open(out, "pauses", '[');
    at.set = false;
    while (!lt_failed(r) && store_next(&rows)) {
        if (count++ == query_limit(query)) {
            at.set = true;
            break;
        }
        write_row(out, &rows);
        r = remember(query, &rows, &at);
    }
    query_close(out, ']');
    LT_TRY(store_rows_end(&rows));
    LT_TRY(r);
    query_cursor_write(out, 'U', &at);
    return LT_OK;
}
