/* Certificates: judged, passed on as they are, answered. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/metrics.h"
#include "crypto/digest.h"
#include "role/examiner.h"

enum {
    VERDICT_ARENA_MAX = 4 * 1024 * 1024,
    FINDINGS_BYTES = 384 * 1024, /* a reply has 512 KiB */
    FINDING_EXTRA = 256,         /* citation, result, lengths */
    TELL_AGAIN_MS = 3600 * 1000,
    DETAIL_MAX = 300,
};

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

void examiner_count(const char *what, const char *outcome)
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

/* What stops comes first: should there be too many to tell, it is not they that are left out. */
static void findings_add(struct examiner_findings *to, const struct ca_examine *x,
                         const struct lint_results *from, const char *profile, bool stopping)
{
    for (size_t i = 0; i < from->count && to->count < LINT_FINDINGS_MAX; i++) {
        const struct lint_finding *f = &from->list[i];
        Ipc__Finding *row = &to->rows[to->count];
        size_t len = strlen(f->message) + strlen(f->path) + strlen(f->rule->id) + FINDING_EXTRA;
        if ((f->level >= LINT_ERROR) != stopping || to->bytes + len > FINDINGS_BYTES) {
            continue;
        }
        finding_fill(row, f);
        row->excepted = stopping && ca_lint_excepted(x, f, profile, lt_now());
        to->bytes += len;
        to->list[to->count++] = row;
    }
}

void examiner_findings_take(struct examiner_findings *to, const struct ca_examine *x,
                            const struct lint_results *from, const char *profile)
{
    to->count = 0;
    to->bytes = 0;
    findings_add(to, x, from, profile, true);
    findings_add(to, x, from, profile, false);
}

lt_res examiner_refuse(struct examiner *e, const struct ipc_addr *to, const Ipc__SignRequest *asked,
                       const struct examiner_no *no)
{
    struct examiner_findings *findings = e->findings;
    const struct ca_verdict *v = no->v;
    examiner_findings_take(findings, &e->x, &v->lint, asked->profile);
    Ipc__SignReply reply = IPC__SIGN_REPLY__INIT;
    reply.intent_id = asked->intent_id;
    reply.outcome = v->later ? unavailable_word : refused_word;
    reply.refusal = text(v->refusal);
    reply.detail = text(v->detail);
    reply.n_findings = no->opinion == NULL ? findings->count : no->opinion->n_findings;
    reply.findings = no->opinion == NULL ? findings->list : no->opinion->findings;
    reply.rule_set = text(lint_rule_set());
    if (v->profile != NULL) {
        reply.profile_sha256 = bytes(v->profile->sha256, CA_PROFILE_SHA256);
    }
    reply.issuer = asked->issuer;
    reply.serial = asked->serial;
    char detail[DETAIL_MAX];
    lt_log(v->later ? LT_LOG_INFO : LT_LOG_WARN, "not signed",
           "issuer=%s intent=%lld refusal=%s detail=\"%s\"", asked->issuer, (long long)asked->intent_id,
           v->refusal, lt_log_plain(v->detail, detail, sizeof(detail)));
    examiner_count("certificates", reply.outcome);
    return role_reply(e->kit, to, IPC_SIGN_REPLY, &reply.base);
}

void examiner_not_now(struct ca_verdict *v, const char *detail)
{
    v->refusal = unavailable_word;
    v->later = true;
    v->detail = detail;
}

void examiner_certificate_order(struct examiner *e, const struct ipc_addr *to, const Ipc__SignRequest *asked,
                                struct ca_verdict *v)
{
    struct examiner_slot *s = examiner_slot_take(e, to, asked->issuer);
    if (s == NULL) {
        examiner_not_now(v, "too much is under way");
        return;
    }
    LT_ASSERT(asked->serial.len <= sizeof(s->serial)); /* as in the certificate, which was read */
    s->intent_id = asked->intent_id;
    memcpy(s->serial, asked->serial.data, asked->serial.len);
    s->serial_len = asked->serial.len;
    memcpy(s->profile_sha256, v->profile->sha256, sizeof(s->profile_sha256));
    s->note_count = ca_examine_note(&e->x, &v->lint, asked->profile, lt_now(), s->notes);
    Ipc__SignOrder o = IPC__SIGN_ORDER__INIT;
    o.issuer = asked->issuer;
    o.serial = asked->serial;
    o.tbs = asked->tbs;
    if (lt_failed(order(e, s, IPC__SIGN_KIND__SIGN_CERTIFICATE, &o))) {
        examiner_slot_free(e, s);
        examiner_not_now(v, "the signer is away");
    }
}

lt_res examiner_on_sign_request(void *self, const struct ipc_msg *m)
{
    struct examiner *e = self;
    const Ipc__SignRequest *asked = (const Ipc__SignRequest *)m->body;
    struct lt_arena a;
    struct ca_verdict v;
    lt_arena_init(&a, VERDICT_ARENA_MAX);
    int64_t from_us = lt_now().us;
    ca_examine_certificate(&e->x, asked, (lt_time){from_us}, &a, &v);
    lt_metric_observe_us("lintel_examine_seconds", (uint64_t)(lt_now().us - from_us));
    if (v.refusal == NULL && examiner_wants_opinion(e, v.profile)) {
        examiner_ask_opinion(e, m, &v);
    } else if (v.refusal == NULL) {
        examiner_certificate_order(e, &m->from, asked, &v);
    }
    lt_res r = v.refusal == NULL ? LT_OK
                                 : examiner_refuse(e, &m->from, asked, &(struct examiner_no){.v = &v});
    lt_arena_done(&a);
    return r;
}

/* Rule and result alone: what was found in something that may be signed all the same. */
static size_t notes_fill(const struct examiner_slot *s, Ipc__Finding *rows, Ipc__Finding **list)
{
    for (size_t i = 0; i < s->note_count; i++) {
        ipc__finding__init(&rows[i]);
        rows[i].rule = text(s->notes[i].rule->id);
        rows[i].result = text(lint_status_name(s->notes[i].level));
        rows[i].excepted = s->notes[i].excepted;
        list[i] = &rows[i];
    }
    return s->note_count;
}

lt_res examiner_certificate_result(struct examiner *e, struct examiner_slot *s, const Ipc__SignResult *m)
{
    bool is_signed = strcmp(m->outcome, signed_word) == 0;
    bool refused = strcmp(m->outcome, refused_word) == 0;
    Ipc__Finding rows[CA_NOTED_MAX];
    Ipc__Finding *list[CA_NOTED_MAX];
    Ipc__SignReply reply = IPC__SIGN_REPLY__INIT;
    reply.n_findings = is_signed ? notes_fill(s, rows, list) : 0;
    reply.findings = list;
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
    examiner_count("certificates", reply.outcome);
    return role_reply(e->kit, &s->to, IPC_SIGN_REPLY, &reply.base);
}

/* ---- what has no intent ---- */

static bool told_already(struct examiner *e, const Ipc__Refused *m)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    struct crypto_stream h;
    crypto_stream_init(&h, CRYPTO_SHA256);
    const char *const words[] = {m->subject, m->kind, m->refusal, m->detail};
    for (size_t i = 0; i < LT_COUNT(words); i++) {
        crypto_stream_add(&h, LT_SLICE(words[i], strlen(words[i]) + 1));
    }
    crypto_stream_finish(&h, hash);
    crypto_stream_done(&h);
    int64_t now_ms = lt_monotonic_ms();
    for (size_t i = 0; i < EXAMINER_TOLD; i++) {
        if (e->told[i].until_ms > now_ms && memcmp(e->told[i].hash, hash, sizeof hash) == 0) {
            return true;
        }
    }
    struct examiner_told *row = &e->told[e->next_told++ % EXAMINER_TOLD];
    memcpy(row->hash, hash, sizeof hash);
    row->until_ms = now_ms + TELL_AGAIN_MS;
    return false;
}

void examiner_tell(struct examiner *e, Ipc__Refused *m)
{
    m->rule_set = text(lint_rule_set());
    if (!told_already(e, m) &&
        lt_failed(role_send(e->kit, IPC_REGISTRAR, ROLE_ANY, IPC_REFUSED, 0, &m->base))) {
        lt_log_error("the registrar did not take word of a refusal"); /* the log has it */
    }
}
