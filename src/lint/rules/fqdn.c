/* The careless test whether a text can be a host. */
#include "lint/rules/fqdn.h"

#include <string.h>

#include "lint/rules/text.h"
#include "lint/rules/url.h"
#include "x509/dnsname.h"

static bool is_alpha(uint32_t b)
{
    return (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z');
}

static bool is_digit(uint32_t b)
{
    return b >= '0' && b <= '9';
}

static lt_slice after(lt_slice s, size_t n)
{
    return lt_slice_sub(s, n, s.len - n);
}

static bool in_set(uint8_t b, const char *set)
{
    return b != 0 && strchr(set, b) != NULL;
}

bool lint_ip_text(lt_slice text)
{
    struct x509_ip ip;
    return !lt_failed(x509_ip_parse(text, &ip));
}

/* What a host may look like, as an automaton over its characters whose states are a set of bits. It accepts
 *   prefix? core ( "." letters )? "."?
 * core:   alphanumerics, ASCII and beyond, in groups joined by one or two hyphens
 * prefix: WORD   two or more of alphanumerics, "-" and "_" between alphanumerics, then groups behind "-" or
 * "." DOTTED groups joined by "-", "_" or ".", the last of them two long, then "." and one more "www." The
 * core follows the prefix without anything between them. */
enum {
    AT_START = 1 << 0,
    WORD_FIRST = 1 << 1,   /* one alphanumeric */
    WORD_END = 1 << 2,     /* alphanumeric: the word may end here */
    WORD_INSIDE = 1 << 3,  /* "-" or "_" inside */
    WORD_JOIN = 1 << 4,    /* "-" or "." behind the word */
    WORD_MORE = 1 << 5,    /* alphanumeric of a later group */
    DOTTED_ONE = 1 << 6,   /* alphanumeric directly behind a joiner or the first */
    DOTTED_TWO = 1 << 7,   /* alphanumeric behind another */
    DOTTED_JOIN = 1 << 8,  /* a joiner */
    DOTTED_DOT = 1 << 9,   /* the "." before the last group */
    DOTTED_LAST = 1 << 10, /* that group */
    WWW_1 = 1 << 11,       /* "w" */
    WWW_2 = 1 << 12,       /* "ww" */
    WWW_3 = 1 << 13,       /* "www" */
    WWW_DOT = 1 << 14,     /* "www." */
    CORE = 1 << 15,        /* alphanumeric: the core may end here */
    CORE_HYPHEN_1 = 1 << 16,
    CORE_HYPHEN_2 = 1 << 17,
    TLD_DOT = 1 << 18,
    TLD = 1 << 19,
    LAST_DOT = 1 << 20,
};
#define BEFORE_CORE (AT_START | WORD_END | WORD_MORE | DOTTED_LAST | WWW_DOT)
#define HOST_ENDS (CORE | TLD | LAST_DOT)

static uint32_t step_word(uint32_t s, uint32_t p, bool alnum)
{
    uint32_t to = 0;
    if (alnum) {
        to |= (s & AT_START) != 0 ? WORD_FIRST : 0;
        to |= (s & (WORD_FIRST | WORD_END | WORD_INSIDE)) != 0 ? WORD_END : 0;
        to |= (s & (WORD_JOIN | WORD_MORE)) != 0 ? WORD_MORE : 0;
    }
    if (p == '-' || p == '_') {
        to |= (s & (WORD_FIRST | WORD_END | WORD_INSIDE)) != 0 ? WORD_INSIDE : 0;
    }
    if (p == '-' || p == '.') {
        to |= (s & (WORD_END | WORD_MORE)) != 0 ? WORD_JOIN : 0;
    }
    return to;
}

static uint32_t step_dotted(uint32_t s, uint32_t p, bool alnum)
{
    uint32_t to = 0;
    if (alnum) {
        to |= (s & (AT_START | DOTTED_JOIN)) != 0 ? DOTTED_ONE : 0;
        to |= (s & (DOTTED_ONE | DOTTED_TWO)) != 0 ? DOTTED_TWO : 0;
        to |= (s & (DOTTED_DOT | DOTTED_LAST)) != 0 ? DOTTED_LAST : 0;
    }
    if (p == '-' || p == '_' || p == '.') {
        to |= (s & (DOTTED_ONE | DOTTED_TWO)) != 0 ? DOTTED_JOIN : 0;
    }
    if (p == '.') {
        to |= (s & DOTTED_TWO) != 0 ? DOTTED_DOT : 0;
    }
    return to;
}

static uint32_t step_core(uint32_t s, uint32_t p, bool alnum)
{
    uint32_t to = 0;
    bool wide = p >= 0xa1 && p <= 0xffff;
    if (alnum || wide) {
        to |= (s & (BEFORE_CORE | CORE | CORE_HYPHEN_1 | CORE_HYPHEN_2)) != 0 ? CORE : 0;
    }
    if (is_alpha(p) || wide) {
        to |= (s & (TLD_DOT | TLD)) != 0 ? TLD : 0;
    }
    if (p == '-') {
        to |= (s & CORE) != 0 ? CORE_HYPHEN_1 : 0;
        to |= (s & CORE_HYPHEN_1) != 0 ? CORE_HYPHEN_2 : 0;
    }
    if (p == '.') {
        to |= (s & CORE) != 0 ? TLD_DOT | LAST_DOT : 0;
        to |= (s & TLD) != 0 ? LAST_DOT : 0;
        to |= (s & WWW_3) != 0 ? WWW_DOT : 0;
    }
    if (p == 'w') {
        to |= (s & AT_START) != 0 ? WWW_1 : 0;
        to |= (s & WWW_1) != 0 ? WWW_2 : 0;
        to |= (s & WWW_2) != 0 ? WWW_3 : 0;
    }
    return to;
}

/* What may follow a host: ":" and up to five digits, then "/", "?" or "#" and no white space. */
static bool tail_ok(lt_slice s)
{
    if (s.len > 0 && s.ptr[0] == ':') {
        size_t n = 1;
        while (n < s.len && is_digit(s.ptr[n])) {
            n++;
        }
        if (n == 1 || n > 6) {
            return false;
        }
        s = after(s, n);
    }
    if (s.len == 0) {
        return true;
    }
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == ' ' || (s.ptr[i] >= 0x09 && s.ptr[i] <= 0x0d && s.ptr[i] != 0x0b)) {
            return false;
        }
    }
    return in_set(s.ptr[0], "/?#");
}

static bool host_matches(lt_slice text)
{
    struct lint_text t = lint_text_utf8(text);
    uint32_t states = AT_START;
    uint32_t p = 0;
    while (states != 0) {
        if ((states & HOST_ENDS) != 0 && tail_ok(t.rest)) {
            return true;
        }
        if (!lint_text_next(&t, &p)) {
            return false;
        }
        bool alnum = is_alpha(p) || is_digit(p);
        states = step_word(states, p, alnum) | step_dotted(states, p, alnum) | step_core(states, p, alnum);
    }
    return false;
}

/* An IPv4 address from 1.0.0.0 to 223.255.255.254, with what may follow a host. */
static bool address_matches(lt_slice text)
{
    size_t n = 0;
    while (n < text.len && (is_digit(text.ptr[n]) || text.ptr[n] == '.')) {
        n++;
    }
    lt_slice address = lt_slice_sub(text, 0, n > 0 && text.ptr[n - 1] == '.' ? n - 1 : n);
    struct x509_ip ip;
    return !lt_failed(x509_ip_parse(address, &ip)) && ip.len == 4 && ip.bytes[0] >= 1 && ip.bytes[0] <= 223 &&
           ip.bytes[3] <= 254 && tail_ok(after(text, n));
}

static bool literal_matches(lt_slice text)
{
    size_t close = lt_slice_find(text, ']');
    struct x509_ip ip;
    return text.len > 0 && text.ptr[0] == '[' && close < text.len &&
           !lt_failed(x509_ip_parse(lt_slice_sub(text, 1, close - 1), &ip)) && ip.len == 16 &&
           tail_ok(after(text, close + 1));
}

static lt_slice without_scheme(lt_slice s)
{
    static const char *const schemes[] = {"ftp://", "tcp://",  "udp://",  "ws://",
                                          "wss://", "http://", "https://"};
    for (size_t i = 0; i < LT_COUNT(schemes); i++) {
        if (lt_slice_starts(s, lt_slice_cstr(schemes[i]))) {
            return after(s, strlen(schemes[i]));
        }
    }
    return s;
}

static bool contains(lt_slice s, lt_slice what)
{
    for (size_t i = 0; i + what.len <= s.len; i++) {
        if (lt_slice_starts(lt_slice_sub(s, i, s.len), what)) {
            return true;
        }
    }
    return false;
}

/* What a URL reader makes of it, which for a colon without "://" is a host with a port. */
static bool readable(lt_slice s)
{
    char with_scheme[512] = "http://";
    size_t room = sizeof(with_scheme) - 7;
    if (lt_slice_find(s, ':') < s.len && !contains(s, LT_LIT("://"))) {
        if (s.len > room) {
            return false;
        }
        memcpy(with_scheme + 7, s.ptr, s.len);
        s = LT_SLICE(with_scheme, s.len + 7);
    }
    struct lint_url u;
    if (!lint_url_parse(s, &u) || (u.host.len > 0 && u.host.ptr[0] == '.')) {
        return false;
    }
    bool opaque = u.scheme.len > 0 && !lt_slice_starts(u.path, LT_LIT("/"));
    return u.host.len > 0 || opaque || u.path.len == 0 || lt_slice_find(u.path, '.') < u.path.len;
}

/* Is it a URL, or a host with what may stand around it? */
static bool is_url(lt_slice s)
{
    enum { LEN_MIN = 4, LEN_MAX = 2082 };
    if (s.len < LEN_MIN || lint_text_count(lint_text_utf8(s)) > LEN_MAX || s.ptr[0] == '.' || !readable(s)) {
        return false;
    }
    lt_slice rest = without_scheme(s);
    size_t at = rest.len;
    for (size_t i = 1; i < rest.len; i++) {
        at = rest.ptr[i] == '@' ? i : at;
    }
    lt_slice host = at < rest.len ? after(rest, at + 1) : rest;
    return host_matches(host) || address_matches(host) || literal_matches(host);
}

bool lint_fqdn_loose(lt_slice text)
{
    if (lt_slice_starts(text, LT_LIT("*."))) {
        text = after(text, 2);
    }
    while (lt_slice_starts(text, LT_LIT("?."))) {
        text = after(text, 2);
    }
    return is_url(text);
}
