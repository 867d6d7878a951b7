#ifndef HTTP_WIRE_H
#define HTTP_WIRE_H
/* One non-blocking stream, plain or TLS, with the output that waits for it. Used by server and client of this
 * room only.
 *
 * What is queued between two flushes leaves as one write, so as one TLS record when it is below 16 KiB.
 * SIGPIPE must be ignored by the process.
 */
#include <event2/event.h>
#include <event2/event_struct.h>
#include <openssl/ssl.h>

#include "base/buf.h"

enum { HTTP_WIRE_OUT_HIGH = 65536 }; /* queue no more body above it */

struct http_wire {
    int fd;   /* owned; -1 when closed */
    SSL *ssl; /* owned; NULL on a plain stream */
    struct lt_buf out;
    size_t out_at; /* how much of out is written */
    struct event readable;
    struct event writable;
    bool reading;
    bool writing;
    bool starved;          /* the last read of TLS got nothing: half a record is no reason to try again */
    bool read_needs_write; /* the TLS handshake wants to write first */
    bool write_needs_read; /* a client's handshake: writing waits for the peer */
    uint64_t sent;
};

/* fd becomes owned; on_ready runs whenever the stream may be read or written. For TLS the caller sets ssl. */
void http_wire_init(struct http_wire *w, struct event_base *base, int fd, event_callback_fn on_ready,
                    void *arg);
void http_wire_done(struct http_wire *w);
/* LT_RETRY_AGAIN: nothing there now. LT_STATE_CLOSED: the end, or a broken stream. Neither leaves a record.
 */
LT_MUST_USE lt_res http_wire_read(struct http_wire *w, uint8_t *bytes, size_t size, size_t *ret_len);
/* May more be read without waiting for the descriptor? */
bool http_wire_buffered(const struct http_wire *w);
/* Writes what the stream takes and asks for the rest to be announced. */
LT_MUST_USE lt_res http_wire_flush(struct http_wire *w);
void http_wire_want_read(struct http_wire *w, bool want);
static inline size_t http_wire_pending(const struct http_wire *w)
{
    return w->out.len - w->out_at;
}
/* No more will be sent: TLS close_notify, then FIN. */
void http_wire_shut(struct http_wire *w);

#endif
