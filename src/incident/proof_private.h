#ifndef INCIDENT_PROOF_PRIVATE_H
#define INCIDENT_PROOF_PRIVATE_H
/* Between the files that look for proofs. */
#include <jansson.h>

#include "incident/proof.h"
#include "x509/spki.h"

/* What is being looked at. */
struct proof_look {
    struct lt_arena *arena;
    struct incident_proofs *proofs;
    size_t offset; /* of the item, in the part */
    lt_slice item; /* as it came: PEM with its lines, JSON, DER */
};

/* A new row for the item; NULL when there is no room. */
struct incident_proof *proof_add(struct proof_look *l, const char *kind);
/* Sets verdict and reason. */
void proof_say(struct incident_proof *p, enum incident_proof_verdict v, const char *why);
/* Key, its hashes and its type; where it is none that may be compared, verdict and reason, and false. */
bool proof_set_key(struct proof_look *l, struct incident_proof *p, const struct x509_spki *spki);
/* A key that came along. */
void proof_keep_key(struct proof_look *l, lt_slice spki);
/* Was that signed with the key? With algorithms that cannot be forged by collisions alone. */
bool proof_signed(const struct x509_spki *spki, lt_slice sig_alg, lt_slice message, lt_slice signature,
                  struct incident_proof *p);

/* Each looks at one item; false: it is nothing of the kind, and no row was made. */
bool proof_request(struct proof_look *l, lt_slice der);
bool proof_certificate(struct proof_look *l, lt_slice der);
bool proof_public_key(struct proof_look *l, lt_slice der);
/* sure: the item says that it is a private key, so it is none to be kept, whatever becomes of reading it. */
bool proof_private_der(struct proof_look *l, lt_slice der, bool sure);
bool proof_private_openssh(struct proof_look *l, lt_slice bytes);
bool proof_private_jwk(struct proof_look *l, const json_t *o);
void proof_private_encrypted(struct proof_look *l);
bool proof_json(struct proof_look *l, const json_t *o);
/* A signature that waits for a key (pwnedkeys, or a nonce without one), tried with those that came along. */
lt_res proof_try_again(struct lt_arena *a, struct incident_proofs *list, struct incident_proof *p);

#endif
