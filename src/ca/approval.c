/* The statement that approvers sign, and the judgement over a set of signatures. */
#include "ca/approval.h"

#include <string.h>

#include "base/text.h"
#include "ca/passkey.h"
#include "crypto/pub.h"

enum { STATEMENT_MAX = 70000, SCOPE_LEN = 32, CLOCK_SLACK_S = 120 };

/* A value that could end its line, or hide behind control characters, would let one text mean two things. */
static lt_res add_line(struct lt_buf *out, const char *key, lt_slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        LT_CHECK(value.ptr[i] >= 0x20 && value.ptr[i] != 0x7f, LT_PEER_MALFORMED,
                 "%s: a control character in a plan", key);
    }
    lt_buf_add_cstr(out, key);
    lt_buf_add_byte(out, '=');
    lt_buf_add(out, value);
    lt_buf_add_byte(out, '\n');
    return LT_OK;
}

static lt_slice text_of(const char *s)
{
    return lt_slice_cstr(s);
}

lt_res ca_approval_statement(const Ipc__PlanStatement *p, struct lt_buf *out)
{
    LT_CHECK(p != NULL && p->plan_id != NULL && p->plan_id[0] != 0 && p->action[0] != 0, LT_PEER_MALFORMED,
             "a plan has an id and an action");
    LT_CHECK(p->scope_sha256.len == SCOPE_LEN, LT_PEER_MALFORMED, "a plan's scope is a SHA-256");
    lt_buf_add_cstr(out, "lintel-approval-v1\n");
    LT_TRY(add_line(out, "plan", text_of(p->plan_id)));
    LT_TRY(add_line(out, "action", text_of(p->action)));
    lt_buf_add_cstr(out, "scope-sha256=");
    lt_hex_add(out, LT_SLICE(p->scope_sha256.data, p->scope_sha256.len));
    lt_buf_addf(out, "\ncount=%llu\n", (unsigned long long)p->count);
    LT_TRY(add_line(out, "parameters", text_of(p->parameters)));
    char expires[LT_RFC3339_SIZE];
    lt_time_rfc3339((lt_time){p->expires_us}, expires);
    lt_buf_addf(out, "expires=%s\n", expires);
    LT_TRY(add_line(out, "proposer", text_of(p->proposer)));
    return lt_buf_check(out);
}

/* Actions that undo a protection want two people; the rest as many as are configured. An order on the list of
 * risks wants one person who has looked at it, and that may be who proposes: nothing is undone by it. */
static const struct {
    const char *action;
    uint32_t least;
    uint32_t most; /* whatever is configured */
    bool proposer_counts;
} policies[] = {
    {"halt.lift", 2, UINT32_MAX, false},
    {"key-block.remove", 2, UINT32_MAX, false},
    {"lint.exception", 2, UINT32_MAX, false},
    {"profile.change", 2, UINT32_MAX, false},
    {"restore", 2, UINT32_MAX, false},
    {"ca.sign", 2, UINT32_MAX, false},
    {"mass.revoke", 1, UINT32_MAX, false}, /* a second person, whatever is configured */
    {"order.release", 1, 1, true},
};

struct ca_approval_policy ca_approval_policy_of(const char *action, uint32_t needed)
{
    struct ca_approval_policy policy = {.needed = needed > 0 ? needed : 1};
    for (size_t i = 0; i < LT_COUNT(policies); i++) {
        if (strcmp(policies[i].action, action) == 0) {
            policy.needed = policy.needed > policies[i].least ? policy.needed : policies[i].least;
            policy.needed = policy.needed < policies[i].most ? policy.needed : policies[i].most;
            policy.proposer_counts = policies[i].proposer_counts;
        }
    }
    return policy;
}

static lt_res verify_passkey(const struct ca_operators *all, const struct ca_operator *o, lt_slice statement,
                             const Ipc__PasskeyAssertion *answer)
{
    lt_slice id = LT_SLICE(answer->credential_id.data, answer->credential_id.len);
    const struct ca_passkey *k = ca_passkeys_find(all->passkeys, id);
    uint32_t sign_count = 0;
    LT_CHECK(k != NULL && (ca_passkey_is_of(k, o) || (all->past && strcmp(k->operator_, o->name) == 0)),
             LT_POLICY_APPROVAL, "that is no passkey of %s", o->name);
    return ca_passkey_verify(k, statement, all->origins, answer, &sign_count);
}

static lt_res verify_signature(const struct ca_operator *o, lt_slice statement, lt_slice signature)
{
    LT_CLEANUP(crypto_pub_freep) struct crypto_pub *pub = NULL;
    LT_TRY(crypto_pub_new(o->spki, &pub));
    enum crypto_sig_alg alg = crypto_alg_by_name(lt_slice_cstr(o->alg));
    lt_res r = crypto_pub_verify_jose(pub, alg, statement, signature);
    LT_CHECK(!lt_failed(r), LT_POLICY_APPROVAL, "the signature of %s is not over this plan", o->name);
    return LT_OK;
}

lt_res ca_approval_verify(const struct ca_operators *operators, const Ipc__PlanStatement *p,
                          const Ipc__Approval *approval, lt_time now)
{
    LT_CHECK(now.us < p->expires_us, LT_POLICY_APPROVAL, "plan %s has expired: propose it anew", p->plan_id);
    LT_CHECK(approval->signed_us <= lt_time_add_seconds(now, CLOCK_SLACK_S).us, LT_POLICY_APPROVAL,
             "the approval of %s is dated in the future", approval->operator_);
    const struct ca_operator *o = ca_operator_by_name(operators, lt_slice_cstr(approval->operator_));
    LT_CHECK(o != NULL, LT_POLICY_APPROVAL, "there is no operator %s", approval->operator_);
    LT_CHECK((o->roles & CA_ROLE_APPROVER) != 0, LT_POLICY_APPROVAL, "%s is no approver", o->name);
    struct lt_buf statement;
    lt_buf_init(&statement, STATEMENT_MAX);
    lt_res r = ca_approval_statement(p, &statement);
    if (!lt_failed(r) && approval->passkey != NULL) {
        r = verify_passkey(operators, o, lt_buf_slice(&statement), approval->passkey);
    } else if (!lt_failed(r)) {
        r = verify_signature(o, lt_buf_slice(&statement),
                             LT_SLICE(approval->signature.data, approval->signature.len));
    }
    lt_buf_done(&statement);
    return r;
}

lt_res ca_approvals_suffice(const struct ca_operators *operators, const Ipc__PlanStatement *p,
                            Ipc__Approval *const *approvals, size_t count,
                            const struct ca_approval_policy *policy, lt_time now)
{
    LT_CHECK(count <= CA_OPERATORS_MAX, LT_POLICY_APPROVAL, "more approvals than there can be operators");
    uint32_t good = 0;
    for (size_t i = 0; i < count; i++) {
        LT_TRY(ca_approval_verify(operators, p, approvals[i], now));
        for (size_t j = 0; j < i; j++) {
            LT_CHECK(strcmp(approvals[i]->operator_, approvals[j]->operator_) != 0, LT_POLICY_APPROVAL,
                     "%s has approved twice", approvals[i]->operator_);
        }
        bool counts = policy->proposer_counts || strcmp(approvals[i]->operator_, p->proposer) != 0;
        good += counts ? 1 : 0;
    }
    LT_CHECK(good >= policy->needed, LT_POLICY_APPROVAL,
             "%u of %u approvals by people other than the proposer", good, policy->needed);
    return LT_OK;
}
