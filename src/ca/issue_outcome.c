/* How an intent ends: the certificate's rows out of a signature, or the refusal; and the signer's journal
 * replayed against what the book has.
 *
 * An intent ends once: what arrives for one that has ended is dropped. A signature that belongs to no intent,
 * or to other bytes than the intent's, means that somebody else has used our key or that the book is old: it
 * is an alarm, and issuance is held.
 */
#include <string.h>

#include "base/text.h"
#include "ca/body.h"
#include "ca/book_internal.h"
#include "ca/event.h"
#include "ca/issue_internal.h"
#include "ca/journal.h"
#include "ca/lint_book.h"
#include "ca/mass.h"
#include "ca/revoke.h"
#include "ca/scope_book.h"
#include "ca/tally.h"
#include "ca/truth.h"
#include "crypto/digest.h"
#include "x509/dnsname.h"
#include "x509/tbs.h"

static const struct store_sql sql[] = {
    {"certificate.add",
     "INSERT INTO certificate (issuer, serial, copy, kind, profile, sha256, spki_sha256, key_type, key_bits, "
     "not_before_us, not_after_us, issued_us, account, order_id, name_set_sha256, name_count, rule_set, "
     "build, "
     "delivered, worst_method, worst_dimension, oldest_validation_us, oldest_caa_us, least_quorum, shard, "
     "sequence) VALUES (?1, ?2, 0, 'x509', ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, "
     "?17, "
     "?18, ?19, ?20, ?21, ?22, ?23, ?24)"},
    {"certificate.der", "INSERT INTO certificate_der (issuer, serial, copy, der) VALUES (?1, ?2, 0, ?3)"},
    {"certificate.name", "INSERT INTO certificate_name (name, type, issuer, serial, copy, authorization_id) "
                         "VALUES (?1, ?2, ?3, ?4, 0, ?5) ON CONFLICT DO NOTHING"},
    {"intent.close", "DELETE FROM intent_open WHERE intent = ?1"},
    {"intent.end", "INSERT INTO intent_end (intent, outcome, detail, findings, ended_us) "
                   "VALUES (?1, ?2, ?3, ?4, ?5)"},
};
enum { SQL_CERTIFICATE, SQL_DER, SQL_NAME, SQL_CLOSE, SQL_END };
const struct store_sql *const ca_outcome_sql = sql;
const size_t ca_outcome_sql_count = LT_COUNT(sql);

enum { CERTIFICATE_MAX = 72 * 1024, FINDINGS_MAX = 48 * 1024 };

/* The worst case over the names, so that most questions read one table. */
struct worst {
    const char *method;
    int64_t dimension;
    int64_t oldest_validation_us;
    int64_t oldest_caa_us;
    int64_t least_quorum;
};

static struct worst worst_of(const Ipc__SignRequest *q)
{
    struct worst w = {.method = "", .least_quorum = INT32_MAX};
    for (size_t i = 0; i < q->n_evidence; i++) {
        const Ipc__NameEvidence *e = q->evidence[i];
        if (i == 0 || e->validated_us < w.oldest_validation_us) {
            w.method = e->method;
            w.dimension = e->dimension;
            w.oldest_validation_us = e->validated_us;
        }
        if (i == 0 || e->caa_checked_us < w.oldest_caa_us) {
            w.oldest_caa_us = e->caa_checked_us;
        }
        if (e->quorum < w.least_quorum) {
            w.least_quorum = e->quorum;
        }
    }
    return w;
}

static lt_slice bytes(ProtobufCBinaryData b)
{
    return LT_SLICE(b.data, b.len);
}

static lt_res add_certificate(struct ca_turn *t, const struct ca_intent *i, const struct ca_signed *s,
                              lt_slice der)
{
    const Ipc__IntentRecord *r = i->record;
    struct worst w = worst_of(r->request);
    uint8_t hash[CA_HASH_LEN];
    crypto_sha256(der, hash);
    LT_TRY(store_exec(
        t->store, &sql[SQL_CERTIFICATE],
        STORE_ARGS(STORE_I(i->issuer->id), STORE_B(i->serial), STORE_I(i->profile),
                   STORE_B(LT_SLICE(hash, sizeof hash)), STORE_B(bytes(r->key->spki_sha256)),
                   STORE_I(r->key->type), STORE_I(r->key->bits), STORE_I(r->not_before_us),
                   STORE_I(r->not_after_us), STORE_I(t->now.us), STORE_I(i->account_id), STORE_I(i->order_id),
                   STORE_B(bytes(r->name_set_sha256)), STORE_I(r->request->n_evidence), STORE_S(s->rule_set),
                   STORE_S(t->book->build), STORE_I(s->replayed ? 0 : 1), STORE_S(w.method),
                   STORE_I(w.dimension), STORE_I(w.oldest_validation_us), STORE_I(w.oldest_caa_us),
                   STORE_I(w.least_quorum), STORE_I(r->crl_shard), STORE_I(s->sequence)),
        NULL));
    LT_TRY(store_exec(t->store, &sql[SQL_DER],
                      STORE_ARGS(STORE_I(i->issuer->id), STORE_B(i->serial), STORE_B(der)), NULL));
    const struct ca_scope_certificate scoped = {
        .issuer = i->issuer->id,
        .serial = i->serial,
        .worst_dimension = w.dimension,
        .evidence = r->request->evidence,
        .evidence_count = r->request->n_evidence,
        .findings = s->findings,
        .finding_count = s->finding_count,
    };
    LT_TRY(ca_scope_certificate(t, &scoped));
    const struct ca_tally_certificate counted = {i->issuer->id, i->serial, i->profile, r->not_after_us};
    return ca_tally_issued(t, &counted, false);
}

static lt_res add_names(struct ca_turn *t, const struct ca_intent *i)
{
    struct lt_buf reversed;
    lt_buf_init(&reversed, 512);
    lt_res r = LT_OK;
    for (size_t n = 0; n < i->record->request->n_evidence && !lt_failed(r); n++) {
        const Ipc__NameEvidence *e = i->record->request->evidence[n];
        lt_slice name = lt_slice_cstr(e->identifier->value);
        lt_buf_reset(&reversed);
        if (strcmp(e->identifier->type, "dns") == 0) {
            x509_dns_reverse(name, &reversed);
            name = lt_buf_slice(&reversed);
        }
        r = store_exec(t->store, &sql[SQL_NAME],
                       STORE_ARGS(STORE_T(name), STORE_S(e->identifier->type), STORE_I(i->issuer->id),
                                  STORE_B(i->serial), STORE_I(e->authorization_id)),
                       NULL);
    }
    lt_buf_done(&reversed);
    return r;
}

static lt_res close_intent(struct ca_turn *t, int64_t id, const char *outcome, const char *detail,
                           const char *findings)
{
    LT_TRY(store_exec(t->store, &sql[SQL_CLOSE], STORE_ARGS(STORE_I(id)), NULL));
    return store_exec(
        t->store, &sql[SQL_END],
        STORE_ARGS(STORE_I(id), STORE_S(outcome), STORE_S(detail), STORE_S(findings), STORE_I(t->now.us)),
        NULL);
}

const char *ca_certificate_subject(struct ca_turn *t, const char *issuer, lt_slice serial)
{
    char *subject = lt_arena_printf(t->arena, "certificate %s %s", issuer, lt_hex(t->arena, serial));
    LT_ASSERT(subject != NULL);
    return subject;
}

static lt_res issued_event(struct ca_turn *t, const struct ca_intent *i, const struct ca_signed *s)
{
    struct ca_body body;
    ca_body_init(&body);
    ca_body_str(&body, "profile", i->record->request->profile);
    lt_slice examined = s->profile_sha256.len > 0 ? s->profile_sha256 : bytes(i->record->profile_sha256);
    ca_body_hex(&body, "profile_sha256", examined);
    ca_body_id(&body, "intent", i->id);
    ca_body_id(&body, "order", i->order_id);
    ca_body_id(&body, "account", i->account_id);
    ca_body_hex(&body, "spki_sha256", bytes(i->record->key->spki_sha256));
    ca_body_int(&body, "names", (int64_t)i->record->request->n_evidence);
    ca_body_hex(&body, "name_set_sha256", bytes(i->record->name_set_sha256));
    ca_body_str(&body, "rule_set", s->rule_set);
    if (s->excepted_json != NULL) {
        ca_body_json(&body, "excepted", lt_slice_cstr(s->excepted_json));
    }
    ca_body_str(&body, "build", t->book->build);
    ca_body_int(&body, "sequence", (int64_t)s->sequence);
    ca_body_bool(&body, "replayed", s->replayed);
    return ca_body_event(&body, t, "certificate.issued",
                         ca_certificate_subject(t, i->issuer->name, i->serial), LT_SLICE(NULL, 0));
}

static struct ca_outcome outcome_of(const struct ca_intent *i)
{
    return (struct ca_outcome){
        .intent = i->id,
        .requester = i->requester,
        .order_id = i->order_id,
        .account_id = i->account_id,
        .issuer = i->issuer,
        .profile = lt_slice_cstr(i->record->request->profile),
        .serial = i->serial,
        .not_after = {i->record->not_after_us},
        .reply_to = {(enum ipc_role)i->record->reply_role, i->record->reply_instance, i->record->reply_id},
        .findings_json = "[]",
    };
}

static lt_res tell(struct ca_turn *t, const struct ca_outcome *o)
{
    const struct ca_listener *l = &t->book->listener;
    return l->issued == NULL ? LT_OK : l->issued(l->self, t, o);
}

static lt_res store_signed(struct ca_turn *t, const struct ca_intent *i, const struct ca_signed *s,
                           lt_slice der)
{
    LT_TRY(add_certificate(t, i, s, der));
    LT_TRY(add_names(t, i));
    const struct ca_truth_certificate fresh = {i->issuer->id, i->serial};
    /* Gateways have one each, of the same names; a responder has none. */
    bool replaces = strcmp(i->requester, "service") != 0 && i->record->request->n_evidence > 0;
    LT_TRY(replaces ? ca_truth_arrived(t, &fresh, bytes(i->record->name_set_sha256), t->now) : LT_OK);
    LT_TRY(close_intent(t, i->id, "signed", "", s->findings_json == NULL ? "null" : s->findings_json));
    LT_TRY(issued_event(t, i, s));
    ca_journal_seen(t->book, s->sequence);
    struct ca_outcome o = outcome_of(i);
    o.issued = true;
    o.replayed = s->replayed;
    o.certificate = der;
    return tell(t, &o);
}

lt_res ca_intent_complete(struct ca_turn *t, const struct ca_intent *i, const struct ca_signed *s)
{
    enum x509_sig_alg alg = x509_sig_alg_for((enum x509_key_type)i->issuer->key_type);
    struct lt_buf der;
    lt_buf_init(&der, CERTIFICATE_MAX);
    lt_res r = x509_assemble(i->tbs, alg, s->signature, &der);
    if (!lt_failed(r)) {
        r = store_signed(t, i, s, lt_buf_slice(&der));
    }
    lt_buf_done(&der);
    return r;
}

static lt_res refused_event(struct ca_turn *t, const struct ca_intent *i, const struct ca_outcome *o,
                            const char *rule_set, size_t left_out)
{
    struct ca_body body;
    ca_body_init(&body);
    ca_body_str(&body, "profile", i->record->request->profile);
    ca_body_id(&body, "intent", i->id);
    ca_body_id(&body, "order", i->order_id);
    ca_body_id(&body, "account", i->account_id);
    ca_body_str(&body, "refusal", o->refusal);
    ca_body_str(&body, "detail", o->detail);
    ca_body_str(&body, "rule_set", rule_set);
    ca_body_json(&body, "findings", lt_slice_cstr(o->findings_json));
    if (left_out > 0) {
        ca_body_int(&body, "findings_left_out", (int64_t)left_out);
    }
    return ca_body_event(&body, t, "certificate.refused",
                         ca_certificate_subject(t, i->issuer->name, i->serial), LT_SLICE(NULL, 0));
}

lt_res ca_intent_refuse(struct ca_turn *t, const struct ca_intent *i, const Ipc__SignReply *m)
{
    struct ca_outcome o = outcome_of(i);
    o.refusal = m->refusal;
    o.detail = m->detail;
    size_t left_out = 0;
    o.findings_json = ca_findings_json(t, m->findings, m->n_findings, &left_out);
    LT_TRY(close_intent(t, i->id, "refused", o.detail, o.findings_json));
    LT_TRY(refused_event(t, i, &o, m->rule_set, left_out));
    LT_TRY(ca_tally_failed(t));
    return tell(t, &o);
}

lt_res ca_issue_on_reply(struct ca_turn *t, const Ipc__SignReply *m)
{
    struct ca_intent i;
    lt_res found = ca_intent_load_open(t, m->intent_id, &i);
    if (found.code == LT_PEER_NOT_FOUND) {
        return LT_OK; /* the replay was faster, or it was asked twice */
    }
    LT_TRY(found);
    if (strcmp(m->outcome, "refused") == 0) {
        return ca_intent_refuse(t, &i, m);
    }
    if (strcmp(m->outcome, "signed") != 0) {
        return LT_OK; /* unavailable: ca_issue_retry asks again */
    }
    size_t left_out = 0;
    bool same = lt_slice_eq(bytes(m->serial), i.serial) && m->signature.len > 0;
    LT_CHECK(same, LT_PEER_MALFORMED, "a signature for another serial than that of intent %lld",
             (long long)m->intent_id);
    struct ca_signed s = {
        .signature = bytes(m->signature),
        .sequence = m->sequence,
        .rule_set = m->rule_set,
        .profile_sha256 = bytes(m->profile_sha256),
        .findings_json = ca_findings_json(t, m->findings, m->n_findings, &left_out),
        .findings = m->findings,
        .finding_count = m->n_findings,
        .excepted_json = ca_excepted_json(t, m->findings, m->n_findings),
    };
    return ca_intent_complete(t, &i, &s);
}

/* Holds issuance until somebody has looked; told once, however often it is replayed. */
static lt_res alarm(struct ca_turn *t, const Ipc__JournalEntry *e, const char *kind, const char *detail)
{
    struct ca_book *b = t->book;
    if (b->alarmed && b->alarm_sequence == e->sequence) {
        return LT_OK;
    }
    b->alarmed = true;
    b->alarm_sequence = e->sequence;
    struct ca_body body;
    ca_body_init(&body);
    ca_body_str(&body, "detail", detail);
    ca_body_int(&body, "sequence", (int64_t)e->sequence);
    return ca_body_event(&body, t, kind, ca_certificate_subject(t, e->issuer, bytes(e->serial)),
                         LT_SLICE(NULL, 0));
}

/* A certificate's signature out of the journal. */
static lt_res replay_signature(struct ca_turn *t, const Ipc__JournalEntry *e)
{
    const struct ca_issuer *issuer = ca_issuer_by_name(t->book, lt_slice_cstr(e->issuer));
    int64_t id = 0;
    if (issuer != NULL) {
        LT_TRY(ca_intent_by_serial(t, issuer, bytes(e->serial), &id));
    }
    if (id == 0) {
        return alarm(t, e, "alarm.unknown-signature", "signed, but never intended by this book");
    }
    struct ca_intent i;
    LT_TRY(ca_intent_load(t, id, &i));
    uint8_t hash[CA_HASH_LEN];
    crypto_sha256(i.tbs, hash);
    if (!lt_slice_eq(LT_SLICE(hash, sizeof hash), bytes(e->tbs_sha256))) {
        return alarm(t, e, "alarm.other-bytes", "signed over other bytes than the intent's");
    }
    bool open = false;
    LT_TRY(ca_intent_is_open(t, id, &open));
    if (!open) {
        ca_journal_seen(t->book, e->sequence);
        return LT_OK;
    }
    const char *rule_set = NULL; /* the examiner passed it on, and its word was lost */
    LT_TRY(ca_rules_at(t, (lt_time){e->time_us}, &rule_set));
    struct ca_signed s = {
        .signature = bytes(e->signature), .sequence = e->sequence, .rule_set = rule_set, .replayed = true};
    return ca_intent_complete(t, &i, &s);
}

static lt_res replay_entry(struct ca_turn *t, const Ipc__JournalEntry *e)
{
    if (e->sequence <= (uint64_t)t->book->at.acknowledged) {
        return LT_OK;
    }
    if (strcmp(e->what, "revocation") == 0) {
        lt_res r = ca_revoke_on_replay(t, e);
        return r.code == LT_PEER_NOT_FOUND
                   ? alarm(t, e, "alarm.unknown-revocation", "revoked, but this book has no such certificate")
                   : r;
    }
    if (strcmp(e->what, "revocations") == 0) {
        lt_res r = ca_mass_on_replay(t, e);
        return r.code == LT_PEER_NOT_FOUND
                   ? alarm(t, e, "alarm.unknown-revocation", "revoked, but this book has no such batch")
                   : r;
    }
    bool certificate = strcmp(e->what, "signature") == 0 && (e->kind == IPC__SIGN_KIND__SIGN_CERTIFICATE ||
                                                             e->kind == IPC__SIGN_KIND__SIGN_PRECERTIFICATE);
    if (certificate) {
        return replay_signature(t, e);
    }
    /* A CRL that was signed and not stored is built again under a higher number; a knot is tied again. */
    ca_journal_seen(t->book, e->sequence);
    return LT_OK;
}

lt_res ca_issue_on_replay(struct ca_turn *t, const Ipc__JournalReplay *m)
{
    for (size_t i = 0; i < m->n_entries; i++) {
        LT_TRY(replay_entry(t, m->entries[i]));
    }
    if (!m->last || t->book->replayed) {
        return LT_OK;
    }
    t->book->replayed = true;
    size_t asked = 0;
    LT_TRY(ca_issue_retry(t, 0, &asked));
    return ca_revoke_retry(t, 0, &asked);
}
