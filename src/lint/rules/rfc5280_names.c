/* RFC 5280 4.1.2.4, 4.1.2.6 and Appendix A: issuer and subject. */
#include "lint/rules/rfc.h"
#include "lint/rules/text.h"

static void subject_of_ca(const struct lint_subject *s, struct lint_report *r)
{
    if (s->cert->subject.count == 0) {
        lint_found(r, s->cert->subject.der, "a CA without a name");
    }
}

static void issuer_there(const struct lint_subject *s, struct lint_report *r)
{
    if (s->cert->issuer.count == 0) {
        lint_found(r, s->cert->issuer.der, "an issuer without a name");
    }
}

static void san_without_subject(const struct lint_subject *s, struct lint_report *r)
{
    if (s->cert->subject.count == 0 && !lint_is(s, LINT_HAS_SAN)) {
        lint_found(r, s->cert->subject.der, "neither a subject nor a subjectAltName");
    }
}

/* A subject that decoded is a Name: there is nothing else that it could be. */
static void subject_is_name(const struct lint_subject *s, struct lint_report *r)
{
    (void)s;
    (void)r;
}

static bool is_type(const struct x509_attribute *a, const void *data)
{
    return a->oid == *(const enum x509_oid *)data && lint_attribute_is_text(a);
}

/* Attributes that are no text have no length. */
static void length_bound(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_name *n = &s->cert->subject;
    for (size_t i = 0; i < n->count; i++) {
        const struct x509_attribute *a = &n->attributes[i];
        if (!is_type(a, r->rule->data)) {
            continue;
        }
        size_t count = a->value.len > (size_t)r->rule->value ? lint_text_count(lint_text_of(a)) : 0;
        if (count > (size_t)r->rule->value) {
            lint_found(r, a->value, "%s of %zu characters, at most %lld", x509_oid_name(a->oid), count,
                       (long long)r->rule->value);
        }
    }
}

/* Of several only the last counts, and one that is empty is none. */
static void last_length_bound(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_name *n = &s->cert->subject;
    const struct x509_attribute *last = NULL;
    for (size_t i = 0; i < n->count; i++) {
        last = is_type(&n->attributes[i], r->rule->data) ? &n->attributes[i] : last;
    }
    if (last == NULL || last->value.len == 0) {
        lint_say(r, LINT_NA);
        return;
    }
    size_t count = lint_text_count(lint_text_of(last));
    if (count > (size_t)r->rule->value) {
        lint_found(r, last->value, "%s of %zu characters, at most %lld", x509_oid_name(last->oid), count,
                   (long long)r->rule->value);
    }
}

/* Every attribute of that type is a PrintableString. */
static void must_be_printable(struct lint_report *r, const struct x509_name *n, bool not_empty)
{
    bool any = false;
    for (size_t i = 0; i < n->count; i++) {
        any = any ||
              (is_type(&n->attributes[i], r->rule->data) && (!not_empty || n->attributes[i].value.len > 0));
    }
    if (!any) {
        lint_say(r, LINT_NA);
        return;
    }
    for (size_t i = 0; i < n->count; i++) {
        const struct x509_attribute *a = &n->attributes[i];
        if (a->oid == *(const enum x509_oid *)r->rule->data && a->string_type != DER_PRINTABLE_STRING) {
            lint_found(r, a->value, "%s has the ASN.1 type %u instead of PrintableString",
                       x509_oid_name(a->oid), (unsigned)DER_TAG_NUMBER(a->string_type));
        }
    }
}

static void subject_printable(const struct lint_subject *s, struct lint_report *r)
{
    must_be_printable(r, &s->cert->subject, r->rule->value != 0);
}

static void issuer_printable(const struct lint_subject *s, struct lint_report *r)
{
    must_be_printable(r, &s->cert->issuer, r->rule->value != 0);
}

static void no_controls(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_name *n = &s->cert->subject;
    for (size_t i = 0; i < n->count; i++) {
        struct lint_text t = lint_text_utf8(n->attributes[i].value); /* as zlint: also of a BMPString */
        uint32_t point = 0;
        while (lint_text_next(&t, &point)) {
            if (point < 0x20 || (point >= 0x7f && point <= 0x9f)) {
                lint_found(r, n->attributes[i].value, "the character U+%04X in %s", (unsigned)point,
                           x509_oid_name(n->attributes[i].oid));
                break;
            }
        }
    }
}

static void printable_alphabet(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_name *n = &s->cert->subject;
    for (size_t i = 0; i < n->count; i++) {
        const struct x509_attribute *a = &n->attributes[i];
        if (a->string_type != DER_PRINTABLE_STRING) {
            continue;
        }
        if (a->value.len == 0 || !x509_string_valid(DER_PRINTABLE_STRING, a->value)) {
            lint_found(r, a->value, "%s: '%.*s' is no PrintableString", x509_oid_name(a->oid),
                       LT_FMT(a->value));
        }
    }
}

static bool in_san(const struct lint_subject *s, lt_slice email)
{
    struct der_cursor c = lint_names_of(s, X509_OID_SUBJECT_ALT_NAME);
    unsigned number = 0;
    lt_slice value = {0};
    while (lint_names_next(&c, &number, &value)) {
        if (number == X509_GN_EMAIL && lt_slice_eq(value, email)) {
            return true;
        }
    }
    return false;
}

static void emails_in_san(const struct lint_subject *s, struct lint_report *r)
{
    static const enum x509_oid type = X509_OID_EMAIL_ADDRESS;
    const struct x509_name *n = &s->cert->subject;
    for (size_t i = 0; i < n->count; i++) {
        const struct x509_attribute *a = &n->attributes[i];
        if (!is_type(a, &type)) {
            continue;
        }
        if (!in_san(s, a->value)) {
            lint_found(r, a->value, "'%.*s' is not among the names of the subjectAltName", LT_FMT(a->value));
        }
    }
}

static const enum x509_oid cn = X509_OID_CN;
static const enum x509_oid country = X509_OID_C;
static const enum x509_oid serial = X509_OID_SERIAL_NUMBER;
static const enum x509_oid email = X509_OID_EMAIL_ADDRESS;
static const enum x509_oid given = X509_OID_GIVEN_NAME;
static const enum x509_oid surname = X509_OID_SURNAME;
static const enum x509_oid locality = X509_OID_L;
static const enum x509_oid organization = X509_OID_O;
static const enum x509_oid unit = X509_OID_OU;
static const enum x509_oid postal = X509_OID_POSTAL_CODE;
static const enum x509_oid state = X509_OID_ST;
static const enum x509_oid street = X509_OID_STREET;

/* Whether a row applies is asked before its dates. */
static bool has_text(const struct lint_subject *s, const enum x509_oid *type)
{
    const struct x509_name *n = &s->cert->subject;
    for (size_t i = 0; i < n->count; i++) {
        if (is_type(&n->attributes[i], type)) {
            return true;
        }
    }
    return false;
}
#define HAS(type_)                                        \
    static bool has_##type_(const struct lint_subject *s) \
    {                                                     \
        return has_text(s, &(type_));                     \
    }
HAS(cn)
HAS(email)
HAS(given)
HAS(surname)
HAS(locality)
HAS(organization)
HAS(unit)
HAS(postal)
HAS(state)
HAS(street)

#define ROW(level_) .source = LINT_RFC5280, .level = (level_), .kinds = LINT_CERTIFICATE, .zlint = true
#define BOUND(type_, max_)                                                               \
    .data = &(type_), .value = (max_), .when = LINT_HAS_SUBJECT, .applies = has_##type_, \
    .effective = LINT_SINCE_RFC2459

static const struct lint_rule rows[] = {
    {"e_ca_subject_field_empty", ROW(LINT_ERROR), .asks = "the subject of a CA is not empty",
     .citation = "RFC 5280 4.1.2.6", .when = LINT_IS_CA, .effective = LINT_SINCE_RFC2459,
     .check = subject_of_ca},
    {"e_issuer_field_empty", ROW(LINT_ERROR), .asks = "the issuer is not empty",
     .citation = "RFC 5280 4.1.2.4", .effective = LINT_SINCE_RFC2459, .check = issuer_there},
    {"e_subject_empty_without_san", ROW(LINT_ERROR),
     .asks = "there is a subjectAltName where the subject is empty", .citation = "RFC 5280 4.2.1.6",
     .effective = LINT_SINCE_RFC2459, .check = san_without_subject},
    {"e_subject_not_dn", ROW(LINT_ERROR), .asks = "the subject is a distinguished name",
     .citation = "RFC 5280 4.1.2.6", .effective = LINT_SINCE_RFC2459, .check = subject_is_name},
    {"e_subject_common_name_max_length", ROW(LINT_ERROR), .asks = "commonName has at most 64 characters",
     .citation = "RFC 5280 A.1", BOUND(cn, 64), .check = last_length_bound},
    {"e_subject_dn_serial_number_max_length", ROW(LINT_ERROR),
     .asks = "serialNumber has at most 64 characters", .citation = "RFC 5280 A.1", .when = LINT_HAS_SUBJECT,
     .data = &serial, .value = 64, .check = last_length_bound},
    {"e_subject_email_max_length", ROW(LINT_ERROR), .asks = "emailAddress has at most 255 characters",
     .citation = "RFC 5280 A.1", BOUND(email, 255), .check = length_bound},
    {"e_subject_given_name_max_length", ROW(LINT_ERROR), .asks = "givenName has at most 32768 characters",
     .citation = "RFC 5280 A.1", BOUND(given, 32768), .check = length_bound},
    {"w_subject_given_name_recommended_max_length", ROW(LINT_WARN),
     .asks = "givenName should have at most 64 characters", .citation = "X.411 Annex B", BOUND(given, 64),
     .check = length_bound},
    {"e_subject_surname_max_length", ROW(LINT_ERROR), .asks = "surname has at most 32768 characters",
     .citation = "RFC 5280 A.1", BOUND(surname, 32768), .check = length_bound},
    {"w_subject_surname_recommended_max_length", ROW(LINT_WARN),
     .asks = "surname should have at most 64 characters", .citation = "X.411 Annex B", BOUND(surname, 64),
     .check = length_bound},
    {"e_subject_locality_name_max_length", ROW(LINT_ERROR), .asks = "localityName has at most 128 characters",
     .citation = "RFC 5280 A.1", BOUND(locality, 128), .check = length_bound},
    {"e_subject_organization_name_max_length", ROW(LINT_ERROR),
     .asks = "organizationName has at most 64 characters", .citation = "RFC 5280 A.1",
     BOUND(organization, 64), .check = length_bound},
    {"e_subject_organizational_unit_name_max_length", ROW(LINT_ERROR),
     .asks = "organizationalUnitName has at most 64 characters", .citation = "RFC 5280 A.1", BOUND(unit, 64),
     .check = length_bound},
    {"e_subject_postal_code_max_length", ROW(LINT_ERROR), .asks = "postalCode has at most 16 characters",
     .citation = "RFC 5280 A.1", BOUND(postal, 16), .check = length_bound},
    {"e_subject_state_name_max_length", ROW(LINT_ERROR),
     .asks = "stateOrProvinceName has at most 128 characters", .citation = "RFC 5280 A.1", BOUND(state, 128),
     .check = length_bound},
    {"e_subject_street_address_max_length", ROW(LINT_ERROR),
     .asks = "streetAddress has at most 128 characters", .citation = "X.520 UpperBounds", BOUND(street, 128),
     .check = length_bound},
    {"e_issuer_dn_country_not_printable_string", ROW(LINT_ERROR),
     .asks = "the issuer's countryName is a PrintableString", .citation = "RFC 5280 A.1", .data = &country,
     .check = issuer_printable},
    {"e_subject_dn_country_not_printable_string", ROW(LINT_ERROR),
     .asks = "the subject's countryName is a PrintableString", .citation = "RFC 5280 A.1",
     .when = LINT_HAS_SUBJECT, .data = &country, .check = subject_printable},
    {"e_subject_dn_serial_number_not_printable_string", ROW(LINT_ERROR),
     .asks = "the subject's serialNumber is a PrintableString", .citation = "RFC 5280 A.1",
     .when = LINT_HAS_SUBJECT, .data = &serial, .value = 1, .check = subject_printable},
    {"e_subject_dn_not_printable_characters", ROW(LINT_ERROR),
     .asks = "the subject has no control characters", .citation = "RFC 5280 A.1", .check = no_controls},
    {"e_subject_printable_string_badalpha", ROW(LINT_ERROR),
     .asks = "a PrintableString in the subject keeps to its alphabet", .citation = "RFC 5280 B",
     .effective = LINT_SINCE_RFC2459, .check = printable_alphabet},
    {"e_subj_email_not_in_san", ROW(LINT_ERROR),
     .asks = "the subject's mail addresses stand in the subjectAltName, too", .citation = "RFC 5280 4.1.2.6",
     .when = LINT_HAS_SUBJECT, .applies = has_email, .effective = LINT_SINCE_RFC2459, .check = emails_in_san},
};
const struct lint_table lint_rfc5280_names = LINT_TABLE(rows);
