#ifndef IPC_CODEC_H
#define IPC_CODEC_H
/* What a message looks like on a link. Private to ipc/.
 *
 * A datagram is a 16-byte header {type 2, version 1, flags 1, body length 4, id 8} in the machine's own byte
 * order (both ends are one build on one host) and the protobuf body, or, over 64 KiB, the header alone with
 * the body in a sealed memfd that travels as the first descriptor. There is one way to say a thing: a short
 * body in a memfd is refused as well.
 */
#include "ipc/ipc.h"

enum {
    IPC_HEADER_BYTES = 16,
    IPC_INLINE_MAX = 64 * 1024,
    IPC_DATAGRAM_MAX = IPC_HEADER_BYTES + IPC_INLINE_MAX,
    IPC_WIRE_VERSION = 1,
    IPC_FLAG_MEMFD = 1,
};

struct ipc_header {
    uint16_t type;
    uint8_t version;
    uint8_t flags;
    uint32_t body_len;
    uint64_t id;
};

void ipc_header_write(const struct ipc_header *h, uint8_t out[IPC_HEADER_BYTES]);
/* Checks everything that can be known from the datagram and the number of descriptors beside it. */
LT_MUST_USE lt_res ipc_header_read(lt_slice datagram, size_t fd_count, struct ipc_header *ret_header,
                                   const struct ipc_type_info **ret_info);
/* Into the arena; fields that the message does not have are refused. */
LT_MUST_USE lt_res ipc_body_decode(const struct ipc_type_info *info, lt_slice packed, struct lt_arena *arena,
                                   const ProtobufCMessage **ret_body);
/* A memfd with these bytes, sealed against everything. */
LT_MUST_USE lt_res ipc_memfd_new(lt_slice bytes, int *ret_fd);
/* Maps a memfd of exactly len bytes, refusing one that could still change. Unmap with munmap. */
LT_MUST_USE lt_res ipc_memfd_map(int fd, size_t len, lt_slice *ret_bytes);

#endif
