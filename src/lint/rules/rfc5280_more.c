/* RFC 5280 4.2, what zlint does not ask of extensions: keyUsage by kind of key, key identifiers, distribution
 * points, pointers, extensions that are for CAs. */
#include "lint/rules/common.h"
#include "lint/rules/key_alg.h"
#include "lint/rules/rfc.h"
#include "lint/rules/url.h"

static lt_slice key_usage_at(const struct lint_subject *s)
{
    return lint_ext_at(s, X509_OID_KEY_USAGE);
}

static void ca_has_key_usage(const struct lint_subject *s, struct lint_report *r)
{
    if (!lint_is(s, LINT_HAS_KU)) {
        lint_found(r, s->cert->tbs, "a CA without keyUsage");
    }
}

static void ca_signs(const struct lint_subject *s, struct lint_report *r)
{
    if ((s->cert->ext.key_usage & X509_KU_KEY_CERT_SIGN) == 0) {
        lint_found(r, key_usage_at(s), "cA is TRUE, but keyCertSign is not set");
    }
}

/*= RFC 5280 4.2.1.3 "The meaning of the encipherOnly bit is undefined in the absence of the keyAgreement
 * bit."
 */
static void only_with_agreement(const struct lint_subject *s, struct lint_report *r)
{
    uint32_t u = s->cert->ext.key_usage;
    uint32_t both = X509_KU_ENCIPHER_ONLY | X509_KU_DECIPHER_ONLY;
    if ((u & both) == both) {
        lint_found(r, key_usage_at(s), "encipherOnly and decipherOnly exclude each other");
    } else if ((u & both) != 0 && (u & X509_KU_KEY_AGREEMENT) == 0) {
        lint_found(r, key_usage_at(s), "encipherOnly or decipherOnly without keyAgreement");
    }
}

#define SIGNS \
    (X509_KU_DIGITAL_SIGNATURE | X509_KU_CONTENT_COMMITMENT | X509_KU_KEY_CERT_SIGN | X509_KU_CRL_SIGN)
#define AGREES (X509_KU_KEY_AGREEMENT | X509_KU_ENCIPHER_ONLY | X509_KU_DECIPHER_ONLY)

/* Keys that serve one kind of use, by algorithm: what may be set, and of what one must be. */
static const struct key_kind {
    const char *oid;
    size_t len;
    const char *name;
    uint32_t may;
    uint32_t one_of;
} kinds[] = {
    {"\x2b\x65\x6e", 3, "X25519", AGREES, X509_KU_KEY_AGREEMENT},
    {"\x2b\x65\x6f", 3, "X448", AGREES, X509_KU_KEY_AGREEMENT},
    {"\x2b\x65\x70", 3, "Ed25519", SIGNS, SIGNS},
    {"\x2b\x65\x71", 3, "Ed448", SIGNS, SIGNS},
    {"\x60\x86\x48\x01\x65\x03\x04\x03\x11", 9, "ML-DSA-44", SIGNS, SIGNS},
    {"\x60\x86\x48\x01\x65\x03\x04\x03\x12", 9, "ML-DSA-65", SIGNS, SIGNS},
    {"\x60\x86\x48\x01\x65\x03\x04\x03\x13", 9, "ML-DSA-87", SIGNS, SIGNS},
    {"\x60\x86\x48\x01\x65\x03\x04\x03\x20", 9, "HashML-DSA-44", SIGNS, SIGNS},
    {"\x60\x86\x48\x01\x65\x03\x04\x03\x21", 9, "HashML-DSA-65", SIGNS, SIGNS},
    {"\x60\x86\x48\x01\x65\x03\x04\x03\x22", 9, "HashML-DSA-87", SIGNS, SIGNS},
    {"\x60\x86\x48\x01\x65\x03\x04\x04\x01", 9, "ML-KEM-512", X509_KU_KEY_ENCIPHERMENT,
     X509_KU_KEY_ENCIPHERMENT},
    {"\x60\x86\x48\x01\x65\x03\x04\x04\x02", 9, "ML-KEM-768", X509_KU_KEY_ENCIPHERMENT,
     X509_KU_KEY_ENCIPHERMENT},
    {"\x60\x86\x48\x01\x65\x03\x04\x04\x03", 9, "ML-KEM-1024", X509_KU_KEY_ENCIPHERMENT,
     X509_KU_KEY_ENCIPHERMENT},
};

static const struct key_kind *kind_of(const struct lint_subject *s)
{
    struct der_cursor c = der_open(s->cert->spki.algorithm);
    struct der_cursor seq = der_enter(&c, DER_SEQUENCE);
    lt_slice oid = der_oid(&seq);
    for (size_t i = 0; i < LT_COUNT(kinds); i++) {
        if (lt_slice_eq(oid, LT_SLICE(kinds[i].oid, kinds[i].len))) {
            return &kinds[i];
        }
    }
    return NULL;
}

static bool serves_one_use(const struct lint_subject *s)
{
    return s->cert->spki.type != X509_KEY_RSA && kind_of(s) != NULL;
}

static void usage_of_kind(const struct lint_subject *s, struct lint_report *r)
{
    const struct key_kind *k = kind_of(s);
    uint32_t u = s->cert->ext.key_usage;
    if ((u & ~k->may) != 0) {
        lint_found(r, key_usage_at(s), "keyUsage %#x is more than a key of %s can do", (unsigned)u, k->name);
    }
    if ((u & k->one_of) == 0) {
        lint_found(r, key_usage_at(s), "keyUsage %#x leaves out what a key of %s is for", (unsigned)u,
                   k->name);
    }
}

/*= RFC 5480 2.1.1 "implicitCurve and specifiedCurve MUST NOT be used in PKIX." */
static void ec_parameters(const struct lint_subject *s, struct lint_report *r)
{
    struct der_cursor c = der_open(s->cert->spki.algorithm);
    struct der_cursor seq = der_enter(&c, DER_SEQUENCE);
    (void)der_oid(&seq); /* sticky in the cursor */
    if (!der_is_next(&seq, DER_OID)) {
        lint_found(r, s->cert->spki.algorithm, "an EC key whose curve is not named");
    }
}

static bool has_ec_key(const struct lint_subject *s)
{
    return lint_key_alg(&s->cert->spki) == LINT_KEY_ALG_EC;
}

/*= RFC 5758 3.2 "the encoding MUST omit the parameters field" and RFC 8410 3 "the parameters MUST be absent"
 */
static void no_parameters(const struct lint_subject *s, struct lint_report *r)
{
    struct der_cursor c = der_open(s->cert->sig_alg_der);
    struct der_cursor seq = der_enter(&c, DER_SEQUENCE);
    (void)der_oid(&seq); /* sticky in the cursor */
    if (der_more(&seq)) {
        lint_found(r, s->cert->sig_alg_der, "a signature algorithm with parameters, which has none");
    }
}

static bool signature_without_parameters(const struct lint_subject *s)
{
    enum lint_sig_alg alg = lint_sig_alg(s->cert->sig_alg_der);
    return alg == LINT_SIG_ALG_ECDSA_SHA1 || alg == LINT_SIG_ALG_ECDSA_SHA256 ||
           alg == LINT_SIG_ALG_ECDSA_SHA384 || alg == LINT_SIG_ALG_ECDSA_SHA512 ||
           alg == LINT_SIG_ALG_ED25519;
}

/* The decoder wants both or neither and says so; here that is a finding of its own. */
static void issuer_with_serial(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, X509_OID_AUTHORITY_KEY_IDENTIFIER);
    struct der_cursor c = der_open(x->value);
    struct der_cursor seq = der_enter(&c, DER_SEQUENCE);
    bool there[3] = {false, false, false};
    uint32_t tag = DER_NONE;
    lt_slice content = {0};
    while (der_more(&seq) && der_any(&seq, &tag, &content, NULL)) {
        uint32_t n = DER_TAG_NUMBER(tag);
        if (n < 3) {
            there[n] = true;
        }
    }
    if (there[1] != there[2]) {
        lint_found(r, x->der, "authorityCert%s alone", there[1] ? "Issuer" : "SerialNumber");
    }
}

static void key_ids_not_empty(const struct lint_subject *s, struct lint_report *r)
{
    if (lint_is(s, LINT_HAS_SKI) && s->cert->ext.has_ski && s->cert->ext.ski.len == 0) {
        lint_found(r, lint_ext_at(s, X509_OID_SUBJECT_KEY_IDENTIFIER), "an identifier of no bytes");
    }
}

static void points_by_full_name(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    for (size_t i = 0; i < e->crldp_count; i++) {
        if (e->crldp[i].relative_name.len > 0) {
            lint_found(r, e->crldp[i].relative_name, "a point by nameRelativeToCRLIssuer");
        }
    }
}

static void points_for_all_reasons(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    for (size_t i = 0; i < e->crldp_count; i++) {
        if (e->crldp[i].has_reasons) {
            lint_found(r, lint_ext_at(s, X509_OID_CRL_DISTRIBUTION_POINTS),
                       "point %zu is for some reasons only", i);
        }
    }
}

/*= RFC 5280 4.2.1.13 "the cRLIssuer MUST only contain the distinguished name (DN) from the issuer field of
 * the CRL" */
static void crl_issuers_by_name(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    for (size_t i = 0; i < e->crldp_count; i++) {
        const struct x509_general_names *n = &e->crldp[i].crl_issuer;
        for (size_t k = 0; k < n->count; k++) {
            if (n->list[k].type != X509_GN_DIRECTORY) {
                lint_found(r, n->list[k].value, "a cRLIssuer that is no directoryName");
            }
        }
    }
}

static void pointer_check(const struct x509_general_name *n, struct lint_report *r)
{
    struct lint_url u;
    if (n->type == X509_GN_URI && (!lint_url_parse(n->value, &u) || u.scheme.len == 0)) {
        lint_found(r, n->value, "'%.*s' is no absolute URI", LT_FMT(n->value));
    }
}

static void points_check(const struct x509_distribution_point *list, size_t count, struct lint_report *r)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < list[i].names.count; k++) {
            pointer_check(&list[i].names.list[k], r);
        }
    }
}

static void accesses_check(const struct x509_access *list, size_t count, struct lint_report *r)
{
    for (size_t i = 0; i < count; i++) {
        pointer_check(&list[i].location, r);
    }
}

/*= RFC 5280 4.2.1.6 "The name MUST NOT be a relative URI", which 4.2.1.13 and 4.2.2 refer to */
static void pointers_absolute(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    points_check(e->crldp, e->crldp_count, r);
    points_check(e->freshest, e->freshest_count, r);
    accesses_check(e->aia, e->aia_count, r);
    accesses_check(e->sia, e->sia_count, r);
}

static void mappings_in_ca(const struct lint_subject *s, struct lint_report *r)
{
    lint_found(r, lint_ext_at(s, X509_OID_POLICY_MAPPINGS), "policyMappings in a certificate of no CA");
}

static void path_rules_in_ca(const struct lint_subject *s, struct lint_report *r)
{
    if (lint_is(s, LINT_HAS_POLICY_CONSTRAINTS)) {
        lint_found(r, lint_ext_at(s, X509_OID_POLICY_CONSTRAINTS),
                   "policyConstraints in a certificate of no CA");
    }
    if (lint_is(s, LINT_HAS_INHIBIT_ANY)) {
        lint_found(r, lint_ext_at(s, X509_OID_INHIBIT_ANY_POLICY),
                   "inhibitAnyPolicy in a certificate of no CA");
    }
}

static void san_not_critical(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, X509_OID_SUBJECT_ALT_NAME);
    if (x->critical) {
        lint_found(r, x->der, "critical, although there is a subject");
    }
}

static void purposes_once(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    for (size_t i = 1; i < e->eku_count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (lt_slice_eq(e->eku[i].der, e->eku[k].der)) {
                lint_found(r, e->eku[i].der, "%s stands here again",
                           lint_oid_label(s, e->eku[i].der, e->eku[i].oid));
                break;
            }
        }
    }
}

#define ROW(level_) .source = LINT_RFC5280, .level = (level_), .kinds = LINT_CERTIFICATE
#define SINCE .effective = LINT_SINCE_RFC5280

static const struct lint_rule rows[] = {
    {"lintel_rfc5280_ca_key_usage", ROW(LINT_ERROR), SINCE, .asks = "a CA has keyUsage",
     .citation = "RFC 5280 4.2.1.3", .when = LINT_IS_CA, .check = ca_has_key_usage},
    {"lintel_rfc5280_ca_cert_sign", ROW(LINT_ERROR), SINCE, .asks = "keyUsage of a CA has keyCertSign",
     .citation = "RFC 5280 4.2.1.3", .when = LINT_IS_CA | LINT_HAS_KU, .check = ca_signs},
    {"lintel_rfc5280_encipher_only", ROW(LINT_ERROR), SINCE,
     .asks = "encipherOnly and decipherOnly go with keyAgreement, and not both",
     .citation = "RFC 5280 4.2.1.3", .when = LINT_HAS_KU, .check = only_with_agreement},
    {"lintel_rfc5280_key_usage_of_kind", ROW(LINT_ERROR),
     .asks = "keyUsage of a key for one use says that use", .citation = "RFC 9295 3, RFC 9881 5, RFC 9935 5",
     .when = LINT_HAS_KU, .effective = LINT_DAY(2022, 9, 1), .applies = serves_one_use,
     .check = usage_of_kind},
    {"lintel_rfc5480_named_curve", ROW(LINT_ERROR), .asks = "the curve of an EC key is named",
     .citation = "RFC 5480 2.1.1", .effective = LINT_DAY(2009, 3, 1), .applies = has_ec_key,
     .check = ec_parameters},
    {"lintel_rfc5758_no_parameters", ROW(LINT_ERROR),
     .asks = "ECDSA and EdDSA signature algorithms have no parameters",
     .citation = "RFC 5758 3.2, RFC 8410 3", .effective = LINT_DAY(2010, 1, 1),
     .applies = signature_without_parameters, .check = no_parameters},
    {"lintel_rfc5280_aki_issuer_and_serial", ROW(LINT_ERROR), SINCE,
     .asks = "authorityKeyIdentifier has the issuer's name and serial together",
     .citation = "RFC 5280 4.2.1.1", .when = LINT_HAS_AKI, .check = issuer_with_serial},
    {"lintel_rfc5280_ski_empty", ROW(LINT_ERROR), SINCE, .asks = "subjectKeyIdentifier is not empty",
     .citation = "RFC 5280 4.2.1.2", .when = LINT_HAS_SKI, .check = key_ids_not_empty},
    {"lintel_rfc5280_point_relative", ROW(LINT_WARN), SINCE,
     .asks = "a distribution point should have a full name", .citation = "RFC 5280 4.2.1.13",
     .when = LINT_HAS_CDP, .check = points_by_full_name},
    {"lintel_rfc5280_point_reasons", ROW(LINT_WARN), SINCE, .asks = "CRLs should not be cut up by reasons",
     .citation = "RFC 5280 4.2.1.13", .when = LINT_HAS_CDP, .check = points_for_all_reasons},
    {"lintel_rfc5280_point_issuer", ROW(LINT_ERROR), SINCE,
     .asks = "cRLIssuer of a distribution point is a distinguished name", .citation = "RFC 5280 4.2.1.13",
     .when = LINT_HAS_CDP, .check = crl_issuers_by_name},
    {"lintel_rfc5280_pointer_uri", ROW(LINT_ERROR), SINCE,
     .asks = "URIs of distribution points and access descriptions are absolute",
     .citation = "RFC 5280 4.2.1.6, 4.2.1.13, 4.2.2", .when = LINT_HAS_EXTENSIONS,
     .check = pointers_absolute},
    {"lintel_rfc5280_policy_mappings_in_ca", ROW(LINT_ERROR), SINCE,
     .asks = "policyMappings stands in CAs only", .citation = "RFC 5280 4.2.1.5",
     .when = LINT_HAS_POLICY_MAPPINGS, .unless = LINT_IS_CA, .check = mappings_in_ca},
    {"lintel_rfc5280_path_rules_in_ca", ROW(LINT_WARN), SINCE,
     .asks = "policyConstraints and inhibitAnyPolicy are for CAs", .citation = "RFC 5280 4.2.1.11, 4.2.1.14",
     .when = LINT_HAS_EXTENSIONS, .unless = LINT_IS_CA, .check = path_rules_in_ca},
    {"lintel_rfc5280_san_critical", ROW(LINT_WARN), SINCE,
     .asks = "subjectAltName should not be critical where there is a subject", .citation = "RFC 5280 4.2.1.6",
     .when = LINT_HAS_SAN | LINT_HAS_SUBJECT, .check = san_not_critical},
    {"lintel_rfc5280_purpose_twice", ROW(LINT_WARN), SINCE, .asks = "no key purpose stands there twice",
     .citation = "RFC 5280 4.2.1.12", .when = LINT_HAS_EKU, .check = purposes_once},
};
const struct lint_table lint_rfc5280_more = LINT_TABLE(rows);
