#ifndef ROLE_KIT_H
#define ROLE_KIT_H
/* What every program of the family has in common: take Start from the supervisor, open what is needed, lock
 * the doors (sandbox), say Ready, then serve messages until Drain. A role is a table of routes and a few
 * hooks.
 *
 * Life: supervisor forks and execs libexec/lintel-ROLE with the control socket on descriptor 3. role_main
 * reads Start, calls hooks.start (open files, keys, sockets: the last moment for it), applies the sandbox,
 * sends Ready, then loops: messages → routes; when all readable links are drained → hooks.turn_end (the
 * registrar commits there); timers.
 */
#include "base/clock.h"
#include "control.pb-c.h"
#include "ipc/ipc.h"
#include "sandbox/sandbox.h"

struct role_kit;

/* A handler's failure with LT_PEER_MALFORMED or LT_PEER_UNSUPPORTED means the *sender broke the rules*: its
 * link is dropped and the supervisor told. LT_STATE_* ends this process. Anything else is logged and the loop
 * goes on: a question must be answered by the handler itself, failure included. */
typedef lt_res role_handler(void *self, const struct ipc_msg *m);

struct role_route {
    enum ipc_role from;
    enum ipc_type type;
    role_handler *handle;
};

struct role_spec {
    enum ipc_role role;
    const struct role_route *routes;
    size_t route_count;
    const struct sandbox_profile *sandbox;
    size_t message_arena_max; /* bytes one message may decode to; 0 for 1 MiB */
    /* All but start may be NULL. The Start message lives as long as the process, but passphrase and PIN are
     * wiped when start returns. fds: the listeners of start->listeners in order; owned by the role from here
     * on. */
    lt_res (*start)(struct role_kit *kit, const Ipc__Start *start, const int *listener_fds, void **ret_self);
    void (*linked)(void *self, enum ipc_role peer, uint32_t instance); /* a (new) link is up */
    void (*unlinked)(void *self, enum ipc_role peer,
                     uint32_t instance);     /* it is gone; its answers will not come */
    lt_res (*turn_end)(void *self);          /* after every burst of messages and after every tick */
    lt_res (*tick)(void *self, lt_time now); /* about every 100 ms */
    lt_res (*reload)(void *self, const char *config_yaml);
    bool (*drained)(void *self); /* after Drain: is all accepted work finished? */
    /* Roles with an event loop of their own (gateway, validator: libevent): run it until role_kit_dispatch
     * says stop. role_kit_fd() is readable whenever role_kit_dispatch() should be called; call it every 100
     * ms besides. */
    lt_res (*run)(void *self);
};

/* The main of a role: never returns control to another loop; the exit status of the process. */
int role_main(const struct role_spec *spec);

/* For run hooks. dispatch handles what is there without blocking; false: time to return from run. */
int role_kit_fd(const struct role_kit *kit);
bool role_kit_dispatch(struct role_kit *kit);

/* Send to a neighbour. instance ROLE_ANY: round robin over the live ones. LT_RETRY_UNAVAILABLE when none is
 * there. */
#define ROLE_ANY UINT32_MAX
LT_MUST_USE lt_res role_send(struct role_kit *kit, enum ipc_role to, uint32_t instance, enum ipc_type type,
                             uint64_t id, const ProtobufCMessage *body);
LT_MUST_USE lt_res role_send_packed(struct role_kit *kit, enum ipc_role to, uint32_t instance,
                                    enum ipc_type type, uint64_t id, lt_slice packed);
/* The same with a descriptor beside it, which is duplicated: the caller keeps its own. */
LT_MUST_USE lt_res role_send_fd(struct role_kit *kit, enum ipc_role to, enum ipc_type type, uint64_t id,
                                const ProtobufCMessage *body, int fd);
/* Answer a message: to its sender, with its id. A link that has died meanwhile is no error. */
LT_MUST_USE lt_res role_reply(struct role_kit *kit, const struct ipc_addr *to, enum ipc_type type,
                              const ProtobufCMessage *body);
/* The same with a body that is encoded already. instance may be ROLE_ANY. */
LT_MUST_USE lt_res role_reply_packed(struct role_kit *kit, const struct ipc_addr *to, enum ipc_type type,
                                     lt_slice packed);
bool role_linked(const struct role_kit *kit, enum ipc_role peer);
/* A fresh correlation id, unique in this process's life. */
uint64_t role_next_id(struct role_kit *kit);
/* There is work that waits for nobody: the next turn comes at once, after what has arrived meanwhile. */
void role_again(struct role_kit *kit);
/* The same at a time of the monotonic clock, or before; of several the last that was said in a turn counts.
 */
void role_again_in(struct role_kit *kit, int64_t at_ms);
/* Drain was received: accept nothing new. */
bool role_draining(const struct role_kit *kit);
/* The family is of a drill: time is simulated, and nothing leaves this machine. */
bool role_scratch(const struct role_kit *kit);

#endif
