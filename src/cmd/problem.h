#ifndef CMD_PROBLEM_H
#define CMD_PROBLEM_H
/* Between the files of lintel problem. */
#include "cmd/api.h"

enum { PROBLEM_PATH_SIZE = 128, PROBLEM_TEXT_MAX = 32 * 1024 };

/* "problems/ID" and what follows. */
LT_MUST_USE lt_res cmd_problem_path(const char *id, const char *rest, char ret_path[PROBLEM_PATH_SIZE]);
/* --text, or the file of --text-file ("-" is standard input); NULL: neither. */
LT_MUST_USE lt_res cmd_problem_text(struct cmd *c, const char **ret_text);

#endif
