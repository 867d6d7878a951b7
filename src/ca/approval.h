#ifndef CA_APPROVAL_H
#define CA_APPROVAL_H
/* What an approver signs, and whether the signatures suffice (design 2.5). The same text is built by the CLI
 * that signs, the registrar that counts, and the examiner that believes nobody:
 *
 *   lintel-approval-v1
 *   plan=ID
 *   action=halt.lift
 *   scope-sha256=HEX
 *   count=N
 *   parameters={canonical JSON: sorted keys, no blanks}
 *   expires=2026-11-22T00:00:00Z
 *   proposer=NAME
 *
 * each line ended by LF. A signature is over these bytes with the operator's key, in the form that JWS gives
 * it (EdDSA: 64 bytes, ES256: R ‖ S, RS256: PKCS#1); or it is a passkey's answer to their SHA-256
 * (ca/passkey.h).
 *
 * Refuses: values with line ends or control characters, expired statements, approvals by operators unknown,
 * without the role approver, doubled, or (where the policy wants two people) by the proposer.
 */
#include "base/buf.h"
#include "base/clock.h"
#include "ca/operator.h"
#include "common.pb-c.h"

LT_MUST_USE lt_res ca_approval_statement(const Ipc__PlanStatement *p, struct lt_buf *out);

struct ca_approval_policy {
    uint32_t needed;      /* valid approvals by different operators */
    bool proposer_counts; /* may the proposer be one of them? */
};
/* The policy for an action when `needed` approvals are configured; part of the program, so that registrar
 * and examiner agree. */
struct ca_approval_policy ca_approval_policy_of(const char *action, uint32_t needed);

/* One signature. LT_POLICY_APPROVAL with the reason. */
LT_MUST_USE lt_res ca_approval_verify(const struct ca_operators *operators, const Ipc__PlanStatement *p,
                                      const Ipc__Approval *approval, lt_time now);
/* Enough of them: every one must verify. */
LT_MUST_USE lt_res ca_approvals_suffice(const struct ca_operators *operators, const Ipc__PlanStatement *p,
                                        Ipc__Approval *const *approvals, size_t count,
                                        const struct ca_approval_policy *policy, lt_time now);

#endif
