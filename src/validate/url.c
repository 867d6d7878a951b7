/* RFC 3986 as far as a redirect needs it: split, resolve against the base, remove dot segments. */
#include "validate/url.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "validate/address.h"

static uint8_t lower(uint8_t c)
{
    return (uint8_t)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* Letters, digits, inner hyphens and dots; no empty label. */
static lt_res take_name(lt_slice host, struct validate_url *u)
{
    if (host.len > 0 && host.ptr[host.len - 1] == '.') {
        host.len--;
    }
    LT_CHECK(host.len > 0 && host.len < VALIDATE_HOST_MAX, LT_PEER_MALFORMED,
             "its host is empty or too long");
    for (size_t i = 0; i < host.len; i++) {
        uint8_t c = lower(host.ptr[i]);
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        bool edge = i == 0 || i + 1 == host.len || host.ptr[i - 1] == '.' || host.ptr[i + 1] == '.';
        LT_CHECK(plain || ((c == '-' || c == '.') && !edge), LT_PEER_MALFORMED,
                 "its host has characters that are none of a name's");
        u->host[i] = (char)c;
    }
    u->host[host.len] = '\0';
    struct validate_address a;
    u->literal = !lt_failed(validate_address_parse(lt_slice_cstr(u->host), &a));
    return LT_OK;
}

static lt_res take_literal(lt_slice inner, struct validate_url *u)
{
    struct validate_address a;
    LT_TRY(validate_address_parse(inner, &a));
    LT_CHECK(a.v6, LT_PEER_MALFORMED, "its host in brackets is no IPv6 address");
    validate_address_print(&a, u->host);
    u->literal = true;
    return LT_OK;
}

static lt_res take_authority(lt_slice authority, struct validate_url *u)
{
    LT_CHECK(lt_slice_find(authority, '@') == authority.len, LT_PEER_MALFORMED, "it carries a user name");
    lt_slice port = {0};
    if (authority.len > 0 && authority.ptr[0] == '[') {
        size_t end = lt_slice_find(authority, ']');
        LT_CHECK(end < authority.len, LT_PEER_MALFORMED, "its bracket does not close");
        LT_TRY(take_literal(lt_slice_sub(authority, 1, end - 1), u));
        port = lt_slice_sub(authority, end + 1, SIZE_MAX);
        LT_CHECK(port.len == 0 || port.ptr[0] == ':', LT_PEER_MALFORMED,
                 "something stands behind its bracket");
    } else {
        size_t colon = lt_slice_find(authority, ':');
        LT_TRY(take_name(lt_slice_sub(authority, 0, colon), u));
        port = lt_slice_sub(authority, colon, SIZE_MAX);
    }
    port = lt_slice_sub(port, 1, SIZE_MAX);
    uint64_t number = u->https ? 443 : 80;
    if (port.len > 0) {
        LT_CHECK(!lt_failed(lt_parse_u64(port, UINT16_MAX, &number)) && number > 0, LT_PEER_MALFORMED,
                 "its port is no port");
    }
    u->port = (uint16_t)number;
    return LT_OK;
}

/* Where the last segment of a path begins to be replaced. */
static size_t parent_end(const char *path, size_t len)
{
    while (len > 0 && path[len - 1] != '/') {
        len--;
    }
    return len;
}

/*= RFC 3986 5.2.4 "Remove Dot Segments"; in and out begin with '/', out is never longer. */
static void remove_dots(lt_slice in, char *out)
{
    size_t len = 0;
    lt_slice rest = lt_slice_sub(in, 1, SIZE_MAX);
    bool more = true;
    out[len++] = '/';
    while (more) {
        size_t slash = lt_slice_find(rest, '/');
        lt_slice segment = lt_slice_sub(rest, 0, slash);
        more = slash < rest.len;
        rest = lt_slice_sub(rest, slash + 1, SIZE_MAX);
        if (lt_slice_eq_cstr(segment, "..")) {
            len = len > 1 ? parent_end(out, len - 1) : 1;
        } else if (!lt_slice_eq_cstr(segment, ".")) {
            if (segment.len > 0) {
                memcpy(out + len, segment.ptr, segment.len);
            }
            len += segment.len;
            if (more) {
                out[len++] = '/';
            }
        }
    }
    out[len] = '\0';
}

/* reference: path and query, resolved against the base's path when it does not begin with '/'. */
static lt_res take_path(const char *base_path, lt_slice reference, struct validate_url *u)
{
    char joined[2 * VALIDATE_PATH_MAX];
    size_t question = lt_slice_find(reference, '?');
    lt_slice path = lt_slice_sub(reference, 0, question);
    lt_slice query = lt_slice_sub(reference, question, SIZE_MAX);
    lt_slice base = lt_slice_cstr(base_path);
    base = lt_slice_sub(base, 0, lt_slice_find(base, '?'));
    size_t kept = 0;
    if (path.len == 0 || path.ptr[0] != '/') {
        kept = path.len == 0 ? base.len : parent_end(base_path, base.len);
    }
    LT_CHECK(kept + path.len + query.len + 1 < VALIDATE_PATH_MAX, LT_PEER_MALFORMED, "its path is too long");
    memcpy(joined, base_path, kept);
    if (path.len > 0) {
        memcpy(joined + kept, path.ptr, path.len);
    }
    remove_dots(LT_SLICE(joined, kept + path.len), u->path);
    size_t len = strlen(u->path);
    if (query.len > 0) {
        memcpy(u->path + len, query.ptr, query.len);
    }
    u->path[len + query.len] = '\0';
    return LT_OK;
}

static lt_res check_characters(lt_slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        LT_CHECK(s.ptr[i] > 0x20 && s.ptr[i] < 0x7f, LT_PEER_MALFORMED, "it has characters that no URL has");
    }
    return LT_OK;
}

/* The scheme, when there is one. */
static lt_res take_scheme(lt_slice *reference, struct validate_url *u, bool *ret_absolute)
{
    static const struct {
        lt_slice prefix;
        bool https;
    } schemes[] = {{{(const uint8_t *)"http://", 7}, false}, {{(const uint8_t *)"https://", 8}, true}};
    for (size_t i = 0; i < LT_COUNT(schemes); i++) {
        lt_slice head = lt_slice_sub(*reference, 0, schemes[i].prefix.len);
        if (lt_slice_eq_nocase(head, schemes[i].prefix)) {
            u->https = schemes[i].https;
            *reference = lt_slice_sub(*reference, head.len, SIZE_MAX);
            *ret_absolute = true;
            return LT_OK;
        }
    }
    if (lt_slice_starts(*reference, LT_LIT("//"))) {
        *reference = lt_slice_sub(*reference, 2, SIZE_MAX);
        *ret_absolute = true;
        return LT_OK;
    }
    size_t colon = lt_slice_find(*reference, ':');
    LT_CHECK(colon == reference->len || lt_slice_find(*reference, '/') < colon ||
                 lt_slice_find(*reference, '?') < colon,
             LT_PEER_MALFORMED, "its scheme is neither http nor https");
    *ret_absolute = false;
    return LT_OK;
}

lt_res validate_url_resolve(const struct validate_url *base, lt_slice reference, struct validate_url *ret_url)
{
    struct validate_url u = {.https = base->https, .literal = base->literal, .port = base->port};
    bool absolute = false;
    memcpy(u.host, base->host, sizeof u.host);
    LT_TRY(check_characters(reference));
    reference = lt_slice_sub(reference, 0, lt_slice_find(reference, '#'));
    LT_TRY(take_scheme(&reference, &u, &absolute));
    if (!absolute) {
        LT_TRY(take_path(base->path, reference, &u));
        *ret_url = u;
        return LT_OK;
    }
    size_t slash = lt_slice_find(reference, '/');
    size_t question = lt_slice_find(reference, '?');
    size_t end = slash < question ? slash : question;
    LT_TRY(take_authority(lt_slice_sub(reference, 0, end), &u));
    LT_TRY(take_path("/", lt_slice_sub(reference, end, SIZE_MAX), &u));
    *ret_url = u;
    return LT_OK;
}

bool validate_url_eq(const struct validate_url *a, const struct validate_url *b)
{
    return a->https == b->https && a->port == b->port && strcmp(a->host, b->host) == 0 &&
           strcmp(a->path, b->path) == 0;
}

void validate_url_print(const struct validate_url *u, char *ret_text, size_t size)
{
    bool brackets = u->literal && strchr(u->host, ':') != NULL;
    bool usual = u->port == (u->https ? 443 : 80);
    char port[8] = "";
    if (!usual) {
        (void)snprintf(port, sizeof port, ":%u", u->port); /* five digits at most */
    }
    (void)snprintf(ret_text, size, "%s://%s%s%s%s%s", u->https ? "https" : "http", brackets ? "[" : "",
                   u->host, brackets ? "]" : "", port, u->path); /* cut is what the header promises */
}
