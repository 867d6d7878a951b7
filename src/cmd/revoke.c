/* lintel revoke: one certificate, by an operator. Shows what it would do until --yes. */
#include <stdio.h>
#include <string.h>

#include "cmd/api.h"
#include "cmd/verbs.h"

/* CRLReason by name; those that a leaf of ours may carry. */
static const struct {
    const char *name;
    int reason;
} reasons[] = {
    {"unspecified", 0}, {"keyCompromise", 1},        {"affiliationChanged", 3},
    {"superseded", 4},  {"cessationOfOperation", 5}, {"privilegeWithdrawn", 9},
};

static lt_res run(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *certificate = NULL;
    LT_CLEANUP(cmd_json_freep) json_t *payload = NULL;
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    char path[256];
    const char *serial = c->args.words[0];
    const char *name = cmd_value_or(c, "reason", "unspecified");
    int reason = 0;
    for (size_t i = 0; i < LT_COUNT(reasons); i++) {
        reason = strcmp(reasons[i].name, name) == 0 ? reasons[i].reason : reason;
    }
    size_t len = strlen(serial);
    LT_CHECK(len > 0 && len <= 40 && strspn(serial, "0123456789abcdefABCDEF") == len, LT_PEER_USAGE,
             "\"%.60s\" is no serial number; write it in hex", serial);
    (void)snprintf(path, sizeof(path), "certificates/%s%s", len % 2 == 0 ? "" : "0", serial);
    LT_TRY(cmd_api_get(c, path, &certificate));
    const char *status = cmd_text(certificate, "status");
    LT_CHECK(strcmp(status, "expired") != 0, LT_PEER_CONFLICT,
             "this certificate has expired; nobody trusts it");
    if (!cmd_flag(c, "yes")) {
        return cmd_would(c, "would revoke %s of %s (%s, until %s) as %s; add --yes to do it",
                         cmd_text(certificate, "serial"), cmd_text(certificate, "issuer"), status,
                         cmd_text(certificate, "not_after"), name);
    }
    payload = json_pack("{s:s, s:i, s:s}", "issuer", cmd_text(certificate, "issuer"), "reason", reason,
                        "text", cmd_value_or(c, "text", ""));
    LT_CHECK(payload != NULL, LT_PEER_USAGE, "--text is no UTF-8");
    (void)snprintf(path, sizeof(path), "certificates/%s/revoke", cmd_text(certificate, "serial"));
    LT_TRY(cmd_api_post(c, path, payload, &answer));
    return c->json ? cmd_print_json(answer)
                   : cmd_printf("revoked %s of %s as %s; its next CRL says so within moments\n",
                                cmd_text(answer, "serial"), cmd_text(answer, "issuer"),
                                cmd_text(answer, "reason"));
}

static const struct cmd_option options[] = {
    {"reason", "WORD", "why (default: unspecified)", false,
     "unspecified keyCompromise affiliationChanged superseded cessationOfOperation privilegeWithdrawn"},
    {"text", "TEXT", "kept with the event", false, NULL},
    CMD_YES_OPTION,
    CMD_OPERATOR_OPTIONS,
};

const struct cmd_verb cmd_revoke = {
    .name = "revoke",
    .words = "SERIAL",
    .words_least = 1,
    .words_most = 1,
    .summary = "revoke a certificate",
    .help =
        "The signer journals the revocation before it is answered; keyCompromise blocks the key for good.\n"
        "\n"
        "examples:\n"
        "  lintel revoke 0cf65a03ce05c1fff1baf459b0f1aa20 --reason superseded\n"
        "  lintel revoke 0cf65a03ce05c1fff1baf459b0f1aa20 --reason keyCompromise --yes\n",
    .options = options,
    .option_count = LT_COUNT(options),
    .run = run,
};
