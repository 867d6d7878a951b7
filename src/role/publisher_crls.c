/* Which CRLs there are, and when each is made anew. */
#include "role/publisher_crl.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/metrics.h"
#include "ca/crl_shard.h"
#include "ca/freshness.h"
#include "publish.pb-c.h"
#include "role/publisher.h"

enum {
    DEBOUNCE_MS = 250,   /* revocations of one moment share a CRL */
    START_WAIT_MS = 500, /* the registrar's hints of a start come within it */
    OFFLINE_LOOK_MS = 60000,
    SAY_EVERY_MS = 60000,
    COMPLETE_QUIET_MS = 60000,
    COMPLETE_LARGE = 20000, /* entries; judging one takes the examiner a while, and issuance waits for it */
    UNDER_WAY_MAX = 8,      /* while one is judged another is built, and the next signed or stored */
};

static struct publisher_crl *add_crl(struct publisher_authority *a)
{
    struct publisher_crl *c = calloc(1, sizeof *c);
    LT_ASSERT(c != NULL);
    c->of = a;
    c->shard = a->crl_count;
    c->dirty = true;
    c->not_before_ms = lt_monotonic_ms() + START_WAIT_MS;
    a->crls = realloc(a->crls, (a->crl_count + 1) * sizeof(a->crls[0]));
    LT_ASSERT(a->crls != NULL);
    a->crls[a->crl_count++] = c;
    return c;
}

lt_res publisher_crls_start(struct publisher_crls *p, const struct ca_crl_issuer *issuers, size_t count)
{
    p->list = calloc(count + 1, sizeof p->list[0]);
    LT_ASSERT(p->list != NULL);
    p->count = count;
    for (size_t i = 0; i < count; i++) {
        p->list[i].issuer = &issuers[i];
        LT_TRY(publisher_write_issuer(p->folder_fd, issuers, count, i));
        LT_TRY(publisher_crl_recover(p, add_crl(&p->list[i])));
    }
    return LT_OK;
}

/* Parts that there have ever been stay, whatever the configuration says: certificates point to them. */
static lt_res use_parts(struct publisher_crls *p, struct publisher_authority *a, uint32_t wanted)
{
    uint32_t last = 0;
    LT_TRY(ca_crl_shard_last(p->store, a->issuer->id, &last));
    last = a->offline || !a->wanted ? 0 : last > wanted ? last : wanted;
    if (last > 0) {
        LT_TRY(publisher_make_shards(p->folder_fd, a->issuer->name));
    }
    while (a->crl_count <= last) {
        LT_TRY(publisher_crl_recover(p, add_crl(a)));
    }
    return LT_OK;
}

lt_res publisher_crls_use(struct publisher_crls *p, const struct ca_config *config)
{
    p->config = config;
    for (size_t i = 0; i < p->count; i++) {
        struct publisher_authority *a = &p->list[i];
        const struct ca_config_issuer *ci = ca_config_issuer(config, lt_slice_cstr(a->issuer->name));
        a->wanted = ci != NULL && ci->crl;
        a->offline = a->issuer->offline || (ci != NULL && ci->offline);
        LT_TRY(use_parts(p, a, ci == NULL ? 0 : ci->crl_shards));
    }
    return LT_OK;
}

/* ---- when ---- */

static void mark(struct publisher_crl *c, int64_t wait_ms)
{
    if (!c->dirty) {
        c->dirty = true;
        int64_t at_ms = lt_monotonic_ms() + wait_ms;
        c->not_before_ms = at_ms > c->not_before_ms ? at_ms : c->not_before_ms;
    }
}

/* The complete CRL has what its parts have. Where it is large, it comes when it is calm again: those whose
 * part has changed find it there. */
static void mark_parts(struct publisher_authority *a, const Ipc__PublishHint *m)
{
    bool later = a->crl_count > 1 && a->crls[0]->newest_entries > COMPLETE_LARGE;
    for (uint32_t i = 1; m->n_shards == 0 && i < a->crl_count; i++) {
        mark(a->crls[i], DEBOUNCE_MS);
    }
    for (size_t i = 0; i < m->n_shards; i++) {
        later = later && m->shards[i] != 0;
        if (m->shards[i] != 0 && m->shards[i] < a->crl_count) {
            mark(a->crls[m->shards[i]], DEBOUNCE_MS);
        }
    }
    mark(a->crls[0], later ? COMPLETE_QUIET_MS : DEBOUNCE_MS);
}

lt_res publisher_crls_on_hint(struct publisher_crls *p, const struct ipc_msg *m)
{
    const Ipc__PublishHint *body = (const Ipc__PublishHint *)m->body;
    for (size_t i = 0; i < p->count; i++) {
        if (body->issuer[0] == 0 || strcmp(body->issuer, p->list[i].issuer->name) == 0) {
            mark_parts(&p->list[i], body);
        }
    }
    return LT_OK;
}

static void look_at_offline(struct publisher_crls *p, struct publisher_crl *c)
{
    if (lt_monotonic_ms() < c->not_before_ms) {
        return;
    }
    c->not_before_ms = lt_monotonic_ms() + OFFLINE_LOOK_MS;
    bool copied;
    if (lt_failed(publisher_copy_offline(p->folder_fd, c->of->issuer, &copied))) {
        lt_log_error("the CRL of an offline issuer");
    } else if (copied) {
        lt_log(LT_LOG_INFO, "CRL copied", "issuer=%s", c->of->issuer->name);
    }
}

static void say_late(struct publisher_crl *c, enum ca_fresh_state state, const char *what)
{
    if (lt_monotonic_ms() < c->overdue_said_ms) {
        return;
    }
    c->overdue_said_ms = lt_monotonic_ms() + SAY_EVERY_MS;
    char text[LT_RFC3339_SIZE];
    lt_time_rfc3339(c->newest.next_update, text);
    lt_log(LT_LOG_ERROR, "a CRL is overdue", "issuer=%s shard=%u state=%s what=\"%s\" expires=%s",
           c->of->issuer->name, c->shard, ca_fresh_state_name(state), what, text);
}

/* What the parts of an issuer come to. */
struct age {
    int64_t overdue; /* parts that are late, by age or with a revocation that they lack */
    int64_t broken;
    lt_time oldest;    /* thisUpdate */
    lt_time expires;   /* the first nextUpdate */
    int64_t waiting_s; /* of the oldest revocation that no CRL has */
};

/* Since when something waits for a CRL: what comes while one is on its way waits for the next. On a host that
 * does not publish nothing waits. */
static void watch_told(const struct publisher_crls *p, struct publisher_crl *c, lt_time now)
{
    if (!p->leads) {
        c->told = (lt_time){0};
        c->told_next = (lt_time){0};
    } else if (c->dirty) {
        lt_time *since = c->phase == PUBLISHER_IDLE ? &c->told : &c->told_next;
        *since = since->us == 0 ? now : *since;
    }
}

/* At half of what is allowed there should have been another. The complete one of an issuer that has parts is
 * nobody's only one, and has time. */
static void watch_age(struct publisher_crl *c, lt_time now, struct age *age)
{
    enum ca_fresh_state state = CA_FRESH_GOOD;
    if (c->newest.found) {
        const struct ca_fresh_crl crl = {c->newest.this_update, c->newest.next_update, false};
        state = ca_fresh_judge_crl(&crl, now);
        age->oldest = age->oldest.us == 0 || crl.this_update.us < age->oldest.us ? crl.this_update
                                                                                 : age->oldest;
        age->expires = age->expires.us == 0 || crl.next_update.us < age->expires.us ? crl.next_update
                                                                                    : age->expires;
    }
    if (state != CA_FRESH_GOOD) {
        say_late(c, state, "it has grown old");
    }
    if (c->told.us != 0) {
        enum ca_fresh_state entry = ca_fresh_judge(CA_FRESH_ENTRY, c->told, now);
        int64_t waiting_s = (now.us - c->told.us) / LT_US_PER_SECOND;
        age->waiting_s = waiting_s > age->waiting_s ? waiting_s : age->waiting_s;
        if (entry != CA_FRESH_GOOD) {
            say_late(c, entry, "a revocation is on no CRL");
        }
        state = entry > state ? entry : state;
    }
    age->overdue += state != CA_FRESH_GOOD;
    age->broken += state == CA_FRESH_BROKEN;
}

static void watch_patience(struct publisher_crls *p, struct publisher_crl *c)
{
    if (c->phase != PUBLISHER_IDLE && lt_monotonic_ms() >= c->until_ms) {
        publisher_crl_fail(p, c,
                           c->phase == PUBLISHER_SIGNING ? "no answer from the examiner"
                                                         : "no answer from the registrar",
                           0);
    }
}

static bool may_begin(const struct publisher_crls *p)
{
    return p->leads && p->under_way < UNDER_WAY_MAX && !role_draining(p->kit) &&
           role_linked(p->kit, IPC_EXAMINER) && role_linked(p->kit, IPC_REGISTRAR);
}

static void look_at(struct publisher_crls *p, struct publisher_crl *c, lt_time now)
{
    bool due = c->dirty || now.us >= ca_crl_due(&c->newest, p->config->crl_interval_s).us;
    bool ready = c->phase == PUBLISHER_IDLE && due && lt_monotonic_ms() >= c->not_before_ms;
    bool waits = c->shard == 0 && c->of->hungry; /* the complete one comes after its parts */
    if (ready && !waits && may_begin(p)) {
        publisher_crl_begin(p, c, now);
    }
    c->of->hungry = c->of->hungry || (c->shard != 0 && (c->phase != PUBLISHER_IDLE || ready));
}

/* Parts first, the complete one last. */
static void look_at_all(struct publisher_crls *p, struct publisher_authority *a, lt_time now)
{
    struct age age = {.overdue = 0};
    a->hungry = false;
    for (uint32_t i = a->crl_count; i > 0; i--) {
        watch_patience(p, a->crls[i - 1]);
        watch_told(p, a->crls[i - 1], now);
        watch_age(a->crls[i - 1], now, &age);
        look_at(p, a->crls[i - 1], now);
    }
    publisher_crl_metric("lintel_crl_overdue", a->crls[0], age.overdue);
    publisher_crl_metric("lintel_crl_broken", a->crls[0], age.broken);
    publisher_crl_metric("lintel_crl_oldest_this_update_seconds", a->crls[0], lt_time_seconds(age.oldest));
    publisher_crl_metric("lintel_crl_first_next_update_seconds", a->crls[0], lt_time_seconds(age.expires));
    publisher_crl_metric("lintel_crl_unpublished_seconds", a->crls[0], age.waiting_s);
    publisher_crl_metric("lintel_crl_shards", a->crls[0], (int64_t)a->crl_count - 1);
}

void publisher_crls_tick(struct publisher_crls *p, lt_time now)
{
    publisher_hosts_tick(p, now);
    for (size_t i = 0; i < p->count; i++) {
        struct publisher_authority *a = &p->list[i];
        if (a->wanted && a->offline) {
            look_at_offline(p, a->crls[0]);
        } else if (a->wanted) {
            look_at_all(p, a, now);
        }
    }
}

typedef void visit(struct publisher_crls *p, struct publisher_crl *c);

static void each_in(struct publisher_crls *p, enum publisher_phase phase, visit *what)
{
    for (size_t i = 0; i < p->count; i++) {
        for (uint32_t k = 0; k < p->list[i].crl_count; k++) {
            if (p->list[i].crls[k]->phase == phase) {
                what(p, p->list[i].crls[k]);
            }
        }
    }
}

static void give_up(struct publisher_crls *p, struct publisher_crl *c)
{
    publisher_crl_fail(p, c, "the examiner is gone", 0);
}

void publisher_crls_linked(struct publisher_crls *p, enum ipc_role peer)
{
    if (peer == IPC_REGISTRAR) {
        each_in(p, PUBLISHER_STORING, publisher_crl_store);
    }
}

void publisher_crls_unlinked(struct publisher_crls *p, enum ipc_role peer)
{
    if (peer == IPC_EXAMINER) {
        each_in(p, PUBLISHER_SIGNING, give_up);
    }
}

bool publisher_crls_drained(const struct publisher_crls *p)
{
    return p->under_way == 0 || !role_linked(p->kit, IPC_EXAMINER) || !role_linked(p->kit, IPC_REGISTRAR);
}
