/* Hosts and their leases. */
#include "ca/host.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ca/body.h"
#include "ca/book.h"

static const struct store_sql sql[] = {
    {"host.all", "SELECT id, name, signer, chain FROM host ORDER BY id LIMIT 64"},
    {"host.add", "INSERT INTO host (id, name, signer, chain, build, first_us, seen_us) "
                 "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)"},
    {"host.start", "UPDATE host SET chain = ?2, build = ?3, seen_us = ?4, "
                   "first_us = CASE WHEN first_us = 0 THEN ?4 ELSE first_us END WHERE id = ?1"},
    {"host.seen", "UPDATE host SET seen_us = ?2 WHERE id = ?1"},
    {"lease.get", "SELECT host, fence, until_us FROM lease WHERE name = ?1"},
    {"lease.take", "INSERT INTO lease (name, host, fence, taken_us, until_us) VALUES (?1, ?2, 1, ?3, ?4) "
                   "ON CONFLICT (name) DO UPDATE SET host = ?2, fence = lease.fence + 1, taken_us = ?3, "
                   "until_us = ?4 WHERE lease.until_us < ?3 OR lease.host = ?2"},
    {"lease.keep", "UPDATE lease SET until_us = ?4 WHERE name = ?1 AND host = ?2 AND fence = ?3"},
    {"lease.check", "SELECT 1 FROM lease WHERE name = ?1 AND host = ?2 AND fence = ?3"},
};
enum { SQL_ALL, SQL_ADD, SQL_START, SQL_SEEN, SQL_GET, SQL_TAKE, SQL_KEEP, SQL_CHECK };
const struct store_sql *const ca_host_sql = sql;
const size_t ca_host_sql_count = LT_COUNT(sql);

enum {
    MAIN = 1,
    MAIN_SEGMENTS = 99999,
    HOST_SEGMENTS = 20000,
};

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

int64_t ca_host_id(const struct ca_turn *t)
{
    return t->book == NULL ? MAIN : t->book->host.id;
}

void ca_host_main(struct ca_host *ret_host)
{
    *ret_host = (struct ca_host){.id = MAIN, .name = "main", .signer = "signer"};
}

void ca_host_segments(const struct ca_host *host, uint32_t *ret_first, uint32_t *ret_last)
{
    uint32_t behind = host->id <= MAIN ? 0 : MAIN_SEGMENTS + (uint32_t)(host->id - MAIN - 1) * HOST_SEGMENTS;
    *ret_first = behind + 1;
    *ret_last = behind + (host->id <= MAIN ? MAIN_SEGMENTS : HOST_SEGMENTS);
}

/* ---- who this is ---- */

struct found {
    int64_t id;   /* 0: not there */
    int64_t last; /* of all */
    char signer[sizeof((struct ca_host *)0)->signer];
    char same_chain[CA_HOST_NAME_MAX + 1]; /* another host that has it; empty: none */
};

static lt_res find(struct store *s, const char *name, const char *chain, struct found *f)
{
    struct store_rows rows;
    *f = (struct found){.id = 0};
    LT_TRY(store_query(s, &sql[SQL_ALL], STORE_NO_ARGS, &rows));
    while (store_next(&rows)) {
        f->last = store_int(&rows, 0);
        if (strcmp(store_cstr(&rows, 1), name) == 0) {
            f->id = f->last;
            (void)snprintf(f->signer, sizeof f->signer, "%s", store_cstr(&rows, 2)); /* as it was made here */
        } else if (chain != NULL && strcmp(store_cstr(&rows, 3), chain) == 0) {
            (void)snprintf(f->same_chain, sizeof f->same_chain, "%s", store_cstr(&rows, 1));
        }
    }
    return store_rows_end(&rows);
}

static void take(struct store *s, const char *name, const struct found *f, struct ca_host *ret_host)
{
    *ret_host = (struct ca_host){.id = f->id, .shared = store_shared(s)};
    (void)snprintf(ret_host->name, sizeof ret_host->name, "%s", name); /* checked: it fits */
    memcpy(ret_host->signer, f->signer, sizeof ret_host->signer);
}

static lt_res add(struct store *s, const char *name, const char *chain, const char *build, lt_time now,
                  struct found *f)
{
    LT_CHECK(f->last < CA_HOSTS_MAX, LT_PEER_TOO_LARGE, "%d hosts are the most that a book has",
             CA_HOSTS_MAX);
    f->id = f->last + 1;
    (void)snprintf(f->signer, sizeof f->signer, "signer-%s", name); /* fits */
    return store_exec(s, &sql[SQL_ADD],
                      STORE_ARGS(STORE_I(f->id), STORE_S(name), STORE_S(f->signer), STORE_S(chain),
                                 STORE_S(build), STORE_I(now.us)),
                      NULL);
}

static lt_res open_host(struct store *s, const char *name, const char *chain, const char *build, lt_time now,
                        struct found *f)
{
    LT_TRY(find(s, name, chain, f));
    LT_CHECK(f->same_chain[0] == '\0' || !store_shared(s), LT_PEER_USAGE,
             "host %s of this book has the chain %s already: give this one a name of its own (host: in "
             "lintel.yaml)",
             f->same_chain, chain);
    if (f->id == 0) {
        return add(s, name, chain, build, now, f);
    }
    return store_exec(s, &sql[SQL_START],
                      STORE_ARGS(STORE_I(f->id), STORE_S(chain), STORE_S(build), STORE_I(now.us)), NULL);
}

lt_res ca_host_open(struct store *s, const char *name, const char *chain, const char *build, lt_time now,
                    struct ca_host *ret_host)
{
    struct found f;
    LT_CHECK(ca_host_name_valid(lt_slice_cstr(name)), LT_PEER_USAGE,
             "\"%.40s\" is no name of a host: a to z, 0 to 9 and '-', %d at most", name, CA_HOST_NAME_MAX);
    LT_TRY(store_begin(s));
    lt_res r = open_host(s, name, chain, build, now, &f);
    if (lt_failed(r)) {
        struct lt_error why = *lt_error_last();
        store_rollback(s);
        return lt_fail(r.code, why.file, why.line, "%s", why.detail);
    }
    LT_TRY(store_commit(s));
    take(s, name, &f, ret_host);
    return LT_OK;
}

lt_res ca_host_find(struct store *s, const char *name, struct ca_host *ret_host)
{
    struct found f;
    LT_TRY(find(s, name, NULL, &f));
    LT_CHECK(f.id != 0, LT_PEER_NOT_FOUND, "the book knows no host %.40s", name);
    take(s, name, &f, ret_host);
    return LT_OK;
}

/* ---- leases ---- */

static lt_res lease_event(struct ca_turn *t, enum ca_lease lease, int64_t fence)
{
    struct ca_body body;
    ca_body_init(&body);
    ca_body_str(&body, "host", t->book->host.name);
    ca_body_int(&body, "fence", fence);
    char *subject = lt_arena_printf(t->arena, "lease %s", leases[lease]);
    LT_ASSERT(subject != NULL);
    return ca_body_event(&body, t, "lease.taken", subject, LT_SLICE(NULL, 0));
}

static lt_res keep(struct ca_turn *t, enum ca_lease lease, bool *ret_held)
{
    struct ca_lease_memory *m = &t->book->leases[lease];
    int64_t until_us = lt_time_add_seconds(t->now, CA_LEASE_S).us;
    int64_t changed = 0;
    if (m->held) {
        LT_TRY(store_exec(t->store, &sql[SQL_KEEP],
                          STORE_ARGS(STORE_S(leases[lease]), STORE_I(t->book->host.id), STORE_I(m->fence),
                                     STORE_I(until_us)),
                          &changed));
        m->held = changed == 1;
    }
    *ret_held = m->held;
    return LT_OK;
}

static lt_res get(struct store *s, enum ca_lease lease, int64_t *ret_host, int64_t *ret_fence,
                  int64_t *ret_until_us)
{
    struct store_rows rows;
    *ret_host = 0;
    *ret_fence = 0;
    *ret_until_us = 0;
    LT_TRY(store_query(s, &sql[SQL_GET], STORE_ARGS(STORE_S(leases[lease])), &rows));
    if (store_next(&rows)) {
        *ret_host = store_int(&rows, 0);
        *ret_fence = store_int(&rows, 1);
        *ret_until_us = store_int(&rows, 2);
    }
    return store_rows_end(&rows);
}

/* Free, run out, or this host's own of before its last start. */
static lt_res try_to_take(struct ca_turn *t, enum ca_lease lease)
{
    struct ca_lease_memory *m = &t->book->leases[lease];
    int64_t until_us = lt_time_add_seconds(t->now, CA_LEASE_S).us;
    int64_t changed = 0;
    int64_t host = 0;
    int64_t theirs_until_us = 0;
    int64_t fence = 0;
    LT_TRY(get(t->store, lease, &host, &fence, &theirs_until_us));
    if (host != 0 && host != t->book->host.id && theirs_until_us >= t->now.us) {
        return LT_OK;
    }
    LT_TRY(store_exec(
        t->store, &sql[SQL_TAKE],
        STORE_ARGS(STORE_S(leases[lease]), STORE_I(t->book->host.id), STORE_I(t->now.us), STORE_I(until_us)),
        &changed));
    if (changed == 0) {
        return LT_OK;
    }
    m->fence = fence + 1;
    m->held = true;
    return lease_event(t, lease, m->fence);
}

lt_res ca_host_tick(struct ca_turn *t)
{
    const struct ca_host *host = &t->book->host;
    if (!host->shared) {
        return LT_OK;
    }
    LT_TRY(store_exec(t->store, &sql[SQL_SEEN], STORE_ARGS(STORE_I(host->id), STORE_I(t->now.us)), NULL));
    for (enum ca_lease i = CA_LEASE_CRL; i < CA_LEASES; i++) {
        bool held = false;
        LT_TRY(keep(t, i, &held));
        LT_TRY(held ? LT_OK : try_to_take(t, i));
    }
    return LT_OK;
}

lt_res ca_lease_check(struct ca_turn *t, enum ca_lease lease, bool *ret_held)
{
    struct store_rows rows;
    *ret_held = t->book == NULL || !t->book->host.shared;
    if (*ret_held || !t->book->leases[lease].held) {
        return LT_OK;
    }
    struct ca_lease_memory *m = &t->book->leases[lease];
    LT_TRY(store_query(t->store, &sql[SQL_CHECK],
                       STORE_ARGS(STORE_S(leases[lease]), STORE_I(t->book->host.id), STORE_I(m->fence)),
                       &rows));
    *ret_held = store_next(&rows);
    m->held = *ret_held;
    return store_rows_end(&rows);
}

lt_res ca_leases_release(struct ca_turn *t)
{
    for (enum ca_lease i = CA_LEASE_CRL; t->book->host.shared && i < CA_LEASES; i++) {
        struct ca_lease_memory *m = &t->book->leases[i];
        if (m->held) {
            LT_TRY(store_exec(
                t->store, &sql[SQL_KEEP],
                STORE_ARGS(STORE_S(leases[i]), STORE_I(t->book->host.id), STORE_I(m->fence), STORE_I(0)),
                NULL));
            m->held = false;
        }
    }
    return LT_OK;
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
    LT_TRY(get(s, lease, &by, &fence, &until_us));
    *ret_held = by == host->id && until_us >= now.us;
    return LT_OK;
}
