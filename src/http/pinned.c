/* Pinned TLS: the handshake proves possession of the key in the certificate; this file asks whose key it is.
 */
#include "http/pinned.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

static void free_bio(BIO **b)
{
    BIO_free_all(*b);
}
static void free_cert(X509 **c)
{
    X509_free(*c);
}
static void free_pkey(EVP_PKEY **k)
{
    EVP_PKEY_free(*k);
}
static void free_ctx(SSL_CTX **c)
{
    SSL_CTX_free(*c);
}

static lt_res openssl_refused(const char *what)
{
    char why[120] = "";
    ERR_error_string_n(ERR_peek_last_error(), why, sizeof why);
    ERR_clear_error();
    LT_FAIL(LT_STATE_CRYPTO, "%s: %s", what, why);
}

static bool pinned(const struct http_pins *pins, X509 *cert)
{
    unsigned char *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
    bool found = false;
    for (size_t i = 0; len > 0 && i < pins->count; i++) {
        found |= lt_slice_eq(LT_SLICE(der, (size_t)len), pins->spkis[i]);
    }
    OPENSSL_free(der);
    return found;
}

/* Takes the place of path validation. */
static int verify(X509_STORE_CTX *store, void *arg)
{
    X509 *cert = X509_STORE_CTX_get0_cert(store);
    bool good = cert != NULL && pinned(arg, cert);
    X509_STORE_CTX_set_error(store, good ? X509_V_OK : X509_V_ERR_CERT_UNTRUSTED);
    return good ? 1 : 0;
}

/* A frame for the key: TLS has no smaller one that every library speaks. */
static lt_res use_key(SSL_CTX *ctx, lt_slice pem)
{
    LT_CLEANUP(free_bio) BIO *in = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    LT_CLEANUP(free_pkey) EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
    LT_CLEANUP(free_cert) X509 *cert = X509_new();
    LT_ASSERT(cert != NULL);
    if (key == NULL) {
        return openssl_refused("private key");
    }
    X509_NAME *name = X509_get_subject_name(cert);
    bool good = X509_set_version(cert, X509_VERSION_3) == 1 &&
                ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) == 1 &&
                X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"lintel", -1, -1,
                                           0) == 1 &&
                X509_set_issuer_name(cert, name) == 1 &&
                ASN1_TIME_set_string(X509_getm_notBefore(cert), "20000101000000Z") == 1 &&
                ASN1_TIME_set_string(X509_getm_notAfter(cert), "99991231235959Z") == 1 &&
                X509_set_pubkey(cert, key) == 1 && X509_sign(cert, key, EVP_sha256()) > 0;
    if (!good || SSL_CTX_use_certificate(ctx, cert) != 1 || SSL_CTX_use_PrivateKey(ctx, key) != 1) {
        return openssl_refused("private key");
    }
    return LT_OK;
}

lt_res http_pinned_context(bool server, lt_slice key_pem, const struct http_pins *pins, SSL_CTX **ret_ctx)
{
    LT_CLEANUP(free_ctx) SSL_CTX *ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    LT_CHECK(ctx != NULL, LT_STATE_CRYPTO, "TLS: no context");
    bool good = SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1;
    (void)SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
    (void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(ctx, 1);
    (void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    good = good && SSL_CTX_set_num_tickets(ctx, 0) == 1;
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(ctx, verify, (void *)(uintptr_t)pins); /* only read */
    if (!good) {
        return openssl_refused("TLS");
    }
    LT_TRY(use_key(ctx, key_pem));
    *ret_ctx = LT_TAKE(ctx, NULL);
    return LT_OK;
}

void http_pinned_free(SSL_CTX *ctx)
{
    SSL_CTX_free(ctx);
}
