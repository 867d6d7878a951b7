/* run/status.json, replaced once a second, and word to systemd. The file is for `lintel status` and
 * `lintel doctor`: small, and readable while the family is in trouble. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "base/version.h"
#include "role/supervisor.h"

enum { STATUS_MAX = 64 * 1024 };

static const char *const state_names[] = {
    [PROCESS_DOWN] = "down",
    [PROCESS_STARTING] = "starting",
    [PROCESS_READY] = "ready",
    [PROCESS_DRAINING] = "draining",
};

static void add_string(struct lt_buf *out, const char *key, const char *value)
{
    lt_buf_addf(out, "\"%s\":", key);
    lt_json_add_string(out, lt_slice_cstr(value));
}

static void add_process(struct lt_buf *out, const struct process *p, int64_t now_ms)
{
    lt_buf_addf(out,
                "{\"name\":\"%s\",\"role\":\"%s\",\"instance\":%u,\"state\":\"%s\",\"pid\":%ld,"
                "\"uptime_s\":%lld,\"crashes\":%llu,\"seccomp\":%s,\"landlock_abi\":%u}",
                p->name, ipc_role_name(p->role), p->instance, state_names[p->state], (long)p->pid,
                (long long)(p->pid == 0 ? 0 : (now_ms - p->started_ms) / 1000),
                (unsigned long long)p->crashes, p->seccomp ? "true" : "false", p->landlock_abi);
}

/* Nobody shall take a test CA for another: what it does otherwise, word by word. */
static void add_testing(struct lt_buf *out, const struct supervisor *s)
{
    lt_buf_addf(out, ",\"drill\":%s", s->clock_fd >= 0 ? "true" : "false");
    lt_buf_addf(out, ",\"test_ca\":%s", s->test_ca ? "true" : "false");
    if (s->test_ca && s->testing.wanted) {
        lt_buf_addf(
            out, ",\"testing\":{\"always_valid\":%s,\"nonce_reject\":%u,\"authz_reuse\":%u,\"sleep_s\":%u}",
            s->testing.always_valid ? "true" : "false", s->testing.nonce_reject, s->testing.authz_reuse,
            s->testing.sleep_s);
    }
}

static void add_status(struct lt_buf *out, const struct supervisor *s)
{
    int64_t now_ms = lt_monotonic_ms();
    char time[LT_RFC3339_SIZE];
    lt_time_rfc3339(lt_now(), time);
    lt_buf_addf(out, "{\"time\":\"%s\",\"pid\":%ld,\"uptime_s\":%lld,\"build\":\"%s\",", time, (long)getpid(),
                (long long)((now_ms - s->begun_ms) / 1000), lt_version);
    add_string(out, "folder", s->folder);
    lt_buf_add_byte(out, ',');
    add_string(out, "name", s->config->name);
    lt_buf_addf(out, ",\"ready\":%s,\"stopping\":%s,\"held\":%s,", family_all_ready(s) ? "true" : "false",
                s->stopping ? "true" : "false", s->held ? "true" : "false");
    add_string(out, "hold_reason", s->hold_reason);
    lt_buf_addf(out, ",\"own_users\":%s,\"sandbox\":%s,\"listeners\":[", s->own_users ? "true" : "false",
                s->sandbox_off ? "false" : "true");
    for (size_t i = 0; i < s->listener_count; i++) {
        lt_buf_add_cstr(out, i == 0 ? "{" : ",{");
        add_string(out, "kind", s->listeners[i].kind);
        lt_buf_add_byte(out, ',');
        add_string(out, "address", s->listeners[i].address);
        lt_buf_add_byte(out, '}');
    }
    lt_buf_add_cstr(out, "],\"processes\":[");
    for (size_t i = 0; i < s->process_count; i++) {
        lt_buf_add_cstr(out, i == 0 ? "" : ",");
        add_process(out, &s->processes[i], now_ms);
    }
    lt_buf_add_byte(out, ']');
    silence_add(s, out);
    add_testing(out, s);
    lt_buf_add_cstr(out, "}\n");
}

/* Not synced: it is only true while the family runs. */
static lt_res replace(lt_slice bytes)
{
    LT_CLEANUP(lt_fd_closep)
    int fd = open("run/status.json.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    LT_CHECK(fd >= 0, LT_STATE_IO, "run/status.json.new: %s", strerror(errno));
    LT_TRY(lt_write_all(fd, bytes));
    LT_CHECK(rename("run/status.json.new", "run/status.json") == 0, LT_STATE_IO, "run/status.json: %s",
             strerror(errno));
    return LT_OK;
}

void status_write(struct supervisor *s)
{
    struct lt_buf out;
    silence_look(s);
    lt_buf_init(&out, STATUS_MAX);
    add_status(&out, s);
    lt_res r = lt_buf_check(&out);
    if (!lt_failed(r)) {
        r = replace(lt_buf_slice(&out));
    }
    if (lt_failed(r) && !s->status_failing) {
        lt_log_error("run/status.json was not written"); /* a full disk must not end the family */
    }
    s->status_failing = lt_failed(r);
    lt_buf_done(&out);
}

void status_notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (path == NULL || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof address.sun_path) {
        return;
    }
    size_t len = strlen(path);
    memcpy(address.sun_path, path, len);
    if (path[0] == '@') {
        address.sun_path[0] = 0;
    }
    LT_CLEANUP(lt_fd_closep) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ssize_t n = fd < 0 ? -1
                       : sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&address,
                                (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
    if (n < 0) {
        lt_log(LT_LOG_WARN, "systemd could not be told", "state=%s error=\"%s\"", state, strerror(errno));
    }
}
