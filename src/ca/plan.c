/* Plans: their states, their actions, their rows. */
#include "ca/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ca/approval.h"
#include "ca/body.h"
#include "ca/book_internal.h"
#include "ca/event.h"
#include "ca/examiner_state.h"
#include "ca/halt.h"
#include "ca/key_block.h"
#include "ca/mass.h"
#include "ca/parameters.h"
#include "ca/params.h"
#include "ca/session.h"
#include "crypto/digest.h"
#include "ipc/arena.h"

static const struct store_sql sql[] = {
    {"plan.add", "INSERT INTO plan (id, action, scope_sha256, count, parameters, proposer, created_us, "
                 "expires_us, status, needed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'proposed', ?9)"},
    {"plan.get", "SELECT action, scope_sha256, count, parameters, proposer, created_us, expires_us, status, "
                 "needed, result FROM plan WHERE id = ?1"},
    {"plan.move", "UPDATE plan SET status = ?3, result = ?4 WHERE id = ?1 AND status = ?2"},
    {"approval.add", "INSERT INTO approval (plan, operator, signature, signed_us, passkey) "
                     "VALUES (?1, ?2, ?3, ?4, ?5)"},
    {"order.release", "UPDATE order_wait SET review = 'released', released_by = ?2, until_us = ?3 "
                      "WHERE order_id = ?1 AND review = 'waiting'"},
    {"order.waiting", "SELECT rule FROM order_wait WHERE order_id = ?1 AND review = 'waiting'"},
    {"approval.of", "SELECT operator, signature, signed_us, passkey FROM approval WHERE plan = ?1 LIMIT 256"},
};
enum { SQL_ADD, SQL_GET, SQL_MOVE, SQL_APPROVE, SQL_RELEASE, SQL_WAITING, SQL_APPROVALS };
const struct store_sql *const ca_plan_sql = sql;
const size_t ca_plan_sql_count = LT_COUNT(sql);

enum {
    LIFE_S = 24 * 3600,
    LIFE_MAX_S = 7 * 24 * 3600,
    WAITER_LIFE_S = 60,
    RELEASE_LIFE_S = 600, /* for CAA to be asked again, and the like */
};

struct ca_plan_waiter {
    struct ca_plan_waiter *next;
    int64_t id; /* number of the plan */
    struct ipc_addr reply_to;
    lt_time since;
};

/* A plan as the book has it, in the turn's arena. */
struct plan {
    Ipc__PlanStatement statement;
    const char *status;
    int64_t created_us;
    int64_t needed;
    const char *result;
    Ipc__Approval **approvals;
    size_t approval_count;
    struct ca_params params;
};

enum event { EV_APPROVE, EV_RUN, EV_ACCEPT, EV_EXPIRE, EV_REPLACE };

static bool enough(struct ca_turn *t, const struct plan *p)
{
    struct ca_approval_policy policy = ca_approval_policy_of(p->statement.action, t->book->approvals_needed);
    return !lt_failed(ca_approvals_suffice(&t->book->operators, &p->statement, p->approvals,
                                           p->approval_count, &policy, t->now));
}

static bool short_of(struct ca_turn *t, const struct plan *p)
{
    return !enough(t, p);
}

static bool past(struct ca_turn *t, const struct plan *p)
{
    return t->now.us >= p->statement.expires_us;
}

/* Running leaves a plan approved until its action has happened: asked again, it runs again, and each action
 * bears that. First match wins. */
static const struct {
    const char *from;
    enum event event;
    bool (*guard)(struct ca_turn *t, const struct plan *p);
    const char *to;
} edges[] = {
    {"proposed", EV_EXPIRE, past, "expired"},     {"approved", EV_EXPIRE, past, "expired"},
    {"proposed", EV_APPROVE, enough, "approved"}, {"proposed", EV_APPROVE, short_of, "proposed"},
    {"approved", EV_APPROVE, enough, "approved"}, {"approved", EV_RUN, enough, "approved"},
    {"approved", EV_ACCEPT, NULL, "done"},        {"proposed", EV_REPLACE, NULL, "replaced"},
    {"approved", EV_REPLACE, NULL, "replaced"},
};

static lt_res move(struct ca_turn *t, struct plan *p, enum event event, const char *result)
{
    for (size_t i = 0; i < LT_COUNT(edges); i++) {
        bool match = edges[i].event == event && strcmp(edges[i].from, p->status) == 0 &&
                     (edges[i].guard == NULL || edges[i].guard(t, p));
        if (!match) {
            continue;
        }
        if (strcmp(edges[i].to, p->status) != 0) {
            LT_TRY(store_exec(t->store, &sql[SQL_MOVE],
                              STORE_ARGS(STORE_S(p->statement.plan_id), STORE_S(p->status),
                                         STORE_S(edges[i].to), result == NULL ? STORE_N : STORE_S(result)),
                              NULL));
            p->status = edges[i].to;
            p->result = result;
        }
        return LT_OK;
    }
    LT_CHECK(strcmp(p->status, "proposed") != 0, LT_POLICY_APPROVAL, "plan %s lacks approvals",
             p->statement.plan_id);
    LT_FAIL(LT_PEER_CONFLICT, "plan %s is %s", p->statement.plan_id, p->status);
}

/* What each action does when it is run. Those with ask go to the examiner, which verifies the approvals for
 * itself; done then follows its verdict. */
struct action {
    const char *name;
    const char *parameters[4]; /* that must be there, and no others */
    lt_res (*ask)(struct ca_turn *t, struct plan *p, uint64_t id);
    lt_res (*done)(struct ca_turn *t, const struct plan *p);
    lt_res (*check)(struct ca_turn *t,
                    const struct ca_params *params); /* at the proposal; NULL: nothing more */
    lt_res (*facts)(
        struct ca_turn *t, const struct ca_params *params,
        Ipc__PlanStatement *p); /* hash and count of what is meant; NULL: the parameters' own, 1 */
};

static lt_res approvals_json(struct ca_turn *t, const struct plan *p, lt_slice *ret_json);

static char *param(struct ca_turn *t, const struct plan *p, const char *key)
{
    char *value = lt_arena_cstr(t->arena, ca_params_get(&p->params, key));
    LT_ASSERT(value != NULL);
    return value;
}

static lt_res ask_halt_lift(struct ca_turn *t, struct plan *p, uint64_t id)
{
    Ipc__HaltLift m = IPC__HALT_LIFT__INIT;
    m.halt_id = param(t, p, "halt");
    m.plan = &p->statement;
    m.approvals = p->approvals;
    m.n_approvals = p->approval_count;
    return ca_turn_send(t, IPC_EXAMINER, IPC_HALT_LIFT, id, &m.base);
}

static lt_res check_halt_lift(struct ca_turn *t, const struct ca_params *params)
{
    const char *id = lt_arena_cstr(t->arena, ca_params_get(params, "halt"));
    LT_ASSERT(id != NULL);
    return ca_halt_may_lift(t, id);
}

static lt_res done_halt_lift(struct ca_turn *t, const struct plan *p)
{
    return ca_halt_lift(t, param(t, p, "halt"), p->statement.plan_id);
}

static lt_res key_of(struct ca_turn *t, const struct plan *p, lt_slice *ret_hash)
{
    LT_TRY(lt_unhex(t->arena, ca_params_get(&p->params, "spki-sha256"), ret_hash));
    LT_CHECK(ret_hash->len == CA_HASH_LEN, LT_PEER_MALFORMED, "spki-sha256: 64 hexadecimal digits");
    return LT_OK;
}

static lt_res ask_key_unblock(struct ca_turn *t, struct plan *p, uint64_t id)
{
    lt_slice hash;
    LT_TRY(key_of(t, p, &hash));
    Ipc__KeyUnblock m = IPC__KEY_UNBLOCK__INIT;
    memcpy(&m.spki_sha256.data, &hash.ptr, sizeof m.spki_sha256.data); /* borrowed for encoding only */
    m.spki_sha256.len = hash.len;
    m.plan = &p->statement;
    m.approvals = p->approvals;
    m.n_approvals = p->approval_count;
    return ca_turn_send(t, IPC_EXAMINER, IPC_KEY_UNBLOCK, id, &m.base);
}

static lt_res done_key_unblock(struct ca_turn *t, const struct plan *p)
{
    lt_slice hash;
    LT_TRY(key_of(t, p, &hash));
    return ca_key_block_remove(t, hash, p->statement.plan_id);
}

static lt_res ask_lint_exception(struct ca_turn *t, struct plan *p, uint64_t id)
{
    lt_time expires;
    LT_TRY(lt_time_parse(ca_params_get(&p->params, "expires"), &expires));
    Ipc__LintException m = IPC__LINT_EXCEPTION__INIT;
    m.rule = param(t, p, "rule");
    m.profile = param(t, p, "profile");
    m.expires_us = expires.us;
    m.plan = &p->statement;
    m.approvals = p->approvals;
    m.n_approvals = p->approval_count;
    return ca_turn_send(t, IPC_EXAMINER, IPC_LINT_EXCEPTION, id, &m.base);
}

/* The exception itself is an event of its own, so that "what was let pass, by whom" is one question. */
static lt_res done_lint_exception(struct ca_turn *t, const struct plan *p)
{
    struct ca_body b;
    lt_slice approvals;
    LT_TRY(approvals_json(t, p, &approvals));
    ca_body_init(&b);
    ca_body_str(&b, "rule", param(t, p, "rule"));
    ca_body_str(&b, "profile", param(t, p, "profile"));
    ca_body_str(&b, "expires", param(t, p, "expires"));
    ca_body_str(&b, "plan", p->statement.plan_id);
    ca_body_json(&b, "approvals", approvals);
    char *subject = lt_arena_printf(t->arena, "lint %s", param(t, p, "rule"));
    LT_ASSERT(subject != NULL);
    return ca_body_event(&b, t, "lint.exception", subject, LT_SLICE(NULL, 0));
}

/* What the examiner would refuse is refused before anybody signs it. */
static lt_res check_lint_exception(struct ca_turn *t, const struct ca_params *params)
{
    lt_time expires;
    lt_slice profile = ca_params_get(params, "profile");
    LT_TRY(lt_time_parse(ca_params_get(params, "expires"), &expires));
    LT_CHECK(ca_profile_by_name(t->book, profile) != NULL, LT_PEER_MALFORMED, "there is no profile \"%.*s\"",
             LT_FMT(lt_slice_sub(profile, 0, 80)));
    LT_CHECK(expires.us > t->now.us, LT_PEER_MALFORMED, "the exception would be over already");
    LT_CHECK(expires.us <= lt_time_add_seconds(t->now, CA_EXCEPTION_MAX_DAYS * LT_SECONDS_PER_DAY).us,
             LT_PEER_MALFORMED, "an exception lasts at most %d days from now", CA_EXCEPTION_MAX_DAYS);
    return LT_OK;
}

static lt_res ask_plan_check(struct ca_turn *t, struct plan *p, uint64_t id)
{
    Ipc__PlanCheck m = IPC__PLAN_CHECK__INIT;
    m.plan = &p->statement;
    m.approvals = p->approvals;
    m.n_approvals = p->approval_count;
    return ca_turn_send(t, IPC_EXAMINER, IPC_PLAN_CHECK, id, &m.base);
}

/* What waits for nobody is not signed for. */
static lt_res check_order_release(struct ca_turn *t, const struct ca_params *params)
{
    struct store_rows rows;
    uint64_t order = 0;
    LT_TRY(lt_parse_u64(ca_params_get(params, "order"), INT64_MAX, &order));
    LT_TRY(store_query(t->store, &sql[SQL_WAITING], STORE_ARGS(STORE_I((int64_t)order)), &rows));
    bool there = store_next(&rows);
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(there, LT_PEER_NOT_FOUND, "order %llu waits for nobody", (unsigned long long)order);
    return LT_OK;
}

/* An order for a name on the high-risk list: it goes on with the next tick. */
static lt_res done_order_release(struct ca_turn *t, const struct plan *p)
{
    uint64_t order = 0;
    int64_t changed = 0;
    LT_TRY(lt_parse_u64(ca_params_get(&p->params, "order"), INT64_MAX, &order));
    LT_TRY(store_exec(t->store, &sql[SQL_RELEASE],
                      STORE_ARGS(STORE_I((int64_t)order), STORE_S(p->statement.plan_id),
                                 STORE_I(lt_time_add_seconds(t->now, RELEASE_LIFE_S).us)),
                      &changed));
    LT_CHECK(changed == 1, LT_PEER_NOT_FOUND, "order %llu waits for nobody", (unsigned long long)order);
    struct ca_body b;
    ca_body_init(&b);
    ca_body_str(&b, "plan", p->statement.plan_id);
    ca_body_str(&b, "proposer", p->statement.proposer);
    char *subject = lt_arena_printf(t->arena, "order %llu", (unsigned long long)order);
    LT_ASSERT(subject != NULL);
    return ca_body_event(&b, t, "order.released", subject, LT_SLICE(NULL, 0));
}

static lt_res done_mass_revoke(struct ca_turn *t, const struct plan *p)
{
    return ca_mass_approved(t, ca_params_get(&p->params, "mass"), p->statement.plan_id);
}

/* A profile or a restore is carried out by root on the folder; the book keeps that it was approved. */
static const struct action actions[] = {
    {"halt.lift", {"halt"}, ask_halt_lift, done_halt_lift, check_halt_lift},
    {"key-block.remove", {"spki-sha256"}, ask_key_unblock, done_key_unblock},
    {"lint.exception",
     {"expires", "profile", "rule"},
     ask_lint_exception,
     done_lint_exception,
     check_lint_exception},
    {"order.release", {"order"}, ask_plan_check, done_order_release, check_order_release},
    {CA_ACTION_MASS_REVOKE, {"mass", "reason", "root"}, ask_plan_check, done_mass_revoke, NULL, ca_mass_plan},
    {"profile.change", {"profile", "sha256"}, ask_plan_check, NULL},
    {"restore", {"backup"}, ask_plan_check, NULL},
};

static const struct action *find_action(const char *name)
{
    for (size_t i = 0; i < LT_COUNT(actions); i++) {
        if (strcmp(actions[i].name, name) == 0) {
            return &actions[i];
        }
    }
    return NULL;
}

static lt_res check_parameters(const struct action *action, const struct ca_params *params)
{
    size_t wanted = 0;
    while (wanted < LT_COUNT(action->parameters) && action->parameters[wanted] != NULL) {
        LT_CHECK(ca_params_get(params, action->parameters[wanted]).len > 0, LT_PEER_MALFORMED,
                 "%s needs the parameter %s", action->name, action->parameters[wanted]);
        wanted++;
    }
    LT_CHECK(params->count == wanted, LT_PEER_MALFORMED, "%s takes %zu parameters", action->name, wanted);
    return LT_OK;
}

/* Unpacked with the arena's memory: it goes with it. */
static lt_res read_passkey(struct ca_turn *t, lt_slice packed, Ipc__Approval *a)
{
    ProtobufCAllocator allocator = ipc_arena_allocator(t->arena);
    a->passkey = ipc__passkey_assertion__unpack(&allocator, packed.len, packed.ptr);
    LT_CHECK(a->passkey != NULL, LT_STATE_CORRUPT, "an approval by passkey does not read");
    return LT_OK;
}

static lt_res read_approvals(struct ca_turn *t, struct plan *p)
{
    bool passkeys = false;
    lt_res r = LT_OK;
    p->approvals = LT_NEW_ARRAY(t->arena, Ipc__Approval *, CA_OPERATORS_MAX);
    LT_ASSERT(p->approvals != NULL);
    struct store_rows rows;
    LT_TRY(store_query(t->store, &sql[SQL_APPROVALS], STORE_ARGS(STORE_S(p->statement.plan_id)), &rows));
    while (!lt_failed(r) && p->approval_count < CA_OPERATORS_MAX && store_next(&rows)) {
        Ipc__Approval *a = LT_NEW(t->arena, Ipc__Approval);
        lt_slice signature = lt_arena_copy(t->arena, store_bytes(&rows, 1));
        LT_ASSERT(a != NULL && signature.ptr != NULL);
        ipc__approval__init(a);
        a->operator_ = lt_arena_cstr(t->arena, store_bytes(&rows, 0));
        LT_ASSERT(a->operator_ != NULL);
        memcpy(&a->signature.data, &signature.ptr, sizeof a->signature.data); /* both in the arena */
        a->signature.len = signature.len;
        a->signed_us = store_int(&rows, 2);
        r = store_is_null(&rows, 3) ? LT_OK : read_passkey(t, store_bytes(&rows, 3), a);
        passkeys = passkeys || a->passkey != NULL;
        p->approvals[p->approval_count++] = a;
    }
    LT_TRY(store_rows_end(&rows));
    LT_TRY(r);
    return passkeys ? ca_passkeys_load(t) : LT_OK;
}

static char *column(struct ca_turn *t, const struct store_rows *rows, int at)
{
    char *s = lt_arena_cstr(t->arena, store_bytes(rows, at));
    LT_ASSERT(s != NULL);
    return s;
}

static lt_res read_plan(struct ca_turn *t, const char *id, struct plan *p)
{
    struct store_rows rows;
    *p = (struct plan){.status = NULL};
    ipc__plan_statement__init(&p->statement);
    p->statement.plan_id = lt_arena_cstr(t->arena, lt_slice_cstr(id));
    LT_ASSERT(p->statement.plan_id != NULL);
    LT_TRY(store_query(t->store, &sql[SQL_GET], STORE_ARGS(STORE_S(id)), &rows));
    if (store_next(&rows)) {
        lt_slice scope = lt_arena_copy(t->arena, store_bytes(&rows, 1));
        p->statement.action = column(t, &rows, 0);
        memcpy(&p->statement.scope_sha256.data, &scope.ptr, sizeof scope.ptr); /* both in the arena */
        p->statement.scope_sha256.len = scope.len;
        p->statement.count = (uint64_t)store_int(&rows, 2);
        p->statement.parameters = column(t, &rows, 3);
        p->statement.proposer = column(t, &rows, 4);
        p->created_us = store_int(&rows, 5);
        p->statement.expires_us = store_int(&rows, 6);
        p->status = column(t, &rows, 7);
        p->needed = store_int(&rows, 8);
        p->result = store_is_null(&rows, 9) ? NULL : column(t, &rows, 9);
    }
    return store_rows_end(&rows);
}

static lt_res load(struct ca_turn *t, const char *id, struct plan *p)
{
    LT_TRY(read_plan(t, id, p));
    LT_CHECK(p->status != NULL, LT_PEER_NOT_FOUND, "there is no plan %s", id);
    LT_TRY(ca_params_parse(lt_slice_cstr(p->statement.parameters), &p->params));
    return read_approvals(t, p);
}

static lt_res approvals_json(struct ca_turn *t, const struct plan *p, lt_slice *ret_json)
{
    struct lt_buf out;
    lt_buf_init(&out, 32768);
    lt_buf_add_byte(&out, '[');
    for (size_t i = 0; i < p->approval_count; i++) {
        char when[LT_RFC3339_SIZE];
        lt_time_rfc3339((lt_time){p->approvals[i]->signed_us}, when);
        lt_buf_addf(&out, "%s{\"operator\":\"%s\",\"signed\":\"%s\"}", i == 0 ? "" : ",",
                    p->approvals[i]->operator_, when);
    }
    lt_buf_add_byte(&out, ']');
    *ret_json = lt_arena_copy(t->arena, lt_buf_slice(&out));
    lt_buf_done(&out);
    LT_CHECK(ret_json->ptr != NULL, LT_PEER_TOO_LARGE, "a plan with too many approvals");
    return LT_OK;
}

/* The plan as JSON, with the statement as it has to be signed. */
static lt_res to_json(struct ca_turn *t, const struct plan *p, const char **ret_json)
{
    lt_slice approvals;
    LT_TRY(approvals_json(t, p, &approvals));
    struct lt_buf statement;
    lt_buf_init(&statement, CA_PARAMS_MAX * 2);
    lt_res r = ca_approval_statement(&p->statement, &statement);
    struct ca_body b;
    ca_body_init(&b);
    ca_body_str(&b, "id", p->statement.plan_id);
    ca_body_str(&b, "action", p->statement.action);
    ca_body_hex(&b, "scope_sha256", LT_SLICE(p->statement.scope_sha256.data, p->statement.scope_sha256.len));
    ca_body_int(&b, "count", (int64_t)p->statement.count);
    ca_body_json(&b, "parameters", lt_slice_cstr(p->statement.parameters));
    ca_body_str(&b, "proposer", p->statement.proposer);
    ca_body_time(&b, "created", (lt_time){p->created_us});
    ca_body_time(&b, "expires", (lt_time){p->statement.expires_us});
    ca_body_str(&b, "status", p->status);
    ca_body_int(&b, "needed", p->needed);
    ca_body_json(&b, "approvals", approvals);
    if (p->result != NULL) {
        ca_body_str(&b, "result", p->result);
    }
    ca_body_text(&b, "statement", lt_buf_slice(&statement));
    lt_buf_done(&statement);
    lt_res written = ca_body_cstr(&b, t->arena, ret_json);
    return lt_failed(r) ? r : written;
}

static lt_res plan_event(struct ca_turn *t, const struct plan *p, const char *kind,
                         const struct ca_plan_asker *by)
{
    struct ca_body b;
    ca_body_init(&b);
    ca_body_str(&b, "action", p->statement.action);
    ca_body_json(&b, "parameters", lt_slice_cstr(p->statement.parameters));
    ca_body_hex(&b, "scope_sha256", LT_SLICE(p->statement.scope_sha256.data, p->statement.scope_sha256.len));
    ca_body_int(&b, "count", (int64_t)p->statement.count);
    ca_body_str(&b, "proposer", p->statement.proposer);
    ca_body_str(&b, "status", p->status);
    ca_body_int(&b, "approvals", (int64_t)p->approval_count);
    if (by != NULL) {
        ca_body_str(&b, "operator", by->operator_name);
    }
    if (p->result != NULL) {
        ca_body_str(&b, "result", p->result);
    }
    char *subject = lt_arena_printf(t->arena, "plan %s", p->statement.plan_id);
    LT_ASSERT(subject != NULL);
    return ca_body_event(&b, t, kind, subject, by == NULL ? LT_SLICE(NULL, 0) : by->jws);
}

static lt_res write_plan(struct ca_turn *t, const Ipc__PlanStatement *s)
{
    struct ca_approval_policy policy = ca_approval_policy_of(s->action, t->book->approvals_needed);
    return store_exec(t->store, &sql[SQL_ADD],
                      STORE_ARGS(STORE_S(s->plan_id), STORE_S(s->action),
                                 STORE_B(LT_SLICE(s->scope_sha256.data, s->scope_sha256.len)),
                                 STORE_I(s->count), STORE_S(s->parameters), STORE_S(s->proposer),
                                 STORE_I(t->now.us), STORE_I(s->expires_us), STORE_I(policy.needed)),
                      NULL);
}

lt_res ca_plan_create(struct ca_turn *t, const struct ca_plan_asker *by, const Ipc__PlanStatement *p,
                      const char **ret_json)
{
    const struct action *action = find_action(p->action);
    LT_CHECK(action != NULL, LT_PEER_UNSUPPORTED, "there is no action \"%s\"", p->action);
    struct ca_params params;
    LT_TRY(ca_params_parse(lt_slice_cstr(p->parameters), &params));
    LT_TRY(check_parameters(action, &params));
    if (action->check != NULL) {
        LT_TRY(action->check(t, &params));
    }
    Ipc__PlanStatement s = *p;
    uint8_t scope[CA_HASH_LEN];
    crypto_sha256(lt_slice_cstr(p->parameters), scope);
    s.scope_sha256.data = scope;
    s.scope_sha256.len = sizeof scope;
    s.count = 1;
    s.plan_id = lt_arena_printf(t->arena, "p%lld", (long long)ca_new_id(t));
    s.proposer = lt_arena_cstr(t->arena, lt_slice_cstr(by->operator_name));
    LT_ASSERT(s.plan_id != NULL && s.proposer != NULL);
    LT_TRY(action->facts != NULL ? action->facts(t, &params, &s) : LT_OK);
    s.expires_us = p->expires_us == 0 ? lt_time_add_seconds(t->now, LIFE_S).us : p->expires_us;
    LT_CHECK(s.expires_us > t->now.us && s.expires_us <= lt_time_add_seconds(t->now, LIFE_MAX_S).us,
             LT_PEER_MALFORMED, "a plan expires within 7 days");
    LT_TRY(write_plan(t, &s));
    struct plan stored;
    LT_TRY(load(t, s.plan_id, &stored));
    LT_TRY(plan_event(t, &stored, "plan.proposed", by));
    return to_json(t, &stored, ret_json);
}

lt_res ca_plan_expires(struct ca_turn *t, const char *plan_id, lt_time *ret_expires)
{
    struct plan p;
    LT_TRY(load(t, plan_id, &p));
    ret_expires->us = p.statement.expires_us;
    return LT_OK;
}

lt_res ca_plan_replace(struct ca_turn *t, const struct ca_plan_asker *by, const char *plan_id)
{
    struct plan p;
    LT_TRY(load(t, plan_id, &p));
    bool over = past(t, &p);
    if (strcmp(p.status, "expired") == 0) {
        return LT_OK;
    }
    LT_TRY(move(t, &p, over ? EV_EXPIRE : EV_REPLACE, "another was proposed"));
    return plan_event(t, &p, over ? "plan.expired" : "plan.replaced", by);
}

static lt_res insert_approval(struct ca_turn *t, const char *plan_id, const Ipc__Approval *a)
{
    struct store_value passkey = STORE_N;
    if (a->passkey != NULL) {
        size_t len = ipc__passkey_assertion__get_packed_size(a->passkey);
        uint8_t *packed = lt_arena_alloc(t->arena, len);
        LT_CHECK(packed != NULL, LT_PEER_TOO_LARGE, "the approval is over the limit");
        (void)ipc__passkey_assertion__pack(a->passkey, packed); /* the size it said */
        passkey = STORE_B(LT_SLICE(packed, len));
    }
    return store_exec(t->store, &sql[SQL_APPROVE],
                      STORE_ARGS(STORE_S(plan_id), STORE_S(a->operator_),
                                 STORE_B(LT_SLICE(a->signature.data, a->signature.len)),
                                 STORE_I(a->signed_us), passkey),
                      NULL);
}

lt_res ca_plan_approve(struct ca_turn *t, const struct ca_plan_asker *by, const char *plan_id,
                       const Ipc__Approval *approval, const char **ret_json)
{
    struct plan p;
    LT_TRY(load(t, plan_id, &p));
    LT_CHECK(strcmp(approval->operator_, by->operator_name) == 0, LT_PEER_UNAUTHORIZED,
             "an approval is handed in by who signed it");
    LT_TRY(approval->passkey != NULL ? ca_passkeys_load(t) : LT_OK);
    LT_TRY(ca_approval_verify(&t->book->operators, &p.statement, approval, t->now));
    LT_TRY(approval->passkey != NULL ? ca_passkey_count(t, approval->passkey) : LT_OK);
    lt_res added = insert_approval(t, plan_id, approval);
    LT_CHECK(added.code != LT_PEER_CONFLICT, LT_PEER_CONFLICT, "%s has approved plan %s already",
             approval->operator_, plan_id);
    LT_TRY(added);
    LT_TRY(load(t, plan_id, &p));
    LT_TRY(move(t, &p, EV_APPROVE, NULL));
    LT_TRY(plan_event(t, &p, "plan.approved", by));
    return to_json(t, &p, ret_json);
}

void ca_plan_waiters_free(struct ca_book *b)
{
    while (b->plan_waiters != NULL) {
        struct ca_plan_waiter *next = b->plan_waiters->next;
        free(b->plan_waiters);
        b->plan_waiters = next;
    }
}

/* At most one waiter for a plan, and none older than a minute. */
static void wait_for(struct ca_turn *t, int64_t id, const struct ipc_addr *reply_to)
{
    struct ca_plan_waiter **at = &t->book->plan_waiters;
    while (*at != NULL) {
        struct ca_plan_waiter *w = *at;
        if (w->id == id || t->now.us - w->since.us > WAITER_LIFE_S * LT_US_PER_SECOND) {
            *at = w->next;
            free(w);
        } else {
            at = &w->next;
        }
    }
    struct ca_plan_waiter *w = calloc(1, sizeof *w);
    LT_ASSERT(w != NULL);
    *w = (struct ca_plan_waiter){t->book->plan_waiters, id, *reply_to, t->now};
    t->book->plan_waiters = w;
}

static struct ipc_addr take_waiter(struct ca_book *b, int64_t id)
{
    for (struct ca_plan_waiter **at = &b->plan_waiters; *at != NULL; at = &(*at)->next) {
        struct ca_plan_waiter *w = *at;
        if (w->id == id) {
            struct ipc_addr to = w->reply_to;
            *at = w->next;
            free(w);
            return to;
        }
    }
    return (struct ipc_addr){.role = IPC_NOBODY};
}

/* "p123" is 123. */
static lt_res number_of(const char *plan_id, uint64_t *ret_id)
{
    lt_slice text = lt_slice_cstr(plan_id);
    LT_CHECK(lt_slice_starts(text, LT_LIT("p")), LT_PEER_NOT_FOUND, "there is no plan %s", plan_id);
    return lt_parse_u64(lt_slice_sub(text, 1, text.len), INT64_MAX, ret_id);
}

lt_res ca_plan_run(struct ca_turn *t, const struct ca_plan_asker *by, const char *plan_id,
                   const char **ret_json)
{
    struct plan p;
    uint64_t id = 0;
    *ret_json = NULL;
    LT_TRY(number_of(plan_id, &id));
    LT_TRY(load(t, plan_id, &p));
    if (strcmp(p.status, "done") == 0) {
        return to_json(t, &p, ret_json);
    }
    if (past(t, &p)) {
        LT_TRY(move(t, &p, EV_EXPIRE, NULL));
        return to_json(t, &p, ret_json);
    }
    LT_TRY(move(t, &p, EV_RUN, NULL));
    const struct action *action = find_action(p.statement.action);
    LT_CHECK(action != NULL, LT_STATE_CORRUPT, "plan %s: no action %s", plan_id, p.statement.action);
    LT_CHECK(t->book->examiner_linked, LT_RETRY_UNAVAILABLE, "the examiner is away: run it again");
    if (strcmp(p.statement.action, CA_ACTION_HALT_LIFT) == 0) { /* days may lie between proposal and this */
        LT_TRY(action->check(t, &p.params));
    }
    LT_TRY(plan_event(t, &p, "plan.run", by));
    LT_TRY(action->ask(t, &p, id));
    wait_for(t, (int64_t)id, &by->reply_to);
    return LT_OK;
}

static lt_res finish(struct ca_turn *t, struct plan *p, const Ipc__ExaminerVerdict *m)
{
    if (!m->accepted) {
        p->result = lt_arena_cstr(t->arena, lt_slice_cstr(m->detail));
        return plan_event(t, p, "plan.refused", NULL);
    }
    LT_TRY(move(t, p, EV_ACCEPT, "done"));
    const struct action *action = find_action(p->statement.action);
    LT_CHECK(action != NULL, LT_STATE_CORRUPT, "no action %s", p->statement.action);
    if (action->done != NULL) {
        lt_res r = action->done(t, p);
        /* What was undone before, by another plan, is as it should be. */
        if (r.code != LT_PEER_NOT_FOUND) {
            LT_TRY(r);
        }
    }
    return plan_event(t, p, "plan.done", NULL);
}

lt_res ca_plan_repeat(struct ca_turn *t, const char *plan_id)
{
    struct plan p;
    LT_TRY(load(t, plan_id, &p));
    const struct action *action = find_action(p.statement.action);
    bool remembered = action != NULL && action->ask != NULL && action->ask != ask_plan_check;
    return remembered ? action->ask(t, &p, 0) : LT_OK;
}

lt_res ca_plan_on_verdict(struct ca_turn *t, uint64_t id, const Ipc__ExaminerVerdict *m,
                          struct ipc_addr *ret_waiter, const char **ret_json)
{
    *ret_waiter = (struct ipc_addr){.role = IPC_NOBODY};
    *ret_json = NULL;
    if (id == 0) {
        return LT_OK; /* the answer to a key's blocking */
    }
    char *plan_id = lt_arena_printf(t->arena, "p%llu", (unsigned long long)id);
    LT_ASSERT(plan_id != NULL);
    struct plan p;
    LT_TRY(load(t, plan_id, &p));
    if (strcmp(p.status, "done") != 0) {
        LT_TRY(finish(t, &p, m));
    }
    LT_TRY(to_json(t, &p, ret_json));
    *ret_waiter = take_waiter(t->book, (int64_t)id);
    return LT_OK;
}
