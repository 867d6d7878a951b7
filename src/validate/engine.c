/* Who runs and who waits, and the statement that comes out in every case. */
#include "validate/engine.h"

#include <openssl/ssl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/arena.h"
#include "validate/question.h"

enum {
    ARENA_MAX = 256 * 1024,
    DETAIL_MAX = 900,
    CONNECT_TIMEOUT_MS = 5000,
    TOTAL_TIMEOUT_MS = 15000,
    RUNNING_MAX = 1024,
    WAITING_MAX = 65536,
};

static char nothing[] = "";

static const struct validate_method_hooks *const methods[] = {
    &validate_http01,        &validate_website,           &validate_dns01,      &validate_dns_account01,
    &validate_dns_persist01, &validate_tlsalpn01,         &validate_dns_change, &validate_email_caa,
    &validate_email_txt,     &validate_email_constructed,
};

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

/* Drops look-ups and connection. */
static void stop(struct validate_job *j)
{
    validate_resolve_drop(j->lookup);
    j->lookup = NULL;
    validate_resolve_drop(j->climb.lookup);
    j->climb.lookup = NULL;
    validate_conn_free(j->conn);
    j->conn = NULL;
    validate_http_close(j);
}

static void free_job(struct validate_job *j)
{
    stop(j);
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

/* NULL, or the sentence why this is not even begun. */
static const char *refusal(const struct validate_job *j, const char **ret_type)
{
    const Ipc__Validate *q = j->request;
    bool is_name = strcmp(q->identifier->type, "ip") != 0;
    const char *why = is_name ? validate_name_refusal(lt_slice_cstr(q->identifier->value)) : NULL;
    int64_t now_us = j->statement.started_us;
    *ret_type = "rejectedIdentifier";
    if (why != NULL) {
        return why;
    }
    *ret_type = "malformed";
    if (j->method == NULL || (j->hooks == NULL && j->method->kind != VALIDATE_KIND_CAA)) {
        *ret_type = "serverInternal";
        return "this validator does not know the method for it";
    }
    const char *form = validate_question_refusal(j->method, q);
    if (form != NULL) {
        *ret_type = "serverInternal";
        return form;
    }
    /*= CABF-BR 3.2.2.4.18 "The Random Value MUST remain valid for use in a confirming response for no more
     * than 30 days from its creation." */
    if (q->expires_us != 0 && now_us > q->expires_us) {
        *ret_type = "unauthorized";
        return "the token or random value is too old; ask for a new one";
    }
    return validate_method_refusal(j->method, q->wildcard, (lt_time){now_us});
}

static void begin(struct validate_job *j)
{
    struct validate_engine *e = j->engine;
    const char *type = "";
    j->next = e->running;
    j->back = &e->running;
    if (j->next != NULL) {
        j->next->back = &j->next;
    }
    e->running = j;
    e->running_count++;
    j->statement.started_us = e->options.now().us;
    add_timer(j, e->options.total_timeout_ms);
    const char *why = refusal(j, &type);
    if (why != NULL) {
        validate_job_end(j, type, "%s cannot be validated by %s: %s.", j->request->identifier->value,
                         j->request->method, why);
        return;
    }
    validate_climb_begin(j);
    if (j->hooks != NULL && !j->ended) {
        j->hooks->begin(j);
    } else if (!j->ended) {
        validate_job_end(j, NULL, "CAA alone");
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
    static const struct {
        const char *type;
        uint32_t status;
    } rows[] = {{"serverInternal", 500}, {"unauthorized", 403}, {"incorrectResponse", 403}, {"caa", 403}};
    uint32_t status = 400;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        status = strcmp(type, rows[i].type) == 0 ? rows[i].status : status;
    }
    return status;
}

static void set_problem(struct validate_job *j, const char *type, const char *detail)
{
    Ipc__Problem *p = LT_NEW(&j->arena, Ipc__Problem);
    LT_ASSERT(p != NULL); /* the arena's cap is far off */
    ipc__problem__init(p);
    p->type = validate_keep(j, type);
    p->detail = validate_keep(j, detail);
    p->status = status_of(type);
    j->statement.problem = p;
}

static void finish(struct validate_job *j)
{
    j->ended = true;
    j->statement.caa = j->climb.done ? &j->climb.check : NULL;
    event_active(j->timer, EV_TIMEOUT, 0);
}

/* Control is shown; what CAA says decides, once it is known. */
static void finish_if_done(struct validate_job *j)
{
    const Ipc__CaaCheck *c = &j->climb.check;
    if (j->ended || !j->proved || j->climb.open) {
        return;
    }
    if (j->climb.done && !c->permitted) {
        char text[DETAIL_MAX];
        /*= RFC 8659 4 "MUST NOT issue a certificate" */
        (void)snprintf(text, sizeof text, "CAA forbids issuance for %s%s%s%s: %s.",
                       j->request->wildcard ? "*." : "", j->request->identifier->value,
                       c->domain[0] != '\0' ? ", by the records of " : "", c->domain,
                       c->why); /* cut is fine */
        set_problem(j, c->checked ? "caa" : "dns", text);
    }
    j->statement.ok = j->statement.problem == NULL;
    finish(j);
}

void validate_climbed(struct validate_job *j)
{
    j->climb.open = false;
    j->climb.done = true;
    finish_if_done(j);
}

void validate_job_end(struct validate_job *j, const char *type, const char *format, ...)
{
    char text[DETAIL_MAX];
    va_list args;
    if (j->ended || j->proved) {
        return;
    }
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    LT_ASSERT(len >= 0);
    if (type == NULL) {
        j->proved = true;
        finish_if_done(j);
        return;
    }
    set_problem(j, type, text);
    finish(j);
}

static void timed_out(struct validate_job *j)
{
    int total_ms = j->engine->options.total_timeout_ms;
    if (j->proved) {
        j->proved = false;
        validate_job_end(j, "dns", "The look-up of CAA at %s gave no answer within %d ms.", j->climb.at,
                         total_ms);
    } else {
        j->hooks->timed_out(j);
    }
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct validate_job *j = arg;
    struct validate_engine *e = j->engine;
    (void)fd;
    (void)what;
    if (!j->ended) {
        timed_out(j);
        return; /* it has made the timer active again */
    }
    stop(j);
    j->statement.finished_us = e->options.now().us;
    unlink_running(j);
    e->answer(e->self, j->id, &j->statement);
    free_job(j);
    begin_waiting(e);
}

/* A copy of the question in the job's arena, and what the statement repeats of it. */
static lt_res copy_request(struct validate_job *j, const Ipc__Validate *request)
{
    size_t len = ipc__validate__get_packed_size(request);
    uint8_t *packed = lt_arena_alloc(&j->arena, len + 1);
    LT_CHECK(packed != NULL, LT_PEER_TOO_LARGE, "the question is too large");
    (void)ipc__validate__pack(request, packed); /* its length is known */
    ProtobufCAllocator allocator = ipc_arena_allocator(&j->arena);
    Ipc__Validate *copy = ipc__validate__unpack(&allocator, len, packed);
    LT_CHECK(copy != NULL, LT_PEER_MALFORMED, "the question cannot be copied");
    j->request = copy;
    return LT_OK;
}

/* Which row of the table, and which file does it. */
static void find_method(struct validate_job *j)
{
    const Ipc__Validate *q = j->request;
    bool is_address = strcmp(q->identifier->type, "ip") == 0;
    j->method = validate_method_find(q->method, is_address ? "ip" : "dns");
    for (size_t i = 0; i < LT_COUNT(methods); i++) {
        j->hooks = strcmp(methods[i]->name, q->method) == 0 ? methods[i] : j->hooks;
    }
}

static void begin_statement(struct validate_job *j)
{
    struct validate_engine *e = j->engine;
    Ipc__Validated *s = &j->statement;
    ipc__validated__init(s);
    j->room = VALIDATE_ROOM;
    s->authorization_id = j->request->authorization_id;
    s->challenge_index = j->request->challenge_index;
    s->nonce = j->request->nonce;
    s->identifier = j->request->identifier;
    s->method = j->request->method;
    s->wildcard = j->request->wildcard;
    s->subdomains = j->request->subdomains;
    s->address_used = nothing;
    s->dnssec = nothing;
    s->dnssec_why = nothing;
    s->contact_domain = nothing;
    s->resolver = e->resolver_name;
    s->perspective = e->perspective;
    s->build = e->build;
    s->ruleset = validate_keep(j, j->method == NULL ? "" : j->method->ruleset);
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
    find_method(j);
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
