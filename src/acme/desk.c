/* The desk's front: nonce, account, key, limit, then one handler for each operation; and what the registrar
 * calls between messages. */
#include <stdlib.h>
#include <string.h>

#include "acme/mail.h"
#include "crypto/digest.h"

/* Requests of one account are only bounded against a client gone wild. */
static const struct acme_rate requests_default = {20000, 1};

void acme_desk_use_config(struct acme_desk *d, const struct ca_config *config)
{
    d->config = config;
    acme_rates_set(
        d->rates, ACME_LIMIT_ACCOUNTS,
        (struct acme_rate){config->accounts_per_address.count, config->accounts_per_address.per_s});
    acme_rates_set(d->rates, ACME_LIMIT_ORDERS,
                   (struct acme_rate){config->orders_per_account.count, config->orders_per_account.per_s});
    acme_rates_set(d->rates, ACME_LIMIT_FAILURES,
                   (struct acme_rate){config->failures_per_name.count, config->failures_per_name.per_s});
    acme_rates_set(d->rates, ACME_LIMIT_REQUESTS, requests_default);
}

lt_res acme_desk_open(const struct acme_options *options, struct acme_desk **ret_desk)
{
    struct acme_desk *d = calloc(1, sizeof *d);
    LT_ASSERT(d != NULL);
    d->random = options->random;
    d->corroborated = options->corroborated;
    d->rates = acme_rates_new(options->random);
    acme_desk_use_config(d, options->config);
    lt_res r = acme_nonces_new(options->host_id, options->boot_epoch, options->random, &d->nonces);
    if (!lt_failed(r)) {
        r = acme_names_open(&d->names);
    }
    if (lt_failed(r)) {
        acme_desk_close(d);
        return r;
    }
    *ret_desk = d;
    return LT_OK;
}

void acme_desk_close(struct acme_desk *d)
{
    if (d != NULL) {
        acme_nonces_free(d->nonces);
        acme_rates_free(d->rates);
        acme_names_close(d->names);
        acme_corroborations_forget(d);
        free(d);
    }
}

void acme_desk_nonce(struct acme_desk *d, char ret_text[ACME_NONCE_SIZE])
{
    _Static_assert(ACME_NONCE_SIZE >= (size_t)ACME_NONCE_TEXT, "room for a nonce");
    acme_nonce_draw(d->nonces, ret_text);
}

lt_res acme_desk_redeem(struct acme_desk *d, lt_slice nonce)
{
    return acme_nonce_redeem(d->nonces, nonce);
}

/* What is believed about the book. */
static void forget_book(struct acme_desk *d)
{
    memset(d->accounts, 0, sizeof d->accounts);
    memset(d->dimensions, 0, sizeof d->dimensions);
    memset(d->voices, 0, sizeof d->voices);
    memset(d->parents, 0, sizeof d->parents);
    acme_held_undo(d);
}

void acme_desk_refresh(struct acme_desk *d)
{
    memset(d->accounts, 0, sizeof d->accounts);
    memset(d->parents, 0, sizeof d->parents);
}

void acme_desk_forget(struct acme_desk *d)
{
    forget_book(d);
    acme_corroborations_forget(d);
}

void acme_desk_use_policy(struct acme_desk *d, const struct acme_policy *policy)
{
    d->policy = policy;
}

void acme_desk_use_perspectives(struct acme_desk *d, const struct validate_perspectives *perspectives)
{
    d->perspectives = perspectives;
}

bool acme_desk_busy(const struct acme_desk *d)
{
    for (size_t i = 0; i < d->held_count; i++) {
        if (d->held[i].answered == 0) {
            return true;
        }
    }
    return false;
}

void acme_desk_notary_gone(struct acme_desk *d, uint32_t instance)
{
    acme_held_drop_instance(d, instance);
}

lt_slice acme_bytes(ProtobufCBinaryData b)
{
    return LT_SLICE(b.data, b.len);
}

lt_res acme_step_exec(struct store *s, enum acme_sql_row sql, const struct store_value *values, size_t count)
{
    int64_t changed = 0;
    LT_TRY(store_exec(s, &acme_sql[sql], values, count, &changed));
    LT_CHECK(changed == 1, LT_RETRY_BUSY, "acme: %s found another state than was read", acme_sql[sql].name);
    return LT_OK;
}

lt_res acme_reply_to(struct acme_desk *d, struct ca_turn *t, const struct ipc_addr *to, Ipc__AcmeReply *reply)
{
    char nonce[ACME_NONCE_SIZE];
    acme_desk_nonce(d, nonce);
    reply->nonce = nonce;
    return ca_turn_reply(t, to, IPC_ACME_REPLY, &reply->base);
}

lt_res acme_answer(struct acme_call *c, Ipc__AcmeReply *reply)
{
    if (c->kept != NULL) {
        *c->kept = *reply; /* its parts are the arena's, or not looked at */
        return LT_OK;
    }
    return acme_reply_to(c->desk, c->turn, &c->from, reply);
}

lt_res acme_refuse(struct acme_call *c, Ipc__Problem *p)
{
    LT_CHECK(p != NULL, LT_PEER_TOO_LARGE, "acme: the answer is too large");
    Ipc__AcmeReply reply = IPC__ACME_REPLY__INIT;
    reply.status = p->status;
    reply.problem = p;
    reply.retry_after_s = p->retry_after_s;
    return acme_answer(c, &reply);
}

lt_res acme_refuse_error(struct acme_call *c, lt_res r, const char *peer_type)
{
    const char *detail = lt_error_last()->detail;
    struct lt_arena *a = c->turn->arena;
    Ipc__Problem *p = NULL;
    switch (lt_class_of(r.code)) {
    case LT_CLASS_PEER:
        return acme_refuse(c, acme_problem(a, peer_type, "%s", detail));
    case LT_CLASS_POLICY:
        if (r.code != LT_POLICY_HALTED) {
            return acme_refuse(c, acme_problem(a, peer_type, "%s", detail));
        }
        p = acme_problem(a, "serverInternal", "%s", detail); /* "issuance is halted …" */
        break;
    case LT_CLASS_RETRY:
        p = acme_problem(a, "serverInternal", "This cannot be done just now; try again. (%s)", detail);
        break;
    case LT_CLASS_OK:
    case LT_CLASS_STATE:
        return r;
    }
    LT_CHECK(p != NULL, LT_PEER_TOO_LARGE, "acme: the answer is too large");
    p->status = 503;
    p->retry_after_s = r.code == LT_POLICY_HALTED ? 3600 : 5;
    return acme_refuse(c, p);
}

lt_res acme_limited(struct acme_call *c, enum acme_limit limit, lt_slice key, bool spend, bool *ret_refused)
{
    int64_t wait_s = acme_rate_ask(c->desk->rates, limit, key, c->turn->now, spend);
    *ret_refused = wait_s > 0;
    if (wait_s == 0) {
        return LT_OK;
    }
    char until[LT_RFC3339_SIZE];
    struct acme_rate rate = acme_rates_get(c->desk->rates, limit);
    lt_time_rfc3339(lt_time_add_seconds(c->turn->now, wait_s), until);
    Ipc__Problem *p = acme_problem(c->turn->arena, "rateLimited",
                                   "Too many %s: at most %u in %lld seconds. Try again after %s.",
                                   acme_limit_words(limit), rate.count, (long long)rate.period_s, until);
    LT_CHECK(p != NULL, LT_PEER_TOO_LARGE, "acme: the answer is too large");
    p->retry_after_s = wait_s > UINT32_MAX ? UINT32_MAX : (uint32_t)wait_s;
    return acme_refuse(c, p);
}

lt_res acme_event(struct ca_turn *t, const char *kind, const char *noun, int64_t id, struct lt_buf *body,
                  lt_slice attachment)
{
    char *subject = lt_arena_printf(t->arena, "%s %lld", noun, (long long)id);
    lt_res r = lt_buf_check(body);
    if (!lt_failed(r) && subject != NULL) {
        r = ca_event(t, kind, subject, lt_buf_slice(body), attachment);
    }
    lt_buf_done(body);
    LT_CHECK(subject != NULL, LT_PEER_TOO_LARGE, "acme: the event is too large");
    return r;
}

static const struct operation {
    Ipc__AcmeOp op;
    acme_handler *handle;
    bool by_account; /* signed by an account's key; otherwise by a key that came along */
    bool either;
} operations[] = {
    {IPC__ACME_OP__ACME_NEW_ACCOUNT, acme_account_new, false, false},
    {IPC__ACME_OP__ACME_UPDATE_ACCOUNT, acme_account_update, true, false},
    {IPC__ACME_OP__ACME_GET_ACCOUNT, acme_account_get, true, false},
    {IPC__ACME_OP__ACME_GET_READINESS, acme_readiness_get, true, false},
    {IPC__ACME_OP__ACME_KEY_CHANGE, acme_account_key_change, true, false},
    {IPC__ACME_OP__ACME_NEW_ORDER, acme_order_new, true, false},
    {IPC__ACME_OP__ACME_NEW_AUTHORIZATION, acme_authorization_new, true, false},
    {IPC__ACME_OP__ACME_GET_ORDER, acme_order_get, true, false},
    {IPC__ACME_OP__ACME_GET_ORDERS, acme_order_list, true, false},
    {IPC__ACME_OP__ACME_GET_AUTHORIZATION, acme_authorization_get, true, false},
    {IPC__ACME_OP__ACME_DEACTIVATE_AUTHORIZATION, acme_authorization_deactivate, true, false},
    {IPC__ACME_OP__ACME_GET_CHALLENGE, acme_challenge_get, true, false},
    {IPC__ACME_OP__ACME_REPLY_CHALLENGE, acme_challenge_reply, true, false},
    {IPC__ACME_OP__ACME_FINALIZE, acme_finalize, true, false},
    {IPC__ACME_OP__ACME_GET_CERTIFICATE, acme_certificate_get, true, false},
    {IPC__ACME_OP__ACME_REVOKE, acme_revoke, false, true},
};

static const struct operation *find_operation(Ipc__AcmeOp op)
{
    for (size_t i = 0; i < LT_COUNT(operations); i++) {
        if (operations[i].op == op) {
            return &operations[i];
        }
    }
    return NULL;
}

/* The account behind the kid may act, and its key is still the one that verified. Refuses otherwise. */
static lt_res check_account(struct acme_call *c, bool *ret_refused)
{
    struct lt_arena *a = c->turn->arena;
    *ret_refused = true;
    LT_TRY(acme_account_load(c->desk, c->turn->store, c->m->account_id, &c->account));
    if (c->account.id == 0) {
        return acme_refuse(c, acme_problem(a, "accountDoesNotExist", "There is no account %lld.",
                                           (long long)c->m->account_id));
    }
    if (c->account.status != ACME_VALID) {
        /*= RFC 8555 7.3.6 "it MUST return an error response with status code 401 (Unauthorized)" */
        Ipc__Problem *p = acme_problem(a, "unauthorized", "The account is %s; it can do nothing any more.",
                                       acme_state_name(c->account.status));
        LT_CHECK(p != NULL, LT_PEER_TOO_LARGE, "acme: the answer is too large");
        p->status = 401;
        return acme_refuse(c, p);
    }
    if (!lt_slice_eq(acme_bytes(c->m->thumbprint), LT_SLICE(c->account.thumbprint, 32))) {
        return acme_refuse(c, acme_problem(a, "lintel:stale-key", "The account has another key now."));
    }
    int64_t id = c->account.id;
    return acme_limited(c, ACME_LIMIT_REQUESTS, LT_SLICE(&id, sizeof id), true, ret_refused);
}

static lt_res check_rights(struct acme_call *c, const struct operation *op, bool *ret_refused)
{
    struct lt_arena *a = c->turn->arena;
    *ret_refused = true;
    bool by_account = c->m->account_id != 0;
    if (!op->either && op->by_account != by_account) {
        return acme_refuse(c, acme_problem(a, "malformed", "This request must be signed by \"%s\".",
                                           op->by_account ? "kid" : "jwk"));
    }
    if (by_account) {
        return check_account(c, ret_refused);
    }
    if (c->m->jwk == NULL || c->m->jwk->spki.len == 0) {
        return acme_refuse(c, acme_problem(a, "malformed", "The request carries no key."));
    }
    *ret_refused = false;
    return LT_OK;
}

lt_res acme_desk_call(struct acme_desk *d, struct ca_turn *t, const struct ipc_msg *m)
{
    const Ipc__AcmeCall *call = (const Ipc__AcmeCall *)(const void *)m->body;
    struct acme_call c = {.desk = d, .turn = t, .from = m->from, .m = call};
    bool refused = false;
    /*= RFC 8555 6.5 "it MUST provide HTTP status code 400 (Bad Request)" */
    if (lt_failed(acme_nonce_redeem(d->nonces, lt_slice_cstr(call->nonce)))) {
        return acme_refuse(&c,
                           acme_problem(t->arena, "badNonce", "Try again with the nonce of this answer: %s.",
                                        lt_error_last()->detail));
    }
    if (acme_testing_rejects(d)) {
        return acme_refuse(&c, acme_problem(t->arena, "badNonce",
                                            "The nonce was good; this test CA refuses some. Try again."));
    }
    const struct operation *op = find_operation(call->op);
    LT_CHECK(op != NULL, LT_PEER_UNSUPPORTED, "acme: operation %d is unknown", (int)call->op);
    LT_TRY(check_rights(&c, op, &refused));
    return refused ? LT_OK : op->handle(&c);
}

lt_res acme_desk_failed(struct acme_desk *d, struct ca_turn *t, const struct ipc_msg *m, lt_res r)
{
    forget_book(d);
    acme_corroboration_lost(d, m);
    if (m->type == IPC_KEY_LOOKUP) {
        Ipc__KeyAnswer answer = IPC__KEY_ANSWER__INIT;
        const Ipc__KeyLookup *lookup = (const Ipc__KeyLookup *)(const void *)m->body;
        static char unavailable[] = "unavailable";
        answer.kid = lookup->kid;
        answer.status = unavailable;
        return ca_turn_reply(t, &m->from, IPC_KEY_ANSWER, &answer.base);
    }
    if (m->type == IPC_PAGE_CALL) {
        return acme_page_failed(d, t, m);
    }
    if (m->type != IPC_ACME_CALL) {
        return LT_OK;
    }
    acme_held_drop(d, &m->from);
    struct acme_call c = {.desk = d, .turn = t, .from = m->from};
    Ipc__Problem *p = NULL;
    if (r.code == LT_PEER_TOO_LARGE) {
        p = acme_problem(t->arena, "malformed", "The request or its answer is too large.");
    } else {
        p = acme_problem(t->arena, "serverInternal",
                         "The server could not write this down; nothing has happened. Try again.");
    }
    LT_CHECK(p != NULL, LT_PEER_TOO_LARGE, "acme: the answer is too large");
    if (r.code == LT_PEER_TOO_LARGE) {
        p->status = 413;
    } else {
        p->status = lt_class_of(r.code) == LT_CLASS_RETRY ? 503 : 500;
        p->retry_after_s = 5;
    }
    return acme_refuse(&c, p);
}

lt_res acme_desk_nonces(struct acme_desk *d, struct ca_turn *t, const struct ipc_msg *m)
{
    enum { BATCH_MAX = 256 };
    const Ipc__NonceRequest *ask = (const Ipc__NonceRequest *)(const void *)m->body;
    Ipc__NonceGrant grant = IPC__NONCE_GRANT__INIT;
    size_t count = ask->count == 0 ? 1 : ask->count;
    count = count > BATCH_MAX ? BATCH_MAX : count;
    grant.nonces = LT_NEW_ARRAY(t->arena, char *, count);
    LT_CHECK(grant.nonces != NULL, LT_PEER_TOO_LARGE, "acme: too many nonces at once");
    for (; grant.n_nonces < count; grant.n_nonces++) {
        char *text = lt_arena_alloc(t->arena, ACME_NONCE_SIZE);
        LT_CHECK(text != NULL, LT_PEER_TOO_LARGE, "acme: too many nonces at once");
        acme_desk_nonce(d, text);
        grant.nonces[grant.n_nonces] = text;
    }
    return ca_turn_reply(t, &m->from, IPC_NONCE_GRANT, &grant.base);
}

/* Whoever has the timers does them for all hosts: orders and letters that are due, and what a host that is
 * gone has asked. */
static lt_res tick_timers(struct acme_desk *d, struct ca_turn *t)
{
    bool mine = false;
    LT_TRY(ca_lease_check(t, CA_LEASE_TIMERS, &mine));
    if (!mine) {
        return LT_OK;
    }
    LT_TRY(acme_orders_sweep(d, t));
    return acme_mail_tick(d, t);
}

static lt_res ask_again(struct acme_desk *d, struct ca_turn *t)
{
    bool for_all = false;
    lt_time until = lt_time_add_seconds(t->now, -ACME_VALIDATION_PATIENCE_S);
    LT_TRY(ca_lease_check(t, CA_LEASE_TIMERS, &for_all));
    int64_t host = for_all ? 0 : ca_host_id(t);
    LT_TRY(acme_challenges_ask_again(d, t, until, host));
    return acme_caa_ask_again(d, t, until, host);
}

static lt_res tick(struct acme_desk *d, struct ca_turn *t)
{
    bool back = t->now.us < d->swept.us || t->now.us < d->asked_again.us; /* the clock was put back */
    LT_TRY(acme_held_tick(d, t));
    LT_TRY(acme_corroborations_tick(d, t));
    if (back || t->now.us - d->swept.us >= LT_US_PER_SECOND) {
        LT_TRY(tick_timers(d, t));
        d->swept = t->now;
    }
    if (back || t->now.us - d->asked_again.us >= ACME_VALIDATION_PATIENCE_S * LT_US_PER_SECOND) {
        LT_TRY(ask_again(d, t));
        d->asked_again = t->now;
    }
    return LT_OK;
}

lt_res acme_desk_tick(struct acme_desk *d, struct ca_turn *t)
{
    lt_res r = tick(d, t);
    if (lt_failed(r)) {
        forget_book(d); /* perspectives that are asked by now go on being waited for */
    }
    return r;
}

lt_res acme_desk_recover(struct acme_desk *d, struct ca_turn *t)
{
    LT_TRY(acme_orders_recover(d, t));
    return acme_desk_validator_linked(d, t);
}

lt_res acme_desk_validator_linked(struct acme_desk *d, struct ca_turn *t)
{
    d->asked_again = t->now;
    LT_TRY(acme_challenges_ask_again(d, t, t->now, ca_host_id(t)));
    return acme_caa_ask_again(d, t, t->now, ca_host_id(t));
}
