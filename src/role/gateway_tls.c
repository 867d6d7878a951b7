/* The gateway's own TLS key: made here, never leaves this user, confers no authority. Its certificate is
 * asked of the family like any other, for 7 days, and again when two thirds of its life are over. A new one
 * takes the place of the old for new connections; those that are open go on.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "crypto/key.h"
#include "role/gateway.h"

/* After a reload: long enough for everybody else to have read the new configuration too. */
enum { RELOAD_WAIT_S = 2 };
/* Between two certificates, were they due at once: a wrong clock must not make us ask without end. */
enum { INTERVAL_MS = 60000 };
enum {
    FILE_MAX = 256 * 1024,
    CHAIN_MAX = 8,
    ANSWER_WAIT_MS = 10000,
    BACKOFF_FIRST_MS = 200,
    BACKOFF_MAX_MS = 30000
};

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

static lt_time time_of(const ASN1_TIME *t)
{
    struct tm tm = {0};
    return lt_time_from_seconds(ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : 0);
}

/* Leaf and chain of a PEM text into ctx; *ret_leaf is the caller's. */
static lt_res use_chain(SSL_CTX *ctx, lt_slice pem, X509 **ret_leaf)
{
    LT_CLEANUP(free_bio) BIO *in = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    LT_CLEANUP(free_cert) X509 *leaf = PEM_read_bio_X509(in, NULL, NULL, NULL);
    if (leaf == NULL || SSL_CTX_use_certificate(ctx, leaf) != 1) {
        return openssl_refused("certificate");
    }
    for (int i = 0; i < CHAIN_MAX; i++) {
        LT_CLEANUP(free_cert) X509 *issuer = PEM_read_bio_X509(in, NULL, NULL, NULL);
        if (issuer == NULL) {
            ERR_clear_error(); /* the end of the text */
            break;
        }
        if (SSL_CTX_add1_chain_cert(ctx, issuer) != 1) {
            return openssl_refused("chain");
        }
    }
    *ret_leaf = LT_TAKE(leaf, NULL);
    return LT_OK;
}

static lt_res use_key(SSL_CTX *ctx, lt_slice pem)
{
    LT_CLEANUP(free_bio) BIO *in = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    LT_CLEANUP(free_pkey) EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
    if (key == NULL || SSL_CTX_use_PrivateKey(ctx, key) != 1 || SSL_CTX_check_private_key(ctx) != 1) {
        return openssl_refused("private key");
    }
    return LT_OK;
}

static bool names_host(X509 *leaf, const char *host)
{
    return X509_check_host(leaf, host, 0, 0, NULL) == 1 || X509_check_ip_asc(leaf, host, 0) == 1;
}

/* New connections get this key and certificate from here on. */
static lt_res put_in_use(struct gateway *g, lt_slice key_pem, lt_slice cert_pem)
{
    struct gateway_tls *t = &g->tls;
    LT_CLEANUP(free_ctx) SSL_CTX *ctx = NULL;
    LT_CLEANUP(free_cert) X509 *leaf = NULL;
    LT_TRY(http_tls_context(&ctx));
    LT_TRY(use_chain(ctx, cert_pem, &leaf));
    LT_TRY(use_key(ctx, key_pem));
    lt_time from = time_of(X509_get0_notBefore(leaf));
    lt_time until = time_of(X509_get0_notAfter(leaf));
    LT_CHECK(until.us > g->now.us && from.us < until.us, LT_PEER_CONFLICT, "the certificate has expired");
    LT_CHECK(names_host(leaf, t->host), LT_PEER_CONFLICT, "the certificate does not name %s", t->host);
    t->renew_at.us = from.us + (until.us - from.us) / 3 * 2;
    t->ready = true;
    http_server_use_tls(g->server, ctx);
    return LT_OK;
}

static void config_line(const struct gateway_tls *t, char ret_line[96])
{
    (void)snprintf(ret_line, 96, "# configuration %s\n", t->config_hash); /* 16 + 64 + 1 characters */
}

static lt_res load(struct gateway *g)
{
    struct gateway_tls *t = &g->tls;
    struct lt_arena a;
    lt_slice key = {0};
    lt_slice cert = {0};
    char line[96];
    lt_arena_init(&a, 2 * FILE_MAX);
    lt_res r = lt_file_read(&a, t->dir_fd, t->key_name, FILE_MAX / 4, &key);
    r = lt_failed(r) ? r : lt_file_read(&a, t->dir_fd, t->cert_name, FILE_MAX, &cert);
    r = lt_failed(r) ? r : put_in_use(g, key, cert);
    config_line(t, line);
    if (!lt_failed(r) && !lt_slice_starts(cert, lt_slice_cstr(line))) {
        t->renew_at = g->now; /* host names may have changed */
    }
    if (key.ptr != NULL) {
        explicit_bzero((uint8_t *)(uintptr_t)key.ptr, key.len); /* the arena's own bytes */
    }
    lt_arena_done(&a);
    return r;
}

static lt_res open_tls_folder(struct gateway_tls *t, const char *folder)
{
    LT_CLEANUP(lt_fd_closep) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(fd >= 0, LT_STATE_IO, "%s: %s", folder, strerror(errno));
    LT_CHECK(mkdirat(fd, "tls", 0700) == 0 || errno == EEXIST || errno == EACCES, LT_STATE_IO, "%s/tls: %s",
             folder, strerror(errno));
    t->dir_fd = openat(fd, "tls", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(t->dir_fd >= 0, LT_STATE_IO, "%s/tls: %s", folder, strerror(errno));
    return LT_OK;
}

/* "https://localhost:14000" → "localhost"; "https://[::1]:14000" → "::1". */
static void host_of(const char *url, char *ret_host, size_t size)
{
    const char *at = strstr(url, "://");
    at = at == NULL ? url : at + 3;
    bool bracket = *at == '[';
    at += bracket ? 1 : 0;
    (void)snprintf(ret_host, size, "%.*s", (int)strcspn(at, bracket ? "]" : ":/"),
                   at); /* names are below 254 */
}

static void hash_config(const char *yaml, char ret_hex[65])
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    crypto_sha256(lt_slice_cstr(yaml), hash);
    for (size_t i = 0; i < sizeof hash; i++) {
        (void)snprintf(ret_hex + 2 * i, 3, "%02x", hash[i]); /* two digits and a NUL */
    }
}

void gateway_tls_reload(struct gateway *g, const char *config_yaml)
{
    char hash[65];
    hash_config(config_yaml, hash);
    if (strcmp(hash, g->tls.config_hash) != 0) {
        memcpy(g->tls.config_hash, hash, sizeof hash);
        g->tls.renew_at = lt_time_add_seconds(g->now, RELOAD_WAIT_S); /* host names may have changed */
    }
}

lt_res gateway_tls_open(struct gateway *g, const Ipc__Start *start)
{
    struct gateway_tls *t = &g->tls;
    (void)snprintf(t->key_name, sizeof t->key_name, "gateway-%u.key", start->instance);
    (void)snprintf(t->cert_name, sizeof t->cert_name, "gateway-%u.pem", start->instance);
    host_of(start->base_url, t->host, sizeof t->host);
    hash_config(start->config_yaml, t->config_hash);
    t->backoff_ms = BACKOFF_FIRST_MS;
    t->renew_at = g->now;
    LT_TRY(open_tls_folder(t, start->folder));
    /* Everything that OpenSSL loads by itself is loaded now, before the doors close. */
    LT_CHECK(OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS, NULL) == 1, LT_STATE_CRYPTO,
             "TLS cannot be used");
    SSL_CTX *warm = NULL;
    LT_TRY(http_tls_context(&warm));
    SSL_CTX_free(warm);
    if (lt_failed(load(g))) {
        lt_log(LT_LOG_INFO, "a TLS certificate is needed", "because=\"%s\"", lt_error_last()->detail);
    }
    return LT_OK;
}

static void drop_pending(struct gateway_tls *t)
{
    if (t->pending_key != NULL) {
        explicit_bzero(t->pending_key, strlen(t->pending_key));
        free(LT_TAKE(t->pending_key, NULL));
    }
    t->request_id = 0;
}

static void try_later(struct gateway *g, const char *what)
{
    struct gateway_tls *t = &g->tls;
    drop_pending(t);
    lt_log_error(what);
    t->retry_ms = g->now_ms + t->backoff_ms;
    t->backoff_ms = t->backoff_ms * 2 < BACKOFF_MAX_MS ? t->backoff_ms * 2 : BACKOFF_MAX_MS;
}

/* A fresh key each time: a key never outlives its certificate. */
static lt_res request(struct gateway *g)
{
    struct gateway_tls *t = &g->tls;
    LT_CLEANUP(crypto_key_freep) struct crypto_key *key = NULL;
    struct lt_buf pem;
    LT_TRY(crypto_key_generate(CRYPTO_KEY_P256, 0, &key));
    lt_buf_init(&pem, 4096);
    lt_res r = crypto_key_write(key, LT_SLICE(NULL, 0), &pem);
    if (!lt_failed(r)) {
        t->pending_key = strdup(lt_buf_cstr(&pem));
        LT_ASSERT(t->pending_key != NULL);
    }
    explicit_bzero(pem.ptr, pem.len);
    lt_buf_done(&pem);
    LT_TRY(r);
    lt_slice spki = crypto_key_spki(key);
    Ipc__ServiceCertificateRequest m = IPC__SERVICE_CERTIFICATE_REQUEST__INIT;
    m.spki.data = (uint8_t *)(uintptr_t)spki.ptr; /* read only: the generated type lacks the const */
    m.spki.len = spki.len;
    t->request_id = role_next_id(g->kit);
    t->retry_ms = g->now_ms + ANSWER_WAIT_MS;
    return role_send(g->kit, IPC_NOTARY, ROLE_ANY, IPC_SERVICE_CERTIFICATE_REQUEST, t->request_id, &m.base);
}

void gateway_tls_tick(struct gateway *g)
{
    struct gateway_tls *t = &g->tls;
    if (g->now.us < t->renew_at.us || g->now_ms < t->retry_ms || g->draining ||
        !role_linked(g->kit, IPC_NOTARY)) {
        return;
    }
    drop_pending(t); /* no answer came */
    if (lt_failed(request(g))) {
        try_later(g, "cannot ask for a TLS certificate");
    }
}

static lt_res keep(const struct gateway_tls *t, lt_slice key_pem, lt_slice cert_pem)
{
    LT_TRY(lt_file_replace(t->dir_fd, t->key_name, 0600, key_pem));
    return lt_file_replace(t->dir_fd, t->cert_name, 0600, cert_pem);
}

static lt_res take_certificate(struct gateway *g, const Ipc__ServiceCertificate *m)
{
    struct gateway_tls *t = &g->tls;
    LT_CHECK(m->problem == NULL, LT_RETRY_UNAVAILABLE, "refused: %s: %s", m->problem->type,
             m->problem->detail);
    struct lt_buf pem;
    char line[96];
    config_line(t, line);
    lt_buf_init(&pem, FILE_MAX);
    lt_buf_add_cstr(&pem, line);
    lt_pem_add(&pem, "CERTIFICATE", LT_SLICE(m->certificate.data, m->certificate.len));
    for (size_t i = 0; i < m->n_chain; i++) {
        lt_pem_add(&pem, "CERTIFICATE", LT_SLICE(m->chain[i].data, m->chain[i].len));
    }
    lt_slice key = lt_slice_cstr(t->pending_key);
    lt_res r = lt_buf_check(&pem);
    r = lt_failed(r) ? r : put_in_use(g, key, lt_buf_slice(&pem));
    if (!lt_failed(r) && lt_failed(keep(t, key, lt_buf_slice(&pem)))) {
        lt_log_error(
            "the TLS certificate is in use but could not be kept"); /* asked for anew at the next start */
    }
    lt_buf_done(&pem);
    return r;
}

lt_res gateway_on_certificate(void *self, const struct ipc_msg *m)
{
    struct gateway *g = self;
    struct gateway_tls *t = &g->tls;
    if (m->from.id != t->request_id || t->pending_key == NULL) {
        return LT_OK; /* an answer that came too late */
    }
    if (lt_failed(take_certificate(g, (const Ipc__ServiceCertificate *)m->body))) {
        try_later(g, "no TLS certificate");
        return LT_OK;
    }
    char until[LT_RFC3339_SIZE];
    lt_time_rfc3339(t->renew_at, until);
    lt_log(LT_LOG_INFO, "TLS certificate in use", "host=%s renewal=%s", t->host, until);
    drop_pending(t);
    t->retry_ms = g->now_ms + INTERVAL_MS;
    t->backoff_ms = BACKOFF_FIRST_MS;
    return LT_OK;
}
