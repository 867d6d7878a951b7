#ifndef INCIDENT_CONTROL_H
#define INCIDENT_CONTROL_H
/* Periodic reviews and compensating controls: who does it, how often, until when the next time. Each has one
 * clock of the duty "control" (subject "control NAME"), so it warns and calls as every duty does, and one
 * that lapses is an alarm. Events: control.added, control.done, control.retired.
 *
 * Refuses: names that are taken, kinds that are neither review nor control, and "done" without evidence.
 */
#include "ca/turn.h"

enum { INCIDENT_CONTROL_NAME_MAX = 60 };

struct incident_control {
    const char *name;   /* "caa-log-check": letters, digits, "-" */
    const char *kind;   /* "review", "control" */
    const char *owner;  /* role or operator */
    const char *about;  /* what is done */
    const char *source; /* duty, incident or document that wants it; "" */
    int64_t every_s;
    lt_time due; /* of the first time; .us 0: after every_s */
    const char *by;
    lt_slice jws;
};
LT_MUST_USE lt_res incident_control_add(struct ca_turn *t, const struct incident_control *c);

struct incident_control_done {
    const char *name;
    lt_time when; /* .us 0: now */
    const char *evidence;
    const char *by;
    lt_slice jws;
};
/* *ret_due: of the next time. */
LT_MUST_USE lt_res incident_control_done(struct ca_turn *t, const struct incident_control_done *d,
                                         lt_time *ret_due);
/* evidence: why it is not needed any more. */
LT_MUST_USE lt_res incident_control_retire(struct ca_turn *t, const struct incident_control_done *d);

#endif
