/* The SQLite backend of store.h: one connection, settings that lose nothing, prepared statements kept by the
 * address of their row, and one table that says what each of SQLite's failures means to us.
 *
 * Refuses: SQL that is not a row of some table, a schema newer than this program, writing outside the
 * transaction that was begun (a transaction that SQLite itself rolled back, as it may on a full disk, stays
 * refused until store_rollback).
 */
#include <sqlite3.h>
#include <stdlib.h>

#include "store/internal.h"
#include "store/store.h"

enum {
    CACHE_SLOTS = 1024, /* power of two; more statements than rooms will ever export */
    ONCE_SLOTS = 4,
    DEFAULT_CACHE_KIB = 16384,
    BUSY_WAIT_MS = 250,
    CHECKPOINT_PAGES =
        2000, /* 8 MiB: more would be faster, but on a small disk the WAL must leave room for the book */
    LOOKASIDE_SIZE = 1200, /* of one of LOOKASIDE_COUNT blocks that spare malloc */
    LOOKASIDE_COUNT = 500,
    LIMIT_STEPS = 20000, /* of its machine, a millisecond or so: between two looks at the clock */
};

struct sqlite_stmt {
    const struct store_sql *sql; /* NULL: free slot */
    sqlite3_stmt *stmt;          /* owned */
    bool busy;                   /* between store_query and store_rows_end */
    bool writes;
};

struct sqlite_book {
    struct store base;
    sqlite3 *db; /* owned */
    bool read_only;
    bool begun;
    bool mark_wanted;  /* a savepoint that nothing was written in yet: SQLite does not know of it */
    bool lost;         /* begun, but SQLite rolled it back by itself */
    int wal_pages;     /* as of the last commit */
    int checkpoint_at; /* pages of the WAL */
    int64_t limit_ms;  /* of the monotonic clock: when what is asked has taken too long; 0: never */
    bool suspect;      /* a sync failed: what the WAL holds on disk is unknown until it begins anew */
    struct sqlite_stmt cache[CACHE_SLOTS];
    struct sqlite_stmt once[ONCE_SLOTS]; /* prepared for one run, and gone with it */
};

static struct sqlite_book *book_of(struct store *store)
{
    return (struct sqlite_book *)(void *)store; /* base comes first */
}

static struct sqlite_stmt *stmt_of(const struct store_rows *rows)
{
    return (struct sqlite_stmt *)(void *)rows->stmt;
}

/* What each primary or extended code means. First match wins; extended codes stand before their primary. */
static const struct {
    int sqlite;
    int code;
    const char *what;
} meanings[] = {
    {SQLITE_CONSTRAINT_UNIQUE, LT_PEER_CONFLICT, "already there"},
    {SQLITE_CONSTRAINT_PRIMARYKEY, LT_PEER_CONFLICT, "already there"},
    {SQLITE_CONSTRAINT_ROWID, LT_PEER_CONFLICT, "already there"},
    {SQLITE_IOERR_SHMSIZE, LT_RETRY_UNAVAILABLE, "the disk is full"},
    {SQLITE_IOERR_NOMEM, LT_STATE_IO, "out of memory"},
    {SQLITE_READONLY_ROLLBACK, LT_STATE_CORRUPT, "a foreign rollback journal"},
    {SQLITE_BUSY, LT_RETRY_BUSY, "another holds the book"},
    {SQLITE_LOCKED, LT_RETRY_BUSY, "another holds the table"},
    {SQLITE_PROTOCOL, LT_RETRY_BUSY, "locks of the book are contended"},
    {SQLITE_FULL, LT_RETRY_UNAVAILABLE, "the disk is full"},
    {SQLITE_CONSTRAINT, LT_STATE_CORRUPT, "a constraint of the schema is broken"},
    {SQLITE_CORRUPT, LT_STATE_CORRUPT, "the book is damaged"},
    {SQLITE_NOTADB, LT_STATE_CORRUPT, "this is no book"},
    {SQLITE_READONLY, LT_STATE_IO, "the book is read-only here"},
    {SQLITE_INTERRUPT, LT_RETRY_TIMEOUT, "it took too long"},
    {SQLITE_PERM, LT_STATE_IO, "no right to the book"},
    {SQLITE_AUTH, LT_STATE_IO, "no right to the book"},
    {SQLITE_CANTOPEN, LT_STATE_IO, "the book cannot be opened"},
    {SQLITE_IOERR, LT_STATE_IO, "the disk failed"},
    {SQLITE_TOOBIG, LT_PEER_TOO_LARGE, "too large for the book"},
};

static lt_res fail_with(sqlite3 *db, int rc, const char *doing)
{
    int extended = db != NULL ? sqlite3_extended_errcode(db) : rc;
    if ((extended & 0xff) != (rc & 0xff)) {
        extended = rc;
    }
    const char *detail = db != NULL ? sqlite3_errmsg(db) : sqlite3_errstr(rc);
    for (size_t i = 0; i < LT_COUNT(meanings); i++) {
        if (meanings[i].sqlite == extended || meanings[i].sqlite == (extended & 0xff)) {
            LT_FAIL(meanings[i].code, "%s: %s (%s, %d)", doing, meanings[i].what, detail, extended);
        }
    }
    LT_FAIL(LT_STATE_IO, "%s: %s (%d)", doing, detail, extended);
}

/* After a failure inside a transaction: has SQLite ended it by itself? */
static lt_res fail(struct sqlite_book *s, int rc, const char *doing)
{
    lt_res r = fail_with(s->db, rc, doing);
    if (s->begun && sqlite3_get_autocommit(s->db) != 0) {
        s->lost = true;
    }
    if ((rc & 0xff) == SQLITE_IOERR || (rc & 0xff) == SQLITE_FULL) {
        s->suspect = true; /* and on a full disk a renewed WAL gives room back */
    }
    return r;
}

/* Before the first connection of a process: no spill files (a sandbox has nowhere to put them), no memory
 * accounting, no locks for threads that there are not. A process that has initialised SQLite already, as
 * tests with a VFS have, keeps its settings. */
static void configure_library(void)
{
    static bool done;
    if (!done) {
        done = true;
        (void)sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, -1); /* see above: may be too late, harmless */
        (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
        (void)sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
    }
}

static lt_res sqlite_script(struct sqlite_book *s, const char *sql)
{
    int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? LT_OK : fail(s, rc, sql);
}

static lt_res set_flag(struct sqlite_book *s, int flag, int on)
{
    int rc = sqlite3_db_config(s->db, flag, on, NULL);
    return rc == SQLITE_OK ? LT_OK : fail(s, rc, "database flag");
}

/* Everything in the WAL goes into the database and is synced there, and the WAL begins anew. A failed sync
 * may have dropped bytes that an earlier, successful commit left in the page cache behind its last sync (the
 * end of a padding frame); every later frame hangs on them by checksum, so nothing may be appended before
 * this. */
static lt_res renew_wal(struct sqlite_book *s)
{
    int rc = sqlite3_wal_checkpoint_v2(s->db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    if (rc != SQLITE_OK) {
        return fail(s, rc, "renewing the WAL");
    }
    s->suspect = false;
    return LT_OK;
}

/* After each commit: what SQLite would do by itself, but a failure is noticed. */
static int after_commit(void *self, sqlite3 *db, const char *name, int pages)
{
    struct sqlite_book *s = self;
    if (pages <= s->wal_pages || s->checkpoint_at == 0) {
        s->checkpoint_at = CHECKPOINT_PAGES; /* it has begun anew */
    }
    s->wal_pages = pages;
    if (pages >= s->checkpoint_at) {
        /* While somebody reads for long it cannot begin anew: then not again at each commit, with its syncs.
         */
        s->checkpoint_at = pages + CHECKPOINT_PAGES;
        int rc = sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
        s->suspect = s->suspect || (rc != SQLITE_OK && (rc & 0xff) != SQLITE_BUSY);
    }
    return SQLITE_OK;
}

static lt_res settings(struct sqlite_book *s, const struct store_options *o)
{
    (void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_LOOKASIDE, NULL, LOOKASIDE_SIZE, LOOKASIDE_COUNT);
    LT_TRY(set_flag(s, SQLITE_DBCONFIG_DEFENSIVE, 1));
    LT_TRY(set_flag(s, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0));
    LT_TRY(set_flag(s, SQLITE_DBCONFIG_ENABLE_FKEY, 1));
    LT_TRY(set_flag(s, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0));
    LT_TRY(set_flag(s, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0));
    LT_TRY(set_flag(s, SQLITE_DBCONFIG_ENABLE_VIEW, 0));
    LT_TRY(set_flag(s, SQLITE_DBCONFIG_DQS_DML, 0));
    LT_TRY(set_flag(s, SQLITE_DBCONFIG_DQS_DDL, 0));
    (void)sqlite3_busy_timeout(s->db, BUSY_WAIT_MS); /* cannot fail on an open connection */
    LT_TRY(sqlite_script(s, "PRAGMA temp_store = MEMORY"));
    LT_TRY(sqlite_script(s, "PRAGMA mmap_size = 0"));
    LT_TRY(sqlite_script(s, "PRAGMA cell_size_check = ON"));
    char pragma[64];
    size_t kib = o->cache_kib == 0 ? DEFAULT_CACHE_KIB : o->cache_kib;
    (void)sqlite3_snprintf(sizeof pragma, pragma, "PRAGMA cache_size = -%llu", (unsigned long long)kib);
    LT_TRY(sqlite_script(s, pragma));
    if (o->read_only) {
        return sqlite_script(s, "PRAGMA query_only = ON");
    }
    /* FULL, and the folder too when a rollback journal goes: one that a power cut brings back undoes the
     * transaction that made the WAL. */
    LT_TRY(sqlite_script(s, "PRAGMA synchronous = EXTRA"));
    LT_TRY(sqlite_script(s, "PRAGMA journal_mode = WAL"));
    (void)sqlite3_wal_hook(s->db, after_commit, s); /* gives the hook before it: none */
    /* The WAL and its index stay when the last writer goes: readers cannot create them. */
    int keep = 1;
    (void)sqlite3_file_control(s->db, "main", SQLITE_FCNTL_PERSIST_WAL, &keep); /* a hint */
    return LT_OK;
}

static lt_res sqlite_scalar(struct sqlite_book *s, const char *sql, int64_t *ret_value)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL);
    if (rc == SQLITE_OK) {
        rc = sqlite3_step(stmt);
        if (rc == SQLITE_ROW) {
            *ret_value = sqlite3_column_int64(stmt, 0);
            rc = SQLITE_OK;
        }
    }
    lt_res r = rc == SQLITE_OK ? LT_OK : fail(s, rc, sql);
    (void)sqlite3_finalize(stmt); /* repeats the error that was reported */
    return r;
}

static lt_res open_connection(struct sqlite_book *s, const struct store_options *o)
{
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE;
    flags |= o->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    flags |= o->create ? SQLITE_OPEN_CREATE : 0;
    int rc = sqlite3_open_v2(o->path, &s->db, flags, o->vfs);
    LT_ASSERT(s->db != NULL);
    if (rc != SQLITE_OK) {
        return fail(s, rc, o->path);
    }
    LT_TRY(settings(s, o));
    LT_TRY(store_check_version(&s->base));
    if (o->read_only) {
        return LT_OK;
    }
    /* The writer before may have ended by a failed sync. A reader in the middle of something is let be: it
     * would take that sync, the end of the process and a power cut together to lose by it. */
    lt_res r = renew_wal(s);
    return r.code == LT_RETRY_BUSY ? LT_OK : r;
}

static void sqlite_close(struct store *store)
{
    struct sqlite_book *s = book_of(store);
    for (size_t i = 0; i < CACHE_SLOTS; i++) {
        (void)sqlite3_finalize(s->cache[i].stmt); /* repeats an error that was reported */
    }
    int rc = sqlite3_close(s->db);
    LT_ASSERT(rc == SQLITE_OK);
    free(s);
}

static size_t slot_of(const struct store_sql *sql)
{
    return ((size_t)((uintptr_t)sql >> 4) * (size_t)0x9e3779b97f4a7c15ULL >> 40) & (CACHE_SLOTS - 1);
}

/* Behind the last row. The same error is reported again by both calls. */
static void let_go(struct sqlite_book *s, struct sqlite_stmt *c)
{
    (void)sqlite3_reset(c->stmt);
    c->busy = false;
    if (c >= s->once && c < s->once + ONCE_SLOTS) {
        (void)sqlite3_finalize(c->stmt);
        *c = (struct sqlite_stmt){.sql = NULL};
    }
}

static lt_res take_once(struct sqlite_book *s, const struct store_sql *sql, struct sqlite_stmt **ret_stmt)
{
    for (size_t i = 0; i < ONCE_SLOTS; i++) {
        struct sqlite_stmt *c = &s->once[i];
        if (c->sql == NULL) {
            int rc = sqlite3_prepare_v3(s->db, sql->text, -1, 0, &c->stmt, NULL);
            if (rc != SQLITE_OK) {
                return fail(s, rc, sql->name);
            }
            LT_ASSERT(sqlite3_stmt_readonly(c->stmt) != 0);
            c->sql = sql;
            *ret_stmt = c;
            return LT_OK;
        }
    }
    LT_FAIL(LT_STATE_CORRUPT, "%s: too many answers are open", sql->name);
}

/* A statement that is not in the middle of its rows; another of the same text when it is. */
static lt_res take(struct sqlite_book *s, const struct store_sql *sql, struct sqlite_stmt **ret_stmt)
{
    for (size_t i = 0, at = slot_of(sql); i < CACHE_SLOTS; i++, at = (at + 1) & (CACHE_SLOTS - 1)) {
        struct sqlite_stmt *c = &s->cache[at];
        if (c->sql == sql && !c->busy) {
            *ret_stmt = c;
            return LT_OK;
        }
        if (c->sql == NULL) {
            int rc = sqlite3_prepare_v3(s->db, sql->text, -1, SQLITE_PREPARE_PERSISTENT, &c->stmt, NULL);
            if (rc != SQLITE_OK) {
                return fail(s, rc, sql->name);
            }
            c->sql = sql;
            c->writes = sqlite3_stmt_readonly(c->stmt) == 0;
            *ret_stmt = c;
            return LT_OK;
        }
    }
    LT_FAIL(LT_STATE_CORRUPT, "%s: all statements are taken", sql->name);
}

static int bind_one(sqlite3_stmt *stmt, int at, const struct store_value *v)
{
    switch (v->type) {
    case STORE_NULL:
        return sqlite3_bind_null(stmt, at);
    case STORE_INT:
        return sqlite3_bind_int64(stmt, at, v->integer);
    case STORE_BLOB:
        if (v->bytes.len == 0) {
            return sqlite3_bind_zeroblob(stmt, at, 0);
        }
        return sqlite3_bind_blob64(stmt, at, v->bytes.ptr, v->bytes.len, SQLITE_STATIC);
    case STORE_TEXT:
        return sqlite3_bind_text64(stmt, at, v->bytes.len == 0 ? "" : (const char *)v->bytes.ptr,
                                   v->bytes.len, SQLITE_STATIC, SQLITE_UTF8);
    }
    return SQLITE_MISUSE;
}

static lt_res check_usable(const struct sqlite_book *s, const struct store_sql *sql)
{
    LT_CHECK(s->base.usable, LT_PEER_USAGE, "the book is older than this program: run lintel migrate");
    LT_CHECK(!s->lost, LT_RETRY_UNAVAILABLE, "%s: the transaction was rolled back before", sql->name);
    return LT_OK;
}

static lt_res bind_all(struct sqlite_book *s, const struct sqlite_stmt *c, const struct store_value *values,
                       size_t count)
{
    LT_ASSERT(sqlite3_bind_parameter_count(c->stmt) == (int)count);
    for (size_t i = 0; i < count; i++) {
        int rc = bind_one(c->stmt, (int)i + 1, &values[i]);
        if (rc != SQLITE_OK) {
            return fail(s, rc, c->sql->name);
        }
    }
    return LT_OK;
}

static lt_res prepare(struct sqlite_book *s, const struct store_sql *sql, const struct store_value *values,
                      size_t count, struct sqlite_stmt **ret_stmt)
{
    struct sqlite_stmt *c = NULL;
    LT_TRY(check_usable(s, sql));
    LT_TRY(take(s, sql, &c));
    LT_TRY(bind_all(s, c, values, count));
    *ret_stmt = c;
    return LT_OK;
}

static lt_res run(struct sqlite_book *s, const struct store_sql *sql)
{
    struct sqlite_stmt *c = NULL;
    LT_TRY(prepare(s, sql, NULL, 0, &c));
    int rc = sqlite3_step(c->stmt);
    lt_res r = rc == SQLITE_DONE ? LT_OK : fail(s, rc, sql->name);
    (void)sqlite3_reset(c->stmt); /* repeats the error that was reported */
    return r;
}

static const struct store_sql control_sql[] = {
    {"begin", "BEGIN IMMEDIATE"},   {"commit", "COMMIT"},
    {"rollback", "ROLLBACK"},       {"savepoint", "SAVEPOINT message"},
    {"release", "RELEASE message"}, {"rollback-to", "ROLLBACK TO message"},
    {"begin-read", "BEGIN"},
};
enum { SQL_BEGIN, SQL_COMMIT, SQL_ROLLBACK, SQL_SAVEPOINT, SQL_RELEASE, SQL_ROLLBACK_TO, SQL_BEGIN_READ };

/* The first write behind store_savepoint makes it real: half of all messages only read, and each savepoint
 * costs a copy of every page that is written behind it. */
static lt_res make_mark(struct sqlite_book *s)
{
    s->mark_wanted = false;
    return run(s, &control_sql[SQL_SAVEPOINT]);
}

static lt_res book_exec(struct store *store, const struct store_sql *sql, const struct store_value *values,
                        size_t count, int64_t *ret_changed)
{
    struct sqlite_book *s = book_of(store);
    struct sqlite_stmt *c = NULL;
    LT_TRY(prepare(s, sql, values, count, &c));
    if (s->mark_wanted && c->writes) {
        LT_TRY(make_mark(s));
    }
    int rc = sqlite3_step(c->stmt);
    lt_res r = rc == SQLITE_DONE ? LT_OK : fail(s, rc, sql->name);
    (void)sqlite3_reset(c->stmt); /* repeats the error that was reported */
    if (!lt_failed(r) && ret_changed != NULL) {
        *ret_changed = sqlite3_changes64(s->db);
    }
    return r;
}

static lt_res book_query(struct store *store, const struct store_sql *sql, const struct store_value *values,
                         size_t count, struct store_rows *ret_rows)
{
    struct sqlite_book *s = book_of(store);
    struct sqlite_stmt *c = NULL;
    *ret_rows = (struct store_rows){.store = store};
    LT_TRY(prepare(s, sql, values, count, &c));
    c->busy = true;
    ret_rows->stmt = (struct store_stmt *)(void *)c;
    return LT_OK;
}

static lt_res book_query_once(struct store *store, const struct store_sql *sql,
                              const struct store_value *values, size_t count, struct store_rows *ret_rows)
{
    struct sqlite_book *s = book_of(store);
    struct sqlite_stmt *c = NULL;
    *ret_rows = (struct store_rows){.store = store};
    LT_TRY(check_usable(s, sql));
    LT_TRY(take_once(s, sql, &c));
    lt_res r = bind_all(s, c, values, count);
    if (lt_failed(r)) {
        let_go(s, c);
        return r;
    }
    c->busy = true;
    ret_rows->stmt = (struct store_stmt *)(void *)c;
    return LT_OK;
}

static bool book_next(struct store_rows *rows)
{
    struct sqlite_stmt *c = stmt_of(rows);
    if (c == NULL || rows->failed.code != 0) {
        return false;
    }
    int rc = sqlite3_step(c->stmt);
    if (rc == SQLITE_ROW) {
        return true;
    }
    if (rc != SQLITE_DONE) {
        rows->failed = fail(book_of(rows->store), rc, c->sql->name);
    }
    /* Let go of the read lock at once; store_rows_end still tells. */
    let_go(book_of(rows->store), c);
    rows->stmt = NULL;
    return false;
}

static lt_res book_rows_end(struct store_rows *rows)
{
    struct sqlite_stmt *c = stmt_of(rows);
    if (c != NULL) {
        let_go(book_of(rows->store), c);
        rows->stmt = NULL;
    }
    return rows->failed;
}

static int64_t book_int(const struct store_rows *rows, int column)
{
    return sqlite3_column_int64(stmt_of(rows)->stmt, column);
}

static bool book_is_null(const struct store_rows *rows, int column)
{
    return sqlite3_column_type(stmt_of(rows)->stmt, column) == SQLITE_NULL;
}

static lt_slice book_bytes(const struct store_rows *rows, int column)
{
    const void *bytes = sqlite3_column_blob(stmt_of(rows)->stmt, column);
    int len = sqlite3_column_bytes(stmt_of(rows)->stmt, column);
    return LT_SLICE(bytes, bytes == NULL || len < 0 ? 0 : (size_t)len);
}

static const char *book_cstr(const struct store_rows *rows, int column)
{
    const unsigned char *text = sqlite3_column_text(stmt_of(rows)->stmt, column);
    return text == NULL ? "" : (const char *)text;
}

static lt_res book_begin(struct store *store)
{
    struct sqlite_book *s = book_of(store);
    LT_ASSERT(!s->begun);
    if (s->suspect && !s->read_only) {
        LT_TRY(renew_wal(s));
    }
    LT_TRY(run(s, &control_sql[s->read_only ? SQL_BEGIN_READ : SQL_BEGIN]));
    s->begun = true;
    return LT_OK;
}

/* Asked by SQLite now and then while a statement runs. */
static int over_limit(void *self)
{
    const struct sqlite_book *s = self;
    return lt_monotonic_ms() >= s->limit_ms ? 1 : 0;
}

static lt_res book_limit(struct store *store, int64_t ms)
{
    struct sqlite_book *s = book_of(store);
    LT_ASSERT(s->begun && ms > 0);
    s->limit_ms = lt_monotonic_ms() + ms;
    sqlite3_progress_handler(s->db, LIMIT_STEPS, over_limit, s);
    return LT_OK;
}

static void end_limit(struct sqlite_book *s)
{
    if (s->limit_ms != 0) {
        s->limit_ms = 0;
        sqlite3_progress_handler(s->db, 0, NULL, NULL);
    }
}

static void book_rollback(struct store *store)
{
    struct sqlite_book *s = book_of(store);
    end_limit(s);
    s->lost = false;
    s->mark_wanted = false;
    if (s->begun && sqlite3_get_autocommit(s->db) == 0) {
        /* A rollback that fails leaves nothing written: SQLite then has dropped the transaction itself. */
        lt_ignore(run(s, &control_sql[SQL_ROLLBACK]));
    }
    s->begun = false;
    s->lost = false;
}

static lt_res book_commit(struct store *store)
{
    struct sqlite_book *s = book_of(store);
    LT_ASSERT(s->begun);
    end_limit(s);
    lt_res r = run(s, &control_sql[SQL_COMMIT]);
    if (lt_failed(r)) {
        book_rollback(store);
        return r;
    }
    s->begun = false;
    return LT_OK;
}

static lt_res book_savepoint(struct store *store)
{
    struct sqlite_book *s = book_of(store);
    LT_ASSERT(s->begun && !s->mark_wanted);
    s->mark_wanted = true;
    return LT_OK;
}

static lt_res book_release(struct store *store)
{
    struct sqlite_book *s = book_of(store);
    if (s->mark_wanted) {
        s->mark_wanted = false;
        return LT_OK;
    }
    return run(s, &control_sql[SQL_RELEASE]);
}

static void book_rollback_to(struct store *store)
{
    struct sqlite_book *s = book_of(store);
    if (s->mark_wanted) {
        s->mark_wanted = false;
        return;
    }
    if (s->lost || sqlite3_get_autocommit(s->db) != 0) {
        s->lost = true; /* there is nothing left to go back to; the commit will say so */
        return;
    }
    lt_res r = run(s, &control_sql[SQL_ROLLBACK_TO]);
    if (!lt_failed(r)) {
        r = run(s, &control_sql[SQL_RELEASE]);
    }
    if (lt_failed(r)) {
        s->lost = true;
    }
}

static enum store_type book_type(const struct store_rows *rows, int column)
{
    switch (sqlite3_column_type(stmt_of(rows)->stmt, column)) {
    case SQLITE_INTEGER:
        return STORE_INT;
    case SQLITE_BLOB:
        return STORE_BLOB;
    case SQLITE_NULL:
        return STORE_NULL;
    default: /* no column of ours has a fraction */
        return STORE_TEXT;
    }
}

/* Nor can a file go away. */
static bool book_changed_elsewhere(const struct store *store)
{
    (void)store;
    return false;
}

static lt_res book_load_begin(struct store *store, const struct store_table *table)
{
    (void)table;
    return store_begin(store);
}

static lt_res book_load_row(struct store *store, const struct store_table *table,
                            const struct store_value *values)
{
    return store_exec(store, &table->write, values, table->columns, NULL);
}

static lt_res book_load_end(struct store *store, const struct store_table *table)
{
    (void)table;
    return store_commit(store);
}

static lt_res book_begin_migration(struct store *store)
{
    return sqlite_script(book_of(store), "BEGIN IMMEDIATE");
}

static lt_res book_script(struct store *store, const char *sql)
{
    return sqlite_script(book_of(store), sql);
}

static lt_res book_scalar(struct store *store, const char *sql, int64_t *ret_value)
{
    return sqlite_scalar(book_of(store), sql, ret_value);
}

static lt_res book_version(struct store *store, int64_t *ret_version)
{
    return sqlite_scalar(book_of(store), "PRAGMA user_version", ret_version);
}

static lt_res book_set_version(struct store *store, int64_t version)
{
    char pragma[64];
    (void)sqlite3_snprintf(sizeof pragma, pragma, "PRAGMA user_version = %lld", (long long)version);
    LT_TRY(sqlite_script(book_of(store), pragma));
    /* "LTEL": so that file(1) and a confused operator can tell a book from another database. */
    return sqlite_script(book_of(store), "PRAGMA application_id = 0x4c54454c");
}

static lt_res book_lock(struct store *store, int64_t number)
{
    (void)store;
    (void)number;
    return LT_OK;
}

static bool never_gone(struct store *store)
{
    (void)store;
    return false;
}

static const struct store_backend backend = {
    .name = "sqlite",
    .explain = "EXPLAIN QUERY PLAN",
    .close = sqlite_close,
    .version = book_version,
    .begin_migration = book_begin_migration,
    .set_version = book_set_version,
    .script = book_script,
    .scalar = book_scalar,
    .begin = book_begin,
    .begin_beside = book_begin, /* there is one writer */
    .lock = book_lock,
    .commit = book_commit,
    .commit_unsynced = book_commit, /* the WAL is synced by whoever comes next all the same */
    .rollback = book_rollback,
    .limit = book_limit,
    .savepoint = book_savepoint,
    .release = book_release,
    .rollback_to = book_rollback_to,
    .exec = book_exec,
    .query = book_query,
    .query_once = book_query_once,
    .next = book_next,
    .rows_end = book_rows_end,
    .integer = book_int,
    .is_null = book_is_null,
    .bytes = book_bytes,
    .cstr = book_cstr,
    .type = book_type,
    .changed_elsewhere = book_changed_elsewhere,
    .gone = never_gone,
    .load_begin = book_load_begin,
    .load_row = book_load_row,
    .load_end = book_load_end,
};

lt_res store_sqlite_open(const struct store_options *options, struct store **ret_store)
{
    configure_library();
    struct sqlite_book *s = calloc(1, sizeof *s);
    LT_ASSERT(s != NULL);
    s->base.backend = &backend;
    s->base.migrations = store_migrations;
    s->read_only = options->read_only;
    lt_res r = open_connection(s, options);
    if (lt_failed(r)) {
        sqlite_close(&s->base);
        return r;
    }
    *ret_store = &s->base;
    return LT_OK;
}
