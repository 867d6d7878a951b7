/* What a verified proof does in the book: blocked, planned, told; nonces; the same again; what is none of
 * ours. */
#include "../ca/book_rig.h"
#include "../check.h"

#include <stdlib.h>
#include <unistd.h>

#include "ca/compromise.h"
#include "incident/op.h"
#include "incident/proof_beat.h"
#include "incident/proof_book.h"
#include "store/internal.h"

#define PATH "/tmp/lintel-test-proof-book.db"

enum { DAY_S = 86400 };

static uint8_t key[CA_HASH_LEN] = {7, 7};
static uint8_t other_form[CA_HASH_LEN] = {7, 8};
static uint8_t unknown[CA_HASH_LEN] = {7, 9};

static void remove_files(void)
{
    (void)unlink(PATH);
    (void)unlink(PATH "-wal");
    (void)unlink(PATH "-shm");
}

static const struct store_sql add_sql = {
    "t.certificate",
    "INSERT INTO certificate (issuer, serial, copy, kind, profile, sha256, spki_sha256, key_type, key_bits, "
    "not_before_us, not_after_us, issued_us, account, order_id, name_set_sha256, name_count, rule_set, "
    "build, delivered, worst_method, worst_dimension, oldest_validation_us, oldest_caa_us, least_quorum, "
    "shard, sequence) VALUES (1, ?1, 0, 'imported', 1, ?1, ?2, 1, 256, ?4, ?3, 0, ?5, 0, ?1, 1, '', '', 1, "
    "'', 0, 0, 0, 0, 0, 0)"};
static const struct store_sql account_sql = {
    "t.account", "INSERT INTO account (id, thumbprint, spki, alg, status, contacts, created_us, address) "
                 "VALUES (?1, ?2, ?2, 'ES256', 'valid', ?3, 0, '')"};

static void add_one(struct rig *r, uint8_t number, const uint8_t *spki, int64_t until_s, int64_t account)
{
    uint8_t serial[CA_SERIAL_LEN] = {0x11, number};
    assert_ok(store_begin(r->store));
    assert_ok(store_exec(
        r->store, &add_sql,
        STORE_ARGS(STORE_B(LT_SLICE(serial, sizeof serial)), STORE_B(LT_SLICE(spki, CA_HASH_LEN)),
                   STORE_I(lt_time_add_seconds(r->now, until_s).us),
                   STORE_I(lt_time_add_seconds(r->now, -10 * (int64_t)DAY_S).us), STORE_I(account)),
        NULL));
    assert_ok(store_commit(r->store));
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

/* ---- steps ---- */

struct attempt {
    Ipc__KeyProof proof;
    struct incident_proven proven;
    struct incident_proof_answer answer;
    char words[256];
    char nonce[INCIDENT_PROOF_NONCE_LEN + 1];
};

static void attempt_init(struct attempt *a, const uint8_t *spki)
{
    static char kind[] = "csr";
    static char verdict[] = "proven";
    static char type[] = "P-256";
    static char none[] = "";
    static uint8_t evidence[] = {1, 2, 3};
    static uint8_t evidence_hash[CA_HASH_LEN] = {5};
    memset(a, 0, sizeof *a);
    ipc__key_proof__init(&a->proof);
    a->proof.kind = kind;
    a->proof.verdict = verdict;
    a->proof.key_type = type;
    a->proof.why = none;
    a->proof.spki_sha256 = (ProtobufCBinaryData){CA_HASH_LEN, (uint8_t *)(uintptr_t)spki};
    a->proof.evidence = (ProtobufCBinaryData){sizeof evidence, evidence};
    a->proof.evidence_sha256 = (ProtobufCBinaryData){sizeof evidence_hash, evidence_hash};
    a->proven = (struct incident_proven){.proof = &a->proof, .via = "form", .filer = ""};
}

static lt_res act(struct rig *r, struct ca_turn *t, void *arg)
{
    struct attempt *a = arg;
    (void)r;
    LT_TRY(incident_proof_act(t, &a->proven, &a->answer));
    (void)snprintf(a->words, sizeof a->words, "%s", a->answer.words);
    return LT_OK;
}

static lt_res draw(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    return incident_proof_nonce(t, ((struct attempt *)arg)->nonce);
}

static lt_res beat(struct rig *r, struct ca_turn *t, void *arg)
{
    struct incident_beat b = {.t = t};
    (void)r;
    return incident_proof_beat(&b, arg);
}

static void beats(struct rig *r)
{
    bool more = true;
    for (size_t i = 0; i < 10 && more; i++) {
        assert_ok(rig_run(r, beat, &more));
    }
}

static void assert_outcome(struct rig *r, struct attempt *a, const char *outcome, int64_t certificates)
{
    assert_ok(rig_run(r, act, a));
    assert_string_equal(a->answer.outcome, outcome);
    assert_int_equal(a->answer.certificates, certificates);
    assert_true(strcmp(outcome, "not-proven") == 0 || a->words[0] != '\0');
}

static void run_sql(struct rig *r, const struct store_sql *which)
{
    assert_ok(store_begin(r->store));
    assert_ok(store_exec(r->store, which, NULL, 0, NULL));
    assert_ok(store_commit(r->store));
}

static int64_t events(struct rig *r, const char *kind)
{
    char text[160];
    (void)snprintf(text, sizeof text, "SELECT count(*) FROM event WHERE kind = '%s'", kind);
    return rig_number(r, text);
}

/* ---- tests ---- */

static void test_a_known_key(void **state)
{
    struct rig *r = *state;
    struct attempt a;
    add_one(r, 1, key, 90 * DAY_S, 3);
    add_one(r, 2, key, 90 * DAY_S, 3);
    add_one(r, 3, key, -1, 3);
    attempt_init(&a, key);
    assert_outcome(r, &a, "revoking", 2);
    assert_int_equal(events(r, "proof.accepted"), 1);
    assert_int_equal(events(r, "key.blocked"), 1);
    assert_int_equal(events(r, "mass.created"), 1);
    assert_int_equal(rig_number(r, "SELECT most FROM mass_auto"), INT64_MAX);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM key_block"), 1);
    assert_int_equal(rig_number(r, "SELECT certificates FROM key_compromise"), 2);
    /* The same again, whoever brings it: no second event, no second plan. */
    a.proven.via = "mail";
    assert_outcome(r, &a, "revoking", 2);
    assert_int_equal(events(r, "proof.accepted"), 1);
    assert_int_equal(events(r, "mass.created"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM key_compromise"), 1);
}

static void test_a_key_of_nobody(void **state)
{
    struct rig *r = *state;
    struct attempt a;
    int64_t before = rig_number(r, "SELECT count(*) FROM event");
    add_one(r, 1, key, 90 * DAY_S, 3);
    attempt_init(&a, unknown);
    assert_outcome(r, &a, "unknown-key", 0);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event"), before);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM key_block"), 0);
}

static void test_what_is_not_proven(void **state)
{
    static char verdicts[][16] = {"nothing", "forged", "key-missing", "unreadable", ""};
    struct rig *r = *state;
    struct attempt a;
    add_one(r, 1, key, 90 * DAY_S, 3);
    for (size_t i = 0; i < LT_COUNT(verdicts); i++) {
        attempt_init(&a, key);
        a.proof.verdict = verdicts[i];
        assert_outcome(r, &a, "not-proven", 0);
    }
    attempt_init(&a, key);
    a.proof.spki_sha256.len = 31;
    assert_outcome(r, &a, "not-proven", 0);
    attempt_init(&a, key);
    a.proof.kind[0] = '\0';
    assert_outcome(r, &a, "not-proven", 0);
    a.proof.kind[0] = 'c';
    assert_int_equal(rig_number(r, "SELECT count(*) FROM key_compromise"), 0);
}

/* Certificates that were brought in may have the key in the form in which the proof has it. */
static void test_two_forms_of_a_key(void **state)
{
    struct rig *r = *state;
    struct attempt a;
    add_one(r, 1, key, 90 * DAY_S, 3);
    add_one(r, 2, other_form, 90 * DAY_S, 4);
    attempt_init(&a, key);
    a.proof.sent_sha256 = (ProtobufCBinaryData){CA_HASH_LEN, other_form};
    assert_outcome(r, &a, "revoking", 2);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM key_block"), 2);
    assert_int_equal(events(r, "proof.accepted"), 2);
}

static void test_only_expired_ones(void **state)
{
    struct rig *r = *state;
    struct attempt a;
    add_one(r, 1, key, -1, 3);
    attempt_init(&a, key);
    assert_outcome(r, &a, "revoking", 0);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM key_block"), 1);
    assert_int_equal(events(r, "mass.created"), 0);
    beats(r);
    assert_int_equal(rig_number(r, "SELECT step FROM key_compromise"), CA_COMPROMISE_DONE);
    assert_outcome(r, &a, "known", 0);
}

static void test_nonces(void **state)
{
    struct rig *r = *state;
    struct attempt a;
    struct attempt late;
    add_one(r, 1, key, 90 * DAY_S, 3);
    attempt_init(&a, key);
    assert_ok(rig_run(r, draw, &a));
    a.proof.nonce = a.nonce;
    a.nonce[0] ^= 1; /* of another time than its MAC */
    assert_outcome(r, &a, "nonce", 1);
    a.nonce[0] ^= 1;
    a.nonce[31] ^= 1;
    assert_outcome(r, &a, "nonce", 1);
    a.nonce[31] ^= 1;
    assert_int_equal(rig_number(r, "SELECT count(*) FROM key_block"), 0);
    assert_outcome(r, &a, "revoking", 1);
    assert_outcome(r, &a, "nonce", 1); /* once */
    attempt_init(&late, key);
    assert_ok(rig_run(r, draw, &late));
    late.proof.nonce = late.nonce;
    assert_string_not_equal(late.nonce, a.nonce);
    r->now = lt_time_add_seconds(r->now, INCIDENT_PROOF_NONCE_LIFE_S + 1);
    assert_outcome(r, &late, "nonce", 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM proof_nonce_used"), 1);
    beats(r);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM proof_nonce_used"), 0);
}

/* As a mass revocation leaves them. */
static void revoke_all(struct rig *r)
{
    static const struct store_sql revoked = {
        "t.revoked",
        "INSERT INTO revocation (issuer, shard, serial, reason, revoked_us, recorded_us, not_after_us, "
        "by_whom, "
        "sequence) SELECT issuer, shard, serial, 1, 1, 1, not_after_us, 't', 0 FROM certificate"};
    static const struct store_sql done = {"t.done", "UPDATE mass SET status = 'done'"};
    run_sql(r, &revoked);
    run_sql(r, &done);
}

static void test_both_sides_are_told(void **state)
{
    struct rig *r = *state;
    struct attempt a;
    uint8_t print[CA_HASH_LEN] = {3};
    assert_ok(store_begin(r->store));
    assert_ok(store_exec(r->store, &account_sql,
                         STORE_ARGS(STORE_I(3), STORE_B(LT_SLICE(print, sizeof print)),
                                    STORE_S("[\"mailto:owner@example.com\"]")),
                         NULL));
    assert_ok(store_commit(r->store));
    add_one(r, 1, key, 90 * DAY_S, 3);
    add_one(r, 2, key, 90 * DAY_S, 3);
    add_one(r, 3, key, 90 * DAY_S, 0);
    attempt_init(&a, key);
    a.proven.filer = "reporter@example.net";
    assert_outcome(r, &a, "revoking", 3);
    beats(r);
    assert_int_equal(events(r, "proof.settled"), 0);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM notice"), 0);
    revoke_all(r);
    r->now = lt_time_add_seconds(r->now, 3);
    beats(r);
    assert_int_equal(events(r, "proof.settled"), 1);
    assert_int_equal(rig_number(r, "SELECT step FROM key_compromise"), CA_COMPROMISE_DONE);
    assert_int_equal(rig_number(r, "SELECT certificates FROM key_compromise_account WHERE account = 3"), 2);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM notice WHERE kind = 'key-blocked' AND "
                                   "recipient = 'owner@example.com'"),
                     1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM notice WHERE kind = 'proof-accepted' AND "
                                   "recipient = 'reporter@example.net'"),
                     1);
    beats(r);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM notice"), 2);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM clock WHERE duty = 'revoke-tls/key-compromise' AND "
                                   "status = 'met'"),
                     1);
    assert_outcome(r, &a, "known", 0);
}

/* Whatever keeps them: somebody is called, once. */
static void test_certificates_that_stay(void **state)
{
    struct rig *r = *state;
    struct attempt a;
    add_one(r, 1, key, 90 * DAY_S, 3);
    attempt_init(&a, key);
    assert_outcome(r, &a, "revoking", 1);
    beats(r);
    assert_int_equal(rig_number(r, "SELECT step FROM key_compromise"), CA_COMPROMISE_REVOKING);
    r->now = lt_time_add_seconds(r->now, 61);
    beats(r);
    assert_int_equal(rig_number(r, "SELECT step FROM key_compromise"), CA_COMPROMISE_LATE);
    beats(r);
    revoke_all(r);
    beats(r);
    assert_int_equal(rig_number(r, "SELECT step FROM key_compromise"), CA_COMPROMISE_DONE);
}

/* The clock began when the report came, which may be long ago. */
static void test_a_late_report(void **state)
{
    struct rig *r = *state;
    struct attempt a;
    add_one(r, 1, key, 90 * DAY_S, 3);
    attempt_init(&a, key);
    a.proven.received = lt_time_add_seconds(r->now, -2 * DAY_S);
    assert_outcome(r, &a, "revoking", 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM mass WHERE late_because <> ''"), 1);
    assert_int_equal(rig_number(r, "SELECT aware_us FROM mass"), a.proven.received.us);
}

/* A key that comes back in certificates brought in later: they follow when it is proven again. */
static void test_again_after_all_was_done(void **state)
{
    struct rig *r = *state;
    struct attempt a;
    add_one(r, 1, key, 90 * DAY_S, 3);
    attempt_init(&a, key);
    assert_outcome(r, &a, "revoking", 1);
    revoke_all(r);
    beats(r);
    assert_outcome(r, &a, "known", 0);
    add_one(r, 2, key, 90 * DAY_S, 3);
    assert_outcome(r, &a, "revoking", 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM mass"), 2);
    assert_int_equal(rig_number(r, "SELECT step FROM key_compromise"), CA_COMPROMISE_REVOKING);
}

#define TEST(name_) cmocka_unit_test_setup_teardown(name_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_known_key),         TEST(test_a_key_of_nobody),
        TEST(test_what_is_not_proven),  TEST(test_two_forms_of_a_key),
        TEST(test_only_expired_ones),   TEST(test_nonces),
        TEST(test_both_sides_are_told), TEST(test_certificates_that_stay),
        TEST(test_a_late_report),       TEST(test_again_after_all_was_done),
    };
    return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
