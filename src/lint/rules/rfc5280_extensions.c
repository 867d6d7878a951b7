/* RFC 5280 4.2: extensions in general: which are critical, which must be there, none twice, none empty; and
 * what points to other places (distribution points, authority information access). */
#include "lint/rules/common.h"
#include "lint/rules/rfc.h"
#include "lint/rules/text.h"

/* .data: the extension; .value: whether it is to be critical. */
static void critical_as_wanted(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, *(const enum x509_oid *)r->rule->data);
    if (x->critical != (r->rule->value != 0)) {
        lint_found(r, x->der, "%s is %scritical", x509_oid_name(x->id.oid), x->critical ? "" : "not ");
    }
}

static bool has_directory_attributes(const struct lint_subject *s)
{
    return lint_ext(s, X509_OID_SUBJECT_DIRECTORY_ATTRIBUTES) != NULL;
}

static void false_absent(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    for (size_t i = 0; i < e->count; i++) {
        struct der_cursor c = der_open(e->list[i].der);
        struct der_cursor seq = der_enter(&c, DER_SEQUENCE);
        (void)der_read(&seq, DER_OID); /* sticky in the cursor */
        lt_slice critical = {0};
        if (der_optional(&seq, DER_BOOLEAN, &critical) && critical.len > 0 && critical.ptr[0] == 0) {
            lint_found(r, e->list[i].der, "critical FALSE is encoded");
        }
    }
}

static bool in_version_3(const struct lint_subject *s)
{
    return s->cert->version == 3;
}

static void none_twice(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    for (size_t i = 1; i < e->count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (lt_slice_eq(e->list[i].id.der, e->list[k].id.der)) {
                lint_found(r, e->list[i].der, "%s stands here again",
                           lint_oid_label(s, e->list[i].id.der, e->list[i].id.oid));
                break;
            }
        }
    }
}

/* Extensions that are a SEQUENCE OF with at least one element. */
static const enum x509_oid sequences[] = {
    X509_OID_CERTIFICATE_POLICIES,
    X509_OID_POLICY_MAPPINGS,
    X509_OID_SUBJECT_ALT_NAME,
    X509_OID_ISSUER_ALT_NAME,
    X509_OID_SUBJECT_DIRECTORY_ATTRIBUTES,
    X509_OID_EXTENDED_KEY_USAGE,
    X509_OID_CRL_DISTRIBUTION_POINTS,
    X509_OID_AUTHORITY_INFO_ACCESS,
    X509_OID_SUBJECT_INFO_ACCESS,
    X509_OID_FRESHEST_CRL,
};

static bool is_sequence(enum x509_oid oid)
{
    for (size_t i = 0; i < LT_COUNT(sequences); i++) {
        if (sequences[i] == oid) {
            return true;
        }
    }
    return false;
}

static void none_empty(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    for (size_t i = 0; i < e->count; i++) {
        const struct x509_extension *x = &e->list[i];
        if (!is_sequence(x->id.oid)) {
            continue;
        }
        struct der_cursor c = der_open(x->value);
        struct der_cursor seq = der_enter(&c, DER_SEQUENCE);
        size_t count = der_count(&seq);
        if (!der_ok(&seq)) {
            lint_found_at(r, LINT_FATAL, x->der, "%s does not decode: %s", x509_oid_name(x->id.oid), seq.why);
        } else if (count == 0) {
            lint_found(r, x->der, "%s is an empty SEQUENCE", x509_oid_name(x->id.oid));
        }
    }
}

static void authority_key_there(const struct lint_subject *s, struct lint_report *r)
{
    if (s->cert->ext.aki_key_id.len == 0 && !lint_is(s, LINT_IS_CA | LINT_IS_SELF_SIGNED)) {
        lint_found(r, lint_ext_at(s, X509_OID_AUTHORITY_KEY_IDENTIFIER),
                   "there is no keyIdentifier of the issuer");
    }
}

static void subject_key_there(const struct lint_subject *s, struct lint_report *r)
{
    if (!lint_is(s, LINT_HAS_SKI)) {
        lint_found(r, s->cert->tbs, "there is no subjectKeyIdentifier");
    }
}

/* DistributionPoint as far as it goes: is there more than reasons in it? */
static void point_check(struct lint_report *r, struct der_cursor *points)
{
    struct der_cursor ahead = *points;
    lt_slice whole = der_read_whole(&ahead, DER_SEQUENCE);
    struct der_cursor point = der_enter(points, DER_SEQUENCE);
    lt_slice name = {0};
    lt_slice reasons = {0};
    lt_slice issuer = {0};
    (void)der_optional(&point, DER_CONTEXT_CONS(0), &name); /* each may be missing */
    (void)der_optional(&point, DER_CONTEXT(1), &reasons);
    (void)der_optional(&point, DER_CONTEXT_CONS(2), &issuer);
    struct der_cursor choice = der_open(name);
    uint32_t tag = DER_NONE;
    lt_slice names = {0};
    if (der_more(&choice)) {
        (void)der_any(&choice, &tag, &names, NULL); /* empty when it does not decode */
    }
    if (reasons.len > 1 && names.len == 0 && issuer.len == 0) {
        lint_found(r, whole, "a distribution point of reasons alone");
    }
}

static void points_complete(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, X509_OID_CRL_DISTRIBUTION_POINTS);
    struct der_cursor c = der_open(x->value);
    struct der_cursor points = der_enter(&c, DER_SEQUENCE);
    while (der_more(&points)) {
        point_check(r, &points);
    }
    if (!der_ok(&points)) {
        lint_found_at(r, LINT_FATAL, x->der, "cRLDistributionPoints does not decode: %s", points.why);
    }
}

static bool web_or_ldap(lt_slice uri)
{
    return lt_slice_eq_nocase(lt_slice_sub(uri, 0, 7), LT_LIT("http://")) ||
           lt_slice_eq_nocase(lt_slice_sub(uri, 0, 7), LT_LIT("ldap://"));
}

/* Is there a URI of that kind among these names? Here and below what the decoder refuses is read on. */
static bool names_reachable(lt_slice names)
{
    struct der_cursor c = der_open(names);
    unsigned form = 0;
    lt_slice value = {0};
    while (lint_names_next(&c, &form, &value)) {
        if (form == X509_GN_URI && web_or_ldap(value)) {
            return true;
        }
    }
    return false;
}

static void point_reachable(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, X509_OID_CRL_DISTRIBUTION_POINTS);
    struct der_cursor c = der_open(x->value);
    struct der_cursor list = der_enter(&c, DER_SEQUENCE);
    while (der_more(&list)) {
        struct der_cursor point = der_enter(&list, DER_SEQUENCE);
        struct der_cursor name = der_enter(&point, DER_CONTEXT_CONS(0));
        lt_slice names = der_read(&name, DER_CONTEXT_CONS(0));
        if (names_reachable(names)) {
            return;
        }
    }
    lint_found(r, x->der, "no http or ldap URI among its points");
}

/* The next caIssuers with a URI. */
static bool issuer_uri_next(struct der_cursor *list, lt_slice *ret_uri)
{
    while (der_more(list)) {
        struct der_cursor one = der_enter(list, DER_SEQUENCE);
        enum x509_oid method = x509_oid_find(der_oid(&one));
        uint32_t tag = DER_NONE;
        bool there = der_any(&one, &tag, ret_uri, NULL);
        if (there && method == X509_OID_CA_ISSUERS && DER_TAG_NUMBER(tag) == X509_GN_URI) {
            return true;
        }
    }
    return false;
}

static struct der_cursor accesses_open(const struct lint_subject *s)
{
    struct der_cursor c = der_open(lint_ext(s, X509_OID_AUTHORITY_INFO_ACCESS)->value);
    return der_enter(&c, DER_SEQUENCE);
}

static bool has_issuer_uri(const struct lint_subject *s)
{
    struct der_cursor list = accesses_open(s);
    lt_slice uri = {0};
    return issuer_uri_next(&list, &uri);
}

static void issuer_reachable(const struct lint_subject *s, struct lint_report *r)
{
    struct der_cursor list = accesses_open(s);
    lt_slice uri = {0};
    while (issuer_uri_next(&list, &uri)) {
        if (web_or_ldap(uri)) {
            return;
        }
    }
    lint_found(r, lint_ext_at(s, X509_OID_AUTHORITY_INFO_ACCESS), "no http or ldap URI for caIssuers");
}

static const enum x509_oid aia = X509_OID_AUTHORITY_INFO_ACCESS;
static const enum x509_oid aki = X509_OID_AUTHORITY_KEY_IDENTIFIER;
static const enum x509_oid ski = X509_OID_SUBJECT_KEY_IDENTIFIER;
static const enum x509_oid freshest = X509_OID_FRESHEST_CRL;
static const enum x509_oid directory = X509_OID_SUBJECT_DIRECTORY_ATTRIBUTES;
static const enum x509_oid sia = X509_OID_SUBJECT_INFO_ACCESS;
static const enum x509_oid points = X509_OID_CRL_DISTRIBUTION_POINTS;
static const enum x509_oid ian = X509_OID_ISSUER_ALT_NAME;
static const enum x509_oid constraints = X509_OID_NAME_CONSTRAINTS;
static const enum x509_oid policy_constraints = X509_OID_POLICY_CONSTRAINTS;
static const enum x509_oid inhibit = X509_OID_INHIBIT_ANY_POLICY;
static const enum x509_oid mappings = X509_OID_POLICY_MAPPINGS;
static const enum x509_oid usage = X509_OID_KEY_USAGE;

#define ROW(level_) .source = LINT_RFC5280, .level = (level_), .kinds = LINT_CERTIFICATE, .zlint = true
#define NOT_CRITICAL(oid_, level_) ROW(level_), .data = &(oid_), .value = 0, .check = critical_as_wanted
#define CRITICAL(oid_, level_) ROW(level_), .data = &(oid_), .value = 1, .check = critical_as_wanted

static const struct lint_rule rows[] = {
    {"e_ext_aia_marked_critical", NOT_CRITICAL(aia, LINT_ERROR),
     .asks = "authorityInfoAccess is not critical", .citation = "RFC 5280 4.2.2.1", .when = LINT_HAS_AIA,
     .effective = LINT_SINCE_RFC2459},
    {"e_ext_authority_key_identifier_critical", NOT_CRITICAL(aki, LINT_ERROR),
     .asks = "authorityKeyIdentifier is not critical", .citation = "RFC 5280 4.2.1.1", .when = LINT_HAS_AKI,
     .effective = LINT_SINCE_RFC2459},
    {"e_ext_subject_key_identifier_critical", NOT_CRITICAL(ski, LINT_ERROR),
     .asks = "subjectKeyIdentifier is not critical", .citation = "RFC 5280 4.2.1.2", .when = LINT_HAS_SKI,
     .effective = LINT_SINCE_RFC2459},
    {"e_ext_freshest_crl_marked_critical", NOT_CRITICAL(freshest, LINT_ERROR),
     .asks = "freshestCRL is not critical", .citation = "RFC 5280 4.2.1.15", .when = LINT_HAS_FRESHEST,
     .effective = LINT_SINCE_RFC3280},
    {"e_ext_subject_directory_attr_critical", NOT_CRITICAL(directory, LINT_ERROR),
     .asks = "subjectDirectoryAttributes is not critical", .citation = "RFC 5280 4.2.1.8",
     .applies = has_directory_attributes, .effective = LINT_SINCE_RFC2459},
    {"e_subject_info_access_marked_critical", NOT_CRITICAL(sia, LINT_ERROR),
     .asks = "subjectInfoAccess is not critical", .citation = "RFC 5280 4.2.2.2", .when = LINT_HAS_SIA,
     .effective = LINT_SINCE_RFC3280},
    {"w_ext_crl_distribution_marked_critical", NOT_CRITICAL(points, LINT_WARN),
     .asks = "cRLDistributionPoints should not be critical", .citation = "RFC 5280 4.2.1.13",
     .when = LINT_HAS_CDP, .effective = LINT_SINCE_RFC2459},
    {"w_ext_ian_critical", NOT_CRITICAL(ian, LINT_WARN), .asks = "issuerAltName should not be critical",
     .citation = "RFC 5280 4.2.1.7", .when = LINT_HAS_IAN, .effective = LINT_SINCE_RFC2459},
    {"e_ext_name_constraints_not_critical", CRITICAL(constraints, LINT_ERROR),
     .asks = "nameConstraints is critical", .citation = "RFC 5280 4.2.1.10", .when = LINT_HAS_NC,
     .effective = LINT_SINCE_RFC2459},
    {"e_ext_policy_constraints_not_critical", CRITICAL(policy_constraints, LINT_ERROR),
     .asks = "policyConstraints is critical", .citation = "RFC 5280 4.2.1.11",
     .when = LINT_HAS_POLICY_CONSTRAINTS, .effective = LINT_SINCE_RFC5280},
    {"e_inhibit_any_policy_not_critical", CRITICAL(inhibit, LINT_ERROR),
     .asks = "inhibitAnyPolicy is critical", .citation = "RFC 5280 4.2.1.14", .when = LINT_HAS_INHIBIT_ANY,
     .effective = LINT_SINCE_RFC3280},
    {"w_ext_policy_map_not_critical", CRITICAL(mappings, LINT_WARN),
     .asks = "policyMappings should be critical", .citation = "RFC 5280 4.2.1.5",
     .when = LINT_HAS_POLICY_MAPPINGS, .effective = LINT_SINCE_RFC2459},
    {"w_ext_key_usage_not_critical", CRITICAL(usage, LINT_WARN), .asks = "keyUsage should be critical",
     .citation = "RFC 5280 4.2.1.3", .when = LINT_HAS_KU, .effective = LINT_SINCE_RFC2459},
    {"e_cert_ext_invalid_der", ROW(LINT_ERROR), .asks = "critical is left out where it is FALSE",
     .citation = "RFC 5280 4.2", .effective = LINT_SINCE_RFC5280, .check = false_absent},
    {"e_ext_duplicate_extension", ROW(LINT_ERROR), .asks = "no extension stands there twice",
     .citation = "RFC 5280 4.2", .effective = LINT_SINCE_RFC2459, .applies = in_version_3,
     .check = none_twice},
    {"e_ext_cannot_be_empty_sequence", ROW(LINT_ERROR),
     .asks = "an extension that is a list has at least one element", .citation = "RFC 5280 4.2",
     .effective = LINT_SINCE_RFC2459, .check = none_empty},
    {"e_ext_authority_key_identifier_no_key_identifier", ROW(LINT_ERROR),
     .asks = "authorityKeyIdentifier with a keyIdentifier stands in all but self-signed certificates",
     .citation = "RFC 5280 4.2.1.1", .effective = LINT_SINCE_RFC2459, .check = authority_key_there},
    {"e_ext_subject_key_identifier_missing_ca", ROW(LINT_ERROR), .asks = "a CA has a subjectKeyIdentifier",
     .citation = "RFC 5280 4.2.1.2", .when = LINT_IS_CA, .effective = LINT_SINCE_RFC2459,
     .check = subject_key_there},
    {"w_ext_subject_key_identifier_missing_sub_cert", ROW(LINT_WARN),
     .asks = "an end entity should have a subjectKeyIdentifier", .citation = "RFC 5280 4.2.1.2",
     .unless = LINT_IS_CA, .effective = LINT_SINCE_RFC2459, .check = subject_key_there},
    {"e_distribution_point_incomplete", ROW(LINT_ERROR),
     .asks = "a distribution point has a name or an issuer besides its reasons",
     .citation = "RFC 5280 4.2.1.13", .when = LINT_HAS_CDP, .effective = LINT_SINCE_RFC3280,
     .check = points_complete},
    {"w_distribution_point_missing_ldap_or_uri", ROW(LINT_WARN),
     .asks = "a distribution point should have an http or ldap URI", .citation = "RFC 5280 4.2.1.13",
     .when = LINT_HAS_CDP, .effective = LINT_SINCE_RFC5280, .check = point_reachable},
    {"w_ext_aia_access_location_missing", ROW(LINT_WARN), .asks = "caIssuers should have an http or ldap URI",
     .citation = "RFC 5280 4.2.2.1", .when = LINT_HAS_AIA, .effective = LINT_SINCE_RFC5280,
     .applies = has_issuer_uri, .check = issuer_reachable},
};
const struct lint_table lint_rfc5280_extensions = LINT_TABLE(rows);
