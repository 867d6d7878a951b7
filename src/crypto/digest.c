/* Fetched once: a fetch by name costs more than hashing a certificate. */
#include "crypto/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "crypto/fetch.h"

static const struct {
    const char *name;
} hashes[] = {
    [CRYPTO_SHA256] = {"SHA256"},
    [CRYPTO_SHA384] = {"SHA384"},
    [CRYPTO_SHA512] = {"SHA512"},
};

const EVP_MD *crypto_fetch_md(enum crypto_hash hash)
{
    static EVP_MD *fetched[LT_COUNT(hashes)]; /* constants once made; never freed */
    LT_ASSERT(hash != CRYPTO_HASH_NONE && (unsigned)hash < LT_COUNT(hashes));
    if (fetched[hash] == NULL) {
        fetched[hash] = EVP_MD_fetch(NULL, hashes[hash].name, NULL);
        LT_ASSERT(fetched[hash] != NULL);
    }
    return fetched[hash];
}

static const EVP_MD *sha3_256(void)
{
    static EVP_MD *fetched; /* a constant once made; never freed */
    if (fetched == NULL) {
        fetched = EVP_MD_fetch(NULL, "SHA3-256", NULL);
        LT_ASSERT(fetched != NULL);
    }
    return fetched;
}

static const EVP_MD *sha1(void)
{
    static EVP_MD *fetched; /* a constant once made; never freed */
    if (fetched == NULL) {
        fetched = EVP_MD_fetch(NULL, "SHA1", NULL);
        LT_ASSERT(fetched != NULL);
    }
    return fetched;
}

void crypto_start(void)
{
    static const enum crypto_hash all[] = {CRYPTO_SHA256, CRYPTO_SHA384, CRYPTO_SHA512};
    int ok = OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    LT_ASSERT(ok == 1);
    for (size_t i = 0; i < LT_COUNT(all); i++) {
        (void)crypto_fetch_md(all[i]); /* it is in the cache then */
    }
    (void)sha3_256();
    (void)sha1();
}

void crypto_digest(enum crypto_hash hash, lt_slice bytes, uint8_t *ret_hash)
{
    int ok = EVP_Digest(bytes.ptr, bytes.len, ret_hash, NULL, crypto_fetch_md(hash), NULL);
    LT_ASSERT(ok == 1);
}

void crypto_sha256(lt_slice bytes, uint8_t ret_hash[CRYPTO_SHA256_LEN])
{
    crypto_digest(CRYPTO_SHA256, bytes, ret_hash);
}

void crypto_sha3_256(lt_slice bytes, uint8_t ret_hash[CRYPTO_SHA256_LEN])
{
    int ok = EVP_Digest(bytes.ptr, bytes.len, ret_hash, NULL, sha3_256(), NULL);
    LT_ASSERT(ok == 1);
}

void crypto_sha1(lt_slice bytes, uint8_t ret_hash[CRYPTO_SHA1_LEN])
{
    int ok = EVP_Digest(bytes.ptr, bytes.len, ret_hash, NULL, sha1(), NULL);
    LT_ASSERT(ok == 1);
}

void crypto_stream_init(struct crypto_stream *s, enum crypto_hash hash)
{
    s->ctx = EVP_MD_CTX_new();
    LT_ASSERT(s->ctx != NULL);
    int ok = EVP_DigestInit_ex2(s->ctx, crypto_fetch_md(hash), NULL);
    LT_ASSERT(ok == 1);
}

void crypto_stream_add(struct crypto_stream *s, lt_slice bytes)
{
    int ok = EVP_DigestUpdate(s->ctx, bytes.ptr, bytes.len);
    LT_ASSERT(ok == 1);
}

void crypto_stream_finish(struct crypto_stream *s, uint8_t *ret_hash)
{
    int ok = EVP_DigestFinal_ex(s->ctx, ret_hash, NULL);
    LT_ASSERT(ok == 1);
}

void crypto_stream_done(struct crypto_stream *s)
{
    EVP_MD_CTX_free(s->ctx);
    s->ctx = NULL;
}

void crypto_hmac(enum crypto_hash hash, lt_slice key, lt_slice message, uint8_t *ret_mac)
{
    unsigned len = 0;
    LT_ASSERT(key.len <= 65536);
    const uint8_t *key_ptr = key.len == 0 ? (const uint8_t *)"" : key.ptr;
    const uint8_t *done = HMAC(crypto_fetch_md(hash), key_ptr, (int)key.len, message.ptr, message.len,
                               ret_mac, &len);
    LT_ASSERT(done != NULL && len == crypto_hash_len(hash));
}

bool crypto_equal(lt_slice a, lt_slice b)
{
    return a.len == b.len && (a.len == 0 || CRYPTO_memcmp(a.ptr, b.ptr, a.len) == 0);
}
