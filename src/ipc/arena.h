#ifndef IPC_ARENA_H
#define IPC_ARENA_H
/* protobuf-c messages that are unpacked into an arena, and go with it. */
#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"

static inline void *ipc_arena_alloc(void *arena, size_t size)
{
    return lt_arena_alloc(arena, size == 0 ? 1 : size);
}

static inline void ipc_arena_free(void *arena, void *ptr)
{
    (void)arena; /* goes with the arena */
    (void)ptr;
}

/* The arena is borrowed for as long as the allocator is used. */
static inline ProtobufCAllocator ipc_arena_allocator(struct lt_arena *arena)
{
    return (ProtobufCAllocator){.alloc = ipc_arena_alloc, .free = ipc_arena_free, .allocator_data = arena};
}

#endif
