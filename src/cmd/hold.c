/* lintel hold add, lift, list: certificates that a court's order keeps from being revoked. */
#include <stdio.h>
#include <string.h>

#include "cmd/cert.h"
#include "cmd/list.h"
#include "cmd/verbs.h"

enum { PATH_SIZE = 256 };

static lt_res run_change(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *found = NULL;
    LT_CLEANUP(cmd_json_freep) json_t *payload = NULL;
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    char path[PATH_SIZE];
    const char *serial = cmd_cert_hex(&c->arena, c->args.words[0]);
    size_t len = strlen(serial);
    bool lift = strcmp(c->verb->name, "hold lift") == 0;
    LT_CHECK(len > 0 && len <= 40 && strspn(serial, "0123456789abcdefABCDEF") == len, LT_PEER_USAGE,
             "\"%.60s\" is no serial number; write it in hex", serial);
    LT_CHECK(lift || (cmd_value(c, "reason") != NULL && cmd_value(c, "reference") != NULL), LT_PEER_USAGE,
             "--reason TEXT and --reference TEXT (of the order) are needed");
    (void)snprintf(path, sizeof path, "certificates?serial=%s%s", len % 2 == 0 ? "" : "0", serial);
    LT_TRY(cmd_api_get(c, path, &found));
    const json_t *certificate = json_array_get(json_object_get(found, "certificates"), 0);
    LT_CHECK(certificate != NULL, LT_PEER_NOT_FOUND, "no certificate has the serial %s", serial);
    if (!cmd_flag(c, "yes")) {
        return cmd_would(c, "would %s %s of %s (%s); add --yes to do it",
                         lift ? "let it be possible again to revoke" : "keep from being revoked",
                         cmd_text(certificate, "serial"), cmd_text(certificate, "issuer"),
                         cmd_text(certificate, "status"));
    }
    payload = json_pack("{s:s, s:s, s:s}", "issuer", cmd_text(certificate, "issuer"), "reason",
                        cmd_value_or(c, "reason", ""), "reference", cmd_value_or(c, "reference", ""));
    LT_CHECK(payload != NULL, LT_PEER_USAGE, "--reason or --reference is no UTF-8");
    (void)snprintf(path, sizeof path, "holds/%s%s", cmd_text(certificate, "serial"), lift ? "/lift" : "");
    LT_TRY(cmd_api_post(c, path, payload, &answer));
    return c->json ? cmd_print_json(answer)
                   : cmd_printf("%s: %s of %s\n", lift ? "lifted" : "held", cmd_text(answer, "serial"),
                                cmd_text(answer, "issuer"));
}

static lt_res run_list(struct cmd *c)
{
    static const struct cmd_list l = {
        .path = "holds",
        .key = "holds",
        .columns = {{"SERIAL", "serial", 0},
                    {"ISSUER", "issuer", 0},
                    {"SINCE", "since", 0},
                    {"REFERENCE", "reference", 0},
                    {"REASON", "reason", 0},
                    {"BY", "by", 0},
                    {"LIFTED", "lifted", 0}},
    };
    return cmd_list(c, &l);
}

static const struct cmd_option add_options[] = {
    {"reason", "TEXT", "what forbids it", false, NULL},
    {"reference", "TEXT", "of the order", false, NULL},
    CMD_YES_OPTION,
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option list_options[] = {CMD_PAGE_OPTIONS};
static const struct cmd_option lift_options[] = {
    {"reason", "TEXT", "why", false, NULL},
    CMD_YES_OPTION,
    CMD_OPERATOR_OPTIONS,
};

const struct cmd_verb cmd_hold_add = {
    .name = "hold add",
    .words = "SERIAL",
    .words_least = 1,
    .words_most = 1,
    .summary = "keep one certificate from being revoked: a court's order",
    .help = "Mass revocations leave out exactly the certificates that are held, and say so.\n"
            "\n"
            "examples:\n"
            "  lintel hold add 0cf65a03ce05c1fff1baf459b0f1aa20 --reason 'restraining order' \\\n"
            "    --reference 'case 2:24-cv-00000' --yes\n",
    .options = add_options,
    .option_count = LT_COUNT(add_options),
    .run = run_change,
};
const struct cmd_verb cmd_hold_lift = {
    .name = "hold lift",
    .words = "SERIAL",
    .words_least = 1,
    .words_most = 1,
    .summary = "let a certificate be revoked again; wants an approver",
    .help = "examples:\n  lintel hold lift 0cf65a03ce05c1fff1baf459b0f1aa20 --operator bob --yes\n",
    .options = lift_options,
    .option_count = LT_COUNT(lift_options),
    .run = run_change,
};
const struct cmd_verb cmd_hold_list = {
    .name = "hold list",
    .words = "",
    .summary = "list what is, or was, kept from being revoked",
    .help = "examples:\n  lintel hold list\n  lintel hold list --all --json\n",
    .options = list_options,
    .option_count = LT_COUNT(list_options),
    .run = run_list,
};
