/* Reports as they are compiled: the template's words, what people wrote, what is missing, and nothing that
 * would break a table or a drawing. What is written passes the check. */
#include "../check.h"

#include "incident/report_check.h"
#include "incident/report_write.h"

static const char facts_text[] =
    "{\"incident\": {\"id\": 12, \"title\": \"late\", \"source\": \"problem-report\", \"cause\": "
    "\"caa-unreliable\","
    " \"aware\": \"2026-03-01T02:10:00Z\", \"contained\": \"2026-03-01T02:12:00Z\", \"must\": "
    "\"2026-03-02T02:10:00Z\"},"
    " \"now\": \"2026-03-04T00:00:00Z\","
    " \"sections\": ["
    "  {\"incident\": 0, \"kind\": \"full\", \"section\": \"summary.owner-id\", \"text\": \"A000999\"},"
    "  {\"incident\": 12, \"kind\": \"preliminary\", \"section\": \"summary.description\", \"text\": \"one "
    "line\\nand another\","
    "   \"written_by\": \"ann\", \"signed\": \"2026-03-02T00:00:00Z\", \"signed_by\": \"bob\"},"
    "  {\"incident\": 12, \"kind\": \"full\", \"section\": \"summary.start\", \"text\": \"2026-01-01 00:00 "
    "UTC\"}],"
    " \"causes\": [{\"cause\": 2, \"title\": \"a shared variable\", \"description\": \"one variable for all "
    "names, so that every entry was the last\","
    "   \"timeline\": \"since January\", \"detection\": \"by a reporter\", \"interaction\": \"none\", "
    "\"method\": \"5 whys\"}],"
    " \"whys\": [{\"cause\": 2, \"step\": 1, \"question\": \"Why?\", \"answer\": \"So.\", \"evidence\": "
    "\"commit 1\"}],"
    " \"bones\": [{\"bone\": 1, \"cause\": 2, \"category\": \"people\", \"text\": \"<b>&amp;\"}],"
    " \"lessons\": [{\"lesson\": 1, \"kind\": \"well\", \"text\": \"stopped at once\", \"actions\": \"\"},"
    "   {\"lesson\": 2, \"kind\": \"not-well\", \"text\": \"slow\\nlist\", \"actions\": \"7\"}],"
    " \"actions\": [{\"id\": 7, \"title\": \"an index | for revocation\", \"kind\": \"Mitigate\", "
    "\"causes\": \"2\", \"criteria\": \"a drill\","
    "   \"status\": \"Ongoing\", \"due\": \"2026-12-31T00:00:00Z\"}],"
    " \"events\": [{\"time\": \"2026-03-01T05:00:00Z\", \"kind\": \"incident.scoped\", \"body\": {\"count\": "
    "3048289, \"version\": 1}},"
    "   {\"time\": \"2026-03-01T02:20:00Z\", \"kind\": \"incident.opened\", \"body\": {\"title\": \"late\", "
    "\"aware\": \"2026-03-01T02:10:00Z\"}},"
    "   {\"time\": \"2026-03-01T02:12:00Z\", \"kind\": \"incident.halt\", \"body\": {\"kind\": \"profile\", "
    "\"value\": \"tls\", \"reason\": \"it goes\\non\"}},"
    "   {\"time\": \"2026-03-01T09:00:00Z\", \"kind\": \"report.event\", \"body\": {\"at\": "
    "\"2026-01-01T00:00:00Z\", \"text\": \"it began\"}},"
    "   {\"time\": \"2026-03-01T09:00:00Z\", \"kind\": \"incident.role\", \"body\": {}}],"
    " \"scopes\": [{\"version\": 1, \"text\": \"caa_age > 8h\", \"count\": 3048289, \"as_of\": "
    "\"2026-03-01T05:00:00Z\"}],"
    " \"halts\": [{\"kind\": \"profile\", \"value\": \"tls\", \"since\": \"2026-03-01T02:12:00Z\", "
    "\"lifted\": null, \"reason\": \"defect\"}],"
    " \"clocks\": [{\"duty\": \"revoke-tls/caa-unreliable\", \"section\": \"CABF-BR 4.9.1.1 (5)\", \"due\": "
    "\"2026-03-02T02:10:00Z\"},"
    "   {\"duty\": \"irg-1\", \"section\": \"IRG\", \"due\": \"2026-03-04T02:10:00Z\"}],"
    " \"roles\": [{\"role\": \"commander\", \"holder\": \"eve\", \"until\": null}], \"plans\": [], "
    "\"masses\": [], \"holds\": [],"
    " \"delays\": [], \"problems\": [{\"problem\": 7, \"time\": \"2026-03-01T01:00:00Z\", \"kind\": "
    "\"problem.received\", \"body\": {}}],"
    " \"handed\": []}";

static const char related[] = "# a remark\n"
                              "1619047\t2020-02-29\tA CA\tcaa-unreliable\tthe same | defect\n"
                              "2\t2025-06-01\tB CA\tcrl\tanother\n"
                              "3\t2030-01-01\tC CA\tcaa-unreliable\tof the future\n"
                              "a row that is none\n";

struct written {
    struct lt_arena arena;
    json_t *facts;
    struct incident_numbers numbers;
    struct incident_sections sections;
    struct lt_buf out;
};

static lt_time at(const char *text)
{
    lt_time t = {0};
    assert_ok(lt_time_parse(lt_slice_cstr(text), &t));
    return t;
}

static void write_kind(struct written *w, unsigned kind, bool known)
{
    const struct incident_writing writing = {.facts = w->facts,
                                             .kind = kind,
                                             .numbers = &w->numbers,
                                             .related = related,
                                             .appendix = kind == INCIDENT_REPORT_FULL ? "certificates.txt"
                                                                                      : "",
                                             .now = at("2026-03-04T00:00:00Z")};
    w->numbers = (struct incident_numbers){
        .known = known, .total = 10, .revoked = 6, .expired = 1, .by_type = {10}};
    w->numbers.gone[30] = 6;
    w->numbers.expiring[40] = 1;
    w->numbers.last_not_after_s = lt_time_seconds(at("2026-05-01T00:00:00Z"));
    lt_buf_reset(&w->out);
    assert_ok(incident_report_write(&writing, &w->arena, &w->out, &w->sections));
}

static void set_up(struct written *w)
{
    json_error_t why;
    *w = (struct written){.facts = json_loads(facts_text, 0, &why)};
    if (w->facts == NULL) {
        print_error("%s at %d\n", why.text, why.position);
    }
    assert_non_null(w->facts);
    lt_arena_init(&w->arena, 64 * 1024 * 1024);
    lt_buf_init(&w->out, 1024 * 1024);
}

static void tear_down(struct written *w)
{
    json_decref(w->facts);
    lt_arena_done(&w->arena);
    lt_buf_done(&w->out);
}

static void assert_has(struct written *w, const char *words)
{
    if (strstr(lt_buf_cstr(&w->out), words) == NULL) {
        print_error("\"%s\" is not in\n%s\n", words, lt_buf_cstr(&w->out));
    }
    assert_non_null(strstr(lt_buf_cstr(&w->out), words));
}

static const struct incident_section *section(const struct written *w, const char *id)
{
    for (size_t i = 0; i < w->sections.count; i++) {
        if (strcmp(w->sections.list[i].id, id) == 0) {
            return &w->sections.list[i];
        }
    }
    return NULL;
}

static void assert_checked(struct written *w, const char *allowed)
{
    const struct incident_check o = {.now = at("2026-03-04T00:00:00Z")};
    struct incident_findings f;
    struct incident_reading *r = NULL;
    incident_findings_init(&f, &w->arena);
    assert_ok(incident_report_check(&o, "x", lt_buf_slice(&w->out), &w->arena, &f, &r));
    for (size_t i = 0; i < f.count; i++) {
        bool fine = f.list[i].rule->severity != INCIDENT_ERROR || strcmp(f.list[i].rule->id, allowed) == 0;
        if (!fine) {
            print_error("%s: %s\n", f.list[i].rule->id, f.list[i].message);
        }
        assert_true(fine);
    }
}

static void test_full(void **state)
{
    (void)state;
    struct written w;
    set_up(&w);
    write_kind(&w, INCIDENT_REPORT_FULL, true);
    assert_has(&w, "## Full Incident Report\n\n### Summary\n\n- **CA Owner CCADB unique ID:** A000999\n");
    assert_has(&w, "- **Incident description:** one line\n  and another\n");
    assert_has(&w, "   - **Non-compliance identified date:** 2026-03-01 02:10 UTC\n");
    assert_has(&w, "Requirements 2.2.6, section 4.9.1.1 (5)\n- **Source of incident disclosure:** Third "
                   "Party Reported\n");
    assert_has(&w, "- **Total number of \"remaining valid\" certificates:** 3\n");
    assert_has(&w, "- **What didn\xe2\x80\x99t go well:**\n  - slow list (Action Item # 1)\n");
    assert_has(
        &w, "### Timeline\n\n- 2026-01-01 00:00 UTC: it began\n- 2026-03-01 01:00 UTC: a problem report was "
            "received (problem 7)\n- 2026-03-01 02:10 UTC: the CA became aware of the incident: late\n"
            "- 2026-03-01 02:12 UTC: issuance was halted for profile tls: it goes on\n"
            "- 2026-03-01 05:00 UTC: the scope was determined: 3,048,289 certificates");
    assert_has(
        &w, "| [1619047](https://bugzilla.mozilla.org/show_bug.cgi?id=1619047) | 2020-02-29 | A CA: the same "
            "\\| defect Related by: the same cause. |\n| [2]");
    assert_null(strstr(lt_buf_cstr(&w.out), "of the future"));
    assert_has(&w, "**Contributing Factor #1: a shared variable**\n");
    assert_has(&w, "  1. Why? So. (commit 1)\n");
    assert_has(
        &w, "| an index \\| for revocation | Mitigate | Root Cause # 1 | a drill | 2026-12-31 | Ongoing |\n");
    assert_int_equal(w.sections.missing, 0);
    assert_string_equal(section(&w, "summary.description")->state, "signed");
    assert_string_equal(section(&w, "summary.description")->role, "commander (eve)");
    assert_string_equal(section(&w, "summary.identified")->state, "computed");
    assert_int_equal(section(&w, "summary.start")->due.us,
                     at("2026-03-18T02:10:00Z").us); /* 14 days behind irg-1 */
    assert_checked(&w, "");
    tear_down(&w);
}

static void test_delayed(void **state)
{
    (void)state;
    struct written w;
    set_up(&w);
    write_kind(&w, INCIDENT_REPORT_DELAYED, true);
    assert_int_equal(w.sections.missing, 1); /* why: only a person knows */
    assert_has(&w, "- **Analysis:** **[To be written by legal until 2026-03-02 02:10 UTC]**\n");
    assert_has(&w, "  - Revoked: 6\n  - Not yet revoked: 3\n  - Planned but expired: 1\n  - All done, "
                   "estimated: 2026-05-01 "
                   "00:00 UTC\n");
    assert_has(&w, "- 2026-05-01 00:00 UTC: all remaining certificates are expected to be revoked, or "
                   "expired, by now\n");
    tear_down(&w);
}

static void test_preliminary_and_closure(void **state)
{
    (void)state;
    struct written w;
    set_up(&w);
    write_kind(&w, INCIDENT_REPORT_PRELIMINARY, false);
    assert_has(
        &w,
        "## Preliminary Incident Report\n\n### Summary\n- **Incident description:** one line\n  and another\n"
        "  Known so far: 3,048,289 certificates are affected. We issued nothing for profile tls since");
    assert_checked(&w, "");
    write_kind(&w, INCIDENT_REPORT_CLOSURE, false);
    assert_has(&w, "### Report Closure Summary\n\n- **Incident description:** one line\n");
    assert_has(&w, "- **Incident Root Cause(s):** a shared variable\n");
    assert_has(
        &w, "All Action Items disclosed in this report have been completed as described, and we request its "
            "closure.\n");
    assert_int_equal(w.sections.missing, 1); /* no action item is complete, so nothing was remedied */
    tear_down(&w);
}

/* Without anything that people wrote: all of it is named. */
/* What is of one second stands in the order in which it happened, whatever list it is in; a list of two plans
 * began once. */
static void test_order(void **state)
{
    static const char *const words[] = {"a problem report was received", "issuance was halted",
                                        "revocation of 2 certificates began", "revocation was finished"};
    static const char same[] =
        "{\"events\": [{\"time\": \"2026-03-01T02:12:00Z\", \"us\": 1772331120200000, \"kind\": "
        "\"incident.halt\", \"body\": {}}, {\"time\": \"2026-03-01T02:12:01Z\", \"us\": 1772331121000009, "
        "\"kind\": \"incident.revoked\", \"body\": {\"ended\": \"2026-03-01T02:12:00Z\", \"revoked\": 2}}],"
        " \"problems\": [{\"problem\": 7, \"time\": \"2026-03-01T02:12:00Z\", \"us\": 1772331120100000, "
        "\"kind\": \"problem.received\", \"body\": {}}], \"masses\": [{\"id\": 5, \"count\": 2, \"started\": "
        "\"2026-03-01T02:12:00Z\", \"us\": 1772331120900000}, {\"id\": 5, \"count\": 2, \"started\": "
        "\"2026-03-01T02:12:00Z\", \"us\": 1772331120900000}]}";
    struct written w;
    const char *last = NULL;
    (void)state;
    set_up(&w);
    json_t *changed = json_loads(same, 0, NULL);
    assert_non_null(changed);
    assert_int_equal(json_object_update(w.facts, changed), 0);
    json_decref(changed);
    write_kind(&w, INCIDENT_REPORT_FULL, true);
    for (size_t i = 0; i < LT_COUNT(words); i++) {
        const char *at_ = strstr(lt_buf_cstr(&w.out), words[i]);
        assert_non_null(at_);
        assert_true(last == NULL || last < at_);
        last = at_;
    }
    assert_null(strstr(strstr(lt_buf_cstr(&w.out), words[2]) + 1, words[2]));
    tear_down(&w);
}

static void test_empty(void **state)
{
    (void)state;
    static const char *const wanted[] = {"summary.owner-id", "summary.description", "summary.start", "causes",
                                         "lessons.well",     "lessons.not-well",    "actions"};
    struct written w;
    set_up(&w);
    for (size_t i = 0; i < 4; i++) {
        static const char *const lists[] = {"sections", "causes", "lessons", "actions"};
        assert_int_equal(json_object_set_new(w.facts, lists[i], json_array()), 0);
    }
    write_kind(&w, INCIDENT_REPORT_FULL, true);
    for (size_t i = 0; i < LT_COUNT(wanted); i++) {
        assert_non_null(section(&w, wanted[i]));
        assert_string_equal(section(&w, wanted[i])->state, "missing");
    }
    assert_int_equal(w.sections.missing, LT_COUNT(wanted));
    tear_down(&w);
}

static void test_no_incident(void **state)
{
    (void)state;
    struct written w;
    struct incident_writing writing = {.kind = INCIDENT_REPORT_FULL, .related = "", .appendix = ""};
    set_up(&w);
    assert_int_equal(json_object_del(w.facts, "incident"), 0);
    writing.facts = w.facts;
    writing.numbers = &w.numbers;
    assert_fails(incident_report_write(&writing, &w.arena, &w.out, &w.sections), LT_STATE_CORRUPT);
    tear_down(&w);
}

static void test_drawings(void **state)
{
    (void)state;
    struct written w;
    set_up(&w);
    incident_fishbone_svg(w.facts, &w.out);
    assert_has(&w, "&lt;b&gt;&amp;amp; (#2)");
    assert_null(strstr(lt_buf_cstr(&w.out), "<b>"));
    write_kind(&w, INCIDENT_REPORT_DELAYED, true);
    lt_buf_reset(&w.out);
    incident_runoff_svg(w.facts, &w.numbers, &w.out);
    assert_has(&w, "deadline");
    assert_has(&w, "</svg>\n");
    w.numbers = (struct incident_numbers){.known = true}; /* nothing at all: nothing is divided by it */
    incident_runoff_svg(w.facts, &w.numbers, &w.out);
    tear_down(&w);
}

static void test_words(void **state)
{
    (void)state;
    static const struct {
        int64_t n;
        const char *text;
    } rows[] = {{0, "0"}, {999, "999"}, {1000, "1,000"}, {3048289, "3,048,289"}, {-1000, "-1,000"}};
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct lt_buf b;
        lt_buf_init(&b, 100);
        incident_add_count(&b, rows[i].n);
        assert_string_equal(lt_buf_cstr(&b), rows[i].text);
        lt_buf_done(&b);
    }
    assert_int_equal(incident_report_kind_of(LT_LIT("weekly")), 0);
    assert_null(incident_report_part_of(INCIDENT_REPORT_CLOSURE, LT_LIT("impact.total")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_delayed),
        cmocka_unit_test(test_preliminary_and_closure),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_no_incident),
        cmocka_unit_test(test_drawings),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
