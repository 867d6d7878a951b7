/* lintel scope list, show, run, diff: scopes that have a name, run again, and what changed between two
 * versions. */
#include <stdio.h>
#include <string.h>

#include "cmd/api.h"
#include "cmd/scope.h"
#include "cmd/verbs.h"

enum {
    QUERY_MAX = 8192,
    PATH_SIZE = 512,
    NAME_MAX_LEN = 64,
    LIMIT_SHOWN = 20,
    LIMIT_DEFAULT = 100,
    LIMIT_MAX = 1000,
    QUERY_SIZE = 128,
};

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
    size_t i;
    json_t *row;
    struct cmd_table *t = cmd_table_new(c, heads, LT_COUNT(heads));
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
    uint64_t limit = 0;
    LT_TRY(cmd_number(c, "version", 0, UINT32_MAX, &version));
    LT_TRY(cmd_number(c, "against", 0, UINT32_MAX, &against));
    /* With --side the pages have a limit of their own. */
    bool sides = cmd_value(c, "side") == NULL;
    LT_TRY(cmd_number(c, "limit", c->json ? LIMIT_DEFAULT : LIMIT_SHOWN, LIMIT_MAX, &limit));
    int len = snprintf(ret_query, size, "version=%llu&against=%llu&now=%d", (unsigned long long)version,
                       (unsigned long long)against, cmd_flag(c, "now") ? 1 : 0);
    if (sides && len > 0 && (size_t)len < size) {
        (void)snprintf(ret_query + len, size - (size_t)len, "&limit=%llu", (unsigned long long)limit);
    }
    return LT_OK;
}

/* One side of what changed, and how to see the rest of it. */
static lt_res print_side(struct cmd *c, const json_t *answer, const char *verb, const char *key)
{
    const json_t *side = json_object_get(answer, key);
    LT_TRY(cmd_printf("%s: %lld\n", key, (long long)cmd_int(side, "count")));
    if (json_array_size(json_object_get(side, "certificates")) > 0) {
        LT_TRY(cmd_scope_rows(c, side));
    }
    return cmd_text(side, "next")[0] == 0
               ? LT_OK
               : cmd_printf("(the first of them; all: lintel scope %s %s --version %lld%s --side %s --all)\n",
                            verb, cmd_text(answer, "name"), (long long)cmd_int(answer, "version"),
                            cmd_flag(c, "now") ? " --now" : "", key);
}

static lt_res fetch_side(struct cmd *c, const struct cmd_scope_listing *l, struct lt_buf *query,
                         json_t **ret_json)
{
    bool diff = strcmp(c->verb->name, "scope diff") == 0;
    char path[PATH_SIZE];
    char versions[QUERY_SIZE];
    (void)l; /* it says which side, and that stands in the query */
    LT_TRY(versions_query(c, versions, sizeof(versions)));
    LT_TRY(path_of(c, diff ? "/diff" : "/run", versions, path));
    LT_TRY(lt_buf_check(query));
    char *whole = lt_arena_printf(&c->arena, "%s&%.*s", path, LT_FMT(lt_buf_slice(query)));
    LT_CHECK(whole != NULL, LT_PEER_TOO_LARGE, "the question is over the limit");
    return cmd_api_get(c, whole, ret_json);
}

/* --side: that one alone, page by page. */
static lt_res side_pages(struct cmd *c, bool *ret_done)
{
    const char *side = cmd_value(c, "side");
    *ret_done = side != NULL;
    LT_CHECK(side != NULL || (!cmd_flag(c, "all") && cmd_value(c, "cursor") == NULL), LT_PEER_USAGE,
             "--all and --cursor go with --side added or --side removed");
    if (side == NULL) {
        return LT_OK;
    }
    LT_CHECK(strcmp(side, "added") == 0 || strcmp(side, "removed") == 0, LT_PEER_USAGE,
             "--side added or removed");
    struct cmd_scope_listing l = {.side = side, .fetch = fetch_side};
    return cmd_scope_pages(c, &l);
}

static lt_res run_saved_run(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    char path[PATH_SIZE];
    char query[QUERY_SIZE];
    bool done;
    LT_TRY(side_pages(c, &done));
    if (done) {
        return LT_OK;
    }
    LT_TRY(versions_query(c, query, sizeof(query)));
    LT_TRY(path_of(c, "/run", query, path));
    LT_TRY(cmd_api_get(c, path, &answer));
    bool same = json_is_true(json_object_get(answer, "as_saved"));
    /* Of some things the book has no history. */
    bool of_now = json_is_true(json_object_get(answer, "of_now"));
    c->findings += same || of_now ? 0 : 1;
    if (c->json) {
        return cmd_print_json(answer);
    }
    LT_TRY(cmd_printf("%s, version %lld: %s\n  saved       %lld certificates, %s\n"
                      "  that moment %lld, asked again%s\n  now         %lld, sha256 %s\nSince then:\n",
                      cmd_text(answer, "name"), (long long)cmd_int(answer, "version"),
                      cmd_text(answer, "scope"), (long long)cmd_int(answer, "count_saved"),
                      cmd_text(answer, "saved_as_of"), (long long)cmd_int(answer, "count_then"),
                      same     ? ": the same"
                      : of_now ? " (with what is known of accounts now)"
                               : ": THIS IS NOT WHAT WAS SAVED",
                      (long long)cmd_int(answer, "count"), cmd_text(answer, "members_sha256")));
    LT_TRY(print_side(c, answer, "run", "added"));
    return print_side(c, answer, "run", "removed");
}

static lt_res run_saved_diff(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    char path[PATH_SIZE];
    char query[QUERY_SIZE];
    bool done;
    LT_TRY(side_pages(c, &done));
    if (done) {
        return LT_OK;
    }
    LT_TRY(versions_query(c, query, sizeof(query)));
    LT_TRY(path_of(c, "/diff", query, path));
    LT_TRY(cmd_api_get(c, path, &answer));
    if (c->json) {
        return cmd_print_json(answer);
    }
    LT_TRY(cmd_printf("%s, version %lld against %lld\n  was  %s, at %s\n  is   %s, at %s\n",
                      cmd_text(answer, "name"), (long long)cmd_int(answer, "version"),
                      (long long)cmd_int(answer, "against"), cmd_text(answer, "scope_before"),
                      cmd_text(answer, "as_of_before"), cmd_text(answer, "scope"),
                      cmd_text(answer, "as_of")));
    LT_TRY(print_side(c, answer, "diff", "added"));
    return print_side(c, answer, "diff", "removed");
}

static const struct cmd_option saved_list_options[] = {CMD_PAGE_OPTIONS};
#define SIDE_OPTION                                                                   \
    {                                                                                 \
        "side", "SIDE", "added or removed: that one alone, page by page", false, NULL \
    }
static const struct cmd_option version_options[] = {
    {"version", "N", "that version (default: the last)", false, NULL},
    SIDE_OPTION,
    CMD_PAGE_OPTIONS,
};
static const struct cmd_option diff_options[] = {
    {"version", "N", "that version (default: the last)", false, NULL},
    {"against", "N", "held against that one (default: the one before)", false, NULL},
    {"now", NULL, "both against the book of now, so that the expressions alone differ", false, NULL},
    SIDE_OPTION,
    CMD_PAGE_OPTIONS,
};

const struct cmd_verb cmd_scope_list = {
    .name = "scope list",
    .words = "",
    .summary = "scopes that have a name, each with its last version",
    .help = "examples:\n  lintel scope list\n",
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
    .help = "examples:\n  lintel scope show wrong-eku\n",
    .run = run_saved_show,
};
const struct cmd_verb cmd_scope_run = {
    .name = "scope run",
    .words = "NAME",
    .words_least = 1,
    .words_most = 1,
    .summary = "runs a saved scope again: as of the moment when it was saved, now, and what changed since",
    .help =
        "Exits with 6 where the book gives another answer for that moment than the one that was saved.\n\n"
        "examples:\n  lintel scope run wrong-eku --version 1\n"
        "  lintel scope run wrong-eku --side added --all --json\n",
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
    .help = "Each version is held against the book of the moment when it was saved: a corrected expression "
            "shows,\n"
            "and so does a book that went on.\n\n"
            "examples:\n  lintel scope diff wrong-eku --version 3 --against 1\n"
            "  lintel scope diff wrong-eku --now\n"
            "  lintel scope diff wrong-eku --side added --all\n",
    .options = diff_options,
    .option_count = LT_COUNT(diff_options),
    .run = run_saved_diff,
};
