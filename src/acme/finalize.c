/* finalize (RFC 8555 7.4): the request must be for the order's names, with a key that is allowed and not the
 * account's own; what follows is ca/issue.h's, and its outcome comes back here. */
#include "acme/desk_private.h"
#include "ca/issue.h"
#include "ca/key_block.h"

/* NULL when the profile takes the key. The examiner judges it again. */
static Ipc__Problem *check_key(struct acme_call *c, const struct ca_profile *profile,
                               const Ipc__PublicKey *key)
{
    struct lt_arena *a = c->turn->arena;
    if (key == NULL || (unsigned)key->type > 31 || (profile->keys & (1u << key->type)) == 0) {
        return acme_problem(a, "badCSR", "The profile %s does not take this kind of key.", profile->name);
    }
    if (key->type == IPC__KEY_TYPE__KEY_RSA &&
        (key->bits < profile->rsa_min_bits || key->bits > profile->rsa_max_bits)) {
        return acme_problem(a, "badCSR", "An RSA key of %u bits; the profile %s takes %u to %u.", key->bits,
                            profile->name, profile->rsa_min_bits, profile->rsa_max_bits);
    }
    /*= RFC 8555 11.1 "it MUST verify that the public key in a CSR is not the same as the public key of the
     *= account key pair used to authenticate that request." */
    if (lt_slice_eq(acme_bytes(key->spki_sha256), LT_SLICE(c->account.spki_sha256, 32))) {
        return acme_problem(a, "badCSR", "The certificate's key is the account's key; use another.");
    }
    return NULL;
}

/*= RFC 8555 11.1 "ACME clients and servers MUST verify that a CSR submitted in a finalize request does not
 * contain a public key for any known account key pair." */
static lt_res check_accounts(struct acme_call *c, const Ipc__AcmeFinalize *f, Ipc__Problem **ret_problem)
{
    int64_t holder = 0;
    if (f->key_thumbprint.len == 32) {
        LT_TRY(acme_account_by_key(c->turn, acme_bytes(f->key_thumbprint), &holder));
    }
    if (holder != 0) {
        *ret_problem = acme_problem(c->turn->arena, "badCSR",
                                    "The certificate's key is an account's key; use another.");
    }
    return LT_OK;
}

/*= RFC 8555 7.4 "The CSR MUST indicate the exact same set of requested identifiers as the initial newOrder
 *= request." */
static lt_res check_names(struct acme_call *c, const struct acme_order *o, const Ipc__AcmeFinalize *f,
                          Ipc__Problem **ret_problem)
{
    struct acme_name_set asked;
    *ret_problem = NULL;
    LT_TRY(acme_name_set_of(c->turn->arena, f->names, f->n_names, &asked));
    if (!acme_name_set_eq(&asked, &o->names)) {
        *ret_problem = acme_problem(c->turn->arena, "badCSR",
                                    "The request names %zu identifiers that are not exactly the order's %zu.",
                                    asked.count, o->names.count);
    }
    return LT_OK;
}

lt_res acme_finalize_check(struct acme_call *c, const struct ca_profile *profile, const Ipc__AcmeFinalize *f,
                           Ipc__Problem **ret_problem)
{
    *ret_problem = check_key(c, profile, f->key);
    if (*ret_problem == NULL && f->must_staple) {
        *ret_problem = acme_problem(c->turn->arena, "badCSR",
                                    "OCSP must-staple is not offered: leave the extension out.");
    }
    return *ret_problem == NULL ? check_accounts(c, f, ret_problem) : LT_OK;
}

static lt_res check_request(struct acme_call *c, const struct acme_order *o, const Ipc__AcmeFinalize *f,
                            Ipc__Problem **ret_problem)
{
    struct lt_arena *a = c->turn->arena;
    *ret_problem = NULL;
    if (o->status != ACME_READY) {
        *ret_problem = acme_problem(a, "orderNotReady", "The order is %s, not ready.",
                                    acme_state_name(o->status));
        return LT_OK;
    }
    const struct ca_profile_row *row = ca_profile_by_name(c->turn->book, lt_slice_cstr(o->profile));
    if (row == NULL) {
        *ret_problem = acme_problem(a, "orderNotReady", "The profile %s is no longer in service.",
                                    o->profile);
        return LT_OK;
    }
    LT_TRY(acme_finalize_check(c, row->profile, f, ret_problem));
    return *ret_problem == NULL ? check_names(c, o, f, ret_problem) : LT_OK;
}

/* The order is the certificate's from here on: planned at once, or as soon as nothing is in its way. */
static lt_res take(struct acme_call *c, const struct acme_proofs *p, const Ipc__AcmeFinalize *f,
                   const char *rule)
{
    const struct acme_order *o = p->order;
    int64_t intent = 0;
    size_t asked = 0;
    enum acme_state to = ACME_STATE_NONE;
    struct lt_buf body;
    if (rule[0] == '\0') {
        LT_TRY(acme_caa_ask(c->desk, c->turn, p, &asked));
    }
    if (rule[0] == '\0' && asked == 0) {
        LT_TRY(acme_proofs_plan(c->desk, c->turn, p, f->key, &intent));
    } else {
        LT_TRY(acme_order_wait(c->turn, o, f->key, rule));
    }
    LT_TRY(acme_step(ACME_ORDER, o->status, ACME_FINALIZE, &to));
    LT_TRY(acme_step_exec(c->turn->store, ACME_SQL_ORDER_FINALIZED,
                          STORE_ARGS(STORE_I(o->id), intent != 0 ? STORE_I(intent) : STORE_N)));
    lt_buf_init(&body, ACME_EVENT_MAX);
    lt_buf_addf(&body, "{\"account\":%lld,\"intent\":%lld,\"caa_asked\":%zu,\"review\":\"%s\"}",
                (long long)c->account.id, (long long)intent, asked, rule);
    return acme_event(c->turn, "order.finalized", "order", o->id, &body, acme_bytes(c->m->jws));
}

static lt_res answer_order(struct acme_call *c, int64_t id)
{
    Ipc__AcmeReply reply = IPC__ACME_REPLY__INIT;
    struct acme_order o;
    LT_TRY(acme_order_load(c->turn, id, &o));
    LT_TRY(acme_order_body(c->turn, &o, &reply));
    reply.status = 200;
    return acme_answer(c, &reply);
}

lt_res acme_finalize(struct acme_call *c)
{
    const Ipc__AcmeFinalize *f = c->m->finalize;
    struct acme_order o;
    Ipc__Problem *p = NULL;
    LT_CHECK(f != NULL, LT_PEER_MALFORMED, "acme: finalize without its body");
    LT_TRY(acme_order_of_caller(c, f->order_id, &o));
    if (o.id == 0) {
        return LT_OK;
    }
    LT_TRY(check_request(c, &o, f, &p));
    if (p != NULL) {
        return acme_refuse(c, p);
    }
    LT_TRY(acme_public_check(c->desk, c->turn, o.profile, &p));
    if (p != NULL) {
        return acme_refuse(c, p);
    }
    struct acme_judgement j;
    LT_TRY(acme_policy_judge(c->desk, c->turn, &o, &j));
    if (j.problem != NULL) {
        return acme_refuse(c, j.problem);
    }
    struct acme_proofs proofs;
    lt_res r = acme_proofs_collect(c->turn, &o, c->turn->now, &proofs);
    if (r.code == LT_PEER_CONFLICT) {
        return acme_refuse_error(c, r, "orderNotReady");
    }
    LT_TRY(r);
    r = take(c, &proofs, f, j.rule);
    if (lt_failed(r)) {
        return acme_refuse_error(c, r, "badCSR");
    }
    return acme_hold(c, ACME_ORDER, o.id, ACME_HOLD_FINALIZE_MS) ? LT_OK : answer_order(c, o.id);
}

/* The words of a refusal that reach the client; what is not here is our own fault. */
static const struct {
    const char *refusal;
    const char *type;
} refusals[] = {
    {"lint", "badCSR"},         {"second-opinion", "badCSR"},      {"profile", "badCSR"},
    {"blocked-key", "badCSR"},  {"constraint", "badCSR"},          {"evidence", "unauthorized"},
    {"halt", "serverInternal"}, {"stale-halts", "serverInternal"},
};

static const char *refusal_type(const char *refusal)
{
    for (size_t i = 0; refusal != NULL && i < LT_COUNT(refusals); i++) {
        if (lt_slice_eq_cstr(lt_slice_cstr(refusal), refusals[i].refusal)) {
            return refusals[i].type;
        }
    }
    return "serverInternal";
}

/* The order is not being worked on: whatever became of it, the certificate stands in the book with its
 * intent, and the outcome is written down. */
static lt_res note_late(struct ca_turn *t, const struct ca_outcome *o)
{
    struct lt_buf body;
    lt_buf_init(&body, ACME_EVENT_MAX);
    lt_buf_addf(&body, "{\"intent\":%lld,\"issued\":%s}", (long long)o->intent, o->issued ? "true" : "false");
    return acme_event(t, "order.late-outcome", "order", o->order_id, &body, (lt_slice){0});
}

/* Evidence that the examiner does not accept is none for the next order either: it would be refused as well,
 * until the proofs run out. */
static lt_res take_refusal(struct acme_desk *d, struct ca_turn *t, const struct ca_outcome *o)
{
    struct acme_order order;
    LT_TRY(acme_order_load(t, o->order_id, &order));
    if (acme_edge_find(ACME_ORDER, order.status, ACME_REFUSE) == NULL) {
        return note_late(t, o);
    }
    Ipc__Problem *p = acme_problem(t->arena, refusal_type(o->refusal), "The certificate was refused: %s",
                                   o->detail == NULL ? "" : o->detail);
    LT_CHECK(p != NULL, LT_PEER_TOO_LARGE, "acme: the outcome is too large");
    LT_TRY(acme_order_step(t, order.id, order.status, ACME_REFUSE, p));
    bool evidence = o->refusal != NULL && lt_slice_eq_cstr(lt_slice_cstr(o->refusal), "evidence");
    return evidence ? acme_proofs_take_back(d, t, order.id, p->detail) : LT_OK;
}

/* The statement is the edge processing → valid; it says itself whether the order was there. */
static lt_res take_certificate(struct ca_turn *t, const struct ca_outcome *o)
{
    int64_t changed = 0;
    enum acme_state to = ACME_STATE_NONE;
    LT_TRY(acme_step(ACME_ORDER, ACME_PROCESSING, ACME_ISSUE, &to));
    LT_TRY(store_exec(t->store, &acme_sql[ACME_SQL_ORDER_ISSUED],
                      STORE_ARGS(STORE_I(o->order_id), STORE_I(o->issuer->id), STORE_B(o->serial)),
                      &changed));
    return changed == 1 ? LT_OK : note_late(t, o);
}

lt_res acme_desk_outcome(struct acme_desk *d, struct ca_turn *t, const struct ca_outcome *o)
{
    if (!lt_slice_eq_cstr(lt_slice_cstr(o->requester), "acme") || o->order_id == 0) {
        return LT_OK;
    }
    bool told = false;
    LT_TRY(o->issued ? take_certificate(t, o) : take_refusal(d, t, o));
    if (o->issued) {
        LT_TRY(acme_replaces_record(t, o, &told));
        LT_TRY(ca_ready_issued(t, o, told));
    }
    return acme_held_release(d, t, ACME_ORDER, o->order_id);
}
