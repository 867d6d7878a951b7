/* See mailroom_text.h. */
#include "role/mailroom_text.h"

#include <string.h>

#include "base/text.h"

enum { TAG_NAME_MAX = 16, ENTITY_MAX = 10, HEX_BASE = 16, DECIMAL_BASE = 10, CODE_MAX = 0x10ffff };

/* ---- HTML ---- */

/* Tags at which a line ends; at those of a cell there is a space, all others are inside of words. */
static const struct {
    const char *name;
    char becomes;
} tags[] = {
    {"br", '\n'}, {"p", '\n'},  {"div", '\n'},   {"pre", '\n'}, {"li", '\n'}, {"ul", '\n'},
    {"ol", '\n'}, {"tr", '\n'}, {"table", '\n'}, {"h1", '\n'},  {"h2", '\n'}, {"h3", '\n'},
    {"h4", '\n'}, {"hr", '\n'}, {"title", '\n'}, {"td", ' '},   {"th", ' '},  {"blockquote", '\n'},
};

static const struct {
    const char *name;
    uint8_t is;
} entities[] = {
    {"amp", '&'},  {"lt", '<'},     {"gt", '>'},  {"quot", '"'},   {"apos", '\''},    {"nbsp", ' '},
    {"plus", '+'}, {"equals", '='}, {"sol", '/'}, {"hyphen", '-'}, {"NewLine", '\n'}, {"colon", ':'},
};

/* The length of the tag at `at`, up to its ">"; of one without an end, the rest. */
static size_t take_tag(lt_slice html, size_t at, struct lt_buf *out)
{
    lt_slice tag = lt_slice_sub(html, at, SIZE_MAX);
    size_t end = lt_slice_find(tag, '>');
    size_t from = tag.len > 1 && tag.ptr[1] == '/' ? 2 : 1;
    char name[TAG_NAME_MAX] = "";
    size_t n = 0;
    while (n + 1 < sizeof name && from + n < end) {
        uint8_t c = tag.ptr[from + n] | 0x20;
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9')) {
            break;
        }
        name[n++] = (char)c;
    }
    for (size_t i = 0; i < LT_COUNT(tags); i++) {
        if (strcmp(tags[i].name, name) == 0) {
            lt_buf_add_byte(out, (uint8_t)tags[i].becomes);
        }
    }
    return end < tag.len ? end + 1 : tag.len;
}

static void add_code(struct lt_buf *out, uint32_t c)
{
    if (c < 0x80) {
        lt_buf_add_byte(out, (uint8_t)c);
    } else if (c < 0x800) {
        lt_buf_add_byte(out, (uint8_t)(0xc0 | c >> 6));
        lt_buf_add_byte(out, (uint8_t)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        lt_buf_add_byte(out, (uint8_t)(0xe0 | c >> 12));
        lt_buf_add_byte(out, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
        lt_buf_add_byte(out, (uint8_t)(0x80 | (c & 0x3f)));
    } else {
        lt_buf_add_byte(out, '?'); /* nothing of what is looked for */
    }
}

/* 0: those letters are no number. */
static uint32_t number_of(lt_slice digits)
{
    uint32_t base = digits.len > 0 && (digits.ptr[0] | 0x20) == 'x' ? HEX_BASE : DECIMAL_BASE;
    uint32_t value = 0;
    for (size_t i = base == HEX_BASE ? 1 : 0; i < digits.len; i++) {
        uint8_t c = digits.ptr[i] | 0x20;
        uint32_t d = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                     : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                                            : base;
        if (d >= base || value > CODE_MAX / base) {
            return 0;
        }
        value = value * base + d;
    }
    return value >= 0xd800 && value < 0xe000 ? 0 : value;
}

/* The length of "&name;" or "&#7;" at `at`; of anything else 1, and it is itself. */
static size_t take_entity(lt_slice html, size_t at, struct lt_buf *out)
{
    lt_slice word = lt_slice_sub(html, at + 1, ENTITY_MAX);
    size_t end = lt_slice_find(word, ';');
    lt_slice name = lt_slice_sub(word, 0, end);
    if (end < word.len && end > 1 && name.ptr[0] == '#') {
        uint32_t c = number_of(lt_slice_sub(name, 1, SIZE_MAX));
        if (c != 0) {
            add_code(out, c == 0xa0 ? ' ' : c);
            return end + 2;
        }
    }
    for (size_t i = 0; i < LT_COUNT(entities) && end < word.len; i++) {
        if (lt_slice_eq_cstr(name, entities[i].name)) {
            lt_buf_add_byte(out, entities[i].is);
            return end + 2;
        }
    }
    lt_buf_add_byte(out, '&');
    return 1;
}

static lt_res end(struct lt_buf *out, struct lt_arena *a, lt_slice *ret_text)
{
    *ret_text = out->overflow ? (lt_slice){0} : lt_arena_copy(a, lt_buf_slice(out));
    lt_buf_done(out);
    LT_CHECK(ret_text->ptr != NULL, LT_PEER_TOO_LARGE, "the report is over the limit");
    return LT_OK;
}

lt_res mailroom_text_html(lt_slice html, struct lt_arena *a, lt_slice *ret_text)
{
    struct lt_buf out;
    lt_buf_init(&out, html.len + 1);
    for (size_t i = 0; i < html.len;) {
        uint8_t c = html.ptr[i];
        if (c == '<') {
            i += take_tag(html, i, &out);
        } else if (c == '&') {
            i += take_entity(html, i, &out);
        } else {
            lt_buf_add_byte(&out, c);
            i++;
        }
    }
    return end(&out, a, ret_text);
}

/* ---- UTF-16 ---- */

lt_res mailroom_text_utf16(lt_slice bytes, struct lt_arena *a, lt_slice *ret_text)
{
    bool little = bytes.len >= 2 && bytes.ptr[0] == 0xff && bytes.ptr[1] == 0xfe;
    bool big = bytes.len >= 2 && bytes.ptr[0] == 0xfe && bytes.ptr[1] == 0xff;
    struct lt_buf out;
    *ret_text = bytes;
    if (!little && !big) {
        return LT_OK;
    }
    lt_buf_init(&out, bytes.len * 2 + 1);
    for (size_t i = 2; i + 1 < bytes.len; i += 2) {
        uint32_t c = little ? (uint32_t)(bytes.ptr[i + 1] << 8 | bytes.ptr[i])
                            : (uint32_t)(bytes.ptr[i] << 8 | bytes.ptr[i + 1]);
        add_code(&out, c >= 0xd800 && c < 0xe000 ? '?' : c); /* halves of a pair */
    }
    return end(&out, a, ret_text);
}
