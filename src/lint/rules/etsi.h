#ifndef LINT_RULES_ETSI_H
#define LINT_RULES_ETSI_H
/* Private to lint/rules/: which certificates ETSI's profiles are about. */
#include "lint/rules/qc.h"

/* Its statements say EU qualified: QcCompliance. */
bool lint_etsi_qualified(const struct lint_subject *s);
/* It names a policy of EN 319 411-1 or 411-2, or says that it is qualified. */
bool lint_etsi_claimed(const struct lint_subject *s);
/* The same, and no policy of the TLS requirements, whose profile would come first. */
bool lint_etsi_profile(const struct lint_subject *s);
/* Given name, surname or pseudonym. */
bool lint_etsi_natural(const struct lint_subject *s);
/* Policies of EN 319 411-2, 0.4.0.194112.1.n: how many, and the last one's n. */
size_t lint_etsi_policies(const struct lint_subject *s, unsigned *ret_policy);

#endif
