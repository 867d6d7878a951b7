/* The tree as people read it: its canonical text, and its meaning in English. */
#include <string.h>

#include "crypto/digest.h"
#include "scope/private.h"

struct writer {
    struct lt_buf *out;
    size_t depth; /* words: how far indented */
    bool begun;
};

/* ---- canonical text ---- */

static struct scope_instant before(struct scope_instant i)
{
    return (struct scope_instant){i.relative, i.us - LT_US_PER_SECOND};
}

static void write_values(const struct scope_term *t, struct lt_buf *out)
{
    if (t->count == 1) {
        lt_buf_add_cstr(out, " = ");
        scope_value_write(t->field, &t->values[0], out);
        return;
    }
    for (size_t i = 0; i < t->count; i++) {
        lt_buf_add_cstr(out, i == 0 ? " in {" : ", ");
        scope_value_write(t->field, &t->values[i], out);
    }
    lt_buf_add_byte(out, '}');
}

/* Ends are written as seconds that are inside. */
static void write_span(const struct scope_term *t, struct lt_buf *out)
{
    if (t->open_from || t->open_until) {
        lt_buf_add_cstr(out, t->open_from ? " < " : " >= ");
        scope_instant_write(t->open_from ? t->until : t->from, out);
        return;
    }
    lt_buf_add_cstr(out, " in ");
    scope_instant_write(t->from, out);
    lt_buf_add_cstr(out, "..");
    scope_instant_write(before(t->until), out);
}

static void write_range(const struct scope_term *t, struct lt_buf *out)
{
    if (t->open_from || t->open_until) {
        lt_buf_add_cstr(out, t->open_from ? " <= " : " >= ");
        scope_value_write(t->field, &t->values[t->open_from ? 1 : 0], out);
        return;
    }
    lt_buf_add_cstr(out, " in ");
    scope_value_write(t->field, &t->values[0], out);
    lt_buf_add_cstr(out, "..");
    scope_value_write(t->field, &t->values[1], out);
}

static void write_term(const struct scope_term *t, struct lt_buf *out)
{
    lt_buf_add_cstr(out, t->field->name);
    switch (t->shape) {
    case SHAPE_IS:
        return;
    case SHAPE_ONE_OF:
        write_values(t, out);
        return;
    case SHAPE_SPAN:
        write_span(t, out);
        return;
    case SHAPE_RANGE:
        write_range(t, out);
        return;
    case SHAPE_BELOW:
        lt_buf_addf(out, " %s ", scope_op_name(t->op));
        scope_value_write(t->field, &t->values[0], out);
        return;
    }
}

/* Brackets only where the order of binding wants them: "or" below "and", both below "not". */
static bool wants_brackets(const struct scope_node *node, const struct scope_node *parent)
{
    bool two = node->kind == NODE_AND || node->kind == NODE_OR;
    return two && parent != NULL &&
           (parent->kind == NODE_NOT || (parent->kind == NODE_AND && node->kind == NODE_OR));
}

static lt_res canonical_node(void *self, const struct scope_node *node, const struct scope_node *parent,
                             enum scope_visit visit)
{
    struct writer *w = self;
    if (node->kind == NODE_TERM) {
        if (visit == VISIT_BEFORE) {
            write_term(node->term, w->out);
        }
        return LT_OK;
    }
    if (visit == VISIT_BEFORE) {
        lt_buf_add_cstr(w->out, wants_brackets(node, parent) ? "(" : "");
        lt_buf_add_cstr(w->out, node->kind == NODE_NOT ? "not " : "");
    } else if (visit == VISIT_BETWEEN) {
        lt_buf_add_cstr(w->out, node->kind == NODE_AND ? " and " : " or ");
    } else {
        lt_buf_add_cstr(w->out, wants_brackets(node, parent) ? ")" : "");
    }
    return LT_OK;
}

static lt_res walk_with(const struct scope *s, scope_visitor *visit, struct writer *w)
{
    struct lt_arena a;
    lt_arena_init(&a, SCOPE_ARENA_MAX);
    lt_res r = scope_walk(s, &a, visit, w);
    lt_arena_done(&a);
    LT_TRY(r);
    return lt_buf_check(w->out);
}

bool scope_of_now(const struct scope *s)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->nodes[i].kind == NODE_TERM && s->nodes[i].term->field->of_now) {
            return true;
        }
    }
    return false;
}

lt_res scope_canonical(const struct scope *s, struct lt_buf *out)
{
    struct writer w = {.out = out};
    return walk_with(s, canonical_node, &w);
}

lt_res scope_hash(const struct scope *s, uint8_t ret_sha256[SCOPE_HASH_LEN])
{
    struct lt_buf text;
    lt_buf_init(&text, (size_t)SCOPE_TEXT_MAX * 4);
    lt_res r = scope_canonical(s, &text);
    if (!lt_failed(r)) {
        crypto_sha256(lt_buf_slice(&text), ret_sha256);
    }
    lt_buf_done(&text);
    return r;
}

/* ---- English ---- */

static const char *order_words(enum scope_op op, bool time)
{
    switch (op) {
    case OP_LT:
        return time ? "before" : "less than";
    case OP_LE:
        return time ? "until" : "at most";
    case OP_GT:
        return time ? "after" : "more than";
    case OP_GE:
        return time ? "from" : "at least";
    case OP_EQ:
    case OP_NE:
    case OP_IN:
    case OP_IS:
        break;
    }
    return "";
}

static void say_value(const struct scope_term *t, const struct scope_value *v, struct lt_buf *out)
{
    scope_value_write(t->field, v, out);
}

static void say_list(const struct scope_term *t, struct lt_buf *out)
{
    enum { SHOWN = 5 };
    for (size_t i = 0; i < t->count && (i < SHOWN || t->count == SHOWN + 1); i++) {
        lt_buf_add_cstr(out, i == 0 ? " " : i + 1 == t->count ? " or " : ", ");
        say_value(t, &t->values[i], out);
    }
    if (t->count > SHOWN + 1) {
        lt_buf_addf(out, ", or one of %zu more", t->count - SHOWN);
    }
}

static void say_span(const struct scope_term *t, struct lt_buf *out)
{
    if (!t->open_from) {
        lt_buf_add_cstr(out, " from ");
        scope_instant_write(t->from, out);
    }
    if (!t->open_until) {
        lt_buf_add_cstr(out, t->open_from ? " before " : " to before ");
        scope_instant_write(t->until, out);
    }
}

static void say_term(const struct scope_term *t, bool negated, struct lt_buf *out)
{
    if (t->shape == SHAPE_IS) {
        lt_buf_addf(out, "%s%s", negated ? "it is not so that " : "", t->field->words);
        return;
    }
    lt_buf_addf(out, "%s%s is", negated ? "it is not so that " : "", t->field->words);
    switch (t->shape) {
    case SHAPE_IS:
        return;
    case SHAPE_ONE_OF:
        say_list(t, out);
        return;
    case SHAPE_SPAN:
        say_span(t, out);
        return;
    case SHAPE_RANGE:
        if (!t->open_from) {
            lt_buf_add_cstr(out, " at least ");
            say_value(t, &t->values[0], out);
        }
        lt_buf_add_cstr(out, t->open_from || t->open_until ? "" : " and");
        if (!t->open_until) {
            lt_buf_add_cstr(out, " at most ");
            say_value(t, &t->values[1], out);
        }
        return;
    case SHAPE_BELOW:
        lt_buf_addf(out, " %s ", order_words(t->op, false));
        say_value(t, &t->values[0], out);
        return;
    }
}

static void line(struct writer *w)
{
    lt_buf_add_cstr(w->out, w->begun ? "\n" : "");
    w->begun = true;
    for (size_t i = 0; i < w->depth; i++) {
        lt_buf_add_cstr(w->out, "  ");
    }
}

static lt_res words_node(void *self, const struct scope_node *node, const struct scope_node *parent,
                         enum scope_visit visit)
{
    struct writer *w = self;
    bool negated = parent != NULL && parent->kind == NODE_NOT;
    bool two = node->kind == NODE_AND || node->kind == NODE_OR;
    if (node->kind == NODE_TERM && visit == VISIT_BEFORE) {
        line(w);
        say_term(node->term, negated, w->out);
    } else if (two && (parent == NULL || parent->kind != node->kind)) {
        if (visit == VISIT_BEFORE) {
            line(w);
            lt_buf_addf(w->out, "%s of these:",
                        node->kind == NODE_AND ? (negated ? "not all" : "all") : (negated ? "none" : "any"));
            w->depth++;
        } else if (visit == VISIT_AFTER) {
            w->depth--;
        }
    }
    return LT_OK;
}

lt_res scope_words(const struct scope *s, struct lt_buf *out)
{
    struct writer w = {.out = out};
    return walk_with(s, words_node, &w);
}
