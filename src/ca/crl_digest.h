#ifndef CA_CRL_DIGEST_H
#define CA_CRL_DIGEST_H
/* A set of revocations as one number, in whatever order they come: the sum of the SHA-256 of each, modulo
 * 2^256. So that of the book is held against that of a file, part by part, and the sum of all parts against
 * the complete one, without sorting millions. It finds what went wrong; against somebody who may choose
 * entries the signature stands. */
#include "base/slice.h"

enum { CA_CRL_DIGEST_LEN = 32 };

struct ca_crl_digest {
    uint8_t sum[CA_CRL_DIGEST_LEN]; /* big-endian; zeros for none */
    uint64_t count;
};

/* serial: magnitude. */
void ca_crl_digest_add(struct ca_crl_digest *d, lt_slice serial, int64_t revoked_s, uint32_t reason);
void ca_crl_digest_join(struct ca_crl_digest *d, const struct ca_crl_digest *other);
bool ca_crl_digest_equal(const struct ca_crl_digest *a, const struct ca_crl_digest *b);

#endif
