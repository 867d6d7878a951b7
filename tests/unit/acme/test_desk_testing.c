/* Where the desk of a test CA behaves worse than it could; and that no other does. */
#include "check.h"
#include "rig.h"

static const char *const www[] = {"www.example.com", NULL};

static unsigned refused_of(struct rig *r, const struct rig_account *a, unsigned count)
{
    unsigned refused = 0;
    for (unsigned i = 0; i < count; i++) {
        const Ipc__AcmeReply *reply = rig_get_order(r, a, 4711);
        bool nonce = strcmp(reply->problem->type, "badNonce") == 0;
        assert_string_equal(reply->problem->type, nonce ? "badNonce" : "malformed");
        assert_true(reply->nonce[0] != '\0'); /* with which it may be tried again */
        refused += nonce;
        rig_clean(r);
    }
    return refused;
}

static void nonces(void **state)
{
    struct rig r;
    struct rig_account a;
    (void)state;
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    assert_int_equal(refused_of(&r, &a, 200), 0);
    acme_desk_use_testing(r.desk, 100, 100);
    assert_int_equal(refused_of(&r, &a, 50), 50);
    acme_desk_use_testing(r.desk, 50, 100);
    unsigned half = refused_of(&r, &a, 400);
    assert_in_range(half, 120, 280);
    acme_desk_use_testing(r.desk, 0, 0); /* proofs have nothing to do with it */
    assert_int_equal(refused_of(&r, &a, 50), 0);
    rig_close(&r);
}

/* A refused request has done nothing. */
static void refused_requests_do_nothing(void **state)
{
    struct rig r;
    struct rig_account a;
    (void)state;
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    acme_desk_use_testing(r.desk, 100, 100);
    assert_string_equal(rig_new_order(&r, &a, www)->problem->type, "badNonce");
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM ca_order"), 0);
    rig_close(&r);
}

static void proofs(void **state)
{
    struct rig r;
    struct rig_account a;
    uint8_t serial[16];
    (void)state;
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    (void)rig_certificate(&r, &a, www, serial);
    assert_string_equal(rig_new_order(&r, &a, www)->order->status, "ready");
    acme_desk_use_testing(r.desk, 0, 0);
    for (unsigned i = 0; i < 20; i++) {
        assert_string_equal(rig_new_order(&r, &a, www)->order->status, "pending");
        rig_clean(&r);
    }
    acme_desk_use_testing(r.desk, 0, 50);
    unsigned ready = 0;
    for (unsigned i = 0; i < 100; i++) {
        ready += strcmp(rig_new_order(&r, &a, www)->order->status, "ready") == 0;
        rig_clean(&r);
    }
    assert_in_range(ready, 20, 80);
    acme_desk_use_testing(r.desk, 100, 100);
    acme_desk_use_testing(r.desk, 0, 100);
    assert_string_equal(rig_new_order(&r, &a, www)->order->status, "ready");
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nonces),
        cmocka_unit_test(refused_requests_do_nothing),
        cmocka_unit_test(proofs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
