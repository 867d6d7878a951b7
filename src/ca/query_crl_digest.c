/* What the book has for one CRL: the set of entries that its newest publication should have, as one number,
 * and what has been revoked since. One range of the book for a part; for a complete one that of each part. */
#include <string.h>

#include "base/text.h"
#include "ca/crl_build.h"
#include "ca/crl_digest.h"
#include "ca/crl_shard.h"
#include "ca/query_parts.h"

enum { SQL_PART, SQL_SHARDS };
static const struct store_sql sql[] = {
    [SQL_PART] = {"query.crl.part",
                  "SELECT serial, revoked_us, reason, recorded_us, not_after_us FROM revocation WHERE "
                  "issuer = ?1 AND shard = ?2 AND not_after_us >= ?3 ORDER BY serial"},
    [SQL_SHARDS] = {"query.crl.shards",
                    "SELECT shard FROM revocation WHERE issuer = ?1 AND shard > ?2 ORDER BY shard LIMIT 1"},
};
const struct ca_query_sql query_crl_digest_sql = {sql, LT_COUNT(sql)};

/* One CRL, and what the book has for it. */
struct look {
    const struct ca_query *query;
    int64_t issuer;
    struct ca_crl_newest crl;
    struct ca_crl_digest book;
    struct ca_crl_digest unparted; /* of the complete one: what is on no part */
    int64_t first_end_us;          /* of the certificates of its entries; 0: it has none */
    int64_t waiting;               /* recorded since: on no CRL yet */
    int64_t waiting_since_us;
};

/* Numbers are microseconds since 1970, the moment at which the book was read for it. */
static void see(struct look *l, const struct store_rows *rows)
{
    int64_t recorded_us = store_int(rows, 3);
    if (recorded_us > 0 && (uint64_t)recorded_us > l->crl.number) {
        l->waiting_since_us = l->waiting == 0 || recorded_us < l->waiting_since_us ? recorded_us
                                                                                   : l->waiting_since_us;
        l->waiting++;
        return;
    }
    int64_t end_us = store_int(rows, 4);
    l->first_end_us = l->first_end_us == 0 || end_us < l->first_end_us ? end_us : l->first_end_us;
    ca_crl_digest_add(&l->book, store_bytes(rows, 0), lt_time_seconds((lt_time){store_int(rows, 1)}),
                      (uint32_t)store_int(rows, 2));
}

static lt_res look_at_part(struct look *l, int64_t shard)
{
    struct store_rows rows;
    LT_TRY(store_query(l->query->store, &sql[SQL_PART],
                       STORE_ARGS(STORE_I(l->issuer), STORE_I(shard), STORE_I(l->crl.kept_from.us)), &rows));
    while (store_next(&rows)) {
        see(l, &rows);
    }
    return store_rows_end(&rows);
}

static lt_res look_at_all(struct look *l)
{
    int64_t shard = -1;
    for (bool more = true; more;) {
        struct store_rows rows;
        LT_TRY(store_query(l->query->store, &sql[SQL_SHARDS], STORE_ARGS(STORE_I(l->issuer), STORE_I(shard)),
                           &rows));
        more = store_next(&rows);
        shard = more ? store_int(&rows, 0) : shard;
        LT_TRY(store_rows_end(&rows));
        LT_TRY(more ? look_at_part(l, shard) : LT_OK);
        l->unparted = shard == 0 ? l->book : l->unparted; /* it is the first */
    }
    return LT_OK;
}

/* "tls": the complete one, "tls.7": part 7. */
static bool read_name(lt_slice id, lt_slice *ret_issuer, uint32_t *ret_shard)
{
    lt_slice rest = id;
    uint32_t shard = 0;
    (void)lt_slice_split(&rest, '.', ret_issuer); /* all of it where there is no dot */
    for (size_t i = 0; i < rest.len; i++) {
        if (rest.ptr[i] < '0' || rest.ptr[i] > '9' || shard > CA_CRL_SHARDS_MAX) {
            return false;
        }
        shard = shard * 10 + (uint32_t)(rest.ptr[i] - '0');
    }
    *ret_shard = shard;
    return shard <= CA_CRL_SHARDS_MAX;
}

static void write(struct query_out *out, const struct look *l)
{
    uint8_t number[CA_CRL_NUMBER_LEN];
    ca_crl_number_bytes(l->crl.number, number);
    query_bool(out, "found", l->crl.found);
    query_hex(out, "number", LT_SLICE(number, sizeof number));
    query_time(out, "this_update", l->crl.this_update.us);
    query_time(out, "next_update", l->crl.next_update.us);
    query_hex(out, "sha256", LT_SLICE(l->crl.sha256, sizeof l->crl.sha256));
    query_int(out, "entries", (int64_t)l->crl.entries);
    query_int(out, "book_entries", (int64_t)l->book.count);
    query_hex(out, "book_digest", LT_SLICE(l->book.sum, sizeof l->book.sum));
    query_int(out, "unparted_entries", (int64_t)l->unparted.count);
    query_hex(out, "unparted_digest", LT_SLICE(l->unparted.sum, sizeof l->unparted.sum));
    query_time(out, "kept_from", l->crl.kept_from.us);
    if (l->first_end_us != 0) {
        query_time(out, "first_end", l->first_end_us);
    }
    query_int(out, "waiting", l->waiting);
    if (l->waiting > 0) {
        query_time(out, "waiting_since", l->waiting_since_us);
    }
}

lt_res query_crl_digest(const struct ca_query *query, struct query_out *out)
{
    struct query_tables t;
    lt_slice name;
    uint32_t shard = 0;
    struct look l = {.query = query};
    lt_slice id = lt_slice_cstr(query->q->id);
    LT_CHECK(read_name(id, &name, &shard), LT_PEER_NOT_FOUND, "there is no such part: \"%.60s\"",
             query->q->id);
    const char *issuer_name = lt_arena_cstr(query->arena, name);
    LT_TRY(query_tables_load(query, &t));
    const struct query_issuer *i = issuer_name == NULL ? NULL : query_issuer_by_name(&t, issuer_name);
    LT_CHECK(i != NULL, LT_PEER_NOT_FOUND, "there is no issuer \"%.60s\"", query->q->id);
    l.issuer = i->id;
    LT_TRY(ca_crl_newest(query->store, i->id, shard, NULL, &l.crl));
    if (l.crl.found) {
        LT_TRY(shard == 0 ? look_at_all(&l) : look_at_part(&l, shard));
    }
    query_cstr(out, "issuer", i->name);
    query_int(out, "shard", shard);
    write(out, &l);
    return LT_OK;
}
