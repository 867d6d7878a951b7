/* Certificates and CRLs: judged, passed on as they are, answered. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/metrics.h"
#include "role/examiner.h"

enum { VERDICT_ARENA_MAX = 4 * 1024 * 1024, CRL_MAX = 256 * 1024 * 1024 };

static char signed_word[] = "signed";
static char refused_word[] = "refused";
static char unavailable_word[] = "unavailable";

/* protobuf-c has no const; what it packs it does not change. */
static char *text(const char *s)
{
    return (char *)(uintptr_t)(s == NULL ? "" : s);
}

static ProtobufCBinaryData bytes(const uint8_t *ptr, size_t len)
{
    return (ProtobufCBinaryData){len, (uint8_t *)(uintptr_t)ptr};
}

static lt_res order(struct examiner *e, const struct examiner_slot *s, Ipc__SignKind kind,
                    const Ipc__SignOrder *o)
{
    Ipc__SignOrder body = *o;
    body.kind = kind;
    return role_send(e->kit, IPC_SIGNER, ROLE_ANY, IPC_SIGN_ORDER, s->id, &body.base);
}

static void count(const char *what, const char *outcome)
{
    char name[LT_METRICS_NAME_MAX];
    (void)snprintf(name, sizeof(name), "lintel_examiner_%s_total{outcome=\"%s\"}", what, outcome);
    lt_metric_add(name, 1);
}

/* ---- certificates ---- */

static void finding_fill(Ipc__Finding *f, const struct lint_finding *from)
{
    ipc__finding__init(f);
    f->rule = text(from->rule->id);
    f->result = text(lint_status_name(from->level));
    f->message = text(from->message);
    f->path = text(from->path);
    f->offset = (uint32_t)from->offset;
    f->citation = text(from->rule->citation);
}

static lt_res refuse(struct examiner *e, const struct ipc_msg *m, const struct ca_verdict *v)
{
    const Ipc__SignRequest *asked = (const Ipc__SignRequest *)m->body;
    Ipc__Finding rows[LINT_FINDINGS_MAX];
    Ipc__Finding *list[LINT_FINDINGS_MAX];
    for (size_t i = 0; i < v->lint.count; i++) {
        finding_fill(&rows[i], &v->lint.list[i]);
        list[i] = &rows[i];
    }
    Ipc__SignReply reply = IPC__SIGN_REPLY__INIT;
    reply.intent_id = asked->intent_id;
    reply.outcome = v->later ? unavailable_word : refused_word;
    reply.refusal = text(v->refusal);
    reply.detail = text(v->detail);
    reply.n_findings = v->lint.count;
    reply.findings = list;
    reply.rule_set = text(lint_rule_set());
    if (v->profile != NULL) {
        reply.profile_sha256 = bytes(v->profile->sha256, CA_PROFILE_SHA256);
    }
    reply.issuer = asked->issuer;
    reply.serial = asked->serial;
    lt_log(v->later ? LT_LOG_INFO : LT_LOG_WARN, "not signed",
           "issuer=%s intent=%lld refusal=%s detail=\"%s\"", asked->issuer, (long long)asked->intent_id,
           v->refusal, v->detail);
    count("certificates", reply.outcome);
    return role_reply(e->kit, &m->from, IPC_SIGN_REPLY, &reply.base);
}

static void not_now(struct ca_verdict *v, const char *detail)
{
    v->refusal = unavailable_word;
    v->later = true;
    v->detail = detail;
}

/* Takes a slot and sends the order; a verdict that says no when the signer is away. */
static void certificate_order(struct examiner *e, const struct ipc_msg *m, struct ca_verdict *v)
{
    const Ipc__SignRequest *asked = (const Ipc__SignRequest *)m->body;
    struct examiner_slot *s = examiner_slot_take(e, &m->from, asked->issuer);
    if (s == NULL) {
        not_now(v, "too much is under way");
        return;
    }
    LT_ASSERT(asked->serial.len <= sizeof(s->serial)); /* as in the certificate, which was read */
    s->intent_id = asked->intent_id;
    memcpy(s->serial, asked->serial.data, asked->serial.len);
    s->serial_len = asked->serial.len;
    memcpy(s->profile_sha256, v->profile->sha256, sizeof(s->profile_sha256));
    Ipc__SignOrder o = IPC__SIGN_ORDER__INIT;
    o.issuer = asked->issuer;
    o.serial = asked->serial;
    o.tbs = asked->tbs;
    if (lt_failed(order(e, s, IPC__SIGN_KIND__SIGN_CERTIFICATE, &o))) {
        examiner_slot_free(e, s);
        not_now(v, "the signer is away");
    }
}

lt_res examiner_on_sign_request(void *self, const struct ipc_msg *m)
{
    struct examiner *e = self;
    struct lt_arena a;
    struct ca_verdict v;
    lt_arena_init(&a, VERDICT_ARENA_MAX);
    int64_t from_us = lt_now().us;
    ca_examine_certificate(&e->x, (const Ipc__SignRequest *)m->body, (lt_time){from_us}, &a, &v);
    lt_metric_observe_us("lintel_examine_seconds", (uint64_t)(lt_now().us - from_us));
    if (v.refusal == NULL) {
        certificate_order(e, m, &v);
    }
    lt_res r = v.refusal == NULL ? LT_OK : refuse(e, m, &v);
    lt_arena_done(&a);
    return r;
}

lt_res examiner_certificate_result(struct examiner *e, struct examiner_slot *s, const Ipc__SignResult *m)
{
    bool is_signed = strcmp(m->outcome, signed_word) == 0;
    bool refused = strcmp(m->outcome, refused_word) == 0;
    Ipc__SignReply reply = IPC__SIGN_REPLY__INIT;
    reply.intent_id = s->intent_id;
    reply.outcome = is_signed ? signed_word : refused ? refused_word : unavailable_word;
    reply.sequence = m->sequence;
    reply.signature = m->signature;
    reply.refusal = text(refused ? "signer" : "");
    reply.detail = m->detail;
    reply.rule_set = text(lint_rule_set());
    reply.profile_sha256 = bytes(s->profile_sha256, sizeof(s->profile_sha256));
    reply.issuer = s->issuer;
    reply.serial = bytes(s->serial, s->serial_len);
    count("certificates", reply.outcome);
    return role_reply(e->kit, &s->to, IPC_SIGN_REPLY, &reply.base);
}

/* ---- CRLs ---- */

/* One for each issuer, whatever part of its CRL the publisher says that it asks for. Issuer names come from
 * the configuration, and only a known one gets here. */
static void crl_path(char ret_path[128], const char *issuer)
{
    (void)snprintf(ret_path, 128, "crl/%.64s.tbs", issuer);
}

static lt_res crl_answer(struct examiner *e, const struct ipc_addr *to, const Ipc__CrlSignReply *reply)
{
    count("crls", reply->outcome);
    return role_reply(e->kit, to, IPC_CRL_SIGN_REPLY, &reply->base);
}

static lt_res crl_refuse(struct examiner *e, const struct ipc_msg *m, const char *word,
                         const struct ca_verdict *v)
{
    const Ipc__CrlSignRequest *asked = (const Ipc__CrlSignRequest *)m->body;
    char detail[300];
    (void)snprintf(detail, sizeof(detail), "%s: %s", v->refusal, v->detail);
    Ipc__CrlSignReply reply = IPC__CRL_SIGN_REPLY__INIT;
    reply.issuer = asked->issuer;
    reply.shard = asked->shard;
    reply.outcome = text(word);
    reply.detail = detail;
    lt_log(LT_LOG_WARN, "CRL not signed", "issuer=%s shard=%u outcome=%s detail=\"%s\"", asked->issuer,
           asked->shard, word, detail);
    return crl_answer(e, &m->from, &reply);
}

static bool under_way(const struct examiner *e, const char *issuer)
{
    for (size_t i = 0; i < EXAMINER_SLOTS && e->busy > 0; i++) {
        const struct examiner_slot *s = &e->slots[i];
        if (s->id != 0 && s->crl && strcmp(s->issuer, issuer) == 0) {
            return true;
        }
    }
    return false;
}

static lt_res crl_before(struct examiner *e, const Ipc__CrlSignRequest *asked, struct lt_arena *a,
                         lt_slice *ret)
{
    char path[128];
    *ret = (lt_slice){0};
    if (ca_examine_issuer(&e->x, asked->issuer) == NULL) {
        return LT_OK; /* and is refused for that */
    }
    crl_path(path, asked->issuer);
    lt_res r = lt_file_read(a, e->dir_fd, path, CRL_MAX, ret);
    return r.code == LT_PEER_NOT_FOUND ? LT_OK : r;
}

/* Its bytes are on disk as the CRL before, before the order leaves: whatever crashes, no signed CRL is
 * forgotten. One that was not signed after all only asks the next one for the same entries. */
static lt_res crl_order(struct examiner *e, const struct ipc_msg *m, struct ca_verdict *v)
{
    const Ipc__CrlSignRequest *asked = (const Ipc__CrlSignRequest *)m->body;
    char path[128];
    if (under_way(e, asked->issuer)) {
        not_now(v, "a CRL of this issuer is being signed");
        return LT_OK;
    }
    struct examiner_slot *s = examiner_slot_take(e, &m->from, asked->issuer);
    if (s == NULL) {
        not_now(v, "too much is under way");
        return LT_OK;
    }
    s->crl = true;
    s->shard = asked->shard;
    crl_path(path, asked->issuer);
    lt_res kept = lt_file_replace(e->dir_fd, path, 0600, LT_SLICE(asked->tbs.data, asked->tbs.len));
    Ipc__SignOrder o = IPC__SIGN_ORDER__INIT;
    o.issuer = asked->issuer;
    o.serial = asked->number;
    o.tbs = asked->tbs;
    if (lt_failed(kept) || lt_failed(order(e, s, IPC__SIGN_KIND__SIGN_CRL, &o))) {
        examiner_slot_free(e, s);
        not_now(v, lt_failed(kept) ? "the examiner's disk is full" : "the signer is away");
    }
    return LT_OK;
}

lt_res examiner_on_crl_request(void *self, const struct ipc_msg *m)
{
    struct examiner *e = self;
    const Ipc__CrlSignRequest *asked = (const Ipc__CrlSignRequest *)m->body;
    struct lt_arena a;
    struct ca_verdict v = {.refusal = NULL};
    lt_slice before = {0};
    lt_arena_init(&a, (size_t)CRL_MAX + VERDICT_ARENA_MAX);
    lt_res r = crl_before(e, asked, &a, &before);
    if (!lt_failed(r)) {
        ca_examine_crl(&e->x, asked, before, lt_now(), &a, &v);
        r = v.refusal == NULL ? crl_order(e, m, &v) : LT_OK;
    }
    if (!lt_failed(r) && v.refusal != NULL) {
        r = crl_refuse(e, m, v.later ? unavailable_word : refused_word, &v);
    }
    lt_arena_done(&a);
    return r;
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
    return crl_answer(e, &s->to, &reply);
}
