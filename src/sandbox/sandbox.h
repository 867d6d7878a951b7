#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H
/* Doors that lock behind a process: no new privileges, no core dumps, not dumpable, resource limits, Landlock
 * for files (ABI probed; works at ABI 2, uses more where there is more), then a seccomp allow-list whose
 * answer to anything else is to kill the process. Irrevocable, and inherited by children; of the roles,
 * only those with a group that says so may fork after it. */
#include <sys/types.h>

#include "base/result.h"

/* Groups of system calls; the table behind them is sandbox/seccomp.c. */
enum sandbox_calls {
    SANDBOX_BASE =
        1 << 0, /* memory, time, poll/epoll, read/write/sendmsg/recvmsg on open fds, exit, futex, getrandom */
    SANDBOX_OPEN_READ = 1 << 1, /* openat for reading, stat, getdents (Landlock says where) */
    SANDBOX_OPEN_WRITE =
        1 << 2, /* creating, renaming, syncing, truncating, locking files (Landlock says where) */
    SANDBOX_ACCEPT = 1 << 3,  /* accept4, getsockname, getpeername, setsockopt on what was listened before */
    SANDBOX_CONNECT = 1 << 4, /* socket, connect, bind: the validator alone */
    SANDBOX_MEMFD = 1 << 5,   /* memfd_create, fcntl seals: for bodies over 64 KiB; all roles have it */
    SANDBOX_FORK = 1 << 6,    /* clone, execve, wait: supervisor and validator's workers */
    SANDBOX_THREADS = 1 << 7, /* clone for threads only */
    SANDBOX_SYNC = 1 << 8,    /* syncing and truncating what is open already; part of OPEN_WRITE */
    SANDBOX_FOREIGN =
        1 << 9, /* a library that logs by itself: its socket() fails and does not end the process */
    SANDBOX_COMMAND =
        1 << 10, /* a foreign program as a child, and what it needs to load and run; it can signal nobody (we
                    end it by the descriptor that clone gave us), and what is not listed fails in it with
                    ENOSYS instead of ending it: the second opinion alone */
    SANDBOX_WORKERS = 1 << 11, /* fork without exec, waiting for the child, closing what it must not have,
                                  lower limits: the validator alone */
};

struct sandbox_path {
    const char *path; /* relative to the CA folder, or absolute; one that does not exist is left out */
    bool write;
    bool exec;
};

struct sandbox_profile {
    const char *role;
    unsigned calls; /* of enum sandbox_calls */
    const struct sandbox_path *paths;
    size_t path_count;
    size_t max_fds;
    size_t max_memory_bytes; /* RLIMIT_AS; 0: no limit (sanitizer builds never have one) */
};

struct sandbox_state {
    unsigned landlock_abi; /* 0: the kernel has none */
    bool seccomp;
};

/* folder: of the CA, for relative paths. Call once, when everything is open. */
LT_MUST_USE lt_res sandbox_enter(const struct sandbox_profile *profile, const char *folder,
                                 struct sandbox_state *ret_state);

#endif
