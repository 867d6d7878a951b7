/* Scenarios: what is shipped reads, what contradicts itself is refused with its place; words, variables and
 * members of answers; scenarios that are drawn. */
#include <string.h>

#include "check.h"
#include "cmd/drill.h"

#define HEAD "name: x\ntitle: X\nwhat: y\nmodes: [one, two]\nbeside: [Then]\n"
#define STEPS "steps:\n  - {id: a, say: A, run: 'halt list'}\n  - {id: b, at: 24h}\n"

static void shipped_ones_read(void **state)
{
    (void)state;
    assert_true(drill_shipped_count > 0);
    for (size_t i = 0; i < drill_shipped_count; i++) {
        struct drill_scenario s;
        lt_res r = drill_parse(drill_shipped[i].name, lt_slice_cstr(drill_shipped[i].text), &s);
        if (lt_failed(r)) {
            print_error("%s: %s\n", drill_shipped[i].name, lt_error_last()->detail);
        }
        assert_ok(r);
        assert_string_equal(s.name, drill_shipped[i].name);
        bool part = strncmp(s.name, "part-", 5) == 0;
        assert_true(part || s.question_count > 0); /* for the tabletop */
        assert_true(part || s.measure_count > 0);
        drill_scenario_done(&s);
    }
}

static void reads_a_scenario(void **state)
{
    struct drill_scenario s;
    (void)state;
    assert_ok(drill_parse("f",
                          LT_LIT(HEAD STEPS "measures:\n  - {id: m, say: M, from: a, to: b, within: 25h, "
                                            "mode: two, beside: [never]}\n"),
                          &s));
    assert_int_equal(s.step_count, 2);
    assert_string_equal(s.steps[0].run, "halt list");
    assert_null(s.steps[0].at);
    assert_string_equal(s.steps[1].at, "24h");
    assert_int_equal(s.measure_count, 1);
    assert_string_equal(s.measures[0].beside[0], "never");
    assert_true(drill_in_mode(s.measures[0].mode, "two"));
    assert_false(drill_in_mode(s.measures[0].mode, "one"));
    assert_true(drill_in_mode(NULL, "one"));
    drill_scenario_done(&s);
}

static void refuses_what_contradicts_itself(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "name: x\n",
        HEAD,
        HEAD "steps: []\n",
        HEAD "steps:\n  - {use: nothing}\n",
        HEAD "steps:\n  - {run: x}\n",
        HEAD "steps:\n  - {id: a}\n",                                  /* does nothing */
        HEAD "steps:\n  - {id: a, run: x, mode: three}\n",             /* no such mode */
        HEAD "steps:\n  - {id: a, run: x}\n  - {id: a, run: y}\n",     /* twice */
        HEAD "steps:\n  - {id: a, run: x, at: soon}\n",                /* no time */
        HEAD "steps:\n  - {id: a, run: x, find: y}\n",                 /* but where? */
        HEAD "steps:\n  - {id: a, run: x, what: y}\n",                 /* unknown */
        HEAD "steps:\n  - {say: a, run: x}\n",                         /* no id */
        HEAD STEPS "measures:\n  - {id: m, say: M, from: a, to: c}\n", /* no such step */
        HEAD STEPS "measures:\n  - {id: m, say: M, from: a, to: b, within: 1}\n",
        HEAD STEPS "measures:\n  - {id: m, say: M, from: a, to: b, mode: three}\n",
        HEAD STEPS "measures:\n  - {id: m, say: M, from: a, to: b, beside: [x, y]}\n",
        HEAD STEPS "questions:\n  - {at: 1h, say: a, ask: b, choices: [c], answer: 1, why: d}\n",
        HEAD STEPS "questions:\n  - {at: 1h, say: a, ask: b, choices: [c, d], answer: 3, why: d}\n",
        HEAD STEPS "questions:\n  - {at: 1h, say: a, ask: b, choices: [c, d], answer: 0, why: d}\n",
        HEAD STEPS "questions:\n  - {at: later, say: a, ask: b, choices: [c, d], answer: 1, why: d}\n",
        HEAD STEPS "questions:\n  - {at: 1h, say: a, ask: b, choices: [c, d], answer: 1}\n",
    };
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        struct drill_scenario s;
        lt_res r = drill_parse("file.yaml", lt_slice_cstr(bad[i]), &s);
        if (!lt_failed(r)) {
            print_error("accepted: %s\n", bad[i]);
        }
        assert_true(lt_failed(r));
        assert_non_null(strstr(lt_error_last()->detail, "file.yaml"));
    }
}

static void spans(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
    } rows[] = {{"0s", 0}, {"90s", 90}, {"2m", 120}, {"24h", 86400}, {"14d", 1209600}};
    static const char *const bad[] = {"",    "s", "5", "5 s", "-5s", "5w", "1.5h", "9999999999999999999s",
                                      "5d4h"};
    int64_t us = 0;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        assert_ok(drill_span(rows[i].text, &us));
        assert_int_equal(us, rows[i].seconds * LT_US_PER_SECOND);
    }
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        assert_fails(drill_span(bad[i], &us), LT_PEER_MALFORMED);
    }
}

/* ---- words ---- */

static struct cmd command;
static struct drill drill;

static int set_up(void **state)
{
    (void)state;
    lt_arena_init(&command.arena, 1 << 20);
    drill = (struct drill){.c = &command, .folder = "/tmp/x", .mode = "one", .certificates = 42};
    drill.scenario.title = "It's \"it\"";
    drill.detected_us = 1582945680 * LT_US_PER_SECOND; /* 2020-02-29T03:08:00Z */
    drill.kept = json_pack("{s:s, s:s}", "incident", "7", "scope", "method = dns-01");
    return drill.kept == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    json_decref(drill.kept);
    lt_arena_done(&command.arena);
    return 0;
}

static void words(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        const char *joined; /* by | */
    } rows[] = {
        {"halt list", "halt|list"},
        {"  incident   show {incident} ", "incident|show|7"},
        {"scope 'a b = c' x", "scope|a b = c|x"},
        {"scope '{scope} and valid'", "scope|method = dns-01 and valid"},
        {"x --out={out}/a {certificates}", "x|--out=/tmp/x/drill/out/a|42"},
        {"open '{title}'", "open|It's \"it\""}, /* what is put in is cut no more */
        {"x ''", "x|"},
        {"at {detected+24h}", "at|2020-03-01T03:08:00Z"},
        {"at {detected-2m}", "at|2020-02-29T03:06:00Z"},
        {"at {detected}", "at|2020-02-29T03:08:00Z"},
        {"a\nb", "a|b"},
        {"x {", "x|{"},
        {"'account in {1, 2}'", "account in {1, 2}"},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        char *list[DRILL_WORDS_MAX];
        size_t count = 0;
        char joined[200] = "";
        assert_ok(drill_words(&drill, rows[i].line, list, &count));
        for (size_t k = 0; k < count; k++) {
            (void)snprintf(joined + strlen(joined), sizeof joined - strlen(joined), "%s%s", k == 0 ? "" : "|",
                           list[k]);
        }
        assert_string_equal(joined, rows[i].joined);
        assert_null(list[count]);
    }
}

static void words_that_are_none(void **state)
{
    (void)state;
    static const char *const bad[] = {"{nothing}", "{}", "{detected*3h}", "{now+soon}", "{detected+}"};
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        char *list[DRILL_WORDS_MAX];
        size_t count = 0;
        assert_fails(drill_words(&drill, bad[i], list, &count), LT_PEER_MALFORMED);
    }
}

static void members(void **state)
{
    (void)state;
    json_t *j = json_pack("{s:s, s:i, s:b, s:[{s:s}, {s:s}]}", "status", "done", "count", 12, "held", 0,
                          "list", "id", "m1", "id", "m2");
    assert_non_null(j);
    assert_true(drill_holds(&drill, j, "status=done"));
    assert_true(drill_holds(&drill, j, "status=running|done"));
    assert_true(drill_holds(&drill, j, "count=12"));
    assert_true(drill_holds(&drill, j, "held=false"));
    assert_true(drill_holds(&drill, j, "list.1.id=m2"));
    assert_false(drill_holds(&drill, j, "status=running"));
    assert_false(drill_holds(&drill, j, "status"));
    assert_false(drill_holds(&drill, j, "list.2.id=m2"));
    assert_false(drill_holds(&drill, j, "status={nothing}"));
    assert_ok(drill_keep(&drill, j, "mass=list.0.id n=count"));
    assert_string_equal(json_string_value(json_object_get(drill.kept, "mass")), "m1");
    assert_string_equal(json_string_value(json_object_get(drill.kept, "n")), "12");
    assert_fails(drill_keep(&drill, j, "mass=nothing"), LT_PEER_NOT_FOUND);
    json_decref(j);
}

/* ---- drawn ---- */

static void drawn_ones_read(void **state)
{
    (void)state;
    bool differ = false;
    struct lt_buf first;
    lt_buf_init(&first, DRILL_TEXT_MAX);
    assert_ok(drill_random(0, &first));
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct drill_scenario s;
        struct lt_buf once;
        struct lt_buf twice;
        lt_buf_init(&once, DRILL_TEXT_MAX);
        lt_buf_init(&twice, DRILL_TEXT_MAX);
        assert_ok(drill_random(seed, &once));
        assert_ok(drill_random(seed, &twice));
        assert_true(lt_slice_eq(lt_buf_slice(&once), lt_buf_slice(&twice)));
        lt_res r = drill_parse("drawn", lt_buf_slice(&once), &s);
        if (lt_failed(r)) {
            print_error("seed %llu: %s\n", (unsigned long long)seed, lt_error_last()->detail);
        }
        assert_ok(r);
        differ = differ || s.step_count != 7;
        drill_scenario_done(&s);
        lt_buf_done(&once);
        lt_buf_done(&twice);
    }
    assert_true(differ);
    lt_buf_done(&first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shipped_ones_read),
        cmocka_unit_test(reads_a_scenario),
        cmocka_unit_test(refuses_what_contradicts_itself),
        cmocka_unit_test(spans),
        cmocka_unit_test_setup_teardown(words, set_up, tear_down),
        cmocka_unit_test_setup_teardown(words_that_are_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(members, set_up, tear_down),
        cmocka_unit_test(drawn_ones_read),
    };
    return cmocka_run_group_tests_name("drill", tests, NULL, NULL);
}
