/* lintel problem open, reply, wait and the like: one signed request each, by a table. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "cmd/problem.h"
#include "cmd/verbs.h"

lt_res cmd_problem_path(const char *id, const char *rest, char ret_path[PROBLEM_PATH_SIZE])
{
    size_t len = strlen(id);
    LT_CHECK(len > 0 && len <= 18 && strspn(id, "0123456789") == len, LT_PEER_USAGE,
             "\"%.40s\" is no problem report; see lintel problem list", id);
    (void)snprintf(ret_path, PROBLEM_PATH_SIZE, "problems/%s%s", id, rest); /* measured, and our own */
    return LT_OK;
}

static lt_res from_stdin(struct cmd *c, lt_slice *ret_text)
{
    struct lt_buf text;
    lt_res r = LT_OK;
    ssize_t n = 1;
    lt_buf_init(&text, PROBLEM_TEXT_MAX + 4096);
    while (n > 0) {
        uint8_t piece[4096];
        n = read(STDIN_FILENO, piece, sizeof piece);
        lt_buf_add(&text, LT_SLICE(piece, n > 0 ? (size_t)n : 0));
    }
    r = lt_buf_check(&text);
    *ret_text = lt_failed(r) ? (lt_slice){0} : lt_arena_copy(&c->arena, lt_buf_slice(&text));
    lt_buf_done(&text);
    return r;
}

lt_res cmd_problem_text(struct cmd *c, const char **ret_text)
{
    const char *file = cmd_value(c, "text-file");
    lt_slice text;
    *ret_text = cmd_value(c, "text");
    if (file == NULL) {
        return LT_OK;
    }
    LT_CHECK(*ret_text == NULL, LT_PEER_USAGE, "--text or --text-file, not both");
    LT_TRY(strcmp(file, "-") == 0 ? from_stdin(c, &text)
                                  : lt_file_read(&c->arena, AT_FDCWD, file, PROBLEM_TEXT_MAX, &text));
    *ret_text = lt_arena_cstr(&c->arena, text);
    LT_CHECK(*ret_text != NULL, LT_PEER_TOO_LARGE, "the text is too long");
    return LT_OK;
}

/* What an option becomes in the request. */
enum kind { TEXT, NUMBER, FLAG, TEXTS, LONG_TEXT };
struct member {
    const char *option; /* NULL ends the list */
    const char *name;
    enum kind kind;
    bool needed;
};
enum { MEMBERS_MAX = 14 };
struct change {
    const char *verb;
    const char *rest; /* of the path, behind problems/ID; NULL: there is no ID */
    const char *path; /* where there is no ID */
    const char *word; /* the member that the word on the command line is; NULL: it is the ID */
    struct member members[MEMBERS_MAX];
};

#define TEXT_MEMBER(needed_)                 \
    {                                        \
        "text", "text", LONG_TEXT, (needed_) \
    }
static const struct change changes[] = {
    {"problem open",
     NULL,
     "problems",
     NULL,
     {{"channel", "channel", TEXT, true},
      TEXT_MEMBER(true),
      {"title", "title", TEXT, false},
      {"contact", "contact", TEXT, false},
      {"reporter", "reporter", TEXT, false},
      {"may-name", "may-name", FLAG, false},
      {"authority", "authority", TEXT, false},
      {"cause", "cause", TEXT, false},
      {"clause", "clause", TEXT, false},
      {"about", "about", TEXTS, false},
      {"received", "received", TEXT, false}}},
    {"problem reply", "/reply", NULL, NULL, {TEXT_MEMBER(true), {"wait", "wait", FLAG, false}}},
    {"problem takedown", "/takedown", NULL, NULL, {{NULL, NULL, TEXT, false}}},
    {"problem wait", "/wait", NULL, NULL, {{"on", "on", TEXT, true}, TEXT_MEMBER(true)}},
    {"problem word", "/word", NULL, NULL, {{"from", "from", TEXT, true}, TEXT_MEMBER(true)}},
    {"problem note", "/note", NULL, NULL, {TEXT_MEMBER(true)}},
    {"problem findings",
     "/findings",
     NULL,
     NULL,
     {{"decision", "decision", TEXT, true},
      TEXT_MEMBER(true),
      {"to-subscriber", "to-subscriber", TEXT, false},
      {"same", "same", FLAG, false}}},
    {"problem delivered",
     "/delivered",
     NULL,
     NULL,
     {{"how", "how", TEXT, true}, {"when", "when", TEXT, false}}},
    {"problem edit",
     "/edit",
     NULL,
     NULL,
     {{"contact", "contact", TEXT, false},
      {"authority", "authority", TEXT, false},
      {"cause", "cause", TEXT, false},
      {"clause", "clause", TEXT, false},
      {"about", "about", TEXTS, false}}},
    {"problem link",
     "/link",
     NULL,
     NULL,
     {{"incident", "incident", NUMBER, false}, {"bug", "bug", TEXT, false}}},
    {"problem domain",
     "/domain",
     NULL,
     NULL,
     {{"name", "name", TEXT, true}, {"method", "method", TEXT, false}}},
    {"problem domain-check", "/domain-check", NULL, NULL, {{"name", "name", TEXT, true}}},
    {"problem close", "/close", NULL, NULL, {TEXT_MEMBER(true)}},
    {"problem reopen", "/reopen", NULL, NULL, {TEXT_MEMBER(true)}},
    {"problem channel add", NULL, "problems/channels", "name", {{"minutes", "minutes", NUMBER, false}}},
    {"problem channel remove", NULL, "problems/channels/remove", "name", {{NULL, NULL, TEXT, false}}},
};

static lt_res put_texts(struct cmd *c, const struct member *m, json_t *o)
{
    json_t *list = json_array();
    LT_ASSERT(list != NULL);
    for (size_t i = 0; cmd_value_nth(c, m->option, i) != NULL; i++) {
        LT_ASSERT(json_array_append_new(list, json_string(cmd_value_nth(c, m->option, i))) == 0);
    }
    LT_ASSERT(json_object_set_new(o, m->name, list) == 0);
    return LT_OK;
}

static lt_res put(struct cmd *c, const struct member *m, json_t *o)
{
    uint64_t number = 0;
    const char *text = m->kind == FLAG ? NULL : cmd_value(c, m->option);
    if (m->kind == LONG_TEXT) {
        LT_TRY(cmd_problem_text(c, &text));
    }
    if (m->kind == FLAG) {
        return !cmd_flag(c, m->option) ? LT_OK
               : json_object_set_new(o, m->name, json_true()) == 0
                   ? LT_OK
                   : lt_fail(LT_STATE_IO, __FILE__, __LINE__, "no memory");
    }
    LT_CHECK(text != NULL || !m->needed, LT_PEER_USAGE, "--%s is needed", m->option);
    if (text == NULL) {
        return LT_OK;
    }
    if (m->kind == TEXTS) {
        return put_texts(c, m, o);
    }
    if (m->kind == NUMBER) {
        LT_TRY(cmd_number(c, m->option, 0, INT64_MAX, &number));
    }
    json_t *value = m->kind == NUMBER ? json_integer((json_int_t)number) : json_string(text);
    LT_CHECK(value != NULL, LT_PEER_USAGE, "--%s is no UTF-8", m->option);
    LT_ASSERT(json_object_set_new(o, m->name, value) == 0);
    return LT_OK;
}

static const struct change *change_of(const struct cmd *c)
{
    for (size_t i = 0; i < LT_COUNT(changes); i++) {
        if (strcmp(changes[i].verb, c->verb->name) == 0) {
            return &changes[i];
        }
    }
    LT_ASSERT(false);
    return NULL;
}

static lt_res say(const struct cmd *c, const json_t *answer)
{
    const char *words = cmd_text(answer, "words");
    if (c->json) {
        return cmd_print_json(answer);
    }
    if (words[0] != '\0') {
        return cmd_printf("%s\n", words);
    }
    if (json_object_get(answer, "id") == NULL) {
        return cmd_printf("done\n");
    }
    return cmd_printf("problem %lld is %s, rank %lld\n", (long long)cmd_int(answer, "id"),
                      cmd_text(answer, "status"), (long long)cmd_int(answer, "rank"));
}

static lt_res run_change(struct cmd *c)
{
    const struct change *row = change_of(c);
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    char path[PROBLEM_PATH_SIZE];
    for (size_t i = 0; i < MEMBERS_MAX && row->members[i].option != NULL; i++) {
        LT_TRY(put(c, &row->members[i], payload));
    }
    if (row->word != NULL) {
        json_t *word = json_string(c->args.words[0]);
        LT_CHECK(word != NULL, LT_PEER_USAGE, "a word that is no UTF-8");
        LT_ASSERT(json_object_set_new(payload, row->word, word) == 0);
    }
    if (row->rest != NULL) {
        LT_TRY(cmd_problem_path(c->args.words[0], row->rest, path));
    } else {
        (void)snprintf(path, sizeof path, "%s", row->path); /* our own */
    }
    LT_TRY(cmd_api_post(c, path, payload, &answer));
    return say(c, answer);
}

/* Findings go out to people: shown first. */
static lt_res run_findings(struct cmd *c)
{
    const char *text = NULL;
    LT_TRY(cmd_problem_text(c, &text));
    LT_CHECK(text != NULL, LT_PEER_USAGE, "--text is needed");
    LT_CHECK(cmd_value(c, "decision") != NULL, LT_PEER_USAGE, "--decision is needed");
    if (!cmd_flag(c, "yes")) {
        return cmd_would(c,
                         "would write these findings (%s) to who filed problem %s, %sand "
                         "to the subscribers of its certificates; add --yes to do it",
                         cmd_value(c, "decision"), c->args.words[0],
                         cmd_flag(c, "same") ? "to all who filed the same, " : "");
    }
    return run_change(c);
}

#define TEXT_OPTIONS                                                                    \
    {"text", "TEXT", "the words", false, NULL},                                         \
    {                                                                                   \
        "text-file", "FILE", "the words, from a file; - is standard input", false, NULL \
    }
#define AUTHORITIES "subscriber domain key supplier law other"

static const struct cmd_option open_options[] = {
    {"channel", "CHANNEL", "how it reached us", false, "phone api mail form"},
    TEXT_OPTIONS,
    {"title", "TEXT", "in one line", false, NULL},
    {"contact", "ADDRESS", "whom to answer", false, NULL},
    {"reporter", "NAME", "who reports", false, NULL},
    {"may-name", NULL, "they may be named in public", false, NULL},
    {"authority", "WHO", "who they are", false, AUTHORITIES},
    {"cause", "CAUSE", "the ground that they claim (BR 4.9.1.1)", false, NULL},
    {"clause", "CLAUSE", "the rule that they say is broken: 'CABF-BR 7.1.2.7.6'", false, NULL},
    {"about", "WHAT", "a certificate: serial number, SHA-256, 'spki HEX', or a name", true, NULL},
    {"received", "TIME", "when it reached us (default: now)", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option text_options[] = {TEXT_OPTIONS, CMD_OPERATOR_OPTIONS};
static const struct cmd_option plain_options[] = {CMD_OPERATOR_OPTIONS};
static const struct cmd_option reply_options[] = {
    TEXT_OPTIONS,
    {"wait", NULL, "their answer is waited for; the clock runs on", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option wait_options[] = {
    {"on", "WHOM", "who was asked", false, "reporter requester provider"},
    TEXT_OPTIONS,
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option word_options[] = {
    {"from", "WHOM", "who said it: reporter, requester, provider, or a name", false, NULL},
    TEXT_OPTIONS,
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option findings_options[] = {
    {"decision", "WORD", "what was found", false, "revoke none takedown duplicate unclear"},
    TEXT_OPTIONS,
    {"to-subscriber", "TEXT", "other words for the subscribers (default: the same)", false, NULL},
    {"same", NULL, "of all other reports that name and claim no more than this one, too", false, NULL},
    CMD_YES_OPTION,
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option delivered_options[] = {
    {"how", "TEXT", "how they got the findings, and what shows it", false, NULL},
    {"when", "TIME", "when (default: now)", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option edit_options[] = {
    {"contact", "ADDRESS", "whom to answer", false, NULL},
    {"authority", "WHO", "who they are", false, AUTHORITIES},
    {"cause", "CAUSE", "the ground that they claim (BR 4.9.1.1)", false, NULL},
    {"clause", "CLAUSE", "the rule that they say is broken", false, NULL},
    {"about", "WHAT", "one more certificate or name that it is about", true, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option link_options[] = {
    {"incident", "ID", "the incident that it belongs to", false, NULL},
    {"bug", "URL", "the public bug", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option domain_options[] = {
    {"name", "NAME", "the domain", false, NULL},
    {"method", "METHOD", "how it is shown", false, "dns-change website-change"},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option check_options[] = {
    {"name", "NAME", "the domain", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option channel_options[] = {
    {"minutes", "N", "within which our own daily report has to arrive (default: 60)", false, NULL},
    CMD_OPERATOR_OPTIONS,
};

#define VERB(symbol_, name_, words_, options_, run_, summary_, help_)           \
    const struct cmd_verb symbol_ = {.name = name_,                             \
                                     .words = words_,                           \
                                     .words_least = sizeof(words_) > 1 ? 1 : 0, \
                                     .words_most = sizeof(words_) > 1 ? 1 : 0,  \
                                     .summary = summary_,                       \
                                     .help = help_,                             \
                                     .options = options_,                       \
                                     .option_count = LT_COUNT(options_),        \
                                     .run = run_}

VERB(cmd_problem_open, "problem open", "", open_options, run_change,
     "write down a problem report that came by telephone or in another way",
     "The clock of 24 hours (BR 4.9.5) begins when it reached us.\n\nexamples:\n"
     "  lintel problem open --channel phone --reporter 'A. Nobody' --contact nobody@example.org \\\n"
     "    --about www.example.com --cause key-compromise --text 'says that the key is on a public web "
     "page'\n");
VERB(cmd_problem_reply, "problem reply", "ID", reply_options, run_change, "write to who filed a report",
     "It goes out by mail, and stands on the page of the case.\n\nexamples:\n"
     "  lintel problem reply 12 --text 'Which of the two names is yours?' --wait\n");
VERB(cmd_problem_takedown, "problem takedown", "ID", plain_options, run_change,
     "answer a report that asks for content to go, by the template",
     "What a page shows is no ground for a revocation; the letter says who can help.\n\nexamples:\n"
     "  lintel problem takedown 12\n");
VERB(cmd_problem_wait, "problem wait", "ID", wait_options, run_change,
     "somebody was asked something; no clock stops for it",
     "examples:\n  lintel problem wait 12 --on provider --text 'asked the CDN whether it ordered this'\n");
VERB(cmd_problem_word, "problem word", "ID", word_options, run_change,
     "write down what somebody said or wrote about a report",
     "examples:\n  lintel problem word 12 --from requester --text 'the order was theirs, says their "
     "operator'\n");
VERB(cmd_problem_note, "problem note", "ID", text_options, run_change, "a note to a report, for us alone",
     "examples:\n  lintel problem note 12 --text 'same tool as in problem 7'\n");
VERB(cmd_problem_findings, "problem findings", "ID", findings_options, run_findings,
     "give the preliminary findings to filer and subscribers (24 hours, BR 4.9.5)",
     "Not the preliminary incident report of 72 hours. The clock is met when every letter was taken by a "
     "relay; one\n"
     "that comes back leaves it running and calls who is on duty.\n\nexamples:\n"
     "  lintel problem findings 12 --decision none --text 'Issued as the rules say: see below.' --yes\n"
     "  lintel problem findings 13 --decision revoke --text-file findings.txt --yes --json\n");
VERB(cmd_problem_delivered, "problem delivered", "ID", delivered_options, run_change,
     "say how findings reached somebody whom no letter reaches",
     "examples:\n  lintel problem delivered 12 --how 'read to them by telephone, 14:05 UTC'\n");
VERB(cmd_problem_edit, "problem edit", "ID", edit_options, run_change,
     "set what a report is about, claims, and who files it",
     "examples:\n  lintel problem edit 12 --cause key-compromise --clause 'CABF-BR 4.9.1.1' --about "
     "www.example.com\n");
VERB(cmd_problem_link, "problem link", "ID", link_options, run_change,
     "tie a report to an incident, or to a public bug",
     "examples:\n  lintel problem link 12 --incident 3\n  lintel problem link 12 --bug "
     "https://bugzil.la/1619047\n");
VERB(cmd_problem_domain, "problem domain", "ID", domain_options, run_change,
     "ask a reporter to show that a domain is theirs",
     "Says what they have to do; our validator looks as it does for a certificate.\n\nexamples:\n"
     "  lintel problem domain 12 --name example.com --method dns-change\n");
VERB(cmd_problem_domain_check, "problem domain-check", "ID", check_options, run_change,
     "have the validator look whether control of a domain is shown",
     "examples:\n  lintel problem domain-check 12 --name example.com\n");
VERB(cmd_problem_close, "problem close", "ID", text_options, run_change,
     "end a report whose findings have arrived",
     "examples:\n  lintel problem close 12 --text 'revoked, and nothing is open'\n");
VERB(cmd_problem_reopen, "problem reopen", "ID", text_options, run_change, "look at a report again",
     "examples:\n  lintel problem reopen 12 --text 'another name turned up'\n");
VERB(cmd_problem_channel_add, "problem channel add", "CHANNEL", channel_options, run_change,
     "have a way to report problems tried every day",
     "A channel is 'mail ADDRESS', form, or api: all that CPS, CCADB and website name.\n\nexamples:\n"
     "  lintel problem channel add 'mail problems@example.com' --minutes 30\n  lintel problem channel add "
     "form\n");
VERB(cmd_problem_channel_remove, "problem channel remove", "CHANNEL", plain_options, run_change,
     "a way to report problems that is not offered any more",
     "examples:\n  lintel problem channel remove 'mail old@example.com'\n");
