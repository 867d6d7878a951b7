#ifndef HTTP_CONN_H
#define HTTP_CONN_H
/* The server's insides, shared by server.c, conn.c, h1.c, h2.c and exchange.c; nobody else includes this.
 *
 * Ownership: the server owns its connections (a list), a connection its exchanges. An exchange ends before
 * its connection, always through http_exchange_end.
 */
#include "base/arena.h"
#include "http/server.h"
#include "http/wire.h"

enum conn_phase {
    CONN_HEAD,     /* HTTP/1.1: before or within a head */
    CONN_BODY,     /* within a body */
    CONN_HANDLING, /* a request is being answered */
    CONN_LINGER,   /* the last answer is out: read away what still comes, so that no reset overtakes it */
    CONN_H2,
    CONN_DEAD, /* freed as soon as nobody stands on it */
};

struct nghttp2_session;
struct nghttp2_session_callbacks;
struct nghttp2_option;

struct http_exchange {
    struct http_conn *conn;
    struct http_exchange *prev;
    struct http_exchange *next;
    struct lt_arena arena; /* head and fields */
    struct http_request request;
    struct http_field *fields_made; /* HTTP/2: request.fields in the making */
    struct lt_buf body;             /* of the request */
    size_t head_bytes;              /* HTTP/2: counted against HTTP_HEAD_MAX */
    size_t reserved;                /* of server->reserved_bytes */
    bool head_only;                 /* HEAD */
    bool keep_alive;
    bool refused;   /* HTTP/2: the request was refused; what still comes is dropped */
    size_t dropped; /* of it */
    bool handed;    /* hooks.request has run: hooks.ended must */
    bool answered;
    bool more;
    bool lasting;
    bool chunked;
    unsigned status;
    void *user;
    struct lt_buf queue; /* of the answer's body */
    size_t queue_at;
    int file_fd; /* owned; -1 */
    uint64_t file_at;
    uint64_t file_left;
    int32_t stream_id; /* HTTP/2 */
    bool sent_all;     /* HTTP/2: the frame that ends the answer is with the connection */
    bool deferred;     /* HTTP/2: the stream waits for more */
    int64_t deadline_ms;
    uint64_t pulled; /* bytes of the body that went to the stream */
    uint64_t pulled_mark;
};

struct http_conn {
    struct http_server *server;
    struct http_listener *listener;
    struct http_conn *prev;
    struct http_conn *next;
    struct http_conn *peer_prev; /* in the bucket of its address */
    struct http_conn *peer_next;
    struct http_wire wire;
    enum conn_phase phase;
    bool running;
    bool eof;
    bool going_away;  /* HTTP/2: draining */
    bool broken;      /* HTTP/2: the peer broke the rules */
    bool sniffing;    /* EITHER: nothing has come yet */
    bool established; /* TLS handshake is over, or there is none */
    bool has_client;  /* the client proved a key: */
    uint8_t client_spki[32];
    bool blank_skipped;
    bool stalled; /* a pipelined request waits until answers have gone out */
    struct lt_buf in;
    size_t scanned;
    uint64_t body_left;
    struct http_chunked chunked;
    bool body_chunked;
    struct http_exchange *exchanges;
    struct nghttp2_session *h2;
    int64_t deadline_ms;      /* of receiving; INT64_MAX: none */
    int64_t send_deadline_ms; /* 0: nothing waits */
    uint64_t send_mark;
    int64_t idle_since_ms;
    uint8_t peer_key[16];
    uint32_t peer_bucket;
    char remote[46];
    bool has_peer;
    uint32_t peer_uid;
    uint32_t peer_pid;
};

struct http_listener {
    struct http_server *server;
    struct http_listener *next;
    const struct http_listener_info *info;
    int fd;
    struct event acceptable;
    bool accepting;
    size_t open; /* its connections */
};

enum { PEER_BUCKETS = 1024, SCRATCH_BYTES = 17 * 1024 };

struct http_server {
    struct event_base *base; /* borrowed */
    struct http_limits limits;
    struct http_hooks hooks;
    struct http_stats stats;
    struct http_listener *listeners;
    struct http_conn *conns;
    struct http_conn *peers[PEER_BUCKETS];
    uint64_t peer_seed;
    SSL_CTX *tls;
    struct nghttp2_session_callbacks *h2_callbacks;
    struct nghttp2_option *h2_options;
    int64_t now_ms;
    char date[32];
    int64_t date_s;
    bool draining;
    size_t reserved_bytes;
    size_t queued_bytes;
    uint8_t scratch[SCRATCH_BYTES];
};

/* server.c */
void http_conn_free(struct http_conn *c);
/* From here on the stream is TLS. */
void http_conn_take_tls(struct http_conn *c);

/* conn.c */
void http_conn_ready(evutil_socket_t fd, short what, void *arg);
/* Goes on with what is there to do; may free c. */
void http_conn_run(struct http_conn *c, bool may_read);
/* Looks at the deadlines; may free c. */
void http_conn_tick(struct http_conn *c);
/* The last answer is queued: flush, then wait for the peer to close. */
void http_conn_linger(struct http_conn *c);
bool http_conn_idle(const struct http_conn *c);
void http_conn_drain(struct http_conn *c);

/* h1.c */
void http_h1_begin(struct http_conn *c);
void http_h1_advance(struct http_conn *c);
void http_h1_answer(struct http_exchange *x, const struct http_answer *a);
/* An answer without exchange, then the end of the connection. */
void http_h1_refuse(struct http_conn *c, unsigned status, const char *detail);

/* h2.c */
void http_h2_setup(struct http_server *s);
void http_h2_teardown(struct http_server *s);
void http_h2_begin(struct http_conn *c);
void http_h2_end(struct http_conn *c);
void http_h2_advance(struct http_conn *c);
void http_h2_answer(struct http_exchange *x, const struct http_answer *a);
void http_h2_resume(struct http_exchange *x);
void http_h2_reset(struct http_exchange *x);
void http_h2_goaway(struct http_conn *c);

/* exchange.c */
struct http_exchange *http_exchange_new(struct http_conn *c);
/* Tells the hooks when they know of it, and frees. */
void http_exchange_end(struct http_exchange *x, bool complete);
/* Room for a body of that size (HTTP_BODY_MAX when unknown): false when all bodies together are too many. */
bool http_exchange_reserve(struct http_exchange *x, size_t bytes);
void http_exchange_hand_over(struct http_exchange *x);
enum source_state { SOURCE_DATA, SOURCE_WAIT, SOURCE_END };
enum source_state http_exchange_source(const struct http_exchange *x);
/* LT_STATE_IO when the file is shorter than it was. */
LT_MUST_USE lt_res http_exchange_pull(struct http_exchange *x, uint8_t *bytes, size_t size, size_t *ret_len);
/* Takes the body of an answer (perhaps but for the part that the caller has sent already). */
void http_exchange_set_source(struct http_exchange *x, const struct http_answer *a, lt_slice body);
void http_problem_add(struct lt_buf *out, unsigned status, const char *type, const char *detail);

#endif
