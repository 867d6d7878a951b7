#ifndef SIGNER_KEYS_H
#define SIGNER_KEYS_H
/* The keys that the signer may use: one for each issuer, here in software or in a token, and the audit key
 * that signs knots. Each is bound to its issuer's certificate: a key that is not the certificate's is refused
 * at start. */
#include "control.pb-c.h"
#include "crypto/key.h"
#include "signer/fixed.h"

struct signer_key {
    const char *name; /* of the issuer; in the arena */
    struct fixed_issuer issuer;
    enum crypto_key_type type;
    enum crypto_sig_alg alg;
    bool may_sign_certificates;  /* false for a root: its certificates are a ceremony */
    struct crypto_key *software; /* owned; NULL: the token has it */
    void *public_key;            /* owned EVP_PKEY of the certificate: every signature is checked with it */
};

struct signer_keys {
    struct lt_arena arena; /* owned: certificates, names */
    struct signer_key *keys;
    size_t count;
    struct crypto_key *audit; /* owned; Ed25519 */
};

/* Issuers without a key (offline) are left out. folder: of the CA. The caller wipes passphrase. */
LT_MUST_USE lt_res signer_keys_load(const char *folder, Ipc__IssuerKey *const *issuers, size_t count,
                                    lt_slice passphrase, struct signer_keys *ret_keys);
void signer_keys_done(struct signer_keys *k);
/* NULL when there is none of that name. */
struct signer_key *signer_keys_find(const struct signer_keys *k, const char *issuer);
/* What is to be signed: its bytes, and, where somebody has digested them already with the hash of the key's
 * algorithm, that. */
struct signer_message {
    lt_slice tbs;
    lt_slice digest; /* empty: not known */
};
/* CRYPTO_HASH_NONE: the key signs messages alone. */
enum crypto_hash signer_key_hash(const struct signer_key *key);
/* With a software key, and verified with the certificate's: LT_STATE_CRYPTO, and nothing in ret_signature,
 * when it is not right. ret_signature: CRYPTO_SIGNATURE_MAX bytes. */
LT_MUST_USE lt_res signer_key_sign(struct signer_key *key, const struct signer_message *m,
                                   uint8_t *ret_signature, size_t *ret_len);
/* Is this the issuer's signature? What a foreign module computed is looked at before it is relied on:
 * LT_RETRY_UNAVAILABLE when it is not. */
LT_MUST_USE lt_res signer_key_verify(const struct signer_key *key, const struct signer_message *m,
                                     lt_slice signature);

#endif
