/* A connection's life: read a little, go on with its protocol, write, and die in time. */
#include "http/conn.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>
#include <sys/socket.h>

enum { IN_HIGH = 8 * 1024, LINGER_MS = 2000, TURNS = 16, SEND_STEP = 16 * 1024 };

static const struct http_limits *limits_of(const struct http_conn *c)
{
    return &c->server->limits;
}

void http_conn_linger(struct http_conn *c)
{
    c->phase = CONN_LINGER;
    c->deadline_ms = INT64_MAX; /* set when all is written */
}

bool http_conn_idle(const struct http_conn *c)
{
    return (c->phase == CONN_HEAD || c->phase == CONN_H2) && c->exchanges == NULL && c->scanned == 0 &&
           http_wire_pending(&c->wire) == 0;
}

/* The hash of the key that the client has proven, where it showed a certificate. */
static void take_client(struct http_conn *c)
{
    X509 *cert = SSL_get0_peer_certificate(c->wire.ssl);
    uint8_t *der = NULL;
    int len = cert == NULL ? 0 : i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
    if (len > 0) {
        c->has_client = EVP_Digest(der, (size_t)len, c->client_spki, NULL, EVP_sha256(), NULL) == 1;
        OPENSSL_free(der);
    }
}

/* The TLS handshake is over: which protocol? */
static void establish(struct http_conn *c)
{
    struct http_stats *stats = &c->server->stats;
    c->established = true;
    stats->tls_handshakes++;
    stats->tls_resumed += SSL_session_reused(c->wire.ssl) ? 1 : 0;
    if (c->listener->info->kind == HTTP_LISTEN_EITHER) {
        take_client(c);
    }
    const unsigned char *protocol = NULL;
    unsigned len = 0;
    SSL_get0_alpn_selected(c->wire.ssl, &protocol, &len);
    if (lt_slice_eq(LT_SLICE(protocol, len), LT_LIT("h2"))) {
        http_h2_begin(c);
    }
}

static bool room_to_read(const struct http_conn *c)
{
    return !c->eof && c->in.len <= IN_HIGH && http_wire_pending(&c->wire) < HTTP_WIRE_OUT_HIGH;
}

static void read_some(struct http_conn *c)
{
    struct http_server *s = c->server;
    size_t len;
    lt_res r = http_wire_read(&c->wire, s->scratch, sizeof s->scratch, &len);
    if (!c->established && SSL_is_init_finished(c->wire.ssl)) {
        establish(c);
    }
    if (r.code == LT_STATE_CLOSED) {
        c->eof = true;
        s->stats.tls_failed += c->established ? 0 : 1;
        bool left = c->phase == CONN_HANDLING && c->exchanges != NULL && c->exchanges->lasting;
        bool over = !c->established || c->phase == CONN_H2 || left ||
                    (c->phase == CONN_LINGER && http_wire_pending(&c->wire) == 0);
        c->phase = over ? CONN_DEAD : c->phase;
    }
    if (len > 0) {
        lt_buf_add(&c->in, LT_SLICE(s->scratch, len));
        LT_ASSERT(!c->in.overflow); /* room_to_read saw to it */
    }
}

static bool more_to_send(const struct http_conn *c)
{
    bool h1 = c->phase == CONN_HANDLING && c->exchanges != NULL && c->exchanges->answered &&
              http_exchange_source(c->exchanges) == SOURCE_DATA;
    return http_wire_pending(&c->wire) == 0 && (h1 || c->stalled);
}

static void after_flush(struct http_conn *c)
{
    const struct http_wire *w = &c->wire;
    if (http_wire_pending(w) > 0) {
        if (c->send_deadline_ms == 0) {
            c->send_deadline_ms = c->server->now_ms + limits_of(c)->send_ms;
            c->send_mark = w->sent + SEND_STEP;
        }
        return;
    }
    c->send_deadline_ms = 0;
    if (c->phase == CONN_LINGER && c->deadline_ms == INT64_MAX) {
        http_wire_shut(&c->wire);
        c->deadline_ms = c->server->now_ms + LINGER_MS;
        c->phase = c->eof ? CONN_DEAD : c->phase;
    }
}

/* The first byte says which it is: a record of a TLS handshake begins with 22, no request does. False:
 * nothing to go on with yet, or ever. */
static bool sniff(struct http_conn *c)
{
    enum { HANDSHAKE = 22 };
    uint8_t first = 0;
    ssize_t n = recv(c->wire.fd, &first, 1, MSG_PEEK | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return false;
    }
    bool tls = n == 1 && first == HANDSHAKE;
    if (n <= 0 || (tls && c->server->tls == NULL)) {
        c->phase = CONN_DEAD;
        return false;
    }
    c->sniffing = false;
    c->established = !tls;
    if (tls) {
        http_conn_take_tls(c);
    } else if (c->listener->info->tls_only) {
        http_h1_refuse(c, 400, "here only TLS is spoken: write https:// in front of the address");
    }
    return true;
}

/* One turn; true when another would do something at once. */
static bool turn(struct http_conn *c, bool may_read)
{
    if (c->sniffing && (!may_read || !sniff(c))) {
        return false;
    }
    if (may_read && room_to_read(c)) {
        read_some(c);
    }
    if (c->phase != CONN_H2 && c->established) {
        http_h1_advance(c);
    }
    if (c->phase == CONN_H2) {
        http_h2_advance(c);
    }
    if (c->phase == CONN_DEAD) {
        return false;
    }
    if (lt_failed(http_wire_flush(&c->wire))) {
        c->phase = CONN_DEAD;
        return false;
    }
    after_flush(c);
    return (http_wire_buffered(&c->wire) && room_to_read(c)) || more_to_send(c);
}

void http_conn_run(struct http_conn *c, bool may_read)
{
    if (c->running) {
        return; /* called back from within: the outer turn goes on */
    }
    c->running = true;
    bool again = true;
    bool readable = may_read || http_wire_buffered(&c->wire);
    for (int i = 0; i < TURNS && again; i++) {
        again = turn(c, readable);
        readable = http_wire_buffered(&c->wire);
    }
    c->running = false;
    if (c->phase == CONN_DEAD) {
        http_conn_free(c);
        return;
    }
    if (c->in.len == 0) {
        lt_buf_done(&c->in); /* an idle connection keeps no buffer */
    }
    http_wire_want_read(&c->wire, room_to_read(c));
    if (again) {
        event_active(&c->wire.readable, EV_READ, 0); /* others first, then on */
    }
}

void http_conn_ready(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    struct http_conn *c = arg;
    http_conn_run(c, (what & EV_READ) != 0 || c->wire.read_needs_write);
}

/* Each exchange of HTTP/2 has its own time: sending slowly, or opening no window, holds one stream only. */
static void tick_exchange(struct http_exchange *x)
{
    struct http_conn *c = x->conn;
    if (c->server->now_ms < x->deadline_ms) {
        return;
    }
    if (x->answered && !x->sent_all &&
        (http_exchange_source(x) == SOURCE_WAIT || x->pulled > x->pulled_mark)) {
        x->pulled_mark = x->pulled + SEND_STEP / 2;
        x->deadline_ms = c->server->now_ms + limits_of(c)->send_ms;
        return;
    }
    c->server->stats.timeouts += x->sent_all ? 0 : 1;
    http_h2_reset(x);
}

static void tick_streams(struct http_conn *c)
{
    struct http_exchange *next;
    for (struct http_exchange *x = c->exchanges; x != NULL; x = next) {
        next = x->next; /* a reset frees x at the earliest in the run below */
        tick_exchange(x);
    }
}

static void receive_timeout(struct http_conn *c)
{
    c->server->stats.timeouts += c->phase == CONN_LINGER || http_conn_idle(c) ? 0 : 1;
    bool asked = c->established && ((c->phase == CONN_HEAD && c->in.len > 0) || c->phase == CONN_BODY);
    if (!asked) {
        c->phase = CONN_DEAD;
        return;
    }
    if (c->exchanges != NULL) {
        http_exchange_end(c->exchanges, false);
    }
    http_h1_refuse(c, 408, "the request did not come in time");
}

void http_conn_tick(struct http_conn *c)
{
    int64_t now_ms = c->server->now_ms;
    bool due = false;
    if (c->send_deadline_ms > 0 && now_ms >= c->send_deadline_ms) {
        bool moved = c->wire.sent >= c->send_mark;
        c->send_deadline_ms = now_ms + limits_of(c)->send_ms;
        c->send_mark = c->wire.sent + SEND_STEP;
        c->server->stats.timeouts += moved ? 0 : 1;
        c->phase = moved ? c->phase : CONN_DEAD;
        due = !moved;
    }
    if (c->phase == CONN_H2) {
        tick_streams(c);
        due = true;
    }
    if (c->phase != CONN_DEAD && now_ms >= c->deadline_ms && (c->phase != CONN_H2 || c->exchanges == NULL)) {
        receive_timeout(c);
        due = true;
    }
    if (due) {
        http_conn_run(c, false);
    }
}

void http_conn_drain(struct http_conn *c)
{
    if (c->phase == CONN_H2) {
        http_h2_goaway(c);
    } else if (http_conn_idle(c)) {
        c->phase = CONN_DEAD;
    }
    http_conn_run(c, false);
}
