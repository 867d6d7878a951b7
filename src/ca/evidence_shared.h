#ifndef CA_EVIDENCE_SHARED_H
#define CA_EVIDENCE_SHARED_H
/* Frames of evidence out of the book, for hosts that have not the segment: registrar, reader, audit. A book
 * on a server has each frame beside its row; the file on the disk of the host that wrote it has the same
 * bytes. */
#include "store/segment.h"
#include "store/store.h"

/* LT_PEER_NOT_FOUND: neither has this book. LT_STATE_CORRUPT: not the frame that ref says. */
LT_MUST_USE lt_res ca_evidence_shared(struct store *s, const struct store_frame_ref *ref, struct lt_arena *a,
                                      lt_slice *ret_plain);
/* The file where there is one, else the book. */
LT_MUST_USE lt_res ca_evidence_read(struct store *s, const char *folder, const struct store_frame_ref *ref,
                                    struct lt_arena *a, lt_slice *ret_plain);

extern const struct store_sql *const ca_evidence_shared_sql;
extern const size_t ca_evidence_shared_sql_count;

#endif
