/* TLS Baseline Requirements 7.1.2.2 to 7.1.2.6 and 7.1.2.10 on CA certificates, where zlint does not ask or
 * asks less: purposes, policies, key usage, pointers, other extensions. */
#include "lint/rules/cabf_br_dates.h"
#include "lint/rules/cabf_br_under.h"
#include "lint/rules/common.h"

/*= CABF-BR 7.1.2.10.4 "cA" "MUST be set TRUE" */
static void is_ca(const struct lint_subject *s, struct lint_report *r)
{
    if (!s->cert->ext.ca) {
        lint_found(r, lint_ext_at(s, X509_OID_BASIC_CONSTRAINTS), "%s",
                   s->cert->ext.has_basic_constraints ? "cA is FALSE" : "there is no basicConstraints");
    }
}

static bool under_br(const struct lint_subject *s)
{
    return lint_br_under(s);
}

/*= CABF-BR 7.1.2.10.7 "nonRepudiation N", "keyEncipherment N", "dataEncipherment N", "keyAgreement N" */
static void usage_bits(const struct lint_subject *s, struct lint_report *r)
{
    uint32_t more = s->cert->ext.key_usage &
                    ~(uint32_t)(X509_KU_DIGITAL_SIGNATURE | X509_KU_KEY_CERT_SIGN | X509_KU_CRL_SIGN);
    if (more != 0) {
        lint_found(r, lint_ext_at(s, X509_OID_KEY_USAGE), "the bits 0x%x are not for a CA", more);
    }
}

/* value: the extension. */
static void not_critical(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, (enum x509_oid)r->rule->value);
    if (x != NULL && x->critical) {
        lint_found(r, x->der, "%s is critical", x509_oid_name(x->id.oid));
    }
}

static void eku_missing(const struct lint_subject *s, struct lint_report *r)
{
    lint_found(r, s->cert->tbs, "there is no extKeyUsage");
}

static lt_slice eku_at(const struct lint_subject *s)
{
    return lint_ext_at(s, X509_OID_EXTENDED_KEY_USAGE);
}

/* anyExtendedKeyUsage may be a cross certificate's (7.1.2.2.4), unless we were told that this is none. */
/*= CABF-BR 7.1.2.10.6 "id-kp-serverAuth MUST", "anyExtendedKeyUsage MUST NOT"; 7.1.2.2.5 "id-kp-serverAuth
 *= MUST be present" */
static void tls_purpose(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    bool any = x509_has_eku(e, X509_OID_ANY_EXTENDED_KEY_USAGE);
    if (any && s->in->role == LINT_ROLE_SUB_CA) {
        lint_found(r, eku_at(s), "anyExtendedKeyUsage in a TLS CA");
    } else if (!any && !lint_br_precert_ca(s) && !x509_has_eku(e, X509_OID_SERVER_AUTH)) {
        lint_found(r, eku_at(s), "serverAuth is missing");
    }
}

/*= CABF-BR 7.1.2.10.6 "Any other value NOT RECOMMENDED" */
static void other_purpose(const struct lint_subject *s, struct lint_report *r)
{
    static const enum x509_oid known[] = {
        X509_OID_SERVER_AUTH,
        X509_OID_CLIENT_AUTH,
        X509_OID_CODE_SIGNING,
        X509_OID_EMAIL_PROTECTION,
        X509_OID_TIME_STAMPING,
        X509_OID_OCSP_SIGNING,
        X509_OID_PRECERTIFICATE_SIGNING,
        X509_OID_ANY_EXTENDED_KEY_USAGE,
    };
    const struct x509_extensions *e = &s->cert->ext;
    for (size_t i = 0; i < e->eku_count; i++) {
        if (!lint_oid_in(e->eku[i].oid, known, LT_COUNT(known))) {
            lint_found(r, e->eku[i].der, "purpose %zu is none of TLS", i + 1);
        }
    }
}

static bool precert_ca(const struct lint_subject *s)
{
    return lint_br_precert_ca(s);
}

/*= CABF-BR 7.1.2.4.2 "Any other value MUST NOT"; 7.1.2.10.6 the same purpose "MUST NOT" */
static void precert_alone(const struct lint_subject *s, struct lint_report *r)
{
    if (s->cert->ext.eku_count > 1) {
        lint_found(r, eku_at(s), "precertificate signing is one of %zu purposes", s->cert->ext.eku_count);
    }
}

/*= CABF-BR 7.1.2.4 "This Certificate Profile MUST NOT be used." */
static void precert_used(const struct lint_subject *s, struct lint_report *r)
{
    lint_found(r, lint_validity_at(s), "a CA for signing precertificates, issued when there were to be none");
}

/*= CABF-BR 7.1.2.4 "MUST use a public key of the same public key algorithm as the Issuing CA" */
static void precert_key(const struct lint_subject *s, struct lint_report *r)
{
    if (!lt_slice_eq(s->cert->spki.algorithm, s->in->issuer->spki.algorithm)) {
        lint_found(r, s->cert->spki.algorithm, "its algorithm is not byte for byte the issuer's");
    }
}

/*= CABF-BR 7.1.2.10.5 "RECOMMENDS that the first PolicyInformation value … contains the Reserved Certificate
 *= Policy Identifier" */
static void first_policy(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    size_t i = 0;
    while (i < e->policy_count && !lint_br_reserved(e->policies[i].id.oid)) {
        i++;
    }
    if (i > 0 && i < e->policy_count) {
        lint_found(r, e->policies[0].id.der, "the reserved policy is number %zu", i + 1);
    }
}

/*= CABF-BR 7.1.2.10.5 "policyQualifiers is NOT RECOMMENDED to be present" */
static void no_qualifiers(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    for (size_t i = 0; i < e->policy_count; i++) {
        if (e->policies[i].qualifiers.len > 0) {
            lint_found(r, e->policies[i].qualifiers, "policy %zu has qualifiers", i + 1);
        }
    }
}

static bool same_access(const struct x509_access *a, const struct x509_access *b)
{
    return a->method.oid == b->method.oid && a->location.type == b->location.type &&
           lt_slice_eq(a->location.value, b->location.value);
}

/*= CABF-BR 7.1.2.10.3 "Each AccessDescription MUST only contain a permitted accessMethod … and each
 *= accessLocation MUST be encoded as the specified GeneralName type"; "each accessLocation MUST be unique" */
static void access_check(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    if (e->has_aia && e->aia_count == 0) {
        lint_found(r, lint_ext_at(s, X509_OID_AUTHORITY_INFO_ACCESS), "authorityInfoAccess is empty");
    }
    for (size_t i = 0; i < e->aia_count; i++) {
        const struct x509_access *a = &e->aia[i];
        bool url = a->location.type == X509_GN_URI;
        if (a->method.oid != X509_OID_OCSP && a->method.oid != X509_OID_CA_ISSUERS) {
            lint_found(r, a->method.der, "access method %zu is neither OCSP nor caIssuers", i + 1);
        } else if (!url) {
            lint_found(r, a->location.value, "location %zu is no URL, but name form %d", i + 1,
                       (int)a->location.type);
        } else if (!lt_slice_eq_nocase(lt_slice_sub(a->location.value, 0, 7), LT_LIT("http://"))) {
            lint_found(r, a->location.value, "\"%.*s\" is no http URL", LT_FMT(a->location.value));
        }
        for (size_t k = 0; k < i; k++) {
            if (same_access(a, &e->aia[k])) {
                lint_found(r, a->location.value, "location %zu stands already as location %zu", i + 1, k + 1);
            }
        }
    }
}

/*= CABF-BR 7.1.2.6.1 "Any other extension NOT RECOMMENDED" */
static void other_extension(const struct lint_subject *s, struct lint_report *r)
{
    static const enum x509_oid known[] = {
        X509_OID_AUTHORITY_KEY_IDENTIFIER,
        X509_OID_BASIC_CONSTRAINTS,
        X509_OID_CERTIFICATE_POLICIES,
        X509_OID_CRL_DISTRIBUTION_POINTS,
        X509_OID_KEY_USAGE,
        X509_OID_SUBJECT_KEY_IDENTIFIER,
        X509_OID_EXTENDED_KEY_USAGE,
        X509_OID_AUTHORITY_INFO_ACCESS,
        X509_OID_NAME_CONSTRAINTS,
        X509_OID_SCT_LIST,
    };
    const struct x509_extensions *e = &s->cert->ext;
    for (size_t i = 0; i < e->count; i++) {
        if (!lint_oid_in(e->list[i].id.oid, known, LT_COUNT(known))) {
            lint_found(r, e->list[i].der, "extension %zu (%s) in a subordinate CA", i + 1,
                       lint_oid_label(s, e->list[i].id.der, e->list[i].id.oid));
        }
    }
}

#define BR(level_)                                                                             \
    .source = LINT_CABF_BR, .level = (level_), .kinds = LINT_CERTIFICATE, .any_purpose = true, \
    .effective = BR_2_0_0
#define TLS_SUB_CA (LINT_IS_SUB_CA | LINT_IS_TLS)

static const struct lint_rule rows[] = {
    {"lintel_br_ca_basic_constraints", BR(LINT_ERROR), .asks = "a CA certificate says that it is one",
     .citation = "BR 7.1.2.1.4, 7.1.2.10.4", .when = LINT_IS_CA, .applies = under_br, .check = is_ca},
    {"lintel_br_ca_key_usage_bits", BR(LINT_ERROR),
     .asks = "a CA's keyUsage has keyCertSign, cRLSign and at most digitalSignature",
     .citation = "BR 7.1.2.10.7", .formerly = "BR 7.1.2.1(b), 7.1.2.2(e)", .when = LINT_IS_CA | LINT_HAS_KU,
     .applies = under_br, .check = usage_bits},
    {"lintel_br_ca_policies_critical", BR(LINT_ERROR), .asks = "a CA's certificatePolicies is not critical",
     .citation = "BR 7.1.2.1.2, 7.1.2.2.3, 7.1.2.3.1, 7.1.2.6.1", .formerly = "BR 7.1.2.2(a)",
     .when = LINT_IS_CA | LINT_HAS_CP, .applies = under_br, .check = not_critical,
     .value = X509_OID_CERTIFICATE_POLICIES},
    {"lintel_br_ca_eku_critical", BR(LINT_ERROR), .asks = "a CA's extKeyUsage is not critical",
     .citation = "BR 7.1.2.2.3, 7.1.2.3.1, 7.1.2.4.1, 7.1.2.6.1", .formerly = "BR 7.1.2.2(g)",
     .when = LINT_IS_CA | LINT_HAS_EKU, .applies = under_br, .check = not_critical,
     .value = X509_OID_EXTENDED_KEY_USAGE},
    {"lintel_br_ca_sct_critical", BR(LINT_ERROR), .asks = "a CA's list of SCTs is not critical",
     .citation = "BR 7.1.2.1.2, 7.1.2.2.3, 7.1.2.6.1", .when = LINT_IS_CA | LINT_HAS_SCT, .applies = under_br,
     .check = not_critical, .value = X509_OID_SCT_LIST},
    {"lintel_br_ca_eku_missing", BR(LINT_ERROR), .asks = "a TLS subordinate CA has extKeyUsage",
     .citation = "BR 7.1.2.5.1, 7.1.2.6.1", .when = TLS_SUB_CA, .unless = LINT_HAS_EKU | LINT_IS_CROSS_CA,
     .check = eku_missing},
    {"lintel_br_cross_ca_eku_missing", BR(LINT_WARN), .asks = "a cross-certified CA has extKeyUsage",
     .citation = "BR 7.1.2.2.3", .when = LINT_IS_CROSS_CA | LINT_IS_TLS, .unless = LINT_HAS_EKU,
     .check = eku_missing},
    {"lintel_br_tls_ca_server_auth", BR(LINT_ERROR),
     .asks = "the purposes of a TLS subordinate CA name serverAuth, not anyExtendedKeyUsage",
     .citation = "BR 7.1.2.10.6, 7.1.2.2.5, 7.1.2.3.2", .when = TLS_SUB_CA | LINT_HAS_EKU,
     .check = tls_purpose},
    {"lintel_br_tls_ca_other_purpose", BR(LINT_WARN),
     .asks = "a TLS subordinate CA has no purposes beyond serverAuth and clientAuth",
     .citation = "BR 7.1.2.10.6, 7.1.2.2.5", .when = TLS_SUB_CA | LINT_HAS_EKU, .check = other_purpose},
    {"lintel_br_precert_ca_purpose", BR(LINT_ERROR),
     .asks = "precertificate signing is the only purpose of a CA that has it",
     .citation = "BR 7.1.2.4.2, 7.1.2.10.6, 7.1.2.3.3", .when = LINT_IS_SUB_CA | LINT_HAS_EKU,
     .applies = precert_ca, .check = precert_alone},
    {"lintel_br_precert_ca_used", .source = LINT_CABF_BR, .level = LINT_ERROR, .kinds = LINT_CERTIFICATE,
     .any_purpose = true, .asks = "from 2026-03-15 on there are no precertificate signing CAs",
     .citation = "BR 7.1.2.4", .when = LINT_IS_SUB_CA | LINT_HAS_EKU, .effective = LINT_DAY(2026, 3, 15),
     .applies = precert_ca, .check = precert_used},
    {"lintel_br_precert_ca_key", BR(LINT_ERROR),
     .asks = "a precertificate signing CA has a key of its issuer's algorithm", .citation = "BR 7.1.2.4",
     .when = LINT_IS_SUB_CA | LINT_HAS_EKU | LINT_WITH_ISSUER, .applies = precert_ca, .check = precert_key},
    {"lintel_br_ca_first_policy", BR(LINT_WARN), .asks = "a TLS CA's first policy is the reserved one",
     .citation = "BR 7.1.2.10.5, 7.1.2.2.6", .when = TLS_SUB_CA | LINT_HAS_CP, .check = first_policy},
    {"lintel_br_ca_policy_qualifiers", BR(LINT_WARN), .asks = "a CA's policies have no qualifiers",
     .citation = "BR 7.1.2.10.5, 7.1.2.2.6, 7.1.2.3.2", .when = LINT_IS_CA | LINT_HAS_CP, .applies = under_br,
     .check = no_qualifiers},
    {"lintel_br_ca_info_access", BR(LINT_ERROR),
     .asks = "a CA's authorityInfoAccess has http URLs for OCSP and caIssuers, none twice, and nothing else",
     .citation = "BR 7.1.2.10.3", .when = LINT_IS_SUB_CA | LINT_HAS_AIA, .applies = under_br,
     .check = access_check},
    {"lintel_br_ca_other_extension", BR(LINT_WARN),
     .asks = "a subordinate CA has no extensions beyond those of its profile",
     .citation = "BR 7.1.2.2.3, 7.1.2.3.1, 7.1.2.4.1, 7.1.2.5.1, 7.1.2.6.1", .when = LINT_IS_SUB_CA,
     .applies = under_br, .check = other_extension},
};
const struct lint_table lint_cabf_br_ca_profile = LINT_TABLE(rows);
