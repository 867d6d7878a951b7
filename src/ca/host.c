/* Who the hosts of a book are, and who has which lease: for those who only read. */
#include "ca/host.h"

#include <stdio.h>
#include <string.h>

#include "ca/host_internal.h"

static const struct store_sql sql[] = {
    {"host.all", "SELECT id, name, signer, chain, seen_us FROM host ORDER BY id LIMIT 64"},
    {"lease.get", "SELECT host, fence, until_us FROM lease WHERE name = ?1"},
};
enum { SQL_ALL, SQL_GET };
const struct store_sql *const ca_host_sql = sql;
const size_t ca_host_sql_count = LT_COUNT(sql);

enum { MAIN_SEGMENTS = 99999, HOST_SEGMENTS = 20000 };

static const char *const leases[CA_LEASES] = {
    [CA_LEASE_CRL] = "crl", [CA_LEASE_TIMERS] = "timers", [CA_LEASE_MASS] = "mass"};

const char *ca_lease_name(enum ca_lease lease)
{
    return leases[lease];
}

bool ca_host_name_valid(lt_slice name)
{
    bool good = name.len > 0 && name.len <= CA_HOST_NAME_MAX && name.ptr[0] != '-';
    for (size_t i = 0; good && i < name.len; i++) {
        uint8_t c = name.ptr[i];
        good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    }
    return good;
}

void ca_host_main(struct ca_host *ret_host)
{
    *ret_host = (struct ca_host){.id = CA_HOST_MAIN, .name = "main", .signer = "signer"};
}

void ca_host_segments(const struct ca_host *host, uint32_t *ret_first, uint32_t *ret_last)
{
    uint32_t behind = host->id <= CA_HOST_MAIN
                          ? 0
                          : MAIN_SEGMENTS + (uint32_t)(host->id - CA_HOST_MAIN - 1) * HOST_SEGMENTS;
    *ret_first = behind + 1;
    *ret_last = behind + (host->id <= CA_HOST_MAIN ? MAIN_SEGMENTS : HOST_SEGMENTS);
}

lt_res ca_hosts_find(struct store *s, const char *name, const char *chain, struct ca_host_found *f)
{
    struct store_rows rows;
    *f = (struct ca_host_found){.id = 0};
    LT_TRY(store_query(s, &sql[SQL_ALL], STORE_NO_ARGS, &rows));
    while (store_next(&rows)) {
        f->last = store_int(&rows, 0);
        if (strcmp(store_cstr(&rows, 1), name) == 0) {
            f->id = f->last;
            f->seen = (lt_time){store_int(&rows, 4)};
            (void)snprintf(f->signer, sizeof f->signer, "%s", store_cstr(&rows, 2)); /* as it was made here */
        } else if (chain != NULL && strcmp(store_cstr(&rows, 3), chain) == 0) {
            (void)snprintf(f->same_chain, sizeof f->same_chain, "%s", store_cstr(&rows, 1));
        }
    }
    return store_rows_end(&rows);
}

void ca_host_take(struct store *s, const char *name, const struct ca_host_found *f, struct ca_host *ret_host)
{
    *ret_host = (struct ca_host){.id = f->id, .shared = store_shared(s), .seen = f->seen};
    (void)snprintf(ret_host->name, sizeof ret_host->name, "%s", name); /* checked: it fits */
    memcpy(ret_host->signer, f->signer, sizeof ret_host->signer);
}

lt_res ca_host_find(struct store *s, const char *name, struct ca_host *ret_host)
{
    struct ca_host_found f;
    LT_TRY(ca_hosts_find(s, name, NULL, &f));
    LT_CHECK(f.id != 0, LT_PEER_NOT_FOUND, "the book knows no host %.40s", name);
    ca_host_take(s, name, &f, ret_host);
    return LT_OK;
}

lt_res ca_lease_get(struct store *s, enum ca_lease lease, int64_t *ret_host, int64_t *ret_fence,
                    int64_t *ret_until_us)
{
    struct store_rows rows;
    *ret_host = 0;
    *ret_fence = 0;
    *ret_until_us = 0;
    LT_TRY(store_query(s, &sql[SQL_GET], STORE_ARGS(STORE_S(ca_lease_name(lease))), &rows));
    if (store_next(&rows)) {
        *ret_host = store_int(&rows, 0);
        *ret_fence = store_int(&rows, 1);
        *ret_until_us = store_int(&rows, 2);
    }
    return store_rows_end(&rows);
}

lt_res ca_lease_look(struct store *s, enum ca_lease lease, const struct ca_host *host, lt_time now,
                     bool *ret_held)
{
    int64_t by = 0;
    int64_t fence = 0;
    int64_t until_us = 0;
    *ret_held = !host->shared;
    if (*ret_held) {
        return LT_OK;
    }
    LT_TRY(ca_lease_get(s, lease, &by, &fence, &until_us));
    *ret_held = by == host->id && until_us >= now.us;
    return LT_OK;
}
