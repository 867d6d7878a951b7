/* Signatures of any age, checked once, by keys imported from their numbers. */
#include "crypto/verify.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <string.h>

#include "der/reader.h"

enum kind { KIND_RSA, KIND_PSS, KIND_EC, KIND_DSA, KIND_ED25519 };
enum { NUMBER_MAX = 2048, POINT_MAX = 133 }; /* bytes of a modulus or prime, of a point */

#define OID(bytes_) (bytes_), sizeof(bytes_) - 1
static const struct signing {
    const char *oid;
    size_t oid_len;
    enum kind kind;
    const char *digest; /* NULL: by the parameters, or none */
} signings[] = {
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04"), KIND_RSA, "MD5"},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05"), KIND_RSA, "SHA1"},
    {OID("\x2b\x0e\x03\x02\x1d"), KIND_RSA, "SHA1"}, /* ISO's name for the same */
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"), KIND_RSA, "SHA256"},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c"), KIND_RSA, "SHA384"},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d"), KIND_RSA, "SHA512"},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"), KIND_PSS, NULL},
    {OID("\x2a\x86\x48\xce\x38\x04\x03"), KIND_DSA, "SHA1"},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x02"), KIND_DSA, "SHA256"},
    {OID("\x2a\x86\x48\xce\x3d\x04\x01"), KIND_EC, "SHA1"},
    {OID("\x2a\x86\x48\xce\x3d\x04\x03\x02"), KIND_EC, "SHA256"},
    {OID("\x2a\x86\x48\xce\x3d\x04\x03\x03"), KIND_EC, "SHA384"},
    {OID("\x2a\x86\x48\xce\x3d\x04\x03\x04"), KIND_EC, "SHA512"},
    {OID("\x2b\x65\x70"), KIND_ED25519, NULL},
};

static const struct curve {
    const char *oid;
    size_t oid_len;
    const char *group;
} curves[] = {
    {OID("\x2b\x81\x04\x00\x21"), "P-224"},
    {OID("\x2a\x86\x48\xce\x3d\x03\x01\x07"), "P-256"},
    {OID("\x2b\x81\x04\x00\x22"), "P-384"},
    {OID("\x2b\x81\x04\x00\x23"), "P-521"},
};

static const struct signing *signing_find(lt_slice oid)
{
    for (size_t i = 0; i < LT_COUNT(signings); i++) {
        if (lt_slice_eq(oid, LT_SLICE(signings[i].oid, signings[i].oid_len))) {
            return &signings[i];
        }
    }
    return NULL;
}

static EVP_PKEY *import(const char *kind, OSSL_PARAM *params)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
    if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        key = NULL;
    }
    EVP_PKEY_CTX_free(ctx);
    return key;
}

struct number {
    const char *name; /* of the OSSL_PARAM */
    lt_slice magnitude;
};

static EVP_PKEY *import_numbers(const char *kind, const struct number *numbers, size_t count)
{
    BIGNUM *big[4] = {NULL};
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    LT_ASSERT(build != NULL && count <= LT_COUNT(big));
    bool ok = true;
    for (size_t i = 0; i < count && ok; i++) {
        lt_slice m = numbers[i].magnitude;
        ok = m.len > 0 && m.len <= NUMBER_MAX;
        big[i] = ok ? BN_bin2bn(m.ptr, (int)m.len, NULL) : NULL;
        ok = ok && big[i] != NULL && OSSL_PARAM_BLD_push_BN(build, numbers[i].name, big[i]) == 1;
    }
    OSSL_PARAM *params = ok ? OSSL_PARAM_BLD_to_param(build) : NULL;
    EVP_PKEY *key = params == NULL ? NULL : import(kind, params);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    for (size_t i = 0; i < count; i++) {
        BN_free(big[i]);
    }
    return key;
}

/* Parameters: the name of the curve. */
static EVP_PKEY *import_ec(const struct x509_spki *spki)
{
    struct der_cursor c = der_open(spki->algorithm);
    struct der_cursor alg = der_enter(&c, DER_SEQUENCE);
    (void)der_oid(&alg);
    lt_slice oid = der_oid(&alg);
    const struct curve *curve = NULL;
    for (size_t i = 0; i < LT_COUNT(curves) && der_ok(&alg); i++) {
        curve = lt_slice_eq(oid, LT_SLICE(curves[i].oid, curves[i].oid_len)) ? &curves[i] : curve;
    }
    uint8_t point[POINT_MAX];
    char group[8];
    if (curve == NULL || spki->key.len > sizeof point || spki->key.len == 0) {
        return NULL;
    }
    memcpy(point, spki->key.ptr, spki->key.len);
    memcpy(group, curve->group, sizeof "P-256");
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, spki->key.len),
        OSSL_PARAM_construct_end(),
    };
    return import("EC", params);
}

/* Dss-Parms ::= SEQUENCE { p, q, g INTEGER }; the key is an INTEGER. */
static EVP_PKEY *import_dsa(const struct x509_spki *spki)
{
    struct der_cursor c = der_open(spki->algorithm);
    struct der_cursor alg = der_enter(&c, DER_SEQUENCE);
    (void)der_oid(&alg);
    struct der_cursor dss = der_enter(&alg, DER_SEQUENCE);
    struct number numbers[4] = {{.name = OSSL_PKEY_PARAM_FFC_P},
                                {.name = OSSL_PKEY_PARAM_FFC_Q},
                                {.name = OSSL_PKEY_PARAM_FFC_G},
                                {.name = OSSL_PKEY_PARAM_PUB_KEY}};
    for (size_t i = 0; i < 3; i++) {
        numbers[i].magnitude = der_unsigned(&dss);
    }
    struct der_cursor key = der_open(spki->key);
    numbers[3].magnitude = der_unsigned(&key);
    return der_ok(&dss) && der_ok(&key) ? import_numbers("DSA", numbers, 4) : NULL;
}

static EVP_PKEY *import_key(const struct x509_spki *spki, enum kind kind)
{
    const struct number rsa[] = {{OSSL_PKEY_PARAM_RSA_N, spki->modulus},
                                 {OSSL_PKEY_PARAM_RSA_E, spki->exponent}};
    switch (kind) {
    case KIND_RSA:
    case KIND_PSS:
        return spki->type == X509_KEY_RSA ? import_numbers("RSA", rsa, LT_COUNT(rsa)) : NULL;
    case KIND_EC:
        return import_ec(spki);
    case KIND_DSA:
        return import_dsa(spki);
    case KIND_ED25519:
        return spki->type == X509_KEY_ED25519
                   ? EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, spki->key.ptr, spki->key.len)
                   : NULL;
    }
    return NULL;
}

/* RSASSA-PSS-params ::= SEQUENCE { hash [0], mask [1] MGF1 of the same hash, salt [2] of the hash's length },
 * as CABF-BR 7.1.3.2.1 writes them out: they differ in two bytes of the hash and one of the salt. */
static const char *pss_digest(lt_slice params)
{
    static const struct {
        uint8_t hash;
        uint8_t salt;
        const char *name;
    } sizes[] = {{1, 32, "SHA256"}, {2, 48, "SHA384"}, {3, 64, "SHA512"}};
    for (size_t i = 0; i < LT_COUNT(sizes); i++) {
        uint8_t want[] = {0x30, 0x34, 0xa0, 0x0f, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03,
                          0x04, 0x02, 0x00, 0x05, 0x00, 0xa1, 0x1c, 0x30, 0x1a, 0x06, 0x09, 0x2a, 0x86, 0x48,
                          0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                          0x65, 0x03, 0x04, 0x02, 0x00, 0x05, 0x00, 0xa2, 0x03, 0x02, 0x01, 0x00};
        want[16] = want[46] = sizes[i].hash;
        want[53] = sizes[i].salt;
        if (lt_slice_eq(params, LT_SLICE(want, sizeof want))) {
            return sizes[i].name;
        }
    }
    return NULL;
}

static bool check(EVP_PKEY *key, const struct signing *how, const char *digest, lt_slice message,
                  lt_slice signature)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL; /* ctx's */
    bool ok = ctx != NULL && EVP_DigestVerifyInit_ex(ctx, &pctx, digest, NULL, NULL, key, NULL) == 1;
    if (ok && how->kind == KIND_PSS) {
        ok = EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) == 1 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) == 1;
    }
    ok = ok && EVP_DigestVerify(ctx, signature.ptr, signature.len, message.ptr, message.len) == 1;
    EVP_MD_CTX_free(ctx);
    return ok;
}

bool crypto_verify_any(const struct x509_spki *spki, lt_slice sig_alg, lt_slice message, lt_slice signature)
{
    struct der_cursor c = der_open(sig_alg);
    struct der_cursor alg = der_enter(&c, DER_SEQUENCE);
    const struct signing *how = signing_find(der_oid(&alg));
    if (!der_ok(&alg) || how == NULL) {
        return false;
    }
    const char *digest = how->digest;
    if (how->kind == KIND_PSS) {
        digest = pss_digest(der_read_whole(&alg, DER_SEQUENCE));
        if (digest == NULL) {
            return false;
        }
    }
    EVP_PKEY *key = import_key(spki, how->kind);
    bool good = key != NULL && check(key, how, digest, message, signature);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return good;
}
