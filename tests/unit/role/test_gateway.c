/* The real gateway in its sandbox; the test is its supervisor, its notaries and its clients. What is served
 * where, who answers whom, its own certificate, and what clients see when a notary lies or dies. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#include "base/file.h"
#include "base/metrics.h"
#include "ca/ari_map.h"
#include "http.pb-c.h"
#include "puppet.h"

enum { HTTPS, HTTP, OPERATOR, API, SOCKETS };
enum { ANSWER_MAX = 4 * 1024 * 1024 };
enum { PATIENCE_MS = 10000, TICKS_MS = 300 /* three */ };

static const char *lintel;
static int listen_fds[SOCKETS];
static uint16_t ports[SOCKETS];
static char api_path[100];
static int board_fd;
static int links_fd;
static EVP_PKEY *issuer_key;

static int listen_tcp(uint16_t *ret_port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 64) == 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    *ret_port = ntohs(a.sin_port);
    return fd;
}

/* What the board of a notary says. */
static void set_registrars(uint64_t count)
{
    static struct lt_metrics board;
    (void)snprintf(board.row[0].name, sizeof board.row[0].name, "lintel_links{peer=\"registrar\"}");
    board.row[0].kind = 2;
    board.row[0].value = count;
    assert_int_equal(pwrite(links_fd, &board, sizeof board, 0), sizeof board);
}

static int set_up(void **state)
{
    (void)state;
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    struct lt_metrics board = {0};
    puppet_make_folder(lintel);
    for (int i = HTTPS; i <= OPERATOR; i++) {
        listen_fds[i] = listen_tcp(&ports[i]);
    }
    (void)snprintf(api_path, sizeof api_path, "%s/api.sock", puppet_folder);
    (void)snprintf(a.sun_path, sizeof a.sun_path, "%s", api_path);
    listen_fds[API] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listen_fds[API], (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(listen_fds[API], 16), 0);
    (void)snprintf(board.row[0].name, sizeof board.row[0].name, "lintel_test_total{a=\"b\"}");
    board.row[0].kind = 1;
    board.row[0].value = 42;
    board_fd = memfd_create("board", MFD_CLOEXEC);
    assert_int_equal(write(board_fd, &board, sizeof board), sizeof board);
    links_fd = memfd_create("board", MFD_CLOEXEC);
    set_registrars(1);
    const struct puppet_listener listeners[] = {
        {"https", "a", listen_fds[HTTPS]},
        {"http", "b", listen_fds[HTTP]},
        {"operator", "127.0.0.1:1", listen_fds[OPERATOR]},
        {"api", "d", listen_fds[API]},
        {"metrics", "signer-0", board_fd},
        {"metrics", "notary-0", links_fd},
    };
    memcpy(puppet_listeners, listeners, sizeof listeners);
    puppet_listener_count = LT_COUNT(listeners);
    issuer_key = EVP_EC_gen("P-256");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    EVP_PKEY_free(issuer_key);
    (void)unlink(api_path);
    puppet_remove_folder();
    return 0;
}

/* A client: one request, one answer; between them the test may be the notary. */

struct client {
    int fd;
    SSL_CTX *ctx;
    SSL *ssl;
    char *in;
    size_t in_len;
};

static const char *client_address = "127.0.0.1"; /* where clients come from */

static void client_open(struct client *c, int listener)
{
    struct timeval wait = {.tv_sec = 10};
    *c = (struct client){.in = calloc(1, ANSWER_MAX + 1)};
    if (listener == API) {
        struct sockaddr_un a = {.sun_family = AF_UNIX};
        (void)snprintf(a.sun_path, sizeof a.sun_path, "%s", api_path);
        c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(c->fd, (struct sockaddr *)&a, sizeof a), 0);
    } else {
        struct sockaddr_in a = {.sin_family = AF_INET};
        c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(inet_pton(AF_INET, client_address, &a.sin_addr), 1);
        assert_int_equal(bind(c->fd, (struct sockaddr *)&a, sizeof a), 0);
        a.sin_port = htons(ports[listener]);
        a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        assert_int_equal(connect(c->fd, (struct sockaddr *)&a, sizeof a), 0);
    }
    assert_int_equal(setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait), 0);
    if (listener == HTTPS) {
        c->ctx = SSL_CTX_new(TLS_client_method());
        c->ssl = SSL_new(c->ctx);
        assert_true(SSL_set_fd(c->ssl, c->fd) == 1 && SSL_connect(c->ssl) == 1);
    }
}

static void client_close(struct client *c)
{
    SSL_free(c->ssl);
    SSL_CTX_free(c->ctx);
    (void)close(c->fd);
    free(c->in);
}

static void client_say(struct client *c, const char *text)
{
    int len = (int)strlen(text);
    int n = c->ssl != NULL ? SSL_write(c->ssl, text, len) : (int)send(c->fd, text, (size_t)len, MSG_NOSIGNAL);
    assert_int_equal(n, len);
}

static void client_get(struct client *c, const char *method, const char *path, const char *extra)
{
    char text[1024];
    (void)snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n",
                   method, path, extra);
    client_say(c, text);
}

/* All until the end of the connection; the status. */
static unsigned client_read(struct client *c)
{
    for (;;) {
        size_t room = ANSWER_MAX - c->in_len;
        ssize_t n = c->ssl != NULL ? SSL_read(c->ssl, c->in + c->in_len, (int)room)
                                   : recv(c->fd, c->in + c->in_len, room, 0);
        if (n <= 0) {
            break;
        }
        c->in_len += (size_t)n;
    }
    c->in[c->in_len] = 0;
    return c->in_len > 12 ? (unsigned)strtoul(c->in + 9, NULL, 10) : 0;
}

static unsigned fetch(int listener, const char *method, const char *path, const char *extra, char **ret_text)
{
    struct client c;
    client_open(&c, listener);
    client_get(&c, method, path, extra);
    unsigned status = client_read(&c);
    *ret_text = strdup(c.in);
    client_close(&c);
    return status;
}

/* The notary's side. */

/* The next question; its id, and in *ret_body the question, valid until the next. */
static uint64_t expect_question(struct puppet *p, struct ipc_link *notary, enum ipc_type type,
                                const ProtobufCMessage **ret_body)
{
    for (int i = 0; i < PATIENCE_MS / 5; i++) {
        struct ipc_msg m;
        lt_arena_reset(&p->arena);
        lt_res r = ipc_link_recv(notary, &p->arena, &m);
        if (!lt_failed(r)) {
            ipc_msg_done(&m);
            if (m.type == type) {
                *ret_body = m.body;
                return m.from.id;
            }
            continue;
        }
        assert_int_equal(r.code, LT_RETRY_AGAIN);
        (void)usleep(5000);
    }
    fail_msg("no %s came", ipc_type_info(type)->name);
    return 0;
}

static void answer(struct ipc_link *notary, uint64_t id, unsigned status, const char *body, bool more)
{
    static char type[] = "text/plain";
    Ipc__HttpResponse m = IPC__HTTP_RESPONSE__INIT;
    m.status = status;
    m.content_type = type;
    m.body = (ProtobufCBinaryData){strlen(body), (uint8_t *)(uintptr_t)body};
    m.more = more;
    assert_ok(ipc_link_send(notary, IPC_HTTP_RESPONSE, id, &m.base, NULL, 0));
}

/* Days of its seven that are over already. */
static int certificate_age;

static lt_slice make_certificate(lt_slice spki, const char *host, struct lt_arena *a)
{
    const uint8_t *at = spki.ptr;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)spki.len);
    X509 *cert = X509_new();
    char san[80];
    (void)snprintf(san, sizeof san, "DNS:%s", host);
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san);
    assert_true(key != NULL && cert != NULL && ext != NULL);
    assert_true(X509_set_version(cert, 2) == 1 && ASN1_INTEGER_set(X509_get_serialNumber(cert), 7) == 1);
    (void)X509_gmtime_adj(X509_getm_notBefore(cert), -60 - certificate_age * 86400);
    (void)X509_gmtime_adj(X509_getm_notAfter(cert), (7 - certificate_age) * 86400);
    assert_true(X509_set_pubkey(cert, key) == 1 && X509_add_ext(cert, ext, -1) == 1);
    assert_true(X509_sign(cert, issuer_key, EVP_sha256()) > 0);
    uint8_t *der = NULL;
    int len = i2d_X509(cert, &der);
    lt_slice copy = lt_arena_copy(a, LT_SLICE(der, (size_t)len));
    OPENSSL_free(der);
    X509_EXTENSION_free(ext);
    X509_free(cert);
    EVP_PKEY_free(key);
    return copy;
}

/* Answers the question for a TLS certificate: for that host, over the key that was asked for or another. */
static void certify(struct puppet *p, struct ipc_link *notary, const char *host, bool right_key)
{
    const ProtobufCMessage *body;
    uint64_t id = expect_question(p, notary, IPC_SERVICE_CERTIFICATE_REQUEST, &body);
    const Ipc__ServiceCertificateRequest *q = (const Ipc__ServiceCertificateRequest *)(const void *)body;
    struct lt_arena a;
    uint8_t other[256];
    uint8_t *at = other;
    lt_slice spki = LT_SLICE(q->spki.data, q->spki.len);
    if (!right_key) {
        spki = LT_SLICE(other, (size_t)i2d_PUBKEY(issuer_key, &at));
    }
    lt_arena_init(&a, 65536);
    lt_slice der = make_certificate(spki, host, &a);
    Ipc__ServiceCertificate m = IPC__SERVICE_CERTIFICATE__INIT;
    m.certificate = (ProtobufCBinaryData){der.len, (uint8_t *)(uintptr_t)der.ptr};
    assert_ok(ipc_link_send(notary, IPC_SERVICE_CERTIFICATE, id, &m.base, NULL, 0));
    lt_arena_done(&a);
}

/* Within so long. */
static bool hears(struct puppet *p, struct ipc_link *notary, enum ipc_type type, int ms)
{
    bool heard = puppet_heard(p, notary, type);
    for (; !heard && ms > 0; ms -= 10) {
        (void)usleep(10000);
        heard = puppet_heard(p, notary, type);
    }
    return heard;
}

/* Until the gateway says of itself that it can serve. */
static void wait_healthy(void)
{
    for (int i = 0; i < PATIENCE_MS / 20; i++) {
        char *text;
        unsigned status = fetch(OPERATOR, "GET", "/healthz", "", &text);
        free(text);
        if (status == 200) {
            return;
        }
        (void)usleep(20000);
    }
    fail_msg("the gateway never became healthy");
}

static void start(struct puppet *p, struct ipc_link **ret_notary)
{
    puppet_start(p, IPC_GATEWAY);
    *ret_notary = puppet_link(p, IPC_NOTARY, 0);
}

static void finish(struct puppet *p, struct ipc_link *notary)
{
    puppet_drain(p);
    ipc_link_free(notary);
}

/* First in the list: later tests have its certificate. */
static void test_own_certificate(void **state)
{
    (void)state;
    struct puppet p;
    struct ipc_link *notary;
    char path[160];
    char *text;
    struct stat st;
    puppet_start(&p, IPC_GATEWAY);
    assert_int_equal(fetch(HTTP, "GET", "/healthz", "", &text), 503);
    assert_non_null(strstr(text, "no notary"));
    free(text);
    notary = puppet_link(&p, IPC_NOTARY, 0);
    certify(&p, notary, "localhost", false); /* not over its key: never used, asked again */
    certify(&p, notary, "other.example", true);
    assert_int_equal(fetch(HTTP, "GET", "/healthz", "", &text), 503);
    assert_non_null(strstr(text, "no TLS certificate"));
    free(text);
    certify(&p, notary, "localhost", true);
    wait_healthy();
    assert_int_equal(fetch(HTTPS, "GET", "/healthz", "", &text), 200);
    free(text);
    (void)snprintf(path, sizeof path, "%s/ca/tls/gateway-0.key", puppet_folder);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    finish(&p, notary);
    start(&p, &notary); /* a restart needs nobody */
    wait_healthy();
    assert_false(puppet_heard(&p, notary, IPC_SERVICE_CERTIFICATE_REQUEST));
    finish(&p, notary);
    assert_int_equal(truncate(path, 10), 0); /* a spoilt key is made anew */
    start(&p, &notary);
    certify(&p, notary, "localhost", true);
    wait_healthy();
    finish(&p, notary);
}

static void test_routes(void **state)
{
    (void)state;
    enum { ASKED = 1 };
    static const struct {
        const char *path;
        unsigned status[SOCKETS]; /* ASKED: a notary's to answer */
    } rows[] = {
        {"/acme/directory", {ASKED, 404, 404, 404}},
        {"/acme/x/y?z", {ASKED, 404, 404, 404}},
        {"/acme/renewal-info/AA.AA", {503, 404, 404, 404}}, /* no publisher has written anything */
        {"/acme", {404, 404, 404, 404}},
        {"/api/v1/status", {404, 404, ASKED, ASKED}},
        {"/console/", {404, 404, 200, 404}},
        {"/console", {404, 404, 308, 404}},
        {"/console/incidents/7", {404, 404, 200, 404}}, /* a page of the program in the browser */
        {"/api/v1/live/x", {404, 404, ASKED, ASKED}},
        {"/console/none.js", {404, 404, 404, 404}},
        {"/console/../metrics", {400, 400, 400, 400}},
        {"/metrics", {404, 404, 200, 200}},
        {"/healthz", {200, 200, 200, 200}},
        {"/crl/none.crl", {404, 404, 404, 404}},
        {"/ca/tls.crt", {200, 200, 404, 404}},
        {"/", {ASKED, 308, 308, 404}},
        {"/problem", {ASKED, 308, 404, 404}}, /* without TLS pages for people lead to where there is some */
        {"/problem/0123456789abcdef", {ASKED, 404, 404, 404}},
        {"/status.json", {ASKED, 404, 404, 404}},
        {"/metrics/", {404, 404, 404, 404}},
        {"/healthz/x", {404, 404, 404, 404}},
        {"/ca/", {404, 404, 404, 404}},
        {"/acme/%2e%2e/metrics", {400, 400, 400, 400}},
        /* what a test CA alone has */
        {"/dir", {404, 404, 404, 404}},
        {"/roots/0", {404, 404, 404, 404}},
        {"/intermediates/0", {404, 404, 404, 404}},
        {"/root-keys/0", {404, 404, 404, 404}},
        {"/intermediate-keys/0", {404, 404, 404, 404}},
        {"/cert-status-by-serial/01", {404, 404, 404, 404}},
        {"/set-renewal-info/", {404, 404, 404, 404}},
    };
    struct puppet p;
    struct ipc_link *notary;
    start(&p, &notary);
    wait_healthy();
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        for (int l = 0; l < SOCKETS; l++) {
            struct client c;
            client_open(&c, l);
            client_get(&c, "GET", rows[i].path, "");
            if (rows[i].status[l] == ASKED) {
                const ProtobufCMessage *body;
                uint64_t id = expect_question(&p, notary, IPC_HTTP_REQUEST, &body);
                const Ipc__HttpRequest *q = (const Ipc__HttpRequest *)(const void *)body;
                assert_int_equal(strncmp(q->path, rows[i].path, strlen(q->path)), 0);
                static const char *const names[] = {"https", "http", "operator", "api"};
                assert_string_equal(q->listener, names[l]);
                assert_int_equal(q->has_peer, l == API);
                assert_true(l != API || (q->peer_uid == getuid() && q->peer_pid == (uint32_t)getpid()));
                assert_string_equal(q->remote_address, l == API ? "" : "127.0.0.1");
                answer(notary, id, 200, "asked", false);
            }
            unsigned expected = rows[i].status[l] == ASKED ? 200 : rows[i].status[l];
            unsigned status = client_read(&c);
            if (status != expected) {
                print_error("%s on %d: %u\n", rows[i].path, l, status);
            }
            assert_int_equal(status, expected);
            client_close(&c);
        }
    }
    assert_false(puppet_heard(&p, notary, IPC_HTTP_REQUEST));
    finish(&p, notary);
}

/* Asks on the operator's listener with that Host and those fields; the status, or ASKED where a notary was
 * asked (and in *ret_q what). */
static unsigned browse(struct puppet *p, struct ipc_link *notary, const char *method, const char *head,
                       const Ipc__HttpRequest **ret_q)
{
    struct client c;
    char text[1024];
    client_open(&c, OPERATOR);
    (void)snprintf(text, sizeof text, "%s /api/v1/status HTTP/1.1\r\nConnection: close\r\n%s\r\n", method,
                   head);
    client_say(&c, text);
    unsigned status = 0;
    if (ret_q != NULL) {
        const ProtobufCMessage *body;
        uint64_t id = expect_question(p, notary, IPC_HTTP_REQUEST, &body);
        *ret_q = (const Ipc__HttpRequest *)(const void *)body;
        answer(notary, id, 200, "asked", false);
    }
    status = client_read(&c);
    client_close(&c);
    return status;
}

/* What no page of another site gets through, and what a notary is told of a browser. */
static void test_browsers(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        unsigned status; /* 200: a notary is asked */
        const char *host;
        const char *session;
        bool script;
    } rows[] = {
        {"Host: localhost:14001\r\n", 200, "localhost", "", false},
        {"Host: LocalHost\r\n", 200, "localhost", "", false},
        {"Host: 127.0.0.1:9\r\n", 200, "127.0.0.1", "", false},
        {"Host: [::1]:14001\r\n", 200, "[::1]", "", false},
        {"Host: evil.example\r\n", 421, NULL, NULL, false},
        {"Host: localhost.evil.example\r\n", 421, NULL, NULL, false},
        {"Host: localhost:x\r\n", 421, NULL, NULL, false},
        {"Host: 127.0.0.2\r\n", 421, NULL, NULL, false},
        {"Host: localhost\r\nSec-Fetch-Site: same-origin\r\n", 200, "localhost", "", false},
        {"Host: localhost\r\nSec-Fetch-Site: none\r\n", 200, "localhost", "", false},
        {"Host: localhost\r\nSec-Fetch-Site: cross-site\r\n", 403, NULL, NULL, false},
        {"Host: localhost\r\nSec-Fetch-Site: same-site\r\n", 403, NULL, NULL, false},
        {"Host: localhost:1\r\nOrigin: http://localhost:1\r\n", 200, "localhost", "", false},
        {"Host: localhost:1\r\nOrigin: http://localhost:2\r\n", 403, NULL, NULL, false},
        {"Host: localhost:1\r\nOrigin: null\r\n", 403, NULL, NULL, false},
        {"Host: localhost\r\nCookie: a=b; lintel_session=XyZ\r\n", 200, "localhost", "XyZ", false},
        {"Host: localhost\r\nCookie: lintel_session=A; lintel_session=B\r\n", 200, "localhost", "", false},
        {"Host: localhost\r\nX-Lintel: 1\r\n", 200, "localhost", "", true},
    };
    struct puppet p;
    struct ipc_link *notary;
    start(&p, &notary);
    wait_healthy();
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        const Ipc__HttpRequest *q = NULL;
        unsigned status = browse(&p, notary, "GET", rows[i].head, rows[i].status == 200 ? &q : NULL);
        if (status != rows[i].status) {
            print_error("%s: %u\n", rows[i].head, status);
        }
        assert_int_equal(status, rows[i].status);
        if (q != NULL) {
            assert_string_equal(q->host, rows[i].host);
            assert_string_equal(q->session, rows[i].session);
            assert_int_equal(q->asked_by_script, rows[i].script);
            assert_int_equal(q->client_spki_sha256.len, 0);
            assert_false(q->secure);
        }
    }
    assert_false(puppet_heard(&p, notary, IPC_HTTP_REQUEST));
    finish(&p, notary);
}

static X509 *client_certificate(void)
{
    X509 *cert = X509_new();
    assert_true(X509_set_version(cert, 2) == 1 && ASN1_INTEGER_set(X509_get_serialNumber(cert), 7) == 1);
    (void)X509_gmtime_adj(X509_getm_notBefore(cert), -86400 * 2);
    (void)X509_gmtime_adj(X509_getm_notAfter(cert), -86400); /* long over: only the key counts */
    assert_true(X509_set_pubkey(cert, issuer_key) == 1 && X509_sign(cert, issuer_key, EVP_sha256()) > 0);
    return cert;
}

/* The same port by TLS, with and without a client's certificate; nobody asks for one on the public port. */
static void test_operator_tls(void **state)
{
    (void)state;
    struct puppet p;
    struct ipc_link *notary;
    uint8_t spki[256];
    uint8_t want[32];
    uint8_t *at = spki;
    X509 *cert = client_certificate();
    lt_slice der = LT_SLICE(spki, (size_t)i2d_PUBKEY(issuer_key, &at));
    assert_int_equal(EVP_Digest(der.ptr, der.len, want, NULL, EVP_sha256(), NULL), 1);
    start(&p, &notary);
    wait_healthy();
    for (int shows = 0; shows < 2; shows++) {
        struct client c;
        const ProtobufCMessage *body;
        client_open(&c, OPERATOR);
        c.ctx = SSL_CTX_new(TLS_client_method());
        if (shows) {
            assert_true(SSL_CTX_use_certificate(c.ctx, cert) == 1 &&
                        SSL_CTX_use_PrivateKey(c.ctx, issuer_key) == 1);
        }
        c.ssl = SSL_new(c.ctx);
        assert_true(SSL_set_fd(c.ssl, c.fd) == 1 && SSL_connect(c.ssl) == 1);
        client_get(&c, "GET", "/api/v1/status", "");
        uint64_t id = expect_question(&p, notary, IPC_HTTP_REQUEST, &body);
        const Ipc__HttpRequest *q = (const Ipc__HttpRequest *)(const void *)body;
        assert_true(q->secure);
        assert_int_equal(q->client_spki_sha256.len, shows ? sizeof want : 0);
        assert_true(!shows || memcmp(q->client_spki_sha256.data, want, sizeof want) == 0);
        answer(notary, id, 200, "asked", false);
        assert_int_equal(client_read(&c), 200);
        client_close(&c);
    }
    X509_free(cert);
    finish(&p, notary);
}

/* An address that is not this machine's own. */
static void test_tls_only(void **state)
{
    (void)state;
    struct puppet p;
    struct ipc_link *notary;
    char *text;
    puppet_listeners[OPERATOR].address = "192.0.2.1:14001";
    start(&p, &notary);
    assert_int_equal(fetch(OPERATOR, "GET", "/metrics", "", &text), 400);
    assert_non_null(strstr(text, "only TLS"));
    assert_null(strstr(text, "lintel_test_total"));
    free(text);
    finish(&p, notary);
    puppet_listeners[OPERATOR].address = "127.0.0.1:1";
}

/* Reads until the text holds that; the whole text so far. */
static const char *read_until(struct client *c, const char *want)
{
    while (strstr(c->in, want) == NULL) {
        ssize_t n = recv(c->fd, c->in + c->in_len, ANSWER_MAX - c->in_len, 0);
        if (n <= 0) {
            fail_msg("the stream ended, or nothing came: %s", c->in);
        }
        c->in_len += (size_t)n;
        c->in[c->in_len] = 0;
    }
    return c->in;
}

static unsigned occurrences(const char *text, const char *want)
{
    unsigned n = 0;
    for (const char *at = strstr(text, want); at != NULL; at = strstr(at + 1, want)) {
        n++;
    }
    return n;
}

/* *ret_document: it asks for the document, and not only who it is. */
static uint64_t expect_judged(struct puppet *p, struct ipc_link *notary, char ret_session[32],
                              bool *ret_document)
{
    const ProtobufCMessage *body;
    uint64_t id = expect_question(p, notary, IPC_HTTP_REQUEST, &body);
    const Ipc__HttpRequest *q = (const Ipc__HttpRequest *)(const void *)body;
    *ret_document = strcmp(q->path, "/api/v1/live") == 0;
    assert_true(*ret_document || strcmp(q->path, "/api/v1/session") == 0);
    (void)snprintf(ret_session, 32, "%s", q->session);
    return id;
}

static uint64_t expect_live(struct puppet *p, struct ipc_link *notary, char ret_session[32])
{
    bool document = false;
    uint64_t id = expect_judged(p, notary, ret_session, &document);
    while (!document) {
        answer(notary, id, 200, "{}", false);
        id = expect_judged(p, notary, ret_session, &document);
    }
    return id;
}

static void live_open(struct client *c, const char *session)
{
    char cookie[80];
    (void)snprintf(cookie, sizeof cookie, "Cookie: lintel_session=%s\r\n", session);
    client_open(c, OPERATOR);
    client_get(c, "GET", "/api/v1/live", cookie);
}

static void answer_until(struct ipc_link *notary, uint64_t id, const char *json, int64_t until_us)
{
    static char name[] = "Lintel-Session-Until";
    char value[24];
    Ipc__HttpHeader header = IPC__HTTP_HEADER__INIT;
    Ipc__HttpHeader *headers[] = {&header};
    Ipc__HttpResponse m = IPC__HTTP_RESPONSE__INIT;
    (void)snprintf(value, sizeof value, "%lld", (long long)until_us);
    header.name = name;
    header.value = value;
    m.status = 200;
    m.headers = headers;
    m.n_headers = 1;
    m.body = (ProtobufCBinaryData){strlen(json), (uint8_t *)(uintptr_t)json};
    assert_ok(ipc_link_send(notary, IPC_HTTP_RESPONSE, id, &m.base, NULL, 0));
}

/* One question for two streams; what changed goes to both, what did not to nobody; a refusal, and the end of
 * a session, end one of them. */
static void test_live(void **state)
{
    (void)state;
    struct puppet p;
    struct ipc_link *notary;
    struct client a;
    struct client b;
    char who[32];
    start(&p, &notary);
    wait_healthy();
    live_open(&a, "A");
    answer(notary, expect_live(&p, notary, who), 200, "{\"now\":\"1\",\"x\":1}", false);
    assert_string_equal(who, "A");
    assert_non_null(strstr(read_until(&a, "\"x\":1}\n\n"), "Content-Type: text/event-stream"));
    live_open(&b, "B");
    char first[32];
    uint64_t id = expect_live(&p, notary, first);
    while (strcmp(first, "B") != 0) { /* a tick may come first */
        answer(notary, id, 200, "{\"now\":\"2\",\"x\":1}", false);
        id = expect_live(&p, notary, first);
    }
    answer(notary, id, 200, "{\"now\":\"3\",\n\"x\":2}", false);
    (void)read_until(&b, "data: {\"now\":\"3\",\ndata: \"x\":2}\n\n");
    (void)read_until(&a, "data: {\"now\":\"3\",\ndata: \"x\":2}\n\n");
    assert_int_equal(occurrences(a.in, "event: overview"), 2); /* not for the clock alone */
    bool seen[2] = {false, false};
    while (!seen[0] || !seen[1]) { /* they take turns in asking */
        id = expect_live(&p, notary, who);
        seen[who[0] - 'A'] = true;
        answer(notary, id, 200, "{\"now\":\"4\",\n\"x\":2}", false);
    }
    do {
        id = expect_live(&p, notary, who);
        answer(notary, id, strcmp(who, "A") == 0 ? 401 : 200, "{\"now\":\"5\",\n\"x\":2}", false);
    } while (strcmp(who, "A") != 0);
    (void)read_until(&a, "event: end\ndata: session\n\n");
    assert_int_equal(occurrences(a.in, "event: overview"), 2);
    answer_until(notary, expect_live(&p, notary, who), "{\"x\":3}", lt_now().us + 300000);
    assert_string_equal(who, "B");
    (void)read_until(&b, "data: {\"x\":3}\n\n");
    (void)read_until(&b, "event: end\ndata: session\n\n");
    assert_int_equal(occurrences(b.in, "Lintel-Session-Until"), 0);
    client_close(&a);
    client_close(&b);
    finish(&p, notary);
}

/* Answers whatever is asked until the client has read that. */
static void live_wait(struct puppet *p, struct ipc_link *notary, struct client *c, const char *want)
{
    for (int i = 0; strstr(c->in, want) == NULL; i++) {
        struct ipc_msg m;
        lt_arena_reset(&p->arena);
        if (!lt_failed(ipc_link_recv(notary, &p->arena, &m))) {
            ipc_msg_done(&m);
            answer(notary, m.from.id, 200, "{}", false);
        }
        ssize_t n = recv(c->fd, c->in + c->in_len, 4096, MSG_DONTWAIT);
        c->in_len += n > 0 ? (size_t)n : 0;
        c->in[c->in_len] = 0;
        if (n == 0 || i == PATIENCE_MS) {
            fail_msg("instead of \"%s\": %s", want, c->in);
        }
        if (n < 0) {
            (void)usleep(1000);
        }
    }
}

/* The last of many streams whose session was ended does not wait for its turn to ask for the document; and
 * who says who it is gets no document. */
static void test_live_is_judged(void **state)
{
    (void)state;
    enum { STREAMS = 12, TICKS_MOST = STREAMS / 2 };
    struct puppet p;
    struct ipc_link *notary;
    struct client c[STREAMS];
    bool document;
    bool over = false;
    char who[32];
    unsigned documents = 0;
    start(&p, &notary);
    wait_healthy();
    for (int i = 0; i < STREAMS; i++) {
        live_open(&c[i], i == STREAMS - 1 ? "last" : "S");
        live_wait(&p, notary, &c[i], "data: {}\n\n");
    }
    while (!over) {
        uint64_t id = expect_judged(&p, notary, who, &document);
        documents += document ? 1 : 0;
        over = strcmp(who, "last") == 0 && !document;
        answer(notary, id, over ? 401 : 200, document ? "{}" : "{\"operator\":\"x\"}", false);
    }
    (void)read_until(&c[STREAMS - 1], "event: end\ndata: session\n\n");
    assert_true(documents <= TICKS_MOST);
    for (int i = 0; i < STREAMS; i++) {
        assert_null(strstr(c[i].in, "operator"));
        client_close(&c[i]);
    }
    finish(&p, notary);
}

/* So many and no more; who leaves makes room; what is refused is an answer like any other; a drain ends all.
 */
static void test_live_places(void **state)
{
    (void)state;
    enum { PLACES = 64 };
    struct puppet p;
    struct ipc_link *notary;
    static struct client c[PLACES];
    struct client late;
    char who[32];
    char *text;
    start(&p, &notary);
    wait_healthy();
    assert_int_equal(fetch(OPERATOR, "POST", "/api/v1/live", "", &text), 405);
    free(text);
    live_open(&late, "none");
    answer(notary, expect_live(&p, notary, who), 401, "no", false);
    assert_int_equal(client_read(&late), 401);
    client_close(&late);
    for (int i = 0; i < PLACES; i++) {
        live_open(&c[i], "S");
    }
    for (int i = 0; i < PLACES; i++) {
        live_wait(&p, notary, &c[i], "data: {}\n\n");
    }
    live_open(&late, "S");
    assert_int_equal(client_read(&late), 503);
    client_close(&late);
    client_close(&c[7]);
    (void)usleep(TICKS_MS * 1000);
    live_open(&c[7], "S7");
    live_wait(&p, notary, &c[7], "data: {}\n\n");
    finish(&p, notary);
    for (int i = 0; i < PLACES; i++) {
        (void)read_until(&c[i], "event: end\ndata: drain\n\n");
        client_close(&c[i]);
    }
}

static void post_page(struct puppet *p, struct ipc_link *notary, const char *method, const char *path,
                      bool asks)
{
    struct client c;
    client_open(&c, HTTPS);
    client_get(&c, method, path, "Accept: text/html,*/*\r\n");
    if (asks) {
        const ProtobufCMessage *body;
        answer(notary, expect_question(p, notary, IPC_HTTP_REQUEST, &body), 200, "asked", false);
    }
    assert_int_equal(client_read(&c), asks ? 200 : 429);
    assert_true(asks || (strstr(c.in, "retry-after: 10\r\n") != NULL &&
                         strstr(c.in, "Please wait a moment") != NULL));
    client_close(&c);
}

/* Who posts too much to pages that anybody may post to takes nothing from others, nor from ACME. */
static void test_share(void **state)
{
    (void)state;
    enum { BURST = 20 };
    struct puppet p;
    struct ipc_link *notary;
    start(&p, &notary);
    wait_healthy();
    client_address = "127.0.0.2";
    for (int i = 0; i < BURST; i++) {
        post_page(&p, notary, "POST", i % 2 == 0 ? "/problem" : "/key", true);
    }
    post_page(&p, notary, "POST", "/problem", false);
    post_page(&p, notary, "POST", "/problem/abcdefghijklmnop", false); /* of one address it is all one */
    post_page(&p, notary, "GET", "/problem", true);
    post_page(&p, notary, "POST", "/acme/new-order", true);
    client_address = "127.0.0.3";
    post_page(&p, notary, "POST", "/problem", true);
    client_address = "127.0.0.1";
    assert_false(puppet_heard(&p, notary, IPC_HTTP_REQUEST));
    finish(&p, notary);
}

/* Four at a time: the others wait for them, one behind the other; ACME does not. */
static void test_forms_wait(void **state)
{
    (void)state;
    enum { ASKED = 4, CLIENTS = 6 };
    struct puppet p;
    struct ipc_link *notary;
    struct client c[CLIENTS];
    uint64_t ids[CLIENTS];
    const ProtobufCMessage *body;
    start(&p, &notary);
    wait_healthy();
    for (int i = 0; i < CLIENTS; i++) {
        char path[32];
        client_open(&c[i], HTTPS);
        (void)snprintf(path, sizeof path, "/problem/%d", i);
        client_get(&c[i], "POST", path, "");
        if (i < ASKED) {
            ids[i] = expect_question(&p, notary, IPC_HTTP_REQUEST, &body);
        }
    }
    post_page(&p, notary, "POST", "/acme/new-order", true);
    assert_false(hears(&p, notary, IPC_HTTP_REQUEST, TICKS_MS));
    for (int i = 0; i < CLIENTS; i++) {
        answer(notary, ids[i], 200, "asked", false);
        assert_int_equal(client_read(&c[i]), 200);
        client_close(&c[i]);
        if (i + ASKED < CLIENTS) {
            ids[i + ASKED] = expect_question(&p, notary, IPC_HTTP_REQUEST, &body);
            const char *path = ((const Ipc__HttpRequest *)(const void *)body)->path;
            assert_int_equal(path[strlen("/problem/")], '0' + i + ASKED);
        }
    }
    finish(&p, notary);
}

static void put_file(const char *name, const char *content)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/ca/public/%s", puppet_folder, name);
    assert_ok(lt_file_replace(AT_FDCWD, path, 0644, lt_slice_cstr(content)));
}

/* Another file with the mtime of the old one, as the publisher leaves two CRLs of one second. */
static void replace_in_the_same_second(const char *name, const char *content)
{
    char path[256];
    struct stat st;
    (void)snprintf(path, sizeof path, "%s/ca/public/%s", puppet_folder, name);
    assert_int_equal(stat(path, &st), 0);
    put_file(name, content);
    const struct timespec times[2] = {st.st_mtim, st.st_mtim};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void header_of(const char *text, const char *name, char ret_value[128])
{
    const char *at = strstr(text, name);
    assert_non_null(at);
    at += strlen(name);
    (void)snprintf(ret_value, 128, "%.*s", (int)strcspn(at, "\r"), at);
}

static void test_files(void **state)
{
    (void)state;
    static const char *const missing[] = {
        "/crl/.crl",           "/crl/tls.crt",   "/crl/tls",          "/ca/tls.crl",
        "/crl/link.crl",       "/crl/dir.crl",   "/crl/a/b.crl",      "/crl/..crl",
        "/crl/%74ls.crl",      "/crl/tls.crl/",  "/crl/tls..crl.crl", "/crl/tls/none.crl",
        "/crl/tls/7.crl.next", "/crl/tls/7",     "/crl/tls/7.crl/",   "/crl/linked/7.crl",
        "/crl/tls/link.crl",   "/crl/TLS/7.crl", "/crl/tls/x/7.crl",  "/ca/tls/7.crt"};
    struct puppet p;
    struct ipc_link *notary;
    char path[256];
    char *text;
    char etag[128];
    char modified[128];
    char extra[512];
    put_file("crl/tls.crl", "a CRL");
    (void)snprintf(path, sizeof path, "%s/ca/public/crl/link.crl", puppet_folder);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    (void)snprintf(path, sizeof path, "%s/ca/public/crl/dir.crl", puppet_folder);
    assert_int_equal(mkdir(path, 0755), 0);
    (void)snprintf(path, sizeof path, "%s/ca/public/crl/tls", puppet_folder);
    assert_int_equal(mkdir(path, 0755), 0);
    put_file("crl/tls/7.crl", "a part");
    put_file("crl/tls/7.crl.next", "not yet");
    (void)snprintf(path, sizeof path, "%s/ca/public/crl/tls/link.crl", puppet_folder);
    assert_int_equal(symlink("7.crl", path), 0);
    (void)snprintf(path, sizeof path, "%s/ca/public/crl/linked", puppet_folder);
    assert_int_equal(symlink("tls", path), 0);
    start(&p, &notary);
    wait_healthy();
    assert_int_equal(fetch(HTTP, "GET", "/crl/tls/7.crl", "", &text), 200);
    assert_non_null(strstr(text, "\r\n\r\na part"));
    free(text);
    assert_int_equal(fetch(HTTP, "GET", "/crl/tls.crl", "", &text), 200);
    assert_non_null(strstr(text, "Content-Type: application/pkix-crl\r\n"));
    assert_non_null(strstr(text, "cache-control: public, max-age=300\r\n"));
    assert_non_null(strstr(text, "\r\n\r\na CRL"));
    header_of(text, "etag: ", etag);
    header_of(text, "last-modified: ", modified);
    free(text);
    assert_int_equal(fetch(HTTP, "HEAD", "/crl/tls.crl", "", &text), 200);
    assert_non_null(strstr(text, "Content-Length: 5\r\n"));
    assert_null(strstr(text, "a CRL"));
    free(text);
    const struct {
        const char *name; /* with what comes before the value */
        const char *value;
        unsigned status;
    } conditions[] = {
        {"If-None-Match: ", etag, 304},
        {"If-None-Match: \"x\", W/", etag, 304},
        {"If-None-Match: ", "*", 304},
        {"If-None-Match: ", "\"x\"", 200},
        {"If-Modified-Since: ", modified, 304},
        {"If-Modified-Since: ", "Sun, 06 Nov 1994 08:49:37 GMT", 200},
        {"If-Modified-Since: ", "soon", 200},
        {"If-None-Match: \"x\"\r\nIf-Modified-Since: ", modified, 200},
    };
    for (size_t i = 0; i < LT_COUNT(conditions); i++) {
        (void)snprintf(extra, sizeof extra, "%s%s\r\n", conditions[i].name, conditions[i].value);
        assert_int_equal(fetch(HTTPS, "GET", "/crl/tls.crl", extra, &text), conditions[i].status);
        free(text);
    }
    replace_in_the_same_second("crl/tls.crl", "b CRL");
    (void)snprintf(extra, sizeof extra, "If-None-Match: %s\r\n", etag);
    assert_int_equal(fetch(HTTP, "GET", "/crl/tls.crl", extra, &text), 200);
    assert_non_null(strstr(text, "\r\n\r\nb CRL"));
    free(text);
    put_file("crl/tls.crl", "a newer CRL"); /* seen at once, under another tag */
    (void)snprintf(extra, sizeof extra, "If-None-Match: %s\r\n", etag);
    assert_int_equal(fetch(HTTP, "GET", "/crl/tls.crl", extra, &text), 200);
    assert_non_null(strstr(text, "a newer CRL"));
    free(text);
    assert_int_equal(fetch(HTTP, "POST", "/crl/tls.crl", "", &text), 405);
    free(text);
    for (size_t i = 0; i < LT_COUNT(missing); i++) {
        assert_int_equal(fetch(HTTP, "GET", missing[i], "", &text), 404);
        free(text);
    }
    finish(&p, notary);
}

static void test_answers(void **state)
{
    (void)state;
    struct puppet p;
    struct ipc_link *notary;
    struct client c;
    const ProtobufCMessage *body;
    start(&p, &notary);
    struct ipc_link *liar = puppet_link(&p, IPC_NOTARY, 1);
    wait_healthy();
    client_open(&c, HTTPS); /* in parts, while another notary guesses */
    client_get(&c, "GET", "/acme/x", "");
    uint64_t id = 0;
    struct ipc_link *asked = notary;
    for (int i = 0; i < PATIENCE_MS / 2 && id == 0; i++) { /* either may be asked */
        struct ipc_msg m;
        asked = i % 2 == 0 ? notary : liar;
        lt_arena_reset(&p.arena);
        if (!lt_failed(ipc_link_recv(asked, &p.arena, &m))) {
            id = m.type == IPC_HTTP_REQUEST ? m.from.id : 0;
            ipc_msg_done(&m);
        } else {
            (void)usleep(2000);
        }
    }
    assert_true(id != 0);
    answer(asked == notary ? liar : notary, id, 200, "a lie", false);
    answer(asked, id ^ 2048, 200, "another lie", false);
    wait_healthy(); /* both were read by now */
    answer(asked, id, 200, "one,", true);
    answer(asked, id, 200, "two,", true);
    answer(asked, id, 200, "three", false);
    answer(asked, id, 200, "four", false); /* nobody asked for more */
    assert_int_equal(client_read(&c), 200);
    assert_non_null(strstr(c.in, "4\r\none,\r\n4\r\ntwo,\r\n5\r\nthree\r\n0\r\n\r\n"));
    assert_null(strstr(c.in, "lie"));
    client_close(&c);
    ipc_link_free(liar);
    wait_healthy();
    client_open(&c, API); /* larger than a datagram */
    client_get(&c, "GET", "/api/v1/x", "");
    id = expect_question(&p, notary, IPC_HTTP_REQUEST, &body);
    char *large = malloc(1000001);
    memset(large, 'x', 1000000);
    large[1000000] = 0;
    answer(notary, id, 200, large, false);
    assert_int_equal(client_read(&c), 200);
    assert_true(c.in_len > 1000000 && memcmp(c.in + c.in_len - 1000000, large, 1000000) == 0);
    free(large);
    client_close(&c);
    finish(&p, notary);
}

/* A line end in a header would be a second answer; status and count have limits too. */
static void test_bad_answers(void **state)
{
    (void)state;
    static const struct {
        unsigned status;
        const char *name;
        const char *value;
    } rows[] = {
        {200, "x-a", "b\r\nx-c: d"},
        {200, "x a", "b"},
        {200, "content-length", "5"},
        {200, "Transfer-Encoding", "chunked"},
        {99, "x-a", "b"},
        {1000, "x-a", "b"},
        {0, "x-a", "b"},
    };
    struct puppet p;
    struct ipc_link *notary;
    const ProtobufCMessage *body;
    start(&p, &notary);
    wait_healthy();
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct client c;
        Ipc__HttpHeader h = IPC__HTTP_HEADER__INIT;
        Ipc__HttpHeader *list[] = {&h};
        Ipc__HttpResponse m = IPC__HTTP_RESPONSE__INIT;
        h.name = (char *)(uintptr_t)rows[i].name;
        h.value = (char *)(uintptr_t)rows[i].value;
        m.status = rows[i].status;
        m.n_headers = 1;
        m.headers = list;
        client_open(&c, HTTPS);
        client_get(&c, "GET", "/acme/x", "");
        uint64_t id = expect_question(&p, notary, IPC_HTTP_REQUEST, &body);
        assert_ok(ipc_link_send(notary, IPC_HTTP_RESPONSE, id, &m.base, NULL, 0));
        assert_int_equal(client_read(&c), 500);
        assert_null(strstr(c.in, "x-c"));
        client_close(&c);
    }
    finish(&p, notary);
}

static void test_notary_dies(void **state)
{
    (void)state;
    struct puppet p;
    struct ipc_link *first;
    struct client c;
    struct client begun;
    const ProtobufCMessage *body;
    start(&p, &first);
    wait_healthy();
    client_open(&c, HTTPS);
    client_open(&begun, API);
    client_get(&c, "POST", "/acme/x", "Content-Length: 0\r\n");
    (void)expect_question(&p, first, IPC_HTTP_REQUEST, &body);
    client_get(&begun, "GET", "/api/v1/x", "");
    answer(first, expect_question(&p, first, IPC_HTTP_REQUEST, &body), 200, "one,", true);
    struct ipc_link *second = puppet_link(&p, IPC_NOTARY, 1);
    wait_healthy();
    ipc_link_free(first); /* what was asked is asked again, once; what was begun is cut */
    uint64_t id = expect_question(&p, second, IPC_HTTP_REQUEST, &body);
    assert_int_equal(client_read(&begun), 200);
    assert_null(strstr(begun.in, "0\r\n\r\n"));
    answer(second, id, 201, "late", false);
    assert_int_equal(client_read(&c), 201);
    client_close(&c);
    client_close(&begun);
    client_open(&c, HTTPS);
    client_get(&c, "GET", "/acme/x", "");
    (void)expect_question(&p, second, IPC_HTTP_REQUEST, &body);
    ipc_link_free(second); /* nobody is left */
    assert_int_equal(client_read(&c), 503);
    assert_non_null(strstr(c.in, "retry-after: 1\r\n"));
    client_close(&c);
    char *text;
    assert_int_equal(fetch(HTTPS, "GET", "/acme/x", "", &text), 503);
    free(text);
    assert_int_equal(fetch(HTTP, "GET", "/ca/tls.crt", "", &text), 200); /* files need nobody */
    free(text);
    puppet_drain(&p);
}

/* Two thirds of its life are over: a new one is asked for while the old one serves; but not without end. */
static void test_renewal(void **state)
{
    (void)state;
    static const struct {
        int age;
        bool due;
    } rows[] = {{6, true}, {4, false}, {5, true}};
    struct puppet p;
    struct ipc_link *notary;
    char path[160];
    (void)snprintf(path, sizeof path, "%s/ca/tls/gateway-0.pem", puppet_folder);
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        assert_int_equal(unlink(path), 0);
        start(&p, &notary);
        certificate_age = rows[i].age;
        certify(&p, notary, "localhost", true);
        wait_healthy();
        assert_false(hears(&p, notary, IPC_SERVICE_CERTIFICATE_REQUEST, TICKS_MS));
        finish(&p, notary);
        start(&p, &notary);
        wait_healthy(); /* with the one it has */
        assert_int_equal(
            hears(&p, notary, IPC_SERVICE_CERTIFICATE_REQUEST, rows[i].due ? PATIENCE_MS : TICKS_MS),
            rows[i].due);
        finish(&p, notary);
    }
    certificate_age = 8; /* expired: of no use */
    assert_int_equal(unlink(path), 0);
    start(&p, &notary);
    certify(&p, notary, "localhost", true);
    certificate_age = 0;
    certify(&p, notary, "localhost", true);
    wait_healthy();
    finish(&p, notary);
}

/* ---- renewal information: who asks at once waits for the publisher's next look ---- */

/* A file of one issuer (key 0x01 0x02) and at most one serial; looked at then. */
static void write_ari(const char *name, int64_t generation, const char *serial, int64_t looked_s)
{
    struct ca_ari_issuer issuer = {.len = 2, .key_id = {1, 2}};
    struct ca_ari_row row = {.serial_len = 1, .serial = {(uint8_t)serial[0]}, .start_s = 1000, .end_s = 2000};
    struct ca_ari_header head = ca_ari_head(generation, serial[0] != 0, 1, 0);
    char path[160];
    char fresh[170];
    (void)snprintf(path, sizeof path, "%s/ca/public/ari/%s", puppet_folder, name);
    (void)snprintf(fresh, sizeof fresh, "%s.new", path);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, &head, sizeof head), sizeof head);
    assert_int_equal(write(fd, &issuer, sizeof issuer), sizeof issuer);
    if (serial[0] != 0) {
        assert_int_equal(write(fd, &row, sizeof row), sizeof row);
    }
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = looked_s}};
    assert_int_equal(futimens(fd, times), 0);
    assert_int_equal(close(fd), 0);
    assert_int_equal(rename(fresh, path), 0);
}

static void remove_ari(const char *name)
{
    char path[160];
    (void)snprintf(path, sizeof path, "%s/ca/public/ari/%s", puppet_folder, name);
    assert_int_equal(unlink(path), 0);
}

#define CERTID(serial) "/acme/renewal-info/AQI." serial /* of a byte, in base64url */

static void test_renewal_information_waits(void **state)
{
    (void)state;
    enum { PAST = -3600, SOON = 3600 };
    struct puppet p;
    struct ipc_link *notary;
    struct client c;
    char path[160];
    char *text;
    int64_t now_s = lt_time_seconds(lt_now());
    (void)snprintf(path, sizeof path, "%s/ca/public/ari", puppet_folder);
    assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
    write_ari("base", 1, "A", now_s + PAST);
    write_ari("delta", 1, "", now_s + PAST);
    start(&p, &notary);
    wait_healthy();
    assert_int_equal(fetch(HTTPS, "GET", CERTID("QQ"), "", &text), 200); /* "A" is there: at once */
    free(text);
    assert_int_equal(fetch(HTTPS, "GET", "/acme/renewal-info/AQE.QQ", "", &text), 404); /* of another's key */
    free(text);
    client_open(&c, HTTPS);
    client_get(&c, "GET", CERTID("Qg"), "");
    (void)usleep(TICKS_MS * 1000);
    write_ari("delta", 1, "B", now_s + SOON);
    assert_int_equal(client_read(&c), 200); /* it was issued a moment ago */
    client_close(&c);
    client_open(&c, HTTPS);
    write_ari("delta", 1, "B", now_s + PAST);
    (void)usleep(TICKS_MS * 1000);
    client_get(&c, "GET", CERTID("Qw"), "");
    (void)usleep(TICKS_MS * 1000);
    write_ari("delta", 1, "B", now_s + SOON);
    assert_int_equal(client_read(&c), 404); /* looked again: there is none */
    client_close(&c);
    write_ari("delta", 2, "B", now_s + SOON); /* of a base that is not there yet: tells nothing */
    (void)usleep(TICKS_MS * 1000);
    assert_int_equal(fetch(HTTPS, "GET", CERTID("Qw"), "", &text), 503);
    assert_non_null(strstr(text, "retry-after: 10\r\n"));
    free(text);
    client_open(&c, HTTPS);
    client_get(&c, "GET", CERTID("Qw"), "");
    (void)usleep(TICKS_MS * 1000);
    client_close(&c); /* who leaves is forgotten */
    wait_healthy();
    finish(&p, notary);
    remove_ari("base");
    remove_ari("delta");
}

/* A request that was with two notaries when they died: its sender waits outside, others do not. */
static void test_poison(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        unsigned after;
    } rows[] = {{"127.0.0.1", 0}, {"127.0.0.2", 429}};
    struct puppet p;
    struct ipc_link *notary;
    start(&p, &notary);
    wait_healthy();
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct client c;
        const ProtobufCMessage *body;
        char *text;
        client_address = rows[i].address;
        client_open(&c, HTTPS);
        client_get(&c, "POST", "/acme/x", "Content-Length: 0\r\n");
        for (uint32_t k = 1; k <= 2; k++) {
            (void)expect_question(&p, notary, IPC_HTTP_REQUEST, &body);
            struct ipc_link *next = puppet_link(&p, IPC_NOTARY, k + 2 * (uint32_t)i);
            wait_healthy(); /* it knows the next one */
            ipc_link_free(LT_TAKE(notary, next));
        }
        assert_int_equal(client_read(&c), 503);
        client_close(&c);
        if (rows[i].after != 0) {
            assert_int_equal(fetch(HTTPS, "GET", "/acme/x", "", &text), rows[i].after);
            free(text);
        }
        client_address = "127.0.0.1";
        client_open(&c, HTTPS);
        client_get(&c, "GET", "/acme/x", "");
        answer(notary, expect_question(&p, notary, IPC_HTTP_REQUEST, &body), 200, "yes", false);
        assert_int_equal(client_read(&c), 200);
        client_close(&c);
    }
    finish(&p, notary);
}

/* One address cannot have all the places. */
static void test_one_address(void **state)
{
    (void)state;
    enum { PLACES = 128, ALL = PLACES + 2 };
    static struct client c[ALL];
    static uint64_t ids[PLACES];
    struct puppet p;
    struct ipc_link *notary;
    const ProtobufCMessage *body;
    char *text;
    start(&p, &notary);
    wait_healthy();
    client_address = "127.0.0.2";
    for (size_t i = 0; i < ALL; i++) {
        client_open(&c[i], HTTPS);
        client_get(&c[i], "GET", "/acme/x", "");
        if (i < PLACES) {
            ids[i] = expect_question(&p, notary, IPC_HTTP_REQUEST, &body);
        } else {
            assert_int_equal(client_read(&c[i]), 429);
        }
    }
    client_address = "127.0.0.3";
    assert_int_equal(fetch(HTTPS, "GET", "/healthz", "", &text), 200);
    free(text);
    for (size_t i = 0; i < PLACES; i++) {
        answer(notary, ids[i], 200, "yes", false);
        assert_int_equal(client_read(&c[i]), 200);
    }
    client_address = "127.0.0.2"; /* places that were given back */
    assert_int_equal(fetch(HTTPS, "GET", "/healthz", "", &text), 200);
    free(text);
    client_address = "127.0.0.1";
    for (size_t i = 0; i < ALL; i++) {
        client_close(&c[i]);
    }
    finish(&p, notary);
}

static void test_metrics(void **state)
{
    (void)state;
    struct puppet p;
    struct ipc_link *notary;
    char *text;
    start(&p, &notary);
    wait_healthy();
    assert_int_equal(fetch(OPERATOR, "GET", "/metrics", "", &text), 200);
    assert_non_null(strstr(text, "lintel_test_total{process=\"signer-0\",a=\"b\"} 42\n"));
    free(text);
    assert_int_equal(fetch(OPERATOR, "POST", "/metrics", "", &text), 405);
    free(text);
    set_registrars(0);
    assert_int_equal(fetch(OPERATOR, "GET", "/healthz", "", &text), 503);
    assert_non_null(strstr(text, "no registrar"));
    free(text);
    set_registrars(1);
    wait_healthy();
    finish(&p, notary);
}

/* Another configuration may name other hosts: a new certificate, and nobody notices. */
static void test_reload(void **state)
{
    (void)state;
    static char same[] = "x: 1\n";
    struct puppet p;
    struct ipc_link *notary;
    struct client c;
    const ProtobufCMessage *body;
    Ipc__Reload m = IPC__RELOAD__INIT;
    m.config_yaml = same;
    start(&p, &notary);
    wait_healthy();
    client_open(&c, HTTPS);
    assert_ok(ipc_link_send(p.control, IPC_RELOAD, 0, &m.base, NULL, 0));
    certify(&p, notary, "localhost", true);
    wait_healthy();
    client_get(&c, "GET", "/acme/x", ""); /* on the connection of before */
    answer(notary, expect_question(&p, notary, IPC_HTTP_REQUEST, &body), 200, "yes", false);
    assert_int_equal(client_read(&c), 200);
    client_close(&c);
    finish(&p, notary);
}

static void test_drain(void **state)
{
    (void)state;
    struct puppet p;
    struct ipc_link *notary;
    struct client c;
    const ProtobufCMessage *body;
    Ipc__Drain drain = IPC__DRAIN__INIT;
    start(&p, &notary);
    wait_healthy();
    client_open(&c, HTTPS);
    client_say(&c, "GET /acme/x HTTP/1.1\r\nHost: localhost\r\n\r\n");
    uint64_t id = expect_question(&p, notary, IPC_HTTP_REQUEST, &body);
    assert_ok(ipc_link_send(p.control, IPC_DRAIN, 0, &drain.base, NULL, 0));
    (void)usleep(300000); /* it has had time to leave, and has not */
    assert_true(puppet_alive(&p));
    answer(notary, id, 200, "the last", false);
    assert_int_equal(client_read(&c), 200);
    assert_non_null(strstr(c.in, "Connection: close\r\n"));
    client_close(&c);
    int status = -1;
    (void)puppet_expect(&p, p.control, IPC_DRAINED);
    assert_int_equal(waitpid(p.pid, &status, 0), p.pid);
    assert_int_equal(status, 0);
    ipc_link_free(p.control);
    lt_arena_done(&p.arena);
    ipc_link_free(notary);
}

int main(int argc, char **argv)
{
    LT_ASSERT(argc == 3);
    lintel = argv[1];
    puppet_libexec = argv[2];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_certificate),
        cmocka_unit_test(test_renewal),
        cmocka_unit_test(test_renewal_information_waits),
        cmocka_unit_test(test_routes),
        cmocka_unit_test(test_browsers),
        cmocka_unit_test(test_operator_tls),
        cmocka_unit_test(test_tls_only),
        cmocka_unit_test(test_live),
        cmocka_unit_test(test_live_is_judged),
        cmocka_unit_test(test_live_places),
        cmocka_unit_test(test_share),
        cmocka_unit_test(test_forms_wait),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_bad_answers),
        cmocka_unit_test(test_notary_dies),
        cmocka_unit_test(test_metrics),
        cmocka_unit_test(test_reload),
        cmocka_unit_test(test_poison),
        cmocka_unit_test(test_one_address),
        cmocka_unit_test(test_drain),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
