#ifndef CRYPTO_PKCS11_H
#define CRYPTO_PKCS11_H
/* Private keys in a PKCS #11 token: find, make, sign. Only the token program and offline verbs of the command
 * line link this, because a module is foreign code. Keys are named by PKCS #11 URIs (RFC 7512), such as
 * "pkcs11:token=lintel;object=tls"; a URI must name exactly one key.
 *
 * A lost session is opened again, once for each call; what does not work then is LT_RETRY_UNAVAILABLE. A PIN
 * that was refused is never tried again by the same object: tokens lock themselves. Not for two threads.
 */
#include "crypto/alg.h"

struct crypto_pkcs11;     /* a loaded module; heap, one owner */
struct crypto_pkcs11_key; /* a key in one of its tokens; belongs to the module, valid until that is closed */

/* module: absolute path of the shared object, loaded and initialised now. pin: copied; of every token used.
 * LT_PEER_USAGE: no such module, or it does not work. */
LT_MUST_USE lt_res crypto_pkcs11_open(const char *module, lt_slice pin, struct crypto_pkcs11 **ret_module);
void crypto_pkcs11_close(struct crypto_pkcs11 *module); /* NULL is fine; wipes the PIN */
void crypto_pkcs11_closep(struct crypto_pkcs11 **module);

/* The private key that the URI names. LT_PEER_NOT_FOUND: the token is there, the key is not.
 * LT_PEER_CONFLICT: several. LT_PEER_UNAUTHORIZED: the PIN is wrong. LT_RETRY_UNAVAILABLE: no such token is
 * there. */
LT_MUST_USE lt_res crypto_pkcs11_find(struct crypto_pkcs11 *module, const char *uri,
                                      struct crypto_pkcs11_key **ret_key);
/* Makes a key pair under the label ("object") and the id of the URI (a random id where it gives none), which
 * never leaves the token. rsa_bits as crypto_key_generate. LT_PEER_CONFLICT: there is such a key.
 * LT_PEER_USAGE: the URI names no object. LT_PEER_UNSUPPORTED: the token cannot. */
LT_MUST_USE lt_res crypto_pkcs11_generate(struct crypto_pkcs11 *module, const char *uri,
                                          enum crypto_key_type type, unsigned rsa_bits,
                                          struct crypto_pkcs11_key **ret_key);

enum crypto_key_type crypto_pkcs11_type(const struct crypto_pkcs11_key *key);
/* DER SubjectPublicKeyInfo; belongs to the key. Empty where the token keeps no public key beside the private
 * one. */
lt_slice crypto_pkcs11_spki(const struct crypto_pkcs11_key *key);

/* As crypto_key_sign: X.509 form over the whole message; the digest is made here, the token signs it.
 * ret_signature: CRYPTO_SIGNATURE_MAX bytes. */
LT_MUST_USE lt_res crypto_pkcs11_sign(struct crypto_pkcs11_key *key, enum crypto_sig_alg alg,
                                      lt_slice message, uint8_t *ret_signature, size_t *ret_len);

#endif
