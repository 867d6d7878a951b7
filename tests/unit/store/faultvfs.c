/* A disk in memory that fails on demand. */
#include "faultvfs.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

enum { FILES_MAX = 8, NAME_LEN = 256, SECTOR = 512, SHM_REGIONS = 64, DISK_FILE_MAX = 64 * 1024 * 1024 };

struct image {
    uint8_t *bytes;
    int64_t len;
    int64_t size; /* allocated */
};

struct disk_file {
    char name[NAME_LEN];  /* "": free */
    struct image now;     /* what a reader sees */
    struct image dirty;   /* what the next sync makes durable: less than `now` once a sync has failed */
    struct image durable; /* what a power cut leaves */
    bool exists;
    bool was_synced; /* so its name survives */
    bool persist_wal;
    void *shm[SHM_REGIONS];
};

struct handle {
    sqlite3_file base;
    struct disk_file *file;
    bool temporary;
};

static struct {
    struct disk_file files[FILES_MAX];
    enum faultvfs_kind kind;
    uint64_t n;
    uint64_t calls;
    uint64_t busy_count;
    bool struck;
} disk;

enum call { CALL_READ, CALL_WRITE, CALL_SYNC, CALL_OPEN, CALL_OTHER, CALL_LOCK };

static bool counts(enum call call)
{
    switch (disk.kind) {
    case FAULTVFS_NONE:
        return false;
    case FAULTVFS_IO:
    case FAULTVFS_KILL:
        return call != CALL_LOCK;
    case FAULTVFS_FULL:
        return call == CALL_WRITE;
    case FAULTVFS_BUSY:
        return call == CALL_LOCK;
    }
    return false;
}

/* Does this call fail? */
static bool strikes(enum call call)
{
    if (!counts(call)) {
        return false;
    }
    disk.calls++;
    bool hit = disk.calls == disk.n;
    if (disk.kind == FAULTVFS_KILL || disk.kind == FAULTVFS_FULL) {
        hit = disk.calls >= disk.n;
    } else if (disk.kind == FAULTVFS_BUSY) {
        hit = disk.calls >= disk.n && disk.calls < disk.n + disk.busy_count;
    }
    disk.struck = disk.struck || hit;
    return hit;
}

static bool grow(struct image *i, int64_t len)
{
    if (len > DISK_FILE_MAX) {
        return false;
    }
    if (len > i->size) {
        int64_t size = len * 2;
        uint8_t *p = realloc(i->bytes, (size_t)size);
        if (p == NULL) {
            return false;
        }
        memset(p + i->size, 0, (size_t)(size - i->size));
        i->bytes = p;
        i->size = size;
    }
    if (len > i->len) {
        memset(i->bytes + i->len, 0, (size_t)(len - i->len));
        i->len = len;
    }
    return true;
}

static void copy_image(struct image *to, const struct image *from)
{
    to->len = 0;
    if (from->len > 0 && grow(to, from->len)) {
        memcpy(to->bytes, from->bytes, (size_t)from->len);
    }
}

static void drop_image(struct image *i)
{
    free(i->bytes);
    *i = (struct image){.len = 0};
}

static struct disk_file *find(const char *name, bool create)
{
    struct disk_file *unused = NULL;
    for (size_t i = 0; i < FILES_MAX; i++) {
        if (strcmp(disk.files[i].name, name) == 0) {
            return &disk.files[i];
        }
        if (disk.files[i].name[0] == 0 && unused == NULL) {
            unused = &disk.files[i];
        }
    }
    if (!create || unused == NULL || strlen(name) >= NAME_LEN) {
        return NULL;
    }
    memcpy(unused->name, name, strlen(name) + 1);
    return unused;
}

static struct disk_file *of(sqlite3_file *f)
{
    return ((struct handle *)(void *)f)->file;
}

static int fv_close(sqlite3_file *f)
{
    (void)f; /* files live on the disk */
    return SQLITE_OK;
}

static int fv_read(sqlite3_file *f, void *out, int amount, sqlite3_int64 offset)
{
    struct image *i = &of(f)->now;
    if (strikes(CALL_READ)) {
        return SQLITE_IOERR_READ;
    }
    memset(out, 0, (size_t)amount);
    if (offset >= i->len) {
        return SQLITE_IOERR_SHORT_READ;
    }
    int64_t there = i->len - offset;
    memcpy(out, i->bytes + offset, (size_t)(there < amount ? there : amount));
    return there < amount ? SQLITE_IOERR_SHORT_READ : SQLITE_OK;
}

static int fv_write(sqlite3_file *f, const void *bytes, int amount, sqlite3_int64 offset)
{
    struct image *i = &of(f)->now;
    if (strikes(CALL_WRITE)) {
        if (disk.kind == FAULTVFS_KILL && disk.calls == disk.n && grow(i, offset + amount / 2)) {
            memcpy(i->bytes + offset, bytes, (size_t)(amount / 2)); /* killed in the middle */
        }
        return disk.kind == FAULTVFS_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    }
    struct image *dirty = &of(f)->dirty;
    if (!grow(i, offset + amount) || !grow(dirty, offset + amount)) {
        return SQLITE_FULL;
    }
    memcpy(i->bytes + offset, bytes, (size_t)amount);
    memcpy(dirty->bytes + offset, bytes, (size_t)amount);
    return SQLITE_OK;
}

static int fv_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    if (strikes(CALL_OTHER)) {
        return SQLITE_IOERR_TRUNCATE;
    }
    of(f)->now.len = size < of(f)->now.len ? size : of(f)->now.len;
    of(f)->dirty.len = size < of(f)->dirty.len ? size : of(f)->dirty.len;
    return SQLITE_OK;
}

static int fv_sync(sqlite3_file *f, int flags)
{
    (void)flags;
    if (strikes(CALL_SYNC)) {
        /* As Linux does: what could not be written counts as clean, and the next sync says nothing of it. */
        copy_image(&of(f)->dirty, &of(f)->durable);
        return SQLITE_IOERR_FSYNC;
    }
    copy_image(&of(f)->durable, &of(f)->dirty);
    of(f)->was_synced = true;
    return SQLITE_OK;
}

static int fv_size(sqlite3_file *f, sqlite3_int64 *ret_size)
{
    if (strikes(CALL_OTHER)) {
        return SQLITE_IOERR_FSTAT;
    }
    *ret_size = of(f)->now.len;
    return SQLITE_OK;
}

static int fv_lock(sqlite3_file *f, int level)
{
    (void)f;
    (void)level;
    return strikes(CALL_LOCK) ? SQLITE_BUSY : SQLITE_OK;
}

static int fv_unlock(sqlite3_file *f, int level)
{
    (void)f;
    (void)level;
    return SQLITE_OK;
}

static int fv_check_lock(sqlite3_file *f, int *ret_taken)
{
    (void)f;
    *ret_taken = 0;
    return SQLITE_OK;
}

static int fv_control(sqlite3_file *f, int op, void *arg)
{
    if (op != SQLITE_FCNTL_PERSIST_WAL) {
        return SQLITE_NOTFOUND;
    }
    int *value = arg;
    if (*value >= 0) {
        of(f)->persist_wal = *value != 0;
    }
    *value = of(f)->persist_wal;
    return SQLITE_OK;
}

static int fv_sector(sqlite3_file *f)
{
    (void)f;
    return SECTOR;
}

static int fv_characteristics(sqlite3_file *f)
{
    (void)f;
    return 0; /* promises nothing */
}

static int fv_shm_map(sqlite3_file *f, int region, int size, int extend, void volatile **ret_region)
{
    struct disk_file *d = of(f);
    *ret_region = NULL;
    if (strikes(CALL_OTHER)) {
        return SQLITE_IOERR_SHMMAP;
    }
    if (region >= SHM_REGIONS) {
        return SQLITE_IOERR_SHMSIZE;
    }
    if (d->shm[region] == NULL && extend != 0) {
        d->shm[region] = calloc(1, (size_t)size);
    }
    *ret_region = d->shm[region];
    return SQLITE_OK;
}

static int fv_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
    (void)f;
    (void)offset;
    (void)n;
    bool takes = (flags & SQLITE_SHM_LOCK) != 0 && (flags & SQLITE_SHM_EXCLUSIVE) != 0;
    return takes && strikes(CALL_LOCK) ? SQLITE_BUSY : SQLITE_OK;
}

static void fv_shm_barrier(sqlite3_file *f)
{
    (void)f;
}

static void drop_shm(struct disk_file *d)
{
    for (size_t i = 0; i < SHM_REGIONS; i++) {
        free(d->shm[i]);
        d->shm[i] = NULL;
    }
}

static int fv_shm_unmap(sqlite3_file *f, int delete_it)
{
    if (delete_it != 0) {
        drop_shm(of(f));
    }
    return SQLITE_OK;
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = fv_close,
    .xRead = fv_read,
    .xWrite = fv_write,
    .xTruncate = fv_truncate,
    .xSync = fv_sync,
    .xFileSize = fv_size,
    .xLock = fv_lock,
    .xUnlock = fv_unlock,
    .xCheckReservedLock = fv_check_lock,
    .xFileControl = fv_control,
    .xSectorSize = fv_sector,
    .xDeviceCharacteristics = fv_characteristics,
    .xShmMap = fv_shm_map,
    .xShmLock = fv_shm_lock,
    .xShmBarrier = fv_shm_barrier,
    .xShmUnmap = fv_shm_unmap,
};

static int fv_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *ret_flags)
{
    (void)v;
    f->pMethods = NULL;
    struct disk_file *d = name == NULL ? NULL : find(name, true);
    if (d == NULL || strikes(CALL_OPEN)) {
        return SQLITE_CANTOPEN;
    }
    if (!d->exists && (flags & SQLITE_OPEN_CREATE) == 0) {
        return SQLITE_CANTOPEN;
    }
    d->exists = true;
    ((struct handle *)(void *)f)->file = d;
    f->pMethods = &methods;
    if (ret_flags != NULL) {
        *ret_flags = flags;
    }
    return SQLITE_OK;
}

static int fv_delete(sqlite3_vfs *v, const char *name, int sync_folder)
{
    (void)v;
    struct disk_file *d = find(name, false);
    if (strikes(CALL_OTHER)) {
        return SQLITE_IOERR_DELETE;
    }
    if (d == NULL || !d->exists) {
        return SQLITE_IOERR_DELETE_NOENT;
    }
    d->exists = false;
    d->now.len = 0;
    d->dirty.len = 0;
    if (sync_folder != 0) {
        d->durable.len = 0; /* otherwise a power cut brings it back */
        d->was_synced = false;
    }
    return SQLITE_OK;
}

static int fv_access(sqlite3_vfs *v, const char *name, int flags, int *ret_yes)
{
    (void)v;
    (void)flags;
    struct disk_file *d = find(name, false);
    *ret_yes = d != NULL && d->exists && d->now.len > 0;
    return SQLITE_OK;
}

static int fv_full_name(sqlite3_vfs *v, const char *name, int size, char *out)
{
    (void)v;
    sqlite3_snprintf(size, out, "%s", name);
    return SQLITE_OK;
}

static int fv_randomness(sqlite3_vfs *v, int len, char *out)
{
    (void)v;
    for (int i = 0; i < len; i++) {
        out[i] = (char)(i * 7 + 1); /* the same every time */
    }
    return len;
}

static int fv_sleep(sqlite3_vfs *v, int us)
{
    (void)v;
    return us; /* no time passes */
}

static int fv_time(sqlite3_vfs *v, double *ret_now)
{
    (void)v;
    *ret_now = 2461000.5;
    return SQLITE_OK;
}

static int fv_last_error(sqlite3_vfs *v, int len, char *out)
{
    (void)v;
    (void)len;
    (void)out;
    return 0;
}

void faultvfs_register(void)
{
    static sqlite3_vfs vfs = {
        .iVersion = 1,
        .szOsFile = (int)sizeof(struct handle),
        .mxPathname = NAME_LEN,
        .zName = FAULTVFS_NAME,
        .xOpen = fv_open,
        .xDelete = fv_delete,
        .xAccess = fv_access,
        .xFullPathname = fv_full_name,
        .xRandomness = fv_randomness,
        .xSleep = fv_sleep,
        .xCurrentTime = fv_time,
        .xGetLastError = fv_last_error,
    };
    if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK) {
        abort();
    }
}

void faultvfs_format(void)
{
    for (size_t i = 0; i < FILES_MAX; i++) {
        struct disk_file *d = &disk.files[i];
        drop_image(&d->now);
        drop_image(&d->dirty);
        drop_image(&d->durable);
        drop_shm(d);
        *d = (struct disk_file){.exists = false};
    }
    faultvfs_arm(FAULTVFS_NONE, 0);
}

void faultvfs_arm(enum faultvfs_kind kind, uint64_t n)
{
    disk.kind = kind;
    disk.n = n;
    disk.calls = 0;
    disk.busy_count = 1;
    disk.struck = false;
}

void faultvfs_busy_count(uint64_t count)
{
    disk.busy_count = count;
}

uint64_t faultvfs_calls(void)
{
    return disk.calls;
}

bool faultvfs_struck(void)
{
    return disk.struck;
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Sectors written since the last sync: each reached the disk, or did not. */
static void tear(struct disk_file *d, uint64_t *state)
{
    int64_t len = (next_random(state) & 1) != 0 ? d->now.len : d->durable.len;
    if (len > d->durable.len && !grow(&d->durable, len)) {
        abort();
    }
    d->durable.len = len;
    for (int64_t at = 0; at < len && at < d->now.len; at += SECTOR) {
        int64_t end = at + SECTOR < d->now.len ? at + SECTOR : d->now.len;
        end = end < len ? end : len;
        if ((next_random(state) & 1) != 0) {
            memcpy(d->durable.bytes + at, d->now.bytes + at, (size_t)(end - at));
        }
    }
}

void faultvfs_power_cut(uint64_t seed)
{
    uint64_t state = seed;
    for (size_t i = 0; i < FILES_MAX; i++) {
        struct disk_file *d = &disk.files[i];
        if (d->name[0] == 0) {
            continue;
        }
        if (seed != 0) {
            tear(d, &state);
        }
        copy_image(&d->now, &d->durable);
        copy_image(&d->dirty, &d->durable);
        d->exists = d->was_synced || d->now.len > 0;
        drop_shm(d);
    }
    faultvfs_arm(FAULTVFS_NONE, 0);
}
