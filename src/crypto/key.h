#ifndef CRYPTO_KEY_H
#define CRYPTO_KEY_H
/* Private keys in software: make, load, keep encrypted, sign. Links nothing but libcrypto. Keys come from our
 * own files, never from a peer; a key that fails its own check is not loaded. */
#include "base/arena.h"
#include "base/buf.h"
#include "crypto/alg.h"

struct crypto_key; /* heap; one owner; holds the private key, wiped when freed; not for two threads */

/* Before the first key, in a program that keeps keys: from then on private numbers live in locked pages of
 * their own, left out of core dumps. Where the limit on locked memory is lower, they can be swapped; still
 * their own. */
void crypto_key_lock_memory(void);

/* rsa_bits: 2048 to 8192 in steps of 8 for RSA, otherwise 0. */
LT_MUST_USE lt_res crypto_key_generate(enum crypto_key_type type, unsigned rsa_bits,
                                       struct crypto_key **ret_key);
/* The first private key of a PEM text: "PRIVATE KEY" (PKCS #8) or, with a passphrase, "ENCRYPTED PRIVATE KEY"
 * (PBES2). A wrong passphrase is LT_PEER_UNAUTHORIZED, a missing one LT_PEER_USAGE, another kind of key
 * LT_PEER_UNSUPPORTED. An empty passphrase slice is no passphrase. */
LT_MUST_USE lt_res crypto_key_load(lt_slice pem, lt_slice passphrase, struct crypto_key **ret_key);
/* Adds the key to out as PKCS #8 PEM: PBES2 with PBKDF2-HMAC-SHA-256 of 600,000 rounds and AES-256-CBC, or
 * in plain when the passphrase is empty. The caller wipes out. */
LT_MUST_USE lt_res crypto_key_write(const struct crypto_key *key, lt_slice passphrase, struct lt_buf *out);
/* The same under a passphrase that was drawn (24 random bytes or more, as text), with 10,000 rounds: nobody
 * guesses it, stretching would only keep the signer away longer after a crash. */
LT_MUST_USE lt_res crypto_key_write_drawn(const struct crypto_key *key, lt_slice passphrase,
                                          struct lt_buf *out);
void crypto_key_free(struct crypto_key *key);
void crypto_key_freep(struct crypto_key **key); /* for LT_CLEANUP */

enum crypto_key_type crypto_key_type(const struct crypto_key *key);
unsigned crypto_key_bits(const struct crypto_key *key);
/* DER SubjectPublicKeyInfo; belongs to the key. */
lt_slice crypto_key_spki(const struct crypto_key *key);

/* X.509 form over the whole message. ret_signature: room for CRYPTO_SIGNATURE_MAX bytes.
 * LT_PEER_UNSUPPORTED when the algorithm does not fit the key. */
LT_MUST_USE lt_res crypto_key_sign(struct crypto_key *key, enum crypto_sig_alg alg, lt_slice message,
                                   uint8_t *ret_signature, size_t *ret_len);
/* The same of a message that was digested before, with the hash of alg. LT_PEER_UNSUPPORTED for EdDSA, which
 * takes messages alone. */
LT_MUST_USE lt_res crypto_key_sign_digest(struct crypto_key *key, enum crypto_sig_alg alg, lt_slice digest,
                                          uint8_t *ret_signature, size_t *ret_len);
/* The same as a JWS signature: ECDSA as r || s. */
LT_MUST_USE lt_res crypto_key_sign_jose(struct crypto_key *key, enum crypto_sig_alg alg, lt_slice message,
                                        uint8_t *ret_signature, size_t *ret_len);

#endif
