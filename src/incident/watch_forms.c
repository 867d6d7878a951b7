/* The paths of this area, and what its changes take. */
#include "incident/form.h"

enum { WORDS_MAX = 2000, NAME_MAX_LEN = 200 };

static const struct incident_field run_fields[] = {{"from", INCIDENT_TIME, false, 0}};
static const struct incident_field switch_fields[] = {
    {"on", INCIDENT_FLAG, true, 0},
    {"why", INCIDENT_TEXT, true, WORDS_MAX},
};
static const struct incident_field settle_fields[] = {
    {"subject", INCIDENT_TEXT, true, NAME_MAX_LEN},
    {"why", INCIDENT_TEXT, true, WORDS_MAX},
};
static const struct incident_field fact_fields[] = {
    {"name", INCIDENT_TEXT, true, NAME_MAX_LEN},
    {"value", INCIDENT_TEXT, false, WORDS_MAX}, /* without it the fact is none any more */
};

static const struct incident_form forms[] = {
    {{"GET", "watches", "watch.list", CA_API_QUERY}, NULL, 0},
    {{"GET", "watches/{id}", "watch.show", CA_API_QUERY}, NULL, 0},
    {{"GET", "facts", "watch.facts", CA_API_QUERY}, NULL, 0},
    {{"POST", "watches/{id}/run", "watch.run", CA_API_CALL}, run_fields, LT_COUNT(run_fields)},
    {{"POST", "watches/{id}/switch", "watch.switch", CA_API_CALL}, switch_fields, LT_COUNT(switch_fields)},
    {{"POST", "watches/{id}/settle", "watch.settle", CA_API_CALL}, settle_fields, LT_COUNT(settle_fields)},
    {{"POST", "facts", "watch.fact", CA_API_CALL}, fact_fields, LT_COUNT(fact_fields)},
};
const struct incident_forms incident_forms_watch = {forms, LT_COUNT(forms)};
