/* The tree into SQL: constant fragments in the order of the tree, every value bound.
 *
 * Which way the database walks is decided here as far as it matters. A list of members goes in the order of
 * the primary key, so that each page costs what it reads; where few are expected, an index and a sort are
 * better. A count may take any index, and takes the one that covers it. A column behind a plus sign is no
 * reason to choose its index.
 */
#include <string.h>

#include "scope/private.h"

/* Of a value (a suffix: itself, from, until), of a term's fragments, of the statement around them. */
enum { TEXT_MAX = 2 * 1024 * 1024, BOUND_BY_VALUE = 3, BOUND_BY_TERM = 8, BOUND_AROUND = 32, GROUP = 100 };

struct compiler {
    const struct scope_ask *ask;
    const struct scope_grouped *grouped; /* NULL: members, or their count */
    struct lt_arena *arena;
    struct scope_error *error;
    struct lt_buf text;
    struct store_value *values;
    size_t count;
    size_t room;      /* of values */
    size_t negations; /* that are open around what is added */
    bool plain;       /* the time of issue may choose its index */
};

static void add(struct compiler *c, const char *sql)
{
    lt_buf_add_cstr(&c->text, sql);
}

static void bind(struct compiler *c, struct store_value v)
{
    LT_ASSERT(c->count < c->room); /* bound_of() counted them */
    c->values[c->count++] = v;
    lt_buf_addf(&c->text, "?%zu", c->count);
}

/* A fragment of the table, its marks bound. */
static void add_fragment(struct compiler *c, const char *sql)
{
    for (; sql != NULL && *sql != 0; sql++) {
        if (*sql == '@') {
            bind(c, STORE_I(c->ask->now.us));
        } else if (*sql == '#') {
            bind(c, STORE_I(c->ask->as_of ? c->ask->now.us : INT64_MAX));
        } else {
            lt_buf_add_byte(&c->text, (uint8_t)*sql);
        }
    }
}

static int64_t at(const struct compiler *c, struct scope_instant i)
{
    return i.relative ? c->ask->now.us + i.us : i.us;
}

static void add_column(struct compiler *c, const struct scope_field *f)
{
    bool time = f->type == TYPE_TIME || f->against != AGAINST_NOTHING;
    bool issued = strcmp(f->column, "c.issued_us") == 0; /* leads the covering index */
    add(c, time && !(c->plain && (issued || c->ask->few)) ? "+" : "");
    add_fragment(c, f->column);
}

/* "%,name,%", with what LIKE takes for itself behind a backslash. */
static struct store_value pattern_of(struct compiler *c, lt_slice text)
{
    uint8_t *out = lt_arena_alloc(c->arena, text.len * 2 + 4);
    size_t len = 0;
    if (out == NULL) {
        c->text.overflow = true;
        return STORE_N;
    }
    out[len++] = '%';
    out[len++] = ',';
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '%' || text.ptr[i] == '_' || text.ptr[i] == '\\') {
            out[len++] = '\\';
        }
        out[len++] = text.ptr[i];
    }
    out[len++] = ',';
    out[len++] = '%';
    return STORE_T(LT_SLICE(out, len));
}

static struct store_value value_of(struct compiler *c, const struct scope_field *f,
                                   const struct scope_value *v)
{
    switch (f->type) {
    case TYPE_WORD:
    case TYPE_NUMBER:
        return STORE_I(v->number);
    case TYPE_DURATION:
        return STORE_I(f->against == AGAINST_PAST     ? c->ask->now.us - v->number
                       : f->against == AGAINST_FUTURE ? c->ask->now.us + v->number
                                                      : v->number);
    case TYPE_HEX:
        return STORE_B(v->text);
    case TYPE_MEMBER:
        return pattern_of(c, v->text);
    case TYPE_NAME:
    case TYPE_SUFFIX:
        return STORE_T(v->key);
    case TYPE_TIME:
        return STORE_I(at(c, v->from));
    case TYPE_TEXT:
    case TYPE_VERSION:
    case TYPE_FLAG:
        break;
    }
    return STORE_T(v->text);
}

/* ---- what the catalog knows ---- */

static lt_res check_known(struct compiler *c, const struct scope_term *t)
{
    const struct scope_catalog *k = c->ask->catalog;
    bool issuer = t->field->known == KNOWN_ISSUER;
    if (k == NULL || (!issuer && t->field->known != KNOWN_PROFILE)) {
        return LT_OK;
    }
    const char *const *list = issuer ? k->issuers : k->profiles;
    size_t count = issuer ? k->issuer_count : k->profile_count;
    for (size_t i = 0; i < t->count; i++) {
        const struct scope_value *v = &t->values[i];
        bool found = false;
        for (size_t n = 0; n < count && !found; n++) {
            found = lt_slice_eq_cstr(v->text, list[n]);
        }
        if (!found) {
            return scope_fail(c->error, v->offset, v->len, "there is no %s \"%.*s\"", t->field->name,
                              (int)(v->text.len > 64 ? 64 : v->text.len), (const char *)v->text.ptr);
        }
    }
    return LT_OK;
}

static bool version_fits(const struct scope_term *t, lt_slice build)
{
    switch (t->shape) {
    case SHAPE_ONE_OF:
        for (size_t i = 0; i < t->count; i++) {
            if (scope_version_cmp(build, t->values[i].text) == 0) {
                return true;
            }
        }
        return false;
    case SHAPE_RANGE:
        return (t->open_from || scope_version_cmp(build, t->values[0].text) >= 0) &&
               (t->open_until || scope_version_cmp(build, t->values[1].text) <= 0);
    case SHAPE_BELOW:
    case SHAPE_SPAN:
    case SHAPE_IS:
        break;
    }
    int order = scope_version_cmp(build, t->values[0].text);
    return t->op == OP_LT ? order < 0 : t->op == OP_LE ? order <= 0 : t->op == OP_GT ? order > 0 : order >= 0;
}

/* The builds that there are, of those that fit. */
static lt_res add_versions(struct compiler *c, const struct scope_term *t)
{
    const struct scope_catalog *k = c->ask->catalog;
    size_t found = 0;
    if (k == NULL) {
        return scope_fail(c->error, t->offset, strlen(t->field->name), "%s needs the book to compare with",
                          t->field->name);
    }
    for (size_t i = 0; i < k->build_count; i++) {
        if (version_fits(t, lt_slice_cstr(k->builds[i]))) {
            if (found++ == 0) {
                add_column(c, t->field);
            }
            add(c, found == 1 ? " IN (" : ", ");
            bind(c, STORE_S(k->builds[i]));
        }
    }
    add(c, found == 0 ? "1 = 0" : ")");
    return LT_OK;
}

/* ---- the operation inside a fragment ---- */

static void add_one_of(struct compiler *c, const struct scope_term *t)
{
    if (t->field->type == TYPE_MEMBER) {
        add(c, "(");
        for (size_t i = 0; i < t->count; i++) {
            add(c, i > 0 ? " OR " : "");
            add_column(c, t->field);
            add(c, " LIKE ");
            bind(c, value_of(c, t->field, &t->values[i]));
            add(c, " ESCAPE '\\'");
        }
        add(c, ")");
        return;
    }
    add_column(c, t->field);
    if (t->count == 1) {
        add(c, " = ");
        bind(c, value_of(c, t->field, &t->values[0]));
        return;
    }
    for (size_t i = 0; i < t->count; i++) {
        add(c, i == 0 ? " IN (" : ", ");
        bind(c, value_of(c, t->field, &t->values[i]));
    }
    add(c, ")");
}

static const char *sql_op(enum scope_op op, bool flipped)
{
    switch (op) {
    case OP_LT:
        return flipped ? " > " : " < ";
    case OP_LE:
        return flipped ? " >= " : " <= ";
    case OP_GT:
        return flipped ? " < " : " > ";
    case OP_GE:
        return flipped ? " <= " : " >= ";
    case OP_EQ:
    case OP_NE:
    case OP_IN:
    case OP_IS:
        break;
    }
    return " = ";
}

static void add_bound(struct compiler *c, const struct scope_term *t, enum scope_op op, struct store_value v)
{
    add_column(c, t->field);
    add(c, sql_op(op, t->field->against == AGAINST_PAST));
    bind(c, v);
}

static void add_range(struct compiler *c, const struct scope_term *t)
{
    bool span = t->shape == SHAPE_SPAN;
    if (!t->open_from) {
        add_bound(c, t, OP_GE, span ? STORE_I(at(c, t->from)) : value_of(c, t->field, &t->values[0]));
    }
    add(c, !t->open_from && !t->open_until ? " AND " : "");
    if (!t->open_until) {
        add_bound(c, t, span ? OP_LT : OP_LE,
                  span ? STORE_I(at(c, t->until)) : value_of(c, t->field, &t->values[1]));
    }
}

static lt_res add_operation(struct compiler *c, const struct scope_term *t)
{
    if (t->field->type == TYPE_VERSION) {
        return add_versions(c, t);
    }
    switch (t->shape) {
    case SHAPE_ONE_OF:
        add_one_of(c, t);
        break;
    case SHAPE_BELOW:
        add_bound(c, t, t->op, value_of(c, t->field, &t->values[0]));
        break;
    case SHAPE_RANGE:
    case SHAPE_SPAN:
        add(c, "(");
        add_range(c, t);
        add(c, ")");
        break;
    case SHAPE_IS:
        break;
    }
    return LT_OK;
}

#define OF_NAMES "SELECT n.issuer, n.serial, n.copy FROM certificate_name n WHERE n.name "

/* Half of all names are below "com": asked of each certificate, not gathered. A single label is no name
 * itself. */
static bool is_vast(const struct scope_value *v)
{
    return lt_slice_find(v->key, '.') == v->key.len;
}

static void add_names_below(struct compiler *c, lt_slice key)
{
    char *from = lt_arena_printf(c->arena, "%.*s.", LT_FMT(key));
    char *until = lt_arena_printf(c->arena, "%.*s/", LT_FMT(key)); /* the character behind the dot */
    if (from == NULL || until == NULL) {
        c->text.overflow = true;
        return;
    }
    bind(c, STORE_S(from));
    add(c, " AND n.name < ");
    bind(c, STORE_S(until));
}

/* The name itself, and all below it. */
static void add_gathered(struct compiler *c, const struct scope_term *t, size_t *ret_count)
{
    size_t n = 0;
    for (size_t i = 0; i < t->count; i++) {
        if (is_vast(&t->values[i])) {
            continue;
        }
        add(c, n == 0           ? "(c.issuer, c.serial, c.copy) IN ("
               : n % GROUP == 0 ? ") OR (c.issuer, c.serial, c.copy) IN ("
                                : " UNION ALL ");
        add(c, OF_NAMES "= ");
        bind(c, STORE_T(t->values[i].key));
        add(c, " UNION ALL " OF_NAMES ">= ");
        add_names_below(c, t->values[i].key);
        n++;
    }
    add(c, n > 0 ? ")" : "");
    *ret_count = n;
}

static void add_suffixes(struct compiler *c, const struct scope_term *t)
{
    size_t n = 0;
    add(c, "(");
    add_gathered(c, t, &n);
    for (size_t i = 0; i < t->count; i++) {
        if (is_vast(&t->values[i])) {
            add(c, n++ == 0 ? "" : " OR ");
            add(c, "EXISTS (SELECT 1 FROM certificate_name n WHERE n.issuer = c.issuer AND "
                   "n.serial = c.serial AND n.copy = c.copy AND n.name >= ");
            add_names_below(c, t->values[i].key);
            add(c, ")");
        }
    }
    add(c, ")");
}

/* Behind NOT, SQLite wants to know of (a, b) IN (SELECT …) whether it is false or NULL, and reads all of the
 * answer for every row to tell. Inside CASE it need not. */
static bool row_in_list(const struct scope_field *f)
{
    return f->type == TYPE_SUFFIX || f->before_too != NULL ||
           (f->before != NULL && strncmp(f->before, "(c.issuer, ", strlen("(c.issuer, ")) == 0);
}

static lt_res add_condition(struct compiler *c, const struct scope_term *t)
{
    const struct scope_field *f = t->field;
    if (f->type == TYPE_SUFFIX) {
        add_suffixes(c, t);
        return LT_OK;
    }
    add(c, f->before_too != NULL ? "(" : "");
    add_fragment(c, f->before);
    LT_TRY(add_operation(c, t));
    add_fragment(c, f->after);
    if (f->before_too != NULL) {
        add(c, " OR ");
        add_fragment(c, f->before_too);
        LT_TRY(add_operation(c, t));
        add_fragment(c, f->after_too);
        add(c, ")");
    }
    return LT_OK;
}

static lt_res add_term(struct compiler *c, const struct scope_term *t)
{
    bool wrapped = c->negations > 0 && row_in_list(t->field);
    LT_TRY(check_known(c, t));
    add(c, wrapped ? "CASE WHEN " : "");
    LT_TRY(add_condition(c, t));
    add(c, wrapped ? " THEN 1 ELSE 0 END = 1" : "");
    return LT_OK;
}

/* ---- the tree ---- */

static lt_res on_node(void *self, const struct scope_node *node, const struct scope_node *parent,
                      enum scope_visit visit)
{
    struct compiler *c = self;
    bool two = node->kind == NODE_AND || node->kind == NODE_OR;
    bool bracket = two && (parent == NULL || parent->kind != node->kind);
    if (node->kind == NODE_TERM) {
        return visit == VISIT_BEFORE ? add_term(c, node->term) : LT_OK;
    }
    if (node->kind == NODE_NOT) {
        c->negations = visit == VISIT_BEFORE ? c->negations + 1 : c->negations - 1;
    }
    if (visit == VISIT_BEFORE) {
        add(c, node->kind == NODE_NOT ? "NOT (" : bracket ? "(" : "");
    } else if (visit == VISIT_BETWEEN) {
        add(c, node->kind == NODE_AND ? " AND " : " OR ");
    } else {
        add(c, node->kind == NODE_NOT || bracket ? ")" : "");
    }
    return LT_OK;
}

/* What is asked of each certificate in another table is not: those answers lie in the order of the primary
 * key, and in no other are they near each other. */
static bool term_covered(const struct scope_term *t)
{
    bool good = t->field->covered;
    for (size_t i = 0; i < t->count && t->field->type == TYPE_SUFFIX; i++) {
        good = good && !is_vast(&t->values[i]);
    }
    return good;
}

static bool covered(const struct scope *s)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->nodes[i].kind == NODE_TERM && !term_covered(s->nodes[i].term)) {
            return false;
        }
    }
    return true;
}

/* The book as it was: what was issued by then, and what was brought in by then. */
static void add_moment(struct compiler *c, lt_time then)
{
    add(c, " AND +c.issued_us <= ");
    bind(c, STORE_I(then.us));
    add(c, " AND NOT EXISTS (SELECT 1 FROM certificate_import i JOIN import m ON m.id = i.import WHERE "
           "i.issuer = c.issuer AND i.serial = c.serial AND i.copy = c.copy AND m.last_us > ");
    bind(c, STORE_I(then.us));
    add(c, ")");
}

static const struct {
    const char *column; /* NULL: none before the key */
    bool down;
} orders[] = {
    [SCOPE_BY_KEY] = {NULL, false},
    [SCOPE_BY_ISSUE] = {"c.issued_us", false},
    [SCOPE_BY_ISSUE_DOWN] = {"c.issued_us", true},
    [SCOPE_BY_EXPIRY] = {"c.not_after_us", false},
    [SCOPE_BY_EXPIRY_DOWN] = {"c.not_after_us", true},
};

static void add_after(struct compiler *c)
{
    const struct scope_ask *ask = c->ask;
    const char *column = orders[ask->order].column;
    lt_buf_addf(&c->text, " AND (%s%sc.issuer, c.serial, c.copy) %s (", column != NULL ? column : "",
                column != NULL ? ", " : "", orders[ask->order].down ? "<" : ">");
    if (column != NULL) {
        bind(c, STORE_I(ask->after.time_us));
        add(c, ", ");
    }
    bind(c, STORE_I(ask->after.issuer));
    add(c, ", ");
    bind(c, STORE_B(ask->after.serial));
    add(c, ", ");
    bind(c, STORE_I(ask->after.copy));
    add(c, ")");
}

static void add_order(struct compiler *c)
{
    const char *column = orders[c->ask->order].column;
    const char *down = orders[c->ask->order].down ? " DESC" : "";
    if (column == NULL || c->ask->want == SCOPE_COUNT) {
        add(c, " ORDER BY c.issuer, c.serial, c.copy");
        return;
    }
    lt_buf_addf(&c->text, " ORDER BY %s%s, c.issuer%s, c.serial%s, c.copy%s", column, down, down, down, down);
}

static void add_tail(struct compiler *c, bool walked)
{
    const struct scope_ask *ask = c->ask;
    if (ask->as_of) {
        add_moment(c, ask->now);
    }
    if (ask->want == SCOPE_COUNT && !walked) {
        return;
    }
    if (ask->after.set && !walked) {
        add_after(c);
    }
    add_order(c);
    if (ask->limit != 0 && !walked) {
        add(c, " LIMIT ");
        bind(c, STORE_I(ask->limit));
    }
}

/* What is left out, of its own moment. */
static lt_res add_but_not(struct compiler *c)
{
    const struct scope_ask *outer = c->ask;
    struct scope_ask other = *outer;
    bool of_another_time = outer->but_not_now.us != 0;
    if (of_another_time) {
        other.now = outer->but_not_now;
        other.as_of = outer->but_not_as_of;
    }
    add(c, " AND NOT (");
    c->ask = &other;
    c->negations++;
    lt_res r = scope_walk(outer->but_not, c->arena, on_node, c);
    c->negations--;
    if (of_another_time && other.as_of) {
        add_moment(c, other.now);
    }
    c->ask = outer;
    add(c, ")");
    return r;
}

static lt_res add_group_value(struct compiler *c)
{
    const struct scope_grouped *g = c->grouped;
    const struct scope_term flag = {.field = g->field, .shape = SHAPE_IS};
    if (g->grouping->value == NULL && g->field->type == TYPE_FLAG) {
        add(c, "CASE WHEN ");
        LT_TRY(add_condition(c, &flag));
        add(c, " THEN 1 ELSE 0 END");
        return LT_OK;
    }
    add(c, "(");
    add_fragment(c, g->grouping->value != NULL ? g->grouping->value : g->field->column);
    add(c, ")");
    if (g->unit != 0) {
        add(c, " / ");
        bind(c, STORE_I(g->unit));
    }
    return LT_OK;
}

static lt_res add_tier(struct compiler *c)
{
    add(c, "CASE");
    for (size_t i = 0; i < c->ask->tier_count; i++) {
        add(c, " WHEN ");
        LT_TRY(scope_walk(c->ask->tiers[i], c->arena, on_node, c));
        lt_buf_addf(&c->text, " THEN %zu", i);
    }
    lt_buf_addf(&c->text, " ELSE %zu END", c->ask->tier_count);
    return LT_OK;
}

/* From the inside: a value for each certificate, their number, what they are called, the sum of all. */
static lt_res add_select(struct compiler *c, bool walked)
{
    if (c->grouped != NULL) {
        add(c, "SELECT t.label, t.n, CAST(sum(t.n) OVER () AS BIGINT), count(*) OVER () FROM (SELECT ");
        add_fragment(c, c->grouped->grouping->label != NULL ? c->grouped->grouping->label : "g.v");
        add(c, " AS label, CAST(sum(g.n) AS BIGINT) AS n FROM (SELECT w.v AS v, count(*) AS n FROM (SELECT ");
        LT_TRY(add_group_value(c));
        add(c, " AS v FROM ");
        return LT_OK;
    }
    bool count = c->ask->want == SCOPE_COUNT;
    add(c, count ? "SELECT count(*) FROM " : "");
    add(c, walked ? "(" : "");
    if (!count && c->ask->tier_count > 0) {
        add(c, "SELECT c.issuer, c.serial, ");
        LT_TRY(add_tier(c));
        add(c, " FROM ");
        return LT_OK;
    }
    add(c, count && !walked ? "" : "SELECT c.issuer, c.serial, c.copy FROM ");
    return LT_OK;
}

static void add_groups_end(struct compiler *c)
{
    add(c, ") w GROUP BY w.v) g GROUP BY label) t ORDER BY ");
    add(c, c->grouped->rising ? "t.label LIMIT " : "t.n DESC, t.label LIMIT ");
    bind(c, STORE_I(c->grouped->limit));
}

static lt_res compile(struct compiler *c, const struct scope *s)
{
    const struct scope *but_not = c->ask->but_not;
    bool summary = covered(s) && (but_not == NULL || covered(but_not)) &&
                   (c->grouped == NULL || c->grouped->field->covered);
    bool count = c->ask->want == SCOPE_COUNT;
    bool walked = count && !summary; /* in the order of the key, which a LIMIT keeps */
    c->plain = count ? summary : c->ask->few || c->ask->order != SCOPE_BY_KEY;
    LT_TRY(add_select(c, walked));
    add(c, "certificate c WHERE ");
    LT_TRY(scope_walk(s, c->arena, on_node, c));
    if (but_not != NULL) {
        LT_TRY(add_but_not(c));
    }
    add_tail(c, walked);
    if (walked) {
        add(c, " LIMIT ");
        bind(c, STORE_I(INT64_MAX));
        add(c, c->grouped == NULL ? ") walked" : "");
    }
    if (c->grouped != NULL) {
        add_groups_end(c);
    }
    return lt_buf_check(&c->text);
}

/* A version is as many values as there are builds. */
static size_t bound_of(const struct scope *s, const struct scope_catalog *catalog)
{
    size_t n = 0;
    for (size_t i = 0; s != NULL && i < s->count; i++) {
        const struct scope_term *t = s->nodes[i].term;
        if (s->nodes[i].kind == NODE_TERM) {
            bool version = t->field->type == TYPE_VERSION && catalog != NULL;
            n += BOUND_BY_TERM + BOUND_BY_VALUE * (t->count + (version ? catalog->build_count : 0));
        }
    }
    return n;
}

static lt_res run_compiler(struct compiler *c, const struct scope *s, struct scope_sql *ret_sql)
{
    c->room = BOUND_AROUND + bound_of(s, c->ask->catalog) + bound_of(c->ask->but_not, c->ask->catalog);
    for (size_t i = 0; i < c->ask->tier_count; i++) {
        c->room += bound_of(c->ask->tiers[i], c->ask->catalog);
    }
    c->values = LT_NEW_ARRAY(c->arena, struct store_value, c->room);
    LT_CHECK(c->values != NULL, LT_PEER_TOO_LARGE, "the expression is over the limit");
    lt_buf_init(&c->text, TEXT_MAX);
    lt_res r = compile(c, s);
    const char *text = lt_arena_cstr(c->arena, lt_buf_slice(&c->text));
    lt_buf_done(&c->text);
    LT_TRY(r);
    LT_CHECK(text != NULL, LT_PEER_TOO_LARGE, "the expression is over the limit");
    *ret_sql = (struct scope_sql){text, c->values, c->count};
    return LT_OK;
}

lt_res scope_compile(const struct scope *s, const struct scope_ask *ask, struct lt_arena *a,
                     struct scope_error *ret_error, struct scope_sql *ret_sql)
{
    struct compiler c = {.ask = ask, .arena = a, .error = ret_error};
    return run_compiler(&c, s, ret_sql);
}

lt_res scope_compile_grouped(const struct scope *s, const struct scope_ask *ask,
                             const struct scope_grouped *grouped, struct lt_arena *a,
                             struct scope_sql *ret_sql)
{
    struct scope_ask with = *ask;
    with.want = SCOPE_COUNT;
    struct compiler c = {.ask = &with, .grouped = grouped, .arena = a};
    return run_compiler(&c, s, ret_sql);
}
