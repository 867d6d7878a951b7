#ifndef ACME_DESK_H
#define ACME_DESK_H
/* The registrar's side of ACME (RFC 8555): typed calls in, typed replies out, decisions into the book.
 *
 * Takes AcmeCall messages whose JWS the notary has verified, redeems the nonce, checks rights and states and
 * writes. Parses nothing foreign, sends nothing (effects are deferred in the turn), reads no clock (turn.now)
 * and draws randomness only through options.random. Single-threaded by the registrar's loop; all memory it
 * keeps (nonce window, account cache, rate limits, held answers) is bounded and may be lost at any instant.
 *
 * How the registrar uses it: every call runs in the message's savepoint. A function that returns a failure
 * has answered nothing: roll the savepoint back, then let acme_desk_failed answer. What the client did wrong
 * is no failure: it is answered with a problem and LT_OK.
 */
#include "ca/issue.h"
#include "ca/revoke.h"

struct ca_config;
struct acme_desk; /* owned by whoever opened it */

struct acme_options {
    const struct ca_config *config; /* borrowed; replaced by acme_desk_use_config */
    const char *host_id;
    lt_slice boot_epoch;
    void (*random)(uint8_t *out, size_t len); /* lt_random; tests: a fixed stream */
    /* For the log: how many of the perspectives corroborated, as "3/4". NULL: nobody wants to know. */
    void (*corroborated)(const char *name, const char *count, const char *why);
};

LT_MUST_USE lt_res acme_desk_open(const struct acme_options *options, struct acme_desk **ret_desk);
void acme_desk_close(struct acme_desk *desk);
/* Of a test CA alone: percent of good nonces that are refused, and of proven authorizations that are used
 * again. Until it is called: 0 and 100. */
void acme_desk_use_testing(struct acme_desk *desk, uint32_t nonce_reject, uint32_t authz_reuse);
/* Of a test CA alone: its validator looks at nothing, and says so in its build. */
void acme_desk_use_always_valid(struct acme_desk *desk);
/* After a reload: the old one is not looked at again. */
void acme_desk_use_config(struct acme_desk *desk, const struct ca_config *config);

/* IPC_ACME_CALL, IPC_KEY_LOOKUP, IPC_NONCE_REQUEST: answered to m->from, at once or held (finalize at most
 * 5 s, a POST-as-GET of an authorization under validation at most 1 s). */
LT_MUST_USE lt_res acme_desk_call(struct acme_desk *desk, struct ca_turn *t, const struct ipc_msg *m);
LT_MUST_USE lt_res acme_desk_key(struct acme_desk *desk, struct ca_turn *t, const struct ipc_msg *m);
LT_MUST_USE lt_res acme_desk_nonces(struct acme_desk *desk, struct ca_turn *t, const struct ipc_msg *m);
/* IPC_PAGE_CALL: a page that somebody opened by a link. */
LT_MUST_USE lt_res acme_desk_page(struct acme_desk *desk, struct ca_turn *t, const struct ipc_msg *m);
/* Lets paused names of an account be ordered again, for an operator. */
struct acme_resume_request {
    int64_t account;
    const char *name; /* "": all of them */
    const char *by;
    lt_slice jws;
};
LT_MUST_USE lt_res acme_pause_resume(struct ca_turn *t, const struct acme_resume_request *q,
                                     const char **ret_json);
/* After the savepoint of any message's handler was rolled back, or its commit failed: answers it, when it was
 * a call, and forgets what memory believes about the book. */
LT_MUST_USE lt_res acme_desk_failed(struct acme_desk *desk, struct ca_turn *t, const struct ipc_msg *m,
                                    lt_res r);
/* A savepoint in which outcome, revoked, validated or tick ran, or the whole transaction, was rolled back:
 * forget what memory believes about the book; held answers that went with it are given again. Answers that
 * calls of the lost turn hold are dropped by acme_desk_failed. */
void acme_desk_forget(struct acme_desk *desk);
/* Another host has written: accounts may be others. What is interned stays, and so does what is under way. */
void acme_desk_refresh(struct acme_desk *desk);

/* IPC_VALIDATED. A statement for another nonce than the drawn one is dropped and becomes an event. */
LT_MUST_USE lt_res acme_desk_validated(struct acme_desk *desk, struct ca_turn *t, const struct ipc_msg *m);
/* IPC_CORROBORATED: one perspective's answer. */
LT_MUST_USE lt_res acme_desk_corroborated(struct acme_desk *desk, struct ca_turn *t, const struct ipc_msg *m);
/* A courier was linked (again): letters that went to the one before go again. */
LT_MUST_USE lt_res acme_desk_courier_linked(struct acme_desk *desk, struct ca_turn *t);
/* IPC_MAIL_SENT: what the relay said to a letter. */
LT_MUST_USE lt_res acme_desk_mailed(struct acme_desk *desk, struct ca_turn *t, const struct ipc_msg *m);
struct validate_perspectives;
/* Borrowed until the next call; NULL or none: what the primary perspective says is enough. */
/* Borrowed until the next one; NULL: everything is allowed that the rules of all CAs allow. */
struct acme_policy;
void acme_desk_use_policy(struct acme_desk *desk, const struct acme_policy *policy);
void acme_desk_use_perspectives(struct acme_desk *desk, const struct validate_perspectives *perspectives);
/* How an order's intent ended, how a revocation did: for the book's listener (ca/book.h), in the turn that
 * writes the outcome. Outcomes of other requesters and origins are ignored. */
LT_MUST_USE lt_res acme_desk_outcome(struct acme_desk *desk, struct ca_turn *t, const struct ca_outcome *o);
LT_MUST_USE lt_res acme_desk_revoked(struct acme_desk *desk, struct ca_turn *t, const struct ca_revoked *r);

/* Where to write to an account: of ACME what it told us, of a subscriber whom to ask about his requests. What
 * came back lately, and was not confirmed since, is left out. Strings in the turn's arena. */
enum { ACME_ADDRESSES_MAX = 30 };
struct acme_addresses {
    const char *list[ACME_ADDRESSES_MAX];
    size_t count;
};
LT_MUST_USE lt_res acme_addresses_of(struct ca_turn *t, int64_t account,
                                     struct acme_addresses *ret_addresses);

/* About every 100 ms: lets held answers go whose time is up, expires what is due, at most a few hundred rows
 * a call. */
LT_MUST_USE lt_res acme_desk_tick(struct acme_desk *desk, struct ca_turn *t);
/* At start, after ca_issue has recovered its intents: every challenge and order that was being worked on goes
 * on. */
LT_MUST_USE lt_res acme_desk_recover(struct acme_desk *desk, struct ca_turn *t);
/* A validator was linked (again): every running validation is asked for again. */
LT_MUST_USE lt_res acme_desk_validator_linked(struct acme_desk *desk, struct ca_turn *t);
/* The notary is gone: its held answers are dropped. */
void acme_desk_notary_gone(struct acme_desk *desk, uint32_t instance);
/* Are answers held? For drain; what else is being worked on goes on at the next start. */
bool acme_desk_busy(const struct acme_desk *desk);

/* A fresh nonce for replies that other rooms of the registrar give (operator calls); and the redemption of
 * one. ret_text has room for ACME_NONCE_SIZE. */
enum { ACME_NONCE_SIZE = 40 };
void acme_desk_nonce(struct acme_desk *desk, char ret_text[ACME_NONCE_SIZE]);
/* LT_PEER_BAD_NONCE when it is foreign, old, or was used before. */
LT_MUST_USE lt_res acme_desk_redeem(struct acme_desk *desk, lt_slice nonce);

/* The room's statements, so that a test can EXPLAIN each: acme/sql.h. */

#endif
