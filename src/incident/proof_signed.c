/* Proofs with the form of JSON: what the pwnedkeys API answers, and a nonce of ours with its signature. */
#include <string.h>

#include "base/text.h"
#include "crypto/digest.h"
#include "crypto/found.h"
#include "incident/proof_private.h"
#include "jose/json.h"
#include "x509/cert.h"

enum { PAYLOAD_MAX = 1024, MESSAGE_MAX = 256, KID_LEN = 64 };

/* What was signed, by which algorithm, so that it can be tried with one key after another. */
struct statement {
    enum crypto_sig_alg alg; /* NONE: whichever the key has, with this hash */
    enum crypto_hash hash;
    bool jose; /* ECDSA as r || s */
    lt_slice message;
    lt_slice signature;
    bool has_kid;
    lt_slice kid; /* SHA-256 of the key's SPKI, in whatever form */
};

static lt_slice sha256(struct lt_arena *a, lt_slice bytes)
{
    uint8_t *hash = lt_arena_alloc(a, CRYPTO_SHA256_LEN);
    if (hash != NULL) {
        crypto_sha256(bytes, hash);
    }
    return LT_SLICE(hash, hash == NULL ? 0 : CRYPTO_SHA256_LEN);
}

/* Is that the key which the statement names? Keys are named by whichever form somebody had. */
static bool is_named(struct lt_arena *a, const struct statement *s, const struct x509_spki *key)
{
    lt_slice forms[3] = {key->der, {0}, {0}};
    if (!s->has_kid) {
        return true;
    }
    if (lt_failed(crypto_spki_normal(key, a, &forms[1])) ||
        lt_failed(crypto_spki_compressed(key, a, &forms[2]))) {
        return false;
    }
    for (size_t i = 0; i < LT_COUNT(forms); i++) {
        if (forms[i].len > 0 && lt_slice_eq(sha256(a, forms[i]), s->kid)) {
            return true;
        }
    }
    return false;
}

/* Algorithm of a bare signature: of the key's kind with the hash that was named. */
static enum crypto_sig_alg own_algorithm(enum x509_key_type type, enum crypto_hash hash)
{
    static const struct {
        enum x509_key_type type;
        enum crypto_sig_alg of[4]; /* by hash */
    } rows[] = {
        {X509_KEY_RSA, {CRYPTO_SIG_NONE, CRYPTO_RS256, CRYPTO_RS384, CRYPTO_RS512}},
        {X509_KEY_P256, {CRYPTO_SIG_NONE, CRYPTO_ES256, CRYPTO_ES384, CRYPTO_ES512}},
        {X509_KEY_P384, {CRYPTO_SIG_NONE, CRYPTO_ES256, CRYPTO_ES384, CRYPTO_ES512}},
        {X509_KEY_P521, {CRYPTO_SIG_NONE, CRYPTO_ES256, CRYPTO_ES384, CRYPTO_ES512}},
        {X509_KEY_ED25519, {CRYPTO_EDDSA, CRYPTO_EDDSA, CRYPTO_EDDSA, CRYPTO_EDDSA}},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        if (rows[i].type == type && (unsigned)hash < LT_COUNT(rows[i].of)) {
            return rows[i].of[hash];
        }
    }
    return CRYPTO_SIG_NONE;
}

/* By the statement's own key: tried with one. */
static bool tried(struct lt_arena *a, const struct statement *s, lt_slice key, struct incident_proof *p)
{
    struct x509_spki spki;
    struct incident_proofs none = {.count = 0};
    struct proof_look l = {.arena = a, .proofs = &none};
    uint8_t der[CRYPTO_ECDSA_MAX];
    size_t len = 0;
    if (lt_failed(x509_spki_parse(key, &spki)) || !is_named(a, s, &spki)) {
        return false;
    }
    enum crypto_sig_alg alg = s->alg == CRYPTO_SIG_NONE ? own_algorithm(spki.type, s->hash) : s->alg;
    const struct crypto_alg_info *info = crypto_alg_info(alg);
    lt_slice signature = s->signature;
    if (info == NULL) {
        return false;
    }
    if (s->jose && info->coordinate_len > 0) {
        if (lt_failed(crypto_ecdsa_raw_to_der(alg, s->signature, der, &len))) {
            return false;
        }
        signature = LT_SLICE(der, len);
    }
    if (!proof_set_key(&l, p, &spki)) {
        return false;
    }
    /* The numbers of both tables are the same. */
    return proof_signed(&spki, x509_sig_alg_der((enum x509_sig_alg)alg), s->message, signature, p);
}

/* What is kept must prove by itself: with the key that did not stand in it. */
static void keep_with_key(struct lt_arena *a, lt_slice key, struct incident_proof *p)
{
    static const char *const own[] = {"\"public-key\"", "\"certificate\""};
    struct lt_buf both;
    for (size_t i = 0; i < LT_COUNT(own); i++) {
        if (memmem(p->evidence.ptr, p->evidence.len, own[i], strlen(own[i])) != NULL) {
            return; /* it has one of its own */
        }
    }
    lt_buf_init(&both, 2 * INCIDENT_PROOF_EVIDENCE_MAX);
    lt_buf_add(&both, p->evidence);
    lt_buf_add_cstr(&both, "\n");
    lt_pem_add(&both, "PUBLIC KEY", key);
    lt_slice copy = both.overflow ? (lt_slice){0} : lt_arena_copy(a, lt_buf_slice(&both));
    p->evidence = copy.len > 0 ? copy : p->evidence;
    lt_buf_done(&both);
}

/* All keys that came along. Where the statement names its key, and it is there, what it says is the answer.
 */
static lt_res try_keys(struct lt_arena *a, const struct statement *s, const struct incident_proofs *list,
                       struct incident_proof *p)
{
    p->has_key = false;
    proof_say(p, INCIDENT_PROOF_KEY_MISSING,
              "the key that signed this is not with it: send a certificate of that key along");
    for (size_t i = 0; i < list->key_count; i++) {
        struct incident_proof one = *p;
        bool good = tried(a, s, list->keys[i], &one);
        if (good || (s->has_kid && one.has_key)) {
            *p = one;
        }
        if (good) {
            keep_with_key(a, list->keys[i], p);
            proof_say(p, INCIDENT_PROOF_PROVEN, "the key has signed that it is compromised");
            return LT_OK;
        }
    }
    if (p->verdict == INCIDENT_PROOF_KEY_MISSING && s->has_kid && s->kid.len == sizeof p->spki_sha256) {
        memcpy(p->spki_sha256, s->kid.ptr, s->kid.len);
        memcpy(p->sent_sha256, s->kid.ptr, s->kid.len);
        p->has_key = true;
    }
    return LT_OK;
}

/* ---- pwnedkeys ---- */

static lt_res read_attestation_head(const json_t *o, struct lt_arena *a, struct statement *s)
{
    LT_CLEANUP(jose_json_freep) json_t *head = NULL;
    lt_slice text;
    lt_slice alg;
    lt_slice kid;
    LT_TRY(jose_json_bytes(o, "protected", a, &text));
    LT_TRY(jose_json_object(text, &head));
    LT_TRY(jose_json_string(head, "alg", &alg));
    LT_TRY(jose_json_string(head, "kid", &kid));
    LT_CHECK(json_object_size(head) == 2 && kid.len == KID_LEN, LT_PEER_MALFORMED, "no such attestation");
    s->alg = crypto_alg_by_name(alg);
    LT_CHECK(s->alg != CRYPTO_SIG_NONE, LT_PEER_UNSUPPORTED, "an unknown algorithm");
    s->has_kid = true;
    return lt_unhex(a, kid, &s->kid);
}

/* The API says of the payload that it has the words "key is pwned" and at most 1024 bytes. */
static lt_res read_attestation(const json_t *o, struct lt_arena *a, struct statement *s)
{
    const lt_slice says = LT_LIT("key is pwned");
    lt_slice payload;
    lt_slice head;
    *s = (struct statement){.jose = true};
    LT_TRY(jose_json_bytes(o, "payload", a, &payload));
    LT_TRY(jose_json_bytes(o, "signature", a, &s->signature));
    LT_CHECK(json_object_size(o) == 3 && payload.len <= PAYLOAD_MAX && payload.len > 0 &&
                 memmem(payload.ptr, payload.len, says.ptr, says.len) != NULL,
             LT_PEER_MALFORMED, "no such attestation");
    LT_TRY(read_attestation_head(o, a, s));
    LT_TRY(jose_json_string(o, "protected", &head));
    LT_TRY(jose_json_string(o, "payload", &payload));
    char *message = lt_arena_printf(a, "%.*s.%.*s", LT_FMT(head), LT_FMT(payload));
    LT_CHECK(message != NULL, LT_PEER_TOO_LARGE, "too much to look through at once");
    s->message = lt_slice_cstr(message);
    return LT_OK;
}

/* ---- a nonce of ours ---- */

static enum crypto_hash hash_named(lt_slice name)
{
    static const struct {
        const char *name;
        enum crypto_hash hash;
    } names[] = {
        {"", CRYPTO_SHA256}, {"sha256", CRYPTO_SHA256}, {"sha384", CRYPTO_SHA384}, {"sha512", CRYPTO_SHA512}};
    for (size_t i = 0; i < LT_COUNT(names); i++) {
        if (lt_slice_eq_cstr(name, names[i].name)) {
            return names[i].hash;
        }
    }
    return CRYPTO_HASH_NONE;
}

/* A certificate or a public key, PEM or base64 of DER, goes to the keys. */
static void keep_key(struct proof_look *l, const json_t *o, const char *name)
{
    lt_slice text;
    lt_slice label;
    lt_slice der;
    if (lt_failed(jose_json_optional_string(o, name, &text)) || text.len == 0) {
        return;
    }
    bool pem = lt_slice_starts(text, LT_LIT("-----BEGIN"));
    lt_res r = pem ? lt_pem_next(l->arena, &text, &label, &der) : lt_unbase64(l->arena, text, &der);
    if (!lt_failed(r) && !proof_public_key(l, der)) {
        struct x509_cert c;
        if (!lt_failed(x509_cert_decode(der, l->arena, &c))) {
            proof_keep_key(l, c.spki.der);
        }
    }
}

static lt_res read_nonce(const json_t *o, struct lt_arena *a, struct statement *s, lt_slice *ret_nonce)
{
    lt_slice hash;
    lt_slice signature;
    LT_TRY(jose_json_string(o, "nonce", ret_nonce));
    LT_TRY(jose_json_string(o, "signature", &signature));
    LT_TRY(jose_json_optional_string(o, "hash", &hash));
    *s = (struct statement){.hash = hash_named(hash)};
    LT_CHECK(s->hash != CRYPTO_HASH_NONE, LT_PEER_UNSUPPORTED, "an unknown hash");
    LT_TRY(lt_unbase64(a, signature, &s->signature));
    char *message = lt_arena_printf(a, INCIDENT_PROOF_NONCE_WORDS "%.*s", LT_FMT(*ret_nonce));
    LT_CHECK(message != NULL, LT_PEER_TOO_LARGE, "too much to look through at once");
    s->message = lt_slice_cstr(message);
    return LT_OK;
}

static bool look_at_nonce(struct proof_look *l, const json_t *o)
{
    struct statement s;
    lt_slice nonce;
    if (json_object_get(o, "nonce") == NULL || json_object_get(o, "signature") == NULL ||
        lt_failed(read_nonce(o, l->arena, &s, &nonce))) {
        return false;
    }
    struct incident_proof *p = proof_add(l, "nonce");
    char *copy = lt_arena_cstr(l->arena, nonce);
    if (p == NULL || copy == NULL) {
        return true;
    }
    keep_key(l, o, "public-key");
    keep_key(l, o, "certificate");
    if (!incident_proof_nonce_form(nonce)) {
        proof_say(p, INCIDENT_PROOF_NOTHING, "what it names is no nonce of ours");
        return true;
    }
    p->nonce = copy;
    proof_say(p, INCIDENT_PROOF_KEY_MISSING, "");
    return true;
}

bool proof_json(struct proof_look *l, const json_t *o)
{
    struct statement s;
    if (look_at_nonce(l, o)) {
        return true;
    }
    if (lt_failed(read_attestation(o, l->arena, &s))) {
        return false;
    }
    struct incident_proof *p = proof_add(l, "pwnedkeys");
    if (p != NULL) {
        proof_say(p, INCIDENT_PROOF_KEY_MISSING, "");
    }
    return true;
}

lt_res proof_try_again(struct lt_arena *a, struct incident_proofs *list, struct incident_proof *p)
{
    LT_CLEANUP(jose_json_freep) json_t *o = NULL;
    struct statement s;
    lt_slice nonce;
    LT_TRY(jose_json_object(p->evidence, &o));
    LT_TRY(strcmp(p->kind, "nonce") == 0 ? read_nonce(o, a, &s, &nonce) : read_attestation(o, a, &s));
    return try_keys(a, &s, list, p);
}
