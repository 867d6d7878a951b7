/* The front of the workers: who serves which account, who waits, and who answers for the dead. */
#include "validate/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "ipc/arena.h"
#include "validate/pulse.h"
#include "validate/worker.h"

enum {
    MAX_WORKERS = 256,  /* 3 MB each */
    MAX_OF_ACCOUNT = 4, /* and never more than a quarter: one account's silence keeps nobody else waiting */
    SPARES = 2,
    LINGER_MS = 500,
    TICK_MS = 100,
    GRACE_MS = 10000, /* over an engine's total time-out, before a worker counts as hung */
    TOTAL_TIMEOUT_MS = 15000,
    WAITING_MAX = 65536,
    WAITING_OF_ACCOUNT = 4096,
    BUCKETS = 1024,
    RUNNING_MAX = 4096, /* questions of one worker */
    LOOK_AHEAD = 64,    /* accounts of a turn, and questions of an account, for which no worker can be had */
    BUFFER_MAX = 64 * VALIDATE_FRAME_MAX,
    ANSWER_MAX = 4 * VALIDATE_FRAME_MAX,
    LOOKED_UP_MAX = 256, /* TXT records that one worker may remember */
};

/* A question that has no answer yet. */
struct question {
    struct question *next;
    uint64_t id;
    int64_t account;
    int64_t since_ms;       /* given to a worker; monotonic */
    Ipc__Validate *request; /* owned */
    int64_t started_us;
};

/* What waits of one account. */
struct line {
    struct line *next; /* in the round of accounts */
    struct line *prev;
    struct line *in_bucket;
    int64_t account;
    struct question *first; /* owned queue */
    struct question **last;
    size_t count;
};

struct worker {
    struct worker *next;
    struct validate_pool *pool;
    pid_t pid;
    int to;                 /* owned; -1: it is to end */
    int from;               /* owned; -1: it has ended */
    struct event *readable; /* owned */
    struct event *writable; /* owned */
    struct lt_buf in;
    struct lt_buf out;
    bool assigned;
    bool spent; /* takes no more questions */
    int64_t account;
    int64_t idle_since_ms;
    size_t looked_up_count;
    uint64_t looked_up[LOOKED_UP_MAX]; /* hashes of method and name */
    struct question *questions;        /* owned list */
    size_t question_count;
};

struct validate_pool {
    struct event_base *base; /* borrowed */
    struct validate_pool_options options;
    validate_answer *answer;
    void *self;
    struct event *tick;           /* owned */
    struct validate_pulse *pulse; /* owned */
    struct worker *workers;       /* owned list; the dead ones until they are reaped */
    size_t live;                  /* with pipes */
    size_t max_of_account;        /* workers */
    struct line *turn;            /* owned round; whose turn it is */
    struct line *lines[BUCKETS];  /* the same by account */
    size_t line_count;
    size_t waiting_count;
    size_t running;
};

static void free_question(struct question *q)
{
    ipc__validate__free_unpacked(q->request, NULL);
    free(q);
}

/* Closes the pipes; the process ends by that, or by its limits. */
static void retire(struct worker *w)
{
    if (w->from < 0) {
        return;
    }
    event_free(w->readable);
    event_free(w->writable);
    (void)close(w->to); /* nothing that could be lost */
    (void)close(w->from);
    w->to = -1;
    w->from = -1;
    w->pool->live--;
}

/* The statement that a worker should have made, or made without knowing that the fault is ours. */
static void answer_ours(struct validate_pool *p, const struct question *q, const char *detail)
{
    static char type[] = "serverInternal";
    static char nothing[] = "";
    char text[200];
    Ipc__Validated v = IPC__VALIDATED__INIT;
    Ipc__Problem problem = IPC__PROBLEM__INIT;
    (void)snprintf(text, sizeof text, "%s", detail);
    problem.type = type;
    problem.detail = text;
    problem.status = 500;
    v.authorization_id = q->request->authorization_id;
    v.challenge_index = q->request->challenge_index;
    v.nonce = q->request->nonce;
    v.identifier = q->request->identifier;
    v.method = q->request->method;
    v.problem = &problem;
    v.dnssec = nothing;
    v.started_us = q->started_us;
    v.finished_us = p->options.engine.now().us;
    char perspective[64];
    char build[64];
    (void)snprintf(perspective, sizeof perspective, "%s", p->options.engine.perspective);
    (void)snprintf(build, sizeof build, "%s", p->options.engine.build);
    v.perspective = perspective;
    v.build = build;
    p->answer(p->self, q->id, &v);
}

static void answer_for(struct validate_pool *p, const struct question *q, const char *why)
{
    char detail[200];
    (void)snprintf(detail, sizeof detail, "The validation was interrupted: %s. It is tried again.", why);
    answer_ours(p, q, detail);
}

/* Did the name fail, or our own way into the DNS? What was found there shows that the resolver is alive. */
static bool is_our_fault(struct validate_pool *p, const Ipc__Validated *v)
{
    const char *type = v->ok || v->problem == NULL ? "" : v->problem->type;
    int64_t now_ms = lt_monotonic_ms();
    if (v->ok || v->n_addresses > 0 || v->n_records > 0) {
        validate_pulse_heard(p->pulse, now_ms);
        return false;
    }
    return strcmp(type, "dns") == 0 && validate_pulse_silent_ms(p->pulse, now_ms) > 0;
}

static void fail_all(struct worker *w, const char *why)
{
    struct question *list = w->questions;
    w->questions = NULL;
    w->question_count = 0;
    while (list != NULL) {
        struct question *q = list;
        list = q->next;
        w->pool->running--;
        answer_for(w->pool, q, why);
        free_question(q);
    }
}

static void broken(struct worker *w, const char *why)
{
    retire(w);
    fail_all(w, why);
}

static struct question *take_question(struct worker *w, uint64_t id)
{
    struct question **at = &w->questions;
    while (*at != NULL && (*at)->id != id) {
        at = &(*at)->next;
    }
    struct question *q = *at;
    if (q != NULL) {
        *at = q->next;
        w->question_count--;
        w->pool->running--;
    }
    return q;
}

/* Its resolver remembers the failure for a few seconds; who has mended the servers and asks again must not
 * meet it: the next question goes to a fresh worker. */
static bool blames_the_dns(const Ipc__Validated *v)
{
    const char *type = v->ok || v->problem == NULL ? "" : v->problem->type;
    return strcmp(type, "dns") == 0 || strcmp(type, "caa") == 0;
}

/* False: it is no statement about one of its questions. */
static bool take_statement(struct worker *w, uint64_t id, lt_slice body)
{
    struct lt_arena a;
    lt_arena_init(&a, ANSWER_MAX);
    ProtobufCAllocator allocator = ipc_arena_allocator(&a);
    Ipc__Validated *v = ipc__validated__unpack(&allocator, body.len, body.ptr);
    struct question *q = v == NULL ? NULL : take_question(w, id);
    if (q != NULL) {
        const ProtobufCBinaryData *want = &q->request->nonce;
        bool same = lt_slice_eq(LT_SLICE(v->nonce.data, v->nonce.len), LT_SLICE(want->data, want->len)) &&
                    strcmp(v->method, q->request->method) == 0 && v->identifier != NULL &&
                    strcmp(v->identifier->value, q->request->identifier->value) == 0;
        if (same && is_our_fault(w->pool, v)) {
            w->spent = true;
            answer_ours(w->pool, q,
                        "The CA's own resolver does not answer. That is no fault of the name; it is tried "
                        "again.");
        } else if (same) {
            w->spent = w->spent || blames_the_dns(v);
            w->pool->answer(w->pool->self, id, v);
        } else {
            answer_for(w->pool, q, "the worker answered another question");
        }
        free_question(q);
    }
    lt_arena_done(&a);
    return q != NULL;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct worker *w = arg;
    uint64_t id = 0;
    lt_slice body;
    size_t len = 0;
    bool bad = false;
    (void)what;
    if (!validate_frame_fill((int)fd, &w->in)) {
        broken(w, "the worker ended");
        return;
    }
    while (!bad && validate_frame_next(lt_buf_slice(&w->in), &id, &body, &len, &bad)) {
        bad = !take_statement(w, id, body);
        lt_buf_consume(&w->in, len);
    }
    if (bad) {
        broken(w, "the worker broke the rules");
    }
    w->idle_since_ms = lt_monotonic_ms();
}

static void flush(struct worker *w)
{
    if (!validate_frame_flush(w->to, &w->out)) {
        return; /* the other pipe tells of its end */
    }
    if (w->out.len > 0) {
        int added = event_add(w->writable, NULL);
        LT_ASSERT(added == 0);
    }
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    flush(arg);
}

static void adopt(struct validate_pool *p, pid_t pid, int to, int from)
{
    struct worker *w = calloc(1, sizeof *w);
    LT_ASSERT(w != NULL);
    w->pool = p;
    w->pid = pid;
    w->to = to;
    w->from = from;
    lt_buf_init(&w->in, BUFFER_MAX);
    lt_buf_init(&w->out, BUFFER_MAX);
    w->readable = event_new(p->base, from, EV_READ | EV_PERSIST, on_readable, w);
    w->writable = event_new(p->base, to, EV_WRITE, on_writable, w);
    LT_ASSERT(w->readable != NULL && w->writable != NULL && event_add(w->readable, NULL) == 0);
    w->next = p->workers;
    p->workers = w;
    p->live++;
}

/* False: the machine gives no process now; the tick tries again. */
static bool new_worker(struct validate_pool *p)
{
    int down[2];
    int up[2];
    if (pipe2(down, O_CLOEXEC | O_NONBLOCK) != 0) {
        return false;
    }
    if (pipe2(up, O_CLOEXEC | O_NONBLOCK) != 0) {
        (void)close(down[0]); /* never used */
        (void)close(down[1]);
        return false;
    }
    pid_t pid = fork();
    if (pid == 0) {
        validate_worker_run(down[0], up[1], &p->options);
    }
    (void)close(down[0]); /* the child's ends */
    (void)close(up[1]);
    if (pid < 0) {
        (void)close(down[1]); /* never used */
        (void)close(up[0]);
        return false;
    }
    adopt(p, pid, down[1], up[0]);
    return true;
}

static struct worker *find_spare(const struct validate_pool *p)
{
    struct worker *w = p->workers;
    while (w != NULL && (w->from < 0 || w->assigned)) {
        w = w->next;
    }
    return w;
}

/* FNV-1a: two records with one hash only cost a worker. Each method has a record of its own. */
static uint64_t hash_of(const char *method, const char *name)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (; *method != '\0'; method++) {
        h = (h ^ (uint8_t)*method) * UINT64_C(0x100000001b3);
    }
    h = (h ^ '/') * UINT64_C(0x100000001b3);
    for (; *name != '\0'; name++) {
        h = (h ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
    }
    return h;
}

/* A client that proves "*.example.com" and then "example.com" has changed the record since we asked for it,
 * and the worker's resolver still has the old one: it never looks for the same proof twice. */
static bool remembers(const struct worker *w, uint64_t record)
{
    bool found = w->looked_up_count == LOOKED_UP_MAX;
    for (size_t i = 0; i < w->looked_up_count; i++) {
        found = found || w->looked_up[i] == record;
    }
    return found;
}

/* May it have one more? Its idle ones make room for it. */
static bool may_have_more(struct validate_pool *p, int64_t account)
{
    size_t count = 0;
    for (const struct worker *w = p->workers; w != NULL; w = w->next) {
        count += w->from >= 0 && w->assigned && w->account == account;
    }
    for (struct worker *w = p->workers; w != NULL && count >= p->max_of_account; w = w->next) {
        if (w->from >= 0 && w->assigned && w->account == account && w->question_count == 0) {
            retire(w);
            count--;
        }
    }
    return count < p->max_of_account;
}

/* A spare, or a new one; idle ones of others make room. NULL: none can be had. */
static struct worker *fresh_worker(struct validate_pool *p, int64_t account)
{
    if (!may_have_more(p, account)) {
        return NULL;
    }
    struct worker *w = find_spare(p);
    for (struct worker *o = p->workers; w == NULL && p->live >= p->options.max_workers && o != NULL;
         o = o->next) {
        if (o->from >= 0 && o->question_count == 0) {
            retire(o);
        }
    }
    if (w == NULL && p->live < p->options.max_workers && new_worker(p)) {
        w = find_spare(p);
    }
    if (w != NULL) {
        w->assigned = true;
        w->account = account;
    }
    return w;
}

/* One that serves the account and has not looked for this proof. */
static struct worker *own_worker(const struct validate_pool *p, int64_t account, const uint64_t *proof)
{
    struct worker *w = p->workers;
    while (w != NULL && (w->from < 0 || w->spent || !w->assigned || w->account != account ||
                         (proof != NULL && remembers(w, *proof)))) {
        w = w->next;
    }
    return w;
}

/* A worker of this account, or a fresh one if it may be. NULL: none can be had. */
static struct worker *worker_for(struct validate_pool *p, const struct question *q, bool fresh)
{
    bool by_record = strncmp(q->request->method, "dns-", 4) == 0;
    uint64_t record = hash_of(q->request->method, q->request->identifier->value);
    struct worker *w = own_worker(p, q->account, by_record ? &record : NULL);
    w = w == NULL && fresh ? fresh_worker(p, q->account) : w;
    if (w == NULL || w->question_count >= RUNNING_MAX) {
        return NULL;
    }
    if (by_record) {
        w->looked_up[w->looked_up_count++] = record;
    }
    return w;
}

static void give(struct worker *w, struct question *q)
{
    w->pool->running++;
    q->next = w->questions;
    q->since_ms = lt_monotonic_ms();
    w->questions = q;
    w->question_count++;
    validate_frame_add(&w->out, q->id, &q->request->base);
    if (w->out.overflow) {
        broken(w, "the worker takes no questions");
    } else {
        flush(w);
    }
}

static struct line **bucket_of(struct validate_pool *p, int64_t account)
{
    return &p->lines[(uint64_t)account % BUCKETS];
}

static struct line *find_line(struct validate_pool *p, int64_t account)
{
    struct line *l = *bucket_of(p, account);
    while (l != NULL && l->account != account) {
        l = l->in_bucket;
    }
    return l;
}

/* At the end of the round. */
static struct line *new_line(struct validate_pool *p, int64_t account)
{
    struct line **bucket = bucket_of(p, account);
    struct line *l = calloc(1, sizeof *l);
    LT_ASSERT(l != NULL);
    l->account = account;
    l->last = &l->first;
    l->in_bucket = *bucket;
    *bucket = l;
    l->next = p->turn == NULL ? l : p->turn;
    l->prev = p->turn == NULL ? l : p->turn->prev;
    l->next->prev = l;
    l->prev->next = l;
    p->turn = l->next;
    p->line_count++;
    return l;
}

static void free_line(struct validate_pool *p, struct line *l)
{
    struct line **at = bucket_of(p, l->account);
    while (*at != l) {
        at = &(*at)->in_bucket;
    }
    *at = l->in_bucket;
    l->prev->next = l->next;
    l->next->prev = l->prev;
    p->turn = l->next == l ? NULL : p->turn == l ? l->next : p->turn;
    p->line_count--;
    p->waiting_count -= l->count;
    while (l->first != NULL) {
        struct question *q = l->first;
        l->first = q->next;
        free_question(q);
    }
    free(l);
}

/* Gives away what there is a worker for; what there is none for keeps nothing behind it waiting. */
static void serve(struct validate_pool *p, struct line *l, bool fresh)
{
    struct question **at = &l->first;
    size_t passed = 0;
    while (*at != NULL && passed < LOOK_AHEAD) {
        struct question *q = *at;
        struct worker *w = worker_for(p, q, fresh);
        if (w == NULL) {
            at = &q->next;
            passed++;
            continue;
        }
        *at = q->next;
        l->last = *at == NULL ? at : l->last;
        l->count--;
        p->waiting_count--;
        give(w, q);
    }
}

/* One account after the other: nobody has two turns before everybody has had one. */
static void dispatch(struct validate_pool *p)
{
    size_t turns = p->line_count < LOOK_AHEAD ? p->line_count : LOOK_AHEAD;
    for (size_t i = 0; i < turns; i++) {
        struct line *l = p->turn;
        p->turn = l->next;
        serve(p, l, true);
        if (l->count == 0) {
            free_line(p, l);
        }
    }
}

static bool hung(const struct worker *w, int64_t now_ms)
{
    int64_t most = w->pool->options.engine.total_timeout_ms + GRACE_MS;
    for (const struct question *q = w->questions; q != NULL; q = q->next) {
        if (now_ms - q->since_ms > most) {
            return true;
        }
    }
    return false;
}

static void look_at(struct worker *w, int64_t now_ms)
{
    if (w->from < 0) {
        return;
    }
    if (hung(w, now_ms)) {
        broken(w, "the worker gave no answer");
    } else if (w->assigned && w->question_count == 0 &&
               now_ms - w->idle_since_ms > w->pool->options.linger_ms) {
        retire(w); /* it has served its account */
    }
}

static void reap(struct validate_pool *p, int flags)
{
    struct worker **at = &p->workers;
    while (*at != NULL) {
        struct worker *w = *at;
        if (w->from >= 0 || waitpid(w->pid, NULL, flags) == 0) {
            at = &w->next;
            continue;
        }
        *at = w->next;
        lt_buf_done(&w->in);
        lt_buf_done(&w->out);
        free(w);
    }
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct validate_pool *p = arg;
    int64_t now_ms = lt_monotonic_ms();
    size_t spares = 0;
    (void)fd;
    (void)what;
    validate_pulse_tick(p->pulse, now_ms, validate_pool_running(p) > 0);
    for (struct worker *w = p->workers; w != NULL; w = w->next) {
        look_at(w, now_ms);
        spares += w->from >= 0 && !w->assigned;
    }
    reap(p, WNOHANG);
    while (spares < p->options.spares && p->live < p->options.max_workers && new_worker(p)) {
        spares++;
    }
    dispatch(p);
}

lt_res validate_pool_new(struct event_base *base, const struct validate_pool_options *options,
                         validate_answer *answer, void *self, struct validate_pool **ret_pool)
{
    const struct timeval period = {.tv_usec = TICK_MS * 1000};
    struct validate_engine *trial = NULL;
    LT_TRY(
        validate_engine_new(base, &options->engine, answer, self, &trial)); /* what cannot run is told now */
    validate_engine_free(trial);
    struct validate_pulse *pulse = NULL;
    LT_TRY(validate_pulse_new(base, options->engine.resolver, &pulse));
    struct validate_pool *p = calloc(1, sizeof *p);
    LT_ASSERT(p != NULL);
    p->base = base;
    p->pulse = pulse;
    p->options = *options;
    struct validate_pool_options *o = &p->options;
    o->max_workers = o->max_workers == 0 ? MAX_WORKERS : o->max_workers;
    o->spares = o->spares == 0 ? SPARES : o->spares;
    o->linger_ms = o->linger_ms <= 0 ? LINGER_MS : o->linger_ms;
    o->engine.total_timeout_ms = o->engine.total_timeout_ms <= 0 ? TOTAL_TIMEOUT_MS
                                                                 : o->engine.total_timeout_ms;
    p->answer = answer;
    p->self = self;
    size_t quarter = o->max_workers / 4;
    p->max_of_account = quarter > MAX_OF_ACCOUNT ? MAX_OF_ACCOUNT : quarter == 0 ? 1 : quarter;
    p->tick = event_new(base, -1, EV_PERSIST, on_tick, p);
    LT_ASSERT(p->tick != NULL && event_add(p->tick, &period) == 0);
    *ret_pool = p;
    return LT_OK;
}

void validate_pool_free(struct validate_pool *p)
{
    if (p == NULL) {
        return;
    }
    for (struct worker *w = p->workers; w != NULL; w = w->next) {
        retire(w);
        while (w->questions != NULL) {
            struct question *q = w->questions;
            w->questions = q->next;
            free_question(q);
        }
    }
    while (p->turn != NULL) {
        free_line(p, p->turn);
    }
    reap(p, 0); /* they end as soon as they see the end of their pipe, or by their limit */
    event_free(p->tick);
    validate_pulse_free(p->pulse);
    free(p);
}

lt_res validate_pool_start(struct validate_pool *p, uint64_t id, const Ipc__Validate *request)
{
    LT_CHECK(request->identifier != NULL, LT_PEER_MALFORMED, "a question about no name");
    size_t len = ipc__validate__get_packed_size(request);
    LT_CHECK(len < VALIDATE_FRAME_MAX / 4, LT_PEER_TOO_LARGE, "the question is too large");
    struct line *l = find_line(p, request->account_id);
    LT_CHECK(p->waiting_count < WAITING_MAX && (l == NULL || l->count < WAITING_OF_ACCOUNT), LT_RETRY_BUSY,
             "%zu validations wait already", p->waiting_count);
    struct question *q = calloc(1, sizeof *q);
    uint8_t *packed = malloc(len + 1);
    LT_ASSERT(q != NULL && packed != NULL);
    (void)ipc__validate__pack(request, packed); /* its length is known */
    q->request = ipc__validate__unpack(NULL, len, packed);
    free(packed);
    LT_ASSERT(q->request != NULL);
    q->id = id;
    q->account = request->account_id;
    q->started_us = p->options.engine.now().us;
    l = l == NULL ? new_line(p, q->account) : l;
    *l->last = q;
    l->last = &q->next;
    l->count++;
    p->waiting_count++;
    if (p->line_count > 1) {
        serve(p, l, false); /* who has a worker need not wait for his turn */
    }
    dispatch(p);
    return LT_OK;
}

size_t validate_pool_running(const struct validate_pool *p)
{
    return p->running + p->waiting_count;
}

size_t validate_pool_workers(const struct validate_pool *p)
{
    return p->live;
}

int64_t validate_pool_silent_ms(const struct validate_pool *p)
{
    return validate_pulse_silent_ms(p->pulse, lt_monotonic_ms());
}
