/* See found.h. Numbers go through OpenSSL's BIGNUM and EC_POINT alone: no decoder of its sees a byte. */
#include "crypto/found.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>
#include <string.h>

enum { POINT_MAX = 133, SEED_LEN = 32 };

static lt_res write_spki(const struct x509_spki *numbers, struct lt_arena *a, lt_slice *ret_spki)
{
    LT_CLEANUP(lt_buf_done) struct lt_buf out;
    struct der_writer w;
    lt_buf_init(&out, 8192);
    der_write_init(&w, &out);
    x509_spki_write(&w, numbers);
    LT_TRY(der_write_done(&w));
    *ret_spki = lt_arena_copy(a, lt_buf_slice(&out));
    LT_CHECK(ret_spki->ptr != NULL, LT_PEER_TOO_LARGE, "a key over the limit");
    return LT_OK;
}

/* ---- one statement ---- */

static EVP_PKEY *import(const char *kind, OSSL_PARAM_BLD *build)
{
    EVP_PKEY *key = NULL;
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
    LT_ASSERT(params != NULL && ctx != NULL);
    if (EVP_PKEY_fromdata_init(ctx) != 1 || EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) != 1) {
        key = NULL;
    }
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params); /* what is in it of a BIGNUM of ours is cleansed there */
    return key;
}

/* Takes over the key. */
static void sign(EVP_PKEY *key, const char *digest, struct crypto_found *f)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t len = sizeof f->signature;
    LT_ASSERT(ctx != NULL);
    bool ok = key != NULL && EVP_DigestSignInit_ex(ctx, NULL, digest, NULL, NULL, key, NULL) == 1 &&
              EVP_DigestSign(ctx, f->signature, &len, f->message.ptr, f->message.len) == 1;
    f->signature_len = ok ? len : 0;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    ERR_clear_error();
}

/* ---- curves ---- */

static const struct {
    enum x509_key_type type;
    int nid;
} curves[] = {
    {X509_KEY_P256, NID_X9_62_prime256v1}, {X509_KEY_P384, NID_secp384r1}, {X509_KEY_P521, NID_secp521r1}};

static EC_GROUP *group_of(enum x509_key_type type)
{
    for (size_t i = 0; i < LT_COUNT(curves); i++) {
        if (curves[i].type == type) {
            EC_GROUP *g = EC_GROUP_new_by_curve_name(curves[i].nid);
            LT_ASSERT(g != NULL);
            return g;
        }
    }
    return NULL;
}

static lt_res write_point(enum x509_key_type type, const EC_GROUP *g, const EC_POINT *point,
                          point_conversion_form_t form, struct lt_arena *a, lt_slice *ret_spki)
{
    uint8_t bytes[POINT_MAX];
    size_t len = EC_POINT_point2oct(g, point, form, bytes, sizeof bytes, NULL);
    LT_CHECK(len > 1, LT_PEER_MALFORMED, "a key that is the point at infinity");
    const struct x509_spki numbers = {.type = type, .point = LT_SLICE(bytes, len)};
    return write_spki(&numbers, a, ret_spki);
}

static void sign_ec(enum x509_key_type type, const BIGNUM *d, struct crypto_found *f)
{
    struct x509_spki spki;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    LT_ASSERT(build != NULL);
    if (!lt_failed(x509_spki_parse(f->spki, &spki)) &&
        OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, x509_key_type_name(type), 0) ==
            1 &&
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, spki.point.ptr, spki.point.len) ==
            1 &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, d) == 1) {
        sign(import("EC", build), "SHA256", f);
    }
    OSSL_PARAM_BLD_free(build);
}

lt_res crypto_found_from_ec(enum x509_key_type curve, lt_slice d, struct lt_arena *a, struct crypto_found *f)
{
    EC_GROUP *g = group_of(curve);
    LT_CHECK(g != NULL, LT_PEER_UNSUPPORTED, "a private key on a curve that is not known here");
    BIGNUM *number = d.len > POINT_MAX ? NULL : BN_secure_new();
    EC_POINT *point = EC_POINT_new(g);
    LT_ASSERT(point != NULL);
    lt_res r = LT_OK;
    if (number == NULL || BN_bin2bn(d.ptr, (int)d.len, number) == NULL || BN_is_zero(number) ||
        BN_cmp(number, EC_GROUP_get0_order(g)) >= 0) {
        r = lt_fail(LT_PEER_MALFORMED, __FILE__, __LINE__, "a private number that is not of its curve");
    } else {
        LT_ASSERT(EC_POINT_mul(g, point, number, NULL, NULL, NULL) == 1);
        r = write_point(curve, g, point, POINT_CONVERSION_UNCOMPRESSED, a, &f->spki);
    }
    if (!lt_failed(r) && f->message.len > 0) {
        sign_ec(curve, number, f);
    }
    BN_clear_free(number);
    EC_POINT_free(point);
    EC_GROUP_free(g);
    ERR_clear_error();
    return r;
}

lt_res crypto_found_from_ed25519(lt_slice seed, struct lt_arena *a, struct crypto_found *f)
{
    uint8_t point[SEED_LEN];
    size_t len = sizeof point;
    LT_CHECK(seed.len == SEED_LEN, LT_PEER_MALFORMED, "an Ed25519 key of %zu bytes", seed.len);
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL, seed.ptr, seed.len);
    bool ok = key != NULL && EVP_PKEY_get_raw_public_key(key, point, &len) == 1;
    if (ok && f->message.len > 0) {
        sign(LT_TAKE(key, NULL), NULL, f);
    }
    EVP_PKEY_free(key);
    ERR_clear_error();
    LT_CHECK(ok && len == sizeof point, LT_PEER_MALFORMED, "an Ed25519 key that is none");
    const struct x509_spki numbers = {.type = X509_KEY_ED25519, .point = LT_SLICE(point, len)};
    return write_spki(&numbers, a, &f->spki);
}

/* ---- RSA ---- */

static BIGNUM *number(lt_slice bytes)
{
    BIGNUM *n = BN_bin2bn(bytes.ptr, (int)bytes.len, NULL);
    LT_ASSERT(n != NULL);
    return n;
}

static bool factors(const BIGNUM *n, lt_slice p_bytes, lt_slice q_bytes, BN_CTX *ctx)
{
    BIGNUM *p = number(p_bytes);
    BIGNUM *q = number(q_bytes);
    BIGNUM *product = BN_new();
    LT_ASSERT(product != NULL && BN_mul(product, p, q, ctx) == 1);
    bool fit = !BN_is_zero(p) && !BN_is_one(p) && !BN_is_one(q) && BN_cmp(product, n) == 0;
    BN_clear_free(p);
    BN_clear_free(q);
    BN_clear_free(product);
    return fit;
}

/* 2 and 3, raised to e and then to d, are themselves again. Whoever finds such a d for a modulus has its
 * factors: e d - 1 is a multiple of their orders. */
static bool inverts(const BIGNUM *n, const BIGNUM *e, lt_slice d_bytes, BN_CTX *ctx)
{
    BIGNUM *d = number(d_bytes);
    BIGNUM *x = BN_new();
    BIGNUM *y = BN_new();
    LT_ASSERT(x != NULL && y != NULL);
    bool fit = !BN_is_zero(d) && BN_cmp(d, n) < 0;
    for (BN_ULONG base = 2; base <= 3 && fit; base++) {
        fit = BN_set_word(x, base) == 1 && BN_mod_exp(y, x, e, n, ctx) == 1 &&
              BN_mod_exp(y, y, d, n, ctx) == 1 && BN_cmp(x, y) == 0;
    }
    BN_clear_free(d);
    BN_clear_free(x);
    BN_clear_free(y);
    return fit;
}

static lt_slice trim(lt_slice bytes)
{
    while (bytes.len > 0 && bytes.ptr[0] == 0) {
        bytes = lt_slice_sub(bytes, 1, SIZE_MAX);
    }
    return bytes;
}

static void sign_rsa(const BIGNUM *n, const BIGNUM *e, lt_slice d_bytes, struct crypto_found *f)
{
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    BIGNUM *d = BN_secure_new();
    LT_ASSERT(build != NULL && d != NULL);
    if (BN_bin2bn(d_bytes.ptr, (int)d_bytes.len, d) != NULL &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1 &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_D, d) == 1) {
        sign(import("RSA", build), "SHA256", f);
    }
    OSSL_PARAM_BLD_free(build);
    BN_clear_free(d);
}

lt_res crypto_found_from_rsa(const struct crypto_found_rsa *given, struct lt_arena *a,
                             struct crypto_found *ret)
{
    const struct crypto_found_rsa f = {trim(given->n), trim(given->e), trim(given->d), trim(given->p),
                                       trim(given->q)};
    enum { MOST = CRYPTO_FOUND_RSA_BITS_MAX / 8 };
    LT_CHECK(f.n.len >= CRYPTO_FOUND_RSA_BITS_MIN / 8 && f.n.len <= MOST, LT_PEER_UNSUPPORTED,
             "an RSA key of %zu bits; %d to %d are computed with", f.n.len * 8, CRYPTO_FOUND_RSA_BITS_MIN,
             CRYPTO_FOUND_RSA_BITS_MAX);
    LT_CHECK(f.e.len > 0 && f.e.len <= 32 && f.d.len <= MOST && f.p.len <= MOST && f.q.len <= MOST,
             LT_PEER_MALFORMED, "numbers that no RSA key has");
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *n = number(f.n);
    BIGNUM *e = number(f.e);
    LT_ASSERT(ctx != NULL);
    bool sane = BN_is_odd(n) && BN_is_odd(e) && !BN_is_one(e);
    bool whole = sane && inverts(n, e, f.d, ctx);
    bool fit = whole || (sane && factors(n, f.p, f.q, ctx));
    if (whole && ret->message.len > 0) {
        sign_rsa(n, e, f.d, ret);
    }
    BN_free(n);
    BN_free(e);
    BN_CTX_free(ctx);
    ERR_clear_error();
    LT_CHECK(fit, LT_PEER_UNAUTHORIZED, "neither factors nor private exponent belong to the RSA modulus");
    const struct x509_spki numbers = {.type = X509_KEY_RSA, .modulus = f.n, .exponent = f.e};
    return write_spki(&numbers, a, &ret->spki);
}

/* ---- DER ---- */

/* RSAPrivateKey ::= SEQUENCE { version, n, e, d, p, q, exponent1, exponent2, coefficient, … } */
static lt_res read_pkcs1(lt_slice der, struct lt_arena *a, struct crypto_found *ret)
{
    struct crypto_found_rsa f;
    struct der_cursor c = der_open(der);
    struct der_cursor seq = der_enter(&c, DER_SEQUENCE);
    (void)der_small(&seq, 1);
    f.n = der_unsigned(&seq);
    f.e = der_unsigned(&seq);
    f.d = der_unsigned(&seq);
    f.p = der_unsigned(&seq);
    f.q = der_unsigned(&seq);
    LT_CHECK(der_ok(&seq), LT_PEER_MALFORMED, "RSA private key: %s", seq.why);
    return crypto_found_from_rsa(&f, a, ret);
}

static enum x509_key_type curve_of(enum x509_oid oid)
{
    static const struct {
        enum x509_oid oid;
        enum x509_key_type type;
    } named[] = {
        {X509_OID_P256, X509_KEY_P256}, {X509_OID_P384, X509_KEY_P384}, {X509_OID_P521, X509_KEY_P521}};
    for (size_t i = 0; i < LT_COUNT(named); i++) {
        if (named[i].oid == oid) {
            return named[i].type;
        }
    }
    return X509_KEY_UNKNOWN;
}

/* ECParameters ::= CHOICE { namedCurve OBJECT IDENTIFIER, … } */
static lt_res read_curve(struct der_cursor *c, enum x509_key_type *ret_type)
{
    LT_CHECK(!der_is_next(c, DER_SEQUENCE), LT_PEER_UNSUPPORTED,
             "a curve given by explicit parameters, with which any key could be made to fit");
    *ret_type = curve_of(x509_oid_find(der_oid(c)));
    return LT_OK;
}

/* ECPrivateKey ::= SEQUENCE { version 1, privateKey OCTET STRING, parameters [0] OPTIONAL, publicKey [1]
 * OPTIONAL } Its public key is not read: it may be anybody's. */
static lt_res read_sec1(lt_slice der, enum x509_key_type type, struct lt_arena *a, struct crypto_found *ret)
{
    struct der_cursor c = der_open(der);
    struct der_cursor seq = der_enter(&c, DER_SEQUENCE);
    (void)der_small(&seq, 1);
    lt_slice d = der_octets(&seq);
    if (type == X509_KEY_UNKNOWN && der_is_next(&seq, DER_CONTEXT_CONS(0))) {
        struct der_cursor parameters = der_enter(&seq, DER_CONTEXT_CONS(0));
        LT_TRY(read_curve(&parameters, &type));
    }
    LT_CHECK(der_ok(&seq), LT_PEER_MALFORMED, "EC private key: %s", seq.why);
    return crypto_found_from_ec(type, d, a, ret);
}

/* PrivateKeyInfo ::= SEQUENCE { version, AlgorithmIdentifier, privateKey OCTET STRING, … } */
static lt_res read_pkcs8(lt_slice der, struct lt_arena *a, struct crypto_found *ret)
{
    enum x509_key_type curve = X509_KEY_UNKNOWN;
    struct der_cursor c = der_open(der);
    struct der_cursor seq = der_enter(&c, DER_SEQUENCE);
    (void)der_small(&seq, 1);
    struct der_cursor alg = der_enter(&seq, DER_SEQUENCE);
    enum x509_oid oid = x509_oid_find(der_oid(&alg));
    lt_slice inner = der_octets(&seq);
    LT_CHECK(der_ok(&seq) && der_ok(&alg), LT_PEER_MALFORMED, "PKCS #8 private key: %s",
             der_ok(&seq) ? alg.why : seq.why);
    if (oid == X509_OID_RSA || oid == X509_OID_RSA_PSS) {
        return read_pkcs1(inner, a, ret);
    }
    if (oid == X509_OID_EC) {
        LT_TRY(read_curve(&alg, &curve));
        return read_sec1(inner, curve, a, ret);
    }
    LT_CHECK(oid == X509_OID_ED25519, LT_PEER_UNSUPPORTED, "a private key of a kind that is not known here");
    struct der_cursor octets = der_open(inner);
    return crypto_found_from_ed25519(der_octets(&octets), a, ret);
}

lt_res crypto_found_der(lt_slice der, struct lt_arena *a, struct crypto_found *ret_found)
{
    struct der_cursor c = der_open(der);
    struct der_cursor seq = der_enter(&c, DER_SEQUENCE);
    uint64_t version = der_small(&seq, 1);
    uint32_t next = der_peek(&seq);
    LT_CHECK(der_ok(&seq), LT_PEER_NOT_FOUND, "no private key");
    if (next == DER_SEQUENCE) {
        ret_found->form = "PKCS #8";
        return read_pkcs8(der, a, ret_found);
    }
    if (next == DER_OCTET_STRING && version == 1) {
        ret_found->form = "SEC 1";
        return read_sec1(der, X509_KEY_UNKNOWN, a, ret_found);
    }
    LT_CHECK(next == DER_INTEGER, LT_PEER_NOT_FOUND, "no private key");
    ret_found->form = "PKCS #1";
    return read_pkcs1(der, a, ret_found);
}

/* ---- one form ---- */

/* SubjectPublicKeyInfo ::= SEQUENCE { algorithm, subjectPublicKey } of a kind that x509/spki.h does not know.
 */
static lt_res normal_unknown(const struct x509_spki *spki, struct lt_arena *a, lt_slice *ret_spki)
{
    struct der_cursor c = der_open(spki->algorithm);
    struct der_cursor alg = der_enter(&c, DER_SEQUENCE);
    enum x509_oid oid = x509_oid_find(der_oid(&alg));
    LT_CHECK(oid != X509_OID_EC || der_is_next(&alg, DER_OID), LT_PEER_UNSUPPORTED,
             "a curve given by explicit parameters, with which any key could be made to fit");
    *ret_spki = spki->der;
    if (oid != X509_OID_RSA_PSS) {
        return LT_OK;
    }
    struct x509_spki rsa = {.type = X509_KEY_RSA};
    struct der_cursor key = der_open(spki->key);
    struct der_cursor seq = der_enter(&key, DER_SEQUENCE);
    rsa.modulus = der_unsigned(&seq);
    rsa.exponent = der_unsigned(&seq);
    LT_CHECK(der_ok(&seq), LT_PEER_MALFORMED, "RSA public key: %s", seq.why);
    return write_spki(&rsa, a, ret_spki);
}

static lt_res convert_point(const struct x509_spki *spki, point_conversion_form_t form, struct lt_arena *a,
                            lt_slice *ret_spki)
{
    EC_GROUP *g = group_of(spki->type);
    LT_ASSERT(g != NULL);
    EC_POINT *point = EC_POINT_new(g);
    LT_ASSERT(point != NULL);
    lt_res r = LT_OK;
    if (EC_POINT_oct2point(g, point, spki->point.ptr, spki->point.len, NULL) == 1) {
        r = write_point(spki->type, g, point, form, a, ret_spki);
    } else {
        r = lt_fail(LT_PEER_MALFORMED, __FILE__, __LINE__, "a public key that is no point of its curve");
    }
    EC_POINT_free(point);
    EC_GROUP_free(g);
    ERR_clear_error();
    return r;
}

lt_res crypto_spki_normal(const struct x509_spki *spki, struct lt_arena *a, lt_slice *ret_spki)
{
    switch (spki->type) {
    case X509_KEY_RSA:
    case X509_KEY_ED25519:
        return write_spki(spki, a, ret_spki);
    case X509_KEY_P256:
    case X509_KEY_P384:
    case X509_KEY_P521:
        return convert_point(spki, POINT_CONVERSION_UNCOMPRESSED, a, ret_spki);
    case X509_KEY_UNKNOWN:
        break;
    }
    return normal_unknown(spki, a, ret_spki);
}

lt_res crypto_spki_compressed(const struct x509_spki *spki, struct lt_arena *a, lt_slice *ret_spki)
{
    bool curve = spki->type != X509_KEY_UNKNOWN && spki->type != X509_KEY_RSA &&
                 spki->type != X509_KEY_ED25519;
    *ret_spki = LT_SLICE(NULL, 0);
    return curve ? convert_point(spki, POINT_CONVERSION_COMPRESSED, a, ret_spki) : LT_OK;
}
