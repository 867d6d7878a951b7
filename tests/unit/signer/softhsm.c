/* Tokens for tests, made by SoftHSM's own tool. */
#include "check.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "softhsm.h"

extern char **environ;

void run_program(const char *const *arguments)
{
    posix_spawn_file_actions_t quiet;
    assert_int_equal(posix_spawn_file_actions_init(&quiet), 0);
    assert_int_equal(posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0), 0);
    pid_t pid;
    int rc = posix_spawnp(&pid, arguments[0], &quiet, NULL, (char *const *)(uintptr_t)arguments, environ);
    assert_int_equal(rc, 0);
    posix_spawn_file_actions_destroy(&quiet);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

void softhsm_add_token(const char *label)
{
    const char *const arguments[] = {"softhsm2-util", "--init-token", "--free", "--label",   label,
                                     "--so-pin",      "5678",         "--pin",  SOFTHSM_PIN, NULL};
    run_program(arguments);
}

static void fill(struct softhsm *s, const char *label)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/tokens", s->folder);
    assert_int_equal(mkdir(path, 0700), 0);
    (void)snprintf(path, sizeof path, "%s/softhsm2.conf", s->folder);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fprintf(f,
                        "directories.tokendir = %s/tokens\nobjectstore.backend = file\nlog.level = ERROR\n",
                        s->folder) > 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(setenv("SOFTHSM2_CONF", path, 1), 0);
    softhsm_add_token(label);
}

void softhsm_new(struct softhsm *s, const char *label)
{
    (void)snprintf(s->folder, sizeof s->folder, "/tmp/lintel-softhsm-XXXXXX");
    assert_non_null(mkdtemp(s->folder));
    fill(s, label);
}

void softhsm_in(struct softhsm *s, const char *parent, const char *label)
{
    (void)snprintf(s->folder, sizeof s->folder, "%.40s/softhsm", parent);
    assert_int_equal(mkdir(s->folder, 0700), 0);
    fill(s, label);
}

void softhsm_done(const struct softhsm *s)
{
    const char *const arguments[] = {"rm", "-rf", s->folder, NULL};
    run_program(arguments);
}
