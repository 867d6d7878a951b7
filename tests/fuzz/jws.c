/* JWS: any body parses into something sound or is refused, and nothing that was not signed verifies.
 *
 * Input: one byte of flags (1: as inner JWS, 2: as account binding, 4: the rest is the text of the protected
 * header, so that the fuzzer need not find base64url), then the body. */
#include <stdint.h>

#include "base/text.h"
#include "jose/envelope.h"
#include "jose/json.h"
#include "jose/jws.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_MAX = 1 << 20 };

static lt_slice wrap(struct lt_arena *a, lt_slice header)
{
    char *protected = lt_base64url(a, header);
    char *text = protected == NULL ? NULL
                                   : lt_arena_printf(a,
                                                     "{\"protected\":\"%s\",\"payload\":\"e30\","
                                                     "\"signature\":\"AAAA\"}",
                                                     protected);
    return lt_slice_cstr(text);
}

static void check(const struct jws *jws, enum jws_kind kind)
{
    LT_ASSERT(jws->has_jwk == (jws->kid.len == 0));
    LT_ASSERT(jws->url.len > 0 && (jws->nonce.len > 0) == (kind == JWS_REQUEST));
    if (jws->has_jwk) {
        LT_ASSERT(crypto_alg_fits(jws->alg, jws->jwk.type));
        lt_res r = jws_verify(jws, NULL);
        LT_ASSERT(!lt_failed(r) || r.code == LT_PEER_UNAUTHORIZED);
    }
}

static bool same(const json_t *object, const char *name, lt_slice value)
{
    lt_slice text;
    return !lt_failed(jose_json_string(object, name, &text)) && lt_slice_eq(text, value);
}

/* What the scanner takes, the JSON parser takes as well, and reads the same from it. */
static void compare(lt_slice body)
{
    struct jws_envelope e;
    json_t *object = NULL;
    if (jws_envelope_read(body, &e)) {
        LT_ASSERT(!lt_failed(jose_json_object(body, &object)) && json_object_size(object) == 3);
        LT_ASSERT(same(object, "protected", e.protected) && same(object, "payload", e.payload) &&
                  same(object, "signature", e.signature));
        json_decref(object);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) {
        return 0;
    }
    struct lt_arena arena;
    lt_arena_init(&arena, ARENA_MAX);
    lt_slice body = LT_SLICE(data + 1, size - 1);
    body = data[0] & 4 ? wrap(&arena, body) : body;
    compare(body);
    if (data[0] & 2) {
        struct jws_binding binding;
        if (!lt_failed(jws_binding_parse(body, &arena, &binding))) {
            LT_ASSERT(lt_failed(jws_binding_verify(&binding, LT_LIT("a key that the fuzzer does not know"))));
        }
    } else {
        struct jws jws;
        enum jws_kind kind = data[0] & 1 ? JWS_KEY_CHANGE : JWS_REQUEST;
        lt_res r = jws_parse(body, kind, &arena, &jws);
        LT_ASSERT(!lt_failed(r) || lt_class_of(r.code) == LT_CLASS_PEER || r.code == LT_POLICY_REFUSED);
        if (!lt_failed(r)) {
            check(&jws, kind);
        }
    }
    lt_arena_done(&arena);
    return 0;
}
