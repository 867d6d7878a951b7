/* perspective.json of a perspective's own folder. */
#include "validate/perspective_settings.h"

#include <string.h>

#include "base/text.h"
#include "validate/perspective_private.h"

static lt_res clients_of(struct lt_arena *a, const json_t *list, struct validate_perspective_settings *s)
{
    LT_CHECK(json_is_array(list), LT_PEER_USAGE, "clients: a list of public keys is wanted");
    LT_CHECK(json_array_size(list) <= VALIDATE_PERSPECTIVE_CLIENTS_MAX, LT_PEER_TOO_LARGE,
             "clients: at most %d", VALIDATE_PERSPECTIVE_CLIENTS_MAX);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        lt_slice *spki = &s->clients[s->client_count];
        LT_CHECK(text != NULL, LT_PEER_USAGE, "clients: public keys as text are wanted");
        LT_TRY(lt_unbase64(a, lt_slice_cstr(text), spki));
        LT_TRY(validate_perspective_key_check(*spki));
        s->client_count++;
    }
    return LT_OK;
}

static lt_res settings_of(struct lt_arena *a, json_t *root, struct validate_perspective_settings *s)
{
    static const char *const more[] = {"listen", "clients"};
    LT_TRY(validate_perspective_describe(a, root, &s->self));
    LT_TRY(validate_perspective_only(root, more, LT_COUNT(more)));
    const char *address = json_string_value(json_object_get(root, "listen"));
    LT_CHECK(address != NULL, LT_PEER_USAGE, "listen: ADDRESS:PORT is wanted");
    s->listen = lt_arena_cstr(a, lt_slice_cstr(address));
    LT_CHECK(s->listen != NULL, LT_PEER_TOO_LARGE, "listen is too long");
    return clients_of(a, json_object_get(root, "clients"), s);
}

lt_res validate_perspective_settings_parse(struct lt_arena *a, lt_slice json,
                                           struct validate_perspective_settings *ret_settings)
{
    LT_CHECK(json.len <= VALIDATE_PERSPECTIVE_SETTINGS_MAX, LT_PEER_TOO_LARGE, "over %d bytes",
             VALIDATE_PERSPECTIVE_SETTINGS_MAX);
    json_error_t e;
    json_t *root = json_loadb(json.len == 0 ? "" : (const char *)json.ptr, json.len, JSON_REJECT_DUPLICATES,
                              &e);
    LT_CHECK(root != NULL, LT_PEER_USAGE, "line %d: %s", e.line, e.text);
    struct validate_perspective_settings s = {.client_count = 0};
    lt_res r = settings_of(a, root, &s);
    json_decref(root);
    if (!lt_failed(r)) {
        *ret_settings = s;
    }
    return r;
}

lt_res validate_perspective_settings_print(const struct validate_perspective_settings *s, struct lt_buf *out)
{
    validate_perspective_describe_print(&s->self, out);
    lt_buf_add_cstr(out, "  \"listen\": ");
    lt_json_add_string(out, lt_slice_cstr(s->listen));
    lt_buf_add_cstr(out, ",\n  \"clients\": [");
    for (size_t i = 0; i < s->client_count; i++) {
        lt_buf_add_cstr(out, i == 0 ? "\n    \"" : ",\n    \"");
        lt_base64_add(out, s->clients[i]);
        lt_buf_add_cstr(out, "\"");
    }
    lt_buf_add_cstr(out, s->client_count == 0 ? "]\n}\n" : "\n  ]\n}\n");
    return lt_buf_check(out);
}
