#ifndef VALIDATE_POOL_H
#define VALIDATE_POOL_H
/* Strangers' bytes are parsed in workers: children by fork, behind the same walls, that have no descriptor
 * but two pipes. A worker serves one account and is then replaced, so that what one account's servers do to a
 * parser touches nobody else's validations. A few are forked before they are needed. It is also replaced when
 * the account proves a name by a record a second time, so that no proof is looked for in a cache. An account
 * has four workers at most, and accounts that wait for one take turns: who wants all 256 kept busy with
 * silence needs 64 accounts.
 *
 * A worker that dies, or that says nothing long after its time, is answered for: serverInternal for each of
 * its questions, and the registrar asks again; so is a look-up that failed while our own resolver was dead
 * (validate/pulse.h). What it says is read as strictly as any message.
 * SIGPIPE must be ignored by the process. */
#include "validate/validate.h"

struct validate_pool; /* owned by its maker */

struct validate_pool_options {
    struct validate_options engine; /* strings are borrowed as long as the pool lives */
    size_t max_workers;             /* 0: 256; more accounts wait */
    size_t spares;                  /* forked before they are needed; 0: 2 */
    int linger_ms;                  /* an idle worker waits so long for its account; 0: 500 */
    /* Tests: called in the worker with each question before it begins. */
    void (*in_worker)(const Ipc__Validate *question);
};

/* Nothing is forked yet: the first turn of the loop does it, behind the walls. */
LT_MUST_USE lt_res validate_pool_new(struct event_base *base, const struct validate_pool_options *options,
                                     validate_answer *answer, void *self, struct validate_pool **ret_pool);
/* Drops what is running without an answer; waits for the children. */
void validate_pool_free(struct validate_pool *p);
/* As validate_start. */
LT_MUST_USE lt_res validate_pool_start(struct validate_pool *p, uint64_t id, const Ipc__Validate *request);
size_t validate_pool_running(const struct validate_pool *p);
/* Workers that are alive, for metrics. */
size_t validate_pool_workers(const struct validate_pool *p);
/* How long our own resolver has answered nothing; 0: it answers. */
int64_t validate_pool_silent_ms(const struct validate_pool *p);

#endif
