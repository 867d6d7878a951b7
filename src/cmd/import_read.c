/* Files with certificates of elsewhere, a piece at a time: DER, PEM with any text around its blocks, or a
 * table (CSV) whose first line names its columns. Memory does not grow with the file; what is broken is told,
 * and reading goes on behind it where that can be. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cmd/cert.h"

enum mode { MODE_UNKNOWN, MODE_DER, MODE_TEXT, MODE_TABLE, MODE_LOST };
enum table { AT_START, IN_PLAIN, IN_QUOTES, BEHIND_QUOTE };
enum { BLOCK_MAX = 2 * CMD_IMPORT_CERTIFICATE_MAX, ALIAS_MAX = 40 };

struct cmd_import_reader {
    struct cmd_import_sink sink;
    enum mode mode;
    bool named_table;
    size_t line;
    struct lt_buf text;  /* DER, a line of text, or a row of a table */
    struct lt_buf block; /* base64 of a PEM block */
    bool in_block;
    bool wanted;    /* the block is a certificate */
    bool too_large; /* what is being read; told once */
    enum table table;
    uint8_t separator; /* 0: not seen yet */
    size_t ends[CMD_IMPORT_COLUMNS_MAX];
    size_t fields;
    bool has_head;
    int column_of[CMD_IMPORT_COLUMNS_MAX];
};

/* Heads of columns, in small letters and without what is neither letter nor digit. */
static const struct {
    const char *head;
    enum cmd_import_column column;
} heads[] = {
    {"serial", CMD_IMPORT_SERIAL},
    {"serialnumber", CMD_IMPORT_SERIAL},
    {"issuer", CMD_IMPORT_ISSUER},
    {"issuername", CMD_IMPORT_ISSUER},
    {"notbefore", CMD_IMPORT_NOT_BEFORE},
    {"validfrom", CMD_IMPORT_NOT_BEFORE},
    {"notafter", CMD_IMPORT_NOT_AFTER},
    {"validto", CMD_IMPORT_NOT_AFTER},
    {"expires", CMD_IMPORT_NOT_AFTER},
    {"issued", CMD_IMPORT_ISSUED},
    {"names", CMD_IMPORT_NAMES},
    {"dnsnames", CMD_IMPORT_NAMES},
    {"san", CMD_IMPORT_NAMES},
    {"domains", CMD_IMPORT_NAMES},
    {"sha256", CMD_IMPORT_SHA256},
    {"fingerprint", CMD_IMPORT_SHA256},
    {"certificatesha256hash", CMD_IMPORT_SHA256},
    {"spkisha256", CMD_IMPORT_SPKI_SHA256},
    {"keytype", CMD_IMPORT_KEY_TYPE},
    {"revoked", CMD_IMPORT_REVOKED},
    {"revocationdate", CMD_IMPORT_REVOKED},
    {"reason", CMD_IMPORT_REASON},
    {"revocationreason", CMD_IMPORT_REASON},
};

struct cmd_import_reader *cmd_import_reader_new(const struct cmd_import_sink *sink)
{
    struct cmd_import_reader *r = calloc(1, sizeof *r);
    LT_ASSERT(r != NULL);
    r->sink = *sink;
    lt_buf_init(&r->text, CMD_IMPORT_CERTIFICATE_MAX + 1);
    lt_buf_init(&r->block, BLOCK_MAX);
    return r;
}

void cmd_import_reader_free(struct cmd_import_reader *r)
{
    if (r != NULL) {
        lt_buf_done(&r->text);
        lt_buf_done(&r->block);
        free(r);
    }
}

void cmd_import_reader_begin(struct cmd_import_reader *r, const char *name)
{
    size_t len = strlen(name);
    lt_buf_reset(&r->text);
    lt_buf_reset(&r->block);
    r->named_table = len > 4 && lt_slice_eq_nocase(lt_slice_cstr(name + len - 4), LT_LIT(".csv"));
    r->mode = MODE_UNKNOWN;
    r->line = 1;
    r->in_block = false;
    r->too_large = false;
    r->table = AT_START;
    r->separator = 0;
    r->fields = 0;
    r->has_head = false;
}

size_t cmd_import_reader_line(const struct cmd_import_reader *r)
{
    return r->mode == MODE_DER ? 0 : r->line;
}

static lt_res bad(struct cmd_import_reader *r, const char *why)
{
    return r->sink.bad(r->sink.self, cmd_import_reader_line(r), why);
}

/* ---- PEM ---- */

static lt_res end_block(struct cmd_import_reader *r)
{
    struct lt_arena a;
    lt_slice der = {NULL, 0};
    r->in_block = false;
    if (!r->wanted) {
        return LT_OK;
    }
    if (lt_failed(lt_buf_check(&r->block))) {
        return bad(r, "a block is too large for a certificate");
    }
    lt_arena_init(&a, BLOCK_MAX);
    lt_res r64 = lt_unbase64(&a, lt_buf_slice(&r->block), &der);
    lt_res result = lt_failed(r64) || der.len == 0 ? bad(r, "a block is no base64")
                                                   : r->sink.der(r->sink.self, der);
    lt_arena_done(&a);
    return result;
}

/* A line that ends, without its end. */
static lt_res text_line(struct cmd_import_reader *r, lt_slice line)
{
    const lt_slice begin = LT_LIT("-----BEGIN ");
    if (lt_slice_starts(line, begin)) {
        lt_slice label = lt_slice_sub(line, begin.len, line.len);
        bool open = r->in_block;
        r->wanted = lt_slice_starts(label, LT_LIT("CERTIFICATE-----")) ||
                    lt_slice_starts(label, LT_LIT("X509 CERTIFICATE-----"));
        r->in_block = true;
        lt_buf_reset(&r->block);
        return open ? bad(r, "a block begins inside another one") : LT_OK;
    }
    if (lt_slice_starts(line, LT_LIT("-----END "))) {
        return r->in_block ? end_block(r) : bad(r, "a block ends that did not begin");
    }
    if (r->in_block) {
        lt_buf_add(&r->block, line);
    }
    return LT_OK;
}

/* ---- tables ---- */

static lt_slice field_at(const struct cmd_import_reader *r, size_t n)
{
    size_t from = n == 0 ? 0 : r->ends[n - 1];
    return lt_slice_sub(lt_buf_slice(&r->text), from, r->ends[n] - from);
}

static int column_named(lt_slice head)
{
    char plain[ALIAS_MAX];
    size_t len = 0;
    for (size_t i = 0; i < head.len && len + 1 < sizeof plain; i++) {
        uint8_t c = head.ptr[i];
        c = (uint8_t)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
            plain[len++] = (char)c;
        }
    }
    plain[len] = 0;
    for (size_t i = 0; i < LT_COUNT(heads); i++) {
        if (strcmp(plain, heads[i].head) == 0) {
            return (int)heads[i].column;
        }
    }
    return -1;
}

static lt_res take_head(struct cmd_import_reader *r)
{
    bool there[CMD_IMPORT_COLUMNS] = {false};
    for (size_t i = 0; i < r->fields; i++) {
        int column = column_named(field_at(r, i));
        bool first = column >= 0 && !there[column];
        r->column_of[i] = first ? column : -1;
        if (first) {
            there[column] = true;
        }
    }
    r->has_head = true;
    if (there[CMD_IMPORT_SERIAL] && there[CMD_IMPORT_NOT_BEFORE] && there[CMD_IMPORT_NOT_AFTER]) {
        return LT_OK;
    }
    lt_res told = bad(r, "the first line must name columns, serial, not_before and not_after among them");
    r->mode = MODE_LOST;
    return told;
}

static lt_res take_row(struct cmd_import_reader *r)
{
    lt_slice row[CMD_IMPORT_COLUMNS] = {{NULL, 0}};
    bool empty = true;
    for (size_t i = 0; i < r->fields; i++) {
        empty = empty && field_at(r, i).len == 0;
        if (r->column_of[i] >= 0) {
            row[r->column_of[i]] = field_at(r, i);
        }
    }
    return empty ? LT_OK : r->sink.row(r->sink.self, row);
}

static void end_field(struct cmd_import_reader *r)
{
    if (r->fields < CMD_IMPORT_COLUMNS_MAX) {
        r->ends[r->fields++] = r->text.len;
    } else {
        r->text.overflow = true;
    }
    r->table = AT_START;
}

static lt_res end_row(struct cmd_import_reader *r)
{
    lt_res result = LT_OK;
    end_field(r);
    if (lt_failed(lt_buf_check(&r->text))) {
        result = bad(r, "a row is too long, or has too many columns");
    } else if (!r->has_head) {
        memset(r->column_of, -1, sizeof r->column_of);
        result = take_head(r);
    } else {
        result = take_row(r);
    }
    lt_buf_reset(&r->text);
    r->fields = 0;
    r->table = AT_START;
    return result;
}

static bool is_separator(struct cmd_import_reader *r, uint8_t c)
{
    if (r->separator == 0 && (c == ',' || c == ';' || c == '\t')) {
        r->separator = c;
    }
    return r->separator != 0 && c == r->separator;
}

/* One byte of a table. */
static lt_res table_byte(struct cmd_import_reader *r, uint8_t c)
{
    if (r->table == IN_QUOTES) {
        if (c == '"') {
            r->table = BEHIND_QUOTE;
        } else {
            lt_buf_add_byte(&r->text, c);
        }
        r->line += c == '\n' ? 1 : 0;
        return LT_OK;
    }
    if (c == '\n') {
        lt_res result = end_row(r);
        r->line++;
        return result;
    }
    if (c == '"' && r->table != IN_PLAIN) { /* a quotation mark at the start, or one that stands twice */
        if (r->table == BEHIND_QUOTE) {
            lt_buf_add_byte(&r->text, c);
        }
        r->table = IN_QUOTES;
    } else if (is_separator(r, c)) {
        end_field(r);
    } else if (c != '\r') {
        lt_buf_add_byte(&r->text, c);
        r->table = IN_PLAIN;
    }
    return LT_OK;
}

/* ---- bytes ---- */

static bool has_word(lt_slice line, const char *word)
{
    size_t len = strlen(word);
    for (size_t i = 0; i + len <= line.len; i++) {
        if (lt_slice_eq_nocase(lt_slice_sub(line, i, len), lt_slice_cstr(word))) {
            return true;
        }
    }
    return false;
}

/* The first line that is not empty: of a table, when it has columns. */
static bool looks_like_head(lt_slice line)
{
    bool separated = lt_slice_find(line, ',') < line.len || lt_slice_find(line, ';') < line.len ||
                     lt_slice_find(line, '\t') < line.len;
    return separated && has_word(line, "serial") && !lt_slice_starts(line, LT_LIT("-----"));
}

static lt_res become_table(struct cmd_import_reader *r, lt_slice line)
{
    lt_res result = LT_OK;
    struct lt_buf head;
    lt_buf_init(&head, CMD_IMPORT_LINE_MAX + 2);
    lt_buf_add(&head, line);
    lt_buf_add_byte(&head, '\n');
    lt_buf_reset(&r->text);
    r->mode = MODE_TABLE;
    for (size_t i = 0; i < head.len && !lt_failed(result) && r->mode == MODE_TABLE; i++) {
        result = table_byte(r, head.ptr[i]);
    }
    r->line--; /* it was counted once as text */
    lt_buf_done(&head);
    return result;
}

static lt_res end_line(struct cmd_import_reader *r)
{
    lt_slice line = lt_buf_slice(&r->text);
    while (line.len > 0 && (line.ptr[line.len - 1] == '\r' || line.ptr[line.len - 1] == ' ')) {
        line.len--;
    }
    lt_res result = LT_OK;
    if (lt_failed(lt_buf_check(&r->text))) {
        result = r->too_large ? LT_OK : bad(r, "a line is too long for PEM or a table");
        r->too_large = true;
    } else if (r->line == 1 && looks_like_head(line)) {
        result = become_table(r, line);
    } else {
        result = text_line(r, line);
    }
    lt_buf_reset(&r->text);
    r->line++;
    return result;
}

static void choose(struct cmd_import_reader *r, lt_slice *bytes)
{
    const lt_slice mark = LT_LIT("\xef\xbb\xbf");
    r->mode = r->named_table ? MODE_TABLE : bytes->ptr[0] == 0x30 ? MODE_DER : MODE_TEXT;
    if (lt_slice_starts(*bytes, mark)) {
        *bytes = lt_slice_sub(*bytes, mark.len, bytes->len);
    }
}

lt_res cmd_import_reader_feed(struct cmd_import_reader *r, lt_slice bytes)
{
    if (bytes.len > 0 && r->mode == MODE_UNKNOWN) {
        choose(r, &bytes);
    }
    if (r->mode == MODE_DER) {
        lt_buf_add(&r->text, bytes); /* more than a certificate is told at the end */
        return LT_OK;
    }
    for (size_t i = 0; i < bytes.len && r->mode != MODE_LOST; i++) {
        if (r->mode == MODE_TABLE) {
            LT_TRY(table_byte(r, bytes.ptr[i]));
        } else if (bytes.ptr[i] == '\n') {
            LT_TRY(end_line(r));
        } else {
            lt_buf_add_byte(&r->text, bytes.ptr[i]);
        }
    }
    return LT_OK;
}

lt_res cmd_import_reader_end(struct cmd_import_reader *r)
{
    switch (r->mode) {
    case MODE_UNKNOWN:
        return bad(r, "it is empty");
    case MODE_LOST:
        return LT_OK;
    case MODE_DER:
        return lt_failed(lt_buf_check(&r->text)) ? bad(r, "it is too large for a certificate")
                                                 : r->sink.der(r->sink.self, lt_buf_slice(&r->text));
    case MODE_TABLE:
        if (r->table == IN_QUOTES) {
            return bad(r, "a quotation mark is never closed");
        }
        return r->fields > 0 || r->text.len > 0 || !r->has_head ? end_row(r) : LT_OK;
    case MODE_TEXT:
        break;
    }
    LT_TRY(r->text.len > 0 ? end_line(r) : LT_OK);
    return r->mode == MODE_TEXT && r->in_block ? bad(r, "a block does not end") : LT_OK;
}
