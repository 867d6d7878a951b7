#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H
/* An HTTP/1.1 client on a libevent loop: one connection to one origin, one question at a time, kept alive
 * between them. Reads answers by the same strict rules as the server reads questions.
 *
 * A connection that was kept alive and turns out to be closed before a byte of the answer came is opened once
 * more by itself; everything else is told to who asked. SIGPIPE must be ignored by the process.
 */
#include <sys/socket.h>

#include "http/parse.h"

struct event_base;
struct ssl_ctx_st;
struct http_client;

struct http_origin {
    struct event_base *base;
    const char *host; /* name or address, as in Host, SNI and the certificate */
    uint16_t port;
    struct sockaddr_storage address;
    socklen_t address_len;
    struct ssl_ctx_st *tls; /* borrowed; NULL: plain. Its verify mode decides whether certificates count */
    int timeout_ms;         /* whole exchange; 0 for 30 s */
    size_t body_max;        /* 0 for 1 MiB */
};

struct http_ask {
    const char *method;
    const char *target;
    const char *content_type; /* NULL without body */
    lt_slice body;
};

struct http_reply { /* valid during the call */
    const struct http_head *head;
    lt_slice body;
};

/* reply is NULL when outcome says failure: LT_RETRY_UNAVAILABLE (no connection), LT_RETRY_TIMEOUT,
 * LT_STATE_CLOSED (cut short), LT_PEER_MALFORMED, LT_PEER_TOO_LARGE, LT_PEER_UNAUTHORIZED (certificate). May
 * ask again, but not free the client. */
typedef void http_client_done(void *arg, lt_res outcome, const struct http_reply *reply);

struct http_url {
    bool tls;
    char host[256];
    uint16_t port;    /* of the scheme where it is left out */
    const char *path; /* with the query; begins with "/"; borrows from the text */
};
/* "https://host:port/path" in its parts. */
LT_MUST_USE lt_res http_url_split(const char *text, struct http_url *ret_url);
/* Resolves origin->host and port, blocking; the first address. */
LT_MUST_USE lt_res http_origin_resolve(struct http_origin *origin);

/* origin is copied; host must outlive the client. */
LT_MUST_USE lt_res http_client_new(const struct http_origin *origin, struct http_client **ret_client);
void http_client_free(struct http_client *c);
/* Never calls done before it returns. */
void http_client_ask(struct http_client *c, const struct http_ask *ask, http_client_done *done, void *arg);

#endif
