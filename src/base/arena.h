#ifndef BASE_ARENA_H
#define BASE_ARENA_H
/* Memory for one request: everything made for it lives here, under a byte cap, and goes at once.
 * Reaching the cap is the peer's fault (LT_PEER_TOO_LARGE), an empty heap is a bug (abort). */
#include "base/slice.h"

struct lt_arena_block;

struct lt_arena {
    struct lt_arena_block *blocks; /* owned; newest first */
    size_t used;
    size_t max;
};

void lt_arena_init(struct lt_arena *a, size_t max_bytes);
/* Frees all of it; the arena is empty and usable again. NULL is fine. */
void lt_arena_done(struct lt_arena *a);
/* As done, but keeps one block: for loops that serve a request after another. */
void lt_arena_reset(struct lt_arena *a);
/* Zeroed, aligned for any type; NULL when the cap is reached (no record is left: use LT_NEW and LT_CHECK). */
void *lt_arena_alloc(struct lt_arena *a, size_t size);
void *lt_arena_array(struct lt_arena *a, size_t count, size_t size);
/* A copy with a NUL behind it that does not count; ptr is NULL when the cap is reached. */
lt_slice lt_arena_copy(struct lt_arena *a, lt_slice s);
/* A NUL-terminated copy, NULL when the cap is reached. */
char *lt_arena_cstr(struct lt_arena *a, lt_slice s);
char *lt_arena_printf(struct lt_arena *a, const char *format, ...) LT_PRINTF(2, 3);

#define LT_NEW(arena_, type_) ((type_ *)lt_arena_alloc((arena_), sizeof(type_)))
#define LT_NEW_ARRAY(arena_, type_, count_) ((type_ *)lt_arena_array((arena_), (count_), sizeof(type_)))

#endif
