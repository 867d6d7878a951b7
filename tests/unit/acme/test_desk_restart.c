/* The registrar is killed between any two messages: what was accepted goes on, nothing is stuck. And no
 * statement of the room looks at more than it must. */
#include <stdlib.h>

#include "check.h"
#include "rig.h"

static const char *const www[] = {"www.example.com", NULL};

static void test_validation_goes_on(void **state)
{
    struct rig r;
    struct rig_account a;
    (void)state;
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    const Ipc__AcmeReply *reply = rig_new_order(&r, &a, www);
    int64_t order = reply->location_order;
    int64_t authorization = reply->order->authorizations[0];
    assert_int_equal(rig_reply_challenge(&r, &a, authorization)->status, 200);
    uint8_t old[16];
    const Ipc__Validate *q = rig_find(&r, IPC_VALIDATE, 0);
    memcpy(old, q->nonce.data, 16);

    rig_advance(&r, 1);
    rig_restart(&r);
    assert_int_equal(rig_count(&r, IPC_VALIDATE), 1);
    q = rig_find(&r, IPC_VALIDATE, 0);
    assert_int_equal(q->authorization_id, authorization);
    assert_memory_not_equal(q->nonce.data, old, 16);
    /* the answer to the question from before counts no more, the new one does */
    rig_validated_nonce(&r, NULL, LT_SLICE(old, 16));
    assert_string_equal(rig_get_order(&r, &a, order)->order->status, "pending");
    rig_validated(&r, NULL);
    assert_string_equal(rig_get_order(&r, &a, order)->order->status, "ready");
    rig_restart(&r);
    assert_int_equal(rig_count(&r, IPC_VALIDATE), 0);
    rig_close(&r);
}

static void test_validator_comes_back(void **state)
{
    enum { RUNNING = 450 }; /* more than one slice */
    struct rig r;
    struct rig_account a;
    (void)state;
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    for (int i = 0; i < RUNNING; i++) {
        const Ipc__AcmeReply *reply = rig_new_order(&r, &a, www);
        if (reply->problem != NULL) {
            print_error("%d: %s\n", i, reply->problem->detail);
        }
        assert_null(reply->problem);
        assert_int_equal(rig_reply_challenge(&r, &a, reply->order->authorizations[0])->status, 200);
        rig_clean(&r);
    }
    rig_advance(&r, 1);
    rig_validator_linked(&r);
    assert_int_equal(rig_count(&r, IPC_VALIDATE), RUNNING);
    rig_clean(&r);
    rig_tick(&r);
    assert_int_equal(rig_count(&r, IPC_VALIDATE), 0);
    /* a validator that keeps silent is asked again, not forgotten */
    rig_advance(&r, ACME_VALIDATION_PATIENCE_S + 1);
    rig_tick(&r);
    assert_int_equal(rig_count(&r, IPC_VALIDATE), RUNNING);
    rig_clean(&r);
    rig_advance(&r, 1);
    rig_tick(&r);
    assert_int_equal(rig_count(&r, IPC_VALIDATE), 0);
    rig_close(&r);
}

static void test_processing_goes_on(void **state)
{
    struct rig r;
    struct rig_account a;
    struct rig_account leaf;
    (void)state;
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    rig_key(&leaf, 0);
    const Ipc__AcmeReply *reply = rig_new_order(&r, &a, www);
    int64_t order = reply->location_order;
    assert_int_equal(rig_reply_challenge(&r, &a, reply->order->authorizations[0])->status, 200);
    rig_validated(&r, NULL);
    assert_null(rig_finalize(&r, &a, order, www, &leaf.key));
    /* the signer's answer arrives at the next registrar */
    struct rig_sent question = {0};
    for (size_t i = 0; i < r.sent_count; i++) {
        question = r.sent[i].type == IPC_SIGN_REQUEST ? r.sent[i] : question;
    }
    uint8_t kept[8192];
    size_t kept_len = question.packed.len;
    assert_true(kept_len > 0 && kept_len <= sizeof kept);
    memcpy(kept, question.packed.ptr, kept_len);
    rig_restart(&r);
    assert_null(rig_get_order(&r, &a, order)); /* held: it is being worked on */
    question.packed = lt_arena_copy(&r.arena, LT_SLICE(kept, kept_len));
    r.sent[r.sent_count++] = question;
    rig_signed(&r, NULL);
    assert_string_equal(rig_get_order(&r, &a, order)->order->status, "valid");
    rig_restart(&r);
    assert_string_equal(rig_get_order(&r, &a, order)->order->status, "valid");
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM certificate"), 1);
    rig_close(&r);
}

static lt_res step_retry(struct rig *r, struct ca_turn *t, const struct ipc_msg *m)
{
    size_t asked = 0;
    (void)r;
    (void)m;
    return ca_issue_retry(t, 0, &asked);
}

/* Killed here, when it is this message's turn; what was on its way is derived from the book again. */
static void maybe_kill(struct rig *r, unsigned at, unsigned cut)
{
    if (at == cut) {
        rig_advance(r, 1);
        rig_restart(r);
        assert_ok(rig_run(r, step_retry, NULL));
    }
}

/* The whole flow, killed behind each of its messages in turn, once each. */
static void test_killed_anywhere(void **state)
{
    enum { MESSAGES = 7 };
    struct rig r;
    struct rig_account a;
    (void)state;
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    for (unsigned cut = 0; cut <= MESSAGES; cut++) {
        struct rig_account leaf;
        char name[64];
        const char *const names[] = {name, NULL};
        (void)snprintf(name, sizeof name, "n%u.example.com", cut);
        rig_key(&leaf, 0);
        rig_clean(&r);
        const Ipc__AcmeReply *reply = rig_new_order(&r, &a, names);
        int64_t order = reply->location_order;
        int64_t authorization = reply->order->authorizations[0];
        maybe_kill(&r, 0, cut);
        assert_int_equal(rig_get_authorization(&r, &a, authorization)->status, 200);
        maybe_kill(&r, 1, cut);
        assert_int_equal(rig_reply_challenge(&r, &a, authorization)->status, 200);
        maybe_kill(&r, 2, cut);
        rig_validated(&r, NULL);
        maybe_kill(&r, 3, cut);
        assert_string_equal(rig_get_order(&r, &a, order)->order->status, "ready");
        maybe_kill(&r, 4, cut);
        assert_null(rig_finalize(&r, &a, order, names, &leaf.key));
        maybe_kill(&r, 5, cut);
        rig_signed(&r, NULL);
        maybe_kill(&r, 6, cut);
        assert_string_equal(rig_get_order(&r, &a, order)->order->status, "valid");
        maybe_kill(&r, 7, cut);
    }
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM certificate"), MESSAGES + 1);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM intent_open"), 0);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM ca_order WHERE status <> 'valid'"), 0);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM challenge WHERE status = 'valid'"), MESSAGES + 1);
    assert_int_equal(
        rig_number(&r, "SELECT count(*) FROM challenge WHERE status NOT IN ('valid', 'pending')"), 0);
    rig_close(&r);
}

/* A book mended by hand, or a writer that died where we think it cannot: the intent has ended, the order not.
 */
static void test_order_left_behind(void **state)
{
    static const struct store_sql behind = {
        "test.behind", "UPDATE ca_order SET status = 'processing', certificate_issuer = NULL, "
                       "certificate_serial = NULL"};
    struct rig r;
    struct rig_account a;
    uint8_t serial[16];
    (void)state;
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    int64_t order = rig_certificate(&r, &a, www, serial);
    assert_ok(store_exec(r.store, &behind, STORE_NO_ARGS, NULL));
    rig_restart(&r);
    const Ipc__AcmeReply *reply = rig_get_order(&r, &a, order);
    assert_string_equal(reply->order->status, "valid");
    assert_memory_equal(reply->order->certificate_serial.data, serial, 16);
    rig_close(&r);
}

/* An outcome for an order that is not being worked on: the certificate is in the book all the same. */
static void test_late_outcome(void **state)
{
    static const struct store_sql give_up = {"test.give-up", "UPDATE ca_order SET status = 'invalid'"};
    static const char *const refusals[] = {NULL, "lint"};
    struct rig r;
    struct rig_account a;
    (void)state;
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    for (size_t i = 0; i < LT_COUNT(refusals); i++) {
        struct rig_account leaf;
        rig_key(&leaf, 0);
        const Ipc__AcmeReply *reply = rig_new_order(&r, &a, www);
        int64_t order = reply->location_order;
        if (strcmp(reply->order->status, "pending") == 0) {
            assert_int_equal(rig_reply_challenge(&r, &a, reply->order->authorizations[0])->status, 200);
            rig_validated(&r, NULL);
        }
        assert_null(rig_finalize(&r, &a, order, www, &leaf.key));
        assert_ok(store_exec(r.store, &give_up, STORE_NO_ARGS, NULL));
        rig_signed(&r, refusals[i]);
        assert_string_equal(rig_get_order(&r, &a, order)->order->status, "invalid");
        rig_clean(&r);
    }
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM certificate"), 1);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM intent_open"), 0);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM event WHERE kind = 'order.late-outcome'"), 2);
    rig_close(&r);
}

/* Nonces from before the restart are nobody's. */
static void test_nonces_of_before(void **state)
{
    struct rig r;
    char nonce[ACME_NONCE_SIZE];
    (void)state;
    rig_open(&r, NULL);
    acme_desk_nonce(r.desk, nonce);
    rig_restart(&r);
    assert_fails(acme_desk_redeem(r.desk, lt_slice_cstr(nonce)), LT_PEER_BAD_NONCE);
    rig_close(&r);
}

static lt_res step_nonces(struct rig *r, struct ca_turn *t, const struct ipc_msg *m)
{
    return acme_desk_nonces(r->desk, t, m);
}

static void test_nonce_batches(void **state)
{
    static const struct {
        uint32_t asked;
        size_t given;
    } rows[] = {{0, 1}, {1, 1}, {64, 64}, {256, 256}, {100000, 256}};
    struct rig r;
    (void)state;
    rig_open(&r, NULL);
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        Ipc__NonceRequest ask = IPC__NONCE_REQUEST__INIT;
        ask.count = rows[i].asked;
        const struct ipc_msg m = {.from = {.role = IPC_NOTARY}, .type = IPC_NONCE_REQUEST, .body = &ask.base};
        rig_clean(&r);
        assert_ok(rig_run(&r, step_nonces, &m));
        const Ipc__NonceGrant *grant = rig_find(&r, IPC_NONCE_GRANT, 0);
        assert_int_equal(grant->n_nonces, rows[i].given);
        for (size_t n = 0; n < grant->n_nonces; n++) {
            assert_ok(acme_desk_redeem(r.desk, lt_slice_cstr(grant->nonces[n])));
        }
    }
    rig_close(&r);
}

/* How many parameters the text has: the highest ?N. */
static size_t parameters(const char *text)
{
    size_t most = 0;
    for (const char *p = strchr(text, '?'); p != NULL; p = strchr(p + 1, '?')) {
        size_t n = (size_t)strtoul(p + 1, NULL, 10);
        most = n > most ? n : most;
    }
    return most;
}

/* Every statement finds its rows by an index: none walks through a table. */
static void test_plans(void **state)
{
    struct rig r;
    (void)state;
    rig_open(&r, NULL);
    for (size_t i = 0; i < ACME_SQL_COUNT; i++) {
        char text[2048];
        struct store_rows rows;
        (void)snprintf(text, sizeof text, "EXPLAIN QUERY PLAN %s", acme_sql[i].text);
        assert_non_null(acme_sql[i].name);
        const struct store_value nulls[16] = {{.type = STORE_NULL}};
        assert_true(parameters(text) <= LT_COUNT(nulls));
        assert_ok(store_query(r.store, rig_sql(&r, text), nulls, parameters(text), &rows));
        while (store_next(&rows)) {
            const char *step = store_cstr(&rows, 3);
            /* "pending" is the name of a subquery that is LIMITed by an index */
            bool walks = strncmp(step, "SCAN", 4) == 0 && strcmp(step, "SCAN pending") != 0;
            if (walks) {
                print_error("%s: %s\n", acme_sql[i].name, step);
            }
            assert_false(walks);
        }
        assert_ok(store_rows_end(&rows));
    }
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_validation_goes_on),
        cmocka_unit_test(test_validator_comes_back),
        cmocka_unit_test(test_processing_goes_on),
        cmocka_unit_test(test_order_left_behind),
        cmocka_unit_test(test_killed_anywhere),
        cmocka_unit_test(test_late_outcome),
        cmocka_unit_test(test_nonces_of_before),
        cmocka_unit_test(test_nonce_batches),
        cmocka_unit_test(test_plans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
