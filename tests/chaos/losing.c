/* A disk that forgets: preloaded into registrar and signer, it notes what every write overwrites, so that a
 * test can take back, after a kill, all that was not synced, as a power cut would. A killed process alone
 * keeps the page cache.
 *
 * For each file whose path contains one of LOSING_PATHS (colon separated) a record goes to LOSING_LOG
 * *before* the write happens: {inode, offset, length, size of the file before, bytes before}. A sync of the
 * file is a record too. tests/chaos/power.py reads the log from its end and restores. Syncs are not passed
 * on: only their meaning counts.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MAX_FD = 4096, MAX_BYTES = 1 << 20 };

struct record {
    uint64_t inode;
    int64_t offset; /* -1: synced; -2: truncated to length */
    uint64_t length;
    uint64_t size_before;
};

static int log_fd = -1;
static uint64_t tracked[MAX_FD]; /* inode, or 0 */

__attribute__((constructor)) static void open_log(void)
{
    const char *path = getenv("LOSING_LOG");
    if (path != NULL) {
        log_fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
        if (log_fd >= 0) {
            int high = fcntl(log_fd, F_DUPFD_CLOEXEC,
                             900); /* out of the way of descriptors passed by number */
            syscall(SYS_close, log_fd);
            log_fd = high;
        }
    }
}

static void fail(const char *what)
{
    static const char prefix[] = "losing: ";
    (void)!write(2, prefix, sizeof prefix - 1);
    (void)!write(2, what, strlen(what));
    (void)!write(2, "\n", 1);
    abort();
}

static void track(int fd, const char *path)
{
    const char *wanted = getenv("LOSING_PATHS");
    if (log_fd < 0 || fd < 0 || fd >= MAX_FD || wanted == NULL) {
        return;
    }
    tracked[fd] = 0;
    char list[256];
    snprintf(list, sizeof list, "%s", wanted);
    char *rest = NULL;
    for (char *word = strtok_r(list, ":", &rest); word != NULL; word = strtok_r(NULL, ":", &rest)) {
        struct stat st;
        if (strstr(path, word) != NULL && strstr(path, "-shm") == NULL && fstat(fd, &st) == 0 &&
            S_ISREG(st.st_mode)) {
            tracked[fd] = (uint64_t)st.st_ino;
        }
    }
}

static void put(const struct record *r, const void *bytes, size_t len)
{
    static uint8_t buffer[sizeof *r + MAX_BYTES];
    if (len > MAX_BYTES) {
        fail("a write over 1 MiB");
    }
    memcpy(buffer, r, sizeof *r);
    if (len > 0) {
        memcpy(buffer + sizeof *r, bytes, len);
    }
    if (syscall(SYS_write, log_fd, buffer, sizeof *r + len) != (long)(sizeof *r + len)) {
        fail("the log cannot be written");
    }
}

static void note_piece(int fd, int64_t offset, size_t len, int64_t size)
{
    static uint8_t before[MAX_BYTES];
    size_t overlap = offset < size ? (size_t)(size - offset) : 0;
    overlap = overlap > len ? len : overlap;
    if (overlap > 0 && syscall(SYS_pread64, fd, before, overlap, offset) != (long)overlap) {
        fail("what a write overwrites cannot be read");
    }
    struct record r = {tracked[fd], offset, overlap, (uint64_t)size};
    put(&r, before, overlap);
}

static void note_write(int fd, int64_t offset, size_t len)
{
    if (fd < 0 || fd >= MAX_FD || tracked[fd] == 0 || len == 0) {
        return;
    }
    struct stat st;
    if (fstat(fd, &st) != 0) {
        fail("fstat");
    }
    for (size_t done = 0; done < len; done += MAX_BYTES) {
        size_t piece = len - done < MAX_BYTES ? len - done : MAX_BYTES;
        note_piece(fd, offset + (int64_t)done, piece, st.st_size);
    }
}

static int64_t end_or_position(int fd)
{
    struct stat st;
    int flags = (int)syscall(SYS_fcntl, fd, F_GETFL);
    if (flags >= 0 && (flags & O_APPEND) != 0) {
        return fstat(fd, &st) == 0 ? st.st_size : 0;
    }
    return lseek(fd, 0, SEEK_CUR);
}

static int note_sync(int fd)
{
    if (fd >= 0 && fd < MAX_FD && tracked[fd] != 0) {
        struct record r = {tracked[fd], -1, 0, 0};
        put(&r, NULL, 0);
        return 0;
    }
    return 1;
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    if (fd >= 0 && fd < MAX_FD && tracked[fd] != 0) {
        note_write(fd, end_or_position(fd), len);
    }
    return syscall(SYS_write, fd, bytes, len);
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
    note_write(fd, offset, len);
    return syscall(SYS_pwrite64, fd, bytes, len, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t offset)
{
    return pwrite(fd, bytes, len, offset);
}

int ftruncate(int fd, off_t length)
{
    if (fd >= 0 && fd < MAX_FD && tracked[fd] != 0) {
        struct stat st;
        if (fstat(fd, &st) == 0 && length < st.st_size) {
            note_write(fd, length, (size_t)(st.st_size - length));
        }
    }
    return (int)syscall(SYS_ftruncate, fd, length);
}

int ftruncate64(int fd, off64_t length)
{
    return ftruncate(fd, length);
}

int fsync(int fd)
{
    return note_sync(fd) == 0 ? 0 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    return note_sync(fd) == 0 ? 0 : (int)syscall(SYS_fdatasync, fd);
}

int close(int fd)
{
    if (fd >= 0 && fd == log_fd) {
        return 0; /* close-everything loops must not lose the log */
    }
    if (fd >= 0 && fd < MAX_FD) {
        tracked[fd] = 0;
    }
    return (int)syscall(SYS_close, fd);
}

static int open_at(int dir, const char *path, int flags, mode_t mode)
{
    int fd = (int)syscall(SYS_openat, dir, path, flags, mode);
    if (fd >= 0 && (flags & O_ACCMODE) != O_RDONLY) {
        track(fd, path);
    }
    return fd;
}

#define OPEN_BODY(dir_)                                                            \
    va_list args;                                                                  \
    va_start(args, flags);                                                         \
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(args, mode_t) : 0; \
    va_end(args);                                                                  \
    return open_at((dir_), path, flags, mode)

int open(const char *path, int flags, ...)
{
    OPEN_BODY(AT_FDCWD);
}

int open64(const char *path, int flags, ...)
{
    OPEN_BODY(AT_FDCWD);
}

int openat(int dir, const char *path, int flags, ...)
{
    OPEN_BODY(dir);
}

int openat64(int dir, const char *path, int flags, ...)
{
    OPEN_BODY(dir);
}
