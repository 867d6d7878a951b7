/* lintel key block: a public key that nothing is issued for any more, at once. lintel key unblock and lintel
 * plan propose: the opposite, and every other plan, which others then approve. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ca/parameters.h"
#include "cmd/api.h"
#include "cmd/verbs.h"
#include "lint/lint.h"

enum { HASH_DIGITS = 64, HOURS_DEFAULT = 24, HOURS_MAX = 7 * 24 };

/* What each action takes; the same words as the registrar's table. */
static const struct {
    const char *action;
    const char *keys;
} actions[] = {
    {CA_ACTION_HALT_LIFT, "halt"},
    {CA_ACTION_KEY_UNBLOCK, "spki-sha256"},
    {CA_ACTION_LINT_EXCEPTION, "expires profile rule"},
    {"mass.revoke", "mass reason root"},
    {"order.release", "order"},
    {"profile.change", "profile sha256"},
    {"restore", "backup"},
};

static lt_res check_hash(const char *text)
{
    LT_CHECK(strlen(text) == HASH_DIGITS && strspn(text, "0123456789abcdef") == HASH_DIGITS, LT_PEER_USAGE,
             "\"%.70s\" is no SHA-256 of a public key: 64 hex digits in lower case, as `cert show` says them",
             text);
    return LT_OK;
}

static lt_res run_block(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *payload = NULL;
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    const char *hash = c->args.words[0];
    const char *reason = cmd_value(c, "reason");
    LT_TRY(check_hash(hash));
    LT_CHECK(reason != NULL, LT_PEER_USAGE, "--reason TEXT is needed");
    if (!cmd_flag(c, "yes")) {
        return cmd_would(c, "would block the key %s for good: nothing is issued for it any more; add --yes",
                         hash);
    }
    payload = json_pack("{s:s, s:s}", "spki-sha256", hash, "text", reason);
    LT_CHECK(payload != NULL, LT_PEER_USAGE, "--reason is no UTF-8");
    LT_TRY(cmd_api_post(c, "key-blocks", payload, &answer));
    return c->json ? cmd_print_json(answer)
                   : cmd_printf("blocked: %s. Its certificates stay as they are: lintel cert find --key %s\n",
                                hash, hash);
}

static lt_res propose(struct cmd *c, const char *action, json_t *parameters)
{
    LT_CLEANUP(cmd_json_freep) json_t *payload = NULL;
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    char expires[LT_RFC3339_SIZE];
    uint64_t hours = 0;
    LT_TRY(cmd_number(c, "hours", HOURS_DEFAULT, HOURS_MAX, &hours));
    lt_time_rfc3339(lt_time_add_seconds(c->now, (int64_t)hours * 3600), expires);
    payload = json_pack("{s:s, s:i, s:O, s:s}", "action", action, "count", 1, "parameters", parameters,
                        "expires", expires);
    LT_ASSERT(payload != NULL);
    if (!cmd_flag(c, "yes")) {
        LT_TRY(cmd_print_json(payload));
        return c->json ? LT_OK : cmd_printf("would propose that; add --yes to do it\n");
    }
    LT_TRY(cmd_api_post(c, "plans", payload, &answer));
    return c->json ? cmd_print_json(answer)
                   : cmd_printf("plan %s needs %lld approvals until %s:\nlintel approve %s --operator NAME "
                                "--key FILE --yes\n",
                                cmd_text(answer, "id"), (long long)cmd_int(answer, "needed"),
                                cmd_text(answer, "expires"), cmd_text(answer, "id"));
}

static lt_res run_unblock(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *parameters = NULL;
    LT_TRY(check_hash(c->args.words[0]));
    parameters = json_pack("{s:s}", "spki-sha256", c->args.words[0]);
    LT_ASSERT(parameters != NULL);
    return propose(c, CA_ACTION_KEY_UNBLOCK, parameters);
}

static lt_res take_parameter(struct cmd *c, const char *word, json_t *parameters)
{
    lt_slice whole = lt_slice_cstr(word);
    size_t equals = lt_slice_find(whole, '=');
    const char *key = lt_arena_cstr(&c->arena, lt_slice_sub(whole, 0, equals));
    LT_CHECK(key != NULL && equals > 0 && equals < whole.len, LT_PEER_USAGE, "\"%.60s\": write KEY=VALUE",
             word);
    LT_CHECK(json_object_set_new(parameters, key, json_string(word + equals + 1)) == 0, LT_PEER_USAGE,
             "\"%.60s\" is no UTF-8", word);
    return LT_OK;
}

/* An exception for a rule that is none would be approved by two people and change nothing. A blank in a name
 * is written "_", as no word of a plan has one. */
static lt_res check_rule(struct cmd *c, json_t *parameters)
{
    const char *name = json_string_value(json_object_get(parameters, "rule"));
    for (size_t i = 0; name != NULL && i < lint_rule_count(); i++) {
        const char *id = lint_rule_at(i)->id;
        size_t at = 0;
        while (name[at] != 0 && (name[at] == id[at] || (name[at] == '_' && id[at] == ' '))) {
            at++;
        }
        if (name[at] == 0 && id[at] == 0) {
            return LT_OK;
        }
    }
    LT_CHECK(strcmp(c->args.words[0], CA_ACTION_LINT_EXCEPTION) != 0, LT_PEER_USAGE,
             "there is no rule \"%.80s\"; lintel lint --list names them", name == NULL ? "" : name);
    return LT_OK;
}

static lt_res run_propose(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *parameters = json_object();
    const char *keys = NULL;
    LT_ASSERT(parameters != NULL);
    for (size_t i = 0; i < LT_COUNT(actions); i++) {
        keys = strcmp(actions[i].action, c->args.words[0]) == 0 ? actions[i].keys : keys;
    }
    LT_CHECK(keys != NULL, LT_PEER_USAGE,
             "\"%.40s\" is no action; write halt.lift, key-block.remove, lint.exception, order.release, "
             "profile.change or restore",
             c->args.words[0]);
    for (size_t i = 1; i < c->args.word_count; i++) {
        LT_TRY(take_parameter(c, c->args.words[i], parameters));
    }
    lt_slice rest = lt_slice_cstr(keys);
    lt_slice key;
    size_t count = 0;
    while (lt_slice_split(&rest, ' ', &key)) {
        const char *name = lt_arena_cstr(&c->arena, key);
        LT_CHECK(name != NULL && json_object_get(parameters, name) != NULL, LT_PEER_USAGE, "%s takes: %s",
                 c->args.words[0], keys);
        count++;
    }
    LT_CHECK(json_object_size(parameters) == count, LT_PEER_USAGE, "%s takes: %s", c->args.words[0], keys);
    LT_TRY(check_rule(c, parameters));
    return propose(c, c->args.words[0], parameters);
}

static const struct cmd_option block_options[] = {
    {"reason", "TEXT", "why; kept with the event", false, NULL},
    CMD_YES_OPTION,
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option propose_options[] = {
    {"hours", "N", "until the plan expires (default: 24, at most 168)", false, NULL},
    CMD_YES_OPTION,
    CMD_OPERATOR_OPTIONS,
};

const struct cmd_verb cmd_key_block = {
    .name = "key block",
    .words = "SHA256",
    .words_least = 1,
    .words_most = 1,
    .summary = "block a public key: nothing is issued for it any more",
    .help = "Works at once, in registrar and examiner. SHA256 is that of the SubjectPublicKeyInfo, as cert "
            "show says it.\n"
            "\n"
            "examples:\n"
            "  lintel key block 7cdda6d1492e516db1bbf465211fc7d6fd99dc748a0f039aaae3e9eb740f668f --reason "
            "leaked --yes\n",
    .options = block_options,
    .option_count = LT_COUNT(block_options),
    .run = run_block,
};
const struct cmd_verb cmd_key_unblock = {
    .name = "key unblock",
    .words = "SHA256",
    .words_least = 1,
    .words_most = 1,
    .summary = "take a key off the list again: proposes a plan that others approve",
    .help = "examples:\n"
            "  lintel key unblock 7cdda6d1492e516db1bbf465211fc7d6fd99dc748a0f039aaae3e9eb740f668f --yes\n",
    .options = propose_options,
    .option_count = LT_COUNT(propose_options),
    .run = run_unblock,
};
const struct cmd_verb cmd_plan_propose = {
    .name = "plan propose",
    .words = "ACTION [KEY=VALUE ...]",
    .words_least = 1,
    .words_most = CMD_WORDS_MAX,
    .summary = "propose any plan: halt.lift, key-block.remove, lint.exception, profile.change, restore",
    .help = "Each action takes: halt.lift halt; key-block.remove spki-sha256; lint.exception expires, "
            "profile, rule;\n"
            "profile.change profile, sha256; restore backup.\n"
            "\n"
            "examples:\n"
            "  lintel plan propose lint.exception rule=e_dnsname_label_too_long profile=tls-server \\\n"
            "      expires=2026-12-24T00:00:00Z --yes\n",
    .options = propose_options,
    .option_count = LT_COUNT(propose_options),
    .run = run_propose,
};
