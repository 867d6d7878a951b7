#ifndef JOSE_JWK_H
#define JOSE_JWK_H
/* Public keys as JSON (RFC 7517, 7518 6, 8037) and as SPKI, and their thumbprints (RFC 7638). Private
 * members, unknown curves and keys that crypto/check.h refuses are refused. */
#include <jansson.h>

#include "base/arena.h"
#include "base/buf.h"
#include "crypto/alg.h"

enum { JWK_THUMBPRINT_LEN = 32 };

struct jwk {
    lt_slice spki; /* DER; in the arena */
    enum crypto_key_type type;
    unsigned bits;
    uint8_t thumbprint[JWK_THUMBPRINT_LEN];
};

/* LT_PEER_MALFORMED: no JWK. LT_PEER_UNSUPPORTED: a kind of key, and LT_POLICY_REFUSED: a weak key, which we
 * do not take. */
LT_MUST_USE lt_res jwk_parse(const json_t *object, struct lt_arena *a, struct jwk *ret_jwk);

/* These two link no JSON parser (library jose_sign). */
/* The JWK of an SPKI with its required members alone, in the order that RFC 7638 hashes. */
LT_MUST_USE lt_res jwk_write(lt_slice spki, struct lt_buf *out);
LT_MUST_USE lt_res jwk_thumbprint(lt_slice spki, uint8_t ret_thumbprint[JWK_THUMBPRINT_LEN]);

#endif
