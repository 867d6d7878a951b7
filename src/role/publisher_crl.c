/* One CRL, step by step: built, signed, in the book, in its file. */
#include "role/publisher_crl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/file.h"
#include "base/log.h"
#include "base/metrics.h"
#include "ca/crl_shard.h"
#include "crypto/digest.h"
#include "crypto/pub.h"
#include "publish.pb-c.h"
#include "role/publisher.h"
#include "x509/tbs.h"

enum {
    ANSWER_WAIT_MS = 60000,
    BACKOFF_FIRST_MS = 200,
    BACKOFF_MAX_MS = 30000,
    REFUSED_WAIT_MS = 60000,
    PROOFS_ARENA_MAX = 200 * 1024 * 1024,
    MORE_TO_DROP_MS = 5000,
    REST_SHARE = 20, /* a CRL that takes a second to be made is made every 20 at most */
};

static const char *name_of(const struct publisher_crl *c)
{
    return c->of->issuer->name;
}

void publisher_crl_metric(const char *name, const struct publisher_crl *c, int64_t value)
{
    char text[LT_METRICS_NAME_MAX];
    if (c->shard == 0) {
        (void)snprintf(text, sizeof text, "%s{issuer=\"%.32s\"}", name, name_of(c));
        lt_metric_set(text, value);
    }
}

static lt_slice tbs_of(const struct publisher_crl *c)
{
    return c->tbs_mapped.len > 0 ? c->tbs_mapped : lt_buf_slice(&c->tbs);
}

static void drop_tbs(struct publisher_crl *c)
{
    if (c->tbs_mapped.len > 0) {
        (void)munmap((void *)(uintptr_t)c->tbs_mapped.ptr, c->tbs_mapped.len); /* ours: nothing to lose */
        c->tbs_mapped = (lt_slice){0};
    }
    lt_buf_done(&c->tbs);
}

static void forget(struct publisher_crls *p, struct publisher_crl *c)
{
    LT_ASSERT(c->phase == PUBLISHER_IDLE || p->under_way > 0);
    p->under_way -= c->phase != PUBLISHER_IDLE;
    c->phase = PUBLISHER_IDLE;
    c->id = 0;
    drop_tbs(c);
    lt_buf_done(&c->der);
}

/* The first failure is told, the rest is in the metrics. */
void publisher_crl_fail(struct publisher_crls *p, struct publisher_crl *c, const char *why, int64_t wait_ms)
{
    lt_log(c->complained ? LT_LOG_DEBUG : LT_LOG_WARN, "no new CRL yet", "issuer=%s shard=%u why=\"%s\"",
           name_of(c), c->shard, why);
    c->complained = true;
    forget(p, c);
    c->dirty = true;
    c->backoff_ms = c->backoff_ms == 0 ? BACKOFF_FIRST_MS : c->backoff_ms * 2;
    c->backoff_ms = c->backoff_ms > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : c->backoff_ms;
    c->not_before_ms = lt_monotonic_ms() + (wait_ms > c->backoff_ms ? wait_ms : c->backoff_ms);
    lt_metric_add("lintel_crl_failures_total", 1);
}

static void fail_with_record(struct publisher_crls *p, struct publisher_crl *c)
{
    char why[sizeof lt_error_last()->detail];
    (void)snprintf(why, sizeof why, "%s", lt_error_last()->detail);
    publisher_crl_fail(p, c, why, 0);
}

/* ---- signed ---- */

/* Certificates of entries that go. */
struct proofs {
    lt_slice *list;
    size_t count;
};

/* fd: of the bytes, where they travel apart; -1. */
static lt_res send_request(struct publisher_crls *p, struct publisher_crl *c, const struct proofs *proofs,
                           int fd)
{
    size_t proof_count = proofs->count;
    ProtobufCBinaryData *dropped = calloc(proof_count + 1, sizeof dropped[0]);
    LT_ASSERT(dropped != NULL);
    for (size_t i = 0; i < proof_count; i++) {
        dropped[i] = (ProtobufCBinaryData){proofs->list[i].len, (uint8_t *)(uintptr_t)proofs->list[i].ptr};
    }
    uint8_t number[CA_CRL_NUMBER_LEN];
    ca_crl_number_bytes(c->plan.number, number);
    Ipc__CrlSignRequest body = IPC__CRL_SIGN_REQUEST__INIT;
    body.issuer = (char *)(uintptr_t)name_of(c); /* packed, not kept */
    body.shard = c->shard;
    body.number = (ProtobufCBinaryData){sizeof number, number};
    body.apart = fd >= 0;
    if (!body.apart) {
        body.tbs = (ProtobufCBinaryData){c->tbs.len, c->tbs.ptr};
    }
    body.this_update_us = c->plan.this_update.us;
    body.dropped = dropped;
    body.n_dropped = proof_count;
    c->id = role_next_id(p->kit);
    lt_res r = body.apart
                   ? role_send_fd(p->kit, IPC_EXAMINER, IPC_CRL_SIGN_REQUEST, c->id, &body.base, fd)
                   : role_send(p->kit, IPC_EXAMINER, ROLE_ANY, IPC_CRL_SIGN_REQUEST, c->id, &body.base);
    free(dropped);
    return r;
}

/* The bytes of a large one are copied once, and from there on mapped by whoever reads them. */
static lt_res set_apart(struct publisher_crl *c, int *ret_fd)
{
    LT_TRY(ipc_sealed_new(lt_buf_slice(&c->tbs), ret_fd));
    lt_buf_done(&c->tbs);
    return ipc_sealed_map(*ret_fd, CA_CRL_MAX_BYTES, &c->tbs_mapped);
}

static lt_res ask_for_signature(struct publisher_crls *p, struct publisher_crl *c)
{
    struct lt_arena a;
    struct proofs proofs = {.list = NULL};
    LT_CLEANUP(lt_fd_closep) int fd = -1;
    if (c->tbs.len > CA_CRL_IN_BOOK_MAX) {
        LT_TRY(set_apart(c, &fd));
    }
    lt_arena_init(&a, PROOFS_ARENA_MAX);
    lt_res r = ca_crl_dropped(p->store, &c->plan, &a, &proofs.list, &proofs.count);
    if (!lt_failed(r)) {
        r = send_request(p, c, &proofs, fd);
    }
    lt_arena_done(&a);
    return r;
}

static lt_res begin_steps(struct publisher_crls *p, struct publisher_crl *c, lt_time now)
{
    LT_TRY(ca_crl_newest(p->store, c->of->issuer->id, c->shard, NULL, &c->newest));
    c->plan = (struct ca_crl_plan){.issuer = c->of->issuer,
                                   .shard = c->shard,
                                   .of_all_shards = c->shard == 0 && c->of->crl_count > 1,
                                   .entries_hint = c->newest_entries,
                                   .base_url = p->config->public_http_url};
    ca_crl_plan_next(&c->newest, now, p->config->crl_lifetime_s, &c->plan);
    /* The signer knows issuers and no parts: numbers grow over all of them, in the order in which it is
     * asked. */
    c->plan.number = c->plan.number > c->of->last_number ? c->plan.number : c->of->last_number + 1;
    c->of->last_number = c->plan.number;
    if (c->keep_all) {
        c->plan.drop_expired_before = (lt_time){0};
    }
    LT_TRY(ca_crl_plan_bound(p->store, &c->plan));
    LT_TRY(ca_crl_build(p->store, &c->plan, &c->tbs, &c->entries));
    return ask_for_signature(p, c);
}

void publisher_crl_begin(struct publisher_crls *p, struct publisher_crl *c, lt_time now)
{
    c->dirty = false; /* what comes from here on needs another one */
    c->told = c->told.us == 0 ? c->told_next : c->told;
    c->told_next = (lt_time){0};
    lt_buf_init(&c->tbs, CA_CRL_MAX_BYTES);
    lt_buf_init(&c->der, CA_CRL_MAX_BYTES);
    c->phase = PUBLISHER_SIGNING;
    p->under_way++;
    c->begun_ms = lt_monotonic_ms();
    c->until_ms = c->begun_ms + ANSWER_WAIT_MS;
    if (lt_failed(begin_steps(p, c, now))) {
        fail_with_record(p, c);
    }
}

static struct publisher_crl *find_open(struct publisher_crls *p, enum publisher_phase phase, uint64_t id)
{
    for (size_t i = 0; i < p->count; i++) {
        struct publisher_authority *a = &p->list[i];
        for (uint32_t k = 0; k < a->crl_count; k++) {
            if (a->crls[k]->phase == phase && a->crls[k]->id == id) {
                return a->crls[k];
            }
        }
    }
    return NULL;
}

/* ---- in the book ---- */

/* What fits goes into the book as it is. What does not is synced beside its file first, and the book has its
 * hash: the loop of the registrar must not wait for megabytes. */
static lt_res assemble(struct publisher_crls *p, struct publisher_crl *c, lt_slice signature)
{
    struct crypto_pub *pub;
    LT_TRY(crypto_pub_new(c->of->issuer->spki, &pub));
    lt_res r = crypto_pub_verify(pub, crypto_alg_of_key(crypto_pub_type(pub)), tbs_of(c), signature);
    crypto_pub_free(pub);
    LT_TRY(r);
    if (c->tbs_mapped.len > 0) {
        const struct publisher_parts parts = {tbs_of(c), c->of->issuer->alg, signature};
        LT_TRY(publisher_stage_crl(p->folder_fd, name_of(c), c->shard, &parts, c->sha256, &c->bytes));
    } else {
        LT_TRY(x509_assemble(tbs_of(c), c->of->issuer->alg, signature, &c->der));
        crypto_sha256(lt_buf_slice(&c->der), c->sha256);
        c->bytes = c->der.len;
    }
    drop_tbs(c);
    return LT_OK;
}

static lt_res ask_for_storing(struct publisher_crls *p, struct publisher_crl *c)
{
    uint8_t number[CA_CRL_NUMBER_LEN];
    ca_crl_number_bytes(c->plan.number, number);
    Ipc__CrlStore body = IPC__CRL_STORE__INIT;
    body.issuer = (char *)(uintptr_t)name_of(c);
    body.shard = c->shard;
    body.number = (ProtobufCBinaryData){sizeof number, number};
    body.der = (ProtobufCBinaryData){c->der.len, c->der.ptr};
    body.sha256 = (ProtobufCBinaryData){sizeof c->sha256, c->sha256};
    body.this_update_us = c->plan.this_update.us;
    body.next_update_us = c->plan.next_update.us;
    body.entries = c->entries;
    body.sequence = c->sequence;
    body.kept_from_us = c->plan.drop_expired_before.us;
    c->id = role_next_id(p->kit);
    c->until_ms = lt_monotonic_ms() + ANSWER_WAIT_MS;
    return role_send(p->kit, IPC_REGISTRAR, ROLE_ANY, IPC_CRL_STORE, c->id, &body.base);
}

void publisher_crl_store(struct publisher_crls *p, struct publisher_crl *c)
{
    if (lt_failed(ask_for_storing(p, c))) {
        fail_with_record(p, c);
    }
}

/* The examiner remembers another CRL than the book does (one of them was restored): entries that are too many
 * harm nobody, so the next one has them all. */
static void not_signed(struct publisher_crls *p, struct publisher_crl *c, const Ipc__CrlSignReply *body)
{
    bool refused = strcmp(body->outcome, "refused") == 0;
    if (refused) {
        lt_log(LT_LOG_ERROR, "a CRL was refused", "issuer=%s shard=%u why=\"%s\"", name_of(c), c->shard,
               body->detail);
    }
    bool lost = refused && !c->keep_all &&
                (strncmp(body->detail, "lost-entry", 10) == 0 || strncmp(body->detail, "evidence", 8) == 0);
    c->keep_all = c->keep_all || lost;
    publisher_crl_fail(p, c, body->detail, refused && !lost ? REFUSED_WAIT_MS : 0);
}

lt_res publisher_crl_on_signed(struct publisher_crls *p, const struct ipc_msg *m)
{
    const Ipc__CrlSignReply *body = (const Ipc__CrlSignReply *)m->body;
    struct publisher_crl *c = find_open(p, PUBLISHER_SIGNING, m->from.id);
    if (c == NULL) {
        return LT_OK; /* an answer to a question that was given up */
    }
    if (strcmp(body->outcome, "signed") != 0) {
        not_signed(p, c, body);
        return LT_OK;
    }
    c->sequence = body->sequence;
    if (lt_failed(assemble(p, c, LT_SLICE(body->signature.data, body->signature.len)))) {
        fail_with_record(p, c);
        return LT_OK;
    }
    c->phase = PUBLISHER_STORING;
    if (lt_failed(ask_for_storing(p, c))) {
        lt_log(LT_LOG_DEBUG, "a CRL waits for the registrar", "issuer=%s shard=%u", name_of(c), c->shard);
    }
    return LT_OK;
}

/* ---- in its file ---- */

static lt_res tell_published(struct publisher_crls *p, const struct publisher_crl *c, uint64_t number)
{
    uint8_t bytes[CA_CRL_NUMBER_LEN];
    ca_crl_number_bytes(number, bytes);
    Ipc__CrlPublished body = IPC__CRL_PUBLISHED__INIT;
    body.issuer = (char *)(uintptr_t)name_of(c);
    body.shard = c->shard;
    body.number = (ProtobufCBinaryData){sizeof bytes, bytes};
    body.time_us = lt_now().us;
    lt_res r = role_send(p->kit, IPC_REGISTRAR, ROLE_ANY, IPC_CRL_PUBLISHED, 0, &body.base);
    return r.code == LT_RETRY_UNAVAILABLE ? LT_OK : r; /* an event the less; the CRL is out */
}

static lt_res write_file(struct publisher_crls *p, const struct publisher_crl *c)
{
    if (c->der.len == 0) {
        return publisher_take_staged(p->folder_fd, name_of(c), c->shard, c->plan.this_update);
    }
    return publisher_write_crl(p->folder_fd, name_of(c), c->shard, lt_buf_slice(&c->der),
                               c->plan.this_update);
}

/* Ordinary ones are told in the log; of many parts at once the metrics tell. */
static void say_published(const struct publisher_crl *c, int64_t took_ms)
{
    lt_log(c->shard == 0 ? LT_LOG_INFO : LT_LOG_DEBUG, "CRL published",
           "issuer=%s shard=%u number=%llu entries=%llu bytes=%llu ms=%lld", name_of(c), c->shard,
           (unsigned long long)c->plan.number, (unsigned long long)c->entries, (unsigned long long)c->bytes,
           (long long)took_ms);
    lt_metric_add("lintel_crls_published_total", 1);
    publisher_crl_metric("lintel_crl_entries", c, (int64_t)c->entries);
    publisher_crl_metric("lintel_crl_this_update_seconds", c, lt_time_seconds(c->plan.this_update));
    publisher_crl_metric("lintel_crl_next_update_seconds", c, lt_time_seconds(c->plan.next_update));
}

static lt_res publish(struct publisher_crls *p, struct publisher_crl *c)
{
    int64_t now_ms = lt_monotonic_ms();
    LT_TRY(write_file(p, c));
    c->newest = (struct ca_crl_newest){.found = true,
                                       .number = c->plan.number,
                                       .this_update = c->plan.this_update,
                                       .next_update = c->plan.next_update};
    say_published(c, now_ms - c->begun_ms);
    c->newest_entries = c->entries;
    c->told = c->told_next;
    c->told_next = (lt_time){0};
    c->backoff_ms = 0;
    c->complained = false;
    c->keep_all = false;
    if (c->plan.more_to_drop) {
        c->dirty = true;
        c->not_before_ms = now_ms + MORE_TO_DROP_MS;
    }
    if (c->plan.of_all_shards) { /* nobody's certificate points to it alone */
        c->not_before_ms = now_ms + REST_SHARE * (now_ms - c->begun_ms);
    }
    forget(p, c);
    return tell_published(p, c, c->newest.number);
}

/* Was it stored before, in an answer that was lost? */
static bool is_in_book(struct publisher_crls *p, const struct publisher_crl *c)
{
    struct ca_crl_newest newest;
    return !lt_failed(ca_crl_newest(p->store, c->of->issuer->id, c->shard, NULL, &newest)) && newest.found &&
           newest.number == c->plan.number;
}

lt_res publisher_crl_on_stored(struct publisher_crls *p, const struct ipc_msg *m)
{
    const Ipc__CrlStored *body = (const Ipc__CrlStored *)m->body;
    struct publisher_crl *c = find_open(p, PUBLISHER_STORING, m->from.id);
    if (c == NULL) {
        return LT_OK;
    }
    if (!body->ok && !is_in_book(p, c)) {
        publisher_crl_fail(p, c, body->detail, 0);
        return LT_OK;
    }
    if (lt_failed(publish(p, c))) {
        fail_with_record(p, c); /* the next one is written, or this one at the next start */
    }
    return LT_OK;
}

/* ---- after a crash ---- */

static lt_res recover_file(struct publisher_crls *p, struct publisher_crl *c)
{
    const struct ca_crl_newest *n = &c->newest;
    bool written = false;
    if (n->der.len > 0 && !publisher_crl_is(p->folder_fd, name_of(c), c->shard, n->der)) {
        LT_TRY(publisher_write_crl(p->folder_fd, name_of(c), c->shard, n->der, n->this_update));
        written = true;
    } else if (n->found && n->der.len == 0) {
        LT_TRY(publisher_recover_staged(p->folder_fd, name_of(c), c->shard, n, &written));
    }
    if (written) {
        lt_log(LT_LOG_INFO, "CRL written out of the book", "issuer=%s shard=%u number=%llu", name_of(c),
               c->shard, (unsigned long long)n->number);
    }
    return LT_OK;
}

lt_res publisher_crl_recover(struct publisher_crls *p, struct publisher_crl *c)
{
    struct lt_arena a;
    lt_arena_init(&a, (size_t)2 * CA_CRL_MAX_BYTES);
    lt_res r = ca_crl_newest(p->store, c->of->issuer->id, c->shard, &a, &c->newest);
    if (!lt_failed(r)) {
        c->of->last_number = c->newest.number > c->of->last_number ? c->newest.number : c->of->last_number;
        c->newest_entries = c->newest.entries;
        r = recover_file(p, c);
    }
    c->newest.der = LT_SLICE(NULL, 0); /* it lives in the arena */
    lt_arena_done(&a);
    return r;
}
