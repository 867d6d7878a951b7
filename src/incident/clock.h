#ifndef INCIDENT_CLOCK_H
#define INCIDENT_CLOCK_H
/* Clocks: a duty of data/duties that has begun to run for one subject. All of it in the registrar's turn, and
 * each step an event of the subject: clock.opened, clock.warned, clock.aim-missed, clock.breached,
 * clock.overdue, clock.met, clock.late, clock.void, clock.reopened, clock.moved.
 *
 *   open ──met in time──▶ met
 *   open ──its time is over──▶ breached (the rule's limit), overdue ("promptly": a measure of ours)
 *   breached, overdue ──met──▶ late, or met when it was done in time and only told later
 *   open, breached, overdue ──void──▶ void  the duty does not apply; says why
 *   void ──opened from the same moment──▶ open  it applies after all; what passed meanwhile counts
 *
 * It warns at 50, 75 and 90 percent of the time and when the time that should be kept is over; from 75 on it
 * calls who is on duty (incident/notice.h). Refuses: duties that data/duties does not have, clocks without
 * evidence, starts in the future. A duty that the rules of that day did not have opens none: *ret_id 0.
 */
#include "ca/turn.h"
#include "incident/duty.h"

struct incident_clock_start {
    const char *duty;     /* id in data/duties: "irg-1", "revoke-tls/caa-unreliable" */
    const char *subject;  /* "incident 12" */
    lt_time start;        /* by the rule of the source (incident/duty.h), not when somebody got to it */
    const char *evidence; /* of the start: "event registrar 17", or words */
};

/* Idempotent for (duty, subject, start): the one that is there is given; it runs again where it was void. */
LT_MUST_USE lt_res incident_clock_open(struct ca_turn *t, const struct incident_clock_start *s,
                                       int64_t *ret_id);
/* Every open or breached clock of that duty and subject that began at or before `when` is met then; none
 * open: LT_OK. */
LT_MUST_USE lt_res incident_clock_meet(struct ca_turn *t, const char *subject, const char *duty, lt_time when,
                                       const char *evidence);
/* The duty does not apply after all. None open: LT_OK. */
LT_MUST_USE lt_res incident_clock_void(struct ca_turn *t, const char *subject, const char *duty,
                                       const char *why);
/* Another end than the row's limit gives: the date that a root program wrote into "Next update", a deadline
 * that a delayed-revocation report must come before. LT_PEER_NOT_FOUND: none is open. */
LT_MUST_USE lt_res incident_clock_until(struct ca_turn *t, const char *subject, const char *duty, lt_time due,
                                        const char *why);

/* Something happened to the subject: opens every duty whose row says that this kind of event begins it, and
 * meets those that it meets. For cases and reports, so that which clocks run is data. */
LT_MUST_USE lt_res incident_clock_happened(struct ca_turn *t, const char *kind, const char *subject,
                                           lt_time when, const char *evidence);

/* The tightest clock of a subject that is open or breached; *ret_due 0: none. For tiers and order. */
LT_MUST_USE lt_res incident_clock_next(struct ca_turn *t, const char *subject, lt_time *ret_due);

#endif
