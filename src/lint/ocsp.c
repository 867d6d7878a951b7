/* OCSP responses (RFC 6960 4.2.1). */
#include "lint/ocsp.h"

/* 1.3.6.1.5.5.7.48.1.1 and .2 */
#define OID_BASIC LT_LIT("\x2b\x06\x01\x05\x05\x07\x30\x01\x01")
#define OID_NONCE LT_LIT("\x2b\x06\x01\x05\x05\x07\x30\x01\x02")

static lt_slice whole_of(const struct der_cursor *c, uint32_t tag)
{
    struct der_cursor ahead = *c;
    return der_read_whole(&ahead, tag);
}

/* [n] EXPLICIT Extensions, when it is next. */
static lt_res extensions_at(struct der_cursor *c, uint32_t number, struct lt_arena *a,
                            struct x509_extensions *ret)
{
    if (!der_is_next(c, DER_CONTEXT_CONS(number))) {
        return LT_OK;
    }
    struct der_cursor tagged = der_enter(c, DER_CONTEXT_CONS(number));
    LT_TRY(x509_extensions_read(&tagged, a, ret));
    der_leave(c, &tagged);
    return LT_OK;
}

/* CertID ::= SEQUENCE { hashAlgorithm AlgorithmIdentifier, issuerNameHash OCTET STRING, issuerKeyHash OCTET
 * STRING, serialNumber } */
static void cert_id_read(struct der_cursor *c, struct lint_ocsp_single *s)
{
    s->cert_id = whole_of(c, DER_SEQUENCE);
    struct der_cursor id = der_enter(c, DER_SEQUENCE);
    s->hash = der_read_whole(&id, DER_SEQUENCE);
    s->issuer_name_hash = der_octets(&id);
    s->issuer_key_hash = der_octets(&id);
    s->serial = der_integer(&id);
    der_leave(c, &id);
}

/* CertStatus ::= CHOICE { good [0] NULL, revoked [1] RevokedInfo, unknown [2] NULL }, all implicit;
 * RevokedInfo ::= SEQUENCE { revocationTime GeneralizedTime, revocationReason [0] EXPLICIT OPTIONAL } */
static void status_read(struct der_cursor *c, struct lint_ocsp_single *s)
{
    enum { REASON_MAX = 10 };
    if (der_is_next(c, DER_CONTEXT_CONS(1))) {
        s->status = LINT_OCSP_REVOKED;
        struct der_cursor info = der_enter(c, DER_CONTEXT_CONS(1));
        s->revoked = der_generalized_time(&info);
        if (der_is_next(&info, DER_CONTEXT_CONS(0))) {
            struct der_cursor reason = der_enter(&info, DER_CONTEXT_CONS(0));
            s->has_reason = true;
            s->reason = (uint32_t)der_enumerated(&reason, REASON_MAX);
            der_leave(&info, &reason);
        }
        der_leave(c, &info);
        return;
    }
    bool good = der_is_next(c, DER_CONTEXT(0));
    s->status = good ? LINT_OCSP_GOOD : LINT_OCSP_UNKNOWN;
    lt_slice null = der_read(c, good ? DER_CONTEXT(0) : DER_CONTEXT(2));
    if (null.len > 0) {
        der_fail(c, "a status with content");
    }
}

/* SingleResponse ::= SEQUENCE { certID, certStatus, thisUpdate GeneralizedTime, nextUpdate [0] EXPLICIT
 * OPTIONAL, singleExtensions [1] EXPLICIT OPTIONAL } */
static lt_res single_read(struct der_cursor *list, struct lt_arena *a, struct lint_ocsp_single *s)
{
    s->der = whole_of(list, DER_SEQUENCE);
    struct der_cursor c = der_enter(list, DER_SEQUENCE);
    cert_id_read(&c, s);
    status_read(&c, s);
    s->this_update = der_generalized_time(&c);
    if (der_is_next(&c, DER_CONTEXT_CONS(0))) {
        struct der_cursor next = der_enter(&c, DER_CONTEXT_CONS(0));
        s->has_next_update = true;
        s->next_update = der_generalized_time(&next);
        der_leave(&c, &next);
    }
    LT_TRY(extensions_at(&c, 1, a, &s->ext));
    der_leave(list, &c);
    return LT_OK;
}

static lt_res singles_read(struct der_cursor *c, struct lt_arena *a, struct lint_ocsp *o)
{
    struct der_cursor list = der_enter(c, DER_SEQUENCE);
    size_t count = der_count(&list);
    if (count > LINT_OCSP_RESPONSES_MAX) {
        der_fail(&list, "too many responses");
    }
    struct lint_ocsp_single *all = der_ok(&list) ? LT_NEW_ARRAY(a, struct lint_ocsp_single, count + 1) : NULL;
    LT_CHECK(all != NULL || !der_ok(&list), LT_PEER_TOO_LARGE, "no room for %zu responses", count);
    size_t n = 0;
    for (; der_more(&list); n++) {
        LT_TRY(single_read(&list, a, &all[n]));
    }
    der_leave(c, &list);
    o->responses = all;
    o->response_count = n;
    return LT_OK;
}

/* ResponderID ::= CHOICE { byName [1] Name, byKey [2] KeyHash }, both explicit */
static void responder_read(struct der_cursor *c, struct lint_ocsp *o)
{
    bool by_name = der_is_next(c, DER_CONTEXT_CONS(1));
    struct der_cursor id = der_enter(c, by_name ? DER_CONTEXT_CONS(1) : DER_CONTEXT_CONS(2));
    if (by_name) {
        o->responder_name = der_read_whole(&id, DER_SEQUENCE);
    } else {
        o->responder_key = der_octets(&id);
    }
    der_leave(c, &id);
}

/* ResponseData ::= SEQUENCE { version [0] EXPLICIT DEFAULT v1, responderID, producedAt GeneralizedTime,
 * responses SEQUENCE OF SingleResponse, responseExtensions [1] EXPLICIT OPTIONAL } */
static lt_res data_read(struct der_cursor *c, struct lt_arena *a, struct lint_ocsp *o)
{
    enum { VERSION_MAX = 127 };
    o->data = whole_of(c, DER_SEQUENCE);
    struct der_cursor d = der_enter(c, DER_SEQUENCE);
    o->version = 1;
    if (der_is_next(&d, DER_CONTEXT_CONS(0))) {
        struct der_cursor version = der_enter(&d, DER_CONTEXT_CONS(0));
        o->has_version = true;
        o->version = (unsigned)der_small(&version, VERSION_MAX) + 1;
        if (o->version == 1) {
            der_wart(&version, version.pos, "a default value that is encoded");
        }
        der_leave(&d, &version);
    }
    responder_read(&d, o);
    o->produced_at = der_generalized_time(&d);
    LT_TRY(singles_read(&d, a, o));
    LT_TRY(extensions_at(&d, 1, a, &o->ext));
    der_leave(c, &d);
    for (size_t i = 0; i < o->ext.count; i++) {
        if (lt_slice_eq(o->ext.list[i].id.der, OID_NONCE)) {
            o->nonce = o->ext.list[i].value;
        }
    }
    return LT_OK;
}

/* certs [0] EXPLICIT SEQUENCE OF Certificate OPTIONAL */
static lt_res certs_read(struct der_cursor *c, struct lt_arena *a, struct lint_ocsp *o)
{
    if (!der_is_next(c, DER_CONTEXT_CONS(0))) {
        return LT_OK;
    }
    o->has_certs = true;
    struct der_cursor tagged = der_enter(c, DER_CONTEXT_CONS(0));
    struct der_cursor list = der_enter(&tagged, DER_SEQUENCE);
    size_t count = der_count(&list);
    count = count < LINT_OCSP_CERTS_MAX ? count : LINT_OCSP_CERTS_MAX;
    struct x509_cert *certs = LT_NEW_ARRAY(a, struct x509_cert, count + 1);
    LT_CHECK(certs != NULL, LT_PEER_TOO_LARGE, "no room for %zu certificates", count);
    o->certs = certs;
    while (der_more(&list)) {
        lt_slice der = der_read_whole(&list, DER_SEQUENCE);
        if (o->cert_count < count && !lt_failed(x509_cert_decode(der, a, &certs[o->cert_count]))) {
            o->cert_count++;
        }
    }
    der_leave(&tagged, &list);
    der_leave(c, &tagged);
    return LT_OK;
}

/* BasicOCSPResponse ::= SEQUENCE { tbsResponseData, signatureAlgorithm, signature BIT STRING, certs } */
static lt_res basic_read(struct der_cursor *c, struct lt_arena *a, struct lint_ocsp *o)
{
    struct der_cursor b = der_enter(c, DER_SEQUENCE);
    LT_TRY(data_read(&b, a, o));
    o->sig_alg_der = der_read_whole(&b, DER_SEQUENCE);
    o->sig_alg = x509_sig_alg_find(o->sig_alg_der);
    o->signature = der_bitstring_octets(&b);
    LT_TRY(certs_read(&b, a, o));
    der_leave(c, &b);
    return LT_OK;
}

/* ResponseBytes ::= SEQUENCE { responseType OBJECT IDENTIFIER, response OCTET STRING } */
static lt_res bytes_read(struct der_cursor *c, struct lt_arena *a, struct lint_ocsp *o)
{
    struct der_cursor tagged = der_enter(c, DER_CONTEXT_CONS(0));
    struct der_cursor bytes = der_enter(&tagged, DER_SEQUENCE);
    o->type = der_oid(&bytes);
    o->basic = lt_slice_eq(o->type, OID_BASIC);
    lt_slice response = der_octets(&bytes);
    if (der_ok(&bytes) && o->basic) {
        struct der_cursor inner = der_into(&bytes, response);
        LT_TRY(basic_read(&inner, a, o));
        der_leave(&bytes, &inner);
    }
    der_leave(&tagged, &bytes);
    der_leave(c, &tagged);
    return LT_OK;
}

/* OCSPResponse ::= SEQUENCE { responseStatus ENUMERATED, responseBytes [0] EXPLICIT OPTIONAL } */
static lt_res response_read(struct der_cursor *c, struct lt_arena *a, struct lint_ocsp *o)
{
    enum { STATUS_MAX = 6 };
    struct der_cursor seq = der_enter(c, DER_SEQUENCE);
    o->status = (unsigned)der_enumerated(&seq, STATUS_MAX);
    if (der_is_next(&seq, DER_CONTEXT_CONS(0))) {
        LT_TRY(bytes_read(&seq, a, o));
    }
    der_leave(c, &seq);
    return der_done(c, "OCSP response");
}

lt_res lint_ocsp_decode(lt_slice der, struct lt_arena *a, struct lint_ocsp *ret)
{
    struct der_notes notes = {.count = 0};
    *ret = (struct lint_ocsp){.der = der};
    struct der_cursor c = der_open(der);
    c.notes = &notes;
    lt_res r = response_read(&c, a, ret);
    ret->notes = notes;
    return r;
}
