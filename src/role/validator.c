/* The validator: proves control of names from here, and says all that it saw. It speaks to strangers: DNS
 * servers and web servers; so it has no book, no key, and nothing that it says counts without the nonce that
 * the registrar drew. What was asked twice is done twice: the registrar takes one answer. */
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/metrics.h"
#include "ca/config.h"
#include "role/kit.h"
#include "role/profiles.h"
#include "validate/validate.h"

enum { TICK_MS = 100 };
#define ROOT_ANCHOR "/usr/share/dns/root.key"

struct validator {
    struct role_kit *kit;
    struct event_base *base;        /* owned */
    struct validate_engine *engine; /* owned */
    struct validate_engine *before; /* owned: of the configuration before, until its validations are done */
    char *build;                    /* owned */
    uint32_t registrar;             /* instance that asked last */
    struct event kit_event;
    struct event tick_event;
};

static void answer(void *self, uint64_t id, const Ipc__Validated *v)
{
    struct validator *s = self;
    const struct ipc_addr to = {.role = IPC_REGISTRAR, .instance = s->registrar, .id = id};
    const char *word = v->ok ? "valid" : v->problem->type;
    char metric[LT_METRICS_NAME_MAX];
    (void)snprintf(metric, sizeof metric, "lintel_validations_total{outcome=\"%s\"}", word); /* known words */
    lt_metric_add(metric, 1);
    if (v->finished_us > v->started_us) {
        lt_metric_observe_us("lintel_validation_seconds", (uint64_t)(v->finished_us - v->started_us));
    }
    lt_log(v->ok ? LT_LOG_DEBUG : LT_LOG_INFO, "validation", "outcome=%s authorization=%lld name=%s", word,
           (long long)v->authorization_id, v->identifier->value);
    if (lt_failed(role_reply(s->kit, &to, IPC_VALIDATED, &v->base))) {
        lt_log_error("answer not sent"); /* the registrar asks again */
    }
}

static lt_res on_validate(void *self, const struct ipc_msg *m)
{
    struct validator *s = self;
    s->registrar = m->from.instance;
    lt_res r = validate_start(s->engine, m->from.id, (const Ipc__Validate *)(const void *)m->body);
    if (r.code == LT_RETRY_BUSY) {
        lt_log_error("validation put off"); /* the registrar asks again */
        return LT_OK;
    }
    return r;
}

/* Every answer is checked from the DNS root down, whether we ask the servers ourselves or by way of a
 * resolver.
 *= CABF-BR 3.2.2.4 "CAs MUST NOT use local policy to disable DNSSEC validation on any DNS query"
 * Only the resolver of a private network, whose names the root cannot know, is believed as it is. */
static const char *anchor_for(const struct ca_config *config)
{
    if (config->resolver[0] != '\0' && config->allow_private) {
        return "";
    }
    if (access(ROOT_ANCHOR, R_OK) != 0) {
        lt_log(LT_LOG_WARN, "no DNSSEC trust anchor: answers count as insecure",
               "missing=%s install=dns-root-data", ROOT_ANCHOR);
        return "";
    }
    return ROOT_ANCHOR;
}

static lt_res make_engine(struct validator *s, const struct ca_config *config,
                          struct validate_engine **ret_engine)
{
    const struct validate_options options = {
        .resolver = config->resolver,
        .trust_anchor = anchor_for(config),
        .http_port = (uint16_t)config->validation_http_port,
        .allow_private = config->allow_private,
        .now = lt_now,
        .build = s->build,
        .perspective = "primary",
    };
    return validate_engine_new(s->base, &options, answer, s, ret_engine);
}

static lt_res start(struct role_kit *kit, const Ipc__Start *start, const int *listener_fds, void **ret_self)
{
    LT_CLEANUP(ca_config_freep) struct ca_config *config = NULL;
    (void)listener_fds; /* has none */
    LT_TRY(ca_config_parse(lt_slice_cstr(start->config_yaml), &config));
    struct validator *s = calloc(1, sizeof *s);
    LT_ASSERT(s != NULL);
    s->kit = kit;
    s->base = event_base_new();
    s->build = strdup(start->build);
    LT_ASSERT(s->base != NULL && s->build != NULL);
    LT_TRY(make_engine(s, config, &s->engine));
    *ret_self = s;
    return LT_OK;
}

/* New questions go by the new configuration; what runs is finished by the old one. */
static lt_res reload(void *self, const char *config_yaml)
{
    struct validator *s = self;
    LT_CLEANUP(ca_config_freep) struct ca_config *config = NULL;
    struct validate_engine *fresh = NULL;
    LT_TRY(ca_config_parse(lt_slice_cstr(config_yaml), &config));
    LT_TRY(make_engine(s, config, &fresh));
    validate_engine_free(s->before); /* what it had not finished is asked again */
    s->before = s->engine;
    s->engine = fresh;
    lt_log(LT_LOG_INFO, "configuration read again", "resolver=%s port=%u", config->resolver,
           config->validation_http_port);
    return LT_OK;
}

static bool drained(void *self)
{
    const struct validator *s = self;
    /* Without a registrar nobody waits: it asks again when it is back. */
    return validate_running(s->engine) == 0 || !role_linked(s->kit, IPC_REGISTRAR);
}

static lt_res tick(void *self, lt_time now)
{
    struct validator *s = self;
    (void)now;
    if (s->before != NULL && validate_running(s->before) == 0) {
        validate_engine_free(s->before);
        s->before = NULL;
    }
    lt_metric_set("lintel_validations_running", (int64_t)validate_running(s->engine));
    return LT_OK;
}

static void on_kit(evutil_socket_t fd, short what, void *arg)
{
    struct validator *s = arg;
    (void)fd;
    (void)what;
    if (!role_kit_dispatch(s->kit)) {
        (void)event_base_loopbreak(s->base); /* fails only without a base */
    }
}

static lt_res run(void *self)
{
    struct validator *s = self;
    const struct timeval period = {.tv_usec = TICK_MS * 1000};
    int fd = role_kit_fd(s->kit);
    bool fine = event_assign(&s->kit_event, s->base, fd, EV_READ | EV_PERSIST, on_kit, s) == 0 &&
                event_assign(&s->tick_event, s->base, -1, EV_PERSIST, on_kit, s) == 0 &&
                event_add(&s->kit_event, NULL) == 0 && event_add(&s->tick_event, &period) == 0;
    LT_ASSERT(fine);
    LT_CHECK(event_base_loop(s->base, EVLOOP_NO_EXIT_ON_EMPTY) == 0, LT_STATE_IO, "the event loop failed");
    return LT_OK;
}

static const struct role_route routes[] = {
    {IPC_REGISTRAR, IPC_VALIDATE, on_validate},
};

int main(void)
{
    const struct role_spec spec = {
        .role = IPC_VALIDATOR,
        .routes = routes,
        .route_count = LT_COUNT(routes),
        .sandbox = &role_profiles[IPC_VALIDATOR],
        .start = start,
        .tick = tick,
        .reload = reload,
        .drained = drained,
        .run = run,
    };
    return role_main(&spec);
}
