/* lintel account, plan, crl, issuer, halt, event list, cert imports: each is a row. */
#include <stdio.h>
#include <string.h>

#include "cmd/list.h"
#include "cmd/verbs.h"

enum { QUERY_MAX = 8192 };

static lt_res run_accounts(struct cmd *c)
{
    static const struct cmd_list l = {
        .path = "accounts",
        .key = "accounts",
        .columns = {{"ACCOUNT", "id", 0},
                    {"STATUS", "status", 0},
                    {"CREATED", "created", 0},
                    {"CONTACTS", "contacts", 0},
                    {"FROM", "address", 0},
                    {"SUBSCRIBER", "subscriber", 0}},
        .filters = {{"status", "status"}},
    };
    return cmd_list(c, &l);
}

static lt_res run_plans(struct cmd *c)
{
    static const struct cmd_list l = {
        .path = "plans",
        .key = "plans",
        .columns = {{"PLAN", "id", 0},
                    {"STATUS", "status", 0},
                    {"ACTION", "action", 0},
                    {"PARAMETERS", "parameters", 0},
                    {"PROPOSER", "proposer", 0},
                    {"EXPIRES", "expires", 0}},
        .filters = {{"status", "status"}},
    };
    return cmd_list(c, &l);
}

static lt_res run_crls(struct cmd *c)
{
    static const struct cmd_list l = {
        .path = "crls",
        .key = "crls",
        .columns = {{"ISSUER", "issuer", 0},
                    {"PART", "shard", 0},
                    {"NUMBER", "number", 0},
                    {"THIS UPDATE", "this_update", 0},
                    {"NEXT UPDATE", "next_update", 0},
                    {"STATE", "state", 0},
                    {"ENTRIES", "entries", 0},
                    {"FETCHED", "fetched", 0}},
        .filters = {{"issuer", "issuer"}},
    };
    return cmd_list(c, &l);
}

static lt_res run_imports(struct cmd *c)
{
    static const struct cmd_list l = {
        .path = "imports",
        .key = "imports",
        .columns = {{"IMPORT", "import", 0},
                    {"CREATED", "created", 0},
                    {"BY", "by", 0},
                    {"ADDED", "added", 0},
                    {"ALREADY", "already", 0},
                    {"SOURCE", "source", 0},
                    {"NOTE", "note", 0}},
    };
    return cmd_list(c, &l);
}

static lt_res run_issuers(struct cmd *c)
{
    static const struct cmd_list l = {
        .path = "issuers",
        .key = "issuers",
        .columns = {{"ISSUER", "name", 0},
                    {"PARENT", "parent", 0},
                    {"KEY", "key_type", 0},
                    {"ENDS", "not_after", 0},
                    {"OFFLINE", "offline", 0},
                    {"SUBJECT", "subject", 0}},
    };
    return cmd_list(c, &l);
}

static lt_res run_halts(struct cmd *c)
{
    static const struct cmd_list l = {
        .path = "halts",
        .key = "halts",
        .columns = {{"HALT", "id", 0},
                    {"KIND", "kind", 0},
                    {"VALUE", "value", 0},
                    {"SINCE", "since", 0},
                    {"OPERATOR", "operator", 0},
                    {"LIFTED", "lifted", 0},
                    {"REASON", "reason", 0}},
    };
    return cmd_list(c, &l);
}

static lt_res run_events(struct cmd *c)
{
    static const struct cmd_list l = {
        .path = "events",
        .key = "events",
        .columns = {{"TIME", "time", 0}, {"KIND", "kind", 0}, {"SUBJECT", "subject", 0}, {"BODY", "body", 0}},
    };
    struct lt_buf query;
    lt_buf_init(&query, QUERY_MAX);
    cmd_query_add(&query, "id", cmd_value(c, "subject"));
    cmd_query_add(&query, "name", cmd_value(c, "kind"));
    cmd_query_add_time(&query, "issued-from", cmd_value(c, "from"));
    cmd_query_add_time(&query, "issued-until", cmd_value(c, "until"));
    cmd_query_add(&query, "order", cmd_flag(c, "oldest") ? "issued" : NULL);
    cmd_query_add(&query, "der", cmd_flag(c, "attachments") ? "1" : NULL);
    lt_res r = cmd_list_with(c, &l, &query);
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
        char text[CMD_CELL_MAX];
        cmd_cell(answer, members[i], text);
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
