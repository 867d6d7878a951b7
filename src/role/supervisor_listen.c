/* The listening sockets of the family. They are made once, here, and every gateway accepts from the same
 * ones: a gateway that dies loses no port and no waiting connection. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "role/supervisor.h"

enum { BACKLOG = 4096, API_MODE = 0660 };
#define API_SOCKET "run/api.sock"

static lt_res make_address(const char *text, struct sockaddr_storage *ret_address, socklen_t *ret_len)
{
    struct lt_arena a;
    lt_arena_init(&a, 1024);
    const char *host = "";
    uint16_t port = 0;
    lt_res r = ca_config_split_address(&a, text, &host, &port);
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    bool is_v4 = !lt_failed(r) &&
                 inet_pton(AF_INET, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, &v4.sin_addr) == 1;
    bool is_v6 = !lt_failed(r) && !is_v4 && inet_pton(AF_INET6, host, &v6.sin6_addr) == 1;
    lt_arena_done(&a);
    LT_TRY(r);
    LT_CHECK(is_v4 || is_v6, LT_PEER_USAGE, "listen: %s: give an address and a port, as 127.0.0.1:14000",
             text);
    memset(ret_address, 0, sizeof *ret_address);
    if (is_v4) {
        memcpy(ret_address, &v4, sizeof v4);
    } else {
        memcpy(ret_address, &v6, sizeof v6);
    }
    *ret_len = is_v4 ? sizeof v4 : sizeof v6;
    return LT_OK;
}

/* The address as bound: a port of 0 has become one. */
static void name_address(int fd, struct listener *l)
{
    struct sockaddr_storage at = {0};
    socklen_t len = sizeof at;
    char host[INET6_ADDRSTRLEN] = "?";
    LT_ASSERT(getsockname(fd, (struct sockaddr *)&at, &len) == 0);
    if (at.ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&at;
        (void)inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host); /* cannot fail: the buffer fits any */
        (void)snprintf(l->address, sizeof l->address, "[%s]:%u", host, ntohs(v6->sin6_port));
    } else {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)&at;
        (void)inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host); /* as above */
        (void)snprintf(l->address, sizeof l->address, "%s:%u", host, ntohs(v4->sin_port));
    }
}

/* The programs of a family whose supervisor was killed hold its addresses until the kernel has ended them. */
static bool bind_patiently(int fd, const struct sockaddr_storage *address, socklen_t len)
{
    enum { TRIES = 60, STEP_US = 50000 };
    int tries = 0;
    while (bind(fd, (const struct sockaddr *)address, len) != 0) {
        if (errno != EADDRINUSE || ++tries == TRIES) {
            return false;
        }
        (void)usleep(STEP_US); /* cut short: tried sooner */
    }
    return true;
}

static lt_res listen_tcp(struct supervisor *s, const char *kind, const char *text)
{
    if (text[0] == 0) {
        return LT_OK;
    }
    LT_ASSERT(s->listener_count < MAX_LISTENERS);
    struct sockaddr_storage address;
    socklen_t len;
    LT_TRY(make_address(text, &address, &len));
    LT_CLEANUP(lt_fd_closep)
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    LT_CHECK(fd >= 0, LT_STATE_IO, "socket: %s", strerror(errno));
    int on = 1;
    LT_CHECK(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0, LT_STATE_IO, "SO_REUSEADDR: %s",
             strerror(errno));
    /* Accepted sockets inherit it: answers go out at once. */
    LT_CHECK(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0, LT_STATE_IO, "TCP_NODELAY: %s",
             strerror(errno));
    if (address.ss_family == AF_INET6) {
        LT_CHECK(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0, LT_STATE_IO,
                 "IPV6_V6ONLY: %s", strerror(errno));
    }
    LT_CHECK(bind_patiently(fd, &address, len), LT_PEER_USAGE, "listen: %s %s: %s", kind, text,
             strerror(errno));
    LT_CHECK(listen(fd, BACKLOG) == 0, LT_PEER_USAGE, "listen: %s %s: %s", kind, text, strerror(errno));
    struct listener *l = &s->listeners[s->listener_count++];
    l->kind = kind;
    name_address(fd, l);
    l->fd = LT_TAKE(fd, -1);
    return LT_OK;
}

/* Root and the owner of the CA folder may speak to it. */
static lt_res listen_api(struct supervisor *s)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = API_SOCKET};
    LT_CLEANUP(lt_fd_closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    LT_CHECK(fd >= 0, LT_STATE_IO, "socket: %s", strerror(errno));
    LT_CHECK(unlink(API_SOCKET) == 0 || errno == ENOENT, LT_STATE_IO, API_SOCKET ": %s", strerror(errno));
    mode_t before = umask(0777 & ~API_MODE);
    int rc = bind(fd, (const struct sockaddr *)&address, sizeof address);
    int error = errno;
    (void)umask(before); /* always succeeds */
    LT_CHECK(rc == 0, LT_STATE_IO, API_SOCKET ": %s", strerror(error));
    struct stat folder;
    LT_CHECK(stat(".", &folder) == 0, LT_STATE_IO, "%s: %s", s->folder, strerror(errno));
    if (geteuid() == 0) {
        LT_CHECK(chown(API_SOCKET, folder.st_uid, folder.st_gid) == 0, LT_STATE_IO, API_SOCKET ": %s",
                 strerror(errno));
    }
    LT_CHECK(listen(fd, BACKLOG) == 0, LT_STATE_IO, API_SOCKET ": %s", strerror(errno));
    struct listener *l = &s->listeners[s->listener_count++];
    l->kind = "api";
    (void)snprintf(l->address, sizeof l->address, "%s", API_SOCKET);
    l->fd = LT_TAKE(fd, -1);
    return LT_OK;
}

lt_res listen_all(struct supervisor *s)
{
    LT_TRY(listen_tcp(s, "https", s->config->listen_https));
    LT_TRY(listen_tcp(s, "http", s->config->listen_http));
    LT_TRY(listen_tcp(s, "operator", s->config->listen_operator));
    if (s->test_ca && s->testing.wanted) {
        LT_TRY(listen_tcp(s, "management", s->config->testing.management));
    }
    return listen_api(s);
}

void listen_close(struct supervisor *s)
{
    for (size_t i = 0; i < s->listener_count; i++) {
        lt_fd_closep(&s->listeners[i].fd);
    }
    s->listener_count = 0;
    (void)unlink(API_SOCKET); /* a stale one is replaced at the next start anyway */
}
