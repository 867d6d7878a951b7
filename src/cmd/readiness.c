/* lintel readiness list, show, worklist; lintel holdout list: who can replace certificates in time, and whom
 * somebody must call. */
#include "cmd/readiness.h"

#include <stdio.h>
#include <string.h>

#include "cmd/api.h"
#include "cmd/verbs.h"

enum { QUERY_MAX = 8192 };

#define TIERS "automatic unattended reachable by-hand hold-out"

lt_res cmd_readiness_path(const char *account, const char *rest, char ret_path[READINESS_PATH_SIZE])
{
    size_t len = strlen(account);
    LT_CHECK(len > 0 && len <= READINESS_ID_MAX && strspn(account, "0123456789") == len, LT_PEER_USAGE,
             "\"%.40s\" is no account; see lintel readiness list", account);
    (void)snprintf(ret_path, READINESS_PATH_SIZE, "readiness/%s%s", account,
                   rest); /* measured, and our own */
    return LT_OK;
}

static const char *number(struct cmd *c, int64_t n)
{
    const char *text = lt_arena_printf(&c->arena, "%lld%s", (long long)n, n >= 1000 ? "+" : "");
    return text == NULL ? "" : text;
}

static const char *or_dash(const char *text)
{
    return text[0] == '\0' ? "-" : text;
}

static lt_res say_next(const json_t *answer)
{
    const char *next = cmd_text(answer, "next");
    return next[0] == 0 ? LT_OK : cmd_printf("more: --cursor '%s', or --all\n", next);
}

/* ---- list ---- */

static lt_res print_list(struct cmd *c, const json_t *answer)
{
    static const char *const heads[] = {"ACCOUNT", "TIER",    "CERTIFICATES", "CLIENT",
                                        "ASKED",   "RENEWED", "TERMS",        "SUBSCRIBER"};
    struct cmd_table *t = cmd_table_new(c, heads, LT_COUNT(heads));
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(answer, "subscribers"), i, row)
    {
        const char *const cells[] = {cmd_text(row, "account"),
                                     cmd_text(row, "tier"),
                                     number(c, cmd_int(row, "certificates")),
                                     or_dash(cmd_text(row, "client")),
                                     or_dash(cmd_text(row, "polled")),
                                     or_dash(cmd_text(row, "renewed")),
                                     or_dash(cmd_text(row, "terms")),
                                     cmd_text(row, "subscriber")};
        LT_TRY(cmd_table_row(t, cells));
    }
    LT_TRY(cmd_table_print(t));
    return say_next(answer);
}

static lt_res run_list(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    struct lt_buf query;
    lt_buf_init(&query, QUERY_MAX);
    cmd_query_add(&query, "status", cmd_value(c, "tier"));
    lt_res r = cmd_api_list(c, "readiness", "subscribers", &query, &answer);
    lt_buf_done(&query);
    LT_TRY(r);
    return c->json ? cmd_print_json(answer) : print_list(c, answer);
}

/* ---- show ---- */

static void add_facts(struct lt_buf *out, const json_t *facts)
{
    size_t i;
    json_t *fact;
    json_array_foreach(facts, i, fact)
    {
        lt_buf_addf(out, "%s%s", i == 0 ? "" : ", ", json_string_value(fact));
    }
}

static void add_addresses(struct lt_buf *out, const json_t *e)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(e, "contacts"), i, row)
    {
        lt_buf_addf(out, "contact      %s\n", json_string_value(row));
    }
    json_array_foreach(json_object_get(e, "addresses"), i, row)
    {
        const char *verified = cmd_text(row, "verified");
        const char *bounced = cmd_text(row, "bounced");
        lt_buf_addf(out, "address      %s", cmd_text(row, "address"));
        if (verified[0] != '\0') {
            lt_buf_addf(out, ", verified %s (%s)", verified, cmd_text(row, "verified_by"));
        }
        if (bounced[0] != '\0') {
            lt_buf_addf(out, ", came back %s (%s)", bounced, cmd_text(row, "bounce"));
        }
        lt_buf_add_byte(out, '\n');
    }
}

static void add_history(struct lt_buf *out, const json_t *e)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(e, "holdouts"), i, row)
    {
        lt_buf_addf(out, "holds out    since %s, says %s: %s (%s)\n", cmd_text(row, "since"),
                    cmd_text(row, "who"), cmd_text(row, "reason"), cmd_text(row, "id"));
    }
    json_array_foreach(json_object_get(e, "calls"), i, row)
    {
        lt_buf_addf(
            out, "call         %s %s, %s%s%s%s%s (%s)\n", cmd_text(row, "called"), cmd_text(row, "who"),
            cmd_text(row, "outcome"), cmd_text(row, "note")[0] == '\0' ? "" : ": ", cmd_text(row, "note"),
            cmd_text(row, "again")[0] == '\0' ? "" : "; again ", cmd_text(row, "again"), cmd_text(row, "by"));
    }
    json_array_foreach(json_object_get(e, "links"), i, row)
    {
        lt_buf_addf(out, "link         until %s, by %s, %lld requests came by it\n", cmd_text(row, "expires"),
                    cmd_text(row, "by"), (long long)cmd_int(row, "requests"));
    }
    json_array_foreach(json_object_get(e, "polled_certificates"), i, row)
    {
        lt_buf_addf(out, "asked        %lld times for %s %s, last %s, %s\n", (long long)cmd_int(row, "polls"),
                    cmd_text(row, "issuer"), cmd_text(row, "serial"), cmd_text(row, "last"),
                    or_dash(cmd_text(row, "client")));
    }
}

static lt_res print_one(struct cmd *c, const json_t *e)
{
    struct lt_buf out;
    lt_buf_init(&out, 1 << 20);
    lt_buf_addf(&out, "account      %s%s%s\n", cmd_text(e, "account"),
                cmd_text(e, "subscriber")[0] == '\0' ? "" : ", ", cmd_text(e, "subscriber"));
    lt_buf_addf(&out, "tier         %s since %s: %s\n", cmd_text(e, "tier"), cmd_text(e, "since"),
                cmd_text(e, "means"));
    lt_buf_add_cstr(&out, "facts        ");
    add_facts(&out, json_object_get(e, "facts"));
    lt_buf_addf(&out, "%s\n", json_array_size(json_object_get(e, "facts")) == 0 ? "none" : "");
    lt_buf_addf(&out, "certificates %s\nclient       %s\n", number(c, cmd_int(e, "certificates")),
                or_dash(cmd_text(e, "client")));
    lt_buf_addf(&out, "asked        %lld times, last %s\nrenewed      %lld times, last %s; told what, %s\n",
                (long long)cmd_int(e, "polls"), or_dash(cmd_text(e, "polled")),
                (long long)cmd_int(e, "renewals"), or_dash(cmd_text(e, "renewed")),
                or_dash(cmd_text(e, "told")));
    lt_buf_addf(&out, "terms        %s%s\n", or_dash(cmd_text(e, "terms")),
                json_is_true(json_object_get(e, "clause"))
                    ? ", with the clause about revocation and cooperation"
                    : "");
    if (json_is_true(json_object_get(e, "cannot_tolerate"))) {
        lt_buf_addf(&out, "says         it cannot tolerate revocation: %s\n", cmd_text(e, "reason"));
    }
    add_addresses(&out, e);
    add_history(&out, e);
    lt_buf_addf(&out, "advice       %s\n", cmd_text(e, "advice"));
    lt_res r = lt_buf_check(&out);
    r = lt_failed(r) ? r : cmd_print(lt_buf_slice(&out));
    lt_buf_done(&out);
    return r;
}

static lt_res run_show(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *e = NULL;
    char path[READINESS_PATH_SIZE];
    LT_TRY(cmd_readiness_path(c->args.words[0], "", path));
    LT_TRY(cmd_api_get(c, path, &e));
    return c->json ? cmd_print_json(e) : print_one(c, e);
}

/* ---- worklist ---- */

static const char *first_contact(struct cmd *c, const json_t *row)
{
    const json_t *list = json_object_get(row, "contacts");
    const char *first = json_string_value(json_array_get(list, 0));
    const char *text = first == NULL ? NULL
                                     : lt_arena_printf(&c->arena, "%s%s", first,
                                                       json_array_size(list) > 1 ? ", …" : "");
    return text == NULL ? "-" : text;
}

static lt_res print_work(struct cmd *c, const json_t *answer)
{
    static const char *const heads[] = {"ACCOUNT",   "TIER",    "CERTIFICATES", "NEXT END",  "CONTACT",
                                        "LAST CALL", "OUTCOME", "AGAIN",        "SUBSCRIBER"};
    struct cmd_table *t = cmd_table_new(c, heads, LT_COUNT(heads));
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(answer, "worklist"), i, row)
    {
        const char *const cells[] = {cmd_text(row, "account"),
                                     cmd_text(row, "tier"),
                                     number(c, cmd_int(row, "certificates")),
                                     cmd_text(row, "next_end"),
                                     first_contact(c, row),
                                     or_dash(cmd_text(row, "called")),
                                     or_dash(cmd_text(row, "outcome")),
                                     or_dash(cmd_text(row, "again")),
                                     cmd_text(row, "subscriber")};
        LT_TRY(cmd_table_row(t, cells));
    }
    LT_TRY(cmd_table_print(t));
    return say_next(answer);
}

static lt_res run_worklist(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    struct lt_buf query;
    lt_buf_init(&query, QUERY_MAX);
    cmd_query_add(&query, "status", cmd_value(c, "tier"));
    cmd_query_add(&query, "order", cmd_flag(c, "due") ? "due" : NULL);
    lt_res r = cmd_api_list(c, "readiness/worklist", "worklist", &query, &answer);
    lt_buf_done(&query);
    LT_TRY(r);
    return c->json ? cmd_print_json(answer) : print_work(c, answer);
}

/* ---- hold-outs ---- */

static lt_res run_holdouts(struct cmd *c)
{
    static const char *const heads[] = {"ID", "ACCOUNT", "DOMAIN", "WHO", "REASON", "SINCE", "BY", "LIFTED"};
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    struct lt_buf query;
    size_t i;
    json_t *row;
    lt_buf_init(&query, QUERY_MAX);
    lt_res r = cmd_api_list(c, "holdouts", "holdouts", &query, &answer);
    lt_buf_done(&query);
    LT_TRY(r);
    if (c->json) {
        return cmd_print_json(answer);
    }
    struct cmd_table *t = cmd_table_new(c, heads, LT_COUNT(heads));
    json_array_foreach(json_object_get(answer, "holdouts"), i, row)
    {
        const char *account = cmd_text(row, "account");
        const char *const cells[] = {cmd_text(row, "id"),
                                     strcmp(account, "0") == 0 ? "-" : account,
                                     or_dash(cmd_text(row, "name")),
                                     cmd_text(row, "who"),
                                     cmd_text(row, "reason"),
                                     cmd_text(row, "since"),
                                     cmd_text(row, "by"),
                                     or_dash(cmd_text(row, "lifted"))};
        LT_TRY(cmd_table_row(t, cells));
    }
    LT_TRY(cmd_table_print(t));
    return say_next(answer);
}

static const struct cmd_option list_options[] = {
    {"tier", "TIER", "of this tier alone", false, TIERS},
    CMD_PAGE_OPTIONS,
};
static const struct cmd_option work_options[] = {
    {"tier", "TIER", "of this tier alone", false, "by-hand reachable hold-out"},
    {"due", NULL, "only who was never called, or is to be called again by now", false, NULL},
    CMD_PAGE_OPTIONS,
};
static const struct cmd_option page_options[] = {CMD_PAGE_OPTIONS};

const struct cmd_verb cmd_readiness_list = {
    .name = "readiness list",
    .words = "",
    .summary = "list subscribers by how well they can replace certificates",
    .help = "Tiers, in the order in which a mass revocation takes them: automatic (asks when to renew, and\n"
            "does), unattended (renews at its own time), reachable (somebody reads our letters), by-hand\n"
            "(somebody must be found), hold-out. 1000+ certificates are not counted further.\n"
            "\n"
            "examples:\n"
            "  lintel readiness list --tier by-hand\n"
            "  lintel scope 'tier = by-hand and valid' --count\n",
    .options = list_options,
    .option_count = LT_COUNT(list_options),
    .run = run_list,
};
const struct cmd_verb cmd_readiness_show = {
    .name = "readiness show",
    .words = "ACCOUNT",
    .words_least = 1,
    .words_most = 1,
    .summary = "show why a subscriber is in its tier, and what was said with it",
    .help = "examples:\n  lintel readiness show 7161283018232531917\n",
    .run = run_show,
};
const struct cmd_verb cmd_readiness_worklist = {
    .name = "readiness worklist",
    .words = "",
    .summary = "list who has certificates and will not replace them by himself",
    .help = "With contacts, the end of the certificate that ends first, and what the last call came to.\n"
            "\n"
            "examples:\n"
            "  lintel readiness worklist --due\n"
            "  lintel readiness worklist --tier hold-out --json\n",
    .options = work_options,
    .option_count = LT_COUNT(work_options),
    .run = run_worklist,
};
const struct cmd_verb cmd_holdout_list = {
    .name = "holdout list",
    .words = "",
    .summary = "list who will not replace in time, by name",
    .help = "examples:\n  lintel holdout list\n",
    .options = page_options,
    .option_count = LT_COUNT(page_options),
    .run = run_holdouts,
};
