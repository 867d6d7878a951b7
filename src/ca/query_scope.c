/* Scopes: counted, listed, explained, and those that have a name. The expression is the body as it came: the
 * reader takes it apart, which has no key and cannot write. */
#include <string.h>

#include "base/text.h"
#include "ca/query_internal.h"
#include "scope/scope.h"

static const struct store_sql sql[] = {
    {"query.scope.certificate", "SELECT " QUERY_CERTIFICATE_COLUMNS " FROM certificate c "
                                "WHERE c.issuer = ?1 AND c.serial = ?2 AND c.copy = ?3"},
    {"query.scope.saved",
     "SELECT s.name, s.version, s.text, s.sha256, s.note, s.as_of_us, s.count, s.members_sha256, s.saved_us, "
     "s.saved_by FROM scope s WHERE s.name > ?1 AND s.version = (SELECT max(x.version) FROM scope x "
     "WHERE x.name = s.name) ORDER BY s.name LIMIT ?2"},
    {"query.scope.versions",
     "SELECT s.name, s.version, s.text, s.sha256, s.note, s.as_of_us, s.count, s.members_sha256, s.saved_us, "
     "s.saved_by FROM scope s WHERE s.name = ?1 AND s.version < ?2 ORDER BY s.version DESC LIMIT ?3"},
};
enum { SQL_CERTIFICATE, SQL_SAVED, SQL_VERSIONS };
const struct ca_query_sql query_scope_sql = {sql, LT_COUNT(sql)};

enum {
    FEW = 20000, /* so many are sorted for each page rather than passed by */
    WORDS_MAX = 1024 * 1024,
    VERSIONS_SHOWN = 100,
};

/* One question: the expression, when it is asked, and what compiling needs. */
struct asked {
    const struct ca_query *query;
    const struct scope *scope;
    const struct scope *but_not;
    struct scope_catalog catalog;
    struct scope_ask ask;
};

static lt_res too_large(void)
{
    LT_FAIL(LT_PEER_TOO_LARGE, "the answer is over the limit");
}

static lt_res prepare(const struct ca_query *query, lt_slice text, struct asked *a)
{
    int64_t as_of_us = query->q->as_of_us;
    *a = (struct asked){.query = query};
    LT_CHECK(text.len > 0, LT_PEER_MALFORMED, "there is no expression in the body");
    LT_TRY(scope_parse(text, query->arena, NULL, &a->scope));
    LT_TRY(scope_catalog_load(query->store, query->arena, &a->catalog));
    LT_CHECK(as_of_us <= query->now.us, LT_PEER_MALFORMED, "the book does not know what is to come");
    a->ask = (struct scope_ask){
        .now = {as_of_us != 0 ? as_of_us : query->now.us}, .as_of = as_of_us != 0, .catalog = &a->catalog};
    return LT_OK;
}

static lt_res prepare_body(const struct ca_query *query, struct asked *a)
{
    return prepare(query, LT_SLICE(query->q->body.data, query->q->body.len), a);
}

static lt_res compile(const struct asked *a, const struct scope_ask *ask, struct scope_sql *ret_sql)
{
    struct scope_ask with = *ask;
    with.but_not = a->but_not;
    return scope_compile(a->scope, &with, a->query->arena, NULL, ret_sql);
}

static lt_res write_text(const struct asked *a, struct query_out *out)
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
    return LT_OK;
}

static lt_res count_of(const struct asked *a, int64_t *ret_count)
{
    struct scope_sql s;
    struct scope_ask ask = a->ask;
    ask.want = SCOPE_COUNT;
    LT_TRY(compile(a, &ask, &s));
    return scope_count(a->query->store, &s, ret_count);
}

lt_res query_scope_count(const struct ca_query *query, struct query_out *out)
{
    struct asked a;
    int64_t count = 0;
    LT_TRY(prepare_body(query, &a));
    LT_TRY(write_text(&a, out));
    LT_TRY(count_of(&a, &count));
    query_int(out, "count", count);
    return LT_OK;
}

static lt_res hash_of(const struct asked *a, int64_t *ret_count, uint8_t ret_sha256[SCOPE_HASH_LEN])
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
    struct asked a;
    int64_t count = 0;
    uint8_t hash[SCOPE_HASH_LEN];
    LT_TRY(prepare_body(query, &a));
    /* A whole second: the moment is written as one, and run again as one. */
    a.ask.now.us -= a.ask.now.us % LT_US_PER_SECOND;
    a.ask.as_of = true;
    LT_TRY(write_text(&a, out));
    LT_TRY(hash_of(&a, &count, hash));
    query_int(out, "count", count);
    query_hex(out, "members_sha256", LT_SLICE(hash, sizeof(hash)));
    return LT_OK;
}

/* ---- explained ---- */

static void write_lines(struct query_out *out, const char *key, lt_slice text)
{
    lt_slice line;
    query_open(out, key, '[');
    while (lt_slice_split(&text, '\n', &line)) {
        query_text(out, NULL, line);
    }
    query_close(out, ']');
}

static lt_res write_plan(const struct asked *a, enum scope_want want, const char *key, struct query_out *out)
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
    struct asked a;
    struct lt_buf words;
    LT_TRY(prepare_body(query, &a));
    LT_TRY(write_text(&a, out));
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
    const struct asked *asked;
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

static lt_res write_one(const struct page *p, const struct query_cursor *at, struct query_out *out)
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
    query_open(out, NULL, '{');
    query_certificate_write(out, &p->tables, &c, &revocation,
                            query_certificate_status(query, &c, &revocation));
    query_open(out, "names", '[');
    for (size_t i = 0; i < names.count; i++) {
        query_cstr(out, NULL, names.list[i].name);
    }
    query_close(out, ']');
    query_close(out, '}');
    return LT_OK;
}

/* The cursor's key says which way the first page went; as_of stays the moment of the first page by `at`. */
static lt_res write_page(const struct asked *a, struct query_out *out)
{
    const struct ca_query *query = a->query;
    struct page p = {.asked = a};
    struct query_cursor at;
    struct scope_sql s;
    struct scope_ask ask = a->ask;
    LT_TRY(query_tables_load(query, &p.tables));
    LT_TRY(query_cursor_read(query, 'c', &at));
    if (!at.set) {
        int64_t count = 0;
        LT_TRY(count_of(a, &count));
        query_int(out, "count", count);
        at.key = count <= FEW ? 1 : 0;
    }
    ask.want = SCOPE_MEMBERS;
    ask.limit = query_limit(query);
    ask.few = at.key != 0;
    ask.after = (struct scope_cursor){at.set, at.issuer, at.serial, at.copy};
    p.at = LT_NEW_ARRAY(query->arena, struct query_cursor, ask.limit);
    LT_TRY(p.at == NULL ? too_large() : LT_OK);
    LT_TRY(compile(a, &ask, &s));
    LT_TRY(scope_each(query->store, &s, take, &p));
    query_open(out, "certificates", '[');
    for (size_t i = 0; i < p.count; i++) {
        LT_TRY(write_one(&p, &p.at[i], out));
    }
    query_close(out, ']');
    struct query_cursor next = {.set = p.count == ask.limit};
    if (next.set) {
        next = p.at[p.count - 1];
        next.key = at.key;
    }
    query_cursor_write(out, 'c', &next);
    return LT_OK;
}

lt_res query_scope_list(const struct ca_query *query, struct query_out *out)
{
    struct asked a;
    LT_TRY(prepare_body(query, &a));
    LT_TRY(write_text(&a, out));
    return write_page(&a, out);
}

/* ---- saved ---- */

struct saved {
    int64_t version;
    lt_slice text;
    int64_t as_of_us;
    int64_t count;
};

static void write_saved(const struct store_rows *rows, struct query_out *out)
{
    query_open(out, NULL, '{');
    query_text(out, "name", store_bytes(rows, 0));
    query_int(out, "version", store_int(rows, 1));
    query_text(out, "scope", store_bytes(rows, 2));
    query_hex(out, "sha256", store_bytes(rows, 3));
    query_text(out, "note", store_bytes(rows, 4));
    query_time(out, "as_of", store_int(rows, 5));
    query_int(out, "count", store_int(rows, 6));
    query_hex(out, "members_sha256", store_bytes(rows, 7));
    query_time(out, "saved", store_int(rows, 8));
    query_text(out, "saved_by", store_bytes(rows, 9));
    query_close(out, '}');
}

lt_res query_scope_saved(const struct ca_query *query, struct query_out *out)
{
    struct query_cursor at;
    struct store_rows rows;
    size_t count = 0;
    LT_TRY(query_cursor_read(query, 's', &at));
    LT_TRY(store_query(query->store, &sql[SQL_SAVED],
                       STORE_ARGS(STORE_T(at.name), STORE_I(query_limit(query))), &rows));
    query_open(out, "scopes", '[');
    while (store_next(&rows)) {
        write_saved(&rows, out);
        at.name = lt_arena_copy(query->arena, store_bytes(&rows, 0));
        count++;
    }
    query_close(out, ']');
    LT_TRY(store_rows_end(&rows));
    at = (struct query_cursor){.set = count == query_limit(query), .name = at.name};
    query_cursor_write(out, 's', &at);
    return LT_OK;
}

lt_res query_scope_show(const struct ca_query *query, struct query_out *out)
{
    struct store_rows rows;
    size_t count = 0;
    LT_TRY(store_query(query->store, &sql[SQL_VERSIONS],
                       STORE_ARGS(STORE_S(query->q->id), STORE_I(INT64_MAX), STORE_I(VERSIONS_SHOWN)),
                       &rows));
    query_open(out, "versions", '[');
    for (; store_next(&rows); count++) {
        write_saved(&rows, out);
    }
    query_close(out, ']');
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(count > 0, LT_PEER_NOT_FOUND, "there is no scope \"%.64s\"", query->q->id);
    return LT_OK;
}

/* The version itself, or with 0 the last one before `below`. */
static lt_res load(const struct ca_query *query, int64_t version, int64_t below, struct saved *ret_saved)
{
    struct store_rows rows;
    bool found = false;
    LT_TRY(store_query(
        query->store, &sql[SQL_VERSIONS],
        STORE_ARGS(STORE_S(query->q->id), STORE_I(version != 0 ? version + 1 : below), STORE_I(1)), &rows));
    if (store_next(&rows)) {
        *ret_saved = (struct saved){.version = store_int(&rows, 1),
                                    .text = lt_arena_copy(query->arena, store_bytes(&rows, 2)),
                                    .as_of_us = store_int(&rows, 5),
                                    .count = store_int(&rows, 6)};
        found = version == 0 || ret_saved->version == version;
    }
    LT_TRY(store_rows_end(&rows));
    LT_CHECK(found, LT_PEER_NOT_FOUND, "scope \"%.64s\" has no %s version", query->q->id,
             version != 0 ? "such" : "earlier");
    return ret_saved->text.ptr == NULL ? too_large() : LT_OK;
}

/* Certificates of one version that the other has not, both held against the same moment: a page of them with
 * the first question. */
static lt_res write_side(const struct ca_query *query, const struct saved *have, const struct saved * not,
                         const char *key, struct query_out *out)
{
    struct asked a;
    LT_TRY(prepare(query, have->text, &a));
    LT_TRY(scope_parse(not ->text, query->arena, NULL, &a.but_not));
    query_open(out, key, '{');
    LT_TRY(write_page(&a, out));
    query_close(out, '}');
    return LT_OK;
}

lt_res query_scope_diff(const struct ca_query *query, struct query_out *out)
{
    struct saved now;
    struct saved before;
    LT_CHECK(query->q->cursor[0] == 0, LT_PEER_MALFORMED,
             "what changed is one page; a longer list is a scope of its own");
    LT_TRY(load(query, query->q->version, INT64_MAX, &now));
    LT_TRY(load(query, query->q->against, now.version, &before));
    query_cstr(out, "name", query->q->id);
    query_int(out, "version", now.version);
    query_int(out, "against", before.version);
    query_text(out, "scope", now.text);
    query_text(out, "scope_before", before.text);
    query_int(out, "count_saved", now.count);
    query_int(out, "count_saved_before", before.count);
    LT_TRY(write_side(query, &now, &before, "added", out));
    return write_side(query, &before, &now, "removed", out);
}

/* Runs a version again: at its own moment (the result must be the saved one) and now. */
lt_res query_scope_again(const struct ca_query *query, struct query_out *out)
{
    struct saved s;
    struct asked a;
    int64_t count = 0;
    uint8_t hash[SCOPE_HASH_LEN];
    LT_TRY(load(query, query->q->version, INT64_MAX, &s));
    LT_TRY(prepare(query, s.text, &a));
    query_cstr(out, "name", query->q->id);
    query_int(out, "version", s.version);
    query_int(out, "count_saved", s.count);
    LT_TRY(write_text(&a, out));
    LT_TRY(hash_of(&a, &count, hash));
    query_int(out, "count", count);
    query_hex(out, "members_sha256", LT_SLICE(hash, sizeof(hash)));
    a.ask.now.us = s.as_of_us;
    a.ask.as_of = true;
    LT_TRY(hash_of(&a, &count, hash));
    query_int(out, "count_then", count);
    query_hex(out, "members_sha256_then", LT_SLICE(hash, sizeof(hash)));
    return LT_OK;
}
