/* lintel restore FOLDER: a backup put back into a CA folder, or into a new one.
 *
 * Everything is checked before anything is touched: each file against the manifest, the journal that is here
 * against the backup's (one must be the beginning of the other), segments of evidence in the same way. Then
 * files are put where there is none, each whole and synced under another name first, and the book comes last:
 * killed at any moment there is the old book, or none, or the new one, and the same command goes on. What was
 * there is kept beside it. The book is marked before it is in its place.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "ca/config.h"
#include "ca/put_back.h"
#include "cmd/backup.h"
#include "cmd/verbs.h"
#include "crypto/digest.h"
#include "store/backup.h"
#include "store/copy.h"

#define STAGED BACKUP_BOOK ".restoring"
#define PART ".restoring"

enum { PATH_SIZE = 512, FOLDER_MODE = 0755, FILE_MODE = 0600, PUBLIC_MODE = 0644, STAMP_SIZE = 32 };

struct put {
    struct cmd *c;
    const char *backup;
    const char *folder;
    int from; /* owned */
    int to;   /* owned */
    int lock; /* owned */
    struct manifest m;
    const char *book; /* where it goes: a path, or postgresql://… */
    bool server;
    bool fresh;                     /* the folder has no configuration: nobody has decided anything in it */
    bool own_journal;               /* the folder's stays */
    struct journal_summary journal; /* of the folder */
    uint64_t files;                 /* to be put */
    uint64_t bytes;
    uint64_t left_out; /* decisions that the folder has not */
    struct backup_progress progress;
};

/* ---- looking ---- */

static bool is_evidence(const char *path)
{
    return lt_slice_starts(lt_slice_cstr(path), LT_LIT("evidence/"));
}

/* Where a walk along the longer journal has the hash of the shorter one's end. */
struct meeting {
    uint64_t sequence;
    uint8_t chain[JOURNAL_HASH_LEN];
    bool there;
};

static lt_res meet(void *self, const struct journal_entry *e)
{
    struct meeting *m = self;
    if (e->sequence == m->sequence) {
        memcpy(m->chain, e->chain, sizeof m->chain);
        m->there = true;
    }
    return LT_OK;
}

static lt_res hash_at(int dir, uint64_t sequence, struct meeting *m)
{
    struct journal_summary unused;
    *m = (struct meeting){.sequence = sequence};
    LT_CLEANUP(lt_fd_closep) int fd = openat(dir, BACKUP_JOURNAL, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    LT_CHECK(fd >= 0, LT_STATE_IO, BACKUP_JOURNAL ": %s", strerror(errno));
    return journal_walk(&journal_io_posix, fd, meet, m, &unused);
}

/* One is the beginning of the other, and the longer one is the truth. */
static lt_res check_journals(struct put *k)
{
    struct meeting m = {.there = true};
    const uint8_t *head = k->m.journal_head;
    LT_TRY(backup_walk_journal(k->to, &k->journal));
    k->own_journal = k->journal.last >= k->m.journal_last && k->journal.last > 0;
    if (k->own_journal && k->m.journal_last > 0) {
        LT_TRY(hash_at(k->to, k->m.journal_last, &m));
    } else if (!k->own_journal && k->journal.last > 0) {
        LT_TRY(hash_at(k->from, k->journal.last, &m));
        head = k->journal.head;
    } else {
        return LT_OK;
    }
    LT_CHECK(m.there && memcmp(m.chain, head, sizeof m.chain) == 0, LT_STATE_CORRUPT,
             "the journal here and that of the backup are not of one another: another CA's, or changed");
    return LT_OK;
}

/* Of the same bytes as far as the shorter one goes. */
static lt_res check_segment(struct put *k, const struct manifest_file *file, bool *ret_wanted)
{
    struct stat st;
    *ret_wanted = true;
    if (fstatat(k->to, file->path, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        return LT_OK;
    }
    uint64_t here = (uint64_t)st.st_size;
    uint64_t both = here < file->bytes ? here : file->bytes;
    bool same = false;
    LT_TRY(backup_same_start(k->from, k->to, file->path, both, &same));
    LT_CHECK(same, LT_STATE_CORRUPT,
             "%.60s here is not the backup's: another CA's, or damaged; take it away and restore again",
             file->path);
    *ret_wanted = here < file->bytes;
    return LT_OK;
}

/* Who may decide, and by what rules. In a CA's own folder one that is not there was taken away: an operator
 * whose key was stolen must not return with a backup. */
static bool is_decision(const char *path)
{
    static const char *const decisions[] = {"operators/", "perspectives/", "profiles/", "policy/", "testing"};
    for (size_t i = 0; i < LT_COUNT(decisions); i++) {
        if (lt_slice_starts(lt_slice_cstr(path), lt_slice_cstr(decisions[i]))) {
            return true;
        }
    }
    return false;
}

static bool is_missing(const struct put *k, const char *path)
{
    return faccessat(k->to, path, F_OK, AT_SYMLINK_NOFOLLOW) != 0;
}

static bool is_left_out(const struct put *k, const char *path)
{
    return !k->fresh && is_decision(path) && is_missing(k, path);
}

static lt_res is_wanted(struct put *k, const struct manifest_file *file, bool *ret_wanted)
{
    *ret_wanted = false;
    if (strcmp(file->path, BACKUP_BOOK) == 0) {
        return LT_OK; /* by itself, and last */
    }
    if (strcmp(file->path, BACKUP_JOURNAL) == 0) {
        *ret_wanted = !k->own_journal && k->m.journal_last > 0;
        return LT_OK;
    }
    if (is_evidence(file->path)) {
        return check_segment(k, file, ret_wanted);
    }
    *ret_wanted = is_missing(k, file->path) && !is_left_out(k, file->path);
    return LT_OK;
}

static lt_res count_files(struct put *k)
{
    for (size_t i = 0; i < k->m.file_count; i++) {
        bool wanted = false;
        LT_TRY(is_wanted(k, &k->m.files[i], &wanted));
        k->files += wanted;
        k->bytes += wanted ? k->m.files[i].bytes : 0;
        k->left_out += is_left_out(k, k->m.files[i].path);
    }
    return LT_OK;
}

/* Without --yes nothing is made: what is not there is as if it were empty. */
static lt_res open_folder(struct put *k, bool yes)
{
    LT_CHECK(!yes || mkdir(k->folder, FOLDER_MODE) == 0 || errno == EEXIST, LT_PEER_USAGE, "%.150s: %s",
             k->folder, strerror(errno));
    k->to = open(k->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(k->to >= 0 || (!yes && errno == ENOENT), LT_PEER_USAGE, "%.150s: %s", k->folder,
             strerror(errno));
    LT_CHECK(!yes || mkdirat(k->to, "run", FOLDER_MODE) == 0 || errno == EEXIST, LT_PEER_USAGE,
             "%.120s/run: %s", k->folder, strerror(errno));
    k->fresh = faccessat(k->to, CA_CONFIG_FILE, F_OK, 0) != 0;
    return faccessat(k->to, "run", F_OK, 0) == 0 ? cmd_folder_lock(k->folder, &k->lock) : LT_OK;
}

/* By the configuration that the folder has, or will have. */
static lt_res find_book(struct put *k)
{
    LT_CLEANUP(ca_config_freep) struct ca_config *config = NULL;
    LT_TRY(ca_config_load(k->fresh ? k->backup : k->folder, &config));
    const char *path = ca_config_store(config, k->folder, &k->c->arena);
    k->book = path == NULL ? NULL : lt_arena_cstr(&k->c->arena, lt_slice_cstr(path));
    LT_CHECK(k->book != NULL, LT_PEER_USAGE, "%.100s: the path is too long", k->folder);
    k->server = store_is_postgres(k->book);
    return LT_OK;
}

/* ---- putting ---- */

static lt_res sync_dir(const struct put *k, const char *path)
{
    LT_CLEANUP(lt_fd_closep) int fd = openat(k->to, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(fd >= 0 && fsync(fd) == 0, LT_STATE_IO, "%.150s: sync: %s", path, strerror(errno));
    return LT_OK;
}

/* What programs of other users read; the supervisor gives the rest to its owners at the next start. */
static unsigned mode_of(const char *path)
{
    static const char *const open_to_all[] = {"lintel.yaml",   "testing", "profiles/", "operators/",
                                              "perspectives/", "policy/", "ca/",       "public/"};
    for (size_t i = 0; i < LT_COUNT(open_to_all); i++) {
        if (lt_slice_starts(lt_slice_cstr(path), lt_slice_cstr(open_to_all[i]))) {
            return PUBLIC_MODE;
        }
    }
    return FILE_MODE;
}

/* Whole and on the disk under another name, held against the manifest, renamed. */
static lt_res put_file(struct put *k, const struct manifest_file *file)
{
    char part[PATH_SIZE];
    struct manifest_file copy = *file;
    struct backup_files f = {
        .from = k->from, .to = k->to, .arena = &k->c->arena, .progress = &k->progress, .ending = PART};
    (void)snprintf(part, sizeof part, "%s" PART, file->path); /* at most MANIFEST_PATH_MAX before it */
    LT_TRY(backup_copy(&f, &copy, mode_of(file->path)));
    LT_CHECK(copy.path[0] != 0 && memcmp(copy.sha256, file->sha256, sizeof copy.sha256) == 0,
             LT_STATE_CORRUPT, "%.150s of the backup changed while it was read", file->path);
    LT_CHECK(renameat(k->to, part, k->to, file->path) == 0, LT_STATE_IO, "%.150s: %s", file->path,
             strerror(errno));
    return LT_OK;
}

static lt_res sync_all(const struct put *k)
{
    LT_CHECK(syncfs(k->to) == 0, LT_STATE_IO, "%.150s: sync: %s", k->folder, strerror(errno));
    return LT_OK;
}

/* The configuration comes behind all others: without it the folder is new, and everything is put. */
static lt_res put_config(struct put *k)
{
    const struct manifest_file *file = manifest_find(&k->m, CA_CONFIG_FILE);
    LT_TRY(sync_all(k));
    LT_TRY(k->fresh && file != NULL ? put_file(k, file) : LT_OK);
    return sync_all(k);
}

static lt_res put_files(struct put *k)
{
    for (size_t i = 0; i < k->m.file_count; i++) {
        bool wanted = false;
        const struct manifest_file *file = &k->m.files[i];
        LT_TRY(is_wanted(k, file, &wanted));
        wanted = wanted && strcmp(file->path, CA_CONFIG_FILE) != 0;
        if (wanted && strcmp(file->path, BACKUP_JOURNAL) == 0) {
            /* It is of the journal that was here, and may be ahead of this one. */
            LT_CHECK(unlinkat(k->to, "journal/signer.ack", 0) == 0 || errno == ENOENT, LT_STATE_IO,
                     "journal/signer.ack: %s", strerror(errno));
        }
        LT_TRY(wanted ? put_file(k, file) : LT_OK);
    }
    return put_config(k);
}

static lt_res mark(struct put *k, struct store *s)
{
    char text[64];
    char made[LT_RFC3339_SIZE];
    lt_time_rfc3339(k->m.made, made);
    (void)snprintf(text, sizeof text, "of %s", made);
    LT_TRY(store_begin(s));
    lt_res r = ca_put_back_mark(s, text);
    if (lt_failed(r)) {
        store_rollback(s);
        return r;
    }
    return store_commit(s);
}

/* A book that was made by an older program is brought up here: the mark needs it. */
static lt_res mark_staged(struct put *k, const char *path)
{
    const struct store_options o = {.path = path};
    struct store *s = NULL;
    LT_TRY(store_open(&o, &s));
    lt_res r = store_migrate(s);
    r = lt_failed(r) ? r : mark(k, s);
    store_close(s);
    LT_TRY(r);
    return store_backup_settle(path);
}

static lt_res stage_book(struct put *k, char *staged, size_t size)
{
    char part[PATH_SIZE];
    const struct manifest_file *book = manifest_find(&k->m, BACKUP_BOOK);
    LT_CHECK(book != NULL, LT_PEER_MALFORMED, "there is no book in this backup");
    struct manifest_file copy = *book;
    struct backup_files f = {
        .from = k->from, .to = k->to, .arena = &k->c->arena, .progress = &k->progress, .ending = PART};
    (void)snprintf(staged, size, "%s/" STAGED, k->folder);
    static const char *const beside[] = {"-wal", "-shm", "-journal"};
    for (size_t i = 0; i < LT_COUNT(beside); i++) {
        (void)snprintf(part, sizeof part, STAGED "%s", beside[i]);
        LT_CHECK(unlinkat(k->to, part, 0) == 0 || errno == ENOENT, LT_STATE_IO, "%s: %s", part,
                 strerror(errno));
    }
    LT_TRY(backup_copy(&f, &copy, FILE_MODE));
    LT_CHECK(memcmp(copy.sha256, book->sha256, sizeof copy.sha256) == 0, LT_STATE_CORRUPT,
             BACKUP_BOOK " of the backup changed while it was read");
    return mark_staged(k, staged);
}

/* The old book with its WAL out of the way first: a WAL that stays would be taken for the new book's. */
static lt_res move_away(struct put *k, const char *stamp)
{
    static const char *const parts[] = {"", "-wal"};
    char from[PATH_SIZE];
    char to[PATH_SIZE];
    for (size_t i = 0; i < LT_COUNT(parts); i++) {
        (void)snprintf(from, sizeof from, BACKUP_BOOK "%s", parts[i]);
        (void)snprintf(to, sizeof to, BACKUP_BOOK ".before-%s%s", stamp, parts[i]);
        LT_CHECK(renameat(k->to, from, k->to, to) == 0 || errno == ENOENT, LT_STATE_IO, "%s: %s", from,
                 strerror(errno));
    }
    LT_CHECK(unlinkat(k->to, BACKUP_BOOK "-shm", 0) == 0 || errno == ENOENT, LT_STATE_IO,
             BACKUP_BOOK "-shm: %s", strerror(errno));
    return sync_dir(k, "book");
}

static void stamp_of(lt_time t, char ret_stamp[STAMP_SIZE])
{
    struct lt_date d = lt_date_of(t);
    (void)snprintf(ret_stamp, STAMP_SIZE, "%04d%02d%02dT%02d%02d%02dZ", d.year % 10000, d.month % 100,
                   d.day % 100, d.hour % 100, d.minute % 100, d.second % 100);
}

static lt_res put_in_folder(struct put *k)
{
    char staged[PATH_SIZE];
    char stamp[STAMP_SIZE];
    stamp_of(k->c->now, stamp);
    LT_TRY(stage_book(k, staged, sizeof staged));
    LT_TRY(move_away(k, stamp));
    LT_CHECK(renameat(k->to, STAGED, k->to, BACKUP_BOOK) == 0, LT_STATE_IO, BACKUP_BOOK ": %s",
             strerror(errno));
    return sync_dir(k, "book");
}

static lt_res open_as(const char *path, bool read_only, struct store **ret_store)
{
    const struct store_options o = {.path = path, .read_only = read_only};
    return store_open(&o, ret_store);
}

/* Into an empty database; the mark goes over with the rows. */
static lt_res put_on_server(struct put *k)
{
    char staged[PATH_SIZE];
    struct store_copy copy = {.from = NULL};
    LT_TRY(stage_book(k, staged, sizeof staged));
    lt_res r = open_as(staged, true, &copy.from);
    r = lt_failed(r) ? r : open_as(k->book, false, &copy.to);
    r = lt_failed(r) ? r : store_migrate(copy.to);
    r = lt_failed(r) ? r : open_as(k->book, true, &copy.back);
    r = lt_failed(r) ? r : store_copy_run(&copy, &k->c->arena);
    struct lt_error why = *lt_error_last();
    store_close(copy.from);
    store_close(copy.to);
    store_close(copy.back);
    if (lt_failed(r)) {
        return lt_fail(r.code, why.file, why.line, "%s", why.detail);
    }
    LT_CHECK(unlink(staged) == 0, LT_STATE_IO, "%.150s: %s", staged, strerror(errno));
    return sync_dir(k, "book");
}

/* ---- saying ---- */

static lt_res say_left_out(const struct put *k)
{
    const char *between = "";
    for (size_t i = 0; i < k->m.file_count; i++) {
        const char *path = k->m.files[i].path;
        if (is_left_out(k, path)) {
            LT_TRY(cmd_printf(k->c->json ? "%s\"%s\"" : "%s  %s\n", between, path));
            between = k->c->json ? "," : "";
        }
    }
    return LT_OK;
}

static lt_res say(const struct put *k, bool did)
{
    char made[LT_RFC3339_SIZE];
    char size[BACKUP_SIZE_TEXT];
    uint64_t last = k->own_journal ? k->journal.last : k->m.journal_last;
    long long behind = (long long)last - (long long)k->m.acknowledged;
    lt_time_rfc3339(k->m.made, made);
    backup_size(k->bytes, size);
    if (k->c->json) {
        LT_TRY(cmd_printf("{\"done\":%s,\"made\":\"%s\",\"records_behind\":%lld,\"own_journal\":%s,"
                          "\"new_folder\":%s,\"files\":%llu,\"bytes\":%llu,\"left_out\":[",
                          did ? "true" : "false", made, behind, k->own_journal ? "true" : "false",
                          k->fresh ? "true" : "false", (unsigned long long)k->files,
                          (unsigned long long)k->bytes));
        LT_TRY(say_left_out(k));
        return cmd_printf("]}\n");
    }
    LT_TRY(cmd_printf("the book of %s %s; it is %lld records behind the signer's journal\n"
                      "%llu other files (%s) %s; nothing newer is overwritten\n",
                      made, did ? "is in its place, the one that was here beside it" : "would be put back",
                      behind, (unsigned long long)k->files, size, did ? "were missing" : "are missing here"));
    if (k->left_out > 0) {
        LT_TRY(cmd_printf("%llu files were taken away here since, and stay away; copy by hand what you want "
                          "back:\n",
                          (unsigned long long)k->left_out));
        LT_TRY(say_left_out(k));
    }
    if (!k->own_journal) {
        LT_TRY(cmd_printf(
            "LOOK: the journal is the backup's. What was signed or revoked after it is not in it: put "
            "back its mirror (journal-mirror) over\n"
            "journal/signer.log if there is one, and into public/crl every CRL that was published "
            "last, before you reconcile\n"));
    }
    return cmd_printf("%s", did ? "the family does not start on it before: lintel restore --reconcile\n"
                                : "Nothing was written: add --yes.\n");
}

static lt_res put(struct put *k)
{
    bool yes = cmd_flag(k->c, "yes");
    LT_TRY(backup_open(k->c, k->backup, &k->from, &k->m));
    LT_TRY(backup_verify(k->from, &k->m));
    LT_TRY(open_folder(k, yes));
    LT_TRY(find_book(k));
    LT_TRY(k->to >= 0 ? check_journals(k) : LT_OK);
    LT_TRY(count_files(k));
    if (!yes) {
        return say(k, false);
    }
    const struct manifest_file *book = manifest_find(&k->m, BACKUP_BOOK);
    backup_progress_init(&k->progress, k->bytes + (book == NULL ? 0 : book->bytes));
    LT_CHECK(mkdirat(k->to, "book", FOLDER_MODE) == 0 || errno == EEXIST, LT_STATE_IO, "%.120s/book: %s",
             k->folder, strerror(errno));
    LT_TRY(put_files(k));
    LT_TRY(k->server ? put_on_server(k) : put_in_folder(k));
    backup_progress_done(&k->progress);
    return say(k, true);
}

lt_res restore_put(struct cmd *c, const char *backup)
{
    struct put k = {.c = c, .backup = backup, .from = -1, .to = -1, .lock = -1};
    LT_TRY(cmd_folder(c, &k.folder));
    lt_res r = put(&k);
    lt_fd_closep(&k.from);
    lt_fd_closep(&k.to);
    lt_fd_closep(&k.lock);
    return r;
}
