/* The certificates of an incident, page after page of short rows, for appendices of millions of lines. */
#include <string.h>

#include "base/text.h"
#include "incident/report_ask.h"

/* A member as it goes out, big-endian: SHA-256, notAfter and revocationDate in seconds (0: none), reason,
 * issuer, profile; with evidence=1 the serial number behind its length, filled up. */
enum {
    BATCHES_PAGE = 10,
    BATCH_ROWS = 10000,
    ROW_SHORT = 32 + 4 + 4 + 1 + 1 + 1,
    ROW_LONG = ROW_SHORT + 1 + 20,
    SERIAL_MAX = 20,
    STRIDE = 16,
    FEW = 10000
};

/* Consecutive members of one tier and issuer, as they were sealed. */
struct batch {
    int64_t tier;
    int64_t issuer;
    lt_slice first; /* in the arena */
    lt_slice last;
    bool done; /* all of it was revoked by this batch, but what was left out */
    int64_t revoked_us;
};

struct listed {
    const struct ca_query *query;
    int64_t mass;
    int64_t count;
    int64_t batches;
    int64_t reason;
    int64_t end_us;
    size_t size; /* of a row */
    struct lt_buf *packed;
};

struct certificate {
    lt_slice sha256;
    int64_t not_after_us;
    int64_t profile;
    int64_t shard;
    int64_t revoked_us;
    int64_t reason;
};

static void put32(uint8_t *p, int64_t us)
{
    uint32_t s = (uint32_t)(us / LT_US_PER_SECOND);
    for (int i = 0; i < 4; i++) {
        p[i] = (uint8_t)(s >> (24 - 8 * i));
    }
}

static void put_row(struct listed *l, const struct batch *b, lt_slice serial, const struct certificate *c)
{
    uint8_t *p = lt_buf_extend(l->packed, l->size);
    LT_ASSERT(p != NULL);
    (void)memset(p, 0, l->size);
    if (c->sha256.len == 32) { /* what was brought in without its bytes has none */
        (void)memcpy(p, c->sha256.ptr, 32);
    }
    put32(p + 32, c->not_after_us);
    put32(p + 36, c->revoked_us);
    p[40] = (uint8_t)c->reason;
    p[41] = (uint8_t)b->issuer;
    p[42] = (uint8_t)c->profile;
    if (l->size == ROW_LONG && serial.len <= SERIAL_MAX) {
        p[43] = (uint8_t)serial.len;
        (void)memcpy(p + 44, serial.ptr, serial.len);
    }
}

static lt_res find_revocation(struct listed *l, const struct batch *b, lt_slice serial, struct certificate *c)
{
    struct store_rows rows;
    LT_TRY(store_query(l->query->store, &report_ask_sql[REPORT_SQL_REVOCATION],
                       STORE_ARGS(STORE_I(b->issuer), STORE_I(c->shard), STORE_B(serial)), &rows));
    if (store_next(&rows)) {
        c->revoked_us = store_int(&rows, 0);
        c->reason = store_int(&rows, 1);
    }
    return store_rows_end(&rows);
}

static lt_res open_certificates(struct listed *l, const struct batch *b, lt_slice from,
                                struct store_rows *ret)
{
    return store_query(l->query->store, &report_ask_sql[REPORT_SQL_CERTIFICATES],
                       STORE_ARGS(STORE_I(b->issuer), STORE_B(from), STORE_B(b->last)), ret);
}

/* Certificates of the same range walk beside the members; where too many of them are none, a leap. */
static lt_res walk(struct listed *l, const struct batch *b, struct store_rows *members,
                   struct store_rows *all)
{
    bool there = store_next(all);
    while (store_next(members)) {
        lt_slice serial = store_bytes(members, 0);
        struct certificate c = {.revoked_us = 0};
        for (int i = 0; there && lt_slice_cmp(store_bytes(all, 0), serial) < 0; i++) {
            if (i == STRIDE) {
                LT_TRY(store_rows_end(all));
                LT_TRY(open_certificates(l, b, serial, all));
            }
            there = store_next(all);
        }
        if (there && lt_slice_eq(store_bytes(all, 0), serial)) {
            c.sha256 = store_bytes(all, 1);
            c.not_after_us = store_int(all, 2);
            c.profile = store_int(all, 3);
            c.shard = store_int(all, 4);
        }
        if (!b->done) {
            LT_TRY(find_revocation(l, b, serial, &c));
        } else if (store_int(members, 1) == 0) {
            c.revoked_us = b->revoked_us;
            c.reason = l->reason;
        }
        put_row(l, b, serial, &c);
    }
    return LT_OK;
}

static lt_res add_batch(struct listed *l, const struct batch *b)
{
    struct store_rows members;
    struct store_rows all;
    LT_TRY(store_query(l->query->store, &report_ask_sql[REPORT_SQL_MEMBERS],
                       STORE_ARGS(STORE_I(l->mass), STORE_I(b->tier), STORE_I(b->issuer), STORE_B(b->first),
                                  STORE_B(b->last)),
                       &members));
    lt_res r = open_certificates(l, b, b->first, &all);
    if (lt_failed(r)) {
        lt_ignore(store_rows_end(&members)); /* the other failure is what is told */
        return r;
    }
    r = walk(l, b, &members, &all);
    lt_res ends[] = {store_rows_end(&members), store_rows_end(&all)};
    LT_TRY(r);
    LT_TRY(ends[0]);
    return ends[1];
}

static lt_res load_batches(struct listed *l, int64_t from, struct batch list[BATCHES_PAGE], size_t *ret_count)
{
    struct store_rows rows;
    size_t n = 0;
    LT_TRY(store_query(l->query->store, &report_ask_sql[REPORT_SQL_BATCHES],
                       STORE_ARGS(STORE_I(l->mass), STORE_I(from), STORE_I(from + BATCHES_PAGE)), &rows));
    while (n < BATCHES_PAGE && store_next(&rows)) {
        bool done = strcmp(store_cstr(&rows, 4), "done") == 0 && store_int(&rows, 5) == 0;
        list[n++] = (struct batch){
            .tier = store_int(&rows, 0),
            .issuer = store_int(&rows, 1),
            .first = lt_arena_copy(l->query->arena, store_bytes(&rows, 2)),
            .last = lt_arena_copy(l->query->arena, store_bytes(&rows, 3)),
            .done = done &&
                    l->count >= FEW, /* of a few each is looked at: its reason may be another by now */
            .revoked_us = store_int(&rows, 6),
        };
    }
    *ret_count = n;
    return store_rows_end(&rows);
}

static lt_res load_list(struct listed *l, int64_t incident)
{
    struct store_rows rows;
    LT_TRY(
        store_query(l->query->store, &report_ask_sql[REPORT_SQL_MASS], STORE_ARGS(STORE_I(incident)), &rows));
    if (store_next(&rows)) {
        l->mass = store_int(&rows, 0);
        l->end_us = store_int(&rows, 1);
        l->count = store_int(&rows, 2);
        l->batches = store_int(&rows, 3);
        l->reason = store_int(&rows, 4);
    }
    return store_rows_end(&rows);
}

lt_res report_ask_page(const struct ca_query *query, const struct report_page_of *of,
                       struct report_page *ret_page)
{
    struct batch list[BATCHES_PAGE];
    size_t count = 0;
    struct listed l = {.query = query, .size = of->serials ? ROW_LONG : ROW_SHORT, .packed = &ret_page->rows};
    LT_TRY(load_list(&l, of->incident));
    ret_page->mass = l.mass;
    ret_page->count = l.count;
    ret_page->pages = (l.batches + BATCHES_PAGE - 1) / BATCHES_PAGE;
    ret_page->end_us = l.end_us;
    ret_page->row = l.size;
    lt_buf_reset(&ret_page->rows);
    if (l.mass == 0) {
        return LT_OK;
    }
    LT_TRY(load_batches(&l, (of->page - 1) * BATCHES_PAGE, list, &count));
    for (size_t i = 0; i < count; i++) {
        LT_CHECK(list[i].first.ptr != NULL && list[i].last.ptr != NULL, LT_PEER_TOO_LARGE, "over the limit");
        LT_TRY(add_batch(&l, &list[i]));
    }
    return LT_OK;
}

void report_page_init(struct report_page *p)
{
    *p = (struct report_page){.mass = 0};
    lt_buf_init(&p->rows, (size_t)BATCHES_PAGE * BATCH_ROWS * ROW_LONG);
}

/* Page by page, a hundred thousand each (version=N, from 1). Without a plan for the scope as it is now there
 * is no frozen list: mass is 0, and the expression is asked. pages 0: it is still being frozen. */
lt_res report_ask_members(const struct ca_query *query, struct query_out *o)
{
    struct report_page page;
    struct report_page_of of = {.page = query->q->version > 0 ? query->q->version : 1,
                                .serials = query->q->evidence};
    LT_TRY(report_ask_incident(query, &of.incident));
    report_page_init(&page);
    lt_res r = report_ask_page(query, &of, &page);
    query_int(o, "mass", page.mass);
    query_int(o, "pages", page.pages);
    query_time(o, "end", page.end_us);
    query_int(o, "row", (int64_t)page.row);
    query_base64(o, "rows", lt_buf_slice(&page.rows));
    lt_buf_done(&page.rows);
    return r;
}
