/* One connection, one question at a time. */
#include "http/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "http/wire.h"

enum { TIMEOUT_MS = 30000, BODY_MAX = 1024 * 1024, READ_BYTES = 17 * 1024, REQUEST_MAX = 256 * 1024 };

enum phase { IDLE, HEAD, BODY };

struct http_client {
    struct http_origin origin;
    struct http_wire wire;
    bool open;
    bool fresh; /* this question opened the connection */
    enum phase phase;
    struct event timer;
    struct lt_buf request; /* kept for a second try */
    bool head_only;        /* method HEAD */
    struct lt_buf in;
    size_t scanned;
    bool eof;
    struct lt_buf head_bytes;
    struct http_head head;
    struct http_chunked chunked;
    uint64_t left;
    bool until_close;
    long verdict; /* X509_V_… of the last connection */
    struct lt_buf body;
    http_client_done *done;
    void *arg;
};

static void on_ready(evutil_socket_t fd, short what, void *arg);
static void on_timer(evutil_socket_t fd, short what, void *arg);

lt_res http_client_new(const struct http_origin *origin, struct http_client **ret_client)
{
    struct http_client *c = calloc(1, sizeof *c);
    LT_ASSERT(c != NULL);
    c->origin = *origin;
    c->origin.timeout_ms = origin->timeout_ms > 0 ? origin->timeout_ms : TIMEOUT_MS;
    lt_buf_init(&c->request, REQUEST_MAX);
    lt_buf_init(&c->in, HTTP_HEAD_MAX + 2 * READ_BYTES);
    lt_buf_init(&c->head_bytes, HTTP_HEAD_MAX);
    lt_buf_init(&c->body, origin->body_max > 0 ? origin->body_max : (size_t)BODY_MAX);
    LT_ASSERT(event_assign(&c->timer, origin->base, -1, 0, on_timer, c) == 0);
    *ret_client = c;
    return LT_OK;
}

static void shut(struct http_client *c)
{
    if (c->open) {
        if (c->wire.ssl != NULL && SSL_is_init_finished(c->wire.ssl)) {
            (void)SSL_shutdown(c->wire.ssl); /* best effort */
            ERR_clear_error();
        }
        http_wire_done(&c->wire);
        c->open = false;
    }
    lt_buf_reset(&c->in);
    c->scanned = 0;
    c->eof = false;
}

void http_client_free(struct http_client *c)
{
    if (c == NULL) {
        return;
    }
    shut(c);
    (void)event_del(&c->timer); /* deleting what was not added is fine */
    lt_buf_done(&c->request);
    lt_buf_done(&c->in);
    lt_buf_done(&c->head_bytes);
    lt_buf_done(&c->body);
    free(c);
}

static lt_res new_tls(struct http_client *c, int fd, SSL **ret_ssl)
{
    SSL *ssl = SSL_new(c->origin.tls);
    LT_ASSERT(ssl != NULL && SSL_set_fd(ssl, fd) == 1);
    uint8_t ip[16];
    char *name = (char *)(uintptr_t)c->origin.host; /* OpenSSL's macro lacks the const */
    bool address = inet_pton(AF_INET, c->origin.host, ip) == 1 ||
                   inet_pton(AF_INET6, c->origin.host, ip) == 1;
    bool good = address ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), c->origin.host) == 1
                        : SSL_set1_host(ssl, c->origin.host) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
    if (!good) {
        SSL_free(ssl);
        LT_FAIL(LT_PEER_USAGE, "not a host: %.100s", c->origin.host);
    }
    (void)SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_set_read_ahead(ssl, 1);
    SSL_set_connect_state(ssl);
    *ret_ssl = ssl;
    return LT_OK;
}

static lt_res open_connection(struct http_client *c)
{
    const struct http_origin *o = &c->origin;
    int fd = socket(o->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    LT_CHECK(fd >= 0, LT_STATE_IO, "socket: %s", strerror(errno));
    int on = 1;
    if (o->address.ss_family != AF_UNIX) {
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* slower without, never wrong */
    }
    SSL *ssl = NULL;
    bool connecting = connect(fd, (const struct sockaddr *)&o->address, o->address_len) == 0 ||
                      errno == EINPROGRESS;
    if (!connecting || (o->tls != NULL && lt_failed(new_tls(c, fd, &ssl)))) {
        int e = errno;
        (void)close(fd); /* nothing was sent */
        LT_FAIL(LT_RETRY_UNAVAILABLE, "%.100s port %u: %s", o->host, o->port, strerror(e));
    }
    http_wire_init(&c->wire, o->base, fd, on_ready, c);
    c->wire.ssl = ssl;
    c->open = true;
    c->fresh = true;
    return LT_OK;
}

static lt_res send_request(struct http_client *c)
{
    c->phase = HEAD;
    if (!c->open) {
        LT_TRY(open_connection(c));
    }
    lt_buf_add(&c->wire.out, lt_buf_slice(&c->request));
    return http_wire_flush(&c->wire);
}

static void finish(struct http_client *c, lt_res outcome)
{
    c->phase = IDLE;
    (void)event_del(&c->timer); /* deleting what was not added is fine */
    const struct http_reply reply = {&c->head, lt_buf_slice(&c->body)};
    if (lt_failed(outcome) || !c->head.keep_alive || c->until_close || c->eof) {
        shut(c);
    }
    c->done(c->arg, outcome, lt_failed(outcome) ? NULL : &reply);
}

/* What TLS thought of the server's certificate, before the connection goes. */
static void note_verdict(struct http_client *c)
{
    c->verdict = c->open && c->wire.ssl != NULL ? SSL_get_verify_result(c->wire.ssl) : X509_V_OK;
}

static lt_res distrusted(const struct http_client *c)
{
    LT_FAIL(LT_PEER_UNAUTHORIZED, "certificate of %.80s: %s", c->origin.host,
            X509_verify_cert_error_string(c->verdict));
}

void http_client_ask(struct http_client *c, const struct http_ask *ask, http_client_done *done, void *arg)
{
    LT_ASSERT(c->phase == IDLE);
    c->done = done;
    c->arg = arg;
    c->head_only = strcmp(ask->method, "HEAD") == 0;
    bool bracket = strchr(c->origin.host, ':') != NULL;
    lt_buf_reset(&c->request);
    lt_buf_reset(&c->body);
    lt_buf_addf(&c->request, "%s %s HTTP/1.1\r\nHost: %s%s%s:%u\r\nUser-Agent: lintel\r\n", ask->method,
                ask->target, bracket ? "[" : "", c->origin.host, bracket ? "]" : "", c->origin.port);
    if (ask->content_type != NULL) {
        lt_buf_addf(&c->request, "Content-Type: %s\r\nContent-Length: %zu\r\n", ask->content_type,
                    ask->body.len);
    }
    lt_buf_add_cstr(&c->request, "\r\n");
    lt_buf_add(&c->request, ask->body);
    c->fresh = false;
    struct timeval wait = {c->origin.timeout_ms / 1000, c->origin.timeout_ms % 1000 * 1000};
    if (lt_failed(send_request(c)) && (c->fresh || !c->open)) {
        wait = (struct timeval){0}; /* told from the loop */
        note_verdict(c);
        shut(c);
    }
    LT_ASSERT(event_add(&c->timer, &wait) == 0);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct http_client *c = arg;
    if (!c->open && c->verdict != X509_V_OK) {
        finish(c, distrusted(c));
    } else if (!c->open) {
        finish(c, lt_fail(LT_RETRY_UNAVAILABLE, __FILE__, __LINE__, "%.100s port %u: no connection",
                          c->origin.host, c->origin.port));
    } else {
        finish(c,
               lt_fail(LT_RETRY_TIMEOUT, __FILE__, __LINE__, "no answer within %d ms", c->origin.timeout_ms));
    }
}

/* The connection is gone. */
static void lost(struct http_client *c)
{
    note_verdict(c);
    if (c->phase == IDLE) {
        shut(c);
        return;
    }
    bool stale = !c->fresh && c->phase == HEAD && c->in.len == 0;
    shut(c);
    if (stale && !lt_failed(send_request(c))) {
        return;
    }
    if (c->verdict != X509_V_OK) {
        finish(c, distrusted(c));
    } else {
        finish(c, lt_fail(LT_STATE_CLOSED, __FILE__, __LINE__, "%.100s port %u closed the connection",
                          c->origin.host, c->origin.port));
    }
}

static bool bodiless(const struct http_client *c)
{
    return c->head_only || c->head.status == 204 || c->head.status == 304;
}

/* The next head in c->in, interim ones too. LT_RETRY_AGAIN: more is needed. */
static lt_res next_head(struct http_client *c)
{
    size_t len;
    unsigned status;
    lt_res r = http_head_find(lt_buf_slice(&c->in), &c->scanned, &len, &status);
    if (lt_failed(r)) {
        return r;
    }
    lt_buf_reset(&c->head_bytes);
    lt_buf_add(&c->head_bytes, lt_slice_sub(lt_buf_slice(&c->in), 0, len));
    lt_buf_consume(&c->in, len);
    c->scanned = 0;
    return http_response_parse(lt_buf_slice(&c->head_bytes), &c->head);
}

static lt_res take_head(struct http_client *c)
{
    do {
        LT_TRY(next_head(c));
    } while (c->head.status < 200);
    c->phase = BODY;
    c->chunked = (struct http_chunked){0};
    c->left = bodiless(c) ? 0 : c->head.length;
    c->until_close = !bodiless(c) && !c->head.chunked && !c->head.has_length;
    return LT_OK;
}

static lt_res take_body(struct http_client *c, bool *ret_whole)
{
    lt_slice bytes = lt_buf_slice(&c->in);
    bool chunked = c->head.chunked && !bodiless(c);
    while (chunked && bytes.len > 0 && !c->chunked.done) {
        lt_slice data;
        LT_TRY(http_chunked_next(&c->chunked, &bytes, &data));
        lt_buf_add(&c->body, data);
    }
    if (!chunked) {
        size_t len = c->until_close || bytes.len < c->left ? bytes.len : (size_t)c->left;
        lt_buf_add(&c->body, lt_slice_sub(bytes, 0, len));
        bytes = lt_slice_sub(bytes, len, SIZE_MAX);
        c->left -= c->until_close ? 0 : len;
    }
    lt_buf_consume(&c->in, c->in.len - bytes.len);
    *ret_whole = chunked ? c->chunked.done : c->until_close ? c->eof : c->left == 0;
    return lt_buf_check(&c->body);
}

static void advance(struct http_client *c)
{
    lt_res r = c->phase == HEAD ? take_head(c) : LT_OK;
    bool whole = false;
    if (!lt_failed(r) && c->phase == BODY) {
        r = take_body(c, &whole);
    }
    if (r.code == LT_RETRY_AGAIN || (!lt_failed(r) && !whole)) {
        if (c->eof) {
            lost(c);
        }
        return;
    }
    if (!lt_failed(r) && c->in.len > 0) {
        c->head.keep_alive = false; /* more than was asked for: nothing further is believed */
    }
    finish(c, r);
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct http_client *c = arg;
    uint8_t bytes[READ_BYTES];
    if (lt_failed(http_wire_flush(&c->wire))) {
        lost(c);
        return;
    }
    size_t got = 0;
    bool more = true;
    while (more && c->in.len < HTTP_HEAD_MAX + READ_BYTES) {
        size_t len;
        lt_res r = http_wire_read(&c->wire, bytes, sizeof bytes, &len);
        lt_buf_add(&c->in, LT_SLICE(bytes, len));
        got += len;
        c->eof = r.code == LT_STATE_CLOSED;
        more = !lt_failed(r) && http_wire_buffered(&c->wire);
    }
    if (c->phase == IDLE || (c->eof && got == 0 && c->in.len == 0 && c->phase == HEAD)) {
        if (got > 0 || c->eof) {
            lost(c);
        }
        return;
    }
    if (got > 0 || c->eof) {
        advance(c);
    }
}
