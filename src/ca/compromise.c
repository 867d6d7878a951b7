/* See compromise.h. */
#include "ca/compromise.h"

#include "base/text.h"
#include "ca/body.h"
#include "ca/book.h"
#include "ca/key_block.h"
#include "ca/mass.h"
#include "ca/revoke.h"
#include "crypto/digest.h"

static const struct store_sql sql[] = {
    {"compromise.add",
     "INSERT INTO key_compromise (spki_sha256, proof, via, evidence_sha256, problem, filer, received_us, "
     "proven_us, certificates, revoked_us, step, at_issuer, at_serial) "
     "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, 0, 0, ?10) ON CONFLICT (spki_sha256) DO NOTHING"},
    {"compromise.live",
     "SELECT c.not_after_us, r.reason, h.lifted_us FROM certificate c LEFT JOIN revocation r "
     "ON r.issuer = c.issuer AND r.shard = c.shard AND r.serial = c.serial LEFT JOIN revocation_hold h "
     "ON h.issuer = c.issuer AND h.serial = c.serial AND h.lifted_us = 0 WHERE c.spki_sha256 = ?1 "
     "ORDER BY c.issuer DESC, c.serial DESC LIMIT 1000"},
    {"compromise.again", "UPDATE key_compromise SET step = 0, revoked_us = 0 "
                         "WHERE spki_sha256 = ?1 AND step = 4"},
};
enum { SQL_ADD, SQL_LIVE, SQL_AGAIN };
const struct store_sql *const ca_compromise_sql = sql;
const size_t ca_compromise_sql_count = LT_COUNT(sql);

lt_res ca_compromise_count(struct ca_turn *t, lt_slice spki_sha256, int64_t *ret_live, bool *ret_known)
{
    struct store_rows rows;
    *ret_live = 0;
    *ret_known = false;
    LT_TRY(store_query(t->store, &sql[SQL_LIVE], STORE_ARGS(STORE_B(spki_sha256)), &rows));
    while (store_next(&rows)) {
        bool done = !store_is_null(&rows, 1) && store_int(&rows, 1) == CA_REASON_KEY_COMPROMISE;
        bool held = !store_is_null(&rows, 2); /* by a court's order: not ours to revoke */
        *ret_live += !done && !held && store_int(&rows, 0) > t->now.us ? 1 : 0;
        *ret_known = true;
    }
    return store_rows_end(&rows);
}

static lt_res write_event(struct ca_turn *t, const struct ca_compromise *c, lt_slice evidence_sha256,
                          int64_t live)
{
    struct ca_body body;
    struct lt_buf base64;
    ca_body_init(&body);
    lt_buf_init(&base64, CA_COMPROMISE_EVIDENCE_MAX * 2);
    if (c->evidence.len <= CA_COMPROMISE_EVIDENCE_MAX) { /* a larger one is the JWS beside it */
        lt_base64_add(&base64, c->evidence);
    }
    ca_body_hex(&body, "spki_sha256", c->spki_sha256);
    ca_body_str(&body, "proof", c->proof);
    ca_body_str(&body, "key_type", c->key_type);
    ca_body_str(&body, "via", c->via);
    ca_body_int(&body, "problem", c->problem);
    ca_body_time(&body, "received", c->received.us == 0 ? t->now : c->received);
    ca_body_int(&body, "certificates", live);
    ca_body_hex(&body, "evidence_sha256", evidence_sha256);
    ca_body_text(&body, "evidence", lt_buf_slice(&base64));
    lt_buf_done(&base64);
    char *subject = lt_arena_printf(t->arena, "key %s", lt_hex(t->arena, c->spki_sha256));
    LT_ASSERT(subject != NULL);
    return ca_body_event(&body, t, "proof.accepted", subject, c->jws);
}

static lt_res start_revoking(struct ca_turn *t, const struct ca_compromise *c)
{
    const struct ca_mass_compromise m = {.spki_sha256 = c->spki_sha256,
                                         .by_whom = c->via,
                                         .jws = c->jws,
                                         .note = "the key has proven that it is compromised",
                                         .aware = c->received,
                                         .proven = true};
    return ca_mass_compromised(t, &m);
}

lt_res ca_compromise_add(struct ca_turn *t, const struct ca_compromise *c, bool *ret_new)
{
    int64_t live = 0;
    bool known = false;
    int64_t added = 0;
    uint8_t hash[CRYPTO_SHA256_LEN];
    LT_CHECK(c->spki_sha256.len == sizeof hash, LT_PEER_MALFORMED, "a key is named by its SHA-256");
    crypto_sha256(c->evidence, hash);
    lt_slice evidence_sha256 = c->evidence_sha256.len > 0 ? c->evidence_sha256 : LT_SLICE(hash, sizeof hash);
    LT_TRY(ca_compromise_count(t, c->spki_sha256, &live, &known));
    LT_TRY(store_exec(t->store, &sql[SQL_ADD],
                      STORE_ARGS(STORE_B(c->spki_sha256), STORE_S(c->proof), STORE_S(c->via),
                                 STORE_B(evidence_sha256), STORE_I(c->problem), STORE_S(c->filer),
                                 STORE_I(c->received.us == 0 ? t->now.us : c->received.us),
                                 STORE_I(t->now.us), STORE_I(live + c->besides), STORE_B(LT_LIT(""))),
                      &added));
    *ret_new = added > 0;
    if (*ret_new) {
        LT_TRY(write_event(t, c, evidence_sha256, live + c->besides));
        LT_TRY(ca_key_block_add(t, c->spki_sha256, "key compromise", c->via));
    } else if (live > 0) {
        LT_TRY(store_exec(t->store, &sql[SQL_AGAIN], STORE_ARGS(STORE_B(c->spki_sha256)), NULL));
    }
    return live > 0 ? start_revoking(t, c) : LT_OK;
}
