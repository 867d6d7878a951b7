/* Group commit: what has arrived is decided message by message, each in its savepoint, committed together,
 * and only then does anything leave. A commit that fails has answered nothing: every question of the group
 * hears so, memory is read again from the book, and the next group tries anew. */
#include <sys/epoll.h>

#include "acme.pb-c.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "ca/crl_book.h"
#include "ca/evidence_book.h"
#include "ca/journal.h"
#include "ca/responder.h"
#include "ca/service.h"
#include "ca/tally.h"
#include "role/registrar.h"

enum { GROUP_ARENA_MAX = 512 * 1024 * 1024, SHUT_US = 500000 };

static void release(void *self, const struct ipc_addr *to, enum ipc_type type, lt_slice packed)
{
    struct registrar *g = self;
    lt_res r = role_reply_packed(g->kit, to, type, packed);
    if (lt_failed(r) && r.code != LT_RETRY_UNAVAILABLE) {
        lt_log_error("a message could not leave"); /* it is derived again from the book */
    }
}

static void fresh_turn(struct registrar *g)
{
    lt_arena_reset(&g->arena);
    g->arena.max = GROUP_ARENA_MAX;
    ca_turn_init(&g->turn, g->store, &g->arena, lt_now());
    g->turn.book = g->book;
    g->turn.random = lt_random;
}

/* The answer to a question whose work is not in the book. */
static lt_res answer_failed(struct registrar *g, const struct ipc_msg *m, lt_res r)
{
    if (m->type == IPC_OPERATOR_CALL) {
        return registrar_operator_reply(g, &g->turn, &m->from, r, NULL);
    }
    if (m->type == IPC_SERVICE_CERTIFICATE_REQUEST) {
        return ca_service_failed(&g->turn, &m->from, r);
    }
    if (m->type == IPC_RESPONDER_REQUEST) {
        return ca_responder_failed(&g->turn, &m->from, r);
    }
    if (m->type == IPC_CRL_STORE) {
        return ca_crl_not_stored(&g->turn, &m->from, (const Ipc__CrlStore *)(const void *)m->body);
    }
    return acme_desk_failed(g->desk, &g->turn, m, r);
}

static void note_failure(struct registrar *g, const struct ipc_msg *m, lt_res r)
{
    if (r.code == LT_STATE_CORRUPT) {
        g->fatal = r;
    }
    lt_metric_add("lintel_registrar_failures_total", 1);
    bool passing = lt_class_of(r.code) == LT_CLASS_RETRY;
    if (passing || lt_class_of(r.code) == LT_CLASS_STATE) {
        g->lost = true; /* if it was an answer to us, its question has to be asked again */
    }
    if (passing && g->turn.now.us - g->complained_us < LT_US_PER_SECOND) {
        return; /* a full disk fails every message: one line a second says it */
    }
    g->complained_us = passing ? g->turn.now.us : g->complained_us;
    lt_log(lt_class_of(r.code) == LT_CLASS_STATE ? LT_LOG_ERROR : LT_LOG_WARN, "a message failed",
           "type=%s code=%s detail=\"%s\"", m == NULL ? "none" : ipc_type_info(m->type)->name,
           lt_code_name(r.code), lt_error_last()->detail);
}

static bool broke_the_rules(const struct ipc_msg *m, lt_res r)
{
    bool question = m == NULL || m->type == IPC_OPERATOR_CALL || m->type == IPC_SERVICE_CERTIFICATE_REQUEST ||
                    m->type == IPC_RESPONDER_REQUEST || m->type == IPC_ACME_CALL || m->type == IPC_KEY_LOOKUP;
    return !question && (r.code == LT_PEER_MALFORMED || r.code == LT_PEER_UNSUPPORTED);
}

static lt_res begin(struct registrar *g, bool beside)
{
    if (g->open && g->beside && !beside) {
        registrar_commit(g);
    }
    if (g->open) {
        return LT_OK;
    }
    int64_t *shut_until_us = &g->shut_until_us[beside];
    fresh_turn(g);
    /* Each try may wait for a lock: once for all who ask meanwhile is enough. */
    LT_CHECK(g->turn.now.us >= *shut_until_us || g->turn.now.us < *shut_until_us - SHUT_US, LT_RETRY_BUSY,
             "the book could not be opened for writing a moment ago");
    lt_res r = beside ? store_begin_beside(g->store) : store_begin(g->store);
    if (lt_failed(r)) {
        *shut_until_us = lt_now().us + SHUT_US;
        g->fatal = r.code == LT_STATE_CLOSED ? r : g->fatal; /* the next registrar connects anew */
        return r;
    }
    if (store_changed_elsewhere(g->store)) {
        acme_desk_refresh(g->desk);
        r = ca_book_refresh(g->book);
        if (lt_failed(r)) {
            store_rollback(g->store);
            return r;
        }
    }
    g->open = true;
    g->beside = beside;
    g->opened_us = g->turn.now.us;
    g->question_count = 0;
    return LT_OK;
}

static const ProtobufCMessage *remember_lookup(struct registrar *g, const Ipc__KeyLookup *asked)
{
    Ipc__KeyLookup *copy = LT_NEW(&g->arena, Ipc__KeyLookup);
    LT_ASSERT(copy != NULL);
    ipc__key_lookup__init(copy);
    copy->kid = lt_arena_cstr(&g->arena, lt_slice_cstr(asked->kid));
    LT_ASSERT(copy->kid != NULL);
    return &copy->base;
}

/* Which CRL it was; not its bytes. */
static const ProtobufCMessage *remember_crl(struct registrar *g, const Ipc__CrlStore *asked)
{
    Ipc__CrlStore *copy = LT_NEW(&g->arena, Ipc__CrlStore);
    LT_ASSERT(copy != NULL);
    ipc__crl_store__init(copy);
    copy->issuer = lt_arena_cstr(&g->arena, lt_slice_cstr(asked->issuer));
    copy->shard = asked->shard;
    LT_ASSERT(copy->issuer != NULL);
    return &copy->base;
}

/* Kept until the commit, because it must be answered if that fails. */
static void remember(struct registrar *g, const struct ipc_msg *m)
{
    if (m == NULL) {
        return;
    }
    struct registrar_question *q = &g->questions[g->question_count++];
    q->m = (struct ipc_msg){.from = m->from, .type = m->type};
    if (m->type == IPC_KEY_LOOKUP) {
        q->m.body = remember_lookup(g, (const Ipc__KeyLookup *)(const void *)m->body);
    } else if (m->type == IPC_CRL_STORE) {
        q->m.body = remember_crl(g, (const Ipc__CrlStore *)(const void *)m->body);
    }
}

static lt_res in_savepoint(struct registrar *g, registrar_step *step, const struct ipc_msg *m)
{
    struct ca_book_at at = g->book->at;
    size_t mark = ca_turn_mark(&g->turn);
    LT_TRY(store_savepoint(g->store));
    lt_res r = registrar_keep_off(g, m);
    r = lt_failed(r) ? r : step(g, &g->turn, m);
    if (!lt_failed(r)) {
        r = store_release(g->store);
    }
    if (lt_failed(r)) {
        struct lt_error why = *lt_error_last();
        store_rollback_to(g->store);
        ca_turn_cut(&g->turn, mark);
        lt_res back = ca_book_at_restore(g->book, &at);
        g->fatal = lt_failed(back) ? back : g->fatal;
        return lt_fail(r.code, why.file, why.line, "%s", why.detail);
    }
    return LT_OK;
}

lt_res registrar_run(struct registrar *g, registrar_step *step, const struct ipc_msg *m)
{
    lt_res r = begin(g, registrar_beside(g, m));
    if (!lt_failed(r)) {
        g->turn.now = lt_now();
        remember(g, m);
        r = in_savepoint(g, step, m);
    }
    if (lt_failed(r) && !g->open && m != NULL && m->type == IPC_NONCE_REQUEST) {
        r = step(g, &g->turn, m); /* needs no book */
    }
    bool bad_peer = lt_failed(r) && broke_the_rules(m, r);
    if (lt_failed(r) && !bad_peer) {
        note_failure(g, m, r);
    }
    if (lt_failed(r) && m != NULL && !bad_peer) {
        lt_res answered = answer_failed(g, m, r);
        if (lt_failed(answered)) {
            lt_log_error("a failure could not be answered");
        }
    }
    if (!g->open) {
        ca_turn_release(&g->turn, release, g); /* refusals need no commit */
    } else if (g->question_count == REGISTRAR_GROUP_MAX ||
               (g->question_count > 0 && g->turn.now.us - g->opened_us >= REGISTRAR_GROUP_US)) {
        registrar_commit(g);
    }
    return bad_peer ? r : LT_OK;
}

/* Nothing of the group is in the book. */
static void group_failed(struct registrar *g, lt_res why)
{
    if (!g->failing) {
        lt_log_error("the book takes nothing: every request is answered with \"try again\"");
        g->failing = true;
    }
    lt_metric_add("lintel_registrar_commits_failed_total", 1);
    g->lost = true;
    if (why.code == LT_STATE_CORRUPT) {
        g->fatal = why;
    }
    ca_turn_cut(&g->turn, 0);
    acme_desk_forget(g->desk);
    lt_res reloaded = ca_book_reload(g->book);
    if (lt_failed(reloaded)) {
        lt_log_error("the book cannot be read");
        g->fatal = reloaded;
    }
    for (size_t i = 0; i < g->question_count; i++) {
        lt_res answered = answer_failed(g, &g->questions[i].m, why);
        if (lt_failed(answered)) {
            lt_log_error("a failure could not be answered");
        }
    }
}

/* Neither an answer nor a question to a neighbour rests on it: slices, what is due, leases. Lost, it is done
 * again.
 */
static bool nobody_hears(const struct registrar *g)
{
    return g->question_count == 0 && ca_turn_mark(&g->turn) == 0;
}

void registrar_commit(struct registrar *g)
{
    if (!g->open) {
        return;
    }
    lt_res r = ca_journal_flush(&g->turn);
    r = lt_failed(r) ? r : ca_tally_flush(&g->turn);
    r = lt_failed(r) ? r : ca_evidence_flush(&g->turn); /* on the disk before the rows that name it */
    if (lt_failed(r)) {
        store_rollback(g->store);
    } else {
        r = nobody_hears(g) ? store_commit_unsynced(g->store) : store_commit(g->store);
    }
    g->open = false;
    if (lt_failed(r)) {
        group_failed(g, r);
    } else if (g->failing) {
        lt_log(LT_LOG_INFO, "the book takes writes again", "%s", "");
        g->failing = false;
    }
    ca_turn_release(&g->turn, release, g);
    lt_metric_add("lintel_registrar_messages_total", g->question_count);
    lt_metric_add("lintel_registrar_commits_total", 1);
    lt_metric_observe_us("lintel_registrar_commit_seconds", (uint64_t)(lt_now().us - g->opened_us));
    g->last_group = g->question_count;
    g->question_count = 0;
}

/* A group of many shares its pages and its sync; with nobody else asking, waiting would only be slow. */
static bool gather(const struct registrar *g)
{
    bool worth = g->last_group >= REGISTRAR_BUSY_GROUP && g->question_count < REGISTRAR_GATHER_MAX &&
                 !role_draining(g->kit) && lt_now().us - g->opened_us < REGISTRAR_GATHER_US;
    struct epoll_event more; /* level-triggered: the kit sees it again */
    return worth && epoll_wait(role_kit_fd(g->kit), &more, 1, 1) > 0;
}

void registrar_turn_end(struct registrar *g)
{
    if (g->open && !gather(g)) {
        registrar_commit(g);
    }
}
