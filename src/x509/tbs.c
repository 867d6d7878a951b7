/* Building to-be-signed certificates and requests, and assembling what was signed. */
#include "x509/tbs.h"

#include "x509/build.h"

/* Extension ::= SEQUENCE { extnID OBJECT IDENTIFIER, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }
 */
void x509_ext_begin(struct der_writer *w, enum x509_oid oid, bool critical)
{
    der_begin(w, DER_SEQUENCE);
    der_put_oid(w, x509_oid_der(oid));
    if (critical) {
        der_put_boolean(w, true);
    }
    der_begin(w, DER_OCTET_STRING);
}

void x509_ext_end(struct der_writer *w)
{
    der_end(w);
    der_end(w);
}

/* AuthorityKeyIdentifier ::= SEQUENCE { keyIdentifier [0] OCTET STRING } */
void x509_ext_put_aki(struct der_writer *w, lt_slice key_id)
{
    x509_ext_begin(w, X509_OID_AUTHORITY_KEY_IDENTIFIER, false);
    der_begin(w, DER_SEQUENCE);
    der_put(w, DER_CONTEXT(0), key_id);
    der_end(w);
    x509_ext_end(w);
}

/* GeneralName ::= CHOICE; directoryName is EXPLICIT as Name is a CHOICE itself. */
static void general_name_put(struct der_writer *w, const struct x509_general_name *n)
{
    bool constructed = n->type == X509_GN_OTHER || n->type == X509_GN_X400 || n->type == X509_GN_DIRECTORY ||
                       n->type == X509_GN_EDI;
    der_put(w, constructed ? DER_CONTEXT_CONS(n->type) : DER_CONTEXT(n->type), n->value);
}

/* SubjectAltName ::= SEQUENCE SIZE (1..MAX) OF GeneralName
 *= RFC 5280 4.2.1.6 "If the subject field contains an empty sequence, then the issuing CA MUST include a
 * subjectAltName extension that is marked as critical." */
static void san_put(struct der_writer *w, const struct x509_general_name *san, size_t count, bool critical)
{
    if (count == 0) {
        return;
    }
    x509_ext_begin(w, X509_OID_SUBJECT_ALT_NAME, critical);
    der_begin(w, DER_SEQUENCE);
    for (size_t i = 0; i < count; i++) {
        general_name_put(w, &san[i]);
    }
    der_end(w);
    x509_ext_end(w);
}

/* TLS feature: SEQUENCE OF INTEGER, status_request(5) (RFC 7633) */
static void must_staple_put(struct der_writer *w)
{
    x509_ext_begin(w, X509_OID_TLS_FEATURE, false);
    der_begin(w, DER_SEQUENCE);
    der_put_small(w, 5);
    der_end(w);
    x509_ext_end(w);
}

/* KeyUsage ::= BIT STRING, critical; BasicConstraints ::= SEQUENCE { cA BOOLEAN, pathLenConstraint INTEGER }
 */
static void usage_put(struct der_writer *w, const struct x509_tbs_spec *s)
{
    if (s->key_usage != 0) {
        x509_ext_begin(w, X509_OID_KEY_USAGE, true);
        der_put_named_bits(w, DER_BIT_STRING, s->key_usage);
        x509_ext_end(w);
    }
    if (s->eku_count > 0) {
        x509_ext_begin(w, X509_OID_EXTENDED_KEY_USAGE, false);
        der_begin(w, DER_SEQUENCE);
        for (size_t i = 0; i < s->eku_count; i++) {
            der_put_oid(w, x509_oid_der(s->eku[i]));
        }
        der_end(w);
        x509_ext_end(w);
    }
    if (s->ca) {
        x509_ext_begin(w, X509_OID_BASIC_CONSTRAINTS, true);
        der_begin(w, DER_SEQUENCE);
        der_put_boolean(w, true);
        if (s->has_path_len) {
            der_put_small(w, s->path_len);
        }
        der_end(w);
        x509_ext_end(w);
    }
}

/* SubjectKeyIdentifier ::= OCTET STRING */
static void key_ids_put(struct der_writer *w, const struct x509_tbs_spec *s)
{
    if (s->ski.len > 0) {
        x509_ext_begin(w, X509_OID_SUBJECT_KEY_IDENTIFIER, false);
        der_put_octets(w, s->ski);
        x509_ext_end(w);
    }
    if (s->aki.len > 0) {
        x509_ext_put_aki(w, s->aki);
    }
}

static void access_put(struct der_writer *w, enum x509_oid method, const lt_slice *urls, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        der_begin(w, DER_SEQUENCE);
        der_put_oid(w, x509_oid_der(method));
        der_put(w, DER_CONTEXT(X509_GN_URI), urls[i]);
        der_end(w);
    }
}

/* AuthorityInfoAccess ::= SEQUENCE OF SEQUENCE { accessMethod, accessLocation }; CRLDistributionPoints ::=
 * SEQUENCE OF SEQUENCE { [0] { fullName [0] { uniformResourceIdentifier [6] } } } */
static void pointers_put(struct der_writer *w, const struct x509_tbs_spec *s)
{
    if (s->ocsp_url_count + s->issuer_url_count > 0) {
        x509_ext_begin(w, X509_OID_AUTHORITY_INFO_ACCESS, false);
        der_begin(w, DER_SEQUENCE);
        access_put(w, X509_OID_OCSP, s->ocsp_urls, s->ocsp_url_count);
        access_put(w, X509_OID_CA_ISSUERS, s->issuer_urls, s->issuer_url_count);
        der_end(w);
        x509_ext_end(w);
    }
    if (s->crl_url_count > 0) {
        x509_ext_begin(w, X509_OID_CRL_DISTRIBUTION_POINTS, false);
        der_begin(w, DER_SEQUENCE);
        for (size_t i = 0; i < s->crl_url_count; i++) {
            der_begin(w, DER_SEQUENCE);
            der_begin(w, DER_CONTEXT_CONS(0));
            der_begin(w, DER_CONTEXT_CONS(0));
            der_put(w, DER_CONTEXT(X509_GN_URI), s->crl_urls[i]);
            der_end(w);
            der_end(w);
            der_end(w);
        }
        der_end(w);
        x509_ext_end(w);
    }
}

/* CertificatePolicies ::= SEQUENCE OF SEQUENCE { policyIdentifier OBJECT IDENTIFIER } */
static void policies_put(struct der_writer *w, const struct x509_tbs_spec *s)
{
    if (s->policy_count == 0) {
        return;
    }
    x509_ext_begin(w, X509_OID_CERTIFICATE_POLICIES, false);
    der_begin(w, DER_SEQUENCE);
    for (size_t i = 0; i < s->policy_count; i++) {
        der_begin(w, DER_SEQUENCE);
        der_put_oid(w, s->policies[i]);
        der_end(w);
    }
    der_end(w);
    x509_ext_end(w);
}

static void subtrees_put(struct der_writer *w, uint32_t tag, const struct x509_general_name *list,
                         size_t count)
{
    if (count == 0) {
        return;
    }
    der_begin(w, tag);
    for (size_t i = 0; i < count; i++) {
        der_begin(w, DER_SEQUENCE);
        general_name_put(w, &list[i]);
        der_end(w);
    }
    der_end(w);
}

/* NameConstraints ::= SEQUENCE { permittedSubtrees [0], excludedSubtrees [1] SEQUENCE OF SEQUENCE { base
 * GeneralName } } RFC 5280 4.2.1.10 "Conforming CAs MUST mark this extension as critical" */
static void name_constraints_put(struct der_writer *w, const struct x509_tbs_spec *s)
{
    if (s->permitted_count + s->excluded_count == 0) {
        return;
    }
    x509_ext_begin(w, X509_OID_NAME_CONSTRAINTS, true);
    der_begin(w, DER_SEQUENCE);
    subtrees_put(w, DER_CONTEXT_CONS(0), s->permitted, s->permitted_count);
    subtrees_put(w, DER_CONTEXT_CONS(1), s->excluded, s->excluded_count);
    der_end(w);
    x509_ext_end(w);
}

/* RFC 6962 3.1: poison is NULL and critical; 3.3: the list is an OCTET STRING inside extnValue. */
static void ct_put(struct der_writer *w, const struct x509_tbs_spec *s)
{
    if (s->ct_poison) {
        x509_ext_begin(w, X509_OID_CT_POISON, true);
        der_put_null(w);
        x509_ext_end(w);
    }
    if (s->sct_list.len > 0) {
        x509_ext_begin(w, X509_OID_SCT_LIST, false);
        der_put_octets(w, s->sct_list);
        x509_ext_end(w);
    }
}

static void extra_put(struct der_writer *w, const struct x509_tbs_spec *s)
{
    for (size_t i = 0; i < s->extra_count; i++) {
        der_begin(w, DER_SEQUENCE);
        der_put_oid(w, s->extra[i].oid);
        if (s->extra[i].critical) {
            der_put_boolean(w, true);
        }
        der_put_octets(w, s->extra[i].value);
        der_end(w);
    }
}

/* Extensions [3] EXPLICIT SEQUENCE SIZE (1..MAX) OF Extension */
static void extensions_put(struct der_writer *w, const struct x509_tbs_spec *s)
{
    der_begin_hint(w, DER_CONTEXT_CONS(3), 256);
    der_begin_hint(w, DER_SEQUENCE, 256);
    size_t before = w->out->len;
    usage_put(w, s);
    name_constraints_put(w, s);
    key_ids_put(w, s);
    pointers_put(w, s);
    san_put(w, s->san, s->san_count, s->subject.len == 0);
    policies_put(w, s);
    if (s->must_staple) {
        must_staple_put(w);
    }
    ct_put(w, s);
    extra_put(w, s);
    LT_ASSERT(w->out->len > before || w->out->overflow); /* no certificate of ours is without extensions */
    der_end(w);
    der_end(w);
}

static void name_put(struct der_writer *w, lt_slice name)
{
    if (name.len > 0) {
        der_put_raw(w, name);
    } else {
        der_put(w, DER_SEQUENCE, LT_LIT(""));
    }
}

static lt_res spec_check(const struct x509_tbs_spec *s)
{
    LT_CHECK(s->sig_alg != X509_SIG_UNKNOWN, LT_PEER_UNSUPPORTED, "no signature algorithm is given");
    LT_CHECK(s->serial.len > 0 && s->serial.len <= 20, LT_PEER_MALFORMED, "a serial of %zu bytes",
             s->serial.len);
    LT_CHECK(s->issuer.len > 0 && s->spki.len > 0, LT_PEER_MALFORMED, "issuer or key is missing");
    LT_CHECK(s->not_before.us <= s->not_after.us && lt_date_of(s->not_before).year >= 1950 &&
                 lt_date_of(s->not_after).year <= 9999,
             LT_PEER_MALFORMED, "a validity that ends before it begins, or outside 1950 to 9999");
    LT_CHECK(s->subject.len > 0 || s->san_count > 0, LT_PEER_MALFORMED, "neither subject nor subjectAltName");
    return LT_OK;
}

/* TBSCertificate ::= SEQUENCE { version [0] EXPLICIT v3(2), serialNumber, signature, issuer, validity
 * SEQUENCE { notBefore, notAfter }, subject, subjectPublicKeyInfo, extensions [3] EXPLICIT } */
lt_res x509_tbs_build(const struct x509_tbs_spec *spec, struct lt_buf *out)
{
    LT_TRY(spec_check(spec));
    struct der_writer w;
    der_write_init(&w, out);
    der_begin_hint(&w, DER_SEQUENCE, 512);
    der_begin(&w, DER_CONTEXT_CONS(0));
    der_put_small(&w, 2);
    der_end(&w);
    der_put_unsigned(&w, spec->serial);
    der_put_raw(&w, x509_sig_alg_der(spec->sig_alg));
    der_put_raw(&w, spec->issuer);
    der_begin(&w, DER_SEQUENCE);
    der_put_time(&w, spec->not_before);
    der_put_time(&w, spec->not_after);
    der_end(&w);
    name_put(&w, spec->subject);
    der_put_raw(&w, spec->spki);
    extensions_put(&w, spec);
    der_end(&w);
    return der_write_done(&w);
}

/* CertificationRequestInfo ::= SEQUENCE { version v1(0), subject, subjectPKInfo, attributes [0] { SEQUENCE {
 * extensionRequest, SET { Extensions } } } } */
lt_res x509_csr_info_build(const struct x509_csr_spec *spec, struct lt_buf *out)
{
    struct der_writer w;
    LT_CHECK(spec->spki.len > 0, LT_PEER_MALFORMED, "the key is missing");
    der_write_init(&w, out);
    der_begin_hint(&w, DER_SEQUENCE, 256);
    der_put_small(&w, 0);
    name_put(&w, spec->subject);
    der_put_raw(&w, spec->spki);
    der_begin(&w, DER_CONTEXT_CONS(0));
    if (spec->san_count > 0 || spec->must_staple) {
        der_begin(&w, DER_SEQUENCE);
        der_put_oid(&w, x509_oid_der(X509_OID_EXTENSION_REQUEST));
        der_begin(&w, DER_SET);
        der_begin(&w, DER_SEQUENCE);
        san_put(&w, spec->san, spec->san_count, false);
        if (spec->must_staple) {
            must_staple_put(&w);
        }
        der_end(&w);
        der_end(&w);
        der_end(&w);
    }
    der_end(&w);
    der_end(&w);
    return der_write_done(&w);
}

/* SEQUENCE { toBeSigned, AlgorithmIdentifier, BIT STRING } */
lt_res x509_assemble(lt_slice tbs, enum x509_sig_alg alg, lt_slice signature, struct lt_buf *out)
{
    LT_CHECK(alg != X509_SIG_UNKNOWN && tbs.len > 0 && signature.len > 0, LT_PEER_MALFORMED,
             "nothing to assemble: bytes, algorithm or signature missing");
    struct der_writer w;
    der_write_init(&w, out);
    der_begin_hint(&w, DER_SEQUENCE, tbs.len + signature.len + 32);
    der_put_raw(&w, tbs);
    der_put_raw(&w, x509_sig_alg_der(alg));
    der_put_bitstring(&w, signature);
    der_end(&w);
    return der_write_done(&w);
}

lt_res x509_assemble_around(size_t tbs_len, enum x509_sig_alg alg, lt_slice signature, struct lt_buf *head,
                            struct lt_buf *tail)
{
    LT_CHECK(alg != X509_SIG_UNKNOWN && tbs_len > 0 && signature.len > 0, LT_PEER_MALFORMED,
             "nothing to assemble: bytes, algorithm or signature missing");
    struct der_writer w;
    der_write_init(&w, tail);
    der_put_raw(&w, x509_sig_alg_der(alg));
    der_put_bitstring(&w, signature);
    LT_TRY(der_write_done(&w));
    der_write_init(&w, head);
    der_put_head(&w, DER_SEQUENCE, tbs_len + tail->len);
    return der_write_done(&w);
}
