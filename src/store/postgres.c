/* The PostgreSQL backend of store.h: one connection, settings that lose nothing, and the same promises as
 * SQLite's, by the server's means.
 *
 * Refuses: a server that answers before it has synced, one older than 14, a second registrar of one host, and
 * to connect again: what a lost connection leaves unknown is settled by whoever starts anew and reads the
 * book.
 */
#include "store/postgres.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/postgres_internal.h"

enum { TEXT_MOST = 64 * 1024, LOAD_MOST = 1024 * 1024 * 1024, SERVER_LEAST = 140000 };

static struct postgres *postgres_of(struct store *store)
{
    return (struct postgres *)(void *)store;
}

/* What of libpq's messages is not an error is nobody's affair. */
static void no_notices(void *self, const PGresult *result)
{
    (void)self;
    (void)result;
}

static bool fine(struct postgres *s, const PGresult *result)
{
    ExecStatusType status = s->pq->PQresultStatus(result); /* of NULL: a fatal error */
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

static bool ends_in_commit(const char *sql)
{
    return lt_slice_ends(lt_slice_cstr(sql), LT_LIT("COMMIT"));
}

lt_res postgres_run(struct postgres *s, const char *sql)
{
    PGresult *result = s->pq->PQexec(s->connection, sql);
    lt_res r = fine(s, result) ? LT_OK : postgres_fail(s, result, sql);
    /* A COMMIT that says ROLLBACK. */
    bool undone = !lt_failed(r) && ends_in_commit(sql) && strcmp(s->pq->PQcmdStatus(result), "COMMIT") != 0;
    s->pq->PQclear(result);
    LT_CHECK(!undone, LT_RETRY_UNAVAILABLE, "commit: the transaction was rolled back before");
    return r;
}

lt_res postgres_scalar(struct postgres *s, const char *sql, int64_t *ret_value)
{
    PGresult *result = s->pq->PQexec(s->connection, sql);
    lt_res r = fine(s, result) ? LT_OK : postgres_fail(s, result, sql);
    if (!lt_failed(r) && s->pq->PQntuples(result) > 0) {
        *ret_value = strtoll(s->pq->PQgetvalue(result, 0, 0), NULL, 10);
    }
    s->pq->PQclear(result);
    return r;
}

static lt_res script(struct store *store, const char *sql)
{
    return postgres_run(postgres_of(store), sql);
}

static lt_res scalar(struct store *store, const char *sql, int64_t *ret_value)
{
    return postgres_scalar(postgres_of(store), sql, ret_value);
}

static lt_res version(struct store *store, int64_t *ret_version)
{
    int64_t there = 0;
    LT_TRY(scalar(store, "SELECT count(*) FROM pg_class WHERE oid = to_regclass('store_version')", &there));
    *ret_version = 0;
    return there == 0 ? LT_OK : scalar(store, "SELECT version FROM store_version", ret_version);
}

static lt_res set_version(struct store *store, int64_t number)
{
    char text[64];
    (void)snprintf(text, sizeof text, "UPDATE store_version SET version = %lld",
                   (long long)number); /* fits */
    return script(store, text);
}

static void close_connection(struct store *store)
{
    struct postgres *s = postgres_of(store);
    for (size_t i = 0; i < POSTGRES_OPEN_ROWS; i++) {
        s->pq->PQclear(s->rows[i].result);
    }
    s->pq->PQfinish(s->connection);
    lt_buf_done(&s->text);
    lt_buf_done(&s->load);
    free(s);
}

/* A version table is the first thing in a book, and makes it one. */
static lt_res begin_migration(struct store *store)
{
    struct postgres *s = postgres_of(store);
    LT_TRY(postgres_run(s, "BEGIN"));
    LT_TRY(postgres_run(s, "SELECT pg_advisory_xact_lock(1280591180, 1)"));
    return postgres_run(s,
                        "CREATE TABLE IF NOT EXISTS store_version (version bigint NOT NULL);"
                        "INSERT INTO store_version SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM store_version);"
                        "CREATE SEQUENCE IF NOT EXISTS store_generation;"
                        "SELECT nextval('store_generation')");
}

static bool changed(const struct store *store)
{
    return ((const struct postgres *)(const void *)store)->changed;
}

/* A connection that nobody uses hears of its end here: the kernel gives up on a silent peer by itself, and a
 * server that ends says so. */
static bool gone(struct store *store)
{
    struct postgres *s = postgres_of(store);
    bool heard = s->gone || s->begun || s->pq->PQconsumeInput(s->connection) == 1;
    s->gone = s->gone || !heard || s->pq->PQstatus(s->connection) != CONNECTION_OK;
    return s->gone;
}

static const struct store_backend backend = {
    .name = "postgresql",
    .shared = true,
    .explain = "EXPLAIN",
    .close = close_connection,
    .version = version,
    .begin_migration = begin_migration,
    .set_version = set_version,
    .script = script,
    .scalar = scalar,
    .begin = postgres_begin,
    .begin_beside = postgres_begin_beside,
    .lock = postgres_lock,
    .commit = postgres_commit,
    .commit_unsynced = postgres_commit_unsynced,
    .rollback = postgres_rollback,
    .limit = postgres_limit,
    .savepoint = postgres_savepoint,
    .release = postgres_release,
    .rollback_to = postgres_rollback_to,
    .exec = postgres_exec,
    .query = postgres_query,
    .query_once = postgres_query_once,
    .next = postgres_next,
    .rows_end = postgres_rows_end,
    .integer = postgres_int,
    .is_null = postgres_is_null,
    .bytes = postgres_bytes,
    .cstr = postgres_cstr,
    .type = postgres_type,
    .changed_elsewhere = changed,
    .gone = gone,
    .load_begin = postgres_load_begin,
    .load_row = postgres_load_row,
    .load_end = postgres_load_end,
};

/* A setting that must not be, with what to say of it. */
static const struct {
    const char *sql; /* 1 when it is as it must not be */
    const char *why;
} refused[] = {
    {"SELECT (current_setting('fsync') <> 'on')::int", "the server does not sync (fsync = off)"},
    {"SELECT (current_setting('full_page_writes') <> 'on')::int",
     "a power cut may tear the server's pages (full_page_writes = off)"},
    {"SELECT (current_setting('server_encoding') <> 'UTF8')::int", "the database is not in UTF8"},
};

static lt_res settings(struct postgres *s)
{
    /* What the server holds with more than one disk (remote_write, remote_apply) stays. */
    /* A prepared statement is a walk along an index, and what it joins a look-up each; statistics of tables
     * that have grown a thousandfold since they were made would have the server read them whole. */
    LT_TRY(postgres_run(s, "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;"
                           "SET enable_material = off; SET enable_bitmapscan = off"));
    LT_TRY(postgres_run(s, "SET client_min_messages = warning; SET jit = off; SET cursor_tuple_fraction = 1;"
                           "SELECT set_config('synchronous_commit', 'on', false) "
                           "WHERE current_setting('synchronous_commit') IN ('off', 'local')"));
    if (s->read_only) {
        return postgres_run(s, "SET default_transaction_read_only = on");
    }
    return postgres_run(s, "SET lock_timeout = '250ms'; SET statement_timeout = '60s';"
                           "SET idle_in_transaction_session_timeout = '5s'");
}

static lt_res check_server(struct postgres *s)
{
    LT_CHECK(s->pq->PQserverVersion(s->connection) >= SERVER_LEAST, LT_PEER_USAGE,
             "the server is PostgreSQL %d; the book needs 14 or later",
             s->pq->PQserverVersion(s->connection) / 10000);
    for (size_t i = 0; i < LT_COUNT(refused); i++) {
        int64_t bad = 0;
        LT_TRY(postgres_scalar(s, refused[i].sql, &bad));
        LT_CHECK(bad == 0, LT_PEER_USAGE, "no place for a book: %s", refused[i].why);
    }
    return LT_OK;
}

/* One connection at most with that name, on whatever host: the server keeps the lock until it knows that the
 * one before has ended, and with it the transaction whose end nobody has heard of. */
static lt_res take_name(struct postgres *s, const char *name)
{
    static const Oid types[] = {25};
    const char *const values[] = {name};
    PGresult *result = s->pq->PQexecParams(s->connection, "SELECT pg_advisory_lock(1280591181, hashtext($1))",
                                           1, types, values, NULL, NULL, 0);
    lt_res r = fine(s, result) ? LT_OK : postgres_fail(s, result, "taking the writer's name");
    s->pq->PQclear(result);
    LT_CHECK(r.code != LT_RETRY_BUSY, LT_RETRY_BUSY, "another connection writes to the book as %s", name);
    return r;
}

/* Those before dbname may be said otherwise by the URL, those behind it may not. libpq gives up on a peer
 * that is silent for five seconds, and on one that cannot be reached. */
static lt_res connect_to(struct postgres *s, const char *url)
{
    static const char *const names[] = {"connect_timeout",     "keepalives_idle",
                                        "keepalives_interval", "keepalives_count",
                                        "tcp_user_timeout",    "gssencmode",
                                        "application_name",    "dbname",
                                        "client_encoding",     NULL};
    const char *const values[] = {"5", "2", "1", "3", "5000", "disable", "lintel", url, "UTF8", NULL};
    s->connection = s->pq->PQconnectdbParams(names, values, 1);
    LT_ASSERT(s->connection != NULL);
    if (s->pq->PQstatus(s->connection) != CONNECTION_OK) {
        return postgres_fail(s, NULL, "connecting");
    }
    (void)s->pq->PQsetNoticeReceiver(s->connection, no_notices, NULL); /* gives the one before */
    return LT_OK;
}

static lt_res open_at(struct postgres *s, const struct store_options *o)
{
    LT_TRY(connect_to(s, o->path));
    LT_TRY(check_server(s));
    LT_TRY(settings(s));
    if (o->writer != NULL && !o->read_only) {
        LT_TRY(postgres_run(s, "SET lock_timeout = '10s'"));
        LT_TRY(take_name(s, o->writer));
        LT_TRY(postgres_run(s, "SET lock_timeout = '250ms'"));
    }
    return store_check_version(&s->base);
}

bool store_is_postgres(const char *path)
{
    return strncmp(path, "postgresql://", 13) == 0 || strncmp(path, "postgres://", 11) == 0;
}

lt_res store_postgres_open(const struct store_options *options, struct store **ret_store)
{
    struct postgres *s = calloc(1, sizeof *s);
    LT_ASSERT(s != NULL);
    s->base.backend = &backend;
    s->base.migrations = store_postgres_migrations;
    s->read_only = options->read_only;
    lt_buf_init(&s->text, TEXT_MOST);
    lt_buf_init(&s->load, LOAD_MOST);
    lt_res r = pq_load(&s->pq);
    if (lt_failed(r)) {
        free(s);
        return r;
    }
    r = open_at(s, options);
    if (lt_failed(r)) {
        struct lt_error why = *lt_error_last();
        close_connection(&s->base);
        return lt_fail(r.code, why.file, why.line, "%s", why.detail);
    }
    *ret_store = &s->base;
    return LT_OK;
}
