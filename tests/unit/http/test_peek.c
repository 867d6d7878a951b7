/* Looking at servers: the certificate as it is, whatever it is worth; and all the ways in which there is
 * none. */
#include "rig.h"

#include <arpa/inet.h>
#include <openssl/x509.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "http/peek.h"

struct told {
    size_t times;
    enum http_peek_outcome outcome;
    uint8_t der[8192];
    size_t der_len;
    char why[128];
};

static void told(void *arg, enum http_peek_outcome outcome, lt_slice der, const char *why)
{
    struct told *t = arg;
    t->times++;
    t->outcome = outcome;
    assert_true(der.len <= sizeof t->der);
    t->der_len = der.len;
    if (der.len > 0) {
        memcpy(t->der, der.ptr, der.len);
    }
    (void)snprintf(t->why, sizeof t->why, "%s", why);
}

static void look(struct rig *r, const char *name, int port, int timeout_ms, struct told *t)
{
    struct http_peek_options o = {.base = r->base, .name = name, .timeout_ms = timeout_ms};
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    memcpy(&o.address, &a, sizeof a);
    o.address_len = sizeof a;
    *t = (struct told){.times = 0};
    assert_ok(http_peek_context(&o.tls));
    (void)http_peek_new(&o, told, t);
    assert_int_equal(t->times, 0); /* never before it returns */
    while (t->times == 0) {
        assert_int_equal(event_base_loop(r->base, EVLOOP_ONCE), 0);
    }
    assert_int_equal(t->times, 1);
    http_peek_context_free(o.tls);
}

static void is_the_servers(struct rig *r, const struct told *t)
{
    unsigned char *der = NULL;
    int len = i2d_X509(SSL_CTX_get0_certificate(r->server_tls), &der);
    assert_int_equal(t->outcome, HTTP_PEEK_SERVED);
    assert_int_equal(t->der_len, len);
    assert_memory_equal(t->der, der, t->der_len);
    OPENSSL_free(der);
}

static void test_served(void **state)
{
    (void)state;
    static const int versions[] = {TLS1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION};
    for (size_t i = 0; i < LT_COUNT(versions); i++) {
        struct rig r;
        struct told t;
        rig_init(&r, HTTP_LISTEN_TLS, NULL);
        SSL_CTX_set_security_level(r.server_tls, 0);
        assert_int_equal(SSL_CTX_set_min_proto_version(r.server_tls, versions[i]), 1);
        assert_int_equal(SSL_CTX_set_max_proto_version(r.server_tls, versions[i]), 1);
        look(&r, "www.example.com", r.port, 5000, &t);
        is_the_servers(&r, &t);
        look(&r, NULL, r.port, 5000, &t); /* by address: no name is sent */
        is_the_servers(&r, &t);
        assert_int_equal(r.requests, 0);
        rig_done(&r);
    }
}

static int listening(int *ret_port)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t len = sizeof a;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0 && bind(fd, (const struct sockaddr *)&a, sizeof a) == 0 && listen(fd, 8) == 0 &&
                getsockname(fd, (struct sockaddr *)&a, &len) == 0);
    *ret_port = ntohs(a.sin_port);
    return fd;
}

static void test_nobody(void **state)
{
    (void)state;
    struct rig r;
    struct told t;
    int port = 0;
    rig_init(&r, HTTP_LISTEN_TLS, NULL);
    int fd = listening(&port);
    look(&r, "a", port, 40, &t); /* it accepts and says nothing */
    assert_int_equal(t.outcome, HTTP_PEEK_TIMEOUT);
    (void)close(fd);
    look(&r, "a", port, 5000, &t);
    assert_int_equal(t.outcome, HTTP_PEEK_REFUSED);
    assert_int_equal(t.der_len, 0);
    assert_true(t.why[0] != '\0');
    rig_done(&r);
}

static void on_client(evutil_socket_t fd, short what, void *arg)
{
    const char *says = arg;
    (void)what;
    int client = accept(fd, NULL, NULL);
    assert_true(client >= 0);
    assert_true(says == NULL || write(client, says, strlen(says)) == (ssize_t)strlen(says));
    (void)shutdown(client, SHUT_WR);
    uint8_t bytes[4096];
    while (recv(client, bytes, sizeof bytes, MSG_DONTWAIT) > 0) {
    }
    (void)close(client);
}

static void test_no_tls(void **state)
{
    (void)state;
    static char ssh[] = "SSH-2.0-OpenSSH_9.2\r\n";
    static char alert[] =
        "\x15\x03\x03\x00\x02\x02\x28"; /* fatal, handshake_failure: its NUL is cut: no matter */
    static const struct {
        char *says;
        enum http_peek_outcome outcome;
    } rows[] = {{ssh, HTTP_PEEK_NO_TLS}, {NULL, HTTP_PEEK_CLOSED}, {alert, HTTP_PEEK_CLOSED}};
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct rig r;
        struct told t;
        int port = 0;
        rig_init(&r, HTTP_LISTEN_TLS, NULL);
        int fd = listening(&port);
        struct event *e = event_new(r.base, fd, EV_READ | EV_PERSIST, on_client, rows[i].says);
        assert_true(e != NULL && event_add(e, NULL) == 0);
        look(&r, "a", port, 5000, &t);
        assert_true(t.outcome == rows[i].outcome ||
                    t.outcome == HTTP_PEEK_CLOSED); /* a reset may be faster */
        assert_int_equal(t.der_len, 0);
        event_free(e);
        (void)close(fd);
        rig_done(&r);
    }
}

static void test_words(void **state)
{
    (void)state;
    for (int i = 0; i < HTTP_PEEK_OUTCOMES; i++) {
        for (int k = 0; k < i; k++) {
            assert_string_not_equal(http_peek_word((enum http_peek_outcome)i),
                                    http_peek_word((enum http_peek_outcome)k));
        }
    }
    assert_string_equal(http_peek_word(HTTP_PEEK_SERVED), "served");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_served),
        cmocka_unit_test(test_nobody),
        cmocka_unit_test(test_no_tls),
        cmocka_unit_test(test_words),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
