/* The journal's system calls on real files. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "signer/journal.h"

enum { PATH_SIZE = 1200 };

static int open_file(void *self, const char *folder, const char *name)
{
    (void)self; /* the kernel keeps our state */
    char path[PATH_SIZE];
    int len = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (len < 0 || (size_t)len >= sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    LT_CLEANUP(lt_fd_closep) int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CLEANUP(lt_fd_closep) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (dir < 0 || fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0) {
        return -1;
    }
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        errno = EINVAL;
        return -1;
    }
    if (fsync(dir) != 0) { /* the file's name must be as durable as its bytes */
        return -1;
    }
    return LT_TAKE(fd, -1);
}

static void close_file(void *self, int fd)
{
    (void)self;
    (void)close(fd); /* what counts was synced before */
}

static ssize_t read_at(void *self, int fd, void *out, size_t len, uint64_t offset)
{
    (void)self;
    return pread(fd, out, len, (off_t)offset);
}

static ssize_t write_at(void *self, int fd, const void *bytes, size_t len, uint64_t offset)
{
    (void)self;
    return pwrite(fd, bytes, len, (off_t)offset);
}

static int sync_file(void *self, int fd)
{
    (void)self;
    return fdatasync(fd);
}

static int truncate_file(void *self, int fd, uint64_t len)
{
    (void)self;
    return ftruncate(fd, (off_t)len);
}

static int64_t size_of(void *self, int fd)
{
    (void)self;
    struct stat st;
    return fstat(fd, &st) == 0 ? (int64_t)st.st_size : -1;
}

const struct journal_io journal_io_posix = {
    .open = open_file,
    .close = close_file,
    .read_at = read_at,
    .write_at = write_at,
    .sync = sync_file,
    .truncate = truncate_file,
    .size = size_of,
};
