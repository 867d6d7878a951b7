/* lintel cert list, show, find: the inventory, as the family's reader tells it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cmd/api.h"
#include "cmd/cert.h"
#include "cmd/evidence.h"
#include "cmd/mass.h"
#include "cmd/scope.h"
#include "cmd/verbs.h"

enum { NAMES_SHOWN = 60, QUERY_MAX = 8192 };

static const struct cmd_option list_options[] = {
    CMD_CERT_FILTERS,
    {"order", "WORD", "how sorted (default: -issued, newest first; with --scope: serial)", false,
     "serial issued -issued expires -expires"},
    CMD_PAGE_OPTIONS,
};
static const char *const filter_names[] = {
    "issuer",       "profile",      "status",        "name",        "suffix", "account", "issued-from",
    "issued-until", "expires-from", "expires-until", "spki-sha256", "sha256", "serial",  "order"};

static void names_text(const json_t *certificate, char *out, size_t size)
{
    const json_t *names = json_object_get(certificate, "names");
    size_t len = 0;
    size_t i;
    json_t *name;
    out[0] = 0;
    json_array_foreach(names, i, name)
    {
        const char *text = json_is_string(name) ? json_string_value(name) : cmd_text(name, "name");
        int n = snprintf(out + len, size - len, "%s%s", i > 0 ? " " : "", text);
        if (n < 0 || (size_t)n >= size - len) {
            (void)snprintf(out + size - 4, 4, "...");
            return;
        }
        len += (size_t)n;
    }
}

static lt_res print_list(struct cmd *c, const json_t *answer)
{
    static const char *const heads[] = {"SERIAL",  "STATUS", "REPLACEMENT", "ISSUER",
                                        "PROFILE", "ENDS",   "NAMES"};
    const json_t *list = json_object_get(answer, "certificates");
    size_t i;
    json_t *row;
    struct cmd_table *t = cmd_table_new(c, heads, LT_COUNT(heads));
    json_array_foreach(list, i, row)
    {
        char names[NAMES_SHOWN];
        char ends[LT_RFC3339_SIZE];
        names_text(row, names, sizeof(names));
        (void)snprintf(ends, sizeof(ends), "%.10s", cmd_text(row, "not_after"));
        const char *const cells[] = {cmd_text(row, "serial"),
                                     cmd_text(row, "status"),
                                     cmd_text(row, "replacement"),
                                     cmd_text(row, "issuer"),
                                     cmd_text(row, "profile"),
                                     ends,
                                     names};
        LT_TRY(cmd_table_row(t, cells));
    }
    LT_TRY(cmd_table_print(t));
    const char *next = cmd_text(answer, "next");
    return next[0] == 0 ? LT_OK : cmd_printf("more: --cursor '%s', or --all\n", next);
}

static lt_res list_with(struct cmd *c, struct lt_buf *query)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    for (size_t i = 0; i < LT_COUNT(filter_names); i++) {
        LT_TRY(cmd_cert_filter_check(filter_names[i], cmd_value(c, filter_names[i])));
        bool time = strstr(filter_names[i], "-from") != NULL || strstr(filter_names[i], "-until") != NULL;
        const char *value = cmd_value(c, filter_names[i]);
        bool serial = value != NULL && strcmp(filter_names[i], "serial") == 0;
        (time ? cmd_query_add_time : cmd_query_add)(query, filter_names[i],
                                                    serial ? cmd_cert_hex(&c->arena, value) : value);
    }
    LT_TRY(cmd_api_list(c, "certificates", "certificates", query, &answer));
    if (c->json) {
        return cmd_print_json(answer);
    }
    LT_CHECK(json_array_size(json_object_get(answer, "certificates")) > 0 || cmd_text(answer, "next")[0] != 0,
             LT_PEER_NOT_FOUND, "no certificate is like that");
    return print_list(c, answer);
}

static lt_res fetch_scope(struct cmd *c, const struct cmd_scope_listing *l, struct lt_buf *query,
                          json_t **ret_json)
{
    char path[QUERY_MAX + 32];
    cmd_query_add(query, "order", cmd_value_or(c, "order", cmd_value(c, "scope") != NULL ? NULL : "-issued"));
    LT_TRY(lt_buf_check(query));
    (void)snprintf(path, sizeof(path), "scope/list?%.*s", LT_FMT(lt_buf_slice(query)));
    LT_TRY(cmd_scope_pointed(l->text, cmd_api_ask(c, path, "text/plain", l->text, ret_json)));
    cmd_scope_remarks(l->first ? *ret_json : NULL);
    return LT_OK;
}

/* Of an expression; or in an order, or so many, that the indexes of the plain filters do not serve. */
static bool as_scope(const struct cmd *c)
{
    const char *order = cmd_value_or(c, "order", "");
    bool by_name = cmd_value(c, "name") != NULL || cmd_value(c, "suffix") != NULL; /* walked by name */
    return cmd_value(c, "scope") != NULL || (by_name && order[0] != 0) || strcmp(order, "serial") == 0 ||
           strcmp(order, "-expires") == 0 || cmd_flag(c, "all");
}

static lt_res run_list(struct cmd *c)
{
    struct lt_buf query;
    if (as_scope(c)) {
        struct cmd_scope_listing l = {.fetch = fetch_scope};
        LT_TRY(cmd_cert_expression(c, &l.text));
        return cmd_scope_pages(c, &l);
    }
    lt_buf_init(&query, QUERY_MAX);
    lt_res r = list_with(c, &query);
    lt_buf_done(&query);
    return r;
}

/* "0c:f6:ee", as openssl and browsers show a number: an address of pairs alone is none of ours. */
static bool pairs(const char *text)
{
    size_t len = strlen(text);
    for (size_t i = 2; i < len; i += 3) {
        if (text[i] != ':' && text[i] != ' ') {
            return false;
        }
    }
    return len % 3 == 2;
}

/* What was typed says what it is: 64 hex digits a hash, other hex a serial, a dot a name. */
static lt_res run_find(struct cmd *c)
{
    const char *text = c->args.words[0];
    bool colons = strpbrk(text, ": ") != NULL;
    const char *digits = colons && !pairs(text) ? text : cmd_cert_hex(&c->arena, text);
    size_t len = strlen(digits);
    bool hex = len > 0 && strspn(digits, "0123456789abcdefABCDEF") == len;
    LT_TRY(cmd_cert_filter_check(NULL, text));
    text = hex ? digits : text;
    bool below = strncmp(text, "*.", 2) == 0 || text[0] == '.';
    struct lt_buf query;
    lt_buf_init(&query, QUERY_MAX);
    cmd_query_add(&query,
                  hex && len == 64 ? (cmd_flag(c, "key") ? "spki-sha256" : "sha256")
                  : hex            ? "serial"
                  : below          ? "suffix"
                                   : "name",
                  below ? text + (text[0] == '.' ? 1 : 2) : text);
    lt_res r = list_with(c, &query);
    lt_buf_done(&query);
    return r;
}

static void say_names(const json_t *answer, struct lt_buf *out)
{
    size_t i;
    json_t *name;
    json_array_foreach(json_object_get(answer, "names"), i, name)
    {
        const char *validated = cmd_text(name, "validated");
        const char *until = cmd_text(name, "authorization_expires");
        lt_buf_addf(out, "  name        %s %s  (authorization %s%s%s%s%s%s%s)\n", cmd_text(name, "type"),
                    cmd_text(name, "name"), cmd_text(name, "authorization"),
                    cmd_text(name, "authorization_status")[0] != '\0' ? ", " : "",
                    cmd_text(name, "authorization_status"), validated[0] != '\0' ? ", validated " : "",
                    validated, until[0] != '\0' ? ", reused here until " : "", until);
        cmd_say_checks(name, out);
    }
}

/* What has become of it, since when, and by which other. */
static void say_replacement(const json_t *a, struct lt_buf *out)
{
    static const char *const words[][2] = {{"in_use", "in use: an endpoint shows it"},
                                           {"deployed", "replaced and deployed"},
                                           {"not_seen", "replaced, not seen"},
                                           {"silent", "silent: nothing is known of its use"}};
    const json_t *steps = json_object_get(a, "replacement_steps");
    const json_t *last = json_array_get(steps, json_array_size(steps) == 0 ? 0 : json_array_size(steps) - 1);
    size_t i;
    json_t *row;
    for (size_t n = 0; n < LT_COUNT(words); n++) {
        if (strcmp(cmd_text(a, "replacement"), words[n][0]) == 0) {
            lt_buf_addf(out, "  replacement %s%s%s\n", words[n][1], last == NULL ? "" : ", since ",
                        cmd_text(last, "since"));
        }
    }
    json_array_foreach(json_object_get(a, "replaced_by"), i, row)
    {
        lt_buf_addf(out, "  %-11s %s (%s)\n", i == 0 ? "replaced by" : "", cmd_text(row, "serial"),
                    cmd_text(row, "how"));
    }
    json_array_foreach(json_object_get(a, "replaces"), i, row)
    {
        lt_buf_addf(out, "  %-11s %s (%s)\n", i == 0 ? "replaces" : "", cmd_text(row, "serial"),
                    cmd_text(row, "how"));
    }
}

/* Of what was brought in as a row of a table the book has little. */
static void say_key(const json_t *a, struct lt_buf *out)
{
    const char *sha256 = cmd_text(a, "sha256");
    const char *spki = cmd_text(a, "spki_sha256");
    const char *signature = cmd_text(a, "signature");
    lt_buf_addf(out, "  key         %s, sha256 %s\n", cmd_text(a, "key_type"),
                spki[0] != 0 ? spki : "unknown");
    lt_buf_addf(out, "  sha256      %s\n  signature   %s\n", sha256[0] != 0 ? sha256 : "unknown",
                signature[0] != 0 ? signature : "unknown");
}

static void say_certificate(const json_t *a, struct lt_buf *out)
{
    bool foreign = strcmp(cmd_text(a, "evidence_status"), "unknown") == 0;
    const char *issuer = cmd_text(a, "issuer_name");
    const json_t *revocation = json_object_get(a, "revocation");
    size_t i;
    json_t *row;
    lt_buf_addf(out, "certificate   %s\n  status      %s\n", cmd_text(a, "serial"), cmd_text(a, "status"));
    if (revocation != NULL) {
        lt_buf_addf(out, "  revoked     %s  %s, by %s\n", cmd_text(revocation, "revoked"),
                    cmd_text(revocation, "reason_name"), cmd_text(revocation, "by"));
    }
    say_replacement(a, out);
    cmd_say_clocks(a, out);
    lt_buf_addf(out, issuer[0] != 0 ? "  issuer      %s  (%s)\n" : "  issuer      %s%s\n",
                cmd_text(a, "issuer"), issuer);
    lt_buf_addf(out, "  profile     %s\n  subject     %s\n", cmd_text(a, "profile"),
                cmd_text(a, "subject")[0] != 0 ? cmd_text(a, "subject") : "(empty)");
    lt_buf_addf(out, "  valid       %s to %s\n", cmd_text(a, "not_before"), cmd_text(a, "not_after"));
    lt_buf_addf(out, foreign ? "  issued      %s\n" : "  issued      %s  (build %s, rules %s)\n",
                cmd_text(a, "issued"), cmd_text(a, "build"), cmd_text(a, "rule_set"));
    json_array_foreach(json_object_get(a, "findings"), i, row)
    {
        lt_buf_addf(out, "  %-11s %s %s%s\n", i == 0 ? "linter" : "", cmd_text(row, "result"),
                    cmd_text(row, "rule"),
                    json_is_true(json_object_get(row, "excepted")) ? " (by an exception)" : "");
    }
    say_key(a, out);
    if (!foreign || strcmp(cmd_text(a, "account"), "0") != 0) {
        lt_buf_addf(out, foreign ? "  account     %s\n" : "  account     %s, order %s\n",
                    cmd_text(a, "account"), cmd_text(a, "order"));
    }
    if (foreign) {
        lt_buf_addf(out, "  evidence    unknown: brought in by %s%s\n", cmd_text(a, "import"),
                    strcmp(cmd_text(a, "import_form"), "row") == 0 ? ", serial number and dates alone" : "");
    }
    say_names(a, out);
    cmd_say_rules(a, out);
    json_array_foreach(json_object_get(a, "extensions"), i, row)
    {
        lt_buf_addf(out, "  %-11s %s%s\n", i == 0 ? "extensions" : "", cmd_text(row, "name"),
                    json_is_true(json_object_get(row, "critical")) ? " (critical)" : "");
    }
    json_array_foreach(json_object_get(a, "chain"), i, row)
    {
        lt_buf_addf(out, "  %-11s %s, until %.10s\n", i == 0 ? "chain" : "", cmd_text(row, "issuer"),
                    cmd_text(row, "not_after"));
    }
}

static lt_res print_pem(const json_t *answer)
{
    size_t i;
    json_t *row;
    LT_CHECK(cmd_text(answer, "pem")[0] != 0, LT_PEER_NOT_FOUND, "it was brought in without its bytes (%s)",
             cmd_text(answer, "import"));
    LT_TRY(cmd_printf("%s", cmd_text(answer, "pem")));
    json_array_foreach(json_object_get(answer, "chain"), i, row)
    {
        LT_TRY(cmd_printf("%s", cmd_text(row, "pem")));
    }
    return LT_OK;
}

static lt_res run_show(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    char path[512];
    const char *serial = cmd_cert_hex(&c->arena, c->args.words[0]);
    size_t len = strlen(serial);
    LT_CHECK(len > 0 && len <= 40 && strspn(serial, "0123456789abcdefABCDEF") == len, LT_PEER_USAGE,
             "\"%.60s\" is no serial number; write it in hex", serial);
    bool pem = cmd_flag(c, "pem");
    struct lt_buf query;
    lt_buf_init(&query, QUERY_MAX);
    cmd_query_add(&query, "issuer", cmd_value(c, "issuer"));
    cmd_query_add(&query, "evidence", cmd_flag(c, "evidence") || c->json ? "1" : NULL);
    cmd_query_add(&query, "der", pem || c->json ? "1" : NULL);
    int n = snprintf(path, sizeof(path), "certificates/%s%s?%.*s", len % 2 == 0 ? "" : "0", serial,
                     LT_FMT(lt_buf_slice(&query)));
    lt_buf_done(&query);
    LT_CHECK(n > 0 && (size_t)n < sizeof(path), LT_PEER_USAGE, "--issuer: too long");
    LT_TRY(cmd_api_get(c, path, &answer));
    if (c->json) {
        return cmd_print_json(answer);
    }
    if (pem) {
        return print_pem(answer);
    }
    struct lt_buf out;
    lt_buf_init(&out, 1 << 24);
    say_certificate(answer, &out);
    lt_res r = cmd_print(lt_buf_slice(&out));
    lt_buf_done(&out);
    return r;
}

static const struct cmd_option show_options[] = {
    {"issuer", "NAME", "of that issuing CA, should two have the serial", false, NULL},
    {"evidence", NULL, "with every check of its names, and the rules that they are judged by", false, NULL},
    {"pem", NULL, "only the certificate and its chain, as PEM", false, NULL},
};
static const struct cmd_option find_options[] = {
    {"key", NULL, "64 hex digits are the SHA-256 of a public key", false, NULL},
    CMD_PAGE_OPTIONS,
};

const struct cmd_verb cmd_cert_list = {
    .name = "cert list",
    .words = "",
    .summary = "list certificates, newest first",
    .help = "examples:\n"
            "  lintel cert list --suffix example.com --status valid\n"
            "  lintel cert list --scope 'caa_age > 8h and not expired' --order expires\n"
            "  lintel cert list --expires-until 2027-01-01T00:00:00Z --all --json\n",
    .options = list_options,
    .option_count = LT_COUNT(list_options),
    .run = run_list,
};
const struct cmd_verb cmd_cert_show = {
    .name = "cert show",
    .words = "SERIAL",
    .words_least = 1,
    .words_most = 1,
    .summary = "show one certificate: fields, names with their evidence, status, chain",
    .help = "examples:\n"
            "  lintel cert show 0cf65a03ce05c1fff1baf459b0f1aa20 --evidence\n"
            "  lintel cert show 0cf65a03ce05c1fff1baf459b0f1aa20 --pem > chain.pem\n",
    .options = show_options,
    .option_count = LT_COUNT(show_options),
    .run = run_show,
};
const struct cmd_verb cmd_cert_find = {
    .name = "cert find",
    .words = "TEXT",
    .words_least = 1,
    .words_most = 1,
    .summary = "find certificates by name, \"*.domain\", serial or fingerprint",
    .help = "examples:\n"
            "  lintel cert find www.example.com\n"
            "  lintel cert find '*.example.com'\n",
    .options = find_options,
    .option_count = LT_COUNT(find_options),
    .run = run_find,
};
