#ifndef CRYPTO_DEBIAN_H
#define CRYPTO_DEBIAN_H
/* The RSA keys of Debian's broken generator (CVE-2008-0166): there are few enough to know them all.
 * Fingerprints are linked in, out of data/keys/debian-rsa.bin, which tools/debian-keys makes; docs/lint.md
 * says which sizes and machines they are of. */
#include "base/slice.h"

/* modulus: big-endian, without sign byte. A key that is none of them is taken for one once in 10^9. */
bool crypto_rsa_is_debian(lt_slice modulus);
/* How many fingerprints there are. */
size_t crypto_debian_count(void);

#endif
