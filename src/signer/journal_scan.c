/* Reading a journal file from front to back, and judging its end: cut what was never synced, refuse what was
 * changed. */
#include <errno.h>
#include <string.h>

#include "signer/journal_impl.h"

lt_res journal_read_at(const struct journal_io *io, int fd, uint64_t offset, void *out, size_t len)
{
    uint8_t *p = out;
    size_t done = 0;
    while (done < len) {
        ssize_t n = io->read_at(io->self, fd, p + done, len - done, offset + done);
        LT_CHECK(n != 0, LT_STATE_IO, "journal: the file became shorter while it was read");
        LT_CHECK(n > 0 || errno == EINTR, LT_STATE_IO, "journal: read: %s", strerror(errno));
        done += n > 0 ? (size_t)n : 0;
    }
    return LT_OK;
}

lt_res journal_write_at(const struct journal_io *io, int fd, uint64_t offset, lt_slice bytes)
{
    size_t done = 0;
    while (done < bytes.len) {
        ssize_t n = io->write_at(io->self, fd, bytes.ptr + done, bytes.len - done, offset + done);
        bool full = n == 0 || (n < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG));
        LT_CHECK(!full, LT_RETRY_UNAVAILABLE, "journal: no room on the disk");
        LT_CHECK(n > 0 || errno == EINTR, LT_STATE_IO, "journal: write: %s", strerror(errno));
        done += n > 0 ? (size_t)n : 0;
    }
    return LT_OK;
}

void journal_scan_done(struct journal_scan *s)
{
    lt_buf_done(&s->frame);
}

static bool zero_bytes(const uint8_t *p, size_t len)
{
    size_t i = 0;
    while (i < len && p[i] == 0) {
        i++;
    }
    return i == len;
}

/* What lies behind the last whole frame, looked at sector by sector. */
struct tail {
    uint64_t end; /* of the last sector that is not zero */
    bool hole;    /* a sector of the frame that was never written */
    bool later_frame;
};

/* frame_end: of the frame that its head announces; 0: the head does not read, and the last sector with
 * anything in it is the end. */
static lt_res look_at_tail(const struct journal_scan *s, uint64_t frame_end, struct tail *ret_tail)
{
    struct tail t = {.end = s->end};
    bool zeros_before = false;
    for (uint64_t at = s->end; at < s->size; at += JOURNAL_SECTOR) {
        uint8_t sector[JOURNAL_SECTOR];
        size_t len = s->size - at < JOURNAL_SECTOR ? (size_t)(s->size - at) : JOURNAL_SECTOR;
        LT_TRY(journal_read_at(s->io, s->fd, at, sector, len));
        size_t inside = frame_end > at && frame_end - at < len ? (size_t)(frame_end - at) : len;
        t.hole = t.hole || (at < frame_end && zero_bytes(sector, inside));
        if (zero_bytes(sector, len)) {
            zeros_before = true;
            continue;
        }
        t.hole = t.hole || (frame_end == 0 && zeros_before);
        t.end = at + len;
        struct journal_frame_head head;
        if (at > s->end && !lt_failed(journal_frame_head_decode(LT_SLICE(sector, len), &head)) &&
            head.first_sequence > s->at.sequence + 1) {
            t.later_frame = true;
        }
    }
    *ret_tail = t;
    return LT_OK;
}

/* The frame at s->end does not read. Was it never synced, or was it changed? A synced frame is whole, and all
 * of its sectors were written; and nothing is ever written behind a frame before it is synced. Zeros alone
 * are the room that was made ahead. */
static lt_res judge_tail(struct journal_scan *s)
{
    uint8_t bytes[JOURNAL_FRAME_HEAD_LEN];
    struct journal_frame_head head;
    uint64_t rest = s->size - s->end;
    bool is_short = rest < JOURNAL_FRAME_HEAD_LEN;
    uint64_t frame_end = 0;
    if (!is_short) {
        LT_TRY(journal_read_at(s->io, s->fd, s->end, bytes, sizeof bytes));
        if (!lt_failed(journal_frame_head_decode(LT_SLICE(bytes, sizeof bytes), &head)) &&
            head.first_sequence == s->at.sequence + 1) {
            is_short = head.len > rest;
            frame_end = is_short ? s->size : s->end + head.len;
        }
    }
    struct tail t;
    LT_TRY(look_at_tail(s, frame_end, &t));
    s->torn = t.end - s->end;
    LT_CHECK(
        s->torn == 0 || ((is_short || t.hole) && !t.later_frame), LT_STATE_CORRUPT,
        "journal: damaged behind record %llu, at byte %llu; it may have been relied on. Put back the copy "
        "from the mirror or a backup",
        (unsigned long long)s->at.sequence, (unsigned long long)s->end);
    return LT_OK;
}

static lt_res check_records(const struct journal_scan *s, const struct journal_frame_head *head,
                            struct journal_position *at)
{
    lt_slice bytes = lt_slice_sub(lt_buf_slice(&s->frame), 0, head->len);
    size_t offset = JOURNAL_FRAME_HEAD_LEN;
    for (uint32_t i = 0; i < head->count; i++) {
        struct journal_entry e;
        size_t len;
        LT_TRY(journal_record_decode(lt_slice_sub(bytes, offset, bytes.len), at, &e, &len));
        offset += len;
    }
    LT_CHECK(offset == head->len, LT_STATE_CORRUPT, "journal: a frame is longer than its records");
    return LT_OK;
}

static lt_res show_records(const struct journal_scan *s, const struct journal_frame_head *head,
                           journal_scan_visit *visit, void *self)
{
    lt_slice bytes = lt_slice_sub(lt_buf_slice(&s->frame), 0, head->len);
    size_t offset = JOURNAL_FRAME_HEAD_LEN;
    for (uint32_t i = 0; i < head->count; i++) {
        struct journal_entry e;
        size_t len;
        LT_TRY(journal_record_peek(lt_slice_sub(bytes, offset, bytes.len), &e, &len));
        LT_TRY(visit(self, s->end, s->end + offset, &e));
        offset += len;
    }
    return LT_OK;
}

/* One frame at s->end. All of it is checked before any of it is shown. */
static lt_res read_frame(struct journal_scan *s, struct journal_frame_head *ret_head,
                         struct journal_position *ret_at)
{
    uint8_t bytes[JOURNAL_FRAME_HEAD_LEN];
    uint64_t rest = s->size - s->end;
    LT_CHECK(rest >= sizeof bytes, LT_STATE_CORRUPT, "journal: a frame is cut short");
    LT_TRY(journal_read_at(s->io, s->fd, s->end, bytes, sizeof bytes));
    LT_TRY(journal_frame_head_decode(LT_SLICE(bytes, sizeof bytes), ret_head));
    LT_CHECK(ret_head->len <= rest && ret_head->first_sequence == s->at.sequence + 1, LT_STATE_CORRUPT,
             "journal: a frame is cut short or out of order");
    uint64_t padded = journal_padded(ret_head->len);
    uint64_t there = padded < rest ? padded : rest;
    lt_buf_reset(&s->frame);
    uint8_t *p = lt_buf_extend(&s->frame, (size_t)padded);
    LT_ASSERT(p != NULL);
    memset(p, 0, (size_t)padded);
    LT_TRY(journal_read_at(s->io, s->fd, s->end, p, (size_t)there));
    LT_CHECK(zero_bytes(p + ret_head->len, (size_t)padded - ret_head->len), LT_STATE_CORRUPT,
             "journal: bytes between two frames");
    *ret_at = s->at;
    return check_records(s, ret_head, ret_at);
}

/* A signer that opens its journal takes back the room that was made ahead, while others read. What is whole
 * stays. */
static bool became_shorter(struct journal_scan *s, lt_res r)
{
    int64_t size = r.code == LT_STATE_IO ? s->io->size(s->io->self, s->fd) : -1;
    if (size < 0 || (uint64_t)size >= s->size || (uint64_t)size < s->end) {
        return false;
    }
    s->size = (uint64_t)size;
    return true;
}

static lt_res read_frames(struct journal_scan *s, uint64_t limit, journal_scan_visit *visit, void *self)
{
    while (s->end < s->size && s->end < limit) {
        struct journal_frame_head head;
        struct journal_position at;
        lt_res r = read_frame(s, &head, &at);
        bool tail = r.code == LT_STATE_CORRUPT;
        r = tail ? judge_tail(s) : r;
        if (became_shorter(s, r)) {
            continue;
        }
        LT_TRY(r);
        if (tail) {
            return LT_OK;
        }
        if (visit != NULL) {
            LT_TRY(show_records(s, &head, visit, self));
        }
        s->at = at;
        s->last_frame = s->end;
        s->end += journal_padded(head.len);
    }
    return LT_OK;
}

lt_res journal_scan(const struct journal_io *io, int fd, uint64_t limit, journal_scan_visit *visit,
                    void *self, struct journal_scan *ret_scan)
{
    struct journal_scan *s = ret_scan;
    *s = (struct journal_scan){.io = io, .fd = fd};
    lt_buf_init(&s->frame, JOURNAL_FRAME_MAX);
    int64_t size = io->size(io->self, fd);
    LT_CHECK(size >= 0, LT_STATE_IO, "journal: %s", strerror(errno));
    s->size = (uint64_t)size;
    uint8_t bytes[JOURNAL_HEADER_LEN] = {0};
    size_t len = s->size < sizeof bytes ? (size_t)s->size : sizeof bytes;
    LT_TRY(journal_read_at(io, fd, 0, bytes, len));
    if (s->size <= sizeof bytes && (len < sizeof bytes || zero_bytes(bytes, len))) {
        s->empty = true; /* its making was cut short; no record can have followed */
        return LT_OK;
    }
    LT_TRY(journal_header_decode(LT_SLICE(bytes, len), &s->header));
    s->end = JOURNAL_HEADER_LEN;
    s->at = (struct journal_position){.sequence = s->header.first_sequence - 1,
                                      .time_us = s->header.created_us};
    memcpy(s->at.chain, s->header.hash, JOURNAL_HASH_LEN);
    return read_frames(s, limit, visit, self);
}

struct walk {
    journal_visit *visit;
    void *self;
};

static lt_res visit_plain(void *self, uint64_t frame, uint64_t offset, const struct journal_entry *e)
{
    (void)frame;
    (void)offset; /* only the index wants them */
    const struct walk *w = self;
    return w->visit(w->self, e);
}

lt_res journal_walk(const struct journal_io *io, int fd, journal_visit *visit, void *self,
                    struct journal_summary *ret_summary)
{
    const struct journal_io *used = io == NULL ? &journal_io_posix : io;
    struct walk w = {.visit = visit, .self = self};
    struct journal_scan s;
    lt_res r = journal_scan(used, fd, UINT64_MAX, visit == NULL ? NULL : visit_plain, &w, &s);
    if (!lt_failed(r)) {
        *ret_summary = (struct journal_summary){
            .first = s.empty ? 0 : s.header.first_sequence,
            .last = s.empty ? 0 : s.at.sequence,
            .last_time = {s.at.time_us},
            .torn_bytes = s.torn,
        };
        memcpy(ret_summary->head, s.at.chain, JOURNAL_HASH_LEN);
    }
    journal_scan_done(&s);
    return r;
}
