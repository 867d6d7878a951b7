#ifndef CA_ISSUE_H
#define CA_ISSUE_H
/* Issuing one certificate, as the registrar sees it: intent, question to the examiner, outcome.
 *
 * The intent with serial and all to-be-signed bytes is committed before the question leaves, the certificate
 * before anybody is told of it. What is unknown after a crash is asked again: the signer's journal gives the
 * same signature for the same serial and bytes, or none. Requests name ACME or the gateways' own need; the
 * outcome goes to the book's listener (ca/book.h), in the turn that commits it.
 *
 * Refuses: halted profiles, issuers, accounts and names; blocked keys; profiles that are not end-entity
 * profiles; a serial twice; a second outcome for an intent.
 */
#include "ca/book.h"
#include "sign.pb-c.h"

/* A name and why it may stand there. */
struct ca_issue_name {
    const char *type; /* "dns", "ip" */
    lt_slice value;   /* as Ipc__Identifier has it */
    const char *method;
    lt_time validated;
    int64_t authorization_id; /* 0: none (service) */
    lt_time caa_checked;      /* {0}: not checked */
    int64_t dimension;        /* row of `dimension`; 0: none */
    int32_t quorum;           /* agreeing perspectives */
    const char *views;        /* "primary,eu-west,…": who was asked; NULL: nobody */
    uint64_t agreed;          /* bit i: the i-th of them */
};

struct ca_issue_request {
    const char *requester; /* "acme", "service" */
    int64_t order_id;      /* 0: none */
    int64_t account_id;    /* 0: none */
    lt_slice profile;
    const Ipc__PublicKey *key;         /* subject's */
    const struct ca_issue_name *names; /* in the order in which they shall stand */
    size_t name_count;
    lt_time not_before; /* {0}: as the profile says */
    lt_time not_after;  /* {0}: as the profile says; never longer than it allows */
    bool must_staple;
    struct ipc_addr reply_to; /* of a service request; ACME keeps its own */
};

/* Checks, builds, writes intent and intent_open, defers SignRequest. LT_POLICY_HALTED, LT_POLICY_BLOCKED_KEY,
 * LT_POLICY_REFUSED (the profile does not allow it), LT_PEER_UNSUPPORTED (no such profile, key type),
 * LT_RETRY_UNAVAILABLE (the supervisor holds issuance). ret_intent may be NULL. */
LT_MUST_USE lt_res ca_issue_plan(struct ca_turn *t, const struct ca_issue_request *r, int64_t *ret_intent);

/* How an intent ended; everything lives during the call. */
struct ca_outcome {
    bool issued;
    bool replayed; /* out of the signer's journal: nobody may be waiting any more */
    int64_t intent;
    const char *requester;
    int64_t order_id;
    int64_t account_id;
    const struct ca_issuer *issuer;
    lt_slice profile;
    lt_slice serial;
    lt_slice certificate; /* DER; issued only */
    lt_time not_after;
    const char *refusal;       /* refused: "lint", "halt", "profile", "blocked-key", … */
    const char *detail;        /* refused: a sentence */
    const char *findings_json; /* refused: "[…]" */
    struct ipc_addr reply_to;  /* of the request */
};

/* SignReply: stores the outcome and tells the listener. "unavailable" stores nothing: the intent is asked
 * again by ca_issue_retry. */
LT_MUST_USE lt_res ca_issue_on_reply(struct ca_turn *t, const Ipc__SignReply *m);
/* JournalReplay: completes what the book lacks, advances the acknowledged sequence, defers JournalAck. After
 * the last part every intent that is still open is asked again. */
LT_MUST_USE lt_res ca_issue_on_replay(struct ca_turn *t, const Ipc__JournalReplay *m);
/* The examiner's link came up, or this registrar started: say hello, which asks for the replay. */
LT_MUST_USE lt_res ca_issue_hello(struct ca_turn *t);
/* Asks again for open intents, oldest first, that have waited longer than age_s; at most 256 a call. */
LT_MUST_USE lt_res ca_issue_retry(struct ca_turn *t, int64_t age_s, size_t *ret_asked);
/* How many intents are open. */
LT_MUST_USE lt_res ca_issue_open_count(struct ca_turn *t, int64_t *ret_count);

extern const struct store_sql *const ca_issue_sql;
extern const size_t ca_issue_sql_count;

#endif
