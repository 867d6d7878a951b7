/* lintel notice, hook: what was told to whom, and where notices for machines go. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "cmd/list.h"
#include "cmd/verbs.h"
#include "incident/notice_text.h"

enum { PATH_SIZE = 256, QUERY_MAX = 8192, TEXT_MAX = 30000, LETTER_MAX = 200 * 1024, SAID_SHOWN = 60 };

/* ---- lists ---- */

static lt_res run_list(struct cmd *c)
{
    static const struct cmd_list l = {
        .path = "notices",
        .key = "notices",
        .columns = {{"ID", "id", 0},
                    {"ABOUT", "about", 0},
                    {"KIND", "kind", 0},
                    {"CHANNEL", "channel", 0},
                    {"TO", "to", 0},
                    {"STATUS", "status", 0},
                    {"TRIES", "attempts", 0},
                    {"CREATED", "created", 0},
                    {"SAID", "said", SAID_SHOWN}},
        .filters = {{"about", "name"}, {"account", "account"}, {"status", "status"}},
    };
    return cmd_list(c, &l);
}

static lt_res run_batches(struct cmd *c)
{
    static const struct cmd_list l = {
        .path = "notice-batches",
        .key = "batches",
        .columns = {{"ID", "id", 0},
                    {"ABOUT", "about", 0},
                    {"KIND", "kind", 0},
                    {"STATUS", "status", 0},
                    {"CERTS", "certificates", 0},
                    {"ACCOUNTS", "accounts", 0},
                    {"NOTICES", "notices", 0},
                    {"UNREACHED", "unreached", 0},
                    {"SENT", "sent", 0},
                    {"FAILED", "failed", 0},
                    {"CREATED", "created", 0}},
    };
    return cmd_list(c, &l);
}

static lt_res run_lists(struct cmd *c)
{
    static const struct cmd_list l = {
        .path = "notice-lists",
        .key = "lists",
        .columns = {{"INCIDENT", "incident", 0},
                    {"VERSION", "version", 0},
                    {"TITLE", "title", SAID_SHOWN},
                    {"DEADLINE", "deadline", 0},
                    {"ROWS", "rows", 0},
                    {"BYTES", "bytes", 0},
                    {"PUBLISHED", "published", 0}},
    };
    return cmd_list(c, &l);
}

static lt_res run_hooks(struct cmd *c)
{
    static const struct cmd_list l = {
        .path = "hooks",
        .key = "hooks",
        .columns = {{"NAME", "name", 0},
                    {"URL", "url", SAID_SHOWN},
                    {"ACCOUNT", "account", 0},
                    {"STATUS", "status", 0},
                    {"ADDED", "added", 0},
                    {"BY", "by", 0}},
    };
    return cmd_list(c, &l);
}

static lt_res run_kinds(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *rows = json_array();
    static const struct cmd_list l = {
        .columns = {{"KIND", "kind", 0}, {"WORDS", "words", 0}, {"MAYBE", "maybe", 0}, {"FOR", "title", 0}}};
    LT_ASSERT(rows != NULL);
    for (size_t i = 0; i < incident_template_count; i++) {
        const struct incident_template *t = &incident_templates[i];
        json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "kind", t->kind, "title", t->title, "words",
                                t->words, "maybe", t->maybe, "subject", t->subject, "body", t->body);
        LT_ASSERT(row != NULL && json_array_append_new(rows, row) == 0);
    }
    return c->json ? cmd_print_json(rows) : cmd_list_print(c, &l, rows);
}

/* ---- one notice ---- */

static lt_res check_id(const char *word)
{
    uint64_t id = 0;
    LT_CHECK(!lt_failed(lt_parse_u64(lt_slice_cstr(word), INT64_MAX, &id)), LT_PEER_USAGE,
             "\"%.40s\" is no number of a notice", word);
    return LT_OK;
}

/* As its reader has it. */
static lt_res print_letter(struct cmd *c, const json_t *n)
{
    LT_CLEANUP(cmd_json_freep) json_t *words = json_object();
    struct lt_buf subject;
    struct lt_buf body;
    LT_ASSERT(words != NULL);
    (void)json_object_update(words, json_object_get(n, "common_words")); /* of a batch; else there are none */
    (void)json_object_update(words, json_object_get(n, "words"));
    char *text = json_dumps(words, JSON_COMPACT);
    LT_ASSERT(text != NULL);
    const struct incident_letter letter = {
        cmd_text(n, "kind"), text, "(the CA)", "(the CA)", cmd_text(n, "to"), cmd_text(n, "about")};
    lt_buf_init(&subject, QUERY_MAX);
    lt_buf_init(&body, LETTER_MAX);
    lt_res r = incident_letter_write(&letter, &subject, &body);
    free(text);
    (void)c;
    r = lt_failed(r) ? cmd_printf("\n(no letter: %s)\n", lt_error_last()->detail)
                     : cmd_printf("\nSubject: %s\n\n%s", lt_buf_cstr(&subject), lt_buf_cstr(&body));
    lt_buf_done(&subject);
    lt_buf_done(&body);
    return r;
}

static lt_res run_show(struct cmd *c)
{
    static const char *const keys[] = {"id",     "kind",     "about",   "channel", "to",   "account", "batch",
                                       "status", "attempts", "created", "ended",   "said", "token"};
    LT_CLEANUP(cmd_json_freep) json_t *n = NULL;
    char path[PATH_SIZE];
    LT_TRY(check_id(c->args.words[0]));
    (void)snprintf(path, sizeof path, "notices/%s", c->args.words[0]); /* measured above */
    LT_TRY(cmd_api_get(c, path, &n));
    if (c->json) {
        return cmd_print_json(n);
    }
    for (size_t i = 0; i < LT_COUNT(keys); i++) {
        char value[CMD_CELL_MAX];
        cmd_cell(n, keys[i], value);
        if (strcmp(value, "-") != 0) {
            LT_TRY(cmd_printf("%-9s %s\n", keys[i], value));
        }
    }
    return print_letter(c, n);
}

static lt_res read_text(struct cmd *c, const char **ret_text)
{
    const char *file = cmd_value(c, "text-file");
    lt_slice text;
    *ret_text = cmd_value_or(c, "text", "");
    if (file == NULL) {
        return LT_OK;
    }
    LT_TRY(lt_file_read(&c->arena, AT_FDCWD, file, TEXT_MAX, &text));
    *ret_text = lt_arena_cstr(&c->arena, text);
    LT_CHECK(*ret_text != NULL && strlen(*ret_text) == text.len, LT_PEER_USAGE, "%s is no text", file);
    return LT_OK;
}

static lt_res add(json_t *payload, const char *key, const char *value)
{
    if (value == NULL || value[0] == '\0') {
        return LT_OK;
    }
    json_t *text = json_string(value);
    LT_CHECK(text != NULL && json_object_set_new(payload, key, text) == 0, LT_PEER_USAGE, "--%s is no UTF-8",
             key);
    return LT_OK;
}

static lt_res run_send(struct cmd *c)
{
    static const char *const keys[] = {"kind", "about", "mail", "hook", "account", "title", "bug"};
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    const char *text = NULL;
    const char *to = cmd_value_or(c, "mail", cmd_value_or(c, "hook", cmd_value(c, "account")));
    LT_ASSERT(payload != NULL);
    LT_CHECK(cmd_value(c, "about") != NULL, LT_PEER_USAGE, "--about is missing: \"incident 12\", say");
    LT_CHECK(to != NULL, LT_PEER_USAGE, "to whom: --mail ADDRESS, --hook NAME or --account NUMBER");
    LT_TRY(read_text(c, &text));
    for (size_t i = 0; i < LT_COUNT(keys); i++) {
        LT_TRY(add(payload, keys[i], cmd_value(c, keys[i])));
    }
    LT_TRY(add(payload, "text", text));
    if (!cmd_flag(c, "yes")) {
        return cmd_would(c, "would send a notice of the kind %s to %s; add --yes to do it",
                         cmd_value_or(c, "kind", "message"), to);
    }
    LT_TRY(cmd_api_post(c, "notices", payload, &answer));
    if (c->json) {
        return cmd_print_json(answer);
    }
    return json_object_get(answer, "id") != NULL
               ? cmd_printf("notice %lld\n", (long long)cmd_int(answer, "id"))
               : cmd_printf("%lld notices\n", (long long)cmd_int(answer, "notices"));
}

static lt_res change(struct cmd *c, const char *what, const json_t *payload)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    char path[PATH_SIZE];
    LT_TRY(check_id(c->args.words[0]));
    (void)snprintf(path, sizeof path, "notices/%s/%s", c->args.words[0], what); /* measured above */
    LT_TRY(cmd_api_post(c, path, payload, &answer));
    return c->json ? cmd_print_json(answer)
                   : cmd_printf("notice %lld: %s\n", (long long)cmd_int(answer, "id"), what);
}

static lt_res run_again(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_ASSERT(payload != NULL);
    return change(c, "again", payload);
}

static lt_res run_returned(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_ASSERT(payload != NULL);
    LT_CHECK(cmd_value(c, "token") != NULL, LT_PEER_USAGE,
             "--token is missing: what stands behind the dot in the letter's Message-ID");
    LT_TRY(add(payload, "token", cmd_value(c, "token")));
    LT_TRY(add(payload, "status", cmd_value(c, "status")));
    LT_TRY(add(payload, "words", cmd_value(c, "words")));
    return change(c, "returned", payload);
}

static lt_res run_withdraw(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    char path[PATH_SIZE];
    LT_ASSERT(payload != NULL);
    LT_TRY(check_id(c->args.words[0]));
    if (!cmd_flag(c, "yes")) {
        return cmd_would(
            c, "would let nobody look up the certificates of incident %s any more; add --yes to do it",
            c->args.words[0]);
    }
    (void)snprintf(path, sizeof path, "notice-lists/%s/withdraw", c->args.words[0]); /* measured above */
    LT_TRY(cmd_api_post(c, path, payload, &answer));
    return c->json
               ? cmd_print_json(answer)
               : cmd_printf("incident %lld: its list is withdrawn\n", (long long)cmd_int(answer, "incident"));
}

/* ---- hooks ---- */

static lt_res run_hook_add(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    LT_ASSERT(payload != NULL);
    LT_TRY(add(payload, "name", c->args.words[0]));
    LT_TRY(add(payload, "url", c->args.words[1]));
    LT_TRY(add(payload, "account", cmd_value(c, "account")));
    LT_TRY(cmd_api_post(c, "hooks", payload, &answer));
    return c->json ? cmd_print_json(answer)
                   : cmd_printf("hook:   %s\nsecret: %s\nGive the secret to who reads there: it is not shown "
                                "again.\n",
                                cmd_text(answer, "name"), cmd_text(answer, "secret"));
}

static lt_res run_hook_remove(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    char path[PATH_SIZE];
    const char *name = c->args.words[0];
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
    LT_ASSERT(payload != NULL);
    LT_CHECK(strlen(name) <= 64 && strspn(name, letters) == strlen(name), LT_PEER_USAGE,
             "\"%.64s\" is no hook", name);
    if (!cmd_flag(c, "yes")) {
        return cmd_would(c, "would send nothing to %s any more; add --yes to do it", name);
    }
    (void)snprintf(path, sizeof path, "hooks/%s/remove", name); /* measured above */
    LT_TRY(cmd_api_post(c, path, payload, &answer));
    return c->json ? cmd_print_json(answer) : cmd_printf("removed: %s\n", name);
}

/* ---- the verbs ---- */

static const struct cmd_option list_options[] = {
    {"about", "SUBJECT", "of this alone: \"incident 12\", \"problem 7\"", false, NULL},
    {"account", "NUMBER", "to this subscriber", false, NULL},
    {"status", "STATUS", "in this state alone", false, "queued sent bounced refused withdrawn shown"},
    CMD_PAGE_OPTIONS,
};
static const struct cmd_option page_options[] = {CMD_PAGE_OPTIONS};
static const struct cmd_option send_options[] = {
    {"about", "SUBJECT", "what it is about: \"incident 12\"; its timeline shows the notice", false, NULL},
    {"mail", "ADDRESS", "to this address", false, NULL},
    {"hook", "NAME", "to this hook", false, NULL},
    {"account", "NUMBER", "to every contact of this subscriber", false, NULL},
    {"kind", "KIND", "template: message (default), root-program, test", false, NULL},
    {"title", "TEXT", "subject of the letter", false, NULL},
    {"text", "TEXT", "what it says", false, NULL},
    {"text-file", "FILE", "the same, out of a file", false, NULL},
    {"bug", "URL", "of the report, for root-program", false, NULL},
    CMD_YES_OPTION,
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option change_options[] = {CMD_OPERATOR_OPTIONS};
static const struct cmd_option returned_options[] = {
    {"token", "HEX", "of its Message-ID: <notice-ID.HEX@host>", false, NULL},
    {"status", "CODE", "what the report says: 5.1.1", false, NULL},
    {"words", "TEXT", "and why", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option hook_options[] = {
    {"account", "NUMBER", "for the notices of this subscriber", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option remove_options[] = {CMD_YES_OPTION, CMD_OPERATOR_OPTIONS};

const struct cmd_verb cmd_notice_list = {
    .name = "notice list",
    .words = "",
    .summary = "list what was told to whom, and what came of it",
    .help = "Newest first. A notice is sent as fast as mail.rate allows, and tried again for a day.\n\n"
            "examples:\n  lintel notice list --about 'incident 12' --status bounced --all\n",
    .options = list_options,
    .option_count = LT_COUNT(list_options),
    .run = run_list,
};
const struct cmd_verb cmd_notice_show = {
    .name = "notice show",
    .words = "ID",
    .words_least = 1,
    .words_most = 1,
    .summary = "show one notice as its reader has it, with the proof that it left",
    .help = "examples:\n  lintel notice show 17\n",
    .run = run_show,
};
const struct cmd_verb cmd_notice_send = {
    .name = "notice send",
    .words = "",
    .summary = "write to an address, a hook or a subscriber by hand",
    .help = "examples:\n"
            "  lintel notice send --about 'incident 12' --account 123 --title 'Please call us' \\\n"
            "    --text-file letter.txt --yes\n"
            "  lintel notice send --about test --mail me@ca.example --kind test --yes\n",
    .options = send_options,
    .option_count = LT_COUNT(send_options),
    .run = run_send,
};
const struct cmd_verb cmd_notice_again = {
    .name = "notice again",
    .words = "ID",
    .words_least = 1,
    .words_most = 1,
    .summary = "send a notice again that was refused or came back",
    .help = "examples:\n  lintel notice again 17\n",
    .options = change_options,
    .option_count = LT_COUNT(change_options),
    .run = run_again,
};
const struct cmd_verb cmd_notice_returned = {
    .name = "notice returned",
    .words = "ID",
    .words_least = 1,
    .words_most = 1,
    .summary = "say that a letter came back to somebody",
    .help =
        "Delivery reports that come in by \"lintel problem ingest\" are recognised; this is for those that\n"
        "a person has read.\n\n"
        "examples:\n  lintel notice returned 17 --token 0a1b2c3d4e5f6071 --status 5.1.1\n",
    .options = returned_options,
    .option_count = LT_COUNT(returned_options),
    .run = run_returned,
};
const struct cmd_verb cmd_notice_many = {
    .name = "notice many",
    .words = "",
    .summary = "list the notices that went to all subscribers of an incident",
    .help =
        "UNREACHED are subscribers without an address or a hook: they have the public look-up and renewal\n"
        "information alone.\n\nexamples:\n  lintel notice many\n",
    .options = page_options,
    .option_count = LT_COUNT(page_options),
    .run = run_batches,
};
const struct cmd_verb cmd_notice_lists = {
    .name = "notice lists",
    .words = "",
    .summary = "list the incidents whose certificates the world may look up",
    .help = "Each is a file at /affected/INCIDENT.csv, and look-ups at /affected.\n\n"
            "examples:\n  lintel notice lists --json\n",
    .options = page_options,
    .option_count = LT_COUNT(page_options),
    .run = run_lists,
};
const struct cmd_verb cmd_notice_withdraw = {
    .name = "notice withdraw",
    .words = "INCIDENT",
    .words_least = 1,
    .words_most = 1,
    .summary = "let nobody look up the certificates of an incident any more",
    .help = "The file goes within some seconds; notices that were sent stay as they are.\n\n"
            "examples:\n  lintel notice withdraw 12 --yes\n",
    .options = remove_options,
    .option_count = LT_COUNT(remove_options),
    .run = run_withdraw,
};
const struct cmd_verb cmd_notice_kinds = {
    .name = "notice kinds",
    .words = "",
    .summary = "list the templates",
    .help = "examples:\n  lintel notice kinds\n",
    .run = run_kinds,
};
const struct cmd_verb cmd_hook_add = {
    .name = "hook add",
    .words = "NAME URL",
    .words_least = 2,
    .words_most = 2,
    .summary = "let notices go to a machine, signed; its secret is shown once",
    .help = "Needs hooks.send in lintel.yaml. The same name again gives it another secret.\n\n"
            "examples:\n  lintel hook add pager https://pager.example/lintel\n"
            "  lintel hook add platform https://certs.sub.example/in --account 123\n",
    .options = hook_options,
    .option_count = LT_COUNT(hook_options),
    .run = run_hook_add,
};
const struct cmd_verb cmd_hook_list = {
    .name = "hook list",
    .words = "",
    .summary = "list the hooks",
    .help = "examples:\n  lintel hook list\n",
    .options = page_options,
    .option_count = LT_COUNT(page_options),
    .run = run_hooks,
};
const struct cmd_verb cmd_hook_remove = {
    .name = "hook remove",
    .words = "NAME",
    .words_least = 1,
    .words_most = 1,
    .summary = "send nothing to a hook any more",
    .help = "examples:\n  lintel hook remove pager --yes\n",
    .options = remove_options,
    .option_count = LT_COUNT(remove_options),
    .run = run_hook_remove,
};
