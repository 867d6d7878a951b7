/* Identifiers of organizations: text and extension. */
#include "lint/rules/orgid.h"

#include "der/reader.h"

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
