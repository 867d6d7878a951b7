#ifndef CMD_PUBLIC_H
#define CMD_PUBLIC_H
/* Profiles that browsers trust, as `lintel status` tells of them (ca/public_trust.h judges). */
#include "cmd/api.h"

/* {"profiles": […], "issues", "lacks": […], "soon"}, or null where no profile is public. The caller's. */
json_t *cmd_public_status(struct cmd *c, const char *folder);
LT_MUST_USE lt_res cmd_public_say(const json_t *public);

#endif
