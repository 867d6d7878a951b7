/* Renewal information (RFC 9773), answered out of two files that the publisher writes and this program maps.
 * Nobody is asked: an answer is two searches in memory, however many incidents there are. The publisher looks
 * at the book each second, so a certificate of just now may not be there: such a question waits for a look
 * that is younger than itself. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "role/gateway.h"

enum {
    RETRY_AFTER_S = 6 * 3600, /* how often a client should ask */
    RETRY_SPREAD_S = 900,
    ABSENT_RETRY_S = 10,
    WAIT_MS = 5000, /* for the publisher's next look */
    WAITING_MAX = 256,
    BODY_MAX = 2048,
    ARENA_MAX = 4096,
    POLLS_EVERY_MS = 5000,
    POLLS_AGAIN_MS = 1000,
};

#define MALFORMED "urn:ietf:params:acme:error:malformed"

void gateway_ari_open(struct gateway *g, const char *folder)
{
    uint64_t seed = 0;
    lt_random((uint8_t *)&seed, sizeof seed);
    gateway_polls_init(&g->polls, seed);
    g->ari_fd = -1;
    LT_CLEANUP(lt_fd_closep) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        g->ari_fd = openat(fd, "public/ari", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    gateway_ari_tick(g);
}

static void unmap(struct gateway_map *m)
{
    if (m->bytes.len > 0) {
        (void)munmap((void *)(uintptr_t)m->bytes.ptr, m->bytes.len); /* our own mapping: it cannot fail */
    }
    *m = (struct gateway_map){0};
}

static lt_res map(int fd, const struct stat *st, struct gateway_map *ret_map)
{
    struct gateway_map m = {
        .inode = st->st_ino,
        .changed_ns = st->st_ctim.tv_sec * INT64_C(1000000000) + st->st_ctim.tv_nsec,
        .seen_us = st->st_mtim.tv_sec * LT_US_PER_SECOND + st->st_mtim.tv_nsec / 1000,
    };
    LT_CHECK(st->st_size > 0, LT_STATE_CORRUPT, "renewal information is empty");
    size_t len = (size_t)st->st_size;
    const void *at = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
    LT_CHECK(at != MAP_FAILED, LT_STATE_IO, "renewal information cannot be mapped: %s", strerror(errno));
    m.bytes = LT_SLICE(at, len);
    lt_res r = ca_ari_map_open(m.bytes, &m.map);
    if (lt_failed(r)) {
        unmap(&m);
        return r;
    }
    *ret_map = m;
    return LT_OK;
}

/* The file is replaced by name, never written over: the inode and its change tell a new one. */
static void refresh(struct gateway *g, const char *name, struct gateway_map *old)
{
    struct stat st;
    struct gateway_map fresh;
    if (fstatat(g->ari_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
        (st.st_ino == old->inode &&
         st.st_ctim.tv_sec * INT64_C(1000000000) + st.st_ctim.tv_nsec == old->changed_ns)) {
        return;
    }
    LT_CLEANUP(lt_fd_closep) int fd = openat(g->ari_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        return;
    }
    if (lt_failed(map(fd, &st, &fresh))) {
        lt_log_error("renewal information");
        return; /* what is mapped goes on */
    }
    unmap(old);
    *old = fresh;
}

/* What was asked for since the last time. Where no notary is there it waits; what does not go through is
 * lost: these are counts. */
static void tell_polls(struct gateway *g)
{
    Ipc__RenewalPolls m;
    size_t at = 0;
    size_t told = 0;
    bool due = g->draining || gateway_polls_full(&g->polls) || g->now_ms >= g->polls_due_ms;
    if (g->polls.count == 0 || !due) {
        return;
    }
    while (gateway_polls_next(&g->polls, &at, &m) &&
           !lt_failed(role_send(g->kit, IPC_NOTARY, ROLE_ANY, IPC_RENEWAL_POLLS, 0, &m.base))) {
        told = at;
    }
    g->polls_due_ms = g->now_ms + (told == 0 ? POLLS_AGAIN_MS : POLLS_EVERY_MS);
    if (told > 0 || gateway_polls_full(&g->polls)) {
        g->polls.dropped += g->polls.count - told;
        gateway_polls_reset(&g->polls);
    }
    lt_metric_set("lintel_renewal_polls_dropped", (int64_t)g->polls.dropped);
}

static void count_poll(struct gateway *g, const struct http_exchange *x, const struct ca_ari_certid *id)
{
    gateway_polls_add(&g->polls, id, http_request_field(http_exchange_request(x), "user-agent"));
    lt_metric_add("lintel_renewal_polls_total", 1);
}

/* The delta first: a base that is newer than it holds all that it says. */
void gateway_ari_tick(struct gateway *g)
{
    tell_polls(g);
    if (g->ari_fd >= 0) {
        refresh(g, "delta", &g->ari_delta);
        refresh(g, "base", &g->ari_base);
    }
    for (size_t i = 0; g->ari_waiting > 0 && i < GATEWAY_SLOTS; i++) {
        if (g->slots[i].exchange != NULL && g->slots[i].ari_until_ms != 0) {
            gateway_serve_ari(g, g->slots[i].exchange);
        }
    }
}

static bool delta_fits(const struct gateway *g)
{
    return g->ari_delta.bytes.len > 0 && g->ari_delta.map.head.generation == g->ari_base.map.head.generation;
}

static bool find(const struct gateway *g, const struct ca_ari_certid *id, struct ca_ari_window *ret_window)
{
    return (delta_fits(g) && ca_ari_map_find(&g->ari_delta.map, id, ret_window)) ||
           ca_ari_map_find(&g->ari_base.map, id, ret_window);
}

/* Whether the book was looked at after the question came. */
static bool is_younger_than(const struct gateway *g, const struct gateway_slot *slot)
{
    return delta_fits(g) && g->ari_delta.seen_us >= slot->since_us;
}

/* False when it has waited long enough, or too many do. */
static bool may_wait(struct gateway *g, struct gateway_slot *slot)
{
    if (slot->ari_until_ms == 0 && g->ari_waiting < WAITING_MAX) {
        slot->ari_until_ms = g->now_ms + WAIT_MS;
        g->ari_waiting++;
        return true;
    }
    return slot->ari_until_ms > g->now_ms;
}

void gateway_ari_forget(struct gateway *g, struct gateway_slot *slot)
{
    g->ari_waiting -= slot->ari_until_ms != 0 ? 1U : 0U;
    slot->ari_until_ms = 0;
}

/* Clients that were told at the same moment do not come back at the same one. */
static unsigned retry_after(const struct ca_ari_certid *id)
{
    unsigned h = id->serial.ptr[id->serial.len - 1];
    return RETRY_AFTER_S + h * RETRY_SPREAD_S / 256;
}

static void send_window(struct http_exchange *x, const struct ca_ari_certid *id,
                        const struct ca_ari_window *w)
{
    char start[LT_RFC3339_SIZE];
    char end[LT_RFC3339_SIZE];
    char body[BODY_MAX];
    char retry[16];
    lt_time_rfc3339(w->start, start);
    lt_time_rfc3339(w->end, end);
    (void)snprintf(retry, sizeof retry, "%u", retry_after(id));
    /* A URL is written into the book by us alone, escaped as a URL is: no quote, no backslash. */
    int len = w->url.len == 0
                  ? snprintf(body, sizeof body, "{\"suggestedWindow\":{\"start\":\"%s\",\"end\":\"%s\"}}\n",
                             start, end)
                  : snprintf(body, sizeof body,
                             "{\"suggestedWindow\":{\"start\":\"%s\",\"end\":\"%s\"},"
                             "\"explanationURL\":\"%.*s\"}\n",
                             start, end, LT_FMT(w->url));
    /*= RFC 9773 4.3 "it indicates the desired (i.e., both requested minimum and maximum) amount of time to
     * wait" */
    const struct http_header headers[] = {
        {"retry-after", retry},
        {"cache-control", "public, max-age=60"},
        {"access-control-allow-origin", "*"},
        {"x-content-type-options", "nosniff"},
    };
    const struct http_answer answer = {
        .status = 200,
        .content_type = "application/json",
        .headers = headers,
        .header_count = LT_COUNT(headers),
        .body = LT_SLICE(body, (size_t)len),
    };
    http_exchange_answer(x, &answer);
}

/* In a test CA all that was done before the question is known to the answer; elsewhere, what was issued. */
static void answer(struct gateway *g, struct http_exchange *x, const struct ca_ari_certid *id)
{
    struct gateway_slot *slot = http_exchange_user(x);
    struct ca_ari_window window;
    bool current = is_younger_than(g, slot);
    bool found = find(g, id, &window);
    bool ours = g->ari_base.bytes.len == 0 || ca_ari_map_knows(&g->ari_base.map, id->key_id);
    bool matters = found ? g->testing != NULL : ours;
    if (matters && !current && may_wait(g, slot)) {
        return; /* the next tick looks again */
    }
    if (found) {
        count_poll(g, x, id);
        send_window(x, id, &window);
    } else if (ours && !current) {
        http_exchange_problem(x, 503, NULL, "renewal information is not there yet", ABSENT_RETRY_S);
    } else {
        http_exchange_problem(x, 404, MALFORMED, "no certificate of this identifier is valid here", 0);
    }
}

void gateway_serve_ari(struct gateway *g, struct http_exchange *x)
{
    const struct http_request *r = http_exchange_request(x);
    struct ca_ari_certid id;
    struct lt_arena a;
    /*= RFC 9773 4.1 "To request the suggested renewal information for a certificate, the client sends an
     *= unauthenticated GET request to a path under the server's renewalInfo URL." */
    if (!lt_slice_eq_cstr(r->method, "GET") && !lt_slice_eq_cstr(r->method, "HEAD")) {
        const struct http_header allow[] = {{"allow", "GET, HEAD"}};
        const struct http_answer answer = {.status = 405, .headers = allow, .header_count = 1};
        http_exchange_answer(x, &answer);
        return;
    }
    if (gateway_testing_renewal(g, x)) {
        return;
    }
    lt_arena_init(&a, ARENA_MAX);
    lt_slice text = lt_slice_sub(r->path, strlen("/acme/renewal-info/"), SIZE_MAX);
    if (lt_failed(ca_ari_certid_read(text, &a, &id))) {
        http_exchange_problem(x, 400, MALFORMED, lt_error_last()->detail, 0);
    } else {
        answer(g, x, &id);
    }
    lt_arena_done(&a);
}
