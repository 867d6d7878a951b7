/* What proves the names of an order: for each name its own authorization, how old it is, and when CAA was
 * looked at for that very name.
 */
#include <stdlib.h>
#include <string.h>

#include "acme/desk_private.h"
#include "base/text.h"
#include "ca/limits.h"
#include "validate/methods.h"

/* One authorization of the order. */
struct proof {
    struct ca_issue_name name; /* value: its identifier, without "*." */
    bool wildcard;
};

/*= CABF-BR 4.2.1 "any data, document, or completed validation used MUST be obtained within the maximum number
 * of days prior to issuing the Certificate" */
static bool run_out(const struct ca_issue_name *n, lt_time now)
{
    const struct validate_method *m = validate_method_find(n->method, n->type);
    int64_t rule_s = ca_limit_at(CA_LIMIT_DOMAIN_REUSE_S, now);
    int64_t method_s = m == NULL ? 0 : validate_method_reuse_s(m, now);
    return lt_time_add_seconds(n->validated, method_s < rule_s ? method_s : rule_s).us <= now.us;
}

/* How long an authorization may be used again is our own rule, for requests to come; the request that waited
 * was made in time. How old a proof may be is everybody's, up to the last moment. */
static lt_res read_proof(struct ca_turn *t, const struct store_rows *rows, lt_time requested, struct proof *p)
{
    enum acme_state status = ACME_STATE_NONE;
    struct ca_issue_name *n = &p->name;
    LT_TRY(acme_state_read(store_bytes(rows, 4), &status));
    n->authorization_id = store_int(rows, 0);
    n->type = lt_arena_cstr(t->arena, store_bytes(rows, 1));
    n->value = lt_arena_copy(t->arena, store_bytes(rows, 2));
    n->method = lt_arena_cstr(t->arena, store_bytes(rows, 8));
    n->views = lt_arena_cstr(t->arena, store_bytes(rows, 12));
    LT_CHECK(n->type != NULL && n->value.ptr != NULL && n->method != NULL && n->views != NULL,
             LT_PEER_TOO_LARGE, "acme: too many names");
    p->wildcard = store_int(rows, 3) != 0;
    n->validated.us = store_int(rows, 6);
    n->dimension = store_int(rows, 7);
    n->caa_checked.us = lt_slice_eq_cstr(store_bytes(rows, 9), "permitted") ? store_int(rows, 10) : 0;
    n->agreed = (uint64_t)store_int(rows, 11);
    n->quorum = __builtin_popcountll(n->agreed);
    LT_CHECK(status == ACME_VALID && store_int(rows, 5) > requested.us && !run_out(n, t->now),
             LT_PEER_CONFLICT, "the proof for %.*s has run out", LT_FMT(n->value));
    return LT_OK;
}

static lt_res read_proofs(struct ca_turn *t, const struct acme_order *o, lt_time requested,
                          struct proof *proofs, size_t *ret_count)
{
    struct store_rows rows;
    lt_res r = LT_OK;
    size_t count = 0;
    LT_TRY(store_query(t->store, &acme_sql[ACME_SQL_ORDER_EVIDENCE], STORE_ARGS(STORE_I(o->id)), &rows));
    while (!lt_failed(r) && count < o->names.count && store_next(&rows)) {
        r = read_proof(t, &rows, requested, &proofs[count]);
        count++;
    }
    LT_TRY(store_rows_end(&rows));
    *ret_count = count;
    return r;
}

static bool is_of(const struct proof *p, const Ipc__Identifier *id)
{
    return strcmp(p->name.type, id->type) == 0 && p->wildcard == acme_name_is_wildcard(id->value) &&
           lt_slice_eq_cstr(p->name.value, acme_name_base(id->value));
}

static lt_res prove(const struct proof *proofs, size_t count, const Ipc__Identifier *id,
                    struct ca_issue_name *ret)
{
    const struct proof *found = NULL;
    for (size_t i = 0; i < count; i++) {
        found = is_of(&proofs[i], id) ? &proofs[i] : found;
    }
    LT_CHECK(found != NULL, LT_PEER_CONFLICT, "not every name of the order is proven: %s", id->value);
    *ret = found->name;
    ret->value = lt_slice_cstr(id->value);
    return LT_OK;
}

static int by_value(const void *left, const void *right)
{
    const struct ca_issue_name *a = left;
    const struct ca_issue_name *b = right;
    int by_name = lt_slice_cmp(a->value, b->value);
    return by_name != 0 ? by_name : strcmp(a->type, b->type);
}

struct ca_issue_name *acme_proofs_find(const struct acme_proofs *p, const char *type, lt_slice value)
{
    const struct ca_issue_name key = {.type = type, .value = value};
    return bsearch(&key, p->names, p->count, sizeof key, by_value);
}

/* Checks of CAA that were made for this order, each for the name that it asked for. */
static lt_res add_checks(struct ca_turn *t, struct acme_proofs *p)
{
    struct store_rows rows;
    LT_TRY(store_query(t->store, &acme_sql[ACME_SQL_CAA_OF_ORDER], STORE_ARGS(STORE_I(p->order->id)), &rows));
    while (store_next(&rows)) {
        struct ca_issue_name *n = acme_proofs_find(p, "dns", store_bytes(&rows, 0));
        bool counts = n != NULL && lt_slice_eq_cstr(store_bytes(&rows, 1), "permitted") &&
                      store_int(&rows, 3) == n->authorization_id && store_int(&rows, 2) > n->caa_checked.us;
        if (counts) {
            n->caa_checked.us = store_int(&rows, 2);
        }
    }
    return store_rows_end(&rows);
}

lt_res acme_proofs_collect(struct ca_turn *t, const struct acme_order *o, lt_time requested,
                           struct acme_proofs *ret_proofs)
{
    size_t count = 0;
    struct ca_issue_name *names = LT_NEW_ARRAY(t->arena, struct ca_issue_name, o->names.count);
    struct proof *proofs = LT_NEW_ARRAY(t->arena, struct proof, o->names.count);
    LT_CHECK(names != NULL && proofs != NULL, LT_PEER_TOO_LARGE, "acme: too many names");
    LT_TRY(read_proofs(t, o, requested, proofs, &count));
    for (size_t i = 0; i < o->names.count; i++) {
        LT_TRY(prove(proofs, count, o->names.list[i], &names[i]));
    }
    qsort(names, o->names.count, sizeof names[0], by_value);
    *ret_proofs = (struct acme_proofs){names, o->names.count, o};
    return add_checks(t, ret_proofs);
}

/* --- proofs that are none ------------------------------------------------------------------------------- */

/* And what rests on it: names below, and other orders. */
static lt_res revoke(struct acme_desk *d, struct ca_turn *t, int64_t id, const char *why)
{
    struct acme_authorization a;
    struct lt_buf body;
    LT_TRY(acme_authorization_load(t, id, &a));
    if (a.id != 0 && a.ancestor != 0) {
        LT_TRY(acme_authorization_load(t, a.ancestor, &a)); /* what it rests on; that rests on nothing */
    }
    if (a.id == 0 || acme_edge_find(ACME_AUTHORIZATION, a.status, ACME_REVOKE) == NULL) {
        return LT_OK;
    }
    LT_TRY(acme_authorization_step(t, &a, ACME_REVOKE, a.expires, (lt_time){0}));
    lt_buf_init(&body, ACME_EVENT_MAX);
    lt_buf_addf(&body, "{\"account\":%lld,\"identifier\":", (long long)a.account);
    lt_json_add_string(&body, lt_slice_cstr(a.identifier));
    lt_buf_add_cstr(&body, ",\"why\":");
    lt_json_add_string(&body, lt_slice_cstr(why));
    lt_buf_add_byte(&body, '}');
    LT_TRY(acme_event(t, "authorization.revoked", "authorization", a.id, &body, (lt_slice){0}));
    Ipc__Problem *p = acme_problem(t->arena, "unauthorized", "The proof for %s is not accepted any more.",
                                   a.identifier);
    LT_CHECK(p != NULL, LT_PEER_TOO_LARGE, "acme: the outcome is too large");
    const struct acme_follow below = {&a, ACME_REVOKE, {0}, p};
    LT_TRY(acme_orders_follow(d, t, a.id, ACME_FAIL, p));
    return acme_ancestor_follow(d, t, &below);
}

lt_res acme_proofs_take_back(struct acme_desk *d, struct ca_turn *t, int64_t order_id, const char *why)
{
    struct store_rows rows;
    int64_t ids[CA_PROFILE_NAMES_MAX];
    size_t count = 0;
    LT_TRY(store_query(t->store, &acme_sql[ACME_SQL_ORDER_AUTHORIZATIONS], STORE_ARGS(STORE_I(order_id)),
                       &rows));
    while (count < LT_COUNT(ids) && store_next(&rows)) {
        ids[count++] = store_int(&rows, 0);
    }
    LT_TRY(store_rows_end(&rows));
    for (size_t i = 0; i < count; i++) {
        LT_TRY(revoke(d, t, ids[i], why));
    }
    return LT_OK;
}
