/* JWK in and out, thumbprints, and the JSON layer below. */
#include "check.h"

#include "../crypto/weak_keys.h"
#include "base/text.h"
#include "crypto/key.h"
#include "crypto/pub.h"
#include "jose/json.h"
#include "jose/jwk.h"
#include "jose/jws.h"
#include "vectors.h"

static struct lt_arena arena;

static int set_up(void **state)
{
    (void)state;
    lt_arena_init(&arena, 1 << 22);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    lt_arena_done(&arena);
    return 0;
}

static lt_res parse(const char *text, struct jwk *ret_jwk)
{
    LT_CLEANUP(jose_json_freep) json_t *object = NULL;
    LT_TRY(jose_json_any(lt_slice_cstr(text), &object));
    return jwk_parse(object, &arena, ret_jwk);
}

static void thumbprints(void **state)
{
    (void)state;
    static const struct {
        const char *jwk;
        const char *thumbprint;
        enum crypto_key_type type;
        unsigned bits;
    } rows[] = {
        {"{\"kty\":\"RSA\",\"n\":\"" RFC7638_N "\",\"e\":\"AQAB\",\"alg\":\"RS256\",\"kid\":\"2011-04-29\"}",
         RFC7638_THUMBPRINT, CRYPTO_KEY_RSA, 2048},
        {JWK_ED25519, RFC8037_THUMBPRINT, CRYPTO_KEY_ED25519, 256},
        {"{\"x\":\"" RFC8037_X "\",\"use\":\"sig\",\"kty\":\"OKP\",\"crv\":\"Ed25519\"}", RFC8037_THUMBPRINT,
         CRYPTO_KEY_ED25519, 256},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct jwk jwk;
        assert_ok(parse(rows[i].jwk, &jwk));
        assert_string_equal(lt_base64url(&arena, LT_SLICE(jwk.thumbprint, 32)), rows[i].thumbprint);
        assert_int_equal(jwk.type, rows[i].type);
        assert_int_equal(jwk.bits, rows[i].bits);
    }
}

/* The signatures of the RFCs verify with the keys as we read them, and with nothing else. */
static void rfc_signatures(void **state)
{
    (void)state;
    static const struct {
        const char *jwk;
        enum crypto_sig_alg alg;
        const char *input;
        const char *signature;
    } rows[] = {
        {JWK_P256, CRYPTO_ES256, RFC7515_ES256_INPUT, RFC7515_ES256_SIGNATURE},
        {JWK_RSA, CRYPTO_RS256, RFC7515_RS256_INPUT, RFC7515_RS256_SIGNATURE},
        {JWK_ED25519, CRYPTO_EDDSA, RFC8037_INPUT, RFC8037_SIGNATURE},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct jwk jwk;
        struct jws jws = {.alg = rows[i].alg, .has_jwk = true, .signing_input = lt_slice_cstr(rows[i].input)};
        assert_ok(parse(rows[i].jwk, &jwk));
        jws.jwk = jwk;
        assert_ok(lt_unbase64url(&arena, lt_slice_cstr(rows[i].signature), &jws.signature));
        assert_ok(jws_verify(&jws, NULL));
        for (size_t other = 0; other < LT_COUNT(rows); other++) {
            struct jws mixed = jws;
            mixed.alg = rows[other].alg;
            assert_int_equal(jws_verify(&mixed, NULL).code, other == i ? 0 : LT_PEER_UNAUTHORIZED);
        }
        jws.signing_input.len--;
        assert_fails(jws_verify(&jws, NULL), LT_PEER_UNAUTHORIZED);
    }
}

static void round_trips(void **state)
{
    (void)state;
    static const enum crypto_key_type types[] = {CRYPTO_KEY_P256, CRYPTO_KEY_P384, CRYPTO_KEY_P521,
                                                 CRYPTO_KEY_ED25519, CRYPTO_KEY_RSA};
    for (size_t i = 0; i < LT_COUNT(types); i++) {
        LT_CLEANUP(crypto_key_freep) struct crypto_key *key = NULL;
        LT_CLEANUP(lt_buf_done) struct lt_buf text;
        struct jwk jwk;
        uint8_t thumbprint[32];
        lt_buf_init(&text, 4096);
        assert_ok(crypto_key_generate(types[i], types[i] == CRYPTO_KEY_RSA ? 2048 : 0, &key));
        assert_ok(jwk_write(crypto_key_spki(key), &text));
        assert_ok(parse(lt_buf_cstr(&text), &jwk));
        assert_true(lt_slice_eq(jwk.spki, crypto_key_spki(key)));
        assert_ok(jwk_thumbprint(jwk.spki, thumbprint));
        assert_memory_equal(thumbprint, jwk.thumbprint, 32);
    }
}

/* Accounts' keys are judged like those of certificates; the notary answers badPublicKey. */
static void weak_keys(void **state)
{
    (void)state;
    static const struct {
        const char *modulus;
        const char *exponent;
        int code;
    } rows[] = {
        {modulus_good, "AQAB", 0},
        {modulus_roca, "AQAB", LT_POLICY_REFUSED},
        {modulus_debian, "AQAB", LT_POLICY_REFUSED},
        {modulus_close, "AQAB", LT_POLICY_REFUSED},
        {modulus_small, "AQAB", LT_POLICY_REFUSED},
        {modulus_good, "Aw", LT_PEER_UNSUPPORTED}, /* jws.c makes the same refusal of it */
        {modulus_good, "AQAA", LT_PEER_UNSUPPORTED},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct jwk jwk;
        lt_slice n;
        assert_ok(lt_unhex(&arena, lt_slice_cstr(rows[i].modulus), &n));
        char *text = lt_arena_printf(&arena, "{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"}",
                                     lt_base64url(&arena, n), rows[i].exponent);
        assert_non_null(text);
        assert_int_equal(parse(text, &jwk).code, rows[i].code);
    }
}

#define EC(crv, x, y) "{\"kty\":\"EC\",\"crv\":\"" crv "\",\"x\":\"" x "\",\"y\":\"" y "\"}"
#define RSA(n, e) "{\"kty\":\"RSA\",\"n\":\"" n "\",\"e\":\"" e "\"}"

static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *jwk;
        int code;
    } rows[] = {
        {"[]", LT_PEER_MALFORMED},
        {"\"text\"", LT_PEER_MALFORMED},
        {"{}", LT_PEER_MALFORMED},
        {"{\"kty\":7}", LT_PEER_MALFORMED},
        {"{\"kty\":\"oct\",\"k\":\"AAAA\"}", LT_PEER_MALFORMED},
        {"{\"kty\":\"EC\"}", LT_PEER_UNSUPPORTED},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\"}", LT_PEER_MALFORMED},
        {"{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" RFC8037_X "\"}", LT_PEER_UNSUPPORTED},
        {"{\"kty\":\"OKP\",\"crv\":\"Ed448\",\"x\":\"" RFC8037_X "\"}", LT_PEER_UNSUPPORTED},
        {"{\"kty\":\"OKP\",\"crv\":\"P-256\",\"x\":\"" RFC8037_X "\"}", LT_PEER_UNSUPPORTED},
        {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AQ\"}", LT_PEER_MALFORMED},
        {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
         LT_POLICY_REFUSED},
        {EC("secp256k1", RFC7515_X, RFC7515_Y), LT_PEER_UNSUPPORTED},
        {EC("p-256", RFC7515_X, RFC7515_Y), LT_PEER_UNSUPPORTED},
        {EC("P-256", RFC7515_Y, RFC7515_X), LT_POLICY_REFUSED},      /* off the curve */
        {EC("P-384", RFC7515_X, RFC7515_Y), LT_PEER_MALFORMED},      /* too short */
        {EC("P-256", RFC7515_X, "AA" RFC7515_Y), LT_PEER_MALFORMED}, /* too long */
        {EC("P-256", RFC7515_X "=", RFC7515_Y), LT_PEER_MALFORMED},  /* padding */
        {EC("P-256", RFC7515_X, "x+FEzRu9m36HLN/tue659LNpXW6pCyStikYjKIWI5a0"), LT_PEER_MALFORMED},
        {EC("P-256", "", ""), LT_PEER_MALFORMED},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" RFC7515_X "\",\"y\":\"" RFC7515_Y "\",\"d\":\"AQ\"}",
         LT_PEER_MALFORMED},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" RFC7515_X "\",\"x\":\"" RFC7515_X
         "\",\"y\":\"" RFC7515_Y "\"}",
         LT_PEER_MALFORMED},
        {RSA("", "AQAB"), LT_PEER_MALFORMED},
        {RSA(RFC7515_N, ""), LT_PEER_MALFORMED},
        {RSA("AKH4", "AQAB"), LT_PEER_MALFORMED},                 /* leading zero */
        {RSA(RFC7515_N, "AAEAAQ"), LT_PEER_MALFORMED},            /* leading zero */
        {RSA("ofgW", "AQAB"), LT_PEER_UNSUPPORTED},               /* 24 bits */
        {RSA(RFC7515_N, "Aw"), LT_PEER_UNSUPPORTED},              /* exponent 3 */
        {RSA(RFC7515_N, "AQAA"), LT_PEER_UNSUPPORTED},            /* even */
        {RSA(RFC7515_N "AAAAAAAA", "AQAB"), LT_PEER_UNSUPPORTED}, /* even modulus */
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct jwk jwk;
        lt_res r = parse(rows[i].jwk, &jwk);
        if (r.code != rows[i].code) {
            print_error("%s: %s\n", rows[i].jwk, lt_failed(r) ? lt_error_last()->detail : "accepted");
        }
        assert_int_equal(r.code, rows[i].code);
    }
}

static void json_refusals(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "{",
        "{\"a\":1}x",
        "{\"a\":1,\"a\":2}",
        "{\"a\":{\"b\":1,\"b\":1}}",
        "{'a':1}",
        "{\"a\":\"\\u0000\"}",
        "{\"a\\u0000\":1}",
        "{\"a\":NaN}",
        "{\"a\":01}",
        "{\"a\":1e999}",
        "{\"a\":\"\xff\"}",
        "{\"a\":\"\xc0\x80\"}",
        "\xef\xbb\xbf{}",
        "{\"a\":1,}",
        "{\"a\":\"\n\"}",
        "[1]",
        "1",
        "\"a\"",
        "null",
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        json_t *object = NULL;
        lt_res r = jose_json_object(lt_slice_cstr(rows[i]), &object);
        if (r.code != LT_PEER_MALFORMED) {
            print_error("%s\n", rows[i]);
        }
        assert_int_equal(r.code, LT_PEER_MALFORMED);
        assert_null(object);
    }
    static char deep[100001];
    memset(deep, '[', sizeof deep - 1);
    json_t *value = NULL;
    assert_fails(jose_json_any(lt_slice_cstr(deep), &value), LT_PEER_MALFORMED);
    static char large[JOSE_JSON_MAX_BYTES + 1];
    memset(large, ' ', sizeof large);
    assert_fails(jose_json_any(LT_SLICE(large, sizeof large), &value), LT_PEER_TOO_LARGE);
}

static void json_members(void **state)
{
    (void)state;
    LT_CLEANUP(jose_json_freep) json_t *object = NULL;
    lt_slice text;
    bool flag = true;
    assert_ok(jose_json_object(
        LT_LIT("{\"s\":\"a\\u00e9\",\"n\":1,\"t\":true,\"f\":false,\"b\":\"AQI\",\"z\":null}"), &object));
    assert_ok(jose_json_string(object, "s", &text));
    assert_slice(text, "a\xc3\xa9");
    assert_fails(jose_json_string(object, "n", &text), LT_PEER_MALFORMED);
    assert_fails(jose_json_string(object, "x", &text), LT_PEER_MALFORMED);
    assert_ok(jose_json_optional_string(object, "x", &text));
    assert_int_equal(text.len, 0);
    assert_fails(jose_json_optional_string(object, "z", &text), LT_PEER_MALFORMED);
    assert_ok(jose_json_optional_bool(object, "x", &flag));
    assert_false(flag);
    assert_ok(jose_json_optional_bool(object, "t", &flag));
    assert_true(flag);
    assert_ok(jose_json_optional_bool(object, "f", &flag));
    assert_false(flag);
    assert_fails(jose_json_optional_bool(object, "n", &flag), LT_PEER_MALFORMED);
    assert_ok(jose_json_bytes(object, "b", &arena, &text));
    assert_slice(text, "\x01\x02");
    assert_fails(jose_json_bytes(object, "s", &arena, &text), LT_PEER_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thumbprints),  cmocka_unit_test(rfc_signatures), cmocka_unit_test(round_trips),
        cmocka_unit_test(weak_keys),    cmocka_unit_test(refusals),       cmocka_unit_test(json_refusals),
        cmocka_unit_test(json_members),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
