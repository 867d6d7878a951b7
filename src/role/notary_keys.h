#ifndef ROLE_NOTARY_KEYS_H
#define ROLE_NOTARY_KEYS_H
/* Keys that the registrar named, imported and ready to verify with: an LRU cache by kid. What it forgets is
 * asked for again; what is stale in it the registrar tells by its thumbprint. */
#include "crypto/pub.h"
#include "jose/jwk.h"

enum { NOTARY_KEYS_MAX = 4096, NOTARY_KID_MAX = 96 };

struct notary_keys;

struct notary_key { /* owned by the cache, good until the next put or forget */
    struct crypto_pub *pub;
    uint8_t thumbprint[JWK_THUMBPRINT_LEN];
    char operator_[64]; /* whose session; "" of all others */
};

struct notary_keys *notary_keys_new(size_t max);
void notary_keys_free(struct notary_keys *k);
/* NULL when it is not known; otherwise it is now the last to go. kid: account id in decimal, "operator:NAME".
 */
const struct notary_key *notary_keys_get(struct notary_keys *k, lt_slice kid);
/* Takes pub over; the oldest goes when the cache is full. */
const struct notary_key *notary_keys_put(struct notary_keys *k, lt_slice kid, struct crypto_pub *pub,
                                         const uint8_t *thumbprint);
/* Whose key that is; cut where no operator is called like that. */
void notary_keys_name(struct notary_keys *k, lt_slice kid, lt_slice operator_);
void notary_keys_forget(struct notary_keys *k, lt_slice kid);
size_t notary_keys_count(const struct notary_keys *k);

#endif
