/* lintel incident open, list, note, role, step, link, change, close: what is wrong, and who does what.
 * The rest: incident_show.c, incident_act.c, incident_plan.c, incident_report.c. */
#include "cmd/incident.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cmd/api.h"
#include "cmd/verbs.h"

enum { QUERY_MAX = 8192, NUMBER_SIZE = 32 };

/* ---- what all of them do ---- */

lt_res cmd_incident_path(const struct cmd *c, const char *what, char ret_path[CMD_INCIDENT_PATH])
{
    uint64_t id = 0;
    LT_CHECK(!lt_failed(lt_parse_u64(lt_slice_cstr(c->args.words[0]), INT64_MAX, &id)), LT_PEER_USAGE,
             "\"%.40s\" is no incident; they have numbers (lintel incident list)", c->args.words[0]);
    (void)snprintf(ret_path, CMD_INCIDENT_PATH, "incidents/%llu%s%s", (unsigned long long)id,
                   what[0] == 0 ? "" : "/", what);
    return LT_OK;
}

lt_res cmd_incident_set(json_t *payload, const char *member, const char *text)
{
    LT_CHECK(json_object_set_new(payload, member, json_string(text)) == 0, LT_PEER_USAGE,
             "\"%s\" is no UTF-8", member);
    return LT_OK;
}

static lt_res put_number(const struct cmd *c, const struct cmd_incident_member *m, json_t *payload)
{
    uint64_t n = 0;
    LT_TRY(cmd_number(c, m->option, 0, INT32_MAX, &n));
    LT_ASSERT(json_object_set_new(payload, m->member, json_integer((json_int_t)n)) == 0);
    return LT_OK;
}

/* A day is its first second. */
static lt_res put_time(struct cmd *c, const struct cmd_incident_member *m, json_t *payload)
{
    lt_time when;
    const char *value = cmd_value(c, m->option);
    const char *text = strlen(value) == 10 ? lt_arena_printf(&c->arena, "%sT00:00:00Z", value) : value;
    LT_ASSERT(text != NULL);
    LT_CHECK(!lt_failed(lt_time_parse(lt_slice_cstr(text), &when)), LT_PEER_USAGE,
             "--%s %.40s: a time such as 2026-11-22T08:00:00Z", m->option, value);
    return cmd_incident_set(payload, m->member, text);
}

lt_res cmd_incident_put(struct cmd *c, const struct cmd_incident_member *members, size_t count,
                        json_t *payload)
{
    for (size_t i = 0; i < count; i++) {
        const struct cmd_incident_member *m = &members[i];
        if (m->type == CMD_INCIDENT_FLAG ? !cmd_flag(c, m->option) : cmd_value(c, m->option) == NULL) {
            continue;
        }
        switch (m->type) {
        case CMD_INCIDENT_TEXT:
            LT_TRY(cmd_incident_set(payload, m->member, cmd_value(c, m->option)));
            break;
        case CMD_INCIDENT_NUMBER:
            LT_TRY(put_number(c, m, payload));
            break;
        case CMD_INCIDENT_TIME:
            LT_TRY(put_time(c, m, payload));
            break;
        case CMD_INCIDENT_FLAG:
            LT_ASSERT(json_object_set_new(payload, m->member, json_true()) == 0);
            break;
        }
    }
    return LT_OK;
}

static lt_res load_signed(struct cmd *c, json_t **ret_answer)
{
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    char path[CMD_INCIDENT_PATH];
    LT_TRY(cmd_incident_path(c, "show", path));
    return cmd_api_post(c, path, payload, ret_answer);
}

static lt_res read_one(json_t *answer, json_t **ret_incident)
{
    *ret_incident = json_incref(json_object_get(answer, "incident"));
    LT_CHECK(*ret_incident != NULL, LT_STATE_CORRUPT, "the family answered without an incident");
    return LT_OK;
}

lt_res cmd_incident_load(struct cmd *c, json_t **ret_incident)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    char path[CMD_INCIDENT_PATH];
    LT_TRY(cmd_incident_path(c, "", path));
    LT_TRY(cmd_flag(c, "mine") ? load_signed(c, &answer) : cmd_api_get(c, path, &answer));
    return read_one(answer, ret_incident);
}

lt_res cmd_incident_load_again(struct cmd *c, bool *sign, json_t **ret_incident)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    lt_res r = *sign ? LT_OK : cmd_incident_load(c, ret_incident);
    *sign = *sign || r.code == LT_PEER_NOT_FOUND; /* restricted: who acts in it has a role in it */
    if (!*sign) {
        return r;
    }
    LT_TRY(load_signed(c, &answer));
    return read_one(answer, ret_incident);
}

/* POST of what the options say, and a line. */
static lt_res post(struct cmd *c, const char *what, const json_t *payload, const char *said)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    char path[CMD_INCIDENT_PATH];
    LT_TRY(cmd_incident_path(c, what, path));
    LT_TRY(cmd_api_post(c, path, payload, &answer));
    return c->json ? cmd_print_json(answer)
                   : cmd_printf("incident %lld: %s (%s)\n", (long long)cmd_int(answer, "id"), said,
                                cmd_text(answer, "status"));
}

/* ---- open ---- */

static lt_res run_open(struct cmd *c)
{
    static const struct cmd_incident_member members[] = {
        {"source", "source", CMD_INCIDENT_TEXT},       {"cause", "cause", CMD_INCIDENT_TEXT},
        {"severity", "severity", CMD_INCIDENT_TEXT},   {"aware", "aware", CMD_INCIDENT_TIME},
        {"received", "received", CMD_INCIDENT_TIME},   {"found", "found", CMD_INCIDENT_TIME},
        {"confirmed", "confirmed", CMD_INCIDENT_TIME}, {"problem", "problem", CMD_INCIDENT_NUMBER},
        {"scope", "scope", CMD_INCIDENT_TEXT},         {"restricted", "restricted", CMD_INCIDENT_FLAG},
        {"detected", "detected", CMD_INCIDENT_FLAG},   {"drill", "drill", CMD_INCIDENT_FLAG},
    };
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    LT_ASSERT(payload != NULL);
    LT_TRY(cmd_incident_set(payload, "title", c->args.words[0]));
    LT_TRY(cmd_incident_set(payload, "source", "person"));
    LT_TRY(cmd_incident_put(c, members, LT_COUNT(members), payload));
    LT_TRY(cmd_api_post(c, "incidents", payload, &answer));
    return c->json ? cmd_print_json(answer)
                   : cmd_printf("incident %lld is %s; its clocks run: lintel incident show %lld\n",
                                (long long)cmd_int(answer, "id"), cmd_text(answer, "status"),
                                (long long)cmd_int(answer, "id"));
}

/* ---- list ---- */

static lt_res load_list(struct cmd *c, json_t **ret_answer)
{
    struct lt_buf query;
    if (cmd_flag(c, "mine")) {
        LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
        return cmd_api_post(c, "incidents/mine", payload, ret_answer);
    }
    lt_buf_init(&query, QUERY_MAX);
    cmd_query_add(&query, "status", cmd_value(c, "status"));
    lt_res r = cmd_api_list(c, "incidents", "incidents", &query, ret_answer);
    lt_buf_done(&query);
    return r;
}

static lt_res run_list(struct cmd *c)
{
    static const char *const heads[] = {"ID", "STATUS", "SEVERITY", "OPENED", "MUST BE REVOKED", "TITLE"};
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    size_t i;
    json_t *row;
    LT_TRY(load_list(c, &answer));
    if (c->json) {
        return cmd_print_json(answer);
    }
    struct cmd_table *t = cmd_table_new(c, heads, LT_COUNT(heads));
    json_array_foreach(json_object_get(answer, "incidents"), i, row)
    {
        char id[NUMBER_SIZE];
        (void)snprintf(id, sizeof id, "%lld", (long long)cmd_int(row, "id"));
        const char *const cells[] = {id,
                                     cmd_text(row, "status"),
                                     cmd_text(row, "severity"),
                                     cmd_text(row, "opened"),
                                     cmd_text(row, "must"),
                                     cmd_text(row, "title")};
        LT_TRY(cmd_table_row(t, cells));
    }
    return cmd_table_print(t);
}

/* ---- who does what ---- */

static lt_res run_note(struct cmd *c)
{
    static const struct cmd_incident_member members[] = {{"at", "at", CMD_INCIDENT_TIME}};
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_ASSERT(payload != NULL);
    LT_TRY(cmd_incident_set(payload, "words", c->args.words[1]));
    LT_TRY(cmd_incident_put(c, members, LT_COUNT(members), payload));
    return post(c, "note", payload, "noted");
}

static lt_res run_role(struct cmd *c)
{
    static const struct cmd_incident_member members[] = {{"words", "words", CMD_INCIDENT_TEXT}};
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_ASSERT(payload != NULL);
    LT_TRY(cmd_incident_set(payload, "role", c->args.words[1]));
    LT_TRY(cmd_incident_set(payload, "holder", c->args.word_count > 2 ? c->args.words[2] : ""));
    LT_TRY(cmd_incident_put(c, members, LT_COUNT(members), payload));
    return post(c, "role", payload, c->args.word_count > 2 ? "handed over" : "given back");
}

static lt_res run_step(struct cmd *c)
{
    static const struct cmd_incident_member members[] = {{"words", "words", CMD_INCIDENT_TEXT}};
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_ASSERT(payload != NULL);
    LT_TRY(cmd_incident_set(payload, "event", c->args.words[1]));
    LT_TRY(cmd_incident_put(c, members, LT_COUNT(members), payload));
    return post(c, "step", payload, c->args.words[1]);
}

static lt_res run_link(struct cmd *c)
{
    uint64_t problem = 0;
    LT_CHECK(!lt_failed(lt_parse_u64(lt_slice_cstr(c->args.words[1]), INT32_MAX, &problem)), LT_PEER_USAGE,
             "\"%.40s\" is no problem report; they have numbers (lintel problem list)", c->args.words[1]);
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_pack("{s:I}", "problem", (json_int_t)problem);
    LT_ASSERT(payload != NULL);
    return post(c, "link", payload, "linked");
}

static lt_res run_change(struct cmd *c)
{
    static const struct cmd_incident_member members[] = {
        {"severity", "severity", CMD_INCIDENT_TEXT},
        {"cause", "cause", CMD_INCIDENT_TEXT},
        {"restricted", "restricted", CMD_INCIDENT_FLAG},
        {"words", "words", CMD_INCIDENT_TEXT},
    };
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_ASSERT(payload != NULL);
    LT_TRY(cmd_incident_put(c, members, LT_COUNT(members), payload));
    LT_CHECK(!cmd_flag(c, "public") || !cmd_flag(c, "restricted"), LT_PEER_USAGE,
             "either --restricted or --public");
    if (cmd_flag(c, "public")) {
        LT_ASSERT(json_object_set_new(payload, "restricted", json_false()) == 0);
    }
    return post(c, "change", payload, "changed");
}

static lt_res run_close(struct cmd *c)
{
    static const struct cmd_incident_member members[] = {{"words", "words", CMD_INCIDENT_TEXT}};
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_ASSERT(payload != NULL);
    LT_TRY(cmd_incident_put(c, members, LT_COUNT(members), payload));
    if (!cmd_flag(c, "yes")) {
        return cmd_would(c,
                         "would close incident %s, if no clock of it runs, no halt stands, no promise and no "
                         "revocation is open; add --yes to do it",
                         c->args.words[0]);
    }
    return post(c, "close", payload, "closed");
}

/* ---- the verbs ---- */

#define SOURCES \
    "problem-report design-review pre-issuance-lint post-issuance periodic-review audit monitor person"
#define SEVERITIES "critical high medium low"
static const struct cmd_option open_options[] = {
    {"source", "WORD", "how it came to light (default: person); decides when clocks begin", false, SOURCES},
    {"cause", "NAME", "why certificates have to be revoked: not-issued-per-rules, …; opens that clock", false,
     NULL},
    {"severity", "WORD", "default: medium", false, SEVERITIES},
    {"aware", "TIME", "when we became aware (default: by --received, --found, --confirmed, else now)", false,
     NULL},
    {"received", "TIME", "when somebody told us", false, NULL},
    {"found", "TIME", "when a machine or a person of ours had it before the eyes", false, NULL},
    {"confirmed", "TIME", "when we were sure", false, NULL},
    {"problem", "N", "the problem report that told of it", false, NULL},
    {"scope", "EXPR", "what is known of the certificates; kept with the event", false, NULL},
    {"restricted", NULL, "for those alone who have a role in it", false, NULL},
    {"detected", NULL, "detected, not yet declared: somebody has to look", false, NULL},
    {"drill", NULL, "marks it as a drill", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option list_options[] = {
    {"status", "WORD", "open, or a state", false, NULL},
    CMD_INCIDENT_MINE_OPTION,
    CMD_PAGE_OPTIONS,
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option note_options[] = {
    {"at", "TIME", "when it happened (default: now)", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option words_options[] = {
    {"words", "TEXT", "kept with the event", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option link_options[] = {CMD_OPERATOR_OPTIONS};
static const struct cmd_option change_options[] = {
    {"severity", "WORD", "another severity", false, SEVERITIES},
    {"cause", "NAME", "another cause: its clock runs from the same moment, the one before is void", false,
     NULL},
    {"restricted", NULL, "for those alone who have a role in it", false, NULL},
    {"public", NULL, "not restricted any more", false, NULL},
    {"words", "TEXT", "why", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option close_options[] = {
    {"words", "TEXT", "kept with the event", false, NULL},
    CMD_YES_OPTION,
    CMD_OPERATOR_OPTIONS,
};

#define WORDS(words_, least_, most_) .words = (words_), .words_least = (least_), .words_most = (most_)
#define OPTIONS(list_) .options = (list_), .option_count = LT_COUNT(list_)

const struct cmd_verb cmd_incident_open = {
    .name = "incident open",
    WORDS("TITLE", 1, 1),
    .summary = "open an incident: its clocks start, and who opens it commands it",
    .help =
        "examples:\n"
        "  lintel incident open 'CAA was not checked again' --source post-issuance --cause caa-unreliable\n"
        "  lintel incident open 'key in a public repository' --cause key-compromise --received "
        "2026-11-22T08:00:00Z "
        "--problem 7\n"
        "  lintel incident open 'hole in the validator' --restricted --severity critical\n",
    OPTIONS(open_options),
    .run = run_open,
};
const struct cmd_verb cmd_incident_list = {
    .name = "incident list",
    WORDS("", 0, 0),
    .summary = "incidents, the newest first",
    .help = "Restricted ones are in nobody's list but of those who have a role in them: --mine.\n"
            "\n"
            "examples:\n"
            "  lintel incident list --status open\n"
            "  lintel incident list --mine --operator ann --key ann.key\n",
    OPTIONS(list_options),
    .run = run_list,
};
const struct cmd_verb cmd_incident_note = {
    .name = "incident note",
    WORDS("INCIDENT TEXT", 2, 2),
    .summary = "write into the timeline",
    .help = "examples:\n"
            "  lintel incident note 12 'the vendor confirms that 1.4.1 is affected, too'\n"
            "  lintel incident note 12 'first call with the browser' --at 2026-11-22T09:10:00Z\n",
    OPTIONS(note_options),
    .run = run_note,
};
const struct cmd_verb cmd_incident_role = {
    .name = "incident role",
    WORDS("INCIDENT ROLE [OPERATOR]", 2, 3),
    .summary = "give a role, hand it over, or give it back",
    .help =
        "Roles: commander, scribe, communications, revocation, legal, liaison (to root programs). Each "
        "hand-over is\n"
        "an event with its time. Without OPERATOR nobody has the role any more.\n"
        "\n"
        "examples:\n"
        "  lintel incident role 12 commander berta --words 'end of my shift; the plan waits for approval'\n"
        "  lintel incident role 12 legal\n",
    OPTIONS(words_options),
    .run = run_role,
};
const struct cmd_verb cmd_incident_step = {
    .name = "incident step",
    WORDS("INCIDENT STEP", 2, 2),
    .summary = "go on by hand: declare, dismiss, notify, replace, report, learn, reopen",
    .help = "Other steps follow from what is done: contain, scope, plan, notify, revoke, close.\n"
            "\n"
            "examples:\n"
            "  lintel incident step 12 declare\n"
            "  lintel incident step 13 dismiss --words 'the monitor looked at the wrong list'\n"
            "  lintel incident step 12 learn --words 'the full report is out'\n",
    OPTIONS(words_options),
    .run = run_step,
};
const struct cmd_verb cmd_incident_link = {
    .name = "incident link",
    WORDS("INCIDENT PROBLEM", 2, 2),
    .summary = "tie a problem report to it",
    .help = "examples:\n"
            "  lintel incident link 12 7\n",
    OPTIONS(link_options),
    .run = run_link,
};
const struct cmd_verb cmd_incident_change = {
    .name = "incident change",
    WORDS("INCIDENT", 1, 1),
    .summary = "another severity or cause; restricted or not",
    .help = "examples:\n"
            "  lintel incident change 12 --severity critical --words 'over a million'\n"
            "  lintel incident change 12 --cause validation-unreliable --words 'not CAA alone'\n"
            "  lintel incident change 12 --public --words 'mitigated'\n",
    OPTIONS(change_options),
    .run = run_change,
};
const struct cmd_verb cmd_incident_close = {
    .name = "incident close",
    WORDS("INCIDENT", 1, 1),
    .summary = "close it, when nothing of it is open any more",
    .help = "Refused while a clock of it runs, a halt stands, a promise or its revocation is open: each is "
            "named.\n"
            "\n"
            "examples:\n"
            "  lintel incident close 12 --yes\n",
    OPTIONS(close_options),
    .run = run_close,
};
