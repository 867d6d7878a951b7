/* Borrowed bytes: compare, cut, split. */
#include "base/slice.h"

#include <string.h>

lt_slice lt_slice_cstr(const char *s)
{
    return LT_SLICE(s, s == NULL ? 0 : strlen(s));
}

bool lt_slice_eq(lt_slice a, lt_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool lt_slice_eq_cstr(lt_slice a, const char *b)
{
    return lt_slice_eq(a, lt_slice_cstr(b));
}

static uint8_t lower(uint8_t c)
{
    return (uint8_t)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

bool lt_slice_eq_nocase(lt_slice a, lt_slice b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.ptr[i]) != lower(b.ptr[i])) {
            return false;
        }
    }
    return true;
}

int lt_slice_cmp(lt_slice a, lt_slice b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common == 0 ? 0 : memcmp(a.ptr, b.ptr, common);
    if (order != 0) {
        return order;
    }
    return a.len < b.len ? -1 : a.len > b.len;
}

bool lt_slice_starts(lt_slice s, lt_slice prefix)
{
    return s.len >= prefix.len && lt_slice_eq(LT_SLICE(s.ptr, prefix.len), prefix);
}

bool lt_slice_ends(lt_slice s, lt_slice suffix)
{
    return s.len >= suffix.len && lt_slice_eq(lt_slice_sub(s, s.len - suffix.len, suffix.len), suffix);
}

lt_slice lt_slice_sub(lt_slice s, size_t offset, size_t len)
{
    if (offset >= s.len) {
        return (lt_slice){NULL, 0};
    }
    size_t left = s.len - offset;
    return (lt_slice){s.ptr + offset, len < left ? len : left};
}

size_t lt_slice_find(lt_slice s, uint8_t byte)
{
    const uint8_t *hit = s.len == 0 ? NULL : memchr(s.ptr, byte, s.len);
    return hit == NULL ? s.len : (size_t)(hit - s.ptr);
}

bool lt_slice_split(lt_slice *s, uint8_t sep, lt_slice *ret_head)
{
    if (s->ptr == NULL) {
        return false;
    }
    size_t at = lt_slice_find(*s, sep);
    *ret_head = LT_SLICE(s->ptr, at);
    *s = at == s->len ? (lt_slice){NULL, 0} : LT_SLICE(s->ptr + at + 1, s->len - at - 1);
    return true;
}
