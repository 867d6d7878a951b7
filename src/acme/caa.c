/* CAA asked again between finalize and intent, where what validation saw is too old.
 *
 * A row for each name, each with a nonce of its own, and each question is made from the row's own
 * authorization: no question is ever made from another one. The order goes on when every row is answered, and
 * finalize_plan.c counts the names again before it plans.
 */
#include <string.h>

#include "acme/desk_private.h"
#include "base/text.h"
#include "ca/limits.h"

enum {
    ASK_STEP = 200,
    STATEMENT_MAX = 64 * 1024,
    MARGIN_S = 300, /* between our look at the time and the examiner's */
    PROBLEM_DETAIL_MAX = 512,
};

static const char method_caa[] = "caa";

bool acme_caa_stale(const struct acme_desk *d, const struct ca_issue_name *n, lt_time now)
{
    /* CAA is about names; a CA that has no domain of its own to be named by cannot ask. */
    if (d->config->caa_identity_count == 0 || strcmp(n->type, "dns") != 0) {
        return false;
    }
    /*= CABF-BR 3.2.2.8 "it MUST do so within the TTL of the CAA record, or 8 hours, whichever is greater" */
    int64_t most_s = ca_limit_at(CA_LIMIT_CAA_REUSE_S, now) - MARGIN_S;
    return n->caa_checked.us <= 0 || n->caa_checked.us > now.us ||
           lt_time_add_seconds(n->caa_checked, most_s).us <= now.us;
}

/* Row and question of one authorization. */
static lt_res ask_one(struct acme_desk *d, struct ca_turn *t, int64_t order, int64_t authorization,
                      const char *proven_by)
{
    struct acme_authorization a;
    uint8_t nonce[ACME_STATEMENT_NONCE];
    Ipc__Identifier name = IPC__IDENTIFIER__INIT;
    Ipc__Validate v = IPC__VALIDATE__INIT;
    LT_TRY(acme_authorization_load(t, authorization, &a));
    LT_CHECK(a.id != 0, LT_STATE_CORRUPT, "acme: authorization %lld is gone", (long long)authorization);
    d->random(nonce, sizeof nonce);
    LT_TRY(store_exec(t->store, &acme_sql[ACME_SQL_CAA_ASK],
                      STORE_ARGS(STORE_I(order), STORE_I(authorization),
                                 STORE_B(LT_SLICE(nonce, sizeof nonce)), STORE_I(t->now.us)),
                      NULL));
    name.type = lt_arena_cstr(t->arena, lt_slice_cstr(a.type));
    name.value = lt_arena_cstr(t->arena, lt_slice_cstr(a.identifier));
    v.authorization_id = authorization;
    v.nonce = (ProtobufCBinaryData){sizeof nonce, nonce};
    v.identifier = &name;
    v.method = lt_arena_cstr(t->arena, LT_LIT("caa"));
    v.token = lt_arena_cstr(t->arena, lt_slice_cstr(proven_by));
    v.account_id = a.account;
    v.account_uri = lt_arena_printf(t->arena, "%s/acme/account/%lld", d->config->base_url,
                                    (long long)a.account);
    v.wildcard = a.wildcard;
    LT_CHECK(name.type != NULL && name.value != NULL && v.method != NULL && v.token != NULL &&
                 v.account_uri != NULL,
             LT_PEER_TOO_LARGE, "acme: the question is too large");
    memcpy(&v.issuer_domains, &d->config->caa_identities, sizeof v.issuer_domains); /* encoded at once */
    v.n_issuer_domains = d->config->caa_identity_count;
    return ca_turn_send(t, IPC_VALIDATOR, IPC_VALIDATE, (uint64_t)authorization, &v.base);
}

lt_res acme_caa_ask(struct acme_desk *d, struct ca_turn *t, const struct acme_proofs *p, size_t *ret_asked)
{
    *ret_asked = 0;
    for (size_t i = 0; i < p->count; i++) {
        const struct ca_issue_name *n = &p->names[i];
        if (acme_caa_stale(d, n, t->now)) {
            LT_TRY(ask_one(d, t, p->order->id, n->authorization_id, n->method));
            *ret_asked += 1;
        }
    }
    return LT_OK;
}

/* --- answers -------------------------------------------------------------------------------------------- */

struct question {
    int64_t order; /* 0: there is none */
    lt_time asked;
    const char *type;
    const char *identifier;
    bool wildcard;
};

static lt_res find_question(struct ca_turn *t, const Ipc__Validated *v, struct question *q)
{
    struct store_rows rows;
    memset(q, 0, sizeof *q);
    LT_TRY(store_query(t->store, &acme_sql[ACME_SQL_CAA_WAITING],
                       STORE_ARGS(STORE_I(v->authorization_id), STORE_B(acme_bytes(v->nonce))), &rows));
    if (store_next(&rows)) {
        q->order = store_int(&rows, 0);
        q->asked.us = store_int(&rows, 1);
        q->type = lt_arena_cstr(t->arena, store_bytes(&rows, 2));
        q->identifier = lt_arena_cstr(t->arena, store_bytes(&rows, 3));
        q->wildcard = store_int(&rows, 4) != 0;
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(q->order == 0 || (q->type != NULL && q->identifier != NULL), LT_PEER_TOO_LARGE,
             "acme: the statement is too large");
    return LT_OK;
}

/* Did it begin its way up at the name itself? A statement about CAA that looked elsewhere is none. */
static bool looked_at(const Ipc__CaaCheck *caa, const char *name)
{
    return caa->n_looked_up > 0 && lt_slice_eq_cstr(lt_slice_cstr(caa->looked_up[0]), name);
}

static const char *why_discarded(const struct question *q, const Ipc__Validated *v)
{
    if (q->order == 0) {
        return "no such check of CAA was running";
    }
    if (v->identifier == NULL || strcmp(v->identifier->type, q->type) != 0 ||
        strcmp(v->identifier->value, q->identifier) != 0) {
        return "it is about another name";
    }
    if (v->ok && (v->caa == NULL || !looked_at(v->caa, q->identifier))) {
        return "it permits without having looked at the name";
    }
    return v->ok && v->caa->checked_us < lt_time_add_seconds(q->asked, -MARGIN_S).us
               ? "it is older than its question"
               : NULL;
}

static lt_res write_answer(struct ca_turn *t, const struct question *q, const Ipc__Validated *v)
{
    struct lt_buf json;
    const char *word = acme_caa_word(v->caa);
    bool permitted = v->ok && strcmp(word, "permitted") == 0;
    if (!permitted && strcmp(word, "forbidden") != 0) {
        word = "failed"; /* the validator says no in whatever way */
    }
    lt_time when = v->caa == NULL ? t->now : acme_caa_time(v->caa, t->now);
    lt_buf_init(&json, STATEMENT_MAX);
    lt_buf_add_cstr(&json, "{\"perspective\":");
    lt_json_add_string(&json, lt_slice_cstr(v->perspective));
    lt_buf_add_cstr(&json, ",\"resolver\":");
    lt_json_add_string(&json, lt_slice_cstr(v->resolver));
    lt_buf_add_cstr(&json, ",\"build\":");
    lt_json_add_string(&json, lt_slice_cstr(v->build));
    lt_buf_add_cstr(&json, ",\"caa\":");
    acme_caa_json(v->caa, &json);
    lt_buf_add_cstr(&json, ",\"problem\":");
    acme_problem_json(v->problem, &json);
    lt_buf_add_byte(&json, '}');
    lt_res r = lt_buf_check(&json);
    if (!lt_failed(r)) {
        r = acme_step_exec(t->store, ACME_SQL_CAA_END,
                           STORE_ARGS(STORE_I(q->order), STORE_I(v->authorization_id), STORE_S(word),
                                      permitted ? STORE_I(when.us) : STORE_N, STORE_T(lt_buf_slice(&json))));
    }
    struct lt_buf body;
    lt_buf_init(&body, ACME_EVENT_MAX);
    lt_buf_addf(&body,
                "{\"authorization\":%lld,\"outcome\":\"%s\",\"identifier\":", (long long)v->authorization_id,
                word);
    lt_json_add_string(&body, lt_slice_cstr(q->identifier));
    lt_buf_addf(&body, ",\"wildcard\":%s}", q->wildcard ? "true" : "false");
    lt_buf_done(&json);
    if (lt_failed(r)) {
        lt_buf_done(&body);
        return r;
    }
    return acme_event(t, "caa.checked", "order", q->order, &body, (lt_slice){0});
}

lt_res acme_caa_validated(struct acme_desk *d, struct ca_turn *t, const Ipc__Validated *v)
{
    struct question q;
    LT_TRY(find_question(t, v, &q));
    const char *why = why_discarded(&q, v);
    if (why != NULL) {
        return acme_statement_discard(t, v, why);
    }
    LT_TRY(write_answer(t, &q, v));
    return acme_order_proceed(d, t, q.order);
}

/* --- the order's whole ---------------------------------------------------------------------------------- */

/* One name that was refused, as a subproblem. */
static lt_res add_refused(struct ca_turn *t, const struct store_rows *rows, bool forbidden, Ipc__Problem **p)
{
    static char dns[] = "dns";
    Ipc__Identifier name = IPC__IDENTIFIER__INIT;
    const char *star = store_int(rows, 4) != 0 ? "*." : "";
    const char *type = forbidden ? method_caa : dns;
    const char *detail = forbidden ? "A CAA record forbids this CA to issue for the name (RFC 8659)."
                                   : "CAA could not be looked up; no answer is no permission (CA/B BR "
                                     "3.2.2.8).";
    name.type = dns;
    name.value = lt_arena_printf(t->arena, "%s%.*s", star, LT_FMT(store_bytes(rows, 3)));
    LT_CHECK(name.value != NULL, LT_PEER_TOO_LARGE, "acme: too many names");
    if (*p == NULL) {
        *p = acme_problem(t->arena, type, "CAA was asked again before issuance: %s: %s", name.value, detail);
    } else if (forbidden && strcmp((*p)->type, dns) == 0) {
        /* What is forbidden outweighs what could not be seen. */
        Ipc__Problem *worse = acme_problem(t->arena, type, "CAA was asked again before issuance: %s: %s",
                                           name.value, detail);
        LT_CHECK(worse != NULL, LT_PEER_TOO_LARGE, "acme: too many names");
        worse->n_subproblems = (*p)->n_subproblems;
        worse->subproblems = (*p)->subproblems;
        *p = worse;
    }
    LT_CHECK(*p != NULL, LT_PEER_TOO_LARGE, "acme: too many names");
    return acme_problem_add(t->arena, *p, type, &name, detail);
}

lt_res acme_caa_outcome(struct ca_turn *t, int64_t order_id, size_t *ret_missing, Ipc__Problem **ret_problem)
{
    struct store_rows rows;
    lt_res r = LT_OK;
    *ret_missing = 0;
    *ret_problem = NULL;
    LT_TRY(store_query(t->store, &acme_sql[ACME_SQL_CAA_OF_ORDER], STORE_ARGS(STORE_I(order_id)), &rows));
    while (!lt_failed(r) && store_next(&rows)) {
        lt_slice status = store_bytes(&rows, 1);
        bool forbidden = lt_slice_eq_cstr(status, "forbidden");
        if (lt_slice_eq_cstr(status, "asked")) {
            *ret_missing += 1;
        } else if (forbidden || !lt_slice_eq_cstr(status, "permitted")) {
            r = add_refused(t, &rows, forbidden, ret_problem);
        }
    }
    LT_TRY(store_rows_end(&rows));
    return r;
}

/* What the authorization was proven by: validationmethods is held against it. */
static lt_res ask_row_again(struct acme_desk *d, struct ca_turn *t, int64_t order, int64_t authorization)
{
    struct acme_order o;
    struct acme_proofs p;
    LT_TRY(acme_order_load(t, order, &o));
    LT_CHECK(o.id != 0, LT_STATE_CORRUPT, "acme: order %lld is gone", (long long)order);
    lt_res r = acme_proofs_collect(t, &o, &p);
    if (r.code == LT_PEER_CONFLICT) {
        return ask_one(d, t, order, authorization, ""); /* it fails for that reason when it goes on */
    }
    LT_TRY(r);
    for (size_t i = 0; i < p.count; i++) {
        if (p.names[i].authorization_id == authorization) {
            return ask_one(d, t, order, authorization, p.names[i].method);
        }
    }
    LT_FAIL(LT_STATE_CORRUPT, "acme: order %lld has no authorization %lld", (long long)order,
            (long long)authorization);
}

lt_res acme_caa_ask_again(struct acme_desk *d, struct ca_turn *t, lt_time until)
{
    int64_t orders[ASK_STEP];
    int64_t authorizations[ASK_STEP];
    size_t count = 0;
    do {
        struct store_rows rows;
        count = 0;
        LT_TRY(store_query(t->store, &acme_sql[ACME_SQL_CAA_RUNNING],
                           STORE_ARGS(STORE_I(until.us), STORE_I(ASK_STEP)), &rows));
        while (count < ASK_STEP && store_next(&rows)) {
            orders[count] = store_int(&rows, 0);
            authorizations[count] = store_int(&rows, 1);
            count++;
        }
        LT_TRY(store_rows_end(&rows));
        for (size_t i = 0; i < count; i++) {
            LT_TRY(ask_row_again(d, t, orders[i], authorizations[i]));
        }
        /* As with challenges: what was asked again was asked now. */
    } while (count == ASK_STEP);
    return LT_OK;
}
