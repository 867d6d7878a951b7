/* A drill's programs: the supervisor as a child, which ends when we do, and the page by which we alone move
 * its time. How far it is ahead is in the folder before it is on the page, so time never goes back. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "ca/scratch.h"
#include "cmd/api.h"
#include "cmd/drill.h"
#include "cmd/verbs.h"

enum {
    READY_MS = 300000,
    GONE_MS = 60000,
    STOP_MS = 30000,
    POLL_MS = 20,
    BEAT_MS = 120000,
    SLICES = 24,
    SLICE_LEAST_S = 300,
    SLICE_MOST_S = 3000, /* a CRL on its way to the signer bears no hour between */
    FAR_S = 72 * 3600,
    SLICE_FAR_S = 43200,
    TICK_MS = 200,
    STATUS_MAX = 1024 * 1024,
};

static lt_res make_clock(struct drill *d)
{
    const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;
    int64_t ahead_us = 0;
    LT_CLEANUP(lt_fd_closep) int dir = open(d->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(dir >= 0, LT_PEER_NOT_FOUND, "%.150s: %s", d->folder, strerror(errno));
    LT_TRY(ca_scratch_check(dir, true));
    LT_TRY(ca_scratch_ahead(dir, &ahead_us));
    d->clock_fd = memfd_create("lintel-drill-clock", MFD_ALLOW_SEALING | MFD_CLOEXEC);
    LT_CHECK(d->clock_fd >= 0 && ftruncate(d->clock_fd, LT_CLOCK_PAGE_SIZE) == 0, LT_STATE_IO, "memfd: %s",
             strerror(errno));
    void *p = mmap(NULL, LT_CLOCK_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, d->clock_fd, 0);
    LT_CHECK(p != MAP_FAILED && fcntl(d->clock_fd, F_ADD_SEALS, seals) == 0, LT_STATE_IO, "memfd: %s",
             strerror(errno));
    d->clock = p;
    atomic_store_explicit(&d->clock->ahead_us, ahead_us, memory_order_relaxed);
    lt_clock_use(d->clock);
    return LT_OK;
}

static lt_res set_clock(struct drill *d, int64_t now_us)
{
    char text[40];
    int64_t ahead_us = lt_clock_ahead_us() + now_us - lt_now().us;
    if (ahead_us <= lt_clock_ahead_us()) {
        return LT_OK;
    }
    LT_CLEANUP(lt_fd_closep) int dir = open(d->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(dir >= 0, LT_STATE_IO, "%.150s: %s", d->folder, strerror(errno));
    (void)snprintf(text, sizeof text, "%lld\n", (long long)ahead_us);
    LT_TRY(lt_file_replace(dir, CA_SCRATCH_CLOCK, 0644, lt_slice_cstr(text)));
    atomic_store_explicit(&d->clock->ahead_us, ahead_us, memory_order_relaxed);
    return LT_OK;
}

/* In the child, between fork and exec. */
static _Noreturn void become_supervisor(const struct drill *d, const char *libexec)
{
    char program[PATH_MAX + 32];
    char clock[16];
    char path[PATH_MAX];
    char option[] = "--drill-clock";
    char option_libexec[] = "--libexec";
    char *argv[] = {
        program, (char *)(uintptr_t)d->folder, option_libexec, (char *)(uintptr_t)libexec, option, clock,
        NULL};
    (void)snprintf(program, sizeof program, "%s/lintel-supervisor", libexec);
    (void)snprintf(path, sizeof path, "%s/drill/serve.log", d->folder);
    int fd = fcntl(d->clock_fd, F_DUPFD, 10);
    int log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    (void)snprintf(clock, sizeof clock, "%d", fd);
    if (fd < 0 || log < 0 || null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
        dup2(log, STDERR_FILENO) < 0) {
        _exit(127);
    }
    (void)setpgid(0, 0); /* Ctrl-C is for us: we stop it in order */
    (void)execv(program, argv);
    _exit(127);
}

static lt_res spawn(struct drill *d)
{
    char libexec[PATH_MAX];
    LT_TRY(cmd_libexec(d->c, libexec));
    pid_t pid = fork();
    LT_CHECK(pid >= 0, LT_STATE_IO, "fork: %s", strerror(errno));
    if (pid == 0) {
        become_supervisor(d, libexec);
    }
    d->supervisor = pid;
    return LT_OK;
}

/* A family of a drill whose engine has died takes a moment to go. */
static lt_res wait_gone(const struct drill *d)
{
    int64_t until_ms = lt_monotonic_ms() + GONE_MS;
    while (cmd_folder_pid(d->folder) != 0) {
        LT_CHECK(lt_monotonic_ms() < until_ms, LT_PEER_CONFLICT, "%.150s: its family runs (process %d)",
                 d->folder, cmd_folder_pid(d->folder));
        (void)usleep(POLL_MS * 1000);
    }
    return LT_OK;
}

static bool is_dead(struct drill *d)
{
    int status = 0;
    if (d->supervisor != 0 && waitpid(d->supervisor, &status, WNOHANG) == d->supervisor) {
        d->supervisor = 0;
    }
    return d->supervisor == 0;
}

/* The family answers, each of its programs is there. */
static lt_res wait_ready(struct drill *d)
{
    int64_t until_ms = lt_monotonic_ms() + READY_MS;
    for (;;) {
        LT_CLEANUP(cmd_json_freep) json_t *beat = NULL;
        LT_CHECK(!is_dead(d), LT_STATE_IO, "the family ended; its last words are in %.150s/drill/serve.log",
                 d->folder);
        lt_res r = cmd_api_get(&d->inner, "drill-beat", &beat);
        if (!lt_failed(r) && cmd_int(beat, "beat_us") > 0) {
            return LT_OK;
        }
        LT_CHECK(lt_monotonic_ms() < until_ms, LT_RETRY_TIMEOUT,
                 "the family did not get ready: %.150s/drill/serve.log", d->folder);
        (void)usleep(POLL_MS * 1000);
    }
}

/* Two engines would move one clock and write one list of steps. Held until the process ends, however. */
static lt_res lock(struct drill *d)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/drill/lock", d->folder);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    LT_CHECK(fd >= 0, LT_STATE_IO, "%.150s: %s", path, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        (void)close(fd); /* nothing was written */
        LT_FAIL(LT_PEER_CONFLICT, "%.150s: this drill is being run, or served, already", d->folder);
    }
    return LT_OK;
}

lt_res drill_family_start(struct drill *d)
{
    LT_ASSERT(setenv("LINTEL_DIR", d->folder, 1) == 0);
    if (d->clock == NULL) {
        LT_TRY(make_clock(d)); /* first: on what is no drill's folder nobody waits */
        LT_TRY(lock(d));
    }
    LT_TRY(wait_gone(d));
    LT_TRY(spawn(d));
    return wait_ready(d);
}

lt_res drill_family_alive(struct drill *d)
{
    if (!is_dead(d)) {
        return LT_OK;
    }
    d->restarts++;
    return drill_family_start(d);
}

void drill_family_stop(struct drill *d)
{
    int64_t until_ms = lt_monotonic_ms() + STOP_MS;
    if (is_dead(d)) {
        return;
    }
    (void)kill(d->supervisor, SIGTERM); /* our child */
    while (!is_dead(d)) {
        if (lt_monotonic_ms() > until_ms) {
            (void)kill(d->supervisor, SIGKILL);
        }
        (void)usleep(POLL_MS * 1000);
    }
}

/* The process of that role, as the supervisor's status has it. */
static lt_res find_role(struct drill *d, const char *role, pid_t *ret_pid)
{
    char path[PATH_MAX];
    lt_slice text;
    (void)snprintf(path, sizeof path, "%s/run/status.json", d->folder);
    LT_TRY(lt_file_read(&d->c->arena, AT_FDCWD, path, STATUS_MAX, &text));
    LT_CLEANUP(cmd_json_freep) json_t *status = json_loadb((const char *)text.ptr, text.len, 0, NULL);
    const json_t *list = json_object_get(status, "processes");
    *ret_pid = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        size_t len = strlen(role);
        if (strncmp(cmd_text(one, "name"), role, len) == 0 && cmd_text(one, "name")[len] == '-') {
            *ret_pid = (pid_t)cmd_int(one, "pid");
        }
    }
    LT_CHECK(*ret_pid > 0, LT_PEER_NOT_FOUND, "no %.40s runs in this family", role);
    return LT_OK;
}

lt_res drill_family_kill(struct drill *d, const char *role)
{
    pid_t pid = d->supervisor;
    LT_TRY(strcmp(role, "supervisor") == 0 ? LT_OK : find_role(d, role, &pid));
    LT_CHECK(pid > 0 && kill(pid, SIGKILL) == 0, LT_STATE_IO, "%.40s: %s", role, strerror(errno));
    return LT_OK;
}

/* Until everything that was due at that time has had its turn. */
static lt_res wait_beat(struct drill *d, int64_t us)
{
    int64_t until_ms = lt_monotonic_ms() + BEAT_MS;
    for (;;) {
        LT_CLEANUP(cmd_json_freep) json_t *beat = NULL;
        LT_TRY(drill_family_alive(d));
        lt_res r = cmd_api_get(&d->inner, "drill-beat", &beat);
        if (!lt_failed(r) && cmd_int(beat, "beat_us") >= us) {
            return LT_OK;
        }
        LT_CHECK(lt_monotonic_ms() < until_ms, LT_RETRY_TIMEOUT, "what is due is not done after %d s",
                 BEAT_MS / 1000);
        (void)usleep(POLL_MS * 1000);
    }
}

lt_res drill_advance(struct drill *d, int64_t until_us)
{
    int64_t all_s = (until_us - lt_now().us) / LT_US_PER_SECOND;
    int64_t slice_s = all_s / SLICES;
    int64_t most_s = all_s > FAR_S ? SLICE_FAR_S : SLICE_MOST_S;
    slice_s = slice_s < SLICE_LEAST_S ? SLICE_LEAST_S : slice_s > most_s ? most_s : slice_s;
    slice_s = d->speed == 0 ? slice_s : (int64_t)(d->speed * TICK_MS / 1000) + 1;
    while (lt_now().us < until_us) {
        int64_t next_us = lt_now().us + slice_s * LT_US_PER_SECOND;
        LT_TRY(set_clock(d, next_us < until_us ? next_us : until_us));
        LT_TRY(wait_beat(d, lt_now().us));
        if (d->speed != 0) {
            (void)usleep(TICK_MS * 1000);
        }
    }
    return LT_OK;
}
