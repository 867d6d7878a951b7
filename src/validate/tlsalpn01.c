/* tls-alpn-01 (RFC 8737, for addresses RFC 8738): a TLS connection that offers "acme-tls/1" alone, and a
 * self-signed certificate made for nothing else: one name, and the digest of the key authorization in a
 * critical extension. What differs in anything is refused: this method has been got wrong before. */
#include <stdio.h>
#include <string.h>

#include "crypto/digest.h"
#include "crypto/verify.h"
#include "der/reader.h"
#include "validate/dns_txt.h"
#include "validate/engine.h"
#include "x509/cert.h"

static const char protocol[] = "acme-tls/1";
/* 1.3.6.1.5.5.7.1.31 */
static const uint8_t oid_acme_identifier[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x1f};
static const uint8_t oid_san[] = {0x55, 0x1d, 0x11};

static void try_candidate(struct validate_job *j);

static const struct x509_extension *find(const struct x509_cert *cert, const uint8_t *oid, size_t len,
                                         size_t *ret_count)
{
    const struct x509_extension *found = NULL;
    *ret_count = 0;
    for (size_t i = 0; i < cert->ext.count; i++) {
        if (lt_slice_eq(cert->ext.list[i].id.der, LT_SLICE(oid, len))) {
            found = &cert->ext.list[i];
            *ret_count += 1;
        }
    }
    return found;
}

/*= RFC 8737 3 "the certificate returned contains a subjectAltName extension containing the dNSName being
 * validated and no other entries" */
static const char *san_refusal(const struct validate_job *j, const struct x509_cert *cert)
{
    const Ipc__Identifier *id = j->request->identifier;
    struct validate_address a;
    size_t count = 0;
    const struct x509_extension *e = find(cert, oid_san, sizeof oid_san, &count);
    if (e == NULL || count != 1 || e->why != NULL) {
        return "has no single subjectAltName extension";
    }
    if (cert->ext.san.count != 1) {
        return "has more or fewer than one name in its subjectAltName";
    }
    const struct x509_general_name *name = &cert->ext.san.list[0];
    if (strcmp(id->type, "ip") != 0) {
        bool equal = name->type == X509_GN_DNS && lt_slice_eq_nocase(name->value, lt_slice_cstr(id->value));
        return equal ? NULL : "is for another name";
    }
    /*= RFC 8738 6 "The certificate's subjectAltName extension MUST contain only one iPAddress entry" */
    bool equal = !lt_failed(validate_address_parse(lt_slice_cstr(id->value), &a)) &&
                 name->type == X509_GN_IP && lt_slice_eq(name->value, LT_SLICE(a.bytes, a.v6 ? 16 : 4));
    return equal ? NULL : "is for another address";
}

/*= RFC 8737 3 "a critical acmeIdentifier extension containing the expected SHA-256 digest" */
static const char *digest_refusal(struct validate_job *j, const struct x509_cert *cert)
{
    uint8_t want[CRYPTO_SHA256_LEN];
    size_t count = 0;
    const struct x509_extension *e = find(cert, oid_acme_identifier, sizeof oid_acme_identifier, &count);
    if (e == NULL) {
        return "has no acmeIdentifier extension";
    }
    if (count != 1) {
        return "has more than one acmeIdentifier extension";
    }
    if (!e->critical) {
        return "has an acmeIdentifier extension that is not critical";
    }
    /* Authorization ::= OCTET STRING (SIZE (32)) */
    lt_slice value = e->value;
    bool framed = value.len == sizeof want + 2 && value.ptr[0] == DER_OCTET_STRING &&
                  value.ptr[1] == sizeof want;
    if (!framed) {
        return "has an acmeIdentifier that is no digest";
    }
    crypto_sha256(lt_slice_cstr(j->request->key_authorization), want);
    return lt_slice_eq(lt_slice_sub(value, 2, sizeof want), LT_SLICE(want, sizeof want))
               ? NULL
               : "holds the digest of another key authorization";
}

/* NULL: it is the one. */
static const char *certificate_refusal(struct validate_job *j, lt_slice der)
{
    struct x509_cert cert;
    if (der.len == 0 || der.len > X509_CERT_MAX_BYTES || lt_failed(x509_cert_decode(der, &j->arena, &cert))) {
        return "cannot be read";
    }
    if (!lt_slice_eq(cert.issuer.der, cert.subject.der) ||
        crypto_verify_any(&cert.spki, cert.sig_alg_der, cert.tbs, cert.signature) != CRYPTO_FITS) {
        return "is not self-signed";
    }
    const char *why = san_refusal(j, &cert);
    return why != NULL ? why : digest_refusal(j, &cert);
}

static void on_shaken(void *self, lt_slice alpn, lt_slice der)
{
    struct validate_job *j = self;
    const Ipc__Identifier *id = j->request->identifier;
    if (j->ended) {
        return;
    }
    validate_note_digest(j, der);
    if (!lt_slice_eq_cstr(alpn, protocol)) {
        validate_job_end(j, "unauthorized", "%s port %u for %s does not speak %s; it chose \"%s\".",
                         j->statement.address_used, j->engine->options.https_port, id->value, protocol,
                         validate_shown(j, alpn));
        return;
    }
    const char *why = certificate_refusal(j, der);
    if (why != NULL) {
        validate_job_end(j, "incorrectResponse", "The certificate of %s port %u for %s %s.",
                         j->statement.address_used, j->engine->options.https_port, id->value, why);
    } else {
        validate_job_end(j, NULL, "valid");
    }
}

static void on_data(void *self, lt_slice bytes)
{
    (void)self; /* nothing is read */
    (void)bytes;
}

static void on_end(void *self, enum validate_conn_end how, const char *detail)
{
    struct validate_job *j = self;
    if (j->ended) {
        return;
    }
    const char *why = validate_keep(j, detail);
    validate_conn_free(j->conn);
    j->conn = NULL;
    if (how == VALIDATE_CONN_REFUSED && j->candidate + 1 < j->candidate_count) {
        j->candidate++;
        try_candidate(j);
        return;
    }
    validate_job_end(j, how == VALIDATE_CONN_TLS ? "tls" : "connection", "%s%s port %u for %s: %s.",
                     how == VALIDATE_CONN_TLS ? "TLS with " : "", j->statement.address_used,
                     j->engine->options.https_port, j->request->identifier->value, why);
}

/* RFC 8738 6: an address is asked for by the name of its reverse zone. */
static const char *server_name(struct validate_job *j)
{
    const Ipc__Identifier *id = j->request->identifier;
    struct validate_address a;
    char reverse[VALIDATE_REVERSE_NAME];
    if (strcmp(id->type, "ip") != 0) {
        return id->value;
    }
    lt_res r = validate_address_parse(lt_slice_cstr(id->value), &a);
    LT_ASSERT(!lt_failed(r)); /* it was reached */
    validate_reverse_name(&a, reverse);
    return validate_keep(j, reverse);
}

static void try_candidate(struct validate_job *j)
{
    struct validate_engine *e = j->engine;
    const struct validate_conn_hooks hooks = {.data = on_data, .end = on_end, .shaken = on_shaken, .self = j};
    char address[VALIDATE_ADDRESS_TEXT];
    const char *host = server_name(j);
    for (; j->candidate < j->candidate_count; j->candidate++) {
        struct validate_conn_options o = {
            .base = e->base,
            .address = &j->candidates[j->candidate],
            .port = e->options.https_port,
            .tls = e->tls,
            .host = host,
            .alpn = LT_SLICE(protocol, sizeof protocol - 1),
            .connect_timeout_ms = e->options.connect_timeout_ms,
        };
        validate_address_print(o.address, address);
        j->statement.address_used = validate_keep(j, address);
        validate_note_asked(j, "%s port %u, %s, server name %s", address, o.port, protocol, host);
        if (!lt_failed(validate_conn_new(&o, &hooks, &j->conn))) {
            return;
        }
    }
    validate_job_end(j, "connection", "%s port %u: %s.", j->statement.address_used, e->options.https_port,
                     lt_error_last()->detail);
}

static void begin(struct validate_job *j)
{
    const Ipc__Identifier *id = j->request->identifier;
    validate_reach(j, id->value, strcmp(id->type, "ip") == 0, try_candidate);
}

static void timed_out(struct validate_job *j)
{
    int total_ms = j->engine->options.total_timeout_ms;
    if (j->lookup != NULL) {
        validate_txt_timed_out(j);
    } else {
        validate_job_end(j, "connection", "%s port %u for %s gave no complete answer within %d ms.",
                         j->statement.address_used, j->engine->options.https_port,
                         j->request->identifier->value, total_ms);
    }
}

const struct validate_method_hooks validate_tlsalpn01 = {
    .name = "tls-alpn-01", .begin = begin, .timed_out = timed_out};
