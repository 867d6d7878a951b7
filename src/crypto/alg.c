/* The table of algorithms, and the two forms of an ECDSA signature. */
#include "crypto/alg.h"

#include <string.h>

static const struct crypto_alg_info algs[] = {
    {CRYPTO_ES256, "ES256", CRYPTO_KEY_P256, CRYPTO_SHA256, 32},
    {CRYPTO_ES384, "ES384", CRYPTO_KEY_P384, CRYPTO_SHA384, 48},
    {CRYPTO_ES512, "ES512", CRYPTO_KEY_P521, CRYPTO_SHA512, 66},
    {CRYPTO_RS256, "RS256", CRYPTO_KEY_RSA, CRYPTO_SHA256, 0},
    {CRYPTO_RS384, "RS384", CRYPTO_KEY_RSA, CRYPTO_SHA384, 0},
    {CRYPTO_RS512, "RS512", CRYPTO_KEY_RSA, CRYPTO_SHA512, 0},
    {CRYPTO_EDDSA, "EdDSA", CRYPTO_KEY_ED25519, CRYPTO_HASH_NONE, 0},
};

static const char *const key_type_names[] = {
    [CRYPTO_KEY_NONE] = "none", [CRYPTO_KEY_RSA] = "rsa",   [CRYPTO_KEY_P256] = "p256",
    [CRYPTO_KEY_P384] = "p384", [CRYPTO_KEY_P521] = "p521", [CRYPTO_KEY_ED25519] = "ed25519",
};

const struct crypto_alg_info *crypto_alg_info(enum crypto_sig_alg alg)
{
    for (size_t i = 0; i < LT_COUNT(algs); i++) {
        if (algs[i].alg == alg) {
            return &algs[i];
        }
    }
    return NULL;
}

enum crypto_sig_alg crypto_alg_by_name(lt_slice name)
{
    for (size_t i = 0; i < LT_COUNT(algs); i++) {
        if (lt_slice_eq_cstr(name, algs[i].name)) {
            return algs[i].alg;
        }
    }
    return CRYPTO_SIG_NONE;
}

const char *crypto_alg_name(enum crypto_sig_alg alg)
{
    const struct crypto_alg_info *info = crypto_alg_info(alg);
    return info == NULL ? "none" : info->name;
}

bool crypto_alg_fits(enum crypto_sig_alg alg, enum crypto_key_type type)
{
    const struct crypto_alg_info *info = crypto_alg_info(alg);
    return info != NULL && info->key == type;
}

enum crypto_sig_alg crypto_alg_of_key(enum crypto_key_type type)
{
    for (size_t i = 0; i < LT_COUNT(algs); i++) {
        if (algs[i].key == type) {
            return algs[i].alg; /* RSA: the first row is RS256 */
        }
    }
    return CRYPTO_SIG_NONE;
}

const char *crypto_key_type_name(enum crypto_key_type type)
{
    return (unsigned)type < LT_COUNT(key_type_names) ? key_type_names[type] : "none";
}

enum crypto_key_type crypto_key_type_by_name(lt_slice name)
{
    for (size_t i = 1; i < LT_COUNT(key_type_names); i++) {
        if (lt_slice_eq_cstr(name, key_type_names[i])) {
            return (enum crypto_key_type)i;
        }
    }
    return CRYPTO_KEY_NONE;
}

size_t crypto_hash_len(enum crypto_hash hash)
{
    static const size_t lens[] = {[CRYPTO_SHA256] = CRYPTO_SHA256_LEN,
                                  [CRYPTO_SHA384] = CRYPTO_SHA384_LEN,
                                  [CRYPTO_SHA512] = CRYPTO_SHA512_LEN};
    return (unsigned)hash < LT_COUNT(lens) ? lens[hash] : 0;
}

/* Reads one INTEGER at *at into len bytes at out, big-endian and filled up with zeros. */
static bool read_integer(lt_slice der, size_t *at, uint8_t *out, size_t len)
{
    if (der.len < *at + 3 || der.ptr[*at] != 0x02 || der.ptr[*at + 1] >= 0x80) {
        return false;
    }
    size_t size = der.ptr[*at + 1];
    size_t from = *at + 2;
    if (size == 0 || der.len - from < size || der.ptr[from] >= 0x80) {
        return false;
    }
    if (der.ptr[from] == 0) {
        if (size < 2 || der.ptr[from + 1] < 0x80) {
            return false; /* zero, or a zero byte too many */
        }
        from++;
        size--;
    }
    if (size > len) {
        return false;
    }
    memset(out, 0, len);
    for (size_t i = 0; i < size; i++) {
        out[len - size + i] = der.ptr[from + i];
    }
    *at = from + size;
    return true;
}

lt_res crypto_ecdsa_der_to_raw(enum crypto_sig_alg alg, lt_slice der, uint8_t *ret_raw, size_t *ret_len)
{
    const struct crypto_alg_info *info = crypto_alg_info(alg);
    LT_ASSERT(info != NULL && info->coordinate_len > 0);
    size_t n = info->coordinate_len;
    bool long_form = der.len > 2 && der.ptr[1] == 0x81;
    size_t at = long_form ? 3 : 2;
    LT_CHECK(der.len > at && der.ptr[0] == 0x30, LT_PEER_MALFORMED, "ECDSA signature: no SEQUENCE");
    size_t content = der.ptr[at - 1];
    bool minimal = long_form ? content >= 0x80 : content < 0x80;
    LT_CHECK(minimal && content == der.len - at, LT_PEER_MALFORMED, "ECDSA signature: wrong length");
    LT_CHECK(read_integer(der, &at, ret_raw, n) && read_integer(der, &at, &ret_raw[n], n) && at == der.len,
             LT_PEER_MALFORMED, "ECDSA signature: r and s are not two positive INTEGERs of the curve's size");
    *ret_len = 2 * n;
    return LT_OK;
}

/* Writes the INTEGER; its length, or 0 when the value is zero. out: n + 3 bytes. */
static size_t write_integer(lt_slice value, uint8_t *out)
{
    size_t skip = 0;
    while (skip < value.len && value.ptr[skip] == 0) {
        skip++;
    }
    if (skip == value.len) {
        return 0;
    }
    size_t pad = value.ptr[skip] >= 0x80;
    size_t size = value.len - skip + pad;
    out[0] = 0x02;
    out[1] = (uint8_t)size;
    out[2] = 0;
    memcpy(&out[2 + pad], &value.ptr[skip], value.len - skip);
    return 2 + size;
}

lt_res crypto_ecdsa_raw_to_der(enum crypto_sig_alg alg, lt_slice raw, uint8_t *ret_der, size_t *ret_len)
{
    const struct crypto_alg_info *info = crypto_alg_info(alg);
    LT_ASSERT(info != NULL && info->coordinate_len > 0);
    size_t n = info->coordinate_len;
    LT_CHECK(raw.len == 2 * n, LT_PEER_MALFORMED, "%s signature of %zu bytes, %zu expected", info->name,
             raw.len, 2 * n);
    uint8_t body[2 * (66 + 3)];
    size_t r_len = write_integer(lt_slice_sub(raw, 0, n), body);
    size_t s_len = write_integer(lt_slice_sub(raw, n, n), &body[r_len]);
    LT_CHECK(r_len > 0 && s_len > 0, LT_PEER_MALFORMED, "ECDSA signature with a zero");
    size_t len = r_len + s_len;
    size_t at = 0;
    ret_der[at++] = 0x30;
    if (len >= 0x80) {
        ret_der[at++] = 0x81;
    }
    ret_der[at++] = (uint8_t)len;
    memcpy(&ret_der[at], body, len);
    *ret_len = at + len;
    return LT_OK;
}
