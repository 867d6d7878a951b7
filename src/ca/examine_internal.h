#ifndef CA_EXAMINE_INTERNAL_H
#define CA_EXAMINE_INTERNAL_H
/* Private to the judgement: what its checks share. */
#include "ca/examine.h"

struct judge {
    const struct ca_examine *x;
    const Ipc__SignRequest *m;
    lt_time now;
    struct lt_arena *a;
    struct ca_verdict *v;
    const struct ca_examine_issuer *issuer;
    Ipc__Identifier **names; /* of the certificate, in evidence's form; from ca_judge_names */
    size_t name_count;
};

struct judge_step {
    const char *refusal;
    lt_res (*check)(struct judge *j);
};

/* The issuer is known, online, a CA and in force. */
LT_MUST_USE lt_res ca_judge_issuer(const struct ca_examine *x, const char *name, lt_time now,
                                   const struct ca_examine_issuer **ret_issuer);
/* Reads the names of the certificate; each once, each proven by exactly one evidence. */
LT_MUST_USE lt_res ca_judge_names(struct judge *j);
/* Kinds of names, methods and ages. */
LT_MUST_USE lt_res ca_judge_evidence(struct judge *j);
/* Public profiles: enough of the perspectives that are known here signed that they saw the same. */
LT_MUST_USE lt_res ca_judge_quorum(struct judge *j);
/* Extensions and subject, exactly as the profile has them. */
LT_MUST_USE lt_res ca_judge_profile(struct judge *j);
/* The linter's findings, and those of them that no exception covers. */
LT_MUST_USE lt_res ca_judge_lint(struct judge *j);
/* LT_POLICY_LINT: an error or worse that no exception in force covers for that profile ("crl" for a CRL). */
LT_MUST_USE lt_res ca_judge_findings(const struct ca_examine *x, const struct lint_results *r,
                                     const char *profile, lt_time now);
/* Puts the last failure into the verdict under that word. */
void ca_judge_refuse(struct ca_verdict *v, struct lt_arena *a, const char *word);

#endif
