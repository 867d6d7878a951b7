#ifndef JOSE_JSON_H
#define JOSE_JSON_H
/* JSON that strangers wrote, read strictly (RFC 8259 with RFC 7493's rule on names): a name that stands
 * twice, U+0000, bad UTF-8, anything behind the end, NaN and the like are refused. What a reader finds is
 * borrowed from the document and lives as long as it. */
#include <jansson.h>

#include "base/arena.h"

enum { JOSE_JSON_MAX_BYTES = 128 * 1024 };

/* An object at the top, nothing else. Free with json_decref, or LT_CLEANUP(jose_json_freep). */
LT_MUST_USE lt_res jose_json_object(lt_slice text, json_t **ret_object);
/* Any value at the top. */
LT_MUST_USE lt_res jose_json_any(lt_slice text, json_t **ret_value);
void jose_json_freep(json_t **value);
/* Seeds jansson's hash tables; before the sandbox closes, as jansson would open /dev/urandom itself. */
void jose_json_seed(size_t seed);

/* A member that must be a string; missing or of another type is LT_PEER_MALFORMED naming it. */
LT_MUST_USE lt_res jose_json_string(const json_t *object, const char *name, lt_slice *ret_text);
/* The same, empty when it is missing. */
LT_MUST_USE lt_res jose_json_optional_string(const json_t *object, const char *name, lt_slice *ret_text);
LT_MUST_USE lt_res jose_json_optional_bool(const json_t *object, const char *name, bool *ret_value);
/* A string in base64url, decoded into the arena. */
LT_MUST_USE lt_res jose_json_bytes(const json_t *object, const char *name, struct lt_arena *a,
                                   lt_slice *ret_bytes);

#endif
