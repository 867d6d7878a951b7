#ifndef CA_EAB_H
#define CA_EAB_H
/* Keys for external account binding (RFC 8555 7.3.4) in the book: made and revoked by operators, used once by
 * each account that is bound to them, and the limits of those accounts from then on. The notary takes a
 * binding apart; the MAC is checked here, where the secret is; the book has it sealed (seal.h). The
 * registrar's alone. */
#include "acme.pb-c.h"
#include "ca/turn.h"
#include "operator.pb-c.h"

enum {
    CA_EAB_KID_LEN = 22,
    CA_EAB_SECRET_LEN = 32,
    CA_EAB_LIST_MAX = 100, /* profiles, suffixes */
    CA_EAB_TEXT_MAX = 8192,
};

/* All texts live in the turn's arena. */
struct ca_eab_key {
    const char *kid;      /* NULL: there is none */
    lt_slice secret;      /* sealed */
    const char *profiles; /* " a b "; empty: any */
    const char *suffixes;
    int64_t accounts_most;
    int64_t accounts;
    int64_t orders_most;
    int64_t orders_period_s;
    int64_t orders;
    lt_time period;
    lt_time expires; /* {0}: never */
    bool valid;
};

/* Draws kid and secret; *ret_json has the secret this once. */
LT_MUST_USE lt_res ca_eab_create(struct ca_turn *t, const Ipc__EabWanted *wanted, const char *by,
                                 lt_slice jws, const char **ret_json);
/* Its secret goes; accounts that are bound to it can order nothing any more. */
LT_MUST_USE lt_res ca_eab_revoke(struct ca_turn *t, const char *kid, const char *by, lt_slice jws,
                                 const char **ret_json);

/* At start: does our key open what the book has? LT_RETRY_UNAVAILABLE: it was sealed with another one. */
LT_MUST_USE lt_res ca_eab_seal_fits(struct ca_book *b, struct lt_arena *a);

LT_MUST_USE lt_res ca_eab_find(struct ca_turn *t, const char *kid, struct ca_eab_key *ret_key);
/* The key that an account is bound to. */
LT_MUST_USE lt_res ca_eab_of_account(struct ca_turn *t, int64_t account, struct ca_eab_key *ret_key);
/* LT_PEER_UNAUTHORIZED: no such key, not its MAC, or no account more may be bound to it. */
LT_MUST_USE lt_res ca_eab_check(struct ca_turn *t, const Ipc__AcmeBinding *binding,
                                struct ca_eab_key *ret_key);
/* binding: JSON as the notary took it; kept to be shown. */
LT_MUST_USE lt_res ca_eab_bind(struct ca_turn *t, const struct ca_eab_key *key, int64_t account,
                               lt_slice binding);
/* Empty: the account is bound to no key. */
LT_MUST_USE lt_res ca_eab_binding(struct ca_turn *t, int64_t account, lt_slice *ret_binding);
/* LT_POLICY_REFUSED: revoked, or not this profile. */
LT_MUST_USE lt_res ca_eab_permits(const struct ca_eab_key *key, const char *profile);
/* Is the name one that the key is for? */
bool ca_eab_permits_name(const struct ca_eab_key *key, const Ipc__Identifier *name);
/* Counts an order. *ret_wait_s: seconds until one more may be made; 0: it was counted. */
LT_MUST_USE lt_res ca_eab_count_order(struct ca_turn *t, const struct ca_eab_key *key, int64_t *ret_wait_s);

extern const struct store_sql *const ca_eab_sql;
extern const size_t ca_eab_sql_count;

#endif
