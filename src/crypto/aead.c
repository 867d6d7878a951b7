/* One context per key, keyed once; each message sets only its IV. */
#include "crypto/aead.h"

#include <stdlib.h>

#include "crypto/fetch.h"

struct crypto_aead {
    EVP_CIPHER *cipher;
    EVP_CIPHER_CTX *seal;
    EVP_CIPHER_CTX *open;
};

static lt_res key_contexts(struct crypto_aead *a, const uint8_t *key)
{
    a->cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    a->seal = EVP_CIPHER_CTX_new();
    a->open = EVP_CIPHER_CTX_new();
    bool ok = a->cipher != NULL && a->seal != NULL && a->open != NULL &&
              EVP_EncryptInit_ex2(a->seal, a->cipher, key, NULL, NULL) == 1 &&
              EVP_DecryptInit_ex2(a->open, a->cipher, key, NULL, NULL) == 1;
    LT_CHECK(ok, LT_STATE_CRYPTO, "AES-256-GCM: %s", crypto_openssl_error());
    return LT_OK;
}

lt_res crypto_aead_new(lt_slice key, struct crypto_aead **ret_aead)
{
    LT_CHECK(key.len == CRYPTO_AEAD_KEY_LEN, LT_STATE_CRYPTO, "AES-256-GCM key of %zu bytes", key.len);
    struct crypto_aead *a = calloc(1, sizeof *a);
    LT_ASSERT(a != NULL);
    lt_res r = key_contexts(a, key.ptr);
    if (lt_failed(r)) {
        crypto_aead_free(a);
        return r;
    }
    *ret_aead = a;
    return LT_OK;
}

void crypto_aead_free(struct crypto_aead *a)
{
    if (a != NULL) {
        EVP_CIPHER_CTX_free(a->seal);
        EVP_CIPHER_CTX_free(a->open);
        EVP_CIPHER_free(a->cipher);
        free(a);
    }
}

lt_res crypto_aead_seal(struct crypto_aead *a, const uint8_t iv[CRYPTO_AEAD_IV_LEN], lt_slice aad,
                        lt_slice plain, uint8_t *ret_sealed)
{
    LT_ASSERT(plain.len <= INT32_MAX && aad.len <= INT32_MAX);
    int len = 0;
    int last = 0;
    bool ok = EVP_EncryptInit_ex2(a->seal, NULL, NULL, iv, NULL) == 1 &&
              (aad.len == 0 || EVP_EncryptUpdate(a->seal, NULL, &len, aad.ptr, (int)aad.len) == 1);
    len = 0;
    ok = ok &&
         (plain.len == 0 || EVP_EncryptUpdate(a->seal, ret_sealed, &len, plain.ptr, (int)plain.len) == 1) &&
         EVP_EncryptFinal_ex(a->seal, &ret_sealed[len], &last) == 1 &&
         EVP_CIPHER_CTX_ctrl(a->seal, EVP_CTRL_AEAD_GET_TAG, CRYPTO_AEAD_TAG_LEN, &ret_sealed[plain.len]) ==
             1;
    LT_CHECK(ok, LT_STATE_CRYPTO, "AES-256-GCM seal: %s", crypto_openssl_error());
    return LT_OK;
}

lt_res crypto_aead_open(struct crypto_aead *a, const uint8_t iv[CRYPTO_AEAD_IV_LEN], lt_slice aad,
                        lt_slice sealed, uint8_t *ret_plain)
{
    LT_CHECK(sealed.len >= CRYPTO_AEAD_TAG_LEN && sealed.len <= INT32_MAX && aad.len <= INT32_MAX,
             LT_PEER_UNAUTHORIZED, "sealed bytes of a wrong length");
    size_t plain_len = sealed.len - CRYPTO_AEAD_TAG_LEN;
    uint8_t tag[CRYPTO_AEAD_TAG_LEN];
    for (size_t i = 0; i < sizeof tag; i++) {
        tag[i] = sealed.ptr[plain_len + i];
    }
    int len = 0;
    int last = 0;
    uint8_t nothing[1];
    bool ok = EVP_DecryptInit_ex2(a->open, NULL, NULL, iv, NULL) == 1 &&
              (aad.len == 0 || EVP_DecryptUpdate(a->open, NULL, &len, aad.ptr, (int)aad.len) == 1) &&
              (plain_len == 0 ||
               EVP_DecryptUpdate(a->open, ret_plain, &len, sealed.ptr, (int)plain_len) == 1) &&
              EVP_CIPHER_CTX_ctrl(a->open, EVP_CTRL_AEAD_SET_TAG, sizeof tag, tag) == 1;
    LT_CHECK(ok, LT_STATE_CRYPTO, "AES-256-GCM open: %s", crypto_openssl_error());
    LT_CHECK(EVP_DecryptFinal_ex(a->open, nothing, &last) == 1, LT_PEER_UNAUTHORIZED,
             "sealed bytes that are not ours");
    return LT_OK;
}
