/* The life of a role: Start, open, lock the doors, Ready, serve, drain, exit. */
#include "role/kit.h"
#include "role/exit.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "role/kit_private.h"

enum {
    CONTROL_FD = 3,
    START_WAIT_MS = 30000,
    LAST_WORDS_MS = 1000,
    START_ARENA_MAX = 2 * 1024 * 1024,
    MESSAGE_ARENA_MAX = 1024 * 1024,
};

/* The supervisor orchestrates: a Ctrl-C that reaches the whole group must not end a role in the middle of
 * accepted work. */
static void ignore_signals(void)
{
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGUSR1, SIGUSR2};
    for (size_t i = 0; i < LT_COUNT(ignored); i++) {
        struct sigaction ignore = {.sa_handler = SIG_IGN};
        int rc = sigaction(ignored[i], &ignore, NULL);
        LT_ASSERT(rc == 0);
    }
}

/* Before the first byte from outside is read; the sandbox does the rest. */
static void harden(void)
{
    struct rlimit none = {0};
    LT_ASSERT(setrlimit(RLIMIT_CORE, &none) == 0);
    LT_ASSERT(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0);
    LT_ASSERT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    /* If the supervisor died before this line, the control link is at its end and says so. */
    LT_ASSERT(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0);
}

/* "lintel-gateway" in ps, also where the program was started by its descriptor. */
static void name_process(const char *role)
{
    char name[16];
    (void)snprintf(name, sizeof name, "lintel-%s", role); /* 15 letters is what the kernel keeps */
    (void)prctl(PR_SET_NAME, name, 0, 0, 0);              /* only a name */
}

static lt_res use_board(int fd)
{
    void *p = mmap(NULL, sizeof(struct lt_metrics), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    LT_CHECK(p != MAP_FAILED, LT_STATE_IO, "mapping the metrics board: %s", strerror(errno));
    lt_metrics_use(p);
    return LT_OK;
}

/* Behind the board and the listeners: the drill's clock, which nobody here can move. */
static lt_res use_clock(const Ipc__Start *start, struct ipc_msg *m)
{
    size_t at = 1 + start->n_listeners;
    if (!start->scratch) {
        return LT_OK;
    }
    LT_CHECK(at < m->fd_count, LT_PEER_MALFORMED, "a drill without a clock");
    void *p = mmap(NULL, LT_CLOCK_PAGE_SIZE, PROT_READ, MAP_SHARED, m->fds[at], 0);
    LT_CHECK(p != MAP_FAILED, LT_STATE_IO, "mapping the drill's clock: %s", strerror(errno));
    (void)close(LT_TAKE(m->fds[at], -1)); /* mapped */
    lt_clock_use(p);
    return LT_OK;
}

static lt_res wait_for_start(struct role_kit *kit, struct ipc_msg *m)
{
    struct pollfd p = {.fd = CONTROL_FD, .events = POLLIN};
    int n;
    do {
        n = poll(&p, 1, START_WAIT_MS);
    } while (n < 0 && errno == EINTR);
    LT_CHECK(n == 1, LT_RETRY_TIMEOUT, "no Start came on descriptor %d: lintel serve starts this program",
             CONTROL_FD);
    LT_TRY(ipc_link_recv(kit->control, &kit->start_arena, m));
    LT_CHECK(m->type == IPC_START && m->fd_count >= 1, LT_PEER_MALFORMED, "the first word was not Start");
    return LT_OK;
}

static void wipe(ProtobufCBinaryData *secret)
{
    if (secret->data != NULL) {
        explicit_bzero(secret->data, secret->len);
    }
}

/* The profile of the role, and the journal's mirror, which only the configuration knows. */
static lt_res lock_doors(struct role_kit *kit, const Ipc__Start *start)
{
    if (start->sandbox_off) {
        lt_log(LT_LOG_WARN, "running WITHOUT its sandbox", "%s", "");
        return LT_OK;
    }
    struct sandbox_path paths[32];
    struct sandbox_profile profile = *kit->spec->sandbox;
    LT_ASSERT(profile.path_count < LT_COUNT(paths));
    if (start->journal_mirror[0] != 0) {
        if (profile.path_count > 0) {
            memcpy(paths, profile.paths, profile.path_count * sizeof *paths);
        }
        paths[profile.path_count++] = (struct sandbox_path){.path = start->journal_mirror, .write = true};
        profile.paths = paths;
    }
    return sandbox_enter(&profile, start->folder, &kit->sandbox);
}

static lt_res begin(struct role_kit *kit)
{
    LT_TRY(ipc_link_new(CONTROL_FD, kit->spec->role, IPC_SUPERVISOR, 0, &kit->control));
    struct ipc_msg m;
    LT_TRY(wait_for_start(kit, &m));
    /* The message is const to handlers; its one owner wipes what must not stay. */
    Ipc__Start *start = (Ipc__Start *)(uintptr_t)m.body;
    (void)snprintf(kit->name, sizeof kit->name, "%s-%u", ipc_role_name(kit->spec->role), start->instance);
    lt_log_init(kit->name, start->log_json ? LT_LOG_JSON : LT_LOG_TEXT, (enum lt_log_level)start->log_level);
    LT_TRY(use_board(m.fds[0]));
    (void)close(LT_TAKE(m.fds[0], -1)); /* mapped */
    LT_TRY(use_clock(start, &m));
    kit->scratch = start->scratch;
    lt_res r = kit->spec->start(kit, start, m.fds + 1, &kit->self);
    wipe(&start->passphrase);
    wipe(&start->token_pin);
    wipe(&start->seal_key);
    LT_TRY(r);
    LT_TRY(kit_watch(kit, kit->control, IPC_SUPERVISOR, 0));
    LT_TRY(lock_doors(kit, start));
    Ipc__Ready ready = IPC__READY__INIT;
    ready.pid = (uint32_t)getpid();
    ready.landlock_abi = kit->sandbox.landlock_abi;
    ready.seccomp = kit->sandbox.seccomp;
    return ipc_link_send(kit->control, IPC_READY, 0, &ready.base, NULL, 0);
}

static void say_drained(struct role_kit *kit)
{
    Ipc__Drained drained = IPC__DRAINED__INIT;
    int64_t until_ms = lt_monotonic_ms() + LAST_WORDS_MS;
    lt_res r = ipc_link_send(kit->control, IPC_DRAINED, 0, &drained.base, NULL, 0);
    while (!lt_failed(r) && ipc_link_wants_write(kit->control) && lt_monotonic_ms() < until_ms) {
        struct pollfd p = {.fd = ipc_link_fd(kit->control), .events = POLLOUT};
        (void)poll(&p, 1, 10); /* the deadline above bounds it */
        r = ipc_link_flush(kit->control);
    }
}

static void loop(struct role_kit *kit)
{
    if (kit->spec->run == NULL) {
        while (!kit->done) {
            kit_turn(kit, kit_timeout_ms(kit));
        }
        return;
    }
    lt_res r = kit->spec->run(kit->self);
    if (lt_failed(r)) {
        kit_fail(kit, "the loop failed");
    }
}

static void fill_routes(struct role_kit *kit)
{
    for (size_t i = 0; i < kit->spec->route_count; i++) {
        const struct role_route *r = &kit->spec->routes[i];
        /* A route that the table does not allow would never be used. */
        LT_ASSERT(ipc_may_send(r->from, kit->spec->role, r->type));
        kit->routes[r->from][r->type] = r->handle;
    }
}

/* The doors are locked: no exit handler of a library could still do its work, and none is needed. */
static _Noreturn void leave(int status)
{
    _exit(status);
}

int role_main(const struct role_spec *spec)
{
    static struct role_kit kit_storage; /* one role is one process; 20 KiB that need not be on the stack */
    struct role_kit *kit = &kit_storage;
    ignore_signals();
    harden();
    name_process(ipc_role_name(spec->role));
    lt_log_init(ipc_role_name(spec->role), LT_LOG_TEXT, LT_LOG_INFO);
    kit->spec = spec;
    kit->next_tick_ms = lt_monotonic_ms();
    lt_random((uint8_t *)&kit->next_id,
              sizeof kit->next_id); /* an answer to a predecessor fits no question */
    lt_arena_init(&kit->start_arena, START_ARENA_MAX);
    lt_arena_init(&kit->arena, spec->message_arena_max == 0 ? MESSAGE_ARENA_MAX : spec->message_arena_max);
    kit->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    LT_ASSERT(kit->epoll_fd >= 0);
    fill_routes(kit);
    lt_res begun = begin(kit);
    if (lt_failed(begun)) {
        lt_log_error("cannot start");
        bool cut_off = begun.code == LT_STATE_CLOSED || begun.code == LT_RETRY_BUSY;
        leave(cut_off ? ROLE_CUT_OFF : ROLE_FAILED);
    }
    loop(kit);
    if (kit->failed) {
        leave(kit->cut_off ? ROLE_CUT_OFF : ROLE_FAILED);
    }
    if (kit->draining) {
        say_drained(kit);
    }
    leave(0);
}
