#ifndef CA_FRESHNESS_H
#define CA_FRESHNESS_H
/* How old what relying parties are given may grow: the rules as dated data, and one judgement for publisher,
 * status, doctor and `crl check`. At half of what is allowed it is late, so that somebody looks while there
 * is time. Never reads the clock. */
#include "base/clock.h"

enum ca_fresh_kind {
    CA_FRESH_CRL,           /* from thisUpdate of a CRL of subscribers to the next one's publication */
    CA_FRESH_CRL_WITH_OCSP, /* the same where every certificate of the issuer points to OCSP */
    CA_FRESH_CRL_OF_CAS,
    CA_FRESH_ENTRY,         /* from a revocation that was recorded to a CRL that has it */
    CA_FRESH_FIRST,         /* from an issuer's first certificate to its first CRL */
    CA_FRESH_ANSWER,        /* from a certificate to an answer of OCSP that knows it */
    CA_FRESH_ANSWER_UPDATE, /* from thisUpdate of an answer to the next one */
    CA_FRESH_COUNT,
};

struct ca_fresh_rule {
    enum ca_fresh_kind kind;
    int64_t limit_s;
    const char *from;   /* RFC 3339, in force from this instant on; "" from ever */
    const char *until;  /* not any more from this instant on; "" until further notice */
    const char *source; /* "CABF-BR 4.9.7" */
    const char *words;  /* ours */
};

extern const struct ca_fresh_rule ca_fresh_rules[];
extern const size_t ca_fresh_rule_count;

enum ca_fresh_state { CA_FRESH_GOOD, CA_FRESH_LATE, CA_FRESH_BROKEN };

/* The strictest that is in force then; NULL when none is. */
const struct ca_fresh_rule *ca_fresh_rule_at(enum ca_fresh_kind kind, lt_time when);
/* "crl", "crl-with-ocsp", … Static storage. */
const char *ca_fresh_kind_name(enum ca_fresh_kind kind);
/* "fresh", "late", "broken". Static storage. */
const char *ca_fresh_state_name(enum ca_fresh_state state);
/* What has waited since then. */
enum ca_fresh_state ca_fresh_judge(enum ca_fresh_kind kind, lt_time since, lt_time now);

struct ca_fresh_crl {
    lt_time this_update;
    lt_time next_update;
    bool of_cas; /* its issuer signs no subscribers' certificates: made in a ceremony */
};
/* By the rules and by what it says itself: late from half of either on. Whether all certificates of an issuer
 * point to OCSP nobody can tell of those that were issued before it had any, so the stricter rule is taken.
 */
enum ca_fresh_state ca_fresh_judge_crl(const struct ca_fresh_crl *crl, lt_time now);

#endif
