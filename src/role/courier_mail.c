/* The name of the relay is looked up here, once a minute, as libcurl would start a thread for it. */
#include "role/courier_mail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/slice.h"
#include "role/courier_curl.h"
#include "role/courier_letter.h"

enum {
    LETTER_MAX = 512 * 1024,
    OPEN_MAX = 1024,
    CONNECTIONS_MAX = 4L,
    CONNECT_MS = 15000L,
    WHOLE_MS = 90000L,
    WHY_MAX = 208,
};

struct parcel {
    struct courier_transfer transfer; /* first */
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
    char said[WHY_MAX]; /* by the relay, when it had the letter */
    bool notice;
};

struct courier_mail {
    struct courier_places *places; /* owned */
    struct courier_curl *curl;     /* owned */
    struct parcel *open;           /* owned list */
    size_t count;
    courier_mailed *told;
    void *self;
};

static void free_parcel(struct parcel *p)
{
    courier_curl_drop(p->mail->curl, p->easy);
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
    said.said = p->said;
    said.notice = p->notice;
    unlink_parcel(p);
    p->mail->told(p->mail->self, &said);
    free_parcel(p);
}

/* RFC 5321 4.2.1: 5yz is for good, 4yz for now. But what is refused before the recipient was named (we, our
 * sender, the relay itself) is the configuration's fault: people mend it, and the letter goes then. */
static void finished(struct courier_transfer *transfer, CURLcode outcome)
{
    struct parcel *p = (struct parcel *)transfer; /* its first member */
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

static void keep(char to[WHY_MAX], const char *text, size_t len)
{
    size_t kept = 0;
    for (size_t i = 0; i < len && kept + 1 < WHY_MAX; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c != '\r' && c != '\n') {
            to[kept++] = (char)(c < 0x20 || c > 0x7e ? '?' : c);
        }
    }
    to[kept] = '\0';
}

/* Every line that the relay says comes by here; what it refuses is kept, and how it took the letter (250,
 * often with the name that it has in its queue), not its farewell. */
static size_t hear(char *text, size_t size, size_t count, void *arg)
{
    struct parcel *p = arg;
    size_t len = size * count;
    bool whole = p->letter.len > 0 && p->at == p->letter.len;
    if (len > 0 && (text[0] == '4' || text[0] == '5')) {
        keep(p->line, text, len);
    } else if (len > 3 && whole && memcmp(text, "250", 3) == 0) {
        keep(p->said, text, len);
    }
    return len;
}

/* Asking the system's resolver waits, and the perspectives' answers with it: once a minute, whatever it says.
 */
static lt_res look_up(struct parcel *p)
{
    const char *row = NULL;
    const struct courier_place place = {p->relay.host, p->relay.port, false};
    LT_TRY(courier_places_find(p->mail->places, &place, &row));
    p->lookup = curl_slist_append(NULL, row);
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
    return courier_curl_add(p->mail->curl, p->easy, &p->transfer);
}

void courier_mail_send(struct courier_mail *m, const Ipc__MailSend *letter)
{
    struct parcel *p = calloc(1, sizeof *p);
    LT_ASSERT(p != NULL);
    p->mail = m;
    p->id = letter->mail_id;
    p->attempt = letter->attempt;
    p->transfer.done = finished;
    p->notice = strcmp(letter->kind, "notice") == 0;
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
    struct courier_curl *curl = NULL;
    LT_TRY(courier_curl_new(base, CONNECTIONS_MAX, &curl));
    struct courier_mail *m = calloc(1, sizeof *m);
    LT_ASSERT(m != NULL);
    m->curl = curl;
    m->places = courier_places_new();
    m->told = told;
    m->self = self;
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
    courier_curl_free(m->curl);
    courier_places_free(m->places);
    free(m);
}

size_t courier_mail_open(const struct courier_mail *m)
{
    return m->count;
}
