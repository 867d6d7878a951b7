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
#include "ca/turn.h"

struct acme_desk; /* owned by whoever opened it */

/* Which certificates a profile gives, as far as an order must know before it exists. */
struct acme_profile {
    const char *name;
    const char *issuer;
    bool dates_by_order;    /* notBefore and notAfter of an order are taken */
    int64_t max_validity_s; /* of such dates */
    uint32_t min_rsa_bits;
    uint32_t max_rsa_bits;
    uint32_t key_types; /* bit (1 << Ipc__KeyType) */
};

/* A limit of `burst` at once, refilled one every period/burst; burst 0: no limit. */
struct acme_rate {
    uint32_t burst;
    uint32_t period_s;
};

struct acme_options {
    /* Strings and arrays are borrowed and must outlive the desk. */
    const char *base_url; /* "https://localhost:14000", for account URIs in validations */
    const char *host_id;
    uint8_t boot_epoch[8];
    const struct acme_profile *profiles;
    size_t profile_count;
    const char *default_profile;
    const char *terms_of_service;          /* empty: none */
    int64_t order_lifetime_s;              /* 0: 7 days */
    int64_t pending_authorization_s;       /* 0: 7 days */
    int64_t authorization_reuse_s;         /* 0: as long as the dated rule allows; never more */
    uint32_t max_names;                    /* 0: 100 */
    bool allow_private_names;              /* localhost, .internal and the like: private CAs only */
    struct acme_rate new_accounts_address; /* all zero: the defaults of acme/rate.c */
    struct acme_rate new_orders_account;
    struct acme_rate failed_validations;
    struct acme_rate requests_account;
    bool rates_off;
    void (*random)(uint8_t *out, size_t len); /* lt_random; tests: a fixed stream */
};

LT_MUST_USE lt_res acme_desk_open(const struct acme_options *options, struct acme_desk **ret_desk);
void acme_desk_close(struct acme_desk *desk);

/* IPC_ACME_CALL, IPC_KEY_LOOKUP, IPC_NONCE_REQUEST: answered to m->from, at once or held (finalize at most
 * 5 s, a POST-as-GET of an authorization under validation at most 1 s). */
LT_MUST_USE lt_res acme_desk_call(struct acme_desk *desk, struct ca_turn *t, const struct ipc_msg *m);
LT_MUST_USE lt_res acme_desk_key(struct acme_desk *desk, struct ca_turn *t, const struct ipc_msg *m);
LT_MUST_USE lt_res acme_desk_nonces(struct acme_desk *desk, struct ca_turn *t, const struct ipc_msg *m);
/* Answers a call whose handler failed with r, after its savepoint was rolled back (or its commit failed). */
LT_MUST_USE lt_res acme_desk_failed(struct acme_desk *desk, struct ca_turn *t, const struct ipc_msg *m,
                                    lt_res r);
/* The whole transaction was rolled back: forget everything that memory believes about the book. */
void acme_desk_forget(struct acme_desk *desk);

/* IPC_VALIDATED. A statement for another nonce than the drawn one is dropped and becomes an event. */
LT_MUST_USE lt_res acme_desk_validated(struct acme_desk *desk, struct ca_turn *t, const struct ipc_msg *m);
/* How an order's intent ended; called by ca/issue in the same turn as the outcome is written. */
LT_MUST_USE lt_res acme_desk_issued(struct acme_desk *desk, struct ca_turn *t, int64_t order_id,
                                    uint32_t issuer_id, lt_slice serial);
LT_MUST_USE lt_res acme_desk_refused(struct acme_desk *desk, struct ca_turn *t, int64_t order_id,
                                     const char *problem_type, const char *detail);

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
/* Are answers held or validations running? For drain. */
bool acme_desk_busy(const struct acme_desk *desk);

/* A fresh nonce for replies that other rooms of the registrar give (operator calls); and the redemption of
 * one. ret_text has room for ACME_NONCE_SIZE. */
enum { ACME_NONCE_SIZE = 40 };
void acme_desk_nonce(struct acme_desk *desk, char ret_text[ACME_NONCE_SIZE]);
/* LT_PEER_BAD_NONCE when it is foreign, old, or was used before. */
LT_MUST_USE lt_res acme_desk_redeem(struct acme_desk *desk, lt_slice nonce);

/* The room's statements, so that a test can EXPLAIN each. */
extern const struct store_sql *const acme_statements[];
extern const size_t acme_statement_count;

#endif
