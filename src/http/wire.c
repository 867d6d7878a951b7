/* Streams. libevent tells when, this file moves the bytes: its own TLS buffer event writes a head and a body
 * as two records and reads without a bound. */
#include "http/wire.h"

#include <errno.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

enum { OUT_MAX = 32 * 1024 * 1024, OUT_KEPT = 4096 };

void http_wire_init(struct http_wire *w, struct event_base *base, int fd, event_callback_fn on_ready,
                    void *arg)
{
    *w = (struct http_wire){.fd = fd};
    lt_buf_init(&w->out, OUT_MAX);
    LT_ASSERT(event_assign(&w->readable, base, fd, EV_READ | EV_PERSIST, on_ready, arg) == 0);
    LT_ASSERT(event_assign(&w->writable, base, fd, EV_WRITE | EV_PERSIST, on_ready, arg) == 0);
    http_wire_want_read(w, true);
}

void http_wire_done(struct http_wire *w)
{
    if (w->fd < 0) {
        return;
    }
    (void)event_del(&w->readable); /* deleting what was not added is fine */
    (void)event_del(&w->writable);
    SSL_free(w->ssl);
    (void)close(w->fd); /* nothing can be done about a failing close of a socket */
    lt_buf_done(&w->out);
    *w = (struct http_wire){.fd = -1};
}

void http_wire_want_read(struct http_wire *w, bool want)
{
    if (want != w->reading) {
        w->reading = want;
        LT_ASSERT((want ? event_add(&w->readable, NULL) : event_del(&w->readable)) == 0);
    }
}

static void want_write(struct http_wire *w, bool want)
{
    if (want != w->writing) {
        w->writing = want;
        LT_ASSERT((want ? event_add(&w->writable, NULL) : event_del(&w->writable)) == 0);
    }
}

static lt_res tls_outcome(struct http_wire *w, int n, bool read)
{
    int e = SSL_get_error(w->ssl, n);
    if (e == SSL_ERROR_WANT_READ) {
        w->write_needs_read = !read;
        return (lt_res){LT_RETRY_AGAIN};
    }
    if (e == SSL_ERROR_WANT_WRITE) {
        w->read_needs_write = read;
        want_write(w, true);
        return (lt_res){LT_RETRY_AGAIN};
    }
    ERR_clear_error();
    return (lt_res){LT_STATE_CLOSED};
}

lt_res http_wire_read(struct http_wire *w, uint8_t *bytes, size_t size, size_t *ret_len)
{
    *ret_len = 0;
    if (w->ssl != NULL) {
        w->read_needs_write = false;
        size_t n;
        int ok = SSL_read_ex(w->ssl, bytes, size, &n);
        w->starved = !ok;
        if (!ok) {
            return tls_outcome(w, ok, true);
        }
        *ret_len = n;
        return LT_OK;
    }
    ssize_t n;
    do {
        n = read(w->fd, bytes, size);
    } while (n < 0 && errno == EINTR);
    if (n <= 0) {
        return (lt_res){n < 0 && errno == EAGAIN ? LT_RETRY_AGAIN : LT_STATE_CLOSED};
    }
    *ret_len = (size_t)n;
    return LT_OK;
}

bool http_wire_buffered(const struct http_wire *w)
{
    return w->ssl != NULL && !w->starved && SSL_has_pending(w->ssl) == 1;
}

static lt_res write_some(struct http_wire *w, lt_slice bytes, size_t *ret_len)
{
    if (w->ssl != NULL) {
        w->write_needs_read = false;
        int ok = SSL_write_ex(w->ssl, bytes.ptr, bytes.len, ret_len);
        return ok ? LT_OK : tls_outcome(w, ok, false);
    }
    ssize_t n;
    do {
        n = write(w->fd, bytes.ptr, bytes.len);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return (lt_res){errno == EAGAIN ? LT_RETRY_AGAIN : LT_STATE_CLOSED};
    }
    *ret_len = (size_t)n;
    return LT_OK;
}

lt_res http_wire_flush(struct http_wire *w)
{
    LT_TRY(lt_buf_check(&w->out));
    while (http_wire_pending(w) > 0) {
        size_t n = 0;
        lt_res r = write_some(w, lt_slice_sub(lt_buf_slice(&w->out), w->out_at, SIZE_MAX), &n);
        if (r.code == LT_RETRY_AGAIN) {
            want_write(w, !w->write_needs_read || w->read_needs_write);
            return LT_OK;
        }
        LT_TRY(r);
        w->out_at += n;
        w->sent += n;
    }
    w->out_at = 0;
    if (w->out.size > OUT_KEPT) {
        lt_buf_done(&w->out);
    } else {
        lt_buf_reset(&w->out);
    }
    want_write(w, w->read_needs_write);
    return LT_OK;
}

void http_wire_shut(struct http_wire *w)
{
    if (w->ssl != NULL && SSL_is_init_finished(w->ssl)) {
        (void)SSL_shutdown(w->ssl); /* best effort: the peer may be gone */
        ERR_clear_error();
    }
    (void)shutdown(w->fd, SHUT_WR);
}
