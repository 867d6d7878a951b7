/* One word of time for each key: the theoretical arrival time of the next request at the steady rate. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "acme/rate.h"
#include "base/buf.h"
#include "crypto/digest.h"

enum { BUCKETS = 1 << 14, SLOTS = 4, SECRET_LEN = 16, KEY_MAX = 300 };

struct slot {
    uint64_t tag;   /* of the key; 0: free */
    int64_t tat_us; /* theoretical arrival time */
};

struct acme_rates {
    struct acme_rate limit[ACME_LIMIT_COUNT];
    uint8_t secret[SECRET_LEN];
    struct slot slot[BUCKETS][SLOTS];
};

static const char *const limit_words[ACME_LIMIT_COUNT] = {
    [ACME_LIMIT_ACCOUNTS] = "new accounts from your address",
    [ACME_LIMIT_ORDERS] = "new orders of this account",
    [ACME_LIMIT_FAILURES] = "failed validations of this account for this name",
    [ACME_LIMIT_REQUESTS] = "requests of this account",
};

struct acme_rates *acme_rates_new(void (*random)(uint8_t *out, size_t len))
{
    struct acme_rates *r = calloc(1, sizeof *r);
    LT_ASSERT(r != NULL);
    random(r->secret, sizeof r->secret);
    return r;
}

void acme_rates_free(struct acme_rates *r)
{
    free(r);
}

void acme_rates_set(struct acme_rates *r, enum acme_limit limit, struct acme_rate rate)
{
    r->limit[limit] = rate;
}

struct acme_rate acme_rates_get(const struct acme_rates *r, enum acme_limit limit)
{
    return r->limit[limit];
}

static uint64_t tag_of(const struct acme_rates *r, enum acme_limit limit, lt_slice key)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    uint8_t input[SECRET_LEN + 1 + KEY_MAX];
    size_t len = key.len < KEY_MAX ? key.len : KEY_MAX;
    memcpy(input, r->secret, SECRET_LEN);
    input[SECRET_LEN] = (uint8_t)limit;
    if (len > 0) {
        memcpy(input + SECRET_LEN + 1, key.ptr, len);
    }
    crypto_sha256(LT_SLICE(input, SECRET_LEN + 1 + len), hash);
    uint64_t tag = 0;
    memcpy(&tag, hash, sizeof tag);
    return tag == 0 ? 1 : tag;
}

/* The key's slot; else the one that matters least: free, or with the earliest time. */
static struct slot *find(struct acme_rates *r, uint64_t tag)
{
    struct slot *bucket = r->slot[tag % BUCKETS];
    struct slot *least = &bucket[0];
    for (size_t i = 0; i < SLOTS; i++) {
        if (bucket[i].tag == tag) {
            return &bucket[i];
        }
        if (bucket[i].tat_us < least->tat_us) {
            least = &bucket[i];
        }
    }
    return least;
}

int64_t acme_rate_ask(struct acme_rates *r, enum acme_limit limit, lt_slice key, lt_time now, bool spend)
{
    const struct acme_rate *rate = &r->limit[limit];
    if (rate->count == 0 || rate->period_s <= 0) {
        return 0;
    }
    int64_t period_us = rate->period_s * LT_US_PER_SECOND;
    int64_t interval_us = period_us / (int64_t)rate->count;
    uint64_t tag = tag_of(r, limit, key);
    struct slot *s = find(r, tag);
    int64_t tat = s->tag == tag && s->tat_us > now.us ? s->tat_us : now.us;
    int64_t over = tat + interval_us - (now.us + period_us);
    if (over > 0) {
        return over / LT_US_PER_SECOND + 1;
    }
    if (spend) {
        *s = (struct slot){tag, tat + interval_us};
    }
    return 0;
}

size_t acme_rate_address(const char *address, uint8_t ret_key[16])
{
    memset(ret_key, 0, 16);
    if (inet_pton(AF_INET, address, ret_key) == 1) {
        return 4;
    }
    if (inet_pton(AF_INET6, address, ret_key) == 1) {
        return 8; /* whoever has a host there has its whole /64 */
    }
    return 0;
}

const char *acme_limit_words(enum acme_limit limit)
{
    return (unsigned)limit < ACME_LIMIT_COUNT ? limit_words[limit] : "requests";
}
