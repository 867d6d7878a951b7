#ifndef UNIT_SIGNER_DISK_H
#define UNIT_SIGNER_DISK_H
/* A disk in memory for the journal's tests: it knows which sectors were synced, fails the n-th call, loses
 * what was not synced, and, as real kernels do, forgets after a failed sync that anything was dirty. */
#include "signer/journal.h"

enum {
    DISK_FILES = 6,
    DISK_SECTOR = 512,
    DISK_FILE_MAX = 512 * 1024,
    DISK_SECTORS = DISK_FILE_MAX / DISK_SECTOR
};

struct disk_file {
    char name[64];
    uint8_t *cache;   /* what a reader sees */
    uint8_t *durable; /* what a power cut leaves */
    size_t cache_len;
    size_t durable_len;
    bool dirty[DISK_SECTORS];
    bool locked;
};

enum disk_failure { DISK_FINE, DISK_EIO, DISK_FULL, DISK_SHORT_THEN_FULL };

struct disk {
    struct disk_file files[DISK_FILES];
    size_t count;
    uint64_t random; /* state of a small generator: runs are repeatable */
    unsigned calls;  /* that write, sync or truncate, so far */
    unsigned fail_at;
    unsigned fail_count; /* how many calls fail from there on */
    enum disk_failure failure;
    bool full_next;
    struct journal_io io;
};

void disk_init(struct disk *d, uint64_t seed);
void disk_done(struct disk *d);
uint64_t disk_random(struct disk *d);
/* The process is gone, its descriptors with it; the page cache stays. */
void disk_kill(struct disk *d);
/* The power is gone. keep: of the sectors that were not synced, each one stays or not as chance wants it;
 * else none stays. */
void disk_power_cut(struct disk *d, bool keep);
struct disk_file *disk_file(struct disk *d, const char *name); /* NULL when there is none */

#endif
