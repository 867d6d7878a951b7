#ifndef VALIDATE_CONN_H
#define VALIDATE_CONN_H
/* One outward connection: connect, TLS where the URL says so, send the request, hand on what comes.
 * Everything is called from the loop, nothing from inside validate_conn_new. TLS certificates are not
 * verified: the proof is in the answer, and a redirect to https must not need a certificate before there is
 * one. */
#include <event2/event.h>
#include <openssl/types.h>

#include "base/slice.h"
#include "validate/address.h"

struct validate_conn; /* one owner */

enum validate_conn_end {
    VALIDATE_CONN_CLOSED,  /* the peer closed in order */
    VALIDATE_CONN_REFUSED, /* no connection came to be */
    VALIDATE_CONN_TLS,     /* no TLS came to be */
    VALIDATE_CONN_BROKEN,  /* reset, or timed out by the kernel, later */
};

struct validate_conn_hooks {
    void (*data)(void *self, lt_slice bytes);
    /* The last call; detail is static storage or valid during the call. */
    void (*end)(void *self, enum validate_conn_end how, const char *detail);
    /* NULL, or: TLS stands; nothing will be sent. alpn: what was agreed on, empty for nothing. certificate:
     * the peer's own, DER. */
    void (*shaken)(void *self, lt_slice alpn, lt_slice certificate);
    void *self;
};

struct validate_conn_options {
    struct event_base *base;
    const struct validate_address *address;
    uint16_t port;
    SSL_CTX *tls;     /* NULL: plain */
    const char *host; /* for SNI; NULL or "" for none */
    lt_slice alpn;    /* one protocol to offer, TLS 1.2 at least; empty: none */
    lt_slice request; /* copied */
    int connect_timeout_ms;
};

LT_MUST_USE lt_res validate_conn_new(const struct validate_conn_options *options,
                                     const struct validate_conn_hooks *hooks,
                                     struct validate_conn **ret_conn);
/* No call comes after this. May be called from inside a hook. NULL is fine. */
void validate_conn_free(struct validate_conn *c);

#endif
