/* JWK out, in the one form that is hashed. */
#include "base/text.h"
#include "crypto/digest.h"
#include "jose/jwk.h"
#include "x509/spki.h"

static void add_member(struct lt_buf *out, const char *name, lt_slice bytes)
{
    lt_buf_addf(out, "\"%s\":\"", name);
    lt_base64url_add(out, bytes);
    lt_buf_add_byte(out, '"');
}

static void add_ec(struct lt_buf *out, const char *crv, lt_slice point)
{
    size_t n = point.len / 2;
    lt_buf_addf(out, "{\"crv\":\"%s\",\"kty\":\"EC\",", crv);
    add_member(out, "x", lt_slice_sub(point, 1, n));
    lt_buf_add_byte(out, ',');
    add_member(out, "y", lt_slice_sub(point, 1 + n, n));
    lt_buf_add_byte(out, '}');
}

/*= RFC 7638 3 "Construct a JSON object [RFC7159] containing only the required members of a JWK representing
 *= the key and with no whitespace or line breaks before or after any syntactic elements and with the
 *= required members ordered lexicographically by the Unicode [UNICODE] code points of the member names." */
lt_res jwk_write(lt_slice spki_der, struct lt_buf *out)
{
    struct x509_spki spki;
    LT_TRY(x509_spki_parse(spki_der, &spki));
    switch (spki.type) {
    case X509_KEY_RSA:
        lt_buf_add_byte(out, '{');
        add_member(out, "e", spki.exponent);
        lt_buf_add_cstr(out, ",\"kty\":\"RSA\",");
        add_member(out, "n", spki.modulus);
        lt_buf_add_byte(out, '}');
        break;
    case X509_KEY_P256:
        add_ec(out, "P-256", spki.point);
        break;
    case X509_KEY_P384:
        add_ec(out, "P-384", spki.point);
        break;
    case X509_KEY_P521:
        add_ec(out, "P-521", spki.point);
        break;
    case X509_KEY_ED25519:
        lt_buf_add_cstr(out, "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",");
        add_member(out, "x", spki.point);
        lt_buf_add_byte(out, '}');
        break;
    case X509_KEY_UNKNOWN:
        LT_FAIL(LT_PEER_UNSUPPORTED, "an unknown kind of key has no JWK");
    }
    return lt_buf_check(out);
}

lt_res jwk_thumbprint(lt_slice spki, uint8_t ret_thumbprint[JWK_THUMBPRINT_LEN])
{
    LT_CLEANUP(lt_buf_done) struct lt_buf text;
    lt_buf_init(&text, 4096);
    LT_TRY(jwk_write(spki, &text));
    crypto_sha256(lt_buf_slice(&text), ret_thumbprint);
    return LT_OK;
}
