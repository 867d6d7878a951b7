/* Authorizations: one name, one account, the challenges that prove it (RFC 8555 7.5). */
#include <string.h>

#include "acme/mail.h"
#include "base/text.h"
#include "ca/halt.h"
#include "ca/limits.h"
#include "validate/methods.h"

int64_t acme_reuse_seconds(const struct acme_desk *d, bool by_hand, lt_time now)
{
    int64_t rule = ca_limit_at(CA_LIMIT_DOMAIN_REUSE_S, now);
    int64_t wanted = by_hand ? d->config->proof_lifetime_s : d->config->authorization_lifetime_s;
    return wanted > 0 && wanted < rule ? wanted : rule;
}

static lt_res read_authorization(struct ca_turn *t, const struct store_rows *rows,
                                 struct acme_authorization *ret_a)
{
    ret_a->account = store_int(rows, 0);
    ret_a->type = lt_arena_cstr(t->arena, store_bytes(rows, 1));
    ret_a->identifier = lt_arena_cstr(t->arena, store_bytes(rows, 2));
    ret_a->wildcard = store_int(rows, 3) != 0;
    LT_TRY(acme_state_read(store_bytes(rows, 4), &ret_a->status));
    ret_a->expires.us = store_int(rows, 5);
    ret_a->subdomains = store_int(rows, 12) != 0;
    ret_a->ancestor = store_int(rows, 13);
    LT_CHECK(ret_a->type != NULL && ret_a->identifier != NULL, LT_PEER_TOO_LARGE,
             "acme: the authorization is too large");
    /* A valid one past its time is expired; the row says so when somebody next writes it. */
    if (ret_a->status == ACME_VALID && ret_a->expires.us <= t->now.us) {
        ret_a->status = ACME_EXPIRED;
    }
    return LT_OK;
}

static lt_res read_challenge(struct ca_turn *t, const struct store_rows *rows,
                             struct acme_authorization *ret_a)
{
    struct lt_arena *a = t->arena;
    Ipc__AcmeChallengeBody *b = LT_NEW(a, Ipc__AcmeChallengeBody);
    LT_CHECK(b != NULL, LT_PEER_TOO_LARGE, "acme: the authorization is too large");
    ipc__acme_challenge_body__init(b);
    b->authorization_id = ret_a->id;
    b->index = (uint32_t)store_int(rows, 6);
    b->type = lt_arena_cstr(a, store_bytes(rows, 7));
    b->status = lt_arena_cstr(a, store_bytes(rows, 8));
    b->token = lt_arena_cstr(a, store_bytes(rows, 9));
    b->validated_us = store_int(rows, 10);
    if (!store_is_null(rows, 11)) {
        LT_TRY(acme_problem_read(a, store_bytes(rows, 11), &b->error));
    }
    LT_CHECK(b->type != NULL && b->status != NULL && b->token != NULL, LT_PEER_TOO_LARGE,
             "acme: the authorization is too large");
    ret_a->challenges[ret_a->challenge_count++] = b;
    return LT_OK;
}

lt_res acme_authorization_load(struct ca_turn *t, int64_t id, struct acme_authorization *ret_a)
{
    struct store_rows rows;
    lt_res r = LT_OK;
    memset(ret_a, 0, sizeof *ret_a);
    LT_TRY(store_query(t->store, &acme_sql[ACME_SQL_AUTHORIZATION], STORE_ARGS(STORE_I(id)), &rows));
    while (!lt_failed(r) && ret_a->challenge_count < ACME_CHALLENGES_MAX && store_next(&rows)) {
        if (ret_a->id == 0) {
            ret_a->id = id;
            r = read_authorization(t, &rows, ret_a);
        }
        if (!lt_failed(r) && !store_is_null(&rows, 6)) {
            r = read_challenge(t, &rows, ret_a);
        }
    }
    LT_TRY(store_rows_end(&rows));
    return r;
}

lt_res acme_authorization_of_caller(struct acme_call *c, int64_t id, struct acme_authorization *ret_a)
{
    LT_TRY(acme_authorization_load(c->turn, id, ret_a));
    if (ret_a->id != 0 && ret_a->account == c->account.id) {
        return LT_OK;
    }
    memset(ret_a, 0, sizeof *ret_a);
    Ipc__Problem *p = acme_problem(c->turn->arena, "malformed", "This account has no authorization %lld.",
                                   (long long)id);
    LT_CHECK(p != NULL, LT_PEER_TOO_LARGE, "acme: the answer is too large");
    p->status = 404;
    return acme_refuse(c, p);
}

static bool being_validated(const Ipc__AcmeAuthorizationBody *b)
{
    for (size_t i = 0; i < b->n_challenges; i++) {
        if (lt_slice_eq_cstr(lt_slice_cstr(b->challenges[i]->status), acme_state_name(ACME_PROCESSING))) {
            return true;
        }
    }
    return false;
}

lt_res acme_authorization_body(struct ca_turn *t, struct acme_authorization *a, Ipc__AcmeReply *reply)
{
    Ipc__AcmeAuthorizationBody *b = LT_NEW(t->arena, Ipc__AcmeAuthorizationBody);
    Ipc__Identifier *name = LT_NEW(t->arena, Ipc__Identifier);
    LT_CHECK(b != NULL && name != NULL, LT_PEER_TOO_LARGE, "acme: the authorization is too large");
    ipc__acme_authorization_body__init(b);
    ipc__identifier__init(name);
    name->type = lt_arena_cstr(t->arena, lt_slice_cstr(a->type));
    name->value = lt_arena_cstr(t->arena, lt_slice_cstr(a->identifier));
    b->id = a->id;
    b->identifier = name;
    b->status = lt_arena_cstr(t->arena, lt_slice_cstr(acme_state_name(a->status)));
    b->expires_us = a->expires.us;
    b->wildcard = a->wildcard;
    b->subdomains = a->subdomains;
    LT_CHECK(name->type != NULL && name->value != NULL && b->status != NULL, LT_PEER_TOO_LARGE,
             "acme: the authorization is too large");
    b->challenges = a->challenges;
    b->n_challenges = a->challenge_count;
    reply->authorization = b;
    reply->retry_after_s = a->status == ACME_PENDING && being_validated(b) ? ACME_RETRY_AFTER_S : 0;
    return LT_OK;
}

lt_res acme_authorization_get(struct acme_call *c)
{
    Ipc__AcmeReply reply = IPC__ACME_REPLY__INIT;
    struct acme_authorization a;
    LT_CHECK(c->m->object != NULL, LT_PEER_MALFORMED, "acme: which authorization?");
    LT_TRY(acme_authorization_of_caller(c, c->m->object->id, &a));
    if (a.id == 0) {
        return LT_OK;
    }
    LT_TRY(acme_authorization_body(c->turn, &a, &reply));
    if (reply.retry_after_s > 0 && acme_hold(c, ACME_AUTHORIZATION, a.id, ACME_HOLD_POLL_MS)) {
        return LT_OK;
    }
    reply.status = 200;
    return acme_answer(c, &reply);
}

lt_res acme_authorization_step(struct ca_turn *t, const struct acme_authorization *a, enum acme_step step,
                               lt_time expires, lt_time validated)
{
    enum acme_state to = ACME_STATE_NONE;
    LT_TRY(acme_step(ACME_AUTHORIZATION, a->status, step, &to));
    return acme_step_exec(t->store, ACME_SQL_AUTHORIZATION_STEP,
                          STORE_ARGS(STORE_I(a->id), STORE_S(acme_state_name(a->status)),
                                     STORE_S(acme_state_name(to)), STORE_I(expires.us),
                                     validated.us != 0 ? STORE_I(validated.us) : STORE_N));
}

lt_res acme_authorization_deactivate(struct acme_call *c)
{
    struct acme_authorization a;
    struct lt_buf body;
    LT_CHECK(c->m->object != NULL, LT_PEER_MALFORMED, "acme: which authorization?");
    LT_TRY(acme_authorization_of_caller(c, c->m->object->id, &a));
    if (a.id == 0) {
        return LT_OK;
    }
    if (acme_edge_find(ACME_AUTHORIZATION, a.status, ACME_DEACTIVATE) == NULL) {
        return acme_refuse(c, acme_problem(c->turn->arena, "malformed",
                                           "The authorization is %s: there is nothing to deactivate.",
                                           acme_state_name(a.status)));
    }
    LT_TRY(acme_authorization_step(c->turn, &a, ACME_DEACTIVATE, a.expires, (lt_time){0}));
    lt_buf_init(&body, ACME_EVENT_MAX);
    lt_buf_addf(&body, "{\"account\":%lld,\"identifier\":", (long long)a.account);
    lt_json_add_string(&body, lt_slice_cstr(a.identifier));
    lt_buf_add_byte(&body, '}');
    LT_TRY(acme_event(c->turn, "authorization.deactivated", "authorization", a.id, &body,
                      acme_bytes(c->m->jws)));
    Ipc__Problem *why = acme_problem(c->turn->arena, "unauthorized",
                                     "The authorization for %s was deactivated.", a.identifier);
    LT_TRY(acme_orders_follow(c->desk, c->turn, a.id, ACME_FAIL, why));
    const struct acme_follow below = {&a, ACME_DEACTIVATE, {0}, why};
    LT_TRY(acme_ancestor_follow(c->desk, c->turn, &below));
    Ipc__AcmeReply reply = IPC__ACME_REPLY__INIT;
    LT_TRY(acme_authorization_load(c->turn, a.id, &a));
    LT_TRY(acme_authorization_body(c->turn, &a, &reply));
    reply.status = 200;
    return acme_answer(c, &reply);
}

/* May this row of the methods' table be offered for the name? A record that stays is offered when the client
 * can be told what it says: the names of this CA. */
static bool is_offered(const struct acme_call *c, const struct validate_method *m,
                       const Ipc__Identifier *name, const struct acme_scope *scope)
{
    if (c->by_hand != NULL) {
        return acme_by_hand_offers(c->by_hand, m, name, c->turn->now);
    }
    const struct ca_book *b = c->turn->book;
    return m->acme && !ca_halt_method(b->halts, b->halt_count, m->name) &&
           (!m->persistent || c->desk->config->caa_identity_count > 0) &&
           (!scope->subdomains || m->subdomains) && strcmp(m->identifier, name->type) == 0 &&
           validate_method_refusal(m, acme_name_is_wildcard(name->value), c->turn->now) == NULL;
}

static lt_res add_challenge(struct acme_call *c, int64_t id, size_t index, const struct validate_method *m)
{
    uint8_t random[ACME_TOKEN_LEN];
    const char *token = "";
    if (!m->persistent) { /* what such a record says is the same for every challenge */
        c->desk->random(random, sizeof random);
        /*= RFC 8555 8.3 "This value MUST have at least 128 bits of entropy." */
        token = lt_base64url(c->turn->arena, LT_SLICE(random, sizeof random));
        LT_CHECK(token != NULL, LT_PEER_TOO_LARGE, "acme: the order is too large");
    }
    return store_exec(c->turn->store, &acme_sql[ACME_SQL_CHALLENGE_ADD],
                      STORE_ARGS(STORE_I(id), STORE_I(index), STORE_S(m->name), STORE_S(token)), NULL);
}

/* Whom to write to is asked, or letters go out, at once: an answer may take its time. */
static lt_res begin_mail(struct acme_call *c, int64_t id, size_t index, const struct validate_method *m,
                         const Ipc__Identifier *name, lt_time expires)
{
    const struct acme_mail_for f = {.authorization = id,
                                    .index = (uint32_t)index,
                                    .method = m->name,
                                    .name = acme_name_base(name->value),
                                    .expires = expires};
    return m->kind != VALIDATE_KIND_MAIL
               ? LT_OK
               : acme_mail_begin(c->desk, c->turn, &f, acme_by_hand_contact(c->by_hand));
}

lt_res acme_authorization_make(struct acme_call *c, const Ipc__Identifier *name,
                               const struct acme_scope *scope, lt_time expires, int64_t *ret_id)
{
    int64_t id = ca_new_id(c->turn);
    size_t count = 0;
    bool own = scope->ancestor == 0;
    bool halted = ca_halt_any_method(c->turn->book->halts, c->turn->book->halt_count);
    LT_TRY(store_exec(c->turn->store, &acme_sql[ACME_SQL_AUTHORIZATION_ADD],
                      STORE_ARGS(STORE_I(id), STORE_I(c->account.id), STORE_S(name->type),
                                 STORE_S(acme_name_base(name->value)),
                                 STORE_I(acme_name_is_wildcard(name->value)), STORE_I(c->turn->now.us),
                                 STORE_I(expires.us), STORE_I(scope->subdomains),
                                 own ? STORE_N : STORE_I(scope->ancestor)),
                      NULL));
    for (size_t i = 0; own && i < validate_method_count && count < ACME_CHALLENGES_MAX; i++) {
        const struct validate_method *m = &validate_methods[i];
        if (is_offered(c, m, name, scope)) {
            LT_TRY(add_challenge(c, id, count++, m));
            LT_TRY(begin_mail(c, id, count - 1, m, name, expires));
        }
    }
    LT_CHECK(count > 0 || !own || !halted, LT_POLICY_HALTED,
             "issuance is halted for the methods that would prove %s; try again later", name->value);
    LT_CHECK(count > 0 || !own, LT_STATE_CORRUPT, "acme: no method of today proves a name of type %s",
             name->type);
    *ret_id = id;
    return LT_OK;
}
