/* Moving a book, see copy.h. A table goes over in slices of rows, each its own transaction, so neither store
 * has to remember all of it. A mark in the target says that a copy is under way; only what carries it is ever
 * emptied.
 */
#include "store/copy.h"

#include <string.h>

#include "crypto/digest.h"
#include "store/internal.h"

enum { SLICE_ROWS = 20000, TELL_ROWS = 5000, COLUMNS_MOST = 64 };

static const struct store_sql sql[] = {
    {"copy.events", "SELECT count(*) FROM event"},
    {"copy.issuers", "SELECT count(*) FROM issuer"},
    {"copy.mark", "SELECT count(*) FROM meta WHERE key = 'store.copying'"},
    {"copy.set-mark",
     "INSERT INTO meta (key, value) VALUES ('store.copying', '1') ON CONFLICT (key) DO NOTHING"},
    {"copy.clear-mark", "DELETE FROM meta WHERE key = 'store.copying'"},
};
enum { SQL_EVENTS, SQL_ISSUERS, SQL_MARK, SQL_SET_MARK, SQL_CLEAR_MARK };

static lt_res number(struct store *s, const struct store_sql *statement, int64_t *ret_number)
{
    struct store_rows rows;
    LT_TRY(store_query(s, statement, STORE_NO_ARGS, &rows));
    *ret_number = store_next(&rows) ? store_int(&rows, 0) : 0;
    return store_rows_end(&rows);
}

static lt_res exec(struct store *s, const struct store_sql *statement)
{
    LT_TRY(store_begin(s));
    lt_res r = store_exec(s, statement, STORE_NO_ARGS, NULL);
    if (!lt_failed(r)) {
        return store_commit(s);
    }
    struct lt_error why = *lt_error_last();
    store_rollback(s);
    return lt_fail(r.code, why.file, why.line, "%s", why.detail);
}

static void take_row(const struct store_rows *rows, size_t count, struct store_value *ret_values)
{
    for (size_t i = 0; i < count; i++) {
        enum store_type type = store_type(rows, (int)i);
        ret_values[i] = (struct store_value){.type = type};
        if (type == STORE_INT) {
            ret_values[i].integer = store_int(rows, (int)i);
        } else if (type != STORE_NULL) {
            ret_values[i].bytes = store_bytes(rows, (int)i);
        }
    }
}

/* Type, length, bytes: no two rows give the same. */
static void hash_row(struct crypto_stream *hash, const struct store_value *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t head[9] = {(uint8_t)values[i].type};
        uint64_t n = values[i].type == STORE_INT ? (uint64_t)values[i].integer : values[i].bytes.len;
        for (int b = 0; b < 8; b++) {
            head[1 + b] = (uint8_t)(n >> (56 - 8 * b));
        }
        crypto_stream_add(hash, LT_SLICE(head, sizeof head));
        crypto_stream_add(hash, values[i].bytes);
    }
}

/* One pass over a table. to: NULL only hashes. */
struct pass {
    struct store_copy *copy;
    const struct store_table *table;
    struct store *to;
    bool loading;
    int64_t rows;
    struct crypto_stream hash;
};

static lt_res put_row(struct pass *p, const struct store_value *values)
{
    const struct store_backend *to = p->to->backend;
    if (p->rows % SLICE_ROWS == 0) {
        LT_TRY(p->loading ? to->load_end(p->to, p->table) : LT_OK);
        p->loading = true;
        LT_TRY(to->load_begin(p->to, p->table));
    }
    return to->load_row(p->to, p->table, values);
}

static lt_res each_row(struct pass *p, struct store_rows *rows)
{
    struct store_value values[COLUMNS_MOST];
    LT_ASSERT(p->table->columns <= COLUMNS_MOST);
    while (store_next(rows)) {
        take_row(rows, p->table->columns, values);
        hash_row(&p->hash, values, p->table->columns);
        LT_TRY(p->to != NULL ? put_row(p, values) : LT_OK);
        p->rows++;
        if (p->copy->progress != NULL && p->rows % TELL_ROWS == 0) {
            p->copy->progress(p->copy->self, p->table->name, p->rows, p->copy->rows);
        }
    }
    return p->loading ? p->to->backend->load_end(p->to, p->table) : LT_OK;
}

static lt_res walk(struct pass *p, struct store *from, uint8_t ret_hash[STORE_COPY_HASH_LEN])
{
    struct store_rows rows;
    crypto_stream_init(&p->hash, CRYPTO_SHA256);
    lt_res r = store_query(from, &p->table->read, STORE_NO_ARGS, &rows);
    if (!lt_failed(r)) {
        r = each_row(p, &rows);
        lt_res read = store_rows_end(&rows);
        r = lt_failed(r) ? r : read;
    }
    if (lt_failed(r) && p->loading) {
        struct lt_error why = *lt_error_last();
        store_rollback(p->to);
        r = lt_fail(r.code, why.file, why.line, "%s", why.detail);
    }
    crypto_stream_finish(&p->hash, ret_hash);
    crypto_stream_done(&p->hash);
    return r;
}

static lt_res copy_table(struct store_copy *copy, const struct store_table *table,
                         struct store_copy_table *ret)
{
    struct pass over = {.copy = copy, .table = table, .to = copy->to};
    LT_TRY(walk(&over, copy->from, ret->sha256));
    ret->rows = over.rows;
    return LT_OK;
}

static lt_res check_table(struct store_copy *copy, const struct store_table *table,
                          const struct store_copy_table *expected)
{
    uint8_t hash[STORE_COPY_HASH_LEN];
    struct pass again = {.copy = copy, .table = table};
    LT_TRY(store_begin(copy->back));
    lt_res r = walk(&again, copy->back, hash);
    struct lt_error why = *lt_error_last();
    store_rollback(copy->back); /* it was only read */
    if (lt_failed(r)) {
        return lt_fail(r.code, why.file, why.line, "%s", why.detail);
    }
    LT_CHECK(again.rows == expected->rows, LT_STATE_CORRUPT, "%s: %lld rows were read, %lld are there",
             table->name, (long long)expected->rows, (long long)again.rows);
    LT_CHECK(memcmp(hash, expected->sha256, sizeof hash) == 0, LT_STATE_CORRUPT,
             "%s: the rows are not those that were read", table->name);
    return LT_OK;
}

/* Only a database without a book, or with one that a copy left half done, is written to. */
static lt_res make_room(struct store_copy *copy)
{
    int64_t events = 0;
    int64_t issuers = 0;
    int64_t mark = 0;
    LT_TRY(number(copy->to, &sql[SQL_EVENTS], &events));
    LT_TRY(number(copy->to, &sql[SQL_ISSUERS], &issuers));
    LT_TRY(number(copy->to, &sql[SQL_MARK], &mark));
    LT_CHECK(mark > 0 || events + issuers == 0, LT_PEER_CONFLICT,
             "there is a book already (%lld events): give an empty database or a file that is not there",
             (long long)events);
    for (size_t i = store_table_count; i-- > 0;) {
        LT_TRY(exec(copy->to, &store_tables[i].empty));
    }
    return exec(copy->to, &sql[SQL_SET_MARK]);
}

lt_res store_copy_count(struct store_copy *copy, struct lt_arena *a)
{
    copy->tables = LT_NEW_ARRAY(a, struct store_copy_table, store_table_count);
    LT_CHECK(copy->tables != NULL, LT_PEER_TOO_LARGE, "no room for a list of tables");
    copy->table_count = store_table_count;
    copy->rows = 0;
    for (size_t i = 0; i < store_table_count; i++) {
        copy->tables[i] = (struct store_copy_table){.name = store_tables[i].name};
        LT_TRY(number(copy->from, &store_tables[i].count, &copy->tables[i].rows));
        copy->rows += copy->tables[i].rows;
    }
    return LT_OK;
}

static lt_res copy_all(struct store_copy *copy)
{
    for (size_t i = 0; i < store_table_count; i++) {
        int64_t counted = copy->tables[i].rows;
        if (strcmp(store_tables[i].name, "meta") == 0) {
            continue; /* last, since it has the mark */
        }
        LT_TRY(copy_table(copy, &store_tables[i], &copy->tables[i]));
        LT_CHECK(copy->tables[i].rows == counted, LT_STATE_CORRUPT,
                 "%s grew from %lld to %lld rows meanwhile", store_tables[i].name, (long long)counted,
                 (long long)copy->tables[i].rows);
        LT_TRY(check_table(copy, &store_tables[i], &copy->tables[i]));
    }
    for (size_t i = 0; i < store_table_count; i++) {
        if (strcmp(store_tables[i].name, "meta") == 0) {
            LT_TRY(copy_table(copy, &store_tables[i], &copy->tables[i]));
            LT_TRY(exec(copy->to, &sql[SQL_CLEAR_MARK]));
            LT_TRY(check_table(copy, &store_tables[i], &copy->tables[i]));
        }
    }
    return LT_OK;
}

lt_res store_copy_run(struct store_copy *copy, struct lt_arena *a)
{
    int64_t mark = 0;
    LT_TRY(store_begin(copy->from)); /* one view of it */
    lt_res r = number(copy->from, &sql[SQL_MARK], &mark);
    if (!lt_failed(r) && mark > 0) {
        r = lt_fail(LT_STATE_CORRUPT, __FILE__, __LINE__, "this book is a copy that was never finished");
    }
    r = lt_failed(r) ? r : store_copy_count(copy, a);
    r = lt_failed(r) ? r : make_room(copy);
    r = lt_failed(r) ? r : copy_all(copy);
    struct lt_error why = *lt_error_last();
    store_rollback(copy->from); /* it was only read */
    return lt_failed(r) ? lt_fail(r.code, why.file, why.line, "%s", why.detail) : LT_OK;
}

void store_copy_hash(const struct store_copy *copy, uint8_t ret_sha256[STORE_COPY_HASH_LEN])
{
    struct crypto_stream hash;
    crypto_stream_init(&hash, CRYPTO_SHA256);
    for (size_t i = 0; i < copy->table_count; i++) {
        crypto_stream_add(&hash, LT_SLICE(copy->tables[i].name, strlen(copy->tables[i].name) + 1));
        crypto_stream_add(&hash, LT_SLICE(copy->tables[i].sha256, STORE_COPY_HASH_LEN));
    }
    crypto_stream_finish(&hash, ret_sha256);
    crypto_stream_done(&hash);
}
