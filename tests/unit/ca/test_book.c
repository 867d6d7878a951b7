/* The registrar's decisions over a real book: issuing, halts, blocked keys, revocation, plans, replays,
 * audit. */
#include "../check.h"
#include "book_rig.h"

#include <stdlib.h>
#include <unistd.h>

#include "ca/approval.h"
#include "ca/audit.h"
#include "ca/crl_book.h"
#include "ca/event.h"
#include "ca/halt.h"
#include "ca/key_block.h"
#include "ca/knot.h"
#include "ca/plan.h"
#include "crypto/digest.h"
#include "store/internal.h"
#include "x509/cert.h"

#define PATH "/tmp/lintel-test-book.db"

static void remove_files(void)
{
    (void)unlink(PATH);
    (void)unlink(PATH "-wal");
    (void)unlink(PATH "-shm");
}

static int set_up(void **state)
{
    struct rig *r = calloc(1, sizeof *r);
    assert_non_null(r);
    remove_files();
    assert_ok(rig_open(r, PATH, NULL, true));
    *state = r;
    return 0;
}

static int tear_down(void **state)
{
    rig_free(*state);
    remove_files();
    return 0;
}

static void reopen(struct rig *r)
{
    rig_close(r);
    assert_ok(rig_open(r, PATH, NULL, false));
}

static char a_name[] = "www.example.com";
static char other_name[] = "mail.example.org";

static void issues(void **state)
{
    struct rig *r = *state;
    assert_ok(rig_run(r, rig_plan, a_name));
    assert_non_null(rig_last(r, IPC_SIGN_REQUEST));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM intent_open"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM certificate"), 0);
    assert_ok(rig_answer(r, SIZE_MAX));
    assert_int_equal(r->told_committed, 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM intent_open"), 0);
    assert_int_equal(rig_number(r,
                                "SELECT count(*) FROM certificate WHERE kind = 'x509' AND name_count = 1 AND "
                                "worst_method = 'http-01' AND delivered = 1 AND account = 4"),
                     1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM certificate_name WHERE name = 'com.example.www'"),
                     1);
    rig_audit(r);
}

static void what_is_issued_reads_back(void **state)
{
    struct rig *r = *state;
    static const struct store_sql der = {"t.der", "SELECT der FROM certificate_der"};
    assert_ok(rig_run(r, rig_plan, a_name));
    assert_ok(rig_answer(r, SIZE_MAX));
    struct store_rows rows;
    assert_ok(store_query(r->store, &der, STORE_NO_ARGS, &rows));
    assert_true(store_next(&rows));
    struct x509_cert c;
    assert_ok(x509_cert_parse(store_bytes(&rows, 0), &r->sent_arena, &c));
    assert_int_equal(c.serial.len, CA_SERIAL_LEN);
    assert_false(c.ext.ca);
    assert_int_equal(c.ext.san.count, 1);
    assert_slice(c.ext.san.list[0].value, "www.example.com");
    assert_int_equal(c.ext.key_usage, X509_KU_DIGITAL_SIGNATURE);
    assert_int_equal(c.ext.crldp_count, 1);
    assert_true(c.not_after.us - c.not_before.us < 91 * LT_SECONDS_PER_DAY * LT_US_PER_SECOND);
    assert_ok(store_rows_end(&rows));
}

static lt_res plan_unknown_profile(struct rig *r, struct ca_turn *t, void *profile)
{
    (void)r;
    Ipc__PublicKey key = IPC__PUBLIC_KEY__INIT;
    uint8_t bytes[CA_HASH_LEN] = {1};
    key.spki = (ProtobufCBinaryData){sizeof bytes, bytes};
    key.spki_sha256 = (ProtobufCBinaryData){sizeof bytes, bytes};
    key.type = IPC__KEY_TYPE__KEY_P256;
    key.bits = 256;
    const struct ca_issue_name n = {.type = "dns", .value = LT_LIT("a.example.com"), .method = "http-01"};
    const struct ca_issue_request q = {
        .requester = "acme", .profile = lt_slice_cstr(profile), .key = &key, .names = &n, .name_count = 1};
    return ca_issue_plan(t, &q, NULL);
}

static void profiles_that_acme_cannot_reach(void **state)
{
    struct rig *r = *state;
    static const struct {
        char name[32];
        int code;
    } rows[] = {{"nothing", LT_PEER_UNSUPPORTED},
                {"service", LT_POLICY_REFUSED},
                {"ca-root", LT_POLICY_REFUSED},
                {"ca-tls", LT_POLICY_REFUSED}};
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        char name[32];
        memcpy(name, rows[i].name, sizeof name);
        assert_fails(rig_run(r, plan_unknown_profile, name), rows[i].code);
    }
    assert_int_equal(rig_number(r, "SELECT count(*) FROM intent"), 0);
    assert_null(rig_last(r, IPC_SIGN_REQUEST));
}

static void names_that_the_profile_refuses(void **state)
{
    struct rig *r = *state;
    char mailbox[] = "ann@example.com";
    assert_fails(rig_run(r, rig_plan, mailbox), LT_POLICY_REFUSED);
}

static lt_res add_halt(struct rig *r, struct ca_turn *t, void *arg)
{
    const char *id = NULL;
    (void)r;
    return ca_halt_add(t, arg, LT_SLICE(NULL, 0), &id);
}

static Ipc__Halt halt_of(Ipc__HaltKind kind, char *value)
{
    static char reason[] = "test";
    static char who[] = "ann";
    Ipc__Halt h = IPC__HALT__INIT;
    h.kind = kind;
    h.value = value;
    h.reason = reason;
    h.operator_ = who;
    return h;
}

static void halts_stop_at_once(void **state)
{
    struct rig *r = *state;
    static char values[][32] = {"", "tls-server", "tls", "4", "example.com", "www.example.com"};
    static const Ipc__HaltKind kinds[] = {IPC__HALT_KIND__HALT_ALL,         IPC__HALT_KIND__HALT_PROFILE,
                                          IPC__HALT_KIND__HALT_ISSUER,      IPC__HALT_KIND__HALT_ACCOUNT,
                                          IPC__HALT_KIND__HALT_NAME_SUFFIX, IPC__HALT_KIND__HALT_NAME_SUFFIX};
    for (size_t i = 0; i < LT_COUNT(kinds); i++) {
        Ipc__Halt h = halt_of(kinds[i], values[i]);
        assert_ok(rig_run(r, add_halt, &h));
        assert_non_null(rig_last(r, IPC_HALT_LIST));
        assert_fails(rig_run(r, rig_plan, a_name), LT_POLICY_HALTED);
        bool hits_other = kinds[i] != IPC__HALT_KIND__HALT_NAME_SUFFIX;
        lt_res other = rig_run(r, rig_plan, other_name);
        assert_int_equal(other.code, hits_other ? LT_POLICY_HALTED : 0);
        assert_ok(store_script(r->store, "UPDATE halt SET lifted_us = 1"));
        assert_ok(ca_book_reload(r->book));
    }
    assert_ok(rig_run(r, rig_plan, a_name));
    rig_audit(r);
}

static lt_res step_known(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    return ca_halt_known(t, arg);
}

static void halts_of_what_is_not_there(void **state)
{
    struct rig *r = *state;
    static const struct {
        Ipc__HaltKind kind;
        char value[32];
        const char *told; /* NULL: it is there */
    } rows[] = {
        {IPC__HALT_KIND__HALT_ALL, "", NULL},
        {IPC__HALT_KIND__HALT_PROFILE, "tls-server", NULL},
        {IPC__HALT_KIND__HALT_PROFILE, "tls-serve", "tls-server"},
        {IPC__HALT_KIND__HALT_PROFILE, "tls", "no such profile"},
        {IPC__HALT_KIND__HALT_ISSUER, "tls", NULL},
        {IPC__HALT_KIND__HALT_ISSUER, "tsl", "there are "},
        {IPC__HALT_KIND__HALT_ISSUER, "tls-server", "no such issuer"},
        {IPC__HALT_KIND__HALT_ACCOUNT, "987654321", "no such account"},
        {IPC__HALT_KIND__HALT_NAME_SUFFIX, "no-such.example.com", NULL},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        char value[32];
        memcpy(value, rows[i].value, sizeof value);
        Ipc__Halt h = halt_of(rows[i].kind, value);
        assert_int_equal(rig_run(r, step_known, &h).code, rows[i].told == NULL ? 0 : LT_PEER_NOT_FOUND);
        assert_true(rows[i].told == NULL || strstr(lt_error_last()->detail, rows[i].told) != NULL);
    }
}

static void halts_that_are_none(void **state)
{
    struct rig *r = *state;
    static char values[][40] = {"x", "", "TLS", "0", "-4", ".example.com", "example..com", "ex ample.com"};
    static const Ipc__HaltKind kinds[] = {IPC__HALT_KIND__HALT_ALL,         IPC__HALT_KIND__HALT_PROFILE,
                                          IPC__HALT_KIND__HALT_ISSUER,      IPC__HALT_KIND__HALT_ACCOUNT,
                                          IPC__HALT_KIND__HALT_ACCOUNT,     IPC__HALT_KIND__HALT_NAME_SUFFIX,
                                          IPC__HALT_KIND__HALT_NAME_SUFFIX, IPC__HALT_KIND__HALT_NAME_SUFFIX};
    for (size_t i = 0; i < LT_COUNT(kinds); i++) {
        Ipc__Halt h = halt_of(kinds[i], values[i]);
        assert_fails(rig_run(r, add_halt, &h), LT_PEER_MALFORMED);
    }
    assert_int_equal(r->book->halt_count, 0);
}

static void a_lost_savepoint_leaves_no_trace(void **state)
{
    struct rig *r = *state;
    Ipc__Halt h = halt_of(IPC__HALT_KIND__HALT_ALL, (char[]){""});
    h.id = (char[]){"one"};
    assert_ok(rig_run(r, add_halt, &h));
    int64_t events = rig_number(r, "SELECT count(*) FROM event");
    size_t sent = r->sent_count;
    assert_fails(rig_run(r, add_halt, &h), LT_PEER_CONFLICT); /* the same id */
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event"), events);
    assert_int_equal(r->sent_count, sent);
    assert_int_equal(r->book->halt_count, 1);
    assert_int_equal(r->book->at.chain.sequence, events);
    rig_audit(r);
}

static lt_res step_halt_then_fail(struct rig *r, struct ca_turn *t, void *arg)
{
    LT_TRY(add_halt(r, t, arg));
    LT_CHECK(r->book->halt_count == 1, LT_STATE_IO, "the halt is not in memory");
    LT_FAIL(LT_PEER_NOT_FOUND, "on purpose");
}

static void memory_goes_back_with_the_savepoint(void **state)
{
    struct rig *r = *state;
    Ipc__Halt h = halt_of(IPC__HALT_KIND__HALT_ALL, (char[]){""});
    assert_ok(rig_begin(r));
    assert_fails(rig_message(r, step_halt_then_fail, &h), LT_PEER_NOT_FOUND);
    assert_int_equal(r->book->halt_count, 0);
    assert_ok(rig_message(r, rig_plan, a_name));
    assert_ok(rig_commit(r));
    assert_ok(rig_answer(r, SIZE_MAX));
    rig_audit(r);
}

struct revoke_args {
    uint32_t reason;
    bool by_operator;
};

static lt_res step_revoke(struct rig *r, struct ca_turn *t, void *arg)
{
    const struct revoke_args *a = arg;
    const struct ca_revoke_request q = {
        .issuer = 1,
        .serial = LT_SLICE(r->told[0], CA_SERIAL_LEN),
        .reason = a->reason,
        .by_whom = "account 4",
        .origin = a->by_operator ? CA_REVOKE_BY_OPERATOR : CA_REVOKE_BY_ACME,
        .reply_to = {IPC_NOTARY, 0, 9},
    };
    return ca_revoke_begin(t, &q);
}

static void revokes(void **state)
{
    struct rig *r = *state;
    struct revoke_args a = {.reason = CA_REASON_SUPERSEDED};
    assert_fails(rig_run(r, step_revoke, &a), LT_PEER_NOT_FOUND);
    assert_ok(rig_run(r, rig_plan, a_name));
    assert_ok(rig_answer(r, SIZE_MAX));
    assert_ok(rig_run(r, step_revoke, &a));
    assert_int_equal(r->revoked, 0); /* not before the signer has it */
    assert_int_equal(rig_number(r, "SELECT count(*) FROM revocation"), 0);
    assert_ok(rig_answer(r, SIZE_MAX));
    assert_int_equal(r->revoked, 1);
    assert_int_equal(rig_number(r, "SELECT reason FROM revocation"), CA_REASON_SUPERSEDED);
    assert_non_null(rig_last(r, IPC_PUBLISH_HINT));
    assert_fails(rig_run(r, step_revoke, &a), LT_PEER_CONFLICT);
    int64_t when = rig_number(r, "SELECT revoked_us FROM revocation");
    a.reason = CA_REASON_KEY_COMPROMISE; /* once, it may become worse */
    assert_ok(rig_run(r, step_revoke, &a));
    assert_ok(rig_answer(r, SIZE_MAX));
    assert_int_equal(rig_number(r, "SELECT reason FROM revocation"), CA_REASON_KEY_COMPROMISE);
    assert_int_equal(rig_number(r, "SELECT revoked_us FROM revocation"), when);
    assert_fails(rig_run(r, step_revoke, &a), LT_PEER_CONFLICT);
    a.reason = CA_REASON_SUPERSEDED;
    assert_fails(rig_run(r, step_revoke, &a), LT_PEER_CONFLICT);
    rig_audit(r);
}

/* While one revocation is open, no other request is answered by it, and none is lost. */
static void an_open_revocation_answers_its_own_reason(void **state)
{
    struct rig *r = *state;
    static const struct {
        uint32_t open;
        uint32_t asked;
        int code;
    } rows[] = {
        {CA_REASON_SUPERSEDED, CA_REASON_KEY_COMPROMISE, LT_RETRY_BUSY},
        {CA_REASON_UNSPECIFIED, CA_REASON_KEY_COMPROMISE, LT_RETRY_BUSY},
        {CA_REASON_SUPERSEDED, CA_REASON_CESSATION, LT_PEER_CONFLICT},
        {CA_REASON_SUPERSEDED, CA_REASON_UNSPECIFIED, LT_PEER_CONFLICT},
        {CA_REASON_KEY_COMPROMISE, CA_REASON_SUPERSEDED, LT_PEER_CONFLICT},
        {CA_REASON_SUPERSEDED, CA_REASON_SUPERSEDED, 0},
        {CA_REASON_KEY_COMPROMISE, CA_REASON_KEY_COMPROMISE, 0},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct revoke_args first = {.reason = rows[i].open};
        struct revoke_args second = {.reason = rows[i].asked};
        assert_ok(rig_run(r, rig_plan, a_name));
        assert_ok(rig_answer(r, SIZE_MAX));
        memcpy(r->told[0], r->told[r->told_count - 1], CA_SERIAL_LEN);
        size_t before = r->revoked;
        assert_ok(rig_run(r, step_revoke, &first));
        assert_int_equal(rig_run(r, step_revoke, &second).code, rows[i].code);
        assert_int_equal(r->revoked, before);
        assert_ok(rig_answer(r, SIZE_MAX));
        assert_int_equal(r->revoked, before + (rows[i].code == 0 ? 2 : 1));
        assert_int_equal(rig_number(r, "SELECT reason FROM revocation ORDER BY sequence DESC"), rows[i].open);
        if (rows[i].code == LT_RETRY_BUSY) { /* it comes again, as it was told to */
            assert_ok(rig_run(r, step_revoke, &second));
            assert_ok(rig_answer(r, SIZE_MAX));
            assert_int_equal(r->revoked, before + 2);
            assert_int_equal(rig_number(r, "SELECT reason FROM revocation ORDER BY sequence DESC"),
                             CA_REASON_KEY_COMPROMISE);
            assert_non_null(rig_last(r, IPC_KEY_BLOCK));
        }
        assert_ok(store_script(r->store, "DELETE FROM key_block"));
        assert_ok(ca_book_reload(r->book));
    }
}

static void a_compromised_key_is_blocked(void **state)
{
    struct rig *r = *state;
    struct revoke_args a = {.reason = CA_REASON_KEY_COMPROMISE};
    assert_ok(rig_run(r, rig_plan, a_name));
    assert_ok(rig_answer(r, SIZE_MAX));
    assert_ok(rig_run(r, step_revoke, &a));
    assert_ok(rig_answer(r, SIZE_MAX));
    assert_non_null(rig_last(r, IPC_KEY_BLOCK));
    int blocked = 0;
    for (int i = 0; i < 4; i++) { /* the rig has four keys in turn */
        blocked += rig_run(r, rig_plan, a_name).code == LT_POLICY_BLOCKED_KEY;
    }
    assert_int_equal(blocked, 1);
}

static void reasons(void **state)
{
    struct rig *r = *state;
    static const struct {
        uint32_t reason;
        bool subscriber;
        bool by_operator;
    } rows[] = {{0, true, true},   {1, true, true},  {2, false, false},  {3, true, true},
                {4, true, true},   {5, true, true},  {6, false, false},  {7, false, false},
                {8, false, false}, {9, false, true}, {10, false, false}, {255, false, false}};
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        assert_int_equal(ca_reason_allowed(rows[i].reason, false), rows[i].subscriber);
        assert_int_equal(ca_reason_allowed(rows[i].reason, true), rows[i].by_operator);
    }
    struct revoke_args a = {.reason = 6};
    assert_fails(rig_run(r, step_revoke, &a), LT_PEER_UNSUPPORTED);
}

static void a_revocation_survives_the_process(void **state)
{
    struct rig *r = *state;
    struct revoke_args a = {.reason = CA_REASON_CESSATION};
    assert_ok(rig_run(r, rig_plan, a_name));
    assert_ok(rig_answer(r, SIZE_MAX));
    assert_ok(rig_run(r, step_revoke, &a));
    reopen(r); /* killed before the signer has heard of it */
    assert_ok(rig_replay(r));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM revocation"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM revocation_open"), 0);
    rig_audit(r);
}

static void an_open_intent_is_asked_again(void **state)
{
    struct rig *r = *state;
    assert_ok(rig_run(r, rig_plan, a_name));
    reopen(r); /* killed before the question left */
    assert_ok(rig_replay(r));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM certificate WHERE delivered = 1"), 1);
    assert_int_equal(r->journal_count, 1);
    rig_audit(r);
}

static void what_was_signed_and_not_told(void **state)
{
    struct rig *r = *state;
    assert_ok(rig_run(r, rig_plan, a_name));
    /* The signer has it, the answer is lost with the process. */
    assert_ok(rig_answer(r, SIZE_MAX));
    assert_ok(store_script(r->store,
                           "DELETE FROM certificate; DELETE FROM certificate_der; DELETE FROM "
                           "certificate_name; DELETE FROM intent_end; DELETE FROM journal; DELETE FROM "
                           "event WHERE kind = 'certificate.issued'; INSERT INTO intent_open SELECT id, 1 "
                           "FROM intent"));
    r->acknowledged = 0;
    reopen(r);
    assert_ok(rig_replay(r));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM certificate WHERE delivered = 0"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM intent_open"), 0);
    rig_audit(r);
}

static void a_signature_that_nobody_wanted(void **state)
{
    struct rig *r = *state;
    struct rig_entry *e = &r->journal[r->journal_count++];
    *e = (struct rig_entry){.sequence = r->journal_count, .issuer = "tls", .serial = {9}, .signature_len = 8};
    assert_ok(rig_replay(r));
    assert_true(r->book->alarmed);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind = 'alarm.unknown-signature'"), 1);
    assert_fails(rig_run(r, rig_plan, a_name), LT_RETRY_UNAVAILABLE);
    assert_ok(rig_replay(r));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind = 'alarm.unknown-signature'"), 1);
    assert_int_equal(r->book->at.acknowledged, 0); /* never acknowledged away */
}

static void a_revocation_of_nothing(void **state)
{
    struct rig *r = *state;
    assert_ok(rig_run(r, rig_plan, a_name));
    struct rig_entry *e = &r->journal[r->journal_count++];
    *e = (struct rig_entry){.sequence = r->journal_count, .revocation = true, .issuer = "tls", .serial = {9}};
    assert_ok(rig_replay(r));
    assert_true(r->book->alarmed);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind = 'alarm.unknown-revocation'"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM revocation"), 0);
}

static lt_res step_refusal(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    return ca_issue_on_reply(t, arg);
}

static void a_refusal_is_kept(void **state)
{
    struct rig *r = *state;
    assert_ok(rig_run(r, rig_plan, a_name));
    Ipc__Finding f = IPC__FINDING__INIT;
    f.rule = (char[]){"br.test"};
    f.message = (char[]){"not \"good\""};
    Ipc__Finding *list[] = {&f};
    Ipc__SignReply m = IPC__SIGN_REPLY__INIT;
    m.intent_id = rig_number(r, "SELECT id FROM intent");
    m.outcome = (char[]){"refused"};
    m.refusal = (char[]){"lint"};
    m.detail = (char[]){"a rule says no"};
    m.findings = list;
    m.n_findings = 1;
    assert_ok(rig_run(r, step_refusal, &m));
    assert_int_equal(r->refused, 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM intent_end WHERE outcome = 'refused' AND "
                                   "json_extract(findings, '$[0].message') = 'not \"good\"'"),
                     1);
    m.outcome = (char[]){"signed"}; /* too late */
    assert_ok(rig_run(r, step_refusal, &m));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM certificate"), 0);
    rig_audit(r);
}

static void a_lying_signature(void **state)
{
    struct rig *r = *state;
    assert_ok(rig_run(r, rig_plan, a_name));
    uint8_t bytes[CA_SERIAL_LEN] = {1};
    Ipc__SignReply m = IPC__SIGN_REPLY__INIT;
    m.intent_id = rig_number(r, "SELECT id FROM intent");
    m.outcome = (char[]){"signed"};
    m.serial = (ProtobufCBinaryData){sizeof bytes, bytes};
    m.signature = (ProtobufCBinaryData){sizeof bytes, bytes};
    assert_fails(rig_run(r, step_refusal, &m), LT_PEER_MALFORMED);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM intent_open"), 1);
}

static lt_res step_crl(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    const struct ipc_addr from = {IPC_PUBLISHER, 0, 3};
    return ca_crl_store(t, &from, arg);
}

static bool crl_stored(struct rig *r, uint8_t number)
{
    uint8_t bytes[8] = {0, 0, 0, 0, 0, 0, 0, number};
    uint8_t der[4] = {0x30, 2, 5, number};
    uint8_t hash[CA_HASH_LEN];
    Ipc__CrlStore m = IPC__CRL_STORE__INIT;
    crypto_sha256(LT_SLICE(der, sizeof der), hash);
    m.sha256 = (ProtobufCBinaryData){sizeof hash, hash};
    m.issuer = (char[]){"tls"};
    m.number = (ProtobufCBinaryData){sizeof bytes, bytes};
    m.der = (ProtobufCBinaryData){sizeof der, der};
    assert_ok(rig_run(r, step_crl, &m));
    const struct rig_sent *s = rig_last(r, IPC_CRL_STORED);
    Ipc__CrlStored *a = ipc__crl_stored__unpack(NULL, s->packed.len, s->packed.ptr);
    bool ok = a->ok;
    ipc__crl_stored__free_unpacked(a, NULL);
    return ok;
}

static void crl_numbers_grow(void **state)
{
    struct rig *r = *state;
    for (uint8_t n = 1; n <= 6; n++) {
        assert_true(crl_stored(r, n));
    }
    assert_false(crl_stored(r, 6));
    assert_false(crl_stored(r, 2));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM crl"), 6);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM crl WHERE der IS NOT NULL"), CA_CRL_DERS_KEPT);
}

static lt_res step_knot(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    (void)arg;
    return ca_knot_tick(t);
}

static void knots_follow_the_chain(void **state)
{
    struct rig *r = *state;
    assert_ok(rig_run(r, step_knot, NULL));
    const struct rig_sent *first = rig_last(r, IPC_KNOT);
    assert_non_null(first);
    assert_int_equal(first->id, r->book->at.chain.sequence);
    assert_ok(rig_run(r, step_knot, NULL));
    assert_ptr_equal(rig_last(r, IPC_KNOT), first); /* nothing has moved */
    assert_ok(rig_run(r, rig_plan, a_name));
    assert_ok(rig_answer(r, SIZE_MAX));
    assert_ok(rig_run(r, step_knot, NULL));
    assert_ptr_not_equal(rig_last(r, IPC_KNOT), first);
}

static void expected(void *self, const char *what, const char *subject, const char *detail)
{
    (void)self;
    (void)what;
    (void)subject;
    (void)detail;
}

static void changed_books_show(void **state)
{
    struct rig *r = *state;
    static const char *const crimes[] = {
        "UPDATE event SET body = '{}' WHERE kind = 'certificate.issued'",
        "DELETE FROM event WHERE sequence = 3",
        "UPDATE event SET time_us = time_us + 1 WHERE sequence = 2",
        "UPDATE certificate SET sha256 = zeroblob(32)",
        "DELETE FROM certificate_der",
        "UPDATE intent SET tbs = zeroblob(100)",
        "DELETE FROM intent_end",
    };
    for (size_t i = 0; i < LT_COUNT(crimes); i++) {
        assert_ok(rig_run(r, rig_plan, a_name));
        assert_ok(rig_answer(r, SIZE_MAX));
        assert_ok(store_begin(r->store));
        assert_ok(store_script(r->store, crimes[i]));
        struct ca_audit quiet = {.store = r->store, .operators = &r->book->operators, .found = expected};
        assert_ok(ca_audit_events(&quiet));
        assert_ok(ca_audit_certificates(&quiet));
        assert_true(quiet.counts.findings > 0);
        store_rollback(r->store);
        rig_audit(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(issues, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_issued_reads_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(profiles_that_acme_cannot_reach, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_that_the_profile_refuses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(halts_stop_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(halts_of_what_is_not_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(halts_that_are_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_lost_savepoint_leaves_no_trace, set_up, tear_down),
        cmocka_unit_test_setup_teardown(memory_goes_back_with_the_savepoint, set_up, tear_down),
        cmocka_unit_test_setup_teardown(revokes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_open_revocation_answers_its_own_reason, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_compromised_key_is_blocked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reasons, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_revocation_survives_the_process, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_open_intent_is_asked_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_signed_and_not_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_signature_that_nobody_wanted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_revocation_of_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_refusal_is_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_lying_signature, set_up, tear_down),
        cmocka_unit_test_setup_teardown(crl_numbers_grow, set_up, tear_down),
        cmocka_unit_test_setup_teardown(knots_follow_the_chain, set_up, tear_down),
        cmocka_unit_test_setup_teardown(changed_books_show, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("book", tests, rig_group_setup, rig_group_teardown);
}
