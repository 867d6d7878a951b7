/* Public keys by EVP_PKEY_fromdata. A P-256 verification is about 50 us, of which the context would be a
 * tenth: so it is kept. */
#include "crypto/pub.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/check.h"
#include "crypto/digest.h"
#include "crypto/fetch.h"

struct crypto_pub {
    EVP_PKEY *pkey;
    EVP_PKEY_CTX *verifying; /* keyed for `alg`; NULL until the first verification */
    enum crypto_sig_alg alg;
    enum crypto_key_type type;
    unsigned bits;
    uint8_t *spki; /* owned copy */
    size_t spki_len;
    uint8_t spki_sha256[CRYPTO_SHA256_LEN];
};

static lt_res import_params(const char *kind, OSSL_PARAM *params, EVP_PKEY **ret_pkey)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
    bool ok = ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
              EVP_PKEY_fromdata(ctx, ret_pkey, EVP_PKEY_PUBLIC_KEY, params) == 1;
    EVP_PKEY_CTX_free(ctx);
    LT_CHECK(ok, LT_POLICY_REFUSED, "importing the key: %s", crypto_openssl_error());
    return LT_OK;
}

static lt_res import_ec(const struct x509_spki *spki, EVP_PKEY **ret_pkey)
{
    static const char *const groups[] = {
        [X509_KEY_P256] = "P-256", [X509_KEY_P384] = "P-384", [X509_KEY_P521] = "P-521"};
    char group[8];
    uint8_t point[2 * 66 + 1];
    LT_CHECK(spki->point.len <= sizeof point, LT_POLICY_REFUSED, "a point of %zu bytes", spki->point.len);
    memcpy(point, spki->point.ptr, spki->point.len);
    memcpy(group, groups[spki->type], sizeof "P-256");
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, spki->point.len),
        OSSL_PARAM_construct_end(),
    };
    return import_params("EC", params, ret_pkey);
}

static lt_res import_rsa(const struct x509_spki *spki, EVP_PKEY **ret_pkey)
{
    BIGNUM *n = BN_bin2bn(spki->modulus.ptr, (int)spki->modulus.len, NULL);
    BIGNUM *e = BN_bin2bn(spki->exponent.ptr, (int)spki->exponent.len, NULL);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    LT_ASSERT(n != NULL && e != NULL && build != NULL);
    OSSL_PARAM *params = NULL;
    if (OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1) {
        params = OSSL_PARAM_BLD_to_param(build);
    }
    LT_ASSERT(params != NULL);
    lt_res r = import_params("RSA", params, ret_pkey);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_free(n);
    BN_free(e);
    return r;
}

static lt_res import_ed25519(const struct x509_spki *spki, EVP_PKEY **ret_pkey)
{
    *ret_pkey = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, spki->point.ptr, spki->point.len);
    LT_CHECK(*ret_pkey != NULL, LT_POLICY_REFUSED, "importing the key: %s", crypto_openssl_error());
    return LT_OK;
}

static lt_res import(const struct x509_spki *spki, EVP_PKEY **ret_pkey)
{
    switch (spki->type) {
    case X509_KEY_RSA:
        return import_rsa(spki, ret_pkey);
    case X509_KEY_P256:
    case X509_KEY_P384:
    case X509_KEY_P521:
        return import_ec(spki, ret_pkey);
    case X509_KEY_ED25519:
        return import_ed25519(spki, ret_pkey);
    case X509_KEY_UNKNOWN:
        break;
    }
    LT_FAIL(LT_PEER_UNSUPPORTED, "an unknown kind of key");
}

lt_res crypto_pub_new(lt_slice spki_der, struct crypto_pub **ret_pub)
{
    struct x509_spki spki;
    LT_TRY(x509_spki_parse(spki_der, &spki));
    return crypto_pub_import(&spki, ret_pub);
}

lt_res crypto_pub_import(const struct x509_spki *spki, struct crypto_pub **ret_pub)
{
    LT_TRY(crypto_check_spki(spki));
    LT_CLEANUP(crypto_pub_freep) struct crypto_pub *pub = calloc(1, sizeof *pub);
    LT_ASSERT(pub != NULL);
    LT_TRY(import(spki, &pub->pkey));
    pub->type = (enum crypto_key_type)spki->type;
    pub->bits = spki->bits;
    pub->spki = malloc(spki->der.len);
    LT_ASSERT(pub->spki != NULL);
    memcpy(pub->spki, spki->der.ptr, spki->der.len);
    pub->spki_len = spki->der.len;
    crypto_sha256(spki->der, pub->spki_sha256);
    *ret_pub = LT_TAKE(pub, NULL);
    return LT_OK;
}

void crypto_pub_free(struct crypto_pub *pub)
{
    if (pub != NULL) {
        EVP_PKEY_CTX_free(pub->verifying);
        EVP_PKEY_free(pub->pkey);
        free(pub->spki);
        free(pub);
    }
}

void crypto_pub_freep(struct crypto_pub **pub)
{
    crypto_pub_free(*pub);
}

enum crypto_key_type crypto_pub_type(const struct crypto_pub *pub)
{
    return pub->type;
}

unsigned crypto_pub_bits(const struct crypto_pub *pub)
{
    return pub->bits;
}

lt_slice crypto_pub_spki(const struct crypto_pub *pub)
{
    return LT_SLICE(pub->spki, pub->spki_len);
}

const uint8_t *crypto_pub_spki_sha256(const struct crypto_pub *pub)
{
    return pub->spki_sha256;
}

static lt_res ready_for(struct crypto_pub *pub, const struct crypto_alg_info *info)
{
    if (pub->verifying != NULL && pub->alg == info->alg) {
        return LT_OK;
    }
    EVP_PKEY_CTX_free(pub->verifying);
    pub->alg = info->alg;
    pub->verifying = EVP_PKEY_CTX_new_from_pkey(NULL, pub->pkey, NULL);
    bool ok = pub->verifying != NULL && EVP_PKEY_verify_init(pub->verifying) == 1 &&
              (info->key != CRYPTO_KEY_RSA ||
               EVP_PKEY_CTX_set_rsa_padding(pub->verifying, RSA_PKCS1_PADDING) == 1) &&
              EVP_PKEY_CTX_set_signature_md(pub->verifying, crypto_fetch_md(info->hash)) == 1;
    if (!ok) {
        EVP_PKEY_CTX_free(LT_TAKE(pub->verifying, NULL));
        LT_FAIL(LT_STATE_CRYPTO, "preparing to verify: %s", crypto_openssl_error());
    }
    return LT_OK;
}

static bool verify_message(struct crypto_pub *pub, lt_slice message, lt_slice signature)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    LT_ASSERT(ctx != NULL);
    bool good = EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pub->pkey) == 1 &&
                EVP_DigestVerify(ctx, signature.ptr, signature.len, message.ptr, message.len) == 1;
    EVP_MD_CTX_free(ctx);
    return good;
}

static lt_res verify_x509(struct crypto_pub *pub, const struct crypto_alg_info *info, lt_slice message,
                          lt_slice signature)
{
    bool good = false;
    if (info->hash == CRYPTO_HASH_NONE) {
        good = verify_message(pub, message, signature);
    } else {
        LT_TRY(ready_for(pub, info));
        uint8_t digest[CRYPTO_HASH_MAX];
        crypto_digest(info->hash, message, digest);
        good = EVP_PKEY_verify(pub->verifying, signature.ptr, signature.len, digest,
                               crypto_hash_len(info->hash)) == 1;
    }
    ERR_clear_error();
    LT_CHECK(good, LT_PEER_UNAUTHORIZED, "the signature does not verify");
    return LT_OK;
}

static lt_res info_for(const struct crypto_pub *pub, enum crypto_sig_alg alg,
                       const struct crypto_alg_info **ret_info)
{
    *ret_info = crypto_alg_info(alg);
    LT_CHECK(*ret_info != NULL && (*ret_info)->key == pub->type, LT_PEER_UNAUTHORIZED,
             "%s is not for a key of type %s", crypto_alg_name(alg), crypto_key_type_name(pub->type));
    return LT_OK;
}

lt_res crypto_pub_verify(struct crypto_pub *pub, enum crypto_sig_alg alg, lt_slice message,
                         lt_slice signature)
{
    const struct crypto_alg_info *info;
    LT_TRY(info_for(pub, alg, &info));
    if (info->coordinate_len > 0) { /* OpenSSL reads BER here: what is not minimal DER is refused first */
        uint8_t raw[CRYPTO_ECDSA_MAX];
        size_t raw_len = 0;
        LT_CHECK(!lt_failed(crypto_ecdsa_der_to_raw(alg, signature, raw, &raw_len)), LT_PEER_UNAUTHORIZED,
                 "the signature is no strict DER");
    }
    return verify_x509(pub, info, message, signature);
}

static bool is_ec(enum crypto_key_type type)
{
    return type == CRYPTO_KEY_P256 || type == CRYPTO_KEY_P384 || type == CRYPTO_KEY_P521;
}

lt_res crypto_pub_verify_request(struct crypto_pub *pub, enum crypto_sig_alg alg, lt_slice message,
                                 lt_slice signature)
{
    const struct crypto_alg_info *asked = crypto_alg_info(alg);
    enum crypto_sig_alg own = crypto_alg_of_key(pub->type);
    if (asked == NULL || !is_ec(asked->key) || !is_ec(pub->type) || asked->alg == own) {
        return crypto_pub_verify(pub, alg, message, signature);
    }
    uint8_t raw[CRYPTO_ECDSA_MAX];
    size_t raw_len = 0;
    LT_CHECK(!lt_failed(crypto_ecdsa_der_to_raw(own, signature, raw, &raw_len)), LT_PEER_UNAUTHORIZED,
             "the signature is no strict DER");
    return verify_x509(pub, asked, message, signature);
}

lt_res crypto_pub_verify_jose(struct crypto_pub *pub, enum crypto_sig_alg alg, lt_slice message,
                              lt_slice signature)
{
    const struct crypto_alg_info *info;
    LT_TRY(info_for(pub, alg, &info));
    if (info->coordinate_len == 0) {
        return verify_x509(pub, info, message, signature);
    }
    uint8_t der[CRYPTO_ECDSA_MAX];
    size_t len = 0;
    LT_CHECK(!lt_failed(crypto_ecdsa_raw_to_der(alg, signature, der, &len)), LT_PEER_UNAUTHORIZED,
             "the signature is not r || s of %zu bytes each", info->coordinate_len);
    return verify_x509(pub, info, message, LT_SLICE(der, len));
}
