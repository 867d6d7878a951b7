/* lintel eab create, list, revoke: keys that are given to customers, so that their ACME accounts are known
 * (RFC 8555 7.3.4) and order only what they were given the key for. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cmd/api.h"
#include "cmd/verbs.h"

enum { PATH_SIZE = 160, KID_MAX = 100, QUERY_MAX = 8192, WORDS_MAX = 64 * 1024 };

static lt_res add_texts(const struct cmd *c, const char *option, json_t *payload, const char *member)
{
    const char *word;
    json_t *list = json_array();
    LT_ASSERT(list != NULL && json_object_set_new(payload, member, list) == 0);
    for (size_t i = 0; (word = cmd_value_nth(c, option, i)) != NULL; i++) {
        LT_CHECK(json_array_append_new(list, json_string(word)) == 0, LT_PEER_USAGE, "--%s is no UTF-8",
                 option);
    }
    return LT_OK;
}

static lt_res add_numbers(const struct cmd *c, json_t *payload)
{
    static const struct {
        const char *option;
        const char *member;
        uint64_t times;
    } rows[] = {{"accounts", "accounts", 1}, {"orders-per-day", "orders", 1}};
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        uint64_t value = 0;
        LT_TRY(cmd_number(c, rows[i].option, 0, UINT32_MAX, &value));
        LT_ASSERT(json_object_set_new(payload, rows[i].member, json_integer((json_int_t)value)) == 0);
    }
    return LT_OK;
}

static lt_res add_expiry(const struct cmd *c, json_t *payload)
{
    const char *text = cmd_value(c, "expires");
    char full[64];
    lt_time when;
    if (text == NULL) {
        return LT_OK;
    }
    (void)snprintf(full, sizeof full, "%.40s%s", text, strlen(text) == 10 ? "T00:00:00Z" : "");
    LT_CHECK(!lt_failed(lt_time_parse(lt_slice_cstr(full), &when)), LT_PEER_USAGE,
             "--expires is a day (2027-01-31) or an RFC 3339 time");
    LT_ASSERT(json_object_set_new(payload, "expires", json_string(full)) == 0);
    return LT_OK;
}

static lt_res run_create(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    LT_ASSERT(payload != NULL);
    LT_CHECK(json_object_set_new(payload, "note", json_string(c->args.words[0])) == 0, LT_PEER_USAGE,
             "the note is no UTF-8");
    LT_TRY(add_texts(c, "profile", payload, "profiles"));
    LT_TRY(add_texts(c, "domain", payload, "suffixes"));
    LT_TRY(add_numbers(c, payload));
    LT_TRY(add_expiry(c, payload));
    LT_TRY(cmd_api_post(c, "eab", payload, &answer));
    return c->json ? cmd_print_json(answer)
                   : cmd_printf("kid:      %s\nhmac-key: %s\nHand both over now: the second is not shown "
                                "again.\n",
                                cmd_text(answer, "kid"), cmd_text(answer, "hmac_key"));
}

static lt_res run_revoke(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    char path[PATH_SIZE];
    const char *kid = c->args.words[0];
    size_t len = strlen(kid);
    LT_ASSERT(payload != NULL);
    LT_CHECK(len > 0 && len <= KID_MAX &&
                 strspn(kid, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                             "0123456789-_") == len,
             LT_PEER_USAGE, "\"%.60s\" is no key identifier", kid);
    if (!cmd_flag(c, "yes")) {
        return cmd_would(c,
                         "would revoke the external account key %s: no account is bound to it any more, and "
                         "those that are order nothing; add --yes to do it",
                         kid);
    }
    (void)snprintf(path, sizeof path, "eab/%s/revoke", kid);
    LT_TRY(cmd_api_post(c, path, payload, &answer));
    return c->json ? cmd_print_json(answer)
                   : cmd_printf("revoked %s; accounts bound to it: %lld\n", kid,
                                (long long)cmd_int(answer, "accounts"));
}

/* "3/10", or "3" where there is no limit. */
static void used(char *out, size_t size, int64_t count, int64_t most)
{
    if (most == 0) {
        (void)snprintf(out, size, "%lld", (long long)count);
    } else {
        (void)snprintf(out, size, "%lld/%lld", (long long)count, (long long)most);
    }
}

/* "example.com, tls-server": everything that its accounts are held to; "anything" where nothing is. */
static const char *good_for(struct cmd *c, const json_t *row)
{
    static const char *const members[] = {"suffixes", "profiles"};
    struct lt_buf words;
    lt_buf_init(&words, WORDS_MAX);
    for (size_t i = 0; i < LT_COUNT(members); i++) {
        size_t n;
        json_t *word;
        json_array_foreach(json_object_get(row, members[i]), n, word)
        {
            lt_buf_add_cstr(&words, words.len == 0 ? "" : ", ");
            lt_buf_add_cstr(&words, json_string_value(word));
        }
    }
    lt_buf_add_cstr(&words, words.len == 0 ? "anything" : "");
    const char *text = lt_arena_cstr(&c->arena, lt_buf_slice(&words));
    lt_buf_done(&words);
    return text == NULL ? "" : text;
}

static lt_res print_rows(struct cmd *c, const json_t *answer)
{
    static const char *const heads[] = {"KID", "STATUS", "ACCOUNTS", "ORDERS", "FOR", "EXPIRES", "NOTE"};
    size_t i;
    json_t *row;
    struct cmd_table *t = cmd_table_new(c, heads, LT_COUNT(heads));
    json_array_foreach(json_object_get(answer, "keys"), i, row)
    {
        char accounts[64];
        char orders[64];
        used(accounts, sizeof accounts, cmd_int(row, "accounts"), cmd_int(row, "accounts_most"));
        used(orders, sizeof orders, cmd_int(row, "orders"), cmd_int(row, "orders_most"));
        const char *const cells[] = {
            cmd_text(row, "kid"),     cmd_text(row, "status"), accounts, orders, good_for(c, row),
            cmd_text(row, "expires"), cmd_text(row, "note")};
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
    lt_res r = cmd_api_list(c, "eab", "keys", &query, &answer);
    lt_buf_done(&query);
    LT_TRY(r);
    return c->json ? cmd_print_json(answer) : print_rows(c, answer);
}

static const struct cmd_option create_options[] = {
    {"profile", "NAME", "a profile that its accounts may order; again for more (default: any)", true, NULL},
    {"domain", "DOMAIN", "a domain that their names lie below; again for more (default: any)", true, NULL},
    {"accounts", "N", "so many accounts may be bound to it (default: any number)", false, NULL},
    {"orders-per-day", "N", "all its accounts together (default: any number)", false, NULL},
    {"expires", "TIME", "no account is bound to it from then on (default: never)", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option list_options[] = {CMD_PAGE_OPTIONS};
static const struct cmd_option revoke_options[] = {CMD_YES_OPTION, CMD_OPERATOR_OPTIONS};

const struct cmd_verb cmd_eab_create = {
    .name = "eab create",
    .words = "NOTE",
    .words_least = 1,
    .words_most = 1,
    .summary = "make a key for external account binding",
    .help = "An ACME account that is made with it is bound to it for good, and orders what it allows.\n"
            "acme.external-account-required in lintel.yaml refuses accounts without one.\n"
            "\n"
            "examples:\n"
            "  lintel eab create \"customer 4711\" --domain example.com --accounts 3\n"
            "  lintel eab create laboratory --profile tls-server-short --orders-per-day 1000 --json\n",
    .options = create_options,
    .option_count = LT_COUNT(create_options),
    .run = run_create,
};
const struct cmd_verb cmd_eab_list = {
    .name = "eab list",
    .words = "",
    .summary = "list the keys for external account binding, without their secrets",
    .help = "examples:\n  lintel eab list --json\n",
    .options = list_options,
    .option_count = LT_COUNT(list_options),
    .run = run_list,
};
const struct cmd_verb cmd_eab_revoke = {
    .name = "eab revoke",
    .words = "KID",
    .words_least = 1,
    .words_most = 1,
    .summary = "revoke a key for external account binding",
    .help = "Its accounts keep their certificates and can revoke them, but order nothing more.\n"
            "\n"
            "examples:\n"
            "  lintel eab revoke oN3vDqk2Tz6q0mXb7C1aLw --yes\n",
    .options = revoke_options,
    .option_count = LT_COUNT(revoke_options),
    .run = run_revoke,
};
