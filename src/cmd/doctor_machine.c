/* What runs, and what it runs on: listeners, clock, the family, the people. */
#include <fcntl.h>
#include <string.h>
#include <sys/timex.h>

#include "base/version.h"
#include "ca/operator.h"
#include "cmd/doctor.h"
#include "cmd/verbs.h"

static bool loopback(const char *host)
{
    return strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0;
}

void doctor_listeners(struct doctor *d)
{
    const struct ca_config *config = d->config;
    const char *host = NULL;
    uint16_t port = 0;
    bool public_listener = false;
    if (config->listen_operator[0] != 0 &&
        !lt_failed(ca_config_split_address(&d->c->arena, config->listen_operator, &host, &port))) {
        bool inside = loopback(host);
        doctor_say(d, inside ? DOCTOR_OK : DOCTOR_BAD, "listeners", "the operator listener is %s%s",
                   config->listen_operator,
                   inside ? "" : ": reachable from outside; write 127.0.0.1 in listen.operator");
    }
    if (!lt_failed(ca_config_split_address(&d->c->arena, config->listen_https, &host, &port))) {
        public_listener = !loopback(host);
    }
    if (public_listener && strstr(config->base_url, "//localhost") != NULL) {
        doctor_say(d, DOCTOR_WARN, "listeners",
                   "the public listener is %s, and base-url says %s: clients elsewhere "
                   "cannot follow it; set host-names or base-url",
                   config->listen_https, config->base_url);
    }
    if (public_listener && config->allow_private) {
        doctor_say(d, DOCTOR_WARN, "validation",
                   "allow-private lets strangers make us connect to private addresses");
    }
    if (config->public_http_url[0] == 0) {
        doctor_say(d, DOCTOR_WARN, "listeners", "no public-http-url: certificates cannot point to CRLs");
    }
}

void doctor_clock(struct doctor *d)
{
    struct timex t = {.modes = 0};
    int state = adjtimex(&t);
    bool synchronised = state >= 0 && state != TIME_ERROR && (t.status & STA_UNSYNC) == 0;
    doctor_say(d, synchronised ? DOCTOR_OK : DOCTOR_WARN, "clock", "%s",
               synchronised
                   ? "synchronised"
                   : "not synchronised, says the kernel; run chrony or systemd-timesyncd: a jump of over 2 s "
                     "stops signing");
}

static void one_process(struct doctor *d, const json_t *p)
{
    const char *name = json_string_value(json_object_get(p, "name"));
    const char *state = json_string_value(json_object_get(p, "state"));
    int64_t crashes = json_integer_value(json_object_get(p, "crashes"));
    if (name == NULL || state == NULL) {
        return;
    }
    if (strcmp(state, "ready") != 0) {
        doctor_say(d, DOCTOR_BAD, "family", "%s is %s; the log says why", name, state);
        return;
    }
    if (!json_is_true(json_object_get(p, "seccomp"))) {
        doctor_say(d, DOCTOR_BAD, "sandbox", "%s runs without a system call filter", name);
    }
    if (json_integer_value(json_object_get(p, "landlock_abi")) == 0) {
        doctor_say(d, DOCTOR_WARN, "sandbox", "%s runs without Landlock: the kernel has none", name);
    }
    if (crashes > 0) {
        doctor_say(d, DOCTOR_WARN, "family", "%s has crashed %lld times since the start; look into the log",
                   name, (long long)crashes);
    }
}

void doctor_family(struct doctor *d)
{
    json_t *family = NULL;
    size_t i;
    json_t *p;
    size_t before = d->count;
    if (lt_failed(cmd_family_status(d->c, d->folder, &family))) {
        doctor_say(d, DOCTOR_NOTE, "family", "%s", lt_error_last()->detail);
        return;
    }
    json_array_foreach(json_object_get(family, "processes"), i, p)
    {
        one_process(d, p);
    }
    const char *build = json_string_value(json_object_get(family, "build"));
    if (build == NULL || strcmp(build, lt_version) != 0) {
        doctor_say(d, DOCTOR_WARN, "versions", "the family is build %s and this program %s; restart it",
                   build != NULL ? build : "unknown", lt_version);
    }
    if (json_is_true(json_object_get(family, "held"))) {
        doctor_say(d, DOCTOR_BAD, "family", "issuance is held: %s",
                   json_string_value(json_object_get(family, "hold_reason")));
    }
    if (!json_is_true(json_object_get(family, "sandbox"))) {
        doctor_say(d, DOCTOR_BAD, "sandbox", "the family runs with --no-sandbox");
    }
    if (!json_is_true(json_object_get(family, "own_users"))) {
        doctor_say(d, DOCTOR_WARN, "users",
                   "all programs run as one user: start as root, in a folder that others may "
                   "pass, to give each its own");
    }
    bool fine = d->count == before;
    doctor_silence(d, family);
    if (fine) {
        doctor_say(d, DOCTOR_OK, "family", "every program is ready, locked in, under its own user");
    }
    json_decref(family);
}

void doctor_people(struct doctor *d)
{
    struct ca_operators o = {.count = 0};
    size_t approvers = 0;
    if (lt_failed(ca_operators_load(d->dir, "operators", &o))) {
        doctor_say(d, DOCTOR_BAD, "operators", "%s", lt_error_last()->detail);
        return;
    }
    for (size_t i = 0; i < o.count; i++) {
        approvers += (o.list[i].roles & CA_ROLE_APPROVER) != 0;
    }
    ca_operators_done(&o);
    bool enough = approvers > d->config->approvals_needed;
    doctor_say(d, enough ? DOCTOR_OK : DOCTOR_WARN, "operators",
               "%zu approvers, and a plan needs %u who did not propose it%s", approvers,
               d->config->approvals_needed,
               enough ? "" : "; a halt could not be lifted: lintel operator add NAME --role approver");
}
