#ifndef CA_SEAL_H
#define CA_SEAL_H
/* Secrets that the book keeps, sealed (AES-256-GCM) with a key that is not in it: whoever has a copy of the
 * book alone, a backup say, has none of them. Each is bound to what it is and whose, so that no row's secret
 * is another's. The registrar's alone; the key comes from secrets/ by way of the supervisor. */
#include "base/arena.h"
#include "crypto/aead.h"

enum { CA_SEAL_EXTRA = CRYPTO_AEAD_IV_LEN + CRYPTO_AEAD_TAG_LEN, CA_SEAL_ID_MAX = 200 };

/* text: of the key's file; the key is its SHA-256. Freed with crypto_aead_free. */
LT_MUST_USE lt_res ca_seal_new(lt_slice text, struct crypto_aead **ret_seal);
/* seal NULL: LT_RETRY_UNAVAILABLE. id: at most CA_SEAL_ID_MAX bytes. */
LT_MUST_USE lt_res ca_seal_close(struct crypto_aead *seal, void (*draw)(uint8_t *out, size_t len),
                                 const char *id, lt_slice secret, struct lt_arena *a, lt_slice *ret_sealed);
/* LT_RETRY_UNAVAILABLE, and it says so: sealed with another key. The caller wipes what it got. */
LT_MUST_USE lt_res ca_seal_open(struct crypto_aead *seal, const char *id, lt_slice sealed, struct lt_arena *a,
                                lt_slice *ret_secret);

#endif
