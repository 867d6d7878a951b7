#ifndef CA_MERKLE_H
#define CA_MERKLE_H
/* The root of a Merkle tree over a list that comes one by one, as transparency logs build it:
 * leaf = SHA-256(0 ‖ data), node = SHA-256(1 ‖ left ‖ right), the left tree of a node being the largest full
 * one. The root of no leaves is SHA-256 of nothing.
 *= RFC 9162 2.1.1 "MTH({d[0]}) = HASH(0x00 || d[0])." */
#include "base/slice.h"

enum { CA_MERKLE_LEN = 32, CA_MERKLE_DEPTH = 64 };

struct ca_merkle {
    uint64_t count;
    uint8_t stack[CA_MERKLE_DEPTH][CA_MERKLE_LEN]; /* roots of full trees, the largest first */
    size_t depth;
};

void ca_merkle_init(struct ca_merkle *m);
/* data: at most 64 bytes. */
void ca_merkle_add(struct ca_merkle *m, lt_slice data);
/* m may go on. */
void ca_merkle_root(const struct ca_merkle *m, uint8_t ret_root[CA_MERKLE_LEN]);

#endif
