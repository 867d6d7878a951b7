/* From bytes to the name of their node: the modules of RFC 5280, RFC 2986 and RFC 6960 as tables of field
 * names, walked over the DER from the root to the deepest element that holds them. Only what was found is
 * walked for, and a list is taken up again where the finding before it stood. Bytes that no table expects end
 * the path at the element around them. */
#include <string.h>

#include "base/buf.h"
#include "der/reader.h"
#include "lint/schema.h"
#include "lint/tables.h"

enum { PATH_MAX_BYTES = 400, STEPS_MAX = 64 };

struct walk {
    lt_slice where;
    const struct lint_node *node; /* what content is made of */
    lt_slice content;
    lt_slice oid; /* the last OBJECT IDENTIFIER read in this SEQUENCE: it may say what follows */
    char text[PATH_MAX_BYTES];
    size_t len;
    struct lint_path_hint *hint;
};

static bool holds(lt_slice outer, lt_slice inner)
{
    return outer.len > 0 && inner.ptr >= outer.ptr && inner.ptr + inner.len <= outer.ptr + outer.len;
}

static void append(struct walk *w, lt_slice name)
{
    if (name.len + 1 < sizeof w->text - w->len) {
        w->text[w->len++] = '.';
        memcpy(w->text + w->len, name.ptr, name.len);
        w->len += name.len;
    }
}

static void append_number(struct walk *w, size_t n)
{
    char digits[24];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    append(w, LT_SLICE(digits + at, sizeof digits - at));
}

/* The element at the start of *rest with all of its bytes. */
static bool next_element(lt_slice *rest, uint32_t *ret_tag, lt_slice *ret_content, lt_slice *ret_whole)
{
    const uint8_t *start = rest->ptr;
    bool there = der_step_any(rest, ret_tag, ret_content);
    *ret_whole = LT_SLICE(start, there ? (size_t)(rest->ptr - start) : 0);
    return there;
}

static bool fits(const struct lint_field *f, uint32_t tag)
{
    return f->tag == LINT_TAG_ANY || f->tag == tag ||
           (f->tag == LINT_TAG_TIME && (tag == DER_UTC_TIME || tag == DER_GENERALIZED_TIME));
}

/* Steps into an element that holds the bytes, and through the wrappers around its content. */
static void enter(struct walk *w, const struct lint_node *node, lt_slice content, bool wrapped)
{
    uint32_t tag = DER_NONE;
    lt_slice whole = {0};
    lt_slice inner = content;
    lt_slice rest = content;
    if (wrapped && !next_element(&rest, &tag, &inner, &whole)) {
        node = NULL;
    }
    if (node != NULL && node->also != NULL) {
        append(w, lt_slice_cstr(node->also));
    }
    w->node = holds(inner, w->where) ? node : NULL;
    w->content = inner;
}

/* The element of a SEQUENCE that holds them, by the fields in their order. */
static void into_fields(struct walk *w)
{
    const struct lint_node *node = w->node;
    lt_slice rest = w->content;
    uint32_t tag = DER_NONE;
    lt_slice content = {0};
    lt_slice whole = {0};
    size_t next = 0;
    w->node = NULL;
    w->oid = (lt_slice){0};
    while (next_element(&rest, &tag, &content, &whole)) {
        while (next < node->field_count && !fits(&node->fields[next], tag)) {
            next++;
        }
        if (next == node->field_count) {
            return;
        }
        const struct lint_field *f = &node->fields[next++];
        if (holds(whole, w->where)) {
            append(w, lt_slice_cstr(f->name));
            enter(w, f->node, content, f->wrapped);
            return;
        }
        w->oid = tag == DER_OID ? content : w->oid;
    }
}

/* The same for an element of which its tag says what it is. */
static void into_choice(struct walk *w, uint32_t tag, lt_slice content, const struct lint_node *node)
{
    w->node = NULL;
    for (size_t i = 0; i < node->field_count; i++) {
        if (fits(&node->fields[i], tag)) {
            append(w, lt_slice_cstr(node->fields[i].name));
            enter(w, node->fields[i].node, content, node->fields[i].wrapped);
            return;
        }
    }
}

static void into_list(struct walk *w)
{
    const struct lint_node *item = w->node->item;
    lt_slice rest = w->content;
    uint32_t tag = DER_NONE;
    lt_slice content = {0};
    lt_slice whole = {0};
    size_t index = 0;
    struct lint_path_hint *h = w->hint;
    if (h->list == w->content.ptr && h->at != NULL && h->at <= w->where.ptr) {
        rest = lt_slice_sub(rest, (size_t)(h->at - rest.ptr), rest.len);
        index = h->index;
    }
    w->node = NULL;
    while (next_element(&rest, &tag, &content, &whole)) {
        if (holds(whole, w->where)) {
            if (index > 64) {
                *h = (struct lint_path_hint){.list = w->content.ptr, .at = whole.ptr, .index = index};
            }
            append_number(w, index);
            if (item != NULL && item->shape == LINT_SHAPE_CHOICE) {
                into_choice(w, tag, content, item);
            } else {
                enter(w, item, content, false);
            }
            return;
        }
        index++;
    }
}

/* An OCTET STRING, BIT STRING or ANY whose content the identifier before it names. */
static void into_named(struct walk *w)
{
    const struct lint_node *node = w->node;
    w->node = NULL;
    for (size_t i = 0; i < node->row_count; i++) {
        const struct lint_by_oid *row = &node->rows[i];
        if (!lt_slice_eq(w->oid, LT_SLICE(row->oid, row->oid_len))) {
            continue;
        }
        append(w, lt_slice_cstr(row->name));
        enter(w, row->node, w->content, node->shape == LINT_SHAPE_OCTETS_BY_OID);
        return;
    }
}

/* subjectPublicKey: a SEQUENCE in it is an RSA key. */
static void into_key(struct walk *w)
{
    const struct lint_node *item = w->node->item;
    lt_slice inner = lt_slice_sub(w->content, 1, w->content.len);
    w->node = NULL;
    if (inner.len > 0 && inner.ptr[0] == 0x30 && holds(inner, w->where)) {
        append(w, LT_LIT("rSAPublicKey"));
        enter(w, item, inner, true);
    }
}

static void step(struct walk *w)
{
    switch (w->node->shape) {
    case LINT_SHAPE_LEAF:
    case LINT_SHAPE_CHOICE:
        w->node = NULL;
        return;
    case LINT_SHAPE_FIELDS:
        into_fields(w);
        return;
    case LINT_SHAPE_LIST:
        into_list(w);
        return;
    case LINT_SHAPE_OCTETS_BY_OID:
    case LINT_SHAPE_ANY_BY_OID:
        into_named(w);
        return;
    case LINT_SHAPE_KEY:
        into_key(w);
        return;
    }
}

const char *lint_path(const struct lint_subject *s, lt_slice where)
{
    const struct lint_root *root = lint_root(s->in->kind, s->in->bare);
    if (where.ptr == NULL || !holds(s->der, where)) {
        return root->name;
    }
    struct lint_path_hint none = {.index = 0};
    struct walk w = {.where = where, .hint = s->hint == NULL ? &none : s->hint};
    w.len = strlen(root->name);
    memcpy(w.text, root->name, w.len);
    enter(&w, root->node, s->der, true);
    for (size_t i = 0; i < STEPS_MAX && w.node != NULL; i++) {
        step(&w);
    }
    char *path = lt_arena_cstr(s->arena, LT_SLICE(w.text, w.len));
    return path == NULL ? root->name : path;
}
