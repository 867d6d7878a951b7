/* A growing byte buffer with a maximum and a sticky overflow. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void lt_buf_init(struct lt_buf *b, size_t max_bytes)
{
    *b = (struct lt_buf){.max = max_bytes};
}

void lt_buf_done(struct lt_buf *b)
{
    if (b != NULL) {
        free(b->ptr);
        *b = (struct lt_buf){.max = b->max};
    }
}

void lt_buf_reset(struct lt_buf *b)
{
    b->len = 0;
    b->overflow = false;
}

/* One byte more than asked is kept, for lt_buf_cstr. */
static bool reserve(struct lt_buf *b, size_t more)
{
    if (b->overflow || more > b->max || b->len > b->max - more) {
        b->overflow = true;
        return false;
    }
    size_t need = b->len + more + 1;
    if (need <= b->size) {
        return true;
    }
    size_t size = b->size < 256 ? 256 : b->size;
    while (size < need) {
        size *= 2;
    }
    if (size > b->max + 1) {
        size = b->max + 1;
    }
    uint8_t *p = realloc(b->ptr, size);
    LT_ASSERT(p != NULL);
    b->ptr = p;
    b->size = size;
    return true;
}

uint8_t *lt_buf_extend(struct lt_buf *b, size_t len)
{
    if (!reserve(b, len)) {
        return NULL;
    }
    uint8_t *p = b->ptr + b->len;
    b->len += len;
    return p;
}

void lt_buf_add(struct lt_buf *b, lt_slice s)
{
    uint8_t *p = lt_buf_extend(b, s.len);
    if (p != NULL && s.len > 0) {
        memcpy(p, s.ptr, s.len);
    }
}

void lt_buf_add_cstr(struct lt_buf *b, const char *s)
{
    lt_buf_add(b, lt_slice_cstr(s));
}

void lt_buf_add_byte(struct lt_buf *b, uint8_t byte)
{
    lt_buf_add(b, LT_SLICE(&byte, 1));
}

void lt_buf_addf(struct lt_buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    LT_ASSERT(len >= 0);
    if (!reserve(b, (size_t)len)) {
        return;
    }
    va_start(args, format);
    (void)vsnprintf((char *)b->ptr + b->len, (size_t)len + 1, format, args); /* measured above */
    va_end(args);
    b->len += (size_t)len;
}

void lt_buf_consume(struct lt_buf *b, size_t len)
{
    LT_ASSERT(len <= b->len);
    if (len > 0) {
        memmove(b->ptr, b->ptr + len, b->len - len);
        b->len -= len;
    }
}

lt_slice lt_buf_slice(const struct lt_buf *b)
{
    return LT_SLICE(b->ptr, b->len);
}

lt_res lt_buf_check(const struct lt_buf *b)
{
    LT_CHECK(!b->overflow, LT_PEER_TOO_LARGE, "over the limit of %zu bytes", b->max);
    return LT_OK;
}

const char *lt_buf_cstr(struct lt_buf *b)
{
    if (!reserve(b, 0)) {
        return "";
    }
    b->ptr[b->len] = 0;
    return (const char *)b->ptr;
}
