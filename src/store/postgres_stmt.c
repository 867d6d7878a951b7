/* Statements on PostgreSQL: prepared once for each text and types of values, binary both ways.
 *
 * A failed statement ends a PostgreSQL transaction, and our handlers may meet "already there" and go on. So
 * an INSERT without ON CONFLICT runs within a savepoint of its own, all three in one round trip. A reader in
 * a view of the book takes long answers through a cursor, so that no answer is in memory whole.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "store/postgres_internal.h"
#include "store/postgres_text.h"
#include "store/postgres_value.h"

#define CURSOR_SLICE "5000"
enum { VALUES_MOST = 65535 }; /* the protocol counts them in 16 bits */

static struct postgres *postgres_of(struct store *store)
{
    return (struct postgres *)(void *)store; /* base comes first */
}

static struct postgres_rows *rows_of(const struct store_rows *rows)
{
    return (struct postgres_rows *)(void *)rows->stmt;
}

/* The values of one call as libpq wants them: mostly few, and then without the heap; a compiled scope has
 * many. */
struct value {
    uint8_t number[8];
};
struct bound {
    const char **values;
    int *lengths;
    int *formats;
    Oid *types;
    struct value *numbers;
    int count;
    void *heap; /* owned; NULL: what follows was enough */
    const char *few_values[POSTGRES_VALUES_MAX];
    int few_lengths[POSTGRES_VALUES_MAX];
    int few_formats[POSTGRES_VALUES_MAX];
    Oid few_types[POSTGRES_VALUES_MAX];
    struct value few_numbers[POSTGRES_VALUES_MAX];
};

static void bound_done(struct bound *b)
{
    free(b->heap);
}

static void bound_init(struct bound *b, size_t count)
{
    b->heap = NULL;
    b->count = (int)count;
    b->values = b->few_values;
    b->lengths = b->few_lengths;
    b->formats = b->few_formats;
    b->types = b->few_types;
    b->numbers = b->few_numbers;
    if (count > POSTGRES_VALUES_MAX) {
        /* One block; what needs the widest alignment comes first. */
        b->heap = calloc(count, sizeof(char *) + sizeof(struct value) + 2 * sizeof(int) + sizeof(Oid));
        LT_ASSERT(b->heap != NULL);
        b->values = b->heap;
        b->numbers = (struct value *)(void *)&b->values[count];
        b->lengths = (int *)(void *)&b->numbers[count];
        b->formats = &b->lengths[count];
        b->types = (Oid *)(void *)&b->formats[count];
    }
}

static void bind_one(struct bound *b, size_t at, const struct store_value *v)
{
    static const Oid types[] = {[STORE_NULL] = 0,
                                [STORE_INT] = POSTGRES_INT8,
                                [STORE_BLOB] = POSTGRES_BYTEA,
                                [STORE_TEXT] = POSTGRES_TEXT};
    b->types[at] = types[v->type];
    b->formats[at] = 1;
    b->values[at] = v->bytes.len == 0 ? "" : (const char *)v->bytes.ptr;
    b->lengths[at] = (int)v->bytes.len;
    if (v->type == STORE_NULL) {
        b->values[at] = NULL;
    } else if (v->type == STORE_INT) {
        postgres_put_int8(b->numbers[at].number, v->integer);
        b->values[at] = (const char *)b->numbers[at].number;
        b->lengths[at] = 8;
    }
}

static lt_res bind(struct bound *b, const struct store_sql *sql, const struct store_value *values,
                   size_t count)
{
    LT_CHECK(count <= VALUES_MOST, LT_PEER_TOO_LARGE, "%s: %zu values", sql->name, count);
    bound_init(b, count);
    for (size_t i = 0; i < count; i++) {
        LT_CHECK(values[i].bytes.len <= INT32_MAX, LT_PEER_TOO_LARGE, "%s: too large for the book",
                 sql->name);
        bind_one(b, i, &values[i]);
    }
    return LT_OK;
}

static bool begins_with(const char *sql, const char *word)
{
    return strncasecmp(sql + strspn(sql, " \n"), word, strlen(word)) == 0;
}

static bool guarded(const char *sql)
{
    return begins_with(sql, "INSERT") && strcasestr(sql, "ON CONFLICT") == NULL;
}

static bool same_types(const struct postgres_stmt *c, const struct store_value *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (c->types[i] != (uint8_t)values[i].type) {
            return false;
        }
    }
    return true;
}

static lt_res prepare_in(struct postgres *s, struct postgres_stmt *c, const struct store_sql *sql,
                         const struct bound *b)
{
    size_t count = 0;
    lt_buf_reset(&s->text);
    LT_TRY(postgres_text(sql->text, &s->text, &count));
    LT_ASSERT(count == (size_t)b->count);
    PGresult *result = s->pq->PQprepare(s->connection, c->name, lt_buf_cstr(&s->text), b->count, b->types);
    lt_res r = s->pq->PQresultStatus(result) == PGRES_COMMAND_OK ? LT_OK
                                                                 : postgres_fail(s, result, sql->name);
    s->pq->PQclear(result);
    return r;
}

static lt_res take(struct postgres *s, const struct store_sql *sql, const struct store_value *values,
                   const struct bound *b, struct postgres_stmt **ret_stmt)
{
    LT_ASSERT(b->count <= POSTGRES_VALUES_MAX);
    size_t at = (size_t)((uintptr_t)sql >> 4) * (size_t)0x9e3779b97f4a7c15ULL >> 40;
    for (size_t i = 0; i < POSTGRES_STATEMENTS; i++) {
        size_t slot = (at + i) & (POSTGRES_STATEMENTS - 1);
        struct postgres_stmt *c = &s->statements[slot];
        if (c->sql == NULL) {
            (void)snprintf(c->name, sizeof c->name, "s%zu", slot); /* fits */
            LT_TRY(prepare_in(s, c, sql, b));
            c->sql = sql;
            c->guarded = guarded(sql->text);
            for (int v = 0; v < b->count; v++) {
                c->types[v] = (uint8_t)values[v].type;
            }
        }
        if (c->sql == sql && same_types(c, values, (size_t)b->count)) {
            *ret_stmt = c;
            return LT_OK;
        }
    }
    LT_FAIL(LT_STATE_CORRUPT, "%s: all statements are taken", sql->name);
}

static lt_res usable(const struct postgres *s, const struct store_sql *sql)
{
    LT_CHECK(s->base.usable, LT_PEER_USAGE, "the book is older than this program: run lintel migrate");
    LT_CHECK(!s->gone, LT_STATE_CLOSED, "%s: the connection to the book is gone", sql->name);
    LT_CHECK(!s->broken, LT_RETRY_UNAVAILABLE, "%s: the transaction was rolled back before", sql->name);
    return LT_OK;
}

static PGresult *run_plain(struct postgres *s, const struct postgres_stmt *c, const struct bound *b)
{
    return s->pq->PQexecPrepared(s->connection, c->name, b->count, b->values, b->lengths, b->formats, 1);
}

/* The next statement's result out of the pipeline; behind each comes a NULL. */
static PGresult *from_pipeline(struct postgres *s)
{
    PGresult *result = s->pq->PQgetResult(s->connection);
    if (result != NULL && s->pq->PQresultStatus(result) != PGRES_PIPELINE_SYNC) {
        s->pq->PQclear(s->pq->PQgetResult(s->connection));
    }
    return result;
}

/* SAVEPOINT, the statement, RELEASE: one round trip. The result is the statement's. */
static PGresult *run_guarded(struct postgres *s, const struct postgres_stmt *c, const struct bound *b)
{
    const struct pq *pq = s->pq;
    PGconn *n = s->connection;
    bool sent = pq->PQenterPipelineMode(n) == 1 &&
                pq->PQsendQueryParams(n, "SAVEPOINT statement", 0, NULL, NULL, NULL, NULL, 0) == 1 &&
                pq->PQsendQueryPrepared(n, c->name, b->count, b->values, b->lengths, b->formats, 1) == 1 &&
                pq->PQsendQueryParams(n, "RELEASE statement", 0, NULL, NULL, NULL, NULL, 0) == 1 &&
                pq->PQpipelineSync(n) == 1;
    PGresult *result = NULL;
    if (sent) {
        pq->PQclear(from_pipeline(s));
        result = from_pipeline(s);
        pq->PQclear(from_pipeline(s));
        pq->PQclear(from_pipeline(s)); /* the sync */
    }
    if (pq->PQexitPipelineMode(n) != 1) {
        s->gone = true; /* answers are left: nobody knows whose */
    }
    return result;
}

/* Back to before a guarded statement: the transaction lives. */
static lt_res unguard(struct postgres *s, lt_res failed)
{
    struct lt_error why = *lt_error_last();
    if (!s->gone && !lt_failed(postgres_run(s, "ROLLBACK TO statement")) &&
        !lt_failed(postgres_run(s, "RELEASE statement"))) {
        s->broken = false;
    }
    return lt_fail(failed.code, why.file, why.line, "%s", why.detail);
}

static bool succeeded(struct postgres *s, const PGresult *result)
{
    ExecStatusType status = result == NULL ? PGRES_FATAL_ERROR : s->pq->PQresultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

lt_res postgres_exec(struct store *store, const struct store_sql *sql, const struct store_value *values,
                     size_t count, int64_t *ret_changed)
{
    struct postgres *s = postgres_of(store);
    struct postgres_stmt *c = NULL;
    LT_CLEANUP(bound_done) struct bound b = {.heap = NULL};
    LT_TRY(usable(s, sql));
    LT_TRY(bind(&b, sql, values, count));
    LT_TRY(take(s, sql, values, &b, &c));
    if (!begins_with(sql->text, "SELECT")) {
        s->wrote = true;
        LT_TRY(s->mark_wanted ? postgres_make_mark(s) : LT_OK);
    }
    bool guard = c->guarded && s->begun;
    PGresult *result = guard ? run_guarded(s, c, &b) : run_plain(s, c, &b);
    lt_res r = LT_OK;
    if (!succeeded(s, result)) {
        r = postgres_fail(s, result, sql->name);
        r = guard ? unguard(s, r) : r;
    } else if (ret_changed != NULL) {
        *ret_changed = strtoll(s->pq->PQcmdTuples(result), NULL, 10); /* "" is none */
    }
    s->pq->PQclear(result);
    return r;
}

static struct postgres_rows *free_rows(struct postgres *s)
{
    for (size_t i = 0; i < POSTGRES_OPEN_ROWS; i++) {
        if (s->rows[i].result == NULL) {
            return &s->rows[i];
        }
    }
    return NULL;
}

static PGresult *fetch(struct postgres *s, const struct postgres_rows *rows)
{
    char text[64];
    (void)snprintf(text, sizeof text, "FETCH " CURSOR_SLICE " FROM %s", rows->cursor); /* fits */
    return s->pq->PQexecParams(s->connection, text, 0, NULL, NULL, NULL, NULL, 1);
}

static lt_res close_cursor(struct postgres *s, struct postgres_rows *rows)
{
    char text[64];
    (void)snprintf(text, sizeof text, "CLOSE %s", rows->cursor); /* fits */
    rows->cursor[0] = '\0';
    return postgres_run(s, text);
}

/* Takes a result in; the one before goes. */
static lt_res take_in(struct postgres *s, struct postgres_rows *rows, PGresult *result)
{
    lt_res r = LT_OK;
    if (!succeeded(s, result)) {
        r = postgres_fail(s, result, rows->sql->name);
        s->pq->PQclear(result);
        return r;
    }
    s->pq->PQclear(rows->result);
    rows->result = result;
    rows->at = -1;
    rows->count = s->pq->PQntuples(result);
    return LT_OK;
}

static lt_res open_cursor(struct postgres *s, struct postgres_rows *rows, const struct bound *b)
{
    size_t count = 0;
    lt_buf_reset(&s->text);
    (void)snprintf(rows->cursor, sizeof rows->cursor, "c%u", s->cursors++ % 1000000); /* fits */
    lt_buf_addf(&s->text, "DECLARE %s NO SCROLL CURSOR FOR ", rows->cursor);
    LT_TRY(postgres_text(rows->sql->text, &s->text, &count));
    LT_ASSERT(count == (size_t)b->count);
    PGresult *result = s->pq->PQexecParams(s->connection, lt_buf_cstr(&s->text), b->count, b->types,
                                           b->values, b->lengths, b->formats, 1);
    lt_res r = succeeded(s, result) ? LT_OK : postgres_fail(s, result, rows->sql->name);
    s->pq->PQclear(result);
    return lt_failed(r) ? r : take_in(s, rows, fetch(s, rows));
}

static bool long_answer(const struct postgres *s, const struct store_sql *sql)
{
    return s->read_only && s->begun && begins_with(sql->text, "SELECT") && strstr(sql->text, "LIMIT") == NULL;
}

/* Without a name: the server forgets it with the next one. */
static PGresult *run_once(struct postgres *s, const struct store_sql *sql, const struct bound *b)
{
    size_t count = 0;
    lt_buf_reset(&s->text);
    if (lt_failed(postgres_text(sql->text, &s->text, &count)) || count != (size_t)b->count) {
        return NULL;
    }
    return s->pq->PQexecParams(s->connection, lt_buf_cstr(&s->text), b->count, b->types, b->values,
                               b->lengths, b->formats, 1);
}

static lt_res first_rows(struct postgres *s, struct postgres_rows *rows, const struct store_value *values,
                         const struct bound *b, bool once)
{
    const struct store_sql *sql = rows->sql;
    struct postgres_stmt *c = NULL;
    if (long_answer(s, sql)) {
        return open_cursor(s, rows, b);
    }
    if (once) {
        return take_in(s, rows, run_once(s, sql, b));
    }
    LT_TRY(take(s, sql, values, b, &c));
    if (!begins_with(sql->text, "SELECT")) {
        s->wrote = true;
        LT_TRY(s->mark_wanted ? postgres_make_mark(s) : LT_OK);
    }
    return take_in(s, rows, run_plain(s, c, b));
}

/* What a compiler of ours has put together may be any question: the server plans it. */
static lt_res plan_freely(struct postgres *s)
{
    if (!s->begun || s->free_plans) {
        return LT_OK;
    }
    s->free_plans = true;
    return postgres_run(
        s,
        "SET LOCAL enable_seqscan = on; SET LOCAL enable_hashjoin = on;"
        "SET LOCAL enable_mergejoin = on; SET LOCAL enable_material = on; SET LOCAL enable_bitmapscan = on");
}

static lt_res query(struct postgres *s, const struct store_sql *sql, const struct store_value *values,
                    size_t count, bool once, struct store_rows *ret_rows)
{
    LT_CLEANUP(bound_done) struct bound b = {.heap = NULL};
    *ret_rows = (struct store_rows){.store = &s->base};
    LT_TRY(usable(s, sql));
    LT_TRY(bind(&b, sql, values, count));
    struct postgres_rows *rows = free_rows(s);
    LT_CHECK(rows != NULL, LT_STATE_CORRUPT, "%s: too many answers are open", sql->name);
    *rows = (struct postgres_rows){.sql = sql};
    LT_TRY(once ? plan_freely(s) : LT_OK);
    LT_TRY(first_rows(s, rows, values, &b, once));
    ret_rows->stmt = (struct store_stmt *)(void *)rows;
    return LT_OK;
}

lt_res postgres_query(struct store *store, const struct store_sql *sql, const struct store_value *values,
                      size_t count, struct store_rows *ret_rows)
{
    return query(postgres_of(store), sql, values, count, false, ret_rows);
}

lt_res postgres_query_once(struct store *store, const struct store_sql *sql, const struct store_value *values,
                           size_t count, struct store_rows *ret_rows)
{
    return query(postgres_of(store), sql, values, count, true, ret_rows);
}

bool postgres_next(struct store_rows *rows)
{
    struct postgres *s = postgres_of(rows->store);
    struct postgres_rows *p = rows_of(rows);
    if (++p->at < p->count) {
        return true;
    }
    if (p->cursor[0] != '\0' && p->count > 0) {
        rows->failed = take_in(s, p, fetch(s, p));
        if (!lt_failed(rows->failed) && p->count > 0) {
            p->at = 0;
            return true;
        }
    }
    lt_res ended = postgres_rows_end(rows);
    return lt_failed(ended) && false; /* kept in rows->failed, for store_rows_end */
}

lt_res postgres_rows_end(struct store_rows *rows)
{
    struct postgres *s = postgres_of(rows->store);
    struct postgres_rows *p = rows_of(rows);
    if (p->cursor[0] != '\0' && !s->broken && !s->gone) {
        lt_res closed = close_cursor(s, p);
        rows->failed = lt_failed(rows->failed) ? rows->failed : closed;
    }
    s->pq->PQclear(p->result);
    *p = (struct postgres_rows){0};
    rows->stmt = NULL;
    return rows->failed;
}

int64_t postgres_int(const struct store_rows *rows, int column)
{
    const struct pq *pq = postgres_of(rows->store)->pq;
    return postgres_integer(pq->PQftype(rows_of(rows)->result, column), postgres_bytes(rows, column));
}

bool postgres_is_null(const struct store_rows *rows, int column)
{
    const struct postgres_rows *p = rows_of(rows);
    return postgres_of(rows->store)->pq->PQgetisnull(p->result, p->at, column) != 0;
}

lt_slice postgres_bytes(const struct store_rows *rows, int column)
{
    const struct pq *pq = postgres_of(rows->store)->pq;
    const struct postgres_rows *p = rows_of(rows);
    int len = pq->PQgetlength(p->result, p->at, column);
    return LT_SLICE(pq->PQgetvalue(p->result, p->at, column), len < 0 ? 0 : (size_t)len);
}

const char *postgres_cstr(const struct store_rows *rows, int column)
{
    const struct postgres_rows *p = rows_of(rows);
    return postgres_of(rows->store)->pq->PQgetvalue(p->result, p->at, column); /* "" for NULL */
}

enum store_type postgres_type(const struct store_rows *rows, int column)
{
    const struct pq *pq = postgres_of(rows->store)->pq;
    return postgres_is_null(rows, column) ? STORE_NULL
                                          : postgres_store_type(pq->PQftype(rows_of(rows)->result, column));
}
