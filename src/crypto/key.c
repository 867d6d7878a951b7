/* Private keys over OpenSSL's EVP. One signing context per key is kept keyed for the last algorithm, so that
 * a CA key pays the set-up once. */
#include "crypto/key.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "crypto/digest.h"
#include "crypto/fetch.h"

/* 600,000 rounds of HMAC-SHA-256 is what OWASP recommends (2023). */
enum {
    PBKDF2_ROUNDS = 600000,
    PBKDF2_ROUNDS_DRAWN = 10000,
    DRAWN_LEN_MIN = 32, /* 24 bytes in base64url */
    KEY_FILE_MAX = 64 * 1024,
    SALT_LEN = 16,
};

struct crypto_key {
    EVP_PKEY *pkey;
    EVP_PKEY_CTX *signing; /* keyed for `alg`; NULL until the first signature */
    enum crypto_sig_alg alg;
    enum crypto_key_type type;
    unsigned bits;
    uint8_t *spki; /* OPENSSL_free */
    size_t spki_len;
};

const char *crypto_openssl_error(void)
{
    static char text[160];
    unsigned long code = ERR_peek_error();
    ERR_error_string_n(code, text, sizeof text);
    ERR_clear_error();
    return code == 0 ? "no reason given" : text;
}

void crypto_key_lock_memory(void)
{
    enum { HEAP = 256 * 1024, LEAST = 32 }; /* an RSA key of 8192 bits needs about 8 KiB */
    int made = CRYPTO_secure_malloc_initialized() == 1 ? 1 : CRYPTO_secure_malloc_init(HEAP, LEAST);
    LT_ASSERT(made != 0); /* 2: made, but not locked */
}

static enum crypto_key_type type_of(const EVP_PKEY *pkey)
{
    static const struct {
        const char *group;
        enum crypto_key_type type;
    } curves[] = {
        {"prime256v1", CRYPTO_KEY_P256}, {"secp384r1", CRYPTO_KEY_P384}, {"secp521r1", CRYPTO_KEY_P521}};
    if (EVP_PKEY_is_a(pkey, "RSA")) {
        return CRYPTO_KEY_RSA;
    }
    if (EVP_PKEY_is_a(pkey, "ED25519")) {
        return CRYPTO_KEY_ED25519;
    }
    char group[40];
    size_t len = 0;
    if (!EVP_PKEY_is_a(pkey, "EC") || EVP_PKEY_get_group_name(pkey, group, sizeof group, &len) != 1) {
        return CRYPTO_KEY_NONE;
    }
    for (size_t i = 0; i < LT_COUNT(curves); i++) {
        if (strcmp(group, curves[i].group) == 0) {
            return curves[i].type;
        }
    }
    return CRYPTO_KEY_NONE;
}

/* Takes over pkey; judges it and keeps its public half at hand. */
static lt_res adopt(EVP_PKEY *pkey, struct crypto_key **ret_key)
{
    LT_CLEANUP(crypto_key_freep) struct crypto_key *key = calloc(1, sizeof *key);
    LT_ASSERT(key != NULL);
    key->pkey = pkey;
    key->type = type_of(pkey);
    LT_CHECK(key->type != CRYPTO_KEY_NONE, LT_PEER_UNSUPPORTED,
             "the key is none of RSA, P-256, P-384, P-521, Ed25519");
    key->bits = (unsigned)EVP_PKEY_get_bits(pkey);
    LT_CHECK(key->type != CRYPTO_KEY_RSA ||
                 (key->bits >= CRYPTO_RSA_BITS_MIN && key->bits <= CRYPTO_RSA_BITS_MAX),
             LT_PEER_UNSUPPORTED, "RSA key of %u bits; %d to %d are taken", key->bits, CRYPTO_RSA_BITS_MIN,
             CRYPTO_RSA_BITS_MAX);
    int len = i2d_PUBKEY(pkey, &key->spki);
    LT_CHECK(len > 0, LT_STATE_CRYPTO, "writing the public key: %s", crypto_openssl_error());
    key->spki_len = (size_t)len;
    *ret_key = LT_TAKE(key, NULL);
    return LT_OK;
}

lt_res crypto_key_generate(enum crypto_key_type type, unsigned rsa_bits, struct crypto_key **ret_key)
{
    static const char *const curves[] = {
        [CRYPTO_KEY_P256] = "P-256", [CRYPTO_KEY_P384] = "P-384", [CRYPTO_KEY_P521] = "P-521"};
    EVP_PKEY *pkey = NULL;
    if (type == CRYPTO_KEY_RSA) {
        LT_CHECK(rsa_bits >= CRYPTO_RSA_BITS_MIN && rsa_bits <= CRYPTO_RSA_BITS_MAX && rsa_bits % 8 == 0,
                 LT_PEER_USAGE, "RSA keys have %d to %d bits, a multiple of 8, not %u", CRYPTO_RSA_BITS_MIN,
                 CRYPTO_RSA_BITS_MAX, rsa_bits);
        pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)rsa_bits);
    } else if (type == CRYPTO_KEY_ED25519) {
        pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    } else {
        LT_CHECK((unsigned)type < LT_COUNT(curves) && curves[type] != NULL, LT_PEER_USAGE,
                 "no such kind of key");
        pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", curves[type]);
    }
    LT_CHECK(pkey != NULL, LT_STATE_CRYPTO, "making a key: %s", crypto_openssl_error());
    return adopt(pkey, ret_key);
}

static lt_res decrypt_pkcs8(lt_slice der, lt_slice passphrase, PKCS8_PRIV_KEY_INFO **ret_info)
{
    LT_CHECK(passphrase.len > 0, LT_PEER_USAGE, "the key is encrypted and no passphrase was given");
    const uint8_t *at = der.ptr;
    X509_SIG *sealed = d2i_X509_SIG(NULL, &at, (long)der.len);
    LT_CHECK(sealed != NULL, LT_PEER_MALFORMED, "encrypted key: %s", crypto_openssl_error());
    *ret_info = PKCS8_decrypt(sealed, (const char *)passphrase.ptr, (int)passphrase.len);
    X509_SIG_free(sealed);
    LT_CHECK(*ret_info != NULL, LT_PEER_UNAUTHORIZED, "the passphrase does not open the key: %s",
             crypto_openssl_error());
    return LT_OK;
}

static lt_res read_pkcs8(lt_slice label, lt_slice der, lt_slice passphrase, struct crypto_key **ret_key)
{
    PKCS8_PRIV_KEY_INFO *info = NULL;
    if (lt_slice_eq_cstr(label, "ENCRYPTED PRIVATE KEY")) {
        LT_TRY(decrypt_pkcs8(der, passphrase, &info));
    } else {
        LT_CHECK(lt_slice_eq_cstr(label, "PRIVATE KEY"), LT_PEER_UNSUPPORTED,
                 "PEM \"%.*s\" is no PKCS #8 key; convert it with: openssl pkcs8 -topk8 -in KEY",
                 LT_FMT(label));
        const uint8_t *at = der.ptr;
        info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)der.len);
        LT_CHECK(info != NULL, LT_PEER_MALFORMED, "private key: %s", crypto_openssl_error());
    }
    EVP_PKEY *pkey = EVP_PKCS82PKEY(info);
    PKCS8_PRIV_KEY_INFO_free(info);
    LT_CHECK(pkey != NULL, LT_PEER_MALFORMED, "private key: %s", crypto_openssl_error());
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    bool sound = ctx != NULL && EVP_PKEY_pairwise_check(ctx) == 1;
    EVP_PKEY_CTX_free(ctx);
    if (!sound) {
        EVP_PKEY_free(pkey);
        LT_FAIL(LT_PEER_MALFORMED, "the private key does not belong to its public half: %s",
                crypto_openssl_error());
    }
    return adopt(pkey, ret_key);
}

lt_res crypto_key_load(lt_slice pem, lt_slice passphrase, struct crypto_key **ret_key)
{
    LT_CHECK(pem.len <= KEY_FILE_MAX && passphrase.len <= 4096, LT_PEER_TOO_LARGE, "a key file of %zu bytes",
             pem.len);
    LT_CLEANUP(lt_arena_done) struct lt_arena arena;
    lt_arena_init(&arena, 2 * KEY_FILE_MAX);
    lt_slice label;
    lt_slice der;
    do {
        LT_TRY(lt_pem_next(&arena, &pem, &label, &der));
    } while (!lt_slice_ends(label, LT_LIT("PRIVATE KEY")));
    lt_res r = read_pkcs8(label, der, passphrase, ret_key);
    explicit_bzero((void *)(uintptr_t)der.ptr, der.len); /* may have been a key in plain */
    return r;
}

static lt_res seal_pkcs8(PKCS8_PRIV_KEY_INFO *info, lt_slice passphrase, int rounds, uint8_t **ret_der,
                         int *ret_len)
{
    X509_ALGOR *pbe = PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), rounds, NULL, SALT_LEN, NULL, NID_hmacWithSHA256);
    X509_SIG *sealed = pbe == NULL
                           ? NULL
                           : PKCS8_set0_pbe((const char *)passphrase.ptr, (int)passphrase.len, info, pbe);
    if (sealed == NULL) {
        X509_ALGOR_free(pbe);
        LT_FAIL(LT_STATE_CRYPTO, "encrypting the key: %s", crypto_openssl_error());
    }
    *ret_len = i2d_X509_SIG(sealed, ret_der);
    X509_SIG_free(sealed);
    return LT_OK;
}

static lt_res write_key(const struct crypto_key *key, lt_slice passphrase, int rounds, struct lt_buf *out)
{
    LT_CHECK(passphrase.len <= 4096, LT_PEER_USAGE, "the passphrase is longer than 4096 bytes");
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key->pkey);
    LT_CHECK(info != NULL, LT_STATE_CRYPTO, "writing the key: %s", crypto_openssl_error());
    uint8_t *der = NULL;
    int len = 0;
    lt_res r = LT_OK;
    if (passphrase.len > 0) {
        r = seal_pkcs8(info, passphrase, rounds, &der, &len);
    } else {
        len = i2d_PKCS8_PRIV_KEY_INFO(info, &der);
    }
    PKCS8_PRIV_KEY_INFO_free(info);
    LT_TRY(r);
    LT_CHECK(len > 0, LT_STATE_CRYPTO, "writing the key: %s", crypto_openssl_error());
    lt_pem_add(out, passphrase.len > 0 ? "ENCRYPTED PRIVATE KEY" : "PRIVATE KEY", LT_SLICE(der, (size_t)len));
    OPENSSL_clear_free(der, (size_t)len);
    return lt_buf_check(out);
}

lt_res crypto_key_write(const struct crypto_key *key, lt_slice passphrase, struct lt_buf *out)
{
    return write_key(key, passphrase, PBKDF2_ROUNDS, out);
}

lt_res crypto_key_write_drawn(const struct crypto_key *key, lt_slice passphrase, struct lt_buf *out)
{
    LT_ASSERT(passphrase.len >= DRAWN_LEN_MIN);
    return write_key(key, passphrase, PBKDF2_ROUNDS_DRAWN, out);
}

void crypto_key_free(struct crypto_key *key)
{
    if (key != NULL) {
        EVP_PKEY_CTX_free(key->signing);
        EVP_PKEY_free(key->pkey);
        OPENSSL_free(key->spki);
        free(key);
    }
}

void crypto_key_freep(struct crypto_key **key)
{
    crypto_key_free(*key);
}

enum crypto_key_type crypto_key_type(const struct crypto_key *key)
{
    return key->type;
}

unsigned crypto_key_bits(const struct crypto_key *key)
{
    return key->bits;
}

lt_slice crypto_key_spki(const struct crypto_key *key)
{
    return LT_SLICE(key->spki, key->spki_len);
}

static lt_res ready_for(struct crypto_key *key, const struct crypto_alg_info *info)
{
    if (key->signing != NULL && key->alg == info->alg) {
        return LT_OK;
    }
    EVP_PKEY_CTX_free(key->signing);
    key->alg = info->alg;
    key->signing = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    bool ok = key->signing != NULL && EVP_PKEY_sign_init(key->signing) == 1 &&
              (info->key != CRYPTO_KEY_RSA ||
               EVP_PKEY_CTX_set_rsa_padding(key->signing, RSA_PKCS1_PADDING) == 1) &&
              EVP_PKEY_CTX_set_signature_md(key->signing, crypto_fetch_md(info->hash)) == 1;
    if (!ok) {
        EVP_PKEY_CTX_free(LT_TAKE(key->signing, NULL));
        LT_FAIL(LT_STATE_CRYPTO, "preparing to sign: %s", crypto_openssl_error());
    }
    return LT_OK;
}

/* Ed25519 hashes the message twice by itself, so there is no digest to hand over and no context to keep. */
static lt_res sign_message(struct crypto_key *key, lt_slice message, uint8_t *ret_signature, size_t *ret_len)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    LT_ASSERT(ctx != NULL);
    *ret_len = CRYPTO_SIGNATURE_MAX;
    bool ok = EVP_DigestSignInit(ctx, NULL, NULL, NULL, key->pkey) == 1 &&
              EVP_DigestSign(ctx, ret_signature, ret_len, message.ptr, message.len) == 1;
    EVP_MD_CTX_free(ctx);
    LT_CHECK(ok, LT_STATE_CRYPTO, "signing: %s", crypto_openssl_error());
    return LT_OK;
}

lt_res crypto_key_sign(struct crypto_key *key, enum crypto_sig_alg alg, lt_slice message,
                       uint8_t *ret_signature, size_t *ret_len)
{
    const struct crypto_alg_info *info = crypto_alg_info(alg);
    LT_CHECK(info != NULL && info->key == key->type, LT_PEER_UNSUPPORTED, "%s is not for a key of type %s",
             crypto_alg_name(alg), crypto_key_type_name(key->type));
    if (info->hash == CRYPTO_HASH_NONE) {
        return sign_message(key, message, ret_signature, ret_len);
    }
    uint8_t digest[CRYPTO_HASH_MAX];
    crypto_digest(info->hash, message, digest);
    return crypto_key_sign_digest(key, alg, LT_SLICE(digest, crypto_hash_len(info->hash)), ret_signature,
                                  ret_len);
}

lt_res crypto_key_sign_digest(struct crypto_key *key, enum crypto_sig_alg alg, lt_slice digest,
                              uint8_t *ret_signature, size_t *ret_len)
{
    const struct crypto_alg_info *info = crypto_alg_info(alg);
    LT_CHECK(info != NULL && info->key == key->type && info->hash != CRYPTO_HASH_NONE &&
                 digest.len == crypto_hash_len(info->hash),
             LT_PEER_UNSUPPORTED, "%s over %zu bytes of digest is not for a key of type %s",
             crypto_alg_name(alg), digest.len, crypto_key_type_name(key->type));
    LT_TRY(ready_for(key, info));
    *ret_len = CRYPTO_SIGNATURE_MAX;
    LT_CHECK(EVP_PKEY_sign(key->signing, ret_signature, ret_len, digest.ptr, digest.len) == 1,
             LT_STATE_CRYPTO, "signing: %s", crypto_openssl_error());
    return LT_OK;
}

lt_res crypto_key_sign_jose(struct crypto_key *key, enum crypto_sig_alg alg, lt_slice message,
                            uint8_t *ret_signature, size_t *ret_len)
{
    const struct crypto_alg_info *info = crypto_alg_info(alg);
    if (info == NULL || info->coordinate_len == 0) {
        return crypto_key_sign(key, alg, message, ret_signature, ret_len);
    }
    uint8_t der[CRYPTO_SIGNATURE_MAX];
    size_t len = 0;
    LT_TRY(crypto_key_sign(key, alg, message, der, &len));
    return crypto_ecdsa_der_to_raw(alg, LT_SLICE(der, len), ret_signature, ret_len);
}
