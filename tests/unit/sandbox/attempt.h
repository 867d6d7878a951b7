#ifndef TESTS_UNIT_SANDBOX_ATTEMPT_H
#define TESTS_UNIT_SANDBOX_ATTEMPT_H
/* Tries things from inside a sandbox: a child enters a profile, does one thing, and is looked at from
 * outside. For tests of groups and of the walls of each role. */
#include "sandbox/sandbox.h"

struct attempt {
    const char *folder; /* of a made-up CA; the profile's paths are relative to it */
    int socket_fd;      /* one end of a connected pair */
    int listen_fd;      /* a listening TCP socket */
    int file_fd;        /* a file open for writing */
    const char *path;   /* for those that open */
    int parent;         /* pid */
};

/* 0, or the errno of what failed. */
typedef int attempt_fn(const struct attempt *a);

enum { DIES = -1, WORKS = 0 }; /* or an errno */

/* Runs try inside the profile; DIES when SIGSYS ended it, else what it returned. */
int attempt_run(const struct sandbox_profile *profile, attempt_fn *try, const struct attempt *a);

attempt_fn try_nothing;
attempt_fn try_memory;
attempt_fn try_time_and_random;
attempt_fn try_descriptors;
attempt_fn try_send;
attempt_fn try_abort; /* dies by SIGABRT: returns SIGABRT as an errno */
attempt_fn try_open_read;
attempt_fn try_open_write;
attempt_fn try_create;
attempt_fn try_list;
attempt_fn try_rename;
attempt_fn try_sync;
attempt_fn try_stat;
attempt_fn try_stat_open;
attempt_fn try_accept;
attempt_fn try_socket_inet;
attempt_fn try_socket_unix;
attempt_fn try_socket_netlink;
attempt_fn try_socket_raw;
attempt_fn try_connect;
attempt_fn try_memfd;
attempt_fn try_fork;
attempt_fn try_thread;
attempt_fn try_exec;
attempt_fn try_kill_parent;
attempt_fn try_kill_self;
attempt_fn try_tgkill_parent;
attempt_fn try_ptrace;
attempt_fn try_process_vm;
attempt_fn try_exec_memory;
attempt_fn try_make_executable;
attempt_fn try_setuid;
attempt_fn try_chroot;
attempt_fn try_unshare;
attempt_fn try_mount;
attempt_fn try_bpf;
attempt_fn try_keyctl;
attempt_fn try_io_uring;
attempt_fn try_userfaultfd;
attempt_fn try_raise_limit;
attempt_fn try_dumpable;
attempt_fn try_sigio;
attempt_fn try_pidfd;

#endif
