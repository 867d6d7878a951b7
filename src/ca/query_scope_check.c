/* An expression while it is typed: is it one, what does it mean, and if not, where is it wrong? Counts
 * nothing. And what may be asked for, for who does not know the words. */
#include "ca/query_scope_internal.h"

enum { WORDS_MAX = 1024 * 1024 };

/* "byte 17: …" without its place, which stands beside it. */
static lt_slice without_place(lt_slice detail)
{
    size_t colon = lt_slice_find(detail, ':');
    bool placed = lt_slice_starts(detail, LT_LIT("byte ")) && colon + 2 < detail.len;
    return placed ? lt_slice_sub(detail, colon + 2, detail.len) : detail;
}

static lt_res write_error(struct query_out *out, lt_res why, const struct scope_error *error)
{
    if (why.code != LT_PEER_MALFORMED && why.code != LT_PEER_TOO_LARGE) {
        return why;
    }
    query_bool(out, "good", false);
    query_text(out, "detail", without_place(lt_slice_cstr(lt_error_last()->detail)));
    query_int(out, "offset", (int64_t)error->offset);
    query_int(out, "length", (int64_t)error->len);
    return LT_OK;
}

static lt_res write_words(const struct query_scope *a, struct query_out *out)
{
    struct lt_buf words;
    lt_slice line;
    lt_buf_init(&words, WORDS_MAX);
    lt_res r = scope_words(a->scope, &words);
    lt_slice rest = lt_buf_slice(&words);
    query_open(out, "words", '[');
    while (!lt_failed(r) && lt_slice_split(&rest, '\n', &line)) {
        query_text(out, NULL, line);
    }
    query_close(out, ']');
    lt_buf_done(&words);
    return r;
}

lt_res query_scope_check(const struct ca_query *query, struct query_out *out)
{
    struct query_scope a = {.query = query};
    struct scope_error error = {0};
    struct scope_sql sql;
    lt_slice text = LT_SLICE(query->q->body.data, query->q->body.len);
    LT_TRY(scope_catalog_load(query->store, query->arena, &a.catalog));
    a.ask = (struct scope_ask){.now = query->now, .catalog = &a.catalog, .want = SCOPE_COUNT};
    lt_res r = scope_parse(text, query->arena, &error, &a.scope);
    if (!lt_failed(r)) { /* names of issuers and profiles are looked up here */
        r = scope_compile(a.scope, &a.ask, query->arena, &error, &sql);
    }
    if (lt_failed(r)) {
        return write_error(out, r, &error);
    }
    query_bool(out, "good", true);
    LT_TRY(query_scope_write_text(&a, out));
    return write_words(&a, out);
}

lt_res query_scope_fields(const struct ca_query *query, struct query_out *out)
{
    (void)query; /* they are the program's, not the book's */
    query_open(out, "fields", '[');
    for (size_t i = 0; i < scope_field_count(); i++) {
        struct scope_field_info field = scope_field_info(i);
        query_open(out, NULL, '{');
        query_cstr(out, "name", field.name);
        query_cstr(out, "type", field.type);
        query_cstr(out, "words", field.words);
        query_close(out, '}');
    }
    query_close(out, ']');
    return LT_OK;
}
