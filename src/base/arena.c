/* Memory for one request, in blocks that double up to 64 KiB. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lt_arena_block {
    struct lt_arena_block *next;
    size_t size; /* of bytes[] */
    size_t used;
    _Alignas(16) uint8_t bytes[];
};

enum { FIRST_BLOCK = 2048, LARGEST_BLOCK = 65536, ALIGN = 16 };

void lt_arena_init(struct lt_arena *a, size_t max_bytes)
{
    *a = (struct lt_arena){.max = max_bytes};
}

static void free_blocks(struct lt_arena_block *b)
{
    while (b != NULL) {
        struct lt_arena_block *next = b->next;
        free(b);
        b = next;
    }
}

void lt_arena_done(struct lt_arena *a)
{
    if (a != NULL) {
        free_blocks(a->blocks);
        a->blocks = NULL;
        a->used = 0;
    }
}

void lt_arena_reset(struct lt_arena *a)
{
    struct lt_arena_block *keep = a->blocks;
    if (keep == NULL) {
        return;
    }
    free_blocks(keep->next);
    keep->next = NULL;
    memset(keep->bytes, 0, keep->used);
    keep->used = 0;
    a->used = 0;
}

static struct lt_arena_block *add_block(struct lt_arena *a, size_t least)
{
    size_t size = a->blocks == NULL ? FIRST_BLOCK : a->blocks->size * 2;
    if (size > LARGEST_BLOCK) {
        size = LARGEST_BLOCK;
    }
    if (size < least) {
        size = least;
    }
    struct lt_arena_block *b = calloc(1, sizeof *b + size);
    LT_ASSERT(b != NULL);
    b->size = size;
    b->next = a->blocks;
    a->blocks = b;
    return b;
}

void *lt_arena_alloc(struct lt_arena *a, size_t size)
{
    if (size > a->max || a->used > a->max - size) {
        return NULL;
    }
    size_t rounded = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    struct lt_arena_block *b = a->blocks;
    if (b == NULL || b->size - b->used < rounded) {
        b = add_block(a, rounded);
    }
    void *p = b->bytes + b->used;
    b->used += rounded;
    a->used += size;
    return p;
}

void *lt_arena_array(struct lt_arena *a, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        return NULL;
    }
    return lt_arena_alloc(a, bytes);
}

char *lt_arena_cstr(struct lt_arena *a, lt_slice s)
{
    char *p = lt_arena_alloc(a, s.len + 1);
    if (p != NULL && s.len > 0) {
        memcpy(p, s.ptr, s.len);
    }
    return p;
}

lt_slice lt_arena_copy(struct lt_arena *a, lt_slice s)
{
    char *p = lt_arena_cstr(a, s);
    return LT_SLICE(p, p == NULL ? 0 : s.len);
}

char *lt_arena_printf(struct lt_arena *a, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    LT_ASSERT(len >= 0);
    char *p = lt_arena_alloc(a, (size_t)len + 1);
    if (p != NULL) {
        va_start(args, format);
        (void)vsnprintf(p, (size_t)len + 1, format, args); /* measured above */
        va_end(args);
    }
    return p;
}
