/* Scopes: counted, by a field too, listed, explained. The expression is the body as it came: the
 * reader takes it apart, which has no key and cannot write. */
#include <string.h>

#include "base/text.h"
#include "ca/query_scope_internal.h"

static const struct store_sql sql[] = {
    {"query.scope.certificate", "SELECT " QUERY_CERTIFICATE_COLUMNS " FROM certificate c "
                                "WHERE c.issuer = ?1 AND c.serial = ?2 AND c.copy = ?3"},
};
enum { SQL_CERTIFICATE };
const struct ca_query_sql query_scope_sql = {sql, LT_COUNT(sql)};

enum {
    FEW = 20000, /* so many are sorted for each page rather than passed by */
    WORDS_MAX = 1024 * 1024,
};

static lt_res too_large(void)
{
    LT_FAIL(LT_PEER_TOO_LARGE, "the answer is over the limit");
}

lt_res query_scope_prepare(const struct ca_query *query, lt_slice text, struct query_scope *a)
{
    int64_t as_of_us = query->q->as_of_us;
    *a = (struct query_scope){.query = query};
    LT_CHECK(text.len > 0, LT_PEER_MALFORMED, "there is no expression in the body");
    LT_TRY(scope_parse(text, query->arena, NULL, &a->scope));
    LT_TRY(scope_catalog_load(query->store, query->arena, &a->catalog));
    LT_CHECK(as_of_us <= query->now.us, LT_PEER_MALFORMED, "the book does not know what is to come");
    a->ask = (struct scope_ask){
        .now = {as_of_us != 0 ? as_of_us : query->now.us}, .as_of = as_of_us != 0, .catalog = &a->catalog};
    return LT_OK;
}

static lt_res prepare_body(const struct ca_query *query, struct query_scope *a)
{
    return query_scope_prepare(query, LT_SLICE(query->q->body.data, query->q->body.len), a);
}

static lt_res compile(const struct query_scope *a, const struct scope_ask *ask, struct scope_sql *ret_sql)
{
    struct scope_ask with = *ask;
    with.but_not = a->but_not;
    with.but_not_now = a->but_not_now;
    with.but_not_as_of = a->but_not_as_of;
    return scope_compile(a->scope, &with, a->query->arena, NULL, ret_sql);
}

static void write_lines(struct query_out *out, const char *key, lt_slice text)
{
    lt_slice line;
    query_open(out, key, '[');
    while (lt_slice_split(&text, '\n', &line)) {
        query_text(out, NULL, line);
    }
    query_close(out, ']');
}

static lt_res write_remarks(const struct query_scope *a, struct query_out *out)
{
    struct lt_buf text;
    lt_buf_init(&text, WORDS_MAX);
    lt_res r = scope_missing(a->query->store, a->scope, a->query->arena, &text);
    if (!lt_failed(r) && text.len > 0) {
        write_lines(out, "remarks", lt_buf_slice(&text));
    }
    lt_buf_done(&text);
    return r;
}

lt_res query_scope_write_text(const struct query_scope *a, struct query_out *out)
{
    struct lt_buf text;
    uint8_t hash[SCOPE_HASH_LEN];
    lt_buf_init(&text, WORDS_MAX);
    lt_res r = scope_canonical(a->scope, &text);
    if (!lt_failed(r)) {
        query_text(out, "scope", lt_buf_slice(&text));
        r = scope_hash(a->scope, hash);
    }
    lt_buf_done(&text);
    LT_TRY(r);
    query_hex(out, "sha256", LT_SLICE(hash, sizeof(hash)));
    query_time(out, "as_of", a->ask.now.us);
    return write_remarks(a, out);
}

static lt_res count_of(const struct query_scope *a, int64_t *ret_count)
{
    struct scope_sql s;
    struct scope_ask ask = a->ask;
    ask.want = SCOPE_COUNT;
    LT_TRY(compile(a, &ask, &s));
    return scope_count(a->query->store, &s, ret_count);
}

/* No longer than was asked for: who types on would hold up everybody else. What is asked behind it begins a
 * view of the book of its own then, as the limit ends with the one before. */
static lt_res count_within(const struct query_scope *a, bool *ret_known, int64_t *ret_count)
{
    struct store *store = a->query->store;
    uint32_t within_ms = a->query->q->within_ms;
    if (within_ms == 0) {
        *ret_known = true;
        return count_of(a, ret_count);
    }
    LT_TRY(store_limit(store, within_ms));
    lt_res r = count_of(a, ret_count);
    *ret_known = !lt_failed(r);
    if (r.code != LT_RETRY_TIMEOUT) {
        LT_TRY(r);
    }
    store_rollback(store); /* nothing was written */
    return store_begin(store);
}

static void write_count(struct query_out *out, bool known, int64_t count)
{
    if (known) {
        query_int(out, "count", count);
    } else {
        query_raw(out, "count", LT_SLICE(NULL, 0));
    }
}

lt_res query_scope_count(const struct ca_query *query, struct query_out *out)
{
    struct query_scope a;
    int64_t count = 0;
    LT_TRY(prepare_body(query, &a));
    LT_TRY(query_scope_write_text(&a, out));
    bool known = false;
    LT_TRY(count_within(&a, &known, &count));
    write_count(out, known, count);
    return LT_OK;
}

lt_res query_scope_hash(const struct query_scope *a, int64_t *ret_count, uint8_t ret_sha256[SCOPE_HASH_LEN])
{
    struct scope_sql s;
    struct scope_ask ask = a->ask;
    ask.want = SCOPE_MEMBERS;
    LT_TRY(compile(a, &ask, &s));
    return scope_members_hash(a->query->store, &s, ret_count, ret_sha256);
}

/* What is saved with a name: the result as count and hash, of one moment. */
lt_res query_scope_run(const struct ca_query *query, struct query_out *out)
{
    struct query_scope a;
    int64_t count = 0;
    uint8_t hash[SCOPE_HASH_LEN];
    LT_TRY(prepare_body(query, &a));
    /* A whole second, and one that is over: the moment is written as one, and what the registrar is about to
     * commit with a time of now belongs to a later one. */
    a.ask.now.us -= LT_US_PER_SECOND + a.ask.now.us % LT_US_PER_SECOND;
    a.ask.as_of = true;
    LT_TRY(query_scope_write_text(&a, out));
    LT_TRY(query_scope_hash(&a, &count, hash));
    query_int(out, "count", count);
    query_hex(out, "members_sha256", LT_SLICE(hash, sizeof(hash)));
    return LT_OK;
}

/* ---- explained ---- */

/* ---- counted by a field ---- */

static lt_res write_groups(const struct query_scope *a, const struct scope_groups *g, struct query_out *out)
{
    int64_t shown = 0;
    query_cstr(out, "by", a->query->q->by);
    query_int(out, "count", g->certificates);
    query_int(out, "group_count", g->groups);
    query_bool(out, "several", g->several);
    query_open(out, "groups", '[');
    for (size_t i = 0; i < g->count; i++) {
        query_open(out, NULL, '{');
        if (g->list[i].value != NULL) {
            query_cstr(out, "value", g->list[i].value);
        } else {
            query_raw(out, "value", LT_LIT(""));
        }
        query_int(out, "count", g->list[i].count);
        query_close(out, '}');
        shown += g->list[i].count;
    }
    query_close(out, ']');
    if (!g->several) {
        query_int(out, "others", g->certificates - shown);
    }
    return LT_OK;
}

lt_res query_scope_groups(const struct ca_query *query, struct query_out *out)
{
    struct query_scope a;
    struct scope_groups groups;
    size_t limit = query_limit(query);
    LT_CHECK(query->q->by[0] != 0, LT_PEER_MALFORMED, "by which field? (by=FIELD)");
    LT_TRY(prepare_body(query, &a));
    LT_TRY(query_scope_write_text(&a, out));
    LT_TRY(scope_group_by(query->store, a.scope, &a.ask, query->q->by, limit, query->arena, &groups));
    return write_groups(&a, &groups, out);
}

static lt_res write_plan(const struct query_scope *a, enum scope_want want, const char *key,
                         struct query_out *out)
{
    struct scope_sql s;
    struct lt_buf text;
    struct scope_ask ask = a->ask;
    ask.want = want;
    LT_TRY(compile(a, &ask, &s));
    lt_buf_init(&text, WORDS_MAX);
    lt_res r = scope_plan(a->query->store, &s, a->query->arena, &text);
    if (!lt_failed(r)) {
        query_open(out, key, '{');
        query_cstr(out, "sql", s.text);
        query_int(out, "values", (int64_t)s.count);
        write_lines(out, "steps", lt_buf_slice(&text));
        query_close(out, '}');
    }
    lt_buf_done(&text);
    return r;
}

lt_res query_scope_explain(const struct ca_query *query, struct query_out *out)
{
    struct query_scope a;
    struct lt_buf words;
    LT_TRY(prepare_body(query, &a));
    LT_TRY(query_scope_write_text(&a, out));
    lt_buf_init(&words, WORDS_MAX);
    lt_res r = scope_words(a.scope, &words);
    if (!lt_failed(r)) {
        write_lines(out, "words", lt_buf_slice(&words));
    }
    lt_buf_done(&words);
    LT_TRY(r);
    LT_TRY(write_plan(&a, SCOPE_COUNT, "count_plan", out));
    return write_plan(&a, SCOPE_MEMBERS, "list_plan", out);
}

/* ---- listed ---- */

struct page {
    const struct query_scope *asked;
    struct query_tables tables;
    struct query_cursor *at; /* one for each, to read its row when the statement is over */
    size_t count;
};

static lt_res take(void *self, int64_t issuer, lt_slice serial, int64_t copy)
{
    struct page *p = self;
    lt_slice copied = lt_arena_copy(p->asked->query->arena, serial);
    LT_TRY(copied.ptr == NULL ? too_large() : LT_OK);
    p->at[p->count++] = (struct query_cursor){.set = true, .issuer = issuer, .serial = copied, .copy = copy};
    return LT_OK;
}

static bool ordered_by_expiry(enum scope_order order)
{
    return order == SCOPE_BY_EXPIRY || order == SCOPE_BY_EXPIRY_DOWN;
}

static lt_res write_one(const struct page *p, const struct query_cursor *at, struct query_out *out,
                        int64_t *ret_time_us)
{
    const struct ca_query *query = p->asked->query;
    struct query_certificate c = {.issuer = 0};
    struct query_revocation revocation;
    struct query_names names;
    struct store_rows rows;
    LT_TRY(store_query(query->store, &sql[SQL_CERTIFICATE],
                       STORE_ARGS(STORE_I(at->issuer), STORE_B(at->serial), STORE_I(at->copy)), &rows));
    lt_res r = store_next(&rows) ? query_certificate_take(query->arena, &rows, &c) : LT_OK;
    LT_TRY(store_rows_end(&rows));
    LT_TRY(r);
    LT_TRY(query_revocation_of(query, &c, &revocation));
    LT_TRY(query_names_of(query, &c, &names));
    const char *replacement = NULL;
    LT_TRY(query_truth_state(query, c.issuer, c.serial, &replacement));
    query_open(out, NULL, '{');
    query_certificate_write(out, &p->tables, &c, &revocation,
                            query_certificate_status(query, &c, &revocation));
    query_cstr(out, "replacement", replacement);
    query_cstr(out, "method", c.worst_method);
    query_time(out, "oldest_validation", c.oldest_validation_us);
    query_time(out, "oldest_caa", c.oldest_caa_us);
    query_int(out, "shard", c.shard);
    query_open(out, "names", '[');
    for (size_t i = 0; i < names.count; i++) {
        query_cstr(out, NULL, names.list[i].name);
    }
    query_close(out, ']');
    r = query->q->with_der ? query_der_write(query, out, &c) : LT_OK;
    query_close(out, '}');
    *ret_time_us = ordered_by_expiry(p->asked->ask.order) ? c.not_after_us : c.issued_us;
    return r;
}

/* The cursor's key says which way the first page went; as_of stays the moment of the first page by `at`. */
lt_res query_scope_write_page(const struct query_scope *a, struct query_out *out)
{
    const struct ca_query *query = a->query;
    struct page p = {.asked = a};
    struct query_cursor at;
    struct scope_sql s;
    struct scope_ask ask = a->ask;
    int64_t time_us = 0; /* of the last one written */
    bool by_key = ask.order == SCOPE_BY_KEY;
    char kind = by_key ? 'c' : (char)('A' + ask.order);
    LT_TRY(query_tables_load(query, &p.tables));
    LT_TRY(query_cursor_read(query, kind, &at));
    if (!at.set) {
        int64_t count = 0;
        bool known = false;
        LT_TRY(count_within(a, &known, &count));
        write_count(out, known, count);
        at.key = by_key && known && count <= FEW ? 1 : 0;
    }
    ask.want = SCOPE_MEMBERS;
    ask.limit = query_limit(query);
    ask.few = by_key && at.key != 0;
    ask.after = (struct scope_cursor){at.set, at.key, at.issuer, at.serial, at.copy};
    p.at = LT_NEW_ARRAY(query->arena, struct query_cursor, ask.limit);
    LT_TRY(p.at == NULL ? too_large() : LT_OK);
    LT_TRY(compile(a, &ask, &s));
    LT_TRY(scope_each(query->store, &s, take, &p));
    query_open(out, "certificates", '[');
    for (size_t i = 0; i < p.count; i++) {
        LT_TRY(write_one(&p, &p.at[i], out, &time_us));
    }
    query_close(out, ']');
    struct query_cursor next = {.set = p.count == ask.limit};
    if (next.set) {
        next = p.at[p.count - 1];
        next.key = by_key ? at.key : time_us;
    }
    query_cursor_write(out, kind, &next);
    return LT_OK;
}

static lt_res read_order(const char *word, enum scope_order *ret_order)
{
    static const struct {
        const char *word;
        enum scope_order order;
    } words[] = {{"", SCOPE_BY_KEY},           {"serial", SCOPE_BY_KEY},
                 {"issued", SCOPE_BY_ISSUE},   {"-issued", SCOPE_BY_ISSUE_DOWN},
                 {"expires", SCOPE_BY_EXPIRY}, {"-expires", SCOPE_BY_EXPIRY_DOWN}};
    for (size_t i = 0; i < LT_COUNT(words); i++) {
        if (strcmp(word, words[i].word) == 0) {
            *ret_order = words[i].order;
            return LT_OK;
        }
    }
    LT_FAIL(LT_PEER_MALFORMED, "order is serial, issued, -issued, expires or -expires");
}

lt_res query_scope_list(const struct ca_query *query, struct query_out *out)
{
    struct query_scope a;
    LT_TRY(prepare_body(query, &a));
    LT_TRY(read_order(query->q->order, &a.ask.order));
    LT_TRY(query_scope_write_text(&a, out));
    return query_scope_write_page(&a, out);
}
