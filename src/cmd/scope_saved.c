/* lintel scope list, show, run, diff: scopes that have a name, run again, and what changed between two
 * versions. */
#include <stdio.h>
#include <string.h>

#include "cmd/api.h"
#include "cmd/scope.h"
#include "cmd/verbs.h"

enum { QUERY_MAX = 8192, PATH_SIZE = 512, NAME_MAX_LEN = 64 };

static lt_res path_of(struct cmd *c, const char *what, const char *query, char ret_path[PATH_SIZE])
{
    const char *name = c->args.words[0];
    size_t len = strlen(name);
    LT_CHECK(len > 0 && len <= NAME_MAX_LEN && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len,
             LT_PEER_USAGE, "a scope's name is 1 to %d of a-z 0-9 -", NAME_MAX_LEN);
    (void)snprintf(ret_path, PATH_SIZE, "scopes/%s%s%s%s", name, what, query[0] != 0 ? "?" : "", query);
    return LT_OK;
}

static lt_res print_saved(struct cmd *c, const json_t *list)
{
    static const char *const heads[] = {"NAME", "VERSION", "COUNT", "AS OF", "BY", "NOTE", "SCOPE"};
    struct cmd_table *t = LT_NEW(&c->arena, struct cmd_table);
    size_t i;
    json_t *row;
    LT_ASSERT(t != NULL);
    cmd_table_init(t, &c->arena, heads, LT_COUNT(heads));
    json_array_foreach(list, i, row)
    {
        char version[24];
        char number[24];
        (void)snprintf(version, sizeof(version), "%lld", (long long)cmd_int(row, "version"));
        (void)snprintf(number, sizeof(number), "%lld", (long long)cmd_int(row, "count"));
        const char *const cells[] = {cmd_text(row, "name"),
                                     version,
                                     number,
                                     cmd_text(row, "as_of"),
                                     cmd_text(row, "saved_by"),
                                     cmd_text(row, "note"),
                                     cmd_text(row, "scope")};
        LT_TRY(cmd_table_row(t, cells));
    }
    return cmd_table_print(t);
}

static lt_res run_saved_list(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    struct lt_buf query;
    lt_buf_init(&query, QUERY_MAX);
    lt_res r = cmd_api_list(c, "scopes", "scopes", &query, &answer);
    lt_buf_done(&query);
    LT_TRY(r);
    return c->json ? cmd_print_json(answer) : print_saved(c, json_object_get(answer, "scopes"));
}

static lt_res run_saved_show(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    char path[PATH_SIZE];
    LT_TRY(path_of(c, "", "", path));
    LT_TRY(cmd_api_get(c, path, &answer));
    return c->json ? cmd_print_json(answer) : print_saved(c, json_object_get(answer, "versions"));
}

static lt_res versions_query(const struct cmd *c, char *ret_query, size_t size)
{
    uint64_t version = 0;
    uint64_t against = 0;
    LT_TRY(cmd_number(c, "version", 0, UINT32_MAX, &version));
    if (cmd_value(c, "against") != NULL) {
        LT_TRY(cmd_number(c, "against", 0, UINT32_MAX, &against));
    }
    (void)snprintf(ret_query, size, "version=%llu&against=%llu", (unsigned long long)version,
                   (unsigned long long)against);
    return LT_OK;
}

static lt_res run_saved_run(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    char path[PATH_SIZE];
    char query[80];
    LT_TRY(versions_query(c, query, sizeof(query)));
    LT_TRY(path_of(c, "/run", query, path));
    LT_TRY(cmd_api_get(c, path, &answer));
    bool same = cmd_int(answer, "count_then") == cmd_int(answer, "count_saved");
    c->findings += same ? 0 : 1;
    if (c->json) {
        return cmd_print_json(answer);
    }
    return cmd_printf("%s, version %lld\n  saved       %lld certificates\n  that moment %lld, asked again%s\n"
                      "  now         %lld, sha256 %s\n",
                      cmd_text(answer, "name"), (long long)cmd_int(answer, "version"),
                      (long long)cmd_int(answer, "count_saved"), (long long)cmd_int(answer, "count_then"),
                      same ? "" : ": THIS IS NOT WHAT WAS SAVED", (long long)cmd_int(answer, "count"),
                      cmd_text(answer, "members_sha256"));
}

static lt_res print_side(struct cmd *c, const json_t *answer, const char *key)
{
    const json_t *side = json_object_get(answer, key);
    LT_TRY(cmd_printf("%s: %lld\n", key, (long long)cmd_int(side, "count")));
    if (json_array_size(json_object_get(side, "certificates")) > 0) {
        LT_TRY(cmd_scope_rows(c, side));
    }
    return cmd_text(side, "next")[0] == 0
               ? LT_OK
               : cmd_printf("(the first of them; the rest: lintel scope '(ONE) and not (OTHER)' --list)\n");
}

static lt_res run_saved_diff(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    char path[PATH_SIZE];
    char query[80];
    LT_TRY(versions_query(c, query, sizeof(query)));
    LT_TRY(path_of(c, "/diff", query, path));
    LT_TRY(cmd_api_get(c, path, &answer));
    if (c->json) {
        return cmd_print_json(answer);
    }
    LT_TRY(cmd_printf("%s, version %lld against %lld\n  was  %s\n  is   %s\n", cmd_text(answer, "name"),
                      (long long)cmd_int(answer, "version"), (long long)cmd_int(answer, "against"),
                      cmd_text(answer, "scope_before"), cmd_text(answer, "scope")));
    LT_TRY(print_side(c, answer, "added"));
    return print_side(c, answer, "removed");
}

static const struct cmd_option saved_list_options[] = {CMD_PAGE_OPTIONS};
static const struct cmd_option version_options[] = {
    {"version", "N", "that version (default: the last)", false, NULL},
};
static const struct cmd_option diff_options[] = {
    {"version", "N", "that version (default: the last)", false, NULL},
    {"against", "N", "held against that one (default: the one before)", false, NULL},
};

const struct cmd_verb cmd_scope_list = {
    .name = "scope list",
    .words = "",
    .summary = "scopes that have a name, each with its last version",
    .help = "Example:\n  lintel scope list\n",
    .options = saved_list_options,
    .option_count = LT_COUNT(saved_list_options),
    .run = run_saved_list,
};
const struct cmd_verb cmd_scope_show = {
    .name = "scope show",
    .words = "NAME",
    .words_least = 1,
    .words_most = 1,
    .summary = "all versions of a scope",
    .help = "Example:\n  lintel scope show wrong-eku\n",
    .run = run_saved_show,
};
const struct cmd_verb cmd_scope_run = {
    .name = "scope run",
    .words = "NAME",
    .words_least = 1,
    .words_most = 1,
    .summary = "runs a saved scope again: as of the moment when it was saved, and now",
    .help =
        "Exits with 6 where the book gives another answer for that moment than the one that was saved.\n\n"
        "Example:\n  lintel scope run wrong-eku --version 1\n",
    .options = version_options,
    .option_count = LT_COUNT(version_options),
    .run = run_saved_run,
};
const struct cmd_verb cmd_scope_diff = {
    .name = "scope diff",
    .words = "NAME",
    .words_least = 1,
    .words_most = 1,
    .summary = "certificates that one version of a scope has and another has not",
    .help = "Both versions are held against the book of now.\n\n"
            "Example:\n  lintel scope diff wrong-eku --version 3 --against 1\n",
    .options = diff_options,
    .option_count = LT_COUNT(diff_options),
    .run = run_saved_diff,
};
