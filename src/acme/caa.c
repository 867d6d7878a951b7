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

#define METHOD_CAA "caa"
#define OUR_FAULT "serverInternal"

bool acme_caa_stale(const struct acme_desk *d, const struct ca_issue_name *n, lt_time now)
{
    /* CAA is about names. A CA that has no domain of its own to be named by cannot ask: then nothing is
     * issued by a public profile (public.c). */
    if (d->config->caa_identity_count == 0 || strcmp(n->type, "dns") != 0) {
        return false;
    }
    /*= CABF-BR 3.2.2.8 "it MUST do so within the TTL of the CAA record, or 8 hours, whichever is greater" —
     * we take 8 hours, however much longer a TTL is: who may issue is known anew each day. */
    int64_t most_s = ca_limit_at(CA_LIMIT_CAA_REUSE_S, now) - MARGIN_S;
    return n->caa_checked.us <= 0 || n->caa_checked.us > now.us ||
           lt_time_add_seconds(n->caa_checked, most_s).us <= now.us;
}

/* One row: what is asked about which name. */
struct question {
    int64_t order; /* 0: there is none */
    int64_t authorization;
    int64_t account;
    const char *name; /* as the order has it, "*." included */
    const char *proven_by;
    lt_time asked;
};

/* As the validator gets it; each perspective the same with a nonce of its own. In the turn's arena. */
static lt_res make(const struct acme_desk *d, struct ca_turn *t, const struct question *q, lt_slice nonce,
                   Ipc__Validate **ret_question)
{
    static char dns[] = "dns";
    Ipc__Validate *v = LT_NEW(t->arena, Ipc__Validate);
    Ipc__Identifier *name = LT_NEW(t->arena, Ipc__Identifier);
    lt_slice kept = lt_arena_copy(t->arena, nonce);
    LT_CHECK(v != NULL && name != NULL && kept.ptr != NULL, LT_PEER_TOO_LARGE,
             "acme: the question is too large");
    ipc__validate__init(v);
    ipc__identifier__init(name);
    name->type = dns;
    name->value = lt_arena_cstr(t->arena, lt_slice_cstr(acme_name_base(q->name)));
    v->authorization_id = q->authorization;
    v->nonce = (ProtobufCBinaryData){kept.len, (uint8_t *)(uintptr_t)kept.ptr};
    v->identifier = name;
    v->method = lt_arena_cstr(t->arena, lt_slice_cstr(METHOD_CAA));
    v->token = lt_arena_cstr(t->arena, lt_slice_cstr(q->proven_by));
    v->account_id = q->account;
    v->account_uri = lt_arena_printf(t->arena, "%s/acme/account/%lld", d->config->base_url,
                                     (long long)q->account);
    v->wildcard = acme_name_is_wildcard(q->name);
    LT_CHECK(name->value != NULL && v->method != NULL && v->token != NULL && v->account_uri != NULL,
             LT_PEER_TOO_LARGE, "acme: the question is too large");
    memcpy(&v->issuer_domains, &d->config->caa_identities, sizeof v->issuer_domains); /* encoded at once */
    v->n_issuer_domains = d->config->caa_identity_count;
    *ret_question = v;
    return LT_OK;
}

/* Writes the row, with a fresh nonce, and asks. */
static lt_res ask(struct acme_desk *d, struct ca_turn *t, const struct question *q)
{
    uint8_t nonce[ACME_STATEMENT_NONCE];
    Ipc__Validate *v = NULL;
    d->random(nonce, sizeof nonce);
    LT_TRY(store_exec(t->store, &acme_sql[ACME_SQL_CAA_ASK],
                      STORE_ARGS(STORE_I(q->order), STORE_S(q->name), STORE_I(q->authorization),
                                 STORE_S(q->proven_by), STORE_B(LT_SLICE(nonce, sizeof nonce)),
                                 STORE_I(t->now.us), STORE_I(ca_host_id(t))),
                      NULL));
    LT_TRY(make(d, t, q, LT_SLICE(nonce, sizeof nonce), &v));
    return ca_turn_send(t, IPC_VALIDATOR, IPC_VALIDATE, (uint64_t)q->authorization, &v->base);
}

lt_res acme_caa_ask(struct acme_desk *d, struct ca_turn *t, const struct acme_proofs *p, size_t *ret_asked)
{
    *ret_asked = 0;
    for (size_t i = 0; i < p->count; i++) {
        const struct ca_issue_name *n = &p->names[i];
        if (acme_caa_stale(d, n, t->now)) {
            const struct question q = {
                .order = p->order->id,
                .authorization = n->authorization_id,
                .account = p->order->account,
                .name = lt_arena_cstr(t->arena, n->value),
                .proven_by = n->method,
            };
            LT_CHECK(q.name != NULL, LT_PEER_TOO_LARGE, "acme: the question is too large");
            LT_TRY(ask(d, t, &q));
            *ret_asked += 1;
        }
    }
    return LT_OK;
}

/* --- answers -------------------------------------------------------------------------------------------- */

static lt_res find_question(struct ca_turn *t, const Ipc__Validated *v, struct question *q)
{
    struct store_rows rows;
    *q = (struct question){.order = 0, .authorization = v->authorization_id};
    LT_TRY(store_query(t->store, &acme_sql[ACME_SQL_CAA_WAITING],
                       STORE_ARGS(STORE_I(v->authorization_id), STORE_B(acme_bytes(v->nonce))), &rows));
    if (store_next(&rows)) {
        q->order = store_int(&rows, 0);
        q->name = lt_arena_cstr(t->arena, store_bytes(&rows, 1));
        q->proven_by = lt_arena_cstr(t->arena, store_bytes(&rows, 2));
        q->asked.us = store_int(&rows, 3);
        q->account = store_int(&rows, 4);
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(q->order == 0 || (q->name != NULL && q->proven_by != NULL), LT_PEER_TOO_LARGE,
             "acme: the statement is too large");
    return LT_OK;
}

static const char *why_discarded(const struct acme_desk *d, const struct ca_turn *t, const struct question *q,
                                 const Ipc__Validated *v)
{
    if (q->order == 0) {
        return "no such check of CAA was running";
    }
    const struct acme_asked asked = {.type = "dns",
                                     .name = acme_name_base(q->name),
                                     .method = METHOD_CAA,
                                     .wildcard = acme_name_base(q->name) != q->name,
                                     .since = q->asked};
    const char *why = acme_statement_refusal(d, t, &asked, v);
    return why == NULL && v->ok && v->caa == NULL ? "it permits without having looked at the name" : why;
}

/* What comes of it, as the row's status. */
static const char *word_of(const Ipc__Validated *v)
{
    const char *word = acme_caa_word(v->caa);
    bool forbidden = strcmp(word, "forbidden") == 0 ||
                     (!v->ok && v->problem != NULL && strcmp(v->problem->type, METHOD_CAA) == 0);
    bool ours = !v->ok && v->problem != NULL && strcmp(v->problem->type, OUR_FAULT) == 0;
    return v->ok && strcmp(word, "permitted") == 0 ? "permitted"
           : forbidden                             ? "forbidden"
           : ours                                  ? "unanswered"
                                                   : "failed";
}

static void print(const Ipc__Validated *v, const struct acme_corroboration *c, lt_time now,
                  struct lt_buf *out)
{
    lt_buf_add_cstr(out, "{\"perspective\":");
    lt_json_add_string(out, lt_slice_cstr(v->perspective));
    lt_buf_add_cstr(out, ",\"resolver\":");
    lt_json_add_string(out, lt_slice_cstr(v->resolver));
    lt_buf_add_cstr(out, ",\"build\":");
    lt_json_add_string(out, lt_slice_cstr(v->build));
    lt_buf_add_cstr(out, ",\"caa\":");
    acme_caa_json(v->caa, out);
    lt_buf_add_cstr(out, ",\"problem\":");
    acme_problem_json(v->problem, out);
    if (c != NULL) {
        acme_corroboration_event(c, now, out);
    }
    lt_buf_add_byte(out, '}');
}

static lt_res end_question(struct acme_desk *d, struct ca_turn *t, const struct question *q,
                           const Ipc__Validated *v, const struct acme_corroboration *c)
{
    struct lt_buf json;
    const char *word = word_of(v);
    bool permitted = strcmp(word, "permitted") == 0;
    LT_TRY(acme_evidence_add(d, t, v, c));
    lt_buf_init(&json, STATEMENT_MAX);
    print(v, c, t->now, &json);
    lt_res r = lt_buf_check(&json);
    if (!lt_failed(r)) {
        r = acme_step_exec(t->store, ACME_SQL_CAA_END,
                           STORE_ARGS(STORE_I(q->order), STORE_S(q->name), STORE_S(word),
                                      permitted ? STORE_I(acme_caa_time(v->caa, t->now).us) : STORE_N,
                                      STORE_T(lt_buf_slice(&json))));
    }
    lt_buf_done(&json);
    return r;
}

/*= CABF-BR 3.2.2.8 "CAs MUST document potential issuances that were prevented by a CAA record in sufficient
 * detail to provide feedback to the CA/Browser Forum on the circumstances" */
static lt_res event_of(const struct acme_desk *d, struct ca_turn *t, const struct question *q,
                       const Ipc__Validated *v, const struct acme_corroboration *c)
{
    struct lt_buf body;
    bool wildcard = acme_name_is_wildcard(q->name);
    lt_buf_init(&body, ACME_EVENT_MAX);
    lt_buf_addf(&body,
                "{\"authorization\":%lld,\"outcome\":\"%s\",\"identifier\":", (long long)q->authorization,
                word_of(v));
    lt_json_add_string(&body, lt_slice_cstr(acme_name_base(q->name)));
    lt_buf_addf(&body, ",\"wildcard\":%s", wildcard ? "true" : "false");
    acme_evidence_event(d, &body);
    if (c != NULL) {
        acme_corroboration_event(c, t->now, &body);
    }
    lt_buf_add_byte(&body, '}');
    return acme_event(t, "caa.checked", "order", q->order, &body, (lt_slice){0});
}

lt_res acme_caa_settle(struct acme_desk *d, struct ca_turn *t, const Ipc__Validated *v,
                       const struct acme_corroboration *c)
{
    struct question q;
    LT_TRY(find_question(t, v, &q));
    const char *why = why_discarded(d, t, &q, v);
    if (why != NULL) {
        return acme_statement_discard(t, v, why);
    }
    LT_TRY(end_question(d, t, &q, v, c));
    LT_TRY(event_of(d, t, &q, v, c));
    return acme_order_proceed(d, t, q.order);
}

/*= CABF-BR 3.2.2.9 "If the CA does NOT rely on the same set of Network Perspectives for both Domain
 * Authorization or Control and CAA Record checks, the quorum requirements MUST be met for both sets of
 * Network Perspectives" */
lt_res acme_caa_validated(struct acme_desk *d, struct ca_turn *t, const Ipc__Validated *v)
{
    struct question q;
    Ipc__Validate *question = NULL;
    LT_TRY(find_question(t, v, &q));
    if (why_discarded(d, t, &q, v) == NULL) {
        if (acme_again(d, t, v)) {
            return ask(d, t, &q);
        }
        if (acme_corroboration_wanted(d) && strcmp(word_of(v), "permitted") == 0) {
            LT_TRY(make(d, t, &q, acme_bytes(v->nonce), &question));
            return acme_corroboration_begin(d, t, question, v);
        }
    }
    return acme_caa_settle(d, t, v, NULL);
}

/* --- the order's whole ---------------------------------------------------------------------------------- */

/* What a row's status means for the order; a later one outweighs an earlier. */
static const struct refusal {
    const char *status;
    const char *type;
    const char *detail;
} refusals[] = {
    {"unanswered", OUR_FAULT,
     "Too few of this CA's perspectives could look CAA up. That is a fault of the CA, not of the name; try "
     "again later."},
    {"failed", "dns",
     "CAA could not be looked up, or not by enough perspectives; no answer is no permission (CA/B BR "
     "3.2.2.8)."},
    {"forbidden", METHOD_CAA, "A CAA record forbids this CA to issue for the name (RFC 8659)."},
};

/* What is not known counts as failed. */
static const struct refusal *refusal_of(lt_slice status)
{
    const struct refusal *found = &refusals[1];
    for (size_t i = 0; i < LT_COUNT(refusals); i++) {
        found = lt_slice_eq_cstr(status, refusals[i].status) ? &refusals[i] : found;
    }
    return found;
}

/* One name that was refused, as a subproblem; the order's own words are those of the worst. */
static lt_res add_refused(struct ca_turn *t, const struct store_rows *rows, const struct refusal *refusal,
                          const struct refusal **worst, Ipc__Problem **p)
{
    static char dns[] = "dns";
    Ipc__Identifier name = IPC__IDENTIFIER__INIT;
    name.type = dns;
    name.value = lt_arena_cstr(t->arena, store_bytes(rows, 0));
    LT_CHECK(name.value != NULL, LT_PEER_TOO_LARGE, "acme: too many names");
    if (*worst == NULL || refusal > *worst) {
        Ipc__Problem *worse = acme_problem(t->arena, refusal->type,
                                           "CAA was asked again before issuance: %s: %s", name.value,
                                           refusal->detail);
        LT_CHECK(worse != NULL, LT_PEER_TOO_LARGE, "acme: too many names");
        worse->n_subproblems = *p == NULL ? 0 : (*p)->n_subproblems;
        worse->subproblems = *p == NULL ? NULL : (*p)->subproblems;
        *worst = refusal;
        *p = worse;
    }
    return acme_problem_add(t->arena, *p, refusal->type, &name, refusal->detail);
}

lt_res acme_caa_outcome(struct ca_turn *t, int64_t order_id, size_t *ret_missing, Ipc__Problem **ret_problem)
{
    struct store_rows rows;
    const struct refusal *worst = NULL;
    lt_res r = LT_OK;
    *ret_missing = 0;
    *ret_problem = NULL;
    LT_TRY(store_query(t->store, &acme_sql[ACME_SQL_CAA_OF_ORDER], STORE_ARGS(STORE_I(order_id)), &rows));
    while (!lt_failed(r) && store_next(&rows)) {
        lt_slice status = store_bytes(&rows, 1);
        if (lt_slice_eq_cstr(status, "asked")) {
            *ret_missing += 1;
        } else if (!lt_slice_eq_cstr(status, "permitted")) {
            r = add_refused(t, &rows, refusal_of(status), &worst, ret_problem);
        }
    }
    LT_TRY(store_rows_end(&rows));
    return r;
}

lt_res acme_caa_ask_again(struct acme_desk *d, struct ca_turn *t, lt_time until, int64_t host)
{
    struct question *list = LT_NEW_ARRAY(t->arena, struct question, ASK_STEP);
    size_t count = 0;
    LT_CHECK(list != NULL, LT_PEER_TOO_LARGE, "acme: too many questions");
    do {
        struct store_rows rows;
        bool fits = true;
        count = 0;
        LT_TRY(store_query(t->store, &acme_sql[ACME_SQL_CAA_RUNNING],
                           STORE_ARGS(STORE_I(until.us), STORE_I(ASK_STEP), STORE_I(host)), &rows));
        while (count < ASK_STEP && store_next(&rows)) {
            struct question *q = &list[count++];
            *q = (struct question){.order = store_int(&rows, 0),
                                   .name = lt_arena_cstr(t->arena, store_bytes(&rows, 1)),
                                   .authorization = store_int(&rows, 2),
                                   .proven_by = lt_arena_cstr(t->arena, store_bytes(&rows, 3)),
                                   .account = store_int(&rows, 4)};
            fits = fits && q->name != NULL && q->proven_by != NULL;
        }
        LT_TRY(store_rows_end(&rows));
        LT_CHECK(fits, LT_PEER_TOO_LARGE, "acme: too many questions");
        for (size_t i = 0; i < count; i++) {
            LT_TRY(ask(d, t, &list[i]));
        }
        /* As with challenges: what was asked again was asked now. */
    } while (count == ASK_STEP);
    return LT_OK;
}
