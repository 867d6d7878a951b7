#ifndef LINT_RULES_CABF_BR_UNDER_H
#define LINT_RULES_CABF_BR_UNDER_H
/* Private to lint/rules: what the rules of ours on the TLS Baseline Requirements take a certificate for. The
 * document binds whatever a CA below its roots issues: also responders and CAs that cannot issue for TLS. */
#include "lint/rules.h"

/* A subordinate CA whose purposes leave TLS out (BR 7.1.2.3). */
bool lint_br_non_tls_ca(const struct lint_subject *s);
/* The purpose of precertificate signing is in it (BR 7.1.2.4). */
bool lint_br_precert_ca(const struct lint_subject *s);
/* TLS, a CA that is not, or a responder. */
bool lint_br_under(const struct lint_subject *s);
/* A reserved policy of TLS: DV, OV, IV, EV. */
bool lint_br_reserved(enum x509_oid policy);

#endif
