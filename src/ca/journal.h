#ifndef CA_JOURNAL_H
#define CA_JOURNAL_H
/* How far the signer's journal is in the book. Sequences arrive out of order (signatures, CRLs, revocations,
 * knots); the book acknowledges up to the first gap, and asks for the replay when a gap stays. */
#include "ca/book.h"

/* At the end of a group, inside its transaction: writes and sends the acknowledged sequence when it has moved
 * by 64, or a second has passed. */
LT_MUST_USE lt_res ca_journal_flush(struct ca_turn *t);
/* Each second: a gap that stays asks for the replay. */
LT_MUST_USE lt_res ca_journal_tick(struct ca_turn *t);
/* The examiner's link came up: says where the book stands, which asks for the replay. */
LT_MUST_USE lt_res ca_journal_hello(struct ca_turn *t);

#endif
