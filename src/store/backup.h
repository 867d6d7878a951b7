#ifndef STORE_BACKUP_H
#define STORE_BACKUP_H
/* A copy of a book in SQLite while its family writes to it: one moment of the book, whole, in a file of its
 * own that needs no other. Pages are copied as they are, so it costs what reading the file costs; the WAL
 * grows meanwhile by what is written. A book on a server goes by copy.h.
 *
 * The copy is not there until it is whole: it is written under another name, synced, and renamed. Refuses: a
 * target that exists. */
#include "base/result.h"
#include "base/slice.h"

typedef void store_backup_progress(void *self, uint64_t done, uint64_t total); /* pages */

struct store_backup {
    const char *from;
    const char *to;
    store_backup_progress *progress; /* NULL: none */
    void *self;
};

LT_MUST_USE lt_res store_backup_run(const struct store_backup *b);
/* A file that store_open made: without a WAL beside it, on the disk, for somebody else to take along. */
LT_MUST_USE lt_res store_backup_settle(const char *path);
/* Every page and index of the file is as SQLite wants it. Reads all of it. LT_STATE_CORRUPT says the first
 * thing that is not. */
LT_MUST_USE lt_res store_backup_check(const char *path);

#endif
