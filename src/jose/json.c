/* A thin strict layer over jansson, which is the one JSON reader of those measured that refuses what it
 * should.
 */
#include "jose/json.h"

#include "base/text.h"

lt_res jose_json_any(lt_slice text, json_t **ret_value)
{
    LT_CHECK(text.len <= JOSE_JSON_MAX_BYTES, LT_PEER_TOO_LARGE, "JSON of %zu bytes", text.len);
    json_error_t error;
    /*= RFC 7493 2.3 "Objects in I-JSON messages MUST NOT have members with duplicate names" */
    *ret_value = json_loadb(text.len == 0 ? "" : (const char *)text.ptr, text.len,
                            JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    LT_CHECK(*ret_value != NULL, LT_PEER_MALFORMED, "not JSON: %s (offset %d)", error.text, error.position);
    return LT_OK;
}

lt_res jose_json_object(lt_slice text, json_t **ret_object)
{
    LT_TRY(jose_json_any(text, ret_object));
    if (!json_is_object(*ret_object)) {
        json_decref(*ret_object);
        *ret_object = NULL;
        LT_FAIL(LT_PEER_MALFORMED, "not a JSON object");
    }
    return LT_OK;
}

void jose_json_freep(json_t **value)
{
    json_decref(*value);
}

void jose_json_seed(size_t seed)
{
    json_object_seed(seed == 0 ? 1 : seed); /* 0 would make jansson look for randomness itself */
}

static lt_slice text_of(const json_t *string)
{
    return LT_SLICE(json_string_value(string), json_string_length(string));
}

lt_res jose_json_string(const json_t *object, const char *name, lt_slice *ret_text)
{
    const json_t *value = json_object_get(object, name);
    LT_CHECK(value != NULL, LT_PEER_MALFORMED, "\"%s\" is missing", name);
    LT_CHECK(json_is_string(value), LT_PEER_MALFORMED, "\"%s\" is not a string", name);
    *ret_text = text_of(value);
    return LT_OK;
}

lt_res jose_json_optional_string(const json_t *object, const char *name, lt_slice *ret_text)
{
    *ret_text = (lt_slice){0};
    if (json_object_get(object, name) == NULL) {
        return LT_OK;
    }
    return jose_json_string(object, name, ret_text);
}

lt_res jose_json_optional_bool(const json_t *object, const char *name, bool *ret_value)
{
    const json_t *value = json_object_get(object, name);
    LT_CHECK(value == NULL || json_is_boolean(value), LT_PEER_MALFORMED, "\"%s\" is neither true nor false",
             name);
    *ret_value = json_is_true(value);
    return LT_OK;
}

lt_res jose_json_bytes(const json_t *object, const char *name, struct lt_arena *a, lt_slice *ret_bytes)
{
    lt_slice text;
    LT_TRY(jose_json_string(object, name, &text));
    lt_res r = lt_unbase64url(a, text, ret_bytes);
    if (r.code == LT_PEER_MALFORMED) {
        LT_FAIL(LT_PEER_MALFORMED, "\"%s\": %s", name, lt_error_last()->detail);
    }
    return r;
}
