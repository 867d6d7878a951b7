/* What is wrong with RSA keys, found out once for each. The cache is a table of SPKI hashes, two places for
 * each: a newcomer takes the place of whatever stands in the second. */
#include "lint/keys.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/check.h"
#include "crypto/debian.h"
#include "crypto/digest.h"

struct slot {
    struct lint_key key;
    uint32_t rounds; /* of Fermat's method that were made */
    bool used;
};

struct lint_keys {
    size_t mask;
    struct slot slots[];
};

struct lint_keys *lint_keys_new(size_t capacity)
{
    size_t count = 2;
    while (count < capacity && count < SIZE_MAX / 4 / sizeof(struct slot)) {
        count *= 2;
    }
    struct lint_keys *keys = calloc(1, sizeof *keys + count * sizeof(struct slot));
    LT_ASSERT(keys != NULL);
    keys->mask = count - 1;
    return keys;
}

void lint_keys_free(struct lint_keys *keys)
{
    free(keys);
}

static void find_flaws(const struct x509_spki *spki, uint32_t rounds, struct lint_key *key)
{
    struct crypto_rsa_flaws found;
    crypto_rsa_examine(spki->modulus, rounds, &found);
    key->flaws = (crypto_rsa_is_debian(spki->modulus) ? LINT_KEY_DEBIAN : 0) |
                 (found.roca ? LINT_KEY_ROCA : 0) | (found.small_prime != 0 ? LINT_KEY_SMALL_PRIME : 0) |
                 (found.fermat_round != 0 ? LINT_KEY_FERMAT : 0);
    key->small_prime = found.small_prime;
    key->fermat_round = found.fermat_round;
}

void lint_key_examine(struct lint_keys *keys, const struct x509_spki *spki, uint32_t fermat_rounds,
                      struct lint_key *ret_key)
{
    *ret_key = (struct lint_key){.flaws = 0};
    crypto_sha256(spki->der, ret_key->spki_sha256);
    struct slot *first = NULL;
    if (keys != NULL) {
        size_t at;
        memcpy(&at, ret_key->spki_sha256, sizeof at);
        first = &keys->slots[at & keys->mask & ~(size_t)1];
        for (size_t i = 0; i < 2; i++) {
            if (first[i].used && first[i].rounds == fermat_rounds &&
                memcmp(first[i].key.spki_sha256, ret_key->spki_sha256, sizeof ret_key->spki_sha256) == 0) {
                *ret_key = first[i].key;
                return;
            }
        }
    }
    if (spki->type == X509_KEY_RSA && spki->modulus.len > 0) {
        find_flaws(spki, fermat_rounds, ret_key);
    }
    if (first != NULL) {
        first[1] = first[0];
        first[0] = (struct slot){.key = *ret_key, .rounds = fermat_rounds, .used = true};
    }
}
