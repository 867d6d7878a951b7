#ifndef CA_AUTHORITY_H
#define CA_AUTHORITY_H
/* Certificates of certificate authorities and the CRLs of a root: made offline alone, by init on an empty
 * folder and by a ceremony, with the key at hand. No role of the family links this file, so nothing that
 * ACME, the API or the console reaches can make a CA.
 */
#include "base/buf.h"
#include "ca/profile.h"
#include "x509/cert.h"

/* How the key signs: software, or a token. ret_signature: CRYPTO_SIGNATURE_MAX bytes. */
struct ca_authority_key {
    void *self;
    lt_res (*sign)(void *self, lt_slice tbs, uint8_t *ret_signature, size_t *ret_len);
    lt_slice spki; /* DER of the public key; borrowed */
};

struct ca_authority {
    const struct ca_profile *profile; /* of kind CA */
    const char *country;
    const char *organization;
    const char *common_name;
    lt_slice spki;                  /* of the new CA */
    const struct x509_cert *issuer; /* NULL: signs itself */
    const char *issuer_name;        /* of the issuer in URLs: "root" */
    const char *public_http_url;    /* "" for no CDP and AIA */
    lt_slice serial;                /* magnitude */
    lt_time now;
    int64_t validity_s;               /* 0: as the profile says */
    const char *const *permitted_dns; /* nameConstraints where asked, beside the profile's */
    size_t permitted_dns_count;
};

/* The to-be-signed bytes: what a ceremony's script hashes and two operators sign. sig_alg follows from the
 * issuer's key. */
LT_MUST_USE lt_res ca_authority_tbs(const struct ca_authority *a, lt_slice issuer_spki, struct lt_buf *out);
/* Signs them; the result is read again and its signature checked with the issuer's key. */
LT_MUST_USE lt_res ca_authority_sign(const struct ca_authority_key *key, lt_slice tbs, struct lt_arena *arena,
                                     lt_slice *ret_der);
/* A complete CRL of that issuer. entries: sorted by serial. number: big-endian. */
struct ca_authority_revoked {
    lt_slice serial;
    lt_time when;
    uint32_t reason;
};
struct ca_authority_crl {
    const struct x509_cert *issuer;
    lt_time this_update;
    lt_time next_update;
    lt_slice number;
    const struct ca_authority_revoked *entries;
    size_t entry_count;
};
LT_MUST_USE lt_res ca_authority_crl_tbs(const struct ca_authority_crl *c, struct lt_buf *out);

/* Is this certificate fit to be that issuer's: a CA in force, for this key, with keyCertSign, and for
 * anything but a root a path length that ends the path? LT_PEER_USAGE says what is wrong. */
LT_MUST_USE lt_res ca_authority_check(const struct x509_cert *cert, const struct ca_profile *profile,
                                      lt_slice spki, lt_time now);

#endif
