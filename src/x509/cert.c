/* Certificates (RFC 5280 4.1). */
#include "x509/cert.h"

/*= RFC 5280 4.1.2.2 "CAs MUST NOT use serialNumber values longer than 20 octets" */
enum { SERIAL_MAX = 20 };

/* The whole of the AlgorithmIdentifier that comes next, its inside checked. */
static lt_slice algorithm_read(struct der_cursor *c)
{
    uint32_t tag = DER_NONE;
    lt_slice content = {0};
    struct der_cursor ahead = *c;
    lt_slice whole = der_read_whole(&ahead, DER_SEQUENCE);
    struct der_cursor seq = der_enter(c, DER_SEQUENCE);
    (void)der_oid(&seq);
    if (der_more(&seq)) {
        (void)der_any(&seq, &tag, &content, NULL); /* sticky in the cursor */
    }
    der_leave(c, &seq);
    return whole;
}

/* Version ::= [0] EXPLICIT INTEGER DEFAULT v1 */
static unsigned version_read(struct der_cursor *c)
{
    if (!der_is_next(c, DER_CONTEXT_CONS(0))) {
        return 1;
    }
    struct der_cursor version = der_enter(c, DER_CONTEXT_CONS(0));
    uint64_t v = der_small(&version, INT32_MAX);
    if (der_ok(&version) && v > 2) {
        der_wart(&version, version.pos, "a number outside its range");
    }
    if (der_ok(&version) && v == 0) {
        der_wart(&version, version.pos, "a default value that is encoded");
    }
    der_leave(c, &version);
    return (unsigned)v + 1;
}

static lt_slice serial_read(struct der_cursor *c)
{
    lt_slice serial = der_integer(c);
    if (serial.len > SERIAL_MAX) {
        der_wart(c, serial.ptr, "a serial number of more than 20 bytes");
    }
    return serial;
}

/* UniqueIdentifier ::= IMPLICIT BIT STRING; nothing is made of it. */
static lt_slice unique_id_read(struct der_cursor *c, uint32_t tag, unsigned version)
{
    lt_slice id = {0};
    if (der_optional(c, tag, &id) && version < 2) {
        der_wart(c, id.ptr, "a unique identifier in version 1");
    }
    return id;
}

/* TBSCertificate ::= SEQUENCE { version, serialNumber, signature, issuer, validity, subject,
 * subjectPublicKeyInfo, issuerUniqueID [1] OPTIONAL, subjectUniqueID [2] OPTIONAL, extensions [3] EXPLICIT
 * OPTIONAL } */
static lt_res tbs_read(struct der_cursor *c, struct lt_arena *a, struct x509_cert *cert)
{
    struct der_cursor ahead = *c;
    cert->tbs = der_read_whole(&ahead, DER_SEQUENCE);
    struct der_cursor seq = der_enter(c, DER_SEQUENCE);
    cert->version = version_read(&seq);
    cert->serial = serial_read(&seq);
    cert->sig_alg_der = algorithm_read(&seq);
    cert->sig_alg = x509_sig_alg_find(cert->sig_alg_der);
    LT_TRY(x509_name_read(&seq, a, &cert->issuer));
    struct der_cursor times = seq;
    cert->validity = der_read_whole(&times, DER_SEQUENCE);
    struct der_cursor validity = der_enter(&seq, DER_SEQUENCE);
    cert->not_before = der_time(&validity);
    cert->not_after = der_time(&validity);
    der_leave(&seq, &validity);
    LT_TRY(x509_name_read(&seq, a, &cert->subject));
    LT_TRY(x509_spki_read(&seq, &cert->spki));
    cert->issuer_unique_id = unique_id_read(&seq, DER_CONTEXT(1), cert->version);
    cert->subject_unique_id = unique_id_read(&seq, DER_CONTEXT(2), cert->version);
    if (der_is_next(&seq, DER_CONTEXT_CONS(3))) {
        /*= RFC 5280 4.1.2.9 "This field MUST only appear if the version is 3" */
        if (cert->version != 3) {
            der_wart(&seq, seq.pos, "extensions outside version 3");
        }
        struct der_cursor tagged = der_enter(&seq, DER_CONTEXT_CONS(3));
        LT_TRY(x509_extensions_read(&tagged, a, &cert->ext));
        der_leave(&seq, &tagged);
    }
    der_leave(c, &seq);
    return LT_OK;
}

/* Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signature BIT STRING } */
static lt_res cert_read(lt_slice der, struct der_notes *notes, struct lt_arena *a, struct x509_cert *ret_cert)
{
    size_t most = notes != NULL ? X509_CERT_DECODED_BYTES : X509_CERT_MAX_BYTES;
    LT_CHECK(der.len <= most, LT_PEER_TOO_LARGE, "a certificate of %zu bytes", der.len);
    *ret_cert = (struct x509_cert){.der = der};
    struct der_cursor c = der_open(der);
    c.notes = notes;
    struct der_cursor seq = der_enter(&c, DER_SEQUENCE);
    LT_TRY(tbs_read(&seq, a, ret_cert));
    ret_cert->outer_sig_alg_der = algorithm_read(&seq);
    ret_cert->signature = der_bitstring_octets(&seq);
    /*= RFC 5280 4.1.1.2 "This field MUST contain the same algorithm identifier as the signature field in the
     * sequence tbsCertificate" */
    if (der_ok(&seq) && !lt_slice_eq(ret_cert->sig_alg_der, ret_cert->outer_sig_alg_der)) {
        der_wart(&seq, ret_cert->outer_sig_alg_der.ptr, "two signature algorithms that differ");
    }
    der_leave(&c, &seq);
    return notes != NULL ? der_done_noted(&c, "certificate") : der_done(&c, "certificate");
}

lt_res x509_cert_decode(lt_slice der, struct lt_arena *a, struct x509_cert *ret_cert)
{
    struct der_notes notes = {.count = 0};
    lt_res r = cert_read(der, &notes, a, ret_cert);
    ret_cert->notes = notes;
    return r;
}

lt_res x509_cert_parse(lt_slice der, struct lt_arena *a, struct x509_cert *ret_cert)
{
    LT_TRY(cert_read(der, NULL, a, ret_cert));
    return x509_extensions_check(&ret_cert->ext);
}

static lt_res bare_read(lt_slice der, struct der_notes *notes, struct lt_arena *a, struct x509_cert *ret_cert)
{
    size_t most = notes != NULL ? X509_CERT_DECODED_BYTES : X509_CERT_MAX_BYTES;
    LT_CHECK(der.len <= most, LT_PEER_TOO_LARGE, "a certificate of %zu bytes", der.len);
    *ret_cert = (struct x509_cert){0};
    struct der_cursor c = der_open(der);
    c.notes = notes;
    LT_TRY(tbs_read(&c, a, ret_cert));
    return notes != NULL ? der_done_noted(&c, "to-be-signed certificate")
                         : der_done(&c, "to-be-signed certificate");
}

lt_res x509_tbs_decode(lt_slice der, struct lt_arena *a, struct x509_cert *ret_cert)
{
    struct der_notes notes = {.count = 0};
    lt_res r = bare_read(der, &notes, a, ret_cert);
    ret_cert->notes = notes;
    return r;
}

lt_res x509_tbs_parse(lt_slice der, struct lt_arena *a, struct x509_cert *ret_cert)
{
    LT_TRY(bare_read(der, NULL, a, ret_cert));
    return x509_extensions_check(&ret_cert->ext);
}

lt_slice x509_serial_magnitude(lt_slice serial)
{
    return serial.len > 1 && serial.ptr[0] == 0 ? lt_slice_sub(serial, 1, serial.len - 1) : serial;
}
