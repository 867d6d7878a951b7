/* lintel evidence show, and what cert show --evidence says: when, by which rule, by which data, by which
 * software, who saw it too; and what the rules' words are, so that a reporter's reading can be answered. */
#include "cmd/evidence.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cmd/api.h"
#include "cmd/verbs.h"

enum { TEXT_MAX = 1 << 24 };

/* "             label       " */
static void head(struct lt_buf *out, const char *label)
{
    lt_buf_addf(out, "        %-12s ", label);
}

/* One line of what is there; nothing for nothing. */
static void line(struct lt_buf *out, const char *label, const char *text)
{
    if (text[0] != '\0') {
        head(out, label);
        lt_buf_addf(out, "%s\n", text);
    }
}

static bool is(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

static void list(struct lt_buf *out, const char *label, const json_t *texts, const char *between)
{
    size_t i;
    json_t *text;
    if (json_array_size(texts) == 0) {
        return;
    }
    head(out, label);
    json_array_foreach(texts, i, text)
    {
        lt_buf_addf(out, "%s%s", i == 0 ? "" : between, json_string_value(text));
    }
    lt_buf_add_byte(out, '\n');
}

/* What the sender wrote is shown with the quotes and escapes of JSON: it may be anything. */
static void records(struct lt_buf *out, const char *label, const json_t *texts)
{
    size_t i;
    json_t *text;
    json_array_foreach(texts, i, text)
    {
        head(out, i == 0 ? label : "");
        lt_json_add_string(out, lt_slice_cstr(json_string_value(text)));
        lt_buf_add_byte(out, '\n');
    }
}

static void say_caa(struct lt_buf *out, const json_t *seen)
{
    const json_t *caa = json_object_get(seen, "caa");
    if (!json_is_object(caa)) {
        return;
    }
    head(out, "CAA");
    lt_buf_addf(out, "%s at %s, ttl %lld, DNSSEC %s%s%s%s%s\n",
                !is(caa, "checked")    ? "could not be looked up"
                : is(caa, "permitted") ? "permits"
                                       : "forbids",
                cmd_text(caa, "time"), (long long)cmd_int(caa, "ttl"), cmd_text(caa, "dnssec"),
                cmd_text(caa, "domain")[0] != '\0' ? ", found at " : ", no records", cmd_text(caa, "domain"),
                cmd_text(caa, "why")[0] != '\0' ? ": " : "", cmd_text(caa, "why"));
    records(out, "  records", json_object_get(caa, "records"));
    records(out, "  iodef", json_object_get(caa, "iodef"));
    line(out, "  digest", cmd_text(caa, "records_sha256"));
    list(out, "  asked", json_object_get(caa, "looked_up"), ", ");
    list(out, "  aliases", json_object_get(seen, "caa_chain"), " -> ");
}

/* What one perspective saw. */
static void say_seen(struct lt_buf *out, const json_t *seen)
{
    size_t i;
    json_t *r;
    if (cmd_text(seen, "started")[0] != '\0') { /* the first version's evidence has other words */
        head(out, "looked");
        lt_buf_addf(out, "%s, for %lld ms, resolver %s, build %s\n", cmd_text(seen, "started"),
                    (long long)cmd_int(seen, "duration_ms"), cmd_text(seen, "resolver"),
                    cmd_text(seen, "build"));
    }
    line(out, "asked", cmd_text(seen, "asked"));
    list(out, "aliases", json_object_get(seen, "chain"), " -> ");
    list(out, "addresses", json_object_get(seen, "addresses"), ", ");
    line(out, "connected to", cmd_text(seen, "address_used"));
    if (cmd_text(seen, "dnssec")[0] != '\0') {
        head(out, "DNSSEC");
        lt_buf_addf(out, "%s%s%s, ttl %lld\n", cmd_text(seen, "dnssec"),
                    cmd_text(seen, "dnssec_why")[0] != '\0' ? ": " : "", cmd_text(seen, "dnssec_why"),
                    (long long)cmd_int(seen, "ttl"));
    }
    records(out, "records", json_object_get(seen, "records"));
    if (cmd_text(seen, "above")[0] != '\0') {
        head(out, "proved by");
        lt_buf_addf(out, "%s, a domain above the name\n", cmd_text(seen, "above"));
    }
    list(out, "contacts", json_object_get(seen, "contacts"), ", ");
    json_array_foreach(json_object_get(seen, "redirects"), i, r)
    {
        head(out, i == 0 ? "redirects" : "");
        lt_buf_addf(out, "%lld ", (long long)cmd_int(r, "status"));
        lt_json_add_string(out, lt_slice_cstr(cmd_text(r, "location")));
        lt_buf_add_byte(out, '\n');
    }
    if (cmd_int(seen, "http_status") != 0) {
        head(out, "status");
        lt_buf_addf(out, "%lld\n", (long long)cmd_int(seen, "http_status"));
    }
    line(out, "answer", cmd_text(seen, "answer_sha256"));
    say_caa(out, seen);
}

/* ", label text", where there is a text. */
static void also(struct lt_buf *out, const char *label, const char *text)
{
    if (text[0] != '\0') {
        lt_buf_addf(out, ", %s %s", label, text);
    }
}

/* The rest of a perspective's line: what it was and where it looked. */
static void say_voice(struct lt_buf *out, const json_t *v)
{
    const json_t *seen = json_object_get(v, "statement");
    const json_t *caa = json_object_get(seen, "caa");
    bool verified = strcmp(cmd_text(v, "signature"), "verified") == 0;
    head(out, "");
    lt_buf_addf(out, "%-10s %s, %s, ", cmd_text(v, "name"), is(v, "agrees") ? "agrees" : "DISSENTS",
                cmd_text(v, "region"));
    if (!verified) {
        bool none = strcmp(cmd_text(v, "signature"), "none") == 0;
        lt_buf_addf(out, "%s%s%s%s%s\n",
                    none ? "signed nothing" : "signature: ", none ? "" : cmd_text(v, "signature"),
                    cmd_text(v, "why")[0] != '\0' ? ": " : "", cmd_text(v, "why"),
                    cmd_text(v, "signature_why"));
        return;
    }
    lt_buf_addf(out, "signature verified with key %.16s, %s for %lld ms", cmd_text(v, "key_sha256"),
                cmd_text(seen, "started"), (long long)cmd_int(seen, "duration_ms"));
    also(out, "asked", cmd_text(seen, "asked"));
    also(out, "connected to", cmd_text(seen, "address_used"));
    also(out, "proved by", cmd_text(seen, "above"));
    also(out, "DNSSEC", cmd_text(seen, "dnssec"));
    if (json_is_object(caa)) {
        lt_buf_addf(out, ", CAA %s",
                    is(caa, "checked") && is(caa, "permitted") ? "permits" : "does not permit");
    }
    lt_buf_addf(out, ", build %s%s%s\n", cmd_text(seen, "build"), is(v, "agrees") ? "" : ": ",
                is(v, "agrees") ? "" : cmd_text(v, "why"));
}

static void say_corroboration(struct lt_buf *out, const json_t *check)
{
    const json_t *c = json_object_get(check, "corroboration");
    size_t i;
    json_t *v;
    if (!json_is_object(c)) {
        return;
    }
    head(out, "perspectives");
    lt_buf_addf(out, "%s in %lld regions: %s%s%s\n", cmd_text(c, "count"), (long long)cmd_int(c, "regions"),
                is(c, "quorum")         ? "the rules of the day are met"
                : is(c, "corroborated") ? "enough of them, but the rules of the day are not met"
                                        : "not corroborated",
                cmd_text(c, "why")[0] != '\0' ? ": " : "", cmd_text(c, "why"));
    json_array_foreach(json_object_get(c, "perspectives"), i, v)
    {
        say_voice(out, v);
    }
}

static void say_rule(struct lt_buf *out, const json_t *check)
{
    const json_t *rule = json_object_get(check, "rule");
    const char *until = cmd_text(rule, "until");
    head(out, "rule");
    if (!is(rule, "known")) {
        lt_buf_addf(out, "%s, which this program does not know\n", cmd_text(check, "rule_set"));
        return;
    }
    lt_buf_addf(out, "%s \"%s\", %s then, %s now%s%.10s\n", cmd_text(check, "rule_set"),
                cmd_text(rule, "title"), is(rule, "in_force_then") ? "in force" : "NOT in force",
                is(rule, "in_force_now") ? "in force" : "NOT in force", until[0] != '\0' ? ", until " : "",
                until);
    line(out, "usable until", cmd_text(check, "usable_until"));
}

/* owner: of the authorization that the check is told for. */
static void say_check(struct lt_buf *out, const json_t *check, const char *owner)
{
    const json_t *problem = json_object_get(check, "problem");
    const json_t *frame = json_object_get(check, "frame");
    const json_t *confirmed = json_object_get(check, "confirmed");
    bool intact = strcmp(cmd_text(check, "integrity"), "intact") == 0;
    bool caa = strcmp(cmd_text(check, "method"), "caa") == 0;
    lt_buf_addf(out, "      %s  %s%s, build %s", cmd_text(check, "checked"),
                caa               ? "CAA asked again"
                : is(check, "ok") ? "proved by "
                                  : "failed by ",
                caa ? "" : cmd_text(check, "method"), cmd_text(check, "build"));
    also(out, "DNSSEC", cmd_text(check, "dnssec"));
    also(out, "CAA", cmd_text(check, "caa"));
    lt_buf_add_cstr(out, is(check, "relied_on") ? "  <- the certificate rests on it\n" : "\n");
    if (strcmp(cmd_text(check, "proven_by"), owner) != 0) {
        line(out, "proven for", cmd_text(check, "proven_by")); /* the authorization of a domain above */
    }
    say_rule(out, check);
    if (json_is_object(confirmed)) {
        head(out, "confirmed");
        lt_buf_addf(out, "%s, by the link of a letter of %s, at %s from %s\n", cmd_text(confirmed, "by"),
                    cmd_text(confirmed, "sent"), cmd_text(confirmed, "answered"),
                    cmd_text(confirmed, "from"));
    }
    if (json_is_object(problem)) {
        head(out, "problem");
        lt_buf_addf(out, "%s: %s\n", cmd_text(problem, "type"), cmd_text(problem, "detail"));
    }
    if (json_is_object(json_object_get(check, "statement"))) {
        say_seen(out, json_object_get(check, "statement"));
    }
    say_corroboration(out, check);
    if (json_is_object(frame) && cmd_int(frame, "segment") == 0) {
        head(out, "kept in");
        lt_buf_addf(out, "nothing, sha256 %.16s, %s\n", cmd_text(frame, "sha256"),
                    cmd_text(check, "integrity"));
    } else if (json_is_object(frame)) {
        head(out, "kept in");
        lt_buf_addf(out, "evidence/%06lld.seg at %lld, %lld bytes, sha256 %.16s, %s%s\n",
                    (long long)cmd_int(frame, "segment"), (long long)cmd_int(frame, "position"),
                    (long long)cmd_int(frame, "length"), cmd_text(frame, "sha256"),
                    intact ? "" : "CANNOT BE READ: ", cmd_text(check, "integrity"));
    }
}

void cmd_say_checks(const json_t *authorization, struct lt_buf *out)
{
    size_t i;
    json_t *check;
    json_array_foreach(json_object_get(authorization, "checks"), i, check)
    {
        say_check(out, check, cmd_text(authorization, "authorization"));
    }
}

static void say_judgement(const json_t *judgement, struct lt_buf *out)
{
    size_t i;
    json_t *r;
    if (!json_is_object(judgement)) {
        return;
    }
    lt_buf_addf(out, "  judged by the linter's rules about evidence\n      then %s, now %s\n",
                cmd_text(judgement, "rule_set_then"), cmd_text(judgement, "rule_set_now"));
    json_array_foreach(json_object_get(judgement, "rules"), i, r)
    {
        const char *message = cmd_text(r, "message");
        lt_buf_addf(out, "      %s (%s)\n        then %s%s, now %s%s%s: %s\n", cmd_text(r, "rule"),
                    cmd_text(r, "citation"), cmd_text(r, "then"),
                    is(r, "excepted") ? " (by an exception)" : "", cmd_text(r, "now"),
                    message[0] != '\0' ? " - " : "", message, cmd_text(r, "asks"));
    }
}

void cmd_say_rules(const json_t *certificate, struct lt_buf *out)
{
    size_t i;
    size_t k;
    json_t *r;
    json_t *text;
    say_judgement(json_object_get(certificate, "judgement"), out);
    json_array_foreach(json_object_get(certificate, "rules"), i, r)
    {
        const char *title = cmd_text(r, "title");
        const json_t *texts = json_object_get(r, "text");
        if (title[0] == '\0' && json_array_size(texts) == 0) {
            continue;
        }
        lt_buf_addf(out, "  the rule      %s %s %s  %s\n", cmd_text(r, "document"), cmd_text(r, "version"),
                    cmd_text(r, "section"), title);
        json_array_foreach(texts, k, text)
        {
            lt_buf_addf(out, "      \"%s\"\n        kept by %s\n", cmd_text(text, "words"),
                        cmd_text(text, "kept_by"));
        }
    }
}

/* --- of one authorization ------------------------------------------------------------------------------- */

static lt_res run_show(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    char path[64];
    const char *id = c->args.words[0];
    LT_CHECK(id[0] != '\0' && strlen(id) <= 19 && strspn(id, "0123456789") == strlen(id), LT_PEER_USAGE,
             "\"%.40s\" is no authorization; cert show and the ACME URLs name them", id);
    (void)snprintf(path, sizeof path, "authorizations/%s", id); /* fits: just measured */
    LT_TRY(cmd_api_get(c, path, &answer));
    if (c->json) {
        return cmd_print_json(answer);
    }
    struct lt_buf out;
    lt_buf_init(&out, TEXT_MAX);
    lt_buf_addf(
        &out,
        "authorization %s\n  name        %s %s%s\n  status      %s%s%s\n  account     %s\n  created     %s\n",
        cmd_text(answer, "authorization"), cmd_text(answer, "type"), is(answer, "wildcard") ? "*." : "",
        cmd_text(answer, "name"), cmd_text(answer, "authorization_status"),
        cmd_text(answer, "authorization_expires")[0] != '\0' ? ", until " : "",
        cmd_text(answer, "authorization_expires"), cmd_text(answer, "account"), cmd_text(answer, "created"));
    cmd_say_checks(answer, &out);
    lt_res r = cmd_print(lt_buf_slice(&out));
    lt_buf_done(&out);
    return r;
}

const struct cmd_verb cmd_evidence_show = {
    .name = "evidence show",
    .words = "AUTHORIZATION",
    .words_least = 1,
    .words_most = 1,
    .summary = "show every check of one authorization, proved or failed",
    .help = "For the names of a certificate, cert show --evidence says the same and more.\n"
            "\n"
            "examples:\n"
            "  lintel evidence show 466731012345678901\n"
            "  lintel evidence show 466731012345678901 --json | jq '.checks[-1].problem'\n",
    .options = NULL,
    .option_count = 0,
    .run = run_show,
};
