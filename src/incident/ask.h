#ifndef INCIDENT_ASK_H
#define INCIDENT_ASK_H
/* Questions to the incident desk, answered by a reader out of the book, as JSON: rows beside those of
 * ca/query.h. */
#include "ca/query_parts.h"

struct incident_question {
    const char *what; /* as in the route of form.h */
    query_answer *answer;
};
struct incident_questions {
    const struct incident_question *questions;
    size_t count;
    const struct ca_query_sql *sql; /* NULL: none of its own; for the test that EXPLAINs every statement */
};
/* One for each area of this room: its own file AREA_ask.c. */
extern const struct incident_questions incident_questions_affected;
extern const struct incident_questions incident_questions_case;
extern const struct incident_questions incident_questions_drill;
extern const struct incident_questions incident_questions_duty;
extern const struct incident_questions incident_questions_learn;
extern const struct incident_questions incident_questions_notice;
extern const struct incident_questions incident_questions_problem;
extern const struct incident_questions incident_questions_proof;
extern const struct incident_questions incident_questions_public;
extern const struct incident_questions incident_questions_report;
extern const struct incident_questions incident_questions_watch;

extern const struct incident_questions *const incident_questions[];
extern const size_t incident_questions_count;

/* Ours, or else one of ca_query_answer. */
LT_MUST_USE lt_res incident_ask(const struct ca_query *query, struct lt_buf *out);

/* Has the one who asks from the console a role in it? By the socket nobody has: there a question is signed.
 */
LT_MUST_USE lt_res incident_ask_has_role(const struct ca_query *query, int64_t incident, bool *ret_has);
/* choice_ask.c */
query_answer incident_ask_choices;

/* Is the subject an incident of which everybody may know no more than that it is there? */
LT_MUST_USE lt_res incident_ask_restricted(const struct ca_query *query, lt_slice subject,
                                           bool *ret_restricted);

#endif
