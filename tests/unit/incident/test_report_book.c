/* What people write for reports: who may write what, what a new text does to a sign-off, which clocks a
 * report that was handed over meets; and what is refused. Each change is an event. */
#include "../check.h"
#include "book_rig.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "incident/case.h"
#include "incident/op.h"
#include "store/internal.h"

#define PATH "/tmp/lintel-test-report.db"

enum { VALUES_MAX = 8 };

static void remove_files(void)
{
    (void)unlink(PATH);
    (void)unlink(PATH "-wal");
    (void)unlink(PATH "-shm");
}

static lt_res step_open(struct rig *r, struct ca_turn *t, void *arg)
{
    const struct incident_opening o = {.title = "CAA was not checked again",
                                       .source = "person",
                                       .cause = "",
                                       .severity = "",
                                       .aware = t->now,
                                       .scope = "",
                                       .by = "operator ann",
                                       .restricted = arg != NULL};
    int64_t id = 0;
    (void)r;
    return incident_open(t, &o, &id);
}

static int set_up(void **state)
{
    struct rig *r = calloc(1, sizeof *r);
    assert_non_null(r);
    remove_files();
    assert_ok(rig_open(r, PATH, NULL, true));
    assert_ok(rig_run(r, step_open, NULL));
    *state = r;
    return 0;
}

static int tear_down(void **state)
{
    rig_free(*state);
    remove_files();
    return 0;
}

struct said {
    const char *name;
    const char *text; /* NULL: a number */
    int64_t number;
};
struct wanted {
    const char *op;
    const char *id;
    struct said values[VALUES_MAX];
    const char *hash; /* "sha256", as bytes */
};

static lt_res step_op(struct rig *r, struct ca_turn *t, void *arg)
{
    struct wanted *w = arg;
    Ipc__DeskWanted m = IPC__DESK_WANTED__INIT;
    Ipc__DeskValue values[VALUES_MAX + 1];
    Ipc__DeskValue *list[VALUES_MAX + 1];
    (void)r;
    m.values = list;
    for (size_t i = 0; i < VALUES_MAX && w->values[i].name != NULL; i++) {
        ipc__desk_value__init(&values[i]);
        values[i].name = lt_arena_cstr(t->arena, lt_slice_cstr(w->values[i].name));
        values[i].number = w->values[i].number;
        if (w->values[i].text != NULL) {
            values[i].text = lt_arena_cstr(t->arena, lt_slice_cstr(w->values[i].text));
        }
        list[m.n_values++] = &values[i];
    }
    if (w->hash != NULL) {
        Ipc__DeskValue *v = &values[m.n_values];
        lt_slice copy = lt_arena_copy(t->arena, lt_slice_cstr(w->hash));
        ipc__desk_value__init(v);
        v->name = lt_arena_cstr(t->arena, LT_LIT("sha256"));
        v->data = (ProtobufCBinaryData){copy.len, (uint8_t *)(uintptr_t)copy.ptr};
        list[m.n_values++] = v;
    }
    struct incident_call c = {.t = t, .by = "ann", .id = w->id, .m = &m};
    const struct incident_op *op = incident_op_find(w->op);
    assert_non_null(op);
    LT_TRY(op->run(&c));
    assert_non_null(c.json);
    return LT_OK;
}

static lt_res say(struct rig *r, struct wanted w)
{
    return rig_run(r, step_op, &w);
}

#define COUNT(kind_) rig_number(r, "SELECT count(*) FROM event WHERE kind = '" kind_ "'")
#define WRITE(id_, kind_, section_, text_) \
    say(r, (struct wanted){                \
               "report.write", id_, {{"kind", kind_, 0}, {"section", section_, 0}, {"text", text_, 0}}})
#define SIGN(kind_, section_) \
    say(r, (struct wanted){"report.sign", "1", {{"kind", kind_, 0}, {"section", section_, 0}}})

static void test_sections(void **state)
{
    struct rig *r = *state;
    assert_fails(SIGN("full", "summary.description"), LT_PEER_CONFLICT);
    assert_ok(WRITE("1", "full", "summary.description", "so"));
    assert_ok(SIGN("full", "summary.description"));
    assert_int_equal(rig_number(r, "SELECT signed_us > 0 FROM report_section"), 1);
    assert_ok(WRITE("1", "full", "summary.description", "otherwise"));
    assert_int_equal(rig_number(r, "SELECT signed_us FROM report_section"), 0);
    assert_ok(WRITE("0", "full", "summary.owner-id", "A000999"));
    assert_ok(WRITE("1", "delayed", "delay.reason", "not replaced"));
    assert_ok(say(
        r, (struct wanted){"report.assign",
                           "1",
                           {{"kind", "full", 0}, {"section", "impact.analysis", 0}, {"role", "legal", 0}}}));
    assert_int_equal(COUNT("report.written"), 4);
    assert_int_equal(COUNT("report.signed"), 1);
    assert_int_equal(COUNT("report.assigned"), 1);
}

static void test_sections_refused(void **state)
{
    struct rig *r = *state;
    static const struct {
        const char *id;
        const char *kind;
        const char *section;
        int code;
    } rows[] = {
        {"1", "weekly", "summary.description", LT_PEER_MALFORMED},
        {"1", "full", "summary.weather", LT_PEER_NOT_FOUND},
        {"1", "full", "summary", LT_PEER_NOT_FOUND},      /* a heading */
        {"1", "full", "delay.reason", LT_PEER_NOT_FOUND}, /* of delayed ones */
        {"1", "closure", "impact.total", LT_PEER_NOT_FOUND},
        {"1", "preliminary", "impact.total", LT_PEER_NOT_FOUND},
        {"2", "full", "summary.description", LT_PEER_NOT_FOUND},
        {"x", "full", "summary.description", LT_PEER_NOT_FOUND},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        assert_fails(WRITE(rows[i].id, rows[i].kind, rows[i].section, "x"), rows[i].code);
    }
    assert_int_equal(rig_number(r, "SELECT count(*) FROM report_section"), 0);
    assert_int_equal(COUNT("report.written"), 0);
}

#define CAUSE(...) say(r, (struct wanted){"report.cause", "1", {__VA_ARGS__}})

static void test_causes(void **state)
{
    struct rig *r = *state;
    assert_ok(CAUSE({"title", "one", 0}, {"description", "d", 0}));
    assert_ok(CAUSE({"title", "two", 0}));
    assert_ok(CAUSE({"cause", NULL, 1}, {"method", "5 whys", 0})); /* the rest stays */
    assert_int_equal(rig_number(r, "SELECT count(*) FROM report_cause WHERE title = 'one' AND description = "
                                   "'d' AND method = '5 whys'"),
                     1);
    assert_fails(CAUSE({"description", "no title", 0}), LT_PEER_MALFORMED);
    assert_fails(CAUSE({"cause", NULL, 7}, {"title", "t", 0}), LT_PEER_NOT_FOUND);
    for (int i = 0; i < 2; i++) {
        assert_ok(say(
            r, (struct wanted){
                   "report.why", "1", {{"cause", NULL, 1}, {"question", "why?", 0}, {"answer", "so", 0}}}));
    }
    assert_int_equal(rig_number(r, "SELECT max(step) FROM report_why"), 2);
    assert_fails(say(r, (struct wanted){"report.why",
                                        "1",
                                        {{"cause", NULL, 3}, {"question", "?", 0}, {"answer", "!", 0}}}),
                 LT_PEER_NOT_FOUND);
    assert_ok(say(r, (struct wanted){"report.cause-drop", "1", {{"cause", NULL, 2}}}));
    assert_fails(say(r, (struct wanted){"report.cause-drop", "1", {{"cause", NULL, 2}}}), LT_PEER_NOT_FOUND);
    assert_ok(CAUSE({"title", "three", 0}));
    assert_int_equal(rig_number(r, "SELECT max(cause) FROM report_cause"), 3); /* 2 is not given again */
    assert_int_equal(COUNT("report.cause"), 3);
    assert_int_equal(COUNT("report.cause-changed"), 1);
    assert_int_equal(COUNT("report.cause-dropped"), 1);
}

static void test_bones_and_lessons(void **state)
{
    struct rig *r = *state;
    assert_ok(say(r, (struct wanted){"report.bone", "1", {{"category", "people", 0}, {"text", "tired", 0}}}));
    assert_fails(say(r, (struct wanted){"report.bone", "1", {{"category", "moon", 0}, {"text", "full", 0}}}),
                 LT_PEER_MALFORMED);
    assert_fails(say(r, (struct wanted){"report.bone",
                                        "1",
                                        {{"category", "people", 0}, {"text", "x", 0}, {"cause", NULL, 1}}}),
                 LT_PEER_NOT_FOUND);
    assert_ok(say(r, (struct wanted){"report.bone-drop", "1", {{"bone", NULL, 1}}}));
    assert_ok(
        say(r, (struct wanted){"report.lesson",
                               "1",
                               {{"kind", "not-well", 0}, {"text", "slow", 0}, {"actions", "1, 2", 0}}}));
    assert_ok(say(r, (struct wanted){"report.lesson",
                                     "1",
                                     {{"lesson", NULL, 1}, {"kind", "lucky", 0}, {"text", "fast", 0}}}));
    assert_int_equal(
        rig_number(r, "SELECT count(*) FROM report_lesson WHERE kind = 'lucky' AND text = 'fast'"), 1);
    assert_fails(say(r, (struct wanted){"report.lesson", "1", {{"kind", "sad", 0}, {"text", "x", 0}}}),
                 LT_PEER_MALFORMED);
    assert_fails(say(r, (struct wanted){"report.lesson",
                                        "1",
                                        {{"kind", "well", 0}, {"text", "x", 0}, {"actions", "all", 0}}}),
                 LT_PEER_MALFORMED);
    assert_fails(say(r, (struct wanted){"report.lesson-drop", "1", {{"lesson", NULL, 2}}}),
                 LT_PEER_NOT_FOUND);
}

#define HANDED(kind_, hash_, ...) \
    say(r, (struct wanted){       \
               "report.handed", "1", {{"kind", kind_, 0}, {"where", "https://bug", 0}, __VA_ARGS__}, hash_})
#define HASH "0123456789abcdef0123456789abcdef"

static int64_t met(struct rig *r, const char *sql)
{
    return rig_number(r, sql);
}

static void test_handed(void **state)
{
    struct rig *r = *state;
    assert_fails(HANDED("weekly", HASH), LT_PEER_MALFORMED);
    assert_fails(HANDED("full", "short"), LT_PEER_MALFORMED);
    assert_fails(HANDED("full", HASH, {"at", NULL, r->now.us + LT_US_PER_SECOND}), LT_PEER_MALFORMED);
    assert_int_equal(met(r, "SELECT count(*) FROM clock WHERE duty = 'irg-1' AND status = 'open'"), 1);
    assert_ok(HANDED("preliminary", HASH));
    assert_int_equal(met(r, "SELECT count(*) FROM clock WHERE duty = 'irg-1' AND status = 'met'"), 1);
    assert_int_equal(met(r, "SELECT count(*) FROM clock WHERE duty = 'irg-2' AND status = 'open'"), 1);
    r->now = lt_time_add_seconds(r->now, 3600);
    assert_ok(HANDED("full", HASH));
    assert_int_equal(met(r, "SELECT count(*) FROM clock WHERE duty = 'irg-2' AND status = 'met'"), 1);
    assert_int_equal(met(r, "SELECT count(*) FROM clock WHERE duty = 'irg-2'"), 1);
    assert_int_equal(rig_number(r, "SELECT max(number) FROM report_handed"), 2);
    assert_ok(WRITE("1", "closure", "closure.causes", "one")); /* nobody answers for it yet */
    assert_fails(HANDED("closure", HASH), LT_PEER_CONFLICT);
    assert_ok(HANDED("closure", HASH, {"anyway", "signed on paper", 0}));
    assert_ok(SIGN("closure", "closure.causes"));
    assert_ok(HANDED("closure", HASH));
}

#define OPEN(duty_) "SELECT count(*) FROM clock WHERE duty = '" duty_ "' AND status = 'open'"

/* Two weeks of a report that is open: each post begins the next week. */
static void test_updated_each_week(void **state)
{
    enum { WEEK = 7 * 86400, UPDATES = 2 };
    struct rig *r = *state;
    assert_fails(HANDED("update", HASH), LT_PEER_CONFLICT); /* of what? */
    assert_int_equal(rig_number(r, OPEN("irg-4")), 0);
    assert_ok(HANDED("preliminary", HASH));
    assert_int_equal(rig_number(r, OPEN("irg-4")), 1);
    for (size_t i = 0; i < UPDATES; i++) {
        r->now = lt_time_add_seconds(r->now, WEEK - 60);
        assert_ok(HANDED("update", HASH));
        assert_int_equal(rig_number(r, OPEN("irg-4")), 1);
    }
    assert_int_equal(rig_number(r, "SELECT count(*) FROM clock WHERE duty = 'irg-4' AND status = 'met'"),
                     UPDATES);
    assert_int_equal(rig_number(r, OPEN("irg-2")), 1); /* an update is no full report */
    assert_ok(HANDED("delayed", HASH));
    assert_int_equal(rig_number(r, OPEN("irg-6")), 1);
    r->now = lt_time_add_seconds(r->now, WEEK + 60);
    assert_ok(HANDED("delayed", HASH));
    assert_int_equal(rig_number(r, "SELECT count(*) FROM clock WHERE duty = 'irg-6' AND status = 'late'"), 1);
    assert_int_equal(rig_number(r, OPEN("irg-6")), 1);
    assert_int_equal(rig_number(r, OPEN("irg-4")), 1); /* of the other report */
}

/* The full report at once: it is the disclosure as well. */
static void test_handed_at_once(void **state)
{
    struct rig *r = *state;
    assert_ok(HANDED("full", HASH));
    assert_int_equal(
        met(r, "SELECT count(*) FROM clock WHERE status = 'met' AND (duty = 'irg-1' OR duty = 'irg-2')"), 2);
}

static void test_events_and_delays(void **state)
{
    struct rig *r = *state;
    assert_ok(say(r, (struct wanted){"report.event", "1", {{"at", NULL, 1}, {"text", "it began", 0}}}));
    assert_int_equal(COUNT("report.event"), 1);
    assert_fails(say(r, (struct wanted){"report.delay",
                                        "1",
                                        {{"issuer", "moon", 0}, {"reason", "r", 0}, {"until", NULL, 1}}}),
                 LT_PEER_NOT_FOUND);
    assert_fails(say(r, (struct wanted){"report.delay",
                                        "1",
                                        {{"issuer", "tls", 0}, {"reason", "r", 0}, {"until", NULL, 1}}}),
                 LT_PEER_NOT_FOUND);
}

/* Whoever has no role in a restricted one does not learn that it is there. */
static void test_restricted(void **state)
{
    struct rig *r = *state;
    assert_ok(rig_run(r, step_open, r));
    assert_fails(WRITE("2", "full", "summary.description", "x"), LT_PEER_NOT_FOUND);
    assert_fails(say(r, (struct wanted){"report.grant", "2", {{NULL, NULL, 0}}}), LT_PEER_NOT_FOUND);
    assert_ok(say(r, (struct wanted){"report.grant", "1", {{NULL, NULL, 0}}}));
    assert_int_equal(COUNT("report.granted"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sections, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_sections_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_causes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bones_and_lessons, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_handed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_handed_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_updated_each_week, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_events_and_delays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_restricted, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, rig_group_setup, rig_group_teardown);
}
