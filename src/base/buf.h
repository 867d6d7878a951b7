#ifndef BASE_BUF_H
#define BASE_BUF_H
/* A growing byte buffer that takes its maximum at init and remembers the first overflow: write on, check
 * once. Heap backed; one owner; lt_buf_done frees. */
#include "base/slice.h"

struct lt_buf {
    uint8_t *ptr; /* owned */
    size_t len;
    size_t size;
    size_t max;
    bool overflow; /* sticky: a write did not fit and was dropped */
};

void lt_buf_init(struct lt_buf *b, size_t max_bytes);
void lt_buf_done(struct lt_buf *b);
/* Empty it, keep the memory, forget the overflow. */
void lt_buf_reset(struct lt_buf *b);
void lt_buf_add(struct lt_buf *b, lt_slice s);
void lt_buf_add_cstr(struct lt_buf *b, const char *s);
void lt_buf_add_byte(struct lt_buf *b, uint8_t byte);
void lt_buf_addf(struct lt_buf *b, const char *format, ...) LT_PRINTF(2, 3);
/* Room for exactly len bytes, to be filled by the caller; NULL on overflow. */
uint8_t *lt_buf_extend(struct lt_buf *b, size_t len);
/* Drop len bytes from the front. */
void lt_buf_consume(struct lt_buf *b, size_t len);
lt_slice lt_buf_slice(const struct lt_buf *b);
/* LT_OK, or LT_PEER_TOO_LARGE once anything was dropped. */
LT_MUST_USE lt_res lt_buf_check(const struct lt_buf *b);
/* A NUL behind the content, which does not count in len; the string is valid until the next write. */
const char *lt_buf_cstr(struct lt_buf *b);

#endif
