/* Single revocations with their causes, clocks and dates on a real book; what follows from a compromised key;
 * lists of mass revocations that end. */
#include "../check.h"
#include "book_rig.h"

#include <stdlib.h>
#include <unistd.h>

#include "ca/audit.h"
#include "ca/config.h"
#include "ca/hold.h"
#include "ca/mass.h"
#include "ca/reasons.h"
#include "store/internal.h"

#define PATH "/tmp/lintel-test-revoke.db"

enum { FEW = 40, OVER_ALONE = CA_MASS_ALONE_MAX + 5, MANY = 2500, DAY_S = LT_SECONDS_PER_DAY };

static uint8_t key[CA_HASH_LEN] = {9, 9};

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
    "build, delivered, worst_method, worst_dimension, oldest_validation_us, oldest_caa_us, least_quorum, "
    "shard, sequence) VALUES (1, ?1, 0, 'imported', 1, ?1, ?2, 1, 256, ?4, ?3, 0, 0, 0, ?1, 1, '', '', 1, "
    "'', 0, 0, 0, 0, 0, 0)"};

static void serial_of(size_t i, uint8_t *ret_serial)
{
    memset(ret_serial, 0, CA_SERIAL_LEN);
    ret_serial[0] = 0x11;
    for (size_t at = 0; at < 4; at++) {
        ret_serial[CA_SERIAL_LEN - 1 - at] = (uint8_t)(i >> (8 * at));
    }
}

static void add_one(struct rig *r, size_t i, int64_t until_s)
{
    uint8_t serial[CA_SERIAL_LEN];
    serial_of(i, serial);
    assert_ok(
        store_exec(r->store, &add_sql,
                   STORE_ARGS(STORE_B(LT_SLICE(serial, sizeof serial)), STORE_B(LT_SLICE(key, sizeof key)),
                              STORE_I(lt_time_add_seconds(r->now, until_s).us),
                              STORE_I(lt_time_add_seconds(r->now, -10 * (int64_t)DAY_S).us)),
                   NULL));
}

static void add_certificates(struct rig *r, size_t count)
{
    assert_ok(store_begin(r->store));
    for (size_t i = 0; i < count; i++) {
        add_one(r, i, 90 * (int64_t)DAY_S);
    }
    assert_ok(store_commit(r->store));
}

struct args {
    size_t which;
    uint32_t reason;
    const char *by;
    struct ca_why why;
    int64_t dated_us;
    bool more;
};

static lt_res step_revoke(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    const struct args *a = arg;
    uint8_t serial[CA_SERIAL_LEN];
    serial_of(a->which, serial);
    const struct ca_revoke_request q = {
        .issuer = 1,
        .serial = LT_SLICE(serial, sizeof serial),
        .reason = a->reason,
        .by_whom = a->by == NULL ? "operator ann" : a->by,
        .origin = CA_REVOKE_BY_OPERATOR,
        .why = a->why,
        .dated_us = a->dated_us,
    };
    return ca_revoke_begin(t, &q);
}

static lt_res revoke_it(struct rig *r, struct args *a)
{
    LT_TRY(rig_run(r, step_revoke, a));
    return rig_answer(r, SIZE_MAX);
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
    struct args a = {.more = false};
    bool moved = true;
    while (moved) {
        size_t answered = r->answered;
        assert_ok(rig_run(r, step_slice, &a));
        assert_ok(rig_answer(r, SIZE_MAX));
        moved = a.more || r->answered > answered;
    }
}

static void unexpected(void *self, const char *what, const char *subject, const char *detail)
{
    struct rig *r = self;
    (void)subject;
    if (strcmp(what, "issuer") != 0) { /* the rig's are made up */
        print_error("%s: %s\n", what, detail);
        r->unexpected++;
    }
}

static void audit(struct rig *r)
{
    struct ca_audit a = {.store = r->store, .operators = &r->book->operators, .self = r, .found = unexpected};
    assert_ok(ca_audit_events(&a));
    assert_ok(ca_audit_rows(&a));
    assert_int_equal(r->unexpected, 0);
}

/* ---- causes and dates ---- */

static void a_cause_has_its_clocks(void **state)
{
    struct rig *r = *state;
    add_certificates(r, FEW);
    int64_t known_us = lt_time_add_seconds(r->now, -3600).us;
    struct args a = {.reason = CA_REASON_SUPERSEDED, .why = {"not-issued-per-rules", known_us, ""}};
    assert_ok(revoke_it(r, &a));
    assert_int_equal(rig_number(r, "SELECT should_us - aware_us FROM revocation_cause"),
                     DAY_S * LT_US_PER_SECOND);
    assert_int_equal(rig_number(r, "SELECT must_us - aware_us FROM revocation_cause"),
                     5 * (int64_t)DAY_S * LT_US_PER_SECOND);
    assert_int_equal(rig_number(r, "SELECT aware_us FROM revocation_cause"), known_us);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind = 'certificate.clock'"), 1);
    a = (struct args){.which = 1,
                      .reason = CA_REASON_SUPERSEDED,
                      .why = {"key-parameters", lt_time_add_seconds(r->now, -2 * (int64_t)DAY_S).us,
                              "the report lay in a mailbox"}};
    assert_ok(revoke_it(r, &a));
    assert_int_equal(
        rig_number(r, "SELECT count(*) FROM revocation_cause WHERE late_because LIKE '%mailbox'"), 1);
    a = (struct args){.which = 2, .reason = CA_REASON_UNSPECIFIED, .why = {"smime/misuse", 0, NULL}};
    assert_ok(revoke_it(r, &a));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM revocation_cause WHERE section LIKE 'CABF-SBR%'"),
                     1);
    a = (struct args){.which = 3, .reason = CA_REASON_CESSATION};
    assert_ok(revoke_it(r, &a)); /* without a cause no clock runs */
    assert_int_equal(rig_number(r, "SELECT count(*) FROM revocation_cause"), 3);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM revocation"), 4);
    audit(r);
}

static void causes_that_are_refused(void **state)
{
    struct rig *r = *state;
    add_certificates(r, FEW);
    const struct {
        uint32_t reason;
        struct ca_why why;
    } rows[] = {
        {CA_REASON_SUPERSEDED, {"boredom", 0, NULL}},
        {CA_REASON_SUPERSEDED, {"coffee/misuse", 0, NULL}},
        {CA_REASON_SUPERSEDED, {"tls/", 0, NULL}},
        {CA_REASON_SUPERSEDED, {"key-compromise", 0, NULL}}, /* has another reason */
        {CA_REASON_KEY_COMPROMISE, {"misuse", 0, NULL}},
        {CA_REASON_SUPERSEDED, {"key-parameters", lt_time_add_seconds(r->now, 100).us, NULL}},
        {CA_REASON_SUPERSEDED, {"key-parameters", lt_time_add_seconds(r->now, -2 * (int64_t)DAY_S).us, ""}},
        {CA_REASON_SUPERSEDED, {"", lt_time_add_seconds(r->now, 100).us, NULL}},
        {CA_REASON_SUPERSEDED, {"key-parameters", 1000, "the rule is younger"}},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct args a = {.reason = rows[i].reason, .why = rows[i].why};
        assert_fails(rig_run(r, step_revoke, &a), LT_PEER_MALFORMED);
    }
    assert_int_equal(rig_number(r, "SELECT count(*) FROM revocation_open"), 0);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM revocation_cause"), 0);
}

static void dates(void **state)
{
    struct rig *r = *state;
    add_certificates(r, 3);
    int64_t day_us = lt_time_add_seconds(r->now, -1 * (int64_t)DAY_S).us;
    int64_t week_us = lt_time_add_seconds(r->now, -7 * (int64_t)DAY_S).us;
    struct args a = {.reason = CA_REASON_KEY_COMPROMISE, .dated_us = day_us, .by = "operator ann"};
    assert_ok(revoke_it(r, &a));
    assert_int_equal(rig_number(r, "SELECT revoked_us FROM revocation"), day_us);
    a.dated_us = r->now.us;
    assert_fails(revoke_it(r, &a), LT_PEER_CONFLICT); /* later is nothing new */
    a.dated_us = 0;
    assert_fails(revoke_it(r, &a), LT_PEER_CONFLICT);
    a.dated_us = week_us;
    assert_ok(revoke_it(r, &a)); /* it was earlier than we thought */
    assert_int_equal(rig_number(r, "SELECT revoked_us FROM revocation WHERE reason = 1"), week_us);
    assert_int_equal(
        rig_number(r, "SELECT count(*) FROM event WHERE kind = 'certificate.revocation-changed'"), 1);
    audit(r);
    static const int64_t never[] = {1000, -1}; /* before the certificate; the epoch */
    for (size_t i = 0; i < LT_COUNT(never); i++) {
        struct args b = {.which = 1, .reason = CA_REASON_KEY_COMPROMISE, .dated_us = never[i]};
        assert_fails(revoke_it(r, &b), LT_PEER_UNSUPPORTED);
    }
    struct args b = {
        .which = 1, .reason = CA_REASON_KEY_COMPROMISE, .dated_us = lt_time_add_seconds(r->now, 60).us};
    assert_fails(revoke_it(r, &b), LT_PEER_UNSUPPORTED);
    b = (struct args){.which = 1, .reason = CA_REASON_SUPERSEDED, .dated_us = day_us};
    assert_fails(revoke_it(r, &b), LT_PEER_UNSUPPORTED);
    b = (struct args){.which = 1, .reason = CA_REASON_HOLD};
    assert_fails(revoke_it(r, &b), LT_PEER_UNSUPPORTED);
}

/* The entry keeps its date when the reason becomes keyCompromise, unless the compromise was earlier. */
static void upgrades(void **state)
{
    struct rig *r = *state;
    add_certificates(r, 2);
    for (size_t i = 0; i < 2; i++) {
        struct args a = {.which = i, .reason = CA_REASON_SUPERSEDED};
        assert_ok(revoke_it(r, &a));
    }
    int64_t first_us = rig_number(r, "SELECT min(revoked_us) FROM revocation");
    r->now = lt_time_add_seconds(r->now, 3600);
    struct args a = {.which = 0, .reason = CA_REASON_KEY_COMPROMISE};
    assert_ok(revoke_it(r, &a));
    assert_int_equal(rig_number(r, "SELECT revoked_us FROM revocation WHERE reason = 1"), first_us);
    int64_t day_us = lt_time_add_seconds(r->now, -1 * (int64_t)DAY_S).us;
    a = (struct args){.which = 1, .reason = CA_REASON_KEY_COMPROMISE, .dated_us = day_us};
    assert_ok(revoke_it(r, &a));
    assert_int_equal(rig_number(r, "SELECT min(revoked_us) FROM revocation"), day_us);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM revocation WHERE reason = 1"), 2);
    audit(r);
    /* A registrar that dies between journal and book learns the same from the journal. */
    assert_ok(rig_replay(r));
    assert_int_equal(rig_number(r, "SELECT min(revoked_us) FROM revocation"), day_us);
    audit(r);
}

static void a_lost_answer_of_an_earlier_date(void **state)
{
    struct rig *r = *state;
    add_certificates(r, 1);
    struct args a = {.reason = CA_REASON_KEY_COMPROMISE};
    assert_ok(revoke_it(r, &a));
    int64_t day_us = lt_time_add_seconds(r->now, -1 * (int64_t)DAY_S).us;
    a.dated_us = day_us;
    assert_ok(rig_run(r, step_revoke, &a));
    assert_ok(rig_replay(r)); /* the journal's older record is not the answer to this question */
    assert_ok(rig_answer(r, SIZE_MAX));
    assert_ok(rig_replay(r));
    assert_int_equal(rig_number(r, "SELECT revoked_us FROM revocation"), day_us);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM revocation_open"), 0);
    audit(r);
}

/* ---- a compromised key ---- */

static void a_key_takes_all_along(void **state)
{
    struct rig *r = *state;
    add_certificates(r, FEW);
    add_one(r, 5000, -5); /* expired: needs no entry */
    struct args a = {.which = 7, .reason = CA_REASON_KEY_COMPROMISE, .by = "account 12"};
    assert_ok(revoke_it(r, &a));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM key_block"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM mass WHERE status = 'freezing'"), 1);
    run_out(r);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM mass WHERE status = 'done' AND cause = "
                                   "'key-compromise' AND created_by = 'account 12'"),
                     1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM revocation WHERE reason = 1"), FEW);
    assert_int_equal(rig_number(r, "SELECT already FROM mass"), 1);
    assert_ok(rig_replay(r));
    run_out(r);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM mass"), 1);
    audit(r);
}

static void one_certificate_alone_needs_no_plan(void **state)
{
    struct rig *r = *state;
    add_one(r, 0, DAY_S);
    add_one(r, 1, -5); /* expired */
    struct args a = {.reason = CA_REASON_KEY_COMPROMISE, .by = "certificate-key"};
    assert_ok(revoke_it(r, &a));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM mass"), 0);
    assert_int_equal(rig_number(r, "SELECT must_us - aware_us FROM revocation_cause"), /* its only rule */
                     DAY_S * LT_US_PER_SECOND);
    add_one(r, 2, DAY_S);
    a = (struct args){.which = 2, .reason = CA_REASON_SUPERSEDED};
    assert_ok(revoke_it(r, &a)); /* no compromise: nothing follows */
    assert_int_equal(rig_number(r, "SELECT count(*) FROM mass"), 0);
}

static lt_res step_hold(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    struct args *a = arg;
    static uint8_t serial[CA_SERIAL_LEN];
    static char text[] = "an order";
    const struct ca_hold_asker by = {.operator_name = "ann"};
    const char *json = NULL;
    Ipc__HoldWanted h = IPC__HOLD_WANTED__INIT;
    char issuer[sizeof ca_issuer_by_id(t->book, 1)->name];
    memcpy(issuer, ca_issuer_by_id(t->book, 1)->name, sizeof issuer);
    serial_of(a->which, serial);
    h.issuer = issuer;
    h.serial = (ProtobufCBinaryData){sizeof serial, serial};
    h.reason = text;
    h.reference = text;
    return ca_hold_add(t, &by, &h, &json);
}

static lt_res step_held(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    const struct args *a = arg;
    uint8_t serial[CA_SERIAL_LEN];
    serial_of(a->which, serial);
    const struct ca_revoke_request q = {.issuer = 1,
                                        .serial = LT_SLICE(serial, sizeof serial),
                                        .reason = a->reason,
                                        .by_whom = "operator ann",
                                        .origin = CA_REVOKE_BY_OPERATOR,
                                        .why = a->why};
    assert_fails(ca_hold_check(t, q.issuer, q.serial), LT_POLICY_REFUSED);
    assert_non_null(
        strstr(lt_error_last()->detail, "an order (an order), held by ann; see lintel hold list"));
    return ca_revoke_key_of_held(t, &q);
}

/* A court protects the certificate that it names, not the key. */
static void a_held_one_protects_no_key(void **state)
{
    struct rig *r = *state;
    add_certificates(r, FEW);
    struct args a = {.which = 7, .reason = CA_REASON_SUPERSEDED};
    assert_ok(rig_run(r, step_hold, &a));
    assert_fails(rig_run(r, step_held, &a), LT_PEER_UNSUPPORTED);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM key_block"), 0);
    a = (struct args){.which = 7, .reason = CA_REASON_KEY_COMPROMISE, .why = {"key-compromise", 0, NULL}};
    assert_ok(rig_run(r, step_held, &a));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM key_block"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM revocation_cause"), 1);
    run_out(r);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM mass WHERE status = 'done' AND held = 1"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM revocation WHERE reason = 1"), FEW - 1);
    r->now = lt_time_add_seconds(r->now, 60);
    assert_ok(rig_run(r, step_held, &a)); /* nothing is left to be done */
    assert_int_equal(rig_number(r, "SELECT count(*) FROM mass"), 1);
    audit(r);
}

/* An account's word is believed for as many as one operator's; the key's own for all. */
static void many_of_one_key(void **state)
{
    struct rig *r = *state;
    add_certificates(r, OVER_ALONE);
    struct args a = {.reason = CA_REASON_KEY_COMPROMISE, .by = "account 12"};
    assert_ok(revoke_it(r, &a));
    run_out(r);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM mass WHERE status = 'proposed' AND plan <> ''"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM revocation"), 1);
    a = (struct args){.which = 1, .reason = CA_REASON_KEY_COMPROMISE, .by = "certificate-key"};
    assert_ok(revoke_it(r, &a)); /* the same plan: now it may start */
    run_out(r);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM mass"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM mass WHERE status = 'done'"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM revocation WHERE reason = 1"), OVER_ALONE);
    audit(r);
}

static void the_size_is_configured(void **state)
{
    struct rig *r = *state;
    static struct ca_config config;
    add_certificates(r, FEW);
    config.revoke_alone = FEW - 1;
    r->book->config = &config;
    struct args a = {.reason = CA_REASON_KEY_COMPROMISE, .by = "account 12"};
    assert_ok(revoke_it(r, &a));
    run_out(r);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM mass WHERE status = 'proposed' AND plan <> ''"), 1);
    config.revoke_alone = FEW;
    a = (struct args){.which = 1, .reason = CA_REASON_KEY_COMPROMISE, .by = "account 12"};
    assert_ok(revoke_it(r, &a));
    run_out(r);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM mass WHERE status = 'done'"), 1);
    r->book->config = NULL;
}

/* ---- lists that end ---- */

static const struct store_sql hold_sql = {
    "t.hold", "INSERT INTO revocation_hold (issuer, serial, since_us, reason, reference, by_whom, lifted_us, "
              "lifted_by) VALUES (1, ?1, 1, 'order', 'case 7', 'ann', 0, '')"};

static void lists_end(void **state)
{
    struct rig *r = *state;
    uint8_t held[CA_SERIAL_LEN];
    add_certificates(r, MANY);
    serial_of(1234, held);
    assert_ok(store_exec(r->store, &hold_sql, STORE_ARGS(STORE_B(LT_SLICE(held, sizeof held))), NULL));
    struct args a = {.reason = CA_REASON_KEY_COMPROMISE, .by = "certificate-key"};
    assert_ok(revoke_it(r, &a));
    run_out(r);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM mass WHERE status = 'done' AND held = 1"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM mass_member"), MANY);
    r->now = lt_time_add_seconds(r->now, 2 * 365 * (int64_t)DAY_S);
    run_out(r);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM mass_member"), MANY); /* too young */
    r->now = lt_time_add_seconds(r->now, 400 * (int64_t)DAY_S);
    assert_ok(rig_run(r, step_slice, &a));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM mass_member"), MANY - CA_MASS_SLICE);
    for (size_t i = 0; i < 3; i++) { /* one page each time */
        assert_ok(rig_run(r, step_slice, &a));
    }
    assert_int_equal(rig_number(r, "SELECT count(*) FROM mass_member"), 1); /* who was left out, and why */
    assert_int_equal(rig_number(r, "SELECT count(*) FROM mass_list"), 0);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind = 'mass.list-dropped'"), 1);
    assert_int_equal(rig_number(r, "SELECT length(root) FROM mass"), CA_HASH_LEN); /* never a hash */
    assert_int_equal(rig_number(r, "SELECT count(*) FROM revocation"), MANY - 1);
    audit(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_cause_has_its_clocks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(causes_that_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(dates, set_up, tear_down),
        cmocka_unit_test_setup_teardown(upgrades, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_lost_answer_of_an_earlier_date, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_key_takes_all_along, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_certificate_alone_needs_no_plan, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_of_one_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_held_one_protects_no_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_size_is_configured, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lists_end, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
