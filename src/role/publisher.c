/* publisher: what relying parties fetch. It reads the book, builds the to-be-signed bytes of a CRL when a
 * revocation was recorded, at start and on schedule, has them signed by way of the examiner, has the
 * registrar keep it in the book, and only then renames the file (publisher_crl.c, publisher_crls.c).
 *
 * Beside that it writes renewal information (publisher_ari.c) and answers of OCSP (publisher_ocsp.c).
 *
 * Of each part of an issuer's CRL one is on its way at a time. What does not come back is built anew, after a
 * growing wait. Refuses: to publish what does not verify with the issuer's key, or what the book does not
 * hold.
 */
#include <fcntl.h>
#include <unistd.h>

#include "ca/scratch_book.h"
#include "role/profiles.h"
#include "role/publisher.h"
#include "role/publisher_crl.h"
#include "role/publisher_lists.h"
#include "role/publisher_ocsp.h"

enum { ISSUERS_ARENA_MAX = 64 * 1024 * 1024, MESSAGE_ARENA_MAX = 1024 * 1024 };

struct publisher {
    struct role_kit *kit;
    const Ipc__Start *start;
    struct ca_config *config;
    struct store *store;
    int folder_fd;
    struct lt_arena arena; /* issuers */
    struct ca_crl_issuer *issuers;
    size_t issuer_count;
    struct publisher_crls crls;
    struct publisher_ari *ari;
    struct publisher_lists *lists;
    struct publisher_ocsp *ocsp; /* NULL: no issuer wants it */
};

static lt_res on_hint(void *self, const struct ipc_msg *m)
{
    struct publisher *p = self;
    return publisher_crls_on_hint(&p->crls, m);
}

static lt_res on_signed(void *self, const struct ipc_msg *m)
{
    struct publisher *p = self;
    return publisher_crl_on_signed(&p->crls, m);
}

static lt_res on_stored(void *self, const struct ipc_msg *m)
{
    struct publisher *p = self;
    return publisher_crl_on_stored(&p->crls, m);
}

static lt_res on_answers(void *self, const struct ipc_msg *m)
{
    struct publisher *p = self;
    publisher_ocsp_on_signed(p->ocsp, m);
    return LT_OK;
}

static lt_res tick(void *self, lt_time now)
{
    struct publisher *p = self;
    LT_CHECK(!store_gone(p->store), LT_STATE_CLOSED, "the connection to the book is gone");
    publisher_ari_tick(p->ari, now, p->crls.under_way > 1);
    publisher_ocsp_tick(p->ocsp, now);
    publisher_lists_tick(p->lists);
    return LT_OK;
}

/* One that is done makes room for the next. */
static lt_res turn_end(void *self)
{
    struct publisher *p = self;
    publisher_crls_tick(&p->crls, lt_now());
    if (publisher_lists_busy(p->lists)) {
        publisher_lists_tick(p->lists);
        role_again(p->kit);
    }
    return LT_OK;
}

static void linked(void *self, enum ipc_role peer, uint32_t instance)
{
    struct publisher *p = self;
    (void)instance; /* there is one of each */
    publisher_crls_linked(&p->crls, peer);
}

static void unlinked(void *self, enum ipc_role peer, uint32_t instance)
{
    struct publisher *p = self;
    (void)instance;
    publisher_crls_unlinked(&p->crls, peer);
    publisher_ocsp_unlinked(p->ocsp, peer);
}

static bool drained(void *self)
{
    const struct publisher *p = self;
    return publisher_crls_drained(&p->crls);
}

static lt_res start_crls(struct publisher *p)
{
    LT_TRY(ca_crl_issuers(p->store, &p->arena, &p->issuers, &p->issuer_count));
    p->crls = (struct publisher_crls){.kit = p->kit, .folder_fd = p->folder_fd, .store = p->store};
    LT_TRY(publisher_hosts_start(&p->crls, p->config->host));
    LT_TRY(publisher_crls_start(&p->crls, p->issuers, p->issuer_count));
    return publisher_crls_use(&p->crls, p->config);
}

static lt_res start(struct role_kit *kit, const Ipc__Start *m, const int *listener_fds, void **ret_self)
{
    (void)listener_fds; /* it has none */
    static struct publisher publisher;
    struct publisher *p = &publisher;
    p->kit = kit;
    p->start = m;
    lt_arena_init(&p->arena, ISSUERS_ARENA_MAX);
    LT_TRY(ca_config_parse(lt_slice_cstr(m->config_yaml), &p->config));
    p->folder_fd = open(m->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(p->folder_fd >= 0, LT_STATE_IO, "%s: cannot be opened", m->folder);
    LT_TRY(publisher_make_folders(p->folder_fd));
    const char *path = m->store[0] != 0 ? m->store
                                        : lt_arena_printf(&p->arena, "%s/book/lintel.db", m->folder);
    LT_ASSERT(path != NULL);
    struct store_options options = {.path = path, .read_only = true, .cache_kib = 2048};
    LT_TRY(store_open(&options, &p->store));
    LT_TRY(ca_scratch_book_check(p->store, m->scratch));
    LT_TRY(start_crls(p));
    p->lists = publisher_lists_new(kit, p->folder_fd, p->store);
    p->ari = publisher_ari_new(p->folder_fd, p->store, p->issuers, p->issuer_count);
    LT_TRY(publisher_ocsp_new(kit, p->folder_fd, p->store, p->issuers, p->issuer_count, p->config, &p->ocsp));
    *ret_self = p;
    return LT_OK;
}

static lt_res reload(void *self, const char *config_yaml)
{
    struct publisher *p = self;
    struct ca_config *config;
    LT_TRY(ca_config_parse(lt_slice_cstr(config_yaml), &config));
    lt_res r = publisher_crls_use(&p->crls, config);
    ca_config_free(p->config);
    p->config = config;
    return r;
}

static const struct role_route routes[] = {
    {IPC_REGISTRAR, IPC_PUBLISH_HINT, on_hint},
    {IPC_REGISTRAR, IPC_CRL_STORED, on_stored},
    {IPC_EXAMINER, IPC_CRL_SIGN_REPLY, on_signed},
    {IPC_OCSP_SIGNER, IPC_OCSP_SIGNED, on_answers},
};

int main(void)
{
    static const struct role_spec spec = {
        .role = IPC_PUBLISHER,
        .routes = routes,
        .route_count = LT_COUNT(routes),
        .sandbox = &role_profiles[IPC_PUBLISHER],
        .message_arena_max = MESSAGE_ARENA_MAX,
        .start = start,
        .linked = linked,
        .unlinked = unlinked,
        .tick = tick,
        .turn_end = turn_end,
        .reload = reload,
        .drained = drained,
    };
    return role_main(&spec);
}
