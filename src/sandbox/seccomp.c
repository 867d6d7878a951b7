/* Which system calls are left: one table of groups. What is not in it ends the process with SIGSYS.
 *
 * Nothing here can signal, trace or start another process (SANDBOX_FORK apart), make memory executable, or
 * change users. Where a library merely tries a call and does without it, the row answers with an error
 * instead of death. */
#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sandbox/internal.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif
#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif

enum { ANY_FORK = SANDBOX_FORK | SANDBOX_THREADS | SANDBOX_WORKERS };

/* (argument & mask) == value, or no condition. */
struct condition {
    bool used;
    unsigned arg;
    uint64_t mask;
    uint64_t value;
};

#define ALWAYS \
    {          \
        0      \
    }
#define IF(arg_, mask_, value_)                             \
    {                                                       \
        true, (arg_), (uint64_t)(mask_), (uint64_t)(value_) \
    }
#define EXACT UINT64_C(0xffffffffffffffff)
#define LOW32 UINT64_C(0xffffffff)

struct call {
    unsigned groups; /* any of these lets it through */
    int number;
    int error; /* 0: allowed; else it fails with this errno */
    struct condition when;
};

#define ALLOW(group_, name_)                 \
    {                                        \
        (group_), SCMP_SYS(name_), 0, ALWAYS \
    }
#define ALLOW_IF(group_, name_, ...)                  \
    {                                                 \
        (group_), SCMP_SYS(name_), 0, IF(__VA_ARGS__) \
    }
#define ERROR(group_, name_, errno_)                \
    {                                               \
        (group_), SCMP_SYS(name_), (errno_), ALWAYS \
    }
#define ERROR_IF(group_, name_, errno_, ...)                 \
    {                                                        \
        (group_), SCMP_SYS(name_), (errno_), IF(__VA_ARGS__) \
    }

static const struct call calls_table[] = {
    /* Descriptors that are open already. */
    ALLOW(SANDBOX_BASE, read),
    ALLOW(SANDBOX_BASE, write),
    ALLOW(SANDBOX_BASE, readv),
    ALLOW(SANDBOX_BASE, writev),
    ALLOW(SANDBOX_BASE, pread64),
    ALLOW(SANDBOX_BASE, pwrite64),
    ALLOW(SANDBOX_BASE, recvmsg),
    ALLOW(SANDBOX_BASE, sendmsg),
    ALLOW(SANDBOX_BASE, recvfrom),
    ALLOW(SANDBOX_BASE, sendto),
    ALLOW(SANDBOX_BASE, shutdown),
    ALLOW(SANDBOX_BASE, getsockopt),
    ALLOW(SANDBOX_BASE, lseek),
    ALLOW(SANDBOX_BASE, fstat),
    ALLOW_IF(SANDBOX_BASE, newfstatat, 3, AT_EMPTY_PATH, AT_EMPTY_PATH),
    ALLOW_IF(SANDBOX_BASE, statx, 2, AT_EMPTY_PATH, AT_EMPTY_PATH),
    ALLOW(SANDBOX_BASE, close),
    ALLOW_IF(SANDBOX_BASE, fcntl, 1, LOW32, F_GETFL),
    ALLOW_IF(SANDBOX_BASE, fcntl, 1, LOW32, F_SETFL),
    ALLOW_IF(SANDBOX_BASE, fcntl, 1, LOW32, F_GETFD),
    ALLOW_IF(SANDBOX_BASE, fcntl, 1, LOW32, F_SETFD),
    ALLOW_IF(SANDBOX_BASE, fcntl, 1, LOW32, F_DUPFD_CLOEXEC),
    ALLOW_IF(SANDBOX_BASE, fcntl, 1, LOW32, F_GETLK),
    ALLOW_IF(SANDBOX_BASE, fcntl, 1, LOW32, F_SETLK),
    ALLOW_IF(SANDBOX_BASE, fcntl, 1, LOW32, F_SETLKW),
    ALLOW_IF(SANDBOX_BASE, fcntl, 1, LOW32, F_GET_SEALS),
    ALLOW_IF(SANDBOX_BASE, ioctl, 1, LOW32, FIONREAD),
    ALLOW_IF(SANDBOX_BASE, ioctl, 1, LOW32, FIONBIO),
    ERROR_IF(SANDBOX_BASE, ioctl, ENOTTY, 1, LOW32, TCGETS),
    ALLOW(SANDBOX_BASE, poll),
    ALLOW(SANDBOX_BASE, ppoll),
    ALLOW(SANDBOX_BASE, select),
    ALLOW(SANDBOX_BASE, pselect6),
    ALLOW(SANDBOX_BASE, epoll_wait),
    ALLOW(SANDBOX_BASE, epoll_pwait),
    ALLOW(SANDBOX_BASE, epoll_pwait2),
    ALLOW(SANDBOX_BASE, epoll_ctl),
    ALLOW(SANDBOX_BASE, epoll_create1),
    ALLOW(SANDBOX_BASE, eventfd2),
    ALLOW(SANDBOX_BASE, timerfd_create),
    ALLOW(SANDBOX_BASE, timerfd_settime),
    ALLOW(SANDBOX_BASE, pipe2),
    /* Memory, never executable. */
    ALLOW(SANDBOX_BASE, brk),
    ALLOW_IF(SANDBOX_BASE, mmap, 2, PROT_EXEC, 0),
    ALLOW_IF(SANDBOX_BASE, mprotect, 2, PROT_EXEC, 0),
    ALLOW(SANDBOX_BASE, munmap),
    ALLOW(SANDBOX_BASE, mremap),
    ALLOW(SANDBOX_BASE, madvise),
    ALLOW(SANDBOX_BASE, mlock),
    ALLOW(SANDBOX_BASE, mlock2),
    ALLOW(SANDBOX_BASE, munlock),
    ALLOW(SANDBOX_BASE, membarrier),
    /* Time, randomness, itself. */
    ALLOW(SANDBOX_BASE, clock_gettime),
    ALLOW(SANDBOX_BASE, clock_getres),
    ALLOW(SANDBOX_BASE, clock_nanosleep),
    ALLOW(SANDBOX_BASE, nanosleep),
    ALLOW(SANDBOX_BASE, gettimeofday),
    ALLOW(SANDBOX_BASE, time),
    ALLOW(SANDBOX_BASE, times),
    ALLOW(SANDBOX_BASE, getrandom),
    ALLOW(SANDBOX_BASE, getpid),
    ALLOW(SANDBOX_BASE, gettid),
    ALLOW(SANDBOX_BASE, getppid),
    ALLOW(SANDBOX_BASE, getuid),
    ALLOW(SANDBOX_BASE, geteuid),
    ALLOW(SANDBOX_BASE, getgid),
    ALLOW(SANDBOX_BASE, getegid),
    ALLOW(SANDBOX_BASE, getrusage),
    ALLOW_IF(SANDBOX_BASE, prlimit64, 2, EXACT, 0),
    ALLOW(SANDBOX_BASE, uname),
    ALLOW(SANDBOX_BASE, sysinfo),
    ALLOW_IF(SANDBOX_BASE, prctl, 0, LOW32, PR_SET_NAME),
    ALLOW_IF(SANDBOX_BASE, prctl, 0, LOW32, PR_GET_NAME),
    ALLOW_IF(SANDBOX_BASE, prctl, 0, LOW32, PR_SET_VMA),
    ALLOW(SANDBOX_BASE, futex),
    ALLOW(SANDBOX_BASE, rseq),
    ALLOW(SANDBOX_BASE, set_robust_list),
    ALLOW(SANDBOX_BASE, sched_yield),
    ALLOW(SANDBOX_BASE, sched_getaffinity),
    ALLOW(SANDBOX_BASE, getcpu),
    ALLOW(SANDBOX_BASE, restart_syscall),
    ALLOW(SANDBOX_BASE, rt_sigaction),
    ALLOW(SANDBOX_BASE, rt_sigprocmask),
    ALLOW(SANDBOX_BASE, rt_sigreturn),
    ALLOW(SANDBOX_BASE, sigaltstack),
    ALLOW(SANDBOX_BASE, exit),
    ALLOW(SANDBOX_BASE, exit_group),
    /* Files by name; Landlock says which. Opening for writing without the right to is an error that SQLite
     * expects of a reader. */
    ALLOW_IF(SANDBOX_OPEN_READ, open, 1, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY),
    ALLOW_IF(SANDBOX_OPEN_READ, openat, 2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY),
    ERROR_IF(SANDBOX_OPEN_READ, open, EACCES, 1, O_ACCMODE, O_RDWR),
    ERROR_IF(SANDBOX_OPEN_READ, openat, EACCES, 2, O_ACCMODE, O_RDWR),
    ERROR_IF(SANDBOX_OPEN_READ, open, EACCES, 1, O_ACCMODE, O_WRONLY),
    ERROR_IF(SANDBOX_OPEN_READ, openat, EACCES, 2, O_ACCMODE, O_WRONLY),
    ALLOW(SANDBOX_OPEN_READ, stat),
    ALLOW(SANDBOX_OPEN_READ, lstat),
    ALLOW(SANDBOX_OPEN_READ, newfstatat),
    ALLOW(SANDBOX_OPEN_READ, statx),
    ALLOW(SANDBOX_OPEN_READ, statfs),
    ALLOW(SANDBOX_OPEN_READ, fstatfs),
    ALLOW(SANDBOX_OPEN_READ, access),
    ALLOW(SANDBOX_OPEN_READ, faccessat),
    ALLOW(SANDBOX_OPEN_READ, faccessat2),
    ALLOW(SANDBOX_OPEN_READ, getdents64),
    ALLOW(SANDBOX_OPEN_READ, readlink),
    ALLOW(SANDBOX_OPEN_READ, readlinkat),
    ALLOW(SANDBOX_OPEN_READ, getcwd),
    ALLOW(SANDBOX_OPEN_READ, fadvise64),
    ALLOW(SANDBOX_OPEN_WRITE, open),
    ALLOW(SANDBOX_OPEN_WRITE, openat),
    ALLOW(SANDBOX_OPEN_WRITE, unlink),
    ALLOW(SANDBOX_OPEN_WRITE, unlinkat),
    ALLOW(SANDBOX_OPEN_WRITE, rename),
    ALLOW(SANDBOX_OPEN_WRITE, renameat),
    ALLOW(SANDBOX_OPEN_WRITE, renameat2),
    ALLOW(SANDBOX_OPEN_WRITE, mkdir),
    ALLOW(SANDBOX_OPEN_WRITE, mkdirat),
    ALLOW(SANDBOX_OPEN_WRITE, rmdir),
    ALLOW(SANDBOX_OPEN_WRITE | SANDBOX_SYNC, ftruncate),
    ALLOW(SANDBOX_OPEN_WRITE | SANDBOX_SYNC, fallocate),
    ALLOW(SANDBOX_OPEN_WRITE | SANDBOX_SYNC, fsync),
    ALLOW(SANDBOX_OPEN_WRITE | SANDBOX_SYNC, fdatasync),
    ALLOW(SANDBOX_OPEN_WRITE, sync_file_range),
    ALLOW(SANDBOX_OPEN_WRITE, msync),
    ALLOW(SANDBOX_OPEN_WRITE, flock),
    ALLOW(SANDBOX_OPEN_WRITE, fchmod),
    ALLOW(SANDBOX_OPEN_WRITE, fchown),
    ALLOW(SANDBOX_OPEN_WRITE, umask),
    ALLOW(SANDBOX_OPEN_WRITE, utimensat),
    /* Bodies over 64 KiB. */
    ALLOW(SANDBOX_MEMFD, memfd_create),
    ALLOW_IF(SANDBOX_MEMFD, fcntl, 1, LOW32, F_ADD_SEALS),
    /* What was listened on before. */
    ALLOW(SANDBOX_ACCEPT, accept),
    ALLOW(SANDBOX_ACCEPT, accept4),
    ALLOW(SANDBOX_ACCEPT, sendfile),
    ALLOW(SANDBOX_ACCEPT | SANDBOX_CONNECT, getsockname),
    ALLOW(SANDBOX_ACCEPT | SANDBOX_CONNECT, getpeername),
    ALLOW(SANDBOX_ACCEPT | SANDBOX_CONNECT, setsockopt),
    /* Outwards: internet sockets only. Resolvers try the others and do without. */
    ALLOW_IF(SANDBOX_CONNECT, socket, 0, LOW32, AF_INET),
    ALLOW_IF(SANDBOX_CONNECT, socket, 0, LOW32, AF_INET6),
    ERROR_IF(SANDBOX_CONNECT, socket, EAFNOSUPPORT, 0, LOW32, AF_UNIX),
    ERROR_IF(SANDBOX_CONNECT, socket, EAFNOSUPPORT, 0, LOW32, AF_NETLINK),
    ALLOW(SANDBOX_CONNECT, connect),
    ERROR(SANDBOX_FOREIGN, socket, EACCES),
    ALLOW(SANDBOX_CONNECT, bind),
    ALLOW(SANDBOX_CONNECT, sendmmsg),
    ALLOW(SANDBOX_CONNECT, recvmmsg),
    /* Threads and, for those who must, processes. Filters cannot look into clone3's structure: libc goes back
     * to clone. */
    ERROR(ANY_FORK, clone3, ENOSYS),
    ALLOW_IF(SANDBOX_THREADS, clone, 0, CLONE_THREAD, CLONE_THREAD),
    ALLOW(SANDBOX_FORK, clone),
    ALLOW(SANDBOX_FORK, fork),
    ALLOW(SANDBOX_FORK, vfork),
    ALLOW(SANDBOX_FORK, execve),
    ALLOW(SANDBOX_FORK, wait4),
    ALLOW(SANDBOX_FORK, waitid),
    ALLOW_IF(SANDBOX_WORKERS, clone, 0, LOW32, CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID | SIGCHLD),
    ALLOW(SANDBOX_WORKERS, wait4),
    ALLOW_IF(SANDBOX_WORKERS, prlimit64, 0, EXACT, 0), /* only its own */
    ALLOW(SANDBOX_WORKERS, close_range),
    ALLOW_IF(SANDBOX_COMMAND, clone, 0, CLONE_PIDFD | CLONE_THREAD, CLONE_PIDFD),
    ALLOW(SANDBOX_COMMAND, execve),
    ALLOW(SANDBOX_COMMAND, waitid),
    ALLOW(SANDBOX_COMMAND, pidfd_send_signal), /* pidfd_open is not here: only to one's own children */
    ALLOW_IF(SANDBOX_COMMAND, prlimit64, 0, EXACT, 0),
    ALLOW_IF(SANDBOX_COMMAND, fcntl, 1, LOW32, F_DUPFD),
    ALLOW_IF(SANDBOX_COMMAND, ioctl, 1, LOW32, FIOCLEX),
    ALLOW_IF(SANDBOX_COMMAND, ioctl, 1, LOW32, FIONCLEX),
    ALLOW(SANDBOX_COMMAND, dup2),
    ALLOW(SANDBOX_COMMAND, dup3),
    ALLOW(SANDBOX_COMMAND, dup),
    ALLOW(SANDBOX_COMMAND, close_range),
    ALLOW(SANDBOX_COMMAND, arch_prctl),
    ALLOW(SANDBOX_COMMAND, mmap),
    ALLOW(SANDBOX_COMMAND, mprotect),
    ALLOW(SANDBOX_COMMAND, pipe),
    ALLOW(SANDBOX_COMMAND, getpgrp),
    ALLOW(SANDBOX_COMMAND, getresuid),
    ALLOW(SANDBOX_COMMAND, getresgid),
    ALLOW(SANDBOX_COMMAND, getgroups),
    ALLOW(SANDBOX_COMMAND, umask),
    ALLOW(SANDBOX_COMMAND, mincore),
    ALLOW(ANY_FORK, set_tid_address),
    ALLOW(SANDBOX_THREADS, sched_setscheduler),
    ALLOW(SANDBOX_THREADS, sched_getscheduler),
    ALLOW(SANDBOX_THREADS, sched_getparam),
};

static lt_res add_call(scmp_filter_ctx ctx, const struct call *c)
{
    uint32_t action = c->error == 0 ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO((uint16_t)c->error);
    int rc;
    if (!c->when.used) {
        rc = seccomp_rule_add_array(ctx, action, c->number, 0, NULL);
    } else {
        struct scmp_arg_cmp cmp = {
            .arg = c->when.arg, .op = SCMP_CMP_MASKED_EQ, .datum_a = c->when.mask, .datum_b = c->when.value};
        rc = seccomp_rule_add_array(ctx, action, c->number, 1, &cmp);
    }
    LT_CHECK(rc == 0, LT_STATE_IO, "seccomp: call %d: %s", c->number, strerror(-rc));
    return LT_OK;
}

/* An unconditional allow of the same call makes a row with a condition superfluous, and the library refuses
 * it. */
static bool covered(const struct call *c, unsigned calls)
{
    for (size_t i = 0; i < LT_COUNT(calls_table); i++) {
        const struct call *o = &calls_table[i];
        if (o != c && o->number == c->number && !o->when.used && o->error == 0 && (o->groups & calls) != 0) {
            return true;
        }
    }
    return false;
}

/* What happens to a call that is not in the table. */
static uint32_t otherwise(unsigned calls)
{
    return (calls & SANDBOX_COMMAND) != 0 ? SCMP_ACT_ERRNO(ENOSYS) : SCMP_ACT_KILL_PROCESS;
}

/* abort() may end this process with SIGABRT, and no other. */
static lt_res add_abort(scmp_filter_ctx ctx)
{
    struct scmp_arg_cmp self[] = {
        {.arg = 0, .op = SCMP_CMP_MASKED_EQ, .datum_a = LOW32, .datum_b = (uint64_t)getpid()},
        {.arg = 2, .op = SCMP_CMP_MASKED_EQ, .datum_a = LOW32, .datum_b = SIGABRT},
    };
    int rc = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), LT_COUNT(self), self);
    LT_CHECK(rc == 0, LT_STATE_IO, "seccomp: tgkill: %s", strerror(-rc));
    return LT_OK;
}

static lt_res build(scmp_filter_ctx ctx, unsigned calls)
{
    for (size_t i = 0; i < LT_COUNT(calls_table); i++) {
        const struct call *c = &calls_table[i];
        bool same = c->error != 0 && otherwise(calls) == SCMP_ACT_ERRNO((uint16_t)c->error);
        if ((c->groups & calls) != 0 && !same && !(c->when.used && covered(c, calls))) {
            LT_TRY(add_call(ctx, c));
        }
    }
    return add_abort(ctx);
}

static void release(void *ctx)
{
    scmp_filter_ctx *c = ctx;
    if (*c != NULL) {
        seccomp_release(*c);
    }
}

lt_res sandbox_seccomp(unsigned calls)
{
    if (SANDBOX_SANITIZED) {
        calls |= SANDBOX_OPEN_READ; /* reports name the binary; Landlock still says which files */
    }
    LT_CLEANUP(release) scmp_filter_ctx ctx = seccomp_init(otherwise(calls));
    LT_CHECK(ctx != NULL, LT_STATE_IO, "seccomp: no filter");
    int rc = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    LT_CHECK(rc == 0, LT_STATE_IO, "seccomp: %s", strerror(-rc));
    /* Threads that a library has made already are locked in as well. */
    rc = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
    LT_CHECK(rc == 0, LT_STATE_IO, "seccomp: %s", strerror(-rc));
    /* A balanced tree: a call costs ten comparisons instead of a hundred. */
    rc = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    LT_CHECK(rc == 0, LT_STATE_IO, "seccomp: %s", strerror(-rc));
    LT_TRY(build(ctx, calls));
    rc = seccomp_load(ctx);
    LT_CHECK(rc == 0, LT_STATE_IO, "seccomp: %s", strerror(-rc));
    return LT_OK;
}
