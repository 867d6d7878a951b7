/* store.h over whichever database was opened: every call goes to its backend. */
#include "store/store.h"

#include "store/internal.h"
#include "store/postgres.h"

lt_res store_open(const struct store_options *options, struct store **ret_store)
{
    return store_is_postgres(options->path) ? store_postgres_open(options, ret_store)
                                            : store_sqlite_open(options, ret_store);
}

void store_close(struct store *s)
{
    if (s != NULL) {
        s->backend->close(s);
    }
}

lt_res store_scalar(struct store *s, const char *sql, int64_t *ret_value)
{
    return s->backend->scalar(s, sql, ret_value);
}

lt_res store_script(struct store *s, const char *sql)
{
    return s->backend->script(s, sql);
}

lt_res store_begin(struct store *s)
{
    return s->backend->begin(s);
}

lt_res store_begin_beside(struct store *s)
{
    return s->backend->begin_beside(s);
}

lt_res store_lock(struct store *s, int64_t number)
{
    return s->backend->lock(s, number);
}

lt_res store_commit(struct store *s)
{
    return s->backend->commit(s);
}

lt_res store_commit_unsynced(struct store *s)
{
    return s->backend->commit_unsynced(s);
}

void store_rollback(struct store *s)
{
    s->backend->rollback(s);
}

lt_res store_savepoint(struct store *s)
{
    return s->backend->savepoint(s);
}

lt_res store_release(struct store *s)
{
    return s->backend->release(s);
}

void store_rollback_to(struct store *s)
{
    s->backend->rollback_to(s);
}

lt_res store_exec(struct store *s, const struct store_sql *sql, const struct store_value *values,
                  size_t count, int64_t *ret_changed)
{
    return s->backend->exec(s, sql, values, count, ret_changed);
}

lt_res store_query(struct store *s, const struct store_sql *sql, const struct store_value *values,
                   size_t count, struct store_rows *ret_rows)
{
    return s->backend->query(s, sql, values, count, ret_rows);
}

lt_res store_query_once(struct store *s, const struct store_sql *sql, const struct store_value *values,
                        size_t count, struct store_rows *ret_rows)
{
    return s->backend->query_once(s, sql, values, count, ret_rows);
}

bool store_next(struct store_rows *rows)
{
    return rows->stmt != NULL && rows->failed.code == 0 && rows->store->backend->next(rows);
}

lt_res store_rows_end(struct store_rows *rows)
{
    return rows->stmt == NULL ? rows->failed : rows->store->backend->rows_end(rows);
}

int64_t store_int(const struct store_rows *rows, int column)
{
    return rows->store->backend->integer(rows, column);
}

bool store_is_null(const struct store_rows *rows, int column)
{
    return rows->store->backend->is_null(rows, column);
}

lt_slice store_bytes(const struct store_rows *rows, int column)
{
    return rows->store->backend->bytes(rows, column);
}

const char *store_cstr(const struct store_rows *rows, int column)
{
    return rows->store->backend->cstr(rows, column);
}

enum store_type store_type(const struct store_rows *rows, int column)
{
    return rows->store->backend->type(rows, column);
}

bool store_changed_elsewhere(const struct store *s)
{
    return s->backend->changed_elsewhere(s);
}

const char *store_explain_words(const struct store *s)
{
    return s->backend->explain;
}

lt_res store_limit(struct store *s, int64_t ms)
{
    return s->backend->limit(s, ms);
}

bool store_shared(const struct store *s)
{
    return s->backend->shared;
}

bool store_gone(struct store *s)
{
    return s->backend->gone(s);
}
