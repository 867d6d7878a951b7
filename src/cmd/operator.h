#ifndef CMD_OPERATOR_H
#define CMD_OPERATOR_H
/* The folder of operators' files, for the verbs that change them. */
#include "cmd/cmd.h"

LT_MUST_USE lt_res cmd_operators_open(struct cmd *c, const char **ret_folder, int *ret_dir);
/* A running family reads them again. */
void cmd_operators_tell(const char *folder);

#endif
