/* The paths of this area, and what its changes take. */
#include "incident/form.h"

#include "base/slice.h"

enum { NAME = 64, ADDRESS = 254, URL = 1000, LINE = 200, WORDS = 30000, YEAR_S = 366 * 86400 };

static const struct incident_field send_fields[] = {
    {"kind", INCIDENT_TEXT, false, NAME},    {"about", INCIDENT_TEXT, true, NAME},
    {"mail", INCIDENT_TEXT, false, ADDRESS}, {"hook", INCIDENT_TEXT, false, NAME},
    {"account", INCIDENT_TEXT, false, NAME}, {"title", INCIDENT_TEXT, false, LINE},
    {"text", INCIDENT_TEXT, false, WORDS},   {"bug", INCIDENT_TEXT, false, LINE},
};
static const struct incident_field returned_fields[] = {
    {"token", INCIDENT_TEXT, true, NAME},
    {"status", INCIDENT_TEXT, false, LINE},
    {"words", INCIDENT_TEXT, false, LINE},
};
static const struct incident_field hook_fields[] = {
    {"name", INCIDENT_TEXT, true, NAME},
    {"url", INCIDENT_TEXT, true, URL},
    {"account", INCIDENT_TEXT, false, NAME},
};
static const struct incident_field person_fields[] = {
    {"name", INCIDENT_TEXT, true, NAME},
    {"place", INCIDENT_NUMBER, false, 1000},
    {"mail", INCIDENT_TEXT, false, ADDRESS},
    {"hook", INCIDENT_TEXT, false, NAME},
};
static const struct incident_field rota_fields[] = {
    {"start", INCIDENT_TIME, true, 0},
    {"turn_s", INCIDENT_NUMBER, true, YEAR_S},
    {"step_s", INCIDENT_NUMBER, true, YEAR_S},
};
static const struct incident_field override_fields[] = {
    {"person", INCIDENT_TEXT, true, NAME},
    {"from", INCIDENT_TIME, true, 0},
    {"until", INCIDENT_TIME, true, 0},
    {"why", INCIDENT_TEXT, false, LINE},
};
static const struct incident_field ack_fields[] = {{"note", INCIDENT_TEXT, false, LINE}};
static const struct incident_field test_fields[] = {
    {"severity", INCIDENT_TEXT, false, NAME},
    {"words", INCIDENT_TEXT, false, LINE},
};

#define FIELDS(table_) (table_), LT_COUNT(table_)
static const struct incident_form forms[] = {
    {{"GET", "affected", "affected", CA_API_QUERY}, NULL, 0},
    {{"GET", "notices", "notice.list", CA_API_QUERY, CA_READERS_PEOPLE}, NULL, 0},
    {{"POST", "notices", "notice.send", CA_API_CALL}, FIELDS(send_fields)},
    {{"GET", "notices/{id}", "notice.show", CA_API_QUERY, CA_READERS_PEOPLE}, NULL, 0},
    {{"POST", "notices/{id}/again", "notice.again", CA_API_CALL}, NULL, 0},
    {{"POST", "notices/{id}/returned", "notice.returned", CA_API_CALL}, FIELDS(returned_fields)},
    {{"GET", "notice-batches", "notice.batches", CA_API_QUERY}, NULL, 0},
    {{"GET", "notice-lists", "notice.lists", CA_API_QUERY}, NULL, 0},
    {{"POST", "notice-lists/{id}/withdraw", "notice.withdraw", CA_API_CALL}, NULL, 0},
    {{"GET", "hooks", "hook.list", CA_API_QUERY, CA_READERS_PEOPLE}, NULL, 0},
    {{"POST", "hooks", "hook.add", CA_API_CALL}, FIELDS(hook_fields)},
    {{"POST", "hooks/{id}/remove", "hook.remove", CA_API_CALL}, NULL, 0},
    {{"GET", "oncall", "oncall.show", CA_API_QUERY, CA_READERS_PEOPLE}, NULL, 0},
    {{"POST", "oncall/people", "oncall.person", CA_API_CALL}, FIELDS(person_fields)},
    {{"POST", "oncall/people/{id}/remove", "oncall.remove", CA_API_CALL}, NULL, 0},
    {{"POST", "oncall/rota", "oncall.rota", CA_API_CALL}, FIELDS(rota_fields)},
    {{"POST", "oncall/overrides", "oncall.override", CA_API_CALL}, FIELDS(override_fields)},
    {{"POST", "oncall/test", "oncall.test", CA_API_CALL}, FIELDS(test_fields)},
    {{"GET", "alarms", "oncall.alarms", CA_API_QUERY}, NULL, 0},
    {{"POST", "alarms/{id}/ack", "oncall.ack", CA_API_CALL}, FIELDS(ack_fields)},
};
const struct incident_forms incident_forms_notice = {forms, LT_COUNT(forms)};
