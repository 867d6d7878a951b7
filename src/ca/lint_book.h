#ifndef CA_LINT_BOOK_H
#define CA_LINT_BOOK_H
/* What the linter said, as events: refusals that belong to no intent, and what a later look at the inventory
 * found. */
#include "ca/book.h"
#include "operator.pb-c.h"
#include "sign.pb-c.h"

/* The examiner refused something without an intent. LT_PEER_MALFORMED for a kind that it has not. */
LT_MUST_USE lt_res ca_refused(struct ca_turn *t, const Ipc__Refused *m);

#endif
