#ifndef INCIDENT_DRILL_H
#define INCIDENT_DRILL_H
/* Drills in the book: which were held with what score (the record of the test of BR 5.7.1.2), which are due
 * and who sees to it, and rehearsals: renewal windows of chosen certificates that are really in use, moved
 * for a while to see who reacts. A rehearsal revokes nothing and halts nothing.
 *
 * In a drill's own book (ca/scratch.h) also what the world outside would do: clients that react to their
 * windows. Refused in every other book.
 */
#include "incident/op.h"

enum {
    DRILL_SLICE = 500,            /* rows at a time */
    DRILL_REHEARSED_MAX = 100000, /* certificates of one rehearsal */
    DRILL_REHEARSAL_DAYS = 14,
};

/* drill_rehearse.c */
extern const struct incident_sql drill_rehearse_sql;
LT_MUST_USE lt_res drill_rehearse(struct incident_call *c);
LT_MUST_USE lt_res drill_rehearse_add(struct incident_call *c);
LT_MUST_USE lt_res drill_rehearse_end(struct incident_call *c);
/* Puts windows back whose rehearsal is over, a slice at a time. */
LT_MUST_USE lt_res drill_rehearse_beat(struct ca_turn *t, bool *ret_more);

/* drill_react.c */
extern const struct incident_sql drill_react_sql;
LT_MUST_USE lt_res drill_react(struct incident_call *c);
LT_MUST_USE lt_res drill_react_beat(struct ca_turn *t, bool *ret_more);

#endif
