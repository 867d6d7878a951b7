/* SQLite's online backup under one open read transaction: it never begins anew, whoever writes meanwhile. */
#include "store/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

enum { STEP_PAGES = 256, PATH_SIZE = 1024, WAIT_MS = 10000, FILE_MODE = 0600 };
#define UNFINISHED ".unfinished"

static lt_res failed(sqlite3 *db, int rc, const char *path)
{
    int code = (rc & 0xff) == SQLITE_BUSY                                      ? LT_RETRY_BUSY
               : (rc & 0xff) == SQLITE_FULL                                    ? LT_RETRY_UNAVAILABLE
               : (rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB ? LT_STATE_CORRUPT
                                                                               : LT_STATE_IO;
    LT_FAIL(code, "%.120s: %s", path, db != NULL ? sqlite3_errmsg(db) : sqlite3_errstr(rc));
}

static lt_res script(sqlite3 *db, const char *sql, const char *path)
{
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? LT_OK : failed(db, rc, path);
}

static lt_res open_file(const char *path, int flags, sqlite3 **ret_db)
{
    int rc = sqlite3_open_v2(path, ret_db, flags | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE, NULL);
    LT_ASSERT(*ret_db != NULL);
    if (rc != SQLITE_OK) {
        return failed(*ret_db, rc, path);
    }
    (void)sqlite3_busy_timeout(*ret_db, WAIT_MS); /* cannot fail on an open connection */
    return LT_OK;
}

static lt_res sync_path(const char *path, int flags)
{
    LT_CLEANUP(lt_fd_closep) int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW);
    LT_CHECK(fd >= 0 && fsync(fd) == 0, LT_STATE_IO, "%.150s: sync: %s", path, strerror(errno));
    return LT_OK;
}

static lt_res sync_folder_of(const char *path)
{
    char folder[PATH_SIZE];
    const char *slash = strrchr(path, '/');
    (void)snprintf(folder, sizeof folder, "%.*s", slash == NULL ? 1 : (int)(slash - path),
                   slash == NULL ? "." : path);
    return sync_path(folder, O_RDONLY | O_DIRECTORY);
}

static lt_res copy_pages(const struct store_backup *b, sqlite3 *from, sqlite3 *to)
{
    sqlite3_backup *k = sqlite3_backup_init(to, "main", from, "main");
    if (k == NULL) {
        return failed(to, sqlite3_errcode(to), b->to);
    }
    int rc = SQLITE_OK;
    while (rc == SQLITE_OK) {
        rc = sqlite3_backup_step(k, STEP_PAGES);
        int total = sqlite3_backup_pagecount(k);
        int left = sqlite3_backup_remaining(k);
        if (b->progress != NULL && total >= left) {
            b->progress(b->self, (uint64_t)(total - left), (uint64_t)total);
        }
    }
    (void)sqlite3_backup_finish(k); /* repeats what the last step said */
    return rc == SQLITE_DONE ? LT_OK : failed(to, rc, b->to);
}

/* The read transaction is what makes it one moment: a backup without it begins anew after each commit of
 * another process. */
static lt_res copy_book(const struct store_backup *b, sqlite3 *from, sqlite3 *to)
{
    LT_TRY(script(from, "PRAGMA query_only = ON; BEGIN; SELECT count(*) FROM sqlite_schema", b->from));
    LT_TRY(script(to, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", b->to));
    return copy_pages(b, from, to);
}

static void close_file(sqlite3 *db)
{
    int rc = sqlite3_close(db); /* NULL is fine */
    LT_ASSERT(rc == SQLITE_OK);
}

lt_res store_backup_settle(const char *path)
{
    sqlite3 *db = NULL;
    lt_res r = open_file(path, SQLITE_OPEN_READWRITE, &db);
    r = lt_failed(r) ? r : script(db, "PRAGMA journal_mode = DELETE", path);
    close_file(db);
    LT_TRY(r);
    LT_TRY(sync_path(path, O_RDWR));
    return sync_folder_of(path);
}

static lt_res copy_to(const struct store_backup *b, const char *temp)
{
    sqlite3 *from = NULL;
    sqlite3 *to = NULL;
    lt_res r = open_file(b->from, SQLITE_OPEN_READONLY, &from);
    r = lt_failed(r) ? r : open_file(temp, SQLITE_OPEN_READWRITE, &to);
    r = lt_failed(r) ? r : copy_book(b, from, to);
    struct lt_error why = *lt_error_last();
    close_file(to);
    close_file(from);
    return lt_failed(r) ? lt_fail(r.code, why.file, why.line, "%s", why.detail) : LT_OK;
}

lt_res store_backup_run(const struct store_backup *b)
{
    char temp[PATH_SIZE];
    int n = snprintf(temp, sizeof temp, "%s" UNFINISHED, b->to);
    LT_CHECK(n > 0 && (size_t)n < sizeof temp, LT_PEER_USAGE, "%.100s: the path is too long", b->to);
    LT_CHECK(access(b->to, F_OK) != 0, LT_PEER_CONFLICT, "%.150s is there already", b->to);
    LT_CLEANUP(lt_fd_closep)
    int fd = open(temp, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    LT_CHECK(fd >= 0, LT_STATE_IO, "%.150s: %s", temp, strerror(errno));
    lt_fd_closep(&fd); /* SQLite's locks go with any descriptor of the file that is closed */
    lt_res r = copy_to(b, temp);
    r = lt_failed(r) ? r : store_backup_settle(temp);
    if (lt_failed(r)) {
        (void)unlink(temp); /* an unfinished copy is worth nothing */
        return r;
    }
    LT_CHECK(rename(temp, b->to) == 0, LT_STATE_IO, "%.150s: %s", b->to, strerror(errno));
    return sync_folder_of(b->to);
}

static lt_res first_word(sqlite3 *db, const char *path)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(db, "PRAGMA integrity_check(1)", -1, &stmt, NULL);
    rc = rc == SQLITE_OK ? sqlite3_step(stmt) : rc;
    const char *said = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
    lt_res r = LT_OK;
    if (said == NULL) {
        r = failed(db, rc, path);
    } else if (strcmp(said, "ok") != 0) {
        r = lt_fail(LT_STATE_CORRUPT, __FILE__, __LINE__, "%.80s: %.100s", path, said);
    }
    (void)sqlite3_finalize(stmt); /* repeats the error that was reported */
    return r;
}

lt_res store_backup_check(const char *path)
{
    sqlite3 *db = NULL;
    lt_res r = open_file(path, SQLITE_OPEN_READONLY, &db);
    r = lt_failed(r) ? r : first_word(db, path);
    close_file(db);
    return r;
}
