/* lintel backup: the CA folder into another folder while the family runs. The book first, at one moment; then
 * what only grows (evidence, the signer's journal), which may be newer than the book without harm; then the
 * small files. All of it is read again before the manifest is written. Keys are left out unless they are
 * asked for, passphrases always.
 */
#include "cmd/backup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "base/version.h"
#include "ca/config.h"
#include "cmd/verbs.h"
#include "crypto/digest.h"
#include "store/backup.h"
#include "store/copy.h"

enum { FILE_MODE = 0600, FOLDER_MODE = 0700, JOURNAL_TRIES = 5, SPARE = 64 * 1024 * 1024 };

struct backup {
    struct cmd *c;
    const char *folder;
    const char *target;
    const char *book; /* where it is: a path, or postgresql://… */
    const char *host; /* whose folder it is, of the families on that book */
    int from;         /* owned */
    int to;           /* owned; locked */
    struct manifest m;
    struct backup_files files;
    struct backup_progress progress;
    uint64_t book_bytes;
    uint64_t book_told; /* of them in the progress by now */
};

/* ---- where to ---- */

/* Empty, or begun by us and never finished. */
static lt_res check_target(const struct backup *k)
{
    bool begun = faccessat(k->to, BACKUP_UNFINISHED, F_OK, 0) == 0;
    LT_CHECK(faccessat(k->to, BACKUP_MANIFEST, F_OK, 0) != 0, LT_PEER_CONFLICT,
             "%.120s holds a backup already; give a folder of its own to each", k->target);
    int fd = openat(k->to, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *e;
    bool empty = true;
    LT_CHECK(dir != NULL, LT_STATE_IO, "%.150s: %s", k->target, strerror(errno));
    while (empty && (e = readdir(dir)) != NULL) {
        empty = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
    }
    (void)closedir(dir); /* was only read */
    LT_CHECK(empty || begun, LT_PEER_CONFLICT, "%.150s is not empty", k->target);
    return LT_OK;
}

static lt_res open_target(struct backup *k)
{
    LT_CHECK(mkdir(k->target, FOLDER_MODE) == 0 || errno == EEXIST, LT_PEER_USAGE, "%.150s: %s", k->target,
             strerror(errno));
    k->to = open(k->target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(k->to >= 0, LT_PEER_USAGE, "%.150s: %s", k->target, strerror(errno));
    LT_CHECK(flock(k->to, LOCK_EX | LOCK_NB) == 0, LT_RETRY_BUSY,
             "%.150s: another backup is being written to it", k->target);
    LT_TRY(check_target(k));
    return lt_file_replace(k->to, BACKUP_UNFINISHED, FILE_MODE, LT_LIT("lintel backup is writing here\n"));
}

static lt_res check_room(const struct backup *k, uint64_t needed)
{
    struct statvfs v;
    char want[BACKUP_SIZE_TEXT];
    char have[BACKUP_SIZE_TEXT];
    LT_CHECK(fstatvfs(k->to, &v) == 0, LT_STATE_IO, "%.150s: %s", k->target, strerror(errno));
    uint64_t free_bytes = (uint64_t)v.f_bavail * v.f_frsize;
    backup_size(needed, want);
    backup_size(free_bytes, have);
    LT_CHECK(free_bytes >= needed + SPARE, LT_RETRY_UNAVAILABLE, "%.120s: %s are needed, %s are free",
             k->target, want, have);
    return LT_OK;
}

/* ---- the book ---- */

static void book_pages(void *self, uint64_t done, uint64_t total)
{
    struct backup *k = self;
    uint64_t bytes = total == 0 ? 0 : (uint64_t)((double)k->book_bytes * (double)done / (double)total);
    backup_progress_add(&k->progress, BACKUP_BOOK, bytes > k->book_told ? bytes - k->book_told : 0);
    k->book_told = bytes > k->book_told ? bytes : k->book_told;
}

static void book_rows(void *self, const char *table, int64_t rows, int64_t total)
{
    (void)table;
    (void)rows;
    (void)total;
    backup_progress_add(self, BACKUP_BOOK, 0);
}

static lt_res open_store(const char *path, bool read_only, bool create, struct store **ret_store)
{
    const struct store_options o = {.path = path, .read_only = read_only, .create = create};
    return store_open(&o, ret_store);
}

/* Row by row into a file, counted and hashed on both sides. */
static lt_res copy_from_server(struct backup *k, const char *to)
{
    struct store_copy copy = {.progress = book_rows, .self = &k->progress};
    lt_res r = open_store(k->book, true, false, &copy.from);
    r = lt_failed(r) ? r : open_store(to, false, true, &copy.to);
    r = lt_failed(r) ? r : store_migrate(copy.to);
    r = lt_failed(r) ? r : open_store(to, true, false, &copy.back);
    r = lt_failed(r) ? r : store_copy_run(&copy, &k->c->arena);
    struct lt_error why = *lt_error_last();
    store_close(copy.from);
    store_close(copy.to);
    store_close(copy.back);
    return lt_failed(r) ? lt_fail(r.code, why.file, why.line, "%s", why.detail) : store_backup_settle(to);
}

static lt_res read_book(struct backup *k, const char *path)
{
    struct store *s = NULL;
    LT_TRY(open_store(path, true, false, &s));
    lt_res r = backup_acknowledged(s, k->host, &k->m.acknowledged);
    store_close(s);
    k->m.schema = store_schema_version();
    return r;
}

static lt_res copy_book(struct backup *k)
{
    char *to = lt_arena_printf(&k->c->arena, "%s/" BACKUP_BOOK, k->target);
    LT_CHECK(to != NULL, LT_PEER_USAGE, "%.100s: the path is too long", k->target);
    LT_CHECK(mkdirat(k->to, "book", FOLDER_MODE) == 0 || errno == EEXIST, LT_STATE_IO, "%.120s/book: %s",
             k->target, strerror(errno));
    LT_CHECK(unlink(to) == 0 || errno == ENOENT, LT_STATE_IO, "%.150s: %s", to, strerror(errno));
    const struct store_backup b = {k->book, to, book_pages, k};
    LT_TRY(k->m.postgresql ? copy_from_server(k, to) : store_backup_run(&b));
    LT_TRY(read_book(k, to));
    struct manifest_file *file = &k->files.list[k->files.count++];
    *file = (struct manifest_file){.path = BACKUP_BOOK};
    return backup_hash(k->to, BACKUP_BOOK, &k->progress, &file->bytes, file->sha256);
}

/* ---- what grows ---- */

/* A frame may be on its way to the disk while we read: then its end is torn, as after a crash, and does not
 * count. Whatever else looks damaged is read once more. */
static lt_res copy_journal(struct backup *k)
{
    struct journal_summary summary = {.first = 0};
    lt_res r = LT_OK;
    size_t at = k->files.count;
    LT_TRY(backup_list_one(&k->files, BACKUP_JOURNAL));
    for (int i = 0; i < JOURNAL_TRIES && at < k->files.count; i++) {
        r = backup_copy(&k->files, &k->files.list[at], FILE_MODE);
        r = lt_failed(r) ? r : backup_walk_journal(k->to, &summary);
        if (r.code != LT_STATE_CORRUPT) {
            break;
        }
    }
    LT_TRY(r);
    k->m.journal_last = summary.last;
    memcpy(k->m.journal_head, summary.head, sizeof k->m.journal_head);
    LT_CHECK((int64_t)summary.last >= k->m.acknowledged, LT_STATE_CORRUPT,
             "the journal ends at record %llu, the book knows %lld: put the journal's mirror back first",
             (unsigned long long)summary.last, (long long)k->m.acknowledged);
    return LT_OK;
}

static lt_res copy_files(struct backup *k, size_t from)
{
    size_t kept = from;
    for (size_t i = from; i < k->files.count; i++) {
        LT_TRY(backup_copy(&k->files, &k->files.list[i], FILE_MODE));
        if (k->files.list[i].path[0] != 0) {
            k->files.list[kept++] = k->files.list[i];
        }
    }
    k->files.count = kept;
    return LT_OK;
}

/* Again after the book was copied: a segment may have been begun since the lengths were added up. */
static lt_res copy_all(struct backup *k)
{
    k->files.count = 0;
    LT_TRY(copy_book(k));
    size_t at = k->files.count;
    LT_TRY(backup_list_evidence(&k->files));
    LT_TRY(copy_files(k, at));
    LT_TRY(copy_journal(k));
    at = k->files.count;
    LT_TRY(backup_list(&k->files, k->m.keys));
    return copy_files(k, at);
}

/* ---- all of it ---- */

static lt_res measure(struct backup *k)
{
    struct stat st;
    uint64_t total = 0;
    LT_TRY(backup_list_evidence(&k->files));
    LT_TRY(backup_list_one(&k->files, BACKUP_JOURNAL));
    LT_TRY(backup_list(&k->files, k->m.keys));
    for (size_t i = 0; i < k->files.count; i++) {
        total += k->files.list[i].bytes;
    }
    k->book_bytes = !k->m.postgresql && stat(k->book, &st) == 0 ? (uint64_t)st.st_size : 0;
    LT_TRY(check_room(k, total + k->book_bytes));
    backup_progress_init(&k->progress, total + 2 * k->book_bytes); /* the book is read again for its hash */
    return LT_OK;
}

static lt_res write_manifest(struct backup *k)
{
    struct lt_buf text;
    k->m.files = k->files.list;
    k->m.file_count = k->files.count;
    lt_buf_init(&text, MANIFEST_TEXT_MAX);
    lt_res r = manifest_write(&k->m, &text);
    /* Names of files and folders too are on the disk before it says that they are there. */
    if (!lt_failed(r) && syncfs(k->to) != 0) {
        r = lt_fail(LT_STATE_IO, __FILE__, __LINE__, "%.150s: sync: %s", k->target, strerror(errno));
    }
    r = lt_failed(r) ? r : lt_file_replace(k->to, BACKUP_MANIFEST, FILE_MODE, lt_buf_slice(&text));
    lt_buf_done(&text);
    LT_TRY(r);
    LT_CHECK(unlinkat(k->to, BACKUP_UNFINISHED, 0) == 0, LT_STATE_IO, "%.120s/" BACKUP_UNFINISHED ": %s",
             k->target, strerror(errno));
    return LT_OK;
}

static lt_res make(struct backup *k)
{
    LT_TRY(open_target(k));
    k->files = (struct backup_files){
        .from = k->from, .to = k->to, .arena = &k->c->arena, .progress = &k->progress};
    LT_TRY(backup_files_init(&k->files));
    LT_TRY(measure(k));
    lt_res r = copy_all(k);
    backup_progress_done(&k->progress);
    LT_TRY(r);
    k->m.files = k->files.list;
    k->m.file_count = k->files.count;
    LT_TRY(cmd_flag(k->c, "no-verify") ? LT_OK : backup_verify(k->to, &k->m));
    return write_manifest(k);
}

static lt_res say(struct cmd *c, const char *what, const char *path, const struct manifest *m)
{
    char made[LT_RFC3339_SIZE];
    char size[BACKUP_SIZE_TEXT];
    uint64_t bytes = 0;
    for (size_t i = 0; i < m->file_count; i++) {
        bytes += m->files[i].bytes;
    }
    lt_time_rfc3339(m->made, made);
    backup_size(bytes, size);
    if (!c->json) {
        return cmd_printf("%s: %s\n  made %s from %s, by lintel %s\n  %zu files, %s, %s\n"
                          "  the book knows %lld records of the signer's journal; %llu are here\n%s",
                          what, path, made, m->postgresql ? "PostgreSQL" : "SQLite", m->build, m->file_count,
                          size, m->keys ? "with keys" : "without keys", (long long)m->acknowledged,
                          (unsigned long long)m->journal_last,
                          m->keys ? ""
                                  : "  keys/ and secrets/ are not in it: keep them apart, or --with-keys\n");
    }
    struct lt_buf out;
    lt_buf_init(&out, 16384);
    lt_buf_add_cstr(&out, "{\"backup\":");
    lt_json_add_string(&out, lt_slice_cstr(path));
    lt_buf_addf(
        &out,
        ",\"ok\":true,\"made\":\"%s\",\"build\":\"%s\",\"store\":\"%s\",\"schema\":%lld,\"files\":%zu,"
        "\"bytes\":%llu,\"keys\":%s,\"acknowledged\":%lld,\"journal_last\":%llu,\"journal_head\":\"",
        made, m->build, m->postgresql ? "postgresql" : "sqlite", (long long)m->schema, m->file_count,
        (unsigned long long)bytes, m->keys ? "true" : "false", (long long)m->acknowledged,
        (unsigned long long)m->journal_last);
    lt_hex_add(&out, LT_SLICE(m->journal_head, sizeof m->journal_head));
    lt_buf_add_cstr(&out, "\"}\n");
    lt_res r = lt_buf_check(&out);
    r = lt_failed(r) ? r : cmd_print(lt_buf_slice(&out));
    lt_buf_done(&out);
    return r;
}

static lt_res find_host(struct backup *k)
{
    LT_CLEANUP(ca_config_freep) struct ca_config *config = NULL;
    LT_TRY(ca_config_load(k->folder, &config));
    k->host = lt_arena_cstr(&k->c->arena, lt_slice_cstr(config->host));
    LT_CHECK(k->host != NULL, LT_PEER_USAGE, "the host's name is too long");
    return LT_OK;
}

static lt_res run_backup(struct cmd *c)
{
    struct backup k = {.c = c, .target = c->args.words[0], .from = -1, .to = -1};
    LT_TRY(cmd_folder(c, &k.folder));
    LT_TRY(cmd_book(c, k.folder, &k.book));
    LT_TRY(find_host(&k));
    k.m = (struct manifest){.made = c->now,
                            .build = lt_version,
                            .postgresql = store_is_postgres(k.book),
                            .keys = cmd_flag(c, "with-keys")};
    crypto_start();
    k.from = open(k.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(k.from >= 0, LT_PEER_USAGE, "%.150s: %s", k.folder, strerror(errno));
    lt_res r = make(&k);
    lt_fd_closep(&k.from);
    lt_fd_closep(&k.to);
    LT_TRY(r);
    return say(c, "backed up", k.target, &k.m);
}

/* The book of the copy as SQLite sees it, its journal as the signer would. */
static lt_res check_deep(struct cmd *c, const char *path, int dir, const struct manifest *m)
{
    struct journal_summary summary;
    char *book = lt_arena_printf(&c->arena, "%s/" BACKUP_BOOK, path);
    LT_CHECK(book != NULL, LT_PEER_USAGE, "%.100s: the path is too long", path);
    LT_TRY(store_backup_check(book));
    LT_TRY(backup_walk_journal(dir, &summary));
    LT_CHECK(summary.last == m->journal_last &&
                 memcmp(summary.head, m->journal_head, sizeof m->journal_head) == 0,
             LT_STATE_CORRUPT, "the journal ends at record %llu, the manifest says %llu",
             (unsigned long long)summary.last, (unsigned long long)m->journal_last);
    return LT_OK;
}

static lt_res run_verify(struct cmd *c)
{
    struct manifest m;
    LT_CLEANUP(lt_fd_closep) int dir = -1;
    const char *path = c->args.words[0];
    crypto_start();
    LT_TRY(backup_open(c, path, &dir, &m));
    LT_TRY(backup_verify(dir, &m));
    LT_TRY(cmd_flag(c, "deep") ? check_deep(c, path, dir, &m) : LT_OK);
    return say(c, "whole", path, &m);
}

static const struct cmd_option options[] = {
    {"with-keys", NULL, "keys, the seal key and the courier's key too; never the passphrase", false, NULL},
    {"no-verify", NULL, "do not read the copies again", false, NULL},
};

static const struct cmd_option verify_options[] = {
    {"deep", NULL, "look at every page and index of the book, and at every record of the journal", false,
     NULL},
};

const struct cmd_verb cmd_backup = {
    .name = "backup",
    .words = "FOLDER",
    .words_least = 1,
    .words_most = 1,
    .summary = "copy the CA folder while the family runs",
    .help =
        "The book is copied at one moment, then the evidence and the signer's journal, then configuration, "
        "profiles,\n"
        "operators' public keys, halts, and the published CRLs. Everything is read again and held against "
        "its "
        "hash,\n"
        "then MANIFEST is written: without it a folder is no backup. Cut off, the same command goes on. Keys "
        "are left\n"
        "out, passphrases always. A book on PostgreSQL is read row by row in one view and becomes a file.\n"
        "\n"
        "examples:\n"
        "  lintel backup /backup/$(date -u +%Y%m%dT%H%MZ)\n"
        "  lintel backup /media/safe/with-keys --with-keys\n"
        "  lintel backup verify /backup/20261122T1000Z\n",
    .options = options,
    .option_count = LT_COUNT(options),
    .run = run_backup,
};

const struct cmd_verb cmd_backup_verify = {
    .name = "backup verify",
    .words = "FOLDER",
    .words_least = 1,
    .words_most = 1,
    .summary = "read a backup again and hold every file against its hash",
    .help = "Needs no CA folder. Exit status 1 says which file is not what it was.\n"
            "\n"
            "examples:\n"
            "  lintel backup verify /backup/20261122T1000Z\n"
            "  lintel backup verify /backup/20261122T1000Z --deep\n",
    .options = verify_options,
    .option_count = LT_COUNT(verify_options),
    .run = run_verify,
};
