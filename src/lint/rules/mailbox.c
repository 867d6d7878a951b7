/* Mail addresses: a cursor that eats RFC 5322's tokens. */
#include "lint/rules/mailbox.h"

#include <string.h>

#include "x509/dnsname.h"

static lt_slice from(lt_slice s, size_t offset)
{
    return lt_slice_sub(s, offset, s.len);
}

static bool next_is(const lt_slice *s, uint8_t c)
{
    return s->len > 0 && s->ptr[0] == c;
}

static bool eat(lt_slice *s, uint8_t c)
{
    bool there = next_is(s, c);
    *s = from(*s, there ? 1 : 0);
    return there;
}

static void eat_spaces(lt_slice *s)
{
    while (next_is(s, ' ') || next_is(s, '\t')) {
        *s = from(*s, 1);
    }
}

static bool visible(uint8_t c)
{
    return c > ' ' && c != 0x7f;
}

static bool atom_character(uint8_t c)
{
    return visible(c) && strchr("()<>[]:;@\\,\"", c) == NULL;
}

/* loose: dots may stand anywhere. */
static bool eat_dot_atom(lt_slice *s, bool loose)
{
    size_t len = 0;
    bool dot = true;
    bool bad = false;
    while (len < s->len && atom_character(s->ptr[len])) {
        bool is_dot = s->ptr[len] == '.';
        bad = bad || (is_dot && dot);
        dot = is_dot;
        len++;
    }
    if (len == 0 || (!loose && (bad || dot))) {
        return false;
    }
    *s = from(*s, len);
    return true;
}

static bool eat_quoted(lt_slice *s, bool *ret_empty)
{
    lt_slice t = *s;
    *ret_empty = true;
    if (!eat(&t, '"')) {
        return false;
    }
    while (t.len > 0 && t.ptr[0] != '"') {
        size_t skip = t.ptr[0] == '\\' ? 1 : 0;
        if (skip >= t.len || (!visible(t.ptr[skip]) && t.ptr[skip] != ' ' && t.ptr[skip] != '\t')) {
            return false;
        }
        *ret_empty = false;
        t = from(t, skip + 1);
    }
    if (!eat(&t, '"')) {
        return false;
    }
    *s = t;
    return true;
}

/* "[192.0.2.1]". */
static bool eat_literal(lt_slice *s)
{
    lt_slice t = from(*s, 1);
    size_t len = lt_slice_find(t, ']');
    struct x509_ip ip;
    if (len == t.len || lt_failed(x509_ip_parse(lt_slice_sub(t, 0, len), &ip))) {
        return false;
    }
    *s = from(t, len + 1);
    return true;
}

static bool eat_domain(lt_slice *s)
{
    return next_is(s, '[') ? eat_literal(s) : eat_dot_atom(s, false);
}

static bool eat_address(lt_slice *s)
{
    lt_slice t = *s;
    eat_spaces(&t);
    bool empty = false;
    bool local = next_is(&t, '"') ? eat_quoted(&t, &empty) : eat_dot_atom(&t, false);
    if (!local || empty || !eat(&t, '@')) {
        return false;
    }
    eat_spaces(&t);
    if (!eat_domain(&t)) {
        return false;
    }
    *s = t;
    return true;
}

/* Spaces and comments, which may be nested. */
static bool eat_comments(lt_slice *s)
{
    eat_spaces(s);
    while (eat(s, '(')) {
        size_t depth = 1;
        while (s->len > 0 && depth > 0) {
            uint8_t c = s->ptr[0];
            bool quoted = c == '\\' && s->len > 1;
            depth += !quoted && c == '(';
            depth -= !quoted && c == ')';
            *s = from(*s, quoted ? 2 : 1);
        }
        if (depth > 0) {
            return false;
        }
        eat_spaces(s);
    }
    return true;
}

/* The words of a display name, at least one. */
static bool eat_phrase(lt_slice *s)
{
    size_t words = 0;
    for (;; words++) {
        if (words > 0 && !eat_comments(s)) {
            return false;
        }
        eat_spaces(s);
        bool empty;
        if (!(next_is(s, '"') ? eat_quoted(s, &empty) : eat_dot_atom(s, true))) {
            return words > 0;
        }
    }
}

/* Without a sequence of bytes that is no UTF-8. */
static bool utf8_ok(lt_slice s)
{
    for (size_t i = 0; i < s.len;) {
        uint8_t c = s.ptr[i];
        size_t more = c < 0x80                ? 0
                      : c >= 0xc2 && c < 0xe0 ? 1
                      : c >= 0xe0 && c < 0xf0 ? 2
                      : c >= 0xf0 && c < 0xf5 ? 3
                                              : 9;
        if (more > s.len - i - 1) {
            return false;
        }
        for (size_t k = 1; k <= more; k++) {
            if ((s.ptr[i + k] & 0xc0) != 0x80) {
                return false;
            }
        }
        i += more + 1;
    }
    return true;
}

bool lint_mailbox(lt_slice text)
{
    lt_slice s = text;
    return eat_dot_atom(&s, false) && eat(&s, '@') && eat_domain(&s) && s.len == 0 && utf8_ok(text);
}

/* An address, or a display name and an address between angle brackets. */
static bool eat_mailbox(lt_slice *s)
{
    lt_slice t = *s;
    if (eat_address(s)) {
        return true;
    }
    eat_spaces(&t);
    if (!next_is(&t, '<') && !eat_phrase(&t)) {
        return false;
    }
    eat_spaces(&t);
    if (!eat(&t, '<') || !eat_address(&t) || !eat(&t, '>')) {
        return false;
    }
    *s = t;
    return true;
}

/* "name: mailbox;" */
static bool eat_group_of_one(lt_slice *s)
{
    eat_spaces(s);
    if (!eat_phrase(s)) {
        return false;
    }
    eat_spaces(s);
    return eat(s, ':') && eat_mailbox(s) && eat_comments(s) && eat(s, ';');
}

bool lint_mail_address(lt_slice text)
{
    lt_slice s = text;
    lt_slice group = text;
    if (!utf8_ok(text)) {
        return false;
    }
    if (eat_mailbox(&s)) {
        return eat_comments(&s) && s.len == 0;
    }
    return eat_group_of_one(&group) && eat_comments(&group) && group.len == 0;
}

lt_slice lint_mail_domain(lt_slice text)
{
    for (size_t i = text.len; i > 0; i--) {
        if (text.ptr[i - 1] == '@') {
            return from(text, i);
        }
    }
    return LT_SLICE(NULL, 0);
}
