/* policy/names.yaml: what it takes, what it refuses, which row decides. */
#include "acme/names_policy.h"
#include "check.h"

static const char yaml[] =
    "default: allow\n"
    "rows:\n"
    "  - {id: partner, action: allow, suffix: bank.example.com, account: 7, reason: a contract}\n"
    "  - {id: brand, action: deny, suffix: example.com, reason: our own names}\n"
    "  - {id: star, action: deny, name: '*.shared.net', reason: a shared zone}\n"
    "  - {id: one, action: deny, name: www.shared.net, reason: just this}\n"
    "  - {id: address, action: deny, name: 8.8.8.8, reason: a resolver}\n"
    "  - {id: risk, action: review, word: paypa1, reason: high risk}\n"
    "  - {id: profile, action: deny, suffix: org, profile: tls-server-short, reason: long ones only}\n"
    "  - {id: banned, action: deny, account: 9, reason: abuse}\n";

static const struct {
    const char *type;
    const char *name;
    int64_t account;
    const char *profile;
    enum acme_policy_action action;
    const char *row; /* NULL: none */
} rows[] = {
    {"dns", "www.test.com", 1, "tls-server", ACME_POLICY_ALLOW, NULL},
    {"dns", "bank.example.com", 7, "tls-server", ACME_POLICY_ALLOW, "partner"},
    {"dns", "a.bank.example.com", 7, "tls-server", ACME_POLICY_ALLOW, "partner"},
    {"dns", "a.bank.example.com", 8, "tls-server", ACME_POLICY_DENY, "brand"},
    {"dns", "example.com", 1, "tls-server", ACME_POLICY_DENY, "brand"},
    {"dns", "*.example.com", 1, "tls-server", ACME_POLICY_DENY, "brand"},
    {"dns", "*.a.example.com", 1, "tls-server", ACME_POLICY_DENY, "brand"},
    {"dns", "notexample.com", 1, "tls-server", ACME_POLICY_ALLOW, NULL},
    {"dns", "example.com.net", 1, "tls-server", ACME_POLICY_ALLOW, NULL},
    {"dns", "*.shared.net", 1, "tls-server", ACME_POLICY_DENY, "star"},
    {"dns", "shared.net", 1, "tls-server", ACME_POLICY_ALLOW, NULL},
    {"dns", "www.shared.net", 1, "tls-server", ACME_POLICY_DENY, "one"},
    {"dns", "a.www.shared.net", 1, "tls-server", ACME_POLICY_ALLOW, NULL},
    {"ip", "8.8.8.8", 1, "tls-server", ACME_POLICY_DENY, "address"},
    {"ip", "8.8.8.88", 1, "tls-server", ACME_POLICY_ALLOW, NULL},
    {"dns", "login-paypa1.net", 1, "tls-server", ACME_POLICY_REVIEW, "risk"},
    {"dns", "www.paypa1x.net", 1, "tls-server", ACME_POLICY_REVIEW, "risk"},
    {"dns", "paypa.1.net", 1, "tls-server", ACME_POLICY_ALLOW, NULL},
    {"dns", "a.org", 1, "tls-server-short", ACME_POLICY_DENY, "profile"},
    {"dns", "a.org", 1, "tls-server", ACME_POLICY_ALLOW, NULL},
    {"dns", "a.net", 9, "tls-server", ACME_POLICY_DENY, "banned"},
};

static void test_first_row_decides(void **state)
{
    struct acme_policy p;
    (void)state;
    assert_ok(acme_policy_parse(lt_slice_cstr(yaml), &p));
    assert_int_equal(p.count, 8);
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        Ipc__Identifier id = IPC__IDENTIFIER__INIT;
        enum acme_policy_action action = ACME_POLICY_ALLOW;
        id.type = (char *)(uintptr_t)rows[i].type;
        id.value = (char *)(uintptr_t)rows[i].name;
        const struct acme_policy_row *row = acme_policy_find(&p, &id, rows[i].account, rows[i].profile,
                                                             &action);
        if (action != rows[i].action) {
            print_error("%s: %d by %s\n", rows[i].name, (int)action, row == NULL ? "default" : row->id);
        }
        assert_int_equal(action, rows[i].action);
        assert_string_equal(row == NULL ? "" : row->id, rows[i].row == NULL ? "" : rows[i].row);
    }
    acme_policy_done(&p);
}

static void test_default(void **state)
{
    struct acme_policy p;
    Ipc__Identifier id = IPC__IDENTIFIER__INIT;
    enum acme_policy_action action = ACME_POLICY_REVIEW;
    static char dns[] = "dns";
    static char name[] = "a.example.com";
    (void)state;
    id.type = dns;
    id.value = name;
    assert_ok(acme_policy_parse(LT_LIT("default: deny\n"), &p));
    assert_null(acme_policy_find(&p, &id, 1, "x", &action));
    assert_int_equal(action, ACME_POLICY_DENY);
    acme_policy_done(&p);
    assert_null(acme_policy_find(NULL, &id, 1, "x", &action));
    assert_int_equal(action, ACME_POLICY_ALLOW);
}

static void test_refused_files(void **state)
{
    static const char *const bad[] = {
        "",
        "rows: 1\n",
        "default: review\n",
        "default: perhaps\n",
        "unknown: 1\n",
        "rows:\n  - {id: a, action: deny, reason: x}\n",
        "rows:\n  - {id: a, action: deny, name: a.b, suffix: b, reason: x}\n",
        "rows:\n  - {id: a, action: deny, name: A.b, reason: x}\n",
        "rows:\n  - {id: a, action: deny, name: 'b\xc3\xbc.de', reason: x}\n",
        "rows:\n  - {id: a, action: deny, suffix: .b, reason: x}\n",
        "rows:\n  - {id: a, action: deny, suffix: '*.b', reason: x}\n",
        "rows:\n  - {id: a, action: deny, word: a.b, reason: x}\n",
        "rows:\n  - {id: a, action: deny, name: a.b}\n",
        "rows:\n  - {action: deny, name: a.b, reason: x}\n",
        "rows:\n  - {id: 'A b', action: deny, name: a.b, reason: x}\n",
        "rows:\n  - {id: a, name: a.b, reason: x}\n",
        "rows:\n  - {id: a, action: refuse, name: a.b, reason: x}\n",
        "rows:\n  - {id: a, action: deny, account: 0, reason: x}\n",
        "rows:\n  - {id: a, action: deny, account: -1, reason: x}\n",
        "rows:\n  - {id: a, action: deny, account: 1e3, reason: x}\n",
        "rows:\n  - {id: a, action: deny, name: a.b, reason: x, colour: red}\n",
        ("rows:\n  - {id: a, action: deny, name: b, reason: x}\n"
         "  - {id: a, action: deny, name: c, reason: x}\n"),
    };
    (void)state;
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        struct acme_policy p;
        lt_res r = acme_policy_parse(lt_slice_cstr(bad[i]), &p);
        if (!lt_failed(r)) {
            print_error("taken: %s\n", bad[i]);
        }
        assert_true(lt_failed(r));
        assert_int_equal(strncmp(lt_error_last()->detail, "policy/names.yaml:", 18), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_row_decides),
        cmocka_unit_test(test_default),
        cmocka_unit_test(test_refused_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
