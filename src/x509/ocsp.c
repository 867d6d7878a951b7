/* OCSP requests in, responses out. */
#include "x509/ocsp.h"

#include <string.h>

#include "der/reader.h"
#include "der/writer.h"
#include "x509/build.h"
#include "x509/oid.h"

enum { REASON_MAX = 10 };

/* AlgorithmIdentifier { sha1, NULL } and { sha256, NULL }: what clients send, and compare with. */
static const uint8_t sha1_der[] = {0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00};
static const uint8_t sha256_der[] = {0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                     0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00};
static const struct {
    lt_slice der;
    lt_slice oid;
    size_t len;
} hashes[X509_OCSP_HASHES] = {
    [X509_OCSP_SHA1] = {{sha1_der, sizeof sha1_der}, {sha1_der + 4, 5}, 20},
    [X509_OCSP_SHA256] = {{sha256_der, sizeof sha256_der}, {sha256_der + 4, 9}, 32},
};

static const uint8_t nonce_oid[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x02};
static const uint8_t basic_oid[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01};

size_t x509_ocsp_hash_len(enum x509_ocsp_hash hash)
{
    return hashes[hash].len;
}

/* ---- in ---- */

/* Beside the answer of the cursor: is it one that has an answer? */
struct reading {
    struct x509_ocsp_request *request;
    const char *unsupported; /* static storage; NULL: it is */
};

static void read_hash(struct der_cursor *c, struct reading *r)
{
    struct der_cursor alg = der_enter(c, DER_SEQUENCE);
    lt_slice oid = der_oid(&alg);
    if (der_is_next(&alg, DER_NULL)) {
        der_null(&alg);
    }
    der_leave(c, &alg);
    for (size_t i = 0; i < X509_OCSP_HASHES; i++) {
        if (lt_slice_eq(oid, hashes[i].oid)) {
            r->request->certid.hash = (enum x509_ocsp_hash)i;
            return;
        }
    }
    r->unsupported = "a CertID by another hash than SHA-1 or SHA-256";
}

/* CertID ::= SEQUENCE { hashAlgorithm, issuerNameHash OCTET STRING, issuerKeyHash OCTET STRING, serialNumber
 * }
 */
static void read_certid(struct der_cursor *c, struct reading *r)
{
    struct x509_ocsp_certid *id = &r->request->certid;
    struct der_cursor in = der_enter(c, DER_SEQUENCE);
    read_hash(&in, r);
    id->name_hash = der_octets(&in);
    id->key_hash = der_octets(&in);
    id->serial = der_integer(&in);
    der_leave(c, &in);
    if (!der_ok(c) || r->unsupported != NULL) {
        return;
    }
    size_t len = hashes[id->hash].len;
    if (id->name_hash.len != len || id->key_hash.len != len) {
        der_fail(c, "a hash of another length than its algorithm's");
    } else if ((id->serial.ptr[0] & 0x80) != 0) {
        r->unsupported = "a negative serial, which nobody here was given";
    } else {
        id->serial = id->serial.len > 1 && id->serial.ptr[0] == 0 ? lt_slice_sub(id->serial, 1, SIZE_MAX)
                                                                  : id->serial;
        r->unsupported = id->serial.len > X509_OCSP_SERIAL_MAX ? "a serial of over 20 octets" : NULL;
    }
}

/* An OCTET STRING in the extension's own; before RFC 6960 said so, clients sent the bytes by themselves. */
static void read_nonce(struct der_cursor *c, lt_slice value, struct reading *r)
{
    struct der_cursor in = der_open(value);
    lt_slice inner = der_octets(&in);
    r->request->nonce = der_ok(&in) && !der_more(&in) ? inner : value;
    /* RFC 9654 2.1: neither none nor more than 128 */
    if (r->request->nonce.len == 0 || r->request->nonce.len > X509_OCSP_NONCE_MAX) {
        der_fail(c, "a nonce of no octets, or of over 128");
    }
}

/* Extensions ::= SEQUENCE OF SEQUENCE { extnID, critical DEFAULT FALSE, extnValue OCTET STRING } */
static void read_extensions(struct der_cursor *c, uint32_t tag, struct reading *r)
{
    if (!der_is_next(c, tag)) {
        return;
    }
    struct der_cursor outer = der_enter(c, tag);
    struct der_cursor list = der_enter(&outer, DER_SEQUENCE);
    while (der_more(&list)) {
        struct der_cursor one = der_enter(&list, DER_SEQUENCE);
        lt_slice oid = der_oid(&one);
        bool critical = der_is_next(&one, DER_BOOLEAN) && der_boolean(&one);
        lt_slice value = der_octets(&one);
        der_leave(&list, &one);
        bool nonce = lt_slice_eq(oid, LT_SLICE(nonce_oid, sizeof nonce_oid));
        if (nonce && r->request->nonce.len > 0) {
            der_fail(&list, "two nonces");
        } else if (nonce && der_ok(&list)) {
            read_nonce(&list, value, r);
        } else if (critical) {
            der_fail(&list, "a critical extension that is not known here");
        }
    }
    der_leave(&outer, &list);
    der_leave(c, &outer);
}

/* Request ::= SEQUENCE { reqCert CertID, singleRequestExtensions [0] OPTIONAL } */
static void read_list(struct der_cursor *c, struct reading *r)
{
    struct der_cursor list = der_enter(c, DER_SEQUENCE);
    if (!der_more(&list)) {
        der_fail(&list, "a request for nothing");
    }
    struct der_cursor one = der_enter(&list, DER_SEQUENCE);
    read_certid(&one, r);
    struct x509_ocsp_request aside = {0};
    struct reading ignored = {.request = &aside, .unsupported = NULL};
    read_extensions(&one, DER_CONTEXT_CONS(0), &ignored);
    der_leave(&list, &one);
    if (der_more(&list)) {
        r->unsupported = "several certificates in one request";
        (void)der_count(&list); /* they have to be well-formed all the same */
        list.pos = list.end;
    }
    der_leave(c, &list);
}

/* TBSRequest ::= SEQUENCE { version [0] DEFAULT v1, requestorName [1] OPTIONAL, requestList,
 * requestExtensions [2] OPTIONAL } */
static void read_tbs(struct der_cursor *c, struct reading *r)
{
    struct der_cursor tbs = der_enter(c, DER_SEQUENCE);
    lt_slice ignored;
    if (der_is_next(&tbs, DER_CONTEXT_CONS(0))) {
        struct der_cursor version = der_enter(&tbs, DER_CONTEXT_CONS(0));
        (void)der_small(&version, 0); /* v1, written out though it is the default */
        der_leave(&tbs, &version);
    }
    (void)der_optional(&tbs, DER_CONTEXT_CONS(1), &ignored);
    read_list(&tbs, r);
    read_extensions(&tbs, DER_CONTEXT_CONS(2), r);
    der_leave(c, &tbs);
}

lt_res x509_ocsp_request_parse(lt_slice der, struct x509_ocsp_request *ret_request)
{
    *ret_request = (struct x509_ocsp_request){0};
    struct reading r = {.request = ret_request, .unsupported = NULL};
    LT_CHECK(der.len <= X509_OCSP_REQUEST_MAX, LT_PEER_MALFORMED, "an OCSP request of over %d bytes",
             X509_OCSP_REQUEST_MAX);
    struct der_cursor c = der_open(der);
    struct der_cursor in = der_enter(&c, DER_SEQUENCE);
    read_tbs(&in, &r);
    lt_slice signature;
    (void)der_optional(&in, DER_CONTEXT_CONS(0), &signature);
    der_leave(&c, &in);
    LT_TRY(der_done(&c, "OCSP request"));
    LT_CHECK(r.unsupported == NULL, LT_PEER_UNSUPPORTED, "%s", r.unsupported);
    return LT_OK;
}

/* ---- out ---- */

static void write_certid(struct der_writer *w, const struct x509_ocsp_certid *id)
{
    der_begin(w, DER_SEQUENCE);
    der_put_raw(w, hashes[id->hash].der);
    der_put_octets(w, id->name_hash);
    der_put_octets(w, id->key_hash);
    der_put_unsigned(w, id->serial);
    der_end(w);
}

/* CertStatus ::= CHOICE { good [0] NULL, revoked [1] SEQUENCE { revocationTime GeneralizedTime,
 * revocationReason [0] EXPLICIT CRLReason OPTIONAL }, unknown [2] NULL }
 *= CABF-BR 4.9.9 "OCSP responses MUST conform to RFC 6960 and/or RFC 5019." — so the reason stands here, and
 *in no extension */
static void write_status(struct der_writer *w, const struct x509_ocsp_data *d)
{
    switch (d->status) {
    case X509_OCSP_GOOD:
        der_put(w, DER_CONTEXT(0), (lt_slice){0});
        return;
    case X509_OCSP_UNKNOWN:
        der_put(w, DER_CONTEXT(2), (lt_slice){0});
        return;
    case X509_OCSP_REVOKED:
        break;
    }
    der_begin(w, DER_CONTEXT_CONS(1));
    der_put_generalized_time(w, d->revoked);
    if (d->reason != 0) {
        der_begin(w, DER_CONTEXT_CONS(0));
        der_put_enumerated(w, (uint8_t)d->reason);
        der_end(w);
    }
    der_end(w);
}

static bool time_fits(lt_time t)
{
    return t.us >= 0 && t.us < INT64_C(253402300800) * LT_US_PER_SECOND; /* four digits for the year */
}

/* ResponseData ::= SEQUENCE { responderID [2] KeyHash, producedAt, responses SEQUENCE OF SEQUENCE { certID,
 * certStatus, thisUpdate, nextUpdate [0] } } */
lt_res x509_ocsp_data_write(const struct x509_ocsp_data *d, struct lt_buf *out)
{
    struct der_writer w;
    LT_CHECK(d->reason <= REASON_MAX && time_fits(d->produced) && time_fits(d->revoked) &&
                 time_fits(d->this_update) && time_fits(d->next_update),
             LT_PEER_MALFORMED, "a time or a reason that a response cannot say");
    der_write_init(&w, out);
    der_begin_hint(&w, DER_SEQUENCE, 160);
    der_begin(&w, DER_CONTEXT_CONS(2));
    der_put_octets(&w, d->responder_key_hash);
    der_end(&w);
    der_put_generalized_time(&w, d->produced);
    der_begin(&w, DER_SEQUENCE);
    der_begin(&w, DER_SEQUENCE);
    write_certid(&w, &d->certid);
    write_status(&w, d);
    der_put_generalized_time(&w, d->this_update);
    if (d->next_update.us != 0) {
        der_begin(&w, DER_CONTEXT_CONS(0));
        der_put_generalized_time(&w, d->next_update);
        der_end(&w);
    }
    der_end(&w);
    der_end(&w);
    der_end(&w);
    return der_write_done(&w);
}

/* BasicOCSPResponse ::= SEQUENCE { tbsResponseData, signatureAlgorithm, signature BIT STRING, certs [0]
 * SEQUENCE OF Certificate } */
static void write_basic(struct der_writer *w, lt_slice data, enum x509_sig_alg alg, lt_slice signature,
                        lt_slice certificate)
{
    der_begin_hint(w, DER_SEQUENCE, data.len + signature.len + certificate.len + 40);
    der_put_raw(w, data);
    der_put_raw(w, x509_sig_alg_der(alg));
    der_put_bitstring(w, signature);
    der_begin_hint(w, DER_CONTEXT_CONS(0), certificate.len + 4);
    der_begin_hint(w, DER_SEQUENCE, certificate.len);
    der_put_raw(w, certificate);
    der_end(w);
    der_end(w);
    der_end(w);
}

/* OCSPResponse ::= SEQUENCE { responseStatus ENUMERATED, responseBytes [0] SEQUENCE { responseType OID,
 * response OCTET STRING } } */
lt_res x509_ocsp_response_write(lt_slice data, enum x509_sig_alg alg, lt_slice signature,
                                lt_slice certificate, struct lt_buf *out)
{
    size_t len = data.len + signature.len + certificate.len;
    struct der_writer w;
    der_write_init(&w, out);
    der_begin_hint(&w, DER_SEQUENCE, len + 80);
    der_put_enumerated(&w, 0);
    der_begin_hint(&w, DER_CONTEXT_CONS(0), len + 70);
    der_begin_hint(&w, DER_SEQUENCE, len + 60);
    der_put_oid(&w, LT_SLICE(basic_oid, sizeof basic_oid));
    der_begin_hint(&w, DER_OCTET_STRING, len + 50);
    write_basic(&w, data, alg, signature, certificate);
    der_end(&w);
    der_end(&w);
    der_end(&w);
    der_end(&w);
    return der_write_done(&w);
}

void x509_ocsp_error_write(enum x509_ocsp_error error, uint8_t ret_bytes[X509_OCSP_ERROR_LEN])
{
    const uint8_t bytes[X509_OCSP_ERROR_LEN] = {0x30, 0x03, 0x0a, 0x01, (uint8_t)error};
    memcpy(ret_bytes, bytes, sizeof bytes);
}
