#ifndef INCIDENT_LEARN_H
#define INCIDENT_LEARN_H
/* Between the files of this area: promises, reviews, training, concerns. */
#include "incident/action.h"
#include "incident/op.h"

#define INCIDENT_DAY_US (LT_SECONDS_PER_DAY * LT_US_PER_SECOND)
/* Somebody is told again after so long, until it is done. */
#define INCIDENT_LEARN_AGAIN_US (7 * INCIDENT_DAY_US)

enum { INCIDENT_LEARN_SLICE = 50 }; /* rows of one beat */

/* Of people and roles: as operators are named, so that a name is a word in paths and on the command line. */
LT_MUST_USE lt_res incident_learn_name(const char *what, const char *name);
/* There, and not over the limit. */
LT_MUST_USE lt_res incident_learn_text(const char *what, const char *text, size_t most);
/* "operator ann", in the turn's arena. */
LT_MUST_USE lt_res incident_learn_by(const struct incident_call *c, const char **ret_by);
/* The next number of a table, by a statement that gives its greatest. */
LT_MUST_USE lt_res incident_learn_next(struct ca_turn *t, const struct store_sql *greatest, int64_t *ret_id);
/* The same day so many months later; the last of that month where it has none such. */
lt_time incident_learn_months(lt_time t, int64_t months);
/* Wakes who is on call: `words` of `subject`. */
LT_MUST_USE lt_res incident_learn_alarm(struct ca_turn *t, const char *severity, const char *subject,
                                        const char *words);

typedef lt_res incident_learn_op(struct incident_call *c);
/* learn_review.c */
incident_learn_op incident_op_review_calendar;
incident_learn_op incident_op_review_assign;
incident_learn_op incident_op_review_brief;
incident_learn_op incident_op_reviewer_add;
incident_learn_op incident_op_reviewer_end;
incident_learn_op incident_op_source_add;
incident_learn_op incident_op_source_end;
/* learn_training.c */
incident_learn_op incident_op_course_add;
incident_learn_op incident_op_course_end;
incident_learn_op incident_op_trainee_add;
incident_learn_op incident_op_trainee_end;
incident_learn_op incident_op_training_add;
/* learn_concern.c */
incident_learn_op incident_op_concern_link;
incident_learn_op incident_op_concern_answer;
incident_learn_op incident_op_concern_show;
/* Opens the case, for the keepers alone ("ann bob"). ret_token: of the filer's own link, in the turn's arena.
 */
struct incident_concern {
    const char *words;
    const char *keepers;
};
LT_MUST_USE lt_res incident_concern_file(struct ca_turn *t, const struct incident_concern *filed,
                                         int64_t *ret_id, const char **ret_token);

/* What is due: each does at most INCIDENT_LEARN_SLICE rows. */
LT_MUST_USE lt_res incident_action_beat(struct ca_turn *t, bool *ret_more);
LT_MUST_USE lt_res incident_review_beat(struct ca_turn *t, bool *ret_more);
LT_MUST_USE lt_res incident_training_beat(struct ca_turn *t, bool *ret_more);

/* Statements, for the test that EXPLAINs every one. One table, so that the area has one. */
enum incident_learn_statement {
    LEARN_ACTION_MAX,
    LEARN_ACTION_ADD,
    LEARN_ACTION_GET,
    LEARN_ACTION_SET,
    LEARN_ACTION_OPEN,
    LEARN_ACTION_DUE,
    LEARN_ACTION_LAPSED,
    LEARN_UNTOLD,
    LEARN_ACTION_HEARD,
    LEARN_CHECK_ADD,
    LEARN_CHECK_GET,
    LEARN_CHECK_SET,
    LEARN_CHECK_DUE,
    LEARN_CHECK_AGAIN,
    LEARN_CHECK_DROP,
    LEARN_CALENDAR_GET,
    LEARN_CALENDAR_SET,
    LEARN_CALENDAR_NEXT,
    LEARN_CALENDAR_LAPSED,
    LEARN_REVIEWER_GET,
    LEARN_REVIEWER_ADD,
    LEARN_REVIEWER_BACK,
    LEARN_REVIEWER_END,
    LEARN_REVIEWER_TURN,
    LEARN_REVIEWER_GAVE,
    LEARN_SOURCE_GET,
    LEARN_SOURCE_NEW,
    LEARN_OWN_CLOSED,
    LEARN_SOURCE_BACK,
    LEARN_SOURCE_END,
    LEARN_SOURCE_TURN,
    LEARN_SOURCE_GAVE,
    LEARN_REVIEW_MAX,
    LEARN_REVIEW_ADD,
    LEARN_REVIEW_GET,
    LEARN_REVIEW_FILE,
    LEARN_REVIEW_DUE,
    LEARN_REVIEW_AGAIN,
    LEARN_COURSE_GET,
    LEARN_COURSE_ADD,
    LEARN_COURSE_BACK,
    LEARN_COURSE_END,
    LEARN_COURSE_OF,
    LEARN_TRAINEE_GET,
    LEARN_TRAINEE_ADD,
    LEARN_TRAINEE_BACK,
    LEARN_TRAINEE_END,
    LEARN_TRAINEE_OF,
    LEARN_TRAINEE_DUE,
    LEARN_TRAINEE_ALARM,
    LEARN_TRAINING_MAX,
    LEARN_TRAINING_ADD,
    LEARN_TRAINING_LAST,
    LEARN_CONCERN_MAX,
    LEARN_CONCERN_ADD,
    LEARN_CONCERN_GET,
    LEARN_CONCERN_BY_TOKEN,
    LEARN_CONCERN_ANSWER,
    LEARN_LINK_GET,
    LEARN_LINK_ADD,
    LEARN_LINK_END,
    LEARN_STATEMENTS,
};
extern const struct store_sql incident_learn_sql[LEARN_STATEMENTS];

#endif
