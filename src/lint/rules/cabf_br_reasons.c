/* CA/Browser Forum TLS Baseline Requirements as zlint judges them: reasons in CRL entries. */
#include "lint/rules.h"

/*= CABF-BR 7.2.2 "The only reasonCodes that MAY be present" */
static bool is_allowed(uint32_t reason)
{
    return reason == 1 || reason == 3 || reason == 4 || reason == 5 || reason == 9;
}

static void known_reason(const struct lint_subject *s, struct lint_report *r)
{
    struct der_notes scratch;
    struct x509_crl_entry e;
    for (struct der_cursor c = x509_crl_entries(s->crl, &scratch); x509_crl_next(&c, &e);) {
        if (e.has_reason && !is_allowed(e.reason)) {
            lint_found(r, e.extensions, "reason %u", e.reason);
            return; /* as many as there are entries otherwise */
        }
    }
}

static bool reason_is_critical(lt_slice extensions)
{
    struct der_cursor c = der_open(extensions);
    while (der_more(&c)) {
        struct der_cursor in = der_enter(&c, DER_SEQUENCE);
        lt_slice oid = der_oid(&in);
        bool critical = der_is_next(&in, DER_BOOLEAN) && der_boolean(&in);
        (void)der_octets(&in);
        der_leave(&c, &in);
        if (critical && x509_oid_find(oid) == X509_OID_REASON_CODE) {
            return true;
        }
    }
    return false;
}

static void reason_not_critical(const struct lint_subject *s, struct lint_report *r)
{
    struct der_notes scratch;
    struct x509_crl_entry e;
    for (struct der_cursor c = x509_crl_entries(s->crl, &scratch); x509_crl_next(&c, &e);) {
        if (e.has_reason && reason_is_critical(e.extensions)) {
            lint_found(r, e.extensions, "reasonCode is critical");
            return;
        }
    }
}

#define BR                                                                         \
    .source = LINT_CABF_BR, .level = LINT_ERROR, .kinds = LINT_CRL, .zlint = true, \
    .when = LINT_CRL_HAS_ENTRIES, .citation = "BR 7.2.2"

static const struct lint_rule rows[] = {
    {"e_cab_crl_has_valid_reason_code", BR, .effective = LINT_DAY(2023, 7, 15),
     .asks = "a reason in a CRL is keyCompromise, affiliationChanged, superseded, cessationOfOperation or "
             "privilegeWithdrawn",
     .check = known_reason},
    {"e_cab_crl_reason_code_not_critical", BR, .effective = LINT_DAY(2012, 7, 1),
     .asks = "the reason of a CRL entry is not critical", .check = reason_not_critical},
};
const struct lint_table lint_cabf_br_reasons = LINT_TABLE(rows);
