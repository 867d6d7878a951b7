/* DNS by hand, web servers on libevent's buffers. */
#include "world.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/listener.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/result.h"
#include "zone.h"

enum { DRIP_MS = 20, HUGE_LEN = 1024 * 1024 };

struct world {
    struct event_base *base;
    const struct world_name *names;
    size_t name_count;
    const struct world_page *pages;
    size_t page_count;
    int dns_fd;
    struct event *dns;
    struct evconnlistener *listeners[4]; /* IPv4, IPv6, TLS, TLS by IPv6 */
    uint16_t dns_port;
    uint16_t http_port;
    uint16_t tls_port;
    SSL_CTX *tls;
    struct world_seen seen;
    const struct zone *zone; /* borrowed */
    bool tamper;
    struct client *clients; /* owned list */
};

struct client {
    struct world *world;
    struct client *next;
    struct client **back;
    struct bufferevent *stream;
    struct event *drip;
    char text[8192];
    size_t len;
    size_t at;
    bool v6;
    bool tls;
    bool done; /* close when the buffer is empty */
};

/* --- DNS ------------------------------------------------------------------------------------------------ */

static size_t read_name(const uint8_t *packet, size_t len, char *ret_name)
{
    size_t at = 12;
    size_t out = 0;
    while (at < len && packet[at] != 0) {
        size_t label = packet[at++];
        for (size_t i = 0; i < label && at < len && out < 250; i++) {
            uint8_t c = packet[at++];
            ret_name[out++] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c); /* 0x20 bits */
        }
        ret_name[out++] = '.';
    }
    ret_name[out > 0 ? out - 1 : 0] = '\0';
    return at + 1;
}

static size_t put_address(uint8_t *packet, size_t at, uint16_t type, const char *text)
{
    static const uint8_t head[] = {0xc0, 12, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0};
    size_t want = type == 28 ? 16 : 4;
    memcpy(packet + at, head, sizeof head);
    packet[at + 3] = (uint8_t)type;
    packet[at + 11] = (uint8_t)want;
    int fine = inet_pton(type == 28 ? AF_INET6 : AF_INET, text, packet + at + 12);
    LT_ASSERT(fine == 1);
    return at + 12 + want;
}

static void answer_dns(struct world *w, uint8_t *packet, size_t len, const struct sockaddr_storage *from,
                       socklen_t from_len)
{
    char name[256];
    size_t at = read_name(packet, len, name);
    uint16_t type = (uint16_t)(packet[at] << 8 | packet[at + 1]);
    const struct world_name *found = NULL;
    for (size_t i = 0; i < w->name_count; i++) {
        size_t n = strlen(w->names[i].name);
        size_t m = strlen(name);
        if (m >= n && strcmp(name + m - n, w->names[i].name) == 0) {
            found = &w->names[i];
            break;
        }
    }
    w->seen.dns_questions++;
    if (found != NULL && found->silent) {
        return;
    }
    size_t end = at + 4;
    packet[2] = 0x84;
    packet[3] = (uint8_t)(found == NULL ? 3 : found->rcode);
    memset(packet + 6, 0, 6);
    if (w->zone != NULL && strcmp(name, zone_name(w->zone)) == 0) {
        unsigned count = 0;
        end = zone_answer(w->zone, packet, end, type, w->tamper, &count);
        packet[3] = 0;
        packet[7] = (uint8_t)count;
    }
    const char *text = found == NULL || packet[7] != 0 ? NULL
                       : type == 28                    ? found->aaaa
                       : type == 1                     ? found->a
                                                       : NULL;
    if (text != NULL && found->rcode == 0) {
        packet[7] = 1;
        end = put_address(packet, end, type, text);
    }
    ssize_t sent = sendto(w->dns_fd, packet, end, 0, (const struct sockaddr *)from, from_len);
    LT_ASSERT(sent == (ssize_t)end);
}

static void on_dns(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    for (;;) {
        uint8_t packet[1500];
        struct sockaddr_storage from;
        socklen_t from_len = sizeof from;
        ssize_t len = recvfrom(fd, packet, 512, MSG_DONTWAIT, (struct sockaddr *)&from, &from_len);
        if (len < 17) {
            return;
        }
        answer_dns(arg, packet, (size_t)len, &from, from_len);
    }
}

static void open_dns(struct world *w)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof any;
    w->dns_fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    bool fine = w->dns_fd >= 0 && bind(w->dns_fd, (const struct sockaddr *)&any, len) == 0 &&
                getsockname(w->dns_fd, (struct sockaddr *)&any, &len) == 0;
    LT_ASSERT(fine);
    w->dns_port = ntohs(any.sin_port);
    w->dns = event_new(w->base, w->dns_fd, EV_READ | EV_PERSIST, on_dns, w);
    LT_ASSERT(w->dns != NULL && event_add(w->dns, NULL) == 0);
}

/* --- web ------------------------------------------------------------------------------------------------ */

static void drop(struct client *c)
{
    *c->back = c->next;
    if (c->next != NULL) {
        c->next->back = c->back;
    }
    if (c->drip != NULL) {
        event_free(c->drip);
    }
    bufferevent_free(c->stream);
    free(c);
}

static void on_drip(evutil_socket_t fd, short what, void *arg)
{
    struct client *c = arg;
    (void)fd;
    (void)what;
    if (c->at == c->len) {
        drop(c);
        return;
    }
    (void)bufferevent_write(c->stream, c->text + c->at++, 1);
}

static void reset(struct client *c)
{
    struct linger hard = {.l_onoff = 1};
    (void)setsockopt(bufferevent_getfd(c->stream), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    drop(c);
}

static void start_drip(struct client *c)
{
    struct timeval period = {.tv_usec = DRIP_MS * 1000};
    c->drip = event_new(c->world->base, -1, EV_PERSIST, on_drip, c);
    LT_ASSERT(c->drip != NULL && event_add(c->drip, &period) == 0);
}

static void send_huge(struct client *c)
{
    char *bulk = malloc(HUGE_LEN);
    LT_ASSERT(bulk != NULL);
    memset(bulk, 'x', HUGE_LEN);
    (void)bufferevent_write(c->stream, c->text, c->len);
    (void)bufferevent_write(c->stream, bulk, HUGE_LEN);
    free(bulk);
    c->done = true;
}

/* False when the client is gone. */
static void answer(struct client *c, const struct world_page *page)
{
    int len = snprintf(c->text, sizeof c->text, "%s", page->text);
    LT_ASSERT(len >= 0);
    /* {http} and {tls} are the ports. */
    char out[sizeof c->text];
    size_t at = 0;
    for (const char *p = c->text; *p != '\0'; p++) {
        if (strncmp(p, "{http}", 6) == 0) {
            at += (size_t)snprintf(out + at, sizeof out - at, "%u", c->world->http_port);
            p += 5;
        } else if (strncmp(p, "{tls}", 5) == 0) {
            at += (size_t)snprintf(out + at, sizeof out - at, "%u", c->world->tls_port);
            p += 4;
        } else {
            out[at++] = *p;
        }
    }
    memcpy(c->text, out, at);
    c->len = at;
    switch (page->manner) {
    case WORLD_SEND_CLOSE:
        (void)bufferevent_write(c->stream, c->text, c->len);
        c->done = true;
        break;
    case WORLD_SEND_STAY:
        (void)bufferevent_write(c->stream, c->text, c->len);
        break;
    case WORLD_DRIP:
        start_drip(c);
        break;
    case WORLD_HUGE:
        send_huge(c);
        break;
    case WORLD_RESET:
        reset(c);
        break;
    case WORLD_SILENT:
        break;
    }
}

static void on_read(struct bufferevent *stream, void *arg)
{
    struct client *c = arg;
    struct world *w = c->world;
    struct evbuffer *in = bufferevent_get_input(stream);
    struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
    if (end.pos < 0) {
        return;
    }
    size_t len = evbuffer_get_length(in);
    len = len < sizeof w->seen.last_request - 1 ? len : sizeof w->seen.last_request - 1;
    (void)evbuffer_remove(in, w->seen.last_request, len);
    w->seen.last_request[len] = '\0';
    w->seen.requests++;
    w->seen.last_was_v6 = c->v6;
    w->seen.last_was_tls = c->tls;
    char path[256] = "";
    (void)sscanf(w->seen.last_request, "GET %255s ", path);
    const char *segment = strrchr(path, '/');
    char *tail = strstr(path, WORLD_TOKEN);
    if (tail != NULL) {
        *tail = '\0';
    }
    for (size_t i = 0; segment != NULL && i < w->page_count; i++) {
        if (strcmp(segment + 1, w->pages[i].segment) == 0) {
            answer(c, &w->pages[i]);
            return;
        }
    }
    const struct world_page none = {"", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
                                    WORLD_SEND_CLOSE};
    answer(c, &none);
}

static void on_written(struct bufferevent *stream, void *arg)
{
    struct client *c = arg;
    (void)stream;
    if (c->done) {
        drop(c);
    }
}

static void on_gone(struct bufferevent *stream, short what, void *arg)
{
    (void)stream;
    if ((what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0) {
        drop(arg);
    }
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from, int len,
                      void *arg)
{
    struct world *w = arg;
    struct client *c = calloc(1, sizeof *c);
    (void)len;
    LT_ASSERT(c != NULL);
    c->world = w;
    c->next = w->clients;
    c->back = &w->clients;
    if (c->next != NULL) {
        c->next->back = &c->next;
    }
    w->clients = c;
    c->v6 = from->sa_family == AF_INET6;
    c->tls = listener == w->listeners[2] || listener == w->listeners[3];
    c->stream = c->tls ? bufferevent_openssl_socket_new(w->base, fd, SSL_new(w->tls),
                                                        BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE)
                       : bufferevent_socket_new(w->base, fd, BEV_OPT_CLOSE_ON_FREE);
    LT_ASSERT(c->stream != NULL);
    bufferevent_setcb(c->stream, on_read, on_written, on_gone, c);
    (void)bufferevent_enable(c->stream, EV_READ | EV_WRITE);
}

static struct evconnlistener *listen_on(struct world *w, const char *address, uint16_t *port)
{
    struct sockaddr_storage at = {0};
    socklen_t len = sizeof at;
    if (strchr(address, ':') != NULL) {
        struct sockaddr_in6 *a = (struct sockaddr_in6 *)&at;
        a->sin6_family = AF_INET6;
        a->sin6_port = htons(*port);
        LT_ASSERT(inet_pton(AF_INET6, address, &a->sin6_addr) == 1);
        len = sizeof *a;
    } else {
        struct sockaddr_in *a = (struct sockaddr_in *)&at;
        a->sin_family = AF_INET;
        a->sin_port = htons(*port);
        LT_ASSERT(inet_pton(AF_INET, address, &a->sin_addr) == 1);
        len = sizeof *a;
    }
    struct evconnlistener *l = evconnlistener_new_bind(w->base, on_accept, w,
                                                       LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, 4096,
                                                       (const struct sockaddr *)&at, (int)len);
    if (l != NULL && *port == 0) {
        struct sockaddr_in got;
        socklen_t got_len = sizeof got;
        LT_ASSERT(getsockname(evconnlistener_get_fd(l), (struct sockaddr *)&got, &got_len) == 0);
        *port = ntohs(got.sin_port);
    }
    return l;
}

static SSL_CTX *self_signed(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    LT_ASSERT(ctx != NULL && key != NULL && cert != NULL);
    bool fine = X509_gmtime_adj(X509_getm_notBefore(cert), -10) != NULL &&
                X509_gmtime_adj(X509_getm_notAfter(cert), 1000) != NULL && X509_set_pubkey(cert, key) == 1 &&
                X509_sign(cert, key, EVP_sha256()) > 0 && SSL_CTX_use_certificate(ctx, cert) == 1 &&
                SSL_CTX_use_PrivateKey(ctx, key) == 1;
    LT_ASSERT(fine);
    X509_free(cert);
    EVP_PKEY_free(key);
    return ctx;
}

struct world *world_new(struct event_base *base, const struct world_name *names, size_t name_count,
                        const struct world_page *pages, size_t page_count)
{
    struct world *w = calloc(1, sizeof *w);
    LT_ASSERT(w != NULL);
    w->base = base;
    w->names = names;
    w->name_count = name_count;
    w->pages = pages;
    w->page_count = page_count;
    w->tls = self_signed();
    open_dns(w);
    w->listeners[0] = listen_on(w, "127.0.0.1", &w->http_port);
    w->listeners[1] = listen_on(w, "::1", &w->http_port); /* NULL where there is no IPv6 */
    w->listeners[2] = listen_on(w, "127.0.0.1", &w->tls_port);
    w->listeners[3] = listen_on(w, "::1", &w->tls_port);
    LT_ASSERT(w->listeners[0] != NULL && w->listeners[2] != NULL);
    return w;
}

void world_use_zone(struct world *w, const struct zone *z, bool tamper)
{
    w->zone = z;
    w->tamper = tamper;
}

void world_free(struct world *w)
{
    while (w->clients != NULL) {
        drop(w->clients);
    }
    for (size_t i = 0; i < LT_COUNT(w->listeners); i++) {
        if (w->listeners[i] != NULL) {
            evconnlistener_free(w->listeners[i]);
        }
    }
    event_free(w->dns);
    (void)close(w->dns_fd);
    SSL_CTX_free(w->tls);
    free(w);
}

uint16_t world_dns_port(const struct world *w)
{
    return w->dns_port;
}

uint16_t world_http_port(const struct world *w)
{
    return w->http_port;
}

uint16_t world_tls_port(const struct world *w)
{
    return w->tls_port;
}

struct ssl_ctx_st *world_tls(struct world *w)
{
    return w->tls;
}

struct world_seen *world_seen(struct world *w)
{
    return &w->seen;
}
