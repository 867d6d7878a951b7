#ifndef CA_EVIDENCE_RECORD_H
#define CA_EVIDENCE_RECORD_H
/* What lies in a frame of evidence, for whoever reads one: registrar, reader, audit. No book. */
#include "base/arena.h"
#include "evidence.pb-c.h"

/* LT_STATE_CORRUPT: it is no record, or not that of this row. */
LT_MUST_USE lt_res ca_evidence_unpack(lt_slice plain, int64_t authorization, int64_t checked_us,
                                      struct lt_arena *a, const Ipc__EvidenceRecord **ret_record);

#endif
