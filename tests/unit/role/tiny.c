/* A role that does nothing, under every name: for tests of the supervisor and the kit. What it shall do wrong
 * is read from CA folder/tiny/ROLE when it starts, before the doors close:
 *   crash      abort in start            die        abort at the first tick
 *   stuck      never drained             kill       signals its parent, which the sandbox forbids
 *   lie        says a sentence that the table does not allow
 *   state      fails on an event as if the disk had (registrar)
 *   soft       fails on an event in a way that ends nothing (registrar)
 * anything else, or no file: behaves. Each start appends a line to tiny/ROLE.log: what it sees. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/metrics.h"
#include "role/kit.h"
#include "role/profiles.h"

static struct {
    struct role_kit *kit;
    char word[16];
    const char *role;
    int log_fd;
} tiny;

static void say(const char *what)
{
    char line[4200];
    int n = snprintf(line, sizeof line, "%s\n", what);
    lt_res r = lt_write_all(tiny.log_fd, LT_SLICE(line, (size_t)n));
    LT_ASSERT(!lt_failed(r));
}

/* "fds=0,1,2,3,4": a test compares them. */
static void say_descriptors(void)
{
    char text[4096] = "fds=";
    DIR *dir = opendir("/proc/self/fd");
    const struct dirent *e;
    int open_fds[64];
    size_t count = 0;
    while ((e = readdir(dir)) != NULL) {
        int fd = (int)strtol(e->d_name, NULL, 10);
        if (e->d_name[0] != '.' && fd != dirfd(dir) && fd != tiny.log_fd) {
            open_fds[count++] = fd;
        }
    }
    (void)closedir(dir);
    for (size_t i = 0; i < count; i++) {
        char link[64];
        char target[64] = "";
        (void)snprintf(link, sizeof link, "/proc/self/fd/%d", open_fds[i]);
        ssize_t n = readlink(link, target, sizeof target - 1);
        target[n < 0 ? 0 : n] = 0;
        target[strcspn(target, ":[(")] = 0;
        size_t used = strlen(text);
        (void)snprintf(text + used, sizeof text - used, " %d:%s", open_fds[i], target);
    }
    say(text);
}

static lt_res tiny_start(struct role_kit *kit, const Ipc__Start *start, const int *fds, void **ret_self)
{
    (void)fds;
    char path[1200];
    tiny.kit = kit;
    (void)snprintf(path, sizeof path, "%s/tiny/%s.log", start->folder, tiny.role);
    tiny.log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    LT_CHECK(tiny.log_fd >= 0, LT_STATE_IO, "%s", path);
    (void)snprintf(path, sizeof path, "%s/tiny/%s", start->folder, tiny.role);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        ssize_t n = read(fd, tiny.word, sizeof tiny.word - 1);
        tiny.word[n < 0 ? 0 : n] = 0;
        tiny.word[strcspn(tiny.word, "\n")] = 0;
        (void)close(fd);
    }
    char text[100];
    (void)snprintf(text, sizeof text,
                   "start instance=%u uid=%u passphrase=%zu pin=%zu seal=%zu issuers=%zu listeners=%zu",
                   start->instance, (unsigned)getuid(), start->passphrase.len, start->token_pin.len,
                   start->seal_key.len, start->n_issuers, start->n_listeners);
    say(text);
    say_descriptors();
    lt_metric_add("tiny_starts_total", 1);
    LT_ASSERT(strcmp(tiny.word, "crash") != 0);
    *ret_self = &tiny;
    return LT_OK;
}

static void tiny_linked(void *self, enum ipc_role peer, uint32_t instance)
{
    (void)self;
    char text[64];
    (void)snprintf(text, sizeof text, "linked %s-%u", ipc_role_name(peer), instance);
    say(text);
    if (strcmp(tiny.word, "lie") == 0 && peer == IPC_REGISTRAR) {
        /* By hand: role_send refuses to. A notary's sentence out of another mouth, or an unknown type. */
        uint8_t forged[16] = {250, 0, 1, 0};
        for (int fd = 4; fd < 64; fd++) {
            (void)send(fd, forged, sizeof forged, MSG_NOSIGNAL | MSG_DONTWAIT);
        }
    }
}

static void tiny_unlinked(void *self, enum ipc_role peer, uint32_t instance)
{
    (void)self;
    char text[64];
    (void)snprintf(text, sizeof text, "unlinked %s-%u", ipc_role_name(peer), instance);
    say(text);
}

static lt_res tiny_tick(void *self, lt_time now)
{
    (void)self;
    (void)now;
    LT_ASSERT(strcmp(tiny.word, "die") != 0);
    if (strcmp(tiny.word, "kill") == 0) {
        (void)kill(getppid(), SIGTERM);
    }
    return LT_OK;
}

static lt_res tiny_reload(void *self, const char *yaml)
{
    (void)self;
    char text[64];
    (void)snprintf(text, sizeof text, "reload %zu", strlen(yaml));
    say(text);
    return LT_OK;
}

static bool tiny_drained(void *self)
{
    (void)self;
    if (strcmp(tiny.word, "stuck") == 0) {
        return false;
    }
    say("drained");
    return true;
}

static lt_res tiny_hold(void *self, const struct ipc_msg *m)
{
    (void)self;
    const Ipc__Hold *hold = (const Ipc__Hold *)m->body;
    say(hold->held ? "held" : "hold lifted");
    return LT_OK;
}

static lt_res tiny_event(void *self, const struct ipc_msg *m)
{
    (void)self;
    const Ipc__FamilyEvent *e = (const Ipc__FamilyEvent *)m->body;
    char text[128];
    (void)snprintf(text, sizeof text, "event %s-%u %s", e->role, e->instance, e->what);
    say(text);
    LT_CHECK(strcmp(tiny.word, "state") != 0, LT_STATE_CORRUPT, "as it was told");
    LT_CHECK(strcmp(tiny.word, "soft") != 0, LT_RETRY_BUSY, "as it was told");
    return LT_OK;
}

int main(int argc, char **argv)
{
    (void)argc;
    const char *dash = strrchr(argv[0], '-');
    tiny.role = dash == NULL ? "" : dash + 1;
    enum ipc_role role = ipc_role_by_name(lt_slice_cstr(tiny.role));
    LT_ASSERT(role != IPC_NOBODY);
    static const struct role_route registrar_routes[] = {{IPC_SUPERVISOR, IPC_HOLD, tiny_hold},
                                                         {IPC_SUPERVISOR, IPC_FAMILY_EVENT, tiny_event}};
    struct role_spec spec = {.role = role,
                             .sandbox = &role_profiles[role],
                             .start = tiny_start,
                             .linked = tiny_linked,
                             .unlinked = tiny_unlinked,
                             .tick = tiny_tick,
                             .reload = tiny_reload,
                             .drained = tiny_drained};
    if (role == IPC_REGISTRAR) {
        spec.routes = registrar_routes;
        spec.route_count = LT_COUNT(registrar_routes);
    }
    return role_main(&spec);
}
