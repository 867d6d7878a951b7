#ifndef X509_SPKI_H
#define X509_SPKI_H
/* Public keys as SubjectPublicKeyInfo, and signature algorithm identifiers. Reading is structure only:
 * whether a point lies on its curve is for crypto/ to say. */
#include "der/reader.h"
#include "der/writer.h"
#include "x509/oid.h"

/* The same numbers as KeyType in proto/ipc/common.proto. */
enum x509_key_type {
    X509_KEY_UNKNOWN = 0,
    X509_KEY_RSA = 1,
    X509_KEY_P256 = 2,
    X509_KEY_P384 = 3,
    X509_KEY_P521 = 4,
    X509_KEY_ED25519 = 5,
};

enum x509_sig_alg {
    X509_SIG_UNKNOWN = 0,
    X509_SIG_ECDSA_SHA256 = 1,
    X509_SIG_ECDSA_SHA384 = 2,
    X509_SIG_ECDSA_SHA512 = 3,
    X509_SIG_RSA_SHA256 = 4,
    X509_SIG_RSA_SHA384 = 5,
    X509_SIG_RSA_SHA512 = 6,
    X509_SIG_ED25519 = 7,
    X509_SIG_COUNT,
};

enum { X509_RSA_BITS_MIN = 2048, X509_RSA_BITS_MAX = 8192 };

struct x509_spki {
    lt_slice der;       /* the whole SubjectPublicKeyInfo; everything here is borrowed from it */
    lt_slice algorithm; /* the whole AlgorithmIdentifier */
    lt_slice key;       /* content of subjectPublicKey, without the unused-bits byte */
    enum x509_key_type type;
    unsigned bits;    /* of the modulus or the field; 0 for an unknown type */
    lt_slice modulus; /* RSA: magnitudes, without leading zeros */
    lt_slice exponent;
    lt_slice point; /* EC: as encoded (04 x y); Ed25519: 32 bytes */
};

/* Reads any key; one of a kind that is in no table is X509_KEY_UNKNOWN. */
LT_MUST_USE lt_res x509_spki_read(struct der_cursor *c, struct x509_spki *ret_spki);
LT_MUST_USE lt_res x509_spki_parse(lt_slice der, struct x509_spki *ret_spki);
/* May Lintel use or certify it? LT_PEER_UNSUPPORTED otherwise: unknown kind, RSA outside 2048–8192 bits, not
 * a multiple of 8 bits, even modulus, exponent even or below 65537 or over 256 bits; a compressed point. */
LT_MUST_USE lt_res x509_spki_check(const struct x509_spki *spki);
/* Writes from type and modulus/exponent or point. */
void x509_spki_write(struct der_writer *w, const struct x509_spki *spki);
/* "RSA-2048", "P-256", "Ed25519", "unknown" for people. Static storage (RSA without bits: "RSA"). */
const char *x509_key_type_name(enum x509_key_type type);

/* The whole AlgorithmIdentifier. Static storage. */
lt_slice x509_sig_alg_der(enum x509_sig_alg alg);
/* From a whole AlgorithmIdentifier: byte equality, so parameters must be exactly right. */
enum x509_sig_alg x509_sig_alg_find(lt_slice der);
const char *x509_sig_alg_name(enum x509_sig_alg alg);
/* What Lintel signs with: P-256 SHA-256, P-384 SHA-384, P-521 SHA-512, RSA SHA-256, Ed25519. */
enum x509_sig_alg x509_sig_alg_for(enum x509_key_type type);
/* Can a key of that type make such a signature, by the pairing that the BRs allow (P-256 with SHA-256 …)? */
bool x509_sig_alg_fits(enum x509_sig_alg alg, enum x509_key_type type);

#endif
