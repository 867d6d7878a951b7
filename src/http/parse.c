/* HTTP/1.1 heads, strictly. A request's head decides where its body ends and where the next request begins:
 * whoever reads it more kindly than the proxy before us lets one client speak in another's name. So nothing
 * here is repaired, and every refusal has its own status. */
#include "http/parse.h"

#include <string.h>

#include "base/text.h"

enum { STATUS_BAD = 400, STATUS_TOO_LARGE = 413, STATUS_EXPECT = 417, STATUS_HEAD_TOO_LARGE = 431 };
enum { STATUS_NOT_IMPLEMENTED = 501, STATUS_VERSION = 505 };

/* What a character may stand in: a token, a field value (RFC 9110 section 5.5), a path segment, a host. */
enum { T = 1, V = 2, P = 4, H = 8, TOKEN = T, VALUE = V, PCHAR = P, HOST = H };

/* clang-format off */
static const uint8_t classes[256] = {
    ['0' ... '9'] = T | V | P | H,
    ['A' ... 'Z'] = T | V | P | H,
    ['a' ... 'z'] = T | V | P | H,
    ['\t'] = V,
    [' '] = V,
    [0x80 ... 0xff] = V,
    ['!'] = H | P | T | V,
    ['"'] = V,
    ['#'] = T | V,
    ['$'] = H | P | T | V,
    ['%'] = H | T | V,
    ['&'] = H | P | T | V,
    ['\''] = H | P | T | V,
    ['('] = H | P | V,
    [')'] = H | P | V,
    ['*'] = H | P | T | V,
    ['+'] = H | P | T | V,
    [','] = H | P | V,
    ['-'] = H | P | T | V,
    ['.'] = H | P | T | V,
    ['/'] = V,
    [':'] = H | P | V,
    [';'] = H | P | V,
    ['<'] = V,
    ['='] = H | P | V,
    ['>'] = V,
    ['?'] = V,
    ['@'] = P | V,
    ['['] = H | V,
    ['\\'] = V,
    [']'] = H | V,
    ['^'] = T | V,
    ['_'] = H | P | T | V,
    ['`'] = T | V,
    ['{'] = V,
    ['|'] = T | V,
    ['}'] = V,
    ['~'] = H | P | T | V,
};
/* clang-format on */

static bool all_in(lt_slice s, uint8_t bit)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((classes[s.ptr[i]] & bit) == 0) {
            return false;
        }
    }
    return true;
}

bool http_is_token(lt_slice s)
{
    return s.len > 0 && all_in(s, TOKEN);
}

bool http_is_field_value(lt_slice s)
{
    return all_in(s, VALUE);
}

lt_res http_head_find(lt_slice bytes, size_t *at, size_t *ret_len, unsigned *ret_status)
{
    *ret_status = STATUS_BAD;
    for (; *at < bytes.len; (*at)++) {
        size_t i = *at;
        uint8_t c = bytes.ptr[i];
        *ret_status = STATUS_HEAD_TOO_LARGE;
        LT_CHECK(i < HTTP_HEAD_MAX, LT_PEER_TOO_LARGE, "head over %d bytes", HTTP_HEAD_MAX);
        *ret_status = STATUS_BAD;
        bool after_cr = i > 0 && bytes.ptr[i - 1] == '\r';
        /*= RFC 9112 2.2 "A sender MUST NOT generate a bare CR" */
        LT_CHECK(after_cr == (c == '\n'), LT_PEER_MALFORMED, "line end that is not CRLF at offset %zu", i);
        LT_CHECK((c >= 0x20 && c != 0x7f) || c == '\t' || c == '\r' || c == '\n', LT_PEER_MALFORMED,
                 "control character at offset %zu", i);
        if (c == '\n' && i >= 3 && bytes.ptr[i - 2] == '\n') {
            *ret_len = i + 1;
            return LT_OK;
        }
        /* A head begins with a token character, so what is no HTTP at all (TLS on a plain port) ends here. */
        LT_CHECK(i > 0 || http_is_token(LT_SLICE(bytes.ptr, 1)), LT_PEER_MALFORMED,
                 "not the start of a head");
    }
    return (lt_res){LT_RETRY_AGAIN}; /* no failure, and frequent: no record */
}

/* The line before the first CRLF; *rest moves behind it. The caller has seen that each LF follows a CR. */
static lt_slice take_line(lt_slice *rest)
{
    size_t lf = lt_slice_find(*rest, '\n');
    LT_ASSERT(lf > 0 && lf < rest->len);
    lt_slice line = LT_SLICE(rest->ptr, lf - 1);
    *rest = lt_slice_sub(*rest, lf + 1, SIZE_MAX);
    return line;
}

static lt_res parse_version(lt_slice version, struct http_head *h, unsigned *ret_status)
{
    *ret_status = STATUS_BAD;
    /*= RFC 9112 2.3 "HTTP-version = HTTP-name "/" DIGIT "." DIGIT" */
    const uint8_t *v = version.ptr;
    LT_CHECK(version.len == 8 && memcmp(v, "HTTP/", 5) == 0 && v[6] == '.' && v[5] >= '0' && v[5] <= '9' &&
                 v[7] >= '0' && v[7] <= '9',
             LT_PEER_MALFORMED, "no HTTP version at the end of the start line");
    *ret_status = STATUS_VERSION;
    LT_CHECK(v[5] == '1' && v[7] <= '1', LT_PEER_UNSUPPORTED, "HTTP version %.*s", LT_FMT(version));
    h->http10 = v[7] == '0';
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

static lt_res parse_fields(lt_slice rest, struct http_head *h, unsigned *ret_status)
{
    *ret_status = STATUS_BAD;
    while (rest.len > 2) {
        lt_slice line = take_line(&rest);
        /*= RFC 9112 5.2 "A server that receives an obs-fold in a request message ... MUST either reject" */
        LT_CHECK(line.len > 0 && line.ptr[0] != ' ' && line.ptr[0] != '\t', LT_PEER_MALFORMED,
                 "a field line begins with a blank");
        size_t colon = lt_slice_find(line, ':');
        struct http_field f = {LT_SLICE(line.ptr, colon), trim(lt_slice_sub(line, colon + 1, SIZE_MAX))};
        LT_CHECK(colon < line.len, LT_PEER_MALFORMED, "a field line without a colon");
        /*= RFC 9112 5.1 "No whitespace is allowed between the field name and colon" */
        LT_CHECK(http_is_token(f.name), LT_PEER_MALFORMED, "a field name that is no token");
        LT_CHECK(http_is_field_value(f.value), LT_PEER_MALFORMED, "a control character in a field value");
        *ret_status = STATUS_HEAD_TOO_LARGE;
        LT_CHECK(h->field_count < HTTP_FIELDS_MAX, LT_PEER_TOO_LARGE, "over %d fields", HTTP_FIELDS_MAX);
        *ret_status = STATUS_BAD;
        h->fields[h->field_count++] = f;
    }
    return LT_OK;
}

static bool name_is(lt_slice a, const char *name)
{
    return lt_slice_eq_nocase(a, lt_slice_cstr(name));
}

lt_slice http_head_field(const struct http_head *head, const char *name)
{
    for (size_t i = 0; i < head->field_count; i++) {
        if (name_is(head->fields[i].name, name)) {
            return head->fields[i].value;
        }
    }
    return LT_SLICE(NULL, 0);
}

/* For fields that may come once: more than one is refused. */
static lt_res single_field(const struct http_head *h, const char *name, bool *ret_there, lt_slice *ret_value)
{
    *ret_there = false;
    for (size_t i = 0; i < h->field_count; i++) {
        if (!name_is(h->fields[i].name, name)) {
            continue;
        }
        LT_CHECK(!*ret_there, LT_PEER_MALFORMED, "two %s fields", name);
        *ret_there = true;
        *ret_value = h->fields[i].value;
    }
    return LT_OK;
}

/* Sets chunked, has_length, length. */
static lt_res parse_framing(struct http_head *h, unsigned *ret_status)
{
    *ret_status = STATUS_BAD;
    bool has_coding;
    lt_slice coding;
    lt_slice length;
    LT_TRY(single_field(h, "transfer-encoding", &has_coding, &coding));
    LT_TRY(single_field(h, "content-length", &h->has_length, &length));
    /*= RFC 9112 6.3 "such a message indicates an attempt to perform request smuggling" */
    LT_CHECK(!has_coding || !h->has_length, LT_PEER_MALFORMED,
             "Content-Length and Transfer-Encoding together");
    if (h->has_length) {
        LT_TRY(lt_parse_u64(length, UINT64_C(1) << 53, &h->length));
    }
    if (has_coding) {
        /*= RFC 9112 6.1 "server MUST treat the message as if the framing is faulty" (HTTP/1.0 with a coding)
         */
        LT_CHECK(!h->http10, LT_PEER_MALFORMED, "Transfer-Encoding in HTTP/1.0");
        /*= RFC 9112 6.1 "transfer coding it does not understand SHOULD respond with 501" */
        *ret_status = http_is_token(coding) ? STATUS_NOT_IMPLEMENTED : STATUS_BAD;
        LT_CHECK(name_is(coding, "chunked"), LT_PEER_UNSUPPORTED, "a transfer coding other than chunked");
        h->chunked = true;
    }
    return LT_OK;
}

static bool list_has(lt_slice list, const char *word)
{
    lt_slice item;
    while (lt_slice_split(&list, ',', &item)) {
        if (name_is(trim(item), word)) {
            return true;
        }
    }
    return false;
}

static void parse_connection(struct http_head *h)
{
    h->keep_alive = !h->http10;
    for (size_t i = 0; i < h->field_count; i++) {
        if (name_is(h->fields[i].name, "connection") && list_has(h->fields[i].value, "close")) {
            h->keep_alive = false;
        }
    }
}

/*= RFC 9112 3.2 "MUST respond with a 400 (Bad Request) status code to any HTTP/1.1 request message that lacks
 * a Host header field and to any request message that contains more than one Host header field line" */
static lt_res parse_host(struct http_head *h)
{
    bool there;
    lt_slice host;
    LT_TRY(single_field(h, "host", &there, &host));
    LT_CHECK(there && host.len > 0 && host.len <= 262, LT_PEER_MALFORMED, "no Host");
    LT_CHECK(all_in(host, HOST), LT_PEER_MALFORMED, "a character that no host has in Host");
    h->host = host;
    return LT_OK;
}

/* absolute-form becomes origin-form when its authority is what Host says. */
static lt_res strip_origin(const struct http_head *h, lt_slice *target)
{
    lt_slice scheme = lt_slice_sub(*target, 0, 7);
    size_t skip = 0;
    if (lt_slice_eq_nocase(scheme, LT_LIT("http://"))) {
        skip = 7;
    } else if (lt_slice_eq_nocase(lt_slice_sub(*target, 0, 8), LT_LIT("https://"))) {
        skip = 8;
    } else {
        return LT_OK;
    }
    lt_slice rest = lt_slice_sub(*target, skip, SIZE_MAX);
    size_t slash = lt_slice_find(rest, '/');
    LT_CHECK(slash < rest.len, LT_PEER_MALFORMED, "a target without a path");
    LT_CHECK(lt_slice_eq_nocase(LT_SLICE(rest.ptr, slash), h->host), LT_PEER_MALFORMED,
             "target and Host name two hosts");
    *target = lt_slice_sub(rest, slash, SIZE_MAX);
    return LT_OK;
}

static bool escape_ok(lt_slice s, size_t at)
{
    static const char hex[] = "0123456789abcdefABCDEF";
    return at + 2 < s.len && s.ptr[at + 1] != 0 && s.ptr[at + 2] != 0 && strchr(hex, s.ptr[at + 1]) != NULL &&
           strchr(hex, s.ptr[at + 2]) != NULL;
}

static lt_res check_query(lt_slice query)
{
    for (size_t i = 0; i < query.len; i++) {
        uint8_t c = query.ptr[i];
        bool good = all_in(LT_SLICE(query.ptr + i, 1), PCHAR) || c == '/' || c == '?' ||
                    (c == '%' && escape_ok(query, i));
        LT_CHECK(good, LT_PEER_MALFORMED, "a character in the query that must be escaped");
    }
    return LT_OK;
}

lt_res http_target_split(lt_slice target, lt_slice *ret_path, lt_slice *ret_query)
{
    size_t mark = lt_slice_find(target, '?');
    *ret_path = LT_SLICE(target.ptr, mark);
    *ret_query = lt_slice_sub(target, mark + 1, SIZE_MAX);
    LT_TRY(http_path_check(*ret_path));
    return check_query(*ret_query);
}

lt_res http_method_check(lt_slice method, unsigned *ret_status)
{
    static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"};
    *ret_status = STATUS_BAD;
    LT_CHECK(http_is_token(method), LT_PEER_MALFORMED, "a method that is no token");
    for (size_t i = 0; i < LT_COUNT(methods); i++) {
        if (lt_slice_eq_cstr(method, methods[i])) {
            return LT_OK;
        }
    }
    *ret_status = STATUS_NOT_IMPLEMENTED;
    LT_FAIL(LT_PEER_UNSUPPORTED, "a method that nothing here has");
}

/*= RFC 9112 3 "request-line   = method SP request-target SP HTTP-version" */
static lt_res parse_request_line(lt_slice line, struct http_head *h, unsigned *ret_status)
{
    *ret_status = STATUS_BAD;
    size_t first = lt_slice_find(line, ' ');
    lt_slice rest = lt_slice_sub(line, first + 1, SIZE_MAX);
    size_t second = lt_slice_find(rest, ' ');
    LT_CHECK(first < line.len && second < rest.len, LT_PEER_MALFORMED, "a request line has three parts");
    h->method = LT_SLICE(line.ptr, first);
    h->target = LT_SLICE(rest.ptr, second);
    LT_TRY(parse_version(lt_slice_sub(rest, second + 1, SIZE_MAX), h, ret_status));
    return http_method_check(h->method, ret_status);
}

lt_res http_request_parse(lt_slice bytes, struct http_head *ret_head, unsigned *ret_status)
{
    struct http_head *h = ret_head;
    *h = (struct http_head){0};
    lt_slice rest = bytes;
    lt_slice line = take_line(&rest);
    LT_TRY(parse_request_line(line, h, ret_status));
    LT_TRY(parse_fields(rest, h, ret_status));
    LT_TRY(parse_framing(h, ret_status));
    *ret_status = STATUS_BAD;
    LT_TRY(parse_host(h));
    lt_slice target = h->target;
    LT_TRY(strip_origin(h, &target));
    LT_TRY(http_target_split(target, &h->path, &h->query));
    parse_connection(h);
    lt_slice expect = http_head_field(h, "expect");
    *ret_status = STATUS_EXPECT;
    LT_CHECK(expect.len == 0 || name_is(expect, "100-continue"), LT_PEER_UNSUPPORTED,
             "an expectation other than 100-continue");
    h->expect_continue = expect.len > 0 && !h->http10;
    *ret_status = STATUS_TOO_LARGE;
    LT_CHECK(h->length <= HTTP_BODY_MAX, LT_PEER_TOO_LARGE, "body over %d bytes", HTTP_BODY_MAX);
    return LT_OK;
}

lt_res http_response_parse(lt_slice bytes, struct http_head *ret_head)
{
    struct http_head *h = ret_head;
    *h = (struct http_head){0};
    unsigned ignored;
    lt_slice rest = bytes;
    lt_slice line = take_line(&rest);
    /*= RFC 9112 4 "status-line = HTTP-version SP status-code SP [ reason-phrase ]" */
    LT_TRY(parse_version(lt_slice_sub(line, 0, 8), h, &ignored));
    uint64_t status;
    LT_CHECK(line.len >= 12 && line.ptr[8] == ' ' && (line.len == 12 || line.ptr[12] == ' '),
             LT_PEER_MALFORMED, "a status line that is none");
    LT_TRY(lt_parse_u64(LT_SLICE(line.ptr + 9, 3), 599, &status));
    LT_CHECK(status >= 100, LT_PEER_MALFORMED, "status %llu", (unsigned long long)status);
    h->status = (unsigned)status;
    LT_TRY(parse_fields(rest, h, &ignored));
    LT_TRY(parse_framing(h, &ignored));
    parse_connection(h);
    return LT_OK;
}

static unsigned hex_digit(uint8_t c)
{
    return c <= '9' ? c - (unsigned)'0' : (c | 0x20u) - (unsigned)'a' + 10;
}

/* Base64 of DER is no hierarchy: it may hold "//" and an escaped slash, and no dot that could lead anywhere.
 *= RFC 6960 A.1 "GET {url}/{url-encoding of base-64 encoding of the DER encoding of the OCSPRequest}" */
static bool is_ocsp_get(lt_slice path)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
    static const char *const escaped[] = {"%2B", "%2F", "%3D"};
    if (!lt_slice_starts(path, LT_LIT("/ocsp/"))) {
        return false;
    }
    for (size_t i = strlen("/ocsp/"); i < path.len; i++) {
        if (path.ptr[i] != 0 && strchr(letters, path.ptr[i]) != NULL) {
            continue;
        }
        size_t k = 0;
        while (k < LT_COUNT(escaped) &&
               !lt_slice_eq_nocase(lt_slice_sub(path, i, 3), lt_slice_cstr(escaped[k]))) {
            k++;
        }
        if (k == LT_COUNT(escaped)) {
            return false;
        }
        i += 2;
    }
    return true;
}

lt_res http_path_check(lt_slice path)
{
    if (is_ocsp_get(path)) {
        return LT_OK;
    }
    LT_CHECK(path.len > 0 && path.ptr[0] == '/', LT_PEER_MALFORMED, "a path begins with a slash");
    size_t segment_len = 0; /* decoded */
    size_t dots = 0;
    for (size_t i = 1; i <= path.len; i++) {
        if (i == path.len || path.ptr[i] == '/') {
            LT_CHECK(segment_len > 0 || i == path.len, LT_PEER_MALFORMED, "an empty path segment");
            LT_CHECK(segment_len == 0 || segment_len > 2 || dots != segment_len, LT_PEER_MALFORMED,
                     "a dot segment in the path");
            segment_len = dots = 0;
            continue;
        }
        uint8_t c = path.ptr[i];
        if (c == '%') {
            LT_CHECK(escape_ok(path, i), LT_PEER_MALFORMED, "a broken percent escape");
            c = (uint8_t)(hex_digit(path.ptr[i + 1]) << 4 | hex_digit(path.ptr[i + 2]));
            LT_CHECK(c >= 0x20 && c != 0x7f && c != '/' && c != '\\', LT_PEER_MALFORMED,
                     "an escaped character that no path may hold");
            i += 2;
        } else {
            LT_CHECK(all_in(LT_SLICE(&c, 1), PCHAR), LT_PEER_MALFORMED, "a character that no path holds");
        }
        segment_len++;
        dots += c == '.' ? 1 : 0;
    }
    return LT_OK;
}
