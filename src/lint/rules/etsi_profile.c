/* Our rules of EN 319 412-1 to -4: names of natural and legal persons, identifiers by their semantics, and
 * the extensions of certificates that no TLS policy of the CA/Browser Forum governs. */
#include "lint/rules/etsi.h"
#include "lint/rules/orgid.h"
#include "lint/rules/url.h"

#define PROFILE(level_, when_)                                             \
    .source = LINT_ETSI_ESI, .level = (level_), .kinds = LINT_CERTIFICATE, \
    .effective = LINT_DAY(2020, 7, 1), .when = LINT_IS_SUBSCRIBER | (when_)
#define ETSI(level_) PROFILE(level_, 0)
#define ETSI_QC(level_) PROFILE(level_, LINT_HAS_QC)

/* Codes that ISO has set aside for more than one country, and its own. */
static bool is_country(lt_slice code)
{
    static const char *const others[] = {"EU", "EZ", "SU", "UN"};
    for (size_t i = 0; i < LT_COUNT(others); i++) {
        if (lt_slice_eq_cstr(code, others[i])) {
            return true;
        }
    }
    return lint_country(code);
}

/* ---- EN 319 412-1: identifiers ---- */

static const struct x509_attribute *identifier(const struct lint_subject *s, enum x509_oid oid)
{
    return x509_name_find(&s->cert->subject, oid, 0);
}

static bool has_legal(const struct lint_subject *s)
{
    struct lint_semantics_info info;
    return identifier(s, X509_OID_ORGANIZATION_IDENTIFIER) != NULL &&
           lint_semantics_find(s, LINT_SEMANTICS_LEGAL, &info);
}

/* "VAT", "NTR", "PSD", "LEI" or two capitals and a colon, country, hyphen, reference. */
static void legal_id(const struct lint_subject *s, struct lint_report *r)
{
    static const char *const known[] = {"VAT", "NTR", "PSD", "LEI"};
    lt_slice text = identifier(s, X509_OID_ORGANIZATION_IDENTIFIER)->value;
    struct lint_org_id id;
    if (!lint_org_id_read(text, &id) || id.has_state || id.reference.len == 0) {
        lint_found(r, text, "organizationIdentifier '%.*s' has not the form of one", LT_FMT(text));
        return;
    }
    bool scheme = id.scheme.ptr[2] == ':';
    for (size_t i = 0; i < LT_COUNT(known); i++) {
        scheme = scheme || lt_slice_eq_cstr(id.scheme, known[i]);
    }
    bool lei = lt_slice_eq_cstr(id.scheme, "LEI");
    bool vat = lt_slice_eq_cstr(id.scheme, "VAT");
    bool country = lei ? lt_slice_eq_cstr(id.country, "XG")
                       : is_country(id.country) || (vat && (lt_slice_eq_cstr(id.country, "EL") ||
                                                            lt_slice_eq_cstr(id.country, "XI")));
    const char *why = lei ? lint_lei_check(id.reference) : NULL;
    if (!scheme || !country || why != NULL) {
        lint_found(r, text, "organizationIdentifier '%.*s': %s", LT_FMT(text),
                   !scheme       ? "unknown scheme"
                   : why != NULL ? why
                                 : "unknown country");
    }
}

static bool has_natural(const struct lint_subject *s)
{
    struct lint_semantics_info info;
    return identifier(s, X509_OID_SERIAL_NUMBER) != NULL &&
           lint_semantics_find(s, LINT_SEMANTICS_NATURAL, &info);
}

/* "PAS", "IDC", "PNO", "TAX", "TIN" or two capitals and a colon, country, hyphen, number. */
static void natural_id(const struct lint_subject *s, struct lint_report *r)
{
    static const char *const known[] = {"PAS", "IDC", "PNO", "TAX", "TIN"};
    lt_slice text = identifier(s, X509_OID_SERIAL_NUMBER)->value;
    struct lint_org_id id;
    if (!lint_org_id_read(text, &id) || id.has_state || id.reference.len == 0) {
        lint_found(r, text, "serialNumber '%.*s' has not the form of an identifier", LT_FMT(text));
        return;
    }
    bool scheme = id.scheme.ptr[2] == ':';
    for (size_t i = 0; i < LT_COUNT(known); i++) {
        scheme = scheme || lt_slice_eq_cstr(id.scheme, known[i]);
    }
    if (!scheme || !is_country(id.country)) {
        lint_found(r, text, "serialNumber '%.*s': %s", LT_FMT(text),
                   scheme ? "unknown country" : "unknown scheme");
    }
}

static bool is_national(const struct x509_attribute *a)
{
    struct lint_org_id id;
    return a != NULL && lint_org_id_read(a->value, &id) && id.scheme.ptr[2] == ':';
}

/* A scheme that only a nation knows: who keeps its register is said in the semantics. */
static void registration(const struct lint_subject *s, struct lint_report *r)
{
    static const struct {
        enum x509_oid oid;
        enum lint_semantics semantics;
    } pairs[] = {{X509_OID_ORGANIZATION_IDENTIFIER, LINT_SEMANTICS_LEGAL},
                 {X509_OID_SERIAL_NUMBER, LINT_SEMANTICS_NATURAL}};
    for (size_t i = 0; i < LT_COUNT(pairs); i++) {
        struct lint_semantics_info info;
        if (is_national(identifier(s, pairs[i].oid)) && lint_semantics_find(s, pairs[i].semantics, &info) &&
            !info.has_url) {
            lint_found(r, info.whole, "%s for an identifier of a national scheme",
                       info.has_authorities ? "no URL of the register" : "no register");
        }
    }
}

static bool has_eidas_natural(const struct lint_subject *s)
{
    struct lint_semantics_info info;
    return identifier(s, X509_OID_SERIAL_NUMBER) != NULL &&
           lint_semantics_find(s, LINT_SEMANTICS_EIDAS_NATURAL, &info);
}

/* "ES/AT/02635542Y". */
static void eidas_natural(const struct lint_subject *s, struct lint_report *r)
{
    lt_slice text = identifier(s, X509_OID_SERIAL_NUMBER)->value;
    bool form = text.len >= 7 && text.ptr[2] == '/' && text.ptr[5] == '/' &&
                is_country(lt_slice_sub(text, 0, 2)) && is_country(lt_slice_sub(text, 3, 2));
    if (!form) {
        lint_found(r, text, "serialNumber '%.*s' is not country/country/identifier", LT_FMT(text));
    }
}

static bool has_eidas_legal(const struct lint_subject *s)
{
    struct lint_semantics_info info;
    return identifier(s, X509_OID_ORGANIZATION_IDENTIFIER) != NULL &&
           lint_semantics_find(s, LINT_SEMANTICS_EIDAS_LEGAL, &info);
}

static void eidas_legal(const struct lint_subject *s, struct lint_report *r)
{
    lt_slice text = identifier(s, X509_OID_ORGANIZATION_IDENTIFIER)->value;
    bool space = false;
    for (size_t i = 0; i < text.len; i++) {
        space = space || text.ptr[i] == ' ' || (text.ptr[i] >= '\t' && text.ptr[i] <= '\r');
    }
    if (space || text.len > 256) {
        lint_found(r, text, "organizationIdentifier '%.*s' has white space or is longer than 256",
                   LT_FMT(text));
    }
}

/* ---- EN 319 412-2, -3: names ---- */

static bool is_natural(const struct lint_subject *s)
{
    return lint_etsi_profile(s) && lint_etsi_natural(s);
}

static bool is_legal(const struct lint_subject *s)
{
    return lint_etsi_profile(s) && !lint_etsi_natural(s) && lint_is(s, LINT_HAS_SUBJECT);
}

static void require(const struct x509_name *name, struct lint_report *r, const enum x509_oid *must,
                    size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!lint_has_attribute(name, must[i])) {
            lint_found(r, name->der, "no %s", x509_oid_name(must[i]));
        }
        const struct x509_attribute *again = x509_name_find(name, must[i], 1);
        if (again != NULL) {
            lint_found(r, again->value, "a second %s", x509_oid_name(must[i]));
        }
    }
}

static void natural_subject(const struct lint_subject *s, struct lint_report *r)
{
    static const enum x509_oid must[] = {X509_OID_C, X509_OID_CN};
    const struct x509_name *n = &s->cert->subject;
    require(n, r, must, LT_COUNT(must));
    if (lint_has_attribute(n, X509_OID_PSEUDONYM) && lint_has_attribute(n, X509_OID_GIVEN_NAME) &&
        lint_has_attribute(n, X509_OID_SURNAME)) {
        lint_found(r, n->der, "a pseudonym beside given name and surname");
    }
}

static void legal_subject(const struct lint_subject *s, struct lint_report *r)
{
    static const enum x509_oid must[] = {X509_OID_C, X509_OID_O, X509_OID_ORGANIZATION_IDENTIFIER,
                                         X509_OID_CN};
    require(&s->cert->subject, r, must, LT_COUNT(must));
}

static void issuer_name(const struct lint_subject *s, struct lint_report *r)
{
    static const enum x509_oid must[] = {X509_OID_C, X509_OID_O, X509_OID_CN};
    require(&s->cert->issuer, r, must, LT_COUNT(must));
}

static void org_id_differs(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_attribute *o = identifier(s, X509_OID_O);
    const struct x509_attribute *id = identifier(s, X509_OID_ORGANIZATION_IDENTIFIER);
    if (o != NULL && id != NULL && lt_slice_eq_nocase(o->value, id->value)) {
        lint_found(r, id->value, "organizationIdentifier is the name '%.*s'", LT_FMT(o->value));
    }
}

/* ---- EN 319 412-2: extensions ---- */

static const struct {
    enum x509_oid oid;
    bool required; /* otherwise it must not be there */
} presence[] = {
    {X509_OID_AUTHORITY_KEY_IDENTIFIER, true}, {X509_OID_KEY_USAGE, true},
    {X509_OID_CERTIFICATE_POLICIES, true},     {X509_OID_AUTHORITY_INFO_ACCESS, true},
    {X509_OID_POLICY_MAPPINGS, false},         {X509_OID_NAME_CONSTRAINTS, false},
    {X509_OID_POLICY_CONSTRAINTS, false},      {X509_OID_INHIBIT_ANY_POLICY, false},
};

static void extensions(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < LT_COUNT(presence); i++) {
        const struct x509_extension *x = lint_ext(s, presence[i].oid);
        if ((x != NULL) != presence[i].required) {
            lint_found(r, x == NULL ? s->cert->tbs : x->der, "%s is %s", x509_oid_name(presence[i].oid),
                       x == NULL ? "missing" : "there");
        }
    }
}

static void criticality(const struct lint_subject *s, struct lint_report *r)
{
    static const enum x509_oid not_critical[] = {X509_OID_SUBJECT_ALT_NAME, X509_OID_ISSUER_ALT_NAME,
                                                 X509_OID_EXTENDED_KEY_USAGE,
                                                 X509_OID_CRL_DISTRIBUTION_POINTS};
    for (size_t i = 0; i < LT_COUNT(not_critical); i++) {
        const struct x509_extension *x = lint_ext(s, not_critical[i]);
        bool empty = not_critical[i] == X509_OID_SUBJECT_ALT_NAME && !lint_is(s, LINT_HAS_SUBJECT);
        if (x != NULL && x->critical && !empty) {
            lint_found(r, x->der, "%s is critical", x509_oid_name(x->id.oid));
        }
    }
}

static bool has_http(const struct lint_subject *s, enum x509_oid method)
{
    for (size_t i = 0; i < s->cert->ext.aia_count; i++) {
        const struct x509_access *a = &s->cert->ext.aia[i];
        if (a->method.oid == method && a->location.type == X509_GN_URI &&
            (lint_url_has_scheme(a->location.value, "http") ||
             lint_url_has_scheme(a->location.value, "https"))) {
            return true;
        }
    }
    return false;
}

static void locations(const struct lint_subject *s, struct lint_report *r)
{
    lt_slice where = lint_ext_at(s, X509_OID_AUTHORITY_INFO_ACCESS);
    if (lint_is(s, LINT_HAS_AIA) && !has_http(s, X509_OID_CA_ISSUERS)) {
        lint_found(r, where, "no http or https URL of the issuer's certificate");
    }
    if (!lint_is(s, LINT_HAS_CDP) && !has_http(s, X509_OID_OCSP)) {
        lint_found(r, where, "neither an OCSP responder nor a CRL");
    }
}

static void crl_points(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->cert->ext.crldp_count; i++) {
        const struct x509_general_names *names = &s->cert->ext.crldp[i].names;
        for (size_t k = 0; k < names->count; k++) {
            if (names->list[k].type == X509_GN_URI && (lint_url_has_scheme(names->list[k].value, "http") ||
                                                       lint_url_has_scheme(names->list[k].value, "ldap"))) {
                return;
            }
        }
    }
    lint_found(r, lint_ext_at(s, X509_OID_CRL_DISTRIBUTION_POINTS), "no http or ldap URL of a CRL");
}

/* Policies of EN 319 411-2: 0 to 3 for signatures and seals (even: natural persons), 4 to 6 for websites. */
static void policies(const struct lint_subject *s, struct lint_report *r)
{
    unsigned policy = UINT8_MAX;
    size_t count = lint_etsi_policies(s, &policy);
    lt_slice where = lint_ext_at(s, X509_OID_CERTIFICATE_POLICIES);
    bool website = x509_has_eku(&s->cert->ext, X509_OID_SERVER_AUTH);
    bool person = policy == 0 || policy == 2;
    if (count > 1) {
        lint_found(r, where, "%zu qualified policies", count);
    } else if (policy <= 6 && ((policy >= 4) != website || (person && !lint_etsi_natural(s)))) {
        lint_found(r, where, "qualified policy %u does not go with this certificate", policy);
    }
}

/* Since version 2.5.1 of EN 319 411-2: 4 beside EV, 5 beside OV and IV, 6 beside none of them. */
static void website_policy(const struct lint_subject *s, struct lint_report *r)
{
    unsigned policy = UINT8_MAX;
    (void)lint_etsi_policies(s, &policy); /* none is fine */
    unsigned own = lint_is(s, LINT_IS_EV) ? 4 : lint_is_any(s, LINT_IS_OV | LINT_IS_IV) ? 5 : 6;
    if (policy >= 4 && policy <= 6 && policy != own) {
        lint_found(r, lint_ext_at(s, X509_OID_CERTIFICATE_POLICIES),
                   "qualified policy %u where %u goes with the TLS policy", policy, own);
    }
}

/* Policies for signatures of people: what they sign binds them. */
static void commitment(const struct lint_subject *s, struct lint_report *r)
{
    unsigned policy = UINT8_MAX;
    (void)lint_etsi_policies(s, &policy); /* none is fine */
    if ((policy == 0 || policy == 2) && (s->cert->ext.key_usage & X509_KU_CONTENT_COMMITMENT) == 0) {
        lint_found(r, lint_ext_at(s, X509_OID_KEY_USAGE), "key usage 0x%x is without nonRepudiation",
                   s->cert->ext.key_usage);
    }
}

static bool has_policies(const struct lint_subject *s)
{
    unsigned policy;
    return lint_is(s, LINT_HAS_CP) && lint_etsi_policies(s, &policy) > 0;
}

/* One policy of EN 319 411-1, and the one that goes with the TLS policy beside it. */
static void policies_411_1(const struct lint_subject *s, struct lint_report *r)
{
    static const uint8_t arc[] = {0x04, 0x00, 0x8f, 0x7a, 0x01}; /* 0.4.0.2042.1: 4 EV, 6 DV, 7 OV, 8 IV */
    size_t count = 0;
    uint8_t policy = 0;
    for (size_t i = 0; i < s->cert->ext.policy_count; i++) {
        lt_slice id = s->cert->ext.policies[i].id.der;
        if (id.len == sizeof(arc) + 1 && lt_slice_starts(id, LT_SLICE(arc, sizeof(arc)))) {
            policy = id.ptr[sizeof(arc)];
            count++;
        }
    }
    bool fits = policy == (lint_is(s, LINT_IS_EV)   ? 4
                           : lint_is(s, LINT_IS_OV) ? 7
                           : lint_is(s, LINT_IS_IV) ? 8
                                                    : 6);
    lt_slice where = lint_ext_at(s, X509_OID_CERTIFICATE_POLICIES);
    if (count > 1) {
        lint_found(r, where, "%zu policies of EN 319 411-1", count);
    } else if (count == 1 && !fits) {
        lint_found(r, where, "policy %u of EN 319 411-1 beside another kind of TLS policy", policy);
    }
}

static bool has_tls_policy(const struct lint_subject *s)
{
    return lint_is_any(s, LINT_IS_EV | LINT_IS_OV | LINT_IS_IV | LINT_IS_DV);
}

static bool is_website(const struct lint_subject *s)
{
    return lint_etsi_profile(s) && x509_has_eku(&s->cert->ext, X509_OID_SERVER_AUTH);
}

static void website(const struct lint_subject *s, struct lint_report *r)
{
    if (!lint_is(s, LINT_HAS_SAN)) {
        lint_found(r, s->cert->tbs, "subjectAltName is missing");
    }
    const struct x509_attribute *cn = identifier(s, X509_OID_CN);
    for (size_t i = 0; cn != NULL && i < s->cert->ext.san.count; i++) {
        const struct x509_general_name *n = &s->cert->ext.san.list[i];
        if (n->type == X509_GN_DNS && lt_slice_eq_nocase(n->value, cn->value)) {
            return;
        }
    }
    if (cn != NULL) {
        lint_found(r, cn->value, "common name '%.*s' is no dNSName of subjectAltName", LT_FMT(cn->value));
    }
}

static const struct lint_rule rows[] = {
    {"lintel_etsi_legal_id", ETSI_QC(LINT_ERROR),
     .asks = "organizationIdentifier is scheme, country and reference, as its semantics say",
     .citation = "EN 319 412-1 5.1.4", .applies = has_legal, .check = legal_id},
    {"lintel_etsi_natural_id", ETSI_QC(LINT_ERROR),
     .asks = "serialNumber is scheme, country and number, as its semantics say",
     .citation = "EN 319 412-1 5.1.3", .applies = has_natural, .check = natural_id},
    {"lintel_etsi_registration", ETSI_QC(LINT_ERROR),
     .asks = "with a national scheme there is the URL of its register",
     .citation = "EN 319 412-1 5.1.3, 5.1.4", .check = registration},
    {"lintel_etsi_eidas_natural", ETSI_QC(LINT_ERROR),
     .asks = "serialNumber is the person identifier of eIDAS, as its semantics say",
     .citation = "EN 319 412-1 5.1.5", .applies = has_eidas_natural, .check = eidas_natural},
    {"lintel_etsi_eidas_legal", ETSI_QC(LINT_ERROR),
     .asks = "organizationIdentifier is the legal person identifier of eIDAS, as its semantics say",
     .citation = "EN 319 412-1 5.1.6", .applies = has_eidas_legal, .check = eidas_legal},
    {"lintel_etsi_natural_subject", ETSI(LINT_ERROR),
     .asks = "a natural person has country and common name once, and no pseudonym beside the whole name",
     .citation = "EN 319 412-2 4.2.4", .applies = is_natural, .check = natural_subject},
    {"lintel_etsi_legal_subject", ETSI(LINT_ERROR),
     .asks = "a legal person has country, organization, its identifier and common name once",
     .citation = "EN 319 412-3 4.2.1", .applies = is_legal, .check = legal_subject},
    {"lintel_etsi_issuer_name", ETSI(LINT_ERROR),
     .asks = "the issuer has country, organization and common name once", .citation = "EN 319 412-2 4.2.3.1",
     .applies = lint_etsi_profile, .check = issuer_name},
    {"lintel_etsi_org_id_differs", ETSI(LINT_ERROR),
     .asks = "organizationIdentifier is not the organization's name again", .citation = "EN 319 412-3 4.2.1",
     .applies = lint_etsi_claimed, .check = org_id_differs},
    {"lintel_etsi_extensions", ETSI(LINT_ERROR),
     .asks = "identifiers, usage, policies and access are there, constraints and mappings are not",
     .citation = "EN 319 412-2 4.3, 4.4", .applies = lint_etsi_profile, .check = extensions},
    {"lintel_etsi_criticality", ETSI(LINT_ERROR),
     .asks = "alternative names, key purposes and distribution points are not critical",
     .citation = "EN 319 412-2 4.3.5, 4.3.6, 4.3.10, 4.3.11", .applies = lint_etsi_profile,
     .check = criticality},
    {"lintel_etsi_locations", ETSI(LINT_ERROR),
     .asks = "the issuer's certificate is at a http or https URL, and there is OCSP or a CRL",
     .citation = "EN 319 412-2 4.3.11, 4.4.1", .applies = lint_etsi_profile, .check = locations},
    {"lintel_etsi_crl_points", PROFILE(LINT_ERROR, LINT_HAS_CDP),
     .asks = "one distribution point at least is a http or ldap URL", .citation = "EN 319 412-2 4.3.11",
     .applies = lint_etsi_profile, .check = crl_points},
    {"lintel_etsi_policies", ETSI(LINT_ERROR), .asks = "there is one qualified policy, the one of this kind",
     .citation = "EN 319 412-2 5.2; EN 319 411-2 5.3", .applies = has_policies, .check = policies},
    {"lintel_etsi_website_policy", .source = LINT_ETSI_ESI, .level = LINT_ERROR, .kinds = LINT_CERTIFICATE,
     .effective = LINT_DAY(2023, 7, 1), .when = LINT_IS_SUBSCRIBER,
     .asks = "a website's qualified policy is the one that goes with its TLS policy",
     .citation = "EN 319 411-2 5.3", .applies = has_policies, .check = website_policy},
    {"lintel_etsi_commitment", PROFILE(LINT_ERROR, LINT_HAS_KU),
     .asks = "keys for signatures of people have nonRepudiation", .citation = "EN 319 412-2 4.3.2",
     .applies = has_policies, .check = commitment},
    {"lintel_etsi_policies_411_1", ETSI(LINT_ERROR),
     .asks = "there is one policy of EN 319 411-1, the one that goes with the TLS policy",
     .citation = "EN 319 411-1 6.3.3", .applies = has_tls_policy, .check = policies_411_1},
    {"lintel_etsi_website_names", ETSI(LINT_ERROR),
     .asks = "a website has a subjectAltName, and a common name that is in it",
     .citation = "EN 319 412-4 4.1", .applies = is_website, .check = website},
};
const struct lint_table lint_etsi_profiles = LINT_TABLE(rows);
