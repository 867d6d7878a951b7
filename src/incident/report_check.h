#ifndef INCIDENT_REPORT_CHECK_H
#define INCIDENT_REPORT_CHECK_H
/* Holds an incident report, anyone's, against the CCADB's Incident Reporting Guidelines: fields, order,
 * words, dates, numbers, and whether each "didn't go well" has an action item; and warns of prose that says
 * nothing. Pure: no folder, no network. What a report says of the world is not checked, only that it is whole
 * and does not contradict itself.
 *
 * An error is something that a MUST, or the template, does not allow; a warning is a SHOULD, or bad practice.
 */
#include "base/arena.h"
#include "base/clock.h"
#include "incident/report_form.h"

enum incident_severity { INCIDENT_NOTE = 1, INCIDENT_WARNING, INCIDENT_ERROR };

struct incident_report_rule {
    const char *id; /* "timeline/order" */
    enum incident_severity severity;
    const char *citation; /* "CCADB IRG 3.2, Timeline" */
    const char *asks;
};
extern const struct incident_report_rule incident_report_rules[];
extern const size_t incident_report_rule_count;

struct incident_finding {
    const struct incident_report_rule *rule;
    const char *file; /* as it was given */
    size_t line;      /* 0: of the whole file */
    const char *section;
    const char *message; /* in the arena */
};

enum { INCIDENT_FINDINGS_MAX = 500 };
struct incident_findings {
    struct incident_finding *list; /* in the arena */
    size_t count;
    size_t left_off; /* beyond the limit */
};

struct incident_check {
    lt_time now;
    bool delayed;      /* the bug has the label revocation-delay; else told from its words */
    bool third_party;  /* a preliminary report that a third party filed */
    const char *title; /* of the bug; NULL: not known */
};

/* An appendix file, read in pieces: a CSV or a list of crt.sh. */
struct incident_appendix;
LT_MUST_USE lt_res incident_appendix_begin(const struct incident_check *o, const char *file,
                                           struct lt_arena *a, struct incident_findings *out,
                                           struct incident_appendix **ret_appendix);
void incident_appendix_feed(struct incident_appendix *x, lt_slice bytes);
void incident_appendix_end(struct incident_appendix *x);
void incident_appendix_freep(struct incident_appendix **x);
/* By its first bytes: an appendix, and no report. */
bool incident_appendix_is(lt_slice start);

struct incident_reading; /* what was read of one */

void incident_findings_init(struct incident_findings *f, struct lt_arena *a);
/* Reads and checks one. A file that is no text at all is a finding, not a failure. */
LT_MUST_USE lt_res incident_report_check(const struct incident_check *o, const char *file, lt_slice text,
                                         struct lt_arena *a, struct incident_findings *out,
                                         struct incident_reading **ret_report);
/* What several reports of one incident, and its appendix, must agree on. */
LT_MUST_USE lt_res incident_report_check_together(const struct incident_check *o,
                                                  struct incident_reading *const *reports, size_t count,
                                                  struct incident_appendix *const *appendices,
                                                  size_t appendix_count, struct lt_arena *a,
                                                  struct incident_findings *out);
unsigned incident_report_kind(const struct incident_reading *r); /* INCIDENT_REPORT_*; 0: no report */
const char *incident_severity_name(enum incident_severity s);

#endif
