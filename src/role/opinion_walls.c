/* Which files the foreign linter may reach. It may start itself and its interpreter, nothing else. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "role/opinion.h"
#include "role/profiles.h"

enum { PATHS_MAX = 64, HEAD_MAX = 512 };

/* Those that are there load programs that are linked dynamically. */
static const char *const loaders[] = {
    "/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1", "/lib/ld-linux-riscv64-lp64d.so.1",
    "/lib/ld-musl-x86_64.so.1",    "/lib64/ld64.so.2",
};
/* Where `env` finds what a first line names. */
static const char *const folders[] = {"/usr/local/bin", "/usr/bin", "/bin"};

struct walls {
    struct sandbox_path *list;
    size_t count;
    struct lt_arena *a;
};

static lt_res add(struct walls *w, const char *path)
{
    LT_CHECK(path != NULL, LT_PEER_TOO_LARGE, "second-opinion: over the memory limit");
    LT_CHECK(w->count < PATHS_MAX, LT_PEER_USAGE, "second-opinion: over %d paths", PATHS_MAX);
    w->list[w->count++] = (struct sandbox_path){.path = path, .exec = true};
    return LT_OK;
}

static lt_res read_head(const char *path, char ret_head[HEAD_MAX], lt_slice *ret_line)
{
    LT_CLEANUP(lt_fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    LT_CHECK(fd >= 0, LT_PEER_USAGE, "second-opinion: %.200s: %s", path, strerror(errno));
    ssize_t n = pread(fd, ret_head, HEAD_MAX, 0);
    LT_CHECK(n >= 0, LT_PEER_USAGE, "second-opinion: %.200s: %s", path, strerror(errno));
    lt_slice text = LT_SLICE(ret_head, (size_t)n);
    *ret_line = lt_slice_sub(text, 0, lt_slice_find(text, '\n'));
    return LT_OK;
}

/* "env python3": looked up as env would. */
static lt_res add_found(struct walls *w, lt_slice name)
{
    for (size_t i = 0; i < LT_COUNT(folders); i++) {
        const char *path = lt_arena_printf(w->a, "%s/%.*s", folders[i], LT_FMT(name));
        LT_CHECK(path != NULL, LT_PEER_TOO_LARGE, "second-opinion: over the memory limit");
        if (access(path, X_OK) == 0) {
            return add(w, path);
        }
    }
    LT_FAIL(LT_PEER_USAGE, "second-opinion: there is no %.*s in /usr/local/bin, /usr/bin and /bin",
            LT_FMT(name));
}

/* "#!/usr/bin/python3" names who interprets the file. */
static lt_res add_interpreter(struct walls *w, const char *command)
{
    char head[HEAD_MAX];
    lt_slice line;
    lt_slice word = {0};
    LT_TRY(read_head(command, head, &line));
    if (!lt_slice_starts(line, LT_LIT("#!"))) {
        return LT_OK;
    }
    line = lt_slice_sub(line, 2, line.len);
    while (line.len > 0 && line.ptr[0] == ' ') {
        line = lt_slice_sub(line, 1, line.len);
    }
    LT_CHECK(lt_slice_split(&line, ' ', &word) && word.len > 0, LT_PEER_USAGE,
             "second-opinion: %.200s: no interpreter in its first line", command);
    LT_TRY(add(w, lt_arena_cstr(w->a, word)));
    lt_slice env = LT_LIT("/env");
    bool by_env = word.len > env.len && lt_slice_eq(lt_slice_sub(word, word.len - env.len, env.len), env);
    return by_env && lt_slice_split(&line, ' ', &word) ? add_found(w, word) : LT_OK;
}

lt_res opinion_walls(const struct ca_config_opinion *o, struct lt_arena *a,
                     struct sandbox_profile *ret_profile)
{
    const struct sandbox_profile *base = &role_profiles[IPC_OPINION];
    struct walls w = {.a = a, .list = LT_NEW_ARRAY(a, struct sandbox_path, PATHS_MAX)};
    LT_CHECK(w.list != NULL && base->path_count < PATHS_MAX, LT_PEER_TOO_LARGE,
             "second-opinion: over the memory limit");
    for (; w.count < base->path_count; w.count++) {
        w.list[w.count] = base->paths[w.count];
    }
    LT_CHECK(access(o->command[0], X_OK) == 0, LT_PEER_USAGE, "second-opinion: %.200s: %s", o->command[0],
             strerror(errno));
    LT_TRY(add(&w, lt_arena_cstr(a, lt_slice_cstr(o->command[0]))));
    LT_TRY(add_interpreter(&w, o->command[0]));
    for (size_t i = 0; i < LT_COUNT(loaders); i++) {
        LT_TRY(add(&w, loaders[i]));
    }
    for (uint32_t i = 0; i < o->path_count; i++) {
        LT_TRY(add(&w, lt_arena_cstr(a, lt_slice_cstr(o->paths[i]))));
    }
    *ret_profile = *base;
    ret_profile->paths = w.list;
    ret_profile->path_count = w.count;
    return LT_OK;
}
