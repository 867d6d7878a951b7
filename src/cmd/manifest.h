#ifndef CMD_MANIFEST_H
#define CMD_MANIFEST_H
/* What a backup holds: the file MANIFEST in it, text. Written last, so a folder without one is no backup.
 * Pure: no file is touched here.
 *
 *   lintel-backup-v1
 *   made=2026-11-22T10:00:00Z
 *   build=…
 *   store=sqlite                       or postgresql: the book is a file of SQLite in either case
 *   schema=12
 *   acknowledged=4711                  how far the book knows the signer's journal
 *   journal-last=4712
 *   journal-head=HEX                   hash over the journal up to there
 *   keys=no
 *   file=SHA256 BYTES PATH             any number of them, sorted by path
 *   end=SHA256                         over every byte before this line
 *
 * Refuses: lines in another order, paths that leave the folder, a path twice, anything behind the end. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"

enum {
    MANIFEST_HASH_LEN = 32,
    MANIFEST_FILES_MAX = 200000,
    MANIFEST_PATH_MAX = 255,
    MANIFEST_TEXT_MAX = 64 * 1024 * 1024,
};

struct manifest_file {
    const char *path;
    uint64_t bytes;
    uint8_t sha256[MANIFEST_HASH_LEN];
};

struct manifest {
    lt_time made;
    const char *build;
    bool postgresql;
    int64_t schema;
    int64_t acknowledged;
    uint64_t journal_last;
    uint8_t journal_head[MANIFEST_HASH_LEN];
    bool keys;
    struct manifest_file *files; /* of the arena */
    size_t file_count;
};

/* Sorts the files. */
LT_MUST_USE lt_res manifest_write(struct manifest *m, struct lt_buf *out);
/* Strings live in the arena. */
LT_MUST_USE lt_res manifest_read(lt_slice text, struct lt_arena *a, struct manifest *ret_manifest);
/* Below the folder, by names that no shell and no terminal stumbles over. */
bool manifest_path_good(const char *path);
/* NULL: there is no such file in it. */
const struct manifest_file *manifest_find(const struct manifest *m, const char *path);

#endif
