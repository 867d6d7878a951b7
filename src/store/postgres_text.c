/* Our statements are written in what SQLite and PostgreSQL both take; where they need different words for one
 * thing, it is a row or a rule here. Knows tokens and no grammar. Refuses what has no end: an open string, a
 * parameter without a number.
 */
#include "store/postgres_text.h"

#include <string.h>
#include <strings.h>

/* A word, in SQLite's mouth and in PostgreSQL's; compared without regard to case. */
static const struct {
    const char *word;
    const char *words;
} words[] = {
    {"authorization", "\"authorization\""}, /* a keyword there */
    {"integer", "bigint"},                  /* in CAST: theirs has four bytes */
    {"blob", "bytea"},
    {"cross", ""}, /* ours fixes the order of a join and has an ON, which theirs must not have */
};

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Past the closing quote; NULL without one. A doubled quote is two strings in a row, which is as good. */
static const char *string_end(const char *at)
{
    const char *end = strchr(at + 1, *at);
    return end == NULL ? NULL : end + 1;
}

static const char *put_string(struct lt_buf *out, const char *at, const char *before, const char *after)
{
    const char *end = string_end(at);
    if (end != NULL) {
        lt_buf_add_cstr(out, before);
        lt_buf_add(out, LT_SLICE(at + 1, (size_t)(end - at - 2)));
        lt_buf_add_cstr(out, after);
    }
    return end;
}

static const char *put_word(struct lt_buf *out, const char *at)
{
    size_t len = 0;
    while (is_word(at[len])) {
        len++;
    }
    for (size_t i = 0; i < LT_COUNT(words); i++) {
        if (strlen(words[i].word) == len && strncasecmp(words[i].word, at, len) == 0) {
            lt_buf_add_cstr(out, words[i].words);
            return at + len;
        }
    }
    lt_buf_add(out, LT_SLICE(at, len));
    return at + len;
}

static const char *put_parameter(struct lt_buf *out, const char *at, size_t *highest)
{
    size_t number = 0;
    const char *end = at + 1;
    while (is_digit(*end) && number < 1000) {
        number = number * 10 + (size_t)(*end++ - '0');
    }
    lt_buf_add_cstr(out, "$");
    lt_buf_add(out, LT_SLICE(at + 1, (size_t)(end - at - 1)));
    *highest = number > *highest ? number : *highest;
    return number == 0 ? NULL : end;
}

static const char *put_token(struct lt_buf *out, const char *at, size_t *highest)
{
    if ((*at == 'x' || *at == 'X') && at[1] == '\'') {
        return put_string(out, at + 1, "'\\x", "'::bytea");
    }
    if (is_word(*at)) {
        return put_word(out, at);
    }
    if (*at == '?') {
        return put_parameter(out, at, highest);
    }
    if (*at == '\'' || *at == '"') {
        const char quote[2] = {*at, '\0'};
        return put_string(out, at, quote, quote);
    }
    lt_buf_add(out, LT_SLICE(at, 1));
    return at + 1;
}

lt_res postgres_text(const char *sql, struct lt_buf *out, size_t *ret_count)
{
    size_t highest = 0;
    for (const char *at = sql; *at != '\0';) {
        at = put_token(out, at, &highest);
        LT_CHECK(at != NULL, LT_PEER_MALFORMED, "a statement with an open end: %.100s", sql);
    }
    *ret_count = highest;
    return lt_buf_check(out);
}
