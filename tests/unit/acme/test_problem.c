/* Problem documents: the right status for each type, and the same document back from the book. */
#include "acme/problem.h"
#include "check.h"

/* RFC 8555 6.7, every row of its table, and what else we say. */
static const struct {
    const char *type;
    uint32_t status;
} rows[] = {
    {"accountDoesNotExist", 400},
    {"alreadyRevoked", 400},
    {"badCSR", 400},
    {"badNonce", 400},
    {"badPublicKey", 400},
    {"badRevocationReason", 400},
    {"badSignatureAlgorithm", 400},
    {"caa", 403},
    {"compound", 400},
    {"connection", 400},
    {"dns", 400},
    {"externalAccountRequired", 403},
    {"incorrectResponse", 403},
    {"invalidContact", 400},
    {"malformed", 400},
    {"orderNotReady", 403},
    {"rateLimited", 429},
    {"rejectedIdentifier", 400},
    {"serverInternal", 500},
    {"tls", 400},
    {"unauthorized", 403},
    {"unsupportedContact", 400},
    {"unsupportedIdentifier", 400},
    {"userActionRequired", 403},
    {"invalidProfile", 400},
};

static void test_statuses(void **state)
{
    static const char *const unknown[] = {"", "Malformed", "urn:ietf:params:acme:error:malformed",
                                          "badnonce"};
    (void)state;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        assert_int_equal(acme_problem_status(rows[i].type), rows[i].status);
    }
    for (size_t i = 0; i < LT_COUNT(unknown); i++) {
        assert_int_equal(acme_problem_status(unknown[i]), 0);
    }
}

static void same(const Ipc__Problem *a, const Ipc__Problem *b)
{
    assert_string_equal(a->type, b->type);
    assert_string_equal(a->detail, b->detail);
    assert_int_equal(a->status, b->status);
    assert_int_equal(a->n_subproblems, b->n_subproblems);
    for (size_t i = 0; i < a->n_subproblems; i++) {
        assert_string_equal(a->subproblems[i]->type, b->subproblems[i]->type);
        assert_string_equal(a->subproblems[i]->detail, b->subproblems[i]->detail);
        assert_string_equal(a->subproblems[i]->identifier->value, b->subproblems[i]->identifier->value);
    }
}

static void test_there_and_back(void **state)
{
    static const char *const details[] = {
        "plain",
        "",
        "\"quoted\" \\ and / slashed",
        "line\r\nline\ttab \x01\x1f\x7f",
        "\xc3\xbc\xe2\x82\xac\xf0\x9f\x8f\xb0",
        "{\"type\":\"x\"}",
        "],[}{,:",
    };
    (void)state;
    for (size_t i = 0; i < LT_COUNT(details); i++) {
        for (size_t subs = 0; subs < 4; subs++) {
            struct lt_arena a;
            struct lt_buf json;
            Ipc__Problem *back = NULL;
            Ipc__Identifier id = IPC__IDENTIFIER__INIT;
            char dns[] = "dns";
            char name[] = "a\"b.example.com";
            lt_arena_init(&a, 1 << 26);
            lt_buf_init(&json, 1 << 16);
            id.type = dns;
            id.value = name;
            Ipc__Problem *p = acme_problem(&a, "dns", "%s", details[i]);
            assert_non_null(p);
            for (size_t s = 0; s < subs; s++) {
                assert_ok(acme_problem_add(&a, p, "caa", &id, details[i]));
            }
            acme_problem_json(p, &json);
            assert_ok(lt_buf_check(&json));
            assert_ok(acme_problem_read(&a, lt_buf_slice(&json), &back));
            same(p, back);
            /* cut anywhere, it is nothing of ours */
            for (size_t len = 0; len < json.len; len++) {
                assert_fails(acme_problem_read(&a, LT_SLICE(json.ptr, len), &back), LT_STATE_CORRUPT);
            }
            lt_buf_add_byte(&json, ' ');
            assert_fails(acme_problem_read(&a, lt_buf_slice(&json), &back), LT_STATE_CORRUPT);
            lt_buf_done(&json);
            lt_arena_done(&a);
        }
    }
}

static void test_bad_utf8(void **state)
{
    struct lt_arena a;
    struct lt_buf json;
    Ipc__Problem *back = NULL;
    (void)state;
    lt_arena_init(&a, 1 << 16);
    lt_buf_init(&json, 1 << 16);
    acme_problem_json(acme_problem(&a, "tls", "%s", "a\xff\xc0z"), &json);
    assert_ok(acme_problem_read(&a, lt_buf_slice(&json), &back));
    assert_string_equal(back->detail, "a\xef\xbf\xbd\xef\xbf\xbdz");
    lt_buf_done(&json);
    lt_arena_done(&a);
}

static void test_full_arena(void **state)
{
    struct lt_arena a;
    Ipc__Identifier id = IPC__IDENTIFIER__INIT;
    (void)state;
    lt_arena_init(&a, 64);
    assert_null(
        acme_problem(&a, "dns", "%s", "a sentence that is longer than the whole of this small arena is"));
    lt_arena_done(&a);
    lt_arena_init(&a, 1 << 20);
    Ipc__Problem *p = acme_problem(&a, "compound", "many");
    lt_res r = LT_OK;
    for (int i = 0; i < 1000 && !lt_failed(r); i++) {
        r = acme_problem_add(&a, p, "dns", &id, "one of them");
    }
    assert_int_equal(r.code, LT_PEER_TOO_LARGE);
    lt_arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_bad_utf8),
        cmocka_unit_test(test_full_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
