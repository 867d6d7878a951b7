/* Appendix files, as they come: the CSV in its fixed columns, or a list of addresses of crt.sh. Of each
 * certificate 8 bytes are kept, to find those that are there twice; so millions of lines need little. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "incident/report_check_internal.h"

enum { APPENDIX_LINE = 256 * 1024, CELLS_MAX = 32, ROWS_MAX = 50 * 1000 * 1000 };
static const char section[] = "Appendix";

struct incident_appendix {
    const struct incident_check *o;
    const char *file;
    struct lt_arena *arena;
    struct incident_findings *out;
    struct lt_buf line; /* what of a line has come */
    bool quoted;        /* within quotation marks line ends are part of a cell */
    size_t number;      /* of the line */
    bool list;
    bool begun;
    uint64_t *seen; /* owned: 8 bytes for each hash */
    size_t seen_size;
    struct report_appendix_sum sum;
};

#define FOUND(x_, rule_, ...) \
    report_found((x_)->out, (x_)->arena, (x_)->file, (rule_), (x_)->number, section, __VA_ARGS__)

bool incident_appendix_is(lt_slice start)
{
    if (lt_slice_starts(start, LT_LIT("\xef\xbb\xbf"))) {
        start = lt_slice_sub(start, 3, start.len);
    }
    size_t end = lt_slice_find(start, '\n');
    lt_slice first = lt_slice_sub(start, 0, end);
    return lt_slice_starts(first, LT_LIT("https://crt.sh/")) ||
           (lt_slice_find(first, ',') < first.len && report_has(first, "sha-256"));
}

lt_res incident_appendix_begin(const struct incident_check *o, const char *file, struct lt_arena *a,
                               struct incident_findings *out, struct incident_appendix **ret_appendix)
{
    struct incident_appendix *x = calloc(1, sizeof(*x));
    LT_ASSERT(x != NULL);
    *x = (struct incident_appendix){.o = o, .file = file, .arena = a, .out = out, .sum = {.file = file}};
    lt_buf_init(&x->line, APPENDIX_LINE);
    *ret_appendix = x;
    return LT_OK;
}

void incident_appendix_freep(struct incident_appendix **x)
{
    if (*x != NULL) {
        lt_buf_done(&(*x)->line);
        free((*x)->seen);
        free(*x);
        *x = NULL;
    }
}

/* Values of hexadecimal digits, plus one; 0: it is none. */
static const uint8_t digits[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

/* ret_mark: 64 bits that all bytes have a part in. */
static bool unhex(lt_slice s, size_t bytes, uint64_t *ret_mark)
{
    uint64_t mark = 0;
    uint64_t word = 0;
    if (s.len != bytes * 2) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        uint8_t value = digits[s.ptr[i]];
        if (value == 0) {
            return false;
        }
        word = word << 4 | (value - 1u);
        if (i % 16 == 15 || i + 1 == s.len) {
            mark = (mark ^ word) * UINT64_C(0x9e3779b97f4a7c15);
            mark ^= mark >> 29;
        }
    }
    *ret_mark = mark;
    return true;
}

static void remember(struct incident_appendix *x, uint64_t hash)
{
    size_t at = (size_t)x->sum.rows;
    x->sum.rows++;
    if (at >= ROWS_MAX) {
        return;
    }
    if (at == x->seen_size) {
        x->seen_size = x->seen_size == 0 ? 4096 : x->seen_size * 2;
        x->seen = realloc(x->seen, x->seen_size * sizeof(*x->seen));
        LT_ASSERT(x->seen != NULL);
    }
    x->seen[at] = hash;
}

static void list_line(struct incident_appendix *x, lt_slice line)
{
    uint64_t hash = 0;
    size_t len = sizeof(INCIDENT_CRT_SH) - 1;
    if (!lt_slice_starts(line, LT_LIT(INCIDENT_CRT_SH)) ||
        !unhex(lt_slice_sub(line, len, line.len), 32, &hash)) {
        FOUND(x, R_APPENDIX_ROW, "\"%.*s\" is not %s and 64 hexadecimal digits",
              LT_FMT(lt_slice_sub(line, 0, 120)), INCIDENT_CRT_SH);
        return;
    }
    remember(x, hash);
}

/* Splits in place: doubled quotation marks within quotation marks become one. */
static size_t split_cells(uint8_t *line, size_t len, lt_slice cells[CELLS_MAX])
{
    size_t count = 0;
    size_t i = 0;
    while (count < CELLS_MAX) {
        bool quoted = i < len && line[i] == '"';
        size_t start = i += quoted;
        size_t to = start;
        while (i < len && (quoted || line[i] != ',')) {
            if (quoted && line[i] == '"') {
                i++;
                if (i == len || line[i] != '"') {
                    break;
                }
            }
            line[to++] = line[i++];
        }
        cells[count++] = LT_SLICE(line + start, to - start);
        while (i < len && line[i] != ',') {
            i++;
        }
        if (i >= len) {
            break;
        }
        i++;
    }
    return count;
}

static void check_head(struct incident_appendix *x, const lt_slice *cells, size_t count)
{
    for (size_t i = 0; i < INCIDENT_APPENDIX_COLUMNS; i++) {
        if (i >= count || !lt_slice_eq_cstr(report_trim(cells[i]), incident_appendix_columns[i])) {
            FOUND(x, R_APPENDIX_HEAD, "column %zu is \"%.*s\", it has to be \"%s\"", i + 1,
                  LT_FMT(i < count ? cells[i] : LT_LIT("")), incident_appendix_columns[i]);
            return; /* those behind it are off too */
        }
    }
}

static bool is_hex(lt_slice s)
{
    bool good = s.len > 0;
    for (size_t i = 0; good && i < s.len; i++) {
        uint8_t c = s.ptr[i];
        good = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') || c == ':';
    }
    return good;
}

static bool cell_date(struct incident_appendix *x, lt_slice cell, const char *what, lt_time *ret_time)
{
    struct report_date d;
    size_t used;
    if (!report_date_read(cell, &d, &used) || d.wrong) {
        FOUND(x, R_APPENDIX_ROW, "\"%.*s\" in \"%s\" is no date", LT_FMT(lt_slice_sub(cell, 0, 60)), what);
        return false;
    }
    *ret_time = d.time;
    return true;
}

enum {
    COL_PRE,
    COL_HASH,
    COL_SUBJECT,
    COL_ISSUER,
    COL_FROM,
    COL_TO,
    COL_SERIAL,
    COL_NAMES,
    COL_IS,
    COL_WHEN,
    COL_WHY
};

static void check_revoked(struct incident_appendix *x, const lt_slice *cells, bool expired)
{
    static const char *const words[] = {"Yes", "Planned", "Delayed", "N/A"};
    bool known = false;
    lt_time when;
    for (size_t i = 0; i < LT_COUNT(words); i++) {
        known = known || lt_slice_eq_cstr(cells[COL_IS], words[i]);
    }
    bool yes = lt_slice_eq_cstr(cells[COL_IS], "Yes");
    x->sum.revoked += yes;
    x->sum.live += !yes && !expired;
    if (!known) {
        FOUND(x, R_APPENDIX_REVOKED, "\"%.*s\" is not Yes, Planned, Delayed or N/A",
              LT_FMT(lt_slice_sub(cells[COL_IS], 0, 60)));
    } else if (yes && report_is_na(cells[COL_WHEN])) {
        FOUND(x, R_APPENDIX_REVOKED, "it is revoked, and has no revocation date");
    } else if (yes && cell_date(x, cells[COL_WHEN], incident_appendix_columns[COL_WHEN], &when) &&
               when.us > x->o->now.us) {
        FOUND(x, R_APPENDIX_REVOKED, "it is revoked in the future");
    } else if (yes && report_is_na(cells[COL_WHY])) {
        FOUND(x, R_APPENDIX_REVOKED, "it is revoked, and has no revocation reason");
    }
}

static void table_row(struct incident_appendix *x, const lt_slice *cells, size_t count)
{
    uint64_t hash = 0;
    uint64_t pre = 0;
    lt_time from = {0};
    lt_time to = {0};
    if (count < INCIDENT_APPENDIX_COLUMNS) {
        FOUND(x, R_APPENDIX_ROW, "it has %zu cells, and not %d", count, INCIDENT_APPENDIX_COLUMNS);
        return;
    }
    bool has_hash = unhex(cells[COL_HASH], 32, &hash);
    bool has_pre = unhex(cells[COL_PRE], 32, &pre);
    if ((!has_hash && !report_is_na(cells[COL_HASH])) || (!has_pre && !report_is_na(cells[COL_PRE])) ||
        (!has_hash && !has_pre)) {
        FOUND(x, R_APPENDIX_ROW, "a hash is 64 hexadecimal digits, and one of the two is needed");
        return;
    }
    remember(x, has_hash ? hash : pre);
    if (!is_hex(cells[COL_SERIAL])) {
        FOUND(x, R_APPENDIX_ROW, "\"%.*s\" is no serial number",
              LT_FMT(lt_slice_sub(cells[COL_SERIAL], 0, 60)));
    }
    bool dated = cell_date(x, cells[COL_FROM], incident_appendix_columns[COL_FROM], &from) &&
                 cell_date(x, cells[COL_TO], incident_appendix_columns[COL_TO], &to);
    if (dated && to.us < from.us) {
        FOUND(x, R_APPENDIX_ROW, "it ends before it begins");
    }
    check_revoked(x, cells, dated && to.us < x->o->now.us);
}

static void take_line(struct incident_appendix *x)
{
    lt_slice cells[CELLS_MAX];
    lt_slice line = lt_buf_slice(&x->line);
    x->number++;
    if (x->line.overflow) {
        FOUND(x, R_APPENDIX_ROW, "the line is over %d bytes", APPENDIX_LINE);
        return;
    }
    while (line.len > 0 && line.ptr[line.len - 1] == '\r') {
        line.len--;
    }
    if (!x->begun && lt_slice_starts(line, LT_LIT("\xef\xbb\xbf"))) {
        line = lt_slice_sub(line, 3, line.len);
    }
    if (line.len == 0) {
        return;
    }
    bool first = !x->begun;
    if (first) {
        x->begun = true;
        x->list = lt_slice_starts(line, LT_LIT("https://"));
        x->sum.list = x->list;
    }
    if (x->list) {
        list_line(x, line);
        return;
    }
    size_t offset = (size_t)(line.ptr - x->line.ptr);
    size_t count = split_cells(x->line.ptr + offset, line.len, cells);
    if (first) {
        check_head(x, cells, count);
    } else {
        table_row(x, cells, count);
    }
}

void incident_appendix_feed(struct incident_appendix *x, lt_slice bytes)
{
    while (bytes.len > 0) {
        size_t n = lt_slice_find(bytes, '\n');
        lt_slice piece = lt_slice_sub(bytes, 0, n);
        for (size_t i = 0; !x->list && i < piece.len; i++) {
            x->quoted = x->quoted != (piece.ptr[i] == '"');
        }
        lt_buf_add(&x->line, piece);
        if (n == bytes.len) {
            return;
        }
        bytes = LT_SLICE(bytes.ptr + n + 1, bytes.len - n - 1);
        if (x->quoted && !x->line.overflow) {
            lt_buf_add_byte(&x->line, '\n');
            continue;
        }
        x->quoted = false;
        take_line(x);
        lt_buf_reset(&x->line);
    }
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

void incident_appendix_end(struct incident_appendix *x)
{
    if (x->line.len > 0 || x->line.overflow) {
        take_line(x);
        lt_buf_reset(&x->line);
    }
    size_t count = (size_t)x->sum.rows < ROWS_MAX ? (size_t)x->sum.rows : ROWS_MAX;
    size_t twice = 0;
    if (count > 0) {
        qsort(x->seen, count, sizeof(*x->seen), compare);
    }
    for (size_t i = 1; i < count; i++) {
        twice += x->seen[i] == x->seen[i - 1];
    }
    x->number = 0;
    if (twice > 0) {
        FOUND(x, R_APPENDIX_TWICE, "%zu certificates are there again", twice);
    }
    if (x->sum.rows == 0) {
        FOUND(x, R_APPENDIX, "there is no certificate in it");
    }
}

void report_appendix_sum(const struct incident_appendix *x, struct report_appendix_sum *ret_sum)
{
    *ret_sum = x->sum;
}
