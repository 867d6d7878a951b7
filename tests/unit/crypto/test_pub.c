/* Public keys: which are refused and why; signatures in the wrong form. */
#include "check.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/text.h"
#include "crypto/check.h"
#include "crypto/debian.h"
#include "crypto/key.h"
#include "crypto/pub.h"
#include "weak_keys.h"

static struct lt_arena arena;

static int set_up(void **state)
{
    (void)state;
    lt_arena_init(&arena, 1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    lt_arena_done(&arena);
    return 0;
}

static lt_slice unhex(const char *text)
{
    lt_slice bytes;
    assert_ok(lt_unhex(&arena, lt_slice_cstr(text), &bytes));
    return bytes;
}

static void rsa_numbers(void **state)
{
    (void)state;
    lt_slice good = unhex(modulus_good);
    static const struct {
        const char *exponent;
        int code;
    } exponents[] = {
        {"010001", 0},
        {"010003", 0},
        {"00010001", 0}, /* a leading zero is the reader's business */
        {"80000000000000000000000000000000000000000000000000000000000000ff", 0}, /* 256 bits */
        {"0180000000000000000000000000000000000000000000000000000000000000ff", LT_POLICY_REFUSED},
        {"03", LT_POLICY_REFUSED},
        {"ffff", LT_POLICY_REFUSED},
        {"010000", LT_POLICY_REFUSED},
        {"01", LT_POLICY_REFUSED},
        {"00", LT_POLICY_REFUSED},
        {"", LT_POLICY_REFUSED},
    };
    for (size_t i = 0; i < LT_COUNT(exponents); i++) {
        lt_res r = crypto_check_rsa(good, unhex(exponents[i].exponent));
        assert_int_equal(r.code, exponents[i].code);
    }
    static const struct {
        const char *modulus;
        const char *why;
    } moduli[] = {{modulus_roca, "ROCA"},
                  {modulus_close, "too close"},
                  {modulus_small, "factor below"},
                  {modulus_debian, "Debian"}};
    for (size_t i = 0; i < LT_COUNT(moduli); i++) {
        assert_fails(crypto_check_rsa(unhex(moduli[i].modulus), unhex("010001")), LT_POLICY_REFUSED);
        assert_non_null(strstr(lt_error_last()->detail, moduli[i].why));
    }
    assert_false(crypto_rsa_is_debian(good));
    assert_true(crypto_rsa_is_debian(unhex(modulus_debian)));
    assert_true(crypto_debian_count() > 196000);
    assert_false(crypto_rsa_is_debian((lt_slice){0}));
    assert_false(crypto_rsa_is_roca(good));
    assert_false(crypto_rsa_has_small_factor(good));
    assert_false(crypto_rsa_factors_are_close(good));
    assert_true(crypto_rsa_is_roca(unhex(modulus_roca)));
    assert_false(crypto_rsa_is_roca(unhex(modulus_close)));
    assert_true(crypto_rsa_has_small_factor(unhex(modulus_small)));
    assert_false(crypto_rsa_has_small_factor(unhex(modulus_roca)));
    assert_true(crypto_rsa_factors_are_close(unhex(modulus_close)));
    assert_false(crypto_rsa_factors_are_close(unhex(modulus_small)));
}

static void rsa_sizes(void **state)
{
    (void)state;
    lt_slice good = unhex(modulus_good);
    uint8_t n[1026];
    memset(n, 0xa5, sizeof n);
    n[1025] = 1;
    /* one byte short of 2048 bits, 2047 bits, an even one, one byte over 8192 bits */
    assert_fails(crypto_check_rsa(lt_slice_sub(good, 0, 255), unhex("010001")), LT_POLICY_REFUSED);
    uint8_t copy[256];
    memcpy(copy, good.ptr, 256);
    copy[0] &= 0x7f;
    assert_fails(crypto_check_rsa(LT_SLICE(copy, 256), unhex("010001")), LT_POLICY_REFUSED);
    memcpy(copy, good.ptr, 256);
    copy[255] &= 0xfe;
    assert_fails(crypto_check_rsa(LT_SLICE(copy, 256), unhex("010001")), LT_POLICY_REFUSED);
    assert_fails(crypto_check_rsa(LT_SLICE(n, 1025), unhex("010001")), LT_POLICY_REFUSED);
    assert_fails(crypto_check_rsa((lt_slice){0}, unhex("010001")), LT_POLICY_REFUSED);
}

/* Each prime below 752 is found, alone and where it is the only one. */
static void small_factors(void **state)
{
    (void)state;
    static const uint16_t primes[] = {2,   3,   5,   7,   11,  13,  101, 257, 499,
                                      509, 521, 643, 701, 733, 739, 743, 751};
    uint8_t bytes[8];
    for (size_t i = 0; i < LT_COUNT(primes); i++) {
        uint64_t n = (uint64_t)primes[i] * 1000003u * 1000033u;
        for (size_t b = 0; b < 8; b++) {
            bytes[b] = (uint8_t)(n >> (56 - 8 * b));
        }
        assert_true(crypto_rsa_has_small_factor(LT_SLICE(bytes, 8)));
    }
    uint64_t n = (uint64_t)757 * 1000003u * 1000033u;
    for (size_t b = 0; b < 8; b++) {
        bytes[b] = (uint8_t)(n >> (56 - 8 * b));
    }
    assert_false(crypto_rsa_has_small_factor(LT_SLICE(bytes, 8)));
}

/* The generator of P-256 and what is nearly it. */
#define GX "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
#define GY "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"

static void points(void **state)
{
    (void)state;
    static const struct {
        const char *point;
        int code;
    } rows[] = {
        {"04" GX GY, 0},
        {"04" GX "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f4", LT_POLICY_REFUSED},
        {"04" GY GX, LT_POLICY_REFUSED},
        {"03" GX, LT_POLICY_REFUSED},
        {"06" GX GY, LT_POLICY_REFUSED},
        {"07" GX GY, LT_POLICY_REFUSED},
        {"00", LT_POLICY_REFUSED},
        {"04", LT_POLICY_REFUSED},
        {"", LT_POLICY_REFUSED},
        {"04" GX GY "00", LT_POLICY_REFUSED},
        {"04" GX, LT_POLICY_REFUSED},
        /* x + p does not fit, but all ones is not below p */
        {"04ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff" GY, LT_POLICY_REFUSED},
        {"040000000000000000000000000000000000000000000000000000000000000000"
         "0000000000000000000000000000000000000000000000000000000000000000",
         LT_POLICY_REFUSED},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        lt_res r = crypto_check_point(CRYPTO_KEY_P256, unhex(rows[i].point));
        assert_int_equal(r.code, rows[i].code);
    }
    assert_fails(crypto_check_point(CRYPTO_KEY_P384, unhex("04" GX GY)), LT_POLICY_REFUSED);
}

static void edwards_points(void **state)
{
    (void)state;
    static const struct {
        const char *key; /* little-endian, as on the wire */
        int code;
    } rows[] = {
        {"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", 0}, /* RFC 8032 7.1 test 1 */
        {"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", 0}, /* test 2 */
        {"5866666666666666666666666666666666666666666666666666666666666666", 0}, /* the base point */
        {"0000000000000000000000000000000000000000000000000000000000000000", LT_POLICY_REFUSED},
        {"0000000000000000000000000000000000000000000000000000000000000080", LT_POLICY_REFUSED},
        {"0100000000000000000000000000000000000000000000000000000000000000", LT_POLICY_REFUSED},
        {"0100000000000000000000000000000000000000000000000000000000000080", LT_POLICY_REFUSED},
        {"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", LT_POLICY_REFUSED},
        {"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", LT_POLICY_REFUSED},
        {"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", LT_POLICY_REFUSED},
        {"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", LT_POLICY_REFUSED}, /* p */
        {"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", LT_POLICY_REFUSED}, /* p + 1 */
        {"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", LT_POLICY_REFUSED},
        {"0200000000000000000000000000000000000000000000000000000000000000",
         LT_POLICY_REFUSED}, /* no point */
        {"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f70751", LT_POLICY_REFUSED},
        {"", LT_POLICY_REFUSED},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        lt_res r = crypto_check_ed25519(unhex(rows[i].key));
        if (r.code != rows[i].code) {
            print_error("%s\n", rows[i].key);
        }
        assert_int_equal(r.code, rows[i].code);
    }
}

#define SPKI_P256 "3059301306072a8648ce3d020106082a8648ce3d030107034200"

static void spki_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *spki;
        int code;
    } rows[] = {
        {SPKI_P256 "04" GX GY, 0},
        {SPKI_P256 "04" GX "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f4",
         LT_POLICY_REFUSED},
        {SPKI_P256 "04" GX GY "00", LT_PEER_MALFORMED},
        {"3039301306072a8648ce3d020106082a8648ce3d030107032200"
         "03" GX,
         LT_PEER_UNSUPPORTED}, /* compressed */
        {"", LT_PEER_MALFORMED},
        {"3000", LT_PEER_MALFORMED},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct crypto_pub *pub = NULL;
        lt_res r = crypto_pub_new(unhex(rows[i].spki), &pub);
        if (r.code != rows[i].code) {
            print_error("row %zu: %s\n", i, lt_error_last()->detail);
        }
        assert_int_equal(r.code, rows[i].code);
        crypto_pub_free(pub);
    }
}

/* Each form refuses the other, and BER where DER is meant. */
static void wrong_forms(void **state)
{
    (void)state;
    LT_CLEANUP(crypto_key_freep) struct crypto_key *key = NULL;
    LT_CLEANUP(crypto_pub_freep) struct crypto_pub *pub = NULL;
    uint8_t der[CRYPTO_SIGNATURE_MAX];
    uint8_t raw[CRYPTO_SIGNATURE_MAX];
    size_t der_len = 0;
    size_t raw_len = 0;
    lt_slice message = LT_LIT("message");
    assert_ok(crypto_key_generate(CRYPTO_KEY_P256, 0, &key));
    assert_ok(crypto_pub_new(crypto_key_spki(key), &pub));
    assert_ok(crypto_key_sign(key, CRYPTO_ES256, message, der, &der_len));
    assert_ok(crypto_ecdsa_der_to_raw(CRYPTO_ES256, LT_SLICE(der, der_len), raw, &raw_len));
    assert_ok(crypto_pub_verify(pub, CRYPTO_ES256, message, LT_SLICE(der, der_len)));
    assert_ok(crypto_pub_verify_jose(pub, CRYPTO_ES256, message, LT_SLICE(raw, raw_len)));
    assert_fails(crypto_pub_verify_jose(pub, CRYPTO_ES256, message, LT_SLICE(der, der_len)),
                 LT_PEER_UNAUTHORIZED);
    assert_fails(crypto_pub_verify(pub, CRYPTO_ES256, message, LT_SLICE(raw, raw_len)), LT_PEER_UNAUTHORIZED);
    assert_fails(crypto_pub_verify(pub, CRYPTO_ES384, message, LT_SLICE(der, der_len)), LT_PEER_UNAUTHORIZED);
    assert_fails(crypto_pub_verify(pub, CRYPTO_ES256, message, (lt_slice){0}), LT_PEER_UNAUTHORIZED);
    der[der_len] = 0; /* a byte behind */
    assert_fails(crypto_pub_verify(pub, CRYPTO_ES256, message, LT_SLICE(der, der_len + 1)),
                 LT_PEER_UNAUTHORIZED);
    uint8_t ber[CRYPTO_SIGNATURE_MAX];
    ber[0] = 0x30;
    ber[1] = 0x81; /* a length in long form where the short one would do */
    memcpy(&ber[2], &der[1], der_len - 1);
    assert_fails(crypto_pub_verify(pub, CRYPTO_ES256, message, LT_SLICE(ber, der_len + 1)),
                 LT_PEER_UNAUTHORIZED);
    memset(raw, 0, 64);
    assert_fails(crypto_pub_verify_jose(pub, CRYPTO_ES256, message, LT_SLICE(raw, 64)), LT_PEER_UNAUTHORIZED);
}

/* Requests: any SHA-2 with any of the curves, and still no other kind of key. */
static void request_signatures(void **state)
{
    (void)state;
    static const char *const digests[] = {
        [CRYPTO_ES256] = "SHA256", [CRYPTO_ES384] = "SHA384", [CRYPTO_ES512] = "SHA512"};
    lt_slice message = LT_LIT("message");
    for (int type = CRYPTO_KEY_P256; type <= CRYPTO_KEY_P521; type++) {
        static const char *const curves[] = {
            [CRYPTO_KEY_P256] = "P-256", [CRYPTO_KEY_P384] = "P-384", [CRYPTO_KEY_P521] = "P-521"};
        EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", curves[type]);
        uint8_t *spki = NULL;
        int spki_len = i2d_PUBKEY(pkey, &spki);
        LT_CLEANUP(crypto_pub_freep) struct crypto_pub *pub = NULL;
        assert_ok(crypto_pub_new(LT_SLICE(spki, (size_t)spki_len), &pub));
        for (int alg = CRYPTO_ES256; alg <= CRYPTO_ES512; alg++) {
            uint8_t signature[CRYPTO_SIGNATURE_MAX];
            size_t len = sizeof signature;
            EVP_MD_CTX *ctx = EVP_MD_CTX_new();
            assert_int_equal(EVP_DigestSignInit_ex(ctx, NULL, digests[alg], NULL, NULL, pkey, NULL), 1);
            assert_int_equal(EVP_DigestSign(ctx, signature, &len, message.ptr, message.len), 1);
            EVP_MD_CTX_free(ctx);
            lt_slice s = LT_SLICE(signature, len);
            bool bound = crypto_alg_fits((enum crypto_sig_alg)alg, crypto_pub_type(pub));
            assert_ok(crypto_pub_verify_request(pub, (enum crypto_sig_alg)alg, message, s));
            assert_int_equal(crypto_pub_verify(pub, (enum crypto_sig_alg)alg, message, s).code,
                             bound ? 0 : LT_PEER_UNAUTHORIZED);
            assert_fails(
                crypto_pub_verify_request(
                    pub, (enum crypto_sig_alg)(alg == CRYPTO_ES512 ? CRYPTO_ES256 : alg + 1), message, s),
                LT_PEER_UNAUTHORIZED);
            assert_fails(crypto_pub_verify_request(pub, CRYPTO_RS256, message, s), LT_PEER_UNAUTHORIZED);
            assert_fails(crypto_pub_verify_request(pub, CRYPTO_EDDSA, message, s), LT_PEER_UNAUTHORIZED);
            assert_fails(crypto_pub_verify_request(pub, CRYPTO_SIG_NONE, message, s), LT_PEER_UNAUTHORIZED);
            assert_fails(crypto_pub_verify_request(pub, (enum crypto_sig_alg)alg, message,
                                                   lt_slice_sub(s, 0, len - 1)),
                         LT_PEER_UNAUTHORIZED);
        }
        OPENSSL_free(spki);
        EVP_PKEY_free(pkey);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rsa_numbers), cmocka_unit_test(rsa_sizes),          cmocka_unit_test(small_factors),
        cmocka_unit_test(points),      cmocka_unit_test(edwards_points),     cmocka_unit_test(spki_refusals),
        cmocka_unit_test(wrong_forms), cmocka_unit_test(request_signatures),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
