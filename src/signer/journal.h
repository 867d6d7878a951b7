#ifndef SIGNER_JOURNAL_H
#define SIGNER_JOURNAL_H
/* What the signer has signed, revoked and tied: an append-only file that is synced before anything in it
 * leaves the process (design 5).
 *
 * Appending is grouped: journal_append any number of times, one journal_sync, then let the signatures go. A
 * second folder, when there is one, is synced first. Everything is found again by (what, kind, issuer,
 * serial), so that asked twice the signer gives the same signature or none. What the book has not
 * acknowledged is read again from journal_read.
 *
 * At opening the file is read whole. An end that never was synced (a frame that is too short, or with sectors
 * that were never written) is cut. Anything else that does not fit the chain is LT_STATE_CORRUPT: somebody or
 * something changed a record that may have been relied on.
 *
 * Refuses: records out of order in time, CRL numbers that do not grow, a second record with the key of
 * another, a second process. Never reads the clock, never draws randomness. Not for two threads.
 */
#include <sys/types.h>

#include "base/arena.h"
#include "base/clock.h"

enum {
    JOURNAL_HASH_LEN = 32,
    JOURNAL_ID_LEN = 16,
    JOURNAL_NAME_MAX = 255, /* of issuer or chain, and of a serial */
    JOURNAL_SIGNATURE_MAX = 1024,
};

/* Numbers are on disk: never reused. */
enum journal_what {
    JOURNAL_SIGNATURE = 1,
    JOURNAL_REVOCATION = 2,
    JOURNAL_KNOT = 3,
    JOURNAL_REVOCATIONS = 4, /* a batch of a mass revocation */
};

struct journal_entry {
    uint64_t sequence; /* given by journal_append */
    int64_t time_us;
    enum journal_what what;
    uint32_t kind;   /* Ipc__SignKind of a signature; otherwise 0 */
    lt_slice issuer; /* of a knot: the chain's name */
    lt_slice serial; /* of a CRL its number, of a knot the chain's sequence, both big-endian; of a batch the
                        mass revocation (8 bytes) and its number (4) */
    uint8_t digest[JOURNAL_HASH_LEN]; /* SHA-256 of the signed bytes; of a knot the chain's head; of a batch
                                         the Merkle root of its serials */
    lt_slice signature;               /* of a batch its count, 4 bytes big-endian */
    uint32_t reason;                  /* of a revocation */
    int64_t revoked_us;
    uint8_t chain[JOURNAL_HASH_LEN]; /* given by journal_append: hash over all records up to here */
};

/* The system calls of the journal, so that tests can lose unsynced bytes and fail the n-th call. All return
 * as their POSIX namesakes do, with errno. */
struct journal_io {
    void *self;
    int (*open)(void *self, const char *folder, const char *name); /* created when missing, locked */
    void (*close)(void *self, int fd);
    ssize_t (*read_at)(void *self, int fd, void *out, size_t len, uint64_t offset);
    ssize_t (*write_at)(void *self, int fd, const void *bytes, size_t len, uint64_t offset);
    int (*sync)(void *self, int fd);
    int (*truncate)(void *self, int fd, uint64_t len);
    int64_t (*size)(void *self, int fd);
};
extern const struct journal_io journal_io_posix;

struct journal_options {
    const struct journal_io *io; /* NULL for journal_io_posix */
    const char *folder;
    const char *mirror;         /* NULL or "" for none */
    lt_time now;                /* for the header of a new journal */
    uint8_t id[JOURNAL_ID_LEN]; /* random, the same */
    uint32_t grow;              /* bytes of zeros that are written ahead; 0 for 1 MiB */
#define JOURNAL_GROW_NONE UINT32_MAX
};

struct journal;

LT_MUST_USE lt_res journal_open(const struct journal_options *options, struct journal **ret_journal);
/* What was not synced is gone. NULL is fine. */
void journal_close(struct journal *j);

/* The newest record of that key, copied into a; LT_PEER_NOT_FOUND leaves a record of error that nobody needs
 * to read. Finds what was appended and not synced yet, too: compare its sequence with journal_synced. */
LT_MUST_USE lt_res journal_find(struct journal *j, const struct journal_entry *key, struct lt_arena *a,
                                struct journal_entry *ret_entry);
/* Takes copies. Sets e->sequence and e->chain. LT_RETRY_BUSY when a sync must come first. */
LT_MUST_USE lt_res journal_append(struct journal *j, struct journal_entry *e);
/* Makes durable what was appended; LT_OK when there is nothing. LT_RETRY_UNAVAILABLE: the disk is full, and
 * what was appended since the last sync never happened. LT_STATE_IO: nothing is known any more, and the
 * process must end: a failed fsync may not be tried again. */
LT_MUST_USE lt_res journal_sync(struct journal *j);

uint64_t journal_last(const struct journal *j);   /* sequence of the last record appended; 0 for none */
uint64_t journal_synced(const struct journal *j); /* of the last durable one */
uint64_t journal_first(const struct journal *j);  /* of the first that this journal holds */
lt_time journal_last_time(const struct journal *j);
const uint8_t *journal_head(const struct journal *j); /* chain at journal_last; JOURNAL_HASH_LEN bytes */

/* The durable records behind `after`, at most max of them, in order; slices live in a. */
LT_MUST_USE lt_res journal_read(struct journal *j, uint64_t after, size_t max, struct lt_arena *a,
                                struct journal_entry **ret_entries, size_t *ret_count);

/* How far the book has committed. Kept in a small file beside the journal that may lag behind, never run
 * ahead.
 */
uint64_t journal_acknowledged(const struct journal *j);
/* Refuses (LT_STATE_CORRUPT) what was never written. Going backwards is ignored. */
LT_MUST_USE lt_res journal_acknowledge(struct journal *j, uint64_t sequence);
/* A book says how far it is. Refuses one that has forgotten what it acknowledged, or knows more than this
 * journal: LT_STATE_CORRUPT, with what to do. */
LT_MUST_USE lt_res journal_check_book(const struct journal *j, uint64_t book_sequence);

/* Reads a journal file that nobody has open for writing, checking all of it. visit may be NULL. */
struct journal_summary {
    uint64_t first;
    uint64_t last; /* 0: none */
    lt_time last_time;
    uint8_t head[JOURNAL_HASH_LEN];
    uint64_t torn_bytes; /* behind the last whole frame, never synced; zeros do not count */
};
typedef lt_res journal_visit(void *self, const struct journal_entry *e);
LT_MUST_USE lt_res journal_walk(const struct journal_io *io, int fd, journal_visit *visit, void *self,
                                struct journal_summary *ret_summary);

#endif
