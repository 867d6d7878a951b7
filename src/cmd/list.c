/* The simple lists: accounts, events, plans, operators, CRLs, issuers. Each is a row: path, array, columns.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/api.h"
#include "cmd/verbs.h"

enum { QUERY_MAX = 8192, CELL_MAX = 160 };

struct list {
    const char *path;
    const char *key;
    const char *const *heads;
    const char *const *members; /* one for each head; "a.b" looks inside */
    size_t columns;
    const char *const *filters; /* option names that are query parameters of the same name */
    size_t filter_count;
};

/* Any value as a cell. */
static void cell(const json_t *row, const char *member, char *out, size_t size)
{
    const json_t *v = json_object_get(row, member);
    if (json_is_string(v)) {
        (void)snprintf(out, size, "%.*s", (int)size - 1, json_string_value(v));
    } else if (json_is_null(v) || v == NULL) {
        out[0] = 0;
    } else {
        char *text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
        (void)snprintf(out, size, "%.*s", (int)size - 1, text != NULL ? text : "");
        free(text);
    }
}

static lt_res print(struct cmd *c, const struct list *l, const json_t *answer)
{
    struct cmd_table *t = LT_NEW(&c->arena, struct cmd_table);
    size_t i;
    json_t *row;
    LT_ASSERT(t != NULL);
    cmd_table_init(t, &c->arena, l->heads, l->columns);
    json_array_foreach(json_object_get(answer, l->key), i, row)
    {
        char text[CMD_TABLE_COLUMNS][CELL_MAX];
        const char *cells[CMD_TABLE_COLUMNS];
        for (size_t k = 0; k < l->columns; k++) {
            cell(row, l->members[k], text[k], sizeof(text[k]));
            cells[k] = text[k];
        }
        LT_TRY(cmd_table_row(t, cells));
    }
    LT_TRY(cmd_table_print(t));
    const char *next = cmd_text(answer, "next");
    return next[0] == 0 ? LT_OK : cmd_printf("more: --cursor '%s', or --all\n", next);
}

static lt_res run_with(struct cmd *c, const struct list *l, struct lt_buf *query)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    for (size_t i = 0; i < l->filter_count; i++) {
        cmd_query_add(query, l->filters[i], cmd_value(c, l->filters[i]));
    }
    LT_TRY(cmd_api_list(c, l->path, l->key, query, &answer));
    return c->json ? cmd_print_json(answer) : print(c, l, answer);
}

static lt_res run_list(struct cmd *c, const struct list *l)
{
    struct lt_buf query;
    lt_buf_init(&query, QUERY_MAX);
    lt_res r = run_with(c, l, &query);
    lt_buf_done(&query);
    return r;
}

static lt_res run_accounts(struct cmd *c)
{
    static const char *const heads[] = {"ACCOUNT", "STATUS", "CREATED", "CONTACTS", "FROM", "SUBSCRIBER"};
    static const char *const members[] = {"id", "status", "created", "contacts", "address", "subscriber"};
    static const char *const filters[] = {"status"};
    static const struct list l = {"accounts", "accounts",       heads, members, LT_COUNT(heads),
                                  filters,    LT_COUNT(filters)};
    return run_list(c, &l);
}

static lt_res run_plans(struct cmd *c)
{
    static const char *const heads[] = {"PLAN", "STATUS", "ACTION", "PARAMETERS", "PROPOSER", "EXPIRES"};
    static const char *const members[] = {"id", "status", "action", "parameters", "proposer", "expires"};
    static const char *const filters[] = {"status"};
    static const struct list l = {"plans", "plans",          heads, members, LT_COUNT(heads),
                                  filters, LT_COUNT(filters)};
    return run_list(c, &l);
}

static lt_res run_crls(struct cmd *c)
{
    static const char *const heads[] = {"ISSUER",      "PART",  "NUMBER",  "THIS UPDATE",
                                        "NEXT UPDATE", "STATE", "ENTRIES", "FETCHED"};
    static const char *const members[] = {"issuer",      "shard", "number",  "this_update",
                                          "next_update", "state", "entries", "fetched"};
    static const char *const filters[] = {"issuer"};
    static const struct list l = {"crls",  "crls",           heads, members, LT_COUNT(heads),
                                  filters, LT_COUNT(filters)};
    return run_list(c, &l);
}

static lt_res run_imports(struct cmd *c)
{
    static const char *const heads[] = {"IMPORT", "CREATED", "BY", "ADDED", "ALREADY", "SOURCE", "NOTE"};
    static const char *const members[] = {"import", "created", "by", "added", "already", "source", "note"};
    static const struct list l = {"imports", "imports", heads, members, LT_COUNT(heads), NULL, 0};
    return run_list(c, &l);
}

static lt_res run_issuers(struct cmd *c)
{
    static const char *const heads[] = {"ISSUER", "PARENT", "KEY", "ENDS", "OFFLINE", "SUBJECT"};
    static const char *const members[] = {"name", "parent", "key_type", "not_after", "offline", "subject"};
    static const struct list l = {"issuers", "issuers", heads, members, LT_COUNT(heads), NULL, 0};
    return run_list(c, &l);
}

static lt_res run_halts(struct cmd *c)
{
    static const char *const heads[] = {"HALT", "KIND", "VALUE", "SINCE", "OPERATOR", "LIFTED", "REASON"};
    static const char *const members[] = {"id", "kind", "value", "since", "operator", "lifted", "reason"};
    static const struct list l = {"halts", "halts", heads, members, LT_COUNT(heads), NULL, 0};
    return run_list(c, &l);
}

static lt_res run_events(struct cmd *c)
{
    static const char *const heads[] = {"TIME", "KIND", "SUBJECT", "BODY"};
    static const char *const members[] = {"time", "kind", "subject", "body"};
    static const struct list l = {"events", "events", heads, members, LT_COUNT(heads), NULL, 0};
    struct lt_buf query;
    lt_buf_init(&query, QUERY_MAX);
    cmd_query_add(&query, "id", cmd_value(c, "subject"));
    cmd_query_add(&query, "name", cmd_value(c, "kind"));
    cmd_query_add_time(&query, "issued-from", cmd_value(c, "from"));
    cmd_query_add_time(&query, "issued-until", cmd_value(c, "until"));
    cmd_query_add(&query, "order", cmd_flag(c, "oldest") ? "issued" : NULL);
    cmd_query_add(&query, "der", cmd_flag(c, "attachments") ? "1" : NULL);
    lt_res r = run_with(c, &l, &query);
    lt_buf_done(&query);
    return r;
}

static lt_res run_account_show(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    char path[128];
    const char *id = c->args.words[0];
    LT_CHECK(strlen(id) <= 19 && strspn(id, "0123456789") == strlen(id), LT_PEER_USAGE,
             "\"%.40s\" is no account; they are decimal numbers", id);
    (void)snprintf(path, sizeof(path), "accounts/%s", id);
    LT_TRY(cmd_api_get(c, path, &answer));
    if (c->json) {
        return cmd_print_json(answer);
    }
    static const char *const members[] = {"id",      "status",  "contacts",   "alg",          "thumbprint",
                                          "created", "address", "subscriber", "certificates", "orders"};
    for (size_t i = 0; i < LT_COUNT(members); i++) {
        char text[CELL_MAX];
        cell(answer, members[i], text, sizeof(text));
        LT_TRY(cmd_printf("%-13s %s\n", members[i], text));
    }
    return LT_OK;
}

static const struct cmd_option account_options[] = {
    {"status", "WORD", "with that status", false, "valid deactivated revoked"},
    CMD_PAGE_OPTIONS,
};
static const struct cmd_option plan_options[] = {
    {"status", "WORD", "with that status", false, "proposed approved done expired"},
    CMD_PAGE_OPTIONS,
};
static const struct cmd_option event_options[] = {
    {"subject", "TEXT", "of that subject: \"certificate tls 0a1b…\", \"operator admin\"", false, NULL},
    {"kind", "KIND", "of that kind: certificate.issued, halt.added, …", false, NULL},
    {"from", "TIME", "at or after (RFC 3339, or a day)", false, NULL},
    {"until", "TIME", "before", false, NULL},
    {"oldest", NULL, "oldest first", false, NULL},
    {"attachments", NULL, "with what was signed, as base64 (--json)", false, NULL},
    CMD_PAGE_OPTIONS,
};
static const struct cmd_option crl_options[] = {
    {"issuer", "NAME", "all of that one, with its parts, instead of the newest of each", false, NULL},
    CMD_PAGE_OPTIONS,
};
static const struct cmd_option page_options[] = {CMD_PAGE_OPTIONS};

const struct cmd_verb cmd_account_list = {
    .name = "account list",
    .words = "",
    .summary = "list ACME accounts",
    .help = "examples:\n  lintel account list --status valid --all\n",
    .options = account_options,
    .option_count = LT_COUNT(account_options),
    .run = run_accounts,
};
const struct cmd_verb cmd_account_show = {
    .name = "account show",
    .words = "ID",
    .words_least = 1,
    .words_most = 1,
    .summary = "show one ACME account",
    .help = "examples:\n  lintel account show 466731012345678901\n",
    .options = NULL,
    .option_count = 0,
    .run = run_account_show,
};
const struct cmd_verb cmd_plan_list = {
    .name = "plan list",
    .words = "",
    .summary = "list plans: dangerous operations, and where they stand",
    .help = "examples:\n  lintel plan list --status proposed\n",
    .options = plan_options,
    .option_count = LT_COUNT(plan_options),
    .run = run_plans,
};
const struct cmd_verb cmd_event_list = {
    .name = "event list",
    .words = "",
    .summary = "list events, newest first: every decision, chained by hash",
    .help = "examples:\n"
            "  lintel event list --kind certificate.issued --limit 20\n"
            "  lintel event list --subject 'operator admin' --json\n",
    .options = event_options,
    .option_count = LT_COUNT(event_options),
    .run = run_events,
};
const struct cmd_verb cmd_crl_list = {
    .name = "crl list",
    .words = "",
    .summary = "list the newest CRL of each issuer",
    .help = "examples:\n  lintel crl list --issuer tls\n",
    .options = crl_options,
    .option_count = LT_COUNT(crl_options),
    .run = run_crls,
};
const struct cmd_verb cmd_import_list = {
    .name = "cert imports",
    .words = "",
    .summary = "list what was brought in, newest first",
    .help = "examples:\n  lintel cert imports\n",
    .options = page_options,
    .option_count = LT_COUNT(page_options),
    .run = run_imports,
};
const struct cmd_verb cmd_issuer_list = {
    .name = "issuer list",
    .words = "",
    .summary = "list the issuing CAs and the root",
    .help = "examples:\n  lintel issuer list\n",
    .options = page_options,
    .option_count = LT_COUNT(page_options),
    .run = run_issuers,
};
const struct cmd_verb cmd_halt_list = {
    .name = "halt list",
    .words = "",
    .summary = "list halts, lifted ones too",
    .help = "examples:\n  lintel halt list\n",
    .options = page_options,
    .option_count = LT_COUNT(page_options),
    .run = run_halts,
};
