#ifndef ROLE_NOTARY_FIDO_H
#define ROLE_NOTARY_FIDO_H
/* What libfido2 says of an authenticator's bytes: the notary's alone, since they are CBOR that a stranger
 * made. The registrar looks for itself afterwards, at what needs no parser. */
#include "base/arena.h"
#include "common.pb-c.h"

void notary_fido_start(void); /* before the sandbox closes */

struct notary_fido_new {
    lt_slice credential_id; /* in the arena */
    lt_slice spki;          /* the same; DER */
    const char *alg;
    uint32_t sign_count;
};
/* A credential that was just made, out of its authenticator data. No attestation is asked for: the key of the
 * link vouches. */
LT_MUST_USE lt_res notary_fido_read(lt_slice data, const char *rp, struct lt_arena *a,
                                    struct notary_fido_new *ret_new);
/* LT_PEER_UNAUTHORIZED: that is no answer of that key for that host name, by a person it recognised. */
LT_MUST_USE lt_res notary_fido_verify(lt_slice spki, const char *rp, const Ipc__PasskeyAssertion *answer);

#endif
