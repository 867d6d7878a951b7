/* Small whole files, read with a cap and replaced atomically. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void lt_fd_closep(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd); /* nothing written through here is trusted before its own fsync */
        *fd = -1;
    }
}

lt_res lt_file_read(struct lt_arena *a, int dir_fd, const char *path, size_t max, lt_slice *ret_bytes)
{
    LT_CLEANUP(lt_fd_closep) int fd = openat(dir_fd, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    LT_CHECK(fd >= 0 || errno != ENOENT, LT_PEER_NOT_FOUND, "%s: no such file", path);
    LT_CHECK(fd >= 0, LT_STATE_IO, "%s: %s", path, strerror(errno));
    struct stat st;
    LT_CHECK(fstat(fd, &st) == 0 && S_ISREG(st.st_mode), LT_PEER_USAGE, "%s: not a regular file", path);
    LT_CHECK((size_t)st.st_size <= max, LT_PEER_TOO_LARGE, "%s: over %zu bytes", path, max);
    size_t len = (size_t)st.st_size;
    uint8_t *bytes = lt_arena_alloc(a, len + 1); /* one more: a NUL for those who want a string */
    LT_CHECK(bytes != NULL, LT_PEER_TOO_LARGE, "%s: over the memory limit", path);
    size_t got = 0;
    while (got < len) {
        ssize_t n = read(fd, bytes + got, len - got);
        LT_CHECK(n >= 0 || errno == EINTR, LT_STATE_IO, "%s: %s", path, strerror(errno));
        if (n == 0) {
            break; /* it shrank meanwhile */
        }
        got += n > 0 ? (size_t)n : 0;
    }
    *ret_bytes = LT_SLICE(bytes, got);
    return LT_OK;
}

lt_res lt_write_all(int fd, lt_slice bytes)
{
    size_t done = 0;
    while (done < bytes.len) {
        ssize_t n = write(fd, bytes.ptr + done, bytes.len - done);
        LT_CHECK(n > 0 || errno == EINTR, LT_STATE_IO, "write: %s", strerror(errno));
        done += n > 0 ? (size_t)n : 0;
    }
    return LT_OK;
}

lt_res lt_write_through(int fd, lt_slice bytes, bool wait)
{
    off_t from = lseek(fd, 0, SEEK_CUR);
    LT_TRY(lt_write_all(fd, bytes));
    unsigned how = SYNC_FILE_RANGE_WRITE |
                   (wait ? SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WAIT_AFTER : 0);
    /* Where a file system has no such thing, the sync at the end does it all. */
    (void)(from < 0 ? 0 : sync_file_range(fd, from, (off_t)bytes.len, how));
    return LT_OK;
}

static lt_res sync_folder_of(int dir_fd, const char *path)
{
    char folder[1024];
    const char *slash = strrchr(path, '/');
    int len = slash == NULL ? 1 : (int)(slash - path);
    (void)snprintf(folder, sizeof folder, "%.*s", slash == path ? 1 : len, slash == NULL ? "." : path);
    LT_CLEANUP(lt_fd_closep) int fd = openat(dir_fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(fd >= 0 && fsync(fd) == 0, LT_STATE_IO, "%s: fsync: %s", folder, strerror(errno));
    return LT_OK;
}

lt_res lt_file_replace(int dir_fd, const char *path, unsigned mode, lt_slice bytes)
{
    char temp[1024];
    int n = snprintf(temp, sizeof temp, "%s.new", path);
    LT_CHECK(n > 0 && (size_t)n < sizeof temp, LT_PEER_USAGE, "%s: path too long", path);
    LT_CLEANUP(lt_fd_closep)
    int fd = openat(dir_fd, temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, (mode_t)mode);
    LT_CHECK(fd >= 0, LT_STATE_IO, "%s: %s", temp, strerror(errno));
    LT_TRY(lt_write_all(fd, bytes));
    LT_CHECK(fchmod(fd, (mode_t)mode) == 0 && fsync(fd) == 0, LT_STATE_IO, "%s: %s", temp, strerror(errno));
    LT_CHECK(renameat(dir_fd, temp, dir_fd, path) == 0, LT_STATE_IO, "%s: rename: %s", path, strerror(errno));
    return sync_folder_of(dir_fd, path);
}
