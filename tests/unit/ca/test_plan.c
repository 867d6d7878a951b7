/* Plans: proposed, approved by signatures, run on the examiner's verdict; every state and every non-edge. */
#include "../check.h"
#include "book_rig.h"

#include <stdlib.h>
#include <unistd.h>

#include "ca/approval.h"
#include "ca/halt.h"
#include "ca/key_block.h"
#include "ca/plan.h"
#include "store/internal.h"

#define PATH "/tmp/lintel-test-plan.db"

static void remove_files(void)
{
    (void)unlink(PATH);
    (void)unlink(PATH "-wal");
    (void)unlink(PATH "-shm");
}

static int set_up(void **state)
{
    struct rig *r = calloc(1, sizeof *r);
    assert_non_null(r);
    remove_files();
    assert_ok(rig_open(r, PATH, NULL, true));
    *state = r;
    return 0;
}

static int tear_down(void **state)
{
    rig_free(*state);
    remove_files();
    return 0;
}

struct args { /* of one step, and what came of it */
    const char *who;
    const char *action;
    const char *parameters;
    int64_t expires_us;
    char plan_id[64];
    size_t signer;
    bool accepted;
    bool told;
    char json[8192];
};

static void take_json(struct args *a, const char *json)
{
    a->told = json != NULL;
    (void)snprintf(a->json, sizeof a->json, "%s", json == NULL ? "" : json);
}

static struct ca_plan_asker asker(const struct args *a)
{
    return (struct ca_plan_asker){a->who, LT_SLICE(NULL, 0), {.role = IPC_NOTARY, .id = 77}};
}

static lt_res step_create(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    struct args *a = arg;
    struct ca_plan_asker by = asker(a);
    const char *json = NULL;
    Ipc__PlanStatement p = IPC__PLAN_STATEMENT__INIT;
    p.action = lt_arena_cstr(t->arena, lt_slice_cstr(a->action));
    p.parameters = lt_arena_cstr(t->arena, lt_slice_cstr(a->parameters));
    p.expires_us = a->expires_us;
    LT_TRY(ca_plan_create(t, &by, &p, &json));
    take_json(a, json);
    (void)sscanf(a->json, "{\"id\":\"%63[^\"]", a->plan_id);
    return LT_OK;
}

/* The statement as the book has it, signed. */
static void sign_plan(struct rig *r, const struct args *a, Ipc__Approval *approval, uint8_t *signature)
{
    static const struct store_sql get = {
        "t.plan",
        "SELECT action, scope_sha256, count, parameters, proposer, expires_us FROM plan WHERE id = ?1"};
    struct store_rows rows;
    assert_ok(store_query(r->store, &get, STORE_ARGS(STORE_S(a->plan_id)), &rows));
    assert_true(store_next(&rows));
    char texts[4][512];
    (void)snprintf(texts[0], sizeof texts[0], "%s", a->plan_id);
    (void)snprintf(texts[1], sizeof texts[1], "%s", store_cstr(&rows, 0));
    (void)snprintf(texts[2], sizeof texts[2], "%s", store_cstr(&rows, 3));
    (void)snprintf(texts[3], sizeof texts[3], "%s", store_cstr(&rows, 4));
    uint8_t scope[32];
    memcpy(scope, store_bytes(&rows, 1).ptr, sizeof scope);
    Ipc__PlanStatement p = IPC__PLAN_STATEMENT__INIT;
    p.plan_id = texts[0];
    p.action = texts[1];
    p.parameters = texts[2];
    p.proposer = texts[3];
    p.scope_sha256 = (ProtobufCBinaryData){sizeof scope, scope};
    p.count = (uint64_t)store_int(&rows, 2);
    p.expires_us = store_int(&rows, 5);
    assert_ok(store_rows_end(&rows));
    struct lt_buf text;
    size_t len = 0;
    lt_buf_init(&text, 10000);
    assert_ok(ca_approval_statement(&p, &text));
    assert_ok(crypto_key_sign_jose(rig_operator_key(a->signer), CRYPTO_EDDSA, lt_buf_slice(&text), signature,
                                   &len));
    lt_buf_done(&text);
    approval->signature = (ProtobufCBinaryData){len, signature};
    approval->signed_us = r->now.us;
}

static lt_res step_approve(struct rig *r, struct ca_turn *t, void *arg)
{
    struct args *a = arg;
    struct ca_plan_asker by = asker(a);
    uint8_t signature[CRYPTO_SIGNATURE_MAX];
    const char *json = NULL;
    Ipc__Approval approval = IPC__APPROVAL__INIT;
    char name[32];
    (void)snprintf(name, sizeof name, "%s", rig_operator_name(a->signer));
    sign_plan(r, a, &approval, signature);
    approval.operator_ = name;
    LT_TRY(ca_plan_approve(t, &by, a->plan_id, &approval, &json));
    take_json(a, json);
    return LT_OK;
}

static lt_res step_run(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    struct args *a = arg;
    struct ca_plan_asker by = asker(a);
    const char *json = NULL;
    LT_TRY(ca_plan_run(t, &by, a->plan_id, &json));
    take_json(a, json);
    return LT_OK;
}

static lt_res step_verdict(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    struct args *a = arg;
    Ipc__ExaminerVerdict m = IPC__EXAMINER_VERDICT__INIT;
    char detail[] = "says the examiner";
    m.accepted = a->accepted;
    m.detail = detail;
    struct ipc_addr waiter;
    const char *json = NULL;
    uint64_t id = strtoull(a->plan_id + 1, NULL, 10);
    LT_TRY(ca_plan_on_verdict(t, id, &m, &waiter, &json));
    a->told = waiter.role == IPC_NOTARY && waiter.id == 77;
    (void)snprintf(a->json, sizeof a->json, "%s", json == NULL ? "" : json);
    return LT_OK;
}

static lt_res step_halt(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    (void)arg;
    const char *id = NULL;
    Ipc__Halt h = IPC__HALT__INIT;
    char text[] = "h1";
    char empty[] = "";
    h.id = text;
    h.kind = IPC__HALT_KIND__HALT_ALL;
    h.value = empty;
    h.reason = text;
    h.operator_ = text;
    return ca_halt_add(t, &h, LT_SLICE(NULL, 0), &id);
}

static bool status_is(const struct args *a, const char *status)
{
    char wanted[64];
    (void)snprintf(wanted, sizeof wanted, "\"status\":\"%s\"", status);
    return strstr(a->json, wanted) != NULL;
}

static struct args lift_plan(struct rig *r)
{
    struct args a = {.who = "cyd", .action = "halt.lift", .parameters = "{\"halt\":\"h1\"}"};
    assert_ok(rig_run(r, step_halt, NULL));
    assert_ok(rig_run(r, step_create, &a));
    assert_true(status_is(&a, "proposed"));
    return a;
}

static void approve(struct rig *r, struct args *a, size_t who)
{
    a->signer = who;
    a->who = rig_operator_name(who);
    assert_ok(rig_run(r, step_approve, a));
}

static char a_name[] = "www.example.com";

static void a_halt_is_lifted(void **state)
{
    struct rig *r = *state;
    struct args a = lift_plan(r);
    assert_fails(rig_run(r, step_run, &a), LT_POLICY_APPROVAL);
    approve(r, &a, 0);
    assert_true(status_is(&a, "proposed"));
    assert_fails(rig_run(r, step_run, &a), LT_POLICY_APPROVAL);
    approve(r, &a, 1);
    assert_true(status_is(&a, "approved"));
    assert_null(rig_last(r, IPC_HALT_LIFT));
    assert_ok(rig_run(r, step_run, &a));
    assert_false(a.told);
    const struct rig_sent *lift = rig_last(r, IPC_HALT_LIFT);
    assert_non_null(lift);
    assert_int_equal(lift->id, strtoull(a.plan_id + 1, NULL, 10));
    assert_int_equal(r->book->halt_count, 1); /* not before the examiner agrees */
    assert_fails(rig_run(r, rig_plan, a_name), LT_POLICY_HALTED);
    a.accepted = true;
    assert_ok(rig_run(r, step_verdict, &a));
    assert_true(a.told);
    assert_true(status_is(&a, "done"));
    assert_int_equal(r->book->halt_count, 0);
    assert_ok(rig_run(r, rig_plan, a_name));
    assert_ok(rig_run(r, step_verdict, &a)); /* said twice */
    assert_false(a.told);
    assert_ok(rig_run(r, step_run, &a)); /* run twice: told how it is */
    assert_true(a.told && status_is(&a, "done"));
    assert_ok(rig_answer(r, SIZE_MAX));
    rig_audit(r);
}

static void the_examiner_refuses(void **state)
{
    struct rig *r = *state;
    struct args a = lift_plan(r);
    approve(r, &a, 0);
    approve(r, &a, 1);
    assert_ok(rig_run(r, step_run, &a));
    a.accepted = false;
    assert_ok(rig_run(r, step_verdict, &a));
    assert_true(a.told);
    assert_true(status_is(&a, "approved"));
    assert_int_equal(r->book->halt_count, 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind = 'plan.refused'"), 1);
    rig_audit(r);
}

/* Killed between the examiner's yes and the commit: run again, and it is done. */
static void a_verdict_after_a_restart(void **state)
{
    struct rig *r = *state;
    struct args a = lift_plan(r);
    approve(r, &a, 0);
    approve(r, &a, 1);
    assert_ok(rig_run(r, step_run, &a));
    rig_close(r);
    assert_ok(rig_open(r, PATH, NULL, false));
    a.accepted = true;
    assert_ok(rig_run(r, step_verdict, &a)); /* an answer to the process before */
    assert_false(a.told);
    assert_true(status_is(&a, "done"));
    assert_int_equal(r->book->halt_count, 0);
}

static void who_may_approve(void **state)
{
    struct rig *r = *state;
    struct args a = lift_plan(r);
    approve(r, &a, 0);
    assert_fails(rig_run(r, step_approve, &a), LT_PEER_CONFLICT); /* twice */
    a.signer = 2;
    a.who = "cyd";
    assert_fails(rig_run(r, step_approve, &a), LT_POLICY_APPROVAL); /* a viewer */
    a.signer = 1;
    assert_fails(rig_run(r, step_approve, &a), LT_PEER_UNAUTHORIZED); /* cyd hands in bob's */
    assert_int_equal(rig_number(r, "SELECT count(*) FROM approval"), 1);
    (void)snprintf(a.plan_id, sizeof a.plan_id, "p1");
    assert_fails(rig_run(r, step_run, &a), LT_PEER_NOT_FOUND);
    (void)snprintf(a.plan_id, sizeof a.plan_id, "x");
    assert_fails(rig_run(r, step_run, &a), LT_PEER_NOT_FOUND);
}

static void the_proposer_is_not_the_second_person(void **state)
{
    struct rig *r = *state;
    struct args a = {.who = "ann", .action = "halt.lift", .parameters = "{\"halt\":\"h1\"}"};
    assert_ok(rig_run(r, step_halt, NULL));
    assert_ok(rig_run(r, step_create, &a));
    approve(r, &a, 0);
    approve(r, &a, 1);
    assert_true(status_is(&a, "proposed"));
    assert_fails(rig_run(r, step_run, &a), LT_POLICY_APPROVAL);
}

static void plans_expire(void **state)
{
    struct rig *r = *state;
    struct args a = lift_plan(r);
    approve(r, &a, 0);
    approve(r, &a, 1);
    r->now.us += 25 * 3600 * LT_US_PER_SECOND;
    assert_ok(rig_run(r, step_run, &a));
    assert_true(a.told && status_is(&a, "expired"));
    assert_null(rig_last(r, IPC_HALT_LIFT));
    assert_fails(rig_run(r, step_run, &a), LT_PEER_CONFLICT);
    assert_int_equal(r->book->halt_count, 1);
}

static void plans_that_are_none(void **state)
{
    struct rig *r = *state;
    static const struct {
        const char *action;
        const char *parameters;
        int64_t expires_us;
        int code;
    } rows[] = {
        {"halt.drop", "{\"halt\":\"h1\"}", 0, LT_PEER_UNSUPPORTED},
        {"", "{}", 0, LT_PEER_UNSUPPORTED},
        {"halt.lift", "{}", 0, LT_PEER_MALFORMED},
        {"halt.lift", "{\"halt\":\"\"}", 0, LT_PEER_MALFORMED},
        {"halt.lift", "{\"also\":\"x\",\"halt\":\"h1\"}", 0, LT_PEER_MALFORMED},
        {"halt.lift", "{\"halt\": \"h1\"}", 0, LT_PEER_MALFORMED},
        {"halt.lift", "not json", 0, LT_PEER_MALFORMED},
        {"halt.lift", "{\"halt\":\"h1\"}", 1, LT_PEER_MALFORMED},
        {"halt.lift", "{\"halt\":\"h1\"}", INT64_C(9000000000000000000), LT_PEER_MALFORMED},
        {"lint.exception", "{\"profile\":\"p\",\"rule\":\"r\"}", 0, LT_PEER_MALFORMED},
        {"lint.exception", "{\"expires\":\"2026-11-30T00:00:00Z\",\"profile\":\"nosuch\",\"rule\":\"r\"}", 0,
         LT_PEER_MALFORMED},
        {"lint.exception", "{\"expires\":\"2026-11-01T00:00:00Z\",\"profile\":\"tls-server\",\"rule\":\"r\"}",
         0, LT_PEER_MALFORMED},
        {"lint.exception", "{\"expires\":\"2027-11-01T00:00:00Z\",\"profile\":\"tls-server\",\"rule\":\"r\"}",
         0, LT_PEER_MALFORMED},
        {"lint.exception", "{\"expires\":\"soon\",\"profile\":\"tls-server\",\"rule\":\"r\"}", 0,
         LT_PEER_MALFORMED},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct args a = {.who = "ann",
                         .action = rows[i].action,
                         .parameters = rows[i].parameters,
                         .expires_us = rows[i].expires_us};
        assert_fails(rig_run(r, step_create, &a), rows[i].code);
    }
    assert_int_equal(rig_number(r, "SELECT count(*) FROM plan"), 0);
}

static lt_res step_block(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    uint8_t hash[CA_HASH_LEN] = {0xab};
    return arg == NULL ? ca_key_block_add(t, LT_SLICE(hash, sizeof hash), "weak", "test")
                       : ca_key_block_check(t, LT_SLICE(hash, sizeof hash));
}

static void a_key_is_unblocked(void **state)
{
    struct rig *r = *state;
    struct args a = {.who = "cyd",
                     .action = "key-block.remove",
                     .parameters = "{\"spki-sha256\":"
                                   "\"ab00000000000000000000000000000000000000000000000000000000000000\"}"};
    assert_ok(rig_run(r, step_block, NULL));
    assert_ok(rig_run(r, step_block, NULL)); /* known already is fine */
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind = 'key.blocked'"), 1);
    assert_fails(rig_run(r, step_block, r), LT_POLICY_BLOCKED_KEY);
    assert_ok(rig_run(r, step_create, &a));
    approve(r, &a, 0);
    approve(r, &a, 1);
    assert_ok(rig_run(r, step_run, &a));
    assert_non_null(rig_last(r, IPC_KEY_UNBLOCK));
    a.accepted = true;
    assert_ok(rig_run(r, step_verdict, &a));
    assert_ok(rig_run(r, step_block, r));
    rig_audit(r);
}

static void what_root_carries_out(void **state)
{
    struct rig *r = *state;
    static const struct {
        const char *action;
        const char *parameters;
        enum ipc_type asked;
    } rows[] = {
        {"profile.change", "{\"profile\":\"tls-server\",\"sha256\":\"00\"}", IPC_PLAN_CHECK},
        {"restore", "{\"backup\":\"2026-11-22\"}", IPC_PLAN_CHECK},
        {"lint.exception", "{\"expires\":\"2026-11-30T00:00:00Z\",\"profile\":\"tls-server\",\"rule\":\"x\"}",
         IPC_LINT_EXCEPTION},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct args a = {.who = "cyd", .action = rows[i].action, .parameters = rows[i].parameters};
        assert_ok(rig_run(r, step_create, &a));
        approve(r, &a, 0);
        approve(r, &a, 1);
        assert_ok(rig_run(r, step_run, &a));
        assert_non_null(rig_last(r, rows[i].asked));
        a.accepted = true;
        assert_ok(rig_run(r, step_verdict, &a));
        assert_true(a.told && status_is(&a, "done"));
    }
    rig_audit(r);
}

static void release(struct rig *r, struct args *a, const char *parameters)
{
    *a = (struct args){.who = "cyd", .action = "order.release", .parameters = parameters};
    assert_ok(rig_run(r, step_create, a));
    approve(r, a, 0); /* one is enough, whatever is configured */
    assert_ok(rig_run(r, step_run, a));
    assert_non_null(rig_last(r, IPC_PLAN_CHECK));
    a->accepted = true;
}

static int64_t number(struct rig *r, const struct store_sql *sql)
{
    struct store_rows rows;
    assert_ok(store_query(r->store, sql, STORE_NO_ARGS, &rows));
    assert_true(store_next(&rows));
    int64_t n = store_int(&rows, 0);
    assert_ok(store_rows_end(&rows));
    return n;
}

static void an_order_is_released(void **state)
{
    static const struct store_sql add = {
        "test.wait", "INSERT INTO order_wait (order_id, subject_key, since_us, until_us, review, rule) "
                     "VALUES (77, x'00', 1, 9, 'waiting', 'risk'), (78, x'00', 1, 9, '', ''), "
                     "(80, x'00', 1, 9, 'waiting', 'risk'), (81, x'00', 1, 9, 'waiting', 'risk')"};
    static const struct store_sql drop = {"test.drop", "DELETE FROM order_wait WHERE order_id = 80"};
    static const struct store_sql released = {
        "test.released", "SELECT count(*) FROM order_wait WHERE review = 'released' AND order_id = 77 AND "
                         "released_by LIKE 'p%' AND until_us > 9"};
    static const struct store_sql all = {"test.all",
                                         "SELECT count(*) FROM order_wait WHERE review = 'released'"};
    static const struct store_sql events = {"test.events",
                                            "SELECT count(*) FROM event WHERE kind = 'order.released'"};
    struct rig *r = *state;
    struct args a;
    assert_ok(store_exec(r->store, &add, STORE_NO_ARGS, NULL));
    release(r, &a, "{\"order\":\"77\"}");
    assert_int_equal(number(r, &all), 0);
    assert_ok(rig_run(r, step_verdict, &a));
    assert_int_equal(number(r, &released), 1);
    /* neither one that is released already, nor one that waits for nobody, nor one that is not there, nor one
     * that is no number: nobody is asked to sign for it */
    static const char *const bad[] = {"{\"order\":\"77\"}", "{\"order\":\"78\"}", "{\"order\":\"79\"}"};
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        a = (struct args){.who = "cyd", .action = "order.release", .parameters = bad[i]};
        assert_fails(rig_run(r, step_create, &a), LT_PEER_NOT_FOUND);
    }
    a = (struct args){.who = "cyd", .action = "order.release", .parameters = "{\"order\":\"x\"}"};
    assert_fails(rig_run(r, step_create, &a), LT_PEER_MALFORMED);
    /* released by another plan meanwhile */
    release(r, &a, "{\"order\":\"80\"}");
    assert_ok(store_exec(r->store, &drop, STORE_NO_ARGS, NULL));
    assert_ok(rig_run(r, step_verdict, &a));
    assert_int_equal(number(r, &events), 1);
    /* the examiner's no is a no */
    release(r, &a, "{\"order\":\"81\"}");
    a.accepted = false;
    assert_ok(rig_run(r, step_verdict, &a));
    assert_int_equal(number(r, &events), 1);
    assert_int_equal(number(r, &all), 1);
    rig_audit(r);
}

static void the_examiner_is_away(void **state)
{
    struct rig *r = *state;
    struct args a = lift_plan(r);
    approve(r, &a, 0);
    approve(r, &a, 1);
    r->book->examiner_linked = false;
    assert_fails(rig_run(r, step_run, &a), LT_RETRY_UNAVAILABLE);
    r->book->examiner_linked = true;
    assert_ok(rig_run(r, step_run, &a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_halt_is_lifted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_examiner_refuses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_verdict_after_a_restart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_may_approve, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_proposer_is_not_the_second_person, set_up, tear_down),
        cmocka_unit_test_setup_teardown(plans_expire, set_up, tear_down),
        cmocka_unit_test_setup_teardown(plans_that_are_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_key_is_unblocked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_root_carries_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_order_is_released, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_examiner_is_away, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("plan", tests, rig_group_setup, rig_group_teardown);
}
