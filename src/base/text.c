/* Bytes as text and back. Decoders are strict: what two readers could take for two things is refused. */
#include "base/text.h"

#include <stdio.h>
#include <string.h>

static const char hex_digits[] = "0123456789abcdef";

void lt_hex_add(struct lt_buf *out, lt_slice bytes)
{
    uint8_t *p = lt_buf_extend(out, bytes.len * 2);
    for (size_t i = 0; p != NULL && i < bytes.len; i++) {
        p[2 * i] = (uint8_t)hex_digits[bytes.ptr[i] >> 4];
        p[2 * i + 1] = (uint8_t)hex_digits[bytes.ptr[i] & 15];
    }
}

char *lt_hex(struct lt_arena *a, lt_slice bytes)
{
    char *p = lt_arena_alloc(a, bytes.len * 2 + 1);
    for (size_t i = 0; p != NULL && i < bytes.len; i++) {
        p[2 * i] = hex_digits[bytes.ptr[i] >> 4];
        p[2 * i + 1] = hex_digits[bytes.ptr[i] & 15];
    }
    return p;
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (uint8_t)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

lt_res lt_unhex(struct lt_arena *a, lt_slice text, lt_slice *ret_bytes)
{
    LT_CHECK(text.len % 2 == 0, LT_PEER_MALFORMED, "odd number of hex digits (%zu)", text.len);
    uint8_t *out = lt_arena_alloc(a, text.len / 2 + 1);
    LT_CHECK(out != NULL, LT_PEER_TOO_LARGE, "hex of %zu digits is over the limit", text.len);
    for (size_t i = 0; i < text.len; i += 2) {
        int high = hex_value(text.ptr[i]);
        int low = hex_value(text.ptr[i + 1]);
        LT_CHECK(high >= 0 && low >= 0, LT_PEER_MALFORMED, "not a hex digit at offset %zu",
                 high < 0 ? i : i + 1);
        out[i / 2] = (uint8_t)(high * 16 + low);
    }
    *ret_bytes = LT_SLICE(out, text.len / 2);
    return LT_OK;
}

static const char alphabet_std[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char alphabet_url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static size_t encoded_len(size_t len, bool padded)
{
    return padded ? (len + 2) / 3 * 4 : (len * 4 + 2) / 3;
}

static void encode64(const char *alphabet, lt_slice in, bool padded, uint8_t *out)
{
    size_t o = 0;
    for (size_t i = 0; i < in.len; i += 3) {
        size_t left = in.len - i;
        uint32_t v = (uint32_t)in.ptr[i] << 16;
        v |= left > 1 ? (uint32_t)in.ptr[i + 1] << 8 : 0;
        v |= left > 2 ? in.ptr[i + 2] : 0;
        out[o++] = (uint8_t)alphabet[v >> 18];
        out[o++] = (uint8_t)alphabet[v >> 12 & 63];
        if (left > 1 || padded) {
            out[o++] = (uint8_t)(left > 1 ? alphabet[v >> 6 & 63] : '=');
        }
        if (left > 2 || padded) {
            out[o++] = (uint8_t)(left > 2 ? alphabet[v & 63] : '=');
        }
    }
}

static void add64(struct lt_buf *out, const char *alphabet, lt_slice bytes, bool padded)
{
    uint8_t *p = lt_buf_extend(out, encoded_len(bytes.len, padded));
    if (p != NULL) {
        encode64(alphabet, bytes, padded, p);
    }
}

void lt_base64_add(struct lt_buf *out, lt_slice bytes)
{
    add64(out, alphabet_std, bytes, true);
}

void lt_base64url_add(struct lt_buf *out, lt_slice bytes)
{
    add64(out, alphabet_url, bytes, false);
}

char *lt_base64url(struct lt_arena *a, lt_slice bytes)
{
    char *p = lt_arena_alloc(a, encoded_len(bytes.len, false) + 1);
    if (p != NULL) {
        encode64(alphabet_url, bytes, false, (uint8_t *)p);
    }
    return p;
}

/* 1 + value of a character of the URL alphabet, 0 outside it. */
static const uint8_t url_values[256] = {
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,
    ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
    ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
    ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['-'] = 63, ['_'] = 64,
};

/* 0..63, or 255 for a character outside the alphabet; the last two code points tell the alphabets apart. */
static uint8_t value64(uint8_t c, bool url)
{
    if (!url) {
        if (c == '-' || c == '_') {
            return 255;
        }
        c = (uint8_t)(c == '+' ? '-' : c == '/' ? '_' : c);
    }
    return (uint8_t)(url_values[c] - 1); /* 0 becomes 255 */
}

struct decoder64 {
    uint8_t *out;
    size_t len;
    uint32_t bits;
    unsigned held; /* bits not yet written */
};

static void push64(struct decoder64 *d, uint8_t value)
{
    d->bits = d->bits << 6 | value;
    d->held += 6;
    if (d->held >= 8) {
        d->held -= 8;
        d->out[d->len++] = (uint8_t)(d->bits >> d->held);
    }
}

/* After the last character: 6 held bits mean a lone character, other held bits must be zero. */
static bool clean_end64(const struct decoder64 *d)
{
    return d->held != 6 && (d->bits & ((1u << d->held) - 1)) == 0;
}

lt_res lt_unbase64url(struct lt_arena *a, lt_slice text, lt_slice *ret_bytes)
{
    struct decoder64 d = {.out = lt_arena_alloc(a, text.len / 4 * 3 + 4)};
    LT_CHECK(d.out != NULL, LT_PEER_TOO_LARGE, "base64url of %zu characters is over the limit", text.len);
    size_t i = 0;
    for (; text.len - i >= 4; i += 4) { /* whole groups; what is wrong in one is named below */
        uint32_t a0 = url_values[text.ptr[i]];
        uint32_t a1 = url_values[text.ptr[i + 1]];
        uint32_t a2 = url_values[text.ptr[i + 2]];
        uint32_t a3 = url_values[text.ptr[i + 3]];
        if (a0 == 0 || a1 == 0 || a2 == 0 || a3 == 0) {
            break;
        }
        uint32_t v = (a0 - 1) << 18 | (a1 - 1) << 12 | (a2 - 1) << 6 | (a3 - 1);
        d.out[d.len++] = (uint8_t)(v >> 16);
        d.out[d.len++] = (uint8_t)(v >> 8);
        d.out[d.len++] = (uint8_t)v;
    }
    for (; i < text.len; i++) {
        uint8_t v = value64(text.ptr[i], true);
        LT_CHECK(v != 255, LT_PEER_MALFORMED, "not base64url without padding at offset %zu", i);
        push64(&d, v);
    }
    LT_CHECK(clean_end64(&d), LT_PEER_MALFORMED, "base64url ends in bits that belong to no byte");
    *ret_bytes = LT_SLICE(d.out, d.len);
    return LT_OK;
}

static bool blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

lt_res lt_unbase64(struct lt_arena *a, lt_slice text, lt_slice *ret_bytes)
{
    struct decoder64 d = {.out = lt_arena_alloc(a, text.len / 4 * 3 + 4)};
    LT_CHECK(d.out != NULL, LT_PEER_TOO_LARGE, "base64 of %zu characters is over the limit", text.len);
    size_t digits = 0;
    size_t padding = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (blank(text.ptr[i])) {
            continue;
        }
        if (text.ptr[i] == '=') {
            padding++;
            continue;
        }
        uint8_t v = value64(text.ptr[i], false);
        LT_CHECK(v != 255 && padding == 0, LT_PEER_MALFORMED, "not base64 at offset %zu", i);
        push64(&d, v);
        digits++;
    }
    LT_CHECK(clean_end64(&d) && padding < 3 && (digits + padding) % 4 == 0, LT_PEER_MALFORMED,
             "base64 ends in the middle of a group");
    *ret_bytes = LT_SLICE(d.out, d.len);
    return LT_OK;
}

void lt_pem_add(struct lt_buf *out, const char *label, lt_slice der)
{
    enum { LINE_BYTES = 48 }; /* 64 characters */
    lt_buf_addf(out, "-----BEGIN %s-----\n", label);
    for (size_t at = 0; at < der.len; at += LINE_BYTES) {
        lt_base64_add(out, lt_slice_sub(der, at, LINE_BYTES));
        lt_buf_add_byte(out, '\n');
    }
    lt_buf_addf(out, "-----END %s-----\n", label);
}

/* Offset of needle in s, or s.len. */
static size_t find_text(lt_slice s, lt_slice needle)
{
    const void *hit = s.len == 0 ? NULL : memmem(s.ptr, s.len, needle.ptr, needle.len);
    return hit == NULL ? s.len : (size_t)((const uint8_t *)hit - s.ptr);
}

lt_res lt_pem_next(struct lt_arena *a, lt_slice *text, lt_slice *ret_label, lt_slice *ret_der)
{
    const lt_slice begin = LT_LIT("-----BEGIN ");
    const lt_slice dashes = LT_LIT("-----");
    size_t at = find_text(*text, begin);
    LT_CHECK(at < text->len, LT_PEER_NOT_FOUND, "no PEM block");
    lt_slice rest = lt_slice_sub(*text, at + begin.len, SIZE_MAX);
    size_t label_len = find_text(rest, dashes);
    LT_CHECK(label_len < rest.len && label_len <= 64, LT_PEER_MALFORMED, "PEM: BEGIN line without its end");
    lt_slice label = LT_SLICE(rest.ptr, label_len);
    rest = lt_slice_sub(rest, label_len + dashes.len, SIZE_MAX);
    char end_text[96];
    (void)snprintf(end_text, sizeof end_text, "-----END %.*s-----", LT_FMT(label)); /* label is at most 64 */
    lt_slice end = lt_slice_cstr(end_text);
    size_t body_len = find_text(rest, end);
    LT_CHECK(body_len < rest.len, LT_PEER_MALFORMED, "PEM: no %s", end_text);
    LT_TRY(lt_unbase64(a, LT_SLICE(rest.ptr, body_len), ret_der));
    *ret_label = label;
    *text = lt_slice_sub(rest, body_len + end.len, SIZE_MAX);
    return LT_OK;
}

/* Length of the well-formed UTF-8 sequence at s[at], or 0. */
static size_t utf8_len(lt_slice s, size_t at)
{
    static const struct {
        uint8_t low, high, second_low, second_high, len;
    } rows[] = {
        /* Unicode 15 table 3-7 */
        {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t r = 0; r < LT_COUNT(rows); r++) {
        if (s.ptr[at] < rows[r].low || s.ptr[at] > rows[r].high || s.len - at < rows[r].len) {
            continue;
        }
        bool good = s.ptr[at + 1] >= rows[r].second_low && s.ptr[at + 1] <= rows[r].second_high;
        for (size_t i = 2; i < rows[r].len; i++) {
            good = good && (s.ptr[at + i] & 0xc0) == 0x80;
        }
        return good ? rows[r].len : 0;
    }
    return 0;
}

static bool plain(uint8_t c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

void lt_json_add_string(struct lt_buf *out, lt_slice s)
{
    lt_buf_add_byte(out, '"');
    for (size_t i = 0; i < s.len;) {
        size_t run = i;
        while (run < s.len && plain(s.ptr[run])) {
            run++;
        }
        lt_buf_add(out, LT_SLICE(s.ptr + i, run - i));
        i = run;
        if (i == s.len) {
            break;
        }
        uint8_t c = s.ptr[i];
        size_t len = c < 0x80 ? 1 : utf8_len(s, i);
        if (len == 0 || c < 0x20 || c == 0x7f) {
            lt_buf_addf(out, "\\u%04x", len == 0 ? 0xfffdu : c);
            i++;
        } else {
            if (c == '"' || c == '\\') {
                lt_buf_add_byte(out, '\\');
            }
            lt_buf_add(out, LT_SLICE(s.ptr + i, len));
            i += len;
        }
    }
    lt_buf_add_byte(out, '"');
}

lt_res lt_parse_u64(lt_slice text, uint64_t max, uint64_t *ret_value)
{
    uint64_t value = 0;
    LT_CHECK(text.len > 0 && text.len <= 20 && (text.len == 1 || text.ptr[0] != '0'), LT_PEER_MALFORMED,
             "not a decimal number");
    for (size_t i = 0; i < text.len; i++) {
        LT_CHECK(text.ptr[i] >= '0' && text.ptr[i] <= '9', LT_PEER_MALFORMED,
                 "not a decimal digit at offset %zu", i);
        bool over = __builtin_mul_overflow(value, 10, &value) ||
                    __builtin_add_overflow(value, (uint64_t)(text.ptr[i] - '0'), &value);
        LT_CHECK(!over && value <= max, LT_PEER_MALFORMED, "number over %llu", (unsigned long long)max);
    }
    *ret_value = value;
    return LT_OK;
}
