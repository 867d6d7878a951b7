/* RFC 5280 section 5: the frame of a CRL, where zlint's reader refuses what a rule should name. */
#include "lint/rules.h"

/*= RFC 5280 5.1.2.1 "this field MUST be present and MUST specify version 2" */
static void version_2(const struct lint_subject *s, struct lint_report *r)
{
    if (s->crl->version != 2) {
        lint_found(r, s->crl->tbs, "a CRL of version %u", s->crl->version);
    }
}

/* TBSCertList ::= SEQUENCE { version INTEGER OPTIONAL, signature, issuer, thisUpdate Time, … } */
static lt_slice this_update_at(const struct lint_subject *s)
{
    uint32_t tag = DER_NONE;
    lt_slice content = {0};
    lt_slice whole = {0};
    struct der_cursor c = der_open(s->crl->tbs);
    struct der_cursor seq = der_enter(&c, DER_SEQUENCE);
    (void)der_optional(&seq, DER_INTEGER, &content);
    for (int i = 0; i < 3; i++) {
        (void)der_any(&seq, &tag, &content, &whole); /* sticky: whole stays empty */
    }
    return der_ok(&seq) ? whole : s->crl->tbs;
}

/*= RFC 5280 5.1.2.5 "This field indicates the date by which the next CRL will be issued." */
static void next_update(const struct lint_subject *s, struct lint_report *r)
{
    if (s->crl->has_next_update && s->crl->next_update.us <= s->crl->this_update.us) {
        lint_found(r, this_update_at(s), "nextUpdate does not lie behind it");
    }
}

#define CRL .source = LINT_RFC5280, .kinds = LINT_CRL, .level = LINT_ERROR

static const struct lint_rule rows[] = {
    {"lintel_rfc5280_crl_version", CRL, .asks = "a CRL is of version 2", .citation = "RFC 5280 5.1.2.1",
     .check = version_2},
    {"lintel_rfc5280_crl_next_update", CRL, .asks = "a CRL's nextUpdate lies behind its thisUpdate",
     .citation = "RFC 5280 5.1.2.5", .check = next_update},
};
const struct lint_table lint_rfc5280_crl = LINT_TABLE(rows);
