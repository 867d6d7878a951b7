/* Private keys: made, written, read back, used; OpenSSL as the second opinion on everything that leaves. */
#include "check.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "crypto/key.h"
#include "crypto/pub.h"

static const struct {
    enum crypto_key_type type;
    unsigned bits;
    unsigned have_bits;
} kinds[] = {
    {CRYPTO_KEY_RSA, 2048, 2048}, {CRYPTO_KEY_RSA, 3072, 3072}, {CRYPTO_KEY_P256, 0, 256},
    {CRYPTO_KEY_P384, 0, 384},    {CRYPTO_KEY_P521, 0, 521},    {CRYPTO_KEY_ED25519, 0, 256},
};

static void check_openssl_agrees(struct crypto_key *key, enum crypto_sig_alg alg, lt_slice message,
                                 lt_slice signature)
{
    lt_slice spki = crypto_key_spki(key);
    const uint8_t *at = spki.ptr;
    EVP_PKEY *pkey = d2i_PUBKEY(NULL, &at, (long)spki.len);
    assert_non_null(pkey);
    assert_ptr_equal(at, spki.ptr + spki.len);
    static const char *const digests[] = {NULL, "SHA256", "SHA384", "SHA512"};
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert_int_equal(
        EVP_DigestVerifyInit_ex(ctx, NULL, digests[crypto_alg_info(alg)->hash], NULL, NULL, pkey, NULL), 1);
    assert_int_equal(EVP_DigestVerify(ctx, signature.ptr, signature.len, message.ptr, message.len), 1);
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
}

static void check_use(struct crypto_key *key)
{
    LT_CLEANUP(crypto_pub_freep) struct crypto_pub *pub = NULL;
    assert_ok(crypto_pub_new(crypto_key_spki(key), &pub));
    assert_int_equal(crypto_pub_type(pub), crypto_key_type(key));
    assert_int_equal(crypto_pub_bits(pub), crypto_key_bits(key));
    lt_slice message = LT_LIT("what is signed");
    uint8_t signature[CRYPTO_SIGNATURE_MAX];
    size_t len = 0;
    for (int a = CRYPTO_SIG_NONE; a <= CRYPTO_EDDSA + 1; a++) {
        enum crypto_sig_alg alg = (enum crypto_sig_alg)a;
        if (!crypto_alg_fits(alg, crypto_key_type(key))) {
            assert_fails(crypto_key_sign(key, alg, message, signature, &len), LT_PEER_UNSUPPORTED);
            assert_fails(crypto_key_sign_jose(key, alg, message, signature, &len), LT_PEER_UNSUPPORTED);
            assert_fails(crypto_pub_verify(pub, alg, message, LT_SLICE(signature, len)),
                         LT_PEER_UNAUTHORIZED);
            continue;
        }
        for (int twice = 0; twice < 2; twice++) { /* the context is kept */
            assert_ok(crypto_key_sign(key, alg, message, signature, &len));
            check_openssl_agrees(key, alg, message, LT_SLICE(signature, len));
            assert_ok(crypto_pub_verify(pub, alg, message, LT_SLICE(signature, len)));
            assert_fails(crypto_pub_verify(pub, alg, LT_LIT("something else"), LT_SLICE(signature, len)),
                         LT_PEER_UNAUTHORIZED);
            assert_ok(crypto_key_sign_jose(key, alg, message, signature, &len));
            assert_ok(crypto_pub_verify_jose(pub, alg, message, LT_SLICE(signature, len)));
            signature[len / 2] ^= 1;
            assert_fails(crypto_pub_verify_jose(pub, alg, message, LT_SLICE(signature, len)),
                         LT_PEER_UNAUTHORIZED);
        }
    }
}

static void every_kind(void **state)
{
    (void)state;
    lt_slice passphrase = LT_LIT("correct horse");
    for (size_t i = 0; i < LT_COUNT(kinds); i++) {
        LT_CLEANUP(crypto_key_freep) struct crypto_key *key = NULL;
        LT_CLEANUP(crypto_key_freep) struct crypto_key *again = NULL;
        LT_CLEANUP(crypto_key_freep) struct crypto_key *plain = NULL;
        LT_CLEANUP(lt_buf_done) struct lt_buf pem;
        lt_buf_init(&pem, 64 * 1024);
        assert_ok(crypto_key_generate(kinds[i].type, kinds[i].bits, &key));
        assert_int_equal(crypto_key_type(key), kinds[i].type);
        assert_int_equal(crypto_key_bits(key), kinds[i].have_bits);
        check_use(key);
        assert_ok(crypto_key_write(key, passphrase, &pem));
        assert_non_null(strstr(lt_buf_cstr(&pem), "-----BEGIN ENCRYPTED PRIVATE KEY-----"));
        assert_ok(crypto_key_load(lt_buf_slice(&pem), passphrase, &again));
        assert_true(lt_slice_eq(crypto_key_spki(key), crypto_key_spki(again)));
        assert_fails(crypto_key_load(lt_buf_slice(&pem), (lt_slice){0}, &plain), LT_PEER_USAGE);
        assert_fails(crypto_key_load(lt_buf_slice(&pem), LT_LIT("correct horsf"), &plain),
                     LT_PEER_UNAUTHORIZED);
        lt_buf_reset(&pem);
        assert_ok(crypto_key_write(key, (lt_slice){0}, &pem));
        assert_ok(crypto_key_load(lt_buf_slice(&pem), (lt_slice){0}, &plain));
        assert_true(lt_slice_eq(crypto_key_spki(key), crypto_key_spki(plain)));
    }
}

/* PBES2, PBKDF2 with HMAC-SHA-256 and so many rounds, AES-256-CBC. */
static void check_encryption(bool drawn, const char *rounds, size_t rounds_len)
{
    LT_CLEANUP(crypto_key_freep) struct crypto_key *key = NULL;
    LT_CLEANUP(crypto_key_freep) struct crypto_key *again = NULL;
    LT_CLEANUP(lt_buf_done) struct lt_buf pem;
    lt_slice passphrase = LT_LIT("aWNoIGhhYmUgbmljaHRzIGdlc2VoZW4_");
    lt_buf_init(&pem, 64 * 1024);
    assert_ok(crypto_key_generate(CRYPTO_KEY_P256, 0, &key));
    assert_ok(drawn ? crypto_key_write_drawn(key, passphrase, &pem)
                    : crypto_key_write(key, passphrase, &pem));
    assert_ok(crypto_key_load(lt_buf_slice(&pem), passphrase, &again));
    assert_true(lt_slice_eq(crypto_key_spki(key), crypto_key_spki(again)));
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    X509_SIG *sealed = PEM_read_bio_PKCS8(bio, NULL, NULL, NULL);
    assert_non_null(sealed);
    const X509_ALGOR *alg = NULL;
    X509_SIG_get0(sealed, &alg, NULL);
    uint8_t *der = NULL;
    int len = i2d_X509_ALGOR(alg, &der);
    /* PBES2, PBKDF2, hmacWithSHA256, aes256-CBC */
    const struct {
        const char *what;
        size_t len;
    } needed[] = {
        {"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d", 11},
        {"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0c", 11},
        {"\x06\x08\x2a\x86\x48\x86\xf7\x0d\x02\x09", 10},
        {"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x01\x2a", 11},
        {rounds, rounds_len},
    };
    for (size_t i = 0; i < LT_COUNT(needed); i++) {
        assert_non_null(memmem(der, (size_t)len, needed[i].what, needed[i].len));
    }
    OPENSSL_free(der);
    X509_SIG_free(sealed);
    BIO_free(bio);
}

/* 600,000 rounds for what somebody chose, 10,000 for what was drawn. */
static void encryption_parameters(void **state)
{
    (void)state;
    check_encryption(false, "\x02\x03\x09\x27\xc0", 5);
    check_encryption(true, "\x02\x02\x27\x10", 4);
}

static const char foreign_encrypted[] = /* made with openssl genpkey -aes-256-cbc, passphrase swordfish */
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhAma9ERX4XwAICCAAw\n"
    "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEBk2/rNi2tUdPQ+ns8OpPq4EQDNA\n"
    "o1UwKv45bN46j52UyqBapmfhJws6dMaEzaVoNXbA5BBbIBI+28sJOiBknifJOz6w\n"
    "jisi68ho+EY0Ww+PVQs=\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";
static const char secp256k1[] = "-----BEGIN PRIVATE KEY-----\n"
                                "MIGEAgEAMBAGByqGSM49AgEGBSuBBAAKBG0wawIBAQQgHbiZvDgS3zu9SLRxsYjh\n"
                                "KFLJOk/B0ZAIkgzn88IWZxqhRANCAARLjhKNatL7L5nolFEPtdOU5h7A6vgHOXhJ\n"
                                "kIiyYkFSxauMgvq4qqDqVYWSWZYGNz7xOrLVRNj8pBsCgTOF8SBz\n"
                                "-----END PRIVATE KEY-----\n";
/* The same curve key with a P-256 name on it would be no point; this one has another key's public half. */
static const char ec_traditional[] = "-----BEGIN EC PRIVATE KEY-----\n"
                                     "AAAA\n"
                                     "-----END EC PRIVATE KEY-----\n";

static void foreign_files(void **state)
{
    (void)state;
    LT_CLEANUP(crypto_key_freep) struct crypto_key *key = NULL;
    assert_ok(crypto_key_load(lt_slice_cstr(foreign_encrypted), LT_LIT("swordfish"), &key));
    assert_int_equal(crypto_key_type(key), CRYPTO_KEY_ED25519);
    static const struct {
        const char *pem;
        int code;
    } rows[] = {
        {secp256k1, LT_PEER_UNSUPPORTED},
        {ec_traditional, LT_PEER_UNSUPPORTED},
        {"", LT_PEER_NOT_FOUND},
        {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", LT_PEER_NOT_FOUND},
        {"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", LT_PEER_MALFORMED},
        {"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
         LT_PEER_MALFORMED},
        {"-----BEGIN PRIVATE KEY-----\nMIGEAgEAMBAG", LT_PEER_MALFORMED},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct crypto_key *other = NULL;
        assert_fails(crypto_key_load(lt_slice_cstr(rows[i].pem), LT_LIT("swordfish"), &other), rows[i].code);
        assert_null(other);
    }
}

/* A plain key whose public half is of another key is not loaded. */
static void mismatched_halves(void **state)
{
    (void)state;
    struct crypto_key *a = NULL;
    struct crypto_key *b = NULL;
    assert_ok(crypto_key_generate(CRYPTO_KEY_P256, 0, &a));
    assert_ok(crypto_key_generate(CRYPTO_KEY_P256, 0, &b));
    LT_CLEANUP(lt_buf_done) struct lt_buf pem;
    lt_buf_init(&pem, 64 * 1024);
    assert_ok(crypto_key_write(a, (lt_slice){0}, &pem));
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    PKCS8_PRIV_KEY_INFO *info = PEM_read_bio_PKCS8_PRIV_KEY_INFO(bio, NULL, NULL, NULL);
    uint8_t *der = NULL;
    int len = i2d_PKCS8_PRIV_KEY_INFO(info, &der);
    assert_true(len > 64);
    memcpy(&der[len - 64], crypto_key_spki(b).ptr + crypto_key_spki(b).len - 64, 64);
    BIO *out = BIO_new(BIO_s_mem());
    assert_true(PEM_write_bio(out, "PRIVATE KEY", "", der, len) > 0);
    char *text = NULL;
    long text_len = BIO_get_mem_data(out, &text);
    struct crypto_key *mixed = NULL;
    assert_fails(crypto_key_load(LT_SLICE(text, (size_t)text_len), (lt_slice){0}, &mixed), LT_PEER_MALFORMED);
    BIO_free(out);
    BIO_free(bio);
    OPENSSL_free(der);
    PKCS8_PRIV_KEY_INFO_free(info);
    crypto_key_free(a);
    crypto_key_free(b);
}

static void generate_refusals(void **state)
{
    (void)state;
    static const struct {
        enum crypto_key_type type;
        unsigned bits;
    } rows[] = {{CRYPTO_KEY_RSA, 0},          {CRYPTO_KEY_RSA, 1024}, {CRYPTO_KEY_RSA, 2047},
                {CRYPTO_KEY_RSA, 2052},       {CRYPTO_KEY_RSA, 8200}, {CRYPTO_KEY_NONE, 0},
                {(enum crypto_key_type)17, 0}};
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct crypto_key *key = NULL;
        assert_fails(crypto_key_generate(rows[i].type, rows[i].bits, &key), LT_PEER_USAGE);
        assert_null(key);
    }
}

/* Where memory is locked, the private numbers are in it: the heap of their own fills with each key. */
static void locked_memory(void **state)
{
    (void)state;
    size_t used = CRYPTO_secure_used();
    for (size_t i = 0; i < LT_COUNT(kinds); i++) {
        struct crypto_key *key = NULL;
        assert_ok(crypto_key_generate(kinds[i].type, kinds[i].bits, &key));
        assert_true(CRYPTO_secure_used() > used);
        check_use(key);
        crypto_key_free(key);
        assert_int_equal(CRYPTO_secure_used(), used);
    }
    crypto_key_lock_memory(); /* twice is once */
}

int main(void)
{
    crypto_key_lock_memory();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind),        cmocka_unit_test(encryption_parameters),
        cmocka_unit_test(foreign_files),     cmocka_unit_test(mismatched_halves),
        cmocka_unit_test(generate_refusals), cmocka_unit_test(locked_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
