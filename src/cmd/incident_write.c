/* lintel incident write, assign, sign, event, handed, delay, cause, lesson: what people add to an incident,
 * so that its reports can be compiled. Each verb is a row. */
#include "cmd/learn.h"

#define KIND_OPTION                                                            \
    {                                                                          \
        "kind", "WORD", "of report", false, "preliminary full delayed closure" \
    }
#define SECTION_OPTION                                                         \
    {                                                                          \
        "section", "NAME", "as lintel incident report lists them", false, NULL \
    }

#define CHANGE(fn_, ...)                                      \
    static lt_res fn_(struct cmd *c)                          \
    {                                                         \
        static const struct learn_change row = {__VA_ARGS__}; \
        return cmd_learn_change(c, &row);                     \
    }

CHANGE(run_write, .path = "incidents/*/report/write",
       .members = {{"kind", "kind", LEARN_TEXT, true},
                   {"section", "section", LEARN_TEXT, true},
                   {"text", "text", LEARN_TEXT, true}})
CHANGE(run_assign, .path = "incidents/*/report/assign",
       .members = {{"kind", "kind", LEARN_TEXT, true},
                   {"section", "section", LEARN_TEXT, true},
                   {"role", "role", LEARN_TEXT, true},
                   {"due", "due", LEARN_TIME, false}})
CHANGE(run_sign, .path = "incidents/*/report/sign",
       .members = {{"kind", "kind", LEARN_TEXT, true}, {"section", "section", LEARN_TEXT, true}})
CHANGE(run_event, .path = "incidents/*/report/event",
       .members = {{"at", "at", LEARN_TIME, true}, {"text", "text", LEARN_TEXT, true}})
CHANGE(run_delay, .path = "incidents/*/report/delay", .words = {"serial"},
       .members = {{"issuer", "issuer", LEARN_TEXT, true},
                   {"reason", "reason", LEARN_TEXT, true},
                   {"until", "until", LEARN_TIME, true}})
CHANGE(run_cause, .path = "incidents/*/causes",
       .members = {{"cause", "cause", LEARN_NUMBER, false},
                   {"title", "title", LEARN_TEXT, false},
                   {"description", "description", LEARN_TEXT, false},
                   {"timeline", "timeline", LEARN_TEXT, false},
                   {"detection", "detection", LEARN_TEXT, false},
                   {"interaction", "interaction", LEARN_TEXT, false},
                   {"method", "method", LEARN_TEXT, false}})
CHANGE(run_cause_drop, .path = "incidents/*/causes/drop", .members = {{"cause", "cause", LEARN_NUMBER, true}})
CHANGE(run_why, .path = "incidents/*/causes/why",
       .members = {{"cause", "cause", LEARN_NUMBER, true},
                   {"step", "step", LEARN_NUMBER, false},
                   {"question", "question", LEARN_TEXT, true},
                   {"answer", "answer", LEARN_TEXT, true},
                   {"evidence", "evidence", LEARN_TEXT, false}})
CHANGE(run_bone, .path = "incidents/*/causes/bone",
       .members = {{"bone", "bone", LEARN_NUMBER, false},
                   {"cause", "cause", LEARN_NUMBER, false},
                   {"category", "category", LEARN_TEXT, true},
                   {"text", "text", LEARN_TEXT, true}})
CHANGE(run_bone_drop, .path = "incidents/*/causes/bone-drop",
       .members = {{"bone", "bone", LEARN_NUMBER, true}})
CHANGE(run_lesson, .path = "incidents/*/lessons",
       .members = {{"lesson", "lesson", LEARN_NUMBER, false},
                   {"kind", "kind", LEARN_TEXT, true},
                   {"text", "text", LEARN_TEXT, true},
                   {"actions", "actions", LEARN_TEXT, false}})
CHANGE(run_lesson_drop, .path = "incidents/*/lessons/drop",
       .members = {{"lesson", "lesson", LEARN_NUMBER, true}})

static const struct cmd_option write_options[] = {
    KIND_OPTION,
    SECTION_OPTION,
    {"text", "TEXT", "in Markdown; line ends are kept", false, NULL},
    CMD_OPERATOR_OPTIONS};
static const struct cmd_option assign_options[] = {
    KIND_OPTION,
    SECTION_OPTION,
    {"role", "NAME", "who owns it: a role of the incident", false, NULL},
    {"due", "TIME", "until when (default: with the report)", false, NULL},
    CMD_OPERATOR_OPTIONS};
static const struct cmd_option sign_options[] = {KIND_OPTION, SECTION_OPTION, CMD_OPERATOR_OPTIONS};
static const struct cmd_option event_options[] = {{"at", "TIME", "when it was", false, NULL},
                                                  {"text", "TEXT", "what it was", false, NULL},
                                                  CMD_OPERATOR_OPTIONS};
static const struct cmd_option delay_options[] = {
    {"issuer", "NAME", "of the certificate", false, NULL},
    {"reason", "TEXT", "why it is not revoked in time", false, NULL},
    {"until", "TIME", "when it will be", false, NULL},
    CMD_OPERATOR_OPTIONS};
static const struct cmd_option cause_options[] = {
    {"cause", "N", "change this one (default: a new one)", false, NULL},
    {"title", "TEXT", "in a few words", false, NULL},
    {"description", "TEXT", "what it is, and how it led to the incident", false, NULL},
    {"timeline", "TEXT", "since when, until when", false, NULL},
    {"detection", "TEXT", "how it was found", false, NULL},
    {"interaction", "TEXT", "with other factors", false, NULL},
    {"method", "TEXT", "5 whys, fishbone; another one (default: N/A)", false, NULL},
    CMD_OPERATOR_OPTIONS};
static const struct cmd_option cause_drop_options[] = {{"cause", "N", "which", false, NULL},
                                                       CMD_OPERATOR_OPTIONS};
static const struct cmd_option why_options[] = {
    {"cause", "N", "of which root cause", false, NULL},
    {"step", "N", "write this one anew (default: the next)", false, NULL},
    {"question", "TEXT", "why …?", false, NULL},
    {"answer", "TEXT", "because …", false, NULL},
    {"evidence", "TEXT", "an event, a commit, a log", false, NULL},
    CMD_OPERATOR_OPTIONS};
static const struct cmd_option bone_options[] = {
    {"bone", "N", "write this one anew (default: a new one)", false, NULL},
    {"cause", "N", "which root cause it leads to", false, NULL},
    {"category", "WORD", "of circumstance", false, "people process tools software environment measurement"},
    {"text", "TEXT", "in a few words", false, NULL},
    CMD_OPERATOR_OPTIONS};
static const struct cmd_option bone_drop_options[] = {{"bone", "N", "which", false, NULL},
                                                      CMD_OPERATOR_OPTIONS};
static const struct cmd_option lesson_options[] = {
    {"lesson", "N", "write this one anew (default: a new one)", false, NULL},
    {"kind", "WORD", "of lesson", false, "well not-well lucky additional"},
    {"text", "TEXT", "what it is", false, NULL},
    {"actions", "NUMBERS", "action items that answer it, such as \"3 5\"", false, NULL},
    CMD_OPERATOR_OPTIONS};
static const struct cmd_option lesson_drop_options[] = {{"lesson", "N", "which", false, NULL},
                                                        CMD_OPERATOR_OPTIONS};

#define VERB(var_, name_, words_, count_, summary_, help_, options_, run_) \
    const struct cmd_verb var_ = {.name = (name_),                         \
                                  .words = (words_),                       \
                                  .words_least = (count_),                 \
                                  .words_most = (count_),                  \
                                  .summary = (summary_),                   \
                                  .help = (help_),                         \
                                  .options = (options_),                   \
                                  .option_count = LT_COUNT(options_),      \
                                  .run = (run_)}

VERB(cmd_incident_write, "incident write", "ID", 1, "write a section of a report",
     "What was there before stays in the event; a sign-off is taken back. Incident 0 is the house: its words "
     "stand in\nevery report that has none of its own.\n\nexamples:\n"
     "  lintel incident write 0 --kind full --section summary.owner-id --text A000999\n"
     "  lintel incident write 12 --kind preliminary --section summary.description --text 'CAA was not …'\n",
     write_options, run_write);
VERB(cmd_incident_assign, "incident assign", "ID", 1, "give a section of a report to a role",
     "examples:\n  lintel incident assign 12 --kind delayed --section impact.analysis --role legal --due "
     "2026-03-03\n",
     assign_options, run_assign);
VERB(cmd_incident_sign, "incident sign", "ID", 1, "sign a section of a report off",
     "examples:\n  lintel incident sign 12 --kind full --section summary.description --operator bob\n",
     sign_options, run_sign);
VERB(cmd_incident_event, "incident event", "ID", 1, "add to the timeline what happened before anybody knew",
     "examples:\n  lintel incident event 12 --at 2019-07-25 --text 'the defect was introduced with release "
     "7'\n",
     event_options, run_event);
VERB(cmd_incident_delay, "incident delay", "ID SERIAL", 2, "say why a certificate is not revoked in time",
     "For the certificates of the delayed-revocation report that have a reason of their own.\n\nexamples:\n"
     "  lintel incident delay 12 0cf65a03ce05c1fff1baf459b0f1aa20 --issuer tls --until 2026-03-07 \\\n"
     "    --reason 'hospital: replaced in the maintenance window'\n",
     delay_options, run_delay);
VERB(cmd_incident_cause_add, "incident cause add", "ID", 1, "add or change a root cause",
     "examples:\n  lintel incident cause add 12 --title 'a loop variable was shared' --description '…'\n"
     "  lintel incident cause add 12 --cause 1 --method '5 whys'\n",
     cause_options, run_cause);
VERB(cmd_incident_cause_drop, "incident cause drop", "ID", 1, "drop a root cause",
     "examples:\n  lintel incident cause drop 12 --cause 2\n", cause_drop_options, run_cause_drop);
VERB(cmd_incident_cause_why, "incident cause why", "ID", 1, "ask why once more",
     "examples:\n  lintel incident cause why 12 --cause 1 --question 'Why did no test see it?' \\\n"
     "    --answer 'Each test had one name.' --evidence 'commit aa01f4d0e'\n",
     why_options, run_why);
VERB(cmd_incident_cause_bone, "incident cause bone", "ID", 1, "add a bone to the fishbone",
     "examples:\n  lintel incident cause bone 12 --category process --text 'reviews look at one file' "
     "--cause 2\n",
     bone_options, run_bone);
VERB(cmd_incident_cause_unbone, "incident cause unbone", "ID", 1, "drop a bone of the fishbone",
     "examples:\n  lintel incident cause unbone 12 --bone 3\n", bone_drop_options, run_bone_drop);
VERB(
    cmd_incident_lesson_add, "incident lesson add", "ID", 1, "add or change a lesson",
    "examples:\n  lintel incident lesson add 12 --kind not-well --text 'the list took hours' --actions '3'\n",
    lesson_options, run_lesson);
VERB(cmd_incident_lesson_drop, "incident lesson drop", "ID", 1, "drop a lesson",
     "examples:\n  lintel incident lesson drop 12 --lesson 2\n", lesson_drop_options, run_lesson_drop);
