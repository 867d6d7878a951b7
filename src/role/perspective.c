/* lintel-perspective DIR: opens, starts, watches and replaces. See perspective.h. */
#include "role/perspective.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/metrics.h"
#include "base/version.h"
#include "ca/config.h"
#include "control.pb-c.h"
#include "validate/perspective_settings.h"

enum {
    CONTROL_FD = 3,
    SPARE_FD = 16, /* above all that a child is handed */
    PATH_SIZE = 1200,
    BACKOFF_FIRST_MS = 100,
    BACKOFF_MOST_MS = 10000,
    HEALTHY_AFTER_MS = 30000,
    ARENA_MAX = 1024 * 1024,
    BACKLOG = 256,
};

struct parent {
    const char *folder;
    const char *libexec;
    bool sandbox;
    enum lt_log_format format;
    int dir_fd;
    int listen_fd;
    int signal_fd;
    struct lt_arena arena; /* of one reading of the files */
    const char *yaml;
    struct ca_config *config; /* owned */
    pid_t front;
    pid_t validator;
    struct ipc_link *control; /* owned; the validator's */
    int board_fd;
};

/* What both files say, read again at each start of the children. */
static lt_res read_files(struct parent *p, struct validate_perspective_settings *ret_settings)
{
    lt_slice text;
    lt_arena_done(&p->arena);
    lt_arena_init(&p->arena, ARENA_MAX);
    LT_TRY(lt_file_read(&p->arena, p->dir_fd, VALIDATE_PERSPECTIVE_FILE, VALIDATE_PERSPECTIVE_SETTINGS_MAX,
                        &text));
    LT_TRY(validate_perspective_settings_parse(&p->arena, text, ret_settings));
    LT_TRY(lt_file_read(&p->arena, p->dir_fd, CA_CONFIG_FILE, CA_CONFIG_MAX_BYTES, &text));
    p->yaml = lt_arena_cstr(&p->arena, text);
    LT_ASSERT(p->yaml != NULL);
    ca_config_free(LT_TAKE(p->config, NULL));
    return ca_config_parse(text, &p->config);
}

static lt_res make_address(const char *text, struct sockaddr_storage *ret, socklen_t *ret_len)
{
    struct lt_arena a;
    const char *host = "";
    uint16_t port = 0;
    lt_arena_init(&a, 1024);
    lt_res r = ca_config_split_address(&a, text, &host, &port);
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    bool is_v4 = !lt_failed(r) && inet_pton(AF_INET, host, &v4.sin_addr) == 1;
    bool is_v6 = !lt_failed(r) && !is_v4 && inet_pton(AF_INET6, host, &v6.sin6_addr) == 1;
    lt_arena_done(&a);
    LT_TRY(r);
    LT_CHECK(is_v4 || is_v6, LT_PEER_USAGE, "listen: %.80s: give an address and a port, as 192.0.2.1:9443",
             text);
    memset(ret, 0, sizeof *ret);
    memcpy(ret, is_v4 ? (const void *)&v4 : (const void *)&v6, is_v4 ? sizeof v4 : sizeof v6);
    *ret_len = is_v4 ? sizeof v4 : sizeof v6;
    return LT_OK;
}

static lt_res open_port(const char *text, int *ret_fd)
{
    struct sockaddr_storage address;
    socklen_t len;
    int on = 1;
    LT_TRY(make_address(text, &address, &len));
    LT_CLEANUP(lt_fd_closep)
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    LT_CHECK(fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0, LT_STATE_IO,
             "socket: %s", strerror(errno));
    LT_CHECK(bind(fd, (const struct sockaddr *)&address, len) == 0 && listen(fd, BACKLOG) == 0, LT_PEER_USAGE,
             "listen: %.80s: %s", text, strerror(errno));
    *ret_fd = LT_TAKE(fd, -1);
    return LT_OK;
}

static void die(const char *what)
{
    lt_log(LT_LOG_ERROR, what, "error=\"%s\"", strerror(errno));
    _exit(127);
}

/* Only that user and group; root's are gone for good. */
static void become(const struct parent *p, enum ipc_role role)
{
    uid_t id = ca_config_uid(p->config, role);
    if (geteuid() == 0 && id != 0 &&
        (setgroups(0, NULL) != 0 || setresgid(id, id, id) != 0 || setresuid(id, id, id) != 0)) {
        die("cannot become the role's user");
    }
}

/* In a child, between fork and exec: fds[i] becomes descriptor 3 + i, nothing else stays open. */
static void hand_over(const int *fds, int count)
{
    int spare[4];
    LT_ASSERT(count <= 4);
    sigset_t none;
    LT_ASSERT(sigemptyset(&none) == 0 && sigprocmask(SIG_SETMASK, &none, NULL) == 0);
    for (int i = 0; i < count; i++) {
        spare[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, SPARE_FD);
        if (spare[i] < 0) {
            die("descriptors");
        }
    }
    for (int i = 0; i < count; i++) {
        if (dup2(spare[i], CONTROL_FD + i) < 0) {
            die("descriptors");
        }
    }
    if (close_range((unsigned)(CONTROL_FD + count), ~0U, CLOSE_RANGE_CLOEXEC) != 0) {
        die("close_range");
    }
}

static _Noreturn void exec_program(const struct parent *p, const char *program, char *const *arguments)
{
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof path, "%s/%s", p->libexec, program); /* both are bounded */
    (void)execv(path, arguments);
    die(path);
    abort();
}

static lt_res fork_front(struct parent *p, int link_fd)
{
    LT_CLEANUP(lt_fd_closep) int key = openat(p->dir_fd, VALIDATE_PERSPECTIVE_KEY, O_RDONLY | O_CLOEXEC);
    LT_CHECK(key >= 0, LT_PEER_NOT_FOUND, "%.100s/" VALIDATE_PERSPECTIVE_KEY ": %s", p->folder,
             strerror(errno));
    LT_CLEANUP(lt_fd_closep)
    int settings = openat(p->dir_fd, VALIDATE_PERSPECTIVE_FILE, O_RDONLY | O_CLOEXEC);
    LT_CHECK(settings >= 0, LT_PEER_NOT_FOUND, "%.100s/" VALIDATE_PERSPECTIVE_FILE ": %s", p->folder,
             strerror(errno));
    const int fds[] = {link_fd, p->listen_fd, key, settings};
    static char name[] = "lintel-perspective";
    static char front[] = "--front";
    static char json[] = "--json";
    static char open_doors[] = "--no-sandbox";
    char *arguments[5] = {name, front};
    size_t n = 2;
    if (p->format == LT_LOG_JSON) {
        arguments[n++] = json;
    }
    if (!p->sandbox) {
        arguments[n++] = open_doors;
    }
    p->front = fork();
    LT_CHECK(p->front >= 0, LT_STATE_IO, "fork: %s", strerror(errno));
    if (p->front == 0) {
        hand_over(fds, LT_COUNT(fds));
        become(p, IPC_GATEWAY);
        exec_program(p, name, arguments);
    }
    return LT_OK;
}

static lt_res send_start(struct parent *p, int link_fd)
{
    Ipc__Start start = IPC__START__INIT;
    Ipc__Link m = IPC__LINK__INIT;
    char folder[PATH_SIZE];
    (void)snprintf(folder, sizeof folder, "%s", p->folder); /* bounded by main */
    start.folder = folder;
    start.config_yaml = (char *)(uintptr_t)p->yaml; /* only read */
    start.build = (char *)(uintptr_t)lt_version;    /* only read */
    start.log_json = p->format == LT_LOG_JSON;
    start.log_level = LT_LOG_INFO;
    start.sandbox_off = !p->sandbox;
    LT_TRY(ipc_link_send(p->control, IPC_START, 0, &start.base, &p->board_fd, 1));
    m.role = IPC_REGISTRAR;
    return ipc_link_send(p->control, IPC_LINK, 0, &m.base, &link_fd, 1);
}

static lt_res fork_validator(struct parent *p, int link_fd)
{
    int pair[2];
    LT_CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0, LT_STATE_IO, "socketpair: %s",
             strerror(errno));
    LT_CLEANUP(lt_fd_closep) int ours = pair[0];
    LT_CLEANUP(lt_fd_closep) int theirs = pair[1];
    static char name[] = "lintel-validator";
    static char instance[] = "0";
    char *arguments[] = {name, instance, NULL};
    p->validator = fork();
    LT_CHECK(p->validator >= 0, LT_STATE_IO, "fork: %s", strerror(errno));
    if (p->validator == 0) {
        hand_over(&theirs, 1);
        become(p, IPC_VALIDATOR);
        exec_program(p, name, arguments);
    }
    LT_TRY(ipc_link_new(LT_TAKE(ours, -1), IPC_SUPERVISOR, IPC_VALIDATOR, 0, &p->control));
    return send_start(p, link_fd);
}

static void end_children(struct parent *p)
{
    pid_t *const pids[] = {&p->front, &p->validator};
    for (size_t i = 0; i < LT_COUNT(pids); i++) {
        if (*pids[i] > 0) {
            (void)kill(*pids[i], SIGKILL);    /* it may be gone already */
            (void)waitpid(*pids[i], NULL, 0); /* as above */
        }
        *pids[i] = 0;
    }
    ipc_link_free(LT_TAKE(p->control, NULL));
}

static lt_res start_children(struct parent *p)
{
    int pair[2];
    struct validate_perspective_settings settings;
    LT_TRY(read_files(p, &settings));
    LT_CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0, LT_STATE_IO,
             "socketpair: %s", strerror(errno));
    LT_CLEANUP(lt_fd_closep) int to_front = pair[0];
    LT_CLEANUP(lt_fd_closep) int to_validator = pair[1];
    LT_TRY(fork_validator(p, to_validator));
    return fork_front(p, to_front);
}

/* What the validator says of itself; false: it is gone. */
static bool read_control(struct parent *p)
{
    struct lt_arena a;
    lt_res r = LT_OK;
    lt_arena_init(&a, 64 * 1024);
    while (!lt_failed(r)) {
        struct ipc_msg m;
        r = ipc_link_recv(p->control, &a, &m);
        if (!lt_failed(r)) {
            ipc_msg_done(&m); /* Ready, or a complaint about the front, which then ends by itself */
            lt_arena_reset(&a);
        }
    }
    lt_arena_done(&a);
    return r.code == LT_RETRY_AGAIN;
}

enum turn { TURN_AGAIN, TURN_ENDED, TURN_RELOAD, TURN_STOP, TURN_HOPELESS };

/* Who has ended? A front that cannot start will not start the next time. */
static enum turn reap(struct parent *p)
{
    enum turn t = TURN_AGAIN;
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        bool front = pid == p->front;
        t = front && WIFEXITED(status) && WEXITSTATUS(status) == 2 ? TURN_HOPELESS : TURN_ENDED;
        lt_log(LT_LOG_ERROR, "a process ended", "process=%s status=%d", front ? "front" : "validator",
               status);
        p->front = front ? 0 : p->front;
        p->validator = front ? p->validator : 0;
    }
    return t;
}

static enum turn watch(struct parent *p)
{
    struct pollfd fds[] = {{.fd = p->signal_fd, .events = POLLIN},
                           {.fd = ipc_link_fd(p->control), .events = POLLIN}};
    struct signalfd_siginfo info;
    if (poll(fds, LT_COUNT(fds), -1) < 0) {
        return TURN_AGAIN; /* EINTR */
    }
    if (fds[1].revents != 0 && !read_control(p)) {
        return TURN_ENDED;
    }
    if ((fds[0].revents & POLLIN) == 0 || read(p->signal_fd, &info, sizeof info) != sizeof info) {
        return TURN_AGAIN;
    }
    return info.ssi_signo == SIGCHLD ? reap(p) : info.ssi_signo == SIGHUP ? TURN_RELOAD : TURN_STOP;
}

/* Of what came while nobody watched. */
static bool told_to_stop(const struct parent *p)
{
    struct signalfd_siginfo info;
    bool stop = false;
    while (read(p->signal_fd, &info, sizeof info) == sizeof info) {
        stop |= info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT;
    }
    return stop;
}

/* Until told to stop. What ends is started again, both of them: each knows the other by a socket only. */
static lt_res run(struct parent *p)
{
    int64_t backoff_ms = BACKOFF_FIRST_MS;
    enum turn t = TURN_AGAIN;
    while (t != TURN_STOP) {
        int64_t started_ms = lt_monotonic_ms();
        lt_res r = start_children(p);
        if (lt_failed(r) && t == TURN_AGAIN) {
            return r; /* what is wrong at the first start is to be mended first */
        }
        if (lt_failed(r)) {
            lt_log_error("cannot start the children");
        }
        t = TURN_ENDED;
        while (!lt_failed(r) && (t = watch(p)) == TURN_AGAIN) {
        }
        end_children(p);
        LT_CHECK(t != TURN_HOPELESS, LT_PEER_USAGE, "the front cannot start: see the line above");
        backoff_ms = lt_monotonic_ms() - started_ms > HEALTHY_AFTER_MS ? BACKOFF_FIRST_MS : backoff_ms;
        if (t == TURN_ENDED) {
            (void)poll(NULL, 0, (int)backoff_ms); /* a signal waits that long */
            t = told_to_stop(p) ? TURN_STOP : t;
            backoff_ms = backoff_ms * 2 > BACKOFF_MOST_MS ? BACKOFF_MOST_MS : backoff_ms * 2;
        }
    }
    return LT_OK;
}

static lt_res open_signals(struct parent *p)
{
    sigset_t set;
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    LT_ASSERT(sigaction(SIGPIPE, &ignore, NULL) == 0);
    LT_ASSERT(sigemptyset(&set) == 0 && sigaddset(&set, SIGCHLD) == 0 && sigaddset(&set, SIGTERM) == 0 &&
              sigaddset(&set, SIGINT) == 0 && sigaddset(&set, SIGHUP) == 0);
    LT_ASSERT(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    p->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    LT_CHECK(p->signal_fd >= 0, LT_STATE_IO, "signalfd: %s", strerror(errno));
    return LT_OK;
}

static lt_res serve(struct parent *p)
{
    struct validate_perspective_settings settings;
    p->dir_fd = open(p->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(p->dir_fd >= 0, LT_PEER_NOT_FOUND, "%.150s: %s", p->folder, strerror(errno));
    LT_TRY(read_files(p, &settings));
    LT_TRY(open_port(settings.listen, &p->listen_fd));
    LT_TRY(open_signals(p));
    p->board_fd = memfd_create("lintel-metrics", MFD_CLOEXEC);
    LT_CHECK(p->board_fd >= 0 && ftruncate(p->board_fd, sizeof(struct lt_metrics)) == 0, LT_STATE_IO,
             "memfd: %s", strerror(errno));
    lt_res r = run(p);
    end_children(p);
    return r;
}

int main(int argc, char **argv)
{
    static struct parent p; /* one parent is one process */
    bool front = false;
    char folder[PATH_SIZE / 2] = "";
    p.sandbox = true;
    p.format = LT_LOG_TEXT;
    for (int i = 1; i < argc; i++) {
        front |= strcmp(argv[i], "--front") == 0;
        p.sandbox &= strcmp(argv[i], "--no-sandbox") != 0;
        p.format = strcmp(argv[i], "--json") == 0 ? LT_LOG_JSON : p.format;
        if (strcmp(argv[i], "--libexec") == 0 && i + 1 < argc) {
            p.libexec = argv[++i];
        } else if (argv[i][0] != '-' && strlen(argv[i]) < sizeof folder) {
            (void)snprintf(folder, sizeof folder, "%s", argv[i]);
        }
    }
    if (front) {
        return perspective_front(p.sandbox, p.format);
    }
    lt_log_init("perspective", p.format, LT_LOG_INFO);
    if (folder[0] != '/' || p.libexec == NULL || strlen(p.libexec) > PATH_SIZE / 2) {
        lt_log(LT_LOG_ERROR, "start it with: lintel perspective serve DIR", "%s", "");
        return 2;
    }
    p.folder = folder;
    lt_res r = serve(&p);
    if (lt_failed(r)) {
        lt_log_error("cannot go on");
    }
    return lt_failed(r) ? 1 : 0;
}
