/* The edges, and the page that is printed from them. */
#include "acme/states.h"

const struct acme_edge acme_edges[] = {
    /*= RFC 8555 7.1.6 "Account objects are created in the "valid" state, since no further action is required
     *= to create an account after a successful newAccount request." */
    {ACME_ACCOUNT, ACME_STATE_NONE, ACME_CREATE, ACME_VALID, "newAccount"},
    {ACME_ACCOUNT, ACME_VALID, ACME_DEACTIVATE, ACME_DEACTIVATED, "the client deactivates it"},
    {ACME_ACCOUNT, ACME_VALID, ACME_REVOKE, ACME_REVOKED, "the CA revokes it"},

    /*= RFC 8555 7.1.6 "Order objects are created in the "pending" state." */
    {ACME_ORDER, ACME_STATE_NONE, ACME_CREATE, ACME_PENDING, "newOrder"},
    {ACME_ORDER, ACME_STATE_NONE, ACME_CREATE_PROVEN, ACME_READY, "newOrder, every name proven not long ago"},
    {ACME_ORDER, ACME_PENDING, ACME_PROVE, ACME_READY, "its last authorization became valid"},
    {ACME_ORDER, ACME_PENDING, ACME_FAIL, ACME_INVALID, "one of its authorizations failed or was given up"},
    {ACME_ORDER, ACME_PENDING, ACME_EXPIRE, ACME_INVALID, "its time is up"},
    {ACME_ORDER, ACME_READY, ACME_FINALIZE, ACME_PROCESSING, "a certificate request that fits it"},
    {ACME_ORDER, ACME_READY, ACME_FAIL, ACME_INVALID, "one of its authorizations was given up"},
    {ACME_ORDER, ACME_READY, ACME_EXPIRE, ACME_INVALID, "its time is up"},
    {ACME_ORDER, ACME_PROCESSING, ACME_ISSUE, ACME_VALID, "the certificate is in the book"},
    {ACME_ORDER, ACME_PROCESSING, ACME_REFUSE, ACME_INVALID,
     "CAA, the policy of names or the examiner refused it"},

    {ACME_AUTHORIZATION, ACME_STATE_NONE, ACME_CREATE, ACME_PENDING, "newOrder, for a name to be proven"},
    {ACME_AUTHORIZATION, ACME_PENDING, ACME_PROVE, ACME_VALID, "a challenge was met"},
    {ACME_AUTHORIZATION, ACME_PENDING, ACME_FAIL, ACME_INVALID, "a challenge was not met"},
    {ACME_AUTHORIZATION, ACME_PENDING, ACME_DEACTIVATE, ACME_DEACTIVATED, "the client gives it up"},
    {ACME_AUTHORIZATION, ACME_PENDING, ACME_EXPIRE, ACME_EXPIRED, "its time is up"},
    {ACME_AUTHORIZATION, ACME_VALID, ACME_DEACTIVATE, ACME_DEACTIVATED, "the client gives it up"},
    {ACME_AUTHORIZATION, ACME_VALID, ACME_EXPIRE, ACME_EXPIRED, "its time is up"},
    {ACME_AUTHORIZATION, ACME_VALID, ACME_REVOKE, ACME_REVOKED, "the CA takes it back"},

    {ACME_CHALLENGE, ACME_STATE_NONE, ACME_CREATE, ACME_PENDING, "made with its authorization"},
    {ACME_CHALLENGE, ACME_PENDING, ACME_REPLY, ACME_PROCESSING,
     "the client says that its answer is in place"},
    {ACME_CHALLENGE, ACME_PROCESSING, ACME_RETRY, ACME_PROCESSING,
     "asked again; the validator had restarted"},
    {ACME_CHALLENGE, ACME_PROCESSING, ACME_PROVE, ACME_VALID, "the validator saw the right answer"},
    {ACME_CHALLENGE, ACME_PROCESSING, ACME_FAIL, ACME_INVALID, "the validator saw anything else"},
    {ACME_CHALLENGE, ACME_PROCESSING, ACME_MISS, ACME_PENDING,
     "of a method by hand: it saw anything else, and a person mends that and asks again"},
};
const size_t acme_edge_count = LT_COUNT(acme_edges);

static const char *const state_names[ACME_STATE_COUNT] = {
    [ACME_STATE_NONE] = "",
    [ACME_PENDING] = "pending",
    [ACME_PROCESSING] = "processing",
    [ACME_READY] = "ready",
    [ACME_VALID] = "valid",
    [ACME_INVALID] = "invalid",
    [ACME_DEACTIVATED] = "deactivated",
    [ACME_EXPIRED] = "expired",
    [ACME_REVOKED] = "revoked",
};

static const char *const object_names[ACME_OBJECT_COUNT] = {
    [ACME_ACCOUNT] = "account",
    [ACME_ORDER] = "order",
    [ACME_AUTHORIZATION] = "authorization",
    [ACME_CHALLENGE] = "challenge",
};

static const char *const step_names[ACME_STEP_COUNT] = {
    [ACME_CREATE] = "create",
    [ACME_CREATE_PROVEN] = "create-proven",
    [ACME_REPLY] = "reply",
    [ACME_RETRY] = "retry",
    [ACME_PROVE] = "prove",
    [ACME_FAIL] = "fail",
    [ACME_FINALIZE] = "finalize",
    [ACME_ISSUE] = "issue",
    [ACME_REFUSE] = "refuse",
    [ACME_EXPIRE] = "expire",
    [ACME_DEACTIVATE] = "deactivate",
    [ACME_REVOKE] = "revoke",
    [ACME_MISS] = "miss",
};

const struct acme_edge *acme_edge_find(enum acme_object object, enum acme_state from, enum acme_step step)
{
    for (size_t i = 0; i < LT_COUNT(acme_edges); i++) {
        const struct acme_edge *e = &acme_edges[i];
        if (e->object == object && e->from == from && e->step == step) {
            return e;
        }
    }
    return NULL;
}

lt_res acme_step(enum acme_object object, enum acme_state from, enum acme_step step, enum acme_state *ret_to)
{
    const struct acme_edge *e = acme_edge_find(object, from, step);
    LT_CHECK(e != NULL, LT_STATE_CORRUPT, "acme: %s in state \"%s\" cannot take the step \"%s\"",
             acme_object_name(object), acme_state_name(from), acme_step_name(step));
    *ret_to = e->to;
    return LT_OK;
}

const char *acme_state_name(enum acme_state state)
{
    return (unsigned)state < ACME_STATE_COUNT ? state_names[state] : "";
}

lt_res acme_state_read(lt_slice name, enum acme_state *ret_state)
{
    for (size_t i = 1; i < ACME_STATE_COUNT; i++) {
        if (lt_slice_eq_cstr(name, state_names[i])) {
            *ret_state = (enum acme_state)i;
            return LT_OK;
        }
    }
    LT_FAIL(LT_STATE_CORRUPT, "acme: \"%.*s\" is no status", LT_FMT(name));
}

const char *acme_object_name(enum acme_object object)
{
    return (unsigned)object < ACME_OBJECT_COUNT ? object_names[object] : "";
}

const char *acme_step_name(enum acme_step step)
{
    return (unsigned)step < ACME_STEP_COUNT ? step_names[step] : "";
}

void acme_states_print(struct lt_buf *out)
{
    lt_buf_add_cstr(out, "# States of ACME objects\n\nPrinted from the edge table in `src/acme/states.c` by "
                         "`test_acme_states --print`; the same program compares the two.\n");
    for (size_t o = 0; o < ACME_OBJECT_COUNT; o++) {
        lt_buf_addf(out, "\n## %s\n\n```mermaid\nstateDiagram-v2\n", object_names[o]);
        for (size_t i = 0; i < LT_COUNT(acme_edges); i++) {
            const struct acme_edge *e = &acme_edges[i];
            if (e->object == (enum acme_object)o) {
                const char *from = e->from == ACME_STATE_NONE ? "[*]" : state_names[e->from];
                lt_buf_addf(out, "    %s --> %s: %s (%s)\n", from, state_names[e->to], step_names[e->step],
                            e->when);
            }
        }
        lt_buf_add_cstr(out, "```\n");
    }
}
