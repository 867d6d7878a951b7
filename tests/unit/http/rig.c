/* The rig of the server's tests. */
#include "rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { ROUNDS = 400 };

static void answer_text(struct http_exchange *x, unsigned status, const char *text)
{
    const struct http_header headers[] = {{"x-test", "yes"}};
    const struct http_answer a = {
        .status = status,
        .content_type = "text/plain",
        .headers = headers,
        .header_count = 1,
        .body = lt_slice_cstr(text),
    };
    http_exchange_answer(x, &a);
}

static void answer_big(struct http_exchange *x, bool as_file)
{
    enum { BIG = 1000000 };
    char *bytes = malloc(BIG);
    for (size_t i = 0; i < BIG; i++) {
        bytes[i] = (char)('a' + i % 26);
    }
    struct http_answer a = {.status = 200, .body = LT_SLICE(bytes, BIG)};
    if (as_file) {
        int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);
        assert_true(fd >= 0 && write(fd, bytes, BIG) == BIG);
        a = (struct http_answer){.status = 200, .has_file = true, .file_fd = fd, .file_len = BIG};
    }
    http_exchange_answer(x, &a);
    free(bytes);
}

static void on_request(void *self, struct http_exchange *x)
{
    struct rig *r = self;
    const struct http_request *q = http_exchange_request(x);
    r->requests++;
    (void)snprintf(r->last_path, sizeof r->last_path, "%.*s", LT_FMT(q->path));
    (void)snprintf(r->last_body, sizeof r->last_body, "%.*s", LT_FMT(q->body));
    r->last_body_len = q->body.len;
    if (lt_slice_eq_cstr(q->path, "/later")) {
        r->held[r->held_count++] = x;
    } else if (lt_slice_eq_cstr(q->path, "/big") || lt_slice_eq_cstr(q->path, "/file")) {
        answer_big(x, lt_slice_eq_cstr(q->path, "/file"));
    } else if (lt_slice_eq_cstr(q->path, "/more")) {
        const struct http_answer a = {.status = 200, .body = LT_LIT("one,"), .more = true};
        r->held[r->held_count++] = x;
        http_exchange_answer(x, &a);
    } else if (lt_slice_eq_cstr(q->path, "/bad-header")) {
        const struct http_header headers[] = {{"x-a", "b\r\nx-c: d"}};
        const struct http_answer a = {.status = 200, .headers = headers, .header_count = 1};
        http_exchange_answer(x, &a);
    } else if (lt_slice_eq_cstr(q->path, "/none")) {
        const struct http_answer a = {.status = 204};
        http_exchange_answer(x, &a);
    } else if (lt_slice_eq_cstr(q->path, "/peer")) {
        char text[64];
        (void)snprintf(text, sizeof text, "%s %d %u %u", q->remote, q->has_peer, q->peer_uid, q->peer_pid);
        answer_text(x, 200, text);
    } else {
        answer_text(x, 200, r->last_path);
    }
}

static void on_ended(void *self, struct http_exchange *x, const struct http_outcome *o)
{
    struct rig *r = self;
    r->ended++;
    r->complete += o->complete ? 1 : 0;
    for (size_t i = 0; i < r->held_count; i++) {
        r->held[i] = r->held[i] == x ? NULL : r->held[i];
    }
}

static int listen_tcp(struct rig *r)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 512) == 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    r->port = ntohs(a.sin_port);
    return fd;
}

static int listen_unix(struct rig *r)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    (void)snprintf(r->socket_path, sizeof r->socket_path, "/tmp/lintel-http-test-%d.sock", (int)getpid());
    (void)snprintf(a.sun_path, sizeof a.sun_path, "%s", r->socket_path);
    (void)unlink(r->socket_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 16) == 0);
    return fd;
}

static void make_tls(struct rig *r)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    assert_true(key != NULL && cert != NULL);
    assert_int_equal(X509_set_version(cert, 2), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(cert), 1), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(cert), -60));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(cert), 3600));
    assert_int_equal(X509_set_pubkey(cert, key), 1);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    assert_ok(http_tls_context(&r->server_tls));
    assert_int_equal(SSL_CTX_use_certificate(r->server_tls, cert), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(r->server_tls, key), 1);
    X509_free(cert);
    EVP_PKEY_free(key);
    r->client_tls = SSL_CTX_new(TLS_client_method());
    assert_non_null(r->client_tls);
    http_server_use_tls(r->server, r->server_tls);
}

void rig_init(struct rig *r, enum http_listen_kind kind, const struct http_limits *limits)
{
    static const struct http_limits defaults;
    *r = (struct rig){.now_ms = 1000};
    (void)signal(SIGPIPE, SIG_IGN); /* as every program of the family does */
    r->info = (struct http_listener_info){"test", kind, kind != HTTP_LISTEN_UNIX};
    const struct http_hooks hooks = {r, on_request, on_ended};
    r->base = event_base_new();
    assert_non_null(r->base);
    assert_ok(http_server_new(r->base, limits != NULL ? limits : &defaults, &hooks, &r->server));
    http_server_tick(r->server, lt_time_from_seconds(784111777), r->now_ms);
    int fd = kind == HTTP_LISTEN_UNIX ? listen_unix(r) : listen_tcp(r);
    assert_ok(http_server_listen(r->server, fd, &r->info));
    if (kind == HTTP_LISTEN_TLS) {
        make_tls(r);
    }
}

void rig_done(struct rig *r)
{
    http_server_free(r->server);
    event_base_free(r->base);
    SSL_CTX_free(r->server_tls);
    SSL_CTX_free(r->client_tls);
    if (r->socket_path[0] != 0) {
        (void)unlink(r->socket_path);
    }
    assert_int_equal(r->ended, r->requests);
}

void rig_pump(struct rig *r)
{
    for (int i = 0; i < 8; i++) {
        assert_true(event_base_loop(r->base, EVLOOP_NONBLOCK) >= 0);
    }
}

void rig_wait(struct rig *r, int64_t ms)
{
    int64_t until = r->now_ms + ms;
    while (r->now_ms < until) {
        r->now_ms += until - r->now_ms < 100 ? until - r->now_ms : 100;
        http_server_tick(r->server, lt_time_from_seconds(784111777 + r->now_ms / 1000), r->now_ms);
        rig_pump(r);
    }
}

void client_init_from(struct client *c, struct rig *r, const char *from)
{
    *c = (struct client){.rig = r};
    c->in = calloc(1, RIG_ANSWER_MAX + 1);
    assert_non_null(c->in);
    if (r->socket_path[0] != 0) {
        struct sockaddr_un a = {.sun_family = AF_UNIX};
        (void)snprintf(a.sun_path, sizeof a.sun_path, "%s", r->socket_path);
        c->fd = socket(AF_UNIX, SOCK_STREAM, 0);
        assert_int_equal(connect(c->fd, (struct sockaddr *)&a, sizeof a), 0);
    } else {
        struct sockaddr_in a = {.sin_family = AF_INET};
        c->fd = socket(AF_INET, SOCK_STREAM, 0);
        if (from != NULL) {
            assert_int_equal(inet_pton(AF_INET, from, &a.sin_addr), 1);
            assert_int_equal(bind(c->fd, (struct sockaddr *)&a, sizeof a), 0);
        }
        a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        a.sin_port = htons((uint16_t)r->port);
        assert_int_equal(connect(c->fd, (struct sockaddr *)&a, sizeof a), 0);
        int on = 1;
        assert_int_equal(setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
    }
    assert_int_equal(fcntl(c->fd, F_SETFL, O_NONBLOCK), 0);
    rig_pump(r);
}

void client_init(struct client *c, struct rig *r)
{
    client_init_from(c, r, NULL);
}

bool client_tls(struct client *c, struct rig *r, const char *alpn)
{
    client_init(c, r);
    c->ssl = SSL_new(r->client_tls);
    assert_true(c->ssl != NULL && SSL_set_fd(c->ssl, c->fd) == 1);
    SSL_set_connect_state(c->ssl);
    if (alpn != NULL) {
        unsigned char wire[32];
        wire[0] = (unsigned char)strlen(alpn);
        memcpy(wire + 1, alpn, strlen(alpn));
        assert_int_equal(SSL_set_alpn_protos(c->ssl, wire, (unsigned)strlen(alpn) + 1), 0);
    }
    for (int i = 0; i < 50; i++) {
        int n = SSL_do_handshake(c->ssl);
        if (n == 1) {
            return true;
        }
        int e = SSL_get_error(c->ssl, n);
        if (e != SSL_ERROR_WANT_READ && e != SSL_ERROR_WANT_WRITE) {
            return false;
        }
        rig_pump(r);
    }
    return false;
}

void client_send(struct client *c, const void *bytes, size_t len)
{
    const char *at = bytes;
    for (int i = 0; i < ROUNDS && len > 0; i++) {
        ssize_t n = c->ssl != NULL ? SSL_write(c->ssl, at, (int)len) : send(c->fd, at, len, MSG_NOSIGNAL);
        if (n > 0) {
            at += n;
            len -= (size_t)n;
        } else if (c->ssl == NULL && errno != EAGAIN) {
            return; /* the server has cut us off: reading will tell */
        }
        rig_pump(c->rig);
    }
}

void client_say(struct client *c, const char *text)
{
    client_send(c, text, strlen(text));
}

static ssize_t read_some(struct client *c, char *to, size_t room)
{
    if (c->ssl == NULL) {
        return recv(c->fd, to, room, 0);
    }
    int n = SSL_read(c->ssl, to, (int)room);
    if (n > 0) {
        return n;
    }
    int e = SSL_get_error(c->ssl, n);
    errno = EAGAIN;
    return e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE ? -1 : 0;
}

void client_read(struct client *c)
{
    int quiet = 0;
    for (int i = 0; i < 100000 && quiet < 3 && !c->closed; i++) {
        rig_pump(c->rig);
        ssize_t n = read_some(c, c->in + c->in_len, RIG_ANSWER_MAX - c->in_len);
        if (n > 0) {
            c->in_len += (size_t)n;
            quiet = 0;
        } else if (n == 0 || errno != EAGAIN) {
            c->closed = true;
            c->reset = n < 0;
        } else {
            struct pollfd p = {.fd = c->fd, .events = POLLIN};
            (void)poll(&p, 1, 1); /* lets loopback deliver; nothing depends on its length */
            quiet++;
        }
    }
    c->in[c->in_len] = 0;
}

void client_done(struct client *c)
{
    SSL_free(c->ssl);
    (void)close(c->fd);
    free(c->in);
    rig_pump(c->rig);
}

/* Start of the answer behind the one at `at`; NULL when that is not whole. */
static const char *next_answer(const char *at, const char *end)
{
    const char *body = strstr(at, "\r\n\r\n");
    if (body == NULL) {
        return NULL;
    }
    body += 4;
    const char *length = strstr(at, "Content-Length: ");
    size_t len = length != NULL && length < body ? (size_t)strtoul(length + 16, NULL, 10) : 0;
    return (size_t)(end - body) >= len ? body + len : NULL;
}

unsigned client_status(const struct client *c, size_t index)
{
    const char *at = c->in;
    const char *end = c->in + c->in_len;
    for (size_t i = 0; i < index && at != NULL; i++) {
        at = next_answer(at, end);
    }
    bool there = at != NULL && end - at >= 12 && memcmp(at, "HTTP/1.1 ", 9) == 0;
    return there ? (unsigned)strtoul(at + 9, NULL, 10) : 0;
}
