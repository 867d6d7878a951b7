/* Listeners, who may connect how often, and time. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/random.h"
#include "http/conn.h"
#include "http/date.h"

enum {
    ACCEPT_BURST = 2, /* the other gateways take their share */
    IN_MAX = 32 * 1024,
    RESERVED_EACH = 4, /* part of a listener's reserved places that one address may have */
};

static const struct http_limits defaults = {
    .connections = 4000,
    .per_address = 256,
    .reserved_connections = 64,
    .buffered_bytes = 64 * 1024 * 1024,
    .head_ms = 10000,
    .body_ms = 20000,
    .idle_ms = 60000,
    .send_ms = 20000,
};

static size_t or_size(size_t value, size_t other)
{
    return value != 0 ? value : other;
}

static int or_int(int value, int other)
{
    return value != 0 ? value : other;
}

static struct http_limits with_defaults(const struct http_limits *l)
{
    return (struct http_limits){
        .connections = or_size(l->connections, defaults.connections),
        .per_address = or_size(l->per_address, defaults.per_address),
        .loopback_counts = l->loopback_counts,
        .reserved_connections = or_size(l->reserved_connections, defaults.reserved_connections),
        .buffered_bytes = or_size(l->buffered_bytes, defaults.buffered_bytes),
        .head_ms = or_int(l->head_ms, defaults.head_ms),
        .body_ms = or_int(l->body_ms, defaults.body_ms),
        .idle_ms = or_int(l->idle_ms, defaults.idle_ms),
        .send_ms = or_int(l->send_ms, defaults.send_ms),
    };
}

lt_res http_server_new(struct event_base *base, const struct http_limits *limits,
                       const struct http_hooks *hooks, struct http_server **ret_server)
{
    struct http_server *s = calloc(1, sizeof *s);
    LT_ASSERT(s != NULL);
    s->base = base;
    s->limits = with_defaults(limits);
    s->hooks = *hooks;
    s->date_s = -1;
    lt_random((uint8_t *)&s->peer_seed, sizeof s->peer_seed);
    http_h2_setup(s);
    *ret_server = s;
    return LT_OK;
}

void http_server_free(struct http_server *s)
{
    if (s == NULL) {
        return;
    }
    while (s->conns != NULL) {
        http_conn_free(s->conns);
    }
    while (s->listeners != NULL) {
        struct http_listener *l = s->listeners;
        s->listeners = l->next;
        (void)event_del(&l->acceptable); /* deleting what was not added is fine */
        (void)close(l->fd);              /* a listening socket has nothing to lose */
        free(l);
    }
    SSL_CTX_free(s->tls);
    http_h2_teardown(s);
    free(s);
}

static bool has_peer_key(const struct http_conn *c)
{
    return c->listener->info->kind != HTTP_LISTEN_UNIX;
}

/* IPv4 whole, IPv6 by its /64: what one customer gets. */
static void set_peer(struct http_conn *c, const struct sockaddr_storage *from)
{
    if (from->ss_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, from, sizeof in);
        memcpy(c->peer_key, &in.sin_addr, 4);
        (void)inet_ntop(AF_INET, &in.sin_addr, c->remote, sizeof c->remote); /* has room for any */
    } else if (from->ss_family == AF_INET6) {
        struct sockaddr_in6 in;
        memcpy(&in, from, sizeof in);
        bool mapped = IN6_IS_ADDR_V4MAPPED(&in.sin6_addr);
        memcpy(c->peer_key, in.sin6_addr.s6_addr + (mapped ? 12 : 0), mapped ? 4 : 8);
        c->peer_key[15] = mapped ? 0 : 6;
        (void)inet_ntop(mapped ? AF_INET : AF_INET6, in.sin6_addr.s6_addr + (mapped ? 12 : 0), c->remote,
                        sizeof c->remote);
    }
}

static uint32_t bucket_of(const struct http_server *s, const uint8_t key[16])
{
    uint64_t h = s->peer_seed;
    for (size_t i = 0; i < 16; i++) {
        h = (h ^ key[i]) * UINT64_C(0x100000001b3);
    }
    return (uint32_t)(h >> 32) % PEER_BUCKETS;
}

/* Those of the same address, to public listeners or to the others. */
static size_t count_peer(const struct http_server *s, const struct http_conn *like)
{
    size_t n = 0;
    for (const struct http_conn *c = s->peers[like->peer_bucket]; c != NULL; c = c->peer_next) {
        bool same = c->listener->info->is_public == like->listener->info->is_public;
        n += same && memcmp(c->peer_key, like->peer_key, 16) == 0 ? 1 : 0;
    }
    return n;
}

static void link_conn(struct http_conn *c)
{
    struct http_server *s = c->server;
    c->next = s->conns;
    if (c->next != NULL) {
        c->next->prev = c;
    }
    s->conns = c;
    if (has_peer_key(c)) {
        c->peer_next = s->peers[c->peer_bucket];
        if (c->peer_next != NULL) {
            c->peer_next->peer_prev = c;
        }
        s->peers[c->peer_bucket] = c;
    }
}

static void unlink_conn(struct http_conn *c)
{
    struct http_server *s = c->server;
    *(c->prev != NULL ? &c->prev->next : &s->conns) = c->next;
    if (c->next != NULL) {
        c->next->prev = c->prev;
    }
    if (has_peer_key(c)) {
        *(c->peer_prev != NULL ? &c->peer_prev->peer_next : &s->peers[c->peer_bucket]) = c->peer_next;
        if (c->peer_next != NULL) {
            c->peer_next->peer_prev = c->peer_prev;
        }
    }
}

static size_t *open_count(struct http_server *s, const struct http_listener *l)
{
    return l->info->is_public ? &s->stats.open_public : &s->stats.open_reserved;
}

void http_conn_free(struct http_conn *c)
{
    struct http_server *s = c->server;
    c->running = true; /* hooks that answer now change nothing */
    if (c->h2 != NULL) {
        http_h2_end(c);
    }
    while (c->exchanges != NULL) {
        http_exchange_end(c->exchanges, false);
    }
    unlink_conn(c);
    (*open_count(s, c->listener))--;
    c->listener->open--;
    if (c->wire.ssl != NULL && c->wire.out.len == 0) {
        (void)SSL_shutdown(c->wire.ssl); /* best effort: one close_notify, no waiting for another */
    }
    http_wire_done(&c->wire);
    lt_buf_done(&c->in);
    free(c);
}

/* It is idle, or has not asked for anything whole yet. */
static bool is_unserved(const struct http_conn *c)
{
    bool unserved = c->phase == CONN_HEAD || c->phase == CONN_BODY || c->phase == CONN_H2;
    for (const struct http_exchange *x = c->exchanges; unserved && x != NULL; x = x->next) {
        unserved = !x->handed && !x->answered;
    }
    return unserved && http_wire_pending(&c->wire) == 0;
}

/* At the limit the connection that has been idle longest makes room; one that is being served never does.
 * l: one that is not public, whose few places whoever says nothing, or says it slowly, must not keep; NULL:
 * of all that are public. */
static bool evict_idle(struct http_server *s, const struct http_listener *l)
{
    struct http_conn *oldest = NULL;
    for (struct http_conn *c = s->conns; c != NULL; c = c->next) {
        bool candidate = l != NULL ? c->listener == l && is_unserved(c)
                                   : c->listener->info->is_public && http_conn_idle(c);
        candidate = candidate && !c->running;
        if (candidate && (oldest == NULL || c->idle_since_ms <= oldest->idle_since_ms)) {
            oldest = c;
        }
    }
    if (oldest != NULL) {
        s->stats.evicted++;
        http_conn_free(oldest);
    }
    return oldest != NULL;
}

static bool is_loopback(const struct http_conn *c)
{
    return c->peer_key[15] == 6 ? strcmp(c->remote, "::1") == 0 : c->peer_key[0] == 127;
}

static bool admit(struct http_server *s, const struct http_listener *l, const struct http_conn *c)
{
    bool counts = has_peer_key(c) && (s->limits.loopback_counts || !is_loopback(c));
    size_t each = l->info->is_public ? s->limits.per_address : s->limits.reserved_connections / RESERVED_EACH;
    if (counts && count_peer(s, c) >= each) {
        return false;
    }
    return l->info->is_public ? s->stats.open_public < s->limits.connections || evict_idle(s, NULL)
                              : l->open < s->limits.reserved_connections || evict_idle(s, l);
}

static void set_credentials(struct http_conn *c, int fd)
{
    struct ucred peer;
    socklen_t len = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && len == sizeof peer) {
        c->has_peer = true;
        c->peer_uid = peer.uid;
        c->peer_pid = (uint32_t)peer.pid;
    }
}

/* Whose key it is says who reads the request; what the certificate claims is believed by nobody. */
static int take_any(int good, X509_STORE_CTX *chain)
{
    (void)good;
    (void)chain;
    return 1;
}

void http_conn_take_tls(struct http_conn *c)
{
    static const unsigned char context[] = "client";
    SSL *ssl = SSL_new(c->server->tls);
    LT_ASSERT(ssl != NULL && SSL_set_fd(ssl, c->wire.fd) == 1);
    SSL_set_accept_state(ssl);
    if (c->listener->info->kind == HTTP_LISTEN_EITHER) {
        SSL_set_verify(ssl, SSL_VERIFY_PEER, take_any);
        /* No session is taken up again: each connection proves its key. */
        (void)SSL_set_options(ssl, SSL_OP_NO_TICKET);
        LT_ASSERT(SSL_set_num_tickets(ssl, 0) == 1 &&
                  SSL_set_session_id_context(ssl, context, sizeof context) == 1);
    }
    c->wire.ssl = ssl;
}

static void begin_conn(struct http_listener *l, int fd, const struct sockaddr_storage *from)
{
    struct http_server *s = l->server;
    struct http_conn *c = calloc(1, sizeof *c);
    LT_ASSERT(c != NULL);
    c->deadline_ms = INT64_MAX;
    c->server = s;
    c->listener = l;
    if (l->info->kind == HTTP_LISTEN_UNIX) {
        set_credentials(c, fd);
    } else {
        set_peer(c, from);
        c->peer_bucket = bucket_of(s, c->peer_key);
    }
    if (!admit(s, l, c)) {
        s->stats.refused++;
        (void)close(fd); /* nothing was said yet */
        free(c);
        return;
    }
    bool tls = l->info->kind == HTTP_LISTEN_TLS;
    c->sniffing = l->info->kind == HTTP_LISTEN_EITHER;
    s->stats.accepted++;
    (*open_count(s, l))++;
    l->open++;
    link_conn(c);
    lt_buf_init(&c->in, IN_MAX);
    c->established = !tls && !c->sniffing;
    http_wire_init(&c->wire, s->base, fd, http_conn_ready, c);
    if (tls) {
        http_conn_take_tls(c);
    }
    http_h1_begin(c);
    c->deadline_ms = s->now_ms + s->limits.head_ms;
}

static void set_accepting(struct http_listener *l, bool want)
{
    if (want != l->accepting) {
        l->accepting = want;
        LT_ASSERT((want ? event_add(&l->acceptable, NULL) : event_del(&l->acceptable)) == 0);
    }
}

static void on_acceptable(evutil_socket_t listen_fd, short what, void *arg)
{
    (void)what;
    struct http_listener *l = arg;
    for (int i = 0; i < ACCEPT_BURST; i++) {
        struct sockaddr_storage from = {0};
        socklen_t len = sizeof from;
        int fd = accept4(listen_fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            begin_conn(l, fd, &from);
            continue;
        }
        bool full = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
        if (full && !evict_idle(l->server, NULL)) {
            set_accepting(l, false); /* until the next tick */
        }
        return;
    }
}

lt_res http_server_listen(struct http_server *s, int fd, const struct http_listener_info *info)
{
    LT_CHECK(evutil_make_socket_nonblocking(fd) == 0, LT_STATE_IO, "%s: %s", info->name, strerror(errno));
    if (info->kind != HTTP_LISTEN_UNIX) {
        int on = 1; /* inherited by what is accepted: an answer must not wait for an acknowledgement */
        LT_CHECK(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0, LT_STATE_IO,
                 "%s: TCP_NODELAY: %s", info->name, strerror(errno));
    }
    struct http_listener *l = calloc(1, sizeof *l);
    LT_ASSERT(l != NULL);
    *l = (struct http_listener){.server = s, .next = s->listeners, .info = info, .fd = fd};
    LT_ASSERT(event_assign(&l->acceptable, s->base, fd, EV_READ | EV_PERSIST, on_acceptable, l) == 0);
    s->listeners = l;
    set_accepting(l, info->kind != HTTP_LISTEN_TLS || s->tls != NULL);
    return LT_OK;
}

static void accept_all(struct http_server *s)
{
    for (struct http_listener *l = s->listeners; l != NULL; l = l->next) {
        set_accepting(l, !s->draining && (l->info->kind != HTTP_LISTEN_TLS || s->tls != NULL));
    }
}

void http_server_use_tls(struct http_server *s, SSL_CTX *ctx)
{
    LT_ASSERT(SSL_CTX_up_ref(ctx) == 1);
    SSL_CTX_free(s->tls);
    s->tls = ctx;
    accept_all(s);
}

void http_server_tick(struct http_server *s, lt_time now, int64_t monotonic_ms)
{
    s->now_ms = monotonic_ms;
    if (lt_time_seconds(now) != s->date_s) {
        s->date_s = lt_time_seconds(now);
        http_date(now, s->date);
    }
    accept_all(s);
    struct http_conn *next;
    for (struct http_conn *c = s->conns; c != NULL; c = next) {
        next = c->next; /* a tick ends no other connection than its own */
        http_conn_tick(c);
    }
}

void http_server_drain(struct http_server *s)
{
    s->draining = true;
    accept_all(s);
    struct http_conn *next;
    for (struct http_conn *c = s->conns; c != NULL; c = next) {
        next = c->next;
        http_conn_drain(c);
    }
}

/* What was accepted and not yet answered; half a request was not accepted. */
static bool owes(const struct http_conn *c)
{
    bool handed = false;
    for (const struct http_exchange *x = c->exchanges; x != NULL; x = x->next) {
        handed = handed || x->handed;
    }
    return handed || http_wire_pending(&c->wire) > 0;
}

bool http_server_drained(const struct http_server *s)
{
    bool busy = !s->draining;
    for (const struct http_conn *c = s->conns; c != NULL; c = c->next) {
        busy = busy || owes(c);
    }
    return !busy;
}

const struct http_stats *http_server_stats(const struct http_server *s)
{
    return &s->stats;
}
