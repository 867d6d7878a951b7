/* Mass revocations, holds, and the why of a single revocation, as operators sign them. */
#include "check.h"

#include <stdio.h>

#include "ca/api.h"
#include "jose/jws.h"

#define HASH "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

enum { PAYLOAD_SIZE = 1 << 17 };

static struct lt_arena arena;

static int set_up(void **state)
{
    (void)state;
    lt_arena_init(&arena, 1 << 24);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    lt_arena_done(&arena);
    return 0;
}

static lt_res call_of(const char *path, const char *payload, Ipc__OperatorCall *ret_call)
{
    struct ca_api_target t;
    struct jws jws = {
        .kid = LT_LIT("operator:admin"), .nonce = LT_LIT("n1"), .payload = lt_slice_cstr(payload)};
    LT_TRY(ca_api_find(LT_LIT("POST"), lt_slice_cstr(path), &arena, &t));
    return ca_api_call(&t, &jws, &arena, ret_call);
}

/* Each tier's expression selects exactly its members: none of a tier before it. */
static void tiers(void **state)
{
    (void)state;
    Ipc__OperatorCall c;
    assert_ok(call_of("/api/v1/masses",
                      "{\"scope\":\"not( expired)\",\"tiers\":[\"account=1\",\"replaced or account = 2\"],"
                      "\"reason\":4,\"cause\":\"not-issued-per-rules\",\"note\":\"n\",\"stop-after\":1,"
                      "\"aware\":\"2026-11-22T00:00:00Z\",\"late-because\":\"late\"}",
                      &c));
    assert_string_equal(c.op, "mass.create");
    assert_string_equal(c.mass->scope, "not expired");
    assert_int_equal(c.mass->n_scopes, 3);
    assert_string_equal(c.mass->scopes[0], "not expired and account = 1");
    assert_string_equal(c.mass->scopes[1], "not expired and not account = 1 and (replaced or account = 2)");
    assert_string_equal(c.mass->scopes[2],
                        "not expired and not account = 1 and not (replaced or account = 2)");
    assert_int_equal(c.mass->scope_sha256.len, 32);
    assert_int_equal(c.mass->reason, 4);
    assert_string_equal(c.mass->cause, "not-issued-per-rules");
    assert_int_equal(c.mass->aware_us, 1795305600000000);
    assert_int_equal(c.mass->stop_after, 1);
    assert_string_equal(c.mass->late_because, "late");
    assert_false(c.mass->block);
    assert_int_equal(c.mass->spki_sha256.len, 0);
    assert_ok(call_of("/api/v1/masses", "{\"scope\":\"expired\"}", &c));
    assert_int_equal(c.mass->n_scopes, 1);
    assert_int_equal(c.mass->stop_after, -1); /* none */
    assert_string_equal(c.mass->scopes[0], "expired");
}

static void keys(void **state)
{
    (void)state;
    Ipc__OperatorCall c;
    assert_ok(call_of("/api/v1/masses",
                      "{\"spki-sha256\":\"" HASH "\",\"block\":true,\"reason\":1,"
                      "\"dated-back-to\":\"2026-11-22T00:00:00Z\"}",
                      &c));
    assert_int_equal(c.mass->spki_sha256.len, 32);
    assert_int_equal(c.mass->n_scopes, 0);
    assert_true(c.mass->block);
    assert_int_equal(c.mass->revoked_us, 1795305600000000);
}

static void acts_and_holds(void **state)
{
    (void)state;
    static const char *const acts[] = {"start", "pause", "resume", "stop"};
    Ipc__OperatorCall c;
    for (size_t i = 0; i < LT_COUNT(acts); i++) {
        char path[64];
        char op[32];
        (void)snprintf(path, sizeof path, "/api/v1/masses/m7/%s", acts[i]);
        (void)snprintf(op, sizeof op, "mass.%s", acts[i]);
        assert_ok(call_of(path, "{\"stop-after\":0}", &c));
        assert_string_equal(c.op, op);
        assert_string_equal(c.mass->id, "m7");
        assert_int_equal(c.mass->stop_after, 0);
    }
    assert_ok(call_of("/api/v1/holds/0cf6", "{\"issuer\":\"tls\",\"reason\":\"r\",\"reference\":\"c\"}", &c));
    assert_string_equal(c.op, "hold.add");
    assert_int_equal(c.hold->serial.len, 2);
    assert_string_equal(c.hold->reference, "c");
    assert_ok(call_of("/api/v1/holds/0cf6/lift", "{\"issuer\":\"tls\"}", &c));
    assert_string_equal(c.op, "hold.lift");
}

static void why_of_one(void **state)
{
    (void)state;
    Ipc__OperatorCall c;
    assert_ok(call_of("/api/v1/certificates/0cf6/revoke",
                      "{\"issuer\":\"tls\",\"reason\":1,\"cause\":\"key-compromise\","
                      "\"aware\":\"2026-11-22T00:00:00Z\",\"dated-back-to\":\"2026-11-22T00:00:01Z\","
                      "\"late-because\":\"x\"}",
                      &c));
    assert_string_equal(c.op, "revoke");
    assert_string_equal(c.mass->cause, "key-compromise");
    assert_int_equal(c.mass->aware_us, 1795305600000000);
    assert_int_equal(c.mass->revoked_us, 1795305601000000);
    assert_string_equal(c.mass->late_because, "x");
    assert_ok(call_of("/api/v1/certificates/0cf6/revoke", "{\"issuer\":\"tls\"}", &c));
    assert_string_equal(c.mass->cause, "");
}

static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        const char *payload;
        int code;
    } rows[] = {
        {"/api/v1/masses", "{}", LT_PEER_MALFORMED},
        {"/api/v1/masses", "[]", LT_PEER_MALFORMED},
        {"/api/v1/masses", "{\"scope\":\"expired\",\"spki-sha256\":\"" HASH "\"}", LT_PEER_MALFORMED},
        {"/api/v1/masses", "{\"scope\":7}", LT_PEER_MALFORMED},
        {"/api/v1/masses", "{\"scope\":\"\"}", LT_PEER_MALFORMED},
        {"/api/v1/masses", "{\"scope\":\"account = \"}", LT_PEER_MALFORMED},
        {"/api/v1/masses", "{\"scope\":\"expired\",\"tiers\":\"account = 1\"}", LT_PEER_MALFORMED},
        {"/api/v1/masses", "{\"scope\":\"expired\",\"tiers\":[7]}", LT_PEER_MALFORMED},
        {"/api/v1/masses", "{\"scope\":\"expired\",\"tiers\":[\"account\"]}", LT_PEER_MALFORMED},
        /* a bracket must not reach out of its tier */
        {"/api/v1/masses", "{\"scope\":\"expired\",\"tiers\":[\"account = 1) or (account = 2\"]}",
         LT_PEER_MALFORMED},
        {"/api/v1/masses", "{\"scope\":\"expired) or (not expired\"}", LT_PEER_MALFORMED},
        {"/api/v1/masses", "{\"scope\":\"expired\",\"reason\":11}", LT_PEER_MALFORMED},
        {"/api/v1/masses", "{\"scope\":\"expired\",\"stop-after\":16}", LT_PEER_MALFORMED},
        {"/api/v1/masses", "{\"scope\":\"expired\",\"stop-after\":-1}", LT_PEER_MALFORMED},
        {"/api/v1/masses", "{\"scope\":\"expired\",\"aware\":\"yesterday\"}", LT_PEER_MALFORMED},
        {"/api/v1/masses", "{\"scope\":\"expired\",\"block\":1}", LT_PEER_MALFORMED},
        {"/api/v1/masses", "{\"spki-sha256\":\"00\"}", LT_PEER_MALFORMED},
        {"/api/v1/masses", "{\"spki-sha256\":\"x\"}", LT_PEER_MALFORMED},
        {"/api/v1/masses/m7/start", "{\"stop-after\":99}", LT_PEER_MALFORMED},
        {"/api/v1/masses/m7/explode", "{}", LT_PEER_NOT_FOUND},
        {"/api/v1/holds/0cf6", "{\"reason\":\"r\"}", LT_PEER_MALFORMED},
        {"/api/v1/holds/0cf", "{\"issuer\":\"tls\"}", LT_PEER_NOT_FOUND},
        {"/api/v1/certificates/0cf6/revoke", "{\"cause\":7}", LT_PEER_MALFORMED},
        {"/api/v1/certificates/0cf6/revoke", "{\"aware\":7}", LT_PEER_MALFORMED},
        {"/api/v1/certificates/0cf6/revoke", "{\"dated-back-to\":\"2026\"}", LT_PEER_MALFORMED},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        Ipc__OperatorCall c;
        lt_res r = call_of(rows[i].path, rows[i].payload, &c);
        if (r.code != rows[i].code) {
            print_error("%s %s: %s\n", rows[i].path, rows[i].payload, lt_error_last()->detail);
        }
        assert_int_equal(r.code, rows[i].code);
    }
}

static void too_many_tiers(void **state)
{
    (void)state;
    static char payload[PAYLOAD_SIZE];
    for (size_t tiers = 15; tiers <= 16; tiers++) {
        Ipc__OperatorCall c;
        size_t len = (size_t)snprintf(payload, sizeof payload, "{\"scope\":\"expired\",\"tiers\":[");
        for (size_t i = 0; i < tiers; i++) {
            len += (size_t)snprintf(payload + len, sizeof payload - len, "%s\"account = %zu\"",
                                    i == 0 ? "" : ",", i);
        }
        (void)snprintf(payload + len, sizeof payload - len, "]}");
        lt_res r = call_of("/api/v1/masses", payload, &c);
        assert_int_equal(r.code, tiers == 15 ? 0 : LT_PEER_TOO_LARGE);
        assert_true(tiers != 15 || c.mass->n_scopes == 16);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tiers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(acts_and_holds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(why_of_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refusals, set_up, tear_down),
        cmocka_unit_test_setup_teardown(too_many_tiers, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
