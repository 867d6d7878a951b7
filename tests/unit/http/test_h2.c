/* HTTP/2 against a real client library: answers, limits of heads, bodies and streams, resets in a row, and a
 * client that opens no window. */
#include "rig.h"

#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <unistd.h>

enum { STREAMS = 4096 };

struct h2_stream {
    unsigned status;
    size_t len;
    bool ended; /* by the server */
    bool closed;
    uint32_t error;
};

struct h2_client {
    struct client c;
    nghttp2_session *session;
    struct h2_stream streams[STREAMS]; /* by id / 2 */
    bool goaway;
    uint32_t goaway_error;
    size_t body_len; /* of the request to come */
    size_t body_at;
    bool paused; /* nothing of it is sent */
};

static int on_header(nghttp2_session *s, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
                     const uint8_t *value, size_t value_len, uint8_t flags, void *user)
{
    (void)s;
    (void)flags;
    struct h2_client *h = user;
    if (lt_slice_eq(LT_SLICE(name, name_len), LT_LIT(":status"))) {
        assert_int_equal(value_len, 3);
        h->streams[frame->hd.stream_id / 2].status =
            (unsigned)(value[0] - '0') * 100 + (unsigned)(value[1] - '0') * 10 + (unsigned)(value[2] - '0');
    }
    return 0;
}

static int on_data(nghttp2_session *s, uint8_t flags, int32_t id, const uint8_t *data, size_t len, void *user)
{
    (void)s;
    (void)flags;
    struct h2_client *h = user;
    struct h2_stream *st = &h->streams[id / 2];
    for (size_t i = 0; i < len && st->len + i < 1000000 && data[0] >= 'a' && data[0] <= 'z'; i++) {
        assert_true(h->body_len == 0 || data[i] != 0);
    }
    st->len += len;
    return 0;
}

static int on_close(nghttp2_session *s, int32_t id, uint32_t error, void *user)
{
    (void)s;
    struct h2_client *h = user;
    h->streams[id / 2].closed = true;
    h->streams[id / 2].error = error;
    return 0;
}

static int on_frame(nghttp2_session *s, const nghttp2_frame *frame, void *user)
{
    (void)s;
    struct h2_client *h = user;
    if (frame->hd.type <= NGHTTP2_HEADERS && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
        h->streams[frame->hd.stream_id / 2].ended = true;
    }
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        h->goaway = true;
        h->goaway_error = frame->goaway.error_code;
    }
    return 0;
}

static void h2_init(struct h2_client *h, struct rig *r, const nghttp2_settings_entry *settings, size_t count)
{
    nghttp2_session_callbacks *cb;
    nghttp2_option *option;
    *h = (struct h2_client){0};
    assert_true(client_tls(&h->c, r, "h2"));
    assert_int_equal(nghttp2_session_callbacks_new(&cb), 0);
    nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_close);
    nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame);
    assert_int_equal(nghttp2_option_new(&option), 0);
    nghttp2_option_set_no_http_messaging(option, 1); /* so that wrong heads can be sent */
    nghttp2_option_set_peer_max_concurrent_streams(option, 128);
    assert_int_equal(nghttp2_session_client_new2(&h->session, cb, h, option), 0);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(cb);
    assert_int_equal(nghttp2_submit_settings(h->session, NGHTTP2_FLAG_NONE, settings, count), 0);
}

static void h2_send(struct h2_client *h)
{
    const uint8_t *bytes;
    for (;;) {
        ssize_t n = nghttp2_session_mem_send(h->session, &bytes);
        assert_true(n >= 0);
        if (n == 0) {
            return;
        }
        client_send(&h->c, bytes, (size_t)n);
    }
}

/* Both ways until nothing moves. */
static void h2_run(struct h2_client *h)
{
    for (int i = 0; i < 2000 && !h->c.closed; i++) {
        h2_send(h);
        h->c.in_len = 0;
        client_read(&h->c);
        if (h->c.in_len == 0) {
            return;
        }
        assert_true(nghttp2_session_mem_recv(h->session, (uint8_t *)h->c.in, h->c.in_len) >= 0);
    }
}

static void h2_done(struct h2_client *h)
{
    nghttp2_session_del(h->session);
    client_done(&h->c);
}

static nghttp2_nv nv(const char *name, const char *value)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name), strlen(value),
                        0};
}

static ssize_t body_source(nghttp2_session *s, int32_t id, uint8_t *bytes, size_t size, uint32_t *flags,
                           nghttp2_data_source *source, void *user)
{
    (void)s;
    (void)id;
    (void)source;
    struct h2_client *h = user;
    if (h->paused) {
        return NGHTTP2_ERR_DEFERRED;
    }
    size_t left = h->body_len - h->body_at;
    size_t len = left < size ? left : size;
    memset(bytes, 'x', len);
    h->body_at += len;
    *flags |= h->body_at == h->body_len ? NGHTTP2_DATA_FLAG_EOF : 0;
    return (ssize_t)len;
}

/* extra: "name" and "value", or NULL. body_len SIZE_MAX: no body. */
static int32_t h2_ask(struct h2_client *h, const char *method, const char *path, const char *extra,
                      const char *value, size_t body_len)
{
    nghttp2_nv head[8] = {nv(":method", method), nv(":scheme", "https"), nv(":path", path)};
    size_t count = 3;
    if (extra == NULL || strcmp(extra, "no-authority") != 0) {
        head[count++] = nv(":authority", "localhost");
    }
    if (extra != NULL && value != NULL) {
        head[count++] = nv(extra, value);
    }
    nghttp2_data_provider provider = {.read_callback = body_source};
    h->body_len = body_len == SIZE_MAX ? 0 : body_len;
    h->body_at = 0;
    int32_t id = nghttp2_submit_request(h->session, NULL, head, count,
                                        body_len == SIZE_MAX ? NULL : &provider, NULL);
    assert_true(id > 0);
    return id;
}

static unsigned ask_status(struct h2_client *h, const char *method, const char *path, const char *extra,
                           const char *value, size_t body_len)
{
    int32_t id = h2_ask(h, method, path, extra, value, body_len);
    h2_run(h);
    assert_true(h->c.closed || h->streams[id / 2].closed);
    return h->streams[id / 2].status;
}

static void test_answers(void **state)
{
    (void)state;
    static char long_value[HTTP_HEAD_MAX + 1];
    memset(long_value, 'a', HTTP_HEAD_MAX);
    struct rig r;
    struct h2_client h;
    rig_init(&r, HTTP_LISTEN_TLS, NULL);
    h2_init(&h, &r, NULL, 0);
    assert_int_equal(ask_status(&h, "GET", "/ok?a", NULL, NULL, SIZE_MAX), 200);
    assert_int_equal(h.streams[0].len, 3);
    assert_int_equal(ask_status(&h, "HEAD", "/ok", NULL, NULL, SIZE_MAX), 200);
    assert_int_equal(h.streams[1].len, 0);
    assert_int_equal(ask_status(&h, "POST", "/ok", "content-length", "5", 5), 200);
    assert_string_equal(r.last_body, "xxxxx");
    assert_int_equal(ask_status(&h, "POST", "/ok", NULL, NULL, HTTP_BODY_MAX), 200);
    assert_int_equal(r.last_body_len, HTTP_BODY_MAX);
    assert_int_equal(ask_status(&h, "GET", "/none", NULL, NULL, SIZE_MAX), 204);
    assert_int_equal(ask_status(&h, "GET", "/bad-header", NULL, NULL, SIZE_MAX), 500);
    assert_int_equal(ask_status(&h, "GET", "/big", NULL, NULL, SIZE_MAX), 200);
    assert_int_equal(h.streams[6].len, 1000000);
    assert_int_equal(ask_status(&h, "GET", "/file", NULL, NULL, SIZE_MAX), 200);
    assert_int_equal(h.streams[7].len, 1000000);
    /* refused, and the connection lives on */
    assert_int_equal(ask_status(&h, "BREW", "/ok", NULL, NULL, SIZE_MAX), 501);
    assert_int_equal(ask_status(&h, "GET", "/a/../b", NULL, NULL, SIZE_MAX), 400);
    assert_int_equal(ask_status(&h, "GET", "/%2e%2e/b", NULL, NULL, SIZE_MAX), 400);
    assert_int_equal(ask_status(&h, "GET", "/ok", "x-long", long_value, SIZE_MAX), 431);
    assert_int_equal(ask_status(&h, "POST", "/ok", "content-length", "65537", 65537), 413);
    assert_int_equal(ask_status(&h, "POST", "/ok", NULL, NULL, HTTP_BODY_MAX + 1), 413);
    assert_int_equal(ask_status(&h, "POST", "/ok", NULL, NULL, 1000000), 413);
    size_t seen = r.requests;
    /* these break HTTP/2 itself: no answer, a reset */
    assert_int_equal(ask_status(&h, "GET", "/ok", "no-authority", NULL, SIZE_MAX), 0);
    assert_int_equal(ask_status(&h, "GET", "/ok", "connection", "close", SIZE_MAX), 0);
    assert_int_equal(ask_status(&h, "GET", "/ok", "x blank", "a", SIZE_MAX), 0);
    assert_int_equal(ask_status(&h, "GET", "/ok", "x-nul", "a\nb", SIZE_MAX), 0);
    assert_int_equal(ask_status(&h, "POST", "/ok", "content-length", "6", 5), 0);
    assert_int_equal(ask_status(&h, "POST", "/ok", "content-length", "+5", 5), 0);
    assert_int_equal(ask_status(&h, "GET", "/ok", "transfer-encoding", "chunked", SIZE_MAX), 0);
    assert_int_equal(r.requests, seen);
    assert_int_equal(ask_status(&h, "GET", "/ok", NULL, NULL, SIZE_MAX), 200);
    h2_done(&h);
    rig_done(&r);
}

/* The answer is there before the body has come: no reset until the client had time to read it, and none with
 * an error. */
static void test_refused_early(void **state)
{
    (void)state;
    enum { LINGERS_MS = 2500 };
    struct rig r;
    struct h2_client h;
    rig_init(&r, HTTP_LISTEN_TLS, NULL);
    h2_init(&h, &r, NULL, 0);
    h.paused = true;
    int32_t id = h2_ask(&h, "POST", "/ok", "content-length", "70000", 70000);
    h2_run(&h);
    struct h2_stream *waits = &h.streams[id / 2];
    assert_int_equal(waits->status, 413);
    assert_true(waits->ended);
    assert_false(waits->closed);
    rig_wait(&r, LINGERS_MS);
    h2_run(&h);
    assert_true(waits->closed);
    assert_int_equal(waits->error, NGHTTP2_NO_ERROR);
    h.paused = false;
    id = h2_ask(&h, "POST", "/ok", NULL, NULL, 8000000); /* goes on and on */
    h2_run(&h);
    assert_int_equal(h.streams[id / 2].status, 413);
    assert_true(h.streams[id / 2].closed);
    assert_int_equal(h.streams[id / 2].error, NGHTTP2_NO_ERROR);
    assert_true(h.body_at < 4000000);
    assert_int_equal(ask_status(&h, "GET", "/ok", NULL, NULL, SIZE_MAX), 200);
    h2_done(&h);
    rig_done(&r);
}

static void test_many_at_once(void **state)
{
    (void)state;
    struct rig r;
    struct h2_client h;
    rig_init(&r, HTTP_LISTEN_TLS, NULL);
    h2_init(&h, &r, NULL, 0);
    h2_run(&h); /* learns the limit */
    for (int i = 0; i < 40; i++) {
        (void)h2_ask(&h, "GET", "/later", NULL, NULL, SIZE_MAX);
    }
    h2_run(&h);
    assert_int_equal(r.held_count, 32); /* the others wait for a stream */
    for (size_t i = 0; i < 40; i++) {
        assert_non_null(r.held[i]);
        http_exchange_problem(r.held[i], 404, NULL, "no", 0);
        h2_run(&h);
    }
    for (size_t i = 0; i < 40; i++) {
        assert_int_equal(h.streams[i].status, 404);
    }
    assert_int_equal(r.complete, 40);
    h2_done(&h);
    rig_done(&r);
}

static void test_streamed(void **state)
{
    (void)state;
    struct rig r;
    struct h2_client h;
    rig_init(&r, HTTP_LISTEN_TLS, NULL);
    h2_init(&h, &r, NULL, 0);
    (void)h2_ask(&h, "GET", "/more", NULL, NULL, SIZE_MAX);
    h2_run(&h);
    assert_int_equal(h.streams[0].len, 4);
    http_exchange_more(r.held[0], LT_LIT("two,"), true);
    h2_run(&h);
    assert_int_equal(h.streams[0].len, 8);
    http_exchange_more(r.held[0], LT_LIT(""), false);
    h2_run(&h);
    assert_true(h.streams[0].closed && h.streams[0].error == 0);
    (void)h2_ask(&h, "GET", "/more", NULL, NULL, SIZE_MAX);
    h2_run(&h);
    http_exchange_abort(r.held[1]);
    h2_run(&h);
    assert_true(h.streams[1].closed && h.streams[1].error == NGHTTP2_INTERNAL_ERROR);
    assert_int_equal(ask_status(&h, "GET", "/ok", NULL, NULL, SIZE_MAX), 200);
    h2_done(&h);
    rig_done(&r);
}

/* Open and reset, over and over: the connection is ended before it has cost much. */
static void test_rapid_reset(void **state)
{
    (void)state;
    struct rig r;
    struct h2_client h;
    rig_init(&r, HTTP_LISTEN_TLS, NULL);
    h2_init(&h, &r, NULL, 0);
    h2_run(&h);
    size_t asked = 0;
    for (; asked < 2000 && !h.c.closed && !h.goaway; asked++) {
        nghttp2_nv head[] = {nv(":method", "GET"), nv(":scheme", "https"), nv(":path", "/ok"),
                             nv(":authority", "a")};
        int32_t id = nghttp2_submit_request(h.session, NULL, head, 4, NULL, NULL);
        h2_send(&h);
        (void)nghttp2_submit_rst_stream(h.session, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
        h2_send(&h);
        if (asked % 16 == 15) {
            h.c.in_len = 0;
            client_read(&h.c);
            (void)nghttp2_session_mem_recv(h.session, (uint8_t *)h.c.in, h.c.in_len);
        }
    }
    assert_true(h.c.closed || h.goaway);
    assert_true(asked < 300);
    h2_done(&h);
    rig_done(&r);
}

static void test_ping_flood(void **state)
{
    (void)state;
    struct rig r;
    struct client c;
    rig_init(&r, HTTP_LISTEN_TLS, NULL);
    assert_true(client_tls(&c, &r, "h2"));
    client_say(&c, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    client_send(&c, "\0\0\0\4\0\0\0\0\0", 9);
    for (int i = 0; i < 400000 / 17 && http_server_stats(r.server)->open_public == 1; i++) {
        static const uint8_t ping[17] = {0, 0, 8, 6};
        (void)SSL_write(c.ssl, ping, sizeof ping);
        rig_pump(&r); /* and nothing is ever read here */
    }
    rig_wait(&r, 45000);
    assert_int_equal(http_server_stats(r.server)->open_public, 0);
    client_done(&c);
    rig_done(&r);
}

static void test_not_h2(void **state)
{
    (void)state;
    struct rig r;
    struct client c;
    rig_init(&r, HTTP_LISTEN_TLS, NULL);
    assert_true(client_tls(&c, &r, "h2"));
    client_say(&c, "GET /ok HTTP/1.1\r\nHost: a\r\n\r\n");
    client_read(&c);
    assert_true(c.closed);
    assert_int_equal(r.requests, 0);
    client_done(&c);
    rig_done(&r);
}

static void test_times(void **state)
{
    (void)state;
    static const nghttp2_settings_entry no_window[] = {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0}};
    struct rig r;
    struct h2_client silent;
    struct h2_client shut;
    struct h2_client half;
    rig_init(&r, HTTP_LISTEN_TLS, NULL);
    h2_init(&silent, &r, NULL, 0);
    h2_init(&shut, &r, no_window, 1);
    h2_init(&half, &r, NULL, 0);
    (void)h2_ask(&shut, "GET", "/big", NULL, NULL, SIZE_MAX);
    h2_run(&shut); /* has its status, and never opens a window for the body */
    assert_int_equal(shut.streams[0].status, 200);
    assert_int_equal(shut.streams[0].len, 0);
    nghttp2_nv head[] = {nv(":method", "POST"), nv(":scheme", "https"), nv(":path", "/ok"),
                         nv(":authority", "a")};
    (void)nghttp2_submit_headers(half.session, NGHTTP2_FLAG_NONE, -1, NULL, head, 4,
                                 NULL); /* no end of stream */
    h2_run(&half);
    rig_wait(&r, 10500);
    assert_int_equal(http_server_stats(r.server)->open_public, 2); /* who asked nothing is gone */
    rig_wait(&r, 25000);
    h2_run(&shut);
    h2_run(&half);
    assert_true(shut.streams[0].closed && half.streams[0].closed);
    assert_int_equal(r.requests, 1);
    rig_wait(&r, 70000);
    assert_int_equal(http_server_stats(r.server)->open_public, 0);
    h2_done(&silent);
    h2_done(&shut);
    h2_done(&half);
    rig_done(&r);
}

static void test_drain(void **state)
{
    (void)state;
    struct rig r;
    struct h2_client h;
    rig_init(&r, HTTP_LISTEN_TLS, NULL);
    h2_init(&h, &r, NULL, 0);
    (void)h2_ask(&h, "GET", "/later", NULL, NULL, SIZE_MAX);
    h2_run(&h);
    http_server_drain(r.server);
    h2_run(&h);
    assert_true(h.goaway && h.goaway_error == 0);
    assert_false(http_server_drained(r.server));
    http_exchange_problem(r.held[0], 404, NULL, "no", 0);
    h2_run(&h);
    assert_int_equal(h.streams[0].status, 404);
    assert_true(http_server_drained(r.server));
    assert_true(h.c.closed);
    h2_done(&h);
    rig_done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),       cmocka_unit_test(test_many_at_once),
        cmocka_unit_test(test_refused_early), cmocka_unit_test(test_streamed),
        cmocka_unit_test(test_rapid_reset),   cmocka_unit_test(test_ping_flood),
        cmocka_unit_test(test_not_h2),        cmocka_unit_test(test_times),
        cmocka_unit_test(test_drain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
