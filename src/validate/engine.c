/* Who runs and who waits, and the statement that comes out in every case. */
#include "validate/engine.h"

#include <openssl/ssl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/digest.h"

enum {
    ARENA_MAX = 256 * 1024,
    DETAIL_MAX = 900,
    CONNECT_TIMEOUT_MS = 5000,
    TOTAL_TIMEOUT_MS = 15000,
    RUNNING_MAX = 4096,
    WAITING_MAX = 65536,
};

/*= CABF-BR 3.2.2.4.19 "Agreed-Upon Change to Website - ACME" */
static char ruleset[] = "BR 2.2.6 3.2.2.4.19";
static char nothing[] = "";

static void set_defaults(struct validate_options *o)
{
    o->http_port = o->http_port == 0 ? 80 : o->http_port;
    o->https_port = o->https_port == 0 ? 443 : o->https_port;
    o->connect_timeout_ms = o->connect_timeout_ms <= 0 ? CONNECT_TIMEOUT_MS : o->connect_timeout_ms;
    o->total_timeout_ms = o->total_timeout_ms <= 0 ? TOTAL_TIMEOUT_MS : o->total_timeout_ms;
    o->max_running = o->max_running == 0 ? RUNNING_MAX : o->max_running;
    o->max_waiting = o->max_waiting == 0 ? WAITING_MAX : o->max_waiting;
}

lt_res validate_engine_new(struct event_base *base, const struct validate_options *options,
                           validate_answer *answer, void *self, struct validate_engine **ret_engine)
{
    struct validate_resolver_options r = {.forwarder = options->resolver, .anchor = options->trust_anchor};
    struct validate_resolver *resolver = NULL;
    LT_TRY(validate_resolver_new(base, &r, &resolver));
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
    if (tls == NULL) {
        validate_resolver_free(resolver);
        LT_FAIL(LT_STATE_CRYPTO, "TLS does not start");
    }
    SSL_CTX_set_verify(tls, SSL_VERIFY_NONE, NULL);
    struct validate_engine *e = calloc(1, sizeof *e);
    LT_ASSERT(e != NULL);
    e->base = base;
    e->options = *options;
    set_defaults(&e->options);
    e->resolver = resolver;
    e->tls = tls;
    e->answer = answer;
    e->self = self;
    e->waiting_last = &e->waiting;
    (void)snprintf(e->build, sizeof e->build, "%s", options->build); /* cut is fine */
    (void)snprintf(e->perspective, sizeof e->perspective, "%s", options->perspective);
    const char *validating = options->trust_anchor[0] != '\0' ? ", validating" : "";
    (void)snprintf(e->resolver_name, sizeof e->resolver_name, "libunbound%s%s%s",
                   options->resolver[0] != '\0' ? " by " : "", options->resolver, validating);
    *ret_engine = e;
    return LT_OK;
}

static void free_job(struct validate_job *j)
{
    validate_http01_stop(j);
    event_free(j->timer);
    lt_arena_done(&j->arena);
    free(j);
}

static void unlink_running(struct validate_job *j)
{
    *j->back = j->next;
    if (j->next != NULL) {
        j->next->back = j->back;
    }
    j->engine->running_count--;
}

void validate_engine_free(struct validate_engine *e)
{
    if (e == NULL) {
        return;
    }
    while (e->running != NULL) {
        struct validate_job *j = e->running;
        unlink_running(j);
        free_job(j);
    }
    while (e->waiting != NULL) {
        struct validate_job *j = e->waiting;
        e->waiting = j->next;
        free_job(j);
    }
    validate_resolver_free(e->resolver);
    SSL_CTX_free(e->tls);
    free(e);
}

size_t validate_running(const struct validate_engine *e)
{
    return e->running_count + e->waiting_count;
}

static void add_timer(struct validate_job *j, int ms)
{
    struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000};
    int added = event_add(j->timer, &tv);
    LT_ASSERT(added == 0);
}

static void begin(struct validate_job *j)
{
    struct validate_engine *e = j->engine;
    j->next = e->running;
    j->back = &e->running;
    if (j->next != NULL) {
        j->next->back = &j->next;
    }
    e->running = j;
    e->running_count++;
    j->statement.started_us = e->options.now().us;
    add_timer(j, e->options.total_timeout_ms);
    if (strcmp(j->request->method, "http-01") == 0) {
        validate_http01_begin(j);
    } else {
        validate_job_end(j, "serverInternal", "The method %s is not known to this validator.",
                         j->request->method);
    }
}

static void begin_waiting(struct validate_engine *e)
{
    while (e->waiting != NULL && e->running_count < e->options.max_running) {
        struct validate_job *j = e->waiting;
        e->waiting = j->next;
        e->waiting_last = e->waiting == NULL ? &e->waiting : e->waiting_last;
        e->waiting_count--;
        begin(j);
    }
}

/* RFC 8555 6.7 does not bind a status to a type; these are the ones that acme/problem.c gives as well. */
static uint32_t status_of(const char *type)
{
    if (strcmp(type, "serverInternal") == 0) {
        return 500;
    }
    return strcmp(type, "unauthorized") == 0 || strcmp(type, "incorrectResponse") == 0 ? 403 : 400;
}

void validate_job_end(struct validate_job *j, const char *type, const char *format, ...)
{
    char text[DETAIL_MAX];
    va_list args;
    if (j->ended) {
        return;
    }
    j->ended = true;
    j->statement.ok = type == NULL;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    LT_ASSERT(len >= 0);
    if (type != NULL) {
        Ipc__Problem *p = LT_NEW(&j->arena, Ipc__Problem);
        char *type_copy = lt_arena_cstr(&j->arena, lt_slice_cstr(type));
        char *detail = lt_arena_cstr(&j->arena, lt_slice_cstr(text));
        LT_ASSERT(p != NULL && type_copy != NULL && detail != NULL); /* the arena's cap is far off */
        ipc__problem__init(p);
        p->type = type_copy;
        p->detail = detail;
        p->status = status_of(type);
        j->statement.problem = p;
    }
    event_active(j->timer, EV_TIMEOUT, 0);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct validate_job *j = arg;
    struct validate_engine *e = j->engine;
    (void)fd;
    (void)what;
    if (!j->ended) {
        validate_http01_timed_out(j);
        return; /* it has made the timer active again */
    }
    validate_http01_stop(j);
    j->statement.finished_us = e->options.now().us;
    unlink_running(j);
    e->answer(e->self, j->id, &j->statement);
    free_job(j);
    begin_waiting(e);
}

static void *in_arena(void *arena, size_t size)
{
    return lt_arena_alloc(arena, size);
}

static void not_from_arena(void *arena, void *ptr)
{
    (void)arena;
    (void)ptr;
}

/* A copy of the question in the job's arena, and what the statement repeats of it. */
static lt_res copy_request(struct validate_job *j, const Ipc__Validate *request)
{
    size_t len = ipc__validate__get_packed_size(request);
    uint8_t *packed = lt_arena_alloc(&j->arena, len + 1);
    LT_CHECK(packed != NULL, LT_PEER_TOO_LARGE, "the question is too large");
    (void)ipc__validate__pack(request, packed); /* its length is known */
    ProtobufCAllocator allocator = {.alloc = in_arena, .free = not_from_arena, .allocator_data = &j->arena};
    Ipc__Validate *copy = ipc__validate__unpack(&allocator, len, packed);
    LT_CHECK(copy != NULL, LT_PEER_MALFORMED, "the question cannot be copied");
    j->request = copy;
    return LT_OK;
}

static void begin_statement(struct validate_job *j)
{
    struct validate_engine *e = j->engine;
    Ipc__Validated *s = &j->statement;
    ipc__validated__init(s);
    s->authorization_id = j->request->authorization_id;
    s->challenge_index = j->request->challenge_index;
    s->nonce = j->request->nonce;
    s->identifier = j->request->identifier;
    s->method = j->request->method;
    s->address_used = nothing;
    s->dnssec = nothing;
    s->dnssec_why = nothing;
    s->resolver = e->resolver_name;
    s->perspective = e->perspective;
    s->build = e->build;
    s->ruleset = ruleset;
}

lt_res validate_start(struct validate_engine *e, uint64_t id, const Ipc__Validate *request)
{
    LT_CHECK(request->identifier != NULL, LT_PEER_MALFORMED, "a question about no name");
    LT_CHECK(e->waiting_count < e->options.max_waiting, LT_RETRY_BUSY, "%zu validations wait already",
             e->waiting_count);
    struct validate_job *j = calloc(1, sizeof *j);
    LT_ASSERT(j != NULL);
    j->engine = e;
    j->id = id;
    lt_arena_init(&j->arena, ARENA_MAX);
    j->timer = event_new(e->base, -1, 0, on_timer, j);
    LT_ASSERT(j->timer != NULL);
    lt_res r = copy_request(j, request);
    if (lt_failed(r)) {
        free_job(j);
        return r;
    }
    begin_statement(j);
    if (e->running_count < e->options.max_running) {
        begin(j);
        return LT_OK;
    }
    *e->waiting_last = j;
    e->waiting_last = &j->next;
    e->waiting_count++;
    return LT_OK;
}
