/* Bytes into tokens. A word takes what values are made of (letters, digits, "-_.:*+/@"), and ends before
 * "..". */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "scope/private.h"

lt_res scope_fail(struct scope_error *error, size_t offset, size_t len, const char *format, ...)
{
    char what[160];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(what, sizeof(what), format, args); /* cut where it is long */
    va_end(args);
    if (error != NULL) {
        *error = (struct scope_error){offset, len};
    }
    LT_FAIL(LT_PEER_MALFORMED, "byte %zu: %s", offset, what);
}

static bool is_word_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != 0 && strchr("-_.:*+/@", c) != NULL);
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool two_dots(lt_slice s, size_t at)
{
    return at + 1 < s.len && s.ptr[at] == '.' && s.ptr[at + 1] == '.';
}

static lt_res lex_text(struct scope_lexer *l, struct scope_token *t)
{
    uint8_t *out = lt_arena_alloc(l->arena, l->source.len - l->at + 1);
    size_t len = 0;
    LT_CHECK(out != NULL, LT_PEER_TOO_LARGE, "the expression is over the limit");
    for (l->at++; l->at < l->source.len; l->at++) {
        uint8_t c = l->source.ptr[l->at];
        if (c == '"') {
            l->at++;
            t->kind = TOKEN_TEXT;
            t->text = LT_SLICE(out, len);
            t->len = l->at - t->offset;
            return LT_OK;
        }
        if (c == '\\') {
            l->at++;
            bool good = l->at < l->source.len &&
                        (l->source.ptr[l->at] == '"' || l->source.ptr[l->at] == '\\');
            if (!good) {
                return scope_fail(l->error, l->at - 1, 1, "behind \\ stands \\ or \" in a text");
            }
            c = l->source.ptr[l->at];
        }
        if (c < 0x20 || c >= 0x7f) {
            return scope_fail(l->error, l->at, 1, "a text has printable ASCII only (host names as xn--)");
        }
        out[len++] = c;
    }
    return scope_fail(l->error, t->offset, 1, "this quotation mark is not closed");
}

static bool lex_sign(struct scope_lexer *l, struct scope_token *t)
{
    static const struct {
        const char *text;
        enum scope_token_kind kind;
        enum scope_op op;
    } signs[] = {
        {"!=", TOKEN_OP, OP_NE},   {"<=", TOKEN_OP, OP_LE},   {">=", TOKEN_OP, OP_GE},
        {"=", TOKEN_OP, OP_EQ},    {"<", TOKEN_OP, OP_LT},    {">", TOKEN_OP, OP_GT},
        {"(", TOKEN_OPEN, OP_IS},  {")", TOKEN_CLOSE, OP_IS}, {"{", TOKEN_SET, OP_IS},
        {"}", TOKEN_UNSET, OP_IS}, {",", TOKEN_COMMA, OP_IS}, {"..", TOKEN_RANGE, OP_IS},
    };
    lt_slice rest = lt_slice_sub(l->source, l->at, SIZE_MAX);
    for (size_t i = 0; i < LT_COUNT(signs); i++) {
        if (lt_slice_starts(rest, lt_slice_cstr(signs[i].text))) {
            t->kind = signs[i].kind;
            t->op = signs[i].op;
            t->len = strlen(signs[i].text);
            t->text = lt_slice_sub(rest, 0, t->len);
            l->at += t->len;
            return true;
        }
    }
    return false;
}

lt_res scope_lex(struct scope_lexer *l, struct scope_token *ret_token)
{
    lt_slice s = l->source;
    while (l->at < s.len && is_blank(s.ptr[l->at])) {
        l->at++;
    }
    *ret_token = (struct scope_token){.kind = TOKEN_END, .offset = l->at};
    if (l->at == s.len) {
        return LT_OK;
    }
    if (s.ptr[l->at] == '"') {
        return lex_text(l, ret_token);
    }
    if (lex_sign(l, ret_token)) {
        return LT_OK;
    }
    while (l->at < s.len && is_word_byte(s.ptr[l->at]) && !two_dots(s, l->at)) {
        l->at++;
    }
    ret_token->kind = TOKEN_WORD;
    ret_token->len = l->at - ret_token->offset;
    ret_token->text = lt_slice_sub(s, ret_token->offset, ret_token->len);
    if (ret_token->len == 0) {
        return scope_fail(l->error, l->at, 1,
                          "this character has no meaning here; values that have it stand in \"\"");
    }
    return LT_OK;
}
