/* Of several hosts on one book one makes CRLs, the one that has the lease; what it commits the others copy
 * out of the book into their files. A relying party finds the same at all of them, a second apart. */
#include <string.h>

#include "base/log.h"
#include "role/publisher_crl.h"

enum { LOOK_EVERY_MS = 1000, OVERLAP_S = 60, AT_ONCE = 1000, PAGE = 1000 };

static const struct store_sql sql[] = {
    {"publisher.recent", "SELECT issuer, shard, number, this_update_us FROM crl "
                         "WHERE (this_update_us, issuer, shard, number) > (?1, ?2, ?3, ?4) "
                         "ORDER BY this_update_us, issuer, shard, number LIMIT 1000"},
};
const struct store_sql *const publisher_hosts_sql = sql;
const size_t publisher_hosts_sql_count = LT_COUNT(sql);

lt_res publisher_hosts_start(struct publisher_crls *p, const char *host)
{
    LT_TRY(ca_host_find(p->store, host, &p->host));
    p->leads = !p->host.shared;
    return LT_OK;
}

static struct publisher_crl *find(struct publisher_crls *p, int64_t issuer, int64_t shard)
{
    for (size_t i = 0; i < p->count; i++) {
        struct publisher_authority *a = &p->list[i];
        if (a->issuer->id == issuer && shard >= 0 && shard < a->crl_count) {
            return a->crls[shard];
        }
    }
    return NULL;
}

static bool newer(const struct publisher_crl *c, lt_slice number)
{
    uint8_t have[CA_CRL_NUMBER_LEN];
    ca_crl_number_bytes(c->newest.found ? c->newest.number : 0, have);
    return lt_slice_cmp(number, LT_SLICE(have, sizeof have)) > 0;
}

/* A row of the book, and the room for its number. */
struct mark {
    int64_t time_us;
    int64_t issuer;
    int64_t shard;
    uint8_t number[CA_CRL_NUMBER_LEN];
};

static lt_res list_page(struct publisher_crls *p, struct mark *at, struct publisher_crl **list, size_t *count,
                        bool *ret_more)
{
    struct store_rows rows;
    size_t n = 0;
    LT_TRY(store_query(p->store, &sql[0],
                       STORE_ARGS(STORE_I(at->time_us), STORE_I(at->issuer), STORE_I(at->shard),
                                  STORE_B(LT_SLICE(at->number, sizeof at->number))),
                       &rows));
    while (*count < AT_ONCE && store_next(&rows)) {
        lt_slice number = store_bytes(&rows, 2);
        *at = (struct mark){store_int(&rows, 3), store_int(&rows, 0), store_int(&rows, 1), {0}};
        memcpy(at->number, number.ptr, number.len < sizeof at->number ? number.len : sizeof at->number);
        struct publisher_crl *c = find(p, at->issuer, at->shard);
        if (c != NULL && newer(c, number)) {
            list[(*count)++] = c;
        }
        n++;
    }
    *ret_more = n == PAGE && *count < AT_ONCE;
    return store_rows_end(&rows);
}

/* Which of them have been published anew. With many parts a minute has many pages. */
static lt_res list_newer(struct publisher_crls *p, lt_time now, struct publisher_crl **list,
                         size_t *ret_count)
{
    lt_time since = lt_time_add_seconds(p->copied.us == 0 ? now : p->copied, -OVERLAP_S);
    struct mark at = {.time_us = since.us, .issuer = -1};
    bool more = true;
    *ret_count = 0;
    while (more) {
        LT_TRY(list_page(p, &at, list, ret_count, &more));
    }
    return LT_OK;
}

static lt_res copy_newer(struct publisher_crls *p, lt_time now)
{
    struct publisher_crl *list[AT_ONCE];
    size_t count = 0;
    LT_TRY(list_newer(p, now, list, &count));
    for (size_t i = 0; i < count; i++) {
        if (list[i]->phase == PUBLISHER_IDLE) {
            LT_TRY(publisher_crl_recover(p, list[i]));
        }
    }
    p->copied = count < AT_ONCE ? now : p->copied;
    return LT_OK;
}

/* The one before may have committed revocations and made no CRL of them. */
static lt_res take_over(struct publisher_crls *p)
{
    lt_log(LT_LOG_INFO, "this host publishes CRLs from now on", "host=%s", p->host.name);
    for (size_t i = 0; i < p->count; i++) {
        for (uint32_t k = 0; k < p->list[i].crl_count; k++) {
            struct publisher_crl *c = p->list[i].crls[k];
            LT_TRY(c->phase == PUBLISHER_IDLE ? publisher_crl_recover(p, c) : LT_OK);
            c->dirty = true;
        }
    }
    return LT_OK;
}

static lt_res look(struct publisher_crls *p, lt_time now)
{
    bool leads = false;
    LT_TRY(ca_lease_look(p->store, CA_LEASE_CRL, &p->host, now, &leads));
    bool fresh = leads && !p->leads;
    if (p->leads && !leads) {
        lt_log(LT_LOG_WARN, "another host publishes CRLs from now on", "host=%s", p->host.name);
    }
    p->leads = leads;
    LT_TRY(fresh ? take_over(p) : LT_OK);
    return leads ? LT_OK : copy_newer(p, now);
}

void publisher_hosts_tick(struct publisher_crls *p, lt_time now)
{
    int64_t now_ms = lt_monotonic_ms();
    if (!p->host.shared || now_ms < p->look_ms) {
        return;
    }
    p->look_ms = now_ms + LOOK_EVERY_MS;
    if (lt_failed(look(p, now))) {
        p->leads = false; /* whoever is in doubt publishes nothing */
        lt_log_error("who publishes cannot be read from the book");
    }
}
