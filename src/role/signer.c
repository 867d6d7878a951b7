/* signer: the keys. It takes to-be-signed bytes from the examiner alone, checks fixed fields with its own
 * reader, signs, journals, syncs once for a burst, and only then lets go of anything.
 *
 * Refuses: an issuer or kind it does not know, bytes that its reader does not like, a serial that was signed
 * for other bytes. Says "unavailable" (nothing has happened, ask again) while it does not know the book, the
 * clock is wrong, the disk is full or the token away. Ends when a sync fails.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "role/profiles.h"
#include "role/signer.h"
#include "signer/key_mark.h"
#include "signer/knot.h"

enum {
    WAITING_MAX = 1024, /* over the kit's longest burst */
    TOKEN_ORDERS_MAX = 256,
    TOKEN_WAIT_MS = 10000,
    TOKEN_BACK_MS = 2000, /* a token program that died is back in a moment; its orders wait so long */
    TOKEN_TRIES = 2,      /* an order that kills the module does not come a third time */
    BATCH_MASS_LEN = 8,
    BATCH_NUMBER_LEN = 4,
    BATCH_KEY_LEN = BATCH_MASS_LEN + BATCH_NUMBER_LEN,
    BATCH_COUNT_LEN = 4,
    REPLAY_BATCH = 64,
    REPLAY_BATCHES_A_TURN = 128,
    TURN_ARENA_MAX = 64 * 1024 * 1024,
    MESSAGE_ARENA_MAX = 300 * 1024 * 1024, /* a CRL */
    COMPLAIN_EVERY_MS = 5000,
};

/* ---- may anything be signed now? ---- */

static void complain(struct signer *s, const char *what)
{
    if (lt_monotonic_ms() >= s->complain_after_ms) {
        s->complain_after_ms = lt_monotonic_ms() + COMPLAIN_EVERY_MS;
        lt_log_error(what);
    }
}

lt_res signer_check_ready(struct signer *s)
{
    lt_res clock = lt_clock_check(journal_last_time(s->journal));
    lt_metric_set("lintel_signer_clock_good", lt_failed(clock) ? 0 : 1);
    if (lt_failed(clock)) {
        complain(s, "nothing is signed: the clock is wrong");
        LT_FAIL(LT_RETRY_UNAVAILABLE, "the signer's clock is wrong");
    }
    LT_CHECK(s->book_refused[0] == 0, LT_RETRY_UNAVAILABLE, "%s", s->book_refused);
    LT_CHECK(s->book_known, LT_RETRY_UNAVAILABLE, "the book has not said how far it is");
    LT_CHECK(s->waiting_count < WAITING_MAX, LT_RETRY_UNAVAILABLE, "too much at once");
    return LT_OK;
}

/* ---- answers ---- */

static lt_res answer_sign(struct signer *s, const struct ipc_addr *to, const char *outcome,
                          const struct journal_entry *e, const char *detail)
{
    Ipc__SignResult body = IPC__SIGN_RESULT__INIT;
    body.outcome = (char *)(uintptr_t)outcome; /* packed, not kept */
    body.detail = (char *)(uintptr_t)detail;
    if (e != NULL) {
        body.sequence = e->sequence;
        body.signature = (ProtobufCBinaryData){e->signature.len, (uint8_t *)(uintptr_t)e->signature.ptr};
    }
    return role_reply(s->kit, to, IPC_SIGN_RESULT, &body.base);
}

lt_res signer_answer_failure(struct signer *s, const struct ipc_addr *to, lt_res r)
{
    char detail[sizeof lt_error_last()->detail];
    (void)snprintf(detail, sizeof detail, "%s", lt_error_last()->detail);
    bool refused = lt_class_of(r.code) == LT_CLASS_POLICY || lt_class_of(r.code) == LT_CLASS_PEER;
    if (r.code == LT_STATE_CRYPTO) { /* of one order, and nothing was journaled or let go */
        lt_log(LT_LOG_ERROR, "a signature failed", "detail=\"%s\"", detail);
        lt_metric_add("lintel_signatures_faulty_total", 1);
        return answer_sign(s, to, "unavailable", NULL, "the signer's own signature failed");
    }
    if (lt_class_of(r.code) == LT_CLASS_STATE) {
        return r;
    }
    if (refused) {
        lt_log(LT_LOG_WARN, "an order was refused", "detail=\"%s\"", detail);
        lt_metric_add("lintel_signer_orders_refused_total", 1);
    }
    return answer_sign(s, to, refused ? "refused" : "unavailable", NULL, detail);
}

static lt_res keep(struct signer *s, struct journal_entry *e)
{
    lt_slice *slices[] = {&e->issuer, &e->serial, &e->signature};
    for (size_t i = 0; i < LT_COUNT(slices); i++) {
        *slices[i] = lt_arena_copy(&s->turn, *slices[i]);
        LT_CHECK(slices[i]->ptr != NULL, LT_RETRY_UNAVAILABLE, "too much at once");
    }
    return LT_OK;
}

static lt_res wait_for_sync(struct signer *s, const struct ipc_addr *to, enum ipc_type type,
                            struct journal_entry *e, bool found)
{
    LT_CHECK(s->waiting_count < WAITING_MAX, LT_RETRY_UNAVAILABLE, "too much at once");
    LT_TRY(keep(s, e));
    s->waiting[s->waiting_count++] = (struct waiting){.to = *to, .type = type, .entry = *e, .found = found};
    return LT_OK;
}

static lt_res answer_knot(struct signer *s, const struct waiting *w)
{
    struct lt_buf text;
    lt_buf_init(&text, 4096);
    struct signer_knot knot = {.chain = w->entry.issuer,
                               .head = LT_SLICE(w->entry.digest, JOURNAL_HASH_LEN),
                               .time_us = w->entry.time_us,
                               .journal_sequence = w->entry.sequence,
                               .journal_head = LT_SLICE(w->entry.chain, JOURNAL_HASH_LEN)};
    for (size_t i = 0; i < w->entry.serial.len; i++) {
        knot.sequence = knot.sequence << 8 | w->entry.serial.ptr[i];
    }
    signer_knot_statement(&knot, &text);
    uint8_t signature[CRYPTO_SIGNATURE_MAX];
    size_t len;
    lt_res r = lt_buf_check(&text);
    if (!lt_failed(r)) {
        r = crypto_key_sign(s->keys.audit, CRYPTO_EDDSA, lt_buf_slice(&text), signature, &len);
    }
    lt_buf_done(&text);
    LT_TRY(r);
    lt_slice spki = crypto_key_spki(s->keys.audit);
    Ipc__KnotSigned body = IPC__KNOT_SIGNED__INIT;
    body.journal_sequence = w->entry.sequence;
    body.journal_head = (ProtobufCBinaryData){JOURNAL_HASH_LEN, (uint8_t *)(uintptr_t)w->entry.chain};
    body.signature = (ProtobufCBinaryData){len, signature};
    body.key_spki = (ProtobufCBinaryData){spki.len, (uint8_t *)(uintptr_t)spki.ptr};
    body.time_us = w->entry.time_us;
    return role_reply(s->kit, &w->to, IPC_KNOT_SIGNED, &body.base);
}

static uint64_t number_at(lt_slice bytes, size_t from, size_t len)
{
    uint64_t n = 0;
    for (size_t i = from; i < from + len && i < bytes.len; i++) {
        n = n << 8 | bytes.ptr[i];
    }
    return n;
}

/* batch: its key in the journal, so that the registrar knows which. */
static lt_res answer_revocation(struct signer *s, const struct ipc_addr *to, uint64_t sequence,
                                lt_slice batch)
{
    Ipc__RevocationRecorded body = IPC__REVOCATION_RECORDED__INIT;
    body.outcome = (char *)(uintptr_t)(sequence == 0 ? "unavailable" : "recorded");
    body.sequence = sequence;
    body.mass = number_at(batch, 0, BATCH_MASS_LEN);
    body.batch = (uint32_t)number_at(batch, BATCH_MASS_LEN, BATCH_NUMBER_LEN);
    return role_reply(s->kit, to, IPC_REVOCATION_RECORDED, &body.base);
}

/* After a sync. A knot that could not be journaled is not answered: the next one follows. */
static lt_res answer_waiting(struct signer *s, const struct waiting *w, bool synced)
{
    bool durable = synced || w->entry.sequence <= journal_synced(s->journal);
    if (w->type == IPC_REVOCATION_RECORDED) {
        bool batch = w->entry.what == JOURNAL_REVOCATIONS;
        return answer_revocation(s, &w->to, durable ? w->entry.sequence : 0,
                                 batch ? w->entry.serial : LT_SLICE(NULL, 0));
    }
    if (w->type == IPC_KNOT_SIGNED) {
        return durable ? answer_knot(s, w) : LT_OK;
    }
    if (!durable) {
        return answer_sign(s, &w->to, "unavailable", NULL, "the signer's disk is full");
    }
    lt_metric_add(w->found ? "lintel_signatures_repeated_total" : "lintel_signatures_total", 1);
    return answer_sign(s, &w->to, "signed", &w->entry, "");
}

/* ---- orders ---- */

static lt_res append(struct signer *s, const struct ipc_addr *to, enum ipc_type type, struct journal_entry *e)
{
    LT_TRY(journal_append(s->journal, e));
    lt_res r = wait_for_sync(s, to, type, e, false);
    LT_ASSERT(!lt_failed(r)); /* room was made sure of by check_ready; the arena is far larger than a burst */
    return LT_OK;
}

static struct token_order *token_order_of(struct signer *s, const struct journal_entry *e)
{
    for (size_t i = 0; i < TOKEN_ORDERS_MAX; i++) {
        struct token_order *o = &s->token_orders[i];
        if (o->id != 0 && o->entry.kind == e->kind && lt_slice_eq(o->entry.issuer, e->issuer) &&
            lt_slice_eq(o->entry.serial, e->serial)) {
            return o;
        }
    }
    return NULL;
}

static void free_token_order(struct signer *s, struct token_order *o)
{
    if (o->mapped.len > 0) {
        (void)munmap((void *)(uintptr_t)o->mapped.ptr, o->mapped.len); /* ours: nothing to lose */
    }
    lt_arena_done(&o->own);
    *o = (struct token_order){0};
    s->token_order_count--;
}

/* Where there is no token just now, the order waits for one. */
static lt_res send_token_order(struct signer *s, struct token_order *o)
{
    Ipc__TokenSign body = IPC__TOKEN_SIGN__INIT;
    body.issuer = (char *)(uintptr_t)o->key->name;
    body.algorithm = (uint32_t)o->key->alg;
    body.tbs = (ProtobufCBinaryData){o->message.tbs.len, (uint8_t *)(uintptr_t)o->message.tbs.ptr};
    lt_res r = role_send(s->kit, IPC_TOKEN, ROLE_ANY, IPC_TOKEN_SIGN, o->id, &body.base);
    o->sent = !lt_failed(r);
    o->tries += o->sent;
    o->until_ms = lt_monotonic_ms() + (o->sent ? TOKEN_WAIT_MS : TOKEN_BACK_MS);
    return r.code == LT_RETRY_UNAVAILABLE ? LT_OK : r;
}

/* What was mapped is taken over as it is; what came in a message is copied. */
static void keep_message(struct token_order *o, const struct signer_order *order)
{
    lt_arena_init(&o->own, order->message.tbs.len + (size_t)64 * 1024);
    o->message.digest = lt_arena_copy(&o->own, order->message.digest);
    if (order->mapped != NULL) {
        o->mapped = LT_TAKE(*order->mapped, ((lt_slice){0}));
        o->message.tbs = o->mapped;
    } else {
        o->message.tbs = lt_arena_copy(&o->own, order->message.tbs);
    }
    LT_ASSERT(o->message.tbs.ptr != NULL);
}

static lt_res ask_token(struct signer *s, const struct ipc_addr *to, struct signer_key *key,
                        const struct journal_entry *e, const struct signer_order *order)
{
    const struct token_order *same = token_order_of(s, e);
    LT_CHECK(same == NULL || memcmp(same->entry.digest, e->digest, JOURNAL_HASH_LEN) == 0, LT_POLICY_REFUSED,
             "this serial is being signed for other bytes");
    LT_CHECK(same == NULL, LT_RETRY_UNAVAILABLE, "it is being signed");
    LT_CHECK(s->token_order_count < TOKEN_ORDERS_MAX, LT_RETRY_UNAVAILABLE, "the token has too much to do");
    struct token_order *o = s->token_orders;
    while (o->id != 0) {
        o++;
    }
    *o = (struct token_order){.to = *to, .key = key, .entry = *e};
    keep_message(o, order);
    o->entry.issuer = lt_arena_copy(&o->own, e->issuer);
    o->entry.serial = lt_arena_copy(&o->own, e->serial);
    LT_ASSERT(o->entry.issuer.ptr != NULL && o->entry.serial.ptr != NULL);
    o->id = role_next_id(s->kit);
    s->token_order_count++;
    lt_res r = send_token_order(s, o);
    if (lt_failed(r)) {
        free_token_order(s, o);
    }
    return r;
}

static lt_res check_fixed(const struct signer_key *key, const struct signer_order *m, lt_time now)
{
    struct fixed_order o = {
        .number = m->serial,
        .tbs = m->message.tbs,
        .precertificate = m->kind == IPC__SIGN_KIND__SIGN_PRECERTIFICATE,
        .now = now,
    };
    if (m->kind == IPC__SIGN_KIND__SIGN_CRL) {
        return fixed_check_crl(&key->issuer, &o);
    }
    LT_CHECK(m->kind == IPC__SIGN_KIND__SIGN_CERTIFICATE || m->kind == IPC__SIGN_KIND__SIGN_PRECERTIFICATE,
             LT_POLICY_REFUSED, "this signer signs certificates and CRLs");
    LT_CHECK(key->may_sign_certificates, LT_POLICY_REFUSED, "issuer %s signs certificates in a ceremony only",
             key->name);
    return fixed_check_certificate(&key->issuer, &o);
}

/* Signs with a software key, journals, waits for the sync; or leaves it to the token. */
static lt_res sign_new(struct signer *s, const struct ipc_addr *to, struct signer_key *key,
                       const struct signer_order *m, struct journal_entry *e)
{
    lt_time now = lt_now();
    LT_TRY(check_fixed(key, m, now));
    e->time_us = now.us;
    if (key->software == NULL) {
        return ask_token(s, to, key, e, m);
    }
    uint8_t signature[CRYPTO_SIGNATURE_MAX];
    size_t len;
    LT_TRY(signer_key_sign(key, &m->message, signature, &len));
    e->signature = LT_SLICE(signature, len);
    return append(s, to, IPC_SIGN_RESULT, e);
}

lt_res signer_take_order(struct signer *s, const struct ipc_addr *to, const struct signer_order *m)
{
    LT_TRY(signer_check_ready(s));
    struct signer_key *key = signer_keys_find(&s->keys, m->issuer);
    LT_CHECK(key != NULL, LT_POLICY_REFUSED, "the signer has no key of issuer '%.64s'", m->issuer);
    LT_CHECK(m->serial.len > 0 && m->serial.len <= FIXED_SERIAL_MAX, LT_POLICY_REFUSED,
             "a serial has 1 to 20 bytes");
    struct journal_entry e = {
        .what = JOURNAL_SIGNATURE,
        .kind = (uint32_t)m->kind,
        .issuer = lt_slice_cstr(m->issuer),
        .serial = m->serial,
    };
    memcpy(e.digest, m->sha256, sizeof e.digest);
    struct journal_entry old;
    lt_res r = journal_find(s->journal, &e, &s->turn, &old);
    if (r.code == LT_PEER_NOT_FOUND) {
        return sign_new(s, to, key, m, &e);
    }
    LT_TRY(r);
    LT_CHECK(crypto_equal(LT_SLICE(old.digest, JOURNAL_HASH_LEN), LT_SLICE(e.digest, JOURNAL_HASH_LEN)),
             LT_POLICY_REFUSED, "this serial was signed for other bytes (journal record %llu)",
             (unsigned long long)old.sequence);
    return wait_for_sync(s, to, IPC_SIGN_RESULT, &old, true);
}

static lt_res on_order(void *self, const struct ipc_msg *m)
{
    struct signer *s = self;
    const Ipc__SignOrder *body = (const Ipc__SignOrder *)m->body;
    LT_CHECK(!body->apart || body->kind == IPC__SIGN_KIND__SIGN_CRL, LT_PEER_MALFORMED,
             "only a CRL's bytes travel apart");
    if (signer_crl_waits(s, body)) {
        return signer_crl_queue(s, m);
    }
    uint8_t sha256[CRYPTO_SHA256_LEN];
    const struct signer_order order = {
        .kind = body->kind,
        .issuer = body->issuer,
        .serial = LT_SLICE(body->serial.data, body->serial.len),
        .message = {.tbs = LT_SLICE(body->tbs.data, body->tbs.len)},
        .sha256 = sha256,
    };
    crypto_sha256(order.message.tbs, sha256);
    lt_res r = signer_take_order(s, &m->from, &order);
    return lt_failed(r) ? signer_answer_failure(s, &m->from, r) : LT_OK;
}

static lt_res take_token_signature(struct signer *s, struct token_order *o, const Ipc__TokenSigned *m)
{
    LT_CHECK(m->ok, LT_RETRY_UNAVAILABLE, "token: %.150s", m->detail);
    LT_TRY(signer_check_ready(s));
    lt_slice signature = LT_SLICE(m->signature.data, m->signature.len);
    LT_TRY(signer_key_verify(o->key, &o->message, signature));
    o->entry.signature = signature;
    o->entry.time_us = lt_now().us;
    return append(s, &o->to, IPC_SIGN_RESULT, &o->entry);
}

static lt_res on_token_signed(void *self, const struct ipc_msg *m)
{
    struct signer *s = self;
    struct token_order *o = NULL;
    for (size_t i = 0; i < TOKEN_ORDERS_MAX && m->from.id != 0; i++) {
        o = s->token_orders[i].id == m->from.id ? &s->token_orders[i] : o;
    }
    if (o == NULL) {
        return LT_OK; /* too late: its order was answered, and nothing of it was let go */
    }
    lt_res r = take_token_signature(s, o, (const Ipc__TokenSigned *)m->body);
    if (lt_failed(r)) {
        r = signer_answer_failure(s, &o->to, r);
    }
    free_token_order(s, o);
    return r;
}

static lt_res on_token_keys(void *self, const struct ipc_msg *m)
{
    const struct signer *s = self;
    const Ipc__TokenKeys *body = (const Ipc__TokenKeys *)m->body;
    for (size_t i = 0; i < s->keys.count; i++) {
        const struct signer_key *key = &s->keys.keys[i];
        bool there = key->software != NULL;
        for (size_t k = 0; k < body->n_issuers && !there; k++) {
            there = strcmp(body->issuers[k], key->name) == 0;
        }
        if (!there) {
            lt_log(LT_LOG_ERROR, "the token has no key", "issuer=%s", key->name);
        }
    }
    return LT_OK;
}

static lt_res give_up_token_orders(struct signer *s)
{
    lt_res result = LT_OK;
    for (size_t i = 0; i < TOKEN_ORDERS_MAX && s->token_order_count > 0; i++) {
        struct token_order *o = &s->token_orders[i];
        if (o->id != 0 && lt_monotonic_ms() >= o->until_ms) {
            lt_res r = answer_sign(s, &o->to, "unavailable", NULL,
                                   o->sent ? "the token does not answer" : "no token is there");
            result = lt_failed(r) ? r : result;
            free_token_order(s, o);
        }
    }
    return result;
}

/* What it had is not coming: it is asked again when it is back. */
static void token_gone(struct signer *s)
{
    for (size_t i = 0; i < TOKEN_ORDERS_MAX; i++) {
        struct token_order *o = &s->token_orders[i];
        if (o->id != 0 && o->sent) {
            o->sent = false;
            o->until_ms = lt_monotonic_ms() + (o->tries < TOKEN_TRIES ? TOKEN_BACK_MS : 0);
        }
    }
}

static void token_back(struct signer *s)
{
    for (size_t i = 0; i < TOKEN_ORDERS_MAX; i++) {
        struct token_order *o = &s->token_orders[i];
        if (o->id != 0 && !o->sent && o->tries < TOKEN_TRIES && lt_failed(send_token_order(s, o))) {
            lt_log_error("the token does not take an order");
        }
    }
}

/* ---- revocations and knots ---- */

static lt_res take_revocation(struct signer *s, const struct ipc_addr *to, const Ipc__RevocationRecord *m)
{
    LT_TRY(signer_check_ready(s));
    struct journal_entry e = {
        .what = JOURNAL_REVOCATION,
        .issuer = lt_slice_cstr(m->issuer),
        .serial = LT_SLICE(m->serial.data, m->serial.len),
        .reason = m->reason,
        .revoked_us = m->revoked_us,
        .time_us = lt_now().us,
    };
    LT_CHECK(e.issuer.len > 0 && e.issuer.len < JOURNAL_NAME_MAX && e.serial.len > 0 &&
                 e.serial.len <= FIXED_SERIAL_MAX,
             LT_PEER_MALFORMED, "a revocation names an issuer and a serial");
    struct journal_entry old;
    lt_res r = journal_find(s->journal, &e, &s->turn, &old);
    if (!lt_failed(r) && old.reason == e.reason && old.revoked_us == e.revoked_us) {
        return wait_for_sync(s, to, IPC_REVOCATION_RECORDED, &old, true);
    }
    if (lt_failed(r) && r.code != LT_PEER_NOT_FOUND) {
        return r;
    }
    return append(s, to, IPC_REVOCATION_RECORDED, &e);
}

static void put_number(uint64_t n, uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        out[i] = (uint8_t)(n >> (8 * (len - 1 - i)));
    }
}

/* A batch that was journaled before is the same, or refused. */
static lt_res take_batch(struct signer *s, const struct ipc_addr *to, const Ipc__RevocationRecord *m)
{
    uint8_t key[BATCH_KEY_LEN];
    uint8_t count[BATCH_COUNT_LEN];
    LT_CHECK(m->root.len == JOURNAL_HASH_LEN && m->mass != 0 && m->count > 0 && m->issuer[0] != '\0' &&
                 strlen(m->issuer) < JOURNAL_NAME_MAX,
             LT_PEER_MALFORMED, "a batch names an issuer, its mass, a count and a root");
    LT_TRY(signer_check_ready(s));
    put_number(m->mass, key, BATCH_MASS_LEN);
    put_number(m->batch, &key[BATCH_MASS_LEN], BATCH_NUMBER_LEN);
    put_number(m->count, count, sizeof count);
    struct journal_entry e = {
        .what = JOURNAL_REVOCATIONS,
        .issuer = lt_slice_cstr(m->issuer),
        .serial = LT_SLICE(key, sizeof key),
        .signature = LT_SLICE(count, sizeof count),
        .reason = m->reason,
        .revoked_us = m->revoked_us,
        .time_us = lt_now().us,
    };
    memcpy(e.digest, m->root.data, JOURNAL_HASH_LEN);
    struct journal_entry old;
    lt_res r = journal_find(s->journal, &e, &s->turn, &old);
    if (r.code == LT_PEER_NOT_FOUND) {
        return append(s, to, IPC_REVOCATION_RECORDED, &e);
    }
    LT_TRY(r);
    LT_CHECK(old.reason == e.reason && old.revoked_us == e.revoked_us &&
                 lt_slice_eq(old.signature, e.signature) &&
                 memcmp(old.digest, e.digest, JOURNAL_HASH_LEN) == 0,
             LT_POLICY_REFUSED, "this batch was journaled with another root, reason or date (record %llu)",
             (unsigned long long)old.sequence);
    return wait_for_sync(s, to, IPC_REVOCATION_RECORDED, &old, true);
}

static lt_res on_batch(struct signer *s, const struct ipc_msg *m)
{
    const Ipc__RevocationRecord *body = (const Ipc__RevocationRecord *)m->body;
    lt_res r = take_batch(s, &m->from, body);
    if (lt_class_of(r.code) != LT_CLASS_RETRY && lt_class_of(r.code) != LT_CLASS_POLICY) {
        return r;
    }
    Ipc__RevocationRecorded answer = IPC__REVOCATION_RECORDED__INIT;
    answer.outcome = (char *)(uintptr_t)(lt_class_of(r.code) == LT_CLASS_POLICY ? "refused" : "unavailable");
    answer.mass = body->mass;
    answer.batch = body->batch;
    return role_reply(s->kit, &m->from, IPC_REVOCATION_RECORDED, &answer.base);
}

static lt_res on_revocation(void *self, const struct ipc_msg *m)
{
    struct signer *s = self;
    const Ipc__RevocationRecord *body = (const Ipc__RevocationRecord *)m->body;
    if (body->root.len > 0) {
        return on_batch(s, m);
    }
    lt_res r = take_revocation(s, &m->from, body);
    if (lt_class_of(r.code) == LT_CLASS_RETRY || lt_class_of(r.code) == LT_CLASS_POLICY) {
        return answer_revocation(s, &m->from, 0, LT_SLICE(NULL, 0));
    }
    return r;
}

static lt_res take_knot(struct signer *s, const struct ipc_msg *m)
{
    const Ipc__Knot *body = (const Ipc__Knot *)m->body;
    LT_CHECK(body->head.len == JOURNAL_HASH_LEN && body->chain[0] != 0 &&
                 strlen(body->chain) <= JOURNAL_NAME_MAX && strchr(body->chain, '\n') == NULL,
             LT_PEER_MALFORMED, "a knot needs a chain's name and its head");
    LT_TRY(signer_check_ready(s));
    uint8_t sequence[8];
    for (size_t i = 0; i < sizeof sequence; i++) {
        sequence[i] = (uint8_t)(body->sequence >> (56 - 8 * i));
    }
    struct journal_entry e = {
        .what = JOURNAL_KNOT,
        .issuer = lt_slice_cstr(body->chain),
        .serial = LT_SLICE(sequence, sizeof sequence),
        .time_us = lt_now().us,
    };
    memcpy(e.digest, body->head.data, JOURNAL_HASH_LEN);
    return append(s, &m->from, IPC_KNOT_SIGNED, &e);
}

/* An empty signature says: not now. The next second asks anew. */
static lt_res on_knot(void *self, const struct ipc_msg *m)
{
    struct signer *s = self;
    lt_res r = take_knot(s, m);
    if (lt_class_of(r.code) != LT_CLASS_RETRY && lt_class_of(r.code) != LT_CLASS_POLICY) {
        return r;
    }
    Ipc__KnotSigned none = IPC__KNOT_SIGNED__INIT;
    return role_reply(s->kit, &m->from, IPC_KNOT_SIGNED, &none.base);
}

/* ---- the book's progress ---- */

static lt_res send_replay(struct signer *s, const struct journal_entry *entries, size_t count, bool last)
{
    Ipc__JournalEntry bodies[REPLAY_BATCH];
    Ipc__JournalEntry *pointers[REPLAY_BATCH];
    static const char *const words[] = {[JOURNAL_SIGNATURE] = "signature",
                                        [JOURNAL_REVOCATION] = "revocation",
                                        [JOURNAL_KNOT] = "knot",
                                        [JOURNAL_REVOCATIONS] = "revocations"};
    for (size_t i = 0; i < count; i++) {
        const struct journal_entry *e = &entries[i];
        ipc__journal_entry__init(&bodies[i]);
        bodies[i].sequence = e->sequence;
        bodies[i].kind = (Ipc__SignKind)e->kind;
        bodies[i].issuer = (char *)(uintptr_t)e->issuer.ptr; /* the arena's copies end in NUL */
        bodies[i].serial = (ProtobufCBinaryData){e->serial.len, (uint8_t *)(uintptr_t)e->serial.ptr};
        bodies[i].tbs_sha256 = (ProtobufCBinaryData){JOURNAL_HASH_LEN, (uint8_t *)(uintptr_t)e->digest};
        bodies[i].signature = (ProtobufCBinaryData){e->signature.len, (uint8_t *)(uintptr_t)e->signature.ptr};
        bodies[i].time_us = e->time_us;
        bodies[i].what = (char *)(uintptr_t)words[e->what];
        bodies[i].reason = e->reason;
        bodies[i].revoked_us = e->revoked_us;
        pointers[i] = &bodies[i];
    }
    Ipc__JournalReplay body = IPC__JOURNAL_REPLAY__INIT;
    body.n_entries = count;
    body.entries = pointers;
    body.last = last;
    body.signer_last_sequence = journal_synced(s->journal);
    body.refused = s->book_refused;
    return role_send(s->kit, IPC_EXAMINER, ROLE_ANY, IPC_JOURNAL_REPLAY, 0, &body.base);
}

/* What the link takes; the rest in the next turn. */
static lt_res go_on_replaying(struct signer *s)
{
    for (size_t i = 0; i < REPLAY_BATCHES_A_TURN && s->replaying; i++) {
        struct journal_entry *entries;
        size_t count;
        lt_arena_reset(&s->turn);
        LT_TRY(journal_read(s->journal, s->replay_after, REPLAY_BATCH, &s->turn, &entries, &count));
        uint64_t after = count == 0 ? s->replay_after : entries[count - 1].sequence;
        bool last = after >= journal_synced(s->journal);
        lt_res r = send_replay(s, entries, count, last);
        if (lt_class_of(r.code) == LT_CLASS_RETRY) {
            return LT_OK; /* in a moment, or at the next reconnection */
        }
        LT_TRY(r);
        s->replay_after = after;
        s->replaying = !last;
    }
    return LT_OK;
}

static void refuse_book(struct signer *s)
{
    (void)snprintf(s->book_refused, sizeof s->book_refused, "%s", lt_error_last()->detail);
    s->book_known = false;
    s->replaying = false;
    lt_log(LT_LOG_ERROR, "nothing is signed for this book", "why=\"%s\"", s->book_refused);
}

static lt_res on_hello(struct signer *s, uint64_t sequence)
{
    s->book_refused[0] = 0;
    if (lt_failed(journal_check_book(s->journal, sequence))) {
        refuse_book(s);
        lt_res r = send_replay(s, NULL, 0, true);
        return lt_class_of(r.code) == LT_CLASS_RETRY ? LT_OK : r;
    }
    LT_TRY(journal_acknowledge(s->journal, sequence));
    bool known = s->book_known;
    s->book_known = true;
    s->replaying = true;
    s->replay_after = sequence;
    lt_log(known ? LT_LOG_DEBUG : LT_LOG_INFO, "the book has said how far it is", "book=%llu journal=%llu",
           (unsigned long long)sequence, (unsigned long long)journal_synced(s->journal));
    return LT_OK;
}

static lt_res on_ack(void *self, const struct ipc_msg *m)
{
    struct signer *s = self;
    const Ipc__JournalAck *body = (const Ipc__JournalAck *)m->body;
    if (body->book_hello) {
        return on_hello(s, body->sequence);
    }
    if (!s->book_known) {
        return LT_OK; /* a refused book does not move anything */
    }
    lt_res r = journal_acknowledge(s->journal, body->sequence);
    if (r.code == LT_STATE_CORRUPT) {
        refuse_book(s);
        return LT_OK;
    }
    return r;
}

/* ---- life ---- */

static lt_res turn_end(void *self)
{
    struct signer *s = self;
    LT_TRY(signer_crl_go_on(s));
    if (s->waiting_count > 0) {
        int64_t from_us = lt_now().us;
        lt_res synced = journal_sync(s->journal);
        lt_metric_observe_us("lintel_journal_sync_seconds", (uint64_t)(lt_now().us - from_us));
        if (lt_failed(synced) && synced.code != LT_RETRY_UNAVAILABLE) {
            return synced;
        }
        if (lt_failed(synced)) {
            complain(s, "nothing is signed: the journal's disk is full");
        }
        lt_metric_set("lintel_journal_records", (int64_t)journal_synced(s->journal));
        for (size_t i = 0; i < s->waiting_count; i++) {
            lt_res r = answer_waiting(s, &s->waiting[i], !lt_failed(synced));
            if (lt_class_of(r.code) == LT_CLASS_STATE) {
                return r;
            }
            if (lt_failed(r)) {
                lt_log_error("an answer found no room"); /* it is journaled: asked again, it is given again */
            }
        }
        s->waiting_count = 0;
    }
    if (s->replaying) {
        LT_TRY(go_on_replaying(s));
    }
    lt_arena_reset(&s->turn);
    return LT_OK;
}

static lt_res tick(void *self, lt_time now)
{
    struct signer *s = self;
    (void)now; /* orders wait on the monotonic clock */
    return give_up_token_orders(s);
}

static void unlinked(void *self, enum ipc_role peer, uint32_t instance)
{
    struct signer *s = self;
    (void)instance; /* there is one of each */
    if (peer == IPC_TOKEN) {
        token_gone(s);
    }
    if (peer == IPC_EXAMINER) {
        s->replaying = false; /* who comes next says hello */
        s->book_known = false;
        signer_crls_drop(s);
    }
}

static void linked(void *self, enum ipc_role peer, uint32_t instance)
{
    struct signer *s = self;
    (void)instance; /* there is one of each */
    if (peer == IPC_TOKEN) {
        token_back(s);
    }
}

static bool drained(void *self)
{
    const struct signer *s = self;
    return s->waiting_count == 0 && s->token_order_count == 0 && s->crls.first == NULL;
}

static const char *below(struct lt_arena *a, const char *folder, const char *path)
{
    return path[0] == 0 || path[0] == '/' ? path : lt_arena_printf(a, "%s/%s", folder, path);
}

static lt_res start(struct role_kit *kit, const Ipc__Start *m, const int *listener_fds, void **ret_self)
{
    (void)listener_fds; /* it has none */
    static struct signer signer;
    struct signer *s = &signer;
    s->kit = kit;
    lt_arena_init(&s->turn, TURN_ARENA_MAX);
    signer_crls_init(&s->crls);
    s->waiting = calloc(WAITING_MAX, sizeof *s->waiting);
    s->token_orders = calloc(TOKEN_ORDERS_MAX, sizeof *s->token_orders);
    LT_ASSERT(s->waiting != NULL && s->token_orders != NULL);
    LT_TRY(lt_clock_check((lt_time){0}));
    crypto_start();
    crypto_key_lock_memory();
    LT_TRY(signer_keys_mark_check(m->folder, m->issuers, m->n_issuers, m->scratch));
    LT_TRY(signer_keys_load(m->folder, m->issuers, m->n_issuers,
                            LT_SLICE(m->passphrase.data, m->passphrase.len), &s->keys));
    struct journal_options options = {
        .folder = below(&s->turn, m->folder, m->journal_folder[0] == 0 ? "journal" : m->journal_folder),
        .mirror = below(&s->turn, m->folder, m->journal_mirror),
        .now = lt_now(),
    };
    LT_ASSERT(options.folder != NULL && options.mirror != NULL);
    lt_random(options.id, sizeof options.id);
    lt_res opened = journal_open(&options, &s->journal);
    if (opened.code == LT_RETRY_BUSY) { /* two families on one folder: a fault, and no server's */
        char held[sizeof lt_error_last()->detail];
        (void)snprintf(held, sizeof(held), "%s", lt_error_last()->detail);
        LT_FAIL(LT_STATE_IO, "%s", held);
    }
    LT_TRY(opened);
    lt_log(LT_LOG_INFO, "journal open", "records=%llu acknowledged=%llu keys=%zu",
           (unsigned long long)journal_last(s->journal), (unsigned long long)journal_acknowledged(s->journal),
           s->keys.count);
    *ret_self = s;
    return LT_OK;
}

static const struct role_route routes[] = {
    {IPC_EXAMINER, IPC_SIGN_ORDER, on_order},
    {IPC_EXAMINER, IPC_REVOCATION_RECORD, on_revocation},
    {IPC_EXAMINER, IPC_KNOT, on_knot},
    {IPC_EXAMINER, IPC_JOURNAL_ACK, on_ack},
    {IPC_TOKEN, IPC_TOKEN_SIGNED, on_token_signed},
    {IPC_TOKEN, IPC_TOKEN_KEYS, on_token_keys},
};

int main(void)
{
    static const struct role_spec spec = {
        .role = IPC_SIGNER,
        .routes = routes,
        .route_count = LT_COUNT(routes),
        .sandbox = &role_profiles[IPC_SIGNER],
        .message_arena_max = MESSAGE_ARENA_MAX,
        .start = start,
        .linked = linked,
        .unlinked = unlinked,
        .turn_end = turn_end,
        .tick = tick,
        .drained = drained,
    };
    return role_main(&spec);
}
