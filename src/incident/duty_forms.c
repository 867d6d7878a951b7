/* The paths of this area, and what its changes take. */
#include "incident/control.h"
#include "incident/form.h"

enum { WORDS_MAX = 4000, NAME_MAX_LEN = 200, EVERY_MAX = 100000000 };

static const struct incident_field open_fields[] = {
    {"duty", INCIDENT_TEXT, true, NAME_MAX_LEN},
    {"subject", INCIDENT_TEXT, true, NAME_MAX_LEN},
    {"start", INCIDENT_TIME, true, 0},
    {"evidence", INCIDENT_TEXT, true, WORDS_MAX},
};
static const struct incident_field meet_fields[] = {
    {"when", INCIDENT_TIME, false, 0},
    {"evidence", INCIDENT_TEXT, true, WORDS_MAX},
};
static const struct incident_field void_fields[] = {{"why", INCIDENT_TEXT, true, WORDS_MAX}};
static const struct incident_field until_fields[] = {
    {"due", INCIDENT_TIME, true, 0},
    {"why", INCIDENT_TEXT, true, WORDS_MAX},
};
static const struct incident_field happened_fields[] = {
    {"what", INCIDENT_TEXT, true, NAME_MAX_LEN},
    {"subject", INCIDENT_TEXT, true, NAME_MAX_LEN},
    {"when", INCIDENT_TIME, false, 0},
    {"evidence", INCIDENT_TEXT, true, WORDS_MAX},
};
static const struct incident_field control_fields[] = {
    {"name", INCIDENT_TEXT, true, INCIDENT_CONTROL_NAME_MAX},
    {"kind", INCIDENT_TEXT, true, NAME_MAX_LEN},
    {"owner", INCIDENT_TEXT, true, NAME_MAX_LEN},
    {"about", INCIDENT_TEXT, true, WORDS_MAX},
    {"source", INCIDENT_TEXT, false, NAME_MAX_LEN},
    {"every", INCIDENT_NUMBER, true, EVERY_MAX}, /* seconds */
    {"due", INCIDENT_TIME, false, 0},
};

static const struct incident_form forms[] = {
    {{"GET", "clocks", "clock.list", CA_API_QUERY}, NULL, 0},
    {{"GET", "clocks/{id}", "clock.show", CA_API_QUERY}, NULL, 0},
    {{"GET", "controls", "control.list", CA_API_QUERY}, NULL, 0},
    {{"POST", "clocks", "clock.open", CA_API_CALL}, open_fields, LT_COUNT(open_fields)},
    {{"POST", "clocks/{id}/meet", "clock.meet", CA_API_CALL}, meet_fields, LT_COUNT(meet_fields)},
    {{"POST", "clocks/{id}/void", "clock.void", CA_API_CALL}, void_fields, LT_COUNT(void_fields)},
    {{"POST", "clocks/{id}/until", "clock.until", CA_API_CALL}, until_fields, LT_COUNT(until_fields)},
    {{"POST", "happenings", "clock.happened", CA_API_CALL}, happened_fields, LT_COUNT(happened_fields)},
    {{"POST", "controls", "control.add", CA_API_CALL}, control_fields, LT_COUNT(control_fields)},
    {{"POST", "controls/{id}/done", "control.done", CA_API_CALL}, meet_fields, LT_COUNT(meet_fields)},
    {{"POST", "controls/{id}/retire", "control.retire", CA_API_CALL}, void_fields, LT_COUNT(void_fields)},
};
const struct incident_forms incident_forms_duty = {forms, LT_COUNT(forms)};
