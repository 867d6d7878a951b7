/* A signature that is not the certificate's is never handed on, whatever made it wrong. */
#include "check.h"

#include <string.h>

#include <openssl/x509.h>

#include "crypto/digest.h"
#include "signer/keys.h"

/* What was digested before is the same message; EdDSA has no such thing. */
static void digested(struct signer_key *key, lt_slice tbs)
{
    uint8_t signature[CRYPTO_SIGNATURE_MAX];
    uint8_t digest[CRYPTO_HASH_MAX] = {0};
    size_t len = 0;
    enum crypto_hash hash = signer_key_hash(key);
    if (hash == CRYPTO_HASH_NONE) {
        struct signer_message none = {tbs, LT_SLICE(digest, CRYPTO_SHA256_LEN)};
        assert_fails(signer_key_sign(key, &none, signature, &len), LT_PEER_UNSUPPORTED);
        return;
    }
    crypto_digest(hash, tbs, digest);
    struct signer_message m = {tbs, LT_SLICE(digest, crypto_hash_len(hash))};
    struct signer_message whole = {.tbs = tbs};
    assert_ok(signer_key_sign(key, &m, signature, &len));
    assert_ok(signer_key_verify(key, &m, LT_SLICE(signature, len)));
    assert_ok(signer_key_verify(key, &whole, LT_SLICE(signature, len)));
    digest[0] ^= 1;
    assert_fails(signer_key_verify(key, &m, LT_SLICE(signature, len)), LT_RETRY_UNAVAILABLE);
    m.digest.len--;
    assert_fails(signer_key_sign(key, &m, signature, &len), LT_PEER_UNSUPPORTED);
}

/* Signs with one key for the certificate of another: what a fault of the machine looks like from outside. */
static void signs(enum crypto_key_type type, bool faulty)
{
    struct crypto_key *own = NULL;
    struct crypto_key *other = NULL;
    uint8_t signature[CRYPTO_SIGNATURE_MAX];
    uint8_t zero[CRYPTO_SIGNATURE_MAX] = {0};
    size_t len = 99;
    lt_slice tbs = LT_LIT("to be signed");
    assert_ok(crypto_key_generate(type, 2048, &own));
    assert_ok(crypto_key_generate(type, 2048, &other));
    lt_slice spki = crypto_key_spki(faulty ? other : own);
    const uint8_t *p = spki.ptr;
    struct signer_key key = {.name = "tls",
                             .type = type,
                             .alg = crypto_alg_of_key(type),
                             .software = own,
                             .public_key = d2i_PUBKEY(NULL, &p, (long)spki.len)};
    assert_non_null(key.public_key);
    memset(signature, 0, sizeof signature);
    if (faulty) {
        assert_fails(signer_key_sign(&key, &(struct signer_message){.tbs = tbs}, signature, &len),
                     LT_STATE_CRYPTO);
        assert_int_equal(len, 0);
        assert_memory_equal(signature, zero, sizeof zero);
    } else {
        assert_ok(signer_key_sign(&key, &(struct signer_message){.tbs = tbs}, signature, &len));
        digested(&key, tbs);
        assert_ok(signer_key_verify(&key, &(struct signer_message){.tbs = tbs}, LT_SLICE(signature, len)));
        assert_fails(signer_key_verify(&key, &(struct signer_message){.tbs = LT_LIT("other bytes")},
                                       LT_SLICE(signature, len)),
                     LT_RETRY_UNAVAILABLE);
    }
    EVP_PKEY_free(key.public_key);
    crypto_key_free(own);
    crypto_key_free(other);
}

static void every_signature_is_verified(void **state)
{
    (void)state;
    static const enum crypto_key_type types[] = {CRYPTO_KEY_RSA, CRYPTO_KEY_P256, CRYPTO_KEY_P384,
                                                 CRYPTO_KEY_P521, CRYPTO_KEY_ED25519};
    for (size_t i = 0; i < LT_COUNT(types); i++) {
        signs(types[i], false);
        signs(types[i], true);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_signature_is_verified),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
