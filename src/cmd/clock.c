/* lintel clock list, show, open, meet, void, move: the clocks that run in the book. lintel control add, list,
 * done, retire: reviews and controls that come back. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cmd/api.h"
#include "cmd/verbs.h"

enum { PATH_SIZE = 256, QUERY_MAX = 8192 };

/* "3 d 4 h", "-12 min": at most two units. */
static const char *span(struct cmd *c, int64_t s)
{
    const char *sign = s < 0 ? "-" : "";
    s = s < 0 ? -s : s;
    const char *text = s >= 86400  ? lt_arena_printf(&c->arena, "%s%lld d %lld h", sign,
                                                     (long long)(s / 86400), (long long)(s % 86400 / 3600))
                       : s >= 3600 ? lt_arena_printf(&c->arena, "%s%lld h %lld min", sign,
                                                     (long long)(s / 3600), (long long)(s % 3600 / 60))
                                   : lt_arena_printf(&c->arena, "%s%lld min", sign, (long long)(s / 60));
    LT_ASSERT(text != NULL);
    return text;
}

static const char *number(struct cmd *c, int64_t n)
{
    const char *text = lt_arena_printf(&c->arena, "%lld", (long long)n);
    LT_ASSERT(text != NULL);
    return text;
}

static lt_res run_list(struct cmd *c)
{
    static const char *const heads[] = {"ID",  "DUTY",   "SUBJECT", "STATUS",
                                        "DUE", "MARGIN", "USED",    "SECTION"};
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    struct lt_buf query;
    size_t i;
    json_t *row;
    lt_buf_init(&query, QUERY_MAX);
    cmd_query_add(&query, "status", cmd_value(c, "status"));
    cmd_query_add(&query, "name", cmd_value(c, "subject"));
    cmd_query_add_time(&query, "at", cmd_value(c, "as-of"));
    lt_res r = cmd_api_list(c, "clocks", "clocks", &query, &answer);
    lt_buf_done(&query);
    LT_TRY(r);
    if (c->json) {
        return cmd_print_json(answer);
    }
    struct cmd_table *t = cmd_table_new(c, heads, LT_COUNT(heads));
    json_array_foreach(json_object_get(answer, "clocks"), i, row)
    {
        /* By the rules of another day all of it is judged, or nothing. */
        const json_t *then = json_object_get(row, "as_of");
        const json_t *by = then == NULL ? row : then;
        bool judged = then == NULL || json_is_true(json_object_get(then, "in_force"));
        bool counts = judged && json_object_get(by, "margin_s") != NULL;
        const char *used = lt_arena_printf(&c->arena, "%lld %%", (long long)cmd_int(by, "percent"));
        LT_ASSERT(used != NULL);
        const char *const cells[] = {number(c, cmd_int(row, "id")),
                                     cmd_text(row, "duty"),
                                     cmd_text(row, "subject"),
                                     judged ? cmd_text(by, "status") : "not in force",
                                     cmd_text(by, "due"),
                                     counts ? span(c, cmd_int(by, "margin_s")) : "",
                                     counts ? used : "",
                                     cmd_text(by, "section")};
        LT_TRY(cmd_table_row(t, cells));
    }
    return cmd_table_print(t);
}

static lt_res print_clock(struct cmd *c, const json_t *row)
{
    const json_t *then = json_object_get(row, "as_of");
    LT_TRY(cmd_printf("clock %lld: %s of %s, %s\n", (long long)cmd_int(row, "id"), cmd_text(row, "duty"),
                      cmd_text(row, "subject"), cmd_text(row, "status")));
    LT_TRY(cmd_printf("  to do     %s (%s)\n", cmd_text(row, "words"), cmd_text(row, "owner")));
    LT_TRY(cmd_printf("  rule      %s %s\n", cmd_text(row, "force"), cmd_text(row, "section")));
    LT_TRY(cmd_printf("  began     %s  (%s)\n", cmd_text(row, "start"), cmd_text(row, "evidence")));
    if (cmd_text(row, "aim")[0] != 0) {
        LT_TRY(cmd_printf("  should by %s\n", cmd_text(row, "aim")));
    }
    LT_TRY(cmd_printf("  due       %s%s\n", cmd_text(row, "due"),
                      json_is_true(json_object_get(row, "own_measure")) ? "  (\"promptly\": our own measure)"
                                                                        : ""));
    if (cmd_text(row, "met")[0] != 0) {
        LT_TRY(cmd_printf("  met       %s  (%s)\n", cmd_text(row, "met"), cmd_text(row, "proof")));
    } else if (cmd_text(row, "proof")[0] != 0) {
        LT_TRY(cmd_printf("  ended     %s\n", cmd_text(row, "proof")));
    }
    LT_TRY(cmd_printf("  margin    %s, %lld %% used\n", span(c, cmd_int(row, "margin_s")),
                      (long long)cmd_int(row, "percent")));
    if (then == NULL) {
        return LT_OK;
    }
    if (!json_is_true(json_object_get(then, "in_force"))) {
        return cmd_printf("  as of     %s there was no such duty\n", cmd_text(then, "at"));
    }
    LT_TRY(cmd_printf("  as of     %s it would be due at %s (%s): %s", cmd_text(then, "at"),
                      cmd_text(then, "due"), cmd_text(then, "section"), cmd_text(then, "status")));
    return json_object_get(then, "margin_s") == NULL
               ? cmd_printf("\n")
               : cmd_printf(", margin %s, %lld %% used\n", span(c, cmd_int(then, "margin_s")),
                            (long long)cmd_int(then, "percent"));
}

/* 0 when it is none. */
static lt_res clock_id(const struct cmd *c, long long *ret_id)
{
    uint64_t id = 0;
    LT_CHECK(!lt_failed(lt_parse_u64(lt_slice_cstr(c->args.words[0]), INT64_MAX, &id)) && id > 0,
             LT_PEER_USAGE, "\"%.40s\" is no clock's number; lintel clock list has them", c->args.words[0]);
    *ret_id = (long long)id;
    return LT_OK;
}

static lt_res run_show(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    char path[PATH_SIZE];
    struct lt_buf query;
    long long id = 0;
    LT_TRY(clock_id(c, &id));
    lt_buf_init(&query, QUERY_MAX);
    cmd_query_add_time(&query, "at", cmd_value(c, "as-of"));
    (void)snprintf(path, sizeof path, "clocks/%lld%s%s", id, query.len > 0 ? "?" : "", lt_buf_cstr(&query));
    lt_buf_done(&query);
    LT_TRY(cmd_api_get(c, path, &answer));
    return c->json ? cmd_print_json(answer) : print_clock(c, answer);
}

/* A time option as the API wants it. */
static lt_res time_value(struct cmd *c, const char *name, const char **ret_text)
{
    const char *text = cmd_value(c, name);
    char made[LT_RFC3339_SIZE];
    lt_time when;
    *ret_text = NULL;
    if (text == NULL) {
        return LT_OK;
    }
    LT_CHECK(!lt_failed(lt_time_parse_or_day(lt_slice_cstr(text), &when)), LT_PEER_USAGE,
             "--%s %.40s: write 2026-11-22T08:00:00Z", name, text);
    lt_time_rfc3339(when, made);
    *ret_text = lt_arena_cstr(&c->arena, lt_slice_cstr(made));
    LT_ASSERT(*ret_text != NULL);
    return LT_OK;
}

static lt_res post(struct cmd *c, const char *path, json_t *payload, const char *said)
{
    LT_CLEANUP(cmd_json_freep) json_t *owned = payload;
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    LT_CHECK(owned != NULL, LT_PEER_USAGE, "an option is no UTF-8");
    LT_TRY(cmd_api_post(c, path, owned, &answer));
    if (c->json) {
        return cmd_print_json(answer);
    }
    if (json_object_get(answer, "id") != NULL && cmd_int(answer, "id") == 0) {
        return cmd_printf("the rules of that day did not have this duty: no clock\n");
    }
    return json_object_get(answer, "id") != NULL
               ? cmd_printf("clock %lld %s\n", (long long)cmd_int(answer, "id"), said)
               : cmd_printf("%s\n", said);
}

static lt_res run_open(struct cmd *c)
{
    const char *start = NULL;
    const char *subject = cmd_value(c, "subject");
    const char *evidence = cmd_value(c, "evidence");
    LT_TRY(time_value(c, "start", &start));
    LT_CHECK(subject != NULL && evidence != NULL && start != NULL, LT_PEER_USAGE,
             "--subject, --start and --evidence are needed");
    return post(c, "clocks",
                json_pack("{s:s, s:s, s:s, s:s}", "duty", c->args.words[0], "subject", subject, "start",
                          start, "evidence", evidence),
                "runs");
}

static lt_res run_happened(struct cmd *c)
{
    const char *when = NULL;
    LT_TRY(time_value(c, "when", &when));
    LT_CHECK(cmd_value(c, "subject") != NULL && cmd_value(c, "evidence") != NULL, LT_PEER_USAGE,
             "--subject TEXT and --evidence TEXT are needed");
    json_t *payload = json_pack("{s:s, s:s, s:s}", "what", c->args.words[0], "subject",
                                cmd_value(c, "subject"), "evidence", cmd_value(c, "evidence"));
    LT_CHECK(payload != NULL, LT_PEER_USAGE, "an option is no UTF-8");
    LT_ASSERT(when == NULL || json_object_set_new(payload, "when", json_string(when)) == 0);
    return post(c, "happenings", payload, "its clocks begin and are met");
}

static lt_res run_meet(struct cmd *c)
{
    char path[PATH_SIZE];
    const char *when = NULL;
    long long id = 0;
    LT_TRY(clock_id(c, &id));
    LT_TRY(time_value(c, "when", &when));
    LT_CHECK(cmd_value(c, "evidence") != NULL, LT_PEER_USAGE, "--evidence TEXT is needed");
    (void)snprintf(path, sizeof path, "clocks/%lld/meet", id);
    json_t *payload = json_pack("{s:s}", "evidence", cmd_value(c, "evidence"));
    LT_CHECK(payload != NULL, LT_PEER_USAGE, "--evidence is no UTF-8");
    LT_ASSERT(when == NULL || json_object_set_new(payload, "when", json_string(when)) == 0);
    return post(c, path, payload, "met");
}

static lt_res run_void(struct cmd *c)
{
    char path[PATH_SIZE];
    long long id = 0;
    LT_TRY(clock_id(c, &id));
    LT_CHECK(cmd_value(c, "why") != NULL, LT_PEER_USAGE, "--why TEXT is needed");
    if (!cmd_flag(c, "yes")) {
        return cmd_would(c, "would end clock %lld as a duty that does not apply; add --yes to do it", id);
    }
    (void)snprintf(path, sizeof path, "clocks/%lld/void", id);
    return post(c, path, json_pack("{s:s}", "why", cmd_value(c, "why")), "void");
}

static lt_res run_move(struct cmd *c)
{
    char path[PATH_SIZE];
    const char *due = NULL;
    long long id = 0;
    LT_TRY(clock_id(c, &id));
    LT_TRY(time_value(c, "due", &due));
    LT_CHECK(due != NULL && cmd_value(c, "why") != NULL, LT_PEER_USAGE,
             "--due WHEN and --why TEXT are needed");
    if (!cmd_flag(c, "yes")) {
        return cmd_would(c, "would let clock %lld end at %s; add --yes to do it", id, due);
    }
    (void)snprintf(path, sizeof path, "clocks/%lld/until", id);
    return post(c, path, json_pack("{s:s, s:s}", "due", due, "why", cmd_value(c, "why")), "moved");
}

/* ---- reviews and controls ---- */

static lt_res run_control_list(struct cmd *c)
{
    static const char *const heads[] = {"NAME", "KIND", "STATUS", "OWNER", "EVERY", "LAST", "DUE", "ABOUT"};
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    struct lt_buf query;
    size_t i;
    json_t *row;
    lt_buf_init(&query, QUERY_MAX);
    lt_res r = cmd_api_list(c, "controls", "controls", &query, &answer);
    lt_buf_done(&query);
    LT_TRY(r);
    if (c->json) {
        return cmd_print_json(answer);
    }
    struct cmd_table *t = cmd_table_new(c, heads, LT_COUNT(heads));
    json_array_foreach(json_object_get(answer, "controls"), i, row)
    {
        const char *const cells[] = {cmd_text(row, "name"),
                                     cmd_text(row, "kind"),
                                     cmd_text(row, "status"),
                                     cmd_text(row, "owner"),
                                     span(c, cmd_int(row, "every_s")),
                                     cmd_text(row, "last"),
                                     cmd_text(row, "due"),
                                     cmd_text(row, "about")};
        LT_TRY(cmd_table_row(t, cells));
    }
    return cmd_table_print(t);
}

/* "90d", "12h" in seconds. */
static lt_res every_value(const struct cmd *c, json_int_t *ret_s)
{
    const char *text = cmd_value_or(c, "every", "");
    size_t len = strlen(text);
    uint64_t n = 0;
    char unit = len == 0 ? '\0' : text[len - 1];
    LT_CHECK((unit == 'd' || unit == 'h') && !lt_failed(lt_parse_u64(LT_SLICE(text, len - 1), 100000, &n)) &&
                 n > 0,
             LT_PEER_USAGE, "--every \"%.40s\": write days or hours, 90d or 12h", text);
    *ret_s = (json_int_t)n * (unit == 'd' ? 86400 : 3600);
    return LT_OK;
}

static lt_res run_control_add(struct cmd *c)
{
    json_int_t every_s = 0;
    const char *due = NULL;
    LT_TRY(every_value(c, &every_s));
    LT_TRY(time_value(c, "due", &due));
    LT_CHECK(cmd_value(c, "owner") != NULL && cmd_value(c, "about") != NULL, LT_PEER_USAGE,
             "--owner NAME and --about TEXT are needed");
    json_t *payload = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I}", "name", c->args.words[0], "kind",
                                cmd_value_or(c, "kind", "review"), "owner", cmd_value(c, "owner"), "about",
                                cmd_value(c, "about"), "source", cmd_value_or(c, "source", ""), "every",
                                every_s);
    LT_CHECK(payload != NULL, LT_PEER_USAGE, "an option is no UTF-8");
    LT_ASSERT(due == NULL || json_object_set_new(payload, "due", json_string(due)) == 0);
    return post(c, "controls", payload, "promised");
}

static lt_res control_path(const struct cmd *c, const char *verb, char path[PATH_SIZE])
{
    const char *name = c->args.words[0];
    LT_CHECK(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(name) && name[0] != 0 &&
                 strlen(name) < PATH_SIZE / 2,
             LT_PEER_USAGE, "\"%.60s\" is no control's name; lintel control list has them", name);
    (void)snprintf(path, PATH_SIZE, "controls/%s/%s", name, verb);
    return LT_OK;
}

static lt_res run_control_done(struct cmd *c)
{
    char path[PATH_SIZE];
    const char *when = NULL;
    LT_TRY(control_path(c, "done", path));
    LT_TRY(time_value(c, "when", &when));
    LT_CHECK(cmd_value(c, "evidence") != NULL, LT_PEER_USAGE, "--evidence TEXT is needed");
    json_t *payload = json_pack("{s:s}", "evidence", cmd_value(c, "evidence"));
    LT_CHECK(payload != NULL, LT_PEER_USAGE, "--evidence is no UTF-8");
    LT_ASSERT(when == NULL || json_object_set_new(payload, "when", json_string(when)) == 0);
    return post(c, path, payload, "done");
}

static lt_res run_control_retire(struct cmd *c)
{
    char path[PATH_SIZE];
    LT_TRY(control_path(c, "retire", path));
    LT_CHECK(cmd_value(c, "why") != NULL, LT_PEER_USAGE, "--why TEXT is needed");
    if (!cmd_flag(c, "yes")) {
        return cmd_would(c, "would end the promise %s; add --yes to do it", c->args.words[0]);
    }
    return post(c, path, json_pack("{s:s}", "why", cmd_value(c, "why")), "retired");
}

static const struct cmd_option list_options[] = {
    {"status", "WORD", "which (default: running)", false, "running open breached overdue met late void all"},
    {"subject", "TEXT", "of one thing: \"incident 12\"", false, NULL},
    {"as-of", "DATE", "their ends by the rules of that day", false, NULL},
    CMD_PAGE_OPTIONS,
};
static const struct cmd_option show_options[] = {
    {"as-of", "DATE", "its end by the rules of that day as well", false, NULL},
};
static const struct cmd_option open_options[] = {
    {"subject", "TEXT", "what it is about: \"incident 12\", \"own TEXT\"", false, NULL},
    {"start", "WHEN", "when it began, by the rule of its source", false, NULL},
    {"evidence", "TEXT", "what shows that instant", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option happened_options[] = {
    {"subject", "TEXT", "to what: \"incident 12\"", false, NULL},
    {"evidence", "TEXT", "what shows it", false, NULL},
    {"when", "WHEN", "when (default: now)", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option meet_options[] = {
    {"evidence", "TEXT", "what shows that it was done", false, NULL},
    {"when", "WHEN", "when it was done (default: now)", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option void_options[] = {
    {"why", "TEXT", "why it does not apply", false, NULL},
    CMD_YES_OPTION,
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option move_options[] = {
    {"due", "WHEN", "its end", false, NULL},
    {"why", "TEXT", "who set it", false, NULL},
    CMD_YES_OPTION,
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option control_list_options[] = {CMD_PAGE_OPTIONS};
static const struct cmd_option control_add_options[] = {
    {"kind", "WORD", "review, or control that stands in for something (default: review)", false,
     "review control"},
    {"owner", "NAME", "role or operator who does it", false, NULL},
    {"about", "TEXT", "what is done", false, NULL},
    {"source", "TEXT", "duty, incident or document that wants it", false, NULL},
    {"every", "TIME", "how often: 90d, 12h", false, NULL},
    {"due", "WHEN", "the first time (default: after --every)", false, NULL},
    CMD_OPERATOR_OPTIONS,
};

const struct cmd_verb cmd_clock_list = {
    .name = "clock list",
    .words = "",
    .summary = "list the clocks of duties, those that were missed first, then by their end",
    .help = "examples:\n"
            "  lintel clock list\n"
            "  lintel clock list --subject 'incident 12' --as-of 2020-02-29\n"
            "  lintel clock list --status late --all --json\n",
    .options = list_options,
    .option_count = LT_COUNT(list_options),
    .run = run_list,
};
const struct cmd_verb cmd_clock_show = {
    .name = "clock show",
    .words = "ID",
    .words_least = 1,
    .words_most = 1,
    .summary = "show one clock with its rule and its evidence",
    .help = "examples:\n  lintel clock show 7\n  lintel clock show 7 --as-of 2020-02-29\n",
    .options = show_options,
    .option_count = LT_COUNT(show_options),
    .run = run_show,
};
const struct cmd_verb cmd_clock_open = {
    .name = "clock open",
    .words = "DUTY",
    .words_least = 1,
    .words_most = 1,
    .summary = "let a duty's clock run that nothing else opens",
    .help = "Cases, problem reports and controls open theirs by themselves.\n"
            "\n"
            "examples:\n"
            "  lintel clock open microsoft-revoke --subject 'incident 12' --start 2026-11-22T08:00:00Z \\\n"
            "    --evidence 'mail of 08:00 UTC, kept as note 31'\n",
    .options = open_options,
    .option_count = LT_COUNT(open_options),
    .run = run_open,
};
const struct cmd_verb cmd_clock_happened = {
    .name = "clock happened",
    .words = "WHAT",
    .words_least = 1,
    .words_most = 1,
    .summary = "say what happened; the duties that it begins or meets are data",
    .help = "incident.asked and incident.answered (irg-3), incident.updated (irg-4, irg-5),\n"
            "incident.chrome-asked, incident.microsoft-noticed and the like: lintel duty show ID\n"
            "\n"
            "examples:\n"
            "  lintel clock happened incident.asked --subject 'incident 12' --evidence 'bug 1619047, comment "
            "4' \\\n"
            "    --when 2026-11-22T08:00:00Z\n",
    .options = happened_options,
    .option_count = LT_COUNT(happened_options),
    .run = run_happened,
};
const struct cmd_verb cmd_clock_meet = {
    .name = "clock meet",
    .words = "ID",
    .words_least = 1,
    .words_most = 1,
    .summary = "say that a duty was done, and what shows it",
    .help =
        "examples:\n  lintel clock meet 7 --evidence 'bug 1619047, comment 0' --when 2020-02-29T05:48:37Z\n",
    .options = meet_options,
    .option_count = LT_COUNT(meet_options),
    .run = run_meet,
};
const struct cmd_verb cmd_clock_void = {
    .name = "clock void",
    .words = "ID",
    .words_least = 1,
    .words_most = 1,
    .summary = "say that a duty does not apply; wants an approver",
    .help = "examples:\n  lintel clock void 7 --why 'the certificate is short-lived' --operator bob --yes\n",
    .options = void_options,
    .option_count = LT_COUNT(void_options),
    .run = run_void,
};
const struct cmd_verb cmd_clock_move = {
    .name = "clock move",
    .words = "ID",
    .words_least = 1,
    .words_most = 1,
    .summary = "give a clock another end, such as a root program's \"Next update\"; wants an approver",
    .help = "examples:\n"
            "  lintel clock move 9 --due 2026-12-15 --why 'whiteboard: Next update 2026-12-15' --operator "
            "bob --yes\n",
    .options = move_options,
    .option_count = LT_COUNT(move_options),
    .run = run_move,
};
const struct cmd_verb cmd_control_list = {
    .name = "control list",
    .words = "",
    .summary = "list reviews and controls that come back: owner, last time, next time",
    .help = "examples:\n  lintel control list\n",
    .options = control_list_options,
    .option_count = LT_COUNT(control_list_options),
    .run = run_control_list,
};
const struct cmd_verb cmd_control_add = {
    .name = "control add",
    .words = "NAME",
    .words_least = 1,
    .words_most = 1,
    .summary = "promise a periodic review or a compensating control; it is an alarm when it lapses",
    .help = "examples:\n"
            "  lintel control add caa-log-check --kind control --owner compliance --every 30d \\\n"
            "    --about 'CAA of a sample held against the log' --source 'incident 3'\n"
            "  lintel control add self-audit --owner ann --every 90d --about 'three percent, by chance' \\\n"
            "    --source 'CABF-BR 8.7'\n",
    .options = control_add_options,
    .option_count = LT_COUNT(control_add_options),
    .run = run_control_add,
};
const struct cmd_verb cmd_control_done = {
    .name = "control done",
    .words = "NAME",
    .words_least = 1,
    .words_most = 1,
    .summary = "say that a review or control was done, and what shows it",
    .help = "examples:\n  lintel control done self-audit --evidence 'report 2026-4, no findings'\n",
    .options = meet_options,
    .option_count = LT_COUNT(meet_options),
    .run = run_control_done,
};
const struct cmd_verb cmd_control_retire = {
    .name = "control retire",
    .words = "NAME",
    .words_least = 1,
    .words_most = 1,
    .summary = "end a promise; wants an approver",
    .help = "examples:\n  lintel control retire caa-log-check --why 'the validator checks it' --operator bob "
            "--yes\n",
    .options = void_options,
    .option_count = LT_COUNT(void_options),
    .run = run_control_retire,
};
