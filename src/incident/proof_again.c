/* Kept proofs, verified once more: for who audits the book. */
#include <string.h>

#include "base/text.h"
#include "crypto/digest.h"
#include "crypto/found.h"
#include "incident/proof_private.h"
#include "jose/jws.h"
#include "x509/cert.h"

/* The words between two marks; false when they are not there. *text moves behind the second. */
static bool between(lt_slice *text, const char *first, const char *second, lt_slice *ret_words)
{
    size_t len = strlen(first);
    const uint8_t *from = memmem(text->ptr, text->len, first, len);
    lt_slice rest = from == NULL ? (lt_slice){0}
                                 : lt_slice_sub(*text, (size_t)(from - text->ptr) + len, SIZE_MAX);
    const uint8_t *to = rest.len == 0 ? NULL : memmem(rest.ptr, rest.len, second, strlen(second));
    if (to == NULL) {
        return false;
    }
    *ret_words = lt_slice_sub(rest, 0, (size_t)(to - rest.ptr));
    *text = lt_slice_sub(rest, ret_words->len, SIZE_MAX);
    return true;
}

static bool is_key(const struct x509_spki *spki, lt_slice spki_sha256, struct lt_arena *a)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    return !lt_failed(incident_proof_key(spki, a, hash)) &&
           lt_slice_eq(LT_SLICE(hash, sizeof hash), spki_sha256);
}

/* "[private key removed: … It has signed "…" with SHA-256: SIGNATURE; public key SPKI]" (proof_private.c). */
static bool statement_holds(lt_slice text, lt_slice spki_sha256, struct lt_arena *a)
{
    lt_slice words;
    lt_slice signature;
    lt_slice key;
    struct x509_spki spki;
    struct incident_proof none = {.kind = ""};
    if (!between(&text, "It has signed \"", "\" with SHA-256: ", &words) ||
        !between(&text, "\" with SHA-256: ", "; public key ", &signature) ||
        !between(&text, "; public key ", "]", &key) ||
        !lt_slice_starts(words, LT_LIT(INCIDENT_PROOF_NONCE_WORDS)) ||
        lt_failed(lt_unbase64(a, signature, &signature)) || lt_failed(lt_unbase64(a, key, &key)) ||
        lt_failed(x509_spki_parse(key, &spki)) || !is_key(&spki, spki_sha256, a)) {
        return false;
    }
    enum x509_sig_alg alg = spki.type == X509_KEY_RSA       ? X509_SIG_RSA_SHA256
                            : spki.type == X509_KEY_ED25519 ? X509_SIG_ED25519
                                                            : X509_SIG_ECDSA_SHA256;
    return proof_signed(&spki, x509_sig_alg_der(alg), words, signature, &none);
}

/* revokeCert, signed with the key that it has in its header (kept by ca/compromise.c as it came). */
static bool request_holds(lt_slice text, lt_slice spki_sha256, struct lt_arena *a)
{
    struct jws jws;
    struct x509_spki spki;
    return !lt_failed(jws_parse(text, JWS_REQUEST, a, &jws)) && jws.has_jwk &&
           !lt_failed(x509_spki_parse(jws.jwk.spki, &spki)) && is_key(&spki, spki_sha256, a) &&
           !lt_failed(jws_verify(&jws, NULL));
}

bool incident_proof_again(lt_slice evidence, lt_slice spki_sha256, struct lt_arena *a)
{
    struct incident_proofs *p = LT_NEW(a, struct incident_proofs);
    if (p == NULL || lt_failed(incident_proof_look(evidence, a, p)) ||
        lt_failed(incident_proof_finish(a, p))) {
        return false;
    }
    for (size_t i = 0; i < p->count; i++) {
        const struct incident_proof *one = &p->list[i];
        lt_slice forms[] = {LT_SLICE(one->spki_sha256, sizeof one->spki_sha256),
                            LT_SLICE(one->sent_sha256, sizeof one->sent_sha256)};
        if (one->verdict == INCIDENT_PROOF_PROVEN &&
            (lt_slice_eq(forms[0], spki_sha256) || lt_slice_eq(forms[1], spki_sha256))) {
            return true;
        }
    }
    return statement_holds(evidence, spki_sha256, a) || request_holds(evidence, spki_sha256, a);
}
