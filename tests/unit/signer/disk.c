/* The disk in memory. */
#include "disk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t disk_random(struct disk *d)
{
    d->random ^= d->random << 13;
    d->random ^= d->random >> 7;
    d->random ^= d->random << 17;
    return d->random;
}

struct disk_file *disk_file(struct disk *d, const char *name)
{
    for (size_t i = 0; i < d->count; i++) {
        if (strcmp(d->files[i].name, name) == 0) {
            return &d->files[i];
        }
    }
    return NULL;
}

static enum disk_failure next_call(struct disk *d)
{
    unsigned n = ++d->calls;
    bool fails = d->fail_at != 0 && n >= d->fail_at && n < d->fail_at + d->fail_count;
    return fails ? d->failure : DISK_FINE;
}

static int open_file(void *self, const char *folder, const char *name)
{
    struct disk *d = self;
    char path[64];
    (void)snprintf(path, sizeof path, "%.20s/%.30s", folder, name);
    struct disk_file *f = disk_file(d, path);
    if (f == NULL) {
        LT_ASSERT(d->count < DISK_FILES);
        f = &d->files[d->count++];
        memcpy(f->name, path, sizeof path);
        f->cache = calloc(1, DISK_FILE_MAX);
        f->durable = calloc(1, DISK_FILE_MAX);
        LT_ASSERT(f->cache != NULL && f->durable != NULL);
    }
    if (f->locked) {
        errno = EWOULDBLOCK;
        return -1;
    }
    f->locked = true;
    return (int)(f - d->files);
}

static void close_file(void *self, int fd)
{
    struct disk *d = self;
    d->files[fd].locked = false;
}

static ssize_t read_at(void *self, int fd, void *out, size_t len, uint64_t offset)
{
    struct disk *d = self;
    const struct disk_file *f = &d->files[fd];
    if (offset >= f->cache_len) {
        return 0;
    }
    size_t n = f->cache_len - offset < len ? f->cache_len - (size_t)offset : len;
    memcpy(out, f->cache + offset, n);
    return (ssize_t)n;
}

static ssize_t put(struct disk_file *f, const void *bytes, size_t len, uint64_t offset)
{
    LT_ASSERT(offset + len <= DISK_FILE_MAX);
    memcpy(f->cache + offset, bytes, len);
    f->cache_len = offset + len > f->cache_len ? (size_t)offset + len : f->cache_len;
    for (uint64_t at = offset / DISK_SECTOR; at * DISK_SECTOR < offset + len; at++) {
        f->dirty[at] = true;
    }
    return (ssize_t)len;
}

static ssize_t write_at(void *self, int fd, const void *bytes, size_t len, uint64_t offset)
{
    struct disk *d = self;
    struct disk_file *f = &d->files[fd];
    enum disk_failure failure = next_call(d);
    if (d->full_next) {
        d->full_next = false;
        failure = DISK_FULL;
    }
    switch (failure) {
    case DISK_FINE:
        return put(f, bytes, len, offset);
    case DISK_SHORT_THEN_FULL:
        d->full_next = true;
        return put(f, bytes, len - len / 3, offset);
    case DISK_EIO:
        errno = EIO;
        return -1;
    case DISK_FULL:
        errno = ENOSPC;
        return -1;
    }
    return -1;
}

static void settle_sector(struct disk_file *f, size_t at)
{
    memcpy(f->durable + at * DISK_SECTOR, f->cache + at * DISK_SECTOR, DISK_SECTOR);
    size_t end = (at + 1) * DISK_SECTOR;
    end = end < f->cache_len ? end : f->cache_len;
    f->durable_len = end > f->durable_len ? end : f->durable_len;
}

static int sync_file(void *self, int fd)
{
    struct disk *d = self;
    struct disk_file *f = &d->files[fd];
    bool fails = next_call(d) != DISK_FINE;
    for (size_t at = 0; at < DISK_SECTORS; at++) {
        if (f->dirty[at] && (!fails || disk_random(d) % 2 == 0)) {
            settle_sector(f, at);
        }
        f->dirty[at] = false; /* failed or not: the kernel calls them clean */
    }
    if (fails) {
        errno = EIO;
        return -1;
    }
    f->durable_len = f->cache_len;
    memset(f->durable + f->durable_len, 0, DISK_FILE_MAX - f->durable_len);
    return 0;
}

static int truncate_file(void *self, int fd, uint64_t len)
{
    struct disk *d = self;
    struct disk_file *f = &d->files[fd];
    if (next_call(d) == DISK_EIO) {
        errno = EIO;
        return -1;
    }
    LT_ASSERT(len <= DISK_FILE_MAX);
    f->cache_len = (size_t)len;
    memset(f->cache + len, 0, DISK_FILE_MAX - (size_t)len);
    return 0;
}

static int64_t size_of(void *self, int fd)
{
    struct disk *d = self;
    return (int64_t)d->files[fd].cache_len;
}

void disk_init(struct disk *d, uint64_t seed)
{
    *d = (struct disk){.random = seed * 2654435761U + 1,
                       .io = {.open = open_file,
                              .close = close_file,
                              .read_at = read_at,
                              .write_at = write_at,
                              .sync = sync_file,
                              .truncate = truncate_file,
                              .size = size_of}};
    d->io.self = d;
    for (int i = 0; i < 8; i++) {
        (void)disk_random(d); /* the first few are alike for neighbouring seeds */
    }
}

void disk_done(struct disk *d)
{
    for (size_t i = 0; i < d->count; i++) {
        free(d->files[i].cache);
        free(d->files[i].durable);
    }
}

void disk_kill(struct disk *d)
{
    for (size_t i = 0; i < d->count; i++) {
        d->files[i].locked = false;
    }
}

void disk_power_cut(struct disk *d, bool keep)
{
    disk_kill(d);
    for (size_t i = 0; i < d->count; i++) {
        struct disk_file *f = &d->files[i];
        for (size_t at = 0; at < DISK_SECTORS; at++) {
            if (keep && f->dirty[at] && disk_random(d) % 2 == 0) {
                settle_sector(f, at);
            }
            f->dirty[at] = false;
        }
        memcpy(f->cache, f->durable, DISK_FILE_MAX);
        f->cache_len = f->durable_len;
    }
}
