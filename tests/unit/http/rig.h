#ifndef TESTS_UNIT_HTTP_RIG_H
#define TESTS_UNIT_HTTP_RIG_H
/* A server on a loopback socket and clients to it, all in one thread: the clients drive the loop, and time is
 * what the test says. */
#include <event2/event.h>
#include <openssl/ssl.h>

#include "check.h"
#include "http/server.h"

enum { RIG_ANSWER_MAX = 4 * 1024 * 1024 };

struct rig {
    struct event_base *base;
    struct http_server *server;
    struct http_listener_info info;
    int port;
    char socket_path[64];
    int64_t now_ms;
    SSL_CTX *server_tls;
    SSL_CTX *client_tls;
    /* what the handler saw */
    size_t requests;
    size_t ended;
    size_t complete;
    char last_path[128];
    char last_body[256];
    size_t last_body_len;
    struct http_exchange *held[64]; /* of requests for /later, in order */
    size_t held_count;
    size_t answered; /* of held */
};

/* kind: TLS needs rig_make_tls's certificate, made here. */
void rig_init(struct rig *r, enum http_listen_kind kind, const struct http_limits *limits);
void rig_done(struct rig *r);
/* Whatever is ready, until nothing is. */
void rig_pump(struct rig *r);
/* Time goes on; ticks on the way. */
void rig_wait(struct rig *r, int64_t ms);

struct client {
    struct rig *rig;
    int fd;
    SSL *ssl;
    char *in; /* all that was received, NUL behind it */
    size_t in_len;
    bool closed; /* by the server */
    bool reset;
};

void client_init(struct client *c, struct rig *r);
/* from: an address of 127.0.0.0/8 to come from; NULL: any. */
void client_init_from(struct client *c, struct rig *r, const char *from);
/* Over TLS, offering one protocol by ALPN (NULL: none). False when the handshake fails. */
bool client_tls(struct client *c, struct rig *r, const char *alpn);
void client_send(struct client *c, const void *bytes, size_t len);
void client_say(struct client *c, const char *text);
/* Reads what has come. */
void client_read(struct client *c);
void client_done(struct client *c);
/* Status of the index-th answer; 0 when it is not there. */
unsigned client_status(const struct client *c, size_t index);

#endif
