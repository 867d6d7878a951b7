#ifndef CRYPTO_VERIFY_H
#define CRYPTO_VERIFY_H
/* Did that key make that signature? For those who look at what others signed, whatever it is worth: retired
 * hash functions, RSA keys of any size, DSA, compressed points. Nothing may be trusted because of it:
 * crypto/pub.h is for that. */
#include "x509/spki.h"

/* sig_alg: the whole AlgorithmIdentifier of the signature. False as well for what is not known here: MD2,
 * RSASSA-PSS with another salt or mask than the three of the Baseline Requirements, unknown curves. */
bool crypto_verify_any(const struct x509_spki *spki, lt_slice sig_alg, lt_slice message, lt_slice signature);

#endif
