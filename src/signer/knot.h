#ifndef SIGNER_KNOT_H
#define SIGNER_KNOT_H
/* What the signer's audit key signs: the head of a chain of events tied to the head of the signer's journal
 * (design 2.6). The knot's own journal record is the one that the journal head includes, so a knot says: when
 * the chain stood there, the journal stood here. Rebuilt by whoever verifies it. */
#include "base/buf.h"
#include "base/clock.h"

struct signer_knot {
    lt_slice chain;    /* its name */
    uint64_t sequence; /* of the chain */
    lt_slice head;     /* 32 bytes */
    int64_t time_us;   /* the signer's clock */
    uint64_t journal_sequence;
    lt_slice journal_head; /* 32 bytes */
};

/* The signed text: six lines of "word=value" behind "lintel-knot-v1". */
void signer_knot_statement(const struct signer_knot *k, struct lt_buf *out);

#endif
