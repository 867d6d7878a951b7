/* What is wrong with RSA keys, found out and remembered. */
#include "forge.h"

#include "../crypto/weak_keys.h"
#include "crypto/check.h"
#include "lint/keys.h"

static struct lt_arena arena;

static lt_slice from_hex(const char *hex)
{
    size_t len = strlen(hex) / 2;
    uint8_t *out = lt_arena_alloc(&arena, len);
    for (size_t i = 0; i < len; i++) {
        unsigned byte = 0;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        out[i] = (uint8_t)byte;
    }
    return LT_SLICE(out, len);
}

static struct x509_spki rsa(const char *hex)
{
    lt_slice modulus = from_hex(hex);
    return (struct x509_spki){.der = modulus,
                              .type = X509_KEY_RSA,
                              .modulus = modulus,
                              .exponent = LT_LIT("\x01\x00\x01"),
                              .bits = (unsigned)modulus.len * 8};
}

static void flaws(void **unused)
{
    (void)unused;
    static const struct {
        const char *modulus;
        unsigned flaws;
        uint32_t small;
    } rows[] = {
        {modulus_good, 0, 0},
        {modulus_roca, LINT_KEY_ROCA, 0},
        {modulus_close, LINT_KEY_FERMAT, 0},
        {modulus_small, LINT_KEY_SMALL_PRIME, 751},
        {"0f", LINT_KEY_SMALL_PRIME | LINT_KEY_FERMAT, 3}, /* 3 * 5 */
        {"0a", LINT_KEY_SMALL_PRIME, 2},                   /* even */
        {"31", LINT_KEY_SMALL_PRIME | LINT_KEY_FERMAT, 7}, /* a square */
        {"00", 0, 0},
        {"01", LINT_KEY_ROCA, 0}, /* 65537 to the power of 0 */
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct x509_spki spki = rsa(rows[i].modulus);
        struct lint_key key;
        lint_key_examine(NULL, &spki, 100, &key);
        if (key.flaws != rows[i].flaws || key.small_prime != rows[i].small) {
            fail_msg("row %zu: flaws %x, prime %u, round %u", i, key.flaws, key.small_prime,
                     key.fermat_round);
        }
    }
}

/* A modulus falls in a round, and in none before it. */
static void rounds(void **unused)
{
    (void)unused;
    struct x509_spki spki = rsa(modulus_close);
    struct lint_key key;
    lint_key_examine(NULL, &spki, 100, &key);
    uint32_t round = key.fermat_round;
    assert_true(round >= 1 && round <= 100);
    lint_key_examine(NULL, &spki, round, &key);
    assert_int_equal(key.fermat_round, round);
    lint_key_examine(NULL, &spki, round - 1, &key);
    assert_int_equal(key.flaws, 0);
    lint_key_examine(NULL, &spki, 0, &key);
    assert_int_equal(key.flaws, 0);
}

static void remembered(void **unused)
{
    (void)unused;
    struct lint_keys *keys = lint_keys_new(4);
    struct x509_spki weak = rsa(modulus_roca);
    struct x509_spki good = rsa(modulus_good);
    struct lint_key key;
    lint_key_examine(keys, &weak, 100, &key);
    assert_int_equal(key.flaws, LINT_KEY_ROCA);
    /* The same SPKI with other numbers: what is remembered counts. */
    struct x509_spki same = weak;
    same.modulus = good.modulus;
    lint_key_examine(keys, &same, 100, &key);
    assert_int_equal(key.flaws, LINT_KEY_ROCA);
    /* Another number of rounds is another question. */
    lint_key_examine(keys, &same, 99, &key);
    assert_int_equal(key.flaws, 0);
    lint_key_examine(keys, &good, 100, &key);
    assert_int_equal(key.flaws, 0);
    lint_keys_free(keys);
}

/* More keys than places: each is found out again, none is taken for another. */
static void crowded(void **unused)
{
    (void)unused;
    struct lint_keys *keys = lint_keys_new(2);
    for (uint8_t turn = 0; turn < 2; turn++) {
        for (uint8_t i = 0; i < 64; i++) {
            uint8_t der[] = {i, 1, 2, 3};
            uint8_t modulus[] = {1, 0, 0, 0, 0, 0, 0, (uint8_t)(i * 4 + 1)};
            struct x509_spki spki = {.der = LT_SLICE(der, sizeof der),
                                     .type = X509_KEY_RSA,
                                     .modulus = LT_SLICE(modulus, sizeof modulus)};
            struct lint_key alone;
            struct lint_key key;
            lint_key_examine(NULL, &spki, 10, &alone);
            lint_key_examine(keys, &spki, 10, &key);
            assert_int_equal(key.flaws, alone.flaws);
            assert_int_equal(key.small_prime, alone.small_prime);
            assert_memory_equal(key.spki_sha256, alone.spki_sha256, sizeof key.spki_sha256);
        }
    }
    lint_keys_free(keys);
    lint_keys_free(NULL);
}

/* As rules of the BR say it. */
static void in_certificates(void **unused)
{
    (void)unused;
    static const struct {
        const char *modulus;
        const char *rule;
        enum lint_status status;
    } rows[] = {
        {modulus_good, "lintel_br_key_roca", LINT_PASS},
        {modulus_roca, "lintel_br_key_roca", LINT_ERROR},
        {modulus_close, "lintel_br_key_roca", LINT_PASS},
        {modulus_good, "lintel_br_key_close_primes", LINT_PASS},
        {modulus_close, "lintel_br_key_close_primes", LINT_ERROR},
        {modulus_good, "lintel_br_key_debian", LINT_PASS},
        {modulus_close, "lintel_br_key_debian", LINT_PASS},
        {modulus_debian, "lintel_br_key_debian", LINT_ERROR},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct forge f;
        char spki[1024];
        (void)snprintf(spki, sizeof spki, "30{30{(1.2.840.113549.1.1.1)0500}03{00 30{02{00 %s}0203010001}}}",
                       rows[i].modulus);
        const struct forge_edit edit = FORGE_PUT(FORGE_SPKI, spki);
        forge_open(&f, "dvrsa");
        forge_edit(&f, &edit);
        forge_expect(&f, NULL, rows[i].rule, rows[i].status);
        forge_done(&f);
    }
    struct forge f;
    forge_open(&f, "dv");
    forge_expect(&f, NULL, "lintel_br_key_roca", LINT_NA);
    forge_done(&f);
}

static void no_numbers(void **unused)
{
    (void)unused;
    struct crypto_rsa_flaws f;
    crypto_rsa_examine((lt_slice){0}, 100, &f);
    assert_false(f.roca);
    /* 2^n - 1 falls at once; of more bits than are examined nothing is known. */
    static uint8_t ones[CRYPTO_EXAMINED_BITS / 8 + 1];
    memset(ones, 0xff, sizeof ones);
    crypto_rsa_examine(LT_SLICE(ones, sizeof ones - 1), 100, &f);
    assert_true(f.small_prime == 3 && f.fermat_round == 1);
    crypto_rsa_examine(LT_SLICE(ones, sizeof ones), 100, &f);
    assert_true(f.small_prime == 0 && f.fermat_round == 0 && !f.roca);
    struct x509_spki ec = {.der = LT_LIT("x"), .type = X509_KEY_P256};
    struct lint_key key;
    lint_key_examine(NULL, &ec, 100, &key);
    assert_int_equal(key.flaws, 0);
}

/* p = 23, q = 11: the powers of 2 are the group. */
static void dsa(void **unused)
{
    (void)unused;
    static const struct {
        char p;
        char y;
        bool of_order;
        bool in_range;
    } rows[] = {{23, 2, true, true},   {23, 5, false, true},   {23, 1, true, false}, {23, 0, false, false},
                {23, 21, false, true}, {23, 22, false, false}, {0, 2, false, false}};
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        bool order = !rows[i].of_order;
        bool range = !rows[i].in_range;
        struct crypto_dsa key = {LT_SLICE(&rows[i].p, 1), LT_LIT("\x0b"), LT_SLICE(&rows[i].y, 1)};
        assert_ok(crypto_dsa_is_of_order(&key, &order));
        assert_ok(crypto_dsa_is_in_range(&key, &range));
        if (order != rows[i].of_order || range != rows[i].in_range) {
            fail_msg("row %zu: order %d, range %d", i, order, range);
        }
    }
    static const uint8_t large[CRYPTO_DSA_BITS_MAX / 8 + 1] = {1};
    bool yes;
    struct crypto_dsa key = {LT_SLICE(large, sizeof large), LT_LIT("\x0b"), LT_LIT("\x02")};
    assert_fails(crypto_dsa_is_of_order(&key, &yes), LT_PEER_UNSUPPORTED);
    assert_fails(crypto_dsa_is_in_range(&key, &yes), LT_PEER_UNSUPPORTED);
}

static int set_up(void **unused)
{
    (void)unused;
    lt_arena_init(&arena, 1 << 20);
    return 0;
}

static int tear_down(void **unused)
{
    (void)unused;
    lt_arena_done(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flaws),           cmocka_unit_test(rounds), cmocka_unit_test(remembered),
        cmocka_unit_test(crowded),         cmocka_unit_test(dsa),    cmocka_unit_test(no_numbers),
        cmocka_unit_test(in_certificates),
    };
    return cmocka_run_group_tests_name("lint keys", tests, set_up, tear_down);
}
