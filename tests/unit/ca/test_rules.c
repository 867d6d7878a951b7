/* Operators, approvals, parameters of plans, halts: what registrar, examiner and command line judge alike. */
#include "../check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "ca/approval.h"
#include "ca/halt.h"
#include "ca/params.h"
#include "crypto/digest.h"
#include "crypto/key.h"

enum { PEOPLE = 3 };

static struct crypto_key *keys[PEOPLE];
static const char *const people[PEOPLE] = {"ann", "bob", "cyd"};
static struct ca_operators operators;

static int set_up(void **state)
{
    (void)state;
    static const enum crypto_key_type types[PEOPLE] = {CRYPTO_KEY_ED25519, CRYPTO_KEY_P256,
                                                       CRYPTO_KEY_ED25519};
    static const char *const algs[PEOPLE] = {"EdDSA", "ES256", "EdDSA"};
    lt_arena_init(&operators.arena, 100000);
    operators.list = LT_NEW_ARRAY(&operators.arena, struct ca_operator, PEOPLE);
    operators.count = PEOPLE;
    for (size_t i = 0; i < PEOPLE; i++) {
        assert_ok(crypto_key_generate(types[i], 0, &keys[i]));
        operators.list[i] = (struct ca_operator){
            .name = people[i],
            .alg = algs[i],
            .spki = crypto_key_spki(keys[i]),
            .roles = i == 2 ? CA_ROLE_VIEWER : CA_ROLE_OPERATOR | CA_ROLE_APPROVER,
        };
        crypto_sha256(operators.list[i].spki, operators.list[i].thumbprint);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < PEOPLE; i++) {
        crypto_key_free(keys[i]);
    }
    ca_operators_done(&operators);
    return 0;
}

static lt_time at(const char *text)
{
    lt_time t;
    assert_ok(lt_time_parse(lt_slice_cstr(text), &t));
    return t;
}

static uint8_t scope[32] = {1, 2, 3};

static Ipc__PlanStatement plan(void)
{
    static char id[] = "p1";
    static char action[] = "halt.lift";
    static char parameters[] = "{\"halt\":\"h1\"}";
    static char proposer[] = "ann";
    Ipc__PlanStatement p = IPC__PLAN_STATEMENT__INIT;
    p.plan_id = id;
    p.action = action;
    p.parameters = parameters;
    p.proposer = proposer;
    p.scope_sha256 = (ProtobufCBinaryData){sizeof scope, scope};
    p.count = 1;
    p.expires_us = at("2026-11-23T00:00:00Z").us;
    return p;
}

struct signed_approval {
    Ipc__Approval a;
    uint8_t signature[CRYPTO_SIGNATURE_MAX];
    char name[16];
};

static void sign(size_t who, const Ipc__PlanStatement *p, struct signed_approval *s)
{
    struct lt_buf text;
    size_t len = 0;
    lt_buf_init(&text, 10000);
    assert_ok(ca_approval_statement(p, &text));
    enum crypto_sig_alg alg = crypto_alg_by_name(lt_slice_cstr(operators.list[who].alg));
    assert_ok(crypto_key_sign_jose(keys[who], alg, lt_buf_slice(&text), s->signature, &len));
    lt_buf_done(&text);
    ipc__approval__init(&s->a);
    (void)snprintf(s->name, sizeof s->name, "%s", people[who]);
    s->a.operator_ = s->name;
    s->a.signature = (ProtobufCBinaryData){len, s->signature};
    s->a.signed_us = at("2026-11-22T12:00:00Z").us;
}

static void the_statement_is_text(void **state)
{
    (void)state;
    struct lt_buf text;
    lt_buf_init(&text, 10000);
    Ipc__PlanStatement p = plan();
    assert_ok(ca_approval_statement(&p, &text));
    assert_slice(lt_buf_slice(&text),
                 "lintel-approval-v1\nplan=p1\naction=halt.lift\n"
                 "scope-sha256=0102030000000000000000000000000000000000000000000000000000000000\ncount=1\n"
                 "parameters={\"halt\":\"h1\"}\nexpires=2026-11-23T00:00:00Z\nproposer=ann\n");
    lt_buf_done(&text);
}

static void statements_that_could_mean_two_things(void **state)
{
    (void)state;
    static char evil[] = "ann\ncount=1000000";
    static char none[] = "";
    struct lt_buf text;
    lt_buf_init(&text, 10000);
    Ipc__PlanStatement p = plan();
    p.proposer = evil;
    assert_fails(ca_approval_statement(&p, &text), LT_PEER_MALFORMED);
    p = plan();
    p.parameters = evil;
    assert_fails(ca_approval_statement(&p, &text), LT_PEER_MALFORMED);
    p = plan();
    p.plan_id = none;
    assert_fails(ca_approval_statement(&p, &text), LT_PEER_MALFORMED);
    p = plan();
    p.action = none;
    assert_fails(ca_approval_statement(&p, &text), LT_PEER_MALFORMED);
    p = plan();
    p.scope_sha256.len = 20;
    assert_fails(ca_approval_statement(&p, &text), LT_PEER_MALFORMED);
    lt_buf_done(&text);
}

static void one_approval(void **state)
{
    (void)state;
    lt_time now = at("2026-11-22T12:00:00Z");
    struct signed_approval s;
    Ipc__PlanStatement p = plan();
    for (size_t i = 0; i < 2; i++) {
        sign(i, &p, &s);
        assert_ok(ca_approval_verify(&operators, &p, &s.a, now));
    }
    sign(2, &p, &s); /* a viewer */
    assert_fails(ca_approval_verify(&operators, &p, &s.a, now), LT_POLICY_APPROVAL);
    sign(1, &p, &s);
    assert_fails(ca_approval_verify(&operators, &p, &s.a, at("2026-11-23T00:00:00Z")), LT_POLICY_APPROVAL);
    assert_fails(ca_approval_verify(&operators, &p, &s.a, at("2026-11-22T11:00:00Z")), LT_POLICY_APPROVAL);
    (void)snprintf(s.name, sizeof s.name, "ann"); /* bob's signature under her name */
    assert_fails(ca_approval_verify(&operators, &p, &s.a, now), LT_POLICY_APPROVAL);
    (void)snprintf(s.name, sizeof s.name, "eve");
    assert_fails(ca_approval_verify(&operators, &p, &s.a, now), LT_POLICY_APPROVAL);
}

/* A signature is for one plan, to the last byte. */
static void approvals_do_not_travel(void **state)
{
    (void)state;
    lt_time now = at("2026-11-22T12:00:00Z");
    static char other_id[] = "p2";
    static char other_action[] = "key-block.remove";
    static char other_parameters[] = "{\"halt\":\"h2\"}";
    static char other_proposer[] = "bob";
    uint8_t other_scope[32] = {9};
    Ipc__PlanStatement p = plan();
    struct signed_approval s;
    sign(1, &p, &s);
    for (int i = 0; i < 8; i++) {
        Ipc__PlanStatement q = plan();
        q.plan_id = i == 0 ? other_id : q.plan_id;
        q.action = i == 1 ? other_action : q.action;
        q.parameters = i == 2 ? other_parameters : q.parameters;
        q.proposer = i == 3 ? other_proposer : q.proposer;
        q.count = i == 4 ? 2 : 1;
        q.expires_us += i == 5 ? LT_US_PER_SECOND : 0;
        q.scope_sha256.data = i == 6 ? other_scope : scope;
        s.signature[3] ^= i == 7 ? 1 : 0;
        assert_fails(ca_approval_verify(&operators, &q, &s.a, now), LT_POLICY_APPROVAL);
    }
}

static void enough_of_them(void **state)
{
    (void)state;
    lt_time now = at("2026-11-22T12:00:00Z");
    Ipc__PlanStatement p = plan();
    struct signed_approval s[2];
    sign(0, &p, &s[0]);
    sign(1, &p, &s[1]);
    Ipc__Approval *both[] = {&s[0].a, &s[1].a};
    Ipc__Approval *twice[] = {&s[1].a, &s[1].a};
    const struct ca_approval_policy two = {.needed = 2, .proposer_counts = true};
    const struct ca_approval_policy two_others = {.needed = 2};
    const struct ca_approval_policy one_other = {.needed = 1};
    assert_ok(ca_approvals_suffice(&operators, &p, both, 2, &two, now));
    assert_ok(ca_approvals_suffice(&operators, &p, both, 2, &one_other, now));
    assert_fails(ca_approvals_suffice(&operators, &p, both, 2, &two_others, now), LT_POLICY_APPROVAL);
    assert_fails(ca_approvals_suffice(&operators, &p, both, 1, &one_other, now), LT_POLICY_APPROVAL);
    assert_fails(ca_approvals_suffice(&operators, &p, both, 1, &two, now), LT_POLICY_APPROVAL);
    assert_fails(ca_approvals_suffice(&operators, &p, twice, 2, &two, now), LT_POLICY_APPROVAL);
    assert_fails(ca_approvals_suffice(&operators, &p, NULL, 0, &one_other, now), LT_POLICY_APPROVAL);
    s[0].signature[0] ^= 1; /* one bad one spoils all */
    assert_fails(ca_approvals_suffice(&operators, &p, both, 2, &one_other, now), LT_POLICY_APPROVAL);
}

static void dangerous_actions_want_two(void **state)
{
    (void)state;
    static const char *const dangerous[] = {"halt.lift",      "key-block.remove", "lint.exception",
                                            "profile.change", "restore",          "ca.sign"};
    for (size_t i = 0; i < LT_COUNT(dangerous); i++) {
        assert_int_equal(ca_approval_policy_of(dangerous[i], 1).needed, 2);
        assert_int_equal(ca_approval_policy_of(dangerous[i], 3).needed, 3);
    }
    assert_int_equal(ca_approval_policy_of("other", 0).needed, 1);
    /* a look at an order is one person's, who may propose it */
    for (uint32_t configured = 0; configured < 4; configured++) {
        assert_int_equal(ca_approval_policy_of("order.release", configured).needed, 1);
        assert_true(ca_approval_policy_of("order.release", configured).proposer_counts);
    }
}

static void parameters_in_canonical_form(void **state)
{
    (void)state;
    struct ca_params p;
    assert_ok(ca_params_parse(LT_LIT("{}"), &p));
    assert_int_equal(p.count, 0);
    assert_ok(ca_params_parse(LT_LIT("{\"a\":\"1\",\"b\":\"\"}"), &p));
    assert_slice(ca_params_get(&p, "a"), "1");
    assert_slice(ca_params_get(&p, "b"), "");
    assert_slice(ca_params_get(&p, "c"), "");
    static const char *const bad[] = {
        "",
        "{",
        "}",
        "[]",
        "{\"a\":1}",
        "{\"a\":\"1\"",
        "{\"a\"}",
        "{ }",
        "{\"a\":\"1\" }",
        "{\"a\": \"1\"}",
        "{\"b\":\"\",\"a\":\"\"}",
        "{\"a\":\"\",\"a\":\"\"}",
        "{\"a\":\"\\n\"}",
        "{\"a\":\"\x01\"}",
        "{\"\":\"1\"}",
        "{\"a\":\"1\"}x",
        "{\"a\":{}}",
        "{\"a\":\"1\",}",
        "{,}",
    };
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        assert_fails(ca_params_parse(lt_slice_cstr(bad[i]), &p), LT_PEER_MALFORMED);
    }
}

static void operator_files(void **state)
{
    (void)state;
    char folder[] = "/tmp/lintel-operators-XXXXXX";
    assert_non_null(mkdtemp(folder));
    LT_CLEANUP(lt_fd_closep) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(mkdirat(fd, "operators", 0755), 0);
    LT_CLEANUP(lt_fd_closep) int dir = openat(fd, "operators", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct ca_operators read;
    assert_ok(ca_operators_load(fd, "nowhere", &read));
    assert_int_equal(read.count, 0);
    ca_operators_done(&read);
    struct lt_buf text;
    lt_buf_init(&text, 10000);
    for (size_t i = 0; i < PEOPLE; i++) {
        char file[32];
        (void)snprintf(file, sizeof file, "%s.json", people[i]);
        lt_buf_reset(&text);
        assert_ok(ca_operator_print(&operators.list[i], &text));
        assert_ok(lt_file_replace(dir, file, 0644, lt_buf_slice(&text)));
    }
    assert_ok(lt_file_replace(dir, "ann.key", 0600, LT_LIT("not an operator")));
    assert_ok(ca_operators_load(fd, "operators", &read));
    assert_int_equal(read.count, PEOPLE);
    const struct ca_operator *bob = ca_operator_by_name(&read, LT_LIT("bob"));
    assert_non_null(bob);
    assert_int_equal(bob->roles, CA_ROLE_OPERATOR | CA_ROLE_APPROVER);
    assert_true(lt_slice_eq(bob->spki, operators.list[1].spki));
    assert_null(ca_operator_by_name(&read, LT_LIT("eve")));
    ca_operators_done(&read);
    /* one person, one key: the same under another name */
    struct ca_operator twin = operators.list[0];
    twin.name = "twin";
    lt_buf_reset(&text);
    assert_ok(ca_operator_print(&twin, &text));
    assert_ok(lt_file_replace(dir, "twin.json", 0644, lt_buf_slice(&text)));
    assert_fails(ca_operators_load(fd, "operators", &read), LT_PEER_USAGE);
    assert_int_equal(renameat(dir, "twin.json", dir, "ann.json"), 0); /* the file is not its name's */
    assert_fails(ca_operators_load(fd, "operators", &read), LT_PEER_USAGE);
    lt_buf_done(&text);
    static const char *const files[] = {"ann.json", "bob.json", "cyd.json", "ann.key"};
    for (size_t i = 0; i < LT_COUNT(files); i++) {
        (void)unlinkat(dir, files[i], 0);
    }
    (void)unlinkat(fd, "operators", AT_REMOVEDIR);
    (void)rmdir(folder);
}

static void operators_that_are_none(void **state)
{
    (void)state;
    struct lt_arena a;
    struct ca_operator o;
    char spki[256];
    char text[1024];
    lt_arena_init(&a, 1000000);
    (void)snprintf(spki, sizeof spki, "%s", lt_base64url(&a, operators.list[0].spki));
    static const char *const formats[] = {
        "",
        "[]",
        "{}",
        "{\"name\":\"ann\",\"roles\":[\"viewer\"],\"alg\":\"EdDSA\",\"spki\":\"AAAA%.0s\"}",
        "{\"name\":\"Ann\",\"roles\":[\"viewer\"],\"alg\":\"EdDSA\",\"spki\":\"%s\"}",
        "{\"name\":\"../a\",\"roles\":[\"viewer\"],\"alg\":\"EdDSA\",\"spki\":\"%s\"}",
        "{\"name\":\"ann\",\"roles\":[],\"alg\":\"EdDSA\",\"spki\":\"%s\"}",
        "{\"name\":\"ann\",\"roles\":[\"root\"],\"alg\":\"EdDSA\",\"spki\":\"%s\"}",
        "{\"name\":\"ann\",\"roles\":\"viewer\",\"alg\":\"EdDSA\",\"spki\":\"%s\"}",
        "{\"name\":\"ann\",\"roles\":[\"viewer\"],\"alg\":\"ES256\",\"spki\":\"%s\"}",
        "{\"name\":\"ann\",\"roles\":[\"viewer\"],\"alg\":\"none\",\"spki\":\"%s\"}",
        "{\"name\":\"ann\",\"roles\":[\"viewer\"],\"alg\":\"EdDSA\",\"spki\":\"%s\",\"more\":1}",
        "{\"name\":\"ann\",\"name\":\"bob\",\"roles\":[\"viewer\"],\"alg\":\"EdDSA\",\"spki\":\"%s\"}",
        "{\"name\":\"ann\",\"roles\":[\"viewer\"],\"alg\":\"EdDSA\",\"spki\":\"%s\",\"added\":\"today\"}",
    };
    for (size_t i = 0; i < LT_COUNT(formats); i++) {
        lt_slice rest = lt_slice_cstr(formats[i]);
        size_t mark = 0;
        while (mark < rest.len && rest.ptr[mark] != '%') {
            mark++;
        }
        bool filled = mark < rest.len && rest.ptr[mark + 1] == 's';
        (void)snprintf(text, sizeof text, "%.*s%s%s", (int)mark, formats[i], filled ? spki : "",
                       mark < rest.len ? formats[i] + mark + (filled ? 2 : 4) : "");
        assert_true(lt_failed(ca_operator_parse(&a, lt_slice_cstr(text), &o)));
    }
    (void)snprintf(text, sizeof text,
                   "{\"name\":\"ann\",\"roles\":[\"viewer\"],\"alg\":\"EdDSA\",\"spki\":\"%s\"}", spki);
    assert_ok(ca_operator_parse(&a, lt_slice_cstr(text), &o));
    lt_arena_done(&a);
}

static lt_res check_halt(Ipc__HaltKind kind, const char *value, const char *name)
{
    char text[64];
    char id[] = "h1";
    char reason[] = "the operators' own words";
    char subject[64];
    (void)snprintf(text, sizeof text, "%s", value);
    (void)snprintf(subject, sizeof subject, "%s", name);
    Ipc__Halt h = IPC__HALT__INIT;
    h.id = id;
    h.kind = kind;
    h.value = text;
    h.reason = reason;
    Ipc__Halt *list[] = {&h};
    Ipc__Identifier n = IPC__IDENTIFIER__INIT;
    n.value = subject;
    Ipc__Identifier *names[] = {&n};
    const char *methods[] = {"http-01", "dns-01"};
    const struct ca_halt_subject s = {LT_LIT("tls-server"), LT_LIT("tls"), 42, names, 1, methods, 2};
    return ca_halt_check(list, 1, &s);
}

static void what_a_halt_hits(void **state)
{
    (void)state;
    static const struct {
        Ipc__HaltKind kind;
        const char *value;
        const char *name;
        bool hit;
    } rows[] = {
        {IPC__HALT_KIND__HALT_ALL, "", "a.example.com", true},
        {IPC__HALT_KIND__HALT_PROFILE, "tls-server", "a.example.com", true},
        {IPC__HALT_KIND__HALT_PROFILE, "tls-serve", "a.example.com", false},
        {IPC__HALT_KIND__HALT_ISSUER, "tls", "a.example.com", true},
        {IPC__HALT_KIND__HALT_ISSUER, "smime", "a.example.com", false},
        {IPC__HALT_KIND__HALT_ACCOUNT, "42", "a.example.com", true},
        {IPC__HALT_KIND__HALT_ACCOUNT, "421", "a.example.com", false},
        {IPC__HALT_KIND__HALT_NAME_SUFFIX, "example.com", "example.com", true},
        {IPC__HALT_KIND__HALT_NAME_SUFFIX, "example.com", "a.b.example.com", true},
        {IPC__HALT_KIND__HALT_NAME_SUFFIX, "example.com", "notexample.com", false},
        {IPC__HALT_KIND__HALT_NAME_SUFFIX, "example.com", "example.com.org", false},
        {IPC__HALT_KIND__HALT_NAME_SUFFIX, "example.com", "*.example.com", true},
        {IPC__HALT_KIND__HALT_NAME_SUFFIX, "a.example.com", "*.example.com", true},
        {IPC__HALT_KIND__HALT_NAME_SUFFIX, "a.b.example.com", "*.example.com", false},
        {IPC__HALT_KIND__HALT_NAME_SUFFIX, "com", "a.example.com", true},
        {IPC__HALT_KIND__HALT_METHOD, "http-01", "a.example.com", true},
        {IPC__HALT_KIND__HALT_METHOD, "dns-01", "a.example.com", true},
        {IPC__HALT_KIND__HALT_METHOD, "tls-alpn-01", "a.example.com", false},
        {IPC__HALT_KIND__HALT_METHOD, "http-0", "a.example.com", false},
        {IPC__HALT_KIND__HALT_NONE, "?", "a.example.com", true}, /* not understood: stops */
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        lt_res r = check_halt(rows[i].kind, rows[i].value, rows[i].name);
        assert_int_equal(r.code, rows[i].hit ? LT_POLICY_HALTED : 0);
        if (rows[i].hit) { /* clients read it */
            const char *told = lt_error_last()->detail;
            assert_non_null(strstr(told, "issuance is halted for "));
            assert_null(strstr(told, "own words"));
            assert_null(strstr(told, " )"));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_statement_is_text),
        cmocka_unit_test(statements_that_could_mean_two_things),
        cmocka_unit_test(one_approval),
        cmocka_unit_test(approvals_do_not_travel),
        cmocka_unit_test(enough_of_them),
        cmocka_unit_test(dangerous_actions_want_two),
        cmocka_unit_test(parameters_in_canonical_form),
        cmocka_unit_test(operator_files),
        cmocka_unit_test(operators_that_are_none),
        cmocka_unit_test(what_a_halt_hits),
    };
    return cmocka_run_group_tests_name("rules", tests, set_up, tear_down);
}
