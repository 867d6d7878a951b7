/* CA/Browser Forum TLS Baseline Requirements as zlint judges them: extensions, key usage, validity and
 * signatures of subscriber certificates, and the policies of a root. */
#include "lint/rules.h"
#include "lint/rules/common.h"
#include "lint/rules/purposes.h"
#include "lint/rules/url.h"
#include "x509/dnsname.h"

/* Wanted: the extension whose type stands in .value. */
static void present(const struct lint_subject *s, struct lint_report *r)
{
    enum x509_oid oid = (enum x509_oid)r->rule->value;
    if (lint_ext(s, oid) == NULL) {
        lint_found(r, s->cert->tbs, "there is no %s", x509_oid_name(oid));
    }
}

static void absent(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, (enum x509_oid)r->rule->value);
    if (x != NULL) {
        lint_found(r, x->der, "%s stands in it", x509_oid_name(x->id.oid));
    }
}

static void not_critical(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, (enum x509_oid)r->rule->value);
    if (x != NULL && x->critical) {
        lint_found(r, x->der, "%s is critical", x509_oid_name(x->id.oid));
    }
}

static void critical(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, (enum x509_oid)r->rule->value);
    if (x != NULL && !x->critical) {
        lint_found(r, x->der, "%s is not critical", x509_oid_name(x->id.oid));
    }
}

static bool is_http(const struct x509_general_name *n)
{
    return n->type == X509_GN_URI && lt_slice_starts(n->value, LT_LIT("http://"));
}

/* An http URL by the access method in .value. */
static void http_access(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    enum x509_oid method = (enum x509_oid)r->rule->value;
    for (size_t i = 0; i < e->aia_count; i++) {
        if (e->aia[i].method.oid == method && is_http(&e->aia[i].location)) {
            return;
        }
    }
    lint_found(r, lint_ext_at(s, X509_OID_AUTHORITY_INFO_ACCESS), "no http URL for %s",
               x509_oid_name(method));
}

static void http_crl(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    for (size_t i = 0; i < e->crldp_count; i++) {
        for (size_t k = 0; k < e->crldp[i].names.count; k++) {
            if (is_http(&e->crldp[i].names.list[k])) {
                return;
            }
        }
    }
    lint_found(r, lint_ext_at(s, X509_OID_CRL_DISTRIBUTION_POINTS), "no http URL of a CRL");
}

static bool is_public(const struct lint_subject *s, lt_slice host)
{
    size_t start = host.len;
    while (start > 0 && host.ptr[start - 1] != '.') {
        start--;
    }
    const struct lint_tld *tld = lint_tld_find(lt_slice_sub(host, start, host.len - start));
    if (tld == NULL) {
        return false;
    }
    lt_time now = s->in->signing_time;
    if (now.us == 0) { /* nobody said what day it is: the list is from today */
        return tld->removed == 0;
    }
    int64_t at = lt_time_seconds(now);
    return at >= tld->delegated * LT_SECONDS_PER_DAY &&
           (tld->removed == 0 || at <= tld->removed * LT_SECONDS_PER_DAY);
}

/* False: it is wrong. */
static bool check_host(const struct lint_subject *s, struct lint_report *r, lt_slice text)
{
    struct lint_url url;
    struct x509_ip ip;
    if (!lint_url_parse(text, &url)) {
        lint_found_at(r, LINT_ERROR, text, "'%.*s' is no URL", LT_FMT(text));
        return false;
    }
    if (!is_public(s, url.name) && lt_failed(x509_ip_parse(url.host, &ip))) {
        lint_found(r, text, "'%.*s' has a host of no public domain", LT_FMT(text));
        return false;
    }
    return true;
}

/* Responders first, and only the first that is wrong: which one that is makes a warning or an error. */
static void internal_access(const struct lint_subject *s, struct lint_report *r)
{
    static const enum x509_oid methods[] = {X509_OID_OCSP, X509_OID_CA_ISSUERS};
    const struct x509_extensions *e = &s->cert->ext;
    for (size_t m = 0; m < LT_COUNT(methods); m++) {
        for (size_t i = 0; i < e->aia_count; i++) {
            const struct x509_general_name *n = &e->aia[i].location;
            bool wanted = e->aia[i].method.oid == methods[m] && n->type == X509_GN_URI;
            if (wanted && !check_host(s, r, n->value)) {
                return;
            }
        }
    }
}

static void usage_bit(const struct lint_subject *s, struct lint_report *r)
{
    if ((s->cert->ext.key_usage & (uint32_t)r->rule->value) != 0) {
        lint_found(r, lint_ext_at(s, X509_OID_KEY_USAGE), "%s is set",
                   r->rule->value == X509_KU_CRL_SIGN ? "cRLSign" : "keyCertSign");
    }
}

static bool cannot_sign(const struct lint_subject *s)
{
    return (s->cert->ext.key_usage & X509_KU_KEY_CERT_SIGN) == 0;
}

static void no_ca(const struct lint_subject *s, struct lint_report *r)
{
    if (s->cert->ext.ca) {
        lint_found(r, lint_ext_at(s, X509_OID_BASIC_CONSTRAINTS), "cA is TRUE without keyCertSign");
    }
}

static size_t count_named(const struct lint_subject *s)
{
    size_t count = 0;
    for (size_t i = 0; i < s->cert->ext.eku_count; i++) {
        count += lint_purpose_known(s->cert->ext.eku[i].der);
    }
    return count;
}

static bool has_named_purpose(const struct lint_subject *s)
{
    return count_named(s) > 0;
}

static void server_or_client(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    if (!x509_has_eku(e, X509_OID_SERVER_AUTH) && !x509_has_eku(e, X509_OID_CLIENT_AUTH)) {
        lint_found(r, lint_ext_at(s, X509_OID_EXTENDED_KEY_USAGE), "neither serverAuth nor clientAuth");
    }
}

static void extra_purposes(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->cert->ext.eku_count; i++) {
        const struct x509_oid_ref *p = &s->cert->ext.eku[i];
        bool usual = p->oid == X509_OID_SERVER_AUTH || p->oid == X509_OID_CLIENT_AUTH ||
                     p->oid == X509_OID_EMAIL_PROTECTION;
        if (lint_purpose_known(p->der) && !usual) {
            lint_found(r, p->der, "key purpose %s", x509_oid_name(p->oid));
        }
    }
}

/*= CABF-BR 7.1.2.7.10 "id-kp-serverAuth" MUST, "id-kp-clientAuth" MAY, "Any other value" NOT RECOMMENDED */
static void purposes(const struct lint_subject *s, struct lint_report *r)
{
    static const enum x509_oid forbidden[] = {
        X509_OID_ANY_EXTENDED_KEY_USAGE, X509_OID_CODE_SIGNING,     X509_OID_TIME_STAMPING,
        X509_OID_OCSP_SIGNING,           X509_OID_EMAIL_PROTECTION, X509_OID_PRECERTIFICATE_SIGNING,
    };
    const struct x509_extensions *e = &s->cert->ext;
    lt_slice where = lint_ext_at(s, X509_OID_EXTENDED_KEY_USAGE);
    for (size_t i = 0; i < LT_COUNT(forbidden); i++) {
        if (x509_has_eku(e, forbidden[i])) {
            lint_found(r, where, "%s has no place here", x509_oid_name(forbidden[i]));
        }
    }
    if (!x509_has_eku(e, X509_OID_SERVER_AUTH)) {
        lint_found(r, where, "serverAuth is missing");
    }
    size_t named = count_named(s);
    if (named < e->eku_count || (named > 2 && !x509_has_eku(e, X509_OID_CLIENT_AUTH))) {
        lint_found_at(r, LINT_WARN, where, "a key purpose beside serverAuth and clientAuth");
    }
}

static void longer_than_months(const struct lint_subject *s, struct lint_report *r)
{
    int64_t end = lint_add_months(s->cert->not_before, (int)r->rule->value);
    if (end < lt_time_seconds(s->cert->not_after)) {
        lint_found(r, s->cert->tbs, "it ends %lld s after %lld months",
                   (long long)(lt_time_seconds(s->cert->not_after) - end), (long long)r->rule->value);
    }
}

static void longer_than_days(const struct lint_subject *s, struct lint_report *r)
{
    int64_t seconds = lt_time_seconds(s->cert->not_after) - lt_time_seconds(s->cert->not_before);
    if (seconds > r->rule->value * LT_SECONDS_PER_DAY) {
        lint_found(r, s->cert->tbs, "it ends %lld s after its begin, at most %lld days of 86,400 s",
                   (long long)seconds, (long long)r->rule->value);
    }
}

static bool is_old_rsa(const struct lint_subject *s)
{
    return lt_time_seconds(s->cert->not_after) < LINT_DAY(2014, 1, 1) * LT_SECONDS_PER_DAY;
}

static void small_rsa(const struct lint_subject *s, struct lint_report *r)
{
    if (s->cert->spki.bits < (unsigned)r->rule->value) {
        lint_found(r, s->cert->spki.der, "a modulus of %u bits", s->cert->spki.bits);
    }
}

static bool is_sha1(const struct lint_subject *s)
{
    static const lt_slice list[] = {
        LT_LIT("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05"), /* sha1WithRSAEncryption */
        LT_LIT("\x2b\x0e\x03\x02\x1d"),                 /* the same, of OIW */
        LT_LIT("\x2a\x86\x48\xce\x38\x04\x03"),         /* dsa-with-sha1 */
        LT_LIT("\x2a\x86\x48\xce\x3d\x04\x01"),         /* ecdsa-with-SHA1 */
    };
    if (s->cert->sig_alg != X509_SIG_UNKNOWN) {
        return false;
    }
    struct der_cursor c = der_open(s->cert->sig_alg_der);
    struct der_cursor in = der_enter(&c, DER_SEQUENCE);
    lt_slice oid = der_oid(&in);
    for (size_t i = 0; i < LT_COUNT(list) && der_ok(&in); i++) {
        if (lt_slice_eq(oid, list[i])) {
            return true;
        }
    }
    return false;
}

static void sha1(const struct lint_subject *s, struct lint_report *r)
{
    if (is_sha1(s)) {
        lint_found(r, s->cert->sig_alg_der, "signed over SHA-1");
    }
}

static void sha1_too_long(const struct lint_subject *s, struct lint_report *r)
{
    if (lt_time_seconds(s->cert->not_after) > LINT_DAY(2017, 1, 1) * LT_SECONDS_PER_DAY) {
        lint_found(r, s->cert->tbs, "signed over SHA-1 and valid beyond 2016");
    }
}

#define BR(level_, ...)                                                                  \
    .source = LINT_CABF_BR, .level = (level_), .kinds = LINT_CERTIFICATE, .zlint = true, \
    .effective = LINT_DAY(__VA_ARGS__)
#define BR_2012 BR(LINT_ERROR, 2012, 7, 1)
#define EXTENSION .citation = "BR 7.1.2.7.6", .formerly = "BR 7.1.2.3"
#define MISSING(oid_) BR_2012, EXTENSION, .unless = LINT_IS_CA, .check = present, .value = (oid_)

static const struct lint_rule rows[] = {
    {"e_sub_cert_aia_missing", MISSING(X509_OID_AUTHORITY_INFO_ACCESS),
     .asks = "a subscriber certificate says where to ask about its issuer"},
    {"e_sub_cert_certificate_policies_missing", MISSING(X509_OID_CERTIFICATE_POLICIES),
     .asks = "a subscriber certificate has certificatePolicies"},
    {"e_sub_cert_eku_missing", MISSING(X509_OID_EXTENDED_KEY_USAGE),
     .asks = "a subscriber certificate has extKeyUsage"},
    {"e_sub_cert_aia_does_not_contain_ocsp_url", BR_2012, .retired = LINT_DAY(2023, 9, 15),
     .unless = LINT_IS_CA, .asks = "a subscriber certificate has the http URL of an OCSP responder",
     .citation = "BR 7.1.2.7.7", .formerly = "BR 7.1.2.3", .check = http_access, .value = X509_OID_OCSP},
    {"w_sub_cert_aia_does_not_contain_issuing_ca_url", BR(LINT_WARN, 2012, 7, 1), .when = LINT_IS_SUBSCRIBER,
     .asks = "a subscriber certificate has the http URL of its issuer's certificate",
     .citation = "BR 7.1.2.7.7", .formerly = "BR 7.1.2.3", .check = http_access,
     .value = X509_OID_CA_ISSUERS},
    {"w_sub_cert_aia_contains_internal_names", BR(LINT_WARN, 2012, 7, 1),
     .when = LINT_IS_SUBSCRIBER | LINT_HAS_AIA, .asks = "the hosts behind a certificate are public ones",
     .citation = "BR 7.1.2.7.7", .formerly = "BR 7.1.2.10.3", .check = internal_access},
    {"e_sub_cert_aia_marked_critical", BR_2012, EXTENSION, .when = LINT_IS_SUBSCRIBER | LINT_HAS_AIA,
     .asks = "authorityInfoAccess is not critical", .check = not_critical,
     .value = X509_OID_AUTHORITY_INFO_ACCESS},
    {"e_sub_cert_basic_constraints_not_critical", BR(LINT_ERROR, 2023, 9, 15), EXTENSION,
     .when = LINT_IS_SUBSCRIBER | LINT_HAS_BC, .asks = "basicConstraints is critical", .check = critical,
     .value = X509_OID_BASIC_CONSTRAINTS},
    {"e_sub_cert_cert_policy_empty", BR_2012, .unless = LINT_IS_CA,
     .asks = "a subscriber certificate names a policy", .citation = "BR 7.1.2.7.9", .formerly = "BR 7.1.2.3",
     /* an empty list is not none to zlint */
     .check = present, .value = X509_OID_CERTIFICATE_POLICIES},
    {"w_sub_cert_certificate_policies_marked_critical", BR(LINT_WARN, 2012, 7, 1), EXTENSION,
     .when = LINT_HAS_CP, .asks = "certificatePolicies is not critical", .check = not_critical,
     .value = X509_OID_CERTIFICATE_POLICIES},
    {"e_sub_cert_crl_distribution_points_does_not_contain_url", BR_2012, .when = LINT_HAS_CDP,
     .asks = "cRLDistributionPoints has an http URL", .citation = "BR 7.1.2.11.2", .formerly = "BR 7.1.2.3",
     .check = http_crl},
    {"e_sub_cert_crl_distribution_points_marked_critical", BR_2012, .when = LINT_HAS_CDP,
     .asks = "cRLDistributionPoints is not critical", .citation = "BR 7.1.2.11.2", .formerly = "BR 7.1.2.3",
     .check = not_critical, .value = X509_OID_CRL_DISTRIBUTION_POINTS},
    {"e_sub_cert_eku_check", BR(LINT_ERROR, 2023, 9, 15), .when = LINT_IS_SUBSCRIBER | LINT_HAS_EKU,
     .asks = "the key is for TLS servers, may be for TLS clients, and for nothing that others rely on",
     .citation = "BR 7.1.2.7.10", .formerly = "BR 7.1.2.3", .check = purposes},
    {"e_sub_cert_eku_server_auth_client_auth_missing", BR_2012, .retired = LINT_DAY(2023, 9, 15),
     .when = LINT_HAS_EKU, .applies = has_named_purpose, .asks = "the key is for TLS servers or clients",
     .citation = "BR 7.1.2.7.10", .formerly = "BR 7.1.2.3", .check = server_or_client},
    {"w_sub_cert_eku_extra_values", BR(LINT_WARN, 2012, 7, 1), .retired = LINT_DAY(2023, 9, 15),
     .when = LINT_IS_SUBSCRIBER | LINT_HAS_EKU, .applies = has_named_purpose,
     .asks = "the key is for TLS and mail alone", .citation = "BR 7.1.2.7.10", .formerly = "BR 7.1.2.3",
     .check = extra_purposes},
    {"e_sub_cert_key_usage_cert_sign_bit_set", BR_2012, .when = LINT_HAS_KU, .unless = LINT_IS_CA,
     .asks = "the key of a subscriber signs no certificates", .citation = "BR 7.1.2.7.11",
     .formerly = "BR 7.1.2.3", .check = usage_bit, .value = X509_KU_KEY_CERT_SIGN},
    {"e_sub_cert_key_usage_crl_sign_bit_set", BR_2012, .when = LINT_HAS_KU, .unless = LINT_IS_CA,
     .asks = "the key of a subscriber signs no CRLs", .citation = "BR 7.1.2.7.11", .formerly = "BR 7.1.2.3",
     .check = usage_bit, .value = X509_KU_CRL_SIGN},
    {"e_sub_cert_not_is_ca", BR_2012, .when = LINT_HAS_KU | LINT_HAS_BC, .applies = cannot_sign,
     .asks = "what cannot sign certificates is no CA", .citation = "BR 7.1.2.7.8", .formerly = "BR 7.1.2.3",
     .check = no_ca},
    {"w_ext_subject_key_identifier_not_recommended_subscriber", BR(LINT_WARN, 2023, 9, 15), EXTENSION,
     .when = LINT_IS_SUBSCRIBER, .asks = "a subscriber certificate does without subjectKeyIdentifier",
     .check = absent, .value = X509_OID_SUBJECT_KEY_IDENTIFIER},
    {"w_root_ca_contains_cert_policy", BR(LINT_WARN, 2012, 7, 1), .when = LINT_IS_ROOT,
     .asks = "a root does without certificatePolicies", .citation = "BR 7.1.2.1.2", .formerly = "BR 7.1.2.1",
     .check = absent, .value = X509_OID_CERTIFICATE_POLICIES},
    {"e_sub_cert_valid_time_longer_than_39_months", BR(LINT_ERROR, 2016, 7, 2), .when = LINT_IS_SUBSCRIBER,
     .asks = "a subscriber certificate is valid for 39 months at most", .citation = "BR 6.3.2",
     .check = longer_than_months, .value = 39},
    {"e_sub_cert_valid_time_longer_than_825_days", BR(LINT_ERROR, 2018, 3, 2), .when = LINT_IS_SUBSCRIBER,
     .asks = "a subscriber certificate is valid for 825 days at most", .citation = "BR 6.3.2",
     .check = longer_than_days, .value = 825},
    {"e_old_sub_cert_rsa_mod_less_than_1024_bits", .source = LINT_CABF_BR, .level = LINT_ERROR,
     .kinds = LINT_CERTIFICATE, .zlint = true, .when = LINT_HAS_RSA, .unless = LINT_IS_CA,
     .applies = is_old_rsa, .asks = "an RSA key that ended before 2014 has 1024 bits at least",
     .citation = "BR 6.1.5", .check = small_rsa, .value = 1024},
    {"e_sub_cert_or_sub_ca_using_sha1", BR(LINT_ERROR, 2016, 1, 1), .asks = "nothing is signed over SHA-1",
     .citation = "BR 7.1.3.2", .formerly = "BR 7.1.3", .check = sha1},
    {"w_sub_cert_sha1_expiration_too_long", BR(LINT_WARN, 2015, 1, 16), .unless = LINT_IS_CA,
     .applies = is_sha1, .asks = "what was signed over SHA-1 ended with 2016", .citation = "BR 7.1.3.2",
     .formerly = "BR 7.1.3", .check = sha1_too_long},
};
const struct lint_table lint_cabf_br_subscriber = LINT_TABLE(rows);
