/* S/MIME Baseline Requirements 7.1.4.2: what a subject has to say, may say and must not say, by the type of
 * the certificate and its generation. directoryNames in subjectAltName are subjects, too. */
#include "lint/rules/mailbox.h"
#include "lint/rules/orgid.h"
#include "lint/rules/smime.h"

#define SMIME(level_)                                                           \
    .source = LINT_CABF_SMIME_BR, .level = (level_), .kinds = LINT_CERTIFICATE, \
    .effective = LINT_DAY(2023, 9, 1), .when = LINT_IS_SUBSCRIBER | LINT_IS_SMIME

/* A letter for each generation: legacy, multipurpose, strict. R: required, m: may be, N: must not be. */
struct allowance {
    enum x509_oid oid;
    const char *type[LINT_SMIME_TYPES]; /* mailbox, organization, sponsor, individual */
};
/* The tables of SBR 7.1.4.2.3, 7.1.4.2.4, 7.1.4.2.5, 7.1.4.2.6. */
static const struct allowance allowances[] = {
    {X509_OID_CN, {"mmm", "mmm", "mmm", "mmm"}},
    {X509_OID_O, {"NNN", "RRR", "RRR", "NNN"}},
    {X509_OID_OU, {"NNN", "mmm", "mmm", "NNN"}},
    {X509_OID_ORGANIZATION_IDENTIFIER, {"NNN", "RRR", "RRR", "NNN"}},
    {X509_OID_GIVEN_NAME, {"NNN", "NNN", "mmm", "mmm"}},
    {X509_OID_SURNAME, {"NNN", "NNN", "mmm", "mmm"}},
    {X509_OID_PSEUDONYM, {"NNN", "NNN", "mmm", "mmm"}},
    {X509_OID_SERIAL_NUMBER, {"mmm", "mmm", "mmm", "mmm"}},
    {X509_OID_EMAIL_ADDRESS, {"mmm", "mmm", "mmm", "mmm"}},
    {X509_OID_TITLE, {"NNN", "NNN", "mmm", "mmm"}},
    {X509_OID_STREET, {"NNN", "mmN", "mmN", "mmN"}},
    {X509_OID_L, {"NNN", "mmm", "mmm", "mmm"}},
    {X509_OID_ST, {"NNN", "mmm", "mmm", "mmm"}},
    {X509_OID_POSTAL_CODE, {"NNN", "mmN", "mmN", "mmN"}},
    {X509_OID_C, {"NNN", "mmm", "mmm", "mmm"}},
};
static const struct allowance others = {X509_OID_UNKNOWN, {"NNN", "mNN", "mNN", "mNN"}};

static const struct allowance *allowance_of(enum x509_oid oid)
{
    for (size_t i = 0; i < LT_COUNT(allowances); i++) {
        if (allowances[i].oid == oid) {
            return &allowances[i];
        }
    }
    return &others;
}

/* value: whether the attributes of the table are judged, or all others. */
static void prohibited(const struct lint_subject *s, struct lint_report *r)
{
    struct lint_smime_profile p = lint_smime_profile(s);
    struct lint_subjects it = {0};
    while (lint_subjects_next(s, &it)) {
        for (size_t i = 0; i < it.count; i++) {
            const struct allowance *a = allowance_of(it.list[i].oid);
            if ((a != &others) == (r->rule->value != 0) && a->type[p.type][p.generation] == 'N') {
                lint_found(r, it.list[i].value, "%s in a %s certificate", x509_oid_name(it.list[i].oid),
                           p.name);
            }
        }
    }
}

static bool has(const struct lint_subjects *it, enum x509_oid oid)
{
    for (size_t i = 0; i < it->count; i++) {
        if (it->list[i].oid == oid) {
            return true;
        }
    }
    return false;
}

static void required(const struct lint_subject *s, struct lint_report *r)
{
    struct lint_smime_profile p = lint_smime_profile(s);
    struct lint_subjects it = {0};
    while (lint_subjects_next(s, &it)) {
        for (size_t i = 0; i < LT_COUNT(allowances); i++) {
            if (allowances[i].type[p.type][p.generation] == 'R' && !has(&it, allowances[i].oid)) {
                lint_found(r, it.der, "no %s in a %s certificate", x509_oid_name(allowances[i].oid), p.name);
            }
        }
    }
}

static bool is_person(const struct lint_subject *s)
{
    return lint_is_any(s, LINT_IS_SMIME_IV | LINT_IS_SMIME_SV);
}

static bool has_person(const struct lint_subjects *it)
{
    return has(it, X509_OID_GIVEN_NAME) || has(it, X509_OID_SURNAME);
}

/*= CABF-SBR 7.1.4.2.5 "SHALL include either subject:givenName and/or subject:surname, or the
 * subject:pseudonym"; of the legacy generation the common name will do */
static void person(const struct lint_subject *s, struct lint_report *r)
{
    struct lint_subjects it = {0};
    while (lint_subjects_next(s, &it)) {
        bool legacy = lint_is(s, LINT_IS_SMIME_LEGACY) && has(&it, X509_OID_CN);
        if (!has_person(&it) && !has(&it, X509_OID_PSEUDONYM) && !legacy) {
            lint_found(r, it.der, "neither given name, surname nor pseudonym");
        }
    }
}

/*= CABF-SBR 7.1.4.2.2 "SHALL NOT be present if the subject:pseudonym is present" */
static void name_or_pseudonym(const struct lint_subject *s, struct lint_report *r)
{
    struct lint_subjects it = {0};
    while (lint_subjects_next(s, &it)) {
        if (has_person(&it) && has(&it, X509_OID_PSEUDONYM)) {
            lint_found(r, it.der, "a pseudonym beside a personal name");
        }
    }
}

/* An attribute that needs one of two others. */
static const struct {
    enum x509_oid oid;
    enum x509_oid needs[2];
} dependencies[] = {
    {X509_OID_STREET, {X509_OID_L, X509_OID_ST}},
    {X509_OID_ST, {X509_OID_C, X509_OID_C}},
    {X509_OID_L, {X509_OID_C, X509_OID_C}},
    {X509_OID_POSTAL_CODE, {X509_OID_C, X509_OID_C}},
};

static void dependency(const struct lint_subject *s, struct lint_report *r)
{
    struct lint_subjects it = {0};
    while (lint_subjects_next(s, &it)) {
        for (size_t i = 0; i < LT_COUNT(dependencies); i++) {
            if (has(&it, dependencies[i].oid) && !has(&it, dependencies[i].needs[0]) &&
                !has(&it, dependencies[i].needs[1])) {
                lint_found(r, it.der, "%s without %s", x509_oid_name(dependencies[i].oid),
                           x509_oid_name(dependencies[i].needs[0]));
            }
        }
    }
}

static bool has_value(const struct lint_subjects *it, enum x509_oid oid, lt_slice value)
{
    for (size_t i = 0; i < it->count; i++) {
        if (it->list[i].oid == oid && lt_slice_eq(it->list[i].value, value)) {
            return true;
        }
    }
    return false;
}

/* Personal names cannot be told from other texts: beside a given name or surname any text may be one. */
static bool common_name_fits(const struct lint_subject *s, const struct lint_subjects *it, lt_slice cn)
{
    if (lint_is_any(s, LINT_IS_SMIME_SV | LINT_IS_SMIME_IV)) {
        bool legacy = lint_is(s, LINT_IS_SMIME_LEGACY) && !has(it, X509_OID_PSEUDONYM);
        if (legacy || has_person(it) || has_value(it, X509_OID_PSEUDONYM, cn)) {
            return true;
        }
    }
    if (lint_is(s, LINT_IS_SMIME_OV) && has_value(it, X509_OID_O, cn)) {
        return true;
    }
    return lint_san_has_mail(s, cn);
}

static void common_name(const struct lint_subject *s, struct lint_report *r)
{
    struct lint_subjects it = {0};
    while (lint_subjects_next(s, &it)) {
        for (size_t i = 0; i < it.count; i++) {
            lt_slice cn = it.list[i].value;
            if (it.list[i].oid == X509_OID_CN && !common_name_fits(s, &it, cn)) {
                lint_found(r, cn, "common name '%.*s' is none of the values it may have", LT_FMT(cn));
            }
        }
    }
}

/*= CABF-SBR 7.1.4.2.1 "All Mailbox Addresses in the subject field … SHALL be repeated" */
static void mail_in_san(const struct lint_subject *s, struct lint_report *r)
{
    struct lint_subjects it = {0};
    while (lint_subjects_next(s, &it)) {
        for (size_t i = 0; i < it.count; i++) {
            lt_slice value = it.list[i].value;
            bool address = it.list[i].oid == X509_OID_EMAIL_ADDRESS || lint_mailbox(value);
            if (address && !lint_san_has_mail(s, value)) {
                lint_found(r, value, "address '%.*s' is not in subjectAltName", LT_FMT(value));
            }
        }
    }
}

static void single_mail(const struct lint_subject *s, struct lint_report *r)
{
    struct lint_subjects it = {0};
    while (lint_subjects_next(s, &it)) {
        for (size_t i = 0; i < it.count; i++) {
            if (it.list[i].oid == X509_OID_EMAIL_ADDRESS && !lint_mailbox(it.list[i].value)) {
                lint_found(r, it.list[i].value, "'%.*s' is no mail address", LT_FMT(it.list[i].value));
            }
        }
    }
}

static void country(const struct lint_subject *s, struct lint_report *r)
{
    struct lint_subjects it = {0};
    while (lint_subjects_next(s, &it)) {
        for (size_t i = 0; i < it.count; i++) {
            lt_slice c = it.list[i].value;
            if (it.list[i].oid == X509_OID_C && !lint_country(c) && !lt_slice_eq_cstr(c, "XX")) {
                lint_found(r, c, "country '%.*s' is no assigned code", LT_FMT(c));
            }
        }
    }
}

/* value: an attribute that stands at most once. */
static void once(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_attribute *again = x509_name_find(&s->cert->subject, (enum x509_oid)r->rule->value, 1);
    if (again != NULL) {
        lint_found(r, again->value, "a second %s", x509_oid_name(again->oid));
    }
}

/* Punctuation and spaces only, or a way to say that there is nothing. Not "None" and "Null": people have such
 * names. */
static bool says_nothing(lt_slice value)
{
    static const char *const absent[] = {"N/A",           "n.a.",       "n.a", "not applicable",
                                         "not available", "unspecified"};
    for (size_t i = 0; i < LT_COUNT(absent); i++) {
        if (lt_slice_eq_nocase(value, lt_slice_cstr(absent[i]))) {
            return true;
        }
    }
    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = value.ptr[i];
        if (c >= 0x80 || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')) {
            return false;
        }
    }
    return true;
}

/*= CABF-SBR 7.1.4.2 "SHALL NOT contain only metadata such as '.', '-', and ' '" */
static void metadata(const struct lint_subject *s, struct lint_report *r)
{
    struct lint_subjects it = {0};
    while (lint_subjects_next(s, &it)) {
        for (size_t i = 0; i < it.count; i++) {
            if (says_nothing(it.list[i].value)) {
                lint_found(r, it.list[i].value, "%s '%.*s' says nothing", x509_oid_name(it.list[i].oid),
                           LT_FMT(it.list[i].value));
            }
        }
    }
}

static void org_id(const struct lint_subject *s, struct lint_report *r)
{
    struct lint_subjects it = {0};
    while (lint_subjects_next(s, &it)) {
        for (size_t i = 0; i < it.count; i++) {
            const struct x509_attribute *a = &it.list[i];
            if (a->oid != X509_OID_ORGANIZATION_IDENTIFIER) {
                continue;
            }
            struct lint_org_id id;
            const char *why = lint_org_id_read(a->value, &id) ? lint_org_id_check(&id, LINT_ORG_ID_SMIME)
                                                              : "it has not the form of one";
            if (why != NULL) {
                lint_found(r, a->value, "organizationIdentifier '%.*s': %s", LT_FMT(a->value), why);
            }
        }
    }
}

static void org_id_encoding(const struct lint_subject *s, struct lint_report *r)
{
    struct lint_subjects it = {0};
    while (lint_subjects_next(s, &it)) {
        for (size_t i = 0; i < it.count; i++) {
            const struct x509_attribute *a = &it.list[i];
            if (a->oid == X509_OID_ORGANIZATION_IDENTIFIER && a->string_type != DER_PRINTABLE_STRING &&
                a->string_type != DER_UTF8_STRING) {
                lint_found(r, a->value, "organizationIdentifier in a string of type %u",
                           (unsigned)DER_TAG_NUMBER(a->string_type));
            }
        }
    }
}

/* Greece and Northern Ireland have other codes for VAT than ISO. */
static bool same_country(const struct lint_org_id *id, lt_slice country)
{
    if (lt_slice_eq_cstr(id->scheme, "VAT") && lt_slice_eq_cstr(id->country, "EL")) {
        return lt_slice_eq_cstr(country, "GR");
    }
    if (lt_slice_eq_cstr(id->scheme, "VAT") && lt_slice_eq_cstr(id->country, "XI")) {
        return lt_slice_eq_cstr(country, "GB");
    }
    return lt_slice_eq(id->country, country);
}

/*= CABF-SBR 7.1.4.2.2 "the country code used in the Registration Scheme identifier SHALL match that of the
 * subject:countryName" */
static void org_id_country(const struct lint_subject *s, struct lint_report *r)
{
    struct lint_subjects it = {0};
    while (lint_subjects_next(s, &it)) {
        for (size_t i = 0; i < it.count * it.count; i++) {
            const struct x509_attribute *a = &it.list[i / it.count];
            const struct x509_attribute *c = &it.list[i % it.count];
            struct lint_org_id id;
            if (a->oid == X509_OID_ORGANIZATION_IDENTIFIER && c->oid == X509_OID_C &&
                lint_org_id_read(a->value, &id) && !lt_slice_eq_cstr(id.country, "XG") &&
                !same_country(&id, c->value)) {
                lint_found(r, c->value, "country '%.*s' beside organizationIdentifier '%.*s'",
                           LT_FMT(c->value), LT_FMT(a->value));
            }
        }
    }
}

/* EUID: country, register, ".", number. */
static void german_register(const struct lint_subject *s, struct lint_report *r)
{
    struct lint_subjects it = {0};
    while (lint_subjects_next(s, &it)) {
        for (size_t i = 0; i < it.count; i++) {
            struct lint_org_id id;
            lt_slice value = it.list[i].value;
            if (it.list[i].oid != X509_OID_ORGANIZATION_IDENTIFIER || !lint_org_id_read(value, &id) ||
                !lt_slice_eq_cstr(id.scheme, "NTR") || !lt_slice_eq_cstr(id.country, "DE")) {
                continue;
            }
            size_t dot = lt_slice_find(id.reference, '.');
            if (id.has_state || !lt_slice_starts(id.reference, LT_LIT("DE")) || dot < 3 ||
                dot + 1 >= id.reference.len) {
                lint_found(r, value, "organizationIdentifier '%.*s' is no EUID", LT_FMT(value));
            }
        }
    }
}

static const struct lint_rule rows[] = {
    {"lintel_smime_subject_prohibited", SMIME(LINT_ERROR),
     .asks = "the subject has no attribute that its type and generation must not have",
     .citation = "SBR 7.1.4.2.3, 7.1.4.2.4, 7.1.4.2.5, 7.1.4.2.6", .check = prohibited, .value = 1},
    {"lintel_smime_subject_other", SMIME(LINT_ERROR),
     .asks = "the subject has no attributes that the requirements do not name, but of the legacy generation",
     .citation = "SBR 7.1.4.2.3, 7.1.4.2.4, 7.1.4.2.5, 7.1.4.2.6", .check = prohibited},
    {"lintel_smime_subject_required", SMIME(LINT_ERROR),
     .asks = "the subject has the attributes that its type has to have",
     .citation = "SBR 7.1.4.2.4, 7.1.4.2.5", .check = required},
    {"lintel_smime_person", SMIME(LINT_ERROR),
     .asks = "a person is named by given name, surname or pseudonym", .citation = "SBR 7.1.4.2.5, 7.1.4.2.6",
     .applies = is_person, .check = person},
    {"lintel_smime_name_or_pseudonym", SMIME(LINT_ERROR),
     .asks = "a pseudonym does not stand beside given name or surname", .citation = "SBR 7.1.4.2.2 e, f",
     .applies = is_person, .check = name_or_pseudonym},
    {"lintel_smime_address_parts", SMIME(LINT_ERROR),
     .asks = "street needs locality or state; locality, state and postal code need a country",
     .citation = "SBR 7.1.4.2.2 j, k, l, m", .check = dependency},
    {"lintel_smime_common_name", SMIME(LINT_ERROR),
     .asks = "the common name is an address of subjectAltName, or by type the organization, the person, the "
             "pseudonym",
     .citation = "SBR 7.1.4.2.2 a", .check = common_name},
    {"lintel_smime_mail_in_san", SMIME(LINT_ERROR),
     .asks = "each mail address in the subject stands in subjectAltName, too", .citation = "SBR 7.1.4.2.1",
     .check = mail_in_san},
    {"lintel_smime_subject_mail", SMIME(LINT_ERROR), .asks = "emailAddress is one bare mail address",
     .citation = "SBR 7.1.4.2.2 h", .check = single_mail},
    {"lintel_smime_one_mail", SMIME(LINT_ERROR), .asks = "emailAddress stands in the subject once",
     .citation = "SBR 7.1.4.2.2 h", .check = once, .value = X509_OID_EMAIL_ADDRESS},
    {"lintel_smime_country", SMIME(LINT_ERROR), .asks = "countryName is an assigned ISO 3166-1 code, or XX",
     .citation = "SBR 7.1.4.2.2 n", .check = country},
    {"lintel_smime_metadata", SMIME(LINT_ERROR),
     .asks = "no attribute consists of punctuation or says that there is no value", .citation = "SBR 7.1.4.2",
     .check = metadata},
    {"lintel_smime_org_id", SMIME(LINT_ERROR),
     .asks =
         "organizationIdentifier is of a listed scheme, with the country, state and reference that it needs",
     .citation = "SBR 7.1.4.2.2 d, Appendix A", .check = org_id},
    {"lintel_smime_org_id_encoding", SMIME(LINT_ERROR),
     .asks = "organizationIdentifier is a PrintableString or UTF8String", .citation = "SBR 7.1.4.2.2 d",
     .check = org_id_encoding},
    {"lintel_smime_org_id_country", SMIME(LINT_ERROR),
     .asks = "the country inside organizationIdentifier is the subject's country",
     .citation = "SBR 7.1.4.2.2 d", .check = org_id_country},
    {"lintel_smime_german_register", SMIME(LINT_WARN),
     .asks = "a German organization is named by its European unique identifier",
     .citation = "SBR 7.1.4.2.2 d", .check = german_register},
};
const struct lint_table lint_cabf_smime_subject = LINT_TABLE(rows);
