#ifndef INCIDENT_CASE_INTERNAL_H
#define INCIDENT_CASE_INTERNAL_H
/* Between the files of incidents. */
#include "ca/body.h"
#include "incident/case.h"
#include "incident/op.h"

/* Of the subject "incident N"; frees the body. */
LT_MUST_USE lt_res incident_case_event(struct ca_turn *t, int64_t id, const char *kind, struct ca_body *body,
                                       lt_slice jws);
/* "incident N", in the turn's arena. */
const char *incident_case_subject(struct ca_turn *t, int64_t id);
/* What an op begins with: the incident of the path, which this operator may see; closed ones are refused. */
LT_MUST_USE lt_res incident_case_of(struct incident_call *c, struct incident_case *ret_case);
/* The answer of most ops: {"incident": N, "status": …} and what the body has; frees it. */
LT_MUST_USE lt_res incident_case_answer(struct incident_call *c, int64_t id, struct ca_body *body);
/* Event incident.role. Of c only turn, by and jws are looked at. */
LT_MUST_USE lt_res incident_case_give_role(struct incident_call *c, int64_t id, const char *role,
                                           const char *holder, const char *words);
/* Is this one of the words? */
bool incident_case_word(const char *const *list, const char *word);
LT_MUST_USE lt_res incident_case_contained(struct ca_turn *t, int64_t id);
LT_MUST_USE lt_res incident_case_scoped(struct ca_turn *t, int64_t id, int64_t version);
LT_MUST_USE lt_res incident_case_planned(struct ca_turn *t, int64_t id, int64_t version);
LT_MUST_USE lt_res incident_case_late(struct ca_turn *t, int64_t id);

typedef lt_res incident_case_run(struct incident_call *c);
/* case_ops.c */
incident_case_run incident_case_op_open;
incident_case_run incident_case_op_step;
incident_case_run incident_case_op_note;
incident_case_run incident_case_op_role;
incident_case_run incident_case_op_link;
incident_case_run incident_case_op_severity;
incident_case_run incident_case_op_show;
incident_case_run incident_case_op_mine;
incident_case_run incident_case_op_close;
/* case_halt.c */
incident_case_run incident_case_op_contain;
incident_case_run incident_case_op_fix;
/* case_scope.c */
incident_case_run incident_case_op_scope;
incident_case_run incident_case_op_freeze;
incident_case_run incident_case_op_thaw;
/* case_notify.c */
incident_case_run incident_case_op_notify;
/* case_plan.c */
incident_case_run incident_case_op_plan;
incident_case_run incident_case_op_revoke;

/* One slice of what is due for this incident. */
LT_MUST_USE lt_res incident_case_halt_due(struct ca_turn *t, const struct incident_case *c);
LT_MUST_USE lt_res incident_case_plan_due(struct ca_turn *t, struct incident_case *c, bool *ret_more);
/* Halts of it that stand. */
LT_MUST_USE lt_res incident_case_halts_open(struct ca_turn *t, int64_t id, int64_t *ret_count);

extern const struct incident_sql incident_case_sql;
extern const struct incident_sql incident_case_halt_sql;
extern const struct incident_sql incident_case_scope_sql;
extern const struct incident_sql incident_case_plan_sql;
extern const struct incident_sql incident_case_ops_sql;

#endif
