#ifndef ROLE_KIT_PRIVATE_H
#define ROLE_KIT_PRIVATE_H
/* Inside the kit: kit.c has the life of a role (Start to exit), kit_loop.c its messages. */
#include "role/kit.h"

struct role_kit {
    const struct role_spec *spec;
    void *self; /* the role's own */
    int epoll_fd;
    struct ipc_link *control;
    struct ipc_link *links[IPC_ROLE_COUNT][IPC_MAX_INSTANCES]; /* owned */
    uint32_t epochs[IPC_ROLE_COUNT][IPC_MAX_INSTANCES];        /* how often each was linked */
    uint32_t next_instance[IPC_ROLE_COUNT];                    /* where round robin goes on */
    uint64_t polled_for_write[IPC_ROLE_COUNT];                 /* bit per instance: EPOLLOUT is asked for */
    role_handler *routes[IPC_ROLE_COUNT][IPC_TYPE_LIMIT];
    struct lt_arena start_arena; /* of the Start message: lives as long as the process */
    struct lt_arena arena;       /* of the message being handled */
    struct sandbox_state sandbox;
    char name[40]; /* "gateway-0", for the log */
    uint64_t next_id;
    int64_t next_tick_ms;
    int64_t again_at_ms; /* the next turn no later than that; 0: by the tick */
    bool again;          /* role_again */
    bool scratch;        /* of a drill */
    bool ready;          /* Ready was sent: links and messages count */
    bool draining;
    bool done;    /* leave the loop */
    bool failed;  /* and with status 1 */
    bool cut_off; /* failed because what it stands on is out of reach: ROLE_CUT_OFF */
};

/* A link for the loop to serve, replacing the one to the same neighbour. Takes fd. */
void kit_add_link(struct role_kit *kit, enum ipc_role peer, uint32_t instance, int fd);
LT_MUST_USE lt_res kit_watch(struct role_kit *kit, const struct ipc_link *link, enum ipc_role peer,
                             uint32_t instance);
/* Everything that is there, at most a burst of it; then turn_end, ticks, drain. timeout_ms as epoll_wait. */
void kit_turn(struct role_kit *kit, int timeout_ms);
/* How long the loop may sleep. */
int kit_timeout_ms(const struct role_kit *kit);
/* The control message m; what the kit does not know goes to the role's routes. */
void kit_handle_control(struct role_kit *kit, struct ipc_msg *m);
/* Log the error record and leave the loop. */
void kit_fail(struct role_kit *kit, const char *what);

#endif
