/* The validator: proves control of names from here, and says all that it saw. It speaks to strangers: DNS
 * servers and web servers; so it has no book, no key, and nothing that it says counts without the nonce that
 * the registrar drew. What strangers send is read in workers, each for one account (validate/pool.h). What
 * was asked twice is done twice: the registrar takes one answer. */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/log.h"
#include "base/metrics.h"
#include "ca/config.h"
#include "ca/config_values.h"
#include "role/event_loop.h"
#include "role/kit.h"
#include "role/profiles.h"
#include "role/validator_testing.h"
#include "validate/pool.h"

enum { ANCHORS_MAX = 64 * 1024, TEXTS_MAX = 16 * 1024 * 1024 };
#define ROOT_ANCHOR "/usr/share/dns/root.key"

struct validator {
    struct role_kit *kit;
    struct event_base *base;      /* owned */
    struct validate_pool *pool;   /* owned */
    struct validate_pool *before; /* owned: of the configuration before, until its validations are done */
    struct validator_testing *testing; /* owned; NULL but in a test CA */
    char *build;                       /* owned */
    char *folder;                      /* owned; of the CA */
    struct lt_arena texts;             /* what the pools' options point to; grows with each reload */
    uint32_t registrar;                /* instance that asked last */
    int64_t silent_since_s;            /* our resolver; 0: it answers */
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

static lt_res look(struct validator *s, uint64_t id, const Ipc__Validate *q)
{
    lt_res r = validate_pool_start(s->pool, id, q);
    if (r.code == LT_RETRY_BUSY) {
        lt_log_error("validation put off"); /* the registrar asks again */
        return LT_OK;
    }
    return r;
}

/* It has slept. */
static void look_late(void *self, uint64_t id, const Ipc__Validate *q)
{
    if (lt_failed(look(self, id, q))) {
        lt_log_error("validation not begun"); /* the registrar asks again */
    }
}

static lt_res on_validate(void *self, const struct ipc_msg *m)
{
    struct validator *s = self;
    const Ipc__Validate *q = (const Ipc__Validate *)(const void *)m->body;
    s->registrar = m->from.instance;
    if (s->testing != NULL) {
        validator_testing_take(s->testing, m->from.id, q);
        return LT_OK;
    }
    return look(s, m->from.id, q);
}

/* Every answer is checked down from the trust anchor, whether we ask the servers ourselves or by way of a
 * resolver, unless the configuration of a private network says otherwise.
 *= CABF-BR 3.2.2.4 "CAs MUST NOT use local policy to disable DNSSEC validation on any DNS query" */
static lt_res read_anchors(struct validator *s, const struct ca_config *config, const char **ret_text)
{
    lt_slice text = {0};
    bool own = config->trust_anchor[0] != '\0';
    const char *path = own ? config->trust_anchor : ROOT_ANCHOR;
    *ret_text = "";
    if (!config->dnssec) {
        lt_log(LT_LOG_WARN, "answers of the DNS are not checked", "validation.dnssec=none");
        return LT_OK;
    }
    int dir = open(s->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(dir >= 0 || path[0] == '/', LT_STATE_IO, "%s: %s", s->folder, strerror(errno));
    lt_res r = lt_file_read(&s->texts, dir, path, ANCHORS_MAX, &text);
    if (dir >= 0) {
        (void)close(dir); /* only read */
    }
    if (lt_failed(r) && !own) {
        lt_log(LT_LOG_WARN, "no DNSSEC trust anchor: answers count as insecure",
               "missing=%s install=dns-root-data", ROOT_ANCHOR);
        return LT_OK;
    }
    LT_TRY(r);
    LT_TRY(ca_value_anchors(path, text)); /* libunbound would name neither file nor line */
    *ret_text = lt_arena_cstr(&s->texts, text);
    LT_CHECK(*ret_text != NULL, LT_PEER_TOO_LARGE, "%s is too large", path);
    return LT_OK;
}

static lt_res make_pool(struct validator *s, const struct ca_config *config, struct validate_pool **ret_pool)
{
    const char *anchors = "";
    LT_TRY(read_anchors(s, config, &anchors));
    const char *resolver = lt_arena_cstr(&s->texts, lt_slice_cstr(config->resolver));
    LT_CHECK(resolver != NULL, LT_PEER_TOO_LARGE, "the configuration was read too often");
    const struct validate_pool_options options = {
        .engine =
            {
                .resolver = resolver,
                .trust_anchor = anchors,
                .http_port = (uint16_t)config->validation_http_port,
                .https_port = (uint16_t)config->validation_https_port,
                .allow_private = config->allow_private,
                .now = lt_now,
                .build = s->build,
                .perspective = "primary",
            },
    };
    return validate_pool_new(s->base, &options, answer, s, ret_pool);
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
    s->folder = strdup(start->folder);
    LT_ASSERT(s->base != NULL && s->build != NULL && s->folder != NULL);
    lt_arena_init(&s->texts, TEXTS_MAX);
    LT_TRY(make_pool(s, config, &s->pool));
    s->testing = validator_testing_new(start->testing, &(struct validator_testing_options){
                                                           .base = s->base,
                                                           .build = s->build,
                                                           .self = s,
                                                           .start = look_late,
                                                           .answer = answer,
                                                       });
    *ret_self = s;
    return LT_OK;
}

/* New questions go by the new configuration; what runs is finished by the old one. */
static lt_res reload(void *self, const char *config_yaml)
{
    struct validator *s = self;
    LT_CLEANUP(ca_config_freep) struct ca_config *config = NULL;
    struct validate_pool *fresh = NULL;
    LT_TRY(ca_config_parse(lt_slice_cstr(config_yaml), &config));
    LT_TRY(make_pool(s, config, &fresh));
    validate_pool_free(s->before); /* what it had not finished is asked again */
    s->before = s->pool;
    s->pool = fresh;
    lt_log(LT_LOG_INFO, "configuration read again", "resolver=%s port=%u", config->resolver,
           config->validation_http_port);
    return LT_OK;
}

static bool drained(void *self)
{
    const struct validator *s = self;
    /* Without a registrar nobody waits: it asks again when it is back. What sleeps has not begun. */
    return validate_pool_running(s->pool) == 0 || !role_linked(s->kit, IPC_REGISTRAR);
}

static lt_res tick(void *self, lt_time now)
{
    struct validator *s = self;
    if (s->before != NULL && validate_pool_running(s->before) == 0) {
        validate_pool_free(s->before);
        s->before = NULL;
    }
    int64_t silent_ms = validate_pool_silent_ms(s->pool);
    s->silent_since_s = silent_ms == 0          ? 0
                        : s->silent_since_s > 0 ? s->silent_since_s
                                                : lt_time_seconds(now) - silent_ms / 1000;
    lt_metric_set("lintel_silent_since_seconds{what=\"resolver\"}", s->silent_since_s);
    lt_metric_set("lintel_validations_running", (int64_t)validate_pool_running(s->pool));
    lt_metric_set("lintel_validation_workers", (int64_t)validate_pool_workers(s->pool));
    return LT_OK;
}

static lt_res run(void *self)
{
    struct validator *s = self;
    return role_event_loop(s->kit, s->base);
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
