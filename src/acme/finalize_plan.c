/* From a request that fits its order to an intent: the proofs of all names, CAA where it is too old, an
 * operator's release where the policy wants one. What waits is a row of order_wait; whoever removes what was
 * in its way calls acme_order_proceed, which looks at everything again.
 */
#include <string.h>

#include "acme/desk_private.h"
#include "base/text.h"
#include "ipc/arena.h"

enum {
    WAIT_STEP = 100,
    CAA_PATIENCE_S = 600, /* of an order for answers of the DNS */
    KEY_MAX = 64 * 1024,
};

static const char waiting[] = "waiting";
static const char released[] = "released";

/* Counts by the order's own list of names, which no row of a check was made from: as many names have a check
 * that is young enough as the order has. */
static lt_res count_checked(const struct acme_desk *d, const struct acme_proofs *p, lt_time now)
{
    const struct acme_name_set *wanted = &p->order->names;
    size_t checked = 0;
    for (size_t i = 0; i < wanted->count; i++) {
        const struct ca_issue_name *n = acme_proofs_find(p, wanted->list[i]->type,
                                                         lt_slice_cstr(wanted->list[i]->value));
        LT_CHECK(n != NULL, LT_STATE_CORRUPT, "acme: order %lld has no proof for its name %s",
                 (long long)p->order->id, wanted->list[i]->value);
        checked += !acme_caa_stale(d, n, now);
    }
    LT_CHECK(checked == wanted->count, LT_STATE_CORRUPT, "acme: order %lld has %zu names, CAA of %zu checked",
             (long long)p->order->id, wanted->count, checked);
    return LT_OK;
}

lt_res acme_proofs_plan(struct acme_desk *d, struct ca_turn *t, const struct acme_proofs *p,
                        const Ipc__PublicKey *key, int64_t *ret_intent)
{
    const struct acme_order *o = p->order;
    LT_TRY(count_checked(d, p, t->now));
    LT_TRY(acme_public_proven(d, t, p));
    const struct ca_issue_request request = {
        .requester = "acme",
        .order_id = o->id,
        .account_id = o->account,
        .profile = lt_slice_cstr(o->profile),
        .key = key,
        .names = p->names,
        .name_count = p->count,
        .not_before = o->not_before,
        .not_after = o->not_after,
    };
    return ca_issue_plan(t, &request, ret_intent);
}

/* --- what waits ----------------------------------------------------------------------------------------- */

lt_res acme_order_wait(struct ca_turn *t, const struct acme_order *o, const Ipc__PublicKey *key,
                       const char *rule)
{
    bool review = rule[0] != '\0';
    lt_time until = review ? o->expires : lt_time_add_seconds(t->now, CAA_PATIENCE_S);
    size_t len = ipc__public_key__get_packed_size(key);
    LT_CHECK(len <= KEY_MAX, LT_PEER_TOO_LARGE, "acme: a key of %zu bytes", len);
    uint8_t *packed = lt_arena_alloc(t->arena, len + 1);
    LT_CHECK(packed != NULL, LT_PEER_TOO_LARGE, "acme: the request is too large");
    (void)ipc__public_key__pack(key, packed); /* its length is known */
    return store_exec(t->store, &acme_sql[ACME_SQL_WAIT_ADD],
                      STORE_ARGS(STORE_I(o->id), STORE_B(LT_SLICE(packed, len)), STORE_I(t->now.us),
                                 STORE_I(until.us), STORE_S(review ? waiting : ""), STORE_S(rule)),
                      NULL);
}

struct wait {
    bool there;
    Ipc__PublicKey *key; /* in the turn's arena */
    const char *review;
    const char *rule;
    lt_time since; /* the request came */
    lt_time until;
};

static lt_res load_wait(struct ca_turn *t, int64_t order_id, struct wait *w)
{
    ProtobufCAllocator allocator = ipc_arena_allocator(t->arena);
    struct store_rows rows;
    *w = (struct wait){.there = false};
    LT_TRY(store_query(t->store, &acme_sql[ACME_SQL_WAIT], STORE_ARGS(STORE_I(order_id)), &rows));
    if (store_next(&rows)) {
        lt_slice packed = store_bytes(&rows, 0);
        w->there = true;
        w->key = ipc__public_key__unpack(&allocator, packed.len, packed.ptr);
        w->review = lt_arena_cstr(t->arena, store_bytes(&rows, 1));
        w->rule = lt_arena_cstr(t->arena, store_bytes(&rows, 2));
        w->until.us = store_int(&rows, 3);
        w->since.us = store_int(&rows, 4);
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(!w->there || (w->key != NULL && w->review != NULL && w->rule != NULL), LT_STATE_CORRUPT,
             "acme: what order %lld waits with cannot be read", (long long)order_id);
    return LT_OK;
}

static lt_res close_wait(struct ca_turn *t, int64_t order_id)
{
    LT_TRY(store_exec(t->store, &acme_sql[ACME_SQL_CAA_CLOSE], STORE_ARGS(STORE_I(order_id)), NULL));
    return store_exec(t->store, &acme_sql[ACME_SQL_WAIT_DROP], STORE_ARGS(STORE_I(order_id)), NULL);
}

static lt_res refuse(struct acme_desk *d, struct ca_turn *t, int64_t order_id, const Ipc__Problem *p)
{
    LT_CHECK(p != NULL, LT_PEER_TOO_LARGE, "acme: too much at once");
    LT_TRY(close_wait(t, order_id));
    LT_TRY(acme_order_step(t, order_id, ACME_PROCESSING, ACME_REFUSE, p));
    return acme_held_release(d, t, ACME_ORDER, order_id);
}

/* The client is not there to be answered: what stands in the way of the intent ends the order. Fails with r
 * where that is our own matter; it is tried again. */
static lt_res refuse_error(struct acme_desk *d, struct ca_turn *t, int64_t order_id, lt_res r)
{
    enum lt_class class = lt_class_of(r.code);
    if (class != LT_CLASS_PEER && class != LT_CLASS_POLICY) {
        return r;
    }
    const char *type = r.code == LT_PEER_CONFLICT   ? "unauthorized"
                       : r.code == LT_POLICY_HALTED ? "serverInternal"
                                                    : "badCSR";
    return refuse(d, t, order_id, acme_problem(t->arena, type, "%s", lt_error_last()->detail));
}

/* The policy may have changed since finalize. */
static lt_res judge_again(struct acme_desk *d, struct ca_turn *t, const struct acme_order *o,
                          const struct wait *w, bool *ret_over)
{
    struct acme_judgement j;
    LT_TRY(acme_policy_judge(d, t, o, &j));
    bool review = j.action == ACME_POLICY_REVIEW && strcmp(w->review, released) != 0;
    *ret_over = j.problem != NULL || review;
    if (j.problem != NULL) {
        return refuse(d, t, o->id, j.problem);
    }
    return review ? store_exec(t->store, &acme_sql[ACME_SQL_WAIT_UNTIL],
                               STORE_ARGS(STORE_I(o->id), STORE_S(waiting), STORE_I(o->expires.us)), NULL)
                  : LT_OK;
}

static lt_res go_on(struct acme_desk *d, struct ca_turn *t, const struct acme_order *o, const struct wait *w)
{
    struct acme_proofs p;
    Ipc__Problem *lacking = NULL;
    size_t asked = 0;
    int64_t intent = 0;
    bool over = false;
    LT_TRY(judge_again(d, t, o, w, &over));
    if (over) {
        return LT_OK;
    }
    LT_TRY(acme_public_check(d, t, o->profile, &lacking));
    if (lacking != NULL) {
        return refuse(d, t, o->id, lacking);
    }
    lt_res r = acme_proofs_collect(t, o, w->since, &p);
    if (lt_failed(r)) {
        return refuse_error(d, t, o->id, r);
    }
    LT_TRY(acme_caa_ask(d, t, &p, &asked));
    if (asked > 0) {
        return LT_OK; /* it waited for so long that CAA has to be asked once more */
    }
    if (ca_held(t->book) != NULL) { /* not now; the sweep comes back to it */
        return w->review[0] == '\0'
                   ? store_exec(t->store, &acme_sql[ACME_SQL_WAIT_HOLD], STORE_ARGS(STORE_I(o->id)), NULL)
                   : LT_OK;
    }
    r = acme_proofs_plan(d, t, &p, w->key, &intent);
    if (lt_failed(r)) {
        return refuse_error(d, t, o->id, r);
    }
    LT_TRY(close_wait(t, o->id));
    return acme_step_exec(t->store, ACME_SQL_ORDER_PLANNED, STORE_ARGS(STORE_I(o->id), STORE_I(intent)));
}

lt_res acme_order_proceed(struct acme_desk *d, struct ca_turn *t, int64_t order_id)
{
    struct acme_order o;
    struct wait w;
    size_t missing = 0;
    Ipc__Problem *p = NULL;
    LT_TRY(acme_order_load(t, order_id, &o));
    LT_TRY(load_wait(t, order_id, &w));
    if (o.id == 0 || o.status != ACME_PROCESSING || o.intent != 0 || !w.there) {
        return LT_OK; /* it is over */
    }
    if (strcmp(w.review, waiting) == 0) {
        return LT_OK; /* for a person */
    }
    LT_TRY(acme_caa_outcome(t, order_id, &missing, &p));
    if (missing > 0) {
        return LT_OK;
    }
    return p != NULL ? refuse(d, t, order_id, p) : go_on(d, t, &o, &w);
}

/* Ids of the first rows that a statement gives for one argument and a limit. */
static lt_res list_waits(struct ca_turn *t, enum acme_sql_row sql, int64_t until, int64_t *ids, size_t *count)
{
    struct store_rows rows;
    *count = 0;
    LT_TRY(store_query(t->store, &acme_sql[sql], STORE_ARGS(STORE_I(until), STORE_I(WAIT_STEP)), &rows));
    while (*count < WAIT_STEP && store_next(&rows)) {
        ids[(*count)++] = store_int(&rows, 0);
    }
    return store_rows_end(&rows);
}

lt_res acme_order_waits_sweep(struct acme_desk *d, struct ca_turn *t)
{
    int64_t ids[WAIT_STEP];
    size_t count = 0;
    LT_TRY(list_waits(t, ACME_SQL_WAIT_DUE, t->now.us, ids, &count));
    for (size_t i = 0; i < count; i++) {
        struct wait w;
        LT_TRY(load_wait(t, ids[i], &w));
        Ipc__Problem *late = acme_problem(t->arena, "serverInternal",
                                          "CAA could not be asked again in time.");
        Ipc__Problem *unseen = acme_problem(t->arena, "rejectedIdentifier",
                                            "Nobody released the order in time [policy row %s].", w.rule);
        LT_TRY(refuse(d, t, ids[i], strcmp(w.review, waiting) == 0 ? unseen : late));
    }
    static const enum acme_sql_row lists[] = {ACME_SQL_WAIT_RELEASED, ACME_SQL_WAIT_HELD};
    for (size_t k = 0; ca_held(t->book) == NULL && k < LT_COUNT(lists); k++) {
        LT_TRY(list_waits(t, lists[k], 0, ids, &count));
        for (size_t i = 0; i < count; i++) {
            LT_TRY(acme_order_proceed(d, t, ids[i]));
        }
    }
    return LT_OK;
}
