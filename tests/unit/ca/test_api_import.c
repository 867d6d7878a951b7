/* Imports as operators sign them: what is read, and what is refused before anybody looks into a certificate.
 */
#include "check.h"

#include "ca/api.h"
#include "ca/import.h"
#include "jose/jws.h"

#define HASH "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define DATES "\"not-before\":\"2026-01-01T00:00:00Z\",\"not-after\":\"2027-01-01T00:00:00Z\""

enum { PAYLOAD_SIZE = 1 << 18 };

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

static lt_res rows_of(const char *rows, Ipc__OperatorCall *ret_call)
{
    char *payload = lt_arena_printf(&arena, "{\"certificates\":[%s]}", rows);
    assert_non_null(payload);
    return call_of("/api/v1/imports/i12/certificates", payload, ret_call);
}

static void taken(void **state)
{
    (void)state;
    Ipc__OperatorCall c;
    assert_ok(call_of("/api/v1/imports", "{\"source\":\"old\",\"note\":\"n\"}", &c));
    assert_string_equal(c.op, "import.begin");
    assert_string_equal(c.import_->source, "old");
    assert_ok(call_of("/api/v1/issuers", "{\"name\":\"old\",\"der\":\"MAMC\"}", &c));
    assert_string_equal(c.op, "import.issuer");
    assert_int_equal(c.import_issuer->der.len, 3);
    assert_ok(call_of("/api/v1/imports/i12/certificates",
                      "{\"certificates\":[{\"der\":\"MAMC\"},{\"der\":\"MA\",\"revoked\":\"2026-01-02T00:00:"
                      "00Z\",\"reason\":4}],"
                      "\"issuers\":[\"MAMC\",\"MA\"],\"profile\":\"old\",\"account\":7}",
                      &c));
    assert_string_equal(c.op, "import.add");
    assert_int_equal(c.import_->id, 12);
    assert_int_equal(c.import_->n_rows, 2);
    assert_int_equal(c.import_->rows[0]->der.len, 3);
    assert_int_equal(c.import_->rows[1]->reason, 4);
    assert_int_equal(c.import_->n_issuers, 2);
    assert_int_equal(c.import_->account, 7);
    assert_ok(rows_of(
        "{\"issuer\":\"tls\",\"serial\":\"000A0b\"," DATES
        ",\"issued\":\"2026-01-01T01:00:00Z\",\"names\":[\"B.example\","
        "\"a.example\",\"b.example\",\"192.0.2.1\",\"2001:db8::1\",\"who@a.example\"],\"sha256\":\"" HASH
        "\",\"spki-sha256\":\"" HASH "\",\"key-type\":\"p256\",\"key-bits\":256}",
        &c));
    const Ipc__ImportRow *row = c.import_->rows[0];
    assert_int_equal(row->serial.len, 2); /* a magnitude */
    assert_int_equal(row->n_names, 5);
    assert_string_equal(row->names[0]->value, "a.example");
    assert_string_equal(row->names[1]->value, "b.example");
    assert_string_equal(row->names[2]->type, "email");
    assert_string_equal(row->names[3]->type, "ip");
    assert_int_equal(row->key_type, 2);
    assert_int_equal(row->name_set_sha256.len, 32);
    assert_ok(rows_of("{\"issuer\":\"tls\",\"serial\":\"00\"," DATES "}", &c));
    assert_int_equal(c.import_->rows[0]->serial.len, 1);
}

static void refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "7",
        "{}",
        "{\"der\":7}",
        "{\"der\":\"\"}",
        "{\"der\":\"M\"}",
        "{\"issuer\":\"tls\"," DATES "}",
        "{\"serial\":\"0a\"," DATES "}",
        "{\"issuer\":\"tls\",\"serial\":\"\"," DATES "}",
        "{\"issuer\":\"tls\",\"serial\":\"0\"," DATES "}",
        "{\"issuer\":\"tls\",\"serial\":\"xx\"," DATES "}",
        "{\"issuer\":\"tls\",\"serial\":\"010203040506070809101112131415161718192021\"," DATES "}",
        "{\"issuer\":\"tls\",\"serial\":\"0a\",\"not-before\":\"2026-01-01T00:00:00Z\"}",
        "{\"issuer\":\"tls\",\"serial\":\"0a\",\"not-before\":\"soon\",\"not-after\":\"2027-01-01T00:00:"
        "00Z\"}",
        "{\"issuer\":\"tls\",\"serial\":\"0a\",\"not-before\":\"2028-01-01T00:00:00Z\",\"not-after\":\"2027-"
        "01-01T00:00:00Z\"}",
        "{\"issuer\":\"tls\",\"serial\":\"0a\"," DATES ",\"names\":\"a.example\"}",
        "{\"issuer\":\"tls\",\"serial\":\"0a\"," DATES ",\"names\":[7]}",
        "{\"issuer\":\"tls\",\"serial\":\"0a\"," DATES ",\"names\":[\"\"]}",
        "{\"issuer\":\"tls\",\"serial\":\"0a\"," DATES ",\"names\":[\"a b\"]}",
        "{\"issuer\":\"tls\",\"serial\":\"0a\"," DATES ",\"names\":[\"\\u00e4.example\"]}",
        "{\"issuer\":\"tls\",\"serial\":\"0a\"," DATES ",\"sha256\":\"00\"}",
        "{\"issuer\":\"tls\",\"serial\":\"0a\"," DATES ",\"key-type\":\"dsa\"}",
        "{\"issuer\":\"tls\",\"serial\":\"0a\"," DATES ",\"revoked\":\"x\"}",
        "{\"issuer\":\"tls\",\"serial\":\"0a\"," DATES ",\"reason\":4}",
        "{\"issuer\":\"tls\",\"serial\":\"0a\"," DATES ",\"revoked\":\"2026-01-02T00:00:00Z\",\"reason\":7}",
        "{\"issuer\":\"tls\",\"serial\":\"0a\"," DATES ",\"revoked\":\"2026-01-02T00:00:00Z\",\"reason\":8}",
        "{\"issuer\":\"tls\",\"serial\":\"0a\"," DATES ",\"revoked\":\"2026-01-02T00:00:00Z\",\"reason\":11}",
    };
    Ipc__OperatorCall c;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        lt_res r = rows_of(rows[i], &c);
        if (!lt_failed(r)) {
            print_error("row %zu: %s\n", i, rows[i]);
        }
        assert_true(lt_failed(r));
    }
    assert_true(lt_failed(call_of("/api/v1/imports", "{}", &c)));
    assert_true(lt_failed(call_of("/api/v1/issuers", "{\"name\":\"old\"}", &c)));
    assert_true(lt_failed(call_of("/api/v1/issuers", "{\"der\":\"MAMC\"}", &c)));
    static const char *const ids[] = {"12", "i", "ix", "m12", "i-1"};
    for (size_t i = 0; i < LT_COUNT(ids); i++) {
        char path[64];
        (void)snprintf(path, sizeof path, "/api/v1/imports/%s/certificates", ids[i]);
        assert_fails(call_of(path, "{\"certificates\":[{\"der\":\"MAMC\"}]}", &c), LT_PEER_NOT_FOUND);
    }
}

/* One more than a request may have. */
static void too_many(void **state)
{
    (void)state;
    Ipc__OperatorCall c;
    struct lt_buf b;
    lt_buf_init(&b, PAYLOAD_SIZE);
    for (int i = 0; i <= CA_IMPORT_ROWS_MAX; i++) {
        lt_buf_addf(&b, "%s{\"der\":\"MAMC\"}", i == 0 ? "" : ",");
    }
    assert_fails(rows_of(lt_buf_cstr(&b), &c), LT_PEER_TOO_LARGE);
    lt_buf_reset(&b);
    for (int i = 0; i <= CA_IMPORT_ISSUERS_MAX; i++) {
        lt_buf_addf(&b, "%s\"MAMC\"", i == 0 ? "" : ",");
    }
    char *payload = lt_arena_printf(&arena, "{\"certificates\":[{\"der\":\"MAMC\"}],\"issuers\":[%s]}",
                                    lt_buf_cstr(&b));
    assert_fails(call_of("/api/v1/imports/i12/certificates", payload, &c), LT_PEER_TOO_LARGE);
    lt_buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(too_many, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
