/* lintel-supervisor DIR: starts the family of a CA folder, watches it, stops it.
 *
 *   lintel-supervisor DIR [--libexec DIR] [--log text|json] [--no-sandbox] [--drill-clock FD]
 *
 * FD is the page of a drill's clock (base/clock.h), sealed so that nobody but its maker moves it; then DIR
 * must be a drill's folder, and a drill's folder is served no other way (ca/scratch.h). It ends with its
 * maker. SIGTERM and SIGINT drain: faces first, keys last, within ten seconds; a second one ends at once.
 * SIGHUP reads the configuration again, tells everybody, and lifts a hold (that was somebody looking at it).
 */
#include "role/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <linux/memfd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "control.pb-c.h"

enum { DRAIN_LIMIT_MS = 10000, STATUS_EVERY_MS = 1000, DRAIN_STEP_MS = 5 };

static struct supervisor the_family; /* one process, one family; too large for a stack */

static lt_res watch_signals(struct supervisor *s)
{
    static const int watched[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP};
    sigset_t set;
    LT_ASSERT(sigemptyset(&set) == 0);
    for (size_t i = 0; i < LT_COUNT(watched); i++) {
        LT_ASSERT(sigaddset(&set, watched[i]) == 0);
    }
    LT_ASSERT(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    LT_CHECK(s->signal_fd >= 0 && s->epoll_fd >= 0, LT_STATE_IO, "signalfd: %s", strerror(errno));
    struct epoll_event e = {.events = EPOLLIN, .data.u32 = MAX_PROCESSES};
    LT_CHECK(epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, s->signal_fd, &e) == 0, LT_STATE_IO, "epoll: %s",
             strerror(errno));
    return LT_OK;
}

static void stop(struct supervisor *s)
{
    if (s->stopping) {
        lt_log(LT_LOG_WARN, "told twice: ending at once", "%s", "");
        s->stop_until_ms = lt_monotonic_ms();
        return;
    }
    lt_log(LT_LOG_INFO, "stopping: accepted work is finished first", "%s", "");
    status_notify("STOPPING=1");
    s->stopping = true;
    s->stop_until_ms = lt_monotonic_ms() + DRAIN_LIMIT_MS;
    listen_close(s);
}

static void reload(struct supervisor *s)
{
    status_notify("RELOADING=1");
    lt_res r = folder_load_config(s);
    if (lt_failed(r)) {
        lt_log_error("the configuration is refused, the old one stays");
    } else {
        settings_write(s);
        Ipc__Reload body = IPC__RELOAD__INIT;
        body.config_yaml = (char *)(uintptr_t)s->yaml; /* only read */
        for (size_t i = 0; i < s->process_count && !lt_failed(r); i++) {
            if (s->processes[i].control != NULL) {
                r = control_send(s, &s->processes[i], IPC_RELOAD, &body.base, NULL, 0);
            }
        }
        if (lt_failed(r)) {
            lt_log_error("a process could not be told to reload");
        }
        lt_log(LT_LOG_INFO, "configuration read again", "%s", "");
    }
    if (s->held) {
        control_hold(s, false, "");
    }
    status_notify("READY=1");
}

static void reap_all(struct supervisor *s)
{
    int status = 0;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        family_reap(s, pid, status);
    }
}

static void take_signals(struct supervisor *s)
{
    struct signalfd_siginfo info;
    while (read(s->signal_fd, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGCHLD) {
            reap_all(s);
        } else if (info.ssi_signo == SIGHUP) {
            reload(s);
        } else {
            stop(s);
        }
    }
}

static void announce(struct supervisor *s)
{
    s->announced = true;
    const char *https = "";
    for (size_t i = 0; i < s->listener_count; i++) {
        https = strcmp(s->listeners[i].kind, "https") == 0 ? s->listeners[i].address : https;
    }
    lt_log(LT_LOG_INFO, "ready", "url=%s https=%s processes=%zu start_ms=%lld", s->config->base_url, https,
           s->process_count, (long long)(lt_monotonic_ms() - s->begun_ms));
    if (s->clock_fd >= 0) {
        lt_log(LT_LOG_WARN, "THIS IS A DRILL: its clock is moved, and nobody may trust what it issues", "%s",
               "");
    }
    if (s->test_ca) {
        lt_log(LT_LOG_WARN, "THIS IS A TEST CA: nobody may trust what it issues",
               "testing=%s always_valid=%s", s->testing.wanted ? "on" : "off",
               s->testing.always_valid ? "yes" : "no");
    }
    (void)puts("ready"); /* for scripts; a closed standard output is theirs to choose */
    (void)fflush(stdout);
    status_notify("READY=1");
    control_event(s, NULL, "started", s->folder);
}

static void loop(struct supervisor *s)
{
    for (;;) {
        int64_t now_ms = lt_monotonic_ms();
        if (s->stopping && family_drain(s, now_ms)) {
            return;
        }
        int due_ms = s->stopping ? DRAIN_STEP_MS : family_start_due(s, now_ms);
        if (now_ms >= s->next_status_ms) {
            s->next_status_ms = now_ms + STATUS_EVERY_MS;
            status_write(s);
        }
        int64_t wait_ms = s->next_status_ms - now_ms;
        wait_ms = due_ms >= 0 && due_ms < wait_ms ? due_ms : wait_ms;
        struct epoll_event events[16];
        int n = epoll_wait(s->epoll_fd, events, LT_COUNT(events), (int)wait_ms);
        LT_ASSERT(n >= 0 || errno == EINTR);
        for (int i = 0; i < n; i++) {
            uint32_t at = events[i].data.u32;
            if (at == MAX_PROCESSES) {
                take_signals(s);
                continue;
            }
            control_flush(s, &s->processes[at]);
            control_read(s, &s->processes[at]);
        }
        if (!s->announced && family_all_ready(s)) {
            status_write(s);
            announce(s);
        }
    }
}

static void usage(void)
{
    (void)fprintf(stderr, "usage: lintel-supervisor DIR [--libexec DIR] [--log text|json] [--no-sandbox] "
                          "[--drill-clock FD]\n");
}

/* Only what whoever made it cannot hand to others to write, and what cannot shrink under us. */
static lt_res use_clock(struct supervisor *s, const char *text)
{
    uint64_t fd = 0;
    const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE;
    LT_TRY(lt_parse_u64(lt_slice_cstr(text), INT_MAX, &fd));
    int have = fcntl((int)fd, F_GET_SEALS);
    LT_CHECK(have >= 0 && (have & seals) == seals, LT_PEER_USAGE, "descriptor %d is no drill's clock",
             (int)fd);
    void *p = mmap(NULL, LT_CLOCK_PAGE_SIZE, PROT_READ, MAP_SHARED, (int)fd, 0);
    LT_CHECK(p != MAP_FAILED, LT_STATE_IO, "mapping the drill's clock: %s", strerror(errno));
    s->clock_fd = fcntl((int)fd, F_DUPFD_CLOEXEC, 3);
    LT_CHECK(s->clock_fd >= 0, LT_STATE_IO, "descriptors: %s", strerror(errno));
    (void)close((int)fd); /* ours is the copy */
    lt_clock_use(p);
    LT_ASSERT(prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) == 0);
    return LT_OK;
}

static lt_res parse_arguments(struct supervisor *s, int argc, char **argv, const char **ret_log)
{
    static const struct option options[] = {{"libexec", required_argument, NULL, 'l'},
                                            {"log", required_argument, NULL, 'f'},
                                            {"no-sandbox", no_argument, NULL, 'n'},
                                            {"drill-clock", required_argument, NULL, 'c'},
                                            {0}};
    const char *libexec = NULL;
    int c;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        LT_CHECK(c != '?', LT_PEER_USAGE, "unknown option");
        libexec = c == 'l' ? optarg : libexec;
        *ret_log = c == 'f' ? optarg : *ret_log;
        s->sandbox_off |= c == 'n';
        if (c == 'c') {
            LT_TRY(use_clock(s, optarg));
        }
    }
    LT_CHECK(optind + 1 == argc, LT_PEER_USAGE, "one CA folder is needed");
    char real[4096];
    LT_CHECK(realpath(argv[optind], real) != NULL && strlen(real) < sizeof s->folder, LT_PEER_USAGE,
             "%.100s: %s; make one with `lintel init DIR`", argv[optind], strerror(errno));
    (void)snprintf(s->folder, sizeof s->folder, "%s", real);
    if (libexec == NULL) {
        ssize_t n = readlink("/proc/self/exe", real, sizeof real - 1);
        LT_CHECK(n > 0, LT_STATE_IO, "/proc/self/exe: %s", strerror(errno));
        real[n] = 0;
        *strrchr(real, '/') = 0;
    } else {
        LT_CHECK(realpath(libexec, real) != NULL, LT_PEER_USAGE, "%.100s: %s", libexec, strerror(errno));
    }
    LT_CHECK(strlen(real) < sizeof s->libexec, LT_PEER_USAGE, "the path of the programs is too long");
    (void)snprintf(s->libexec, sizeof s->libexec, "%s", real);
    return LT_OK;
}

static void choose_log(struct supervisor *s, const char *option)
{
    bool text = isatty(STDERR_FILENO) == 1;
    text = s->config->log_format == CA_LOG_AUTO ? text : s->config->log_format == CA_LOG_TEXT;
    text = option[0] == 0 ? text : strcmp(option, "text") == 0;
    s->log_json = !text;
    lt_log_init("supervisor", text ? LT_LOG_TEXT : LT_LOG_JSON, (enum lt_log_level)s->config->log_level);
}

/* The gateways want as many descriptors as this process may hand on. */
static void raise_limits(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files); /* raising to the hard limit cannot fail */
    }
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    LT_ASSERT(sigaction(SIGPIPE, &ignore, NULL) == 0); /* whoever read our output may go */
    struct rlimit none = {0};
    (void)setrlimit(RLIMIT_CORE, &none); /* each role does it again */
    LT_ASSERT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
}

/* Of several families on one book each has a name; the first, or only one, has that of its machine. */
static lt_res name_host(struct supervisor *s)
{
    if (strcmp(s->config->host, CA_CONFIG_HOST_MAIN) != 0) {
        (void)snprintf(s->host_id, sizeof s->host_id, "%s", s->config->host); /* checked: it is short */
        return LT_OK;
    }
    LT_CHECK(gethostname(s->host_id, sizeof s->host_id - 1) == 0, LT_STATE_IO, "gethostname: %s",
             strerror(errno));
    return LT_OK;
}

static lt_res set_up(struct supervisor *s, int argc, char **argv)
{
    const char *log = "";
    LT_TRY(parse_arguments(s, argc, argv, &log));
    LT_CHECK(chdir(s->folder) == 0, LT_PEER_USAGE, "%.100s: %s", s->folder, strerror(errno));
    LT_TRY(folder_load_config(s));
    choose_log(s, log);
    raise_limits();
    LT_TRY(folder_lock(s));
    LT_TRY(folder_prepare(s));
    settings_write(s);
    LT_TRY(name_host(s));
    lt_random(s->boot_epoch, sizeof s->boot_epoch);
    LT_TRY(watch_signals(s));
    LT_TRY(listen_all(s));
    return family_new(s);
}

int main(int argc, char **argv)
{
    struct supervisor *s = &the_family;
    s->clock_fd = -1;
    s->begun_ms = lt_monotonic_ms();
    lt_log_init("supervisor", isatty(STDERR_FILENO) == 1 ? LT_LOG_TEXT : LT_LOG_JSON, LT_LOG_INFO);
    lt_res r = set_up(s, argc, argv);
    if (lt_failed(r)) {
        lt_log_error("cannot start");
        if (r.code == LT_PEER_USAGE) {
            usage();
        }
        return r.code == LT_PEER_USAGE ? 2 : 1;
    }
    loop(s);
    lt_log(LT_LOG_INFO, s->failed ? "stopped, not cleanly" : "stopped", "%s", "");
    return s->failed ? 1 : 0;
}
