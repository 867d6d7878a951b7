/* The registrar's loop in small: transaction, savepoint, handler, commit, release. */
#include "rig.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"
#include "base/text.h"
#include "ca/authority.h"
#include "ca/evidence_book.h"
#include "ca/issue.h"
#include "ca/revoke.h"
#include "check.h"
#include "crypto/digest.h"
#include "crypto/key.h"
#include "sign.pb-c.h"
#include "validate/methods.h"

enum { ARENA_MAX = 64 * 1024 * 1024, START_S = 1795305600 /* 2026-11-22 */ };

static const char own_yaml[] = "acme:\n  terms-of-service: https://ca.example.com/terms\n"
                               "validation:\n  allow-private: true\n"
                               "rate-limits:\n  accounts-per-address: none\n  orders-per-account: none\n"
                               "  failures-per-name: none\n";

static const struct store_sql issuer_add = {
    "rig.issuer",
    "INSERT INTO issuer (id, name, parent, subject_sha256, spki_sha256, certificate, not_before_us, "
    "not_after_us, offline) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0)"};

/* --- the hierarchy: made once for all rigs of a program ------------------------------------------------- */

static struct lt_arena ca_arena;
static lt_slice ca_der[2]; /* root, tls */

static lt_res sign(void *self, lt_slice tbs, uint8_t *ret_signature, size_t *ret_len)
{
    return crypto_key_sign(self, CRYPTO_ES384, tbs, ret_signature, ret_len);
}

static lt_slice make_ca(const char *profile, const char *name, struct crypto_key *key, struct crypto_key *by,
                        const struct x509_cert *issuer)
{
    struct ca_profiles profiles;
    struct lt_buf tbs;
    lt_slice der;
    static const uint8_t serial[] = {1, 2, 3, 4, 5, 6, 7, 8};
    lt_time now = lt_time_from_seconds(START_S - 86400);
    assert_ok(ca_profiles_load(DATA_DIR, now, &profiles));
    const struct ca_authority a = {
        .profile = ca_profiles_find(&profiles, lt_slice_cstr(profile)),
        .country = "XX",
        .organization = "Rig",
        .common_name = name,
        .spki = crypto_key_spki(key),
        .issuer = issuer,
        .issuer_name = "root",
        .public_http_url = "http://localhost:14080",
        .serial = LT_SLICE(serial, sizeof serial),
        .now = now,
    };
    lt_buf_init(&tbs, 65536);
    assert_ok(ca_authority_tbs(&a, crypto_key_spki(by), &tbs));
    const struct ca_authority_key signer = {.self = by, .sign = sign, .spki = crypto_key_spki(by)};
    assert_ok(ca_authority_sign(&signer, lt_buf_slice(&tbs), &ca_arena, &der));
    lt_buf_done(&tbs);
    ca_profiles_done(&profiles);
    return der;
}

static void make_hierarchy(void)
{
    struct crypto_key *root = NULL;
    struct crypto_key *tls = NULL;
    struct x509_cert cert;
    if (ca_der[0].len > 0) {
        return;
    }
    lt_arena_init(&ca_arena, 1 << 20);
    assert_ok(crypto_key_generate(CRYPTO_KEY_P384, 0, &root));
    assert_ok(crypto_key_generate(CRYPTO_KEY_P256, 0, &tls));
    ca_der[0] = make_ca("ca-root", "Rig Root", root, root, NULL);
    assert_ok(x509_cert_parse(ca_der[0], &ca_arena, &cert));
    ca_der[1] = make_ca("ca-tls", "Rig TLS", tls, root, &cert);
    crypto_key_free(root);
    crypto_key_free(tls);
}

static void add_issuer(struct rig *r, int64_t id, const char *name, lt_slice der)
{
    struct x509_cert cert;
    uint8_t subject[32];
    uint8_t spki[32];
    assert_ok(x509_cert_parse(der, &r->arena, &cert));
    crypto_sha256(cert.subject.der, subject);
    crypto_sha256(cert.spki.der, spki);
    assert_ok(store_exec(r->store, &issuer_add,
                         STORE_ARGS(STORE_I(id), STORE_S(name), id == 1 ? STORE_N : STORE_I(1),
                                    STORE_B(LT_SLICE(subject, 32)), STORE_B(LT_SLICE(spki, 32)), STORE_B(der),
                                    STORE_I(cert.not_before.us), STORE_I(cert.not_after.us)),
                         NULL));
}

/* --- open, close, restart ------------------------------------------------------------------------------- */

static lt_res on_issued(void *self, struct ca_turn *t, const struct ca_outcome *o)
{
    return acme_desk_outcome(((struct rig *)self)->desk, t, o);
}

static lt_res on_revoked(void *self, struct ca_turn *t, const struct ca_revoked *v)
{
    return acme_desk_revoked(((struct rig *)self)->desk, t, v);
}

static lt_res step_profiles(struct rig *r, struct ca_turn *t, const struct ipc_msg *m)
{
    struct ca_profiles profiles;
    (void)m;
    LT_TRY(ca_profiles_load(r->profiles, r->now, &profiles));
    return ca_book_use_profiles(t, &profiles);
}

static lt_res step_recover(struct rig *r, struct ca_turn *t, const struct ipc_msg *m)
{
    (void)m;
    return acme_desk_recover(r->desk, t);
}

static void open_memory(struct rig *r, bool create)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/lintel.db", r->folder);
    const struct store_options so = {.path = path, .create = create};
    assert_ok(store_open(&so, &r->store));
    assert_ok(store_migrate(r->store));
    if (create) {
        add_issuer(r, 1, "root", ca_der[0]);
        add_issuer(r, 2, "tls", ca_der[1]);
    }
    const struct ca_book_options bo = {
        .store = r->store,
        .chain = "registrar-rig",
        .build = "test",
        .base_url = r->config->base_url,
        .public_http_url = r->config->public_http_url,
        .approvals_needed = 1,
        .seal_key = LT_LIT("a rig's key"),
        .listener = {r, on_issued, on_revoked},
        .now = r->now,
    };
    assert_ok(ca_book_open(&bo, &r->book));
    const char *lost = NULL;
    (void)snprintf(path, sizeof path, "%s/evidence", r->folder);
    assert_true(mkdir(path, 0700) == 0 || !create);
    assert_ok(ca_evidence_open(r->book, r->folder, r->now, &r->arena, &lost));
    assert_null(lost);
    r->book->examiner_linked = true;
    r->book->replayed = true;
    static const uint8_t epoch[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    const struct acme_options ao = {.config = r->config,
                                    .host_id = "rig",
                                    .boot_epoch = LT_SLICE(epoch, sizeof epoch),
                                    .random = lt_random};
    assert_ok(acme_desk_open(&ao, &r->desk));
    assert_ok(rig_run(r, step_profiles, NULL));
    assert_ok(rig_run(r, step_recover, NULL));
}

static void close_memory(struct rig *r)
{
    acme_desk_close(r->desk);
    ca_book_free(r->book);
    store_close(r->store);
}

void rig_open(struct rig *r, const char *yaml)
{
    memset(r, 0, sizeof *r);
    make_hierarchy();
    lt_arena_init(&r->arena, ARENA_MAX);
    (void)snprintf(r->folder, sizeof r->folder, "/tmp/lintel-desk-XXXXXX");
    assert_non_null(mkdtemp(r->folder));
    r->now = lt_time_from_seconds(START_S);
    r->profiles = DATA_DIR;
    assert_ok(ca_config_parse(lt_slice_cstr(yaml == NULL ? own_yaml : yaml), &r->config));
    open_memory(r, true);
}

void rig_close(struct rig *r)
{
    static const char *const files[] = {"lintel.db",           "lintel.db-wal",
                                        "lintel.db-shm",       "evidence/000001.seg",
                                        "evidence/000002.seg", "evidence/000003.seg"}; /* one a month */
    close_memory(r);
    ca_config_free(r->config);
    lt_arena_done(&r->arena);
    for (size_t i = 0; i < r->asked_count; i++) {
        free((char *)(uintptr_t)r->asked[i].text);
    }
    for (size_t i = 0; i < LT_COUNT(files); i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s/%s", r->folder, files[i]);
        (void)unlink(path); /* but for the first they are there or not */
    }
    char path[128];
    (void)snprintf(path, sizeof path, "%s/evidence", r->folder);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rmdir(r->folder), 0);
}

void rig_restart(struct rig *r)
{
    close_memory(r);
    rig_clean(r);
    open_memory(r, false);
}

void rig_clean(struct rig *r)
{
    lt_arena_reset(&r->arena);
    r->sent_count = 0;
}

void rig_advance(struct rig *r, int64_t seconds)
{
    r->now = lt_time_add_seconds(r->now, seconds);
}

/* --- the loop ------------------------------------------------------------------------------------------- */

static void release(void *self, const struct ipc_addr *to, enum ipc_type type, lt_slice packed)
{
    struct rig *r = self;
    assert_true(r->sent_count < RIG_SENT_MAX);
    r->sent[r->sent_count++] = (struct rig_sent){to->role, to->instance, type, to->id,
                                                 lt_arena_copy(&r->arena, packed)};
}

static lt_res in_savepoint(struct rig *r, struct ca_turn *t, rig_step *step, const struct ipc_msg *m)
{
    struct ca_book_at at = r->book->at;
    size_t mark = ca_turn_mark(t);
    assert_ok(store_savepoint(r->store));
    lt_res res = step(r, t, m);
    if (!lt_failed(res) && r->fail_next) {
        r->fail_next = false;
        res = lt_fail(LT_RETRY_BUSY, __FILE__, __LINE__, "the test wants it");
    }
    if (lt_failed(res)) {
        struct lt_error why = *lt_error_last();
        store_rollback_to(r->store);
        ca_turn_cut(t, mark);
        assert_ok(ca_book_at_restore(r->book, &at));
        if (m != NULL) {
            assert_ok(acme_desk_failed(r->desk, t, m, res));
        }
        return lt_fail(res.code, why.file, why.line, "%s", why.detail);
    }
    return store_release(r->store);
}

lt_res rig_run(struct rig *r, rig_step *step, const struct ipc_msg *m)
{
    struct ca_turn t;
    struct lt_arena arena;
    lt_arena_init(&arena, ARENA_MAX);
    ca_turn_init(&t, r->store, &arena, r->now);
    t.book = r->book;
    t.random = lt_random;
    assert_ok(store_begin(r->store));
    lt_res res = in_savepoint(r, &t, step, m);
    assert_ok(ca_evidence_flush(&t));
    assert_ok(store_commit(r->store));
    ca_turn_release(&t, release, r);
    lt_arena_done(&arena);
    return res;
}

static lt_res step_call(struct rig *r, struct ca_turn *t, const struct ipc_msg *m)
{
    return acme_desk_call(r->desk, t, m);
}

static lt_res step_validated(struct rig *r, struct ca_turn *t, const struct ipc_msg *m)
{
    return acme_desk_validated(r->desk, t, m);
}

static lt_res step_signed(struct rig *r, struct ca_turn *t, const struct ipc_msg *m)
{
    (void)r;
    return ca_issue_on_reply(t, (const Ipc__SignReply *)(const void *)m->body);
}

static lt_res step_tick(struct rig *r, struct ca_turn *t, const struct ipc_msg *m)
{
    (void)m;
    return acme_desk_tick(r->desk, t);
}

static lt_res step_linked(struct rig *r, struct ca_turn *t, const struct ipc_msg *m)
{
    (void)m;
    return acme_desk_validator_linked(r->desk, t);
}

void rig_tick(struct rig *r)
{
    assert_ok(rig_run(r, step_tick, NULL));
}

void rig_validator_linked(struct rig *r)
{
    assert_ok(rig_run(r, step_linked, NULL));
}

/* --- what was sent -------------------------------------------------------------------------------------- */

static void *in_arena(void *arena, size_t size)
{
    return lt_arena_alloc(arena, size == 0 ? 1 : size);
}

static void not_from_arena(void *arena, void *ptr)
{
    (void)arena;
    (void)ptr;
}

static const void *decode(struct rig *r, const struct rig_sent *s)
{
    ProtobufCAllocator allocator = {.alloc = in_arena, .free = not_from_arena, .allocator_data = &r->arena};
    const ProtobufCMessageDescriptor *body = ipc_type_info(s->type)->body;
    const void *m = protobuf_c_message_unpack(body, &allocator, s->packed.len, s->packed.ptr);
    assert_non_null(m);
    return m;
}

const void *rig_find(struct rig *r, enum ipc_type type, size_t skip)
{
    for (size_t i = 0; i < r->sent_count; i++) {
        if (r->sent[i].type == type && skip-- == 0) {
            return decode(r, &r->sent[i]);
        }
    }
    return NULL;
}

size_t rig_count(const struct rig *r, enum ipc_type type)
{
    size_t count = 0;
    for (size_t i = 0; i < r->sent_count; i++) {
        count += r->sent[i].type == type;
    }
    return count;
}

const Ipc__AcmeReply *rig_answer(struct rig *r, uint64_t id)
{
    for (size_t i = 0; i < r->sent_count; i++) {
        if (r->sent[i].type == IPC_ACME_REPLY && r->sent[i].id == id) {
            return decode(r, &r->sent[i]);
        }
    }
    return NULL;
}

/* --- calls ---------------------------------------------------------------------------------------------- */

void rig_key(struct rig_account *a, uint8_t seed)
{
    struct crypto_key *key = NULL;
    memset(a, 0, sizeof *a);
    assert_ok(crypto_key_generate(CRYPTO_KEY_P256, 0, &key));
    lt_slice spki = crypto_key_spki(key);
    assert_int_equal(spki.len, sizeof a->spki);
    memcpy(a->spki, spki.ptr, spki.len);
    crypto_key_free(key);
    crypto_sha256(LT_SLICE(a->spki, sizeof a->spki), a->spki_sha256);
    crypto_sha256(LT_SLICE(a->spki_sha256, 32), a->thumbprint);
    a->thumbprint[0] = seed;
    ipc__public_key__init(&a->key);
    a->key.spki = (ProtobufCBinaryData){sizeof a->spki, a->spki};
    a->key.spki_sha256 = (ProtobufCBinaryData){32, a->spki_sha256};
    a->key.type = IPC__KEY_TYPE__KEY_P256;
    a->key.bits = 256;
}

const Ipc__AcmeReply *rig_call(struct rig *r, const struct rig_account *by, Ipc__AcmeCall *call)
{
    char nonce[ACME_NONCE_SIZE];
    static char address[] = "192.0.2.7";
    static char alg[] = "ES256";
    if (call->nonce[0] == '\0') {
        acme_desk_nonce(r->desk, nonce);
        call->nonce = nonce;
    }
    if (call->remote_address[0] == '\0') {
        call->remote_address = address;
    }
    Ipc__PublicKey key = IPC__PUBLIC_KEY__INIT;
    if (by != NULL) {
        key = by->key;
        call->thumbprint = (ProtobufCBinaryData){32, (uint8_t *)(uintptr_t)by->thumbprint};
        if (call->op == IPC__ACME_OP__ACME_NEW_ACCOUNT || call->account_id < 0) {
            call->account_id = 0;
            call->jwk = &key;
            call->jwk_alg = alg;
        } else if (call->account_id == 0) {
            call->account_id = by->id;
        }
    }
    const struct ipc_msg m = {
        .from = {.role = IPC_NOTARY, .instance = 1, .id = ++r->next_id},
        .type = IPC_ACME_CALL,
        .body = &call->base,
    };
    (void)rig_run(r, step_call, &m); /* a failure has been answered, and the test looks at the answer */
    return rig_answer(r, r->next_id);
}

void rig_new_account(struct rig *r, struct rig_account *a, uint8_t seed)
{
    Ipc__AcmeCall call = IPC__ACME_CALL__INIT;
    Ipc__AcmeNewAccount body = IPC__ACME_NEW_ACCOUNT__INIT;
    rig_key(a, seed);
    call.op = IPC__ACME_OP__ACME_NEW_ACCOUNT;
    call.new_account = &body;
    body.terms_agreed = true;
    const Ipc__AcmeReply *reply = rig_call(r, a, &call);
    assert_non_null(reply);
    assert_int_equal(reply->status, 201);
    a->id = reply->location_account;
    assert_true(a->id > 0);
}

static size_t fill_names(const char *const *names, Ipc__Identifier *rows, Ipc__Identifier **list)
{
    static char dns[] = "dns";
    size_t count = 0;
    for (; names[count] != NULL; count++) {
        assert_true(count < 128);
        ipc__identifier__init(&rows[count]);
        rows[count].type = dns;
        rows[count].value = (char *)(uintptr_t)names[count];
        list[count] = &rows[count];
    }
    return count;
}

const Ipc__AcmeReply *rig_new_order(struct rig *r, const struct rig_account *a, const char *const *names)
{
    Ipc__Identifier rows[128];
    Ipc__Identifier *list[128];
    Ipc__AcmeCall call = IPC__ACME_CALL__INIT;
    Ipc__AcmeNewOrder body = IPC__ACME_NEW_ORDER__INIT;
    call.op = IPC__ACME_OP__ACME_NEW_ORDER;
    call.new_order = &body;
    body.n_identifiers = fill_names(names, rows, list);
    body.identifiers = list;
    return rig_call(r, a, &call);
}

static const Ipc__AcmeReply *get(struct rig *r, const struct rig_account *a, Ipc__AcmeOp op, int64_t id)
{
    Ipc__AcmeCall call = IPC__ACME_CALL__INIT;
    Ipc__AcmeObject body = IPC__ACME_OBJECT__INIT;
    call.op = op;
    call.object = &body;
    body.id = id;
    return rig_call(r, a, &call);
}

const Ipc__AcmeReply *rig_get_order(struct rig *r, const struct rig_account *a, int64_t id)
{
    return get(r, a, IPC__ACME_OP__ACME_GET_ORDER, id);
}

const Ipc__AcmeReply *rig_get_authorization(struct rig *r, const struct rig_account *a, int64_t id)
{
    return get(r, a, IPC__ACME_OP__ACME_GET_AUTHORIZATION, id);
}

static const Ipc__AcmeReply *challenge(struct rig *r, const struct rig_account *a, Ipc__AcmeOp op,
                                       Ipc__AcmeChallengeReply which)
{
    Ipc__AcmeCall call = IPC__ACME_CALL__INIT;
    call.op = op;
    call.challenge = &which;
    return rig_call(r, a, &call);
}

const Ipc__AcmeReply *rig_reply_challenge(struct rig *r, const struct rig_account *a, int64_t authorization)
{
    Ipc__AcmeChallengeReply first = IPC__ACME_CHALLENGE_REPLY__INIT;
    first.authorization_id = authorization;
    return challenge(r, a, IPC__ACME_OP__ACME_REPLY_CHALLENGE, first);
}

const Ipc__AcmeReply *rig_get_challenge(struct rig *r, const struct rig_account *a, int64_t authorization,
                                        uint32_t index)
{
    Ipc__AcmeChallengeReply which = IPC__ACME_CHALLENGE_REPLY__INIT;
    which.authorization_id = authorization;
    which.index = index;
    return challenge(r, a, IPC__ACME_OP__ACME_GET_CHALLENGE, which);
}

const Ipc__AcmeReply *rig_finalize(struct rig *r, const struct rig_account *a, int64_t order,
                                   const char *const *names, const Ipc__PublicKey *key)
{
    static uint8_t jws[] = "the raw request";
    Ipc__Identifier rows[128];
    Ipc__Identifier *list[128];
    Ipc__AcmeCall call = IPC__ACME_CALL__INIT;
    Ipc__AcmeFinalize body = IPC__ACME_FINALIZE__INIT;
    Ipc__PublicKey copy = *key;
    call.op = IPC__ACME_OP__ACME_FINALIZE;
    call.finalize = &body;
    call.jws = (ProtobufCBinaryData){sizeof jws - 1, jws};
    body.order_id = order;
    body.key = &copy;
    body.n_names = fill_names(names, rows, list);
    body.names = list;
    return rig_call(r, a, &call);
}

/* --- validator and signer ------------------------------------------------------------------------------- */

static const Ipc__Validate *last_question(struct rig *r)
{
    size_t count = rig_count(r, IPC_VALIDATE);
    assert_true(count > 0);
    return rig_find(r, IPC_VALIDATE, count - 1);
}

void rig_validated_nonce(struct rig *r, const char *problem, lt_slice nonce)
{
    const Ipc__Validate *q = last_question(r);
    Ipc__Validated v = IPC__VALIDATED__INIT;
    Ipc__Problem p = IPC__PROBLEM__INIT;
    static char detail[] = "it \"did\" not work\\";
    static char words[3][32] = {"insecure", "primary", "test"};
    const struct validate_method *method = validate_method_find(q->method, q->identifier->type);
    v.authorization_id = q->authorization_id;
    v.challenge_index = q->challenge_index;
    v.nonce = (ProtobufCBinaryData){nonce.len, (uint8_t *)(uintptr_t)nonce.ptr};
    v.identifier = q->identifier;
    v.method = q->method;
    v.ok = problem == NULL;
    v.dnssec = words[0];
    v.perspective = words[1];
    v.build = words[2];
    v.ruleset = (char *)(uintptr_t)(method == NULL ? "" : method->ruleset); /* only read */
    v.wildcard = q->wildcard;
    v.subdomains = q->subdomains;
    v.resolver = words[1];
    if (problem != NULL) {
        p.type = (char *)(uintptr_t)problem;
        p.detail = detail;
        p.status = 400;
        v.problem = &p;
    }
    const struct ipc_msg m = {.from = {.role = IPC_VALIDATOR}, .type = IPC_VALIDATED, .body = &v.base};
    (void)rig_run(r, step_validated, &m); /* a failure is what some tests want */
}

void rig_validated(struct rig *r, const char *problem)
{
    const Ipc__Validate *q = last_question(r);
    rig_validated_nonce(r, problem, LT_SLICE(q->nonce.data, q->nonce.len));
}

void rig_signed(struct rig *r, const char *refusal)
{
    static uint8_t signature[] = {0x30, 6, 2, 1, 1, 2, 1, 1};
    static char words[3][16] = {"signed", "refused", "rules"};
    static char detail[] = "the lint says no";
    size_t count = rig_count(r, IPC_SIGN_REQUEST);
    assert_true(count > 0);
    const Ipc__SignRequest *q = rig_find(r, IPC_SIGN_REQUEST, count - 1);
    Ipc__SignReply reply = IPC__SIGN_REPLY__INIT;
    reply.intent_id = q->intent_id;
    reply.outcome = refusal == NULL ? words[0] : words[1];
    reply.sequence = ++r->sequence;
    reply.signature = (ProtobufCBinaryData){sizeof signature, signature};
    reply.issuer = q->issuer;
    reply.serial = q->serial;
    reply.rule_set = words[2];
    if (refusal != NULL) {
        reply.refusal = (char *)(uintptr_t)refusal;
        reply.detail = detail;
    }
    const struct ipc_msg m = {.from = {.role = IPC_EXAMINER}, .type = IPC_SIGN_REPLY, .body = &reply.base};
    assert_ok(rig_run(r, step_signed, &m));
}

int64_t rig_certificate(struct rig *r, const struct rig_account *a, const char *const *names,
                        uint8_t *ret_serial)
{
    struct rig_account leaf;
    const Ipc__AcmeReply *reply = rig_new_order(r, a, names);
    assert_int_equal(reply->status, 201);
    int64_t order = reply->location_order;
    size_t count = reply->order->n_authorizations;
    int64_t authorizations[128];
    memcpy(authorizations, reply->order->authorizations, count * sizeof authorizations[0]);
    for (size_t i = 0; i < count && strcmp(reply->order->status, "pending") == 0; i++) {
        assert_int_equal(rig_reply_challenge(r, a, authorizations[i])->status, 200);
        rig_validated(r, NULL);
    }
    rig_key(&leaf, 0);
    assert_null(rig_finalize(r, a, order, names, &leaf.key));
    uint64_t held = r->next_id;
    rig_signed(r, NULL);
    reply = rig_answer(r, held);
    assert_non_null(reply);
    assert_string_equal(reply->order->status, "valid");
    assert_true(reply->order->has_certificate);
    assert_int_equal(reply->order->certificate_serial.len, 16);
    memcpy(ret_serial, reply->order->certificate_serial.data, 16);
    return order;
}

/* --- the book ------------------------------------------------------------------------------------------- */

const struct store_sql *rig_sql(struct rig *r, const char *text)
{
    for (size_t i = 0; i < r->asked_count; i++) {
        if (strcmp(r->asked[i].text, text) == 0) {
            return &r->asked[i];
        }
    }
    assert_true(r->asked_count < LT_COUNT(r->asked));
    r->asked[r->asked_count].name = "test";
    r->asked[r->asked_count].text = strdup(text);
    return &r->asked[r->asked_count++];
}

int64_t rig_number(struct rig *r, const char *sql)
{
    struct store_rows rows;
    assert_ok(store_query(r->store, rig_sql(r, sql), STORE_NO_ARGS, &rows));
    assert_true(store_next(&rows));
    int64_t n = store_int(&rows, 0);
    assert_ok(store_rows_end(&rows));
    return n;
}

const char *rig_text(struct rig *r, const char *sql)
{
    struct store_rows rows;
    assert_ok(store_query(r->store, rig_sql(r, sql), STORE_NO_ARGS, &rows));
    assert_true(store_next(&rows));
    const char *text = lt_arena_cstr(&r->arena, store_bytes(&rows, 0));
    assert_ok(store_rows_end(&rows));
    return text;
}
