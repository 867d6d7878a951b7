/* The mark of a book that was put back. */
#include "ca/put_back.h"

static const struct store_sql sql[] = {
    {"put-back.get", "SELECT value FROM meta WHERE key = 'book.put-back'"},
    {"put-back.mark", "INSERT INTO meta (key, value) VALUES ('book.put-back', ?1) "
                      "ON CONFLICT (key) DO UPDATE SET value = excluded.value"},
    {"put-back.clear", "DELETE FROM meta WHERE key = 'book.put-back'"},
};
enum { SQL_GET, SQL_MARK, SQL_CLEAR };
const struct store_sql *const ca_put_back_sql = sql;
const size_t ca_put_back_sql_count = LT_COUNT(sql);

lt_res ca_put_back_mark(struct store *s, const char *what)
{
    return store_exec(s, &sql[SQL_MARK], STORE_ARGS(STORE_S(what)), NULL);
}

lt_res ca_put_back_clear(struct store *s)
{
    return store_exec(s, &sql[SQL_CLEAR], STORE_NO_ARGS, NULL);
}

lt_res ca_put_back_get(struct store *s, bool *ret_marked)
{
    struct store_rows rows;
    LT_TRY(store_query(s, &sql[SQL_GET], STORE_NO_ARGS, &rows));
    *ret_marked = store_next(&rows);
    return store_rows_end(&rows);
}

lt_res ca_put_back_check(struct store *s)
{
    struct store_rows rows;
    LT_TRY(store_query(s, &sql[SQL_GET], STORE_NO_ARGS, &rows));
    lt_res r = LT_OK;
    if (store_next(&rows)) {
        r = lt_fail(LT_STATE_CORRUPT, __FILE__, __LINE__,
                    "this book is the backup %.40s, and was not reconciled: lintel restore --reconcile",
                    store_cstr(&rows, 0));
    }
    lt_res end = store_rows_end(&rows);
    return lt_failed(r) ? r : end;
}
