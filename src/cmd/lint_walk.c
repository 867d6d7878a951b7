/* A folder and all below it, one name at a time: never more names in memory than a window of each open
 * folder, and sorted within it. Hidden names, links to folders and what is no file are passed over. */
#include "cmd/lint.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { DEPTH_MAX = 64, WINDOW = 8192, WINDOW_BYTES = 4 * 1024 * 1024, PATH_BYTES = 4096 };

struct entry {
    uint32_t offset; /* of its name in names */
    unsigned char type;
};

struct level {
    DIR *dir;             /* owned */
    struct lt_buf names;  /* NUL-terminated, one after the other */
    struct entry *window; /* owned */
    size_t count;
    size_t at;
    size_t path_len; /* of the folder */
};

struct walk {
    const struct cmd_lint_walker *walker;
    struct level levels[DEPTH_MAX];
    size_t depth;
    char path[PATH_BYTES];
};

static int by_name(const void *a, const void *b, void *names)
{
    const char *base = names;
    return strcmp(base + ((const struct entry *)a)->offset, base + ((const struct entry *)b)->offset);
}

/* The next names of a folder; none when it is read. */
static void fill(struct walk *w, struct level *l)
{
    l->count = 0;
    l->at = 0;
    lt_buf_reset(&l->names);
    while (l->count < WINDOW && l->names.len < WINDOW_BYTES / 2) {
        errno = 0;
        const struct dirent *e = readdir(l->dir);
        if (e == NULL) {
            if (errno != 0) {
                w->walker->bad(w->walker->context, w->path, strerror(errno));
            }
            break;
        }
        if (e->d_name[0] == '.') {
            continue;
        }
        l->window[l->count++] = (struct entry){.offset = (uint32_t)l->names.len, .type = e->d_type};
        lt_buf_add(&l->names, LT_SLICE(e->d_name, strlen(e->d_name) + 1));
    }
    if (l->count > 0) {
        qsort_r(l->window, l->count, sizeof(l->window[0]), by_name, l->names.ptr);
    }
}

static void leave(struct walk *w)
{
    struct level *l = &w->levels[--w->depth];
    (void)closedir(l->dir); /* it was read only */
    lt_buf_done(&l->names);
    free(l->window);
    w->path[l->path_len] = 0;
}

static void enter(struct walk *w)
{
    if (w->depth == DEPTH_MAX) {
        w->walker->bad(w->walker->context, w->path, "folders are nested more than 64 deep");
        return;
    }
    DIR *dir = opendir(w->path);
    if (dir == NULL) {
        w->walker->bad(w->walker->context, w->path, strerror(errno));
        return;
    }
    struct level *l = &w->levels[w->depth++];
    *l = (struct level){
        .dir = dir, .window = calloc(WINDOW, sizeof(struct entry)), .path_len = strlen(w->path)};
    LT_ASSERT(l->window != NULL);
    lt_buf_init(&l->names, WINDOW_BYTES);
    fill(w, l);
}

/* Links are followed to files, not to folders: those could lead around. */
static unsigned char type_of(const struct walk *w, unsigned char type)
{
    struct stat st;
    if (type == DT_UNKNOWN && lstat(w->path, &st) == 0) {
        type = S_ISDIR(st.st_mode)   ? DT_DIR
               : S_ISREG(st.st_mode) ? DT_REG
               : S_ISLNK(st.st_mode) ? DT_LNK
                                     : DT_SOCK;
    }
    if (type == DT_LNK) {
        type = stat(w->path, &st) != 0 || S_ISREG(st.st_mode) ? DT_REG : DT_SOCK; /* a broken one is named */
    }
    return type;
}

static lt_res step(struct walk *w)
{
    struct level *l = &w->levels[w->depth - 1];
    if (l->at == l->count) {
        fill(w, l);
        if (l->count == 0) {
            leave(w);
        }
        return LT_OK;
    }
    const struct entry *e = &l->window[l->at++];
    const char *name = (const char *)l->names.ptr + e->offset;
    bool slash = l->path_len > 0 && w->path[l->path_len - 1] == '/';
    int n = snprintf(w->path + l->path_len, sizeof(w->path) - l->path_len, "%s%s", slash ? "" : "/", name);
    lt_res r = LT_OK;
    if (n < 0 || (size_t)n >= sizeof(w->path) - l->path_len) {
        w->walker->bad(w->walker->context, w->path, "the path is too long");
    } else {
        unsigned char type = type_of(w, e->type);
        if (type == DT_DIR) {
            enter(w);
            if (&w->levels[w->depth - 1] != l) {
                return LT_OK; /* its path stays until it is left */
            }
        } else if (type == DT_REG) {
            r = w->walker->file(w->walker->context, w->path);
        }
    }
    w->path[l->path_len] = 0;
    return r;
}

static lt_res walk_all(struct walk *w)
{
    enter(w);
    while (w->depth > 0) {
        lt_res r = step(w);
        if (lt_failed(r)) {
            while (w->depth > 0) {
                leave(w);
            }
            return r;
        }
    }
    return LT_OK;
}

lt_res cmd_lint_walk(const char *folder, const struct cmd_lint_walker *walker)
{
    struct walk *w = calloc(1, sizeof(*w));
    LT_ASSERT(w != NULL);
    w->walker = walker;
    (void)snprintf(w->path, sizeof(w->path), "%s", folder); /* a longer one cannot be opened */
    lt_res r = walk_all(w);
    free(w);
    return r;
}
