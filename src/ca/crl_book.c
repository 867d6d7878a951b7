/* CRLs in the book. */
#include "ca/crl_book.h"

#include <string.h>

#include "base/text.h"
#include "ca/body.h"
#include "ca/book_internal.h"
#include "ca/config.h"
#include "ca/crl_shard.h"
#include "ca/crl_watch.h"
#include "ca/event.h"
#include "crypto/digest.h"

static const struct store_sql sql[] = {
    {"crl.last", "SELECT number FROM crl WHERE issuer = ?1 AND shard = ?2 ORDER BY number DESC LIMIT 1"},
    {"crl.add", "INSERT INTO crl (issuer, shard, number, this_update_us, next_update_us, entries, sha256, "
                "sequence, der) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"},
    {"crl.old",
     "SELECT number FROM crl WHERE issuer = ?1 AND shard = ?2 ORDER BY number DESC LIMIT 1 OFFSET 3"},
    {"crl.clear", "UPDATE crl SET der = NULL WHERE issuer = ?1 AND shard = ?2 AND number = ?3"},
    {"crl.kept", "INSERT INTO crl_kept (issuer, shard, number, kept_from_us) VALUES (?1, ?2, ?3, ?4) "
                 "ON CONFLICT (issuer, shard) DO UPDATE SET number = excluded.number, "
                 "kept_from_us = excluded.kept_from_us"},
    {"crl.want", "INSERT INTO crl_wanted (issuer, shard, times) VALUES (?1, ?2, 1) "
                 "ON CONFLICT (issuer, shard) DO UPDATE SET times = crl_wanted.times + 1"},
    {"crl.wanted", "SELECT issuer, shard FROM crl_wanted WHERE issuer >= ?1 "
                   "ORDER BY issuer, shard LIMIT 256"},
    {"crl.wanted-done", "DELETE FROM crl_wanted WHERE issuer = ?1 AND shard = ?2"},
};
enum { SQL_LAST, SQL_ADD, SQL_OLD, SQL_CLEAR, SQL_KEPT, SQL_WANT, SQL_WANTED, SQL_WANTED_DONE };
const struct store_sql *const ca_crl_sql = sql;
const size_t ca_crl_sql_count = LT_COUNT(sql);

enum { NUMBER_LEN = 8 };

static lt_res answer(struct ca_turn *t, const struct ipc_addr *from, const Ipc__CrlStore *m,
                     const char *refusal)
{
    Ipc__CrlStored a = IPC__CRL_STORED__INIT;
    a.issuer = m->issuer;
    a.shard = m->shard;
    a.ok = refusal == NULL;
    a.detail = lt_arena_cstr(t->arena, lt_slice_cstr(refusal));
    LT_ASSERT(a.detail != NULL);
    return ca_turn_reply(t, from, IPC_CRL_STORED, &a.base);
}

/* The number that the query gives, empty for none; CRL numbers of one length compare as bytes. */
static lt_res number_of(struct ca_turn *t, const struct store_sql *which, const struct ca_issuer *issuer,
                        uint32_t shard, lt_slice *ret_number)
{
    struct store_rows rows;
    *ret_number = LT_SLICE(NULL, 0);
    LT_TRY(store_query(t->store, which, STORE_ARGS(STORE_I(issuer->id), STORE_I(shard)), &rows));
    if (store_next(&rows)) {
        *ret_number = lt_arena_copy(t->arena, store_bytes(&rows, 0));
    }
    return store_rows_end(&rows);
}

static lt_res insert(struct ca_turn *t, const struct ca_issuer *issuer, const Ipc__CrlStore *m)
{
    lt_slice der = LT_SLICE(m->der.data, m->der.len);
    lt_slice number = LT_SLICE(m->number.data, m->number.len);
    lt_slice hash = LT_SLICE(m->sha256.data, m->sha256.len);
    LT_TRY(store_exec(t->store, &sql[SQL_ADD],
                      STORE_ARGS(STORE_I(issuer->id), STORE_I(m->shard), STORE_B(number),
                                 STORE_I(m->this_update_us), STORE_I(m->next_update_us), STORE_I(m->entries),
                                 STORE_B(hash), STORE_I(m->sequence), der.len == 0 ? STORE_N : STORE_B(der)),
                      NULL));
    LT_TRY(store_exec(
        t->store, &sql[SQL_KEPT],
        STORE_ARGS(STORE_I(issuer->id), STORE_I(m->shard), STORE_B(number), STORE_I(m->kept_from_us)), NULL));
    struct ca_body body;
    ca_body_init(&body);
    ca_body_int(&body, "shard", m->shard);
    ca_body_hex(&body, "number", number);
    ca_body_int(&body, "entries", (int64_t)m->entries);
    ca_body_hex(&body, "sha256", hash);
    ca_body_time(&body, "this_update", (lt_time){m->this_update_us});
    ca_body_time(&body, "next_update", (lt_time){m->next_update_us});
    char *subject = lt_arena_printf(t->arena, "crl %s", issuer->name);
    LT_ASSERT(subject != NULL);
    return ca_body_event(&body, t, "crl.signed", subject, LT_SLICE(NULL, 0));
}

static lt_res clear_old(struct ca_turn *t, const struct ca_issuer *issuer, uint32_t shard)
{
    lt_slice old;
    LT_TRY(number_of(t, &sql[SQL_OLD], issuer, shard, &old));
    if (old.len == 0) {
        return LT_OK;
    }
    return store_exec(t->store, &sql[SQL_CLEAR],
                      STORE_ARGS(STORE_I(issuer->id), STORE_I(shard), STORE_B(old)), NULL);
}

static lt_res want(struct ca_turn *t, const struct ca_issuer *issuer, int64_t shard)
{
    return store_exec(t->store, &sql[SQL_WANT], STORE_ARGS(STORE_I(issuer->id), STORE_I(shard)), NULL);
}

/* The publisher of another host has to hear of it. */
static lt_res want_all(struct ca_turn *t, const struct ca_issuer *issuer, const uint32_t *shards,
                       size_t count)
{
    for (size_t i = 0; i < count; i++) {
        LT_TRY(want(t, issuer, shards[i]));
    }
    return count > 0 ? LT_OK : want(t, issuer, -1);
}

static lt_res send_hint(struct ca_turn *t, const struct ca_issuer *issuer, uint32_t *shards, size_t count)
{
    Ipc__PublishHint m = IPC__PUBLISH_HINT__INIT;
    m.issuer = lt_arena_cstr(t->arena, lt_slice_cstr(issuer->name));
    LT_ASSERT(m.issuer != NULL);
    m.shards = shards;
    m.n_shards = count;
    return ca_turn_send(t, IPC_PUBLISHER, IPC_PUBLISH_HINT, 0, &m.base);
}

lt_res ca_crl_hint(struct ca_turn *t, const struct ca_issuer *issuer, uint32_t *shards, size_t count)
{
    bool mine = false;
    LT_TRY(ca_lease_check(t, CA_LEASE_CRL, &mine));
    return mine ? send_hint(t, issuer, shards, count) : want_all(t, issuer, shards, count);
}

lt_res ca_crl_wanted(struct ca_turn *t)
{
    enum { AT_ONCE = 256 };
    struct {
        int64_t issuer;
        int64_t shard;
    } list[AT_ONCE];
    size_t count = 0;
    bool mine = false;
    struct store_rows rows;
    LT_TRY(ca_lease_check(t, CA_LEASE_CRL, &mine));
    if (!mine || !t->book->host.shared) {
        return LT_OK;
    }
    LT_TRY(store_query(t->store, &sql[SQL_WANTED], STORE_ARGS(STORE_I(0)), &rows));
    while (count < AT_ONCE && store_next(&rows)) {
        list[count].issuer = store_int(&rows, 0);
        list[count++].shard = store_int(&rows, 1);
    }
    LT_TRY(store_rows_end(&rows));
    for (size_t i = 0; i < count; i++) {
        const struct ca_issuer *issuer = ca_issuer_by_id(t->book, list[i].issuer);
        uint32_t shard = (uint32_t)list[i].shard;
        LT_TRY(store_exec(t->store, &sql[SQL_WANTED_DONE],
                          STORE_ARGS(STORE_I(list[i].issuer), STORE_I(list[i].shard)), NULL));
        LT_TRY(issuer == NULL ? LT_OK : send_hint(t, issuer, &shard, list[i].shard >= 0));
    }
    return LT_OK;
}

lt_res ca_crl_shards(struct ca_turn *t, const struct ca_issuer *issuer, uint32_t *ret_count)
{
    struct ca_issuer *own = &t->book->issuers[issuer - t->book->issuers];
    const struct ca_config_issuer *c = t->book->config == NULL
                                           ? NULL
                                           : ca_config_issuer(t->book->config, lt_slice_cstr(issuer->name));
    uint32_t wanted = c == NULL ? 0 : c->crl_shards;
    while (own->crl_shards < wanted) {
        lt_slice first;
        LT_TRY(number_of(t, &sql[SQL_LAST], issuer, own->crl_shards + 1, &first));
        if (first.len == 0) {
            break;
        }
        own->crl_shards++;
    }
    *ret_count = own->crl_shards < wanted ? own->crl_shards : wanted;
    return LT_OK;
}

lt_res ca_crl_store(struct ca_turn *t, const struct ipc_addr *from, const Ipc__CrlStore *m)
{
    const struct ca_issuer *issuer = ca_issuer_by_name(t->book, lt_slice_cstr(m->issuer));
    uint8_t hash[CA_HASH_LEN];
    crypto_sha256(LT_SLICE(m->der.data, m->der.len), hash);
    if (issuer == NULL || m->shard > CA_CRL_SHARDS_MAX || m->number.len != NUMBER_LEN) {
        return answer(t, from, m, "no such issuer or shard, or a number that is not of 8 bytes");
    }
    if (m->sha256.len != CA_HASH_LEN || (m->der.len > 0 && memcmp(m->sha256.data, hash, sizeof hash) != 0)) {
        return answer(t, from, m, "the hash is not that of the CRL");
    }
    bool mine = false;
    LT_TRY(ca_lease_check(t, CA_LEASE_CRL, &mine));
    if (!mine) {
        return answer(t, from, m, "another host publishes");
    }
    lt_slice last;
    LT_TRY(number_of(t, &sql[SQL_LAST], issuer, m->shard, &last));
    /*= RFC 5280 5.2.3 "a monotonically increasing sequence number for a given CRL scope and CRL issuer" */
    if (lt_slice_cmp(LT_SLICE(m->number.data, m->number.len), last) <= 0) {
        return answer(t, from, m, "the CRL number does not grow");
    }
    LT_TRY(insert(t, issuer, m));
    LT_TRY(clear_old(t, issuer, m->shard));
    ca_journal_seen(t->book, m->sequence);
    return answer(t, from, m, NULL);
}

lt_res ca_crl_not_stored(struct ca_turn *t, const struct ipc_addr *from, const Ipc__CrlStore *m)
{
    return answer(t, from, m, "the book takes nothing just now");
}

lt_res ca_crl_published(struct ca_turn *t, const Ipc__CrlPublished *m)
{
    const struct ca_issuer *issuer = ca_issuer_by_name(t->book, lt_slice_cstr(m->issuer));
    LT_CHECK(issuer != NULL, LT_PEER_MALFORMED, "a CRL of an unknown issuer was published");
    struct ca_body body;
    ca_body_init(&body);
    ca_body_int(&body, "shard", m->shard);
    ca_body_hex(&body, "number", LT_SLICE(m->number.data, m->number.len));
    ca_body_time(&body, "published", (lt_time){m->time_us});
    char *subject = lt_arena_printf(t->arena, "crl %s", issuer->name);
    LT_ASSERT(subject != NULL);
    LT_TRY(ca_body_event(&body, t, "crl.published", subject, LT_SLICE(NULL, 0)));
    return ca_crl_watch(t, issuer, m);
}
