/* The paths of this area, and what its changes take. */
#include "incident/form.h"

enum { KIND = 20, NAME = 80, TITLE = 300, LONG = 8000, WORDS = 24000, LINK = 1000, MANY = 1000 };

static const struct incident_field write_[] = {
    {"kind", INCIDENT_TEXT, true, KIND},
    {"section", INCIDENT_TEXT, true, NAME},
    {"text", INCIDENT_TEXT, true, WORDS},
};
static const struct incident_field assign[] = {
    {"kind", INCIDENT_TEXT, true, KIND},
    {"section", INCIDENT_TEXT, true, NAME},
    {"role", INCIDENT_TEXT, true, NAME},
    {"due", INCIDENT_TIME, false, 0},
};
static const struct incident_field sign[] = {
    {"kind", INCIDENT_TEXT, true, KIND},
    {"section", INCIDENT_TEXT, true, NAME},
};
static const struct incident_field event[] = {
    {"at", INCIDENT_TIME, true, 0},
    {"text", INCIDENT_TEXT, true, LONG},
};
static const struct incident_field handed[] = {
    {"kind", INCIDENT_TEXT, true, KIND},    {"where", INCIDENT_TEXT, true, LINK},
    {"sha256", INCIDENT_HEX, true, 32},     {"at", INCIDENT_TIME, false, 0},
    {"anyway", INCIDENT_TEXT, false, LONG},
};
static const struct incident_field delay[] = {
    {"issuer", INCIDENT_TEXT, true, NAME},
    {"serial", INCIDENT_HEX, true, 20},
    {"reason", INCIDENT_TEXT, true, LONG},
    {"until", INCIDENT_TIME, true, 0},
};
static const struct incident_field cause[] = {
    {"cause", INCIDENT_NUMBER, false, MANY},     {"title", INCIDENT_TEXT, false, TITLE},
    {"description", INCIDENT_TEXT, false, LONG}, {"timeline", INCIDENT_TEXT, false, LONG},
    {"detection", INCIDENT_TEXT, false, LONG},   {"interaction", INCIDENT_TEXT, false, LONG},
    {"method", INCIDENT_TEXT, false, TITLE},
};
static const struct incident_field cause_drop[] = {{"cause", INCIDENT_NUMBER, true, MANY}};
static const struct incident_field why[] = {
    {"cause", INCIDENT_NUMBER, true, MANY},   {"step", INCIDENT_NUMBER, false, 20},
    {"question", INCIDENT_TEXT, true, LONG},  {"answer", INCIDENT_TEXT, true, LONG},
    {"evidence", INCIDENT_TEXT, false, LINK},
};
static const struct incident_field bone[] = {
    {"bone", INCIDENT_NUMBER, false, MANY},
    {"cause", INCIDENT_NUMBER, false, MANY},
    {"category", INCIDENT_TEXT, true, NAME},
    {"text", INCIDENT_TEXT, true, TITLE},
};
static const struct incident_field bone_drop[] = {{"bone", INCIDENT_NUMBER, true, MANY}};
static const struct incident_field lesson[] = {
    {"lesson", INCIDENT_NUMBER, false, MANY},
    {"kind", INCIDENT_TEXT, true, KIND},
    {"text", INCIDENT_TEXT, true, LONG},
    {"actions", INCIDENT_TEXT, false, NAME},
};
static const struct incident_field lesson_drop[] = {{"lesson", INCIDENT_NUMBER, true, MANY}};

#define CALL(path_, op_, fields_)                                     \
    {                                                                 \
        {"POST", path_, op_, CA_API_CALL}, fields_, LT_COUNT(fields_) \
    }
#define ASK(path_, what_)                            \
    {                                                \
        {"GET", path_, what_, CA_API_QUERY}, NULL, 0 \
    }

static const struct incident_form forms[] = {
    CALL("incidents/{id}/report/write", "report.write", write_),
    CALL("incidents/{id}/report/assign", "report.assign", assign),
    CALL("incidents/{id}/report/sign", "report.sign", sign),
    CALL("incidents/{id}/report/event", "report.event", event),
    CALL("incidents/{id}/report/handed", "report.handed", handed),
    CALL("incidents/{id}/report/delay", "report.delay", delay),
    {{"POST", "incidents/{id}/report/grant", "report.grant", CA_API_CALL}, NULL, 0},
    CALL("incidents/{id}/causes", "report.cause", cause),
    CALL("incidents/{id}/causes/drop", "report.cause-drop", cause_drop),
    CALL("incidents/{id}/causes/why", "report.why", why),
    CALL("incidents/{id}/causes/bone", "report.bone", bone),
    CALL("incidents/{id}/causes/bone-drop", "report.bone-drop", bone_drop),
    CALL("incidents/{id}/lessons", "report.lesson", lesson),
    CALL("incidents/{id}/lessons/drop", "report.lesson-drop", lesson_drop),
    ASK("incidents/{id}/report", "report.facts"),
    ASK("incidents/{id}/report/members", "report.members"),
    ASK("incidents/{id}/report/preliminary", "report.preliminary"),
    ASK("incidents/{id}/report/full", "report.full"),
    ASK("incidents/{id}/report/delayed", "report.delayed"),
    ASK("incidents/{id}/report/closure", "report.closure"),
    ASK("incidents/{id}/report/appendix", "report.appendix"),
    ASK("incidents/{id}/timeline", "report.timeline"),
};

const struct incident_forms incident_forms_report = {forms, LT_COUNT(forms)};
