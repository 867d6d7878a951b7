/* Folder, zone files, keys, then the server itself. */
#include "signed.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/file.h"

enum { TEXT_MAX = 256 * 1024, TRIES = 400, TRY_MS = 25 };

struct signed_world {
    char folder[64];
    const struct signed_zone *zones;
    size_t count;
    uint16_t port;
    pid_t pid;
    struct lt_arena arena;
    char **ds; /* a line each, NULL for unsigned zones */
    const char *anchor;
};

/* Runs it to its end; what it prints goes to out. */
static int capture(const char *const argv[], struct lt_buf *out)
{
    int ends[2];
    int status = -1;
    LT_ASSERT(pipe2(ends, O_CLOEXEC) == 0);
    pid_t pid = fork();
    LT_ASSERT(pid >= 0);
    if (pid == 0) {
        (void)dup2(ends[1], STDOUT_FILENO);
        LT_ASSERT(freopen("/dev/null", "w", stderr) != NULL);
        (void)execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    (void)close(ends[1]);
    for (;;) {
        uint8_t bytes[1024];
        ssize_t got = read(ends[0], bytes, sizeof bytes);
        if (got <= 0) {
            break;
        }
        lt_buf_add(out, LT_SLICE(bytes, (size_t)got));
    }
    (void)close(ends[0]);
    LT_ASSERT(waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void put_file(const struct signed_world *w, const char *name, struct lt_buf *text)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", w->folder, name);
    LT_ASSERT(!text->overflow && !lt_failed(lt_file_replace(AT_FDCWD, path, 0600, lt_buf_slice(text))));
    lt_buf_reset(text);
}

static const char *file_of(const struct signed_zone *z)
{
    return strcmp(z->name, ".") == 0 ? "root" : z->name;
}

static void put_config(const struct signed_world *w)
{
    struct lt_buf out;
    lt_buf_init(&out, TEXT_MAX);
    lt_buf_addf(
        &out,
        "server:\n  listen: 127.0.0.1@%u\n  rundir: %s\n  udp-workers: 1\n  tcp-workers: 1\n"
        "  background-workers: 1\ndatabase:\n  storage: %s/db\nlog:\n  - target: stderr\n    any: error\n"
        "policy:\n  - id: one\n    algorithm: ecdsap256sha256\n    single-type-signing: on\n"
        "    nsec3: on\n    nsec3-iterations: 0\n"
        "template:\n  - id: default\n    storage: %s\n    zonefile-sync: -1\n"
        "    zonefile-load: difference\n    journal-content: all\nzone:\n",
        w->port, w->folder, w->folder, w->folder);
    for (size_t i = 0; i < w->count; i++) {
        const struct signed_zone *z = &w->zones[i];
        if (!z->not_served) {
            lt_buf_addf(&out, "  - domain: %s\n    file: %s.zone\n", z->name, file_of(z));
        }
        if (z->sign) {
            lt_buf_add_cstr(&out, "    dnssec-signing: on\n    dnssec-policy: one\n");
        }
    }
    put_file(w, "knot.conf", &out);
    lt_buf_done(&out);
}

/* The key of a zone, and the DS that its parent shall have. */
static void make_key(struct signed_world *w, size_t index)
{
    const struct signed_zone *z = &w->zones[index];
    char config[128];
    char name[256];
    (void)snprintf(config, sizeof config, "%s/knot.conf", w->folder);
    (void)snprintf(name, sizeof name, "%s", z->name);
    const char *const generate[] = {"/usr/sbin/keymgr",          "-c",      config,    name, "generate",
                                    "algorithm=ecdsap256sha256", "ksk=yes", "zsk=yes", NULL};
    const char *const ds[] = {"/usr/sbin/keymgr", "-c", config, name, "ds", NULL};
    struct lt_buf out;
    lt_buf_init(&out, TEXT_MAX);
    LT_ASSERT(capture(generate, &out) == 0);
    lt_buf_reset(&out);
    LT_ASSERT(capture(ds, &out) == 0);
    lt_slice text = lt_buf_slice(&out);
    w->ds[index] = lt_arena_cstr(&w->arena, lt_slice_sub(text, 0, lt_slice_find(text, '\n')));
    LT_ASSERT(w->ds[index] != NULL && strstr(w->ds[index], "DS") != NULL);
    lt_buf_done(&out);
}

static bool is_parent(const char *parent, const char *child)
{
    const char *dot = strchr(child, '.');
    if (strcmp(child, ".") == 0) {
        return false;
    }
    return strcmp(parent, ".") == 0
               ? dot == NULL || strstr(child, ".arpa") != NULL
               : dot != NULL && strcmp(dot + 1, parent) == 0 && strstr(child, ".arpa") == NULL;
}

static void put_zone(const struct signed_world *w, const struct signed_zone *z)
{
    struct lt_buf out;
    char file[128];
    const char *dot = strcmp(z->name, ".") == 0 ? "" : ".";
    lt_buf_init(&out, TEXT_MAX);
    lt_buf_addf(&out, "$ORIGIN %s%s\n$TTL 60\n@ SOA ns admin 1 60 60 600 5\n@ NS ns\nns A 127.0.0.1\n",
                z->name, dot);
    for (size_t i = 0; i < w->count; i++) {
        const struct signed_zone *c = &w->zones[i];
        if (!is_parent(z->name, c->name)) {
            continue;
        }
        lt_buf_addf(&out, "%s. NS ns.%s.\nns.%s. A 127.0.0.1\n", c->name, c->name, c->name);
        if (c->ds == SIGNED_DS) {
            lt_buf_addf(&out, "%s\n", w->ds[i]);
        } else if (c->ds == SIGNED_WRONG_DS) {
            lt_buf_addf(&out, "%s. DS 4711 13 2 %064d\n", c->name, 7);
        }
    }
    lt_buf_add_cstr(&out, z->records);
    (void)snprintf(file, sizeof file, "%s.zone", file_of(z));
    put_file(w, file, &out);
    lt_buf_done(&out);
}

static uint16_t free_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    LT_ASSERT(fd >= 0 && bind(fd, (const struct sockaddr *)&a, len) == 0 &&
              getsockname(fd, (struct sockaddr *)&a, &len) == 0);
    (void)close(fd);
    return ntohs(a.sin_port);
}

static size_t put_name(uint8_t *out, const char *name)
{
    size_t at = 0;
    while (*name != '\0' && strcmp(name, ".") != 0) {
        size_t len = strcspn(name, ".");
        out[at++] = (uint8_t)len;
        memcpy(out + at, name, len);
        at += len;
        name += len + (name[len] == '.' ? 1 : 0);
    }
    out[at++] = 0;
    return at;
}

/* Does it answer for the zone's SOA? */
static bool answers(const struct signed_world *w, int fd, const char *zone)
{
    uint8_t packet[1500] = {0x47, 0x11, 1, 0, 0, 1};
    size_t len = 12 + put_name(packet + 12, zone);
    packet[len + 1] = 6;
    packet[len + 3] = 1;
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(w->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (sendto(fd, packet, len + 4, 0, (const struct sockaddr *)&to, sizeof to) < 0) {
        return false;
    }
    struct pollfd p = {.fd = fd, .events = POLLIN};
    if (poll(&p, 1, TRY_MS) <= 0 || recv(fd, packet, sizeof packet, 0) < 12) {
        return false;
    }
    return (packet[3] & 15) == 0 && packet[7] > 0;
}

static void wait_until_it_answers(const struct signed_world *w)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    LT_ASSERT(fd >= 0);
    for (size_t i = 0; i < w->count; i++) {
        const struct signed_zone *z = &w->zones[i];
        bool good = z->not_served || z->broken;
        for (size_t tries = 0; tries < TRIES && !good; tries++) {
            good = answers(w, fd, z->name);
            if (!good) {
                (void)poll(NULL, 0, TRY_MS);
            }
        }
        if (!good) {
            (void)fprintf(stderr, "knotd does not answer for %s; see %s\n", z->name, w->folder);
        }
        LT_ASSERT(good);
    }
    (void)close(fd);
}

static void start(struct signed_world *w)
{
    char config[128];
    (void)snprintf(config, sizeof config, "%s/knot.conf", w->folder);
    pid_t parent = getpid();
    w->pid = fork();
    LT_ASSERT(w->pid >= 0);
    if (w->pid == 0) {
        char log[128];
        (void)snprintf(log, sizeof log, "%s/log", w->folder);
        LT_ASSERT(freopen(log, "w", stderr) != NULL);
        LT_ASSERT(freopen("/dev/null", "w", stdout) != NULL);
        (void)prctl(PR_SET_PDEATHSIG, SIGTERM); /* it goes when the test does, however */
        const char *const argv[] = {"/usr/sbin/knotd", "-c", config, NULL};
        if (getppid() == parent) {
            (void)execvp(argv[0], (char *const *)(uintptr_t)argv);
        }
        _exit(127);
    }
    wait_until_it_answers(w);
}

struct signed_world *signed_new(const struct signed_zone *zones, size_t count)
{
    const char *const version[] = {"/usr/sbin/knotd", "--version", NULL};
    struct lt_buf out;
    lt_buf_init(&out, TEXT_MAX);
    int there = capture(version, &out);
    lt_buf_done(&out);
    if (there != 0) {
        return NULL;
    }
    struct signed_world *w = calloc(1, sizeof *w);
    LT_ASSERT(w != NULL);
    lt_arena_init(&w->arena, TEXT_MAX);
    w->zones = zones;
    w->count = count;
    w->port = free_port();
    w->ds = LT_NEW_ARRAY(&w->arena, char *, count);
    (void)snprintf(w->folder, sizeof w->folder, "/tmp/lintel-knot-XXXXXX");
    LT_ASSERT(w->ds != NULL && mkdtemp(w->folder) != NULL);
    char db[80];
    (void)snprintf(db, sizeof db, "%s/db", w->folder);
    const char *const make[] = {"mkdir", db, NULL};
    lt_buf_init(&out, TEXT_MAX);
    LT_ASSERT(capture(make, &out) == 0);
    lt_buf_done(&out);
    put_config(w);
    for (size_t i = 0; i < count; i++) {
        if (zones[i].sign) {
            make_key(w, i);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (!zones[i].not_served && !zones[i].broken) {
            put_zone(w, &zones[i]);
        }
    }
    w->anchor = w->ds[0];
    start(w);
    return w;
}

void signed_free(struct signed_world *w)
{
    if (w == NULL) {
        return;
    }
    struct lt_buf out;
    const char *const clean[] = {"rm", "-rf", w->folder, NULL};
    LT_ASSERT(kill(w->pid, SIGTERM) == 0 && waitpid(w->pid, NULL, 0) == w->pid);
    lt_buf_init(&out, TEXT_MAX);
    LT_ASSERT(capture(clean, &out) == 0);
    lt_buf_done(&out);
    lt_arena_done(&w->arena);
    free(w);
}

uint16_t signed_port(const struct signed_world *w)
{
    return w->port;
}

const char *signed_anchor(const struct signed_world *w)
{
    return w->anchor;
}
