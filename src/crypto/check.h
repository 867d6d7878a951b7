#ifndef CRYPTO_CHECK_H
#define CRYPTO_CHECK_H
/* Is this public key one that anybody may rely on? Pure arithmetic on the numbers of the key: for the
 * notary (requests), the examiner and the linter alike. LT_POLICY_REFUSED names the rule. */
#include "crypto/alg.h"
#include "x509/spki.h"

/* modulus, exponent: big-endian, as in the DER INTEGER without sign byte.
 *= CABF-BR 6.1.6 "the CA SHALL confirm that the value of the public exponent is an odd number equal to 3 or
 *= more" and "Additionally, the public exponent SHOULD be in the range between 2^16 + 1 and 2^256 - 1" */
LT_MUST_USE lt_res crypto_check_rsa(lt_slice modulus, lt_slice exponent);
/* Uncompressed point 04 || x || y on the curve of that type. */
LT_MUST_USE lt_res crypto_check_point(enum crypto_key_type type, lt_slice point);
/* Ed25519: a canonical encoding of a point that is not of small order. */
LT_MUST_USE lt_res crypto_check_ed25519(lt_slice key);
/* x509_spki_check, then whichever of the above the key calls for. */
LT_MUST_USE lt_res crypto_check_spki(const struct x509_spki *spki);
/* The parts, for linter rows that tell them apart. modulus as above. */
bool crypto_rsa_has_small_factor(lt_slice modulus);  /* a prime below 752 */
bool crypto_rsa_is_roca(lt_slice modulus);           /* CVE-2017-15361 fingerprint */
bool crypto_rsa_factors_are_close(lt_slice modulus); /* Fermat, 100 rounds */

/* All of the parts at once. */
struct crypto_rsa_flaws {
    bool roca;
    uint32_t small_prime;  /* the least below 752 that divides the modulus; 0: none */
    uint32_t fermat_round; /* from 1, in which the modulus fell apart; 0: it did not */
};
/* At most CRYPTO_FERMAT_MAX rounds are made. A modulus of more than CRYPTO_EXAMINED_BITS costs more than it
 * is worth: no flaw is found in it. */
enum { CRYPTO_FERMAT_MAX = 100000, CRYPTO_EXAMINED_BITS = 16384 };
void crypto_rsa_examine(lt_slice modulus, uint32_t fermat_rounds, struct crypto_rsa_flaws *ret_flaws);

/* DSA: numbers big-endian as above. LT_PEER_UNSUPPORTED: one has more than CRYPTO_DSA_BITS_MAX. */
enum { CRYPTO_DSA_BITS_MAX = 8192 };
struct crypto_dsa {
    lt_slice p;
    lt_slice q;
    lt_slice y;
};
LT_MUST_USE lt_res crypto_dsa_is_of_order(const struct crypto_dsa *key, bool *ret_yes); /* y^q mod p is 1 */
LT_MUST_USE lt_res crypto_dsa_is_in_range(const struct crypto_dsa *key, bool *ret_yes); /* 2 <= y <= p - 2 */

#endif
