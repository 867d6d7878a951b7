/* lintel watch list, show, run, switch, settle, fact: monitoring, what it looks for and what it has found. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cmd/list.h"
#include "cmd/verbs.h"

enum { PATH_SIZE = 256, QUERY_MAX = 8192 };

static const char *number(struct cmd *c, int64_t n)
{
    const char *text = lt_arena_printf(&c->arena, "%lld", (long long)n);
    LT_ASSERT(text != NULL);
    return text;
}

static lt_res print_findings(const json_t *watch)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(watch, "findings"), i, row)
    {
        LT_TRY(cmd_printf("  %s  %s: %s  (since %s", cmd_text(row, "severity"), cmd_text(row, "subject"),
                          cmd_text(row, "detail"), cmd_text(row, "first")));
        LT_TRY(cmd_int(row, "incident") == 0
                   ? cmd_printf(")\n")
                   : cmd_printf(", incident %lld)\n", (long long)cmd_int(row, "incident")));
    }
    return json_is_true(json_object_get(watch, "more"))
               ? cmd_printf("  … and more: lintel watch show %lld --all\n",
                            (long long)cmd_int(watch, "number"))
               : LT_OK;
}

static lt_res run_list(struct cmd *c)
{
    static const char *const heads[] = {"NUMBER", "NAME",      "STATUS", "SEVERITY",
                                        "ACTION", "LAST PASS", "FOUND",  "WORDS"};
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    size_t i;
    json_t *row;
    LT_TRY(cmd_api_get(c, "watches", &answer));
    if (c->json) {
        return cmd_print_json(answer);
    }
    struct cmd_table *t = cmd_table_new(c, heads, LT_COUNT(heads));
    json_array_foreach(json_object_get(answer, "watches"), i, row)
    {
        bool more = json_is_true(json_object_get(row, "more"));
        const char *found = lt_arena_printf(
            &c->arena, "%zu%s", json_array_size(json_object_get(row, "findings")), more ? "+" : "");
        const char *const cells[] = {number(c, cmd_int(row, "number")),
                                     cmd_text(row, "name"),
                                     cmd_text(row, "status"),
                                     cmd_text(row, "severity"),
                                     cmd_text(row, "action"),
                                     cmd_text(row, "ended"),
                                     found,
                                     cmd_text(row, "words")};
        LT_ASSERT(found != NULL);
        LT_TRY(cmd_table_row(t, cells));
    }
    LT_TRY(cmd_table_print(t));
    json_array_foreach(json_object_get(answer, "watches"), i, row)
    {
        if (json_array_size(json_object_get(row, "findings")) > 0) {
            LT_TRY(cmd_printf("\n%lld %s: %s\n", (long long)cmd_int(row, "number"), cmd_text(row, "name"),
                              cmd_text(row, "words")));
            LT_TRY(print_findings(row));
        }
    }
    return LT_OK;
}

/* A trigger's number or name, as a path below watches/. */
static lt_res watch_path(const struct cmd *c, const char *verb, char path[PATH_SIZE])
{
    const char *name = c->args.words[0];
    LT_CHECK(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(name) && name[0] != 0 &&
                 strlen(name) < PATH_SIZE / 2,
             LT_PEER_USAGE, "\"%.60s\" is no trigger; lintel watch list has them", name);
    (void)snprintf(path, PATH_SIZE, "watches/%s%s", name, verb);
    return LT_OK;
}

static lt_res run_show(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    char path[PATH_SIZE];
    struct lt_buf query;
    LT_TRY(watch_path(c, "", path));
    lt_buf_init(&query, QUERY_MAX);
    lt_res r = cmd_api_list(c, path, "findings", &query, &answer);
    lt_buf_done(&query);
    LT_TRY(r);
    if (c->json) {
        return cmd_print_json(answer);
    }
    LT_TRY(cmd_printf("%lld %s, %s: %s\n", (long long)cmd_int(answer, "number"), cmd_text(answer, "name"),
                      cmd_text(answer, "status"), cmd_text(answer, "words")));
    LT_TRY(cmd_printf("  %s, %s; every %lld s, the last pass ended %s\n", cmd_text(answer, "severity"),
                      cmd_text(answer, "action"), (long long)cmd_int(answer, "every_s"),
                      cmd_text(answer, "ended")));
    return print_findings(answer);
}

static lt_res post(struct cmd *c, const char *path, json_t *payload, const char *said)
{
    LT_CLEANUP(cmd_json_freep) json_t *owned = payload;
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    LT_CHECK(owned != NULL, LT_PEER_USAGE, "an option is no UTF-8");
    LT_TRY(cmd_api_post(c, path, owned, &answer));
    return c->json ? cmd_print_json(answer) : cmd_printf("%s\n", said);
}

static lt_res run_run(struct cmd *c)
{
    char path[PATH_SIZE];
    char from[LT_RFC3339_SIZE];
    lt_time when;
    const char *text = cmd_value(c, "from");
    LT_TRY(watch_path(c, "/run", path));
    if (text == NULL) {
        return post(c, path, json_object(), "it looks now");
    }
    LT_CHECK(!lt_failed(lt_time_parse_or_day(lt_slice_cstr(text), &when)), LT_PEER_USAGE,
             "--from %.40s: write 2026-11-22 or 2026-11-22T08:00:00Z", text);
    lt_time_rfc3339(when, from);
    return post(c, path, json_pack("{s:s}", "from", from), "it looks again from there on");
}

static lt_res run_switch(struct cmd *c)
{
    char path[PATH_SIZE];
    bool on = strcmp(c->args.words[1], "on") == 0;
    LT_CHECK(on || strcmp(c->args.words[1], "off") == 0, LT_PEER_USAGE, "say on or off, not \"%.20s\"",
             c->args.words[1]);
    LT_CHECK(cmd_value(c, "why") != NULL, LT_PEER_USAGE, "--why TEXT is needed");
    LT_TRY(watch_path(c, "/switch", path));
    if (!on && !cmd_flag(c, "yes")) {
        return cmd_would(c, "would stop trigger %s from looking; add --yes to do it", c->args.words[0]);
    }
    return post(c, path, json_pack("{s:b, s:s}", "on", on, "why", cmd_value(c, "why")), on ? "on" : "off");
}

static lt_res run_settle(struct cmd *c)
{
    char path[PATH_SIZE];
    LT_CHECK(cmd_value(c, "why") != NULL, LT_PEER_USAGE, "--why TEXT is needed");
    LT_TRY(watch_path(c, "/settle", path));
    return post(c, path, json_pack("{s:s, s:s}", "subject", c->args.words[1], "why", cmd_value(c, "why")),
                "settled");
}

static lt_res list_facts(struct cmd *c)
{
    static const struct cmd_list l = {
        .path = "facts",
        .key = "facts",
        .columns = {{"NAME", "name", 0}, {"VALUE", "value", 0}, {"AT", "at", 0}, {"BY", "by", 0}},
    };
    struct lt_buf query;
    lt_buf_init(&query, QUERY_MAX);
    cmd_query_add(&query, "limit", "1000");
    lt_res r = cmd_list_with(c, &l, &query);
    lt_buf_done(&query);
    return r;
}

static lt_res run_fact(struct cmd *c)
{
    bool withdraw = cmd_flag(c, "withdraw");
    if (c->args.word_count == 0) {
        return list_facts(c);
    }
    LT_CHECK(withdraw ? c->args.word_count == 1 : c->args.word_count == 2, LT_PEER_USAGE,
             "say NAME and VALUE, or NAME with --withdraw");
    return post(c, "facts",
                withdraw ? json_pack("{s:s}", "name", c->args.words[0])
                         : json_pack("{s:s, s:s}", "name", c->args.words[0], "value", c->args.words[1]),
                withdraw ? "withdrawn" : "stated");
}

static const struct cmd_option show_options[] = {CMD_PAGE_OPTIONS};
static const struct cmd_option run_options[] = {
    {"from", "DATE", "certificates issued since then, where it looks only at new ones", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option switch_options[] = {
    {"why", "TEXT", "why", false, NULL},
    CMD_YES_OPTION,
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option settle_options[] = {
    {"why", "TEXT", "what became of it", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option fact_options[] = {
    {"withdraw", NULL, "it is a fact no more", false, NULL},
    CMD_OPERATOR_OPTIONS,
};

const struct cmd_verb cmd_watch_list = {
    .name = "watch list",
    .words = "",
    .summary = "list the triggers of monitoring and what they have found",
    .help = "examples:\n  lintel watch list\n  lintel watch list --json\n",
    .run = run_list,
};
const struct cmd_verb cmd_watch_show = {
    .name = "watch show",
    .words = "NUMBER",
    .words_least = 1,
    .words_most = 1,
    .summary = "show one trigger with all of its findings",
    .help = "examples:\n  lintel watch show 12 --all\n",
    .options = show_options,
    .option_count = LT_COUNT(show_options),
    .run = run_show,
};
const struct cmd_verb cmd_watch_run = {
    .name = "watch run",
    .words = "NUMBER",
    .words_least = 1,
    .words_most = 1,
    .summary = "let a trigger look now",
    .help = "5, 6 and 7 look at each certificate once, after it was issued; with --from they look again.\n"
            "\n"
            "examples:\n"
            "  lintel watch run 12\n"
            "  lintel watch run 7 --from 2026-01-01\n",
    .options = run_options,
    .option_count = LT_COUNT(run_options),
    .run = run_run,
};
const struct cmd_verb cmd_watch_switch = {
    .name = "watch switch",
    .words = "NUMBER on|off",
    .words_least = 2,
    .words_most = 2,
    .summary = "let a trigger look no more, or again; wants an approver",
    .help = "examples:\n  lintel watch switch 22 off --why 'no plan yet' --operator bob --yes\n",
    .options = switch_options,
    .option_count = LT_COUNT(switch_options),
    .run = run_switch,
};
const struct cmd_verb cmd_watch_settle = {
    .name = "watch settle",
    .words = "NUMBER SUBJECT",
    .words_least = 2,
    .words_most = 2,
    .summary = "say what became of a finding that does not end by itself",
    .help =
        "examples:\n"
        "  lintel watch settle 6 'certificate tls 0cf65a03ce05c1fff1baf459b0f1aa20' --why 'incident 12'\n",
    .options = settle_options,
    .option_count = LT_COUNT(settle_options),
    .run = run_settle,
};
const struct cmd_verb cmd_watch_fact = {
    .name = "watch fact",
    .words = "[NAME [VALUE]]",
    .words_most = 2,
    .summary = "state what monitoring cannot read in the book; without words the list",
    .help = "stopped/ISSUER DATE        the issuer, or \"all\", issues no more since then\n"
            "cps/PROFILE current        the profile, as it is now, was held against the CPS\n"
            "weak-class/NAME WORDS      a new class of weak keys; \"swept: …\" when it was looked for\n"
            "plan/ari-coverage PERCENT  of subscribers who ask for renewal information\n"
            "\n"
            "examples:\n"
            "  lintel watch fact stopped/tls 2026-11-22\n"
            "  lintel watch fact cps/tls-server current\n"
            "  lintel watch fact weak-class/close-primes 'swept: incident 14'\n"
            "  lintel watch fact stopped/tls --withdraw\n",
    .options = fact_options,
    .option_count = LT_COUNT(fact_options),
    .run = run_fact,
};
