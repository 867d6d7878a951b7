/* Our rules of the Code Signing Baseline Requirements, as far as their text is public: what zlint's leave
 * out. */
#include "lint/rules/common.h"

#define CS(level_) .source = LINT_CABF_CS_BR, .level = (level_), .kinds = LINT_CERTIFICATE

static void serial(const struct lint_subject *s, struct lint_report *r)
{
    lt_slice n = x509_serial_magnitude(s->cert->serial);
    if (n.len < 8) {
        lint_found(r, s->cert->serial, "%zu bytes cannot hold 64 random bits", n.len);
    }
}

/* CAs name the policies of what they issue, so the policy alone does not make it a subscriber's. */
static void no_ca(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    if (e->ca && (lint_is(s, LINT_IS_SUBSCRIBER) || (e->key_usage & X509_KU_KEY_CERT_SIGN) == 0)) {
        lint_found(r, lint_ext_at(s, X509_OID_BASIC_CONSTRAINTS), "cA in a subscriber's certificate");
    }
}

static void ca_key(const struct lint_subject *s, struct lint_report *r)
{
    if (s->cert->spki.bits < 4096) {
        lint_found(r, s->cert->spki.der, "a modulus of %u bits, at least 4096", s->cert->spki.bits);
    }
}

static void purposes(const struct lint_subject *s, struct lint_report *r)
{
    static const uint8_t lifetime_signing[] = {0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x0a, 0x03, 0x0d};
    for (size_t i = 0; i < s->cert->ext.eku_count; i++) {
        const struct x509_oid_ref *p = &s->cert->ext.eku[i];
        if (p->oid != X509_OID_CODE_SIGNING && p->oid != X509_OID_EMAIL_PROTECTION &&
            p->oid != X509_OID_DOCUMENT_SIGNING &&
            !lt_slice_eq(p->der, LT_SLICE(lifetime_signing, sizeof(lifetime_signing)))) {
            lint_found(r, p->der, "key purpose %s beside codeSigning", lint_oid_label(s, p->der, p->oid));
        }
    }
}

static bool is_ev(const struct lint_subject *s)
{
    for (size_t i = 0; i < s->cert->ext.policy_count; i++) {
        if (s->cert->ext.policies[i].id.oid == X509_OID_POLICY_EV_CODE_SIGNING) {
            return true;
        }
    }
    return false;
}

static void ev_subject(const struct lint_subject *s, struct lint_report *r)
{
    static const enum x509_oid must[] = {X509_OID_O, X509_OID_BUSINESS_CATEGORY, X509_OID_JURISDICTION_C,
                                         X509_OID_SERIAL_NUMBER, X509_OID_C};
    for (size_t i = 0; i < LT_COUNT(must); i++) {
        if (!lint_has_attribute(&s->cert->subject, must[i])) {
            lint_found(r, s->cert->subject.der, "the subject has no %s", x509_oid_name(must[i]));
        }
    }
}

static const struct lint_rule rows[] = {
    {"lintel_cs_serial", CS(LINT_ERROR), .asks = "the serial number has room for 64 random bits",
     .citation = "CSBR 7.1", .effective = LINT_DAY(2019, 8, 13), .check = serial},
    {"lintel_cs_no_ca", CS(LINT_ERROR), .asks = "a subscriber's certificate is no CA",
     .citation = "CSBR 7.1.2.3 d", .effective = LINT_DAY(2019, 8, 13), .when = LINT_HAS_BC,
     .unless = LINT_IS_ROOT, .check = no_ca},
    {"lintel_cs_ca_key", CS(LINT_ERROR), .asks = "the RSA modulus of a CA has at least 4096 bits",
     .citation = "CSBR 6.1.5.1", .effective = LINT_DAY(2021, 6, 1), .when = LINT_IS_CA | LINT_HAS_RSA,
     .check = ca_key},
    {"lintel_cs_purposes", CS(LINT_WARN), .asks = "there are no key purposes but those that are named",
     .citation = "CSBR 7.1.2.3 f", .effective = LINT_DAY(2019, 8, 13), .when = LINT_IS_SUBSCRIBER,
     .check = purposes},
    {"lintel_cs_ev_subject", CS(LINT_ERROR),
     .asks = "an EV subject has organization, business category, jurisdiction, number and country",
     .citation = "CSBR 7.1.4.2.4", .effective = LINT_DAY(2019, 8, 13), .when = LINT_IS_SUBSCRIBER,
     .applies = is_ev, .check = ev_subject},
};
const struct lint_table lint_cabf_cs_profile = LINT_TABLE(rows);
