/* A walk over elements with a stack of what is left on each level. */
#include "der/outline.h"

#include "der/reader.h"

void der_outline_init(struct der_outline *o, lt_slice input)
{
    *o = (struct der_outline){.input = input};
    o->rest[0] = input;
}

/* The bytes inside that are elements themselves; empty: there are none. */
static lt_slice inside(const struct der_outline_row *row)
{
    lt_slice inner = row->content;
    if ((row->tag & DER_CONSTRUCTED) != 0) {
        return inner;
    }
    if (row->tag == DER_BIT_STRING && inner.len > 1 && inner.ptr[0] == 0) {
        inner = lt_slice_sub(inner, 1, inner.len);
    } else if (row->tag != DER_OCTET_STRING) {
        return LT_SLICE(NULL, 0);
    }
    /* Strictly all the way down: a hash that begins as an element does is none. */
    return lt_failed(der_check(inner)) ? LT_SLICE(NULL, 0) : inner;
}

bool der_outline_next(struct der_outline *o, struct der_outline_row *ret_row)
{
    while (o->depth > 0 && o->rest[o->depth].len == 0) {
        o->depth--;
    }
    lt_slice *rest = &o->rest[o->depth];
    if (rest->len == 0 || o->rows == DER_OUTLINE_ROWS_MAX) {
        return false;
    }
    struct der_outline_row row = {.depth = o->depth, .offset = (size_t)(rest->ptr - o->input.ptr)};
    const uint8_t *begin = rest->ptr;
    if (der_step_any(rest, &row.tag, &row.content)) {
        row.header = (size_t)(row.content.ptr - begin);
    } else {
        row.content = *rest;
        *rest = LT_SLICE(NULL, 0);
    }
    lt_slice inner = row.tag == DER_NONE ? LT_SLICE(NULL, 0) : inside(&row);
    row.holds = inner.len > 0 && o->depth + 1 < DER_OUTLINE_DEPTH_MAX;
    if (row.holds) {
        o->rest[++o->depth] = inner;
    }
    o->rows++;
    *ret_row = row;
    return true;
}
