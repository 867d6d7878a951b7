/* Our rules of EN 319 412-5 and TS 119 495: what qualified statements hold beyond zlint's rules, and which of
 * them go with what kind of certificate. */
#include "lint/rules/etsi.h"
#include "lint/rules/url.h"

#define ETSI(level_, y_, m_) \
    .source = LINT_ETSI_ESI, .level = (level_), .kinds = LINT_CERTIFICATE, .effective = LINT_DAY(y_, m_, 1)
#define SINCE_412_5(level_) ETSI(level_, 2017, 11)
#define SINCE_119_495(level_) ETSI(level_, 2018, 7)

/* ISO 639-1, in order. */
static const char languages[] = "aaabaeafakamanarasavayazbabebgbhbibmbnbobrbscacechcocrcscucvcydadedvdzeeelen"
                                "eoeseteufafffifjfofrfygagdglgn"
                                "gugvhahehihohrhthuhyhziaidieigiiikioisitiujajvkakgkikjkkklkmknkokrkskukvkwky"
                                "lalblglilnloltlulvmgmhmimkmlmn"
                                "mrmsmtmynanbndnengnlnnnonrnvnyocojomorospapiplpsptqurmrnrorurwsascsdsesgshsi"
                                "skslsmsnsosqsrssstsusvswtatetg"
                                "thtitktltntotrtstttwtyugukuruzvevivowawoxhyiyozazhzu";

/* ISO 4217, also those withdrawn since 2014; not the codes for tests and for none. */
static const char currencies[] = "AEDAFNALLAMDANGAOAARSAUDAWGAZNBAMBBDBDTBGNBHDBIFBMDBNDBOBBOVBRLBSDBTNBWPBYN"
                                 "BYRBZDCADCDFCHECHFCHWCLFCLPCNY"
                                 "COPCOUCRCCUCCUPCVECZKDJFDKKDOPDZDEGPERNETBEURFJDFKPGBPGELGHSGIPGMDGNFGTQGYD"
                                 "HKDHNLHRKHTGHUFIDRILSINRIQDIRR"
                                 "ISKJMDJODJPYKESKGSKHRKMFKPWKRWKWDKYDKZTLAKLBPLKRLRDLSLLTLLVLLYDMADMDLMGAMKD"
                                 "MMKMNTMOPMROMRUMURMVRMWKMXNMXV"
                                 "MYRMZNNADNGNNIONOKNPRNZDOMRPABPENPGKPHPPKRPLNPYGQARRONRSDRUBRWFSARSBDSCRSDG"
                                 "SEKSGDSHPSLESLLSOSSRDSSPSTDSTN"
                                 "SVCSYPSZLTHBTJSTMTTNDTOPTRYTTDTWDTZSUAHUGXUSDUSNUYIUYUUYWUZSVEDVEFVESVNDVUV"
                                 "WSTXADXAFXAGXAUXBAXBBXBCXBDXCD"
                                 "XCGXDRXOFXPDXPFXPTXSUXUAYERZARZMWZWGZWL";

/* Is it one of the codes of that length in the list? */
static bool is_listed(const char *list, size_t list_len, lt_slice code, size_t len)
{
    for (size_t i = 0; code.len == len && i + len <= list_len; i += len) {
        if (lt_slice_eq(code, LT_SLICE(&list[i], len))) {
            return true;
        }
    }
    return false;
}

static void decodes(const struct lint_subject *s, struct lint_report *r)
{
    struct der_cursor c = lint_statements(s);
    struct lint_statement st;
    while (lint_statement_next(&c, &st)) {
        const char *why = lint_statement_check(&st);
        if (why != NULL) {
            lint_found(r, st.whole, "a statement whose value is not of its type: %s", why);
        }
    }
    if (!der_ok(&c)) {
        lint_found(r, lint_ext_at(s, X509_OID_QC_STATEMENTS), "qcStatements does not decode: %s", c.why);
    }
}

static void legislation(const struct lint_subject *s, struct lint_report *r)
{
    struct lint_statement st;
    if (!lint_statement_find(s, LINT_QC_LEGISLATION, &st)) {
        return;
    }
    struct der_cursor c = der_open(st.info);
    struct der_cursor in = der_enter(&c, DER_SEQUENCE);
    if (!der_more(&in)) {
        lint_found(r, st.whole, "no country");
    }
    while (der_more(&in)) {
        lt_slice country = der_read(&in, DER_PRINTABLE_STRING);
        if (der_ok(&in) && !lint_country(country)) {
            lint_found(r, country, "country '%.*s' is no assigned code", LT_FMT(country));
        }
    }
}

static void retention(const struct lint_subject *s, struct lint_report *r)
{
    struct lint_statement st;
    if (!lint_statement_find(s, LINT_QC_RETENTION_PERIOD, &st)) {
        return;
    }
    struct der_cursor c = der_open(st.info);
    lt_slice years = der_integer(&c);
    if (der_ok(&c) && ((years.ptr[0] & 0x80) != 0 || (years.len == 1 && years.ptr[0] == 0))) {
        lint_found(r, years, "a retention period of no years");
    }
}

static void disclosure(const struct lint_subject *s, struct lint_report *r)
{
    struct lint_statement st;
    struct lint_pds pds;
    if (!lint_statement_find(s, LINT_QC_PDS, &st)) {
        return;
    }
    struct der_cursor c = lint_pds_open(st.info);
    while (lint_pds_next(&c, &pds)) {
        uint8_t lower[2] = {0};
        for (size_t i = 0; i < sizeof(lower) && i < pds.language.len; i++) {
            lower[i] = pds.language.ptr[i] | 0x20;
        }
        if (pds.language.len != 2 ||
            !is_listed(languages, sizeof(languages) - 1, LT_SLICE(lower, sizeof(lower)), 2)) {
            lint_found(r, pds.language, "language '%.*s' is no code of ISO 639-1", LT_FMT(pds.language));
        }
        if (!lint_url_has_scheme(pds.url, "https")) {
            lint_found(r, pds.url, "'%.*s' is no https URL", LT_FMT(pds.url));
        }
    }
}

static bool is_negative(lt_slice integer)
{
    return integer.len > 0 && (integer.ptr[0] & 0x80) != 0;
}

static void limit(const struct lint_subject *s, struct lint_report *r)
{
    struct lint_statement st;
    if (!lint_statement_find(s, LINT_QC_LIMIT_VALUE, &st)) {
        return;
    }
    struct der_cursor c = der_open(st.info);
    struct der_cursor in = der_enter(&c, DER_SEQUENCE);
    uint32_t tag;
    lt_slice currency;
    if (!der_any(&in, &tag, &currency, NULL)) {
        return;
    }
    if (tag == DER_PRINTABLE_STRING && !is_listed(currencies, sizeof(currencies) - 1, currency, 3)) {
        lint_found(r, currency, "currency '%.*s' is no code of ISO 4217", LT_FMT(currency));
    }
    if (tag == DER_INTEGER) {
        lint_found_at(r, LINT_WARN, currency, "the currency is a number, not letters");
    }
    lt_slice amount = der_integer(&in);
    lt_slice exponent = der_integer(&in);
    if (is_negative(amount) || is_negative(exponent)) {
        lint_found(r, st.whole, "amount or exponent is negative");
    }
}

static bool is_website(const struct lint_subject *s)
{
    return x509_has_eku(&s->cert->ext, X509_OID_SERVER_AUTH) && lint_etsi_qualified(s);
}

/* What Table 2 of EN 319 412-5 asks of a website's certificate. */
static void website(const struct lint_subject *s, struct lint_report *r)
{
    struct lint_statement st;
    lt_slice where = lint_ext_at(s, X509_OID_QC_STATEMENTS);
    if (lint_statement_find(s, LINT_QC_SSCD, &st)) {
        lint_found(r, st.whole, "a website's certificate with QcSSCD");
    }
    if (!lint_statement_find(s, LINT_QC_TYPE, &st)) {
        lint_found(r, where, "a website's certificate without QcType");
    }
}

/* Policies 0 and 2 are for signatures of people, 1 and 3 for seals; 2 and 3 with a secure device. */
static bool signs(const struct lint_subject *s)
{
    unsigned policy = UINT8_MAX;
    return lint_etsi_policies(s, &policy) == 1 && policy <= 3;
}

static void signature(const struct lint_subject *s, struct lint_report *r)
{
    unsigned policy = UINT8_MAX;
    (void)lint_etsi_policies(s, &policy); /* signs() has seen that there is one */
    lt_slice where = lint_ext_at(s, X509_OID_QC_STATEMENTS);
    struct lint_statement st;
    struct lint_qc_types types;
    if (!lint_statement_find(s, LINT_QC_COMPLIANCE, &st)) {
        lint_found(r, where, "a qualified policy without QcCompliance");
    }
    if (policy >= 2 && !lint_statement_find(s, LINT_QC_SSCD, &st)) {
        lint_found(r, where, "the policy of a secure device without QcSSCD");
    }
    if (!lint_statement_find(s, LINT_QC_TYPE, &st)) {
        lint_found(r, where, "a qualified policy without QcType");
    } else if (lint_qc_types_read(st.info, &types) && !types.has[policy % 2 == 0 ? 1 : 2]) {
        lint_found(r, st.whole, "QcType is not the one of the policy");
    }
}

/* The four roles of PSD2, and that there is none; by the last number of their OIDs. */
static const char *const roles[] = {"Unspecified", "PSP_AS", "PSP_PI", "PSP_AI", "PSP_IC"};

/* TS 119 495 5.2.2 one or more roles; each name belongs to its identifier */
static void psd2_roles(const struct lint_subject *s, struct lint_report *r)
{
    struct lint_statement st;
    struct lint_psd2 psd2;
    if (!lint_statement_find(s, LINT_QC_PSD2, &st) || !lint_psd2_read(st.info, &psd2)) {
        return;
    }
    unsigned role;
    lt_slice role_name;
    size_t count = 0;
    for (; lint_psd2_role_next(&psd2.roles, &role, &role_name); count++) {
        if (role >= LT_COUNT(roles)) {
            lint_found(r, st.whole, "a role with an unknown identifier");
        } else if (!lt_slice_eq_cstr(role_name, roles[role])) {
            lint_found(r, role_name, "role '%.*s' with the identifier of %s", LT_FMT(role_name), roles[role]);
        }
    }
    if (count == 0) {
        lint_found(r, st.whole, "no roles");
    }
}

static bool is_capitals(lt_slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < 'A' || s.ptr[i] > 'Z') {
            return false;
        }
    }
    return true;
}

/* TS 119 495 5.2.3 country, hyphen, 2 to 8 capitals; the name in the Latin alphabet */
static void psd2_authority(const struct lint_subject *s, struct lint_report *r)
{
    struct lint_statement st;
    struct lint_psd2 psd2;
    if (!lint_statement_find(s, LINT_QC_PSD2, &st) || !lint_psd2_read(st.info, &psd2)) {
        return;
    }
    lt_slice id = psd2.authority_id;
    size_t hyphen = lt_slice_find(id, '-');
    lt_slice letters = lt_slice_sub(id, hyphen + 1, id.len);
    if (!lint_country(lt_slice_sub(id, 0, hyphen)) || letters.len < 2 || letters.len > 8 ||
        !is_capitals(letters)) {
        lint_found(r, id, "identifier '%.*s' of the authority", LT_FMT(id));
    }
    for (size_t i = 0; i < psd2.authority.len; i++) {
        if (psd2.authority.ptr[i] >= 0x80) {
            lint_found(r, psd2.authority, "name '%.*s' of the authority", LT_FMT(psd2.authority));
            return;
        }
    }
}

/* TS 119 495 5.2.1 "PSD", country, hyphen, 2 to 8 capitals, hyphen, number */
static void psd2_org_id(const struct lint_subject *s, struct lint_report *r)
{
    const struct x509_attribute *a = x509_name_find(&s->cert->subject, X509_OID_ORGANIZATION_IDENTIFIER, 0);
    if (a == NULL) {
        lint_found(r, s->cert->subject.der, "no organizationIdentifier");
        return;
    }
    lt_slice rest = lt_slice_sub(a->value, 6, a->value.len);
    size_t hyphen = lt_slice_find(rest, '-');
    bool form = lt_slice_starts(a->value, LT_LIT("PSD")) && a->value.len > 6 && a->value.ptr[5] == '-' &&
                is_capitals(lt_slice_sub(a->value, 3, 2)) && hyphen >= 2 && hyphen <= 8 &&
                is_capitals(lt_slice_sub(rest, 0, hyphen)) && hyphen + 1 < rest.len;
    if (!form) {
        lint_found(r, a->value, "organizationIdentifier '%.*s' is not of the form of PSD2", LT_FMT(a->value));
    }
}

static bool is_psd2(const struct lint_subject *s)
{
    struct lint_statement st;
    return lint_statement_find(s, LINT_QC_PSD2, &st);
}

static void psd2_policy(const struct lint_subject *s, struct lint_report *r)
{
    static const uint8_t qcp_web_psd2[] = {0x04, 0x00, 0x81, 0x98, 0x27, 0x03, 0x01};
    for (size_t i = 0; i < s->cert->ext.policy_count; i++) {
        lt_slice id = s->cert->ext.policies[i].id.der;
        if (lt_slice_eq(id, LT_SLICE(qcp_web_psd2, sizeof(qcp_web_psd2))) && !is_psd2(s)) {
            lint_found(r, id, "the policy of PSD2 without its statement");
        }
    }
}

static const struct lint_rule rows[] = {
    {"lintel_etsi_statements", SINCE_412_5(LINT_ERROR),
     .asks = "each statement's value is of the type that goes with it", .citation = "EN 319 412-5 4",
     .when = LINT_HAS_QC, .check = decodes},
    {"lintel_etsi_legislation", ETSI(LINT_ERROR, 2020, 4),
     .asks = "QcCClegislation names countries of ISO 3166-1", .citation = "EN 319 412-5 4.2.4",
     .when = LINT_HAS_QC, .check = legislation},
    {"lintel_etsi_retention", SINCE_412_5(LINT_ERROR), .asks = "QcRetentionPeriod is of one year at least",
     .citation = "EN 319 412-5 4.3.3", .when = LINT_HAS_QC, .check = retention},
    {"lintel_etsi_disclosure", SINCE_412_5(LINT_ERROR),
     .asks = "disclosure statements are https URLs in languages of ISO 639-1",
     .citation = "EN 319 412-5 4.3.4", .when = LINT_HAS_QC, .check = disclosure},
    {"lintel_etsi_limit", SINCE_412_5(LINT_ERROR),
     .asks = "QcLimitValue is in a currency of ISO 4217, not negative", .citation = "EN 319 412-5 4.3.2",
     .when = LINT_HAS_QC, .check = limit},
    {"lintel_etsi_website", SINCE_412_5(LINT_ERROR),
     .asks = "a website's certificate has QcType and no QcSSCD", .citation = "EN 319 412-5 5 table 2",
     .when = LINT_HAS_QC | LINT_IS_SUBSCRIBER, .applies = is_website, .check = website},
    {"lintel_etsi_signature", SINCE_412_5(LINT_ERROR),
     .asks = "the statements of a certificate for signatures or seals are those of its policy",
     .citation = "EN 319 412-5 5 table 2; EN 319 411-2 5.3", .when = LINT_IS_SUBSCRIBER, .applies = signs,
     .check = signature},
    {"lintel_etsi_psd2_roles", SINCE_119_495(LINT_ERROR),
     .asks = "each role of PSD2 has the name of its identifier", .citation = "TS 119 495 5.2.2",
     .when = LINT_HAS_QC, .check = psd2_roles},
    {"lintel_etsi_psd2_authority", SINCE_119_495(LINT_ERROR),
     .asks = "the authority has a Latin name, and country and capitals as its identifier",
     .citation = "TS 119 495 5.2.3", .when = LINT_HAS_QC, .check = psd2_authority},
    {"lintel_etsi_psd2_org_id", SINCE_119_495(LINT_ERROR),
     .asks = "the organizationIdentifier of PSD2 is country, authority and number",
     .citation = "TS 119 495 5.2.1", .when = LINT_HAS_QC, .applies = is_psd2, .check = psd2_org_id},
    {"lintel_etsi_psd2_policy", SINCE_119_495(LINT_ERROR),
     .asks = "the policy of PSD2 goes with its statement", .citation = "TS 119 495 6.1",
     .when = LINT_HAS_CP | LINT_IS_SUBSCRIBER, .check = psd2_policy},
};
const struct lint_table lint_etsi_statements = LINT_TABLE(rows);
