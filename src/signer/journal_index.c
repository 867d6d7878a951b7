/* The journal's index: which offsets may hold a key. A hash says "perhaps"; the record itself decides. */
#include <stdlib.h>
#include <string.h>

#include "crypto/digest.h"
#include "signer/journal_impl.h"

enum { FIRST_SIZE = 1024, REMOVED = 1 };

void journal_index_done(struct journal_index *ix)
{
    free(ix->slots);
    *ix = (struct journal_index){0};
}

uint64_t journal_index_hash(const struct journal_entry *key)
{
    uint8_t text[3 + 2 * JOURNAL_NAME_MAX] = {(uint8_t)key->what, (uint8_t)key->kind,
                                              (uint8_t)key->issuer.len};
    size_t len = 3;
    LT_ASSERT(key->issuer.len <= JOURNAL_NAME_MAX && key->serial.len <= JOURNAL_NAME_MAX);
    if (key->issuer.len > 0) {
        memcpy(text + len, key->issuer.ptr, key->issuer.len);
        len += key->issuer.len;
    }
    if (key->serial.len > 0) {
        memcpy(text + len, key->serial.ptr, key->serial.len);
        len += key->serial.len;
    }
    uint8_t digest[CRYPTO_SHA256_LEN];
    crypto_sha256(LT_SLICE(text, len), digest);
    uint64_t hash;
    memcpy(&hash, digest, sizeof hash);
    return hash;
}

/* cursor counts the slots that were looked at. */
uint64_t journal_index_next(const struct journal_index *ix, uint64_t hash, size_t *cursor)
{
    while (*cursor < ix->size) {
        const struct journal_slot *s = &ix->slots[(hash + *cursor) & (ix->size - 1)];
        *cursor += 1;
        if (s->offset == 0) {
            break;
        }
        if (s->hash == hash && s->offset != REMOVED) {
            return s->offset;
        }
    }
    return 0;
}

static void place(struct journal_slot *slots, size_t size, uint64_t hash, uint64_t offset)
{
    size_t i = hash & (size - 1);
    while (slots[i].offset != 0) {
        i = (i + 1) & (size - 1);
    }
    slots[i] = (struct journal_slot){.hash = hash, .offset = offset};
}

static void grow(struct journal_index *ix)
{
    size_t size = ix->size == 0 ? FIRST_SIZE : ix->size * 2;
    struct journal_slot *slots = calloc(size, sizeof *slots);
    LT_ASSERT(slots != NULL);
    size_t used = 0;
    for (size_t i = 0; i < ix->size; i++) {
        if (ix->slots[i].offset > REMOVED) {
            place(slots, size, ix->slots[i].hash, ix->slots[i].offset);
            used++;
        }
    }
    free(ix->slots);
    *ix = (struct journal_index){.slots = slots, .size = size, .used = used};
}

void journal_index_add(struct journal_index *ix, uint64_t hash, uint64_t offset)
{
    LT_ASSERT(offset > REMOVED);
    if (ix->used >= ix->size / 4 * 3) {
        grow(ix);
    }
    place(ix->slots, ix->size, hash, offset);
    ix->used++;
}

void journal_index_set(struct journal_index *ix, uint64_t hash, uint64_t offset, uint64_t new_offset)
{
    size_t i = hash & (ix->size - 1);
    while (ix->slots[i].hash != hash || ix->slots[i].offset != offset) {
        LT_ASSERT(ix->slots[i].offset != 0); /* the caller found it here */
        i = (i + 1) & (ix->size - 1);
    }
    ix->slots[i].offset = new_offset == 0 ? REMOVED : new_offset;
}
