#ifndef ACME_DESK_PRIVATE_H
#define ACME_DESK_PRIVATE_H
/* What the files of the desk share. A handler gets an acme_call whose nonce, key and account have been
 * checked, writes, defers its answer with acme_answer or acme_refuse, and returns. */
#include "acme.pb-c.h"
#include "acme/desk.h"
#include "acme/names.h"
#include "acme/names_policy.h"
#include "acme/nonce.h"
#include "acme/pages.h"
#include "acme/problem.h"
#include "acme/rate.h"
#include "acme/sql.h"
#include "acme/states.h"
#include "ca/book.h"
#include "ca/config.h"
#include "ca/event.h"
#include "ca/issue.h"
#include "ca/ready.h"
#include "pages.pb-c.h"
#include "validate.pb-c.h"
#include "validate/perspective.h"

enum {
    ACME_ACCOUNTS_CACHED = 4096, /* direct-mapped by id */
    ACME_HELD_MAX = 8192,
    ACME_DIMENSIONS_CACHED = 16,
    ACME_VOICES_CACHED = 32,
    ACME_PARENTS_CACHED = 16,
    ACME_RETRIES = 1024,
    ACME_CHALLENGES_MAX = 8,
    ACME_ORDER_PAGE = 100, /* orders in one page of the list */
    ACME_ORDER_SCAN = 500, /* rows looked at for it */
    ACME_SWEEP = 200,      /* rows expired in one tick */
    ACME_TOKEN_LEN = 24,   /* 192 bits */
    ACME_STATEMENT_NONCE = 16,
    ACME_EVENT_MAX = 32768,
    ACME_HOLD_FINALIZE_MS = 5000,
    ACME_HOLD_POLL_MS = 1000,
    ACME_RETRY_AFTER_S = 1,
    ACME_VALIDATION_PATIENCE_S = 40, /* then the validator is asked again */
};

struct acme_account {
    int64_t id; /* 0: none */
    enum acme_state status;
    uint8_t thumbprint[32];
    uint8_t spki_sha256[32];
};

/* An answer that waits for an outcome. */
struct acme_held {
    struct ipc_addr to;
    enum acme_object object; /* ACME_ORDER or ACME_AUTHORIZATION */
    int64_t id;
    uint32_t
        challenge; /* of the authorization: one more than its index; 0: it is the whole that is asked for */
    lt_time until;
    unsigned answered; /* ticks since it was answered, plus one; 0: not yet */
};

struct acme_dimension {
    uint8_t key[32]; /* SHA-256 of its columns */
    int64_t id;      /* 0: free */
};

/* Which issuer signed which; issuers never change while the family runs. */
struct acme_parent {
    int64_t issuer; /* 0: free */
    int64_t parent; /* 0: a root */
};

/* How often a validation was asked again after a fault of our own; again.c. */
struct acme_retry {
    int64_t authorization; /* 0: free */
    unsigned times;
    lt_time last;
};

struct acme_corroboration; /* one validation that waits for other perspectives; corroborate.c */

struct acme_desk {
    const struct ca_config *config; /* borrowed */
    void (*random)(uint8_t *out, size_t len);
    uint32_t nonce_reject;      /* percent; test CAs: testing.c */
    bool always_valid;          /* test CAs */
    uint32_t authz_forget;      /* percent; the same */
    struct acme_nonces *nonces; /* owned */
    struct acme_rates *rates;   /* owned */
    struct acme_names *names;   /* owned */
    struct acme_account accounts[ACME_ACCOUNTS_CACHED];
    struct acme_held held[ACME_HELD_MAX];
    size_t held_count;
    struct acme_dimension dimensions[ACME_DIMENSIONS_CACHED];
    size_t dimension_next;
    struct acme_dimension voices[ACME_VOICES_CACHED]; /* rows of perspective_key */
    size_t voice_next;
    uint8_t evidence_sha256[32]; /* of the frame of the check that was kept last */
    struct acme_parent parents[ACME_PARENTS_CACHED];
    struct acme_retry retries[ACME_RETRIES];
    lt_time swept; /* when tick last looked at what is due */
    lt_time asked_again;
    const struct acme_policy *policy;                 /* borrowed; NULL: none */
    const struct validate_perspectives *perspectives; /* borrowed; NULL: none */
    struct acme_corroboration *corroborations;        /* owned list */
    size_t corroboration_count;
    void (*corroborated)(const char *name, const char *count, const char *why);
};

struct acme_by_hand; /* enroll.c: which methods a subscriber without automation wants for which name */

struct acme_call {
    struct acme_desk *desk;
    struct ca_turn *turn;
    struct ipc_addr from;
    const Ipc__AcmeCall *m;
    struct acme_account account; /* id 0 for calls signed by jwk */
    /* Both for enrolments: the answer is kept there instead of being sent; methods by hand are offered. */
    Ipc__AcmeReply *kept;
    const struct acme_by_hand *by_hand;
};

typedef lt_res acme_handler(struct acme_call *c);

/* desk.c */
LT_MUST_USE lt_res acme_reply_to(struct acme_desk *d, struct ca_turn *t, const struct ipc_addr *to,
                                 Ipc__AcmeReply *reply);
LT_MUST_USE lt_res acme_answer(struct acme_call *c, Ipc__AcmeReply *reply);
/* p: from acme_problem; NULL when the arena was full. */
LT_MUST_USE lt_res acme_refuse(struct acme_call *c, Ipc__Problem *p);
/* What the client may not do according to the last error record: its class decides the type. Fails with r
 * when it is not the client's or policy's business. */
LT_MUST_USE lt_res acme_refuse_error(struct acme_call *c, lt_res r, const char *peer_type);
/* rateLimited with Retry-After, when `limit` is used up for key; *ret_refused says so. */
LT_MUST_USE lt_res acme_limited(struct acme_call *c, enum acme_limit limit, lt_slice key, bool spend,
                                bool *ret_refused);
LT_MUST_USE lt_res acme_event(struct ca_turn *t, const char *kind, const char *noun, int64_t id,
                              struct lt_buf *body, lt_slice attachment);
lt_slice acme_bytes(ProtobufCBinaryData b);
/* Runs a statement that must change exactly one row: compare-and-set. LT_RETRY_BUSY when it did not. */
LT_MUST_USE lt_res acme_step_exec(struct store *s, enum acme_sql_row sql, const struct store_value *values,
                                  size_t count);

/* account.c */
acme_handler acme_account_new, acme_account_update, acme_account_get, acme_account_key_change;
/* readiness.c: what the account may know of how it stands. */
acme_handler acme_readiness_get;
/* id 0 in ret_account when there is none. */
LT_MUST_USE lt_res acme_account_load(struct acme_desk *d, struct store *s, int64_t id,
                                     struct acme_account *ret_account);
/* 0 when no account has the key. */
LT_MUST_USE lt_res acme_account_by_key(struct ca_turn *t, lt_slice thumbprint, int64_t *ret_id);
/* Its contacts as it told us, "mailto:…", in the arena. */
LT_MUST_USE lt_res acme_account_contacts(struct ca_turn *t, int64_t id, char ***ret_list, size_t *ret_count);
LT_MUST_USE lt_res acme_account_cancel(struct acme_desk *d, struct ca_turn *t, int64_t account);

/* testing.c: false but in a test CA. A good nonce is refused; a proven authorization is not used again. */
bool acme_testing_rejects(struct acme_desk *d);
bool acme_testing_forgets(struct acme_desk *d);

/* external.c: accounts that are bound to a key which we gave out. */
struct ca_eab_key;
/* A problem: no account is made. ret_key->kid: NULL when it is bound to none. */
LT_MUST_USE lt_res acme_external_check(struct acme_call *c, const Ipc__AcmeNewAccount *n,
                                       struct ca_eab_key *ret_key, Ipc__Problem **ret_problem);
/* What the key of the account allows, and one order counted, unless exempt. */
/* Are these names what the account's key is for? */
LT_MUST_USE lt_res acme_external_names(struct acme_call *c, const struct acme_name_set *names,
                                       Ipc__Problem **ret_problem);
LT_MUST_USE lt_res acme_external_order(struct acme_call *c, const char *profile,
                                       const struct acme_name_set *names, bool exempt,
                                       Ipc__Problem **ret_problem);

/* replaces.c: what an order replaces (RFC 9773 5). A problem: the order is refused. */
LT_MUST_USE lt_res acme_replaces_check(struct acme_call *c, const char *text,
                                       const struct acme_name_set *names, Ipc__Problem **ret_problem);
/* The order's certificate is there: it replaces the old one, where the order named one (told). */
LT_MUST_USE lt_res acme_replaces_record(struct ca_turn *t, const struct ca_outcome *o, bool *ret_told);

/* order.c, order_new.c */
struct acme_order {
    int64_t id; /* 0: there is none */
    int64_t account;
    enum acme_state status;
    const char *profile;
    struct acme_name_set names;
    lt_time not_before; /* {0}: none */
    lt_time not_after;
    const char *replaces;
    Ipc__Problem *error;
    lt_time expires;
    int64_t intent;
    int64_t certificate_issuer;
    lt_slice certificate_serial;
    int64_t *authorizations; /* NULL: to be read */
    size_t authorization_count;
};
acme_handler acme_authorization_new;
/* Refuses when the account would have more pending authorizations than it may. */
LT_MUST_USE lt_res acme_pending_limit(struct acme_call *c, size_t more, bool *ret_refused);
/* Seconds that an order, and the tokens in it, may take. */
int64_t acme_order_lifetime(const struct acme_call *c);
/* An authorization that no order will end: it runs out at its time. */
LT_MUST_USE lt_res acme_authorization_alone(struct acme_call *c, int64_t id, lt_time expires);
acme_handler acme_order_new, acme_order_get, acme_order_list;
LT_MUST_USE lt_res acme_order_load(struct ca_turn *t, int64_t id, struct acme_order *ret_order);
/* The order named by id when it is the caller's; otherwise it has been refused and ret_order->id is 0. */
LT_MUST_USE lt_res acme_order_of_caller(struct acme_call *c, int64_t id, struct acme_order *ret_order);
/* Fills reply->order. */
LT_MUST_USE lt_res acme_order_body(struct ca_turn *t, const struct acme_order *o, Ipc__AcmeReply *reply);
LT_MUST_USE lt_res acme_order_step(struct ca_turn *t, int64_t id, enum acme_state from, enum acme_step step,
                                   const Ipc__Problem *error);
/* After an authorization changed: its open orders follow. step: ACME_PROVE, ACME_FAIL. */
LT_MUST_USE lt_res acme_orders_follow(struct acme_desk *d, struct ca_turn *t, int64_t authorization,
                                      enum acme_step step, const Ipc__Problem *error);
LT_MUST_USE lt_res acme_orders_sweep(struct acme_desk *d, struct ca_turn *t);
LT_MUST_USE lt_res acme_orders_recover(struct acme_desk *d, struct ca_turn *t);
LT_MUST_USE lt_res acme_order_expire_authorizations(struct acme_desk *d, struct ca_turn *t, int64_t order_id);

/* authorization.c */
acme_handler acme_authorization_get, acme_authorization_deactivate;
struct acme_scope {
    bool subdomains;
    int64_t ancestor;
};
struct acme_authorization {
    int64_t id; /* 0: there is none */
    int64_t account;
    const char *type;
    const char *identifier;
    bool wildcard;
    bool subdomains;  /* good for every name below it, too (RFC 9444) */
    int64_t ancestor; /* the authorization that proves it; 0: its own challenges do */
    enum acme_state status;
    lt_time expires;
    Ipc__AcmeChallengeBody *challenges[ACME_CHALLENGES_MAX]; /* in the turn's arena */
    size_t challenge_count;
};
LT_MUST_USE lt_res acme_authorization_load(struct ca_turn *t, int64_t id, struct acme_authorization *ret_a);
LT_MUST_USE lt_res acme_authorization_of_caller(struct acme_call *c, int64_t id,
                                                struct acme_authorization *ret_a);
/* The reply borrows from *a. */
LT_MUST_USE lt_res acme_authorization_body(struct ca_turn *t, struct acme_authorization *a,
                                           Ipc__AcmeReply *reply);
LT_MUST_USE lt_res acme_authorization_step(struct ca_turn *t, const struct acme_authorization *a,
                                           enum acme_step step, lt_time expires, lt_time validated);
/* Makes a pending one with its challenges. */
LT_MUST_USE lt_res acme_authorization_make(struct acme_call *c, const Ipc__Identifier *name,
                                           const struct acme_scope *scope, lt_time expires, int64_t *ret_id);
/* How long a proof from now on may be used. */
int64_t acme_reuse_seconds(const struct acme_desk *d, bool by_hand, lt_time now);

/* enroll.c: enrolment without ACME. The handlers above and below are called with by_hand and kept. */
struct validate_method;
/* Is this row of the methods' table one that a person does, and wanted for the name? */
bool acme_by_hand_offers(const struct acme_by_hand *h, const struct validate_method *m,
                         const Ipc__Identifier *name, lt_time now);
const char *acme_by_hand_contact(const struct acme_by_hand *h);
/* Is a challenge of this type one that a person meets? It may be asked again when it was not met. */
bool acme_challenge_by_hand(const char *method, const char *identifier_type);
/* An authorization became valid: enrolments that waited for it and nothing else are finalized. */
LT_MUST_USE lt_res acme_enrolments_follow(struct acme_desk *d, struct ca_turn *t, int64_t authorization);
/* Finalizes an enrolment that was hindered, if it still waits for that. */
LT_MUST_USE lt_res acme_enrolment_retry(struct acme_desk *d, struct ca_turn *t, int64_t order);

/* subdomains.c: names that a domain above them proves. */
struct acme_ancestor {
    int64_t id;        /* 0: there is none */
    lt_time expires;   /* of a proven one */
    lt_time validated; /* {0}: it is still to be proven */
};
/* Has the caller any authorization for subdomains? Without one, no name has to be looked for. */
LT_MUST_USE lt_res acme_ancestor_any(struct acme_call *c, bool *ret_any);
/* A proven authorization of the caller for a domain above the name, the nearest one. */
LT_MUST_USE lt_res acme_ancestor_find(struct acme_call *c, const Ipc__Identifier *name,
                                      struct acme_ancestor *ret_ancestor);
/* Makes the name's own authorization, which follows the ancestor's. */
LT_MUST_USE lt_res acme_ancestor_cover(struct acme_call *c, const Ipc__Identifier *name, lt_time expires,
                                       const struct acme_ancestor *ancestor, int64_t *ret_id);
/* What happened to an authorization happens to those below it and to their orders. */
struct acme_follow {
    const struct acme_authorization *ancestor;
    enum acme_step step;
    lt_time expires; /* of a proof */
    const Ipc__Problem *error;
};
LT_MUST_USE lt_res acme_ancestor_follow(struct acme_desk *d, struct ca_turn *t, const struct acme_follow *f);

/* challenge.c */
acme_handler acme_challenge_get, acme_challenge_reply;
void acme_challenge_body(Ipc__AcmeChallengeBody *b, Ipc__AcmeReply *reply);
/* statement.c: what the validator was asked. */
struct acme_asked {
    const char *type;
    const char *name; /* without "*." */
    const char *method;
    bool wildcard;
    bool subdomains;
    lt_time since;
};
/* NULL, or why the primary's statement is none about that: a clause in static storage. What it found is the
 * caller's business. */
const char *acme_statement_refusal(const struct acme_desk *d, const struct ca_turn *t,
                                   const struct acme_asked *asked, const Ipc__Validated *v);
/* A statement that answers no question of ours: an event. */
LT_MUST_USE lt_res acme_statement_discard(struct ca_turn *t, const Ipc__Validated *v, const char *why);
/* The outcome of a validation that was corroborated, or was not; dropped where its challenge waits no more.
 */
LT_MUST_USE lt_res acme_challenge_settle(struct acme_desk *d, struct ca_turn *t, const Ipc__Validated *v,
                                         const struct acme_corroboration *c);
/* A pending challenge is ready to be looked at. LT_RETRY_BUSY when it is not pending. */
LT_MUST_USE lt_res acme_challenge_look(struct acme_desk *d, struct ca_turn *t, int64_t authorization,
                                       uint32_t index);
/* Asks for running validations again: started between the two times. */
LT_MUST_USE lt_res acme_challenges_ask_again(struct acme_desk *d, struct ca_turn *t, lt_time until,
                                             int64_t host);

/* evidence.c */
/* c: NULL where no other perspective was asked. */
LT_MUST_USE lt_res acme_evidence_add(struct acme_desk *d, struct ca_turn *t, const Ipc__Validated *v,
                                     const struct acme_corroboration *c);
/* Member of an event's JSON: the hash of what was kept last, so that the chain of events covers it. */
void acme_evidence_event(const struct acme_desk *d, struct lt_buf *out);
/* What a check of CAA said, as JSON; as one word: "permitted", "forbidden", "failed", "" for none; and when.
 */
void acme_caa_json(const Ipc__CaaCheck *caa, struct lt_buf *out);
const char *acme_caa_word(const Ipc__CaaCheck *caa);
lt_time acme_caa_time(const Ipc__CaaCheck *caa, lt_time now);

/* corroborate.c: what is under way lives in memory alone; lost, the whole validation is asked again. */
bool acme_corroboration_wanted(const struct acme_desk *d);
/* Asks every perspective the question, each with a nonce of its own. */
LT_MUST_USE lt_res acme_corroboration_begin(struct acme_desk *d, struct ca_turn *t,
                                            const Ipc__Validate *question, const Ipc__Validated *primary);
/* Ends those whose time is up. */
LT_MUST_USE lt_res acme_corroborations_tick(struct acme_desk *d, struct ca_turn *t);
void acme_corroborations_forget(struct acme_desk *d);
/* A courier was linked (again). */
LT_MUST_USE lt_res acme_corroborations_ask_again(struct acme_desk *d, struct ca_turn *t);
/* The savepoint of this message was rolled back. */
void acme_corroboration_lost(struct acme_desk *d, const struct ipc_msg *m);
/* Members of an event's JSON: ,"corroboration":"3/4",… */
void acme_corroboration_event(const struct acme_corroboration *c, lt_time now, struct lt_buf *out);
/* For the evidence: what the primary one said, how it was counted, and the i-th of the others (false: there
 * are no more), with what it signed (NULL: nothing that counts). */
struct acme_voice {
    const struct validate_perspective *is;
    bool agrees;
    const char *why;
    const Ipc__SignedStatement *said;
};
const Ipc__Validated *acme_corroboration_primary(const struct acme_corroboration *c);
void acme_corroboration_quorum(const struct acme_corroboration *c, lt_time now,
                               struct validate_quorum *ret_quorum);
bool acme_corroboration_voice(const struct acme_corroboration *c, size_t i, struct acme_voice *ret_voice);
/* "primary,eu-west,us-east", and who of them agreed: bit 0 is the primary one. */
void acme_corroboration_set(const struct acme_corroboration *c, struct lt_buf *ret_names,
                            uint64_t *ret_agreeing, uint64_t *ret_dissenting);

/* finalize.c */
acme_handler acme_finalize, acme_certificate_get;
/* What of a certificate request can be judged without an order: kind of key, whose key it is. */
LT_MUST_USE lt_res acme_finalize_check(struct acme_call *c, const struct ca_profile *profile,
                                       const Ipc__AcmeFinalize *f, Ipc__Problem **ret_problem);

/* proofs.c */
struct acme_proofs {
    struct ca_issue_name *names; /* sorted by value; as many as the order has, each one once */
    size_t count;
    const struct acme_order *order;
};
/* requested: when the order was finalized; its authorizations were in force then. LT_PEER_CONFLICT when a
 * name is not proven, or its proof too old. */
LT_MUST_USE lt_res acme_proofs_collect(struct ca_turn *t, const struct acme_order *o, lt_time requested,
                                       struct acme_proofs *ret_proofs);
/* The examiner does not believe them: the names of this order are proven anew. */
LT_MUST_USE lt_res acme_proofs_take_back(struct acme_desk *d, struct ca_turn *t, int64_t order_id,
                                         const char *why);
/* NULL when there is no such name. */
struct ca_issue_name *acme_proofs_find(const struct acme_proofs *p, const char *type, lt_slice value);

/* public.c: orders by profiles that browsers trust. A problem: nothing is issued by that profile today. */
LT_MUST_USE lt_res acme_public_check(struct acme_desk *d, struct ca_turn *t, const char *profile,
                                     Ipc__Problem **ret_problem);
/* LT_PEER_CONFLICT: too few of today's perspectives corroborated a name, for such a profile. */
LT_MUST_USE lt_res acme_public_proven(struct acme_desk *d, struct ca_turn *t, const struct acme_proofs *p);
/* May an order by this profile use the authorization again? */
LT_MUST_USE lt_res acme_public_reusable(struct acme_desk *d, struct ca_turn *t,
                                        const struct ca_profile *profile, int64_t authorization,
                                        bool *ret_reusable);
/* Has every validation to satisfy the rules of public profiles, because there is one that may issue? */
bool acme_public_wanted(const struct acme_desk *d, const struct ca_turn *t);

/* finalize_plan.c: from a request that fits to an intent. */
/* Writes the intent. LT_PEER_CONFLICT as above; LT_STATE_CORRUPT when a name lacks a check of CAA that is
 * young enough. */
LT_MUST_USE lt_res acme_proofs_plan(struct acme_desk *d, struct ca_turn *t, const struct acme_proofs *p,
                                    const Ipc__PublicKey *key, int64_t *ret_intent);
/* What the policy of names says to the whole order: DENY with the problem, REVIEW with the row that wants it.
 */
struct acme_judgement {
    enum acme_policy_action action;
    Ipc__Problem *problem; /* of a denial */
    const char *rule;      /* "" for none; the policy's */
};
LT_MUST_USE lt_res acme_policy_judge(struct acme_desk *d, struct ca_turn *t, const struct acme_order *o,
                                     struct acme_judgement *ret_judgement);
/* Keeps what the request said until the order can go on. rule: of the review it needs, "" for none. */
LT_MUST_USE lt_res acme_order_wait(struct ca_turn *t, const struct acme_order *o, const Ipc__PublicKey *key,
                                   const char *rule);
/* An order that is processing without an intent: plans it, once nothing is in its way; or ends it. */
LT_MUST_USE lt_res acme_order_proceed(struct acme_desk *d, struct ca_turn *t, int64_t order_id);
/* Orders whose time for that is up, and released ones. */
LT_MUST_USE lt_res acme_order_waits_sweep(struct acme_desk *d, struct ca_turn *t);

/* again.c: did it end by our own fault, and may it be asked once more? */
bool acme_again(struct acme_desk *d, const struct ca_turn *t, const Ipc__Validated *v);

/* caa.c: CAA asked again before issuance. */
/* Must this name's CAA be asked, with what is known of it? */
bool acme_caa_stale(const struct acme_desk *d, const struct ca_issue_name *n, lt_time now);
/* Asks for every name of the order that needs it, each by its own name. */
LT_MUST_USE lt_res acme_caa_ask(struct acme_desk *d, struct ca_turn *t, const struct acme_proofs *p,
                                size_t *ret_asked);
/* Are answers missing? And the problem that names each name that was refused; NULL: none was. */
LT_MUST_USE lt_res acme_caa_outcome(struct ca_turn *t, int64_t order_id, size_t *ret_missing,
                                    Ipc__Problem **ret_problem);
/* A statement about CAA alone: corroborated like a validation where there are perspectives. */
LT_MUST_USE lt_res acme_caa_validated(struct acme_desk *d, struct ca_turn *t, const Ipc__Validated *v);
LT_MUST_USE lt_res acme_caa_settle(struct acme_desk *d, struct ca_turn *t, const Ipc__Validated *v,
                                   const struct acme_corroboration *c);
LT_MUST_USE lt_res acme_caa_ask_again(struct acme_desk *d, struct ca_turn *t, lt_time until, int64_t host);

/* pause.c: names that only fail. */
/* One more validation of the name failed; it was proven. */
LT_MUST_USE lt_res acme_pause_count(struct acme_desk *d, struct ca_turn *t,
                                    const struct acme_authorization *a, const Ipc__Problem *problem);
LT_MUST_USE lt_res acme_pause_clear(struct ca_turn *t, const struct acme_authorization *a);
/* A problem: some of the names are paused for the caller's account. */
LT_MUST_USE lt_res acme_pause_check(struct acme_call *c, const struct acme_name_set *names,
                                    Ipc__Problem **ret_problem);

/* pages.c: what a page for people says (acme/pages.h). */
acme_page_handler acme_pause_page, acme_reissue_page;
extern const struct store_sql *const acme_reissue_sql;
extern const size_t acme_reissue_sql_count;
LT_MUST_USE lt_res acme_page_failed(struct acme_desk *d, struct ca_turn *t, const struct ipc_msg *m);

/* revoke.c */
acme_handler acme_revoke;

/* held.c */
/* False when too many are held: answer now. */
bool acme_hold(struct acme_call *c, enum acme_object object, int64_t id, int64_t ms);
bool acme_hold_challenge(struct acme_call *c, int64_t authorization, uint32_t index);
/* Lets every answer go that waits for this object. */
LT_MUST_USE lt_res acme_held_release(struct acme_desk *d, struct ca_turn *t, enum acme_object object,
                                     int64_t id);
LT_MUST_USE lt_res acme_held_tick(struct acme_desk *d, struct ca_turn *t);
/* The turn was lost: what it answered has not been answered. */
void acme_held_undo(struct acme_desk *d);
void acme_held_drop(struct acme_desk *d, const struct ipc_addr *to);
void acme_held_drop_instance(struct acme_desk *d, uint32_t instance);

#endif
