/* CSRs, certificates and inner signatures, made with OpenSSL. */
#include "check.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509v3.h>

#include "../crypto/weak_keys.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "wire_site.h"

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

struct request {
    const char *key; /* "P-256", …, "RSA2048", "RSA1024", "ED25519" */
    const char *cn;  /* NULL: none */
    const char *san; /* OpenSSL's words; NULL: none */
    const char *more_name;
    const char *more_value;
};

static EVP_PKEY *make_key(const char *kind)
{
    if (strncmp(kind, "RSA", 3) == 0) {
        return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)strtoul(kind + 3, NULL, 10));
    }
    if (strcmp(kind, "ED25519") == 0) {
        return EVP_PKEY_Q_keygen(NULL, NULL, kind);
    }
    return EVP_PKEY_Q_keygen(NULL, NULL, "EC", kind);
}

static void add_extension(STACK_OF(X509_EXTENSION) * list, const char *name, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, NULL, NULL, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf(NULL, &ctx, name, value);
    assert_non_null(e);
    sk_X509_EXTENSION_push(list, e);
}

/* key: in the request; signer: whose signature it has. */
static lt_slice make_signed(const struct request *q, EVP_PKEY *key, EVP_PKEY *signer)
{
    X509_REQ *req = X509_REQ_new();
    STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
    if (q->cn != NULL) {
        X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(req), "CN", MBSTRING_UTF8,
                                   (const uint8_t *)q->cn, -1, -1, 0);
    }
    if (q->san != NULL) {
        add_extension(list, "subjectAltName", q->san);
    }
    if (q->more_name != NULL) {
        add_extension(list, q->more_name, q->more_value);
    }
    if (sk_X509_EXTENSION_num(list) > 0) {
        X509_REQ_add_extensions(req, list);
    }
    X509_REQ_set_pubkey(req, key);
    assert_true(X509_REQ_sign(req, signer, strcmp(q->key, "ED25519") == 0 ? NULL : EVP_sha256()) > 0);
    uint8_t *der = NULL;
    int len = i2d_X509_REQ(req, &der);
    lt_slice copy = lt_arena_copy(&arena, LT_SLICE(der, (size_t)len));
    OPENSSL_free(der);
    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
    X509_REQ_free(req);
    return copy;
}

static lt_slice make_csr(const struct request *q, EVP_PKEY *key)
{
    return make_signed(q, key, key);
}

static lt_res read_request(const struct request *q, EVP_PKEY *key, struct wire_reader *r,
                           Ipc__AcmeFinalize *m)
{
    *r = (struct wire_reader){.site = &test_site, .arena = &arena};
    ipc__acme_finalize__init(m);
    return wire_read_csr(r, make_csr(q, key), m);
}

static void good_requests(void **state)
{
    (void)state;
    static const struct {
        struct request q;
        const char *names; /* "type:value …" sorted */
        Ipc__KeyType type;
        uint32_t bits;
    } rows[] = {
        {{"P-256", NULL, "DNS:b.example.com,DNS:a.example.com", NULL, NULL},
         "dns:a.example.com dns:b.example.com ",
         IPC__KEY_TYPE__KEY_P256,
         256},
        {{"P-256", "A.example.com", "DNS:a.example.com", NULL, NULL},
         "dns:a.example.com ",
         IPC__KEY_TYPE__KEY_P256,
         256},
        {{"P-384", "c.example.com", NULL, NULL, NULL}, "dns:c.example.com ", IPC__KEY_TYPE__KEY_P384, 384},
        {{"P-521", "192.0.2.7", "IP:2001:db8::1,IP:192.0.2.7", NULL, NULL},
         "ip:192.0.2.7 ip:2001:db8::1 ",
         IPC__KEY_TYPE__KEY_P521,
         521},
        {{"RSA2048", NULL, "DNS:*.example.com", NULL, NULL},
         "dns:*.example.com ",
         IPC__KEY_TYPE__KEY_RSA,
         2048},
        {{"ED25519", NULL, "DNS:e.example.com", NULL, NULL},
         "dns:e.example.com ",
         IPC__KEY_TYPE__KEY_ED25519,
         256},
        {{"P-256", NULL, "DNS:a.example.com", "basicConstraints", "CA:FALSE"},
         "dns:a.example.com ",
         IPC__KEY_TYPE__KEY_P256,
         256},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        EVP_PKEY *key = make_key(rows[i].q.key);
        struct wire_reader r;
        Ipc__AcmeFinalize m;
        assert_ok(read_request(&rows[i].q, key, &r, &m));
        char names[512] = "";
        size_t at = 0;
        for (size_t n = 0; n < m.n_names; n++) {
            at += (size_t)snprintf(names + at, sizeof names - at, "%s:%s ", m.names[n]->type,
                                   m.names[n]->value);
        }
        assert_string_equal(names, rows[i].names);
        assert_int_equal(m.key->type, rows[i].type);
        assert_int_equal(m.key->bits, rows[i].bits);
        assert_false(m.must_staple);
        uint8_t hash[32];
        crypto_sha256(LT_SLICE(m.key->spki.data, m.key->spki.len), hash);
        assert_memory_equal(hash, m.key->spki_sha256.data, 32);
        assert_ok(jwk_thumbprint(LT_SLICE(m.key->spki.data, m.key->spki.len), hash));
        assert_memory_equal(hash, m.key_thumbprint.data, 32);
        EVP_PKEY_free(key);
    }
    EVP_PKEY *key = make_key("P-256");
    struct wire_reader r;
    Ipc__AcmeFinalize m;
    assert_ok(read_request(
        &(struct request){"P-256", NULL, "DNS:a.example.com", "tlsfeature", "status_request"}, key, &r, &m));
    assert_true(m.must_staple);
    EVP_PKEY_free(key);
}

static void bad_requests(void **state)
{
    (void)state;
    static const struct request rows[] = {
        {"P-256", NULL, NULL, NULL, NULL},
        {"P-256", "not a name", "DNS:a.example.com", NULL, NULL},
        {"P-256", "Example Incorporated", NULL, NULL, NULL},
        {"P-256", NULL, "email:a@example.com", NULL, NULL},
        {"P-256", NULL, "DNS:a.example.com,URI:https://a.example.com/", NULL, NULL},
        {"P-256", NULL, "DNS:-a.example.com", NULL, NULL},
        {"P-256", NULL, "DNS:a.example.com.", NULL, NULL},
        {"P-256", NULL, "DNS:xn--a.example.com", NULL, NULL},
        {"P-256", NULL, "DNS:a.example.com", "basicConstraints", "CA:TRUE"},
        {"RSA1024", NULL, "DNS:a.example.com", NULL, NULL},
        {"secp256k1", NULL, "DNS:a.example.com", NULL, NULL},
        {"P-224", NULL, "DNS:a.example.com", NULL, NULL},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        EVP_PKEY *key = make_key(rows[i].key);
        struct wire_reader r;
        Ipc__AcmeFinalize m;
        lt_res found = read_request(&rows[i], key, &r, &m);
        if (!lt_failed(found)) {
            print_error("row %zu is taken\n", i);
        }
        assert_string_equal(problem_type(&r, found), "badCSR");
        EVP_PKEY_free(key);
    }
}

static EVP_PKEY *rsa_of(const char *modulus, const char *exponent)
{
    EVP_PKEY *key = NULL;
    BIGNUM *n = NULL;
    BIGNUM *e = NULL;
    assert_true(BN_hex2bn(&n, modulus) > 0 && BN_hex2bn(&e, exponent) > 0);
    OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
    assert_true(OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, n) &&
                OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_E, e));
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(b);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    assert_true(EVP_PKEY_fromdata_init(ctx) > 0 &&
                EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) > 0);
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(b);
    BN_free(n);
    BN_free(e);
    return key;
}

/* The key is looked at before its signature, so the sentence is about the key. */
/*= CABF-BR 6.1.1.3 "The CA SHALL reject a certificate request if one or more of the following conditions
 *= are met" */
static void weak_keys(void **state)
{
    (void)state;
    static const struct {
        const char *modulus;
        const char *exponent;
        const char *why;
    } rows[] = {
        {modulus_roca, "010001", "ROCA"},
        {modulus_debian, "010001", "Debian"},
        {modulus_close, "010001", "too close"},
        {modulus_small, "010001", "factor below"},
        {modulus_good, "03", "exponent"},
        {modulus_good, "ffff", "exponent"},
        {modulus_good, "010000", "exponent"},
        {modulus_good, "010001", "signature"}, /* that key is sound: only another one signed */
    };
    const struct request q = {"RSA2048", NULL, "DNS:a.example.com", NULL, NULL};
    EVP_PKEY *signer = make_key("RSA2048");
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        EVP_PKEY *key = rsa_of(rows[i].modulus, rows[i].exponent);
        struct wire_reader r = {.site = &test_site, .arena = &arena};
        Ipc__AcmeFinalize m = IPC__ACME_FINALIZE__INIT;
        lt_res found = wire_read_csr(&r, make_signed(&q, key, signer), &m);
        assert_string_equal(problem_type(&r, found), "badCSR");
        const char *detail = wire_problem_of(&r, found)->detail;
        if (strstr(detail, rows[i].why) == NULL) {
            fail_msg("row %zu: %s", i, detail);
        }
        EVP_PKEY_free(key);
    }
    EVP_PKEY_free(signer);
}

/* Each bit of a request matters, except where the bytes say the same (they do not, in DER). */
static void flipped_bits(void **state)
{
    (void)state;
    EVP_PKEY *key = make_key("P-256");
    lt_slice good = make_csr(&(struct request){"P-256", NULL, "DNS:a.example.com", NULL, NULL}, key);
    uint8_t *bytes = malloc(good.len);
    for (size_t bit = 0; bit < good.len * 8; bit++) {
        struct lt_arena small;
        lt_arena_init(&small, 1 << 20);
        struct wire_reader r = {.site = &test_site, .arena = &small};
        Ipc__AcmeFinalize m = IPC__ACME_FINALIZE__INIT;
        memcpy(bytes, good.ptr, good.len);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        lt_res found = wire_read_csr(&r, LT_SLICE(bytes, good.len), &m);
        assert_string_equal(problem_type(&r, found), "badCSR");
        lt_arena_done(&small);
    }
    free(bytes);
    EVP_PKEY_free(key);
}

static lt_slice spki_of(EVP_PKEY *key)
{
    uint8_t *der = NULL;
    int len = i2d_PUBKEY(key, &der);
    lt_slice copy = lt_arena_copy(&arena, LT_SLICE(der, (size_t)len));
    OPENSSL_free(der);
    return copy;
}

/*= RFC 8555 11.1: no certificate for an account's key */
static void account_key_in_request(void **state)
{
    (void)state;
    EVP_PKEY *key = make_key("P-256");
    struct wire_reader r = {.site = &test_site, .arena = &arena, .signer_spki = spki_of(key)};
    Ipc__AcmeFinalize m = IPC__ACME_FINALIZE__INIT;
    lt_slice csr = make_csr(&(struct request){"P-256", NULL, "DNS:a.example.com", NULL, NULL}, key);
    assert_string_equal(problem_type(&r, wire_read_csr(&r, csr, &m)), "badCSR");
    EVP_PKEY_free(key);
}

static lt_slice make_certificate(EVP_PKEY *key)
{
    X509 *x = X509_new();
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 0xabcd);
    X509_gmtime_adj(X509_getm_notBefore(x), 0);
    X509_gmtime_adj(X509_getm_notAfter(x), 86400);
    X509_NAME_add_entry_by_txt(X509_get_issuer_name(x), "CN", MBSTRING_UTF8, (const uint8_t *)"Issuer", -1,
                               -1, 0);
    X509_set_pubkey(x, key);
    assert_true(X509_sign(x, key, EVP_sha256()) > 0);
    uint8_t *der = NULL;
    int len = i2d_X509(x, &der);
    lt_slice copy = lt_arena_copy(&arena, LT_SLICE(der, (size_t)len));
    OPENSSL_free(der);
    X509_free(x);
    return copy;
}

static lt_res read_revocation(struct wire_reader *r, lt_slice payload, int64_t account, lt_slice spki,
                              Ipc__AcmeCall *call)
{
    struct wire_target t;
    struct jws jws = {.nonce = LT_LIT("AA"), .url = LT_LIT("u"), .payload = payload};
    static const uint8_t thumbprint[32] = {1};
    *r = (struct wire_reader){.site = &test_site, .arena = &arena};
    LT_TRY(wire_find(LT_LIT("/acme/revoke-cert"), (lt_slice){0}, &arena, &t));
    LT_TRY(wire_begin_call(&arena, &jws, account, thumbprint, call));
    return wire_read_call(r, &t, &jws, spki, call);
}

static void revocations(void **state)
{
    (void)state;
    EVP_PKEY *key = make_key("P-256");
    EVP_PKEY *other = make_key("P-256");
    lt_slice der = make_certificate(key);
    char *b64 = lt_base64url(&arena, der);
    static const struct {
        const char *more;
        bool by_account;
        bool own_key;
        const char *problem;
        uint32_t reason;
    } rows[] = {
        {"", true, false, "", 0},
        {",\"reason\":0", true, false, "", 0},
        {",\"reason\":1", false, true, "", 1},
        {",\"reason\":4,\"other\":true", true, false, "", 4},
        {"", false, false, "unauthorized", 0},
        {",\"reason\":2", true, false, "badRevocationReason", 0},
        {",\"reason\":6", true, false, "badRevocationReason", 0},
        {",\"reason\":7", true, false, "badRevocationReason", 0},
        {",\"reason\":9", true, false, "badRevocationReason", 0},
        {",\"reason\":-1", true, false, "badRevocationReason", 0},
        {",\"reason\":4294967297", true, false, "badRevocationReason", 0},
        {",\"reason\":\"1\"", true, false, "malformed", 0},
        {",\"reason\":1.0", true, false, "malformed", 0},
        {",\"reason\":null", true, false, "malformed", 0},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct wire_reader r;
        Ipc__AcmeCall call;
        char *payload = lt_arena_printf(&arena, "{\"certificate\":\"%s\"%s}", b64, rows[i].more);
        lt_res found = read_revocation(&r, lt_slice_cstr(payload), rows[i].by_account ? 12 : 0,
                                       spki_of(rows[i].own_key ? key : other), &call);
        assert_string_equal(problem_type(&r, found), rows[i].problem);
        if (lt_failed(found)) {
            continue;
        }
        assert_int_equal(call.op, IPC__ACME_OP__ACME_REVOKE);
        assert_int_equal(call.revoke->reason, rows[i].reason);
        assert_int_equal(call.revoke->by_certificate_key, !rows[i].by_account);
        assert_int_equal(call.revoke->serial.len, 2);
        assert_memory_equal(call.revoke->serial.data, "\xab\xcd", 2);
        uint8_t hash[32];
        crypto_sha256(der, hash);
        assert_memory_equal(call.revoke->certificate_sha256.data, hash, 32);
        crypto_sha256(spki_of(key), hash);
        assert_memory_equal(call.revoke->spki_sha256.data, hash, 32);
    }
    EVP_PKEY_free(key);
    EVP_PKEY_free(other);
}

struct change {
    const char *payload; /* %s: the old JWK */
    const char *inner_url;
    bool broken;
    const char *problem;
};

static lt_slice make_inner(struct crypto_key *key, const struct change *c, const char *old_jwk)
{
    struct lt_buf out;
    lt_buf_init(&out, 16 * 1024);
    const char *at = strstr(c->payload, "%s");
    char *payload = at == NULL ? lt_arena_cstr(&arena, lt_slice_cstr(c->payload))
                               : lt_arena_printf(&arena, "%.*s%s%s", (int)(at - c->payload), c->payload,
                                                 old_jwk, at + 2);
    struct jws_head head = {.url = lt_slice_cstr(c->inner_url)};
    assert_ok(jws_sign(key, &head, lt_slice_cstr(payload), &out));
    if (c->broken) {
        out.ptr[out.len - 6] = out.ptr[out.len - 6] == 'A' ? 'B' : 'A';
    }
    lt_slice copy = lt_arena_copy(&arena, lt_buf_slice(&out));
    lt_buf_done(&out);
    return copy;
}

static void key_changes(void **state)
{
    (void)state;
    static const char url[] = BASE "/acme/key-change";
    static const struct change rows[] = {
        {"{\"account\":\"" BASE "/acme/account/12\",\"oldKey\":%s}", BASE "/acme/key-change", false, ""},
        {"{\"account\":\"" BASE "/acme/account/13\",\"oldKey\":%s}", BASE "/acme/key-change", false,
         "malformed"},
        {"{\"account\":\"12\",\"oldKey\":%s}", BASE "/acme/key-change", false, "malformed"},
        {"{\"oldKey\":%s}", BASE "/acme/key-change", false, "malformed"},
        {"{\"account\":\"" BASE "/acme/account/12\"}", BASE "/acme/key-change", false, "malformed"},
        {"{\"account\":\"" BASE "/acme/account/12\",\"oldKey\":{}}", BASE "/acme/key-change", false,
         "malformed"},
        {"{\"account\":\"" BASE "/acme/account/12\",\"oldKey\":%s}", BASE "/acme/new-order", false,
         "malformed"},
        {"{\"account\":\"" BASE "/acme/account/12\",\"oldKey\":%s}", BASE "/acme/key-change", true,
         "malformed"},
        {"[]", BASE "/acme/key-change", false, "malformed"},
    };
    struct crypto_key *old_key = NULL;
    struct crypto_key *new_key = NULL;
    struct lt_buf jwk;
    assert_ok(crypto_key_generate(CRYPTO_KEY_P256, 0, &old_key));
    assert_ok(crypto_key_generate(CRYPTO_KEY_ED25519, 0, &new_key));
    lt_buf_init(&jwk, 4096);
    assert_ok(jwk_write(crypto_key_spki(old_key), &jwk));
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct wire_target t;
        static const uint8_t thumbprint[32] = {1};
        struct wire_reader r = {.site = &test_site, .arena = &arena};
        Ipc__AcmeCall call;
        struct jws outer = {.nonce = LT_LIT("AA"),
                            .url = lt_slice_cstr(url),
                            .kid = LT_LIT(BASE "/acme/account/12"),
                            .payload = make_inner(new_key, &rows[i], lt_buf_cstr(&jwk))};
        assert_ok(wire_find(LT_LIT("/acme/key-change"), (lt_slice){0}, &arena, &t));
        assert_ok(wire_begin_call(&arena, &outer, 12, thumbprint, &call));
        lt_res found = wire_read_call(&r, &t, &outer, crypto_key_spki(old_key), &call);
        assert_string_equal(problem_type(&r, found), rows[i].problem);
        if (!lt_failed(found)) {
            uint8_t print[32];
            assert_ok(jwk_thumbprint(crypto_key_spki(new_key), print));
            assert_memory_equal(call.key_change->new_thumbprint.data, print, 32);
            assert_ok(jwk_thumbprint(crypto_key_spki(old_key), print));
            assert_memory_equal(call.key_change->old_thumbprint.data, print, 32);
            assert_string_equal(call.key_change->new_alg, "EdDSA");
            assert_int_equal(call.key_change->new_key->type, IPC__KEY_TYPE__KEY_ED25519);
        }
        /* with another account key the oldKey is a lie */
        assert_true(lt_failed(wire_read_call(&r, &t, &outer, crypto_key_spki(new_key), &call)));
    }
    lt_buf_done(&jwk);
    crypto_key_free(old_key);
    crypto_key_free(new_key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_requests),
        cmocka_unit_test(bad_requests),
        cmocka_unit_test(weak_keys),
        cmocka_unit_test(flipped_bits),
        cmocka_unit_test(account_key_in_request),
        cmocka_unit_test(revocations),
        cmocka_unit_test(key_changes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
