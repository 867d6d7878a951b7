/* A farm of TLS servers on loopback: tls_farm COUNT PORT LIST makes COUNT certificates (one key, names
 * h00000.farm.test and so on), writes LIST (name, address, port, serial, SHA-256, notAfter as seconds; a line
 * each, by tabs), says "ready" and serves each on an address of its own, 127.16.0.0 upwards, chosen by SNI.
 * Ends with its standard input. For tests of in-use scans. */
#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { THREADS = 48, COUNT_MAX = 1000000, SERIAL_LEN = 16, DAYS = 90, BACKLOG = 4096, PATIENCE_S = 10 };

static X509 **certificates;
static unsigned count;
static EVP_PKEY *key;
static SSL_CTX *context;
static int listener = -1;

static void need(bool fine, const char *what)
{
    if (!fine) {
        (void)fprintf(stderr, "tls_farm: %s\n", what);
        exit(1);
    }
}

static void add_name(X509 *c, const char *name)
{
    char text[80];
    (void)snprintf(text, sizeof text, "DNS:%s", name);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, text);
    need(e != NULL && X509_add_ext(c, e, -1) == 1, "subjectAltName");
    X509_EXTENSION_free(e);
}

static X509 *make(unsigned i, X509_NAME *issuer, FILE *list, unsigned port)
{
    unsigned char serial[SERIAL_LEN];
    unsigned char hash[32];
    unsigned len = 0;
    char name[40];
    X509 *c = X509_new();
    need(c != NULL && RAND_bytes(serial, sizeof serial) == 1, "certificate");
    serial[0] = (unsigned char)((serial[0] & 0x7f) | 0x40);
    BIGNUM *number = BN_bin2bn(serial, sizeof serial, NULL);
    (void)snprintf(name, sizeof name, "h%05u.farm.test", i);
    X509_NAME *subject = X509_get_subject_name(c);
    bool fine = number != NULL && X509_set_version(c, 2) == 1 &&
                BN_to_ASN1_INTEGER(number, X509_get_serialNumber(c)) != NULL &&
                X509_gmtime_adj(X509_getm_notBefore(c), -3600) != NULL &&
                X509_gmtime_adj(X509_getm_notAfter(c), DAYS * 86400L) != NULL &&
                X509_set_pubkey(c, key) == 1 && X509_set_issuer_name(c, issuer) == 1 &&
                X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1,
                                           0) == 1;
    BN_free(number);
    need(fine, "certificate");
    add_name(c, name);
    need(X509_sign(c, key, EVP_sha256()) > 0 && X509_digest(c, EVP_sha256(), hash, &len) == 1, "signature");
    (void)fprintf(list, "%s\t127.%u.%u.%u\t%u\t", name, 16 + (i >> 16), (i >> 8) & 255, i & 255, port);
    for (size_t n = 0; n < sizeof serial; n++) {
        (void)fprintf(list, "%02x", serial[n]);
    }
    (void)fputc('\t', list);
    for (size_t n = 0; n < sizeof hash; n++) {
        (void)fprintf(list, "%02x", hash[n]);
    }
    struct timeval now;
    (void)gettimeofday(&now, NULL);
    (void)fprintf(list, "\t%lld\n", (long long)now.tv_sec + DAYS * 86400LL);
    return c;
}

static int choose(SSL *ssl, int *alert, void *arg)
{
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    unsigned i = 0;
    (void)arg;
    if (name == NULL || sscanf(name, "h%u.farm.test", &i) != 1 || i >= count) {
        *alert = SSL_AD_UNRECOGNIZED_NAME;
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    return SSL_use_certificate(ssl, certificates[i]) == 1 && SSL_use_PrivateKey(ssl, key) == 1
               ? SSL_TLSEXT_ERR_OK
               : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static void *serve(void *arg)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    (void)arg;
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0) {
            continue;
        }
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        SSL *ssl = SSL_new(context);
        char byte;
        if (ssl != NULL && SSL_set_fd(ssl, fd) == 1 && SSL_accept(ssl) == 1) {
            (void)SSL_read(ssl, &byte, 1); /* until the client closes */
            (void)SSL_shutdown(ssl);
        }
        SSL_free(ssl);
        (void)close(fd);
    }
    return NULL;
}

static void listen_on(unsigned port)
{
    int on = 1;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    a.sin_addr.s_addr = htonl(INADDR_ANY);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    need(listener >= 0 && setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
             bind(listener, (const struct sockaddr *)&a, sizeof a) == 0 && listen(listener, BACKLOG) == 0,
         "cannot listen there");
}

int main(int argc, char **argv)
{
    unsigned port = 0;
    char rest = 0;
    need(argc == 4 && sscanf(argv[1], "%7u%c", &count, &rest) == 1 && count > 0 && count <= COUNT_MAX &&
             sscanf(argv[2], "%5u%c", &port, &rest) == 1 && port > 0 && port <= 65535,
         "usage: tls_farm COUNT PORT LIST");
    (void)signal(SIGPIPE, SIG_IGN);
    FILE *list = fopen(argv[3], "w");
    key = EVP_EC_gen("P-256");
    context = SSL_CTX_new(TLS_server_method());
    certificates = calloc(count, sizeof(X509 *));
    X509_NAME *issuer = X509_NAME_new();
    need(list != NULL && key != NULL && context != NULL && certificates != NULL && issuer != NULL &&
             X509_NAME_add_entry_by_txt(issuer, "CN", MBSTRING_ASC, (const unsigned char *)"Farm", -1, -1,
                                        0) == 1,
         "cannot begin");
    for (unsigned i = 0; i < count; i++) {
        certificates[i] = make(i, issuer, list, port);
    }
    need(fclose(list) == 0, "the list cannot be written");
    (void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    (void)SSL_CTX_set_num_tickets(context, 0);
    (void)SSL_CTX_set_tlsext_servername_callback(context, choose);
    listen_on(port);
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_t thread;
        need(pthread_create(&thread, NULL, serve, NULL) == 0, "no thread");
    }
    (void)printf("ready\n");
    (void)fflush(stdout);
    (void)getchar();
    return 0;
}
