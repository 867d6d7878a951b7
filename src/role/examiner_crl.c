/* CRLs: judged against the one before, remembered, passed on. A small one at once; a large one in slices of a
 * few milliseconds between what others ask, and what comes meanwhile waits behind it, since the signer wants
 * numbers to grow. The bytes of a large one are never copied: publisher, examiner and signer map the same
 * sealed memfd. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/metrics.h"
#include "role/examiner.h"

enum {
    VERDICT_ARENA_MAX = 4 * 1024 * 1024,
    CRL_MAX = 256 * 1024 * 1024,
    REQUEST_MAX = 128 * 1024 * 1024, /* proofs beside it */
    WAITING_MAX = 32,
    PROOFS_AT_ONCE = 32, /* each is a signature to be verified */
    SLICE_ENTRIES = 2000,
    SLICE_MS = 4,
    WRITE_BYTES = 1024 * 1024,
    WRITE_EVERY_MS = 10,
    PATH_MAX_LEN = 128,
    DETAIL_MAX = 300,
};

enum phase { PHASE_WAITING, PHASE_JUDGING, PHASE_WRITING };

struct examiner_crl {
    struct examiner_crl *next;
    struct ipc_addr from;
    struct lt_arena a;                /* owned: the question and its verdict */
    const Ipc__CrlSignRequest *asked; /* in a */
    lt_slice tbs;                     /* in a, or mapped */
    lt_slice mapped;                  /* owned */
    int fd;                           /* owned: of what is mapped, to be passed on; -1 */
    lt_slice before;                  /* owned mapping */
    struct ca_crl_judging *judging;   /* owned */
    struct ca_verdict v;
    enum phase phase;
    int64_t begun_us;
    int out; /* owned; -1 */
    size_t written;
    int64_t write_next_ms;
};

static char refused_word[] = "refused";
static char unavailable_word[] = "unavailable";

/* ---- answers ---- */

static lt_res answer(struct examiner *e, const struct ipc_addr *to, const Ipc__CrlSignReply *reply)
{
    examiner_count("crls", reply->outcome);
    return role_reply(e->kit, to, IPC_CRL_SIGN_REPLY, &reply->base);
}

/* Every refusal is an event; a CRL has no intent that it could be written beside. */
static void tell(struct examiner *e, const Ipc__CrlSignRequest *asked, const struct ca_verdict *v)
{
    struct examiner_findings *findings = e->findings;
    static char kind[] = "crl.refused";
    char subject[80];
    (void)snprintf(subject, sizeof(subject), "crl %.64s", asked->issuer);
    examiner_findings_take(findings, &e->x, &v->lint, CA_LINT_CRL_PROFILE);
    Ipc__Refused m = IPC__REFUSED__INIT;
    m.subject = subject;
    m.kind = kind;
    m.refusal = (char *)(uintptr_t)v->refusal; /* packed, not kept */
    m.detail = (char *)(uintptr_t)v->detail;
    m.findings = findings->list;
    m.n_findings = findings->count;
    examiner_tell(e, &m);
}

static lt_res refuse(struct examiner *e, const struct ipc_addr *to, const Ipc__CrlSignRequest *asked,
                     const struct ca_verdict *v)
{
    char detail[DETAIL_MAX];
    char plain[DETAIL_MAX];
    if (!v->later) {
        tell(e, asked, v);
    }
    (void)snprintf(detail, sizeof(detail), "%s: %s", v->refusal, v->detail);
    Ipc__CrlSignReply reply = IPC__CRL_SIGN_REPLY__INIT;
    reply.issuer = asked->issuer;
    reply.shard = asked->shard;
    reply.outcome = v->later ? unavailable_word : refused_word;
    reply.detail = detail;
    lt_log(LT_LOG_WARN, "CRL not signed", "issuer=%s shard=%u outcome=%s detail=\"%s\"", asked->issuer,
           asked->shard, reply.outcome, lt_log_plain(detail, plain, sizeof(plain)));
    return answer(e, to, &reply);
}

lt_res examiner_crl_result(struct examiner *e, struct examiner_slot *s, const Ipc__SignResult *m)
{
    Ipc__CrlSignReply reply = IPC__CRL_SIGN_REPLY__INIT;
    reply.issuer = s->issuer;
    reply.shard = s->shard;
    reply.outcome = m->outcome;
    reply.detail = m->detail;
    reply.sequence = m->sequence;
    reply.signature = m->signature;
    return answer(e, &s->to, &reply);
}

/* ---- what is remembered ---- */

/* One for each part of an issuer's CRL. Issuer names come from the configuration, have no dot, and only a
 * known one gets here; a shard that cannot be is refused before its file is written. */
static void path_of(char ret_path[PATH_MAX_LEN], const Ipc__CrlSignRequest *asked, const char *end)
{
    if (asked->shard == 0) {
        (void)snprintf(ret_path, PATH_MAX_LEN, "crl/%.64s.tbs%s", asked->issuer, end);
    } else {
        (void)snprintf(ret_path, PATH_MAX_LEN, "crl/%.64s.%u.tbs%s", asked->issuer, asked->shard, end);
    }
}

static void unmap(lt_slice *mapped)
{
    if (mapped->len > 0) {
        (void)munmap((void *)(uintptr_t)mapped->ptr, mapped->len); /* ours: nothing to lose */
    }
    *mapped = (lt_slice){0};
}

/* Mapped, since it may be as large as the new one. Nobody but us writes there, and never into a file that is
 * in place. */
static lt_res map_before(struct examiner *e, const Ipc__CrlSignRequest *asked, lt_slice *ret)
{
    char path[PATH_MAX_LEN];
    struct stat st;
    *ret = (lt_slice){0};
    if (ca_examine_issuer(&e->x, asked->issuer) == NULL) {
        return LT_OK; /* and is refused for that */
    }
    path_of(path, asked, "");
    LT_CLEANUP(lt_fd_closep) int fd = openat(e->dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT) {
        return LT_OK;
    }
    LT_CHECK(fd >= 0 && fstat(fd, &st) == 0, LT_STATE_IO, "%s: %s", path, strerror(errno));
    LT_CHECK(st.st_size <= CRL_MAX, LT_STATE_CORRUPT, "%s: a CRL of %lld bytes", path, (long long)st.st_size);
    if (st.st_size == 0) {
        return LT_OK;
    }
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    LT_CHECK(p != MAP_FAILED, LT_STATE_IO, "%s: %s", path, strerror(errno));
    *ret = LT_SLICE(p, (size_t)st.st_size);
    return LT_OK;
}

/* ---- to the signer ---- */

static bool under_way(const struct examiner *e, const Ipc__CrlSignRequest *asked)
{
    for (size_t i = 0; i < EXAMINER_SLOTS && e->busy > 0; i++) {
        const struct examiner_slot *s = &e->slots[i];
        if (s->id != 0 && s->crl && s->shard == asked->shard && strcmp(s->issuer, asked->issuer) == 0) {
            return true;
        }
    }
    return false;
}

static lt_res send_order(struct examiner *e, const struct examiner_slot *s, const Ipc__CrlSignRequest *asked,
                         int fd)
{
    Ipc__SignOrder o = IPC__SIGN_ORDER__INIT;
    o.kind = IPC__SIGN_KIND__SIGN_CRL;
    o.issuer = asked->issuer;
    o.serial = asked->number;
    o.tbs = asked->tbs;
    o.apart = fd >= 0;
    return fd >= 0 ? role_send_fd(e->kit, IPC_SIGNER, IPC_SIGN_ORDER, s->id, &o.base, fd)
                   : role_send(e->kit, IPC_SIGNER, ROLE_ANY, IPC_SIGN_ORDER, s->id, &o.base);
}

/* Its bytes are on disk as the CRL before, before the order leaves: whatever crashes, no signed CRL is
 * forgotten. One that was not signed after all only asks the next one for the same entries. */
static void order(struct examiner *e, const struct ipc_addr *from, const Ipc__CrlSignRequest *asked, int fd,
                  struct ca_verdict *v)
{
    struct examiner_slot *s = examiner_slot_take(e, from, asked->issuer);
    if (s == NULL) {
        examiner_not_now(v, "too much is under way");
        return;
    }
    s->crl = true;
    s->shard = asked->shard;
    if (lt_failed(send_order(e, s, asked, fd))) {
        examiner_slot_free(e, s);
        examiner_not_now(v, "the signer is away");
    }
}

/* ---- at once ---- */

static lt_res judge_small(struct examiner *e, const struct ipc_msg *m, struct lt_arena *a,
                          struct ca_verdict *v)
{
    const Ipc__CrlSignRequest *asked = (const Ipc__CrlSignRequest *)m->body;
    char path[PATH_MAX_LEN];
    lt_slice before;
    LT_TRY(map_before(e, asked, &before));
    int64_t from_us = lt_now().us;
    ca_examine_crl(&e->x, asked, before, (lt_time){from_us}, a, v);
    lt_metric_observe_us("lintel_examine_crl_seconds", (uint64_t)(lt_now().us - from_us));
    unmap(&before);
    if (v->refusal == NULL && under_way(e, asked)) {
        examiner_not_now(v, "this CRL is being signed");
    }
    path_of(path, asked, "");
    if (v->refusal == NULL &&
        lt_failed(lt_file_replace(e->dir_fd, path, 0600, LT_SLICE(asked->tbs.data, asked->tbs.len)))) {
        examiner_not_now(v, "the examiner's disk is full");
    }
    if (v->refusal == NULL) {
        order(e, &m->from, asked, -1, v);
    }
    return v->refusal == NULL ? LT_OK : refuse(e, &m->from, asked, v);
}

/* ---- in slices ---- */

static void crl_free(struct examiner_crl *c)
{
    ca_examine_crl_end(c->judging);
    unmap(&c->mapped);
    unmap(&c->before);
    lt_fd_closep(&c->fd);
    lt_fd_closep(&c->out);
    lt_arena_done(&c->a);
    free(c);
}

static lt_res take_question(struct examiner_crl *c, struct ipc_msg *m)
{
    const ProtobufCMessage *copy;
    lt_slice packed;
    LT_TRY(ipc_pack(m->body, &c->a, &packed));
    LT_TRY(ipc_unpack(m->type, packed, &c->a, &copy));
    c->asked = (const Ipc__CrlSignRequest *)copy;
    c->tbs = LT_SLICE(c->asked->tbs.data, c->asked->tbs.len);
    if (!c->asked->apart) {
        return LT_OK;
    }
    LT_CHECK(m->fd_count == 1 && c->tbs.len == 0, LT_PEER_MALFORMED, "a CRL apart without its bytes");
    LT_TRY(ipc_sealed_map(m->fds[0], CRL_MAX, &c->mapped));
    c->fd = LT_TAKE(m->fds[0], -1);
    c->tbs = c->mapped;
    return LT_OK;
}

static lt_res queue(struct examiner *e, const struct ipc_msg *m)
{
    struct ca_verdict v = {.refusal = NULL};
    const Ipc__CrlSignRequest *asked = (const Ipc__CrlSignRequest *)m->body;
    if (e->crl_count >= WAITING_MAX) {
        examiner_not_now(&v, "too much is under way");
        return refuse(e, &m->from, asked, &v);
    }
    struct examiner_crl *c = calloc(1, sizeof(*c));
    LT_ASSERT(c != NULL);
    c->from = m->from;
    c->fd = -1;
    c->out = -1;
    lt_arena_init(&c->a, (size_t)2 * REQUEST_MAX + VERDICT_ARENA_MAX);
    lt_res r = take_question(c, (struct ipc_msg *)(uintptr_t)m); /* its descriptor is for the taking */
    if (lt_failed(r)) {
        crl_free(c);
        return r;
    }
    struct examiner_crl **last = &e->crls;
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = c;
    e->crl_count++;
    return LT_OK;
}

lt_res examiner_on_crl_request(void *self, const struct ipc_msg *m)
{
    struct examiner *e = self;
    const Ipc__CrlSignRequest *asked = (const Ipc__CrlSignRequest *)m->body;
    if (asked->apart || asked->n_dropped > PROOFS_AT_ONCE || e->crls != NULL) {
        return queue(e, m);
    }
    struct lt_arena a;
    struct ca_verdict v = {.refusal = NULL};
    lt_arena_init(&a, VERDICT_ARENA_MAX);
    lt_res r = judge_small(e, m, &a, &v);
    lt_arena_done(&a);
    return r;
}

static lt_res begin(struct examiner *e, struct examiner_crl *c)
{
    LT_TRY(map_before(e, c->asked, &c->before));
    const struct ca_crl_asked asked = {.m = c->asked, .tbs = c->tbs, .before = c->before};
    lt_time now = lt_now();
    c->begun_us = now.us;
    c->judging = ca_examine_crl_begin(&e->x, &asked, now, &c->a, &c->v);
    c->phase = PHASE_JUDGING;
    return LT_OK;
}

static lt_res open_out(struct examiner *e, struct examiner_crl *c)
{
    char path[PATH_MAX_LEN];
    path_of(path, c->asked, ".new");
    c->out = openat(e->dir_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, (mode_t)0600);
    LT_CHECK(c->out >= 0, LT_STATE_IO, "%s: %s", path, strerror(errno));
    return LT_OK;
}

/* Piece by piece, and not faster than others can sync beside it. */
static lt_res write_slice(struct examiner_crl *c)
{
    lt_slice part = lt_slice_sub(c->tbs, c->written, WRITE_BYTES);
    LT_TRY(lt_write_through(c->out, part, false));
    c->written += part.len;
    c->write_next_ms = lt_monotonic_ms() + WRITE_EVERY_MS;
    return LT_OK;
}

static lt_res put_in_place(struct examiner *e, const struct examiner_crl *c)
{
    char from[PATH_MAX_LEN];
    char path[PATH_MAX_LEN];
    path_of(from, c->asked, ".new");
    path_of(path, c->asked, "");
    LT_CHECK(fsync(c->out) == 0 && renameat(e->dir_fd, from, e->dir_fd, path) == 0, LT_STATE_IO, "%s: %s",
             path, strerror(errno));
    LT_CLEANUP(lt_fd_closep) int dir = openat(e->dir_fd, "crl", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(dir >= 0 && fsync(dir) == 0, LT_STATE_IO, "crl: %s", strerror(errno));
    return LT_OK;
}

static void judged(struct examiner *e, struct examiner_crl *c)
{
    lt_metric_observe_us("lintel_examine_crl_seconds", (uint64_t)(lt_now().us - c->begun_us));
    if (c->v.refusal == NULL && under_way(e, c->asked)) {
        examiner_not_now(&c->v, "this CRL is being signed");
    }
    if (c->v.refusal == NULL && lt_failed(open_out(e, c))) {
        examiner_not_now(&c->v, "the examiner's disk is full");
    }
    c->phase = PHASE_WRITING;
}

/* One slice; true: it is over, with an order or a refusal. */
static bool go_on(struct examiner *e, struct examiner_crl *c)
{
    if (c->phase == PHASE_WAITING) {
        if (lt_failed(begin(e, c))) {
            examiner_not_now(&c->v, "the last CRL cannot be read");
            return true;
        }
    } else if (c->phase == PHASE_JUDGING) {
        if (ca_examine_crl_go_on(c->judging, SLICE_ENTRIES)) {
            judged(e, c);
        }
    } else if (c->written < c->tbs.len) {
        if (lt_failed(write_slice(c))) {
            examiner_not_now(&c->v, "the examiner's disk is full");
        }
    } else {
        if (lt_failed(put_in_place(e, c))) {
            examiner_not_now(&c->v, "the examiner's disk is full");
        } else {
            order(e, &c->from, c->asked, c->fd, &c->v);
        }
        return true;
    }
    return c->v.refusal != NULL;
}

static lt_res end(struct examiner *e)
{
    struct examiner_crl *c = e->crls;
    e->crls = c->next;
    e->crl_count--;
    lt_res r = c->v.refusal == NULL ? LT_OK : refuse(e, &c->from, c->asked, &c->v);
    crl_free(c);
    return r;
}

static bool rests(const struct examiner_crl *c)
{
    return c->phase == PHASE_WRITING && lt_monotonic_ms() < c->write_next_ms;
}

lt_res examiner_crls_go_on(struct examiner *e)
{
    int64_t until_ms = lt_monotonic_ms() + SLICE_MS;
    while (e->crls != NULL && !rests(e->crls) && lt_monotonic_ms() < until_ms) {
        if (go_on(e, e->crls)) {
            LT_TRY(end(e));
        }
    }
    if (e->crls != NULL && rests(e->crls)) {
        role_again_in(e->kit, e->crls->write_next_ms);
    } else if (e->crls != NULL) {
        role_again(e->kit);
    }
    return LT_OK;
}

lt_res examiner_crls_give_up(struct examiner *e, const char *why)
{
    while (e->crls != NULL) {
        examiner_not_now(&e->crls->v, why);
        LT_TRY(end(e));
    }
    return LT_OK;
}
