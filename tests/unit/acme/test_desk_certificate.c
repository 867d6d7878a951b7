/* finalize, download, revoke. */
#include "base/text.h"
#include "check.h"
#include "crypto/digest.h"
#include "rig.h"
#include "sign.pb-c.h"

static const char *const www[] = {"www.example.com", NULL};
static const char *const two[] = {"a.example.com", "www.example.com", NULL};

static void is_problem(const Ipc__AcmeReply *reply, const char *type, uint32_t status)
{
    assert_non_null(reply);
    assert_non_null(reply->problem);
    if (strcmp(reply->problem->type, type) != 0 || reply->status != status) {
        print_error("%s %u: %s\n", reply->problem->type, reply->status, reply->problem->detail);
    }
    assert_string_equal(reply->problem->type, type);
    assert_int_equal(reply->status, status);
}

static int64_t ready_order(struct rig *r, struct rig_account *a, const char *const *names)
{
    const Ipc__AcmeReply *reply = rig_new_order(r, a, names);
    int64_t order = reply->location_order;
    int64_t ids[8];
    size_t count = reply->order->n_authorizations;
    memcpy(ids, reply->order->authorizations, count * sizeof ids[0]);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rig_get_authorization(r, a, ids[i])->authorization->status, "pending") == 0) {
            assert_int_equal(rig_reply_challenge(r, a, ids[i])->status, 200);
            rig_validated(r, NULL);
        }
    }
    return order;
}

static void test_finalize(void **state)
{
    struct rig r;
    struct rig_account a;
    struct rig_account leaf;
    (void)state;
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    rig_key(&leaf, 0);
    int64_t order = ready_order(&r, &a, two);
    assert_null(rig_finalize(&r, &a, order, two, &leaf.key));
    uint64_t held = r.next_id;
    const Ipc__SignRequest *q = rig_find(&r, IPC_SIGN_REQUEST, 0);
    assert_int_equal(q->n_evidence, 2);
    assert_string_equal(q->evidence[0]->identifier->value, "a.example.com");
    assert_string_equal(q->evidence[0]->method, "http-01");
    assert_int_equal(q->evidence[0]->validated_us, r.now.us);
    assert_true(q->evidence[0]->authorization_id > 0);
    /* once is enough */
    is_problem(rig_finalize(&r, &a, order, two, &leaf.key), "orderNotReady", 403);
    /* a poll is held as well */
    assert_null(rig_get_order(&r, &a, order));
    uint64_t poll = r.next_id;
    rig_signed(&r, NULL);
    const Ipc__AcmeReply *reply = rig_answer(&r, held);
    assert_string_equal(reply->order->status, "valid");
    assert_int_equal(reply->location_order, order);
    assert_string_equal(rig_answer(&r, poll)->order->status, "valid");
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM event WHERE kind = 'order.finalized' AND "
                                    "attachment = CAST('the raw request' AS BLOB)"),
                     1);
    /* what belongs together in the book has the same hash */
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM certificate AS c JOIN ca_order AS o "
                                    "ON o.name_set_sha256 = c.name_set_sha256"),
                     1);
    assert_int_equal(rig_number(&r, "SELECT worst_dimension FROM certificate"),
                     rig_number(&r, "SELECT id FROM dimension"));
    rig_close(&r);
}

static void test_slow_signer(void **state)
{
    struct rig r;
    struct rig_account a;
    struct rig_account leaf;
    (void)state;
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    rig_key(&leaf, 0);
    int64_t order = ready_order(&r, &a, www);
    assert_null(rig_finalize(&r, &a, order, www, &leaf.key));
    uint64_t held = r.next_id;
    rig_advance(&r, 4);
    rig_tick(&r);
    assert_null(rig_answer(&r, held));
    rig_advance(&r, 1);
    rig_tick(&r);
    const Ipc__AcmeReply *reply = rig_answer(&r, held);
    assert_int_equal(reply->status, 200);
    assert_string_equal(reply->order->status, "processing");
    assert_int_equal(reply->retry_after_s, 1);
    /* an order that is being worked on does not expire */
    rig_advance(&r, 8 * 86400);
    rig_tick(&r);
    assert_string_equal(rig_text(&r, "SELECT status FROM ca_order"), "processing");
    rig_signed(&r, NULL);
    assert_string_equal(rig_get_order(&r, &a, order)->order->status, "valid");
    rig_close(&r);
}

static void test_refusals_of_the_examiner(void **state)
{
    static const struct {
        const char *refusal;
        const char *type;
    } rows[] = {
        {"lint", "badCSR"}, {"blocked-key", "badCSR"}, {"halt", "serverInternal"}, {"new", "serverInternal"}};
    struct rig r;
    struct rig_account a;
    (void)state;
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct rig_account leaf;
        rig_key(&leaf, 0);
        int64_t order = ready_order(&r, &a, www);
        assert_null(rig_finalize(&r, &a, order, www, &leaf.key));
        uint64_t held = r.next_id;
        rig_signed(&r, rows[i].refusal);
        const Ipc__AcmeReply *reply = rig_answer(&r, held);
        assert_string_equal(reply->order->status, "invalid");
        assert_string_equal(reply->order->error->type, rows[i].type);
        assert_non_null(strstr(reply->order->error->detail, "the lint says no"));
        is_problem(rig_finalize(&r, &a, order, www, &leaf.key), "orderNotReady", 403);
        rig_clean(&r);
    }
    rig_close(&r);
}

/* Proofs that the examiner does not believe are taken back: the next order would meet the same refusal. */
static void test_evidence_refused(void **state)
{
    struct rig r;
    struct rig_account a;
    struct rig_account leaf;
    (void)state;
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    rig_key(&leaf, 0);
    int64_t order = ready_order(&r, &a, www);
    const Ipc__AcmeReply *second = rig_new_order(&r, &a, www);
    int64_t other = second->location_order;
    assert_string_equal(second->order->status, "ready");
    assert_null(rig_finalize(&r, &a, order, www, &leaf.key));
    uint64_t held = r.next_id;
    rig_signed(&r, "evidence");
    const Ipc__AcmeReply *reply = rig_answer(&r, held);
    assert_string_equal(reply->order->status, "invalid");
    assert_string_equal(reply->order->error->type, "unauthorized");
    assert_string_equal(rig_text(&r, "SELECT status FROM authorization"), "revoked");
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM event WHERE kind = 'authorization.revoked'"), 1);
    /* Another order by the same proof ends with it, and a new one begins anew. */
    assert_string_equal(rig_get_order(&r, &a, other)->order->status, "invalid");
    assert_string_equal(rig_new_order(&r, &a, www)->order->status, "pending");
    rig_close(&r);
}

static void test_bad_requests(void **state)
{
    static const char *const other[] = {"other.example.com", NULL};
    static const char *const none[] = {NULL};
    struct rig r;
    struct rig_account a;
    struct rig_account leaf;
    (void)state;
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    rig_key(&leaf, 0);
    int64_t order = ready_order(&r, &a, www);
    is_problem(rig_finalize(&r, &a, order, other, &leaf.key), "badCSR", 400);
    is_problem(rig_finalize(&r, &a, order, two, &leaf.key), "badCSR", 400);
    is_problem(rig_finalize(&r, &a, order, none, &leaf.key), "badCSR", 400);
    is_problem(rig_finalize(&r, &a, order, www, &a.key), "badCSR", 400); /* the account's own key */
    static const struct {
        Ipc__KeyType type;
        uint32_t bits;
    } keys[] = {{IPC__KEY_TYPE__KEY_UNKNOWN, 256}, {IPC__KEY_TYPE__KEY_ED25519, 256},
                {IPC__KEY_TYPE__KEY_RSA, 1024},    {IPC__KEY_TYPE__KEY_RSA, 2040},
                {IPC__KEY_TYPE__KEY_RSA, 16384},   {(Ipc__KeyType)77, 256}};
    for (size_t i = 0; i < LT_COUNT(keys); i++) {
        Ipc__PublicKey key = leaf.key;
        key.type = keys[i].type;
        key.bits = keys[i].bits;
        is_problem(rig_finalize(&r, &a, order, www, &key), "badCSR", 400);
    }
    /* a pending order, somebody else's, none at all */
    static const char *const fresh[] = {"fresh.example.com", NULL};
    int64_t pending = rig_new_order(&r, &a, fresh)->location_order;
    is_problem(rig_finalize(&r, &a, pending, fresh, &leaf.key), "orderNotReady", 403);
    struct rig_account b;
    rig_new_account(&r, &b, 2);
    is_problem(rig_finalize(&r, &b, order, www, &leaf.key), "malformed", 404);
    is_problem(rig_finalize(&r, &a, 1, www, &leaf.key), "malformed", 404);
    /* after all that the order is as ready as before */
    assert_int_equal(rig_count(&r, IPC_SIGN_REQUEST), 0);
    assert_null(rig_finalize(&r, &a, order, www, &leaf.key));
    rig_close(&r);
}

static const Ipc__AcmeReply *download(struct rig *r, struct rig_account *a, lt_slice serial, uint32_t index)
{
    Ipc__AcmeCall call = IPC__ACME_CALL__INIT;
    Ipc__AcmeObject body = IPC__ACME_OBJECT__INIT;
    call.op = IPC__ACME_OP__ACME_GET_CERTIFICATE;
    call.object = &body;
    body.serial = (ProtobufCBinaryData){serial.len, (uint8_t *)(uintptr_t)serial.ptr};
    body.index = index;
    return rig_call(r, a, &call);
}

static void test_download(void **state)
{
    struct rig r;
    struct rig_account a;
    struct rig_account b;
    uint8_t serial[16];
    (void)state;
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    rig_new_account(&r, &b, 2);
    (void)rig_certificate(&r, &a, www, serial);
    const Ipc__AcmeReply *reply = download(&r, &a, LT_SLICE(serial, 16), 0);
    assert_int_equal(reply->status, 200);
    assert_int_equal(reply->certificate->n_chain, 2);
    assert_int_equal(reply->certificate->alternates, 1);
    reply = download(&r, &a, LT_SLICE(serial, 16), 1);
    assert_int_equal(reply->certificate->n_chain, 3);
    assert_int_equal(reply->certificate->index, 1);
    assert_memory_equal(reply->certificate->chain[2].data, r.book->issuers[0].certificate.ptr,
                        reply->certificate->chain[2].len);
    is_problem(download(&r, &a, LT_SLICE(serial, 16), 2), "malformed", 404);
    is_problem(download(&r, &b, LT_SLICE(serial, 16), 0), "malformed", 404);
    is_problem(download(&r, &a, LT_SLICE(serial, 15), 0), "malformed", 404);
    is_problem(download(&r, &a, LT_LIT(""), 0), "malformed", 404);
    rig_close(&r);
}

/* --- revocation ----------------------------------------------------------------------------------------- */

struct revocation {
    const struct rig_account *by;
    bool by_key;
    uint32_t reason;
    bool other_bytes;
    bool other_issuer;
};

static const Ipc__AcmeReply *revoke(struct rig *r, const struct rig_account *leaf, lt_slice serial,
                                    const struct revocation *v)
{
    static uint8_t jws[] = "raw revocation";
    Ipc__AcmeCall call = IPC__ACME_CALL__INIT;
    Ipc__AcmeRevoke body = IPC__ACME_REVOKE__INIT;
    struct store_rows rows;
    static const struct store_sql sql = {"test.cert", "SELECT sha256 FROM certificate WHERE serial = ?1"};
    uint8_t sha[32] = {0};
    uint8_t issuer[32];
    assert_ok(store_query(r->store, &sql, STORE_ARGS(STORE_B(serial)), &rows));
    if (store_next(&rows)) {
        memcpy(sha, store_bytes(&rows, 0).ptr, 32);
    }
    assert_ok(store_rows_end(&rows));
    memcpy(issuer, r->book->issuers[1].subject_sha256, 32);
    sha[0] ^= v->other_bytes ? 1 : 0;
    issuer[0] ^= v->other_issuer ? 1 : 0;
    call.op = IPC__ACME_OP__ACME_REVOKE;
    call.account_id = v->by_key ? -1 : 0;
    call.revoke = &body;
    call.jws = (ProtobufCBinaryData){sizeof jws - 1, jws};
    body.issuer_name_sha256 = (ProtobufCBinaryData){32, issuer};
    body.serial = (ProtobufCBinaryData){serial.len, (uint8_t *)(uintptr_t)serial.ptr};
    body.certificate_sha256 = (ProtobufCBinaryData){32, sha};
    body.spki_sha256 = (ProtobufCBinaryData){32, (uint8_t *)(uintptr_t)leaf->spki_sha256};
    body.reason = v->reason;
    body.by_certificate_key = v->by_key;
    return rig_call(r, v->by, &call);
}

static lt_res step_recorded(struct rig *r, struct ca_turn *t, const struct ipc_msg *m)
{
    (void)r;
    return ca_revoke_on_recorded(t, m->from.id, (const Ipc__RevocationRecorded *)(const void *)m->body);
}

static void recorded(struct rig *r)
{
    Ipc__RevocationRecorded done = IPC__REVOCATION_RECORDED__INIT;
    static char word[] = "recorded";
    uint64_t id = 0;
    for (size_t i = 0; i < r->sent_count; i++) {
        id = r->sent[i].type == IPC_REVOCATION_RECORD ? r->sent[i].id : id;
    }
    assert_true(id != 0);
    done.outcome = word;
    done.sequence = ++r->sequence;
    const struct ipc_msg m = {
        .from = {.role = IPC_EXAMINER, .id = id}, .type = IPC_REVOCATION_RECORDED, .body = &done.base};
    assert_ok(rig_run(r, step_recorded, &m));
}

/* As rig_certificate, keeping the key. */
static void certificate(struct rig *r, struct rig_account *a, const char *const *names,
                        struct rig_account *leaf, uint8_t *ret_serial)
{
    rig_key(leaf, 0);
    int64_t order = ready_order(r, a, names);
    assert_null(rig_finalize(r, a, order, names, &leaf->key));
    uint64_t held = r->next_id;
    rig_signed(r, NULL);
    memcpy(ret_serial, rig_answer(r, held)->order->certificate_serial.data, 16);
}

static void test_revoke_three_ways(void **state)
{
    struct rig r;
    struct rig_account a;
    struct rig_account b;
    struct rig_account leaf;
    uint8_t serial[16];
    const lt_slice s = LT_SLICE(serial, 16);
    (void)state;
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    rig_new_account(&r, &b, 2);

    /* the account that got it */
    certificate(&r, &a, www, &leaf, serial);
    assert_null(revoke(&r, &leaf, s, &(struct revocation){.by = &a, .reason = 4}));
    uint64_t held = r.next_id;
    recorded(&r);
    assert_int_equal(rig_answer(&r, held)->status, 200);
    is_problem(revoke(&r, &leaf, s, &(struct revocation){.by = &a, .reason = 4}), "alreadyRevoked", 400);
    assert_int_equal(rig_number(&r, "SELECT reason FROM revocation"), 4);

    /* the certificate's key, which needs no account */
    rig_clean(&r);
    certificate(&r, &a, www, &leaf, serial);
    struct rig_account wrong;
    rig_key(&wrong, 9);
    is_problem(revoke(&r, &leaf, s, &(struct revocation){.by = &wrong, .by_key = true}), "unauthorized", 403);
    assert_null(revoke(&r, &leaf, s, &(struct revocation){.by = &leaf, .by_key = true, .reason = 1}));
    held = r.next_id;
    recorded(&r);
    assert_int_equal(rig_answer(&r, held)->status, 200);
    assert_string_equal(rig_text(&r, "SELECT by_whom FROM revocation WHERE reason = 1"), "certificate-key");
    /* and that key is blocked now */
    int64_t order = ready_order(&r, &a, www);
    is_problem(rig_finalize(&r, &a, order, www, &leaf.key), "badCSR", 400);

    /* another account that holds all the names, not only some of them */
    rig_clean(&r);
    certificate(&r, &a, two, &leaf, serial);
    is_problem(revoke(&r, &leaf, s, &(struct revocation){.by = &b}), "unauthorized", 403);
    (void)ready_order(&r, &b, www);
    is_problem(revoke(&r, &leaf, s, &(struct revocation){.by = &b}), "unauthorized", 403);
    (void)ready_order(&r, &b, two);
    is_problem(revoke(&r, &leaf, s, &(struct revocation){.by = &b, .reason = 1}), "badRevocationReason", 400);
    assert_null(revoke(&r, &leaf, s, &(struct revocation){.by = &b, .reason = 5}));
    held = r.next_id;
    recorded(&r);
    assert_int_equal(rig_answer(&r, held)->status, 200);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM revocation"), 3);
    rig_close(&r);
}

static void test_refused_revocations(void **state)
{
    static const uint32_t reasons[] = {2, 6, 7, 8, 9, 10, 11, 255, UINT32_MAX};
    struct rig r;
    struct rig_account a;
    struct rig_account leaf;
    uint8_t serial[16];
    uint8_t unknown[16] = {1};
    const lt_slice s = LT_SLICE(serial, 16);
    (void)state;
    rig_open(&r, NULL);
    rig_new_account(&r, &a, 1);
    certificate(&r, &a, www, &leaf, serial);
    for (size_t i = 0; i < LT_COUNT(reasons); i++) {
        const struct revocation v = {.by = &a, .reason = reasons[i]};
        is_problem(revoke(&r, &leaf, s, &v), "badRevocationReason", 400);
    }
    is_problem(revoke(&r, &leaf, s, &(struct revocation){.by = &a, .other_bytes = true}), "malformed", 404);
    is_problem(revoke(&r, &leaf, s, &(struct revocation){.by = &a, .other_issuer = true}), "malformed", 404);
    is_problem(revoke(&r, &leaf, LT_SLICE(unknown, 16), &(struct revocation){.by = &a}), "malformed", 404);
    assert_int_equal(rig_number(&r, "SELECT count(*) FROM revocation_open"), 0);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finalize),
        cmocka_unit_test(test_slow_signer),
        cmocka_unit_test(test_refusals_of_the_examiner),
        cmocka_unit_test(test_evidence_refused),
        cmocka_unit_test(test_bad_requests),
        cmocka_unit_test(test_download),
        cmocka_unit_test(test_revoke_three_ways),
        cmocka_unit_test(test_refused_revocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
