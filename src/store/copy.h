#ifndef STORE_COPY_H
#define STORE_COPY_H
/* Moving a book from one store to another, whatever they are: every table in the order of its key, then both
 * read again, and counts and hashes compared. Offline: nobody may write to either meanwhile. */
#include "store/store.h"

enum { STORE_COPY_HASH_LEN = 32 };

struct store_copy_table {
    const char *name;
    int64_t rows;
    uint8_t sha256[STORE_COPY_HASH_LEN]; /* of every value of every row, in the order of the key */
};

/* Called now and then: rows so far, of all that there are. */
typedef void store_copy_progress(void *self, const char *table, int64_t rows, int64_t total);

struct store_copy {
    struct store *from; /* borrowed, as all here; opened read-only */
    struct store *to;   /* of this version, and empty or left half full by a copy that did not end */
    struct store *back; /* the same once more, read-only: what was written is read there */
    store_copy_progress *progress;
    void *self;
    /* Results. */
    struct store_copy_table *tables; /* owned by the arena */
    size_t table_count;
    int64_t rows;
};

/* Rows of the source, without reading them: for a dry run. */
LT_MUST_USE lt_res store_copy_count(struct store_copy *copy, struct lt_arena *a);
/* LT_PEER_CONFLICT when the target holds a book; LT_STATE_CORRUPT when it holds other rows in the end, which
 * are left for whoever wants to look. */
LT_MUST_USE lt_res store_copy_run(struct store_copy *copy, struct lt_arena *a);
/* One hash of a whole book, out of those of its tables. */
void store_copy_hash(const struct store_copy *copy, uint8_t ret_sha256[STORE_COPY_HASH_LEN]);

#endif
