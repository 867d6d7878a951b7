/* URLs, only as far as rules ask: scheme, host, path. */
#include "lint/rules/url.h"

#include <string.h>

#include "x509/dnsname.h"

static bool is_letter(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(uint8_t c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static size_t find_last(lt_slice s, uint8_t byte)
{
    for (size_t i = s.len; i > 0; i--) {
        if (s.ptr[i - 1] == byte) {
            return i - 1;
        }
    }
    return s.len;
}

static lt_slice from(lt_slice s, size_t offset)
{
    return lt_slice_sub(s, offset, s.len);
}

/* Every percent sign stands before two hexadecimal digits. */
static bool percents_ok(lt_slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '%' && (i + 2 >= s.len || !is_hex(s.ptr[i + 1]) || !is_hex(s.ptr[i + 2]))) {
            return false;
        }
    }
    return true;
}

static bool host_character(uint8_t c)
{
    return c >= 0x80 || is_letter(c) || is_digit(c) ||
           (c != 0 && strchr("-_.~!$&'()*+,;=:[]<>\"%", c) != NULL);
}

/* In a host only bytes above ASCII may be written with a percent sign, and the percent sign itself. */
static bool host_text_ok(lt_slice s)
{
    if (!percents_ok(s)) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        if (!host_character(s.ptr[i])) {
            return false;
        }
        if (s.ptr[i] == '%' && s.ptr[i + 1] < '8' && !(s.ptr[i + 1] == '2' && s.ptr[i + 2] == '5')) {
            return false;
        }
    }
    return true;
}

/* Nothing, or a colon and digits. */
static bool port_ok(lt_slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (i == 0 ? s.ptr[i] != ':' : !is_digit(s.ptr[i])) {
            return false;
        }
    }
    return true;
}

static bool bracket_host(lt_slice host, struct lint_url *url)
{
    size_t close = find_last(host, ']');
    if (close == host.len || !port_ok(from(host, close + 1))) {
        return false;
    }
    url->name = lt_slice_sub(host, 1, close - 1);
    lt_slice address = lt_slice_sub(url->name, 0, lt_slice_find(url->name, '%'));
    struct x509_ip ip;
    return !lt_failed(x509_ip_parse(address, &ip)) && ip.len == 16;
}

static bool read_host(lt_slice host, struct lint_url *url)
{
    url->host = host;
    size_t open = find_last(host, '[');
    if (open < host.len) {
        return open == 0 && bracket_host(host, url);
    }
    bool web = lt_slice_eq_nocase(url->scheme, LT_LIT("http")) ||
               lt_slice_eq_nocase(url->scheme, LT_LIT("https"));
    size_t colon = web ? lt_slice_find(host, ':') : find_last(host, ':');
    url->name = lt_slice_sub(host, 0, colon);
    return port_ok(from(host, colon)) && host_text_ok(host);
}

static bool user_ok(lt_slice user)
{
    for (size_t i = 0; i < user.len; i++) {
        uint8_t c = user.ptr[i];
        if (!is_letter(c) && !is_digit(c) && (c == 0 || strchr("-._:~!$&'()*+,;=%@", c) == NULL)) {
            return false;
        }
    }
    return percents_ok(user);
}

static bool read_authority(lt_slice authority, struct lint_url *url)
{
    size_t at = find_last(authority, '@');
    if (at == authority.len) {
        return read_host(authority, url);
    }
    return user_ok(lt_slice_sub(authority, 0, at)) && read_host(from(authority, at + 1), url);
}

/* The scheme ends at the first colon that only letters, digits, "+", "-" and "." precede. */
static bool read_scheme(lt_slice *rest, struct lint_url *url)
{
    for (size_t i = 0; i < rest->len; i++) {
        uint8_t c = rest->ptr[i];
        if (c == ':') {
            url->scheme = lt_slice_sub(*rest, 0, i);
            *rest = from(*rest, i + 1);
            return i > 0;
        }
        bool inner = is_digit(c) || c == '+' || c == '-' || c == '.';
        if (!is_letter(c) && (!inner || i == 0)) {
            return true;
        }
    }
    return true;
}

bool lint_url_parse(lt_slice text, struct lint_url *ret_url)
{
    *ret_url = (struct lint_url){0};
    size_t hash = lt_slice_find(text, '#');
    lt_slice rest = lt_slice_sub(text, 0, hash);
    for (size_t i = 0; i < rest.len; i++) {
        if (rest.ptr[i] < ' ' || rest.ptr[i] == 0x7f) {
            return false;
        }
    }
    if (!percents_ok(from(text, hash)) || !read_scheme(&rest, ret_url)) {
        return false;
    }
    rest = lt_slice_sub(rest, 0, lt_slice_find(rest, '?'));
    ret_url->path = rest;
    bool absolute = ret_url->scheme.len > 0;
    if (!lt_slice_starts(rest, LT_LIT("/"))) {
        lt_slice segment = lt_slice_sub(rest, 0, lt_slice_find(rest, '/'));
        return absolute || (lt_slice_find(segment, ':') == segment.len && percents_ok(rest));
    }
    if (lt_slice_starts(rest, LT_LIT("//")) && (absolute || !lt_slice_starts(rest, LT_LIT("///")))) {
        lt_slice authority = from(rest, 2);
        size_t slash = lt_slice_find(authority, '/');
        ret_url->path = from(authority, slash);
        if (!read_authority(lt_slice_sub(authority, 0, slash), ret_url)) {
            return false;
        }
    }
    return percents_ok(ret_url->path);
}

bool lint_url_has_scheme(lt_slice text, const char *scheme)
{
    struct lint_url url;
    return lint_url_parse(text, &url) && lt_slice_eq_nocase(url.scheme, lt_slice_cstr(scheme));
}
