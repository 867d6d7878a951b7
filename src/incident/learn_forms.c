/* The paths of this area, and what its changes take. */
#include "incident/form.h"

enum { SHORT = 300, NAME = 63, LONG = 4000, DAYS = 3650, LINK = 1000, BRIEF = 30000 };

static const struct incident_field action_add[] = {
    {"for", INCIDENT_TEXT, false, NAME},   {"title", INCIDENT_TEXT, true, SHORT},
    {"kind", INCIDENT_TEXT, true, NAME},   {"causes", INCIDENT_TEXT, false, SHORT},
    {"owner", INCIDENT_TEXT, true, SHORT}, {"criteria", INCIDENT_TEXT, true, LONG},
    {"due", INCIDENT_TIME, true, 0},
};
static const struct incident_field complete[] = {
    {"evidence", INCIDENT_TEXT, true, LONG},
    {"words", INCIDENT_TEXT, false, LONG},
};
static const struct incident_field dated[] = {
    {"due", INCIDENT_TIME, true, 0},
    {"words", INCIDENT_TEXT, true, LONG},
};
static const struct incident_field words[] = {{"words", INCIDENT_TEXT, true, LONG}};
static const struct incident_field update[] = {
    {"words", INCIDENT_TEXT, false, LONG},
    {"owner", INCIDENT_TEXT, false, SHORT},
    {"criteria", INCIDENT_TEXT, false, LONG},
    {"causes", INCIDENT_TEXT, false, SHORT},
};
static const struct incident_field check[] = {
    {"months", INCIDENT_NUMBER, true, 12},
    {"holds", INCIDENT_FLAG, true, 0},
    {"evidence", INCIDENT_TEXT, true, LONG},
};
static const struct incident_field calendar[] = {
    {"every-days", INCIDENT_NUMBER, false, DAYS},
    {"within-days", INCIDENT_NUMBER, false, DAYS},
};
static const struct incident_field assign[] = {
    {"source", INCIDENT_TEXT, true, SHORT},
    {"reviewer", INCIDENT_TEXT, true, NAME},
};
static const struct incident_field brief[] = {{"brief", INCIDENT_TEXT, true, BRIEF}};
static const struct incident_field reviewer[] = {{"name", INCIDENT_TEXT, true, NAME}};
static const struct incident_field source[] = {
    {"source", INCIDENT_TEXT, true, NAME},
    {"title", INCIDENT_TEXT, true, SHORT},
    {"link", INCIDENT_TEXT, false, LINK},
};
static const struct incident_field source_end[] = {{"source", INCIDENT_TEXT, true, SHORT}};
static const struct incident_field course[] = {
    {"role", INCIDENT_TEXT, true, NAME},
    {"course", INCIDENT_TEXT, true, NAME},
    {"valid-days", INCIDENT_NUMBER, false, DAYS},
    {"words", INCIDENT_TEXT, true, SHORT},
};
static const struct incident_field course_end[] = {
    {"role", INCIDENT_TEXT, true, NAME},
    {"course", INCIDENT_TEXT, true, NAME},
};
static const struct incident_field trainee[] = {
    {"person", INCIDENT_TEXT, true, NAME},
    {"role", INCIDENT_TEXT, true, NAME},
};
static const struct incident_field training[] = {
    {"person", INCIDENT_TEXT, true, NAME}, {"role", INCIDENT_TEXT, true, NAME},
    {"course", INCIDENT_TEXT, true, NAME}, {"evidence", INCIDENT_TEXT, true, SHORT},
    {"done", INCIDENT_TIME, false, 0},
};

static const struct incident_field keepers[] = {{"keepers", INCIDENT_TEXTS, false, NAME}};

#define CHANGE(pattern_, op_, fields_)                                   \
    {                                                                    \
        {"POST", pattern_, op_, CA_API_CALL}, fields_, LT_COUNT(fields_) \
    }
#define ASK(pattern_, what_)                            \
    {                                                   \
        {"GET", pattern_, what_, CA_API_QUERY}, NULL, 0 \
    }

static const struct incident_form forms[] = {
    ASK("actions", "action.list"),
    ASK("actions/{id}", "action.show"),
    CHANGE("actions", "action.add", action_add),
    CHANGE("actions/{id}/complete", "action.complete", complete),
    CHANGE("actions/{id}/delay", "action.delay", dated),
    CHANGE("actions/{id}/reopen", "action.reopen", dated),
    CHANGE("actions/{id}/cancel", "action.cancel", words),
    CHANGE("actions/{id}/update", "action.update", update),
    CHANGE("actions/{id}/tell", "action.tell", words),
    CHANGE("actions/{id}/check", "action.check", check),
    ASK("reviews", "review.list"),
    ASK("reviews/{id}", "review.show"),
    ASK("reviewers", "review.reviewers"),
    ASK("review-sources", "review.sources"),
    CHANGE("review-calendar", "review.calendar", calendar),
    CHANGE("reviews", "review.assign", assign),
    CHANGE("reviews/{id}/brief", "review.brief", brief),
    CHANGE("reviewers", "review.reviewer-add", reviewer),
    {{"POST", "reviewers/{id}/end", "review.reviewer-end", CA_API_CALL}, NULL, 0},
    CHANGE("review-sources", "review.source-add", source),
    CHANGE("review-sources/end", "review.source-end", source_end),
    ASK("trainings", "training.list"),
    ASK("courses", "training.courses"),
    ASK("trainees", "training.trainees"),
    CHANGE("courses", "training.course-add", course),
    CHANGE("courses/end", "training.course-end", course_end),
    CHANGE("trainees", "training.trainee-add", trainee),
    CHANGE("trainees/end", "training.trainee-end", trainee),
    CHANGE("trainings", "training.add", training),
    ASK("concerns", "concern.list"),
    CHANGE("concerns/link", "concern.link", keepers),
    {{"POST", "concerns/{id}/show", "concern.show", CA_API_CALL}, NULL, 0},
    CHANGE("concerns/{id}/answer", "concern.answer", words),
};

const struct incident_forms incident_forms_learn = {forms, LT_COUNT(forms)};
