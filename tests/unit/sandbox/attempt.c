/* The things that are tried. Raw system calls where libc might do something else in between. */
#include "attempt.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/random.h"

enum { CANNOT_ENTER = 250 };

int attempt_run(const struct sandbox_profile *profile, attempt_fn *try, const struct attempt *a)
{
    struct attempt mine = *a;
    mine.parent = getpid();
    (void)fflush(NULL); /* so that nothing is printed twice */
    pid_t pid = fork();
    LT_ASSERT(pid >= 0);
    if (pid == 0) {
        struct sandbox_state state;
        if (lt_failed(sandbox_enter(profile, a->folder, &state))) {
            (void)fprintf(stderr, "%s\n", lt_error_last()->detail);
            _exit(CANNOT_ENTER);
        }
        _exit(try(&mine));
    }
    int status = 0;
    LT_ASSERT(waitpid(pid, &status, 0) == pid);
    if (WIFSIGNALED(status)) {
        return WTERMSIG(status) == SIGSYS ? DIES : WTERMSIG(status);
    }
    return WEXITSTATUS(status);
}

static int outcome(long rc)
{
    return rc < 0 ? errno : 0;
}

int try_nothing(const struct attempt *a)
{
    (void)a;
    return 0;
}

int try_memory(const struct attempt *a)
{
    (void)a;
    enum { MB = 1 << 20 };
    char *p[8];
    for (size_t i = 0; i < LT_COUNT(p); i++) {
        p[i] = malloc((size_t)(i + 1) * MB);
        LT_ASSERT(p[i] != NULL);
        memset(p[i], 1, (size_t)(i + 1) * MB);
        p[i] = realloc(p[i], (size_t)(i + 2) * MB);
        LT_ASSERT(p[i] != NULL);
    }
    for (size_t i = 0; i < LT_COUNT(p); i++) {
        free(p[i]);
    }
    return 0;
}

int try_time_and_random(const struct attempt *a)
{
    (void)a;
    uint8_t bytes[64];
    lt_random(bytes, sizeof bytes);
    struct timespec t = {.tv_nsec = 1000};
    return lt_now().us > 0 ? outcome(nanosleep(&t, NULL)) : EINVAL;
}

int try_descriptors(const struct attempt *a)
{
    struct stat st;
    int copy = fcntl(a->socket_fd, F_DUPFD_CLOEXEC, 10);
    int flags = fcntl(a->socket_fd, F_GETFL);
    if (copy < 0 || flags < 0 || fcntl(copy, F_SETFL, flags | O_NONBLOCK) != 0 || fstat(copy, &st) != 0) {
        return errno;
    }
    return outcome(close(copy));
}

int try_send(const struct attempt *a)
{
    struct iovec iov = {.iov_base = (void *)(uintptr_t) "x", .iov_len = 1};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    return outcome(sendmsg(a->socket_fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT));
}

int try_abort(const struct attempt *a)
{
    (void)a;
    abort();
}

int try_open_read(const struct attempt *a)
{
    return outcome(open(a->path, O_RDONLY | O_CLOEXEC));
}

int try_open_write(const struct attempt *a)
{
    return outcome(open(a->path, O_RDWR | O_CLOEXEC));
}

static void beside(const struct attempt *a, const char *suffix, char *ret_path, size_t size)
{
    (void)snprintf(ret_path, size, "%s/%s", a->path, suffix);
}

int try_create(const struct attempt *a)
{
    char path[1024];
    beside(a, "made", path, sizeof path);
    return outcome(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

int try_list(const struct attempt *a)
{
    DIR *d = opendir(a->path);
    if (d == NULL) {
        return errno;
    }
    errno = 0;
    (void)readdir(d);
    return errno;
}

int try_rename(const struct attempt *a)
{
    char from[1024];
    char to[1024];
    beside(a, "made", from, sizeof from);
    beside(a, "renamed", to, sizeof to);
    int fd = open(from, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || rename(from, to) != 0) {
        return errno;
    }
    return outcome(unlink(to));
}

int try_sync(const struct attempt *a)
{
    return outcome(fdatasync(a->file_fd));
}

int try_stat(const struct attempt *a)
{
    struct stat st;
    return outcome(stat(a->path, &st));
}

int try_stat_open(const struct attempt *a)
{
    struct stat st;
    return outcome(fstat(a->file_fd, &st));
}

int try_accept(const struct attempt *a)
{
    int fd = accept4(a->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    return fd < 0 && errno == EAGAIN ? 0 : outcome(fd);
}

int try_socket_inet(const struct attempt *a)
{
    (void)a;
    return outcome(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

int try_socket_unix(const struct attempt *a)
{
    (void)a;
    return outcome(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

int try_socket_netlink(const struct attempt *a)
{
    (void)a;
    return outcome(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0));
}

int try_socket_raw(const struct attempt *a)
{
    (void)a;
    return outcome(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
}

int try_connect(const struct attempt *a)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to;
    socklen_t len = sizeof to;
    if (fd < 0 || getsockname(a->listen_fd, (struct sockaddr *)&to, &len) != 0) {
        return errno;
    }
    return outcome(connect(fd, (const struct sockaddr *)&to, sizeof to));
}

int try_memfd(const struct attempt *a)
{
    (void)a;
    int fd = memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0 || write(fd, "x", 1) != 1 || fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL) != 0) {
        return errno;
    }
    void *p = mmap(NULL, 1, PROT_READ, MAP_PRIVATE, fd, 0);
    return p == MAP_FAILED ? errno : outcome(munmap(p, 1));
}

int try_fork(const struct attempt *a)
{
    (void)a;
    pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    return outcome(pid);
}

static void *thread_main(void *argument)
{
    free(malloc(100));
    return argument;
}

int try_thread(const struct attempt *a)
{
    (void)a;
    pthread_t t;
    int rc = pthread_create(&t, NULL, thread_main, NULL);
    return rc != 0 ? rc : pthread_join(t, NULL);
}

int try_exec(const struct attempt *a)
{
    (void)a;
    char *arguments[] = {NULL, NULL};
    static char name[] = "/bin/true";
    arguments[0] = name;
    (void)execve(name, arguments, arguments + 1);
    return errno;
}

int try_kill_parent(const struct attempt *a)
{
    return outcome(kill(a->parent, 0));
}

int try_kill_self(const struct attempt *a)
{
    (void)a;
    return outcome(kill(getpid(), 0));
}

int try_tgkill_parent(const struct attempt *a)
{
    return outcome(syscall(SYS_tgkill, a->parent, a->parent, SIGABRT));
}

int try_ptrace(const struct attempt *a)
{
    return outcome(ptrace(PTRACE_ATTACH, a->parent, NULL, NULL));
}

int try_process_vm(const struct attempt *a)
{
    char here[1];
    struct iovec local = {.iov_base = here, .iov_len = 1};
    struct iovec remote = {.iov_base = here, .iov_len = 1};
    return outcome(syscall(SYS_process_vm_readv, a->parent, &local, 1, &remote, 1, 0));
}

int try_exec_memory(const struct attempt *a)
{
    (void)a;
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? errno : 0;
}

int try_make_executable(const struct attempt *a)
{
    (void)a;
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? errno : outcome(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

int try_setuid(const struct attempt *a)
{
    (void)a;
    return outcome(syscall(SYS_setresuid, 0, 0, 0));
}

int try_chroot(const struct attempt *a)
{
    return outcome(chroot(a->folder));
}

int try_unshare(const struct attempt *a)
{
    (void)a;
    return outcome(unshare(CLONE_NEWUSER));
}

int try_mount(const struct attempt *a)
{
    return outcome(mount("none", a->folder, "tmpfs", 0, NULL));
}

int try_bpf(const struct attempt *a)
{
    (void)a;
    return outcome(syscall(SYS_bpf, 0, NULL, 0));
}

int try_keyctl(const struct attempt *a)
{
    (void)a;
    return outcome(syscall(SYS_keyctl, 0, 0, 0, 0, 0));
}

int try_io_uring(const struct attempt *a)
{
    (void)a;
    return outcome(syscall(SYS_io_uring_setup, 1, NULL));
}

int try_userfaultfd(const struct attempt *a)
{
    (void)a;
    return outcome(syscall(SYS_userfaultfd, 0));
}

int try_raise_limit(const struct attempt *a)
{
    (void)a;
    struct rlimit more = {.rlim_cur = 1 << 20, .rlim_max = 1 << 20};
    return outcome(setrlimit(RLIMIT_CORE, &more));
}

int try_dumpable(const struct attempt *a)
{
    (void)a;
    return outcome(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

/* Signals by way of a descriptor's owner. */
int try_sigio(const struct attempt *a)
{
    return outcome(fcntl(a->socket_fd, F_SETOWN, a->parent));
}

int try_pidfd(const struct attempt *a)
{
    return outcome(syscall(SYS_pidfd_open, a->parent, 0));
}
