/* The two clients against the server of the rig and against servers that lie; URLs and dates. */
#include "rig.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "http/client.h"
#include "http/date.h"
#include "http/fetch.h"

struct heard {
    size_t count;
    int code;
    unsigned status;
    size_t len;
    char body[128];
};

static void on_done(void *arg, lt_res outcome, const struct http_reply *reply)
{
    struct heard *h = arg;
    h->count++;
    h->code = outcome.code;
    h->status = reply == NULL ? 0 : reply->head->status;
    h->len = reply == NULL ? 0 : reply->body.len;
    if (reply != NULL) {
        (void)snprintf(h->body, sizeof h->body, "%.*s", LT_FMT(reply->body));
    }
}

static void wait_heard(struct rig *r, const struct heard *h, size_t count)
{
    for (int i = 0; i < 2000 && h->count < count; i++) {
        rig_pump(r);
        (void)poll(NULL, 0, 1); /* lets loopback deliver; nothing depends on its length */
    }
    assert_int_equal(h->count, count);
}

static struct http_client *new_client(struct rig *r, int port, SSL_CTX *tls, int timeout_ms)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct http_origin o = {
        .base = r->base,
        .host = "localhost",
        .port = (uint16_t)port,
        .address_len = sizeof a,
        .tls = tls,
        .timeout_ms = timeout_ms,
        .body_max = 100000,
    };
    memcpy(&o.address, &a, sizeof a);
    struct http_client *c;
    assert_ok(http_client_new(&o, &c));
    return c;
}

static void ask(struct rig *r, struct http_client *c, struct heard *h, const char *method, const char *target)
{
    const struct http_ask q = {.method = method, .target = target};
    size_t before = h->count;
    http_client_ask(c, &q, on_done, h);
    assert_int_equal(h->count, before); /* never from within */
    wait_heard(r, h, before + 1);
}

static void test_client(void **state)
{
    (void)state;
    for (int tls = 0; tls < 2; tls++) {
        struct rig r;
        struct heard h = {0};
        rig_init(&r, tls ? HTTP_LISTEN_TLS : HTTP_LISTEN_PLAIN, NULL);
        struct http_client *c = new_client(&r, r.port, r.client_tls, 0);
        ask(&r, c, &h, "GET", "/ok");
        assert_int_equal(h.status, 200);
        assert_string_equal(h.body, "/ok");
        ask(&r, c, &h, "HEAD", "/ok");
        assert_true(h.status == 200 && h.len == 0);
        ask(&r, c, &h, "GET", "/none");
        assert_true(h.status == 204 && h.len == 0);
        const struct http_ask post = {"POST", "/ok", "text/plain", LT_LIT("hello")};
        http_client_ask(c, &post, on_done, &h);
        wait_heard(&r, &h, 4);
        assert_string_equal(r.last_body, "hello");
        const struct http_ask more = {.method = "GET", .target = "/more"};
        http_client_ask(c, &more, on_done, &h);
        while (r.held_count == 0) {
            rig_pump(&r);
        }
        http_exchange_more(r.held[0], LT_LIT("two"), false);
        wait_heard(&r, &h, 5);
        assert_string_equal(h.body, "one,two");
        assert_int_equal(http_server_stats(r.server)->accepted, 1); /* all on one connection */
        ask(&r, c, &h, "GET", "/big");
        assert_int_equal(h.code, LT_PEER_TOO_LARGE);
        ask(&r, c, &h, "GET", "/ok"); /* a new one after the failure */
        assert_int_equal(h.status, 200);
        assert_int_equal(http_server_stats(r.server)->accepted, 2);
        rig_wait(&r, 61000); /* the server closes it: the next question opens another by itself */
        ask(&r, c, &h, "GET", "/ok");
        assert_int_equal(h.status, 200);
        http_client_free(c);
        rig_pump(&r);
        rig_done(&r);
    }
}

static void test_client_refuses(void **state)
{
    (void)state;
    struct rig r;
    struct heard h = {0};
    rig_init(&r, HTTP_LISTEN_TLS, NULL);
    SSL_CTX_set_verify(r.client_tls, SSL_VERIFY_PEER, NULL); /* and nobody vouches for the server */
    struct http_client *c = new_client(&r, r.port, r.client_tls, 0);
    ask(&r, c, &h, "GET", "/ok");
    assert_int_equal(h.code, LT_PEER_UNAUTHORIZED);
    assert_int_equal(r.requests, 0);
    http_client_free(c);
    c = new_client(&r, 1, NULL, 0); /* nobody listens */
    ask(&r, c, &h, "GET", "/ok");
    assert_true(h.code == LT_STATE_CLOSED || h.code == LT_RETRY_UNAVAILABLE);
    http_client_free(c);
    rig_pump(&r);
    rig_done(&r);
}

static void test_client_time(void **state)
{
    (void)state;
    struct rig r;
    struct heard h = {0};
    rig_init(&r, HTTP_LISTEN_PLAIN, NULL);
    struct http_client *c = new_client(&r, r.port, NULL, 50);
    ask(&r, c, &h, "GET", "/later");
    assert_int_equal(h.code, LT_RETRY_TIMEOUT);
    http_client_free(c);
    rig_pump(&r);
    if (r.held[0] != NULL) {
        http_exchange_problem(r.held[0], 404, NULL, "no", 0);
    }
    rig_wait(&r, 100);
    rig_done(&r);
}

/* What a lying server says, and what both clients make of it. */
static const struct {
    const char *text; /* then the connection is closed */
    int code;
    unsigned status;
    const char *body;
} lies[] = {
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 0, 200, "hello"},
    {"HTTP/1.1 200 OK\r\n\r\nuntil the end", 0, 200, "until the end"},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno", 0, 404, "no"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 0, 200, "hello"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", LT_STATE_CLOSED, 0, ""},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n", LT_PEER_MALFORMED, 0,
     ""},
    {"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello", LT_STATE_CLOSED, 0, ""},
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", LT_PEER_MALFORMED, 0, ""},
    {"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", LT_PEER_MALFORMED, 0, ""},
    {"HTTP/1.1 200 OK\r\nContent-", LT_STATE_CLOSED, 0, ""},
    {"SSH-2.0-OpenSSH_9.2\r\n\r\n", LT_PEER_MALFORMED, 0, ""},
    {"", LT_STATE_CLOSED, 0, ""},
};

static void lie(int listen_fd, const char *text)
{
    char bytes[4096];
    int fd = accept(listen_fd, NULL, NULL);
    assert_true(fd >= 0 && recv(fd, bytes, sizeof bytes, 0) > 0);
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
    (void)close(fd);
}

static void test_client_and_liars(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r, HTTP_LISTEN_PLAIN, NULL);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 8) == 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    for (size_t i = 0; i < LT_COUNT(lies); i++) {
        struct heard h = {0};
        struct http_client *c = new_client(&r, ntohs(a.sin_port), NULL, 2000);
        const struct http_ask q = {.method = "GET", .target = "/"};
        http_client_ask(c, &q, on_done, &h);
        rig_pump(&r);
        lie(fd, lies[i].text);
        wait_heard(&r, &h, 1);
        if (h.code != lies[i].code) {
            print_error("%s: %s\n", lies[i].text, lt_code_name(h.code));
        }
        assert_int_equal(h.code, lies[i].code);
        assert_int_equal(h.status, lies[i].status);
        assert_string_equal(h.body, lies[i].body);
        http_client_free(c);
    }
    (void)close(fd);
    rig_done(&r);
}

static char socket_path[64];

static int listen_unix(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    (void)snprintf(socket_path, sizeof socket_path, "/tmp/lintel-fetch-test-%d.sock", (int)getpid());
    (void)snprintf(a.sun_path, sizeof a.sun_path, "%s", socket_path);
    (void)unlink(socket_path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_true(bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 8) == 0);
    return fd;
}

static void test_fetch_and_liars(void **state)
{
    (void)state;
    int fd = listen_unix();
    for (size_t i = 0; i < LT_COUNT(lies); i++) {
        struct lt_arena arena;
        struct http_fetched got;
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            lie(fd, lies[i].text);
            _exit(0);
        }
        lt_arena_init(&arena, 1 << 20);
        const struct http_fetch f = {
            .socket_path = socket_path, .method = "GET", .target = "/", .timeout_ms = 5000};
        lt_res r = http_fetch_unix(&f, &arena, &got);
        if (r.code != lies[i].code) {
            print_error("%s: %s\n", lies[i].text, lt_code_name(r.code));
        }
        assert_int_equal(r.code, lies[i].code);
        if (!lt_failed(r)) {
            assert_int_equal(got.head->status, lies[i].status);
            assert_slice(got.body, lies[i].body);
        }
        lt_arena_done(&arena);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
    }
    (void)close(fd);
    (void)unlink(socket_path);
}

static lt_res count_bytes(void *arg, lt_slice part)
{
    *(size_t *)arg += part.len;
    return LT_OK;
}

static void test_fetch(void **state)
{
    (void)state;
    struct rig r;
    struct lt_arena arena;
    struct http_fetched got;
    size_t streamed = 0;
    lt_arena_init(&arena, 1 << 20);
    struct http_fetch f = {.socket_path = "/nonexistent/x.sock", .method = "GET", .target = "/ok"};
    assert_fails(http_fetch_unix(&f, &arena, &got), LT_RETRY_UNAVAILABLE);
    rig_init(&r, HTTP_LISTEN_UNIX, NULL);
    f.socket_path = r.socket_path;
    pid_t pid = fork(); /* the child serves */
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)event_reinit(r.base);
        (void)event_base_dispatch(r.base);
        _exit(0);
    }
    assert_ok(http_fetch_unix(&f, &arena, &got));
    assert_slice(got.body, "/ok");
    assert_slice(http_head_field(got.head, "X-Test"), "yes");
    f.method = "POST";
    f.content_type = "text/plain";
    f.body = LT_LIT("hello");
    assert_ok(http_fetch_unix(&f, &arena, &got));
    f = (struct http_fetch){
        .socket_path = r.socket_path, .method = "GET", .target = "/big", .body_max = 999999};
    assert_fails(http_fetch_unix(&f, &arena, &got), LT_PEER_TOO_LARGE);
    f.on_body = count_bytes;
    f.arg = &streamed;
    assert_ok(http_fetch_unix(&f, &arena, &got));
    assert_true(streamed == 1000000 && got.body.len == 0);
    f.target = "/bad-header"; /* an error's body is never streamed */
    streamed = 0;
    assert_ok(http_fetch_unix(&f, &arena, &got));
    assert_true(got.head->status == 500 && streamed == 0 && got.body.len > 0);
    f.target = "/later";
    f.timeout_ms = 50;
    assert_fails(http_fetch_unix(&f, &arena, &got), LT_RETRY_TIMEOUT);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    lt_arena_done(&arena);
    rig_done(&r);
}

static void test_urls(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        bool tls;
        const char *host; /* NULL: refused */
        uint16_t port;
        const char *path;
    } rows[] = {
        {"https://a.example/dir", true, "a.example", 443, "/dir"},
        {"http://a.example", false, "a.example", 80, "/"},
        {"https://[::1]:14000/x?y", true, "::1", 14000, "/x?y"},
        {"http://127.0.0.1:1/", false, "127.0.0.1", 1, "/"},
        {"ftp://a/", false, NULL, 0, ""},
        {"a.example/dir", false, NULL, 0, ""},
        {"https:///dir", false, NULL, 0, ""},
        {"https://a:x/dir", false, NULL, 0, ""},
        {"https://a:70000/dir", false, NULL, 0, ""},
        {"https://a?x", false, NULL, 0, ""},
        {"https://[::1/dir", false, NULL, 0, ""},
        {"https://:1/dir", false, NULL, 0, ""},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct http_url u;
        lt_res r = http_url_split(rows[i].url, &u);
        if (lt_failed(r) != (rows[i].host == NULL)) {
            print_error("%s\n", rows[i].url);
        }
        assert_int_equal(lt_failed(r), rows[i].host == NULL);
        if (!lt_failed(r)) {
            assert_string_equal(u.host, rows[i].host);
            assert_string_equal(u.path, rows[i].path);
            assert_true(u.port == rows[i].port && u.tls == rows[i].tls);
        }
    }
}

static void test_dates(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "Sun, 06 Nov 1994 08:49:37",
                                      "Mon, 06 Nov 1994 08:49:37 GMT",
                                      "Sun, 06 nov 1994 08:49:37 GMT",
                                      "Sun, 06 Nov 1994 08:49:60 GMT",
                                      "Sun, 31 Feb 1994 08:49:37 GMT",
                                      "Sunday, 06-Nov-94 08:49:37 GMT",
                                      "Sun Nov  6 08:49:37 1994",
                                      "Sun, 06 Nov 1994 08:49:37 UTC",
                                      "Sun, 6 Nov 1994 08:49:37 GMT ",
                                      "Sun, 06 Nov 19x4 08:49:37 GMT"};
    char text[HTTP_DATE_SIZE];
    lt_time t;
    http_date(lt_time_from_seconds(784111777), text);
    assert_string_equal(text, "Sun, 06 Nov 1994 08:49:37 GMT");
    http_date(lt_time_from_seconds(0), text);
    assert_string_equal(text, "Thu, 01 Jan 1970 00:00:00 GMT");
    for (int64_t s = 0; s < INT64_C(4000000000); s += 86399 * 37) {
        http_date(lt_time_from_seconds(s), text);
        assert_ok(http_date_parse(lt_slice_cstr(text), &t));
        assert_int_equal(lt_time_seconds(t), s);
    }
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        assert_true(lt_failed(http_date_parse(lt_slice_cstr(bad[i]), &t)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_client),
        cmocka_unit_test(test_client_refuses),
        cmocka_unit_test(test_fetch),
        cmocka_unit_test(test_client_time),
        cmocka_unit_test(test_client_and_liars),
        cmocka_unit_test(test_fetch_and_liars),
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_dates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
