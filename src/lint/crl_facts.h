#ifndef LINT_CRL_FACTS_H
#define LINT_CRL_FACTS_H
/* What occurs in the entries of a CRL, found out in one pass for all rules: of each thing the first entry
 * with it. Lenient: an entry that does not decode is skipped and named. One allocation at most (when the
 * serial numbers are in no order), none for an entry. Who must not stop for millions of them makes the pass
 * in slices and hands the facts to the linter. */
#include "x509/crl.h"

enum { LINT_CRL_REASONS = 12 }; /* 0 to 10 as in RFC 5280 5.3.1, and all beyond */

/* Slices of the CRL: the whole entry, or empty when there is none. */
struct lint_crl_facts {
    bool list_there; /* revokedCertificates is encoded, be it empty */
    size_t count;
    lt_slice broken;       /* does not decode */
    const char *broken_by; /* and why */
    lt_slice reason[LINT_CRL_REASONS];
    lt_slice reason_absent;
    uint32_t reason_beyond; /* the value that stands in reason[11] */
    lt_slice reason_critical;
    lt_slice after_this_update; /* revoked after thisUpdate */
    lt_slice before_1999;       /* revoked before RFC 2459 */
    lt_slice wrong_time;        /* GeneralizedTime up to 2049 */
    lt_slice serial_twice;      /* stood there already, without a certificateIssuer */
    bool serials_not_compared;  /* no room, or too many alike */
    lt_slice serial_not_positive;
    lt_slice serial_long;     /* more than 20 octets */
    lt_slice extension_twice; /* among as many as are compared */
    lt_slice extensions_many; /* with more of them: not all were compared */
    lt_slice extensions_empty;
    lt_slice extension_other;     /* than reasonCode */
    lt_slice extension_other_id;  /* content of its OID */
    lt_slice unknown_critical;    /* a critical extension that RFC 5280 does not know */
    lt_slice issuer_not_critical; /* certificateIssuer */
    lt_slice issuer;              /* with a certificateIssuer */
    lt_slice invalidity_critical;
    lt_slice invalidity_wrong; /* invalidityDate that is no GeneralizedTime as RFC 5280 wants it */
};

void lint_crl_facts_find(const struct x509_crl *crl, struct lt_arena *a, struct lint_crl_facts *ret);

/* The same in slices: begin, then step until it is false. No end: serial numbers are not compared with each
 * other, which is for somebody who knows already that each stands there once. */
struct lint_crl_reading {
    const struct x509_crl *crl; /* borrowed */
    struct der_cursor list;
    struct der_notes scratch; /* of the cursor: a reading is not copied */
    struct lint_crl_facts *facts;
};
void lint_crl_facts_begin(struct lint_crl_reading *r, const struct x509_crl *crl,
                          struct lint_crl_facts *facts);
/* At most so many entries; false: there are no more. */
bool lint_crl_facts_step(struct lint_crl_reading *r, size_t most);

#endif
