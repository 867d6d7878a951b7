/* Fetching CRLs back. */
#include "role/courier_crl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/crl_check.h"
#include "http/client.h"

enum {
    WAITING_MAX = 4096, /* more than all parts of a few issuers */
    BODY_MAX = 256 * 1024 * 1024,
    ANSWER_MS = 30000,
    ARENA_MAX = 1024 * 1024, /* a CRL is read where it lies */
};

struct errand {
    struct errand *next;
    Ipc__CrlFetch *asked; /* owned */
};

struct courier_crl {
    struct event_base *base;
    courier_crl_told *told;
    void *self;
    struct errand *waiting; /* owned queue; the first is under way when busy */
    struct errand **last;
    size_t open;
    bool busy;
    struct http_url url;        /* of the origin that client goes to; path is of the errand */
    struct http_client *client; /* owned; NULL: none yet */
    int64_t begun_ms;
};

struct courier_crl *courier_crl_new(struct event_base *base, courier_crl_told *told, void *self)
{
    struct courier_crl *c = calloc(1, sizeof *c);
    LT_ASSERT(c != NULL);
    c->base = base;
    c->told = told;
    c->self = self;
    c->last = &c->waiting;
    return c;
}

static void free_errand(struct errand *e)
{
    ipc__crl_fetch__free_unpacked(e->asked, NULL);
    free(e);
}

void courier_crl_free(struct courier_crl *c)
{
    while (c != NULL && c->waiting != NULL) {
        struct errand *e = c->waiting;
        c->waiting = e->next;
        free_errand(e);
    }
    if (c != NULL) {
        http_client_free(c->client);
    }
    free(c);
}

static Ipc__CrlFetch *copy(const Ipc__CrlFetch *m)
{
    size_t len = ipc__crl_fetch__get_packed_size(m);
    uint8_t *packed = malloc(len + 1);
    LT_ASSERT(packed != NULL);
    (void)ipc__crl_fetch__pack(m, packed); /* as many as were counted */
    Ipc__CrlFetch *own = ipc__crl_fetch__unpack(NULL, len, packed);
    LT_ASSERT(own != NULL); /* we packed it ourselves */
    free(packed);
    return own;
}

/* What nobody has room for is not answered: it is due again by itself. */
void courier_crl_ask(struct courier_crl *c, const Ipc__CrlFetch *asked)
{
    if (c->open >= WAITING_MAX) {
        return;
    }
    struct errand *e = calloc(1, sizeof *e);
    LT_ASSERT(e != NULL);
    e->asked = copy(asked);
    c->open++;
    *c->last = e;
    c->last = &e->next;
}

/* The first errand is done; why NULL: it is good. */
static void tell(struct courier_crl *c, const char *why, size_t bytes)
{
    struct errand *e = c->waiting;
    c->waiting = e->next;
    c->last = c->waiting == NULL ? &c->waiting : c->last;
    c->open--;
    c->busy = false;
    Ipc__CrlFetched m = IPC__CRL_FETCHED__INIT;
    m.issuer = e->asked->issuer;
    m.shard = e->asked->shard;
    m.number = e->asked->number;
    m.good = why == NULL;
    m.detail = (char *)(uintptr_t)(why == NULL ? "" : why); /* packed, not kept */
    m.bytes = bytes;
    m.took_us = (lt_monotonic_ms() - c->begun_ms) * 1000;
    c->told(c->self, &m);
    free_errand(e);
}

static lt_res check(const Ipc__CrlFetch *asked, const struct http_reply *reply)
{
    struct lt_arena a;
    LT_CHECK(reply->head->status == 200, LT_POLICY_REFUSED, "the answer's status is %u", reply->head->status);
    const struct ca_crl_expected e = {
        .issuer = LT_SLICE(asked->certificate.data, asked->certificate.len),
        .url = asked->url,
        .part = asked->shard != 0,
        .number = LT_SLICE(asked->number.data, asked->number.len),
        .sha256 = LT_SLICE(asked->sha256.data, asked->sha256.len),
        .entries = asked->entries,
        .now = lt_now(),
    };
    lt_arena_init(&a, ARENA_MAX);
    lt_res r = ca_crl_check(reply->body, &e, &a, NULL);
    lt_arena_done(&a);
    return r;
}

static void on_done(void *arg, lt_res outcome, const struct http_reply *reply);

static bool same_origin(const struct courier_crl *c, const struct http_url *url)
{
    return c->client != NULL && c->url.port == url->port && strcmp(c->url.host, url->host) == 0;
}

/* The addresses of parts differ in their paths alone; another origin needs another connection. */
static lt_res connect_to(struct courier_crl *c, const struct http_url *url)
{
    if (same_origin(c, url)) {
        return LT_OK;
    }
    http_client_free(LT_TAKE(c->client, NULL));
    c->url = *url;
    struct http_origin origin = {.base = c->base,
                                 .host = c->url.host,
                                 .port = c->url.port,
                                 .timeout_ms = ANSWER_MS,
                                 .body_max = BODY_MAX};
    LT_TRY(http_origin_resolve(&origin));
    return http_client_new(&origin, &c->client);
}

static lt_res begin(struct courier_crl *c)
{
    struct http_url url;
    LT_TRY(http_url_split(c->waiting->asked->url, &url));
    LT_CHECK(!url.tls, LT_POLICY_REFUSED, "a CRL is fetched by plain HTTP");
    LT_TRY(connect_to(c, &url));
    const struct http_ask ask = {.method = "GET", .target = url.path};
    http_client_ask(c->client, &ask, on_done, c);
    return LT_OK;
}

void courier_crl_tick(struct courier_crl *c)
{
    while (!c->busy && c->waiting != NULL) {
        c->busy = true;
        c->begun_ms = lt_monotonic_ms();
        if (lt_failed(begin(c))) {
            char why[256];
            (void)snprintf(why, sizeof why, "%s", lt_error_last()->detail); /* fits */
            tell(c, why, 0);
        }
    }
}

/* The next of the same origin goes out at once; a client that is calling may not be freed, so another's waits
 * for the tick. */
static void on_done(void *arg, lt_res outcome, const struct http_reply *reply)
{
    struct courier_crl *c = arg;
    struct http_url next;
    char why[256];
    lt_res r = lt_failed(outcome) ? outcome : check(c->waiting->asked, reply);
    if (lt_failed(r)) {
        (void)snprintf(why, sizeof why, "%s", lt_error_last()->detail); /* fits */
    }
    tell(c, lt_failed(r) ? why : NULL, reply == NULL ? 0 : reply->body.len);
    if (c->waiting != NULL && !lt_failed(http_url_split(c->waiting->asked->url, &next)) &&
        same_origin(c, &next)) {
        courier_crl_tick(c);
    }
}

size_t courier_crl_open(const struct courier_crl *c)
{
    return c->open;
}
