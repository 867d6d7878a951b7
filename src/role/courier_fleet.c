/* Connections to the perspectives: a few for each, kept alive, one question at a time on each; what finds
 * none free waits in a queue of its perspective. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/metrics.h"
#include "http/client.h"
#include "http/pinned.h"
#include "ipc/ipc.h"
#include "role/courier.h"

enum {
    LINES_MAX = 32,       /* connections to one perspective */
    QUESTIONS_MAX = 8192, /* without an answer, of all perspectives together */
    ANSWER_MS = 20000,    /* a validation and the way there and back */
    WAIT_MS = 25000,      /* the queue included */
    ANSWER_BYTES = 96 * 1024,
    ALIVE_MS = 20000,     /* whoever was not asked for so long is asked whether it is there; */
    ALIVE_SOON_MS = 5000, /* and who did not answer last, sooner */
    FAILURES_MAX = 2,     /* in a row make it silent */
};

struct errand {
    struct errand *next;
    uint64_t id;
    Ipc__Validate *question; /* owned, unpacked */
    uint8_t *packed;         /* owned */
    size_t packed_len;
    int64_t since_ms;
};

struct peer;
struct line {
    struct peer *peer;
    struct http_client *client; /* owned; NULL: never used */
    struct errand *errand;      /* owned; NULL: idle */
    bool probes;                /* whether it is there */
};

struct peer {
    struct courier_fleet *fleet;
    const struct validate_perspective *is; /* of the fleet's list */
    struct http_url url;
    struct http_pins pins;
    struct ssl_ctx_st *tls; /* owned */
    struct http_origin origin;
    bool resolved;
    struct line lines[LINES_MAX];
    struct errand *waiting; /* owned queue */
    struct errand **last;
    int64_t asked_ms;       /* last, monotonic */
    unsigned failures;      /* in a row */
    int64_t silent_since_s; /* 0: it answers */
    bool out_of_order;      /* by its own word: that it is there is not enough */
};

struct courier_fleet {
    struct validate_perspectives perspectives; /* owned */
    struct peer *peers;                        /* owned; one for each */
    struct errand *lost;                       /* owned: for nobody that is known; told by the tick */
    struct event_base *base;
    courier_told *told;
    void *self;
    size_t open;
};

static void free_errand(struct errand *e)
{
    ipc__validate__free_unpacked(e->question, NULL);
    free(e->packed);
    free(e);
}

static void tell(struct courier_fleet *f, struct errand *e, const Ipc__SignedStatement *s, const char *why)
{
    f->open--;
    f->told(f->self, e->id, e->question, s, why);
    free_errand(e);
}

static void start_next(struct line *l);

/* For status, doctor, alarms: since when has it not answered? 0: it answers. */
static void publish(const struct peer *p)
{
    char name[LT_METRICS_NAME_MAX];
    (void)snprintf(name, sizeof name, "lintel_silent_since_seconds{what=\"perspective %.40s\"}",
                   p->is->name); /* so much of a name fits */
    lt_metric_set(name, p->silent_since_s);
}

static void note(struct peer *p, bool answered)
{
    if (answered) {
        p->failures = 0;
        p->silent_since_s = 0;
        p->out_of_order = false;
    } else if (++p->failures >= FAILURES_MAX && p->silent_since_s == 0) {
        p->silent_since_s = lt_time_seconds(lt_now());
    }
    publish(p);
}

/* Nobody's signature is looked at here: it is about whom the operator is told of, and no more. */
static bool says_out_of_order(const ProtobufCBinaryData *statement)
{
    Ipc__Validated *v = ipc__validated__unpack(NULL, statement->len, statement->data);
    bool out = v != NULL && !v->ok && v->problem != NULL && strcmp(v->problem->type, "serverInternal") == 0;
    if (v != NULL) {
        ipc__validated__free_unpacked(v, NULL);
    }
    return out;
}

/* Only the three fields that there are go on: a stranger's fourth would be our fault. */
static void deliver(struct peer *p, struct errand *e, lt_slice body)
{
    struct courier_fleet *f = p->fleet;
    Ipc__SignedStatement *got = body.len == 0 ? NULL
                                              : ipc__signed_statement__unpack(NULL, body.len, body.ptr);
    if (got == NULL || got->statement.len == 0) {
        note(p, false);
        tell(f, e, NULL, "its answer is no statement");
    } else {
        Ipc__SignedStatement s = IPC__SIGNED_STATEMENT__INIT;
        s.statement = got->statement;
        s.perspective = got->perspective;
        s.signature = got->signature;
        bool out = says_out_of_order(&got->statement);
        note(p, !out);
        p->out_of_order = out;
        tell(f, e, &s, "");
    }
    if (got != NULL) {
        ipc__signed_statement__free_unpacked(got, NULL);
    }
}

static void on_done(void *arg, lt_res outcome, const struct http_reply *reply)
{
    struct line *l = arg;
    struct courier_fleet *f = l->peer->fleet;
    struct errand *e = LT_TAKE(l->errand, NULL);
    char why[256];
    if (lt_failed(outcome)) {
        l->peer->resolved = l->peer->resolved && outcome.code != LT_RETRY_UNAVAILABLE;
        (void)snprintf(why, sizeof why, "%s", lt_error_last()->detail); /* fits */
        note(l->peer, false);
        tell(f, e, NULL, why);
    } else if (reply->head->status != 200) {
        note(l->peer, false);
        (void)snprintf(why, sizeof why, "it answered with status %u", reply->head->status);
        tell(f, e, NULL, why);
    } else {
        deliver(l->peer, e, reply->body);
    }
    start_next(l);
}

static lt_res connect_line(struct line *l)
{
    struct peer *p = l->peer;
    if (!p->resolved) {
        LT_TRY(http_origin_resolve(&p->origin));
        p->resolved = true;
    }
    return l->client != NULL ? LT_OK : http_client_new(&p->origin, &l->client);
}

/* An idle line takes the first that waits. Never called from within http_client_ask. */
static void start_next(struct line *l)
{
    struct peer *p = l->peer;
    while (l->errand == NULL && !l->probes && p->waiting != NULL) {
        struct errand *e = p->waiting;
        p->waiting = e->next;
        p->last = p->waiting == NULL ? &p->waiting : p->last;
        if (l->client == NULL && lt_failed(connect_line(l))) {
            char why[256];
            (void)snprintf(why, sizeof why, "%s", lt_error_last()->detail); /* fits */
            note(p, false);
            tell(p->fleet, e, NULL, why);
            continue;
        }
        const struct http_ask ask = {.method = "POST",
                                     .target = "/v1/validate",
                                     .content_type = "application/protobuf",
                                     .body = LT_SLICE(e->packed, e->packed_len)};
        l->errand = e;
        p->asked_ms = lt_monotonic_ms();
        http_client_ask(l->client, &ask, on_done, l);
    }
}

static struct line *idle_line(struct peer *p)
{
    struct line *fresh = NULL;
    for (size_t i = 0; i < LINES_MAX; i++) {
        struct line *l = &p->lines[i];
        if (l->errand == NULL && l->client != NULL && !l->probes) {
            return l;
        }
        fresh = fresh == NULL && l->client == NULL ? l : fresh;
    }
    return fresh;
}

/* The address may be another by now. */
static void close_idle(struct peer *p)
{
    for (size_t i = 0; i < LINES_MAX; i++) {
        if (p->lines[i].errand == NULL && p->lines[i].client != NULL && !p->lines[i].probes) {
            http_client_free(LT_TAKE(p->lines[i].client, NULL));
        }
    }
}

static struct errand *new_errand(uint64_t id, const Ipc__Validate *question)
{
    struct errand *e = calloc(1, sizeof *e);
    LT_ASSERT(e != NULL);
    e->id = id;
    e->packed_len = ipc__validate__get_packed_size(question);
    e->packed = malloc(e->packed_len + 1);
    LT_ASSERT(e->packed != NULL);
    (void)ipc__validate__pack(question, e->packed); /* as many as were counted */
    e->question = ipc__validate__unpack(NULL, e->packed_len, e->packed);
    LT_ASSERT(e->question != NULL); /* we packed it ourselves */
    e->since_ms = lt_monotonic_ms();
    return e;
}

void courier_fleet_ask(struct courier_fleet *f, uint64_t id, const Ipc__Validate *question)
{
    struct errand *e = new_errand(id, question);
    struct peer *p = NULL;
    for (size_t i = 0; i < f->perspectives.count; i++) {
        p = strcmp(f->perspectives.list[i].name, question->perspective) == 0 ? &f->peers[i] : p;
    }
    if (p == NULL || f->open >= QUESTIONS_MAX) {
        f->open++;
        e->next = f->lost;
        f->lost = e;
        return;
    }
    if (!p->resolved) {
        close_idle(p);
    }
    f->open++;
    *p->last = e;
    p->last = &e->next;
    struct line *l = idle_line(p);
    if (l != NULL) {
        start_next(l);
    }
}

/* Any answer will do: there is nothing at that path. */
static void on_alive(void *arg, lt_res outcome, const struct http_reply *reply)
{
    struct line *l = arg;
    struct peer *p = l->peer;
    (void)reply;
    l->probes = false;
    p->resolved = p->resolved && outcome.code != LT_RETRY_UNAVAILABLE;
    if (lt_failed(outcome) || !p->out_of_order) {
        note(p, !lt_failed(outcome));
    }
    start_next(l);
}

/* Nobody asks it anything for hours, perhaps; its silence shall be known before it is needed. */
static void ask_whether_alive(struct peer *p, int64_t now_ms)
{
    struct line *l = NULL;
    if (now_ms - p->asked_ms < (p->failures > 0 ? ALIVE_SOON_MS : ALIVE_MS)) {
        return;
    }
    p->asked_ms = now_ms;
    if (!p->resolved) {
        close_idle(p);
    }
    l = idle_line(p);
    if (l == NULL) {
        return; /* it is busy */
    }
    if (l->client == NULL && lt_failed(connect_line(l))) {
        note(p, false);
        return;
    }
    const struct http_ask ask = {.method = "GET", .target = "/v1/alive"};
    l->probes = true;
    http_client_ask(l->client, &ask, on_alive, l);
}

void courier_fleet_tick(struct courier_fleet *f, int64_t now_ms)
{
    while (f->lost != NULL) {
        struct errand *e = f->lost;
        f->lost = e->next;
        tell(f, e, NULL, "the courier knows none of that name, or has too many questions already");
    }
    for (size_t i = 0; i < f->perspectives.count; i++) {
        struct peer *p = &f->peers[i];
        while (p->waiting != NULL && now_ms - p->waiting->since_ms > WAIT_MS) {
            struct errand *e = p->waiting;
            p->waiting = e->next;
            p->last = p->waiting == NULL ? &p->waiting : p->last;
            tell(f, e, NULL, "it is too busy");
        }
        ask_whether_alive(p, now_ms);
    }
}

static lt_res open_peer(struct courier_fleet *f, struct peer *p, const struct validate_perspective *is,
                        lt_slice key_pem)
{
    p->fleet = f;
    p->is = is;
    p->last = &p->waiting;
    for (size_t i = 0; i < LINES_MAX; i++) {
        p->lines[i].peer = p;
    }
    LT_TRY(http_url_split(is->url, &p->url));
    p->pins = (struct http_pins){&is->spki, 1};
    LT_TRY(http_pinned_context(false, key_pem, &p->pins, &p->tls));
    p->origin = (struct http_origin){.base = f->base,
                                     .host = p->url.host,
                                     .port = p->url.port,
                                     .tls = p->tls,
                                     .timeout_ms = ANSWER_MS,
                                     .body_max = ANSWER_BYTES};
    publish(p);
    p->resolved = !lt_failed(http_origin_resolve(&p->origin)); /* else it is tried again when it is needed */
    return LT_OK;
}

lt_res courier_fleet_new(const struct courier_options *options, struct courier_fleet **ret_fleet)
{
    struct courier_fleet *f = calloc(1, sizeof *f);
    LT_ASSERT(f != NULL);
    f->base = options->base;
    f->told = options->told;
    f->self = options->self;
    lt_res r = validate_perspectives_load(options->folder_fd, "perspectives", &f->perspectives);
    f->peers = calloc(f->perspectives.count + 1, sizeof *f->peers);
    LT_ASSERT(f->peers != NULL);
    for (size_t i = 0; i < f->perspectives.count && !lt_failed(r); i++) {
        r = open_peer(f, &f->peers[i], &f->perspectives.list[i], options->key_pem);
    }
    if (lt_failed(r)) {
        courier_fleet_free(f);
        return r;
    }
    *ret_fleet = f;
    return LT_OK;
}

static void free_list(struct errand *e)
{
    while (e != NULL) {
        struct errand *next = e->next;
        free_errand(e);
        e = next;
    }
}

void courier_fleet_free(struct courier_fleet *f)
{
    if (f == NULL) {
        return;
    }
    for (size_t i = 0; i < f->perspectives.count; i++) {
        struct peer *p = &f->peers[i];
        for (size_t k = 0; k < LINES_MAX; k++) {
            http_client_free(p->lines[k].client);
            if (p->lines[k].errand != NULL) {
                free_errand(p->lines[k].errand);
            }
        }
        free_list(p->waiting);
        http_pinned_free(p->tls);
    }
    free_list(f->lost);
    free(f->peers);
    validate_perspectives_done(&f->perspectives);
    free(f);
}

size_t courier_fleet_open(const struct courier_fleet *f)
{
    return f->open;
}

size_t courier_fleet_count(const struct courier_fleet *f)
{
    return f->perspectives.count;
}

void courier_fleet_inherit(struct courier_fleet *f, const struct courier_fleet *before)
{
    for (size_t i = 0; i < before->perspectives.count; i++) {
        struct peer gone = {.is = before->peers[i].is};
        struct peer *same = NULL;
        for (size_t k = 0; k < f->perspectives.count; k++) {
            same = strcmp(f->perspectives.list[k].name, gone.is->name) == 0 ? &f->peers[k] : same;
        }
        if (same != NULL) {
            same->failures = before->peers[i].failures;
            same->silent_since_s = before->peers[i].silent_since_s;
        }
        publish(same != NULL ? same : &gone); /* who is asked no more is not missed */
    }
}
