/* See form.h. */
#include "http/form.h"

bool http_form_is(lt_slice content_type)
{
    lt_slice type = lt_slice_sub(content_type, 0, lt_slice_find(content_type, ';'));
    while (type.len > 0 && (type.ptr[type.len - 1] == ' ' || type.ptr[type.len - 1] == '\t')) {
        type.len--;
    }
    return lt_slice_eq_nocase(type, LT_LIT("application/x-www-form-urlencoded"));
}

static int digit(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static lt_res check_text(lt_slice text, bool lines);

static lt_res decode(lt_slice text, size_t max, bool lines, struct lt_arena *a, lt_slice *ret_text)
{
    uint8_t *out = lt_arena_alloc(a, text.len + 1);
    size_t len = 0;
    LT_CHECK(out != NULL, LT_PEER_TOO_LARGE, "the form is over the limit");
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (c == '+') {
            c = ' ';
        } else if (c == '%') {
            LT_CHECK(text.len - i > 2, LT_PEER_MALFORMED, "a percent sign without its two digits");
            int high = digit(text.ptr[i + 1]);
            int low = digit(text.ptr[i + 2]);
            LT_CHECK(high >= 0 && low >= 0, LT_PEER_MALFORMED, "a percent sign without its two digits");
            c = (uint8_t)(high * 16 + low);
            i += 2;
        }
        out[len++] = c;
    }
    LT_CHECK(len <= max, LT_PEER_TOO_LARGE, "a field of the form is over the limit");
    *ret_text = LT_SLICE(out, len);
    return check_text(*ret_text, lines);
}

/* How many bytes follow the first one, and the least number that needs so many. */
static const struct {
    uint8_t mask;
    uint8_t lead;
    size_t more;
    uint32_t least;
} lengths[] = {{0x80, 0x00, 0, 0}, {0xe0, 0xc0, 1, 0x80}, {0xf0, 0xe0, 2, 0x800}, {0xf8, 0xf0, 3, 0x10000}};

static size_t length_row(uint8_t first)
{
    size_t row = 0;
    while (row < LT_COUNT(lengths) && (first & lengths[row].mask) != lengths[row].lead) {
        row++;
    }
    return row;
}

static lt_res check_text(lt_slice text, bool lines)
{
    size_t i = 0;
    while (i < text.len) {
        size_t row = length_row(text.ptr[i]);
        LT_CHECK(row < LT_COUNT(lengths) && text.len - i > lengths[row].more, LT_PEER_MALFORMED,
                 "a text that is no UTF-8");
        uint32_t c = (uint32_t)(text.ptr[i] & ~lengths[row].mask & 0xff);
        for (size_t k = 1; k <= lengths[row].more; k++) {
            LT_CHECK((text.ptr[i + k] & 0xc0) == 0x80, LT_PEER_MALFORMED, "a text that is no UTF-8");
            c = c << 6 | (text.ptr[i + k] & 0x3fu);
        }
        bool surrogate = c >= 0xd800 && c <= 0xdfff;
        LT_CHECK(c >= lengths[row].least && c <= 0x10ffff && !surrogate, LT_PEER_MALFORMED,
                 "a text that is no UTF-8");
        bool line = lines && (c == '\n' || c == '\r' || c == '\t');
        LT_CHECK(line || (c >= 0x20 && (c < 0x7f || c > 0x9f)), LT_PEER_MALFORMED,
                 "a control character in a text");
        i += 1 + lengths[row].more;
    }
    return LT_OK;
}

lt_res http_form_check_text(lt_slice text)
{
    return check_text(text, false);
}

bool http_form_is_text(lt_slice bytes)
{
    return !lt_failed(check_text(bytes, true));
}

static bool is_area(const char *const *areas, lt_slice name)
{
    for (size_t i = 0; areas != NULL && areas[i] != NULL; i++) {
        if (lt_slice_eq_cstr(name, areas[i])) {
            return true;
        }
    }
    return false;
}

static lt_res add(struct http_form *form, lt_slice name, lt_slice value)
{
    LT_CHECK(form->count < HTTP_FORM_FIELDS_MAX, LT_PEER_TOO_LARGE, "too many fields in the form");
    LT_CHECK(name.len > 0, LT_PEER_MALFORMED, "a field without a name");
    for (size_t i = 0; i < form->count; i++) {
        LT_CHECK(!lt_slice_eq(form->fields[i].name, name), LT_PEER_MALFORMED, "a field twice");
    }
    form->fields[form->count++] = (struct http_form_field){name, value};
    return LT_OK;
}

lt_res http_form_take(struct http_form *form, const char *const *areas, lt_slice name, lt_slice value)
{
    bool lines = is_area(areas, name);
    LT_CHECK(name.len <= HTTP_FORM_NAME_MAX &&
                 value.len <= (lines ? HTTP_FORM_AREA_MAX : HTTP_FORM_VALUE_MAX),
             LT_PEER_TOO_LARGE, "a field of the form is over the limit");
    LT_TRY(check_text(name, false));
    LT_TRY(check_text(value, lines));
    return add(form, name, value);
}

static lt_res add_pair(lt_slice pair, const char *const *areas, struct lt_arena *a, struct http_form *form)
{
    struct http_form_field f;
    size_t equals = lt_slice_find(pair, '=');
    LT_CHECK(form->count < HTTP_FORM_FIELDS_MAX, LT_PEER_TOO_LARGE, "too many fields in the form");
    LT_TRY(decode(lt_slice_sub(pair, 0, equals), HTTP_FORM_NAME_MAX, false, a, &f.name));
    bool lines = is_area(areas, f.name);
    LT_TRY(decode(lt_slice_sub(pair, equals + 1, SIZE_MAX), lines ? HTTP_FORM_AREA_MAX : HTTP_FORM_VALUE_MAX,
                  lines, a, &f.value));
    return add(form, f.name, f.value);
}

lt_res http_form_parse(lt_slice body, struct lt_arena *a, struct http_form *ret_form)
{
    return http_form_parse_areas(body, NULL, a, ret_form);
}

lt_res http_form_parse_area(lt_slice body, const char *area, struct lt_arena *a, struct http_form *ret_form)
{
    const char *const areas[] = {area, NULL};
    return http_form_parse_areas(body, areas, a, ret_form);
}

lt_res http_form_parse_areas(lt_slice body, const char *const *areas, struct lt_arena *a,
                             struct http_form *ret_form)
{
    lt_slice pair;
    ret_form->count = 0;
    if (body.len == 0) {
        return LT_OK;
    }
    while (lt_slice_split(&body, '&', &pair)) {
        LT_TRY(add_pair(pair, areas, a, ret_form));
    }
    return LT_OK;
}
