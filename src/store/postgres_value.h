#ifndef STORE_POSTGRES_VALUE_H
#define STORE_POSTGRES_VALUE_H
/* PostgreSQL's binary values, as far as the book has them. */
#include "store/store.h"

/* Type numbers of pg_type: fixed for ever. */
enum postgres_type {
    POSTGRES_BOOL = 16,
    POSTGRES_BYTEA = 17,
    POSTGRES_INT8 = 20,
    POSTGRES_INT2 = 21,
    POSTGRES_INT4 = 23,
    POSTGRES_TEXT = 25,
    POSTGRES_NUMERIC = 1700,
};

/* Any of the types that count; a fraction is cut off, as SQLite's CAST does, and what does not fit is the end
 * of the range. Bytes that are no such value give 0. */
int64_t postgres_integer(uint32_t type, lt_slice value);
enum store_type postgres_store_type(uint32_t type);
/* Eight bytes, most significant first. */
void postgres_put_int8(uint8_t out[8], int64_t value);

#endif
