#ifndef CA_AUDIT_H
#define CA_AUDIT_H
/* Is the book what it was? Everything that can be proven again is: event chains by hash, knots by the
 * signer's audit key, certificates against intents and the signer's journal, kept JWS and approvals against
 * the keys of who signed them. Offline, on a read-only book, for `lintel audit verify`.
 *
 * Findings are told one by one and counted; a function fails only when it cannot go on reading. Refuses to
 * repair anything.
 */
#include "ca/host.h"
#include "ca/operator.h"
#include "signer/journal.h"
#include "store/store.h"

struct ca_audit_counts {
    uint64_t findings;
    uint64_t events;
    uint64_t chains;
    uint64_t knots;
    uint64_t certificates;
    uint64_t revocations;
    uint64_t journal_entries;
    uint64_t journal_pending; /* newer than what the book has acknowledged, and not in it yet */
    uint64_t jws;             /* verified again */
    uint64_t jws_unknown;     /* whose key the book no longer has */
    uint64_t approvals;
    uint64_t passkey_approvals; /* of these, by passkey */
    uint64_t passkeys;
    uint64_t sessions;
    uint64_t proofs;     /* of key compromise, verified again */
    uint64_t segments;   /* of evidence, that the book names */
    uint64_t evidence;   /* checks whose frames are what the book says */
    uint64_t statements; /* signed by perspectives, in these */
};

struct ca_audit {
    struct store *store;                  /* borrowed */
    const struct ca_operators *operators; /* borrowed: from the root-owned files */
    const char *evidence_folder;          /* of segments */
    struct ca_host host;                  /* whose journal and segments these are; id 0: the only one */
    lt_slice audit_spki;                  /* the signer's audit key; empty: knots are not verified */
    void *self;
    /* what: of the incident desk its nouns ("incident", "problem", …), else "event-chain", "knot",
     * "certificate", "journal", "jws", "approval", "revocation", "halt", "key-block", "crl", "issuer",
     * "plan", "evidence", "passkey", "session". */
    void (*found)(void *self, const char *what, const char *subject, const char *detail);
    /* Does what was kept still prove that the key is compromised? Of a room above; NULL: not looked at. */
    bool (*proves)(lt_slice evidence, lt_slice spki_sha256, struct lt_arena *arena);
    struct ca_audit_counts counts; /* out */
    uint64_t knots_elsewhere;      /* knots of the book that lie on the journals of other hosts */
    uint64_t knots_tied;           /* knots of the book whose record the journal has */
};

/* Every event of every chain; kept JWS with them. */
LT_MUST_USE lt_res ca_audit_events(struct ca_audit *a);
LT_MUST_USE lt_res ca_audit_knots(struct ca_audit *a);
/* Each certificate: its bytes hash to what its row says, belong to its intent, and its event is there. */
LT_MUST_USE lt_res ca_audit_certificates(struct ca_audit *a);
/* Revocations, halts, blocked keys, CRLs, issuers and plans against their events, DER and approvals. */
LT_MUST_USE lt_res ca_audit_rows(struct ca_audit *a);
/* Incidents, problem reports, promises, reviews, concerns, drills, proven keys against their events; reports
 * as they came. */
LT_MUST_USE lt_res ca_audit_desk(struct ca_audit *a);
/* Segments are as long as the book says. */
LT_MUST_USE lt_res ca_audit_segments(struct ca_audit *a);
/* The same, and each check: its frame in evidence_folder, what was signed in it, and the sums on
 * certificates. */
LT_MUST_USE lt_res ca_audit_evidence(struct ca_audit *a);
/* Each passkey by the link that made it an operator's; *ret_passkeys, to be ended by the caller, is what
 * approvals are verified with. */
LT_MUST_USE lt_res ca_audit_passkeys(struct ca_audit *a, struct ca_passkeys *ret_passkeys);
/* Each session by what opened it. */
LT_MUST_USE lt_res ca_audit_sessions(struct ca_audit *a, const struct ca_passkeys *all);
/* Each approval of each plan. */
LT_MUST_USE lt_res ca_audit_approvals(struct ca_audit *a);
/* One record of the signer's journal against the book: for journal_walk, self is the struct ca_audit. */
LT_MUST_USE lt_res ca_audit_journal_entry(void *self, const struct journal_entry *e);
/* After the last record, or for a journal that is gone (all zero): is it as long as the book says, and do the
 * book's knots lie on it? */
LT_MUST_USE lt_res ca_audit_journal_end(struct ca_audit *a, const struct journal_summary *summary);

extern const struct store_sql *const ca_audit_sql;
extern const size_t ca_audit_sql_count;

#endif
