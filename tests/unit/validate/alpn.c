/* Certificates made on the spot, by OpenSSL, from a row for each manner. */
#include "alpn.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "base/result.h"

struct manner {
    const char *label;
    const char *san;      /* openssl.cnf syntax; "@": the name asked for; NULL: none */
    unsigned identifiers; /* extensions */
    bool not_critical;
    bool wrong_digest;
    bool short_digest;
    bool raw_digest; /* without its OCTET STRING */
    bool other_issuer;
    bool bad_signature;
    const char *alpn; /* NULL: acme-tls/1; "": none is chosen */
};

static const struct manner manners[] = {
    {.label = "good", .san = "@", .identifiers = 1},
    {.label = "twoids", .san = "@", .identifiers = 2},
    {.label = "noid", .san = "@", .identifiers = 0},
    {.label = "soft", .san = "@", .identifiers = 1, .not_critical = true},
    {.label = "wrong", .san = "@", .identifiers = 1, .wrong_digest = true},
    {.label = "short", .san = "@", .identifiers = 1, .short_digest = true},
    {.label = "raw", .san = "@", .identifiers = 1, .raw_digest = true},
    {.label = "extra", .san = "@,DNS:other.example", .identifiers = 1},
    {.label = "extraip", .san = "@,IP:127.0.0.1", .identifiers = 1},
    {.label = "other", .san = "DNS:other.example", .identifiers = 1},
    {.label = "star", .san = "DNS:*.alpn.good.example", .identifiers = 1},
    {.label = "email", .san = "email:a@b.example", .identifiers = 1},
    {.label = "nosan", .san = NULL, .identifiers = 1},
    {.label = "signed", .san = "@", .identifiers = 1, .other_issuer = true},
    {.label = "forged", .san = "@", .identifiers = 1, .bad_signature = true},
    {.label = "http", .san = "@", .identifiers = 1, .alpn = "http/1.1"},
    {.label = "none", .san = "@", .identifiers = 1, .alpn = ""},
    {.label = "1", .san = "IP:127.0.0.1", .identifiers = 1}, /* 1.0.0.127.in-addr.arpa */
    {.label = "2", .san = "DNS:127.0.0.2", .identifiers = 1},
    {.label = "3", .san = "IP:127.0.0.1", .identifiers = 1},
};

static struct {
    uint8_t digest[32];
    char name[256];
    const struct manner *manner;
    EVP_PKEY *key;
} now;

const char *alpn_last_name(void)
{
    return now.name;
}

static void add_identifier(X509 *cert, const struct manner *m)
{
    uint8_t der[34] = {4, 32};
    int len = 34;
    memcpy(der + 2, now.digest, sizeof now.digest);
    der[2] ^= m->wrong_digest ? 1 : 0;
    if (m->short_digest) {
        der[1] = 31;
        len = 33;
    }
    ASN1_OBJECT *oid = OBJ_txt2obj("1.3.6.1.5.5.7.1.31", 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    LT_ASSERT(oid != NULL && value != NULL &&
              ASN1_OCTET_STRING_set(value, m->raw_digest ? der + 2 : der, m->raw_digest ? 32 : len) == 1);
    X509_EXTENSION *e = X509_EXTENSION_create_by_OBJ(NULL, oid, m->not_critical ? 0 : 1, value);
    LT_ASSERT(e != NULL && X509_add_ext(cert, e, -1) == 1);
    X509_EXTENSION_free(e);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(oid);
}

static void add_san(X509 *cert, const struct manner *m)
{
    char text[700];
    bool own = m->san[0] == '@';
    (void)snprintf(text, sizeof text, "%s%s%s", own ? "DNS:" : "", own ? now.name : "",
                   own ? m->san + 1 : m->san);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, text);
    LT_ASSERT(e != NULL && X509_add_ext(cert, e, -1) == 1);
    X509_EXTENSION_free(e);
}

static void set_name(X509_NAME *name, const char *text)
{
    LT_ASSERT(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)text, -1, -1, 0) ==
              1);
}

static X509 *make(const struct manner *m)
{
    X509 *cert = X509_new();
    EVP_PKEY *other = EVP_EC_gen("P-256");
    LT_ASSERT(cert != NULL && other != NULL);
    bool fine = X509_set_version(cert, X509_VERSION_3) == 1 &&
                ASN1_INTEGER_set(X509_get_serialNumber(cert), 7) == 1 &&
                X509_gmtime_adj(X509_getm_notBefore(cert), -10) != NULL &&
                X509_gmtime_adj(X509_getm_notAfter(cert), 1000) != NULL &&
                X509_set_pubkey(cert, now.key) == 1;
    LT_ASSERT(fine);
    set_name(X509_get_subject_name(cert), "challenge");
    set_name(X509_get_issuer_name(cert), m->other_issuer ? "somebody" : "challenge");
    if (m->san != NULL) {
        add_san(cert, m);
    }
    for (unsigned i = 0; i < m->identifiers; i++) {
        add_identifier(cert, m);
    }
    LT_ASSERT(X509_sign(cert, m->bad_signature ? other : now.key, EVP_sha256()) > 0);
    EVP_PKEY_free(other);
    return cert;
}

static int on_name(SSL *ssl, int *alert, void *arg)
{
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    (void)alert;
    (void)arg;
    now.manner = NULL;
    (void)snprintf(now.name, sizeof now.name, "%s", name == NULL ? "" : name);
    size_t len = strcspn(now.name, ".");
    for (size_t i = 0; i < LT_COUNT(manners); i++) {
        if (strlen(manners[i].label) == len && strncmp(manners[i].label, now.name, len) == 0) {
            now.manner = &manners[i];
        }
    }
    if (now.manner == NULL) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    X509 *cert = make(now.manner);
    LT_ASSERT(SSL_use_certificate(ssl, cert) == 1 && SSL_use_PrivateKey(ssl, now.key) == 1);
    X509_free(cert);
    return SSL_TLSEXT_ERR_OK;
}

static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                   unsigned in_len, void *arg)
{
    static const char acme[] = "acme-tls/1";
    (void)ssl;
    (void)arg;
    LT_ASSERT(in_len == sizeof acme && memcmp(in + 1, acme, sizeof acme - 1) == 0); /* and nothing else */
    if (now.manner == NULL || (now.manner->alpn != NULL && now.manner->alpn[0] == '\0')) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    const char *chosen = now.manner->alpn == NULL ? acme : now.manner->alpn;
    *out = (const unsigned char *)chosen;
    *out_len = (unsigned char)strlen(chosen);
    return SSL_TLSEXT_ERR_OK;
}

void alpn_serve(SSL_CTX *server, const char *authorization)
{
    LT_ASSERT(SHA256((const unsigned char *)authorization, strlen(authorization), now.digest) != NULL);
    now.key = EVP_EC_gen("P-256");
    LT_ASSERT(now.key != NULL);
    /* the macros of OpenSSL without their casts */
    (void)SSL_CTX_callback_ctrl(server, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB, (void (*)(void))on_name);
    SSL_CTX_set_alpn_select_cb(server, on_alpn, NULL);
}

void alpn_done(void)
{
    EVP_PKEY_free(now.key);
    now.key = NULL;
}
