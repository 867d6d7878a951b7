#ifndef SIGNER_JOURNAL_IMPL_H
#define SIGNER_JOURNAL_IMPL_H
/* Inside the journal: the walk over a file, the index, and the journal itself. Private to this room. */
#include "signer/journal_format.h"

enum {
    JOURNAL_KIND_CRL = 3,
    JOURNAL_ISSUERS_MAX = 256,
    JOURNAL_CRL_NUMBER_MAX = 20,
    JOURNAL_MARK_EVERY = 64
};

/* A walk over one file, frame by frame. */
struct journal_scan {
    const struct journal_io *io;
    int fd;
    uint64_t size;
    uint64_t torn; /* bytes behind the last whole frame up to the last one that is not zero */
    bool empty;    /* nothing was ever written: no header */
    struct journal_header header;
    uint64_t end;        /* behind the last whole frame: where the next one goes */
    uint64_t last_frame; /* its offset; 0 for none */
    struct journal_position at;
    struct lt_buf frame; /* owned: the frame being read */
};
/* Offsets in the file, of the frame and of the record in it. */
typedef lt_res journal_scan_visit(void *self, uint64_t frame, uint64_t offset, const struct journal_entry *e);
/* Reads up to `limit` (UINT64_MAX for all of it). ret_scan is to be freed with journal_scan_done, failure
 * included. */
LT_MUST_USE lt_res journal_scan(const struct journal_io *io, int fd, uint64_t limit,
                                journal_scan_visit *visit, void *self, struct journal_scan *ret_scan);
void journal_scan_done(struct journal_scan *s);
/* All of it, or LT_STATE_IO. */
LT_MUST_USE lt_res journal_read_at(const struct journal_io *io, int fd, uint64_t offset, void *out,
                                   size_t len);
/* All of it. LT_RETRY_UNAVAILABLE when there is no room, LT_STATE_IO otherwise. */
LT_MUST_USE lt_res journal_write_at(const struct journal_io *io, int fd, uint64_t offset, lt_slice bytes);

/* From the hash of a key to the offsets of records: 16 bytes a record, open addressing. */
struct journal_slot {
    uint64_t hash;
    uint64_t offset; /* 0: free; 1: was removed */
};
struct journal_index {
    struct journal_slot *slots; /* owned; size is a power of two */
    size_t size;
    size_t used; /* removed ones included */
};
void journal_index_done(struct journal_index *ix);
uint64_t journal_index_hash(const struct journal_entry *key);
/* Offsets with that hash, one after another: start with *cursor 0; 0 when there are no more. */
uint64_t journal_index_next(const struct journal_index *ix, uint64_t hash, size_t *cursor);
void journal_index_add(struct journal_index *ix, uint64_t hash, uint64_t offset);
/* The slot {hash, offset} gets another offset; 0 removes it. */
void journal_index_set(struct journal_index *ix, uint64_t hash, uint64_t offset, uint64_t new_offset);

struct journal_crl_number {
    char issuer[JOURNAL_NAME_MAX + 1];
    uint8_t synced[JOURNAL_CRL_NUMBER_MAX]; /* big-endian, right-aligned */
    uint8_t latest[JOURNAL_CRL_NUMBER_MAX];
};

struct journal_mark {
    uint64_t sequence; /* of the frame's first record */
    uint64_t offset;   /* of the frame */
};

struct journal_undo {
    uint64_t hash;
    uint64_t offset;
    uint64_t old_offset; /* 0: there was none */
};

enum { JOURNAL_MAIN, JOURNAL_MIRROR, JOURNAL_PLACES };

struct journal {
    const struct journal_io *io;
    int fd[JOURNAL_PLACES]; /* owned; the mirror's is -1 when there is none */
    int ack_fd;             /* owned */
    uint64_t end;           /* of durable frames; the same in both places */
    uint64_t room;          /* up to where both files are zeros on disk: a sync there moves no metadata */
    uint32_t grow;
    struct journal_header header;
    struct journal_position synced;
    struct journal_position latest;
    struct lt_buf pending; /* frame head and records that are not durable */
    uint32_t pending_count;
    struct journal_undo *undo; /* owned; of the pending records */
    size_t undo_count;
    size_t undo_size;
    struct journal_index index;
    struct journal_crl_number *crl; /* owned */
    size_t crl_count;
    struct journal_mark *marks; /* owned; each JOURNAL_MARK_EVERY records or more */
    size_t mark_count;
    size_t mark_size;
    uint64_t acknowledged;
    bool failed; /* nothing is known any more */
};

/* Into the index and the tables, when opened and when appended. LT_STATE_CORRUPT for a second signature of
 * one key. */
LT_MUST_USE lt_res journal_learn(struct journal *j, uint64_t offset, const struct journal_entry *e);
void journal_mark_frame(struct journal *j, uint64_t sequence, uint64_t offset);
/* Would this be one too many? LT_POLICY_REFUSED when a CRL number does not grow. */
LT_MUST_USE lt_res journal_check_crl_number(const struct journal *j, const struct journal_entry *e);
/* A record that the index named; into buffer, or from the pending ones. */
LT_MUST_USE lt_res journal_load(struct journal *j, uint64_t offset, uint8_t *buffer,
                                struct journal_entry *ret_entry);
/* Entries of the same key? */
bool journal_same_key(const struct journal_entry *a, const struct journal_entry *b);
/* The book's progress, in its own file. */
LT_MUST_USE lt_res journal_ack_load(struct journal *j);

#endif
