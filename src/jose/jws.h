#ifndef JOSE_JWS_H
#define JOSE_JWS_H
/* Signed requests: JWS in flattened JSON serialization as RFC 8555 6.2 narrows it. Takes ES256, ES384, RS256
 * and EdDSA, each bound to its type of key; nothing else, no MAC, no "none". Refuses a second signature, an
 * unprotected header, crit, b64, header members that it does not know, padding, and jwk together with kid. */
#include "base/arena.h"
#include "base/buf.h"
#include "crypto/key.h"
#include "crypto/pub.h"
#include "jose/jwk.h"

enum {
    JWS_MAX_BYTES = 96 * 1024,
    JWS_HEADER_MAX_BYTES = 8 * 1024,
    JWS_URL_MAX = 1024,
    JWS_KID_MAX = 1024,
    JWS_RSA_BITS_MAX = 4096
};

enum jws_kind {
    JWS_REQUEST,    /* alg, nonce, url, and one of jwk and kid */
    JWS_KEY_CHANGE, /* the inner JWS of RFC 8555 7.3.5: alg, jwk, url; no nonce */
};

struct jws { /* everything in the arena */
    enum crypto_sig_alg alg;
    lt_slice nonce;
    lt_slice url;
    lt_slice kid; /* empty when there is a jwk */
    bool has_jwk;
    struct jwk jwk;
    lt_slice payload;       /* decoded; empty for POST-as-GET */
    lt_slice signing_input; /* protected "." payload, as sent */
    lt_slice signature;
};

/* LT_PEER_MALFORMED: no such JWS. LT_PEER_UNSUPPORTED: an algorithm that we do not take
 * (badSignatureAlgorithm). LT_POLICY_REFUSED: a key that we do not take (badPublicKey). LT_PEER_BAD_NONCE: no
 * nonce. */
LT_MUST_USE lt_res jws_parse(lt_slice body, enum jws_kind kind, struct lt_arena *a, struct jws *ret_jws);
/* With the embedded key when pub is NULL, else with pub. LT_PEER_UNAUTHORIZED when it does not verify. */
LT_MUST_USE lt_res jws_verify(const struct jws *jws, struct crypto_pub *pub);

/* The algorithms above as a JSON array, for the problem document of RFC 8555 6.2. */
extern const char jws_algorithms_json[];

/* External account binding (RFC 8555 7.3.4): a MAC under a key that we gave out; HS256, HS384, HS512. Kept
 * apart so that no signature is ever checked as a MAC. */
struct jws_binding { /* everything in the arena */
    enum crypto_hash hash;
    lt_slice kid;
    lt_slice url;
    lt_slice payload; /* the account's JWK */
    lt_slice signing_input;
    lt_slice mac;
};
LT_MUST_USE lt_res jws_binding_parse(lt_slice body, struct lt_arena *a, struct jws_binding *ret_binding);
/* LT_PEER_UNAUTHORIZED when the MAC is not of that key. */
LT_MUST_USE lt_res jws_binding_verify(const struct jws_binding *binding, lt_slice mac_key);

/* Making one (library jose_sign: no JSON parser). */
struct jws_head {
    lt_slice kid;   /* empty: the key itself goes in as jwk */
    lt_slice nonce; /* empty: left out (inner JWS) */
    lt_slice url;
};
/* Adds the flattened JSON to out. payload: empty for POST-as-GET. */
LT_MUST_USE lt_res jws_sign(struct crypto_key *key, const struct jws_head *head, lt_slice payload,
                            struct lt_buf *out);

#endif
