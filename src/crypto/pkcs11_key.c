/* What a key in a token is, and making one. */
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include "base/random.h"
#include "crypto/pkcs11_private.h"

#ifndef CKK_EC_EDWARDS
#define CKK_EC_EDWARDS 0x40UL
#endif
#ifndef CKM_EC_EDWARDS_KEY_PAIR_GEN
#define CKM_EC_EDWARDS_KEY_PAIR_GEN 0x1055UL
#endif

enum { ATTRIBUTE_MAX = 2048 };

#define BYTES(literal_)                                   \
    {                                                     \
        (const uint8_t *)(literal_), sizeof(literal_) - 1 \
    }

/* CKA_EC_PARAMS of each curve; Ed25519 tokens say it as a name or as an OID. */
static const struct {
    enum crypto_key_type type;
    lt_slice params;
    const char *group; /* OpenSSL's name */
} curves[] = {
    {CRYPTO_KEY_P256, BYTES("\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"), "P-256"},
    {CRYPTO_KEY_P384, BYTES("\x06\x05\x2b\x81\x04\x00\x22"), "P-384"},
    {CRYPTO_KEY_P521, BYTES("\x06\x05\x2b\x81\x04\x00\x23"), "P-521"},
    {CRYPTO_KEY_ED25519,
     BYTES("\x13\x0c"
           "edwards25519"),
     "ED25519"},
    {CRYPTO_KEY_ED25519, BYTES("\x06\x03\x2b\x65\x70"), "ED25519"},
};

lt_slice pkcs11_curve(enum crypto_key_type type)
{
    for (size_t i = 0; i < LT_COUNT(curves); i++) {
        if (curves[i].type == type) {
            return curves[i].params;
        }
    }
    return LT_SLICE(NULL, 0);
}

struct attribute {
    uint8_t bytes[ATTRIBUTE_MAX];
    size_t len;
};

static lt_res read_attribute(const struct crypto_pkcs11_key *key, CK_OBJECT_HANDLE object,
                             CK_ATTRIBUTE_TYPE type, struct attribute *ret_attribute)
{
    CK_ATTRIBUTE a = {type, ret_attribute->bytes, sizeof ret_attribute->bytes};
    PKCS11_TRY("C_GetAttributeValue",
               key->module->f->C_GetAttributeValue(key->token->session, object, &a, 1));
    LT_CHECK(a.ulValueLen <= sizeof ret_attribute->bytes, LT_RETRY_UNAVAILABLE,
             "PKCS #11: an attribute is missing");
    ret_attribute->len = a.ulValueLen;
    return LT_OK;
}

static lt_res read_kind(struct crypto_pkcs11_key *key)
{
    CK_KEY_TYPE kind = 0;
    CK_ATTRIBUTE a = {CKA_KEY_TYPE, &kind, sizeof kind};
    PKCS11_TRY("C_GetAttributeValue",
               key->module->f->C_GetAttributeValue(key->token->session, key->object, &a, 1));
    if (kind == CKK_RSA) {
        key->type = CRYPTO_KEY_RSA;
        return LT_OK;
    }
    LT_CHECK(kind == CKK_EC || kind == CKK_EC_EDWARDS, LT_PEER_UNSUPPORTED, "a PKCS #11 key of kind 0x%lx",
             (unsigned long)kind);
    struct attribute params;
    LT_TRY(read_attribute(key, key->object, CKA_EC_PARAMS, &params));
    for (size_t i = 0; i < LT_COUNT(curves); i++) {
        if (lt_slice_eq(LT_SLICE(params.bytes, params.len), curves[i].params)) {
            key->type = curves[i].type;
        }
    }
    LT_CHECK(key->type != CRYPTO_KEY_NONE, LT_PEER_UNSUPPORTED, "a PKCS #11 key on another curve");
    return LT_OK;
}

/* The public key with the private one's id, or the private key itself where it tells its public numbers. */
static CK_OBJECT_HANDLE public_object(const struct crypto_pkcs11_key *key)
{
    struct attribute id;
    CK_OBJECT_CLASS class = CKO_PUBLIC_KEY;
    CK_OBJECT_HANDLE found = key->object;
    CK_ULONG count = 0;
    CK_FUNCTION_LIST *f = key->module->f;
    if (lt_failed(read_attribute(key, key->object, CKA_ID, &id)) || id.len == 0) {
        return key->object;
    }
    CK_ATTRIBUTE search[] = {{CKA_CLASS, &class, sizeof class}, {CKA_ID, id.bytes, id.len}};
    if (f->C_FindObjectsInit(key->token->session, search, LT_COUNT(search)) == CKR_OK) {
        (void)f->C_FindObjects(key->token->session, &found, 1, &count); /* none: the private key is asked */
        (void)f->C_FindObjectsFinal(key->token->session);
    }
    return count == 1 ? found : key->object;
}

static EVP_PKEY *import(const char *kind, OSSL_PARAM *params)
{
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
    if (ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1) {
        (void)EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params); /* NULL says it failed */
    }
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

static EVP_PKEY *import_rsa(const struct crypto_pkcs11_key *key, CK_OBJECT_HANDLE object)
{
    struct attribute n;
    struct attribute e;
    if (lt_failed(read_attribute(key, object, CKA_MODULUS, &n)) ||
        lt_failed(read_attribute(key, object, CKA_PUBLIC_EXPONENT, &e))) {
        return NULL;
    }
    OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
    BIGNUM *bn_n = BN_bin2bn(n.bytes, (int)n.len, NULL);
    BIGNUM *bn_e = BN_bin2bn(e.bytes, (int)e.len, NULL);
    LT_ASSERT(b != NULL && bn_n != NULL && bn_e != NULL);
    LT_ASSERT(OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, bn_n) == 1);
    LT_ASSERT(OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_E, bn_e) == 1);
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(b);
    LT_ASSERT(params != NULL);
    EVP_PKEY *pkey = import("RSA", params);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(b);
    BN_free(bn_n);
    BN_free(bn_e);
    return pkey;
}

/* CKA_EC_POINT is an OCTET STRING around the point; some tokens leave the wrapping out. */
static lt_slice unwrap(const struct attribute *point)
{
    lt_slice s = LT_SLICE(point->bytes, point->len);
    size_t head = s.len > 3 && s.ptr[0] == 0x04 && s.ptr[1] == 0x81 ? 3 : 2;
    bool wrapped = s.len > head && s.ptr[0] == 0x04 && s.ptr[head - 1] == s.len - head;
    return wrapped ? lt_slice_sub(s, head, s.len) : s;
}

static EVP_PKEY *import_point(const struct crypto_pkcs11_key *key, CK_OBJECT_HANDLE object)
{
    struct attribute raw;
    if (lt_failed(read_attribute(key, object, CKA_EC_POINT, &raw))) {
        return NULL;
    }
    lt_slice point = unwrap(&raw);
    const char *group = NULL;
    for (size_t i = 0; i < LT_COUNT(curves); i++) {
        group = curves[i].type == key->type ? curves[i].group : group;
    }
    bool edwards = key->type == CRYPTO_KEY_ED25519;
    OSSL_PARAM params[3];
    size_t count = 0;
    /* OpenSSL only reads what these point to. */
    if (!edwards) {
        params[count++] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
                                                           (char *)(uintptr_t)group, 0);
    }
    params[count++] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)(uintptr_t)point.ptr,
                                                        point.len);
    params[count] = OSSL_PARAM_construct_end();
    return import(edwards ? "ED25519" : "EC", params);
}

lt_res pkcs11_describe(struct crypto_pkcs11_key *key)
{
    LT_TRY(read_kind(key));
    CK_OBJECT_HANDLE object = public_object(key);
    EVP_PKEY *pkey = key->type == CRYPTO_KEY_RSA ? import_rsa(key, object) : import_point(key, object);
    if (pkey == NULL) {
        return LT_OK; /* the token does not tell: the certificate does */
    }
    uint8_t *der = NULL;
    int len = i2d_PUBKEY(pkey, &der);
    EVP_PKEY_free(pkey);
    LT_CHECK(len > 0, LT_STATE_CRYPTO, "a token's public key cannot be encoded");
    key->spki = malloc((size_t)len);
    LT_ASSERT(key->spki != NULL);
    memcpy(key->spki, der, (size_t)len);
    key->spki_len = (size_t)len;
    OPENSSL_free(der);
    return LT_OK;
}

/* ---- making ---- */

struct template
{
    CK_ATTRIBUTE list[12];
    CK_ULONG count;
};

/* The token only reads templates. */
static void add(struct template *t, CK_ATTRIBUTE_TYPE type, const void *value, size_t len)
{
    LT_ASSERT(t->count < LT_COUNT(t->list));
    t->list[t->count++] = (CK_ATTRIBUTE){type, (void *)(uintptr_t)value, len};
}

static lt_res generate_pair(struct crypto_pkcs11 *m, const struct pkcs11_token *token, P11KitUri *uri,
                            enum crypto_key_type type, unsigned rsa_bits)
{
    static const CK_BBOOL yes = CK_TRUE;
    static const CK_BBOOL no = CK_FALSE;
    static const uint8_t exponent[] = {1, 0, 1};
    uint8_t id[PKCS11_ID_LEN];
    lt_random(id, sizeof id);
    const CK_ATTRIBUTE *label = p11_kit_uri_get_attribute(uri, CKA_LABEL);
    const CK_ATTRIBUTE *given_id = p11_kit_uri_get_attribute(uri, CKA_ID);
    LT_CHECK(label != NULL, LT_PEER_USAGE, "the PKCS #11 URI of a new key needs object=NAME");
    struct template pub = {.count = 0};
    struct template priv = {.count = 0};
    struct template *both[] = {&pub, &priv};
    for (size_t i = 0; i < LT_COUNT(both); i++) {
        add(both[i], CKA_TOKEN, &yes, sizeof yes);
        add(both[i], CKA_LABEL, label->pValue, label->ulValueLen);
        add(both[i], CKA_ID, given_id == NULL ? id : given_id->pValue,
            given_id == NULL ? sizeof id : given_id->ulValueLen);
    }
    add(&pub, CKA_VERIFY, &yes, sizeof yes);
    add(&priv, CKA_SIGN, &yes, sizeof yes);
    add(&priv, CKA_PRIVATE, &yes, sizeof yes);
    add(&priv, CKA_SENSITIVE, &yes, sizeof yes);
    add(&priv, CKA_EXTRACTABLE, &no, sizeof no);
    CK_ULONG bits = rsa_bits;
    lt_slice curve = pkcs11_curve(type);
    CK_MECHANISM mechanism = {CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0};
    if (type == CRYPTO_KEY_RSA) {
        add(&pub, CKA_MODULUS_BITS, &bits, sizeof bits);
        add(&pub, CKA_PUBLIC_EXPONENT, exponent, sizeof exponent);
    } else {
        mechanism.mechanism = type == CRYPTO_KEY_ED25519 ? CKM_EC_EDWARDS_KEY_PAIR_GEN : CKM_EC_KEY_PAIR_GEN;
        add(&pub, CKA_EC_PARAMS, curve.ptr, curve.len);
    }
    CK_OBJECT_HANDLE public_key;
    CK_OBJECT_HANDLE private_key;
    PKCS11_TRY("C_GenerateKeyPair",
               m->f->C_GenerateKeyPair(token->session, &mechanism, pub.list, pub.count, priv.list, priv.count,
                                       &public_key, &private_key));
    return LT_OK;
}

static lt_res generate(struct crypto_pkcs11 *m, P11KitUri *uri, enum crypto_key_type type, unsigned rsa_bits)
{
    struct pkcs11_token *token;
    CK_OBJECT_HANDLE there;
    LT_TRY(pkcs11_use_token(m, uri, true, &token));
    lt_res r = pkcs11_find_object(m, token, uri, CKO_PRIVATE_KEY, &there);
    LT_CHECK(r.code == LT_PEER_NOT_FOUND || lt_class_of(r.code) == LT_CLASS_RETRY, LT_PEER_CONFLICT,
             "the token has a key of that name already");
    if (r.code == LT_PEER_NOT_FOUND) {
        r = generate_pair(m, token, uri, type, rsa_bits);
    }
    pkcs11_forget_session(m, token); /* the next one need not be able to write */
    return r;
}

lt_res crypto_pkcs11_generate(struct crypto_pkcs11 *m, const char *uri, enum crypto_key_type type,
                              unsigned rsa_bits, struct crypto_pkcs11_key **ret_key)
{
    LT_CHECK((type == CRYPTO_KEY_RSA) == (rsa_bits != 0) &&
                 (type == CRYPTO_KEY_RSA || pkcs11_curve(type).len > 0),
             LT_PEER_USAGE, "a token makes RSA keys of some size, or keys on a known curve");
    LT_CHECK(rsa_bits == 0 ||
                 (rsa_bits >= CRYPTO_RSA_BITS_MIN && rsa_bits <= CRYPTO_RSA_BITS_MAX && rsa_bits % 8 == 0),
             LT_PEER_USAGE, "an RSA key has %d to %d bits, in steps of 8", CRYPTO_RSA_BITS_MIN,
             CRYPTO_RSA_BITS_MAX);
    P11KitUri *parsed;
    LT_TRY(pkcs11_parse_uri(uri, &parsed));
    lt_res r = generate(m, parsed, type, rsa_bits);
    p11_kit_uri_free(parsed);
    LT_TRY(r);
    return crypto_pkcs11_find(m, uri, ret_key);
}
