/* The paths of incidents, and what their changes take. */
#include "incident/form.h"

enum {
    WORD = 64,
    SHORT = 300,
    NAME = 200,
    LONG = 4000,
    HASH = 32,
    COUNT = 2000000000,
    REASON = 200, /* becomes that of halts and holds, with the incident before it */
    TIERS = 16,
    YEAR_MINUTES = 525600,
};

static const struct incident_field open_fields[] = {
    {"title", INCIDENT_TEXT, true, SHORT},   {"source", INCIDENT_TEXT, true, WORD},
    {"cause", INCIDENT_TEXT, false, WORD},   {"severity", INCIDENT_TEXT, false, WORD},
    {"restricted", INCIDENT_FLAG, false, 0}, {"drill", INCIDENT_FLAG, false, 0},
    {"detected", INCIDENT_FLAG, false, 0},   {"aware", INCIDENT_TIME, false, 0},
    {"received", INCIDENT_TIME, false, 0},   {"found", INCIDENT_TIME, false, 0},
    {"confirmed", INCIDENT_TIME, false, 0},  {"problem", INCIDENT_NUMBER, false, COUNT},
    {"scope", INCIDENT_SCOPE, false, 0},
};
static const struct incident_field step_fields[] = {
    {"event", INCIDENT_TEXT, true, WORD},
    {"words", INCIDENT_TEXT, false, LONG},
};
static const struct incident_field note_fields[] = {
    {"words", INCIDENT_TEXT, true, LONG},
    {"at", INCIDENT_TIME, false, 0},
};
static const struct incident_field role_fields[] = {
    {"role", INCIDENT_TEXT, true, WORD},
    {"holder", INCIDENT_TEXT, false, NAME},
    {"words", INCIDENT_TEXT, false, LONG},
};
static const struct incident_field link_fields[] = {{"problem", INCIDENT_NUMBER, true, COUNT}};
static const struct incident_field change_fields[] = {
    {"severity", INCIDENT_TEXT, false, WORD},
    {"cause", INCIDENT_TEXT, false, WORD},
    {"restricted", INCIDENT_FLAG, false, 0},
    {"words", INCIDENT_TEXT, true, LONG},
};
static const struct incident_field contain_fields[] = {
    {"halt", INCIDENT_TEXT, false, WORD},
    {"kind", INCIDENT_TEXT, false, WORD},
    {"value", INCIDENT_TEXT, false, SHORT},
    {"reason", INCIDENT_TEXT, false, REASON},
};
static const struct incident_field fix_fields[] = {
    {"halt", INCIDENT_TEXT, true, WORD},   {"build", INCIDENT_TEXT, true, NAME},
    {"rule", INCIDENT_TEXT, false, NAME},  {"test", INCIDENT_TEXT, false, NAME},
    {"words", INCIDENT_TEXT, false, LONG},
};
static const struct incident_field scope_fields[] = {
    {"scope", INCIDENT_SCOPE, true, 0},      {"as-of", INCIDENT_TIME, true, 0},
    {"count", INCIDENT_NUMBER, true, COUNT}, {"members-sha256", INCIDENT_HEX, true, HASH},
    {"detected", INCIDENT_TIME, false, 0},   {"wrong", INCIDENT_TEXT, false, LONG},
    {"avoided", INCIDENT_TEXT, false, LONG},
};
static const struct incident_field freeze_fields[] = {
    {"certificates", INCIDENT_TEXTS, true, SHORT},
    {"reason", INCIDENT_TEXT, true, REASON},
    {"reference", INCIDENT_TEXT, true, NAME},
};
static const struct incident_field thaw_fields[] = {
    {"certificates", INCIDENT_TEXTS, true, SHORT},
    {"reason", INCIDENT_TEXT, true, REASON},
};
static const struct incident_field plan_fields[] = {
    {"mass", INCIDENT_TEXT, true, WORD},
    {"replaced-tiers", INCIDENT_NUMBER, false, TIERS},
    {"from", INCIDENT_TIME, false, 0},
    {"until", INCIDENT_TIME, false, 0},
    {"width-minutes", INCIDENT_NUMBER, false, YEAR_MINUTES},
    {"reserve-s", INCIDENT_NUMBER, false, COUNT},
    {"per-hour", INCIDENT_NUMBER, true, COUNT},
    {"capacity", INCIDENT_TEXT, false, LONG},
    {"explanation", INCIDENT_TEXT, false, NAME},
};
static const struct incident_field notify_fields[] = {
    {"kind", INCIDENT_TEXT, false, WORD},  {"why", INCIDENT_TEXT, true, REASON},
    {"more", INCIDENT_TEXT, false, 2000},  {"title", INCIDENT_TEXT, false, REASON},
    {"deadline", INCIDENT_TIME, false, 0}, {"publish", INCIDENT_FLAG, false, 0},
};
static const struct incident_field revoke_fields[] = {
    {"stop-after", INCIDENT_NUMBER, false, TIERS},
    {"late-because", INCIDENT_TEXT, false, LONG},
    {"expires", INCIDENT_TIME, false, 0},
};
static const struct incident_field close_fields[] = {{"words", INCIDENT_TEXT, false, LONG}};

#define CHANGE(path_, op_, fields_)                                                           \
    {                                                                                         \
        {"POST", "incidents" path_, "incident." op_, CA_API_CALL}, fields_, LT_COUNT(fields_) \
    }

static const struct incident_form forms[] = {
    CHANGE("", "open", open_fields),
    CHANGE("/{id}/step", "step", step_fields),
    CHANGE("/{id}/note", "note", note_fields),
    CHANGE("/{id}/role", "role", role_fields),
    CHANGE("/{id}/link", "link", link_fields),
    CHANGE("/{id}/change", "change", change_fields),
    CHANGE("/{id}/contain", "contain", contain_fields),
    CHANGE("/{id}/fix", "fix", fix_fields),
    CHANGE("/{id}/scope", "scope", scope_fields),
    CHANGE("/{id}/freeze", "freeze", freeze_fields),
    CHANGE("/{id}/thaw", "thaw", thaw_fields),
    CHANGE("/{id}/plan", "plan", plan_fields),
    CHANGE("/{id}/notify", "notify", notify_fields),
    CHANGE("/{id}/revoke", "revoke", revoke_fields),
    CHANGE("/{id}/close", "close", close_fields),
    {{"POST", "incidents/{id}/show", "incident.show-mine", CA_API_CALL}, NULL, 0},
    {{"POST", "incidents/mine", "incident.list-mine", CA_API_CALL}, NULL, 0},
    {{"GET", "incidents", "incident.list", CA_API_QUERY}, NULL, 0},
    {{"GET", "incident-choices", "incident.choices", CA_API_QUERY}, NULL, 0},
    {{"GET", "incidents/{id}", "incident.show", CA_API_QUERY}, NULL, 0},
    {{"GET", "incidents/{id}/forecast", "incident.forecast", CA_API_QUERY}, NULL, 0},
    {{"GET", "incidents/{id}/capacity", "incident.capacity", CA_API_QUERY}, NULL, 0},
};

const struct incident_forms incident_forms_case = {forms, LT_COUNT(forms)};
