/* A small automaton on one event: connecting, TLS, sending, reading. */
#include "validate/conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"

enum phase { CONNECTING, SHAKING, SENDING, READING, ENDED };
enum { READ_LEN = 16 * 1024, REQUEST_MAX = 8 * 1024, READS_AT_ONCE = 8, ALPN_MAX = 32 };

struct validate_conn {
    struct validate_conn_hooks hooks;
    struct event *event; /* owned */
    SSL *ssl;            /* owned; NULL: plain */
    int fd;              /* owned */
    enum phase phase;
    short waits_for;       /* EV_READ or EV_WRITE */
    struct lt_buf request; /* owned; what has not been sent yet */
    struct timeval connect_timeout;
    bool in_hook;
    bool freed; /* inside a hook: goes when the hook is back */
};

static void destroy(struct validate_conn *c)
{
    event_free(c->event);
    SSL_free(c->ssl);
    (void)close(c->fd); /* nothing was written that could be lost */
    lt_buf_done(&c->request);
    free(c);
}

void validate_conn_free(struct validate_conn *c)
{
    if (c == NULL) {
        return;
    }
    c->phase = ENDED;
    if (c->in_hook) {
        c->freed = true;
        (void)event_del(c->event); /* it can only fail for an event that was never made */
    } else {
        destroy(c);
    }
}

static void end(struct validate_conn *c, enum validate_conn_end how, const char *detail)
{
    c->phase = ENDED;
    (void)event_del(c->event); /* as above */
    c->hooks.end(c->hooks.self, how, detail);
}

static void wait_for(struct validate_conn *c, short what)
{
    const struct timeval *timeout = c->phase == CONNECTING || c->phase == SHAKING ? &c->connect_timeout
                                                                                  : NULL;
    if (c->waits_for == what && timeout == NULL) {
        return; /* persistent */
    }
    struct event_base *base = event_get_base(c->event);
    event_callback_fn handler = event_get_callback(c->event);
    (void)event_del(c->event); /* as above */
    int assigned = event_assign(c->event, base, c->fd, (short)(what | EV_PERSIST), handler, c);
    LT_ASSERT(assigned == 0);
    int added = event_add(c->event, timeout);
    LT_ASSERT(added == 0);
    c->waits_for = timeout == NULL ? what : 0;
}

/* What the last call on the TLS object wants, or why it failed. */
static bool tls_again(struct validate_conn *c, int result)
{
    int error = SSL_get_error(c->ssl, result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
        wait_for(c, error == SSL_ERROR_WANT_READ ? EV_READ : EV_WRITE);
        return true;
    }
    return false;
}

static const char *tls_reason(void)
{
    unsigned long code = ERR_get_error();
    const char *reason = code == 0 ? NULL : ERR_reason_error_string(code);
    ERR_clear_error();
    return reason == NULL ? "the peer closed" : reason;
}

/* Bytes read; 0 when the peer is done; -1 when the connection broke. False: there is nothing just now, and
 * the event waits for more. */
static bool receive(struct validate_conn *c, uint8_t *bytes, size_t size, ssize_t *ret_got)
{
    if (c->ssl == NULL) {
        *ret_got = read(c->fd, bytes, size);
        bool again = *ret_got < 0 && (errno == EAGAIN || errno == EINTR);
        if (again) {
            wait_for(c, EV_READ);
        }
        return !again;
    }
    int got = SSL_read(c->ssl, bytes, (int)size);
    if (got <= 0 && tls_again(c, got)) {
        return false;
    }
    ERR_clear_error();
    *ret_got = got > 0 ? got : 0; /* however TLS ends: the answer must be whole by its own framing */
    return true;
}

static void read_some(struct validate_conn *c)
{
    uint8_t bytes[READ_LEN];
    for (size_t i = 0; i < READS_AT_ONCE && c->phase == READING; i++) {
        ssize_t got = 0;
        if (!receive(c, bytes, sizeof bytes, &got)) {
            return;
        }
        if (got <= 0) {
            end(c, got == 0 ? VALIDATE_CONN_CLOSED : VALIDATE_CONN_BROKEN,
                got == 0 ? "closed" : strerror(errno));
            return;
        }
        c->hooks.data(c->hooks.self, LT_SLICE(bytes, (size_t)got));
        if ((size_t)got < sizeof bytes && c->ssl == NULL) {
            break; /* the socket is empty: no second call to learn it */
        }
    }
    if (c->phase == READING) {
        wait_for(c, EV_READ);
    }
}

static void send_some(struct validate_conn *c)
{
    while (c->request.len > 0) {
        ssize_t sent = 0;
        if (c->ssl != NULL) {
            sent = SSL_write(c->ssl, c->request.ptr, (int)c->request.len);
            if (sent <= 0 && tls_again(c, (int)sent)) {
                return;
            }
        } else {
            sent = send(c->fd, c->request.ptr, c->request.len, MSG_NOSIGNAL);
            if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
                wait_for(c, EV_WRITE);
                return;
            }
        }
        if (sent <= 0) {
            end(c, VALIDATE_CONN_BROKEN, c->ssl != NULL ? tls_reason() : strerror(errno));
            return;
        }
        lt_buf_consume(&c->request, (size_t)sent);
    }
    c->phase = READING;
    c->waits_for = 0;
    wait_for(c, EV_READ);
}

static void tell_shaken(struct validate_conn *c)
{
    const unsigned char *alpn = NULL;
    unsigned alpn_len = 0;
    unsigned char *der = NULL;
    X509 *peer = SSL_get0_peer_certificate(c->ssl);
    int der_len = peer == NULL ? 0 : i2d_X509(peer, &der);
    SSL_get0_alpn_selected(c->ssl, &alpn, &alpn_len);
    c->phase = ENDED;
    (void)event_del(c->event); /* it can only fail for an event that was never made */
    c->hooks.shaken(c->hooks.self, LT_SLICE(alpn, alpn_len),
                    LT_SLICE(der, der_len > 0 ? (size_t)der_len : 0));
    OPENSSL_free(der);
    ERR_clear_error();
}

static void shake(struct validate_conn *c)
{
    int done = SSL_connect(c->ssl);
    if (done == 1 && c->hooks.shaken != NULL) {
        tell_shaken(c);
    } else if (done == 1) {
        c->phase = SENDING;
        c->waits_for = 0;
        send_some(c);
    } else if (!tls_again(c, done)) {
        end(c, VALIDATE_CONN_TLS, tls_reason());
    }
}

static void connected(struct validate_conn *c)
{
    int error = 0;
    socklen_t len = sizeof error;
    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0) {
        error = errno;
    }
    if (error != 0) {
        end(c, VALIDATE_CONN_REFUSED, strerror(error));
    } else if (c->ssl != NULL) {
        c->phase = SHAKING;
        shake(c);
    } else {
        c->phase = SENDING;
        c->waits_for = 0;
        send_some(c);
    }
}

static void run(struct validate_conn *c)
{
    switch (c->phase) {
    case CONNECTING:
        connected(c);
        break;
    case SHAKING:
        shake(c);
        break;
    case SENDING:
        send_some(c);
        break;
    case READING:
        read_some(c);
        break;
    case ENDED:
        break;
    }
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
    struct validate_conn *c = arg;
    (void)fd;
    c->in_hook = true;
    if ((what & EV_TIMEOUT) != 0 && (c->phase == CONNECTING || c->phase == SHAKING)) {
        end(c, c->phase == SHAKING ? VALIDATE_CONN_TLS : VALIDATE_CONN_REFUSED, "timed out");
    } else {
        run(c);
    }
    c->in_hook = false;
    if (c->freed) {
        destroy(c);
    }
}

static lt_res open_socket(const struct validate_conn_options *o, int *ret_fd)
{
    struct sockaddr_storage to;
    int on = 1;
    socklen_t len = validate_address_sockaddr(o->address, o->port, &to);
    int fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    LT_CHECK(fd >= 0, LT_RETRY_UNAVAILABLE, "socket: %s", strerror(errno));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* speed only */
    if (connect(fd, (const struct sockaddr *)&to, len) != 0 && errno != EINPROGRESS) {
        int error = errno;
        (void)close(fd);
        LT_FAIL(LT_RETRY_UNAVAILABLE, "%s", strerror(error));
    }
    *ret_fd = fd;
    return LT_OK;
}

static void begin_tls(struct validate_conn *c, const struct validate_conn_options *o)
{
    c->ssl = SSL_new(o->tls);
    LT_ASSERT(c->ssl != NULL);
    bool named = o->host != NULL && o->host[0] != '\0';
    /* SSL_set_tlsext_host_name without its cast; the name is copied */
    bool fine = SSL_set_fd(c->ssl, c->fd) == 1 &&
                (!named || SSL_ctrl(c->ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                                    (void *)(uintptr_t)o->host) == 1);
    LT_ASSERT(fine);
    if (o->alpn.len > 0) {
        uint8_t list[ALPN_MAX + 1];
        LT_ASSERT(o->alpn.len <= ALPN_MAX);
        list[0] = (uint8_t)o->alpn.len;
        memcpy(list + 1, o->alpn.ptr, o->alpn.len);
        fine = SSL_set_alpn_protos(c->ssl, list, (unsigned)o->alpn.len + 1) == 0 &&
               SSL_set_min_proto_version(c->ssl, TLS1_2_VERSION) == 1;
        LT_ASSERT(fine);
    }
}

lt_res validate_conn_new(const struct validate_conn_options *o, const struct validate_conn_hooks *hooks,
                         struct validate_conn **ret_conn)
{
    int fd = -1;
    LT_TRY(open_socket(o, &fd));
    struct validate_conn *c = calloc(1, sizeof *c);
    LT_ASSERT(c != NULL);
    c->hooks = *hooks;
    c->fd = fd;
    c->phase = CONNECTING;
    c->connect_timeout.tv_sec = o->connect_timeout_ms / 1000;
    c->connect_timeout.tv_usec = (o->connect_timeout_ms % 1000) * 1000;
    lt_buf_init(&c->request, REQUEST_MAX);
    lt_buf_add(&c->request, o->request);
    c->event = event_new(o->base, fd, EV_WRITE | EV_PERSIST, on_event, c);
    LT_ASSERT(c->event != NULL);
    if (o->tls != NULL) {
        begin_tls(c, o);
    }
    int added = event_add(c->event, &c->connect_timeout);
    LT_ASSERT(added == 0);
    *ret_conn = c;
    return lt_buf_check(&c->request);
}
