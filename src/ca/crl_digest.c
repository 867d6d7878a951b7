/* Sets of revocations, held against each other. */
#include "ca/crl_digest.h"

#include <string.h>

#include "crypto/digest.h"

enum { SERIAL_MAX = 20, ENTRY_MAX = 1 + SERIAL_MAX + 8 + 1 };

static void add_sum(uint8_t sum[CA_CRL_DIGEST_LEN], const uint8_t other[CA_CRL_DIGEST_LEN])
{
    unsigned carry = 0;
    for (size_t i = CA_CRL_DIGEST_LEN; i > 0; i--) {
        carry += (unsigned)sum[i - 1] + other[i - 1];
        sum[i - 1] = (uint8_t)carry;
        carry >>= 8;
    }
}

void ca_crl_digest_add(struct ca_crl_digest *d, lt_slice serial, int64_t revoked_s, uint32_t reason)
{
    uint8_t entry[ENTRY_MAX];
    uint8_t hash[CRYPTO_SHA256_LEN];
    size_t len = 0;
    lt_slice kept = lt_slice_sub(serial, 0, SERIAL_MAX); /* what is longer is found by its length */
    entry[len++] = (uint8_t)serial.len;
    memcpy(entry + len, kept.ptr, kept.len);
    len += kept.len;
    for (int shift = 56; shift >= 0; shift -= 8) {
        entry[len++] = (uint8_t)((uint64_t)revoked_s >> shift);
    }
    entry[len++] = (uint8_t)reason;
    crypto_sha256(LT_SLICE(entry, len), hash);
    add_sum(d->sum, hash);
    d->count++;
}

void ca_crl_digest_join(struct ca_crl_digest *d, const struct ca_crl_digest *other)
{
    add_sum(d->sum, other->sum);
    d->count += other->count;
}

bool ca_crl_digest_equal(const struct ca_crl_digest *a, const struct ca_crl_digest *b)
{
    return a->count == b->count && memcmp(a->sum, b->sum, sizeof a->sum) == 0;
}
