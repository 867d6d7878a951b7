/* What no document forbids, but zlint's community of users takes for a mistake. */
#include "lint/keys.h"
#include "lint/rules/key_alg.h"
#include "lint/rules/text.h"

static const enum x509_oid san = X509_OID_SUBJECT_ALT_NAME;
static const enum x509_oid ian = X509_OID_ISSUER_ALT_NAME;

/* The dNSNames of the extension that .data names. */
typedef bool name_is_wrong(lt_slice name);

static void dns_names(const struct lint_subject *s, struct lint_report *r, name_is_wrong *wrong,
                      const char *what)
{
    struct der_cursor c = lint_names_of(s, *(const enum x509_oid *)r->rule->data);
    unsigned number = 0;
    lt_slice name = {0};
    while (lint_names_next(&c, &number, &name)) {
        if (number == X509_GN_DNS && wrong(name)) {
            lint_found(r, name, "'%.*s' %s", LT_FMT(name), what);
        }
    }
}

static bool ends_in_star(lt_slice n)
{
    return n.len > 0 && n.ptr[n.len - 1] == '*';
}

static bool has_nul(lt_slice n)
{
    return lt_slice_find(n, 0) < n.len;
}

static bool begins_with_dot(lt_slice n)
{
    return n.len > 0 && n.ptr[0] == '.';
}

static bool star_inside(lt_slice n)
{
    lt_slice rest = lt_slice_sub(n, 1, n.len);
    return lt_slice_find(rest, '*') < rest.len;
}

static bool under_three_labels(lt_slice n)
{
    size_t dots = 0;
    for (size_t i = 0; i < n.len; i++) {
        dots += n.ptr[i] == '.' ? 1 : 0;
    }
    return dots < 2;
}

static void wildcard_not_bare(const struct lint_subject *s, struct lint_report *r)
{
    dns_names(s, r, ends_in_star, "ends in a wildcard");
}

static void no_nul(const struct lint_subject *s, struct lint_report *r)
{
    dns_names(s, r, has_nul, "has a NUL in it");
}

static void no_leading_dot(const struct lint_subject *s, struct lint_report *r)
{
    dns_names(s, r, begins_with_dot, "begins with a dot");
}

static void wildcard_first(const struct lint_subject *s, struct lint_report *r)
{
    dns_names(s, r, star_inside, "has a wildcard that is not its first character");
}

static void more_than_suffix(const struct lint_subject *s, struct lint_report *r)
{
    dns_names(s, r, under_three_labels, "has less than three labels");
}

static void not_a_suffix(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->san_names; i++) {
        const struct lint_name *n = &s->names[i];
        if (!n->psl_ok && n->text.len > 0 && n->text.ptr[0] != '.') {
            lint_found(r, n->text, "'%.*s' is a public suffix", LT_FMT(n->text));
        }
    }
}

/* Quadratic up to here; a longer list is looked through with a table. */
enum { FEW_NAMES = 16, TABLE_SIZE = 8192 };

static uint32_t name_hash(lt_slice n)
{
    uint32_t h = 2166136261U;
    for (size_t i = 0; i < n.len; i++) {
        uint8_t b = n.ptr[i];
        h = (h ^ (b >= 'A' && b <= 'Z' ? b + 32U : b)) * 16777619U;
    }
    return h ^ h >> 15;
}

static bool stands_before(const struct lint_subject *s, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (lt_slice_eq_nocase(s->names[i].text, s->names[k].text)) {
            return true;
        }
    }
    return false;
}

static void no_name_twice(const struct lint_subject *s, struct lint_report *r)
{
    uint8_t seen[TABLE_SIZE / 8];
    if (s->san_names > FEW_NAMES) {
        for (size_t i = 0; i < sizeof(seen); i++) {
            seen[i] = 0;
        }
    }
    for (size_t i = 0; i < s->san_names; i++) {
        bool maybe = true;
        if (s->san_names > FEW_NAMES) {
            uint32_t h = name_hash(s->names[i].text) % TABLE_SIZE;
            maybe = (seen[h / 8] >> h % 8 & 1) != 0;
            seen[h / 8] |= (uint8_t)(1u << h % 8);
        }
        if (maybe && stands_before(s, i)) {
            lint_found(r, s->names[i].text, "'%.*s' stands here again", LT_FMT(s->names[i].text));
            return;
        }
    }
}

static bool is_redacted(lt_slice name)
{
    if (lt_slice_starts(name, LT_LIT("*."))) {
        name = lt_slice_sub(name, 2, name.len);
    }
    return lt_slice_starts(name, LT_LIT("?."));
}

static void not_redacted(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->name_count; i++) {
        if (is_redacted(s->names[i].text)) {
            lint_found(r, s->names[i].text, "'%.*s' is redacted", LT_FMT(s->names[i].text));
        }
    }
}

/* Attributes that RFC 5280 Appendix A knows, and two that are as common: 2.5.4 and one of these. */
static bool is_common_attribute(const struct x509_attribute *a)
{
    static const uint8_t leaves[] = {3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 17, 41, 42, 43, 44, 46};
    if (a->type.len != 3 || a->type.ptr[0] != 0x55 || a->type.ptr[1] != 4) {
        return false;
    }
    for (size_t i = 0; i < LT_COUNT(leaves); i++) {
        if (leaves[i] == a->type.ptr[2]) {
            return true;
        }
    }
    return false;
}

static bool space_at_end(const struct x509_attribute *a, bool trailing)
{
    struct lint_text t = lint_text_of(a);
    uint32_t point = 0;
    bool first = true;
    while (lint_text_next(&t, &point) && (trailing || first)) {
        first = false;
        if (!trailing) {
            return lint_text_is_space(point);
        }
    }
    return trailing && !first && lint_text_is_space(point);
}

/* .value: of the subject (1) or the issuer (0), leading (0) or trailing (2). */
enum { OF_SUBJECT = 1, TRAILING = 2 };

static void no_outer_space(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_name *n = (r->rule->value & OF_SUBJECT) != 0 ? &s->cert->subject : &s->cert->issuer;
    bool trailing = (r->rule->value & TRAILING) != 0;
    for (size_t i = 0; i < n->count; i++) {
        const struct x509_attribute *a = &n->attributes[i];
        if (is_common_attribute(a) && lint_attribute_is_text(a) && space_at_end(a, trailing)) {
            lint_found(r, a->value, "%s has white space %s", x509_oid_name(a->oid),
                       trailing ? "at its end" : "before it");
        }
    }
}

static void one_per_rdn(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_name *n = (r->rule->value & OF_SUBJECT) != 0 ? &s->cert->subject : &s->cert->issuer;
    for (size_t i = 1; i < n->count; i++) {
        if (n->attributes[i].rdn == n->attributes[i - 1].rdn) {
            lint_found(r, n->attributes[i].value, "%s shares its RDN with %s",
                       x509_oid_name(n->attributes[i].oid), x509_oid_name(n->attributes[i - 1].oid));
        }
    }
}

/* The texts that a person reads: of each kind the first. */
static const enum x509_oid read_by_people[] = {
    X509_OID_GIVEN_NAME,
    X509_OID_SURNAME,
    X509_OID_CN,
    X509_OID_OU,
    X509_OID_O,
    X509_OID_L,
    X509_OID_ST,
    X509_OID_STREET,
    X509_OID_POSTAL_CODE,
    X509_OID_ORGANIZATION_IDENTIFIER,
    X509_OID_JURISDICTION_L,
    X509_OID_JURISDICTION_ST,
};

static bool is_first_of_its_kind(const struct x509_name *n, size_t i)
{
    bool listed = false;
    for (size_t k = 0; k < LT_COUNT(read_by_people); k++) {
        listed = listed || read_by_people[k] == n->attributes[i].oid;
    }
    for (size_t k = 0; listed && k < i; k++) {
        if (n->attributes[k].oid == n->attributes[i].oid && lint_attribute_is_text(&n->attributes[k])) {
            return false;
        }
    }
    return listed && lint_attribute_is_text(&n->attributes[i]);
}

static bool is_alnum(uint32_t p)
{
    return (p >= '0' && p <= '9') || (p >= 'a' && p <= 'z') || (p >= 'A' && p <= 'Z');
}

/* "&", perhaps "#", letters and digits, ";" */
static bool has_entity(const struct x509_attribute *a)
{
    enum { OUTSIDE, AFTER_AND, AFTER_HASH, INSIDE } state = OUTSIDE;
    struct lint_text t = lint_text_of(a);
    uint32_t p = 0;
    while (lint_text_next(&t, &p)) {
        if (p == ';' && state == INSIDE) {
            return true;
        }
        if (p == '&') {
            state = AFTER_AND;
        } else if (p == '#' && state == AFTER_AND) {
            state = AFTER_HASH;
        } else {
            state = is_alnum(p) && state != OUTSIDE ? INSIDE : OUTSIDE;
        }
    }
    return false;
}

/* What follows U+00C3 when UTF-8 of U+00C0 to U+00FF was read as Windows-1252. */
static bool is_second_half(uint32_t p)
{
    static const uint16_t wide[] = {0x20ac, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021, 0x2c6,  0x2030,
                                    0x160,  0x2039, 0x152, 0x17d,  0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
                                    0x2013, 0x2014, 0x2dc, 0x2122, 0x161,  0x203a, 0x153,  0x17e,  0x178};
    for (size_t i = 0; i < LT_COUNT(wide); i++) {
        if (wide[i] == p) {
            return true;
        }
    }
    return p >= 0xa1 && p <= 0xbf && p != 0xad;
}

static bool has_mixup(const struct x509_attribute *a)
{
    struct lint_text t = lint_text_of(a);
    uint32_t before = 0;
    uint32_t p = 0;
    while (lint_text_next(&t, &p)) {
        if (before == 0xc3 && is_second_half(p)) {
            return true;
        }
        before = p;
    }
    return false;
}

typedef bool text_is_wrong(const struct x509_attribute *a);

static void texts(const struct lint_subject *s, struct lint_report *r, text_is_wrong *wrong, const char *what)
{
    const struct x509_name *n = &s->cert->subject;
    for (size_t i = 0; i < n->count; i++) {
        if (is_first_of_its_kind(n, i) && wrong(&n->attributes[i])) {
            lint_found(r, n->attributes[i].value, "%s '%.*s' %s", x509_oid_name(n->attributes[i].oid),
                       LT_FMT(n->attributes[i].value), what);
        }
    }
}

static void no_entities(const struct lint_subject *s, struct lint_report *r)
{
    if (!s->config->html_entities_skip) {
        texts(s, r, has_entity, "has an HTML entity in it");
    }
}

static void no_mixup(const struct lint_subject *s, struct lint_report *r)
{
    texts(s, r, has_mixup, "is UTF-8 that was taken for Latin-1 and encoded again");
}

static void country_in_capitals(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_name *n = &s->cert->subject;
    for (size_t i = 0; i < n->count; i++) {
        const struct x509_attribute *a = &n->attributes[i];
        struct lint_text t = lint_text_of(a);
        uint32_t p = 'A';
        bool capital = t.rest.len > 0;
        while (capital && lint_text_next(&t, &p)) {
            capital = p >= 'A' && p <= 'Z';
        }
        if (a->oid == X509_OID_C && lint_attribute_is_text(a) && !capital) {
            lint_found(r, a->value, "'%.*s' is not of capital letters", LT_FMT(a->value));
        }
    }
}

static void validity_positive(const struct lint_subject *s, struct lint_report *r)
{
    if (s->cert->not_before.us > s->cert->not_after.us) {
        lint_found(r, s->cert->tbs, "notAfter lies %lld s before notBefore",
                   (long long)(lt_time_seconds(s->cert->not_before) - lt_time_seconds(s->cert->not_after)));
    }
}

static bool claims_rsa(const struct lint_subject *s)
{
    return lint_key_alg(&s->cert->spki) == LINT_KEY_ALG_RSA;
}

static void rsa_decodes(const struct lint_subject *s, struct lint_report *r)
{
    if (s->cert->spki.type != X509_KEY_RSA) {
        lint_found(r, s->cert->spki.der, "no RSA key in it");
    }
}

/* RSAPublicKey as it is encoded: the decoder keeps the magnitude alone. */
static void exponent_positive(const struct lint_subject *s, struct lint_report *r)
{
    struct der_cursor c = der_open(s->cert->spki.key);
    struct der_cursor seq = der_enter(&c, DER_SEQUENCE);
    (void)der_read(&seq, DER_INTEGER); /* sticky in the cursor */
    lt_slice e = der_read(&seq, DER_INTEGER);
    if (e.len > 0 && (e.ptr[0] & 0x80) != 0) {
        lint_found(r, e, "the public exponent is negative");
    }
}

static void no_near_factors(const struct lint_subject *s, struct lint_report *r)
{
    if (s->key != NULL && (s->key->flaws & LINT_KEY_FERMAT) != 0) {
        lint_found(r, s->cert->spki.der, "Fermat's method finds its factors in round %u",
                   (unsigned)s->key->fermat_round);
    }
}

#define ROW(level_) .source = LINT_COMMUNITY, .level = (level_), .kinds = LINT_CERTIFICATE, .zlint = true
#define SAN(level_) ROW(level_), .when = LINT_HAS_SAN, .data = &san, .citation = "RFC 5280 4.2.1.6"
#define IAN(level_) ROW(level_), .when = LINT_HAS_IAN, .data = &ian, .citation = "RFC 5280 4.2.1.7"

static const struct lint_rule rows[] = {
    {"e_san_bare_wildcard", SAN(LINT_ERROR), .asks = "something stands behind the subject's wildcards",
     .check = wildcard_not_bare},
    {"e_ian_bare_wildcard", IAN(LINT_ERROR), .asks = "something stands behind the issuer's wildcards",
     .check = wildcard_not_bare},
    {"e_san_dns_name_includes_null_char", SAN(LINT_ERROR), .asks = "the subject's dNSNames have no NUL",
     .check = no_nul},
    {"e_ian_dns_name_includes_null_char", IAN(LINT_ERROR), .asks = "the issuer's dNSNames have no NUL",
     .check = no_nul},
    {"e_san_dns_name_starts_with_period", SAN(LINT_ERROR),
     .asks = "the subject's dNSNames do not begin with a dot", .check = no_leading_dot},
    {"e_ian_dns_name_starts_with_period", IAN(LINT_ERROR),
     .asks = "the issuer's dNSNames do not begin with a dot", .check = no_leading_dot},
    {"e_san_wildcard_not_first", SAN(LINT_ERROR), .asks = "the subject's wildcards stand first",
     .check = wildcard_first},
    {"e_ian_wildcard_not_first", IAN(LINT_ERROR), .asks = "the issuer's wildcards stand first",
     .check = wildcard_first},
    {"n_san_iana_pub_suffix_empty", SAN(LINT_NOTICE), .asks = "the subject's dNSNames are no public suffixes",
     .check = not_a_suffix},
    {"w_ian_iana_pub_suffix_empty", IAN(LINT_WARN), .asks = "the issuer's dNSNames have three labels or more",
     .check = more_than_suffix},
    {"n_san_dns_name_duplicate", SAN(LINT_NOTICE), .asks = "no dNSName stands there twice",
     .check = no_name_twice},
    {"n_contains_redacted_dnsname", ROW(LINT_NOTICE), .asks = "no name is redacted",
     .citation = "draft-strad-trans-redaction-00", .when = LINT_IS_SUBSCRIBER, .check = not_redacted},
    {"w_subject_dn_leading_whitespace", ROW(LINT_WARN), .asks = "the subject has no leading white space",
     .citation = "RFC 5280 4.1.2.6", .check = no_outer_space, .value = OF_SUBJECT},
    {"w_subject_dn_trailing_whitespace", ROW(LINT_WARN), .asks = "the subject has no trailing white space",
     .citation = "RFC 5280 4.1.2.6", .check = no_outer_space, .value = OF_SUBJECT | TRAILING},
    {"w_issuer_dn_leading_whitespace", ROW(LINT_WARN), .asks = "the issuer has no leading white space",
     .citation = "RFC 5280 4.1.2.4", .check = no_outer_space},
    {"w_issuer_dn_trailing_whitespace", ROW(LINT_WARN), .asks = "the issuer has no trailing white space",
     .citation = "RFC 5280 4.1.2.4", .check = no_outer_space, .value = TRAILING},
    {"n_multiple_subject_rdn", ROW(LINT_NOTICE), .asks = "an RDN of the subject has one attribute",
     .citation = "RFC 5280 4.1.2.6", .check = one_per_rdn, .value = OF_SUBJECT},
    {"w_multiple_issuer_rdn", ROW(LINT_WARN), .asks = "an RDN of the issuer has one attribute",
     .citation = "RFC 5280 4.1.2.4", .check = one_per_rdn},
    {"e_subj_contains_html_entities", ROW(LINT_ERROR), .asks = "the subject has no HTML entities",
     .citation = "RFC 5280 4.1.2.6", .check = no_entities},
    {"e_utf8_latin1_mixup", ROW(LINT_ERROR), .asks = "the subject's letters were not encoded twice",
     .citation = "RFC 5280 4.1.2.6", .check = no_mixup},
    {"e_subj_country_not_uppercase", ROW(LINT_ERROR),
     .asks = "the subject's countryName is of capital letters", .citation = "ISO 3166-2 5.1",
     .check = country_in_capitals},
    {"e_validity_time_not_positive", ROW(LINT_ERROR), .asks = "a certificate ends after it begins",
     .citation = "RFC 5280 4.1.2.5", .check = validity_positive},
    {"e_rsa_no_public_key", ROW(LINT_ERROR), .asks = "an RSA key decodes", .citation = "RFC 3279 2.3.1",
     .applies = claims_rsa, .check = rsa_decodes},
    {"e_rsa_exp_negative", ROW(LINT_ERROR), .asks = "the exponent of an RSA key is positive",
     .citation = "RFC 8017 3.1", .applies = claims_rsa, .check = exponent_positive},
    {"e_rsa_fermat_factorization", ROW(LINT_ERROR), .asks = "the factors of an RSA key are far apart",
     .citation = "BR 6.1.1.3", .applies = claims_rsa, .check = no_near_factors},
};
const struct lint_table lint_community = LINT_TABLE(rows);
