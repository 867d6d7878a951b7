/* TLS Baseline Requirements for certificates of OCSP responders, as zlint judges them: whatever has the
 * purpose OCSPSigning, a CA included. What zlint does not ask stands in cabf_br_responder.c. */
#include "lint/rules/cabf_br_dates.h"

static bool responder(const struct lint_subject *s)
{
    return x509_has_eku(&s->cert->ext, X509_OID_OCSP_SIGNING);
}

static void no_crl_pointer(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    for (size_t i = 0; i < e->crldp_count; i++) {
        for (size_t k = 0; k < e->crldp[i].names.count; k++) {
            if (e->crldp[i].names.list[k].type == X509_GN_URI) {
                lint_found(r, lint_ext_at(s, X509_OID_CRL_DISTRIBUTION_POINTS), "there is a CRL's URL");
                return;
            }
        }
    }
}

static void no_policies(const struct lint_subject *s, struct lint_report *r)
{
    if (s->cert->ext.policy_count > 0) {
        lint_found(r, lint_ext_at(s, X509_OID_CERTIFICATE_POLICIES), "there are %zu policies",
                   s->cert->ext.policy_count);
    }
}

static void signature_only(const struct lint_subject *s, struct lint_report *r)
{
    if ((s->cert->ext.key_usage & ~(uint32_t)X509_KU_DIGITAL_SIGNATURE) != 0) {
        lint_found(r, lint_ext_at(s, X509_OID_KEY_USAGE), "the bits 0x%x are more than digitalSignature",
                   s->cert->ext.key_usage);
    }
}

static void no_check(const struct lint_subject *s, struct lint_report *r)
{
    if (lint_ext(s, X509_OID_OCSP_NO_CHECK) == NULL) {
        lint_found(r, s->cert->tbs, "there is no id-pkix-ocsp-nocheck");
    }
}

#define BR                                                                                 \
    .source = LINT_CABF_BR, .level = LINT_ERROR, .kinds = LINT_CERTIFICATE, .zlint = true, \
    .any_purpose = true, .when = LINT_HAS_EKU, .applies = responder

static const struct lint_rule rows[] = {
    {"e_ocsp_cert_cdp_forbidden", BR, .asks = "an OCSP responder has no cRLDistributionPoints",
     .citation = "BR 7.1.2.8.2", .effective = BR_2_0_0, .check = no_crl_pointer},
    {"e_ocsp_cert_cp_forbidden", BR, .asks = "an OCSP responder has no certificatePolicies",
     .citation = "BR 7.1.2.8.2", .effective = BR_2_0_0, .check = no_policies},
    {"e_ocsp_cert_invalid_ku", BR, .asks = "an OCSP responder's keyUsage is digitalSignature alone",
     .citation = "BR 7.1.2.8.7", .effective = BR_2_0_0, .check = signature_only},
    {"e_ocsp_id_pkix_ocsp_nocheck_ext_not_included_server_auth", BR,
     .asks = "an OCSP responder has id-pkix-ocsp-nocheck", .citation = "BR 4.9.9, 7.1.2.8.6",
     .formerly = "BR 4.9.9", .effective = BR_1_0, .check = no_check},
};
const struct lint_table lint_cabf_br_ocsp = LINT_TABLE(rows);
