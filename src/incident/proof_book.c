/* See proof_book.h. */
#include "incident/proof_book.h"

#include <string.h>

#include "base/text.h"
#include "ca/book.h"
#include "ca/compromise.h"
#include "crypto/digest.h"
#include "incident/op.h"
#include "incident/proof_beat.h"

static const struct store_sql sql[] = {
    {"proof.secret", "SELECT value FROM meta WHERE key = 'proof.nonce-secret'"},
    {"proof.secret-add", "INSERT INTO meta (key, value) VALUES ('proof.nonce-secret', ?1) "
                         "ON CONFLICT (key) DO NOTHING"},
    {"proof.nonce-use", "INSERT INTO proof_nonce_used (nonce_sha256, expires_us) VALUES (?1, ?2) "
                        "ON CONFLICT (nonce_sha256) DO NOTHING"},
};
enum { SQL_SECRET, SQL_SECRET_ADD, SQL_NONCE_USE };
const struct incident_sql incident_proof_book_sql = {sql, LT_COUNT(sql)};

/* ---- nonces ---- */

/* A nonce is base64url of { seconds since 1970, 4 bytes; drawn, 8; the first 12 of the MAC over both }. */
enum { STAMP_LEN = 4, BODY_LEN = 12, NONCE_BYTES = 24, SECRET_LEN = 32 };

static lt_res load_secret(struct ca_turn *t, lt_slice *ret_secret)
{
    struct store_rows rows;
    *ret_secret = (lt_slice){0};
    LT_TRY(store_query(t->store, &sql[SQL_SECRET], NULL, 0, &rows));
    if (store_next(&rows)) {
        lt_res r = lt_unhex(t->arena, store_bytes(&rows, 0), ret_secret);
        LT_TRY(store_rows_end(&rows));
        return r;
    }
    return store_rows_end(&rows);
}

/* Not one that must be kept from who has the book: what it stops is a signature of yesterday, and a nonce
 * alone proves nothing. */
static lt_res secret(struct ca_turn *t, lt_slice *ret_secret)
{
    LT_TRY(load_secret(t, ret_secret));
    if (ret_secret->len == SECRET_LEN) {
        return LT_OK;
    }
    uint8_t drawn[SECRET_LEN];
    t->random(drawn, sizeof drawn);
    char *hex = lt_hex(t->arena, LT_SLICE(drawn, sizeof drawn));
    LT_ASSERT(hex != NULL);
    LT_TRY(store_exec(t->store, &sql[SQL_SECRET_ADD], STORE_ARGS(STORE_S(hex)), NULL));
    LT_TRY(load_secret(t, ret_secret)); /* another host may have been faster */
    LT_CHECK(ret_secret->len == SECRET_LEN, LT_STATE_CORRUPT, "meta: proof.nonce-secret is none");
    return LT_OK;
}

static lt_res stamp(struct ca_turn *t, uint8_t nonce[NONCE_BYTES])
{
    uint8_t mac[CRYPTO_SHA256_LEN];
    lt_slice key;
    LT_TRY(secret(t, &key));
    crypto_hmac(CRYPTO_SHA256, key, LT_SLICE(nonce, BODY_LEN), mac);
    memcpy(nonce + BODY_LEN, mac, NONCE_BYTES - BODY_LEN);
    return LT_OK;
}

lt_res incident_proof_nonce(struct ca_turn *t, char ret_nonce[INCIDENT_PROOF_NONCE_LEN + 1])
{
    uint8_t nonce[NONCE_BYTES];
    uint32_t now_s = (uint32_t)lt_time_seconds(t->now);
    for (size_t i = 0; i < STAMP_LEN; i++) {
        nonce[i] = (uint8_t)(now_s >> (24 - 8 * i));
    }
    t->random(nonce + STAMP_LEN, BODY_LEN - STAMP_LEN);
    LT_TRY(stamp(t, nonce));
    char *text = lt_base64url(t->arena, LT_SLICE(nonce, sizeof nonce));
    LT_ASSERT(text != NULL && strlen(text) == INCIDENT_PROOF_NONCE_LEN);
    memcpy(ret_nonce, text, INCIDENT_PROOF_NONCE_LEN + 1);
    return LT_OK;
}

/* Ours and fresh; whether it was used is for use_nonce. */
static lt_res check_nonce(struct ca_turn *t, lt_slice text, bool *ret_good, lt_time *ret_expires)
{
    lt_slice given;
    uint8_t nonce[NONCE_BYTES];
    *ret_good = false;
    if (lt_failed(lt_unbase64url(t->arena, text, &given)) || given.len != sizeof nonce) {
        return LT_OK;
    }
    memcpy(nonce, given.ptr, sizeof nonce);
    LT_TRY(stamp(t, nonce));
    uint32_t made_s = (uint32_t)nonce[0] << 24 | (uint32_t)nonce[1] << 16 | (uint32_t)nonce[2] << 8 |
                      nonce[3];
    *ret_expires = lt_time_from_seconds((int64_t)made_s + INCIDENT_PROOF_NONCE_LIFE_S);
    *ret_good = crypto_equal(LT_SLICE(nonce, sizeof nonce), given) && t->now.us < ret_expires->us;
    return LT_OK;
}

static lt_res use_nonce(struct ca_turn *t, const char *text, bool *ret_good)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    lt_time expires = {0};
    int64_t added = 0;
    LT_TRY(check_nonce(t, lt_slice_cstr(text), ret_good, &expires));
    if (!*ret_good) {
        return LT_OK;
    }
    crypto_sha256(lt_slice_cstr(text), hash);
    LT_TRY(store_exec(t->store, &sql[SQL_NONCE_USE],
                      STORE_ARGS(STORE_B(LT_SLICE(hash, sizeof hash)), STORE_I(expires.us)), &added));
    *ret_good = added > 0;
    return LT_OK;
}

/* ---- proofs ---- */

static lt_slice bytes(ProtobufCBinaryData b)
{
    return LT_SLICE(b.data, b.len);
}

static lt_res add(struct ca_turn *t, const struct incident_proven *p, lt_slice spki_sha256, bool *ret_new)
{
    const struct ca_compromise c = {.spki_sha256 = spki_sha256,
                                    .proof = p->proof->kind,
                                    .key_type = p->proof->key_type,
                                    .via = p->via,
                                    .evidence = bytes(p->proof->evidence),
                                    .evidence_sha256 = bytes(p->proof->evidence_sha256),
                                    .problem = p->problem,
                                    .filer = p->filer == NULL ? "" : p->filer,
                                    .received = p->received,
                                    .jws = p->jws};
    return ca_compromise_add(t, &c, ret_new);
}

static lt_res say(struct ca_turn *t, struct incident_proof_answer *a, bool new)
{
    bool work = new || a->certificates > 0;
    a->outcome = work ? "revoking" : "known";
    if (!work) {
        a->words = "This key was proven to be compromised before: it is blocked, and none of its "
                   "certificates is left.";
        return LT_OK;
    }
    a->words = a->certificates == 0
                   ? "The proof holds. The key is blocked; none of its certificates is valid any more."
                   : lt_arena_printf(t->arena,
                                     "The proof holds. The key is blocked, and its %lld valid certificate%s "
                                     "being revoked as keyCompromise now.",
                                     (long long)a->certificates, a->certificates == 1 ? " is" : "s are");
    LT_ASSERT(a->words != NULL);
    return LT_OK;
}

/* The hashes by which certificates may have the key: in the usual form, and in that which was sent. */
static lt_res act(struct ca_turn *t, const struct incident_proven *p, struct incident_proof_answer *a)
{
    const lt_slice hashes[] = {bytes(p->proof->spki_sha256), bytes(p->proof->sent_sha256)};
    bool known[LT_COUNT(hashes)] = {false};
    bool any_new = false;
    for (size_t i = 0; i < LT_COUNT(hashes); i++) {
        int64_t live = 0;
        LT_TRY(hashes[i].len == 0 ? LT_OK : ca_compromise_count(t, hashes[i], &live, &known[i]));
        a->certificates += live;
    }
    if (!known[0] && !known[1]) {
        a->outcome = "unknown-key";
        a->words = "The proof holds, but no certificate of ours has, or ever had, this key.";
        return LT_OK;
    }
    if (p->proof->nonce[0] != '\0') {
        bool good = false;
        LT_TRY(use_nonce(t, p->proof->nonce, &good));
        a->outcome = "nonce";
        a->words = "The nonce is none of ours, is older than a day, or was used before: ask for a new one.";
        if (!good) {
            return LT_OK;
        }
    }
    for (size_t i = 0; i < LT_COUNT(hashes); i++) {
        bool new = false;
        LT_TRY(known[i] ? add(t, p, hashes[i], &new) : LT_OK);
        any_new = any_new || new;
    }
    return say(t, a, any_new);
}

lt_res incident_proof_act(struct ca_turn *t, const struct incident_proven *p,
                          struct incident_proof_answer *ret_answer)
{
    *ret_answer = (struct incident_proof_answer){.outcome = "not-proven", .words = p->proof->why};
    bool proven = strcmp(p->proof->verdict, "proven") == 0 && p->proof->kind[0] != '\0';
    return proven && p->proof->spki_sha256.len == CA_HASH_LEN ? act(t, p, ret_answer) : LT_OK;
}
