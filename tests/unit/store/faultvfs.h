#ifndef TESTS_STORE_FAULTVFS_H
#define TESTS_STORE_FAULTVFS_H
/* A disk in memory for SQLite, with the failures that real ones have: the n-th call fails, everything from
 * the n-th call on fails (the process is killed), writes find no room, locks are taken; and a power cut that
 * throws away what was not synced, all of it or some sectors of it.
 *
 * One connection at a time. Nothing is written anywhere else.
 */
#include <stdbool.h>
#include <stdint.h>

#define FAULTVFS_NAME "lintel-fault"

enum faultvfs_kind {
    FAULTVFS_NONE,
    FAULTVFS_IO,   /* the n-th call fails, the next ones work */
    FAULTVFS_KILL, /* the n-th call and all later ones fail */
    FAULTVFS_FULL, /* from the n-th write on there is no room, until faultvfs_arm(FAULTVFS_NONE) */
    FAULTVFS_BUSY, /* the n-th taking of a lock fails, and the next `busy_count` - 1 */
};

/* Registers it; once per process. */
void faultvfs_register(void);
/* An empty disk. */
void faultvfs_format(void);
/* From now on: fail at the n-th call that could (1: the next one). */
void faultvfs_arm(enum faultvfs_kind kind, uint64_t n);
/* For FAULTVFS_BUSY; 1 otherwise. */
void faultvfs_busy_count(uint64_t count);
/* How many such calls there were since it was armed; did it strike? */
uint64_t faultvfs_calls(void);
bool faultvfs_struck(void);
/* Only while nothing is open. seed 0: what was not synced is gone; otherwise each sector of it may or may not
 * have reached the disk. */
void faultvfs_power_cut(uint64_t seed);

#endif
