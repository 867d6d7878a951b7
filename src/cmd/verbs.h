#ifndef CMD_VERBS_H
#define CMD_VERBS_H
/* One row per verb, each in the file that is named after it. */
#include "cmd/cmd.h"

extern const struct cmd_verb cmd_init;
extern const struct cmd_verb cmd_serve;

#endif
