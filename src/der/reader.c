/* A strict reader of DER over a sticky cursor. */
#include "der/reader.h"

#include <string.h>

/* A length of more than 4 bytes is beyond any message that Lintel takes (512 MiB). */
enum { LENGTH_BYTES_MAX = 4 };

struct der_cursor der_open(lt_slice der)
{
    return (struct der_cursor){.pos = der.ptr, .end = der.len ? der.ptr + der.len : der.ptr, .base = der.ptr};
}

void der_fail(struct der_cursor *c, const char *why)
{
    if (c->why == NULL) {
        c->why = why;
        c->bad = c->pos;
    }
}

static void fail_at(struct der_cursor *c, const uint8_t *where, const char *why)
{
    if (c->why == NULL) {
        c->why = why;
        c->bad = where;
    }
}

/* An empty slice may point nowhere: that is no offset. */
static size_t offset_of(const struct der_cursor *c, const uint8_t *where)
{
    return c->base == NULL || where == NULL ? 0 : (size_t)(where - c->base);
}

void der_wart(struct der_cursor *c, const uint8_t *where, const char *why)
{
    struct der_notes *n = c->notes;
    if (n == NULL) {
        fail_at(c, where, why);
        return;
    }
    if (c->why != NULL) {
        return;
    }
    for (size_t i = 0; i < n->count && i < DER_NOTES_MAX; i++) {
        if (n->list[i].why == why && n->list[i].offset == offset_of(c, where)) {
            return; /* seen by a cursor that looked ahead */
        }
    }
    if (n->count < DER_NOTES_MAX) {
        n->list[n->count] = (struct der_note){why, offset_of(c, where)};
    }
    n->count++;
}

lt_res der_done_noted(struct der_cursor *c, const char *what)
{
    if (c->why == NULL && c->pos != c->end) {
        der_wart(c, c->pos, "bytes behind the end");
        c->pos = c->end;
    }
    if (c->why != NULL && c->notes != NULL) {
        c->notes->last = (struct der_note){c->why, der_bad_offset(c)};
    }
    return der_done(c, what);
}

size_t der_offset(const struct der_cursor *c)
{
    return offset_of(c, c->pos);
}

size_t der_bad_offset(const struct der_cursor *c)
{
    return offset_of(c, c->bad);
}

lt_res der_done(const struct der_cursor *c, const char *what)
{
    LT_CHECK(c->why == NULL, LT_PEER_MALFORMED, "%s: %s at byte %zu", what, c->why, der_bad_offset(c));
    LT_CHECK(c->pos == c->end, LT_PEER_MALFORMED, "%s: %zu bytes behind the end at byte %zu", what,
             (size_t)(c->end - c->pos), der_offset(c));
    return LT_OK;
}

/* Identifier octets at p. Moves *p behind them; 0 and a reason when they are wrong.
 *= X.690 8.1.2.4.2 "bits 7 to 1 of the first subsequent octet shall not all be zero" */
static uint32_t tag_at(const uint8_t **p, const uint8_t *end, const char **ret_why)
{
    const uint8_t *q = *p;
    uint8_t first = *q++;
    uint32_t tag = ((uint32_t)(first & 0xe0) << 24);
    uint32_t number = first & 0x1f;
    if (number == 0x1f) {
        number = 0;
        bool more = true;
        for (unsigned i = 0; more; i++) {
            if (q == end) {
                *ret_why = "tag cut off";
                return DER_NONE;
            }
            if (i == 4 || (i == 0 && *q == 0x80)) {
                *ret_why = i == 0 ? "tag not minimal" : "tag number too large";
                return DER_NONE;
            }
            number = number << 7 | (*q & 0x7f);
            more = (*q++ & 0x80) != 0;
        }
        if (number < 0x1f) {
            *ret_why = "tag not minimal";
            return DER_NONE;
        }
    }
    if (tag == 0 && number == 0) {
        *ret_why = "end-of-contents has no place in DER";
        return DER_NONE;
    }
    *p = q;
    return tag | number;
}

/* Length octets at p, at least one byte there.
 *= X.690 10.1 "The definite form of length encoding shall be used, encoded in the minimum number of octets."
 */
static size_t length_at(const uint8_t **p, const uint8_t *end, const char **ret_why, bool *ret_long)
{
    const uint8_t *q = *p;
    size_t len = *q++;
    if (len == 0x80) {
        *ret_why = "indefinite length";
        return 0;
    }
    if (len > 0x80) {
        size_t count = len & 0x7f;
        if (count > LENGTH_BYTES_MAX) {
            *ret_why = "length too large";
            return 0;
        }
        if ((size_t)(end - q) < count) {
            *ret_why = "length cut off";
            return 0;
        }
        *ret_long = q[0] == 0 || (count == 1 && q[0] < 0x80);
        len = 0;
        for (size_t i = 0; i < count; i++) {
            len = len << 8 | *q++;
        }
    }
    *p = q;
    return len;
}

/* The next element without moving the cursor; false and a failed cursor when there is none. */
static bool element(struct der_cursor *c, uint32_t *ret_tag, lt_slice *ret_content)
{
    if (c->why != NULL) {
        return false;
    }
    if (c->pos == c->end) {
        der_fail(c, "nothing where an element should be");
        return false;
    }
    const char *why = NULL;
    const uint8_t *p = c->pos;
    size_t left = (size_t)(c->end - p);
    /* What most elements are: one byte of tag, one of length. */
    if (left >= 2 && p[0] != 0 && (p[0] & 0x1f) != 0x1f && p[1] < 0x80 && p[1] <= left - 2) {
        *ret_tag = (uint32_t)(p[0] & 0xe0) << 24 | (p[0] & 0x1f);
        *ret_content = LT_SLICE(p + 2, p[1]);
        return true;
    }
    uint32_t tag = tag_at(&p, c->end, &why);
    if (why == NULL && p == c->end) {
        why = "length cut off";
    }
    size_t len = 0;
    bool longer = false;
    if (why == NULL) {
        len = length_at(&p, c->end, &why, &longer);
    }
    if (longer && c->notes == NULL && why == NULL) {
        why = "length not minimal";
    }
    if (why == NULL && len > (size_t)(c->end - p)) {
        why = "content cut off";
    }
    if (why != NULL) {
        der_fail(c, why);
        return false;
    }
    if (longer) {
        der_wart(c, c->pos, "length not minimal");
    }
    *ret_tag = tag;
    *ret_content = LT_SLICE(p, len);
    return true;
}

bool der_any(struct der_cursor *c, uint32_t *ret_tag, lt_slice *ret_content, lt_slice *ret_whole)
{
    lt_slice content = {0};
    uint32_t tag = DER_NONE;
    bool there = element(c, &tag, &content);
    const uint8_t *start = c->pos;
    if (there) {
        c->pos = content.ptr + content.len;
    }
    *ret_tag = tag;
    *ret_content = content;
    if (ret_whole != NULL) {
        *ret_whole = there ? LT_SLICE(start, (size_t)(c->pos - start)) : LT_LIT("");
    }
    return there;
}

bool der_step(lt_slice *rest, uint32_t *ret_tag, lt_slice *ret_content)
{
    const uint8_t *p = rest->ptr;
    if (rest->len < 2 || (p[0] & 0x1f) == 0x1f || p[0] == 0) {
        return false;
    }
    size_t len = p[1];
    size_t header = 2;
    if (len == 0x81 && rest->len > 2 && p[2] >= 0x80) {
        len = p[2];
        header = 3;
    } else if (len == 0x82 && rest->len > 3 && p[2] != 0) {
        len = (size_t)p[2] << 8 | p[3];
        header = 4;
    } else if (len >= 0x80) {
        return false; /* longer ones, too: they are rare */
    }
    if (len > rest->len - header) {
        return false;
    }
    *ret_tag = (uint32_t)(p[0] & 0xe0) << 24 | (p[0] & 0x1f);
    *ret_content = LT_SLICE(p + header, len);
    *rest = LT_SLICE(p + header + len, rest->len - header - len);
    return true;
}

bool der_step_any(lt_slice *rest, uint32_t *ret_tag, lt_slice *ret_content)
{
    if (der_step(rest, ret_tag, ret_content)) {
        return true;
    }
    if (rest->len < 2) {
        return false;
    }
    const char *why = NULL;
    bool longer = false;
    const uint8_t *p = rest->ptr;
    const uint8_t *end = rest->ptr + rest->len;
    uint32_t tag = tag_at(&p, end, &why);
    size_t len = why == NULL && p < end ? length_at(&p, end, &why, &longer) : 0;
    if (why != NULL || p == end) {
        return false;
    }
    size_t left = (size_t)(end - p);
    len = len < left ? len : left;
    *ret_tag = tag;
    *ret_content = LT_SLICE(p, len);
    *rest = LT_SLICE(p + len, left - len);
    return true;
}

uint32_t der_peek(const struct der_cursor *c)
{
    if (c->why != NULL || c->pos == c->end) {
        return DER_NONE;
    }
    const char *why = NULL;
    const uint8_t *p = c->pos;
    if (p[0] != 0 && (p[0] & 0x1f) != 0x1f) {
        return (uint32_t)(p[0] & 0xe0) << 24 | (p[0] & 0x1f);
    }
    uint32_t tag = tag_at(&p, c->end, &why);
    return why == NULL ? tag : DER_NONE;
}

static bool expect(struct der_cursor *c, uint32_t tag, lt_slice *ret_content, lt_slice *ret_whole)
{
    uint32_t seen = DER_NONE;
    lt_slice content = {0};
    *ret_content = content;
    *ret_whole = content;
    if (!element(c, &seen, &content)) {
        return false;
    }
    if (seen != tag) {
        der_fail(c, "another type than expected");
        return false;
    }
    *ret_content = content;
    *ret_whole = LT_SLICE(c->pos, (size_t)(content.ptr - c->pos) + content.len);
    c->pos = content.ptr + content.len;
    return true;
}

lt_slice der_read(struct der_cursor *c, uint32_t tag)
{
    lt_slice content;
    lt_slice whole;
    (void)expect(c, tag, &content, &whole); /* sticky in the cursor */
    return content;
}

lt_slice der_read_whole(struct der_cursor *c, uint32_t tag)
{
    lt_slice content;
    lt_slice whole;
    (void)expect(c, tag, &content, &whole); /* sticky in the cursor */
    return whole;
}

bool der_optional(struct der_cursor *c, uint32_t tag, lt_slice *ret_content)
{
    *ret_content = (lt_slice){0};
    if (!der_is_next(c, tag)) {
        return false;
    }
    *ret_content = der_read(c, tag);
    return der_ok(c);
}

struct der_cursor der_into(const struct der_cursor *c, lt_slice inner)
{
    struct der_cursor child = der_open(inner);
    child.base = c->base;
    child.why = c->why;
    child.bad = c->bad;
    child.notes = c->notes;
    return child;
}

struct der_cursor der_enter(struct der_cursor *c, uint32_t tag)
{
    lt_slice content = der_read(c, tag);
    return der_into(c, content);
}

void der_leave(struct der_cursor *outer, const struct der_cursor *inner)
{
    if (inner->why != NULL) {
        fail_at(outer, inner->bad, inner->why);
    } else if (inner->pos != inner->end) {
        der_wart(outer, inner->pos, "bytes behind the last field");
    }
}

size_t der_count(struct der_cursor *c)
{
    struct der_cursor copy = *c;
    size_t count = 0;
    uint32_t tag = DER_NONE;
    lt_slice content = {0};
    while (der_more(&copy) && der_any(&copy, &tag, &content, NULL)) {
        count++;
    }
    c->why = copy.why;
    c->bad = copy.bad;
    return der_ok(c) ? count : 0;
}

lt_res der_check(lt_slice der)
{
    struct der_cursor c = der_open(der);
    const uint8_t *ends[DER_DEPTH_MAX]; /* of the elements around this one */
    size_t depth = 0;
    bool first = true;
    while (der_ok(&c) && (first || c.pos != c.end || depth > 0)) {
        if (depth > 0 && c.pos == c.end) {
            c.end = ends[--depth];
            continue;
        }
        LT_CHECK(first || depth > 0, LT_PEER_MALFORMED, "DER: bytes behind the element at byte %zu",
                 der_offset(&c));
        first = false;
        uint32_t tag = DER_NONE;
        lt_slice content = {0};
        if (!element(&c, &tag, &content)) {
            break;
        }
        c.pos = content.ptr + content.len;
        if ((tag & DER_CONSTRUCTED) != 0) {
            LT_CHECK(depth < DER_DEPTH_MAX, LT_PEER_MALFORMED, "DER: nested deeper than %d", DER_DEPTH_MAX);
            ends[depth++] = c.end;
            c.pos = content.ptr;
            c.end = content.ptr + content.len;
        }
    }
    return der_done(&c, "DER");
}
