/* The tally against counting: whatever was issued, brought in, revoked, lost with its savepoint, or there
 * before anybody counted. */
#include "../check.h"
#include "book_rig.h"

#include <stdlib.h>
#include <unistd.h>

#include "ca/tally.h"

#define PATH "/tmp/lintel-test-tally.db"

enum { LOADED = 9000, A_SLICE = 4000, DAY_S = LT_SECONDS_PER_DAY, HOUR_S = 3600 };

static char a_name[] = "a.example.com";

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
    "shard, sequence) VALUES (1, ?1, ?2, 'x509', ?3, ?1, ?1, 1, 256, 0, ?4, 0, 0, 0, ?1, 1, '', '', 1, '', "
    "0, 0, 0, 0, ?5, 0)"};
static const struct store_sql revoke_sql = {
    "t.revocation", "INSERT INTO revocation (issuer, shard, serial, reason, revoked_us, recorded_us, "
                    "not_after_us, by_whom, sequence) VALUES (1, ?1, ?2, 0, 0, 0, ?3, 'test', 0)"};

struct one {
    size_t i;
    uint8_t serial[CA_SERIAL_LEN];
    int64_t not_after_us;
    bool fail;
};

/* Serials in the order of i. */
static struct one *one_of(struct rig *r, size_t i)
{
    static struct one o;
    o = (struct one){.i = i};
    for (size_t at = 0; at < 4; at++) {
        o.serial[at] = (uint8_t)(i >> (8 * (3 - at)));
    }
    o.not_after_us = lt_time_add_seconds(r->now, (int64_t)(i % 90) * DAY_S + (int64_t)(i % 24) * HOUR_S).us;
    return &o;
}

static void insert(struct rig *r, const struct one *o, int64_t copy)
{
    assert_ok(store_exec(r->store, &add_sql,
                         STORE_ARGS(STORE_B(LT_SLICE(o->serial, sizeof o->serial)), STORE_I(copy),
                                    STORE_I(1 + o->i % 3), STORE_I(o->not_after_us), STORE_I(o->i % 4)),
                         NULL));
}

static void mark_revoked(struct rig *r, const struct one *o)
{
    assert_ok(store_exec(r->store, &revoke_sql,
                         STORE_ARGS(STORE_I(o->i % 4), STORE_B(LT_SLICE(o->serial, sizeof o->serial)),
                                    STORE_I(o->not_after_us)),
                         NULL));
}

/* As loaders do: nobody is told. Even numbers alone, so that others fit in between. */
static void load(struct rig *r, size_t count)
{
    assert_ok(store_begin(r->store));
    for (size_t i = 0; i < count; i++) {
        const struct one *o = one_of(r, 2 * i);
        insert(r, o, 0);
        if (i % 5 == 0) {
            mark_revoked(r, o);
        }
        if (i % 7 == 0) {
            insert(r, o, 1); /* another certificate of this number is not another one here */
        }
    }
    assert_ok(store_commit(r->store));
}

static struct ca_tally_certificate told_of(const struct one *o)
{
    return (struct ca_tally_certificate){1, LT_SLICE(o->serial, sizeof o->serial), (int64_t)(1 + o->i % 3),
                                         o->not_after_us};
}

static lt_res step_issue(struct rig *r, struct ca_turn *t, void *arg)
{
    const struct one *o = arg;
    const struct ca_tally_certificate c = told_of(o);
    insert(r, o, 0);
    LT_TRY(ca_tally_issued(t, &c, false));
    LT_CHECK(!o->fail, LT_PEER_CONFLICT, "as the test wants it");
    return LT_OK;
}

static lt_res step_revoke(struct rig *r, struct ca_turn *t, void *arg)
{
    const struct one *o = arg;
    const struct ca_tally_certificate c = told_of(o);
    mark_revoked(r, o);
    LT_TRY(ca_tally_revoked(t, &c, false));
    LT_CHECK(!o->fail, LT_PEER_CONFLICT, "as the test wants it");
    return LT_OK;
}

static lt_res step_beat(struct rig *r, struct ca_turn *t, void *arg)
{
    bool more = false;
    const bool *fail = arg;
    (void)r;
    LT_TRY(ca_tally_beat(t, &more));
    LT_CHECK(!*fail, LT_PEER_CONFLICT, "as the test wants it");
    return LT_OK;
}

static void what_the_signer_signs_is_counted(void **state)
{
    struct rig *r = *state;
    rig_tally(r);
    for (size_t i = 0; i < 3; i++) {
        assert_ok(rig_run(r, rig_plan, a_name));
        assert_ok(rig_answer(r, SIZE_MAX));
    }
    assert_int_equal(rig_number(r, "SELECT sum(certificates) FROM tally"), 3);
    assert_int_equal(rig_number(r, "SELECT sum(issued) FROM tally_minute"), 3);
    rig_tally_is_exact(r);
}

static void what_was_there_before_is_counted_in_slices(void **state)
{
    struct rig *r = *state;
    bool fail = false;
    load(r, LOADED);
    assert_ok(rig_run(r, step_beat, &fail));
    assert_int_equal(rig_number(r, "SELECT sum(certificates) FROM tally"), A_SLICE);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM tally_walk WHERE ended_us = 0"), 1);
    rig_tally(r);
    assert_int_equal(rig_number(r, "SELECT counted FROM tally_walk"), LOADED);
    rig_tally_is_exact(r);
}

/* Before, at and behind the place that the walk has reached. */
static void what_happens_meanwhile_is_counted_once(void **state)
{
    struct rig *r = *state;
    static const size_t places[] = {1, 2 * A_SLICE - 3, 2 * A_SLICE - 1, 2 * LOADED - 1, 2 * LOADED + 9};
    static const size_t loaded[] = {2, 2 * (A_SLICE - 1), 2 * (A_SLICE + 1), 2 * (LOADED - 2)};
    bool fail = false;
    load(r, LOADED);
    assert_ok(rig_run(r, step_beat, &fail));
    for (size_t i = 0; i < LT_COUNT(places); i++) {
        assert_ok(rig_run(r, step_issue, one_of(r, places[i])));
        assert_ok(rig_run(r, step_revoke, one_of(r, places[i])));
    }
    for (size_t i = 0; i < LT_COUNT(loaded); i++) {
        assert_ok(rig_run(r, step_revoke, one_of(r, loaded[i])));
    }
    rig_tally(r);
    rig_tally_is_exact(r);
    assert_int_equal(rig_number(r, "SELECT sum(issued) FROM tally_minute"), LT_COUNT(places));
    assert_int_equal(rig_number(r, "SELECT sum(revoked) FROM tally_minute"),
                     LT_COUNT(places) + LT_COUNT(loaded));
}

/* A walk that comes by in the same group, and one whose savepoint is lost there. */
static void one_group(void **state)
{
    struct rig *r = *state;
    bool fail = true;
    bool go_on = false;
    load(r, LOADED);
    assert_ok(rig_begin(r));
    assert_ok(rig_message(r, step_issue, one_of(r, 5)));
    assert_fails(rig_message(r, step_beat, &fail), LT_PEER_CONFLICT);
    assert_ok(rig_message(r, step_issue, one_of(r, 7)));
    assert_ok(rig_message(r, step_beat, &go_on));
    assert_ok(rig_message(r, step_issue, one_of(r, 9)));
    assert_ok(rig_message(r, step_revoke, one_of(r, 5)));
    assert_ok(rig_message(r, step_revoke, one_of(r, 9)));
    assert_ok(rig_message(r, step_beat, &go_on));
    assert_ok(rig_commit(r));
    rig_tally(r);
    rig_tally_is_exact(r);
    assert_int_equal(rig_number(r, "SELECT sum(issued) FROM tally_minute"), 3);
    assert_int_equal(rig_number(r, "SELECT sum(revoked) FROM tally_minute"), 2);
}

static void what_is_lost_is_not_counted(void **state)
{
    struct rig *r = *state;
    load(r, 10);
    rig_tally(r);
    struct one lost = *one_of(r, 5);
    struct one lost_too = *one_of(r, 2);
    lost.fail = true;
    lost_too.fail = true;
    assert_ok(rig_begin(r));
    assert_ok(rig_message(r, step_issue, one_of(r, 3)));
    assert_fails(rig_message(r, step_issue, &lost), LT_PEER_CONFLICT);
    assert_fails(rig_message(r, step_revoke, &lost_too), LT_PEER_CONFLICT);
    assert_ok(rig_commit(r));
    rig_tally_is_exact(r);
    assert_ok(rig_begin(r)); /* and with the whole group */
    assert_ok(rig_message(r, step_issue, one_of(r, 11)));
    store_rollback(r->store);
    assert_ok(ca_book_reload(r->book));
    assert_ok(rig_run(r, step_issue, one_of(r, 13)));
    rig_tally_is_exact(r);
    assert_int_equal(rig_number(r, "SELECT sum(issued) FROM tally_minute"), 2);
}

static void what_expired_days_ago_is_one_row(void **state)
{
    struct rig *r = *state;
    bool fail = false;
    load(r, 500);
    rig_tally(r);
    int64_t certificates = rig_number(r, "SELECT sum(certificates) FROM tally");
    int64_t revoked = rig_number(r, "SELECT sum(revoked) FROM tally");
    assert_ok(rig_run(r, step_issue, one_of(r, 1)));
    for (int i = 0; i < 2; i++) { /* what is folded later is added */
        r->now = lt_time_add_seconds(r->now, 40 * (int64_t)DAY_S);
        assert_ok(rig_run(r, step_beat, &fail));
        assert_int_equal(rig_number(r, "SELECT count(*) FROM tally WHERE hour = -1"), 3);
    }
    assert_int_equal(rig_number(r, "SELECT sum(certificates) FROM tally"), certificates + 1);
    assert_int_equal(rig_number(r, "SELECT sum(revoked) FROM tally"), revoked);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM tally_minute"), 0);
}

static lt_res step_failed(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    (void)arg;
    return ca_tally_failed(t);
}

static lt_res step_heard(struct rig *r, struct ca_turn *t, void *arg)
{
    const int64_t *answered = arg;
    (void)r;
    return ca_tally_heard(t, (lt_time){*answered});
}

static void minutes_and_what_was_heard(void **state)
{
    struct rig *r = *state;
    int64_t answered = 1000;
    int64_t later = 2000;
    assert_ok(rig_begin(r));
    assert_ok(rig_message(r, step_failed, NULL));
    assert_ok(rig_message(r, step_failed, NULL));
    assert_ok(rig_commit(r));
    r->now = lt_time_add_seconds(r->now, 60);
    assert_ok(rig_run(r, step_failed, NULL));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM tally_minute"), 2);
    assert_int_equal(rig_number(r, "SELECT max(failed) FROM tally_minute"), 2);
    assert_ok(rig_run(r, step_heard, &answered));
    assert_ok(rig_run(r, step_heard, &later)); /* too soon to be written down */
    assert_int_equal(rig_number(r, "SELECT until_us FROM tally_heard"), 1000);
    r->now = lt_time_add_seconds(r->now, 31);
    assert_ok(rig_run(r, step_heard, &later));
    assert_int_equal(rig_number(r, "SELECT until_us FROM tally_heard"), 2000);
}

static void all_at_once_and_anew(void **state)
{
    struct rig *r = *state;
    load(r, 3000);
    assert_ok(store_begin(r->store));
    assert_ok(ca_tally_all_at_once(r->store, r->now));
    assert_ok(store_commit(r->store));
    rig_tally_is_exact(r);
    assert_int_equal(rig_number(r, "SELECT counted FROM tally_walk"), 3000);
    assert_ok(rig_run(r, step_issue, one_of(r, 1)));
    rig_tally_is_exact(r);
    assert_ok(store_begin(r->store));
    assert_ok(ca_tally_anew(r->store));
    assert_ok(store_commit(r->store));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM tally"), 0);
    assert_ok(rig_run(r, step_issue, one_of(r, 3))); /* the walk will find it */
    assert_int_equal(rig_number(r, "SELECT count(*) FROM tally"), 0);
    rig_tally(r);
    rig_tally_is_exact(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_the_signer_signs_is_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_there_before_is_counted_in_slices, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_happens_meanwhile_is_counted_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_group, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_lost_is_not_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_expired_days_ago_is_one_row, set_up, tear_down),
        cmocka_unit_test_setup_teardown(minutes_and_what_was_heard, set_up, tear_down),
        cmocka_unit_test_setup_teardown(all_at_once_and_anew, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("tally", tests, rig_group_setup, rig_group_teardown);
}
