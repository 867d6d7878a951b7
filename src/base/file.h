#ifndef BASE_FILE_H
#define BASE_FILE_H
/* Small whole files: read with a cap, replace atomically and durably. Used at start-up and by the publisher.
 */
#include "base/arena.h"
#include "base/buf.h"

/* For LT_CLEANUP: closes when >= 0. */
void lt_fd_closep(int *fd);
/* All of the file into the arena; over max bytes is LT_PEER_TOO_LARGE, missing LT_PEER_NOT_FOUND; messages
 * name the path. */
LT_MUST_USE lt_res lt_file_read(struct lt_arena *a, int dir_fd, const char *path, size_t max,
                                lt_slice *ret_bytes);
/* Write beside it, fsync, rename over it, fsync the folder: after a power cut the file is the old or the new
 * one. */
LT_MUST_USE lt_res lt_file_replace(int dir_fd, const char *path, unsigned mode, lt_slice bytes);
/* Write all, EINTR and short writes handled. */
LT_MUST_USE lt_res lt_write_all(int fd, lt_slice bytes);
/* The same, and sent on its way to the disk: a large file so written, a MiB at a time, has little left for
 * the sync at its end, which everybody else's syncs would wait for. wait: until it is there, so that no more
 * is under way. Durable only after that sync. */
LT_MUST_USE lt_res lt_write_through(int fd, lt_slice bytes, bool wait);

#endif
