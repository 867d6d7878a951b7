#ifndef ACME_STATES_H
#define ACME_STATES_H
/* The state machines of RFC 8555 7.1.6, as data: what may happen to an account, an order, an authorization
 * and a challenge. Names in the book are the RFC's. A pair that is not in the table does not happen: for a
 * client it is a problem document, for ourselves a contradiction (LT_STATE_CORRUPT). docs/acme-states.md is
 * printed from this table. */
#include "base/buf.h"

enum acme_object { ACME_ACCOUNT, ACME_ORDER, ACME_AUTHORIZATION, ACME_CHALLENGE, ACME_OBJECT_COUNT };

enum acme_state {
    ACME_STATE_NONE, /* not made yet */
    ACME_PENDING,
    ACME_PROCESSING,
    ACME_READY,
    ACME_VALID,
    ACME_INVALID,
    ACME_DEACTIVATED,
    ACME_EXPIRED,
    ACME_REVOKED,
    ACME_STATE_COUNT,
};

enum acme_step {
    ACME_CREATE,
    ACME_CREATE_PROVEN, /* an order whose authorizations are all valid already */
    ACME_REPLY,         /* the client says that its answer is in place */
    ACME_RETRY,
    ACME_PROVE,
    ACME_FAIL,
    ACME_FINALIZE,
    ACME_ISSUE,
    ACME_REFUSE,
    ACME_DEACTIVATE,
    ACME_EXPIRE,
    ACME_REVOKE,
    ACME_MISS, /* a challenge that a person meets, and may meet later */
    ACME_STEP_COUNT,
};

struct acme_edge {
    enum acme_object object;
    enum acme_state from;
    enum acme_step step;
    enum acme_state to;
    const char *when; /* for the page */
};

extern const struct acme_edge acme_edges[];
extern const size_t acme_edge_count;

/* The edge, or NULL: it does not happen. */
const struct acme_edge *acme_edge_find(enum acme_object object, enum acme_state from, enum acme_step step);
/* LT_STATE_CORRUPT for a pair that is not in the table. */
LT_MUST_USE lt_res acme_step(enum acme_object object, enum acme_state from, enum acme_step step,
                             enum acme_state *ret_to);

/* "pending"; "" for none. Static storage. */
const char *acme_state_name(enum acme_state state);
/* LT_STATE_CORRUPT for a word that is no state: it came from the book. */
LT_MUST_USE lt_res acme_state_read(lt_slice name, enum acme_state *ret_state);
const char *acme_object_name(enum acme_object object);
const char *acme_step_name(enum acme_step step);
/* The whole page docs/acme-states.md. */
void acme_states_print(struct lt_buf *out);

#endif
