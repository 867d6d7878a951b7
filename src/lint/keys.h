#ifndef LINT_KEYS_H
#define LINT_KEYS_H
/* What is known to be wrong with a public key: trial work (ROCA, Fermat, small primes, the keys of Debian's
 * broken generator) that costs tens to hundreds of microseconds, kept by SHA-256 of the SPKI. A cache belongs
 * to one thread. */
#include "lint/lint.h"

enum lint_key_flaw {
    LINT_KEY_ROCA = 1 << 0, /* fingerprint of CVE-2017-15361 */
    LINT_KEY_FERMAT =
        1 << 1, /* factors so near that lint_config.fermat_rounds of Fermat's method find them */
    LINT_KEY_SMALL_PRIME = 1 << 2, /* a prime below 752 divides the modulus */
    LINT_KEY_DEBIAN = 1 << 3,      /* CVE-2008-0166 */
};

struct lint_key {
    uint8_t spki_sha256[32];
    unsigned flaws;        /* of enum lint_key_flaw */
    uint32_t small_prime;  /* that divides it */
    uint32_t fermat_round; /* in which it fell */
};

struct lint_keys;
/* capacity: keys that are remembered (rounded up to a power of two). */
struct lint_keys *lint_keys_new(size_t capacity);
void lint_keys_free(struct lint_keys *keys);
/* Found out, or remembered. keys may be NULL. */
void lint_key_examine(struct lint_keys *keys, const struct x509_spki *spki, uint32_t fermat_rounds,
                      struct lint_key *ret_key);

#endif
