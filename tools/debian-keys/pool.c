#include "pool.h"

#include <openssl/sha.h>
#include <string.h>

enum { HALF = POOL_DIGEST / 2, ENOUGH = 32, PID_LEN = 4 };

void pool_init(struct pool *p, const struct pool_machine *machine, uint32_t pid)
{
    memset(p, 0, sizeof *p);
    p->machine = *machine;
    p->pid = pid;
}

/* A number as that machine has it in memory. */
static void put(const struct pool *p, uint64_t value, unsigned len, uint8_t *out)
{
    for (unsigned i = 0; i < len; i++) {
        out[p->machine.big_endian ? len - 1 - i : i] = (uint8_t)(value >> (8 * i));
    }
}

static void hash_counts(const struct pool *p, const uint64_t count[2], SHA_CTX *sha)
{
    uint8_t bytes[16];
    put(p, count[0], p->machine.long_len, bytes);
    put(p, count[1], p->machine.long_len, bytes + p->machine.long_len);
    SHA1_Update(sha, bytes, 2 * p->machine.long_len);
}

/* len bytes of a ring of `size`, from `at` on. */
static void hash_ring(const struct pool *p, unsigned at, unsigned len, unsigned size, SHA_CTX *sha)
{
    unsigned head = at + len > size ? size - at : len;
    SHA1_Update(sha, p->state + at, head);
    SHA1_Update(sha, p->state, len - head);
}

static void advance(struct pool *p, unsigned len)
{
    p->at += len;
    if (p->at >= POOL_STATE) {
        p->at %= POOL_STATE;
        p->used = POOL_STATE;
    } else if (p->used < POOL_STATE && p->at > p->used) {
        p->used = p->at;
    }
    p->count[1] += len / POOL_DIGEST + (len % POOL_DIGEST > 0);
}

void pool_feed(struct pool *p, unsigned len, double entropy)
{
    uint64_t count[2] = {p->count[0], p->count[1]};
    uint8_t local[POOL_DIGEST];
    unsigned at = p->at;
    memcpy(local, p->digest, sizeof local);
    advance(p, len);
    for (unsigned done = 0; done < len; done += POOL_DIGEST) {
        unsigned part = len - done > POOL_DIGEST ? POOL_DIGEST : len - done;
        SHA_CTX sha;
        SHA1_Init(&sha);
        SHA1_Update(&sha, local, sizeof local);
        hash_ring(p, at, part, POOL_STATE, &sha);
        /* Here stood what was fed. */
        hash_counts(p, count, &sha);
        SHA1_Final(local, &sha);
        count[1]++;
        for (unsigned i = 0; i < part; i++) {
            p->state[at] ^= local[i];
            at = (at + 1) % POOL_STATE;
        }
    }
    for (unsigned i = 0; i < POOL_DIGEST; i++) {
        p->digest[i] ^= local[i];
    }
    p->entropy += p->entropy < ENOUGH ? entropy : 0;
}

void pool_poll(struct pool *p)
{
    pool_feed(p, ENOUGH, ENOUGH);
    for (int i = 0; i < 3; i++) {
        pool_feed(p, p->machine.long_len, 0);
    }
    p->polled = 1;
}

static void stir(struct pool *p)
{
    int enough = p->entropy >= ENOUGH;
    for (int left = POOL_STATE; left > 0; left -= POOL_DIGEST) {
        pool_feed(p, POOL_DIGEST, 0);
    }
    p->stirred = enough;
}

void pool_read(struct pool *p, uint8_t *out, unsigned len)
{
    SHA_CTX sha;
    uint8_t local[POOL_DIGEST];
    uint8_t pid[PID_LEN];
    if (!p->polled) {
        pool_poll(p);
    }
    if (!p->stirred) {
        stir(p);
    }
    unsigned at = p->at;
    unsigned used = p->used;
    uint64_t count[2] = {p->count[0], p->count[1]};
    memcpy(local, p->digest, sizeof local);
    p->at += (1 + (len - 1) / HALF) * HALF;
    p->at = p->at > used ? p->at % used : p->at;
    p->count[0]++;
    for (unsigned done = 0; done < len; done += HALF) {
        unsigned part = len - done > HALF ? HALF : len - done;
        SHA1_Init(&sha);
        if (done == 0) {
            put(p, p->pid, sizeof pid, pid);
            SHA1_Update(&sha, pid, sizeof pid);
        }
        SHA1_Update(&sha, local, sizeof local);
        hash_counts(p, count, &sha);
        hash_ring(p, at, HALF, used, &sha);
        SHA1_Final(local, &sha);
        for (unsigned i = 0; i < HALF; i++) {
            p->state[at] ^= local[i];
            at = at + 1 >= used ? 0 : at + 1;
        }
        memcpy(out + done, local + HALF, part);
    }
    SHA1_Init(&sha);
    hash_counts(p, count, &sha);
    SHA1_Update(&sha, local, sizeof local);
    SHA1_Update(&sha, p->digest, sizeof p->digest);
    SHA1_Final(p->digest, &sha);
}
