/* The rows of the templates. */
#include "incident/report_form.h"

#include <string.h>

#define PRE INCIDENT_REPORT_PRELIMINARY
#define FULLS INCIDENT_REPORT_FULLS
#define CLOSURE INCIDENT_REPORT_CLOSURE
#define HEAD(id_, kinds_, level_, words_)                             \
    {                                                                 \
        id_, kinds_, INCIDENT_PART_HEADING, level_, words_, "", false \
    }
#define FIELD(id_, kinds_, words_, role_)                         \
    {                                                             \
        id_, kinds_, INCIDENT_PART_FIELD, 0, words_, role_, false \
    }
#define INNER(id_, kinds_, words_, role_)                         \
    {                                                             \
        id_, kinds_, INCIDENT_PART_FIELD, 1, words_, role_, false \
    }

const struct incident_report_part incident_report_parts[] = {
    HEAD("preliminary", PRE, 2, "Preliminary Incident Report"),
    HEAD("full", FULLS, 2, "Full Incident Report"),
    HEAD("closure", CLOSURE, 3, "Report Closure Summary"),
    HEAD("summary", PRE | FULLS, 3, "Summary"),
    {"summary.owner-id", FULLS, INCIDENT_PART_FIELD, 0, "CA Owner CCADB unique ID", "liaison", true},
    FIELD("summary.description", PRE | FULLS | CLOSURE, "Incident description", "commander"),
    {"summary.timeline", FULLS, INCIDENT_PART_FIELD, 0, "Timeline summary", "", true},
    INNER("summary.start", FULLS, "Non-compliance start date", "scribe"),
    INNER("summary.identified", FULLS, "Non-compliance identified date", ""),
    INNER("summary.end", FULLS, "Non-compliance end date", "scribe"),
    FIELD("summary.policies", PRE | FULLS, "Relevant policies", "liaison"),
    {"summary.source", PRE | FULLS, INCIDENT_PART_FIELD, 0, "Source of incident disclosure", "", true},
    HEAD("impact", FULLS, 3, "Impact"),
    FIELD("impact.total", FULLS, "Total number of certificates", ""),
    FIELD("impact.valid", FULLS, "Total number of \"remaining valid\" certificates", ""),
    FIELD("impact.types", FULLS, "Affected certificate types", ""),
    FIELD("impact.heuristic", FULLS, "Incident heuristic", "revocation"),
    FIELD("impact.stopped", FULLS, "Was issuance stopped in response to this incident, and why or why not?",
          "commander"),
    FIELD("impact.analysis", FULLS, "Analysis", "legal"),
    FIELD("impact.additional", FULLS, "Additional considerations", "commander"),
    HEAD("timeline", FULLS, 3, "Timeline"),
    HEAD("related", FULLS, 3, "Related Incidents"),
    HEAD("causes", FULLS, 3, "Root Cause Analysis"),
    HEAD("lessons", FULLS, 3, "Lessons Learned"),
    FIELD("lessons.well", FULLS, "What went well", "scribe"),
    FIELD("lessons.not-well", FULLS, "What didn\xe2\x80\x99t go well", "scribe"),
    FIELD("lessons.lucky", FULLS, "Where we got lucky", "scribe"),
    FIELD("lessons.additional", FULLS, "Additional", "scribe"),
    HEAD("actions", FULLS, 3, "Action Items"),
    HEAD("appendix", FULLS, 3, "Appendix"),
    FIELD("closure.causes", CLOSURE, "Incident Root Cause(s)", "commander"),
    FIELD("closure.remediation", CLOSURE, "Remediation description", "commander"),
    FIELD("closure.commitments", CLOSURE, "Commitment summary", "liaison"),
};
const size_t incident_report_part_count = LT_COUNT(incident_report_parts);

const char *const incident_factor_fields[INCIDENT_FACTOR_FIELDS] = {"Description", "Timeline", "Detection",
                                                                    "Interaction with other factors",
                                                                    "Root Cause Analysis methodology used"};

const char incident_related_head[] =
    "| Bug                                | Date                        | Description                   "
    "                                         |\n"
    "|------------------------------------|-----------------------------|-------------------------------"
    "-----------------------------------------|\n";
const char incident_actions_head[] =
    "| Action Item | Kind    | Corresponding Root Cause(s) | Evaluation Criteria | Due Date   | Status |\n"
    "| ----------- | ----    | --------------------------- | ------------------- | -----------| ------ |\n";
const char incident_closure_sentence[] = "All Action Items disclosed in this report have been completed as "
                                         "described, and we request its closure.";

const char *const incident_appendix_columns[INCIDENT_APPENDIX_COLUMNS] = {
    "Precertificate SHA-256 hash",
    "Certificate SHA-256 hash",
    "Subject",
    "Issuer",
    "Not before",
    "Not after",
    "Serial #",
    "dNSNames",
    "Is revoked?",
    "Revocation date",
    "Revocation reason",
};

static const struct {
    const char *name;
    unsigned kind;
} kinds[] = {
    {"preliminary", INCIDENT_REPORT_PRELIMINARY},
    {"full", INCIDENT_REPORT_FULL},
    {"delayed", INCIDENT_REPORT_DELAYED},
    {"closure", INCIDENT_REPORT_CLOSURE},
};

unsigned incident_report_kind_of(lt_slice word)
{
    for (size_t i = 0; i < LT_COUNT(kinds); i++) {
        if (lt_slice_eq_cstr(word, kinds[i].name)) {
            return kinds[i].kind;
        }
    }
    return 0;
}

const char *incident_report_kind_name(unsigned kind)
{
    for (size_t i = 0; i < LT_COUNT(kinds); i++) {
        if (kinds[i].kind == kind) {
            return kinds[i].name;
        }
    }
    return "";
}

const struct incident_report_part *incident_report_part_of(unsigned kind, lt_slice id)
{
    for (size_t i = 0; i < incident_report_part_count; i++) {
        const struct incident_report_part *p = &incident_report_parts[i];
        if ((p->kinds & kind) != 0 && lt_slice_eq_cstr(id, p->id)) {
            return p;
        }
    }
    return NULL;
}
