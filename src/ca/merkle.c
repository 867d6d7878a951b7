/* Merkle roots of lists, in constant memory. */
#include "ca/merkle.h"

#include <string.h>

#include "base/result.h"
#include "crypto/digest.h"

enum { DATA_MAX = 64 };

static void node(const uint8_t *left, const uint8_t *right, uint8_t *ret_hash)
{
    uint8_t text[1 + 2 * CA_MERKLE_LEN] = {1};
    memcpy(&text[1], left, CA_MERKLE_LEN);
    memcpy(&text[1 + CA_MERKLE_LEN], right, CA_MERKLE_LEN);
    crypto_sha256(LT_SLICE(text, sizeof text), ret_hash);
}

void ca_merkle_init(struct ca_merkle *m)
{
    m->count = 0;
    m->depth = 0;
}

void ca_merkle_add(struct ca_merkle *m, lt_slice data)
{
    uint8_t text[1 + DATA_MAX] = {0};
    LT_ASSERT(data.len <= DATA_MAX && m->depth < CA_MERKLE_DEPTH);
    memcpy(&text[1], data.ptr, data.len);
    crypto_sha256(LT_SLICE(text, 1 + data.len), m->stack[m->depth++]);
    m->count++;
    for (uint64_t full = m->count; (full & 1) == 0; full >>= 1) {
        m->depth--;
        node(m->stack[m->depth - 1], m->stack[m->depth], m->stack[m->depth - 1]);
    }
}

void ca_merkle_root(const struct ca_merkle *m, uint8_t ret_root[CA_MERKLE_LEN])
{
    if (m->depth == 0) {
        crypto_sha256(LT_SLICE(NULL, 0), ret_root);
        return;
    }
    memcpy(ret_root, m->stack[m->depth - 1], CA_MERKLE_LEN);
    for (size_t i = m->depth - 1; i > 0; i--) {
        node(m->stack[i - 1], ret_root, ret_root);
    }
}
