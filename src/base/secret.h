#ifndef BASE_SECRET_H
#define BASE_SECRET_H
/* Keys, passphrases, tokens: locked in memory, wiped when done, with no way to print them. */
#include "base/slice.h"

struct lt_secret {
    uint8_t *ptr; /* owned, own pages, mlocked where the limit allows, MADV_DONTDUMP */
    size_t len;
    size_t mapped;
};

LT_MUST_USE lt_res lt_secret_new(lt_slice bytes, struct lt_secret *ret_secret);
/* Wipes and unmaps; NULL or empty is fine. */
void lt_secret_done(struct lt_secret *s);
/* The whole file, at most max bytes, without one trailing line end. */
LT_MUST_USE lt_res lt_secret_from_fd(int fd, size_t max, struct lt_secret *ret_secret);
static inline lt_slice lt_secret_slice(const struct lt_secret *s)
{
    return LT_SLICE(s->ptr, s->len);
}

#endif
