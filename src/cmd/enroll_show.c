/* lintel enroll list, show, fetch: enrolments as the family's reader tells them. */
#include "cmd/enroll.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "cmd/api.h"
#include "cmd/verbs.h"

enum { QUERY_MAX = 8192, NAMES_MAX = 4096, SAY_MAX = 1 << 20, POLL_MS = 250, PEM_MAX = 1 << 20 };

lt_res cmd_enroll_path(const char *id, const char *rest, char ret_path[ENROLL_PATH_SIZE])
{
    size_t len = strlen(id);
    LT_CHECK(len > 0 && len <= ENROLL_ID_MAX && strspn(id, "0123456789") == len, LT_PEER_USAGE,
             "\"%.40s\" is no enrolment; see lintel enroll list", id);
    (void)snprintf(ret_path, ENROLL_PATH_SIZE, "enrollments/%s%s", id, rest); /* measured, and our own */
    return LT_OK;
}

lt_res cmd_enroll_get(struct cmd *c, const char *id, json_t **ret_json)
{
    char path[ENROLL_PATH_SIZE];
    LT_TRY(cmd_enroll_path(id, "", path));
    return cmd_api_get(c, path, ret_json);
}

/* ---- in words ---- */

static void say_challenge(const json_t *b, bool first, struct lt_buf *out)
{
    const char *error = cmd_text(json_object_get(b, "error"), "detail");
    const char *what = cmd_text(b, "what");
    lt_buf_addf(out, "    %s%s (BR %s, %s)%s\n", first ? "" : "or ", cmd_text(b, "method"),
                cmd_text(b, "section"), cmd_text(b, "title"),
                strcmp(cmd_text(b, "status"), "processing") == 0 ? ", being looked at" : "");
    if (strcmp(what, "file") == 0) {
        lt_buf_addf(out, "      a file at    %s\n      with a line  %s\n", cmd_text(b, "where"),
                    cmd_text(b, "value"));
    } else if (what[0] != '\0') {
        lt_buf_addf(out, "      %s  %s\n      with the text  %s\n", what, cmd_text(b, "where"),
                    cmd_text(b, "value"));
    } else if (strncmp(cmd_text(b, "method"), "email-", 6) == 0) {
        lt_buf_add_cstr(out, "      a letter to the domain's contact, who approves by its link\n");
    }
    if (error[0] != '\0') {
        lt_buf_addf(out, "      last time: %s\n", error);
    }
}

static void say_letters(const json_t *letters, const char *authorization, struct lt_buf *out)
{
    size_t i;
    json_t *m;
    json_array_foreach(letters, i, m)
    {
        const char *error = cmd_text(m, "error");
        if (strcmp(cmd_text(m, "authorization"), authorization) == 0) {
            lt_buf_addf(out, "      letter to %s: %s%s%s\n", cmd_text(m, "to"), cmd_text(m, "status"),
                        error[0] == '\0' ? "" : ", ", error);
        }
    }
}

static void say_name(const json_t *name, const json_t *letters, struct lt_buf *out)
{
    const char *status = cmd_text(name, "status");
    bool open = strcmp(status, "pending") == 0;
    size_t i;
    json_t *b;
    lt_buf_addf(out, "  %s: %s%s%s\n", cmd_text(name, "name"), status,
                cmd_text(name, "validated")[0] != '\0' ? ", proven " : "", cmd_text(name, "validated"));
    json_array_foreach(json_object_get(name, "challenges"), i, b)
    {
        if (open) {
            say_challenge(b, i == 0, out);
        }
    }
    say_letters(letters, cmd_text(name, "authorization"), out);
}

/* What comes next, by status. */
static const struct {
    const char *status;
    const char *says;
    const char *verb;
} steps[] = {
    {"pending", "when all is in its place", "check"},
    {"ready", "every name is proven", "issue"},
    {"processing", "the certificate is on its way", "show"},
    {"valid", "the certificate and its chain", "fetch"},
};

static void say(const json_t *e, struct lt_buf *out)
{
    const char *contact = cmd_text(e, "contact");
    const char *error = cmd_text(json_object_get(e, "error"), "detail");
    const char *status = cmd_text(e, "status");
    size_t i;
    json_t *row;
    lt_buf_addf(out, "enrolment %s of %s%s%s%s is %s\n", cmd_text(e, "id"), cmd_text(e, "subscriber"),
                contact[0] == '\0' ? "" : " (", contact, contact[0] == '\0' ? "" : ")", status);
    lt_buf_addf(out, "  profile %s, asked for %s by %s, good until %s%s\n", cmd_text(e, "profile"),
                cmd_text(e, "requested"), cmd_text(e, "requested_by"), cmd_text(e, "expires"),
                json_is_true(json_object_get(e, "hold")) ? ", issued when somebody says so" : "");
    json_array_foreach(json_object_get(e, "names"), i, row)
    {
        say_name(row, json_object_get(e, "letters"), out);
    }
    if (error[0] != '\0') {
        lt_buf_addf(out, "  why: %s\n", error);
        json_array_foreach(json_object_get(json_object_get(e, "error"), "subproblems"), i, row)
        {
            lt_buf_addf(out, "    %s\n", cmd_text(row, "detail"));
        }
    }
    if (strcmp(cmd_text(e, "review"), "waiting") == 0) {
        lt_buf_addf(out, "  waits for a person, by the policy's row %s:  lintel order release %s\n",
                    cmd_text(e, "rule"), cmd_text(e, "id"));
    }
    if (strcmp(status, "valid") == 0) {
        lt_buf_addf(out, "  serial %s, issuer %s\n", cmd_text(e, "serial"), cmd_text(e, "issuer"));
    }
    for (i = 0; i < LT_COUNT(steps); i++) {
        if (strcmp(steps[i].status, status) == 0) {
            lt_buf_addf(out, "%s:  lintel enroll %s %s\n", steps[i].says, steps[i].verb, cmd_text(e, "id"));
        }
    }
}

lt_res cmd_enroll_say(const struct cmd *c, const json_t *e)
{
    struct lt_buf out;
    if (c->json) {
        return cmd_print_json(e);
    }
    lt_buf_init(&out, SAY_MAX);
    say(e, &out);
    lt_res r = cmd_print(lt_buf_slice(&out));
    lt_buf_done(&out);
    return r;
}

/* ---- waiting ---- */

/* Is the validator looking, or the certificate being made? */
static bool moves(const json_t *e)
{
    size_t i;
    size_t k;
    json_t *name;
    json_t *b;
    if (strcmp(cmd_text(e, "status"), "processing") == 0) {
        return strcmp(cmd_text(e, "review"), "waiting") != 0;
    }
    json_array_foreach(json_object_get(e, "names"), i, name)
    {
        json_array_foreach(json_object_get(name, "challenges"), k, b)
        {
            if (strcmp(cmd_text(name, "status"), "pending") == 0 &&
                strcmp(cmd_text(b, "status"), "processing") == 0) {
                return true;
            }
        }
    }
    return false;
}

lt_res cmd_enroll_wait(struct cmd *c, const char *id, int64_t seconds, json_t **ret_json)
{
    lt_time until = lt_time_add_seconds(lt_now(), seconds);
    for (;;) {
        LT_TRY(cmd_enroll_get(c, id, ret_json));
        if (!moves(*ret_json) || lt_now().us >= until.us) {
            return LT_OK;
        }
        json_decref(*ret_json);
        *ret_json = NULL;
        (void)poll(NULL, 0, POLL_MS); /* cut short by a signal: asked sooner */
    }
}

/* ---- verbs ---- */

static void names_of(const json_t *row, char *out, size_t size)
{
    const json_t *list = json_object_get(row, "identifiers");
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < json_array_size(list) && len < size - 1; i++) {
        const char *name = json_string_value(json_array_get(json_array_get(list, i), 1));
        int n = snprintf(out + len, size - len, "%s%s", i == 0 ? "" : ", ", name == NULL ? "" : name);
        len += n < 0 ? 0 : (size_t)n;
    }
}

static lt_res print_rows(struct cmd *c, const json_t *answer)
{
    static const char *const heads[] = {"ENROLMENT", "STATUS", "SUBSCRIBER", "PROFILE", "UNTIL", "NAMES"};
    size_t i;
    json_t *row;
    struct cmd_table *t = cmd_table_new(c, heads, LT_COUNT(heads));
    json_array_foreach(json_object_get(answer, "enrollments"), i, row)
    {
        char names[NAMES_MAX];
        names_of(row, names, sizeof names);
        const char *const cells[] = {cmd_text(row, "id"),         cmd_text(row, "status"),
                                     cmd_text(row, "subscriber"), cmd_text(row, "profile"),
                                     cmd_text(row, "expires"),    names};
        LT_TRY(cmd_table_row(t, cells));
    }
    LT_TRY(cmd_table_print(t));
    const char *next = cmd_text(answer, "next");
    return next[0] == 0 ? LT_OK : cmd_printf("more: --cursor '%s', or --all\n", next);
}

static lt_res run_list(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    struct lt_buf query;
    lt_buf_init(&query, QUERY_MAX);
    cmd_query_add(&query, "name", cmd_value(c, "subscriber"));
    cmd_query_add(&query, "status", cmd_value(c, "status"));
    lt_res r = cmd_api_list(c, "enrollments", "enrollments", &query, &answer);
    lt_buf_done(&query);
    LT_TRY(r);
    return c->json ? cmd_print_json(answer) : print_rows(c, answer);
}

static lt_res run_show(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *e = NULL;
    LT_TRY(cmd_enroll_get(c, c->args.words[0], &e));
    return cmd_enroll_say(c, e);
}

static lt_res write_chain(struct cmd *c, const json_t *certificate)
{
    const char *path = cmd_value(c, "out");
    struct lt_buf pem;
    size_t i;
    json_t *row;
    lt_buf_init(&pem, PEM_MAX);
    lt_buf_add_cstr(&pem, cmd_text(certificate, "pem"));
    json_array_foreach(json_object_get(certificate, "chain"), i, row)
    {
        lt_buf_add_cstr(&pem, cmd_text(row, "pem"));
    }
    lt_res r = lt_buf_check(&pem);
    if (!lt_failed(r)) {
        r = path == NULL ? cmd_print(lt_buf_slice(&pem))
                         : lt_file_replace(AT_FDCWD, path, 0644, lt_buf_slice(&pem));
    }
    lt_buf_done(&pem);
    return r;
}

static lt_res run_fetch(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *e = NULL;
    LT_CLEANUP(cmd_json_freep) json_t *certificate = NULL;
    char path[ENROLL_PATH_SIZE];
    LT_TRY(cmd_enroll_get(c, c->args.words[0], &e));
    LT_CHECK(cmd_text(e, "serial")[0] != '\0', LT_PEER_NOT_FOUND,
             "enrolment %s is %s: there is no certificate yet", c->args.words[0], cmd_text(e, "status"));
    (void)snprintf(path, sizeof path, "certificates/%.40s?issuer=%.64s&der=1", cmd_text(e, "serial"),
                   cmd_text(e, "issuer")); /* cut: not found */
    LT_TRY(cmd_api_get(c, path, &certificate));
    return c->json ? cmd_print_json(certificate) : write_chain(c, certificate);
}

static const struct cmd_option list_options[] = {
    {"subscriber", "NAME", "of that subscriber", false, NULL},
    {"status", "WORD", "with that status", false, "pending ready processing valid invalid"},
    CMD_PAGE_OPTIONS,
};
static const struct cmd_option fetch_options[] = {
    {"out", "FILE", "where to (default: standard output)", false, NULL},
};

const struct cmd_verb cmd_enroll_list = {
    .name = "enroll list",
    .words = "",
    .summary = "list enrolments, newest first",
    .help = "examples:\n"
            "  lintel enroll list --status pending\n"
            "  lintel enroll list --subscriber \"Example Ltd\" --all --json\n",
    .options = list_options,
    .option_count = LT_COUNT(list_options),
    .run = run_list,
};
const struct cmd_verb cmd_enroll_show = {
    .name = "enroll show",
    .words = "ID",
    .words_least = 1,
    .words_most = 1,
    .summary = "show an enrolment: how far each name is, and what is to be put where",
    .help = "examples:\n  lintel enroll show 473828173648173648\n",
    .options = NULL,
    .option_count = 0,
    .run = run_show,
};
const struct cmd_verb cmd_enroll_fetch = {
    .name = "enroll fetch",
    .words = "ID",
    .words_least = 1,
    .words_most = 1,
    .summary = "the certificate of an enrolment with its chain, as PEM",
    .help = "examples:\n  lintel enroll fetch 473828173648173648 --out www.example.com.pem\n",
    .options = fetch_options,
    .option_count = LT_COUNT(fetch_options),
    .run = run_fetch,
};
