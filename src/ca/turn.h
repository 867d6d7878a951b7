#ifndef CA_TURN_H
#define CA_TURN_H
/* One message's work inside the registrar's group commit (design 5).
 *
 * The loop opens a transaction, runs each message's handler inside a savepoint, commits after at most 256
 * messages or 5 ms, and only then releases the effects. So a handler writes to the store and *defers*
 * messages; it sends nothing. A handler that fails loses its savepoint and its effects; the loop then answers
 * for it. Effects can always be derived again from the book when the registrar starts (each room has a
 * `_recover` function for that).
 */
#include "base/arena.h"
#include "base/clock.h"
#include "ipc/ipc.h"
#include "store/store.h"

struct ca_effect; /* a message that waits for the commit; owned by the turn's list */

struct ca_turn {
    struct store *store;
    struct lt_arena *arena; /* lives until the effects are released */
    lt_time now;            /* one reading for the whole message */
    struct ca_effect *first;
    struct ca_effect **last; /* where the next one goes */
};

/* Defer a message. The body is encoded at once; nothing is borrowed afterwards. */
LT_MUST_USE lt_res ca_turn_send(struct ca_turn *t, enum ipc_role to, enum ipc_type type, uint64_t id,
                                const ProtobufCMessage *body);
/* Defer an answer. `to` may come from an earlier turn (a held answer). */
LT_MUST_USE lt_res ca_turn_reply(struct ca_turn *t, const struct ipc_addr *to, enum ipc_type type,
                                 const ProtobufCMessage *body);

/* For the loop. */
void ca_turn_init(struct ca_turn *t, struct store *store, struct lt_arena *arena, lt_time now);
size_t ca_turn_mark(const struct ca_turn *t);
/* Drop the effects deferred since the mark. */
void ca_turn_cut(struct ca_turn *t, size_t mark);
typedef void ca_release(void *self, enum ipc_role to, uint32_t instance, enum ipc_type type, uint64_t id,
                        lt_slice packed);
void ca_turn_release(struct ca_turn *t, ca_release *send, void *self);

#endif
