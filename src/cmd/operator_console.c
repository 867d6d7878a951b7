/* lintel operator passkey, passkeys, certificate, sessions: who may use the console, and who does. Links and
 * what was taken back are in the operator's root-owned file; passkeys and sessions are asked of a running
 * family. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "ca/config.h"
#include "cmd/enrolment.h"
#include "cmd/list.h"
#include "cmd/operator.h"
#include "cmd/verbs.h"

enum { PATH_SIZE = 256 };

/* The file is read, changed by act, and written again as a whole. */
struct change {
    struct cmd *c;
    const char *folder;
    int dir;
    struct ca_operator o;
};

static lt_res begin(struct cmd *c, struct change *ch)
{
    char path[PATH_SIZE];
    lt_slice text;
    const char *name = c->args.words[0];
    *ch = (struct change){.c = c, .dir = -1};
    LT_TRY(cmd_operators_open(c, &ch->folder, &ch->dir));
    LT_CHECK(ca_operator_name_valid(lt_slice_cstr(name)), LT_PEER_USAGE, "\"%.70s\" is no operator name",
             name);
    (void)snprintf(path, sizeof(path), "%s.json", name);
    LT_CHECK(faccessat(ch->dir, path, F_OK, 0) == 0, LT_PEER_NOT_FOUND, "there is no operator %s", name);
    LT_TRY(lt_file_read(&c->arena, ch->dir, path, CA_OPERATOR_FILE_MAX, &text));
    return ca_operator_parse(&c->arena, text, &ch->o);
}

static lt_res end(struct change *ch)
{
    char path[PATH_SIZE];
    struct lt_buf text;
    struct ca_operator again;
    lt_buf_init(&text, CA_OPERATOR_FILE_MAX);
    lt_res r = ca_operator_print(&ch->o, &text);
    r = lt_failed(r) ? r : ca_operator_parse(&ch->c->arena, lt_buf_slice(&text), &again);
    (void)snprintf(path, sizeof(path), "%s.json", ch->o.name);
    r = lt_failed(r) ? r : lt_file_replace(ch->dir, path, 0644, lt_buf_slice(&text));
    lt_buf_done(&text);
    if (!lt_failed(r)) {
        cmd_operators_tell(ch->folder);
    }
    return r;
}

/* ---- passkey ---- */

static lt_res take_back(struct change *ch, const char *id)
{
    lt_slice hash;
    enum { HASH_LEN = 32 };
    LT_TRY(lt_unbase64url(&ch->c->arena, lt_slice_cstr(id), &hash));
    LT_CHECK(hash.len == HASH_LEN, LT_PEER_USAGE, "\"%.60s\" is no passkey; see lintel operator passkeys",
             id);
    LT_CHECK(ch->o.refused_count < CA_REFUSED_MAX, LT_PEER_USAGE,
             "%d passkeys of %s were taken back already: make "
             "another operator",
             CA_REFUSED_MAX, ch->o.name);
    lt_slice *list = LT_NEW_ARRAY(&ch->c->arena, lt_slice, CA_REFUSED_MAX);
    LT_CHECK(list != NULL, LT_PEER_TOO_LARGE, "too many passkeys");
    for (size_t i = 0; i < ch->o.refused_count; i++) {
        LT_CHECK(!lt_slice_eq(ch->o.refused[i], hash), LT_PEER_CONFLICT, "%.60s is taken back already", id);
        list[i] = ch->o.refused[i];
    }
    list[ch->o.refused_count++] = hash;
    ch->o.refused = list;
    LT_TRY(end(ch));
    return ch->c->json
               ? cmd_printf("{\"operator\":\"%s\",\"taken_back\":\"%s\"}\n", ch->o.name, id)
               : cmd_printf("passkey %s of %s counts no more; what it opened has ended\n", id, ch->o.name);
}

static lt_res make_link(struct change *ch, int64_t hours)
{
    struct cmd *c = ch->c;
    struct cmd_enrolment e;
    const char *link = NULL;
    char expires[LT_RFC3339_SIZE];
    LT_CLEANUP(ca_config_freep) struct ca_config *config = NULL;
    LT_TRY(ca_config_load(ch->folder, &config));
    const char *console = ca_config_console_url(config, &c->arena);
    LT_CHECK(console != NULL && console[0] != 0, LT_PEER_USAGE,
             "listen.operator is not set in lintel.yaml: there is no console");
    LT_TRY(cmd_enrolment_draw(c, ch->o.name, hours, &e));
    LT_TRY(cmd_enrolment_add(c, &ch->o, &e.row));
    LT_TRY(cmd_enrolment_link(c, console, e.secret, &link));
    LT_TRY(end(ch));
    lt_time_rfc3339(e.row.expires, expires);
    if (c->json) {
        return cmd_printf("{\"operator\":\"%s\",\"link\":\"%s\",\"expires\":\"%s\"}\n", ch->o.name, link,
                          expires);
    }
    return cmd_printf(
        "%s\nWho opens this link makes a passkey that is %s's. It works once, until %s; hand it over in "
        "person.\n",
        link, ch->o.name, expires);
}

static lt_res run_passkey(struct cmd *c)
{
    struct change ch;
    uint64_t hours = 0;
    const char *id = cmd_value(c, "take-back");
    LT_TRY(cmd_number(c, "hours", CMD_ENROLMENT_HOURS, CMD_ENROLMENT_HOURS_MAX, &hours));
    LT_CHECK(hours > 0, LT_PEER_USAGE, "--hours: 1 to %d", CMD_ENROLMENT_HOURS_MAX);
    lt_res r = begin(c, &ch);
    r = lt_failed(r) ? r : id != NULL ? take_back(&ch, id) : make_link(&ch, (int64_t)hours);
    lt_fd_closep(&ch.dir);
    return r;
}

/* ---- certificate ---- */

static lt_res run_certificate(struct cmd *c)
{
    struct change ch;
    lt_res r = begin(c, &ch);
    if (!lt_failed(r)) {
        ch.o.certificate = !cmd_flag(c, "no");
        r = end(&ch);
    }
    lt_fd_closep(&ch.dir);
    LT_TRY(r);
    return c->json ? cmd_printf("{\"operator\":\"%s\",\"certificate\":%s}\n", ch.o.name,
                                ch.o.certificate ? "true" : "false")
           : ch.o.certificate
               ? cmd_printf("a client certificate of %s's key logs them in to the console\n", ch.o.name)
               : cmd_printf("%s logs in by passkey alone\n", ch.o.name);
}

/* ---- lists ---- */

static lt_res run_passkeys(struct cmd *c)
{
    static const struct cmd_list list = {
        "passkeys",
        "passkeys",
        {{"PASSKEY", "passkey"},
         {"OPERATOR", "operator"},
         {"FOR", "rp"},
         {"KEY", "alg"},
         {"MADE", "created"},
         {"USED", "used"}},
        {{NULL, NULL}},
    };
    return cmd_list(c, &list);
}

static lt_res end_session(struct cmd *c, const char *id)
{
    LT_CLEANUP(cmd_json_freep) json_t *empty = json_object();
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    char path[PATH_SIZE];
    LT_ASSERT(empty != NULL);
    LT_CHECK(strlen(id) < 100 && strchr(id, '/') == NULL, LT_PEER_USAGE, "\"%.60s\" is no session", id);
    (void)snprintf(path, sizeof(path), "sessions/%s/end", id);
    LT_TRY(cmd_api_post(c, path, empty, &answer));
    return c->json ? cmd_print_json(answer)
                   : cmd_printf("session %s of %s has ended\n", id, cmd_text(answer, "operator"));
}

static lt_res run_sessions(struct cmd *c)
{
    static const struct cmd_list list = {
        "sessions",
        "sessions",
        {{"SESSION", "session"},
         {"OPERATOR", "operator"},
         {"STATE", "state"},
         {"BY", "method"},
         {"FROM", "address"},
         {"OPENED", "opened"},
         {"EXPIRES", "expires"}},
        {{NULL, NULL}},
    };
    const char *id = cmd_value(c, "end");
    return id != NULL ? end_session(c, id) : cmd_list(c, &list);
}

static const struct cmd_option passkey_options[] = {
    {"hours", "N", "how long the link is good (default: 24)", false, NULL},
    {"take-back", "ID", "a passkey that counts no more: lost, or its owner has another", false, NULL},
};
static const struct cmd_option certificate_options[] = {
    {"no", NULL, "not any more", false, NULL},
};
static const struct cmd_option passkeys_options[] = {CMD_PAGE_OPTIONS};
static const struct cmd_option sessions_options[] = {
    {"end", "ID", "end this session now", false, NULL},
    CMD_OPERATOR_OPTIONS,
    CMD_PAGE_OPTIONS,
};

const struct cmd_verb cmd_operator_passkey = {
    .name = "operator passkey",
    .words = "NAME",
    .words_least = 1,
    .words_most = 1,
    .summary = "a link by which a passkey becomes an operator's; or take one back",
    .help = "The link works once. Its secret is behind the \"#\", which browsers send to nobody; its public "
            "half is "
            "written to operators/NAME.json.\n"
            "\n"
            "examples:\n"
            "  lintel operator passkey berta\n"
            "  lintel operator passkey berta --hours 2\n"
            "  lintel operator passkey berta --take-back 6vV1cOZ…\n",
    .options = passkey_options,
    .option_count = LT_COUNT(passkey_options),
    .run = run_passkey,
};
const struct cmd_verb cmd_operator_certificate = {
    .name = "operator certificate",
    .words = "NAME",
    .words_least = 1,
    .words_most = 1,
    .summary = "let a client certificate of an operator's key log them in",
    .help = "Over https alone. Whoever is logged in so approves on the command line: a plan wants a passkey "
            "or the "
            "key itself.\n"
            "\n"
            "examples:\n"
            "  lintel operator certificate berta\n"
            "  lintel operator certificate berta --no\n",
    .options = certificate_options,
    .option_count = LT_COUNT(certificate_options),
    .run = run_certificate,
};
const struct cmd_verb cmd_operator_passkeys = {
    .name = "operator passkeys",
    .words = "",
    .summary = "list the passkeys that were enrolled",
    .help = "examples:\n  lintel operator passkeys --json\n",
    .options = passkeys_options,
    .option_count = LT_COUNT(passkeys_options),
    .run = run_passkeys,
};
const struct cmd_verb cmd_operator_sessions = {
    .name = "operator sessions",
    .words = "",
    .summary = "list the console's sessions, or end one",
    .help = "examples:\n  lintel operator sessions\n  lintel operator sessions --end 8KsI2…\n",
    .options = sessions_options,
    .option_count = LT_COUNT(sessions_options),
    .run = run_sessions,
};
