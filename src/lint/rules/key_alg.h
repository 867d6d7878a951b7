#ifndef LINT_RULES_KEY_ALG_H
#define LINT_RULES_KEY_ALG_H
/* Private to lint/rules: AlgorithmIdentifiers of keys and signatures by their OID alone, whatever parameters
 * stand behind it; also those that Lintel never makes and so has no x509_oid for. */
#include "x509/spki.h"

enum lint_key_alg {
    LINT_KEY_ALG_UNKNOWN,
    LINT_KEY_ALG_RSA,
    LINT_KEY_ALG_RSA_PSS, /* id-RSASSA-PSS */
    LINT_KEY_ALG_DSA,
    LINT_KEY_ALG_EC,
    LINT_KEY_ALG_ED25519,
    LINT_KEY_ALG_X25519,
};
enum lint_key_alg lint_key_alg(const struct x509_spki *spki);

enum lint_sig_alg {
    LINT_SIG_ALG_UNKNOWN,
    LINT_SIG_ALG_RSA_SHA1, /* PKCS #1, or the OID of ISO */
    LINT_SIG_ALG_RSA_SHA256,
    LINT_SIG_ALG_RSA_SHA384,
    LINT_SIG_ALG_RSA_SHA512,
    LINT_SIG_ALG_RSA_PSS,
    LINT_SIG_ALG_DSA_SHA1,
    LINT_SIG_ALG_DSA_SHA256,
    LINT_SIG_ALG_ECDSA_SHA1,
    LINT_SIG_ALG_ECDSA_SHA256,
    LINT_SIG_ALG_ECDSA_SHA384,
    LINT_SIG_ALG_ECDSA_SHA512,
    LINT_SIG_ALG_ED25519,
};
/* From a whole AlgorithmIdentifier. */
enum lint_sig_alg lint_sig_alg(lt_slice algorithm);
/* One of the three forms of RSASSA-PSS that are written out in full: SHA-256, -384, -512, MGF1 with the same
 * hash, a salt as long as the hash. */
bool lint_pss_usual(lt_slice algorithm);
/* Bits of a magnitude without leading zeros. */
unsigned lint_bits(lt_slice magnitude);

#endif
