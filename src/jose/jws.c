/* JWS in. Read into a struct, every member judged, nothing acted on: who the key belongs to is the caller's
 * question. */
#include "jose/jws.h"

#include <string.h>

#include "base/text.h"
#include "crypto/digest.h"
#include "jose/envelope.h"
#include "jose/json.h"

/*= RFC 8555 6.2 "This field MUST NOT contain "none" or a Message Authentication Code (MAC) algorithm" */
static const enum crypto_sig_alg taken_algs[] = {CRYPTO_ES256, CRYPTO_ES384, CRYPTO_RS256, CRYPTO_EDDSA};
const char jws_algorithms_json[] = "[\"ES256\",\"ES384\",\"RS256\",\"EdDSA\"]";

static lt_res read_members(const json_t *object, struct jws_envelope *ret_parts)
{
    /*= RFC 8555 6.2 "The JWS MUST NOT have multiple signatures" */
    LT_CHECK(json_object_get(object, "signatures") == NULL, LT_PEER_MALFORMED,
             "the JWS has \"signatures\"; one signature in flattened form is taken");
    /*= RFC 8555 6.2 "The JWS Unprotected Header [RFC7515] MUST NOT be used" */
    LT_CHECK(json_object_get(object, "header") == NULL, LT_PEER_MALFORMED,
             "the JWS has an unprotected header");
    LT_TRY(jose_json_string(object, "protected", &ret_parts->protected));
    LT_TRY(jose_json_string(object, "payload", &ret_parts->payload));
    return jose_json_string(object, "signature", &ret_parts->signature);
}

/* object: the JSON where it had to be parsed, which the parts then borrow from; the caller frees it. */
static lt_res read_parts(lt_slice body, json_t **object, struct jws_envelope *ret_parts)
{
    LT_CHECK(body.len <= JWS_MAX_BYTES, LT_PEER_TOO_LARGE, "a JWS of %zu bytes", body.len);
    if (!jws_envelope_read(body, ret_parts)) {
        LT_TRY(jose_json_object(body, object));
        LT_TRY(read_members(*object, ret_parts));
    }
    LT_CHECK(ret_parts->protected.len <= JWS_HEADER_MAX_BYTES, LT_PEER_TOO_LARGE,
             "the protected header is over %d bytes", JWS_HEADER_MAX_BYTES);
    LT_CHECK(ret_parts->signature.len > 0, LT_PEER_MALFORMED, "the signature is empty");
    return LT_OK;
}

static lt_res join_input(const struct jws_envelope *parts, struct lt_arena *a, lt_slice *ret_input)
{
    size_t len = parts->protected.len + 1 + parts->payload.len;
    uint8_t *text = lt_arena_alloc(a, len);
    LT_CHECK(text != NULL, LT_PEER_TOO_LARGE, "the JWS is over the limit");
    memcpy(text, parts->protected.ptr, parts->protected.len);
    text[parts->protected.len] = '.';
    if (parts->payload.len > 0) {
        memcpy(&text[parts->protected.len + 1], parts->payload.ptr, parts->payload.len);
    }
    *ret_input = LT_SLICE(text, len);
    return LT_OK;
}

static lt_res no_other_members(const json_t *header, const char *const *known, size_t known_count)
{
    for (void *it = json_object_iter((json_t *)(uintptr_t)header); it != NULL;
         it = json_object_iter_next((json_t *)(uintptr_t)header, it)) {
        lt_slice name = lt_slice_cstr(json_object_iter_key(it));
        bool found = false;
        for (size_t i = 0; i < known_count; i++) {
            found = found || lt_slice_eq_cstr(name, known[i]);
        }
        LT_CHECK(found, LT_PEER_MALFORMED, "the protected header has \"%.*s\", which is not taken here",
                 (int)(name.len > 40 ? 40 : name.len), (const char *)name.ptr);
    }
    return LT_OK;
}

static lt_res read_alg(const json_t *header, enum crypto_sig_alg *ret_alg)
{
    lt_slice name;
    LT_TRY(jose_json_string(header, "alg", &name));
    enum crypto_sig_alg alg = crypto_alg_by_name(name);
    for (size_t i = 0; i < LT_COUNT(taken_algs); i++) {
        if (taken_algs[i] == alg) {
            *ret_alg = alg;
            return LT_OK;
        }
    }
    LT_FAIL(LT_PEER_UNSUPPORTED, "alg \"%.*s\" is not taken; use one of %s",
            (int)(name.len > 20 ? 20 : name.len), (const char *)name.ptr, jws_algorithms_json);
}

static lt_res read_nonce(const json_t *header, struct lt_arena *a, lt_slice *ret_nonce)
{
    lt_slice text;
    LT_CHECK(json_object_get(header, "nonce") != NULL, LT_PEER_BAD_NONCE, "the JWS has no nonce");
    LT_TRY(jose_json_string(header, "nonce", &text));
    /*= RFC 8555 6.5.2 "If the value of a "nonce" header parameter is not valid according to this encoding,
     *= then the verifier MUST reject the JWS as malformed." */
    lt_slice bytes;
    LT_TRY(lt_unbase64url(a, text, &bytes));
    LT_CHECK(text.len > 0 && text.len <= 256, LT_PEER_MALFORMED, "the nonce has %zu characters", text.len);
    *ret_nonce = lt_arena_copy(a, text);
    LT_CHECK(ret_nonce->ptr != NULL, LT_PEER_TOO_LARGE, "the JWS is over the limit");
    return LT_OK;
}

static lt_res read_text(const json_t *header, const char *name, size_t max, struct lt_arena *a,
                        lt_slice *ret_text)
{
    lt_slice text;
    LT_TRY(jose_json_string(header, name, &text));
    LT_CHECK(text.len > 0 && text.len <= max, LT_PEER_MALFORMED, "\"%s\" has %zu characters", name, text.len);
    *ret_text = lt_arena_copy(a, text);
    LT_CHECK(ret_text->ptr != NULL, LT_PEER_TOO_LARGE, "the JWS is over the limit");
    return LT_OK;
}

/* Any key that is not taken is LT_POLICY_REFUSED, so that the algorithm and the key are told apart. Larger
 * RSA keys would make a stranger's request cost more than its answer. */
static lt_res read_jwk(const json_t *object, struct lt_arena *a, struct jwk *ret_jwk)
{
    lt_res parsed = jwk_parse(object, a, ret_jwk);
    LT_CHECK(parsed.code != LT_PEER_UNSUPPORTED, LT_POLICY_REFUSED, "%s", lt_error_last()->detail);
    LT_TRY(parsed);
    LT_CHECK(ret_jwk->type != CRYPTO_KEY_RSA || ret_jwk->bits <= JWS_RSA_BITS_MAX, LT_POLICY_REFUSED,
             "RSA key of %u bits; up to %d are taken for signing requests", ret_jwk->bits, JWS_RSA_BITS_MAX);
    return LT_OK;
}

static lt_res read_key(const json_t *header, enum jws_kind kind, struct lt_arena *a, struct jws *jws)
{
    const json_t *jwk = json_object_get(header, "jwk");
    bool has_kid = json_object_get(header, "kid") != NULL;
    /*= RFC 8555 6.2 "The "jwk" and "kid" fields are mutually exclusive. Servers MUST reject requests that
     *= contain both." */
    LT_CHECK((jwk != NULL) != has_kid, LT_PEER_MALFORMED, "the JWS needs one of \"jwk\" and \"kid\"");
    if (has_kid) {
        LT_CHECK(kind != JWS_KEY_CHANGE, LT_PEER_MALFORMED, "the inner JWS needs \"jwk\"");
        return read_text(header, "kid", JWS_KID_MAX, a, &jws->kid);
    }
    jws->has_jwk = true;
    LT_TRY(read_jwk(jwk, a, &jws->jwk));
    LT_CHECK(crypto_alg_fits(jws->alg, jws->jwk.type), LT_PEER_MALFORMED,
             "alg %s is not for a key of type %s", crypto_alg_name(jws->alg),
             crypto_key_type_name(jws->jwk.type));
    return LT_OK;
}

static lt_res read_header(const json_t *header, enum jws_kind kind, struct lt_arena *a, struct jws *jws)
{
    static const char *const known[] = {"alg", "nonce", "url", "jwk", "kid"};
    LT_TRY(no_other_members(header, known, LT_COUNT(known)));
    LT_TRY(read_alg(header, &jws->alg));
    LT_TRY(read_text(header, "url", JWS_URL_MAX, a, &jws->url));
    if (kind == JWS_REQUEST) {
        LT_TRY(read_nonce(header, a, &jws->nonce));
    } else {
        /*= RFC 8555 7.3.5 "The inner JWS MUST omit the "nonce" header parameter." */
        LT_CHECK(json_object_get(header, "nonce") == NULL, LT_PEER_MALFORMED, "the inner JWS has a nonce");
    }
    return read_key(header, kind, a, jws);
}

/* The text of a base64url member as JSON. */
static lt_res open_header(lt_slice text, struct lt_arena *a, json_t **ret_header)
{
    lt_slice bytes;
    LT_TRY(lt_unbase64url(a, text, &bytes));
    return jose_json_object(bytes, ret_header);
}

lt_res jws_parse(lt_slice body, enum jws_kind kind, struct lt_arena *a, struct jws *ret_jws)
{
    LT_CLEANUP(jose_json_freep) json_t *object = NULL;
    LT_CLEANUP(jose_json_freep) json_t *header = NULL;
    *ret_jws = (struct jws){0};
    struct jws_envelope parts;
    LT_TRY(read_parts(body, &object, &parts));
    LT_TRY(open_header(parts.protected, a, &header));
    LT_TRY(read_header(header, kind, a, ret_jws));
    LT_TRY(lt_unbase64url(a, parts.payload, &ret_jws->payload));
    LT_TRY(lt_unbase64url(a, parts.signature, &ret_jws->signature));
    return join_input(&parts, a, &ret_jws->signing_input);
}

lt_res jws_verify(const struct jws *jws, struct crypto_pub *pub)
{
    LT_CLEANUP(crypto_pub_freep) struct crypto_pub *embedded = NULL;
    if (pub == NULL) {
        LT_ASSERT(jws->has_jwk);
        LT_TRY(crypto_pub_new(jws->jwk.spki, &embedded));
        pub = embedded;
    }
    return crypto_pub_verify_jose(pub, jws->alg, jws->signing_input, jws->signature);
}

/* External account binding. */

static lt_res read_mac_alg(const json_t *header, enum crypto_hash *ret_hash)
{
    static const struct {
        const char *name;
        enum crypto_hash hash;
    } macs[] = {{"HS256", CRYPTO_SHA256}, {"HS384", CRYPTO_SHA384}, {"HS512", CRYPTO_SHA512}};
    lt_slice name;
    LT_TRY(jose_json_string(header, "alg", &name));
    for (size_t i = 0; i < LT_COUNT(macs); i++) {
        if (lt_slice_eq_cstr(name, macs[i].name)) {
            *ret_hash = macs[i].hash;
            return LT_OK;
        }
    }
    LT_FAIL(LT_PEER_MALFORMED, "the binding's alg is none of HS256, HS384, HS512");
}

lt_res jws_binding_parse(lt_slice body, struct lt_arena *a, struct jws_binding *ret_binding)
{
    static const char *const known[] = {"alg", "kid", "url"};
    LT_CLEANUP(jose_json_freep) json_t *object = NULL;
    LT_CLEANUP(jose_json_freep) json_t *header = NULL;
    struct jws_envelope parts;
    LT_TRY(read_parts(body, &object, &parts));
    LT_TRY(open_header(parts.protected, a, &header));
    /*= RFC 8555 7.3.4 "The "nonce" field MUST NOT be present" */
    LT_TRY(no_other_members(header, known, LT_COUNT(known)));
    LT_TRY(read_mac_alg(header, &ret_binding->hash));
    LT_TRY(read_text(header, "kid", JWS_KID_MAX, a, &ret_binding->kid));
    LT_TRY(read_text(header, "url", JWS_URL_MAX, a, &ret_binding->url));
    LT_TRY(lt_unbase64url(a, parts.payload, &ret_binding->payload));
    LT_TRY(lt_unbase64url(a, parts.signature, &ret_binding->mac));
    return join_input(&parts, a, &ret_binding->signing_input);
}

lt_res jws_binding_verify(const struct jws_binding *binding, lt_slice mac_key)
{
    uint8_t mac[CRYPTO_HASH_MAX];
    crypto_hmac(binding->hash, mac_key, binding->signing_input, mac);
    LT_CHECK(crypto_equal(LT_SLICE(mac, crypto_hash_len(binding->hash)), binding->mac), LT_PEER_UNAUTHORIZED,
             "the binding's MAC is not of that key");
    return LT_OK;
}
