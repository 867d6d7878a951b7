/* The statements of an edition: doc, section, title, line, kind, field, keywords, text. The key of a
 * statement is made as tools/requirements-import makes it: SHA-256 over field and text, white space made one
 * blank, and
 * "~2" for the second of the same in a section. */
#include "cmd/requirements.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/digest.h"

enum { COLUMNS = 8, TEXT_MAX = 1024 * 1024, KEY_BYTES = 8, WORDS_MAX = 4096 };

static const char head[] = "doc\tsection\ttitle\tline\tkind\tfield\tkeywords\ttext";

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The next word of *s; false at its end. */
static bool next_word(lt_slice *s, lt_slice *ret_word)
{
    size_t from = 0;
    while (from < s->len && is_blank(s->ptr[from])) {
        from++;
    }
    size_t to = from;
    while (to < s->len && !is_blank(s->ptr[to])) {
        to++;
    }
    *ret_word = lt_slice_sub(*s, from, to - from);
    *s = lt_slice_sub(*s, to, SIZE_MAX);
    return ret_word->len > 0;
}

static void add_normal(struct lt_buf *out, lt_slice text)
{
    lt_slice word;
    const char *before = "";
    while (next_word(&text, &word)) {
        lt_buf_add_cstr(out, before);
        lt_buf_add(out, word);
        before = " ";
    }
}

static lt_res make_key(struct statement *s)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    struct lt_buf text;
    lt_buf_init(&text, TEXT_MAX);
    add_normal(&text, s->field);
    lt_buf_add_byte(&text, '\t');
    add_normal(&text, s->text);
    lt_res r = lt_buf_check(&text);
    crypto_sha256(lt_buf_slice(&text), hash);
    lt_buf_done(&text);
    for (size_t i = 0; i < KEY_BYTES; i++) {
        (void)snprintf(s->key + 2 * i, 3, "%02x", hash[i]);
    }
    return r;
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* FNV-1a, without case, brackets and stops around a word. */
static uint32_t hash_word(lt_slice word)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < word.len; i++) {
        uint8_t c = word.ptr[i];
        if (strchr("`*_.,;:()[]|\"'", c) == NULL || c == 0) {
            h = (h ^ (uint32_t)(c >= 'A' && c <= 'Z' ? c + 32 : c)) * 16777619u;
        }
    }
    return h;
}

static lt_res make_words(struct lt_arena *a, struct statement *s)
{
    uint32_t found[WORDS_MAX];
    size_t n = 0;
    lt_slice word;
    for (lt_slice rest = s->field; n < WORDS_MAX && next_word(&rest, &word);) {
        found[n++] = hash_word(word);
    }
    for (lt_slice rest = s->text; n < WORDS_MAX && next_word(&rest, &word);) {
        found[n++] = hash_word(word);
    }
    qsort(found, n, sizeof(found[0]), by_value);
    uint32_t *words = LT_NEW_ARRAY(a, uint32_t, n + 1);
    LT_CHECK(words != NULL, LT_PEER_TOO_LARGE, "the edition is too large");
    memcpy(words, found, n * sizeof(found[0]));
    s->words = words;
    s->word_count = n;
    return LT_OK;
}

/* The n-th of the same text in a section. */
static void tell_apart(struct edition *e, struct statement *s)
{
    size_t same = 1;
    for (size_t i = 0; i < e->count; i++) {
        const struct statement *before = &e->rows[i];
        same += strncmp(before->key, s->key, 2 * (size_t)KEY_BYTES) == 0 &&
                lt_slice_eq(before->section, s->section) && lt_slice_eq(before->document, s->document);
    }
    if (same > 1) {
        (void)snprintf(s->key + 2 * (size_t)KEY_BYTES, REQUIREMENTS_KEY - 2 * (size_t)KEY_BYTES, "~%zu",
                       same);
    }
}

static lt_res read_row(struct lt_arena *a, lt_slice line, const char *name, size_t number,
                       struct statement *ret_row)
{
    lt_slice cells[COLUMNS];
    lt_slice cell;
    size_t n = 0;
    if (line.len > 0 && line.ptr[line.len - 1] == '\r') {
        line.len--;
    }
    while (n < COLUMNS && lt_slice_split(&line, '\t', &cell)) {
        cells[n++] = cell;
    }
    LT_CHECK(n == COLUMNS && line.ptr == NULL, LT_PEER_MALFORMED, "%.100s:%zu: not %d columns", name, number,
             COLUMNS);
    *ret_row = (struct statement){
        .document = cells[0],
        .section = cells[1],
        .line = cells[3],
        .field = cells[5],
        .keywords = cells[6],
        .text = cells[7],
        .partner = SIZE_MAX,
    };
    LT_TRY(make_key(ret_row));
    return make_words(a, ret_row);
}

lt_res requirements_edition(struct lt_arena *a, lt_slice text, const char *name, struct edition *ret_edition)
{
    lt_slice line;
    lt_slice rest = text;
    size_t lines = 0;
    while (lt_slice_split(&rest, '\n', &line)) {
        lines++;
    }
    LT_CHECK(lines <= REQUIREMENTS_ROWS_MAX, LT_PEER_TOO_LARGE, "%.100s: more than %d lines", name,
             REQUIREMENTS_ROWS_MAX);
    LT_CHECK(
        lt_slice_split(&text, '\n', &line) && lt_slice_eq_cstr(line, head), LT_PEER_MALFORMED,
        "%.100s:1: an edition begins with the columns doc, section, title, line, kind, field, keywords, text",
        name);
    *ret_edition = (struct edition){.rows = LT_NEW_ARRAY(a, struct statement, lines)};
    LT_CHECK(ret_edition->rows != NULL, LT_PEER_TOO_LARGE, "%.100s: too large", name);
    for (size_t n = 2; lt_slice_split(&text, '\n', &line); n++) {
        if (line.len == 0) {
            continue;
        }
        struct statement *s = &ret_edition->rows[ret_edition->count];
        LT_TRY(read_row(a, line, name, n, s));
        tell_apart(ret_edition, s);
        ret_edition->count++;
    }
    return LT_OK;
}
