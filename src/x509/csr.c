/* Certification requests (RFC 2986, with the attributes of RFC 2985). */
#include "x509/csr.h"

/* ExtensionRequest ::= Extensions, the one value of its SET. */
static lt_res extensions_read(struct der_cursor *set, struct lt_arena *a, struct x509_csr *csr)
{
    if (csr->has_extensions) {
        der_fail(set, "an attribute that stands twice");
        return LT_OK;
    }
    csr->has_extensions = true;
    /* An empty list asks for nothing; some clients send one. */
    struct der_cursor ahead = *set;
    lt_slice content = der_read(&ahead, DER_SEQUENCE);
    if (der_ok(&ahead) && content.len == 0) {
        *set = ahead;
        return LT_OK;
    }
    return x509_extensions_read(set, a, &csr->ext);
}

/* Attribute ::= SEQUENCE { type OBJECT IDENTIFIER, values SET SIZE(1..MAX) OF ANY } */
static lt_res attribute_read(struct der_cursor *c, struct lt_arena *a, struct x509_csr *csr)
{
    struct der_cursor seq = der_enter(c, DER_SEQUENCE);
    enum x509_oid type = x509_oid_find(der_oid(&seq));
    struct der_cursor set = der_enter(&seq, DER_SET);
    if (der_ok(&set) && !der_more(&set)) {
        der_wart(&set, set.pos, "an attribute without a value");
    }
    if (type == X509_OID_EXTENSION_REQUEST) {
        LT_TRY(extensions_read(&set, a, csr));
    } else {
        csr->has_challenge_password = csr->has_challenge_password || type == X509_OID_CHALLENGE_PASSWORD;
        while (der_more(&set)) {
            uint32_t tag = DER_NONE;
            lt_slice value = {0};
            (void)der_any(&set, &tag, &value, NULL); /* sticky in the cursor */
        }
    }
    der_leave(&seq, &set);
    der_leave(c, &seq);
    csr->attribute_count++;
    return LT_OK;
}

/* CertificationRequestInfo ::= SEQUENCE { version INTEGER { v1(0) }, subject Name, subjectPKInfo, attributes
 * [0] IMPLICIT SET OF Attribute } */
static lt_res info_read(struct der_cursor *c, struct lt_arena *a, struct x509_csr *csr)
{
    struct der_cursor ahead = *c;
    csr->info = der_read_whole(&ahead, DER_SEQUENCE);
    struct der_cursor seq = der_enter(c, DER_SEQUENCE);
    if (der_small(&seq, INT32_MAX) != 0) {
        der_wart(&seq, seq.pos, "a number outside its range");
    }
    LT_TRY(x509_name_read(&seq, a, &csr->subject));
    LT_TRY(x509_spki_read(&seq, &csr->spki));
    /* The field is not optional, but requests without it are about and harmless. */
    if (der_more(&seq)) {
        struct der_cursor attributes = der_enter(&seq, DER_CONTEXT_CONS(0));
        while (der_more(&attributes)) {
            LT_TRY(attribute_read(&attributes, a, csr));
        }
        der_leave(&seq, &attributes);
    }
    der_leave(c, &seq);
    return LT_OK;
}

/* CertificationRequest ::= SEQUENCE { certificationRequestInfo, signatureAlgorithm, signature BIT STRING } */
static lt_res csr_read(lt_slice der, struct der_notes *notes, struct lt_arena *a, struct x509_csr *ret_csr)
{
    size_t most = notes != NULL ? X509_CSR_DECODED_BYTES : X509_CSR_MAX_BYTES;
    LT_CHECK(der.len <= most, LT_PEER_TOO_LARGE, "a request of %zu bytes", der.len);
    *ret_csr = (struct x509_csr){.der = der};
    struct der_cursor c = der_open(der);
    c.notes = notes;
    struct der_cursor seq = der_enter(&c, DER_SEQUENCE);
    LT_TRY(info_read(&seq, a, ret_csr));
    ret_csr->sig_alg_der = der_read_whole(&seq, DER_SEQUENCE);
    ret_csr->sig_alg = x509_sig_alg_find(ret_csr->sig_alg_der);
    ret_csr->signature = der_bitstring_octets(&seq);
    der_leave(&c, &seq);
    return notes != NULL ? der_done_noted(&c, "certification request")
                         : der_done(&c, "certification request");
}

lt_res x509_csr_parse(lt_slice der, struct lt_arena *a, struct x509_csr *ret_csr)
{
    LT_TRY(csr_read(der, NULL, a, ret_csr));
    return x509_extensions_check(&ret_csr->ext);
}

lt_res x509_csr_decode(lt_slice der, struct lt_arena *a, struct x509_csr *ret_csr)
{
    struct der_notes notes = {.count = 0};
    lt_res r = csr_read(der, &notes, a, ret_csr);
    ret_csr->notes = notes;
    return r;
}
