/* One socket for each family of addresses, never connected: a way that is gone may come back. */
#include "validate/pulse.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <event2/util.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

enum {
    QUESTION_LEN = 17,
    ANSWER_MAX = 512,
    DNS_PORT = 53,
    BUSY_MS = 1000,
    IDLE_MS = 10000,
    ROOT_IDLE_MS = 30000,
    MISSED_MAX = 3, /* questions in a row without an answer */
    SILENT_LEAST_MS = 2500,
    MEMORY = 8, /* questions whose answers still count */
    RCODE_SERVFAIL = 2,
};

/* Some of the root servers, by either family. */
static const char *const roots[] = {
    "198.41.0.4",  "2001:503:ba3e::2:30", "192.5.5.241",     "2001:500:2f::f", "193.0.14.129",
    "2001:7fd::1", "199.7.83.42",         "2001:500:9f::42", "202.12.27.33",   "2001:dc3::35",
};

struct validate_pulse {
    struct event *readable[2]; /* owned; v4, v6 */
    int sockets[2];            /* owned; -1: this machine has none of the family */
    struct sockaddr_storage resolver;
    socklen_t resolver_len; /* 0: the roots are asked */
    size_t next_root;
    uint16_t id;
    unsigned missed;
    bool beats; /* it has answered such a question once */
    bool works; /* it has answered a look-up once */
    int64_t asked_ms;
    int64_t heard_ms; /* -1: never, and not asked yet */
    int64_t now_ms;   /* of the last tick */
};

static lt_res read_address(const char *text, uint16_t port, struct sockaddr_storage *ret, socklen_t *ret_len)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)ret;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)ret;
    memset(ret, 0, sizeof *ret);
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        *ret_len = sizeof *v4;
        return LT_OK;
    }
    LT_CHECK(inet_pton(AF_INET6, text, &v6->sin6_addr) == 1, LT_PEER_USAGE,
             "validation.resolver \"%.80s\" is no address; write ADDRESS or ADDRESS@PORT", text);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    *ret_len = sizeof *v6;
    return LT_OK;
}

static lt_res read_resolver(const char *text, struct sockaddr_storage *ret, socklen_t *ret_len)
{
    char host[80];
    uint64_t port = DNS_PORT;
    const char *at = strchr(text, '@');
    size_t len = at == NULL ? strlen(text) : (size_t)(at - text);
    bool good = len < sizeof host &&
                (at == NULL || (!lt_failed(lt_parse_u64(lt_slice_cstr(at + 1), UINT16_MAX, &port))));
    LT_CHECK(good && port > 0, LT_PEER_USAGE,
             "validation.resolver \"%.80s\" is no address; write ADDRESS or ADDRESS@PORT", text);
    memcpy(host, text, len);
    host[len] = '\0';
    return read_address(host, (uint16_t)port, ret, ret_len);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct validate_pulse *p = arg;
    uint8_t packet[ANSWER_MAX];
    ssize_t n = 0;
    (void)what;
    while ((n = recv((int)fd, packet, sizeof packet, MSG_DONTWAIT | MSG_TRUNC)) >= 0) {
        uint16_t id = (uint16_t)(packet[0] << 8 | packet[1]);
        bool ours = n >= QUESTION_LEN && (packet[2] & 0x80) != 0 && (uint16_t)(p->id - id) < MEMORY;
        /* A resolver that is itself cut off says SERVFAIL to everything. */
        if (ours && (packet[3] & 15) != RCODE_SERVFAIL) {
            p->missed = 0;
            p->beats = true;
            p->heard_ms = p->now_ms;
        }
    }
}

static lt_res open_socket(struct validate_pulse *p, struct event_base *base, size_t i)
{
    p->sockets[i] = socket(i == 0 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (p->sockets[i] < 0) {
        return LT_OK; /* this machine does not speak it */
    }
    p->readable[i] = event_new(base, p->sockets[i], EV_READ | EV_PERSIST, on_readable, p);
    LT_CHECK(p->readable[i] != NULL && event_add(p->readable[i], NULL) == 0, LT_STATE_IO,
             "the resolver's pulse cannot be watched");
    return LT_OK;
}

lt_res validate_pulse_new(struct event_base *base, const char *resolver, struct validate_pulse **ret_pulse)
{
    struct validate_pulse *p = calloc(1, sizeof *p);
    LT_ASSERT(p != NULL);
    p->sockets[0] = p->sockets[1] = -1;
    p->heard_ms = -1;
    lt_res r = resolver[0] == '\0' ? LT_OK : read_resolver(resolver, &p->resolver, &p->resolver_len);
    for (size_t i = 0; i < LT_COUNT(p->sockets) && !lt_failed(r); i++) {
        r = open_socket(p, base, i);
    }
    if (lt_failed(r)) {
        validate_pulse_free(p);
        return r;
    }
    *ret_pulse = p;
    return LT_OK;
}

void validate_pulse_free(struct validate_pulse *p)
{
    if (p == NULL) {
        return;
    }
    for (size_t i = 0; i < LT_COUNT(p->sockets); i++) {
        if (p->readable[i] != NULL) {
            event_free(p->readable[i]);
        }
        if (p->sockets[i] >= 0) {
            (void)close(p->sockets[i]); /* nothing that could be lost */
        }
    }
    free(p);
}

/* Where there is no way, or no family, nothing is sent; that is an answer not had, too. */
static void ask(const struct validate_pulse *p, const struct sockaddr_storage *to, socklen_t len)
{
    uint8_t question[QUESTION_LEN] = {0};
    int fd = p->sockets[to->ss_family == AF_INET ? 0 : 1];
    question[0] = (uint8_t)(p->id >> 8);
    question[1] = (uint8_t)p->id;
    question[2] = p->resolver_len > 0 ? 1 : 0; /* recursion is asked of a resolver only */
    question[5] = 1;
    question[14] = 6; /* ". IN SOA" */
    question[16] = 1;
    if (fd >= 0) {
        (void)sendto(fd, question, sizeof question, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)to,
                     len); /* as above */
    }
}

/* A root server by each family. */
static void ask_roots(struct validate_pulse *p)
{
    for (size_t i = 0; i < 2; i++) {
        struct sockaddr_storage to;
        socklen_t len = 0;
        lt_res r = read_address(roots[p->next_root], DNS_PORT, &to, &len);
        LT_ASSERT(!lt_failed(r)); /* our own table */
        ask(p, &to, len);
        p->next_root = (p->next_root + 1) % LT_COUNT(roots);
    }
}

void validate_pulse_tick(struct validate_pulse *p, int64_t now_ms, bool busy)
{
    int64_t idle = p->resolver_len > 0 ? IDLE_MS : ROOT_IDLE_MS;
    bool first = p->heard_ms < 0;
    p->now_ms = now_ms;
    p->heard_ms = first ? now_ms : p->heard_ms;
    if (!first && now_ms - p->asked_ms < (busy || p->missed > 0 ? BUSY_MS : idle)) {
        return;
    }
    p->asked_ms = now_ms;
    p->missed += p->missed < UINT16_MAX;
    p->id++;
    if (p->resolver_len > 0) {
        ask(p, &p->resolver, p->resolver_len);
    } else {
        ask_roots(p);
    }
}

void validate_pulse_heard(struct validate_pulse *p, int64_t now_ms)
{
    p->works = true;
    p->heard_ms = now_ms;
}

int64_t validate_pulse_silent_ms(const struct validate_pulse *p, int64_t now_ms)
{
    bool deaf = p->works && !p->beats;
    int64_t silent = now_ms - p->heard_ms;
    return p->missed < MISSED_MAX || deaf || p->heard_ms < 0 || silent < SILENT_LEAST_MS ? 0 : silent;
}
