/* A certificate against what the book knows: serials, keys, validations and their age, the URL of its CRL. */
#include "lint/rules.h"

enum { HOUR = 3600, DAY = 86400 };

/*= RFC 5280 4.1.2.2 "It MUST be unique for each certificate issued by a given CA" */
static void serial_unique(const struct lint_subject *s, struct lint_report *r)
{
    const struct lint_evidence *e = s->in->evidence;
    if (e->serial_uses > e->serial_uses_as_precert) {
        lint_found(r, s->cert->serial, "%u other certificates of this issuer have this serial number",
                   e->serial_uses - e->serial_uses_as_precert);
    }
}

static void ski_unique(const struct lint_subject *s, struct lint_report *r)
{
    if (s->in->evidence->ski_uses_by_other_key > 0) {
        lint_found(r, lint_ext_at(s, X509_OID_SUBJECT_KEY_IDENTIFIER),
                   "%u CA certificates of other keys have this key identifier",
                   s->in->evidence->ski_uses_by_other_key);
    }
}

static bool knows_crl_url(const struct lint_subject *s)
{
    return s->in->evidence->crl_url.len > 0;
}

/*= CABF-BR 7.2.2.1 "at least one of the uniformResourceIdentifiers in the CRL Distribution Points's fullName
 *= field MUST be included in the fullName field of the CRL's Issuing Distribution Point extension." */
static void crl_url(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    lt_slice want = s->in->evidence->crl_url;
    for (size_t i = 0; i < e->crldp_count; i++) {
        for (size_t k = 0; k < e->crldp[i].names.count; k++) {
            const struct x509_general_name *n = &e->crldp[i].names.list[k];
            if (n->type == X509_GN_URI && lt_slice_eq(n->value, want)) {
                return;
            }
        }
    }
    lint_found(r, lint_ext_at(s, X509_OID_CRL_DISTRIBUTION_POINTS), "it does not name %.*s", LT_FMT(want));
}

/*= CABF-BR 4.2.1 "MUST be obtained within the maximum number of days prior to issuing the Certificate" */
static int64_t reuse_days(int64_t day)
{
    return day < LINT_DAY(2026, 3, 15)   ? 398
           : day < LINT_DAY(2027, 3, 15) ? 200
           : day < LINT_DAY(2029, 3, 15) ? 100
                                         : 10;
}

static bool knows_validation(const struct lint_subject *s)
{
    return s->in->evidence->oldest_validation.us != 0;
}

static void validation_age(const struct lint_subject *s, struct lint_report *r)
{
    int64_t now = lt_time_seconds(s->in->signing_time);
    int64_t age = now - lt_time_seconds(s->in->evidence->oldest_validation);
    int64_t most = reuse_days(now / DAY);
    if (age > most * DAY) {
        lint_found(r, lint_ext_at(s, X509_OID_SUBJECT_ALT_NAME),
                   "a name was validated %lld days ago, at most %lld", (long long)((age + DAY - 1) / DAY),
                   (long long)most);
    }
}

static bool knows_caa(const struct lint_subject *s)
{
    return s->in->evidence->oldest_caa.us != 0;
}

/*= CABF-BR 3.2.2.8 "within the TTL of the CAA record, or 8 hours, whichever is greater": the TTL is not known
 *= here, so that 8 hours it is. */
static void caa_age(const struct lint_subject *s, struct lint_report *r)
{
    int64_t age = lt_time_seconds(s->in->signing_time) - lt_time_seconds(s->in->evidence->oldest_caa);
    if (age > 8 * HOUR) {
        lint_found(r, lint_ext_at(s, X509_OID_SUBJECT_ALT_NAME),
                   "CAA was checked %lld minutes ago, at most 480", (long long)(age / 60));
    }
}

/*= CABF-BR 3.2.2.4 "the CA has validated each Fully-Qualified Domain Name (FQDN) listed in the Certificate"
 */
static void all_validated(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_general_names *san = &s->cert->ext.san;
    size_t names = 0;
    for (size_t i = 0; i < san->count; i++) {
        names += san->list[i].type == X509_GN_DNS || san->list[i].type == X509_GN_IP;
    }
    if (s->in->evidence->names_validated < names) {
        lint_found(r, lint_ext_at(s, X509_OID_SUBJECT_ALT_NAME), "evidence for %u of %zu names",
                   s->in->evidence->names_validated, names);
    }
}

static bool says_how_many(const struct lint_subject *s)
{
    return s->in->evidence->names_validated > 0;
}

#define CERT .source = LINT_LINTEL, .kinds = LINT_CERTIFICATE, .level = LINT_ERROR

static const struct lint_rule rows[] = {
    {"lintel_issuance_serial_reuse", CERT,
     .asks = "no other certificate of this issuer has this serial number", .citation = "RFC 5280 4.1.2.2",
     .when = LINT_WITH_EVIDENCE, .check = serial_unique},
    {"lintel_issuance_ski_reuse", CERT, .asks = "no CA of another key has this key identifier",
     .citation = "RFC 5280 4.2.1.2", .when = LINT_WITH_EVIDENCE | LINT_IS_CA, .check = ski_unique},
    {"lintel_issuance_crl_url", CERT, .asks = "the CRL distribution point is the URL in the issuer's CRL",
     .citation = "BR 7.2.2.1", .when = LINT_WITH_EVIDENCE | LINT_HAS_CDP, .applies = knows_crl_url,
     .check = crl_url},
    {"lintel_issuance_validation_age", CERT,
     .asks = "validations of names are not older than their reuse period", .citation = "BR 4.2.1",
     .when = LINT_WITH_EVIDENCE | LINT_WITH_TIME | LINT_IS_SUBSCRIBER | LINT_IS_TLS,
     .applies = knows_validation, .check = validation_age},
    {"lintel_issuance_caa_age", CERT, .asks = "CAA was checked within 8 hours", .citation = "BR 3.2.2.8",
     .when = LINT_WITH_EVIDENCE | LINT_WITH_TIME | LINT_IS_SUBSCRIBER | LINT_IS_TLS, .applies = knows_caa,
     .check = caa_age},
    {"lintel_issuance_names_validated", CERT, .asks = "each name has evidence of its validation",
     .citation = "BR 3.2.2.4", .when = LINT_WITH_EVIDENCE | LINT_IS_SUBSCRIBER | LINT_IS_TLS,
     .applies = says_how_many, .check = all_validated},
};
const struct lint_table lint_issuance_evidence = LINT_TABLE(rows);
