#ifndef INCIDENT_PROOF_BEAT_H
#define INCIDENT_PROOF_BEAT_H
/* What is due of proven keys: clocks, notices, and an alarm where a certificate stays. */
#include "incident/op.h"

LT_MUST_USE lt_res incident_proof_beat(struct incident_beat *b, bool *ret_more);

extern const struct incident_sql incident_proof_beat_sql;
extern const struct incident_sql incident_proof_book_sql;

#endif
