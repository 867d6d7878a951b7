/* JWS: what is accepted, and the many things that are not. */
#include "check.h"

#include "base/text.h"
#include "crypto/digest.h"
#include "jose/envelope.h"
#include "jose/json.h"
#include "jose/jws.h"
#include "vectors.h"

static struct lt_arena arena;

static int set_up(void **state)
{
    (void)state;
    lt_arena_init(&arena, 1 << 24);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    lt_arena_done(&arena);
    return 0;
}

static char *b64(const char *text)
{
    return lt_base64url(&arena, lt_slice_cstr(text));
}

/* A flattened JWS with that protected header, text as it is; the signature is any. */
static lt_slice with_header(const char *header)
{
    return lt_slice_cstr(lt_arena_printf(
        &arena, "{\"protected\":\"%s\",\"payload\":\"e30\",\"signature\":\"c2ln\"}", b64(header)));
}

static void every_key_signs(void **state)
{
    (void)state;
    static const enum crypto_key_type types[] = {CRYPTO_KEY_P256, CRYPTO_KEY_P384, CRYPTO_KEY_ED25519,
                                                 CRYPTO_KEY_RSA};
    for (size_t i = 0; i < LT_COUNT(types); i++) {
        LT_CLEANUP(crypto_key_freep) struct crypto_key *key = NULL;
        LT_CLEANUP(crypto_pub_freep) struct crypto_pub *pub = NULL;
        LT_CLEANUP(lt_buf_done) struct lt_buf out;
        struct jws jws;
        lt_buf_init(&out, 16 * 1024);
        assert_ok(crypto_key_generate(types[i], types[i] == CRYPTO_KEY_RSA ? 2048 : 0, &key));
        assert_ok(crypto_pub_new(crypto_key_spki(key), &pub));
        struct jws_head head = {.nonce = LT_LIT("bm9uY2U"), .url = LT_LIT("https://a.example/x")};
        assert_ok(jws_sign(key, &head, LT_LIT("{\"a\":1}"), &out));
        assert_ok(jws_parse(lt_buf_slice(&out), JWS_REQUEST, &arena, &jws));
        assert_true(jws.has_jwk);
        assert_int_equal(jws.kid.len, 0);
        assert_slice(jws.nonce, "bm9uY2U");
        assert_slice(jws.url, "https://a.example/x");
        assert_slice(jws.payload, "{\"a\":1}");
        assert_true(lt_slice_eq(jws.jwk.spki, crypto_key_spki(key)));
        assert_ok(jws_verify(&jws, NULL));
        assert_ok(jws_verify(&jws, pub));
        assert_fails(jws_parse(lt_buf_slice(&out), JWS_KEY_CHANGE, &arena, &jws), LT_PEER_MALFORMED);

        lt_buf_reset(&out);
        head.kid = LT_LIT("https://a.example/acct/1");
        assert_ok(jws_sign(key, &head, (lt_slice){0}, &out));
        assert_ok(jws_parse(lt_buf_slice(&out), JWS_REQUEST, &arena, &jws));
        assert_false(jws.has_jwk);
        assert_slice(jws.kid, "https://a.example/acct/1");
        assert_int_equal(jws.payload.len, 0);
        assert_ok(jws_verify(&jws, pub));
        jws.signing_input.len--;
        assert_fails(jws_verify(&jws, pub), LT_PEER_UNAUTHORIZED);

        lt_buf_reset(&out);
        head = (struct jws_head){.url = LT_LIT("https://a.example/x")};
        assert_ok(jws_sign(key, &head, LT_LIT("{}"), &out));
        assert_ok(jws_parse(lt_buf_slice(&out), JWS_KEY_CHANGE, &arena, &jws));
        assert_ok(jws_verify(&jws, NULL));
        assert_fails(jws_parse(lt_buf_slice(&out), JWS_REQUEST, &arena, &jws), LT_PEER_BAD_NONCE);
    }
}

/* The largest RSA keys certify, but sign no requests. */
static void large_rsa_is_not_taken(void **state)
{
    (void)state;
    LT_CLEANUP(crypto_key_freep) struct crypto_key *key = NULL;
    LT_CLEANUP(lt_buf_done) struct lt_buf out;
    struct jws jws;
    lt_buf_init(&out, 16 * 1024);
    assert_ok(crypto_key_generate(CRYPTO_KEY_RSA, JWS_RSA_BITS_MAX + 8, &key));
    struct jws_head head = {.nonce = LT_LIT("bm9uY2U"), .url = LT_LIT("https://a.example/x")};
    assert_ok(jws_sign(key, &head, LT_LIT("{}"), &out));
    assert_fails(jws_parse(lt_buf_slice(&out), JWS_REQUEST, &arena, &jws), LT_POLICY_REFUSED);
}

/* P-521 certifies, but no JWS alg is taken for it. */
static void es512_is_not_taken(void **state)
{
    (void)state;
    LT_CLEANUP(crypto_key_freep) struct crypto_key *key = NULL;
    LT_CLEANUP(lt_buf_done) struct lt_buf out;
    struct jws jws;
    lt_buf_init(&out, 16 * 1024);
    assert_ok(crypto_key_generate(CRYPTO_KEY_P521, 0, &key));
    struct jws_head head = {.nonce = LT_LIT("bm9uY2U"), .url = LT_LIT("https://a.example/x")};
    assert_ok(jws_sign(key, &head, LT_LIT("{}"), &out));
    assert_fails(jws_parse(lt_buf_slice(&out), JWS_REQUEST, &arena, &jws), LT_PEER_UNSUPPORTED);
}

#define HEAD(more) "{\"alg\":\"ES256\",\"nonce\":\"AA\",\"url\":\"https://a/\"" more "}"
#define KID ",\"kid\":\"https://a/1\""
#define JWK(alg, jwk) "{\"alg\":\"" alg "\",\"nonce\":\"AA\",\"url\":\"u\",\"jwk\":" jwk "}"

static void headers(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        int code;
    } rows[] = {
        {HEAD(KID), 0},
        {HEAD(",\"jwk\":" JWK_P256), 0},
        {JWK("EdDSA", JWK_ED25519), 0},
        {JWK("RS256", JWK_RSA), 0},
        /* alg */
        {"{\"nonce\":\"AA\",\"url\":\"u\"" KID "}", LT_PEER_MALFORMED},
        {"{\"alg\":null,\"nonce\":\"AA\",\"url\":\"u\"" KID "}", LT_PEER_MALFORMED},
        {"{\"alg\":[\"ES256\"],\"nonce\":\"AA\",\"url\":\"u\"" KID "}", LT_PEER_MALFORMED},
        {"{\"alg\":\"none\",\"nonce\":\"AA\",\"url\":\"u\"" KID "}", LT_PEER_UNSUPPORTED},
        {"{\"alg\":\"\",\"nonce\":\"AA\",\"url\":\"u\"" KID "}", LT_PEER_UNSUPPORTED},
        {"{\"alg\":\"HS256\",\"nonce\":\"AA\",\"url\":\"u\"" KID "}", LT_PEER_UNSUPPORTED},
        {"{\"alg\":\"PS256\",\"nonce\":\"AA\",\"url\":\"u\"" KID "}", LT_PEER_UNSUPPORTED},
        {"{\"alg\":\"ES512\",\"nonce\":\"AA\",\"url\":\"u\"" KID "}", LT_PEER_UNSUPPORTED},
        {"{\"alg\":\"RS512\",\"nonce\":\"AA\",\"url\":\"u\"" KID "}", LT_PEER_UNSUPPORTED},
        {"{\"alg\":\"es256\",\"nonce\":\"AA\",\"url\":\"u\"" KID "}", LT_PEER_UNSUPPORTED},
        /* alg and key of different kinds */
        {JWK("RS256", JWK_P256), LT_PEER_MALFORMED},
        {JWK("ES256", JWK_RSA), LT_PEER_MALFORMED},
        {JWK("ES384", JWK_P256), LT_PEER_MALFORMED},
        {JWK("EdDSA", JWK_P256), LT_PEER_MALFORMED},
        {JWK("ES256", JWK_ED25519), LT_PEER_MALFORMED},
        /* keys */
        {HEAD(""), LT_PEER_MALFORMED},
        {HEAD(KID ",\"jwk\":" JWK_P256), LT_PEER_MALFORMED},
        {HEAD(",\"kid\":7"), LT_PEER_MALFORMED},
        {HEAD(",\"kid\":\"\""), LT_PEER_MALFORMED},
        {HEAD(",\"kid\":null"), LT_PEER_MALFORMED},
        {HEAD(",\"jwk\":\"x\""), LT_PEER_MALFORMED},
        {HEAD(",\"jwk\":{}"), LT_PEER_MALFORMED},
        {HEAD(",\"jwk\":{\"kty\":\"oct\",\"k\":\"AAAA\"}"), LT_PEER_MALFORMED},
        {HEAD(",\"jwk\":{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"AAAA\"}"), LT_POLICY_REFUSED},
        {HEAD(",\"jwk\":{\"kty\":\"RSA\",\"n\":\"ofgW\",\"e\":\"AQAB\"}"), LT_POLICY_REFUSED},
        /* nonce and url */
        {"{\"alg\":\"ES256\",\"url\":\"u\"" KID "}", LT_PEER_BAD_NONCE},
        {"{\"alg\":\"ES256\",\"nonce\":\"\",\"url\":\"u\"" KID "}", LT_PEER_MALFORMED},
        {"{\"alg\":\"ES256\",\"nonce\":\"A\",\"url\":\"u\"" KID "}", LT_PEER_MALFORMED},
        {"{\"alg\":\"ES256\",\"nonce\":\"AA==\",\"url\":\"u\"" KID "}", LT_PEER_MALFORMED},
        {"{\"alg\":\"ES256\",\"nonce\":\"not base64\",\"url\":\"u\"" KID "}", LT_PEER_MALFORMED},
        {"{\"alg\":\"ES256\",\"nonce\":7,\"url\":\"u\"" KID "}", LT_PEER_MALFORMED},
        {"{\"alg\":\"ES256\",\"nonce\":\"AA\"" KID "}", LT_PEER_MALFORMED},
        {"{\"alg\":\"ES256\",\"nonce\":\"AA\",\"url\":\"\"" KID "}", LT_PEER_MALFORMED},
        {"{\"alg\":\"ES256\",\"nonce\":\"AA\",\"url\":[\"u\"]" KID "}", LT_PEER_MALFORMED},
        /* members that change what is verified, or that nobody here understands */
        {HEAD(KID ",\"crit\":[\"exp\"]"), LT_PEER_MALFORMED},
        {HEAD(KID ",\"crit\":[]"), LT_PEER_MALFORMED},
        {HEAD(KID ",\"b64\":false"), LT_PEER_MALFORMED},
        {HEAD(KID ",\"b64\":true"), LT_PEER_MALFORMED},
        {HEAD(KID ",\"jku\":\"https://evil/\""), LT_PEER_MALFORMED},
        {HEAD(KID ",\"x5u\":\"https://evil/\""), LT_PEER_MALFORMED},
        {HEAD(KID ",\"x5c\":[]"), LT_PEER_MALFORMED},
        {HEAD(KID ",\"typ\":\"JWT\""), LT_PEER_MALFORMED},
        {HEAD(KID ",\"Alg\":\"none\""), LT_PEER_MALFORMED},
        {HEAD(KID ",\"alg\":\"ES256\""), LT_PEER_MALFORMED}, /* twice */
        /* no object */
        {"", LT_PEER_MALFORMED},
        {"[]", LT_PEER_MALFORMED},
        {"\"alg\"", LT_PEER_MALFORMED},
        {"{", LT_PEER_MALFORMED},
        {HEAD(KID) " {}", LT_PEER_MALFORMED},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct jws jws;
        lt_res r = jws_parse(with_header(rows[i].header), JWS_REQUEST, &arena, &jws);
        if (r.code != rows[i].code) {
            print_error("%s: %s\n", rows[i].header, lt_failed(r) ? lt_error_last()->detail : "accepted");
        }
        assert_int_equal(r.code, rows[i].code);
    }
}

static void inner_headers(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        int code;
    } rows[] = {
        {"{\"alg\":\"ES256\",\"url\":\"u\",\"jwk\":" JWK_P256 "}", 0},
        {"{\"alg\":\"ES256\",\"url\":\"u\",\"nonce\":\"AA\",\"jwk\":" JWK_P256 "}", LT_PEER_MALFORMED},
        {"{\"alg\":\"ES256\",\"url\":\"u\"" KID "}", LT_PEER_MALFORMED},
        {"{\"alg\":\"ES256\",\"url\":\"u\"" KID ",\"jwk\":" JWK_P256 "}", LT_PEER_MALFORMED},
        {"{\"alg\":\"ES256\",\"jwk\":" JWK_P256 "}", LT_PEER_MALFORMED},
        {"{\"alg\":\"HS256\",\"url\":\"u\",\"jwk\":" JWK_P256 "}", LT_PEER_UNSUPPORTED},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct jws jws;
        lt_res r = jws_parse(with_header(rows[i].header), JWS_KEY_CHANGE, &arena, &jws);
        assert_int_equal(r.code, rows[i].code);
    }
}

/* %s: a good protected header. */
static void envelopes(void **state)
{
    (void)state;
    static const struct {
        const char *format;
        int code;
    } rows[] = {
        {"{\"protected\":\"%s\",\"payload\":\"\",\"signature\":\"c2ln\"}", 0},
        {" {\"signature\":\"c2ln\", \"payload\":\"e30\",\n\"protected\":\"%s\", \"extra\":1} ", 0},
        {"{\"protected\":\"%s\",\"payload\":\"e30=\",\"signature\":\"c2ln\"}", LT_PEER_MALFORMED},
        {"{\"protected\":\"%s=\",\"payload\":\"e30\",\"signature\":\"c2ln\"}", LT_PEER_MALFORMED},
        {"{\"protected\":\"%s\",\"payload\":\"e30\",\"signature\":\"c2ln=\"}", LT_PEER_MALFORMED},
        {"{\"protected\":\"%s\",\"payload\":\"e30\",\"signature\":\"c2+n\"}", LT_PEER_MALFORMED},
        {"{\"protected\":\"%s\",\"payload\":\"e30\",\"signature\":\"\"}", LT_PEER_MALFORMED},
        {"{\"protected\":\"%s\",\"payload\":\"e30\"}", LT_PEER_MALFORMED},
        {"{\"protected\":\"%s\",\"signature\":\"c2ln\"}", LT_PEER_MALFORMED},
        {"{\"protected\":\"%s\",\"payload\":null,\"signature\":\"c2ln\"}", LT_PEER_MALFORMED},
        {"{\"protected\":\"%s\",\"payload\":{},\"signature\":\"c2ln\"}", LT_PEER_MALFORMED},
        {"{\"protected\":[\"%s\"],\"payload\":\"e30\",\"signature\":\"c2ln\"}", LT_PEER_MALFORMED},
        {"{\"protected\":\"%s\",\"payload\":\"e30\",\"signature\":\"c2ln\",\"header\":{}}",
         LT_PEER_MALFORMED},
        {"{\"protected\":\"%s\",\"payload\":\"e30\",\"signature\":\"c2ln\",\"header\":{\"kid\":\"x\"}}",
         LT_PEER_MALFORMED},
        {"{\"protected\":\"%s\",\"payload\":\"e30\",\"signature\":\"c2ln\",\"signatures\":[]}",
         LT_PEER_MALFORMED},
        {"{\"payload\":\"e30\",\"signatures\":[{\"protected\":\"%s\",\"signature\":\"c2ln\"}]}",
         LT_PEER_MALFORMED},
        {"{\"protected\":\"%s\",\"payload\":\"e30\",\"payload\":\"e30\",\"signature\":\"c2ln\"}",
         LT_PEER_MALFORMED},
        {"[{\"protected\":\"%s\",\"payload\":\"e30\",\"signature\":\"c2ln\"}]", LT_PEER_MALFORMED},
        {"%s.e30.c2ln", LT_PEER_MALFORMED}, /* compact */
        {"{\"protected\":\"%s\",\"payload\":\"e30\",\"signature\":\"c2ln\"", LT_PEER_MALFORMED},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        char text[1024];
        struct jws jws;
        char *head = b64(HEAD(KID));
        const char *at = strstr(rows[i].format, "%s");
        (void)snprintf(text, sizeof text, "%.*s%s%s", (int)(at - rows[i].format), rows[i].format, head,
                       at + 2);
        lt_res r = jws_parse(lt_slice_cstr(text), JWS_REQUEST, &arena, &jws);
        if (r.code != rows[i].code) {
            print_error("%s: %s\n", rows[i].format, lt_failed(r) ? lt_error_last()->detail : "accepted");
        }
        assert_int_equal(r.code, rows[i].code);
    }
}

/* The quick reader of the outermost layer: what it takes, and what it leaves to the JSON parser. */
static void quick_envelopes(void **state)
{
    (void)state;
    static const char *const taken[] = {
        "{\"protected\":\"a\",\"payload\":\"b-_\",\"signature\":\"c\"}",
        " \t\r\n{ \"signature\" : \"c\" ,\n\"protected\":\"a\" ,\"payload\":\"b-_\" } \n",
    };
    static const char *const left[] = {
        "",
        "{",
        "{}",
        "{\"protected\":\"a\",\"payload\":\"b\"}",
        "{\"protected\":\"a\",\"payload\":\"b\",\"signature\":\"c\"",
        "{\"protected\":\"a\",\"payload\":\"b\",\"signature\":\"c\"}}",
        "{\"protected\":\"a\",\"payload\":\"b\",\"signature\":\"c\",}",
        "{\"protected\":\"a\",\"payload\":\"b\",\"signature\":\"c\",\"x\":\"d\"}",
        "{\"protected\":\"a\",\"payload\":\"b\",\"payload\":\"c\"}",
        "{\"protected\":\"\",\"protected\":\"a\",\"payload\":\"c\"}",
        "{\"protected\":\"a\",\"payload\":\"b\",\"Signature\":\"c\"}",
        "{\"protected\":\"a\",\"payload\":\"b=\",\"signature\":\"c\"}",
        "{\"protected\":\"a\",\"payload\":\"\\u0062\",\"signature\":\"c\"}",
        "{\"protected\":\"a\",\"payload\":null,\"signature\":\"c\"}",
        "{\"protected\":\"a\",\"payload\":\"b\" \"signature\":\"c\"}",
        "{\"protected\":\"a\";\"payload\":\"b\",\"signature\":\"c\"}",
        "[\"protected\",\"payload\",\"signature\"]",
        "{\"protected\":\"a\",\"payload\":\"b\",\"signature\":\"c}",
        "\xef\xbb\xbf{\"protected\":\"a\",\"payload\":\"b\",\"signature\":\"c\"}",
    };
    struct jws_envelope e;
    for (size_t i = 0; i < LT_COUNT(taken); i++) {
        assert_true(jws_envelope_read(lt_slice_cstr(taken[i]), &e));
        assert_slice(e.protected, "a");
        assert_slice(e.payload, "b-_");
        assert_slice(e.signature, "c");
        for (size_t len = 0; len < strlen(taken[i]) - 2; len++) {
            assert_false(jws_envelope_read(LT_SLICE(taken[i], len), &e));
        }
    }
    for (size_t i = 0; i < LT_COUNT(left); i++) {
        assert_false(jws_envelope_read(lt_slice_cstr(left[i]), &e));
    }
    /* valid JSON in another form is still read, by the parser */
    char *text = lt_arena_printf(
        &arena, "{\"protected\":\"%s\",\"payl\\u006fad\":\"e30\",\"signature\":\"AA\"}", b64(HEAD(KID)));
    struct jws jws;
    assert_false(jws_envelope_read(lt_slice_cstr(text), &e));
    assert_ok(jws_parse(lt_slice_cstr(text), JWS_REQUEST, &arena, &jws));
    assert_slice(jws.payload, "{}");
}

static void limits(void **state)
{
    (void)state;
    struct jws jws;
    static char large[JWS_MAX_BYTES + 1];
    memset(large, ' ', sizeof large);
    assert_fails(jws_parse(LT_SLICE(large, sizeof large), JWS_REQUEST, &arena, &jws), LT_PEER_TOO_LARGE);
    static char head[JWS_HEADER_MAX_BYTES + 100];
    memset(head, 'A', sizeof head - 1);
    char *text = lt_arena_printf(&arena, "{\"protected\":\"%s\",\"payload\":\"\",\"signature\":\"AA\"}",
                                 head);
    assert_fails(jws_parse(lt_slice_cstr(text), JWS_REQUEST, &arena, &jws), LT_PEER_TOO_LARGE);
    char url[JWS_URL_MAX + 2];
    memset(url, 'u', sizeof url - 1);
    url[sizeof url - 1] = 0;
    text = lt_arena_printf(&arena, "{\"alg\":\"ES256\",\"nonce\":\"AA\",\"url\":\"%s\"" KID "}", url);
    assert_fails(jws_parse(with_header(text), JWS_REQUEST, &arena, &jws), LT_PEER_MALFORMED);
    /* an arena that is too small is the request's fault, and nothing worse */
    for (size_t max = 1; max < 4000; max += 7) {
        struct lt_arena small;
        lt_arena_init(&small, max);
        lt_res r = jws_parse(with_header(HEAD(",\"jwk\":" JWK_P256)), JWS_REQUEST, &small, &jws);
        assert_true(r.code == 0 || r.code == LT_PEER_TOO_LARGE);
        lt_arena_done(&small);
    }
}

/* Every bit of every part counts. */
static void flipped_bits(void **state)
{
    (void)state;
    LT_CLEANUP(crypto_key_freep) struct crypto_key *key = NULL;
    LT_CLEANUP(lt_buf_done) struct lt_buf out;
    lt_buf_init(&out, 16 * 1024);
    assert_ok(crypto_key_generate(CRYPTO_KEY_P256, 0, &key));
    struct jws_head head = {.nonce = LT_LIT("bm9uY2U"), .url = LT_LIT("https://a/x"), .kid = LT_LIT("k")};
    assert_ok(jws_sign(key, &head, LT_LIT("{\"a\":1}"), &out));
    LT_CLEANUP(crypto_pub_freep) struct crypto_pub *pub = NULL;
    assert_ok(crypto_pub_new(crypto_key_spki(key), &pub));
    for (size_t at = 0; at < out.len; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            struct jws jws;
            out.ptr[at] ^= (uint8_t)(1u << bit);
            lt_res r = jws_parse(lt_buf_slice(&out), JWS_REQUEST, &arena, &jws);
            if (!lt_failed(r)) {
                assert_fails(jws_verify(&jws, pub), LT_PEER_UNAUTHORIZED);
            }
            out.ptr[at] ^= (uint8_t)(1u << bit);
            lt_arena_reset(&arena);
        }
    }
}

static lt_slice binding_with(const char *header, lt_slice key)
{
    char *input = lt_arena_printf(&arena, "%s.%s", b64(header), b64(JWK_P256));
    uint8_t mac[32];
    crypto_hmac(CRYPTO_SHA256, key, lt_slice_cstr(input), mac);
    return lt_slice_cstr(
        lt_arena_printf(&arena, "{\"protected\":\"%s\",\"payload\":\"%s\",\"signature\":\"%s\"}", b64(header),
                        b64(JWK_P256), lt_base64url(&arena, LT_SLICE(mac, 32))));
}

static void bindings(void **state)
{
    (void)state;
    struct jws_binding binding;
    lt_slice key = LT_LIT("secret of the account");
    assert_ok(jws_binding_parse(binding_with("{\"alg\":\"HS256\",\"kid\":\"k1\",\"url\":\"u\"}", key), &arena,
                                &binding));
    assert_slice(binding.kid, "k1");
    assert_slice(binding.url, "u");
    assert_slice(binding.payload, JWK_P256);
    assert_ok(jws_binding_verify(&binding, key));
    assert_fails(jws_binding_verify(&binding, LT_LIT("another secret")), LT_PEER_UNAUTHORIZED);
    binding.hash = CRYPTO_SHA384;
    assert_fails(jws_binding_verify(&binding, key), LT_PEER_UNAUTHORIZED);
    static const char *const refused[] = {
        "{\"alg\":\"ES256\",\"kid\":\"k1\",\"url\":\"u\"}",
        "{\"alg\":\"none\",\"kid\":\"k1\",\"url\":\"u\"}",
        "{\"alg\":\"HS256\",\"url\":\"u\"}",
        "{\"alg\":\"HS256\",\"kid\":\"k1\"}",
        "{\"alg\":\"HS256\",\"kid\":\"k1\",\"url\":\"u\",\"nonce\":\"AA\"}",
        "{\"alg\":\"HS256\",\"kid\":\"k1\",\"url\":\"u\",\"crit\":[]}",
        "{\"kid\":\"k1\",\"url\":\"u\"}",
    };
    for (size_t i = 0; i < LT_COUNT(refused); i++) {
        assert_fails(jws_binding_parse(binding_with(refused[i], key), &arena, &binding), LT_PEER_MALFORMED);
    }
    /* RFC 7515 A.1, without its header, which has members that a binding does not */
    struct jws_binding rfc = {.hash = CRYPTO_SHA256, .signing_input = LT_LIT(RFC7515_MAC_INPUT)};
    lt_slice mac_key;
    assert_ok(lt_unbase64url(&arena, LT_LIT(RFC7515_MAC_KEY), &mac_key));
    assert_ok(lt_unbase64url(&arena, LT_LIT(RFC7515_MAC), &rfc.mac));
    assert_ok(jws_binding_verify(&rfc, mac_key));
}

static void algorithms_are_json(void **state)
{
    (void)state;
    LT_CLEANUP(jose_json_freep) json_t *list = NULL;
    assert_ok(jose_json_any(lt_slice_cstr(jws_algorithms_json), &list));
    assert_int_equal(json_array_size(list), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_signs),        cmocka_unit_test(es512_is_not_taken),
        cmocka_unit_test(large_rsa_is_not_taken), cmocka_unit_test(headers),
        cmocka_unit_test(inner_headers),          cmocka_unit_test(envelopes),
        cmocka_unit_test(quick_envelopes),        cmocka_unit_test(limits),
        cmocka_unit_test(flipped_bits),           cmocka_unit_test(bindings),
        cmocka_unit_test(algorithms_are_json),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
