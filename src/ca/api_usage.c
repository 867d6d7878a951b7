/* Looks at who uses certificates, as operators ask for them. */
#include "ca/api_internal.h"

enum {
    PORTS_MAX = 8,
    PORT_MAX = 65535,
    DEFAULT_PORT = 443,
    DEFAULT_RATE = 50,
    DEFAULT_CONCURRENCY = 64,
    DEFAULT_TIMEOUT_MS = 5000,
};

static lt_res new_wanted(struct lt_arena *a, Ipc__UsageWanted **ret_wanted)
{
    Ipc__UsageWanted *w = LT_NEW(a, Ipc__UsageWanted);
    LT_CHECK(w != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    ipc__usage_wanted__init(w);
    *ret_wanted = w;
    return LT_OK;
}

static lt_res read_ports(const json_t *payload, struct lt_arena *a, Ipc__UsageWanted *w)
{
    const json_t *ports = json_object_get(payload, "ports");
    size_t count = json_array_size(ports);
    LT_CHECK(ports == NULL || (json_is_array(ports) && count > 0), LT_PEER_MALFORMED,
             "\"ports\" is no list of numbers");
    LT_CHECK(count <= PORTS_MAX, LT_PEER_TOO_LARGE, "\"ports\" has %zu members, at most %d", count,
             PORTS_MAX);
    w->ports = LT_NEW_ARRAY(a, uint32_t, PORTS_MAX);
    LT_CHECK(w->ports != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    for (size_t i = 0; i < count; i++) {
        const json_t *one = json_array_get(ports, i);
        json_int_t port = json_is_integer(one) ? json_integer_value(one) : 0;
        LT_CHECK(port > 0 && port <= PORT_MAX, LT_PEER_MALFORMED, "\"ports\" has a member that is no port");
        w->ports[w->n_ports++] = (uint32_t)port;
    }
    if (ports == NULL) {
        w->ports[w->n_ports++] = DEFAULT_PORT;
    }
    return LT_OK;
}

static lt_res read_number(const json_t *payload, const char *name, uint32_t otherwise, uint32_t *ret_number)
{
    uint64_t number = 0;
    LT_TRY(ca_api_count(payload, name, UINT32_MAX, &number));
    *ret_number = json_object_get(payload, name) == NULL ? otherwise : (uint32_t)number;
    return LT_OK;
}

lt_res ca_api_read_usage(const struct ca_api_target *t, const json_t *payload, struct lt_arena *a,
                         Ipc__OperatorCall *call)
{
    (void)t; /* same signature as its neighbours in the table */
    Ipc__UsageWanted *w = NULL;
    lt_slice text;
    LT_TRY(new_wanted(a, &w));
    LT_TRY(jose_json_string(payload, "scope", &text));
    LT_TRY(ca_api_canonical(text, a, &w->scope, &w->scope_sha256));
    LT_TRY(read_ports(payload, a, w));
    LT_TRY(read_number(payload, "rate", DEFAULT_RATE, &w->rate));
    LT_TRY(read_number(payload, "concurrency", DEFAULT_CONCURRENCY, &w->concurrency));
    LT_TRY(read_number(payload, "timeout-ms", DEFAULT_TIMEOUT_MS, &w->timeout_ms));
    call->usage = w;
    return LT_OK;
}

/* pause, resume, stop */
lt_res ca_api_read_usage_act(const struct ca_api_target *t, const json_t *payload, struct lt_arena *a,
                             Ipc__OperatorCall *call)
{
    (void)payload; /* it says nothing */
    Ipc__UsageWanted *w = NULL;
    LT_TRY(new_wanted(a, &w));
    w->id = lt_arena_cstr(a, t->id);
    LT_CHECK(w->id != NULL, LT_PEER_TOO_LARGE, "the request is over the limit");
    call->usage = w;
    return LT_OK;
}
