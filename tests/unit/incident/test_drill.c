/* Drills in the book: what is recorded, the calendar and its alarm, rehearsals that move windows and put them
 * back, and reactions that only a drill's own book takes. */
#include "desk_rig.h"

#include <stdlib.h>
#include <unistd.h>

#include "ca/scratch_book.h"
#include "incident/drill.h"
#include "store/internal.h"

#define PATH "/tmp/lintel-test-drill.db"

enum { DAY_S = 86400, HOUR_S = 3600, REST = 7 };

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

/* ---- an operator's change ---- */

static lt_res say(struct rig *r, struct wanted *w)
{
    return rig_run(r, step_op, w);
}

static lt_res step_beat(struct rig *r, struct ca_turn *t, void *arg)
{
    struct incident_beat b = {.t = t};
    (void)r;
    return incident_area_drill.beat(&b, arg);
}

static void beats(struct rig *r)
{
    for (size_t i = 0; i < 20; i++) {
        bool more = false;
        assert_ok(rig_run(r, step_beat, &more));
        if (!more) {
            return;
        }
    }
    fail_msg("it never ends");
}

static int64_t later(const struct rig *r, int64_t s)
{
    return lt_time_add_seconds(r->now, s).us;
}

#define EVENTS(kind_) rig_number(r, "SELECT count(*) FROM event WHERE kind = '" kind_ "'")

/* Statements are remembered by their address. */
#define RUN(r_, sql_)                                             \
    do {                                                          \
        static const struct store_sql run_ = {"t.run", sql_};     \
        assert_ok(store_begin((r_)->store));                      \
        assert_ok(store_exec((r_)->store, &run_, NULL, 0, NULL)); \
        assert_ok(store_commit((r_)->store));                     \
    } while (0)

static struct wanted record(const struct rig *r)
{
    return (struct wanted){.op = "drill.record",
                           .values = {{"scenario", "le-caa-2020", 0},
                                      {"kind", "simulation", 0},
                                      {"mode", "as-it-was", 0},
                                      {"begun", NULL, later(r, -HOUR_S)},
                                      {"ended", NULL, later(r, -60)},
                                      {"passed", NULL, 1},
                                      {"sha256", NULL, 32},
                                      {"record", "{}", 0},
                                      {"findings", "", 0},
                                      {"certificates", NULL, 2000}}};
}

static struct wanted date(const struct rig *r, int64_t every_days)
{
    return (struct wanted){.op = "drill.date",
                           .values = {{"scenario", "hsm-loss", 0},
                                      {"kind", "tabletop", 0},
                                      {"owner", "commander", 0},
                                      {"due", NULL, later(r, 10 * DAY_S)},
                                      {"every-days", NULL, every_days},
                                      {"note", "", 0}}};
}

/* ---- records ---- */

static void test_a_record_is_the_test_of_the_plan(void **state)
{
    struct rig *r = *state;
    struct wanted w = record(r);
    assert_ok(say(r, &w));
    assert_non_null(strstr(w.answer, "\"id\":1"));
    assert_int_equal(EVENTS("drill.recorded"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM drill WHERE passed = 1 AND certificates = 2000"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM clock WHERE duty = 'mass-plan-test' AND "
                                   "subject = 'ca' AND status = 'open'"),
                     1); /* the next is due in a year */
}

static void test_records_that_contradict_themselves(void **state)
{
    struct rig *r = *state;
    const struct {
        size_t value;
        struct said said;
    } wrong[] = {
        {1, {"kind", "party", 0}},
        {3, {"begun", NULL, 0}},
        {4, {"ended", NULL, 1}},
        {6, {"sha256", NULL, 31}},
        {REST, {"missed", "contained", 0}}, /* and passed */
    };
    for (size_t i = 0; i < LT_COUNT(wrong); i++) {
        struct wanted w = record(r);
        w.values[wrong[i].value] = wrong[i].said;
        assert_fails(say(r, &w), LT_PEER_USAGE);
    }
    struct wanted w = record(r);
    w.values[8] = (struct said){"date", NULL, 7};
    assert_fails(say(r, &w), LT_PEER_NOT_FOUND);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM drill"), 0);
    assert_int_equal(EVENTS("drill.recorded"), 0);
}

/* ---- the calendar ---- */

static void test_a_date_that_is_kept(void **state)
{
    struct rig *r = *state;
    struct wanted w = date(r, 365);
    assert_ok(say(r, &w));
    assert_int_equal(
        rig_number(r, "SELECT count(*) FROM clock WHERE subject = 'drill-date 1' AND status = 'open'"), 1);
    r->now = lt_time_add_seconds(r->now, 9 * DAY_S);
    beats(r);
    assert_int_equal(EVENTS("drill.late"), 0);
    w = record(r);
    w.values[8] = (struct said){"date", NULL, 1};
    assert_ok(say(r, &w));
    assert_int_equal(
        rig_number(r, "SELECT count(*) FROM drill_date WHERE id = 1 AND status = 'held' AND drill = 1"), 1);
    assert_int_equal(
        rig_number(r, "SELECT count(*) FROM clock WHERE subject = 'drill-date 1' AND status = 'met'"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM drill_date WHERE id = 2 AND status = 'planned'"), 1);
    w = record(r);
    w.values[8] = (struct said){"date", NULL, 1};
    assert_fails(say(r, &w), LT_PEER_NOT_FOUND); /* once */
    assert_int_equal(rig_number(r, "SELECT count(*) FROM drill"), 1);
}

static void test_a_date_that_is_not(void **state)
{
    struct rig *r = *state;
    struct wanted w = date(r, 0);
    assert_ok(say(r, &w));
    r->now = lt_time_add_seconds(r->now, 11 * DAY_S);
    beats(r);
    beats(r);
    assert_int_equal(EVENTS("drill.late"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM drill_date WHERE late_us > 0"), 1);
    w = record(r);
    w.values[8] = (struct said){"date", NULL, 1};
    assert_ok(say(r, &w)); /* late is better than never; once, so no next one */
    assert_int_equal(rig_number(r, "SELECT count(*) FROM drill_date"), 1);
}

static void test_dates_that_are_refused_or_dropped(void **state)
{
    struct rig *r = *state;
    const struct {
        size_t value;
        struct said said;
    } wrong[] = {{1, {"kind", "party", 0}}, {2, {"owner", "", 0}}, {3, {"due", NULL, 1}}};
    for (size_t i = 0; i < LT_COUNT(wrong); i++) {
        struct wanted w = date(r, 0);
        w.values[wrong[i].value] = wrong[i].said;
        assert_fails(say(r, &w), LT_PEER_USAGE);
    }
    struct wanted w = date(r, 0);
    assert_ok(say(r, &w));
    struct wanted drop = {.op = "drill.drop", .id = "1", .values = {{"why", "the site is closed", 0}}};
    assert_ok(say(r, &drop));
    assert_fails(say(r, &drop), LT_PEER_NOT_FOUND);
    drop.id = "9";
    assert_fails(say(r, &drop), LT_PEER_NOT_FOUND);
    drop.id = "x";
    assert_fails(say(r, &drop), LT_PEER_NOT_FOUND);
    r->now = lt_time_add_seconds(r->now, 30 * DAY_S);
    beats(r);
    assert_int_equal(EVENTS("drill.late"), 0);
    assert_int_equal(
        rig_number(r, "SELECT count(*) FROM clock WHERE subject = 'drill-date 1' AND status = 'void'"), 1);
}

/* ---- rehearsals ---- */

static const struct store_sql add_sql = {
    "t.certificate",
    "INSERT INTO certificate (issuer, serial, copy, kind, profile, sha256, spki_sha256, key_type, key_bits, "
    "not_before_us, not_after_us, issued_us, account, order_id, name_set_sha256, name_count, rule_set, "
    "build, delivered, worst_method, worst_dimension, oldest_validation_us, oldest_caa_us, least_quorum, "
    "shard, sequence) VALUES (1, ?1, 0, 'imported', 1, ?1, ?1, 1, 256, 0, ?2, 0, ?3, 0, ?1, 1, '', '', 1, "
    "'', "
    "0, 0, 0, 0, 0, 0)"};

static void add_certificate(struct rig *r, uint8_t number, int64_t until_s)
{
    const uint8_t serial[] = {0x11, 0x22, number};
    assert_ok(store_begin(r->store));
    assert_ok(store_exec(
        r->store, &add_sql,
        STORE_ARGS(STORE_B(LT_SLICE(serial, sizeof serial)), STORE_I(later(r, until_s)), STORE_I(number)),
        NULL));
    assert_ok(store_commit(r->store));
}

static struct wanted rehearsal(const struct rig *r)
{
    return (struct wanted){.op = "drill.rehearse",
                           .values = {{"start", NULL, later(r, -HOUR_S)},
                                      {"end", NULL, later(r, DAY_S)},
                                      {"until", NULL, later(r, 2 * DAY_S)},
                                      {"note", "the yearly one", 0},
                                      {"explanation", "https://ca.example/drill", 0}}};
}

static struct wanted members(const char *list)
{
    return (struct wanted){.op = "drill.rehearse-add", .id = "1", .values = {{"certificates", list, 0}}};
}

static void test_windows_move_and_come_back(void **state)
{
    struct rig *r = *state;
    for (uint8_t i = 1; i <= 3; i++) {
        add_certificate(r, i, 30 * DAY_S);
    }
    add_certificate(r, 4, -1);
    add_certificate(r, 5, 30 * DAY_S);
    add_certificate(r, 6, 30 * DAY_S);
    RUN(r, "INSERT INTO revocation (issuer, shard, serial, reason, revoked_us, recorded_us, not_after_us, "
           "by_whom, "
           "sequence) VALUES (1, 0, x'112205', 4, 1, 1, 1, 't', 0)");
    RUN(r, "INSERT INTO renewal_window (issuer, serial, start_us, end_us, url, set_us) "
           "VALUES (1, x'112206', 5, 6, 'an incident', 7)");
    struct wanted w = rehearsal(r);
    assert_ok(say(r, &w));
    struct wanted m = members("tls:112201 tls:112202 tls:112203 tls:112204 tls:112205 tls:112206");
    assert_ok(say(r, &m)); /* neither expired nor revoked ones, and none whose window is moved */
    assert_non_null(strstr(m.answer, "\"added\":3"));
    m = members("tls:112201");
    assert_ok(say(r, &m));
    assert_non_null(strstr(m.answer, "\"added\":0"));
    assert_int_equal(
        rig_number(r, "SELECT count(*) FROM renewal_window WHERE url = 'https://ca.example/drill'"), 3);
    beats(r);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM renewal_window WHERE start_us > 0"), 4);
    RUN(r, "INSERT INTO replacement (new_issuer, new_serial, old_issuer, old_serial, how, seen_us) "
           "VALUES (1, x'99', 1, x'112202', 'ari', 9000000000000000)");
    r->now = lt_time_add_seconds(r->now, 2 * DAY_S + 1);
    beats(r);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM renewal_window WHERE start_us > 0"), 1);
    assert_int_equal(
        rig_number(r, "SELECT count(*) FROM drill_rehearsal WHERE status = 'over' AND reacted = 1"), 1);
    assert_int_equal(EVENTS("rehearsal.over"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM revocation"), 1);
    m = members("tls:112203");
    assert_fails(say(r, &m), LT_PEER_NOT_FOUND); /* it is over */
    assert_int_equal(rig_number(r, "SELECT count(*) FROM renewal_window WHERE url = '' AND end_us = 0"), 3);
    w = rehearsal(r);
    assert_ok(say(r, &w)); /* the next one may have them again */
    m = members("tls:112203");
    m.id = "2";
    assert_ok(say(r, &m));
    assert_non_null(strstr(m.answer, "\"added\":1"));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM renewal_window WHERE start_us > 0"), 2);
}

/* An incident that moves a window while somebody rehearses keeps it. */
static void test_an_incident_comes_first(void **state)
{
    struct rig *r = *state;
    add_certificate(r, 1, 30 * DAY_S);
    add_certificate(r, 2, 30 * DAY_S);
    struct wanted w = rehearsal(r);
    struct wanted m = members("tls:112201 tls:112202");
    struct wanted stop = {.op = "drill.rehearse-end", .id = "1", .values = {{"why", "a real one", 0}}};
    assert_ok(say(r, &w));
    assert_ok(say(r, &m));
    RUN(r, "UPDATE renewal_window SET start_us = 5, end_us = 6, url = 'an incident', set_us = 7 "
           "WHERE serial = x'112202'");
    assert_ok(say(r, &stop));
    beats(r);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM renewal_window WHERE url = 'an incident'"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM renewal_window WHERE start_us > 0"), 1);
    assert_fails(say(r, &stop), LT_PEER_NOT_FOUND);
}

static void test_rehearsals_that_are_refused(void **state)
{
    struct rig *r = *state;
    const struct {
        size_t value;
        struct said said;
    } wrong[] = {
        {1, {"end", NULL, later(r, -2 * HOUR_S)}},
        {2, {"until", NULL, later(r, -1)}},
        {2, {"until", NULL, later(r, DAY_S / 2)}},
        {2, {"until", NULL, later(r, 400 * (int64_t)DAY_S)}},
    };
    for (size_t i = 0; i < LT_COUNT(wrong); i++) {
        struct wanted w = rehearsal(r);
        w.values[wrong[i].value] = wrong[i].said;
        assert_fails(say(r, &w), LT_PEER_USAGE);
    }
    add_certificate(r, 1, 30 * DAY_S);
    struct wanted m = members("tls:112201");
    assert_fails(say(r, &m), LT_PEER_NOT_FOUND); /* none runs */
    struct wanted w = rehearsal(r);
    assert_ok(say(r, &w));
    static const struct {
        const char *list;
        int code;
    } lists[] = {{"nobody:112201", LT_PEER_NOT_FOUND},
                 {"tls:1122ff", LT_PEER_NOT_FOUND},
                 {"tls112201", LT_PEER_USAGE},
                 {"tls:11220", LT_PEER_MALFORMED},
                 {"tls:112201 tls:xx", LT_PEER_MALFORMED}};
    for (size_t i = 0; i < LT_COUNT(lists); i++) {
        m = members(lists[i].list);
        assert_fails(say(r, &m), lists[i].code);
    }
    assert_int_equal(rig_number(r, "SELECT count(*) FROM renewal_window"), 0);
}

/* ---- reactions ---- */

static struct wanted reaction(const char *mass, int64_t percent)
{
    return (struct wanted){.op = "drill.react", .values = {{"mass", mass, 0}, {"percent", NULL, percent}}};
}

static void test_only_a_drill_has_reactions(void **state)
{
    struct rig *r = *state;
    struct wanted w = reaction("m5", 50);
    assert_true(lt_failed(say(r, &w)));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM drill_reaction"), 0);
    /* Nor where somebody wrote the row by hand. */
    RUN(r, "INSERT INTO drill_reaction (id, mass, percent, at_tier, at_issuer, at_serial, looked, reacted, "
           "ended_us) "
           "VALUES (1, 5, 100, 0, 0, x'', 0, 0, 0)");
    bool more = false;
    assert_true(lt_failed(rig_run(r, step_beat, &more)));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM certificate_truth"), 0);
}

static void test_reactions_in_a_drill(void **state)
{
    struct rig *r = *state;
    RUN(r, "UPDATE issuer SET name = 'root' WHERE id = 1"); /* the mark is bound to it */
    assert_ok(store_begin(r->store));
    assert_ok(ca_scratch_book_mark(r->store));
    assert_ok(store_commit(r->store));
    RUN(r, "INSERT INTO mass_member (mass, tier, issuer, serial, state) VALUES (5, 0, 1, x'11220000', 0)");
    RUN(r, "INSERT INTO mass_member (mass, tier, issuer, serial, state) VALUES (5, 0, 1, x'11220001', 0)");
    RUN(r, "INSERT INTO mass_member (mass, tier, issuer, serial, state) VALUES (5, 1, 1, x'11220100', 0)");
    struct wanted w = reaction("5", 50);
    assert_fails(say(r, &w), LT_PEER_USAGE);
    w = reaction("m5", 50);
    assert_ok(say(r, &w));
    beats(r);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM certificate_truth WHERE state = 2"), 2);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM drill_reaction WHERE looked = 3 AND ended_us > 0"),
                     1);
    w = reaction("m5", 100);
    assert_ok(say(r, &w)); /* those that reacted do not once more */
    beats(r);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM certificate_truth"), 3);
}

#define TEST(name_) cmocka_unit_test_setup_teardown(name_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_record_is_the_test_of_the_plan),
        TEST(test_records_that_contradict_themselves),
        TEST(test_a_date_that_is_kept),
        TEST(test_a_date_that_is_not),
        TEST(test_dates_that_are_refused_or_dropped),
        TEST(test_windows_move_and_come_back),
        TEST(test_an_incident_comes_first),
        TEST(test_rehearsals_that_are_refused),
        TEST(test_only_a_drill_has_reactions),
        TEST(test_reactions_in_a_drill),
    };
    return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
