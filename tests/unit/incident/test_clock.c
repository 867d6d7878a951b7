/* Clocks in the book: opened once, warned of, met, late, moved, void; every edge of their states and every
 * pair that is none; and reviews that come back. */
#include "book_rig.h"
#include "check.h"
#include "faultvfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "incident/clock.h"
#include "incident/clock_beat.h"
#include "incident/control.h"

#define PATH "/tmp/lintel-test-clock.db"
#define SUBJECT "incident 12"
enum { HOUR = 3600, DAY = 86400 };

static void remove_files(void)
{
    (void)remove(PATH);
    (void)remove(PATH "-wal");
    (void)remove(PATH "-shm");
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

struct what {
    const char *duty;
    const char *subject;
    const char *words;
    lt_time when;
    int64_t id;
    int64_t beats;
};

static lt_res step_open(struct rig *r, struct ca_turn *t, void *arg)
{
    struct what *w = arg;
    struct incident_clock_start s = {w->duty, w->subject, w->when, w->words};
    (void)r;
    return incident_clock_open(t, &s, &w->id);
}

static lt_res step_meet(struct rig *r, struct ca_turn *t, void *arg)
{
    const struct what *w = arg;
    (void)r;
    return incident_clock_meet(t, w->subject, w->duty, w->when, w->words);
}

static lt_res step_void(struct rig *r, struct ca_turn *t, void *arg)
{
    const struct what *w = arg;
    (void)r;
    return incident_clock_void(t, w->subject, w->duty, w->words);
}

static lt_res step_until(struct rig *r, struct ca_turn *t, void *arg)
{
    const struct what *w = arg;
    (void)r;
    return incident_clock_until(t, w->subject, w->duty, w->when, w->words);
}

static lt_res step_happened(struct rig *r, struct ca_turn *t, void *arg)
{
    const struct what *w = arg;
    (void)r;
    return incident_clock_happened(t, w->duty, w->subject, w->when, w->words);
}

static lt_res step_next(struct rig *r, struct ca_turn *t, void *arg)
{
    struct what *w = arg;
    (void)r;
    return incident_clock_next(t, w->subject, &w->when);
}

static lt_res step_beat(struct rig *r, struct ca_turn *t, void *arg)
{
    struct what *w = arg;
    bool more = true;
    (void)r;
    w->beats++;
    LT_TRY(incident_clock_beat(t, &more));
    w->id = more;
    return LT_OK;
}

static struct what clock_of(struct rig *r, const char *duty)
{
    return (struct what){.duty = duty, .subject = SUBJECT, .words = "event main 1", .when = r->now};
}

static void beat(struct rig *r)
{
    struct what w = {0};
    do {
        assert_ok(rig_run(r, step_beat, &w));
    } while (w.id != 0 && w.beats < 100);
}

static void later(struct rig *r, int64_t s)
{
    r->now = lt_time_add_seconds(r->now, s);
}

static int64_t count_events(struct rig *r, const char *kind)
{
    char text[200];
    (void)snprintf(text, sizeof text, "SELECT count(*) FROM event WHERE kind = '%s'", kind);
    return rig_number(r, text);
}

#define STATUS_IS(r_, status_) \
    assert_int_equal(rig_number(r_, "SELECT count(*) FROM clock WHERE status = '" status_ "'"), 1)

/* ---- tests ---- */

static void opened_once(void **state)
{
    struct rig *r = *state;
    struct what w = clock_of(r, "irg-1");
    assert_ok(rig_run(r, step_open, &w));
    assert_int_equal(w.id, 1);
    later(r, 60);
    assert_ok(rig_run(r, step_open, &w)); /* the same start */
    assert_int_equal(w.id, 1);
    assert_int_equal(count_events(r, "clock.opened"), 1);
    w.when.us += 1000000; /* another */
    assert_ok(rig_run(r, step_open, &w));
    assert_int_equal(w.id, 2);
    w.subject = "problem 12";
    assert_ok(rig_run(r, step_open, &w));
    assert_int_equal(w.id, 3);
}

static void not_opened(void **state)
{
    struct rig *r = *state;
    struct what w = clock_of(r, "irg-99");
    assert_fails(rig_run(r, step_open, &w), LT_PEER_MALFORMED);
    w = clock_of(r, "irg-1");
    w.words = "";
    assert_fails(rig_run(r, step_open, &w), LT_PEER_MALFORMED);
    w = clock_of(r, "irg-1");
    w.when = lt_time_add_seconds(r->now, 5);
    assert_fails(rig_run(r, step_open, &w), LT_PEER_MALFORMED);
    w.when.us = 0;
    assert_fails(rig_run(r, step_open, &w), LT_PEER_MALFORMED);
    /* In 2020 there were no such guidelines: no clock, and no error. */
    assert_ok(lt_time_parse(LT_LIT("2020-02-29T03:08:00Z"), &w.when));
    assert_ok(rig_run(r, step_open, &w));
    assert_int_equal(w.id, 0);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM clock"), 0);
}

static void warned_step_by_step(void **state)
{
    struct rig *r = *state;
    static const struct {
        int64_t at_s; /* of 72 hours */
        int64_t warned;
        int64_t warnings;
    } rows[] = {
        {35 * HOUR, 0, 0},  {36 * HOUR, 50, 1},        {36 * HOUR + 1, 50, 1},
        {54 * HOUR, 75, 2}, {64 * HOUR + 2880, 90, 3}, {71 * HOUR, 90, 3},
    };
    struct what w = clock_of(r, "irg-1");
    lt_time start = r->now;
    assert_ok(rig_run(r, step_open, &w));
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        r->now = lt_time_add_seconds(start, rows[i].at_s);
        beat(r);
        assert_int_equal(rig_number(r, "SELECT warned FROM clock WHERE id = 1"), rows[i].warned);
        assert_int_equal(count_events(r, "clock.warned"), rows[i].warnings);
    }
    STATUS_IS(r, "open");
    r->now = lt_time_add_seconds(start, 72 * HOUR);
    beat(r);
    STATUS_IS(r, "breached");
    assert_int_equal(count_events(r, "clock.breached"), 1);
    later(r, 10 * DAY);
    beat(r); /* it is not looked at again */
    assert_int_equal(count_events(r, "clock.breached"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM clock WHERE next_us IS NOT NULL"), 0);
}

/* Told of after most of it was over: one step, the last. */
static void only_the_last_step(void **state)
{
    struct rig *r = *state;
    struct what w = clock_of(r, "irg-1");
    w.when = lt_time_add_seconds(r->now, -70 * HOUR);
    assert_ok(rig_run(r, step_open, &w));
    beat(r);
    assert_int_equal(rig_number(r, "SELECT warned FROM clock WHERE id = 1"), 90);
    assert_int_equal(count_events(r, "clock.warned"), 1);
}

static void what_should_be_kept(void **state)
{
    struct rig *r = *state;
    struct what w = clock_of(r, "revoke-tls/misuse"); /* 24 h, five days at most */
    assert_ok(rig_run(r, step_open, &w));
    later(r, 24 * HOUR);
    beat(r);
    assert_int_equal(count_events(r, "clock.aim-missed"), 1);
    STATUS_IS(r, "open");
    later(r, 36 * HOUR);
    beat(r);
    assert_int_equal(count_events(r, "clock.warned"), 1);
    assert_int_equal(count_events(r, "clock.aim-missed"), 1);
}

static void met_with_margin(void **state)
{
    struct rig *r = *state;
    struct what w = clock_of(r, "irg-1");
    assert_ok(rig_run(r, step_open, &w));
    later(r, 70 * HOUR);
    w.when = r->now;
    w.words = "bug 1619047";
    assert_ok(rig_run(r, step_meet, &w));
    STATUS_IS(r, "met");
    assert_int_equal(
        rig_number(r,
                   "SELECT count(*) FROM event WHERE kind = 'clock.met' AND body LIKE '%\"margin_s\":7199%'"),
        1);
    assert_ok(rig_run(r, step_meet, &w)); /* none is open: nothing to do */
    assert_int_equal(count_events(r, "clock.met"), 1);
    later(r, 10 * DAY);
    beat(r);
    assert_int_equal(count_events(r, "clock.breached"), 0);
}

static void late(void **state)
{
    struct rig *r = *state;
    struct what w = clock_of(r, "irg-1");
    assert_ok(rig_run(r, step_open, &w));
    later(r, 73 * HOUR);
    beat(r);
    STATUS_IS(r, "breached");
    w.when = r->now;
    assert_ok(rig_run(r, step_meet, &w));
    STATUS_IS(r, "late");
    assert_int_equal(
        rig_number(
            r, "SELECT count(*) FROM event WHERE kind = 'clock.late' AND body LIKE '%\"margin_s\":-3600%'"),
        1);
    /* What was done in time and told too late was done in time. */
    w = clock_of(r, "irg-2");
    assert_ok(rig_run(r, step_open, &w));
    lt_time done = lt_time_add_seconds(r->now, HOUR);
    later(r, 15 * DAY);
    beat(r);
    STATUS_IS(r, "breached");
    w.when = done;
    assert_ok(rig_run(r, step_meet, &w));
    STATUS_IS(r, "met");
}

static void not_met(void **state)
{
    struct rig *r = *state;
    struct what w = clock_of(r, "irg-1");
    assert_ok(rig_run(r, step_open, &w));
    w.when = lt_time_add_seconds(r->now, 1);
    assert_fails(rig_run(r, step_meet, &w), LT_PEER_MALFORMED);
    w.when = r->now;
    w.words = "";
    assert_fails(rig_run(r, step_meet, &w), LT_PEER_MALFORMED);
    assert_fails(rig_run(r, step_void, &w), LT_PEER_MALFORMED);
    assert_fails(rig_run(r, step_until, &w), LT_PEER_MALFORMED);
    w.words = "done";
    w.when = lt_time_add_seconds(r->now, -HOUR); /* before it began */
    assert_ok(rig_run(r, step_meet, &w));
    STATUS_IS(r, "open");
    w.subject = "incident 13"; /* of another one */
    w.when = r->now;
    assert_ok(rig_run(r, step_meet, &w));
    STATUS_IS(r, "open");
    assert_fails(rig_run(r, step_until, &w), LT_PEER_NOT_FOUND);
}

static void promptly_is_our_own_measure(void **state)
{
    struct rig *r = *state;
    struct what w = clock_of(r, "irg-7");
    assert_ok(rig_run(r, step_open, &w));
    later(r, 25 * HOUR);
    beat(r);
    STATUS_IS(r, "overdue");
    assert_int_equal(count_events(r, "clock.breached"), 0);
    assert_int_equal(count_events(r, "clock.overdue"), 1);
}

static void moved_and_void(void **state)
{
    struct rig *r = *state;
    struct what w = clock_of(r, "irg-4");
    lt_time start = r->now;
    assert_ok(rig_run(r, step_open, &w));
    later(r, 8 * DAY);
    beat(r);
    STATUS_IS(r, "breached");
    w.when = lt_time_add_seconds(start, 30 * DAY);
    w.words = "whiteboard: Next update";
    assert_ok(rig_run(r, step_until, &w));
    STATUS_IS(r, "open");
    beat(r);
    assert_int_equal(rig_number(r, "SELECT warned FROM clock WHERE id = 1"), 0);
    r->now = lt_time_add_seconds(start, 15 * DAY);
    beat(r);
    assert_int_equal(rig_number(r, "SELECT warned FROM clock WHERE id = 1"), 50);
    w.words = "closed";
    assert_ok(rig_run(r, step_void, &w));
    STATUS_IS(r, "void");
    w.when = start;
    assert_fails(rig_run(r, step_until, &w), LT_PEER_NOT_FOUND);
    assert_ok(rig_run(r, step_void, &w)); /* none is open */
    assert_int_equal(count_events(r, "clock.void"), 1);
}

/* It runs on from the same moment, and what passed while it was void is told; what is met stays so. */
static void void_and_open_again(void **state)
{
    struct rig *r = *state;
    struct what w = clock_of(r, "irg-1");
    struct what no = clock_of(r, "irg-1");
    lt_time start = w.when;
    no.words = "it was none";
    assert_ok(rig_run(r, step_open, &w));
    assert_ok(rig_run(r, step_void, &no));
    later(r, 40 * HOUR);
    beat(r);
    assert_int_equal(count_events(r, "clock.warned"), 0);
    assert_ok(rig_run(r, step_open, &w));
    assert_int_equal(w.id, 1);
    STATUS_IS(r, "open");
    assert_int_equal(count_events(r, "clock.reopened"), 1);
    assert_ok(rig_run(r, step_open, &w)); /* it runs */
    assert_int_equal(count_events(r, "clock.reopened"), 1);
    beat(r);
    assert_int_equal(rig_number(r, "SELECT warned FROM clock WHERE id = 1"), 50);
    assert_ok(rig_run(r, step_void, &no));
    later(r, 40 * HOUR);
    assert_ok(rig_run(r, step_open, &w));
    beat(r);
    STATUS_IS(r, "breached");
    w.when = r->now;
    assert_ok(rig_run(r, step_meet, &w));
    STATUS_IS(r, "late");
    w.when = start;
    assert_ok(rig_run(r, step_open, &w));
    assert_int_equal(w.id, 1);
    STATUS_IS(r, "late");
}

static void the_tightest(void **state)
{
    struct rig *r = *state;
    struct what w = clock_of(r, "irg-2");
    lt_time start = r->now;
    struct what next = {.subject = SUBJECT};
    assert_ok(rig_run(r, step_next, &next));
    assert_int_equal(next.when.us, 0);
    assert_ok(rig_run(r, step_open, &w));
    w.duty = "irg-1";
    assert_ok(rig_run(r, step_open, &w));
    assert_ok(rig_run(r, step_next, &next));
    assert_int_equal(next.when.us - start.us, (int64_t)72 * HOUR * LT_US_PER_SECOND);
    w.when = r->now;
    assert_ok(rig_run(r, step_meet, &w));
    assert_ok(rig_run(r, step_next, &next));
    assert_int_equal(next.when.us - start.us, (int64_t)14 * DAY * LT_US_PER_SECOND);
}

/* Which clocks run is data: what happens opens and meets them. */
static void by_what_happens(void **state)
{
    struct rig *r = *state;
    struct what w = clock_of(r, "incident.aware");
    assert_ok(rig_run(r, step_happened, &w));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM clock WHERE duty = 'irg-1' AND status = 'open'"), 1);
    later(r, HOUR);
    w = clock_of(r, "incident.disclosed");
    assert_ok(rig_run(r, step_happened, &w));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM clock WHERE duty = 'irg-1' AND status = 'met'"), 1);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM clock WHERE duty = 'irg-2' AND status = 'open'"), 1);
    /* An update meets the clock of the one before, and begins the next; told twice it is one. */
    for (int i = 0; i < 3; i++) {
        later(r, DAY);
        w = clock_of(r, "incident.updated");
        assert_ok(rig_run(r, step_happened, &w));
        assert_ok(rig_run(r, step_happened, &w));
    }
    assert_int_equal(rig_number(r, "SELECT count(*) FROM clock WHERE duty = 'irg-4' AND status = 'met'"), 2);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM clock WHERE duty = 'irg-4' AND status = 'open'"), 1);
    w = clock_of(r, "coffee.made");
    assert_ok(rig_run(r, step_happened, &w));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM clock"), 5);
}

/* All states times all events. */
static void every_edge(void **state)
{
    (void)state;
    static const char *const states[] = {"open", "breached", "overdue", "met", "late", "void"};
    static const char *const to[][INCIDENT_CLOCK_EVENTS] = {
        {"met", "late", "breached", "overdue", "void", NULL},
        {"met", "late", NULL, NULL, "void", NULL},
        {"met", "late", NULL, NULL, "void", NULL},
        {NULL, NULL, NULL, NULL, NULL, NULL},
        {NULL, NULL, NULL, NULL, NULL, NULL},
        {NULL, NULL, NULL, NULL, NULL, "open"},
    };
    for (size_t i = 0; i < LT_COUNT(states); i++) {
        for (size_t k = 0; k < INCIDENT_CLOCK_EVENTS; k++) {
            const char *next = NULL;
            assert_int_equal(incident_clock_edge(states[i], k, &next), to[i][k] != NULL);
            if (to[i][k] != NULL) {
                assert_string_equal(next, to[i][k]);
            }
        }
    }
}

/* A thousand at once are told of in slices. */
static void in_slices(void **state)
{
    struct rig *r = *state;
    struct what w = clock_of(r, "irg-1");
    char subject[40];
    assert_ok(rig_begin(r));
    for (int i = 0; i < 120; i++) {
        (void)snprintf(subject, sizeof subject, "incident %d", i);
        w.subject = subject;
        assert_ok(rig_message(r, step_open, &w));
    }
    assert_ok(rig_commit(r));
    later(r, 37 * HOUR);
    beat(r);
    assert_int_equal(rig_number(r, "SELECT count(*) FROM clock WHERE warned = 50"), 120);
    rig_audit(r);
}

/* ---- reviews and controls ---- */

static lt_res step_add(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    return incident_control_add(t, arg);
}

static lt_res step_done(struct rig *r, struct ca_turn *t, void *arg)
{
    lt_time due;
    (void)r;
    return incident_control_done(t, arg, &due);
}

static lt_res step_retire(struct rig *r, struct ca_turn *t, void *arg)
{
    (void)r;
    return incident_control_retire(t, arg);
}

static struct incident_control review(void)
{
    return (struct incident_control){.name = "self-audit",
                                     .kind = "review",
                                     .owner = "ann",
                                     .about = "three percent, by chance",
                                     .source = "CABF-BR 8.7",
                                     .every_s = 90 * DAY,
                                     .by = "ann"};
}

static void a_review_lapses(void **state)
{
    struct rig *r = *state;
    struct incident_control c = review();
    assert_ok(rig_run(r, step_add, &c));
    assert_fails(rig_run(r, step_add, &c), LT_PEER_CONFLICT);
    later(r, 68 * DAY);
    beat(r);
    assert_int_equal(count_events(r, "clock.warned"), 1);
    later(r, DAY);
    struct incident_control_done d = {.name = "self-audit", .evidence = "report 4", .by = "ann"};
    assert_ok(rig_run(r, step_done, &d));
    assert_int_equal(count_events(r, "clock.met"), 1);
    d.when = lt_time_add_seconds(r->now, -DAY);
    assert_fails(rig_run(r, step_done, &d), LT_PEER_MALFORMED); /* it was done later than that */
    d.when.us = 0;
    later(r, 91 * DAY);
    beat(r);
    assert_int_equal(count_events(r, "clock.breached"), 1);
    assert_int_equal(
        rig_number(
            r, "SELECT count(*) FROM event WHERE kind = 'clock.breached' AND subject = 'control self-audit'"),
        1);
    assert_ok(rig_run(r, step_done, &d));
    assert_int_equal(count_events(r, "clock.late"), 1);
    d.evidence = "the validator does it now";
    assert_ok(rig_run(r, step_retire, &d));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM clock WHERE status = 'open'"), 0);
    assert_fails(rig_run(r, step_retire, &d), LT_PEER_CONFLICT);
    assert_fails(rig_run(r, step_done, &d), LT_PEER_CONFLICT);
    rig_audit(r);
}

static void bad_controls(void **state)
{
    struct rig *r = *state;
    struct incident_control c = review();
    c.name = "Self Audit";
    assert_fails(rig_run(r, step_add, &c), LT_PEER_MALFORMED);
    c = review();
    c.kind = "habit";
    assert_fails(rig_run(r, step_add, &c), LT_PEER_MALFORMED);
    c = review();
    c.owner = "";
    assert_fails(rig_run(r, step_add, &c), LT_PEER_MALFORMED);
    c = review();
    c.every_s = 10;
    assert_fails(rig_run(r, step_add, &c), LT_PEER_MALFORMED);
    c = review();
    c.due = lt_time_add_seconds(r->now, -1);
    assert_fails(rig_run(r, step_add, &c), LT_PEER_MALFORMED);
    struct incident_control_done d = {.name = "nothing", .evidence = "x", .by = "ann"};
    assert_fails(rig_run(r, step_done, &d), LT_PEER_NOT_FOUND);
    c = review();
    assert_ok(rig_run(r, step_add, &c));
    d = (struct incident_control_done){.name = "self-audit", .evidence = "", .by = "ann"};
    assert_fails(rig_run(r, step_done, &d), LT_PEER_MALFORMED);
    d.evidence = "x";
    d.when = lt_time_add_seconds(r->now, 5);
    assert_fails(rig_run(r, step_done, &d), LT_PEER_MALFORMED);
}

/* ---- a disk that fails ---- */

/* Two clocks and a review: opened, warned of, met, breached. Whatever is there already is not done again. */
static void life(struct rig *r, lt_time start)
{
    struct what w = {.duty = "irg-1", .subject = SUBJECT, .words = "event main 1", .when = start};
    struct what other = {.duty = "irg-3", .subject = SUBJECT, .words = "a comment", .when = start};
    struct incident_control c = review();
    struct what beat = {0};
    r->now = lt_time_add_seconds(start, 60);
    lt_ignore(rig_run(r, step_open, &w));
    lt_ignore(rig_run(r, step_open, &other));
    lt_ignore(rig_run(r, step_add, &c));
    r->now = lt_time_add_seconds(start, 37 * HOUR);
    lt_ignore(rig_run(r, step_beat, &beat));
    w.when = lt_time_add_seconds(start, 36 * HOUR);
    lt_ignore(rig_run(r, step_meet, &w));
    r->now = lt_time_add_seconds(start, 8 * DAY);
    lt_ignore(rig_run(r, step_beat, &beat));
}

/* Killed at every third call, torn or not; begun again it comes to the same end, and nothing was told twice.
 */
static void killed_at_any_call(void **state)
{
    (void)state;
    bool struck = true;
    uint64_t rounds = 0;
    lt_time start;
    assert_ok(lt_time_parse(LT_LIT("2026-11-01T00:00:00Z"), &start));
    for (uint64_t n = 1; struck; n += 3, rounds++) {
        struct rig *r = calloc(1, sizeof *r);
        assert_non_null(r);
        faultvfs_format();
        assert_ok(rig_open(r, "book", FAULTVFS_NAME, true));
        faultvfs_arm(FAULTVFS_KILL, n);
        life(r, start);
        struck = faultvfs_struck();
        rig_close(r);
        faultvfs_power_cut(n % 2 == 0 ? 0 : n);
        assert_ok(rig_open(r, "book", FAULTVFS_NAME, false));
        life(r, start);
        assert_int_equal(rig_number(r, "SELECT count(*) FROM clock"), 3);
        assert_int_equal(rig_number(r, "SELECT count(*) FROM clock WHERE status = 'met' AND duty = 'irg-1'"),
                         1);
        assert_int_equal(
            rig_number(r, "SELECT count(*) FROM clock WHERE status = 'breached' AND duty = 'irg-3'"), 1);
        assert_int_equal(count_events(r, "clock.opened"), 3);
        assert_int_equal(count_events(r, "clock.met"), 1);
        assert_int_equal(count_events(r, "clock.breached"), 1);
        rig_audit(r);
        rig_free(r);
    }
    assert_true(rounds > 20);
}

int main(void)
{
    faultvfs_register();
#define BOOK_TEST(f_) cmocka_unit_test_setup_teardown(f_, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        BOOK_TEST(opened_once),
        BOOK_TEST(not_opened),
        BOOK_TEST(warned_step_by_step),
        BOOK_TEST(only_the_last_step),
        BOOK_TEST(what_should_be_kept),
        BOOK_TEST(met_with_margin),
        BOOK_TEST(late),
        BOOK_TEST(not_met),
        BOOK_TEST(promptly_is_our_own_measure),
        BOOK_TEST(moved_and_void),
        BOOK_TEST(void_and_open_again),
        BOOK_TEST(the_tightest),
        BOOK_TEST(by_what_happens),
        cmocka_unit_test(every_edge),
        BOOK_TEST(in_slices),
        BOOK_TEST(a_review_lapses),
        BOOK_TEST(bad_controls),
        cmocka_unit_test(killed_at_any_call),
    };
    return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
