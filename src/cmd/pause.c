/* lintel pause list, resume: names whose validations only failed, and which an account may therefore not
 * order until somebody says go on. Subscribers do it themselves by the link in the refusal. */
#include <stdio.h>
#include <string.h>

#include "cmd/api.h"
#include "cmd/verbs.h"

enum { PATH_SIZE = 64, QUERY_MAX = 8192, ID_MAX = 19 };

static lt_res print_rows(struct cmd *c, const json_t *answer)
{
    static const char *const heads[] = {"ACCOUNT", "NAME", "FAILURES", "PAUSED", "LAST FAILURE"};
    size_t i;
    json_t *row;
    struct cmd_table *t = cmd_table_new(c, heads, LT_COUNT(heads));
    json_array_foreach(json_object_get(answer, "pauses"), i, row)
    {
        char failures[32];
        (void)snprintf(failures, sizeof failures, "%lld", (long long)cmd_int(row, "failures"));
        const char *const cells[] = {cmd_text(row, "account"), cmd_text(row, "identifier"), failures,
                                     cmd_text(row, "paused"), cmd_text(row, "last")};
        LT_TRY(cmd_table_row(t, cells));
    }
    LT_TRY(cmd_table_print(t));
    const char *next = cmd_text(answer, "next");
    return next[0] == 0 ? LT_OK : cmd_printf("more: --cursor '%s', or --all\n", next);
}

static lt_res run_list(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    struct lt_buf query;
    lt_buf_init(&query, QUERY_MAX);
    cmd_query_add(&query, "account", cmd_value(c, "account"));
    lt_res r = cmd_api_list(c, "pauses", "pauses", &query, &answer);
    lt_buf_done(&query);
    LT_TRY(r);
    return c->json ? cmd_print_json(answer) : print_rows(c, answer);
}

static lt_res run_resume(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    const char *account = c->args.words[0];
    const char *name = c->args.word_count > 1 ? c->args.words[1] : "";
    char path[PATH_SIZE];
    size_t len = strlen(account);
    LT_ASSERT(payload != NULL);
    LT_CHECK(len > 0 && len <= ID_MAX && strspn(account, "0123456789") == len, LT_PEER_USAGE,
             "\"%.40s\" is no account; see lintel pause list", account);
    LT_CHECK(json_object_set_new(payload, "name", json_string(name)) == 0, LT_PEER_USAGE,
             "the name is no UTF-8");
    if (!cmd_flag(c, "yes")) {
        return cmd_would(c, "would let account %s order %s again; add --yes to do it", account,
                         name[0] == 0 ? "all its paused names" : name);
    }
    (void)snprintf(path, sizeof path, "pauses/%s/resume", account); /* measured */
    LT_TRY(cmd_api_post(c, path, payload, &answer));
    if (c->json) {
        return cmd_print_json(answer);
    }
    LT_TRY(cmd_printf("resumed: %lld\n", (long long)cmd_int(answer, "resumed")));
    return json_is_true(json_object_get(answer, "more"))
               ? cmd_printf("there are more than one turn takes: say it again\n")
               : LT_OK;
}

static const struct cmd_option list_options[] = {
    {"account", "ID", "those of one account", false, NULL},
    CMD_PAGE_OPTIONS,
};
static const struct cmd_option resume_options[] = {CMD_YES_OPTION, CMD_OPERATOR_OPTIONS};

const struct cmd_verb cmd_pause_list = {
    .name = "pause list",
    .words = "",
    .summary = "list the names that are paused because their validations only fail",
    .help = "pausing.failures in lintel.yaml says after how many failures in a row.\n"
            "\n"
            "examples:\n"
            "  lintel pause list\n"
            "  lintel pause list --account 7161283018232531917 --json\n",
    .options = list_options,
    .option_count = LT_COUNT(list_options),
    .run = run_list,
};
const struct cmd_verb cmd_pause_resume = {
    .name = "pause resume",
    .words = "ACCOUNT [NAME]",
    .words_least = 1,
    .words_most = 2,
    .summary = "let an account order its paused names again",
    .help = "The account does the same by the link in the refusal of its orders.\n"
            "\n"
            "examples:\n"
            "  lintel pause resume 7161283018232531917 --yes\n"
            "  lintel pause resume 7161283018232531917 www.example.com --yes\n",
    .options = resume_options,
    .option_count = LT_COUNT(resume_options),
    .run = run_resume,
};
