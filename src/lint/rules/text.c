/* Texts as a lenient reader sees them. */
#include "lint/rules/text.h"

#include <idn2.h>
#include <string.h>

enum { REPLACEMENT = 0xfffd };

struct lint_text lint_text_of(const struct x509_attribute *a)
{
    struct lint_text t = {.rest = a->value, .wide = a->string_type == DER_BMP_STRING};
    size_t n = t.rest.len;
    if (t.wide && n >= 2 && t.rest.ptr[n - 1] == 0 && t.rest.ptr[n - 2] == 0) {
        t.rest.len -= 2; /* a terminator that some writers leave behind */
    }
    return t;
}

/* Bytes of the well-formed character at the start of s, 0 when there is none. */
static size_t utf8_at(lt_slice s, uint32_t *ret_point)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t b = s.ptr[0];
    size_t len = b < 0x80 ? 1 : b < 0xc2 || b > 0xf4 ? 0 : b < 0xe0 ? 2 : b < 0xf0 ? 3 : 4;
    if (len == 0 || len > s.len) {
        return 0;
    }
    uint32_t point = len == 1 ? b : b & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((s.ptr[i] & 0xc0) != 0x80) {
            return 0;
        }
        point = point << 6 | (s.ptr[i] & 0x3fu);
    }
    *ret_point = point;
    return point < least[len] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000) ? 0 : len;
}

static uint32_t wide_at(lt_slice s, size_t *ret_len)
{
    uint32_t high = (uint32_t)s.ptr[0] << 8 | (s.len > 1 ? s.ptr[1] : 0);
    *ret_len = s.len > 1 ? 2 : 1;
    if (high < 0xd800 || high >= 0xe000) {
        return high;
    }
    uint32_t low = s.len >= 4 ? (uint32_t)s.ptr[2] << 8 | s.ptr[3] : 0;
    if (high >= 0xdc00 || low < 0xdc00 || low >= 0xe000) {
        return REPLACEMENT;
    }
    *ret_len = 4;
    return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

bool lint_text_next(struct lint_text *t, uint32_t *ret_point)
{
    if (t->rest.len == 0) {
        return false;
    }
    size_t len = 0;
    if (t->wide) {
        *ret_point = wide_at(t->rest, &len);
    } else {
        len = utf8_at(t->rest, ret_point);
        if (len == 0) {
            *ret_point = REPLACEMENT;
            len = 1;
        }
    }
    t->rest = lt_slice_sub(t->rest, len, t->rest.len - len);
    return true;
}

size_t lint_text_count(struct lint_text t)
{
    size_t count = 0;
    uint32_t point = 0;
    while (lint_text_next(&t, &point)) {
        count++;
    }
    return count;
}

bool lint_text_is_space(uint32_t p)
{
    return (p >= 0x09 && p <= 0x0d) || p == 0x20 || p == 0x85 || p == 0xa0 || p == 0x1680 ||
           (p >= 0x2000 && p <= 0x200a) || p == 0x2028 || p == 0x2029 || p == 0x202f || p == 0x205f ||
           p == 0x3000;
}

bool lint_attribute_is_text(const struct x509_attribute *a)
{
    switch (a->string_type) {
    case DER_UTF8_STRING:
    case DER_NUMERIC_STRING:
    case DER_PRINTABLE_STRING:
    case DER_T61_STRING:
    case DER_IA5_STRING:
    case DER_BMP_STRING:
        return true;
    default:
        return false;
    }
}

bool lint_label_is_xn(lt_slice label)
{
    return label.len >= 4 && lt_slice_eq_nocase(lt_slice_sub(label, 0, 4), LT_LIT("xn--"));
}

bool lint_label_next(lt_slice name, size_t *at, lt_slice *ret_label)
{
    if (*at > name.len) {
        return false;
    }
    lt_slice rest = lt_slice_sub(name, *at, name.len - *at);
    *ret_label = lt_slice_sub(rest, 0, lt_slice_find(rest, '.'));
    *at += ret_label->len + 1;
    return true;
}

/*= RFC 3492 5 Parameter values for Punycode */
enum { BASE = 36, T_MIN = 1, T_MAX = 26, SKEW = 38, DAMP = 700, BIAS_FIRST = 72, POINT_FIRST = 0x80 };

/*= RFC 3492 6.1 Bias adaptation function */
static uint32_t adapt(uint32_t delta, uint32_t points, bool first)
{
    delta = first ? delta / DAMP : delta / 2;
    delta += delta / points;
    uint32_t k = 0;
    while (delta > ((BASE - T_MIN) * T_MAX) / 2) {
        delta /= BASE - T_MIN;
        k += BASE;
    }
    return k + (BASE - T_MIN + 1) * delta / (delta + SKEW);
}

static uint32_t digit_of(uint8_t b)
{
    if (b >= '0' && b <= '9') {
        return (uint32_t)b - '0' + 26;
    }
    if (b >= 'a' && b <= 'z') {
        return (uint32_t)b - 'a';
    }
    return b >= 'A' && b <= 'Z' ? (uint32_t)b - 'A' : BASE;
}

/* One generalized variable-length integer, added to *i. */
static bool integer_next(lt_slice *in, uint32_t bias, uint32_t *i)
{
    uint64_t w = 1;
    uint64_t sum = *i;
    for (uint32_t k = BASE;; k += BASE) {
        uint32_t digit = in->len > 0 ? digit_of(in->ptr[0]) : BASE;
        if (digit == BASE) {
            return false;
        }
        *in = lt_slice_sub(*in, 1, in->len - 1);
        sum += digit * w;
        uint32_t t = k <= bias ? T_MIN : k >= bias + T_MAX ? T_MAX : k - bias;
        if (sum > INT32_MAX) {
            return false;
        }
        if (digit < t) {
            *i = (uint32_t)sum;
            return true;
        }
        w *= BASE - t;
        if (w > INT32_MAX) {
            return false;
        }
    }
}

/* The basic code points before the last hyphen. */
static bool basic_part(lt_slice *in, uint32_t *out, size_t *count)
{
    size_t last = in->len;
    for (size_t i = 0; i < in->len; i++) {
        last = in->ptr[i] == '-' ? i : last;
    }
    if (last == 0) {
        return in->len == 0; /* a hyphen with nothing before it */
    }
    if (last == in->len) {
        return true; /* no hyphen, no basic part */
    }
    struct lint_text t = lint_text_utf8(lt_slice_sub(*in, 0, last));
    while (*count < LINT_ULABEL_MAX && lint_text_next(&t, &out[*count])) {
        *count += 1;
    }
    *in = lt_slice_sub(*in, last + 1, in->len - last - 1);
    return t.rest.len == 0;
}

bool lint_punycode(lt_slice encoded, uint32_t out[LINT_ULABEL_MAX], size_t *ret_count)
{
    size_t count = 0;
    *ret_count = 0;
    if (!basic_part(&encoded, out, &count)) {
        return false;
    }
    uint32_t i = 0;
    uint32_t point = POINT_FIRST;
    uint32_t bias = BIAS_FIRST;
    while (encoded.len > 0) {
        uint32_t before = i;
        if (count == LINT_ULABEL_MAX || !integer_next(&encoded, bias, &i)) {
            return false;
        }
        uint32_t room = (uint32_t)count + 1;
        bias = adapt(i - before, room, before == 0);
        point += i / room;
        i %= room;
        if (point > 0x10ffff) {
            return false;
        }
        memmove(&out[i + 1], &out[i], (count - i) * sizeof(out[0]));
        out[i++] = point;
        count++;
    }
    *ret_count = count;
    return true;
}

/* One label, no dot in it: libidn2 looks at the normal form before anything else. */
static bool label_is_nfc(const uint8_t *label)
{
    uint8_t *ace = NULL;
    int rc = idn2_lookup_u8(label, &ace, IDN2_NO_TR46);
    idn2_free(ace);
    return rc != IDN2_NOT_NFC;
}

static size_t utf8_put(uint32_t p, uint8_t *out)
{
    if (p < 0x80) {
        out[0] = (uint8_t)p;
        return 1;
    }
    size_t len = p < 0x800 ? 2 : p < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--) {
        out[i] = (uint8_t)(0x80 | (p & 0x3f));
        p >>= 6;
    }
    out[0] = (uint8_t)((0xf00 >> len) | p);
    return len;
}

static bool stops(uint32_t p)
{
    return p == '.' || p == 0; /* ends a label for libidn2, and is a starter that joins with nothing */
}

/* Labels of at most 64 points each: a text is cut before ASCII, which never joins what stands before it. */
enum { CHUNK_POINTS = 200 };

static bool chunks_are_nfc(struct lint_text t)
{
    uint8_t chunk[4 * CHUNK_POINTS + 5];
    size_t len = 0;
    size_t points = 0;
    bool plain = true;
    uint32_t p = 0;
    while (lint_text_next(&t, &p)) {
        if (stops(p) || (p < 0x80 && points > CHUNK_POINTS / 2) || points == CHUNK_POINTS) {
            chunk[len] = 0;
            if (!plain && !label_is_nfc(chunk)) {
                return false;
            }
            len = 0;
            points = 0;
            plain = true;
        }
        if (!stops(p)) {
            plain = plain && p < 0x80;
            len += utf8_put(p, chunk + len);
            points++;
        }
    }
    chunk[len] = 0;
    return plain || label_is_nfc(chunk);
}

bool lint_text_is_nfc(lt_slice utf8)
{
    return chunks_are_nfc(lint_text_utf8(utf8));
}

bool lint_points_are_nfc(const uint32_t *points, size_t count)
{
    uint8_t text[4 * LINT_ULABEL_MAX + 1];
    size_t len = 0;
    for (size_t i = 0; i < count && i < LINT_ULABEL_MAX; i++) {
        len += utf8_put(points[i], text + len);
    }
    return lint_text_is_nfc(LT_SLICE(text, len));
}

struct der_cursor lint_names_open(lt_slice extension_value)
{
    struct der_cursor outer = der_open(extension_value);
    return der_enter(&outer, DER_SEQUENCE);
}

bool lint_names_next(struct der_cursor *c, unsigned *ret_number, lt_slice *ret_content)
{
    uint32_t tag = DER_NONE;
    if (!der_more(c) || !der_any(c, &tag, ret_content, NULL)) {
        return false;
    }
    *ret_number = DER_TAG_NUMBER(tag);
    return true;
}

struct der_cursor lint_names_of(const struct lint_subject *s, enum x509_oid oid)
{
    const struct x509_extension *x = lint_ext(s, oid);
    return x == NULL ? der_open((lt_slice){0}) : lint_names_open(x->value);
}
