#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H
/* An HTTP server on a libevent loop: HTTP/1.1 (parse.h) on TCP and UNIX sockets, TLS 1.2/1.3, HTTP/2 by ALPN.
 *
 * Hands over whole requests only, head and body within their limits, and takes the answer whenever it comes.
 * A client that is slow in sending or in reading holds nothing but its own connection, and that for a bounded
 * time: see struct http_limits. Judges nothing, opens nothing.
 *
 * Time comes in by http_server_tick alone, so tests choose it.
 */
#include "base/clock.h"
#include "http/parse.h"

struct event_base;
struct ssl_ctx_st;
struct http_server;
struct http_exchange; /* one request and its answer; owned by the server */

/* EITHER: the first byte of a connection says whether it is TLS, and then a client may show a certificate:
 * any, judged by nobody here. */
enum http_listen_kind { HTTP_LISTEN_PLAIN, HTTP_LISTEN_TLS, HTTP_LISTEN_UNIX, HTTP_LISTEN_EITHER };

/* Zero anywhere takes the default. */
struct http_limits {
    size_t connections;   /* of all public listeners together: 4000 */
    size_t per_address;   /* IPv4 address or IPv6 /64; public listeners: 256 */
    bool loopback_counts; /* per address too; by default it does not: there a proxy speaks for many */
    size_t
        reserved_connections; /* of each listener that is not public: 64; a quarter of them for an address */
    size_t buffered_bytes;    /* of request bodies and of queued answers, each: 64 MiB */
    int head_ms;              /* first byte (or TLS hello) to last byte of a head: 10 s */
    int body_ms;              /* whole body: 20 s */
    int idle_ms;              /* between requests: 60 s */
    int send_ms;              /* for each 16 KiB of an answer: 20 s */
};

struct http_listener_info {
    const char *name; /* copied into no one: must outlive the server */
    enum http_listen_kind kind;
    bool is_public; /* counts under connections and per_address */
    bool tls_only;  /* EITHER: what is not TLS is told so, and no more */
    bool h2c;       /* takes HTTP/2 by its preface, without TLS: for UNIX sockets */
};

struct http_request {
    const struct http_listener_info *listener;
    lt_slice method;
    lt_slice path;
    lt_slice query;
    lt_slice host; /* as sent, with its port; of HTTP/2 the authority */
    lt_slice body;
    const struct http_field *fields;
    size_t field_count;
    const char *remote;          /* address in text; "" on a UNIX socket */
    bool secure;                 /* came by TLS */
    lt_slice client_spki_sha256; /* of the certificate whose key the client proved; empty without */
    bool has_peer;               /* credentials of a UNIX socket's peer */
    uint32_t peer_uid;
    uint32_t peer_pid;
};

struct http_header {
    const char *name; /* lower case */
    const char *value;
};

struct http_answer {
    unsigned status;
    const char *content_type; /* NULL: none */
    const struct http_header *headers;
    size_t header_count;
    lt_slice body; /* copied */
    bool more;     /* http_exchange_more follows */
    bool lasting;  /* it goes on until the client leaves: one that says no more has left */
    bool has_file; /* body is file_len bytes from the start of file_fd, which becomes the server's */
    int file_fd;
    uint64_t file_len;
};

struct http_outcome {
    unsigned status; /* 0 when the client left before the answer's head */
    bool complete;   /* the whole answer was handed to the stream */
};

struct http_hooks {
    void *self;
    /* A whole request. Answer it now or later; until then, or until ended, x stays valid. */
    void (*request)(void *self, struct http_exchange *x);
    /* Exactly once for each request: answered, or the client is gone. x is invalid after it. */
    void (*ended)(void *self, struct http_exchange *x, const struct http_outcome *outcome);
};

/* Since the start; open ones are gauges. */
struct http_stats {
    uint64_t accepted;
    uint64_t refused; /* over a limit of connections */
    uint64_t evicted; /* idle ones that made room */
    uint64_t timeouts;
    uint64_t malformed; /* requests that were answered without being handed over */
    uint64_t tls_handshakes;
    uint64_t tls_resumed;
    uint64_t tls_failed;
    size_t open_public;
    size_t open_reserved;
};

LT_MUST_USE lt_res http_server_new(struct event_base *base, const struct http_limits *limits,
                                   const struct http_hooks *hooks, struct http_server **ret_server);
void http_server_free(struct http_server *s);
/* fd: a listening socket, becomes non-blocking and owned. info must outlive the server. A TLS listener
 * accepts nothing before http_server_use_tls. */
LT_MUST_USE lt_res http_server_listen(struct http_server *s, int fd, const struct http_listener_info *info);
/* From now on new connections get this one; a reference is taken. */
void http_server_use_tls(struct http_server *s, struct ssl_ctx_st *ctx);
/* An SSL_CTX as this server wants it, without certificate: TLS 1.2 and 1.3, tickets, ALPN h2 and http/1.1. */
LT_MUST_USE lt_res http_tls_context(struct ssl_ctx_st **ret_ctx);
/* Call at least every 250 ms. */
void http_server_tick(struct http_server *s, lt_time now, int64_t monotonic_ms);
/* Accept nothing more, end connections as they fall idle. */
void http_server_drain(struct http_server *s);
bool http_server_drained(const struct http_server *s);
const struct http_stats *http_server_stats(const struct http_server *s);

const struct http_request *http_exchange_request(const struct http_exchange *x);
lt_slice http_request_field(const struct http_request *r, const char *name);
void http_exchange_set_user(struct http_exchange *x, void *user);
void *http_exchange_user(const struct http_exchange *x);
/* Once per exchange. x may have ended when this returns. A header that is none turns it into a 500. */
void http_exchange_answer(struct http_exchange *x, const struct http_answer *answer);
/* The next part of an answer that was begun with more. x may have ended when this returns. */
void http_exchange_more(struct http_exchange *x, lt_slice body, bool more);
/* An RFC 9457 problem document as answer; type NULL is "about:blank". retry_after_s 0: none. */
void http_exchange_problem(struct http_exchange *x, unsigned status, const char *type, const char *detail,
                           unsigned retry_after_s);
/* The connection is cut at once: an answer that was begun cannot be finished. x has ended. */
void http_exchange_abort(struct http_exchange *x);

/* "Not Found"; "Unknown" for a number without a phrase. */
const char *http_reason(unsigned status);

#endif
