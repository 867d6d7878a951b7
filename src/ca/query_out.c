/* JSON and cursors of the questions. A cursor is text that only we read: its kind and the columns of the row
 * behind which to go on, hex where they are bytes, joined by "~". */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ca/query_parts.h"

static void lead(struct query_out *o, const char *key)
{
    if (o->comma) {
        lt_buf_add_byte(o->b, ',');
    }
    o->comma = true;
    if (key != NULL) {
        lt_buf_addf(o->b, "\"%s\":", key);
    }
}

void query_open(struct query_out *o, const char *key, char bracket)
{
    lead(o, key);
    lt_buf_add_byte(o->b, (uint8_t)bracket);
    o->comma = false;
}

void query_close(struct query_out *o, char bracket)
{
    lt_buf_add_byte(o->b, (uint8_t)bracket);
    o->comma = true;
}

void query_text(struct query_out *o, const char *key, lt_slice value)
{
    lead(o, key);
    lt_json_add_string(o->b, value);
}

void query_cstr(struct query_out *o, const char *key, const char *value)
{
    query_text(o, key, lt_slice_cstr(value));
}

void query_int(struct query_out *o, const char *key, int64_t value)
{
    lead(o, key);
    lt_buf_addf(o->b, "%lld", (long long)value);
}

void query_id(struct query_out *o, const char *key, int64_t value)
{
    lead(o, key);
    lt_buf_addf(o->b, "\"%lld\"", (long long)value);
}

void query_bool(struct query_out *o, const char *key, bool value)
{
    lead(o, key);
    lt_buf_add_cstr(o->b, value ? "true" : "false");
}

void query_hex(struct query_out *o, const char *key, lt_slice value)
{
    lead(o, key);
    lt_buf_add_byte(o->b, '"');
    lt_hex_add(o->b, value);
    lt_buf_add_byte(o->b, '"');
}

void query_base64(struct query_out *o, const char *key, lt_slice value)
{
    lead(o, key);
    lt_buf_add_byte(o->b, '"');
    lt_base64_add(o->b, value);
    lt_buf_add_byte(o->b, '"');
}

void query_pem(struct query_out *o, const char *key, lt_slice der)
{
    struct lt_buf pem;
    lt_buf_init(&pem, der.len * 2 + 256);
    lt_pem_add(&pem, "CERTIFICATE", der);
    query_text(o, key, lt_buf_slice(&pem));
    lt_buf_done(&pem);
}

void query_time(struct query_out *o, const char *key, int64_t us)
{
    char text[LT_RFC3339_SIZE];
    if (us == 0) {
        query_raw(o, key, (lt_slice){NULL, 0});
        return;
    }
    lt_time_rfc3339((lt_time){us}, text);
    query_cstr(o, key, text);
}

void query_raw(struct query_out *o, const char *key, lt_slice json)
{
    lead(o, key);
    lt_buf_add(o->b, json.len > 0 ? json : LT_LIT("null"));
}

size_t query_limit(const struct ca_query *query)
{
    size_t limit = query->q->limit != 0 ? query->q->limit : 100;
    return limit < CA_QUERY_ROWS_MAX ? limit : CA_QUERY_ROWS_MAX;
}

void query_cursor_write(struct query_out *o, char kind, const struct query_cursor *c)
{
    if (!c->set) {
        query_raw(o, "next", (lt_slice){NULL, 0});
        return;
    }
    const lt_slice bytes[] = {c->serial, c->name, c->type};
    struct lt_buf text;
    lt_buf_init(&text, 8192);
    lt_buf_addf(&text, "%c~%llu~%llu~%llu", kind, (unsigned long long)c->key, (unsigned long long)c->issuer,
                (unsigned long long)c->copy);
    for (size_t i = 0; i < LT_COUNT(bytes); i++) {
        lt_buf_add_byte(&text, '~');
        lt_hex_add(&text, bytes[i]);
    }
    query_text(o, "next", lt_buf_slice(&text));
    lt_buf_done(&text);
}

lt_res query_cursor_read(const struct ca_query *query, char kind, struct query_cursor *ret_cursor)
{
    lt_slice rest = lt_slice_cstr(query->q->cursor);
    lt_slice part[7] = {{NULL, 0}};
    size_t count = 0;
    uint64_t number[3];
    *ret_cursor = (struct query_cursor){.set = rest.len > 0};
    if (rest.len == 0) {
        return LT_OK;
    }
    while (count < LT_COUNT(part) && lt_slice_split(&rest, '~', &part[count])) {
        count++;
    }
    bool good = count == LT_COUNT(part) && rest.ptr == NULL && part[0].len == 1 &&
                part[0].ptr[0] == (uint8_t)kind;
    for (size_t i = 0; good && i < LT_COUNT(number); i++) {
        good = !lt_failed(lt_parse_u64(part[i + 1], INT64_MAX, &number[i]));
    }
    lt_slice *const bytes[] = {&ret_cursor->serial, &ret_cursor->name, &ret_cursor->type};
    for (size_t i = 0; good && i < LT_COUNT(bytes); i++) {
        good = !lt_failed(lt_unhex(query->arena, part[i + 4], bytes[i]));
    }
    LT_CHECK(good, LT_PEER_MALFORMED, "this cursor is not one of this list; begin again without it");
    ret_cursor->key = (int64_t)number[0];
    ret_cursor->issuer = (int64_t)number[1];
    ret_cursor->copy = (int64_t)number[2];
    return LT_OK;
}
