/* Waiting and believing, for test CAs. What is believed says so wherever its evidence is read: the resolver
 * is "testing", the build and the reason of CAA name the setting. */
#include "role/validator_testing.h"

#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "validate/methods.h"

enum { SLEEPERS_MAX = 4096, BUILD_SIZE = 160 };

#define NOTHING "testing.always-valid: nothing was looked at"

struct sleeper {
    struct validator_testing *owner;
    struct event *timer; /* owned */
    uint64_t id;
    Ipc__Validate *question; /* owned */
    struct sleeper *next;
};

struct validator_testing {
    struct validator_testing_options options;
    uint32_t sleep_s;
    bool always_valid;
    char build[BUILD_SIZE];
    struct sleeper *sleepers; /* owned list */
    size_t count;
};

struct validator_testing *validator_testing_new(const Ipc__Testing *testing,
                                                const struct validator_testing_options *options)
{
    if (testing == NULL || (testing->sleep_s == 0 && !testing->always_valid)) {
        return NULL;
    }
    struct validator_testing *t = calloc(1, sizeof *t);
    LT_ASSERT(t != NULL);
    t->options = *options;
    t->sleep_s = testing->sleep_s;
    t->always_valid = testing->always_valid;
    (void)snprintf(t->build, sizeof t->build, "%.100s (" NOTHING ")", options->build); /* cut */
    return t;
}

static void drop(struct sleeper *s)
{
    struct validator_testing *t = s->owner;
    struct sleeper **at = &t->sleepers;
    while (*at != s) {
        at = &(*at)->next;
    }
    *at = s->next;
    t->count--;
    event_free(s->timer);
    ipc__validate__free_unpacked(s->question, NULL);
    free(s);
}

void validator_testing_free(struct validator_testing *t)
{
    while (t != NULL && t->sleepers != NULL) {
        drop(t->sleepers);
    }
    free(t);
}

/* "caa" is a question about CAA alone; the rest want both. */
static void believe(struct validator_testing *t, uint64_t id, const Ipc__Validate *q)
{
    static char nothing[] = NOTHING;
    static char none[] = "none";
    static char resolver[] = "testing";
    static char perspective[] = "primary";
    Ipc__Validated v = IPC__VALIDATED__INIT;
    Ipc__CaaCheck caa = IPC__CAA_CHECK__INIT;
    int64_t now_us = lt_now().us;
    caa.checked = true;
    caa.permitted = true;
    caa.why = nothing;
    caa.dnssec = none;
    caa.checked_us = now_us;
    v.authorization_id = q->authorization_id;
    v.challenge_index = q->challenge_index;
    v.nonce = q->nonce;
    v.identifier = q->identifier;
    v.method = q->method;
    v.wildcard = q->wildcard;
    v.subdomains = q->subdomains;
    const struct validate_method *m = validate_method_find(q->method, q->identifier->type);
    v.ruleset = m == NULL ? nothing : (char *)(uintptr_t)m->ruleset; /* only read */
    v.ok = true;
    v.resolver = resolver;
    v.dnssec = none;
    v.dnssec_why = nothing;
    v.started_us = now_us;
    v.finished_us = now_us;
    v.perspective = perspective;
    v.build = t->build;
    v.caa = &caa;
    t->options.answer(t->options.self, id, &v);
}

static void go_on(struct validator_testing *t, uint64_t id, const Ipc__Validate *q)
{
    if (t->always_valid) {
        believe(t, id, q);
    } else {
        t->options.start(t->options.self, id, q);
    }
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct sleeper *s = arg;
    (void)fd;
    (void)what;
    go_on(s->owner, s->id, s->question);
    drop(s);
}

static Ipc__Validate *copy(const Ipc__Validate *q)
{
    size_t size = ipc__validate__get_packed_size(q);
    uint8_t *bytes = malloc(size == 0 ? 1 : size);
    LT_ASSERT(bytes != NULL);
    (void)ipc__validate__pack(q, bytes); /* writes what the line above measured */
    Ipc__Validate *fresh = ipc__validate__unpack(NULL, size, bytes);
    free(bytes);
    LT_ASSERT(fresh != NULL);
    return fresh;
}

/* Clients shall not rely on the first look at a challenge showing its end. */
static struct timeval draw_wait(const struct validator_testing *t)
{
    uint32_t drawn = 0;
    lt_random((uint8_t *)&drawn, sizeof drawn);
    uint64_t ms = drawn % ((uint64_t)t->sleep_s * 1000 + 1);
    return (struct timeval){.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
}

void validator_testing_take(struct validator_testing *t, uint64_t id, const Ipc__Validate *q)
{
    if (t->sleep_s == 0 || t->count >= SLEEPERS_MAX) {
        go_on(t, id, q);
        return;
    }
    struct sleeper *s = calloc(1, sizeof *s);
    LT_ASSERT(s != NULL);
    struct timeval wait = draw_wait(t);
    *s = (struct sleeper){.owner = t, .id = id, .question = copy(q), .next = t->sleepers};
    s->timer = event_new(t->options.base, -1, 0, on_timer, s);
    LT_ASSERT(s->timer != NULL && event_add(s->timer, &wait) == 0);
    t->sleepers = s;
    t->count++;
}
