#ifndef CMD_SCOPE_H
#define CMD_SCOPE_H
/* Between the files of scopes. */
#include <jansson.h>

#include "cmd/cmd.h"

/* "certificates" of an answer as a table. */
LT_MUST_USE lt_res cmd_scope_rows(struct cmd *c, const json_t *answer);

#endif
