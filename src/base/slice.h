#ifndef BASE_SLICE_H
#define BASE_SLICE_H
/* Borrowed bytes: never freed through a slice, never NUL-terminated, valid as long as what they point into.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/result.h"

typedef struct {
    const uint8_t *ptr; /* borrowed; NULL only when len is 0 */
    size_t len;
} lt_slice;

#define LT_SLICE(ptr_, len_) ((lt_slice){(const uint8_t *)(ptr_), (len_)})
/* A string literal as a slice, without its NUL. */
#define LT_LIT(literal_) ((lt_slice){(const uint8_t *)("" literal_), sizeof(literal_) - 1})
/* For printf: "%.*s", LT_FMT(s). Cut at INT_MAX. */
#define LT_FMT(s_)                                        \
    (int)((s_).len > 0x7fffffff ? 0x7fffffff : (s_).len), \
        (const char *)((s_).ptr ? (s_).ptr : (const uint8_t *)"")

/* A C string as a slice; NULL gives the empty slice. */
lt_slice lt_slice_cstr(const char *s);
/* Not constant time: never for secrets (CRYPTO_memcmp there). */
bool lt_slice_eq(lt_slice a, lt_slice b);
bool lt_slice_eq_cstr(lt_slice a, const char *b);
/* ASCII letters compare without case. */
bool lt_slice_eq_nocase(lt_slice a, lt_slice b);
int lt_slice_cmp(lt_slice a, lt_slice b);
bool lt_slice_starts(lt_slice s, lt_slice prefix);
bool lt_slice_ends(lt_slice s, lt_slice suffix);
/* At most len bytes from offset; what lies beyond the end is left out. */
lt_slice lt_slice_sub(lt_slice s, size_t offset, size_t len);
/* The bytes before the first sep go to ret_head and *s moves behind it; false when s is empty and done.
 * "a,b" gives "a", "b". */
bool lt_slice_split(lt_slice *s, uint8_t sep, lt_slice *ret_head);
/* Index of the first byte, or s.len. */
size_t lt_slice_find(lt_slice s, uint8_t byte);

#endif
