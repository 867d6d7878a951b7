/* The signer's journal: any file opens, is cut or is refused; one that opens can be read, appended to, and
 * opens again with everything in it.
 *
 * Input: a byte of flags (1: put right the hashes first, so that what lies behind them is reached), then the
 * file. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/digest.h"
#include "signer/journal_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILE_MAX = 256 * 1024, INPUT_MAX = 64 * 1024, FILES = 2 };

static struct {
    uint8_t bytes[FILE_MAX];
    size_t len;
} files[FILES]; /* log and acknowledgement */

static int open_file(void *self, const char *folder, const char *name)
{
    (void)self;
    (void)folder;
    return strcmp(name, "signer.log") == 0 ? 0 : 1;
}

static void close_file(void *self, int fd)
{
    (void)self;
    (void)fd;
}

static ssize_t read_at(void *self, int fd, void *out, size_t len, uint64_t offset)
{
    (void)self;
    if (offset >= files[fd].len) {
        return 0;
    }
    size_t n = files[fd].len - (size_t)offset < len ? files[fd].len - (size_t)offset : len;
    memcpy(out, files[fd].bytes + offset, n);
    return (ssize_t)n;
}

static ssize_t write_at(void *self, int fd, const void *bytes, size_t len, uint64_t offset)
{
    (void)self;
    if (offset > FILE_MAX || len > FILE_MAX - offset) {
        errno = ENOSPC;
        return -1;
    }
    memcpy(files[fd].bytes + offset, bytes, len);
    files[fd].len = offset + len > files[fd].len ? (size_t)offset + len : files[fd].len;
    return (ssize_t)len;
}

static int sync_file(void *self, int fd)
{
    (void)self;
    (void)fd;
    return 0;
}

static int truncate_file(void *self, int fd, uint64_t len)
{
    (void)self;
    LT_ASSERT(len <= FILE_MAX);
    files[fd].len = (size_t)len;
    memset(files[fd].bytes + len, 0, FILE_MAX - (size_t)len);
    return 0;
}

static int64_t size_of(void *self, int fd)
{
    (void)self;
    return (int64_t)files[fd].len;
}

static const struct journal_io io = {.open = open_file,
                                     .close = close_file,
                                     .read_at = read_at,
                                     .write_at = write_at,
                                     .sync = sync_file,
                                     .truncate = truncate_file,
                                     .size = size_of};

static void hash_two(const uint8_t *before, lt_slice bytes, uint8_t *ret_hash)
{
    struct crypto_stream s;
    crypto_stream_init(&s, CRYPTO_SHA256);
    crypto_stream_add(&s, LT_SLICE(before, JOURNAL_HASH_LEN));
    crypto_stream_add(&s, bytes);
    crypto_stream_finish(&s, ret_hash);
    crypto_stream_done(&s);
}

static void put_right_frame(uint8_t *frame, size_t len, uint8_t *chain)
{
    size_t at = JOURNAL_FRAME_HEAD_LEN;
    while (at + JOURNAL_RECORD_MIN <= len) {
        size_t record = (size_t)frame[at] << 8 | frame[at + 1];
        if (record < JOURNAL_RECORD_MIN || record > len - at) {
            break;
        }
        uint8_t hash[JOURNAL_HASH_LEN];
        hash_two(chain, LT_SLICE(frame + at, record - JOURNAL_HASH_LEN), hash);
        memcpy(frame + at + record - JOURNAL_HASH_LEN, hash, sizeof hash);
        memcpy(chain, hash, sizeof hash);
        at += record;
    }
}

static void put_right(void)
{
    uint8_t *p = files[0].bytes;
    size_t len = files[0].len;
    if (len < JOURNAL_HEADER_LEN) {
        return;
    }
    uint8_t chain[JOURNAL_HASH_LEN];
    crypto_sha256(LT_SLICE(p, JOURNAL_HEADER_LEN - JOURNAL_HASH_LEN), chain);
    memcpy(p + JOURNAL_HEADER_LEN - JOURNAL_HASH_LEN, chain, sizeof chain);
    size_t at = JOURNAL_HEADER_LEN;
    while (at + JOURNAL_FRAME_HEAD_LEN <= len) {
        uint8_t check[JOURNAL_HASH_LEN];
        crypto_sha256(LT_SLICE(p + at, 20), check);
        memcpy(p + at + 20, check, 4);
        size_t frame = (size_t)p[at + 4] << 24 | (size_t)p[at + 5] << 16 | (size_t)p[at + 6] << 8 | p[at + 7];
        frame = frame < len - at ? frame : len - at;
        put_right_frame(p + at, frame, chain);
        at += frame < JOURNAL_SECTOR ? JOURNAL_SECTOR : journal_padded(frame);
    }
}

static lt_res open_journal(struct journal **ret_journal)
{
    struct journal_options o = {.io = &io, .folder = "", .now = {1}, .grow = 4096};
    return journal_open(&o, ret_journal);
}

static void check_entries(struct journal *j)
{
    uint64_t after = journal_first(j) - 1;
    while (after < journal_synced(j)) {
        struct lt_arena a;
        struct journal_entry *entries;
        size_t count;
        lt_arena_init(&a, 1 << 20);
        LT_ASSERT(!lt_failed(journal_read(j, after, 64, &a, &entries, &count)) && count > 0);
        for (size_t i = 0; i < count; i++) {
            LT_ASSERT(entries[i].sequence == after + 1 + i);
            struct journal_entry found;
            lt_res r = journal_find(j, &entries[i], &a, &found);
            LT_ASSERT(entries[i].what == JOURNAL_KNOT || !lt_failed(r));
            LT_ASSERT(entries[i].what != JOURNAL_SIGNATURE || found.sequence == entries[i].sequence);
        }
        after += count;
        lt_arena_done(&a);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > INPUT_MAX) {
        return 0;
    }
    memset(files, 0, sizeof files);
    memcpy(files[0].bytes, data + 1, size - 1);
    files[0].len = size - 1;
    if ((data[0] & 1) != 0) {
        put_right();
    }
    struct journal *j;
    if (lt_failed(open_journal(&j))) {
        return 0;
    }
    check_entries(j);
    struct journal_entry e = {.what = JOURNAL_SIGNATURE,
                              .kind = 200,
                              .issuer = LT_LIT("fuzz"),
                              .serial = LT_LIT("serial"),
                              .signature = LT_LIT("signature"),
                              .time_us = INT64_MAX};
    lt_res r = journal_append(j, &e);
    LT_ASSERT(!lt_failed(r) || r.code == LT_POLICY_REFUSED);
    LT_ASSERT(!lt_failed(journal_sync(j)));
    uint64_t last = journal_last(j);
    uint8_t head[JOURNAL_HASH_LEN];
    memcpy(head, journal_head(j), sizeof head);
    journal_close(j);
    LT_ASSERT(!lt_failed(open_journal(&j)));
    LT_ASSERT(journal_last(j) == last && memcmp(journal_head(j), head, sizeof head) == 0);
    journal_close(j);
    return 0;
}
