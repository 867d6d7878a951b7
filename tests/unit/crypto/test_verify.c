/* Signatures of any age: each algorithm by a fresh key of OpenSSL's, and then with something else about it.
 */
#include "check.h"

#include <openssl/dsa.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "crypto/verify.h"

#define ALG(bytes_) LT_LIT(bytes_)
#define NULL_PARAMETERS "\x05\x00"
#define assert_wrong(answer_) assert_int_equal((answer_), CRYPTO_WRONG)
#define assert_unknown(answer_) assert_int_equal((answer_), CRYPTO_UNKNOWN)

static EVP_PKEY *rsa_key(void)
{
    static EVP_PKEY *key;
    key = key == NULL ? EVP_RSA_gen(1024) : key;
    return key;
}

static EVP_PKEY *dsa_key(void)
{
    static EVP_PKEY *key;
    if (key == NULL) {
        EVP_PKEY *params = NULL;
        EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_id(EVP_PKEY_DSA, NULL);
        assert_int_equal(EVP_PKEY_paramgen_init(c), 1);
        assert_int_equal(EVP_PKEY_CTX_set_dsa_paramgen_bits(c, 1024), 1);
        assert_int_equal(EVP_PKEY_paramgen(c, &params), 1);
        EVP_PKEY_CTX_free(c);
        c = EVP_PKEY_CTX_new(params, NULL);
        assert_int_equal(EVP_PKEY_keygen_init(c), 1);
        assert_int_equal(EVP_PKEY_keygen(c, &key), 1);
        EVP_PKEY_CTX_free(c);
        EVP_PKEY_free(params);
    }
    return key;
}

static EVP_PKEY *p224_key(void)
{
    static EVP_PKEY *key;
    key = key == NULL ? EVP_EC_gen("P-224") : key;
    return key;
}

static EVP_PKEY *p256_key(void)
{
    static EVP_PKEY *key;
    key = key == NULL ? EVP_EC_gen("P-256") : key;
    return key;
}

static EVP_PKEY *p521_key(void)
{
    static EVP_PKEY *key;
    key = key == NULL ? EVP_EC_gen("P-521") : key;
    return key;
}

static EVP_PKEY *brainpool_key(void)
{
    static EVP_PKEY *key;
    key = key == NULL ? EVP_EC_gen("brainpoolP256r1") : key;
    return key;
}

static EVP_PKEY *koblitz_key(void)
{
    static EVP_PKEY *key;
    key = key == NULL ? EVP_EC_gen("secp256k1") : key;
    return key;
}

static EVP_PKEY *ed448_key(void)
{
    static EVP_PKEY *key;
    key = key == NULL ? EVP_PKEY_Q_keygen(NULL, NULL, "ED448") : key;
    return key;
}

static EVP_PKEY *pss_key(void)
{
    static EVP_PKEY *key;
    if (key == NULL) {
        EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
        assert_true(EVP_PKEY_keygen_init(c) == 1 && EVP_PKEY_CTX_set_rsa_keygen_bits(c, 1024) == 1);
        assert_int_equal(EVP_PKEY_generate(c, &key), 1);
        EVP_PKEY_CTX_free(c);
    }
    return key;
}

static EVP_PKEY *ed25519_key(void)
{
    static EVP_PKEY *key;
    key = key == NULL ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519") : key;
    return key;
}

#define PSS(hash_, salt_)                                                                                  \
    ALG("\x30\x41\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x34\xa0\x0f\x30\x0d\x06\x09\x60\x86\x48" \
        "\x01"                                                                                             \
        "\x65\x03\x04\x02" hash_                                                                           \
        "\x05\x00\xa1\x1c\x30\x1a\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08\x30\x0d"                     \
        "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02" hash_ "\x05\x00\xa2\x03\x02\x01" salt_)

static const struct {
    EVP_PKEY *(*key)(void);
    const char *digest;
    bool pss;
    lt_slice alg;
    int salt; /* 0: as long as the digest */
} rows[] = {
    {rsa_key, "MD5", false, ALG("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04" NULL_PARAMETERS)},
    {rsa_key, "SHA1", false, ALG("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05" NULL_PARAMETERS)},
    {rsa_key, "SHA1", false, ALG("\x30\x09\x06\x05\x2b\x0e\x03\x02\x1d" NULL_PARAMETERS)},
    {rsa_key, "SHA256", false, ALG("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b" NULL_PARAMETERS)},
    {rsa_key, "SHA384", false, ALG("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c" NULL_PARAMETERS)},
    {rsa_key, "SHA512", false, ALG("\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d")},
    {rsa_key, "SHA256", true, PSS("\x01", "\x20")},
    {rsa_key, "SHA384", true, PSS("\x02", "\x30")},
    {dsa_key, "SHA1", false, ALG("\x30\x09\x06\x07\x2a\x86\x48\xce\x38\x04\x03")},
    {dsa_key, "SHA256", false, ALG("\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x02")},
    {p224_key, "SHA1", false, ALG("\x30\x09\x06\x07\x2a\x86\x48\xce\x3d\x04\x01")},
    {p256_key, "SHA256", false, ALG("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02")},
    {p256_key, "SHA384", false, ALG("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03")},
    {p521_key, "SHA512", false, ALG("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x04")},
    {ed25519_key, NULL, false, ALG("\x30\x05\x06\x03\x2b\x65\x70")},
    {ed448_key, NULL, false, ALG("\x30\x05\x06\x03\x2b\x65\x71")},
    {brainpool_key, "SHA256", false, ALG("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02")},
    {koblitz_key, "SHA256", false, ALG("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02")},
    {p256_key, "SHA224", false, ALG("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x01")},
    {rsa_key, "SHA256", true, PSS("\x01", "\x5e"), .salt = 94}, /* all the room there is */
    {rsa_key, "SHA1", true, ALG("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x00")},
    {pss_key, "SHA384", true, PSS("\x02", "\x30")},
};

static lt_slice sign(size_t row, lt_slice message, uint8_t *out, size_t max)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    EVP_PKEY_CTX *p = NULL;
    size_t len = max;
    assert_int_equal(EVP_DigestSignInit_ex(c, &p, rows[row].digest, NULL, NULL, rows[row].key(), NULL), 1);
    if (rows[row].pss) {
        assert_true(EVP_PKEY_CTX_set_rsa_padding(p, RSA_PKCS1_PSS_PADDING) == 1 &&
                    EVP_PKEY_CTX_set_rsa_pss_saltlen(p, rows[row].salt == 0 ? RSA_PSS_SALTLEN_DIGEST
                                                                            : rows[row].salt) == 1);
    }
    assert_int_equal(EVP_DigestSign(c, out, &len, message.ptr, message.len), 1);
    EVP_MD_CTX_free(c);
    return LT_SLICE(out, len);
}

static struct x509_spki spki_of(EVP_PKEY *key, uint8_t **ret_der)
{
    struct x509_spki spki;
    int len = i2d_PUBKEY(key, ret_der);
    assert_true(len > 0);
    assert_ok(x509_spki_parse(LT_SLICE(*ret_der, (size_t)len), &spki));
    return spki;
}

static void each_algorithm(void **unused)
{
    (void)unused;
    const lt_slice message = LT_LIT("what was signed");
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        uint8_t bytes[256];
        uint8_t *der = NULL;
        lt_slice signature = sign(i, message, bytes, sizeof bytes);
        struct x509_spki spki = spki_of(rows[i].key(), &der);
        if (crypto_verify_any(&spki, rows[i].alg, message, signature) != CRYPTO_FITS) {
            fail_msg("row %zu does not verify", i);
        }
        assert_wrong(crypto_verify_any(&spki, rows[i].alg, LT_LIT("something else"), signature));
        assert_wrong(
            crypto_verify_any(&spki, rows[i].alg, message, lt_slice_sub(signature, 0, signature.len - 1)));
        assert_wrong(crypto_verify_any(&spki, rows[i].alg, message, (lt_slice){0}));
        /* By every other algorithm, and by a key of another kind. */
        for (size_t k = 0; k < LT_COUNT(rows); k++) {
            bool same = lt_slice_eq(rows[k].alg, rows[i].alg) ||
                        (rows[k].digest != NULL && rows[i].digest != NULL && rows[k].key == rows[i].key &&
                         strcmp(rows[k].digest, rows[i].digest) == 0 && rows[k].pss == rows[i].pss &&
                         rows[k].salt == rows[i].salt);
            if (k != i && !same &&
                crypto_verify_any(&spki, rows[k].alg, message, signature) != CRYPTO_WRONG) {
                fail_msg("row %zu by the algorithm of row %zu", i, k);
            }
        }
        bytes[signature.len / 2] ^= 1;
        assert_wrong(crypto_verify_any(&spki, rows[i].alg, message, signature));
        OPENSSL_free(der);
    }
}

static void nothing_known(void **unused)
{
    (void)unused;
    static const char *const algs[] = {
        "",
        "\x30",
        "\x30\x03\x06\x01\x2a",
        "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x02\x05", /* MD2, and cut off */
        "\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a",     /* PSS without parameters */
        "\x30\x12\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x05\xa3\x03\x02\x01\x02", /* trailer */
    };
    uint8_t *der = NULL;
    struct x509_spki spki = spki_of(rsa_key(), &der);
    for (size_t i = 0; i < LT_COUNT(algs); i++) {
        assert_unknown(crypto_verify_any(&spki, lt_slice_cstr(algs[i]), LT_LIT("m"), LT_LIT("s")));
    }
    /* Of a curve that is known, but no point of it. */
    uint8_t *ec_der = NULL;
    struct x509_spki ec = spki_of(p256_key(), &ec_der);
    ec_der[40] ^= 1;
    assert_wrong(crypto_verify_any(&ec, rows[11].alg, LT_LIT("m"), LT_LIT("s")));
    OPENSSL_free(ec_der);
    struct x509_spki none = {.type = X509_KEY_UNKNOWN};
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        assert_unknown(crypto_verify_any(&none, rows[i].alg, LT_LIT("m"), LT_LIT("s")));
    }
    OPENSSL_free(der);
}

static int tear_down(void **unused)
{
    (void)unused;
    EVP_PKEY *(*const keys[])(void) = {rsa_key,     dsa_key,   p224_key,      p256_key,    p521_key,
                                       ed25519_key, ed448_key, brainpool_key, koblitz_key, pss_key};
    for (size_t i = 0; i < LT_COUNT(keys); i++) {
        EVP_PKEY_free(keys[i]());
    }
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_algorithm), cmocka_unit_test(nothing_known)};
    return cmocka_run_group_tests_name("crypto verify", tests, NULL, tear_down);
}
