/* Digests, MACs and the AEAD against published vectors. */
#include "check.h"

#include "base/text.h"
#include "crypto/aead.h"
#include "crypto/digest.h"

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

/* FIPS 180-4 examples. */
static void digests(void **state)
{
    (void)state;
    static const struct {
        enum crypto_hash hash;
        const char *text;
        const char *hex;
    } rows[] = {
        {CRYPTO_SHA256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {CRYPTO_SHA256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {CRYPTO_SHA384, "abc",
         "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"},
        {CRYPTO_SHA512, "abc",
         "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd"
         "454d4423643ce80e2a9ac94fa54ca49f"},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        uint8_t out[CRYPTO_HASH_MAX];
        size_t len = crypto_hash_len(rows[i].hash);
        crypto_digest(rows[i].hash, lt_slice_cstr(rows[i].text), out);
        assert_string_equal(lt_hex(&arena, LT_SLICE(out, len)), rows[i].hex);
        struct crypto_stream s;
        crypto_stream_init(&s, rows[i].hash);
        for (const char *c = rows[i].text; *c != 0; c++) {
            crypto_stream_add(&s, LT_SLICE(c, 1));
        }
        crypto_stream_finish(&s, out);
        crypto_stream_done(&s);
        assert_string_equal(lt_hex(&arena, LT_SLICE(out, len)), rows[i].hex);
    }
}

/* RFC 4231 test cases 1 and 2. */
static void macs(void **state)
{
    (void)state;
    uint8_t out[CRYPTO_HASH_MAX];
    crypto_hmac(CRYPTO_SHA256, unhex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"), LT_LIT("Hi There"), out);
    assert_string_equal(lt_hex(&arena, LT_SLICE(out, 32)),
                        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    crypto_hmac(CRYPTO_SHA512, LT_LIT("Jefe"), LT_LIT("what do ya want for nothing?"), out);
    assert_string_equal(
        lt_hex(&arena, LT_SLICE(out, 64)),
        "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fd"
        "caeab1a34d4a6b4b636e070a38bce737");
    crypto_hmac(CRYPTO_SHA256, (lt_slice){0}, (lt_slice){0}, out);
    assert_string_equal(lt_hex(&arena, LT_SLICE(out, 32)),
                        "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
    assert_true(crypto_equal(LT_LIT("abc"), LT_LIT("abc")));
    assert_false(crypto_equal(LT_LIT("abc"), LT_LIT("abd")));
    assert_false(crypto_equal(LT_LIT("abc"), LT_LIT("ab")));
    assert_true(crypto_equal((lt_slice){0}, (lt_slice){0}));
}

/* McGrew and Viega, test case 14. */
static void aead_vector(void **state)
{
    (void)state;
    uint8_t zero[CRYPTO_AEAD_KEY_LEN] = {0};
    uint8_t sealed[32];
    uint8_t plain[16];
    struct crypto_aead *a = NULL;
    assert_ok(crypto_aead_new(LT_SLICE(zero, sizeof zero), &a));
    assert_ok(crypto_aead_seal(a, zero, (lt_slice){0}, LT_SLICE(zero, 16), sealed));
    assert_string_equal(lt_hex(&arena, LT_SLICE(sealed, sizeof sealed)),
                        "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
    assert_ok(crypto_aead_open(a, zero, (lt_slice){0}, LT_SLICE(sealed, sizeof sealed), plain));
    assert_memory_equal(plain, zero, sizeof plain);
    crypto_aead_free(a);
}

static void aead_refusals(void **state)
{
    (void)state;
    const uint8_t iv[CRYPTO_AEAD_IV_LEN] = {1};
    const uint8_t other_iv[CRYPTO_AEAD_IV_LEN] = {2};
    uint8_t key[CRYPTO_AEAD_KEY_LEN] = {7};
    uint8_t sealed[5 + CRYPTO_AEAD_TAG_LEN];
    uint8_t plain[64];
    struct crypto_aead *a = NULL;
    assert_fails(crypto_aead_new(LT_SLICE(key, 16), &a), LT_STATE_CRYPTO);
    assert_ok(crypto_aead_new(LT_SLICE(key, sizeof key), &a));
    assert_ok(crypto_aead_seal(a, iv, LT_LIT("host"), LT_LIT("hello"), sealed));
    lt_slice all = LT_SLICE(sealed, sizeof sealed);
    assert_ok(crypto_aead_open(a, iv, LT_LIT("host"), all, plain));
    assert_memory_equal(plain, "hello", 5);
    assert_fails(crypto_aead_open(a, other_iv, LT_LIT("host"), all, plain), LT_PEER_UNAUTHORIZED);
    assert_fails(crypto_aead_open(a, iv, LT_LIT("hosT"), all, plain), LT_PEER_UNAUTHORIZED);
    assert_fails(crypto_aead_open(a, iv, (lt_slice){0}, all, plain), LT_PEER_UNAUTHORIZED);
    for (size_t len = 0; len < sizeof sealed; len++) {
        assert_fails(crypto_aead_open(a, iv, LT_LIT("host"), LT_SLICE(sealed, len), plain),
                     LT_PEER_UNAUTHORIZED);
    }
    for (size_t bit = 0; bit < 8 * sizeof sealed; bit++) {
        sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_fails(crypto_aead_open(a, iv, LT_LIT("host"), all, plain), LT_PEER_UNAUTHORIZED);
        sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    crypto_aead_free(a);
    crypto_aead_free(NULL);
}

/* FIPS 202 examples. */
static void sha3(void **state)
{
    (void)state;
    uint8_t out[CRYPTO_SHA256_LEN];
    crypto_sha3_256(LT_LIT(""), out);
    assert_string_equal(lt_hex(&arena, LT_SLICE(out, sizeof(out))),
                        "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a");
    crypto_sha3_256(LT_LIT("abc"), out);
    assert_string_equal(lt_hex(&arena, LT_SLICE(out, sizeof(out))),
                        "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests),     cmocka_unit_test(sha3),          cmocka_unit_test(macs),
        cmocka_unit_test(aead_vector), cmocka_unit_test(aead_refusals),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
