/* Orders after they were made: read, listed, moved along when an authorization changed, expired, recovered.
 */
#include <string.h>

#include "acme/desk_private.h"
#include "base/text.h"

enum { RECOVER_STEP = 200, CURSOR_LEN = 8, PROBLEM_JSON_MAX = 64 * 1024 };

static lt_res read_order(struct ca_turn *t, const struct store_rows *rows, struct acme_order *o)
{
    struct lt_arena *a = t->arena;
    o->account = store_int(rows, 0);
    LT_TRY(acme_state_read(store_bytes(rows, 1), &o->status));
    o->profile = lt_arena_cstr(a, store_bytes(rows, 2));
    LT_TRY(acme_name_set_read(a, store_bytes(rows, 3), &o->names));
    o->not_before.us = store_int(rows, 4);
    o->not_after.us = store_int(rows, 5);
    o->replaces = lt_arena_cstr(a, store_bytes(rows, 6));
    if (!store_is_null(rows, 7)) {
        LT_TRY(acme_problem_read(a, store_bytes(rows, 7), &o->error));
    }
    o->expires.us = store_int(rows, 8);
    o->intent = store_int(rows, 9);
    o->certificate_issuer = store_int(rows, 10);
    o->certificate_serial = lt_arena_copy(a, store_bytes(rows, 11));
    LT_CHECK(o->profile != NULL && o->replaces != NULL && o->certificate_serial.ptr != NULL,
             LT_PEER_TOO_LARGE, "acme: the order is too large");
    return LT_OK;
}

lt_res acme_order_load(struct ca_turn *t, int64_t id, struct acme_order *ret_order)
{
    struct store_rows rows;
    lt_res r = LT_OK;
    memset(ret_order, 0, sizeof *ret_order);
    LT_TRY(store_query(t->store, &acme_sql[ACME_SQL_ORDER], STORE_ARGS(STORE_I(id)), &rows));
    if (store_next(&rows)) {
        ret_order->id = id;
        r = read_order(t, &rows, ret_order);
    }
    LT_TRY(store_rows_end(&rows));
    return r;
}

lt_res acme_order_of_caller(struct acme_call *c, int64_t id, struct acme_order *ret_order)
{
    LT_TRY(acme_order_load(c->turn, id, ret_order));
    if (ret_order->id != 0 && ret_order->account == c->account.id) {
        return LT_OK;
    }
    /* Whether another account's order exists is nobody's business. */
    memset(ret_order, 0, sizeof *ret_order);
    Ipc__Problem *p = acme_problem(c->turn->arena, "malformed", "This account has no order %lld.",
                                   (long long)id);
    LT_CHECK(p != NULL, LT_PEER_TOO_LARGE, "acme: the answer is too large");
    p->status = 404;
    return acme_refuse(c, p);
}

static lt_res list_authorizations(struct ca_turn *t, int64_t order, Ipc__AcmeOrderBody *body)
{
    struct store_rows rows;
    body->authorizations = LT_NEW_ARRAY(t->arena, int64_t, CA_PROFILE_NAMES_MAX);
    LT_CHECK(body->authorizations != NULL, LT_PEER_TOO_LARGE, "acme: the order is too large");
    LT_TRY(
        store_query(t->store, &acme_sql[ACME_SQL_ORDER_AUTHORIZATIONS], STORE_ARGS(STORE_I(order)), &rows));
    while (body->n_authorizations < CA_PROFILE_NAMES_MAX && store_next(&rows)) {
        int64_t above = store_int(&rows, 3); /* the one that the client proves in its place */
        int64_t id = above != 0 ? above : store_int(&rows, 0);
        bool known = false;
        for (size_t i = 0; i < body->n_authorizations && !known; i++) {
            known = body->authorizations[i] == id;
        }
        body->authorizations[body->n_authorizations] = id;
        body->n_authorizations += !known;
    }
    return store_rows_end(&rows);
}

static char *time_text(struct lt_arena *a, lt_time when)
{
    char text[LT_RFC3339_SIZE] = "";
    if (when.us != 0) {
        lt_time_rfc3339(when, text);
    }
    return lt_arena_cstr(a, lt_slice_cstr(text));
}

lt_res acme_order_body(struct ca_turn *t, const struct acme_order *o, Ipc__AcmeReply *reply)
{
    struct lt_arena *a = t->arena;
    Ipc__AcmeOrderBody *b = LT_NEW(a, Ipc__AcmeOrderBody);
    LT_CHECK(b != NULL, LT_PEER_TOO_LARGE, "acme: the order is too large");
    ipc__acme_order_body__init(b);
    b->id = o->id;
    b->status = lt_arena_cstr(a, lt_slice_cstr(acme_state_name(o->status)));
    b->expires_us = o->expires.us;
    b->n_identifiers = o->names.count;
    b->identifiers = o->names.list;
    b->not_before = time_text(a, o->not_before);
    b->not_after = time_text(a, o->not_after);
    b->error = o->error;
    b->profile = lt_arena_cstr(a, lt_slice_cstr(o->profile));
    b->replaces = lt_arena_cstr(a, lt_slice_cstr(o->replaces));
    LT_CHECK(b->status != NULL && b->not_before != NULL && b->not_after != NULL && b->profile != NULL &&
                 b->replaces != NULL,
             LT_PEER_TOO_LARGE, "acme: the order is too large");
    if (o->status == ACME_VALID) {
        b->has_certificate = true;
        b->certificate_serial = (ProtobufCBinaryData){o->certificate_serial.len,
                                                      (uint8_t *)(uintptr_t)o->certificate_serial.ptr};
    }
    b->authorizations = o->authorizations;
    b->n_authorizations = o->authorization_count;
    if (o->authorizations == NULL) {
        LT_TRY(list_authorizations(t, o->id, b));
    }
    reply->order = b;
    reply->location_order = o->id;
    /*= RFC 8555 7.4 "after the time given in the Retry-After header field of the response, if any" */
    reply->retry_after_s = o->status == ACME_PROCESSING ? ACME_RETRY_AFTER_S : 0;
    return LT_OK;
}

lt_res acme_order_get(struct acme_call *c)
{
    Ipc__AcmeReply reply = IPC__ACME_REPLY__INIT;
    struct acme_order o;
    LT_CHECK(c->m->object != NULL, LT_PEER_MALFORMED, "acme: which order?");
    LT_TRY(acme_order_of_caller(c, c->m->object->id, &o));
    if (o.id == 0) {
        return LT_OK;
    }
    if (o.status == ACME_PROCESSING && acme_hold(c, ACME_ORDER, o.id, ACME_HOLD_POLL_MS)) {
        return LT_OK;
    }
    LT_TRY(acme_order_body(c->turn, &o, &reply));
    reply.status = 200;
    return acme_answer(c, &reply);
}

static void put_cursor(int64_t id, uint8_t ret_cursor[CURSOR_LEN])
{
    for (size_t i = 0; i < CURSOR_LEN; i++) {
        ret_cursor[i] = (uint8_t)((uint64_t)id >> (8 * (CURSOR_LEN - 1 - i)));
    }
}

/* The id behind which the list goes on; the newest first. */
static bool get_cursor(ProtobufCBinaryData cursor, int64_t *ret_id)
{
    if (cursor.len == 0) {
        *ret_id = INT64_MAX;
        return true;
    }
    uint64_t id = 0;
    for (size_t i = 0; i < cursor.len && i < CURSOR_LEN; i++) {
        id = id << 8 | cursor.data[i];
    }
    *ret_id = (int64_t)(id & INT64_MAX);
    return cursor.len == CURSOR_LEN && id <= INT64_MAX;
}

/*= RFC 8555 7.1.2.1 "The server SHOULD include pending orders and SHOULD NOT include orders that are invalid"
 */
static lt_res fill_list(struct acme_call *c, int64_t behind, Ipc__AcmeOrdersBody *body, int64_t *ret_more)
{
    struct store_rows rows;
    size_t seen = 0;
    int64_t last = 0;
    lt_res r = LT_OK;
    *ret_more = 0;
    LT_TRY(store_query(c->turn->store, &acme_sql[ACME_SQL_ORDER_LIST],
                       STORE_ARGS(STORE_I(c->account.id), STORE_I(behind), STORE_I(ACME_ORDER_SCAN)), &rows));
    while (!lt_failed(r) && body->n_orders < ACME_ORDER_PAGE && store_next(&rows)) {
        enum acme_state status = ACME_STATE_NONE;
        last = store_int(&rows, 0);
        r = acme_state_read(store_bytes(&rows, 1), &status);
        if (status != ACME_INVALID) {
            body->orders[body->n_orders++] = last;
        }
        seen++;
    }
    if (body->n_orders == ACME_ORDER_PAGE || seen == ACME_ORDER_SCAN) {
        *ret_more = last;
    }
    LT_TRY(store_rows_end(&rows));
    return r;
}

lt_res acme_order_list(struct acme_call *c)
{
    Ipc__AcmeReply reply = IPC__ACME_REPLY__INIT;
    Ipc__AcmeOrdersBody body = IPC__ACME_ORDERS_BODY__INIT;
    uint8_t cursor[CURSOR_LEN];
    int64_t behind = 0;
    int64_t more = 0;
    LT_CHECK(c->m->object != NULL, LT_PEER_MALFORMED, "acme: whose orders?");
    if (c->m->object->id != c->account.id) {
        return acme_refuse(c,
                           acme_problem(c->turn->arena, "unauthorized", "That is another account's list."));
    }
    if (!get_cursor(c->m->object->cursor, &behind)) {
        return acme_refuse(c,
                           acme_problem(c->turn->arena, "malformed", "The cursor is none of this server's."));
    }
    body.orders = LT_NEW_ARRAY(c->turn->arena, int64_t, ACME_ORDER_PAGE);
    LT_CHECK(body.orders != NULL, LT_PEER_TOO_LARGE, "acme: the list is too large");
    LT_TRY(fill_list(c, behind, &body, &more));
    if (more != 0) {
        put_cursor(more, cursor);
        body.next_cursor = (ProtobufCBinaryData){CURSOR_LEN, cursor};
    }
    reply.orders = &body;
    reply.status = 200;
    return acme_answer(c, &reply);
}

lt_res acme_order_step(struct ca_turn *t, int64_t id, enum acme_state from, enum acme_step step,
                       const Ipc__Problem *error)
{
    enum acme_state to = ACME_STATE_NONE;
    struct lt_buf json;
    LT_TRY(acme_step(ACME_ORDER, from, step, &to));
    lt_buf_init(&json, PROBLEM_JSON_MAX);
    acme_problem_json(error, &json);
    lt_res r = lt_buf_check(&json);
    if (!lt_failed(r)) {
        r = acme_step_exec(t->store, ACME_SQL_ORDER_STEP,
                           STORE_ARGS(STORE_I(id), STORE_S(acme_state_name(from)),
                                      STORE_S(acme_state_name(to)),
                                      error == NULL ? STORE_N : STORE_T(lt_buf_slice(&json))));
    }
    struct lt_buf body;
    lt_buf_init(&body, CA_EVENT_BODY_MAX);
    if (!lt_failed(r) && to == ACME_INVALID) {
        lt_buf_addf(&body, "{\"step\":\"%s\",\"error\":", acme_step_name(step));
        lt_buf_add(&body, lt_buf_slice(&json));
        lt_buf_add_byte(&body, '}');
    }
    lt_buf_done(&json);
    if (lt_failed(r) || to != ACME_INVALID) {
        lt_buf_done(&body);
        return r; /* what makes an order ready is the event of its authorization */
    }
    return acme_event(t, "order.invalid", "order", id, &body, (lt_slice){0});
}

/* The pending authorizations of an order that ended early run out at their time. */
static lt_res leave_rest(struct ca_turn *t, int64_t order)
{
    struct acme_order o;
    char *subject = lt_arena_printf(t->arena, "%lld", (long long)order);
    LT_CHECK(subject != NULL, LT_PEER_TOO_LARGE, "acme: too much at once");
    LT_TRY(acme_order_load(t, order, &o));
    return store_exec(
        t->store, &acme_sql[ACME_SQL_DUE_ADD],
        STORE_ARGS(STORE_I(ca_new_id(t)), STORE_I(o.expires.us), STORE_S("acme.leftovers"), STORE_S(subject)),
        NULL);
}

/* missing: authorizations of the order that are not valid */
static lt_res follow(struct acme_desk *d, struct ca_turn *t, const struct acme_order *o, int64_t missing,
                     enum acme_step step, const Ipc__Problem *error)
{
    if (step == ACME_PROVE) {
        bool ready = missing == 0 && o->status == ACME_PENDING;
        return ready ? acme_order_step(t, o->id, o->status, ACME_PROVE, NULL) : LT_OK;
    }
    LT_TRY(acme_order_step(t, o->id, o->status, ACME_FAIL, error));
    LT_TRY(leave_rest(t, o->id));
    return acme_held_release(d, t, ACME_ORDER, o->id);
}

struct follower {
    struct acme_order order; /* id and status */
    int64_t missing;
};

/* *list: newest first, in the arena. */
static lt_res find_followers(struct ca_turn *t, int64_t authorization, struct follower **list, size_t *count)
{
    enum { AT_FIRST = 4, MOST = 1000 };
    struct store_rows rows;
    lt_res r = LT_OK;
    size_t room = AT_FIRST;
    *list = LT_NEW_ARRAY(t->arena, struct follower, room);
    *count = 0;
    LT_TRY(store_query(t->store, &acme_sql[ACME_SQL_AUTHORIZATION_ORDERS], STORE_ARGS(STORE_I(authorization)),
                       &rows));
    while (!lt_failed(r) && *list != NULL && *count < MOST && store_next(&rows)) {
        if (*count == room) {
            struct follower *more = LT_NEW_ARRAY(t->arena, struct follower, MOST);
            if (more != NULL) {
                memcpy(more, *list, room * sizeof *more);
            }
            *list = more;
            room = MOST;
        }
        if (*list != NULL) {
            struct follower *f = &(*list)[(*count)++];
            f->order.id = store_int(&rows, 0);
            r = acme_state_read(store_bytes(&rows, 1), &f->order.status);
            f->missing = store_int(&rows, 2);
        }
    }
    LT_TRY(store_rows_end(&rows));
    LT_TRY(r);
    LT_CHECK(*list != NULL, LT_PEER_TOO_LARGE, "acme: too many orders at once");
    return LT_OK;
}

lt_res acme_orders_follow(struct acme_desk *d, struct ca_turn *t, int64_t authorization, enum acme_step step,
                          const Ipc__Problem *error)
{
    struct follower *list = NULL;
    size_t count = 0;
    LT_TRY(find_followers(t, authorization, &list, &count));
    for (size_t i = 0; i < count; i++) {
        LT_TRY(follow(d, t, &list[i].order, list[i].missing, step, error));
    }
    return LT_OK;
}
