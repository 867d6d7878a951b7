#ifndef SIGNER_RESPONDER_H
#define SIGNER_RESPONDER_H
/* A delegated OCSP responder of one issuer: a P-256 key that is drawn in this process, never written anywhere
 * and gone with it, and the certificate that the issuer gave it. What is signed is written here from fields,
 * so whoever asks cannot have anything signed but a response about a serial of that issuer.
 *
 * Refuses: a certificate for another key, one that is no responder's, one of another issuer; an answer before
 * it has a certificate, or after that has ended. Knows no clock and sends nothing. */
#include "base/clock.h"
#include "crypto/key.h"
#include "x509/ocsp.h"

enum {
    RESPONDER_SIGNATURE_MAX = 72,
    RESPONDER_CERTIFICATE_MAX = 2036,
    RESPONDER_NAME_MAX = 64,
    RESPONDER_UNKNOWN_S = 300, /* how long "unknown" is good: the serial may be issued in the next second */
};

struct responder_key {
    struct crypto_key *key; /* owned */
    uint8_t key_hash[20];   /* SHA-1 of the public key */
};

struct responder {
    char name[RESPONDER_NAME_MAX]; /* of the issuer */
    struct responder_key now;      /* signs; NULL before the first certificate */
    struct responder_key next;     /* waits for its certificate; NULL: none wanted */
    uint8_t certificate[RESPONDER_CERTIFICATE_MAX];
    size_t certificate_len;
    lt_time not_before;
    lt_time not_after;
    uint8_t name_hash[X509_OCSP_HASHES][X509_OCSP_HASH_MAX]; /* of the issuer */
    uint8_t issuer_hash[X509_OCSP_HASHES][X509_OCSP_HASH_MAX];
};

LT_MUST_USE lt_res responder_init(const char *issuer, struct responder *ret_responder);
void responder_done(struct responder *r);
/* Is it time for another key: there is none, or half of its certificate's life is over? */
bool responder_due(const struct responder *r, lt_time now);
/* Draws the key that a certificate is wanted for; the same one until it has it. */
LT_MUST_USE lt_res responder_draw(struct responder *r, lt_slice *ret_spki);
/* The certificate for it: from now on this key signs, and the one before is gone. */
LT_MUST_USE lt_res responder_accept(struct responder *r, lt_slice certificate, lt_slice issuer);
bool responder_ready(const struct responder *r, lt_time now);

struct responder_subject {
    lt_slice serial; /* magnitude */
    enum x509_ocsp_status status;
    uint32_t reason;
    lt_time revoked;
    lt_time this_update; /* whole seconds, as all times here */
    lt_time next_update;
};
/* ret_signature: RESPONDER_SIGNATURE_MAX bytes. */
LT_MUST_USE lt_res responder_sign(struct responder *r, enum x509_ocsp_hash hash,
                                  const struct responder_subject *s, uint8_t *ret_signature, size_t *ret_len);
/* A whole response that knows nothing of that serial. */
LT_MUST_USE lt_res responder_unknown(struct responder *r, enum x509_ocsp_hash hash, lt_slice serial,
                                     lt_time now, struct lt_buf *out);

#endif
