#ifndef CRYPTO_PUB_H
#define CRYPTO_PUB_H
/* Public keys of peers: imported from an SPKI that our own strict reader took apart (EVP_PKEY_fromdata, never
 * d2i), kept with a reused verification context. Refuses keys outside crypto/check.h; so whoever holds one
 * holds a key of known type and sane size. */
#include "crypto/alg.h"
#include "x509/spki.h"

struct crypto_pub; /* heap; one owner; not for two threads */

/* LT_PEER_MALFORMED: no SPKI. LT_PEER_UNSUPPORTED: a kind of key we do not take. LT_POLICY_REFUSED: a weak
 * one. */
LT_MUST_USE lt_res crypto_pub_new(lt_slice spki_der, struct crypto_pub **ret_pub);
/* The same from one that is parsed already (a CSR's, a certificate's). */
LT_MUST_USE lt_res crypto_pub_import(const struct x509_spki *spki, struct crypto_pub **ret_pub);
void crypto_pub_free(struct crypto_pub *pub);
void crypto_pub_freep(struct crypto_pub **pub); /* for LT_CLEANUP */

enum crypto_key_type crypto_pub_type(const struct crypto_pub *pub);
unsigned crypto_pub_bits(const struct crypto_pub *pub);
lt_slice crypto_pub_spki(const struct crypto_pub *pub);              /* DER; belongs to the key */
const uint8_t *crypto_pub_spki_sha256(const struct crypto_pub *pub); /* 32 bytes */

/* LT_OK, or LT_PEER_UNAUTHORIZED: not the signature of that message by that key, or alg is not for this key.
 */
LT_MUST_USE lt_res crypto_pub_verify(struct crypto_pub *pub, enum crypto_sig_alg alg, lt_slice message,
                                     lt_slice signature);
/* The same with the hash of alg whatever the curve (P-384 with SHA-256): certification requests prove
 * possession and nothing else, and common tools make them so. */
LT_MUST_USE lt_res crypto_pub_verify_request(struct crypto_pub *pub, enum crypto_sig_alg alg,
                                             lt_slice message, lt_slice signature);
/* The same for a JWS signature (ECDSA as r || s, RFC 7518 3.4). */
LT_MUST_USE lt_res crypto_pub_verify_jose(struct crypto_pub *pub, enum crypto_sig_alg alg, lt_slice message,
                                          lt_slice signature);

#endif
