/* lintel revoke --scope EXPR, --spki HASH: many certificates as one plan. lintel mass list, show, start,
 * pause, resume, stop: how far it is, and what to do with it. */
#include "cmd/mass.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ca/revoke.h"
#include "cmd/api.h"
#include "cmd/verbs.h"

enum { PATH_SIZE = 256, QUERY_MAX = 8192, HASH_DIGITS = 64, WATCH_MS = 500, TIERS_MAX = 15 };

/* ---- made ---- */

static lt_res put_text(const struct cmd *c, json_t *payload, const char *option, const char *member)
{
    const char *value = cmd_value(c, option);
    LT_CHECK(value == NULL || json_object_set_new(payload, member, json_string(value)) == 0, LT_PEER_USAGE,
             "--%s is no UTF-8", option);
    return LT_OK;
}

/* As other tools print it: capital letters, colons. */
static lt_res read_key(const struct cmd *c, char ret_key[CMD_KEY_SIZE])
{
    const char *spki = cmd_value(c, "spki");
    size_t len = 0;
    bool good = true;
    for (const char *at = spki; *at != '\0' && good; at++) {
        bool digit = strchr("0123456789abcdefABCDEF", *at) != NULL;
        good = (digit && len < HASH_DIGITS) || (*at == ':' && len % 2 == 0 && len > 0);
        if (digit && good) {
            ret_key[len++] = *at >= 'A' && *at <= 'F' ? (char)(*at - 'A' + 'a') : *at;
        }
    }
    ret_key[len] = '\0';
    LT_CHECK(good && len == HASH_DIGITS, LT_PEER_USAGE,
             "\"%.100s\" is no SHA-256 of a public key: 64 hex digits", spki);
    return LT_OK;
}

/* Behind the last tier, everything else, it would stop by itself. */
static lt_res check_stop_after(const struct cmd *c)
{
    size_t tiers = 0;
    uint64_t tier = 0;
    if (cmd_value(c, "stop-after") == NULL) {
        return LT_OK;
    }
    while (cmd_mass_tier(c, tiers) != NULL) {
        tiers++;
    }
    LT_TRY(cmd_number(c, "stop-after", 0, TIERS_MAX, &tier));
    LT_CHECK(tier < tiers, LT_PEER_USAGE, "--stop-after %llu: nothing comes behind it, there are %zu --tier",
             (unsigned long long)tier, tiers);
    return LT_OK;
}

static lt_res put_stop_after(const struct cmd *c, json_t *payload)
{
    uint64_t tier = 0;
    if (cmd_value(c, "stop-after") == NULL) {
        return LT_OK;
    }
    LT_TRY(cmd_number(c, "stop-after", 0, TIERS_MAX, &tier));
    LT_ASSERT(json_object_set_new(payload, "stop-after", json_integer((json_int_t)tier)) == 0);
    return LT_OK;
}

static lt_res put_meant(const struct cmd *c, const struct cmd_why *w, const char *key, json_t *payload)
{
    if (key[0] != '\0') {
        bool compromised = w->reason == CA_REASON_KEY_COMPROMISE;
        LT_ASSERT(json_object_set_new(payload, "block", json_boolean(compromised)) == 0 &&
                  json_object_set_new(payload, "spki-sha256", json_string(key)) == 0);
        return LT_OK;
    }
    json_t *tiers = json_array();
    LT_ASSERT(tiers != NULL && json_object_set_new(payload, "tiers", tiers) == 0);
    for (size_t i = 0; cmd_mass_tier(c, i) != NULL; i++) {
        LT_CHECK(i < TIERS_MAX, LT_PEER_USAGE, "at most %d tiers, and everything else", TIERS_MAX);
        LT_CHECK(json_array_append_new(tiers, json_string(cmd_mass_tier(c, i))) == 0, LT_PEER_USAGE,
                 "--tier is no UTF-8");
    }
    return put_text(c, payload, "scope", "scope");
}

static lt_res print_mass(const json_t *m)
{
    const char *plan = cmd_text(m, "plan");
    const char *why = cmd_text(m, "why");
    LT_TRY(
        cmd_printf("%s  %s%s%s\n", cmd_text(m, "id"), cmd_text(m, "status"), why[0] == 0 ? "" : ": ", why));
    LT_TRY(cmd_printf("  reason    %s%s%s\n", cmd_text(m, "reason"),
                      cmd_text(m, "cause")[0] == 0 ? "" : ", for ", cmd_text(m, "cause")));
    LT_TRY(cmd_printf("  members   %lld in %lld batches\n", (long long)cmd_int(m, "count"),
                      (long long)cmd_int(m, "batches")));
    LT_TRY(cmd_printf("  revoked   %lld, %lld were already, %lld are held\n",
                      (long long)cmd_int(m, "revoked"), (long long)cmd_int(m, "already"),
                      (long long)cmd_int(m, "held")));
    if (cmd_text(m, "must")[0] != 0) {
        LT_TRY(cmd_printf("  clock     %s%s%s\n", cmd_text(m, "should"),
                          cmd_text(m, "should")[0] == 0 ? "" : " is aimed at; the end is ",
                          cmd_text(m, "must")));
    }
    if (cmd_int(m, "per_second") > 0) {
        LT_TRY(cmd_printf("  pace      %lld a second, %lld s left\n", (long long)cmd_int(m, "per_second"),
                          (long long)cmd_int(m, "seconds_left")));
    }
    if (strcmp(cmd_text(m, "status"), "proposed") == 0) {
        return plan[0] != 0
                   ? cmd_printf("  plan      lintel approve %s --operator NAME --key FILE --yes\n", plan)
                   : cmd_printf("  start it  lintel mass start %s --yes\n", cmd_text(m, "id"));
    }
    return LT_OK;
}

static bool moves(const json_t *m)
{
    static const char *const words[] = {"freezing", "sealing", "checking", "running"};
    for (size_t i = 0; i < LT_COUNT(words); i++) {
        if (strcmp(cmd_text(m, "status"), words[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* A line while it goes on; what is written to a file gets none. */
static void progress(const json_t *m)
{
    if (isatty(STDERR_FILENO) == 1) {
        (void)fprintf(stderr, "\r\033[K%s: %s %lld of %lld, %lld s left", cmd_text(m, "id"),
                      cmd_text(m, "status"), (long long)cmd_int(m, "done"), (long long)cmd_int(m, "count"),
                      (long long)cmd_int(m, "seconds_left"));
    }
}

/* Until it rests. */
static lt_res wait_for(struct cmd *c, const char *id, json_t **ret_mass)
{
    char path[PATH_SIZE];
    bool shown = false;
    (void)snprintf(path, sizeof path, "masses/%s", id);
    for (;;) {
        LT_TRY(cmd_api_get(c, path, ret_mass));
        if (!moves(*ret_mass)) {
            break;
        }
        progress(*ret_mass);
        shown = true;
        (void)usleep(WATCH_MS * 1000);
        json_decref(*ret_mass);
        *ret_mass = NULL;
    }
    if (shown && isatty(STDERR_FILENO) == 1) {
        (void)fputs("\r\033[K", stderr);
    }
    return LT_OK;
}

static lt_res print_resting(struct cmd *c, const char *id)
{
    LT_CLEANUP(cmd_json_freep) json_t *mass = NULL;
    LT_TRY(wait_for(c, id, &mass));
    return c->json ? cmd_print_json(mass) : print_mass(mass);
}

/* Another time to approve: asked again once the list is sealed, since only then there is a plan. */
static lt_res post_expires(struct cmd *c, json_t *payload, const char *id)
{
    LT_CLEANUP(cmd_json_freep) json_t *mass = NULL;
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    if (cmd_value(c, "expires") == NULL) {
        return LT_OK;
    }
    LT_TRY(wait_for(c, id, &mass));
    LT_TRY(put_text(c, payload, "expires", "expires"));
    return cmd_text(mass, "plan")[0] == 0 ? LT_OK : cmd_api_post(c, "masses", payload, &answer);
}

lt_res cmd_revoke_many(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    const char *scope = cmd_value(c, "scope");
    const char *spki = cmd_value(c, "spki");
    char key[CMD_KEY_SIZE] = "";
    struct cmd_why why;
    LT_ASSERT(payload != NULL);
    LT_CHECK((scope != NULL) != (spki != NULL) && c->args.word_count == 0, LT_PEER_USAGE,
             "give one of SERIAL, --scope EXPR and --spki HASH");
    LT_CHECK(scope != NULL || cmd_value(c, "tier") == NULL, LT_PEER_USAGE, "--tier goes with --scope");
    LT_TRY(spki == NULL ? LT_OK : read_key(c, key));
    LT_TRY(check_stop_after(c));
    LT_TRY(cmd_why(c, &why));
    LT_TRY(put_meant(c, &why, key, payload));
    LT_TRY(cmd_why_put(c, &why, payload));
    LT_TRY(put_text(c, payload, "text", "note"));
    LT_TRY(put_stop_after(c, payload));
    LT_TRY(why.dated.us == 0 ? LT_OK : cmd_revoke_check_date(c, &why, key));
    if (!cmd_flag(c, "yes")) {
        return cmd_revoke_dry_run(c, &why, key);
    }
    LT_TRY(cmd_api_post(c, "masses", payload, &answer));
    LT_TRY(post_expires(c, payload, cmd_text(answer, "id")));
    return print_resting(c, cmd_text(answer, "id"));
}

/* ---- the verbs ---- */

static lt_res run_list(struct cmd *c)
{
    static const char *const heads[] = {"ID", "STATUS", "REASON", "MEMBERS", "REVOKED", "CREATED", "BY"};
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    struct lt_buf query;
    size_t i;
    json_t *row;
    lt_buf_init(&query, QUERY_MAX);
    lt_res r = cmd_api_list(c, "masses", "masses", &query, &answer);
    lt_buf_done(&query);
    LT_TRY(r);
    if (c->json) {
        return cmd_print_json(answer);
    }
    struct cmd_table *t = cmd_table_new(c, heads, LT_COUNT(heads));
    json_array_foreach(json_object_get(answer, "masses"), i, row)
    {
        char members[32];
        char revoked[32];
        (void)snprintf(members, sizeof members, "%lld", (long long)cmd_int(row, "count"));
        (void)snprintf(revoked, sizeof revoked, "%lld", (long long)cmd_int(row, "revoked"));
        const char *const cells[] = {
            cmd_text(row, "id"),      cmd_text(row, "status"),    cmd_text(row, "reason"), members, revoked,
            cmd_text(row, "created"), cmd_text(row, "created_by")};
        LT_TRY(cmd_table_row(t, cells));
    }
    return cmd_table_print(t);
}

static lt_res check_id(const char *id)
{
    size_t len = strlen(id);
    LT_CHECK(len > 1 && len < 24 && id[0] == 'm' && strspn(id + 1, "0123456789") == len - 1, LT_PEER_USAGE,
             "\"%.40s\" is no mass revocation; see lintel mass list", id);
    return LT_OK;
}

static lt_res run_show(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *mass = NULL;
    char path[PATH_SIZE];
    const char *id = c->args.words[0];
    LT_TRY(check_id(id));
    if (cmd_flag(c, "watch")) {
        return print_resting(c, id);
    }
    (void)snprintf(path, sizeof path, "masses/%s", id);
    LT_TRY(cmd_api_get(c, path, &mass));
    return c->json ? cmd_print_json(mass) : print_mass(mass);
}

/* The last word of the verb's name is the last part of the path. */
static lt_res run_act(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    char path[PATH_SIZE];
    const char *id = c->args.words[0];
    const char *what = strchr(c->verb->name, ' ') + 1;
    LT_ASSERT(payload != NULL);
    LT_TRY(check_id(id));
    if (!cmd_flag(c, "yes")) {
        return cmd_would(c, "would %s %s; add --yes to do it", what, id);
    }
    LT_TRY(put_text(c, payload, "late-because", "late-because"));
    LT_TRY(put_stop_after(c, payload));
    (void)snprintf(path, sizeof path, "masses/%s/%s", id, what);
    LT_TRY(cmd_api_post(c, path, payload, &answer));
    return strcmp(what, "start") == 0 || strcmp(what, "resume") == 0 ? print_resting(c, id)
           : c->json                                                 ? cmd_print_json(answer)
                                                                     : print_mass(answer);
}

static const struct cmd_option list_options[] = {CMD_PAGE_OPTIONS};
static const struct cmd_option show_options[] = {
    {"watch", NULL, "wait until it rests, with progress", false, NULL},
};
static const struct cmd_option act_options[] = {
    {"stop-after", "TIER", "pause again behind this tier", false, NULL},
    {"late-because", "TEXT", "why the clock that should be kept was missed", false, NULL},
    CMD_YES_OPTION,
    CMD_OPERATOR_OPTIONS,
};

#define ACT(variable_, name_, summary_, help_)                                \
    const struct cmd_verb variable_ = {.name = name_,                         \
                                       .words = "ID",                         \
                                       .words_least = 1,                      \
                                       .words_most = 1,                       \
                                       .summary = summary_,                   \
                                       .help = help_,                         \
                                       .options = act_options,                \
                                       .option_count = LT_COUNT(act_options), \
                                       .run = run_act}

const struct cmd_verb cmd_mass_list = {
    .name = "mass list",
    .words = "",
    .summary = "list mass revocations, the newest first",
    .help = "examples:\n  lintel mass list\n",
    .options = list_options,
    .option_count = LT_COUNT(list_options),
    .run = run_list,
};
const struct cmd_verb cmd_mass_show = {
    .name = "mass show",
    .words = "ID",
    .words_least = 1,
    .words_most = 1,
    .summary = "show how far a mass revocation is",
    .help =
        "examples:\n  lintel mass show m467103463247873787\n  lintel mass show m467103463247873787 --watch\n",
    .options = show_options,
    .option_count = LT_COUNT(show_options),
    .run = run_show,
};
ACT(cmd_mass_start, "mass start", "start a mass revocation that needs no second person",
    "One of more than 100 certificates starts with its plan: lintel approve, lintel plan run.\n"
    "\n"
    "examples:\n"
    "  lintel mass start m467103463247873787 --yes\n");
ACT(cmd_mass_pause, "mass pause", "pause a mass revocation",
    "Batches that the signer's journal has are written to the end.\n"
    "\n"
    "examples:\n"
    "  lintel mass pause m467103463247873787 --yes\n");
ACT(cmd_mass_resume, "mass resume", "go on with a mass revocation that is paused",
    "Also when it paused by itself, because a count was another than the approved one: show says why.\n"
    "\n"
    "examples:\n"
    "  lintel mass resume m467103463247873787 --yes\n"
    "  lintel mass resume m467103463247873787 --stop-after 1 --yes\n");
ACT(cmd_mass_stop, "mass stop", "end a mass revocation where it is",
    "What is revoked stays revoked. It cannot be resumed: freeze the list anew.\n"
    "\n"
    "examples:\n"
    "  lintel mass stop m467103463247873787 --yes\n");
