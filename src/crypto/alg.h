#ifndef CRYPTO_ALG_H
#define CRYPTO_ALG_H
/* The few algorithms Lintel uses, by their JOSE names, and which key may use which. A table: what is not in
 * it does not exist. The numbers cross process borders (TokenSign, PublicKey) and are never reused. */
#include "base/slice.h"

/* Numbers equal those of ipc.KeyType. */
enum crypto_key_type {
    CRYPTO_KEY_NONE = 0,
    CRYPTO_KEY_RSA = 1,
    CRYPTO_KEY_P256 = 2,
    CRYPTO_KEY_P384 = 3,
    CRYPTO_KEY_P521 = 4,
    CRYPTO_KEY_ED25519 = 5,
};

enum crypto_hash { CRYPTO_HASH_NONE = 0, CRYPTO_SHA256 = 1, CRYPTO_SHA384 = 2, CRYPTO_SHA512 = 3 };

enum {
    CRYPTO_SHA256_LEN = 32,
    CRYPTO_SHA384_LEN = 48,
    CRYPTO_SHA512_LEN = 64,
    CRYPTO_HASH_MAX = 64,
    CRYPTO_RSA_BITS_MIN = 2048,
    CRYPTO_RSA_BITS_MAX = 8192,
    CRYPTO_SIGNATURE_MAX = CRYPTO_RSA_BITS_MAX / 8,
};

/* ES*: ECDSA; in X.509 form (DER) unless a function says JOSE form. RS*: PKCS #1 v1.5. */
enum crypto_sig_alg {
    CRYPTO_SIG_NONE = 0,
    CRYPTO_ES256 = 1,
    CRYPTO_ES384 = 2,
    CRYPTO_ES512 = 3,
    CRYPTO_RS256 = 4,
    CRYPTO_RS384 = 5,
    CRYPTO_RS512 = 6,
    CRYPTO_EDDSA = 7,
};

struct crypto_alg_info {
    enum crypto_sig_alg alg;
    const char *name; /* JOSE: "ES256" */
    enum crypto_key_type key;
    enum crypto_hash hash; /* CRYPTO_HASH_NONE: the algorithm takes the message itself (EdDSA) */
    size_t coordinate_len; /* ECDSA: bytes of r and of s in JOSE form; else 0 */
};

/* NULL for a number that is no algorithm. Static storage. */
const struct crypto_alg_info *crypto_alg_info(enum crypto_sig_alg alg);
/* CRYPTO_SIG_NONE for an unknown name; names compare exactly. */
enum crypto_sig_alg crypto_alg_by_name(lt_slice name);
const char *crypto_alg_name(enum crypto_sig_alg alg); /* "none" for no algorithm */
bool crypto_alg_fits(enum crypto_sig_alg alg, enum crypto_key_type type);
/* What a CA key of that type signs with: P-256 ES256, P-384 ES384, P-521 ES512, RSA RS256, Ed25519 EdDSA. */
enum crypto_sig_alg crypto_alg_of_key(enum crypto_key_type type);
/* "rsa", "p256", "p384", "p521", "ed25519"; "none". Static storage. */
const char *crypto_key_type_name(enum crypto_key_type type);
enum crypto_key_type crypto_key_type_by_name(lt_slice name);
size_t crypto_hash_len(enum crypto_hash hash);

/* ECDSA signatures between X.509 form, SEQUENCE { r INTEGER, s INTEGER }, and JOSE form, r || s at fixed
 * length. Both directions are strict: minimal DER, 0 < r, s, nothing behind. Buffers of CRYPTO_ECDSA_MAX. */
enum { CRYPTO_ECDSA_MAX = 141 };
LT_MUST_USE lt_res crypto_ecdsa_der_to_raw(enum crypto_sig_alg alg, lt_slice der, uint8_t *ret_raw,
                                           size_t *ret_len);
LT_MUST_USE lt_res crypto_ecdsa_raw_to_der(enum crypto_sig_alg alg, lt_slice raw, uint8_t *ret_der,
                                           size_t *ret_len);

#endif
