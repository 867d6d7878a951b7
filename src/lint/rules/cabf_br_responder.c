/* TLS Baseline Requirements 7.1.2.8 on certificates of OCSP responders, where zlint does not ask. */
#include "lint/rules/cabf_br_dates.h"
#include "lint/rules/common.h"

/* Also what says of itself that it is a CA. */
static bool responder(const struct lint_subject *s)
{
    return x509_has_eku(&s->cert->ext, X509_OID_OCSP_SIGNING);
}

/*= CABF-BR 7.1.2.8.4 "OCSP Responder certificates MUST NOT be CA certificates." */
static void no_ca(const struct lint_subject *s, struct lint_report *r)
{
    if (s->cert->ext.ca) {
        lint_found(r, lint_ext_at(s, X509_OID_BASIC_CONSTRAINTS), "cA is TRUE");
    }
}

/*= CABF-BR 7.1.2.8.4 "MUST have an extnValue OCTET STRING which is exactly the hex-encoded bytes 3000" */
static void constraints(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, X509_OID_BASIC_CONSTRAINTS);
    if (!x->critical) {
        lint_found(r, x->der, "basicConstraints is not critical");
    }
    if (!s->cert->ext.ca && !lt_slice_eq(x->value, LT_LIT("\x30\x00"))) {
        lint_found(r, x->value, "the value is not 30 00");
    }
}

/*= CABF-BR 7.1.2.8.5 id-kp-OCSPSigning "MUST", any other value "MUST NOT" */
static void purposes(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    if (!responder(s)) {
        lint_found(r, lint_ext_at(s, X509_OID_EXTENDED_KEY_USAGE), "OCSPSigning is missing");
    }
    for (size_t i = 0; i < e->eku_count; i++) {
        if (e->eku[i].oid != X509_OID_OCSP_SIGNING) {
            lint_found(r, e->eku[i].der, "%s stands beside OCSPSigning",
                       lint_oid_label(s, e->eku[i].der, e->eku[i].oid));
        }
    }
}

/*= CABF-BR 7.1.2.8.6 "MUST have an extnValue OCTET STRING which is exactly the hex-encoded bytes 0500" */
static void no_check(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, X509_OID_OCSP_NO_CHECK);
    if (x == NULL) {
        return; /* zlint's e_ocsp_id_pkix_ocsp_nocheck_ext_not_included_server_auth */
    }
    if (x->critical) {
        lint_found(r, x->der, "id-pkix-ocsp-nocheck is critical");
    }
    if (!lt_slice_eq(x->value, LT_LIT("\x05\x00"))) {
        lint_found(r, x->der, "the value of id-pkix-ocsp-nocheck is not 05 00");
    }
}

/*= CABF-BR 7.1.2.8.2 "keyUsage MUST Y"; 7.1.2.8.7 "digitalSignature Y Y" */
static void key_usage(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, X509_OID_KEY_USAGE);
    if (x == NULL) {
        lint_found(r, s->cert->tbs, "there is no keyUsage");
        return;
    }
    if (!x->critical) {
        lint_found(r, x->der, "keyUsage is not critical");
    }
    if ((s->cert->ext.key_usage & X509_KU_DIGITAL_SIGNATURE) == 0) {
        lint_found(r, x->der, "the bits 0x%x are without digitalSignature", s->cert->ext.key_usage);
    }
}

/* Extensions that have no place, or only as not critical. */
/*= CABF-BR 7.1.2.8.2 "nameConstraints MUST NOT", "subjectAltName MUST NOT", "crlDistributionPoints MUST NOT"
 */
static void forbidden(const struct lint_subject *s, struct lint_report *r)
{
    static const enum x509_oid no[] = {X509_OID_NAME_CONSTRAINTS, X509_OID_SUBJECT_ALT_NAME,
                                       X509_OID_CRL_DISTRIBUTION_POINTS};
    static const enum x509_oid not_critical[] = {
        X509_OID_AUTHORITY_KEY_IDENTIFIER, X509_OID_SUBJECT_KEY_IDENTIFIER, X509_OID_AUTHORITY_INFO_ACCESS,
        X509_OID_CERTIFICATE_POLICIES, X509_OID_SCT_LIST};
    for (size_t i = 0; i < LT_COUNT(no); i++) {
        const struct x509_extension *x = lint_ext(s, no[i]);
        if (x != NULL) {
            lint_found(r, x->der, "there is %s", x509_oid_name(no[i]));
        }
    }
    for (size_t i = 0; i < LT_COUNT(not_critical); i++) {
        const struct x509_extension *x = lint_ext(s, not_critical[i]);
        if (x != NULL && x->critical) {
            lint_found(r, x->der, "%s is critical", x509_oid_name(not_critical[i]));
        }
    }
}

static void aki_missing(const struct lint_subject *s, struct lint_report *r)
{
    lint_found(r, s->cert->tbs, "there is no authorityKeyIdentifier");
}

/*= CABF-BR 7.1.2.8.3 id-ad-ocsp "NOT RECOMMENDED", any other value "MUST NOT" */
static void access_check(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    if (e->has_aia && e->aia_count == 0) {
        lint_found(r, lint_ext_at(s, X509_OID_AUTHORITY_INFO_ACCESS), "authorityInfoAccess is empty");
    }
    for (size_t i = 0; i < e->aia_count; i++) {
        const struct x509_access *a = &e->aia[i];
        if (a->method.oid != X509_OID_OCSP) {
            lint_found(r, a->method.der, "an access method other than OCSP");
        } else if (a->location.type != X509_GN_URI ||
                   !lt_slice_eq_nocase(lt_slice_sub(a->location.value, 0, 7), LT_LIT("http://"))) {
            lint_found(r, a->location.value, "a location that is no http URL");
        }
    }
}

static void has_access(const struct lint_subject *s, struct lint_report *r)
{
    lint_found(r, lint_ext_at(s, X509_OID_AUTHORITY_INFO_ACCESS), "there is authorityInfoAccess");
}

/*= CABF-BR 7.1.2.8.2 "Any other extension NOT RECOMMENDED" */
static void other_extension(const struct lint_subject *s, struct lint_report *r)
{
    static const enum x509_oid known[] = {
        X509_OID_AUTHORITY_KEY_IDENTIFIER,
        X509_OID_EXTENDED_KEY_USAGE,
        X509_OID_OCSP_NO_CHECK,
        X509_OID_KEY_USAGE,
        X509_OID_BASIC_CONSTRAINTS,
        X509_OID_NAME_CONSTRAINTS,
        X509_OID_SUBJECT_ALT_NAME,
        X509_OID_SUBJECT_KEY_IDENTIFIER,
        X509_OID_AUTHORITY_INFO_ACCESS,
        X509_OID_CERTIFICATE_POLICIES,
        X509_OID_CRL_DISTRIBUTION_POINTS,
        X509_OID_SCT_LIST,
    };
    const struct x509_extensions *e = &s->cert->ext;
    for (size_t i = 0; i < e->count; i++) {
        if (!lint_oid_in(e->list[i].id.oid, known, LT_COUNT(known))) {
            lint_found(r, e->list[i].der, "extension %zu (%s) in a responder", i + 1,
                       lint_oid_label(s, e->list[i].id.der, e->list[i].id.oid));
        }
    }
}

/* The subject is a CA's (7.1.2.8 names 7.1.2.10.2). */
static void name_needed(const struct lint_subject *s, struct lint_report *r)
{
    static const enum x509_oid needed[] = {X509_OID_C, X509_OID_O, X509_OID_CN};
    for (size_t i = 0; i < LT_COUNT(needed); i++) {
        if (!lint_has_attribute(&s->cert->subject, needed[i])) {
            lint_found(r, s->cert->subject.der, "there is no %s", x509_oid_name(needed[i]));
        }
    }
}

#define BR(level_)                                                                             \
    .source = LINT_CABF_BR, .level = (level_), .kinds = LINT_CERTIFICATE, .any_purpose = true, \
    .effective = BR_2_0_0

static const struct lint_rule rows[] = {
    {"lintel_br_responder_no_ca", BR(LINT_ERROR), .asks = "who has the purpose OCSPSigning is no CA",
     .citation = "BR 7.1.2.8.4", .when = LINT_HAS_EKU, .applies = responder, .check = no_ca},
    {"lintel_br_responder_basic_constraints", BR(LINT_ERROR),
     .asks = "a responder's basicConstraints is critical and empty", .citation = "BR 7.1.2.8.2, 7.1.2.8.4",
     .when = LINT_IS_OCSP_RESPONDER | LINT_HAS_BC, .check = constraints},
    {"lintel_br_responder_purpose", BR(LINT_ERROR), .asks = "a responder's purpose is OCSPSigning alone",
     .citation = "BR 7.1.2.8.5", .when = LINT_IS_OCSP_RESPONDER, .check = purposes},
    {"lintel_br_responder_no_check", BR(LINT_ERROR),
     .asks = "a responder's id-pkix-ocsp-nocheck is NULL and not critical", .citation = "BR 7.1.2.8.6",
     .when = LINT_IS_OCSP_RESPONDER, .check = no_check},
    {"lintel_br_responder_key_usage", BR(LINT_ERROR),
     .asks = "a responder has a critical keyUsage with digitalSignature",
     .citation = "BR 7.1.2.8.2, 7.1.2.8.7", .when = LINT_IS_OCSP_RESPONDER, .check = key_usage},
    {"lintel_br_responder_forbidden", BR(LINT_ERROR),
     .asks = "a responder has no nameConstraints, subjectAltName and cRLDistributionPoints, and identifiers, "
             "pointers and policies are not critical",
     .citation = "BR 7.1.2.8.2", .when = LINT_IS_OCSP_RESPONDER, .check = forbidden},
    {"lintel_br_responder_aki_missing", BR(LINT_ERROR), .asks = "a responder has authorityKeyIdentifier",
     .citation = "BR 7.1.2.8.2", .when = LINT_IS_OCSP_RESPONDER, .unless = LINT_HAS_AKI,
     .check = aki_missing},
    {"lintel_br_responder_access_method", BR(LINT_ERROR),
     .asks = "authorityInfoAccess of a responder has http URLs for OCSP and nothing else",
     .citation = "BR 7.1.2.8.3", .when = LINT_IS_OCSP_RESPONDER | LINT_HAS_AIA, .check = access_check},
    {"lintel_br_responder_access", BR(LINT_WARN), .asks = "a responder has no authorityInfoAccess",
     .citation = "BR 7.1.2.8.2, 7.1.2.8.3", .when = LINT_IS_OCSP_RESPONDER | LINT_HAS_AIA,
     .check = has_access},
    {"lintel_br_responder_other_extension", BR(LINT_WARN),
     .asks = "a responder has no extensions beyond those of its profile", .citation = "BR 7.1.2.8.2",
     .when = LINT_IS_OCSP_RESPONDER, .check = other_extension},
    {"lintel_br_responder_name", BR(LINT_ERROR),
     .asks = "a responder's name has country, organization and common name",
     .citation = "BR 7.1.2.8, 7.1.2.10.2", .when = LINT_IS_OCSP_RESPONDER, .check = name_needed},
};
const struct lint_table lint_cabf_br_responder = LINT_TABLE(rows);
