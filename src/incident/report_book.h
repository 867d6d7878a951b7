#ifndef INCIDENT_REPORT_BOOK_H
#define INCIDENT_REPORT_BOOK_H
/* Between the files of reports that change the book. */
#include "ca/body.h"
#include "incident/case.h"
#include "incident/op.h"

/* The incident of the path, where this operator may see it. */
LT_MUST_USE lt_res report_incident(struct incident_call *c, struct incident_case *ret_case);
/* Adds who, ends the body, appends the event. incident 0: of the house. */
LT_MUST_USE lt_res report_event(struct incident_call *c, struct ca_body *b, int64_t incident,
                                const char *kind);
/* {"key": number} as the answer. */
LT_MUST_USE lt_res report_answer(struct incident_call *c, const char *key, int64_t number);

LT_MUST_USE lt_res report_op_cause(struct incident_call *c);
LT_MUST_USE lt_res report_op_cause_drop(struct incident_call *c);
LT_MUST_USE lt_res report_op_why(struct incident_call *c);
LT_MUST_USE lt_res report_op_bone(struct incident_call *c);
LT_MUST_USE lt_res report_op_bone_drop(struct incident_call *c);
LT_MUST_USE lt_res report_op_lesson(struct incident_call *c);
LT_MUST_USE lt_res report_op_lesson_drop(struct incident_call *c);
extern const struct incident_sql report_causes_sql;

#endif
