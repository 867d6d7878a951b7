/* Text of strangers on its way out: as Go's JSON encoder writes it, and as a terminal may see it. */
#include <string.h>

#include "cmd/lint.h"

/* Length of the well-formed UTF-8 sequence at the start of s, and its code point; 0 when there is none. */
static size_t decode(lt_slice s, uint32_t *ret_point)
{
    static const struct {
        uint8_t low;
        uint8_t high;
        uint8_t second_low;
        uint8_t second_high;
        uint8_t len;
    } rows[] = {
        /* Unicode 15 table 3-7 */
        {0x00, 0x7f, 0x00, 0x00, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    static const uint8_t lead_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    for (size_t r = 0; r < LT_COUNT(rows); r++) {
        size_t len = rows[r].len;
        if (s.ptr[0] < rows[r].low || s.ptr[0] > rows[r].high || s.len < len) {
            continue;
        }
        bool good = len == 1 || (s.ptr[1] >= rows[r].second_low && s.ptr[1] <= rows[r].second_high);
        uint32_t point = s.ptr[0] & lead_bits[len];
        for (size_t i = 1; i < len; i++) {
            good = good && (s.ptr[i] & 0xc0) == 0x80;
            point = point << 6 | (s.ptr[i] & 0x3fu);
        }
        *ret_point = point;
        return good ? len : 0;
    }
    return 0;
}

/* What Go writes instead of that character, or NULL when it stays. */
static const char *go_escape(uint32_t point)
{
    static const struct {
        uint32_t point;
        const char *text;
    } rows[] = {
        {'"', "\\\""},    {'\\', "\\\\"},   {'\b', "\\b"},       {'\f', "\\f"},
        {'\n', "\\n"},    {'\r', "\\r"},    {'\t', "\\t"},       {'<', "\\u003c"},
        {'>', "\\u003e"}, {'&', "\\u0026"}, {0x2028, "\\u2028"}, {0x2029, "\\u2029"},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        if (rows[i].point == point) {
            return rows[i].text;
        }
    }
    return NULL;
}

static bool unremarkable(uint8_t c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
}

void cmd_lint_go_string(struct lt_buf *out, lt_slice s)
{
    lt_buf_add_byte(out, '"');
    while (s.len > 0) {
        size_t run = 0;
        while (run < s.len && unremarkable(s.ptr[run])) {
            run++;
        }
        lt_buf_add(out, lt_slice_sub(s, 0, run));
        s = lt_slice_sub(s, run, SIZE_MAX);
        if (s.len == 0) {
            break;
        }
        uint32_t point = 0;
        size_t len = decode(s, &point);
        const char *escape = len == 0 ? "\\ufffd" : go_escape(point);
        if (escape != NULL) {
            lt_buf_add_cstr(out, escape);
        } else if (point < 0x20) {
            lt_buf_addf(out, "\\u%04x", (unsigned)point);
        } else {
            lt_buf_add(out, lt_slice_sub(s, 0, len));
        }
        s = lt_slice_sub(s, len == 0 ? 1 : len, SIZE_MAX);
    }
    lt_buf_add_byte(out, '"');
}

/* Directions and line ends of Unicode change what a reader sees of the rest of a line. */
static bool disturbs(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point < 0xa0) || (point >= 0x200b && point <= 0x200f) ||
           (point >= 0x2028 && point <= 0x202e) || (point >= 0x2060 && point <= 0x206f) || point == 0xfeff;
}

void cmd_lint_plain(struct lt_buf *out, lt_slice s)
{
    while (s.len > 0) {
        uint32_t point = 0;
        size_t len = decode(s, &point);
        if (len == 0) {
            lt_buf_addf(out, "\\x%02x", s.ptr[0]);
        } else if (disturbs(point)) {
            lt_buf_addf(out, point < 0x100 ? "\\x%02x" : "\\u%04x", (unsigned)point);
        } else {
            lt_buf_add(out, lt_slice_sub(s, 0, len));
        }
        s = lt_slice_sub(s, len == 0 ? 1 : len, SIZE_MAX);
    }
}
