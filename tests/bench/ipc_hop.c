/* What a hop between two programs costs: question and answer over one link, two processes, as the kit does it
 * (epoll, receive, decode, encode, send). Prints microseconds per round trip and CPU per message.
 *   ipc_hop [BYTES] [ROUNDS] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "http.pb-c.h"
#include "ipc/ipc.h"

static double seconds(clockid_t id)
{
    struct timespec t;
    LT_ASSERT(clock_gettime(id, &t) == 0);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The next message, waiting as a role does; false at the end. */
static bool next(struct ipc_link *link, int epoll_fd, struct lt_arena *a, struct ipc_msg *m)
{
    for (;;) {
        lt_arena_reset(a);
        lt_res r = ipc_link_recv(link, a, m);
        if (r.code == LT_RETRY_AGAIN) {
            struct epoll_event e;
            (void)epoll_wait(epoll_fd, &e, 1, -1);
            continue;
        }
        return !lt_failed(r);
    }
}

static int watch(struct ipc_link *link)
{
    int fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event e = {.events = EPOLLIN};
    LT_ASSERT(fd >= 0 && epoll_ctl(fd, EPOLL_CTL_ADD, ipc_link_fd(link), &e) == 0);
    return fd;
}

static void answer_all(int fd)
{
    struct ipc_link *link = NULL;
    struct lt_arena a;
    struct ipc_msg m;
    lt_arena_init(&a, 1 << 20);
    LT_ASSERT(!lt_failed(ipc_link_new(fd, IPC_NOTARY, IPC_GATEWAY, 0, &link)));
    int epoll_fd = watch(link);
    while (next(link, epoll_fd, &a, &m)) {
        Ipc__HttpResponse r = IPC__HTTP_RESPONSE__INIT;
        r.status = 200;
        LT_ASSERT(!lt_failed(ipc_link_send(link, IPC_HTTP_RESPONSE, m.from.id, &r.base, NULL, 0)));
    }
    _exit(0);
}

int main(int argc, char **argv)
{
    size_t bytes = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
    unsigned long rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 100000;
    int pair[2];
    LT_ASSERT(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
    pid_t pid = fork();
    LT_ASSERT(pid >= 0);
    if (pid == 0) {
        (void)close(pair[0]);
        answer_all(pair[1]);
    }
    (void)close(pair[1]);
    struct ipc_link *link = NULL;
    struct lt_arena a;
    struct ipc_msg m;
    lt_arena_init(&a, 1 << 20);
    LT_ASSERT(!lt_failed(ipc_link_new(pair[0], IPC_GATEWAY, IPC_NOTARY, 0, &link)));
    int epoll_fd = watch(link);
    Ipc__HttpRequest q = IPC__HTTP_REQUEST__INIT;
    q.body.len = bytes;
    q.body.data = calloc(1, bytes + 1);
    double wall = seconds(CLOCK_MONOTONIC);
    for (unsigned long i = 0; i < rounds; i++) {
        LT_ASSERT(!lt_failed(ipc_link_send(link, IPC_HTTP_REQUEST, i, &q.base, NULL, 0)));
        LT_ASSERT(next(link, epoll_fd, &a, &m) && m.from.id == i);
    }
    wall = seconds(CLOCK_MONOTONIC) - wall;
    ipc_link_free(link);
    (void)waitpid(pid, NULL, 0);
    struct rusage ours;
    struct rusage theirs;
    LT_ASSERT(getrusage(RUSAGE_SELF, &ours) == 0 && getrusage(RUSAGE_CHILDREN, &theirs) == 0);
    double cpu = 0;
    for (int i = 0; i < 2; i++) {
        const struct rusage *u = i == 0 ? &ours : &theirs;
        cpu += (double)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) +
               (double)(u->ru_utime.tv_usec + u->ru_stime.tv_usec) / 1e6;
    }
    printf("%zu bytes: %.1f us per question and answer, %.1f us of CPU for both ends\n", bytes,
           wall / (double)rounds * 1e6, cpu / (double)rounds * 1e6);
    free(q.body.data);
    lt_arena_done(&a);
    return 0;
}
