/* Markdown of reports, line by line. */
#include "incident/report_read.h"

#include <string.h>

static bool blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

lt_slice report_trim(lt_slice s)
{
    while (s.len > 0 && blank(s.ptr[0])) {
        s = lt_slice_sub(s, 1, s.len);
    }
    while (s.len > 0 && blank(s.ptr[s.len - 1])) {
        s.len--;
    }
    return s;
}

lt_slice report_plain(lt_slice s)
{
    s = report_trim(s);
    while (s.len >= 2 && strchr("*_`", s.ptr[0]) != NULL && s.ptr[0] != 0 && s.ptr[s.len - 1] == s.ptr[0]) {
        s = report_trim(LT_SLICE(s.ptr + 1, s.len - 2));
    }
    return s;
}

bool report_is_na(lt_slice s)
{
    static const char *const nothing[] = {"", "n/a", "na", "none", "-", "tbd", "n/a.", "none."};
    s = report_plain(s);
    for (size_t i = 0; i < LT_COUNT(nothing); i++) {
        if (lt_slice_eq_nocase(s, lt_slice_cstr(nothing[i]))) {
            return true;
        }
    }
    return false;
}

static bool is_letter(uint8_t c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static size_t find(lt_slice s, const char *needle, size_t from)
{
    size_t len = strlen(needle);
    for (size_t i = from; i + len <= s.len; i++) {
        if (lt_slice_eq_nocase(lt_slice_sub(s, i, len), LT_SLICE(needle, len))) {
            return i;
        }
    }
    return s.len;
}

bool report_has(lt_slice s, const char *needle)
{
    return s.len >= strlen(needle) && find(s, needle, 0) < s.len;
}

bool report_has_word(lt_slice s, const char *needle)
{
    size_t len = strlen(needle);
    for (size_t i = find(s, needle, 0); i < s.len; i = find(s, needle, i + 1)) {
        bool before = i > 0 && is_letter(s.ptr[i - 1]);
        bool behind = i + len < s.len && is_letter(s.ptr[i + len]);
        if (!before && !behind) {
            return true;
        }
    }
    return false;
}

/* How many bytes the character at s has; 0: it is none. Shortest form, no surrogates, up to U+10FFFF. */
static size_t utf8_at(lt_slice s)
{
    static const struct {
        uint8_t mask;
        uint8_t mark;
        uint32_t least;
    } forms[] = {{0x80, 0, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    for (size_t n = 0; n < LT_COUNT(forms); n++) {
        if ((s.ptr[0] & forms[n].mask) != forms[n].mark) {
            continue;
        }
        uint32_t c = s.ptr[0] & (uint8_t)~forms[n].mask;
        for (size_t i = 1; i <= n; i++) {
            if (i >= s.len || (s.ptr[i] & 0xc0) != 0x80) {
                return 0;
            }
            c = c << 6 | (s.ptr[i] & 0x3fu);
        }
        bool good = c != 0 && c >= forms[n].least && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
        return good ? n + 1 : 0;
    }
    return 0;
}

bool report_is_utf8(lt_slice s)
{
    while (s.len > 0) {
        size_t n = utf8_at(s);
        if (n == 0) {
            return false;
        }
        s = lt_slice_sub(s, n, s.len);
    }
    return true;
}

bool report_row_is_rule(lt_slice row)
{
    size_t dashes = 0;
    for (size_t i = 0; i < row.len; i++) {
        if (strchr("|-: \t\r", row.ptr[i]) == NULL || row.ptr[i] == 0) {
            return false;
        }
        dashes += row.ptr[i] == '-';
    }
    return dashes >= 3;
}

size_t report_cells(lt_slice row, lt_slice cells[REPORT_CELLS_MAX])
{
    size_t count = 0;
    size_t start = 0;
    row = report_trim(row);
    if (row.len > 0 && row.ptr[0] == '|') {
        row = lt_slice_sub(row, 1, row.len);
    }
    if (row.len > 0 && row.ptr[row.len - 1] == '|' && (row.len < 2 || row.ptr[row.len - 2] != '\\')) {
        row.len--;
    }
    for (size_t i = 0; i <= row.len && count < REPORT_CELLS_MAX; i++) {
        if (i == row.len || (row.ptr[i] == '|' && (i == 0 || row.ptr[i - 1] != '\\'))) {
            cells[count++] = report_trim(lt_slice_sub(row, start, i - start));
            start = i + 1;
        }
    }
    return count;
}

/* ---- one line ---- */

static bool heading(lt_slice line, struct report_item *it)
{
    size_t level = 0;
    while (level < line.len && line.ptr[level] == '#') {
        level++;
    }
    if (level == 0 || level > 6 || (level < line.len && !blank(line.ptr[level]))) {
        return false;
    }
    lt_slice words = report_trim(lt_slice_sub(line, level, line.len));
    while (words.len > 0 && words.ptr[words.len - 1] == '#') {
        words.len--; /* closing marks */
    }
    it->kind = REPORT_HEADING;
    it->level = (int)level;
    it->label = report_plain(words);
    return true;
}

/* The mark of a list, "- ", "* ", "12. ": how many bytes; 0: none. */
static size_t list_mark(lt_slice line)
{
    size_t i = 0;
    if (line.len >= 2 && strchr("-*+", line.ptr[0]) != NULL && line.ptr[0] != 0 && blank(line.ptr[1])) {
        return 2;
    }
    while (i < line.len && i < 3 && line.ptr[i] >= '0' && line.ptr[i] <= '9') {
        i++;
    }
    return i > 0 && i + 1 < line.len && (line.ptr[i] == '.' || line.ptr[i] == ')') && blank(line.ptr[i + 1])
               ? i + 2
               : 0;
}

/* "Contributing Factor #1: title" inside of bold words; also without the "#". */
static bool factor(lt_slice bold, struct report_item *it)
{
    static const char words[] = "contributing factor";
    if (bold.len < sizeof(words) - 1 ||
        !lt_slice_eq_nocase(lt_slice_sub(bold, 0, sizeof(words) - 1), LT_LIT("contributing factor"))) {
        return false;
    }
    lt_slice rest = report_trim(lt_slice_sub(bold, sizeof(words) - 1, bold.len));
    if (rest.len > 0 && rest.ptr[0] == '#') {
        rest = report_trim(lt_slice_sub(rest, 1, rest.len));
    }
    size_t colon = lt_slice_find(rest, ':');
    it->kind = REPORT_FACTOR;
    it->label = report_trim(lt_slice_sub(rest, 0, colon));
    it->value = report_trim(lt_slice_sub(rest, colon + 1, rest.len));
    return true;
}

/* "**label:** value", "**label**: value". */
static bool bold_start(lt_slice line, struct report_item *it)
{
    if (line.len < 5 || memcmp(line.ptr, "**", 2) != 0) {
        return false;
    }
    lt_slice in = lt_slice_sub(line, 2, line.len);
    size_t end = find(in, "**", 0);
    if (end == in.len || end == 0) {
        return false;
    }
    lt_slice bold = report_trim(lt_slice_sub(in, 0, end));
    lt_slice rest = lt_slice_sub(in, end + 2, in.len);
    if (factor(bold, it)) {
        return true;
    }
    bool outside = rest.len > 0 && rest.ptr[0] == ':';
    bool inside = bold.len > 0 && bold.ptr[bold.len - 1] == ':';
    bool question = bold.len > 0 && bold.ptr[bold.len - 1] == '?'; /* the colon was forgotten */
    if (!outside && !inside && !question) {
        return false;
    }
    it->kind = REPORT_FIELD;
    it->loose = !inside;
    it->label = report_trim(lt_slice_sub(bold, 0, bold.len - (inside ? 1 : 0)));
    it->value = report_trim(lt_slice_sub(rest, outside ? 1 : 0, rest.len));
    if (it->value.ptr == NULL) {
        it->value = LT_SLICE(line.ptr + line.len, 0); /* what belongs to it may come behind */
    }
    return true;
}

static bool read_line(lt_slice line, struct report_item *it)
{
    size_t indent = 0;
    while (indent < line.len && (line.ptr[indent] == ' ' || line.ptr[indent] == '\t')) {
        indent++;
    }
    line = report_trim(lt_slice_sub(line, indent, line.len));
    it->indent = indent;
    if (line.len == 0) {
        return false;
    }
    if (heading(line, it)) {
        return true;
    }
    if (line.ptr[0] == '|') {
        it->kind = REPORT_ROW;
        it->value = line;
        return true;
    }
    size_t mark = list_mark(line);
    lt_slice rest = report_trim(lt_slice_sub(line, mark, line.len));
    if (bold_start(rest, it)) {
        return true;
    }
    it->kind = mark > 0 ? REPORT_BULLET : REPORT_LINE;
    it->value = rest;
    return true;
}

/* What belongs to a field is all up to the next one. */
static void fill_whole(struct report_doc *d)
{
    const uint8_t *end = d->text.ptr + d->text.len;
    for (size_t i = d->count; i > 0; i--) {
        struct report_item *it = &d->items[i - 1];
        const uint8_t *start = it->whole.ptr; /* the line's first byte, kept there by report_read until now */
        if (it->kind == REPORT_FIELD) {
            it->whole = report_trim(LT_SLICE(it->value.ptr, (size_t)(end - it->value.ptr)));
        }
        if (it->kind == REPORT_HEADING || it->kind == REPORT_FIELD || it->kind == REPORT_FACTOR) {
            end = start;
        }
    }
}

lt_res report_read(lt_slice text, struct lt_arena *a, struct report_doc *ret_doc)
{
    size_t lines = 1;
    bool fenced = false;
    LT_CHECK(text.len <= REPORT_TEXT_MAX, LT_PEER_TOO_LARGE, "a report has at most %d bytes",
             REPORT_TEXT_MAX);
    LT_CHECK(report_is_utf8(text), LT_PEER_MALFORMED, "it is no text in UTF-8");
    for (size_t i = 0; i < text.len; i++) {
        lines += text.ptr[i] == '\n';
    }
    LT_CHECK(lines <= REPORT_LINES_MAX, LT_PEER_TOO_LARGE, "a report has at most %d lines", REPORT_LINES_MAX);
    struct report_doc d = {.text = text, .items = LT_NEW_ARRAY(a, struct report_item, lines)};
    LT_CHECK(d.items != NULL, LT_PEER_TOO_LARGE, "the report is over the limit");
    lt_slice rest = text;
    lt_slice line;
    for (size_t n = 1; lt_slice_split(&rest, '\n', &line); n++) {
        struct report_item it = {.line = n};
        bool fence = lt_slice_starts(report_trim(line), LT_LIT("```"));
        fenced = fenced != fence;
        if (!fence && !fenced && read_line(line, &it)) {
            it.whole = LT_SLICE(line.ptr, 0);
            d.items[d.count++] = it;
        }
    }
    fill_whole(&d);
    *ret_doc = d;
    return LT_OK;
}
