/* CA/Browser Forum TLS Baseline Requirements as zlint judges them: which attributes the subject has, by the
 * type of validation, in which order and encoding. */
#include "lint/rules.h"
#include "lint/rules/common.h"
#include "lint/rules/text.h"

static bool has_text(const struct lint_subject *s, enum x509_oid oid)
{
    for (size_t i = 0; i < s->cert->subject.count; i++) {
        const struct x509_attribute *a = &s->cert->subject.attributes[i];
        if (a->oid == oid && lint_is_text(a)) {
            return true;
        }
    }
    return false;
}

/* Up to two types, of which one must stand there. */
struct attributes {
    enum x509_oid oid[2];
};

static bool has_one(const struct lint_subject *s, const struct attributes *list)
{
    for (size_t i = 0; i < LT_COUNT(list->oid); i++) {
        if (list->oid[i] != X509_OID_UNKNOWN && lint_has_attribute(&s->cert->subject, list->oid[i])) {
            return true;
        }
    }
    return false;
}

static void absent(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_attribute *a = x509_name_find(&s->cert->subject, (enum x509_oid)r->rule->value, 0);
    if (a != NULL) {
        lint_found(r, a->value, "%s '%.*s' stands in the subject", x509_oid_name(a->oid), LT_FMT(a->value));
    }
}

static void present(const struct lint_subject *s, struct lint_report *r)
{
    const struct attributes *list = r->rule->data;
    if (has_one(s, list)) {
        return;
    }
    if (list->oid[1] == X509_OID_UNKNOWN) {
        lint_found(r, s->cert->subject.der, "%s is missing", x509_oid_name(list->oid[0]));
    } else {
        lint_found(r, s->cert->subject.der, "neither %s nor %s is there", x509_oid_name(list->oid[0]),
                   x509_oid_name(list->oid[1]));
    }
}

static void dv_subject(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->cert->subject.count; i++) {
        const struct x509_attribute *a = &s->cert->subject.attributes[i];
        if (a->oid != X509_OID_CN && a->oid != X509_OID_C) {
            lint_found(r, a->value, "%s in a domain validated certificate", x509_oid_name(a->oid));
        }
    }
}

static void personal_name(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_name *n = &s->cert->subject;
    bool person = lint_has_attribute(n, X509_OID_GIVEN_NAME) && lint_has_attribute(n, X509_OID_SURNAME);
    bool instead = r->rule->value != 0 && lint_has_attribute(n, (enum x509_oid)r->rule->value);
    if (!person && !instead) {
        lint_found(r, n->der, "givenName and surname do not both stand in it");
    }
}

static bool is_someone(const struct lint_subject *s)
{
    return has_text(s, X509_OID_O) || has_text(s, X509_OID_GIVEN_NAME) || has_text(s, X509_OID_SURNAME);
}

/* Who is named has a place as well. */
static void place_of_someone(const struct lint_subject *s, struct lint_report *r)
{
    const struct attributes *list = r->rule->data;
    for (size_t i = 0; i < LT_COUNT(list->oid); i++) {
        if (list->oid[i] != X509_OID_UNKNOWN && has_text(s, list->oid[i])) {
            return;
        }
    }
    if (is_someone(s)) {
        lint_found(r, s->cert->subject.der, "it names someone, but %s is missing",
                   x509_oid_name(list->oid[0]));
    }
}

static void place_of_nobody(const struct lint_subject *s, struct lint_report *r)
{
    enum x509_oid oid = (enum x509_oid)r->rule->value;
    if (has_text(s, oid) && !is_someone(s)) {
        const struct x509_attribute *a = x509_name_find(&s->cert->subject, oid, 0);
        lint_found(r, a->value, "%s '%.*s' without organization or person", x509_oid_name(oid),
                   LT_FMT(a->value));
    }
}

static bool has_person(const struct lint_subject *s)
{
    return has_text(s, X509_OID_GIVEN_NAME) || has_text(s, X509_OID_SURNAME);
}

static void person_needs_policy(const struct lint_subject *s, struct lint_report *r)
{
    if (!lint_is(s, LINT_IS_IV)) {
        lint_found(r, lint_ext_at(s, X509_OID_CERTIFICATE_POLICIES),
                   "a person is named, but policy 2.23.140.1.2.3 is missing");
    }
}

static bool has_unit(const struct lint_subject *s)
{
    return lint_has_attribute(&s->cert->subject, X509_OID_OU);
}

static bool has_organization(const struct lint_subject *s)
{
    return lint_has_attribute(&s->cert->subject, X509_OID_O);
}

static void unit_needs_organization(const struct lint_subject *s, struct lint_report *r)
{
    if (!has_organization(s)) {
        lint_found(r, s->cert->subject.der, "organizationalUnitName without organizationName");
    }
}

static void unit(const struct lint_subject *s, struct lint_report *r)
{
    if (has_text(s, X509_OID_OU)) {
        absent(s, r);
    }
}

static bool single(enum x509_oid oid)
{
    static const enum x509_oid list[] = {
        X509_OID_JURISDICTION_L,
        X509_OID_JURISDICTION_ST,
        X509_OID_JURISDICTION_C,
        X509_OID_CN,
        X509_OID_SURNAME,
        X509_OID_SERIAL_NUMBER,
        X509_OID_C,
        X509_OID_L,
        X509_OID_ST,
        X509_OID_O,
        X509_OID_BUSINESS_CATEGORY,
        X509_OID_GIVEN_NAME,
        X509_OID_ORGANIZATION_IDENTIFIER,
    };
    for (size_t i = 0; i < LT_COUNT(list); i++) {
        if (list[i] == oid) {
            return true;
        }
    }
    return false;
}

static void twice(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_name *n = &s->cert->subject;
    for (size_t i = 1; i < n->count; i++) {
        const struct x509_attribute *first = x509_name_find(n, n->attributes[i].oid, 0);
        if (first != &n->attributes[i] && single(n->attributes[i].oid)) {
            lint_found(r, n->attributes[i].value, "%s stands there before",
                       x509_oid_name(n->attributes[i].oid));
        }
    }
}

/* Place in the order of BR 7.1.4.2, 0 for what has none. */
static unsigned place(enum x509_oid oid)
{
    static const enum x509_oid order[] = {
        X509_OID_DC,          X509_OID_C,      X509_OID_ST, X509_OID_L,
        X509_OID_POSTAL_CODE, X509_OID_STREET, X509_OID_O,  X509_OID_SURNAME,
        X509_OID_GIVEN_NAME,  X509_OID_OU,     X509_OID_CN,
    };
    for (unsigned i = 0; i < LT_COUNT(order); i++) {
        if (order[i] == oid) {
            return i + 1;
        }
    }
    return 0;
}

static void rdn_order(const struct lint_subject *s, struct lint_report *r)
{
    unsigned last = 0;
    for (size_t i = 0; i < s->cert->subject.count; i++) {
        const struct x509_attribute *a = &s->cert->subject.attributes[i];
        unsigned here = place(a->oid);
        if (here != 0 && here < last) {
            lint_found(r, a->value, "%s stands behind an attribute that it should precede",
                       x509_oid_name(a->oid));
            return;
        }
        last = here != 0 ? here : last;
    }
}

enum { PRINTABLE = 1, UTF8 = 2, IA5 = 4 };

static const struct {
    enum x509_oid oid;
    unsigned types;
} encodings[] = {
    {X509_OID_DC, IA5},
    {X509_OID_C, PRINTABLE},
    {X509_OID_ST, PRINTABLE | UTF8},
    {X509_OID_L, PRINTABLE | UTF8},
    {X509_OID_POSTAL_CODE, PRINTABLE | UTF8},
    {X509_OID_STREET, PRINTABLE | UTF8},
    {X509_OID_O, PRINTABLE | UTF8},
    {X509_OID_SURNAME, PRINTABLE | UTF8},
    {X509_OID_GIVEN_NAME, PRINTABLE | UTF8},
    {X509_OID_OU, PRINTABLE | UTF8},
    {X509_OID_CN, PRINTABLE | UTF8},
    {X509_OID_BUSINESS_CATEGORY, PRINTABLE | UTF8},
    {X509_OID_JURISDICTION_C, PRINTABLE},
    {X509_OID_JURISDICTION_ST, PRINTABLE | UTF8},
    {X509_OID_JURISDICTION_L, PRINTABLE | UTF8},
    {X509_OID_SERIAL_NUMBER, PRINTABLE},
    {X509_OID_ORGANIZATION_IDENTIFIER, PRINTABLE | UTF8},
};

static unsigned type_bit(uint32_t tag)
{
    return tag == DER_PRINTABLE_STRING ? PRINTABLE
           : tag == DER_UTF8_STRING    ? UTF8
           : tag == DER_IA5_STRING     ? IA5
                                       : 0;
}

static void encoding(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->cert->subject.count; i++) {
        const struct x509_attribute *a = &s->cert->subject.attributes[i];
        for (size_t k = 0; k < LT_COUNT(encodings); k++) {
            if (encodings[k].oid == a->oid && (encodings[k].types & type_bit(a->string_type)) == 0) {
                lint_found(r, a->value, "%s is a string of type %u", x509_oid_name(a->oid),
                           (unsigned)DER_TAG_NUMBER(a->string_type));
            }
        }
    }
}

/* A letter, a digit or something beyond ASCII. */
static bool says_something(const struct x509_attribute *a)
{
    size_t width = a->string_type == DER_BMP_STRING ? 2 : 1;
    for (size_t i = 0; i + width <= a->value.len; i += width) {
        uint8_t high = width == 2 ? a->value.ptr[i] : 0;
        uint8_t c = a->value.ptr[i + width - 1];
        bool word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c > 127;
        if (high != 0 || word) {
            return true;
        }
    }
    return false;
}

static void metadata(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->cert->subject.count; i++) {
        const struct x509_attribute *a = &s->cert->subject.attributes[i];
        if (lint_is_text(a) && !says_something(a)) {
            lint_found(r, a->value, "%s '%.*s' says nothing", x509_oid_name(a->oid), LT_FMT(a->value));
        }
    }
}

/* The first two characters, of a BMPString, too; empty when there are more. */
static lt_slice country_text(const struct x509_attribute *a, uint8_t room[2])
{
    if (a->string_type != DER_BMP_STRING) {
        return a->value;
    }
    struct lint_text t = lint_text_of(a);
    uint32_t p = 0;
    size_t len = 0;
    while (lint_text_next(&t, &p)) {
        if (len == 2 || p > 0x7f) {
            return LT_SLICE(NULL, 0);
        }
        room[len++] = (uint8_t)p;
    }
    return LT_SLICE(room, len);
}

static void country(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->cert->subject.count; i++) {
        const struct x509_attribute *a = &s->cert->subject.attributes[i];
        uint8_t room[2];
        if (a->oid == X509_OID_C && lint_is_text(a) && !lint_country_loose(country_text(a, room))) {
            lint_found(r, a->value, "'%.*s' is no country code", LT_FMT(a->value));
        }
    }
}

static bool own_ca(const struct lint_subject *s)
{
    return !s->config->cross_signed_ca;
}

static bool own_ca_with_country(const struct lint_subject *s)
{
    return own_ca(s) && has_text(s, X509_OID_C);
}

/* The common name counts by its last value, others by their first. */
static void ca_attribute(const struct lint_subject *s, struct lint_report *r)
{
    enum x509_oid oid = (enum x509_oid)r->rule->value;
    lt_slice value = lint_last_attribute(&s->cert->subject, oid);
    if (oid != X509_OID_CN && value.len > 0) {
        value = x509_name_find(&s->cert->subject, oid, 0)->value;
    }
    if (value.len == 0 || !has_text(s, oid)) {
        lint_found(r, s->cert->subject.der, "%s is missing or empty", x509_oid_name(oid));
    }
}

#define BR(level_, ...)                                                                  \
    .source = LINT_CABF_BR, .level = (level_), .kinds = LINT_CERTIFICATE, .zlint = true, \
    .effective = LINT_DAY(__VA_ARGS__)
#define ANY_OF(...)                    \
    .data = &(const struct attributes) \
    {                                  \
        {                              \
            __VA_ARGS__                \
        }                              \
    }
#define DV_WITHOUT(oid_)                                                                                    \
    BR(LINT_ERROR, 2012, 7, 1), .retired = LINT_DAY(2023, 9, 15), .when = LINT_IS_DV, .unless = LINT_IS_CA, \
                                .check = absent, .value = (oid_), .citation = "BR 7.1.2.7.2",               \
                                .formerly = "BR 7.1.6.4",                                                   \
                                .asks = "a domain validated certificate names no organization and no place"
#define NEEDS(when_, unless_, ...) .when = (when_), .unless = (unless_), .check = present, ANY_OF(__VA_ARGS__)
#define OF_SUBSCRIBER BR(LINT_ERROR, 2016, 9, 7), .when = LINT_IS_SUBSCRIBER
#define PLACE(...)                                                                             \
    OF_SUBSCRIBER, .check = place_of_someone, ANY_OF(__VA_ARGS__), .citation = "BR 7.1.2.7.4", \
                   .formerly = "BR 7.1.4.2.2"
#define NO_PLACE(oid_)                                                                    \
    OF_SUBSCRIBER, .check = place_of_nobody, .value = (oid_), .citation = "BR 7.1.2.7.2", \
                   .formerly = "BR 7.1.4.2.2",                                            \
                   .asks = "a subject without organization and person has no place either"
#define OF_CA .when = LINT_IS_CA, .citation = "BR 7.1.2.10.2", .formerly = "BR 7.1.4.3.1"

static const struct lint_rule rows[] = {
    {"e_cab_dv_conflicts_with_locality", DV_WITHOUT(X509_OID_L)},
    {"e_cab_dv_conflicts_with_org", DV_WITHOUT(X509_OID_O)},
    {"e_cab_dv_conflicts_with_postal", DV_WITHOUT(X509_OID_POSTAL_CODE)},
    {"e_cab_dv_conflicts_with_province", DV_WITHOUT(X509_OID_ST)},
    {"e_cab_dv_conflicts_with_street", DV_WITHOUT(X509_OID_STREET)},
    {"e_cab_dv_subject_invalid_values", BR(LINT_ERROR, 2023, 9, 15), .when = LINT_IS_DV | LINT_IS_SUBSCRIBER,
     .asks = "the subject of a domain validated certificate has countryName and commonName at most",
     .citation = "BR 7.1.2.7.2", .check = dv_subject},
    {"e_cab_iv_requires_personal_name", BR(LINT_ERROR, 2015, 9, 28), .retired = LINT_DAY(2023, 9, 15),
     .when = LINT_IS_IV, .unless = LINT_IS_CA, .check = personal_name, .value = X509_OID_O,
     .asks = "an individually validated certificate names a person or an organization",
     .citation = "BR 7.1.2.7.3", .formerly = "BR 7.1.6.4"},
    {"e_cab_iv_requires_personal_name_strict", BR(LINT_ERROR, 2023, 9, 15), .when = LINT_IS_IV,
     .unless = LINT_IS_CA, .check = personal_name, .citation = "BR 7.1.2.7.3",
     .asks = "an individually validated certificate has givenName and surname"},
    {"e_cab_ov_requires_org", BR(LINT_ERROR, 2012, 7, 1), NEEDS(LINT_IS_OV, LINT_IS_CA, X509_OID_O),
     .asks = "an organization validated certificate names the organization", .citation = "BR 7.1.2.7.4",
     .formerly = "BR 7.1.6.4"},
    {"e_cert_policy_iv_requires_country", BR(LINT_ERROR, 2015, 9, 28),
     NEEDS(LINT_IS_IV, LINT_IS_CA, X509_OID_C), .asks = "an individually validated certificate has a country",
     .citation = "BR 7.1.2.7.3", .formerly = "BR 7.1.6.4"},
    {"e_cert_policy_iv_requires_province_or_locality", BR(LINT_ERROR, 2015, 9, 28),
     NEEDS(LINT_IS_IV | LINT_IS_SUBSCRIBER, 0, X509_OID_L, X509_OID_ST),
     .asks = "an individually validated certificate has a locality or a state", .citation = "BR 7.1.2.7.3",
     .formerly = "BR 7.1.6.4"},
    {"e_cert_policy_ov_requires_country", BR(LINT_ERROR, 2012, 7, 1),
     NEEDS(LINT_IS_OV, LINT_IS_CA, X509_OID_C), .asks = "an organization validated certificate has a country",
     .citation = "BR 7.1.2.7.4", .formerly = "BR 7.1.6.4"},
    {"e_cert_policy_ov_requires_province_or_locality", BR(LINT_ERROR, 2012, 7, 1),
     NEEDS(LINT_IS_OV | LINT_IS_SUBSCRIBER, 0, X509_OID_L, X509_OID_ST),
     .asks = "an organization validated certificate has a locality or a state", .citation = "BR 7.1.2.7.4",
     .formerly = "BR 7.1.6.4"},
    {"e_sub_cert_country_name_must_appear", PLACE(X509_OID_C), .asks = "who is named has a country"},
    {"e_sub_cert_locality_name_must_appear", PLACE(X509_OID_L, X509_OID_ST),
     .asks = "who is named has a locality when there is no state"},
    {"e_sub_cert_province_must_appear", PLACE(X509_OID_ST, X509_OID_L),
     .asks = "who is named has a state when there is no locality"},
    {"e_sub_cert_locality_name_must_not_appear", NO_PLACE(X509_OID_L)},
    {"e_sub_cert_province_must_not_appear", NO_PLACE(X509_OID_ST)},
    {"e_sub_cert_postal_code_must_not_appear", NO_PLACE(X509_OID_POSTAL_CODE)},
    {"e_sub_cert_street_address_should_not_exist", NO_PLACE(X509_OID_STREET)},
    {"e_sub_cert_given_name_surname_contains_correct_policy", OF_SUBSCRIBER, .applies = has_person,
     .asks = "who names a person has the policy of individual validation", .citation = "BR 7.1.2.7.3",
     .formerly = "BR 7.1.4.2.2", .check = person_needs_policy},
    {"e_duplicate_subject_attribs", BR(LINT_ERROR, 2023, 9, 15),
     .asks = "no type of attribute stands twice in a name", .citation = "BR 7.1.4.1", .check = twice},
    {"e_invalid_subject_rdn_order", BR(LINT_ERROR, 2023, 9, 15), .when = LINT_IS_SUBSCRIBER,
     .asks = "attributes stand in the order that the tables of the BR have", .citation = "BR 7.1.4.2",
     .check = rdn_order},
    {"e_organizational_unit_name_prohibited", BR(LINT_ERROR, 2022, 9, 1), .unless = LINT_IS_CA,
     .asks = "no organizationalUnitName in a subscriber certificate", .citation = "BR 7.1.2.7.4",
     .formerly = "BR 7.1.4.2.2-i", .check = unit, .value = X509_OID_OU},
    {"e_subject_contains_organizational_unit_name_and_no_organization_name", BR(LINT_ERROR, 2021, 8, 16),
     .applies = has_unit, .asks = "a unit belongs to an organization", .citation = "BR 7.1.2.7.4",
     .formerly = "BR 7.1.4.2.2", .check = unit_needs_organization},
    {"e_subject_contains_noninformational_value", BR(LINT_ERROR, 2012, 7, 1),
     .asks = "an attribute says something", .citation = "BR 7.1.2.7.2", .formerly = "BR 7.1.4.2.2",
     .check = metadata},
    {"e_subject_country_not_iso", BR(LINT_ERROR, 2012, 7, 1),
     .asks = "a country is a code of ISO 3166-1 or XX", .citation = "BR 7.1.4.2", .formerly = "BR 7.1.4.2.2",
     .check = country},
    {"e_subject_rdns_correct_encoding", BR(LINT_ERROR, 2023, 9, 15),
     .asks = "attributes have the types of strings that the tables of the BR have", .citation = "BR 7.1.4.2",
     .check = encoding},
    {"e_ca_common_name_missing", BR(LINT_ERROR, 2017, 6, 8), OF_CA, .applies = own_ca,
     .asks = "a CA has a common name", .check = ca_attribute, .value = X509_OID_CN},
    {"e_ca_country_name_invalid", BR(LINT_ERROR, 2012, 7, 1), OF_CA, .applies = own_ca_with_country,
     .asks = "the country of a CA is a code of ISO 3166-1", .check = country},
    {"e_ca_country_name_missing", BR(LINT_ERROR, 2012, 7, 1), OF_CA, .applies = own_ca,
     .asks = "a CA has a country", .check = ca_attribute, .value = X509_OID_C},
    {"e_ca_organization_name_missing", BR(LINT_ERROR, 2012, 7, 1), OF_CA, .applies = own_ca,
     .asks = "a CA has an organization", .check = ca_attribute, .value = X509_OID_O},
};
const struct lint_table lint_cabf_br_subject = LINT_TABLE(rows);
