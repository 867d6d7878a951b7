/* Pages of a scope's members. */
#include "role/reader_members.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "lint/lint.h"
#include "mass.pb-c.h"
#include "scope/scope.h"

enum { RUN_MAX = 200000, PAGE_MAX = 12000, SERIAL_MAX = 20, TIERS_MAX = 16 };

struct member {
    int64_t issuer;
    uint8_t tier;
    uint8_t len;
    uint8_t serial[SERIAL_MAX];
};

struct reader_members {
    struct role_kit *kit;
    struct store *store;
    struct member *list; /* owned; RUN_MAX, of the last run */
    size_t count;
    size_t at;  /* given so far */
    bool whole; /* there are none behind them */
    int64_t mass;
    uint32_t tier;
    int64_t as_of_us;
};

struct reader_members *reader_members_new(struct role_kit *kit, struct store *store)
{
    struct reader_members *r = calloc(1, sizeof *r);
    LT_ASSERT(r != NULL);
    *r = (struct reader_members){.kit = kit, .store = store};
    return r;
}

static lt_res keep(void *self, int64_t issuer, lt_slice serial, int64_t copy)
{
    struct reader_members *r = self;
    LT_CHECK(serial.len <= SERIAL_MAX && r->count < RUN_MAX, LT_STATE_CORRUPT, "a serial of %zu bytes",
             serial.len);
    struct member *m = &r->list[r->count++];
    m->issuer = issuer;
    m->tier = (uint8_t)copy; /* where tiers are told apart; a revocation is for all copies */
    m->len = (uint8_t)serial.len;
    memcpy(m->serial, serial.ptr, serial.len);
    return LT_OK;
}

static lt_res compile(struct reader_members *r, const Ipc__MembersWanted *q, struct lt_arena *a,
                      struct scope_sql *ret_sql)
{
    const struct scope *scope = NULL;
    const struct scope **tiers = LT_NEW_ARRAY(a, const struct scope *, TIERS_MAX);
    struct scope_catalog catalog;
    LT_CHECK(q->n_tiers <= TIERS_MAX && tiers != NULL, LT_PEER_MALFORMED, "%zu tiers", q->n_tiers);
    for (size_t i = 0; i < q->n_tiers; i++) {
        LT_TRY(scope_parse(lt_slice_cstr(q->tiers[i]), a, NULL, &tiers[i]));
    }
    LT_TRY(scope_parse(lt_slice_cstr(q->scope), a, NULL, &scope));
    LT_TRY(scope_catalog_load(r->store, a, &catalog));
    const struct scope_ask ask = {
        .want = q->count_only ? SCOPE_COUNT : SCOPE_MEMBERS,
        .now = {q->as_of_us},
        .as_of = true,
        .catalog = &catalog,
        .after = {.set = q->after_serial.len > 0,
                  .issuer = q->after_issuer,
                  .serial = LT_SLICE(q->after_serial.data, q->after_serial.len),
                  .copy = INT64_MAX},
        .limit = q->count_only ? 0 : RUN_MAX,
        .tiers = tiers,
        .tier_count = q->count_only ? 0 : q->n_tiers,
    };
    return scope_compile(scope, &ask, a, NULL, ret_sql);
}

static lt_res run(struct reader_members *r, const Ipc__MembersWanted *q, int64_t *ret_count)
{
    struct scope_sql sql;
    struct lt_arena a;
    *ret_count = 0;
    r->list = r->list != NULL ? r->list : malloc(RUN_MAX * sizeof *r->list);
    LT_ASSERT(r->list != NULL);
    lt_arena_init(&a, SCOPE_ARENA_MAX);
    lt_res res = store_begin(r->store);
    if (!lt_failed(res)) {
        res = compile(r, q, &a, &sql);
        if (!lt_failed(res) && q->count_only) {
            res = scope_count(r->store, &sql, ret_count);
        } else if (!lt_failed(res)) {
            r->count = 0;
            r->at = 0;
            res = scope_each(r->store, &sql, keep, r);
        }
        store_rollback(r->store); /* nothing was written */
    }
    lt_arena_done(&a);
    return res;
}

/* Is what waits here the page that is asked for? */
static bool is_next(const struct reader_members *r, const Ipc__MembersWanted *q)
{
    if (r->mass != q->mass || r->tier != q->tier || r->as_of_us != q->as_of_us || r->at == 0 ||
        (r->at == r->count && !r->whole)) {
        return false;
    }
    const struct member *last = &r->list[r->at - 1];
    return last->issuer == q->after_issuer &&
           lt_slice_eq(LT_SLICE(last->serial, last->len),
                       LT_SLICE(q->after_serial.data, q->after_serial.len));
}

static lt_res fill(struct reader_members *r, const Ipc__MembersWanted *q)
{
    int64_t ignored = 0;
    if (is_next(r, q)) {
        return LT_OK;
    }
    r->mass = 0;
    LT_TRY(run(r, q, &ignored));
    r->whole = r->count < RUN_MAX;
    r->mass = q->mass;
    r->tier = q->tier;
    r->as_of_us = q->as_of_us;
    return LT_OK;
}

static lt_res send_page(struct reader_members *r, const struct ipc_addr *to, Ipc__Members *body,
                        const Ipc__MembersWanted *q)
{
    static int64_t issuers[PAGE_MAX];
    static ProtobufCBinaryData serials[PAGE_MAX];
    static uint32_t tiers[PAGE_MAX];
    body->issuers = issuers;
    body->tiers = tiers;
    body->told_apart = q->n_tiers > 0;
    body->serials = serials;
    for (; r->at < r->count && body->n_serials < q->most; r->at++) {
        struct member *m = &r->list[r->at];
        tiers[body->n_issuers] = m->tier;
        issuers[body->n_issuers++] = m->issuer;
        serials[body->n_serials++] = (ProtobufCBinaryData){m->len, m->serial};
    }
    body->n_tiers = body->told_apart ? body->n_serials : 0;
    body->last = r->at == r->count && r->whole;
    return role_reply(r->kit, to, IPC_MEMBERS, &body->base);
}

/* What is said to catch an old fault is there. */
static lt_res rule_known(const Ipc__MembersWanted *q)
{
    LT_CHECK(q->rule[0] == 0 || lint_rule_by_id(lt_slice_cstr(q->rule)) != NULL, LT_PEER_NOT_FOUND,
             "the linter has no rule %.80s", q->rule);
    return LT_OK;
}

lt_res reader_members_asked(struct reader_members *r, const struct ipc_msg *m)
{
    const Ipc__MembersWanted *q = (const Ipc__MembersWanted *)(const void *)m->body;
    Ipc__Members body = IPC__MEMBERS__INIT;
    int64_t count = 0;
    char failed[sizeof lt_error_last()->detail] = "";
    LT_CHECK(q->most > 0 && q->most <= PAGE_MAX && q->after_serial.len <= SERIAL_MAX, LT_PEER_MALFORMED,
             "a page of %u members", q->most);
    lt_res res = rule_known(q);
    if (!lt_failed(res)) {
        res = q->count_only ? run(r, q, &count) : fill(r, q);
    }
    if (lt_class_of(res.code) == LT_CLASS_RETRY) {
        lt_log_error("members were not read"); /* the registrar asks again */
        return LT_OK;
    }
    if (lt_failed(res)) {
        (void)snprintf(failed, sizeof failed, "%s", lt_error_last()->detail);
        r->count = 0;
        r->at = 0;
    }
    body.mass = q->mass;
    body.tier = q->tier;
    body.after_issuer = q->after_issuer;
    body.after_serial = q->after_serial;
    body.count_only = q->count_only;
    body.count = (uint64_t)count;
    body.failed = failed;
    body.fix = q->fix;
    res = q->count_only ? role_reply(r->kit, &m->from, IPC_MEMBERS, &body.base)
                        : send_page(r, &m->from, &body, q);
    return res.code == LT_RETRY_BUSY || res.code == LT_STATE_CLOSED ? LT_OK : res; /* it asks again */
}

lt_res reader_members_each(struct reader_members *r, const Ipc__MembersWanted *q, reader_member *each,
                           void *self, bool *ret_last)
{
    bool taken = true;
    *ret_last = false;
    LT_TRY(fill(r, q));
    while (taken && r->at < r->count) {
        const struct member *m = &r->list[r->at];
        LT_TRY(each(self, m->issuer, LT_SLICE(m->serial, m->len), &taken));
        r->at += taken;
    }
    *ret_last = r->at == r->count && r->whole;
    return LT_OK;
}

lt_res reader_members_count(struct reader_members *r, const Ipc__MembersWanted *q, int64_t *ret_count)
{
    return run(r, q, ret_count);
}
