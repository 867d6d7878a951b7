/* The memory of verified signatures: a table of hashes, one place for each. */
#include "validate/verified.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/digest.h"
#include "validate/perspective_private.h"

struct validate_verified {
    size_t mask;
    size_t hits;
    uint8_t (*hashes)[CRYPTO_SHA256_LEN]; /* owned; all zero: free */
};

struct validate_verified *validate_verified_new(size_t capacity)
{
    struct validate_verified *k = calloc(1, sizeof *k);
    size_t places = 1;
    while (places < capacity) {
        places *= 2;
    }
    LT_ASSERT(k != NULL);
    k->mask = places - 1;
    k->hashes = calloc(places, sizeof *k->hashes);
    LT_ASSERT(k->hashes != NULL);
    return k;
}

void validate_verified_free(struct validate_verified *known)
{
    if (known != NULL) {
        free(known->hashes);
        free(known);
    }
}

size_t validate_verified_hits(const struct validate_verified *known)
{
    return known->hits;
}

/* Lengths go in, so that no byte can move from one part to the next. */
static void hash_all(const lt_slice *parts, size_t count, uint8_t ret_hash[CRYPTO_SHA256_LEN])
{
    struct crypto_stream s;
    crypto_stream_init(&s, CRYPTO_SHA256);
    for (size_t i = 0; i < count; i++) {
        uint64_t len = parts[i].len;
        crypto_stream_add(&s, LT_SLICE((const uint8_t *)&len, sizeof len));
        crypto_stream_add(&s, parts[i]);
    }
    crypto_stream_finish(&s, ret_hash);
    crypto_stream_done(&s);
}

lt_res validate_statement_recall(struct validate_verified *known, const struct validate_perspective *p,
                                 const Ipc__SignedStatement *s, struct lt_arena *a,
                                 const Ipc__Validated **ret_validated)
{
    if (known == NULL) {
        return validate_statement_verify(p, s, a, ret_validated);
    }
    uint8_t hash[CRYPTO_SHA256_LEN];
    size_t at = 0;
    const lt_slice parts[] = {p->spki, LT_SLICE(s->statement.data, s->statement.len),
                              LT_SLICE(s->signature.data, s->signature.len)};
    hash_all(parts, LT_COUNT(parts), hash);
    memcpy(&at, hash, sizeof at);
    at &= known->mask;
    bool there = memcmp(known->hashes[at], hash, sizeof hash) == 0;
    known->hits += there;
    LT_TRY(validate_statement_open(p, s, !there, a, ret_validated));
    memcpy(known->hashes[at], hash, sizeof hash);
    return LT_OK;
}
