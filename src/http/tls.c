/* The TLS side of the server: versions and ciphers as OpenSSL's defaults have them, nothing below TLS 1.2. */
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "http/server.h"

/* The first protocol of ours that the client offers. */
static int select_protocol(SSL *ssl, const unsigned char **ret, unsigned char *ret_len,
                           const unsigned char *offered, unsigned offered_len, void *arg)
{
    (void)ssl;
    (void)arg;
    static const unsigned char ours[] = "\x02h2\x08http/1.1";
    unsigned char *chosen;
    int r = SSL_select_next_proto(&chosen, ret_len, ours, sizeof ours - 1, offered, offered_len);
    *ret = chosen;
    /*= RFC 7301 3.2 "the server SHALL respond with a fatal "no_application_protocol" alert" */
    return r == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

lt_res http_tls_context(SSL_CTX **ret_ctx)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    LT_CHECK(ctx != NULL, LT_STATE_CRYPTO, "TLS: no context");
    bool good = SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1;
    (void)SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                       SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                       SSL_OP_IGNORE_UNEXPECTED_EOF);
    (void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(ctx, 1); /* a record in one read instead of two */
    /* Tickets only: nothing to store, so nothing to fill up. One per connection is what a client uses. */
    (void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    good = good && SSL_CTX_set_num_tickets(ctx, 1) == 1;
    SSL_CTX_set_alpn_select_cb(ctx, select_protocol, NULL);
    if (!good) {
        SSL_CTX_free(ctx);
        ERR_clear_error();
        LT_FAIL(LT_STATE_CRYPTO, "TLS: a setting was refused");
    }
    *ret_ctx = ctx;
    return LT_OK;
}
