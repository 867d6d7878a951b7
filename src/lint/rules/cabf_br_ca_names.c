/* TLS Baseline Requirements 7.1.2.10.2 and 7.1.4 on the names of CAs and responders, where zlint does not
 * ask. */
#include "lint/rules/cabf_br_dates.h"
#include "lint/rules/cabf_br_under.h"
#include "lint/rules/common.h"

static bool under_br(const struct lint_subject *s)
{
    return lint_br_under(s);
}

/* A cross certificate repeats the name that the CA has, however it was made (7.1.2.2.2). */
static bool own_name(const struct lint_subject *s)
{
    return lint_is_any(s, LINT_IS_CA | LINT_IS_OCSP_RESPONDER) && !lint_is(s, LINT_IS_CROSS_CA) &&
           lint_br_under(s);
}

/*= CABF-BR 7.1.2.10.2 "Any other attribute NOT RECOMMENDED" */
static void name_other(const struct lint_subject *s, struct lint_report *r)
{
    static const enum x509_oid known[] = {X509_OID_C, X509_OID_O,  X509_OID_CN,          X509_OID_ST,
                                          X509_OID_L, X509_OID_OU, X509_OID_POSTAL_CODE, X509_OID_STREET};
    const struct x509_name *n = &s->cert->subject;
    for (size_t i = 0; i < n->count; i++) {
        if (!lint_oid_in(n->attributes[i].oid, known, LT_COUNT(known))) {
            lint_found(r, n->attributes[i].value, "attribute %zu (%s) in a CA's name", i + 1,
                       x509_oid_name(n->attributes[i].oid));
        }
    }
}

/*= CABF-BR 7.1.4.1 "Each RelativeDistinguishedName … MUST contain exactly one AttributeTypeAndValue" */
static void rdn_single(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_name *n = &s->cert->subject;
    for (size_t i = 1; i < n->count; i++) {
        if (n->attributes[i].rdn == n->attributes[i - 1].rdn) {
            lint_found(r, n->attributes[i].value, "attributes %zu and %zu share an RDN", i, i + 1);
        }
    }
}

/*= CABF-BR 7.1.4.1 "MUST be encoded within the RDNSequence before a RelativeDistinguishedName that contains"
 */
static void name_order(const struct lint_subject *s, struct lint_report *r)
{
    static const enum x509_oid order[] = {
        X509_OID_DC,          X509_OID_C,      X509_OID_ST, X509_OID_L,
        X509_OID_POSTAL_CODE, X509_OID_STREET, X509_OID_O,  X509_OID_SURNAME,
        X509_OID_GIVEN_NAME,  X509_OID_OU,     X509_OID_CN,
    };
    const struct x509_name *n = &s->cert->subject;
    size_t last = 0;
    for (size_t i = 0; i < n->count; i++) {
        size_t here = 0;
        while (here < LT_COUNT(order) && order[here] != n->attributes[i].oid) {
            here++;
        }
        if (here < last && here < LT_COUNT(order)) {
            lint_found(r, n->attributes[i].value, "%s stands behind %s", x509_oid_name(n->attributes[i].oid),
                       x509_oid_name(order[last]));
            return;
        }
        last = here < LT_COUNT(order) ? here : last;
    }
}

#define BR(level_)                                                                             \
    .source = LINT_CABF_BR, .level = (level_), .kinds = LINT_CERTIFICATE, .any_purpose = true, \
    .effective = BR_2_0_0

static const struct lint_rule rows[] = {
    {"lintel_br_ca_name_other", BR(LINT_WARN),
     .asks = "a CA's name has no attributes beyond country, state, locality, address, organization and "
             "common name",
     .citation = "BR 7.1.2.10.2", .when = LINT_IS_CA, .applies = under_br, .check = name_other},
    {"lintel_br_ca_rdn_single", BR(LINT_ERROR),
     .asks = "each RDN in the name of a CA or a responder has one attribute", .citation = "BR 7.1.4.1",
     .applies = own_name, .check = rdn_single},
    {"lintel_br_ca_name_order", BR(LINT_ERROR),
     .asks = "attributes in the name of a CA or a responder stand in order: country, state, locality, "
             "address, organization, unit, "
             "common name",
     .citation = "BR 7.1.4.1", .applies = own_name, .check = name_order},
};
const struct lint_table lint_cabf_br_ca_names = LINT_TABLE(rows);
