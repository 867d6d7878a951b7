/* opinion: starts another linter, hands it a certificate on its standard input, and says to the examiner what
 * it said. It exists where lintel.yaml names such a command, beside the examiner and not in it, because that
 * program is not ours: it gets no network, no book, no key, no folder to write to, and may start only itself.
 *
 * The command's input is a sealed memory file, so that "{}" (its path) and standard input both work; its
 * output goes to such files as well, under a limit of size, so that nothing has to be read while it runs.
 * Refuses to wait longer than the configured time: then the command is ended, and that is an answer, too.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/text.h"
#include "role/kit.h"
#include "role/opinion.h"

#include <jansson.h>

enum {
    JOBS_MAX = 16,
    WAITING_MAX = 512,
    OUTPUT_MAX = 1024 * 1024,
    PEM_MAX = 256 * 1024,
    ARENA_MAX = 16 * 1024 * 1024,
    TICK_MS = 100,
    ID_OF_PIDFD = 3, /* P_PIDFD of waitid */
    CHILD_FAILED = 127,
    DETAIL_MAX = 800,
};

/* A certificate on its way: waiting, or with a command. */
struct job {
    struct job *next; /* of those that wait */
    struct ipc_addr to;
    int in_fd; /* owned, as are the others; -1: none */
    int out_fd;
    int err_fd;
    int pid_fd;
    int64_t until_ms; /* then it is ended; while it waits: then it is sent back */
    bool late;
};

struct opinion {
    struct role_kit *kit;
    struct ca_config *config; /* owned */
    struct lt_arena arena;    /* of one answer */
    char **arguments;         /* owned; of the command */
    struct job *running[JOBS_MAX];
    struct job *first; /* waiting, oldest first */
    struct job *last;
    size_t waiting;
};

static struct sandbox_profile walls;

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd); /* memory files and a pidfd: nothing to lose */
        *fd = -1;
    }
}

static void job_free(struct job *j)
{
    close_fd(&j->in_fd);
    close_fd(&j->out_fd);
    close_fd(&j->err_fd);
    close_fd(&j->pid_fd);
    free(j);
}

/* ---- the command ---- */

static lt_res input_file(lt_slice der, int *ret_fd)
{
    struct lt_buf pem;
    lt_buf_init(&pem, PEM_MAX);
    lt_pem_add(&pem, "CERTIFICATE", der);
    lt_res r = lt_buf_check(&pem);
    LT_CLEANUP(lt_fd_closep)
    int fd = lt_failed(r) ? -1 : memfd_create("certificate", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    bool good = fd >= 0 && write(fd, pem.ptr, pem.len) == (ssize_t)pem.len && lseek(fd, 0, SEEK_SET) == 0 &&
                fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) == 0;
    lt_buf_done(&pem);
    LT_TRY(r);
    LT_CHECK(good, LT_RETRY_UNAVAILABLE, "no memory file: %s", strerror(errno));
    *ret_fd = LT_TAKE(fd, -1);
    return LT_OK;
}

/* In the child: nothing here allocates. Our own descriptors end before the first byte of it runs. */
static _Noreturn void become_command(const struct opinion *o, const struct job *j)
{
    static char path[] = "PATH=/usr/local/bin:/usr/bin:/bin";
    static char lang[] = "LANG=C.UTF-8";
    static char home[] = "HOME=/nonexistent";
    char *const environment[] = {path, lang, home, NULL};
    const struct rlimit output = {OUTPUT_MAX, OUTPUT_MAX};
    const rlim_t seconds = (rlim_t)o->config->opinion.timeout_s + 1;
    const struct rlimit time = {seconds, seconds};
    struct sigaction usual = {.sa_handler = SIG_DFL};
    bool good = sigaction(SIGPIPE, &usual, NULL) == 0 && setrlimit(RLIMIT_FSIZE, &output) == 0 &&
                setrlimit(RLIMIT_CPU, &time) == 0 && dup2(j->in_fd, STDIN_FILENO) >= 0 &&
                dup2(j->out_fd, STDOUT_FILENO) >= 0 && dup2(j->err_fd, STDERR_FILENO) >= 0 &&
                close_range(STDERR_FILENO + 1, ~0U, 0) == 0;
    if (good) {
        (void)execve(o->arguments[0], o->arguments, environment);
    }
    static const char sorry[] = "cannot be started";
    ssize_t said = write(STDERR_FILENO, sorry, sizeof sorry - 1);
    _exit(said < 0 ? CHILD_FAILED : CHILD_FAILED);
}

/* By clone itself, for the descriptor: without kill there is no other way to end it. This process has one
 * thread, so that nothing in libc is caught half-way. */
static lt_res start_command(struct opinion *o, struct job *j)
{
    j->out_fd = memfd_create("output", MFD_CLOEXEC);
    j->err_fd = memfd_create("errors", MFD_CLOEXEC);
    LT_CHECK(j->out_fd >= 0 && j->err_fd >= 0, LT_RETRY_UNAVAILABLE, "no memory file: %s", strerror(errno));
    long pid = syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, &j->pid_fd, NULL, 0);
    LT_CHECK(pid >= 0, LT_RETRY_UNAVAILABLE, "the second opinion cannot be started: %s", strerror(errno));
    if (pid == 0) {
        become_command(o, j);
    }
    j->until_ms = lt_monotonic_ms() + o->config->opinion.timeout_s * 1000;
    return LT_OK;
}

static lt_slice said(struct opinion *o, int fd)
{
    off_t len = lseek(fd, 0, SEEK_END);
    uint8_t *bytes = len <= 0 ? NULL : lt_arena_alloc(&o->arena, (size_t)len);
    ssize_t n = bytes == NULL ? 0 : pread(fd, bytes, (size_t)len, 0);
    return LT_SLICE(bytes, n < 0 ? 0 : (size_t)n);
}

/* ---- answers ---- */

static void answer(struct opinion *o, const struct ipc_addr *to, const Ipc__Opinion *m)
{
    char detail[DETAIL_MAX];
    lt_log(strcmp(m->outcome, "clean") == 0 ? LT_LOG_DEBUG : LT_LOG_WARN, "second opinion",
           "outcome=%s detail=\"%s\"", m->outcome, lt_log_plain(m->detail, detail, sizeof(detail)));
    lt_metric_add(strcmp(m->outcome, "clean") == 0 ? "lintel_opinions_total{outcome=\"clean\"}"
                                                   : "lintel_opinions_total{outcome=\"no\"}",
                  1);
    if (lt_failed(role_reply(o->kit, to, IPC_OPINION_GIVEN, &m->base))) {
        lt_log_error("the examiner did not take an opinion"); /* it waits no longer than it wants to */
    }
}

static void answer_busy(struct opinion *o, const struct ipc_addr *to, const char *why)
{
    static char busy[] = "busy";
    Ipc__Opinion m = IPC__OPINION__INIT;
    m.outcome = busy;
    m.detail = (char *)(uintptr_t)why; /* packed, not kept */
    answer(o, to, &m);
}

/* The command has ended. */
static void job_done(struct opinion *o, struct job *j)
{
    siginfo_t info = {.si_code = 0};
    Ipc__Opinion m;
    LT_ASSERT(waitid((idtype_t)ID_OF_PIDFD, (id_t)j->pid_fd, &info, WEXITED) == 0);
    struct opinion_end end = {
        .code = info.si_code,
        .status = info.si_status,
        .late = j->late,
        .out = said(o, j->out_fd),
        .err = said(o, j->err_fd),
    };
    opinion_read(&o->config->opinion, &end, &o->arena, &m);
    answer(o, &j->to, &m);
    lt_arena_reset(&o->arena);
}

/* ---- the queue ---- */

static void start_next(struct opinion *o)
{
    for (size_t i = 0; i < o->config->opinion.processes && o->first != NULL; i++) {
        if (o->running[i] != NULL) {
            continue;
        }
        struct job *j = o->first;
        o->first = j->next;
        o->waiting--;
        if (lt_failed(start_command(o, j))) {
            lt_log_error("no second opinion");
            answer_busy(o, &j->to, "the second opinion cannot be started");
            job_free(j);
        } else {
            o->running[i] = j;
        }
    }
}

static lt_res on_request(void *self, const struct ipc_msg *m)
{
    struct opinion *o = self;
    const Ipc__OpinionRequest *q = (const Ipc__OpinionRequest *)(const void *)m->body;
    LT_CHECK(q->certificate.len > 0, LT_PEER_MALFORMED, "an opinion on nothing");
    if (o->waiting == WAITING_MAX) {
        answer_busy(o, &m->from, "too much waits for the second opinion");
        return LT_OK;
    }
    struct job *j = calloc(1, sizeof *j);
    LT_ASSERT(j != NULL);
    *j = (struct job){.to = m->from, .in_fd = -1, .out_fd = -1, .err_fd = -1, .pid_fd = -1};
    j->until_ms = lt_monotonic_ms() + o->config->opinion.timeout_s * 1000;
    if (lt_failed(input_file(LT_SLICE(q->certificate.data, q->certificate.len), &j->in_fd))) {
        lt_log_error("no second opinion");
        answer_busy(o, &m->from, "no memory for the second opinion");
        job_free(j);
        return LT_OK;
    }
    *(o->first == NULL ? &o->first : &o->last->next) = j;
    o->last = j;
    o->waiting++;
    start_next(o);
    return LT_OK;
}

static void end_late(struct opinion *o, int64_t now_ms)
{
    for (size_t i = 0; i < JOBS_MAX; i++) {
        struct job *j = o->running[i];
        if (j != NULL && !j->late && now_ms >= j->until_ms) {
            j->late = true;
            (void)syscall(SYS_pidfd_send_signal, j->pid_fd, SIGKILL, NULL,
                          0); /* it may have ended just now */
        }
    }
    while (o->first != NULL && now_ms >= o->first->until_ms) {
        struct job *j = o->first;
        o->first = j->next;
        o->waiting--;
        answer_busy(o, &j->to, "the second opinion has too much to do");
        job_free(j);
    }
}

/* Waits for the family or a command's end, whichever comes first. */
static void look(struct opinion *o)
{
    struct pollfd polls[1 + JOBS_MAX];
    size_t slot[1 + JOBS_MAX];
    nfds_t count = 1;
    polls[0] = (struct pollfd){.fd = role_kit_fd(o->kit), .events = POLLIN};
    for (size_t i = 0; i < JOBS_MAX; i++) {
        if (o->running[i] != NULL) {
            slot[count] = i;
            polls[count++] = (struct pollfd){.fd = o->running[i]->pid_fd, .events = POLLIN};
        }
    }
    if (poll(polls, count, TICK_MS) < 0) {
        return; /* a signal: once more */
    }
    for (nfds_t i = 1; i < count; i++) {
        if (polls[i].revents != 0) {
            struct job *j = LT_TAKE(o->running[slot[i]], NULL);
            job_done(o, j);
            job_free(j);
        }
    }
}

static lt_res run(void *self)
{
    struct opinion *o = self;
    while (role_kit_dispatch(o->kit)) {
        look(o);
        end_late(o, lt_monotonic_ms());
        start_next(o);
    }
    return LT_OK;
}

static bool drained(void *self)
{
    const struct opinion *o = self;
    for (size_t i = 0; i < JOBS_MAX; i++) {
        if (o->running[i] != NULL) {
            return false;
        }
    }
    return o->first == NULL;
}

/* "{}" is the certificate's path: standard input by its name. */
static void take_arguments(struct opinion *o)
{
    static char input[] = "/dev/stdin";
    const struct ca_config_opinion *c = &o->config->opinion;
    o->arguments = calloc(c->command_count + 1, sizeof o->arguments[0]);
    LT_ASSERT(o->arguments != NULL);
    for (uint32_t i = 0; i < c->command_count; i++) {
        o->arguments[i] = strcmp(c->command[i], "{}") == 0 ? input : (char *)(uintptr_t)c->command[i];
    }
}

static lt_res start(struct role_kit *kit, const Ipc__Start *m, const int *listener_fds, void **ret_self)
{
    (void)listener_fds; /* it has none */
    static struct opinion opinion;
    static struct lt_arena standing; /* the paths of the walls: as long as the process */
    struct opinion *o = &opinion;
    size_t seed = 0;
    o->kit = kit;
    lt_arena_init(&o->arena, ARENA_MAX);
    lt_arena_init(&standing, ARENA_MAX);
    lt_random((uint8_t *)&seed, sizeof seed);
    json_object_seed(seed);
    LT_TRY(ca_config_parse(lt_slice_cstr(m->config_yaml), &o->config));
    LT_CHECK(o->config->opinion.command_count > 0, LT_PEER_USAGE, "no second-opinion is configured");
    take_arguments(o);
    *ret_self = o;
    return opinion_walls(&o->config->opinion, &standing, &walls);
}

static const struct role_route routes[] = {
    {IPC_EXAMINER, IPC_OPINION_REQUEST, on_request},
};

int main(void)
{
    static const struct role_spec spec = {
        .role = IPC_OPINION,
        .routes = routes,
        .route_count = LT_COUNT(routes),
        .sandbox = &walls,
        .start = start,
        .run = run,
        .drained = drained,
    };
    return role_main(&spec);
}
