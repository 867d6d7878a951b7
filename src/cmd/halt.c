/* lintel halt: stops issuance at once, by one operator. lintel resume: lifts a halt again, which is a plan
 * that needs signed approvals; the examiner verifies them for itself. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ca/parameters.h"
#include "cmd/api.h"
#include "cmd/verbs.h"

enum { PLAN_LIFE_S = 24 * 3600, MATCHES_MAX = 100 };

/* What is halted: an option for each kind. */
static const struct {
    const char *option;
    const char *kind;
} scopes[] = {
    {"all", "all"},         {"profile", "profile"}, {"issuer", "issuer"},
    {"account", "account"}, {"method", "method"},   {"name-suffix", "name-suffix"},
};

#define SCOPE_OPTIONS                                                                          \
    {"all", NULL, "everything", false, NULL}, {"profile", "NAME", "one profile", false, NULL}, \
        {"issuer", "NAME", "one issuing CA", false, NULL},                                     \
        {"account", "ID", "one ACME account", false, NULL},                                    \
        {"method", "NAME", "what one method of validation proved: dns-01", false, NULL},       \
    {                                                                                          \
        "name-suffix", "DOMAIN", "a name and all below it", false, NULL                        \
    }

static lt_res chosen_scope(const struct cmd *c, const char **ret_kind, const char **ret_value)
{
    size_t count = 0;
    *ret_kind = NULL;
    for (size_t i = 0; i < LT_COUNT(scopes); i++) {
        if (cmd_flag(c, scopes[i].option)) {
            *ret_kind = scopes[i].kind;
            *ret_value = cmd_value_or(c, scopes[i].option, "");
            count++;
        }
    }
    LT_CHECK(count <= 1, LT_PEER_USAGE,
             "give one of --all, --profile, --issuer, --account, --method, --name-suffix");
    for (const char *v = count == 0 ? "" : *ret_value; *v != 0; v++) {
        LT_CHECK(*v < 'A' || *v > 'Z', LT_PEER_USAGE, "%s: write it in lower case", *ret_value);
    }
    return LT_OK;
}

static lt_res run_halt(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *payload = NULL;
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    const char *kind = NULL;
    const char *value = NULL;
    LT_TRY(chosen_scope(c, &kind, &value));
    const char *reason = cmd_value(c, "reason");
    LT_CHECK(kind != NULL && reason != NULL, LT_PEER_USAGE,
             "say what to halt (--all, --profile, --issuer, --account, --method, --name-suffix) and --reason "
             "TEXT");
    payload = json_pack("{s:s, s:s, s:s}", "kind", kind, "value", value, "reason", reason);
    LT_CHECK(payload != NULL, LT_PEER_USAGE, "--reason is no UTF-8");
    LT_TRY(cmd_api_post(c, "halts", payload, &answer));
    return c->json ? cmd_print_json(answer)
                   : cmd_printf("halted: %s%s%s (%s). Nothing like it is issued until it is lifted:\n"
                                "lintel resume %s --yes\n",
                                cmd_text(answer, "kind"), cmd_text(answer, "value")[0] == 0 ? "" : " ",
                                cmd_text(answer, "value"), cmd_text(answer, "id"), cmd_text(answer, "id"));
}

/* The live halts that are meant: by id, or by what they halt. */
static lt_res matching(struct cmd *c, json_t *ret_matches)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    const char *kind = NULL;
    const char *value = NULL;
    const char *id = c->args.word_count > 0 ? c->args.words[0] : NULL;
    size_t i;
    json_t *halt;
    LT_TRY(chosen_scope(c, &kind, &value));
    LT_CHECK((id == NULL) != (kind == NULL), LT_PEER_USAGE,
             "say which halt: its id (lintel halt list), or what it halts");
    LT_TRY(cmd_api_get(c, "halts?limit=1000", &answer));
    json_array_foreach(json_object_get(answer, "halts"), i, halt)
    {
        bool live = cmd_text(halt, "lifted")[0] == 0;
        bool meant = id != NULL ? strcmp(id, cmd_text(halt, "id")) == 0
                                : strcmp(kind, cmd_text(halt, "kind")) == 0 &&
                                      strcmp(value, cmd_text(halt, "value")) == 0;
        if (live && meant) {
            LT_CHECK(json_array_size(ret_matches) < MATCHES_MAX, LT_PEER_TOO_LARGE, "more than %d halts",
                     MATCHES_MAX);
            (void)json_array_append(ret_matches, halt); /* an array takes any value */
        }
    }
    LT_CHECK(json_array_size(ret_matches) > 0, LT_PEER_NOT_FOUND,
             "no live halt is like that; see lintel halt list");
    return LT_OK;
}

static lt_res propose(struct cmd *c, const json_t *halt)
{
    LT_CLEANUP(cmd_json_freep) json_t *payload = NULL;
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    char expires[LT_RFC3339_SIZE];
    lt_time_rfc3339(lt_time_add_seconds(c->now, PLAN_LIFE_S), expires);
    payload = json_pack("{s:s, s:i, s:{s:s}, s:s}", "action", CA_ACTION_HALT_LIFT, "count", 1, "parameters",
                        "halt", cmd_text(halt, "id"), "expires", expires);
    LT_ASSERT(payload != NULL);
    LT_TRY(cmd_api_post(c, "plans", payload, &answer));
    return c->json ? cmd_print_json(answer)
                   : cmd_printf("plan %s: lift %s (%s %s). It needs %lld approvals until %s:\n"
                                "lintel approve %s --operator NAME --key FILE --yes\n",
                                cmd_text(answer, "id"), cmd_text(halt, "id"), cmd_text(halt, "kind"),
                                cmd_text(halt, "value"), (long long)cmd_int(answer, "needed"),
                                cmd_text(answer, "expires"), cmd_text(answer, "id"));
}

static lt_res run_resume(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *matches = json_array();
    size_t i;
    json_t *halt;
    LT_ASSERT(matches != NULL);
    LT_TRY(matching(c, matches));
    if (!cmd_flag(c, "yes") && c->json) {
        return cmd_print_json(matches);
    }
    json_array_foreach(matches, i, halt)
    {
        if (cmd_flag(c, "yes")) {
            LT_TRY(propose(c, halt));
        } else {
            LT_TRY(cmd_printf("would propose to lift %s: %s %s, since %s by %s: %s; add --yes to do it\n",
                              cmd_text(halt, "id"), cmd_text(halt, "kind"), cmd_text(halt, "value"),
                              cmd_text(halt, "since"), cmd_text(halt, "operator"), cmd_text(halt, "reason")));
        }
    }
    return LT_OK;
}

static const struct cmd_option halt_options[] = {
    SCOPE_OPTIONS,
    {"reason", "TEXT", "why; kept with the event", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option resume_options[] = {
    SCOPE_OPTIONS,
    CMD_YES_OPTION,
    CMD_OPERATOR_OPTIONS,
};

const struct cmd_verb cmd_halt = {
    .name = "halt",
    .words = "",
    .summary = "stop issuance: all, a profile, an issuer, an account, or names",
    .help =
        "Works at once, in registrar and examiner. Lifting it needs a plan and approvals: lintel resume.\n"
        "\n"
        "examples:\n"
        "  lintel halt --profile tls-server --reason 'wrong policy OID, see incident 12'\n"
        "  lintel halt --name-suffix example.com --reason 'account taken over'\n",
    .options = halt_options,
    .option_count = LT_COUNT(halt_options),
    .run = run_halt,
};
const struct cmd_verb cmd_resume = {
    .name = "resume",
    .words = "[HALT]",
    .words_least = 0,
    .words_most = 1,
    .summary = "lift a halt: proposes a plan that others approve",
    .help = "Each approver signs with their own key (lintel approve); with the last signature it runs.\n"
            "\n"
            "examples:\n"
            "  lintel resume --profile tls-server\n"
            "  lintel resume h466731012345678901 --yes\n",
    .options = resume_options,
    .option_count = LT_COUNT(resume_options),
    .run = run_resume,
};
