#ifndef CA_READY_H
#define CA_READY_H
/* How well each subscriber can replace certificates, always current: what the registrar writes down as it
 * happens (orders, renewals, questions for renewal information, terms, contacts, hold-outs), and the tier
 * that follows (ca/ready_tier.h). A row of `readiness` for each account; each change of a tier is an event.
 *
 * What gets old is found by an index: nothing is looked at before its time. All of it are point look-ups.
 * Refuses: to take a question for renewal information, which anybody may ask, for more than a count.
 */
#include "ca/book.h"
#include "ca/ready_tier.h"
#include "operator.pb-c.h"
#include "ready.pb-c.h"

enum { CA_READY_POLLS_MAX = 256, CA_READY_LAPSES = 100, CA_READY_TEXT_MAX = 500 };

/* A new account; agreed: to the terms in force. */
LT_MUST_USE lt_res ca_ready_open(struct ca_turn *t, int64_t account, bool manual, bool agreed);
LT_MUST_USE lt_res ca_ready_agreed(struct ca_turn *t, int64_t account);
/* It ordered, with this User-Agent. */
LT_MUST_USE lt_res ca_ready_ordered(struct ca_turn *t, int64_t account, const char *user_agent);
/* A certificate was issued to it. told: the order said what it replaces. Without that it counts where one of
 * the same names has lived for a while, and no person answered the challenges. */
LT_MUST_USE lt_res ca_ready_issued(struct ca_turn *t, const struct ca_outcome *o, bool told);
/* What gateways counted: at most CA_READY_POLLS_MAX rows. Certificates that are none of ours are left out. */
LT_MUST_USE lt_res ca_ready_polled(struct ca_turn *t, const Ipc__RenewalPolls *m);
/* Its contacts are these now ("mailto:…"): what was known of others is forgotten. */
LT_MUST_USE lt_res ca_ready_contacts(struct ca_turn *t, int64_t account, char *const *contacts, size_t count);
/* Somebody answered at this address; or a letter came back, with the relay's words. */
LT_MUST_USE lt_res ca_ready_verified(struct ca_turn *t, int64_t account, const char *address, const char *by);
LT_MUST_USE lt_res ca_ready_bounced(struct ca_turn *t, int64_t account, const char *address, const char *why);
/* Tiers whose facts got too old; once a second. */
LT_MUST_USE lt_res ca_ready_tick(struct ca_turn *t);

/* ---- what operators say: ready_ops.c ---- */
struct ca_ready_asker {
    const char *operator_name; /* verified */
    lt_slice jws;
};
typedef lt_res ca_ready_op(struct ca_turn *t, const struct ca_ready_asker *by, const Ipc__ReadyWanted *w,
                           const char **ret_json);
/* Whether it says that it cannot tolerate revocation. */
ca_ready_op ca_ready_set;
ca_ready_op ca_ready_contact;
ca_ready_op ca_ready_holdout_add;
ca_ready_op ca_ready_holdout_lift;
ca_ready_op ca_ready_call;
/* The answer has "url": whoever has it acts for the subscriber, so it is given out once. */
ca_ready_op ca_ready_link;
/* The account that is meant. LT_PEER_NOT_FOUND. */
LT_MUST_USE lt_res ca_ready_account(struct ca_turn *t, const Ipc__ReadyWanted *w, int64_t *ret_account);
/* The account of a link that is still good; 0: none. */
LT_MUST_USE lt_res ca_ready_by_link(struct ca_turn *t, const char *token, int64_t *ret_account);
LT_MUST_USE lt_res ca_ready_link_used(struct ca_turn *t, const char *token);
/* "it@example.com", without "mailto:". LT_PEER_MALFORMED. */
LT_MUST_USE lt_res ca_ready_address(lt_slice address);
/* After something that decides was written. */
LT_MUST_USE lt_res ca_ready_review(struct ca_turn *t, int64_t account);

/* What an account may see of itself. Strings in the turn's arena. */
struct ca_ready_row {
    bool found;
    enum ca_ready_tier tier;
    lt_time since;
    struct ca_ready_seen seen;
    unsigned facts;
    const char *client;
    int64_t polls;
    int64_t renewals;
    const char *terms;
};
LT_MUST_USE lt_res ca_ready_load(struct ca_turn *t, int64_t account, struct ca_ready_row *ret_row);

extern const struct store_sql *const ca_ready_sql;
extern const size_t ca_ready_sql_count;
extern const struct store_sql *const ca_ready_ops_sql;
extern const size_t ca_ready_ops_sql_count;

#endif
