/* lintel oncall: who is called at night, and alarms. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cmd/list.h"
#include "cmd/verbs.h"

enum { PATH_SIZE = 256, QUERY_MAX = 8192, WORDS_SHOWN = 60 };

/* "10m", "7d": seconds, minutes, hours, days. */
static lt_res read_duration(const char *option, const char *text, int64_t *ret_seconds)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', LT_SECONDS_PER_DAY}};
    lt_slice s = lt_slice_cstr(text);
    uint64_t number = 0;
    for (size_t i = 0; s.len > 0 && i < LT_COUNT(units); i++) {
        if (s.ptr[s.len - 1] == (uint8_t)units[i].unit &&
            !lt_failed(lt_parse_u64(lt_slice_sub(s, 0, s.len - 1), 100000, &number))) {
            *ret_seconds = (int64_t)number * units[i].seconds;
            return LT_OK;
        }
    }
    LT_FAIL(LT_PEER_USAGE, "--%s %.40s is no time such as 10m, 12h or 7d", option, text);
}

static lt_res add_time(struct cmd *c, json_t *payload, const char *option)
{
    lt_time when = c->now;
    char text[LT_RFC3339_SIZE];
    const char *value = cmd_value(c, option);
    LT_CHECK(value == NULL || !lt_failed(lt_time_parse_or_day(lt_slice_cstr(value), &when)), LT_PEER_USAGE,
             "--%s %.40s is no time: write 2027-01-31 or 2027-01-31T12:00:00Z", option, value);
    lt_time_rfc3339(when, text);
    LT_CHECK(json_object_set_new(payload, option, json_string(text)) == 0, LT_PEER_USAGE, "--%s: no room",
             option);
    return LT_OK;
}

static lt_res check_name(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
    LT_CHECK(name[0] != '\0' && strlen(name) <= 64 && strspn(name, letters) == strlen(name), LT_PEER_USAGE,
             "\"%.64s\" is no name: small letters, digits, \"-\", \"_\" and \".\"", name);
    return LT_OK;
}

/* ---- who ---- */

static lt_res print_people(struct cmd *c, const json_t *answer)
{
    static const char *const heads[] = {"PLACE", "NAME", "MAIL", "HOOK"};
    size_t i;
    const json_t *row;
    struct cmd_table *t = cmd_table_new(c, heads, LT_COUNT(heads));
    json_array_foreach(json_object_get(answer, "people"), i, row)
    {
        const char *place = lt_arena_printf(&c->arena, "%lld", (long long)cmd_int(row, "place"));
        const char *const cells[] = {place, cmd_text(row, "name"), cmd_text(row, "mail"),
                                     cmd_text(row, "hook")};
        LT_TRY(cmd_table_row(t, cells));
    }
    return cmd_table_print(t);
}

static lt_res run_show(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    struct lt_buf path;
    const char *when = cmd_value(c, "at");
    size_t i;
    const json_t *row;
    lt_buf_init(&path, QUERY_MAX);
    lt_buf_add_cstr(&path, "oncall");
    if (when != NULL) {
        struct lt_buf query;
        lt_buf_init(&query, QUERY_MAX);
        cmd_query_add_time(&query, "at", when);
        lt_buf_addf(&path, "?%s", lt_buf_cstr(&query));
        lt_buf_done(&query);
    }
    lt_res r = cmd_api_get(c, lt_buf_cstr(&path), &answer);
    lt_buf_done(&path);
    LT_TRY(r);
    if (c->json) {
        return cmd_print_json(answer);
    }
    const char *who = cmd_text(answer, "on_call");
    LT_TRY(cmd_printf("on call at %s: %s", cmd_text(answer, "at"), who[0] == '\0' ? "nobody" : who));
    LT_TRY(cmd_text(answer, "turn_ends")[0] == '\0'
               ? cmd_printf("\n\n")
               : cmd_printf(" (this turn ends %s)\n\n", cmd_text(answer, "turn_ends")));
    LT_TRY(print_people(c, answer));
    json_array_foreach(json_object_get(answer, "overrides"), i, row)
    {
        LT_TRY(cmd_printf("%s%s has it from %s to %s  %s\n", i == 0 ? "\n" : "", cmd_text(row, "person"),
                          cmd_text(row, "from"), cmd_text(row, "until"), cmd_text(row, "why")));
    }
    return LT_OK;
}

static lt_res set_rota(struct cmd *c, json_t **ret_answer)
{
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    int64_t turn_s = 0;
    int64_t step_s = 0;
    LT_ASSERT(payload != NULL);
    LT_CHECK(cmd_value(c, "turn") != NULL, LT_PEER_USAGE,
             "a NAME, or --turn TIME: see lintel oncall set --help");
    LT_TRY(read_duration("turn", cmd_value(c, "turn"), &turn_s));
    LT_TRY(read_duration("step", cmd_value_or(c, "step", "10m"), &step_s));
    LT_TRY(add_time(c, payload, "start"));
    LT_ASSERT(json_object_set_new(payload, "turn_s", json_integer(turn_s)) == 0 &&
              json_object_set_new(payload, "step_s", json_integer(step_s)) == 0);
    return cmd_api_post(c, "oncall/rota", payload, ret_answer);
}

static lt_res set_person(struct cmd *c, const char *name, json_t **ret_answer)
{
    LT_CLEANUP(cmd_json_freep) json_t *payload = NULL;
    uint64_t place = 0;
    char path[PATH_SIZE];
    LT_TRY(check_name(name));
    if (cmd_flag(c, "remove")) {
        payload = json_object();
        LT_ASSERT(payload != NULL);
        (void)snprintf(path, sizeof path, "oncall/people/%s/remove", name); /* measured above */
        return cmd_api_post(c, path, payload, ret_answer);
    }
    LT_TRY(cmd_number(c, "place", 0, 1000, &place));
    payload = json_pack("{s:s, s:I, s:s, s:s}", "name", name, "place", (json_int_t)place, "mail",
                        cmd_value_or(c, "mail", ""), "hook", cmd_value_or(c, "hook", ""));
    LT_CHECK(payload != NULL, LT_PEER_USAGE, "--mail or --hook is no UTF-8");
    return cmd_api_post(c, "oncall/people", payload, ret_answer);
}

static lt_res run_set(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    bool person = c->args.word_count > 0;
    LT_TRY(person ? set_person(c, c->args.words[0], &answer) : set_rota(c, &answer));
    if (c->json) {
        return cmd_print_json(answer);
    }
    return person ? cmd_printf("%s: %s\n", cmd_flag(c, "remove") ? "removed" : "set", c->args.words[0])
                  : cmd_printf("set: turns of %lld s from %s, the next is called after %lld s\n",
                               (long long)cmd_int(answer, "turn_s"), cmd_text(answer, "start"),
                               (long long)cmd_int(answer, "step_s"));
}

static lt_res run_override(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    LT_ASSERT(payload != NULL);
    LT_TRY(check_name(c->args.words[0]));
    LT_CHECK(cmd_value(c, "until") != NULL, LT_PEER_USAGE, "--until TIME is missing");
    LT_TRY(add_time(c, payload, "from"));
    LT_TRY(add_time(c, payload, "until"));
    json_t *why = json_string(cmd_value_or(c, "why", ""));
    LT_CHECK(why != NULL && json_object_set_new(payload, "why", why) == 0 &&
                 json_object_set_new(payload, "person", json_string(c->args.words[0])) == 0,
             LT_PEER_USAGE, "--why is no UTF-8");
    LT_TRY(cmd_api_post(c, "oncall/overrides", payload, &answer));
    return c->json ? cmd_print_json(answer)
                   : cmd_printf("%s has it from %s to %s\n", cmd_text(answer, "person"),
                                cmd_text(answer, "from"), cmd_text(answer, "until"));
}

/* ---- alarms ---- */

static lt_res run_alarms(struct cmd *c)
{
    static const struct cmd_list l = {
        .path = "alarms",
        .key = "alarms",
        .columns = {{"ID", "id", 0},
                    {"SEVERITY", "severity", 0},
                    {"ABOUT", "about", 0},
                    {"STATUS", "status", 0},
                    {"STEP", "step", 0},
                    {"SINCE", "since", 0},
                    {"BY", "by", 0},
                    {"WORDS", "words", WORDS_SHOWN}},
        .filters = {{"status", "status"}},
    };
    return cmd_list(c, &l);
}

static lt_res run_ack(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    char path[PATH_SIZE];
    uint64_t id = 0;
    LT_ASSERT(payload != NULL);
    LT_CHECK(!lt_failed(lt_parse_u64(lt_slice_cstr(c->args.words[0]), INT64_MAX, &id)), LT_PEER_USAGE,
             "\"%.40s\" is no number of an alarm: lintel oncall alarms", c->args.words[0]);
    if (cmd_value(c, "note") != NULL) {
        json_t *note = json_string(cmd_value(c, "note"));
        LT_CHECK(note != NULL && json_object_set_new(payload, "note", note) == 0, LT_PEER_USAGE,
                 "--note is no UTF-8");
    }
    (void)snprintf(path, sizeof path, "alarms/%llu/ack", (unsigned long long)id); /* it fits */
    LT_TRY(cmd_api_post(c, path, payload, &answer));
    return c->json ? cmd_print_json(answer)
                   : cmd_printf("alarm %llu: acknowledged by %s\n", (unsigned long long)id,
                                cmd_text(answer, "acknowledged_by"));
}

static lt_res run_test(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep)
    json_t *payload = json_pack("{s:s}", "severity", cmd_value_or(c, "severity", "low"));
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    LT_ASSERT(payload != NULL);
    if (!cmd_flag(c, "yes")) {
        return cmd_would(c, "would raise a test alarm of severity %s; add --yes to do it",
                         cmd_value_or(c, "severity", "low"));
    }
    LT_TRY(cmd_api_post(c, "oncall/test", payload, &answer));
    return c->json ? cmd_print_json(answer)
                   : cmd_printf("raised: %s; lintel oncall alarms shows it\n", cmd_text(answer, "subject"));
}

static const struct cmd_option show_options[] = {{"at", "TIME", "then, not now", false, NULL}};
static const struct cmd_option set_options[] = {
    {"place", "N", "in the rota, from 1; without: called by escalation alone", false, NULL},
    {"mail", "ADDRESS", "where they are written to", false, NULL},
    {"hook", "NAME", "a hook that calls them", false, NULL},
    {"remove", NULL, "they are not called any more", false, NULL},
    {"start", "TIME", "of the first turn: place 1 (default: now)", false, NULL},
    {"turn", "TIME", "how long one has it: 7d", false, NULL},
    {"step", "TIME", "an alarm goes to the next after so long: 10m (default)", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option override_options[] = {
    {"from", "TIME", "default: now", false, NULL},
    {"until", "TIME", "when it is over", false, NULL},
    {"why", "TEXT", "holiday, swapped", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option alarm_options[] = {
    {"status", "STATUS", "in this state alone", false, "calling acknowledged said"},
    CMD_PAGE_OPTIONS,
};
static const struct cmd_option ack_options[] = {
    {"note", "TEXT", "what is done about it", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option test_options[] = {
    {"severity", "SEVERITY", "low (default): once; high: goes round once; critical: until acknowledged",
     false, "low high critical"},
    CMD_YES_OPTION,
    CMD_OPERATOR_OPTIONS,
};

const struct cmd_verb cmd_oncall_show = {
    .name = "oncall show",
    .words = "",
    .summary = "show who is on call, and who comes next",
    .help = "examples:\n  lintel oncall show\n  lintel oncall show --at 2027-12-24\n",
    .options = show_options,
    .option_count = LT_COUNT(show_options),
    .run = run_show,
};
const struct cmd_verb cmd_oncall_set = {
    .name = "oncall set",
    .words = "[NAME]",
    .words_most = 1,
    .summary = "say who is in the rota, or how long the turns are",
    .help = "With NAME: that person. Without: the turns.\n\n"
            "examples:\n"
            "  lintel oncall set ann --place 1 --mail ann@ca.example\n"
            "  lintel oncall set chief --mail chief@ca.example --hook pager\n"
            "  lintel oncall set --start 2027-01-04T08:00:00Z --turn 7d --step 10m\n",
    .options = set_options,
    .option_count = LT_COUNT(set_options),
    .run = run_set,
};
const struct cmd_verb cmd_oncall_override = {
    .name = "oncall override",
    .words = "NAME",
    .words_least = 1,
    .words_most = 1,
    .summary = "let somebody have it for a while, whoever's turn it is",
    .help = "Of several for one time the last counts.\n\n"
            "examples:\n  lintel oncall override bob --from 2027-12-24 --until 2027-12-27 --why holiday\n",
    .options = override_options,
    .option_count = LT_COUNT(override_options),
    .run = run_override,
};
const struct cmd_verb cmd_oncall_alarms = {
    .name = "oncall alarms",
    .words = "",
    .summary = "list alarms, and who has them",
    .help = "examples:\n  lintel oncall alarms --status calling\n",
    .options = alarm_options,
    .option_count = LT_COUNT(alarm_options),
    .run = run_alarms,
};
const struct cmd_verb cmd_oncall_ack = {
    .name = "oncall ack",
    .words = "ALARM",
    .words_least = 1,
    .words_most = 1,
    .summary = "say that you have an alarm: nobody else is called",
    .help =
        "The link in the alarm does the same.\n\nexamples:\n  lintel oncall ack 3 --note 'looking at it'\n",
    .options = ack_options,
    .option_count = LT_COUNT(ack_options),
    .run = run_ack,
};
const struct cmd_verb cmd_oncall_test = {
    .name = "oncall test",
    .words = "",
    .summary = "raise an alarm in which nothing is wrong",
    .help = "examples:\n  lintel oncall test --yes\n  lintel oncall test --severity critical --yes\n",
    .options = test_options,
    .option_count = LT_COUNT(test_options),
    .run = run_test,
};
