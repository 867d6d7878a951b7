/* The server over real sockets: what is refused and how, who waits for whom, and what slow or greedy clients
 * get. */
#include "rig.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define GOOD "GET /ok HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST "POST /ok HTTP/1.1\r\nHost: a\r\n"

#define ROW(status_, text_)                \
    {                                      \
        (status_), text_, sizeof text_ - 1 \
    }

/* The seventeen shapes that libraries in use let through, and others. */
static const struct {
    unsigned status;
    const char *text;
    size_t len;
} probes[] = {
    ROW(400, POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ROW(400, POST "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
    ROW(400, POST "Content-Length: +5\r\n\r\nhello"),
    ROW(400, POST "Content-Length: -5\r\n\r\nhello"),
    ROW(501, POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    ROW(400, "GET /ok HTTP/1.1\r\nHost : a\r\n\r\n"),
    ROW(400, "GET /ok HTTP/1.1\nHost: a\n\n"),
    ROW(400, "GET /ok HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"),
    ROW(400, "GET /ok HTTP/1.1\r\n\r\n"),
    ROW(400, "GET /ok HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
    ROW(400, POST "Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n"),
    ROW(505, "GET /ok HTTP/9.9\r\nHost: a\r\n\r\n"),
    ROW(400, "GET /ok HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n"),
    ROW(400, "GET /ok HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n"),
    ROW(400, "GET /a/../ok HTTP/1.1\r\nHost: a\r\n\r\n"),
    ROW(413, POST "Content-Length: 65537\r\n\r\n"),
    ROW(417, POST "Content-Length: 5\r\nExpect: something\r\n\r\nhello"),
    ROW(400, POST "Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n"),
    ROW(400, POST "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n"),
    ROW(501, "BREW /ok HTTP/1.1\r\nHost: a\r\n\r\n"),
};

static void test_probes(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, HTTP_LISTEN_PLAIN, NULL);
    for (size_t i = 0; i < LT_COUNT(probes); i++) {
        struct client c;
        client_init(&c, &r);
        client_send(&c, probes[i].text, probes[i].len);
        client_say(&c, GOOD); /* a smuggled second request must not be answered */
        client_read(&c);
        if (client_status(&c, 0) != probes[i].status) {
            print_error("probe %zu: %s\n%s\n", i, probes[i].text, c.in);
        }
        assert_int_equal(client_status(&c, 0), probes[i].status);
        assert_non_null(strstr(c.in, "Connection: close\r\n"));
        assert_non_null(strstr(c.in, "application/problem+json"));
        assert_null(strstr(c.in + 1, "HTTP/1.1 "));
        client_done(&c);
    }
    assert_int_equal(r.requests, 0);
    assert_int_equal(http_server_stats(r.server)->malformed, LT_COUNT(probes));
    rig_done(&r);
}

/* 200 KB of one header: the answer arrives although the client is still sending. */
static void test_long_header(void **state)
{
    (void)state;
    struct rig r;
    struct client c;
    rig_init(&r, HTTP_LISTEN_PLAIN, NULL);
    client_init(&c, &r);
    client_say(&c, "GET /ok HTTP/1.1\r\nHost: a\r\nX: ");
    char block[2000];
    memset(block, 'a', sizeof block);
    for (int i = 0; i < 100; i++) {
        client_send(&c, block, sizeof block);
    }
    client_read(&c);
    assert_int_equal(client_status(&c, 0), 431);
    assert_false(c.reset);
    client_done(&c);
    rig_done(&r);
}

static void test_bodies(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned status;
        const char *body;
    } rows[] = {
        {POST "Content-Length: 5\r\n\r\nhello", 200, "hello"},
        {POST "Content-Length: 0\r\n\r\n", 200, ""},
        {POST "\r\n", 200, ""},
        {POST "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nT: x\r\n\r\n", 200, "hello"},
        {"\r\n" POST "Content-Length: 2\r\n\r\nab", 200, "ab"},
        {"\r\n\r\n" POST "Content-Length: 2\r\n\r\nab", 400, NULL},
    };
    struct rig r;
    rig_init(&r, HTTP_LISTEN_PLAIN, NULL);
    for (size_t step = 1; step < 2000; step += 1998) {
        for (size_t i = 0; i < LT_COUNT(rows); i++) {
            struct client c;
            client_init(&c, &r);
            lt_slice text = lt_slice_cstr(rows[i].text);
            for (size_t at = 0; at < text.len; at += step) {
                lt_slice piece = lt_slice_sub(text, at, step);
                client_send(&c, piece.ptr, piece.len);
            }
            client_read(&c);
            assert_int_equal(client_status(&c, 0), rows[i].status);
            assert_true(rows[i].body == NULL || strcmp(r.last_body, rows[i].body) == 0);
            client_done(&c);
        }
    }
    rig_done(&r);
}

/* The largest body that is taken, in both framings, and one byte more. */
static void test_body_limit(void **state)
{
    (void)state;
    struct rig r;
    static char bytes[HTTP_BODY_MAX + 1];
    memset(bytes, 'x', sizeof bytes);
    rig_init(&r, HTTP_LISTEN_PLAIN, NULL);
    for (size_t extra = 0; extra < 2; extra++) {
        for (int chunked = 0; chunked < 2; chunked++) {
            struct client c;
            char head[128];
            size_t len = HTTP_BODY_MAX + extra;
            client_init(&c, &r);
            (void)snprintf(head, sizeof head,
                           chunked ? POST "Transfer-Encoding: chunked\r\n\r\n%zx\r\n"
                                   : POST "Content-Length: %zu\r\n\r\n",
                           len);
            client_say(&c, head);
            client_send(&c, bytes, len);
            client_say(&c, chunked ? "\r\n0\r\n\r\n" : "");
            client_read(&c);
            assert_int_equal(client_status(&c, 0), extra == 0 ? 200 : 413);
            assert_true(extra == 1 || r.last_body_len == HTTP_BODY_MAX);
            client_done(&c);
        }
    }
    rig_done(&r);
}

static void test_expect(void **state)
{
    (void)state;
    struct rig r;
    struct client c;
    rig_init(&r, HTTP_LISTEN_PLAIN, NULL);
    client_init(&c, &r);
    client_say(&c, POST "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    client_read(&c);
    assert_string_equal(c.in, "HTTP/1.1 100 Continue\r\n\r\n");
    client_say(&c, "hello");
    client_read(&c);
    assert_int_equal(client_status(&c, 1), 200);
    assert_string_equal(r.last_body, "hello");
    client_done(&c);
    client_init(&c, &r); /* no encouragement for what will be refused */
    client_say(&c, POST "Content-Length: 70000\r\nExpect: 100-continue\r\n\r\n");
    client_read(&c);
    assert_int_equal(client_status(&c, 0), 413);
    client_done(&c);
    rig_done(&r);
}

static void test_keep_alive_and_pipeline(void **state)
{
    (void)state;
    struct rig r;
    struct client c;
    rig_init(&r, HTTP_LISTEN_PLAIN, NULL);
    client_init(&c, &r);
    for (int i = 0; i < 3; i++) {
        client_say(&c, GOOD GOOD "HEAD /ok HTTP/1.1\r\nHost: a\r\n\r\n" GOOD);
    }
    client_read(&c);
    assert_int_equal(r.requests, 12);
    assert_int_equal(client_status(&c, 0), 200);
    assert_false(c.closed);
    client_say(&c, "GET /ok HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" GOOD);
    client_read(&c);
    assert_int_equal(r.requests, 13);
    assert_true(c.closed);
    client_done(&c);
    client_init(&c, &r);
    client_say(&c, "GET /ok HTTP/1.0\r\nHost: a\r\n\r\n");
    client_read(&c);
    assert_int_equal(client_status(&c, 0), 200);
    assert_true(c.closed);
    client_done(&c);
    rig_done(&r);
}

/* One request at a time, in order; what a client pipelines behind a slow one waits in its own socket. */
static void test_pipeline_is_bounded(void **state)
{
    (void)state;
    struct rig r;
    struct client c;
    rig_init(&r, HTTP_LISTEN_PLAIN, NULL);
    client_init(&c, &r);
    client_say(&c, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
    for (int i = 0; i < 2000; i++) {
        client_say(&c, GOOD);
    }
    assert_int_equal(r.requests, 1);
    http_exchange_problem(r.held[0], 503, NULL, "first", 1);
    client_read(&c);
    assert_int_equal(client_status(&c, 0), 503);
    assert_int_equal(client_status(&c, 1), 200);
    assert_int_equal(r.requests, 2001);
    client_done(&c);
    rig_done(&r);
}

static void test_answers(void **state)
{
    (void)state;
    struct rig r;
    struct client c;
    rig_init(&r, HTTP_LISTEN_PLAIN, NULL);
    client_init(&c, &r);
    client_say(&c, GOOD);
    client_read(&c);
    assert_string_equal(c.in, "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                              "Content-Type: text/plain\r\nx-test: yes\r\nContent-Length: 3\r\n\r\n/ok");
    c.in_len = 0;
    client_say(&c, "HEAD /ok HTTP/1.1\r\nHost: a\r\n\r\n");
    client_read(&c);
    assert_non_null(strstr(c.in, "Content-Length: 3\r\n\r\n"));
    assert_null(strstr(c.in, "/ok"));
    c.in_len = 0;
    client_say(&c, "GET /none HTTP/1.1\r\nHost: a\r\n\r\n");
    client_read(&c);
    assert_int_equal(client_status(&c, 0), 204);
    assert_null(strstr(c.in, "Content-Length"));
    c.in_len = 0;
    client_say(&c, "GET /bad-header HTTP/1.1\r\nHost: a\r\n\r\n");
    client_read(&c);
    assert_int_equal(client_status(&c, 0), 500);
    assert_null(strstr(c.in, "x-c"));
    client_done(&c);
    rig_done(&r);
}

static void check_big(const struct client *c)
{
    const char *body = strstr(c->in, "\r\n\r\n");
    assert_non_null(body);
    body += 4;
    assert_int_equal(c->in_len - (size_t)(body - c->in), 1000000);
    for (size_t i = 0; i < 1000000; i++) {
        assert_true(body[i] == (char)('a' + i % 26));
    }
}

static void test_big_answers(void **state)
{
    (void)state;
    static const char *const asks[] = {"GET /big HTTP/1.1\r\nHost: a\r\n\r\n",
                                       "GET /file HTTP/1.1\r\nHost: a\r\n\r\n"};
    for (int tls = 0; tls < 2; tls++) {
        struct rig r;
        rig_init(&r, tls ? HTTP_LISTEN_TLS : HTTP_LISTEN_PLAIN, NULL);
        for (size_t i = 0; i < LT_COUNT(asks); i++) {
            struct client c;
            if (tls) {
                assert_true(client_tls(&c, &r, NULL));
            } else {
                client_init(&c, &r);
            }
            client_say(&c, asks[i]);
            client_read(&c);
            check_big(&c);
            client_done(&c);
        }
        assert_int_equal(r.complete, 2);
        rig_done(&r);
    }
}

static void test_streamed_answer(void **state)
{
    (void)state;
    struct rig r;
    struct client c;
    rig_init(&r, HTTP_LISTEN_PLAIN, NULL);
    client_init(&c, &r);
    client_say(&c, "GET /more HTTP/1.1\r\nHost: a\r\n\r\n" GOOD);
    client_read(&c);
    http_exchange_more(r.held[0], LT_LIT("two,"), true);
    client_read(&c);
    http_exchange_more(r.held[0], LT_LIT(""), true);
    http_exchange_more(r.held[0], LT_LIT("three"), false);
    client_read(&c);
    assert_non_null(strstr(c.in, "Transfer-Encoding: chunked\r\n"));
    assert_non_null(strstr(c.in, "\r\n\r\n4\r\none,\r\n4\r\ntwo,\r\n5\r\nthree\r\n0\r\n\r\nHTTP/1.1 200"));
    client_done(&c);
    client_init(&c, &r); /* to HTTP/1.0 the end is the end of the connection */
    client_say(&c, "GET /more HTTP/1.0\r\nHost: a\r\n\r\n");
    client_read(&c);
    http_exchange_more(r.held[1], LT_LIT("two"), false);
    client_read(&c);
    assert_non_null(strstr(c.in, "\r\n\r\none,two"));
    assert_true(c.closed);
    client_done(&c);
    client_init(&c, &r); /* a cut answer is never taken for a whole one */
    client_say(&c, "GET /more HTTP/1.1\r\nHost: a\r\n\r\n");
    client_read(&c);
    http_exchange_abort(r.held[2]);
    client_read(&c);
    assert_true(c.closed);
    assert_null(strstr(c.in, "0\r\n\r\n"));
    client_done(&c);
    rig_done(&r);
}

static void test_client_leaves(void **state)
{
    (void)state;
    struct rig r;
    struct client c;
    rig_init(&r, HTTP_LISTEN_PLAIN, NULL);
    client_init(&c, &r);
    client_say(&c, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(shutdown(c.fd, SHUT_WR), 0); /* has asked all it wants: still gets its answer */
    rig_pump(&r);
    http_exchange_problem(r.held[0], 404, NULL, "no", 0);
    client_read(&c);
    assert_int_equal(client_status(&c, 0), 404);
    assert_true(c.closed);
    client_done(&c);
    client_init(&c, &r);
    client_say(&c, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
    struct linger hard = {1, 0};
    assert_int_equal(setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard), 0);
    client_done(&c);
    rig_pump(&r);
    if (r.held[1] != NULL) {
        http_exchange_problem(r.held[1], 404, NULL, "no", 0);
    }
    rig_wait(&r, 100);
    assert_int_equal(http_server_stats(r.server)->open_public, 0);
    rig_done(&r);
}

static void test_times(void **state)
{
    (void)state;
    static const struct {
        const char *text; /* sent, then silence */
        int64_t quiet_ms; /* still open then */
        int64_t closed_ms;
        unsigned status; /* said at the end; 0: nothing */
    } rows[] = {
        {"", 9000, 10200, 0},
        {"GET /o", 9000, 10200, 408},
        {"GET /ok HTTP/1.1\r\nHost: a\r\n", 9000, 10200, 408},
        {GOOD, 59000, 60200, 200},
        {POST "Content-Length: 5\r\n\r\nhel", 19000, 20200, 408},
        {POST "Transfer-Encoding: chunked\r\n\r\n5\r\nhel", 19000, 20200, 408},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct rig r;
        struct client c;
        rig_init(&r, HTTP_LISTEN_PLAIN, NULL);
        client_init(&c, &r);
        client_say(&c, rows[i].text);
        rig_wait(&r, rows[i].quiet_ms);
        client_read(&c);
        assert_false(c.closed);
        rig_wait(&r, rows[i].closed_ms - rows[i].quiet_ms);
        client_read(&c);
        assert_true(c.closed);
        assert_int_equal(client_status(&c, 0), rows[i].status);
        client_done(&c);
        rig_wait(&r, 2200);
        assert_int_equal(http_server_stats(r.server)->open_public, 0);
        rig_done(&r);
    }
}

/* A byte each second keeps nobody's head open longer than ten; the same for a body. */
static void test_slowloris(void **state)
{
    (void)state;
    struct rig r;
    struct client head;
    struct client body;
    rig_init(&r, HTTP_LISTEN_PLAIN, NULL);
    client_init(&head, &r);
    client_init(&body, &r);
    client_say(&body, POST "Content-Length: 100\r\n\r\n");
    client_say(&head, "GET /");
    for (int i = 0; i < 21; i++) {
        client_say(&head, "a");
        client_say(&body, "a");
        rig_wait(&r, 1000);
    }
    client_read(&head);
    client_read(&body);
    assert_int_equal(client_status(&head, 0), 408);
    assert_int_equal(client_status(&body, 0), 408);
    assert_int_equal(r.requests, 0);
    assert_int_equal(http_server_stats(r.server)->timeouts, 2);
    client_done(&head);
    client_done(&body);
    rig_done(&r);
}

/* Who asks for much and reads nothing loses the connection; who reads steadily keeps it. */
static void test_slow_reader(void **state)
{
    enum { ASKS = 24 };
    (void)state;
    struct rig r;
    struct client c;
    rig_init(&r, HTTP_LISTEN_PLAIN, NULL);
    client_init(&c, &r);
    char asks[1024] = "";
    for (size_t i = 0; i < ASKS; i++) {
        (void)snprintf(asks + strlen(asks), sizeof asks - strlen(asks),
                       "GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    client_say(&c, asks);
    rig_wait(&r, 19000);
    assert_int_equal(http_server_stats(r.server)->open_public, 1);
    rig_wait(&r, 25000);
    assert_int_equal(http_server_stats(r.server)->open_public, 0);
    assert_true(r.requests < ASKS); /* nor did its requests pile up */
    client_done(&c);
    client_init(&c, &r);
    client_say(&c, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
    for (int i = 0; i < 60 && !c.closed; i++) {
        for (size_t got = 0; got < 20000;) {
            rig_pump(&r);
            ssize_t n = recv(c.fd, c.in + c.in_len, 20000 - got, 0);
            if (n <= 0) {
                break;
            }
            got += (size_t)n;
            c.in_len += (size_t)n;
        }
        rig_wait(&r, 5000);
    }
    check_big(&c);
    client_done(&c);
    rig_done(&r);
}

static const char *peer_name(char name[16], int number)
{
    (void)snprintf(name, 16, "127.0.1.%d", number + 1);
    return name;
}

#define LATER "GET /later HTTP/1.1\r\nHost: a\r\n\r\n"

/* The operator's places: who says nothing, half a head or half a body makes room for who asks; who is served
 * stays; one address has a quarter. */
static void test_reserved_connections(void **state)
{
    (void)state;
    enum { MAX = 8, EACH = MAX / 4 };
    static const char *const slow[] = {"", "GET / HT",
                                       "POST /ok HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx"};
    const struct http_limits limits = {.reserved_connections = MAX, .loopback_counts = true};
    struct rig r;
    struct client c[MAX];
    struct client late[MAX];
    char from[16];
    rig_init(&r, HTTP_LISTEN_PLAIN, &limits);
    r.info.is_public = false;
    for (int i = 0; i < MAX; i++) {
        client_init_from(&c[i], &r, peer_name(from, i / EACH));
        client_say(&c[i], i == 0 ? LATER : slow[i % 3]);
        rig_wait(&r, 100); /* so that one is the oldest */
    }
    client_init_from(&late[0], &r, "127.0.1.1");
    client_read(&late[0]);
    assert_true(late[0].closed);
    client_done(&late[0]);
    for (int i = 1; i < MAX; i++) {
        client_init_from(&late[i], &r, peer_name(from, i + MAX));
        client_say(&late[i], LATER);
        client_read(&c[i]);
        assert_true(c[i].closed);
        assert_int_equal(r.held_count, i + 1);
    }
    client_init_from(&late[0], &r, "127.0.2.1"); /* full of served ones */
    client_read(&late[0]);
    assert_true(late[0].closed);
    for (int i = 0; i < MAX; i++) {
        client_read(&c[i]);
        assert_int_equal(c[i].closed, i > 0);
        client_done(&c[i]);
        client_done(&late[i]);
    }
    rig_done(&r);
}

static void test_connection_limits(void **state)
{
    (void)state;
    enum { MAX = 8, EACH = 4 };
    const struct http_limits limits = {.connections = MAX, .per_address = EACH, .loopback_counts = true};
    struct rig r;
    struct client c[MAX + 4];
    rig_init(&r, HTTP_LISTEN_PLAIN, &limits);
    for (int i = 0; i < EACH + 1; i++) {
        client_init_from(&c[i], &r, "127.0.0.2");
        client_say(&c[i], "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    client_read(&c[EACH]);
    assert_true(c[EACH].closed); /* one too many of that address */
    assert_int_equal(http_server_stats(r.server)->refused, 1);
    client_done(&c[EACH]);
    for (int i = EACH; i < MAX; i++) {
        client_init_from(&c[i], &r, "127.0.0.3");
        client_say(&c[i], i == EACH ? GOOD : "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    client_init_from(&c[MAX], &r, "127.0.0.4"); /* full: the idle one makes room */
    client_say(&c[MAX], "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
    client_read(&c[EACH]);
    assert_true(c[EACH].closed);
    assert_int_equal(http_server_stats(r.server)->evicted, 1);
    assert_int_equal(r.held_count, MAX);
    client_init_from(&c[MAX + 1], &r, "127.0.0.5"); /* full of served ones: nobody does */
    client_read(&c[MAX + 1]);
    assert_true(c[MAX + 1].closed);
    for (size_t i = 0; i < r.held_count; i++) {
        http_exchange_problem(r.held[i], 404, NULL, "no", 0);
    }
    client_init_from(&c[MAX + 2], &r, "127.0.0.5");
    client_say(&c[MAX + 2], GOOD);
    client_read(&c[MAX + 2]);
    assert_int_equal(client_status(&c[MAX + 2], 0), 200);
    for (int i = 0; i < MAX + 3; i++) {
        client_done(&c[i]);
    }
    rig_done(&r);
}

/* A proxy on this machine speaks for many. */
static void test_loopback_is_spared(void **state)
{
    (void)state;
    const struct http_limits limits = {.per_address = 2};
    struct rig r;
    struct client c[4];
    rig_init(&r, HTTP_LISTEN_PLAIN, &limits);
    for (size_t i = 0; i < LT_COUNT(c); i++) {
        client_init(&c[i], &r);
        client_say(&c[i], GOOD);
        client_read(&c[i]);
        assert_int_equal(client_status(&c[i], 0), 200);
    }
    for (size_t i = 0; i < LT_COUNT(c); i++) {
        client_done(&c[i]);
    }
    rig_done(&r);
}

/* Bodies of all connections together have a limit too. */
static void test_body_memory(void **state)
{
    (void)state;
    const struct http_limits limits = {.buffered_bytes = 100000};
    struct rig r;
    struct client a;
    struct client b;
    rig_init(&r, HTTP_LISTEN_PLAIN, &limits);
    client_init(&a, &r);
    client_init(&b, &r);
    client_say(&a, POST "Content-Length: 60000\r\n\r\n");
    client_say(&b, POST "Content-Length: 60000\r\n\r\n");
    client_read(&b);
    assert_int_equal(client_status(&b, 0), 503);
    assert_non_null(strstr(b.in, "Retry-After: 1\r\n"));
    client_done(&b);
    client_done(&a);
    rig_wait(&r, 100);
    client_init(&b, &r);
    client_say(&b, POST "Content-Length: 5\r\n\r\nhello");
    client_read(&b);
    assert_int_equal(client_status(&b, 0), 200);
    client_done(&b);
    rig_done(&r);
}

static void test_drain(void **state)
{
    (void)state;
    struct rig r;
    struct client idle;
    struct client busy;
    rig_init(&r, HTTP_LISTEN_PLAIN, NULL);
    client_init(&idle, &r);
    client_init(&busy, &r);
    client_say(&idle, GOOD);
    client_say(&busy, "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
    http_server_drain(r.server);
    client_read(&idle);
    assert_true(idle.closed);
    assert_false(http_server_drained(r.server));
    http_exchange_problem(r.held[0], 404, NULL, "no", 0);
    assert_true(http_server_drained(r.server));
    client_read(&busy);
    assert_int_equal(client_status(&busy, 0), 404);
    assert_non_null(strstr(busy.in, "Connection: close\r\n"));
    assert_true(busy.closed);
    client_done(&idle);
    client_done(&busy);
    rig_done(&r);
}

static void test_unix_peer(void **state)
{
    (void)state;
    struct rig r;
    struct client c;
    char expected[64];
    rig_init(&r, HTTP_LISTEN_UNIX, NULL);
    client_init(&c, &r);
    client_say(&c, "GET /peer HTTP/1.1\r\nHost: localhost\r\n\r\n");
    client_read(&c);
    (void)snprintf(expected, sizeof expected, "\r\n\r\n 1 %u %u", (unsigned)getuid(), (unsigned)getpid());
    assert_non_null(strstr(c.in, expected));
    client_done(&c);
    rig_done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_probes),
        cmocka_unit_test(test_long_header),
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_body_limit),
        cmocka_unit_test(test_expect),
        cmocka_unit_test(test_keep_alive_and_pipeline),
        cmocka_unit_test(test_pipeline_is_bounded),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_big_answers),
        cmocka_unit_test(test_streamed_answer),
        cmocka_unit_test(test_client_leaves),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_slowloris),
        cmocka_unit_test(test_slow_reader),
        cmocka_unit_test(test_reserved_connections),
        cmocka_unit_test(test_connection_limits),
        cmocka_unit_test(test_loopback_is_spared),
        cmocka_unit_test(test_body_memory),
        cmocka_unit_test(test_drain),
        cmocka_unit_test(test_unix_peer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
