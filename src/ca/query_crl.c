/* CRLs: the complete one of each issuer, the parts that it has, and what came back when each was fetched. */
#include <string.h>

#include "ca/query_internal.h"

#define COLUMNS                                                                                       \
    "SELECT c.shard, c.number, c.this_update_us, c.next_update_us, c.entries, c.sha256, c.sequence, " \
    "w.checked_us, w.good, w.detail FROM crl c LEFT JOIN crl_check w ON w.issuer = c.issuer AND "     \
    "w.shard = c.shard AND w.number = c.number "

enum { SQL_HISTORY, SQL_NEXT_PART };
static const struct store_sql sql[] = {
    [SQL_HISTORY] = {"query.crls",
                     COLUMNS "WHERE c.issuer = ?1 AND c.shard = ?2 ORDER BY c.number DESC LIMIT ?3"},
    [SQL_NEXT_PART] = {"query.crls.part",
                       "SELECT shard FROM crl WHERE issuer = ?1 AND shard > ?2 ORDER BY shard LIMIT 1"},
};
const struct ca_query_sql query_crl_sql = {sql, LT_COUNT(sql)};

/* A new one is due before half of its life is over; what is older warns. */
static const char *state_of(lt_time now, int64_t this_update_us, int64_t next_update_us)
{
    if (now.us >= next_update_us) {
        return "expired";
    }
    return now.us > this_update_us + (next_update_us - this_update_us) / 2 ? "late" : "fresh";
}

static void write_fetched(struct query_out *o, const struct store_rows *rows)
{
    if (store_is_null(rows, 7)) { /* not looked at, or not yet */
        query_cstr(o, "fetched", "");
        return;
    }
    query_cstr(o, "fetched", store_int(rows, 8) != 0 ? "good" : "bad");
    query_time(o, "fetched_at", store_int(rows, 7));
    if (store_int(rows, 8) == 0) {
        query_cstr(o, "fetched_detail", store_cstr(rows, 9));
    }
}

static lt_res write_crls(const struct ca_query *query, struct query_out *o, const struct query_issuer *i,
                         uint32_t shard, size_t count)
{
    struct store_rows rows;
    LT_TRY(store_query(query->store, &sql[SQL_HISTORY],
                       STORE_ARGS(STORE_I(i->id), STORE_I(shard), STORE_I(count)), &rows));
    while (store_next(&rows)) {
        query_open(o, NULL, '{');
        query_cstr(o, "issuer", i->name);
        query_int(o, "shard", store_int(&rows, 0));
        query_hex(o, "number", store_bytes(&rows, 1));
        query_time(o, "this_update", store_int(&rows, 2));
        query_time(o, "next_update", store_int(&rows, 3));
        query_cstr(o, "state", state_of(query->now, store_int(&rows, 2), store_int(&rows, 3)));
        query_int(o, "entries", store_int(&rows, 4));
        query_hex(o, "sha256", store_bytes(&rows, 5));
        query_int(o, "sequence", store_int(&rows, 6));
        write_fetched(o, &rows);
        query_close(o, '}');
    }
    return store_rows_end(&rows);
}

/* By steps of the primary key: the table has every CRL that there ever was. */
static lt_res next_part(const struct ca_query *query, const struct query_issuer *i, int64_t *shard,
                        bool *ret_more)
{
    struct store_rows rows;
    LT_TRY(
        store_query(query->store, &sql[SQL_NEXT_PART], STORE_ARGS(STORE_I(i->id), STORE_I(*shard)), &rows));
    *ret_more = store_next(&rows);
    *shard = *ret_more ? store_int(&rows, 0) : *shard;
    return store_rows_end(&rows);
}

static lt_res write_parts(const struct ca_query *query, struct query_out *o, const struct query_issuer *i)
{
    int64_t shard = 0;
    bool more = true;
    LT_TRY(next_part(query, i, &shard, &more));
    while (more) {
        LT_TRY(write_crls(query, o, i, (uint32_t)shard, 1));
        LT_TRY(next_part(query, i, &shard, &more));
    }
    return LT_OK;
}

/* The newest of each issuer; of one issuer, the newest complete ones, and the newest of each part. */
lt_res query_crl_list(const struct ca_query *query, struct query_out *out)
{
    struct query_tables t;
    const char *name = query->q->issuer;
    LT_TRY(query_tables_load(query, &t));
    LT_CHECK(name[0] == 0 || query_issuer_by_name(&t, name) != NULL, LT_PEER_NOT_FOUND,
             "there is no issuer \"%.60s\"", name);
    query_open(out, "crls", '[');
    for (size_t i = 0; i < t.issuer_count; i++) {
        bool asked = strcmp(name, t.issuers[i].name) == 0;
        if (asked || name[0] == 0) {
            LT_TRY(write_crls(query, out, &t.issuers[i], 0, asked ? query_limit(query) : 1));
        }
        if (asked) {
            LT_TRY(write_parts(query, out, &t.issuers[i]));
        }
    }
    query_close(out, ']');
    return LT_OK;
}
