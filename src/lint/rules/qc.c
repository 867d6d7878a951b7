/* qcStatements: one cursor over the extension, one decoder for each kind of information. */
#include "lint/rules/qc.h"

struct der_cursor lint_statements(const struct lint_subject *s)
{
    const struct x509_extension *x = lint_ext(s, X509_OID_QC_STATEMENTS);
    struct der_cursor c = der_open(x == NULL ? LT_SLICE(NULL, 0) : x->value);
    struct der_cursor in = der_enter(&c, DER_SEQUENCE);
    if (der_ok(&in) && c.pos != c.end) {
        der_fail(&in, "bytes behind the statements");
    }
    return in;
}

static void classify(struct lint_statement *st)
{
    static const uint8_t esi[] = {0x04, 0x00, 0x8e, 0x46, 0x01};
    static const uint8_t psd2[] = {0x04, 0x00, 0x81, 0x98, 0x27, 0x02};
    static const uint8_t semantics[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x0b, 0x02};
    st->type = LINT_QC_OTHER;
    st->qc_type = 0;
    if (lt_slice_eq(st->id, LT_SLICE(psd2, sizeof(psd2)))) {
        st->type = LINT_QC_PSD2;
        return;
    }
    if (lt_slice_eq(st->id, LT_SLICE(semantics, sizeof(semantics)))) {
        st->type = LINT_QC_SEMANTICS;
        return;
    }
    if (!lt_slice_starts(st->id, LT_SLICE(esi, sizeof(esi)))) {
        return;
    }
    lt_slice rest = lt_slice_sub(st->id, sizeof(esi), st->id.len);
    if (rest.len == 1 && rest.ptr[0] < LINT_QC_COUNT) {
        st->type = (enum lint_qc)rest.ptr[0];
    } else if (rest.len == 2 && rest.ptr[0] == LINT_QC_TYPE) {
        st->qc_type = rest.ptr[1];
    }
}

bool lint_statement_next(struct der_cursor *c, struct lint_statement *ret_statement)
{
    *ret_statement = (struct lint_statement){0};
    if (!der_more(c)) {
        return false;
    }
    uint32_t tag;
    lt_slice content;
    if (!der_any(c, &tag, &content, &ret_statement->whole)) {
        return false;
    }
    if (tag != DER_SEQUENCE) {
        der_fail(c, "a statement that is no SEQUENCE");
        return false;
    }
    struct der_cursor in = der_into(c, content);
    ret_statement->id = der_oid(&in);
    if (der_more(&in)) {
        (void)der_any(&in, &tag, &content, &ret_statement->info); /* failure stays in the cursor */
    }
    if (!der_ok(&in)) {
        der_fail(c, in.why);
        return false;
    }
    classify(ret_statement);
    return true;
}

bool lint_statement_find(const struct lint_subject *s, enum lint_qc type,
                         struct lint_statement *ret_statement)
{
    struct der_cursor c = lint_statements(s);
    while (lint_statement_next(&c, ret_statement)) {
        if (ret_statement->type == type) {
            return true;
        }
    }
    return false;
}

bool lint_qc_types_read(lt_slice info, struct lint_qc_types *ret_types)
{
    static const uint8_t prefix[] = {0x04, 0x00, 0x8e, 0x46, 0x01, 0x06};
    *ret_types = (struct lint_qc_types){0};
    struct der_cursor c = der_open(info);
    struct der_cursor in = der_enter(&c, DER_SEQUENCE);
    while (der_more(&in)) {
        lt_slice id = der_oid(&in);
        uint8_t last = id.len == sizeof(prefix) + 1 && lt_slice_starts(id, LT_SLICE(prefix, sizeof(prefix)))
                           ? id.ptr[sizeof(prefix)]
                           : 0;
        bool known = last > 0 && last < LT_COUNT(ret_types->has);
        ret_types->count++;
        ret_types->others += !known;
        ret_types->has[known ? last : 0] = true;
    }
    return der_ok(&in) && der_ok(&c) && c.pos == c.end;
}

bool lint_pds_next(struct der_cursor *c, struct lint_pds *ret_pds)
{
    *ret_pds = (struct lint_pds){0};
    if (!der_more(c)) {
        return false;
    }
    struct der_cursor in = der_enter(c, DER_SEQUENCE);
    (void)der_any(&in, &ret_pds->url_tag, &ret_pds->url, NULL); /* failure stays in the cursor */
    (void)der_any(&in, &ret_pds->language_tag, &ret_pds->language, NULL);
    ret_pds->more = der_more(&in);
    if (!der_ok(&in)) {
        der_fail(c, in.why);
        return false;
    }
    return true;
}

/* Only the identifier may be there. */
static const char *check_empty(const struct lint_statement *st)
{
    return st->info.len == 0 ? NULL : "the statement has a value";
}

static bool integers(struct der_cursor *c, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (der_integer(c).len > 8) {
            return false;
        }
    }
    return der_ok(c);
}

/* zlint's library takes asterisks in a PrintableString for good. */
static bool is_printable(uint32_t tag, lt_slice text)
{
    if (tag != DER_PRINTABLE_STRING) {
        return false;
    }
    while (text.len > 0) {
        size_t len = lt_slice_find(text, '*');
        if (!x509_string_valid(tag, lt_slice_sub(text, 0, len))) {
            return false;
        }
        text = lt_slice_sub(text, len + 1, text.len);
    }
    return true;
}

/* MonetaryValue ::= SEQUENCE { currency CHOICE { PrintableString, INTEGER }, amount INTEGER, exponent } */
static const char *check_limit(const struct lint_statement *st)
{
    struct der_cursor c = der_open(st->info);
    struct der_cursor in = der_enter(&c, DER_SEQUENCE);
    if (der_is_next(&in, DER_INTEGER)) {
        return integers(&in, 3) ? NULL : "the value does not decode";
    }
    uint32_t tag;
    lt_slice currency;
    if (!der_any(&in, &tag, &currency, NULL) || !integers(&in, 2)) {
        return "the value does not decode";
    }
    bool right = is_printable(tag, currency) && !der_more(&in);
    return right ? NULL : "the currency is no PrintableString, or more than three fields";
}

static const char *check_period(const struct lint_statement *st)
{
    struct der_cursor c = der_open(st->info);
    return der_integer(&c).len <= 8 && der_ok(&c) ? NULL : "the value is no INTEGER";
}

struct der_cursor lint_pds_open(lt_slice info)
{
    struct der_cursor c = der_open(info);
    struct der_cursor in = der_enter(&c, DER_SEQUENCE);
    if (der_ok(&in) && c.pos != c.end) {
        der_fail(&in, "bytes behind the value");
    }
    return in;
}

static const char *check_pds(const struct lint_statement *st)
{
    struct der_cursor c = lint_pds_open(st->info);
    struct lint_pds pds;
    const char *why = NULL;
    while (lint_pds_next(&c, &pds)) {
        if (pds.url_tag != DER_IA5_STRING || pds.more || !x509_string_valid(pds.url_tag, pds.url) ||
            !is_printable(pds.language_tag, pds.language)) {
            why = "a location is not of IA5String and PrintableString";
        }
    }
    return der_ok(&c) ? why : "the value does not decode";
}

static const char *check_type(const struct lint_statement *st)
{
    struct lint_qc_types types;
    return lint_qc_types_read(st->info, &types) ? NULL : "the value is no list of OBJECT IDENTIFIERs";
}

/* QcCClegislation ::= SEQUENCE OF PrintableString (SIZE(2)) */
static const char *check_legislation(const struct lint_statement *st)
{
    struct der_cursor c = der_open(st->info);
    struct der_cursor in = der_enter(&c, DER_SEQUENCE);
    while (der_more(&in)) {
        if (der_read(&in, DER_PRINTABLE_STRING).len != 2) {
            return "a country is not of two letters";
        }
    }
    return der_ok(&in) && der_ok(&c) && c.pos == c.end ? NULL : "the value is no list of PrintableStrings";
}

static const char *check_psd2(const struct lint_statement *st)
{
    struct lint_psd2 psd2;
    return lint_psd2_read(st->info, &psd2) ? NULL : "the value does not decode";
}

const char *lint_statement_check(const struct lint_statement *st)
{
    switch (st->type) {
    case LINT_QC_COMPLIANCE:
    case LINT_QC_SSCD:
        return check_empty(st);
    case LINT_QC_LIMIT_VALUE:
        return check_limit(st);
    case LINT_QC_RETENTION_PERIOD:
        return check_period(st);
    case LINT_QC_PDS:
        return check_pds(st);
    case LINT_QC_TYPE:
        return check_type(st);
    case LINT_QC_LEGISLATION:
        return check_legislation(st);
    case LINT_QC_PSD2:
        return check_psd2(st);
    case LINT_QC_OTHER:
    case LINT_QC_IDENT_METHOD:
    case LINT_QC_QSCD_LEGISLATION:
    case LINT_QC_COUNT:
    case LINT_QC_SEMANTICS:
        break;
    }
    return NULL;
}

/* PSD2QcType ::= SEQUENCE { rolesOfPSP SEQUENCE OF RoleOfPSP, nCAName UTF8String, nCAId UTF8String } */
bool lint_psd2_read(lt_slice info, struct lint_psd2 *ret_psd2)
{
    struct der_cursor c = der_open(info);
    struct der_cursor in = der_enter(&c, DER_SEQUENCE);
    ret_psd2->roles = der_enter(&in, DER_SEQUENCE);
    ret_psd2->authority = der_read(&in, DER_UTF8_STRING);
    ret_psd2->authority_id = der_read(&in, DER_UTF8_STRING);
    der_leave(&c, &in);
    return der_ok(&c) && c.pos == c.end && der_ok(&ret_psd2->roles);
}

/* RoleOfPSP ::= SEQUENCE { roleOfPspOid OBJECT IDENTIFIER, roleOfPspName UTF8String } */
bool lint_psd2_role_next(struct der_cursor *roles, unsigned *ret_role, lt_slice *ret_name)
{
    static const uint8_t arc[] = {0x04, 0x00, 0x81, 0x98, 0x27, 0x01};
    if (!der_more(roles)) {
        return false;
    }
    struct der_cursor in = der_enter(roles, DER_SEQUENCE);
    lt_slice id = der_oid(&in);
    *ret_name = der_read(&in, DER_UTF8_STRING);
    bool known = id.len == sizeof(arc) + 1 && lt_slice_starts(id, LT_SLICE(arc, sizeof(arc)));
    *ret_role = known ? id.ptr[sizeof(arc)] : UINT8_MAX;
    der_leave(roles, &in);
    return der_ok(roles);
}

/* SemanticsInformation ::= SEQUENCE { semanticsIdentifier OBJECT IDENTIFIER OPTIONAL,
 *   nameRegistrationAuthorities SEQUENCE OF GeneralName OPTIONAL } */
bool lint_semantics_find(const struct lint_subject *s, enum lint_semantics which,
                         struct lint_semantics_info *ret_info)
{
    static const uint8_t arc[] = {0x04, 0x00, 0x8b, 0xec, 0x49, 0x01};
    struct der_cursor c = lint_statements(s);
    struct lint_statement st;
    while (lint_statement_next(&c, &st)) {
        if (st.type != LINT_QC_SEMANTICS) {
            continue;
        }
        struct der_cursor info = der_open(st.info);
        struct der_cursor in = der_enter(&info, DER_SEQUENCE);
        lt_slice id = der_is_next(&in, DER_OID) ? der_oid(&in) : LT_SLICE(NULL, 0);
        if (id.len == sizeof(arc) + 1 && lt_slice_starts(id, LT_SLICE(arc, sizeof(arc))) &&
            id.ptr[sizeof(arc)] == (uint8_t)which) {
            *ret_info = (struct lint_semantics_info){.whole = st.whole, .has_authorities = der_more(&in)};
            struct der_cursor names = der_enter(&in, DER_SEQUENCE);
            while (der_more(&names)) {
                uint32_t tag;
                lt_slice name;
                (void)der_any(&names, &tag, &name, NULL); /* failure ends the loop */
                ret_info->has_url = ret_info->has_url || tag == DER_CONTEXT(X509_GN_URI);
            }
            return true;
        }
    }
    return false;
}
