#ifndef CA_EXAMINE_H
#define CA_EXAMINE_H
/* The examiner's judgement over the exact bytes that are to be signed, from its own reading of everything:
 * profiles, issuers, operators, halts, blocked keys, rules. It believes nobody who asks: a registrar that
 * skips a halt or a lint, adds a name, or wants a CA, gets a refusal with its reason. Changes no byte; signs
 * nothing; never reads the clock.
 *
 * Refuses whatever profile says otherwise: cA TRUE, pathLenConstraint, keyCertSign and cRLSign in any
 * request, and the key of an issuer in anybody else's certificate.
 */
#include "base/clock.h"
#include "ca/examiner_state.h"
#include "ca/profile.h"
#include "lint/lint.h"
#include "publish.pb-c.h"
#include "sign.pb-c.h"
#include "validate/verified.h"
#include "x509/cert.h"

struct ca_examine_issuer {
    const char *name; /* "tls" */
    const struct x509_cert *cert;
    bool offline; /* its key is elsewhere: the family signs nothing with it */
};

/* What the examiner goes by; all borrowed from the role. */
struct ca_examine {
    const struct ca_profiles *profiles;
    const struct ca_examine_issuer *issuers;
    size_t issuer_count;
    const struct ca_examiner_state *state;
    const char *public_http_url;   /* CDP and AIA begin with it */
    const char *const *host_names; /* of the configuration: the names of our own listeners */
    size_t host_name_count;
    /* What the quorum of a public profile is counted over; NULL: there is none, so that none is reached. */
    const struct validate_perspectives *perspectives;
    struct validate_verified
        *verified;          /* signatures of theirs seen before; NULL: each is verified each time */
    struct lint_keys *keys; /* what the linter has found out about public keys; NULL: found out each time */
};

/* refusal is one of the words of SignReply: "stale-halts", "halt", "malformed", "constraint", "profile",
 * "evidence", "blocked-key", "lint", "lost-entry", "unsupported"; NULL: it may be signed. later: nothing is
 * wrong with the request itself, ask again. */
struct ca_verdict {
    const char *refusal;
    bool later;
    const char *detail; /* a sentence; in the arena */
    const struct ca_profile *profile;
    struct x509_cert cert; /* certificates: as parsed, where it got that far */
    struct lint_results lint;
};

void ca_examine_certificate(const struct ca_examine *x, const Ipc__SignRequest *m, lt_time now,
                            struct lt_arena *a, struct ca_verdict *ret_verdict);

/* What a CRL is judged by; all borrowed for as long as it is judged. */
struct ca_crl_asked {
    const Ipc__CrlSignRequest *m;
    lt_slice tbs;    /* what is to be signed: in the message, or beside it */
    lt_slice before; /* to-be-signed bytes of the last one of that part that was signed; empty: the first */
};

/* In slices, so that others are served between two of them: begin, go on until it is true, end. The verdict
 * stands then, and lives in the arena.
 *= RFC 5280 3.3 "An entry MUST NOT be removed from the CRL until it appears on one regularly scheduled CRL
 * issued beyond the revoked certificate's validity period." */
struct ca_crl_judging;
struct ca_crl_judging *ca_examine_crl_begin(const struct ca_examine *x, const struct ca_crl_asked *asked,
                                            lt_time now, struct lt_arena *a, struct ca_verdict *ret_verdict);
/* About so many entries' worth of work. */
bool ca_examine_crl_go_on(struct ca_crl_judging *j, size_t entries);
void ca_examine_crl_end(struct ca_crl_judging *j);
/* All at once. */
void ca_examine_crl(const struct ca_examine *x, const Ipc__CrlSignRequest *m, lt_slice before, lt_time now,
                    struct lt_arena *a, struct ca_verdict *ret_verdict);

/* What is kept of the findings in something that may be signed: each rule once, at its worst. */
enum { CA_NOTED_MAX = 48 };
struct ca_noted {
    const struct lint_rule *rule;
    enum lint_status level;
    bool excepted; /* an error that an exception in force covers */
};
size_t ca_examine_note(const struct ca_examine *x, const struct lint_results *r, const char *profile,
                       lt_time now, struct ca_noted ret_notes[CA_NOTED_MAX]);
bool ca_lint_excepted(const struct ca_examine *x, const struct lint_finding *f, const char *profile,
                      lt_time now);
#define CA_LINT_CRL_PROFILE "crl" /* what an exception for CRLs names as its profile */

/* NULL when there is none of that name. */
const struct ca_examine_issuer *ca_examine_issuer(const struct ca_examine *x, const char *name);

#endif
