/* The whole of a validation against real sockets: good servers, and every bad one that we could think of. */
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "check.h"
#include "validate/validate.h"
#include "world.h"
#include "zone.h"

enum { CONNECT_MS = 300, TOTAL_MS = 700 };

#define AUTH(token_) token_ WORLD_TOKEN ".AAAABBBBCCCCDDDDEEEEFFFFGGGGHHHHIIIIJJJJKKK"
#define OK_BODY(token_) "HTTP/1.1 200 OK\r\n\r\n" AUTH(token_)
#define TO(status_, where_) "HTTP/1.1 " status_ " Go\r\nLocation: " where_ "\r\nContent-Length: 0\r\n\r\n"

static const struct world_name names[] = {
    {"both.example.com", "127.0.0.1", "::1", 0, false},
    {"fallback.example.com", "127.0.0.1", "100::1", 0, false},
    {"none.example.com", NULL, NULL, 0, false},
    {"gone.example.com", NULL, NULL, 3, false},
    {"fail.example.com", NULL, NULL, 2, false},
    {"refused.example.com", NULL, NULL, 5, false},
    {"silent.example.com", NULL, NULL, 0, true},
    {"private.example.com", "10.1.2.3", NULL, 0, false},
    {"loopback6.example.com", NULL, "::1", 0, false},
    {"example.com", "127.0.0.1", NULL, 0, false},
};

static const struct world_page pages[] = {
    {"plain", OK_BODY("plain"), WORLD_SEND_CLOSE},
    {"newline", OK_BODY("newline") "\r\n \t\n", WORLD_SEND_CLOSE},
    {"length", "HTTP/1.1 200 OK\r\nContent-Length: 73\r\n\r\n" AUTH("length"), WORLD_SEND_STAY},
    {"chunked",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1f\r\nchunked" WORLD_TOKEN ".\r\n2b;a=b\r\n"
     "AAAABBBBCCCCDDDDEEEEFFFFGGGGHHHHIIIIJJJJKKK\r\n0\r\n\r\n",
     WORLD_SEND_STAY},
    {"old", "HTTP/1.0 200 OK\r\nServer: old\r\n\r\n" AUTH("old"), WORLD_SEND_CLOSE},
    {"created", "HTTP/1.1 201 Created\r\n\r\n" AUTH("created"), WORLD_SEND_CLOSE},
    {"hints", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" OK_BODY("hints"), WORLD_SEND_CLOSE},

    {"relative", TO("302", "plain2"), WORLD_SEND_CLOSE},
    {"plain2", OK_BODY("relative"), WORLD_SEND_CLOSE},
    {"absolute", TO("301", "http://other.example.com:{http}/x/../y/target"), WORLD_SEND_CLOSE},
    {"target", OK_BODY("absolute"), WORLD_SEND_CLOSE},
    {"tls", TO("308", "https://secure.example.com:{tls}/t/tls2"), WORLD_SEND_CLOSE},
    {"tls2", OK_BODY("tls"), WORLD_SEND_CLOSE},
    {"r307", TO("307", "//both.example.com:{http}/r307b"), WORLD_SEND_CLOSE},
    {"r307b", OK_BODY("r307"), WORLD_SEND_CLOSE},

    {"circle", TO("302", "/circle"), WORLD_SEND_CLOSE},
    {"ping", TO("302", "/pong"), WORLD_SEND_CLOSE},
    {"pong", TO("302", "/ping"), WORLD_SEND_CLOSE},
    {"many", TO("302", "x/many"), WORLD_SEND_CLOSE},
    {"see", TO("303", "/plain"), WORLD_SEND_CLOSE},
    {"choices", TO("300", "/plain"), WORLD_SEND_CLOSE},
    {"ftp", TO("302", "ftp://example.com/plain"), WORLD_SEND_CLOSE},
    {"file", TO("302", "file:///etc/passwd"), WORLD_SEND_CLOSE},
    {"port", TO("302", "http://example.com:22/plain"), WORLD_SEND_CLOSE},
    {"user", TO("302", "http://a:b@example.com/plain"), WORLD_SEND_CLOSE},
    {"togone", TO("302", "http://gone.example.com:{http}/plain"), WORLD_SEND_CLOSE},
    {"nowhere", "HTTP/1.1 302 Go\r\nContent-Length: 0\r\n\r\n", WORLD_SEND_CLOSE},
    {"notls", TO("302", "https://example.com:{http}/plain"), WORLD_SEND_CLOSE},

    {"wrong", "HTTP/1.1 200 OK\r\n\r\nsomething else", WORLD_SEND_CLOSE},
    {"prefix", OK_BODY("prefix") "X", WORLD_SEND_CLOSE},
    {"leading", "HTTP/1.1 200 OK\r\n\r\n " AUTH("leading"), WORLD_SEND_CLOSE},
    {"empty", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", WORLD_SEND_CLOSE},
    {"nocontent", "HTTP/1.1 204 No\r\n\r\n", WORLD_SEND_CLOSE},
    {"error", "HTTP/1.1 500 Oh\r\n\r\n" AUTH("error"), WORLD_SEND_CLOSE},
    {"huge", "HTTP/1.1 200 OK\r\n\r\n" AUTH("huge"), WORLD_HUGE},
    {"hugespace", "HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n" AUTH("hugespace"), WORLD_HUGE},
    {"hugehead", "HTTP/1.1 200 OK\r\nX: ", WORLD_HUGE},
    {"garbage", "\x16\x03\x01 no http at all\r\n\r\n", WORLD_SEND_CLOSE},
    {"control", "HTTP/1.1 200 OK\r\nX: a\x01z\r\n\r\n" AUTH("control"), WORLD_SEND_CLOSE},
    {"barelf", "HTTP/1.1 200 OK\n\n" AUTH("barelf"), WORLD_SEND_CLOSE},
    {"both", "HTTP/1.1 200 OK\r\nContent-Length: 48\r\nTransfer-Encoding: chunked\r\n\r\n", WORLD_SEND_CLOSE},
    {"twice", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", WORLD_SEND_CLOSE},
    {"short", "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" AUTH("short"), WORLD_SEND_CLOSE},
    {"cut", "HTTP/1.1 200 OK\r\nX: y", WORLD_SEND_CLOSE},
    {"closed", "", WORLD_SEND_CLOSE},
    {"reset", "", WORLD_RESET},
    {"slow", OK_BODY("slow"), WORLD_DRIP},
    {"mute", "", WORLD_SILENT},
    {"stay", OK_BODY("stay"), WORLD_SEND_STAY},
};

struct scene {
    const char *name;
    const char *token;
    const char *problem; /* NULL: valid */
    const char *words;   /* in its detail */
    uint32_t status;
    unsigned redirects;
};

static const struct scene scenes[] = {
    {"a.example.com", "plain", NULL, NULL, 200, 0},
    {"a.example.com", "newline", NULL, NULL, 200, 0},
    {"a.example.com", "length", NULL, NULL, 200, 0},
    {"a.example.com", "chunked", NULL, NULL, 200, 0},
    {"a.example.com", "old", NULL, NULL, 200, 0},
    {"a.example.com", "created", NULL, NULL, 201, 0},
    {"a.example.com", "hints", NULL, NULL, 200, 0},
    {"both.example.com", "plain", NULL, NULL, 200, 0},
    {"fallback.example.com", "plain", NULL, NULL, 200, 0},
    {"a.example.com", "relative", NULL, NULL, 200, 1},
    {"a.example.com", "absolute", NULL, NULL, 200, 1},
    {"a.example.com", "tls", NULL, NULL, 200, 1},
    {"a.example.com", "r307", NULL, NULL, 200, 1},

    {"none.example.com", "plain", "dns", "neither an AAAA nor an A", 0, 0},
    {"gone.example.com", "plain", "dns", "does not exist", 0, 0},
    {"fail.example.com", "plain", "dns", "failed", 0, 0},
    {"refused.example.com", "plain", "dns", "failed", 0, 0},
    {"a.example.com", "circle", "connection", "circle", 302, 2},
    {"a.example.com", "ping", "connection", "circle", 302, 3},
    {"a.example.com", "many", "connection", "that is enough", 302, 11},
    {"a.example.com", "see", "unauthorized", "answered 303", 303, 0},
    {"a.example.com", "choices", "unauthorized", "answered 300", 300, 0},
    {"a.example.com", "ftp", "connection", "neither http nor https", 302, 1},
    {"a.example.com", "file", "connection", "neither http nor https", 302, 1},
    {"a.example.com", "port", "connection", "port 22", 302, 1},
    {"a.example.com", "user", "connection", "user name", 302, 1},
    {"a.example.com", "togone", "dns", "does not exist", 302, 1},
    {"a.example.com", "nowhere", "connection", "without saying where", 302, 1},
    {"a.example.com", "notls", "tls", "TLS with", 302, 1},
    {"a.example.com", "missing", "unauthorized", "answered 404", 404, 0},
    {"a.example.com", "wrong", "incorrectResponse", "something else", 200, 0},
    {"a.example.com", "prefix", "incorrectResponse", "key authorization", 200, 0},
    {"a.example.com", "leading", "incorrectResponse", "key authorization", 200, 0},
    {"a.example.com", "empty", "incorrectResponse", "answered \"\"", 200, 0},
    {"a.example.com", "nocontent", "incorrectResponse", "answered \"\"", 204, 0},
    {"a.example.com", "error", "unauthorized", "answered 500", 500, 0},
    {"a.example.com", "huge", "incorrectResponse", "key authorization", 200, 0},
    {"a.example.com", "hugespace", "incorrectResponse", "key authorization", 200, 0},
    {"a.example.com", "hugehead", "connection", "line over 8 KiB", 0, 0},
    {"a.example.com", "garbage", "connection", "no HTTP/1.1", 0, 0},
    {"a.example.com", "control", "connection", "control character", 0, 0},
    {"a.example.com", "barelf", "connection", "line feed", 0, 0},
    {"a.example.com", "both", "connection", "together", 0, 0},
    {"a.example.com", "twice", "connection", "doubled", 0, 0},
    {"a.example.com", "short", "connection", "closed inside the body", 0, 0},
    {"a.example.com", "cut", "connection", "closed inside the head", 0, 0},
    {"a.example.com", "reset", "connection", "reset", 0, 0},
    {"a.example.com", "slow", "connection", "no complete answer", 0, 0},
    {"a.example.com", "mute", "connection", "no complete answer", 0, 0},
    {"a.example.com", "stay", "connection", "no complete answer", 0, 0},
};

struct outcome {
    unsigned count;
    bool ok;
    char type[64];
    char detail[1024];
    char address[64];
    char dnssec[16];
    uint32_t status;
    size_t redirects;
    size_t addresses;
    size_t hash_len;
    int64_t took_us;
    uint64_t id;
    unsigned valid;
    uint8_t nonce[4];
};

struct rig {
    struct event_base *base;
    struct world *world;
    struct validate_engine *engine;
    struct outcome last;
    char resolver[64];
};

static void note(void *self, uint64_t id, const Ipc__Validated *v)
{
    struct outcome *o = &((struct rig *)self)->last;
    unsigned count = o->count + 1;
    unsigned valid = o->valid + (v->ok ? 1 : 0);
    *o = (struct outcome){.count = count, .valid = valid, .id = id, .ok = v->ok, .status = v->http_status};
    o->redirects = v->n_redirects;
    o->addresses = v->n_addresses;
    o->hash_len = v->answer_sha256.len;
    o->took_us = v->finished_us - v->started_us;
    (void)snprintf(o->type, sizeof o->type, "%s", v->problem == NULL ? "" : v->problem->type);
    (void)snprintf(o->detail, sizeof o->detail, "%s", v->problem == NULL ? "" : v->problem->detail);
    (void)snprintf(o->address, sizeof o->address, "%s", v->address_used);
    (void)snprintf(o->dnssec, sizeof o->dnssec, "%s", v->dnssec);
    assert_int_equal(v->nonce.len, 4);
    memcpy(o->nonce, v->nonce.data, 4);
    assert_string_equal(v->ruleset, "BR 2.2.6 3.2.2.4.19");
    assert_string_equal(v->perspective, "primary");
    assert_string_equal(v->method, "http-01");
}

static struct validate_options options_of(struct rig *r)
{
    (void)snprintf(r->resolver, sizeof r->resolver, "127.0.0.1@%u", world_dns_port(r->world));
    return (struct validate_options){
        .resolver = r->resolver,
        .trust_anchor = "",
        .http_port = world_http_port(r->world),
        .https_port = world_tls_port(r->world),
        .allow_private = true,
        .connect_timeout_ms = CONNECT_MS,
        .total_timeout_ms = TOTAL_MS,
        .now = lt_now,
        .build = "test",
        .perspective = "primary",
    };
}

static void set_up(struct rig *r)
{
    memset(r, 0, sizeof *r);
    r->base = event_base_new();
    assert_non_null(r->base);
    r->world = world_new(r->base, names, LT_COUNT(names), pages, LT_COUNT(pages));
}

static void with_engine(struct rig *r, const struct validate_options *o)
{
    assert_ok(validate_engine_new(r->base, o, note, r, &r->engine));
}

static void tear_down(struct rig *r)
{
    validate_engine_free(r->engine);
    world_free(r->world);
    event_base_free(r->base);
}

static void ask(struct rig *r, uint64_t id, char *name, char *token)
{
    static uint8_t nonce[4] = {1, 2, 3, 4};
    char authorization[128];
    char whole[64];
    static char dns[] = "dns";
    static char method[] = "http-01";
    Ipc__Identifier identifier = IPC__IDENTIFIER__INIT;
    Ipc__Validate v = IPC__VALIDATE__INIT;
    (void)snprintf(whole, sizeof whole, "%s" WORLD_TOKEN, token);
    (void)snprintf(authorization, sizeof authorization, "%s.AAAABBBBCCCCDDDDEEEEFFFFGGGGHHHHIIIIJJJJKKK",
                   whole);
    identifier.type = dns;
    identifier.value = name;
    v.authorization_id = (int64_t)id;
    v.nonce = (ProtobufCBinaryData){sizeof nonce, nonce};
    v.identifier = &identifier;
    v.method = method;
    v.token = whole;
    v.key_authorization = authorization;
    assert_ok(validate_start(r->engine, id, &v));
}

static void wait_for(struct rig *r, unsigned count)
{
    while (r->last.count < count) {
        assert_int_equal(event_base_loop(r->base, EVLOOP_ONCE), 0);
    }
}

static void run(struct rig *r, const char *name, const char *token)
{
    char name_copy[128];
    char token_copy[64];
    (void)snprintf(name_copy, sizeof name_copy, "%s", name);
    (void)snprintf(token_copy, sizeof token_copy, "%s", token);
    unsigned before = r->last.count;
    ask(r, before + 100, name_copy, token_copy);
    wait_for(r, before + 1);
    assert_int_equal(r->last.id, before + 100);
    assert_memory_equal(r->last.nonce, "\1\2\3\4", 4);
}

static void test_scenes(void **state)
{
    struct rig r;
    (void)state;
    set_up(&r);
    struct validate_options o = options_of(&r);
    with_engine(&r, &o);
    for (size_t i = 0; i < LT_COUNT(scenes); i++) {
        const struct scene *s = &scenes[i];
        run(&r, s->name, s->token);
        const char *type = s->problem == NULL ? "" : s->problem;
        if (strcmp(r.last.type, type) != 0 || (s->words != NULL && strstr(r.last.detail, s->words) == NULL) ||
            r.last.status != s->status || r.last.redirects != s->redirects) {
            print_error("%s %s: %s \"%s\" status %u redirects %zu\n", s->name, s->token, r.last.type,
                        r.last.detail, r.last.status, r.last.redirects);
        }
        assert_string_equal(r.last.type, type);
        assert_int_equal(r.last.ok, s->problem == NULL);
        assert_true(s->words == NULL || strstr(r.last.detail, s->words) != NULL);
        assert_int_equal(r.last.status, s->status);
        assert_int_equal(r.last.redirects, s->redirects);
        if (r.last.ok) {
            assert_string_equal(r.last.dnssec, "insecure");
            assert_int_equal(r.last.hash_len, 32);
            assert_true(r.last.addresses >= 1);
        }
        assert_true(r.last.took_us >= 0 && r.last.took_us < (TOTAL_MS + 5000) * 1000);
    }
    assert_int_equal(validate_running(r.engine), 0);
    tear_down(&r);
}

static void test_addresses(void **state)
{
    struct rig r;
    (void)state;
    set_up(&r);
    struct validate_options o = options_of(&r);
    with_engine(&r, &o);
    run(&r, "both.example.com", "plain");
    assert_string_equal(r.last.address, "::1");
    assert_true(world_seen(r.world)->last_was_v6);
    assert_int_equal(r.last.addresses, 2);
    run(&r, "fallback.example.com", "plain");
    assert_string_equal(r.last.address, "127.0.0.1");
    assert_non_null(strstr(world_seen(r.world)->last_request, "User-Agent: Lintel/test"));
    assert_non_null(strstr(world_seen(r.world)->last_request, "Host: fallback.example.com:"));
    run(&r, "a.example.com", "tls");
    assert_true(world_seen(r.world)->last_was_tls);
    tear_down(&r);
}

static void test_private(void **state)
{
    static const char *const refused[] = {"private.example.com", "loopback6.example.com", "a.example.com"};
    struct rig r;
    (void)state;
    set_up(&r);
    struct validate_options o = options_of(&r);
    o.allow_private = false;
    with_engine(&r, &o);
    for (size_t i = 0; i < LT_COUNT(refused); i++) {
        run(&r, refused[i], "plain");
        assert_string_equal(r.last.type, "dns");
        assert_non_null(strstr(r.last.detail, "no public address"));
    }
    assert_int_equal(world_seen(r.world)->requests, 0);
    tear_down(&r);
}

static void test_closed_port(void **state)
{
    struct rig r;
    (void)state;
    set_up(&r);
    struct validate_options o = options_of(&r);
    o.http_port = world_dns_port(r.world); /* nobody listens there for TCP */
    with_engine(&r, &o);
    run(&r, "both.example.com", "plain");
    assert_string_equal(r.last.type, "connection");
    assert_non_null(strstr(r.last.detail, "refused"));
    tear_down(&r);
}

static void test_silent_dns(void **state)
{
    struct rig r;
    (void)state;
    set_up(&r);
    struct validate_options o = options_of(&r);
    with_engine(&r, &o);
    run(&r, "silent.example.com", "plain");
    assert_string_equal(r.last.type, "dns");
    assert_non_null(strstr(r.last.detail, "no answer within"));
    tear_down(&r);
}

/* An anchor for example.com, and a zone that has no signatures: the answers are bogus. */
static void test_bogus(void **state)
{
    struct rig r;
    (void)state;
    set_up(&r);
    static const char anchor[] = "example.com. IN DS 12345 13 2 "
                                 "00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF\n";
    struct validate_options o = options_of(&r);
    o.trust_anchor = anchor;
    with_engine(&r, &o);
    run(&r, "a.example.com", "plain");
    assert_string_equal(r.last.type, "dns");
    assert_string_equal(r.last.dnssec, "bogus");
    assert_non_null(strstr(r.last.detail, "bogus"));
    assert_int_equal(world_seen(r.world)->requests, 0);
    tear_down(&r);
}

/* A zone that is signed, its anchor, and then the same zone with one address bent on the way. */
static void test_secure(void **state)
{
    static const bool bent[] = {false, true};
    struct zone *z = zone_new("signed.example.com");
    char anchor[256];
    (void)state;
    zone_anchor(z, anchor, sizeof anchor);
    for (size_t i = 0; i < LT_COUNT(bent); i++) {
        struct rig r;
        set_up(&r);
        world_use_zone(r.world, z, bent[i]);
        struct validate_options o = options_of(&r);
        o.trust_anchor = anchor;
        with_engine(&r, &o);
        run(&r, "signed.example.com", "plain");
        assert_string_equal(r.last.dnssec, bent[i] ? "bogus" : "secure");
        assert_int_equal(r.last.ok, !bent[i]);
        /* a redirect to an unsigned name: the worst of the two is what is said */
        if (!bent[i]) {
            run(&r, "signed.example.com", "absolute");
            assert_true(r.last.ok);
            assert_string_equal(r.last.dnssec, "insecure");
        }
        tear_down(&r);
    }
    zone_free(z);
}

static int64_t cpu_us(void)
{
    struct rusage u;
    assert_int_equal(getrusage(RUSAGE_SELF, &u), 0);
    return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * INT64_C(1000000) + u.ru_utime.tv_usec +
           u.ru_stime.tv_usec;
}

/* More than may run at once: the rest waits its turn, and all are answered. */
static void test_many(void **state)
{
    enum { MANY = 2000 };
    struct rig r;
    (void)state;
    set_up(&r);
    struct validate_options o = options_of(&r);
    o.max_running = 100;
    o.total_timeout_ms = 20000;
    o.connect_timeout_ms = 10000;
    with_engine(&r, &o);
    int64_t before = cpu_us();
    for (unsigned i = 0; i < MANY; i++) {
        char name[64];
        char token[] = "plain";
        (void)snprintf(name, sizeof name, "n%u.example.com", i);
        ask(&r, i, name, token);
    }
    assert_int_equal(validate_running(r.engine), MANY);
    wait_for(&r, MANY);
    assert_int_equal(r.last.valid, MANY);
    print_message("%d validations, servers included: %lld us of CPU each\n", MANY,
                  (long long)((cpu_us() - before) / MANY));
    tear_down(&r);
}

/* The queue has an end, and an engine that goes takes everything with it. */
static void test_full(void **state)
{
    struct rig r;
    char name[] = "a.example.com";
    char token[] = "mute";
    Ipc__Identifier identifier = IPC__IDENTIFIER__INIT;
    Ipc__Validate v = IPC__VALIDATE__INIT;
    (void)state;
    set_up(&r);
    struct validate_options o = options_of(&r);
    o.max_running = 2;
    o.max_waiting = 2;
    with_engine(&r, &o);
    for (uint64_t i = 0; i < 4; i++) {
        ask(&r, i, name, token);
    }
    identifier.value = name;
    v.identifier = &identifier;
    assert_fails(validate_start(r.engine, 5, &v), LT_RETRY_BUSY);
    v.identifier = NULL;
    assert_fails(validate_start(r.engine, 5, &v), LT_PEER_MALFORMED);
    (void)event_base_loop(r.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    assert_int_equal(validate_running(r.engine), 4);
    tear_down(&r);
}

static void test_unknown_method(void **state)
{
    struct rig r;
    char name[] = "a.example.com";
    char method[] = "http-01";
    char dns[] = "dns";
    static uint8_t nonce[4];
    Ipc__Identifier identifier = IPC__IDENTIFIER__INIT;
    Ipc__Validate v = IPC__VALIDATE__INIT;
    (void)state;
    set_up(&r);
    struct validate_options o = options_of(&r);
    with_engine(&r, &o);
    identifier.type = dns;
    identifier.value = name;
    v.identifier = &identifier;
    v.nonce = (ProtobufCBinaryData){sizeof nonce, nonce};
    v.method = method;
    char bad_token[] = "a b";
    v.token = bad_token;
    assert_ok(validate_start(r.engine, 1, &v));
    wait_for(&r, 1);
    assert_string_equal(r.last.type, "serverInternal");
    assert_non_null(strstr(r.last.detail, "its token is none"));
    tear_down(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scenes),     cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_private),    cmocka_unit_test(test_closed_port),
        cmocka_unit_test(test_silent_dns), cmocka_unit_test(test_bogus),
        cmocka_unit_test(test_secure),     cmocka_unit_test(test_many),
        cmocka_unit_test(test_full),       cmocka_unit_test(test_unknown_method),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
