/* One folder of segments: its writer, and reading a frame. */
#include "store/segment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

enum {
    MIB = 1024 * 1024,
    ROTATE_MIB = 64,
    WAITING_MAX = 256 * MIB, /* of one group */
    TAIL_MAX = 1024 * MIB,   /* behind what the book names: one group, or what a restored book has not */
    FILE_MODE = 0640,
};

struct store_segments {
    int folder; /* owned */
    int fd;     /* owned; of the newest segment; -1: it has no file yet */
    const struct store_segment_io *io;
    uint64_t rotate_bytes;
    int month; /* in which the newest was begun */
    uint32_t number;
    uint32_t last;         /* that it may use */
    uint64_t synced;       /* bytes of it that are on the disk */
    bool spoilt;           /* behind them lies what a failed write left */
    struct lt_buf waiting; /* behind them, of the open group */
};

static long posix_pwrite(int fd, const void *bytes, size_t len, int64_t offset)
{
    return pwrite(fd, bytes, len, offset);
}

static int posix_truncate(int fd, int64_t len)
{
    return ftruncate(fd, len);
}

const struct store_segment_io store_segment_posix = {posix_pwrite, fdatasync, posix_truncate};

/* ENOSPC and its like come and go. */
static lt_res disk_failed(uint32_t number, const char *doing)
{
    int e = errno;
    bool full = e == ENOSPC || e == EDQUOT || e == EFBIG;
    LT_FAIL(full ? LT_RETRY_UNAVAILABLE : LT_STATE_IO, "evidence segment %06u: %s: %s", number, doing,
            strerror(e));
}

/* --- reading -------------------------------------------------------------------------------------------- */

static lt_res read_at(int fd, uint64_t position, uint8_t *out, size_t len)
{
    size_t got = 0;
    while (got < len) {
        ssize_t n = pread(fd, &out[got], len - got, (off_t)(position + got));
        LT_CHECK(n > 0 || (n < 0 && errno == EINTR), LT_STATE_CORRUPT, "the segment ends before it");
        got += n > 0 ? (size_t)n : 0;
    }
    return LT_OK;
}

static lt_res read_frame(int fd, const struct store_frame_ref *ref, struct lt_arena *a, lt_slice *ret_plain)
{
    LT_CHECK(ref->length >= STORE_FRAME_HEAD_LEN && ref->length <= 2 * STORE_FRAME_PLAIN_MAX,
             LT_STATE_CORRUPT, "the book names a frame of %u bytes", ref->length);
    uint8_t *bytes = lt_arena_alloc(a, ref->length);
    LT_CHECK(bytes != NULL, LT_PEER_TOO_LARGE, "a frame of %u bytes is too large here", ref->length);
    LT_TRY(read_at(fd, ref->position, bytes, ref->length));
    return store_frame_read(LT_SLICE(bytes, ref->length), ref->sha256, a, ret_plain);
}

static lt_res read_from(int folder, const char *path, const struct store_frame_ref *ref, struct lt_arena *a,
                        lt_slice *ret_plain)
{
    char name[STORE_SEGMENT_NAME_SIZE];
    LT_CHECK(ref->segment > 0 && ref->segment <= STORE_SEGMENT_NUMBER_MAX, LT_STATE_CORRUPT,
             "the book names segment %u", ref->segment);
    store_segment_name(ref->segment, name);
    LT_CLEANUP(lt_fd_closep) int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    LT_CHECK(fd >= 0 || errno != ENOENT, LT_PEER_NOT_FOUND, "%s%s is missing", path, name);
    LT_CHECK(fd >= 0, LT_STATE_IO, "%s%s: %s", path, name, strerror(errno));
    return read_frame(fd, ref, a, ret_plain);
}

lt_res store_segment_read(const char *folder, const struct store_frame_ref *ref, struct lt_arena *a,
                          lt_slice *ret_plain)
{
    LT_CLEANUP(lt_fd_closep) int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(fd >= 0, LT_PEER_NOT_FOUND, "%s: %s", folder, strerror(errno));
    return read_from(fd, "evidence/", ref, a, ret_plain);
}

lt_res store_segments_read(const struct store_segments *s, const struct store_frame_ref *ref,
                           struct lt_arena *a, lt_slice *ret_plain)
{
    if (ref->segment == s->number && ref->position >= s->synced) {
        return store_frame_read(store_segments_waiting(s, ref), ref->sha256, a, ret_plain);
    }
    return read_from(s->folder, "", ref, a, ret_plain);
}

/* --- opening -------------------------------------------------------------------------------------------- */

/* "000012.seg" is 12; 0 for whatever else lies there. */
static uint32_t number_of(const char *name)
{
    char own[STORE_SEGMENT_NAME_SIZE];
    char *end = NULL;
    unsigned long n = strtoul(name, &end, 10);
    if (n == 0 || n > STORE_SEGMENT_NUMBER_MAX) {
        return 0;
    }
    store_segment_name((uint32_t)n, own);
    return strcmp(own, name) == 0 ? (uint32_t)n : 0;
}

static lt_res find_newest(int folder, uint32_t first, uint32_t last, uint32_t *ret_number)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *e;
    LT_CHECK(dir != NULL, LT_STATE_IO, "the folder of evidence: %s", strerror(errno));
    *ret_number = 0;
    while ((e = readdir(dir)) != NULL) {
        uint32_t n = number_of(e->d_name);
        *ret_number = n > *ret_number && n >= first && n <= last ? n : *ret_number;
    }
    (void)closedir(dir); /* was only read */
    return LT_OK;
}

/* How far whole frames go, from `from` on. */
static uint64_t whole_until(lt_slice tail, uint64_t from)
{
    struct store_frame_ref ref = {0};
    while (tail.len > 0 && !lt_failed(store_frame_check(tail, &ref))) {
        tail = lt_slice_sub(tail, ref.length, SIZE_MAX);
        from += ref.length;
    }
    return from;
}

static int month_of(int64_t us)
{
    struct lt_date d = lt_date_of((lt_time){us});
    return d.year * 12 + d.month;
}

/* Behind `from` lies what no row names, or nothing: whole frames stay, the rest is cut. */
static lt_res mend_tail(struct store_segments *s, uint64_t from, uint64_t size)
{
    struct lt_arena tail;
    LT_CHECK(size - from <= TAIL_MAX, LT_STATE_CORRUPT, "evidence segment %06u: %llu bytes that no row names",
             s->number, (unsigned long long)(size - from));
    lt_arena_init(&tail, (size_t)TAIL_MAX + MIB);
    uint8_t *bytes = lt_arena_alloc(&tail, (size_t)(size - from) + 1);
    LT_ASSERT(bytes != NULL);
    lt_res r = read_at(s->fd, from, bytes, (size_t)(size - from));
    uint64_t good = lt_failed(r) ? from : whole_until(LT_SLICE(bytes, size - from), from);
    lt_arena_done(&tail);
    LT_TRY(r);
    if (good < size && (s->io->truncate(s->fd, (int64_t)good) != 0 || s->io->sync(s->fd) != 0)) {
        return disk_failed(s->number, "cutting off what is torn");
    }
    s->synced = good;
    return LT_OK;
}

/* A segment that the book does not name may have been torn in its header: then it begins anew. */
static lt_res open_newest(struct store_segments *s, uint64_t named)
{
    char name[STORE_SEGMENT_NAME_SIZE];
    uint8_t header[STORE_SEGMENT_HEADER_LEN];
    struct stat st;
    store_segment_name(s->number, name);
    s->fd = openat(s->folder, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    LT_CHECK(s->fd >= 0 && fstat(s->fd, &st) == 0, LT_STATE_IO, "evidence/%s: %s", name, strerror(errno));
    uint64_t size = (uint64_t)st.st_size;
    bool begun = size >= sizeof header && !lt_failed(read_at(s->fd, 0, header, sizeof header)) &&
                 !lt_failed(store_segment_header_read(LT_SLICE(header, sizeof header), s->number));
    if (!begun && named == 0) {
        s->spoilt = size > 0;
        return LT_OK;
    }
    LT_CHECK(begun, LT_STATE_CORRUPT, "evidence/%s: its header is damaged", name);
    s->month = month_of(store_segment_created(LT_SLICE(header, sizeof header)));
    LT_CHECK(size >= named, LT_STATE_CORRUPT, "evidence/%s has %llu bytes, the book names %llu of it", name,
             (unsigned long long)size, (unsigned long long)named);
    return mend_tail(s, named > sizeof header ? named : sizeof header, size);
}

static void begin_new(struct store_segments *s, uint32_t number, lt_time now)
{
    s->month = month_of(now.us);
    lt_fd_closep(&s->fd);
    s->fd = -1;
    s->number = number;
    s->synced = 0;
    s->spoilt = false;
    lt_buf_reset(&s->waiting);
    store_segment_header(number, now.us, &s->waiting);
}

static lt_res open_folder(struct store_segments *s, const struct store_segments_options *o,
                          struct lt_arena *a, const char **ret_lost)
{
    uint32_t newest = 0;
    uint32_t first = o->first == 0 ? 1 : o->first;
    s->last = o->last == 0 ? STORE_SEGMENT_NUMBER_MAX : o->last;
    s->folder = open(o->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    LT_CHECK(s->folder >= 0, LT_STATE_IO, "%s: %s", o->folder, strerror(errno));
    LT_TRY(find_newest(s->folder, first, s->last, &newest));
    if (newest == 0 && o->named_segment == 0) {
        begin_new(s, first, o->now);
        return LT_OK;
    }
    s->number = newest;
    lt_res r = LT_OK;
    if (newest < o->named_segment) {
        r = lt_fail(LT_STATE_CORRUPT, __FILE__, __LINE__, "evidence/%06u.seg is missing", o->named_segment);
    } else {
        r = open_newest(s, newest == o->named_segment ? o->named_length : 0);
    }
    if (r.code == LT_STATE_CORRUPT) {
        uint32_t last = newest > o->named_segment ? newest : o->named_segment;
        *ret_lost = lt_arena_cstr(a, lt_slice_cstr(lt_error_last()->detail));
        LT_CHECK(*ret_lost != NULL, LT_PEER_TOO_LARGE, "too much is lost to tell");
        LT_CHECK(last < s->last, LT_STATE_CORRUPT, "there are no segments left");
        begin_new(s, last + 1, o->now);
        return LT_OK;
    }
    if (!lt_failed(r) && s->synced == 0) {
        s->month = month_of(o->now.us);
        store_segment_header(s->number, o->now.us, &s->waiting);
    }
    return r;
}

lt_res store_segments_open(const struct store_segments_options *options, struct lt_arena *a,
                           struct store_segments **ret_segments, const char **ret_lost)
{
    struct store_segments *s = calloc(1, sizeof *s);
    LT_ASSERT(s != NULL);
    s->folder = -1;
    s->fd = -1;
    s->io = options->io == NULL ? &store_segment_posix : options->io;
    s->rotate_bytes = options->rotate_bytes == 0 ? (uint64_t)ROTATE_MIB * MIB : options->rotate_bytes;
    lt_buf_init(&s->waiting, WAITING_MAX);
    *ret_lost = NULL;
    lt_res r = open_folder(s, options, a, ret_lost);
    if (lt_failed(r)) {
        store_segments_close(s);
        return r;
    }
    *ret_segments = s;
    return LT_OK;
}

void store_segments_close(struct store_segments *s)
{
    if (s == NULL) {
        return;
    }
    lt_fd_closep(&s->fd);
    lt_fd_closep(&s->folder);
    lt_buf_done(&s->waiting);
    free(s);
}

/* --- writing -------------------------------------------------------------------------------------------- */

/* What waits of a segment that has no byte on the disk: its header. */
static size_t nothing_waits(const struct store_segments *s)
{
    return s->synced == 0 ? STORE_SEGMENT_HEADER_LEN : 0;
}

lt_res store_segments_append(struct store_segments *s, lt_slice plain, lt_time now,
                             struct store_frame_ref *ret_ref)
{
    bool over = s->synced >= s->rotate_bytes || (s->synced > 0 && s->month != month_of(now.us));
    if (s->waiting.len == 0 && over && s->number < s->last) {
        begin_new(s, s->number + 1, now);
    }
    size_t mark = s->waiting.len;
    ret_ref->segment = s->number;
    ret_ref->position = s->synced + mark;
    lt_res r = store_frame_write(plain, &s->waiting, ret_ref);
    if (lt_failed(r)) {
        store_segments_cut(s, mark);
    }
    return r;
}

lt_slice store_segments_waiting(const struct store_segments *s, const struct store_frame_ref *ref)
{
    bool waits = ref->segment == s->number && ref->position >= s->synced;
    return waits ? lt_slice_sub(lt_buf_slice(&s->waiting), ref->position - s->synced, ref->length)
                 : LT_SLICE(NULL, 0);
}

size_t store_segments_mark(const struct store_segments *s)
{
    return s->waiting.len;
}

void store_segments_cut(struct store_segments *s, size_t mark)
{
    size_t least = nothing_waits(s);
    s->waiting.overflow = false;
    s->waiting.len = mark < least ? least : mark;
}

void store_segments_drop(struct store_segments *s)
{
    store_segments_cut(s, 0);
}

static lt_res make_file(struct store_segments *s)
{
    char name[STORE_SEGMENT_NAME_SIZE];
    store_segment_name(s->number, name);
    s->fd = openat(s->folder, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    s->spoilt = true; /* whatever an earlier try left in it */
    return s->fd >= 0 ? LT_OK : disk_failed(s->number, "making it");
}

static lt_res write_waiting(struct store_segments *s)
{
    size_t done = 0;
    while (done < s->waiting.len) {
        long n = s->io->pwrite(s->fd, &s->waiting.ptr[done], s->waiting.len - done,
                               (int64_t)(s->synced + done));
        if (n <= 0 && errno != EINTR) {
            return disk_failed(s->number, "writing");
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return s->io->sync(s->fd) == 0 ? LT_OK : disk_failed(s->number, "syncing");
}

static lt_res flush(struct store_segments *s)
{
    bool fresh = s->synced == 0;
    if (s->fd < 0) {
        LT_TRY(make_file(s));
    }
    if (s->spoilt && s->io->truncate(s->fd, (int64_t)s->synced) != 0) {
        return disk_failed(s->number, "cutting off what a failed write left");
    }
    s->spoilt = true; /* until it is whole */
    LT_TRY(write_waiting(s));
    if (fresh && s->io->sync(s->folder) != 0) {
        return disk_failed(s->number, "syncing its folder");
    }
    s->spoilt = false;
    return LT_OK;
}

lt_res store_segments_flush(struct store_segments *s, uint32_t *ret_segment, uint64_t *ret_length)
{
    *ret_segment = 0;
    *ret_length = 0;
    if (s->waiting.len <= nothing_waits(s)) {
        return LT_OK;
    }
    lt_res r = flush(s);
    if (lt_failed(r)) {
        store_segments_drop(s);
        return r;
    }
    s->synced += s->waiting.len;
    lt_buf_reset(&s->waiting);
    *ret_segment = s->number;
    *ret_length = s->synced;
    return LT_OK;
}
