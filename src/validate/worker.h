#ifndef VALIDATE_WORKER_H
#define VALIDATE_WORKER_H
/* Shared by pool.c (the front) and worker.c (the child): the frames between them, and the child's life.
 * A frame: length of the body (32 bits), identity (64 bits), body (a packed Validate or Validated); host byte
 * order, as both ends are one program. */
#include "base/buf.h"
#include "validate/pool.h"

enum { VALIDATE_FRAME_HEAD = 12, VALIDATE_FRAME_MAX = 1024 * 1024 };

void validate_frame_add(struct lt_buf *out, uint64_t id, const ProtobufCMessage *body);
/* The next whole frame at the beginning of the buffer: *ret_body borrows, *ret_len is what it takes. False:
 * not yet; *ret_bad: never. */
bool validate_frame_next(lt_slice bytes, uint64_t *ret_id, lt_slice *ret_body, size_t *ret_len,
                         bool *ret_bad);
/* Writes what the pipe takes. False: the other end is gone. */
bool validate_frame_flush(int fd, struct lt_buf *out);
/* Appends what is there. False: the end. */
bool validate_frame_fill(int fd, struct lt_buf *in);

/* In the child: never returns. */
void validate_worker_run(int from, int to, const struct validate_pool_options *options)
    __attribute__((noreturn));

#endif
