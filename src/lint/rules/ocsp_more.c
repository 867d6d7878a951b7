/* RFC 6960, what zlint does not ask of OCSP responses; RFC 9654 of their nonce. */
#include "lint/ocsp.h"
#include "lint/rules.h"

#define OID_NONCE LT_LIT("\x2b\x06\x01\x05\x05\x07\x30\x01\x02")

static bool is_basic(const struct lint_subject *s)
{
    return s->ocsp->basic;
}

static void bytes_by_status(const struct lint_subject *s, struct lint_report *r)
{
    const struct lint_ocsp *o = s->ocsp;
    if (o->status == 0 && o->type.len == 0) {
        lint_found(r, o->der, "successful, but without a response");
    } else if (o->status != 0 && o->type.len > 0) {
        lint_found(r, o->der, "status %u, but with a response", o->status);
    }
}

static void status_exists(const struct lint_subject *s, struct lint_report *r)
{
    enum { UNUSED = 4 };
    if (s->ocsp->status == UNUSED) {
        lint_found(r, s->ocsp->der, "the status 4 is not used");
    }
}

static void type_is_basic(const struct lint_subject *s, struct lint_report *r)
{
    if (!s->ocsp->basic) {
        lint_found(r, s->ocsp->type, "a response of another type than id-pkix-ocsp-basic");
    }
}

static bool has_type(const struct lint_subject *s)
{
    return s->ocsp->type.len > 0;
}

static void version_1(const struct lint_subject *s, struct lint_report *r)
{
    if (s->ocsp->version != 1) {
        lint_found(r, s->ocsp->data, "ResponseData of version %u", s->ocsp->version);
    }
}

static void has_responses(const struct lint_subject *s, struct lint_report *r)
{
    if (s->ocsp->response_count == 0) {
        lint_found(r, s->ocsp->data, "there is no SingleResponse");
    }
}

static void update_order(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->ocsp->response_count; i++) {
        const struct lint_ocsp_single *o = &s->ocsp->responses[i];
        if (o->has_next_update && o->next_update.us < o->this_update.us) {
            lint_found(r, o->der, "nextUpdate lies before thisUpdate");
        }
    }
}

static void revoked_before(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->ocsp->response_count; i++) {
        const struct lint_ocsp_single *o = &s->ocsp->responses[i];
        if (o->status == LINT_OCSP_REVOKED && o->revoked.us > s->ocsp->produced_at.us) {
            lint_found(r, o->der, "revoked after producedAt");
        }
    }
}

static void reason_exists(const struct lint_subject *s, struct lint_report *r)
{
    enum { UNUSED = 7, REMOVE_FROM_CRL = 8 };
    for (size_t i = 0; i < s->ocsp->response_count; i++) {
        const struct lint_ocsp_single *o = &s->ocsp->responses[i];
        if (o->has_reason && (o->reason == UNUSED || o->reason == REMOVE_FROM_CRL)) {
            lint_found(r, o->der, "revoked for the reason %u", (unsigned)o->reason);
        }
    }
}

/* Hashes by the length of their value. */
static const struct {
    const char *oid;
    size_t oid_len;
    size_t hash_len;
} hashes[] = {
    {"\x2b\x0e\x03\x02\x1a", 5, 20},
    {"\x60\x86\x48\x01\x65\x03\x04\x02\x01", 9, 32},
    {"\x60\x86\x48\x01\x65\x03\x04\x02\x02", 9, 48},
    {"\x60\x86\x48\x01\x65\x03\x04\x02\x03", 9, 64},
};

static void cert_id_lengths(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->ocsp->response_count; i++) {
        const struct lint_ocsp_single *o = &s->ocsp->responses[i];
        struct der_cursor c = der_open(o->hash);
        struct der_cursor seq = der_enter(&c, DER_SEQUENCE);
        lt_slice oid = der_oid(&seq);
        for (size_t k = 0; k < LT_COUNT(hashes); k++) {
            if (lt_slice_eq(oid, LT_SLICE(hashes[k].oid, hashes[k].oid_len)) &&
                (o->issuer_name_hash.len != hashes[k].hash_len ||
                 o->issuer_key_hash.len != hashes[k].hash_len)) {
                lint_found(r, o->cert_id, "hashes of %zu and %zu bytes, where the algorithm gives %zu",
                           o->issuer_name_hash.len, o->issuer_key_hash.len, hashes[k].hash_len);
            }
        }
    }
}

/*= RFC 6960 4.2.1 "KeyHash ::= OCTET STRING -- SHA-1 hash of responder's public key" */
static void responder_id(const struct lint_subject *s, struct lint_report *r)
{
    enum { SHA1_LEN = 20, EMPTY_NAME = 2 };
    const struct lint_ocsp *o = s->ocsp;
    if (o->responder_name.len == 0 && o->responder_key.len != SHA1_LEN) {
        lint_found(r, o->data, "byKey of %zu bytes", o->responder_key.len);
    } else if (o->responder_name.len == EMPTY_NAME) {
        lint_found(r, o->responder_name, "byName without a name");
    }
}

/*= RFC 9654 2.1 "Nonce ::= OCTET STRING(SIZE(1..128))" */
static void nonce_length(const struct lint_subject *s, struct lint_report *r)
{
    enum { NONCE_MAX = 128 };
    for (size_t i = 0; i < s->ocsp->ext.count; i++) {
        const struct x509_extension *x = &s->ocsp->ext.list[i];
        if (!lt_slice_eq(x->id.der, OID_NONCE)) {
            continue;
        }
        struct der_cursor c = der_open(x->value);
        lt_slice nonce = der_octets(&c);
        if (!der_ok(&c) || nonce.len == 0 || nonce.len > NONCE_MAX) {
            lint_found(r, x->der, "a nonce of %zu octets", nonce.len);
        }
    }
}

/* A certificate in the response is the responder's: for OCSPSigning. */
static void delegated(const struct lint_subject *s, struct lint_report *r)
{
    if (s->ocsp->cert_count > 0 && !s->ocsp->certs[0].ext.ca &&
        !x509_has_eku(&s->ocsp->certs[0].ext, X509_OID_OCSP_SIGNING)) {
        lint_found(r, s->ocsp->certs[0].tbs, "the responder's certificate is not for OCSPSigning");
    }
}

static bool extension_twice(const struct x509_extensions *e)
{
    for (size_t i = 1; i < e->count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (lt_slice_eq(e->list[i].id.der, e->list[k].id.der)) {
                return true;
            }
        }
    }
    return false;
}

static void extensions_once(const struct lint_subject *s, struct lint_report *r)
{
    if (extension_twice(&s->ocsp->ext)) {
        lint_found(r, s->ocsp->data, "an extension of the response stands there twice");
    }
    for (size_t i = 0; i < s->ocsp->response_count; i++) {
        if (extension_twice(&s->ocsp->responses[i].ext)) {
            lint_found(r, s->ocsp->responses[i].der, "an extension of a single response stands there twice");
        }
    }
}

static void serials_once(const struct lint_subject *s, struct lint_report *r)
{
    enum { LOOKED_AT = 64 }; /* responses of more than a few are not made */
    for (size_t i = 1; i < s->ocsp->response_count && i < LOOKED_AT; i++) {
        for (size_t k = 0; k < i; k++) {
            if (lt_slice_eq(s->ocsp->responses[i].cert_id, s->ocsp->responses[k].cert_id)) {
                lint_found(r, s->ocsp->responses[i].cert_id, "two responses for one certificate");
                break;
            }
        }
    }
}

#define ROW(level_) .source = LINT_RFC6960, .level = (level_), .kinds = LINT_OCSP
#define BASIC ROW(LINT_ERROR), .applies = is_basic

static const struct lint_rule rows[] = {
    {"lintel_ocsp_response_bytes", ROW(LINT_ERROR),
     .asks = "a response stands where the status is successful", .citation = "RFC 6960 4.2.1",
     .check = bytes_by_status},
    {"lintel_ocsp_status", ROW(LINT_ERROR), .asks = "the status is one that there is",
     .citation = "RFC 6960 4.2.1", .check = status_exists},
    {"lintel_ocsp_type", ROW(LINT_ERROR), .asks = "a response is of the type basic",
     .citation = "RFC 6960 4.2.1", .applies = has_type, .check = type_is_basic},
    {"lintel_ocsp_version", BASIC, .asks = "ResponseData has version 1", .citation = "RFC 6960 4.2.2.3",
     .check = version_1},
    {"lintel_ocsp_responses", BASIC, .asks = "there is a response for a certificate",
     .citation = "RFC 6960 4.2.1", .check = has_responses},
    {"lintel_ocsp_update_order", BASIC, .asks = "nextUpdate is not before thisUpdate",
     .citation = "RFC 6960 2.4", .check = update_order},
    {"lintel_ocsp_revoked_before", BASIC, .asks = "nothing is revoked after producedAt",
     .citation = "RFC 6960 4.2.2.2.1", .check = revoked_before},
    {"lintel_ocsp_reason", BASIC, .asks = "the reason is one of a revocation", .citation = "RFC 5280 5.3.1",
     .check = reason_exists},
    {"lintel_ocsp_cert_id", BASIC, .asks = "the hashes of a CertID are as long as their algorithm gives",
     .citation = "RFC 6960 4.1.1", .check = cert_id_lengths},
    {"lintel_ocsp_responder_id", BASIC, .asks = "ResponderID is a name or a SHA-1 hash",
     .citation = "RFC 6960 4.2.1", .check = responder_id},
    {"lintel_ocsp_nonce", BASIC, .asks = "a nonce has 1 to 128 octets", .citation = "RFC 9654 2.1",
     .check = nonce_length},
    {"lintel_ocsp_delegated", BASIC, .asks = "the responder's certificate is for OCSPSigning",
     .citation = "RFC 6960 4.2.2.2", .check = delegated},
    {"lintel_ocsp_extension_twice", BASIC, .asks = "no extension stands there twice",
     .citation = "RFC 5280 4.2", .check = extensions_once},
    {"lintel_ocsp_certificate_twice", BASIC, .asks = "there is one response for a certificate",
     .citation = "RFC 6960 4.2.1", .check = serials_once},
};
const struct lint_table lint_ocsp_more = LINT_TABLE(rows);
