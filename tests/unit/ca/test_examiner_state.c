/* The examiner's memory: halts, blocked keys and exceptions are added at once, and go only with two approvals
 * of other people over exactly this; all of it survives a restart, and a file that does not read stops it. */
#include "check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "../x509/keys.h"
#include "base/file.h"
#include "base/text.h"
#include "ca/approval.h"
#include "ca/examiner_state.h"
#include "ca/parameters.h"

#define NOW INT64_C(1795305600000000)

static char folder[] = "/tmp/lintel-state-XXXXXX";
static int folder_fd = -1;
static struct lt_arena arena;
static struct ca_examiner_state *state;

/* anna (Ed25519) and otto (RSA) approve; paul proposes and may approve; vera (RSA) only looks. */
static struct ca_operator people[4];
static struct ca_operators operators = {.list = people, .count = 4};
static const struct ca_approvers by = {&operators, 2};

static char anna[] = "anna";
static char otto[] = "otto";
static char paul[] = "paul";
static char vera[] = "vera";

static int world_up(void **unused)
{
    if (test_keys_make(unused) != 0 || mkdtemp(folder) == NULL) {
        return -1;
    }
    folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    people[0] = (struct ca_operator){anna, CA_ROLE_APPROVER, "EdDSA", test_key_spki(&test_keys[3]), {0}, {0}};
    people[1] = (struct ca_operator){otto, CA_ROLE_APPROVER, "RS256", test_key_spki(&test_keys[4]), {0}, {0}};
    people[2] = (struct ca_operator){
        paul, CA_ROLE_OPERATOR | CA_ROLE_APPROVER, "RS256", test_key_spki(&test_keys[5]), {0}, {0}};
    people[3] = (struct ca_operator){vera, CA_ROLE_VIEWER, "RS256", test_key_spki(&test_keys[6]), {0}, {0}};
    return folder_fd >= 0 ? 0 : -1;
}

static int world_down(void **unused)
{
    (void)close(folder_fd); /* only read */
    (void)rmdir(folder);    /* empty by now */
    return test_keys_free(unused);
}

static void forget_files(void)
{
    static const char *const files[] = {"halts", "blocked", "exceptions", "used"};
    for (size_t i = 0; i < LT_COUNT(files); i++) {
        (void)unlinkat(folder_fd, files[i], 0); /* may not be there */
    }
}

static int set_up(void **unused)
{
    (void)unused;
    forget_files();
    lt_arena_init(&arena, 1 << 22);
    assert_ok(ca_examiner_state_open(folder_fd, &state));
    return 0;
}

static int tear_down(void **unused)
{
    (void)unused;
    ca_examiner_state_free(state);
    state = NULL;
    lt_arena_done(&arena);
    forget_files();
    return 0;
}

static void restart(void)
{
    ca_examiner_state_free(state);
    state = NULL;
    assert_ok(ca_examiner_state_open(folder_fd, &state));
}

/* ---- halts ---- */

static void send_halt(const char *id, Ipc__HaltKind kind, const char *value)
{
    Ipc__Halt h = IPC__HALT__INIT;
    Ipc__Halt *list[1] = {&h};
    Ipc__HaltList m = IPC__HALT_LIST__INIT;
    h.id = (char *)(uintptr_t)id;
    h.kind = kind;
    h.value = (char *)(uintptr_t)value;
    h.reason = (char *)(uintptr_t) "a reason of several words";
    h.operator_ = paul;
    h.since_us = NOW;
    m.time_us = NOW;
    m.n_halts = id == NULL ? 0 : 1;
    m.halts = list;
    assert_ok(ca_examiner_halts(state, &m, (lt_time){NOW}));
}

static bool halted(const char *profile)
{
    struct ca_halt_subject s = {.profile = lt_slice_cstr(profile)};
    lt_res r = ca_examiner_halted(state, &s);
    return lt_failed(r);
}

static void halts_stay(void **unused)
{
    (void)unused;
    assert_fails(ca_examiner_fresh(state, (lt_time){NOW}), LT_RETRY_UNAVAILABLE);
    send_halt("h1", IPC__HALT_KIND__HALT_PROFILE, "one");
    send_halt("h2", IPC__HALT_KIND__HALT_PROFILE, "two");
    send_halt(NULL, IPC__HALT_KIND__HALT_NONE, "");
    assert_ok(ca_examiner_fresh(state, (lt_time){NOW}));
    assert_true(halted("one") && halted("two") && !halted("three"));
    restart();
    assert_true(halted("one") && halted("two") && !halted("three"));
    assert_int_equal(ca_examiner_halt_count(state), 2);
    send_halt("h3", IPC__HALT_KIND__HALT_ALL, "");
    restart();
    assert_true(halted("three"));
}

static void a_list_ages(void **unused)
{
    (void)unused;
    send_halt(NULL, IPC__HALT_KIND__HALT_NONE, "");
    for (int64_t s = -7; s <= 7; s++) {
        lt_res r = ca_examiner_fresh(state, lt_time_add_seconds((lt_time){NOW}, s));
        assert_int_equal(r.code, s >= -5 && s <= 5 ? 0 : LT_RETRY_UNAVAILABLE);
    }
    ca_examiner_forget_list(state);
    assert_fails(ca_examiner_fresh(state, (lt_time){NOW}), LT_RETRY_UNAVAILABLE);
}

static void a_halt_that_is_none(void **unused)
{
    (void)unused;
    static const struct {
        const char *id;
        Ipc__HaltKind kind;
        const char *value;
        const char *reason;
        const char *operator_;
    } bad[] = {
        {"", IPC__HALT_KIND__HALT_ALL, "", "why", "paul"},
        {"h1", IPC__HALT_KIND__HALT_NONE, "", "why", "paul"},
        {"h1", IPC__HALT_KIND__HALT_PROFILE, "", "why", "paul"},
        {"h1", IPC__HALT_KIND__HALT_PROFILE, "a b", "why", "paul"},
        {"h1", IPC__HALT_KIND__HALT_ALL, "", "", "paul"},
        {"h1", IPC__HALT_KIND__HALT_ALL, "", "why\nlifted h0 p", "paul"},
        {"h1\nlifted h0", IPC__HALT_KIND__HALT_ALL, "", "why", "paul"},
        {"h1", IPC__HALT_KIND__HALT_ALL, "", "why", "p\nq"},
        {"h1", IPC__HALT_KIND__HALT_ACCOUNT, "twelve", "why", "paul"},
    };
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        Ipc__Halt h = IPC__HALT__INIT;
        Ipc__Halt *list[1] = {&h};
        Ipc__HaltList m = IPC__HALT_LIST__INIT;
        h.id = (char *)(uintptr_t)bad[i].id;
        h.kind = bad[i].kind;
        h.value = (char *)(uintptr_t)bad[i].value;
        h.reason = (char *)(uintptr_t)bad[i].reason;
        h.operator_ = (char *)(uintptr_t)bad[i].operator_;
        m.time_us = NOW;
        m.n_halts = 1;
        m.halts = list;
        assert_fails(ca_examiner_halts(state, &m, (lt_time){NOW}), LT_PEER_MALFORMED);
    }
    assert_int_equal(ca_examiner_halt_count(state), 0);
}

/* ---- approvals ---- */

static char plan_id[] = "p1";
static Ipc__PlanStatement plan;
static Ipc__Approval approvals[4];
static Ipc__Approval *approval_list[4] = {&approvals[0], &approvals[1], &approvals[2], &approvals[3]};
static uint8_t scope[32];

static void propose(const char *action, const char *parameters)
{
    ipc__plan_statement__init(&plan);
    plan.plan_id = plan_id;
    plan.action = (char *)(uintptr_t)action;
    plan.scope_sha256 = (ProtobufCBinaryData){sizeof(scope), scope};
    plan.count = 1;
    plan.parameters = (char *)(uintptr_t)parameters;
    plan.expires_us = NOW + 3600 * LT_US_PER_SECOND;
    plan.proposer = paul;
}

/* Who signs what stands in the plan now. */
static void approve(size_t i, size_t who)
{
    static const size_t keys[] = {3, 4, 5, 6};
    struct lt_buf text;
    struct lt_buf signature;
    lt_buf_init(&text, 70000);
    lt_buf_init(&signature, 1024);
    assert_ok(ca_approval_statement(&plan, &text));
    const struct test_key *k = &test_keys[keys[who]];
    test_sign(k, k->type == X509_KEY_RSA ? X509_SIG_RSA_SHA256 : X509_SIG_ED25519, lt_buf_slice(&text),
              &signature);
    lt_slice kept = lt_arena_copy(&arena, lt_buf_slice(&signature));
    ipc__approval__init(&approvals[i]);
    approvals[i].operator_ = (char *)(uintptr_t)people[who].name;
    approvals[i].signature = (ProtobufCBinaryData){kept.len, (uint8_t *)(uintptr_t)kept.ptr};
    approvals[i].signed_us = NOW;
    lt_buf_done(&text);
    lt_buf_done(&signature);
}

static lt_res lift(const char *id, size_t count)
{
    Ipc__HaltLift m = IPC__HALT_LIFT__INIT;
    m.halt_id = (char *)(uintptr_t)id;
    m.plan = &plan;
    m.approvals = approval_list;
    m.n_approvals = count;
    return ca_examiner_lift(state, &by, &m, (lt_time){NOW});
}

static void a_halt_is_lifted_by_two(void **unused)
{
    (void)unused;
    send_halt("h1", IPC__HALT_KIND__HALT_PROFILE, "one");
    send_halt("h2", IPC__HALT_KIND__HALT_PROFILE, "two");
    propose("halt.lift", "{\"halt\":\"h1\"}");
    approve(0, 0);
    approve(1, 1);
    assert_ok(lift("h1", 2));
    assert_true(!halted("one") && halted("two"));
    assert_ok(lift("h1", 2)); /* again is fine */
    send_halt("h1", IPC__HALT_KIND__HALT_PROFILE, "one");
    assert_false(halted("one")); /* a list that is late brings it not back */
    restart();
    send_halt("h1", IPC__HALT_KIND__HALT_PROFILE, "one");
    assert_true(!halted("one") && halted("two"));
}

static void nothing_less_lifts_it(void **unused)
{
    (void)unused;
    send_halt("h1", IPC__HALT_KIND__HALT_PROFILE, "one");
    propose("halt.lift", "{\"halt\":\"h1\"}");
    assert_fails(lift("h1", 0), LT_POLICY_APPROVAL);
    approve(0, 0);
    assert_fails(lift("h1", 1), LT_POLICY_APPROVAL); /* one alone */
    approve(1, 0);
    assert_fails(lift("h1", 2), LT_POLICY_APPROVAL); /* the same twice */
    approve(1, 2);
    assert_fails(lift("h1", 2), LT_POLICY_APPROVAL); /* the proposer does not count */
    approve(1, 3);
    assert_fails(lift("h1", 2), LT_POLICY_APPROVAL); /* no approver */
    approve(1, 1);
    approvals[1].operator_ = vera;
    assert_fails(lift("h1", 2), LT_POLICY_APPROVAL); /* another's signature */
    approve(1, 1);
    approvals[1].signature.len--;
    assert_fails(lift("h1", 2), LT_POLICY_APPROVAL);
    approve(1, 1);
    plan.count = 2;
    assert_fails(lift("h1", 2), LT_POLICY_APPROVAL); /* changed after it was signed */
    propose("halt.lift", "{\"halt\":\"h1\"}");
    plan.expires_us = NOW;
    approve(0, 0);
    approve(1, 1);
    assert_fails(lift("h1", 2), LT_POLICY_APPROVAL); /* expired */
    propose("halt.lift", "{\"halt\":\"h2\"}");
    approve(0, 0);
    approve(1, 1);
    assert_fails(lift("h1", 2), LT_POLICY_APPROVAL); /* for another halt */
    propose("restore", "{\"halt\":\"h1\"}");
    approve(0, 0);
    approve(1, 1);
    assert_fails(lift("h1", 2), LT_POLICY_APPROVAL); /* for another action */
    Ipc__HaltLift none = IPC__HALT_LIFT__INIT;
    none.halt_id = plan_id;
    assert_fails(ca_examiner_lift(state, &by, &none, (lt_time){NOW}), LT_POLICY_APPROVAL);
    assert_true(halted("one"));
}

/* ---- keys ---- */

static uint8_t hash[32];

static void block(uint8_t first)
{
    Ipc__KeyBlock m = IPC__KEY_BLOCK__INIT;
    hash[0] = first;
    m.spki_sha256 = (ProtobufCBinaryData){sizeof(hash), hash};
    m.reason = (char *)(uintptr_t) "leaked\nhere";
    assert_ok(ca_examiner_block(state, &m));
}

static bool blocked(uint8_t first)
{
    hash[0] = first;
    return ca_examiner_blocked(state, LT_SLICE(hash, sizeof(hash)));
}

static lt_res unblock(uint8_t first, size_t count)
{
    Ipc__KeyUnblock m = IPC__KEY_UNBLOCK__INIT;
    hash[0] = first;
    m.spki_sha256 = (ProtobufCBinaryData){sizeof(hash), hash};
    m.plan = &plan;
    m.approvals = approval_list;
    m.n_approvals = count;
    return ca_examiner_unblock(state, &by, &m, (lt_time){NOW});
}

static void keys(void **unused)
{
    (void)unused;
    for (unsigned i = 0; i < 200; i++) {
        block((uint8_t)(i * 37)); /* in no order, some twice */
    }
    restart();
    for (unsigned i = 0; i < 256; i++) {
        bool expected = false;
        for (unsigned k = 0; k < 200; k++) {
            expected = expected || (uint8_t)(k * 37) == i;
        }
        assert_int_equal(blocked((uint8_t)i), expected);
    }
    struct lt_buf text;
    lt_buf_init(&text, 1024);
    hash[0] = 37;
    ca_parameters_key(LT_SLICE(hash, sizeof(hash)), &text);
    propose("key-block.remove", lt_buf_cstr(&text));
    approve(0, 0);
    assert_fails(unblock(37, 1), LT_POLICY_APPROVAL);
    approve(1, 1);
    assert_fails(unblock(74, 2), LT_POLICY_APPROVAL);
    assert_ok(unblock(37, 2));
    assert_ok(unblock(37, 2));
    assert_true(!blocked(37) && blocked(74));
    block(38);
    restart();
    assert_true(!blocked(37) && blocked(74) && blocked(38));
    lt_buf_done(&text);
}

static void propose_unblock(uint8_t first, const char *id, int64_t expires_us)
{
    struct lt_buf text;
    lt_buf_init(&text, 1024);
    hash[0] = first;
    ca_parameters_key(LT_SLICE(hash, sizeof(hash)), &text);
    propose("key-block.remove", lt_arena_cstr(&arena, lt_buf_slice(&text)));
    lt_buf_done(&text);
    plan.plan_id = (char *)(uintptr_t)id;
    plan.expires_us = expires_us;
    approve(0, 0);
    approve(1, 1);
}

/* Approvals that somebody kept free the key no second time, not after a restart either. */
static void approvals_are_for_once(void **unused)
{
    (void)unused;
    const int64_t hour = NOW + 3600 * LT_US_PER_SECOND;
    block(37);
    propose_unblock(37, "p1", hour);
    assert_ok(unblock(37, 2));
    assert_ok(unblock(37, 2)); /* nothing to do: told twice */
    block(37);
    assert_fails(unblock(37, 2), LT_POLICY_APPROVAL);
    restart();
    assert_fails(unblock(37, 2), LT_POLICY_APPROVAL);
    assert_true(blocked(37));
    propose_unblock(37, "two words", hour);
    assert_fails(unblock(37, 2), LT_PEER_MALFORMED);
    assert_true(blocked(37));
    propose_unblock(37, "p2", hour);
    assert_ok(unblock(37, 2));
    assert_false(blocked(37));
    block(37);
    propose_unblock(37, "p1", hour + 1);
    assert_fails(unblock(37, 2), LT_POLICY_APPROVAL);
}

static void a_plan_lasts_some_days(void **unused)
{
    (void)unused;
    const int64_t most = NOW + 8 * LT_SECONDS_PER_DAY * LT_US_PER_SECOND;
    block(37);
    propose_unblock(37, "p1", most + 1);
    assert_fails(unblock(37, 2), LT_POLICY_APPROVAL);
    propose_unblock(37, "p1", INT64_MAX);
    assert_fails(ca_examiner_plan_life(&plan, (lt_time){NOW}), LT_POLICY_APPROVAL);
    assert_true(blocked(37));
    propose_unblock(37, "p1", most);
    assert_ok(unblock(37, 2));
}

static void a_line_cut_off_by_a_power_failure(void **unused)
{
    (void)unused;
    block(1);
    block(2);
    LT_CLEANUP(lt_fd_closep) int fd = openat(folder_fd, "blocked", O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_ok(lt_write_all(fd, LT_LIT("03000000")));
    restart();
    assert_true(blocked(1) && blocked(2) && !blocked(3));
    block(4);
    restart();
    assert_true(blocked(1) && blocked(2) && !blocked(3) && blocked(4));
}

/* ---- exceptions ---- */

static lt_res except(const char *rule, int64_t days, size_t count)
{
    Ipc__LintException m = IPC__LINT_EXCEPTION__INIT;
    m.rule = (char *)(uintptr_t)rule;
    m.profile = (char *)(uintptr_t) "tls-server";
    m.expires_us = NOW + days * LT_SECONDS_PER_DAY * LT_US_PER_SECOND;
    m.plan = &plan;
    m.approvals = approval_list;
    m.n_approvals = count;
    return ca_examiner_except(state, &by, &m, (lt_time){NOW});
}

static void propose_exception(const char *rule, int64_t days)
{
    static struct lt_buf text;
    lt_buf_done(&text);
    lt_buf_init(&text, 1024);
    ca_parameters_lint(lt_slice_cstr(rule), LT_LIT("tls-server"),
                       (lt_time){NOW + days * LT_SECONDS_PER_DAY * LT_US_PER_SECOND}, &text);
    propose("lint.exception", lt_arena_cstr(&arena, lt_buf_slice(&text)));
    lt_buf_done(&text);
    approve(0, 0);
    approve(1, 1);
}

static void exceptions(void **unused)
{
    (void)unused;
    propose_exception("br.serial", 10);
    assert_fails(except("br.serial", 11, 2), LT_POLICY_APPROVAL);
    assert_fails(except("br.san", 10, 2), LT_POLICY_APPROVAL);
    assert_fails(except("br.serial", 10, 1), LT_POLICY_APPROVAL);
    assert_ok(except("br.serial", 10, 2));
    propose_exception("br.long", 31);
    assert_fails(except("br.long", 31, 2), LT_POLICY_APPROVAL);
    propose_exception("br.past", 0);
    assert_fails(except("br.past", 0, 2), LT_POLICY_APPROVAL);
    propose_exception("two words", 1);
    assert_fails(except("two words", 1, 2), LT_PEER_MALFORMED);
    restart();
    lt_time then = lt_time_add_seconds((lt_time){NOW}, 10 * LT_SECONDS_PER_DAY);
    assert_true(ca_examiner_excepted(state, "br.serial", "tls-server", (lt_time){NOW}));
    assert_false(ca_examiner_excepted(state, "br.serial", "tls-server", then));
    assert_false(ca_examiner_excepted(state, "br.serial", "tls-server-short", (lt_time){NOW}));
    assert_false(ca_examiner_excepted(state, "br.san", "tls-server", (lt_time){NOW}));
}

/* ---- files ---- */

static void a_file_that_does_not_read_stops_it(void **unused)
{
    (void)unused;
    static const struct {
        const char *file;
        const char *text;
    } bad[] = {
        {"halts", "nonsense\n"},
        {"halts", "halt h1 profile one 5 paul\n"},
        {"halts", "halt h1 nothing one 5 paul why\n"},
        {"halts", "halt h1 profile one soon paul why\n"},
        {"halts", "lifted h1\n"},
        {"exceptions", "1 two three\n"},
        {"exceptions", "soon rule profile plan\n"},
        {"used", "1\n"},
        {"used", "soon p1\n"},
        {"blocked", "00 too short\n"},
        {"blocked", "zz00000000000000000000000000000000000000000000000000000000000000 no hex\n"},
    };
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        struct ca_examiner_state *s = NULL;
        forget_files();
        assert_ok(lt_file_replace(folder_fd, bad[i].file, 0600, lt_slice_cstr(bad[i].text)));
        lt_res r = ca_examiner_state_open(folder_fd, &s);
        if (r.code != LT_STATE_CORRUPT) {
            fail_msg("row %zu was read", i);
        }
    }
}

#define EACH(test_) cmocka_unit_test_setup_teardown(test_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(halts_stay),
        EACH(a_list_ages),
        EACH(a_halt_that_is_none),
        EACH(a_halt_is_lifted_by_two),
        EACH(nothing_less_lifts_it),
        EACH(keys),
        EACH(approvals_are_for_once),
        EACH(a_plan_lasts_some_days),
        EACH(a_line_cut_off_by_a_power_failure),
        EACH(exceptions),
        EACH(a_file_that_does_not_read_stops_it),
    };
    return cmocka_run_group_tests_name("ca/examiner_state", tests, world_up, world_down);
}
