#ifndef ROLE_SUPERVISOR_H
#define ROLE_SUPERVISOR_H
/* The supervisor, inside. It starts, watches, stops and hands out descriptors; it opens no book and parses
 * nothing but the configuration. supervisor.c: the loop and the signals; _family.c: processes and their
 * links; _control.c: what they say; _listen.c: sockets; _folder.c: lock, owners, secrets; _status.c: run/
 * status.json and systemd. */
#include <sys/types.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/secret.h"
#include "ca/config.h"
#include "ipc/ipc.h"

enum process_state {
    PROCESS_DOWN,     /* not running; starts at next_start_ms */
    PROCESS_STARTING, /* Start sent */
    PROCESS_READY,
    PROCESS_DRAINING,
};

struct process {
    enum ipc_role role;
    uint32_t instance;
    char name[32]; /* "gateway-0" */
    enum process_state state;
    pid_t pid;                /* 0 when there is none */
    struct ipc_link *control; /* owned; NULL when there is none */
    int board_fd;             /* metrics, writable: goes to this process alone */
    int board_reader_fd;      /* the same, read-only: for the gateways */
    int64_t started_ms;
    int64_t next_start_ms;
    int64_t backoff_ms;
    uint64_t crashes;
    bool misbehaved; /* broke the table: ended by us */
    bool ended;      /* by us, whatever for */
    unsigned landlock_abi;
    bool seccomp;
};

enum { MAX_PROCESSES = 64, MAX_LISTENERS = 8, MAX_EVENTS_WAITING = 64, HOLD_CRASHES = 3 };

struct listener {
    int fd;
    const char *kind; /* "https", "http", "operator", "api": static storage */
    char address[128];
};

struct waiting_event {
    enum ipc_role role;
    uint32_t instance;
    const char *what; /* static storage */
    char detail[200];
};

/* Somebody outside whom a program waits for in vain, by the program's own board. */
struct silence {
    char what[64];    /* "perspective eu-1", "resolver", "mail relay" */
    uint32_t process; /* index: whose word it is */
    int64_t since_s;
};

enum { MAX_SILENCES = 40 };

struct supervisor {
    char folder[1024]; /* absolute; also the working directory */
    char libexec[1024];
    struct ca_config *config; /* owned */
    char console_cookie[CA_CONFIG_COOKIE_SIZE];
    struct lt_arena yaml_arena; /* of yaml */
    const char *yaml;
    bool log_json;
    bool sandbox_off;
    bool own_users; /* each role has its user */
    char host_id[256];
    uint8_t boot_epoch[8];
    int lock_fd;
    int epoll_fd;
    int signal_fd;
    struct process processes[MAX_PROCESSES];
    size_t process_count;
    struct listener listeners[MAX_LISTENERS];
    size_t listener_count;
    struct waiting_event events[MAX_EVENTS_WAITING]; /* until the registrar is there to write them down */
    size_t event_count;
    int clock_fd;                       /* of a drill; -1: none, time is the machine's */
    bool test_ca;                       /* the folder carries the mark */
    struct ca_config_testing testing;   /* of the first configuration; its strings are not looked at */
    int64_t key_crash_ms[HOLD_CRASHES]; /* the last ones of registrar, examiner, signer */
    bool held;
    char hold_reason[160];
    int64_t begun_ms;
    struct silence silences[MAX_SILENCES];
    size_t silence_count;
    bool announced; /* all were ready once */
    bool stopping;
    int64_t stop_until_ms;
    bool failed; /* exit status 1 */
    int64_t next_status_ms;
    bool status_failing; /* said once */
};

/* supervisor_family.c */
LT_MUST_USE lt_res family_new(struct supervisor *s);
/* Starts what is due and may start; how long until the next is due, -1 for never. */
int family_start_due(struct supervisor *s, int64_t now_ms);
/* Takes the end of a child. */
void family_reap(struct supervisor *s, pid_t pid, int status);
/* Moves the drain on; true when everybody is gone. */
bool family_drain(struct supervisor *s, int64_t now_ms);
void family_kill_all(struct supervisor *s);
struct process *family_find(struct supervisor *s, enum ipc_role role, uint32_t instance);
bool family_all_ready(const struct supervisor *s);

/* supervisor_control.c */
/* What this process has to say; on its death the rest of it. */
void control_read(struct supervisor *s, struct process *p);
void control_flush(struct supervisor *s, struct process *p);
LT_MUST_USE lt_res control_send(struct supervisor *s, struct process *p, enum ipc_type type,
                                const ProtobufCMessage *body, const int *fds, size_t fd_count);
LT_MUST_USE lt_res control_start(struct supervisor *s, struct process *p);
/* A fresh link between the two. */
LT_MUST_USE lt_res control_link(struct supervisor *s, struct process *a, struct process *b);
void control_event(struct supervisor *s, const struct process *p, const char *what, const char *detail);
void control_hold(struct supervisor *s, bool held, const char *reason);

/* supervisor_listen.c */
LT_MUST_USE lt_res listen_all(struct supervisor *s);
void listen_close(struct supervisor *s);

/* supervisor_folder.c */
LT_MUST_USE lt_res folder_lock(struct supervisor *s);
LT_MUST_USE lt_res folder_load_config(struct supervisor *s);
/* Users of the roles, owners and modes of what is theirs. */
LT_MUST_USE lt_res folder_prepare(struct supervisor *s);
/* User and group of a role; only where own_users. */
void folder_ids(const struct supervisor *s, enum ipc_role role, uid_t *ret_uid, gid_t *ret_gid);
bool folder_in_book_group(enum ipc_role role);
gid_t folder_book_gid(const struct supervisor *s);
LT_MUST_USE lt_res folder_passphrase(const struct supervisor *s, struct lt_secret *ret_secret);
/* secrets/seal.key, made where it is missing. */
LT_MUST_USE lt_res folder_seal_key(struct lt_secret *ret_secret);
LT_MUST_USE lt_res folder_pin(const struct supervisor *s, struct lt_secret *ret_secret);

/* supervisor_silence.c */
/* Reads the boards; what begins or ends is an event. */
void silence_look(struct supervisor *s);
/* ,"silent":[…] of the status. */
void silence_add(const struct supervisor *s, struct lt_buf *out);

/* supervisor_status.c */
void status_write(struct supervisor *s);
/* To systemd, where it asked for it: "READY=1". */
void status_notify(const char *state);
/* run/settings.json: what lintel.yaml said when it was read last, for people. A failure is logged. */
void settings_write(const struct supervisor *s);

#endif
