/* TLS Baseline Requirements 7.1.2.3 on subordinate CAs that cannot issue for TLS. What zlint asks of servers'
 * certificates and would ask of them, too, stands in cabf_br_outside.c. */
#include "lint/rules/cabf_br_dates.h"
#include "lint/rules/cabf_br_under.h"
#include "lint/rules/common.h"

static bool non_tls_ca(const struct lint_subject *s)
{
    return lint_br_non_tls_ca(s);
}

static void usage_needed(const struct lint_subject *s, struct lint_report *r)
{
    uint32_t need = X509_KU_KEY_CERT_SIGN | X509_KU_CRL_SIGN;
    if ((s->cert->ext.key_usage & need) != need) {
        lint_found(r, lint_ext_at(s, X509_OID_KEY_USAGE), "the bits 0x%x: keyCertSign and cRLSign are needed",
                   s->cert->ext.key_usage);
    }
}

/* The extensions of a CA that cannot issue for TLS which no other rule asks for. */
static void non_tls_extensions(const struct lint_subject *s, struct lint_report *r)
{
    static const struct {
        enum x509_oid oid;
        bool needed;
        bool critical;
    } table[] = {
        {X509_OID_KEY_USAGE, true, true},
        {X509_OID_CRL_DISTRIBUTION_POINTS, true, false},
        {X509_OID_AUTHORITY_INFO_ACCESS, false, false},
    };
    for (size_t i = 0; i < LT_COUNT(table); i++) {
        const struct x509_extension *x = lint_ext(s, table[i].oid);
        if (x == NULL && table[i].needed) {
            lint_found(r, s->cert->tbs, "there is no %s", x509_oid_name(table[i].oid));
        } else if (x != NULL && x->critical != table[i].critical) {
            lint_found(r, x->der, "%s is %scritical", x509_oid_name(table[i].oid), x->critical ? "" : "not ");
        }
    }
}

static lt_slice eku_at(const struct lint_subject *s)
{
    return lint_ext_at(s, X509_OID_EXTENDED_KEY_USAGE);
}

/*= CABF-BR 7.1.2.3.3 id-kp-OCSPSigning "MUST NOT" */
static void non_tls_purpose(const struct lint_subject *s, struct lint_report *r)
{
    if (x509_has_eku(&s->cert->ext, X509_OID_OCSP_SIGNING)) {
        lint_found(r, eku_at(s), "OCSPSigning in a CA");
    }
}

/*= CABF-BR 7.1.2.3.3 "multiple, independent key purposes … are NOT RECOMMENDED" */
static void one_purpose(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    int count = x509_has_eku(e, X509_OID_EMAIL_PROTECTION) + x509_has_eku(e, X509_OID_CODE_SIGNING) +
                x509_has_eku(e, X509_OID_TIME_STAMPING);
    if (count > 1) {
        lint_found(r, eku_at(s), "%d purposes that have nothing to do with each other", count);
    }
}

static bool any_policy(const struct x509_extensions *e)
{
    for (size_t i = 0; i < e->policy_count; i++) {
        if (e->policies[i].id.oid == X509_OID_ANY_POLICY) {
            return true;
        }
    }
    return false;
}

/*= CABF-BR 7.1.2.3.2 "MUST contain only a single PolicyInformation value" */
static void any_policy_alone(const struct lint_subject *s, struct lint_report *r)
{
    if (s->cert->ext.policy_count > 1 && any_policy(&s->cert->ext)) {
        lint_found(r, lint_ext_at(s, X509_OID_CERTIFICATE_POLICIES), "anyPolicy is one of %zu policies",
                   s->cert->ext.policy_count);
    }
}

/* The policy qualifiers that zlint does not look at because the CA is none of TLS. */
/*= CABF-BR 7.1.2.3.2 "Any other qualifier MUST NOT" */
static void cps_only(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    for (size_t i = 0; i < e->policy_count; i++) {
        struct der_cursor c = der_open(e->policies[i].qualifiers);
        struct der_cursor list = der_enter(&c, DER_SEQUENCE);
        while (der_more(&list)) {
            struct der_cursor info = der_enter(&list, DER_SEQUENCE);
            lt_slice id = der_oid(&info);
            if (der_ok(&info) && x509_oid_find(id) != X509_OID_CPS_QUALIFIER) {
                lint_found(r, id, "a qualifier of policy %zu is no CPS pointer", i + 1);
            }
        }
    }
}

/*= CABF-BR 7.1.2.10.2 "countryName MUST", "organizationName MUST", "commonName MUST" */
static void name_needed(const struct lint_subject *s, struct lint_report *r)
{
    static const enum x509_oid needed[] = {X509_OID_C, X509_OID_O, X509_OID_CN};
    for (size_t i = 0; i < LT_COUNT(needed); i++) {
        if (!lint_has_attribute(&s->cert->subject, needed[i])) {
            lint_found(r, s->cert->subject.der, "there is no %s", x509_oid_name(needed[i]));
        }
    }
}

/*= CABF-BR 7.1.2.10.2 "This attribute SHOULD NOT be included in other types of CA Certificates." */
static void no_unit(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_attribute *ou = x509_name_find(&s->cert->subject, X509_OID_OU, 0);
    if (ou != NULL) {
        lint_found(r, ou->value, "organizationalUnitName \"%.*s\"", LT_FMT(ou->value));
    }
}

#define BR(level_)                                                                             \
    .source = LINT_CABF_BR, .level = (level_), .kinds = LINT_CERTIFICATE, .any_purpose = true, \
    .effective = BR_2_0_0

static const struct lint_rule rows[] = {
    {"lintel_br_non_tls_ca_purpose", BR(LINT_ERROR), .asks = "a CA outside TLS is no OCSP responder",
     .citation = "BR 7.1.2.3.3", .when = LINT_IS_SUB_CA | LINT_HAS_EKU, .applies = non_tls_ca,
     .check = non_tls_purpose},
    {"lintel_br_non_tls_ca_one_purpose", BR(LINT_WARN),
     .asks = "a CA outside TLS has no purposes that are independent of each other",
     .citation = "BR 7.1.2.3.3", .when = LINT_IS_SUB_CA | LINT_HAS_EKU, .applies = non_tls_ca,
     .check = one_purpose},
    {"lintel_br_non_tls_ca_extensions", BR(LINT_ERROR),
     .asks = "a CA outside TLS has a critical keyUsage and cRLDistributionPoints that are not",
     .citation = "BR 7.1.2.3.1", .when = LINT_IS_SUB_CA | LINT_HAS_EKU, .applies = non_tls_ca,
     .check = non_tls_extensions},
    {"lintel_br_non_tls_ca_key_usage", BR(LINT_ERROR),
     .asks = "keyUsage of a CA outside TLS has keyCertSign and cRLSign", .citation = "BR 7.1.2.10.7",
     .when = LINT_IS_SUB_CA | LINT_HAS_EKU | LINT_HAS_KU, .applies = non_tls_ca, .check = usage_needed},
    {"lintel_br_non_tls_ca_any_policy", BR(LINT_ERROR), .asks = "anyPolicy of a CA outside TLS stands alone",
     .citation = "BR 7.1.2.3.2", .when = LINT_IS_SUB_CA | LINT_HAS_CP, .applies = non_tls_ca,
     .check = any_policy_alone},
    {"lintel_br_non_tls_ca_qualifiers", BR(LINT_ERROR),
     .asks = "the only policy qualifier of a CA outside TLS is the pointer to a practice statement",
     .citation = "BR 7.1.2.3.2", .when = LINT_IS_SUB_CA | LINT_HAS_CP, .applies = non_tls_ca,
     .check = cps_only},
    {"lintel_br_non_tls_ca_name", BR(LINT_ERROR),
     .asks = "the name of a CA outside TLS has country, organization and common name",
     .citation = "BR 7.1.2.10.2", .when = LINT_IS_SUB_CA | LINT_HAS_EKU, .applies = non_tls_ca,
     .check = name_needed},
    {"lintel_br_non_tls_ca_unit", BR(LINT_WARN),
     .asks = "the name of a CA outside TLS has no organizationalUnitName", .citation = "BR 7.1.2.10.2",
     .when = LINT_IS_SUB_CA | LINT_HAS_EKU, .applies = non_tls_ca, .check = no_unit},
};
const struct lint_table lint_cabf_br_non_tls = LINT_TABLE(rows);
