/* A connection to the server, HTTP/1.1 or HTTP/2, byte for byte: whatever comes, in whatever pieces, at
 * whatever time, each request that was handed over ends exactly once, and nothing is left behind.
 *
 * Input: records of one byte of what to do and, for a piece, one of its length. 0..199: send a piece of that
 * many bytes; 200..219: time goes on; 220..239: answer what waits; else: end the client's sending. */
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "http/server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HELD = 4, PUMPS = 3 };

static struct event_base *base;
static struct http_server *server;
static struct sockaddr_un address;
static socklen_t address_len;
static int64_t now_ms = 1000;
static size_t handed;
static size_t ended;
static struct http_exchange *held[HELD];

static void on_request(void *self, struct http_exchange *x)
{
    (void)self;
    const struct http_request *r = http_exchange_request(x);
    handed++;
    LT_ASSERT(r->path.len > 0 && r->path.ptr[0] == '/' && r->body.len <= HTTP_BODY_MAX);
    if (r->path.len > 1 && r->path.ptr[1] == 'l') {
        for (size_t i = 0; i < HELD; i++) {
            if (held[i] == NULL) {
                held[i] = x;
                return;
            }
        }
    }
    const struct http_answer a = {.status = 200, .body = r->body, .more = r->query.len > 0};
    bool more = a.more;
    http_exchange_answer(x, &a);
    if (more) {
        http_exchange_more(x, LT_LIT("end"), false);
    }
}

static void on_ended(void *self, struct http_exchange *x, const struct http_outcome *outcome)
{
    (void)self;
    (void)outcome;
    ended++;
    for (size_t i = 0; i < HELD; i++) {
        held[i] = held[i] == x ? NULL : held[i];
    }
}

static void pump(void)
{
    for (int i = 0; i < PUMPS; i++) {
        (void)event_base_loop(base, EVLOOP_NONBLOCK);
    }
}

static void wait_ms(int64_t ms)
{
    now_ms += ms;
    http_server_tick(server, lt_time_from_seconds(now_ms / 1000), now_ms);
    pump();
}

static void open_server(void)
{
    static const struct http_listener_info info = {.name = "fuzz", .kind = HTTP_LISTEN_UNIX, .h2c = true};
    static const struct http_limits limits;
    static const struct http_hooks hooks = {NULL, on_request, on_ended};
    (void)signal(SIGPIPE, SIG_IGN); /* as every program of the family does */
    address.sun_family = AF_UNIX;
    int len = snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "lintel-fuzz-http-%d",
                       (int)getpid());
    address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    LT_ASSERT(bind(fd, (struct sockaddr *)&address, address_len) == 0 && listen(fd, 8) == 0);
    base = event_base_new();
    LT_ASSERT(base != NULL && !lt_failed(http_server_new(base, &limits, &hooks, &server)));
    wait_ms(1);
    LT_ASSERT(!lt_failed(http_server_listen(server, fd, &info)));
}

static void send_piece(int fd, lt_slice piece)
{
    (void)send(fd, piece.ptr, piece.len, MSG_NOSIGNAL | MSG_DONTWAIT); /* the server may have closed */
    pump();
}

static void answer_held(uint8_t how)
{
    struct http_exchange *x = held[how % HELD];
    if (x != NULL) {
        http_exchange_problem(x, 404, NULL, "no", 0);
    }
    pump();
}

static void drain(int fd)
{
    uint8_t bytes[65536];
    while (recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0) {
        pump();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (server == NULL) {
        open_server();
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    LT_ASSERT(connect(fd, (const struct sockaddr *)&address, address_len) == 0);
    pump();
    lt_slice in = LT_SLICE(data, size);
    while (in.len > 0) {
        uint8_t what = in.ptr[0];
        in = lt_slice_sub(in, 1, SIZE_MAX);
        if (what < 200) {
            send_piece(fd, lt_slice_sub(in, 0, what));
            in = lt_slice_sub(in, what, SIZE_MAX);
        } else if (what < 220) {
            wait_ms((int64_t)1 << (what - 200));
        } else if (what < 240) {
            answer_held(what);
        } else {
            (void)shutdown(fd, SHUT_WR); /* again is harmless */
            pump();
        }
    }
    drain(fd);
    (void)close(fd);
    for (uint8_t i = 0; i < HELD; i++) {
        answer_held(i);
        answer_held(i); /* a pipelined one may have come after it */
    }
    wait_ms(200000);
    wait_ms(200000);
    const struct http_stats *s = http_server_stats(server);
    LT_ASSERT(handed == ended && s->open_reserved == 0);
    return 0;
}
