#ifndef CRYPTO_FOUND_H
#define CRYPTO_FOUND_H
/* Private keys that strangers send to show that they have them: is it one, and of which public key? The
 * numbers are read by our own strict reader; the public half is computed from the private one and never
 * believed, but for the modulus of RSA, which a factor or the private exponent must open. No key is kept: it
 * may sign one statement, so that there is something to show afterwards, and what was computed with is wiped.
 * For our own keys: crypto/key.h.
 *
 * Refuses: encrypted keys, curves given by explicit parameters, RSA keys of over CRYPTO_FOUND_RSA_BITS_MAX
 * bits.
 */
#include "base/arena.h"
#include "crypto/alg.h"
#include "x509/spki.h"

enum { CRYPTO_FOUND_RSA_BITS_MIN = 512, CRYPTO_FOUND_RSA_BITS_MAX = 8192 };

struct crypto_found {
    const char *form; /* "PKCS #1", "SEC 1", "PKCS #8", "OpenSSH", "JWK" */
    lt_slice spki;    /* of the public half, as crypto_spki_normal writes it; in the arena */
    /* Set by who calls: what it shall sign (SHA-256; RSA PKCS #1, ECDSA in X.509 form, Ed25519). Empty:
     * nothing. */
    lt_slice message;
    uint8_t signature[CRYPTO_SIGNATURE_MAX];
    size_t signature_len; /* 0: it cannot (an RSA key of factors alone) */
};

/* DER of any of the first three. LT_PEER_NOT_FOUND: no private key. LT_PEER_UNSUPPORTED: a kind that cannot
 * be computed with here. LT_PEER_UNAUTHORIZED: an RSA key whose halves do not belong together. */
LT_MUST_USE lt_res crypto_found_der(lt_slice der, struct lt_arena *a, struct crypto_found *ret_found);
/* What stands in base64 between the lines of an OpenSSH key. */
LT_MUST_USE lt_res crypto_found_openssh(lt_slice bytes, struct lt_arena *a, struct crypto_found *ret_found);

/* The numbers themselves, big-endian. p and q may be empty. */
struct crypto_found_rsa {
    lt_slice n;
    lt_slice e;
    lt_slice d;
    lt_slice p;
    lt_slice q;
};
LT_MUST_USE lt_res crypto_found_from_rsa(const struct crypto_found_rsa *numbers, struct lt_arena *a,
                                         struct crypto_found *ret_found);
LT_MUST_USE lt_res crypto_found_from_ec(enum x509_key_type curve, lt_slice d, struct lt_arena *a,
                                        struct crypto_found *ret_found);
LT_MUST_USE lt_res crypto_found_from_ed25519(lt_slice seed, struct lt_arena *a,
                                             struct crypto_found *ret_found);

/* The one form in which keys are compared: RSA with NULL parameters (those that are for RSASSA-PSS alone,
 * too), points uncompressed. Kinds that are not known here stay as they are. LT_PEER_UNSUPPORTED: explicit
 * curve parameters. LT_PEER_MALFORMED: no point of its curve. */
LT_MUST_USE lt_res crypto_spki_normal(const struct x509_spki *spki, struct lt_arena *a, lt_slice *ret_spki);
/* The same key with its point compressed, as some name it; empty for keys without a curve. */
LT_MUST_USE lt_res crypto_spki_compressed(const struct x509_spki *spki, struct lt_arena *a,
                                          lt_slice *ret_spki);

#endif
