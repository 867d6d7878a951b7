#ifndef CA_REVOKE_H
#define CA_REVOKE_H
/* Revoking one certificate. Whether the asker has the right is decided by the caller (acme: account holds
 * all names, or the certificate's key; operators: role).
 *
 * First the book takes an open revocation, then the signer's journal has it, then the book's revocation row
 * is committed, then the asker is answered and the publisher told. Key compromise blocks the key for ever.
 * The reason of a revoked certificate may still become keyCompromise, and its date then an earlier one;
 * nothing else changes. The other certificates of a compromised key follow as one plan (ca/mass.h).
 *
 * Refuses: certificates not in the book, revoked ones (LT_PEER_CONFLICT), reasons that a subscriber may not
 * give.
 */
#include "ca/book.h"
#include "ca/reasons.h"
#include "sign.pb-c.h"

enum ca_reason {
    CA_REASON_UNSPECIFIED = 0, /* omitted in the CRL */
    CA_REASON_KEY_COMPROMISE = 1,
    CA_REASON_CA_COMPROMISE = 2,
    CA_REASON_AFFILIATION_CHANGED = 3,
    CA_REASON_SUPERSEDED = 4,
    CA_REASON_CESSATION = 5,
    CA_REASON_HOLD = 6,
    CA_REASON_REMOVE_FROM_CRL = 8,
    CA_REASON_PRIVILEGE_WITHDRAWN = 9,
    CA_REASON_AA_COMPROMISE = 10,
};

enum ca_revoke_origin { CA_REVOKE_BY_NOBODY, CA_REVOKE_BY_ACME, CA_REVOKE_BY_OPERATOR };

struct ca_revoke_request {
    int64_t issuer; /* row id: ca_issuer_by_subject, ca_issuer_by_name */
    lt_slice serial;
    uint32_t reason;
    const char *by_whom; /* "account 123", "certificate-key", "operator admin" */
    lt_slice jws;        /* kept with the event */
    struct ca_why why;   /* the cause with its clocks; zeros: none is given */
    int64_t dated_us;    /* revocationDate, where it is set back; 0: now */
    enum ca_revoke_origin origin;
    struct ipc_addr reply_to; /* handed back in struct ca_revoked */
};

/* May a subscriber, or we for a TLS subscriber certificate, use this reason?
 *= CABF-BR 7.2.2 unspecified: "Represented by the omission of a reasonCode."; certificateHold: "MUST NOT be
 * included if the CRL entry is for 1) a Certificate subject to these Requirements" */
bool ca_reason_allowed(uint32_t reason, bool by_operator);
const char *ca_reason_name(uint32_t reason);

/* LT_PEER_NOT_FOUND, LT_PEER_CONFLICT (already revoked), LT_PEER_UNSUPPORTED (reason, date),
 * LT_PEER_MALFORMED (cause). On success the answer comes through the book's listener. */
LT_MUST_USE lt_res ca_revoke_begin(struct ca_turn *t, const struct ca_revoke_request *r);

/* A compromised key whose certificate may itself not be revoked (ca/hold.h): the clocks run, the key is
 * blocked and its other certificates follow all the same. Refuses as ca_revoke_begin, and other reasons. */
LT_MUST_USE lt_res ca_revoke_key_of_held(struct ca_turn *t, const struct ca_revoke_request *r);

struct ca_revoked {
    int64_t issuer;
    lt_slice serial;
    uint32_t reason;
    lt_time revoked;
    enum ca_revoke_origin origin;
    struct ipc_addr reply_to;
};

/* RevocationRecorded; `id` of the envelope is the open revocation's. */
LT_MUST_USE lt_res ca_revoke_on_recorded(struct ca_turn *t, uint64_t id, const Ipc__RevocationRecorded *m);
/* Does somebody wait for an answer who may still get it? */
bool ca_revoke_awaited(const struct ca_book *b, lt_time now);
/* A revocation out of the signer's journal that the book may lack. */
LT_MUST_USE lt_res ca_revoke_on_replay(struct ca_turn *t, const Ipc__JournalEntry *e);
/* Asks the signer's journal again for open revocations; at most 256 a call. */
LT_MUST_USE lt_res ca_revoke_retry(struct ca_turn *t, int64_t age_s, size_t *ret_asked);

extern const struct store_sql *const ca_revoke_sql;
extern const size_t ca_revoke_sql_count;

#endif
