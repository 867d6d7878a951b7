#ifndef CA_EXAMINER_STATE_H
#define CA_EXAMINER_STATE_H
/* What the examiner remembers by itself, in its own folder: halts, blocked keys, lint exceptions. Adding is
 * immediate and needs no approval; taking away needs two approvals, which are verified here against operator
 * keys from the root-owned files. A change is on disk before it is answered; a file that does not read stops
 * the process (nothing is signed by an examiner that has forgotten).
 *
 * Files: halts ("halt ID KIND VALUE SINCE_US OPERATOR REASON", "lifted ID PLAN"), blocked ("HEX REASON"),
 * exceptions ("EXPIRES_US RULE PROFILE PLAN"), used ("EXPIRES_US PLAN"), passkeys (examiner_passkeys.c), each
 * a line.
 */
#include "base/arena.h"
#include "base/clock.h"
#include "ca/halt.h"
#include "ca/operator.h"
#include "sign.pb-c.h"

enum { CA_HALT_LIST_MAX_AGE_S = 5, CA_EXCEPTION_MAX_DAYS = 30 };

struct ca_examiner_state; /* heap; one owner */

/* dir_fd: of examiner/; stays with the caller. */
LT_MUST_USE lt_res ca_examiner_state_open(int dir_fd, struct ca_examiner_state **ret_state);
void ca_examiner_state_free(struct ca_examiner_state *s);

/* The registrar's list: what is new in it is kept; what is missing from it stays in force. LT_PEER_MALFORMED
 * for a halt that is none. now: the examiner's own clock. */
LT_MUST_USE lt_res ca_examiner_halts(struct ca_examiner_state *s, const Ipc__HaltList *list, lt_time now);
/* The registrar's link is gone or new: the list counts as stale until it speaks again. */
void ca_examiner_forget_list(struct ca_examiner_state *s);

struct ca_approvers {
    const struct ca_operators *operators; /* from the root-owned files */
    uint32_t needed;                      /* as configured; the action's own policy may want more */
};
/* LT_POLICY_APPROVAL: the plan expires further ahead than any that is made. */
LT_MUST_USE lt_res ca_examiner_plan_life(const Ipc__PlanStatement *plan, lt_time now);
/* LT_POLICY_APPROVAL when the approvals are not for exactly this. What is done already is fine; a key that
 * was blocked again needs a new plan. */
LT_MUST_USE lt_res ca_examiner_lift(struct ca_examiner_state *s, const struct ca_approvers *by,
                                    const Ipc__HaltLift *m, lt_time now);
LT_MUST_USE lt_res ca_examiner_unblock(struct ca_examiner_state *s, const struct ca_approvers *by,
                                       const Ipc__KeyUnblock *m, lt_time now);
LT_MUST_USE lt_res ca_examiner_except(struct ca_examiner_state *s, const struct ca_approvers *by,
                                      const Ipc__LintException *m, lt_time now);
/* No approval; known already is fine. */
LT_MUST_USE lt_res ca_examiner_block(struct ca_examiner_state *s, const Ipc__KeyBlock *m);

/* Verified by the operators' files; known already is fine. */
LT_MUST_USE lt_res ca_examiner_passkey(struct ca_examiner_state *s, const struct ca_operators *operators,
                                       const Ipc__PasskeyAdd *m, lt_time now);
/* All of them, as long as the state lives. */
const struct ca_passkeys *ca_examiner_passkeys(const struct ca_examiner_state *s);

/* LT_RETRY_UNAVAILABLE: the list is older than 5 s, or from the future. */
LT_MUST_USE lt_res ca_examiner_fresh(const struct ca_examiner_state *s, lt_time now);
/* LT_POLICY_HALTED: one of the halts, the registrar's or our own, hits it. LT_RETRY_UNAVAILABLE: held by the
 * supervisor. */
LT_MUST_USE lt_res ca_examiner_halted(const struct ca_examiner_state *s,
                                      const struct ca_halt_subject *subject);
bool ca_examiner_blocked(const struct ca_examiner_state *s, lt_slice spki_sha256);
bool ca_examiner_excepted(const struct ca_examiner_state *s, const char *rule, const char *profile,
                          lt_time now);
size_t ca_examiner_halt_count(const struct ca_examiner_state *s);

#endif
