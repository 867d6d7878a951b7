/* lintel order list, show, release: what was ordered, and what waits for a person because of a row of
 * policy/names.yaml. A release is a plan; one approver who has looked is enough, and may propose it. */
#include <stdio.h>
#include <string.h>

#include "cmd/api.h"
#include "cmd/verbs.h"

enum { PATH_SIZE = 64, QUERY_MAX = 8192, NAMES_MAX = 4096, ID_MAX = 19, HOURS = 24 };

static lt_res order_path(const char *id, char ret_path[PATH_SIZE])
{
    size_t len = strlen(id);
    LT_CHECK(len > 0 && len <= ID_MAX && strspn(id, "0123456789") == len, LT_PEER_USAGE,
             "\"%.40s\" is no order; see lintel order list", id);
    (void)snprintf(ret_path, PATH_SIZE, "orders/%s", id); /* measured */
    return LT_OK;
}

/* "a.example, *.b.example", as much as there is room for. */
static void names_of(const json_t *order, char *out, size_t size)
{
    const json_t *list = json_object_get(order, "identifiers");
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < json_array_size(list) && len < size - 1; i++) {
        const char *name = json_string_value(json_array_get(json_array_get(list, i), 1));
        int n = snprintf(out + len, size - len, "%s%s", i == 0 ? "" : ", ", name == NULL ? "" : name);
        len += n < 0 ? 0 : (size_t)n;
    }
}

static const char *status_of(const json_t *order)
{
    bool waits = strcmp(cmd_text(order, "review"), "waiting") == 0;
    return waits ? "waiting" : cmd_text(order, "status");
}

static lt_res print_rows(struct cmd *c, const json_t *answer)
{
    static const char *const heads[] = {"ORDER", "STATUS", "RULE", "UNTIL", "ACCOUNT", "NAMES"};
    size_t i;
    json_t *row;
    struct cmd_table *t = cmd_table_new(c, heads, LT_COUNT(heads));
    json_array_foreach(json_object_get(answer, "orders"), i, row)
    {
        char names[NAMES_MAX];
        const char *until = cmd_text(row, "waiting_until");
        names_of(row, names, sizeof names);
        const char *const cells[] = {
            cmd_text(row, "id"),      status_of(row),
            cmd_text(row, "rule"),    until[0] == 0 ? cmd_text(row, "expires") : until,
            cmd_text(row, "account"), names};
        LT_TRY(cmd_table_row(t, cells));
    }
    LT_TRY(cmd_table_print(t));
    const char *next = cmd_text(answer, "next");
    return next[0] == 0 ? LT_OK : cmd_printf("more: --cursor '%s', or --all\n", next);
}

static lt_res list(struct cmd *c, struct lt_buf *query)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    LT_CHECK(!cmd_flag(c, "waiting") || cmd_value(c, "status") == NULL, LT_PEER_USAGE,
             "--waiting or --status, not both");
    cmd_query_add(query, "status", cmd_flag(c, "waiting") ? "waiting" : cmd_value(c, "status"));
    cmd_query_add(query, "account", cmd_value(c, "account"));
    LT_TRY(cmd_api_list(c, "orders", "orders", query, &answer));
    return c->json ? cmd_print_json(answer) : print_rows(c, answer);
}

static lt_res run_list(struct cmd *c)
{
    struct lt_buf query;
    lt_buf_init(&query, QUERY_MAX);
    lt_res r = list(c, &query);
    lt_buf_done(&query);
    return r;
}

static lt_res say_order(const json_t *order)
{
    static const struct {
        const char *label;
        const char *member;
    } rows[] = {
        {"account", "account"},
        {"profile", "profile"},
        {"created", "created"},
        {"expires", "expires"},
        {"replaces", "replaces"},
        {"rule", "rule"},
        {"waiting since", "waiting_since"},
        {"waiting until", "waiting_until"},
        {"released by plan", "released_by"},
        {"serial", "serial"},
    };
    size_t i;
    json_t *name;
    LT_TRY(cmd_printf("order %s is %s\n", cmd_text(order, "id"), status_of(order)));
    for (size_t k = 0; k < LT_COUNT(rows); k++) {
        const char *text = cmd_text(order, rows[k].member);
        LT_TRY(text[0] == 0 ? LT_OK : cmd_printf("  %-16s  %s\n", rows[k].label, text));
    }
    json_array_foreach(json_object_get(order, "authorizations"), i, name)
    {
        const char *star = json_is_true(json_object_get(name, "wildcard")) ? "*." : "";
        LT_TRY(cmd_printf("  %s%s: %s, proven %s, until %s\n", star, cmd_text(name, "identifier"),
                          cmd_text(name, "status"), cmd_text(name, "validated"), cmd_text(name, "expires")));
    }
    const char *error = cmd_text(json_object_get(order, "error"), "detail");
    return error[0] == 0 ? LT_OK : cmd_printf("  error: %s\n", error);
}

static lt_res run_show(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *order = NULL;
    char path[PATH_SIZE];
    LT_TRY(order_path(c->args.words[0], path));
    LT_TRY(cmd_api_get(c, path, &order));
    return c->json ? cmd_print_json(order) : say_order(order);
}

/* Has who asks the role of an approver? Then proposing and signing are one step. */
static lt_res may_approve(struct cmd *c, bool *ret_yes)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    size_t i;
    size_t k;
    json_t *row;
    json_t *role;
    *ret_yes = false;
    LT_TRY(cmd_api_get(c, "operators?limit=1000", &answer));
    json_array_foreach(json_object_get(answer, "operators"), i, row)
    {
        if (strcmp(cmd_text(row, "name"), cmd_operator_name(c)) != 0) {
            continue;
        }
        json_array_foreach(json_object_get(row, "roles"), k, role)
        {
            *ret_yes = *ret_yes || strcmp(json_string_value(role), "approver") == 0;
        }
    }
    return LT_OK;
}

static lt_res release(struct cmd *c, const json_t *order)
{
    LT_CLEANUP(cmd_json_freep) json_t *payload = NULL;
    LT_CLEANUP(cmd_json_freep) json_t *plan = NULL;
    char expires[LT_RFC3339_SIZE];
    bool approver = false;
    LT_TRY(may_approve(c, &approver));
    lt_time_rfc3339(lt_time_add_seconds(c->now, (int64_t)HOURS * 3600), expires);
    payload = json_pack("{s:s, s:i, s:{s:s}, s:s}", "action", "order.release", "count", 1, "parameters",
                        "order", cmd_text(order, "id"), "expires", expires);
    LT_ASSERT(payload != NULL);
    LT_TRY(cmd_api_post(c, "plans", payload, &plan));
    if (approver) {
        return cmd_approve_plan(c, cmd_text(plan, "id"));
    }
    return c->json ? cmd_print_json(plan)
                   : cmd_printf("plan %s: %s is no approver, so one of them signs it until %s:\n"
                                "lintel approve %s --operator NAME --key FILE --yes\n",
                                cmd_text(plan, "id"), cmd_operator_name(c), expires, cmd_text(plan, "id"));
}

static lt_res run_release(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *order = NULL;
    char path[PATH_SIZE];
    LT_TRY(order_path(c->args.words[0], path));
    LT_TRY(cmd_api_get(c, path, &order));
    LT_CHECK(strcmp(cmd_text(order, "review"), "waiting") == 0, LT_PEER_CONFLICT,
             "order %s waits for nobody; it is %s", cmd_text(order, "id"), cmd_text(order, "status"));
    if (!cmd_flag(c, "yes")) {
        if (c->json) {
            return cmd_print_json(order);
        }
        LT_TRY(say_order(order));
        return cmd_printf("add --yes to release it as %s\n", cmd_operator_name(c));
    }
    return release(c, order);
}

static const struct cmd_option list_options[] = {
    {"waiting", NULL, "only those that wait for a person", false, NULL},
    {"status", "WORD", "only these", false, "pending ready processing valid invalid"},
    {"account", "ID", "only of this account", false, NULL},
    CMD_PAGE_OPTIONS,
};
static const struct cmd_option release_options[] = {CMD_YES_OPTION, CMD_OPERATOR_OPTIONS};

const struct cmd_verb cmd_order_list = {
    .name = "order list",
    .words = "",
    .summary = "list orders; with --waiting, those that a person has to look at",
    .help = "A row of policy/names.yaml with action: review makes an order wait after finalize.\n"
            "\n"
            "examples:\n"
            "  lintel order list --waiting\n"
            "  lintel order list --account 466731012345678901 --all --json\n",
    .options = list_options,
    .option_count = LT_COUNT(list_options),
    .run = run_list,
};
const struct cmd_verb cmd_order_show = {
    .name = "order show",
    .words = "ORDER",
    .words_least = 1,
    .words_most = 1,
    .summary = "show an order, its names and what it waits for",
    .help = "examples:\n  lintel order show 466731012345678901\n",
    .options = NULL,
    .option_count = 0,
    .run = run_show,
};
const struct cmd_verb cmd_order_release = {
    .name = "order release",
    .words = "ORDER",
    .words_least = 1,
    .words_most = 1,
    .summary = "let an order go on that waits for a person",
    .help =
        "Proposes the plan order.release and, where you are an approver, signs and runs it. The examiner\n"
        "verifies the signature for itself. Names, proofs and policy are looked at again before anything\n"
        "is issued. To refuse, do nothing: the order ends when its time is over.\n"
        "\n"
        "examples:\n"
        "  lintel order release 466731012345678901\n"
        "  lintel order release 466731012345678901 --operator berta --key ~/berta.key --yes\n",
    .options = release_options,
    .option_count = LT_COUNT(release_options),
    .run = run_release,
};
