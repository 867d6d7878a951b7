/* Signatures of any age, checked once. Which hash and which kind of key an algorithm stands for is OpenSSL's
 * to know; keys of the usual kinds are imported from their numbers, which takes less time than decoding. */
#include "crypto/verify.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/dsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#include "der/reader.h"

enum { NUMBER_MAX = 2048, POINT_MAX = 133 }; /* bytes of a modulus, of a point */

struct how {
    int key;            /* NID of the kind of key */
    const char *digest; /* NULL: the algorithm has its own */
    const char *mask;   /* RSASSA-PSS: the hash in MGF1 */
    int salt;
};

/* of an OBJECT IDENTIFIER at the beginning of an AlgorithmIdentifier */
static int algorithm_nid(lt_slice algorithm)
{
    const uint8_t *at = algorithm.ptr;
    X509_ALGOR *a = algorithm.len == 0 ? NULL : d2i_X509_ALGOR(NULL, &at, (long)algorithm.len);
    int nid = a == NULL ? NID_undef : OBJ_obj2nid(a->algorithm);
    X509_ALGOR_free(a);
    return nid;
}

static const char *digest_name(lt_slice algorithm)
{
    int nid = algorithm_nid(algorithm);
    return nid == NID_undef ? NULL : OBJ_nid2sn(nid);
}

/* RSASSA-PSS-params ::= SEQUENCE { hashAlgorithm [0] DEFAULT sha1, maskGenAlgorithm [1] DEFAULT mgf1SHA1,
 * saltLength [2] INTEGER DEFAULT 20, trailerField [3] INTEGER DEFAULT 1 } */
static bool pss_read(lt_slice params, struct how *ret)
{
    enum { SALT_MAX = 1024 };
    *ret = (struct how){.key = NID_rsassaPss, .digest = "SHA1", .mask = "SHA1", .salt = 20};
    struct der_cursor c = der_open(params);
    struct der_cursor list = der_enter(&c, DER_SEQUENCE);
    lt_slice content = {0};
    bool known = true;
    if (der_optional(&list, DER_CONTEXT_CONS(0), &content)) {
        ret->digest = digest_name(content);
    }
    if (der_optional(&list, DER_CONTEXT_CONS(1), &content)) {
        struct der_cursor outer = der_open(content);
        struct der_cursor mgf = der_enter(&outer, DER_SEQUENCE);
        (void)der_oid(&mgf);
        ret->mask = digest_name(der_read_whole(&mgf, DER_SEQUENCE));
        known = algorithm_nid(content) == NID_mgf1;
    }
    if (der_optional(&list, DER_CONTEXT_CONS(2), &content)) {
        struct der_cursor salt = der_open(content);
        ret->salt = (int)der_small(&salt, SALT_MAX);
        known = known && der_ok(&salt);
    }
    if (der_optional(&list, DER_CONTEXT_CONS(3), &content)) {
        struct der_cursor trailer = der_open(content);
        known = known && der_small(&trailer, 1) == 1 && der_ok(&trailer);
    }
    return known && der_ok(&list) && !der_more(&list) && ret->digest != NULL && ret->mask != NULL;
}

static bool how_read(lt_slice sig_alg, struct how *ret)
{
    static const int keys[] = {NID_rsaEncryption,        NID_rsa,     NID_rsassaPss, NID_dsa,
                               NID_X9_62_id_ecPublicKey, NID_ED25519, NID_ED448};
    *ret = (struct how){.key = NID_undef};
    int digest = NID_undef;
    if (OBJ_find_sigid_algs(algorithm_nid(sig_alg), &digest, &ret->key) != 1) {
        return false;
    }
    bool known = false;
    for (size_t i = 0; i < LT_COUNT(keys); i++) {
        known = known || keys[i] == ret->key;
    }
    if (known && ret->key == NID_rsassaPss) {
        struct der_cursor c = der_open(sig_alg);
        struct der_cursor alg = der_enter(&c, DER_SEQUENCE);
        (void)der_oid(&alg);
        return pss_read(der_read_whole(&alg, DER_SEQUENCE), ret);
    }
    ret->digest = digest == NID_undef ? NULL : OBJ_nid2sn(digest);
    return known;
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

static EVP_PKEY *import_rsa(const struct x509_spki *spki)
{
    if (spki->modulus.len == 0 || spki->modulus.len > NUMBER_MAX || spki->exponent.len == 0 ||
        spki->exponent.len > NUMBER_MAX) {
        return NULL;
    }
    BIGNUM *n = BN_bin2bn(spki->modulus.ptr, (int)spki->modulus.len, NULL);
    BIGNUM *e = BN_bin2bn(spki->exponent.ptr, (int)spki->exponent.len, NULL);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    bool ok = n != NULL && e != NULL && build != NULL &&
              OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
              OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1;
    OSSL_PARAM *params = ok ? OSSL_PARAM_BLD_to_param(build) : NULL;
    EVP_PKEY *key = params == NULL ? NULL : import("RSA", params);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_free(n);
    BN_free(e);
    return key;
}

static EVP_PKEY *import_ec(const struct x509_spki *spki, const char *curve)
{
    uint8_t point[POINT_MAX];
    char group[8];
    size_t len = strlen(curve) + 1;
    if (spki->key.len > sizeof point || spki->key.len == 0 || len > sizeof group) {
        return NULL;
    }
    memcpy(point, spki->key.ptr, spki->key.len);
    memcpy(group, curve, len);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, spki->key.len),
        OSSL_PARAM_construct_end(),
    };
    return import("EC", params);
}

static EVP_PKEY *import_key(const struct x509_spki *spki)
{
    switch (spki->type) {
    case X509_KEY_RSA:
        return import_rsa(spki);
    case X509_KEY_P256:
        return import_ec(spki, "P-256");
    case X509_KEY_P384:
        return import_ec(spki, "P-384");
    case X509_KEY_P521:
        return import_ec(spki, "P-521");
    case X509_KEY_ED25519:
        return EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, spki->key.ptr, spki->key.len);
    case X509_KEY_UNKNOWN:
        break;
    }
    const uint8_t *at = spki->der.ptr;
    return spki->der.len == 0 ? NULL : d2i_PUBKEY(NULL, &at, (long)spki->der.len);
}

/* With larger ones, and with DSA without its parameters, OpenSSL would call every signature wrong. */
static bool is_computed(EVP_PKEY *key)
{
    int bits = EVP_PKEY_get_bits(key);
    if (EVP_PKEY_is_a(key, "DSA")) {
        return bits > 0 && bits <= OPENSSL_DSA_MAX_MODULUS_BITS;
    }
    if (!EVP_PKEY_is_a(key, "RSA") && !EVP_PKEY_is_a(key, "RSA-PSS")) {
        return true;
    }
    BIGNUM *e = NULL;
    bool ok = bits <= OPENSSL_RSA_MAX_MODULUS_BITS &&
              EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) == 1 &&
              (bits <= OPENSSL_RSA_SMALL_MODULUS_BITS || BN_num_bits(e) <= OPENSSL_RSA_MAX_PUBEXP_BITS);
    BN_free(e);
    return ok;
}

static bool makes_such(EVP_PKEY *key, const struct how *how)
{
    bool plain = EVP_PKEY_is_a(key, OBJ_nid2sn(how->key));
    return plain || (how->key == NID_rsassaPss && EVP_PKEY_is_a(key, "RSA"));
}

static enum crypto_answer check(EVP_PKEY *key, const struct how *how, lt_slice message, lt_slice signature)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL; /* ctx's */
    bool ok = ctx != NULL && EVP_DigestVerifyInit_ex(ctx, &pctx, how->digest, NULL, NULL, key, NULL) == 1;
    if (ok && how->key == NID_rsassaPss) {
        ok = EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) == 1 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, how->salt) == 1 &&
             EVP_PKEY_CTX_set_rsa_mgf1_md_name(pctx, how->mask, NULL) == 1;
    }
    enum crypto_answer answer = CRYPTO_UNKNOWN;
    if (ok) {
        bool fits = EVP_DigestVerify(ctx, signature.ptr, signature.len, message.ptr, message.len) == 1;
        answer = fits ? CRYPTO_FITS : CRYPTO_WRONG;
    }
    EVP_MD_CTX_free(ctx);
    return answer;
}

static bool names_known_curve(const struct x509_spki *spki)
{
    return spki->type == X509_KEY_P256 || spki->type == X509_KEY_P384 || spki->type == X509_KEY_P521;
}

enum crypto_answer crypto_verify_any(const struct x509_spki *spki, lt_slice sig_alg, lt_slice message,
                                     lt_slice signature)
{
    struct how how;
    bool known = how_read(sig_alg, &how);
    EVP_PKEY *key = known ? import_key(spki) : NULL;
    enum crypto_answer answer = CRYPTO_UNKNOWN;
    if (known && key == NULL && names_known_curve(spki)) {
        answer = CRYPTO_WRONG; /* a point that is none of the curve's made no signature at all */
    } else if (key != NULL && !makes_such(key, &how)) {
        answer = CRYPTO_WRONG;
    } else if (key != NULL && is_computed(key)) {
        answer = check(key, &how, message, signature);
    }
    EVP_PKEY_free(key);
    ERR_clear_error();
    return answer;
}
