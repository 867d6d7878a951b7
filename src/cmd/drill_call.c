/* Steps are verbs: this program once more, as a person would type it, with its answer as JSON. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "cmd/drill.h"

enum { OUTPUT_MAX = 64 * 1024 * 1024 };

void drill_answer_done(struct drill_answer *a)
{
    json_decref(a->json);
    a->json = NULL;
}

static lt_res input_of(const char *text, int *ret_fd)
{
    if (text == NULL) {
        *ret_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        LT_CHECK(*ret_fd >= 0, LT_STATE_IO, "/dev/null: %s", strerror(errno));
        return LT_OK;
    }
    *ret_fd = memfd_create("lintel-drill-input", MFD_CLOEXEC);
    LT_CHECK(*ret_fd >= 0, LT_STATE_IO, "memfd: %s", strerror(errno));
    LT_TRY(lt_write_all(*ret_fd, lt_slice_cstr(text)));
    LT_CHECK(lseek(*ret_fd, 0, SEEK_SET) == 0, LT_STATE_IO, "memfd: %s", strerror(errno));
    return LT_OK;
}

static lt_res spawn(char *const *argv, const int fds[3], pid_t *ret_pid)
{
    extern char **environ;
    posix_spawn_file_actions_t actions;
    LT_ASSERT(posix_spawn_file_actions_init(&actions) == 0);
    for (int i = 0; i < 3; i++) {
        LT_ASSERT(posix_spawn_file_actions_adddup2(&actions, fds[i], i) == 0);
    }
    int failed = posix_spawn(ret_pid, argv[0], &actions, NULL, argv, environ);
    (void)posix_spawn_file_actions_destroy(&actions); /* cannot fail */
    LT_CHECK(failed == 0, LT_STATE_IO, "lintel cannot be started: %s", strerror(failed));
    return LT_OK;
}

/* What was written, as text; cut at size. */
static void read_back(int fd, char *ret_text, size_t size)
{
    ssize_t n = pread(fd, ret_text, size - 1, 0);
    ret_text[n > 0 ? n : 0] = 0;
    for (char *c = ret_text; *c != 0; c++) {
        *c = *c == '\n' ? ' ' : *c;
    }
}

static lt_res read_json(int fd, json_t **ret_json)
{
    off_t len = lseek(fd, 0, SEEK_END);
    *ret_json = NULL;
    LT_CHECK(len >= 0 && len <= OUTPUT_MAX, LT_PEER_TOO_LARGE, "an answer of %lld bytes", (long long)len);
    if (len == 0) {
        return LT_OK;
    }
    void *p = mmap(NULL, (size_t)len, PROT_READ, MAP_PRIVATE, fd, 0);
    LT_CHECK(p != MAP_FAILED, LT_STATE_IO, "memfd: %s", strerror(errno));
    *ret_json = json_loadb(p, (size_t)len, JSON_DISABLE_EOF_CHECK, NULL);
    (void)munmap(p, (size_t)len);
    return LT_OK;
}

static lt_res run(char *const *argv, const char *input, struct drill_answer *ret)
{
    int status = 0;
    pid_t pid = 0;
    LT_CLEANUP(lt_fd_closep) int in = -1;
    LT_CLEANUP(lt_fd_closep) int out = memfd_create("lintel-drill-output", MFD_CLOEXEC);
    LT_CLEANUP(lt_fd_closep) int err = memfd_create("lintel-drill-error", MFD_CLOEXEC);
    LT_CHECK(out >= 0 && err >= 0, LT_STATE_IO, "memfd: %s", strerror(errno));
    LT_TRY(input_of(input, &in));
    const int fds[3] = {in, out, err};
    int64_t begun_ms = lt_monotonic_ms();
    LT_TRY(spawn(argv, fds, &pid));
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    ret->took_ms = lt_monotonic_ms() - begun_ms;
    ret->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    read_back(err, ret->words, sizeof ret->words);
    return read_json(out, &ret->json);
}

lt_res drill_call(struct drill *d, char *const *words, const char *input, struct drill_answer *ret_answer)
{
    static char self[] = "/proc/self/exe";
    static char json[] = "--json";
    char *argv[DRILL_WORDS_MAX + 4] = {self};
    size_t n = 1;
    *ret_answer = (struct drill_answer){.status = -1};
    for (size_t i = 0; words[i] != NULL; i++) {
        LT_CHECK(n <= DRILL_WORDS_MAX, LT_PEER_TOO_LARGE, "a step has too many words");
        argv[n++] = words[i];
    }
    argv[n++] = json;
    argv[n] = NULL;
    LT_ASSERT(setenv("LINTEL_DIR", d->folder, 1) == 0);
    return run(argv, input, ret_answer);
}
