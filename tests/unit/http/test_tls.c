/* TLS: versions, protocols, resumption, a new certificate under open connections, and who never says hello.
 */
#include "rig.h"

#include <fcntl.h>
#include <unistd.h>

#define GOOD "GET /ok HTTP/1.1\r\nHost: a\r\n\r\n"

static void test_versions(void **state)
{
    (void)state;
    static const struct {
        int version;
        bool good;
    } rows[] = {
        {TLS1_VERSION, false}, {TLS1_1_VERSION, false}, {TLS1_2_VERSION, true}, {TLS1_3_VERSION, true}};
    struct rig r;
    rig_init(&r, HTTP_LISTEN_TLS, NULL);
    SSL_CTX_set_security_level(r.client_tls, 0); /* so that the client would speak the old ones */
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct client c;
        (void)SSL_CTX_set_min_proto_version(r.client_tls, rows[i].version);
        (void)SSL_CTX_set_max_proto_version(r.client_tls, rows[i].version);
        assert_int_equal(client_tls(&c, &r, NULL), rows[i].good);
        if (rows[i].good) {
            client_say(&c, GOOD);
            client_read(&c);
            assert_int_equal(client_status(&c, 0), 200);
        }
        client_done(&c);
    }
    assert_int_equal(http_server_stats(r.server)->tls_handshakes, 2);
    assert_int_equal(http_server_stats(r.server)->tls_failed, 2);
    rig_done(&r);
}

static void test_alpn(void **state)
{
    (void)state;
    static const struct {
        const char *offer;
        bool good;
    } rows[] = {{NULL, true}, {"http/1.1", true}, {"h2", true}, {"spdy/3", false}};
    struct rig r;
    rig_init(&r, HTTP_LISTEN_TLS, NULL);
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct client c;
        assert_int_equal(client_tls(&c, &r, rows[i].offer), rows[i].good);
        const unsigned char *chosen = NULL;
        unsigned len = 0;
        SSL_get0_alpn_selected(c.ssl, &chosen, &len);
        assert_true(!rows[i].good || rows[i].offer == NULL ||
                    lt_slice_eq_cstr(LT_SLICE(chosen, len), rows[i].offer));
        client_done(&c);
    }
    rig_done(&r);
}

static void test_resumption(void **state)
{
    (void)state;
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    for (size_t i = 0; i < LT_COUNT(versions); i++) {
        struct rig r;
        struct client c;
        rig_init(&r, HTTP_LISTEN_TLS, NULL);
        (void)SSL_CTX_set_max_proto_version(r.client_tls, versions[i]);
        assert_true(client_tls(&c, &r, NULL));
        client_say(&c, GOOD);
        client_read(&c);
        SSL_SESSION *session = SSL_get1_session(c.ssl);
        (void)SSL_shutdown(c.ssl); /* else the client's library holds the session for broken */
        client_done(&c);
        client_init(&c, &r);
        c.ssl = SSL_new(r.client_tls);
        assert_true(SSL_set_fd(c.ssl, c.fd) == 1 && SSL_set_session(c.ssl, session) == 1);
        SSL_set_connect_state(c.ssl);
        for (int k = 0; k < 20 && SSL_do_handshake(c.ssl) != 1; k++) {
            rig_pump(&r);
        }
        client_say(&c, GOOD);
        client_read(&c);
        assert_int_equal(client_status(&c, 0), 200);
        assert_int_equal(SSL_session_reused(c.ssl), 1);
        assert_int_equal(http_server_stats(r.server)->tls_resumed, 1);
        SSL_SESSION_free(session);
        client_done(&c);
        rig_done(&r);
    }
}

/* An answer below 16 KiB is one record: head and body never wait for each other. */
static void test_one_record(void **state)
{
    (void)state;
    struct rig r;
    struct client c;
    rig_init(&r, HTTP_LISTEN_TLS, NULL);
    assert_true(client_tls(&c, &r, NULL));
    client_say(&c, GOOD);
    client_read(&c); /* with it the session ticket */
    c.in_len = 0;
    client_say(&c, GOOD);
    rig_pump(&r);
    uint8_t raw[4096];
    ssize_t n = recv(c.fd, raw, sizeof raw, MSG_PEEK);
    assert_true(n > 5 && raw[0] == SSL3_RT_APPLICATION_DATA);
    assert_int_equal(n, 5 + (raw[3] << 8 | raw[4]));
    client_done(&c);
    rig_done(&r);
}

static void test_new_certificate(void **state)
{
    (void)state;
    struct rig r;
    struct client old;
    struct client fresh;
    rig_init(&r, HTTP_LISTEN_TLS, NULL);
    assert_true(client_tls(&old, &r, NULL));
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    SSL_CTX *ctx;
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(cert), 2), 1);
    (void)X509_gmtime_adj(X509_getm_notBefore(cert), -60);
    (void)X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    assert_true(X509_set_pubkey(cert, key) == 1 && X509_sign(cert, key, EVP_sha256()) > 0);
    assert_ok(http_tls_context(&ctx));
    assert_true(SSL_CTX_use_certificate(ctx, cert) == 1 && SSL_CTX_use_PrivateKey(ctx, key) == 1);
    http_server_use_tls(r.server, ctx);
    assert_true(client_tls(&fresh, &r, NULL));
    X509 *seen = SSL_get1_peer_certificate(fresh.ssl);
    assert_int_equal(ASN1_INTEGER_get(X509_get_serialNumber(seen)), 2);
    client_say(&old, GOOD);
    client_say(&fresh, GOOD);
    client_read(&old);
    client_read(&fresh);
    assert_int_equal(client_status(&old, 0), 200);
    assert_int_equal(client_status(&fresh, 0), 200);
    X509_free(seen);
    X509_free(cert);
    EVP_PKEY_free(key);
    SSL_CTX_free(ctx);
    client_done(&old);
    client_done(&fresh);
    rig_done(&r);
}

static void test_no_hello(void **state)
{
    (void)state;
    static const char *const openings[] = {"", "\x16\x03\x01", GOOD};
    struct rig r;
    struct client c[LT_COUNT(openings)];
    rig_init(&r, HTTP_LISTEN_TLS, NULL);
    for (size_t i = 0; i < LT_COUNT(openings); i++) {
        client_init(&c[i], &r);
        client_say(&c[i], openings[i]);
    }
    client_read(&c[2]); /* plain HTTP on a TLS port ends at once */
    assert_true(c[2].closed);
    rig_wait(&r, 9000);
    assert_int_equal(http_server_stats(r.server)->open_public, 2);
    rig_wait(&r, 1500);
    assert_int_equal(http_server_stats(r.server)->open_public, 0);
    for (size_t i = 0; i < LT_COUNT(openings); i++) {
        client_done(&c[i]);
    }
    rig_done(&r);
}

static void test_times_inside_tls(void **state)
{
    (void)state;
    struct rig r;
    struct client c;
    rig_init(&r, HTTP_LISTEN_TLS, NULL);
    assert_true(client_tls(&c, &r, NULL));
    client_say(&c, "GET /o");
    rig_wait(&r, 10500);
    client_read(&c);
    assert_int_equal(client_status(&c, 0), 408);
    assert_true(c.closed);
    client_done(&c);
    rig_done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_versions),         cmocka_unit_test(test_alpn),
        cmocka_unit_test(test_resumption),       cmocka_unit_test(test_one_record),
        cmocka_unit_test(test_no_hello),         cmocka_unit_test(test_new_certificate),
        cmocka_unit_test(test_times_inside_tls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
