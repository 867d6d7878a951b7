/* Keys for the tests, by OpenSSL. */
#include "keys.h"

#include "check.h"

#include <openssl/ec.h>
#include <openssl/rsa.h>

struct test_key test_keys[TEST_KEYS] = {
    {"P-256", X509_KEY_P256, 256, NULL, NULL, 0}, {"P-384", X509_KEY_P384, 384, NULL, NULL, 0},
    {"P-521", X509_KEY_P521, 521, NULL, NULL, 0}, {"ED25519", X509_KEY_ED25519, 256, NULL, NULL, 0},
    {"RSA", X509_KEY_RSA, 2048, NULL, NULL, 0},   {"RSA", X509_KEY_RSA, 3072, NULL, NULL, 0},
    {"RSA", X509_KEY_RSA, 4096, NULL, NULL, 0},
};

static EVP_PKEY *make(const struct test_key *k)
{
    if (k->type == X509_KEY_RSA) {
        return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)k->bits);
    }
    if (k->type == X509_KEY_ED25519) {
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    }
    return EVP_PKEY_Q_keygen(NULL, NULL, "EC", k->name);
}

int test_keys_make(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_KEYS; i++) {
        struct test_key *k = &test_keys[i];
        k->key = make(k);
        int len = k->key == NULL ? -1 : i2d_PUBKEY(k->key, &k->spki);
        if (len <= 0) {
            return -1;
        }
        k->spki_len = (size_t)len;
    }
    return 0;
}

int test_keys_free(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEST_KEYS; i++) {
        EVP_PKEY_free(test_keys[i].key);
        OPENSSL_free(test_keys[i].spki);
    }
    return 0;
}

lt_slice test_key_spki(const struct test_key *k)
{
    return LT_SLICE(k->spki, k->spki_len);
}

void test_sign(const struct test_key *k, enum x509_sig_alg alg, lt_slice tbs, struct lt_buf *out)
{
    static const char *const digests[X509_SIG_COUNT] = {NULL,     "SHA256", "SHA384", "SHA512",
                                                        "SHA256", "SHA384", "SHA512", NULL};
    size_t len = 0;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert_non_null(ctx);
    assert_int_equal(EVP_DigestSignInit_ex(ctx, NULL, digests[alg], NULL, NULL, k->key, NULL), 1);
    assert_int_equal(EVP_DigestSign(ctx, NULL, &len, tbs.ptr, tbs.len), 1);
    size_t before = out->len;
    uint8_t *p = lt_buf_extend(out, len);
    assert_non_null(p);
    assert_int_equal(EVP_DigestSign(ctx, p, &len, tbs.ptr, tbs.len), 1);
    out->len = before + len;
    EVP_MD_CTX_free(ctx);
}
