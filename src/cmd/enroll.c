/* lintel enroll request, check, issue, cancel: certificates for subscribers without automation. A person
 * brings the certificate request, another one puts random values where they are asked for; everything in
 * between is what ACME's orders go through. */
#include "cmd/enroll.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "cmd/api.h"
#include "cmd/verbs.h"

enum { CSR_MAX = 64 * 1024, WAIT_CHECK_S = 75, WAIT_ISSUE_S = 30, METHODS_MAX = 8, METHOD_SIZE = 64 };

/* ---- request ---- */

static lt_res read_input(struct lt_arena *a, lt_slice *ret_text)
{
    uint8_t *text = lt_arena_alloc(a, CSR_MAX + 1);
    size_t len = 0;
    ssize_t n = 0;
    LT_ASSERT(text != NULL);
    do {
        n = read(STDIN_FILENO, text + len, CSR_MAX + 1 - len);
        len += n > 0 ? (size_t)n : 0;
    } while (len <= CSR_MAX && (n > 0 || (n < 0 && errno == EINTR)));
    LT_CHECK(n >= 0, LT_PEER_USAGE, "standard input: %s", strerror(errno));
    LT_CHECK(len <= CSR_MAX, LT_PEER_TOO_LARGE, "standard input is over %d bytes", CSR_MAX);
    *ret_text = LT_SLICE(text, len);
    return LT_OK;
}

/* PEM with one request, or DER. */
static lt_res read_csr(struct cmd *c, const char *path, lt_slice *ret_der)
{
    lt_slice text;
    lt_slice label;
    lt_slice rest;
    LT_TRY(strcmp(path, "-") == 0 ? read_input(&c->arena, &text)
                                  : lt_file_read(&c->arena, AT_FDCWD, path, CSR_MAX, &text));
    if (text.len > 0 && text.ptr[0] == 0x30) {
        *ret_der = text;
        return LT_OK;
    }
    rest = text;
    lt_res r = lt_pem_next(&c->arena, &rest, &label, ret_der);
    bool good = !lt_failed(r) && (lt_slice_eq_cstr(label, "CERTIFICATE REQUEST") ||
                                  lt_slice_eq_cstr(label, "NEW CERTIFICATE REQUEST"));
    LT_CHECK(good, LT_PEER_USAGE, "%s is no certificate request in PEM or DER", path);
    return LT_OK;
}

/* "NAME=METHOD", or "METHOD" for all names. */
static lt_res add_method(const char *text, json_t *list)
{
    lt_slice all = lt_slice_cstr(text);
    size_t at = lt_slice_find(all, '=');
    lt_slice name = at < all.len ? lt_slice_sub(all, 0, at) : LT_LIT("");
    lt_slice method = at < all.len ? lt_slice_sub(all, at + 1, SIZE_MAX) : all;
    json_t *row = json_object();
    LT_ASSERT(row != NULL && json_array_append_new(list, row) == 0);
    LT_CHECK(method.len > 0 && (at == all.len || name.len > 0), LT_PEER_USAGE,
             "--method is METHOD, or NAME=METHOD: \"%.200s\"", text);
    LT_CHECK(json_object_set_new(row, "name", json_stringn((const char *)name.ptr, name.len)) == 0 &&
                 json_object_set_new(row, "method", json_stringn((const char *)method.ptr, method.len)) == 0,
             LT_PEER_USAGE, "--method is no UTF-8");
    return LT_OK;
}

lt_res cmd_enroll_fill(struct cmd *c, const char *path, json_t *payload)
{
    static const char *const texts[] = {"subscriber", "profile", "contact"};
    const char *word;
    lt_slice der;
    json_t *methods = json_array();
    LT_ASSERT(methods != NULL && json_object_set_new(payload, "methods", methods) == 0);
    LT_TRY(read_csr(c, path, &der));
    char *csr = lt_base64url(&c->arena, der);
    LT_ASSERT(csr != NULL && json_object_set_new(payload, "csr", json_string(csr)) == 0);
    for (size_t i = 0; i < LT_COUNT(texts); i++) {
        word = cmd_value(c, texts[i]);
        LT_CHECK(word == NULL || json_object_set_new(payload, texts[i], json_string(word)) == 0,
                 LT_PEER_USAGE, "--%s is no UTF-8", texts[i]);
    }
    for (size_t i = 0; (word = cmd_value_nth(c, "method", i)) != NULL; i++) {
        LT_TRY(add_method(word, methods));
    }
    LT_ASSERT(json_object_set_new(payload, "hold", json_boolean(cmd_flag(c, "hold"))) == 0);
    return LT_OK;
}

/* Asked for, and refused in the end. */
static void judge(struct cmd *c, const json_t *e)
{
    c->exit_status = strcmp(cmd_text(e, "status"), "invalid") == 0 ? CMD_REFUSED : c->exit_status;
}

/* As it is now; with what kept it from being issued, where something did. */
static lt_res say_result(struct cmd *c, const json_t *answer, int64_t seconds)
{
    LT_CLEANUP(cmd_json_freep) json_t *e = NULL;
    const char *hindered = cmd_text(answer, "hindered");
    LT_TRY(cmd_enroll_wait(c, cmd_text(answer, "id"), seconds, &e));
    if (hindered[0] != '\0' && c->json) {
        LT_ASSERT(json_object_set_new(e, "hindered", json_string(hindered)) == 0);
    }
    LT_TRY(cmd_enroll_say(c, e));
    if (seconds > 0) {
        judge(c, e);
    }
    return hindered[0] == '\0' || c->json ? LT_OK : cmd_printf("hindered: %s\n", hindered);
}

static lt_res run_request(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    LT_ASSERT(payload != NULL);
    LT_CHECK(cmd_value(c, "subscriber") != NULL, LT_PEER_USAGE, "--subscriber: for whom is it?");
    LT_TRY(cmd_enroll_fill(c, c->args.words[0], payload));
    LT_TRY(cmd_api_post(c, "enrollments", payload, &answer));
    return say_result(c, answer, WAIT_ISSUE_S);
}

/* ---- check ---- */

struct round {
    char methods[METHODS_MAX][METHOD_SIZE];
    size_t count;
};

static void add_round(struct round *r, const char *method)
{
    for (size_t i = 0; i < r->count; i++) {
        if (strcmp(r->methods[i], method) == 0) {
            return;
        }
    }
    if (r->count < METHODS_MAX) {
        (void)snprintf(r->methods[r->count++], METHOD_SIZE, "%s", method); /* none of ours is as long */
    }
}

/* Every method that some name still waits for, each once. */
static void collect(const json_t *e, struct round *ret_round)
{
    size_t i;
    size_t k;
    json_t *name;
    json_t *b;
    ret_round->count = 0;
    json_array_foreach(json_object_get(e, "names"), i, name)
    {
        json_array_foreach(json_object_get(name, "challenges"), k, b)
        {
            if (strcmp(cmd_text(name, "status"), "pending") == 0) {
                add_round(ret_round, cmd_text(b, "method"));
            }
        }
    }
}

static lt_res post_check(struct cmd *c, const char *method)
{
    static const char *const options[] = {"name"};
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    char path[ENROLL_PATH_SIZE];
    LT_ASSERT(payload != NULL && json_object_set_new(payload, "method", json_string(method)) == 0);
    for (size_t i = 0; i < LT_COUNT(options); i++) {
        const char *word = cmd_value(c, options[i]);
        LT_CHECK(word == NULL || json_object_set_new(payload, options[i], json_string(word)) == 0,
                 LT_PEER_USAGE, "--%s is no UTF-8", options[i]);
    }
    LT_TRY(cmd_enroll_path(c->args.words[0], "/check", path));
    return cmd_api_post(c, path, payload, &answer);
}

/* One method after the other: a name that the first proved is not asked for by the second. */
static lt_res check_in_turn(struct cmd *c, const struct round *r, json_t **e)
{
    bool wait = !cmd_flag(c, "no-wait");
    size_t asked = 0;
    for (size_t i = 0; i < r->count; i++) {
        lt_res posted = post_check(c, r->methods[i]);
        bool none_left = posted.code == LT_PEER_CONFLICT && (asked > 0 || i + 1 < r->count);
        if (!none_left) {
            LT_TRY(posted);
            asked++;
        }
        json_decref(*e);
        *e = NULL;
        LT_TRY(cmd_enroll_wait(c, c->args.words[0], wait ? WAIT_CHECK_S : 0, e));
        if (strcmp(cmd_text(*e, "status"), "pending") != 0) {
            return LT_OK;
        }
    }
    return LT_OK;
}

static lt_res run_check(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *e = NULL;
    struct round r = {.count = 0};
    LT_TRY(cmd_enroll_get(c, c->args.words[0], &e));
    if (cmd_value(c, "method") != NULL) {
        add_round(&r, cmd_value(c, "method"));
    } else {
        collect(e, &r);
    }
    if (r.count == 0) {
        add_round(&r, ""); /* the family says why there is nothing to check */
    }
    LT_TRY(check_in_turn(c, &r, &e));
    LT_TRY(cmd_enroll_say(c, e));
    c->findings += strcmp(cmd_text(e, "status"), "pending") == 0 && !cmd_flag(c, "no-wait");
    judge(c, e);
    return LT_OK;
}

/* ---- issue, cancel ---- */

static lt_res run_issue(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    char path[ENROLL_PATH_SIZE];
    LT_ASSERT(payload != NULL);
    LT_TRY(cmd_enroll_path(c->args.words[0], "/issue", path));
    LT_TRY(cmd_api_post(c, path, payload, &answer));
    return say_result(c, answer, WAIT_ISSUE_S);
}

static lt_res run_cancel(struct cmd *c)
{
    LT_CLEANUP(cmd_json_freep) json_t *payload = json_object();
    LT_CLEANUP(cmd_json_freep) json_t *answer = NULL;
    LT_CLEANUP(cmd_json_freep) json_t *e = NULL;
    char path[ENROLL_PATH_SIZE];
    const char *reason = cmd_value_or(c, "reason", "");
    LT_ASSERT(payload != NULL);
    LT_TRY(cmd_enroll_get(c, c->args.words[0], &e));
    if (!cmd_flag(c, "yes")) {
        return cmd_would(c,
                         "would cancel the enrolment %s of %s, which is %s: its random values are good for "
                         "nothing any more; add --yes to do it",
                         c->args.words[0], cmd_text(e, "subscriber"), cmd_text(e, "status"));
    }
    LT_CHECK(json_object_set_new(payload, "reason", json_string(reason)) == 0, LT_PEER_USAGE,
             "--reason is no UTF-8");
    LT_TRY(cmd_enroll_path(c->args.words[0], "/cancel", path));
    LT_TRY(cmd_api_post(c, path, payload, &answer));
    return say_result(c, answer, 0);
}

static const struct cmd_option request_options[] = {
    {"subscriber", "NAME", "for whom; the same name is the same account", false, NULL},
    {"profile", "NAME", "the certificate's profile (default: that of lintel.yaml)", false, NULL},
    {"method", "[NAME=]METHOD",
     "how that name is proven, or all; again for more (default: what the "
     "subscriber chooses: dns-change, website-change)",
     true, NULL},
    {"contact", "MAIL", "whom to ask about it", false, NULL},
    {"hold", NULL, "issue when somebody says so (enroll issue), not as soon as all is proven", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option check_options[] = {
    {"name", "NAME", "this name alone", false, NULL},
    {"method", "METHOD", "by this method alone", false,
     "dns-change website-change email-constructed email-caa-contact email-txt-contact"},
    {"no-wait", NULL, "do not wait for what the validator sees", false, NULL},
    CMD_OPERATOR_OPTIONS,
};
static const struct cmd_option issue_options[] = {CMD_OPERATOR_OPTIONS};
static const struct cmd_option cancel_options[] = {
    {"reason", "TEXT", "kept with the order", false, NULL},
    CMD_YES_OPTION,
    CMD_OPERATOR_OPTIONS,
};

const struct cmd_verb cmd_enroll_request = {
    .name = "enroll request",
    .words = "CSR",
    .words_least = 1,
    .words_most = 1,
    .summary = "ask for a certificate for a subscriber without automation",
    .help =
        "Makes an order from a certificate request (PEM or DER, - for standard input) and says what is to\n"
        "be put where, so that its names are proven. A random value is good for 30 days. Names that the\n"
        "subscriber has proven not long ago are not asked for again.\n"
        "\n"
        "examples:\n"
        "  lintel enroll request www.csr --subscriber \"Example Ltd\" --contact it@example.com\n"
        "  lintel enroll request - --subscriber 4711 --method dns-change --hold < www.csr\n"
        "  lintel enroll request www.csr --subscriber 4711 --method example.com=website-change\n",
    .options = request_options,
    .option_count = LT_COUNT(request_options),
    .run = run_request,
};
const struct cmd_verb cmd_enroll_check = {
    .name = "enroll check",
    .words = "ID",
    .words_least = 1,
    .words_most = 1,
    .summary = "look whether the random values are where they should be",
    .help = "What is not there yet may be put there and checked again. When every name is proven the\n"
            "certificate is made. Ends with status 6 while names are missing.\n"
            "\n"
            "examples:\n"
            "  lintel enroll check 473828173648173648\n"
            "  lintel enroll check 473828173648173648 --name www.example.com --method website-change\n",
    .options = check_options,
    .option_count = LT_COUNT(check_options),
    .run = run_check,
};
const struct cmd_verb cmd_enroll_issue = {
    .name = "enroll issue",
    .words = "ID",
    .words_least = 1,
    .words_most = 1,
    .summary = "issue the certificate of an enrolment whose names are proven",
    .help = "examples:\n  lintel enroll issue 473828173648173648\n",
    .options = issue_options,
    .option_count = LT_COUNT(issue_options),
    .run = run_issue,
};
const struct cmd_verb cmd_enroll_cancel = {
    .name = "enroll cancel",
    .words = "ID",
    .words_least = 1,
    .words_most = 1,
    .summary = "give an enrolment up",
    .help = "Names that are proven stay proven for the subscriber.\n"
            "\n"
            "examples:\n  lintel enroll cancel 473828173648173648 --reason \"asked for twice\" --yes\n",
    .options = cancel_options,
    .option_count = LT_COUNT(cancel_options),
    .run = run_cancel,
};
