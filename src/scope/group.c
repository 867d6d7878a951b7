/* How many of a scope have which value of a field.
 *
 * Most values are one for each certificate: one statement counts them all. What a certificate may have
 * several of (methods, findings) is counted value by value, as an expression with "and FIELD = VALUE" would
 * be, so that each row is what asking for it gives.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "scope/private.h"

#define OF_REVOCATION(column)                                                                  \
    "SELECT " column " FROM revocation r WHERE r.issuer = c.issuer AND r.shard = c.shard AND " \
    "r.serial = c.serial AND r.recorded_us <= #"
#define OF_READINESS(column) "(SELECT " column " FROM readiness y WHERE y.account = g.v)"
#define BEHIND(column, table)                                                                 \
    {                                                                                         \
        "scope.behind." column, "SELECT min(" column ") FROM " table " WHERE " column " > ?1" \
    }

/* A plus sign keeps SQLite from walking the index of accounts, and from there to three million rows. */
static const struct scope_grouping groupings[] = {
    {.field = "issuer", .value = "c.issuer", .label = "(SELECT x.name FROM issuer x WHERE x.id = g.v)"},
    {.field = "profile", .value = "c.profile", .label = "(SELECT x.name FROM profile x WHERE x.id = g.v)"},
    {.field = "account", .value = "+c.account", .by_count = true},
    {.field = "subscriber",
     .value = "+c.account",
     .label = "(SELECT min(x.name) FROM subscriber x WHERE x.account = g.v)"},
    {.field = "eab",
     .value = "+c.account",
     .label = "(SELECT min(x.kid) FROM account_eab x WHERE x.account = g.v)"},
    {.field = "order", .unique = true},
    {.field = "sha256", .unique = true},
    {.field = "validated", .value = "CASE WHEN c.oldest_validation_us > 0 THEN c.oldest_validation_us END"},
    {.field = "validation_age",
     .value = "CASE WHEN c.oldest_validation_us > 0 THEN c.issued_us - c.oldest_validation_us END"},
    {.field = "caa_checked", .value = "CASE WHEN c.oldest_caa_us > 0 THEN c.oldest_caa_us END"},
    {.field = "caa_age", .value = "CASE WHEN c.oldest_caa_us > 0 THEN c.issued_us - c.oldest_caa_us END"},
    {.field = "age", .value = "@ - c.issued_us"},
    {.field = "remaining", .value = "CASE WHEN c.not_after_us >= @ THEN c.not_after_us - @ END"},
    {.field = "revoked_at", .value = OF_REVOCATION("r.revoked_us")},
    {.field = "reason", .value = OF_REVOCATION("r.reason")},
    {.field = "revoked_by", .value = OF_REVOCATION("r.by_whom")},
    {.field = "tier", .value = "+c.account", .label = "coalesce(" OF_READINESS("y.tier") ", 4)"},
    {.field = "client", .value = "+c.account", .label = OF_READINESS("y.client")},
    {.field = "terms", .value = "+c.account", .label = OF_READINESS("y.terms")},
    {.field = "renewed",
     .value = "SELECT y.renewed_us FROM readiness y WHERE y.account = c.account AND y.renewed_us > 0"},
    {.field = "polled",
     .value = "SELECT q.last_us FROM certificate_poll q WHERE q.issuer = c.issuer AND q.serial = c.serial"},
    {.field = "method", .behind = BEHIND("method", "dimension")},
    {.field = "resolver", .behind = BEHIND("resolver", "dimension")},
    {.field = "perspective", .behind = BEHIND("perspectives", "dimension"), .list = true},
    {.field = "rule_set", .behind = BEHIND("rule_set", "dimension")},
    {.field = "validator_build", .behind = BEHIND("build", "dimension")},
    {.field = "finding", .behind = BEHIND("rule", "certificate_finding")},
    {.field = "replaced_how", .behind = BEHIND("how", "replacement")},
};

enum { COUNTED_MAX = 64, NAME_SIZE = 64, LABEL_SIZE = 96, DATE_LEN = 10, MONTH_LEN = 7, YEAR_LEN = 4 };
#define HOUR_US (INT64_C(3600) * LT_US_PER_SECOND)
#define DAY_US (24 * HOUR_US)

static const struct unit {
    const char *name;
    enum scope_type type;
    int64_t us;
    size_t date_len; /* TIME: so much of a date */
} units[] = {
    /* the first of a type is meant where nothing is said */
    {"month", TYPE_TIME, DAY_US, MONTH_LEN}, {"day", TYPE_TIME, DAY_US, DATE_LEN},
    {"year", TYPE_TIME, DAY_US, YEAR_LEN},   {"day", TYPE_DURATION, DAY_US, 0},
    {"hour", TYPE_DURATION, HOUR_US, 0},
};

struct asking {
    struct store *store;
    const struct scope *scope;
    const struct scope_ask *ask;
    struct lt_arena *arena;
    const struct scope_grouping *grouping;
    struct scope_grouping plain; /* where the table has no row */
    const struct scope_field *field;
    const struct unit *unit;
    struct scope_group *list;
    size_t room;
    struct scope_groups *out;
};

/* ---- what is asked for ---- */

static lt_res find_unit(struct asking *g, lt_slice name)
{
    const struct unit *first = NULL;
    for (size_t i = 0; i < LT_COUNT(units); i++) {
        if (units[i].type != g->field->type) {
            continue;
        }
        first = first == NULL ? &units[i] : first;
        if (lt_slice_eq_cstr(name, units[i].name)) {
            g->unit = &units[i];
            return LT_OK;
        }
    }
    g->unit = first;
    LT_CHECK(name.ptr == NULL, LT_PEER_MALFORMED, "%s is counted by %s", g->field->name,
             first == NULL                  ? "its values, without \":\""
             : first->type == TYPE_DURATION ? "hour or day"
                                            : "day, month or year");
    return LT_OK;
}

static bool has_column(const struct scope_field *f)
{
    return f->type == TYPE_FLAG || (f->before == NULL && f->column != NULL);
}

static lt_res find_field(struct asking *g, const char *by)
{
    lt_slice rest = lt_slice_cstr(by);
    lt_slice name;
    bool more = lt_slice_split(&rest, ':', &name);
    g->field = more ? scope_field_find(name) : NULL;
    LT_CHECK(g->field != NULL, LT_PEER_MALFORMED,
             "there is no field \"%.40s\" to count by; `lintel scope --fields` lists them", by);
    LT_TRY(find_unit(g, rest));
    g->plain = (struct scope_grouping){.field = g->field->name};
    g->grouping = &g->plain;
    for (size_t i = 0; i < LT_COUNT(groupings); i++) {
        g->grouping = strcmp(groupings[i].field, g->field->name) == 0 ? &groupings[i] : g->grouping;
    }
    bool known = g->grouping != &g->plain || has_column(g->field);
    LT_CHECK(known && !g->grouping->unique, LT_PEER_MALFORMED,
             "%s is no field to count by: nearly every certificate has another", g->field->name);
    return LT_OK;
}

/* ---- rows ---- */

static lt_res add_group(struct asking *g, const char *value, int64_t count)
{
    enum { ROOM = 64 };
    if (g->out->count == g->room) {
        g->room = g->room == 0 ? ROOM : g->room * 2;
        struct scope_group *more = LT_NEW_ARRAY(g->arena, struct scope_group, g->room);
        LT_CHECK(more != NULL, LT_PEER_TOO_LARGE, "the answer is over the limit");
        if (g->out->count > 0) {
            memcpy(more, g->list, g->out->count * sizeof(*more));
        }
        g->list = more;
    }
    g->list[g->out->count++] = (struct scope_group){value, count};
    g->out->list = g->list;
    return LT_OK;
}

static const char *date_label(const struct asking *g, int64_t day)
{
    char text[LT_RFC3339_SIZE];
    lt_time_rfc3339((lt_time){day * DAY_US}, text);
    return lt_arena_printf(g->arena, "%.*s", (int)g->unit->date_len, text);
}

static const char *number_label(const struct asking *g, int64_t n)
{
    const struct scope_word *w = g->field->list;
    struct lt_buf b;
    switch (g->field->type) {
    case TYPE_FLAG:
        return n != 0 ? "yes" : "no";
    case TYPE_TIME:
        return date_label(g, n);
    case TYPE_DURATION:
        lt_buf_init(&b, LABEL_SIZE);
        scope_duration_write(n * g->unit->us, &b);
        const char *text = lt_arena_cstr(g->arena, lt_buf_slice(&b));
        lt_buf_done(&b);
        return text;
    case TYPE_WORD:
        while (w->name != NULL && w->number != n) {
            w++;
        }
        return w->name != NULL ? w->name : lt_arena_printf(g->arena, "%lld", (long long)n);
    case TYPE_TEXT:
    case TYPE_NUMBER:
    case TYPE_HEX:
    case TYPE_VERSION:
    case TYPE_MEMBER:
    case TYPE_NAME:
    case TYPE_SUFFIX:
        break;
    }
    return lt_arena_printf(g->arena, "%lld", (long long)n);
}

static lt_res take_label(const struct asking *g, const struct store_rows *rows, const char **ret_label)
{
    struct lt_buf b;
    *ret_label = NULL;
    switch (store_type(rows, 0)) {
    case STORE_NULL:
        return LT_OK;
    case STORE_INT:
        *ret_label = number_label(g, store_int(rows, 0));
        break;
    case STORE_TEXT:
        *ret_label = lt_arena_cstr(g->arena, store_bytes(rows, 0));
        break;
    case STORE_BLOB:
        lt_buf_init(&b, LABEL_SIZE);
        lt_hex_add(&b, store_bytes(rows, 0));
        *ret_label = lt_arena_cstr(g->arena, lt_buf_slice(&b));
        lt_buf_done(&b);
        break;
    }
    LT_CHECK(*ret_label != NULL, LT_PEER_TOO_LARGE, "the answer is over the limit");
    return LT_OK;
}

/* Days of one month come one behind the other. */
static bool goes_on(const struct asking *g, const char *label)
{
    const char *last = g->out->count > 0 ? g->list[g->out->count - 1].value : NULL;
    return g->field->type == TYPE_TIME && last != NULL && label != NULL && strcmp(last, label) == 0;
}

static lt_res take_rows(struct asking *g, struct store_rows *rows)
{
    int64_t read = 0;
    while (store_next(rows)) {
        const char *label;
        LT_TRY(take_label(g, rows, &label));
        if (goes_on(g, label)) {
            g->list[g->out->count - 1].count += store_int(rows, 1);
        } else {
            LT_TRY(add_group(g, label, store_int(rows, 1)));
        }
        g->out->certificates = store_int(rows, 2);
        g->out->groups = store_int(rows, 3);
        read++;
    }
    /* Months are fewer than the days that were counted. */
    g->out->groups = g->out->groups == read ? (int64_t)g->out->count : g->out->groups;
    return LT_OK;
}

static lt_res by_column(struct asking *g, size_t limit)
{
    enum scope_type type = g->field->type;
    struct store_rows rows;
    struct scope_sql sql;
    const struct scope_grouped grouped = {
        .grouping = g->grouping,
        .field = g->field,
        .unit = g->unit == NULL ? 0 : g->unit->us,
        .rising = type == TYPE_TIME || type == TYPE_DURATION ||
                  (type == TYPE_NUMBER && !g->grouping->by_count),
        .limit = type == TYPE_TIME ? SCOPE_GROUPS_MAX : limit,
    };
    LT_TRY(scope_compile_grouped(g->scope, g->ask, &grouped, g->arena, &sql));
    const struct store_sql once = {"scope.groups", sql.text};
    LT_TRY(store_query_once(g->store, &once, sql.values, sql.count, &rows));
    lt_res r = take_rows(g, &rows);
    lt_res end = store_rows_end(&rows);
    LT_TRY(r);
    g->out->count = g->out->count > limit ? limit : g->out->count;
    return end;
}

/* ---- value by value ---- */

/* Each value that the book has of such a field, once for each row that differs. */
struct walk {
    struct store *store;
    struct lt_arena *arena;
    const struct scope_grouping *grouping;
    size_t most;
    lt_res (*each)(void *self, lt_slice name);
    void *self;
};

static lt_res walk_found(const struct walk *w, lt_slice text)
{
    lt_slice part;
    if (!w->grouping->list) {
        return w->each(w->self, text);
    }
    while (lt_slice_split(&text, ',', &part)) {
        LT_TRY(part.len > 0 ? w->each(w->self, part) : LT_OK);
    }
    return LT_OK;
}

static lt_res walk_known(const struct walk *w)
{
    lt_slice at = LT_LIT("");
    for (size_t i = 0; i < w->most; i++) {
        struct store_rows rows;
        lt_slice found = {0};
        LT_TRY(store_query(w->store, &w->grouping->behind, STORE_ARGS(STORE_T(at)), &rows));
        bool any = store_next(&rows) && !store_is_null(&rows, 0);
        found = any ? lt_arena_copy(w->arena, store_bytes(&rows, 0)) : found;
        LT_TRY(store_rows_end(&rows));
        LT_CHECK(!any || found.ptr != NULL, LT_PEER_TOO_LARGE, "the answer is over the limit");
        if (!any) {
            return LT_OK;
        }
        LT_TRY(walk_found(w, found));
        at = found;
    }
    LT_FAIL(LT_PEER_TOO_LARGE, "the book has over %zu of \"%s\"", w->most, w->grouping->field);
}

struct known {
    const struct asking *asking;
    const char *names[COUNTED_MAX];
    size_t count;
};

static lt_res add_known(void *self, lt_slice name)
{
    struct known *k = self;
    const struct asking *g = k->asking;
    for (size_t i = 0; i < k->count; i++) {
        if (lt_slice_eq_cstr(name, k->names[i])) {
            return LT_OK;
        }
    }
    LT_CHECK(k->count < COUNTED_MAX, LT_PEER_TOO_LARGE,
             "the book has more than %d of \"%s\"; count those that are meant by themselves", COUNTED_MAX,
             g->field->name);
    k->names[k->count] = lt_arena_cstr(g->arena, name);
    LT_CHECK(k->names[k->count++] != NULL, LT_PEER_TOO_LARGE, "the answer is over the limit");
    return LT_OK;
}

/* The scope, and one term more: these values, or none of them. */
static lt_res count_with(const struct asking *g, const char *const *names, size_t count, bool none,
                         struct lt_arena *a, int64_t *ret_count)
{
    enum { MORE = 3 };
    struct scope_value *values = LT_NEW_ARRAY(a, struct scope_value, count + 1);
    struct scope_node *nodes = LT_NEW_ARRAY(a, struct scope_node, g->scope->count + MORE);
    struct scope_ask ask = *g->ask;
    struct scope_sql sql;
    struct scope_term term = {.field = g->field, .shape = SHAPE_ONE_OF, .values = values, .count = count};
    LT_CHECK(values != NULL && nodes != NULL, LT_PEER_TOO_LARGE, "the expression is over the limit");
    for (size_t i = 0; i < count; i++) {
        values[i] = (struct scope_value){.text = lt_slice_cstr(names[i])};
    }
    memcpy(nodes, g->scope->nodes, g->scope->count * sizeof(*nodes));
    struct scope with = {.nodes = nodes, .count = g->scope->count};
    uint32_t last = (uint32_t)with.count;
    nodes[with.count++] = (struct scope_node){.kind = NODE_TERM, .term = &term};
    if (none) {
        nodes[with.count++] = (struct scope_node){.kind = NODE_NOT, .left = last++};
    }
    with.root = (uint32_t)with.count;
    nodes[with.count++] = (struct scope_node){.kind = NODE_AND, .left = g->scope->root, .right = last};
    ask.want = SCOPE_COUNT;
    LT_TRY(scope_compile(&with, &ask, a, NULL, &sql));
    return scope_count(g->store, &sql, ret_count);
}

static lt_res count_one(const struct asking *g, const char *const *names, size_t count, bool none,
                        int64_t *ret_count)
{
    struct lt_arena a;
    lt_arena_init(&a, SCOPE_ARENA_MAX);
    lt_res r = count_with(g, names, count, none, &a, ret_count);
    lt_arena_done(&a);
    return r;
}

static lt_res count_all(const struct asking *g)
{
    struct scope_ask ask = *g->ask;
    struct scope_sql sql;
    ask.want = SCOPE_COUNT;
    LT_TRY(scope_compile(g->scope, &ask, g->arena, NULL, &sql));
    return scope_count(g->store, &sql, &g->out->certificates);
}

static int larger_first(const void *a, const void *b)
{
    const struct scope_group *x = a;
    const struct scope_group *y = b;
    return x->count != y->count ? (x->count > y->count ? -1 : 1)
                                : strcmp(x->value == NULL ? "" : x->value, y->value == NULL ? "" : y->value);
}

static lt_res by_values(struct asking *g, size_t limit)
{
    struct known *k = LT_NEW(g->arena, struct known);
    int64_t count = 0;
    LT_CHECK(k != NULL, LT_PEER_TOO_LARGE, "the answer is over the limit");
    *k = (struct known){.asking = g, .count = 0};
    const struct walk w = {g->store, g->arena, g->grouping, SCOPE_GROUPS_MAX, add_known, k};
    LT_TRY(walk_known(&w));
    for (size_t i = 0; i < k->count; i++) {
        LT_TRY(count_one(g, &k->names[i], 1, false, &count));
        LT_TRY(count > 0 ? add_group(g, k->names[i], count) : LT_OK);
    }
    LT_TRY(count_all(g));
    count = g->out->certificates;
    LT_TRY(k->count > 0 ? count_one(g, k->names, k->count, true, &count) : LT_OK);
    LT_TRY(count > 0 ? add_group(g, NULL, count) : LT_OK);
    g->out->groups = (int64_t)g->out->count;
    g->out->several = true;
    if (g->out->count > 0) {
        qsort(g->list, g->out->count, sizeof(*g->list), larger_first);
    }
    g->out->count = g->out->count > limit ? limit : g->out->count;
    return LT_OK;
}

lt_res scope_group_by(struct store *store, const struct scope *s, const struct scope_ask *ask, const char *by,
                      size_t limit, struct lt_arena *a, struct scope_groups *ret_groups)
{
    struct asking g = {.store = store, .scope = s, .ask = ask, .arena = a, .out = ret_groups};
    *ret_groups = (struct scope_groups){.list = NULL};
    LT_ASSERT(limit > 0 && limit <= SCOPE_GROUPS_MAX);
    LT_TRY(find_field(&g, by));
    return g.grouping->behind.text != NULL ? by_values(&g, limit) : by_column(&g, limit);
}

/* ---- what the book has none of ---- */

enum { WALKED_MAX = 2000, MET_MAX = 12 };

struct meeting {
    const struct scope_term *term;
    bool *there;           /* each of its values */
    lt_slice met[MET_MAX]; /* what there is, to be told */
    size_t count;
    bool more;
};

static lt_res meet(void *self, lt_slice name)
{
    struct meeting *m = self;
    bool told = false;
    for (size_t i = 0; i < m->term->count; i++) {
        m->there[i] = m->there[i] || lt_slice_eq(m->term->values[i].text, name);
    }
    for (size_t i = 0; i < m->count; i++) {
        told = told || lt_slice_eq(m->met[i], name);
    }
    if (!told && m->count < MET_MAX) {
        m->met[m->count++] = name;
    } else {
        m->more = m->more || !told;
    }
    return LT_OK;
}

static void tell_missing(const struct meeting *m, struct lt_buf *out)
{
    const struct scope_term *t = m->term;
    for (size_t i = 0; i < t->count; i++) {
        if (m->there[i] || m->count == 0) { /* an empty book has none of anything */
            continue;
        }
        lt_buf_addf(out, "%sthe book has no %s \"%.*s\"; it has", out->len > 0 ? "\n" : "", t->field->name,
                    LT_FMT(lt_slice_sub(t->values[i].text, 0, NAME_SIZE)));
        for (size_t k = 0; k < m->count; k++) {
            lt_buf_addf(out, "%s %.*s", k > 0 ? "," : "", LT_FMT(m->met[k]));
        }
        lt_buf_add_cstr(out, m->more ? " and others" : "");
    }
}

static lt_res meet_term(struct store *store, const struct scope_term *t, struct lt_arena *a,
                        struct lt_buf *out)
{
    const struct scope_grouping *grouping = NULL;
    struct meeting m = {.term = t, .there = LT_NEW_ARRAY(a, bool, t->count + 1)};
    for (size_t i = 0; i < LT_COUNT(groupings); i++) {
        grouping = strcmp(groupings[i].field, t->field->name) == 0 ? &groupings[i] : grouping;
    }
    LT_CHECK(m.there != NULL, LT_PEER_TOO_LARGE, "the expression is over the limit");
    if (grouping == NULL || grouping->behind.text == NULL || t->field->type == TYPE_VERSION ||
        t->shape != SHAPE_ONE_OF) {
        return LT_OK;
    }
    memset(m.there, 0, t->count * sizeof(*m.there));
    const struct walk w = {store, a, grouping, WALKED_MAX, meet, &m};
    lt_res r = walk_known(&w);
    if (r.code == LT_PEER_TOO_LARGE) { /* more than can be looked through: nothing is said of it */
        return LT_OK;
    }
    LT_TRY(r);
    tell_missing(&m, out);
    return LT_OK;
}

lt_res scope_missing(struct store *store, const struct scope *s, struct lt_arena *a, struct lt_buf *out)
{
    for (size_t i = 0; i < s->count; i++) {
        LT_TRY(s->nodes[i].kind == NODE_TERM ? meet_term(store, s->nodes[i].term, a, out) : LT_OK);
    }
    return lt_buf_check(out);
}
