/* Promises, reviews, training, concerns: what may follow what, what is refused, and what raises an alarm when
 * its time is over. */
#include "desk_rig.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ca/audit_lines.h"
#include "ca/retention.h"
#include "incident/action.h"
#include "incident/case.h"
#include "incident/clock.h"
#include "incident/learn.h"
#include "incident/pack.h"
#include "store/internal.h"

#define PATH "/tmp/lintel-test-learn.db"

enum { DAY_S = 86400 };

static void remove_files(void)
{
    (void)unlink(PATH);
    (void)unlink(PATH "-wal");
    (void)unlink(PATH "-shm");
}

/* Number 1, for which things are promised. */
static lt_res step_incident(struct rig *r, struct ca_turn *t, void *arg)
{
    int64_t id = 0;
    const struct incident_opening o = {.title = "one path was not compared", .source = "person", .by = "ann"};
    (void)r;
    (void)arg;
    return incident_open(t, &o, &id);
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

static lt_res say(struct rig *r, struct wanted w)
{
    const char *subject = w.values[0].text == NULL ? "" : w.values[0].text;
    if (strcmp(subject, "incident 1") == 0 && rig_number(r, "SELECT count(*) FROM incident") == 0) {
        assert_ok(rig_run(r, step_incident, NULL));
    }
    return rig_run(r, step_op, &w);
}

static lt_res step_beat(struct rig *r, struct ca_turn *t, void *arg)
{
    struct incident_beat b = {.t = t};
    bool more = false;
    (void)r;
    (void)arg;
    return incident_area_learn.beat(&b, &more);
}

static void wait_days(struct rig *r, int64_t days)
{
    r->now = lt_time_add_seconds(r->now, days * DAY_S);
    assert_ok(rig_run(r, step_beat, NULL));
}

#define COUNT(kind_) rig_number(r, "SELECT count(*) FROM event WHERE kind = '" kind_ "'")

static int64_t later(const struct rig *r, int64_t days)
{
    return lt_time_add_seconds(r->now, days * DAY_S).us;
}

static struct wanted promise(const struct rig *r)
{
    return (struct wanted){.op = "action.add",
                           .values = {{"for", "incident 1", 0},
                                      {"title", "Compare each path with the others", 0},
                                      {"kind", "Prevent", 0},
                                      {"criteria", "The test is in the repository", 0},
                                      {"owner", "engineering", 0},
                                      {"causes", "1, 2", 0},
                                      {"due", NULL, later(r, 30)}}};
}

static void one_promise(struct rig *r)
{
    assert_ok(say(r, promise(r)));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM incident_action"), 1);
}

static struct wanted change(const char *op, const char *words, int64_t due)
{
    return (struct wanted){.op = op, .id = "1", .values = {{"words", words, 0}, {"due", NULL, due}}};
}

static struct wanted complete(void)
{
    return (struct wanted){
        .op = "action.complete", .id = "1", .values = {{"evidence", "https://example.com/change/1", 0}}};
}

/* ---- promises ---- */

static const struct {
    size_t member;
    const char *text;
    int64_t number;
} wrong_promises[] = {
    {1, "", 0}, {1, "  \n", 0}, {2, "Avoid", 0}, {2, "prevent", 0}, {2, "", 0},    {3, "", 0},
    {4, "", 0}, {5, "one", 0},  {5, "1; 2", 0},  {6, NULL, 1},      {6, NULL, -1}, /* just now */
};

static void test_wrong_promises(void **state)
{
    struct rig *r = *state;
    for (size_t i = 0; i < LT_COUNT(wrong_promises); i++) {
        struct wanted w = promise(r);
        w.values[wrong_promises[i].member].text = wrong_promises[i].text;
        w.values[wrong_promises[i].member].number = wrong_promises[i].number < 0 ? r->now.us
                                                                                 : wrong_promises[i].number;
        assert_fails(say(r, w), LT_PEER_MALFORMED);
    }
    char long_title[400];
    memset(long_title, 'a', sizeof long_title);
    long_title[sizeof long_title - 1] = '\0';
    struct wanted w = promise(r);
    w.values[1].text = long_title;
    assert_fails(say(r, w), LT_PEER_TOO_LARGE);
    assert_int_equal(COUNT("action.added"), 0);
}

static lt_res step_restrict(struct rig *r, struct ca_turn *t, void *arg)
{
    static const struct store_sql put = {"t.restrict", "UPDATE incident SET restricted = 1 WHERE id = 1"};
    (void)r;
    (void)arg;
    return store_exec(t->store, &put, STORE_NO_ARGS, NULL);
}

/* For who may see the incident; and one that is there. */
static void test_promised_for_whom(void **state)
{
    struct rig *r = *state;
    struct wanted w = promise(r);
    w.values[0].text = "incident 999";
    assert_fails(say(r, w), LT_PEER_NOT_FOUND);
    w.values[0].text = "incident twelve";
    assert_fails(say(r, w), LT_PEER_MALFORMED);
    one_promise(r);
    assert_ok(rig_run(r, step_restrict, NULL));
    assert_fails(say(r, promise(r)), LT_PEER_NOT_FOUND);
    assert_fails(say(r, complete()), LT_PEER_NOT_FOUND);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM incident_action"), 1);
    assert_int_equal(COUNT("action.completed"), 0);
}

/* Every edge, and every pair that is none. */
static void test_every_edge(void **state)
{
    static const char *const states[] = {"Ongoing", "Delayed", "Complete", "Canceled"};
    static const char *const into[] = {NULL, "action.delay", "action.complete", "action.cancel"};
    static const struct {
        const char *op;
        const char *to[4]; /* by the state before; NULL: refused */
    } edges[] = {
        {"action.complete", {"Complete", "Complete", NULL, NULL}},
        {"action.delay", {"Delayed", "Delayed", NULL, NULL}},
        {"action.cancel", {"Canceled", "Canceled", NULL, NULL}},
        {"action.update", {"Ongoing", "Delayed", NULL, NULL}},
        {"action.reopen", {NULL, NULL, "Ongoing", "Ongoing"}},
        {"action.tell", {"Ongoing", "Delayed", "Complete", "Canceled"}},
    };
    for (size_t from = 0; from < LT_COUNT(states); from++) {
        for (size_t e = 0; e < LT_COUNT(edges); e++) {
            struct rig *r = *state;
            one_promise(r);
            if (into[from] != NULL) {
                struct wanted w = strcmp(into[from], "action.complete") == 0
                                      ? complete()
                                      : change(into[from], "because", later(r, 60));
                assert_ok(say(r, w));
            }
            struct wanted w = strcmp(edges[e].op, "action.complete") == 0
                                  ? complete()
                                  : change(edges[e].op, "because", later(r, 90));
            lt_res did = say(r, w);
            if (edges[e].to[from] == NULL) {
                assert_fails(did, LT_PEER_CONFLICT);
            } else {
                char sql[128];
                assert_ok(did);
                (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM incident_action WHERE status = '%s'",
                               edges[e].to[from]);
                assert_int_equal(rig_number(r, sql), 1);
            }
            (void)tear_down(state);
            (void)set_up(state);
        }
    }
}

static void test_what_a_change_needs(void **state)
{
    struct rig *r = *state;
    one_promise(r);
    struct wanted w = complete();
    w.values[0].text = "";
    assert_fails(say(r, w), LT_PEER_MALFORMED);
    assert_fails(say(r, change("action.delay", "", later(r, 60))), LT_PEER_MALFORMED);
    assert_fails(say(r, change("action.delay", "more to do", r->now.us)), LT_PEER_MALFORMED);
    assert_fails(say(r, change("action.cancel", "", 0)), LT_PEER_MALFORMED);
    assert_fails(say(r, change("action.update", "", 0)), LT_PEER_MALFORMED);
    assert_fails(say(r, change("action.tell", "", 0)), LT_PEER_MALFORMED);
    w = change("action.update", "x", 0);
    w.id = "2";
    assert_fails(say(r, w), LT_PEER_NOT_FOUND);
    w.id = "one";
    assert_fails(say(r, w), LT_PEER_NOT_FOUND);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind LIKE 'action.%'"), 1);
}

/* It lapses: an alarm, and one again each week, until it is delayed with a reason or done. */
static void test_lapse(void **state)
{
    struct rig *r = *state;
    one_promise(r);
    wait_days(r, 29);
    assert_int_equal(COUNT("action.lapsed"), 0);
    wait_days(r, 2);
    assert_int_equal(COUNT("action.lapsed"), 1);
    assert_int_equal(rig_number(r,
                                "SELECT count(*) FROM oncall_page WHERE subject = 'action 1' AND severity = "
                                "'high'"),
                     1);
    wait_days(r, 0);
    assert_int_equal(COUNT("action.lapsed"), 1);
    wait_days(r, 7);
    assert_int_equal(COUNT("action.lapsed"), 2);
    assert_ok(say(r, change("action.delay", "the change needs a ceremony", later(r, 20))));
    assert_ok(say(r, change("action.tell", "https://bugzilla.mozilla.org/1#c9", 0)));
    wait_days(r, 19);
    assert_int_equal(COUNT("action.lapsed"), 2);
    wait_days(r, 2);
    assert_int_equal(COUNT("action.lapsed"), 3);
    assert_ok(say(r, complete()));
    assert_ok(say(r, change("action.tell", "https://bugzilla.mozilla.org/1#c10", 0)));
    wait_days(r, 30);
    assert_int_equal(COUNT("action.lapsed"), 3);
}

/* A change of what an incident made us promise is told within three days: the clock of IRG-5. */
static void test_three_days(void **state)
{
    struct rig *r = *state;
    one_promise(r);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM clock WHERE duty = 'irg-5'"), 0);
    assert_ok(say(r, change("action.update", "another team has it", 0)));
    assert_int_equal(
        rig_number(r, "SELECT count(*) FROM clock WHERE duty = 'irg-5' AND subject = 'incident 1' AND "
                      "due_us - start_us = 259200000000"),
        1);
    wait_days(r, 2);
    assert_ok(say(r, change("action.update", "and its criteria are others", 0)));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM clock WHERE duty = 'irg-5'"), 1);
    assert_int_equal(COUNT("action.untold"), 0);
    wait_days(r, 2);
    assert_int_equal(COUNT("action.untold"), 1);
    assert_ok(say(r, change("action.tell", "comment 7", 0)));
    assert_int_equal(rig_number(r, "SELECT tell_by_us FROM incident_action"), 0);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM clock WHERE met_us > 0"), 1);
    wait_days(r, 8);
    assert_int_equal(COUNT("action.untold"), 1);
}

static lt_res step_meet(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    (void)arg;
    return incident_clock_meet(t, "incident 1", "irg-5", t->now, "comment 4 of the bug");
}

/* An update of the incident tells of all of its promises. */
static void test_told_by_another_road(void **state)
{
    struct rig *r = *state;
    one_promise(r);
    assert_ok(say(r, change("action.update", "another team has it", 0)));
    wait_days(r, 1);
    assert_ok(rig_run(r, step_meet, NULL));
    wait_days(r, 4);
    assert_int_equal(COUNT("action.untold"), 0);
    assert_int_equal(rig_number(r, "SELECT tell_by_us FROM incident_action"), 0);
    wait_days(r, 26);
    assert_int_equal(COUNT("action.lapsed"), 1);
}

/* Two of them changed: one that was told does not tell of the other. */
static void test_one_told_of_two(void **state)
{
    struct rig *r = *state;
    one_promise(r);
    assert_ok(say(r, promise(r)));
    struct wanted second = change("action.update", "y", 0);
    second.id = "2";
    assert_ok(say(r, change("action.update", "x", 0)));
    wait_days(r, 1);
    assert_ok(say(r, second));
    assert_ok(say(r, change("action.tell", "comment 7", 0)));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM clock WHERE met_us > 0"), 0);
    second.op = "action.tell";
    assert_ok(say(r, second));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM clock WHERE duty = 'irg-5' AND met_us = 0"), 0);
}

static void test_nothing_is_owed_for_ourselves(void **state)
{
    struct rig *r = *state;
    struct wanted w = promise(r);
    w.values[0].text = "review 3";
    assert_ok(say(r, w));
    assert_ok(say(r, change("action.update", "another team has it", 0)));
    wait_days(r, 5);
    assert_int_equal(COUNT("action.untold"), 0);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM clock"), 0);
}

static struct wanted look(int64_t months, bool holds)
{
    return (struct wanted){.op = "action.check",
                           .id = "1",
                           .values = {{"months", NULL, months},
                                      {"holds", NULL, holds},
                                      {"evidence", "it is still in the nightly run", 0}}};
}

/* Follow-ups at 3, 6 and 12 months. */
static void test_follow_ups(void **state)
{
    struct rig *r = *state;
    one_promise(r);
    assert_fails(say(r, look(3, true)), LT_PEER_NOT_FOUND);
    assert_ok(say(r, complete()));
    assert_ok(say(r, change("action.tell", "comment 7", 0)));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM incident_action_check"), 3);
    assert_fails(say(r, look(4, true)), LT_PEER_NOT_FOUND);
    wait_days(r, 88);
    assert_int_equal(COUNT("action.check-due"), 0);
    wait_days(r, 5);
    assert_int_equal(COUNT("action.check-due"), 1);
    assert_ok(say(r, look(3, true)));
    assert_fails(say(r, look(3, true)), LT_PEER_CONFLICT);
    wait_days(r, 8);
    assert_int_equal(COUNT("action.check-lapsed"), 0);
    wait_days(r, 90);
    assert_int_equal(COUNT("action.check-due") + COUNT("action.check-lapsed"), 2);
    wait_days(r, 8);
    assert_int_equal(COUNT("action.check-lapsed"), 2);
    assert_ok(say(r, look(6, false)));
    assert_int_equal(COUNT("action.checked"), 2);
    assert_ok(say(r, change("action.reopen", "the control was removed", later(r, 30))));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM incident_action_check WHERE done_us = 0"), 0);
    wait_days(r, 200);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind LIKE 'action.check-%'"), 3);
}

static lt_res step_open(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    return incident_action_open(t, "incident 1", arg);
}

static void test_open_ones_are_counted(void **state)
{
    struct rig *r = *state;
    int64_t open = -1;
    one_promise(r);
    assert_ok(say(r, promise(r)));
    assert_ok(rig_run(r, step_open, &open));
    assert_int_equal(open, 2);
    assert_ok(say(r, complete()));
    assert_ok(rig_run(r, step_open, &open));
    assert_int_equal(open, 1);
}

static void test_months(void **state)
{
    (void)state;
    static const struct {
        const char *from;
        int64_t months;
        const char *to;
    } rows[] = {
        {"2026-11-22T13:00:00Z", 3, "2027-02-22T13:00:00Z"},
        {"2026-11-30T00:00:00Z", 3, "2027-02-28T00:00:00Z"},
        {"2027-11-30T00:00:00Z", 3, "2028-02-29T00:00:00Z"},
        {"2026-08-31T23:59:59Z", 6, "2027-02-28T23:59:59Z"},
        {"2028-02-29T01:02:03Z", 12, "2029-02-28T01:02:03Z"},
        {"2026-12-31T00:00:00Z", 12, "2027-12-31T00:00:00Z"},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        lt_time from;
        char text[LT_RFC3339_SIZE];
        assert_ok(lt_time_parse(lt_slice_cstr(rows[i].from), &from));
        lt_time_rfc3339(incident_learn_months(from, rows[i].months), text);
        assert_string_equal(text, rows[i].to);
    }
}

/* ---- reviews ---- */

static struct wanted named(const char *op, const char *member, const char *value)
{
    return (struct wanted){.op = op, .values = {{member, value, 0}}};
}

static void test_reviews_go_round(void **state)
{
    struct rig *r = *state;
    wait_days(r, 0);
    assert_true(rig_number(r, "SELECT count(*) FROM incident_review_source WHERE kind = 'recorded'") > 30);
    assert_int_equal(
        rig_number(r, "SELECT count(*) FROM incident_review_source WHERE source = 'bug-1619047' AND title "
                      "LIKE 'Let''s Encrypt, 2020-02-29: CAA %' AND link LIKE 'https://%=1619047'"),
        1);
    assert_ok(say(r, named("review.reviewer-add", "name", "ann")));
    assert_ok(say(r, named("review.reviewer-add", "name", "bob")));
    for (int i = 0; i < 4; i++) {
        wait_days(r, 7);
    }
    assert_int_equal(rig_number(r, "SELECT count(*) FROM incident_review"), 4);
    assert_int_equal(rig_number(r, "SELECT count(DISTINCT source) FROM incident_review"), 4);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM incident_review WHERE reviewer = 'ann'"), 2);
    assert_int_equal(COUNT("review.lapsed"), 3); /* two of them, the first for the second time */
    struct wanted w = {.op = "review.brief", .id = "1", .values = {{"brief", "We have the same gap.", 0}}};
    assert_ok(say(r, w));
    assert_fails(say(r, w), LT_PEER_CONFLICT);
    w.id = "9";
    assert_fails(say(r, w), LT_PEER_NOT_FOUND);
    w.id = "2";
    w.values[0].text = " ";
    assert_fails(say(r, w), LT_PEER_MALFORMED);
}

static void test_our_own_come_round(void **state)
{
    struct rig *r = *state;
    static const char incidents[] = "INSERT INTO incident SELECT 5, 'closed', 1, 'Wrong policy', 'person', "
                                    "'', 'high', 0, 0, 1, 0, 1, 'x', 1, "
                                    "0, 0, 0, 9;"
                                    "INSERT INTO incident SELECT 6, 'closed', 1, 'Secret', 'person', '', "
                                    "'high', 1, 0, 1, 0, 1, 'x', 1, 0, 0, 0, 9;"
                                    "INSERT INTO incident SELECT 7, 'closed', 1, 'Drill', 'person', '', "
                                    "'high', 0, 1, 1, 0, 1, 'x', 1, 0, 0, 0, 9;"
                                    "INSERT INTO incident SELECT 8, 'scoped', 1, 'Open', 'person', '', "
                                    "'high', 0, 0, 1, 0, 1, 'x', 1, 0, 0, 0, 0";
    wait_days(r, 0);
    assert_ok(store_begin(r->store));
    assert_ok(store_script(r->store, incidents));
    assert_ok(store_commit(r->store));
    assert_ok(say(r, named("review.reviewer-add", "name", "ann")));
    wait_days(r, 1);
    wait_days(r, 8);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM incident_review_source WHERE kind = 'own'"), 1);
    assert_int_equal(rig_number(r,
                                "SELECT count(*) FROM incident_review_source WHERE source = 'incident 5' AND "
                                "title = 'Wrong policy'"),
                     1);
}

static void test_nobody_reviews(void **state)
{
    struct rig *r = *state;
    wait_days(r, 0);
    wait_days(r, 29);
    assert_int_equal(COUNT("review.nobody"), 0);
    wait_days(r, 2);
    assert_int_equal(COUNT("review.nobody"), 1);
    wait_days(r, 5);
    assert_int_equal(COUNT("review.nobody"), 1);
    wait_days(r, 26);
    assert_int_equal(COUNT("review.nobody"), 2);
}

static void test_rota_and_sources(void **state)
{
    struct rig *r = *state;
    struct wanted source = {.op = "review.source-add",
                            .values = {{"source", "bug-2000000", 0},
                                       {"title", "Another CA", 0},
                                       {"link", "https://b.example/", 0}}};
    struct wanted assign = {.op = "review.assign",
                            .values = {{"source", "bug-2000000", 0}, {"reviewer", "ann", 0}}};
    assert_fails(say(r, named("review.reviewer-add", "name", "Ann Smith")), LT_PEER_MALFORMED);
    assert_ok(say(r, named("review.reviewer-add", "name", "ann")));
    assert_fails(say(r, named("review.reviewer-add", "name", "ann")), LT_PEER_CONFLICT);
    assert_fails(say(r, assign), LT_PEER_NOT_FOUND);
    assert_ok(say(r, source));
    assert_fails(say(r, source), LT_PEER_CONFLICT);
    assert_ok(say(r, assign));
    assign.values[1].text = "bob";
    assert_fails(say(r, assign), LT_PEER_NOT_FOUND);
    struct wanted end = {.op = "review.reviewer-end", .id = "ann"};
    assert_ok(say(r, end));
    assert_fails(say(r, end), LT_PEER_NOT_FOUND);
    assert_ok(say(r, named("review.reviewer-add", "name", "ann")));
    assert_ok(say(r, named("review.source-end", "source", "bug-2000000")));
    assert_fails(say(r, named("review.source-end", "source", "bug-2000000")), LT_PEER_NOT_FOUND);
    struct wanted calendar = {.op = "review.calendar", .values = {{"every-days", NULL, 0}}};
    assert_fails(say(r, calendar), LT_PEER_MALFORMED);
    calendar.values[0].number = 401;
    assert_fails(say(r, calendar), LT_PEER_MALFORMED);
    calendar.values[0].number = 14;
    assert_ok(say(r, calendar));
}

/* ---- training ---- */

static struct wanted learned(const struct rig *r, const char *course, int64_t days_ago)
{
    return (struct wanted){.op = "training.add",
                           .values = {{"person", "ann", 0},
                                      {"role", "commander", 0},
                                      {"course", course, 0},
                                      {"evidence", "drill 3", 0},
                                      {"done", NULL, later(r, -days_ago)}}};
}

static struct wanted course(const char *name, int64_t days)
{
    return (struct wanted){.op = "training.course-add",
                           .values = {{"role", "commander", 0},
                                      {"course", name, 0},
                                      {"valid-days", NULL, days},
                                      {"words", "how an incident is led", 0}}};
}

static struct wanted role(const char *op)
{
    return (struct wanted){.op = op, .values = {{"person", "ann", 0}, {"role", "commander", 0}}};
}

static void test_training_lapses(void **state)
{
    struct rig *r = *state;
    assert_ok(say(r, course("drill", 365)));
    assert_ok(say(r, role("training.trainee-add")));
    wait_days(r, 29);
    assert_int_equal(COUNT("training.lapsed"), 0);
    wait_days(r, 2);
    assert_int_equal(COUNT("training.lapsed"), 1);
    assert_ok(say(r, learned(r, "drill", 5)));
    wait_days(r, 359);
    assert_int_equal(COUNT("training.lapsed"), 1);
    wait_days(r, 2);
    assert_int_equal(COUNT("training.lapsed"), 2);
    wait_days(r, 7);
    assert_int_equal(COUNT("training.lapsed"), 3);
    assert_ok(say(r, role("training.trainee-end")));
    wait_days(r, 30);
    assert_int_equal(COUNT("training.lapsed"), 3);
}

static void test_training_refusals(void **state)
{
    struct rig *r = *state;
    assert_fails(say(r, learned(r, "drill", 0)), LT_PEER_NOT_FOUND);
    assert_ok(say(r, course("drill", 0)));
    assert_fails(say(r, course("drill", 0)), LT_PEER_CONFLICT);
    assert_fails(say(r, course("Drill", 0)), LT_PEER_MALFORMED);
    assert_fails(say(r, course("other", 3651)), LT_PEER_MALFORMED);
    assert_fails(say(r, learned(r, "drill", 0)), LT_PEER_NOT_FOUND);
    assert_fails(say(r, role("training.trainee-end")), LT_PEER_NOT_FOUND);
    assert_ok(say(r, role("training.trainee-add")));
    assert_fails(say(r, role("training.trainee-add")), LT_PEER_CONFLICT);
    assert_fails(say(r, learned(r, "drill", -1)), LT_PEER_MALFORMED);
    assert_ok(say(r, learned(r, "drill", 1)));
    wait_days(r, 2000); /* for good */
    assert_int_equal(COUNT("training.lapsed"), 0);
    assert_ok(say(r, course("bridge", 30))); /* a new one: some time to learn it */
    wait_days(r, 29);
    assert_int_equal(COUNT("training.lapsed"), 0);
    wait_days(r, 2);
    assert_int_equal(COUNT("training.lapsed"), 1);
    struct wanted end = {.op = "training.course-end",
                         .values = {{"role", "commander", 0}, {"course", "bridge", 0}}};
    assert_ok(say(r, end));
    assert_fails(say(r, end), LT_PEER_NOT_FOUND);
    wait_days(r, 100);
    assert_int_equal(COUNT("training.lapsed"), 1);
}

/* ---- concerns ---- */

struct filing {
    const char *words;
    int64_t id;
    char token[64];
};

static lt_res step_file(struct rig *r, struct ca_turn *t, void *arg)
{
    struct filing *f = arg;
    const char *token = NULL;
    (void)r;
    const struct incident_concern filed = {f->words, "ann bob"};
    LT_TRY(incident_concern_file(t, &filed, &f->id, &token));
    (void)snprintf(f->token, sizeof f->token, "%s", token);
    return LT_OK;
}

static void test_concern(void **state)
{
    struct rig *r = *state;
    struct filing f = {.words = "The ceremony script was changed by hand."};
    assert_ok(rig_run(r, step_file, &f));
    assert_int_equal(f.id, 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM incident WHERE restricted = 1 AND opened_by = "
                                   "'concern box'"),
                     1);
    assert_int_equal(COUNT("concern.received"), 1);
    /* The words are in the case alone; no event, and no row but its own, has them or anything that was
     * signed. */
    assert_int_equal(rig_number(r, "SELECT count(*) FROM event WHERE kind LIKE 'concern.%' AND "
                                   "(length(attachment) > 0 OR body LIKE '%ceremony%')"),
                     0);
    assert_int_equal(
        rig_number(r, "SELECT count(*) FROM incident_role WHERE holder = 'ann' AND role = 'commander'"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM clock WHERE duty = 'irg-11' AND status <> 'void'"),
                     0);
    struct wanted answer = {
        .op = "concern.answer", .id = "1", .values = {{"words", "We looked: thank you.", 0}}};
    assert_ok(say(r, answer));
    answer.id = "2";
    assert_fails(say(r, answer), LT_PEER_NOT_FOUND);
    f.words = "  ";
    assert_fails(rig_run(r, step_file, &f), LT_PEER_MALFORMED);
}

static void test_concerns_by_the_hundred(void **state)
{
    struct rig *r = *state;
    struct filing f = {.words = "Something."};
    for (int i = 0; i < 50; i++) {
        assert_ok(rig_run(r, step_file, &f));
    }
    assert_fails(rig_run(r, step_file, &f), LT_POLICY_RATE_LIMITED);
    r->now = lt_time_add_seconds(r->now, DAY_S + 1);
    assert_ok(rig_run(r, step_file, &f));
}

static void test_concern_link(void **state)
{
    struct rig *r = *state;
    struct wanted w = {.op = "concern.link"};
    r->book->base_url = "https://ca.example";
    assert_ok(rig_run(r, step_op, &w));
    assert_non_null(strstr(w.answer, "https://ca.example/concern/"));
    assert_ok(rig_run(r, step_op, &w)); /* the one before ends */
    assert_int_equal(rig_number(r, "SELECT count(*) FROM incident_concern_link"), 2);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM incident_concern_link WHERE ended_us = 0"), 1);
}

/* ---- the audit of all that ---- */

static void told(void *self, const char *what, const char *subject, const char *detail)
{
    const char **last = self;
    (void)subject;
    (void)detail;
    *last = what;
}

static const struct {
    const char *crime;
    const char *what;
} crimes[] = {
    {"DELETE FROM incident_action", "action"},
    {"UPDATE incident_action SET id = 7", "action"},
    {"INSERT INTO incident_reviewer VALUES ('eve', 1, 0, 0); UPDATE incident_review SET id = 9", "review"},
    {"DELETE FROM incident_review", "review"},
    {"UPDATE incident_concern SET words = 'All is well.'", "concern"},
    {"DELETE FROM incident_concern", "concern"},
    {"DELETE FROM incident", "incident"},
    {"INSERT INTO drill SELECT 3, 'x', 'tabletop', '', 0, 1, 1, 2, 1, '', zeroblob(32), '{}', '', 0, 1, "
     "'ann'",
     "drill"},
    {"INSERT INTO key_compromise SELECT zeroblob(32), 'csr', 'mail', zeroblob(32), 0, '', 1, 1, 0, 1, 4, 0, "
     "x''",
     "key"},
};

static void test_changed_rows_show(void **state)
{
    struct rig *r = *state;
    struct filing f = {.words = "The ceremony script was changed by hand."};
    const char *what = "";
    one_promise(r);
    wait_days(r, 0);
    assert_ok(say(r, named("review.reviewer-add", "name", "ann")));
    wait_days(r, 1);
    assert_ok(rig_run(r, step_file, &f));
    for (size_t i = 0; i < LT_COUNT(crimes); i++) {
        struct ca_audit a = {.store = r->store, .self = &what, .found = told};
        what = "";
        assert_ok(ca_audit_desk(&a));
        assert_string_equal(what, "");
        assert_ok(store_begin(r->store));
        assert_ok(store_script(r->store, crimes[i].crime));
        assert_ok(ca_audit_desk(&a));
        if (strcmp(what, crimes[i].what) != 0) {
            print_error("%s: %s\n", crimes[i].crime, what);
        }
        assert_string_equal(what, crimes[i].what);
        store_rollback(r->store);
    }
}

/* ---- events as lines, and back ---- */

static lt_res keep_line(void *self, lt_slice line)
{
    lt_buf_add(self, line);
    return LT_OK;
}

static void export_all(struct rig *r, lt_time from, struct lt_buf *out)
{
    struct ca_audit a = {.store = r->store, .operators = &r->book->operators};
    struct ca_audit_export e = {
        .audit = &a, .from = from, .until = lt_time_add_seconds(r->now, 1), .self = out, .write = keep_line};
    lt_buf_init(out, (size_t)8 * 1024 * 1024);
    assert_ok(ca_audit_export(&e));
}

/* What comes of reading them: findings, or 1,000 where they are refused. */
static uint64_t read_back(lt_slice lines, struct ca_audit_read_counts *ret_counts)
{
    struct ca_audit_reader *reader = NULL;
    const char *what = "";
    lt_slice line;
    bool refused = false;
    assert_ok(ca_audit_reader_new(LT_SLICE(NULL, 0), &what, told, &reader));
    while (!refused && lt_slice_split(&lines, '\n', &line)) {
        refused = line.len > 0 && lt_failed(ca_audit_reader_line(reader, line));
        if (refused) {
            print_message("%s\n", lt_error_last()->detail);
        }
    }
    assert_ok(ca_audit_reader_end(reader, ret_counts));
    ca_audit_reader_free(reader);
    /* This rig has no audit key: that is one finding of its own. */
    return refused ? 1000 : ret_counts->findings - 1;
}

static void test_lines_there_and_back(void **state)
{
    struct rig *r = *state;
    struct lt_buf lines;
    struct ca_audit_read_counts n;
    one_promise(r);
    wait_days(r, 1);
    assert_ok(say(r, change("action.update", "another \"team\"\nhas it \xc3\xa4", 0)));
    wait_days(r, 5);
    export_all(r, (lt_time){0}, &lines);
    assert_int_equal(read_back(lt_buf_slice(&lines), &n), 0);
    assert_true(n.whole);
    assert_int_equal(n.events, rig_number(r, "SELECT count(*) FROM event"));
    lt_buf_done(&lines);
    export_all(r, lt_time_add_seconds(r->now, -(int64_t)2 * DAY_S), &lines);
    assert_int_equal(read_back(lt_buf_slice(&lines), &n), 0);
    assert_false(n.whole);
    assert_true(n.events > 0 && n.events < (uint64_t)rig_number(r, "SELECT count(*) FROM event"));
    lt_buf_done(&lines);
}

/* The lines with one text in place of another; new NULL: the line that has it is left out. */
static lt_slice changed(struct lt_arena *a, lt_slice lines, const char *old, const char *new)
{
    char *text = lt_arena_cstr(a, lines);
    assert_non_null(text);
    char *at = strstr(text, old);
    if (at == NULL) {
        print_error("%s is not there\n", old);
    }
    assert_non_null(at);
    char *end = at + strlen(old);
    if (new == NULL) {
        while (at > text && at[-1] != '\n') {
            at--;
        }
        end = strchr(end, '\n') + 1;
    }
    return lt_slice_cstr(lt_arena_printf(a, "%.*s%s%s", (int)(at - text), text, new == NULL ? "" : new, end));
}

static void test_changed_lines_show(void **state)
{
    static const struct {
        const char *old;
        const char *new;
    } lies[] = {
        {"Compare each path", "Compare some paths"},
        {"\"kind\":\"action.added\"", "\"kind\":\"action.adde\""},
        {"\"kind\":\"action.added\"", NULL},
        {"\"subject\":\"action 1\"", "\"subject\":\"action 2\""},
        {"\"time_us\":17", "\"time_us\":16"},
        {"\"type\":\"end\"", NULL},
        {"\"type\":\"export\"", NULL},
        {"\"type\":\"chain\"", NULL},
        {"\"type\":\"chain\"", "\"type\":\"chains\""},
        {"lintel-events-v1", "lintel-events-v2"},
        {"\"events\":", "\"events\":1"},
        {"\"hash\":\"", "\"hash\":\"0"},
        {"\"sequence\":2,", "\"sequence\":1,"},
        {"\"body\":\"", "\"body\":7,\"b\":\""},
        {"{\"type\":\"event\"", "[{\"type\":\"event\""},
        {"\"kind\":", "\"kind\":\"x\",\"kind\":"},
    };
    struct rig *r = *state;
    struct lt_buf lines;
    struct lt_arena arena;
    lt_arena_init(&arena, (size_t)64 * 1024 * 1024);
    one_promise(r);
    assert_ok(say(r, change("action.update", "x", 0)));
    export_all(r, (lt_time){0}, &lines);
    for (size_t i = 0; i < LT_COUNT(lies); i++) {
        struct ca_audit_read_counts n;
        uint64_t found = read_back(changed(&arena, lt_buf_slice(&lines), lies[i].old, lies[i].new), &n);
        if (found == 0) {
            print_error("%s was not noticed\n", lies[i].old);
        }
        assert_true(found > 0);
    }
    lt_buf_done(&lines);
    lt_arena_done(&arena);
}

/* What the desk has is kept for good: nothing that drops records knows its tables. */
static void test_nothing_is_pruned(void **state)
{
    static const char *const ours[] = {" incident", " problem", " clock", " control",  " notice",
                                       " drill",    " report_", " watch", " key_comp", " oncall"};
    (void)state;
    assert_true(ca_retention_drop_sql_count > 0);
    for (size_t i = 0; i < ca_retention_drop_sql_count; i++) {
        for (size_t k = 0; k < LT_COUNT(ours); k++) {
            assert_null(strstr(ca_retention_drop_sql[i].text, ours[k]));
        }
    }
}

/* ---- the auditor's folder ---- */

struct folder {
    struct lt_buf text; /* all files, one after another */
    size_t files;
};

static lt_res begin_file(void *self, const char *name)
{
    struct folder *f = self;
    f->files++;
    lt_buf_addf(&f->text, "== %s\n", name);
    return LT_OK;
}

static lt_res write_file(void *self, lt_slice text)
{
    struct folder *f = self;
    lt_buf_add(&f->text, text);
    return LT_OK;
}

static void test_the_auditors_folder(void **state)
{
    struct rig *r = *state;
    struct folder f = {.files = 0};
    struct wanted w = promise(r);
    w.values[0].text = "review 1";
    w.values[1].text = "=1+1, \"quoted\"\r\nand more";
    assert_ok(say(r, w));
    w.values[1].text = "A plain one";
    assert_ok(say(r, w));
    struct incident_pack p = {.store = r->store,
                              .until = lt_time_add_seconds(r->now, 1),
                              .sample_ppm = 30000,
                              .self = &f,
                              .begin = begin_file,
                              .write = write_file};
    lt_buf_init(&f.text, (size_t)1024 * 1024);
    assert_ok(incident_pack(&p));
    assert_int_equal(f.files, p.file_count);
    assert_true(p.seed_event[0] != '\0');
    const char *text = lt_buf_cstr(&f.text);
    /* Nothing that a spreadsheet takes for a formula, and every row with its event. */
    assert_non_null(strstr(text, ",\"'=1+1, \"\"quoted\"\" \nand more\","));
    assert_non_null(strstr(text, ",A plain one,Prevent,\"1, 2\","));
    assert_non_null(strstr(text, ",0,registrar-rig "));
    for (size_t i = 0; i < p.file_count; i++) {
        assert_int_equal(p.files[i].unproven, 0);
        assert_int_equal(p.files[i].rows, strcmp(p.files[i].name, "actions.csv") == 0 ? 2 : 0);
    }
    lt_buf_done(&f.text);
}

int main(void)
{
#define TEST(name_) cmocka_unit_test_setup_teardown(name_, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_wrong_promises),
        TEST(test_promised_for_whom),
        TEST(test_every_edge),
        TEST(test_what_a_change_needs),
        TEST(test_lapse),
        TEST(test_three_days),
        TEST(test_told_by_another_road),
        TEST(test_one_told_of_two),
        TEST(test_nothing_is_owed_for_ourselves),
        TEST(test_follow_ups),
        TEST(test_open_ones_are_counted),
        cmocka_unit_test(test_months),
        TEST(test_reviews_go_round),
        TEST(test_our_own_come_round),
        TEST(test_nobody_reviews),
        TEST(test_rota_and_sources),
        TEST(test_training_lapses),
        TEST(test_training_refusals),
        TEST(test_concern),
        TEST(test_concerns_by_the_hundred),
        TEST(test_concern_link),
        TEST(test_changed_rows_show),
        TEST(test_lines_there_and_back),
        TEST(test_changed_lines_show),
        cmocka_unit_test(test_nothing_is_pruned),
        TEST(test_the_auditors_folder),
    };
    return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
