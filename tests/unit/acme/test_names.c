/* Which names may be ordered. */
#include "acme/names.h"
#include "base/buf.h"
#include "check.h"

static const struct {
    const char *type;
    const char *value;
    const char *fault; /* NULL: may be ordered */
} rows[] = {
    {"dns", "example.com", NULL},
    {"dns", "www.example.com", NULL},
    {"dns", "a.b.c.d.e.example.org", NULL},
    {"dns", "1.example.com", NULL},
    {"dns", "a--b.example.com", NULL},
    {"dns", "example.co.uk", NULL},
    {"dns", "github.io", NULL}, /* in the list's private section: whoever owns it may have it */
    {"dns", "xn--bcher-kva.example.com", NULL},
    {"dns", "xn--mnchen-3ya.de", NULL},
    {"dns", "xn--p1ai.xn--p1ai", NULL},

    {"ip", "192.0.2.1", "unsupportedIdentifier"},
    {"email", "a@example.com", "unsupportedIdentifier"},
    {"", "example.com", "unsupportedIdentifier"},
    {"dns", "*.example.com", "rejectedIdentifier"},
    {"dns", "*.*.example.com", "malformed"},
    {"dns", "w*.example.com", "malformed"},
    {"dns", "", "malformed"},
    {"dns", ".", "malformed"},
    {"dns", "example.com.", "malformed"},
    {"dns", ".example.com", "malformed"},
    {"dns", "a..example.com", "malformed"},
    {"dns", "-a.example.com", "malformed"},
    {"dns", "a-.example.com", "malformed"},
    {"dns", "a_b.example.com", "malformed"},
    {"dns", "a b.example.com", "malformed"},
    {"dns", "a@example.com", "malformed"},
    {"dns",
     "b\xc3\xbc"
     "cher.example.com",
     "malformed"},
    {"dns", "192.0.2.1", "malformed"},
    {"dns", "example.123", "malformed"},
    {"dns", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example.com", "malformed"},
    {"dns", "com", "rejectedIdentifier"},
    {"dns", "localhost", "rejectedIdentifier"},
    {"dns", "co.uk", "rejectedIdentifier"},
    {"dns", "server", "rejectedIdentifier"},
    {"dns", "www.corp", "rejectedIdentifier"},
    {"dns", "www.nosuchtld", "rejectedIdentifier"},
    {"dns", "printer.local", "rejectedIdentifier"},
    {"dns", "a.localhost", "rejectedIdentifier"},
    {"dns", "a.test", "rejectedIdentifier"},
    {"dns", "a.example", "rejectedIdentifier"},
    {"dns", "a.invalid", "rejectedIdentifier"},
    {"dns", "a.internal", "rejectedIdentifier"},
    {"dns", "a.onion", "rejectedIdentifier"},
    {"dns", "a.alt", "rejectedIdentifier"},
    {"dns", "nas.home.arpa", "rejectedIdentifier"},
    {"dns", "1.2.0.192.in-addr.arpa", "rejectedIdentifier"},
    {"dns", "8.b.d.0.1.0.0.2.ip6.arpa", "rejectedIdentifier"},
    {"dns", "ab--cd.example.com", "rejectedIdentifier"},
    {"dns", "xn--.example.com", "malformed"},
    {"dns", "xn--a.example.com", "rejectedIdentifier"},
    {"dns", "xn--0.example.com", "rejectedIdentifier"},
    {"dns", "xn--bcher-kva-.example.com", "malformed"},
    {"dns", "xn--ls8h.example.com", "rejectedIdentifier"}, /* a picture of dung: no letter (IDNA 2008) */
};

static Ipc__Identifier identifier(const char *type, const char *value)
{
    Ipc__Identifier id = IPC__IDENTIFIER__INIT;
    id.type = (char *)(uintptr_t)type;
    id.value = (char *)(uintptr_t)value;
    return id;
}

static void test_policy(void **state)
{
    struct acme_names *n = NULL;
    const struct acme_name_rules rules = {.local = false};
    (void)state;
    assert_ok(acme_names_open(&n));
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        Ipc__Identifier id = identifier(rows[i].type, rows[i].value);
        struct acme_name_fault f = acme_name_check(n, &rules, &id);
        const char *got = f.type == NULL ? "" : f.type;
        const char *want = rows[i].fault == NULL ? "" : rows[i].fault;
        if (strcmp(got, want) != 0) {
            print_error("%s %s: \"%s\", not \"%s\"\n", rows[i].type, rows[i].value, got, want);
        }
        assert_string_equal(got, want);
        assert_true((f.type == NULL) == (f.detail == NULL) && (f.type == NULL) == (f.rule == NULL));
    }
    acme_names_close(n);
}

/* Where the profile takes wildcards and addresses. */
static const struct {
    const char *type;
    const char *value;
    const char *fault;
    const char *rule; /* a part of it */
} wide[] = {
    {"dns", "*.example.com", NULL, NULL},
    {"dns", "*.a.example.co.uk", NULL, NULL},
    {"dns", "*.github.io", NULL, NULL},
    {"dns", "*.com", "rejectedIdentifier", "4.2.2"},
    {"dns", "*.co.uk", "rejectedIdentifier", "3.2.2.6"},
    {"dns", "*.*.example.com", "malformed", "RFC 1034"},
    {"dns", "*", "malformed", "RFC 1034"},
    {"dns", "*.", "malformed", "RFC 1035"},
    {"dns", "a.*.example.com", "malformed", "RFC 1034"},
    {"dns", "*.a.onion", "rejectedIdentifier", "appendix B"},
    {"dns", "*.2.0.192.in-addr.arpa", "rejectedIdentifier", "2026-03-15"},
    {"dns", "8.8.8.8", "malformed", "RFC 8738"},

    {"ip", "8.8.8.8", NULL, NULL},
    {"ip", "2606:4700:4700::1111", NULL, NULL},
    {"ip", "192.0.2.1", "rejectedIdentifier", ""},
    {"ip", "10.0.0.1", "rejectedIdentifier", "1918"},
    {"ip", "127.0.0.1", "rejectedIdentifier", ""},
    {"ip", "169.254.169.254", "rejectedIdentifier", ""},
    {"ip", "::1", "rejectedIdentifier", ""},
    {"ip", "fe80::1", "rejectedIdentifier", ""},
    {"ip", "2001:db8::1", "rejectedIdentifier", ""},
    {"ip", "::ffff:10.0.0.1", "rejectedIdentifier", ""},
    {"ip", "224.0.0.1", "rejectedIdentifier", ""},
    {"ip", "08.8.8.8", "malformed", "RFC 8738"},
    {"ip", "8.8.8", "malformed", "RFC 8738"},
    {"ip", "2606:4700:4700:0::1111", "malformed", "RFC 5952"},
    {"ip", "2606:4700:4700::111A", "malformed", "RFC 5952"},
    {"ip", "fe80::1%eth0", "malformed", "RFC 8738"},
    {"ip", "*.8.8.8", "malformed", "RFC 8738"},
    {"ip", "8.8.8.0/24", "malformed", "RFC 8738"},
    {"ip", "", "malformed", "RFC 8738"},
};

static void test_wide_profile(void **state)
{
    struct acme_names *n = NULL;
    const struct acme_name_rules rules = {.wildcard = true, .address = true};
    (void)state;
    assert_ok(acme_names_open(&n));
    for (size_t i = 0; i < LT_COUNT(wide); i++) {
        Ipc__Identifier id = identifier(wide[i].type, wide[i].value);
        struct acme_name_fault f = acme_name_check(n, &rules, &id);
        const char *got = f.type == NULL ? "" : f.type;
        const char *want = wide[i].fault == NULL ? "" : wide[i].fault;
        if (strcmp(got, want) != 0) {
            print_error("%s %s: \"%s\", not \"%s\"\n", wide[i].type, wide[i].value, got, want);
        }
        assert_string_equal(got, want);
        assert_true(f.type == NULL || strstr(f.rule, wide[i].rule) != NULL);
    }
    acme_names_close(n);
}

static void test_private_ca(void **state)
{
    static const char *const allowed[] = {"localhost", "printer.local", "db.internal", "server"};
    static const char *const refused[] = {"", "a_b", "192.0.2.1", "a..b", "*.internal"};
    struct acme_names *n = NULL;
    const struct acme_name_rules rules = {.local = true};
    (void)state;
    assert_ok(acme_names_open(&n));
    for (size_t i = 0; i < LT_COUNT(allowed); i++) {
        Ipc__Identifier id = identifier("dns", allowed[i]);
        assert_null(acme_name_check(n, &rules, &id).type);
    }
    for (size_t i = 0; i < LT_COUNT(refused); i++) {
        Ipc__Identifier id = identifier("dns", refused[i]);
        assert_non_null(acme_name_check(n, &rules, &id).type);
    }
    acme_names_close(n);
}

static void test_set(void **state)
{
    struct lt_arena a;
    struct lt_buf json;
    struct acme_name_set set;
    struct acme_name_set back;
    (void)state;
    lt_arena_init(&a, 1 << 16);
    lt_buf_init(&json, 4096);
    Ipc__Identifier ids[] = {identifier("dns", "b.Example.com"), identifier("dns", "a.example.com"),
                             identifier("DNS", "B.example.com"), identifier("ip", "192.0.2.1")};
    Ipc__Identifier *list[] = {&ids[0], &ids[1], &ids[2], &ids[3]};
    assert_ok(acme_name_set_of(&a, list, LT_COUNT(list), &set));
    acme_name_set_json(&set, &json);
    assert_slice(lt_buf_slice(&json),
                 "[[\"dns\",\"a.example.com\"],[\"dns\",\"b.example.com\"],[\"ip\",\"192.0.2.1\"]]");
    assert_ok(acme_name_set_read(&a, lt_buf_slice(&json), &back));
    assert_true(acme_name_set_eq(&set, &back));
    back.count--;
    assert_false(acme_name_set_eq(&set, &back));
    lt_buf_done(&json);
    lt_arena_done(&a);
}

static void test_set_of_others(void **state)
{
    static const char *const bad[] = {"",
                                      "[",
                                      "[]]",
                                      "[[\"dns\"]]",
                                      "[[\"dns\",1]]",
                                      "[ [\"dns\",\"a\"]]",
                                      "{}",
                                      "[[\"dns\",\"a]]",
                                      "[[\"dns\",\"a\"]",
                                      "[[\"dns\",\"\\x\"]]",
                                      "[[\"dns\",\"\\u00g0\"]]"};
    struct lt_arena a;
    (void)state;
    lt_arena_init(&a, 1 << 16);
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        struct acme_name_set set;
        assert_fails(acme_name_set_read(&a, lt_slice_cstr(bad[i]), &set), LT_STATE_CORRUPT);
    }
    lt_arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policy),        cmocka_unit_test(test_wide_profile),
        cmocka_unit_test(test_private_ca),    cmocka_unit_test(test_set),
        cmocka_unit_test(test_set_of_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
