#ifndef VALIDATE_PULSE_H
#define VALIDATE_PULSE_H
/* Is our own resolver there? A small question from time to time, about the root, to the resolver that is
 * configured, or to root servers where there is none. A name that could not be looked up while nobody answers
 * even that is not the client's fault.
 *
 * One plain datagram, and only its number and code are looked at: whoever forges an answer gains that a
 * failure is called the client's, no more. A resolver that answers look-ups and never this is left alone.
 * Clocks are parameters; no answer is ever waited for. */
#include "base/clock.h"

struct event_base;
struct validate_pulse; /* one owner */

/* resolver as in validate_resolver_options; LT_PEER_USAGE for what is no address. */
LT_MUST_USE lt_res validate_pulse_new(struct event_base *base, const char *resolver,
                                      struct validate_pulse **ret_pulse);
void validate_pulse_free(struct validate_pulse *p);
/* Asks when it is time: often while validations run or the last question has no answer yet. */
void validate_pulse_tick(struct validate_pulse *p, int64_t now_ms, bool busy);
/* A look-up had an answer. */
void validate_pulse_heard(struct validate_pulse *p, int64_t now_ms);
/* Milliseconds without any answer; 0 while there is no reason to think so. */
int64_t validate_pulse_silent_ms(const struct validate_pulse *p, int64_t now_ms);

#endif
