#ifndef ACME_ENROLL_H
#define ACME_ENROLL_H
/* Enrolment without ACME: an operator brings in the request of a subscriber who has no automation, and what
 * follows is an ordinary order, with authorizations whose challenges a person meets. Everything that decides
 * is the desk's own handler for the same step of ACME: names, policy, limits, validation, corroboration, CAA,
 * finalize. An account of a subscriber has no key, so nothing that is signed by an account reaches it.
 *
 * What was refused is in *ret_problem, and nothing but the event chain has changed; otherwise *ret_json is
 * the answer. Runs in the operator's savepoint. */
#include "acme/desk.h"
#include "operator.pb-c.h"

struct acme_enroll_by {
    const char *name; /* of the operator */
    lt_slice jws;     /* kept with the event */
};

LT_MUST_USE lt_res acme_enroll_request(struct acme_desk *desk, struct ca_turn *t,
                                       const struct acme_enroll_by *by, const Ipc__EnrollWanted *wanted,
                                       const char **ret_json, Ipc__Problem **ret_problem);
/* The person says that everything is in its place. */
LT_MUST_USE lt_res acme_enroll_check(struct acme_desk *desk, struct ca_turn *t,
                                     const struct acme_enroll_by *by, const Ipc__EnrollStep *step,
                                     const char **ret_json, Ipc__Problem **ret_problem);
LT_MUST_USE lt_res acme_enroll_issue(struct acme_desk *desk, struct ca_turn *t,
                                     const struct acme_enroll_by *by, const Ipc__EnrollStep *step,
                                     const char **ret_json, Ipc__Problem **ret_problem);
LT_MUST_USE lt_res acme_enroll_cancel(struct acme_desk *desk, struct ca_turn *t,
                                      const struct acme_enroll_by *by, const Ipc__EnrollStep *step,
                                      const char **ret_json, Ipc__Problem **ret_problem);

extern const struct store_sql *const acme_enroll_sql;
extern const size_t acme_enroll_sql_count;

#endif
