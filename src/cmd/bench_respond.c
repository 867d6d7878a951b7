/* What the server under test asks back: http-01 on loopback and, where its resolver points here, DNS. Names
 * carry the number of their client, so nothing need be remembered between challenge and question. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "cmd/bench.h"
#include "http/server.h"

enum { TICK_MS = 100, DNS_BURST = 64, DNS_MAX = 1024 };

struct bench_responder {
    struct bench *bench;
    struct http_server *server;
    struct http_listener_info info;
    struct event tick;
    int dns_fd; /* owned; -1 */
    struct event dns;
};

/* The client whose name this is: "c12-…". */
static const struct bench_client *client_of(const struct bench *b, lt_slice host)
{
    lt_slice head;
    uint64_t number;
    if (host.len < 2 || host.ptr[0] != 'c' || !lt_slice_split(&host, '-', &head) ||
        lt_failed(lt_parse_u64(lt_slice_sub(head, 1, SIZE_MAX), b->options.clients - 1, &number))) {
        return NULL;
    }
    return &b->clients[number];
}

/*= RFC 8555 8.3 "/.well-known/acme-challenge/", followed by the token */
static void on_request(void *self, struct http_exchange *x)
{
    const struct bench_responder *r = self;
    const struct http_request *q = http_exchange_request(x);
    const lt_slice prefix = LT_LIT("/.well-known/acme-challenge/");
    const struct bench_client *c = client_of(r->bench, http_request_field(q, "host"));
    if (c == NULL || !lt_slice_starts(q->path, prefix)) {
        http_exchange_problem(x, 404, NULL, "no challenge of this run", 0);
        return;
    }
    char text[256];
    int len = snprintf(text, sizeof text, "%.*s.%s", LT_FMT(lt_slice_sub(q->path, prefix.len, 128)),
                       c->thumbprint);
    const struct http_answer answer = {
        .status = 200,
        .content_type = "application/octet-stream",
        .body = LT_SLICE(text, (size_t)len),
    };
    http_exchange_answer(x, &answer);
}

static void on_ended(void *self, struct http_exchange *x, const struct http_outcome *outcome)
{
    (void)self;
    (void)x;
    (void)outcome;
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct bench_responder *r = arg;
    http_server_tick(r->server, lt_now(), lt_monotonic_ms());
}

static void on_dns(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    const struct bench_responder *r = arg;
    struct lt_buf out;
    lt_buf_init(&out, DNS_MAX);
    for (int i = 0; i < DNS_BURST; i++) {
        uint8_t bytes[DNS_MAX];
        struct sockaddr_storage from;
        socklen_t len = sizeof from;
        ssize_t n = recvfrom(fd, bytes, sizeof bytes, MSG_DONTWAIT, (struct sockaddr *)&from, &len);
        if (n < 0) {
            break;
        }
        lt_buf_reset(&out);
        if (!lt_failed(bench_dns_answer(LT_SLICE(bytes, (size_t)n), r->bench->options.suffix, &out))) {
            (void)sendto(fd, out.ptr, out.len, MSG_DONTWAIT, (const struct sockaddr *)&from,
                         len); /* it may ask again */
        }
    }
    lt_buf_done(&out);
}

static lt_res bind_port(int type, uint64_t port, int *ret_fd)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int on = 1;
    int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    LT_CHECK(fd >= 0, LT_STATE_IO, "socket: %s", strerror(errno));
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, (const struct sockaddr *)&a, sizeof a) != 0 ||
        (type == SOCK_STREAM && listen(fd, 1024) != 0)) {
        int e = errno;
        (void)close(fd); /* unused */
        LT_FAIL(LT_PEER_USAGE, "127.0.0.1 port %llu: %s", (unsigned long long)port, strerror(e));
    }
    *ret_fd = fd;
    return LT_OK;
}

lt_res bench_responder_new(struct bench *b, struct bench_responder **ret_responder)
{
    static const struct timeval period = {.tv_usec = TICK_MS * 1000};
    const struct http_limits limits = {0};
    int http_fd;
    int dns_fd = -1;
    LT_TRY(bind_port(SOCK_STREAM, b->options.http_port, &http_fd));
    if (b->options.dns_port != 0) {
        lt_res r = bind_port(SOCK_DGRAM, b->options.dns_port, &dns_fd);
        if (lt_failed(r)) {
            (void)close(http_fd); /* unused */
            return r;
        }
    }
    struct bench_responder *r = calloc(1, sizeof *r);
    LT_ASSERT(r != NULL);
    *r = (struct bench_responder){.bench = b, .dns_fd = dns_fd, .info = {"http-01", HTTP_LISTEN_PLAIN, true}};
    const struct http_hooks hooks = {r, on_request, on_ended};
    *ret_responder = r;
    LT_TRY(http_server_new(b->base, &limits, &hooks, &r->server));
    on_tick(-1, 0, r);
    LT_ASSERT(event_assign(&r->tick, b->base, -1, EV_PERSIST, on_tick, r) == 0 &&
              event_add(&r->tick, &period) == 0);
    if (dns_fd >= 0) {
        LT_ASSERT(event_assign(&r->dns, b->base, dns_fd, EV_READ | EV_PERSIST, on_dns, r) == 0);
        LT_ASSERT(event_add(&r->dns, NULL) == 0);
    }
    return http_server_listen(r->server, http_fd, &r->info);
}

void bench_responder_free(struct bench_responder *r)
{
    if (r == NULL) {
        return;
    }
    http_server_free(r->server);
    (void)event_del(&r->tick); /* deleting what was not added is fine */
    if (r->dns_fd >= 0) {
        (void)event_del(&r->dns);
        (void)close(r->dns_fd); /* datagrams: nothing to lose */
    }
    free(r);
}
