/* Compiled scopes against the book: counted, listed, hashed, planned; and the small tables that compiling
 * asks. */
#include <string.h>

#include "crypto/digest.h"
#include "scope/private.h"

enum { CATALOG_MAX = 1000 };

static const struct store_sql sql[] = {
    {"scope.issuers", "SELECT name FROM issuer ORDER BY name LIMIT 1000"},
    {"scope.profiles", "SELECT name FROM profile ORDER BY name LIMIT 1000"},
    {"scope.builds", "SELECT name FROM build ORDER BY name LIMIT 1000"},
};
enum { SQL_ISSUERS, SQL_PROFILES, SQL_BUILDS };
const struct store_sql *const scope_sql_rows = sql;
const size_t scope_sql_count = LT_COUNT(sql);

static lt_res load_names(struct store *store, const struct store_sql *which, struct lt_arena *a,
                         const char *const **ret_list, size_t *ret_count)
{
    struct store_rows rows;
    size_t count = 0;
    bool fits = true;
    const char **list = LT_NEW_ARRAY(a, const char *, CATALOG_MAX);
    LT_CHECK(list != NULL, LT_PEER_TOO_LARGE, "the answer is over the limit");
    LT_TRY(store_query(store, which, STORE_NO_ARGS, &rows));
    while (fits && count < CATALOG_MAX && store_next(&rows)) {
        list[count] = lt_arena_cstr(a, store_bytes(&rows, 0));
        fits = list[count] != NULL;
        count += fits ? 1 : 0;
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(fits, LT_PEER_TOO_LARGE, "the answer is over the limit");
    *ret_list = list;
    *ret_count = count;
    return LT_OK;
}

lt_res scope_catalog_load(struct store *store, struct lt_arena *a, struct scope_catalog *ret_catalog)
{
    struct scope_catalog c = {.issuers = NULL};
    LT_TRY(load_names(store, &sql[SQL_ISSUERS], a, &c.issuers, &c.issuer_count));
    LT_TRY(load_names(store, &sql[SQL_PROFILES], a, &c.profiles, &c.profile_count));
    LT_TRY(load_names(store, &sql[SQL_BUILDS], a, &c.builds, &c.build_count));
    *ret_catalog = c;
    return LT_OK;
}

lt_res scope_count(struct store *store, const struct scope_sql *s, int64_t *ret_count)
{
    const struct store_sql once = {"scope", s->text};
    struct store_rows rows;
    LT_TRY(store_query_once(store, &once, s->values, s->count, &rows));
    *ret_count = store_next(&rows) ? store_int(&rows, 0) : 0;
    return store_rows_end(&rows);
}

lt_res scope_each(struct store *store, const struct scope_sql *s, scope_each_fn *each, void *self)
{
    const struct store_sql once = {"scope", s->text};
    struct store_rows rows;
    lt_res r = LT_OK;
    LT_TRY(store_query_once(store, &once, s->values, s->count, &rows));
    while (!lt_failed(r) && store_next(&rows)) {
        r = each(self, store_int(&rows, 0), store_bytes(&rows, 1), store_int(&rows, 2));
    }
    lt_res end = store_rows_end(&rows);
    return lt_failed(r) ? r : end;
}

/* ---- the hash of a member list ---- */

enum { NUMBER_LEN = 8, FEED_MAX = 64 * 1024, ROW_MAX = 256 };

struct hashing {
    struct crypto_stream digest;
    struct lt_buf feed;
    int64_t count;
};

static void add_number(struct lt_buf *b, uint64_t n)
{
    for (int shift = 56; shift >= 0; shift -= 8) {
        lt_buf_add_byte(b, (uint8_t)(n >> shift));
    }
}

static lt_res flush(struct hashing *h)
{
    LT_TRY(lt_buf_check(&h->feed));
    crypto_stream_add(&h->digest, lt_buf_slice(&h->feed));
    lt_buf_reset(&h->feed);
    return LT_OK;
}

static lt_res hash_one(void *self, int64_t issuer, lt_slice serial, int64_t copy)
{
    struct hashing *h = self;
    LT_CHECK(serial.len <= ROW_MAX - 3 * NUMBER_LEN, LT_STATE_CORRUPT, "a serial of %zu bytes", serial.len);
    add_number(&h->feed, (uint64_t)issuer);
    add_number(&h->feed, serial.len);
    lt_buf_add(&h->feed, serial);
    add_number(&h->feed, (uint64_t)copy);
    h->count++;
    return h->feed.len > FEED_MAX - ROW_MAX ? flush(h) : LT_OK;
}

lt_res scope_members_hash(struct store *store, const struct scope_sql *s, int64_t *ret_count,
                          uint8_t ret_sha256[SCOPE_HASH_LEN])
{
    struct hashing h = {.count = 0};
    crypto_stream_init(&h.digest, CRYPTO_SHA256);
    lt_buf_init(&h.feed, FEED_MAX);
    lt_res r = scope_each(store, s, hash_one, &h);
    if (!lt_failed(r)) {
        r = flush(&h);
    }
    crypto_stream_finish(&h.digest, ret_sha256);
    crypto_stream_done(&h.digest);
    lt_buf_done(&h.feed);
    *ret_count = h.count;
    return r;
}

lt_res scope_plan(struct store *store, const struct scope_sql *s, struct lt_arena *a, struct lt_buf *out)
{
    enum { SQLITE_DETAIL = 3 }; /* id, parent, unused, detail; the other gives one column */
    struct store_rows rows;
    bool sqlite = strcmp(store_explain_words(store), "EXPLAIN") != 0;
    const struct store_sql once = {"scope.plan",
                                   lt_arena_printf(a, "%s %s", store_explain_words(store), s->text)};
    LT_CHECK(once.text != NULL, LT_PEER_TOO_LARGE, "the expression is over the limit");
    LT_TRY(store_query_once(store, &once, s->values, s->count, &rows));
    for (bool first = true; store_next(&rows); first = false) {
        lt_buf_add_cstr(out, first ? "" : "\n");
        lt_buf_add(out, store_bytes(&rows, sqlite ? SQLITE_DETAIL : 0));
    }
    LT_TRY(store_rows_end(&rows));
    return lt_buf_check(out);
}
