/* One look at a server's certificate. */
#include "http/peek.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WHY_MAX = 128, DER_MAX = 64 * 1024 };

struct http_peek {
    int fd;   /* owned; -1: none */
    SSL *ssl; /* owned */
    bool connected;
    struct event io;
    struct event timer;
    enum http_peek_outcome early; /* it failed before the loop ran; SERVED: it did not */
    char why[WHY_MAX];
    http_peek_done *done;
    void *arg;
};

const char *http_peek_word(enum http_peek_outcome outcome)
{
    static const char *const words[HTTP_PEEK_OUTCOMES] = {
        [HTTP_PEEK_SERVED] = "served",           [HTTP_PEEK_REFUSED] = "refused",
        [HTTP_PEEK_UNREACHABLE] = "unreachable", [HTTP_PEEK_TIMEOUT] = "timeout",
        [HTTP_PEEK_NO_TLS] = "no-tls",           [HTTP_PEEK_CLOSED] = "closed",
    };
    return words[outcome];
}

lt_res http_peek_context(SSL_CTX **ret_tls)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
    LT_ASSERT(tls != NULL);
    bool fine = SSL_CTX_set_min_proto_version(tls, TLS1_VERSION) == 1 &&
                SSL_CTX_set_cipher_list(tls, "ALL:@SECLEVEL=0") == 1;
    if (!fine) {
        SSL_CTX_free(tls);
        ERR_clear_error();
        LT_FAIL(LT_STATE_IO, "OpenSSL takes no such context");
    }
    SSL_CTX_set_verify(tls, SSL_VERIFY_NONE, NULL);
    (void)SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF); /* gives the mode before */
    (void)SSL_CTX_set_options(tls, SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_NO_TICKET); /* gives all of them */
    *ret_tls = tls;
    return LT_OK;
}

void http_peek_context_free(SSL_CTX *tls)
{
    SSL_CTX_free(tls);
}

void http_peek_free(struct http_peek *p)
{
    if (p == NULL) {
        return;
    }
    (void)event_del(&p->timer); /* deleting what was not added is fine */
    if (p->fd >= 0) {
        (void)event_del(&p->io); /* the same */
    }
    SSL_free(p->ssl);
    if (p->fd >= 0) {
        (void)close(p->fd); /* nothing of ours was sent */
    }
    ERR_clear_error();
    free(p);
}

static void finish(struct http_peek *p, enum http_peek_outcome outcome, lt_slice der, const char *why)
{
    p->done(p->arg, outcome, der, why);
    http_peek_free(p);
}

static void served(struct http_peek *p)
{
    X509 *leaf = SSL_get0_peer_certificate(p->ssl);
    unsigned char *der = NULL;
    int len = leaf == NULL ? -1 : i2d_X509(leaf, &der);
    if (len <= 0 || len > DER_MAX) {
        OPENSSL_free(der);
        finish(p, HTTP_PEEK_NO_TLS, LT_LIT(""),
               len > 0 ? "a certificate that is too large" : "no certificate");
        return;
    }
    (void)SSL_shutdown(p->ssl); /* a server that is gone meanwhile was seen all the same */
    finish(p, HTTP_PEEK_SERVED, LT_SLICE(der, (size_t)len), "");
    OPENSSL_free(der);
}

static enum http_peek_outcome outcome_of(int error)
{
    switch (error) {
    case ECONNREFUSED:
        return HTTP_PEEK_REFUSED;
    case ETIMEDOUT:
        return HTTP_PEEK_TIMEOUT;
    case ECONNRESET:
    case EPIPE:
        return HTTP_PEEK_CLOSED;
    default:
        return HTTP_PEEK_UNREACHABLE;
    }
}

static void want(struct http_peek *p, short what);

static void handshake(struct http_peek *p)
{
    ERR_clear_error();
    errno = 0;
    int done = SSL_do_handshake(p->ssl);
    int error = done == 1 ? SSL_ERROR_NONE : SSL_get_error(p->ssl, done);
    if (done == 1) {
        served(p);
    } else if (error == SSL_ERROR_WANT_READ) {
        want(p, EV_READ);
    } else if (error == SSL_ERROR_WANT_WRITE) {
        want(p, EV_WRITE);
    } else if (error == SSL_ERROR_SYSCALL) {
        finish(p, HTTP_PEEK_CLOSED, LT_LIT(""), errno == 0 ? "closed in the handshake" : strerror(errno));
    } else {
        const char *why = ERR_reason_error_string(ERR_peek_last_error());
        bool eof = ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
        finish(p, eof ? HTTP_PEEK_CLOSED : HTTP_PEEK_NO_TLS, LT_LIT(""),
               why == NULL ? "the handshake failed" : why);
    }
}

static void on_io(evutil_socket_t fd, short what, void *arg)
{
    struct http_peek *p = arg;
    int error = 0;
    socklen_t len = sizeof error;
    (void)what;
    if (!p->connected) {
        if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error != 0) {
            error = error == 0 ? errno : error;
            finish(p, outcome_of(error), LT_LIT(""), strerror(error));
            return;
        }
        p->connected = true;
    }
    handshake(p);
}

static void want(struct http_peek *p, short what)
{
    struct event_base *base = event_get_base(&p->io);
    LT_ASSERT(event_assign(&p->io, base, p->fd, what, on_io, p) == 0 && event_add(&p->io, NULL) == 0);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct http_peek *p = arg;
    (void)fd;
    (void)what;
    bool early = p->early != HTTP_PEEK_SERVED;
    finish(p, early ? p->early : HTTP_PEEK_TIMEOUT, LT_LIT(""),
           early          ? p->why
           : p->connected ? "no end of the handshake"
                          : "no connection");
}

/* What fails at once is told from the loop. */
static void begin(struct http_peek *p, const struct http_peek_options *o)
{
    p->fd = socket(o->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int error = p->fd < 0 ? errno : 0;
    if (error == 0 && connect(p->fd, (const struct sockaddr *)&o->address, o->address_len) != 0 &&
        errno != EINPROGRESS) {
        error = errno;
    }
    p->ssl = SSL_new(o->tls);
    LT_ASSERT(p->ssl != NULL);
    if (error == 0) {
        char *name = (char *)(uintptr_t)o->name; /* OpenSSL's macro lacks the const */
        LT_ASSERT(SSL_set_fd(p->ssl, p->fd) == 1);
        bool fits = name == NULL || SSL_set_tlsext_host_name(p->ssl, name) == 1;
        error = fits ? 0 : EADDRNOTAVAIL;
        SSL_set_connect_state(p->ssl);
    }
    if (error != 0) {
        p->early = outcome_of(error);
        (void)snprintf(p->why, sizeof p->why, "%s", strerror(error)); /* cut is fine */
    }
}

struct http_peek *http_peek_new(const struct http_peek_options *o, http_peek_done *done, void *arg)
{
    struct http_peek *p = calloc(1, sizeof *p);
    LT_ASSERT(p != NULL);
    p->done = done;
    p->arg = arg;
    p->early = HTTP_PEEK_SERVED;
    begin(p, o);
    bool early = p->early != HTTP_PEEK_SERVED;
    const struct timeval wait = {early ? 0 : o->timeout_ms / 1000, early ? 0 : o->timeout_ms % 1000 * 1000};
    LT_ASSERT(event_assign(&p->timer, o->base, -1, 0, on_timer, p) == 0 && event_add(&p->timer, &wait) == 0);
    LT_ASSERT(event_assign(&p->io, o->base, p->fd, EV_WRITE, on_io, p) == 0);
    LT_ASSERT(early || event_add(&p->io, NULL) == 0);
    return p;
}
