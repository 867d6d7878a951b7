/* Chained hash with a list by age; entries are indices, so nothing dangles. */
#include "role/notary_keys.h"

#include <stdlib.h>
#include <string.h>

enum { NONE = UINT32_MAX };

struct slot {
    struct notary_key key;
    char kid[NOTARY_KID_MAX];
    size_t kid_len;
    uint32_t next;  /* in its bucket, or of the free ones */
    uint32_t older; /* by use */
    uint32_t newer;
};

struct notary_keys {
    struct slot *slots;
    uint32_t *buckets;
    uint32_t max; /* of slots and of buckets; a power of two */
    uint32_t free;
    uint32_t newest;
    uint32_t oldest;
    size_t count;
};

struct notary_keys *notary_keys_new(size_t max)
{
    LT_ASSERT(max > 0 && max <= NOTARY_KEYS_MAX && (max & (max - 1)) == 0);
    struct notary_keys *k = calloc(1, sizeof *k);
    LT_ASSERT(k != NULL);
    k->max = (uint32_t)max;
    k->slots = calloc(max, sizeof *k->slots);
    k->buckets = calloc(max, sizeof *k->buckets);
    LT_ASSERT(k->slots != NULL && k->buckets != NULL);
    for (uint32_t i = 0; i < k->max; i++) {
        k->buckets[i] = NONE;
        k->slots[i].next = i + 1 < k->max ? i + 1 : NONE;
    }
    k->newest = NONE;
    k->oldest = NONE;
    return k;
}

void notary_keys_free(struct notary_keys *k)
{
    if (k != NULL) {
        for (uint32_t i = 0; i < k->max; i++) {
            crypto_pub_free(k->slots[i].key.pub);
        }
        free(k->slots);
        free(k->buckets);
        free(k);
    }
}

/* FNV-1a. Kids are drawn by the registrar or chosen by the CA's own operators: nobody outside picks
 * collisions. */
static uint32_t bucket_of(const struct notary_keys *k, lt_slice kid)
{
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < kid.len; i++) {
        h = (h ^ kid.ptr[i]) * 1099511628211u;
    }
    return (uint32_t)(h ^ h >> 32) & (k->max - 1);
}

static bool is_kid(const struct slot *s, lt_slice kid)
{
    return lt_slice_eq(LT_SLICE(s->kid, s->kid_len), kid);
}

static uint32_t find(const struct notary_keys *k, lt_slice kid)
{
    uint32_t i = k->buckets[bucket_of(k, kid)];
    while (i != NONE && !is_kid(&k->slots[i], kid)) {
        i = k->slots[i].next;
    }
    return i;
}

static void leave_ages(struct notary_keys *k, uint32_t i)
{
    struct slot *s = &k->slots[i];
    *(s->older == NONE ? &k->oldest : &k->slots[s->older].newer) = s->newer;
    *(s->newer == NONE ? &k->newest : &k->slots[s->newer].older) = s->older;
}

static void enter_newest(struct notary_keys *k, uint32_t i)
{
    k->slots[i].older = k->newest;
    k->slots[i].newer = NONE;
    *(k->newest == NONE ? &k->oldest : &k->slots[k->newest].newer) = i;
    k->newest = i;
}

static void drop(struct notary_keys *k, uint32_t i)
{
    struct slot *s = &k->slots[i];
    uint32_t *link = &k->buckets[bucket_of(k, LT_SLICE(s->kid, s->kid_len))];
    while (*link != i) {
        link = &k->slots[*link].next;
    }
    *link = s->next;
    leave_ages(k, i);
    crypto_pub_free(LT_TAKE(s->key.pub, NULL));
    s->next = k->free;
    k->free = i;
    k->count--;
}

const struct notary_key *notary_keys_get(struct notary_keys *k, lt_slice kid)
{
    uint32_t i = find(k, kid);
    if (i == NONE) {
        return NULL;
    }
    leave_ages(k, i);
    enter_newest(k, i);
    return &k->slots[i].key;
}

const struct notary_key *notary_keys_put(struct notary_keys *k, lt_slice kid, struct crypto_pub *pub,
                                         const uint8_t *thumbprint)
{
    LT_ASSERT(kid.len <= NOTARY_KID_MAX);
    notary_keys_forget(k, kid);
    if (k->free == NONE) {
        drop(k, k->oldest);
    }
    uint32_t i = k->free;
    struct slot *s = &k->slots[i];
    k->free = s->next;
    memcpy(s->kid, kid.ptr, kid.len);
    s->kid_len = kid.len;
    s->key.pub = pub;
    memcpy(s->key.thumbprint, thumbprint, JWK_THUMBPRINT_LEN);
    s->key.operator_[0] = 0;
    uint32_t bucket = bucket_of(k, kid);
    s->next = k->buckets[bucket];
    k->buckets[bucket] = i;
    enter_newest(k, i);
    k->count++;
    return &s->key;
}

void notary_keys_name(struct notary_keys *k, lt_slice kid, lt_slice operator_)
{
    uint32_t i = find(k, kid);
    if (i != NONE) {
        struct notary_key *key = &k->slots[i].key;
        operator_ = lt_slice_sub(operator_, 0, sizeof key->operator_ - 1);
        memcpy(key->operator_, operator_.len == 0 ? (const uint8_t *)"" : operator_.ptr, operator_.len);
        key->operator_[operator_.len] = 0;
    }
}

void notary_keys_forget(struct notary_keys *k, lt_slice kid)
{
    uint32_t i = find(k, kid);
    if (i != NONE) {
        drop(k, i);
    }
}

size_t notary_keys_count(const struct notary_keys *k)
{
    return k->count;
}
