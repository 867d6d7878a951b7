/* The processes of the family: which there are, when each starts and stops, what its death means.
 *
 * A crash is a restart with backoff (50 ms doubling to 10 s, forgotten after 30 s of health) and fresh links
 * to its neighbours. Three crashes of registrar, examiner or signer within a minute hold issuance until
 * somebody looks; being killed from outside is a restart, but no such crash. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "control.pb-c.h"
#include "role/exit.h"
#include "role/supervisor.h"

enum {
    BACKOFF_FIRST_MS = 50,
    BACKOFF_MOST_MS = 10000,
    HEALTHY_AFTER_MS = 30000,
    STEADY_AFTER_MS = 1000, /* enough for one that was killed from outside */
    HOLD_WINDOW_MS = 60000,
    START_LIMIT_MS = 600000, /* a large book takes its time */
    CONTROL_FD = 3,
};

#define BIT(role_) (1U << (role_))

/* In the order of starting. At the first start a role waits until those in `after` are ready: the book exists
 * before it is read, and nobody is let in before there is somebody to answer. Drained in the order of
 * `drain`: faces, judges, truth, keys; each may still ask those behind it while it finishes. */
static const struct plan {
    enum ipc_role role;
    unsigned after;
    unsigned drain;
} plans[] = {
    {IPC_TOKEN, 0, 8},
    {IPC_SIGNER, 0, 7},
    {IPC_OCSP_SIGNER, 0, 7},
    {IPC_OPINION, 0, 7},
    {IPC_EXAMINER, 0, 6},
    {IPC_REGISTRAR, 0, 4},
    {IPC_VALIDATOR, 0, 5},
    {IPC_COURIER, 0, 5},
    {IPC_MAILROOM, 0, 5},
    {IPC_NOTARY, 0, 2},
    {IPC_READER, BIT(IPC_REGISTRAR), 3},
    {IPC_PUBLISHER, BIT(IPC_REGISTRAR), 3},
    {IPC_GATEWAY, BIT(IPC_REGISTRAR) | BIT(IPC_NOTARY), 1},
};
enum { DRAIN_STEPS = 9 };

static const struct plan *plan_of(enum ipc_role role)
{
    for (size_t i = 0; i < LT_COUNT(plans); i++) {
        if (plans[i].role == role) {
            return &plans[i];
        }
    }
    LT_ASSERT(false);
    return NULL;
}

/* Whom would a courier go to? The folder is ours to stand in. */
static bool has_perspectives(void)
{
    DIR *dir = opendir("perspectives");
    const struct dirent *entry = NULL;
    while (dir != NULL && (entry = readdir(dir)) != NULL &&
           !lt_slice_ends(lt_slice_cstr(entry->d_name), LT_LIT(".json"))) {
    }
    if (dir != NULL) {
        (void)closedir(dir); /* was only read */
    }
    return entry != NULL;
}

static bool has_ocsp(const struct ca_config *config)
{
    for (uint32_t i = 0; i < config->issuer_count; i++) {
        if (config->issuers[i].ocsp) {
            return true;
        }
    }
    return false;
}

static uint32_t wanted(const struct supervisor *s, enum ipc_role role)
{
    if (role == IPC_TOKEN) {
        return s->config->token_module[0] == 0 ? 0 : 1;
    }
    if (role == IPC_OCSP_SIGNER) {
        return has_ocsp(s->config) ? 1 : 0;
    }
    if (role == IPC_OPINION) {
        return s->config->opinion.command_count == 0 ? 0 : 1;
    }
    if (role == IPC_COURIER) {
        return has_perspectives() || s->config->mail_relay[0] != 0 || s->config->crl_fetch_back ||
                       s->config->usage_scan || s->config->hooks
                   ? 1
                   : 0;
    }
    return role == IPC_GATEWAY  ? s->config->gateways
           : role == IPC_NOTARY ? s->config->notaries
           : role == IPC_READER ? s->config->readers
                                : 1;
}

/* A board outlives its process: its successor goes on counting, and the gateways need no new descriptor. */
static lt_res new_board(struct process *p)
{
    LT_CLEANUP(lt_fd_closep) int fd = memfd_create("lintel-metrics", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    LT_CHECK(fd >= 0 && ftruncate(fd, sizeof(struct lt_metrics)) == 0, LT_STATE_IO, "memfd: %s",
             strerror(errno));
    LT_CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0, LT_STATE_IO,
             "memfd seals: %s", strerror(errno));
    LT_CHECK(fchmod(fd, 0600) == 0, LT_STATE_IO, "memfd: %s", strerror(errno));
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    p->board_reader_fd = open(path, O_RDONLY | O_CLOEXEC);
    LT_CHECK(p->board_reader_fd >= 0, LT_STATE_IO, "%s: %s", path, strerror(errno));
    p->board_fd = LT_TAKE(fd, -1);
    return LT_OK;
}

lt_res family_new(struct supervisor *s)
{
    for (size_t i = 0; i < LT_COUNT(plans); i++) {
        LT_CHECK(wanted(s, plans[i].role) <= IPC_MAX_INSTANCES, LT_PEER_USAGE,
                 "at most %d of a role, not %u %ss", IPC_MAX_INSTANCES, wanted(s, plans[i].role),
                 ipc_role_name(plans[i].role));
        for (uint32_t n = 0; n < wanted(s, plans[i].role); n++) {
            LT_CHECK(s->process_count < MAX_PROCESSES, LT_PEER_USAGE,
                     "more than %d processes: lower gateways, notaries or readers", MAX_PROCESSES);
            struct process *p = &s->processes[s->process_count++];
            p->role = plans[i].role;
            p->instance = n;
            p->backoff_ms = BACKOFF_FIRST_MS;
            (void)snprintf(p->name, sizeof p->name, "%s-%u", ipc_role_name(p->role), n);
            LT_TRY(new_board(p));
        }
    }
    return LT_OK;
}

struct process *family_find(struct supervisor *s, enum ipc_role role, uint32_t instance)
{
    for (size_t i = 0; i < s->process_count; i++) {
        if (s->processes[i].role == role && s->processes[i].instance == instance) {
            return &s->processes[i];
        }
    }
    return NULL;
}

bool family_all_ready(const struct supervisor *s)
{
    for (size_t i = 0; i < s->process_count; i++) {
        if (s->processes[i].state != PROCESS_READY) {
            return false;
        }
    }
    return true;
}

static const char *const kept_environment[] = {"PATH",          "TZ",           "ASAN_OPTIONS",
                                               "UBSAN_OPTIONS", "LSAN_OPTIONS", "SOFTHSM2_CONF"};

/* What a role sees of our environment. Storage lives until exec. */
static void keep_environment(char **kept, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < LT_COUNT(kept_environment) && n + 1 < size; i++) {
        const char *value = getenv(kept_environment[i]);
        if (value != NULL) {
            kept[n++] = (char *)(uintptr_t)(value - strlen(kept_environment[i]) - 1);
        }
    }
    kept[n] = NULL;
}

static void die(const char *what)
{
    lt_log(LT_LOG_ERROR, what, "error=\"%s\"", strerror(errno));
    _exit(127);
}

/* Only this process's groups and user; root's are gone for good. */
static void become(const struct supervisor *s, enum ipc_role role)
{
    if (!s->own_users) {
        return;
    }
    uid_t uid;
    gid_t gid;
    folder_ids(s, role, &uid, &gid);
    gid_t book = folder_book_gid(s);
    if (setgroups(folder_in_book_group(role) ? 1 : 0, &book) != 0 || setresgid(gid, gid, gid) != 0 ||
        setresuid(uid, uid, uid) != 0) {
        die("cannot become the role's user");
    }
}

/* Who works for seconds on end gives way to who issues: orders do not wait for lists, files and answers that
 * are made ahead. */
static void give_way(enum ipc_role role)
{
    enum { NICE = 5 };
    if (role == IPC_PUBLISHER || role == IPC_READER || role == IPC_OCSP_SIGNER) {
        (void)setpriority(PRIO_PROCESS, 0, NICE); /* where that is not possible, all are equal */
    }
}

/* In the child, between fork and exec. */
static _Noreturn void exec_role(const struct supervisor *s, const struct process *p, int control_fd)
{
    char path[1200];
    char name[64];
    char instance[16];
    char *environment[LT_COUNT(kept_environment) + 1];
    (void)snprintf(path, sizeof path, "%s/lintel-%s", s->libexec, ipc_role_name(p->role));
    (void)snprintf(name, sizeof name, "lintel-%s", ipc_role_name(p->role));
    (void)snprintf(instance, sizeof instance, "%u", p->instance);
    keep_environment(environment, LT_COUNT(environment));
    /* Opened as ourselves: the role's user may be unable to walk to where we are installed. */
    int program = open(path, O_RDONLY | O_CLOEXEC);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (program < 0 || null < 0) {
        die(path);
    }
    sigset_t none;
    LT_ASSERT(sigemptyset(&none) == 0 && sigprocmask(SIG_SETMASK, &none, NULL) == 0);
    program = fcntl(program, F_DUPFD_CLOEXEC, CONTROL_FD + 1); /* out of the way of what follows */
    control_fd = fcntl(control_fd, F_DUPFD_CLOEXEC, CONTROL_FD + 1);
    if (program < 0 || control_fd < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
        dup2(control_fd, CONTROL_FD) < 0) {
        die("descriptors of a role");
    }
    /* What a shell or a service manager left open in us ends here too. */
    if (close_range(CONTROL_FD + 1, ~0U, CLOSE_RANGE_CLOEXEC) != 0) {
        die("close_range");
    }
    give_way(p->role);
    become(s, p->role);
    char *arguments[] = {name, instance, NULL};
    (void)execve(path, arguments, environment);
    (void)fexecve(program, arguments, environment);
    die(path);
    abort();
}

static lt_res spawn(struct supervisor *s, struct process *p)
{
    int pair[2];
    LT_CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0, LT_STATE_IO, "socketpair: %s",
             strerror(errno));
    LT_CLEANUP(lt_fd_closep) int ours = pair[0];
    LT_CLEANUP(lt_fd_closep) int theirs = pair[1];
    pid_t pid = fork();
    LT_CHECK(pid >= 0, LT_STATE_IO, "fork: %s", strerror(errno));
    if (pid == 0) {
        exec_role(s, p, theirs);
    }
    p->pid = pid;
    p->started_ms = lt_monotonic_ms();
    p->state = PROCESS_STARTING;
    p->misbehaved = false;
    p->ended = false;
    p->seccomp = false;
    p->landlock_abi = 0;
    LT_TRY(ipc_link_new(LT_TAKE(ours, -1), IPC_SUPERVISOR, p->role, p->instance, &p->control));
    LT_TRY(control_start(s, p));
    for (size_t i = 0; i < s->process_count; i++) {
        struct process *other = &s->processes[i];
        if (other != p && other->control != NULL && ipc_neighbours(p->role, other->role)) {
            LT_TRY(control_link(s, p, other));
        }
    }
    return LT_OK;
}

static bool may_start(const struct supervisor *s, const struct process *p)
{
    unsigned after = s->announced ? 0 : plan_of(p->role)->after;
    for (size_t i = 0; i < s->process_count; i++) {
        if ((after & BIT(s->processes[i].role)) != 0 && s->processes[i].state != PROCESS_READY) {
            return false;
        }
    }
    return true;
}

int family_start_due(struct supervisor *s, int64_t now_ms)
{
    int64_t wait_ms = -1;
    for (size_t i = 0; i < s->process_count; i++) {
        struct process *p = &s->processes[i];
        if (p->state == PROCESS_STARTING && now_ms - p->started_ms > START_LIMIT_MS) {
            lt_log(LT_LOG_ERROR, "did not get ready in time", "process=%s", p->name);
            p->ended = true;
            (void)kill(p->pid, SIGKILL); /* its end is reaped as a crash */
            p->started_ms = now_ms;
        }
        if (p->state != PROCESS_DOWN || p->pid != 0 || !may_start(s, p)) {
            continue;
        }
        int64_t left_ms = p->next_start_ms - now_ms;
        if (left_ms > 0) {
            wait_ms = wait_ms < 0 || left_ms < wait_ms ? left_ms : wait_ms;
            continue;
        }
        if (lt_failed(spawn(s, p))) {
            lt_log_error("cannot start a process");
            if (p->pid != 0) {
                (void)kill(p->pid, SIGKILL); /* as above */
            } else {
                p->next_start_ms = now_ms + BACKOFF_MOST_MS;
            }
        }
    }
    return (int)wait_ms;
}

static void describe_end(int status, char *ret_text, size_t size)
{
    if (WIFSIGNALED(status)) {
        int number = WTERMSIG(status);
        (void)snprintf(ret_text, size, "signal %d (%s)%s", number, strsignal(number),
                       number == SIGSYS ? ": a system call that its sandbox forbids" : "");
    } else {
        (void)snprintf(ret_text, size, "exit status %d", WEXITSTATUS(status));
    }
}

static bool is_key_role(enum ipc_role role)
{
    return role == IPC_REGISTRAR || role == IPC_EXAMINER || role == IPC_SIGNER;
}

static void count_key_crash(struct supervisor *s, const struct process *p, int64_t now_ms)
{
    memmove(s->key_crash_ms, s->key_crash_ms + 1, sizeof s->key_crash_ms - sizeof s->key_crash_ms[0]);
    s->key_crash_ms[HOLD_CRASHES - 1] = now_ms;
    int64_t oldest_ms = s->key_crash_ms[0];
    if (!s->held && oldest_ms != 0 && now_ms - oldest_ms < HOLD_WINDOW_MS) {
        char reason[160];
        (void)snprintf(reason, sizeof reason,
                       "%d crashes of registrar, examiner or signer in a minute, last %s", HOLD_CRASHES,
                       p->name);
        control_hold(s, true, reason);
    }
}

/* A SIGKILL that is not ours is an administrator's hand or an empty machine: nothing that a fault in a
 * program can do to it, and so no sign that one is being broken. Nor is a server that is out of reach. */
static bool is_fault(const struct process *p, int status)
{
    if (!p->ended && !p->misbehaved && WIFEXITED(status) && WEXITSTATUS(status) == ROLE_CUT_OFF) {
        return false;
    }
    return p->ended || p->misbehaved || !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL;
}

static void take_crash(struct supervisor *s, struct process *p, int status)
{
    char how[120];
    describe_end(status, how, sizeof how);
    int64_t now_ms = lt_monotonic_ms();
    bool fault = is_fault(p, status);
    if (now_ms - p->started_ms > (fault ? HEALTHY_AFTER_MS : STEADY_AFTER_MS)) {
        p->backoff_ms = BACKOFF_FIRST_MS;
    }
    p->crashes++;
    p->next_start_ms = now_ms + p->backoff_ms;
    lt_log(LT_LOG_ERROR, "a process died", "process=%s how=\"%s\" crashes=%llu again_in_ms=%lld", p->name,
           how, (unsigned long long)p->crashes, (long long)p->backoff_ms);
    p->backoff_ms = p->backoff_ms * 2 > BACKOFF_MOST_MS ? BACKOFF_MOST_MS : p->backoff_ms * 2;
    control_event(s, p, p->misbehaved ? "misbehaved" : "crashed", how);
    if (is_key_role(p->role) && fault) {
        count_key_crash(s, p, now_ms);
    }
}

void family_reap(struct supervisor *s, pid_t pid, int status)
{
    struct process *p = NULL;
    for (size_t i = 0; i < s->process_count; i++) {
        p = s->processes[i].pid == pid ? &s->processes[i] : p;
    }
    if (p == NULL) {
        return; /* not one of ours: a child inherited over exec */
    }
    if (p->control != NULL) {
        control_read(s, p); /* its last words */
    }
    if (p->control != NULL) {
        ipc_link_free(LT_TAKE(p->control, NULL));
    }
    p->pid = 0;
    bool clean = WIFEXITED(status) && WEXITSTATUS(status) == 0 && p->state == PROCESS_DRAINING;
    p->state = PROCESS_DOWN;
    if (clean) {
        return;
    }
    take_crash(s, p, status);
    s->failed |= s->stopping;
}

static lt_res send_drain(struct supervisor *s, struct process *p)
{
    Ipc__Drain body = IPC__DRAIN__INIT;
    p->state = PROCESS_DRAINING;
    return control_send(s, p, IPC_DRAIN, &body.base, NULL, 0);
}

bool family_drain(struct supervisor *s, int64_t now_ms)
{
    if (now_ms >= s->stop_until_ms) {
        family_kill_all(s);
    }
    for (unsigned step = 1; step < DRAIN_STEPS; step++) {
        bool busy = false;
        for (size_t i = 0; i < s->process_count; i++) {
            struct process *p = &s->processes[i];
            if (p->pid == 0 || plan_of(p->role)->drain != step) {
                continue;
            }
            busy = true;
            if (p->state != PROCESS_DRAINING && (p->control == NULL || lt_failed(send_drain(s, p)))) {
                (void)kill(p->pid, SIGKILL); /* it cannot be told */
            }
        }
        if (busy) {
            return false; /* those behind wait until these are gone */
        }
    }
    return true;
}

void family_kill_all(struct supervisor *s)
{
    for (size_t i = 0; i < s->process_count; i++) {
        struct process *p = &s->processes[i];
        if (p->pid != 0) {
            lt_log(LT_LOG_ERROR, "did not finish in time", "process=%s", p->name);
            (void)kill(p->pid, SIGKILL); /* reaped by the loop */
            s->failed = true;
        }
    }
}
