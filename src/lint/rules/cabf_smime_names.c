/* zlint's rules of the S/MIME Baseline Requirements: names, mail addresses, URLs. */
#include "lint/rules/common.h"
#include "lint/rules/mailbox.h"
#include "lint/rules/url.h"
#include "x509/dnsname.h"

#define SMIME                                                                                    \
    .source = LINT_CABF_SMIME_BR, .level = LINT_ERROR, .kinds = LINT_CERTIFICATE, .zlint = true, \
    .effective = LINT_DAY(2023, 9, 1)
#define SUBSCRIBER (LINT_IS_SUBSCRIBER | LINT_IS_SMIME)

/* A domain whose last label is a top-level domain of today, or the text of an IP address. */
static bool public_host(const struct lint_url *url)
{
    struct x509_ip ip;
    if (!lt_failed(x509_ip_parse(url->host, &ip))) {
        return true;
    }
    size_t dot = url->name.len;
    while (dot > 0 && url->name.ptr[dot - 1] != '.') {
        dot--;
    }
    lt_slice label = lt_slice_sub(url->name, dot, url->name.len);
    uint8_t lower[X509_DNS_LABEL_MAX];
    if (label.len > sizeof(lower)) {
        return false;
    }
    for (size_t i = 0; i < label.len; i++) {
        uint8_t c = label.ptr[i];
        lower[i] = c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
    }
    const struct lint_tld *tld = lint_tld_find(LT_SLICE(lower, label.len));
    return tld != NULL && tld->removed == 0;
}

static bool is_aia_url(const struct x509_access *a)
{
    return (a->method.oid == X509_OID_OCSP || a->method.oid == X509_OID_CA_ISSUERS) &&
           a->location.type == X509_GN_URI;
}

static void aia_internal(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    for (size_t i = 0; i < e->aia_count; i++) {
        if (!is_aia_url(&e->aia[i])) {
            continue;
        }
        lt_slice text = e->aia[i].location.value;
        struct lint_url url;
        if (!lint_url_parse(text, &url)) {
            lint_found_at(r, LINT_ERROR, text, "'%.*s' is no URL", LT_FMT(text));
            return;
        }
        if (!public_host(&url)) {
            lint_found(r, text, "host '%.*s' has no public top-level domain", LT_FMT(url.name));
            return;
        }
    }
}

static bool not_legacy(const struct lint_subject *s)
{
    return lint_is_any(s, LINT_IS_SMIME_STRICT | LINT_IS_SMIME_MULTIPURPOSE);
}

static void aia_http_only(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extensions *e = &s->cert->ext;
    for (size_t i = 0; i < e->aia_count; i++) {
        lt_slice text = e->aia[i].location.value;
        if (is_aia_url(&e->aia[i]) && !lint_url_has_scheme(text, "http")) {
            lint_found(r, text, "'%.*s' is no http URL", LT_FMT(text));
        }
    }
}

/* For each of the two methods. */
static void aia_http_some(const struct lint_subject *s, struct lint_report *r)
{
    static const enum x509_oid methods[] = {X509_OID_OCSP, X509_OID_CA_ISSUERS};
    const struct x509_extensions *e = &s->cert->ext;
    for (size_t m = 0; m < LT_COUNT(methods); m++) {
        size_t count = 0;
        size_t http = 0;
        for (size_t i = 0; i < e->aia_count; i++) {
            lt_slice text = e->aia[i].location.value;
            struct lint_url url;
            if (e->aia[i].method.oid != methods[m] || !is_aia_url(&e->aia[i])) {
                continue;
            }
            if (!lint_url_parse(text, &url)) {
                lint_found(r, text, "'%.*s' is no URL", LT_FMT(text));
                return;
            }
            count++;
            http += lt_slice_eq_nocase(url.scheme, LT_LIT("http"));
        }
        if (count > 0 && http == 0) {
            lint_found(r, lint_ext_at(s, X509_OID_AUTHORITY_INFO_ACCESS), "no http URL for %s",
                       x509_oid_name(methods[m]));
        }
    }
}

/* URLs of the distribution points: all of them, and those that are http. False when one is none. */
static bool count_crl_urls(const struct lint_subject *s, size_t *ret_count, size_t *ret_http)
{
    const struct x509_extensions *e = &s->cert->ext;
    bool fine = true;
    *ret_count = 0;
    *ret_http = 0;
    for (size_t i = 0; i < e->crldp_count; i++) {
        for (size_t k = 0; k < e->crldp[i].names.count; k++) {
            const struct x509_general_name *n = &e->crldp[i].names.list[k];
            struct lint_url url;
            if (n->type == X509_GN_URI) {
                ++*ret_count;
                bool parsed = lint_url_parse(n->value, &url);
                fine = fine && parsed;
                *ret_http += parsed && lt_slice_eq_nocase(url.scheme, LT_LIT("http"));
            }
        }
    }
    return fine;
}

static void crl_http(const struct lint_subject *s, struct lint_report *r)
{
    size_t count;
    size_t http;
    lt_slice where = lint_ext_at(s, X509_OID_CRL_DISTRIBUTION_POINTS);
    if (!count_crl_urls(s, &count, &http)) {
        lint_found(r, where, "a distribution point that is no URL");
    } else if (not_legacy(s) && http != count) {
        lint_found(r, where, "%zu of %zu distribution points are no http URLs", count - http, count);
    } else if (lint_is(s, LINT_IS_SMIME_LEGACY) && http == 0) {
        lint_found(r, where, "no distribution point is a http URL");
    }
}

static void crl_present(const struct lint_subject *s, struct lint_report *r)
{
    size_t count;
    size_t http;
    (void)count_crl_urls(s, &count, &http); /* only how many */
    if (count == 0) {
        lint_found(r, lint_ext_at(s, X509_OID_CRL_DISTRIBUTION_POINTS), "no URL of a CRL");
    }
}

static void san_present(const struct lint_subject *s, struct lint_report *r)
{
    if (!lint_is(s, LINT_HAS_SAN)) {
        lint_found(r, s->cert->tbs, "subjectAltName is missing");
    }
}

static void san_not_critical(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, X509_OID_SUBJECT_ALT_NAME);
    if (x != NULL && x->critical && lint_is(s, LINT_HAS_SUBJECT)) {
        lint_found(r, x->der, "subjectAltName is critical although there is a subject");
    }
}

static void mailbox_cn(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_attribute *cn;
    for (size_t n = 0; (cn = x509_name_find(&s->cert->subject, X509_OID_CN, n)) != NULL; n++) {
        if (!lint_mailbox(cn->value)) {
            lint_found(r, cn->value, "common name '%.*s' is no mail address", LT_FMT(cn->value));
        }
    }
}

static void mailbox_attributes(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->cert->subject.count; i++) {
        const struct x509_attribute *a = &s->cert->subject.attributes[i];
        if (a->oid != X509_OID_CN && a->oid != X509_OID_SERIAL_NUMBER && a->oid != X509_OID_EMAIL_ADDRESS) {
            lint_found(r, a->value, "%s in a mailbox-validated certificate", x509_oid_name(a->oid));
            return;
        }
    }
}

static bool personal(const struct lint_subject *s)
{
    return lint_is_any(s, LINT_IS_SMIME_IV | LINT_IS_SMIME_SV);
}

static void personal_name(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_name *n = &s->cert->subject;
    if (!lint_has_attribute(n, X509_OID_GIVEN_NAME) && !lint_has_attribute(n, X509_OID_SURNAME) &&
        !lint_has_attribute(n, X509_OID_PSEUDONYM)) {
        lint_found(r, n->der, "the subject has neither a personal name nor a pseudonym");
    }
}

/* A certificate without a common name is none of this rule's business, nor one without an organisation. */
static void organization_cn(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_attribute *o = x509_name_find(&s->cert->subject, X509_OID_O, 0);
    lt_slice cn = lint_last_attribute(&s->cert->subject, X509_OID_CN);
    if (lint_is(s, LINT_HAS_CN) && o != NULL && !lint_mailbox(cn) && !lt_slice_eq(cn, o->value)) {
        lint_found(r, cn, "common name '%.*s' is neither a mail address nor the organization's name",
                   LT_FMT(cn));
    }
}

static bool capitals(lt_slice s, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i >= s.len || s.ptr[i] < 'A' || s.ptr[i] > 'Z') {
            return false;
        }
    }
    return true;
}

static bool international(lt_slice id)
{
    return lt_slice_starts(id, LT_LIT("INT")) || lt_slice_starts(id, LT_LIT("LEI"));
}

static bool has_national_scheme(const struct lint_subject *s)
{
    const struct x509_name *n = &s->cert->subject;
    const struct x509_attribute *country = x509_name_find(n, X509_OID_C, 0);
    if (!lint_is_any(s, LINT_IS_SMIME_OV | LINT_IS_SMIME_SV) || country == NULL || country->value.len != 2) {
        return false;
    }
    bool national = false;
    const struct x509_attribute *id;
    for (size_t i = 0; (id = x509_name_find(n, X509_OID_ORGANIZATION_IDENTIFIER, i)) != NULL; i++) {
        if (!capitals(id->value, 5)) {
            return false;
        }
        national = national || !international(id->value);
    }
    return national;
}

static void scheme_country(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_name *n = &s->cert->subject;
    const struct x509_attribute *country = x509_name_find(n, X509_OID_C, 0);
    const struct x509_attribute *id;
    for (size_t i = 0; (id = x509_name_find(n, X509_OID_ORGANIZATION_IDENTIFIER, i)) != NULL; i++) {
        if (!international(id->value) && !lt_slice_eq(lt_slice_sub(id->value, 3, 2), country->value)) {
            lint_found(r, id->value, "organizationIdentifier '%.*s' is not of country '%.*s'",
                       LT_FMT(id->value), LT_FMT(country->value));
        }
    }
}

static bool has_san_mail(const struct lint_subject *s)
{
    for (size_t i = 0; i < s->cert->ext.san.count; i++) {
        if (s->cert->ext.san.list[i].type == X509_GN_EMAIL) {
            return true;
        }
    }
    return false;
}

static void san_mail(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->cert->ext.san.count; i++) {
        const struct x509_general_name *n = &s->cert->ext.san.list[i];
        if (n->type == X509_GN_EMAIL && !lint_mail_address(n->value)) {
            lint_found(r, n->value, "'%.*s' is no mail address", LT_FMT(n->value));
        }
    }
}

static bool has_subject_mail(const struct lint_subject *s)
{
    return lint_has_attribute(&s->cert->subject, X509_OID_EMAIL_ADDRESS);
}

static void subject_mail(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_attribute *a;
    for (size_t n = 0; (a = x509_name_find(&s->cert->subject, X509_OID_EMAIL_ADDRESS, n)) != NULL; n++) {
        if (!lint_mail_address(a->value)) {
            lint_found(r, a->value, "'%.*s' is no mail address", LT_FMT(a->value));
        }
    }
}

static bool not_mailbox(const struct lint_subject *s)
{
    return lint_is_any(s, LINT_IS_SMIME_OV | LINT_IS_SMIME_SV | LINT_IS_SMIME_IV);
}

static void country(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_attribute *c;
    for (size_t n = 0; (c = x509_name_find(&s->cert->subject, X509_OID_C, n)) != NULL; n++) {
        if (!lint_country_loose(c->value)) {
            lint_found(r, c->value, "'%.*s' is no ISO 3166-1 code", LT_FMT(c->value));
        }
    }
}

/* What e_mailbox_address_shall_contain_an_rfc822_name does with each address that it looks for. */
typedef bool mailbox_visit(const struct lint_subject *s, lt_slice address);

/* emailAddress attributes of the directoryNames in subjectAltName; true as soon as visit says so. */
static bool visit_directory(const struct lint_subject *s, lt_slice name, mailbox_visit *visit,
                            lt_slice *ret_which)
{
    struct der_cursor c = der_open(name);
    struct der_cursor rdns = der_enter(&c, DER_SEQUENCE);
    while (der_more(&rdns)) {
        struct der_cursor rdn = der_enter(&rdns, DER_SET);
        while (der_more(&rdn)) {
            struct der_cursor a = der_enter(&rdn, DER_SEQUENCE);
            lt_slice type = der_oid(&a);
            uint32_t tag;
            bool mail = x509_oid_find(type) == X509_OID_EMAIL_ADDRESS;
            if (der_any(&a, &tag, ret_which, NULL) && mail && lint_mailbox(*ret_which) &&
                visit(s, *ret_which)) {
                return true;
            }
            der_leave(&rdn, &a);
        }
        der_leave(&rdns, &rdn);
    }
    return false;
}

static bool visit_mailboxes(const struct lint_subject *s, mailbox_visit *visit, lt_slice *ret_which)
{
    const struct x509_name *n = &s->cert->subject;
    for (size_t i = 0; i < n->count; i++) {
        enum x509_oid oid = n->attributes[i].oid;
        *ret_which = n->attributes[i].value;
        bool looked_for = oid == X509_OID_EMAIL_ADDRESS ||
                          (oid == X509_OID_CN && lint_is(s, LINT_IS_SMIME_MV));
        if (looked_for && lint_mailbox(*ret_which) && visit(s, *ret_which)) {
            return true;
        }
    }
    const struct x509_general_names *san = &s->cert->ext.san;
    for (size_t i = 0; i < san->count; i++) {
        if (san->list[i].type == X509_GN_DIRECTORY &&
            visit_directory(s, san->list[i].value, visit, ret_which)) {
            return true;
        }
    }
    return false;
}

static bool any_mailbox(const struct lint_subject *s, lt_slice address)
{
    (void)s, (void)address; /* that there is one is enough */
    return true;
}

static bool mailbox_applies(const struct lint_subject *s)
{
    lt_slice which;
    return visit_mailboxes(s, any_mailbox, &which);
}

static bool not_in_san(const struct lint_subject *s, lt_slice address)
{
    const struct x509_general_names *san = &s->cert->ext.san;
    for (size_t i = 0; i < san->count; i++) {
        lt_slice text = san->list[i].value;
        bool mail = san->list[i].type == X509_GN_EMAIL || lint_smtp_utf8(&san->list[i], &text);
        if (mail && lt_slice_eq(text, address)) {
            return false;
        }
    }
    return true;
}

static void mailbox_in_san(const struct lint_subject *s, struct lint_report *r)
{
    lt_slice which;
    if (visit_mailboxes(s, not_in_san, &which)) {
        lint_found(r, which, "'%.*s' is not in subjectAltName", LT_FMT(which));
    }
}

static const struct lint_rule rows[] = {
    {"e_commonname_mailbox_validated", SMIME,
     .asks = "the common name of a mailbox-validated certificate is a mail address",
     .citation = "SBR 7.1.4.2.2 a", .when = LINT_IS_SUBSCRIBER | LINT_IS_SMIME_MV, .check = mailbox_cn},
    {"e_invalid_individual_identity", SMIME, .asks = "a person is named by given name, surname or pseudonym",
     .citation = "SBR 7.1.4.2.5, 7.1.4.2.6", .when = LINT_IS_SUBSCRIBER, .unless = LINT_IS_SMIME_LEGACY,
     .applies = personal, .check = personal_name},
    {"e_mailbox_address_shall_contain_an_rfc822_name", SMIME,
     .asks = "mail addresses of subject and directoryName stand in subjectAltName as addresses, too",
     .citation = "SBR 7.1.4.2.1", .when = SUBSCRIBER, .applies = mailbox_applies, .check = mailbox_in_san},
    {"e_mailbox_validated_allowed_subjectdn_attributes", SMIME,
     .asks =
         "a mailbox-validated subject has no other attributes than commonName, serialNumber, emailAddress",
     .citation = "SBR 7.1.4.2.3", .when = LINT_IS_SMIME_MV, .unless = LINT_IS_CA,
     .check = mailbox_attributes},
    {"e_mailbox_validated_enforce_subject_field_restrictions", SMIME,
     .asks =
         "a mailbox-validated subject has no other attributes than commonName, serialNumber, emailAddress",
     .citation = "SBR 7.1.4.2.3", .when = LINT_IS_SUBSCRIBER | LINT_IS_SMIME_MV, .check = mailbox_attributes},
    {"e_org_validated_invalid_cn", SMIME,
     .asks = "the common name of an organization-validated certificate is a mail address or the organization",
     .citation = "SBR 7.1.4.2.2 a", .when = LINT_IS_SUBSCRIBER | LINT_IS_SMIME_OV, .check = organization_cn},
    {"e_registration_scheme_id_matches_subject_country", SMIME,
     .asks = "the country inside organizationIdentifier is the subject's country",
     .citation = "SBR 7.1.4.2.2 d", .applies = has_national_scheme, .check = scheme_country},
    {"e_san_shall_be_present", SMIME, .asks = "subjectAltName is there", .citation = "SBR 7.1.2.3 h",
     .when = SUBSCRIBER, .check = san_present},
    {"e_single_email_if_present", SMIME, .asks = "each rfc822Name is one mail address",
     .citation = "SBR 7.1.4.2.1", .when = SUBSCRIBER | LINT_HAS_SAN, .applies = has_san_mail,
     .check = san_mail},
    {"e_single_email_subject_if_present", SMIME,
     .asks = "each emailAddress of the subject is one mail address", .citation = "SBR 7.1.4.2.2 h",
     .when = SUBSCRIBER, .applies = has_subject_mail, .check = subject_mail},
    {"e_smime_legacy_aia_shall_have_one_http", SMIME,
     .asks = "of the locations of each access method at least one is a http URL", .citation = "SBR 7.1.2.3 c",
     .when = LINT_IS_SUBSCRIBER | LINT_IS_SMIME_LEGACY | LINT_HAS_AIA, .check = aia_http_some},
    {"e_smime_strict_aia_shall_have_http_only", SMIME,
     .asks = "the locations of access methods are http URLs", .citation = "SBR 7.1.2.3 c",
     .when = LINT_IS_SUBSCRIBER | LINT_HAS_AIA, .applies = not_legacy, .check = aia_http_only},
    {"e_subject_country_name", SMIME, .asks = "countryName is an ISO 3166-1 code or XX",
     .citation = "SBR 7.1.4.2.2 n", .applies = not_mailbox, .check = country},
    {"e_subscribers_crl_distribution_points_are_http", SMIME, .asks = "CRL distribution points are http URLs",
     .citation = "SBR 7.1.2.3 b", .when = SUBSCRIBER, .check = crl_http},
    {"e_subscribers_shall_have_crl_distribution_points", SMIME, .asks = "the URL of a CRL is there",
     .citation = "SBR 7.1.2.3 b", .when = SUBSCRIBER, .check = crl_present},
    {"w_san_should_not_be_critical", .source = LINT_CABF_SMIME_BR, .level = LINT_WARN,
     .kinds = LINT_CERTIFICATE, .zlint = true, .effective = LINT_DAY(2023, 9, 1),
     .asks = "subjectAltName is critical only when the subject is empty", .citation = "SBR 7.1.2.3 h",
     .when = SUBSCRIBER | LINT_HAS_SAN, .check = san_not_critical},
    {"w_smime_aia_contains_internal_names", .source = LINT_CABF_SMIME_BR, .level = LINT_WARN,
     .kinds = LINT_CERTIFICATE, .zlint = true, .effective = LINT_DAY(2023, 9, 1),
     .asks = "hosts of access methods have a public top-level domain", .citation = "SBR 7.1.2.3 c",
     .when = SUBSCRIBER | LINT_HAS_AIA, .check = aia_internal},
};
const struct lint_table lint_cabf_smime_names = LINT_TABLE(rows);
