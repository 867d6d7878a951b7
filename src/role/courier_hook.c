/* See courier_hook.h. */
#include "role/courier_hook.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "http/client.h"
#include "role/courier_curl.h"

enum {
    BODY_MAX = 128 * 1024,
    OPEN_MAX = 256,
    CONNECTIONS_MAX = 8L,
    CONNECT_MS = 10000L,
    WHOLE_MS = 20000L,
    SAID_MAX = 208,
    HEADER_MAX = 512,
    GONE = 410,
};

struct errand {
    struct courier_transfer transfer; /* first */
    struct courier_hook *hook;
    struct errand *next;
    int64_t id;
    uint32_t attempt;
    struct http_url url;
    CURL *easy;                 /* owned; NULL: it could not begin */
    struct curl_slist *headers; /* owned */
    struct curl_slist *lookup;  /* owned: host:port:address */
    struct lt_buf body;         /* owned */
    char error[CURL_ERROR_SIZE];
    char why[SAID_MAX]; /* it could not begin */
    bool hopeless;      /* nor ever will */
};

struct courier_hook {
    struct courier_places *places; /* owned */
    struct courier_curl *curl;     /* owned */
    struct errand *open;           /* owned list */
    size_t count;
    courier_hooked *told;
    void *self;
};

static void free_errand(struct errand *e)
{
    courier_curl_drop(e->hook->curl, e->easy);
    curl_slist_free_all(e->headers);
    curl_slist_free_all(e->lookup);
    lt_buf_done(&e->body);
    free(e);
}

static void tell(struct errand *e, bool accepted, bool final, const char *words)
{
    Ipc__HookSent said = IPC__HOOK_SENT__INIT;
    char text[SAID_MAX];
    struct errand **at = &e->hook->open;
    (void)snprintf(text, sizeof text, "%s", words); /* cut is fine */
    said.notice_id = e->id;
    said.attempt = e->attempt;
    said.accepted = accepted;
    said.final = final;
    said.said = text;
    while (*at != e) {
        at = &(*at)->next;
    }
    *at = e->next;
    e->hook->count--;
    e->hook->told(e->hook->self, &said);
    free_errand(e);
}

static void finished(struct courier_transfer *transfer, CURLcode outcome)
{
    struct errand *e = (struct errand *)transfer; /* its first member */
    char text[SAID_MAX + CURL_ERROR_SIZE];
    long status = 0;
    (void)curl_easy_getinfo(e->easy, CURLINFO_RESPONSE_CODE, &status); /* 0 stays when there is none */
    bool accepted = outcome == CURLE_OK && status >= 200 && status < 300;
    if (outcome == CURLE_OK) {
        (void)snprintf(text, sizeof text, "%.150s: status %ld", e->url.host, status);
    } else {
        const char *what = e->error[0] != '\0' ? e->error : curl_easy_strerror(outcome);
        (void)snprintf(text, sizeof text, "%.150s: %s", e->url.host, what);
    }
    tell(e, accepted, outcome == CURLE_OK && status == GONE, text);
}

/* What it answers is not read: a machine that we tell something has nothing to tell us. */
static size_t drop(char *text, size_t size, size_t count, void *arg)
{
    (void)text;
    (void)arg;
    return size * count;
}

static lt_res add_header(struct errand *e, const char *name, const char *value)
{
    char line[HEADER_MAX];
    int len = snprintf(line, sizeof line, "%s: %s", name, value);
    LT_CHECK(len > 0 && (size_t)len < sizeof line && strpbrk(line, "\r\n") == NULL, LT_PEER_MALFORMED,
             "a header that is none: %s", name);
    struct curl_slist *more = curl_slist_append(e->headers, line);
    LT_ASSERT(more != NULL);
    e->headers = more;
    return LT_OK;
}

static lt_res add_headers(struct errand *e, const Ipc__HookSend *m)
{
    char timestamp[24];
    (void)snprintf(timestamp, sizeof timestamp, "%lld", (long long)m->timestamp_s); /* it fits */
    LT_TRY(add_header(e, "content-type", "application/json"));
    LT_TRY(add_header(e, "webhook-id", m->message));
    LT_TRY(add_header(e, "webhook-timestamp", timestamp));
    LT_TRY(add_header(e, "webhook-signature", m->signature));
    return add_header(e, "user-agent", "lintel");
}

#define SET(option_, value_) (fine = fine && curl_easy_setopt(e->easy, option_, value_) == CURLE_OK)

static lt_res set_options(struct errand *e, const char *url)
{
    bool fine = true;
    SET(CURLOPT_URL, url);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    SET(CURLOPT_TIMEOUT_MS, (long)WHOLE_MS);
    SET(CURLOPT_FORBID_REUSE, 1L);
    SET(CURLOPT_HTTPHEADER, e->headers);
    SET(CURLOPT_POSTFIELDS, (const char *)e->body.ptr);
    SET(CURLOPT_POSTFIELDSIZE, (long)e->body.len);
    SET(CURLOPT_RESOLVE, e->lookup);
    SET(CURLOPT_WRITEFUNCTION, drop);
    SET(CURLOPT_ERRORBUFFER, e->error);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    LT_CHECK(fine, LT_STATE_IO, "libcurl takes an option no more");
    return LT_OK;
}

static lt_res begin(struct errand *e, const Ipc__HookSend *m)
{
    const char *row = NULL;
    LT_TRY(http_url_split(m->url, &e->url));
    LT_CHECK(e->url.tls || m->allow_private, LT_PEER_MALFORMED, "\"%.100s\" is no https", m->url);
    const struct courier_place place = {e->url.host, e->url.port, !m->allow_private};
    LT_TRY(courier_places_find(e->hook->places, &place, &row));
    e->lookup = curl_slist_append(NULL, row);
    LT_ASSERT(e->lookup != NULL);
    lt_buf_add(&e->body, LT_SLICE(m->body.data, m->body.len));
    LT_TRY(lt_buf_check(&e->body));
    LT_TRY(add_headers(e, m));
    e->easy = curl_easy_init();
    LT_ASSERT(e->easy != NULL);
    LT_TRY(set_options(e, m->url));
    return courier_curl_add(e->hook->curl, e->easy, &e->transfer);
}

void courier_hook_send(struct courier_hook *h, const Ipc__HookSend *notice)
{
    struct errand *e = calloc(1, sizeof *e);
    LT_ASSERT(e != NULL);
    e->transfer.done = finished;
    e->hook = h;
    e->id = notice->notice_id;
    e->attempt = notice->attempt;
    lt_buf_init(&e->body, BODY_MAX);
    e->next = h->open;
    h->open = e;
    h->count++;
    lt_res r = {0};
    if (h->count > OPEN_MAX) {
        r = lt_fail(LT_RETRY_BUSY, __FILE__, __LINE__, "too many hooks at once");
    } else {
        r = begin(e, notice);
    }
    if (lt_failed(r)) {
        if (e->easy != NULL) {
            curl_easy_cleanup(LT_TAKE(e->easy, NULL));
        }
        (void)snprintf(e->why, sizeof e->why, "%s", lt_error_last()->detail); /* cut is fine */
        enum lt_class c = lt_class_of(r.code);
        e->hopeless = c == LT_CLASS_PEER || c == LT_CLASS_POLICY;
    }
}

void courier_hook_tick(struct courier_hook *h)
{
    struct errand *next = NULL;
    for (struct errand *e = h->open; e != NULL; e = next) {
        next = e->next;
        if (e->easy == NULL) {
            tell(e, false, e->hopeless, e->why);
        }
    }
}

lt_res courier_hook_new(struct event_base *base, courier_hooked *told, void *self,
                        struct courier_hook **ret_hook)
{
    struct courier_curl *curl = NULL;
    LT_TRY(courier_curl_new(base, CONNECTIONS_MAX, &curl));
    struct courier_hook *h = calloc(1, sizeof *h);
    LT_ASSERT(h != NULL);
    h->curl = curl;
    h->places = courier_places_new();
    h->told = told;
    h->self = self;
    *ret_hook = h;
    return LT_OK;
}

void courier_hook_free(struct courier_hook *h)
{
    if (h == NULL) {
        return;
    }
    while (h->open != NULL) {
        struct errand *e = h->open;
        h->open = e->next;
        free_errand(e);
    }
    courier_curl_free(h->curl);
    courier_places_free(h->places);
    free(h);
}

size_t courier_hook_open(const struct courier_hook *h)
{
    return h->count;
}
