#ifndef CA_COMPROMISE_H
#define CA_COMPROMISE_H
/* A key has proven that it is compromised: it is blocked for good, and every live certificate of it is
 * revoked as keyCompromise by one plan that starts by itself, however many they are. One event,
 * proof.accepted, has the proof. Who verifies proofs is not of this room (incident/proof.h; for revokeCert
 * of ACME the notary), and who is told of it neither: the row says how far that is.
 */
#include "ca/turn.h"

enum ca_compromise_step {
    CA_COMPROMISE_REVOKING, /* certificates are left */
    CA_COMPROMISE_LATE,     /* the same for too long: who is on duty has been called */
    CA_COMPROMISE_COUNTING, /* whose they were */
    CA_COMPROMISE_TELLING,
    CA_COMPROMISE_DONE,
};

#define CA_COMPROMISE_BY_ACME "revoke-cert"
enum { CA_COMPROMISE_EVIDENCE_MAX = 40 * 1024 }; /* in base64 it fits into the body of an event */

struct ca_compromise {
    lt_slice spki_sha256;
    const char *proof;        /* kind */
    const char *key_type;     /* "" where it is not known */
    const char *via;          /* who brought it */
    lt_slice evidence;        /* what may be kept; goes into the event, up to CA_COMPROMISE_EVIDENCE_MAX */
    lt_slice evidence_sha256; /* of what came; empty: of evidence */
    int64_t problem;
    const char *filer; /* "": nobody to tell */
    lt_time received;  /* {0}: now */
    lt_slice jws;      /* kept with the event */
    int64_t besides;   /* certificates of it that whoever brought it has just revoked */
};

/* *ret_live: certificates of it that have not expired, are not held and not revoked for this, at most 1,000
 * are counted. *ret_known: the key has, or had, certificates here. */
LT_MUST_USE lt_res ca_compromise_count(struct ca_turn *t, lt_slice spki_sha256, int64_t *ret_live,
                                       bool *ret_known);
/* Idempotent; a key that is proven again, and has live certificates again (brought in later), has them
 * revoked. *ret_new: it was not known to be compromised. */
LT_MUST_USE lt_res ca_compromise_add(struct ca_turn *t, const struct ca_compromise *c, bool *ret_new);

extern const struct store_sql *const ca_compromise_sql;
extern const size_t ca_compromise_sql_count;

#endif
