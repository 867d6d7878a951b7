#ifndef CA_EVIDENCE_BOOK_H
#define CA_EVIDENCE_BOOK_H
/* Evidence as the registrar keeps it: a row for each check, and what the check saw in a segment beside the
 * book (store/segment.h). The frame is written and synced before the commit of its row, all frames of a group
 * together; a frame whose row was lost stays and harms nobody. */
#include "ca/book.h"
#include "ca/turn.h"
#include "evidence.pb-c.h"
#include "sign.pb-c.h"
#include "store/segment.h"

/* A perspective's key, with the regions that its file says. */
struct ca_perspective_key {
    const char *name;
    lt_slice spki;
    const char *rir;
    const char *resolver_rir;
};

/* Opens folder/evidence for writing, as the book's own: closed with it. ret_lost: see store_segments_open. */
LT_MUST_USE lt_res ca_evidence_open(struct ca_book *b, const char *folder, lt_time now, struct lt_arena *a,
                                    const char **ret_lost);
/* Keeps what a check saw. The caller writes the row, with ret_ref, in the same turn. */
LT_MUST_USE lt_res ca_evidence_keep(struct ca_turn *t, const Ipc__EvidenceRecord *record,
                                    struct store_frame_ref *ret_ref);
/* Before each commit: on the disk by now, or the commit must not be. */
LT_MUST_USE lt_res ca_evidence_flush(struct ca_turn *t);
/* The row of a perspective's key; made where there is none. */
LT_MUST_USE lt_res ca_perspective_key(struct ca_turn *t, const struct ca_perspective_key *key,
                                      int64_t *ret_id);

/* What remote perspectives signed, for the examiner's own count: fills e->statements by e->authorization_id
 * and e->validated_us, and e->caa_statements by e->caa_checked_us where CAA was checked again after that; all
 * of it in the turn's arena. Evidence that cannot be read is none: the examiner then refuses. */
LT_MUST_USE lt_res ca_evidence_statements(struct ca_turn *t, Ipc__NameEvidence *e);

/* For a test that EXPLAINs each. */
extern const struct store_sql *const ca_evidence_sql;
extern const size_t ca_evidence_sql_count;

#endif
