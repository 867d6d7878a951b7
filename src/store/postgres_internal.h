#ifndef STORE_POSTGRES_INTERNAL_H
#define STORE_POSTGRES_INTERNAL_H
/* Between the files of the PostgreSQL backend. */
#include "base/buf.h"
#include "store/internal.h"
#include "store/pq.h"

enum {
    POSTGRES_VALUES_MAX = 64,
    POSTGRES_STATEMENTS = 1024, /* power of two; more than rooms will ever export */
    POSTGRES_OPEN_ROWS = 32,
};

struct postgres_stmt {
    const struct store_sql *sql; /* NULL: free slot */
    char name[16];
    uint8_t types[POSTGRES_VALUES_MAX]; /* of the values, which decide how it was prepared */
    bool guarded;                       /* an INSERT that may meet what is there already */
};

/* Rows on their way: all of them, or a slice of a cursor. */
struct postgres_rows {
    PGresult *result; /* owned; NULL: free */
    const struct store_sql *sql;
    int at;
    int count;
    char cursor[16]; /* empty: all rows are here */
};

struct postgres {
    struct store base;
    const struct pq *pq;
    PGconn *connection; /* owned */
    struct lt_buf text;
    struct lt_buf load; /* rows on their way in a COPY */
    bool read_only;
    bool begun;
    bool free_plans;  /* in this transaction the server joins as it likes */
    bool mark_wanted; /* a savepoint that nothing was written in yet */
    bool marked;
    bool mark_kept; /* the server still has the mark of a message that went well */
    bool broken;    /* begun, but a failure ended it: only a rollback helps */
    bool gone;      /* the connection; it is never made again */
    bool wrote;
    int64_t generation; /* of the book when this connection last held it */
    bool changed;       /* another wrote since */
    unsigned cursors;
    struct postgres_stmt statements[POSTGRES_STATEMENTS];
    struct postgres_rows rows[POSTGRES_OPEN_ROWS];
};

/* The failure of a result, or of the connection for NULL. */
LT_MUST_USE lt_res postgres_fail(struct postgres *s, const PGresult *result, const char *doing);
/* Constant text without rows. */
LT_MUST_USE lt_res postgres_run(struct postgres *s, const char *sql);
LT_MUST_USE lt_res postgres_scalar(struct postgres *s, const char *sql, int64_t *ret_value);
/* postgres_stmt.c */
LT_MUST_USE lt_res postgres_exec(struct store *store, const struct store_sql *sql,
                                 const struct store_value *values, size_t count, int64_t *ret_changed);
LT_MUST_USE lt_res postgres_query(struct store *store, const struct store_sql *sql,
                                  const struct store_value *values, size_t count,
                                  struct store_rows *ret_rows);
LT_MUST_USE lt_res postgres_query_once(struct store *store, const struct store_sql *sql,
                                       const struct store_value *values, size_t count,
                                       struct store_rows *ret_rows);
bool postgres_next(struct store_rows *rows);
LT_MUST_USE lt_res postgres_rows_end(struct store_rows *rows);
int64_t postgres_int(const struct store_rows *rows, int column);
bool postgres_is_null(const struct store_rows *rows, int column);
lt_slice postgres_bytes(const struct store_rows *rows, int column);
const char *postgres_cstr(const struct store_rows *rows, int column);
enum store_type postgres_type(const struct store_rows *rows, int column);
/* postgres_begin.c: transactions. */
LT_MUST_USE lt_res postgres_begin(struct store *store);
LT_MUST_USE lt_res postgres_begin_beside(struct store *store);
LT_MUST_USE lt_res postgres_lock(struct store *store, int64_t number);
LT_MUST_USE lt_res postgres_commit(struct store *store);
LT_MUST_USE lt_res postgres_commit_unsynced(struct store *store);
void postgres_rollback(struct store *store);
LT_MUST_USE lt_res postgres_limit(struct store *store, int64_t ms);
LT_MUST_USE lt_res postgres_savepoint(struct store *store);
LT_MUST_USE lt_res postgres_release(struct store *store);
void postgres_rollback_to(struct store *store);
/* postgres_load.c */
LT_MUST_USE lt_res postgres_load_begin(struct store *store, const struct store_table *table);
LT_MUST_USE lt_res postgres_load_row(struct store *store, const struct store_table *table,
                                     const struct store_value *values);
LT_MUST_USE lt_res postgres_load_end(struct store *store, const struct store_table *table);
/* Before the first write behind a savepoint. */
LT_MUST_USE lt_res postgres_make_mark(struct postgres *s);

#endif
