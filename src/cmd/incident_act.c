/* lintel incident contain, scope, freeze, notify, revoke, action: what is done for an incident. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "cmd/api.h"
#include "cmd/cert.h"
#include "cmd/incident.h"
#include "cmd/scope.h"
#include "cmd/verbs.h"

enum {
    TEXT_MAX = 256 * 1024,
    FILE_MAX = 8 * 1024 * 1024,
    PART = 100, /* certificates in one request */
    POLL_MS = 200,
    POLLS = 300,
    PATH_SIZE = 256,
    HEX_MAX = 40,
};

static lt_res post(struct cmd *c, const char *what, const json_t *payload, json_t **ret_answer)
{
    char path[CMD_INCIDENT_PATH];
    LT_TRY(cmd_incident_path(c, what, path));
    return cmd_api_post(c, path, payload, ret_answer);
}

/* ---- contain ---- */

static const char *const kinds[] = {"all", "profile", "issuer", "account", "method", "name-suffix"};

static lt_res put_kind(const struct cmd *c, json_t *payload)
{
    size_t count = 0;
    for (size_t i = 0; i < LT_COUNT(kinds); i++) {
        if (cmd_flag(c, kinds[i])) {
            count++;
            LT_TRY(cmd_incident_set(payload, "kind", kinds[i]));
            LT_TRY(cmd_incident_set(payload, "value", cmd_value_or(c, kinds[i], "")));
        }
    }
    bool adopts = cmd_value(c, "halt") != NULL;
    LT_CHECK(count + adopts == 1 && (adopts || cmd_value(c, "reason") != NULL), LT_PEER_USAGE,
             "say what to stop (--all, --profile, --issuer, --account, --method, --name-suffix) and --reason "
             "TEXT; "
             "or --halt ID that stands already; or --fixed HALT");
    return LT_OK;
}

/* Until a reader has counted what was issued in spite of it. */
static lt_res wait_for_count(struct cmd *c, const char *halt, const char **ret_status, int64_t *ret_found)
{
    bool sign = false;
    for (int n = 0; n < POLLS; n++) {
        LT_CLEANUP(cmd_json_freep) json_t *in = NULL;
        size_t i;
        json_t *row;
        LT_TRY(cmd_incident_load_again(c, &sign, &in));
        json_array_foreach(json_object_get(in, "halts"), i, row)
        {
            if (strcmp(cmd_text(row, "halt"), halt) == 0 &&
                strcmp(cmd_text(row, "status"), "checking") != 0) {
                *ret_status = lt_arena_cstr(&c->arena, lt_slice_cstr(cmd_text(row, "status")));
                *ret_found = cmd_int(row, "issued_since");
                LT_ASSERT(*ret_status != NULL);
                return LT_OK;
            }
        }
        (void)usleep(POLL_MS * 1000);
    }
    LT_FAIL(LT_RETRY_UNAVAILABLE, "nobody has counted yet what was issued since; lintel incident show %s",
            c->args.words[0]);
}

static lt_res run_fix(struct cmd *c)
{
    static const struct cmd_incident_member members[] = {
        {"fixed", "halt", CMD_INCIDENT_TEXT},   {"build", "build", CMD_INCIDENT_TEXT},
        {"rule", "rule", CMD_INCIDENT_TEXT},    {"test", "test", CMD_INCIDENT_TEXT},
        {"reason", "words", CMD_INCIDENT_TEXT},
    };
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    const char *status = NULL;
    int64_t found = 0;
    const char *halt = cmd_value(c, "fixed");
    LT_ASSERT(payload != NULL);
    LT_CHECK(cmd_value(c, "build") != NULL &&
                 (cmd_value(c, "rule") == NULL) != (cmd_value(c, "test") == NULL),
             LT_PEER_USAGE,
             "--fixed HALT needs --build VERSION, and --rule or --test that fails on the old behaviour");
    LT_TRY(cmd_incident_put(c, members, LT_COUNT(members), payload));
    LT_TRY(post(c, "fix", payload, &answer));
    LT_TRY(wait_for_count(c, halt, &status, &found));
    bool clean = strcmp(status, "clean") == 0;
    c->findings += clean ? 0 : 1;
    LT_ASSERT(json_object_set_new(answer, "clean", json_boolean(clean)) == 0 &&
              json_object_set_new(answer, "issued_since", json_integer((json_int_t)found)) == 0);
    if (c->json) {
        return cmd_print_json(answer);
    }
    return clean ? cmd_printf("the scope was run again: nothing of it was issued since. Lift the halt:\n"
                              "lintel resume %s --yes\n",
                              halt)
           : found < 0
               ? cmd_printf("the scope could not be run again, or the linter has no such rule; %s stays\n",
                            halt)
               : cmd_printf("%lld certificates of the scope were issued in spite of it: %s stays\n",
                            (long long)found, halt);
}

static lt_res run_contain(struct cmd *c)
{
    static const struct cmd_incident_member members[] = {
        {"reason", "reason", CMD_INCIDENT_TEXT},
        {"halt", "halt", CMD_INCIDENT_TEXT},
    };
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    LT_ASSERT(payload != NULL);
    if (cmd_value(c, "fixed") != NULL) {
        return run_fix(c);
    }
    LT_TRY(put_kind(c, payload));
    LT_TRY(cmd_incident_put(c, members, LT_COUNT(members), payload));
    LT_TRY(post(c, "contain", payload, &answer));
    return c->json
               ? cmd_print_json(answer)
               : cmd_printf("incident %lld is %s: halt %s is in force\n", (long long)cmd_int(answer, "id"),
                            cmd_text(answer, "status"), cmd_text(answer, "halt"));
}

/* ---- scope ---- */

lt_res cmd_incident_run_scope(struct cmd *c, const char *scope, json_t **ret_run)
{
    lt_res r = cmd_api_ask(c, "scope/run", "text/plain", lt_slice_cstr(scope), ret_run);
    return lt_failed(r) ? cmd_scope_pointed(lt_slice_cstr(scope), r) : r;
}

static lt_res run_scope(struct cmd *c)
{
    static const struct cmd_incident_member members[] = {
        {"wrong", "wrong", CMD_INCIDENT_TEXT},
        {"avoided", "avoided", CMD_INCIDENT_TEXT},
        {"detected", "detected", CMD_INCIDENT_TIME},
    };
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    LT_CLEANUP(cmd_json_freep) json_t *run = NULL;
    const char *scope = c->args.words[1];
    LT_ASSERT(payload != NULL);
    LT_TRY(cmd_scope_check(lt_slice_cstr(scope)));
    LT_TRY(cmd_incident_run_scope(c, scope, &run));
    cmd_scope_remarks(run);
    if (!cmd_flag(c, "yes")) {
        return cmd_would(
            c, "would make %lld certificates, as of %s, the scope of incident %s; add --yes to do it",
            (long long)cmd_int(run, "count"), cmd_text(run, "as_of"), c->args.words[0]);
    }
    LT_TRY(cmd_incident_set(payload, "scope", scope));
    LT_TRY(cmd_incident_set(payload, "as-of", cmd_text(run, "as_of")));
    LT_TRY(cmd_incident_set(payload, "members-sha256", cmd_text(run, "members_sha256")));
    LT_ASSERT(json_object_set_new(payload, "count", json_integer((json_int_t)cmd_int(run, "count"))) == 0);
    LT_TRY(cmd_incident_put(c, members, LT_COUNT(members), payload));
    LT_TRY(post(c, "scope", payload, &answer));
    return c->json ? cmd_print_json(answer)
                   : cmd_printf("scope %lld of incident %lld: %lld certificates as of %s (lintel scope show "
                                "incident-%lld)\n",
                                (long long)cmd_int(answer, "version"), (long long)cmd_int(answer, "id"),
                                (long long)cmd_int(answer, "count"), cmd_text(answer, "as_of"),
                                (long long)cmd_int(answer, "id"));
}

/* ---- freeze ---- */

/* Who issued it, where only the number is given. */
static lt_res named(struct cmd *c, const char *text, const char **ret_named)
{
    LT_CLEANUP(cmd_json_freep) json_t *found = NULL;
    char path[PATH_SIZE];
    const char *colon = strchr(text, ':');
    bool issuer = colon != NULL && strspn(text, "0123456789abcdefABCDEF:") != strlen(text);
    const char *serial = issuer ? text : cmd_cert_hex(&c->arena, text);
    *ret_named = text;
    if (issuer) {
        return LT_OK;
    }
    size_t len = strlen(serial);
    LT_CHECK(len > 0 && len <= HEX_MAX && strspn(serial, "0123456789abcdefABCDEF") == len, LT_PEER_USAGE,
             "\"%.60s\" is no serial number; write it in hex, or ISSUER:SERIAL", text);
    (void)snprintf(path, sizeof path, "certificates?serial=%s%s", len % 2 == 0 ? "" : "0", serial);
    LT_TRY(cmd_api_get(c, path, &found));
    const json_t *list = json_object_get(found, "certificates");
    LT_CHECK(json_array_size(list) > 0, LT_PEER_NOT_FOUND, "no certificate has the serial %s", serial);
    LT_CHECK(json_array_size(list) == 1, LT_PEER_CONFLICT,
             "several issuers have a certificate %s: ISSUER:SERIAL", serial);
    *ret_named = lt_arena_printf(&c->arena, "%s:%s", cmd_text(json_array_get(list, 0), "issuer"),
                                 cmd_text(json_array_get(list, 0), "serial"));
    LT_ASSERT(*ret_named != NULL);
    return LT_OK;
}

static lt_res add_named(struct cmd *c, const char *text, json_t *list)
{
    const char *one = NULL;
    LT_TRY(named(c, text, &one));
    LT_CHECK(json_array_append_new(list, json_string(one)) == 0, LT_PEER_USAGE,
             "a serial number is no UTF-8");
    return LT_OK;
}

/* A line each; blank ones and those behind # are not. */
static lt_res add_file(struct cmd *c, const char *path, json_t *list)
{
    lt_slice text;
    lt_slice line;
    lt_res r = lt_file_read(&c->arena, AT_FDCWD, path, FILE_MAX, &text);
    lt_slice rest = lt_failed(r) ? LT_LIT("") : text;
    while (!lt_failed(r) && rest.len > 0 && lt_slice_split(&rest, '\n', &line)) {
        while (line.len > 0 && (line.ptr[line.len - 1] == '\r' || line.ptr[line.len - 1] == ' ')) {
            line.len--;
        }
        if (line.len > 0 && line.ptr[0] != '#') {
            const char *one = lt_arena_cstr(&c->arena, line);
            LT_ASSERT(one != NULL);
            r = add_named(c, one, list);
        }
    }
    return r;
}

static lt_res freeze_part(struct cmd *c, const json_t *list, size_t from, bool thaw, int64_t sums[3])
{
    static const char *const names[2][3] = {{"held", "already", "revoked"}, {"thawed", "already", "revoked"}};
    LT_CLEANUP(cmd_json_freep) json_t *part = json_array();
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    LT_ASSERT(part != NULL && payload != NULL);
    for (size_t i = from; i < json_array_size(list) && i < from + PART; i++) {
        LT_ASSERT(json_array_append(part, json_array_get(list, i)) == 0);
    }
    LT_ASSERT(json_object_set(payload, "certificates", part) == 0);
    LT_TRY(cmd_incident_set(payload, "reason", cmd_value(c, "reason")));
    LT_TRY(thaw ? LT_OK : cmd_incident_set(payload, "reference", cmd_value(c, "reference")));
    LT_TRY(post(c, thaw ? "thaw" : "freeze", payload, &answer));
    for (size_t i = 0; i < 3; i++) {
        sums[i] += cmd_int(answer, names[thaw ? 1 : 0][i]);
    }
    return LT_OK;
}

static lt_res run_freeze(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *list = json_array();
    int64_t sums[3] = {0, 0, 0};
    bool thaw = cmd_flag(c, "lift");
    const char *file = cmd_value(c, "file");
    LT_ASSERT(list != NULL);
    LT_CHECK(cmd_value(c, "reason") != NULL && (thaw || cmd_value(c, "reference") != NULL), LT_PEER_USAGE,
             "--reason TEXT and --reference TEXT (of the order) are needed");
    for (size_t i = 1; i < c->args.word_count; i++) {
        LT_TRY(add_named(c, c->args.words[i], list));
    }
    LT_TRY(file == NULL ? LT_OK : add_file(c, file, list));
    LT_CHECK(json_array_size(list) > 0, LT_PEER_USAGE, "which certificates: serial numbers, or --file");
    if (!cmd_flag(c, "yes")) {
        return cmd_would(c, "would %s exactly %zu certificates; add --yes to do it",
                         thaw ? "let it be possible again to revoke" : "keep from being revoked",
                         json_array_size(list));
    }
    for (size_t i = 0; i < json_array_size(list); i += PART) {
        LT_TRY(freeze_part(c, list, i, thaw, sums));
    }
    if (c->json) {
        LT_CLEANUP(cmd_json_freep)
        json_t *out = json_pack("{s:s, s:I, s:I, s:I}", "incident", c->args.words[0],
                                thaw ? "thawed" : "held", (json_int_t)sums[0], "already", (json_int_t)sums[1],
                                "revoked", (json_int_t)sums[2]);
        return cmd_print_json(out);
    }
    return cmd_printf("%lld %s, %lld were already%s\n", (long long)sums[0],
                      thaw ? "not held any more" : "held", (long long)sums[1],
                      sums[2] == 0 ? "" : "; some are revoked, and no order changes that (see the event)");
}

/* ---- notify ---- */

static lt_res run_notify(struct cmd *c)
{
    static const struct cmd_incident_member members[] = {
        {"kind", "kind", CMD_INCIDENT_TEXT},         {"why", "why", CMD_INCIDENT_TEXT},
        {"more", "more", CMD_INCIDENT_TEXT},         {"title", "title", CMD_INCIDENT_TEXT},
        {"deadline", "deadline", CMD_INCIDENT_TIME}, {"publish", "publish", CMD_INCIDENT_FLAG},
    };
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    LT_ASSERT(payload != NULL);
    LT_CHECK(cmd_value(c, "why") != NULL, LT_PEER_USAGE, "--why TEXT: what subscribers are told");
    LT_TRY(cmd_incident_put(c, members, LT_COUNT(members), payload));
    if (!cmd_flag(c, "yes")) {
        return cmd_would(c, "would write to every subscriber of its list%s: %s; add --yes to do it",
                         cmd_flag(c, "publish") ? ", and publish the list" : "", cmd_value(c, "why"));
    }
    LT_TRY(post(c, "notify", payload, &answer));
    return c->json ? cmd_print_json(answer)
                   : cmd_printf("incident %lld is %s: notices are written (lintel notice list)\n",
                                (long long)cmd_int(answer, "id"), cmd_text(answer, "status"));
}

/* ---- revoke ---- */

static lt_res run_revoke(struct cmd *c)
{
    static const struct cmd_incident_member members[] = {
        {"stop-after", "stop-after", CMD_INCIDENT_NUMBER},
        {"late-because", "late-because", CMD_INCIDENT_TEXT},
        {"expires", "expires", CMD_INCIDENT_TIME},
    };
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    LT_ASSERT(payload != NULL);
    LT_TRY(cmd_incident_put(c, members, LT_COUNT(members), payload));
    if (!cmd_flag(c, "yes")) {
        return cmd_would(c,
                         "would revoke what the plan of incident %s lists, tier by tier; add --yes to do it",
                         c->args.words[0]);
    }
    LT_TRY(post(c, "revoke", payload, &answer));
    if (c->json) {
        return cmd_print_json(answer);
    }
    bool waits = strcmp(cmd_text(answer, "mass_status"), "proposed") == 0;
    return cmd_printf("incident %lld is %s: %s, %lld certificates, is %s%s%s%s\n",
                      (long long)cmd_int(answer, "id"), cmd_text(answer, "status"), cmd_text(answer, "mass"),
                      (long long)cmd_int(answer, "count"), cmd_text(answer, "mass_status"),
                      waits ? ": lintel approve " : "", waits ? cmd_text(answer, "plan") : "",
                      waits ? " --operator NAME --key FILE --yes" : "");
}

/* ---- action ---- */

/* What was promised for it; making and keeping promises is lintel action. */
static lt_res run_action(struct cmd *c)
{
    static const char *const heads[] = {"ID", "KIND", "STATUS", "DUE", "OWNER", "TITLE"};
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    char path[PATH_SIZE];
    char checked[CMD_INCIDENT_PATH];
    size_t i;
    json_t *row;
    LT_TRY(cmd_incident_path(c, "", checked));
    (void)snprintf(path, sizeof path, "actions?limit=1000&id=incident%%20%s", strchr(checked, '/') + 1);
    LT_TRY(cmd_api_get(c, path, &answer));
    if (c->json) {
        return cmd_print_json(answer);
    }
    struct cmd_table *t = cmd_table_new(c, heads, LT_COUNT(heads));
    json_array_foreach(json_object_get(answer, "actions"), i, row)
    {
        char id[32];
        (void)snprintf(id, sizeof id, "%lld", (long long)cmd_int(row, "id"));
        const char *const cells[] = {id,
                                     cmd_text(row, "kind"),
                                     cmd_text(row, "status"),
                                     cmd_text(row, "due"),
                                     cmd_text(row, "owner"),
                                     cmd_text(row, "title")};
        LT_TRY(cmd_table_row(t, cells));
    }
    return cmd_table_print(t);
}

/* ---- the verbs ---- */

static const struct cmd_option contain_options[] = {
    {"all", NULL, "everything", false, NULL},
    {"profile", "NAME", "one profile", false, NULL},
    {"issuer", "NAME", "one issuing CA", false, NULL},
    {"account", "ID", "one ACME account", false, NULL},
    {"method", "NAME", "what one method of validation proved: dns-01", false, NULL},
    {"name-suffix", "DOMAIN", "a name and all below it", false, NULL},
    {"reason", "TEXT", "why; kept with the event", false, NULL},
    {"halt", "ID", "a halt that stands already is this incident's", false, NULL},
    {"fixed", "HALT", "show that it may be lifted: run the scope again for what was issued since", false,
     NULL},
    {"build", "VERSION", "that has the fix, and runs here", false, NULL},
    {"rule", "ID", "of the examiner's linter, that fails on the old behaviour", false, NULL},
    {"test", "PATH", "of validator or examiner, that does: tests/unit/validate/…", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option scope_options[] = {
    {"wrong", "TEXT", "of a correction: why the version before was wrong", false, NULL},
    {"avoided", "TEXT", "how that is avoided from now on", false, NULL},
    {"detected", "TIME", "when it was found to be wrong (default: now)", false, NULL},
    CMD_YES_OPTION,
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option freeze_options[] = {
    {"file", "FILE", "serial numbers, one a line, or ISSUER:SERIAL", false, NULL},
    {"reason", "TEXT", "what forbids it", false, NULL},
    {"reference", "TEXT", "of the order", false, NULL},
    {"lift", NULL, "the order is over: they may be revoked again", false, NULL},
    CMD_YES_OPTION,
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option notify_options[] = {
    {"why", "TEXT", "what happened, in one sentence for subscribers", false, NULL},
    {"more", "TEXT", "a paragraph behind it", false, NULL},
    {"kind", "NAME", "of the letter (default: affected)", false, "affected reminder revoked"},
    {"deadline", "TIME", "by when to replace (default: when they have to be revoked)", false, NULL},
    {"title", "TEXT", "of the public page (default: the incident's)", false, NULL},
    {"publish", NULL, "the list and a look-up page, for everybody", false, NULL},
    CMD_YES_OPTION,
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option revoke_options[] = {
    {"stop-after", "TIER", "pause behind this tier; the first is 0", false, NULL},
    {"late-because", "TEXT", "why the clock that should be kept was missed", false, NULL},
    {"expires", "TIME", "another plan, to be approved by then: at most 7 days, and its deadline", false,
     NULL},
    CMD_YES_OPTION,
    CMD_OPERATOR_OPTIONS,
};

#define WORDS(words_, least_, most_) .words = (words_), .words_least = (least_), .words_most = (most_)
#define OPTIONS(list_) .options = (list_), .option_count = LT_COUNT(list_)

const struct cmd_verb cmd_incident_contain = {
    .name = "incident contain",
    WORDS("INCIDENT", 1, 1),
    .summary = "stop what goes wrong; later, show that it may go on",
    .help = "Works at once, in registrar and examiner. A halt of an incident is lifted (lintel resume) only "
            "once the\n"
            "build with the fix runs, a rule of the linter or a test of validator or examiner is named that "
            "fails on\n"
            "the old behaviour, and the scope, run again, finds nothing that was issued since: --fixed.\n"
            "\n"
            "examples:\n"
            "  lintel incident contain 12 --method dns-01 --reason 'CAA is not checked again'\n"
            "  lintel incident contain 12 --profile tls-server --reason 'wrong policy OID'\n"
            "  lintel incident contain 12 --fixed h466731012345678901 --build 1.4.2 --rule "
            "e_cab_dv_subject_invalid_values\n"
            "  lintel incident contain 12 --fixed h466731012345678901 --build 1.4.2 --test "
            "tests/unit/validate/test_caa.c\n",
    OPTIONS(contain_options),
    .run = run_contain,
};
const struct cmd_verb cmd_incident_scope = {
    .name = "incident scope",
    WORDS("INCIDENT EXPR", 2, 2),
    .summary = "which certificates: counted, hashed, versioned",
    .help =
        "The next version corrects the one before in public: it needs --wrong and --avoided, and starts the "
        "clock of\n"
        "the correction.\n"
        "\n"
        "examples:\n"
        "  lintel incident scope 12 'method = dns-01 and caa_age > 8h and not expired'\n"
        "  lintel incident scope 12 'caa_age > 8h and not expired' --wrong 'http-01 was affected, too' \\\n"
        "    --avoided 'the scope is now by CAA alone' --yes\n",
    OPTIONS(scope_options),
    .run = run_scope,
};
const struct cmd_verb cmd_incident_freeze = {
    .name = "incident freeze",
    WORDS("INCIDENT [SERIAL ...]", 1, CMD_WORDS_MAX),
    .summary = "keep exactly the certificates that a court's order names from being revoked",
    .help = "All others go on. Those that are revoked already stay revoked.\n"
            "\n"
            "examples:\n"
            "  lintel incident freeze 12 0cf65a03ce05c1fff1baf459b0f1aa20 --reason 'restraining order' \\\n"
            "    --reference '2:24-cv-00541' --yes\n"
            "  lintel incident freeze 12 --file named-by-the-court.txt --reason 'restraining order' \\\n"
            "    --reference '2:24-cv-00541' --yes\n"
            "  lintel incident freeze 12 --file named-by-the-court.txt --lift --reason 'the order is over' "
            "--yes\n",
    OPTIONS(freeze_options),
    .run = run_freeze,
};
const struct cmd_verb cmd_incident_notify = {
    .name = "incident notify",
    WORDS("INCIDENT", 1, 1),
    .summary = "tell every subscriber of its list, and the world",
    .help = "examples:\n"
            "  lintel incident notify 12 --why 'CAA was not checked again before issuance' --publish --yes\n"
            "  lintel incident notify 12 --kind reminder --why 'a reminder' --yes\n",
    OPTIONS(notify_options),
    .run = run_notify,
};
const struct cmd_verb cmd_incident_revoke = {
    .name = "incident revoke",
    WORDS("INCIDENT", 1, 1),
    .summary = "revoke by its plan, tier by tier",
    .help = "More than approvals.revoke-alone of lintel.yaml start with the last approval (lintel approve).\n"
            "A plan is to be approved within a day. Asked again after that, or with --expires, another is\n"
            "proposed for the same frozen list; approvals of the one before are not for it.\n"
            "\n"
            "examples:\n"
            "  lintel incident revoke 12 --yes\n"
            "  lintel incident revoke 12 --stop-after 1 --yes\n"
            "  lintel incident revoke 12 --expires 2027-03-05T10:00:00Z --yes\n",
    OPTIONS(revoke_options),
    .run = run_revoke,
};
const struct cmd_verb cmd_incident_action = {
    .name = "incident action",
    WORDS("INCIDENT", 1, 1),
    .summary = "what was promised for it (made and kept by lintel action)",
    .help = "examples:\n"
            "  lintel incident action 12\n",
    .run = run_action,
};
