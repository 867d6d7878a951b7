/* S/MIME Baseline Requirements 6.1, 6.3.2, 7.1.2.3, 7.1.3 and 7.1.4.2.1: what zlint's rules leave out of
 * subscriber certificates, but for their subjects. */
#include "crypto/check.h"
#include "lint/keys.h"
#include "lint/rules/mailbox.h"
#include "lint/rules/orgid.h"
#include "lint/rules/smime.h"
#include "lint/rules/url.h"
#include "x509/dnsname.h"

#define SMIME(level_)                                                           \
    .source = LINT_CABF_SMIME_BR, .level = (level_), .kinds = LINT_CERTIFICATE, \
    .effective = LINT_DAY(2023, 9, 1)
#define SUBSCRIBER (LINT_IS_SUBSCRIBER | LINT_IS_SMIME)

/* CABF-SBR 6.3.2, the table of maximum validity periods: 825 days, for the legacy generation 1185. */
static void validity(const struct lint_subject *s, struct lint_report *r)
{
    int64_t days = lint_is(s, LINT_IS_SMIME_LEGACY) ? 1185 : 825;
    int64_t seconds = lint_validity_s(s->cert);
    if (seconds > days * LT_SECONDS_PER_DAY) {
        lint_found(r, lint_validity_at(s), "valid for %lld seconds, more than %lld days", (long long)seconds,
                   (long long)days);
    }
}

/*= CABF-SBR 6.3.2 "SHOULD NOT be issued for the maximum permissible time by default" */
static void validity_maximum(const struct lint_subject *s, struct lint_report *r)
{
    int64_t days = lint_is(s, LINT_IS_SMIME_LEGACY) ? 1185 : 825;
    if (lint_validity_s(s->cert) == days * LT_SECONDS_PER_DAY) {
        lint_found(r, lint_validity_at(s), "valid for all of the %lld days", (long long)days);
    }
}

/*= CABF-SBR 7.1 "containing at least 64 bits of output from a CSPRNG" */
static void serial(const struct lint_subject *s, struct lint_report *r)
{
    lt_slice n = x509_serial_magnitude(s->cert->serial);
    if (n.len < 8) {
        lint_found(r, s->cert->serial, "%zu bytes cannot hold 64 random bits", n.len);
    } else if (n.len > 20 || (n.len == 20 && (n.ptr[0] & 0x80) != 0)) {
        lint_found(r, s->cert->serial, "a serial number of %zu bytes is not less than 2^159", n.len);
    }
}

/* value: the extension that has to be there. */
static void present(const struct lint_subject *s, struct lint_report *r)
{
    enum x509_oid oid = (enum x509_oid)r->rule->value;
    if (lint_ext(s, oid) == NULL) {
        lint_found(r, s->cert->tbs, "%s is missing", x509_oid_name(oid));
    }
}

/* value: the extension that must not be critical. */
static void not_critical(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, (enum x509_oid)r->rule->value);
    if (x != NULL && x->critical) {
        lint_found(r, x->der, "%s is critical", x509_oid_name(x->id.oid));
    }
}

/* When a profile was given: its own policy, not another reserved one. */
static void own_policy(const struct lint_subject *s, struct lint_report *r)
{
    struct lint_smime_profile p = lint_smime_profile(s);
    enum x509_oid own = (enum x509_oid)(X509_OID_POLICY_SMIME_MV_LEGACY + p.type * LINT_SMIME_GENERATIONS +
                                        p.generation);
    for (size_t i = 0; i < s->cert->ext.policy_count; i++) {
        if (s->cert->ext.policies[i].id.oid == own) {
            return;
        }
    }
    lint_found(r, lint_ext_at(s, X509_OID_CERTIFICATE_POLICIES), "the policy of %s is not there", p.name);
}

static void no_any_policy(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->cert->ext.policy_count; i++) {
        const struct x509_policy *p = &s->cert->ext.policies[i];
        if (p->id.oid == X509_OID_ANY_POLICY) {
            lint_found(r, p->id.der, "anyPolicy in a subscriber certificate");
        }
    }
}

static bool is_legacy(const struct lint_subject *s)
{
    return lint_is(s, LINT_IS_SMIME_LEGACY);
}

/* http; of the legacy generation ldap and ftp, too. */
static bool scheme_fits(const struct lint_subject *s, lt_slice text)
{
    static const char *const schemes[] = {"http", "ldap", "ftp"};
    struct lint_url url;
    if (!lint_url_parse(text, &url)) {
        return false;
    }
    for (size_t i = 0; i < (is_legacy(s) ? LT_COUNT(schemes) : 1); i++) {
        if (lt_slice_eq_nocase(url.scheme, lt_slice_cstr(schemes[i]))) {
            return true;
        }
    }
    return false;
}

static void crl_points(const struct lint_subject *s, struct lint_report *r)
{
    size_t http = 0;
    for (size_t i = 0; i < s->cert->ext.crldp_count; i++) {
        const struct x509_general_names *names = &s->cert->ext.crldp[i].names;
        for (size_t k = 0; k < names->count; k++) {
            lt_slice text = names->list[k].value;
            if (names->list[k].type != X509_GN_URI) {
                lint_found(r, text, "a distribution point that is no URL");
            } else if (!scheme_fits(s, text)) {
                lint_found(r, text, "distribution point '%.*s' is no http URL", LT_FMT(text));
            }
            http += names->list[k].type == X509_GN_URI && lint_url_has_scheme(text, "http");
        }
    }
    if (http == 0) {
        lint_found(r, lint_ext_at(s, X509_OID_CRL_DISTRIBUTION_POINTS),
                   "no distribution point is a http URL");
    }
}

static void access_points(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->cert->ext.aia_count; i++) {
        const struct x509_access *a = &s->cert->ext.aia[i];
        if (a->location.type != X509_GN_URI) {
            lint_found(r, a->location.value, "an access location that is no URL");
        } else if (!scheme_fits(s, a->location.value)) {
            lint_found(r, a->location.value, "access location '%.*s' is no http URL",
                       LT_FMT(a->location.value));
        }
    }
}

static void ca_issuers(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->cert->ext.aia_count; i++) {
        if (s->cert->ext.aia[i].method.oid == X509_OID_CA_ISSUERS) {
            return;
        }
    }
    lint_found(r, lint_ext_at(s, X509_OID_AUTHORITY_INFO_ACCESS), "no location of the issuer's certificate");
}

/* CAs name the policies of what they issue, so the policy alone does not make it a subscriber's. */
static void no_ca(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    lt_slice where = lint_ext_at(s, X509_OID_BASIC_CONSTRAINTS);
    if (e->ca && (lint_is(s, LINT_IS_SUBSCRIBER) || (e->key_usage & X509_KU_KEY_CERT_SIGN) == 0)) {
        lint_found(r, where, "cA in a subscriber's certificate");
    } else if (!e->ca && e->has_path_len) {
        lint_found(r, where, "a path length in a subscriber's certificate");
    }
}

/* Algorithms of keys by the last three bytes of 2.16.840.1.101.3.4.x.y, and Edwards curves. */
enum use { USE_UNKNOWN, USE_SIGN, USE_ENCIPHER };

static enum use use_of_key(const struct lint_subject *s)
{
    static const uint8_t nist[] = {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04};
    static const uint8_t edwards[] = {0x2b, 0x65};
    struct der_cursor c = der_open(s->cert->spki.algorithm);
    struct der_cursor in = der_enter(&c, DER_SEQUENCE);
    lt_slice oid = der_oid(&in);
    if (oid.len == sizeof(nist) + 2 && lt_slice_starts(oid, LT_SLICE(nist, sizeof(nist)))) {
        uint8_t arc = oid.ptr[sizeof(nist)];
        return arc == 3 ? USE_SIGN : arc == 4 ? USE_ENCIPHER : USE_UNKNOWN;
    }
    bool ed = oid.len == 3 && lt_slice_starts(oid, LT_SLICE(edwards, sizeof(edwards)));
    return ed && (oid.ptr[2] == 112 || oid.ptr[2] == 113) ? USE_SIGN : USE_UNKNOWN;
}

static bool one_use(const struct lint_subject *s)
{
    return use_of_key(s) != USE_UNKNOWN;
}

/* Keys that can do but one thing: ML-DSA and Edwards curves sign, ML-KEM enciphers. */
static void key_usage_one(const struct lint_subject *s, struct lint_report *r)
{
    bool sign = use_of_key(s) == USE_SIGN;
    uint32_t must = sign ? X509_KU_DIGITAL_SIGNATURE : X509_KU_KEY_ENCIPHERMENT;
    uint32_t may = sign ? must | X509_KU_CONTENT_COMMITMENT : must;
    uint32_t bits = s->cert->ext.key_usage;
    if ((bits & must) == 0 || (bits & ~may) != 0) {
        lint_found(r, lint_ext_at(s, X509_OID_KEY_USAGE), "key usage 0x%x with a key for %s", bits,
                   sign ? "signing only" : "key encipherment only");
    }
}

static void key_usage_some(const struct lint_subject *s, struct lint_report *r)
{
    uint32_t management = lint_is(s, LINT_HAS_RSA) ? X509_KU_KEY_ENCIPHERMENT : X509_KU_KEY_AGREEMENT;
    uint32_t bits = s->cert->ext.key_usage;
    if ((lint_is(s, LINT_HAS_RSA) || lint_key_is_ec(s)) &&
        (bits & (X509_KU_DIGITAL_SIGNATURE | management)) == 0) {
        lint_found(r, lint_ext_at(s, X509_OID_KEY_USAGE),
                   "key usage 0x%x is neither for signing nor for keys", bits);
    }
}

static void encipher_or_decipher(const struct lint_subject *s, struct lint_report *r)
{
    uint32_t both = X509_KU_ENCIPHER_ONLY | X509_KU_DECIPHER_ONLY;
    if ((s->cert->ext.key_usage & both) == both) {
        lint_found(r, lint_ext_at(s, X509_OID_KEY_USAGE), "encipherOnly and decipherOnly together");
    }
}

static void purposes_strict(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->cert->ext.eku_count; i++) {
        const struct x509_oid_ref *purpose = &s->cert->ext.eku[i];
        if (purpose->oid != X509_OID_EMAIL_PROTECTION) {
            lint_found(r, purpose->der, "key purpose %s beside emailProtection", x509_oid_name(purpose->oid));
        }
    }
}

/*= CABF-SBR 7.1.4.2.1 "at least one GeneralName entry of the following types": rfc822Name, SmtpUTF8Mailbox
 */
static void san_address(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_general_names *san = &s->cert->ext.san;
    for (size_t i = 0; i < san->count; i++) {
        lt_slice text;
        if (san->list[i].type == X509_GN_EMAIL || lint_smtp_utf8(&san->list[i], &text)) {
            return;
        }
    }
    lint_found(r, lint_ext_at(s, X509_OID_SUBJECT_ALT_NAME), "no mail address");
}

static void san_types(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_general_names *san = &s->cert->ext.san;
    for (size_t i = 0; i < san->count; i++) {
        const struct x509_general_name *n = &san->list[i];
        lt_slice text;
        bool other = n->type == X509_GN_OTHER &&
                     (!lint_is(s, LINT_IS_SMIME_STRICT) || lint_smtp_utf8(n, &text));
        if (n->type != X509_GN_EMAIL && n->type != X509_GN_DIRECTORY && !other) {
            lint_found(r, n->value, "a name of type %d", (int)n->type);
        }
    }
}

/* A domain part with labels as host names have them. */
static bool domain_ok(lt_slice domain)
{
    if (domain.len == 0 || domain.len > X509_DNS_MAX) {
        return false;
    }
    size_t label = 0;
    for (size_t i = 0; i <= domain.len; i++) {
        if (i == domain.len || domain.ptr[i] == '.') {
            if (label == 0 || label > X509_DNS_LABEL_MAX) {
                return false;
            }
            label = 0;
        } else {
            label++;
        }
    }
    return true;
}

/* Two labels at least, the last a top-level domain that there is or was; one in other letters than ASCII is
 * taken on trust. */
static bool is_public(lt_slice domain)
{
    size_t dot = domain.len;
    while (dot > 0 && domain.ptr[dot - 1] != '.') {
        dot--;
    }
    uint8_t lower[X509_DNS_LABEL_MAX];
    size_t len = domain.len - dot;
    if (dot == 0 || len > sizeof(lower)) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        uint8_t c = domain.ptr[dot + i];
        lower[i] = c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
        if (c >= 0x80) {
            return true;
        }
    }
    return lint_tld_find(LT_SLICE(lower, len)) != NULL;
}

static void san_syntax(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_general_names *san = &s->cert->ext.san;
    for (size_t i = 0; i < san->count; i++) {
        lt_slice text = san->list[i].value;
        bool utf8 = lint_smtp_utf8(&san->list[i], &text);
        if (!utf8 && san->list[i].type != X509_GN_EMAIL) {
            continue;
        }
        lt_slice domain = lint_mail_domain(text);
        if (!lint_mailbox(text) || !domain_ok(domain)) {
            lint_found(r, text, "'%.*s' is no mail address", LT_FMT(text));
        } else if (!is_public(domain)) {
            lint_found(r, text, "'%.*s' is at no public domain", LT_FMT(text));
        }
    }
}

static void lei_role(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, X509_OID_LEI_ROLE);
    if (x != NULL) {
        lint_found(r, x->der, "a role in a certificate that is not sponsor-validated");
    }
}

/* The extension is a PrintableString of the identifier. */
static void lei_value(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, X509_OID_LEI);
    if (x == NULL) {
        return;
    }
    struct der_cursor c = der_open(x->value);
    lt_slice lei = der_read(&c, DER_PRINTABLE_STRING);
    const char *why = der_ok(&c) ? lint_lei_check(lei) : "it is no PrintableString";
    if (why != NULL) {
        lint_found(r, x->value, "legalEntityIdentifier '%.*s': %s", LT_FMT(lei), why);
    }
}

static void no_extension(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, (enum x509_oid)r->rule->value);
    if (x != NULL) {
        lint_found(r, x->der, "%s has no place here", x509_oid_name(x->id.oid));
    }
}

/*= CABF-SBR 6.1.5 "modulus size, when encoded, is at least 2048 bits", "evenly divisible by 8"; 6.1.6 "an
 * odd number equal to 3 or more" */
static void rsa_key(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_spki *k = &s->cert->spki;
    if (k->bits < 2048 || k->bits % 8 != 0) {
        lint_found(r, k->der, "a modulus of %u bits", k->bits);
    }
    lt_slice e = k->exponent;
    if (e.len == 0 || (e.ptr[e.len - 1] & 1) == 0 || (e.len == 1 && e.ptr[0] < 3)) {
        lint_found(r, k->der, "a public exponent that is even or less than 3");
    }
}

/*= CABF-SBR 6.1.6 "have no factors smaller than 752" */
static void small_factors(const struct lint_subject *s, struct lint_report *r)
{
    if (s->key != NULL && (s->key->flaws & LINT_KEY_SMALL_PRIME) != 0) {
        lint_found(r, s->cert->spki.der, "%u divides the modulus", s->key->small_prime);
    }
}

/*= CABF-SBR 6.1.6 "SHOULD confirm the validity of all keys" */
static void ec_point(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_spki *k = &s->cert->spki;
    if (k->point.len == 0 || k->point.ptr[0] != 4 ||
        lt_failed(crypto_check_point((enum crypto_key_type)k->type, k->point))) {
        lint_found(r, k->der, "the key is no point on %s", x509_key_type_name(k->type));
    }
}

/*= CABF-SBR 6.1.1.3 "SHALL reject a Certificate Request": keys that anybody can find */
static void weak_key(const struct lint_subject *s, struct lint_report *r)
{
    static const struct {
        unsigned flaw;
        const char *name;
    } flaws[] = {{LINT_KEY_ROCA, "ROCA"},
                 {LINT_KEY_FERMAT, "factors near to each other"},
                 {LINT_KEY_DEBIAN, "Debian's broken generator"}};
    for (size_t i = 0; s->key != NULL && i < LT_COUNT(flaws); i++) {
        if ((s->key->flaws & flaws[i].flaw) != 0) {
            lint_found(r, s->cert->spki.der, "a weak key: %s", flaws[i].name);
        }
    }
}

/*= CABF-SBR 6.1.6 "SHOULD be in the range between 2^16 + 1 and 2^256 - 1" */
static void rsa_exponent(const struct lint_subject *s, struct lint_report *r)
{
    lt_slice e = s->cert->spki.exponent;
    bool low = e.len < 3 || (e.len == 3 && e.ptr[0] == 1 && e.ptr[1] == 0 && e.ptr[2] == 0);
    if (low || e.len > 32) {
        lint_found(r, s->cert->spki.der, "a public exponent of %zu bytes", e.len);
    }
}

/* The issuer's key decides the hash. */
static void signature_fits(const struct lint_subject *s, struct lint_report *r)
{
    enum x509_sig_alg alg = s->cert->sig_alg;
    enum x509_key_type key = s->in->issuer->spki.type;
    if (alg != X509_SIG_UNKNOWN && key != X509_KEY_UNKNOWN && !x509_sig_alg_fits(alg, key)) {
        lint_found(r, s->cert->sig_alg_der, "%s with an issuer's key %s", x509_sig_alg_name(alg),
                   x509_key_type_name(key));
    }
}

static const struct lint_rule rows[] = {
    {"lintel_smime_validity", SMIME(LINT_ERROR),
     .asks = "validity is at most 825 days, in the legacy generation 1185", .citation = "SBR 6.3.2",
     .when = SUBSCRIBER, .check = validity},
    {"lintel_smime_validity_maximum", SMIME(LINT_WARN), .asks = "validity is less than all that is allowed",
     .citation = "SBR 6.3.2", .when = SUBSCRIBER, .check = validity_maximum},
    {"lintel_smime_serial", SMIME(LINT_ERROR), .asks = "the serial number has room for 64 random bits",
     .citation = "SBR 7.1", .when = SUBSCRIBER, .check = serial},
    {"lintel_smime_policies_present", SMIME(LINT_ERROR), .asks = "certificatePolicies is there",
     .citation = "SBR 7.1.2.3 a", .when = SUBSCRIBER, .check = present,
     .value = X509_OID_CERTIFICATE_POLICIES},
    {"lintel_smime_own_policy", SMIME(LINT_ERROR),
     .asks = "the reserved policy of its type and generation is there", .citation = "SBR 7.1.2.3 a, 7.1.6.1",
     .when = SUBSCRIBER, .check = own_policy},
    {"lintel_smime_policies_critical", SMIME(LINT_WARN), .asks = "certificatePolicies is not critical",
     .citation = "SBR 7.1.2.3 a", .when = SUBSCRIBER, .check = not_critical,
     .value = X509_OID_CERTIFICATE_POLICIES},
    {"lintel_smime_any_policy", SMIME(LINT_ERROR), .asks = "anyPolicy is not there",
     .citation = "SBR 7.1.2.3 a", .when = SUBSCRIBER, .check = no_any_policy},
    {"lintel_smime_policy_qualifiers", SMIME(LINT_ERROR),
     .asks = "CPS pointers are http or https URLs; user notices have a text and no reference",
     .citation = "SBR 7.1.2.3 a", .when = SUBSCRIBER | LINT_HAS_CP, .check = lint_smime_qualifiers},
    {"lintel_smime_crl_points", SMIME(LINT_ERROR),
     .asks = "CRL distribution points are URLs of allowed schemes", .citation = "SBR 7.1.2.3 b",
     .when = SUBSCRIBER | LINT_HAS_CDP, .check = crl_points},
    {"lintel_smime_crl_points_critical", SMIME(LINT_WARN), .asks = "cRLDistributionPoints is not critical",
     .citation = "SBR 7.1.2.3 b", .when = SUBSCRIBER, .check = not_critical,
     .value = X509_OID_CRL_DISTRIBUTION_POINTS},
    {"lintel_smime_aia_present", SMIME(LINT_WARN), .asks = "authorityInfoAccess is there",
     .citation = "SBR 7.1.2.3 c", .when = SUBSCRIBER, .check = present,
     .value = X509_OID_AUTHORITY_INFO_ACCESS},
    {"lintel_smime_aia_critical", SMIME(LINT_ERROR), .asks = "authorityInfoAccess is not critical",
     .citation = "SBR 7.1.2.3 c", .when = SUBSCRIBER, .check = not_critical,
     .value = X509_OID_AUTHORITY_INFO_ACCESS},
    {"lintel_smime_aia_locations", SMIME(LINT_ERROR), .asks = "access locations are URLs of allowed schemes",
     .citation = "SBR 7.1.2.3 c", .when = SUBSCRIBER | LINT_HAS_AIA, .check = access_points},
    {"lintel_smime_aia_issuer", SMIME(LINT_WARN), .asks = "a location of the issuer's certificate is there",
     .citation = "SBR 7.1.2.3 c", .when = SUBSCRIBER | LINT_HAS_AIA, .check = ca_issuers},
    {"lintel_smime_no_ca", SMIME(LINT_ERROR),
     .asks = "a certificate with a subscriber's policy is no CA and has no path length",
     .citation = "SBR 7.1.2.3 d", .when = LINT_IS_SMIME | LINT_HAS_BC, .unless = LINT_IS_ROOT,
     .check = no_ca},
    {"lintel_smime_key_usage_one", SMIME(LINT_ERROR),
     .asks = "key usage of keys for signatures only, or for key encipherment only, says just that",
     .citation = "SBR 7.1.2.3 e", .when = SUBSCRIBER | LINT_HAS_KU, .applies = one_use,
     .check = key_usage_one},
    {"lintel_smime_key_usage_some", SMIME(LINT_ERROR),
     .asks = "key usage is for signing, for keys or for both", .citation = "SBR 7.1.2.3 e",
     .when = SUBSCRIBER | LINT_HAS_KU, .check = key_usage_some},
    {"lintel_smime_key_usage_only", SMIME(LINT_ERROR),
     .asks = "encipherOnly and decipherOnly do not stand together", .citation = "SBR 7.1.2.3 e",
     .when = SUBSCRIBER | LINT_HAS_KU, .check = encipher_or_decipher},
    {"lintel_smime_purpose_present", SMIME(LINT_ERROR), .asks = "extKeyUsage is there",
     .citation = "SBR 7.1.2.3 f", .when = SUBSCRIBER, .check = present, .value = X509_OID_EXTENDED_KEY_USAGE},
    {"lintel_smime_purpose_strict", SMIME(LINT_ERROR), .asks = "emailProtection is the only key purpose",
     .citation = "SBR 7.1.2.3 f", .when = SUBSCRIBER | LINT_IS_SMIME_STRICT, .check = purposes_strict},
    {"lintel_smime_san_address", SMIME(LINT_ERROR), .asks = "subjectAltName has a mail address",
     .citation = "SBR 7.1.4.2.1", .when = SUBSCRIBER | LINT_HAS_SAN, .check = san_address},
    {"lintel_smime_san_types", SMIME(LINT_ERROR),
     .asks =
         "subjectAltName has only addresses, directoryNames and, but in the strict generation, otherNames",
     .citation = "SBR 7.1.4.2.1", .when = SUBSCRIBER | LINT_HAS_SAN, .check = san_types},
    {"lintel_smime_san_syntax", SMIME(LINT_ERROR), .asks = "addresses are bare, at a domain with a suffix",
     .citation = "SBR 7.1.4.2.1", .when = SUBSCRIBER | LINT_HAS_SAN, .check = san_syntax},
    {"lintel_smime_capabilities_critical", SMIME(LINT_ERROR), .asks = "smimeCapabilities is not critical",
     .citation = "SBR 7.1.2.3 i", .when = SUBSCRIBER | LINT_HAS_SMIME_CAPS, .check = not_critical,
     .value = X509_OID_SMIME_CAPABILITIES},
    {"lintel_smime_directory_attributes_critical", SMIME(LINT_ERROR),
     .asks = "subjectDirectoryAttributes is not critical", .citation = "SBR 7.1.2.3 j", .when = SUBSCRIBER,
     .check = not_critical, .value = X509_OID_SUBJECT_DIRECTORY_ATTRIBUTES},
    {"lintel_smime_directory_attributes", SMIME(LINT_ERROR),
     .asks = "subjectDirectoryAttributes is not in certificates of the strict and multipurpose generations",
     .citation = "SBR 7.1.2.3 j", .when = SUBSCRIBER, .unless = LINT_IS_SMIME_LEGACY, .check = no_extension,
     .value = X509_OID_SUBJECT_DIRECTORY_ATTRIBUTES},
    {"lintel_smime_lei_role", SMIME(LINT_ERROR), .asks = "only sponsor-validated certificates have a role",
     .citation = "SBR 7.1.2.3 l", .when = SUBSCRIBER, .unless = LINT_IS_SMIME_SV, .check = lei_role},
    {"lintel_smime_lei", SMIME(LINT_ERROR), .asks = "a legal entity identifier has its form and check digits",
     .citation = "SBR 7.1.2.3 l", .when = SUBSCRIBER, .check = lei_value},
    {"lintel_smime_ski_present", SMIME(LINT_WARN), .asks = "subjectKeyIdentifier is there",
     .citation = "SBR 7.1.2.3 n", .when = SUBSCRIBER, .check = present,
     .value = X509_OID_SUBJECT_KEY_IDENTIFIER},
    {"lintel_smime_ski_critical", SMIME(LINT_ERROR), .asks = "subjectKeyIdentifier is not critical",
     .citation = "SBR 7.1.2.3 n", .when = SUBSCRIBER, .check = not_critical,
     .value = X509_OID_SUBJECT_KEY_IDENTIFIER},
    {"lintel_smime_rsa_key", SMIME(LINT_ERROR),
     .asks = "an RSA modulus has 2048 bits and whole bytes, the exponent is odd and 3 at least",
     .citation = "SBR 6.1.5, 6.1.6", .when = SUBSCRIBER | LINT_HAS_RSA, .check = rsa_key},
    {"lintel_smime_rsa_exponent", SMIME(LINT_WARN),
     .asks = "the public exponent is 65537 at least and no giant", .citation = "SBR 6.1.6",
     .when = SUBSCRIBER | LINT_HAS_RSA, .check = rsa_exponent},
    {"lintel_smime_rsa_small_factors", SMIME(LINT_WARN), .asks = "no prime below 752 divides the modulus",
     .citation = "SBR 6.1.6", .when = SUBSCRIBER | LINT_HAS_RSA, .check = small_factors},
    {"lintel_smime_ec_point", SMIME(LINT_WARN), .asks = "an EC key is a point on its curve",
     .citation = "SBR 6.1.6", .when = SUBSCRIBER | LINT_HAS_EC, .check = ec_point},
    {"lintel_smime_weak_key", SMIME(LINT_ERROR),
     .asks = "the private key cannot be found out from the public one", .citation = "SBR 6.1.1.3",
     .when = SUBSCRIBER | LINT_HAS_RSA, .check = weak_key},
    {"lintel_smime_signature_algorithm", SMIME(LINT_ERROR),
     .asks = "the signature algorithm stands in one of the given encodings", .citation = "SBR 7.1.3.2",
     .when = SUBSCRIBER, .check = lint_smime_signature_algorithm},
    {"lintel_smime_signature_fits", SMIME(LINT_ERROR),
     .asks = "the hash is the one that goes with the issuer's key", .citation = "SBR 7.1.3.2.2",
     .when = SUBSCRIBER | LINT_WITH_ISSUER, .check = signature_fits},
};
const struct lint_table lint_cabf_smime_cert = LINT_TABLE(rows);
