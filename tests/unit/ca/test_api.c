/* The operator API on the wire: paths, filters, signed payloads. */
#include "check.h"

#include "ca/api.h"

static struct lt_arena arena;

static int set_up(void **state)
{
    (void)state;
    lt_arena_init(&arena, 1 << 22);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    lt_arena_done(&arena);
    return 0;
}

static void paths(void **state)
{
    (void)state;
    static const struct {
        const char *method;
        const char *path;
        const char *what; /* NULL: code below */
        int code;
    } rows[] = {
        {"GET", "/api/v1/status", "status", 0},
        {"GET", "/api/v1/certificates", "certificate.list", 0},
        {"GET", "/api/v1/certificates/0cf6", "certificate.show", 0},
        {"GET", "/api/v1/certificates/0CF6", "certificate.show", 0},
        {"GET", "/api/v1/plans/p12", "plan.show", 0},
        {"GET", "/api/v1/nonce", "nonce", 0},
        {"POST", "/api/v1/certificates/0cf6/revoke", "revoke", 0},
        {"POST", "/api/v1/plans/p12/approvals", "plan.approve", 0},
        {"POST", "/api/v1/plans/p12/run", "plan.run", 0},
        {"POST", "/api/v1/key-blocks", "key-block.add", 0},
        {"POST", "/api/v1/lint", "lint", 0},
        {"POST", "/api/v1/lint/findings", "lint.record", 0},
        {"POST", "/api/v1/scope/count", "scope.count", 0},
        {"POST", "/api/v1/scope/groups", "scope.groups", 0},
        {"GET", "/api/v1/scope/groups", NULL, LT_PEER_UNSUPPORTED},
        {"POST", "/api/v1/scope/explain", "scope.explain", 0},
        {"POST", "/api/v1/scopes", "scope.save", 0},
        {"GET", "/api/v1/scopes", "scope.saved", 0},
        {"GET", "/api/v1/scopes/my-scope/diff", "scope.diff", 0},
        {"GET", "/api/v1/scope/count", NULL, LT_PEER_UNSUPPORTED},
        {"POST", "/api/v1/scopes/my-scope", NULL, LT_PEER_UNSUPPORTED},
        {"GET", "/api/v1/inventory", "lint.inventory", 0},
        {"GET", "/api/v1/enrollments", "enrolment.list", 0},
        {"GET", "/api/v1/enrollments/4711", "enrolment.show", 0},
        {"POST", "/api/v1/enrollments", "enroll.request", 0},
        {"POST", "/api/v1/enrollments/4711/check", "enroll.check", 0},
        {"POST", "/api/v1/enrollments/4711/issue", "enroll.issue", 0},
        {"POST", "/api/v1/enrollments/4711/cancel", "enroll.cancel", 0},
        {"POST", "/api/v1/enrollments/4711", NULL, LT_PEER_UNSUPPORTED},
        {"GET", "/api/v1/enrollments/4711/check", NULL, LT_PEER_UNSUPPORTED},
        {"POST", "/api/v1/enrollments/4711/fetch", NULL, LT_PEER_NOT_FOUND},
        {"GET", "/api/v1/lint", NULL, LT_PEER_UNSUPPORTED},
        {"POST", "/api/v1/inventory", NULL, LT_PEER_UNSUPPORTED},
        {"POST", "/api/v1/status", NULL, LT_PEER_UNSUPPORTED},
        {"DELETE", "/api/v1/halts", NULL, LT_PEER_UNSUPPORTED},
        {"GET", "/api/v1/certificates/0cf6/revoke", NULL, LT_PEER_UNSUPPORTED},
        {"get", "/api/v1/status", NULL, LT_PEER_UNSUPPORTED},
        {"GET", "/api/v1/", NULL, LT_PEER_NOT_FOUND},
        {"GET", "/api/v1", NULL, LT_PEER_NOT_FOUND},
        {"GET", "/api/v2/status", NULL, LT_PEER_NOT_FOUND},
        {"GET", "/api/v1/status/", NULL, LT_PEER_NOT_FOUND},
        {"GET", "/api/v1//status", NULL, LT_PEER_NOT_FOUND},
        {"GET", "/api/v1/certificates/0cf", NULL, LT_PEER_NOT_FOUND},
        {"GET", "/api/v1/certificates/xyz", NULL, LT_PEER_NOT_FOUND},
        {"GET", "/api/v1/certificates/", NULL, LT_PEER_NOT_FOUND},
        {"GET", "/api/v1/plans/../halts", NULL, LT_PEER_NOT_FOUND},
        {"GET", "/api/v1/plans/a%2fb", NULL, LT_PEER_NOT_FOUND},
        {"GET", "", NULL, LT_PEER_NOT_FOUND},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct ca_api_target t;
        lt_res r = ca_api_find(lt_slice_cstr(rows[i].method), lt_slice_cstr(rows[i].path), &arena, &t);
        if (r.code != rows[i].code) {
            print_error("%s %s\n", rows[i].method, rows[i].path);
        }
        assert_int_equal(r.code, rows[i].code);
        if (rows[i].what != NULL) {
            assert_string_equal(t.route->what, rows[i].what);
        }
    }
}

static lt_res query_of(const char *path, const char *query, Ipc__Query *ret_query)
{
    struct ca_api_target t;
    LT_TRY(ca_api_find(LT_LIT("GET"), lt_slice_cstr(path), &arena, &t));
    return ca_api_query(&t, lt_slice_cstr(query), &arena, ret_query);
}

static void scopes(void **state)
{
    (void)state;
    Ipc__Query q;
    assert_ok(query_of("/api/v1/scopes/my-scope/diff", "version=3&against=1&now=1&side=added&limit=7", &q));
    assert_string_equal(q.what, "scope.diff");
    assert_string_equal(q.id, "my-scope");
    assert_int_equal(q.version, 3);
    assert_int_equal(q.against, 1);
    assert_true(q.both_now);
    assert_string_equal(q.side, "added");
    assert_ok(query_of("/api/v1/scopes/my-scope/run", "by=issued%3Amonth", &q));
    assert_string_equal(q.by, "issued:month");
    assert_false(q.both_now);
    static const char *const bad[] = {"now=yes", "version=-1", "version=4294967296", "by=%0a", "sides=added"};
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        assert_true(lt_failed(query_of("/api/v1/scopes/my-scope/diff", bad[i], &q)));
    }
}

static void filters(void **state)
{
    (void)state;
    Ipc__Query q;
    assert_ok(query_of("/api/v1/certificates", "", &q));
    assert_string_equal(q.what, "certificate.list");
    assert_int_equal(q.limit, CA_API_LIMIT_DEFAULT);
    assert_ok(query_of(
        "/api/v1/certificates",
        "limit=1000&issuer=tls&profile=tls-server&status=valid&name=a.example.com&suffix=example.com&"
        "account=12&issued-from=2026-11-22T00:00:00Z&spki-sha256=00ff&evidence=1&der=0&order=-issued&"
        "cursor=%61%20b",
        &q));
    assert_int_equal(q.limit, 1000);
    assert_string_equal(q.issuer, "tls");
    assert_string_equal(q.profile, "tls-server");
    assert_string_equal(q.status, "valid");
    assert_string_equal(q.name, "a.example.com");
    assert_string_equal(q.name_suffix, "example.com");
    assert_int_equal(q.account_id, 12);
    assert_int_equal(q.issued_from_us, 1795305600000000);
    assert_int_equal(q.spki_sha256.len, 2);
    assert_true(q.evidence);
    assert_false(q.with_der);
    assert_string_equal(q.order, "-issued");
    assert_string_equal(q.cursor, "a b");
    assert_ok(query_of("/api/v1/certificates/0cf6", "evidence=1", &q));
    assert_int_equal(q.serial.len, 2);
    assert_string_equal(q.id, "");
    assert_ok(query_of("/api/v1/accounts/12", "", &q));
    assert_int_equal(q.account_id, 12);
    assert_ok(query_of("/api/v1/plans/p12", "", &q));
    assert_string_equal(q.id, "p12");
}

static void filter_refusals(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "limit=1001",
        "limit=-1",
        "limit=",
        "limit=1x",
        "account=x",
        "issued-from=yesterday",
        "issued-from=2026-11-22",
        "spki-sha256=zz",
        "spki-sha256=",
        "spki-sha256=000000000000000000000000000000000000000000000000000000000000000000",
        "evidence=yes",
        "evidence",
        "nothing=1",
        "Issuer=tls",
        "=tls",
        "&",
        "issuer=%",
        "issuer=%6",
        "issuer=%zz",
        "issuer=%00",
        "issuer=%0a",
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        Ipc__Query q;
        lt_res r = query_of("/api/v1/certificates", rows[i], &q);
        if (r.code != LT_PEER_MALFORMED) {
            print_error("%s\n", rows[i]);
        }
        assert_int_equal(r.code, LT_PEER_MALFORMED);
    }
    Ipc__Query q;
    assert_fails(query_of("/api/v1/accounts/abc", "", &q), LT_PEER_MALFORMED);
    char large[2000] = "issuer=";
    memset(large + 7, 'a', sizeof large - 8);
    large[sizeof large - 1] = 0;
    assert_fails(query_of("/api/v1/certificates", large, &q), LT_PEER_TOO_LARGE);
}

static void operators(void **state)
{
    (void)state;
    lt_slice name;
    assert_ok(ca_api_operator_of_kid(LT_LIT("operator:admin"), &name));
    assert_slice(name, "admin");
    static const char *const rows[] = {"", "admin", "operator:", "Operator:admin",
                                       "https://ca/acme/account/1"};
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        assert_fails(ca_api_operator_of_kid(lt_slice_cstr(rows[i]), &name), LT_PEER_MALFORMED);
    }
}

static lt_res call_of(const char *path, const char *payload, Ipc__OperatorCall *ret_call)
{
    struct ca_api_target t;
    struct jws jws = {
        .kid = LT_LIT("operator:admin"), .nonce = LT_LIT("bm9uY2U"), .payload = lt_slice_cstr(payload)};
    LT_TRY(ca_api_find(LT_LIT("POST"), lt_slice_cstr(path), &arena, &t));
    return ca_api_call(&t, &jws, &arena, ret_call);
}

#define HASH "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static void calls(void **state)
{
    (void)state;
    Ipc__OperatorCall c;
    assert_ok(call_of("/api/v1/certificates/0cf6/revoke",
                      "{\"issuer\":\"tls\",\"reason\":4,\"text\":\"old\"}", &c));
    assert_string_equal(c.op, "revoke");
    assert_string_equal(c.operator_, "admin");
    assert_string_equal(c.nonce, "bm9uY2U");
    assert_string_equal(c.issuer, "tls");
    assert_int_equal(c.reason, 4);
    assert_memory_equal(c.serial.data, "\x0c\xf6", 2);
    assert_ok(call_of("/api/v1/halts",
                      "{\"kind\":\"name-suffix\",\"value\":\"example.com\",\"reason\":\"test\"}", &c));
    assert_int_equal(c.halt->kind, IPC__HALT_KIND__HALT_NAME_SUFFIX);
    assert_string_equal(c.halt->value, "example.com");
    assert_string_equal(c.halt->operator_, "admin");
    assert_ok(call_of("/api/v1/halts", "{\"kind\":\"all\",\"reason\":\"test\"}", &c));
    /* the same parameters in another order give the same text to sign */
    assert_ok(call_of("/api/v1/plans",
                      "{\"action\":\"halt.lift\",\"scope-sha256\":\"" HASH
                      "\",\"count\":1,\"parameters\":{\"b\": 1 ,"
                      "\"a\":{\"d\":\"\\u00e9\",\"c\":[ ]}},\"expires\":\"2026-11-22T00:00:00Z\"}",
                      &c));
    assert_string_equal(c.plan->parameters, "{\"a\":{\"c\":[],\"d\":\"\\u00E9\"},\"b\":1}");
    assert_int_equal(c.plan->scope_sha256.len, 32);
    assert_int_equal(c.plan->count, 1);
    assert_int_equal(c.plan->expires_us, 1795305600000000);
    assert_string_equal(c.plan->proposer, "admin");
    assert_ok(call_of("/api/v1/plans/p12/approvals",
                      "{\"signature\":\"AQI\",\"signed\":\"2026-11-22T00:00:00Z\"}", &c));
    assert_string_equal(c.plan_id, "p12");
    assert_int_equal(c.approval->signature.len, 2);
    assert_string_equal(c.approval->operator_, "admin");
    assert_ok(call_of("/api/v1/plans/p12/run", "{}", &c));
    assert_string_equal(c.plan_id, "p12");
    assert_ok(call_of("/api/v1/key-blocks", "{\"spki-sha256\":\"" HASH "\",\"text\":\"stolen\"}", &c));
    assert_int_equal(c.key_sha256.len, 32);
    assert_ok(
        call_of("/api/v1/lint/findings",
                "{\"run\":\"ab12\",\"part\":1,\"rule-set\":\"lintel+1\",\"seed\":\"c0\",\"sample\":\"3%\","
                "\"since\":\"2026-11-22T00:00:00Z\",\"at\":\"\",\"total\":9,\"judged\":2,\"differing\":1,"
                "\"failing\":1,\"findings\":[{\"issuer\":\"tls\",\"serial\":\"0cf6\",\"rule\":\"e_x\","
                "\"result\":\"error\",\"message\":\"bad\",\"path\":\"a.b\",\"offset\":7,\"was\":\"\"}]}",
                &c));
    assert_string_equal(c.op, "lint.record");
    assert_string_equal(c.lint->run, "ab12");
    assert_int_equal(c.lint->since_us, 1795305600000000);
    assert_int_equal(c.lint->as_of_us, 0);
    assert_int_equal(c.lint->total, 9);
    assert_int_equal(c.lint->n_found, 1);
    assert_string_equal(c.lint->found[0]->rule, "e_x");
    assert_memory_equal(c.lint->found[0]->serial.data, "\x0c\xf6", 2);
    assert_int_equal(c.lint->found[0]->offset, 7);
    assert_ok(
        call_of("/api/v1/enrollments",
                "{\"subscriber\":\"Example Ltd\",\"csr\":\"MAA\",\"methods\":[{\"method\":\"dns-change\"},"
                "{\"name\":\"a.example\",\"method\":\"website-change\"}]}",
                &c));
    assert_string_equal(c.op, "enroll.request");
    assert_int_equal(c.enroll->n_methods, 2);
    assert_string_equal(c.enroll->methods[0]->name, "");
    assert_string_equal(c.enroll->methods[1]->name, "a.example");
    assert_string_equal(c.enroll->methods[1]->method, "website-change");
    assert_memory_equal(c.enroll->csr.data, "0\0", 2);
    assert_null(c.enroll->request); /* the notary's */
    assert_false(c.enroll->hold);
    assert_ok(
        call_of("/api/v1/enrollments/4711/check", "{\"name\":\"a.example\",\"method\":\"dns-change\"}", &c));
    assert_int_equal(c.enroll_step->id, 4711);
    assert_string_equal(c.enroll_step->name, "a.example");
    assert_ok(call_of("/api/v1/enrollments/9223372036854775807/cancel", "{\"reason\":\"twice\"}", &c));
    assert_int_equal(c.enroll_step->id, INT64_MAX);
    assert_string_equal(c.enroll_step->reason, "twice");
    assert_ok(call_of("/api/v1/lint/findings", "{\"run\":\"a\",\"rule-set\":\"b\"}", &c));
    assert_int_equal(c.lint->n_found, 0);
    /* the registrar gets canonical text and its hash, however it was typed */
    assert_ok(call_of("/api/v1/scopes",
                      "{\"name\":\"a\",\"scope\":\"( caa_age>480m )and not(expired)\",\"as-of\":"
                      "\"2026-11-22T00:00:00Z\",\"count\":7,\"members-sha256\":\"" HASH "\"}",
                      &c));
    assert_string_equal(c.op, "scope.save");
    assert_string_equal(c.scope->text, "caa_age > 8h and not expired");
    assert_int_equal(c.scope->sha256.len, 32);
    assert_int_equal(c.scope->members_sha256.len, 32);
    assert_int_equal(c.scope->count, 7);
}

static void call_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        const char *payload;
    } rows[] = {
        {"/api/v1/certificates/0cf6/revoke", ""},
        {"/api/v1/certificates/0cf6/revoke", "[]"},
        {"/api/v1/certificates/0cf6/revoke", "{\"reason\":7}"},
        {"/api/v1/certificates/0cf6/revoke", "{\"reason\":11}"},
        {"/api/v1/certificates/0cf6/revoke", "{\"reason\":-1}"},
        {"/api/v1/certificates/0cf6/revoke", "{\"reason\":\"1\"}"},
        {"/api/v1/certificates/0cf6/revoke", "{\"issuer\":7}"},
        {"/api/v1/certificates/0cf6/revoke", "{\"reason\":1,\"reason\":4}"},
        {"/api/v1/halts", "{}"},
        {"/api/v1/halts", "{\"kind\":\"all\"}"},
        {"/api/v1/halts", "{\"kind\":\"everything\",\"reason\":\"x\"}"},
        {"/api/v1/halts", "{\"kind\":\"account\",\"value\":\"abc\",\"reason\":\"x\"}"},
        {"/api/v1/halts", "{\"kind\":\"name-suffix\",\"value\":\"\",\"reason\":\"x\"}"},
        {"/api/v1/plans", "{}"},
        {"/api/v1/plans", "{\"action\":\"halt.lift\"}"},
        {"/api/v1/plans", "{\"action\":\"halt.lift\",\"expires\":\"soon\"}"},
        {"/api/v1/plans", "{\"action\":\"halt.lift\",\"expires\":\"2026-11-22T00:00:00Z\",\"count\":-1}"},
        {"/api/v1/plans",
         "{\"action\":\"halt.lift\",\"expires\":\"2026-11-22T00:00:00Z\",\"scope-sha256\":\"00\"}"},
        {"/api/v1/plans",
         "{\"action\":\"halt.lift\",\"expires\":\"2026-11-22T00:00:00Z\",\"parameters\":[]}"},
        {"/api/v1/plans/p12/approvals", "{}"},
        {"/api/v1/plans/p12/approvals", "{\"signature\":\"AQ==\"}"},
        {"/api/v1/plans/p12/approvals", "{\"signature\":\"AQI\",\"signed\":\"now\"}"},
        {"/api/v1/lint/findings", "{}"},
        {"/api/v1/lint/findings", "{\"run\":\"a\"}"},
        {"/api/v1/lint/findings", "{\"run\":\"a\",\"rule-set\":\"b\",\"findings\":{}}"},
        {"/api/v1/lint/findings", "{\"run\":\"a\",\"rule-set\":\"b\",\"findings\":[1]}"},
        {"/api/v1/lint/findings", "{\"run\":\"a\",\"rule-set\":\"b\",\"findings\":[{\"issuer\":\"tls\"}]}"},
        {"/api/v1/lint/findings",
         "{\"run\":\"a\",\"rule-set\":\"b\",\"findings\":[{\"issuer\":\"tls\",\"rule\":\"r\","
         "\"result\":\"error\",\"serial\":\"xyz\"}]}"},
        {"/api/v1/lint/findings",
         "{\"run\":\"a\",\"rule-set\":\"b\",\"findings\":[{\"issuer\":\"tls\",\"rule\":\"r\","
         "\"result\":\"error\",\"serial\":\"\"}]}"},
        {"/api/v1/lint/findings", "{\"run\":\"a\",\"rule-set\":\"b\",\"total\":-1}"},
        {"/api/v1/lint/findings", "{\"run\":\"a\",\"rule-set\":\"b\",\"since\":\"then\"}"},
        {"/api/v1/scopes", "{}"},
        {"/api/v1/scopes", "{\"name\":\"a\",\"as-of\":\"2026-11-22T00:00:00Z\"}"},
        {"/api/v1/scopes", "{\"name\":\"a\",\"scope\":\"\",\"as-of\":\"2026-11-22T00:00:00Z\"}"},
        {"/api/v1/scopes", "{\"name\":\"a\",\"scope\":\"expired and\",\"as-of\":\"2026-11-22T00:00:00Z\"}"},
        {"/api/v1/scopes", "{\"name\":\"a\",\"scope\":\"expired\"}"},
        {"/api/v1/scopes", "{\"name\":\"a\",\"scope\":\"expired\",\"as-of\":\"now\"}"},
        {"/api/v1/scopes", "{\"scope\":\"expired\",\"as-of\":\"2026-11-22T00:00:00Z\"}"},
        {"/api/v1/scopes", "{\"name\":\"a\",\"scope\":\"expired\",\"as-of\":\"2026-11-22T00:00:00Z\","
                           "\"members-sha256\":\"00\"}"},
        {"/api/v1/enrollments", "{}"},
        {"/api/v1/enrollments", "{\"csr\":\"MAA\"}"},
        {"/api/v1/enrollments", "{\"subscriber\":\"x\"}"},
        {"/api/v1/enrollments", "{\"subscriber\":\"\",\"csr\":\"MAA\"}"},
        {"/api/v1/enrollments", "{\"subscriber\":\"x\",\"csr\":\"MA==\"}"},
        {"/api/v1/enrollments", "{\"subscriber\":\"x\",\"csr\":\"MAA\",\"hold\":1}"},
        {"/api/v1/enrollments", "{\"subscriber\":\"x\",\"csr\":\"MAA\",\"methods\":\"dns-change\"}"},
        {"/api/v1/enrollments", "{\"subscriber\":\"x\",\"csr\":\"MAA\",\"methods\":[\"dns-change\"]}"},
        {"/api/v1/enrollments", "{\"subscriber\":\"x\",\"csr\":\"MAA\",\"methods\":[{\"name\":\"a\"}]}"},
        {"/api/v1/enrollments/x/check", "{}"},
        {"/api/v1/enrollments/9223372036854775808/check", "{}"},
        {"/api/v1/enrollments/4711/check", "[]"},
        {"/api/v1/enrollments/4711/check", "{\"name\":1}"},
        {"/api/v1/key-blocks", "{}"},
        {"/api/v1/key-blocks", "{\"spki-sha256\":\"00\"}"},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        Ipc__OperatorCall c;
        lt_res r = call_of(rows[i].path, rows[i].payload, &c);
        if (!lt_failed(r)) {
            print_error("%s %s\n", rows[i].path, rows[i].payload);
        }
        assert_true(lt_failed(r));
        assert_true(lt_class_of(r.code) == LT_CLASS_PEER);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths),           cmocka_unit_test(scopes),    cmocka_unit_test(filters),
        cmocka_unit_test(filter_refusals), cmocka_unit_test(operators), cmocka_unit_test(calls),
        cmocka_unit_test(call_refusals),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
