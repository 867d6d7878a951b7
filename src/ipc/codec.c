/* Bytes of a message and back. Refuses: unknown types and versions, lengths that do not add up, bodies over
 * the type's limit, fields we do not know, memfds that are not sealed. */
#include "ipc/codec.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "ipc/arena.h"

_Static_assert(sizeof(struct ipc_header) == IPC_HEADER_BYTES, "the header is 16 bytes without padding");

enum { ALL_SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

void ipc_header_write(const struct ipc_header *h, uint8_t out[IPC_HEADER_BYTES])
{
    memcpy(out, h, IPC_HEADER_BYTES);
}

lt_res ipc_header_read(lt_slice datagram, size_t fd_count, struct ipc_header *ret_header,
                       const struct ipc_type_info **ret_info)
{
    LT_CHECK(datagram.len >= IPC_HEADER_BYTES, LT_PEER_MALFORMED, "a message of %zu bytes", datagram.len);
    struct ipc_header h;
    memcpy(&h, datagram.ptr, sizeof h);
    const struct ipc_type_info *info = ipc_type_info((enum ipc_type)h.type);
    LT_CHECK(info != NULL, LT_PEER_UNSUPPORTED, "no message has type %u", h.type);
    LT_CHECK(h.version == IPC_WIRE_VERSION, LT_PEER_UNSUPPORTED, "%s: wire version %u", info->name,
             h.version);
    LT_CHECK((h.flags & ~IPC_FLAG_MEMFD) == 0, LT_PEER_MALFORMED, "%s: flags %02x", info->name, h.flags);
    LT_CHECK(h.body_len <= info->max_bytes, LT_PEER_TOO_LARGE, "%s: a body of %u bytes", info->name,
             h.body_len);
    bool in_memfd = (h.flags & IPC_FLAG_MEMFD) != 0;
    LT_CHECK(in_memfd == (h.body_len > IPC_INLINE_MAX), LT_PEER_MALFORMED, "%s: %u bytes in the wrong place",
             info->name, h.body_len);
    size_t inline_len = datagram.len - IPC_HEADER_BYTES;
    LT_CHECK(inline_len == (in_memfd ? 0 : h.body_len), LT_PEER_MALFORMED,
             "%s: says %u bytes of body, carries %zu", info->name, h.body_len, inline_len);
    LT_CHECK(fd_count <= info->max_fds + (in_memfd ? 1U : 0U) && fd_count >= (in_memfd ? 1U : 0U),
             LT_PEER_MALFORMED, "%s: %zu descriptors", info->name, fd_count);
    *ret_header = h;
    *ret_info = info;
    return LT_OK;
}

/* The messages that a field holds: none, one, or as many as it repeats. */
static size_t messages_of(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f,
                          ProtobufCMessage *const **ret_list)
{
    const char *base = (const char *)m;
    if (f->type != PROTOBUF_C_TYPE_MESSAGE) {
        return 0;
    }
    if (f->label == PROTOBUF_C_LABEL_REPEATED) {
        *ret_list = *(ProtobufCMessage *const *const *)(const void *)(base + f->offset);
        return *(const size_t *)(const void *)(base + f->quantifier_offset);
    }
    *ret_list = (ProtobufCMessage *const *)(const void *)(base + f->offset);
    return **ret_list == NULL ? 0 : 1;
}

/* As deep as the schema goes: no message of ours holds one of its own kind. */
static bool all_known(const ProtobufCMessage *m)
{
    bool known = m->n_unknown_fields == 0;
    for (unsigned i = 0; known && i < m->descriptor->n_fields; i++) {
        ProtobufCMessage *const *list = NULL;
        size_t count = messages_of(m, &m->descriptor->fields[i], &list);
        for (size_t k = 0; known && k < count; k++) {
            known = all_known(list[k]);
        }
    }
    return known;
}

lt_res ipc_body_decode(const struct ipc_type_info *info, lt_slice packed, struct lt_arena *arena,
                       const ProtobufCMessage **ret_body)
{
    ProtobufCAllocator allocator = ipc_arena_allocator(arena);
    static const uint8_t nothing[1];
    const ProtobufCMessage *body = protobuf_c_message_unpack(info->body, &allocator, packed.len,
                                                             packed.ptr == NULL ? nothing : packed.ptr);
    LT_CHECK(body != NULL, LT_PEER_MALFORMED, "%s: %zu bytes that do not decode", info->name, packed.len);
    LT_CHECK(all_known(body), LT_PEER_MALFORMED, "%s: a field that it does not have", info->name);
    *ret_body = body;
    return LT_OK;
}

lt_res ipc_unpack(enum ipc_type type, lt_slice packed, struct lt_arena *arena,
                  const ProtobufCMessage **ret_body)
{
    const struct ipc_type_info *info = ipc_type_info(type);
    LT_ASSERT(info != NULL);
    LT_CHECK(packed.len <= info->max_bytes, LT_PEER_TOO_LARGE, "%s: %zu bytes, at most %zu", info->name,
             packed.len, info->max_bytes);
    return ipc_body_decode(info, packed, arena, ret_body);
}

lt_res ipc_pack(const ProtobufCMessage *body, struct lt_arena *arena, lt_slice *ret_packed)
{
    size_t len = protobuf_c_message_get_packed_size(body);
    uint8_t *bytes = lt_arena_alloc(arena, len == 0 ? 1 : len);
    LT_CHECK(bytes != NULL, LT_PEER_TOO_LARGE, "%s: %zu bytes are too many", body->descriptor->name, len);
    *ret_packed = LT_SLICE(bytes, protobuf_c_message_pack(body, bytes));
    return LT_OK;
}

lt_res ipc_memfd_new(lt_slice bytes, int *ret_fd)
{
    LT_CLEANUP(lt_fd_closep) int fd = memfd_create("lintel-body", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    LT_CHECK(fd >= 0, LT_RETRY_BUSY, "no descriptor or memory for a body: %s", strerror(errno));
    LT_TRY(lt_write_all(fd, bytes));
    LT_CHECK(fcntl(fd, F_ADD_SEALS, ALL_SEALS) == 0, LT_STATE_IO, "memfd seals: %s", strerror(errno));
    *ret_fd = LT_TAKE(fd, -1);
    return LT_OK;
}

lt_res ipc_memfd_map(int fd, size_t len, lt_slice *ret_bytes)
{
    int seals = fcntl(fd, F_GET_SEALS);
    LT_CHECK(seals >= 0 && (seals & ALL_SEALS) == ALL_SEALS, LT_PEER_MALFORMED,
             "a body that its sender can still change");
    struct stat st;
    LT_CHECK(fstat(fd, &st) == 0 && st.st_size >= 0 && (size_t)st.st_size == len, LT_PEER_MALFORMED,
             "a body of another length than the message says");
    void *p = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
    LT_CHECK(p != MAP_FAILED, LT_STATE_IO, "mapping a body: %s", strerror(errno));
    *ret_bytes = LT_SLICE(p, len);
    return LT_OK;
}

lt_res ipc_sealed_new(lt_slice bytes, int *ret_fd)
{
    return ipc_memfd_new(bytes, ret_fd);
}

lt_res ipc_sealed_map(int fd, size_t max, lt_slice *ret_bytes)
{
    struct stat st;
    LT_CHECK(fstat(fd, &st) == 0 && st.st_size > 0 && (uintmax_t)st.st_size <= max, LT_PEER_MALFORMED,
             "bytes beside a message that are none, or too many");
    return ipc_memfd_map(fd, (size_t)st.st_size, ret_bytes);
}
