#ifndef TESTS_UNIT_ROLE_PUPPET_H
#define TESTS_UNIT_ROLE_PUPPET_H
/* One real program of the family, locked in its sandbox, with the test as its supervisor and as all of its
 * neighbours: honest ones by ipc_link, lying ones by a bare socket. */
#include "control.pb-c.h"
#include "ipc/ipc.h"

struct puppet {
    enum ipc_role role;
    int pid;
    struct ipc_link *control;
    struct lt_arena arena; /* of what puppet_expect returned last */
};

/* Where the programs are; from the command line of the test. */
extern const char *puppet_libexec;
/* A CA folder by `lintel init`, below /tmp; once per test program. */
void puppet_make_folder(const char *lintel);
void puppet_remove_folder(void);
extern char puppet_folder[];
#define PUPPET_BASE "http://pki.example.com"

/* What the next program is started with: listening sockets and boards, in this order; owned by the caller. */
struct puppet_listener {
    const char *kind;
    const char *address;
    int fd;
};
enum { PUPPET_LISTENERS = 6 };
extern struct puppet_listener puppet_listeners[PUPPET_LISTENERS];
extern size_t puppet_listener_count;

/* Starts it and waits until it is ready. */
void puppet_start(struct puppet *p, enum ipc_role role);
/* Ends it as the supervisor does; it must leave with status 0. */
void puppet_drain(struct puppet *p);
void puppet_kill(struct puppet *p);
bool puppet_alive(const struct puppet *p);

/* The end of a new link to it, held by its neighbour `peer`. */
struct ipc_link *puppet_link(struct puppet *p, enum ipc_role peer, uint32_t instance);
/* The same as a bare socket: may say anything. */
int puppet_raw(struct puppet *p, enum ipc_role peer, uint32_t instance);
/* A sentence out of a liar's mouth; body may be NULL. */
void puppet_say(int raw, enum ipc_type type, const ProtobufCMessage *body);

/* The next message of that type on the link, others are dropped; fails the test after ten seconds. */
const ProtobufCMessage *puppet_expect(struct puppet *p, struct ipc_link *link, enum ipc_type type);
/* Is one there now? */
bool puppet_heard(struct puppet *p, struct ipc_link *link, enum ipc_type type);
/* It complained about that neighbour to the supervisor, and cut the link. */
void puppet_expect_complaint(struct puppet *p, enum ipc_role peer, int raw);

#endif
