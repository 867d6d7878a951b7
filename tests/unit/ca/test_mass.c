/* Mass revocation on a real book: frozen, sealed, approved, journaled, written; stopped and killed anywhere.
 */
#include "../check.h"
#include "book_rig.h"

#include <stdlib.h>
#include <unistd.h>

#include "ca/audit.h"
#include "ca/config.h"
#include "ca/hold.h"
#include "ca/key_block.h"
#include "ca/mass.h"
#include "ca/merkle.h"
#include "ca/reasons.h"
#include "crypto/digest.h"
#include "store/internal.h"

#define PATH "/tmp/lintel-test-mass.db"

enum { MANY = 12345, FEW = 40 };

static uint8_t key[CA_HASH_LEN] = {7, 7, 7};

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

static const struct store_sql add_sql = {
    "t.certificate",
    "INSERT INTO certificate (issuer, serial, copy, kind, profile, sha256, spki_sha256, key_type, key_bits, "
    "not_before_us, not_after_us, issued_us, account, order_id, name_set_sha256, name_count, rule_set, "
    "build, "
    "delivered, worst_method, worst_dimension, oldest_validation_us, oldest_caa_us, least_quorum, shard, "
    "sequence) VALUES (1, ?1, 0, 'imported', 1, ?1, ?2, 1, 256, 0, ?3, 0, 0, 0, ?1, 1, '', '', 1, '', 0, 0, "
    "0, "
    "0, ?4, 0)"};

static void serial_of(size_t i, uint8_t *ret_serial)
{
    memset(ret_serial, 0, CA_SERIAL_LEN);
    ret_serial[0] = 0x10;
    for (size_t at = 0; at < 4; at++) {
        ret_serial[CA_SERIAL_LEN - 1 - at] = (uint8_t)(i >> (8 * at));
    }
}

/* Certificates of one key over four parts of the CRL. */
static void add_certificates(struct rig *r, size_t count)
{
    assert_ok(store_begin(r->store));
    for (size_t i = 0; i < count; i++) {
        uint8_t serial[CA_SERIAL_LEN];
        serial_of(i, serial);
        int64_t not_after_us = lt_time_add_seconds(r->now, (int64_t)90 * LT_SECONDS_PER_DAY).us;
        assert_ok(
            store_exec(r->store, &add_sql,
                       STORE_ARGS(STORE_B(LT_SLICE(serial, sizeof serial)),
                                  STORE_B(LT_SLICE(key, sizeof key)), STORE_I(not_after_us), STORE_I(i % 4)),
                       NULL));
    }
    assert_ok(store_commit(r->store));
}

struct args {
    Ipc__MassWanted wanted;
    Ipc__HoldWanted hold;
    Ipc__Members page;
    lt_res (*act)(struct ca_turn *t, const struct ca_plan_asker *by, const Ipc__MassWanted *m,
                  const char **ret_json);
    bool more;
    char json[8192];
};

static struct args *fresh_args(void)
{
    static struct args a;
    memset(&a, 0, sizeof a);
    ipc__mass_wanted__init(&a.wanted);
    ipc__hold_wanted__init(&a.hold);
    ipc__members__init(&a.page);
    a.wanted.stop_after = -1;
    return &a;
}

static lt_res step_act(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    struct args *a = arg;
    const struct ca_plan_asker by = {.operator_name = "ann"};
    const char *json = NULL;
    LT_TRY(a->act(t, &by, &a->wanted, &json));
    (void)snprintf(a->json, sizeof a->json, "%s", json);
    return LT_OK;
}

static lt_res act(struct rig *r, struct args *a,
                  lt_res (*what)(struct ca_turn *t, const struct ca_plan_asker *by, const Ipc__MassWanted *m,
                                 const char **ret_json))
{
    a->act = what;
    return rig_run(r, step_act, a);
}

static lt_res step_slice(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    struct args *a = arg;
    return ca_mass_step(t, &a->more);
}

/* Slices, and the signer's answers, until nothing moves any more. */
static void run_out(struct rig *r)
{
    struct args *a = calloc(1, sizeof *a);
    assert_non_null(a);
    bool moved = true;
    while (moved) {
        size_t answered = r->answered;
        assert_ok(rig_run(r, step_slice, a));
        assert_ok(rig_answer(r, SIZE_MAX));
        moved = a->more || r->answered > answered;
    }
    free(a);
}

static lt_res step_approved(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    const char *const *names = arg;
    return ca_mass_approved(t, lt_slice_cstr(names[0]), names[1]);
}

enum text { MASS_ID, MASS_PLAN, MASS_STATUS, MASS_WHY, ISSUER_NAME };

/* A statement is known by its address. */
static void text_of(struct rig *r, enum text which, char *out, size_t size)
{
    static const struct store_sql texts[] = {
        [MASS_ID] = {"t.id", "SELECT 'm' || id FROM mass"},
        [MASS_PLAN] = {"t.plan", "SELECT plan FROM mass"},
        [MASS_STATUS] = {"t.status", "SELECT status FROM mass"},
        [MASS_WHY] = {"t.why", "SELECT why FROM mass"},
        [ISSUER_NAME] = {"t.issuer", "SELECT name FROM issuer WHERE id = 1"},
    };
    struct store_rows rows;
    assert_ok(store_query(r->store, &texts[which], STORE_NO_ARGS, &rows));
    assert_true(store_next(&rows));
    (void)snprintf(out, size, "%s", store_cstr(&rows, 0));
    assert_ok(store_rows_end(&rows));
}

static void approve(struct rig *r)
{
    char id[64];
    char plan[64];
    text_of(r, MASS_ID, id, sizeof id);
    text_of(r, MASS_PLAN, plan, sizeof plan);
    const char *const names[] = {id, plan};
    assert_ok(rig_run(r, step_approved, (void *)(uintptr_t)names));
}

static void unexpected(void *self, const char *what, const char *subject, const char *detail)
{
    struct rig *r = self;
    if (strcmp(what, "issuer") == 0) {
        return; /* the rig's are made up */
    }
    (void)subject;
    (void)detail;
    r->unexpected++;
}

/* Chain and journal: the certificates here have no bytes. */
static void audit(struct rig *r)
{
    struct ca_audit a = {.store = r->store, .operators = &r->book->operators, .self = r, .found = unexpected};
    assert_ok(ca_audit_events(&a));
    assert_ok(ca_audit_rows(&a));
    for (size_t i = 0; i < r->journal_count; i++) {
        enum { BATCH_KEY_LEN = 12 };
        struct journal_entry e = {.sequence = r->journal[i].sequence,
                                  .what = JOURNAL_REVOCATIONS,
                                  .issuer = lt_slice_cstr(r->journal[i].issuer),
                                  .serial = LT_SLICE(r->journal[i].serial, BATCH_KEY_LEN)};
        memcpy(e.digest, r->journal[i].tbs_sha256, sizeof e.digest);
        assert_ok(ca_audit_journal_entry(&a, &e));
    }
    assert_int_equal(r->unexpected, 0);
}

static void assert_status(struct rig *r, const char *status)
{
    char now[64];
    text_of(r, MASS_STATUS, now, sizeof now);
    if (strcmp(now, status) != 0) {
        char why[256];
        text_of(r, MASS_WHY, why, sizeof why);
        print_error("%s: %s\n", now, why);
    }
    assert_string_equal(now, status);
}

static struct args *of_key(uint32_t reason)
{
    struct args *a = fresh_args();
    a->wanted.spki_sha256 = (ProtobufCBinaryData){sizeof key, key};
    a->wanted.reason = reason;
    return a;
}

static lt_res step_hold(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    struct args *a = arg;
    const struct ca_hold_asker by = {.operator_name = "ann"};
    const char *json = NULL;
    return ca_hold_add(t, &by, &a->hold, &json);
}

static lt_res step_lift(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    struct args *a = arg;
    const struct ca_hold_asker by = {.operator_name = "bob"};
    const char *json = NULL;
    return ca_hold_lift(t, &by, &a->hold, &json);
}

/* The array outlives the step. */
static void hold_of(struct args *a, size_t i)
{
    static uint8_t serial[CA_SERIAL_LEN];
    static char issuer[] = "tls";
    static char reason[] = "temporary restraining order";
    static char reference[] = "Case 2:24-cv-00000";
    serial_of(i, serial);
    a->hold.issuer = issuer;
    a->hold.serial = (ProtobufCBinaryData){sizeof serial, serial};
    a->hold.reason = reason;
    a->hold.reference = reference;
}

static void issuer_named_as_in_the_book(struct rig *r, struct args *a)
{
    static char name[64];
    text_of(r, ISSUER_NAME, name, sizeof name);
    a->hold.issuer = name;
}

static const struct store_sql revoke_sql = {
    "t.revoked",
    "INSERT INTO revocation (issuer, shard, serial, reason, revoked_us, recorded_us, not_after_us, "
    "by_whom, sequence) SELECT issuer, shard, serial, 4, 1000, 1000, not_after_us, 'ann', 0 FROM "
    "certificate WHERE serial = ?1"};

static void revoked_before(struct rig *r, size_t i)
{
    uint8_t serial[CA_SERIAL_LEN];
    serial_of(i, serial);
    assert_ok(store_exec(r->store, &revoke_sql, STORE_ARGS(STORE_B(LT_SLICE(serial, sizeof serial))), NULL));
}

static void whole_way(void **state)
{
    struct rig *r = *state;
    add_certificates(r, MANY);
    revoked_before(r, 3);
    revoked_before(r, 10001);
    rig_tally(r);
    struct args *a = of_key(CA_REASON_SUPERSEDED);
    hold_of(a, 77);
    issuer_named_as_in_the_book(r, a);
    assert_ok(rig_run(r, step_hold, a));
    assert_fails(rig_run(r, step_hold, a), LT_PEER_CONFLICT);
    assert_ok(act(r, a, ca_mass_create));
    assert_status(r, "freezing");
    run_out(r);
    assert_status(r, "proposed");
    assert_int_equal(rig_number(r, "SELECT count FROM mass"), MANY);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM mass_batch"), 2);
    assert_int_equal(
        rig_number(r, "SELECT count(*) FROM plan WHERE action = 'mass.revoke' AND count = 12345"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM revocation"), 2); /* nothing yet */
    char id[64];
    text_of(r, MASS_ID, id, sizeof id);
    a->wanted.id = id;
    assert_fails(act(r, a, ca_mass_start), LT_POLICY_APPROVAL); /* not alone */
    approve(r);
    run_out(r);
    assert_status(r, "done");
    assert_int_equal(rig_number(r, "SELECT count(*) FROM revocation"), MANY - 1);
    assert_int_equal(rig_number(r, "SELECT revoked FROM mass"), MANY - 3);
    assert_int_equal(rig_number(r, "SELECT already FROM mass"), 2);
    assert_int_equal(rig_number(r, "SELECT held FROM mass"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM mass_member WHERE state = 1"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind = 'certificates.revoked'"), 2);
    assert_int_equal(r->journal_count, 2); /* one record for a batch */
    assert_non_null(rig_last(r, IPC_PUBLISH_HINT));
    assert_ok(rig_run(r, step_lift, a));
    assert_fails(rig_run(r, step_lift, a), LT_PEER_NOT_FOUND);
    audit(r);
    rig_tally_is_exact(r);
    struct ca_audit changed = {
        .store = r->store, .operators = &r->book->operators, .self = r, .found = unexpected};
    assert_ok(store_script(r->store, "UPDATE revocation SET reason = 5 WHERE serial = "
                                     "(SELECT max(serial) FROM revocation)"));
    assert_ok(ca_audit_rows(&changed));
    assert_int_equal(r->unexpected, 1); /* no batch says so */
}

static void asked_twice_is_made_once(void **state)
{
    struct rig *r = *state;
    add_certificates(r, FEW);
    struct args *a = of_key(CA_REASON_SUPERSEDED);
    assert_ok(act(r, a, ca_mass_create));
    assert_ok(act(r, a, ca_mass_create));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM mass"), 1);
    a->wanted.reason = CA_REASON_CESSATION;
    assert_ok(act(r, a, ca_mass_create));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM mass"), 2);
}

static lt_res step_plan_again(struct rig *r, struct ca_turn *t, void *arg)
{
    const lt_time *expires = arg;
    const struct ca_plan_asker by = {.operator_name = "bob"};
    return ca_mass_propose_again(t, &by, rig_number(r, "SELECT id FROM mass"), *expires);
}

static lt_res plan_again(struct rig *r, lt_time begun, int64_t hours)
{
    lt_time expires = hours == 0 ? (lt_time){0} : lt_time_add_seconds(begun, hours * 3600);
    return rig_run(r, step_plan_again, &expires);
}

/* Nobody approved in time: the list is as it was frozen, and has another plan. */
static void a_plan_that_has_expired(void **state)
{
    struct rig *r = *state;
    add_certificates(r, MANY);
    static char cause[] = "not-issued-per-rules";
    const lt_time begun = r->now;
    struct args *a = of_key(CA_REASON_SUPERSEDED);
    a->wanted.cause = cause;
    assert_ok(act(r, a, ca_mass_create));
    assert_ok(plan_again(r, begun, 24 * 6)); /* there is no plan yet */
    run_out(r);
    assert_status(r, "proposed");
    char first[64];
    char id[64];
    text_of(r, MASS_ID, id, sizeof id);
    text_of(r, MASS_PLAN, first, sizeof first);
    assert_ok(act(r, a, ca_mass_create)); /* in time: the same plan */
    assert_int_equal(rig_number(r, "SELECT count(*) FROM plan"), 1);
    assert_fails(plan_again(r, begun, 24 * 5 + 1), LT_PEER_MALFORMED); /* behind the deadline */
    assert_int_equal(rig_number(r, "SELECT count(*) FROM plan"), 1);
    r->now = lt_time_add_seconds(r->now, 24 * 3600);
    assert_ok(act(r, a, ca_mass_create));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM mass"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM plan WHERE status = 'proposed' AND count = 12345"),
                     1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM plan WHERE status = 'expired'"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind = 'mass.proposed-again'"), 1);
    assert_ok(plan_again(r, begun, 24 * 4)); /* longer than a day */
    assert_ok(plan_again(r, begun, 24 * 4));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM plan WHERE status = 'replaced'"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM plan"), 3);
    const char *const before[] = {id, first};
    assert_fails(rig_run(r, step_approved, (void *)(uintptr_t)before), LT_PEER_CONFLICT);
    r->now = lt_time_add_seconds(r->now, 2 * 24 * 3600);
    approve(r);
    run_out(r);
    assert_status(r, "done");
    assert_int_equal(rig_number(r, "SELECT revoked FROM mass"), MANY);
    assert_fails(plan_again(r, begun, 100), LT_PEER_CONFLICT);
    assert_ok(plan_again(r, begun, 0)); /* nothing to propose */
    audit(r);
}

/* Killed behind every message, the end is the same. */
static void killed_anywhere(void **state)
{
    struct rig *r = *state;
    add_certificates(r, MANY);
    assert_ok(act(r, of_key(CA_REASON_SUPERSEDED), ca_mass_create));
    struct args *a = calloc(1, sizeof *a);
    assert_non_null(a);
    size_t turns = 0;
    for (bool done = false; !done; turns++) {
        assert_true(turns < 200);
        assert_ok(rig_run(r, step_slice, a));
        if (rig_number(r, "SELECT count(*) FROM revocation") > 0) {
            rig_tally_slice(r); /* counted while it runs: some members before their entries, some behind */
        }
        if (rig_number(r, "SELECT count(*) FROM mass WHERE status = 'proposed'") == 1) {
            approve(r);
        }
        done = rig_number(r, "SELECT count(*) FROM mass WHERE status = 'done'") == 1;
        if (turns % 3 == 0) {
            assert_ok(
                rig_answer(r, SIZE_MAX)); /* otherwise the answer is lost, and only the journal has it */
        } else {
            lt_ignore(rig_answer(r, turns % 3 == 1 ? SIZE_MAX : 0));
        }
        rig_close(r);
        assert_ok(rig_open(r, PATH, NULL, false));
        assert_ok(rig_replay(r));
    }
    free(a);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM revocation"), MANY);
    assert_int_equal(rig_number(r, "SELECT revoked FROM mass"), MANY);
    assert_int_equal(r->journal_count, 2);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind = 'certificates.revoked'"), 2);
    audit(r);
    rig_tally(r);
    rig_tally_is_exact(r);
}

/* What the signer has comes into the book, even if the mass is paused meanwhile. */
static void paused_with_a_batch_on_its_way(void **state)
{
    struct rig *r = *state;
    add_certificates(r, MANY);
    struct args *a = of_key(CA_REASON_SUPERSEDED);
    assert_ok(act(r, a, ca_mass_create));
    run_out(r);
    approve(r);
    struct args *slice = calloc(1, sizeof *slice);
    assert_non_null(slice);
    assert_ok(rig_run(r, step_slice, slice)); /* checked */
    assert_ok(rig_run(r, step_slice, slice)); /* both batches asked */
    free(slice);
    char id[64];
    text_of(r, MASS_ID, id, sizeof id);
    a->wanted.id = id;
    assert_ok(act(r, a, ca_mass_pause));
    assert_fails(act(r, a, ca_mass_pause), LT_PEER_CONFLICT);
    run_out(r);
    assert_status(r, "paused");
    assert_int_equal(rig_number(r, "SELECT count(*) FROM revocation"), MANY);
    assert_ok(act(r, a, ca_mass_resume));
    run_out(r);
    assert_status(r, "done");
    assert_fails(act(r, a, ca_mass_stop), LT_PEER_CONFLICT);
    audit(r);
}

static void a_compromised_key(void **state)
{
    struct rig *r = *state;
    add_certificates(r, FEW);
    revoked_before(r, 3);
    rig_tally(r);
    struct args *a = of_key(CA_REASON_KEY_COMPROMISE);
    static char cause[] = "key-compromise";
    a->wanted.block = true;
    a->wanted.cause = cause;
    a->wanted.revoked_us = 500;
    assert_ok(act(r, a, ca_mass_create));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM key_block"), 1); /* at once */
    run_out(r);
    assert_status(r, "done"); /* few enough for one person: one command does it all */
    assert_int_equal(rig_number(r, "SELECT count(*) FROM revocation WHERE reason = 1 AND revoked_us = 500"),
                     FEW);
    assert_int_equal(rig_number(r, "SELECT must_us - aware_us FROM mass"),
                     LT_SECONDS_PER_DAY * LT_US_PER_SECOND);
    audit(r);
    rig_tally_is_exact(r); /* one entry was changed, and is not another one */
}

/* Its rule is the only one there is; and whoever asks a second time means the same. */
static void a_compromise_has_its_clock(void **state)
{
    struct rig *r = *state;
    static char cause[] = "key-compromise";
    add_certificates(r, MANY);
    struct args *a = of_key(CA_REASON_KEY_COMPROMISE);
    assert_ok(act(r, a, ca_mass_create));
    assert_non_null(strstr(a->json, "\"cause\":\"key-compromise\""));
    assert_int_equal(rig_number(r, "SELECT must_us - aware_us FROM mass"),
                     LT_SECONDS_PER_DAY * LT_US_PER_SECOND);
    a->wanted.cause = cause;
    assert_ok(act(r, a, ca_mass_create));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM mass"), 1);
    assert_ok(act(r, of_key(CA_REASON_SUPERSEDED), ca_mass_create)); /* of another reason: no clock */
    assert_int_equal(rig_number(r, "SELECT count(*) FROM mass WHERE cause = '' AND must_us = 0"), 1);
}

/* The plan aims at the first clock; who misses it says why, and where nobody can be asked the book does. */
static void a_clock_that_was_missed(void **state)
{
    struct rig *r = *state;
    static char cause[] = "not-issued-per-rules";
    static char reason[] = "the holiday";
    add_certificates(r, MANY);
    struct args *a = of_key(CA_REASON_SUPERSEDED);
    a->wanted.cause = cause;
    assert_ok(act(r, a, ca_mass_create));
    run_out(r);
    r->now = lt_time_add_seconds(r->now, 25 * 3600);
    approve(r);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM mass WHERE late_because LIKE '%approval%'"), 1);
    run_out(r);
    assert_status(r, "done");
    a = of_key(CA_REASON_CESSATION);
    static char other[] = "name-not-permitted";
    a->wanted.cause = other;
    assert_ok(act(r, a, ca_mass_create));
    run_out(r);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM mass WHERE reason = 5 AND late_because = ''"), 1);
    char id[64];
    static const struct store_sql newest = {"t.newest", "SELECT 'm' || max(id) FROM mass"};
    struct store_rows rows;
    assert_ok(store_query(r->store, &newest, STORE_NO_ARGS, &rows));
    assert_true(store_next(&rows));
    (void)snprintf(id, sizeof id, "%s", store_cstr(&rows, 0));
    assert_ok(store_rows_end(&rows));
    a->wanted.id = id;
    static struct ca_config config;
    config.revoke_alone = MANY;
    r->book->config = &config;
    r->now = lt_time_add_seconds(r->now, 25 * 3600);
    assert_fails(act(r, a, ca_mass_start), LT_PEER_MALFORMED); /* why? */
    a->wanted.late_because = reason;
    a->wanted.stop_after = 3;
    assert_ok(act(r, a, ca_mass_start));
    r->book->config = NULL;
    assert_int_equal(
        rig_number(r, "SELECT stop_after FROM mass WHERE late_because = 'the holiday' AND reason = 5"), 3);
}

static void refuses(void **state)
{
    struct rig *r = *state;
    static char no_cause[] = "boredom";
    static char superseded_cause[] = "key-parameters";
    add_certificates(r, FEW);
    struct args *a = of_key(CA_REASON_HOLD);
    assert_fails(act(r, a, ca_mass_create), LT_PEER_UNSUPPORTED);
    a = of_key(CA_REASON_CA_COMPROMISE);
    assert_fails(act(r, a, ca_mass_create), LT_PEER_UNSUPPORTED);
    a = of_key(CA_REASON_SUPERSEDED);
    a->wanted.revoked_us = 500; /* only a compromise is dated back */
    assert_fails(act(r, a, ca_mass_create), LT_PEER_UNSUPPORTED);
    a = of_key(CA_REASON_KEY_COMPROMISE);
    a->wanted.revoked_us = r->now.us + LT_US_PER_SECOND * 100;
    assert_fails(act(r, a, ca_mass_create), LT_PEER_UNSUPPORTED);
    a = of_key(CA_REASON_SUPERSEDED);
    a->wanted.block = true;
    assert_fails(act(r, a, ca_mass_create), LT_PEER_MALFORMED);
    a = of_key(CA_REASON_SUPERSEDED);
    a->wanted.cause = no_cause;
    assert_fails(act(r, a, ca_mass_create), LT_PEER_MALFORMED);
    a = of_key(CA_REASON_CESSATION);
    a->wanted.cause = superseded_cause; /* another reason than the cause's */
    assert_fails(act(r, a, ca_mass_create), LT_PEER_MALFORMED);
    a = of_key(CA_REASON_SUPERSEDED);
    a->wanted.cause = superseded_cause;
    a->wanted.aware_us = lt_time_add_seconds(r->now, -2 * LT_SECONDS_PER_DAY).us; /* late, and no word why */
    assert_fails(act(r, a, ca_mass_create), LT_PEER_MALFORMED);
    a->wanted.aware_us = r->now.us + LT_US_PER_SECOND * 100;
    assert_fails(act(r, a, ca_mass_create), LT_PEER_MALFORMED);
    a = of_key(CA_REASON_SUPERSEDED);
    a->wanted.spki_sha256.len = 31;
    assert_fails(act(r, a, ca_mass_create), LT_PEER_MALFORMED);
    a = fresh_args();
    assert_fails(act(r, a, ca_mass_create), LT_PEER_MALFORMED); /* neither key nor scope */
    static char nobody[] = "m5";
    a->wanted.id = nobody;
    assert_fails(act(r, a, ca_mass_start), LT_PEER_NOT_FOUND);
    assert_fails(act(r, a, ca_mass_stop), LT_PEER_NOT_FOUND);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM mass"), 0);
}

static void nothing_to_revoke(void **state)
{
    struct rig *r = *state;
    assert_ok(act(r, of_key(CA_REASON_SUPERSEDED), ca_mass_create));
    run_out(r);
    assert_status(r, "done");
    assert_int_equal(rig_number(r, "SELECT count(*) FROM plan"), 0);
}

/* ---- scopes, with the test as the reader ---- */

static char tier_a[] = "account = 1";
static char tier_b[] = "account = 2";
static char whole_scope[] = "account in {1, 2}";
static char *tiers[] = {tier_a, tier_b};

static struct args *of_scope(void)
{
    static uint8_t hash[CA_HASH_LEN] = {9};
    struct args *a = fresh_args();
    a->wanted.scopes = tiers;
    a->wanted.n_scopes = LT_COUNT(tiers);
    a->wanted.scope = whole_scope;
    a->wanted.scope_sha256 = (ProtobufCBinaryData){sizeof hash, hash};
    a->wanted.reason = CA_REASON_SUPERSEDED;
    return a;
}

static lt_res step_page(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    return ca_mass_on_members(t, arg);
}

/* Tier 0 has the first half of FEW, tier 1 the rest, in pages of `size`. */
static lt_res give_page(struct rig *r, size_t size, size_t count_now)
{
    const struct rig_sent *asked = rig_last(r, IPC_MEMBERS_WANTED);
    assert_non_null(asked);
    Ipc__MembersWanted *q = ipc__members_wanted__unpack(NULL, asked->packed.len, asked->packed.ptr);
    assert_non_null(q);
    Ipc__Members p = IPC__MEMBERS__INIT;
    int64_t issuers[FEW];
    uint8_t serials[FEW][CA_SERIAL_LEN];
    ProtobufCBinaryData list[FEW];
    p.mass = q->mass;
    p.tier = q->tier;
    p.after_issuer = q->after_issuer;
    p.after_serial = q->after_serial;
    p.count_only = q->count_only;
    p.count = count_now;
    p.issuers = issuers;
    p.serials = list;
    size_t end = q->tier == 0 ? FEW / 2 : FEW;
    size_t from = q->tier == 0 ? 0 : FEW / 2;
    from = q->after_serial.len == 0 ? from : (size_t)q->after_serial.data[CA_SERIAL_LEN - 1] + 1;
    for (size_t i = from; i < end && p.n_serials < size; i++) {
        issuers[p.n_issuers++] = 1;
        serial_of(i, serials[p.n_serials]);
        list[p.n_serials] = (ProtobufCBinaryData){CA_SERIAL_LEN, serials[p.n_serials]};
        p.n_serials++;
    }
    p.last = from + p.n_serials == end;
    if (q->count_only) {
        p.n_serials = 0;
        p.n_issuers = 0;
    }
    lt_res res = rig_run(r, step_page, &p);
    if (!lt_failed(res)) {
        res = rig_run(r, step_page, &p); /* said twice: nothing more */
    }
    ipc__members_wanted__free_unpacked(q, NULL);
    return res;
}

static void freeze_scope(struct rig *r, struct args *a)
{
    add_certificates(r, FEW);
    assert_ok(act(r, a, ca_mass_create));
    for (size_t i = 0; i < 20 && rig_number(r, "SELECT count(*) FROM mass WHERE status = 'freezing'") == 1;
         i++) {
        run_out(r);
        if (rig_number(r, "SELECT count(*) FROM mass WHERE status = 'freezing'") == 1) {
            assert_ok(give_page(r, 7, 0));
        }
    }
    run_out(r);
    assert_status(r, "proposed");
    assert_int_equal(rig_number(r, "SELECT count FROM mass"), FEW);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM mass_batch"), 2); /* one for each tier */
}

/* Another order of the same certificates is not lost in the one that is open. */
static void the_same_in_another_way(void **state)
{
    struct rig *r = *state;
    static char text[] = "what the second one says";
    static char *turned[] = {tier_b, tier_a};
    struct args *a = of_scope();
    freeze_scope(r, a);
    assert_ok(act(r, of_scope(), ca_mass_create)); /* the very same */
    for (size_t i = 0; i < 7; i++) {
        a = of_scope();
        a->wanted.n_scopes -= i == 0;
        a->wanted.scopes = i == 1 ? turned : a->wanted.scopes;
        a->wanted.stop_after = i == 2 ? 0 : -1;
        a->wanted.aware_us = i == 3 ? r->now.us - 5 : 0;
        a->wanted.note = i == 4 ? text : a->wanted.note;
        a->wanted.late_because = i == 5 ? text : a->wanted.late_because;
        a->wanted.scopes = i == 6 ? (char *[]){tier_a, tier_b, tier_a} : a->wanted.scopes;
        a->wanted.n_scopes += i == 6;
        assert_fails(act(r, a, ca_mass_create), LT_PEER_CONFLICT);
        assert_non_null(strstr(lt_error_last()->detail, "is proposed, of the same certificates"));
    }
    a = of_key(CA_REASON_KEY_COMPROMISE);
    assert_ok(act(r, a, ca_mass_create));
    a->wanted.revoked_us = 500;
    assert_fails(act(r, a, ca_mass_create), LT_PEER_CONFLICT);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM mass"), 2);
}

static void tier_by_tier(void **state)
{
    struct rig *r = *state;
    struct args *a = of_scope();
    a->wanted.stop_after = 0;
    freeze_scope(r, a);
    char id[64];
    text_of(r, MASS_ID, id, sizeof id);
    a->wanted.id = id;
    assert_ok(act(r, a, ca_mass_start));
    run_out(r);
    assert_status(r, "checking");
    assert_ok(give_page(r, 7, FEW));
    run_out(r);
    assert_status(r, "paused");
    assert_int_equal(rig_number(r, "SELECT count(*) FROM revocation"), FEW / 2);
    a->wanted.stop_after = -1;
    assert_ok(act(r, a, ca_mass_resume));
    run_out(r);
    assert_status(r, "done");
    assert_int_equal(rig_number(r, "SELECT count(*) FROM revocation"), FEW);
    audit(r);
}

static void another_count_asks(void **state)
{
    struct rig *r = *state;
    struct args *a = of_scope();
    freeze_scope(r, a);
    char id[64];
    text_of(r, MASS_ID, id, sizeof id);
    a->wanted.id = id;
    assert_ok(act(r, a, ca_mass_start));
    run_out(r);
    assert_ok(give_page(r, 7, FEW + 1));
    run_out(r);
    assert_status(r, "paused");
    assert_int_equal(rig_number(r, "SELECT count(*) FROM revocation"), 0);
    assert_ok(act(r, a, ca_mass_resume)); /* somebody has looked: the approved ones */
    run_out(r);
    assert_status(r, "done");
    assert_int_equal(rig_number(r, "SELECT count(*) FROM revocation"), FEW);
}

static void members_that_are_gone(void **state)
{
    struct rig *r = *state;
    struct args *a = of_scope();
    freeze_scope(r, a);
    assert_ok(store_script(r->store,
                           "DELETE FROM certificate WHERE serial = (SELECT max(serial) FROM certificate)"));
    char id[64];
    text_of(r, MASS_ID, id, sizeof id);
    a->wanted.id = id;
    assert_ok(act(r, a, ca_mass_start));
    run_out(r);
    assert_ok(give_page(r, 7, FEW));
    run_out(r);
    assert_status(r, "paused");
}

static void a_reader_that_cannot(void **state)
{
    struct rig *r = *state;
    static char why[] = "byte 3: no such field";
    assert_ok(act(r, of_scope(), ca_mass_create));
    run_out(r);
    Ipc__Members p = IPC__MEMBERS__INIT;
    p.mass = rig_number(r, "SELECT id FROM mass");
    p.failed = why;
    assert_ok(rig_run(r, step_page, &p));
    assert_status(r, "stopped");
}

/* Somebody hears of it, and it is not asked for ever. */
static void a_count_that_fails(void **state)
{
    struct rig *r = *state;
    static char why[] = "the book's file is torn";
    struct args *a = of_scope();
    freeze_scope(r, a);
    char id[64];
    text_of(r, MASS_ID, id, sizeof id);
    a->wanted.id = id;
    assert_ok(act(r, a, ca_mass_start));
    run_out(r);
    Ipc__Members p = IPC__MEMBERS__INIT;
    p.mass = rig_number(r, "SELECT id FROM mass");
    p.failed = why;
    assert_ok(rig_run(r, step_page, &p)); /* of a page that was asked for earlier: says nothing */
    assert_status(r, "checking");
    p.count_only = true;
    assert_ok(rig_run(r, step_page, &p));
    assert_status(r, "paused");
    assert_int_equal(rig_number(r, "SELECT count(*) FROM mass WHERE why LIKE '%is torn; resume%'"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind = 'mass.failed'"), 1);
    size_t sent = r->sent_count;
    run_out(r);
    assert_int_equal(r->sent_count, sent);
    assert_ok(act(r, a, ca_mass_resume));
    run_out(r);
    assert_status(r, "done");
}

/* ---- tables ---- */

static void every_edge_and_no_other(void **state)
{
    (void)state;
    static const char *const states[] = {"freezing", "sealing", "proposed", "checking",
                                         "running",  "paused",  "done",     "stopped"};
    static const char *const events[] = {"frozen", "sealed", "empty",    "start",  "same", "differs",
                                         "pause",  "resume", "tier-end", "finish", "stop", "fail"};
    size_t found = 0;
    for (size_t i = 0; i < LT_COUNT(states); i++) {
        for (size_t j = 0; j < LT_COUNT(events); j++) {
            found += ca_mass_next(states[i], events[j]) != NULL ? 1 : 0;
        }
    }
    assert_int_equal(found, ca_mass_edge_count); /* each pair once, all words known */
    assert_null(ca_mass_next("done", "resume"));
    assert_null(ca_mass_next("stopped", "resume"));
    assert_null(ca_mass_next("proposed", "same"));
    assert_null(ca_mass_next("freezing", "start"));
    assert_null(ca_mass_next("nowhere", "start"));
}

static void naive_root(const uint8_t (*leaves)[CA_MERKLE_LEN], size_t count, uint8_t *ret_root)
{
    uint8_t level[64][CA_MERKLE_LEN];
    memcpy(level, leaves, count * CA_MERKLE_LEN);
    while (count > 1) { /* pairs; the odd one goes up as it is: the same tree */
        size_t next = 0;
        for (size_t i = 0; i < count; i += 2) {
            uint8_t text[65] = {1};
            if (i + 1 == count) {
                memcpy(level[next++], level[i], CA_MERKLE_LEN);
                continue;
            }
            memcpy(&text[1], level[i], 32);
            memcpy(&text[33], level[i + 1], 32);
            crypto_sha256(LT_SLICE(text, sizeof text), level[next++]);
        }
        count = next;
    }
    memcpy(ret_root, level[0], CA_MERKLE_LEN);
}

static void merkle_roots(void **state)
{
    (void)state;
    uint8_t leaves[40][CA_MERKLE_LEN];
    struct ca_merkle m;
    ca_merkle_init(&m);
    for (size_t n = 1; n <= LT_COUNT(leaves); n++) {
        uint8_t data = (uint8_t)n;
        uint8_t text[2] = {0, data};
        uint8_t streamed[CA_MERKLE_LEN];
        uint8_t naive[CA_MERKLE_LEN];
        crypto_sha256(LT_SLICE(text, sizeof text), leaves[n - 1]);
        ca_merkle_add(&m, LT_SLICE(&data, 1));
        ca_merkle_root(&m, streamed);
        naive_root((const uint8_t(*)[CA_MERKLE_LEN])leaves, n, naive);
        assert_memory_equal(streamed, naive, CA_MERKLE_LEN);
    }
}

static void causes(void **state)
{
    (void)state;
    lt_time now;
    lt_time then;
    assert_ok(lt_time_parse(LT_LIT("2026-11-22T00:00:00Z"), &now));
    assert_ok(lt_time_parse(LT_LIT("2018-01-01T00:00:00Z"), &then));
    size_t tls = 0;
    for (size_t i = 0; i < ca_cause_count; i++) {
        const struct ca_cause *c = &ca_causes[i];
        lt_time first;
        assert_ok(lt_time_parse(lt_slice_cstr(c->from), &first));
        assert_ptr_equal(ca_cause_at(lt_slice_cstr(c->name), c->kind, first), c); /* no two at one time */
        assert_true(c->must_s >= LT_SECONDS_PER_DAY && c->should_s < c->must_s);
        bool is_tls = strcmp(c->kind, "tls") == 0;
        tls += is_tls && c->until[0] == 0 ? 1 : 0;
        assert_true(!is_tls || ca_reason_allowed(c->reason, true));
    }
    assert_int_equal(tls, 17); /* sixteen items, of which one is told apart for CAA */
    assert_null(ca_cause_at(LT_LIT("key-compromise"), "tls", then)); /* five days are allowed since 2018 */
    assert_null(ca_cause_at(LT_LIT("key-compromise"), "coffee", now));
    assert_null(ca_cause_at(LT_LIT(""), "tls", now));
    struct ca_clocks clocks = ca_cause_clocks(ca_cause_at(LT_LIT("not-issued-per-rules"), "tls", now), now);
    assert_int_equal(clocks.should.us - now.us, LT_SECONDS_PER_DAY * LT_US_PER_SECOND);
    assert_int_equal(clocks.must.us - now.us, 5 * LT_SECONDS_PER_DAY * LT_US_PER_SECOND);
    clocks = ca_cause_clocks(ca_cause_at(LT_LIT("key-compromise"), "tls", now), now);
    assert_int_equal(clocks.should.us, 0);
    uint32_t reason = 99;
    assert_ok(ca_reason_parse(LT_LIT("keyCompromise"), &reason));
    assert_int_equal(reason, 1);
    assert_fails(ca_reason_parse(LT_LIT("certificateHold"), &reason), LT_PEER_UNSUPPORTED);
    assert_fails(ca_reason_parse(LT_LIT("removeFromCRL"), &reason), LT_PEER_UNSUPPORTED);
    assert_fails(ca_reason_parse(LT_LIT("because"), &reason), LT_PEER_MALFORMED);
    assert_ok(ca_backdating_check(CA_REASON_KEY_COMPROMISE, then, (lt_time){0}, now));
    assert_fails(ca_backdating_check(CA_REASON_KEY_COMPROMISE, now, (lt_time){0}, then), LT_PEER_UNSUPPORTED);
    assert_fails(ca_backdating_check(CA_REASON_KEY_COMPROMISE, then, now, now), LT_PEER_UNSUPPORTED);
    assert_fails(ca_backdating_check(CA_REASON_SUPERSEDED, then, (lt_time){0}, now), LT_PEER_UNSUPPORTED);
}

static void holds(void **state)
{
    struct rig *r = *state;
    add_certificates(r, FEW);
    revoked_before(r, 4);
    static char empty[] = "";
    struct args *a = fresh_args();
    hold_of(a, 4);
    issuer_named_as_in_the_book(r, a);
    assert_fails(rig_run(r, step_hold, a), LT_PEER_CONFLICT); /* too late */
    hold_of(a, 1000);
    issuer_named_as_in_the_book(r, a);
    assert_fails(rig_run(r, step_hold, a), LT_PEER_NOT_FOUND);
    hold_of(a, 5);
    issuer_named_as_in_the_book(r, a);
    a->hold.reference = empty;
    assert_fails(rig_run(r, step_hold, a), LT_PEER_MALFORMED);
    assert_fails(rig_run(r, step_lift, a), LT_PEER_NOT_FOUND);
    hold_of(a, 5);
    static char nobody[] = "nobody";
    a->hold.issuer = nobody;
    assert_fails(rig_run(r, step_hold, a), LT_PEER_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(whole_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(asked_twice_is_made_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_plan_that_has_expired, set_up, tear_down),
        cmocka_unit_test_setup_teardown(killed_anywhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(paused_with_a_batch_on_its_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_compromised_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_compromise_has_its_clock, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_clock_that_was_missed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_to_revoke, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_same_in_another_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tier_by_tier, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_count_asks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(members_that_are_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reader_that_cannot, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_count_that_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(holds, set_up, tear_down),
        cmocka_unit_test(every_edge_and_no_other),
        cmocka_unit_test(merkle_roots),
        cmocka_unit_test(causes),
    };
    return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
