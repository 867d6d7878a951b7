/* Workers: one for an account, replaced afterwards; one that dies takes its own account's questions with it
 * and nobody else's. Everything runs as in the validator, in its walls too. */
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "check.h"
#include "crypto/digest.h"
#include "role/profiles.h"
#include "validate/pool.h"
#include "validate/pulse.h"
#include "world.h"

#define KEY "AAAABBBBCCCCDDDDEEEEFFFFGGGGHHHHIIIIJJJJKKK"

static const struct world_name names[] = {
    {"silent.example.com", NULL, NULL, 0, true},
    {"broken.example.com", NULL, NULL, 2, false}, /* SERVFAIL */
    {"example.com", "127.0.0.1", NULL, 0, false},
};

static const struct world_page pages[] = {
    {"plain", "HTTP/1.1 200 OK\r\n\r\nplain" WORLD_TOKEN "." KEY, WORLD_SEND_CLOSE},
    {"poison", "HTTP/1.1 200 OK\r\n\r\npoison" WORLD_TOKEN "." KEY, WORLD_SEND_CLOSE},
};

struct rig {
    struct event_base *base;
    struct world *world;
    struct validate_pool *pool;
    char resolver[64];
    unsigned answers;
    unsigned valid;
    unsigned internal;
    bool last_ok;
    char last_detail[512];
    uint64_t ids;     /* bits of those that were answered */
    uint64_t ids_bad; /* with serverInternal */
};

static void note(void *self, uint64_t id, const Ipc__Validated *v)
{
    struct rig *r = self;
    r->answers++;
    r->valid += v->ok ? 1 : 0;
    r->last_ok = v->ok;
    assert_int_equal(v->authorization_id, (int64_t)id);
    assert_string_equal(v->perspective, "primary");
    assert_string_equal(v->build, "test");
    r->ids |= UINT64_C(1) << (id % 64);
    if (v->problem != NULL) {
        bool internal = strcmp(v->problem->type, "serverInternal") == 0;
        r->internal += internal ? 1 : 0;
        r->ids_bad |= internal ? UINT64_C(1) << (id % 64) : 0;
        (void)snprintf(r->last_detail, sizeof r->last_detail, "%s", v->problem->detail);
    }
}

/* What a parser with a hole would do. */
static void poisoned(const Ipc__Validate *q)
{
    if (strcmp(q->token, "poison" WORLD_TOKEN) == 0) {
        abort();
    }
    if (strcmp(q->token, "exit" WORLD_TOKEN) == 0) {
        _exit(0);
    }
}

static void (*in_worker)(const Ipc__Validate *question) = poisoned;

static bool dead_resolver;

static void new_pool(struct rig *r, size_t max_workers)
{
    (void)snprintf(r->resolver, sizeof r->resolver, "127.0.0.1@%u",
                   dead_resolver ? 1 : world_dns_port(r->world));
    const struct validate_pool_options o = {
        .engine = {.resolver = r->resolver,
                   .trust_anchor = "",
                   .http_port = world_http_port(r->world),
                   .https_port = world_tls_port(r->world),
                   .allow_private = true,
                   .connect_timeout_ms = 1000,
                   .total_timeout_ms = 5000,
                   .now = lt_now,
                   .build = "test",
                   .perspective = "primary"},
        .max_workers = max_workers,
        .linger_ms = 50,
        .in_worker = in_worker,
    };
    assert_ok(validate_pool_new(r->base, &o, note, r, &r->pool));
}

static void new_world(struct rig *r)
{
    memset(r, 0, sizeof *r);
    r->base = event_base_new();
    assert_non_null(r->base);
    r->world = world_new(r->base, names, LT_COUNT(names), pages, LT_COUNT(pages));
}

static void set_up(struct rig *r, size_t max_workers)
{
    new_world(r);
    new_pool(r, max_workers);
}

static void tear_down(struct rig *r)
{
    validate_pool_free(r->pool);
    world_free(r->world);
    event_base_free(r->base);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
}

/* Of whom it is asked, and what. */
struct asked {
    int64_t account;
    const char *name;
    const char *token;
    const char *method;
};

static void ask_for(struct rig *r, uint64_t id, struct asked asked)
{
    static uint8_t nonce[4] = {1, 2, 3, 4};
    char authorization[128];
    char token_copy[64];
    char name[32];
    char dns[] = "dns";
    char method_copy[32];
    Ipc__Identifier identifier = IPC__IDENTIFIER__INIT;
    Ipc__Validate v = IPC__VALIDATE__INIT;
    (void)snprintf(method_copy, sizeof method_copy, "%s", asked.method);
    (void)snprintf(name, sizeof name, "%s", asked.name);
    (void)snprintf(token_copy, sizeof token_copy, "%s" WORLD_TOKEN, asked.token);
    (void)snprintf(authorization, sizeof authorization, "%s." KEY, token_copy);
    identifier.type = dns;
    identifier.value = name;
    v.authorization_id = (int64_t)id;
    v.nonce = (ProtobufCBinaryData){sizeof nonce, nonce};
    v.identifier = &identifier;
    v.method = method_copy;
    v.token = token_copy;
    v.key_authorization = authorization;
    v.account_id = asked.account;
    assert_ok(validate_pool_start(r->pool, id, &v));
}

static void ask_by(struct rig *r, uint64_t id, int64_t account, const char *token, const char *method)
{
    ask_for(r, id, (struct asked){account, "a.example.com", token, method});
}

static void ask(struct rig *r, uint64_t id, int64_t account, const char *token)
{
    ask_by(r, id, account, token, "http-01");
}

static void wait_for(struct rig *r, unsigned count)
{
    while (r->answers < count) {
        assert_int_equal(event_base_loop(r->base, EVLOOP_ONCE), 0);
    }
}

static void test_one(void **state)
{
    struct rig r;
    (void)state;
    set_up(&r, 0);
    ask(&r, 1, 7, "plain");
    wait_for(&r, 1);
    assert_true(r.last_ok);
    ask(&r, 2, 7, "plain"); /* the same worker, if it is still there */
    wait_for(&r, 2);
    assert_int_equal(r.valid, 2);
    assert_int_equal(validate_pool_running(r.pool), 0);
    while (validate_pool_workers(r.pool) > 2) { /* the account's is replaced: the spares stay */
        assert_int_equal(event_base_loop(r.base, EVLOOP_ONCE), 0);
    }
    tear_down(&r);
}

/* Questions about one silent name, and then many more, are one account's trouble. */
static void test_one_account_keeps_nobody_waiting(void **state)
{
    static const char *const methods[] = {"dns-01", "dns-01", "http-01", "dns-01", "tls-alpn-01", "dns-01"};
    struct rig r;
    (void)state;
    set_up(&r, 4);
    for (uint64_t id = 0; id < LT_COUNT(methods); id++) {
        ask_for(&r, id, (struct asked){7, "silent.example.com", "plain", methods[id]});
    }
    for (uint64_t id = 8; id < 8 + 200; id++) { /* past what is looked ahead */
        ask_for(&r, id, (struct asked){7, "silent.example.com", "plain", "dns-01"});
    }
    int64_t from = lt_monotonic_ms();
    for (uint64_t id = 208; id < 211; id++) {
        ask(&r, id, (int64_t)id, "plain");
    }
    wait_for(&r, 3);
    assert_int_equal(r.valid, 3);
    assert_true(lt_monotonic_ms() - from < 3000); /* a silent one lasts five seconds */
    tear_down(&r);
}

/* Four and no more, where there are many; those that have nothing to do make room for fresh ones. */
static void test_four_of_an_account(void **state)
{
    struct rig r;
    (void)state;
    set_up(&r, 0);
    for (uint64_t id = 0; id < 12; id++) {
        ask_for(&r, id, (struct asked){7, "silent.example.com", "plain", "dns-01"});
    }
    assert_true(validate_pool_workers(r.pool) <= 4 + 2); /* the spares */
    for (uint64_t id = 12; id < 24; id++) {
        ask_by(&r, id, 9, "plain", "dns-01");
    }
    wait_for(&r, 12);
    assert_int_equal(r.ids, 0xfff000);
    tear_down(&r);
}

static pid_t *served_by; /* shared with the workers: by the number in the token */

static void note_worker(const Ipc__Validate *q)
{
    served_by[q->authorization_id] = getpid();
}

/* The record that "*.a.example.com" was proved by is not the one that proves "a.example.com": a resolver that
 * has seen the one is not asked for the other. */
static void test_no_proof_from_a_cache(void **state)
{
    struct rig r;
    (void)state;
    served_by = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(served_by != MAP_FAILED);
    in_worker = note_worker;
    set_up(&r, 0);
    in_worker = poisoned;
    for (uint64_t id = 0; id < 6; id++) {
        ask_by(&r, id, 7, "plain", "dns-01");
        if (id % 2 == 0) { /* answered, or on its way */
            wait_for(&r, (unsigned)id + 1);
        }
    }
    wait_for(&r, 6);
    assert_int_equal(r.internal, 0);
    for (size_t i = 0; i < 6; i++) {
        for (size_t j = 0; j < i; j++) {
            assert_int_not_equal(served_by[i], served_by[j]);
        }
    }
    tear_down(&r);
    assert_int_equal(munmap(served_by, 4096), 0);
}

/* And an order of many names, each with its wildcard, takes two workers, not one for each pair. */
static void test_pairs(void **state)
{
    enum { NAMES = 20 };
    struct rig r;
    char name[32];
    (void)state;
    served_by = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(served_by != MAP_FAILED);
    in_worker = note_worker;
    set_up(&r, 0);
    in_worker = poisoned;
    for (uint64_t id = 0; id < 2 * NAMES; id++) {
        (void)snprintf(name, sizeof name, "n%u.example.com", (unsigned)id / 2);
        ask_for(&r, id, (struct asked){7, name, "plain", "dns-01"});
    }
    wait_for(&r, 2 * NAMES);
    for (size_t i = 0; i < 2 * NAMES; i++) {
        assert_true(served_by[i] == served_by[0] || served_by[i] == served_by[1]);
        assert_int_not_equal(served_by[i], served_by[i ^ 1]);
    }
    tear_down(&r);
    assert_int_equal(munmap(served_by, 4096), 0);
}

/* Who has mended the name servers and asks again does not meet the failure in a resolver's memory. */
static void test_no_failure_from_a_cache(void **state)
{
    struct rig r;
    (void)state;
    served_by = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(served_by != MAP_FAILED);
    in_worker = note_worker;
    set_up(&r, 0);
    in_worker = poisoned;
    static const char *const asked[] = {"a.example.com", "broken.example.com", "a.example.com",
                                        "a.example.com"};
    for (uint64_t id = 0; id < LT_COUNT(asked); id++) {
        ask_for(&r, id, (struct asked){7, asked[id], "plain", "http-01"});
        wait_for(&r, (unsigned)id + 1);
        assert_int_equal(r.last_ok, id != 1);
    }
    assert_int_equal(served_by[0], served_by[1]);
    assert_int_not_equal(served_by[1], served_by[2]);
    assert_int_equal(served_by[2], served_by[3]);
    tear_down(&r);
    assert_int_equal(munmap(served_by, 4096), 0);
}

static void until(struct rig *r, int ms)
{
    int64_t end = lt_monotonic_ms() + ms;
    while (lt_monotonic_ms() < end) {
        assert_true(event_base_loop(r->base, EVLOOP_ONCE) >= 0);
    }
}

/* Our own resolver is dead: the name is not to blame. And it is while the resolver lives, whatever it says.
 */
static void test_dead_resolver(void **state)
{
    struct rig r;
    (void)state;
    new_world(&r);
    dead_resolver = true;
    new_pool(&r, 0);
    ask_for(&r, 0, (struct asked){7, "a.example.com", "plain", "http-01"});
    wait_for(&r, 1);
    assert_int_equal(r.internal, 1);
    assert_non_null(strstr(r.last_detail, "own resolver"));
    assert_null(strstr(r.last_detail, "127.0.0.1"));
    assert_true(validate_pool_silent_ms(r.pool) > 2000);
    tear_down(&r);
    dead_resolver = false;

    set_up(&r, 0);
    until(&r, 300);
    ask_for(&r, 0, (struct asked){7, "silent.example.com", "plain", "http-01"});
    ask_for(&r, 1, (struct asked){8, "broken.example.com", "plain", "http-01"});
    wait_for(&r, 2);
    assert_int_equal(r.internal, 0);
    assert_int_equal(validate_pool_silent_ms(r.pool), 0);
    tear_down(&r);
}

static void test_resolver_that_is_none(void **state)
{
    static const char *const rows[] = {"foo",         "127.0.0.1@", "127.0.0.1@0",   "127.0.0.1@70000",
                                       "127.0.0.1@x", "999.1.1.1",  "example.com@53"};
    struct event_base *base = event_base_new();
    (void)state;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct validate_pulse *p = NULL;
        assert_fails(validate_pulse_new(base, rows[i], &p), LT_PEER_USAGE);
        assert_null(p);
    }
    static const char *const good[] = {"", "127.0.0.1", "::1", "::1@53", "192.0.2.1@5353"};
    for (size_t i = 0; i < LT_COUNT(good); i++) {
        struct validate_pulse *p = NULL;
        assert_ok(validate_pulse_new(base, good[i], &p));
        validate_pulse_free(p);
    }
    event_base_free(base);
}

/* An account that has a worker is served, whoever stands before it and has none. */
static void test_nobody_stands_in_the_way(void **state)
{
    struct rig r;
    (void)state;
    set_up(&r, 1);
    ask_for(&r, 0, (struct asked){7, "silent.example.com", "plain", "http-01"});
    for (uint64_t id = 1; id < 8; id++) {
        ask(&r, id, 8 + (int64_t)id, "plain");
    }
    ask(&r, 8, 7, "plain");
    wait_for(&r, 1);
    assert_int_equal(r.ids, 1 << 8);
    assert_true(r.last_ok);
    wait_for(&r, 9); /* the silent one is over, and then it is their turn */
    assert_int_equal(r.ids, 0x1ff);
    assert_int_equal(r.valid, 8);
    tear_down(&r);
}

/* And where there is one worker only, the second question waits for the first to be answered. */
static void test_no_room_for_a_fresh_one(void **state)
{
    struct rig r;
    (void)state;
    set_up(&r, 1);
    for (uint64_t id = 0; id < 4; id++) {
        ask_by(&r, id, 7, "plain", "dns-01");
        assert_true(validate_pool_workers(r.pool) <= 1);
    }
    wait_for(&r, 4);
    assert_int_equal(r.ids, 0xf);
    assert_int_equal(r.internal, 0);
    tear_down(&r);
}

/* One account's poison ends the worker with all of that account's questions; the others hear nothing of it.
 */
static void crash(const char *token)
{
    struct rig r;
    set_up(&r, 0);
    for (uint64_t id = 0; id < 10; id++) {
        ask(&r, id, (int64_t)(id % 5), "plain");
    }
    ask(&r, 10, 3, token);
    ask(&r, 11, 3, "plain");
    wait_for(&r, 12);
    assert_int_equal(r.ids, 0xfff);
    assert_int_equal(r.ids_bad & (1 << 10), 1 << 10);
    assert_int_equal(r.ids_bad & ~UINT64_C(0xd08), 0); /* 3, 8, 10, 11 belong to account 3 */
    assert_int_equal(r.valid + r.internal, 12);
    assert_non_null(strstr(r.last_detail, "worker ended"));
    ask(&r, 12, 3, "plain"); /* asked again, it is served */
    wait_for(&r, 13);
    assert_true(r.last_ok);
    tear_down(&r);
}

static void test_crash(void **state)
{
    (void)state;
    crash("poison");
    crash("exit");
}

/* More accounts than workers: the rest waits, all are answered. */
static void test_many_accounts(void **state)
{
    struct rig r;
    (void)state;
    set_up(&r, 4);
    for (uint64_t id = 0; id < 60; id++) {
        ask(&r, id, (int64_t)(id / 2), "plain");
        assert_true(validate_pool_workers(r.pool) <= 4);
    }
    wait_for(&r, 60);
    assert_int_equal(r.valid, 60);
    tear_down(&r);
}

static int64_t cpu_us(void)
{
    struct rusage self;
    struct rusage children;
    assert_int_equal(getrusage(RUSAGE_SELF, &self), 0);
    assert_int_equal(getrusage(RUSAGE_CHILDREN, &children), 0);
    return (self.ru_utime.tv_sec + self.ru_stime.tv_sec + children.ru_utime.tv_sec +
            children.ru_stime.tv_sec) *
               INT64_C(1000000) +
           self.ru_utime.tv_usec + self.ru_stime.tv_usec + children.ru_utime.tv_usec +
           children.ru_stime.tv_usec;
}

/* The dearest case, a worker for each question, and the cheapest, one account's thousand. */
static void test_cost(void **state)
{
    enum { MANY = 1000, ACCOUNTS = 100 };
    struct rig r;
    (void)state;
    int64_t before = cpu_us();
    set_up(&r, 32);
    for (uint64_t id = 0; id < ACCOUNTS; id++) {
        ask(&r, id, (int64_t)id, "plain");
    }
    wait_for(&r, ACCOUNTS);
    assert_int_equal(r.valid, ACCOUNTS);
    tear_down(&r);
    print_message("a worker each, servers included: %lld us of CPU for a question\n",
                  (long long)((cpu_us() - before) / ACCOUNTS));
    before = cpu_us();
    set_up(&r, 32);
    for (uint64_t id = 0; id < MANY; id++) {
        ask(&r, id, 1, "plain");
    }
    wait_for(&r, MANY);
    assert_int_equal(r.valid, MANY);
    tear_down(&r);
    print_message("one worker, servers included: %lld us of CPU for a question\n",
                  (long long)((cpu_us() - before) / MANY));
}

static void test_refused(void **state)
{
    struct rig r;
    Ipc__Validate v = IPC__VALIDATE__INIT;
    (void)state;
    set_up(&r, 1);
    assert_fails(validate_pool_start(r.pool, 1, &v), LT_PEER_MALFORMED);
    Ipc__Identifier identifier = IPC__IDENTIFIER__INIT;
    char *huge = malloc(1024 * 1024);
    assert_non_null(huge);
    memset(huge, 'x', 1024 * 1024 - 1);
    huge[1024 * 1024 - 1] = '\0';
    v.identifier = &identifier;
    v.token = huge;
    assert_fails(validate_pool_start(r.pool, 1, &v), LT_PEER_TOO_LARGE);
    free(huge);
    ask(&r, 1, 1, "plain"); /* dropped without an answer */
    tear_down(&r);
    assert_int_equal(r.answers, 0);
}

/* In a child, as the walls do not open again; its world stays outside. */
static void behind_walls(struct rig *r)
{
    struct sandbox_state walls;
    r->base = event_base_new();
    new_pool(r, 0);
    if (lt_failed(sandbox_enter(&role_profiles[IPC_VALIDATOR], "/", &walls))) {
        _exit(2);
    }
    ask(r, 1, 1, "plain");
    ask(r, 2, 2, "poison");
    wait_for(r, 2);
    while (validate_pool_workers(r->pool) > 2) {
        (void)event_base_loop(r->base, EVLOOP_ONCE); /* the tick goes on */
    }
    bool fine = r->valid == 1 && r->internal == 1;
    validate_pool_free(r->pool);
    _exit(fine ? 0 : 1);
}

static void test_walls(void **state)
{
    struct rig r;
    int status = 0;
    (void)state;
    new_world(&r);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        behind_walls(&r);
    }
    while (waitpid(pid, &status, WNOHANG) == 0) {
        const struct timeval soon = {.tv_usec = 10000};
        assert_int_equal(event_base_loopexit(r.base, &soon), 0);
        assert_int_equal(event_base_dispatch(r.base), 0);
    }
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    tear_down(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one),
        cmocka_unit_test(test_one_account_keeps_nobody_waiting),
        cmocka_unit_test(test_four_of_an_account),
        cmocka_unit_test(test_no_proof_from_a_cache),
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_no_failure_from_a_cache),
        cmocka_unit_test(test_nobody_stands_in_the_way),
        cmocka_unit_test(test_dead_resolver),
        cmocka_unit_test(test_resolver_that_is_none),
        cmocka_unit_test(test_no_room_for_a_fresh_one),
        cmocka_unit_test(test_crash),
        cmocka_unit_test(test_many_accounts),
        cmocka_unit_test(test_cost),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_walls),
    };
    (void)signal(SIGPIPE, SIG_IGN); /* as in every role */
    crypto_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
