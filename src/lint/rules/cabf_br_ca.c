/* TLS Baseline Requirements for certificates of CAs, as zlint judges them: key usage, key purposes, policies,
 * pointers. What zlint does not ask stands in cabf_br_ca_profile.c. */
#include "lint/rules/cabf_br_dates.h"
#include "lint/rules/purposes.h"

static void key_usage_bit(const struct lint_subject *s, struct lint_report *r)
{
    if ((s->cert->ext.key_usage & (uint32_t)r->rule->value) == 0) {
        lint_found(r, lint_ext_at(s, X509_OID_KEY_USAGE), "the bits are 0x%x: that one is not set",
                   s->cert->ext.key_usage);
    }
}

static void some_key_usage(const struct lint_subject *s, struct lint_report *r)
{
    if (s->cert->ext.key_usage == 0) {
        lint_found(r, lint_ext_at(s, X509_OID_KEY_USAGE), "a CA without any key usage");
    }
}

/* value: the extension. */
static void is_critical(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, (enum x509_oid)r->rule->value);
    if (x != NULL && !x->critical) {
        lint_found(r, x->der, "%s is not critical", x509_oid_name(x->id.oid));
    }
}

static void not_critical(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, (enum x509_oid)r->rule->value);
    if (x != NULL && x->critical) {
        lint_found(r, x->der, "%s is critical", x509_oid_name(x->id.oid));
    }
}

static void is_present(const struct lint_subject *s, struct lint_report *r)
{
    if (lint_ext(s, (enum x509_oid)r->rule->value) == NULL) {
        lint_found(r, s->cert->tbs, "there is no %s", x509_oid_name((enum x509_oid)r->rule->value));
    }
}

static void is_absent(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, (enum x509_oid)r->rule->value);
    if (x != NULL) {
        lint_found(r, x->der, "there is %s", x509_oid_name(x->id.oid));
    }
}

static bool signs_certificates(const struct lint_subject *s)
{
    return (s->cert->ext.key_usage & X509_KU_KEY_CERT_SIGN) != 0;
}

static void is_ca(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, X509_OID_BASIC_CONSTRAINTS);
    if (x != NULL && x->why != NULL && !s->cert->ext.has_basic_constraints) {
        lint_found_at(r, LINT_FATAL, x->der, "basicConstraints does not decode: %s", x->why);
    } else if (!s->cert->ext.ca) {
        lint_found(r, lint_ext_at(s, X509_OID_BASIC_CONSTRAINTS), "keyCertSign, but cA is FALSE");
    }
}

static size_t count_known(const struct x509_extensions *e)
{
    size_t count = 0;
    for (size_t i = 0; i < e->eku_count; i++) {
        count += lint_purpose_known(e->eku[i].der);
    }
    return count;
}

static bool purposes_known(const struct lint_subject *s)
{
    return count_known(&s->cert->ext) > 0;
}

static void purposes(const struct lint_subject *s, struct lint_report *r)
{
    static const enum x509_oid foreign[] = {X509_OID_EMAIL_PROTECTION, X509_OID_CODE_SIGNING,
                                            X509_OID_TIME_STAMPING, X509_OID_OCSP_SIGNING};
    const struct x509_extensions *e = &s->cert->ext;
    if (x509_has_eku(e, X509_OID_ANY_EXTENDED_KEY_USAGE) && count_known(e) > 1) {
        lint_found(r, lint_ext_at(s, X509_OID_EXTENDED_KEY_USAGE),
                   "anyExtendedKeyUsage is not the only purpose");
        return;
    }
    for (size_t i = 0; i < LT_COUNT(foreign); i++) {
        if (x509_has_eku(e, foreign[i])) {
            lint_found(r, lint_ext_at(s, X509_OID_EXTENDED_KEY_USAGE), "%s stands beside serverAuth",
                       x509_oid_name(foreign[i]));
            return;
        }
    }
}

static void tls_purpose(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    if (!x509_has_eku(e, X509_OID_SERVER_AUTH) && !x509_has_eku(e, X509_OID_CLIENT_AUTH)) {
        lint_found(r, lint_ext_at(s, X509_OID_EXTENDED_KEY_USAGE), "neither serverAuth nor clientAuth");
    }
}

static bool is_reserved(enum x509_oid oid)
{
    return oid == X509_OID_POLICY_DV || oid == X509_OID_POLICY_OV || oid == X509_OID_POLICY_IV ||
           oid == X509_OID_POLICY_EV;
}

static size_t count_reserved(const struct x509_extensions *e)
{
    size_t count = 0;
    for (size_t i = 0; i < e->policy_count; i++) {
        count += is_reserved(e->policies[i].id.oid);
    }
    return count;
}

static bool any_policy(const struct x509_extensions *e)
{
    for (size_t i = 0; i < e->policy_count; i++) {
        if (e->policies[i].id.oid == X509_OID_ANY_POLICY) {
            return true;
        }
    }
    return false;
}

static bool policy_restricted(const struct lint_subject *s)
{
    return !s->config->reserved_oids_cross_cert && !any_policy(&s->cert->ext);
}

static void one_reserved(const struct lint_subject *s, struct lint_report *r)
{
    size_t count = count_reserved(&s->cert->ext);
    if (count > 1) {
        lint_found(r, lint_ext_at(s, X509_OID_CERTIFICATE_POLICIES), "%zu reserved policies", count);
    }
}

static void policies(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    lt_slice where = lint_ext_at(s, X509_OID_CERTIFICATE_POLICIES);
    if (!lint_is(s, LINT_HAS_CP)) {
        lint_found(r, where, "there is no certificatePolicies");
    } else if (any_policy(e)) {
        if (e->policy_count > 1) {
            lint_found(r, where, "anyPolicy is one of %zu policies", e->policy_count);
        }
    } else if (count_reserved(e) == 0) {
        lint_found(r, where, "neither anyPolicy nor a reserved policy");
    }
}

static bool has_pointer(const struct lint_subject *s)
{
    const struct x509_extensions *e = &s->cert->ext;
    for (size_t i = 0; i < e->aia_count; i++) {
        enum x509_oid method = e->aia[i].method.oid;
        if (e->aia[i].location.type == X509_GN_URI &&
            (method == X509_OID_OCSP || method == X509_OID_CA_ISSUERS)) {
            return true;
        }
    }
    return false;
}

static bool starts_nocase(lt_slice s, lt_slice prefix)
{
    return lt_slice_eq_nocase(lt_slice_sub(s, 0, prefix.len), prefix);
}

static void http_pointers(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    for (size_t i = 0; i < e->aia_count; i++) {
        enum x509_oid method = e->aia[i].method.oid;
        lt_slice at = e->aia[i].location.value;
        if ((method == X509_OID_OCSP || method == X509_OID_CA_ISSUERS) &&
            e->aia[i].location.type == X509_GN_URI && !starts_nocase(at, LT_LIT("http://"))) {
            lint_found(r, at, "\"%.*s\" is no http URL", LT_FMT(at));
            return;
        }
    }
}

static void issuer_pointer(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    for (size_t i = 0; i < e->aia_count; i++) {
        if (e->aia[i].method.oid == X509_OID_CA_ISSUERS && e->aia[i].location.type == X509_GN_URI &&
            lt_slice_starts(e->aia[i].location.value, LT_LIT("http://"))) {
            return;
        }
    }
    lint_found(r, lint_ext_at(s, X509_OID_AUTHORITY_INFO_ACCESS), "no http URL of the issuer's certificate");
}

static void crl_pointer(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    for (size_t i = 0; i < e->crldp_count; i++) {
        const struct x509_general_names *names = &e->crldp[i].names;
        for (size_t k = 0; k < names->count; k++) {
            if (names->list[k].type == X509_GN_URI &&
                lt_slice_starts(names->list[k].value, LT_LIT("http://"))) {
                return;
            }
        }
    }
    lint_found(r, lint_ext_at(s, X509_OID_CRL_DISTRIBUTION_POINTS), "no http URL of a CRL");
}

static void path_len(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, X509_OID_BASIC_CONSTRAINTS);
    if (!s->cert->ext.has_basic_constraints) {
        lint_found_at(r, LINT_FATAL, x->der, "basicConstraints does not decode: %s", x->why);
    } else if (s->cert->ext.has_path_len) {
        lint_found(r, x->der, "pathLenConstraint is %u", s->cert->ext.path_len);
    }
}

static void unit(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_attribute *ou = x509_name_find(&s->cert->subject, X509_OID_OU, 0);
    if (ou != NULL && !s->config->subject_ou_cross_cert) {
        lint_found(r, ou->value, "organizationalUnitName \"%.*s\" in a CA's name", LT_FMT(ou->value));
    }
}

#define BR(level_) .source = LINT_CABF_BR, .level = (level_), .kinds = LINT_CERTIFICATE, .zlint = true
#define CA_KU (LINT_IS_CA | LINT_HAS_KU)

static const struct lint_rule rows[] = {
    {"e_ca_crl_sign_not_set", BR(LINT_ERROR), .asks = "a CA's keyUsage has cRLSign",
     .citation = "BR 7.1.2.10.7", .formerly = "BR 7.1.2.1, 7.1.2.2", .when = CA_KU, .effective = BR_1_0,
     .check = key_usage_bit, .value = X509_KU_CRL_SIGN},
    {"e_ca_invalid_eku", BR(LINT_ERROR),
     .asks = "the purposes of a subordinate CA are anyExtendedKeyUsage alone, or none that belongs to other "
             "trust than TLS",
     .citation = "BR 7.1.2.10.6", .formerly = "BR 7.1.2.2(g)", .when = LINT_IS_SUB_CA | LINT_HAS_EKU,
     .effective = BR_1_7_1, .applies = purposes_known, .check = purposes},
    {"e_ca_is_ca", BR(LINT_ERROR), .asks = "who may sign certificates says so in basicConstraints",
     .citation = "BR 7.1.2.1.4, 7.1.2.10.4", .formerly = "BR 7.1.2.1(a), 7.1.2.2(d)",
     .when = LINT_HAS_KU | LINT_HAS_BC, .effective = BR_1_0, .applies = signs_certificates, .check = is_ca},
    {"e_ca_key_cert_sign_not_set", BR(LINT_ERROR), .asks = "a CA's keyUsage has keyCertSign",
     .citation = "BR 7.1.2.10.7", .formerly = "BR 7.1.2.1, 7.1.2.2", .when = CA_KU, .effective = BR_1_0,
     .check = key_usage_bit, .value = X509_KU_KEY_CERT_SIGN},
    {"e_ca_key_usage_missing", BR(LINT_ERROR), .asks = "a CA certificate has keyUsage",
     .citation = "BR 7.1.2.10.7; RFC 5280 4.2.1.3", .formerly = "BR 7.1.2.1(b), 7.1.2.2(e)",
     .when = LINT_IS_CA, .effective = LINT_DAY(2002, 4, 1), .check = some_key_usage},
    {"e_ca_key_usage_not_critical", BR(LINT_ERROR), .asks = "a CA's keyUsage is critical",
     .citation = "BR 7.1.2.1.2, 7.1.2.6.1", .formerly = "BR 7.1.2.1(b), 7.1.2.2(e)", .when = CA_KU,
     .effective = BR_1_0, .check = is_critical, .value = X509_OID_KEY_USAGE},
    {"e_ca_multiple_reserved_policy_oids", BR(LINT_ERROR),
     .asks = "a policy-restricted subordinate CA has exactly one reserved policy",
     .citation = "BR 7.1.2.10.5", .when = LINT_IS_SUB_CA, .effective = BR_2_0_0, .applies = policy_restricted,
     .check = one_reserved},
    {"e_ca_aia_non_http_url", BR(LINT_ERROR),
     .asks = "the locations in a subordinate CA's authorityInfoAccess are http URLs",
     .citation = "BR 7.1.2.10.3", .when = LINT_IS_SUB_CA | LINT_HAS_AIA, .effective = BR_2_0_0,
     .applies = has_pointer, .check = http_pointers},
    {"e_invalid_ca_certificate_policies", BR(LINT_ERROR),
     .asks = "a subordinate CA has anyPolicy alone, or a reserved policy", .citation = "BR 7.1.2.10.5",
     .when = LINT_IS_SUB_CA, .effective = BR_2_0_0, .check = policies},
    {"e_root_ca_extended_key_usage_present", BR(LINT_ERROR), .asks = "a root has no extKeyUsage",
     .citation = "BR 7.1.2.1.2", .formerly = "BR 7.1.2.1(d)", .when = LINT_IS_ROOT, .effective = BR_1_0,
     .check = is_absent, .value = X509_OID_EXTENDED_KEY_USAGE},
    {"e_root_ca_key_usage_must_be_critical", BR(LINT_ERROR), .asks = "a root's keyUsage is critical",
     .citation = "BR 7.1.2.1.2", .formerly = "BR 7.1.2.1(b)", .when = LINT_IS_ROOT | LINT_HAS_KU,
     .effective = LINT_DAY(1999, 1, 1), .check = is_critical, .value = X509_OID_KEY_USAGE},
    {"e_root_ca_key_usage_present", BR(LINT_ERROR), .asks = "a root has keyUsage", .citation = "BR 7.1.2.1.2",
     .formerly = "BR 7.1.2.1(b)", .when = LINT_IS_ROOT, .effective = LINT_DAY(1999, 1, 1),
     .check = is_present, .value = X509_OID_KEY_USAGE},
    {"e_sub_ca_aia_marked_critical", BR(LINT_ERROR),
     .asks = "a subordinate CA's authorityInfoAccess is not critical", .citation = "BR 7.1.2.6.1",
     .formerly = "BR 7.1.2.2(c)", .when = LINT_IS_SUB_CA | LINT_HAS_AIA, .check = not_critical,
     .value = X509_OID_AUTHORITY_INFO_ACCESS},
    {"e_sub_ca_aia_missing", BR(LINT_ERROR), .asks = "a subordinate CA has authorityInfoAccess",
     .citation = "BR 7.1.2.6.1", .formerly = "BR 7.1.2.2(c)", .when = LINT_IS_SUB_CA, .effective = BR_1_0,
     .retired = BR_1_7_1, .check = is_present, .value = X509_OID_AUTHORITY_INFO_ACCESS},
    {"e_sub_ca_certificate_policies_missing", BR(LINT_ERROR),
     .asks = "a subordinate CA has certificatePolicies", .citation = "BR 7.1.2.6.1",
     .formerly = "BR 7.1.2.2(a)", .when = LINT_IS_SUB_CA, .effective = BR_1_0, .check = is_present,
     .value = X509_OID_CERTIFICATE_POLICIES},
    {"e_sub_ca_crl_distribution_points_does_not_contain_url", BR(LINT_ERROR),
     .asks = "cRLDistributionPoints of a subordinate CA has an http URL", .citation = "BR 7.1.2.11.2",
     .formerly = "BR 7.1.2.2(b)", .when = LINT_IS_SUB_CA | LINT_HAS_CDP, .effective = BR_1_0,
     .check = crl_pointer},
    {"e_sub_ca_crl_distribution_points_marked_critical", BR(LINT_ERROR),
     .asks = "cRLDistributionPoints of a subordinate CA is not critical", .citation = "BR 7.1.2.6.1",
     .formerly = "BR 7.1.2.2(b)", .when = LINT_IS_SUB_CA | LINT_HAS_CDP, .effective = BR_1_0,
     .check = not_critical, .value = X509_OID_CRL_DISTRIBUTION_POINTS},
    {"e_sub_ca_crl_distribution_points_missing", BR(LINT_ERROR),
     .asks = "a subordinate CA has cRLDistributionPoints", .citation = "BR 7.1.2.6.1",
     .formerly = "BR 7.1.2.2(b)", .when = LINT_IS_SUB_CA, .effective = BR_1_0, .check = is_present,
     .value = X509_OID_CRL_DISTRIBUTION_POINTS},
    {"e_subj_orgunit_in_ca_cert", BR(LINT_ERROR), .asks = "a CA's name has no organizationalUnitName",
     .citation = "BR 7.1.2.10.2", .when = LINT_IS_CA, .effective = BR_2_0_0, .check = unit},
    {"n_ca_digital_signature_not_set", BR(LINT_NOTICE),
     .asks = "a CA whose key is to sign OCSP responses has digitalSignature", .citation = "BR 7.1.2.10.7",
     .formerly = "BR 7.1.2.1(b), 7.1.2.2(e)", .when = CA_KU, .effective = BR_1_0, .check = key_usage_bit,
     .value = X509_KU_DIGITAL_SIGNATURE},
    {"n_sub_ca_eku_missing", BR(LINT_NOTICE), .asks = "a constrained subordinate CA has extKeyUsage",
     .citation = "BR 7.1.2.5.1, 7.1.2.6.1", .formerly = "BR 7.1.5", .when = LINT_IS_SUB_CA,
     .effective = BR_1_0, .check = is_present, .value = X509_OID_EXTENDED_KEY_USAGE},
    {"n_sub_ca_eku_not_technically_constrained", BR(LINT_NOTICE),
     .asks = "the purposes of a constrained subordinate CA name serverAuth or clientAuth",
     .citation = "BR 7.1.2.10.6", .formerly = "BR 7.1.2.2(g)", .when = LINT_IS_SUB_CA | LINT_HAS_EKU,
     .effective = BR_1_1_6, .check = tls_purpose},
    {"w_root_ca_basic_constraints_path_len_constraint_field_present", BR(LINT_WARN),
     .asks = "a root's basicConstraints has no pathLenConstraint", .citation = "BR 7.1.2.1.4",
     .formerly = "BR 7.1.2.1(a)", .when = LINT_IS_ROOT | LINT_HAS_BC, .effective = BR_1_0, .check = path_len},
    {"w_sub_ca_aia_does_not_contain_issuing_ca_url", BR(LINT_WARN),
     .asks = "a subordinate CA's authorityInfoAccess has an http URL of the issuer's certificate",
     .citation = "BR 7.1.2.10.3", .formerly = "BR 7.1.2.2(c)", .when = LINT_IS_SUB_CA, .effective = BR_1_0,
     .retired = BR_2_0_0, .check = issuer_pointer},
    {"w_sub_ca_aia_missing", BR(LINT_WARN), .asks = "a subordinate CA has authorityInfoAccess",
     .citation = "BR 7.1.2.6.1", .formerly = "BR 7.1.2.2(c)", .when = LINT_IS_SUB_CA, .effective = BR_1_7_1,
     .check = is_present, .value = X509_OID_AUTHORITY_INFO_ACCESS},
    {"w_sub_ca_certificate_policies_marked_critical", BR(LINT_WARN),
     .asks = "certificatePolicies of a subordinate CA is not critical", .citation = "BR 7.1.2.6.1",
     .formerly = "BR 7.1.2.2(a)", .when = LINT_IS_SUB_CA | LINT_HAS_CP, .effective = BR_1_0,
     .check = not_critical, .value = X509_OID_CERTIFICATE_POLICIES},
    {"w_sub_ca_eku_critical", BR(LINT_WARN), .asks = "extKeyUsage of a subordinate CA is not critical",
     .citation = "BR 7.1.2.6.1", .formerly = "BR 7.1.2.2(g)", .when = LINT_IS_SUB_CA | LINT_HAS_EKU,
     .effective = BR_1_1_6, .check = not_critical, .value = X509_OID_EXTENDED_KEY_USAGE},
    {"w_sub_ca_name_constraints_not_critical", BR(LINT_WARN),
     .asks = "nameConstraints of a subordinate CA is critical", .citation = "BR 7.1.2.10.8",
     .formerly = "BR 7.1.2.2(f)", .when = LINT_IS_SUB_CA | LINT_HAS_NC, .effective = BR_1_0_2,
     .check = is_critical, .value = X509_OID_NAME_CONSTRAINTS},
};
const struct lint_table lint_cabf_br_ca = LINT_TABLE(rows);
