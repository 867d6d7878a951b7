/* Which files of rules/ there are. A new one is two lines here and one in meson.build. */
#include "lint/tables.h"

extern const struct lint_table lint_x690;
extern const struct lint_table lint_cabf_br_attributes;
extern const struct lint_table lint_cabf_br_hosts;
extern const struct lint_table lint_cabf_br_profile;
extern const struct lint_table lint_cabf_br_ca;
extern const struct lint_table lint_cabf_br_crl;
extern const struct lint_table lint_cabf_br_keys;
extern const struct lint_table lint_cabf_br_ocsp;
extern const struct lint_table lint_cabf_br_pointers;
extern const struct lint_table lint_cabf_br_text;
extern const struct lint_table lint_cabf_br_tor;
extern const struct lint_table lint_cabf_br_validity;
extern const struct lint_table lint_cabf_br_algorithms;
extern const struct lint_table lint_cabf_br_ca_names;
extern const struct lint_table lint_cabf_br_ca_profile;
extern const struct lint_table lint_cabf_br_constraints;
extern const struct lint_table lint_cabf_br_crl_profile;
extern const struct lint_table lint_cabf_br_fields;
extern const struct lint_table lint_cabf_br_non_tls;
extern const struct lint_table lint_cabf_br_outside;
extern const struct lint_table lint_cabf_br_responder;
extern const struct lint_table lint_cabf_br_response;
extern const struct lint_table lint_cabf_br_root;
extern const struct lint_table lint_cabf_smime_ext;
extern const struct lint_table lint_cabf_br_dns;
extern const struct lint_table lint_cabf_br_reasons;
extern const struct lint_table lint_cabf_br_san;
extern const struct lint_table lint_cabf_br_subject;
extern const struct lint_table lint_cabf_br_subscriber;
extern const struct lint_table lint_cabf_br_zones;
extern const struct lint_table lint_cabf_smime_names;
extern const struct lint_table lint_cabf_ev;
extern const struct lint_table lint_cabf_cs;
extern const struct lint_table lint_etsi;
extern const struct lint_table lint_rfc5280_altnames;
extern const struct lint_table lint_rfc5280_constraints;
extern const struct lint_table lint_rfc5280_extensions;
extern const struct lint_table lint_rfc5280_fields;
extern const struct lint_table lint_rfc5280_names;
extern const struct lint_table lint_rfc5280_policies;
extern const struct lint_table lint_rfc5280_usage;
extern const struct lint_table lint_cabf_smime_cert;
extern const struct lint_table lint_cabf_smime_status;
extern const struct lint_table lint_cabf_smime_subject;
extern const struct lint_table lint_browsers;
extern const struct lint_table lint_community;
extern const struct lint_table lint_mozilla;
extern const struct lint_table lint_ocsp_rules;
extern const struct lint_table lint_rfc5280_crl;
extern const struct lint_table lint_rfc6962;
extern const struct lint_table lint_cabf_ev_profile;
extern const struct lint_table lint_issuance;
extern const struct lint_table lint_issuance_crl;
extern const struct lint_table lint_issuance_evidence;
extern const struct lint_table lint_issuance_precert;
extern const struct lint_table lint_issuance_constraints;
extern const struct lint_table lint_csr;
extern const struct lint_table lint_ocsp_more;
extern const struct lint_table lint_rfc5280_crl_more;
extern const struct lint_table lint_rfc5280_more;
extern const struct lint_table lint_rfc5280_strings;
extern const struct lint_table lint_cabf_smime_ca;
extern const struct lint_table lint_weak_keys;
extern const struct lint_table lint_etsi_profiles;
extern const struct lint_table lint_etsi_statements;
extern const struct lint_table lint_mozilla_more;
extern const struct lint_table lint_cabf_cs_profile;
extern const struct lint_table lint_issuance_ocsp;

const struct lint_table *const lint_tables[] = {
    /* clang-format off */
    &lint_x690,
    &lint_cabf_br_attributes,
    &lint_cabf_br_hosts,
    &lint_cabf_br_profile,
    &lint_cabf_br_ca,
    &lint_cabf_br_crl,
    &lint_cabf_br_keys,
    &lint_cabf_br_ocsp,
    &lint_cabf_br_pointers,
    &lint_cabf_br_text,
    &lint_cabf_br_tor,
    &lint_cabf_br_validity,
    &lint_cabf_br_algorithms,
    &lint_cabf_br_ca_names,
    &lint_cabf_br_ca_profile,
    &lint_cabf_br_constraints,
    &lint_cabf_br_crl_profile,
    &lint_cabf_br_fields,
    &lint_cabf_br_non_tls,
    &lint_cabf_br_outside,
    &lint_cabf_br_responder,
    &lint_cabf_br_response,
    &lint_cabf_br_root,
    &lint_cabf_smime_ext,
    &lint_issuance,
    &lint_issuance_crl,
    &lint_issuance_evidence,
    &lint_issuance_precert,
    &lint_issuance_constraints,
    &lint_weak_keys,
    &lint_issuance_ocsp,
    /* clang-format on */
    &lint_cabf_br_dns,
    &lint_cabf_br_reasons,
    &lint_cabf_br_san,
    &lint_cabf_br_subject,
    &lint_cabf_br_subscriber,
    &lint_cabf_br_zones,
    &lint_cabf_smime_names,
    &lint_cabf_ev,
    &lint_cabf_cs,
    &lint_etsi,
    &lint_rfc5280_altnames,
    &lint_rfc5280_constraints,
    &lint_rfc5280_extensions,
    &lint_rfc5280_fields,
    &lint_rfc5280_names,
    &lint_rfc5280_policies,
    &lint_rfc5280_usage,
    &lint_cabf_smime_cert,
    &lint_cabf_smime_status,
    &lint_cabf_smime_subject,
    &lint_browsers,
    &lint_community,
    &lint_mozilla,
    &lint_ocsp_rules,
    &lint_rfc5280_crl,
    &lint_rfc6962,
    &lint_cabf_ev_profile,
    &lint_csr,
    &lint_ocsp_more,
    &lint_rfc5280_crl_more,
    &lint_rfc5280_more,
    &lint_rfc5280_strings,
    &lint_cabf_smime_ca,
    &lint_etsi_profiles,
    &lint_etsi_statements,
    &lint_mozilla_more,
    &lint_cabf_cs_profile,
};
const size_t lint_table_count = LT_COUNT(lint_tables);
