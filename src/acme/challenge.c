/* Challenges: the client says it is ready, the validator looks, and its statement decides (RFC 8555 7.5.1). A
 * statement counts only with the nonce that was drawn for this validation. */
#include <string.h>

#include "acme/mail.h"
#include "base/text.h"
#include "ca/halt.h"
#include "ca/tally.h"
#include "crypto/digest.h"
#include "validate/by_hand.h"

enum { ASK_STEP = 200, PROBLEM_JSON_MAX = 16 * 1024 };

/* A validation that waits for its statement. */
struct waiting {
    int64_t authorization; /* 0: there is none */
    uint32_t index;
    lt_slice nonce;
    const char *token;
    const char *method;
    lt_time started;
    struct acme_authorization a;
};

/* The challenge that the URL names, of the caller's authorization; otherwise refused and *ret_b NULL. */
static lt_res find(struct acme_call *c, struct acme_authorization *ret_a, Ipc__AcmeChallengeBody **ret_b)
{
    const Ipc__AcmeChallengeReply *asked = c->m->challenge;
    *ret_b = NULL;
    LT_CHECK(asked != NULL, LT_PEER_MALFORMED, "acme: which challenge?");
    LT_TRY(acme_authorization_of_caller(c, asked->authorization_id, ret_a));
    if (ret_a->id == 0) {
        return LT_OK;
    }
    for (size_t i = 0; i < ret_a->challenge_count; i++) {
        if (ret_a->challenges[i]->index == asked->index) {
            *ret_b = ret_a->challenges[i];
            return LT_OK;
        }
    }
    Ipc__Problem *p = acme_problem(c->turn->arena, "malformed", "The authorization has no challenge %u.",
                                   asked->index);
    LT_CHECK(p != NULL, LT_PEER_TOO_LARGE, "acme: the answer is too large");
    p->status = 404;
    return acme_refuse(c, p);
}

static bool is_processing(const Ipc__AcmeChallengeBody *b)
{
    return strcmp(b->status, acme_state_name(ACME_PROCESSING)) == 0;
}

void acme_challenge_body(Ipc__AcmeChallengeBody *b, Ipc__AcmeReply *reply)
{
    reply->challenge = b;
    reply->retry_after_s = is_processing(b) ? ACME_RETRY_AFTER_S : 0;
}

static lt_res answer_challenge(struct acme_call *c, Ipc__AcmeChallengeBody *b)
{
    Ipc__AcmeReply reply = IPC__ACME_REPLY__INIT;
    acme_challenge_body(b, &reply);
    reply.status = 200;
    return acme_answer(c, &reply);
}

lt_res acme_challenge_get(struct acme_call *c)
{
    struct acme_authorization a;
    Ipc__AcmeChallengeBody *b = NULL;
    LT_TRY(find(c, &a, &b));
    if (b == NULL || (is_processing(b) && acme_hold_challenge(c, a.id, b->index))) {
        return LT_OK;
    }
    return answer_challenge(c, b);
}

static struct acme_mail_for mail_for(const struct waiting *w)
{
    return (struct acme_mail_for){.authorization = w->authorization,
                                  .index = w->index,
                                  .method = w->method,
                                  .name = w->a.identifier,
                                  .expires = w->a.expires};
}

/* What is asked of the validator, and of each perspective. The account's key of now goes into the key
 * authorization. Everything lives in the turn's arena. */
static lt_res make_question(struct acme_desk *d, struct ca_turn *t, const struct waiting *w,
                            Ipc__Validate **ret_question)
{
    Ipc__Validate *q = LT_NEW(t->arena, Ipc__Validate);
    Ipc__Identifier *n = LT_NEW(t->arena, Ipc__Identifier);
    LT_CHECK(q != NULL && n != NULL, LT_PEER_TOO_LARGE, "acme: the question is too large");
    Ipc__Validate v = IPC__VALIDATE__INIT;
    Ipc__Identifier name = IPC__IDENTIFIER__INIT;
    struct acme_account account;
    LT_TRY(acme_account_load(d, t->store, w->a.account, &account));
    LT_CHECK(account.id != 0, LT_STATE_CORRUPT, "acme: account %lld is gone", (long long)w->a.account);
    char *thumbprint = lt_base64url(t->arena, LT_SLICE(account.thumbprint, sizeof account.thumbprint));
    LT_CHECK(thumbprint != NULL, LT_PEER_TOO_LARGE, "acme: the question is too large");
    name.type = lt_arena_cstr(t->arena, lt_slice_cstr(w->a.type));
    name.value = lt_arena_cstr(t->arena, lt_slice_cstr(w->a.identifier));
    v.authorization_id = w->authorization;
    v.challenge_index = w->index;
    v.nonce = (ProtobufCBinaryData){w->nonce.len, (uint8_t *)(uintptr_t)w->nonce.ptr};
    v.identifier = n;
    v.wildcard = w->a.wildcard;
    v.subdomains = w->a.subdomains;
    bool dns = strcmp(w->a.type, "dns") == 0;
    const char *topmost = dns ? acme_name_topmost(d->names, w->a.identifier) : "";
    v.topmost = lt_arena_cstr(t->arena, lt_slice_cstr(topmost));
    v.method = lt_arena_cstr(t->arena, lt_slice_cstr(w->method));
    v.token = lt_arena_cstr(t->arena, lt_slice_cstr(w->token));
    /*= RFC 8555 8.1 "keyAuthorization = token || '.' || base64url(Thumbprint(accountKey))" */
    v.key_authorization = lt_arena_printf(t->arena, "%s.%s", w->token, thumbprint);
    if (acme_mail_is(w->method)) {
        const struct acme_mail_for f = mail_for(w);
        v.token = v.key_authorization = lt_arena_cstr(t->arena, LT_LIT(""));
        LT_TRY(acme_mail_question(t, &f, &v));
    } else if (acme_challenge_by_hand(w->method, w->a.type)) {
        v.expected = v.token; /* the random value; where it is put is the method's business */
        v.token = lt_arena_cstr(t->arena, lt_slice_cstr(validate_by_hand_token(w->method)));
        v.key_authorization = lt_arena_cstr(t->arena, LT_LIT(""));
    }
    v.account_id = w->a.account;
    v.account_uri = lt_arena_printf(t->arena, "%s/acme/account/%lld", d->config->base_url,
                                    (long long)w->a.account);
    LT_CHECK(name.type != NULL && name.value != NULL && v.method != NULL && v.token != NULL &&
                 v.key_authorization != NULL && v.account_uri != NULL && v.topmost != NULL,
             LT_PEER_TOO_LARGE, "acme: the question is too large");
    v.expires_us = w->a.expires.us;
    /* Borrowed: the question is encoded within the turn. */
    memcpy(&v.issuer_domains, &d->config->caa_identities, sizeof v.issuer_domains);
    v.n_issuer_domains = d->config->caa_identity_count;
    *n = name;
    *q = v;
    *ret_question = q;
    return LT_OK;
}

static lt_res ask(struct acme_desk *d, struct ca_turn *t, const struct waiting *w)
{
    Ipc__Validate *v = NULL;
    LT_TRY(make_question(d, t, w, &v));
    return ca_turn_send(t, IPC_VALIDATOR, IPC_VALIDATE, (uint64_t)w->authorization, &v->base);
}

/* Draws the nonce of this validation and writes it down with the step. */
static lt_res start(struct acme_desk *d, struct ca_turn *t, struct waiting *w, enum acme_state from,
                    enum acme_step step)
{
    enum acme_state to = ACME_STATE_NONE;
    uint8_t nonce[ACME_STATEMENT_NONCE];
    LT_TRY(acme_step(ACME_CHALLENGE, from, step, &to));
    d->random(nonce, sizeof nonce);
    w->nonce = lt_arena_copy(t->arena, LT_SLICE(nonce, sizeof nonce));
    LT_CHECK(w->nonce.ptr != NULL, LT_PEER_TOO_LARGE, "acme: the question is too large");
    LT_TRY(acme_step_exec(t->store, ACME_SQL_CHALLENGE_START,
                          STORE_ARGS(STORE_I(w->authorization), STORE_I(w->index),
                                     STORE_S(acme_state_name(from)), STORE_S(acme_state_name(to)),
                                     STORE_B(w->nonce), STORE_I(t->now.us), STORE_I(ca_host_id(t)))));
    return ask(d, t, w);
}

/* The limit of failed validations, for this account and name. */
static lt_slice failure_key(struct lt_arena *a, int64_t account, const char *identifier)
{
    char *key = lt_arena_printf(a, "%lld %s", (long long)account, identifier);
    return lt_slice_cstr(key);
}

lt_res acme_challenge_look(struct acme_desk *d, struct ca_turn *t, int64_t authorization, uint32_t index)
{
    struct waiting w = {.authorization = authorization, .index = index};
    LT_TRY(acme_authorization_load(t, authorization, &w.a));
    for (size_t i = 0; i < w.a.challenge_count; i++) {
        const Ipc__AcmeChallengeBody *b = w.a.challenges[i];
        bool pending = strcmp(b->status, acme_state_name(ACME_PENDING)) == 0;
        if (b->index == index && pending && w.a.status == ACME_PENDING) {
            w.token = b->token;
            w.method = b->type;
            return start(d, t, &w, ACME_PENDING, ACME_REPLY);
        }
    }
    LT_FAIL(LT_RETRY_BUSY, "acme: authorization %lld does not wait any more", (long long)authorization);
}

/* What a halted method proves is good for nothing: it is not looked at, and the client may take another. */
static lt_res check_method(const struct acme_call *c, const char *method)
{
    const struct ca_book *b = c->turn->book;
    LT_CHECK(!ca_halt_method(b->halts, b->halt_count, method), LT_POLICY_HALTED,
             "validation by %s is halted; take another challenge, or try again later", method);
    return LT_OK;
}

lt_res acme_challenge_reply(struct acme_call *c)
{
    struct waiting w = {0};
    Ipc__AcmeChallengeBody *b = NULL;
    enum acme_state status = ACME_STATE_NONE;
    bool refused = false;
    LT_TRY(find(c, &w.a, &b));
    if (b == NULL) {
        return LT_OK;
    }
    LT_TRY(acme_state_read(lt_slice_cstr(b->status), &status));
    if (status != ACME_PENDING) {
        return answer_challenge(c, b); /* said twice: nothing new happens */
    }
    lt_res halted = check_method(c, b->type);
    if (lt_failed(halted)) {
        return acme_refuse_error(c, halted, "malformed");
    }
    if (w.a.status != ACME_PENDING || w.a.expires.us <= c->turn->now.us) {
        return acme_refuse(c, acme_problem(c->turn->arena, "malformed",
                                           "The authorization is %s; make a new order.",
                                           w.a.status == ACME_PENDING ? acme_state_name(ACME_EXPIRED)
                                                                      : acme_state_name(w.a.status)));
    }
    LT_TRY(acme_limited(c, ACME_LIMIT_FAILURES, failure_key(c->turn->arena, c->account.id, w.a.identifier),
                        false, &refused));
    if (refused) {
        return LT_OK;
    }
    w.authorization = w.a.id;
    w.index = b->index;
    w.token = b->token;
    w.method = b->type;
    if (acme_mail_is(w.method)) {
        const struct acme_mail_for f = mail_for(&w);
        bool look = false;
        LT_TRY(acme_mail_again(c->desk, c->turn, &f, &look));
        if (!look) {
            return answer_challenge(c, b); /* letters are out: it waits for somebody's answer */
        }
    }
    LT_TRY(start(c->desk, c->turn, &w, status, ACME_REPLY));
    char *processing = lt_arena_cstr(c->turn->arena, lt_slice_cstr(acme_state_name(ACME_PROCESSING)));
    LT_CHECK(processing != NULL, LT_PEER_TOO_LARGE, "acme: the answer is too large");
    b->status = processing;
    return answer_challenge(c, b);
}

static lt_res load_waiting(struct ca_turn *t, int64_t authorization, uint32_t index, struct waiting *w)
{
    struct store_rows rows;
    lt_res r = LT_OK;
    memset(w, 0, sizeof *w);
    LT_TRY(store_query(t->store, &acme_sql[ACME_SQL_CHALLENGE_WAITING],
                       STORE_ARGS(STORE_I(authorization), STORE_I(index)), &rows));
    if (store_next(&rows)) {
        w->authorization = authorization;
        w->index = index;
        w->nonce = lt_arena_copy(t->arena, store_bytes(&rows, 0));
        w->token = lt_arena_cstr(t->arena, store_bytes(&rows, 1));
        w->method = lt_arena_cstr(t->arena, store_bytes(&rows, 2));
        w->a.id = authorization;
        w->a.type = lt_arena_cstr(t->arena, store_bytes(&rows, 3));
        w->a.identifier = lt_arena_cstr(t->arena, store_bytes(&rows, 4));
        w->a.account = store_int(&rows, 5);
        r = acme_state_read(store_bytes(&rows, 6), &w->a.status);
        w->a.wildcard = store_int(&rows, 7) != 0;
        w->a.expires.us = store_int(&rows, 8);
        w->a.subdomains = store_int(&rows, 9) != 0;
        w->started.us = store_int(&rows, 10);
    }
    LT_TRY(store_rows_end(&rows));
    LT_TRY(r);
    LT_CHECK(w->authorization == 0 || (w->nonce.ptr != NULL && w->token != NULL && w->method != NULL &&
                                       w->a.type != NULL && w->a.identifier != NULL),
             LT_PEER_TOO_LARGE, "acme: the validation is too large");
    return LT_OK;
}

lt_res acme_statement_discard(struct ca_turn *t, const Ipc__Validated *v, const char *why)
{
    struct lt_buf body;
    lt_buf_init(&body, ACME_EVENT_MAX);
    lt_buf_addf(&body, "{\"challenge\":%u,\"why\":\"%s\"}", v->challenge_index, why);
    return acme_event(t, "validation.discarded", "authorization", v->authorization_id, &body, (lt_slice){0});
}

static const char *why_discarded(const struct acme_desk *d, const struct ca_turn *t, const struct waiting *w,
                                 const Ipc__Validated *v)
{
    if (w->authorization == 0) {
        return "no validation was running";
    }
    if (!crypto_equal(w->nonce, acme_bytes(v->nonce))) {
        return "it is for another nonce";
    }
    const struct acme_asked asked = {.type = w->a.type,
                                     .name = w->a.identifier,
                                     .method = w->method,
                                     .wildcard = w->a.wildcard,
                                     .subdomains = w->a.subdomains,
                                     .since = w->started};
    const char *why = acme_statement_refusal(d, t, &asked, v);
    if (why != NULL) {
        return why;
    }
    if (!v->ok && (v->problem == NULL || acme_problem_status(v->problem->type) == 0)) {
        return "it fails without a known reason";
    }
    /*= CABF-BR 3.2.2.4 "DNSSEC validation back to the IANA DNSSEC root trust anchor MUST be performed" */
    if (v->ok && lt_slice_eq_cstr(lt_slice_cstr(v->dnssec), "bogus")) {
        return "it claims success over a bogus answer";
    }
    if (v->ok && v->caa != NULL && !lt_slice_eq_cstr(lt_slice_cstr(acme_caa_word(v->caa)), "permitted")) {
        return "it claims success against CAA";
    }
    return NULL;
}

static lt_res end_challenge(struct ca_turn *t, const struct waiting *w, const Ipc__Validated *v)
{
    enum acme_state to = ACME_STATE_NONE;
    struct lt_buf error;
    enum acme_step miss = acme_challenge_by_hand(w->method, w->a.type) ? ACME_MISS : ACME_FAIL;
    LT_TRY(acme_step(ACME_CHALLENGE, ACME_PROCESSING, v->ok ? ACME_PROVE : miss, &to));
    lt_buf_init(&error, PROBLEM_JSON_MAX);
    acme_problem_json(v->problem, &error);
    lt_res r = lt_buf_check(&error);
    if (!lt_failed(r)) {
        r = acme_step_exec(t->store, ACME_SQL_CHALLENGE_END,
                           STORE_ARGS(STORE_I(w->authorization), STORE_I(w->index),
                                      STORE_S(acme_state_name(to)), v->ok ? STORE_I(t->now.us) : STORE_N,
                                      v->ok ? STORE_N : STORE_T(lt_buf_slice(&error))));
    }
    lt_buf_done(&error);
    return r;
}

/* A failure that is the client's to mend. Ours is not counted, neither for limits nor for pausing. */
static void count_failure(struct acme_desk *d, struct ca_turn *t, const struct waiting *w,
                          const Ipc__Validated *v)
{
    if (strcmp(v->problem->type, "serverInternal") != 0) {
        (void)acme_rate_ask(d->rates, ACME_LIMIT_FAILURES,
                            failure_key(t->arena, w->a.account, w->a.identifier), t->now, true);
    }
}

/* Not met by hand: the random value stays good, a person mends what is missing and has it checked again. */
static lt_res settle_missed(struct acme_desk *d, struct ca_turn *t, const struct waiting *w,
                            const Ipc__Validated *v)
{
    struct lt_buf body;
    lt_buf_init(&body, ACME_EVENT_MAX);
    lt_buf_addf(&body, "{\"account\":%lld,\"method\":\"%s\",\"identifier\":", (long long)w->a.account,
                w->method);
    lt_json_add_string(&body, lt_slice_cstr(w->a.identifier));
    lt_buf_add_cstr(&body, ",\"error\":");
    acme_problem_json(v->problem, &body);
    lt_buf_add_byte(&body, '}');
    LT_TRY(acme_event(t, "authorization.missed", "authorization", w->authorization, &body, (lt_slice){0}));
    count_failure(d, t, w, v);
    return LT_OK;
}

static lt_res event_of_outcome(const struct acme_desk *d, struct ca_turn *t, const struct waiting *w,
                               const Ipc__Validated *v, const struct acme_corroboration *c)
{
    struct lt_buf body;
    lt_buf_init(&body, ACME_EVENT_MAX);
    lt_buf_addf(&body, "{\"account\":%lld,\"method\":\"%s\",\"identifier\":", (long long)w->a.account,
                w->method);
    lt_json_add_string(&body, lt_slice_cstr(w->a.identifier));
    acme_evidence_event(d, &body);
    if (c != NULL) {
        acme_corroboration_event(c, t->now, &body);
    }
    if (!v->ok) {
        lt_buf_add_cstr(&body, ",\"error\":");
        acme_problem_json(v->problem, &body);
    }
    lt_buf_add_byte(&body, '}');
    LT_TRY(v->ok ? LT_OK : ca_tally_failed(t));
    return acme_event(t, v->ok ? "authorization.valid" : "authorization.invalid", "authorization",
                      w->authorization, &body, (lt_slice){0});
}

/* Until when a proof of now may be used: the lesser of what we and the method's row say.
 *= CABF-BR 3.2.2.4.22 "CAs MUST consider 10 days as the maximum validation data reuse period" */
static lt_time usable_until(const struct acme_desk *d, lt_time now, const struct waiting *w)
{
    const struct validate_method *m = validate_method_find(w->method, w->a.type);
    int64_t seconds = acme_reuse_seconds(d, acme_challenge_by_hand(w->method, w->a.type), now);
    int64_t of_method = m == NULL ? seconds : validate_method_reuse_s(m, now);
    return lt_time_add_seconds(now, of_method < seconds ? of_method : seconds);
}

/* The whole of an outcome: challenge, evidence, authorization, event, orders, who waits. */
static lt_res settle(struct acme_desk *d, struct ca_turn *t, const struct waiting *w, const Ipc__Validated *v,
                     const struct acme_corroboration *c)
{
    Ipc__Problem *why = NULL;
    LT_TRY(end_challenge(t, w, v));
    LT_TRY(acme_evidence_add(d, t, v, c));
    /*= CABF-BR 3.2.2.4.7 "SHALL not use the Random Value after: 1. 30 days" */
    if (w->a.status != ACME_PENDING || w->a.expires.us <= t->now.us) {
        return LT_OK; /* deactivated or expired meanwhile: only the evidence remains */
    }
    if (!v->ok && acme_challenge_by_hand(w->method, w->a.type)) {
        return settle_missed(d, t, w, v);
    }
    lt_time expires = v->ok ? usable_until(d, t->now, w) : w->a.expires;
    LT_TRY(acme_authorization_step(t, &w->a, v->ok ? ACME_PROVE : ACME_FAIL, expires,
                                   v->ok ? t->now : (lt_time){0}));
    LT_TRY(event_of_outcome(d, t, w, v, c));
    if (!v->ok) {
        Ipc__Identifier name = IPC__IDENTIFIER__INIT;
        name.type = lt_arena_cstr(t->arena, lt_slice_cstr(w->a.type));
        name.value = lt_arena_cstr(t->arena, lt_slice_cstr(w->a.identifier));
        why = acme_problem(t->arena, v->problem->type, "%s could not be validated.", w->a.identifier);
        LT_CHECK(why != NULL && name.type != NULL && name.value != NULL, LT_PEER_TOO_LARGE,
                 "acme: the outcome is too large");
        LT_TRY(acme_problem_add(t->arena, why, v->problem->type, &name, v->problem->detail));
        count_failure(d, t, w, v);
        LT_TRY(acme_pause_count(d, t, &w->a, v->problem));
    } else {
        LT_TRY(acme_pause_clear(t, &w->a));
    }
    LT_TRY(acme_orders_follow(d, t, w->authorization, v->ok ? ACME_PROVE : ACME_FAIL, why));
    const struct acme_follow below = {&w->a, v->ok ? ACME_PROVE : ACME_FAIL, expires, why};
    LT_TRY(acme_ancestor_follow(d, t, &below));
    LT_TRY(acme_held_release(d, t, ACME_AUTHORIZATION, w->authorization));
    return v->ok ? acme_enrolments_follow(d, t, w->authorization) : LT_OK;
}

lt_res acme_desk_validated(struct acme_desk *d, struct ca_turn *t, const struct ipc_msg *m)
{
    const Ipc__Validated *v = (const Ipc__Validated *)(const void *)m->body;
    struct waiting w;
    bool taken = false;
    if (lt_slice_eq_cstr(lt_slice_cstr(v->method), "caa")) {
        return acme_caa_validated(d, t, v);
    }
    LT_TRY(acme_mail_contacts(d, t, v, &taken));
    if (taken) {
        return LT_OK;
    }
    LT_TRY(load_waiting(t, v->authorization_id, v->challenge_index, &w));
    const char *why = why_discarded(d, t, &w, v);
    if (why != NULL) {
        return acme_statement_discard(t, v, why);
    }
    if (w.a.status == ACME_PENDING && acme_again(d, t, v)) {
        return ask(d, t, &w);
    }
    if (!v->ok || w.a.status != ACME_PENDING || !acme_corroboration_wanted(d)) {
        return settle(d, t, &w, v, NULL);
    }
    Ipc__Validate *question = NULL;
    LT_TRY(make_question(d, t, &w, &question));
    return acme_corroboration_begin(d, t, question, v);
}

lt_res acme_challenge_settle(struct acme_desk *d, struct ca_turn *t, const Ipc__Validated *v,
                             const struct acme_corroboration *c)
{
    struct waiting w;
    LT_TRY(load_waiting(t, v->authorization_id, v->challenge_index, &w));
    const char *why = why_discarded(d, t, &w, v);
    return why != NULL ? acme_statement_discard(t, v, why) : settle(d, t, &w, v, c);
}

lt_res acme_challenges_ask_again(struct acme_desk *d, struct ca_turn *t, lt_time until, int64_t host)
{
    int64_t ids[ASK_STEP];
    uint32_t indices[ASK_STEP];
    size_t count = 0;
    do {
        struct store_rows rows;
        count = 0;
        LT_TRY(store_query(t->store, &acme_sql[ACME_SQL_CHALLENGE_RUNNING],
                           STORE_ARGS(STORE_I(until.us), STORE_I(ASK_STEP), STORE_I(host)), &rows));
        while (count < ASK_STEP && store_next(&rows)) {
            ids[count] = store_int(&rows, 0);
            indices[count] = (uint32_t)store_int(&rows, 1);
            count++;
        }
        LT_TRY(store_rows_end(&rows));
        for (size_t i = 0; i < count; i++) {
            struct waiting w;
            LT_TRY(load_waiting(t, ids[i], indices[i], &w));
            LT_TRY(start(d, t, &w, ACME_PROCESSING, ACME_RETRY));
        }
        /* What was asked again has started now, and is not before `until` any more. */
    } while (count == ASK_STEP);
    return LT_OK;
}
