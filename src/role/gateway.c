/* The gateway: the only program of the family that outside clients talk to.
 *
 * It terminates TLS, frames HTTP, keeps limits, serves the public files and hands everything else to a
 * notary. It judges nothing: no signature, no token, no JSON is read here. It opens neither the book nor a CA
 * key, and connects to nobody. The public listeners never serve /metrics,
 * /api or the console.
 */
#include "role/gateway.h"

#include <event2/event.h>
#include <openssl/ssl.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/random.h"
#include "role/profiles.h"

enum { TICK_MS = 100, SCRATCH_MAX = 256 * 1024, RESERVED_CONNECTIONS = 256 /* browsers hold several each */ };

#define ON(listener_) (1u << (listener_))

static const struct {
    unsigned listeners;
    const char *path; /* with a slash at its end: all below it */
    void (*serve)(struct gateway *g, struct http_exchange *x);
    bool testing; /* in test CAs alone */
    bool whole;   /* the path itself, though it ends in a slash */
    enum gateway_share share;
} routes[] = {
    {ON(LISTENER_HTTPS), "/acme/renewal-info/", gateway_serve_ari},
    {ON(LISTENER_HTTPS), "/acme/resume/", gateway_ask, .share = GATEWAY_SHARE_LINK},
    {ON(LISTENER_HTTPS), "/acme/contact/", gateway_ask, .share = GATEWAY_SHARE_LINK},
    {ON(LISTENER_HTTPS), "/acme/reissue/", gateway_ask, .share = GATEWAY_SHARE_LINK},
    {ON(LISTENER_HTTPS), "/acme/", gateway_ask},
    {ON(LISTENER_HTTPS), "/dir", gateway_ask, true},
    {ON(LISTENER_MANAGEMENT), "/roots/", gateway_serve_roots, true},
    {ON(LISTENER_MANAGEMENT), "/intermediates/", gateway_serve_intermediates, true},
    {ON(LISTENER_MANAGEMENT), "/root-keys/", gateway_serve_no_keys, true},
    {ON(LISTENER_MANAGEMENT), "/intermediate-keys/", gateway_serve_no_keys, true},
    {ON(LISTENER_MANAGEMENT), "/cert-status-by-serial/", gateway_ask, true},
    {ON(LISTENER_MANAGEMENT), "/set-renewal-info/", gateway_ask, true},
    {ON(LISTENER_HTTPS), "/", gateway_ask, .whole = true},
    {ON(LISTENER_HTTPS), "/status", gateway_ask},
    {ON(LISTENER_HTTPS), "/status.json", gateway_ask},
    {ON(LISTENER_HTTPS), "/hierarchy", gateway_ask},
    {ON(LISTENER_HTTPS), "/get-certificates", gateway_ask},
    {ON(LISTENER_HTTP), "/", gateway_serve_front, .whole = true},
    {ON(LISTENER_HTTP), "/status", gateway_serve_front},
    {ON(LISTENER_HTTP), "/hierarchy", gateway_serve_front},
    {ON(LISTENER_HTTP), "/get-certificates", gateway_serve_front},
    {ON(LISTENER_HTTP), "/problem", gateway_serve_front},
    {ON(LISTENER_HTTP), "/key", gateway_serve_front},
    {ON(LISTENER_HTTP), "/affected", gateway_serve_front},
    {ON(LISTENER_HTTPS), "/validate/", gateway_ask, .share = GATEWAY_SHARE_LINK},
    {ON(LISTENER_HTTPS), "/problem", gateway_ask, .share = GATEWAY_SHARE_OPEN},
    {ON(LISTENER_HTTPS), "/problem/", gateway_ask, .share = GATEWAY_SHARE_LINK},
    {ON(LISTENER_HTTPS), "/oncall/", gateway_ask, .share = GATEWAY_SHARE_LINK},
    {ON(LISTENER_HTTPS), "/key", gateway_ask, .share = GATEWAY_SHARE_OPEN},
    {ON(LISTENER_HTTPS), "/key/", gateway_ask, .share = GATEWAY_SHARE_LINK},
    {ON(LISTENER_HTTPS), "/affected", gateway_ask, .share = GATEWAY_SHARE_OPEN},
    {ON(LISTENER_HTTPS), "/affected/", gateway_serve_affected},
    {ON(LISTENER_HTTPS), GATEWAY_NAMELESS, gateway_ask, .share = GATEWAY_SHARE_LINK},
    {ON(LISTENER_API), "/api/", gateway_ask},
    {ON(LISTENER_OPERATOR), "/api/v1/live", gateway_serve_live},
    {ON(LISTENER_OPERATOR), "/api/", gateway_serve_api},
    {ON(LISTENER_OPERATOR), "/console/", gateway_serve_console},
    {ON(LISTENER_OPERATOR), "/console", gateway_serve_console},
    {ON(LISTENER_OPERATOR), "/", gateway_serve_console, .whole = true},
    {ON(LISTENER_HTTPS) | ON(LISTENER_HTTP), "/crl/", gateway_serve_crl},
    {ON(LISTENER_HTTPS) | ON(LISTENER_HTTP), "/ca/", gateway_serve_ca},
    {ON(LISTENER_HTTPS) | ON(LISTENER_HTTP), "/ocsp", gateway_serve_ocsp},
    {ON(LISTENER_HTTPS) | ON(LISTENER_HTTP), "/ocsp/", gateway_serve_ocsp},
    {ON(LISTENER_OPERATOR) | ON(LISTENER_API), "/metrics", gateway_serve_metrics},
    {ON(LISTENER_HTTPS) | ON(LISTENER_HTTP) | ON(LISTENER_OPERATOR) | ON(LISTENER_API), "/healthz",
     gateway_serve_health},
};

static const struct {
    const char *name;
    enum http_listen_kind kind;
    bool is_public;
} listener_kinds[LISTENER_KINDS] = {
    [LISTENER_HTTPS] = {"https", HTTP_LISTEN_TLS, true},
    [LISTENER_HTTP] = {"http", HTTP_LISTEN_PLAIN, true},
    [LISTENER_OPERATOR] = {"operator", HTTP_LISTEN_EITHER, false},
    [LISTENER_API] = {"api", HTTP_LISTEN_UNIX, false},
    [LISTENER_MANAGEMENT] = {"management", HTTP_LISTEN_TLS, false},
};

static bool route_matches(const struct gateway *g, size_t i, enum gateway_listener listener, lt_slice path)
{
    lt_slice want = lt_slice_cstr(routes[i].path);
    bool below = want.ptr[want.len - 1] == '/' && !routes[i].whole;
    return (routes[i].listeners & ON(listener)) != 0 && (!routes[i].testing || g->testing != NULL) &&
           (below ? lt_slice_starts(path, want) : lt_slice_eq(path, want));
}

static enum gateway_listener listener_of(const struct gateway *g, const struct http_request *r)
{
    return g->kinds[r->listener - g->infos];
}

bool gateway_spares(const char *remote)
{
    return remote[0] == 0 || strcmp(remote, "127.0.0.1") == 0 || strcmp(remote, "::1") == 0;
}

static uint16_t bucket_of(const struct gateway *g, const char *remote)
{
    uint64_t h = g->address_seed;
    for (const char *c = remote; *c != 0; c++) {
        h = (h ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
    }
    return (uint16_t)((h >> 32) % GATEWAY_ADDRESS_BUCKETS);
}

static struct gateway_slot *take_slot(struct gateway *g, struct http_exchange *x)
{
    const struct http_request *r = http_exchange_request(x);
    struct gateway_slot *slot = g->free_slots;
    if (slot != NULL) {
        g->free_slots = slot->next_free;
        *slot = (struct gateway_slot){
            .exchange = x,
            .listener = listener_of(g, r),
            .bucket = bucket_of(g, r->remote),
            .spared = gateway_spares(r->remote),
            .since_us = lt_now().us,
        };
        g->in_flight++;
        g->address_load[slot->bucket] += slot->spared ? 0U : 1U;
        g->operator_load += slot->listener == LISTENER_OPERATOR ? 1U : 0U;
    }
    return slot;
}

static void on_request(void *self, struct http_exchange *x)
{
    struct gateway *g = self;
    const struct http_request *r = http_exchange_request(x);
    struct gateway_slot *slot = take_slot(g, x);
    http_exchange_set_user(x, slot);
    bool crowded = slot != NULL && slot->listener == LISTENER_OPERATOR &&
                   g->operator_load > GATEWAY_OPERATOR_SLOTS;
    if (slot == NULL || crowded) {
        http_exchange_problem(x, 503, NULL, "too many requests at once", 1);
        return;
    }
    if (!slot->spared && g->address_load[slot->bucket] > GATEWAY_ADDRESS_SLOTS) {
        http_exchange_problem(x, 429, "urn:ietf:params:acme:error:rateLimited",
                              "too many requests of one address at once", 1);
        return;
    }
    for (size_t i = 0; i < LT_COUNT(routes); i++) {
        if (route_matches(g, i, slot->listener, r->path)) {
            if (!gateway_share_serves(g, slot, routes[i].share)) {
                routes[i].serve(g, x);
            }
            return;
        }
    }
    http_exchange_problem(x, 404, NULL, "there is nothing at this path", 0);
}

static void on_ended(void *self, struct http_exchange *x, const struct http_outcome *outcome)
{
    struct gateway *g = self;
    struct gateway_slot *slot = http_exchange_user(x);
    if (slot == NULL) {
        return;
    }
    gateway_count(g, slot, outcome);
    const struct http_request *r = http_exchange_request(x);
    if (!lt_slice_starts(r->path, LT_LIT(GATEWAY_NAMELESS))) {
        lt_log(LT_LOG_DEBUG, "request", "listener=%s from=%s method=%.*s path=%.*s status=%u us=%lld",
               r->listener->name, r->remote, LT_FMT(r->method), LT_FMT(r->path), outcome->status,
               (long long)(lt_now().us - slot->since_us));
    }
    gateway_forget(g, slot);
    gateway_ocsp_forget(g, slot);
    gateway_ari_forget(g, slot);
    gateway_live_forget(g, slot);
    gateway_share_forget(g, slot);
    g->operator_load -= slot->listener == LISTENER_OPERATOR ? 1U : 0U;
    g->address_load[slot->bucket] -= slot->spared ? 0U : 1U;
    *slot = (struct gateway_slot){.next_free = g->free_slots};
    g->free_slots = slot;
    g->in_flight--;
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    struct gateway *g = arg;
    if (g->stop || !role_kit_dispatch(g->kit)) {
        g->stop = true;
        (void)event_base_loopbreak(g->base); /* fails only without a base */
    }
}

/* Called by the kit about every 100 ms, from within role_kit_dispatch. */
static lt_res tick(void *self, lt_time now)
{
    struct gateway *g = self;
    g->now = now;
    g->now_ms = lt_monotonic_ms();
    if (role_draining(g->kit) && !g->draining) {
        g->draining = true;
        http_server_drain(g->server);
    }
    http_server_tick(g->server, now, g->now_ms);
    gateway_expire(g);
    gateway_live_tick(g);
    gateway_share_tick(g);
    gateway_tls_tick(g);
    gateway_ari_tick(g);
    gateway_ocsp_tick(g);
    gateway_metrics_tick(g);
    return LT_OK;
}

static lt_res reload(void *self, const char *config_yaml)
{
    gateway_tls_reload(self, config_yaml);
    return LT_OK;
}

static bool drained(void *self)
{
    const struct gateway *g = self;
    return g->draining && http_server_drained(g->server);
}

static lt_res run(void *self)
{
    struct gateway *g = self;
    const struct timeval period = {.tv_usec = TICK_MS * 1000};
    LT_ASSERT(event_assign(&g->kit_event, g->base, role_kit_fd(g->kit), EV_READ | EV_PERSIST, on_tick, g) ==
              0);
    LT_ASSERT(event_assign(&g->tick_event, g->base, -1, EV_PERSIST, on_tick, g) == 0);
    LT_ASSERT(event_add(&g->kit_event, NULL) == 0 && event_add(&g->tick_event, &period) == 0);
    LT_CHECK(event_base_loop(g->base, EVLOOP_NO_EXIT_ON_EMPTY) == 0, LT_STATE_IO, "the event loop failed");
    return LT_OK;
}

/* "metrics" is not a socket but the board of the process that address names. */
static lt_res add_listener(struct gateway *g, const Ipc__Listener *l, int fd)
{
    if (strcmp(l->kind, "metrics") == 0) {
        return gateway_add_board(g, l->address, fd);
    }
    for (size_t k = 0; k < LISTENER_KINDS; k++) {
        if (strcmp(l->kind, listener_kinds[k].name) != 0) {
            continue;
        }
        LT_CHECK(g->listener_count < GATEWAY_LISTENERS, LT_PEER_USAGE, "over %d listeners",
                 GATEWAY_LISTENERS);
        size_t i = g->listener_count++;
        g->kinds[i] = (enum gateway_listener)k;
        g->infos[i] = (struct http_listener_info){
            .name = listener_kinds[k].name,
            .kind = listener_kinds[k].kind,
            .is_public = listener_kinds[k].is_public,
            .tls_only = k == LISTENER_OPERATOR && gateway_console_tls_only(l->address),
        };
        return http_server_listen(g->server, fd, &g->infos[i]);
    }
    LT_FAIL(LT_PEER_USAGE, "a listener of an unknown kind: %s", l->kind);
}

static void open_slots(struct gateway *g)
{
    for (size_t i = GATEWAY_SLOTS; i > 0; i--) {
        g->slots[i - 1].next_free = g->free_slots;
        g->free_slots = &g->slots[i - 1];
    }
}

static lt_res start(struct role_kit *kit, const Ipc__Start *start, const int *listener_fds, void **ret_self)
{
    static struct gateway storage; /* one role is one process */
    struct gateway *g = &storage;
    const struct http_hooks hooks = {.self = g, .request = on_request, .ended = on_ended};
    const struct http_limits limits = {.reserved_connections = RESERVED_CONNECTIONS};
    g->kit = kit;
    g->now = lt_now();
    g->now_ms = lt_monotonic_ms();
    g->base = event_base_new();
    LT_CHECK(g->base != NULL, LT_STATE_IO, "no event loop");
    lt_arena_init(&g->scratch, SCRATCH_MAX);
    open_slots(g);
    lt_random((uint8_t *)&g->address_seed, sizeof g->address_seed);
    gateway_metrics_open(g);
    LT_TRY(http_server_new(g->base, &limits, &hooks, &g->server));
    http_server_tick(g->server, g->now, g->now_ms);
    LT_TRY(gateway_files_open(g, start->folder));
    gateway_ari_open(g, start->folder);
    gateway_ocsp_open(g, start->folder);
    LT_TRY(gateway_tls_open(g, start));
    gateway_testing_open(g, start);
    gateway_front_open(g, start);
    gateway_console_open(g, start);
    gateway_live_open(g);
    gateway_share_open(g);
    for (size_t i = 0; i < start->n_listeners; i++) {
        LT_TRY(add_listener(g, start->listeners[i], listener_fds[i]));
    }
    *ret_self = g;
    return LT_OK;
}

int main(void)
{
    static const struct role_route ipc_routes[] = {
        {IPC_NOTARY, IPC_HTTP_RESPONSE, gateway_on_response},
        {IPC_NOTARY, IPC_SERVICE_CERTIFICATE, gateway_on_certificate},
        {IPC_OCSP_SIGNER, IPC_OCSP_UNKNOWN_SIGNED, gateway_on_unknown},
    };
    const struct role_spec spec = {
        .role = IPC_GATEWAY,
        .routes = ipc_routes,
        .route_count = LT_COUNT(ipc_routes),
        .sandbox = &role_profiles[IPC_GATEWAY],
        .message_arena_max = 20 * 1024 * 1024,
        .start = start,
        .linked = gateway_linked,
        .unlinked = gateway_unlinked,
        .tick = tick,
        .reload = reload,
        .drained = drained,
        .run = run,
    };
    return role_main(&spec);
}
