/* EV Guidelines 6.3.2, 7.1.2, 7.1.4 and 7.1.6: what zlint's rules leave out. */
#include <string.h>

#include "lint/rules/common.h"
#include "lint/rules/orgid.h"

#define EV(level_) .source = LINT_CABF_EV, .level = (level_), .kinds = LINT_CERTIFICATE
#define SUBSCRIBER (LINT_IS_SUBSCRIBER | LINT_IS_EV)

/* value: the attribute that has to be there. */
static void required(const struct lint_subject *s, struct lint_report *r)
{
    enum x509_oid oid = (enum x509_oid)r->rule->value;
    if (!lint_has_attribute(&s->cert->subject, oid)) {
        lint_found(r, s->cert->subject.der, "the subject has no %s", x509_oid_name(oid));
    }
}

/*= CABF-EVG 7.1.4.2.4 "MUST include both country and state or province information" */
static void jurisdiction_levels(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_attribute *l = x509_name_find(&s->cert->subject, X509_OID_JURISDICTION_L, 0);
    if (l != NULL && !lint_has_attribute(&s->cert->subject, X509_OID_JURISDICTION_ST)) {
        lint_found(r, l->value, "jurisdiction locality '%.*s' without its state or province",
                   LT_FMT(l->value));
    }
}

/* value: an attribute that is a country. */
static void country(const struct lint_subject *s, struct lint_report *r)
{
    enum x509_oid oid = (enum x509_oid)r->rule->value;
    const struct x509_attribute *a;
    for (size_t n = 0; (a = x509_name_find(&s->cert->subject, oid, n)) != NULL; n++) {
        if (!lint_country(a->value) && !lt_slice_eq_cstr(a->value, "XX")) {
            lint_found(r, a->value, "%s '%.*s' is no assigned code", x509_oid_name(oid), LT_FMT(a->value));
        }
    }
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* Three groups of digits between two separators of one kind: their values and lengths. */
static bool three_numbers(lt_slice text, unsigned value[3], size_t len[3], uint8_t *ret_separator)
{
    size_t group = 0;
    memset(len, 0, 3 * sizeof(*len));
    memset(value, 0, 3 * sizeof(*value));
    *ret_separator = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (is_digit(c)) {
            len[group]++;
            value[group] = value[group] * 10 + (c - (unsigned)'0');
        } else {
            bool separator = (c == '-' || c == '/' || c == '.') &&
                             (*ret_separator == 0 || *ret_separator == c);
            *ret_separator = c;
            group++;
            if (!separator || group > 2) {
                return false;
            }
        }
        if (len[group] > 4) {
            return false;
        }
    }
    return group == 2 && len[0] > 0 && len[1] > 0 && len[2] > 0;
}

struct three {
    unsigned value[3];
    size_t len[3];
    uint8_t separator;
};

/* Year, month, day or the other way round, with month and day in any order; until the year `latest`. */
static bool is_date(const struct three *t, bool year_first, unsigned latest)
{
    size_t y = year_first ? 0 : 2;
    unsigned a = t->value[year_first ? 1 : 0];
    unsigned b = t->value[year_first ? 2 : 1];
    bool short_parts = t->len[1] <= 2 && t->len[2 - y] <= 2;
    bool days = a >= 1 && b >= 1 && a <= 31 && b <= 31 && (a <= 12 || b <= 12);
    return t->len[y] == 4 && t->value[y] >= 1000 && t->value[y] <= latest && short_parts && days;
}

/*= CABF-EVG 7.1.4.2.5 "using the ISO 8601 Complete Date format (YYYY-MM-DD, e.g., 2025-01-23)" */
static void serial_date(const struct lint_subject *s, struct lint_report *r)
{
    lt_slice text = lint_last_attribute(&s->cert->subject, X509_OID_SERIAL_NUMBER);
    struct three t;
    if (text.len > 10 || !three_numbers(text, t.value, t.len, &t.separator)) {
        return;
    }
    bool iso = t.separator == '-' && t.len[0] == 4 && t.len[1] == 2 && t.len[2] == 2 && t.value[1] <= 12;
    /* nothing was registered after the certificate was made; rounded up */
    unsigned latest = (unsigned)(s->day < 0 ? 0 : 1970 + s->day / 365);
    if (is_date(&t, true, latest) && !iso) {
        lint_found(r, text, "serialNumber '%.*s' is a date, but not of the form YYYY-MM-DD", LT_FMT(text));
    } else if (is_date(&t, false, latest)) {
        lint_found_at(r, LINT_WARN, text,
                      "serialNumber '%.*s' looks like a date: one is written in the form YYYY-MM-DD",
                      LT_FMT(text)); /* a register's number may look so, too */
    }
}

static void place(const struct lint_subject *s, struct lint_report *r)
{
    if (!lint_has_attribute(&s->cert->subject, X509_OID_L) &&
        !lint_has_attribute(&s->cert->subject, X509_OID_ST)) {
        lint_found(r, s->cert->subject.der, "the subject has neither locality nor state or province");
    }
}

static const struct x509_attribute *org_id_of(const struct lint_subject *s)
{
    return x509_name_find(&s->cert->subject, X509_OID_ORGANIZATION_IDENTIFIER, 0);
}

static bool has_org_id(const struct lint_subject *s)
{
    return org_id_of(s) != NULL;
}

static void org_id(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_attribute *a = org_id_of(s);
    struct lint_org_id id;
    const char *why = lint_org_id_read(a->value, &id) ? lint_org_id_check(&id, LINT_ORG_ID_EV)
                                                      : "it has not the form of one";
    if (why == NULL && id.has_state && id.state.len != 2) {
        why = "the state or province is not of two letters";
    }
    if (why != NULL) {
        lint_found(r, a->value, "organizationIdentifier '%.*s': %s", LT_FMT(a->value), why);
    }
}

static void org_id_encoding(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_attribute *a = org_id_of(s);
    if (a->string_type != DER_PRINTABLE_STRING && a->string_type != DER_UTF8_STRING) {
        lint_found(r, a->value, "organizationIdentifier in a string of type %u",
                   (unsigned)DER_TAG_NUMBER(a->string_type));
    }
}

/*= CABF-EVG 7.1.4.2.8 "the specified location information MUST match the scope of the registration being
 * referenced": a trade register is one of the jurisdiction */
static void org_id_jurisdiction(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_attribute *a = org_id_of(s);
    const struct x509_attribute *c = x509_name_find(&s->cert->subject, X509_OID_JURISDICTION_C, 0);
    struct lint_org_id id;
    if (c != NULL && lint_org_id_read(a->value, &id) && lt_slice_eq_cstr(id.scheme, "NTR") &&
        !lt_slice_eq_nocase(id.country, c->value)) {
        lint_found(r, a->value, "organizationIdentifier '%.*s' is not of the jurisdiction '%.*s'",
                   LT_FMT(a->value), LT_FMT(c->value));
    }
}

/* Tags, sizes and end of CABFOrganizationIdentifier: see orgid.c for its ASN.1. */
static void org_id_syntax(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, X509_OID_CABF_ORGANIZATION_IDENTIFIER);
    struct der_cursor c = der_open(x == NULL ? LT_SLICE(NULL, 0) : x->value);
    struct der_cursor in = der_enter(&c, DER_SEQUENCE);
    lt_slice scheme = der_read(&in, DER_PRINTABLE_STRING);
    lt_slice country_code = der_read(&in, DER_PRINTABLE_STRING);
    lt_slice state;
    bool has_state = der_optional(&in, DER_CONTEXT(0), &state);
    lt_slice reference = der_read(&in, DER_UTF8_STRING);
    der_leave(&c, &in);
    if (!der_ok(&c) || c.pos != c.end) {
        lint_found(r, lint_ext_at(s, X509_OID_CABF_ORGANIZATION_IDENTIFIER),
                   "cabfOrganizationIdentifier does not decode: %s", der_ok(&c) ? "bytes behind it" : c.why);
        return;
    }
    bool text = x509_string_valid(DER_PRINTABLE_STRING, scheme) &&
                x509_string_valid(DER_PRINTABLE_STRING, country_code) &&
                (!has_state || x509_string_valid(DER_PRINTABLE_STRING, state)) &&
                x509_string_valid(DER_UTF8_STRING, reference);
    if (scheme.len != 3 || country_code.len != 2 || (has_state && (state.len == 0 || state.len > 128)) ||
        !text) {
        lint_found(r, x->value, "scheme '%.*s', country '%.*s': not the sizes or characters of the fields",
                   LT_FMT(scheme), LT_FMT(country_code));
    }
}

static void org_id_extension(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, X509_OID_CABF_ORGANIZATION_IDENTIFIER);
    struct lint_org_id id;
    if (x == NULL || !lint_org_id_extension(x->value, &id)) {
        return;
    }
    const char *why = lint_org_id_check(&id, LINT_ORG_ID_EV);
    if (why != NULL) {
        lint_found(r, x->value, "cabfOrganizationIdentifier of scheme '%.*s', country '%.*s': %s",
                   LT_FMT(id.scheme), LT_FMT(id.country), why);
    }
}

/*= CABF-EVG 7.1.2.1 "MUST contain one or more host Domain Name(s)" */
static void san_types(const struct lint_subject *s, struct lint_report *r)
{
    size_t names = 0;
    for (size_t i = 0; i < s->cert->ext.san.count; i++) {
        const struct x509_general_name *n = &s->cert->ext.san.list[i];
        names += n->type == X509_GN_DNS;
        if (n->type != X509_GN_DNS) {
            lint_found(r, n->value, "a name of type %d", (int)n->type);
        }
    }
    if (names == 0) {
        lint_found(r, lint_ext_at(s, X509_OID_SUBJECT_ALT_NAME), "no host name");
    }
}

/*= CABF-EVG 7.1.2.1 "MUST NOT contain a Wildcard Domain Name" */
static void wildcard(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->name_count; i++) {
        lt_slice text = s->names[i].text;
        if (lt_slice_find(text, '*') < text.len && !lt_slice_ends(text, LT_LIT(".onion"))) {
            lint_found(r, text, "'%.*s' is a wildcard", LT_FMT(text));
        }
    }
}

static void one_common_name(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_attribute *again = x509_name_find(&s->cert->subject, X509_OID_CN, 1);
    if (again != NULL) {
        lint_found(r, again->value, "a second common name '%.*s'", LT_FMT(again->value));
    }
}

/* value: days. */
static void validity(const struct lint_subject *s, struct lint_report *r)
{
    int64_t seconds = lint_validity_s(s->cert);
    if (seconds > r->rule->value * LT_SECONDS_PER_DAY) {
        lint_found(r, lint_validity_at(s), "valid for %lld seconds, more than %lld days", (long long)seconds,
                   (long long)r->rule->value);
    }
}

static void revocation(const struct lint_subject *s, struct lint_report *r)
{
    enum { SHORT_LIVED_DAYS = 7 };
    for (size_t i = 0; i < s->cert->ext.aia_count; i++) {
        if (s->cert->ext.aia[i].method.oid == X509_OID_OCSP) {
            return;
        }
    }
    if (!lint_is(s, LINT_HAS_CDP) && lint_validity_s(s->cert) > SHORT_LIVED_DAYS * LT_SECONDS_PER_DAY) {
        lint_found(r, s->cert->tbs, "neither an OCSP responder nor a CRL");
    }
}

static bool names_policy(const struct lint_subject *s)
{
    for (size_t i = 0; i < s->cert->ext.policy_count; i++) {
        if (s->cert->ext.policies[i].id.oid == X509_OID_POLICY_EV) {
            return true;
        }
    }
    return false;
}

static void policy(const struct lint_subject *s, struct lint_report *r)
{
    if (!names_policy(s)) {
        lint_found(r, lint_ext_at(s, X509_OID_CERTIFICATE_POLICIES), "the policy of EV is not there");
    }
}

static void cps_pointer(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->cert->ext.policy_count; i++) {
        struct der_cursor c = der_open(s->cert->ext.policies[i].qualifiers);
        struct der_cursor list = der_enter(&c, DER_SEQUENCE);
        while (der_more(&list)) {
            struct der_cursor info = der_enter(&list, DER_SEQUENCE);
            if (x509_oid_find(der_oid(&info)) == X509_OID_CPS_QUALIFIER) {
                return;
            }
        }
    }
    lint_found(r, lint_ext_at(s, X509_OID_CERTIFICATE_POLICIES), "no pointer to the CPS");
}

static const struct lint_rule rows[] = {
    {"lintel_ev_jurisdiction_country", EV(LINT_ERROR), .asks = "the subject has a jurisdiction country",
     .citation = "EVG 7.1.4.2.4", .formerly = "EVG 9.2.4", .effective = LINT_DAY(2012, 7, 1),
     .when = SUBSCRIBER, .check = required, .value = X509_OID_JURISDICTION_C},
    {"lintel_ev_jurisdiction_levels", EV(LINT_ERROR),
     .asks = "a jurisdiction's locality stands with its state or province", .citation = "EVG 7.1.4.2.4",
     .formerly = "EVG 9.2.4", .effective = LINT_DAY(2020, 1, 31), .when = SUBSCRIBER,
     .check = jurisdiction_levels},
    {"lintel_ev_jurisdiction_code", EV(LINT_ERROR),
     .asks = "the jurisdiction country is an assigned ISO 3166-1 code", .citation = "EVG 7.1.4.2.4",
     .formerly = "EVG 9.2.4", .effective = LINT_DAY(2012, 7, 1), .when = SUBSCRIBER, .check = country,
     .value = X509_OID_JURISDICTION_C},
    {"lintel_ev_country_code", EV(LINT_ERROR), .asks = "the country is an assigned ISO 3166-1 code, or XX",
     .citation = "EVG 7.1.4.2.6", .formerly = "EVG 9.2.6", .effective = LINT_DAY(2012, 7, 1),
     .when = SUBSCRIBER, .check = country, .value = X509_OID_C},
    {"lintel_ev_serial_date", EV(LINT_ERROR),
     .asks = "a date as registration number is of the form YYYY-MM-DD", .citation = "EVG 7.1.4.2.5",
     .formerly = "EVG 9.2.5", .effective = LINT_DAY(2025, 10, 1), .when = SUBSCRIBER, .check = serial_date},
    {"lintel_ev_place", EV(LINT_ERROR), .asks = "the subject has a locality or a state or province",
     .citation = "EVG 7.1.4.2.6", .formerly = "EVG 9.2.6", .effective = LINT_DAY(2020, 1, 31),
     .when = SUBSCRIBER, .check = place},
    {"lintel_ev_org_id", EV(LINT_ERROR),
     .asks =
         "organizationIdentifier is of a listed scheme, with the country, state and reference that it needs",
     .citation = "EVG 7.1.4.2.8, Appendix H", .formerly = "EVG 9.2.8", .effective = LINT_DAY(2020, 1, 31),
     .when = SUBSCRIBER, .applies = has_org_id, .check = org_id},
    {"lintel_ev_org_id_encoding", EV(LINT_ERROR),
     .asks = "organizationIdentifier is a PrintableString or UTF8String", .citation = "EVG 7.1.4.2.8",
     .formerly = "EVG 9.2.8", .effective = LINT_DAY(2020, 1, 31), .when = SUBSCRIBER, .applies = has_org_id,
     .check = org_id_encoding},
    {"lintel_ev_org_id_jurisdiction", EV(LINT_ERROR),
     .asks = "a trade register number is of the country of the jurisdiction", .citation = "EVG 7.1.4.2.8",
     .formerly = "EVG 9.2.8", .effective = LINT_DAY(2023, 9, 15), .when = SUBSCRIBER, .applies = has_org_id,
     .check = org_id_jurisdiction},
    {"lintel_ev_org_id_syntax", EV(LINT_ERROR), .asks = "cabfOrganizationIdentifier decodes as it is defined",
     .citation = "EVG 7.1.2.2", .formerly = "EVG 9.8.2", .effective = LINT_DAY(2020, 1, 31),
     .when = LINT_IS_SUBSCRIBER | LINT_HAS_ORG_ID, .check = org_id_syntax},
    {"lintel_ev_org_id_extension", EV(LINT_ERROR),
     .asks = "cabfOrganizationIdentifier is of a listed scheme, with the country, state and reference that "
             "it needs",
     .citation = "EVG 7.1.2.2, Appendix H", .formerly = "EVG 9.8.2", .effective = LINT_DAY(2020, 1, 31),
     .when = LINT_IS_SUBSCRIBER | LINT_HAS_ORG_ID, .check = org_id_extension},
    {"lintel_ev_san_types", EV(LINT_ERROR), .asks = "subjectAltName has host names and nothing else",
     .citation = "EVG 7.1.2.1", .formerly = "EVG 9.8.1", .effective = LINT_DAY(2012, 7, 1),
     .when = SUBSCRIBER | LINT_HAS_SAN, .check = san_types},
    {"lintel_ev_wildcard", EV(LINT_ERROR), .asks = "no name is a wildcard, but below .onion",
     .citation = "EVG 7.1.2.1, 7.1.4.2.2", .formerly = "EVG 9.8.1", .effective = LINT_DAY(2015, 5, 1),
     .when = SUBSCRIBER, .check = wildcard},
    {"lintel_ev_one_common_name", EV(LINT_ERROR), .asks = "the common name is one host name",
     .citation = "EVG 7.1.4.2.2", .formerly = "EVG 9.2.2", .effective = LINT_DAY(2020, 1, 31),
     .when = SUBSCRIBER, .check = one_common_name},
    {"lintel_ev_validity", EV(LINT_ERROR), .asks = "validity is at most 398 days", .citation = "EVG 6.3.2",
     .formerly = "EVG 9.4", .effective = LINT_DAY(2020, 9, 1), .when = SUBSCRIBER, .check = validity,
     .value = 398},
    {"lintel_ev_validity_recommended", EV(LINT_WARN), .asks = "validity is at most twelve months",
     .citation = "EVG 6.3.2", .formerly = "EVG 9.4", .effective = LINT_DAY(2020, 9, 1), .when = SUBSCRIBER,
     .check = validity, .value = 366},
    {"lintel_ev_revocation", EV(LINT_ERROR), .asks = "there is an OCSP responder or a CRL",
     .citation = "EVG 7.1.4.3", .formerly = "EVG 9.7", .effective = LINT_DAY(2012, 7, 1), .when = SUBSCRIBER,
     .check = revocation},
    {"lintel_ev_policy", EV(LINT_ERROR), .asks = "the policy of EV is among the policies",
     .citation = "EVG 7.1.6.4", .formerly = "EVG 9.3.5", .effective = LINT_DAY(2020, 9, 30),
     .when = SUBSCRIBER, .check = policy},
    {"lintel_ev_cps_pointer", EV(LINT_ERROR), .asks = "a policy points to the CPS", .citation = "EVG 9.7",
     .effective = LINT_DAY(2012, 7, 1), .retired = LINT_DAY(2024, 5, 6), .when = SUBSCRIBER,
     .check = cps_pointer},
};
const struct lint_table lint_cabf_ev_profile = LINT_TABLE(rows);
