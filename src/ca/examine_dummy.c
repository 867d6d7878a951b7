/* Signatures that say nothing. */
#include "ca/examine_dummy.h"

#include <string.h>

#include "x509/tbs.h"

enum { SIGNATURE_MAX = 2048, ED25519_LEN = 64, FILLER = 0x5a };

/* Bytes of the field; 0: no elliptic curve of ours. */
static size_t field_len(enum x509_key_type type)
{
    switch (type) {
    case X509_KEY_P256:
        return 32;
    case X509_KEY_P384:
        return 48;
    case X509_KEY_P521:
        return 66;
    case X509_KEY_UNKNOWN:
    case X509_KEY_RSA:
    case X509_KEY_ED25519:
        break;
    }
    return 0;
}

/* A positive number of that many bytes: the same for everybody. */
static lt_slice filler(uint8_t ret_bytes[SIGNATURE_MAX], size_t len)
{
    memset(ret_bytes, FILLER, len);
    ret_bytes[0] = 1;
    return LT_SLICE(ret_bytes, len);
}

/* Ecdsa-Sig-Value ::= SEQUENCE { r INTEGER, s INTEGER } */
static lt_res ecdsa(lt_slice number, struct lt_buf *out)
{
    enum { INTEGER = 2, SEQUENCE = 0x30, SHORT_MAX = 0x7f, LONG_ONE = 0x81 };
    size_t len = 2 * (number.len + 2);
    LT_ASSERT(len <= UINT8_MAX);
    lt_buf_add_byte(out, SEQUENCE);
    if (len > SHORT_MAX) {
        lt_buf_add_byte(out, LONG_ONE);
    }
    lt_buf_add_byte(out, (uint8_t)len);
    for (size_t i = 0; i < 2; i++) {
        lt_buf_add_byte(out, INTEGER);
        lt_buf_add_byte(out, (uint8_t)number.len);
        lt_buf_add(out, number);
    }
    return lt_buf_check(out);
}

lt_res ca_dummy_certificate(lt_slice tbs, const struct x509_spki *issuer, struct lt_buf *out)
{
    uint8_t bytes[SIGNATURE_MAX];
    size_t field = field_len(issuer->type);
    size_t len = field > 0                          ? field
                 : issuer->type == X509_KEY_RSA     ? issuer->modulus.len
                 : issuer->type == X509_KEY_ED25519 ? ED25519_LEN
                                                    : 0;
    LT_CHECK(len > 0 && len <= sizeof bytes, LT_PEER_UNSUPPORTED, "no signature has the form of this key");
    struct lt_buf signature;
    lt_buf_init(&signature, SIGNATURE_MAX);
    lt_slice number = filler(bytes, len);
    lt_res r = LT_OK;
    if (field > 0) {
        r = ecdsa(number, &signature);
    } else {
        lt_buf_add(&signature, number);
        r = lt_buf_check(&signature);
    }
    if (!lt_failed(r)) {
        r = x509_assemble(tbs, x509_sig_alg_for(issuer->type), lt_buf_slice(&signature), out);
    }
    lt_buf_done(&signature);
    return r;
}
