/* Algorithms by name and the two forms of an ECDSA signature. */
#include "check.h"

#include "base/text.h"
#include "crypto/alg.h"

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

static void names(void **state)
{
    (void)state;
    static const char *const known[] = {"ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "EdDSA"};
    static const char *const unknown[] = {"",       "none",  "NONE",   "HS256",   "es256",
                                          "ES256 ", "PS256", "ES256K", "Ed25519", "ES25"};
    for (size_t i = 0; i < LT_COUNT(known); i++) {
        enum crypto_sig_alg alg = crypto_alg_by_name(lt_slice_cstr(known[i]));
        assert_string_equal(crypto_alg_name(alg), known[i]);
        assert_non_null(crypto_alg_info(alg));
    }
    for (size_t i = 0; i < LT_COUNT(unknown); i++) {
        assert_int_equal(crypto_alg_by_name(lt_slice_cstr(unknown[i])), CRYPTO_SIG_NONE);
    }
    assert_null(crypto_alg_info(CRYPTO_SIG_NONE));
    assert_null(crypto_alg_info((enum crypto_sig_alg)99));
    assert_string_equal(crypto_alg_name((enum crypto_sig_alg)99), "none");
}

static void fits(void **state)
{
    (void)state;
    static const struct {
        enum crypto_sig_alg alg;
        enum crypto_key_type type;
        bool fits;
    } rows[] = {
        {CRYPTO_ES256, CRYPTO_KEY_P256, true},     {CRYPTO_ES384, CRYPTO_KEY_P384, true},
        {CRYPTO_ES512, CRYPTO_KEY_P521, true},     {CRYPTO_RS512, CRYPTO_KEY_RSA, true},
        {CRYPTO_EDDSA, CRYPTO_KEY_ED25519, true},  {CRYPTO_ES256, CRYPTO_KEY_P384, false},
        {CRYPTO_ES384, CRYPTO_KEY_P256, false},    {CRYPTO_RS256, CRYPTO_KEY_P256, false},
        {CRYPTO_ES256, CRYPTO_KEY_RSA, false},     {CRYPTO_EDDSA, CRYPTO_KEY_P256, false},
        {CRYPTO_SIG_NONE, CRYPTO_KEY_NONE, false}, {CRYPTO_ES256, CRYPTO_KEY_NONE, false},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        assert_int_equal(crypto_alg_fits(rows[i].alg, rows[i].type), rows[i].fits);
    }
    for (int type = CRYPTO_KEY_RSA; type <= CRYPTO_KEY_ED25519; type++) {
        assert_true(
            crypto_alg_fits(crypto_alg_of_key((enum crypto_key_type)type), (enum crypto_key_type)type));
        const char *name = crypto_key_type_name((enum crypto_key_type)type);
        assert_int_equal(crypto_key_type_by_name(lt_slice_cstr(name)), type);
    }
    assert_int_equal(crypto_alg_of_key(CRYPTO_KEY_RSA), CRYPTO_RS256);
    assert_int_equal(crypto_key_type_by_name(LT_LIT("dsa")), CRYPTO_KEY_NONE);
    assert_int_equal(crypto_key_type_by_name(LT_LIT("none")), CRYPTO_KEY_NONE);
}

#define ZERO31 "00000000000000000000000000000000000000000000000000000000000000"
#define FF32 "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

static void forms(void **state)
{
    (void)state;
    static const struct {
        const char *der;
        const char *raw;
    } rows[] = {
        {"3006020101020102", ZERO31 "01" ZERO31 "02"},
        {"30080202008002020090", ZERO31 "80" ZERO31 "90"},
        {"3046022100" FF32 "022100" FF32, FF32 FF32},
        {"3026022100" FF32 "020101", FF32 ZERO31 "01"},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        uint8_t out[CRYPTO_ECDSA_MAX];
        size_t len = 0;
        assert_ok(crypto_ecdsa_der_to_raw(CRYPTO_ES256, unhex(rows[i].der), out, &len));
        assert_string_equal(lt_hex(&arena, LT_SLICE(out, len)), rows[i].raw);
        assert_ok(crypto_ecdsa_raw_to_der(CRYPTO_ES256, unhex(rows[i].raw), out, &len));
        assert_string_equal(lt_hex(&arena, LT_SLICE(out, len)), rows[i].der);
    }
}

static void form_refusals(void **state)
{
    (void)state;
    static const char *const der[] = {
        "",
        "30",
        "3000",
        "3003020101",
        "300602010102010200",         /* a byte behind */
        "3007020101020102",           /* length beyond the end */
        "3005020101020102",           /* length short of it */
        "3006020100020102",           /* r is zero */
        "3006020101020100",           /* s is zero */
        "3006020181020102",           /* r is negative */
        "300702020001020102",         /* r not minimal */
        "3006020101040102",           /* no INTEGER */
        "3106020101020102",           /* no SEQUENCE */
        "308106020101020102",         /* length not minimal */
        "30800201010201020000",       /* indefinite length */
        "3009020101020102020103",     /* a third */
        "3027022201" FF32 "00020101", /* r larger than the field */
        "300502000203010203",         /* r empty */
    };
    static const char *const raw[] = {
        "", "01", FF32, FF32 "01", ZERO31 "00" FF32, FF32 ZERO31 "00", FF32 FF32 "01"};
    uint8_t out[CRYPTO_ECDSA_MAX];
    size_t len = 0;
    for (size_t i = 0; i < LT_COUNT(der); i++) {
        assert_fails(crypto_ecdsa_der_to_raw(CRYPTO_ES256, unhex(der[i]), out, &len), LT_PEER_MALFORMED);
    }
    for (size_t i = 0; i < LT_COUNT(raw); i++) {
        assert_fails(crypto_ecdsa_raw_to_der(CRYPTO_ES256, unhex(raw[i]), out, &len), LT_PEER_MALFORMED);
    }
}

/* P-521: the longest there is fits, with a two-byte length. */
static void longest_form(void **state)
{
    (void)state;
    uint8_t raw[132];
    memset(raw, 0xff, sizeof raw);
    uint8_t der[CRYPTO_ECDSA_MAX];
    uint8_t back[CRYPTO_ECDSA_MAX];
    size_t len = 0;
    size_t back_len = 0;
    assert_ok(crypto_ecdsa_raw_to_der(CRYPTO_ES512, LT_SLICE(raw, sizeof raw), der, &len));
    assert_int_equal(len, CRYPTO_ECDSA_MAX);
    assert_ok(crypto_ecdsa_der_to_raw(CRYPTO_ES512, LT_SLICE(der, len), back, &back_len));
    assert_memory_equal(back, raw, sizeof raw);
    assert_int_equal(back_len, sizeof raw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),         cmocka_unit_test(fits),         cmocka_unit_test(forms),
        cmocka_unit_test(form_refusals), cmocka_unit_test(longest_form),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
