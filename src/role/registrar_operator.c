/* What operators ask: who may what is a table; the notary has verified the signature with the key that this
 * file named. */
#include <string.h>

#include "acme.pb-c.h"
#include "acme/contact.h"
#include "acme/enroll.h"
#include "ca/body.h"
#include "ca/eab.h"
#include "ca/event.h"
#include "ca/halt.h"
#include "ca/hold.h"
#include "ca/import_book.h"
#include "ca/key_block.h"
#include "ca/lint_book.h"
#include "ca/mass.h"
#include "ca/plan.h"
#include "ca/ready.h"
#include "ca/revoke.h"
#include "ca/scope_book.h"
#include "ca/session.h"
#include "ca/usage.h"
#include "incident/op.h"
#include "operator.pb-c.h"
#include "role/registrar.h"

struct call {
    struct registrar *g;
    struct ca_turn *t;
    struct ipc_addr from;
    const Ipc__OperatorCall *m;
    const struct ca_operator *by;
    const char *json;      /* of the answer; NULL: it follows later */
    Ipc__Problem *problem; /* the same: what the desk refused */
};

static lt_slice bytes(ProtobufCBinaryData b)
{
    return LT_SLICE(b.data, b.len);
}

static void fill_problem(struct ca_turn *t, lt_res r, Ipc__Problem *p);

/* A court protects exactly the named certificate; its key, and the others of it, are another matter. */
static lt_res held(struct call *c, const struct ca_revoke_request *r, lt_res refused)
{
    Ipc__Problem *p = LT_NEW(c->t->arena, Ipc__Problem);
    LT_ASSERT(p != NULL);
    ipc__problem__init(p);
    fill_problem(c->t, refused, p);
    p->detail = lt_arena_printf(
        c->t->arena, "%s. Its key is blocked, and the key's other certificates follow (lintel mass list)",
        p->detail);
    LT_ASSERT(p->detail != NULL);
    LT_TRY(ca_revoke_key_of_held(c->t, r));
    c->problem = p;
    return LT_OK;
}

static lt_res op_revoke(struct call *c)
{
    const struct ca_issuer *issuer = ca_issuer_by_name(c->t->book, lt_slice_cstr(c->m->issuer));
    LT_CHECK(issuer != NULL, LT_PEER_NOT_FOUND, "there is no issuer \"%s\"", c->m->issuer);
    char *whom = lt_arena_printf(c->t->arena, "operator %s", c->by->name);
    LT_ASSERT(whom != NULL);
    const Ipc__MassWanted *why = c->m->mass;
    const struct ca_revoke_request r = {
        .why = why == NULL ? (struct ca_why){.cause = NULL}
                           : (struct ca_why){why->cause, why->aware_us, why->late_because},
        .dated_us = why == NULL ? 0 : why->revoked_us,
        .issuer = issuer->id,
        .serial = bytes(c->m->serial),
        .reason = c->m->reason,
        .by_whom = whom,
        .jws = bytes(c->m->jws),
        .origin = CA_REVOKE_BY_OPERATOR,
        .reply_to = c->from,
    };
    lt_res may = ca_hold_check(c->t, issuer->id, bytes(c->m->serial));
    if (may.code == LT_POLICY_REFUSED && r.reason == CA_REASON_KEY_COMPROMISE) {
        return held(c, &r, may);
    }
    LT_TRY(may);
    return ca_revoke_begin(c->t, &r);
}

static lt_res op_halt_add(struct call *c)
{
    LT_CHECK(c->m->halt != NULL, LT_PEER_MALFORMED, "a halt is wanted");
    Ipc__Halt h = *c->m->halt;
    h.operator_ = lt_arena_cstr(c->t->arena, lt_slice_cstr(c->by->name));
    LT_ASSERT(h.operator_ != NULL);
    const char *id = NULL;
    LT_TRY(ca_halt_known(c->t, &h));
    LT_TRY(ca_halt_add(c->t, &h, bytes(c->m->jws), &id));
    struct ca_body b;
    ca_body_init(&b);
    ca_body_str(&b, "id", id);
    ca_body_str(&b, "kind", ca_halt_kind_name(h.kind));
    ca_body_str(&b, "value", h.value);
    ca_body_str(&b, "reason", h.reason);
    ca_body_str(&b, "operator", h.operator_);
    ca_body_time(&b, "since", c->t->now);
    return ca_body_cstr(&b, c->t->arena, &c->json);
}

static struct ca_plan_asker asker(const struct call *c)
{
    return (struct ca_plan_asker){c->by->name, bytes(c->m->jws), c->from};
}

static lt_res op_plan_create(struct call *c)
{
    LT_CHECK(c->m->plan != NULL, LT_PEER_MALFORMED, "a plan is wanted");
    struct ca_plan_asker by = asker(c);
    return ca_plan_create(c->t, &by, c->m->plan, &c->json);
}

static lt_res op_plan_approve(struct call *c)
{
    LT_CHECK(c->m->approval != NULL, LT_PEER_MALFORMED, "an approval is wanted");
    struct ca_plan_asker by = asker(c);
    Ipc__Approval a = *c->m->approval;
    a.operator_ = lt_arena_cstr(c->t->arena, lt_slice_cstr(c->by->name));
    LT_ASSERT(a.operator_ != NULL);
    return ca_plan_approve(c->t, &by, c->m->plan_id, &a, &c->json);
}

static lt_res op_plan_run(struct call *c)
{
    struct ca_plan_asker by = asker(c);
    return ca_plan_run(c->t, &by, c->m->plan_id, &c->json);
}

static lt_res op_key_block(struct call *c)
{
    char *source = lt_arena_printf(c->t->arena, "operator %s", c->by->name);
    LT_ASSERT(source != NULL);
    const char *reason = c->m->text[0] != 0 ? c->m->text : "blocked by an operator";
    LT_TRY(ca_key_block_add(c->t, bytes(c->m->key_sha256), reason, source));
    struct ca_body b;
    ca_body_init(&b);
    ca_body_hex(&b, "spki_sha256", bytes(c->m->key_sha256));
    ca_body_str(&b, "reason", reason);
    return ca_body_cstr(&b, c->t->arena, &c->json);
}

static lt_res op_lint_record(struct call *c)
{
    LT_CHECK(c->m->lint != NULL, LT_PEER_MALFORMED, "findings are wanted");
    const struct ca_lint_look look = {c->by->name, bytes(c->m->jws), c->m->lint};
    return ca_lint_record(c->t, &look, &c->json);
}

static lt_res op_scope_save(struct call *c)
{
    LT_CHECK(c->m->scope != NULL, LT_PEER_MALFORMED, "a scope is wanted");
    return ca_scope_save(c->t, c->m->scope, c->by->name, bytes(c->m->jws), &c->json);
}

static lt_res op_session_leave(struct call *c)
{
    LT_CHECK(c->m->session[0] != 0, LT_PEER_MALFORMED, "an operator's own key has no session to leave");
    return ca_session_end(c->t, c->m->session, c->by->name, bytes(c->m->jws), &c->json);
}

static lt_res op_session_end(struct call *c)
{
    return ca_session_end(c->t, c->m->name, c->by->name, bytes(c->m->jws), &c->json);
}

static lt_res op_eab_create(struct call *c)
{
    LT_CHECK(c->m->eab != NULL, LT_PEER_MALFORMED, "an external account key is wanted");
    return ca_eab_create(c->t, c->m->eab, c->by->name, bytes(c->m->jws), &c->json);
}

static lt_res op_eab_revoke(struct call *c)
{
    return ca_eab_revoke(c->t, c->m->name, c->by->name, bytes(c->m->jws), &c->json);
}

static struct acme_enroll_by enroller(const struct call *c)
{
    return (struct acme_enroll_by){c->by->name, bytes(c->m->jws)};
}

static lt_res op_enroll_request(struct call *c)
{
    struct acme_enroll_by by = enroller(c);
    LT_CHECK(c->m->enroll != NULL, LT_PEER_MALFORMED, "an enrolment is wanted");
    return acme_enroll_request(c->g->desk, c->t, &by, c->m->enroll, &c->json, &c->problem);
}

static lt_res op_enroll_check(struct call *c)
{
    struct acme_enroll_by by = enroller(c);
    LT_CHECK(c->m->enroll_step != NULL, LT_PEER_MALFORMED, "which enrolment?");
    return acme_enroll_check(c->g->desk, c->t, &by, c->m->enroll_step, &c->json, &c->problem);
}

static lt_res op_enroll_issue(struct call *c)
{
    struct acme_enroll_by by = enroller(c);
    LT_CHECK(c->m->enroll_step != NULL, LT_PEER_MALFORMED, "which enrolment?");
    return acme_enroll_issue(c->g->desk, c->t, &by, c->m->enroll_step, &c->json, &c->problem);
}

static lt_res op_enroll_cancel(struct call *c)
{
    struct acme_enroll_by by = enroller(c);
    LT_CHECK(c->m->enroll_step != NULL, LT_PEER_MALFORMED, "which enrolment?");
    return acme_enroll_cancel(c->g->desk, c->t, &by, c->m->enroll_step, &c->json, &c->problem);
}

static lt_res op_pause_resume(struct call *c)
{
    char *by = lt_arena_printf(c->t->arena, "operator %s", c->by->name);
    LT_ASSERT(by != NULL);
    const struct acme_resume_request q = {
        .account = c->m->account_id, .name = c->m->name, .by = by, .jws = bytes(c->m->jws)};
    return acme_pause_resume(c->t, &q, &c->json);
}

typedef lt_res mass_act(struct ca_turn *t, const struct ca_plan_asker *by, const Ipc__MassWanted *m,
                        const char **ret_json);

static lt_res act_mass(struct call *c, mass_act *act)
{
    struct ca_plan_asker by = asker(c);
    LT_CHECK(c->m->mass != NULL, LT_PEER_MALFORMED, "which mass revocation?");
    return act(c->t, &by, c->m->mass, &c->json);
}

static lt_res act_usage(struct call *c, lt_res (*act)(struct ca_turn *t, const struct ca_plan_asker *by,
                                                      const Ipc__UsageWanted *m, const char **ret_json))
{
    struct ca_plan_asker by = asker(c);
    LT_CHECK(c->m->usage != NULL, LT_PEER_MALFORMED, "which scan?");
    return act(c->t, &by, c->m->usage, &c->json);
}

static lt_res op_usage_scan(struct call *c)
{
    return act_usage(c, ca_usage_create);
}

static lt_res op_usage_pause(struct call *c)
{
    return act_usage(c, ca_usage_pause);
}

static lt_res op_usage_resume(struct call *c)
{
    return act_usage(c, ca_usage_resume);
}

static lt_res op_usage_stop(struct call *c)
{
    return act_usage(c, ca_usage_stop);
}

static lt_res op_mass_create(struct call *c)
{
    return act_mass(c, ca_mass_create);
}

static lt_res op_mass_start(struct call *c)
{
    return act_mass(c, ca_mass_start);
}

static lt_res op_mass_pause(struct call *c)
{
    return act_mass(c, ca_mass_pause);
}

static lt_res op_mass_resume(struct call *c)
{
    return act_mass(c, ca_mass_resume);
}

static lt_res op_mass_stop(struct call *c)
{
    return act_mass(c, ca_mass_stop);
}

static lt_res op_hold_add(struct call *c)
{
    const struct ca_hold_asker by = {c->by->name, bytes(c->m->jws)};
    LT_CHECK(c->m->hold != NULL, LT_PEER_MALFORMED, "a hold is wanted");
    return ca_hold_add(c->t, &by, c->m->hold, &c->json);
}

static lt_res op_hold_lift(struct call *c)
{
    const struct ca_hold_asker by = {c->by->name, bytes(c->m->jws)};
    LT_CHECK(c->m->hold != NULL, LT_PEER_MALFORMED, "which hold?");
    return ca_hold_lift(c->t, &by, c->m->hold, &c->json);
}

static lt_res op_import_begin(struct call *c)
{
    const struct ca_import_asker by = {c->by->name, bytes(c->m->jws)};
    LT_CHECK(c->m->import_ != NULL, LT_PEER_MALFORMED, "an import is wanted");
    return ca_import_begin(c->t, &by, c->m->import_, &c->json);
}

static lt_res op_import_add(struct call *c)
{
    const struct ca_import_asker by = {c->by->name, bytes(c->m->jws)};
    LT_CHECK(c->m->import_ != NULL, LT_PEER_MALFORMED, "certificates are wanted");
    return ca_import_add(c->t, &by, c->m->import_, &c->json);
}

static lt_res op_import_issuer(struct call *c)
{
    const struct ca_import_asker by = {c->by->name, bytes(c->m->jws)};
    LT_CHECK(c->m->import_issuer != NULL, LT_PEER_MALFORMED, "an issuer is wanted");
    return ca_import_issuer_add(c->t, &by, c->m->import_issuer, &c->json);
}

static lt_res act_ready(struct call *c, ca_ready_op *act)
{
    const struct ca_ready_asker by = {c->by->name, bytes(c->m->jws)};
    LT_CHECK(c->m->ready != NULL, LT_PEER_MALFORMED, "whose readiness?");
    return act(c->t, &by, c->m->ready, &c->json);
}

#define READY_OP(name_, act_)           \
    static lt_res name_(struct call *c) \
    {                                   \
        return act_ready(c, act_);      \
    }
READY_OP(op_ready_set, ca_ready_set)
READY_OP(op_ready_contact, ca_ready_contact)
READY_OP(op_holdout_add, ca_ready_holdout_add)
READY_OP(op_holdout_lift, ca_ready_holdout_lift)
READY_OP(op_ready_call, ca_ready_call)
READY_OP(op_ready_link, ca_ready_link)

static lt_res op_ready_write(struct call *c)
{
    const struct ca_ready_asker by = {c->by->name, bytes(c->m->jws)};
    LT_CHECK(c->m->ready != NULL, LT_PEER_MALFORMED, "whose contacts?");
    return acme_contact_write(c->g->desk, c->t, &by, c->m->ready, &c->json);
}

static const struct {
    const char *op;
    unsigned roles; /* one of them is needed */
    lt_res (*run)(struct call *c);
} ops[] = {
    {"revoke", CA_ROLE_OPERATOR, op_revoke},
    {"halt.add", CA_ROLE_OPERATOR | CA_ROLE_APPROVER, op_halt_add},
    {"plan.create", CA_ROLE_OPERATOR, op_plan_create},
    {"plan.approve", CA_ROLE_APPROVER, op_plan_approve},
    {"plan.run", CA_ROLE_OPERATOR | CA_ROLE_APPROVER, op_plan_run},
    {"key-block.add", CA_ROLE_OPERATOR, op_key_block},
    {"session.leave", CA_ROLE_VIEWER | CA_ROLE_OPERATOR | CA_ROLE_APPROVER | CA_ROLE_AUDITOR,
     op_session_leave},
    {"session.end", CA_ROLE_OPERATOR, op_session_end},
    {"eab.create", CA_ROLE_OPERATOR, op_eab_create},
    {"eab.revoke", CA_ROLE_OPERATOR, op_eab_revoke},
    {"pause.resume", CA_ROLE_OPERATOR, op_pause_resume},
    {"enroll.request", CA_ROLE_OPERATOR, op_enroll_request},
    {"enroll.check", CA_ROLE_OPERATOR, op_enroll_check},
    {"enroll.issue", CA_ROLE_OPERATOR, op_enroll_issue},
    {"enroll.cancel", CA_ROLE_OPERATOR, op_enroll_cancel},
    {"scope.save", CA_ROLE_OPERATOR | CA_ROLE_AUDITOR, op_scope_save},
    {"lint.record", CA_ROLE_OPERATOR | CA_ROLE_AUDITOR, op_lint_record},
    {"mass.create", CA_ROLE_OPERATOR, op_mass_create},
    {"mass.start", CA_ROLE_OPERATOR, op_mass_start},
    {"mass.pause", CA_ROLE_OPERATOR | CA_ROLE_APPROVER, op_mass_pause},
    {"mass.resume", CA_ROLE_OPERATOR, op_mass_resume},
    {"mass.stop", CA_ROLE_OPERATOR | CA_ROLE_APPROVER, op_mass_stop},
    {"hold.add", CA_ROLE_OPERATOR, op_hold_add},
    {"hold.lift", CA_ROLE_APPROVER, op_hold_lift},
    {"readiness.set", CA_ROLE_OPERATOR, op_ready_set},
    {"readiness.contact", CA_ROLE_OPERATOR, op_ready_contact},
    {"readiness.write", CA_ROLE_OPERATOR, op_ready_write},
    {"readiness.call", CA_ROLE_OPERATOR, op_ready_call},
    {"readiness.link", CA_ROLE_OPERATOR, op_ready_link},
    {"holdout.add", CA_ROLE_OPERATOR, op_holdout_add},
    {"holdout.lift", CA_ROLE_OPERATOR, op_holdout_lift},
    {"usage.scan", CA_ROLE_OPERATOR, op_usage_scan},
    {"usage.pause", CA_ROLE_OPERATOR, op_usage_pause},
    {"usage.resume", CA_ROLE_OPERATOR, op_usage_resume},
    {"usage.stop", CA_ROLE_OPERATOR, op_usage_stop},
    {"import.begin", CA_ROLE_OPERATOR, op_import_begin},
    {"import.add", CA_ROLE_OPERATOR, op_import_add},
    {"import.issuer", CA_ROLE_OPERATOR, op_import_issuer},
};

/* What a failure is in HTTP. */
static const struct {
    int code;
    uint32_t status;
    const char *type; /* NULL: the code's own name */
} statuses[] = {
    {LT_PEER_MALFORMED, 400, NULL},   {LT_PEER_USAGE, 400, "malformed"},    {LT_PEER_TOO_LARGE, 413, NULL},
    {LT_PEER_UNSUPPORTED, 400, NULL}, {LT_PEER_UNAUTHORIZED, 403, NULL},    {LT_PEER_NOT_FOUND, 404, NULL},
    {LT_PEER_CONFLICT, 409, NULL},    {LT_PEER_BAD_NONCE, 400, "badNonce"}, {LT_POLICY_APPROVAL, 403, NULL},
    {LT_POLICY_REFUSED, 403, NULL},   {LT_RETRY_BUSY, 503, NULL},           {LT_RETRY_UNAVAILABLE, 503, NULL},
    {LT_RETRY_TIMEOUT, 503, NULL},
};

static void fill_problem(struct ca_turn *t, lt_res r, Ipc__Problem *p)
{
    enum { RETRY_AFTER_S = 2 };
    const char *type = lt_code_name(r.code);
    p->status = 500;
    for (size_t i = 0; i < LT_COUNT(statuses); i++) {
        if (statuses[i].code == r.code) {
            p->status = statuses[i].status;
            type = statuses[i].type != NULL ? statuses[i].type : type;
        }
    }
    p->retry_after_s = p->status == 503 ? RETRY_AFTER_S : 0;
    p->type = lt_arena_cstr(t->arena, lt_slice_cstr(type));
    p->detail = lt_arena_cstr(t->arena, lt_slice_cstr(lt_error_last()->detail));
    LT_ASSERT(p->type != NULL && p->detail != NULL);
}

lt_res registrar_operator_reply(struct registrar *g, struct ca_turn *t, const struct ipc_addr *to, lt_res r,
                                const char *json)
{
    char nonce[ACME_NONCE_SIZE];
    Ipc__Problem p = IPC__PROBLEM__INIT;
    Ipc__OperatorReply reply = IPC__OPERATOR_REPLY__INIT;
    reply.status = 200;
    if (lt_failed(r)) {
        fill_problem(t, r, &p);
        reply.problem = &p;
        reply.status = p.status;
    }
    acme_desk_nonce(g->desk, nonce);
    reply.nonce = nonce;
    if (json != NULL) {
        reply.json = lt_arena_cstr(t->arena, lt_slice_cstr(json));
        LT_CHECK(reply.json != NULL, LT_PEER_TOO_LARGE, "an answer is too large");
    }
    return ca_turn_reply(t, to, IPC_OPERATOR_REPLY, &reply.base);
}

/* What the desk refused, in its own words. */
static lt_res reply_problem(struct registrar *g, struct ca_turn *t, const struct ipc_addr *to,
                            Ipc__Problem *p)
{
    char nonce[ACME_NONCE_SIZE];
    Ipc__OperatorReply reply = IPC__OPERATOR_REPLY__INIT;
    acme_desk_nonce(g->desk, nonce);
    reply.nonce = nonce;
    reply.status = p->status;
    reply.problem = p;
    return ca_turn_reply(t, to, IPC_OPERATOR_REPLY, &reply.base);
}

/* A drill's book is changed by its own steps, which are verbs; its console is for looking. What only asks,
 * and the end of a session, are no changes. */
static lt_res check_drill(const struct call *c)
{
    static const char *const harmless[] = {"session.leave", "session.end", "incident.show-mine",
                                           "incident.list-mine"};
    bool may = !role_scratch(c->g->kit);
    for (size_t i = 0; i < LT_COUNT(harmless); i++) {
        may = may || strcmp(harmless[i], c->m->op) == 0;
    }
    LT_CHECK(may, LT_POLICY_REFUSED,
             "this is a drill's book, here to look at: nothing in it is changed from the console");
    return LT_OK;
}

static lt_res authorize(struct call *c, unsigned roles)
{
    LT_TRY(acme_desk_redeem(c->g->desk, lt_slice_cstr(c->m->nonce)));
    if (c->m->session[0] != 0) {
        LT_TRY(check_drill(c));
        LT_TRY(registrar_session_of(c->g, c->t, c->m, &c->by, &c->problem));
        LT_CHECK(c->by == NULL || (c->by->roles & roles) != 0, LT_PEER_UNAUTHORIZED,
                 "%s has not the role for that", c->by->name);
        return LT_OK;
    }
    c->by = ca_operator_by_name(&c->g->book->operators, lt_slice_cstr(c->m->operator_));
    LT_CHECK(c->by != NULL, LT_PEER_UNAUTHORIZED, "there is no operator \"%s\"", c->m->operator_);
    bool same = lt_slice_eq(bytes(c->m->thumbprint), LT_SLICE(c->by->thumbprint, sizeof c->by->thumbprint));
    LT_CHECK(same, LT_PEER_UNAUTHORIZED, "the key of %s has changed: sign again with the new one",
             c->by->name);
    LT_CHECK((c->by->roles & roles) != 0, LT_PEER_UNAUTHORIZED, "%s has not the role for that", c->by->name);
    return LT_OK;
}

/* Of the incident desk: its own table says who may. */
static lt_res desk_op(struct call *c, const struct incident_op *op)
{
    LT_TRY(authorize(c, op->roles));
    if (c->problem != NULL) {
        return reply_problem(c->g, c->t, &c->from, c->problem);
    }
    LT_CHECK(c->m->desk != NULL, LT_PEER_MALFORMED, "%s without its members", op->op);
    struct incident_call i = {
        .t = c->t,
        .config = c->g->config,
        .desk = c->g->desk,
        .operator_ = c->by,
        .by = c->by->name,
        .jws = bytes(c->m->jws),
        .from = c->from,
        .id = c->m->desk->id,
        .m = c->m->desk,
    };
    LT_TRY(op->run(&i));
    return i.json == NULL ? LT_OK : registrar_operator_reply(c->g, c->t, &c->from, LT_OK, i.json);
}

lt_res registrar_operator_call(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    struct call c = {.g = g, .t = t, .from = m->from, .m = (const Ipc__OperatorCall *)(const void *)m->body};
    if (registrar_session_is(c.m->op)) {
        return registrar_session_call(g, t, m);
    }
    for (size_t i = 0; i < LT_COUNT(ops); i++) {
        if (strcmp(ops[i].op, c.m->op) != 0) {
            continue;
        }
        LT_TRY(authorize(&c, ops[i].roles));
        LT_TRY(c.problem == NULL ? ops[i].run(&c) : LT_OK);
        if (c.problem != NULL) {
            return reply_problem(g, t, &c.from, c.problem);
        }
        return c.json == NULL ? LT_OK : registrar_operator_reply(g, t, &c.from, LT_OK, c.json);
    }
    const struct incident_op *op = incident_op_find(c.m->op);
    LT_CHECK(op != NULL, LT_PEER_UNSUPPORTED, "there is no operation \"%s\"", c.m->op);
    return desk_op(&c, op);
}

lt_res registrar_operator_revoked(struct registrar *g, struct ca_turn *t, const struct ca_revoked *r)
{
    const struct ca_issuer *issuer = ca_issuer_by_id(g->book, r->issuer);
    struct ca_body b;
    ca_body_init(&b);
    ca_body_str(&b, "issuer", issuer == NULL ? "" : issuer->name);
    ca_body_hex(&b, "serial", r->serial);
    ca_body_str(&b, "reason", ca_reason_name(r->reason));
    ca_body_time(&b, "revoked", r->revoked);
    const char *json = NULL;
    LT_TRY(ca_body_cstr(&b, t->arena, &json));
    return registrar_operator_reply(g, t, &r->reply_to, LT_OK, json);
}

lt_res registrar_operator_key(struct registrar *g, struct ca_turn *t, const struct ipc_msg *m)
{
    const Ipc__KeyLookup *asked = (const Ipc__KeyLookup *)(const void *)m->body;
    lt_slice kid = lt_slice_cstr(asked->kid);
    lt_slice prefix = LT_LIT("operator:");
    const struct ca_operator *o = ca_operator_by_name(&g->book->operators,
                                                      lt_slice_sub(kid, prefix.len, kid.len));
    Ipc__KeyAnswer a = IPC__KEY_ANSWER__INIT;
    a.kid = asked->kid;
    a.found = o != NULL;
    if (o != NULL) {
        uint8_t thumbprint[sizeof o->thumbprint];
        memcpy(thumbprint, o->thumbprint, sizeof thumbprint);
        a.thumbprint.data = thumbprint;
        a.thumbprint.len = sizeof thumbprint;
        memcpy(&a.spki.data, &o->spki.ptr, sizeof a.spki.data); /* borrowed for encoding only */
        a.spki.len = o->spki.len;
        a.status = lt_arena_cstr(t->arena, LT_LIT("valid"));
        a.alg = lt_arena_cstr(t->arena, lt_slice_cstr(o->alg));
        LT_ASSERT(a.status != NULL && a.alg != NULL);
        return ca_turn_reply(t, &m->from, IPC_KEY_ANSWER, &a.base);
    }
    return ca_turn_reply(t, &m->from, IPC_KEY_ANSWER, &a.base);
}
