/* See browser.h. */
#include "http/browser.h"

enum { PORT_DIGITS = 5 };

static bool is_host_char(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

static bool is_digits(lt_slice s)
{
    bool good = s.len > 0 && s.len <= PORT_DIGITS;
    for (size_t i = 0; good && i < s.len; i++) {
        good = s.ptr[i] >= '0' && s.ptr[i] <= '9';
    }
    return good;
}

/* Of "[::1]:14001" all up to the bracket. */
static size_t bracketed(lt_slice host)
{
    size_t end = lt_slice_find(host, ']');
    bool good = end < host.len && end > 1;
    for (size_t i = 1; good && i < end; i++) {
        uint8_t c = host.ptr[i];
        good = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' ||
               c == '.';
    }
    return good ? end + 1 : 0;
}

lt_res http_host_split(lt_slice host, lt_slice *ret_name)
{
    size_t len = 0;
    if (host.len > 0 && host.ptr[0] == '[') {
        len = bracketed(host);
    } else {
        while (len < host.len && is_host_char(host.ptr[len])) {
            len++;
        }
    }
    lt_slice port = lt_slice_sub(host, len, SIZE_MAX);
    bool good = len > 0 &&
                (port.len == 0 || (port.ptr[0] == ':' && is_digits(lt_slice_sub(port, 1, SIZE_MAX))));
    LT_CHECK(good, LT_PEER_MALFORMED, "the Host is no name or address with a port");
    *ret_name = lt_slice_sub(host, 0, len);
    return LT_OK;
}

static lt_slice trim(lt_slice s)
{
    while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t')) {
        s = lt_slice_sub(s, 1, SIZE_MAX);
    }
    while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t')) {
        s.len--;
    }
    return s;
}

/*= RFC 6265 4.2.1 "cookie-pair *( ";" SP cookie-pair )" */
static unsigned find_pair(lt_slice field, lt_slice name, lt_slice *value)
{
    unsigned found = 0;
    lt_slice pair;
    while (lt_slice_split(&field, ';', &pair)) {
        pair = trim(pair);
        size_t at = lt_slice_find(pair, '=');
        if (at < pair.len && lt_slice_eq(lt_slice_sub(pair, 0, at), name)) {
            *value = lt_slice_sub(pair, at + 1, SIZE_MAX);
            found++;
        }
    }
    return found;
}

lt_slice http_cookie_find(const struct http_field *fields, size_t count, const char *name)
{
    lt_slice value = LT_SLICE(NULL, 0);
    unsigned found = 0;
    for (size_t i = 0; i < count; i++) {
        if (lt_slice_eq_nocase(fields[i].name, LT_LIT("cookie"))) {
            found += find_pair(fields[i].value, lt_slice_cstr(name), &value);
        }
    }
    return found == 1 ? value : LT_SLICE(NULL, 0);
}

bool http_origin_is(lt_slice origin, lt_slice host)
{
    static const char *const schemes[] = {"https://", "http://"};
    for (size_t i = 0; i < LT_COUNT(schemes); i++) {
        lt_slice scheme = lt_slice_cstr(schemes[i]);
        if (lt_slice_starts(origin, scheme)) {
            return host.len > 0 && lt_slice_eq_nocase(lt_slice_sub(origin, scheme.len, SIZE_MAX), host);
        }
    }
    return false;
}

/* "q=0", "q=0.", "q=0.000": not at all. */
static bool is_refused(lt_slice weight)
{
    weight = trim(weight);
    bool zero = weight.len >= 3 && (weight.ptr[0] == 'q' || weight.ptr[0] == 'Q') && weight.ptr[1] == '=';
    for (size_t i = 2; zero && i < weight.len; i++) {
        zero = weight.ptr[i] == '0' || weight.ptr[i] == '.';
    }
    return zero;
}

bool http_accepts_gzip(lt_slice accept_encoding)
{
    lt_slice item;
    while (lt_slice_split(&accept_encoding, ',', &item)) {
        size_t at = lt_slice_find(item, ';');
        if (lt_slice_eq_nocase(trim(lt_slice_sub(item, 0, at)), LT_LIT("gzip"))) {
            return !is_refused(lt_slice_sub(item, at + 1, SIZE_MAX));
        }
    }
    return false;
}
