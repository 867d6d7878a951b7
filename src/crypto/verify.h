#ifndef CRYPTO_VERIFY_H
#define CRYPTO_VERIFY_H
/* Did that key make that signature? For those who look at what others signed, whatever it is worth: retired
 * hash functions, RSA keys of any size, DSA, compressed points, curves that nobody certifies. Nothing may be
 * trusted because of it: crypto/pub.h is for that. */
#include "x509/spki.h"

enum crypto_answer {
    CRYPTO_UNKNOWN, /* a kind of key, curve, hash or size that cannot be computed here: MD2, … */
    CRYPTO_WRONG,   /* another key or message, or a key that makes no such signatures or is no point of its
                       curve */
    CRYPTO_FITS,
};

/* sig_alg: the whole AlgorithmIdentifier of the signature. */
LT_MUST_USE enum crypto_answer crypto_verify_any(const struct x509_spki *spki, lt_slice sig_alg,
                                                 lt_slice message, lt_slice signature);

#endif
