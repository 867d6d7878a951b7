/* S/MIME Baseline Requirements 7.1.2.1, 7.1.2.2, 7.1.4.3, 7.1.5 and 7.1.6: CAs. Which root is one for S/MIME
 * says only the profile; a CA below it names emailProtection. */
#include "lint/rules/smime.h"
#include "lint/rules/url.h"
#include "x509/dnsname.h"

#define CA(level_)                                                                                   \
    .source = LINT_CABF_SMIME_BR, .level = (level_), .kinds = LINT_CERTIFICATE, .any_purpose = true, \
    .effective = LINT_DAY(2023, 9, 1)

static bool is_mail_ca(const struct lint_subject *s)
{
    return lint_is(s, LINT_IS_SMIME) || x509_has_eku(&s->cert->ext, X509_OID_EMAIL_PROTECTION);
}

static void basic_constraints(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, X509_OID_BASIC_CONSTRAINTS);
    if (x == NULL || !x->critical || !s->cert->ext.ca) {
        lint_found(r, lint_ext_at(s, X509_OID_BASIC_CONSTRAINTS),
                   "basicConstraints is not a critical one of a CA");
    }
}

static void path_length(const struct lint_subject *s, struct lint_report *r)
{
    if (s->cert->ext.has_path_len) {
        lint_found(r, lint_ext_at(s, X509_OID_BASIC_CONSTRAINTS), "a path length in a root");
    }
}

static void key_usage(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, X509_OID_KEY_USAGE);
    uint32_t must = X509_KU_KEY_CERT_SIGN | X509_KU_CRL_SIGN;
    if (x == NULL || !x->critical) {
        lint_found(r, lint_ext_at(s, X509_OID_KEY_USAGE), "keyUsage is %s",
                   x == NULL ? "missing" : "not critical");
    } else if ((s->cert->ext.key_usage & must) != must) {
        lint_found(r, x->der, "key usage 0x%x is without keyCertSign or cRLSign", s->cert->ext.key_usage);
    }
}

/* value: the extension that has to be there. */
static void present(const struct lint_subject *s, struct lint_report *r)
{
    enum x509_oid oid = (enum x509_oid)r->rule->value;
    if (lint_ext(s, oid) == NULL) {
        lint_found(r, s->cert->tbs, "%s is missing", x509_oid_name(oid));
    }
}

/* value: the extension that is not to be there. */
static void absent(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, (enum x509_oid)r->rule->value);
    if (x != NULL) {
        lint_found(r, x->der, "%s in a root", x509_oid_name(x->id.oid));
    }
}

/* value: the extension that is not to be critical. */
static void not_critical(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, (enum x509_oid)r->rule->value);
    if (x != NULL && x->critical) {
        lint_found(r, x->der, "%s is critical", x509_oid_name(x->id.oid));
    }
}

/*= CABF-SBR 7.1.6.3 "one or more explicit policy identifiers defined in Section 7.1.6.1", or anyPolicy below
 * an affiliate */
static void own_policy(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->cert->ext.policy_count; i++) {
        enum x509_oid oid = s->cert->ext.policies[i].id.oid;
        if (oid == X509_OID_ANY_POLICY ||
            (oid >= X509_OID_POLICY_SMIME_MV_LEGACY && oid <= X509_OID_POLICY_SMIME_IV_STRICT)) {
            return;
        }
    }
    lint_found(r, lint_ext_at(s, X509_OID_CERTIFICATE_POLICIES),
               "neither a reserved S/MIME policy nor anyPolicy");
}

static void crl_points(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->cert->ext.crldp_count; i++) {
        const struct x509_general_names *names = &s->cert->ext.crldp[i].names;
        for (size_t k = 0; k < names->count; k++) {
            if (names->list[k].type == X509_GN_URI && lint_url_has_scheme(names->list[k].value, "http")) {
                return;
            }
        }
    }
    lint_found(r, lint_ext_at(s, X509_OID_CRL_DISTRIBUTION_POINTS), "no http URL of a CRL");
}

static void issuer_location(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->cert->ext.aia_count; i++) {
        const struct x509_access *a = &s->cert->ext.aia[i];
        if (a->method.oid == X509_OID_CA_ISSUERS && a->location.type == X509_GN_URI &&
            lint_url_has_scheme(a->location.value, "http")) {
            return;
        }
    }
    lint_found(r, lint_ext_at(s, X509_OID_AUTHORITY_INFO_ACCESS), "no http URL of the issuer's certificate");
}

/* Cross certificates may have all but any purpose. */
static void purposes(const struct lint_subject *s, struct lint_report *r)
{
    static const enum x509_oid forbidden[] = {X509_OID_ANY_EXTENDED_KEY_USAGE, X509_OID_SERVER_AUTH,
                                              X509_OID_CODE_SIGNING, X509_OID_TIME_STAMPING};
    const struct x509_extensions *e = &s->cert->ext;
    bool cross = lint_is(s, LINT_IS_CROSS_CA);
    if (!cross && !x509_has_eku(e, X509_OID_EMAIL_PROTECTION)) {
        lint_found(r, lint_ext_at(s, X509_OID_EXTENDED_KEY_USAGE), "key purpose emailProtection is missing");
    }
    for (size_t i = 0; i < (cross ? 1 : LT_COUNT(forbidden)); i++) {
        if (x509_has_eku(e, forbidden[i])) {
            lint_found(r, lint_ext_at(s, X509_OID_EXTENDED_KEY_USAGE), "key purpose %s",
                       x509_oid_name(forbidden[i]));
        }
    }
}

static void authority_key(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    if (!e->has_aki || e->aki_key_id.len == 0 || e->aki_issuer.count > 0 || e->aki_serial.len > 0) {
        lint_found(r, lint_ext_at(s, X509_OID_AUTHORITY_KEY_IDENTIFIER),
                   "authorityKeyIdentifier is not a keyIdentifier alone");
    }
}

static void name(const struct lint_subject *s, struct lint_report *r)
{
    static const enum x509_oid must[] = {X509_OID_CN, X509_OID_O, X509_OID_C};
    for (size_t i = 0; i < LT_COUNT(must); i++) {
        if (!lint_has_attribute(&s->cert->subject, must[i])) {
            lint_found(r, s->cert->subject.der, "the subject has no %s", x509_oid_name(must[i]));
        }
    }
}

static void country(const struct lint_subject *s, struct lint_report *r)
{
    lt_slice c = lint_last_attribute(&s->cert->subject, X509_OID_C);
    if (c.len > 0 && !lint_country(c) && !lt_slice_eq_cstr(c, "XX")) {
        lint_found(r, c, "country '%.*s' is no assigned code", LT_FMT(c));
    }
}

/*= CABF-SBR 7.1.5 "SHALL contain either a FQDN or a U+002E FULL STOP (".") character followed by a FQDN" */
static void constraint_mail(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_general_names *permitted = &s->cert->ext.permitted;
    for (size_t i = 0; i < permitted->count; i++) {
        if (permitted->list[i].type != X509_GN_EMAIL) {
            continue;
        }
        lt_slice text = permitted->list[i].value;
        lt_slice host = lt_slice_starts(text, LT_LIT(".")) ? lt_slice_sub(text, 1, text.len) : text;
        if (lt_failed(x509_dns_check(host, 0))) {
            lint_found(r, text, "permitted '%.*s' is no domain name", LT_FMT(text));
        }
    }
}

static const struct lint_rule rows[] = {
    {"lintel_smime_ca_basic_constraints", CA(LINT_ERROR),
     .asks = "basicConstraints is there, critical, of a CA", .citation = "SBR 7.1.2.1 a, 7.1.2.2 d",
     .when = LINT_IS_CA, .applies = is_mail_ca, .check = basic_constraints},
    {"lintel_smime_root_path_length", CA(LINT_WARN), .asks = "a root has no path length",
     .citation = "SBR 7.1.2.1 a", .when = LINT_IS_ROOT, .applies = is_mail_ca, .check = path_length},
    {"lintel_smime_ca_key_usage", CA(LINT_ERROR),
     .asks = "keyUsage is there, critical, with keyCertSign and cRLSign",
     .citation = "SBR 7.1.2.1 b, 7.1.2.2 e", .when = LINT_IS_CA, .applies = is_mail_ca, .check = key_usage},
    {"lintel_smime_root_policies", CA(LINT_WARN), .asks = "a root has no policies",
     .citation = "SBR 7.1.2.1 c, 7.1.6.2", .when = LINT_IS_ROOT, .applies = is_mail_ca, .check = absent,
     .value = X509_OID_CERTIFICATE_POLICIES},
    {"lintel_smime_root_purposes", CA(LINT_ERROR), .asks = "a root has no key purposes",
     .citation = "SBR 7.1.2.1 d", .when = LINT_IS_ROOT, .applies = is_mail_ca, .check = absent,
     .value = X509_OID_EXTENDED_KEY_USAGE},
    {"lintel_smime_ca_ski", CA(LINT_ERROR), .asks = "subjectKeyIdentifier is there",
     .citation = "SBR 7.1.2.1 e, 7.1.2.2 i", .when = LINT_IS_CA, .applies = is_mail_ca, .check = present,
     .value = X509_OID_SUBJECT_KEY_IDENTIFIER},
    {"lintel_smime_ca_policies", CA(LINT_ERROR), .asks = "certificatePolicies is there",
     .citation = "SBR 7.1.2.2 a", .when = LINT_IS_SUB_CA, .applies = is_mail_ca, .check = present,
     .value = X509_OID_CERTIFICATE_POLICIES},
    {"lintel_smime_ca_policies_critical", CA(LINT_WARN), .asks = "certificatePolicies is not critical",
     .citation = "SBR 7.1.2.2 a", .when = LINT_IS_SUB_CA, .applies = is_mail_ca, .check = not_critical,
     .value = X509_OID_CERTIFICATE_POLICIES},
    {"lintel_smime_ca_own_policy", CA(LINT_ERROR), .asks = "a reserved S/MIME policy or anyPolicy is there",
     .citation = "SBR 7.1.6.3", .when = LINT_IS_SUB_CA | LINT_HAS_CP, .applies = is_mail_ca,
     .check = own_policy},
    {"lintel_smime_ca_policy_qualifiers", CA(LINT_ERROR),
     .asks = "CPS pointers are http or https URLs; user notices have a text and no reference",
     .citation = "SBR 7.1.2.2 a", .when = LINT_IS_SUB_CA | LINT_HAS_CP, .applies = is_mail_ca,
     .check = lint_smime_qualifiers},
    {"lintel_smime_ca_crl_points", CA(LINT_ERROR), .asks = "a http URL of a CRL is there",
     .citation = "SBR 7.1.2.2 b", .when = LINT_IS_SUB_CA, .applies = is_mail_ca, .check = crl_points},
    {"lintel_smime_ca_crl_points_critical", CA(LINT_ERROR), .asks = "cRLDistributionPoints is not critical",
     .citation = "SBR 7.1.2.2 b", .when = LINT_IS_SUB_CA, .applies = is_mail_ca, .check = not_critical,
     .value = X509_OID_CRL_DISTRIBUTION_POINTS},
    {"lintel_smime_ca_aia", CA(LINT_WARN), .asks = "a http URL of the issuer's certificate is there",
     .citation = "SBR 7.1.2.2 c", .when = LINT_IS_SUB_CA, .applies = is_mail_ca, .check = issuer_location},
    {"lintel_smime_ca_purposes", CA(LINT_ERROR),
     .asks =
         "emailProtection is among the key purposes, serverAuth, codeSigning, timeStamping and any are not",
     .citation = "SBR 7.1.2.2 g", .when = LINT_IS_SUB_CA, .applies = is_mail_ca, .check = purposes},
    {"lintel_smime_ca_purposes_critical", CA(LINT_WARN), .asks = "extKeyUsage is not critical",
     .citation = "SBR 7.1.2.2 g", .when = LINT_IS_SUB_CA, .applies = is_mail_ca, .check = not_critical,
     .value = X509_OID_EXTENDED_KEY_USAGE},
    {"lintel_smime_ca_aki", CA(LINT_ERROR),
     .asks = "authorityKeyIdentifier is a keyIdentifier and nothing else", .citation = "SBR 7.1.2.2 h",
     .when = LINT_IS_SUB_CA, .applies = is_mail_ca, .check = authority_key},
    {"lintel_smime_ca_name", CA(LINT_ERROR),
     .asks = "the subject has commonName, organizationName and countryName", .citation = "SBR 7.1.4.3.1",
     .when = LINT_IS_CA, .applies = is_mail_ca, .check = name},
    {"lintel_smime_ca_country", CA(LINT_ERROR), .asks = "the country is an assigned ISO 3166-1 code",
     .citation = "SBR 7.1.4.3.1 c", .when = LINT_IS_CA, .applies = is_mail_ca, .check = country},
    {"lintel_smime_ca_constraint_mail", CA(LINT_ERROR),
     .asks = "permitted rfc822Names are domain names, perhaps with a dot before them",
     .citation = "SBR 7.1.5", .when = LINT_IS_SUB_CA | LINT_HAS_NC, .applies = is_mail_ca,
     .check = constraint_mail},
    {"lintel_smime_ca_signature_algorithm", CA(LINT_ERROR),
     .asks = "the signature algorithm stands in one of the given encodings", .citation = "SBR 7.1.3.2",
     .when = LINT_IS_CA, .applies = is_mail_ca, .check = lint_smime_signature_algorithm},
};
const struct lint_table lint_cabf_smime_ca = LINT_TABLE(rows);
