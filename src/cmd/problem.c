/* lintel problem list, show, raw, triage, channel list, probe: what the desk knows of reports. */
#include "cmd/problem.h"

#include <event2/event.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ca/config.h"
#include "cmd/list.h"
#include "cmd/verbs.h"
#include "http/client.h"
#include "http/fetch.h"

enum { QUERY_MAX = 8192, OUT_MAX = 16 * 1024 * 1024, LETTER_MAX = 4096 };

static const char *number(struct cmd *c, int64_t n)
{
    const char *text = lt_arena_printf(&c->arena, "%lld", (long long)n);
    return text == NULL ? "" : text;
}

static const char *or_dash(const char *text)
{
    return text[0] == '\0' ? "-" : text;
}

/* ---- list ---- */

static lt_res run_list(struct cmd *c)
{
    static const struct cmd_list l = {
        .path = "problems",
        .key = "problems",
        .columns = {{"ID", "id", 0},
                    {"RANK", "rank", 0},
                    {"STATUS", "status", 0},
                    {"KIND", "kind", 0},
                    {"CHANNEL", "channel", 0},
                    {"RECEIVED", "received", 0},
                    {"FOUND", "found", 0},
                    {"CONTACT", "contact", 0},
                    {"TITLE", "title", 0}},
        .filters = {{"status", "status"}, {"contact", "name"}},
    };
    return cmd_list(c, &l);
}

/* ---- show ---- */

static void add_lists(struct lt_buf *out, const json_t *p)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(p, "about"), i, row)
    {
        lt_buf_addf(out, "about        %s %s%s%s\n", cmd_text(row, "kind"), cmd_text(row, "value"),
                    json_is_true(json_object_get(row, "known")) ? ", ours: " : "", cmd_text(row, "serial"));
    }
    json_array_foreach(json_object_get(p, "files"), i, row)
    {
        lt_buf_addf(out, "file         %s, %s, %lld bytes, %s\n", or_dash(cmd_text(row, "name")),
                    cmd_text(row, "type"), (long long)cmd_int(row, "bytes"), cmd_text(row, "sha256"));
    }
    json_array_foreach(json_object_get(p, "domains"), i, row)
    {
        lt_buf_addf(out, "domain       %s by %s: %s\n", cmd_text(row, "name"), cmd_text(row, "method"),
                    cmd_text(row, "proven")[0] == '\0' ? "not shown yet" : cmd_text(row, "proven"));
    }
    json_array_foreach(json_object_get(p, "clocks"), i, row)
    {
        lt_buf_addf(out, "clock        %s: %s, from %s to %s\n", cmd_text(row, "duty"),
                    cmd_text(row, "status"), cmd_text(row, "start"), cmd_text(row, "due"));
    }
    json_array_foreach(json_object_get(p, "notices"), i, row)
    {
        lt_buf_addf(out, "letter       %s to %s: %s %s %s\n", cmd_text(row, "kind"), cmd_text(row, "to"),
                    cmd_text(row, "status"), cmd_text(row, "ended"), cmd_text(row, "said"));
    }
    json_array_foreach(json_object_get(p, "thread"), i, row)
    {
        lt_buf_addf(out, "\n%s  %s, %s to %s%s\n%s\n", cmd_text(row, "at"), cmd_text(row, "kind"),
                    cmd_text(row, "by"), cmd_text(row, "to"),
                    json_is_true(json_object_get(row, "shown")) ? "" : " (not shown)", cmd_text(row, "text"));
    }
}

static lt_res print_one(const json_t *p)
{
    struct lt_buf out;
    lt_buf_init(&out, OUT_MAX);
    lt_buf_addf(&out, "problem      %lld, %s, %s by %s\n", (long long)cmd_int(p, "id"), cmd_text(p, "status"),
                cmd_text(p, "kind"), cmd_text(p, "channel"));
    lt_buf_addf(&out, "title        %s\nreceived     %s\n", or_dash(cmd_text(p, "title")),
                cmd_text(p, "received"));
    lt_buf_addf(&out, "rank         %lld: %s\n", (long long)cmd_int(p, "rank"), cmd_text(p, "rank_why"));
    lt_buf_addf(&out, "reporter     %s %s, %s%s\n", or_dash(cmd_text(p, "reporter")),
                or_dash(cmd_text(p, "contact")), cmd_text(p, "authority"),
                json_is_true(json_object_get(p, "may_name")) ? ", may be named" : "");
    lt_buf_addf(&out, "claims       %s %s\n", or_dash(cmd_text(p, "cause")), cmd_text(p, "clause"));
    lt_buf_addf(&out, "as it came   %lld bytes, SHA-256 %s, reading: %s%s\n",
                (long long)cmd_int(p, "raw_bytes"), cmd_text(p, "raw_sha256"), cmd_text(p, "reading"),
                cmd_text(p, "kept_sha256")[0] == '\0' ? "" : "; a private key was taken out of what is kept");
    if (cmd_int(p, "same_as") != 0) {
        lt_buf_addf(&out, "same as      problem %lld\n", (long long)cmd_int(p, "same_as"));
    }
    if (cmd_int(p, "incident") != 0 || cmd_text(p, "bug")[0] != '\0') {
        lt_buf_addf(&out, "belongs to   incident %lld %s\n", (long long)cmd_int(p, "incident"),
                    cmd_text(p, "bug"));
    }
    lt_buf_addf(&out, "findings     %s %s%s\n", or_dash(cmd_text(p, "decision")), cmd_text(p, "found"),
                json_is_true(json_object_get(p, "came_back")) ? ", a letter came back" : "");
    add_lists(&out, p);
    lt_res r = lt_buf_check(&out);
    r = lt_failed(r) ? r : cmd_print(lt_buf_slice(&out));
    lt_buf_done(&out);
    return r;
}

static lt_res run_show(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *p = NULL;
    char path[PROBLEM_PATH_SIZE];
    LT_TRY(cmd_problem_path(c->args.words[0], "", path));
    LT_TRY(cmd_api_get(c, path, &p));
    return c->json ? cmd_print_json(p) : print_one(p);
}

/* ---- the bytes ---- */

static lt_res run_raw(struct cmd *c)
{
    char path[PROBLEM_PATH_SIZE + 64];
    char base[PROBLEM_PATH_SIZE];
    const char *cursor = "";
    LT_TRY(cmd_problem_path(c->args.words[0], "/raw", base));
    do {
        LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
        lt_slice bytes;
        (void)snprintf(path, sizeof path, "%s%s%s", base,
                       cursor[0] == '\0' ? "" : "?cursor=", cursor); /* short */
        LT_TRY(cmd_api_get(c, path, &answer));
        LT_TRY(lt_unbase64(&c->arena, lt_slice_cstr(cmd_text(answer, "data")), &bytes));
        LT_TRY(cmd_print(bytes));
        cursor = lt_arena_cstr(&c->arena, lt_slice_cstr(cmd_text(answer, "next")));
        LT_CHECK(cursor != NULL, LT_PEER_TOO_LARGE, "the report is too large");
    } while (cursor[0] != '\0');
    return LT_OK;
}

/* ---- triage ---- */

static void add_clauses(struct lt_buf *out, const json_t *of, const char *indent)
{
    size_t i;
    size_t k;
    json_t *row;
    json_t *one;
    json_array_foreach(json_object_get(of, "clauses"), i, row)
    {
        lt_buf_addf(out, "%sclause     %s\n", indent, cmd_text(row, "clause"));
        json_array_foreach(json_object_get(row, "text"), k, one)
        {
            lt_buf_addf(out, "%s           \"%s\"\n", indent, cmd_text(one, "words"));
        }
        json_array_foreach(json_object_get(row, "rules"), k, one)
        {
            lt_buf_addf(out, "%s           %s (%s)\n%s             at issuance: %s; today: %s %s\n", indent,
                        cmd_text(one, "rule"), cmd_text(one, "citation"), indent, cmd_text(one, "then"),
                        cmd_text(one, "now"), cmd_text(one, "message"));
        }
        if (json_array_size(json_object_get(row, "rules")) == 0) {
            lt_buf_addf(out, "%s           none of our rules is of this clause\n", indent);
        }
    }
}

static void add_names(struct lt_buf *out, const json_t *certificate)
{
    size_t i;
    size_t k;
    json_t *name;
    json_t *check;
    json_array_foreach(json_object_get(certificate, "names"), i, name)
    {
        lt_buf_addf(out, "  validated  %s", cmd_text(name, "name"));
        json_array_foreach(json_object_get(name, "checks"), k, check)
        {
            lt_buf_addf(out, "%s%s %s at %s, build %s", k == 0 ? ": " : "; ", cmd_text(check, "method"),
                        cmd_text(check, "outcome"), cmd_text(check, "checked"), cmd_text(check, "build"));
        }
        lt_buf_add_byte(out, '\n');
    }
}

static void add_certificate(struct lt_buf *out, const json_t *row)
{
    size_t i;
    json_t *other;
    const json_t *cert = json_object_get(row, "certificate");
    lt_buf_addf(out, "\ncertificate  %s %s, %s (named by %s)\n", cmd_text(cert, "issuer"),
                cmd_text(cert, "serial"), cmd_text(cert, "status"), cmd_text(row, "named_by"));
    lt_buf_addf(out, "  issued     %s, profile %s\n  rules then %s\n  build      %s\n",
                cmd_text(cert, "issued"), cmd_text(cert, "profile"), cmd_text(cert, "rule_set"),
                cmd_text(cert, "build"));
    lt_buf_addf(out, "  data       worst method %s, oldest validation %s, oldest CAA %s\n",
                or_dash(cmd_text(cert, "worst_method")), or_dash(cmd_text(cert, "oldest_validation")),
                or_dash(cmd_text(cert, "oldest_caa")));
    add_names(out, cert);
    add_clauses(out, row, "  ");
    json_array_foreach(json_object_get(row, "other_reports"), i, other)
    {
        lt_buf_addf(out, "  reported   problem %lld, %s, %s %s\n", (long long)cmd_int(other, "id"),
                    cmd_text(other, "received"), cmd_text(other, "status"), cmd_text(other, "decision"));
    }
    lt_buf_addf(out, "  subscriber %lld other reports\n",
                (long long)cmd_int(row, "other_reports_of_subscriber"));
}

static lt_res print_triage(const json_t *t)
{
    struct lt_buf out;
    size_t i;
    json_t *row;
    const json_t *ground = json_object_get(t, "ground");
    lt_buf_init(&out, OUT_MAX);
    lt_buf_addf(&out, "problem      %lld, received %s: %s\n", (long long)cmd_int(t, "id"),
                cmd_text(t, "received"), cmd_text(t, "title"));
    lt_buf_addf(&out, "reporter     %s", cmd_text(json_object_get(t, "reporter"), "authority"));
    json_array_foreach(json_object_get(json_object_get(t, "reporter"), "domains_proven"), i, row)
    {
        lt_buf_addf(&out, "%s%s", i == 0 ? ", has shown control of " : ", ", json_string_value(row));
    }
    lt_buf_addf(&out, "\nground       %s: %s %s\n", or_dash(cmd_text(ground, "claimed")),
                cmd_text(ground, "section"), cmd_text(ground, "words"));
    if (cmd_text(ground, "must")[0] != '\0') {
        lt_buf_addf(&out, "if it is so  revoked by %s\n", cmd_text(ground, "must"));
    }
    if (json_is_true(json_object_get(ground, "takedown"))) {
        lt_buf_addf(&out, "content      %s\n", cmd_text(ground, "takedown_means"));
    }
    json_array_foreach(json_object_get(t, "certificates"), i, row)
    {
        add_certificate(&out, row);
    }
    add_clauses(&out, t, "");
    const json_t *criteria = json_object_get(t, "criteria");
    lt_buf_addf(&out, "\ncriteria     %lld certificates, %lld reports, who complains: %s\n",
                (long long)cmd_int(criteria, "certificates"),
                (long long)cmd_int(criteria, "reports_about_them_or_their_subscribers"),
                cmd_text(criteria, "who_complains"));
    lt_buf_add_cstr(&out, "\nfor a person\n");
    json_array_foreach(json_object_get(t, "for_a_person"), i, row)
    {
        lt_buf_addf(&out, "  - %s\n", json_string_value(row));
    }
    lt_res r = lt_buf_check(&out);
    r = lt_failed(r) ? r : cmd_print(lt_buf_slice(&out));
    lt_buf_done(&out);
    return r;
}

/* What was answered is an event with --record: who looked, and what the book said. */
static lt_res record(struct cmd *c, const json_t *t)
{
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    char path[PROBLEM_PATH_SIZE];
    const char *said = cmd_value(c, "record");
    char *text = lt_arena_printf(&c->arena, "%lld certificates of ours, claim %s: %s",
                                 (long long)cmd_int(t, "certificates_known"),
                                 or_dash(cmd_text(json_object_get(t, "ground"), "claimed")), said);
    LT_CHECK(text != NULL, LT_PEER_TOO_LARGE, "the words are too long");
    json_t *value = json_string(text);
    LT_CHECK(value != NULL, LT_PEER_USAGE, "--record is no UTF-8");
    LT_ASSERT(json_object_set_new(payload, "text", value) == 0);
    LT_TRY(cmd_problem_path(c->args.words[0], "/triage", path));
    return cmd_api_post(c, path, payload, &answer);
}

static lt_res run_triage(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *t = NULL;
    char path[PROBLEM_PATH_SIZE];
    LT_TRY(cmd_problem_path(c->args.words[0], "/triage", path));
    LT_TRY(cmd_api_get(c, path, &t));
    LT_TRY(cmd_value(c, "record") == NULL ? LT_OK : record(c, t));
    return c->json ? cmd_print_json(t) : print_triage(t);
}

/* ---- channels ---- */

static lt_res run_channels(struct cmd *c)
{
    static const char *const heads[] = {"CHANNEL", "MINUTES", "TRIED", "ARRIVED", "ALARM"};
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    size_t i;
    json_t *row;
    LT_TRY(cmd_api_get(c, "problems/channels", &answer));
    if (c->json) {
        return cmd_print_json(answer);
    }
    struct cmd_table *t = cmd_table_new(c, heads, LT_COUNT(heads));
    json_array_foreach(json_object_get(answer, "channels"), i, row)
    {
        const char *const cells[] = {cmd_text(row, "name"), number(c, cmd_int(row, "minutes")),
                                     or_dash(cmd_text(row, "tried")), or_dash(cmd_text(row, "arrived")),
                                     json_is_true(json_object_get(row, "alarm")) ? "yes" : ""};
        LT_TRY(cmd_table_row(t, cells));
    }
    return cmd_table_print(t);
}

/* ---- our own report, from outside ---- */

struct sent {
    lt_res outcome;
    unsigned status;
    struct event_base *base;
};

static void on_sent(void *arg, lt_res outcome, const struct http_reply *reply)
{
    struct sent *s = arg;
    s->outcome = outcome;
    s->status = reply == NULL ? 0 : reply->head->status;
    (void)event_base_loopbreak(s->base); /* the loop is running */
}

static lt_res trust(struct cmd *c, SSL_CTX *ctx)
{
    const char *file = cmd_value(c, "ca");
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    int ok = file != NULL ? SSL_CTX_load_verify_file(ctx, file) : SSL_CTX_set_default_verify_paths(ctx);
    LT_CHECK(ok == 1, LT_PEER_USAGE, "--ca: no certificate can be read from %.150s",
             file == NULL ? "the system's store" : file);
    return LT_OK;
}

static lt_res post_form(struct cmd *c, const char *url, lt_slice body)
{
    struct http_url parts;
    struct http_client *http = NULL;
    struct sent s = {.base = event_base_new()};
    struct http_origin origin = {.base = s.base};
    LT_ASSERT(s.base != NULL && signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    lt_res r = http_url_split(url, &parts);
    origin.host = parts.host;
    origin.port = parts.port;
    r = lt_failed(r) ? r : http_origin_resolve(&origin);
    if (!lt_failed(r) && parts.tls) {
        origin.tls = SSL_CTX_new(TLS_client_method());
        LT_ASSERT(origin.tls != NULL);
        r = trust(c, origin.tls);
    }
    r = lt_failed(r) ? r : http_client_new(&origin, &http);
    if (!lt_failed(r)) {
        const struct http_ask ask = {.method = "POST",
                                     .target = "/problem",
                                     .content_type = "application/x-www-form-urlencoded",
                                     .body = body};
        http_client_ask(http, &ask, on_sent, &s);
        LT_ASSERT(event_base_dispatch(s.base) >= 0);
        http_client_free(http);
        r = s.outcome;
    }
    SSL_CTX_free(origin.tls);
    event_base_free(s.base);
    LT_TRY(r);
    LT_CHECK(s.status == 200, LT_RETRY_UNAVAILABLE, "%.150s/problem answers %u", url, s.status);
    return LT_OK;
}

static lt_res through_form(struct cmd *c, const char *word)
{
    struct lt_buf body;
    const char *url = cmd_value(c, "url");
    struct ca_config *config = NULL;
    const char *folder = NULL;
    if (url == NULL) {
        LT_TRY(cmd_folder(c, &folder));
        LT_TRY(ca_config_load(folder, &config));
        url = lt_arena_cstr(&c->arena, lt_slice_cstr(config->base_url));
        ca_config_free(config);
        LT_CHECK(url != NULL, LT_PEER_TOO_LARGE, "the address is too long");
    }
    lt_buf_init(&body, LETTER_MAX);
    lt_buf_addf(&body, "do=report&probe=%s&text=", word);
    http_escape_add(&body, LT_LIT("This is no report: our own daily test of this form."));
    lt_res r = post_form(c, url, lt_buf_slice(&body));
    lt_buf_done(&body);
    return r;
}

static lt_res through_api(struct cmd *c, const char *word)
{
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    struct lt_buf raw;
    struct lt_buf text;
    lt_buf_init(&raw, LETTER_MAX);
    lt_buf_init(&text, LETTER_MAX * 2);
    lt_buf_addf(&raw, "probe: %s\n\nThis is no report: our own daily test.\n", word);
    lt_base64url_add(&text, lt_buf_slice(&raw));
    LT_ASSERT(json_object_set_new(payload, "channel", json_string("api")) == 0 &&
              json_object_set_new(payload, "form", json_string("text")) == 0 &&
              json_object_set_new(payload, "data", json_string(lt_buf_cstr(&text))) == 0);
    lt_buf_done(&raw);
    lt_buf_done(&text);
    return cmd_api_post(c, "problems", payload, &answer);
}

static lt_res run_probe(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    const char *channel = c->args.words[0];
    json_t *name = json_string(channel);
    LT_CHECK(name != NULL, LT_PEER_USAGE, "a channel that is no UTF-8");
    LT_ASSERT(json_object_set_new(payload, "name", name) == 0);
    LT_TRY(cmd_api_post(c, "problems/probes", payload, &answer));
    const char *word = cmd_text(answer, "word");
    if (strcmp(channel, "form") == 0) {
        LT_TRY(through_form(c, word));
    } else if (strcmp(channel, "api") == 0) {
        LT_TRY(through_api(c, word));
    }
    if (c->json) {
        return cmd_printf("{\"channel\":\"%s\",\"sent\":true}\n",
                          channel); /* known to the book by this very name */
    }
    return cmd_printf("our own report is on its way through %s; an alarm follows if it does not arrive\n",
                      channel);
}

static const struct cmd_option list_options[] = {
    {"status", "STATUS", "the most urgent first, of these alone", false,
     "received open waiting-reporter waiting-requester waiting-provider answered closed"},
    {"contact", "ADDRESS", "reports of this reporter alone", false, NULL},
    CMD_PAGE_OPTIONS,
};
static const struct cmd_option triage_options[] = {
    {"record", "TEXT", "write down that somebody looked, and what they think", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option probe_options[] = {
    {"url", "URL", "of the form's server (default: base-url of lintel.yaml)", false, NULL},
    {"ca", "FILE", "PEM certificates to trust (default: the system's)", false, NULL},
    CMD_OPERATOR_OPTIONS,
};

const struct cmd_verb cmd_problem_list = {
    .name = "problem list",
    .words = "",
    .summary = "list problem reports; with --status the most urgent first",
    .help = "examples:\n  lintel problem list --status open\n  lintel problem list --all --json\n",
    .options = list_options,
    .option_count = LT_COUNT(list_options),
    .run = run_list,
};
const struct cmd_verb cmd_problem_show = {
    .name = "problem show",
    .words = "ID",
    .words_least = 1,
    .words_most = 1,
    .summary = "show a problem report: what it says, its thread, its letters and clocks",
    .help = "examples:\n  lintel problem show 12\n  lintel problem show 12 --json\n",
    .run = run_show,
};
const struct cmd_verb cmd_problem_raw = {
    .name = "problem raw",
    .words = "ID",
    .words_least = 1,
    .words_most = 1,
    .summary = "write out the bytes of a report as they are kept",
    .help = "Where a private key was in it, what is kept has its hash instead. A stranger wrote the rest: "
            "open it\n"
            "with care.\n\nexamples:\n  lintel problem raw 12 > report.eml\n",
    .run = run_raw,
};
const struct cmd_verb cmd_problem_triage = {
    .name = "problem triage",
    .words = "ID",
    .words_least = 1,
    .words_most = 1,
    .summary = "answer out of the book what every report asks",
    .help = "For each certificate that is meant: when it was issued, by which rules of the day, on what data "
            "and by\n"
            "which build; the clause that is claimed, its text, and the verdict of our own rules at issuance "
            "and\n"
            "today; other reports; whether it is about content. What only a person can say is listed.\n"
            "\n"
            "examples:\n"
            "  lintel problem triage 12\n"
            "  lintel problem triage 12 --record 'the reading is right: 7.1.2.7.6 asks for it' --json\n",
    .options = triage_options,
    .option_count = LT_COUNT(triage_options),
    .run = run_triage,
};
const struct cmd_verb cmd_problem_channel_list = {
    .name = "problem channel list",
    .words = "",
    .summary = "list the ways to report problems, and whether our own daily report arrived",
    .help = "examples:\n  lintel problem channel list\n",
    .run = run_channels,
};
const struct cmd_verb cmd_problem_probe = {
    .name = "problem probe",
    .words = "CHANNEL",
    .words_least = 1,
    .words_most = 1,
    .summary = "send our own report through a channel now",
    .help = "Letters go out by themselves once a day. Form and API want somebody from outside: run this from "
            "a timer\n"
            "on another machine. What does not arrive in time is an alarm, and so is a day without a try.\n"
            "\n"
            "examples:\n"
            "  lintel problem probe 'mail problems@example.com'\n"
            "  lintel problem probe form --url https://ca.example.com\n",
    .options = probe_options,
    .option_count = LT_COUNT(probe_options),
    .run = run_probe,
};
