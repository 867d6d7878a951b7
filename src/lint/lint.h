#ifndef LINT_LINT_H
#define LINT_LINT_H
/* The lint engine: every rule is a row in a static table, and the same rows judge before issuance, over the
 * inventory, in the CLI and in the API. Inputs that a linter of finished files never has are first-class:
 * the role, the issuer, the time of signing, the precertificate. Pure: no clock, no file, no allocation for a
 * rule that passes.
 *
 * It refuses nothing by itself: it says what it found, and whoever asked decides.
 */
#include "base/arena.h"
#include "x509/cert.h"
#include "x509/crl.h"

enum lint_level { LINT_NOTICE, LINT_WARN, LINT_ERROR, LINT_FATAL };

/* Which rule book a row comes from; an input says which ones apply to it. */
enum lint_source {
    LINT_RFC5280 = 1 << 0,
    LINT_CABF_BR = 1 << 1, /* TLS server certificates */
    LINT_LINTEL = 1 << 2,  /* our own profiles and decisions */
};

enum lint_kind { LINT_CERTIFICATE, LINT_CRL };

enum lint_role { LINT_SUBSCRIBER, LINT_SUBORDINATE_CA, LINT_ROOT_CA };

/* All borrowed; what is not known is NULL or {0}, and rules that need it do not apply. */
struct lint_input {
    enum lint_kind kind;
    const struct x509_cert *cert;           /* LINT_CERTIFICATE; a bare TBS is fine */
    const struct x509_crl *crl;             /* LINT_CRL */
    enum lint_role role;                    /* of the certificate */
    unsigned sources;                       /* of enum lint_source */
    const struct x509_cert *issuer;         /* its certificate */
    const struct x509_cert *precertificate; /* of the final certificate that is judged */
    lt_slice profile;                       /* for exceptions and messages */
    lt_time signing_time;                   /* before issuance: now; else {0}, and notBefore counts */
};

struct lint_rule;
struct lint_report;

typedef bool lint_applies(const struct lint_input *in);
/* Calls lint_found for each thing that is wrong. */
typedef void lint_check(const struct lint_input *in, struct lint_report *report);

struct lint_rule {
    const char *id; /* stable: "br.validity-200" */
    enum lint_source source;
    enum lint_kind kind;
    const char *citation; /* section and quoted words */
    enum lint_level level;
    int64_t effective;     /* LINT_DAY(…): first day in force; 0 for ever */
    int64_t retired;       /* first day no more in force; 0 for never */
    lint_applies *applies; /* NULL: always */
    lint_check *check;
    int64_t value; /* for rows that share a check: the limit */
};

/* Days since 1970 as a constant expression, from March-based civil years. */
#define LINT_DAY(y_, m_, d_)                                                                       \
    (INT64_C(365) * ((y_) - ((m_) <= 2)) + ((y_) - ((m_) <= 2)) / 4 - ((y_) - ((m_) <= 2)) / 100 + \
     ((y_) - ((m_) <= 2)) / 400 + (153 * ((m_) + ((m_) > 2 ? -3 : 9)) + 2) / 5 + (d_)-1 - 719468)

struct lint_finding {
    const struct lint_rule *rule;
    enum lint_level level;
    const char *message; /* in the arena */
    const char *path;    /* "subject", "extensions.subjectAltName"; static storage */
    size_t offset;       /* from the start of cert->tbs or crl->tbs; 0 when it is about all of it */
};

enum { LINT_FINDINGS_MAX = 64 };

struct lint_results {
    struct lint_finding list[LINT_FINDINGS_MAX];
    size_t count;
    size_t dropped;        /* found but over LINT_FINDINGS_MAX or the arena's cap */
    size_t rules_run;      /* that applied and were in force */
    enum lint_level worst; /* LINT_NOTICE when count is 0 */
};

/* What a check writes to. */
struct lint_report {
    struct lint_results *results;
    const struct lint_rule *rule;
    struct lt_arena *arena;
};

void lint_run(const struct lint_input *in, struct lt_arena *a, struct lint_results *ret_results);
/* For checks. where: bytes of the object that it is about, for the offset; empty for none. path: static. */
void lint_found(struct lint_report *report, const struct lint_input *in, lt_slice where, const char *path,
                const char *format, ...) LT_PRINTF(5, 6);

/* All rows, in the order in which they run. */
size_t lint_rule_count(void);
const struct lint_rule *lint_rule_at(size_t i);
const struct lint_rule *lint_rule_by_id(lt_slice id);
const char *lint_level_name(enum lint_level level); /* "notice", "warn", "error", "fatal" */
/* Name and version of the set of rows, as it goes into every decision. */
const char *lint_rule_set(void);

#endif
