#ifndef INCIDENT_PROOF_H
#define INCIDENT_PROOF_H
/* Proofs that a private key is not private any more, as people send them: looked for in whatever they send,
 * and verified with the key itself. No book, no network, no clock; the notary, the mailroom and the command
 * line link it, the registrar never.
 *
 *   csr          a certification request whose common name says it: "Proof of Key Compromise for …", the
 * words of pwnedkeys.com, or those of the CA itself (incident_proof_subjects) kca          the same after
 * draft-mpalmer-key-compromise-attestation: "kca=v1 This Key Is Compromised" with the extension of RFC 7169
 *   pock         a self-signed certificate of 1950 (Proof of Compromised Key)
 *   pwnedkeys    the JWS that the pwnedkeys API answers with
 *   nonce        a nonce of ours, signed: as a request's common name, or as {"nonce", "public-key",
 * "signature"} private-key  the key itself: PKCS #1, SEC 1, PKCS #8, OpenSSH. It is used once and wiped; what
 * is kept has its hashes instead
 *
 * A key is known by the SHA-256 of its SubjectPublicKeyInfo in one form: uncompressed points, RSA with NULL
 * parameters. Explicit curve parameters are refused: they can be made so that a foreign key fits.
 *
 * Refuses: taking anything for a proof that circulates anyway, such as a plain request or a certificate.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "proof.pb-c.h"
#include "x509/spki.h"

enum incident_proof_verdict {
    INCIDENT_PROOF_PROVEN,
    INCIDENT_PROOF_NOTHING,     /* readable, says nothing of a compromise */
    INCIDENT_PROOF_FORGED,      /* the signature is not the key's, or the halves do not fit */
    INCIDENT_PROOF_KEY_MISSING, /* signed by a key that did not come along: spki_sha256 says which one */
    INCIDENT_PROOF_UNREADABLE,
};
enum {
    INCIDENT_PROOFS_MAX = 100,           /* of one look; more is left */
    INCIDENT_PROOF_EVIDENCE_MAX = 32768, /* bytes of one */
    INCIDENT_PROOF_KEYS_MAX = 32,        /* keys and certificates that come along */
};

struct incident_proof {
    const char *kind; /* static storage; "": none */
    enum incident_proof_verdict verdict;
    const char *why;      /* in the arena, or static */
    const char *key_type; /* "RSA-2048" */
    bool has_key;         /* the two below are set */
    uint8_t spki_sha256[32];
    uint8_t sent_sha256[32];
    lt_slice evidence; /* in the arena or the input */
    uint8_t evidence_sha256[32];
    const char *nonce; /* in the arena; "" */
    /* Of a private key: its public half, and what it signed before it was wiped; in the arena. */
    lt_slice spki;
    lt_slice signature;
    size_t offset;
    size_t length;
};

struct incident_proofs { /* in the arena */
    struct incident_proof list[INCIDENT_PROOFS_MAX];
    size_t count;
    bool more; /* there were more than fit */
    /* public keys, and keys of certificates, that came along: for what is signed by a key that it does not
     * name */
    lt_slice keys[INCIDENT_PROOF_KEYS_MAX]; /* SPKI */
    size_t key_count;
    /* What private keys are to sign, where whoever asks has a nonce. Empty: "This key is compromised: " and
     * the SHA-256 of what stood there, which then stands in its place. */
    lt_slice sign;
};

/* Looks through one part: a file, an attachment, a text with proofs in between. Parts of one report are
 * looked through one after the other into the same list; offsets are those of the part. Never fails on what
 * it reads: LT_PEER_TOO_LARGE alone, when the arena is full. */
LT_MUST_USE lt_res incident_proof_look(lt_slice part, struct lt_arena *a, struct incident_proofs *p);
/* After the last part: signatures that waited for a key. */
LT_MUST_USE lt_res incident_proof_finish(struct lt_arena *a, struct incident_proofs *p);

/* The part with every private key in it replaced by what may be kept; of the same proofs, by their offsets
 * from `first` on. Nothing to replace: out gets the part as it is. Where there was more than could be looked
 * at, nothing of a part with private keys is kept. */
void incident_proof_redact(lt_slice part, const struct incident_proofs *p, size_t first, struct lt_buf *out);

/* The hash by which a key is known here. */
LT_MUST_USE lt_res incident_proof_key(const struct x509_spki *spki, struct lt_arena *a,
                                      uint8_t ret_sha256[32]);

/* What was kept of a proof, looked at again, years later: does it still prove that key? Of a private key it
 * is the statement that stands in its place. */
bool incident_proof_again(lt_slice evidence, lt_slice spki_sha256, struct lt_arena *a);

/* "proven", …: static storage. */
const char *incident_proof_verdict_name(enum incident_proof_verdict v);
/* As a message for the registrar; everything in the arena. */
LT_MUST_USE lt_res incident_proof_message(const struct incident_proof *p, struct lt_arena *a,
                                          Ipc__KeyProof *ret_message);

/* What is signed for a nonce of ours, and the common name of such a request: "This key is compromised:
 * NONCE". */
#define INCIDENT_PROOF_NONCE_WORDS "This key is compromised: "
/* Does this have the form of one? */
bool incident_proof_nonce_form(lt_slice nonce);

#endif
