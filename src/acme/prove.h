#ifndef ACME_PROVE_H
#define ACME_PROVE_H
/* Control of a name, shown by somebody who wants no certificate: an authorization by hand, outside of any
 * order, of an account that has no key and orders nothing. Everything that decides is the desk's: names,
 * validation, corroboration, evidence. Runs in the caller's savepoint. */
#include "acme/desk.h"

/* What the person has to do. *ret_where: "a TXT record at _lintel.example.com with VALUE". LT_PEER_MALFORMED:
 * no name that can be proven, or no method by hand ("dns-change", "website-change"). */
LT_MUST_USE lt_res acme_prove_begin(struct acme_desk *desk, struct ca_turn *t, const char *name,
                                    const char *method, int64_t *ret_authorization, const char **ret_where);
/* It is in its place: the validator is asked. */
LT_MUST_USE lt_res acme_prove_check(struct acme_desk *desk, struct ca_turn *t, int64_t authorization);
/* "pending", "processing", "valid", "invalid"; what stood in the way the last time, or "". Control that was
 * shown is "valid", whatever CAA says about issuing. */
LT_MUST_USE lt_res acme_prove_state(struct ca_turn *t, int64_t authorization, const char **ret_state,
                                    const char **ret_why);

#endif
