#ifndef INCIDENT_CLOCK_H
#define INCIDENT_CLOCK_H
/* Clocks: a duty of data/duties that has begun to run for one subject. All of it in the registrar's turn, and
 * each step an event of the subject: clock.opened, clock.warned, clock.breached, clock.met, clock.void,
 * clock.moved.
 *
 *   open ──meet──▶ met        before its time was over
 *   open ──pass──▶ breached   its time is over, and nothing was done (by the beat, or by who meets it late)
 *   breached ──meet──▶ late   done after all
 *   open, breached ──void──▶ void  the duty does not apply; says why
 *
 * At 50, 75 and 90 percent of the time it warns, from 75 on it calls who is on duty (incident/notice.h).
 * Refuses: duties that data/duties does not have, or that were not in force at the start; starts in the
 * future.
 */
#include "ca/turn.h"
#include "incident/duty.h"

struct incident_clock_start {
    const char *duty;     /* id in data/duties: "irg-1", "revoke-tls/caa-unreliable" */
    const char *subject;  /* "incident 12" */
    lt_time start;        /* by the rule of the source (incident/duty.h), not when somebody got to it */
    const char *evidence; /* of the start: "event registrar 17", or words */
};

/* Idempotent for (duty, subject, start): the one that is there is given. */
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

/* The tightest clock of a subject that is open or breached; *ret_due 0: none. For tiers and order. */
LT_MUST_USE lt_res incident_clock_next(struct ca_turn *t, const char *subject, lt_time *ret_due);

struct incident_beat; /* incident/beat.h */
struct store_sql;

extern const struct store_sql *const incident_duty_sql;
extern const size_t incident_duty_sql_count;

#endif
