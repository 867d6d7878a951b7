#ifndef STORE_SEGMENT_H
#define STORE_SEGMENT_H
/* Append-only files for what is written once, read seldom and named by rows of the book: NNNNNN.seg in one
 * folder. A row keeps where its frame lies and the frame's hash; the bytes are on the disk before the commit
 * of the row is.
 *
 *   header  "LINTELE1" version:4 number:4 created-us:8 hash:32       hash: SHA-256 of what stands before it
 *   frame   "LEFR" packed:4 plain:4 hash:32 bytes                    hash: SHA-256("LEFR" packed plain bytes)
 *
 * A segment is of one month, by the clock of its writer, so that a month can go with its files.
 *
 * Numbers are big-endian; packed and plain are the lengths of the bytes, which are a zlib stream begun with
 * the dictionary of the header's version (segment_format.c), and of what they unfold to.
 *
 * A write appends and never changes what was synced; a sector that was half full is written again with the
 * same beginning, as SQLite does with its WAL. What a crash leaves behind the last whole frame is cut off
 * when the folder is opened; whole frames that no row names stay: their commit never came, or the book was
 * put back from a copy.
 *
 * Refuses: headers and frames that it would not have written itself, to the byte; frames over
 * STORE_FRAME_PLAIN_MAX; to go on in a segment that is shorter than the book says. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"

enum {
    STORE_SEGMENT_VERSION = 1,
    STORE_SEGMENT_HEADER_LEN = 56,
    STORE_FRAME_HEAD_LEN = 44,
    STORE_FRAME_PLAIN_MAX = 4 * 1024 * 1024,
    STORE_FRAME_HASH_LEN = 32,
    STORE_SEGMENT_NAME_SIZE = 16,
    STORE_SEGMENT_NUMBER_MAX = 999999,
};

/* Where a frame lies; what a row keeps. */
struct store_frame_ref {
    uint32_t segment;  /* 0: nowhere */
    uint64_t position; /* of its head in the file */
    uint32_t length;   /* head and bytes */
    uint8_t sha256[STORE_FRAME_HASH_LEN];
};

/* segment_format.c: pure. */
void store_segment_header(uint32_t number, int64_t created_us, struct lt_buf *out);
LT_MUST_USE lt_res store_segment_header_read(lt_slice bytes, uint32_t number);
int64_t store_segment_created(lt_slice bytes); /* of a header that was read */
/* Appends the frame of plain. ret_ref: length and hash. */
LT_MUST_USE lt_res store_frame_write(lt_slice plain, struct lt_buf *out, struct store_frame_ref *ret_ref);
/* The frame at the front of bytes: whole, and with the hash that it says. It is not unfolded. */
LT_MUST_USE lt_res store_frame_check(lt_slice bytes, struct store_frame_ref *ret_ref);
/* Exactly one frame, with that hash, unfolded into the arena. */
LT_MUST_USE lt_res store_frame_read(lt_slice bytes, const uint8_t sha256[STORE_FRAME_HASH_LEN],
                                    struct lt_arena *a, lt_slice *ret_plain);
void store_segment_name(uint32_t number, char ret_name[STORE_SEGMENT_NAME_SIZE]); /* "000001.seg" */

/* What it asks of the disk, so that a test can have one that fails. Each as the call of that name. */
struct store_segment_io {
    long (*pwrite)(int fd, const void *bytes, size_t len, int64_t offset);
    int (*sync)(int fd);
    int (*truncate)(int fd, int64_t len);
};
extern const struct store_segment_io store_segment_posix;

struct store_segments; /* one folder and its writer; owned by its opener */

/* What the book says of the newest segment that it names; 0, 0: none. */
struct store_segments_options {
    const char *folder;
    uint32_t named_segment;
    uint64_t named_length;
    uint32_t first; /* numbers that this writer may use; 0: all that there are */
    uint32_t last;
    uint64_t rotate_bytes;             /* a new segment once one is so long; 0: 64 MiB */
    const struct store_segment_io *io; /* NULL: the disk */
    lt_time now;                       /* for the header of a new segment */
};

/* Cuts off what is torn. ret_lost: NULL, or in the arena why frames are gone that the book names; then a new
 * segment is begun behind them and nothing is cut. */
LT_MUST_USE lt_res store_segments_open(const struct store_segments_options *options, struct lt_arena *a,
                                       struct store_segments **ret_segments, const char **ret_lost);
void store_segments_close(struct store_segments *s);

/* In memory until store_segments_flush. */
LT_MUST_USE lt_res store_segments_append(struct store_segments *s, lt_slice plain, lt_time now,
                                         struct store_frame_ref *ret_ref);
/* How much waits, to cut back to when a message's work is lost. */
size_t store_segments_mark(const struct store_segments *s);
void store_segments_cut(struct store_segments *s, size_t mark);
/* Writes and syncs what waits; nothing of it counts when this fails, and what waits is forgotten. On a full
 * disk LT_RETRY_UNAVAILABLE, otherwise LT_STATE_IO. ret_segment, ret_length: what the book has to say of it
 * now; 0 when nothing waited. */
LT_MUST_USE lt_res store_segments_flush(struct store_segments *s, uint32_t *ret_segment,
                                        uint64_t *ret_length);
/* The frame itself, as it will stand in the file, while it waits. Valid until the next append. */
lt_slice store_segments_waiting(const struct store_segments *s, const struct store_frame_ref *ref);
/* Forgets what waits. */
void store_segments_drop(struct store_segments *s);
/* Of what was appended here: on the disk or still waiting. */
LT_MUST_USE lt_res store_segments_read(const struct store_segments *s, const struct store_frame_ref *ref,
                                       struct lt_arena *a, lt_slice *ret_plain);

/* For who has no writer. LT_PEER_NOT_FOUND: no such segment; LT_STATE_CORRUPT: not the frame that ref says.
 */
LT_MUST_USE lt_res store_segment_read(const char *folder, const struct store_frame_ref *ref,
                                      struct lt_arena *a, lt_slice *ret_plain);

#endif
