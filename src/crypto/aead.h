#ifndef CRYPTO_AEAD_H
#define CRYPTO_AEAD_H
/* AES-256-GCM. The caller owes each key its IVs: never the same one twice. */
#include "base/slice.h"

enum { CRYPTO_AEAD_KEY_LEN = 32, CRYPTO_AEAD_IV_LEN = 12, CRYPTO_AEAD_TAG_LEN = 16 };

struct crypto_aead; /* a key and its reused context; one owner, not for two threads */

LT_MUST_USE lt_res crypto_aead_new(lt_slice key, struct crypto_aead **ret_aead);
void crypto_aead_free(struct crypto_aead *a);
/* ret_sealed: plain.len + CRYPTO_AEAD_TAG_LEN bytes, tag last. */
LT_MUST_USE lt_res crypto_aead_seal(struct crypto_aead *a, const uint8_t iv[CRYPTO_AEAD_IV_LEN], lt_slice aad,
                                    lt_slice plain, uint8_t *ret_sealed);
/* ret_plain: sealed.len - CRYPTO_AEAD_TAG_LEN bytes. LT_PEER_UNAUTHORIZED when key, IV, aad or a byte of it
 * is not what was sealed. */
LT_MUST_USE lt_res crypto_aead_open(struct crypto_aead *a, const uint8_t iv[CRYPTO_AEAD_IV_LEN], lt_slice aad,
                                    lt_slice sealed, uint8_t *ret_plain);

#endif
