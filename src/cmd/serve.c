/* lintel serve: becomes the supervisor, which is a program of its own, so that what parses command lines is
 * gone before any other starts. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ca/config.h"
#include "cmd/verbs.h"

static const struct cmd_option options[] = {
    {"log", "FORMAT", "json or text (default: as lintel.yaml says)", false, "json text"},
    {"libexec", "PATH", "folder of the programs (default: beside this one, or as installed)", false, NULL},
    {"no-sandbox", NULL, "for debuggers and sanitizers only: the walls stay down", false, NULL},
};

lt_res cmd_libexec(const struct cmd *c, char ret_path[PATH_MAX])
{
    const char *given = cmd_value(c, "libexec");
    given = given != NULL ? given : getenv("LINTEL_LIBEXEC");
    if (given != NULL && given[0] != 0) {
        LT_CHECK(realpath(given, ret_path) != NULL, LT_PEER_USAGE, "%.150s: %s", given, strerror(errno));
        return LT_OK;
    }
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    LT_CHECK(n > 0, LT_STATE_IO, "/proc/self/exe: %s", strerror(errno));
    self[n] = 0;
    char *slash = strrchr(self, '/');
    LT_CHECK(slash != NULL, LT_STATE_IO, "/proc/self/exe is no path");
    *slash = 0;
    int len = snprintf(ret_path, PATH_MAX, "%s/libexec", self);
    if (len > 0 && len < PATH_MAX && access(ret_path, X_OK) == 0) {
        return LT_OK;
    }
    memcpy(ret_path, LINTEL_LIBEXEC_DIR, sizeof LINTEL_LIBEXEC_DIR);
    LT_CHECK(access(ret_path, X_OK) == 0, LT_PEER_NOT_FOUND,
             "the programs are neither in %.80s/libexec nor in %s; set LINTEL_LIBEXEC", self,
             LINTEL_LIBEXEC_DIR);
    return LT_OK;
}

static lt_res run(struct cmd *c)
{
    char libexec[PATH_MAX];
    char program[PATH_MAX + 32];
    const char *folder = c->args.word_count > 0 ? c->args.words[0] : NULL;
    if (folder == NULL) {
        LT_TRY(cmd_folder(c, &folder));
    }
    (void)snprintf(program, sizeof(program), "%s/perspective.json", folder);
    LT_CHECK(access(program, F_OK) != 0, LT_PEER_USAGE,
             "%.150s is the folder of a perspective, not of a CA: `lintel perspective serve %.150s`", folder,
             folder);
    struct ca_config *config = NULL;
    bool marked = false;
    LT_TRY(cmd_no_drill(folder));
    LT_TRY(ca_config_load(folder, &config)); /* a mistake in it is said here, in one line */
    lt_res r = cmd_testing_check(folder, config, c->now, &marked);
    ca_config_free(config);
    LT_TRY(r);
    LT_TRY(cmd_libexec(c, libexec));
    (void)snprintf(program, sizeof(program), "%s/lintel-supervisor", libexec);
    char *argv[8] = {program, lt_arena_cstr(&c->arena, lt_slice_cstr(folder))};
    size_t n = 2;
    char word_libexec[] = "--libexec";
    char word_log[] = "--log";
    char word_sandbox[] = "--no-sandbox";
    const char *log = c->json ? "json" : cmd_value(c, "log");
    argv[n++] = word_libexec;
    argv[n++] = libexec;
    if (log != NULL) {
        argv[n++] = word_log;
        argv[n++] = lt_arena_cstr(&c->arena, lt_slice_cstr(log));
    }
    if (cmd_flag(c, "no-sandbox")) {
        argv[n++] = word_sandbox;
    }
    argv[n] = NULL;
    (void)execv(program, argv);
    LT_FAIL(LT_STATE_IO, "%.150s: %s", program, strerror(errno));
}

const struct cmd_verb cmd_serve = {
    .name = "serve",
    .words = "[DIR]",
    .words_least = 0,
    .words_most = 1,
    .summary = "run the certificate authority in the foreground",
    .help =
        "Starts the family of programs and stays; SIGTERM and Ctrl-C finish what was accepted and stop it,\n"
        "SIGHUP takes up a changed lintel.yaml, profiles and operators. Started as root, each program gets\n"
        "a user of its own. Logs go to standard error: text on a terminal, else JSON lines.\n"
        "\n"
        "examples:\n"
        "  lintel serve /srv/ca\n"
        "  LINTEL_DIR=/srv/ca lintel serve --log json\n",
    .options = options,
    .option_count = LT_COUNT(options),
    .run = run,
};
