#ifndef CA_KNOT_H
#define CA_KNOT_H
/* The knot: once a second, when it moved, the head of the event chain is journaled and signed by the signer,
 * so that a rewritten book shows (design 2.6). What is signed is the signer's affair
 * (signer/knot.h). */
#include "ca/book.h"
#include "sign.pb-c.h"

/* Once a second; defers Knot when the chain has moved since the last one. */
LT_MUST_USE lt_res ca_knot_tick(struct ca_turn *t);
/* KnotSigned; id of the envelope is the sequence of the chain that was asked for. */
LT_MUST_USE lt_res ca_knot_on_signed(struct ca_turn *t, uint64_t id, const Ipc__KnotSigned *m);

extern const struct store_sql *const ca_knot_sql;
extern const size_t ca_knot_sql_count;

#endif
