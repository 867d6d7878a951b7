/* The verbs, in the order in which --help lists them. */
#include "cmd/verbs.h"

const struct cmd_verb *const cmd_verbs[] = {
    &cmd_init,
    &cmd_serve,
};
const size_t cmd_verb_count = LT_COUNT(cmd_verbs);
