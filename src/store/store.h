#ifndef STORE_STORE_H
#define STORE_STORE_H
/* The book's ground: a SQL database behind prepared statements, one backend vtable, portable SQL.
 *
 * Statements are static rows {name, text}; the text uses ?1 ?2 … and nothing that SQLite 3.40 and PostgreSQL
 * 15 do not both take (the PostgreSQL backend turns ?1 into $1). Each room keeps its statements in a table
 * that it exports, so that a test can EXPLAIN every one. No SQL is ever built from strings at run time.
 */
#include "base/arena.h"
#include "base/clock.h"

struct store;      /* a connection; owned by its opener */
struct store_stmt; /* prepared; owned by the store */

struct store_sql {
    const char *name;
    const char *text;
};

enum store_type { STORE_NULL, STORE_INT, STORE_BLOB, STORE_TEXT };

struct store_value {
    enum store_type type;
    int64_t integer;
    lt_slice bytes; /* blob or text; borrowed until the call returns */
};

#define STORE_I(v_) ((struct store_value){.type = STORE_INT, .integer = (int64_t)(v_)})
#define STORE_B(slice_) ((struct store_value){.type = STORE_BLOB, .bytes = (slice_)})
#define STORE_T(slice_) ((struct store_value){.type = STORE_TEXT, .bytes = (slice_)})
#define STORE_S(cstr_) ((struct store_value){.type = STORE_TEXT, .bytes = lt_slice_cstr(cstr_)})
#define STORE_N ((struct store_value){.type = STORE_NULL})

struct store_options {
    const char *path; /* SQLite file, or postgresql://… */
    bool read_only;   /* reader, publisher: never writes, not even the WAL index */
    bool create;      /* init only */
    size_t cache_kib; /* page cache; 0 for 16 MiB */
    const char *vfs;  /* NULL, or a test VFS registered before (fault injection) */
    /* NULL, or a name that one connection alone may have ("registrar"), on all hosts together. Opening
     * waits up to 10 s for the one before to be gone for good, with what it had under way. PostgreSQL only: a
     * folder has its lock. */
    const char *writer;
};

/* Opens, sets WAL, synchronous=FULL, foreign_keys, trusted_schema=OFF, defensive, no extension loading;
 * refuses a schema newer than this program, and an older one unless store_migrate is run. */
LT_MUST_USE lt_res store_open(const struct store_options *options, struct store **ret_store);
void store_close(struct store *s);
/* Brings the schema to this program's version inside one transaction. */
LT_MUST_USE lt_res store_migrate(struct store *s);
/* That this program knows. */
int64_t store_schema_version(void);

/* begin: takes the write lock at once (BEGIN IMMEDIATE); read-only, one view of the book until commit.
 * With PostgreSQL it is one lock for all registrars; LT_STATE_CLOSED says that the connection is gone: what
 * was under way is in the book or not, the process ends, and the next one reads what is true. LT_RETRY_BUSY
 * when another holds it too long, LT_RETRY_UNAVAILABLE when the disk is full, LT_STATE_IO when it is broken,
 * LT_STATE_CORRUPT when the book is: nothing of the transaction is in the book then. A failed commit has
 * rolled back. */
LT_MUST_USE lt_res store_begin(struct store *s);
/* The same beside others that began so, on other hosts: what only one may do at a time, such as the requests
 * of one account, is done under store_lock. Sees what others commit meanwhile. With SQLite, as store_begin.
 */
LT_MUST_USE lt_res store_begin_beside(struct store *s);
/* Behind store_savepoint, before anything is read: waits until nobody else works under that number, and keeps
 * it to the end of the transaction. LT_RETRY_BUSY when that takes too long: roll back to the savepoint. Then
 * store_changed_elsewhere says whether others have committed since the last time. With SQLite nothing. */
LT_MUST_USE lt_res store_lock(struct store *s, int64_t number);
LT_MUST_USE lt_res store_commit(struct store *s);
/* The same without waiting for the disk, where that costs something: a power cut may take it back, and all
 * that was committed so behind it, as if it had never been begun. For what nobody is told and is done again
 * anyway. With SQLite, as store_commit. */
LT_MUST_USE lt_res store_commit_unsynced(struct store *s);
void store_rollback(struct store *s);
/* One level of savepoint inside a transaction. */
LT_MUST_USE lt_res store_savepoint(struct store *s);
LT_MUST_USE lt_res store_release(struct store *s);
void store_rollback_to(struct store *s);
/* Between begin and commit of a writer: somebody else has written since this connection's last transaction,
 * so what was read before may not hold. Never with SQLite, where the registrar is the only one. */
bool store_changed_elsewhere(const struct store *s);
/* A reader, behind store_begin: what it asks in this transaction may take so long from now on, then it is
 * LT_RETRY_TIMEOUT and all that helps is store_rollback, with which the limit ends. */
LT_MUST_USE lt_res store_limit(struct store *s, int64_t ms);
/* "EXPLAIN QUERY PLAN" or "EXPLAIN": the words that make a plan of a statement; each row ends with a text. */
const char *store_explain_words(const struct store *s);
/* The connection is lost for good: what was asked for comes no more, and the process ends. Never with SQLite.
 */
bool store_gone(struct store *s);
/* Others may write to this book at the same time, from other hosts: it is on a server. */
bool store_shared(const struct store *s);
/* The path names a server, not a file. */
bool store_is_postgres(const char *path);

/* Runs a statement that gives no rows. ret_changed may be NULL. A broken UNIQUE or PRIMARY KEY is
 * LT_PEER_CONFLICT. */
LT_MUST_USE lt_res store_exec(struct store *s, const struct store_sql *sql, const struct store_value *values,
                              size_t count, int64_t *ret_changed);

/* Rows: store_query, then store_next until false, then check store_rows_end (a failure on the way shows
 * there). Values of a row are valid until the next store_next; copy what must live longer. */
struct store_rows {
    struct store *store;
    struct store_stmt *stmt;
    lt_res failed;
};
LT_MUST_USE lt_res store_query(struct store *s, const struct store_sql *sql, const struct store_value *values,
                               size_t count, struct store_rows *ret_rows);
/* A text that was put together from constant fragments by a compiler of ours (scope/), its values bound:
 * prepared for this run alone. sql must live until the rows end. Only reads. */
LT_MUST_USE lt_res store_query_once(struct store *s, const struct store_sql *sql,
                                    const struct store_value *values, size_t count,
                                    struct store_rows *ret_rows);
bool store_next(struct store_rows *rows);
LT_MUST_USE lt_res store_rows_end(struct store_rows *rows);
int64_t store_int(const struct store_rows *rows, int column);
bool store_is_null(const struct store_rows *rows, int column);
lt_slice store_bytes(const struct store_rows *rows, int column);   /* blob or text */
const char *store_cstr(const struct store_rows *rows, int column); /* text, NUL-terminated; "" for NULL */
enum store_type store_type(const struct store_rows *rows, int column);

/* store_exec(s, &SQL, STORE_ARGS(STORE_I(1), STORE_B(x)), NULL) */
#define STORE_ARGS(...)                        \
    (const struct store_value[]){__VA_ARGS__}, \
        sizeof((const struct store_value[]){__VA_ARGS__}) / sizeof(struct store_value)
#define STORE_NO_ARGS NULL, 0

#endif
