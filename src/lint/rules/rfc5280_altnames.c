/* RFC 5280 4.2.1.6 and 4.2.1.7: subjectAltName and issuerAltName, which mostly ask the same; and what
 * RFC 3490 and RFC 8399 ask of internationalized names. */
#include "lint/rules/fqdn.h"
#include "lint/rules/rfc.h"
#include "lint/rules/text.h"
#include "lint/rules/url.h"

static const enum x509_oid san = X509_OID_SUBJECT_ALT_NAME;
static const enum x509_oid ian = X509_OID_ISSUER_ALT_NAME;

/* .data: which of the two. */
static const struct x509_extension *extension_of(const struct lint_subject *s, const struct lint_report *r)
{
    return lint_ext(s, *(const enum x509_oid *)r->rule->data);
}

static struct der_cursor names_open(const struct lint_subject *s, const struct lint_report *r)
{
    return lint_names_open(extension_of(s, r)->value);
}

/* The next name of that form. */
static bool form_next(struct der_cursor *c, enum x509_general_name_type form, lt_slice *ret_value)
{
    unsigned number = 0;
    while (lint_names_next(c, &number, ret_value)) {
        if (number == (unsigned)form) {
            return true;
        }
    }
    return false;
}

static bool is_ascii(lt_slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] > 0x7f) {
            return false;
        }
    }
    return true;
}

static void dns_is_ascii(const struct lint_subject *s, struct lint_report *r)
{
    struct der_cursor c = names_open(s, r);
    lt_slice name = {0};
    while (form_next(&c, X509_GN_DNS, &name)) {
        if (!is_ascii(name)) {
            lint_found(r, name, "a dNSName with bytes beyond ASCII");
        }
    }
    if (!der_ok(&c)) {
        lint_found_at(r, LINT_FATAL, extension_of(s, r)->der, "the names do not decode: %s", c.why);
    }
}

static void no_empty_name(const struct lint_subject *s, struct lint_report *r)
{
    struct der_cursor c = names_open(s, r);
    if (!der_ok(&c)) {
        lint_found_at(r, LINT_FATAL, extension_of(s, r)->der, "the names do not decode: %s", c.why);
        return;
    }
    unsigned number = 0;
    lt_slice name = {0};
    while (lint_names_next(&c, &number, &name)) {
        if (name.len == 0) {
            lint_found(r, extension_of(s, r)->der, "a name of form %u is empty", number);
            return;
        }
    }
    if (!der_ok(&c)) {
        lint_say(r, LINT_NA);
    }
}

static void has_entries(const struct lint_subject *s, struct lint_report *r)
{
    lt_slice value = extension_of(s, r)->value;
    if (value.len < 2 || (value.len == 2 && value.ptr[0] == 0x30 && value.ptr[1] == 0)) {
        lint_found(r, extension_of(s, r)->der, "there is no name in it");
    }
}

static void email_form(const struct lint_subject *s, struct lint_report *r)
{
    struct der_cursor c = names_open(s, r);
    lt_slice m = {0};
    while (form_next(&c, X509_GN_EMAIL, &m)) {
        bool space = lt_slice_find(m, ' ') < m.len;
        if (m.len > 0 && (space || m.ptr[0] == '<' || m.ptr[m.len - 1] == ')')) {
            lint_found(r, m, "'%.*s' is more than a Mailbox", LT_FMT(m));
        }
    }
}

static void dns_not_space(const struct lint_subject *s, struct lint_report *r)
{
    struct der_cursor c = names_open(s, r);
    lt_slice name = {0};
    while (form_next(&c, X509_GN_DNS, &name)) {
        if (lt_slice_eq(name, LT_LIT(" "))) {
            lint_found(r, name, "a dNSName of one space");
        }
    }
}

/* Whatever the class of its tag. */
static bool has_dns_form(const struct lint_subject *s)
{
    struct der_cursor c = lint_names_of(s, X509_OID_SUBJECT_ALT_NAME);
    lt_slice name = {0};
    return form_next(&c, X509_GN_DNS, &name);
}

static void dns_length(const struct lint_subject *s, struct lint_report *r)
{
    struct der_cursor c = names_open(s, r);
    lt_slice name = {0};
    while (form_next(&c, X509_GN_DNS, &name)) {
        if (name.len > 253) {
            lint_found(r, name, "a dNSName of %zu bytes", name.len);
        }
    }
}

static bool has_user(lt_slice uri)
{
    return lt_slice_find(uri, '@') < uri.len;
}

static void uri_form(const struct lint_subject *s, struct lint_report *r)
{
    struct der_cursor c = names_open(s, r);
    lt_slice uri = {0};
    while (form_next(&c, X509_GN_URI, &uri)) {
        struct lint_url u;
        if (!lint_url_parse(uri, &u)) {
            lint_found(r, uri, "'%.*s' is no URI", LT_FMT(uri));
        } else if (u.scheme.len == 0) {
            lint_found(r, uri, "'%.*s' has no scheme", LT_FMT(uri));
        } else if (u.host.len == 0 && u.path.len == 0 && !has_user(uri)) {
            lint_found(r, uri, "'%.*s' has nothing behind its scheme", LT_FMT(uri));
        }
    }
}

static void uri_absolute(const struct lint_subject *s, struct lint_report *r)
{
    struct der_cursor c = names_open(s, r);
    lt_slice uri = {0};
    while (form_next(&c, X509_GN_URI, &uri)) {
        struct lint_url u;
        if (!lint_url_parse(uri, &u) || u.scheme.len == 0) {
            lint_found(r, uri, "'%.*s' is not absolute", LT_FMT(uri));
        }
    }
}

static void uri_is_ascii(const struct lint_subject *s, struct lint_report *r)
{
    struct der_cursor c = names_open(s, r);
    lt_slice uri = {0};
    while (form_next(&c, X509_GN_URI, &uri)) {
        if (!is_ascii(uri)) {
            lint_found(r, uri, "a URI with bytes beyond ASCII");
        }
    }
}

static bool host_like(lt_slice host)
{
    return lint_fqdn_loose(host) || lint_ip_text(host);
}

/* Rootless: what follows the scheme is no path and no authority. */
static bool is_opaque(const struct lint_url *u)
{
    return u->scheme.len > 0 && u->host.len == 0 && u->path.len > 0 && u->path.ptr[0] != '/';
}

static void san_uri_host(const struct lint_subject *s, struct lint_report *r)
{
    struct der_cursor c = names_open(s, r);
    lt_slice uri = {0};
    while (form_next(&c, X509_GN_URI, &uri)) {
        struct lint_url u;
        if (uri.len == 0) {
            continue;
        }
        if (!lint_url_parse(uri, &u)) {
            lint_found(r, uri, "'%.*s' is no URI", LT_FMT(uri));
        } else if (!is_opaque(&u) && !host_like(u.host)) {
            lint_found(r, uri, "the host of '%.*s' is neither a domain name nor an address", LT_FMT(uri));
        }
    }
}

/* Here a host of nothing is wrong, too, and a port is looked away. */
static void ian_uri_host(const struct lint_subject *s, struct lint_report *r)
{
    struct der_cursor c = names_open(s, r);
    lt_slice uri = {0};
    while (form_next(&c, X509_GN_URI, &uri)) {
        struct lint_url u;
        if (uri.len == 0) {
            continue;
        }
        if (!lint_url_parse(uri, &u) || !host_like(lt_slice_sub(u.host, 0, lt_slice_find(u.host, ':')))) {
            lint_found(r, uri, "the host of '%.*s' is neither a domain name nor an address", LT_FMT(uri));
        }
    }
}

static void critical_without_subject(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, X509_OID_SUBJECT_ALT_NAME);
    if (s->cert->subject.count == 0 && !x->critical) {
        lint_found(r, x->der, "not critical, although there is no subject");
    }
}

static bool has_names(const struct lint_subject *s)
{
    return lint_is_any(s, LINT_HAS_DNS | LINT_HAS_CN);
}

static void no_empty_label(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->san_names; i++) {
        lt_slice label = {0};
        for (size_t at = 0; lint_label_next(s->names[i].text, &at, &label);) {
            if (label.len == 0) {
                lint_found(r, s->names[i].text, "'%.*s' has an empty label", LT_FMT(s->names[i].text));
                break;
            }
        }
    }
}

static void label_length(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->san_names; i++) {
        lt_slice label = {0};
        for (size_t at = 0; lint_label_next(s->names[i].text, &at, &label);) {
            if (label.len > 63) {
                lint_found(r, label, "a label of %zu bytes", label.len);
            }
        }
    }
}

/* The part of each name that a rule looks at; the first that the public suffix list cannot split ends it. */
typedef bool part_is_wrong(const struct lint_name *n);

static void split_names(const struct lint_subject *s, struct lint_report *r, part_is_wrong *wrong,
                        const char *what)
{
    for (size_t i = 0; i < s->san_names; i++) {
        if (!s->names[i].psl_ok) {
            lint_say(r, r->status == LINT_PASS ? LINT_NA : r->status);
            return;
        }
        if (wrong(&s->names[i])) {
            lint_found(r, s->names[i].text, "'%.*s' has %s", LT_FMT(s->names[i].text), what);
        }
    }
}

static bool sld_has_outer_hyphen(const struct lint_name *n)
{
    return n->sld.len > 0 && (n->sld.ptr[0] == '-' || n->sld.ptr[n->sld.len - 1] == '-');
}

static bool sld_has_underscore(const struct lint_name *n)
{
    return lt_slice_find(n->sld, '_') < n->sld.len;
}

static bool trd_has_underscore(const struct lint_name *n)
{
    return lt_slice_find(n->trd, '_') < n->trd.len;
}

static void sld_hyphens(const struct lint_subject *s, struct lint_report *r)
{
    split_names(s, r, sld_has_outer_hyphen, "a hyphen at an end of the label before its suffix");
}

static void sld_underscores(const struct lint_subject *s, struct lint_report *r)
{
    split_names(s, r, sld_has_underscore, "an underscore in the label before its suffix");
}

static void trd_underscores(const struct lint_subject *s, struct lint_report *r)
{
    split_names(s, r, trd_has_underscore, "an underscore");
}

/* The next A-label among the dNSNames. */
static bool xn_next(const struct lint_subject *s, size_t *name, size_t *at, lt_slice *ret_label)
{
    for (; *name < s->san_names; *name += 1, *at = 0) {
        while (lint_label_next(s->names[*name].text, at, ret_label)) {
            if (lint_label_is_xn(*ret_label)) {
                return true;
            }
        }
    }
    return false;
}

static void decodes(const struct lint_subject *s, struct lint_report *r)
{
    uint32_t points[LINT_ULABEL_MAX];
    size_t count = 0;
    lt_slice label = {0};
    for (size_t name = 0, at = 0; xn_next(s, &name, &at, &label);) {
        if (!lint_punycode(lt_slice_sub(label, 4, label.len), points, &count)) {
            lint_found(r, label, "'%.*s' is no Punycode", LT_FMT(label));
        }
    }
}

static void decodes_to_nfc(const struct lint_subject *s, struct lint_report *r)
{
    uint32_t points[LINT_ULABEL_MAX];
    size_t count = 0;
    lt_slice label = {0};
    for (size_t name = 0, at = 0; xn_next(s, &name, &at, &label);) {
        if (!lint_punycode(lt_slice_sub(label, 4, label.len), points, &count)) {
            lint_say(r, r->status == LINT_PASS ? LINT_NA : r->status);
            return;
        }
        if (!lint_points_are_nfc(points, count)) {
            lint_found(r, label, "'%.*s' decodes to text that is not in NFC", LT_FMT(label));
        }
    }
}

#define ROW(level_) .source = LINT_RFC5280, .level = (level_), .kinds = LINT_CERTIFICATE, .zlint = true
#define SAN ROW(LINT_ERROR), .citation = "RFC 5280 4.2.1.6", .when = LINT_HAS_SAN, .data = &san
#define IAN ROW(LINT_ERROR), .citation = "RFC 5280 4.2.1.7", .when = LINT_HAS_IAN, .data = &ian
#define DNS(level_)                                                                                \
    ROW(level_), .citation = "RFC 5280 4.2.1.6", .when = LINT_IS_SUBSCRIBER, .applies = has_names, \
                 .effective = LINT_SINCE_RFC5280

static const struct lint_rule rows[] = {
    {"e_ext_san_dns_not_ia5_string", SAN, .asks = "dNSNames of the subject are ASCII",
     .effective = LINT_SINCE_RFC2459, .check = dns_is_ascii},
    {"e_ext_ian_dns_not_ia5_string", IAN, .asks = "dNSNames of the issuer are ASCII",
     .effective = LINT_SINCE_RFC2459, .check = dns_is_ascii},
    {"e_ext_san_empty_name", SAN, .asks = "no name of the subject is empty", .effective = LINT_SINCE_RFC2459,
     .check = no_empty_name},
    {"e_ext_ian_empty_name", IAN, .asks = "no name of the issuer is empty", .effective = LINT_SINCE_RFC2459,
     .check = no_empty_name},
    {"e_ext_san_no_entries", SAN, .asks = "subjectAltName has a name in it", .effective = LINT_SINCE_RFC2459,
     .check = has_entries},
    {"e_ext_ian_no_entries", IAN, .asks = "issuerAltName has a name in it", .effective = LINT_SINCE_RFC2459,
     .check = has_entries},
    {"e_ext_san_rfc822_format_invalid", SAN, .asks = "mail addresses of the subject are bare",
     .effective = LINT_SINCE_RFC2459, .check = email_form},
    {"e_ext_ian_rfc822_format_invalid", IAN, .asks = "mail addresses of the issuer are bare",
     .effective = LINT_SINCE_RFC2459, .check = email_form},
    {"e_ext_san_space_dns_name", SAN, .asks = "no dNSName of the subject is a single space",
     .effective = LINT_SINCE_RFC2459, .check = dns_not_space},
    {"e_ext_ian_space_dns_name", IAN, .asks = "no dNSName of the issuer is a single space",
     .effective = LINT_SINCE_RFC2459, .check = dns_not_space},
    {"e_ext_san_uri_format_invalid", SAN, .asks = "URIs of the subject have a scheme and more",
     .effective = LINT_SINCE_RFC5280, .check = uri_form},
    {"e_ext_ian_uri_format_invalid", IAN, .asks = "URIs of the issuer have a scheme and more",
     .effective = LINT_SINCE_RFC5280, .check = uri_form},
    {"e_ext_san_uri_host_not_fqdn_or_ip", SAN,
     .asks = "the host in a URI of the subject is a domain name or an address",
     .effective = LINT_SINCE_RFC5280, .check = san_uri_host},
    {"e_ext_ian_uri_host_not_fqdn_or_ip", IAN,
     .asks = "the host in a URI of the issuer is a domain name or an address",
     .effective = LINT_SINCE_RFC5280, .check = ian_uri_host},
    {"e_ext_san_uri_not_ia5", SAN, .asks = "URIs of the subject are ASCII", .effective = LINT_SINCE_RFC5280,
     .check = uri_is_ascii},
    {"e_ext_ian_uri_not_ia5", IAN, .asks = "URIs of the issuer are ASCII", .effective = LINT_SINCE_RFC5280,
     .check = uri_is_ascii},
    {"e_ext_san_uri_relative", SAN, .asks = "URIs of the subject are absolute",
     .effective = LINT_SINCE_RFC5280, .check = uri_absolute},
    {"e_ext_ian_uri_relative", IAN, .asks = "URIs of the issuer are absolute",
     .effective = LINT_SINCE_RFC5280, .check = uri_absolute},
    {"e_ext_san_dns_name_too_long", ROW(LINT_ERROR), .asks = "a dNSName has at most 253 bytes",
     .citation = "RFC 5280 4.2.1.6", .when = LINT_HAS_SAN, .applies = has_dns_form,
     .effective = LINT_SINCE_RFC5280, .data = &san, .check = dns_length},
    {"e_ext_san_not_critical_without_subject", SAN,
     .asks = "subjectAltName is critical where there is no subject", .effective = LINT_SINCE_RFC2459,
     .check = critical_without_subject},
    {"e_rfc_dnsname_empty_label", DNS(LINT_ERROR), .asks = "dNSNames have no empty labels",
     .check = no_empty_label},
    {"e_rfc_dnsname_label_too_long", DNS(LINT_ERROR), .asks = "labels have at most 63 bytes",
     .check = label_length},
    {"e_rfc_dnsname_hyphen_in_sld", DNS(LINT_ERROR),
     .asks = "the label before a public suffix neither begins nor ends with a hyphen", .check = sld_hyphens},
    {"e_rfc_dnsname_underscore_in_sld", DNS(LINT_ERROR),
     .asks = "the label before a public suffix has no underscore", .check = sld_underscores},
    {"w_rfc_dnsname_underscore_in_trd", DNS(LINT_WARN), .asks = "dNSNames should have no underscores",
     .check = trd_underscores},
    {"e_international_dns_name_not_unicode", ROW(LINT_ERROR), .asks = "a-labels decode",
     .citation = "RFC 3490 4", .when = LINT_HAS_SAN, .effective = LINT_DAY(2003, 3, 1), .check = decodes},
    {"e_international_dns_name_not_nfc", .source = LINT_RFC5891, .level = LINT_ERROR,
     .kinds = LINT_CERTIFICATE, .zlint = true, .asks = "a-labels decode to Unicode Normalization Form C",
     .citation = "RFC 5891 5.3", .when = LINT_HAS_SAN, .effective = LINT_DAY(2018, 5, 1),
     .check = decodes_to_nfc},
};
const struct lint_table lint_rfc5280_altnames = LINT_TABLE(rows);
