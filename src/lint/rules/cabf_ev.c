/* zlint's rules of the EV Guidelines. */
#include "lint/rules/common.h"
#include "lint/rules/orgid.h"

#define EV .source = LINT_CABF_EV, .level = LINT_ERROR, .kinds = LINT_CERTIFICATE, .zlint = true
#define SUBSCRIBER (LINT_IS_SUBSCRIBER | LINT_IS_EV_ANY)

/* value: the attribute that has to be there. */
static void required(const struct lint_subject *s, struct lint_report *r)
{
    enum x509_oid oid = (enum x509_oid)r->rule->value;
    if (!lint_has_attribute(&s->cert->subject, oid)) {
        lint_found(r, s->cert->subject.der, "the subject has no %s", x509_oid_name(oid));
    }
}

static void serial_number(const struct lint_subject *s, struct lint_report *r)
{
    if (lint_last_attribute(&s->cert->subject, X509_OID_SERIAL_NUMBER).len == 0) {
        lint_found(r, s->cert->subject.der, "the subject has no serialNumber");
    }
}

static void business_category(const struct lint_subject *s, struct lint_report *r)
{
    static const char *const known[] = {"Private Organization", "Government Entity", "Business Entity",
                                        "Non-Commercial Entity"};
    const struct x509_attribute *a = x509_name_find(&s->cert->subject, X509_OID_BUSINESS_CATEGORY, 0);
    if (a == NULL) {
        lint_say(r, LINT_NA);
        return;
    }
    for (size_t i = 0; i < LT_COUNT(known); i++) {
        if (lt_slice_eq_cstr(a->value, known[i])) {
            return;
        }
    }
    lint_found(r, a->value, "businessCategory '%.*s'", LT_FMT(a->value));
}

static void extra_attributes(const struct lint_subject *s, struct lint_report *r)
{
    /* OU is judged by a rule of its own. */
    static const enum x509_oid allowed[] = {
        X509_OID_CN,
        X509_OID_SERIAL_NUMBER,
        X509_OID_C,
        X509_OID_L,
        X509_OID_ST,
        X509_OID_STREET,
        X509_OID_O,
        X509_OID_OU,
        X509_OID_BUSINESS_CATEGORY,
        X509_OID_POSTAL_CODE,
        X509_OID_ORGANIZATION_IDENTIFIER,
        X509_OID_JURISDICTION_L,
        X509_OID_JURISDICTION_ST,
        X509_OID_JURISDICTION_C,
    };
    for (size_t i = 0; i < s->cert->subject.count; i++) {
        const struct x509_attribute *a = &s->cert->subject.attributes[i];
        bool found = false;
        for (size_t k = 0; k < LT_COUNT(allowed) && !found; k++) {
            found = a->oid == allowed[k];
        }
        if (!found) {
            lint_found(r, a->value, "attribute %s in an EV certificate", x509_oid_name(a->oid));
        }
    }
}

static void wildcard(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->name_count; i++) {
        lt_slice text = s->names[i].text;
        if (s->names[i].psl_ok && lt_slice_find(text, '*') < text.len &&
            !lt_slice_ends(text, LT_LIT(".onion"))) {
            lint_found(r, text, "'%.*s' is a wildcard", LT_FMT(text));
        }
    }
}

static void ip_address(const struct lint_subject *s, struct lint_report *r)
{
    for (size_t i = 0; i < s->cert->ext.san.count; i++) {
        const struct x509_general_name *n = &s->cert->ext.san.list[i];
        if (n->type == X509_GN_IP) {
            lint_found(r, n->value, "an IP address in an EV certificate");
        }
    }
}

static bool before_825_days(const struct lint_subject *s)
{
    return lt_time_seconds(s->cert->not_before) < LINT_DAY(2018, 3, 2) * LT_SECONDS_PER_DAY;
}

/* value: months. */
static void validity(const struct lint_subject *s, struct lint_report *r)
{
    if (lint_add_months(s->cert->not_before, (int)r->rule->value) < lt_time_seconds(s->cert->not_after)) {
        lint_found(r, lint_validity_at(s), "valid for %lld days, at most %lld months",
                   (long long)(lint_validity_s(s->cert) / LT_SECONDS_PER_DAY), (long long)r->rule->value);
    }
}

static bool is_onion(const struct lint_subject *s)
{
    for (size_t i = 0; i < s->cert->ext.san.count; i++) {
        const struct x509_general_name *n = &s->cert->ext.san.list[i];
        if (n->type == X509_GN_DNS && lt_slice_ends(n->value, LT_LIT(".onion"))) {
            return true;
        }
    }
    return lt_slice_ends(lint_last_attribute(&s->cert->subject, X509_OID_CN), LT_LIT(".onion"));
}

static bool has_org_id(const struct lint_subject *s)
{
    return lint_has_attribute(&s->cert->subject, X509_OID_ORGANIZATION_IDENTIFIER);
}

static void org_id_extension(const struct lint_subject *s, struct lint_report *r)
{
    if (!lint_is(s, LINT_HAS_ORG_ID)) {
        lint_found(r, lint_last_attribute(&s->cert->subject, X509_OID_ORGANIZATION_IDENTIFIER),
                   "organizationIdentifier in the subject, but no cabfOrganizationIdentifier");
    }
}

static void org_id_scheme(const struct lint_subject *s, struct lint_report *r)
{
    static const char *const known[] = {"NTR", "VAT", "PSD"};
    const struct x509_attribute *a = x509_name_find(&s->cert->subject, X509_OID_ORGANIZATION_IDENTIFIER, 0);
    for (size_t i = 0; a != NULL && i < LT_COUNT(known); i++) {
        if (lt_slice_starts(a->value, lt_slice_cstr(known[i]))) {
            return;
        }
    }
    lt_slice id = a == NULL ? s->cert->subject.der : a->value;
    lint_found(r, id, "registration scheme '%.*s'", LT_FMT(lt_slice_sub(id, 0, 3)));
}

static void org_id_consistent(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_attribute *a = x509_name_find(&s->cert->subject, X509_OID_ORGANIZATION_IDENTIFIER, 0);
    const struct x509_extension *x = lint_ext(s, X509_OID_CABF_ORGANIZATION_IDENTIFIER);
    struct lint_org_id subject;
    struct lint_org_id extension;
    if (a == NULL || x == NULL || !lint_org_id_split(a->value, false, &subject)) {
        lint_found(r, a == NULL ? s->cert->subject.der : a->value,
                   "organizationIdentifier has not the form of one");
        return;
    }
    if (!lint_org_id_extension(x->value, &extension)) {
        lint_found(r, x->value, "cabfOrganizationIdentifier does not decode");
        return;
    }
    bool psd = lt_slice_eq_cstr(subject.scheme, "PSD");
    if (!lint_org_id_equal(&subject, &extension) &&
        !(psd && lint_org_id_split(a->value, true, &subject) && lint_org_id_equal(&subject, &extension))) {
        lint_found(r, a->value, "cabfOrganizationIdentifier differs from organizationIdentifier '%.*s'",
                   LT_FMT(a->value));
    }
}

static bool is_psd_or_vat(const struct lint_subject *s)
{
    const struct x509_extension *x = lint_ext(s, X509_OID_CABF_ORGANIZATION_IDENTIFIER);
    struct lint_org_id id;
    return x != NULL && lint_org_id_extension(x->value, &id) &&
           (lt_slice_eq_cstr(id.scheme, "PSD") || lt_slice_eq_cstr(id.scheme, "VAT"));
}

static void no_state(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, X509_OID_CABF_ORGANIZATION_IDENTIFIER);
    struct lint_org_id id;
    if (x != NULL && lint_org_id_extension(x->value, &id) && id.state.len > 0) {
        lint_found(r, id.state, "state '%.*s' with the scheme %.*s", LT_FMT(id.state), LT_FMT(id.scheme));
    }
}

static const struct lint_rule rows[] = {
    {"e_cabf_org_identifier_psd_vat_has_state", EV,
     .asks = "cabfOrganizationIdentifier of the schemes PSD and VAT has no state",
     .citation = "EVG Appendix H", .formerly = "EVG 9.2.8", .effective = LINT_DAY(2019, 6, 21),
     .when = LINT_HAS_ORG_ID, .applies = is_psd_or_vat, .check = no_state},
    {"e_ev_business_category_missing", EV, .asks = "the subject has a businessCategory",
     .citation = "EVG 7.1.4.2.3", .formerly = "EVG 9.2.3", .when = SUBSCRIBER, .check = required,
     .value = X509_OID_BUSINESS_CATEGORY},
    {"e_ev_country_name_missing", EV, .asks = "the subject has a countryName", .citation = "EVG 7.1.4.2.6",
     .formerly = "EVG 9.2.6", .when = SUBSCRIBER, .check = required, .value = X509_OID_C},
    {"e_ev_extra_subject_attribs", EV,
     .asks = "the subject has no attributes but those that the Guidelines name", .citation = "EVG 7.1.4.2.9",
     .formerly = "EVG 9.2.9", .effective = LINT_DAY(2019, 4, 16), .when = SUBSCRIBER,
     .check = extra_attributes},
    {"e_ev_invalid_business_category", EV, .asks = "businessCategory is one of four fixed texts",
     .citation = "EVG 7.1.4.2.3", .formerly = "EVG 9.2.3", .when = SUBSCRIBER, .check = business_category},
    {"e_ev_invalid_orgid_reg_scheme", EV, .asks = "the registration scheme is NTR, VAT or PSD",
     .citation = "EVG 7.1.4.2.8", .formerly = "EVG 9.2.8", .effective = LINT_DAY(2020, 1, 31),
     .when = SUBSCRIBER, .applies = has_org_id, .check = org_id_scheme},
    {"e_ev_not_wildcard", EV, .asks = "no name is a wildcard, but below .onion", .citation = "EVG 7.1.2.1",
     .formerly = "EVG 9.8.1", .effective = LINT_DAY(2015, 5, 1), .when = LINT_IS_EV_ANY, .check = wildcard},
    /* This one and e_ev_orgid_inconsistent_subj_and_ext zlint asks of CAs, too, where the Guidelines do not.
     */
    {"e_ev_organization_id_missing", EV,
     .asks = "with organizationIdentifier in the subject there is a cabfOrganizationIdentifier",
     .citation = "EVG 7.1.2.2", .formerly = "EVG 9.8.2", .effective = LINT_DAY(2020, 1, 31),
     .when = LINT_IS_EV_ANY, .unless = LINT_IS_CA, .applies = has_org_id, .check = org_id_extension},
    {"e_ev_organization_name_missing", EV, .asks = "the subject has an organizationName",
     .citation = "EVG 7.1.4.2.1", .formerly = "EVG 9.2.1", .when = SUBSCRIBER, .check = required,
     .value = X509_OID_O},
    {"e_ev_orgid_inconsistent_subj_and_ext", EV,
     .asks = "organizationIdentifier and cabfOrganizationIdentifier say the same", .citation = "EVG 7.1.2.2",
     .formerly = "EVG 9.8.2", .effective = LINT_DAY(2020, 1, 31), .when = LINT_IS_EV_ANY | LINT_HAS_ORG_ID,
     .unless = LINT_IS_CA, .applies = has_org_id, .check = org_id_consistent},
    {"e_ev_san_ip_address_present", EV, .asks = "subjectAltName has no IP addresses",
     .citation = "EVG 7.1.2.1", .formerly = "EVG 9.8.1", .when = LINT_IS_EV_ANY, .check = ip_address},
    {"e_ev_serial_number_missing", EV, .asks = "the subject has a serialNumber", .citation = "EVG 7.1.4.2.5",
     .formerly = "EVG 9.2.5", .when = SUBSCRIBER, .check = serial_number},
    {"e_ev_valid_time_too_long", EV, .asks = "validity is at most 27 months", .citation = "EVG 6.3.2",
     .formerly = "EVG 9.4", .when = SUBSCRIBER, .applies = before_825_days, .check = validity, .value = 27},
    {"e_onion_subject_validity_time_too_large", EV, .asks = "with .onion names validity is at most 15 months",
     .citation = "EVG Appendix F", .effective = LINT_DAY(2015, 5, 1), .when = LINT_IS_SUBSCRIBER,
     .applies = is_onion, .check = validity, .value = 15},
};
const struct lint_table lint_cabf_ev = LINT_TABLE(rows);
