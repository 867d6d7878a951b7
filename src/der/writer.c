/* A forward writer of DER: tag, room for the length, content, then the length is put in place. */
#include "der/writer.h"

#include <string.h>

void der_write_init(struct der_writer *w, struct lt_buf *out)
{
    *w = (struct der_writer){.out = out};
}

lt_res der_write_done(const struct der_writer *w)
{
    LT_ASSERT(w->depth == 0);
    return lt_buf_check(w->out);
}

/* How many bytes a length takes. */
static unsigned length_size(size_t len)
{
    unsigned size = 1;
    if (len >= 0x80) {
        for (size_t rest = len; rest > 0; rest >>= 8) {
            size++;
        }
    }
    return size;
}

static void length_put(uint8_t *p, size_t len, unsigned size)
{
    if (size == 1) {
        p[0] = (uint8_t)len;
        return;
    }
    p[0] = (uint8_t)(0x80 | (size - 1));
    for (unsigned i = size - 1; i > 0; i--) {
        p[i] = (uint8_t)(len & 0xff);
        len >>= 8;
    }
}

static void tag_put(struct der_writer *w, uint32_t tag)
{
    uint8_t bytes[6];
    size_t len = 0;
    uint32_t number = DER_TAG_NUMBER(tag);
    uint8_t first = (uint8_t)(tag >> 24 & 0xe0);
    if (number < 0x1f) {
        bytes[len++] = (uint8_t)(first | number);
    } else {
        bytes[len++] = first | 0x1f;
        unsigned shift = 28;
        while (number >> shift == 0) {
            shift -= 7;
        }
        for (;; shift -= 7) {
            bytes[len++] = (uint8_t)((number >> shift & 0x7f) | (shift > 0 ? 0x80 : 0));
            if (shift == 0) {
                break;
            }
        }
    }
    lt_buf_add(w->out, LT_SLICE(bytes, len));
}

void der_begin_hint(struct der_writer *w, uint32_t tag, size_t len)
{
    LT_ASSERT(w->depth < DER_DEPTH_MAX);
    tag_put(w, tag);
    unsigned reserved = length_size(len);
    w->open[w->depth].at = w->out->len;
    w->open[w->depth].reserved = reserved;
    w->depth++;
    (void)lt_buf_extend(w->out, reserved); /* overflow is sticky */
}

void der_begin(struct der_writer *w, uint32_t tag)
{
    der_begin_hint(w, tag, 0);
}

void der_end(struct der_writer *w)
{
    LT_ASSERT(w->depth > 0);
    w->depth--;
    size_t at = w->open[w->depth].at;
    unsigned reserved = w->open[w->depth].reserved;
    if (w->out->overflow) {
        return;
    }
    size_t len = w->out->len - at - reserved;
    unsigned size = length_size(len);
    if (size > reserved && lt_buf_extend(w->out, size - reserved) == NULL) {
        return;
    }
    uint8_t *p = w->out->ptr + at;
    if (size != reserved) {
        memmove(p + size, p + reserved, len);
        w->out->len = at + size + len;
    }
    length_put(p, len, size);
}

void der_put_head(struct der_writer *w, uint32_t tag, size_t len)
{
    uint8_t bytes[1 + sizeof len];
    unsigned size = length_size(len);
    length_put(bytes, len, size);
    tag_put(w, tag);
    lt_buf_add(w->out, LT_SLICE(bytes, size));
}

void der_put(struct der_writer *w, uint32_t tag, lt_slice content)
{
    tag_put(w, tag);
    unsigned size = length_size(content.len);
    uint8_t *p = lt_buf_extend(w->out, size);
    if (p != NULL) {
        length_put(p, content.len, size);
    }
    lt_buf_add(w->out, content);
}

void der_put_raw(struct der_writer *w, lt_slice der)
{
    lt_buf_add(w->out, der);
}

/* INTEGER ::= two's complement, at least one byte */
void der_put_unsigned(struct der_writer *w, lt_slice magnitude)
{
    while (magnitude.len > 0 && magnitude.ptr[0] == 0) {
        magnitude = lt_slice_sub(magnitude, 1, magnitude.len - 1);
    }
    bool zero = magnitude.len == 0 || (magnitude.ptr[0] & 0x80) != 0;
    tag_put(w, DER_INTEGER);
    size_t len = magnitude.len + (zero ? 1 : 0);
    unsigned size = length_size(len);
    uint8_t *p = lt_buf_extend(w->out, size);
    if (p != NULL) {
        length_put(p, len, size);
    }
    if (zero) {
        lt_buf_add_byte(w->out, 0);
    }
    lt_buf_add(w->out, magnitude);
}

void der_put_small(struct der_writer *w, uint64_t value)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(value >> (56 - 8 * i) & 0xff);
    }
    der_put_unsigned(w, LT_SLICE(bytes, sizeof(bytes)));
}

void der_put_enumerated(struct der_writer *w, uint8_t value)
{
    LT_ASSERT(value < 0x80);
    der_put(w, DER_ENUMERATED, LT_SLICE(&value, 1));
}

void der_put_boolean(struct der_writer *w, bool value)
{
    uint8_t byte = value ? 0xff : 0;
    der_put(w, DER_BOOLEAN, LT_SLICE(&byte, 1));
}

void der_put_null(struct der_writer *w)
{
    der_put(w, DER_NULL, LT_LIT(""));
}

void der_put_oid(struct der_writer *w, lt_slice content)
{
    der_put(w, DER_OID, content);
}

void der_put_octets(struct der_writer *w, lt_slice content)
{
    der_put(w, DER_OCTET_STRING, content);
}

void der_put_bitstring(struct der_writer *w, lt_slice bytes)
{
    der_begin_hint(w, DER_BIT_STRING, bytes.len + 1);
    lt_buf_add_byte(w->out, 0);
    lt_buf_add(w->out, bytes);
    der_end(w);
}

void der_put_named_bits(struct der_writer *w, uint32_t tag, uint32_t bits)
{
    uint8_t bytes[5] = {0};
    size_t len = 1;
    for (unsigned i = 0; i < 32; i++) {
        if ((bits >> i & 1) != 0) {
            bytes[1 + i / 8] |= (uint8_t)(0x80 >> i % 8);
            len = 2 + i / 8;
            bytes[0] = (uint8_t)(7 - i % 8);
        }
    }
    der_put(w, tag, LT_SLICE(bytes, len));
}

static void two_put(uint8_t *p, int value)
{
    p[0] = (uint8_t)('0' + value / 10 % 10);
    p[1] = (uint8_t)('0' + value % 10);
}

static size_t time_text(uint8_t text[15], const struct lt_date *d, bool full_year)
{
    LT_ASSERT(d->year >= 0 && d->year <= 9999);
    size_t at = 0;
    if (full_year) {
        two_put(text, d->year / 100);
        at = 2;
    }
    const int parts[] = {d->year % 100, d->month, d->day, d->hour, d->minute, d->second};
    for (size_t i = 0; i < LT_COUNT(parts); i++, at += 2) {
        two_put(text + at, parts[i]);
    }
    text[at++] = 'Z';
    return at;
}

/* Time ::= CHOICE { utcTime UTCTime, generalTime GeneralizedTime } */
void der_put_time(struct der_writer *w, lt_time t)
{
    uint8_t text[15];
    struct lt_date d = lt_date_of(t);
    bool utc = d.year >= 1950 && d.year < 2050;
    size_t len = time_text(text, &d, !utc);
    der_put(w, utc ? DER_UTC_TIME : DER_GENERALIZED_TIME, LT_SLICE(text, len));
}

void der_put_generalized_time(struct der_writer *w, lt_time t)
{
    uint8_t text[15];
    struct lt_date d = lt_date_of(t);
    size_t len = time_text(text, &d, true);
    der_put(w, DER_GENERALIZED_TIME, LT_SLICE(text, len));
}
