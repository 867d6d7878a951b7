/* The universal types of DER: what may stand in their contents. */
#include "der/reader.h"

#include <string.h>

/* Fails at the start of a content that was read just now. */
static void fail_in(struct der_cursor *c, lt_slice content, const char *why)
{
    if (c->why == NULL) {
        c->why = why;
        c->bad = content.ptr;
    }
}

/*= X.690 11.1 "all eight bits of the single contents octet shall be set to one" */
bool der_boolean(struct der_cursor *c)
{
    lt_slice v = der_read(c, DER_BOOLEAN);
    if (!der_ok(c)) {
        return false;
    }
    if (v.len != 1) {
        fail_in(c, v, "a BOOLEAN of another size than one byte");
        return false;
    }
    if (v.ptr[0] != 0 && v.ptr[0] != 0xff) {
        der_wart(c, v.ptr, "a BOOLEAN other than 00 and FF");
    }
    return der_ok(c) && v.ptr[0] != 0;
}

/*= X.690 8.3.2 "the bits of the first octet and bit 8 of the second octet a) shall not all be ones; and b)
 * shall not all be zero" */
static lt_slice integer_of(struct der_cursor *c, uint32_t tag)
{
    lt_slice v = der_read(c, tag);
    if (!der_ok(c)) {
        return v;
    }
    if (v.len == 0) {
        fail_in(c, v, "an INTEGER without content");
        return v;
    }
    bool top = v.len > 1 && (v.ptr[1] & 0x80) != 0;
    if (v.len > 1 && ((v.ptr[0] == 0 && !top) || (v.ptr[0] == 0xff && top))) {
        der_wart(c, v.ptr, "an INTEGER that is not minimal");
    }
    return der_ok(c) ? v : (lt_slice){0};
}

lt_slice der_integer(struct der_cursor *c)
{
    return integer_of(c, DER_INTEGER);
}

lt_slice der_unsigned(struct der_cursor *c)
{
    lt_slice v = integer_of(c, DER_INTEGER);
    if (!der_ok(c)) {
        return v;
    }
    if ((v.ptr[0] & 0x80) != 0) {
        fail_in(c, v, "a negative INTEGER");
        return (lt_slice){0};
    }
    while (v.len > 1 && v.ptr[0] == 0) {
        v = lt_slice_sub(v, 1, v.len - 1);
    }
    return v;
}

static uint64_t small_of(struct der_cursor *c, uint32_t tag, uint64_t max)
{
    lt_slice v = integer_of(c, tag);
    if (!der_ok(c)) {
        return 0;
    }
    bool fits = (v.ptr[0] & 0x80) == 0;
    uint64_t n = 0;
    for (size_t i = 0; fits && i < v.len; i++) {
        fits = n >> 56 == 0;
        n = n << 8 | v.ptr[i];
    }
    if (!fits || n > max) {
        fail_in(c, v, "a number outside its range");
        return 0;
    }
    return n;
}

uint64_t der_small(struct der_cursor *c, uint64_t max)
{
    return small_of(c, DER_INTEGER, max);
}

uint64_t der_enumerated(struct der_cursor *c, uint64_t max)
{
    return small_of(c, DER_ENUMERATED, max);
}

lt_slice der_octets(struct der_cursor *c)
{
    return der_read(c, DER_OCTET_STRING);
}

/*= X.690 8.19.2 "the leading octet of the subidentifier shall not have the value 0x80" */
lt_slice der_oid(struct der_cursor *c)
{
    lt_slice v = der_read(c, DER_OID);
    if (!der_ok(c)) {
        return v;
    }
    bool start = true;
    bool bad = v.len == 0;
    for (size_t i = 0; i < v.len; i++) {
        bad = bad || (start && v.ptr[i] == 0x80);
        start = (v.ptr[i] & 0x80) == 0;
    }
    if (v.len == 0 || !start) {
        fail_in(c, v, "an OBJECT IDENTIFIER that is empty or cut off");
        return (lt_slice){0};
    }
    if (bad) {
        der_wart(c, v.ptr, "an OBJECT IDENTIFIER that is not minimal");
    }
    return der_ok(c) ? v : (lt_slice){0};
}

void der_null(struct der_cursor *c)
{
    lt_slice v = der_read(c, DER_NULL);
    if (der_ok(c) && v.len != 0) {
        der_wart(c, v.ptr, "a NULL with content");
    }
}

/*= X.690 11.2.1 "Each unused bit in the final octet of the encoding of a bit string value shall be set to
 * zero." */
static struct der_bits bits_in(struct der_cursor *c, lt_slice v)
{
    struct der_bits bits = {0};
    if (!der_ok(c)) {
        return bits;
    }
    unsigned unused = v.len == 0 ? 8 : v.ptr[0];
    if (unused > 7 || (v.len == 1 && unused != 0)) {
        fail_in(c, v, "a BIT STRING with a wrong count of unused bits");
        return bits;
    }
    if ((v.ptr[v.len - 1] & ((1u << unused) - 1)) != 0 && v.len > 1) {
        der_wart(c, v.ptr, "a BIT STRING with unused bits that are set");
    }
    if (!der_ok(c)) {
        return bits;
    }
    bits.bytes = lt_slice_sub(v, 1, v.len - 1);
    bits.unused = unused;
    return bits;
}

struct der_bits der_bitstring(struct der_cursor *c)
{
    lt_slice v = der_read(c, DER_BIT_STRING);
    return bits_in(c, v);
}

lt_slice der_bitstring_octets(struct der_cursor *c)
{
    lt_slice v = der_read(c, DER_BIT_STRING);
    struct der_bits bits = bits_in(c, v);
    if (der_ok(c) && bits.unused != 0) {
        der_wart(c, v.ptr, "a BIT STRING that is no whole number of bytes");
    }
    return der_ok(c) ? bits.bytes : (lt_slice){0};
}

/*= X.690 11.2.2 "the bitstring shall have all trailing 0 bits removed before it is encoded" */
uint32_t der_named_bits_in(struct der_cursor *c, lt_slice content)
{
    struct der_bits bits = bits_in(c, content);
    if (!der_ok(c) || bits.bytes.len == 0) {
        return 0;
    }
    if (bits.bytes.len > 4) {
        fail_in(c, content, "named bits beyond any that is known");
        return 0;
    }
    if ((bits.bytes.ptr[bits.bytes.len - 1] >> bits.unused & 1) == 0) {
        der_wart(c, content.ptr, "named bits with zero bits at the end");
    }
    uint32_t value = 0;
    for (size_t i = 0; der_ok(c) && i < bits.bytes.len * 8 - bits.unused; i++) {
        uint32_t bit = ((uint32_t)bits.bytes.ptr[i / 8] >> (7 - i % 8)) & 1u;
        value |= bit << i;
    }
    return value;
}

uint32_t der_named_bits(struct der_cursor *c)
{
    lt_slice v = der_read(c, DER_BIT_STRING);
    return der_named_bits_in(c, v);
}

/* Two digits at i, or -1. */
static int two(lt_slice v, size_t i)
{
    unsigned tens = (unsigned)v.ptr[i] - '0';
    unsigned ones = (unsigned)v.ptr[i + 1] - '0';
    return tens > 9 || ones > 9 ? -1 : (int)(tens * 10 + ones);
}

/* "YYMMDDHHMMSSZ" or "YYYYMMDDHHMMSSZ". */
static bool time_in(lt_slice v, bool full_year, lt_time *ret_time, int *ret_year)
{
    size_t at = full_year ? 4 : 2;
    if (v.len != at + 11 || v.ptr[v.len - 1] != 'Z') {
        return false;
    }
    int high = full_year ? two(v, 0) : 0;
    int low = two(v, at - 2);
    struct lt_date d = {
        .month = two(v, at),
        .day = two(v, at + 2),
        .hour = two(v, at + 4),
        .minute = two(v, at + 6),
        .second = two(v, at + 8),
    };
    if (high < 0 || low < 0 || d.month < 0 || d.day < 0 || d.hour < 0 || d.minute < 0 || d.second < 0) {
        return false;
    }
    d.year = full_year ? high * 100 + low : low + (low >= 50 ? 1900 : 2000);
    *ret_year = d.year;
    return !lt_failed(lt_time_of(&d, ret_time));
}

/* The other forms of X.680 46 and 47: seconds and a fraction of them may be missing or there, the zone may be
 * "Z", an offset, or (local time, taken as UTC) nothing. */
static bool loose_time_in(lt_slice v, bool full_year, lt_time *ret_time, int *ret_year)
{
    uint8_t text[15];
    size_t digits = 0;
    while (digits < v.len && v.ptr[digits] >= '0' && v.ptr[digits] <= '9') {
        digits++;
    }
    size_t whole = full_year ? 14 : 12;
    if ((digits != whole && digits != whole - 2) || digits > v.len) {
        return false;
    }
    memset(text, '0', sizeof text);
    memcpy(text, v.ptr, digits);
    text[whole] = 'Z';
    lt_slice rest = lt_slice_sub(v, digits, v.len - digits);
    if (rest.len > 1 && (rest.ptr[0] == '.' || rest.ptr[0] == ',')) {
        size_t i = 1;
        while (i < rest.len && rest.ptr[i] >= '0' && rest.ptr[i] <= '9') {
            i++;
        }
        rest = lt_slice_sub(rest, i, rest.len - i);
    }
    bool offset = rest.len == 5 && (rest.ptr[0] == '+' || rest.ptr[0] == '-');
    int hours = offset ? two(rest, 1) : 0;
    int minutes = offset ? two(rest, 3) : 0;
    bool zone = rest.len == 0 || lt_slice_eq_cstr(rest, "Z") || (offset && hours >= 0 && minutes >= 0);
    if (!zone || !time_in(LT_SLICE(text, whole + 1), full_year, ret_time, ret_year)) {
        return false;
    }
    int64_t east = (int64_t)hours * 3600 + (int64_t)minutes * 60;
    *ret_time = lt_time_add_seconds(*ret_time, offset && rest.ptr[0] == '-' ? east : -east);
    return true;
}

/* Of the form that RFC 5280 takes, or at least of one that X.680 knows. */
static bool time_of(struct der_cursor *c, lt_slice v, bool full_year, const char *why, lt_time *ret_time,
                    int *ret_year)
{
    if (time_in(v, full_year, ret_time, ret_year)) {
        return true;
    }
    if (!loose_time_in(v, full_year, ret_time, ret_year)) {
        fail_in(c, v, why);
        return false;
    }
    der_wart(c, v.ptr, why);
    return der_ok(c);
}

/*= RFC 5280 4.1.2.5 "CAs conforming to this profile MUST always encode certificate validity dates through the
 * year 2049 as UTCTime; certificate validity dates in 2050 or later MUST be encoded as GeneralizedTime." */
lt_time der_time(struct der_cursor *c)
{
    lt_time t = {0};
    bool utc = der_is_next(c, DER_UTC_TIME);
    lt_slice v = der_read(c, utc ? DER_UTC_TIME : DER_GENERALIZED_TIME);
    int year = 0;
    if (!der_ok(c)) {
        return t;
    }
    if (!time_of(c, v, !utc, "a time that is none of RFC 5280's", &t, &year)) {
        return (lt_time){0};
    }
    if (!utc && year < 2050) {
        der_wart(c, v.ptr, "a GeneralizedTime before 2050");
    }
    return der_ok(c) ? t : (lt_time){0};
}

/*= RFC 5280 4.1.2.5.2 "GeneralizedTime values MUST NOT include fractional seconds." */
lt_time der_generalized_time(struct der_cursor *c)
{
    lt_time t = {0};
    lt_slice v = der_read(c, DER_GENERALIZED_TIME);
    int year = 0;
    if (der_ok(c) && !time_of(c, v, true, "a GeneralizedTime that is none of RFC 5280's", &t, &year)) {
        return (lt_time){0};
    }
    return t;
}
