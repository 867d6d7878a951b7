#ifndef ROLE_VALIDATOR_TESTING_H
#define ROLE_VALIDATOR_TESTING_H
/* What the validator of a test CA does otherwise: it takes its time, and believes everything. Made only from
 * Start.testing, which the supervisor sends where the folder carries the mark of a test CA. */
#include <event2/event.h>

#include "base/clock.h"
#include "control.pb-c.h"
#include "validate.pb-c.h"

struct validator_testing; /* one owner */

struct validator_testing_options {
    struct event_base *base; /* borrowed, as build is */
    const char *build;
    void *self; /* of the two that follow */
    /* The question's time has come. */
    void (*start)(void *self, uint64_t id, const Ipc__Validate *q);
    /* Nothing was looked at. */
    void (*answer)(void *self, uint64_t id, const Ipc__Validated *v);
};

/* NULL where testing is NULL or asks for nothing: then there is nothing to ask it. */
struct validator_testing *validator_testing_new(const Ipc__Testing *testing,
                                                const struct validator_testing_options *options);
void validator_testing_free(struct validator_testing *t);
/* Takes a question: `start` or `answer` follows, now or later. */
void validator_testing_take(struct validator_testing *t, uint64_t id, const Ipc__Validate *q);
#endif
