/* The paths of drills: what was held, what is due, rehearsals; and what only a drill's own book takes. */
#include "incident/form.h"

enum { WORD = 60, LINE = 300, WORDS = 4000, RECORD = 30000, HASH = 32 };

static const struct incident_field record_fields[] = {
    {"scenario", INCIDENT_TEXT, true, WORD},
    {"kind", INCIDENT_TEXT, true, WORD},
    {"mode", INCIDENT_TEXT, false, WORD},
    {"seed", INCIDENT_NUMBER, false, INT64_MAX},
    {"certificates", INCIDENT_NUMBER, false, INT64_MAX},
    {"begun", INCIDENT_TIME, true, 0},
    {"ended", INCIDENT_TIME, true, 0},
    {"passed", INCIDENT_FLAG, true, 0},
    {"missed", INCIDENT_TEXT, false, WORDS},
    {"sha256", INCIDENT_HEX, true, HASH},
    {"record", INCIDENT_TEXT, true, RECORD},
    {"findings", INCIDENT_TEXT, false, WORDS},
    {"date", INCIDENT_NUMBER, false, INT64_MAX},
};
static const struct incident_field date_fields[] = {
    {"scenario", INCIDENT_TEXT, false, WORD},    {"kind", INCIDENT_TEXT, true, WORD},
    {"owner", INCIDENT_TEXT, true, LINE},        {"due", INCIDENT_TIME, true, 0},
    {"every-days", INCIDENT_NUMBER, false, 366}, {"note", INCIDENT_TEXT, false, WORDS},
};
static const struct incident_field why_fields[] = {{"why", INCIDENT_TEXT, true, WORDS}};
static const struct incident_field rehearsal_fields[] = {
    {"note", INCIDENT_TEXT, true, WORDS}, {"explanation", INCIDENT_TEXT, false, LINE},
    {"start", INCIDENT_TIME, true, 0},    {"end", INCIDENT_TIME, true, 0},
    {"until", INCIDENT_TIME, true, 0},
};
static const struct incident_field add_fields[] = {{"certificates", INCIDENT_TEXT, true, INCIDENT_TEXT_MAX}};
static const struct incident_field react_fields[] = {
    {"mass", INCIDENT_TEXT, true, WORD},
    {"percent", INCIDENT_NUMBER, true, 100},
};

#define CALL(pattern_, what_, fields_)                                     \
    {                                                                      \
        {"POST", pattern_, what_, CA_API_CALL}, fields_, LT_COUNT(fields_) \
    }
#define ASK(pattern_, what_)                            \
    {                                                   \
        {"GET", pattern_, what_, CA_API_QUERY}, NULL, 0 \
    }
static const struct incident_form forms[] = {
    ASK("drills", "drill.list"),
    ASK("drills/{id}", "drill.show"),
    ASK("drill-dates", "drill.dates"),
    ASK("rehearsals", "drill.rehearsals"),
    ASK("rehearsals/{id}", "drill.rehearsal"),
    ASK("drill-reactions", "drill.reactions"),
    ASK("drill-beat", "drill.beat"),
    CALL("drills", "drill.record", record_fields),
    CALL("drill-dates", "drill.date", date_fields),
    CALL("drill-dates/{id}/drop", "drill.drop", why_fields),
    CALL("rehearsals", "drill.rehearse", rehearsal_fields),
    CALL("rehearsals/{id}/certificates", "drill.rehearse-add", add_fields),
    CALL("rehearsals/{id}/end", "drill.rehearse-end", why_fields),
    CALL("drill-reactions", "drill.react", react_fields),
};
const struct incident_forms incident_forms_drill = {forms, LT_COUNT(forms)};
