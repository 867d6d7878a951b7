/* Lintel's own rules for the TLS Baseline Requirements: what stands in the subject, where zlint has no rule
 * or a weaker one. */
#include "lint/rules.h"
#include "lint/rules/common.h"
#include "lint/rules/text.h"

/*= CABF-BR 7.1.4.1 "Each RelativeDistinguishedName MUST contain exactly one AttributeTypeAndValue." */
static void one_in_rdn(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_name *n = &s->cert->subject;
    for (size_t i = 1; i < n->count; i++) {
        if (n->attributes[i].rdn == n->attributes[i - 1].rdn) {
            lint_found(r, n->attributes[i].value, "%s shares its RDN with %s",
                       x509_oid_name(n->attributes[i].oid), x509_oid_name(n->attributes[i - 1].oid));
        }
    }
}

/*= CABF-BR 7.1.4.1 "Each Name MUST NOT contain more than one instance of a given AttributeTypeAndValue across
 * all RelativeDistinguishedNames unless explicitly allowed in these Requirements." */
/* Allowed: domainComponent and streetAddress. */
static void twice(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_name *n = &s->cert->subject;
    for (size_t i = 1; i < n->count; i++) {
        const struct x509_attribute *a = &n->attributes[i];
        bool seen = a->oid == X509_OID_DC || a->oid == X509_OID_STREET;
        for (size_t k = 0; k < i && !seen; k++) {
            if (lt_slice_eq(n->attributes[k].type, a->type)) {
                lint_found(r, a->value, "%s stands there before", lint_oid_label(s, a->type, a->oid));
                seen = true;
            }
        }
    }
}

static const struct {
    enum x509_oid oid;
    size_t chars;
} lengths[] = {
    {X509_OID_DC, 63},
    {X509_OID_C, 2},
    {X509_OID_ST, 128},
    {X509_OID_L, 128},
    {X509_OID_POSTAL_CODE, 40},
    {X509_OID_STREET, 128},
    {X509_OID_O, 64},
    {X509_OID_SURNAME, 64},
    {X509_OID_GIVEN_NAME, 64},
    {X509_OID_OU, 64},
    {X509_OID_CN, 64},
    {X509_OID_BUSINESS_CATEGORY, 128},
    {X509_OID_JURISDICTION_C, 2},
    {X509_OID_JURISDICTION_ST, 128},
    {X509_OID_JURISDICTION_L, 128},
    {X509_OID_SERIAL_NUMBER, 64},
};

static void length(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->cert->subject.count; i++) {
        const struct x509_attribute *a = &s->cert->subject.attributes[i];
        for (size_t k = 0; k < LT_COUNT(lengths); k++) {
            if (a->oid != lengths[k].oid || a->value.len <= lengths[k].chars) {
                continue;
            }
            size_t chars = lint_text_count(lint_text_of(a));
            if (chars > lengths[k].chars) {
                lint_found(r, a->value, "%s has %zu characters, at most %zu", x509_oid_name(a->oid), chars,
                           lengths[k].chars);
            }
        }
    }
}

/* Words for nothing. Some are names of people, companies and places, too. */
static const struct {
    lt_slice text;
    bool name; /* somebody may be called so */
} words[] = {
    {LT_LIT("n/a"), false},
    {LT_LIT("n.a."), false},
    {LT_LIT("n.a"), false},
    {LT_LIT("not applicable"), false},
    {LT_LIT("not available"), false},
    {LT_LIT("not provided"), false},
    {LT_LIT("not specified"), false},
    {LT_LIT("none"), true},
    {LT_LIT("null"), true},
    {LT_LIT("nil"), true},
    {LT_LIT("unknown"), true},
    {LT_LIT("undefined"), false},
    {LT_LIT("unspecified"), false},
    {LT_LIT("absent"), true},
    {LT_LIT("(none)"), false},
    {LT_LIT("(null)"), false},
    {LT_LIT("<none>"), false},
    {LT_LIT("<empty>"), false},
    {LT_LIT("empty"), true},
    {LT_LIT("to be determined"), false},
    {LT_LIT("no state"), false},
    {LT_LIT("no locality"), false},
    {LT_LIT("no province"), false},
    {LT_LIT("tba"), true},
    {LT_LIT("tbd"), true},
};

static lt_slice trimmed(lt_slice s)
{
    while (s.len > 0 && s.ptr[0] == ' ') {
        s = lt_slice_sub(s, 1, s.len);
    }
    while (s.len > 0 && s.ptr[s.len - 1] == ' ') {
        s = lt_slice_sub(s, 0, s.len - 1);
    }
    return s;
}

/* None is a town in Italy. */
static bool is_town(const struct lint_subject *s, const struct x509_attribute *a)
{
    const struct x509_attribute *c = x509_name_find(&s->cert->subject, X509_OID_C, 0);
    return a->oid == X509_OID_L && c != NULL && lt_slice_eq(c->value, LT_LIT("IT"));
}

/*= CABF-BR 7.1.2.7.4 "subject Attributes MUST NOT contain only metadata such as '.', '-', and ' ' (i.e.
 * space) characters, and/or any other indication that the value is absent, incomplete, or not applicable." */
static void placeholder(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->cert->subject.count; i++) {
        const struct x509_attribute *a = &s->cert->subject.attributes[i];
        lt_slice value = trimmed(a->value);
        bool somebody = a->oid == X509_OID_SURNAME || a->oid == X509_OID_GIVEN_NAME || a->oid == X509_OID_O;
        for (size_t k = 0; k < LT_COUNT(words) && value.len <= 16; k++) {
            bool same = value.len == words[k].text.len && lt_slice_eq_nocase(value, words[k].text);
            if (same && !(words[k].name && (somebody || is_town(s, a)))) {
                lint_found(r, a->value, "%s '%.*s'", x509_oid_name(a->oid), LT_FMT(a->value));
            }
        }
    }
}

/*= CABF-BR 7.1.2.7.4 "The two-letter ISO 3166-1 country code for the country associated with the Subject." */
static void country(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->cert->subject.count; i++) {
        const struct x509_attribute *a = &s->cert->subject.attributes[i];
        if (a->oid == X509_OID_C && !lint_country(a->value) && !lt_slice_eq(a->value, LT_LIT("XX"))) {
            lint_found(r, a->value, "'%.*s' is no assigned country code", LT_FMT(a->value));
        }
    }
}

static bool is_ldh_label(lt_slice label)
{
    for (size_t i = 0; i < label.len; i++) {
        uint8_t c = label.ptr[i];
        uint8_t l = c | 0x20;
        bool edge = i == 0 || i + 1 == label.len;
        if (!((l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || (c == '-' && !edge))) {
            return false;
        }
    }
    return label.len > 0;
}

static bool has_components(const struct lint_subject *s)
{
    return lint_has_attribute(&s->cert->subject, X509_OID_DC);
}

/*= CABF-BR 7.1.2.7.4 "The domainComponent fields for the Domain Name MUST be in a single ordered sequence
 * containing all Domain Labels from the Domain Name." */
/*= CABF-BR 7.1.2.7.4 "so that the Domain Label closest to the root is encoded first" */
static void components(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_name *n = &s->cert->subject;
    const struct x509_attribute *last = NULL;
    size_t count = 0;
    for (size_t i = 0; i < n->count; i++) {
        const struct x509_attribute *a = &n->attributes[i];
        if (a->oid != X509_OID_DC) {
            continue;
        }
        if (!is_ldh_label(a->value)) {
            lint_found(r, a->value, "'%.*s' is no label of a domain name", LT_FMT(a->value));
        }
        if (last == NULL && lint_tld_find(a->value) == NULL) {
            lint_found(r, a->value, "'%.*s' stands first and is no top-level domain", LT_FMT(a->value));
        }
        if (last != NULL && last + 1 != a) {
            lint_found(r, a->value, "'%.*s' stands apart from the others", LT_FMT(a->value));
        }
        last = a;
        count++;
    }
    if (count == 1) {
        lint_found(r, last->value, "'%.*s' alone is no domain name", LT_FMT(last->value));
    }
}

/* What a type of certificate has in its subject, beside what is forbidden and what zlint warns of. */
struct profile {
    enum x509_oid known[10];
};

/*= CABF-BR 7.1.2.7.4 "Any other attribute" "NOT RECOMMENDED" */
static void other_attribute(const struct lint_subject *s, struct lint_report *r)
{
    const struct profile *p = r->rule->data;
    for (size_t i = 0; i < s->cert->subject.count; i++) {
        const struct x509_attribute *a = &s->cert->subject.attributes[i];
        bool known = false;
        for (size_t k = 0; k < LT_COUNT(p->known) && !known; k++) {
            known = a->oid != X509_OID_UNKNOWN && a->oid == p->known[k];
        }
        if (!known) {
            lint_found(r, a->value, "%s in the subject", lint_oid_label(s, a->type, a->oid));
        }
    }
}

#define BR(level_, when_)                                                                      \
    .source = LINT_CABF_BR, .level = (level_), .kinds = LINT_CERTIFICATE, .any_purpose = true, \
    .when = LINT_IS_TLS | LINT_HAS_SUBJECT | (when_), .unless = LINT_IS_OCSP_RESPONDER,        \
    .effective = LINT_DAY(2023, 9, 15)
#define ONLY(...)                                             \
    .check = other_attribute, .data = &(const struct profile) \
    {                                                         \
        {                                                     \
            __VA_ARGS__                                       \
        }                                                     \
    }

static const struct lint_rule rows[] = {
    {"lintel_br_rdn_single", BR(LINT_ERROR, LINT_IS_SUBSCRIBER), .check = one_in_rdn,
     .asks = "each RDN has one attribute", .citation = "BR 7.1.4.1"},
    {"lintel_br_attribute_twice", BR(LINT_ERROR, LINT_IS_SUBSCRIBER), .check = twice,
     .asks = "no type of attribute but domainComponent and streetAddress stands twice in a name",
     .citation = "BR 7.1.4.1"},
    {"lintel_br_attribute_length", BR(LINT_ERROR, LINT_IS_SUBSCRIBER), .check = length,
     .asks = "attributes are no longer than the tables of the BR allow", .citation = "BR 7.1.4.2"},
    {"lintel_br_placeholder", BR(LINT_ERROR, LINT_IS_SUBSCRIBER), .check = placeholder,
     .asks = "an attribute does not say that there is nothing to say",
     .citation = "BR 7.1.2.7.3, 7.1.2.7.4, 7.1.2.7.5", .formerly = "BR 7.1.4.2.2"},
    {"lintel_br_country_code", BR(LINT_ERROR, LINT_IS_SUBSCRIBER), .check = country,
     .asks = "a country is an assigned code of ISO 3166-1 in capitals, or XX",
     .citation = "BR 7.1.2.7.2, 7.1.2.7.3, 7.1.2.7.4", .formerly = "BR 7.1.4.2.2"},
    {"lintel_br_domain_components", BR(LINT_ERROR, LINT_IS_SUBSCRIBER | LINT_IS_OV),
     .applies = has_components, .check = components,
     .asks = "domainComponents spell one domain name from its top-level domain on",
     .citation = "BR 7.1.2.7.4"},
    {"lintel_br_ov_attributes", BR(LINT_WARN, LINT_IS_SUBSCRIBER | LINT_IS_OV),
     ONLY(X509_OID_DC, X509_OID_C, X509_OID_ST, X509_OID_L, X509_OID_O, X509_OID_SURNAME, X509_OID_GIVEN_NAME,
          X509_OID_OU, X509_OID_CN),
     .asks = "the subject of an organization has the attributes of its profile alone",
     .citation = "BR 7.1.2.7.4"},
    {"lintel_br_iv_attributes", BR(LINT_WARN, LINT_IS_SUBSCRIBER | LINT_IS_IV),
     ONLY(X509_OID_C, X509_OID_ST, X509_OID_L, X509_OID_SURNAME, X509_OID_GIVEN_NAME, X509_OID_OU,
          X509_OID_CN),
     .asks = "the subject of an individual has the attributes of its profile alone",
     .citation = "BR 7.1.2.7.3"},
};
const struct lint_table lint_cabf_br_attributes = LINT_TABLE(rows);
