#ifndef LINT_RULES_H
#define LINT_RULES_H
/* Private to lint/: the tables of the rule books, and what their checks share. */
#include "lint/lint.h"

struct lint_table {
    const struct lint_rule *rows;
    size_t count;
};

extern const struct lint_table lint_rfc5280;
extern const struct lint_table lint_rfc5280_crl;
extern const struct lint_table lint_cabf_br;
extern const struct lint_table lint_cabf_br_names;

static inline bool lint_is_subscriber(const struct lint_input *in)
{
    return in->role == LINT_SUBSCRIBER;
}
static inline bool lint_is_ca(const struct lint_input *in)
{
    return in->role != LINT_SUBSCRIBER;
}
static inline bool lint_has_issuer(const struct lint_input *in)
{
    return in->issuer != NULL;
}
/* Seconds that a certificate is valid, both ends counted (RFC 5280 4.1.2.5). */
static inline int64_t lint_validity_s(const struct x509_cert *c)
{
    return lt_time_seconds(c->not_after) - lt_time_seconds(c->not_before) + 1;
}

#endif
