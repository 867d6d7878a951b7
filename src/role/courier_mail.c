/* libcurl's multi interface over libevent: its sockets are our events, its time-outs our timer. The name of
 * the relay is looked up here, once for each letter, as libcurl would start a thread for it. */
#include "role/courier_mail.h"

#include <curl/curl.h>
#include <event2/event.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/slice.h"
#include "http/client.h"
#include "role/courier_letter.h"

enum {
    LETTER_MAX = 64 * 1024,
    OPEN_MAX = 1024,
    CONNECTIONS_MAX = 4L,
    CONNECT_MS = 15000L,
    WHOLE_MS = 90000L,
    WHY_MAX = 208,
    ADDRESS_KEPT_MS = 60000L,
    HOST_SIZE = 256, /* as in struct courier_relay */
};

struct parcel {
    struct courier_mail *mail;
    struct parcel *next;
    int64_t id;
    uint32_t attempt;
    struct courier_relay relay;
    CURL *easy;                /* owned; NULL: it could not begin */
    struct curl_slist *to;     /* owned */
    struct curl_slist *lookup; /* owned: host:port:address */
    struct lt_buf letter;      /* owned */
    size_t at;                 /* read so far */
    char error[CURL_ERROR_SIZE];
    char line[WHY_MAX]; /* the last refusal of the relay; or why it could not begin */
    bool hopeless;      /* nor ever will */
};

/* Of the relay, as it was found last. */
struct relay_address {
    char host[HOST_SIZE];
    uint16_t port;
    char row[HOST_SIZE + NI_MAXHOST + 16]; /* "host:port:address"; "": none */
    int64_t until_ms;
};

struct courier_mail {
    struct event_base *base; /* borrowed */
    struct relay_address address;
    CURLM *multi;        /* owned */
    struct event *timer; /* owned */
    struct parcel *open; /* owned list */
    size_t count;
    courier_mailed *told;
    void *self;
};

static void free_parcel(struct parcel *p)
{
    if (p->easy != NULL) {
        (void)curl_multi_remove_handle(p->mail->multi, p->easy); /* fails only for a stranger's */
        curl_easy_cleanup(p->easy);
    }
    curl_slist_free_all(p->to);
    curl_slist_free_all(p->lookup);
    lt_buf_done(&p->letter);
    free(p);
}

static void unlink_parcel(struct parcel *p)
{
    struct parcel **at = &p->mail->open;
    while (*at != p) {
        at = &(*at)->next;
    }
    *at = p->next;
    p->mail->count--;
}

static void tell(struct parcel *p, bool accepted, bool final, const char *why)
{
    Ipc__MailSent said = IPC__MAIL_SENT__INIT;
    char text[WHY_MAX];
    (void)snprintf(text, sizeof text, "%s", why); /* cut is fine */
    said.mail_id = p->id;
    said.attempt = p->attempt;
    said.accepted = accepted;
    said.final = final;
    said.why = text;
    unlink_parcel(p);
    p->mail->told(p->mail->self, &said);
    free_parcel(p);
}

/* RFC 5321 4.2.1: 5yz is for good, 4yz for now. But what is refused before the recipient was named (we, our
 * sender, the relay itself) is the configuration's fault: people mend it, and the letter goes then. */
static void finished(struct parcel *p, CURLcode outcome)
{
    long code = 0;
    char why[sizeof p->relay.host + WHY_MAX + CURL_ERROR_SIZE];
    (void)curl_easy_getinfo(p->easy, CURLINFO_RESPONSE_CODE, &code); /* 0 stays when there is none */
    const char *what = p->error[0] != '\0' ? p->error : curl_easy_strerror(outcome);
    bool recipient = strncmp(p->error, "RCPT failed", strlen("RCPT failed")) == 0;
    bool letter = p->letter.len > 0 && p->at == p->letter.len;
    bool spoke = code >= 400 && p->line[0] != '\0';
    (void)snprintf(why, sizeof why, "%s:%u: %s", p->relay.host, p->relay.port, spoke ? p->line : what);
    bool accepted = outcome == CURLE_OK;
    tell(p, accepted, !accepted && code >= 500 && code < 600 && (recipient || letter), accepted ? "" : why);
}

static void collect(struct courier_mail *m)
{
    int left = 0;
    const CURLMsg *said = NULL;
    while ((said = curl_multi_info_read(m->multi, &left)) != NULL) {
        struct parcel *p = NULL;
        CURLcode outcome = said->data.result;
        if (said->msg == CURLMSG_DONE &&
            curl_easy_getinfo(said->easy_handle, CURLINFO_PRIVATE, &p) == CURLE_OK) {
            finished(p, outcome);
        }
    }
}

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
    struct courier_mail *m = arg;
    int running = 0;
    int mask = ((what & EV_READ) != 0 ? CURL_CSELECT_IN : 0) |
               ((what & EV_WRITE) != 0 ? CURL_CSELECT_OUT : 0);
    (void)curl_multi_socket_action(m->multi, (curl_socket_t)fd, mask, &running); /* outcomes are collected */
    collect(m);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct courier_mail *m = arg;
    int running = 0;
    (void)fd;
    (void)what;
    (void)curl_multi_socket_action(m->multi, CURL_SOCKET_TIMEOUT, 0, &running); /* as above */
    collect(m);
}

/* libcurl wants to hear of a socket, or no more. */
static int watch(CURL *easy, curl_socket_t fd, int what, void *arg, void *of_socket)
{
    struct courier_mail *m = arg;
    struct event *old = of_socket;
    (void)easy;
    if (old != NULL) {
        event_free(old);
    }
    struct event *fresh = NULL;
    if (what != CURL_POLL_REMOVE) {
        short mask = (short)(((what & CURL_POLL_IN) != 0 ? EV_READ : 0) |
                             ((what & CURL_POLL_OUT) != 0 ? EV_WRITE : 0) | EV_PERSIST);
        fresh = event_new(m->base, fd, mask, on_socket, m);
        LT_ASSERT(fresh != NULL && event_add(fresh, NULL) == 0);
    }
    (void)curl_multi_assign(m->multi, fd, fresh); /* it is a socket of this handle */
    return 0;
}

static int set_timer(CURLM *multi, long ms, void *arg)
{
    struct courier_mail *m = arg;
    (void)multi;
    if (ms < 0) {
        (void)event_del(m->timer); /* fails only for one that is none */
        return 0;
    }
    struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000};
    LT_ASSERT(event_add(m->timer, &tv) == 0);
    return 0;
}

static size_t give(char *to, size_t size, size_t count, void *arg)
{
    struct parcel *p = arg;
    lt_slice rest = lt_slice_sub(lt_buf_slice(&p->letter), p->at, size * count);
    if (rest.len > 0) {
        memcpy(to, rest.ptr, rest.len);
    }
    p->at += rest.len;
    return rest.len;
}

/* Every line that the relay says comes by here; what it refuses is kept, not its farewell. */
static size_t hear(char *text, size_t size, size_t count, void *arg)
{
    struct parcel *p = arg;
    size_t len = size * count;
    size_t kept = 0;
    if (len == 0 || (text[0] != '4' && text[0] != '5')) {
        return len;
    }
    for (size_t i = 0; i < len && kept + 1 < sizeof p->line; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c != '\r' && c != '\n') {
            p->line[kept++] = (char)(c < 0x20 || c > 0x7e ? '?' : c);
        }
    }
    p->line[kept] = '\0';
    return len;
}

static lt_res resolve(struct relay_address *at)
{
    struct http_origin o = {.host = at->host, .port = at->port};
    char address[NI_MAXHOST];
    LT_TRY(http_origin_resolve(&o));
    int rc = getnameinfo((const struct sockaddr *)&o.address, o.address_len, address, sizeof address, NULL, 0,
                         NI_NUMERICHOST);
    LT_CHECK(rc == 0, LT_RETRY_UNAVAILABLE, "%s: %s", at->host, gai_strerror(rc));
    bool v6 = strchr(address, ':') != NULL;
    (void)snprintf(at->row, sizeof at->row, v6 ? "%s:%u:[%s]" : "%s:%u:%s", at->host, at->port, address);
    return LT_OK;
}

/* Asking the system's resolver waits, and the perspectives' answers with it: once a minute, whatever it says.
 */
static lt_res look_up(struct parcel *p)
{
    struct relay_address *at = &p->mail->address;
    int64_t now = lt_monotonic_ms();
    bool same = strcmp(at->host, p->relay.host) == 0 && at->port == p->relay.port;
    if (!same || now >= at->until_ms) {
        *at = (struct relay_address){.port = p->relay.port};
        (void)snprintf(at->host, sizeof at->host, "%s", p->relay.host);
        lt_res r = resolve(at);
        at->until_ms = lt_monotonic_ms() + ADDRESS_KEPT_MS;
        LT_TRY(r);
    }
    LT_CHECK(at->row[0] != '\0', LT_RETRY_UNAVAILABLE, "%s: its address was not found a moment ago",
             at->host);
    p->lookup = curl_slist_append(NULL, at->row);
    LT_ASSERT(p->lookup != NULL);
    return LT_OK;
}

#define SET(option_, value_) (fine = fine && curl_easy_setopt(p->easy, option_, value_) == CURLE_OK)

static bool set_transfer(struct parcel *p, const char *url, const char *from)
{
    bool fine = true;
    SET(CURLOPT_URL, url);
    SET(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    SET(CURLOPT_TIMEOUT_MS, (long)WHOLE_MS);
    SET(CURLOPT_FORBID_REUSE, 1L);
    SET(CURLOPT_MAIL_FROM, from);
    SET(CURLOPT_MAIL_RCPT, p->to);
    SET(CURLOPT_UPLOAD, 1L);
    SET(CURLOPT_USE_SSL, p->relay.tls ? (long)CURLUSESSL_ALL : (long)CURLUSESSL_TRY);
    SET(CURLOPT_SSL_VERIFYPEER, p->relay.tls ? 1L : 0L);
    SET(CURLOPT_SSL_VERIFYHOST, p->relay.tls ? 2L : 0L);
    return fine;
}

static bool set_hooks(struct parcel *p)
{
    bool fine = true;
    SET(CURLOPT_RESOLVE, p->lookup);
    SET(CURLOPT_READFUNCTION, give);
    SET(CURLOPT_READDATA, p);
    SET(CURLOPT_HEADERFUNCTION, hear);
    SET(CURLOPT_HEADERDATA, p);
    SET(CURLOPT_ERRORBUFFER, p->error);
    SET(CURLOPT_PRIVATE, p);
    return fine;
}

static lt_res begin(struct parcel *p, const Ipc__MailSend *letter)
{
    char url[sizeof p->relay.host + 300];
    char address[300];
    LT_TRY(courier_relay_read(letter->relay, &p->relay));
    LT_TRY(courier_letter_write(letter, &p->letter));
    LT_TRY(look_up(p));
    bool v6 = strchr(p->relay.host, ':') != NULL;
    (void)snprintf(url, sizeof url, v6 ? "%s://[%s]:%u/%.200s" : "%s://%s:%u/%.200s",
                   p->relay.tls ? "smtps" : "smtp", p->relay.host, p->relay.port, letter->host);
    (void)snprintf(address, sizeof address, "<%s>", letter->to); /* at most 254 */
    p->to = curl_slist_append(NULL, address);
    (void)snprintf(address, sizeof address, "<%s>", letter->from); /* as above */
    p->easy = curl_easy_init();
    LT_ASSERT(p->to != NULL && p->easy != NULL);
    LT_CHECK(set_transfer(p, url, address) && set_hooks(p), LT_STATE_IO, "libcurl takes an option no more");
    LT_CHECK(curl_multi_add_handle(p->mail->multi, p->easy) == CURLM_OK, LT_RETRY_UNAVAILABLE,
             "libcurl takes no more letters");
    return LT_OK;
}

void courier_mail_send(struct courier_mail *m, const Ipc__MailSend *letter)
{
    struct parcel *p = calloc(1, sizeof *p);
    LT_ASSERT(p != NULL);
    p->mail = m;
    p->id = letter->mail_id;
    p->attempt = letter->attempt;
    lt_buf_init(&p->letter, LETTER_MAX);
    p->next = m->open;
    m->open = p;
    m->count++;
    lt_res r = {0};
    if (m->count > OPEN_MAX) {
        r = lt_fail(LT_RETRY_BUSY, __FILE__, __LINE__, "too many letters at once");
    } else {
        r = begin(p, letter);
    }
    if (lt_failed(r)) {
        if (p->easy != NULL) {
            curl_easy_cleanup(LT_TAKE(p->easy, NULL));
        }
        (void)snprintf(p->line, sizeof p->line, "%s", lt_error_last()->detail); /* cut is fine */
        p->hopeless = lt_class_of(r.code) == LT_CLASS_PEER;
    }
}

void courier_mail_tick(struct courier_mail *m)
{
    struct parcel *next = NULL;
    for (struct parcel *p = m->open; p != NULL; p = next) {
        next = p->next;
        if (p->easy == NULL) {
            tell(p, false, p->hopeless, p->line);
        }
    }
}

lt_res courier_mail_new(struct event_base *base, courier_mailed *told, void *self,
                        struct courier_mail **ret_mail)
{
    LT_CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK, LT_STATE_IO, "libcurl does not start");
    struct courier_mail *m = calloc(1, sizeof *m);
    LT_ASSERT(m != NULL);
    m->base = base;
    m->told = told;
    m->self = self;
    m->multi = curl_multi_init();
    m->timer = event_new(base, -1, 0, on_timer, m);
    LT_ASSERT(m->multi != NULL && m->timer != NULL);
    bool fine = curl_multi_setopt(m->multi, CURLMOPT_SOCKETFUNCTION, watch) == CURLM_OK &&
                curl_multi_setopt(m->multi, CURLMOPT_SOCKETDATA, m) == CURLM_OK &&
                curl_multi_setopt(m->multi, CURLMOPT_TIMERFUNCTION, set_timer) == CURLM_OK &&
                curl_multi_setopt(m->multi, CURLMOPT_TIMERDATA, m) == CURLM_OK &&
                curl_multi_setopt(m->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)CONNECTIONS_MAX) ==
                    CURLM_OK;
    if (!fine) {
        courier_mail_free(m);
        LT_FAIL(LT_STATE_IO, "libcurl does not start");
    }
    *ret_mail = m;
    return LT_OK;
}

void courier_mail_free(struct courier_mail *m)
{
    if (m == NULL) {
        return;
    }
    while (m->open != NULL) {
        struct parcel *p = m->open;
        m->open = p->next;
        free_parcel(p);
    }
    (void)curl_multi_cleanup(m->multi); /* it has no letters any more */
    event_free(m->timer);
    free(m);
    curl_global_cleanup();
}

size_t courier_mail_open(const struct courier_mail *m)
{
    return m->count;
}
