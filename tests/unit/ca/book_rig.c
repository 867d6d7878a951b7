/* The book without the family around it. */
#include "book_rig.h"

#include <stdlib.h>

#include "../check.h"

#include "ca/audit.h"
#include "ca/journal.h"
#include "ca/mass.h"
#include "ca/tally.h"
#include "crypto/digest.h"
#include "sign.pb-c.h"
#include "store/internal.h"
#include "x509/name.h"
#include "x509/tbs.h"

enum { KEYS = 4, ARENA_MAX = 64 * 1024 * 1024 };

static struct {
    struct crypto_key *issuer;
    struct crypto_key *subject[KEYS];
    struct crypto_key *operator_key[RIG_OPERATORS];
    struct lt_buf certificate;
} shared;

static const char *const operator_names[RIG_OPERATORS] = {"ann", "bob", "cyd"};

struct crypto_key *rig_operator_key(size_t i)
{
    return shared.operator_key[i];
}

const char *rig_operator_name(size_t i)
{
    return operator_names[i];
}

static lt_time rig_start_time(void)
{
    lt_time t;
    assert_ok(lt_time_parse(LT_LIT("2026-11-22T12:00:00Z"), &t));
    return t;
}

static void make_certificate(void)
{
    struct lt_buf name;
    struct lt_buf tbs;
    struct der_writer w;
    lt_buf_init(&name, 1024);
    lt_buf_init(&tbs, 4096);
    const struct x509_name_item items[] = {{X509_OID_CN, LT_LIT("Rig CA")}};
    der_write_init(&w, &name);
    assert_ok(x509_name_write(&w, items, 1));
    uint8_t spki_sha256[CA_HASH_LEN];
    crypto_sha256(crypto_key_spki(shared.issuer), spki_sha256);
    lt_time now = rig_start_time();
    const struct x509_tbs_spec spec = {
        .sig_alg = X509_SIG_ECDSA_SHA256,
        .serial = LT_LIT("\x01"),
        .issuer = lt_buf_slice(&name),
        .subject = lt_buf_slice(&name),
        .not_before = now,
        .not_after = lt_time_add_seconds(now, 5 * 365 * LT_SECONDS_PER_DAY),
        .spki = crypto_key_spki(shared.issuer),
        .ca = true,
        .key_usage = X509_KU_KEY_CERT_SIGN | X509_KU_CRL_SIGN,
        .ski = LT_SLICE(spki_sha256, 20),
    };
    assert_ok(x509_tbs_build(&spec, &tbs));
    uint8_t signature[CRYPTO_SIGNATURE_MAX];
    size_t len = 0;
    assert_ok(crypto_key_sign(shared.issuer, CRYPTO_ES256, lt_buf_slice(&tbs), signature, &len));
    lt_buf_init(&shared.certificate, 4096);
    assert_ok(x509_assemble(lt_buf_slice(&tbs), X509_SIG_ECDSA_SHA256, LT_SLICE(signature, len),
                            &shared.certificate));
    lt_buf_done(&name);
    lt_buf_done(&tbs);
}

int rig_group_setup(void **state)
{
    (void)state;
    assert_ok(crypto_key_generate(CRYPTO_KEY_P256, 0, &shared.issuer));
    for (size_t i = 0; i < KEYS; i++) {
        assert_ok(crypto_key_generate(CRYPTO_KEY_P256, 0, &shared.subject[i]));
    }
    for (size_t i = 0; i < RIG_OPERATORS; i++) {
        assert_ok(crypto_key_generate(CRYPTO_KEY_ED25519, 0, &shared.operator_key[i]));
    }
    make_certificate();
    return 0;
}

int rig_group_teardown(void **state)
{
    (void)state;
    crypto_key_free(shared.issuer);
    for (size_t i = 0; i < KEYS; i++) {
        crypto_key_free(shared.subject[i]);
    }
    for (size_t i = 0; i < RIG_OPERATORS; i++) {
        crypto_key_free(shared.operator_key[i]);
    }
    lt_buf_done(&shared.certificate);
    return 0;
}

/* Of the rig that runs: a child that is killed leaves it where it was, so that nothing is drawn twice. */
static uint64_t *random_state;

static void rig_random(uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        *random_state ^= *random_state << 13;
        *random_state ^= *random_state >> 7;
        *random_state ^= *random_state << 17;
        out[i] = (uint8_t)(*random_state >> 24);
    }
}

static lt_res on_issued(void *self, struct ca_turn *t, const struct ca_outcome *o)
{
    struct rig *r = self;
    (void)t;
    if (!o->issued) {
        r->refused++;
    } else if (!o->replayed) {
        memcpy(r->told[r->told_count++], o->serial.ptr, CA_SERIAL_LEN);
    }
    return LT_OK;
}

static lt_res on_revoked(void *self, struct ca_turn *t, const struct ca_revoked *o)
{
    struct rig *r = self;
    (void)t;
    (void)o;
    r->revoked++;
    return LT_OK;
}

static const struct store_sql add_issuer = {
    "rig.issuer", "INSERT INTO issuer (id, name, subject_sha256, spki_sha256, certificate, not_before_us, "
                  "not_after_us) VALUES (?1, ?2, ?3, ?3, ?4, 0, 0)"};

static lt_res fill(struct store *s)
{
    uint8_t any[CA_HASH_LEN] = {0};
    static const char *const names[] = {"tls", "workload"};
    LT_TRY(store_begin(s));
    for (int i = 0; i < 2; i++) {
        LT_TRY(store_exec(s, &add_issuer,
                          STORE_ARGS(STORE_I(i + 1), STORE_S(names[i]), STORE_B(LT_SLICE(any, sizeof any)),
                                     STORE_B(lt_buf_slice(&shared.certificate))),
                          NULL));
    }
    return store_commit(s);
}

static void make_operators(struct ca_operators *o)
{
    *o = (struct ca_operators){.count = RIG_OPERATORS};
    lt_arena_init(&o->arena, ARENA_MAX);
    o->list = LT_NEW_ARRAY(&o->arena, struct ca_operator, RIG_OPERATORS);
    for (size_t i = 0; i < RIG_OPERATORS; i++) {
        o->list[i].name = operator_names[i];
        o->list[i].roles = i == 2 ? CA_ROLE_VIEWER : CA_ROLE_OPERATOR | CA_ROLE_APPROVER;
        o->list[i].alg = "EdDSA";
        o->list[i].spki = crypto_key_spki(shared.operator_key[i]);
        crypto_sha256(o->list[i].spki, o->list[i].thumbprint);
    }
}

static lt_res step_files(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)arg;
    struct ca_profiles profiles = {.count = 0};
    struct ca_operators operators;
    assert_ok(ca_profiles_load(DATA_DIR, r->now, &profiles));
    make_operators(&operators);
    lt_res res = ca_book_use_profiles(t, &profiles);
    if (!lt_failed(res)) {
        res = ca_book_use_operators(t, &operators);
    }
    ca_profiles_done(&profiles);
    ca_operators_done(&operators);
    return res;
}

static lt_res open_book(struct rig *r)
{
    const struct ca_book_options o = {
        .store = r->store,
        .chain = "registrar-rig",
        .build = "test",
        .base_url = "https://ca.example",
        .public_http_url = "http://ca.example",
        .approvals_needed = 2,
        .seal_key = LT_LIT("a rig's key"),
        .listener = {r, on_issued, on_revoked},
        .now = r->now,
    };
    LT_TRY(ca_book_open(&o, &r->book));
    r->book->examiner_linked = true;
    return rig_run(r, step_files, NULL);
}

lt_res rig_open(struct rig *r, const char *path, const char *vfs, bool create)
{
    if (r->now.us == 0) {
        r->now = rig_start_time();
        r->random_state = 88172645463325252U;
    }
    random_state = &r->random_state;
    lt_arena_init(&r->arena, ARENA_MAX);
    lt_arena_init(&r->sent_arena, ARENA_MAX);
    const struct store_options o = {.path = path, .vfs = vfs, .create = create, .cache_kib = 256};
    LT_TRY(store_open(&o, &r->store));
    if (create) {
        LT_TRY(store_migrate(r->store));
        LT_TRY(fill(r->store));
    }
    return open_book(r);
}

void rig_close(struct rig *r)
{
    ca_book_free(r->book);
    r->book = NULL;
    store_close(r->store);
    r->store = NULL;
    lt_arena_done(&r->arena);
    lt_arena_done(&r->sent_arena);
    r->sent_count = 0;
    r->answered = 0;
    r->told_count = r->told_committed;
}

void rig_free(struct rig *r)
{
    rig_close(r);
    free(r);
}

static void keep_sent(void *self, const struct ipc_addr *to, enum ipc_type type, lt_slice packed)
{
    struct rig *r = self;
    assert_true(r->sent_count < RIG_SENT_MAX);
    assert_true(ipc_may_send(IPC_REGISTRAR, to->role, type));
    r->sent[r->sent_count++] = (struct rig_sent){to->role, type, to->id,
                                                 lt_arena_copy(&r->sent_arena, packed)};
}

lt_res rig_begin(struct rig *r)
{
    lt_arena_reset(&r->arena);
    ca_turn_init(&r->turn, r->store, &r->arena, r->now);
    r->turn.book = r->book;
    r->turn.random = rig_random;
    return store_begin(r->store);
}

lt_res rig_message(struct rig *r, rig_step *step, void *arg)
{
    struct ca_book_at at = r->book->at;
    size_t mark = ca_turn_mark(&r->turn);
    size_t told = r->told_count;
    r->now.us += 1000;
    r->turn.now = r->now;
    lt_res res = store_savepoint(r->store);
    if (!lt_failed(res)) {
        res = step(r, &r->turn, arg);
    }
    if (!lt_failed(res)) {
        res = store_release(r->store);
    }
    if (lt_failed(res)) {
        struct lt_error why = *lt_error_last();
        store_rollback_to(r->store);
        ca_turn_cut(&r->turn, mark);
        r->told_count = told;
        lt_res back = ca_book_at_restore(r->book, &at);
        return lt_failed(back) ? back : lt_fail(res.code, why.file, why.line, "%s", why.detail);
    }
    return LT_OK;
}

lt_res rig_commit(struct rig *r)
{
    lt_res res = ca_journal_flush(&r->turn);
    res = lt_failed(res) ? res : ca_tally_flush(&r->turn);
    if (lt_failed(res)) {
        store_rollback(r->store);
    } else {
        res = store_commit(r->store);
    }
    if (lt_failed(res)) {
        struct lt_error why = *lt_error_last();
        ca_turn_cut(&r->turn, 0);
        r->told_count = r->told_committed;
        lt_ignore(ca_book_reload(r->book)); /* on a dead disk it cannot */
        return lt_fail(res.code, why.file, why.line, "%s", why.detail);
    }
    r->told_committed = r->told_count;
    ca_turn_release(&r->turn, keep_sent, r);
    return LT_OK;
}

lt_res rig_run(struct rig *r, rig_step *step, void *arg)
{
    LT_TRY(rig_begin(r));
    lt_res res = rig_message(r, step, arg);
    struct lt_error why = *lt_error_last();
    LT_TRY(rig_commit(r));
    return lt_failed(res) ? lt_fail(res.code, why.file, why.line, "%s", why.detail) : LT_OK;
}

lt_res rig_plan(struct rig *r, struct ca_turn *t, void *name)
{
    static size_t next;
    lt_slice spki = crypto_key_spki(shared.subject[next++ % KEYS]);
    uint8_t hash[CA_HASH_LEN];
    crypto_sha256(spki, hash);
    Ipc__PublicKey key = IPC__PUBLIC_KEY__INIT;
    memcpy(&key.spki.data, &spki.ptr, sizeof key.spki.data); /* only read */
    key.spki.len = spki.len;
    key.spki_sha256.data = hash;
    key.spki_sha256.len = sizeof hash;
    key.type = IPC__KEY_TYPE__KEY_P256;
    key.bits = 256;
    const struct ca_issue_name n = {.type = strchr(name, '@') == NULL ? "dns" : "email",
                                    .value = lt_slice_cstr(name),
                                    .method = "http-01",
                                    .validated = r->now,
                                    .authorization_id = 7,
                                    .quorum = 1};
    const struct ca_issue_request q = {.requester = "acme",
                                       .order_id = 5,
                                       .account_id = 4,
                                       .profile = LT_LIT("tls-server"),
                                       .key = &key,
                                       .names = &n,
                                       .name_count = 1};
    int64_t intent = 0;
    return ca_issue_plan(t, &q, &intent);
}

static struct rig_entry *find_entry(struct rig *r, lt_slice serial)
{
    for (size_t i = 0; i < r->journal_count; i++) {
        if (!r->journal[i].revocation && r->journal[i].mass == 0 &&
            lt_slice_eq(LT_SLICE(r->journal[i].serial, CA_SERIAL_LEN), serial)) {
            return &r->journal[i];
        }
    }
    return NULL;
}

static struct rig_entry *add_entry(struct rig *r, const char *issuer, ProtobufCBinaryData serial)
{
    assert_true(r->journal_count < RIG_JOURNAL_MAX);
    assert_int_equal(serial.len, CA_SERIAL_LEN);
    struct rig_entry *e = &r->journal[r->journal_count];
    *e = (struct rig_entry){.sequence = r->journal_count + 1};
    (void)snprintf(e->issuer, sizeof e->issuer, "%s", issuer);
    memcpy(e->serial, serial.data, CA_SERIAL_LEN);
    return e;
}

static lt_res step_reply(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    return ca_issue_on_reply(t, arg);
}

/* As the signer: the same serial gives the same signature, for the same bytes alone. */
static lt_res sign(struct rig *r, const struct rig_sent *m)
{
    Ipc__SignRequest *q = ipc__sign_request__unpack(NULL, m->packed.len, m->packed.ptr);
    assert_non_null(q);
    lt_slice tbs = LT_SLICE(q->tbs.data, q->tbs.len);
    uint8_t hash[CA_HASH_LEN];
    crypto_sha256(tbs, hash);
    struct rig_entry *e = find_entry(r, LT_SLICE(q->serial.data, q->serial.len));
    if (e == NULL) {
        e = add_entry(r, q->issuer, q->serial);
        memcpy(e->tbs_sha256, hash, sizeof hash);
        assert_ok(crypto_key_sign(shared.issuer, CRYPTO_ES256, tbs, e->signature, &e->signature_len));
        r->journal_count++; /* whole, or not there at all, whenever we are killed */
    }
    assert_memory_equal(e->tbs_sha256, hash, sizeof hash);
    Ipc__SignReply reply = IPC__SIGN_REPLY__INIT;
    char outcome[] = "signed";
    char rule_set[] = "rules";
    reply.intent_id = q->intent_id;
    reply.outcome = outcome;
    reply.rule_set = rule_set;
    reply.sequence = e->sequence;
    reply.signature = (ProtobufCBinaryData){e->signature_len, e->signature};
    reply.serial = q->serial;
    lt_res res = rig_run(r, step_reply, &reply);
    ipc__sign_request__free_unpacked(q, NULL);
    return res;
}

static lt_res step_batch_recorded(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    return ca_mass_on_recorded(t, arg);
}

/* As the signer: the same batch is journaled once, another of its number never. */
static lt_res record_batch(struct rig *r, const Ipc__RevocationRecord *q)
{
    struct rig_entry *e = NULL;
    for (size_t i = 0; i < r->journal_count; i++) {
        bool same = r->journal[i].mass == q->mass && r->journal[i].batch == q->batch;
        e = same ? &r->journal[i] : e;
    }
    if (e == NULL) {
        assert_true(r->journal_count < RIG_JOURNAL_MAX);
        e = &r->journal[r->journal_count];
        *e = (struct rig_entry){.sequence = r->journal_count + 1, .mass = q->mass, .batch = q->batch};
        (void)snprintf(e->issuer, sizeof e->issuer, "%s", q->issuer);
        for (size_t i = 0; i < 8; i++) {
            e->serial[i] = (uint8_t)(q->mass >> (56 - 8 * i));
        }
        for (size_t i = 0; i < 4; i++) {
            e->serial[8 + i] = (uint8_t)(q->batch >> (24 - 8 * i));
        }
        memcpy(e->tbs_sha256, q->root.data, CA_HASH_LEN);
        e->reason = q->reason;
        e->revoked_us = q->revoked_us;
        r->journal_count++;
    }
    char outcome[16];
    bool same = memcmp(e->tbs_sha256, q->root.data, CA_HASH_LEN) == 0 && e->revoked_us == q->revoked_us;
    (void)snprintf(outcome, sizeof outcome, "%s", same ? "recorded" : "refused");
    Ipc__RevocationRecorded m = IPC__REVOCATION_RECORDED__INIT;
    m.outcome = outcome;
    m.sequence = same ? e->sequence : 0;
    m.mass = q->mass;
    m.batch = q->batch;
    return rig_run(r, step_batch_recorded, &m);
}

struct recorded {
    uint64_t id;
    Ipc__RevocationRecorded m;
};

static lt_res step_recorded(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    const struct recorded *x = arg;
    return ca_revoke_on_recorded(t, x->id, &x->m);
}

static lt_res record(struct rig *r, const struct rig_sent *m)
{
    Ipc__RevocationRecord *q = ipc__revocation_record__unpack(NULL, m->packed.len, m->packed.ptr);
    assert_non_null(q);
    if (q->mass != 0) {
        lt_res batch = record_batch(r, q);
        ipc__revocation_record__free_unpacked(q, NULL);
        return batch;
    }
    struct rig_entry *e = add_entry(r, q->issuer, q->serial);
    e->revocation = true;
    e->reason = q->reason;
    e->revoked_us = q->revoked_us;
    r->journal_count++;
    char outcome[] = "recorded";
    struct recorded x = {.id = m->id};
    ipc__revocation_recorded__init(&x.m);
    x.m.outcome = outcome;
    x.m.sequence = e->sequence;
    lt_res res = rig_run(r, step_recorded, &x);
    ipc__revocation_record__free_unpacked(q, NULL);
    return res;
}

static lt_res step_replay(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    return ca_issue_on_replay(t, arg);
}

static void fill_entry(struct rig_entry *e, Ipc__JournalEntry *out)
{
    static char signature[] = "signature";
    static char revocation[] = "revocation";
    static char revocations[] = "revocations";
    enum { BATCH_SERIAL_LEN = 12 };
    ipc__journal_entry__init(out);
    out->sequence = e->sequence;
    out->kind = e->revocation || e->mass != 0 ? IPC__SIGN_KIND__SIGN_NONE : IPC__SIGN_KIND__SIGN_CERTIFICATE;
    out->issuer = e->issuer;
    out->serial = (ProtobufCBinaryData){e->mass != 0 ? BATCH_SERIAL_LEN : CA_SERIAL_LEN, e->serial};
    out->tbs_sha256 = (ProtobufCBinaryData){CA_HASH_LEN, e->tbs_sha256};
    out->signature = (ProtobufCBinaryData){e->signature_len, e->signature};
    out->what = e->mass != 0 ? revocations : e->revocation ? revocation : signature;
    out->reason = e->reason;
    out->revoked_us = e->revoked_us;
}

static lt_res acknowledged(struct rig *r, const struct rig_sent *m)
{
    Ipc__JournalAck *q = ipc__journal_ack__unpack(NULL, m->packed.len, m->packed.ptr);
    assert_non_null(q);
    bool hello = q->book_hello;
    uint64_t after = q->sequence;
    ipc__journal_ack__free_unpacked(q, NULL);
    assert_true(after <= r->journal_count);
    r->acknowledged = after > r->acknowledged ? after : r->acknowledged;
    if (!hello) {
        return LT_OK;
    }
    assert_true(after >= r->acknowledged); /* a book never forgets what it acknowledged */
    Ipc__JournalEntry rows[RIG_JOURNAL_MAX];
    Ipc__JournalEntry *list[RIG_JOURNAL_MAX];
    Ipc__JournalReplay replay = IPC__JOURNAL_REPLAY__INIT;
    for (size_t i = after; i < r->journal_count; i++) {
        fill_entry(&r->journal[i], &rows[replay.n_entries]);
        list[replay.n_entries] = &rows[replay.n_entries];
        replay.n_entries++;
    }
    replay.entries = list;
    replay.last = true;
    return rig_run(r, step_replay, &replay);
}

static lt_res answer_one(struct rig *r, const struct rig_sent *m)
{
    switch ((int)m->type) {
    case IPC_SIGN_REQUEST:
        return sign(r, m);
    case IPC_REVOCATION_RECORD:
        return record(r, m);
    case IPC_JOURNAL_ACK:
        return acknowledged(r, m);
    default:
        return LT_OK;
    }
}

lt_res rig_answer(struct rig *r, size_t limit)
{
    for (size_t i = 0; i < limit && r->answered < r->sent_count; i++) {
        LT_TRY(answer_one(r, &r->sent[r->answered++]));
    }
    return LT_OK;
}

static lt_res step_hello(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    (void)arg;
    return ca_issue_hello(t);
}

lt_res rig_replay(struct rig *r)
{
    LT_TRY(rig_run(r, step_hello, NULL));
    return rig_answer(r, SIZE_MAX);
}

const struct rig_sent *rig_last(const struct rig *r, enum ipc_type type)
{
    for (size_t i = r->sent_count; i > 0; i--) {
        if (r->sent[i - 1].type == type) {
            return &r->sent[i - 1];
        }
    }
    return NULL;
}

int64_t rig_number(struct rig *r, const char *sql_text)
{
    int64_t value = 0;
    assert_ok(store_scalar(r->store, sql_text, &value));
    return value;
}

static void unexpected(void *self, const char *what, const char *subject, const char *detail)
{
    struct rig *r = self;
    print_error("%s: %s: %s\n", what, subject, detail);
    r->unexpected++;
}

void rig_audit(struct rig *r)
{
    struct ca_audit a = {.store = r->store, .operators = &r->book->operators, .self = r, .found = unexpected};
    assert_ok(ca_audit_events(&a));
    assert_ok(ca_audit_certificates(&a));
    assert_ok(ca_audit_approvals(&a));
    for (size_t i = 0; i < r->journal_count; i++) {
        const struct rig_entry *x = &r->journal[i];
        struct journal_entry e = {
            .sequence = x->sequence,
            .what = x->mass != 0    ? JOURNAL_REVOCATIONS
                    : x->revocation ? JOURNAL_REVOCATION
                                    : JOURNAL_SIGNATURE,
            .kind = x->revocation || x->mass != 0 ? 0 : IPC__SIGN_KIND__SIGN_CERTIFICATE,
            .issuer = lt_slice_cstr(x->issuer),
            .serial = LT_SLICE(x->serial, x->mass != 0 ? 12 : CA_SERIAL_LEN),
        };
        memcpy(e.digest, x->tbs_sha256, sizeof e.digest);
        assert_ok(ca_audit_journal_entry(&a, &e));
    }
    assert_int_equal(r->unexpected, 0);
    assert_int_equal(a.counts.findings, 0);
    assert_true(a.counts.events > 0);
}

static lt_res step_tally(struct rig *r, struct ca_turn *t, void *arg)
{
    bool *more = arg;
    (void)r;
    return ca_tally_beat(t, more);
}

void rig_tally_slice(struct rig *r)
{
    bool more = false;
    assert_ok(rig_run(r, step_tally, &more));
}

void rig_tally(struct rig *r)
{
    bool more = true;
    while (more) {
        assert_ok(rig_run(r, step_tally, &more));
    }
}

/* What either side has and the other has not. */
#define COUNTED                                                                                          \
    "SELECT c.not_after_us / 3600000000 AS h, c.issuer AS i, c.profile AS p, count(*) AS n, "            \
    "count(r.serial) AS v FROM certificate c LEFT JOIN revocation r ON r.issuer = c.issuer AND r.shard " \
    "= c.shard AND r.serial = c.serial WHERE c.copy = 0 GROUP BY 1, 2, 3"
#define TALLIED                                                                                    \
    "SELECT hour AS h, issuer AS i, profile AS p, sum(certificates) AS n, sum(revoked) AS v FROM " \
    "tally GROUP BY 1, 2, 3"

void rig_tally_is_exact(struct rig *r)
{
    assert_int_equal(rig_number(r, "SELECT count(*) FROM (" COUNTED " EXCEPT " TALLIED ") x"), 0);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM (" TALLIED " EXCEPT " COUNTED ") x"), 0);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM tally_walk WHERE ended_us <> 0"), 1);
}
