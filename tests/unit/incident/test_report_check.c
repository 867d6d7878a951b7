/* The check of reports: faithful ones have no error, and each of many broken ones has the finding that it was
 * broken for. A broken one is a faithful one with one place changed. */
#include "../check.h"

#include <fcntl.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/text.h"
#include "incident/report_check.h"
#include "incident/report_check_internal.h"

enum { ARENA = 64 * 1024 * 1024 };

static lt_time now(void)
{
    lt_time t = {0};
    assert_ok(lt_time_parse(LT_LIT("2026-11-22T12:00:00Z"), &t));
    return t;
}

static lt_slice load(struct lt_arena *a, const char *name)
{
    char path[400];
    lt_slice text = {NULL, 0};
    (void)snprintf(path, sizeof path, "%s/%s", REPORTS_DIR, name);
    assert_ok(lt_file_read(a, AT_FDCWD, path, 1 << 20, &text));
    return text;
}

/* The text with the first `from` replaced; it must be there. */
static lt_slice replaced(struct lt_arena *a, lt_slice text, const char *from, const char *to)
{
    const char *all = lt_arena_cstr(a, text);
    const char *at = strstr(all, from);
    if (at == NULL) {
        print_error("\"%s\" is not in the report\n", from);
    }
    assert_non_null(at);
    const char *out = lt_arena_printf(a, "%.*s%s%s", (int)(at - all), all, to, at + strlen(from));
    return lt_slice_cstr(out);
}

static size_t errors(const struct incident_findings *f)
{
    size_t n = 0;
    for (size_t i = 0; i < f->count; i++) {
        if (f->list[i].rule->severity == INCIDENT_ERROR) {
            print_error("%s, line %zu: %s: %s\n", f->list[i].file, f->list[i].line, f->list[i].rule->id,
                        f->list[i].message);
            n++;
        }
    }
    return n;
}

static bool has(const struct incident_findings *f, const char *id)
{
    for (size_t i = 0; i < f->count; i++) {
        if (strcmp(f->list[i].rule->id, id) == 0) {
            return true;
        }
    }
    return false;
}

static void test_faithful(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        unsigned kind;
    } rows[] = {
        {"full.md", INCIDENT_REPORT_FULL},
        {"preliminary.md", INCIDENT_REPORT_PRELIMINARY},
        {"closure.md", INCIDENT_REPORT_CLOSURE},
        {"delayed.md", INCIDENT_REPORT_DELAYED},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct lt_arena a;
        struct incident_findings f;
        struct incident_reading *r = NULL;
        const struct incident_check o = {.now = now(), .title = "Test CA: CAA was not checked again"};
        lt_arena_init(&a, ARENA);
        incident_findings_init(&f, &a);
        assert_ok(incident_report_check(&o, rows[i].file, load(&a, rows[i].file), &a, &f, &r));
        assert_int_equal(errors(&f), 0);
        assert_int_equal(f.count, 0);
        assert_int_equal(incident_report_kind(r), rows[i].kind);
        lt_arena_done(&a);
    }
}

/* What was changed, and what has to be found. */
static const struct {
    const char *file;
    const char *from;
    const char *to;
    const char *finding;
} broken[] = {
    {"full.md", "## Full Incident Report", "## Our Report", "report/heading"},
    {"full.md", "## Full Incident Report", "## Incident Report", "report/old-template"},
    {"full.md", "## Full Incident Report", "## Full incident report", "report/words"},
    {"full.md", "## Full Incident Report", "# Full Incident Report", "section/level"},
    {"full.md", "\xe2\x80\x99t go well", "'t go well", "report/words"},
    {"full.md", "- **Additional:** N/A", "- **Other:** N/A", "report/words"},
    {"full.md", "### Root Cause Analysis", "### Root Causes", "report/words"},
    {"full.md", "### Lessons Learned", "### Lessons", "report/words"},
    {"full.md", "### Impact\n", "", "section/missing"},
    {"full.md", "### Timeline\n", "### Appendix\n\nNone.\n\n### Timeline\n", "section/twice"},
    {"full.md", "### Timeline\n", "### Related Incidents\n\nNone.\n\n### Timeline\n", "section/order"},
    {"full.md", "### Impact\n", "## Impact\n", "section/level"},
    {"full.md", "### Impact\n", "### Press\n\nNothing.\n\n### Impact\n", "section/unknown"},
    {"full.md", "- **Analysis:** N/A\n", "", "field/missing"},
    {"full.md", "- **Incident heuristic:** Certificates", "- Certificates", "field/missing"},
    {"full.md", "- **Where we got lucky:**", "- ", "field/missing"},
    {"full.md", "- **Analysis:** N/A\n- **Additional considerations:** N/A",
     "- **Additional considerations:** N/A\n- **Analysis:** N/A", "field/order"},
    {"full.md", "- **Analysis:** N/A", "- **Analysis:** N/A\n- **Analysis:** N/A", "field/twice"},
    {"full.md", "- **Analysis:** N/A", "- **Analysis:**", "field/empty"},
    {"full.md", "- **Analysis:** N/A", "- **Analysis:** N/A\n- **Cost:** none at all", "field/unknown"},
    {"full.md", "- **Analysis:** N/A", "- **Analysis**: N/A", "field/markup"},
    {"full.md", "A000999", "A99", "summary/owner-id"},
    {"full.md", "A000999", "000999", "summary/owner-id"},
    {"full.md", "A000999", "N/A", "summary/owner-id"},
    {"full.md", "Third Party Reported", "External", "summary/source"},
    {"full.md", "Third Party Reported", "third party reported", "summary/source"},
    {"full.md", "TLS Baseline Requirements 2.2.6, section 3.2.2.8", "Baseline Requirements",
     "summary/policies"},
    {"full.md", "Third Party Reported", "Audit\n- an observation of the auditor", "summary/source"},
    {"full.md", "date:** 2026-07-25 00:00 UTC", "date:** last summer", "date/unreadable"},
    {"full.md", "date:** 2026-08-29 05:22 UTC", "date:** Ongoing", "none"},
    {"full.md", "date:** 2026-08-29 05:22 UTC", "date:** N/A (it goes on)", "none"},
    {"full.md", "date:** 2026-07-25 00:00 UTC", "date:** 2026-02-30 00:00 UTC", "date/wrong"},
    {"full.md", "date:** 2026-08-29 03:08 UTC", "date:** 2026-08-29 03:08", "date/zone"},
    {"full.md", "date:** 2026-08-29 05:22 UTC", "date:** 2026-08-29", "date/minute"},
    {"full.md", "date:** 2026-08-29 05:22 UTC", "date:** 2026-07-01 05:22 UTC", "date/order"},
    {"full.md", "date:** 2026-07-25 00:00 UTC", "date:** 2026-09-25 00:00 UTC", "date/order"},
    {"full.md", "date:** 2026-08-29 05:22 UTC", "date:** 2027-08-29 05:22 UTC", "none"}, /* expected */
    {"full.md", "date:** 2026-08-29 03:08 UTC", "date:** 2027-08-29 03:08 UTC", "date/future"},
    {"full.md", "- **Additional considerations:** N/A\n", "", "none"}, /* optional */
    {"full.md", "- **Root Cause Analysis methodology used:** 5 whys\n", "", "none"},
    {"full.md", "certificates:** 3,048", "certificates:** several", "impact/total"},
    {"full.md", "certificates:** 1,341", "certificates:** most", "impact/remaining"},
    {"full.md", "certificates:** 1,341", "certificates:** 13,410", "impact/remaining"},
    {"full.md", "DV: 3,048", "all of them", "impact/types"},
    {"full.md", "DV: 3,048", "DV: 3,000, OV: 8", "impact/types-sum"},
    {"full.md", "DV: 3,048", "DV: 3,000", "impact/types-sum"},
    {"full.md", "DV: 3,048", "DV: 2.23.140.1.2.1", "none"},
    {"full.md", "DV: 3,048", "DV: 40 by hand, OV", "none"}, /* not all have a number */
    {"full.md", "certificates:** 3,048", "certificates:** 30,48", "impact/total"},
    {"full.md", "certificates:** 3,048", "certificates:** 3,0480", "impact/total"},
    {"full.md", "Certificates with more than one dNSName that were issued between the two dates.", "N/A",
     "impact/heuristic"},
    {"full.md", "Yes. The defect", "The defect", "impact/stopped"},
    {"full.md", "Yes. The defect would have gone on otherwise.", "Yes.", "impact/stopped-why"},
    {"delayed.md",
     "Revoking the rest would harm patients of two hospitals, whose devices cannot be reached; the "
     "case is exceptionally rare, as such names get no certificates any more.",
     "N/A", "impact/analysis"},
    {"delayed.md", "would harm patients of two hospitals, whose", "is hard, since", "impact/analysis-thin"},
    {"delayed.md", "Revoked: 1,707", "Revoked: 1,706", "impact/four-numbers"},
    {"delayed.md",
     "- 2026-08-30 02:00 UTC: 1,707 certificates were revoked\n- 2026-12-05 00:00 UTC: all "
     "certificates are expected to be revoked",
     "", "timeline/delay"},
    {"delayed.md", "are expected to be revoked", "were revoked", "date/future"},
    {"delayed.md", "- 2026-08-30 02:00 UTC: 1,707 certificates were revoked\n", "", "timeline/delay"},
    {"full.md", "- 2026-08-29 03:10 UTC: issuance was halted", "- issuance was halted", "timeline/entry"},
    {"full.md", "- 2026-08-29 03:10 UTC: issuance", "- 2026-08-29 01:10 UTC: issuance", "timeline/order"},
    {"full.md", "- 2026-08-29 03:10 UTC: issuance", "- 2026-08-29 03:10: issuance", "date/zone"},
    {"full.md", "- 2026-08-29 03:10 UTC: issuance", "- 2026-08-29: issuance", "date/minute"},
    {"full.md", "- 2026-08-29 03:10 UTC: issuance", "- 2026-08-29 25:10 UTC: issuance", "date/wrong"},
    {"full.md", "- 2026-08-29 03:08 UTC: the defect", "- 2026-08-29 03:09 UTC: the defect",
     "timeline/summary"},
    {"full.md", "05:48 UTC: the preliminary", "05:48 UTC: our press release", "none"},
    {"full.md", "2026-08-29 05:48 UTC: the preliminary incident report was posted\n- 2026-08-29 14:00 UTC",
     "2026-09-03 05:48 UTC: the preliminary incident report was posted\n- 2026-09-03 14:00 UTC",
     "timeline/irg-1"},
    {"full.md", "14:00 UTC: the scope was known: 3,048 certificates", "14:00 UTC: lunch", "timeline/events"},
    {"full.md", "| [1619047](https://bugzilla.mozilla.org/show_bug.cgi?id=1619047) |", "| 1619047 |",
     "related/row"},
    {"full.md", "| 2020-02-29 |", "| once |", "related/row"},
    {"full.md", "| 2025-07-29 |", "| 2021-07-29 |", "related/old"},
    {"full.md", "| Bug      ", "| Report   ", "related/head"},
    {"full.md",
     "| [1619047](https://bugzilla.mozilla.org/show_bug.cgi?id=1619047) | 2020-02-29 | The same kind of "
     "defect at another CA. |",
     "| [Related Bug ID](Related Bug URL) | Date Related Bug was opened | A description |",
     "report/placeholder"},
    {"full.md", "**Contributing Factor #2: No test had several names**",
     "**Contributing Factor #3: No test had several names**", "causes/number"},
    {"full.md", "**Contributing Factor #2: No test had several names**", "**Contributing Factor #2:**",
     "causes/title"},
    {"full.md", "**Contributing Factor #2: No test had several names**", "**Contributing Factor #: title**",
     "report/placeholder"},
    {"full.md", "- **Detection:** A third party compared certificates with CAA records.\n", "",
     "causes/field"},
    {"full.md", "- **Detection:** A third party compared certificates with CAA records.", "- **Detection:**",
     "causes/field"},
    {"full.md",
     "The address of one variable was kept for each name, so that every entry pointed to the last "
     "name.",
     "A bug.", "prose/shallow"},
    {"full.md", "The list of certificates took eleven hours (Action Item 3)", "Nobody answered the telephone",
     "lessons/unmapped"},
    {"full.md", "eleven hours (Action Item 3)", "eleven hours (Action Item 7)", "lessons/unmapped"},
    {"full.md", "- **Additional:** N/A", "- **Additional:** The coffee was cold.", "lessons/unmapped"},
    {"full.md", "The reporter knew whom to write to (Action Item 3).", "It was a Saturday.", "lessons/lucky"},
    {"full.md", "| Prevent |", "| Prevention |", "actions/kind"},
    {"full.md", "| Root Cause # 2 |", "| Root Cause # 9 |", "actions/cause"},
    {"full.md", "| Root Cause # 2 |", "| |", "actions/cause"},
    {"full.md", "| Detect | Root Cause # 2 |", "| Detect | Root Cause # 1 |", "none"},
    {"full.md", "The build fails on the old code", "N/A", "actions/criteria"},
    {"full.md", "| 2026-12-31 |", "| soon |", "actions/due"},
    {"full.md", "| 2026-12-31 | Ongoing |", "| 2026-12-31 | In progress |", "actions/status"},
    {"full.md", "| 2026-12-31 | Ongoing |", "| 2026-10-31 | Ongoing |", "actions/late"},
    {"full.md", "| 2026-12-31 | Ongoing |", "| 2026-12-31 |", "actions/row"},
    {"full.md", "| Action Item | Kind    |", "| Action | Kind    |", "actions/head"},
    {"full.md", "Forbid shared loop variables by a rule of the linter", "Improve process", "prose/opaque"},
    {"full.md", "All certificates are in the attached file certificates.csv.\n", "", "appendix/empty"},
    {"full.md", "- **Additional considerations:** N/A",
     "- **Additional considerations:** There was no security impact.", "prose/impact"},
    {"full.md", "- **Additional considerations:** N/A",
     "- **Additional considerations:** We take security seriously.", "prose/evasive"},
    {"full.md", "- **Additional considerations:** N/A",
     "- **Additional considerations:** Our vendor failed us.", "prose/blame"},
    {"full.md", "The tests of the recheck had one name each", "It was human error: one name each",
     "prose/human-error"},
    {"full.md", "- **Additional considerations:** N/A", "- **Additional considerations:** See comment 4.",
     "report/free-standing"},
    {"full.md", "- **Additional considerations:** N/A",
     "- **Additional considerations:** **[To be written by commander: what else]**", "report/placeholder"},
    {"full.md", "- **Additional considerations:** N/A", "- **Additional considerations:** \xff\xfe",
     "report/text"},
    {"preliminary.md", "Third Party Reported", "A customer", "summary/source"},
    {"preliminary.md", "- **Relevant policies:** TLS Baseline Requirements 2.2.6, section 3.2.2.8\n", "",
     "field/missing"},
    {"preliminary.md", "### Summary\n", "", "section/missing"},
    {"closure.md", "and we request its closure", "and ask for its closure", "closure/sentence"},
    {"closure.md", "- **Commitment summary:** N/A\n", "", "field/missing"},
};

static void test_broken(void **state)
{
    (void)state;
    size_t missing = 0;
    for (size_t i = 0; i < LT_COUNT(broken); i++) {
        struct lt_arena a;
        struct incident_findings f;
        struct incident_reading *r = NULL;
        const struct incident_check o = {.now = now()};
        lt_arena_init(&a, ARENA);
        incident_findings_init(&f, &a);
        lt_slice text = replaced(&a, load(&a, broken[i].file), broken[i].from, broken[i].to);
        assert_ok(incident_report_check(&o, broken[i].file, text, &a, &f, &r));
        bool fine = strcmp(broken[i].finding, "none") == 0;
        bool good = fine ? errors(&f) == 0 : has(&f, broken[i].finding);
        if (!good) {
            print_error("\"%s\" made \"%s\": %s was not found, but\n", broken[i].from, broken[i].to,
                        broken[i].finding);
            for (size_t k = 0; k < f.count; k++) {
                print_error("    %s line %zu: %s\n", f.list[k].rule->id, f.list[k].line, f.list[k].message);
            }
            missing++;
        }
        lt_arena_done(&a);
    }
    assert_int_equal(missing, 0);
}

/* What only the bug itself says. */
static void test_title(void **state)
{
    (void)state;
    static const struct {
        const char *title;
        bool good;
    } rows[] = {
        {"Test CA: CAA", true}, {"CAA was not checked", false}, {": CAA", false}, {"Test CA:", false}};
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct lt_arena a;
        struct incident_findings f;
        struct incident_reading *r = NULL;
        const struct incident_check o = {.now = now(), .title = rows[i].title};
        lt_arena_init(&a, ARENA);
        incident_findings_init(&f, &a);
        assert_ok(incident_report_check(&o, "x", load(&a, "full.md"), &a, &f, &r));
        assert_int_equal(has(&f, "report/title"), !rows[i].good);
        lt_arena_done(&a);
    }
}

/* A delayed revocation that only the label of the bug tells of. */
static void test_label(void **state)
{
    (void)state;
    struct lt_arena a;
    struct incident_findings f;
    struct incident_reading *r = NULL;
    const struct incident_check o = {.now = now(), .delayed = true};
    lt_arena_init(&a, ARENA);
    incident_findings_init(&f, &a);
    lt_slice text = replaced(&a, load(&a, "full.md"),
                             "- 2026-08-30 02:00 UTC: all certificates were revoked\n", "");
    assert_ok(incident_report_check(&o, "x", text, &a, &f, &r));
    assert_true(has(&f, "impact/analysis"));
    assert_true(has(&f, "timeline/delay"));
    assert_true(has(&f, "actions/delay"));
    lt_arena_done(&a);
}

/* ---- several files, appendices ---- */

static void check_appendix(struct lt_arena *a, struct incident_findings *f, lt_slice text, const char *title)
{
    struct incident_reading *r = NULL;
    LT_CLEANUP(incident_appendix_freep) struct incident_appendix *x = NULL;
    const struct incident_check o = {.now = now()};
    (void)title;
    assert_true(incident_appendix_is(text));
    assert_ok(incident_appendix_begin(&o, "appendix", a, f, &x));
    for (size_t i = 0; i < text.len; i += 7) { /* in pieces */
        incident_appendix_feed(x, lt_slice_sub(text, i, 7));
    }
    incident_appendix_end(x);
    lt_slice report = replaced(a, load(a, "full.md"), "certificates:** 3,048", "certificates:** 2");
    report = replaced(a, report, "certificates:** 1,341", "certificates:** 1");
    report = replaced(a, report, "DV: 3,048", "DV");
    assert_ok(incident_report_check(&o, "full.md", report, a, f, &r));
    assert_ok(incident_report_check_together(&o, &r, 1, &x, 1, a, f));
}

static const struct {
    const char *from;
    const char *to;
    const char *finding;
} broken_appendices[] = {
    {"Yes,2026", "Yes,2026", "none"},
    {"Subject,Issuer", "Issuer,Subject", "appendix/head"},
    {"Serial #", "Serial", "appendix/head"},
    {"Revocation reason\n", "Revocation reason,Country\n", "none"},
    {",Precert", ",Precert", "none"},
    {"Yes,2026-08-30 01:00:00 UTC", "yes,2026-08-30 01:00:00 UTC", "appendix/revoked"},
    {"Yes,2026-08-30 01:00:00 UTC", "Yes,", "appendix/revoked"},
    {"Yes,2026-08-30 01:00:00 UTC", "Yes,2036-08-30 01:00:00 UTC", "appendix/revoked"},
    {"UTC,superseded", "UTC,", "appendix/revoked"},
    {"0a02", "seven", "appendix/row"},
    {"2026-12-30 00:00:00 UTC", "2025-12-30 00:00:00 UTC", "appendix/row"},
    {"2026-12-30 00:00:00 UTC", "never", "appendix/row"},
    {"a200000000000000000000000000000000000000000000000000000000000002,CN", "aa02,CN", "appendix/row"},
    {"a200000000000000000000000000000000000000000000000000000000000002,CN",
     "a100000000000000000000000000000000000000000000000000000000000001,CN", "appendix/twice"},
    {",c.example,Planned,N/A,N/A", "", "appendix/row"},
    {"Planned,N/A,N/A\n",
     "Planned,N/A,N/A\n"
     "cc00000000000000000000000000000000000000000000000000000000000003,,CN=d,CN=T1,2026-08-01,2026-12-30,"
     "0a03,"
     "d.example,Planned,,\n",
     "appendix/count"},
    {"Planned,N/A,N/A", "Yes,2026-08-30 01:00:00 UTC,superseded", "appendix/count"},
};

static void test_appendix(void **state)
{
    (void)state;
    for (size_t i = 0; i < LT_COUNT(broken_appendices); i++) {
        struct lt_arena a;
        struct incident_findings f;
        lt_arena_init(&a, ARENA);
        incident_findings_init(&f, &a);
        lt_slice text = load(&a, "certificates.csv");
        if (strcmp(broken_appendices[i].from, ",Precert") != 0) {
            text = replaced(&a, text, broken_appendices[i].from, broken_appendices[i].to);
        }
        check_appendix(&a, &f, text, NULL);
        bool fine = strcmp(broken_appendices[i].finding, "none") == 0;
        bool good = fine ? errors(&f) == 0 : has(&f, broken_appendices[i].finding);
        if (!good) {
            print_error("\"%s\" made \"%s\"\n", broken_appendices[i].from, broken_appendices[i].to);
        }
        assert_true(good);
        lt_arena_done(&a);
    }
}

static void test_list(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *finding;
    } rows[] = {
        {INCIDENT_CRT_SH "a100000000000000000000000000000000000000000000000000000000000001\n",
         "appendix/list"},
        {INCIDENT_CRT_SH "aa01\n", "appendix/row"},
        {INCIDENT_CRT_SH "a100000000000000000000000000000000000000000000000000000000000001\n" INCIDENT_CRT_SH
                         "a100000000000000000000000000000000000000000000000000000000000001\r\n",
         "appendix/twice"},
        {"https://crt.sh/?id=7\n", "appendix/empty"},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct lt_arena a;
        struct incident_findings f;
        lt_arena_init(&a, ARENA);
        incident_findings_init(&f, &a);
        check_appendix(&a, &f, lt_slice_cstr(rows[i].text), NULL);
        assert_true(has(&f, rows[i].finding));
        lt_arena_done(&a);
    }
    assert_false(incident_appendix_is(LT_LIT("## Full Incident Report\n")));
    assert_false(incident_appendix_is(LT_LIT("")));
}

static void test_together(void **state)
{
    (void)state;
    struct lt_arena a;
    struct incident_findings f;
    struct incident_reading *r[3] = {NULL};
    const struct incident_check o = {.now = now()};
    lt_arena_init(&a, ARENA);
    incident_findings_init(&f, &a);
    lt_slice preliminary = replaced(&a, load(&a, "preliminary.md"), "Third Party Reported", "Self Reported");
    assert_ok(incident_report_check(&o, "preliminary.md", preliminary, &a, &f, &r[0]));
    assert_ok(incident_report_check(&o, "full.md", load(&a, "full.md"), &a, &f, &r[1]));
    assert_ok(incident_report_check(&o, "closure.md", load(&a, "closure.md"), &a, &f, &r[2]));
    assert_int_equal(f.count, 0);
    assert_ok(incident_report_check_together(&o, r, 3, NULL, 0, &a, &f));
    assert_true(has(&f, "closure/open"));
    assert_true(has(&f, "report/together"));
    assert_int_equal(f.count, 3); /* two items are open */
    lt_arena_done(&a);
}

/* A third party need not know what only the CA does. */
static void test_third_party(void **state)
{
    (void)state;
    for (int third = 0; third < 2; third++) {
        struct lt_arena a;
        struct incident_findings f;
        struct incident_reading *r = NULL;
        const struct incident_check o = {.now = now(), .third_party = third == 1};
        lt_arena_init(&a, ARENA);
        incident_findings_init(&f, &a);
        lt_slice text = replaced(&a, load(&a, "preliminary.md"),
                                 "- **Source of incident disclosure:** Third Party Reported\n", "");
        assert_ok(incident_report_check(&o, "x", text, &a, &f, &r));
        assert_int_equal(has(&f, "field/missing"), third == 0);
        lt_arena_done(&a);
    }
}

/* ---- dates ---- */

static void test_dates(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *time; /* NULL: none */
        bool has_time;
        bool has_zone;
        bool wrong;
    } rows[] = {
        {"2026-03-01 02:10 UTC", "2026-03-01T02:10:00Z", true, true, false},
        {"2026-03-01 02:10:05 UTC: x", "2026-03-01T02:10:05Z", true, true, false},
        {"2026-03-01T02:10Z", "2026-03-01T02:10:00Z", true, true, false},
        {"2026-03-01T02:10:05.25+02:00", "2026-03-01T00:10:05Z", true, true, false},
        {"2026-03-01 02:10 UTC-0700", "2026-03-01T09:10:00Z", true, true, false},
        {"2026-03-01 02:10 (UTC)", "2026-03-01T02:10:00Z", true, true, false},
        {"2026-03-01", "2026-03-01T00:00:00Z", false, false, false},
        {"2026-03-01 UTC", "2026-03-01T00:00:00Z", false, true, false},
        {"July 29, 2024 22:36 UTC", "2024-07-29T22:36:00Z", true, true, false},
        {"29 July 2024", "2024-07-29T00:00:00Z", false, false, false},
        {"Sept. 3, 2024 at 9:05 GMT", "2024-09-03T09:05:00Z", true, true, false},
        {"2026-02-30 00:00 UTC", NULL, true, true, true},
        {"2026-13-01", NULL, false, false, true},
        {"2026-03-01 25:00", NULL, true, false, true},
        {"20260301", NULL, false, false, false},
        {"March", NULL, false, false, false},
        {"yesterday", NULL, false, false, false},
        {"2026-3-1", NULL, false, false, false},
        {"", NULL, false, false, false},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct report_date d;
        size_t used = 0;
        bool read = report_date_read(lt_slice_cstr(rows[i].text), &d, &used);
        assert_int_equal(read, rows[i].time != NULL || rows[i].wrong);
        if (read) {
            assert_int_equal(d.wrong, rows[i].wrong);
            assert_int_equal(d.has_time, rows[i].has_time);
            assert_int_equal(d.has_zone, rows[i].has_zone);
        }
        if (rows[i].time != NULL) {
            char text[LT_RFC3339_SIZE];
            lt_time_rfc3339(d.time, text);
            assert_string_equal(text, rows[i].time);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faithful), cmocka_unit_test(test_broken),      cmocka_unit_test(test_title),
        cmocka_unit_test(test_label),    cmocka_unit_test(test_appendix),    cmocka_unit_test(test_list),
        cmocka_unit_test(test_together), cmocka_unit_test(test_third_party), cmocka_unit_test(test_dates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
