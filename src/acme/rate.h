#ifndef ACME_RATE_H
#define ACME_RATE_H
/* Rate limits by GCRA, in memory: one time stamp for each key, in a table of fixed size whose least loaded
 * entries give way. A restart forgets them, which is lenient and safe. Keys are hashed under a secret, so
 * that nobody can choose whom to push out. */
#include "base/clock.h"
#include "base/slice.h"

enum acme_limit {
    ACME_LIMIT_ACCOUNTS, /* new accounts for each address */
    ACME_LIMIT_ORDERS,   /* new orders for each account */
    ACME_LIMIT_FAILURES, /* failed validations for each account and name */
    ACME_LIMIT_REQUESTS, /* requests for each account */
    ACME_LIMIT_COUNT,
};

/* `count` at once, and so many in period_s seconds from then on; count 0: no limit. */
struct acme_rate {
    uint32_t count;
    int64_t period_s;
};

struct acme_rates; /* one owner */

struct acme_rates *acme_rates_new(void (*random)(uint8_t *out, size_t len));
void acme_rates_free(struct acme_rates *r);
void acme_rates_set(struct acme_rates *r, enum acme_limit limit, struct acme_rate rate);
struct acme_rate acme_rates_get(const struct acme_rates *r, enum acme_limit limit);
/* Seconds to wait, 0 when it may happen now; `spend` counts it if so. */
int64_t acme_rate_ask(struct acme_rates *r, enum acme_limit limit, lt_slice key, lt_time now, bool spend);
/* Who an address is, for limits: an IPv4 address, or the /64 of an IPv6 address. ret_key has room for 16
 * bytes; returns how many were used. */
size_t acme_rate_address(const char *address, uint8_t ret_key[16]);
/* "new accounts from your address": for the sentence in the problem document. Static storage. */
const char *acme_limit_words(enum acme_limit limit);

#endif
