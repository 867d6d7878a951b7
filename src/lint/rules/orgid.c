/* Identifiers of organizations: text and extension. */
#include "lint/rules/orgid.h"

#include "der/reader.h"
#include "lint/rules/common.h"

static bool is_capital(uint8_t c)
{
    return c >= 'A' && c <= 'Z';
}

static bool eat_capitals(lt_slice *s, size_t count, lt_slice *ret_part)
{
    for (size_t i = 0; i < count; i++) {
        if (i >= s->len || !is_capital(s->ptr[i])) {
            return false;
        }
    }
    *ret_part = lt_slice_sub(*s, 0, count);
    *s = lt_slice_sub(*s, count, s->len);
    return true;
}

static bool eat(lt_slice *s, uint8_t c)
{
    if (s->len == 0 || s->ptr[0] != c) {
        return false;
    }
    *s = lt_slice_sub(*s, 1, s->len);
    return true;
}

bool lint_org_id_split(lt_slice text, bool psd, struct lint_org_id *ret_id)
{
    *ret_id = (struct lint_org_id){0};
    lt_slice rest = text;
    if (!eat_capitals(&rest, 3, &ret_id->scheme) || !eat_capitals(&rest, 2, &ret_id->country)) {
        return false;
    }
    ret_id->has_state = eat(&rest, '+');
    if ((ret_id->has_state && !eat_capitals(&rest, 2, &ret_id->state)) || !eat(&rest, '-')) {
        return false;
    }
    if (psd) {
        size_t len = 0;
        while (len < rest.len && is_capital(rest.ptr[len])) {
            len++;
        }
        rest = lt_slice_sub(rest, len, rest.len);
        if (!eat(&rest, '-')) {
            return false;
        }
    }
    ret_id->reference = rest;
    return rest.len > 0 && lt_slice_find(rest, '\n') == rest.len;
}

/* CABFOrganizationIdentifier ::= SEQUENCE {
 *   registrationSchemeIdentifier PrintableString (SIZE(3)), registrationCountry PrintableString (SIZE(2)),
 *   registrationStateOrProvince [0] IMPLICIT PrintableString OPTIONAL, registrationReference UTF8String } */
bool lint_org_id_extension(lt_slice value, struct lint_org_id *ret_id)
{
    *ret_id = (struct lint_org_id){0};
    struct der_cursor c = der_open(value);
    struct der_cursor in = der_enter(&c, DER_SEQUENCE);
    uint32_t tag;
    if (!der_any(&in, &tag, &ret_id->scheme, NULL) || !der_any(&in, &tag, &ret_id->country, NULL)) {
        return false;
    }
    ret_id->has_state = der_optional(&in, DER_CONTEXT(0), &ret_id->state);
    return der_any(&in, &tag, &ret_id->reference, NULL);
}

bool lint_org_id_equal(const struct lint_org_id *a, const struct lint_org_id *b)
{
    return lt_slice_eq(a->scheme, b->scheme) && lt_slice_eq(a->country, b->country) &&
           lt_slice_eq(a->state, b->state) && lt_slice_eq(a->reference, b->reference);
}

static bool is_letter(uint8_t c)
{
    return is_capital(c) || (c >= 'a' && c <= 'z');
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

bool lint_org_id_read(lt_slice text, struct lint_org_id *ret_id)
{
    *ret_id = (struct lint_org_id){0};
    if (text.len < 5 || !is_capital(text.ptr[0]) || !is_capital(text.ptr[1]) ||
        !(is_capital(text.ptr[2]) || text.ptr[2] == ':') || !is_letter(text.ptr[3]) ||
        !is_letter(text.ptr[4])) {
        return false;
    }
    ret_id->scheme = lt_slice_sub(text, 0, 3);
    ret_id->country = lt_slice_sub(text, 3, 2);
    lt_slice rest = lt_slice_sub(text, 5, text.len);
    ret_id->has_state = eat(&rest, '+');
    if (ret_id->has_state) {
        size_t len = 0;
        while (len < rest.len && (is_letter(rest.ptr[len]) || is_digit(rest.ptr[len]))) {
            len++;
        }
        ret_id->state = lt_slice_sub(rest, 0, len);
        rest = lt_slice_sub(rest, len, rest.len);
        if (len < 1 || len > 3) {
            return false;
        }
    }
    if (rest.len == 0) {
        return true;
    }
    bool hyphen = eat(&rest, '-');
    ret_id->reference = rest;
    return hyphen && rest.len > 0;
}

/* Which countries go with a scheme. */
enum countries {
    OF_ISO,
    OF_ISO_AND_VAT, /* EL for Greece, XI for Northern Ireland */
    OF_THE_WORLD,   /* XG */
};

static const struct scheme {
    const char *name;
    unsigned documents;
    enum countries countries;
    bool state;     /* may have one */
    bool reference; /* has to have one; otherwise must not */
} schemes[] = {
    {"NTR", LINT_ORG_ID_EV | LINT_ORG_ID_SMIME, OF_ISO, true, true},
    {"VAT", LINT_ORG_ID_EV | LINT_ORG_ID_SMIME, OF_ISO_AND_VAT, false, true},
    {"PSD", LINT_ORG_ID_EV | LINT_ORG_ID_SMIME, OF_ISO, false, true},
    {"LEI", LINT_ORG_ID_SMIME, OF_THE_WORLD, false, true},
    {"GOV", LINT_ORG_ID_SMIME, OF_ISO, true, false},
    {"INT", LINT_ORG_ID_SMIME, OF_THE_WORLD, false, false},
};

static bool country_fits(enum countries which, lt_slice country)
{
    switch (which) {
    case OF_ISO:
        return lint_country(country);
    case OF_ISO_AND_VAT:
        return lint_country(country) || lt_slice_eq_cstr(country, "EL") || lt_slice_eq_cstr(country, "XI");
    case OF_THE_WORLD:
        return lt_slice_eq_cstr(country, "XG");
    }
    return false;
}

static const char *check_by(const struct scheme *scheme, const struct lint_org_id *id)
{
    if (!country_fits(scheme->countries, id->country)) {
        return "the country does not go with the scheme";
    }
    if (id->has_state && !scheme->state) {
        return "the scheme knows no states";
    }
    if ((id->reference.len > 0) != scheme->reference) {
        return scheme->reference ? "there is no reference" : "the scheme knows no references";
    }
    return lt_slice_eq_cstr(id->scheme, "LEI") ? lint_lei_check(id->reference) : NULL;
}

const char *lint_org_id_check(const struct lint_org_id *id, enum lint_org_id_of document)
{
    for (size_t i = 0; i < LT_COUNT(schemes); i++) {
        if ((schemes[i].documents & (unsigned)document) != 0 &&
            lt_slice_eq_cstr(id->scheme, schemes[i].name)) {
            return check_by(&schemes[i], id);
        }
    }
    return "the scheme is not listed";
}

/* 18 digits or capitals and two digits that make the whole, letters as 10 to 35, 1 modulo 97. */
const char *lint_lei_check(lt_slice lei)
{
    uint32_t rest = 0;
    for (size_t i = 0; i < lei.len; i++) {
        uint8_t c = lei.ptr[i];
        if (!is_digit(c) && (!is_capital(c) || i >= 18)) {
            return "the legal entity identifier is not 18 digits or capitals and two digits";
        }
        rest = is_digit(c) ? (rest * 10 + c - '0') % 97 : (rest * 100 + c - 'A' + 10) % 97;
    }
    if (lei.len != 20) {
        return "the legal entity identifier is not 20 characters long";
    }
    return rest == 1 ? NULL : "the check digits of the legal entity identifier are wrong";
}
