#ifndef INCIDENT_PROOF_BOOK_H
#define INCIDENT_PROOF_BOOK_H
/* What the registrar does with a proof that a parser has verified (incident/proof.h): the key is blocked,
 * every live certificate of it is revoked as keyCompromise by one plan that starts by itself
 * (ca/compromise.h), both sides are told, and all of it hangs on one event, proof.accepted. A key that none
 * of our certificates has: an answer, and no work.
 *
 * Telling comes when no certificate is left: event proof.settled with the time that it took, notices
 * key-blocked to the subscribers and proof-accepted to who sent the proof, each once, whatever is killed in
 * between. Certificates that are still there after a minute call who is on duty.
 */
#include "ca/turn.h"
#include "proof.pb-c.h"

struct incident_proven {
    const Ipc__KeyProof *proof;
    const char *via;   /* "form", "mail", "phone", "operator NAME" */
    int64_t problem;   /* the report; 0: none */
    const char *filer; /* mail address; "": nobody to tell */
    lt_time received;  /* when the report reached us; {0}: now */
    lt_slice jws;      /* kept with the event; empty: none */
};

struct incident_proof_answer {
    const char *outcome;  /* "revoking", "known", "unknown-key", "not-proven", "nonce" */
    const char *words;    /* for whoever sent it; in the turn's arena, or static */
    int64_t certificates; /* live ones of that key */
};

/* Idempotent by key. "nonce": it is none of ours, has expired or was used. "known": it was proven before, and
 * nothing is left to revoke. */
LT_MUST_USE lt_res incident_proof_act(struct ca_turn *t, const struct incident_proven *p,
                                      struct incident_proof_answer *ret_answer);

/* A nonce of ours, good for a day and once; no row is made. */
enum { INCIDENT_PROOF_NONCE_LEN = 32, INCIDENT_PROOF_NONCE_LIFE_S = 86400 };
LT_MUST_USE lt_res incident_proof_nonce(struct ca_turn *t, char ret_nonce[INCIDENT_PROOF_NONCE_LEN + 1]);

#endif
