/* The notary: reads what strangers signed, verifies it, and says to the registrar what it asks, in typed
 * words. No files, no network. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/metrics.h"
#include "base/random.h"
#include "ca/config.h"
#include "ca/profile.h"
#include "crypto/digest.h"
#include "jose/json.h"
#include "role/kit.h"
#include "role/notary_core.h"
#include "role/notary_fido.h"
#include "role/profiles.h"

struct role {
    struct role_kit *kit;
    struct notary *notary;
    struct ca_config *config; /* owned, as is what follows; the notary borrows their strings */
    struct ca_profiles profiles;
    struct wire_profile *offered;
    size_t offered_count;
};

static lt_res say(void *self, enum ipc_role to, enum ipc_type type, uint64_t id, const ProtobufCMessage *body)
{
    struct role *r = self;
    if (type == IPC_ACME_CALL || type == IPC_OPERATOR_CALL || type == IPC_PAGE_CALL) {
        lt_metric_add("lintel_notary_calls_total", 1);
    } else if (type == IPC_KEY_LOOKUP) {
        lt_metric_add("lintel_notary_key_lookups_total", 1);
    }
    return role_send(r->kit, to, ROLE_ANY, type, id, body);
}

static lt_res answer(void *self, const struct ipc_addr *to, enum ipc_type type, const ProtobufCMessage *body)
{
    struct role *r = self;
    if (type == IPC_HTTP_RESPONSE) {
        uint32_t status = ((const Ipc__HttpResponse *)(const void *)body)->status;
        lt_metric_add(status >= 400 ? "lintel_notary_refusals_total" : "lintel_notary_answers_total", 1);
    }
    return role_reply(r->kit, to, type, body);
}

static struct wire_site site_of(const struct role *r)
{
    const struct ca_config *c = r->config;
    return (struct wire_site){
        .name = c->name,
        .base_url = c->base_url,
        .terms_of_service = c->terms_of_service,
        .website = c->website,
        .caa_identities = c->caa_identities,
        .caa_identity_count = c->caa_identity_count,
        .profiles = r->offered,
        .profile_count = r->offered_count,
        .external_account_required = c->external_account_required,
    };
}

static struct ca_origins origins_of(const struct role *r)
{
    struct ca_origins o;
    ca_origins_of(r->config->listen_operator, r->config->console_name, &o);
    return o;
}

/* What the directory says that orders may name. Read once: behind the sandbox there are no files, and a
 * changed profile needs the approval of two people and a restart anyway. */
static lt_res read_profiles(struct role *r, const char *folder)
{
    LT_TRY(ca_profiles_load(folder, lt_now(), &r->profiles));
    r->offered = calloc(r->profiles.count + 1, sizeof *r->offered);
    LT_ASSERT(r->offered != NULL);
    for (size_t i = 0; i < r->profiles.count; i++) {
        const struct ca_profile *p = r->profiles.rows[i];
        if (p->kind == CA_PROFILE_SUBSCRIBER) {
            r->offered[r->offered_count++] = (struct wire_profile){p->name, p->description};
        }
    }
    return LT_OK;
}

static lt_res start(struct role_kit *kit, const Ipc__Start *start, const int *listener_fds, void **ret_self)
{
    (void)listener_fds; /* a notary gets none */
    struct stat folder;
    LT_CHECK(stat(start->folder, &folder) == 0, LT_STATE_IO, "%s: %s", start->folder, strerror(errno));
    struct role *r = calloc(1, sizeof *r);
    LT_ASSERT(r != NULL);
    r->kit = kit;
    LT_TRY(ca_config_parse(lt_slice_cstr(start->config_yaml), &r->config));
    LT_TRY(read_profiles(r, start->folder));
    crypto_start();
    notary_fido_start();
    size_t seed = 0;
    lt_random((uint8_t *)&seed, sizeof seed);
    jose_json_seed(seed);
    struct notary_options options = {.site = site_of(r),
                                     .origins = origins_of(r),
                                     .owner_uid = folder.st_uid,
                                     .testing = start->testing != NULL,
                                     .generation = (uint32_t)(role_next_id(kit) >> 16)};
    struct notary_ports ports = {.self = r, .send = say, .reply = answer};
    ca_config_console_cookie(r->config, options.cookie);
    r->notary = notary_new(&options, &ports);
    notary_tick(r->notary, lt_monotonic_ms());
    *ret_self = r;
    return LT_OK;
}

static lt_res reload(void *self, const char *config_yaml)
{
    struct role *r = self;
    struct ca_config *config = NULL;
    LT_TRY(ca_config_parse(lt_slice_cstr(config_yaml), &config));
    struct ca_config *old = LT_TAKE(r->config, config);
    struct wire_site site = site_of(r);
    struct ca_origins origins = origins_of(r);
    notary_configure(r->notary, &site);
    notary_use_origins(r->notary, &origins);
    ca_config_free(old);
    return LT_OK;
}

static void linked(void *self, enum ipc_role peer, uint32_t instance)
{
    (void)instance; /* any of them will do */
    notary_linked(((struct role *)self)->notary, peer);
}

static void unlinked(void *self, enum ipc_role peer, uint32_t instance)
{
    (void)instance; /* who asked one of several readers asks again */
    notary_unlinked(((struct role *)self)->notary, peer);
}

static lt_res tick(void *self, lt_time now)
{
    (void)now; /* waiting is measured by the clock that only grows */
    struct role *r = self;
    notary_tick(r->notary, lt_monotonic_ms());
    lt_metric_set("lintel_notary_in_flight", (int64_t)notary_in_flight(r->notary));
    return LT_OK;
}

static bool drained(void *self)
{
    struct role *r = self;
    /* Gateways go first, and not before all they accepted is answered: without them nobody waits here. */
    return notary_in_flight(r->notary) == 0 || !role_linked(r->kit, IPC_GATEWAY);
}

#define HANDLER(name_, call_)                                \
    static lt_res name_(void *self, const struct ipc_msg *m) \
    {                                                        \
        return call_(((struct role *)self)->notary, m);      \
    }
HANDLER(on_http, notary_http)
HANDLER(on_service, notary_service)
HANDLER(on_polls, notary_polls)
HANDLER(on_key, notary_key_answer)
HANDLER(on_nonces, notary_nonce_grant)
HANDLER(on_reply, notary_acme_reply)
HANDLER(on_operator, notary_operator_reply)
HANDLER(on_page, notary_page_reply)
HANDLER(on_query, notary_query_reply)
HANDLER(on_certificate, notary_service_certificate)

static const struct role_route routes[] = {
    {IPC_GATEWAY, IPC_HTTP_REQUEST, on_http},
    {IPC_GATEWAY, IPC_SERVICE_CERTIFICATE_REQUEST, on_service},
    {IPC_GATEWAY, IPC_RENEWAL_POLLS, on_polls},
    {IPC_REGISTRAR, IPC_KEY_ANSWER, on_key},
    {IPC_REGISTRAR, IPC_NONCE_GRANT, on_nonces},
    {IPC_REGISTRAR, IPC_ACME_REPLY, on_reply},
    {IPC_REGISTRAR, IPC_OPERATOR_REPLY, on_operator},
    {IPC_REGISTRAR, IPC_SERVICE_CERTIFICATE, on_certificate},
    {IPC_REGISTRAR, IPC_PAGE_REPLY, on_page},
    {IPC_READER, IPC_QUERY_REPLY, on_query},
};

int main(void)
{
    static const struct role_spec spec = {
        .role = IPC_NOTARY,
        .routes = routes,
        .route_count = LT_COUNT(routes),
        .sandbox = &role_profiles[IPC_NOTARY],
        .message_arena_max = (size_t)24 * 1024 * 1024, /* a QueryReply may have 16 MiB */
        .start = start,
        .linked = linked,
        .unlinked = unlinked,
        .tick = tick,
        .reload = reload,
        .drained = drained,
    };
    return role_main(&spec);
}
