/* RFC 5280, certificates: what the parser cannot refuse because it is well formed. */
#include "lint/rules.h"

static void serial_positive(const struct lint_subject *s, struct lint_report *r)
{
    lt_slice serial = s->cert->serial;
    bool zero = serial.len == 1 && serial.ptr[0] == 0;
    if (zero || (serial.ptr[0] & 0x80) != 0) {
        lint_found(r, serial, "the serial number is zero or negative");
    }
}

static void validity_order(const struct lint_subject *s, struct lint_report *r)
{
    if (s->cert->not_after.us < s->cert->not_before.us) {
        lint_found(r, s->cert->tbs, "notAfter lies before notBefore");
    }
}

static void version_3(const struct lint_subject *s, struct lint_report *r)
{
    if (s->cert->ext.count > 0 && s->cert->version != 3) {
        lint_found(r, s->cert->tbs, "extensions, but version %u", s->cert->version);
    }
}

static void no_unique_ids(const struct lint_subject *s, struct lint_report *r)
{
    if (s->cert->issuer_unique_id.len > 0 || s->cert->subject_unique_id.len > 0) {
        lint_found(r, s->cert->tbs, "unique identifiers are present");
    }
}

static void issuer_matches(const struct lint_subject *s, struct lint_report *r)
{
    if (!lt_slice_eq(s->cert->issuer.der, s->in->issuer->subject.der)) {
        lint_found(r, s->cert->issuer.der, "the issuer is not byte for byte its certificate's subject");
    }
}

static void aki_matches(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    if (!e->has_aki || e->aki_key_id.len == 0) {
        lint_found(r, s->cert->tbs, "there is no key identifier");
    } else if (s->in->issuer->ext.has_ski && !lt_slice_eq(e->aki_key_id, s->in->issuer->ext.ski)) {
        lint_found(r, e->aki_key_id, "it is not the issuer's subjectKeyIdentifier");
    }
}

static void within_issuer(const struct lint_subject *s, struct lint_report *r)
{
    if (s->cert->not_after.us > s->in->issuer->not_after.us ||
        s->cert->not_before.us < s->in->issuer->not_before.us) {
        lint_found(r, s->cert->tbs, "it begins before its issuer or outlives it");
    }
}

static void san_when_no_subject(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *san = x509_extension_find(&s->cert->ext, X509_OID_SUBJECT_ALT_NAME);
    if (s->cert->subject.count == 0 && (san == NULL || !san->critical)) {
        lint_found(r, s->cert->subject.der, "the subject is empty and there is no critical subjectAltName");
    }
}

static void key_usage_bits(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    if (e->has_key_usage && e->key_usage == 0) {
        lint_found(r, s->cert->tbs, "no bit is set");
    }
    if ((e->key_usage & X509_KU_KEY_CERT_SIGN) != 0 && !e->ca) {
        lint_found(r, s->cert->tbs, "keyCertSign without cA");
    }
}

static void path_length(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    if (e->has_path_len && (!e->ca || (e->key_usage & X509_KU_KEY_CERT_SIGN) == 0)) {
        lint_found(r, s->cert->tbs, "pathLenConstraint without cA and keyCertSign");
    }
}

static void ca_constraints(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *bc = x509_extension_find(&s->cert->ext, X509_OID_BASIC_CONSTRAINTS);
    if (bc == NULL || !bc->critical || !s->cert->ext.ca) {
        lint_found(r, s->cert->tbs, "a CA without critical cA TRUE");
    }
}

/* Which extensions must, and which must not, be critical. */
static const struct {
    enum x509_oid oid;
    bool critical;
} criticality[] = {
    {X509_OID_AUTHORITY_KEY_IDENTIFIER, false},
    {X509_OID_SUBJECT_KEY_IDENTIFIER, false},
    {X509_OID_AUTHORITY_INFO_ACCESS, false},
    {X509_OID_SUBJECT_INFO_ACCESS, false},
    {X509_OID_FRESHEST_CRL, false},
    {X509_OID_NAME_CONSTRAINTS, true},
    {X509_OID_POLICY_CONSTRAINTS, true},
    {X509_OID_INHIBIT_ANY_POLICY, true},
    {X509_OID_CT_POISON, true},
};

static void critical_right(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < LT_COUNT(criticality); i++) {
        const struct x509_extension *x = x509_extension_find(&s->cert->ext, criticality[i].oid);
        if (x != NULL && x->critical != criticality[i].critical) {
            lint_found(r, x->der, "%s is %scritical", x509_oid_name(x->id.oid), x->critical ? "" : "not ");
        }
    }
}

#define CERT .source = LINT_RFC5280, .kinds = LINT_CERTIFICATE, .level = LINT_ERROR

static const struct lint_rule rows[] = {
    {"rfc5280.serial-positive", CERT,
     .citation = "RFC 5280 4.1.2.2 \"The serial number MUST be a positive integer assigned by the CA\"",
     .check = serial_positive},
    {"rfc5280.validity-order", CERT,
     .citation = "RFC 5280 4.1.2.5 \"the time interval during which the CA warrants\"",
     .check = validity_order},
    {"rfc5280.version-3", CERT,
     .citation =
         "RFC 5280 4.1.2.1 \"When extensions are used, as expected in this profile, version MUST be 3\"",
     .check = version_3},
    {"rfc5280.no-unique-ids", CERT,
     .citation =
         "RFC 5280 4.1.2.8 \"CAs conforming to this profile MUST NOT generate certificates with unique "
         "identifiers.\"",
     .check = no_unique_ids},
    {"rfc5280.issuer-is-issuers-subject", CERT,
     .citation = "RFC 5280 4.1.2.4 \"The issuer field identifies the entity that has signed and issued the "
                 "certificate.\"",
     .when = LINT_WITH_ISSUER, .check = issuer_matches},
    {"rfc5280.authority-key-id", CERT,
     .citation = "RFC 5280 4.2.1.1 \"The keyIdentifier field of the authorityKeyIdentifier extension MUST be "
                 "included\"",
     .when = LINT_WITH_ISSUER, .check = aki_matches},
    {"rfc5280.within-issuer", CERT,
     .citation = "RFC 5280 6.1.3 \"The certificate validity period includes the current time.\"",
     .when = LINT_WITH_ISSUER, .check = within_issuer},
    {"rfc5280.san-critical-without-subject", CERT,
     .citation = "RFC 5280 4.1.2.6 \"the subjectAltName extension MUST be critical\"",
     .when = LINT_IS_SUBSCRIBER, .check = san_when_no_subject},
    {"rfc5280.key-usage", CERT,
     .citation =
         "RFC 5280 4.2.1.3 \"When the keyUsage extension appears in a certificate, at least one of the bits "
         "MUST be set to 1.\"",
     .check = key_usage_bits},
    {"rfc5280.path-length", CERT,
     .citation = "RFC 5280 4.2.1.9 \"CAs MUST NOT include the pathLenConstraint field unless the cA boolean "
                 "is asserted "
                 "and the key usage extension asserts the keyCertSign bit.\"",
     .check = path_length},
    {"rfc5280.ca-basic-constraints", CERT,
     .citation = "RFC 5280 4.2.1.9 \"Conforming CAs MUST include this extension in all CA certificates\"",
     .when = LINT_IS_CA, .check = ca_constraints},
    {"rfc5280.criticality", CERT, .citation = "RFC 5280 4.2.1 and 4.2.2, each extension's own sentence",
     .check = critical_right},
};
const struct lint_table lint_rfc5280 = LINT_TABLE(rows);
