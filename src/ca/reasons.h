#ifndef CA_REASONS_H
#define CA_REASONS_H
/* Why a certificate must be revoked, by when, and what the CRL then says: the rules as dated data. A cause is
 * a row with its section; a past case can be judged by the rules of its day. Never reads the clock.
 *
 * Where a rule sets two clocks, a plan aims at the first; missing that one is allowed and recorded with its
 * reason. Certificates that are short-lived are exempt from both (limits.h says what that is).
 */
#include "base/clock.h"

struct ca_cause {
    const char *name; /* "not-issued-per-rules": what operators write */
    const char *kind; /* of certificate: "tls", "smime", "ca" */
    const char *section;
    const char *words; /* ours */
    int64_t should_s;  /* 0: only the other clock */
    int64_t must_s;
    uint32_t reason;   /* CRLReason, enum ca_reason */
    const char *from;  /* RFC 3339, in force from this instant on; "" from ever */
    const char *until; /* not any more from this instant on; "" until further notice */
};

extern const struct ca_cause ca_causes[];
extern const size_t ca_cause_count;

/* The row in force at that time; NULL when there is none. */
const struct ca_cause *ca_cause_at(lt_slice name, const char *kind, lt_time when);

struct ca_clocks {
    lt_time should; /* .us 0: none */
    lt_time must;
};
/* From the moment that we were told or found out.
 *= CABF-BR 4.9.5 "The period from receipt of the Certificate Problem Report or revocation-related notice to
 *  published revocation MUST NOT exceed the time frame set forth in Section 4.9.1.1." */
struct ca_clocks ca_cause_clocks(const struct ca_cause *cause, lt_time aware);

/* What somebody gives as the cause: "not-issued-per-rules" of TLS, "smime/misuse" of another kind. */
const struct ca_cause *ca_cause_find(lt_slice text, lt_time when);

/* The cause that somebody gives; where none is given, and the reason is a key compromise, the rule of that.
 * "": none. */
const char *ca_cause_given(const char *cause, uint32_t reason);

struct ca_why {
    const char *cause; /* "": none, or that of a key compromise; NULL is the same */
    int64_t aware_us;  /* when the clock began; 0: now */
    const char *late_because;
};
/* The row and the clocks of a cause as the rules are when it became known; *ret_cause is NULL for none.
 * LT_PEER_MALFORMED: no such cause, another reason than the row's, an awareness in the future, or the clock
 * that is aimed at has run out and nobody says why. */
LT_MUST_USE lt_res ca_cause_judge(const struct ca_why *why, uint32_t reason, lt_time now,
                                  const struct ca_cause **ret_cause, struct ca_clocks *ret_clocks);

/* May an entry of this reason carry a date before the revocation? LT_PEER_UNSUPPORTED when not: other
 * reasons, dates after now, or before the certificate. issued: 0 for many certificates. */
LT_MUST_USE lt_res ca_backdating_check(uint32_t reason, lt_time revoked, lt_time issued, lt_time now);

/* "keyCompromise" and the like, as CRLs call them; LT_PEER_MALFORMED with the list of those that operators
 * may give. */
LT_MUST_USE lt_res ca_reason_parse(lt_slice text, uint32_t *ret_reason);

#endif
