#ifndef CMD_MASS_H
#define CMD_MASS_H
/* Many certificates revoked at once, between the files of the command line. */
#include "cmd/cmd.h"

/* lintel revoke --scope, --spki: shows what is meant; with --yes has it frozen and proposed. */
LT_MUST_USE lt_res cmd_revoke_many(struct cmd *c);
/* CRLReason by name; LT_PEER_USAGE. */
LT_MUST_USE lt_res cmd_reason(const char *name, int *ret_reason);

#endif
