/* Loading the signer's keys, signing with them, checking a token's signatures. */
#include "signer/keys.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/file.h"
#include "base/text.h"

enum {
    ARENA_MAX = 16 * 1024 * 1024,
    FILE_MAX = 256 * 1024,
};
static const char audit_key_file[] = "keys/audit.key";

#define BYTES(literal_)                                   \
    {                                                     \
        (const uint8_t *)(literal_), sizeof(literal_) - 1 \
    }

/* AlgorithmIdentifiers as they stand in the SubjectPublicKeyInfo of a key and in what it signs. */
static const struct {
    enum crypto_key_type type;
    lt_slice of_key;
    lt_slice of_signature;
} algorithms[] = {
    {CRYPTO_KEY_RSA, BYTES("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00"),
     BYTES("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00")},
    {CRYPTO_KEY_P256,
     BYTES("\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"),
     BYTES("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02")},
    {CRYPTO_KEY_P384, BYTES("\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22"),
     BYTES("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03")},
    {CRYPTO_KEY_P521, BYTES("\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23"),
     BYTES("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x04")},
    {CRYPTO_KEY_ED25519, BYTES("\x30\x05\x06\x03\x2b\x65\x70"), BYTES("\x30\x05\x06\x03\x2b\x65\x70")},
};

static lt_res read_file(struct lt_arena *a, const char *folder, const char *path, lt_slice *ret_bytes)
{
    const char *whole = path[0] == '/' ? path : lt_arena_printf(a, "%s/%s", folder, path);
    LT_CHECK(whole != NULL, LT_PEER_TOO_LARGE, "%s: over the memory limit", path);
    return lt_file_read(a, AT_FDCWD, whole, FILE_MAX, ret_bytes);
}

/* The first certificate of a PEM file. */
static lt_res read_certificate(struct signer_keys *k, const char *folder, const char *path, lt_slice *ret_der)
{
    lt_slice pem;
    LT_TRY(read_file(&k->arena, folder, path, &pem));
    lt_slice label;
    LT_TRY(lt_pem_next(&k->arena, &pem, &label, ret_der));
    LT_CHECK(lt_slice_eq_cstr(label, "CERTIFICATE"), LT_STATE_CORRUPT, "%s: no certificate", path);
    return LT_OK;
}

static lt_res find_algorithm(struct signer_key *key)
{
    for (size_t i = 0; i < LT_COUNT(algorithms); i++) {
        lt_slice of_key = algorithms[i].of_key;
        for (size_t head = 2; head <= 4; head++) { /* of the SEQUENCE around it */
            if (lt_slice_eq(lt_slice_sub(key->issuer.spki, head, of_key.len), of_key)) {
                key->type = algorithms[i].type;
                key->alg = crypto_alg_of_key(key->type);
                key->issuer.algorithm = algorithms[i].of_signature;
                return LT_OK;
            }
        }
    }
    LT_FAIL(LT_PEER_UNSUPPORTED, "issuer %s has a key of an unknown kind", key->name);
}

static lt_res load_key(const char *folder, const char *path, lt_slice passphrase, struct crypto_key **ret_key)
{
    struct lt_arena a;
    lt_arena_init(&a, 2 * FILE_MAX);
    lt_slice pem;
    lt_res r = read_file(&a, folder, path, &pem);
    if (!lt_failed(r)) {
        r = crypto_key_load(pem, passphrase, ret_key);
        explicit_bzero((void *)(uintptr_t)pem.ptr, pem.len); /* ours: the arena's */
    }
    lt_arena_done(&a);
    return r;
}

static lt_res load_issuer(struct signer_keys *k, const char *folder, const Ipc__IssuerKey *from,
                          lt_slice passphrase)
{
    struct signer_key *key = &k->keys[k->count++];
    key->name = lt_arena_cstr(&k->arena, lt_slice_cstr(from->issuer));
    LT_CHECK(key->name != NULL, LT_PEER_TOO_LARGE, "issuers: over the memory limit");
    key->may_sign_certificates = from->may_sign_certificates;
    lt_slice der;
    LT_TRY(read_certificate(k, folder, from->certificate_file, &der));
    LT_TRY(fixed_read_issuer(der, &key->issuer));
    LT_TRY(find_algorithm(key));
    if (from->pkcs11_uri[0] == 0) {
        LT_TRY(load_key(folder, from->key_file, passphrase, &key->software));
        LT_CHECK(lt_slice_eq(crypto_key_spki(key->software), key->issuer.spki), LT_STATE_CORRUPT,
                 "%s is not the key of %s", from->key_file, from->certificate_file);
    }
    const uint8_t *p = key->issuer.spki.ptr;
    key->public_key = d2i_PUBKEY(NULL, &p, (long)key->issuer.spki.len);
    LT_CHECK(key->public_key != NULL, LT_STATE_CORRUPT, "%s: its key does not read", from->certificate_file);
    return LT_OK;
}

static lt_res load_all(struct signer_keys *k, const char *folder, Ipc__IssuerKey *const *issuers,
                       size_t count, lt_slice passphrase)
{
    k->keys = LT_NEW_ARRAY(&k->arena, struct signer_key, count + 1);
    LT_CHECK(k->keys != NULL, LT_PEER_TOO_LARGE, "issuers: over the memory limit");
    for (size_t i = 0; i < count; i++) {
        if (issuers[i]->key_file[0] != 0 || issuers[i]->pkcs11_uri[0] != 0) {
            LT_TRY(load_issuer(k, folder, issuers[i], passphrase));
        }
    }
    LT_TRY(load_key(folder, audit_key_file, passphrase, &k->audit));
    LT_CHECK(crypto_key_type(k->audit) == CRYPTO_KEY_ED25519, LT_PEER_UNSUPPORTED, "%s is no Ed25519 key",
             audit_key_file);
    return LT_OK;
}

lt_res signer_keys_load(const char *folder, Ipc__IssuerKey *const *issuers, size_t count, lt_slice passphrase,
                        struct signer_keys *ret_keys)
{
    *ret_keys = (struct signer_keys){0};
    lt_arena_init(&ret_keys->arena, ARENA_MAX);
    lt_res r = load_all(ret_keys, folder, issuers, count, passphrase);
    if (lt_failed(r)) {
        signer_keys_done(ret_keys);
    }
    return r;
}

void signer_keys_done(struct signer_keys *k)
{
    for (size_t i = 0; i < k->count; i++) {
        crypto_key_free(k->keys[i].software);
        EVP_PKEY_free(k->keys[i].public_key);
    }
    crypto_key_free(k->audit);
    lt_arena_done(&k->arena);
    *k = (struct signer_keys){0};
}

struct signer_key *signer_keys_find(const struct signer_keys *k, const char *issuer)
{
    for (size_t i = 0; i < k->count; i++) {
        if (strcmp(k->keys[i].name, issuer) == 0) {
            return &k->keys[i];
        }
    }
    return NULL;
}

static const EVP_MD *digest_of(enum crypto_sig_alg alg)
{
    switch (crypto_alg_info(alg)->hash) {
    case CRYPTO_SHA256:
        return EVP_sha256();
    case CRYPTO_SHA384:
        return EVP_sha384();
    case CRYPTO_SHA512:
        return EVP_sha512();
    case CRYPTO_HASH_NONE:
        break;
    }
    return NULL; /* the algorithm takes the message itself */
}

enum crypto_hash signer_key_hash(const struct signer_key *key)
{
    return crypto_alg_info(key->alg)->hash;
}

static bool fits_digest(const struct signer_key *key, lt_slice digest, lt_slice signature)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key->public_key, NULL);
    LT_ASSERT(ctx != NULL);
    bool good = EVP_PKEY_verify_init(ctx) == 1 &&
                EVP_PKEY_CTX_set_signature_md(ctx, digest_of(key->alg)) == 1 &&
                EVP_PKEY_verify(ctx, signature.ptr, signature.len, digest.ptr, digest.len) == 1;
    EVP_PKEY_CTX_free(ctx);
    return good;
}

static bool fits_message(const struct signer_key *key, lt_slice tbs, lt_slice signature)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    LT_ASSERT(ctx != NULL);
    bool good = EVP_DigestVerifyInit(ctx, NULL, digest_of(key->alg), NULL, key->public_key) == 1 &&
                EVP_DigestVerify(ctx, signature.ptr, signature.len, tbs.ptr, tbs.len) == 1;
    EVP_MD_CTX_free(ctx);
    return good;
}

static bool is_signature(const struct signer_key *key, const struct signer_message *m, lt_slice signature)
{
    return m->digest.len > 0 ? fits_digest(key, m->digest, signature) : fits_message(key, m->tbs, signature);
}

lt_res signer_key_sign(struct signer_key *key, const struct signer_message *m, uint8_t *ret_signature,
                       size_t *ret_len)
{
    LT_ASSERT(key->software != NULL);
    LT_TRY(m->digest.len > 0
               ? crypto_key_sign_digest(key->software, key->alg, m->digest, ret_signature, ret_len)
               : crypto_key_sign(key->software, key->alg, m->tbs, ret_signature, ret_len));
    /* One wrong signature of RSA by CRT gives its key away (Boneh, DeMillo, Lipton), and one of ECDSA with a
     * faulty nonce or key may: what does not verify leaves this function wiped. */
    if (!is_signature(key, m, LT_SLICE(ret_signature, *ret_len))) {
        explicit_bzero(ret_signature, *ret_len);
        *ret_len = 0;
        LT_FAIL(LT_STATE_CRYPTO, "a signature of issuer %s does not verify: memory or CPU at fault",
                key->name);
    }
    return LT_OK;
}

lt_res signer_key_verify(const struct signer_key *key, const struct signer_message *m, lt_slice signature)
{
    LT_CHECK(is_signature(key, m, signature), LT_RETRY_UNAVAILABLE,
             "the token's signature is not that of issuer %s", key->name);
    return LT_OK;
}
