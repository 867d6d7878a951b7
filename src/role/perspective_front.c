/* The front of a perspective: POST /v1/validate with a packed ipc.Validate, answered with a packed
 * ipc.SignedStatement. It holds the key, so it reads two things only: HTTP from a courier whose key is
 * pinned, and the validator's answers, in which it believes nothing that the question says better: nonce,
 * name, method and perspective of what it signs are those that were asked. */
#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/digest.h"
#include "http/pinned.h"
#include "http/server.h"
#include "ipc/ipc.h"
#include "role/perspective.h"
#include "sandbox/sandbox.h"
#include "validate/perspective_settings.h"

enum {
    TICK_MS = 100,
    QUESTIONS_MAX = 4096,
    QUESTION_MAX = 16 * 1024,
    QUESTION_ARENA = 32 * 1024,
    ANSWER_ARENA = 512 * 1024,
    SETTINGS_ARENA = 256 * 1024,
    KEY_MAX = 4096,
    NONCE_MIN = 16,
    NONCE_MAX = 64,
    ANSWER_MS = 40000, /* the validator gives up before */
    MB = 1024 * 1024,
};

/* One that waits for the validator. */
struct question {
    struct http_exchange *x; /* NULL: free */
    uint64_t id;
    const Ipc__Validate *asked; /* in arena */
    uint8_t digest[CRYPTO_SHA256_LEN];
    int64_t since_ms;
    struct lt_arena arena; /* owned */
};

struct front {
    struct lt_arena arena; /* settings; owned */
    struct validate_perspective_settings settings;
    struct http_pins pins;
    struct crypto_key *key;     /* owned */
    struct event_base *base;    /* owned */
    struct http_server *server; /* owned */
    struct http_listener_info listener;
    struct ipc_link *validator; /* owned */
    struct event readable;
    struct event writable;
    struct event ticker;
    struct question *questions; /* owned; QUESTIONS_MAX */
    uint64_t next_id;
    bool failed;
};

static void stop(struct front *f, const char *what)
{
    lt_log_error(what);
    f->failed = true;
    (void)event_base_loopbreak(f->base); /* fails only without a base */
}

static void free_question(struct question *q)
{
    lt_arena_done(&q->arena);
    *q = (struct question){.x = NULL};
}

static struct question *take_question(struct front *f, struct http_exchange *x)
{
    for (size_t i = 0; i < QUESTIONS_MAX; i++) {
        struct question *q = &f->questions[i];
        if (q->x == NULL) {
            lt_arena_init(&q->arena, QUESTION_ARENA);
            q->x = x;
            q->id = f->next_id++;
            q->since_ms = lt_monotonic_ms();
            return q;
        }
    }
    return NULL;
}

static void refuse(struct http_exchange *x, unsigned status, const char *detail)
{
    http_exchange_problem(x, status, NULL, detail, status == 503 ? 1 : 0);
}

/* Is it a question that we may sign an answer to? */
static lt_res check_question(const struct front *f, const Ipc__Validate *v)
{
    LT_CHECK(strcmp(v->perspective, f->settings.self.name) == 0, LT_PEER_MALFORMED,
             "a question for perspective \"%.63s\"", v->perspective);
    LT_CHECK(v->nonce.len >= NONCE_MIN && v->nonce.len <= NONCE_MAX, LT_PEER_MALFORMED,
             "a nonce of %zu bytes", v->nonce.len);
    LT_CHECK(v->identifier != NULL && v->identifier->value[0] != 0 && v->method[0] != 0, LT_PEER_MALFORMED,
             "a question without name or method");
    return LT_OK;
}

static void flush(struct front *f)
{
    if (ipc_link_wants_write(f->validator)) {
        (void)event_add(&f->writable, NULL); /* fails only for want of memory; the tick tries again */
    }
}

static lt_res read_question(struct front *f, struct question *q, lt_slice body)
{
    const ProtobufCMessage *m;
    LT_CHECK(body.len <= QUESTION_MAX, LT_PEER_TOO_LARGE, "a question of %zu bytes", body.len);
    LT_TRY(ipc_unpack(IPC_VALIDATE, body, &q->arena, &m));
    q->asked = (const Ipc__Validate *)(const void *)m;
    crypto_sha256(body, q->digest);
    return check_question(f, q->asked);
}

static void on_request(void *self, struct http_exchange *x)
{
    struct front *f = self;
    const struct http_request *r = http_exchange_request(x);
    if (!lt_slice_eq_cstr(r->path, "/v1/validate")) {
        refuse(x, 404, "there is nothing at this path");
        return;
    }
    if (!lt_slice_eq_cstr(r->method, "POST")) {
        refuse(x, 405, "questions are posted");
        return;
    }
    struct question *q = take_question(f, x);
    if (q == NULL) {
        refuse(x, 503, "too many questions at once");
        return;
    }
    http_exchange_set_user(x, q);
    if (lt_failed(read_question(f, q, r->body))) {
        lt_log_error("a question is refused");
        refuse(x, 400, "this is no question for this perspective");
        return;
    }
    lt_res sent = ipc_link_send(f->validator, IPC_VALIDATE, q->id, &q->asked->base, NULL, 0);
    if (sent.code == LT_RETRY_BUSY) {
        refuse(x, 503, "too many questions at once");
    } else if (lt_failed(sent)) {
        stop(f, "the validator is gone");
    } else {
        flush(f);
    }
}

static void on_ended(void *self, struct http_exchange *x, const struct http_outcome *outcome)
{
    (void)self;
    (void)outcome;
    struct question *q = http_exchange_user(x);
    if (q != NULL) {
        free_question(q);
    }
}

/* What we sign is an answer to what was asked, or nothing. */
static lt_res check_answer(const struct question *q, const Ipc__Validated *v)
{
    const Ipc__Validate *asked = q->asked;
    LT_CHECK(
        lt_slice_eq(LT_SLICE(v->nonce.data, v->nonce.len), LT_SLICE(asked->nonce.data, asked->nonce.len)) &&
            v->identifier != NULL && strcmp(v->identifier->type, asked->identifier->type) == 0 &&
            strcmp(v->identifier->value, asked->identifier->value) == 0 &&
            strcmp(v->method, asked->method) == 0,
        LT_STATE_CORRUPT, "the validator answered another question");
    return LT_OK;
}

static lt_res sign_answer(struct front *f, struct question *q, const Ipc__Validated *seen, struct lt_arena *a,
                          lt_slice *ret_packed)
{
    Ipc__SignedStatement s;
    Ipc__Validated v = *seen;
    LT_TRY(check_answer(q, seen));
    v.perspective = (char *)(uintptr_t)f->settings.self.name; /* only read */
    v.question_sha256 = (ProtobufCBinaryData){sizeof q->digest, q->digest};
    LT_TRY(validate_statement_sign(f->key, &v, a, &s));
    return ipc_pack(&s.base, a, ret_packed);
}

static void answer(struct front *f, struct question *q, const Ipc__Validated *v)
{
    struct lt_arena a;
    lt_slice packed;
    lt_arena_init(&a, ANSWER_ARENA);
    if (lt_failed(sign_answer(f, q, v, &a, &packed))) {
        lt_log_error("nothing is signed");
        refuse(q->x, 500, "there is no answer that could be signed");
    } else {
        lt_log(LT_LOG_INFO, "statement signed", "name=%s method=%s outcome=%s ms=%lld", v->identifier->value,
               v->method,
               v->ok                ? "valid"
               : v->problem != NULL ? v->problem->type
                                    : "invalid",
               (long long)(lt_monotonic_ms() - q->since_ms));
        const struct http_answer reply = {
            .status = 200, .content_type = "application/protobuf", .body = packed};
        http_exchange_answer(q->x, &reply);
    }
    lt_arena_done(&a);
}

static void take_answer(struct front *f, const struct ipc_msg *m)
{
    for (size_t i = 0; i < QUESTIONS_MAX && m->type == IPC_VALIDATED; i++) {
        struct question *q = &f->questions[i];
        if (q->x != NULL && q->id == m->from.id) {
            answer(f, q, (const Ipc__Validated *)(const void *)m->body);
            return;
        }
    }
    /* Else the courier has gone meanwhile. */
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct front *f = arg;
    struct lt_arena a;
    lt_res r = LT_OK;
    lt_arena_init(&a, ANSWER_ARENA);
    while (!lt_failed(r)) {
        struct ipc_msg m;
        r = ipc_link_recv(f->validator, &a, &m);
        if (!lt_failed(r)) {
            take_answer(f, &m);
            ipc_msg_done(&m);
            lt_arena_reset(&a);
        }
    }
    lt_arena_done(&a);
    if (r.code != LT_RETRY_AGAIN) {
        stop(f, "the validator is gone"); /* we are started again with a new one */
    }
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct front *f = arg;
    if (lt_failed(ipc_link_flush(f->validator))) {
        stop(f, "the validator is gone");
        return;
    }
    flush(f);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct front *f = arg;
    int64_t now_ms = lt_monotonic_ms();
    http_server_tick(f->server, lt_now(), now_ms);
    for (size_t i = 0; i < QUESTIONS_MAX; i++) {
        if (f->questions[i].x != NULL && now_ms - f->questions[i].since_ms > ANSWER_MS) {
            refuse(f->questions[i].x, 504, "the validation did not end");
        }
    }
    flush(f);
}

static lt_res read_fd(struct lt_arena *a, int fd, size_t max, lt_slice *ret_bytes)
{
    uint8_t *bytes = lt_arena_alloc(a, max + 1);
    LT_ASSERT(bytes != NULL);
    size_t len = 0;
    ssize_t n;
    while ((n = read(fd, &bytes[len], max + 1 - len)) > 0) {
        len += (size_t)n;
    }
    LT_CHECK(n == 0 && len <= max, LT_STATE_IO, "descriptor %d: %s", fd,
             n < 0 ? strerror(errno) : "the file is too large");
    (void)close(fd); /* only read */
    *ret_bytes = LT_SLICE(bytes, len);
    return LT_OK;
}

static lt_res open_key(struct front *f)
{
    lt_slice pem;
    struct ssl_ctx_st *tls = NULL;
    LT_TRY(read_fd(&f->arena, PERSPECTIVE_KEY_FD, KEY_MAX, &pem));
    lt_res r = crypto_key_load(pem, (lt_slice){NULL, 0}, &f->key);
    if (!lt_failed(r)) {
        r = http_pinned_context(true, pem, &f->pins, &tls);
    }
    explicit_bzero((void *)(uintptr_t)pem.ptr, pem.len); /* our own copy */
    LT_TRY(r);
    LT_CHECK(crypto_key_type(f->key) == CRYPTO_KEY_P256, LT_PEER_USAGE, "key.pem: a P-256 key is wanted");
    http_server_use_tls(f->server, tls); /* it takes a reference, ours stays */
    return LT_OK;
}

static lt_res open_all(struct front *f)
{
    lt_slice text;
    const struct http_limits limits = {.connections = 256, .loopback_counts = false};
    const struct http_hooks hooks = {f, on_request, on_ended};
    lt_arena_init(&f->arena, SETTINGS_ARENA);
    crypto_start();
    crypto_key_lock_memory();
    LT_TRY(read_fd(&f->arena, PERSPECTIVE_SETTINGS_FD, VALIDATE_PERSPECTIVE_SETTINGS_MAX, &text));
    LT_TRY(validate_perspective_settings_parse(&f->arena, text, &f->settings));
    f->pins = (struct http_pins){f->settings.clients, f->settings.client_count};
    f->questions = calloc(QUESTIONS_MAX, sizeof *f->questions);
    f->base = event_base_new();
    LT_ASSERT(f->questions != NULL && f->base != NULL);
    LT_TRY(http_server_new(f->base, &limits, &hooks, &f->server));
    LT_TRY(open_key(f));
    f->listener = (struct http_listener_info){
        .name = "perspective", .kind = HTTP_LISTEN_TLS, .is_public = true};
    LT_TRY(http_server_listen(f->server, PERSPECTIVE_LISTEN_FD, &f->listener));
    /* Towards the validator we stand where a registrar does. */
    LT_TRY(ipc_link_new(PERSPECTIVE_LINK_FD, IPC_REGISTRAR, IPC_VALIDATOR, 0, &f->validator));
    const struct timeval period = {.tv_usec = TICK_MS * 1000};
    int fd = ipc_link_fd(f->validator);
    bool fine = event_assign(&f->readable, f->base, fd, EV_READ | EV_PERSIST, on_readable, f) == 0 &&
                event_assign(&f->writable, f->base, fd, EV_WRITE, on_writable, f) == 0 &&
                event_assign(&f->ticker, f->base, -1, EV_PERSIST, on_tick, f) == 0 &&
                event_add(&f->readable, NULL) == 0 && event_add(&f->ticker, &period) == 0;
    LT_ASSERT(fine);
    http_server_tick(f->server, lt_now(), lt_monotonic_ms()); /* before the first connection */
    return LT_OK;
}

static void harden(void)
{
    struct rlimit none = {0};
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
    for (size_t i = 0; i < LT_COUNT(ignored); i++) {
        struct sigaction ignore = {.sa_handler = SIG_IGN};
        LT_ASSERT(sigaction(ignored[i], &ignore, NULL) == 0);
    }
    LT_ASSERT(setrlimit(RLIMIT_CORE, &none) == 0);
    LT_ASSERT(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0);
    LT_ASSERT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    LT_ASSERT(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0);
    LT_ASSERT(prctl(PR_SET_NAME, "lintel-front", 0, 0, 0) == 0);
}

static lt_res lock_doors(void)
{
    static const struct sandbox_profile profile = {
        .role = "perspective",
        .calls = SANDBOX_BASE | SANDBOX_MEMFD | SANDBOX_ACCEPT,
        .max_fds = 1024,
        .max_memory_bytes = (size_t)1024 * MB,
    };
    struct sandbox_state state;
    return sandbox_enter(&profile, "/", &state);
}

int perspective_front(bool sandbox, enum lt_log_format format)
{
    static struct front storage; /* one front is one process */
    struct front *f = &storage;
    lt_log_init("perspective", format, LT_LOG_INFO);
    harden();
    lt_res r = open_all(f);
    if (!lt_failed(r) && sandbox) {
        r = lock_doors();
    }
    if (lt_failed(r)) {
        lt_log_error("cannot start");
        _exit(2); /* to try again would not help */
    }
    lt_log(LT_LOG_INFO, "perspective answers", "name=%s listen=%s couriers=%zu", f->settings.self.name,
           f->settings.listen, f->settings.client_count);
    bool fine = event_base_loop(f->base, EVLOOP_NO_EXIT_ON_EMPTY) == 0 && !f->failed;
    _exit(fine ? 0 : 1);
}
