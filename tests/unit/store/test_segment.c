/* Segments: what was synced is there, whole, after whatever happens next; what was not is cut off or refused.
 */
#include "store/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../check.h"

#include "base/file.h"
#include "base/text.h"
#include "crypto/digest.h"

enum { ARENA_MAX = 64 * 1024 * 1024, FRAMES = 12, PATH_SIZE = 128 };

#define assert_same(a_, b_) assert_true(lt_slice_eq((a_), (b_)))

struct rig {
    char folder[64];
    struct lt_arena a;
    struct store_segments *s;
    struct store_segments_options o;
    const char *lost;
    struct store_frame_ref refs[512];
};

static int set_up(void **state)
{
    struct rig *r = calloc(1, sizeof *r);
    assert_non_null(r);
    (void)snprintf(r->folder, sizeof r->folder, "/tmp/lintel-segments-XXXXXX");
    assert_non_null(mkdtemp(r->folder));
    lt_arena_init(&r->a, ARENA_MAX);
    r->o.folder = r->folder;
    r->o.now = lt_time_from_seconds(1795305600);
    *state = r;
    return 0;
}

static void file_path(const struct rig *r, uint32_t number, char path[PATH_SIZE])
{
    char name[STORE_SEGMENT_NAME_SIZE];
    store_segment_name(number, name);
    (void)snprintf(path, PATH_SIZE, "%s/%s", r->folder, name);
}

static int tear_down(void **state)
{
    struct rig *r = *state;
    char path[PATH_SIZE];
    store_segments_close(r->s);
    for (uint32_t i = 1; i < 64; i++) {
        file_path(r, i, path);
        (void)unlink(path); /* there or not */
    }
    assert_int_equal(rmdir(r->folder), 0);
    lt_arena_done(&r->a);
    free(r);
    return 0;
}

static void open_it(struct rig *r)
{
    assert_ok(store_segments_open(&r->o, &r->a, &r->s, &r->lost));
}

static void again(struct rig *r)
{
    store_segments_close(r->s);
    r->s = NULL;
    open_it(r);
}

/* Plain bytes of frame i: partly its own, partly what every frame has. */
static lt_slice plain_of(struct rig *r, size_t i)
{
    char *text = lt_arena_printf(&r->a, "frame %zu of insecure http-01 answers, www%zu.example.com %0*zu", i,
                                 i * 7919, (int)(1 + i * 13 % 300), i);
    assert_non_null(text);
    return lt_slice_cstr(text);
}

static void append(struct rig *r, size_t i)
{
    assert_ok(store_segments_append(r->s, plain_of(r, i), r->o.now, &r->refs[i]));
}

static void flush(struct rig *r)
{
    uint32_t segment = 0;
    uint64_t length = 0;
    assert_ok(store_segments_flush(r->s, &segment, &length));
    if (segment != 0) {
        r->o.named_segment = segment;
        r->o.named_length = length;
    }
}

static void assert_there(struct rig *r, size_t i)
{
    lt_slice got;
    assert_ok(store_segments_read(r->s, &r->refs[i], &r->a, &got));
    assert_same(got, plain_of(r, i));
    assert_ok(store_segment_read(r->folder, &r->refs[i], &r->a, &got));
    assert_same(got, plain_of(r, i));
}

static off_t size_of(const struct rig *r, uint32_t number)
{
    char path[PATH_SIZE];
    struct stat st;
    file_path(r, number, path);
    return stat(path, &st) == 0 ? st.st_size : -1;
}

static void cut_file(const struct rig *r, uint32_t number, off_t len)
{
    char path[PATH_SIZE];
    file_path(r, number, path);
    assert_int_equal(truncate(path, len), 0);
}

static void flip(const struct rig *r, uint32_t number, off_t at)
{
    char path[PATH_SIZE];
    uint8_t byte = 0;
    file_path(r, number, path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 0x20;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    assert_int_equal(close(fd), 0);
}

/* ---- what is written is there ---- */

static void round_trip(void **state)
{
    struct rig *r = *state;
    lt_slice got;
    open_it(r);
    assert_null(r->lost);
    assert_int_equal(size_of(r, 1), -1); /* nothing is made before it is needed */
    append(r, 0);
    assert_ok(store_segments_read(r->s, &r->refs[0], &r->a, &got)); /* still waiting */
    assert_same(got, plain_of(r, 0));
    assert_fails(store_segment_read(r->folder, &r->refs[0], &r->a, &got), LT_PEER_NOT_FOUND);
    flush(r);
    assert_int_equal(r->refs[0].position, STORE_SEGMENT_HEADER_LEN);
    for (size_t i = 1; i < FRAMES; i++) {
        append(r, i);
        if (i % 3 == 0) {
            flush(r);
        }
    }
    flush(r);
    assert_int_equal(size_of(r, 1), (off_t)r->o.named_length);
    for (size_t i = 0; i < FRAMES; i++) {
        assert_there(r, i);
    }
    again(r);
    assert_null(r->lost);
    append(r, FRAMES);
    flush(r);
    for (size_t i = 0; i <= FRAMES; i++) {
        assert_there(r, i);
    }
    uint32_t segment = 1;
    uint64_t length = 1;
    assert_ok(store_segments_flush(r->s, &segment, &length)); /* nothing waits */
    assert_int_equal(segment, 0);
    assert_int_equal(length, 0);
}

static void large_ones(void **state)
{
    struct rig *r = *state;
    lt_slice got;
    open_it(r);
    uint8_t *noise = lt_arena_alloc(&r->a, STORE_FRAME_PLAIN_MAX + 1);
    assert_non_null(noise);
    uint64_t x = 88172645463325252U;
    for (size_t i = 0; i <= STORE_FRAME_PLAIN_MAX; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        noise[i] = (uint8_t)x; /* what cannot be folded */
    }
    assert_fails(
        store_segments_append(r->s, LT_SLICE(noise, STORE_FRAME_PLAIN_MAX + 1), r->o.now, &r->refs[0]),
        LT_PEER_TOO_LARGE);
    assert_fails(store_segments_append(r->s, LT_SLICE(noise, 0), r->o.now, &r->refs[0]), LT_PEER_TOO_LARGE);
    assert_ok(store_segments_append(r->s, LT_SLICE(noise, STORE_FRAME_PLAIN_MAX), r->o.now, &r->refs[0]));
    assert_ok(store_segments_append(r->s, LT_SLICE(noise, 1), r->o.now, &r->refs[1]));
    flush(r);
    assert_ok(store_segment_read(r->folder, &r->refs[0], &r->a, &got));
    assert_same(got, LT_SLICE(noise, STORE_FRAME_PLAIN_MAX));
    assert_ok(store_segment_read(r->folder, &r->refs[1], &r->a, &got));
    assert_same(got, LT_SLICE(noise, 1));
}

/* A message whose work is lost takes its frames along. */
static void cut_back(void **state)
{
    struct rig *r = *state;
    open_it(r);
    append(r, 0);
    size_t mark = store_segments_mark(r->s);
    append(r, 1);
    append(r, 2);
    store_segments_cut(r->s, mark);
    append(r, 3);
    flush(r);
    assert_int_equal(r->refs[3].position, r->refs[1].position);
    assert_there(r, 0);
    assert_there(r, 3);
    append(r, 4);
    store_segments_drop(r->s);
    flush(r);
    assert_int_equal(size_of(r, 1), (off_t)r->o.named_length);
}

static void rotation(void **state)
{
    struct rig *r = *state;
    r->o.rotate_bytes = 300;
    open_it(r);
    for (size_t i = 0; i < FRAMES; i++) {
        append(r, i);
        append(r, i + FRAMES);
        flush(r);
    }
    assert_true(r->o.named_segment > 3);
    assert_int_equal(r->refs[0].segment, 1);
    again(r);
    assert_null(r->lost);
    for (size_t i = 0; i < 2 * FRAMES; i++) {
        assert_there(r, i);
    }
}

/* A month ends: the next group is in a file of its own, after a restart too, and never in the middle of a
 * group. */
static void a_month_each(void **state)
{
    struct rig *r = *state;
    open_it(r);
    append(r, 0);
    r->o.now = lt_time_add_seconds(r->o.now, 9 * LT_SECONDS_PER_DAY); /* 1 December */
    append(r, 1);
    flush(r);
    append(r, 2);
    flush(r);
    append(r, 3);
    flush(r);
    assert_int_equal(r->refs[0].segment, 1);
    assert_int_equal(r->refs[1].segment, 1);
    assert_int_equal(r->refs[2].segment, 2);
    assert_int_equal(r->refs[3].segment, 2);
    again(r);
    append(r, 4);
    flush(r);
    assert_int_equal(r->refs[4].segment, 2);
    r->o.now = lt_time_add_seconds(r->o.now, 31 * LT_SECONDS_PER_DAY);
    again(r);
    append(r, 5);
    flush(r);
    assert_int_equal(r->refs[5].segment, 3);
    again(r);
    assert_null(r->lost);
    for (size_t i = 0; i < 6; i++) {
        assert_there(r, i);
    }
}

/* ---- what a crash leaves ---- */

/* The file ends wherever a power cut likes: whole frames stay, the torn one goes, the next one fits. */
static void torn_anywhere(void **state)
{
    struct rig *r = *state;
    open_it(r);
    for (size_t i = 0; i < 4; i++) {
        append(r, i);
        flush(r);
        if (i == 1) {
            store_segments_close(r->s);
            r->s = NULL;
            open_it(r); /* the rows of 0 and 1 were committed, those of the others not */
        }
    }
    struct store_segments_options named = r->o;
    named.named_length = r->refs[2].position;
    off_t whole = size_of(r, 1);
    char path[PATH_SIZE];
    lt_slice bytes;
    file_path(r, 1, path);
    assert_ok(lt_file_read(&r->a, AT_FDCWD, path, 1 << 20, &bytes));
    for (off_t len = (off_t)named.named_length; len <= whole; len++) {
        int fd = open(path, O_RDWR | O_TRUNC | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(pwrite(fd, bytes.ptr, (size_t)len, 0), len);
        assert_int_equal(close(fd), 0);
        store_segments_close(r->s);
        r->s = NULL;
        assert_ok(store_segments_open(&named, &r->a, &r->s, &r->lost));
        assert_null(r->lost);
        bool third = len >= (off_t)r->refs[3].position;
        off_t good = len == whole ? whole : third ? (off_t)r->refs[3].position : (off_t)named.named_length;
        assert_int_equal(size_of(r, 1), good);
        assert_there(r, 0);
        assert_there(r, 1);
        struct store_frame_ref ref;
        assert_ok(store_segments_append(r->s, plain_of(r, 9), r->o.now, &ref));
        assert_int_equal(ref.position, good);
        r->refs[9] = ref;
        uint32_t segment = 0;
        uint64_t length = 0;
        assert_ok(store_segments_flush(r->s, &segment, &length));
        assert_there(r, 9);
    }
}

/* A tail of zeros, or of whatever lay on the disk, is torn too. */
static void rubbish_behind(void **state)
{
    struct rig *r = *state;
    open_it(r);
    append(r, 0);
    flush(r);
    static const char *const tails[] = {"LEFR", "LEFRxxxxyyyyzzzz", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "x"};
    for (size_t i = 0; i < LT_COUNT(tails); i++) {
        char path[PATH_SIZE];
        file_path(r, 1, path);
        int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
        uint8_t block[512] = {0};
        memcpy(block, tails[i], strlen(tails[i]));
        assert_int_equal(write(fd, block, sizeof block), (ssize_t)sizeof block);
        assert_int_equal(close(fd), 0);
        again(r);
        assert_null(r->lost);
        assert_int_equal(size_of(r, 1), (off_t)r->o.named_length);
        assert_there(r, 0);
    }
}

/* The first segment died in its header, before any row named it. */
static void torn_header(void **state)
{
    struct rig *r = *state;
    open_it(r);
    append(r, 0);
    flush(r);
    for (off_t len = 0; len < STORE_SEGMENT_HEADER_LEN; len += 7) {
        cut_file(r, 1, len);
        r->o.named_segment = 0;
        r->o.named_length = 0;
        again(r);
        assert_null(r->lost);
        append(r, 0);
        flush(r);
        assert_there(r, 0);
    }
}

/* ---- what must not be ---- */

static void lost_frames(void **state)
{
    struct rig *r = *state;
    lt_slice got;
    open_it(r);
    append(r, 0);
    append(r, 1);
    flush(r);
    cut_file(r, 1, (off_t)r->o.named_length - 1);
    again(r);
    assert_non_null(r->lost);
    assert_non_null(strstr(r->lost, "the book names"));
    assert_int_equal(size_of(r, 1), (off_t)r->o.named_length - 1); /* nothing was cut */
    assert_there(r, 0);
    assert_fails(store_segments_read(r->s, &r->refs[1], &r->a, &got), LT_STATE_CORRUPT);
    append(r, 2);
    flush(r);
    assert_int_equal(r->refs[2].segment, 2);
    assert_there(r, 2);
    again(r);
    assert_null(r->lost); /* said once: the book names the second by now */

    char path[PATH_SIZE];
    file_path(r, 2, path);
    assert_int_equal(unlink(path), 0);
    again(r);
    assert_non_null(r->lost);
    append(r, 3);
    flush(r);
    assert_int_equal(r->refs[3].segment, 3);
    assert_fails(store_segment_read(r->folder, &r->refs[2], &r->a, &got), LT_PEER_NOT_FOUND);

    flip(r, 3, 9);
    again(r);
    assert_non_null(r->lost);
    append(r, 4);
    flush(r);
    assert_int_equal(r->refs[4].segment, 4);
}

/* A book that was put back from a copy names less than there is: nothing is cut. */
static void older_book(void **state)
{
    struct rig *r = *state;
    open_it(r);
    append(r, 0);
    flush(r);
    struct store_segments_options old = r->o;
    append(r, 1);
    flush(r);
    off_t whole = size_of(r, 1);
    r->o = old;
    again(r);
    assert_null(r->lost);
    assert_int_equal(size_of(r, 1), whole);
    assert_there(r, 1);
    append(r, 2);
    assert_int_equal(r->refs[2].position, (uint64_t)whole);
    flush(r);
    assert_there(r, 2);
}

/* Every byte of a frame counts. */
static void damaged_frames(void **state)
{
    struct rig *r = *state;
    lt_slice got;
    open_it(r);
    append(r, 0);
    append(r, 1);
    flush(r);
    for (off_t at = 0; at < r->refs[0].length; at++) {
        flip(r, 1, (off_t)r->refs[0].position + at);
        assert_fails(store_segment_read(r->folder, &r->refs[0], &r->a, &got), LT_STATE_CORRUPT);
        flip(r, 1, (off_t)r->refs[0].position + at);
    }
    assert_there(r, 0);
    struct store_frame_ref other = r->refs[0];
    other.sha256[0] ^= 1;
    assert_fails(store_segment_read(r->folder, &other, &r->a, &got), LT_STATE_CORRUPT);
    other = r->refs[0];
    memcpy(other.sha256, r->refs[1].sha256, sizeof other.sha256);
    assert_fails(store_segment_read(r->folder, &other, &r->a, &got), LT_STATE_CORRUPT);
    other = r->refs[0];
    other.position += 1;
    assert_fails(store_segment_read(r->folder, &other, &r->a, &got), LT_STATE_CORRUPT);
    other = r->refs[0];
    other.length += 1;
    assert_fails(store_segment_read(r->folder, &other, &r->a, &got), LT_STATE_CORRUPT);
    other = r->refs[0];
    other.length = 3;
    assert_fails(store_segment_read(r->folder, &other, &r->a, &got), LT_STATE_CORRUPT);
    other = r->refs[0];
    other.segment = 2;
    assert_fails(store_segment_read(r->folder, &other, &r->a, &got), LT_PEER_NOT_FOUND);
    other.segment = 0;
    assert_fails(store_segment_read(r->folder, &other, &r->a, &got), LT_STATE_CORRUPT);
    other.segment = STORE_SEGMENT_NUMBER_MAX + 1;
    assert_fails(store_segment_read(r->folder, &other, &r->a, &got), LT_STATE_CORRUPT);
    assert_fails(store_segment_read("/nowhere/at/all", &r->refs[0], &r->a, &got), LT_PEER_NOT_FOUND);
}

/* The hash of whatever stands there now. */
static void rehash(struct lt_buf *b, struct store_frame_ref *ref)
{
    struct crypto_stream s;
    crypto_stream_init(&s, CRYPTO_SHA256);
    crypto_stream_add(&s, lt_slice_sub(lt_buf_slice(b), 0, 12));
    crypto_stream_add(&s, lt_slice_sub(lt_buf_slice(b), STORE_FRAME_HEAD_LEN, SIZE_MAX));
    crypto_stream_finish(&s, ref->sha256);
    crypto_stream_done(&s);
    memcpy(&b->ptr[12], ref->sha256, sizeof ref->sha256);
}

/* A frame that says other lengths than its stream has, with a hash that fits. */
static void lying_frames(void **state)
{
    struct rig *r = *state;
    struct lt_buf b;
    lt_slice got;
    struct store_frame_ref ref = {0};
    lt_buf_init(&b, 1 << 20);
    assert_ok(store_frame_write(LT_LIT("what a check saw"), &b, &ref));
    assert_ok(store_frame_check(lt_buf_slice(&b), &ref));
    for (size_t len = 0; len < b.len; len++) {
        assert_fails(store_frame_check(lt_slice_sub(lt_buf_slice(&b), 0, len), &ref), LT_STATE_CORRUPT);
    }
    assert_ok(store_frame_read(lt_buf_slice(&b), ref.sha256, &r->a, &got));
    /* A hash that fits, over lengths that do not. */
    for (size_t at = 4; at < 12; at++) {
        for (int by = -1; by <= 1; by += 2) {
            uint8_t was = b.ptr[at];
            b.ptr[at] = (uint8_t)(was + by);
            rehash(&b, &ref);
            assert_fails(store_frame_read(lt_buf_slice(&b), ref.sha256, &r->a, &got), LT_STATE_CORRUPT);
            b.ptr[at] = was;
        }
    }
    for (size_t at = STORE_FRAME_HEAD_LEN; at < b.len; at++) { /* a stream that is none */
        b.ptr[at] ^= 0x55;
        rehash(&b, &ref);
        lt_res res = store_frame_read(lt_buf_slice(&b), ref.sha256, &r->a, &got);
        assert_int_equal(res.code, LT_STATE_CORRUPT);
        b.ptr[at] ^= 0x55;
    }
    rehash(&b, &ref);
    assert_ok(store_frame_read(lt_buf_slice(&b), ref.sha256, &r->a, &got));
    lt_buf_add_byte(&b, 0);
    assert_fails(store_frame_read(lt_buf_slice(&b), ref.sha256, &r->a, &got), LT_STATE_CORRUPT);
    lt_buf_done(&b);
}

/* Written by version 1: whoever changes its dictionary cannot read what is kept. */
static void frame_of_version_1(void **state)
{
    struct rig *r = *state;
    static const char hex[] =
        "4c454652000000190000003a0b703b65877dde9dad427e1de6ddb15408e968571dd1f5e215998cadbe8ad30778"
        "bbfb799d6a836538a89c02cc7405d420c6e219005ad31215";
    lt_slice frame;
    lt_slice got;
    struct store_frame_ref ref = {0};
    assert_ok(lt_unhex(&r->a, lt_slice_cstr(hex), &frame));
    assert_ok(store_frame_check(frame, &ref));
    assert_ok(store_frame_read(frame, ref.sha256, &r->a, &got));
    assert_slice(got, "primary http-01 insecure libunbound by BR 2.2.6 3.2.2.4.19");
}

static void headers(void **state)
{
    struct lt_buf b;
    (void)state;
    lt_buf_init(&b, 1024);
    store_segment_header(7, 1795305600000000, &b);
    assert_int_equal(b.len, STORE_SEGMENT_HEADER_LEN);
    assert_ok(store_segment_header_read(lt_buf_slice(&b), 7));
    assert_fails(store_segment_header_read(lt_buf_slice(&b), 8), LT_STATE_CORRUPT);
    assert_fails(store_segment_header_read(lt_slice_sub(lt_buf_slice(&b), 0, b.len - 1), 7),
                 LT_STATE_CORRUPT);
    for (size_t i = 0; i < b.len; i++) {
        b.ptr[i] ^= 1;
        assert_fails(store_segment_header_read(lt_buf_slice(&b), 7), LT_STATE_CORRUPT);
        b.ptr[i] ^= 1;
    }
    lt_buf_done(&b);
}

/* Whatever else lies in the folder is none of its business. */
static void strangers(void **state)
{
    struct rig *r = *state;
    static const char *const names[] = {"000000.seg", "0000002.seg", "2.seg",      "000009.sega",
                                        "000009.SEG", "lost+found",  "-00001.seg", "1000000.seg"};
    char path[PATH_SIZE];
    for (size_t i = 0; i < LT_COUNT(names); i++) {
        (void)snprintf(path, sizeof path, "%s/%s", r->folder, names[i]);
        int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        assert_int_equal(close(fd), 0);
    }
    open_it(r);
    append(r, 0);
    flush(r);
    assert_int_equal(r->o.named_segment, 1);
    for (size_t i = 0; i < LT_COUNT(names); i++) {
        (void)snprintf(path, sizeof path, "%s/%s", r->folder, names[i]);
        assert_int_equal(unlink(path), 0);
    }
}

static void no_folder(void **state)
{
    struct rig *r = *state;
    r->o.folder = "/nowhere/at/all";
    assert_fails(store_segments_open(&r->o, &r->a, &r->s, &r->lost), LT_STATE_IO);
    r->s = NULL;
}

/* ---- a disk that fails ---- */

static struct {
    int calls;
    int fail_at; /* the call of that number; 0: none */
    int error;
    bool half; /* of a write that fails, half is written before */
} disk;

static bool fails(void)
{
    disk.calls++;
    if (disk.calls != disk.fail_at) {
        return false;
    }
    errno = disk.error;
    return true;
}

static long disk_pwrite(int fd, const void *bytes, size_t len, int64_t offset)
{
    if (!fails()) {
        size_t part = len > 100 ? 100 : len; /* never all at once */
        return pwrite(fd, bytes, part, offset);
    }
    if (disk.half) {
        assert_true(pwrite(fd, bytes, len / 2, offset) >= 0);
        errno = disk.error;
    }
    return -1;
}

static int disk_sync(int fd)
{
    return fails() ? -1 : fdatasync(fd);
}

static int disk_truncate(int fd, int64_t len)
{
    return fails() ? -1 : ftruncate(fd, len);
}

static const struct store_segment_io failing = {disk_pwrite, disk_sync, disk_truncate};

/* Each call fails once: the group is lost, whole, and the next one is written as if nothing had been. */
static void failing_calls(void **state)
{
    struct rig *r = *state;
    static const struct {
        int error;
        int code;
    } rows[] = {{ENOSPC, LT_RETRY_UNAVAILABLE}, {EIO, LT_STATE_IO}};
    uint32_t segment = 0;
    uint64_t length = 0;
    r->o.io = &failing;
    r->o.rotate_bytes = 1200;
    disk.fail_at = 0;
    open_it(r);
    size_t count = 0;
    size_t lost = 0;
    for (int at = 1; at < 40; at++) {
        for (size_t k = 0; k < LT_COUNT(rows); k++) {
            size_t first = count;
            append(r, count++);
            append(r, count++);
            disk.calls = 0;
            disk.fail_at = at % 12 + 1;
            disk.error = rows[k].error;
            disk.half = at % 2 == 0;
            lt_res res = store_segments_flush(r->s, &segment, &length);
            disk.fail_at = 0;
            if (lt_failed(res)) {
                assert_int_equal(res.code, rows[k].code);
                count = first;
                lost++;
            } else {
                r->o.named_segment = segment;
                r->o.named_length = length;
            }
        }
    }
    assert_true(lost > 20 && count > 20);
    r->o.io = NULL;
    again(r);
    assert_null(r->lost);
    for (size_t i = 0; i < count; i++) {
        assert_there(r, i);
    }
}

/* Killed anywhere: what was told to be on the disk is there. */
static void killed(void **state)
{
    struct rig *r = *state;
    size_t told = 0;
    size_t rounds = 0;
    for (; rounds < 300 && told < 400 && (rounds < 30 || told <= 40); rounds++) { /* more on a busy machine */
        int ends[2];
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        r->o.rotate_bytes = 2000;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            const char *lost = NULL;
            lt_res res = store_segments_open(&r->o, &r->a, &r->s, &lost);
            for (size_t i = told; !lt_failed(res) && lost == NULL && i < told + 40; i++) {
                uint32_t segment = 0;
                uint64_t length = 0;
                res = store_segments_append(r->s, plain_of(r, i), r->o.now, &r->refs[i]);
                res = lt_failed(res) ? res : store_segments_flush(r->s, &segment, &length);
                r->o.named_segment = segment;
                r->o.named_length = length;
                struct told {
                    struct store_frame_ref ref;
                    uint32_t segment;
                    uint64_t length;
                } row = {r->refs[i], segment, length};
                if (write(ends[1], &row, sizeof row) != (ssize_t)sizeof row) {
                    _exit(2);
                }
            }
            _exit(lt_failed(res) || lost != NULL ? 1 : 0);
        }
        assert_int_equal(close(ends[1]), 0);
        (void)usleep((useconds_t)(rounds * 700)); /* somewhere in the middle of its work */
        assert_int_equal(kill(child, SIGKILL), 0);
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
        struct {
            struct store_frame_ref ref;
            uint32_t segment;
            uint64_t length;
        } row;
        while (read(ends[0], &row, sizeof row) == (ssize_t)sizeof row) {
            r->refs[told++] = row.ref;
            r->o.named_segment = row.segment;
            r->o.named_length = row.length;
        }
        assert_int_equal(close(ends[0]), 0);
        again(r);
        assert_null(r->lost);
        for (size_t i = 0; i < told; i++) {
            assert_there(r, i);
        }
        lt_arena_reset(&r->a);
        store_segments_close(r->s);
        r->s = NULL;
    }
    assert_true(told > 40);
}

int main(void)
{
#define ROW(name_) cmocka_unit_test_setup_teardown(name_, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ROW(round_trip),         ROW(large_ones),    ROW(cut_back),       ROW(rotation),
        ROW(a_month_each),       ROW(torn_anywhere), ROW(rubbish_behind), ROW(torn_header),
        ROW(lost_frames),        ROW(older_book),    ROW(damaged_frames), ROW(lying_frames),
        ROW(frame_of_version_1), ROW(headers),       ROW(strangers),      ROW(no_folder),
        ROW(failing_calls),      ROW(killed),
    };
    return cmocka_run_group_tests_name("segment", tests, NULL, NULL);
}
