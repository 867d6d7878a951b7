/* The key itself, sent along: it proves itself. What is kept of it are hashes. */
#include <string.h>

#include "base/text.h"
#include "crypto/digest.h"
#include "crypto/found.h"
#include "incident/proof_private.h"
#include "jose/json.h"

/* What it signs, so that there is something to show when it is gone. */
static lt_slice statement(struct proof_look *l)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    if (l->proofs->sign.len > 0) {
        return l->proofs->sign;
    }
    crypto_sha256(l->item, hash);
    char *hex = lt_hex(l->arena, LT_SLICE(hash, sizeof hash));
    char *words = hex == NULL ? NULL : lt_arena_printf(l->arena, INCIDENT_PROOF_NONCE_WORDS "%s", hex);
    return lt_slice_cstr(words);
}

/* What stands in its place from now on. */
static void replace(struct proof_look *l, struct incident_proof *p, const struct crypto_found *found)
{
    struct lt_buf text;
    lt_buf_init(&text, 16384);
    lt_buf_addf(&text, "[private key removed: %s",
                p->has_key ? found->form : "of a kind that cannot be read");
    if (p->has_key) {
        lt_buf_addf(&text, ", %s, SHA-256 of its SubjectPublicKeyInfo ", p->key_type);
        lt_hex_add(&text, LT_SLICE(p->spki_sha256, sizeof p->spki_sha256));
    }
    lt_buf_add_cstr(&text, ", SHA-256 of what stood here ");
    lt_hex_add(&text, LT_SLICE(p->evidence_sha256, sizeof p->evidence_sha256));
    if (p->signature.len > 0) {
        lt_buf_addf(&text, ". It has signed \"%.*s\" with SHA-256: ", LT_FMT(found->message));
        lt_base64_add(&text, p->signature);
        lt_buf_add_cstr(&text, "; public key ");
        lt_base64_add(&text, p->spki);
    }
    lt_buf_add_cstr(&text, "]");
    lt_slice copy = lt_arena_copy(l->arena, lt_buf_slice(&text));
    p->evidence = copy.ptr == NULL ? LT_LIT("[private key removed]") : copy;
    lt_buf_done(&text);
}

static void judge(struct proof_look *l, struct incident_proof *p, lt_res r, const struct crypto_found *found)
{
    struct x509_spki spki;
    if (lt_failed(r) || lt_failed(x509_spki_parse(found->spki, &spki))) {
        char *why = lt_arena_cstr(l->arena, lt_slice_cstr(lt_error_last()->detail));
        proof_say(p, r.code == LT_PEER_UNAUTHORIZED ? INCIDENT_PROOF_FORGED : INCIDENT_PROOF_UNREADABLE,
                  why == NULL ? "no private key that can be read" : why);
        replace(l, p, found);
        return;
    }
    if (proof_set_key(l, p, &spki)) {
        proof_say(p, INCIDENT_PROOF_PROVEN, "the private key itself was sent");
        p->spki = found->spki;
        p->signature = lt_arena_copy(l->arena, LT_SLICE(found->signature, found->signature_len));
    }
    replace(l, p, found);
    proof_keep_key(l, found->spki);
}

bool proof_private_der(struct proof_look *l, lt_slice der, bool sure)
{
    struct crypto_found found = {.form = "", .message = statement(l)};
    lt_res r = crypto_found_der(der, l->arena, &found);
    bool is = !lt_failed(r) || found.form[0] != '\0'; /* one, if perhaps of an unknown kind */
    if (!is && !sure) {
        return false;
    }
    struct incident_proof *p = proof_add(l, "private-key");
    if (p != NULL) {
        judge(l, p, r, &found);
    }
    return true;
}

bool proof_private_openssh(struct proof_look *l, lt_slice bytes)
{
    struct crypto_found found = {.form = "", .message = statement(l)};
    lt_res r = crypto_found_openssh(bytes, l->arena, &found);
    struct incident_proof *p = proof_add(l, "private-key");
    if (p != NULL) {
        judge(l, p, r, &found);
    }
    return true;
}

void proof_private_encrypted(struct proof_look *l)
{
    struct incident_proof *p = proof_add(l, "");
    if (p != NULL) {
        proof_say(p, INCIDENT_PROOF_NOTHING,
                  "a private key under a passphrase: have the key sign a statement, see \"nonce\"");
    }
}

/* ---- JWK ---- */

static lt_res number(struct proof_look *l, const json_t *o, const char *name, lt_slice *ret_bytes)
{
    *ret_bytes = LT_SLICE(NULL, 0);
    return json_object_get(o, name) == NULL ? LT_OK : jose_json_bytes(o, name, l->arena, ret_bytes);
}

static lt_res read_jwk(struct proof_look *l, const json_t *o, lt_slice kty, struct crypto_found *found)
{
    static const struct {
        const char *crv;
        enum x509_key_type type;
    } curves[] = {{"P-256", X509_KEY_P256}, {"P-384", X509_KEY_P384}, {"P-521", X509_KEY_P521}};
    lt_slice crv;
    lt_slice d;
    LT_TRY(jose_json_bytes(o, "d", l->arena, &d));
    if (lt_slice_eq_cstr(kty, "RSA")) {
        struct crypto_found_rsa f = {.d = d};
        LT_TRY(number(l, o, "n", &f.n));
        LT_TRY(number(l, o, "e", &f.e));
        LT_TRY(number(l, o, "p", &f.p));
        LT_TRY(number(l, o, "q", &f.q));
        return crypto_found_from_rsa(&f, l->arena, found);
    }
    LT_TRY(jose_json_optional_string(o, "crv", &crv));
    if (lt_slice_eq_cstr(crv, "Ed25519")) {
        return crypto_found_from_ed25519(d, l->arena, found);
    }
    for (size_t i = 0; i < LT_COUNT(curves); i++) {
        if (lt_slice_eq_cstr(crv, curves[i].crv)) {
            return crypto_found_from_ec(curves[i].type, d, l->arena, found);
        }
    }
    LT_FAIL(LT_PEER_UNSUPPORTED, "a private key of a kind that is not known here");
}

bool proof_private_jwk(struct proof_look *l, const json_t *o)
{
    struct crypto_found found = {.form = "JWK", .message = statement(l)};
    lt_slice kty;
    if (json_object_get(o, "d") == NULL || lt_failed(jose_json_string(o, "kty", &kty))) {
        return false;
    }
    lt_res r = read_jwk(l, o, kty, &found);
    struct incident_proof *p = proof_add(l, "private-key");
    if (p != NULL) {
        judge(l, p, r, &found);
    }
    return true;
}
