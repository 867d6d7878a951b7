/* A flat JSON object, member by member. */
#include "ca/body.h"

#include "base/text.h"
#include "ca/event.h"

void ca_body_init(struct ca_body *b)
{
    lt_buf_init(&b->text, CA_EVENT_BODY_MAX);
    lt_buf_add_byte(&b->text, '{');
    b->more = false;
}

void ca_body_done(struct ca_body *b)
{
    lt_buf_done(&b->text);
}

static struct lt_buf *member(struct ca_body *b, const char *key)
{
    lt_buf_addf(&b->text, "%s\"%s\":", b->more ? "," : "", key);
    b->more = true;
    return &b->text;
}

void ca_body_text(struct ca_body *b, const char *key, lt_slice value)
{
    lt_json_add_string(member(b, key), value);
}

void ca_body_str(struct ca_body *b, const char *key, const char *value)
{
    ca_body_text(b, key, lt_slice_cstr(value));
}

void ca_body_int(struct ca_body *b, const char *key, int64_t value)
{
    lt_buf_addf(member(b, key), "%lld", (long long)value);
}

void ca_body_id(struct ca_body *b, const char *key, int64_t value)
{
    lt_buf_addf(member(b, key), "\"%lld\"", (long long)value);
}

void ca_body_bool(struct ca_body *b, const char *key, bool value)
{
    lt_buf_add_cstr(member(b, key), value ? "true" : "false");
}

void ca_body_hex(struct ca_body *b, const char *key, lt_slice value)
{
    struct lt_buf *out = member(b, key);
    lt_buf_add_byte(out, '"');
    lt_hex_add(out, value);
    lt_buf_add_byte(out, '"');
}

void ca_body_time(struct ca_body *b, const char *key, lt_time value)
{
    char text[LT_RFC3339_SIZE];
    lt_time_rfc3339(value, text);
    ca_body_str(b, key, text);
}

void ca_body_json(struct ca_body *b, const char *key, lt_slice json)
{
    lt_buf_add(member(b, key), json);
}

lt_res ca_body_event(struct ca_body *b, struct ca_turn *t, const char *kind, const char *subject,
                     lt_slice attachment)
{
    lt_buf_add_byte(&b->text, '}');
    lt_res r = lt_buf_check(&b->text);
    if (!lt_failed(r)) {
        r = ca_event(t, kind, subject, lt_buf_slice(&b->text), attachment);
    }
    ca_body_done(b);
    return r;
}

lt_res ca_body_cstr(struct ca_body *b, struct lt_arena *a, const char **ret_text)
{
    lt_buf_add_byte(&b->text, '}');
    lt_res r = lt_buf_check(&b->text);
    char *text = lt_failed(r) ? NULL : lt_arena_cstr(a, lt_buf_slice(&b->text));
    ca_body_done(b);
    LT_TRY(r);
    LT_CHECK(text != NULL, LT_PEER_TOO_LARGE, "an answer is too large");
    *ret_text = text;
    return LT_OK;
}
