/* CRLs: the complete one of each issuer, the parts that it has, and what came back when each was fetched. */
#include <string.h>

#include "ca/crl_build.h"
#include "ca/freshness.h"
#include "ca/query_parts.h"

#define COLUMNS                                                                                       \
    "SELECT c.shard, c.number, c.this_update_us, c.next_update_us, c.entries, c.sha256, c.sequence, " \
    "w.checked_us, w.good, w.detail FROM crl c LEFT JOIN crl_check w ON w.issuer = c.issuer AND "     \
    "w.shard = c.shard AND w.number = c.number "

enum { SQL_HISTORY, SQL_NEXT_PART, SQL_FIRST_WITH };
static const struct store_sql sql[] = {
    [SQL_HISTORY] = {"query.crls",
                     COLUMNS "WHERE c.issuer = ?1 AND c.shard = ?2 ORDER BY c.number DESC LIMIT ?3"},
    [SQL_NEXT_PART] = {"query.crls.part",
                       "SELECT shard FROM crl WHERE issuer = ?1 AND shard > ?2 ORDER BY shard LIMIT 1"},
    [SQL_FIRST_WITH] = {"query.crls.with",
                        COLUMNS "WHERE c.issuer = ?1 AND c.shard = ?2 AND c.number >= ?3 ORDER BY c.number "
                                "LIMIT 1"},
};
const struct ca_query_sql query_crl_sql = {sql, LT_COUNT(sql)};

static enum ca_fresh_state fresh_of(const struct ca_query *query, const struct query_issuer *i,
                                    const struct store_rows *rows)
{
    const struct ca_fresh_crl crl = {{store_int(rows, 2)}, {store_int(rows, 3)}, i->offline};
    return ca_fresh_judge_crl(&crl, query->now);
}

static const char *state_of(const struct ca_query *query, const struct query_issuer *i,
                            const struct store_rows *rows)
{
    bool expired = query->now.us >= store_int(rows, 3);
    return expired ? "expired" : ca_fresh_state_name(fresh_of(query, i, rows));
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
        query_cstr(o, "state", state_of(query, i, &rows));
        query_int(o, "entries", store_int(&rows, 4));
        query_hex(o, "sha256", store_bytes(&rows, 5));
        query_int(o, "sequence", store_int(&rows, 6));
        write_fetched(o, &rows);
        query_close(o, '}');
    }
    return store_rows_end(&rows);
}

/* Numbers are the moments at which the book was read for them: the first since then has the entry. */
lt_res query_crl_with(const struct ca_query *query, const struct query_certificate *c, int64_t recorded_us,
                      struct query_out *out)
{
    struct store_rows rows;
    uint8_t number[CA_CRL_NUMBER_LEN];
    ca_crl_number_bytes(recorded_us > 0 ? (uint64_t)recorded_us : 0, number);
    LT_TRY(store_query(
        query->store, &sql[SQL_FIRST_WITH],
        STORE_ARGS(STORE_I(c->issuer), STORE_I(c->shard), STORE_B(LT_SLICE(number, sizeof number))), &rows));
    if (store_next(&rows)) {
        query_open(out, "crl", '{');
        query_int(out, "shard", store_int(&rows, 0));
        query_hex(out, "number", store_bytes(&rows, 1));
        query_time(out, "this_update", store_int(&rows, 2));
        write_fetched(out, &rows);
        query_close(out, '}');
    } else {
        query_raw(out, "crl", LT_SLICE(NULL, 0));
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

/* What the parts of an issuer come to: its own complete one is not among them. */
struct parts {
    int64_t count;
    int64_t late;
    int64_t broken;
    int64_t entries;
    int64_t oldest_us; /* thisUpdate */
    int64_t expires_us;
};

static lt_res add_part(const struct ca_query *query, const struct query_issuer *i, int64_t shard,
                       struct parts *p)
{
    struct store_rows rows;
    LT_TRY(store_query(query->store, &sql[SQL_HISTORY],
                       STORE_ARGS(STORE_I(i->id), STORE_I(shard), STORE_I(1)), &rows));
    if (store_next(&rows)) {
        enum ca_fresh_state state = fresh_of(query, i, &rows);
        p->late += state == CA_FRESH_LATE;
        p->broken += state == CA_FRESH_BROKEN;
        p->entries += store_int(&rows, 4);
        p->oldest_us = p->count == 0 || store_int(&rows, 2) < p->oldest_us ? store_int(&rows, 2)
                                                                           : p->oldest_us;
        p->expires_us = p->count == 0 || store_int(&rows, 3) < p->expires_us ? store_int(&rows, 3)
                                                                             : p->expires_us;
        p->count++;
    }
    return store_rows_end(&rows);
}

lt_res query_crl_parts(const struct ca_query *query, struct query_out *out)
{
    struct query_tables t;
    LT_TRY(query_tables_load(query, &t));
    query_open(out, "crl_parts", '[');
    for (size_t i = 0; i < t.issuer_count; i++) {
        struct parts p = {.count = 0};
        int64_t shard = 0;
        bool more = true;
        LT_TRY(next_part(query, &t.issuers[i], &shard, &more));
        while (more) {
            LT_TRY(add_part(query, &t.issuers[i], shard, &p));
            LT_TRY(next_part(query, &t.issuers[i], &shard, &more));
        }
        if (p.count > 0) {
            query_open(out, NULL, '{');
            query_cstr(out, "issuer", t.issuers[i].name);
            query_int(out, "parts", p.count);
            query_int(out, "late", p.late);
            query_int(out, "broken", p.broken);
            query_int(out, "entries", p.entries);
            query_time(out, "oldest_this_update", p.oldest_us);
            query_time(out, "first_next_update", p.expires_us);
            query_close(out, '}');
        }
    }
    query_close(out, ']');
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
