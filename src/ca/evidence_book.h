#ifndef CA_EVIDENCE_BOOK_H
#define CA_EVIDENCE_BOOK_H
/* What remote perspectives signed for a validation, out of the book, for the examiner's own count. */
#include "ca/turn.h"
#include "sign.pb-c.h"

/* Fills e->statements by e->authorization_id and e->validated_us; all of it in the turn's arena. */
LT_MUST_USE lt_res ca_evidence_statements(struct ca_turn *t, Ipc__NameEvidence *e);

/* For a test that EXPLAINs each. */
extern const struct store_sql *const ca_evidence_sql;
extern const size_t ca_evidence_sql_count;

#endif
