#ifndef CA_TURN_H
#define CA_TURN_H
/* One message's work inside the registrar's group commit (design 5).
 *
 * The loop opens a transaction, runs each message's handler inside a savepoint, commits after at most 256
 * messages or 5 ms, and only then releases the effects. So a handler writes to the store and *defers*
 * messages; it sends nothing. A handler that fails loses its savepoint and its effects; the loop then answers
 * for it. Effects can always be derived again from the book when the registrar starts (each room has a
 * `_recover` function for that). What a handler keeps in memory beside the book must survive the loss of its
 * savepoint: change memory last, or reload it (ca/book.h, acme/desk.h).
 */
#include "base/arena.h"
#include "base/clock.h"
#include "ipc/ipc.h"
#include "store/store.h"

struct ca_effect; /* a message that waits for the commit; lives in the turn's arena */
struct ca_book;   /* ca/book.h: what the registrar remembers of the book */

struct ca_turn {
    struct store *store;    /* of the loop */
    struct ca_book *book;   /* of the loop; NULL in tests that need none */
    struct lt_arena *arena; /* lives until the effects are released */
    lt_time now;            /* one reading for the whole message */
    void (*random)(uint8_t *out, size_t len);
    struct ca_effect *first;
    struct ca_effect **last; /* where the next one goes */
    size_t count;
};

/* Defer a message to whichever instance is there. The body is encoded at once; nothing is borrowed
 * afterwards. */
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
/* to->instance is UINT32_MAX for any. */
typedef void ca_release(void *self, const struct ipc_addr *to, enum ipc_type type, lt_slice packed);
/* Hands every effect to send, in order, and forgets them. */
void ca_turn_release(struct ca_turn *t, ca_release *send, void *self);

#endif
