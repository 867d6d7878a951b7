/* Files of a backup: which there are, on their way, and read again. */
#include "cmd/backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "ca/host.h"
#include "crypto/digest.h"
#include "store/segment.h"

enum { CHUNK = 1024 * 1024, TELL_MS = 200, FOLDERS_MAX = 256, FOLDER_MODE = 0700, OPEN_FOLDER_MODE = 0755 };

/* ---- progress ---- */

void backup_size(uint64_t bytes, char ret_text[BACKUP_SIZE_TEXT])
{
    static const char *const units[] = {"bytes", "KB", "MB", "GB", "TB"};
    double n = (double)bytes;
    size_t unit = 0;
    while (n >= 1000 && unit + 1 < LT_COUNT(units)) {
        n /= 1000;
        unit++;
    }
    (void)snprintf(ret_text, BACKUP_SIZE_TEXT, unit == 0 ? "%.0f %s" : "%.1f %s", n, units[unit]);
}

void backup_progress_init(struct backup_progress *p, uint64_t total)
{
    *p = (struct backup_progress){.total = total, .began_ms = lt_monotonic_ms()};
}

void backup_progress_add(struct backup_progress *p, const char *what, uint64_t bytes)
{
    int64_t now = lt_monotonic_ms();
    p->done += bytes;
    if (isatty(STDERR_FILENO) != 1 || now - p->said_ms < TELL_MS) {
        return;
    }
    char done[BACKUP_SIZE_TEXT];
    char total[BACKUP_SIZE_TEXT];
    char pace[BACKUP_SIZE_TEXT];
    double rate = (double)p->done * 1000 / (double)(now - p->began_ms + 1);
    uint64_t left = p->total > p->done ? p->total - p->done : 0;
    p->said_ms = now;
    backup_size(p->done, done);
    backup_size(p->total, total);
    backup_size((uint64_t)rate, pace);
    /* for looks alone */
    (void)fprintf(stderr, "\r\033[K%s: %s of %s, %s/s, %.0f s left", what, done, total, pace,
                  rate > 0 ? (double)left / rate : 0);
    (void)fflush(stderr);
}

void backup_progress_done(struct backup_progress *p)
{
    if (p->said_ms > 0) {
        (void)fputs("\r\033[K", stderr); /* for looks alone */
    }
}

/* ---- which there are ---- */

/* Beside book, evidence and journal. What is made again by itself is not here: TLS keys of the gateways,
 * renewal information, answers of OCSP, run/. Passphrases are kept apart from keys, or they protect nothing.
 */
static const struct {
    const char *path;
    bool folder;
    const char *suffix; /* of names in it; "": any */
    bool keys;
} parts[] = {
    {"lintel.yaml", false, "", false}, {"testing", false, "", false},
    {"profiles", true, "", false},     {"operators", true, ".json", false},
    {"perspectives", true, "", false}, {"policy", true, "", false},
    {"ca", true, "", false},           {"examiner", true, "", false},
    {"public/ca", true, "", false},    {"public/crl", true, "", false},
    {"keys", true, "", true},          {"secrets/seal.key", false, "", true},
    {"courier", true, "", true},
};

lt_res backup_files_init(struct backup_files *f)
{
    f->count = 0;
    f->list = LT_NEW_ARRAY(f->arena, struct manifest_file, MANIFEST_FILES_MAX);
    LT_CHECK(f->list != NULL, LT_PEER_TOO_LARGE, "no room for a list of files");
    return LT_OK;
}

static bool ends_with(const char *name, const char *suffix)
{
    return lt_slice_ends(lt_slice_cstr(name), lt_slice_cstr(suffix));
}

/* Half written by somebody who writes beside the file and renames. */
static bool temporary(const char *name)
{
    return name[0] == '.' || ends_with(name, ".new") || ends_with(name, ".next");
}

static lt_res add(struct backup_files *f, const char *path, uint64_t bytes)
{
    LT_CHECK(manifest_path_good(path), LT_PEER_UNSUPPORTED,
             "%.120s: a backup takes letters, digits and ._-+@ in names; rename the file", path);
    LT_CHECK(f->count < MANIFEST_FILES_MAX, LT_PEER_TOO_LARGE, "there are over %d files", MANIFEST_FILES_MAX);
    struct manifest_file *file = &f->list[f->count++];
    *file = (struct manifest_file){.path = lt_arena_cstr(f->arena, lt_slice_cstr(path)), .bytes = bytes};
    LT_CHECK(file->path != NULL, LT_PEER_TOO_LARGE, "there are too many files");
    return LT_OK;
}

lt_res backup_list_one(struct backup_files *f, const char *path)
{
    struct stat st;
    if (fstatat(f->from, path, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        LT_CHECK(errno == ENOENT || errno == ENOTDIR, LT_STATE_IO, "%.150s: %s", path, strerror(errno));
        return LT_OK;
    }
    return S_ISREG(st.st_mode) ? add(f, path, (uint64_t)st.st_size) : LT_OK;
}

/* Folders that are still to be looked into; of the arena. */
struct folders {
    const char *paths[FOLDERS_MAX];
    size_t count;
};

static lt_res take_entry(struct backup_files *f, const char *path, struct folders *more)
{
    struct stat st;
    bool there = fstatat(f->from, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
    if (there && S_ISREG(st.st_mode)) {
        return add(f, path, (uint64_t)st.st_size);
    }
    if (there && S_ISDIR(st.st_mode)) {
        LT_CHECK(more->count < FOLDERS_MAX, LT_PEER_TOO_LARGE, "%.120s: too many folders", path);
        more->paths[more->count++] = path;
    }
    return LT_OK;
}

static lt_res list_folder(struct backup_files *f, const char *path, const char *suffix, struct folders *more)
{
    int fd = openat(f->from, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    LT_CHECK(fd >= 0 || errno == ENOENT, LT_STATE_IO, "%.150s: %s", path, strerror(errno));
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *e;
    lt_res r = LT_OK;
    if (dir == NULL) {
        return LT_OK;
    }
    while (!lt_failed(r) && (e = readdir(dir)) != NULL) {
        char *below = temporary(e->d_name) || !ends_with(e->d_name, suffix)
                          ? NULL
                          : lt_arena_printf(f->arena, "%s/%s", path, e->d_name);
        r = below == NULL ? LT_OK : take_entry(f, below, more);
    }
    (void)closedir(dir); /* was only read */
    return r;
}

lt_res backup_list_below(struct backup_files *f, const char *folder, const char *suffix)
{
    struct folders todo = {.paths = {folder}, .count = 1};
    for (size_t n = 0; n < todo.count; n++) {
        LT_TRY(list_folder(f, todo.paths[n], suffix, &todo));
    }
    return LT_OK;
}

lt_res backup_list(struct backup_files *f, bool keys)
{
    for (size_t i = 0; i < LT_COUNT(parts); i++) {
        if (!parts[i].keys || keys) {
            LT_TRY(parts[i].folder ? backup_list_below(f, parts[i].path, parts[i].suffix)
                                   : backup_list_one(f, parts[i].path));
        }
    }
    return LT_OK;
}

lt_res backup_list_evidence(struct backup_files *f)
{
    return backup_list_below(f, "evidence", ".seg");
}

/* ---- on their way ---- */

/* For everybody to enter where everybody may read the file. */
static lt_res make_folders(int dir, const char *path, unsigned file_mode)
{
    mode_t mode = (file_mode & 04) != 0 ? OPEN_FOLDER_MODE : FOLDER_MODE;
    char below[MANIFEST_PATH_MAX + 1];
    for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        (void)snprintf(below, sizeof below, "%.*s", (int)(slash - path), path);
        bool made = mkdirat(dir, below, mode) == 0;
        LT_CHECK(made || errno == EEXIST, LT_STATE_IO, "%.150s: %s", below, strerror(errno));
        LT_CHECK(!made || fchmodat(dir, below, mode, 0) == 0, LT_STATE_IO, "%.150s: %s", below,
                 strerror(errno));
    }
    return LT_OK;
}

static lt_res read_some(int fd, const char *path, uint8_t *chunk, size_t most, size_t *ret_len)
{
    ssize_t n = -1;
    do {
        n = read(fd, chunk, most);
    } while (n < 0 && errno == EINTR);
    LT_CHECK(n >= 0, LT_STATE_IO, "%.150s: %s", path, strerror(errno));
    *ret_len = (size_t)n;
    return LT_OK;
}

/* Bytes of `from`, up to a length, through the hash and to `to` where there is one. */
struct pipe {
    int from;
    int to; /* -1: only read */
    const char *path;
    uint64_t most;
    struct backup_progress *progress;
};

static lt_res pour(const struct pipe *p, uint8_t *chunk, struct crypto_stream *hash, uint64_t *ret_bytes)
{
    size_t len = 0;
    uint64_t done = 0;
    do {
        uint64_t left = p->most - done;
        LT_TRY(read_some(p->from, p->path, chunk, left < CHUNK ? (size_t)left : CHUNK, &len));
        crypto_stream_add(hash, LT_SLICE(chunk, len));
        LT_TRY(p->to < 0 || len == 0 ? LT_OK : lt_write_all(p->to, LT_SLICE(chunk, len)));
        done += len;
        if (p->progress != NULL) {
            backup_progress_add(p->progress, p->path, len);
        }
    } while (len > 0);
    *ret_bytes = done;
    return LT_OK;
}

static lt_res pour_all(const struct pipe *p, uint64_t *ret_bytes, uint8_t ret_hash[MANIFEST_HASH_LEN])
{
    struct crypto_stream hash;
    uint8_t *chunk = malloc(CHUNK);
    LT_ASSERT(chunk != NULL);
    crypto_stream_init(&hash, CRYPTO_SHA256);
    lt_res r = pour(p, chunk, &hash, ret_bytes);
    crypto_stream_finish(&hash, ret_hash);
    crypto_stream_done(&hash);
    free(chunk);
    return r;
}

lt_res backup_hash(int dir, const char *path, struct backup_progress *p, uint64_t *ret_bytes,
                   uint8_t ret_hash[MANIFEST_HASH_LEN])
{
    LT_CLEANUP(lt_fd_closep) int fd = openat(dir, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    LT_CHECK(fd >= 0 || errno != ENOENT, LT_PEER_NOT_FOUND, "%.150s is missing", path);
    LT_CHECK(fd >= 0, LT_STATE_IO, "%.150s: %s", path, strerror(errno));
    const struct pipe all = {.from = fd, .to = -1, .path = path, .most = UINT64_MAX, .progress = p};
    return pour_all(&all, ret_bytes, ret_hash);
}

/* As long as it was when it was listed: what grows goes on growing. */
static lt_res hash_source(int fd, const struct manifest_file *file, uint8_t ret_hash[MANIFEST_HASH_LEN])
{
    uint64_t bytes = 0;
    const struct pipe begin = {.from = fd, .to = -1, .path = file->path, .most = file->bytes};
    LT_TRY(pour_all(&begin, &bytes, ret_hash));
    LT_CHECK(lseek(fd, 0, SEEK_SET) == 0, LT_STATE_IO, "%.150s: %s", file->path, strerror(errno));
    return LT_OK;
}

/* From an attempt before this one. */
static lt_res there_already(const struct backup_files *f, int from, const char *to,
                            struct manifest_file *file, bool *ret_same)
{
    struct stat st;
    uint8_t source[MANIFEST_HASH_LEN];
    uint8_t target[MANIFEST_HASH_LEN];
    uint64_t bytes = 0;
    *ret_same = false;
    if (fstatat(f->to, to, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode) ||
        (uint64_t)st.st_size != file->bytes) {
        return LT_OK;
    }
    LT_TRY(hash_source(from, file, source));
    LT_TRY(backup_hash(f->to, to, NULL, &bytes, target));
    *ret_same = bytes == file->bytes && memcmp(source, target, sizeof source) == 0;
    if (*ret_same) {
        memcpy(file->sha256, source, sizeof source);
        backup_progress_add(f->progress, file->path, bytes);
    }
    return LT_OK;
}

lt_res backup_copy(struct backup_files *f, struct manifest_file *file, unsigned mode)
{
    bool same = false;
    char path[MANIFEST_PATH_MAX + 32];
    (void)snprintf(path, sizeof path, "%s%s", file->path, f->ending == NULL ? "" : f->ending);
    LT_CLEANUP(lt_fd_closep) int from = openat(f->from, file->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (from < 0 && errno == ENOENT) {
        file->path = "";
        return LT_OK;
    }
    LT_CHECK(from >= 0, LT_STATE_IO, "%.150s: %s", file->path, strerror(errno));
    LT_TRY(there_already(f, from, path, file, &same));
    if (same) {
        return LT_OK;
    }
    LT_TRY(make_folders(f->to, file->path, mode));
    LT_CLEANUP(lt_fd_closep)
    int to = openat(f->to, path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, (mode_t)mode);
    LT_CHECK(to >= 0, LT_STATE_IO, "%.150s: %s", file->path, strerror(errno));
    const struct pipe p = {from, to, file->path, file->bytes, f->progress};
    LT_TRY(pour_all(&p, &file->bytes, file->sha256));
    LT_CHECK(fchmod(to, (mode_t)mode) == 0 && fsync(to) == 0, LT_STATE_IO, "%.150s: sync: %s", file->path,
             strerror(errno));
    return LT_OK;
}

lt_res backup_same_start(int a, int b, const char *path, uint64_t bytes, bool *ret_same)
{
    uint8_t hashes[2][MANIFEST_HASH_LEN];
    const int dirs[2] = {a, b};
    const struct manifest_file file = {.path = path, .bytes = bytes};
    for (size_t i = 0; i < LT_COUNT(dirs); i++) {
        LT_CLEANUP(lt_fd_closep) int fd = openat(dirs[i], path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        LT_CHECK(fd >= 0, LT_STATE_IO, "%.150s: %s", path, strerror(errno));
        LT_TRY(hash_source(fd, &file, hashes[i]));
    }
    *ret_same = memcmp(hashes[0], hashes[1], sizeof hashes[0]) == 0;
    return LT_OK;
}

/* ---- read again ---- */

lt_res backup_verify_file(int dir, const struct manifest_file *file, struct backup_progress *p)
{
    uint64_t bytes = 0;
    uint8_t hash[MANIFEST_HASH_LEN];
    LT_TRY(backup_hash(dir, file->path, p, &bytes, hash));
    LT_CHECK(bytes == file->bytes, LT_STATE_CORRUPT, "%.120s has %llu bytes, the manifest says %llu",
             file->path, (unsigned long long)bytes, (unsigned long long)file->bytes);
    LT_CHECK(memcmp(hash, file->sha256, sizeof hash) == 0, LT_STATE_CORRUPT,
             "%.120s: its bytes are not those of the manifest", file->path);
    return LT_OK;
}

lt_res backup_verify(int dir, const struct manifest *m)
{
    struct backup_progress p;
    uint64_t total = 0;
    lt_res r = LT_OK;
    for (size_t i = 0; i < m->file_count; i++) {
        total += m->files[i].bytes;
    }
    backup_progress_init(&p, total);
    for (size_t i = 0; i < m->file_count && !lt_failed(r); i++) {
        r = backup_verify_file(dir, &m->files[i], &p);
    }
    backup_progress_done(&p);
    return r;
}

/* A FIFO would be waited for, and a link leads out of the backup. What is missing is found by its hash. */
static lt_res is_plain(int dir, const char *path)
{
    struct stat st;
    char part[MANIFEST_PATH_MAX + 1];
    for (const char *end = strchr(path, '/'); end != NULL; end = strchr(end + 1, '/')) {
        (void)snprintf(part, sizeof part, "%.*s", (int)(end - path), path);
        LT_CHECK(fstatat(dir, part, &st, AT_SYMLINK_NOFOLLOW) != 0 || S_ISDIR(st.st_mode), LT_STATE_CORRUPT,
                 "%.150s of the backup is no folder", part);
    }
    LT_CHECK(fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) != 0 || S_ISREG(st.st_mode), LT_STATE_CORRUPT,
             "%.150s of the backup is no regular file", path);
    return LT_OK;
}

static lt_res are_plain(int dir, const struct manifest *m)
{
    for (size_t i = 0; i < m->file_count; i++) {
        LT_TRY(is_plain(dir, m->files[i].path));
    }
    return LT_OK;
}

lt_res backup_open(struct cmd *c, const char *path, int *ret_dir, struct manifest *ret_manifest)
{
    lt_slice text;
    LT_CLEANUP(lt_fd_closep) int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(dir >= 0, LT_PEER_USAGE, "%.150s: %s", path, strerror(errno));
    lt_res r = lt_file_read(&c->arena, dir, BACKUP_MANIFEST, MANIFEST_TEXT_MAX, &text);
    bool begun = faccessat(dir, BACKUP_UNFINISHED, F_OK, 0) == 0;
    LT_CHECK(r.code != LT_PEER_NOT_FOUND, LT_PEER_USAGE,
             begun ? "%.100s: this backup was never finished; run the same lintel backup again"
                   : "%.100s: no " BACKUP_MANIFEST " in it: this is no backup",
             path);
    LT_TRY(r);
    LT_TRY(manifest_read(text, &c->arena, ret_manifest));
    LT_TRY(are_plain(dir, ret_manifest));
    *ret_dir = LT_TAKE(dir, -1);
    return LT_OK;
}

lt_res backup_walk_journal(int dir, struct journal_summary *ret_summary)
{
    *ret_summary = (struct journal_summary){.first = 0};
    LT_CLEANUP(lt_fd_closep) int fd = openat(dir, BACKUP_JOURNAL, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        return LT_OK; /* nothing was ever signed */
    }
    LT_CHECK(fd >= 0, LT_STATE_IO, BACKUP_JOURNAL ": %s", strerror(errno));
    struct stat st;
    LT_CHECK(fstat(fd, &st) == 0, LT_STATE_IO, BACKUP_JOURNAL ": %s", strerror(errno));
    return st.st_size == 0 ? LT_OK : journal_walk(&journal_io_posix, fd, NULL, NULL, ret_summary);
}

lt_res backup_acknowledged(struct store *s, const char *host, int64_t *ret_sequence)
{
    static const struct store_sql sql = {"backup.acknowledged",
                                         "SELECT acknowledged FROM journal WHERE signer = ?1"};
    struct ca_host found;
    struct store_rows rows;
    LT_TRY(ca_host_find(s, host, &found));
    LT_TRY(store_query(s, &sql, STORE_ARGS(STORE_S(found.signer)), &rows));
    *ret_sequence = store_next(&rows) ? store_int(&rows, 0) : 0;
    return store_rows_end(&rows);
}
