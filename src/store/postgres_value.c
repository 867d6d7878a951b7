/* Binary values in and out. sum() of whole numbers is a NUMERIC, so that is read too. */
#include "store/postgres_value.h"

enum { NUMERIC_HEAD = 8, NUMERIC_BASE = 10000, NUMERIC_NEGATIVE = 0x4000, NUMERIC_SPECIAL = 0xc000 };

static uint64_t big_endian(lt_slice value)
{
    uint64_t n = 0;
    for (size_t i = 0; i < value.len && i < 8; i++) {
        n = n << 8 | value.ptr[i];
    }
    return n;
}

static unsigned word_at(lt_slice value, size_t at)
{
    return (unsigned)(value.ptr[at] << 8 | value.ptr[at + 1]);
}

/* Head: count of digits to the base of 10,000, weight of the first, sign, decimals; then the digits. */
static int64_t numeric(lt_slice value)
{
    if (value.len < NUMERIC_HEAD) {
        return 0;
    }
    size_t count = word_at(value, 0);
    int weight = (int16_t)word_at(value, 2);
    unsigned sign = word_at(value, 4);
    if (value.len != NUMERIC_HEAD + 2 * count || (sign & NUMERIC_SPECIAL) == NUMERIC_SPECIAL) {
        return 0;
    }
    int64_t n = 0;
    bool over = false;
    for (int i = 0; i <= weight && !over; i++) {
        int64_t digit = (size_t)i < count ? (int64_t)word_at(value, NUMERIC_HEAD + 2 * (size_t)i) : 0;
        over = __builtin_mul_overflow(n, (int64_t)NUMERIC_BASE, &n) || __builtin_add_overflow(n, digit, &n);
    }
    n = over ? INT64_MAX : n;
    return sign == NUMERIC_NEGATIVE ? -n : n;
}

int64_t postgres_integer(uint32_t type, lt_slice value)
{
    if (type == POSTGRES_NUMERIC) {
        return numeric(value);
    }
    if (type == POSTGRES_INT8 && value.len == 8) {
        return (int64_t)big_endian(value);
    }
    if (type == POSTGRES_INT4 && value.len == 4) {
        return (int32_t)big_endian(value);
    }
    if (type == POSTGRES_INT2 && value.len == 2) {
        return (int16_t)big_endian(value);
    }
    return type == POSTGRES_BOOL && value.len == 1 ? value.ptr[0] : 0;
}

enum store_type postgres_store_type(uint32_t type)
{
    bool counts = type == POSTGRES_NUMERIC || type == POSTGRES_INT8 || type == POSTGRES_INT4 ||
                  type == POSTGRES_INT2 || type == POSTGRES_BOOL;
    return counts ? STORE_INT : type == POSTGRES_BYTEA ? STORE_BLOB : STORE_TEXT;
}

void postgres_put_int8(uint8_t out[8], int64_t value)
{
    for (int i = 0; i < 8; i++) {
        out[i] = (uint8_t)((uint64_t)value >> (56 - 8 * i));
    }
}
