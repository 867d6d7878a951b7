/* publisher: what relying parties fetch. It reads the book, builds the to-be-signed bytes of a CRL when a
 * revocation was recorded, at start and on schedule, has them signed by way of the examiner, has the
 * registrar keep the whole CRL in the book, and only then renames the file.
 *
 * Beside that it writes renewal information (publisher_ari.c).
 *
 * One CRL of an issuer is on its way at a time. What does not come back is built anew, after a growing wait.
 * Refuses: to publish what does not verify with the issuer's key, or what the book does not hold.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/metrics.h"
#include "ca/config.h"
#include "ca/crl_build.h"
#include "crypto/pub.h"
#include "publish.pb-c.h"
#include "role/kit.h"
#include "role/profiles.h"
#include "role/publisher.h"
#include "x509/tbs.h"

enum {
    DEBOUNCE_MS = 250,   /* revocations of one moment share a CRL */
    START_WAIT_MS = 500, /* the registrar's hints of a start come within it */
    ANSWER_WAIT_MS = 60000,
    BACKOFF_FIRST_MS = 200,
    BACKOFF_MAX_MS = 30000,
    REFUSED_WAIT_MS = 60000,
    OFFLINE_LOOK_MS = 60000,
    SAY_EVERY_MS = 60000,
    ISSUERS_ARENA_MAX = 64 * 1024 * 1024,
    MESSAGE_ARENA_MAX = 1024 * 1024,
    PROOFS_ARENA_MAX = 200 * 1024 * 1024,
};

enum phase { IDLE, SIGNING, STORING };

/* The CRL of one issuer. */
struct crl {
    const struct ca_crl_issuer *issuer;
    bool wanted;  /* the configuration says crl: true */
    bool offline; /* nothing is signed for it here */
    bool dirty;   /* a revocation came, or this is the start */
    enum phase phase;
    uint64_t id;           /* of the question that is open */
    int64_t not_before_ms; /* debounce and backoff; for offline ones the next look */
    int64_t until_ms;      /* of the open question */
    int64_t backoff_ms;
    int64_t overdue_said_ms;
    bool complained;
    bool keep_all; /* the examiner missed an entry: the next one leaves out none */
    bool kept_all; /* the newest one left out none, so the next has all to prove */
    struct ca_crl_newest newest;
    struct ca_crl_plan plan;
    struct lt_buf tbs;
    struct lt_buf der;
    uint64_t entries;
    uint64_t sequence;
};

struct publisher {
    struct role_kit *kit;
    const Ipc__Start *start;
    struct ca_config *config;
    struct store *store;
    int folder_fd;
    struct lt_arena arena; /* issuers */
    struct ca_crl_issuer *issuers;
    size_t issuer_count;
    struct crl *crls; /* one for each issuer */
    struct publisher_ari *ari;
};

static void metric(const char *name, const struct crl *c, int64_t value)
{
    char text[LT_METRICS_NAME_MAX];
    (void)snprintf(text, sizeof text, "%s{issuer=\"%.32s\"}", name, c->issuer->name);
    lt_metric_set(text, value);
}

static void forget(struct crl *c)
{
    c->phase = IDLE;
    c->id = 0;
    lt_buf_done(&c->tbs);
    lt_buf_done(&c->der);
}

/* It did not work; it is built anew later. The first failure is told, the rest is in the metrics. */
static void fail(struct crl *c, const char *why, int64_t wait_ms)
{
    lt_log(c->complained ? LT_LOG_DEBUG : LT_LOG_WARN, "no new CRL yet", "issuer=%s why=\"%s\"",
           c->issuer->name, why);
    c->complained = true;
    forget(c);
    c->dirty = true;
    c->backoff_ms = c->backoff_ms == 0 ? BACKOFF_FIRST_MS : c->backoff_ms * 2;
    c->backoff_ms = c->backoff_ms > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : c->backoff_ms;
    c->not_before_ms = lt_monotonic_ms() + (wait_ms > c->backoff_ms ? wait_ms : c->backoff_ms);
    lt_metric_add("lintel_crl_failures_total", 1);
}

static void fail_with_record(struct crl *c, int64_t wait_ms)
{
    char why[sizeof lt_error_last()->detail];
    (void)snprintf(why, sizeof why, "%s", lt_error_last()->detail);
    fail(c, why, wait_ms);
}

/* ---- one CRL, step by step ---- */

static lt_res send_request(struct publisher *p, struct crl *c, const lt_slice *proofs, size_t proof_count)
{
    ProtobufCBinaryData *dropped = calloc(proof_count + 1, sizeof dropped[0]);
    LT_ASSERT(dropped != NULL);
    for (size_t i = 0; i < proof_count; i++) {
        dropped[i] = (ProtobufCBinaryData){proofs[i].len, (uint8_t *)(uintptr_t)proofs[i].ptr};
    }
    uint8_t number[CA_CRL_NUMBER_LEN];
    ca_crl_number_bytes(c->plan.number, number);
    Ipc__CrlSignRequest body = IPC__CRL_SIGN_REQUEST__INIT;
    body.issuer = (char *)(uintptr_t)c->issuer->name; /* packed, not kept */
    body.shard = c->plan.shard;
    body.number = (ProtobufCBinaryData){sizeof number, number};
    body.tbs = (ProtobufCBinaryData){c->tbs.len, c->tbs.ptr};
    body.this_update_us = c->plan.this_update.us;
    body.dropped = dropped;
    body.n_dropped = proof_count;
    c->id = role_next_id(p->kit);
    lt_res r = role_send(p->kit, IPC_EXAMINER, ROLE_ANY, IPC_CRL_SIGN_REQUEST, c->id, &body.base);
    free(dropped);
    return r;
}

static lt_res ask_for_signature(struct publisher *p, struct crl *c)
{
    struct lt_arena a;
    lt_slice *proofs = NULL;
    size_t count = 0;
    lt_arena_init(&a, PROOFS_ARENA_MAX);
    lt_res r = ca_crl_dropped(p->store, &c->plan, &a, &proofs, &count);
    if (!lt_failed(r)) {
        r = send_request(p, c, proofs, count);
    }
    lt_arena_done(&a);
    return r;
}

static lt_res begin_steps(struct publisher *p, struct crl *c, lt_time now)
{
    LT_TRY(ca_crl_newest(p->store, c->issuer->id, 0, NULL, &c->newest));
    c->plan = (struct ca_crl_plan){.issuer = c->issuer, .base_url = p->config->public_http_url};
    ca_crl_plan_next(&c->newest, now, p->config->crl_lifetime_s, &c->plan);
    if (c->keep_all) {
        c->plan.drop_expired_before = (lt_time){0};
    } else if (c->kept_all) {
        c->plan.drop_expired_since = (lt_time){0};
    }
    LT_TRY(ca_crl_build(p->store, &c->plan, &c->tbs, &c->entries));
    return ask_for_signature(p, c);
}

static void begin(struct publisher *p, struct crl *c, lt_time now)
{
    c->dirty = false; /* what comes from here on needs another one */
    lt_buf_init(&c->tbs, CA_CRL_MAX_BYTES);
    lt_buf_init(&c->der, CA_CRL_MAX_BYTES);
    c->phase = SIGNING;
    c->until_ms = lt_monotonic_ms() + ANSWER_WAIT_MS;
    if (lt_failed(begin_steps(p, c, now))) {
        fail_with_record(c, 0);
    }
}

static lt_res assemble(struct crl *c, lt_slice signature)
{
    struct crypto_pub *pub;
    LT_TRY(crypto_pub_new(c->issuer->spki, &pub));
    lt_res r = crypto_pub_verify(pub, crypto_alg_of_key(crypto_pub_type(pub)), lt_buf_slice(&c->tbs),
                                 signature);
    crypto_pub_free(pub);
    LT_TRY(r);
    return x509_assemble(lt_buf_slice(&c->tbs), c->issuer->alg, signature, &c->der);
}

/* Also said again when the registrar is there again: it knows the number by then, or it does not. */
static lt_res ask_for_storing(struct publisher *p, struct crl *c)
{
    uint8_t number[CA_CRL_NUMBER_LEN];
    ca_crl_number_bytes(c->plan.number, number);
    Ipc__CrlStore body = IPC__CRL_STORE__INIT;
    body.issuer = (char *)(uintptr_t)c->issuer->name;
    body.shard = c->plan.shard;
    body.number = (ProtobufCBinaryData){sizeof number, number};
    body.der = (ProtobufCBinaryData){c->der.len, c->der.ptr};
    body.this_update_us = c->plan.this_update.us;
    body.next_update_us = c->plan.next_update.us;
    body.entries = c->entries;
    body.sequence = c->sequence;
    c->id = role_next_id(p->kit);
    c->until_ms = lt_monotonic_ms() + ANSWER_WAIT_MS;
    return role_send(p->kit, IPC_REGISTRAR, ROLE_ANY, IPC_CRL_STORE, c->id, &body.base);
}

static struct crl *find_open(struct publisher *p, enum phase phase, uint64_t id)
{
    for (size_t i = 0; i < p->issuer_count; i++) {
        if (p->crls[i].phase == phase && p->crls[i].id == id) {
            return &p->crls[i];
        }
    }
    return NULL;
}

static lt_res on_signed(void *self, const struct ipc_msg *m)
{
    struct publisher *p = self;
    const Ipc__CrlSignReply *body = (const Ipc__CrlSignReply *)m->body;
    struct crl *c = find_open(p, SIGNING, m->from.id);
    if (c == NULL) {
        return LT_OK; /* an answer to a question that was given up */
    }
    if (strcmp(body->outcome, "signed") != 0) {
        bool refused = strcmp(body->outcome, "refused") == 0;
        if (refused) {
            lt_log(LT_LOG_ERROR, "a CRL was refused", "issuer=%s why=\"%s\"", c->issuer->name, body->detail);
        }
        /* The examiner remembers another CRL than the book does (one of them was restored): entries that are
         * too many harm nobody, so the next one has them all. */
        bool lost = refused && !c->keep_all &&
                    (strncmp(body->detail, "lost-entry", 10) == 0 ||
                     strncmp(body->detail, "evidence", 8) == 0);
        c->keep_all = c->keep_all || lost;
        fail(c, body->detail, refused && !lost ? REFUSED_WAIT_MS : 0);
        return LT_OK;
    }
    c->sequence = body->sequence;
    if (lt_failed(assemble(c, LT_SLICE(body->signature.data, body->signature.len)))) {
        fail_with_record(c, 0);
        return LT_OK;
    }
    c->phase = STORING;
    if (lt_failed(ask_for_storing(p, c))) {
        lt_log(LT_LOG_DEBUG, "a CRL waits for the registrar", "issuer=%s", c->issuer->name);
    }
    return LT_OK;
}

static lt_res tell_published(struct publisher *p, const struct crl *c, uint64_t number)
{
    uint8_t bytes[CA_CRL_NUMBER_LEN];
    ca_crl_number_bytes(number, bytes);
    Ipc__CrlPublished body = IPC__CRL_PUBLISHED__INIT;
    body.issuer = (char *)(uintptr_t)c->issuer->name;
    body.number = (ProtobufCBinaryData){sizeof bytes, bytes};
    body.time_us = lt_now().us;
    lt_res r = role_send(p->kit, IPC_REGISTRAR, ROLE_ANY, IPC_CRL_PUBLISHED, 0, &body.base);
    return r.code == LT_RETRY_UNAVAILABLE ? LT_OK : r; /* an event the less; the CRL is out */
}

static lt_res publish(struct publisher *p, struct crl *c)
{
    LT_TRY(publisher_write_crl(p->folder_fd, c->issuer->name, c->plan.shard, lt_buf_slice(&c->der),
                               c->plan.this_update));
    c->newest = (struct ca_crl_newest){.found = true,
                                       .number = c->plan.number,
                                       .this_update = c->plan.this_update,
                                       .next_update = c->plan.next_update};
    lt_log(LT_LOG_INFO, "CRL published", "issuer=%s number=%llu entries=%llu bytes=%zu", c->issuer->name,
           (unsigned long long)c->plan.number, (unsigned long long)c->entries, c->der.len);
    lt_metric_add("lintel_crls_published_total", 1);
    metric("lintel_crl_entries", c, (int64_t)c->entries);
    metric("lintel_crl_this_update_seconds", c, lt_time_seconds(c->plan.this_update));
    metric("lintel_crl_next_update_seconds", c, lt_time_seconds(c->plan.next_update));
    c->backoff_ms = 0;
    c->complained = false;
    c->kept_all = c->keep_all;
    c->keep_all = false;
    forget(c);
    return tell_published(p, c, c->newest.number);
}

/* Was it stored before, in an answer that was lost? */
static bool is_in_book(struct publisher *p, const struct crl *c)
{
    struct ca_crl_newest newest;
    return !lt_failed(ca_crl_newest(p->store, c->issuer->id, c->plan.shard, NULL, &newest)) && newest.found &&
           newest.number == c->plan.number;
}

static lt_res on_stored(void *self, const struct ipc_msg *m)
{
    struct publisher *p = self;
    const Ipc__CrlStored *body = (const Ipc__CrlStored *)m->body;
    struct crl *c = find_open(p, STORING, m->from.id);
    if (c == NULL) {
        return LT_OK;
    }
    if (!body->ok && !is_in_book(p, c)) {
        fail(c, body->detail, 0);
        return LT_OK;
    }
    if (lt_failed(publish(p, c))) {
        fail_with_record(c, 0); /* the next one is written, or this one at the next start */
    }
    return LT_OK;
}

/* ---- when ---- */

static void mark(struct crl *c)
{
    if (!c->dirty) {
        c->dirty = true;
        int64_t at_ms = lt_monotonic_ms() + DEBOUNCE_MS;
        c->not_before_ms = at_ms > c->not_before_ms ? at_ms : c->not_before_ms;
    }
}

static lt_res on_hint(void *self, const struct ipc_msg *m)
{
    struct publisher *p = self;
    const Ipc__PublishHint *body = (const Ipc__PublishHint *)m->body;
    for (size_t i = 0; i < p->issuer_count; i++) {
        if (body->issuer[0] == 0 || strcmp(body->issuer, p->crls[i].issuer->name) == 0) {
            mark(&p->crls[i]);
        }
    }
    return LT_OK;
}

static void look_at_offline(struct publisher *p, struct crl *c)
{
    if (lt_monotonic_ms() < c->not_before_ms) {
        return;
    }
    c->not_before_ms = lt_monotonic_ms() + OFFLINE_LOOK_MS;
    bool copied;
    if (lt_failed(publisher_copy_offline(p->folder_fd, c->issuer, &copied))) {
        lt_log_error("the CRL of an offline issuer");
    } else if (copied) {
        lt_log(LT_LOG_INFO, "CRL copied", "issuer=%s", c->issuer->name);
    }
}

/* At half of its life there should have been another. */
static void watch_age(struct crl *c, lt_time now)
{
    if (!c->newest.found) {
        return;
    }
    int64_t half_us = (c->newest.next_update.us - c->newest.this_update.us) / 2;
    bool overdue = now.us > c->newest.this_update.us + half_us;
    metric("lintel_crl_overdue", c, overdue);
    if (overdue && lt_monotonic_ms() >= c->overdue_said_ms) {
        c->overdue_said_ms = lt_monotonic_ms() + SAY_EVERY_MS;
        char text[LT_RFC3339_SIZE];
        lt_time_rfc3339(c->newest.next_update, text);
        lt_log(LT_LOG_ERROR, "a CRL is overdue", "issuer=%s expires=%s", c->issuer->name, text);
    }
}

static void look_at(struct publisher *p, struct crl *c, lt_time now)
{
    if (!c->wanted) {
        return;
    }
    if (c->offline) {
        look_at_offline(p, c);
        return;
    }
    int64_t mono_ms = lt_monotonic_ms();
    if (c->phase != IDLE && mono_ms >= c->until_ms) {
        fail(c, c->phase == SIGNING ? "no answer from the examiner" : "no answer from the registrar", 0);
    }
    watch_age(c, now);
    bool due = c->dirty || now.us >= ca_crl_due(&c->newest, p->config->crl_interval_s).us;
    if (c->phase == IDLE && due && mono_ms >= c->not_before_ms && !role_draining(p->kit) &&
        role_linked(p->kit, IPC_EXAMINER) && role_linked(p->kit, IPC_REGISTRAR)) {
        begin(p, c, now);
    }
}

static lt_res tick(void *self, lt_time now)
{
    struct publisher *p = self;
    for (size_t i = 0; i < p->issuer_count; i++) {
        look_at(p, &p->crls[i], now);
    }
    publisher_ari_tick(p->ari, now);
    return LT_OK;
}

static void linked(void *self, enum ipc_role peer, uint32_t instance)
{
    struct publisher *p = self;
    (void)instance; /* there is one of each */
    for (size_t i = 0; i < p->issuer_count; i++) {
        struct crl *c = &p->crls[i];
        if (peer == IPC_REGISTRAR && c->phase == STORING && lt_failed(ask_for_storing(p, c))) {
            fail_with_record(c, 0);
        }
    }
}

static void unlinked(void *self, enum ipc_role peer, uint32_t instance)
{
    struct publisher *p = self;
    (void)instance;
    for (size_t i = 0; i < p->issuer_count; i++) {
        if (peer == IPC_EXAMINER && p->crls[i].phase == SIGNING) {
            fail(&p->crls[i], "the examiner is gone", 0);
        }
    }
}

static bool drained(void *self)
{
    const struct publisher *p = self;
    for (size_t i = 0; i < p->issuer_count; i++) {
        if (p->crls[i].phase != IDLE && role_linked(p->kit, IPC_EXAMINER) &&
            role_linked(p->kit, IPC_REGISTRAR)) {
            return false;
        }
    }
    return true;
}

/* ---- start ---- */

/* The book may hold a CRL that a crash kept from its file. */
static lt_res recover(struct publisher *p, struct crl *c)
{
    struct lt_arena a;
    lt_arena_init(&a, (size_t)2 * CA_CRL_MAX_BYTES);
    lt_res r = ca_crl_newest(p->store, c->issuer->id, 0, &a, &c->newest);
    bool write = !lt_failed(r) && c->newest.found && c->newest.der.len > 0 &&
                 !publisher_crl_is(p->folder_fd, c->issuer->name, 0, c->newest.der);
    if (write) {
        r = publisher_write_crl(p->folder_fd, c->issuer->name, 0, c->newest.der, c->newest.this_update);
        lt_log(LT_LOG_INFO, "CRL written out of the book", "issuer=%s number=%llu", c->issuer->name,
               (unsigned long long)c->newest.number);
    }
    c->newest.der = LT_SLICE(NULL, 0); /* it lives in the arena */
    lt_arena_done(&a);
    return r;
}

static void use_config(struct publisher *p)
{
    for (size_t i = 0; i < p->issuer_count; i++) {
        struct crl *c = &p->crls[i];
        const struct ca_config_issuer *ci = ca_config_issuer(p->config, lt_slice_cstr(c->issuer->name));
        c->wanted = ci != NULL && ci->crl;
        c->offline = c->issuer->offline || (ci != NULL && ci->offline);
    }
}

static lt_res start_crls(struct publisher *p)
{
    LT_TRY(ca_crl_issuers(p->store, &p->arena, &p->issuers, &p->issuer_count));
    p->crls = LT_NEW_ARRAY(&p->arena, struct crl, p->issuer_count + 1);
    LT_ASSERT(p->crls != NULL);
    for (size_t i = 0; i < p->issuer_count; i++) {
        struct crl *c = &p->crls[i];
        c->issuer = &p->issuers[i];
        c->dirty = true;
        c->not_before_ms = lt_monotonic_ms() + START_WAIT_MS;
        LT_TRY(publisher_write_issuer(p->folder_fd, p->issuers, p->issuer_count, i));
        LT_TRY(recover(p, c));
    }
    use_config(p);
    return LT_OK;
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
    const char *path = lt_arena_printf(&p->arena, "%s/book/lintel.db", m->folder);
    LT_ASSERT(path != NULL);
    struct store_options options = {.path = path, .read_only = true, .cache_kib = 2048};
    LT_TRY(store_open(&options, &p->store));
    LT_TRY(start_crls(p));
    p->ari = publisher_ari_new(p->folder_fd, p->store, p->issuers, p->issuer_count);
    *ret_self = p;
    return LT_OK;
}

static lt_res reload(void *self, const char *config_yaml)
{
    struct publisher *p = self;
    struct ca_config *config;
    LT_TRY(ca_config_parse(lt_slice_cstr(config_yaml), &config));
    ca_config_free(p->config);
    p->config = config;
    use_config(p);
    return LT_OK;
}

static const struct role_route routes[] = {
    {IPC_REGISTRAR, IPC_PUBLISH_HINT, on_hint},
    {IPC_REGISTRAR, IPC_CRL_STORED, on_stored},
    {IPC_EXAMINER, IPC_CRL_SIGN_REPLY, on_signed},
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
        .reload = reload,
        .drained = drained,
    };
    return role_main(&spec);
}
