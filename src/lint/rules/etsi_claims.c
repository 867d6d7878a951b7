/* Which certificates ETSI's profiles are about. */
#include "lint/rules/etsi.h"

bool lint_etsi_qualified(const struct lint_subject *s)
{
    struct lint_statement st;
    return lint_is(s, LINT_HAS_QC) && lint_statement_find(s, LINT_QC_COMPLIANCE, &st);
}

size_t lint_etsi_policies(const struct lint_subject *s, unsigned *ret_policy)
{
    static const uint8_t arc[] = {0x04, 0x00, 0x8b, 0xec, 0x40, 0x01};
    size_t count = 0;
    for (size_t i = 0; i < s->cert->ext.policy_count; i++) {
        lt_slice id = s->cert->ext.policies[i].id.der;
        if (id.len == sizeof(arc) + 1 && lt_slice_starts(id, LT_SLICE(arc, sizeof(arc)))) {
            count++;
            *ret_policy = id.ptr[sizeof(arc)];
        }
    }
    return count;
}

static bool has_policy_411_1(const struct lint_subject *s)
{
    static const uint8_t arc[] = {0x04, 0x00, 0x8f, 0x7a, 0x01}; /* 0.4.0.2042.1 */
    for (size_t i = 0; i < s->cert->ext.policy_count; i++) {
        lt_slice id = s->cert->ext.policies[i].id.der;
        if (id.len == sizeof(arc) + 1 && lt_slice_starts(id, LT_SLICE(arc, sizeof(arc)))) {
            return true;
        }
    }
    return false;
}

bool lint_etsi_claimed(const struct lint_subject *s)
{
    unsigned policy;
    return lint_etsi_qualified(s) || lint_etsi_policies(s, &policy) > 0 || has_policy_411_1(s);
}

bool lint_etsi_profile(const struct lint_subject *s)
{
    return !lint_is_any(s, LINT_IS_DV | LINT_IS_OV | LINT_IS_IV | LINT_IS_EV_ANY) && lint_etsi_claimed(s);
}

bool lint_etsi_natural(const struct lint_subject *s)
{
    const struct x509_name *n = &s->cert->subject;
    return lint_has_attribute(n, X509_OID_GIVEN_NAME) || lint_has_attribute(n, X509_OID_SURNAME) ||
           lint_has_attribute(n, X509_OID_PSEUDONYM);
}
