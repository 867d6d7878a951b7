#ifndef DER_OUTLINE_H
#define DER_OUTLINE_H
/* What stands where in DER that somebody hands in, an element after the other in the order of the bytes, for
 * people who look at them. Of an OCTET STRING or BIT STRING that holds DER itself the inside is told too.
 *
 * Refuses nothing: it judges no rule above a header that makes sense. What has none is told as one element
 * without a tag, and what is deeper than the limit as bytes. Never allocates, never recurses.
 */
#include "base/slice.h"

enum { DER_OUTLINE_DEPTH_MAX = 32, DER_OUTLINE_ROWS_MAX = 8000 };

struct der_outline_row {
    uint32_t tag;     /* DER_NONE: bytes that are no element */
    unsigned depth;   /* 0: the outermost */
    size_t offset;    /* of its first byte, from the start of the input */
    size_t header;    /* bytes of tag and length */
    lt_slice content; /* as far as it is there; borrowed from the input */
    bool holds;       /* the next row is inside it */
};
struct der_outline {
    lt_slice input;
    lt_slice rest[DER_OUTLINE_DEPTH_MAX];
    unsigned depth; /* of what comes next */
    size_t rows;    /* told so far */
};

void der_outline_init(struct der_outline *o, lt_slice input);
/* False at the end, or behind the last row that the limit allows. */
bool der_outline_next(struct der_outline *o, struct der_outline_row *ret_row);

#endif
