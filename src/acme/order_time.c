/* What time does to orders: they expire, and after a restart they go on. */
#include "acme/desk_private.h"
#include "base/text.h"

enum { STEP = 200 };

struct found {
    int64_t id[STEP];
    int64_t other[STEP]; /* intent, or nothing */
    enum acme_state status[STEP];
    size_t count;
};

lt_res acme_order_expire_authorizations(struct acme_desk *d, struct ca_turn *t, int64_t order_id)
{
    struct store_rows rows;
    int64_t ids[CA_PROFILE_NAMES_MAX];
    size_t count = 0;
    LT_TRY(store_query(t->store, &acme_sql[ACME_SQL_ORDER_AUTHORIZATIONS], STORE_ARGS(STORE_I(order_id)),
                       &rows));
    while (count < LT_COUNT(ids) && store_next(&rows)) {
        if (lt_slice_eq_cstr(store_bytes(&rows, 1), acme_state_name(ACME_PENDING)) &&
            store_int(&rows, 2) <= t->now.us) {
            ids[count++] = store_int(&rows, 0);
        }
    }
    LT_TRY(store_rows_end(&rows));
    for (size_t i = 0; i < count; i++) {
        struct acme_authorization a;
        LT_TRY(acme_authorization_load(t, ids[i], &a));
        LT_TRY(acme_authorization_step(t, &a, ACME_EXPIRE, a.expires, (lt_time){0}));
        LT_TRY(acme_held_release(d, t, ACME_AUTHORIZATION, ids[i]));
    }
    return LT_OK;
}

/* One that belongs to no order: it was asked for in advance, or proves the names below it. */
static lt_res expire_alone(struct acme_desk *d, struct ca_turn *t, int64_t id)
{
    struct acme_authorization a;
    LT_TRY(acme_authorization_load(t, id, &a));
    if (a.id == 0 || a.status != ACME_PENDING || a.expires.us > t->now.us) {
        return LT_OK;
    }
    LT_TRY(acme_authorization_step(t, &a, ACME_EXPIRE, a.expires, (lt_time){0}));
    return acme_held_release(d, t, ACME_AUTHORIZATION, id);
}

static lt_res expire(struct acme_desk *d, struct ca_turn *t, int64_t id, enum acme_state from)
{
    Ipc__Problem *p = acme_problem(t->arena, "malformed",
                                   "The order was not finished in time; make a new one.");
    LT_CHECK(p != NULL, LT_PEER_TOO_LARGE, "acme: too much at once");
    LT_TRY(acme_order_step(t, id, from, ACME_EXPIRE, p));
    return acme_order_expire_authorizations(d, t, id);
}

static lt_res expire_orders(struct acme_desk *d, struct ca_turn *t, struct found *f)
{
    struct store_rows rows;
    lt_res r = LT_OK;
    f->count = 0;
    LT_TRY(store_query(t->store, &acme_sql[ACME_SQL_ORDER_DUE], STORE_ARGS(STORE_I(t->now.us), STORE_I(STEP)),
                       &rows));
    while (!lt_failed(r) && f->count < STEP && store_next(&rows)) {
        f->id[f->count] = store_int(&rows, 0);
        r = acme_state_read(store_bytes(&rows, 1), &f->status[f->count]);
        f->count++;
    }
    LT_TRY(store_rows_end(&rows));
    LT_TRY(r);
    for (size_t i = 0; i < f->count; i++) {
        LT_TRY(expire(d, t, f->id[i], f->status[i]));
    }
    return LT_OK;
}

/* The other half of a due row: what its subject is. */
static const struct {
    const char *what;
    lt_res (*run)(struct acme_desk *d, struct ca_turn *t, int64_t subject);
} dues[] = {
    {"acme.leftovers", acme_order_expire_authorizations},
    {"acme.cancel", acme_account_cancel},
    {"acme.enrolment", acme_enrolment_retry},
    {"acme.alone", expire_alone},
};

static size_t find_due(lt_slice what)
{
    size_t i = 0;
    while (i + 1 < LT_COUNT(dues) && !lt_slice_eq_cstr(what, dues[i].what)) {
        i++;
    }
    return i;
}

/* One due row: its work, then away with it. */
static lt_res run_due(struct acme_desk *d, struct ca_turn *t, int64_t row, size_t due, int64_t subject)
{
    LT_TRY(store_exec(t->store, &acme_sql[ACME_SQL_DUE_DROP], STORE_ARGS(STORE_I(row)), NULL));
    return dues[due].run(d, t, subject);
}

static lt_res run_dues(struct acme_desk *d, struct ca_turn *t, struct found *f)
{
    enum { DUES = 50 };
    struct store_rows rows;
    size_t due[DUES];
    lt_res r = LT_OK;
    f->count = 0;
    LT_TRY(
        store_query(t->store, &acme_sql[ACME_SQL_DUE], STORE_ARGS(STORE_I(t->now.us), STORE_I(DUES)), &rows));
    while (!lt_failed(r) && f->count < DUES && store_next(&rows)) {
        uint64_t subject = 0;
        f->id[f->count] = store_int(&rows, 0);
        due[f->count] = find_due(store_bytes(&rows, 1));
        r = lt_parse_u64(store_bytes(&rows, 2), INT64_MAX, &subject);
        f->other[f->count] = (int64_t)subject;
        f->count++;
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(!lt_failed(r), LT_STATE_CORRUPT, "acme: a due row whose subject is no id");
    for (size_t i = 0; i < f->count; i++) {
        LT_TRY(run_due(d, t, f->id[i], due[i], f->other[i]));
    }
    return LT_OK;
}

lt_res acme_orders_sweep(struct acme_desk *d, struct ca_turn *t)
{
    struct found *f = LT_NEW(t->arena, struct found);
    LT_CHECK(f != NULL, LT_PEER_TOO_LARGE, "acme: too much at once");
    LT_TRY(expire_orders(d, t, f));
    LT_TRY(acme_order_waits_sweep(d, t));
    return run_dues(d, t, f);
}

/* An order that is still processing although its intent has ended: the outcome is in the book, the order
 * takes it. One transaction writes both, so this finds nothing unless the book was mended by hand. */
static lt_res recover_order(struct acme_desk *d, struct ca_turn *t, int64_t id, int64_t intent)
{
    struct store_rows rows;
    struct ca_outcome o = {.intent = intent, .requester = "acme", .order_id = id, .replayed = true};
    bool ended = false;
    LT_TRY(store_query(t->store, &acme_sql[ACME_SQL_INTENT_END], STORE_ARGS(STORE_I(intent)), &rows));
    if (store_next(&rows)) {
        ended = true;
        o.issuer = ca_issuer_by_id(t->book, store_int(&rows, 0));
        o.serial = lt_arena_copy(t->arena, store_bytes(&rows, 1));
        o.issued = lt_slice_eq_cstr(store_bytes(&rows, 2), "signed");
        o.detail = lt_arena_cstr(t->arena, store_bytes(&rows, 3));
    }
    LT_TRY(store_rows_end(&rows));
    if (!ended) {
        return LT_OK;
    }
    LT_CHECK(o.issuer != NULL && o.serial.ptr != NULL && o.detail != NULL, LT_STATE_CORRUPT,
             "acme: order %lld ended with an issuer that we have not", (long long)id);
    return acme_desk_outcome(d, t, &o);
}

lt_res acme_orders_recover(struct acme_desk *d, struct ca_turn *t)
{
    int64_t behind = 0;
    struct found *f = LT_NEW(t->arena, struct found);
    LT_CHECK(f != NULL, LT_PEER_TOO_LARGE, "acme: too much at once");
    do {
        struct store_rows rows;
        f->count = 0;
        LT_TRY(store_query(t->store, &acme_sql[ACME_SQL_ORDER_PROCESSING],
                           STORE_ARGS(STORE_I(behind), STORE_I(STEP)), &rows));
        while (f->count < STEP && store_next(&rows)) {
            f->id[f->count] = store_int(&rows, 0);
            f->other[f->count] = store_int(&rows, 1);
            f->count++;
        }
        LT_TRY(store_rows_end(&rows));
        for (size_t i = 0; i < f->count; i++) {
            LT_TRY(recover_order(d, t, f->id[i], f->other[i]));
            behind = f->id[i];
        }
    } while (f->count == STEP);
    return LT_OK;
}
