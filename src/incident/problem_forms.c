/* The paths of this area, and what its changes take. */
#include "incident/form.h"

enum { PART_MAX = 32 * 1024, HASH_LEN = 32, UPLOAD_LEN = 16, WORD_MAX = 1000, ADDRESS_MAX = 320 };

#define CALL(pattern_, op_)                \
    {                                      \
        "POST", pattern_, op_, CA_API_CALL \
    }
#define ASK(pattern_, what_)                 \
    {                                        \
        "GET", pattern_, what_, CA_API_QUERY \
    }
/* What names people and how they are reached. */
#define ASK_PEOPLE(pattern_, what_)                             \
    {                                                           \
        "GET", pattern_, what_, CA_API_QUERY, CA_READERS_PEOPLE \
    }
#define WITH(fields_) (fields_), LT_COUNT(fields_)

static const struct incident_field part[] = {
    {"upload", INCIDENT_HEX, true, UPLOAD_LEN},
    {"part", INCIDENT_NUMBER, false, 10000},
    {"data", INCIDENT_BASE64, true, PART_MAX},
};
static const struct incident_field opening[] = {
    {"channel", INCIDENT_TEXT, true, 20},
    {"received", INCIDENT_TIME, false, 0},
    {"sent", INCIDENT_TIME, false, 0},
    {"contact", INCIDENT_TEXT, false, ADDRESS_MAX},
    {"reporter", INCIDENT_TEXT, false, 200},
    {"may-name", INCIDENT_FLAG, false, 0},
    {"authority", INCIDENT_TEXT, false, 20},
    {"title", INCIDENT_TEXT, false, 300},
    {"text", INCIDENT_TEXT, false, INCIDENT_TEXT_MAX},
    {"cause", INCIDENT_TEXT, false, 100},
    {"clause", INCIDENT_TEXT, false, 100},
    {"about", INCIDENT_TEXTS, false, 300},
    {"form", INCIDENT_TEXT, false, 10},
    {"data", INCIDENT_BASE64, false, PART_MAX},
    {"upload", INCIDENT_HEX, false, UPLOAD_LEN},
    {"parts", INCIDENT_NUMBER, false, 10000},
    {"bytes", INCIDENT_NUMBER, false, 25 * 1024 * 1024},
    {"sha256", INCIDENT_HEX, false, HASH_LEN},
};
static const struct incident_field text[] = {
    {"text", INCIDENT_TEXT, true, INCIDENT_TEXT_MAX},
};
static const struct incident_field reply[] = {
    {"text", INCIDENT_TEXT, true, INCIDENT_TEXT_MAX},
    {"wait", INCIDENT_FLAG, false, 0},
};
static const struct incident_field wait[] = {
    {"on", INCIDENT_TEXT, true, 20},
    {"text", INCIDENT_TEXT, true, INCIDENT_TEXT_MAX},
};
static const struct incident_field word[] = {
    {"from", INCIDENT_TEXT, true, 200},
    {"text", INCIDENT_TEXT, true, INCIDENT_TEXT_MAX},
};
static const struct incident_field findings[] = {
    {"decision", INCIDENT_TEXT, true, 20},
    {"text", INCIDENT_TEXT, true, INCIDENT_TEXT_MAX},
    {"to-subscriber", INCIDENT_TEXT, false, INCIDENT_TEXT_MAX},
    {"same", INCIDENT_FLAG, false, 0},
};
static const struct incident_field delivered[] = {
    {"how", INCIDENT_TEXT, true, WORD_MAX},
    {"when", INCIDENT_TIME, false, 0},
};
static const struct incident_field linking[] = {
    {"incident", INCIDENT_NUMBER, false, INT64_MAX},
    {"bug", INCIDENT_TEXT, false, 200},
};
static const struct incident_field edit[] = {
    {"contact", INCIDENT_TEXT, false, ADDRESS_MAX}, {"authority", INCIDENT_TEXT, false, 20},
    {"cause", INCIDENT_TEXT, false, 100},           {"clause", INCIDENT_TEXT, false, 100},
    {"about", INCIDENT_TEXTS, false, 300},
};
static const struct incident_field domain[] = {
    {"name", INCIDENT_TEXT, true, 253},
    {"method", INCIDENT_TEXT, false, 40},
};
static const struct incident_field channel[] = {
    {"name", INCIDENT_TEXT, true, 200},
    {"minutes", INCIDENT_NUMBER, false, 1440},
};

static const struct incident_form forms[] = {
    {ASK("problems", "problem.list"), NULL, 0},
    {ASK("problems/channels", "problem.channels"), NULL, 0},
    {ASK_PEOPLE("problems/{id}", "problem.show"), NULL, 0},
    {ASK_PEOPLE("problems/{id}/raw", "problem.raw"), NULL, 0},
    {ASK("problems/{id}/triage", "problem.triage"), NULL, 0},
    {CALL("problems/parts", "problem.part"), WITH(part)},
    {CALL("problems", "problem.open"), WITH(opening)},
    {CALL("problems/channels", "problem.channel"), WITH(channel)},
    {CALL("problems/channels/remove", "problem.channel-remove"), WITH(channel)},
    {CALL("problems/probes", "problem.probe"), WITH(channel)},
    {CALL("problems/{id}/reply", "problem.reply"), WITH(reply)},
    {CALL("problems/{id}/takedown", "problem.takedown"), NULL, 0},
    {CALL("problems/{id}/wait", "problem.wait"), WITH(wait)},
    {CALL("problems/{id}/word", "problem.word"), WITH(word)},
    {CALL("problems/{id}/note", "problem.note"), WITH(text)},
    {CALL("problems/{id}/triage", "problem.triaged"), WITH(text)},
    {CALL("problems/{id}/findings", "problem.findings"), WITH(findings)},
    {CALL("problems/{id}/delivered", "problem.delivered"), WITH(delivered)},
    {CALL("problems/{id}/edit", "problem.edit"), WITH(edit)},
    {CALL("problems/{id}/link", "problem.link"), WITH(linking)},
    {CALL("problems/{id}/domain", "problem.domain"), WITH(domain)},
    {CALL("problems/{id}/domain-check", "problem.domain-check"), WITH(domain)},
    {CALL("problems/{id}/close", "problem.close"), WITH(text)},
    {CALL("problems/{id}/reopen", "problem.reopen"), WITH(text)},
};
const struct incident_forms incident_forms_problem = {forms, LT_COUNT(forms)};
