/* Tokens into the tree, by two stacks: what waits for its right side, and what is ready.
 *
 *     or     := and { "or" and }
 *     and    := not { "and" not }
 *     not    := { "not" } ( "(" or ")" | term )
 *     term   := FLAG | FIELD op value | FIELD [ "not" ] "in" ( set | range )
 *     op     := "=" | "!=" | "<" | "<=" | ">" | ">="
 *     set    := "{" value { "," value } "}"
 *     range  := value ".." value | value ".." | ".." value | time
 */
#include <stdlib.h>
#include <string.h>

#include "scope/private.h"

enum waiting_kind { WAIT_OR, WAIT_AND, WAIT_NOT, WAIT_OPEN };
struct waiting {
    enum waiting_kind kind; /* in the order of how strongly they bind; WAIT_OPEN never leaves by itself */
    size_t offset;
};
enum { STACK_MAX = SCOPE_DEPTH_MAX * 4 };

struct parser {
    struct scope_lexer lexer;
    struct scope_token token; /* the next one */
    struct scope *scope;
    struct waiting waiting[STACK_MAX];
    size_t waiting_count;
    uint32_t ready[STACK_MAX];
    size_t ready_count;
    size_t depth;
    size_t terms;
    size_t values;
};

static lt_res next(struct parser *p)
{
    return scope_lex(&p->lexer, &p->token);
}

static lt_res fail_here(struct parser *p, const char *what)
{
    return scope_fail(p->lexer.error, p->token.offset, p->token.len, "%s", what);
}

static bool is_word(const struct parser *p, const char *word)
{
    return p->token.kind == TOKEN_WORD && lt_slice_eq_cstr(p->token.text, word);
}

/* ---- terms ---- */

static lt_res add_value(struct parser *p, struct scope_term *t, struct scope_value *v)
{
    enum { ROOM = 4 };
    if (t->count == t->room) {
        t->room = t->room == 0 ? ROOM : t->room * 2;
        struct scope_value *more = LT_NEW_ARRAY(p->lexer.arena, struct scope_value, t->room);
        LT_CHECK(more != NULL, LT_PEER_TOO_LARGE, "the expression is over the limit");
        if (t->count > 0) {
            memcpy(more, t->values, t->count * sizeof(*more));
        }
        t->values = more;
    }
    if (++p->values > SCOPE_VALUES_MAX) {
        LT_FAIL(LT_PEER_TOO_LARGE, "byte %zu: more than %d values", v->offset, SCOPE_VALUES_MAX);
    }
    t->values[t->count++] = *v;
    return LT_OK;
}

static lt_res read_value(struct parser *p, struct scope_term *t, struct scope_value *ret_value)
{
    LT_TRY(scope_value_read(&p->lexer, t->field, &p->token, ret_value));
    return next(p);
}

/* qsort has no argument for it. */
struct sortable {
    const struct scope_field *field;
    struct scope_value value;
};

static int by_value(const void *a, const void *b)
{
    const struct sortable *x = a;
    const struct sortable *y = b;
    return scope_value_cmp(x->field, &x->value, &y->value);
}

/* Sorted, each once: the canonical text and the binary search of the backend like it so. */
static lt_res sort_values(struct parser *p, struct scope_term *t)
{
    struct sortable *list = LT_NEW_ARRAY(p->lexer.arena, struct sortable, t->count);
    LT_CHECK(list != NULL, LT_PEER_TOO_LARGE, "the expression is over the limit");
    for (size_t i = 0; i < t->count; i++) {
        list[i] = (struct sortable){t->field, t->values[i]};
    }
    qsort(list, t->count, sizeof(*list), by_value);
    size_t kept = 0;
    for (size_t i = 0; i < t->count; i++) {
        if (i == 0 || by_value(&list[i - 1], &list[i]) != 0) {
            t->values[kept++] = list[i].value;
        }
    }
    t->count = kept;
    return LT_OK;
}

static lt_res read_set(struct parser *p, struct scope_term *t)
{
    LT_TRY(next(p)); /* { */
    for (;;) {
        struct scope_value v;
        LT_TRY(read_value(p, t, &v));
        LT_TRY(add_value(p, t, &v));
        if (p->token.kind == TOKEN_UNSET) {
            break;
        }
        if (p->token.kind != TOKEN_COMMA) {
            return fail_here(p, "a set goes on with , or ends with }");
        }
        LT_TRY(next(p));
    }
    t->shape = SHAPE_ONE_OF;
    LT_TRY(next(p));
    return sort_values(p, t);
}

static bool ordered(enum scope_type type)
{
    return type == TYPE_NUMBER || type == TYPE_TIME || type == TYPE_DURATION || type == TYPE_VERSION;
}

static bool starts_value(const struct parser *p)
{
    return p->token.kind == TOKEN_TEXT ||
           (p->token.kind == TOKEN_WORD && !is_word(p, "and") && !is_word(p, "or"));
}

static int version_or_value(const struct scope_term *t)
{
    return t->field->type == TYPE_VERSION ? scope_version_cmp(t->values[0].text, t->values[1].text)
                                          : scope_value_cmp(t->field, &t->values[0], &t->values[1]);
}

static lt_res read_range(struct parser *p, struct scope_term *t)
{
    struct scope_value v[2] = {{.number = 0}, {.number = 0}};
    struct scope_token at = p->token;
    t->open_from = p->token.kind == TOKEN_RANGE;
    if (!t->open_from) {
        LT_TRY(read_value(p, t, &v[0]));
    }
    if (p->token.kind != TOKEN_RANGE && t->field->type == TYPE_TIME) { /* "issued in 2026-02" */
        LT_TRY(add_value(p, t, &v[0]));
        t->shape = SHAPE_SPAN;
        t->from = v[0].from;
        t->until = v[0].until;
        return LT_OK;
    }
    if (p->token.kind != TOKEN_RANGE) {
        return fail_here(p, "behind in stands {value, value} or value..value");
    }
    LT_TRY(next(p));
    t->open_until = !starts_value(p);
    if (!t->open_until) {
        LT_TRY(read_value(p, t, &v[1]));
    }
    if (t->open_from && t->open_until) {
        return scope_fail(p->lexer.error, at.offset, at.len, "a range has a value before or behind the dots");
    }
    LT_TRY(add_value(p, t, &v[0]));
    LT_TRY(add_value(p, t, &v[1]));
    bool both = !t->open_from && !t->open_until;
    bool same_kind = t->field->type != TYPE_TIME || v[0].from.relative == v[1].from.relative;
    if (both && same_kind && version_or_value(t) > 0) {
        return scope_fail(p->lexer.error, v[0].offset, v[0].len, "a range begins with its lesser value");
    }
    t->shape = SHAPE_RANGE;
    if (t->field->type == TYPE_TIME) {
        t->shape = SHAPE_SPAN;
        t->from = v[0].from;
        t->until = v[1].until;
    }
    return LT_OK;
}

/* A day, a second: "<=" takes all of it, "<" nothing of it. */
static void span_of(struct scope_term *t, enum scope_op op)
{
    const struct scope_value *v = &t->values[0];
    t->shape = SHAPE_SPAN;
    t->open_from = op == OP_LT || op == OP_LE;
    t->open_until = op == OP_GT || op == OP_GE;
    t->from = op == OP_GT ? v->until : v->from;
    t->until = op == OP_LT ? v->from : v->until;
}

static lt_res read_compared(struct parser *p, struct scope_term *t, bool *ret_negated)
{
    enum scope_op op = p->token.op;
    struct scope_value v;
    bool equal = op == OP_EQ || op == OP_NE;
    if (!equal && !ordered(t->field->type)) {
        return scope_fail(p->lexer.error, p->token.offset, p->token.len, "%s has no order; it takes = != in",
                          t->field->name);
    }
    LT_TRY(next(p));
    LT_TRY(read_value(p, t, &v));
    LT_TRY(add_value(p, t, &v));
    *ret_negated = op == OP_NE;
    t->shape = equal ? SHAPE_ONE_OF : SHAPE_BELOW;
    t->op = op;
    if (t->field->type == TYPE_TIME) {
        span_of(t, op);
    }
    return LT_OK;
}

static lt_res read_in(struct parser *p, struct scope_term *t, bool *ret_negated)
{
    *ret_negated = is_word(p, "not");
    if (*ret_negated) {
        LT_TRY(next(p));
    }
    if (!is_word(p, "in")) {
        return fail_here(p, "behind a field stands = != < <= > >= or in");
    }
    LT_TRY(next(p));
    if (p->token.kind == TOKEN_SET) {
        if (t->field->type == TYPE_TIME) {
            return fail_here(p, "times are compared or in a range; a set of them has no use");
        }
        return read_set(p, t);
    }
    if (!ordered(t->field->type)) {
        return fail_here(p, "here stands a set: {value, value}");
    }
    return read_range(p, t);
}

static lt_res add_node(struct parser *p, const struct scope_node *node)
{
    LT_CHECK(p->scope->count < SCOPE_NODES_MAX && p->ready_count < STACK_MAX, LT_PEER_TOO_LARGE,
             "byte %zu: the expression is too large", p->token.offset);
    p->scope->nodes[p->scope->count] = *node;
    p->ready[p->ready_count++] = (uint32_t)p->scope->count++;
    return LT_OK;
}

static lt_res negate(struct parser *p)
{
    uint32_t only = p->ready[--p->ready_count];
    if (p->scope->nodes[only].kind == NODE_NOT) { /* twice is not at all */
        p->ready[p->ready_count++] = p->scope->nodes[only].left;
        return LT_OK;
    }
    return add_node(p, &(struct scope_node){.kind = NODE_NOT, .left = only});
}

static lt_res read_term(struct parser *p)
{
    struct scope_term *t = LT_NEW(p->lexer.arena, struct scope_term);
    bool negated = false;
    LT_CHECK(t != NULL && ++p->terms <= SCOPE_TERMS_MAX, LT_PEER_TOO_LARGE,
             "byte %zu: more than %d conditions", p->token.offset, SCOPE_TERMS_MAX);
    if (p->token.kind != TOKEN_WORD) {
        return fail_here(p, "here stands a field, not, or (");
    }
    t->field = scope_field_find(p->token.text);
    t->offset = p->token.offset;
    if (t->field == NULL) {
        return fail_here(p, "there is no such field; `lintel scope --fields` lists them");
    }
    LT_TRY(next(p));
    if (t->field->type == TYPE_FLAG) {
        t->shape = SHAPE_IS;
    } else if (p->token.kind == TOKEN_OP) {
        LT_TRY(read_compared(p, t, &negated));
    } else {
        LT_TRY(read_in(p, t, &negated));
    }
    LT_TRY(add_node(p, &(struct scope_node){.kind = NODE_TERM, .term = t}));
    return negated ? negate(p) : LT_OK;
}

/* ---- the tree ---- */

static lt_res wait_for(struct parser *p, enum waiting_kind kind)
{
    LT_CHECK(p->waiting_count < STACK_MAX, LT_PEER_TOO_LARGE, "byte %zu: nested too deeply", p->token.offset);
    p->waiting[p->waiting_count++] = (struct waiting){kind, p->token.offset};
    return next(p);
}

static lt_res join(struct parser *p, enum waiting_kind kind)
{
    if (kind == WAIT_NOT) {
        return negate(p);
    }
    uint32_t right = p->ready[--p->ready_count];
    uint32_t left = p->ready[--p->ready_count];
    return add_node(
        p, &(struct scope_node){.kind = kind == WAIT_AND ? NODE_AND : NODE_OR, .left = left, .right = right});
}

/* All that binds at least as strongly has both of its sides now. */
static lt_res settle(struct parser *p, enum waiting_kind least)
{
    while (p->waiting_count > 0) {
        enum waiting_kind top = p->waiting[p->waiting_count - 1].kind;
        if (top == WAIT_OPEN || top < least) {
            break;
        }
        p->waiting_count--;
        LT_TRY(join(p, top));
    }
    return LT_OK;
}

/* Before a term: "not"s and brackets. */
static lt_res read_operand(struct parser *p)
{
    while (is_word(p, "not") || p->token.kind == TOKEN_OPEN) {
        bool open = p->token.kind == TOKEN_OPEN;
        p->depth += open ? 1 : 0;
        LT_CHECK(p->depth <= SCOPE_DEPTH_MAX, LT_PEER_TOO_LARGE, "byte %zu: more than %d brackets are open",
                 p->token.offset, SCOPE_DEPTH_MAX);
        LT_TRY(wait_for(p, open ? WAIT_OPEN : WAIT_NOT));
    }
    return read_term(p);
}

static lt_res close_brackets(struct parser *p)
{
    while (p->token.kind == TOKEN_CLOSE) {
        LT_TRY(settle(p, WAIT_OR));
        if (p->waiting_count == 0) {
            return fail_here(p, "no bracket is open here");
        }
        p->waiting_count--; /* ( */
        p->depth--;
        LT_TRY(next(p));
    }
    return LT_OK;
}

static lt_res read_all(struct parser *p)
{
    LT_TRY(next(p));
    for (;;) {
        LT_TRY(read_operand(p));
        LT_TRY(close_brackets(p));
        if (p->token.kind == TOKEN_END) {
            break;
        }
        bool either = is_word(p, "or");
        if (!either && !is_word(p, "and")) {
            return fail_here(p,
                             p->depth > 0 ? "here stands and, or, or )" : "here stands and, or, or the end");
        }
        LT_TRY(settle(p, either ? WAIT_OR : WAIT_AND));
        LT_TRY(wait_for(p, either ? WAIT_OR : WAIT_AND));
    }
    LT_TRY(settle(p, WAIT_OR));
    if (p->waiting_count > 0) {
        return scope_fail(p->lexer.error, p->waiting[p->waiting_count - 1].offset, 1,
                          "this bracket is not closed");
    }
    LT_ASSERT(p->ready_count == 1);
    p->scope->root = p->ready[0];
    return LT_OK;
}

lt_res scope_parse(lt_slice text, struct lt_arena *a, struct scope_error *ret_error,
                   const struct scope **ret_scope)
{
    if (ret_error != NULL) {
        *ret_error = (struct scope_error){0};
    }
    LT_CHECK(text.len <= SCOPE_TEXT_MAX, LT_PEER_TOO_LARGE, "an expression of %zu bytes, at most %d",
             text.len, SCOPE_TEXT_MAX);
    struct parser *p = LT_NEW(a, struct parser);
    struct scope *s = LT_NEW(a, struct scope);
    lt_slice copy = lt_arena_copy(a, text); /* values point into it */
    LT_CHECK(p != NULL && s != NULL && copy.ptr != NULL, LT_PEER_TOO_LARGE,
             "the expression is over the limit");
    s->nodes = LT_NEW_ARRAY(a, struct scope_node, SCOPE_NODES_MAX);
    LT_CHECK(s->nodes != NULL, LT_PEER_TOO_LARGE, "the expression is over the limit");
    p->scope = s;
    p->lexer = (struct scope_lexer){.source = copy, .arena = a, .error = ret_error};
    LT_TRY(read_all(p));
    *ret_scope = s;
    return LT_OK;
}

/* ---- walking ---- */

struct step {
    uint32_t node;
    uint32_t parent; /* UINT32_MAX: none */
    enum scope_visit visit;
};

lt_res scope_walk(const struct scope *s, struct lt_arena *a, scope_visitor *visit, void *self)
{
    struct step *stack = LT_NEW_ARRAY(a, struct step, SCOPE_NODES_MAX);
    size_t count = 0;
    LT_CHECK(stack != NULL, LT_PEER_TOO_LARGE, "the expression is over the limit");
    stack[count++] = (struct step){s->root, UINT32_MAX, VISIT_BEFORE};
    while (count > 0) {
        struct step *top = &stack[count - 1];
        const struct scope_node *node = &s->nodes[top->node];
        const struct scope_node *parent = top->parent == UINT32_MAX ? NULL : &s->nodes[top->parent];
        enum scope_visit at = top->visit;
        bool two = node->kind == NODE_AND || node->kind == NODE_OR;
        uint32_t id = top->node;
        uint32_t child = at == VISIT_BEFORE ? node->left : node->right;
        bool down = at != VISIT_AFTER && node->kind != NODE_TERM;
        if (at == VISIT_AFTER) {
            count--;
        } else {
            top->visit = at == VISIT_BEFORE && two ? VISIT_BETWEEN : VISIT_AFTER;
        }
        LT_TRY(visit(self, node, parent, at));
        if (down) {
            LT_ASSERT(count < SCOPE_NODES_MAX);
            stack[count++] = (struct step){child, id, VISIT_BEFORE};
        }
    }
    return LT_OK;
}
