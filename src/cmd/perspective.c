/* lintel perspective serve, describe, client: a remote network perspective, and what a CA and its
 * perspectives have to know of each other: each a public key. */
#include "cmd/perspective.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "cmd/verbs.h"

enum { PEM_MAX = 4096 };
#define COURIER_FOLDER "courier"
#define COURIER_KEY "courier/key.pem"

lt_res perspective_key_make(int dir, const char *path, struct crypto_key **ret_key)
{
    LT_CLEANUP(perspective_key_freep) struct crypto_key *key = NULL;
    struct lt_buf pem;
    LT_TRY(crypto_key_generate(CRYPTO_KEY_P256, 0, &key));
    lt_buf_init(&pem, PEM_MAX);
    lt_res r = crypto_key_write(key, (lt_slice){NULL, 0}, &pem);
    if (!lt_failed(r)) {
        r = lt_file_replace(dir, path, 0600, lt_buf_slice(&pem));
    }
    explicit_bzero(pem.ptr, pem.size);
    lt_buf_done(&pem);
    LT_TRY(r);
    *ret_key = LT_TAKE(key, NULL);
    return LT_OK;
}

lt_res perspective_key_read(struct cmd *c, int dir, const char *path, struct crypto_key **ret_key)
{
    lt_slice pem;
    LT_TRY(lt_file_read(&c->arena, dir, path, PEM_MAX, &pem));
    lt_res r = crypto_key_load(pem, (lt_slice){NULL, 0}, ret_key);
    explicit_bzero((void *)(uintptr_t)pem.ptr, pem.len); /* our own copy */
    return r;
}

lt_res perspective_settings_read(struct cmd *c, int dir, struct validate_perspective_settings *ret_settings)
{
    lt_slice text;
    LT_TRY(lt_file_read(&c->arena, dir, VALIDATE_PERSPECTIVE_FILE, VALIDATE_PERSPECTIVE_SETTINGS_MAX, &text));
    return validate_perspective_settings_parse(&c->arena, text, ret_settings);
}

static lt_res open_folder(const char *folder, int *ret_dir)
{
    *ret_dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(*ret_dir >= 0, LT_PEER_NOT_FOUND, "%.150s: %s", folder, strerror(errno));
    return LT_OK;
}

static lt_res run_serve(struct cmd *c)
{
    char libexec[PATH_MAX];
    char folder[PATH_MAX];
    char program[PATH_MAX + 32];
    LT_CLEANUP(lt_fd_closep) int dir = -1;
    struct validate_perspective_settings settings;
    LT_CHECK(realpath(c->args.words[0], folder) != NULL, LT_PEER_NOT_FOUND, "%.150s: %s", c->args.words[0],
             strerror(errno));
    LT_TRY(open_folder(folder, &dir));
    LT_TRY(perspective_settings_read(c, dir, &settings)); /* a mistake in it is said here, in one line */
    LT_CHECK(
        settings.client_count > 0, LT_PEER_USAGE,
        "perspective.json: clients: nobody may ask; add what `lintel perspective client` prints in the CA");
    LT_TRY(cmd_libexec(c, libexec));
    (void)snprintf(program, sizeof program, "%s/lintel-perspective", libexec); /* both are bounded */
    char word_libexec[] = "--libexec";
    char word_json[] = "--json";
    char word_sandbox[] = "--no-sandbox";
    char *argv[8] = {program, folder, word_libexec, libexec};
    size_t n = 4;
    const char *log = cmd_value(c, "log");
    if (c->json || (log == NULL ? isatty(STDERR_FILENO) == 0 : strcmp(log, "json") == 0)) {
        argv[n++] = word_json;
    }
    if (cmd_flag(c, "no-sandbox")) {
        argv[n++] = word_sandbox;
    }
    argv[n] = NULL;
    (void)execv(program, argv);
    LT_FAIL(LT_STATE_IO, "%.150s: %s", program, strerror(errno));
}

static lt_res run_describe(struct cmd *c)
{
    LT_CLEANUP(lt_fd_closep) int dir = -1;
    LT_CLEANUP(perspective_key_freep) struct crypto_key *key = NULL;
    struct validate_perspective_settings settings;
    struct lt_buf out;
    LT_TRY(open_folder(c->args.words[0], &dir));
    LT_TRY(perspective_settings_read(c, dir, &settings));
    LT_TRY(perspective_key_read(c, dir, VALIDATE_PERSPECTIVE_KEY, &key));
    settings.self.spki = crypto_key_spki(key);
    lt_buf_init(&out, VALIDATE_PERSPECTIVE_FILE_MAX);
    lt_res r = validate_perspective_print(&settings.self, &out);
    r = lt_failed(r) ? r : cmd_print(lt_buf_slice(&out));
    lt_buf_done(&out);
    return r;
}

static lt_res courier_key(struct cmd *c, int dir, struct crypto_key **ret_key)
{
    if (faccessat(dir, COURIER_KEY, F_OK, 0) == 0) {
        return perspective_key_read(c, dir, COURIER_KEY, ret_key);
    }
    LT_CHECK(mkdirat(dir, COURIER_FOLDER, 0700) == 0 || errno == EEXIST, LT_STATE_IO, COURIER_FOLDER ": %s",
             strerror(errno));
    return perspective_key_make(dir, COURIER_KEY, ret_key);
}

static lt_res run_client(struct cmd *c)
{
    const char *folder = NULL;
    LT_CLEANUP(lt_fd_closep) int dir = -1;
    LT_CLEANUP(perspective_key_freep) struct crypto_key *key = NULL;
    struct lt_buf text;
    LT_TRY(cmd_folder(c, &folder));
    LT_TRY(open_folder(folder, &dir));
    LT_TRY(courier_key(c, dir, &key));
    lt_buf_init(&text, 1024);
    lt_base64_add(&text, crypto_key_spki(key));
    lt_res r = c->json ? cmd_printf("{\"client\":\"%s\"}\n", lt_buf_cstr(&text))
                       : cmd_printf("%s\n", lt_buf_cstr(&text));
    lt_buf_done(&text);
    return r;
}

static const struct cmd_option serve_options[] = {
    {"log", "FORMAT", "json or text (default: text on a terminal)", false, "json text"},
    {"libexec", "PATH", "folder of the programs (default: beside this one, or as installed)", false, NULL},
    {"no-sandbox", NULL, "for debuggers and sanitizers only: the walls stay down", false, NULL},
};

const struct cmd_verb cmd_perspective_serve = {
    .name = "perspective serve",
    .words = "DIR",
    .words_least = 1,
    .words_most = 1,
    .summary = "run a remote network perspective in the foreground",
    .help = "Answers the couriers whose keys are in perspective.json, and nobody else. SIGHUP reads\n"
            "perspective.json, lintel.yaml and the key again; SIGTERM and Ctrl-C stop it.\n"
            "\n"
            "examples:\n"
            "  lintel perspective serve /srv/perspective\n",
    .options = serve_options,
    .option_count = LT_COUNT(serve_options),
    .run = run_serve,
};
const struct cmd_verb cmd_perspective_describe = {
    .name = "perspective describe",
    .words = "DIR",
    .words_least = 1,
    .words_most = 1,
    .summary = "print what belongs into the CA's folder perspectives/",
    .help = "examples:\n  lintel perspective describe /srv/perspective >/srv/ca/perspectives/eu-west.json\n",
    .options = NULL,
    .option_count = 0,
    .run = run_describe,
};
const struct cmd_verb cmd_perspective_client = {
    .name = "perspective client",
    .words = "",
    .summary = "print the public key under which this CA asks its perspectives",
    .help =
        "Makes the key where there is none yet (courier/key.pem). The line belongs to \"clients\" in the\n"
        "perspective.json of each perspective.\n"
        "\n"
        "examples:\n  lintel perspective client --dir /srv/ca\n",
    .options = NULL,
    .option_count = 0,
    .run = run_client,
};
