/* What the gateway of a test CA does beside: the management face that suites written for Pebble expect (CA
 * certificates by number; what a notary answers about certificates), and renewal information that a test has
 * set. All of it hangs on Start.testing, which the supervisor sends where the folder carries the mark;
 * without it there is no management listener, and what is set here is never looked at.
 *
 * Keys of CAs are not here: they live in the signer, and not even a test CA hands them out. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "role/gateway.h"

enum {
    RENEWALS_MAX = 256, /* set by tests; then the oldest goes */
    CERTID_SIZE = 128,
    BODY_MAX = 32 * 1024,
    CERTIFICATE_MAX = 64 * 1024,
    ALTERNATES_MAX = 16,
    URL_SIZE = 160,
    RETRY_AFTER_S = 6 * 3600,
};

struct renewal {
    char certid[CERTID_SIZE];
    char *body; /* owned */
    size_t len;
};

struct gateway_testing {
    char url[URL_SIZE]; /* of the management listener */
    struct renewal renewals[RENEWALS_MAX];
    size_t next;
};

void gateway_testing_open(struct gateway *g, const Ipc__Start *start)
{
    if (start->testing == NULL) {
        return;
    }
    g->testing = calloc(1, sizeof *g->testing);
    LT_ASSERT(g->testing != NULL);
    for (size_t i = 0; i < start->n_listeners; i++) {
        const Ipc__Listener *l = start->listeners[i];
        const char *port = strrchr(l->address, ':');
        if (strcmp(l->kind, "management") == 0 && port != NULL) {
            bool ip6 = strchr(g->tls.host, ':') != NULL;
            (void)snprintf(g->testing->url, URL_SIZE, "https://%s%.100s%s%s", ip6 ? "[" : "", g->tls.host,
                           ip6 ? "]" : "", port); /* a longer name is cut: tests have short ones */
        }
    }
}

/* ---- /roots/N and /intermediates/N ---- */

static const struct shelf {
    const char *path;
    const char *name; /* of the file: NAME.crt, NAME-alt-N.crt */
} roots = {"/roots/", "root"}, intermediates = {"/intermediates/", "tls"};

static int open_certificate(const struct gateway *g, const struct shelf *shelf, uint64_t number)
{
    char name[64];
    if (number == 0) {
        (void)snprintf(name, sizeof name, "%s.crt", shelf->name);
    } else {
        (void)snprintf(name, sizeof name, "%s-alt-%llu.crt", shelf->name, (unsigned long long)number);
    }
    return openat(g->ca_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
}

static size_t count_certificates(const struct gateway *g, const struct shelf *shelf)
{
    size_t count = 0;
    while (count < ALTERNATES_MAX) {
        LT_CLEANUP(lt_fd_closep) int fd = open_certificate(g, shelf, count);
        if (fd < 0) {
            break;
        }
        count++;
    }
    return count;
}

static bool read_certificate(const struct gateway *g, const struct shelf *shelf, uint64_t number,
                             struct lt_buf *out)
{
    uint8_t der[CERTIFICATE_MAX];
    LT_CLEANUP(lt_fd_closep) int fd = open_certificate(g, shelf, number);
    ssize_t n = fd < 0 ? -1 : read(fd, der, sizeof der);
    if (n <= 0 || (size_t)n == sizeof der) {
        return false;
    }
    lt_pem_add(out, "CERTIFICATE", LT_SLICE(der, (size_t)n));
    return !lt_failed(lt_buf_check(out));
}

static void send_certificate(const struct gateway *g, struct http_exchange *x, const struct shelf *shelf,
                             uint64_t number, lt_slice pem)
{
    char values[ALTERNATES_MAX][URL_SIZE + 64];
    struct http_header headers[ALTERNATES_MAX];
    size_t count = 0;
    size_t all = count_certificates(g, shelf);
    for (size_t i = 0; i < all; i++) {
        if (i != number) {
            (void)snprintf(values[count], sizeof values[count], "<%s%s%zu>;rel=\"alternate\"",
                           g->testing->url, shelf->path, i); /* fits: all parts are short */
            headers[count] = (struct http_header){"link", values[count]};
            count++;
        }
    }
    const struct http_answer answer = {
        .status = 200,
        .content_type = "application/pem-certificate-chain; charset=utf-8",
        .headers = headers,
        .header_count = count,
        .body = pem,
    };
    http_exchange_answer(x, &answer);
}

static void serve_shelf(struct gateway *g, struct http_exchange *x, const struct shelf *shelf)
{
    const struct http_request *r = http_exchange_request(x);
    uint64_t number = 0;
    struct lt_buf pem;
    lt_buf_init(&pem, (size_t)2 * CERTIFICATE_MAX);
    lt_slice text = lt_slice_sub(r->path, strlen(shelf->path), SIZE_MAX);
    bool good = (lt_slice_eq_cstr(r->method, "GET") || lt_slice_eq_cstr(r->method, "HEAD")) &&
                !lt_failed(lt_parse_u64(text, ALTERNATES_MAX, &number)) &&
                read_certificate(g, shelf, number, &pem);
    if (good) {
        send_certificate(g, x, shelf, number, lt_buf_slice(&pem));
    } else {
        http_exchange_problem(x, 404, NULL, "there is no CA certificate of this number", 0);
    }
    lt_buf_done(&pem);
}

void gateway_serve_roots(struct gateway *g, struct http_exchange *x)
{
    serve_shelf(g, x, &roots);
}

void gateway_serve_intermediates(struct gateway *g, struct http_exchange *x)
{
    serve_shelf(g, x, &intermediates);
}

void gateway_serve_no_keys(struct gateway *g, struct http_exchange *x)
{
    (void)g;
    http_exchange_problem(x, 404, NULL,
                          "keys of CAs are with the signer and nowhere else, in a test CA too; a suite that "
                          "signs as the CA imports its own key: lintel init --testing --import",
                          0);
}

/* ---- renewal information that a test has set ---- */

static const char *header_of(const Ipc__HttpResponse *m, const char *name)
{
    for (size_t i = 0; i < m->n_headers; i++) {
        if (strcasecmp(m->headers[i]->name, name) == 0) {
            return m->headers[i]->value;
        }
    }
    return NULL;
}

static struct renewal *find_renewal(struct gateway_testing *t, lt_slice certid)
{
    for (size_t i = 0; i < RENEWALS_MAX; i++) {
        if (t->renewals[i].body != NULL && lt_slice_eq_cstr(certid, t->renewals[i].certid)) {
            return &t->renewals[i];
        }
    }
    return NULL;
}

static bool set_renewal(struct gateway_testing *t, const char *certid, lt_slice body)
{
    if (strlen(certid) >= CERTID_SIZE || body.len > BODY_MAX) {
        return false;
    }
    struct renewal *r = find_renewal(t, lt_slice_cstr(certid));
    r = r != NULL ? r : &t->renewals[t->next++ % RENEWALS_MAX];
    free(r->body);
    *r = (struct renewal){0};
    if (body.len == 0) {
        return true; /* as if none had been set */
    }
    (void)snprintf(r->certid, CERTID_SIZE, "%s", certid); /* measured above */
    r->body = malloc(body.len);
    LT_ASSERT(r->body != NULL);
    memcpy(r->body, body.ptr, body.len);
    r->len = body.len;
    return true;
}

bool gateway_testing_takes(struct gateway *g, const struct gateway_slot *slot, const Ipc__HttpResponse *m)
{
    const char *certid = header_of(m, GATEWAY_TESTING_RENEWAL);
    if (g->testing == NULL || slot->listener != LISTENER_MANAGEMENT || certid == NULL) {
        return false;
    }
    if (set_renewal(g->testing, certid, LT_SLICE(m->body.data, m->body.len))) {
        const struct http_answer done = {.status = 200};
        http_exchange_answer(slot->exchange, &done);
    } else {
        http_exchange_problem(slot->exchange, 413, NULL, "this renewal information is too long", 0);
    }
    return true;
}

static bool send_set(struct gateway *g, struct http_exchange *x)
{
    const struct http_request *r = http_exchange_request(x);
    lt_slice certid = lt_slice_sub(r->path, strlen("/acme/renewal-info/"), SIZE_MAX);
    const struct renewal *set = find_renewal(g->testing, certid);
    char retry[16];
    if (set == NULL) {
        return false;
    }
    (void)snprintf(retry, sizeof retry, "%d", RETRY_AFTER_S);
    const struct http_header headers[] = {{"retry-after", retry}};
    const struct http_answer answer = {
        .status = 200,
        .content_type = "application/json; charset=utf-8",
        .headers = headers,
        .header_count = LT_COUNT(headers),
        .body = LT_SLICE(set->body, set->len),
    };
    http_exchange_answer(x, &answer);
    return true;
}

bool gateway_testing_renewal(struct gateway *g, struct http_exchange *x)
{
    return g->testing != NULL && send_set(g, x);
}
