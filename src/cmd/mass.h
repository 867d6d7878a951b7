#ifndef CMD_MASS_H
#define CMD_MASS_H
/* Many certificates revoked at once, and why one is, between the files of the command line. */
#include <jansson.h>

#include "ca/reasons.h"
#include "cmd/cmd.h"

enum { CMD_KEY_SIZE = 65 };

/* --reason, --cause, --aware, --dated-back-to, as far as the tables know without the family. */
struct cmd_why {
    int reason;
    const char *reason_name;      /* the cause's, where none is given */
    const struct ca_cause *cause; /* NULL: none is given */
    struct ca_clocks clocks;
    lt_time now;
    lt_time aware;
    lt_time dated; /* {0}: not dated back */
};
LT_MUST_USE lt_res cmd_why(struct cmd *c, struct cmd_why *ret_why);
/* Into what is asked of the API. */
LT_MUST_USE lt_res cmd_why_put(struct cmd *c, const struct cmd_why *w, json_t *payload);
/* Cause, and how long each clock still runs: printed, and with --json put into an object. */
LT_MUST_USE lt_res cmd_why_show(const struct cmd *c, const struct cmd_why *w, json_t *into);
/* Of a certificate as the API gives it: clocks of its revocation, and an order that forbids it. */
void cmd_say_clocks(const json_t *certificate, struct lt_buf *out);
/* CRLReason by name; LT_PEER_USAGE. */
LT_MUST_USE lt_res cmd_reason(const char *name, int *ret_reason);

/* lintel revoke --scope, --spki: shows what is meant; with --yes has it frozen and proposed. */
LT_MUST_USE lt_res cmd_revoke_many(struct cmd *c);
/* What it would do: counts by tier, account and profile, clocks, how long it will take. key: of --spki, in
 * lower case; "": --scope. */
LT_MUST_USE lt_res cmd_revoke_dry_run(struct cmd *c, const struct cmd_why *w, const char *key);
/* LT_PEER_UNSUPPORTED where some begin later than --dated-back-to. */
LT_MUST_USE lt_res cmd_revoke_check_date(struct cmd *c, const struct cmd_why *w, const char *key);
/* The i-th expression of --tier; "readiness" stands for five. NULL behind the last. */
const char *cmd_mass_tier(const struct cmd *c, size_t i);

#endif
