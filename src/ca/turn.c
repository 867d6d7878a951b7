/* The list of effects of one group commit: messages encoded at once, kept until the commit, released in
 * order, or cut back to a mark when a handler failed. */
#include "ca/turn.h"

#include <string.h>

struct ca_effect {
    struct ca_effect *next;
    struct ipc_addr to;
    enum ipc_type type;
    lt_slice packed; /* in the turn's arena */
};

void ca_turn_init(struct ca_turn *t, struct store *store, struct lt_arena *arena, lt_time now)
{
    *t = (struct ca_turn){.store = store, .arena = arena, .now = now};
    t->last = &t->first;
}

static lt_res defer(struct ca_turn *t, const struct ipc_addr *to, enum ipc_type type,
                    const ProtobufCMessage *body)
{
    size_t len = protobuf_c_message_get_packed_size(body);
    struct ca_effect *e = LT_NEW(t->arena, struct ca_effect);
    uint8_t *packed = lt_arena_alloc(t->arena, len);
    LT_CHECK(e != NULL && packed != NULL, LT_PEER_TOO_LARGE, "an answer of %zu bytes is too large", len);
    size_t written = protobuf_c_message_pack(body, packed);
    LT_ASSERT(written == len);
    e->to = *to;
    e->type = type;
    e->packed = LT_SLICE(packed, len);
    *t->last = e;
    t->last = &e->next;
    t->count++;
    return LT_OK;
}

lt_res ca_turn_send(struct ca_turn *t, enum ipc_role to, enum ipc_type type, uint64_t id,
                    const ProtobufCMessage *body)
{
    struct ipc_addr any = {.role = to, .instance = UINT32_MAX, .id = id};
    return defer(t, &any, type, body);
}

lt_res ca_turn_reply(struct ca_turn *t, const struct ipc_addr *to, enum ipc_type type,
                     const ProtobufCMessage *body)
{
    return defer(t, to, type, body);
}

size_t ca_turn_mark(const struct ca_turn *t)
{
    return t->count;
}

void ca_turn_cut(struct ca_turn *t, size_t mark)
{
    LT_ASSERT(mark <= t->count);
    struct ca_effect **at = &t->first;
    for (size_t i = 0; i < mark; i++) {
        at = &(*at)->next;
    }
    *at = NULL;
    t->last = at;
    t->count = mark;
}

void ca_turn_release(struct ca_turn *t, ca_release *send, void *self)
{
    struct ca_effect *e = t->first;
    t->first = NULL;
    t->last = &t->first;
    t->count = 0;
    for (; e != NULL; e = e->next) {
        send(self, &e->to, e->type, e->packed);
    }
}
