/* Entries of a CRL, of one part or of all. */
#include "ca/crl_entries.h"

#include <stdlib.h>
#include <string.h>

#include "ca/crl_shard.h"

static const struct store_sql sql[] = {
    /* One range of the primary key. */
    {"crl.entries", "SELECT serial, revoked_us, reason FROM revocation WHERE issuer = ?1 AND shard = ?2 AND "
                    "not_after_us >= ?3 ORDER BY serial"},
    {"crl.entries.page", "SELECT serial, revoked_us, reason FROM revocation WHERE issuer = ?1 AND shard = ?2 "
                         "AND serial > ?3 AND not_after_us >= ?4 ORDER BY serial LIMIT 256"},
    {"crl.entries.shards",
     "SELECT shard FROM revocation WHERE issuer = ?1 AND shard > ?2 ORDER BY shard LIMIT 1"},
};
enum { SQL_ENTRIES, SQL_PAGE, SQL_SHARDS };
const struct store_sql *const ca_crl_entries_sql = sql;
const size_t ca_crl_entries_sql_count = LT_COUNT(sql);

enum { PAGE = 256, SERIAL_MAX = 20, RUNS_MAX = CA_CRL_SHARDS_MAX + 1 };

struct entry {
    uint8_t serial[SERIAL_MAX];
    uint8_t len;
    uint8_t reason;
    int64_t revoked_us;
};

/* One part, read a page at a time. */
struct run {
    uint32_t shard;
    struct entry page[PAGE];
    size_t at;
    size_t count;
    bool end; /* nothing lies behind this page */
};

static lt_slice serial_of(const struct entry *e)
{
    return LT_SLICE(e->serial, e->len);
}

static const struct entry *head(const struct run *r)
{
    return &r->page[r->at];
}

static bool reason_exists(int64_t reason)
{
    return reason >= 0 && reason <= 10 && reason != 7;
}

static void add(struct x509_crl_builder *b, lt_slice serial, int64_t revoked_us, uint32_t reason)
{
    x509_crl_add(b, serial, lt_time_from_seconds(lt_time_seconds((lt_time){revoked_us})), reason);
}

/*= RFC 5280 3.3 "An entry MUST NOT be removed from the CRL until it appears on one regularly scheduled
 * CRL issued beyond the revoked certificate's validity period." */
/* So one that had expired when the CRL before was made has been on that one, and may go. */
static lt_res add_range(struct store *store, const struct ca_crl_plan *plan, struct x509_crl_builder *b)
{
    struct store_rows rows;
    LT_TRY(store_query(
        store, &sql[SQL_ENTRIES],
        STORE_ARGS(STORE_I(plan->issuer->id), STORE_I(plan->shard), STORE_I(plan->drop_expired_before.us)),
        &rows));
    bool good = true;
    while (good && store_next(&rows)) {
        int64_t reason = store_int(&rows, 2);
        good = reason_exists(reason);
        if (good) {
            add(b, store_bytes(&rows, 0), store_int(&rows, 1), (uint32_t)reason);
        }
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(good, LT_STATE_CORRUPT, "a revocation in the book has a reason that does not exist");
    return LT_OK;
}

static bool take(struct run *r, const struct store_rows *rows)
{
    struct entry *e = &r->page[r->count];
    lt_slice serial = store_bytes(rows, 0);
    int64_t reason = store_int(rows, 2);
    if (serial.len == 0 || serial.len > SERIAL_MAX || !reason_exists(reason)) {
        return false;
    }
    memcpy(e->serial, serial.ptr, serial.len);
    e->len = (uint8_t)serial.len;
    e->reason = (uint8_t)reason;
    e->revoked_us = store_int(rows, 1);
    r->count++;
    return true;
}

static lt_res next_page(struct store *store, const struct ca_crl_plan *plan, struct run *r)
{
    struct entry last = {.len = 0};
    if (r->count > 0) {
        last = r->page[r->count - 1];
    }
    struct store_rows rows;
    r->at = 0;
    r->count = 0;
    LT_TRY(store_query(store, &sql[SQL_PAGE],
                       STORE_ARGS(STORE_I(plan->issuer->id), STORE_I(r->shard), STORE_B(serial_of(&last)),
                                  STORE_I(plan->drop_expired_before.us)),
                       &rows));
    bool good = true;
    while (good && r->count < PAGE && store_next(&rows)) {
        good = take(r, &rows);
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(good, LT_STATE_CORRUPT, "a revocation in the book has no serial, or a reason that is none");
    r->end = r->count < PAGE;
    return LT_OK;
}

/* The runs as a heap: the least serial is on top. */
struct merge {
    struct run *runs;
    struct run *heap[RUNS_MAX];
    size_t count;
};

static bool before(const struct run *a, const struct run *b)
{
    return lt_slice_cmp(serial_of(head(a)), serial_of(head(b))) < 0;
}

static void sink(struct merge *m, size_t at)
{
    for (size_t child = 2 * at + 1; child < m->count; child = 2 * at + 1) {
        if (child + 1 < m->count && before(m->heap[child + 1], m->heap[child])) {
            child++;
        }
        if (!before(m->heap[child], m->heap[at])) {
            return;
        }
        struct run *r = m->heap[at];
        m->heap[at] = m->heap[child];
        m->heap[child] = r;
        at = child;
    }
}

/* Which parts have entries, by steps of the primary key. */
static lt_res list_runs(struct store *store, const struct ca_crl_plan *plan, struct merge *m,
                        size_t *ret_count)
{
    int64_t after = -1;
    size_t count = 0;
    for (bool more = true; more;) {
        struct store_rows rows;
        LT_TRY(store_query(store, &sql[SQL_SHARDS], STORE_ARGS(STORE_I(plan->issuer->id), STORE_I(after)),
                           &rows));
        more = store_next(&rows);
        after = more ? store_int(&rows, 0) : after;
        LT_TRY(store_rows_end(&rows));
        if (more) {
            LT_CHECK(count < RUNS_MAX, LT_STATE_CORRUPT, "a CRL of more than %d parts", CA_CRL_SHARDS_MAX);
            m->runs = realloc(m->runs, (count + 1) * sizeof m->runs[0]);
            LT_ASSERT(m->runs != NULL);
            m->runs[count++] = (struct run){.shard = (uint32_t)after};
        }
    }
    *ret_count = count;
    return LT_OK;
}

static lt_res start_runs(struct store *store, const struct ca_crl_plan *plan, struct merge *m)
{
    size_t count = 0;
    LT_TRY(list_runs(store, plan, m, &count));
    for (size_t i = 0; i < count; i++) {
        LT_TRY(next_page(store, plan, &m->runs[i]));
        if (m->runs[i].count > 0) {
            m->heap[m->count++] = &m->runs[i];
        }
    }
    for (size_t i = m->count / 2; i > 0; i--) {
        sink(m, i - 1);
    }
    return LT_OK;
}

/* The run on top has given its entry: the next one, or it is done. */
static lt_res advance(struct store *store, const struct ca_crl_plan *plan, struct merge *m)
{
    struct run *r = m->heap[0];
    r->at++;
    if (r->at == r->count && !r->end) {
        LT_TRY(next_page(store, plan, r));
    }
    if (r->at >= r->count) {
        m->heap[0] = m->heap[--m->count];
    }
    sink(m, 0);
    return LT_OK;
}

static lt_res add_merged(struct store *store, const struct ca_crl_plan *plan, struct merge *m,
                         struct x509_crl_builder *b)
{
    LT_TRY(start_runs(store, plan, m));
    while (m->count > 0) {
        const struct entry *e = head(m->heap[0]);
        add(b, serial_of(e), e->revoked_us, e->reason);
        LT_TRY(advance(store, plan, m));
    }
    return LT_OK;
}

lt_res ca_crl_add_entries(struct store *store, const struct ca_crl_plan *plan, struct x509_crl_builder *b)
{
    if (!plan->of_all_shards) {
        return add_range(store, plan, b);
    }
    struct merge m = {.count = 0};
    LT_TRY(store_begin(store)); /* one view of the book, however many pages */
    lt_res r = add_merged(store, plan, &m, b);
    store_rollback(store);
    free(m.runs);
    return r;
}
