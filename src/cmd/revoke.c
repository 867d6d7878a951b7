/* lintel revoke: one certificate, or (mass.c) many, by an operator. Shows what it would do until --yes. */
#include <stdio.h>
#include <string.h>

#include "ca/revoke.h"
#include "cmd/api.h"
#include "cmd/cert.h"
#include "cmd/mass.h"
#include "cmd/verbs.h"

/* What the registrar would refuse is refused before --yes too. */
static lt_res may(const json_t *certificate, const struct cmd_why *why)
{
    lt_time begins;
    const json_t *hold = json_object_get(certificate, "hold");
    bool compromised = why->reason == CA_REASON_KEY_COMPROMISE;
    if (why->dated.us != 0) {
        LT_TRY(lt_time_parse(lt_slice_cstr(cmd_text(certificate, "not_before")), &begins));
        LT_TRY(ca_backdating_check((uint32_t)why->reason, why->dated, begins, why->now));
    }
    LT_CHECK(hold == NULL, LT_POLICY_REFUSED, "the certificate may not be revoked: %.60s (%.40s)%s",
             cmd_text(hold, "reference"), cmd_text(hold, "reason"),
             compromised ? "; --yes blocks its key and revokes the key's other certificates" : "");
    return LT_OK;
}

static lt_res would(struct cmd *c, const json_t *certificate, const struct cmd_why *why)
{
    LT_CLEANUP(cmd_json_freep) json_t *clocks = json_object();
    LT_ASSERT(clocks != NULL);
    LT_TRY(may(certificate, why));
    LT_TRY(c->json ? LT_OK : cmd_why_show(c, why, clocks));
    return cmd_would(c, "would revoke %s of %s (%s, until %s) as %s%s; add --yes to do it",
                     cmd_text(certificate, "serial"), cmd_text(certificate, "issuer"),
                     cmd_text(certificate, "status"), cmd_text(certificate, "not_after"), why->reason_name,
                     why->reason == CA_REASON_KEY_COMPROMISE
                         ? ", block its key, and propose to revoke all other certificates of that key"
                         : "");
}

static lt_res run_one(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *certificate = NULL;
    LT_CLEANUP(cmd_json_freep) json_t *payload = NULL;
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    char path[256];
    const char *serial = cmd_cert_hex(&c->arena, c->args.words[0]);
    struct cmd_why why;
    LT_TRY(cmd_why(c, &why));
    size_t len = strlen(serial);
    LT_CHECK(len > 0 && len <= 40 && strspn(serial, "0123456789abcdefABCDEF") == len, LT_PEER_USAGE,
             "\"%.60s\" is no serial number; write it in hex", serial);
    (void)snprintf(path, sizeof(path), "certificates/%s%s", len % 2 == 0 ? "" : "0", serial);
    LT_TRY(cmd_api_get(c, path, &certificate));
    const char *status = cmd_text(certificate, "status");
    LT_CHECK(strcmp(status, "expired") != 0, LT_PEER_CONFLICT,
             "this certificate has expired; nobody trusts it");
    payload = json_pack("{s:s, s:s}", "issuer", cmd_text(certificate, "issuer"), "text",
                        cmd_value_or(c, "text", ""));
    LT_CHECK(payload != NULL, LT_PEER_USAGE, "--text is no UTF-8");
    LT_TRY(cmd_why_put(c, &why, payload));
    if (!cmd_flag(c, "yes")) {
        return would(c, certificate, &why);
    }
    (void)snprintf(path, sizeof(path), "certificates/%s/revoke", cmd_text(certificate, "serial"));
    LT_TRY(cmd_api_post(c, path, payload, &answer));
    return c->json ? cmd_print_json(answer)
                   : cmd_printf("revoked %s of %s as %s; its next CRL says so within moments\n",
                                cmd_text(answer, "serial"), cmd_text(answer, "issuer"),
                                cmd_text(answer, "reason"));
}

/* What only many certificates take is refused for one. */
static lt_res run(struct cmd *c)
{
    static const char *const many[] = {"tier", "stop-after", "expires"};
    if (c->args.word_count == 0) {
        return cmd_revoke_many(c);
    }
    LT_CHECK(cmd_value(c, "scope") == NULL && cmd_value(c, "spki") == NULL, LT_PEER_USAGE,
             "give one of SERIAL, --scope EXPR and --spki HASH");
    for (size_t i = 0; i < LT_COUNT(many); i++) {
        LT_CHECK(cmd_value(c, many[i]) == NULL, LT_PEER_USAGE,
                 "--%s goes with --scope or --spki, not with a serial", many[i]);
    }
    return run_one(c);
}

static const struct cmd_option options[] = {
    {"reason", "WORD", "CRLReason (default: the cause's, or unspecified)", false,
     "unspecified keyCompromise affiliationChanged superseded cessationOfOperation privilegeWithdrawn"},
    {"text", "TEXT", "kept with the event", false, NULL},
    {"scope", "EXPR", "all certificates of this scope (see lintel scope)", false, NULL},
    {"spki", "HASH", "all certificates of this key; keyCompromise blocks it at once", false, NULL},
    {"tier", "EXPR", "those that are revoked first; the next --tier next; readiness: five of them", true,
     NULL},
    {"stop-after", "TIER", "pause behind this tier; the first is 0", false, NULL},
    {"expires", "TIME", "when its plan has to be approved by (default: a day), at most 7 days", false, NULL},
    {"cause", "NAME", "what the rules call it, for the clocks: not-issued-per-rules, …", false, NULL},
    {"aware", "TIME", "when the clock began (default: now)", false, NULL},
    {"dated-back-to", "TIME", "revocationDate, of a key compromise alone", false, NULL},
    {"late-because", "TEXT", "why the clock that should be kept was missed", false, NULL},
    CMD_YES_OPTION,
    CMD_OPERATOR_OPTIONS,
};

const struct cmd_verb cmd_revoke = {
    .name = "revoke",
    .words = "[SERIAL]",
    .words_least = 0,
    .words_most = 1,
    .summary = "revoke a certificate, all of a key, or all of a scope",
    .help =
        "The signer journals the revocation before it is answered. keyCompromise blocks the key for good, "
        "and\n"
        "all other certificates of that key follow as one plan. --cause says which rule wants it: its "
        "clocks\n"
        "run from --aware on, and where no reason is given the rule's own is taken (lintel-mass(1) has the\n"
        "list).\n"
        "\n"
        "With --scope or --spki the list of certificates is frozen first; more than approvals.revoke-alone\n"
        "of lintel.yaml need a second person's approval, within a day or until --expires; asking again for "
        "the\n"
        "same proposes a plan that came to nothing anew, for the list that is frozen. Then it is started, "
        "watched, paused and resumed: "
        "lintel mass.\n"
        "\n"
        "examples:\n"
        "  lintel revoke 0cf65a03ce05c1fff1baf459b0f1aa20 --reason superseded\n"
        "  lintel revoke 0cf65a03ce05c1fff1baf459b0f1aa20 --cause key-compromise \\\n"
        "    --aware 2026-11-22T08:00:00Z --dated-back-to 2026-11-20T00:00:00Z --yes\n"
        "  lintel revoke --spki 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 \\\n"
        "    --reason keyCompromise --cause key-compromise --yes\n"
        "  lintel revoke --scope 'method = dns-01 and caa_age > 8h' --reason superseded \\\n"
        "    --cause validation-unreliable --tier replaced --tier readiness --yes\n",
    .options = options,
    .option_count = LT_COUNT(options),
    .run = run,
};
