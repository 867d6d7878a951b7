/* Rows of a book that is reconciled. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ca/body.h"
#include "ca/crl_shard.h"
#include "ca/key_block.h"
#include "ca/revoke.h"
#include "cmd/restore.h"
#include "sign.pb-c.h"

enum { SHARD_UNKNOWN = -1, NUMBER_LEN = 8 };

enum {
    SQL_ISSUERS,
    SQL_SHARD_LAST,
    SQL_INTENT,
    SQL_CERTIFICATE,
    SQL_REVOKED,
    SQL_REVOKE,
    SQL_WORSE,
    SQL_CRL_LAST,
    SQL_CRL_ADD
};
static const struct store_sql sql[] = {
    [SQL_ISSUERS] = {"restore.issuers", "SELECT id, name, not_after_us, certificate FROM issuer ORDER BY id"},
    [SQL_SHARD_LAST] = {"restore.shard-last",
                        "SELECT shard FROM crl WHERE issuer = ?1 ORDER BY shard DESC LIMIT 1"},
    [SQL_INTENT] = {"restore.intent", "SELECT request FROM intent WHERE issuer = ?1 AND serial = ?2"},
    [SQL_CERTIFICATE] = {"restore.certificate", "SELECT shard, not_after_us, spki_sha256 FROM certificate "
                                                "WHERE issuer = ?1 AND serial = ?2 ORDER BY copy LIMIT 1"},
    [SQL_REVOKED] = {"restore.revoked",
                     "SELECT reason FROM revocation WHERE issuer = ?1 AND shard = ?2 AND serial = ?3"},
    [SQL_REVOKE] =
        {"restore.revoke",
         "INSERT INTO revocation (issuer, shard, serial, reason, revoked_us, recorded_us, not_after_us, "
         "by_whom, sequence) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"},
    /*= CABF-BR 7.2.2 "the CA SHOULD update the CRL entry to enter keyCompromise as the CRLReason in the
     *  reasonCode extension" */
    [SQL_WORSE] = {"restore.worse",
                   "UPDATE revocation SET reason = ?4, recorded_us = ?5, by_whom = ?6, sequence = ?7, "
                   "revoked_us = CASE WHEN revoked_us > ?8 THEN ?8 ELSE revoked_us END "
                   "WHERE issuer = ?1 AND shard = ?2 AND serial = ?3"},
    [SQL_CRL_LAST] = {"restore.crl-last", "SELECT number FROM crl WHERE issuer = ?1 AND shard = ?2 "
                                          "ORDER BY number DESC LIMIT 1"},
    [SQL_CRL_ADD] = {"restore.crl-add",
                     "INSERT INTO crl (issuer, shard, number, this_update_us, next_update_us, entries, "
                     "sha256, sequence, der) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, NULL)"},
};

void restore_turn(struct restore *k)
{
    lt_arena_reset(&k->arena);
    ca_turn_init(&k->turn, k->store, &k->arena, k->c->now);
    k->turn.book = k->book;
}

/* ---- issuers ---- */

static lt_res take_issuer(struct restore *k, const struct store_rows *rows)
{
    struct restore_issuer *i = &k->crls.issuers[k->crls.issuer_count];
    LT_CHECK(k->crls.issuer_count < RESTORE_ISSUERS_MAX, LT_PEER_TOO_LARGE, "there are too many issuers");
    *i = (struct restore_issuer){.id = store_int(rows, 0), .not_after_us = store_int(rows, 2)};
    (void)snprintf(i->name, sizeof i->name, "%s",
                   store_cstr(rows, 1)); /* the registrar refuses longer ones */
    i->certificate = lt_arena_copy(&k->c->arena, store_bytes(rows, 3));
    LT_CHECK(i->certificate.ptr != NULL, LT_PEER_TOO_LARGE, "there are too many issuers");
    k->crls.issuer_count++;
    return LT_OK;
}

lt_res restore_issuers(struct restore *k)
{
    struct store_rows rows;
    lt_res r = LT_OK;
    LT_TRY(store_query(k->store, &sql[SQL_ISSUERS], STORE_NO_ARGS, &rows));
    while (!lt_failed(r) && store_next(&rows)) {
        r = take_issuer(k, &rows);
    }
    LT_TRY(store_rows_end(&rows));
    LT_TRY(r);
    for (size_t i = 0; i < k->crls.issuer_count; i++) {
        LT_TRY(
            store_query(k->store, &sql[SQL_SHARD_LAST], STORE_ARGS(STORE_I(k->crls.issuers[i].id)), &rows));
        k->crls.issuers[i].shards = store_next(&rows) ? (uint32_t)store_int(&rows, 0) : 0;
        LT_TRY(store_rows_end(&rows));
    }
    return LT_OK;
}

lt_res restore_issuer_index(struct restore *k, lt_slice name, size_t *ret_index)
{
    for (size_t i = 0; i < k->crls.issuer_count; i++) {
        if (lt_slice_eq_cstr(name, k->crls.issuers[i].name)) {
            *ret_index = i;
            return LT_OK;
        }
    }
    LT_FAIL(LT_STATE_CORRUPT, "the journal speaks of an issuer \"%.*s\" that the book does not know",
            LT_FMT(lt_slice_sub(name, 0, 60)));
}

/* ---- revocations ---- */

/* What the book knows of a certificate. */
struct known {
    int64_t shard;
    int64_t not_after_us;
    uint8_t spki[CA_HASH_LEN];
    bool there;
};

static lt_res shard_of_intent(struct restore *k, int64_t issuer, lt_slice serial, int64_t *ret_shard)
{
    struct store_rows rows;
    LT_TRY(store_query(k->store, &sql[SQL_INTENT], STORE_ARGS(STORE_I(issuer), STORE_B(serial)), &rows));
    if (store_next(&rows)) {
        lt_slice packed = store_bytes(&rows, 0);
        Ipc__IntentRecord *record = ipc__intent_record__unpack(NULL, packed.len, packed.ptr);
        if (record != NULL) {
            *ret_shard = record->crl_shard <= CA_CRL_SHARDS_MAX ? (int64_t)record->crl_shard : SHARD_UNKNOWN;
            ipc__intent_record__free_unpacked(record, NULL);
        }
    }
    return store_rows_end(&rows);
}

/* The part of the CRL on which relying parties look for it: as the certificate says, else as its intent said,
 * else where it was published, else as the issuer would choose today. */
static lt_res look_up(struct restore *k, const struct restore_revocation *r, struct known *x)
{
    const struct restore_issuer *i = &k->crls.issuers[r->issuer];
    struct store_rows rows;
    uint32_t part = 0;
    *x = (struct known){.shard = SHARD_UNKNOWN, .not_after_us = i->not_after_us};
    LT_TRY(
        store_query(k->store, &sql[SQL_CERTIFICATE], STORE_ARGS(STORE_I(i->id), STORE_B(r->serial)), &rows));
    if (store_next(&rows)) {
        lt_slice spki = store_bytes(&rows, 2);
        x->shard = store_int(&rows, 0);
        x->not_after_us = store_int(&rows, 1);
        x->there = spki.len == sizeof x->spki;
        memcpy(x->spki, spki.ptr, x->there ? sizeof x->spki : 0);
    }
    LT_TRY(store_rows_end(&rows));
    LT_TRY(x->shard != SHARD_UNKNOWN ? LT_OK : shard_of_intent(k, i->id, r->serial, &x->shard));
    if (x->shard == SHARD_UNKNOWN && restore_crl_part(&k->crls, r->issuer, r->serial, &part) && part > 0) {
        x->shard = part;
    }
    x->shard = x->shard == SHARD_UNKNOWN ? (int64_t)ca_crl_shard_of(r->serial, i->shards) : x->shard;
    return LT_OK;
}

static lt_res write_entry(struct restore *k, const struct restore_revocation *r, const struct known *x)
{
    return store_exec(k->store, &sql[SQL_REVOKE],
                      STORE_ARGS(STORE_I(k->crls.issuers[r->issuer].id), STORE_I(x->shard),
                                 STORE_B(r->serial), STORE_I(r->reason), STORE_I(r->revoked_us),
                                 STORE_I(k->c->now.us), STORE_I(x->not_after_us), STORE_S(r->by),
                                 STORE_I((int64_t)r->sequence)),
                      NULL);
}

static lt_res make_worse(struct restore *k, const struct restore_revocation *r, const struct known *x)
{
    return store_exec(k->store, &sql[SQL_WORSE],
                      STORE_ARGS(STORE_I(k->crls.issuers[r->issuer].id), STORE_I(x->shard),
                                 STORE_B(r->serial), STORE_I(r->reason), STORE_I(k->c->now.us),
                                 STORE_S(r->by), STORE_I((int64_t)r->sequence), STORE_I(r->revoked_us)),
                      NULL);
}

lt_res restore_revoke(struct restore *k, const struct restore_revocation *r, bool *ret_changed)
{
    struct known x;
    struct store_rows rows;
    LT_TRY(look_up(k, r, &x));
    LT_TRY(store_query(
        k->store, &sql[SQL_REVOKED],
        STORE_ARGS(STORE_I(k->crls.issuers[r->issuer].id), STORE_I(x.shard), STORE_B(r->serial)), &rows));
    bool there = store_next(&rows);
    bool compromise = r->reason == CA_REASON_KEY_COMPROMISE;
    bool worse = there && compromise && store_int(&rows, 0) != CA_REASON_KEY_COMPROMISE;
    LT_TRY(store_rows_end(&rows));
    if (ret_changed != NULL) {
        *ret_changed = !there || worse;
    }
    if (there && !worse) {
        return LT_OK;
    }
    LT_TRY(there ? make_worse(k, r, &x) : write_entry(k, r, &x));
    return compromise && x.there
               ? ca_key_block_add(&k->turn, LT_SLICE(x.spki, sizeof x.spki), "key compromise", "restore")
               : LT_OK;
}

lt_res restore_has_intent(struct restore *k, int64_t issuer, lt_slice serial, bool *ret_there)
{
    struct store_rows rows;
    LT_TRY(store_query(k->store, &sql[SQL_INTENT], STORE_ARGS(STORE_I(issuer), STORE_B(serial)), &rows));
    *ret_there = store_next(&rows);
    return store_rows_end(&rows);
}

lt_res restore_lost(struct restore *k, const struct journal_entry *e, const char *issuer)
{
    struct ca_body b;
    ca_body_init(&b);
    ca_body_text(&b, "issuer", e->issuer);
    ca_body_hex(&b, "serial", e->serial);
    ca_body_hex(&b, "tbs_sha256", LT_SLICE(e->digest, sizeof(e->digest)));
    ca_body_int(&b, "journal_sequence", (int64_t)e->sequence);
    ca_body_time(&b, "signed", (lt_time){e->time_us});
    ca_body_bool(&b, "revoked", k->revoke_lost);
    const char *subject = lt_arena_printf(&k->arena, "certificate %s %s", issuer,
                                          lt_hex(&k->arena, e->serial));
    LT_ASSERT(subject != NULL);
    return ca_body_event(&b, &k->turn, "restore.lost", subject, LT_SLICE(e->signature.ptr, e->signature.len));
}

/* ---- CRLs ---- */

/* So that numbers go on from the last that the world has seen, and parts that were published stay published.
 */
static lt_res put_crl(struct restore *k, const struct restore_crl *c)
{
    uint8_t number[NUMBER_LEN];
    struct store_rows rows;
    int64_t issuer = k->crls.issuers[c->issuer].id;
    for (unsigned i = 0; i < NUMBER_LEN; i++) {
        number[i] = (uint8_t)(c->number >> (56 - 8 * i));
    }
    LT_TRY(store_query(k->store, &sql[SQL_CRL_LAST], STORE_ARGS(STORE_I(issuer), STORE_I(c->shard)), &rows));
    bool newer = !store_next(&rows) ||
                 lt_slice_cmp(LT_SLICE(number, sizeof number), store_bytes(&rows, 0)) > 0;
    LT_TRY(store_rows_end(&rows));
    if (!newer) {
        return LT_OK;
    }
    return store_exec(k->store, &sql[SQL_CRL_ADD],
                      STORE_ARGS(STORE_I(issuer), STORE_I(c->shard), STORE_B(LT_SLICE(number, sizeof number)),
                                 STORE_I(c->this_update_us), STORE_I(c->next_update_us),
                                 STORE_I((int64_t)c->entries), STORE_B(LT_SLICE(c->sha256, CA_HASH_LEN))),
                      NULL);
}

/* Numbers are times: a clock that went back before the last one would give a lower one. */
static lt_res check_clock(const struct restore *k, const struct restore_issuer *i)
{
    uint64_t last = i->number > i->journal_number ? i->number : i->journal_number;
    char when[LT_RFC3339_SIZE];
    lt_time_rfc3339((lt_time){last <= INT64_MAX ? (int64_t)last : INT64_MAX}, when);
    LT_CHECK(last < (uint64_t)k->c->now.us, LT_STATE_CLOCK,
             "the last CRL of %s has the number of %s, and the clock is before that: mend the clock", i->name,
             when);
    return LT_OK;
}

lt_res restore_put_crls(struct restore *k)
{
    for (size_t i = 0; i < k->crls.issuer_count; i++) {
        LT_TRY(check_clock(k, &k->crls.issuers[i]));
    }
    for (size_t i = 0; i < k->crls.count; i++) {
        LT_TRY(put_crl(k, &k->crls.list[i]));
    }
    return LT_OK;
}
