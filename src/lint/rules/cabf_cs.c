/* zlint's rules of the Code Signing Baseline Requirements. */
#include "lint/rules/common.h"
#include "lint/rules/url.h"

#define CS                                                                                    \
    .source = LINT_CABF_CS_BR, .level = LINT_ERROR, .kinds = LINT_CERTIFICATE, .zlint = true, \
    .effective = LINT_DAY(2019, 8, 13)

/* Subscribers and CAs below a root. */
static bool below_root(const struct lint_subject *s)
{
    return lint_is_any(s, LINT_IS_SUBSCRIBER | LINT_IS_SUB_CA);
}

static bool has_policy(const struct lint_subject *s, enum x509_oid oid)
{
    for (size_t i = 0; i < s->cert->ext.policy_count; i++) {
        if (s->cert->ext.policies[i].id.oid == oid) {
            return true;
        }
    }
    return false;
}

static bool not_ev(const struct lint_subject *s)
{
    return !has_policy(s, X509_OID_POLICY_EV_CODE_SIGNING);
}

/* Locations of one access method that are URLs, and whether all of them are http. */
static size_t count_urls(const struct lint_subject *s, struct lint_report *r, enum x509_oid method)
{
    size_t count = 0;
    for (size_t i = 0; i < s->cert->ext.aia_count; i++) {
        const struct x509_access *a = &s->cert->ext.aia[i];
        if (a->method.oid != method || a->location.type != X509_GN_URI) {
            continue;
        }
        count++;
        if (r != NULL && !lint_url_has_scheme(a->location.value, "http")) {
            lint_found(r, a->location.value, "'%.*s' is no http URL", LT_FMT(a->location.value));
        }
    }
    return count;
}

static void ca_issuers(const struct lint_subject *s, struct lint_report *r)
{
    if (count_urls(s, r, X509_OID_CA_ISSUERS) == 0) {
        lint_found(r, lint_ext_at(s, X509_OID_AUTHORITY_INFO_ACCESS), "no URL of the issuer's certificate");
    }
}

static bool has_ocsp(const struct lint_subject *s)
{
    return below_root(s) && count_urls(s, NULL, X509_OID_OCSP) > 0;
}

static void ocsp(const struct lint_subject *s, struct lint_report *r)
{
    (void)count_urls(s, r, X509_OID_OCSP); /* its findings are what counts */
}

/* value: the extension that is there and not critical. */
static void present(const struct lint_subject *s, struct lint_report *r)
{
    enum x509_oid oid = (enum x509_oid)r->rule->value;
    const struct x509_extension *x = lint_ext(s, oid);
    if (x == NULL) {
        lint_found(r, s->cert->tbs, "%s is missing", x509_oid_name(oid));
    } else if (x->critical) {
        lint_found(r, x->der, "%s is critical", x509_oid_name(oid));
    }
}

static void crl_points(const struct lint_subject *s, struct lint_report *r)
{
    present(s, r);
    for (size_t i = 0; i < s->cert->ext.crldp_count; i++) {
        const struct x509_general_names *names = &s->cert->ext.crldp[i].names;
        for (size_t k = 0; k < names->count; k++) {
            const struct x509_general_name *n = &names->list[k];
            if (n->type == X509_GN_URI && !lt_slice_starts(n->value, LT_LIT("http://"))) {
                lint_found(r, n->value, "'%.*s' is no http URL", LT_FMT(n->value));
            }
        }
    }
}

static void curve(const struct lint_subject *s, struct lint_report *r)
{
    if (!lint_is(s, LINT_HAS_EC)) {
        lint_found(r, s->cert->spki.algorithm, "the key lies on another curve than P-256, P-384, P-521");
    }
}

static void purposes(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    lt_slice where = lint_ext_at(s, X509_OID_EXTENDED_KEY_USAGE);
    for (size_t i = 0; i < e->eku_count; i++) {
        enum x509_oid oid = e->eku[i].oid;
        if (oid == X509_OID_ANY_EXTENDED_KEY_USAGE || oid == X509_OID_SERVER_AUTH ||
            (oid == X509_OID_EMAIL_PROTECTION && lint_is(s, LINT_IS_SUB_CA))) {
            lint_found(r, e->eku[i].der, "key purpose %s", x509_oid_name(oid));
            return;
        }
    }
    if (!x509_has_eku(e, X509_OID_CODE_SIGNING)) {
        lint_found(r, where, "key purpose codeSigning is missing");
    }
}

static void key_usage(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, X509_OID_KEY_USAGE);
    uint32_t bits = s->cert->ext.key_usage & LINT_KU_DEFINED;
    if (x == NULL) {
        lint_found(r, s->cert->tbs, "keyUsage is missing");
    } else if (!x->critical) {
        lint_found(r, x->der, "keyUsage is not critical");
    } else if ((bits & X509_KU_DIGITAL_SIGNATURE) == 0) {
        lint_found(r, x->value, "key usage 0x%x is without digitalSignature", bits);
    } else if ((bits & (X509_KU_KEY_CERT_SIGN | X509_KU_CRL_SIGN)) != 0) {
        lint_found(r, x->value, "key usage 0x%x could sign certificates or CRLs", bits);
    } else if (bits != X509_KU_DIGITAL_SIGNATURE) {
        lint_found_at(r, LINT_WARN, x->value, "key usage 0x%x is more than digitalSignature", bits);
    }
}

/* value: months, or days when data is there. */
static void validity(const struct lint_subject *s, struct lint_report *r)
{
    int64_t value = r->rule->value;
    bool days = r->rule->data != NULL;
    int64_t end = days ? lt_time_seconds(s->cert->not_before) + value * LT_SECONDS_PER_DAY
                       : lint_add_months(s->cert->not_before, (int)value);
    if (lt_time_seconds(s->cert->not_after) > end) {
        lint_found(r, lint_validity_at(s), "valid for %lld days, at most %lld %s",
                   (long long)(lint_validity_s(s->cert) / LT_SECONDS_PER_DAY), (long long)value,
                   days ? "days" : "months");
    }
}

/* value: the attribute that has to be there. */
static void required(const struct lint_subject *s, struct lint_report *r)
{
    enum x509_oid oid = (enum x509_oid)r->rule->value;
    if (!lint_has_attribute(&s->cert->subject, oid)) {
        lint_found(r, s->cert->subject.der, "the subject has no %s", x509_oid_name(oid));
    }
}

static void prohibited(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_attribute *a = x509_name_find(&s->cert->subject, (enum x509_oid)r->rule->value, 0);
    if (a != NULL) {
        lint_found(r, a->value, "the subject has a %s", x509_oid_name(a->oid));
    }
}

static void country(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_attribute *a = x509_name_find(&s->cert->subject, X509_OID_C, 0);
    if (a == NULL) {
        lint_found(r, s->cert->subject.der, "the subject has no country");
    } else if (!lint_country_loose(a->value)) {
        lint_found(r, a->value, "'%.*s' is no ISO 3166-1 code", LT_FMT(a->value));
    }
}

static void place(const struct lint_subject *s, struct lint_report *r)
{
    if (!lint_has_attribute(&s->cert->subject, X509_OID_L) &&
        !lint_has_attribute(&s->cert->subject, X509_OID_ST)) {
        lint_found(r, s->cert->subject.der, "the subject has neither locality nor state");
    }
}

static void rsa_size(const struct lint_subject *s, struct lint_report *r)
{
    if (!lint_is(s, LINT_HAS_RSA)) {
        lint_say(r, LINT_NA);
    } else if (s->cert->spki.bits < 3072) {
        lint_found(r, s->cert->spki.der, "a modulus of %u bits, at least 3072", s->cert->spki.bits);
    }
}

/* SHA-2 with RSA, ECDSA, DSA: contents of the OBJECT IDENTIFIERs. */
static const struct {
    const char *der;
    size_t len;
} signatures[] = {
    {"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", 9}, {"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c", 9},
    {"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d", 9}, {"\x2a\x86\x48\xce\x3d\x04\x03\x02", 8},
    {"\x2a\x86\x48\xce\x3d\x04\x03\x03", 8},     {"\x2a\x86\x48\xce\x3d\x04\x03\x04", 8},
    {"\x60\x86\x48\x01\x65\x03\x04\x03\x02", 9},
};

/* RSASSA-PSS with hash, mask hash and salt length that go together: contents of the hash OIDs by their last
 * byte, and the salt. */
static const struct {
    uint8_t hash;
    uint8_t salt;
} pss[] = {{1, 32}, {2, 48}, {3, 64}};

static lt_slice read_algorithm(struct der_cursor *c)
{
    struct der_cursor in = der_enter(c, DER_SEQUENCE);
    return der_oid(&in);
}

/* RSASSA-PSS-params ::= SEQUENCE { hashAlgorithm [0], maskGenAlgorithm [1], saltLength [2] INTEGER,
 * trailerField [3] INTEGER DEFAULT 1 } */
static bool pss_is_sha2(struct der_cursor *algorithm)
{
    static const uint8_t sha2[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02};
    struct der_cursor params = der_enter(algorithm, DER_SEQUENCE);
    struct der_cursor hash_tag = der_enter(&params, DER_CONTEXT_CONS(0));
    lt_slice hash = read_algorithm(&hash_tag);
    struct der_cursor mask_tag = der_enter(&params, DER_CONTEXT_CONS(1));
    struct der_cursor mask = der_enter(&mask_tag, DER_SEQUENCE);
    (void)der_oid(&mask); /* MGF1 is the only one there is */
    lt_slice mask_hash = read_algorithm(&mask);
    struct der_cursor salt_tag = der_enter(&params, DER_CONTEXT_CONS(2));
    uint64_t salt = der_small(&salt_tag, 255);
    if (!lt_slice_eq(hash, mask_hash) || hash.len != sizeof(sha2) + 1 ||
        !lt_slice_starts(hash, LT_SLICE(sha2, sizeof(sha2)))) {
        return false;
    }
    for (size_t i = 0; i < LT_COUNT(pss); i++) {
        if (hash.ptr[sizeof(sha2)] == pss[i].hash && salt == pss[i].salt) {
            return true;
        }
    }
    return false;
}

static void signature_algorithm(const struct lint_subject *s, struct lint_report *r)
{
    lt_slice whole = s->cert->sig_alg_der; /* zlint looks at the one inside */
    struct der_cursor c = der_open(whole);
    struct der_cursor in = der_enter(&c, DER_SEQUENCE);
    lt_slice oid = der_oid(&in);
    for (size_t i = 0; i < LT_COUNT(signatures); i++) {
        if (lt_slice_eq(oid, LT_SLICE(signatures[i].der, signatures[i].len))) {
            return;
        }
    }
    if (x509_oid_find(oid) != X509_OID_RSA_PSS || !pss_is_sha2(&in)) {
        lint_found(r, whole, "signed with an algorithm that is not allowed");
    }
}

static const struct lint_rule rows[] = {
    {"e_cs_aia_missing_ca_issuers_http_url", CS, .asks = "a http URL of the issuer's certificate is there",
     .citation = "CSBR 7.1.2.3 a", .applies = below_root, .check = ca_issuers},
    {"e_cs_aia_ocsp_not_http", CS, .asks = "URLs of OCSP responders are http URLs",
     .citation = "CSBR 7.1.2.3 a", .applies = has_ocsp, .check = ocsp},
    {"e_cs_authority_information_access", CS, .asks = "authorityInfoAccess is there and not critical",
     .citation = "CSBR 7.1.2.3 a", .applies = below_root, .check = present,
     .value = X509_OID_AUTHORITY_INFO_ACCESS},
    {"e_cs_crl_distribution_points", CS, .asks = "http URLs of a CRL are there, in an extension not critical",
     .citation = "CSBR 7.1.2.3 b", .applies = below_root, .check = crl_points,
     .value = X509_OID_CRL_DISTRIBUTION_POINTS},
    {"e_cs_ecdsa_prohibited_curve", CS, .asks = "an EC key lies on P-256, P-384 or P-521",
     .citation = "CSBR 6.1.5.2", .applies = lint_key_is_ec, .check = curve},
    {"e_cs_eku_required", CS, .asks = "codeSigning is among the key purposes, serverAuth and any are not",
     .citation = "CSBR 7.1.2.3 f", .applies = below_root, .check = purposes},
    {"e_cs_key_usage_required", CS,
     .asks = "keyUsage is there, critical, with digitalSignature and nothing that signs certificates or CRLs",
     .citation = "CSBR 7.1.2.3 e", .when = LINT_IS_SUBSCRIBER, .check = key_usage},
    {"e_cs_max_validity_period_39_months", CS, .asks = "validity is at most 39 months",
     .citation = "CSBR 6.3.2", .retired = LINT_DAY(2026, 3, 1), .when = LINT_IS_SUBSCRIBER, .check = validity,
     .value = 39},
    {"e_cs_max_validity_period_460_days", .source = LINT_CABF_CS_BR, .level = LINT_ERROR,
     .kinds = LINT_CERTIFICATE, .zlint = true, .effective = LINT_DAY(2026, 3, 1),
     .asks = "validity is at most 460 days", .citation = "CSBR 6.3.2", .when = LINT_IS_SUBSCRIBER,
     .check = validity, .value = 460, .data = "days"},
    {"e_cs_requires_org", CS, .asks = "the subject has an organizationName",
     .citation = "CSBR 7.1.4.2.3, 7.1.4.2.4", .when = LINT_IS_SUBSCRIBER, .check = required,
     .value = X509_OID_O},
    {"e_cs_rsa_key_size", CS, .asks = "an RSA modulus has at least 3072 bits", .citation = "CSBR 6.1.5.2",
     .when = LINT_IS_SUBSCRIBER, .check = rsa_size},
    {"e_cs_signature_algorithm_not_supported", CS, .asks = "it is signed with SHA-256, SHA-384 or SHA-512",
     .citation = "CSBR 7.1.3.2", .check = signature_algorithm},
    {"e_cs_subject_country_name", CS, .asks = "countryName is an ISO 3166-1 code or XX",
     .citation = "CSBR 7.1.4.2.3 f", .when = LINT_IS_SUBSCRIBER, .applies = not_ev, .check = country},
    {"e_cs_subject_locality_or_province_required", CS, .asks = "the subject has a locality or a state",
     .citation = "CSBR 7.1.4.2.3 c, d", .when = LINT_IS_SUBSCRIBER, .applies = not_ev, .check = place},
    {"e_cs_subject_prohibited", CS, .asks = "the subject has no domainComponent",
     .citation = "CSBR 7.1.4.2.2 c", .when = LINT_IS_SUBSCRIBER, .check = prohibited, .value = X509_OID_DC},
};
const struct lint_table lint_cabf_cs = LINT_TABLE(rows);
