#ifndef CA_HOLD_H
#define CA_HOLD_H
/* Certificates that a court's order, or the like, keeps us from revoking: exactly the named ones, with the
 * order's reference, and each an event. They are left out of mass revocations, and refused to operators who
 * revoke them one by one; what a subscriber asks for his own certificate is not ours to stop.
 */
#include "ca/book.h"
#include "mass.pb-c.h"

struct ca_hold_asker {
    const char *operator_name; /* verified */
    lt_slice jws;
};

/* LT_PEER_NOT_FOUND: no such certificate; LT_PEER_CONFLICT: revoked already, or held. */
LT_MUST_USE lt_res ca_hold_add(struct ca_turn *t, const struct ca_hold_asker *by, const Ipc__HoldWanted *m,
                               const char **ret_json);
/* LT_PEER_NOT_FOUND: it is not held. */
LT_MUST_USE lt_res ca_hold_lift(struct ca_turn *t, const struct ca_hold_asker *by, const Ipc__HoldWanted *m,
                                const char **ret_json);
/* LT_POLICY_REFUSED with the order when it is held. */
LT_MUST_USE lt_res ca_hold_check(struct ca_turn *t, int64_t issuer, lt_slice serial);

extern const struct store_sql *const ca_hold_sql;
extern const size_t ca_hold_sql_count;

#endif
