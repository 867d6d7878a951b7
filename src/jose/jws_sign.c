/* Flattened JWS out: for the CLI, which signs as an operator, and for the load generator. */
#include "base/text.h"
#include "jose/jws.h"

enum { HEAD_MAX = 8 * 1024 };

static lt_res add_head(const struct crypto_key *key, enum crypto_sig_alg alg, const struct jws_head *head,
                       struct lt_buf *out)
{
    lt_buf_addf(out, "{\"alg\":\"%s\",", crypto_alg_name(alg));
    if (head->kid.len > 0) {
        lt_buf_add_cstr(out, "\"kid\":");
        lt_json_add_string(out, head->kid);
    } else {
        lt_buf_add_cstr(out, "\"jwk\":");
        LT_TRY(jwk_write(crypto_key_spki(key), out));
    }
    if (head->nonce.len > 0) {
        lt_buf_add_cstr(out, ",\"nonce\":");
        lt_json_add_string(out, head->nonce);
    }
    lt_buf_add_cstr(out, ",\"url\":");
    lt_json_add_string(out, head->url);
    lt_buf_add_byte(out, '}');
    return lt_buf_check(out);
}

lt_res jws_sign(struct crypto_key *key, const struct jws_head *head, lt_slice payload, struct lt_buf *out)
{
    enum crypto_sig_alg alg = crypto_alg_of_key(crypto_key_type(key));
    LT_CLEANUP(lt_buf_done) struct lt_buf text;
    lt_buf_init(&text, HEAD_MAX);
    LT_TRY(add_head(key, alg, head, &text));
    LT_CLEANUP(lt_buf_done) struct lt_buf input;
    lt_buf_init(&input, out->max);
    lt_base64url_add(&input, lt_buf_slice(&text));
    size_t head_len = input.len;
    lt_buf_add_byte(&input, '.');
    lt_base64url_add(&input, payload);
    LT_TRY(lt_buf_check(&input));
    uint8_t signature[CRYPTO_SIGNATURE_MAX];
    size_t signature_len = 0;
    LT_TRY(crypto_key_sign_jose(key, alg, lt_buf_slice(&input), signature, &signature_len));
    lt_buf_add_cstr(out, "{\"protected\":\"");
    lt_buf_add(out, lt_slice_sub(lt_buf_slice(&input), 0, head_len));
    lt_buf_add_cstr(out, "\",\"payload\":\"");
    lt_buf_add(out, lt_slice_sub(lt_buf_slice(&input), head_len + 1, SIZE_MAX));
    lt_buf_add_cstr(out, "\",\"signature\":\"");
    lt_base64url_add(out, LT_SLICE(signature, signature_len));
    lt_buf_add_cstr(out, "\"}");
    return lt_buf_check(out);
}
