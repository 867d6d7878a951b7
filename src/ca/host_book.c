/* Hosts and their leases in the registrar. */

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ca/body.h"
#include "ca/book.h"
#include "ca/host_internal.h"

static const struct store_sql sql[] = {
    {"host.add", "INSERT INTO host (id, name, signer, chain, build, first_us, seen_us) "
                 "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)"},
    {"host.start", "UPDATE host SET chain = ?2, build = ?3, seen_us = ?4, "
                   "first_us = CASE WHEN first_us = 0 THEN ?4 ELSE first_us END WHERE id = ?1"},
    {"host.seen", "UPDATE host SET seen_us = ?2 WHERE id = ?1"},
    {"lease.take", "INSERT INTO lease (name, host, fence, taken_us, until_us) VALUES (?1, ?2, 1, ?3, ?4) "
                   "ON CONFLICT (name) DO UPDATE SET host = ?2, fence = lease.fence + 1, taken_us = ?3, "
                   "until_us = ?4 WHERE lease.until_us < ?3 OR lease.host = ?2"},
    {"lease.keep", "UPDATE lease SET until_us = ?4 WHERE name = ?1 AND host = ?2 AND fence = ?3"},
    {"lease.check", "SELECT 1 FROM lease WHERE name = ?1 AND host = ?2 AND fence = ?3"},
};
enum { SQL_ADD, SQL_START, SQL_SEEN, SQL_TAKE, SQL_KEEP, SQL_CHECK };
const struct store_sql *const ca_host_book_sql = sql;
const size_t ca_host_book_sql_count = LT_COUNT(sql);

int64_t ca_host_id(const struct ca_turn *t)
{
    return t->book == NULL ? CA_HOST_MAIN : t->book->host.id;
}

/* ---- who this is ---- */

static lt_res add(struct store *s, const char *name, const char *chain, const char *build, lt_time now,
                  struct ca_host_found *f)
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
                        struct ca_host_found *f)
{
    LT_TRY(ca_hosts_find(s, name, chain, f));
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
    struct ca_host_found f;
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
    ca_host_take(s, name, &f, ret_host);
    return LT_OK;
}

/* ---- leases ---- */

static lt_res lease_event(struct ca_turn *t, enum ca_lease lease, int64_t fence)
{
    struct ca_body body;
    ca_body_init(&body);
    ca_body_str(&body, "host", t->book->host.name);
    ca_body_int(&body, "fence", fence);
    char *subject = lt_arena_printf(t->arena, "lease %s", ca_lease_name(lease));
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
                          STORE_ARGS(STORE_S(ca_lease_name(lease)), STORE_I(t->book->host.id),
                                     STORE_I(m->fence), STORE_I(until_us)),
                          &changed));
        m->held = changed == 1;
    }
    *ret_held = m->held;
    return LT_OK;
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
    LT_TRY(ca_lease_get(t->store, lease, &host, &fence, &theirs_until_us));
    if (host != 0 && host != t->book->host.id && theirs_until_us >= t->now.us) {
        return LT_OK;
    }
    LT_TRY(store_exec(t->store, &sql[SQL_TAKE],
                      STORE_ARGS(STORE_S(ca_lease_name(lease)), STORE_I(t->book->host.id), STORE_I(t->now.us),
                                 STORE_I(until_us)),
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
    LT_TRY(store_query(
        t->store, &sql[SQL_CHECK],
        STORE_ARGS(STORE_S(ca_lease_name(lease)), STORE_I(t->book->host.id), STORE_I(m->fence)), &rows));
    *ret_held = store_next(&rows);
    m->held = *ret_held;
    return store_rows_end(&rows);
}

lt_res ca_leases_release(struct ca_turn *t)
{
    for (enum ca_lease i = CA_LEASE_CRL; t->book->host.shared && i < CA_LEASES; i++) {
        struct ca_lease_memory *m = &t->book->leases[i];
        if (m->held) {
            LT_TRY(store_exec(t->store, &sql[SQL_KEEP],
                              STORE_ARGS(STORE_S(ca_lease_name(i)), STORE_I(t->book->host.id),
                                         STORE_I(m->fence), STORE_I(0)),
                              NULL));
            m->held = false;
        }
    }
    return LT_OK;
}
