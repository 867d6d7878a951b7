/* CA/Browser Forum TLS Baseline Requirements as zlint judges them: reasons in CRL entries. */
#include "lint/crl_facts.h"
#include "lint/rules.h"

/* CABF-BR 7.2.2: the table of CRLReasons, but for unspecified, which is left out, and certificateHold. */
static bool is_allowed(uint32_t reason)
{
    return reason == 1 || reason == 3 || reason == 4 || reason == 5 || reason == 9;
}

/* The first in the list is enough: there may be as many as there are entries. */
static void known_reason(const struct lint_subject *s, struct lint_report *r)
{
    const struct lint_crl_facts *f = s->crl_facts;
    uint32_t reason = LINT_CRL_REASONS;
    for (uint32_t i = 0; i < LINT_CRL_REASONS; i++) {
        bool before = reason == LINT_CRL_REASONS || f->reason[i].ptr < f->reason[reason].ptr;
        reason = f->reason[i].len > 0 && !is_allowed(i) && before ? i : reason;
    }
    if (reason < LINT_CRL_REASONS) {
        lint_found(r, f->reason[reason], "reason %u",
                   reason == LINT_CRL_REASONS - 1 ? (unsigned)f->reason_beyond : (unsigned)reason);
    }
}

static void reason_not_critical(const struct lint_subject *s, struct lint_report *r)
{
    if (s->crl_facts->reason_critical.len > 0) {
        lint_found(r, s->crl_facts->reason_critical, "reasonCode is critical");
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
