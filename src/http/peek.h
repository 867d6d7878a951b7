#ifndef HTTP_PEEK_H
#define HTTP_PEEK_H
/* Which certificate does a server show? Connects, completes one TLS handshake and closes as one should; not a
 * byte of HTTP is sent. The handshake is completed because only then the server has proven that it has the
 * key. Nothing that it shows is believed otherwise: it may be expired, another's, or nobody's.
 */
#include <sys/socket.h>

#include "base/slice.h"

struct event_base;
struct ssl_ctx_st;
struct http_peek;

enum http_peek_outcome {
    HTTP_PEEK_SERVED,
    HTTP_PEEK_REFUSED,     /* nobody listens */
    HTTP_PEEK_UNREACHABLE, /* no way there */
    HTTP_PEEK_TIMEOUT,
    HTTP_PEEK_NO_TLS, /* something else than a handshake, or one that ends in an alert */
    HTTP_PEEK_CLOSED, /* cut in the handshake */
    HTTP_PEEK_OUTCOMES,
};
/* "served", "refused", "unreachable", "timeout", "no-tls", "closed" */
const char *http_peek_word(enum http_peek_outcome outcome);

struct http_peek_options {
    struct event_base *base; /* borrowed */
    struct ssl_ctx_st *tls;  /* borrowed: of http_peek_context */
    const char *name;        /* for the server to choose by (SNI); NULL: it is an address */
    struct sockaddr_storage address;
    socklen_t address_len;
    int timeout_ms; /* of all of it */
};
/* der: of the leaf; valid during the call; empty unless served. why: what went wrong, printable. The peek is
 * gone after the call. */
typedef void http_peek_done(void *arg, enum http_peek_outcome outcome, lt_slice der, const char *why);

/* Takes what servers have, however old: looking is not trusting. */
LT_MUST_USE lt_res http_peek_context(struct ssl_ctx_st **ret_tls);
void http_peek_context_free(struct ssl_ctx_st *tls);
/* Never calls done before it returns. */
struct http_peek *http_peek_new(const struct http_peek_options *options, http_peek_done *done, void *arg);
/* Without a word. */
void http_peek_free(struct http_peek *p);

#endif
