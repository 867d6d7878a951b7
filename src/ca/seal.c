/* Sealed secrets: IV, ciphertext, tag. */
#include "ca/seal.h"

#include <string.h>

#include "crypto/digest.h"

static const char context[] = "lintel-sealed-v1 ";

lt_res ca_seal_new(lt_slice text, struct crypto_aead **ret_seal)
{
    uint8_t key[CRYPTO_SHA256_LEN];
    _Static_assert((int)CRYPTO_SHA256_LEN == (int)CRYPTO_AEAD_KEY_LEN, "the hash is the key");
    crypto_sha256(text, key);
    lt_res r = crypto_aead_new(LT_SLICE(key, sizeof key), ret_seal);
    explicit_bzero(key, sizeof key);
    return r;
}

static lt_slice bound_to(const char *id, char text[sizeof context + CA_SEAL_ID_MAX])
{
    size_t len = strlen(id);
    LT_ASSERT(len <= CA_SEAL_ID_MAX); /* ours, not a stranger's */
    memcpy(text, context, sizeof context - 1);
    memcpy(text + sizeof context - 1, id, len);
    return LT_SLICE(text, sizeof context - 1 + len);
}

lt_res ca_seal_close(struct crypto_aead *seal, void (*draw)(uint8_t *out, size_t len), const char *id,
                     lt_slice secret, struct lt_arena *a, lt_slice *ret_sealed)
{
    char text[sizeof context + CA_SEAL_ID_MAX];
    LT_CHECK(seal != NULL, LT_RETRY_UNAVAILABLE, "there is no key to seal a secret with");
    uint8_t *out = lt_arena_alloc(a, secret.len + CA_SEAL_EXTRA);
    LT_CHECK(out != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    draw(out, CRYPTO_AEAD_IV_LEN); /* drawn once for each secret: none comes twice in 2^32 of them */
    LT_TRY(crypto_aead_seal(seal, out, bound_to(id, text), secret, out + CRYPTO_AEAD_IV_LEN));
    *ret_sealed = LT_SLICE(out, secret.len + CA_SEAL_EXTRA);
    return LT_OK;
}

lt_res ca_seal_open(struct crypto_aead *seal, const char *id, lt_slice sealed, struct lt_arena *a,
                    lt_slice *ret_secret)
{
    char text[sizeof context + CA_SEAL_ID_MAX];
    LT_CHECK(seal != NULL && sealed.len >= CA_SEAL_EXTRA, LT_RETRY_UNAVAILABLE,
             "the secret of %.100s is not sealed, or there is no key to open it with", id);
    uint8_t *out = lt_arena_alloc(a, sealed.len - CA_SEAL_EXTRA + 1);
    LT_CHECK(out != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    lt_slice rest = lt_slice_sub(sealed, CRYPTO_AEAD_IV_LEN, SIZE_MAX);
    lt_res r = crypto_aead_open(seal, sealed.ptr, bound_to(id, text), rest, out);
    LT_CHECK(!lt_failed(r), LT_RETRY_UNAVAILABLE,
             "the secret of %.100s was sealed with another key than secrets/seal.key: put back the one that "
             "belongs to this book, or make the key anew",
             id);
    *ret_secret = LT_SLICE(out, sealed.len - CA_SEAL_EXTRA);
    return LT_OK;
}
