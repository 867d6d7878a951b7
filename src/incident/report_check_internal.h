#ifndef INCIDENT_REPORT_CHECK_INTERNAL_H
#define INCIDENT_REPORT_CHECK_INTERNAL_H
/* Between the files of the check of reports. */
#include "incident/report_check.h"
#include "incident/report_date.h"
#include "incident/report_read.h"

#define IRG "CCADB IRG 3.2, "
#define REPORT_RULES(X)                                                                                     \
    X(READ, "report/text", ERROR, IRG "report format", "A report is Markdown: text in UTF-8.")              \
    X(HEADING, "report/heading", ERROR, IRG "templates", "A report begins with its template's heading.")    \
    X(OLD, "report/old-template", ERROR, "CCADB Policy 2.1, 6.1",                                           \
      "A template that was superseded more than 30 days ago must not be used.")                             \
    X(TITLE, "report/title", ERROR, IRG "Summary line", "The bug's summary is \"CA owner: title\".")        \
    X(WORDS, "report/words", ERROR, IRG "templates", "Headings and fields have the template's very words.") \
    X(PLACEHOLDER, "report/placeholder", ERROR, IRG "templates",                                            \
      "What the template only hints at is "                                                                 \
      "filled in.")                                                                                         \
    X(FREE, "report/free-standing", ERROR, IRG "report format", "A report can be read by itself.")          \
    X(SECTION_MISSING, "section/missing", ERROR, IRG "templates", "All sections are there.")                \
    X(SECTION_ORDER, "section/order", ERROR, IRG "templates", "Sections are in the template's order.")      \
    X(SECTION_TWICE, "section/twice", ERROR, IRG "templates", "Each section is there once.")                \
    X(SECTION_LEVEL, "section/level", ERROR, IRG "templates", "Headings have the template's level.")        \
    X(SECTION_UNKNOWN, "section/unknown", WARNING, IRG "templates", "There are no other sections.")         \
    X(FIELD_MISSING, "field/missing", ERROR, IRG "templates", "All fields are there.")                      \
    X(FIELD_ORDER, "field/order", ERROR, IRG "templates", "Fields are in the template's order.")            \
    X(FIELD_TWICE, "field/twice", ERROR, IRG "templates", "Each field is there once.")                      \
    X(FIELD_EMPTY, "field/empty", ERROR, IRG "report format", "A field that does not apply says N/A.")      \
    X(FIELD_UNKNOWN, "field/unknown", WARNING, IRG "templates", "There are no other fields.")               \
    X(FIELD_MARKUP, "field/markup", WARNING, IRG "templates", "A field's colon is part of its bold words.") \
    X(OWNER_ID, "summary/owner-id", ERROR, IRG "CA Owner CCADB unique ID", "The id is A and six digits.")   \
    X(POLICIES, "summary/policies", ERROR, IRG "Relevant policies", "Policies have a version and section.") \
    X(SOURCE, "summary/source", ERROR, IRG "Source of incident disclosure",                                 \
      "The source is Self Reported, Third Party Reported or Audit.")                                        \
    X(OBSERVATION, "summary/observation", ERROR, "CCADB Policy 2.1, 5.2",                                   \
      "Findings of an audit are not called observations.")                                                  \
    X(DATE, "date/unreadable", ERROR, IRG "report format", "A date can be read.")                           \
    X(DATE_WRONG, "date/wrong", ERROR, IRG "report format", "A date exists.")                               \
    X(DATE_ZONE, "date/zone", ERROR, IRG "report format", "Times are in UTC, or say their offset.")         \
    X(DATE_MINUTE, "date/minute", WARNING, IRG "report format", "Times should be given to the minute.")     \
    X(DATE_ORDER, "date/order", ERROR, IRG "Timeline summary", "What comes first has the earlier date.")    \
    X(DATE_FUTURE, "date/future", ERROR, IRG "Timeline", "What has happened does not lie in the future.")   \
    X(TOTAL, "impact/total", ERROR, IRG "Total number of certificates", "It is a number.")                  \
    X(VALID, "impact/remaining", ERROR, IRG "Total number of \"remaining valid\" certificates",             \
      "It is a number, and no more than all.")                                                              \
    X(TYPES, "impact/types", WARNING, IRG "Affected certificate types",                                     \
      "Types are DV, IV, OV, EV or S/MIME.")                                                                \
    X(TYPES_SUM, "impact/types-sum", ERROR, IRG "Affected certificate types", "Its numbers add up.")        \
    X(HEURISTIC, "impact/heuristic", ERROR, IRG "Incident heuristic",                                       \
      "A rule that a third party can run, why there is none, or that the full corpus is attached.")         \
    X(STOPPED, "impact/stopped", ERROR, IRG "Was issuance stopped", "The answer begins with Yes or No.")    \
    X(STOPPED_WHY, "impact/stopped-why", ERROR, IRG "Was issuance stopped", "The answer says why.")         \
    X(ANALYSIS, "impact/analysis", ERROR, IRG "Analysis", "A delayed revocation is explained.")             \
    X(ANALYSIS_THIN, "impact/analysis-thin", WARNING, IRG "Analysis",                                       \
      "It substantiates harm to third parties, and why the case is exceptionally rare and unavoidable.")    \
    X(NUMBERS, "impact/four-numbers", ERROR, IRG "updates of delayed revocations", "The numbers add up.")   \
    X(TIMELINE, "timeline/empty", ERROR, IRG "Timeline", "There is a timeline.")                            \
    X(TIMELINE_ENTRY, "timeline/entry", ERROR, IRG "Timeline", "Each entry has a time.")                    \
    X(TIMELINE_ORDER, "timeline/order", ERROR, IRG "Timeline", "Entries are in the order of time.")         \
    X(TIMELINE_EVENTS, "timeline/events", WARNING, IRG "Timeline", "It has the events that are asked for.") \
    X(TIMELINE_SUMMARY, "timeline/summary", ERROR, IRG "Timeline summary", "Summary and timeline agree.")   \
    X(TIMELINE_DELAY, "timeline/delay", ERROR, IRG "Timeline",                                              \
      "With a delayed revocation it says by when all is expected to be revoked.")                           \
    X(IRG_1, "timeline/irg-1", WARNING, IRG "initial disclosure", "Disclosed within 72 hours.")             \
    X(IRG_2, "timeline/irg-2", WARNING, IRG "full report", "The full report comes within 14 days.")         \
    X(RELATED, "related/empty", ERROR, IRG "Related Incidents", "Two years of incidents, of all CAs.")      \
    X(RELATED_HEAD, "related/head", ERROR, IRG "Related Incidents", "The table has the template's head.")   \
    X(RELATED_ROW, "related/row", ERROR, IRG "Related Incidents", "A bug, its date, how it is related.")    \
    X(RELATED_OLD, "related/old", WARNING, IRG "Related Incidents", "At least the last two years.")         \
    X(FACTOR, "causes/none", ERROR, IRG "Root Cause Analysis", "There is a contributing factor.")           \
    X(FACTOR_FIELD, "causes/field", ERROR, IRG "Root Cause Analysis", "A factor has its fields.")           \
    X(FACTOR_NUMBER, "causes/number", ERROR, IRG "Root Cause Analysis", "Factors are numbered from 1.")     \
    X(FACTOR_TITLE, "causes/title", ERROR, IRG "Root Cause Analysis", "A factor has a title.")              \
    X(FACTOR_ONE, "causes/one", WARNING, IRG "Root Cause Analysis", "There usually is more than one.")      \
    X(FACTOR_UNMAPPED, "causes/unmapped", ERROR, IRG "Action Items", "Each root cause has an action item.") \
    X(LESSON, "lessons/unmapped", ERROR, IRG "Lessons Learned",                                             \
      "Each item that did not go well, and each additional one, has an action item.")                       \
    X(LUCKY, "lessons/lucky", WARNING, IRG "Lessons Learned", "Luck should have an action item.")           \
    X(ACTIONS, "actions/empty", ERROR, IRG "Action Items", "There are action items.")                       \
    X(ACTIONS_HEAD, "actions/head", ERROR, IRG "Action Items", "The table has the template's head.")        \
    X(ACTIONS_ROW, "actions/row", ERROR, IRG "Action Items", "A row has six cells.")                        \
    X(ACTION_KIND, "actions/kind", ERROR, IRG "Action Items", "The kind is Prevent, Mitigate or Detect.")   \
    X(ACTION_CAUSE, "actions/cause", ERROR, IRG "Action Items", "The root cause is in the report.")         \
    X(ACTION_CRITERIA, "actions/criteria", ERROR, IRG "Action Items", "There are evaluation criteria.")     \
    X(ACTION_DUE, "actions/due", ERROR, IRG "Action Items", "There is a due date.")                         \
    X(ACTION_STATUS, "actions/status", ERROR, IRG "Action Items",                                           \
      "The status is Ongoing, Complete, Delayed or Canceled.")                                              \
    X(ACTION_LATE, "actions/late", WARNING, IRG "Action Items", "What is overdue is Delayed.")              \
    X(ACTION_DELAY, "actions/delay", ERROR, IRG "Action Items",                                             \
      "With a delayed revocation some make the next one less likely.")                                      \
    X(APPENDIX, "appendix/empty", ERROR, IRG "Appendix", "The certificates are attached.")                  \
    X(APPENDIX_HEAD, "appendix/head", ERROR, IRG "Appendix", "Columns are in their order.")                 \
    X(APPENDIX_ROW, "appendix/row", ERROR, IRG "Appendix", "Cells are what their column says.")             \
    X(APPENDIX_REVOKED, "appendix/revoked", ERROR, IRG "Appendix", "Yes, Planned, Delayed or N/A.")         \
    X(APPENDIX_TWICE, "appendix/twice", ERROR, IRG "Appendix", "Each certificate is there once.")           \
    X(APPENDIX_COUNT, "appendix/count", ERROR, IRG "Appendix", "As many as the report says.")               \
    X(APPENDIX_LIST, "appendix/list", ERROR, IRG "Appendix", "Up to 9,999 certificates are a CSV.")         \
    X(CLOSURE, "closure/sentence", ERROR, IRG "closure template", "It ends with the template's sentence.")  \
    X(CLOSURE_OPEN, "closure/open", ERROR, IRG "closure", "All action items are complete.")                 \
    X(TOGETHER, "report/together", ERROR, IRG "corrections", "Reports of one incident agree.")              \
    X(PROSE_IMPACT, "prose/impact", WARNING, IRG "bad practice", "No belittling of the impact.")            \
    X(PROSE_BLAME, "prose/blame", WARNING, IRG "bad practice", "No blaming of others.")                     \
    X(PROSE_EVASIVE, "prose/evasive", WARNING, IRG "bad practice", "No generic or evasive replies.")        \
    X(PROSE_ERROR, "prose/human-error", WARNING, IRG "bad practice", "A person's slip is no root cause.")   \
    X(PROSE_OPAQUE, "prose/opaque", WARNING, IRG "bad practice", "An action item says what will be done.")  \
    X(PROSE_SHALLOW, "prose/shallow", WARNING, IRG "bad practice", "A factor is explained.")

#define REPORT_RULE_ENUM(name_, id_, severity_, citation_, asks_) R_##name_,
enum report_rule { REPORT_RULES(REPORT_RULE_ENUM) R_COUNT };

enum { REPORT_PARTS_MAX = 40, REPORT_FACTORS_MAX = 50, REPORT_ACTIONS_MAX = 200 };

struct report_range {
    size_t first; /* behind the heading */
    size_t end;
};

struct report_factor {
    const struct report_item *item;
    bool mapped;
};

struct report_action {
    size_t line;
    lt_slice text;
    lt_slice kind;
    lt_slice causes;
    lt_slice criteria;
    lt_slice due;
    lt_slice status;
};

struct incident_reading {
    const char *file;
    struct report_doc doc;
    unsigned kind;
    bool delayed;
    const struct report_item *parts[REPORT_PARTS_MAX]; /* in the order of incident_report_parts; NULL: none */
    int64_t total;                                     /* -1: not said */
    int64_t valid;
    struct report_date start;
    struct report_date identified;
    struct report_date end;
    struct report_factor factors[REPORT_FACTORS_MAX];
    size_t factor_count;
    struct report_action actions[REPORT_ACTIONS_MAX];
    size_t action_count;
};

struct report_check {
    const struct incident_check *o;
    struct incident_reading *r;
    struct lt_arena *arena;
    struct incident_findings *out;
};

struct report_appendix_sum {
    const char *file;
    bool list;    /* of crt.sh */
    int64_t rows; /* certificates */
    int64_t revoked;
    int64_t live; /* not revoked, not expired */
};

void report_found(struct incident_findings *out, struct lt_arena *a, const char *file, enum report_rule rule,
                  size_t line, const char *section, const char *format, ...) LT_PRINTF(7, 8);
#define REPORT_FOUND(c_, rule_, line_, section_, ...) \
    report_found((c_)->out, (c_)->arena, (c_)->r->file, (rule_), (line_), (section_), __VA_ARGS__)

/* report_check_parts.c: which items are which part; everything about words, order and emptiness. */
void report_check_parts(struct report_check *c);
/* NULL: it is not there. */
const struct report_item *report_part(const struct incident_reading *r, const char *id);
/* The items of a section, up to the next heading of its level or above. */
struct report_range report_section(const struct incident_reading *r, const char *id);
/* report_check_fields.c: what stands in fields. */
void report_check_fields(struct report_check *c);
/* A number at the start, "3,048,289"; false: none. */
/* "Revoked: 1,706,505" among the lines of a delayed report; -1: not there. */
int64_t report_number_behind(const struct report_check *c, const char *words, size_t *ret_line);
bool report_number(lt_slice s, int64_t *ret_number, size_t *ret_used);
void report_check_date(struct report_check *c, lt_slice text, size_t line, const char *section,
                       struct report_date *ret_date);
/* report_check_time.c */
void report_check_timeline(struct report_check *c);
/* report_check_tables.c */
void report_check_related(struct report_check *c);
void report_check_factors(struct report_check *c);
void report_check_actions(struct report_check *c);
void report_check_lessons(struct report_check *c);
/* report_check_prose.c */
void report_check_prose(struct report_check *c);
/* report_appendix.c */
void report_appendix_sum(const struct incident_appendix *x, struct report_appendix_sum *ret_sum);

#endif
