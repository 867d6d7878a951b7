#ifndef CA_PLAN_H
#define CA_PLAN_H
/* Plans: dangerous operations are proposed, approved by signature, and only then run (design 2.5).
 * States and events: see plan_edges in plan.c. What needs the examiner's own belief (lifting a halt,
 * unblocking a key, a lint exception) is done in the book only on its verdict.
 */
#include "ca/book.h"
#include "operator.pb-c.h"
#include "sign.pb-c.h"

struct ca_plan_asker {
    const char *operator_name; /* verified */
    lt_slice jws;
    struct ipc_addr reply_to;
};

/* Each leaves the object as JSON in the turn's arena for the answer. */
LT_MUST_USE lt_res ca_plan_create(struct ca_turn *t, const struct ca_plan_asker *by,
                                  const Ipc__PlanStatement *p, const char **ret_json);
/* When it has to be approved by. */
LT_MUST_USE lt_res ca_plan_expires(struct ca_turn *t, const char *plan_id, lt_time *ret_expires);
/* Another proposal takes its place: it is "expired" where its time is over, "replaced" where it is not. */
LT_MUST_USE lt_res ca_plan_replace(struct ca_turn *t, const struct ca_plan_asker *by, const char *plan_id);
LT_MUST_USE lt_res ca_plan_approve(struct ca_turn *t, const struct ca_plan_asker *by, const char *plan_id,
                                   const Ipc__Approval *approval, const char **ret_json);
/* ret_json stays NULL when the examiner has been asked: the answer follows with ca_plan_on_verdict. */
LT_MUST_USE lt_res ca_plan_run(struct ca_turn *t, const struct ca_plan_asker *by, const char *plan_id,
                               const char **ret_json);
/* What another host has carried out, to this host's examiner, which verifies the approvals itself. Nothing
 * for an action that no examiner remembers. */
LT_MUST_USE lt_res ca_plan_repeat(struct ca_turn *t, const char *plan_id);
/* ExaminerVerdict; id of the envelope. ret_waiter is who asked; role IPC_NOBODY when nobody waits. */
LT_MUST_USE lt_res ca_plan_on_verdict(struct ca_turn *t, uint64_t id, const Ipc__ExaminerVerdict *m,
                                      struct ipc_addr *ret_waiter, const char **ret_json);

extern const struct store_sql *const ca_plan_sql;
extern const size_t ca_plan_sql_count;

#endif
