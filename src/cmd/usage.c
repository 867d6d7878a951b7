/* lintel usage: who uses the certificates of a scope. scan goes to their names and keeps what each shows;
 * list, show, endpoints and history say what was seen; pause, resume and stop steer a scan. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/api.h"
#include "cmd/scope.h"
#include "cmd/verbs.h"
#include "scope/scope.h"

enum { PATH_SIZE = 256, QUERY_MAX = 8192, WATCH_MS = 250, BAR = 30, PORTS_MAX = 8, PORT_MAX = 65535 };

/* ---- a scan ---- */

static bool moves(const json_t *scan)
{
    const char *status = cmd_text(scan, "status");
    return strcmp(status, "counting") == 0 || strcmp(status, "running") == 0;
}

static long long number(const json_t *scan, const char *key)
{
    return (long long)cmd_int(scan, key);
}

/* A line while it goes on; what is written to a file gets none. */
static void progress(const json_t *scan)
{
    char bar[BAR + 1];
    char left[32] = "…";
    long long count = number(scan, "count");
    long long done = number(scan, "certificates");
    size_t full = count > 0 ? (size_t)(done * BAR / count) : 0;
    if (isatty(STDERR_FILENO) != 1) {
        return;
    }
    for (size_t i = 0; i < BAR; i++) {
        bar[i] = i < full ? '#' : '.';
    }
    bar[BAR] = '\0';
    if (json_object_get(scan, "seconds_left") != NULL) {
        (void)snprintf(left, sizeof left, "%lld s left", number(scan, "seconds_left")); /* fits */
    }
    (void)fprintf(stderr, "\r\033[K%s [%s] %lld of %lld certificates, %lld endpoints, %lld a second, %s",
                  cmd_text(scan, "id"), bar, done, count, number(scan, "looked") + number(scan, "skipped"),
                  number(scan, "per_second"), left);
}

static lt_res print_scan(const json_t *scan)
{
    const char *why = cmd_text(scan, "why");
    LT_TRY(cmd_printf("%s  %s%s%s\n", cmd_text(scan, "id"), cmd_text(scan, "status"), why[0] == 0 ? "" : ": ",
                      why));
    LT_TRY(cmd_printf("  scope         %s\n", cmd_text(scan, "scope")));
    LT_TRY(cmd_printf("  ports         %s, at most %lld connections a second, %lld at once\n",
                      cmd_text(scan, "ports"), number(scan, "rate"), number(scan, "concurrency")));
    LT_TRY(cmd_printf("  certificates  %lld of %lld\n", number(scan, "certificates"), number(scan, "count")));
    LT_TRY(
        cmd_printf("  endpoints     %lld looked at, %lld a second: %lld show a certificate, %lld of them one "
                   "of this CA; %lld show none\n",
                   number(scan, "looked"), number(scan, "per_second"), number(scan, "served"),
                   number(scan, "ours"), number(scan, "failed")));
    if (number(scan, "skipped") > 0) {
        LT_TRY(cmd_printf("  left out      %lld: usage/targets says so\n", number(scan, "skipped")));
    }
    return LT_OK;
}

/* Until it rests. */
static lt_res wait_for(struct cmd *c, const char *id, json_t **ret_scan)
{
    char path[PATH_SIZE];
    bool shown = false;
    (void)snprintf(path, sizeof path, "usage/scans/%s", id);
    LT_TRY(cmd_api_get(c, path, ret_scan));
    while (moves(*ret_scan)) {
        progress(*ret_scan);
        shown = true;
        (void)usleep(WATCH_MS * 1000); /* cut short: it only looks again sooner */
        json_decref(*ret_scan);
        *ret_scan = NULL;
        LT_TRY(cmd_api_get(c, path, ret_scan));
    }
    if (shown && isatty(STDERR_FILENO) == 1) {
        (void)fputs("\r\033[K", stderr); /* what cannot be shown changes nothing */
    }
    return LT_OK;
}

static lt_res print_resting(struct cmd *c, const char *id)
{
    LT_CLEANUP(cmd_json_freep) json_t *scan = NULL;
    LT_TRY(wait_for(c, id, &scan));
    return c->json ? cmd_print_json(scan) : print_scan(scan);
}

static lt_res put_number(const struct cmd *c, const char *option, const char *member, uint64_t most,
                         json_t *payload)
{
    uint64_t value = 0;
    if (cmd_value(c, option) == NULL) {
        return LT_OK;
    }
    LT_TRY(cmd_number(c, option, 0, most, &value));
    LT_CHECK(value > 0, LT_PEER_USAGE, "--%s is a number from 1 to %llu", option, (unsigned long long)most);
    LT_ASSERT(json_object_set_new(payload, member, json_integer((json_int_t)value)) == 0);
    return LT_OK;
}

static lt_res put_ports(const struct cmd *c, json_t *payload)
{
    json_t *ports = json_array();
    LT_ASSERT(ports != NULL && json_object_set_new(payload, "ports", ports) == 0);
    for (size_t i = 0; cmd_value_nth(c, "port", i) != NULL; i++) {
        unsigned port = 0;
        char rest = 0;
        LT_CHECK(i < PORTS_MAX, LT_PEER_USAGE, "at most %d ports", PORTS_MAX);
        LT_CHECK(sscanf(cmd_value_nth(c, "port", i), "%5u%c", &port, &rest) == 1 && port > 0 &&
                     port <= PORT_MAX,
                 LT_PEER_USAGE, "--port is a number from 1 to %d", PORT_MAX);
        LT_ASSERT(json_array_append_new(ports, json_integer((json_int_t)port)) == 0);
    }
    if (json_array_size(ports) == 0) {
        LT_ASSERT(json_object_del(payload, "ports") == 0);
    }
    return LT_OK;
}

static lt_res make_payload(const struct cmd *c, json_t *payload)
{
    LT_CHECK(json_object_set_new(payload, "scope", json_string(c->args.words[0])) == 0, LT_PEER_USAGE,
             "the expression is no UTF-8");
    LT_TRY(put_ports(c, payload));
    LT_TRY(put_number(c, "rate", "rate", 2000, payload));
    LT_TRY(put_number(c, "concurrency", "concurrency", 512, payload));
    return put_number(c, "timeout", "timeout-ms", 30000, payload);
}

static lt_res dry_run(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    lt_slice text = lt_slice_cstr(c->args.words[0]);
    LT_TRY(cmd_scope_pointed(text, cmd_api_ask(c, "scope/count", "text/plain", text, &answer)));
    cmd_scope_remarks(answer);
    return cmd_would(
        c,
        "would connect to every name of %lld certificates, at most %s times a second, and keep which "
        "certificate each shows; add --yes to do it",
        (long long)cmd_int(answer, "count"), cmd_value_or(c, "rate", "50"));
}

static lt_res run_scan(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    LT_ASSERT(payload != NULL);
    LT_TRY(cmd_scope_check(lt_slice_cstr(c->args.words[0])));
    LT_TRY(make_payload(c, payload));
    if (!cmd_flag(c, "yes")) {
        return dry_run(c);
    }
    LT_TRY(cmd_api_post(c, "usage/scans", payload, &answer));
    if (cmd_flag(c, "no-wait")) {
        return c->json ? cmd_print_json(answer) : cmd_printf("%s\n", cmd_text(answer, "id"));
    }
    return print_resting(c, cmd_text(answer, "id"));
}

static lt_res check_id(const char *id)
{
    size_t len = strlen(id);
    LT_CHECK(len > 1 && len < 24 && id[0] == 'u' && strspn(id + 1, "0123456789") == len - 1, LT_PEER_USAGE,
             "\"%.40s\" is no scan; see lintel usage list", id);
    return LT_OK;
}

static lt_res run_show(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *scan = NULL;
    char path[PATH_SIZE];
    const char *id = c->args.words[0];
    LT_TRY(check_id(id));
    if (cmd_flag(c, "watch")) {
        return print_resting(c, id);
    }
    (void)snprintf(path, sizeof path, "usage/scans/%s", id);
    LT_TRY(cmd_api_get(c, path, &scan));
    return c->json ? cmd_print_json(scan) : print_scan(scan);
}

/* A terminal has the progress. */
static void say_waiting(const char *id)
{
    if (isatty(STDERR_FILENO) != 1) {
        (void)fprintf(stderr, "%s goes on, and its end is waited for; --no-wait does not\n", id);
    }
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
    (void)snprintf(path, sizeof path, "usage/scans/%s/%s", id, what);
    LT_TRY(cmd_api_post(c, path, payload, &answer));
    if (strcmp(what, "resume") == 0 && !cmd_flag(c, "no-wait")) {
        say_waiting(id);
        return print_resting(c, id);
    }
    return c->json ? cmd_print_json(answer) : print_scan(answer);
}

static lt_res run_list(struct cmd *c)
{
    static const char *const heads[] = {"ID",   "STATUS",  "CERTIFICATES", "ENDPOINTS",
                                        "OURS", "CREATED", "BY",           "SCOPE"};
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    struct lt_buf query;
    size_t i;
    json_t *row;
    lt_buf_init(&query, QUERY_MAX);
    lt_res r = cmd_api_list(c, "usage/scans", "scans", &query, &answer);
    lt_buf_done(&query);
    LT_TRY(r);
    if (c->json) {
        return cmd_print_json(answer);
    }
    struct cmd_table *t = cmd_table_new(c, heads, LT_COUNT(heads));
    json_array_foreach(json_object_get(answer, "scans"), i, row)
    {
        char numbers[3][24];
        static const char *const keys[] = {"certificates", "looked", "ours"};
        char scope[44];
        for (size_t n = 0; n < LT_COUNT(keys); n++) {
            (void)snprintf(numbers[n], sizeof numbers[n], "%lld", number(row, keys[n]));
        }
        (void)snprintf(scope, sizeof scope, "%.43s", cmd_text(row, "scope"));
        const char *const cells[] = {
            cmd_text(row, "id"),      cmd_text(row, "status"),     numbers[0], numbers[1], numbers[2],
            cmd_text(row, "created"), cmd_text(row, "created_by"), scope};
        LT_TRY(cmd_table_row(t, cells));
    }
    return cmd_table_print(t);
}

/* ---- what was seen ---- */

static const char *shown(const json_t *row)
{
    return json_object_get(row, "sha256") == NULL ? "-"
           : cmd_text(row, "issuer")[0] != 0      ? cmd_text(row, "issuer")
                                                  : "another";
}

static lt_res run_endpoints(struct cmd *c)
{
    static const char *const heads[] = {"NAME", "PORT", "OUTCOME", "LOOKED", "ISSUER", "SERIAL"};
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    struct lt_buf query;
    size_t i;
    json_t *row;
    lt_buf_init(&query, QUERY_MAX);
    cmd_query_add(&query, "name", c->args.word_count > 0 ? c->args.words[0] : NULL);
    cmd_query_add(&query, "suffix", cmd_value(c, "suffix"));
    cmd_query_add(&query, "serial", cmd_value(c, "serial"));
    cmd_query_add(&query, "issuer", cmd_value(c, "issuer"));
    lt_res r = cmd_api_list(c, "usage/endpoints", "endpoints", &query, &answer);
    lt_buf_done(&query);
    LT_TRY(r);
    if (c->json) {
        return cmd_print_json(answer);
    }
    struct cmd_table *t = cmd_table_new(c, heads, LT_COUNT(heads));
    json_array_foreach(json_object_get(answer, "endpoints"), i, row)
    {
        char port[24];
        (void)snprintf(port, sizeof port, "%lld", number(row, "port"));
        const char *const cells[] = {cmd_text(row, "name"),   port,       cmd_text(row, "outcome"),
                                     cmd_text(row, "looked"), shown(row), cmd_text(row, "serial")};
        LT_TRY(cmd_table_row(t, cells));
    }
    return cmd_table_print(t);
}

static lt_res run_history(struct cmd *c)
{
    static const char *const heads[] = {"LOOKED", "PORT", "OUTCOME", "ADDRESS", "ISSUER", "SERIAL", "DETAIL"};
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    struct lt_buf query;
    char path[QUERY_MAX];
    size_t i;
    json_t *row;
    lt_buf_init(&query, QUERY_MAX / 2);
    cmd_query_add(&query, "name", c->args.words[0]);
    (void)snprintf(path, sizeof path, "usage/history?%s", lt_buf_cstr(&query));
    lt_res r = lt_buf_check(&query);
    lt_buf_done(&query);
    LT_TRY(r);
    LT_TRY(cmd_api_get(c, path, &answer));
    if (c->json) {
        return cmd_print_json(answer);
    }
    struct cmd_table *t = cmd_table_new(c, heads, LT_COUNT(heads));
    json_array_foreach(json_object_get(answer, "looks"), i, row)
    {
        char port[24];
        (void)snprintf(port, sizeof port, "%lld", number(row, "port"));
        const char *const cells[] = {cmd_text(row, "looked"),  port,       cmd_text(row, "outcome"),
                                     cmd_text(row, "address"), shown(row), cmd_text(row, "serial"),
                                     cmd_text(row, "detail")};
        LT_TRY(cmd_table_row(t, cells));
    }
    return cmd_table_print(t);
}

/* ---- the verbs ---- */

static const struct cmd_option scan_options[] = {
    {"port", "PORT", "where to look (default: 443); as often as there are ports", true, NULL},
    {"rate", "N", "connections a second, at most (default: 50)", false, NULL},
    {"concurrency", "N", "connections at once, at most (default: 64)", false, NULL},
    {"timeout", "MS", "milliseconds for one look (default: 5000)", false, NULL},
    {"no-wait", NULL, "print its number and do not wait for its end", false, NULL},
    CMD_YES_OPTION,
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option list_options[] = {CMD_PAGE_OPTIONS};
static const struct cmd_option show_options[] = {
    {"watch", NULL, "wait until it rests, with progress", false, NULL},
};
static const struct cmd_option act_options[] = {CMD_OPERATOR_OPTIONS};
static const struct cmd_option resume_options[] = {
    {"no-wait", NULL, "do not wait for its end", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option endpoint_options[] = {
    {"suffix", "DOMAIN", "this name and all below it", false, NULL},
    {"serial", "HEX", "that show this certificate; with --issuer", false, NULL},
    {"issuer", "NAME", "who issued it", false, NULL},
    CMD_PAGE_OPTIONS,
};

const struct cmd_verb cmd_usage_scan = {
    .name = "usage scan",
    .words = "EXPR",
    .words_least = 1,
    .words_most = 1,
    .summary = "look who uses the certificates of a scope",
    .help =
        "Connects to every name of the certificates, completes one TLS handshake, sends nothing, and keeps\n"
        "which certificate it is shown. From that follows what has become of each: see \"replacement\" in\n"
        "lintel scope --fields. Wildcards are no names that one could go to. usage/targets in the CA folder\n"
        "says where to go instead of where the DNS says, and where nobody goes.\n"
        "\n"
        "examples:\n"
        "  lintel usage scan 'method = dns-01 and not expired'\n"
        "  lintel usage scan 'key_type = rsa and valid' --port 443 --port 8443 --rate 100 --yes\n",
    .options = scan_options,
    .option_count = LT_COUNT(scan_options),
    .run = run_scan,
};
const struct cmd_verb cmd_usage_list = {
    .name = "usage list",
    .words = "",
    .summary = "list scans, the newest first",
    .help = "examples:\n  lintel usage list\n",
    .options = list_options,
    .option_count = LT_COUNT(list_options),
    .run = run_list,
};
const struct cmd_verb cmd_usage_show = {
    .name = "usage show",
    .words = "ID",
    .words_least = 1,
    .words_most = 1,
    .summary = "show how far a scan is",
    .help = "examples:\n  lintel usage show u467103463247873787\n"
            "  lintel usage show u467103463247873787 --watch\n",
    .options = show_options,
    .option_count = LT_COUNT(show_options),
    .run = run_show,
};
const struct cmd_verb cmd_usage_endpoints = {
    .name = "usage endpoints",
    .words = "[NAME]",
    .words_most = 1,
    .summary = "list which certificate each endpoint showed last",
    .help = "examples:\n"
            "  lintel usage endpoints www.example.com\n"
            "  lintel usage endpoints --suffix example.com --all\n"
            "  lintel usage endpoints --issuer tls --serial 0d5f3b2a\n",
    .options = endpoint_options,
    .option_count = LT_COUNT(endpoint_options),
    .run = run_endpoints,
};
const struct cmd_verb cmd_usage_history = {
    .name = "usage history",
    .words = "NAME",
    .words_least = 1,
    .words_most = 1,
    .summary = "list all looks at a name",
    .help = "examples:\n  lintel usage history www.example.com\n",
    .options = NULL,
    .option_count = 0,
    .run = run_history,
};

#define ACT(variable_, name_, options_, summary_, help_)                   \
    const struct cmd_verb variable_ = {.name = name_,                      \
                                       .words = "ID",                      \
                                       .words_least = 1,                   \
                                       .words_most = 1,                    \
                                       .summary = summary_,                \
                                       .help = help_,                      \
                                       .options = options_,                \
                                       .option_count = LT_COUNT(options_), \
                                       .run = run_act}
ACT(cmd_usage_pause, "usage pause", act_options, "pause a scan",
    "examples:\n  lintel usage pause u467103463247873787\n");
ACT(cmd_usage_resume, "usage resume", resume_options, "go on with a scan that is paused",
    "No endpoint is looked at twice in one scan.\n"
    "\n"
    "examples:\n"
    "  lintel usage resume u467103463247873787\n"
    "  lintel usage resume u467103463247873787 --no-wait\n");
ACT(cmd_usage_stop, "usage stop", act_options, "end a scan where it is",
    "What was seen is kept.\n"
    "\n"
    "examples:\n"
    "  lintel usage stop u467103463247873787\n");
