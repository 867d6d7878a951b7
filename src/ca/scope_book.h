#ifndef CA_SCOPE_BOOK_H
#define CA_SCOPE_BOOK_H
/* What the registrar writes so that scopes find it: how else the names of a certificate were validated, what
 * linters found in it, which builds issued; and the scopes that were given a name. Their text arrives parsed
 * (canonical) by the notary, and is only kept here. */
#include "ca/turn.h"
#include "operator.pb-c.h"
#include "sign.pb-c.h"

struct ca_scope_certificate {
    int64_t issuer;
    lt_slice serial;
    int64_t worst_dimension;
    Ipc__NameEvidence *const *evidence;
    size_t evidence_count;
    Ipc__Finding *const *findings;
    size_t finding_count;
};
/* In the turn that adds the certificate. */
LT_MUST_USE lt_res ca_scope_certificate(struct ca_turn *t, const struct ca_scope_certificate *c);
LT_MUST_USE lt_res ca_scope_finding(struct ca_turn *t, int64_t issuer, lt_slice serial, const char *rule,
                                    const char *result);

/* The next version of that name, or the first. LT_PEER_CONFLICT: the last version has the same text and the
 * same result. */
LT_MUST_USE lt_res ca_scope_save(struct ca_turn *t, const Ipc__ScopeWanted *wanted, const char *by,
                                 lt_slice jws, const char **ret_json);

extern const struct store_sql *const ca_scope_sql;
extern const size_t ca_scope_sql_count;

#endif
