/* The policy of names at the desk: refusals that name their row, orders that wait for a person. */
#include "check.h"
#include "rig.h"
#include "sign.pb-c.h"

static const char yaml[] = "rows:\n"
                           "  - {id: brand, action: deny, suffix: brand.com, reason: Ask our own desk.}\n"
                           "  - {id: risk, action: review, word: bank, reason: High risk.}\n";
static const char stricter[] = "rows:\n  - {id: closed, action: deny, suffix: com, reason: Closed.}\n";
static const char with_risk[] = "rows:\n  - {id: late, action: review, suffix: com, reason: Now a risk.}\n";

static const char *const fine[] = {"www.example.com", NULL};
static const char *const risky[] = {"my-bank.example.com", "www.example.com", NULL};

struct bench {
    struct rig r;
    struct acme_policy policy;
    struct rig_account a;
    struct rig_account leaf;
};

static void use(struct bench *b, const char *text)
{
    acme_policy_done(&b->policy);
    assert_ok(acme_policy_parse(lt_slice_cstr(text), &b->policy));
    acme_desk_use_policy(b->r.desk, &b->policy);
}

static void set_up(struct bench *b, const char *text)
{
    memset(b, 0, sizeof *b);
    rig_open(&b->r, NULL);
    lt_arena_init(&b->policy.arena, 1024);
    use(b, text);
    rig_new_account(&b->r, &b->a, 1);
    rig_key(&b->leaf, 0);
}

static void tear_down(struct bench *b)
{
    rig_close(&b->r);
    acme_policy_done(&b->policy);
}

static int64_t ready(struct bench *b, const char *const *names)
{
    int64_t ids[8];
    const Ipc__AcmeReply *reply = rig_new_order(&b->r, &b->a, names);
    assert_int_equal(reply->status, 201);
    int64_t order = reply->location_order;
    size_t count = reply->order->n_authorizations;
    memcpy(ids, reply->order->authorizations, count * sizeof ids[0]);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(rig_reply_challenge(&b->r, &b->a, ids[i])->status, 200);
        rig_validated(&b->r, NULL);
    }
    return order;
}

static const Ipc__AcmeReply *order_of(struct bench *b, int64_t order)
{
    return rig_get_order(&b->r, &b->a, order);
}

/* What the plan order.release does in the book. */
static void release(struct bench *b, int64_t order)
{
    char sql[160];
    (void)snprintf(sql, sizeof sql,
                   "UPDATE order_wait SET review = 'released', released_by = 'p1', until_us = %lld "
                   "WHERE order_id = %lld AND review = 'waiting'",
                   (long long)lt_time_add_seconds(b->r.now, 600).us, (long long)order);
    int64_t changed = 0;
    assert_ok(store_exec(b->r.store, rig_sql(&b->r, sql), STORE_NO_ARGS, &changed));
    assert_int_equal(changed, 1);
    rig_advance(&b->r, 2);
    rig_tick(&b->r);
}

static void test_denied(void **state)
{
    static const char *const one[] = {"www.example.com", "shop.brand.com", NULL};
    static const char *const both[] = {"*.brand.com", "brand.com", NULL};
    struct bench b;
    (void)state;
    set_up(&b, yaml);
    const Ipc__AcmeReply *reply = rig_new_order(&b.r, &b.a, one);
    assert_string_equal(reply->problem->type, "rejectedIdentifier");
    assert_non_null(strstr(reply->problem->detail, "Ask our own desk. [policy row brand]"));
    assert_int_equal(reply->problem->n_subproblems, 1);
    assert_string_equal(reply->problem->subproblems[0]->identifier->value, "shop.brand.com");
    reply = rig_new_order(&b.r, &b.a, both);
    assert_int_equal(reply->problem->n_subproblems, 2);
    assert_int_equal(rig_number(&b.r, "SELECT count(*) FROM ca_order"), 0);
    use(&b, "default: deny\nrows:\n  - {id: ours, action: allow, suffix: example.com, reason: Ours.}\n");
    assert_int_equal(rig_new_order(&b.r, &b.a, fine)->status, 201);
    reply = rig_new_order(&b.r, &b.a, one);
    assert_non_null(strstr(reply->problem->detail, "[policy default]"));
    tear_down(&b);
}

static void test_denied_since(void **state)
{
    struct bench b;
    (void)state;
    set_up(&b, yaml);
    int64_t order = ready(&b, fine);
    use(&b, stricter);
    const Ipc__AcmeReply *reply = rig_finalize(&b.r, &b.a, order, fine, &b.leaf.key);
    assert_string_equal(reply->problem->type, "rejectedIdentifier");
    assert_non_null(strstr(reply->problem->detail, "policy row closed"));
    assert_int_equal(rig_count(&b.r, IPC_SIGN_REQUEST), 0);
    use(&b, yaml);
    assert_null(rig_finalize(&b.r, &b.a, order, fine, &b.leaf.key));
    assert_int_equal(rig_count(&b.r, IPC_SIGN_REQUEST), 1);
    tear_down(&b);
}

static void test_released(void **state)
{
    struct bench b;
    (void)state;
    set_up(&b, yaml);
    int64_t order = ready(&b, risky);
    assert_null(rig_finalize(&b.r, &b.a, order, risky, &b.leaf.key));
    assert_int_equal(rig_count(&b.r, IPC_SIGN_REQUEST), 0);
    assert_string_equal(rig_text(&b.r, "SELECT review || ' ' || rule FROM order_wait"), "waiting risk");
    rig_advance(&b.r, 3600);
    rig_tick(&b.r);
    rig_restart(&b.r);
    acme_desk_use_policy(b.r.desk, &b.policy);
    rig_tick(&b.r);
    assert_int_equal(rig_count(&b.r, IPC_SIGN_REQUEST), 0);
    assert_string_equal(rig_text(&b.r, "SELECT status FROM ca_order"), "processing");
    release(&b, order);
    assert_int_equal(rig_count(&b.r, IPC_SIGN_REQUEST), 1);
    const Ipc__SignRequest *q = rig_find(&b.r, IPC_SIGN_REQUEST, 0);
    assert_int_equal(q->n_evidence, 2);
    assert_int_equal(rig_number(&b.r, "SELECT count(*) FROM order_wait"), 0);
    rig_signed(&b.r, NULL);
    assert_string_equal(order_of(&b, order)->order->status, "valid");
    tear_down(&b);
}

/* A night and a weekend: authorizations may be used again for hours, the request that waits was in time. */
static void test_released_days_later(void **state)
{
    struct bench b;
    (void)state;
    set_up(&b, yaml);
    int64_t order = ready(&b, risky);
    assert_null(rig_finalize(&b.r, &b.a, order, risky, &b.leaf.key));
    rig_advance(&b.r, 3 * 86400);
    assert_int_equal(rig_new_order(&b.r, &b.a, risky)->status, 201);
    assert_int_equal(rig_number(&b.r, "SELECT count(*) FROM authorization"),
                     4); /* for others they are over */
    release(&b, order);
    assert_int_equal(rig_count(&b.r, IPC_SIGN_REQUEST), 1);
    rig_signed(&b.r, NULL);
    assert_string_equal(order_of(&b, order)->order->status, "valid");
    tear_down(&b);
}

/* A proof that was taken back meanwhile, or that the rules call too old by then, ends the order. */
static void test_released_too_late(void **state)
{
    static const char *const meanwhile[] = {
        "UPDATE authorization SET status = 'deactivated'",
        "UPDATE authorization SET validated_us = validated_us - 34560000000000", /* 400 days */
    };
    (void)state;
    for (size_t i = 0; i < LT_COUNT(meanwhile); i++) {
        struct bench b;
        set_up(&b, yaml);
        int64_t order = ready(&b, risky);
        assert_null(rig_finalize(&b.r, &b.a, order, risky, &b.leaf.key));
        if (i == 1) { /* with its evidence */
            assert_ok(store_exec(
                b.r.store, rig_sql(&b.r, "UPDATE evidence SET checked_us = checked_us - 34560000000000"),
                STORE_NO_ARGS, NULL));
        }
        assert_ok(store_exec(b.r.store, rig_sql(&b.r, meanwhile[i]), STORE_NO_ARGS, NULL));
        release(&b, order);
        const Ipc__AcmeReply *reply = order_of(&b, order);
        assert_string_equal(reply->order->status, "invalid");
        assert_string_equal(reply->order->error->type, "unauthorized");
        assert_int_equal(rig_count(&b.r, IPC_SIGN_REQUEST), 0);
        tear_down(&b);
    }
}

static void test_never_released(void **state)
{
    struct bench b;
    (void)state;
    set_up(&b, yaml);
    int64_t order = ready(&b, risky);
    assert_null(rig_finalize(&b.r, &b.a, order, risky, &b.leaf.key));
    rig_advance(&b.r, 8 * 86400);
    rig_tick(&b.r);
    const Ipc__AcmeReply *reply = order_of(&b, order);
    assert_string_equal(reply->order->status, "invalid");
    assert_string_equal(reply->order->error->type, "rejectedIdentifier");
    assert_non_null(strstr(reply->order->error->detail, "policy row risk"));
    assert_int_equal(rig_count(&b.r, IPC_SIGN_REQUEST), 0);
    tear_down(&b);
}

/* A release is no permission for what is denied meanwhile. */
static void test_denied_after_release(void **state)
{
    struct bench b;
    (void)state;
    set_up(&b, yaml);
    int64_t order = ready(&b, risky);
    assert_null(rig_finalize(&b.r, &b.a, order, risky, &b.leaf.key));
    use(&b, stricter);
    release(&b, order);
    const Ipc__AcmeReply *reply = order_of(&b, order);
    assert_string_equal(reply->order->status, "invalid");
    assert_string_equal(reply->order->error->type, "rejectedIdentifier");
    assert_int_equal(reply->order->error->n_subproblems, 2);
    assert_int_equal(rig_count(&b.r, IPC_SIGN_REQUEST), 0);
    tear_down(&b);
}

/* CAA is asked after the release, not days before it; and a row that is new by then wants a person after all.
 */
static void test_caa_after_release(void **state)
{
    static const char config[] = "acme:\n  terms-of-service: https://ca.example.com/terms\n"
                                 "  caa-identities: [ca.example.com]\nvalidation:\n  allow-private: true\n"
                                 "rate-limits:\n  failures-per-name: none\n";
    struct bench b;
    (void)state;
    memset(&b, 0, sizeof b);
    rig_open(&b.r, config);
    lt_arena_init(&b.policy.arena, 1024);
    use(&b, yaml);
    rig_new_account(&b.r, &b.a, 1);
    rig_key(&b.leaf, 0);
    int64_t order = ready(&b, risky);
    size_t before = rig_count(&b.r, IPC_VALIDATE);
    assert_null(rig_finalize(&b.r, &b.a, order, risky, &b.leaf.key));
    assert_int_equal(rig_count(&b.r, IPC_VALIDATE), before);
    release(&b, order);
    assert_int_equal(rig_count(&b.r, IPC_VALIDATE), before + 2);
    assert_int_equal(rig_count(&b.r, IPC_SIGN_REQUEST), 0);
    rig_advance(&b.r, 2);
    rig_tick(&b.r); /* asks nothing twice */
    assert_int_equal(rig_count(&b.r, IPC_VALIDATE), before + 2);

    order = ready(&b, fine);
    assert_null(rig_finalize(&b.r, &b.a, order, fine, &b.leaf.key));
    use(&b, with_risk);
    const Ipc__Validate *q = rig_find(&b.r, IPC_VALIDATE, rig_count(&b.r, IPC_VALIDATE) - 1);
    assert_string_equal(q->method, "caa");
    assert_string_equal(q->identifier->value, "www.example.com");
    tear_down(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_denied),
        cmocka_unit_test(test_denied_since),
        cmocka_unit_test(test_released),
        cmocka_unit_test(test_released_days_later),
        cmocka_unit_test(test_released_too_late),
        cmocka_unit_test(test_never_released),
        cmocka_unit_test(test_denied_after_release),
        cmocka_unit_test(test_caa_after_release),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
