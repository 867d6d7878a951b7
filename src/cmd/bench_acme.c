/* lintel bench acme: full issuance flows against any ACME server, in a closed loop (each client begins again
 * when it is done) or an open one (flows are due at a given rate, whether or not the server keeps up). The
 * clients, what answers their challenges and the name server for their names are this one process. */
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/random.h"
#include "base/text.h"
#include "cmd/bench.h"
#include "cmd/verbs.h"
#include "jose/json.h"

enum { CLIENTS_MAX = 2000, SECONDS_MAX = 86400, RATE_MAX = 100000, PAUSE_MS = 50 };

static const struct cmd_option options[] = {
    {"url", "URL", "of the directory", false, NULL},
    {"ca", "FILE", "trust this certificate for the server's TLS (default: the system's)", false, NULL},
    {"clients", "N", "accounts, each with its connection (default: 4)", false, NULL},
    {"seconds", "S", "of measuring (default: 10)", false, NULL},
    {"rate", "R", "open loop: so many flows a second are due (default: closed loop)", false, NULL},
    {"names", "N", "names in each order (default: 1)", false, NULL},
    {"suffix", "DOMAIN", "what names end in (default: example.com)", false, NULL},
    {"http-port", "PORT", "answer http-01 here, on 127.0.0.1 (default: 80)", false, NULL},
    {"dns-port", "PORT", "answer DNS for the names here, on 127.0.0.1 (default: do not)", false, NULL},
};

/* Pace. */

static void stop(struct bench *b)
{
    (void)event_base_loopbreak(b->base); /* fails only without a base */
}

static bool over(const struct bench *b)
{
    return b->end_us != 0 && lt_now().us >= b->end_us;
}

/* When the next flow of an open loop is due. */
static int64_t due_us(const struct bench *b)
{
    return b->began_us + (int64_t)(b->begun * 1000000 / b->options.rate);
}

/* The accounts take turns: what a server keeps ready for one is not kept warm by a few. */
static void begin_due(struct bench *b)
{
    int64_t now_us = lt_now().us;
    for (uint64_t i = 0; i < b->options.clients && due_us(b) <= now_us && !over(b); i++) {
        struct bench_client *c = &b->clients[b->turn];
        b->turn = (b->turn + 1) % b->options.clients;
        if (!c->busy) {
            int64_t due = due_us(b);
            b->begun++;
            b->skipped += now_us - due > 20000 ? 1 : 0;
            bench_client_flow(c, due);
        }
    }
}

static void on_pace(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct bench *b = arg;
    if (b->began_us != 0 && b->options.rate > 0) {
        begin_due(b);
    }
    if (over(b)) {
        stop(b);
    }
}

static void on_pause(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct bench_client *c = arg;
    if (!over(c->bench)) {
        bench_client_flow(c, lt_now().us);
    }
}

void bench_flow_over(struct bench_client *c, bool good)
{
    struct bench *b = c->bench;
    static const struct timeval pause = {.tv_usec = PAUSE_MS * 1000};
    static const struct timeval now = {0};
    if (over(b)) {
        stop(b);
    } else if (b->options.rate > 0) {
        begin_due(b);
    } else {
        /* From the loop, not from within the answer; a failing server is not asked in a frenzy. */
        (void)event_base_once(b->base, -1, EV_TIMEOUT, on_pause, c, good ? &now : &pause);
    }
}

static void begin(struct bench *b)
{
    b->began_us = lt_now().us;
    b->end_us = b->began_us + (int64_t)b->options.seconds * 1000000;
    b->measuring = true;
    for (uint64_t i = 0; i < b->options.clients && b->options.rate == 0; i++) {
        if (b->clients[i].kid[0] != 0) {
            bench_client_flow(&b->clients[i], b->began_us);
        }
    }
}

void bench_account_ready(struct bench_client *c, bool good)
{
    struct bench *b = c->bench;
    b->ready += good ? 1 : 0;
    b->failed += good ? 0 : 1;
    c->busy = !good; /* one without account gets no flow */
    if (b->failed > 0) {
        stop(b);
    } else if (b->ready == b->options.clients) {
        begin(b);
    } else {
        bench_client_register(&b->clients[b->ready]); /* one after the other */
    }
}

/* Setting up. */

static lt_res take_url(const json_t *directory, const char *name, char ret_url[BENCH_TEXT])
{
    lt_slice url;
    LT_TRY(jose_json_string(directory, name, &url));
    LT_CHECK(url.len < BENCH_TEXT, LT_PEER_MALFORMED, "directory: %s is too long", name);
    (void)snprintf(ret_url, BENCH_TEXT, "%.*s", LT_FMT(url)); /* measured */
    return LT_OK;
}

struct directory {
    struct bench *bench;
    lt_res outcome;
};

static void on_directory(void *arg, lt_res outcome, const struct http_reply *reply)
{
    struct directory *d = arg;
    struct bench *b = d->bench;
    LT_CLEANUP(jose_json_freep) json_t *directory = NULL;
    d->outcome = outcome;
    if (!lt_failed(outcome) && reply->head->status != 200) {
        d->outcome = lt_fail(LT_PEER_MALFORMED, __FILE__, __LINE__, "%.120s: status %u", b->options.url,
                             reply->head->status);
    }
    d->outcome = lt_failed(d->outcome) ? d->outcome : jose_json_object(reply->body, &directory);
    d->outcome = lt_failed(d->outcome) ? d->outcome : take_url(directory, "newNonce", b->new_nonce);
    d->outcome = lt_failed(d->outcome) ? d->outcome : take_url(directory, "newAccount", b->new_account);
    d->outcome = lt_failed(d->outcome) ? d->outcome : take_url(directory, "newOrder", b->new_order);
    stop(b);
}

static lt_res read_directory(struct bench *b)
{
    struct http_client *http;
    struct directory d = {b, LT_OK};
    const struct http_ask ask = {.method = "GET", .target = b->directory};
    LT_TRY(http_client_new(&b->origin, &http));
    http_client_ask(http, &ask, on_directory, &d);
    LT_ASSERT(event_base_dispatch(b->base) >= 0);
    http_client_free(http);
    return d.outcome;
}

static lt_res open_tls(struct bench *b)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    LT_ASSERT(ctx != NULL);
    b->origin.tls = ctx;
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    int ok = b->options.ca_file != NULL ? SSL_CTX_load_verify_file(ctx, b->options.ca_file)
                                        : SSL_CTX_set_default_verify_paths(ctx);
    LT_CHECK(ok == 1, LT_PEER_USAGE, "--ca: no certificate can be read from %.150s",
             b->options.ca_file == NULL ? "the system's store" : b->options.ca_file);
    return LT_OK;
}

static lt_res open_origin(struct bench *b)
{
    struct http_url url;
    LT_TRY(http_url_split(b->options.url, &url));
    memcpy(b->host, url.host, sizeof b->host);
    b->directory = url.path;
    b->origin.port = url.port;
    b->origin.base = b->base;
    b->origin.host = b->host;
    LT_TRY(http_origin_resolve(&b->origin));
    return url.tls ? open_tls(b) : LT_OK;
}

static lt_res make_clients(struct bench *b)
{
    uint8_t run[4];
    lt_random(run, sizeof run);
    (void)snprintf(b->run, sizeof b->run, "%02x%02x%02x%02x", run[0], run[1], run[2], run[3]);
    for (size_t i = 0; i < BENCH_LEAF_KEYS; i++) {
        LT_TRY(crypto_key_generate(CRYPTO_KEY_P256, 0, &b->leaf_keys[i]));
    }
    b->clients = calloc(b->options.clients, sizeof *b->clients);
    LT_ASSERT(b->clients != NULL);
    for (uint64_t i = 0; i < b->options.clients; i++) {
        LT_TRY(bench_client_init(&b->clients[i], b, (unsigned)i));
    }
    return LT_OK;
}

static lt_res read_options(const struct cmd *c, struct bench_options *o)
{
    *o = (struct bench_options){.url = cmd_value(c, "url"), .ca_file = cmd_value(c, "ca")};
    o->suffix = cmd_value_or(c, "suffix", "example.com");
    LT_CHECK(o->url != NULL, LT_PEER_USAGE,
             "--url: of the directory; for example https://localhost:14000/acme/directory");
    LT_TRY(cmd_number(c, "clients", 4, CLIENTS_MAX, &o->clients));
    LT_TRY(cmd_number(c, "seconds", 10, SECONDS_MAX, &o->seconds));
    LT_TRY(cmd_number(c, "rate", 0, RATE_MAX, &o->rate));
    LT_TRY(cmd_number(c, "names", 1, BENCH_NAMES_MAX, &o->names));
    LT_TRY(cmd_number(c, "http-port", 80, 65535, &o->http_port));
    LT_TRY(cmd_number(c, "dns-port", 0, 65535, &o->dns_port));
    LT_CHECK(o->clients > 0 && o->seconds > 0 && o->names > 0, LT_PEER_USAGE,
             "--clients, --seconds, --names: at least 1");
    LT_CHECK(strlen(o->suffix) < 200, LT_PEER_USAGE, "--suffix: too long");
    return LT_OK;
}

/* Interrupted: what was measured until then is told. */
static void on_interrupt(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    stop(arg);
}

static double cpu_seconds(void)
{
    struct rusage u;
    LT_ASSERT(getrusage(RUSAGE_SELF, &u) == 0);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static lt_res measure(struct cmd *c, struct bench *b)
{
    static const struct timeval pace = {.tv_usec = 1000};
    static const struct timeval slow = {.tv_usec = 50000};
    struct event event;
    struct event interrupt;
    double cpu_s = cpu_seconds();
    LT_ASSERT(event_assign(&interrupt, b->base, SIGINT, EV_SIGNAL | EV_PERSIST, on_interrupt, b) == 0);
    LT_ASSERT(event_add(&interrupt, NULL) == 0);
    LT_ASSERT(event_assign(&event, b->base, -1, EV_PERSIST, on_pace, b) == 0);
    LT_ASSERT(event_add(&event, b->options.rate > 0 ? &pace : &slow) == 0);
    bench_client_register(&b->clients[0]);
    LT_ASSERT(event_base_dispatch(b->base) >= 0);
    (void)event_del(&event);
    (void)event_del(&interrupt);
    LT_CHECK(b->failed == 0, LT_RETRY_UNAVAILABLE, "no account: %s", b->first_error);
    double seconds = (double)(lt_now().us - b->began_us) / 1e6;
    cpu_s = cpu_seconds() - cpu_s;
    b->measuring = false;
    struct lt_buf out;
    lt_buf_init(&out, 256 * 1024);
    if (c->json) {
        bench_report_json(b, seconds, cpu_s, &out);
    } else {
        bench_report_text(b, seconds, cpu_s, &out);
    }
    lt_res r = cmd_print(lt_buf_slice(&out));
    lt_buf_done(&out);
    LT_TRY(r);
    LT_CHECK(b->stats.certificates > 0, LT_RETRY_UNAVAILABLE, "not one certificate: %s", b->first_error);
    return LT_OK;
}

static void free_bench(struct bench *b)
{
    for (uint64_t i = 0; b->clients != NULL && i < b->options.clients; i++) {
        bench_client_done(&b->clients[i]);
    }
    free(b->clients);
    for (size_t i = 0; i < BENCH_LEAF_KEYS; i++) {
        crypto_key_free(b->leaf_keys[i]);
    }
    bench_stats_done(&b->stats);
    SSL_CTX_free(b->origin.tls);
    event_base_free(b->base);
}

static lt_res run(struct cmd *c)
{
    struct bench b = {0};
    struct bench_responder *responder = NULL;
    LT_TRY(read_options(c, &b.options));
    (void)signal(SIGPIPE, SIG_IGN); /* a server that hangs up is an error of the flow */
    b.base = event_base_new();
    LT_ASSERT(b.base != NULL);
    lt_res r = open_origin(&b);
    r = lt_failed(r) ? r : read_directory(&b);
    r = lt_failed(r) ? r : make_clients(&b);
    r = lt_failed(r) ? r : bench_responder_new(&b, &responder);
    r = lt_failed(r) ? r : measure(c, &b);
    bench_responder_free(responder);
    free_bench(&b);
    return r;
}

const struct cmd_verb cmd_bench_acme = {
    .name = "bench acme",
    .words = "",
    .summary = "measure full issuance flows against an ACME server",
    .help =
        "New order, http-01 answered here on loopback, finalize, download; again and again, for names that\n"
        "nobody used before. The server must resolve the names to 127.0.0.1 (point its resolver at\n"
        "--dns-port) and validate at --http-port. Says how many certificates a second, what each step took,\n"
        "and what went wrong. Works against any ACME server that wants no external account. What is not\n"
        "finished is asked again after 4, 8, 16 … 250 ms, whatever Retry-After says; 429 and 503 are "
        "obeyed. Ctrl-C ends it early, with what was measured.\n"
        "\n"
        "examples:\n"
        "  lintel bench acme --url https://localhost:14000/acme/directory --ca var/ca/ca/root.pem \\\n"
        "      --http-port 5002 --dns-port 8053 --clients 25 --seconds 20\n"
        "  lintel bench acme --url https://localhost:14000/dir --ca pebble.minica.pem --rate 200 --clients "
        "100",
    .options = options,
    .option_count = LT_COUNT(options),
    .run = run,
};
