/* The plan of BR 5.7.1.2: the example of data/ has nothing to find; each part that is missing or hollow is
 * found, by name. */
#include "../check.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "incident/mass_plan.h"

static struct lt_arena arena;
static lt_slice example;
static const lt_time now = {INT64_C(1795305600) * LT_US_PER_SECOND}; /* 2026-11-22 */

static int set_up(void **state)
{
    (void)state;
    lt_arena_init(&arena, (size_t)16 * 1024 * 1024);
    assert_ok(lt_file_read(&arena, AT_FDCWD, DATA_DIR "/plans/mass-revocation.yaml", INCIDENT_PLAN_MAX_BYTES,
                           &example));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    lt_arena_done(&arena);
    return 0;
}

static bool has(const struct incident_plan_report *r, const char *id)
{
    for (size_t i = 0; i < r->count; i++) {
        if (strcmp(r->findings[i].id, id) == 0) {
            return true;
        }
    }
    return false;
}

static void test_the_example(void **state)
{
    struct incident_plan_report r;
    (void)state;
    assert_ok(incident_plan_check("plan.yaml", example, now, &arena, &r));
    for (size_t i = 0; i < r.count; i++) {
        print_error("%s: %s\n", r.findings[i].id, r.findings[i].text);
    }
    assert_int_equal(r.count, 0);
    assert_string_equal(r.name, "Mass revocation plan of Example CA");
}

/* The example with the lines of one part left out. */
static lt_slice without(const char *key)
{
    struct lt_buf out;
    lt_slice rest = example;
    lt_slice line;
    bool inside = false;
    lt_buf_init(&out, INCIDENT_PLAN_MAX_BYTES);
    while (lt_slice_split(&rest, '\n', &line)) {
        bool top = line.len > 0 && line.ptr[0] != ' ';
        bool this_one = lt_slice_starts(line, lt_slice_cstr(key)) && line.ptr[strlen(key)] == ':';
        inside = top ? this_one : inside;
        if (!inside) {
            lt_buf_add(&out, line);
            lt_buf_add_byte(&out, '\n');
        }
    }
    lt_slice text = lt_arena_copy(&arena, lt_buf_slice(&out));
    lt_buf_done(&out);
    return text;
}

static void test_each_part_is_missed(void **state)
{
    static const struct {
        const char *key;
        const char *id;
    } parts[INCIDENT_PLAN_PARTS] = {
        {"activation", "activation-missing"},
        {"contacts", "contacts-missing"},
        {"automation", "automation-missing"},
        {"targets", "targets-missing"},
        {"notification", "notification-missing"},
        {"roles", "roles-missing"},
        {"training", "training-missing"},
        {"test", "test-missing"},
        {"review", "review-missing"},
    };
    (void)state;
    for (unsigned i = 0; i < INCIDENT_PLAN_PARTS; i++) {
        struct incident_plan_report r;
        assert_ok(incident_plan_check("plan.yaml", without(parts[i].key), now, &arena, &r));
        assert_int_equal(r.errors, 1);
        assert_string_equal(r.findings[0].id, parts[i].id);
        assert_int_equal(r.findings[0].part, i + 1);
        assert_true(strlen(incident_plan_part(i + 1)) > 0);
    }
}

/* The example with one text in place of another. */
static lt_slice with(const char *old, const char *new)
{
    char *text = lt_arena_cstr(&arena, example);
    assert_non_null(text);
    char *at = strstr(text, old);
    assert_non_null(at);
    char *changed = lt_arena_printf(&arena, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
    assert_non_null(changed);
    return lt_slice_cstr(changed);
}

static void test_what_is_hollow(void **state)
{
    static const struct {
        const char *old;
        const char *new;
        const char *id;
    } rows[] = {
        {"measure: certificates, at-least: 100", "measure: severity, at-least: 100",
         "activation-not-measurable"},
        {"measure: certificates, at-least: 100", "measure: certificates", "activation-not-measurable"},
        {"measure: percent, at-least: 1", "measure: percent, at-least: 101", "activation-not-measurable"},
        {"measure: percent, at-least: 1", "measure: percent, at-least: some", "activation-not-measurable"},
        {"when: so many Subscribers have to be called one by one", "when: TBD", "activation-unclear"},
        {"stored-in: contacts of accounts and subscribers in the book", "stored-in: \"\"",
         "contacts-not-stored"},
        {"kept-current: asked", "# kept-current: asked", "contacts-not-current"},
        {"verified-every: 365d", "verified-every: 800d", "contacts-verified-seldom"},
        {"verified-every: 365d", "verified-every: 1e3", "contacts-not-verified"},
        {"by-hand: one by one with lintel revoke", "by-hand: n/a", "automation-no-fallback"},
        {"{phase: triage, within: 4h,", "{phase: panic, within: 4h,", "target-unknown"},
        {"{phase: triage, within: 4h,", "{phase: panic, within: 4h,", "target-missing"},
        {"{phase: start, within: 8h,", "{phase: start, within: 6d,", "target-too-late"},
        {"{phase: start, within: 8h,", "{phase: start, within: soon,", "target-no-time"},
        {"from: the evidence was received}\n  - {phase: start", "from: \"?\"}\n  - {phase: start",
         "target-no-start"},
        {"whom: Subscribers without automation, within: 12h", "whom: them, within: 12d",
         "notification-too-late"},
        {"method: telephone", "method: TODO", "notification-unclear"},
        {"duty: decides and keeps the clocks", "duty: \"...\"", "role-no-duty"},
        {"holders: 3}", "holders: 0}", "role-nobody"},
        {"holders: 3}", "holders: many}", "role-nobody"},
        {"holders: 3}", "holders: 1}", "role-one"},
        {"{role: scribe, course", "{role: clerk, course", "training-role"},
        {"course: led one drill, every: 365d", "course: led one drill, every: 900d", "training-seldom"},
        {"course: led one drill, every: 365d", "course: led one drill", "training-no-time"},
        {"kind: simulation", "kind: talk", "test-kind"},
        {"kind: simulation\n  every: 365d", "kind: simulation\n  every: 730d", "test-seldom"},
        {"active-certificates: false", "active-certificates: true", "test-revokes"},
        {"last: 2026-11-02", "last: 2025-11-01", "test-overdue"},
        {"last: 2026-11-02", "last: 2027-01-01", "test-date"},
        {"last: 2026-11-02", "last: yesterday", "test-date"},
        {"last: 2026-11-02", "last: \"\"", "test-never"},
        {"record: test record of drill le-caa-2020, 2026-11-02", "record: \"\"", "test-no-record"},
        {"  within: 14d\n", "  within: 200d\n", "review-late"},
        {"update-every: 365d", "update-every: 1000d", "review-seldom"},
        {"owner: the head of compliance", "owner: xxx", "review-owner"},
        {"approved: 2026-11-02", "approved: 2030-01-01", "plan-date"},
        {"approved: 2026-11-02\n", "", "plan-not-approved"},
        {"name: Mass revocation plan of Example CA\n", "", "plan-unnamed"},
    };
    (void)state;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct incident_plan_report r;
        assert_ok(incident_plan_check("plan.yaml", with(rows[i].old, rows[i].new), now, &arena, &r));
        if (!has(&r, rows[i].id)) {
            print_error("row %zu: %s was not found\n", i, rows[i].id);
        }
        assert_true(has(&r, rows[i].id));
    }
}

static void test_what_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "- a\n",
        "name: [",
        "name: x\nname: y\n",
        "plans: x\n",
        "test: often\n",
        "activation: {when: x}\n",
        "contacts: [1]\n",
        "test: {revokes-active-certificates: maybe}\n",
        "name: &a x\nversion: *a\n",
        "activation:\n  - {if: x}\n",
        "name: x\n---\nname: y\n",
    };
    (void)state;
    for (size_t i = 0; i < LT_COUNT(texts); i++) {
        struct incident_plan_report r;
        lt_res did = incident_plan_check("plan.yaml", lt_slice_cstr(texts[i]), now, &arena, &r);
        if (!lt_failed(did)) {
            print_error("text %zu was taken\n", i);
        }
        assert_true(lt_failed(did));
        assert_non_null(strstr(lt_error_last()->detail, "plan.yaml"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_example),
        cmocka_unit_test(test_each_part_is_missed),
        cmocka_unit_test(test_what_is_hollow),
        cmocka_unit_test(test_what_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
