#ifndef SIGNER_JOURNAL_FORMAT_H
#define SIGNER_JOURNAL_FORMAT_H
/* The bytes of the signer's journal: a header, then frames. Private to the journal and its tests.
 *
 * Numbers are big-endian. A frame is what one sync made durable; it begins on a sector, so that no later
 * write touches a sector that was synced before, and its rest of the last sector is zero. Each record ends
 * with SHA-256(the record's hash before it, its own bytes), the first one starting from the header's hash:
 * checksum and chain in one.
 *
 *   header  "LINTELJ1" version:4 length:4 first-sequence:8 created-us:8 id:16 previous-head:32 zeros hash:32
 *   frame   "LJFR" length:4 first-sequence:8 count:4 check:4 records
 *   record  length:2 what:1 kind:1 issuer-length:1 serial-length:1 signature-length:2 sequence:8 time-us:8
 *           revoked-us:8 reason:4 digest:32 issuer serial signature hash:32
 *
 * Refuses whatever it would not have written itself, to the byte. */
#include "base/buf.h"
#include "signer/journal.h"

enum {
    JOURNAL_SECTOR = 512,
    JOURNAL_HEADER_LEN = 512,
    JOURNAL_VERSION = 1,
    JOURNAL_FRAME_HEAD_LEN = 24,
    JOURNAL_RECORD_FIXED_LEN = 68,
    JOURNAL_RECORD_MIN = JOURNAL_RECORD_FIXED_LEN + JOURNAL_HASH_LEN,
    JOURNAL_RECORD_MAX = JOURNAL_RECORD_MIN + 2 * JOURNAL_NAME_MAX + JOURNAL_SIGNATURE_MAX,
    JOURNAL_FRAME_MAX = 16 * 1024 * 1024,
};

struct journal_header {
    uint64_t first_sequence;
    int64_t created_us;
    uint8_t id[JOURNAL_ID_LEN];
    uint8_t previous_head[JOURNAL_HASH_LEN];
    uint8_t hash[JOURNAL_HASH_LEN];
};

/* Where a walk along the chain stands. */
struct journal_position {
    uint64_t sequence; /* of the last record read */
    int64_t time_us;
    uint8_t chain[JOURNAL_HASH_LEN];
};

/* Fills hash too. */
void journal_header_encode(struct journal_header *h, uint8_t ret_bytes[JOURNAL_HEADER_LEN]);
LT_MUST_USE lt_res journal_header_decode(lt_slice bytes, struct journal_header *ret_header);

struct journal_frame_head {
    uint32_t len; /* head and records, without the zeros up to the next sector */
    uint64_t first_sequence;
    uint32_t count;
};
void journal_frame_head_encode(const struct journal_frame_head *f, uint8_t ret_bytes[JOURNAL_FRAME_HEAD_LEN]);
LT_MUST_USE lt_res journal_frame_head_decode(lt_slice bytes, struct journal_frame_head *ret_head);

/* Appends the record that follows `at`; sets e->chain and advances at. */
void journal_record_encode(struct journal_entry *e, struct journal_position *at, struct lt_buf *out);
/* The record at the front of bytes, which must follow `at`, which advances; slices point into bytes. */
LT_MUST_USE lt_res journal_record_decode(lt_slice bytes, struct journal_position *at,
                                         struct journal_entry *ret_entry, size_t *ret_len);
/* The same without regard to the chain: for a record that a walk has checked before. */
LT_MUST_USE lt_res journal_record_peek(lt_slice bytes, struct journal_entry *ret_entry, size_t *ret_len);

/* Bytes of a frame on disk. */
static inline uint64_t journal_padded(uint64_t len)
{
    return (len + (JOURNAL_SECTOR - 1)) / JOURNAL_SECTOR * JOURNAL_SECTOR;
}

#endif
