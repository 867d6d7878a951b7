#ifndef ROLE_OPINION_H
#define ROLE_OPINION_H
/* Private to the second opinion: what its files share. */
#include "base/arena.h"
#include "ca/config.h"
#include "sandbox/sandbox.h"
#include "sign.pb-c.h"

/* What the command may open and start: itself, what interprets it, and what the configuration adds. All in
 * the arena. LT_PEER_USAGE when it cannot be started. */
LT_MUST_USE lt_res opinion_walls(const struct ca_config_opinion *o, struct lt_arena *a,
                                 struct sandbox_profile *ret_profile);

/* How the command ended and what it said. */
struct opinion_end {
    int code;   /* as waitid has it: CLD_EXITED, CLD_KILLED, … */
    int status; /* exit status or signal */
    bool late;  /* ended by us */
    lt_slice out;
    lt_slice err;
};

/* The answer, in the arena. What is not plainly an all-clear is none. */
void opinion_read(const struct ca_config_opinion *o, const struct opinion_end *end, struct lt_arena *a,
                  Ipc__Opinion *ret_opinion);

#endif
