#ifndef CMD_READINESS_H
#define CMD_READINESS_H
/* Between the files of lintel readiness and lintel holdout. */
#include "cmd/cmd.h"

enum { READINESS_PATH_SIZE = 256, READINESS_ID_MAX = 19 };

/* "readiness/ACCOUNT" and what follows; account: a number, as readiness list shows it. */
LT_MUST_USE lt_res cmd_readiness_path(const char *account, const char *rest,
                                      char ret_path[READINESS_PATH_SIZE]);

#endif
