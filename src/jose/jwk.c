/* JWK in. The numbers are taken as the RFCs write them: fixed length for coordinates, no leading zero for
 * RSA. */
#include "jose/jwk.h"

#include <string.h>

#include "crypto/check.h"
#include "jose/json.h"

/*= RFC 7518 6.2.1.1, RFC 8037 2 */
static const struct row {
    const char *kty;
    const char *crv;
    enum x509_key_type type;
    size_t coordinate_len;
} rows[] = {
    {"EC", "P-256", X509_KEY_P256, 32},
    {"EC", "P-384", X509_KEY_P384, 48},
    {"EC", "P-521", X509_KEY_P521, 66},
    {"OKP", "Ed25519", X509_KEY_ED25519, 32},
};

/* Members that only a private or a symmetric key has: whoever sends one has just lost it. */
static const char *const private_members[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};

static lt_res read_rsa(const json_t *object, struct lt_arena *a, struct x509_spki *spki)
{
    LT_TRY(jose_json_bytes(object, "n", a, &spki->modulus));
    LT_TRY(jose_json_bytes(object, "e", a, &spki->exponent));
    /*= RFC 7518 6.3.1.1 "Note that implementers have found that some cryptographic libraries prefix an extra
     *= zero-valued octet to the modulus representations they return" and "Implementations using such
     *= libraries will need to take care to omit the extra octet" */
    LT_CHECK(spki->modulus.len > 0 && spki->modulus.ptr[0] != 0 && spki->exponent.len > 0 &&
                 spki->exponent.ptr[0] != 0,
             LT_PEER_MALFORMED, "\"n\" or \"e\" begins with a zero byte or is empty");
    spki->type = X509_KEY_RSA;
    return LT_OK;
}

static lt_res read_curve(const json_t *object, const struct row *row, struct lt_arena *a,
                         struct x509_spki *spki)
{
    lt_slice x;
    LT_TRY(jose_json_bytes(object, "x", a, &x));
    LT_CHECK(x.len == row->coordinate_len, LT_PEER_MALFORMED, "\"x\" has %zu bytes; %s needs %zu", x.len,
             row->crv, row->coordinate_len);
    spki->type = row->type;
    spki->point = x;
    if (row->type == X509_KEY_ED25519) {
        return LT_OK;
    }
    /*= RFC 7518 6.2.1.3 "The length of this octet string MUST be the full size of a coordinate for the curve
     *= specified in the "crv" parameter." */
    lt_slice y;
    LT_TRY(jose_json_bytes(object, "y", a, &y));
    LT_CHECK(y.len == row->coordinate_len, LT_PEER_MALFORMED, "\"y\" has %zu bytes; %s needs %zu", y.len,
             row->crv, row->coordinate_len);
    uint8_t *point = lt_arena_alloc(a, 1 + x.len + y.len);
    LT_CHECK(point != NULL, LT_PEER_TOO_LARGE, "a key over the limit");
    point[0] = 0x04;
    memcpy(&point[1], x.ptr, x.len);
    memcpy(&point[1 + x.len], y.ptr, y.len);
    spki->point = LT_SLICE(point, 1 + x.len + y.len);
    return LT_OK;
}

static lt_res read_numbers(const json_t *object, struct lt_arena *a, struct x509_spki *spki)
{
    lt_slice kty;
    LT_TRY(jose_json_string(object, "kty", &kty));
    if (lt_slice_eq_cstr(kty, "RSA")) {
        return read_rsa(object, a, spki);
    }
    lt_slice crv;
    LT_TRY(jose_json_optional_string(object, "crv", &crv));
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        if (lt_slice_eq_cstr(kty, rows[i].kty) && lt_slice_eq_cstr(crv, rows[i].crv)) {
            return read_curve(object, &rows[i], a, spki);
        }
    }
    LT_FAIL(LT_PEER_UNSUPPORTED, "no key of kty \"%.*s\" and crv \"%.*s\" is taken", LT_FMT(kty),
            LT_FMT(crv));
}

lt_res jwk_parse(const json_t *object, struct lt_arena *a, struct jwk *ret_jwk)
{
    LT_CHECK(json_is_object(object), LT_PEER_MALFORMED, "the JWK is not an object");
    for (size_t i = 0; i < LT_COUNT(private_members); i++) {
        LT_CHECK(json_object_get(object, private_members[i]) == NULL, LT_PEER_MALFORMED,
                 "the JWK has \"%s\", which belongs to a private or symmetric key", private_members[i]);
    }
    struct x509_spki numbers = {0};
    LT_TRY(read_numbers(object, a, &numbers));
    LT_CLEANUP(lt_buf_done) struct lt_buf out;
    lt_buf_init(&out, 4096);
    struct der_writer w;
    der_write_init(&w, &out);
    x509_spki_write(&w, &numbers);
    LT_TRY(der_write_done(&w));
    ret_jwk->spki = lt_arena_copy(a, lt_buf_slice(&out));
    LT_CHECK(ret_jwk->spki.ptr != NULL, LT_PEER_TOO_LARGE, "a key over the limit");
    /* Read back what was written: from here on the key is its SPKI, here and in every other process. */
    struct x509_spki spki;
    LT_TRY(x509_spki_parse(ret_jwk->spki, &spki));
    LT_TRY(crypto_check_spki(&spki));
    ret_jwk->type = (enum crypto_key_type)spki.type;
    ret_jwk->bits = spki.bits;
    return jwk_thumbprint(ret_jwk->spki, ret_jwk->thumbprint);
}
