/* TLS Baseline Requirements on what points elsewhere, as zlint judges it: authorityInfoAccess,
 * cRLDistributionPoints, qualifiers of policies. */
#include "lint/rules/cabf_br_dates.h"
#include "lint/rules/url.h"

/* Is there an AccessDescription of that method with a URL? */
static bool has_url(const struct lint_subject *s, enum x509_oid method)
{
    const struct x509_extensions *e = &s->cert->ext;
    for (size_t i = 0; i < e->aia_count; i++) {
        if (e->aia[i].method.oid == method && e->aia[i].location.type == X509_GN_URI) {
            return true;
        }
    }
    return false;
}

static bool has_issuer_url(const struct lint_subject *s)
{
    return has_url(s, X509_OID_CA_ISSUERS);
}

static bool has_ocsp_url(const struct lint_subject *s)
{
    return has_url(s, X509_OID_OCSP);
}

static bool has_any_url(const struct lint_subject *s)
{
    return has_issuer_url(s) || has_ocsp_url(s);
}

/* value: the access method. */
static void http_only(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    for (size_t i = 0; i < e->aia_count; i++) {
        lt_slice at = e->aia[i].location.value;
        if (e->aia[i].method.oid == (enum x509_oid)r->rule->value && e->aia[i].location.type == X509_GN_URI &&
            !lint_url_has_scheme(at, "http")) {
            lint_found(r, at, "\"%.*s\" is no http URL", LT_FMT(at));
            return;
        }
    }
}

static void access_methods(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    const struct x509_extension *x = lint_ext(s, X509_OID_AUTHORITY_INFO_ACCESS);
    if (!e->has_aia) {
        lint_found_at(r, LINT_FATAL, x->der, "authorityInfoAccess does not decode: %s", x->why);
        return;
    }
    for (size_t i = 0; i < e->aia_count; i++) {
        const struct x509_access *a = &e->aia[i];
        if (a->location.type != X509_GN_URI) {
            lint_found(r, a->location.value, "a location that is no URL, but name form %d",
                       (int)a->location.type);
            return;
        }
        if (a->method.oid != X509_OID_OCSP && a->method.oid != X509_OID_CA_ISSUERS) {
            lint_found(r, a->method.der, "an access method that is neither OCSP nor caIssuers");
            return;
        }
    }
}

static void unique_locations(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    for (size_t i = 1; i < e->aia_count; i++) {
        const struct x509_access *a = &e->aia[i];
        bool asked = a->method.oid == X509_OID_OCSP || a->method.oid == X509_OID_CA_ISSUERS;
        for (size_t k = 0; asked && k < i; k++) {
            const struct x509_access *b = &e->aia[k];
            if (a->method.oid == b->method.oid && a->location.type == X509_GN_URI &&
                b->location.type == X509_GN_URI && lt_slice_eq_nocase(a->location.value, b->location.value)) {
                lint_found(r, a->location.value, "\"%.*s\" stands twice", LT_FMT(a->location.value));
                return;
            }
        }
    }
}

/* The URLs of all distribution points, one after the other; NULL at the end. */
struct url_walk {
    size_t point;
    size_t name;
};
static const struct x509_general_name *next_crl_url(const struct lint_subject *s, struct url_walk *w)
{
    const struct x509_extensions *e = &s->cert->ext;
    for (; w->point < e->crldp_count; w->point++, w->name = 0) {
        const struct x509_general_names *names = &e->crldp[w->point].names;
        while (w->name < names->count) {
            const struct x509_general_name *n = &names->list[w->name++];
            if (n->type == X509_GN_URI) {
                return n;
            }
        }
    }
    return NULL;
}

static bool has_crl_url(const struct lint_subject *s)
{
    struct url_walk w = {0};
    return next_crl_url(s, &w) != NULL;
}

static void crl_http_only(const struct lint_subject *s, struct lint_report *r)
{
    struct url_walk w = {0};
    for (const struct x509_general_name *n = next_crl_url(s, &w); n != NULL; n = next_crl_url(s, &w)) {
        if (!lt_slice_starts(n->value, LT_LIT("http:"))) {
            lint_found(r, n->value, "\"%.*s\" is no http URL", LT_FMT(n->value));
            return;
        }
    }
}

static void no_crl_issuer(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    for (size_t i = 0; i < e->crldp_count; i++) {
        if (e->crldp[i].crl_issuer.count > 0 || e->crldp[i].has_reasons) {
            lint_found(r, lint_ext_at(s, X509_OID_CRL_DISTRIBUTION_POINTS), "point %zu has %s", i + 1,
                       e->crldp[i].has_reasons ? "reasons" : "cRLIssuer");
            return;
        }
    }
}

/* BR 1.6.1: short-lived. */
static bool needs_revocation(const struct lint_subject *s)
{
    int64_t begin = lt_time_seconds(s->cert->not_before);
    int64_t days = begin < BR_SC_81_FIRST * LT_SECONDS_PER_DAY ? 10 : 7;
    return lt_time_seconds(s->cert->not_after) - begin > days * LT_SECONDS_PER_DAY;
}

static void revocation_pointer(const struct lint_subject *s, struct lint_report *r)
{
    if (!has_crl_url(s) && !has_ocsp_url(s)) {
        lint_found(r, lint_ext_at(s, X509_OID_CRL_DISTRIBUTION_POINTS), "neither a CRL's URL nor OCSP's");
    }
}

/* Calls for each PolicyQualifierInfo; false ends the walk.
 * PolicyQualifierInfo ::= SEQUENCE { policyQualifierId OBJECT IDENTIFIER, qualifier ANY } */
typedef bool each_qualifier(struct lint_report *r, enum x509_oid id, lt_slice whole, lt_slice content);
static void walk_qualifiers(const struct lint_subject *s, struct lint_report *r, each_qualifier *each)
{
    const struct x509_extensions *e = &s->cert->ext;
    for (size_t i = 0; i < e->policy_count; i++) {
        struct der_cursor c = der_open(e->policies[i].qualifiers);
        struct der_cursor list = der_enter(&c, DER_SEQUENCE);
        while (der_more(&list)) {
            struct der_cursor info = der_enter(&list, DER_SEQUENCE);
            enum x509_oid id = x509_oid_find(der_oid(&info));
            uint32_t tag = DER_NONE;
            lt_slice content = {0};
            lt_slice whole = {0};
            if (!der_any(&info, &tag, &content, &whole)) {
                break;
            }
            der_leave(&list, &info);
            if (!each(r, id, whole, content)) {
                return;
            }
        }
    }
}

static bool cps_uri(struct lint_report *r, enum x509_oid id, lt_slice whole, lt_slice content)
{
    (void)whole;
    if (id == X509_OID_CPS_QUALIFIER && !lint_url_has_scheme(content, "http") &&
        !lint_url_has_scheme(content, "https")) {
        lint_found(r, content, "\"%.*s\" is neither http nor https", LT_FMT(content));
        return false;
    }
    return true;
}

static void cps_uris(const struct lint_subject *s, struct lint_report *r)
{
    walk_qualifiers(s, r, cps_uri);
}

static bool cps_only(struct lint_report *r, enum x509_oid id, lt_slice whole, lt_slice content)
{
    (void)content;
    if (id != X509_OID_CPS_QUALIFIER) {
        lint_found(r, whole, "a policy qualifier that is no CPS pointer");
        return false;
    }
    return true;
}

static void cps_qualifiers(const struct lint_subject *s, struct lint_report *r)
{
    walk_qualifiers(s, r, cps_only);
}

#define BR .source = LINT_CABF_BR, .level = LINT_ERROR, .kinds = LINT_CERTIFICATE, .zlint = true
#define SUBSCRIBER_AIA (LINT_IS_SUBSCRIBER | LINT_HAS_AIA)

static const struct lint_rule rows[] = {
    {"e_aia_ca_issuers_must_have_http_only", BR,
     .asks = "the issuer's certificate is pointed to by http URLs only", .citation = "BR 7.1.2.7.7",
     .when = SUBSCRIBER_AIA, .effective = BR_2_0_0, .applies = has_issuer_url, .check = http_only,
     .value = X509_OID_CA_ISSUERS},
    {"e_aia_must_contain_permitted_access_method", BR,
     .asks = "authorityInfoAccess has URLs for OCSP and caIssuers and nothing else",
     .citation = "BR 7.1.2.7.7", .when = SUBSCRIBER_AIA, .effective = BR_2_0_0, .check = access_methods},
    {"e_aia_ocsp_must_have_http_only", BR, .asks = "OCSP is pointed to by http URLs only",
     .citation = "BR 7.1.2.7.7", .when = SUBSCRIBER_AIA, .effective = BR_2_0_0, .applies = has_ocsp_url,
     .check = http_only, .value = X509_OID_OCSP},
    {"e_aia_unique_access_locations", BR, .asks = "no location stands twice under the same access method",
     .citation = "BR 7.1.2.7.7", .when = SUBSCRIBER_AIA, .effective = BR_2_0_0, .applies = has_any_url,
     .check = unique_locations},
    {"e_crl_distrib_points_not_http", BR, .asks = "CRLs are pointed to by http URLs only",
     .citation = "BR 7.1.2.11.2", .when = LINT_HAS_CDP, .effective = BR_2_0_0, .applies = has_crl_url,
     .check = crl_http_only},
    {"e_crlissuer_must_not_be_present_in_cdp", BR,
     .asks = "a distribution point has neither cRLIssuer nor reasons", .citation = "BR 7.1.2.11.2",
     .when = LINT_HAS_CDP, .effective = BR_2_0_0, .applies = has_crl_url, .check = no_crl_issuer},
    {"e_missing_crl_distrib_point", BR,
     .asks = "a certificate that is not short-lived points to a CRL or to OCSP", .citation = "BR 7.1.2.11.2",
     .when = LINT_IS_SUBSCRIBER, .effective = BR_2_0_1, .applies = needs_revocation,
     .check = revocation_pointer},
    {"e_invalid_cps_uri", BR, .asks = "the pointer to a practice statement is an http or https URL",
     .citation = "BR 7.1.2.7.9, 7.1.2.10.5", .when = LINT_HAS_CP, .effective = BR_2_0_0, .check = cps_uris},
    {"e_policy_qualifiers_other_than_cps_not_permitted", BR,
     .asks = "the only policy qualifier is the pointer to a practice statement",
     .citation = "BR 7.1.2.7.9, 7.1.2.10.5", .when = LINT_HAS_CP, .effective = BR_2_0_0,
     .check = cps_qualifiers},
};
const struct lint_table lint_cabf_br_pointers = LINT_TABLE(rows);
