#ifndef INCIDENT_ACTION_H
#define INCIDENT_ACTION_H
/* The promise ledger: what was promised after an incident, a review or a drill, by whom and until when, how
 * one will see that it helped, and whether it still does 3, 6 and 12 months later. A promise that lapses, or
 * whose change was not told in public within three days, raises an alarm.
 *
 * Refuses: promises without an owner, a day or criteria; states that do not follow (action.c, edges); moving
 * a day without saying why.
 */
#include "ca/turn.h"

enum {
    INCIDENT_ACTION_TITLE_MAX = 300,
    INCIDENT_ACTION_TEXT_MAX = 4000,
    INCIDENT_ACTION_NAME_MAX = 200,
};

struct incident_action {
    const char *subject;  /* "incident 12", "review 3", "drill 4"; "": a promise by itself */
    const char *title;    /* what will be done */
    const char *kind;     /* "Prevent", "Mitigate", "Detect": the words of the report */
    const char *causes;   /* root causes that it answers: "1, 3"; "": none is named yet */
    const char *criteria; /* how anybody can see that it helped */
    const char *owner;    /* a role or a person */
    lt_time due;
    const char *by; /* who promised: "operator ann" */
    lt_slice jws;   /* of the request, or empty */
};

/* A new promise, Ongoing. Its id is that of the subject "action N". Event: action.added. */
LT_MUST_USE lt_res incident_action_add(struct ca_turn *t, const struct incident_action *a, int64_t *ret_id);

/* What becomes of one. Events: action.completed, action.delayed, action.canceled, action.updated,
 * action.told. */
struct incident_action_change {
    int64_t id;
    const char *edge;     /* "complete", "delay", "cancel", "update", "tell" */
    const char *words;    /* why; of tell: where it was told */
    const char *evidence; /* of complete: where it can be seen */
    lt_time due;          /* of delay: the new day */
    const char *owner;    /* of update: another owner; "": the same */
    const char *criteria; /* of update: other criteria; "": the same */
    const char *causes;   /* of update: other root causes; "": the same */
    const char *by;
    lt_slice jws;
};
LT_MUST_USE lt_res incident_action_change(struct ca_turn *t, const struct incident_action_change *c);

/* One look at 3, 6 or 12 months: does what was done still hold? Event: action.checked. */
struct incident_action_check {
    int64_t id;
    int64_t months;
    bool holds;
    const char *evidence;
    const char *by;
    lt_slice jws;
};
LT_MUST_USE lt_res incident_action_check(struct ca_turn *t, const struct incident_action_check *c);

/* How many promises of a subject are still open (Ongoing or Delayed): a report may be closed at 0. */
LT_MUST_USE lt_res incident_action_open(struct ca_turn *t, const char *subject, int64_t *ret_count);

#endif
