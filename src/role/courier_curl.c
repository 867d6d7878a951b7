/* See courier_curl.h. */
#include "role/courier_curl.h"

#include <event2/event.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/slice.h"
#include "http/client.h"
#include "validate/address.h"

enum { ADDRESS_KEPT_MS = 60000, HOST_SIZE = 256, PLACES_MAX = 64 };

struct courier_curl {
    struct event_base *base; /* borrowed */
    CURLM *multi;            /* owned */
    struct event *timer;     /* owned */
};

static void collect(struct courier_curl *c)
{
    int left = 0;
    const CURLMsg *said = NULL;
    while ((said = curl_multi_info_read(c->multi, &left)) != NULL) {
        struct courier_transfer *t = NULL;
        CURLcode outcome = said->data.result;
        if (said->msg == CURLMSG_DONE &&
            curl_easy_getinfo(said->easy_handle, CURLINFO_PRIVATE, &t) == CURLE_OK) {
            t->done(t, outcome);
        }
    }
}

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
    struct courier_curl *c = arg;
    int running = 0;
    int mask = ((what & EV_READ) != 0 ? CURL_CSELECT_IN : 0) |
               ((what & EV_WRITE) != 0 ? CURL_CSELECT_OUT : 0);
    (void)curl_multi_socket_action(c->multi, (curl_socket_t)fd, mask, &running); /* outcomes are collected */
    collect(c);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct courier_curl *c = arg;
    int running = 0;
    (void)fd;
    (void)what;
    (void)curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running); /* as above */
    collect(c);
}

/* libcurl wants to hear of a socket, or no more. */
static int watch(CURL *easy, curl_socket_t fd, int what, void *arg, void *of_socket)
{
    struct courier_curl *c = arg;
    struct event *old = of_socket;
    (void)easy;
    if (old != NULL) {
        event_free(old);
    }
    struct event *fresh = NULL;
    if (what != CURL_POLL_REMOVE) {
        short mask = (short)(((what & CURL_POLL_IN) != 0 ? EV_READ : 0) |
                             ((what & CURL_POLL_OUT) != 0 ? EV_WRITE : 0) | EV_PERSIST);
        fresh = event_new(c->base, fd, mask, on_socket, c);
        LT_ASSERT(fresh != NULL && event_add(fresh, NULL) == 0);
    }
    (void)curl_multi_assign(c->multi, fd, fresh); /* it is a socket of this handle */
    return 0;
}

static int set_timer(CURLM *multi, long ms, void *arg)
{
    struct courier_curl *c = arg;
    (void)multi;
    if (ms < 0) {
        (void)event_del(c->timer); /* fails only for one that is none */
        return 0;
    }
    struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000};
    LT_ASSERT(event_add(c->timer, &tv) == 0);
    return 0;
}

lt_res courier_curl_new(struct event_base *base, long connections, struct courier_curl **ret_curl)
{
    LT_CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK, LT_STATE_IO, "libcurl does not start");
    struct courier_curl *c = calloc(1, sizeof *c);
    LT_ASSERT(c != NULL);
    c->base = base;
    c->multi = curl_multi_init();
    c->timer = event_new(base, -1, 0, on_timer, c);
    LT_ASSERT(c->multi != NULL && c->timer != NULL);
    bool fine = curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, watch) == CURLM_OK &&
                curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c) == CURLM_OK &&
                curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, set_timer) == CURLM_OK &&
                curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c) == CURLM_OK &&
                curl_multi_setopt(c->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, connections) == CURLM_OK;
    if (!fine) {
        courier_curl_free(c);
        LT_FAIL(LT_STATE_IO, "libcurl does not start");
    }
    *ret_curl = c;
    return LT_OK;
}

void courier_curl_free(struct courier_curl *c)
{
    if (c == NULL) {
        return;
    }
    (void)curl_multi_cleanup(c->multi); /* it has no transfers any more */
    event_free(c->timer);
    free(c);
    curl_global_cleanup();
}

lt_res courier_curl_add(struct courier_curl *c, CURL *easy, struct courier_transfer *t)
{
    LT_CHECK(curl_easy_setopt(easy, CURLOPT_PRIVATE, t) == CURLE_OK, LT_STATE_IO,
             "libcurl takes an option no more");
    LT_CHECK(curl_multi_add_handle(c->multi, easy) == CURLM_OK, LT_RETRY_UNAVAILABLE,
             "libcurl takes no more transfers");
    return LT_OK;
}

void courier_curl_drop(struct courier_curl *c, CURL *easy)
{
    if (easy != NULL) {
        (void)curl_multi_remove_handle(c->multi, easy); /* fails only for a stranger's */
        curl_easy_cleanup(easy);
    }
}

/* --- addresses ------------------------------------------------------------------------------------------ */

struct found {
    char host[HOST_SIZE];
    uint16_t port;
    char row[HOST_SIZE + NI_MAXHOST + 16]; /* "host:port:address"; "": none */
    char special[64];                      /* why it is none of the Internet's; "" */
    int64_t until_ms;
};

struct courier_places {
    struct found list[PLACES_MAX];
    size_t next; /* the one that is forgotten for another */
};

struct courier_places *courier_places_new(void)
{
    struct courier_places *p = calloc(1, sizeof *p);
    LT_ASSERT(p != NULL);
    return p;
}

void courier_places_free(struct courier_places *p)
{
    free(p);
}

static void judge(struct found *f, const struct sockaddr_storage *from)
{
    struct validate_address a = {.v6 = from->ss_family == AF_INET6};
    if (a.v6) {
        memcpy(a.bytes, &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr, 16);
    } else {
        memcpy(a.bytes, &((const struct sockaddr_in *)(const void *)from)->sin_addr, 4);
    }
    const char *why = validate_address_special(&a);
    (void)snprintf(f->special, sizeof f->special, "%s", why == NULL ? "" : why); /* cut is fine */
}

static lt_res resolve(struct found *f)
{
    struct http_origin o = {.host = f->host, .port = f->port};
    char address[NI_MAXHOST];
    LT_TRY(http_origin_resolve(&o));
    int rc = getnameinfo((const struct sockaddr *)&o.address, o.address_len, address, sizeof address, NULL, 0,
                         NI_NUMERICHOST);
    LT_CHECK(rc == 0, LT_RETRY_UNAVAILABLE, "%s: %s", f->host, gai_strerror(rc));
    judge(f, &o.address);
    bool v6 = strchr(address, ':') != NULL;
    (void)snprintf(f->row, sizeof f->row, v6 ? "%s:%u:[%s]" : "%s:%u:%s", f->host, f->port, address);
    return LT_OK;
}

static struct found *known(struct courier_places *p, const struct courier_place *place)
{
    for (size_t i = 0; i < PLACES_MAX; i++) {
        if (p->list[i].port == place->port && strcmp(p->list[i].host, place->host) == 0) {
            return &p->list[i];
        }
    }
    struct found *f = &p->list[p->next];
    p->next = (p->next + 1) % PLACES_MAX;
    *f = (struct found){.port = place->port};
    (void)snprintf(f->host, sizeof f->host, "%s", place->host); /* who split the URL measured it */
    return f;
}

lt_res courier_places_find(struct courier_places *p, const struct courier_place *place, const char **ret_row)
{
    struct found *f = known(p, place);
    if (lt_monotonic_ms() >= f->until_ms) {
        f->row[0] = '\0';
        lt_res r = resolve(f);
        f->until_ms = lt_monotonic_ms() + ADDRESS_KEPT_MS;
        LT_TRY(r);
    }
    LT_CHECK(f->row[0] != '\0', LT_RETRY_UNAVAILABLE, "%s: its address was not found a moment ago", f->host);
    LT_CHECK(!place->public_only || f->special[0] == '\0', LT_POLICY_REFUSED,
             "%s has an address that is none of the Internet's (%s)", f->host, f->special);
    *ret_row = f->row;
    return LT_OK;
}
