/* Signing in a token: the digest is ours, the private operation the token's. */
#include <string.h>

#include "crypto/digest.h"
#include "crypto/pkcs11_private.h"

#ifndef CKM_EDDSA
#define CKM_EDDSA 0x1057UL
#endif

enum { DIGEST_INFO_MAX = 19 };

/*= RFC 8017 9.2 "T = DigestInfo" with these, and the hash behind them */
static const struct {
    enum crypto_hash hash;
    uint8_t bytes[DIGEST_INFO_MAX];
} digest_infos[] = {
    {CRYPTO_SHA256,
     {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
      0x04, 0x20}},
    {CRYPTO_SHA384,
     {0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00,
      0x04, 0x30}},
    {CRYPTO_SHA512,
     {0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00,
      0x04, 0x40}},
};

/* What the token signs: the message itself, its hash, or DigestInfo. */
struct input {
    CK_MECHANISM mechanism;
    uint8_t bytes[DIGEST_INFO_MAX + CRYPTO_HASH_MAX];
    lt_slice data;
};

static void prepare(const struct crypto_alg_info *alg, lt_slice message, struct input *in)
{
    *in = (struct input){.data = message, .mechanism = {.mechanism = CKM_EDDSA}};
    if (alg->hash == CRYPTO_HASH_NONE) {
        return;
    }
    size_t head = 0;
    in->mechanism.mechanism = CKM_ECDSA;
    if (alg->key == CRYPTO_KEY_RSA) {
        in->mechanism.mechanism = CKM_RSA_PKCS;
        for (size_t i = 0; i < LT_COUNT(digest_infos); i++) {
            if (digest_infos[i].hash == alg->hash) {
                memcpy(in->bytes, digest_infos[i].bytes, DIGEST_INFO_MAX);
                head = DIGEST_INFO_MAX;
            }
        }
    }
    crypto_digest(alg->hash, message, in->bytes + head);
    in->data = LT_SLICE(in->bytes, head + crypto_hash_len(alg->hash));
}

static lt_res sign_once(struct crypto_pkcs11_key *key, struct input *in, uint8_t *ret_bytes, size_t *ret_len)
{
    CK_FUNCTION_LIST *f = key->module->f;
    if (key->object == CK_INVALID_HANDLE) {
        LT_TRY(pkcs11_locate(key));
    }
    CK_ULONG len = CRYPTO_SIGNATURE_MAX;
    PKCS11_TRY("C_SignInit", f->C_SignInit(key->token->session, &in->mechanism, key->object));
    /* The token only reads the data. */
    PKCS11_TRY("C_Sign", f->C_Sign(key->token->session, (CK_BYTE *)(uintptr_t)in->data.ptr, in->data.len,
                                   ret_bytes, &len));
    *ret_len = len;
    return LT_OK;
}

lt_res crypto_pkcs11_sign(struct crypto_pkcs11_key *key, enum crypto_sig_alg alg, lt_slice message,
                          uint8_t *ret_signature, size_t *ret_len)
{
    const struct crypto_alg_info *info = crypto_alg_info(alg);
    LT_CHECK(info != NULL && crypto_alg_fits(alg, key->type), LT_PEER_UNSUPPORTED,
             "this algorithm is not for that key");
    struct input in;
    prepare(info, message, &in);
    uint8_t raw[CRYPTO_SIGNATURE_MAX];
    size_t len = 0;
    lt_res r = sign_once(key, &in, raw, &len);
    if (lt_class_of(r.code) == LT_CLASS_RETRY) {
        /* Session, login or token were lost: all of it anew, once. */
        key->object = CK_INVALID_HANDLE;
        if (key->token != NULL) {
            pkcs11_forget_session(key->module, key->token);
        }
        r = sign_once(key, &in, raw, &len);
    }
    LT_TRY(r);
    if (info->coordinate_len > 0) {
        return crypto_ecdsa_raw_to_der(alg, LT_SLICE(raw, len), ret_signature, ret_len);
    }
    memcpy(ret_signature, raw, len);
    *ret_len = len;
    return LT_OK;
}
