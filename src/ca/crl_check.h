#ifndef CA_CRL_CHECK_H
#define CA_CRL_CHECK_H
/* A CRL as a relying party meets it: the bytes that were fetched, held against what was published. Parses,
 * verifies, and knows neither book nor network; time comes in. */
#include "base/arena.h"
#include "base/clock.h"

struct ca_crl_expected {
    lt_slice issuer; /* certificate, DER */
    const char *url; /* where it was fetched; a part must say so itself */
    bool part;
    lt_slice number; /* as it was published, big-endian */
    lt_slice sha256; /* of the DER that was published */
    uint64_t entries;
    lt_time now;
};

/* LT_OK: it is the CRL that was published, or a newer one, and it holds. LT_POLICY_REFUSED or a parser's
 * refusal say what is wrong. ret_entries may be NULL. */
LT_MUST_USE lt_res ca_crl_check(lt_slice der, const struct ca_crl_expected *e, struct lt_arena *a,
                                uint64_t *ret_entries);

#endif
