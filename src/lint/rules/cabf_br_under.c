/* Which certificates the TLS Baseline Requirements bind. */
#include "lint/rules/cabf_br_under.h"

bool lint_br_precert_ca(const struct lint_subject *s)
{
    return lint_is(s, LINT_IS_SUB_CA | LINT_HAS_EKU) &&
           x509_has_eku(&s->cert->ext, X509_OID_PRECERTIFICATE_SIGNING);
}

bool lint_br_non_tls_ca(const struct lint_subject *s)
{
    return lint_is(s, LINT_IS_SUB_CA | LINT_HAS_EKU) && !lint_is_any(s, LINT_IS_TLS | LINT_IS_CROSS_CA) &&
           s->cert->ext.eku_count > 0 && !lint_br_precert_ca(s);
}

bool lint_br_under(const struct lint_subject *s)
{
    return lint_is_any(s, LINT_IS_TLS | LINT_IS_OCSP_RESPONDER) || lint_br_non_tls_ca(s) ||
           lint_br_precert_ca(s);
}

bool lint_br_reserved(enum x509_oid policy)
{
    return policy == X509_OID_POLICY_DV || policy == X509_OID_POLICY_OV || policy == X509_OID_POLICY_IV ||
           policy == X509_OID_POLICY_EV;
}
