/* zlint's rules of ETSI EN 319 412-5 and 412-2: statements of qualified certificates. */
#include "lint/rules/qc.h"

#define ETSI .source = LINT_ETSI_ESI, .level = LINT_ERROR, .kinds = LINT_CERTIFICATE, .zlint = true
#define SINCE_2_2_1 .effective = LINT_DAY(2017, 11, 1)

/* What zlint's parser says of one type of statement: all of the extension, or this statement. */
struct parsed {
    struct lint_statement st;
    bool present;
    const char *why; /* NULL: fine */
};

/* Looks at the outer SEQUENCE and the tags of all statements first: when those are wrong, every type counts
 * as present. */
static const char *outer_error(const struct lint_subject *s)
{
    struct der_cursor c = lint_statements(s);
    while (der_more(&c)) {
        uint32_t tag;
        lt_slice content;
        if (der_any(&c, &tag, &content, NULL) && tag != DER_SEQUENCE) {
            return "a statement that is no SEQUENCE";
        }
    }
    return der_ok(&c) ? NULL : c.why;
}

static bool matches(const struct lint_statement *st, int64_t type)
{
    return type < LINT_QC_COUNT ? (int64_t)st->type == type : (int64_t)st->qc_type + LINT_QC_COUNT == type;
}

static struct parsed parse(const struct lint_subject *s, int64_t type)
{
    struct parsed p = {.why = outer_error(s)};
    if (p.why != NULL) {
        p.present = true;
        return p;
    }
    struct der_cursor c = lint_statements(s);
    while (lint_statement_next(&c, &p.st)) {
        if (matches(&p.st, type)) {
            p.present = true;
            p.why = type <= LINT_QC_TYPE ? lint_statement_check(&p.st) : NULL;
            return p;
        }
    }
    p.why = c.why;
    return p;
}

static lt_slice where(const struct lint_subject *s, const struct parsed *p)
{
    return p->st.whole.len > 0 ? p->st.whole : lint_ext_at(s, X509_OID_QC_STATEMENTS);
}

/* Does it decode? For rules that can look no further when it does not. */
static bool fine(const struct lint_subject *s, struct lint_report *r, const struct parsed *p)
{
    if (p->why != NULL) {
        lint_found_at(r, LINT_ERROR, where(s, p), "%s", p->why);
    }
    return p->why == NULL;
}

static bool any_present(const struct lint_subject *s)
{
    if (outer_error(s) != NULL) {
        return true;
    }
    struct der_cursor c = lint_statements(s);
    struct lint_statement st;
    while (lint_statement_next(&c, &st)) {
        if (st.type >= LINT_QC_COMPLIANCE && st.type <= LINT_QC_TYPE) {
            return true;
        }
    }
    return false;
}

static bool has_compliance(const struct lint_subject *s)
{
    return parse(s, LINT_QC_COMPLIANCE).present;
}
static bool has_limit(const struct lint_subject *s)
{
    return parse(s, LINT_QC_LIMIT_VALUE).present;
}
static bool has_period(const struct lint_subject *s)
{
    return parse(s, LINT_QC_RETENTION_PERIOD).present;
}
static bool has_sscd(const struct lint_subject *s)
{
    return parse(s, LINT_QC_SSCD).present;
}
static bool has_pds(const struct lint_subject *s)
{
    return parse(s, LINT_QC_PDS).present;
}
static bool has_type(const struct lint_subject *s)
{
    return parse(s, LINT_QC_TYPE).present;
}
static bool has_type_web(const struct lint_subject *s)
{
    return x509_has_eku(&s->cert->ext, X509_OID_SERVER_AUTH) && has_type(s);
}

static void not_critical(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_extension *x = lint_ext(s, X509_OID_QC_STATEMENTS);
    if (x != NULL && x->critical) {
        lint_found(r, x->der, "qcStatements is critical");
    }
}

static void duplicates(const struct lint_subject *s, struct lint_report *r)
{
    struct der_cursor c = lint_statements(s);
    struct lint_statement st;
    bool seen[LINT_QC_COUNT] = {false};
    while (lint_statement_next(&c, &st)) {
        if (st.type == LINT_QC_OTHER || st.type >= LINT_QC_COUNT) {
            continue;
        }
        if (seen[st.type]) {
            lint_found(r, st.whole, "statement %d of EN 319 412-5 stands there again", (int)st.type);
        }
        seen[st.type] = true;
    }
}

static void type_as_statement(const struct lint_subject *s, struct lint_report *r)
{
    for (int64_t type = 1; type <= 3; type++) {
        struct parsed p = parse(s, LINT_QC_COUNT + type);
        if (fine(s, r, &p) && p.present) {
            lint_found(r, p.st.whole, "a type of certificate stands where a statement should");
        }
    }
}

static void mandatory(const struct lint_subject *s, struct lint_report *r)
{
    struct parsed p = parse(s, LINT_QC_COMPLIANCE);
    if (fine(s, r, &p) && !p.present) {
        lint_found(r, lint_ext_at(s, X509_OID_QC_STATEMENTS), "the statement QcCompliance is missing");
    }
}

/* value: type. */
static void valid(const struct lint_subject *s, struct lint_report *r)
{
    struct parsed p = parse(s, r->rule->value);
    (void)fine(s, r, &p); /* what it found is all */
}

static bool only(lt_slice s, uint8_t first, uint8_t last)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < first || s.ptr[i] > last) {
            return false;
        }
    }
    return true;
}

static bool letters(lt_slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.ptr[i] | 0x20;
        if (c < 'a' || c > 'z') {
            return false;
        }
    }
    return true;
}

static void limit_value(const struct lint_subject *s, struct lint_report *r)
{
    struct parsed p = parse(s, r->rule->value);
    if (!fine(s, r, &p)) {
        return;
    }
    struct der_cursor c = der_open(p.st.info);
    struct der_cursor in = der_enter(&c, DER_SEQUENCE);
    uint32_t tag;
    lt_slice currency;
    (void)der_any(&in, &tag, &currency, NULL); /* parse() has seen it */
    lt_slice amount = der_integer(&in);
    if (amount.len > 0 && (amount.ptr[0] & 0x80) != 0) {
        lint_found(r, amount, "the amount is negative");
    }
    if (tag == DER_INTEGER) {
        struct der_cursor number = der_into(&c, p.st.info);
        struct der_cursor field = der_enter(&number, DER_SEQUENCE);
        uint64_t code = der_small(&field, 999);
        if (code < 1 || !der_ok(&field)) {
            lint_found(r, currency, "the number of the currency is not from 1 to 999");
        }
    } else if (currency.len != 3 || !letters(currency)) {
        lint_found(r, currency, "currency '%.*s' is not of three letters", LT_FMT(currency));
    }
}

static void retention(const struct lint_subject *s, struct lint_report *r)
{
    struct parsed p = parse(s, r->rule->value);
    if (!fine(s, r, &p)) {
        return;
    }
    struct der_cursor c = der_open(p.st.info);
    lt_slice period = der_integer(&c);
    if (period.len > 0 && (period.ptr[0] & 0x80) != 0) {
        lint_found(r, period, "the retention period is negative");
    }
}

static void pds_https(const struct lint_subject *s, struct lint_report *r)
{
    struct parsed p = parse(s, r->rule->value);
    if (!fine(s, r, &p)) {
        return;
    }
    struct der_cursor c = lint_pds_open(p.st.info);
    struct lint_pds pds;
    while (lint_pds_next(&c, &pds)) {
        if (!lt_slice_starts(pds.url, LT_LIT("https://"))) {
            lint_found(r, pds.url, "'%.*s' is no https URL", LT_FMT(pds.url));
        }
    }
}

static void pds_case(const struct lint_subject *s, struct lint_report *r)
{
    struct parsed p = parse(s, r->rule->value);
    if (!fine(s, r, &p)) {
        return;
    }
    struct der_cursor c = lint_pds_open(p.st.info);
    struct lint_pds pds;
    while (lint_pds_next(&c, &pds)) {
        if (!only(pds.language, 'a', 'z')) {
            lint_found(r, pds.language, "language '%.*s'", LT_FMT(pds.language));
        }
    }
}

/* Is there an earlier location whose language is this one in lower case? zlint compares so, and misses two in
 * capitals. */
static bool seen_before(lt_slice info, lt_slice language)
{
    struct der_cursor c = lint_pds_open(info);
    struct lint_pds pds;
    while (lint_pds_next(&c, &pds) && pds.language.ptr != language.ptr) {
        if (lt_slice_eq_nocase(pds.language, language) && only(pds.language, 'a', 'z')) {
            return true;
        }
    }
    return false;
}

static void pds_valid(const struct lint_subject *s, struct lint_report *r)
{
    struct parsed p = parse(s, r->rule->value);
    if (!fine(s, r, &p)) {
        return;
    }
    struct der_cursor c = lint_pds_open(p.st.info);
    struct lint_pds pds;
    bool english = false;
    while (lint_pds_next(&c, &pds)) {
        if (pds.language.len != 2) {
            lint_found(r, pds.language, "language '%.*s' is not of two letters", LT_FMT(pds.language));
        }
        english = english || lt_slice_eq_nocase(pds.language, LT_LIT("en"));
        if (seen_before(p.st.info, pds.language)) {
            lint_found(r, pds.language, "language '%.*s' stands there again", LT_FMT(pds.language));
        }
    }
    if (!english) {
        lint_found(r, p.st.whole, "no disclosure statement in English");
    }
}

/* data: at most one of them. */
static void type_known(const struct lint_subject *s, struct lint_report *r)
{
    struct parsed p = parse(s, r->rule->value);
    struct lint_qc_types types;
    if (!fine(s, r, &p) || !lint_qc_types_read(p.st.info, &types)) {
        return;
    }
    if (types.count == 0 || (r->rule->data != NULL && types.count > 1)) {
        lint_found(r, p.st.whole, "%zu types of certificate", types.count);
    }
    if (types.others > 0) {
        lint_found(r, p.st.whole, "%zu of %zu types of certificate are not among the three", types.others,
                   types.count);
    }
}

/* data: one of these types has to be there, as digits. */
static void type_fits(const struct lint_subject *s, struct lint_report *r)
{
    struct parsed p = parse(s, r->rule->value);
    struct lint_qc_types types;
    if (!fine(s, r, &p) || !lint_qc_types_read(p.st.info, &types)) {
        return;
    }
    for (const char *d = r->rule->data; *d != 0; d++) {
        if (types.has[*d - '0']) {
            return;
        }
    }
    lint_found(r, p.st.whole, "the type of certificate does not fit its use");
}

/* EN 319 411-2's policies, 0.4.0.194112.1.n. 0, 2: natural persons; 4, 5, 6: websites. */
static bool natural_person(const struct lint_subject *s)
{
    static const uint8_t prefix[] = {0x04, 0x00, 0x8b, 0xec, 0x40, 0x01};
    const struct x509_name *n = &s->cert->subject;
    for (size_t i = 0; i < s->cert->ext.policy_count; i++) {
        lt_slice id = s->cert->ext.policies[i].id.der;
        if (id.len != sizeof(prefix) + 1 || !lt_slice_starts(id, LT_SLICE(prefix, sizeof(prefix)))) {
            continue;
        }
        uint8_t last = id.ptr[sizeof(prefix)];
        if (last == 0 || last == 2) {
            return true;
        }
        if (last >= 4 && last <= 6) {
            return lint_has_attribute(n, X509_OID_GIVEN_NAME) || lint_has_attribute(n, X509_OID_SURNAME) ||
                   lint_has_attribute(n, X509_OID_PSEUDONYM);
        }
    }
    return false;
}

static void key_usage_present(const struct lint_subject *s, struct lint_report *r)
{
    if (!lint_is(s, LINT_HAS_KU)) {
        lint_found(r, s->cert->tbs, "keyUsage is missing");
    }
}

#define SIGN X509_KU_DIGITAL_SIGNATURE
#define COMMIT X509_KU_CONTENT_COMMITMENT
#define ENCIPHER X509_KU_KEY_ENCIPHERMENT
#define AGREE X509_KU_KEY_AGREEMENT
/* The settings A to F of EN 319 412-2 table 1: first those that do not mix uses. */
static const uint32_t settings[] = {
    COMMIT,
    SIGN,
    ENCIPHER,
    AGREE, /* A, C, E */
    COMMIT | SIGN,
    SIGN | AGREE,
    SIGN | ENCIPHER, /* B, D */
    COMMIT | SIGN | ENCIPHER,
    COMMIT | SIGN | AGREE, /* F */
};
enum { SETTINGS_PURE = 4 };

/* value: of how many settings. */
static void key_usage(const struct lint_subject *s, struct lint_report *r)
{
    for (int64_t i = 0; i < r->rule->value; i++) {
        if ((s->cert->ext.key_usage & LINT_KU_DEFINED) == settings[i]) {
            return;
        }
    }
    lint_found(r, lint_ext_at(s, X509_OID_KEY_USAGE), "key usage 0x%x", s->cert->ext.key_usage);
}

static const struct lint_rule rows[] = {
    {"e_duplicate_etsi_qcstatement", ETSI, .asks = "each statement of EN 319 412-5 stands there once",
     .citation = "EN 319 412-5 4.1 QCS-4.1-02A", .effective = LINT_DAY(2026, 5, 1), .when = LINT_HAS_QC,
     .check = duplicates},
    {"e_etsi_natural_person_key_usage_correct_values", ETSI,
     .asks = "key usage is one of the settings A to F", .citation = "EN 319 412-2 4.3.2",
     .effective = LINT_DAY(2020, 7, 1), .when = LINT_IS_SUBSCRIBER | LINT_HAS_KU, .applies = natural_person,
     .check = key_usage, .value = LT_COUNT(settings)},
    {"e_etsi_natural_person_key_usage_mandatory", ETSI, .asks = "keyUsage is there",
     .citation = "EN 319 412-2 4.3.2", .effective = LINT_DAY(2020, 7, 1), .when = LINT_IS_SUBSCRIBER,
     .applies = natural_person, .check = key_usage_present},
    {"e_qcstatem_etsi_present_qcs_critical", ETSI, SINCE_2_2_1, .asks = "qcStatements is not critical",
     .citation = "EN 319 412-5 4.1", .when = LINT_HAS_QC, .applies = any_present, .check = not_critical},
    {"e_qcstatem_etsi_type_as_statem", ETSI, SINCE_2_2_1,
     .asks = "the identifiers of types of certificates are not used as statements",
     .citation = "EN 319 412-5 4.2.3", .when = LINT_HAS_QC, .check = type_as_statement},
    {"e_qcstatem_mandatory_etsi_statems", ETSI, SINCE_2_2_1, .asks = "the statement QcCompliance is there",
     .citation = "EN 319 412-5 5", .when = LINT_HAS_QC, .applies = any_present, .check = mandatory},
    {"e_qcstatem_pds_must_have_https_only", ETSI, .asks = "disclosure statements are at https URLs",
     .citation = "EN 319 412-5 4.3.4", .effective = LINT_DAY(2023, 9, 1), .when = LINT_HAS_QC,
     .applies = has_pds, .check = pds_https, .value = LINT_QC_PDS},
    {"e_qcstatem_qccompliance_valid", ETSI, SINCE_2_2_1, .asks = "QcCompliance has no value",
     .citation = "EN 319 412-5 4.2.1", .when = LINT_HAS_QC, .applies = has_compliance, .check = valid,
     .value = LINT_QC_COMPLIANCE},
    {"e_qcstatem_qclimitvalue_valid", ETSI, SINCE_2_2_1,
     .asks = "QcLimitValue is an amount of a known currency", .citation = "EN 319 412-5 4.3.2",
     .when = LINT_HAS_QC, .applies = has_limit, .check = limit_value, .value = LINT_QC_LIMIT_VALUE},
    {"e_qcstatem_qcpds_valid", ETSI, SINCE_2_2_1,
     .asks = "disclosure statements have languages of two letters, each once, English among them",
     .citation = "EN 319 412-5 4.3.4", .when = LINT_HAS_QC, .applies = has_pds, .check = pds_valid,
     .value = LINT_QC_PDS},
    {"e_qcstatem_qcretentionperiod_valid", ETSI, SINCE_2_2_1,
     .asks = "QcRetentionPeriod is no negative number", .citation = "EN 319 412-5 4.3.3", .when = LINT_HAS_QC,
     .applies = has_period, .check = retention, .value = LINT_QC_RETENTION_PERIOD},
    {"e_qcstatem_qcsscd_valid", ETSI, SINCE_2_2_1, .asks = "QcSSCD has no value",
     .citation = "EN 319 412-5 4.2.2", .when = LINT_HAS_QC, .applies = has_sscd, .check = valid,
     .value = LINT_QC_SSCD},
    {"e_qcstatem_qctype_oneonly", ETSI, .asks = "QcType is exactly one of the three types",
     .citation = "EN 319 412-5 4.2.3", .effective = LINT_DAY(2023, 7, 1), .when = LINT_HAS_QC,
     .applies = has_type, .check = type_known, .value = LINT_QC_TYPE, .data = "one"},
    {"e_qcstatem_qctype_smime", ETSI, SINCE_2_2_1,
     .asks = "QcType of an S/MIME certificate is esign or eseal", .citation = "EN 319 412-5 4.2.3",
     .when = LINT_HAS_QC | LINT_IS_SMIME, .applies = has_type, .check = type_fits, .value = LINT_QC_TYPE,
     .data = "12"},
    {"e_qcstatem_qctype_valid", ETSI, SINCE_2_2_1, .asks = "QcType is of the three types",
     .citation = "EN 319 412-5 4.2.3", .retired = LINT_DAY(2023, 7, 1), .when = LINT_HAS_QC,
     .applies = has_type, .check = type_known, .value = LINT_QC_TYPE},
    {"e_qcstatem_qctype_web", ETSI, SINCE_2_2_1, .asks = "QcType of a website's certificate is web",
     .citation = "EN 319 412-5 4.2.3", .when = LINT_HAS_QC, .applies = has_type_web, .check = type_fits,
     .value = LINT_QC_TYPE, .data = "3"},
    {"w_etsi_natural_person_key_usage_preferred_values", .source = LINT_ETSI_ESI, .level = LINT_WARN,
     .kinds = LINT_CERTIFICATE, .zlint = true, .asks = "key usage is one of the settings A, C, E",
     .citation = "EN 319 412-2 4.3.2", .effective = LINT_DAY(2020, 7, 1),
     .when = LINT_IS_SUBSCRIBER | LINT_HAS_KU, .applies = natural_person, .check = key_usage,
     .value = SETTINGS_PURE},
    {"w_qcstatem_qcpds_lang_case", .source = LINT_ETSI_ESI, .level = LINT_WARN, .kinds = LINT_CERTIFICATE,
     .zlint = true, SINCE_2_2_1, .asks = "languages of disclosure statements are in small letters",
     .citation = "EN 319 412-5 4.3.4", .when = LINT_HAS_QC, .applies = has_pds, .check = pds_case,
     .value = LINT_QC_PDS},
};
const struct lint_table lint_etsi = LINT_TABLE(rows);
