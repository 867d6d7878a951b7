/* TLS Baseline Requirements on responders and CAs outside TLS where zlint has a rule, but does not apply it
 * to them: they are no server's certificates. */
#include "lint/rules/cabf_br_dates.h"
#include "lint/rules/cabf_br_under.h"
#include "lint/rules/common.h"
#include "lint/rules/key_alg.h"
#include "lint/rules/url.h"

static bool under_br(const struct lint_subject *s)
{
    return lint_br_under(s);
}

/*= CABF-BR 6.1.6 "the value of the public exponent is an odd number equal to 3 or more" */
static void exponent(const struct lint_subject *s, struct lint_report *r)
{
    lt_slice e = s->cert->spki.exponent;
    if (e.len == 0 || (e.ptr[e.len - 1] & 1) == 0 || lint_bits(e) < 2) {
        lint_found(r, s->cert->spki.der, "the exponent is even, or below 3");
    }
}

/*= CABF-BR 6.1.6 "the public exponent SHOULD be in the range between 2^16 + 1 and 2^256 - 1" */
static void exponent_range(const struct lint_subject *s, struct lint_report *r)
{
    unsigned bits = lint_bits(s->cert->spki.exponent);
    if (bits < 17 || bits > 256) {
        lint_found(r, s->cert->spki.der, "an exponent of %u bits", bits);
    }
}

/*= CABF-BR 7.1.4.1 "Each Name MUST NOT contain more than one instance of a given AttributeTypeAndValue" */
static void twice(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_name *n = &s->cert->subject;
    for (size_t i = 1; i < n->count; i++) {
        enum x509_oid oid = n->attributes[i].oid;
        bool may = oid == X509_OID_DC || oid == X509_OID_STREET || oid == X509_OID_OU;
        for (size_t k = 0; k < i && !may; k++) {
            if (lt_slice_eq(n->attributes[k].type, n->attributes[i].type)) {
                lint_found(r, n->attributes[i].value, "%s stands there already", x509_oid_name(oid));
                return;
            }
        }
    }
}

/*= CABF-BR 7.1.2.10.2 "The two-letter ISO 3166-1 country code" */
static void country(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_attribute *c = x509_name_find(&s->cert->subject, X509_OID_C, 0);
    if (c != NULL && !lint_country(c->value) && !lt_slice_eq(c->value, LT_LIT("XX"))) {
        lint_found(r, c->value, "\"%.*s\" is no code of ISO 3166-1", LT_FMT(c->value));
    }
}

/* PolicyQualifierInfo ::= SEQUENCE { policyQualifierId OBJECT IDENTIFIER, qualifier IA5String } */
static void practice(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    for (size_t i = 0; i < e->policy_count; i++) {
        struct der_cursor c = der_open(e->policies[i].qualifiers);
        struct der_cursor list = der_enter(&c, DER_SEQUENCE);
        while (der_more(&list)) {
            struct der_cursor info = der_enter(&list, DER_SEQUENCE);
            bool cps = x509_oid_find(der_oid(&info)) == X509_OID_CPS_QUALIFIER;
            lt_slice url = {0};
            if (cps && der_optional(&info, DER_IA5_STRING, &url) && !lint_url_has_scheme(url, "http") &&
                !lint_url_has_scheme(url, "https")) {
                lint_found(r, url, "\"%.*s\" is neither http nor https", LT_FMT(url));
            }
        }
    }
}

#define BR(level_)                                                                             \
    .source = LINT_CABF_BR, .level = (level_), .kinds = LINT_CERTIFICATE, .any_purpose = true, \
    .unless = LINT_IS_SERVER_AUTH, .applies = under_br

static const struct lint_rule rows[] = {
    {"lintel_br_outside_rsa_exponent", BR(LINT_ERROR),
     .asks = "an RSA exponent of a responder or a CA outside TLS is odd and at least 3",
     .citation = "BR 6.1.6", .when = LINT_HAS_RSA, .effective = BR_1_1_3, .check = exponent},
    {"lintel_br_outside_rsa_exponent_range", BR(LINT_WARN),
     .asks = "an RSA exponent of a responder or a CA outside TLS is between 2^16 + 1 and 2^256 - 1",
     .citation = "BR 6.1.6", .when = LINT_HAS_RSA, .effective = BR_1_1_3, .check = exponent_range},
    {"lintel_br_outside_attribute_twice", BR(LINT_ERROR),
     .asks = "no attribute stands twice in the name of a responder or a CA outside TLS",
     .citation = "BR 7.1.4.1", .effective = BR_2_0_0, .check = twice},
    {"lintel_br_outside_country", BR(LINT_ERROR),
     .asks = "the country of a responder or a CA outside TLS is a code of ISO 3166-1",
     .citation = "BR 7.1.2.10.2", .effective = BR_2_0_0, .check = country},
    {"lintel_br_outside_practice", BR(LINT_ERROR),
     .asks = "the pointer to a practice statement is an http or https URL", .citation = "BR 7.1.2.3.2",
     .when = LINT_HAS_CP, .effective = BR_2_0_0, .check = practice},
};
const struct lint_table lint_cabf_br_outside = LINT_TABLE(rows);
