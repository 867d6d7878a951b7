/* Enrolments after they were made: checked, issued, cancelled. Each step is the desk's handler for the same
 * step of ACME, called for the subscriber's account. */
#include <string.h>

#include "acme/enroll_private.h"
#include "ca/body.h"
#include "ipc/arena.h"

const struct store_sql acme_enroll_rows[ACME_ENROLL_ROWS] = {
    [ACME_ENROLL_SUBSCRIBER] = {"enroll.subscriber", "SELECT account FROM subscriber WHERE name = ?1"},
    [ACME_ENROLL_SUBSCRIBER_ADD] = {"enroll.subscriber-add",
                                    "INSERT INTO subscriber (account, name, created_us, created_by) "
                                    "VALUES (?1, ?2, ?3, ?4)"},
    [ACME_ENROLL_ACCOUNT_DROP] = {"enroll.account-drop", "DELETE FROM account WHERE id = ?1"},
    [ACME_ENROLL_ADD] = {"enroll.add", "INSERT INTO enrolment (order_id, account, contact, request, hold, "
                                       "requested_us, requested_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"},
    [ACME_ENROLL_GET] = {"enroll.get", "SELECT account, request FROM enrolment WHERE order_id = ?1"},
    [ACME_ENROLL_READY] = {"enroll.ready",
                           "SELECT e.order_id FROM order_authorization AS oa "
                           "JOIN enrolment AS e ON e.order_id = oa.order_id "
                           "JOIN ca_order AS o ON o.id = e.order_id "
                           "WHERE oa.authorization_id = ?1 AND o.status = 'ready' AND e.hold = 0 "
                           "ORDER BY oa.order_id DESC LIMIT ?2"},
};
const struct store_sql *const acme_enroll_sql = acme_enroll_rows;
const size_t acme_enroll_sql_count = LT_COUNT(acme_enroll_rows);

enum { FOLLOWERS_MAX = 100, RETRY_S = 300, UNAVAILABLE = 503 };

/* --- shared --------------------------------------------------------------------------------------------- */

lt_res acme_enrolment_load(struct acme_desk *d, struct ca_turn *t, int64_t id, struct acme_enrolment *ret_e)
{
    ProtobufCAllocator allocator = ipc_arena_allocator(t->arena);
    struct store_rows rows;
    int64_t account = 0;
    *ret_e = (struct acme_enrolment){.request = NULL};
    LT_TRY(store_query(t->store, &acme_enroll_rows[ACME_ENROLL_GET], STORE_ARGS(STORE_I(id)), &rows));
    bool found = store_next(&rows);
    if (found) {
        lt_slice packed = store_bytes(&rows, 1);
        account = store_int(&rows, 0);
        ret_e->request = ipc__acme_finalize__unpack(&allocator, packed.len, packed.ptr);
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(found, LT_PEER_NOT_FOUND, "there is no enrolment %lld", (long long)id);
    LT_TRY(acme_order_load(t, id, &ret_e->order));
    LT_TRY(acme_account_load(d, t->store, account, &ret_e->account));
    LT_CHECK(ret_e->request != NULL && ret_e->order.id == id && ret_e->account.id == account,
             LT_STATE_CORRUPT, "acme: enrolment %lld cannot be read", (long long)id);
    ret_e->request->order_id = id;
    return LT_OK;
}

lt_res acme_enroll_run(struct acme_call *c, acme_handler *handle, Ipc__AcmeCall *m, Ipc__AcmeReply *ret_reply)
{
    ipc__acme_reply__init(ret_reply);
    m->account_id = c->account.id;
    c->m = m;
    c->kept = ret_reply;
    return handle(c);
}

lt_res acme_enroll_finalize(struct acme_desk *d, struct ca_turn *t, const struct acme_enrolment *e,
                            Ipc__AcmeReply *ret_reply)
{
    Ipc__AcmeCall m = IPC__ACME_CALL__INIT;
    struct acme_call c = {.desk = d, .turn = t, .account = e->account};
    m.op = IPC__ACME_OP__ACME_FINALIZE;
    m.finalize = e->request;
    return acme_enroll_run(&c, acme_finalize, &m, ret_reply);
}

lt_res acme_enroll_json(struct ca_turn *t, int64_t id, int64_t asked, const Ipc__Problem *problem,
                        const char **ret_json)
{
    struct acme_order o;
    struct ca_body b;
    LT_TRY(acme_order_load(t, id, &o));
    ca_body_init(&b);
    ca_body_id(&b, "id", id);
    ca_body_id(&b, "account", o.account);
    ca_body_str(&b, "status", acme_state_name(o.status));
    ca_body_time(&b, "expires", o.expires);
    ca_body_int(&b, "asked", asked);
    ca_body_str(&b, "hindered", problem == NULL ? "" : problem->detail);
    return ca_body_cstr(&b, t->arena, ret_json);
}

void acme_enroll_event(struct ca_body *b, const struct acme_enroll_by *by)
{
    ca_body_init(b);
    ca_body_str(b, "operator", by->name);
}

lt_res acme_enroll_event_add(struct ca_body *b, struct ca_turn *t, const char *kind, int64_t order,
                             const struct acme_enroll_by *by)
{
    char *subject = lt_arena_printf(t->arena, "order %lld", (long long)order);
    if (subject == NULL) {
        ca_body_done(b);
        LT_FAIL(LT_PEER_TOO_LARGE, "the request is over the limit");
    }
    return ca_body_event(b, t, kind, subject, by->jws);
}

/* --- checked -------------------------------------------------------------------------------------------- */

struct check {
    struct acme_call call; /* of the subscriber's account */
    const Ipc__EnrollStep *step;
    int64_t named;         /* authorizations that the step is about */
    int64_t asked;         /* of the validator */
    int64_t running;       /* it is looking already */
    Ipc__Problem *problem; /* the first that kept one from being asked */
};

static bool is_about(const struct check *k, const struct acme_authorization *a)
{
    lt_slice name = lt_slice_cstr(k->step->name);
    if (name.len == 0) {
        return true;
    }
    bool star = lt_slice_starts(name, LT_LIT("*."));
    return star == a->wildcard && lt_slice_eq_cstr(lt_slice_sub(name, star ? 2 : 0, SIZE_MAX), a->identifier);
}

/* The challenge to be met: of the method that is named, else the first. NULL: it is not offered. */
static const Ipc__AcmeChallengeBody *choose(const struct check *k, const struct acme_authorization *a)
{
    for (size_t i = 0; i < a->challenge_count; i++) {
        if (k->step->method[0] == '\0' || strcmp(a->challenges[i]->type, k->step->method) == 0) {
            return a->challenges[i];
        }
    }
    return NULL;
}

/* One look at a time for each name. */
static bool is_running(const struct acme_authorization *a)
{
    for (size_t i = 0; i < a->challenge_count; i++) {
        if (strcmp(a->challenges[i]->status, acme_state_name(ACME_PROCESSING)) == 0) {
            return true;
        }
    }
    return false;
}

static lt_res check_one(struct check *k, int64_t authorization)
{
    struct acme_authorization a;
    Ipc__AcmeCall m = IPC__ACME_CALL__INIT;
    Ipc__AcmeChallengeReply which = IPC__ACME_CHALLENGE_REPLY__INIT;
    Ipc__AcmeReply reply;
    LT_TRY(acme_authorization_load(k->call.turn, authorization, &a));
    if (!is_about(k, &a)) {
        return LT_OK;
    }
    k->named++;
    const Ipc__AcmeChallengeBody *b = choose(k, &a);
    if (a.status != ACME_PENDING || b == NULL) {
        return LT_OK;
    }
    if (is_running(&a)) {
        k->running++;
        return LT_OK;
    }
    which.authorization_id = authorization;
    which.index = b->index;
    m.op = IPC__ACME_OP__ACME_REPLY_CHALLENGE;
    m.challenge = &which;
    LT_TRY(acme_enroll_run(&k->call, acme_challenge_reply, &m, &reply));
    k->asked += reply.problem == NULL;
    k->problem = k->problem == NULL ? reply.problem : k->problem;
    return LT_OK;
}

static lt_res check_all(struct check *k, int64_t order)
{
    struct ca_turn *t = k->call.turn;
    struct store_rows rows;
    int64_t ids[CA_PROFILE_NAMES_MAX];
    size_t count = 0;
    LT_TRY(
        store_query(t->store, &acme_sql[ACME_SQL_ORDER_AUTHORIZATIONS], STORE_ARGS(STORE_I(order)), &rows));
    while (count < LT_COUNT(ids) && store_next(&rows)) {
        ids[count++] = store_int(&rows, 0);
    }
    LT_TRY(store_rows_end(&rows));
    for (size_t i = 0; i < count; i++) {
        LT_TRY(check_one(k, ids[i]));
    }
    return LT_OK;
}

lt_res acme_enroll_check(struct acme_desk *d, struct ca_turn *t, const struct acme_enroll_by *by,
                         const Ipc__EnrollStep *step, const char **ret_json, Ipc__Problem **ret_problem)
{
    struct acme_enrolment e;
    struct ca_body event;
    *ret_problem = NULL;
    LT_TRY(acme_enrolment_load(d, t, step->id, &e));
    LT_CHECK(e.order.status == ACME_PENDING, LT_PEER_CONFLICT,
             "the enrolment is %s: nothing waits for a check", acme_state_name(e.order.status));
    struct check k = {.call = {.desk = d, .turn = t, .account = e.account}, .step = step};
    LT_TRY(check_all(&k, step->id));
    LT_CHECK(k.named > 0, LT_PEER_NOT_FOUND, "the enrolment has no name \"%.200s\"", step->name);
    if (k.asked == 0 && k.problem != NULL) {
        *ret_problem = k.problem;
        return LT_OK;
    }
    LT_CHECK(k.asked + k.running > 0, LT_PEER_CONFLICT, "no name waits for a check by %s",
             step->method[0] == '\0' ? "any method" : step->method);
    acme_enroll_event(&event, by);
    ca_body_str(&event, "name", step->name);
    ca_body_str(&event, "method", step->method);
    ca_body_int(&event, "asked", k.asked);
    LT_TRY(acme_enroll_event_add(&event, t, "enrolment.checked", step->id, by));
    return acme_enroll_json(t, step->id, k.asked, k.problem, ret_json);
}

/* --- issued --------------------------------------------------------------------------------------------- */

lt_res acme_enroll_issue(struct acme_desk *d, struct ca_turn *t, const struct acme_enroll_by *by,
                         const Ipc__EnrollStep *step, const char **ret_json, Ipc__Problem **ret_problem)
{
    struct acme_enrolment e;
    struct ca_body event;
    Ipc__AcmeReply reply;
    LT_TRY(acme_enrolment_load(d, t, step->id, &e));
    LT_TRY(acme_enroll_finalize(d, t, &e, &reply));
    *ret_problem = reply.problem;
    if (reply.problem != NULL) {
        return LT_OK;
    }
    acme_enroll_event(&event, by);
    LT_TRY(acme_enroll_event_add(&event, t, "enrolment.issue", step->id, by));
    return acme_enroll_json(t, step->id, 0, NULL, ret_json);
}

lt_res acme_enroll_later(struct ca_turn *t, int64_t id, const Ipc__Problem *problem)
{
    if (problem->status != UNAVAILABLE) {
        return LT_OK;
    }
    int64_t wait_s = problem->retry_after_s > RETRY_S ? problem->retry_after_s : RETRY_S;
    char *subject = lt_arena_printf(t->arena, "%lld", (long long)id);
    LT_CHECK(subject != NULL, LT_PEER_TOO_LARGE, "acme: too much at once");
    return store_exec(t->store, &acme_sql[ACME_SQL_DUE_ADD],
                      STORE_ARGS(STORE_I(ca_new_id(t)), STORE_I(lt_time_add_seconds(t->now, wait_s).us),
                                 STORE_S("acme.enrolment"), STORE_S(subject)),
                      NULL);
}

lt_res acme_enrolment_retry(struct acme_desk *d, struct ca_turn *t, int64_t order)
{
    struct acme_enrolment e;
    Ipc__AcmeReply reply;
    LT_TRY(acme_enrolment_load(d, t, order, &e));
    if (e.order.status != ACME_READY) {
        return LT_OK; /* issued, cancelled or expired meanwhile */
    }
    LT_TRY(acme_enroll_finalize(d, t, &e, &reply));
    return reply.problem == NULL ? LT_OK : acme_enroll_later(t, order, reply.problem);
}

/* Nobody waits for the answer: what stands in the way is an event, and the order stays ready. */
static lt_res issue_ready(struct acme_desk *d, struct ca_turn *t, int64_t id)
{
    const struct acme_enroll_by nobody = {.name = ""};
    struct acme_enrolment e;
    struct ca_body event;
    Ipc__AcmeReply reply;
    LT_TRY(acme_enrolment_load(d, t, id, &e));
    LT_TRY(acme_enroll_finalize(d, t, &e, &reply));
    if (reply.problem == NULL) {
        return LT_OK;
    }
    LT_TRY(acme_enroll_later(t, id, reply.problem));
    ca_body_init(&event);
    ca_body_str(&event, "type", reply.problem->type);
    ca_body_str(&event, "detail", reply.problem->detail);
    return acme_enroll_event_add(&event, t, "enrolment.hindered", id, &nobody);
}

lt_res acme_enrolments_follow(struct acme_desk *d, struct ca_turn *t, int64_t authorization)
{
    struct store_rows rows;
    int64_t ids[FOLLOWERS_MAX];
    size_t count = 0;
    LT_TRY(store_query(t->store, &acme_enroll_rows[ACME_ENROLL_READY],
                       STORE_ARGS(STORE_I(authorization), STORE_I(FOLLOWERS_MAX)), &rows));
    while (count < FOLLOWERS_MAX && store_next(&rows)) {
        ids[count++] = store_int(&rows, 0);
    }
    LT_TRY(store_rows_end(&rows));
    for (size_t i = 0; i < count; i++) {
        LT_TRY(issue_ready(d, t, ids[i]));
    }
    return LT_OK;
}

/* --- cancelled ------------------------------------------------------------------------------------------ */

/* Their random values are good for nothing any more. */
static lt_res give_up(struct ca_turn *t, int64_t order)
{
    struct store_rows rows;
    int64_t ids[CA_PROFILE_NAMES_MAX];
    size_t count = 0;
    LT_TRY(
        store_query(t->store, &acme_sql[ACME_SQL_ORDER_AUTHORIZATIONS], STORE_ARGS(STORE_I(order)), &rows));
    while (count < LT_COUNT(ids) && store_next(&rows)) {
        if (lt_slice_eq_cstr(store_bytes(&rows, 1), acme_state_name(ACME_PENDING))) {
            ids[count++] = store_int(&rows, 0);
        }
    }
    LT_TRY(store_rows_end(&rows));
    for (size_t i = 0; i < count; i++) {
        struct acme_authorization a;
        LT_TRY(acme_authorization_load(t, ids[i], &a));
        LT_TRY(acme_authorization_step(t, &a, ACME_DEACTIVATE, a.expires, (lt_time){0}));
    }
    return LT_OK;
}

lt_res acme_enroll_cancel(struct acme_desk *d, struct ca_turn *t, const struct acme_enroll_by *by,
                          const Ipc__EnrollStep *step, const char **ret_json, Ipc__Problem **ret_problem)
{
    struct acme_enrolment e;
    struct ca_body event;
    *ret_problem = NULL;
    LT_TRY(acme_enrolment_load(d, t, step->id, &e));
    LT_CHECK(acme_edge_find(ACME_ORDER, e.order.status, ACME_FAIL) != NULL, LT_PEER_CONFLICT,
             "the enrolment is %s: there is nothing to cancel", acme_state_name(e.order.status));
    Ipc__Problem *why = acme_problem(t->arena, "unauthorized", "The enrolment was cancelled by %s%s%.500s.",
                                     by->name, step->reason[0] == '\0' ? "" : ": ", step->reason);
    LT_CHECK(why != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    LT_TRY(give_up(t, step->id));
    LT_TRY(acme_order_step(t, step->id, e.order.status, ACME_FAIL, why));
    acme_enroll_event(&event, by);
    ca_body_str(&event, "reason", step->reason);
    LT_TRY(acme_enroll_event_add(&event, t, "enrolment.cancelled", step->id, by));
    return acme_enroll_json(t, step->id, 0, NULL, ret_json);
}
