/* IPC: any datagram, from any neighbour to any role, decodes or is refused; what decodes packs again to
 * something that decodes to the same.
 *
 * Input: two bytes (receiver, sender), one byte of flags (1: the rest behind the header goes into a sealed
 * memfd), then the datagram. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ipc/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_MAX = 1 << 20, PREFIX = 3 };

static void repack(const struct ipc_msg *m)
{
    size_t n = protobuf_c_message_get_packed_size(m->body);
    uint8_t *bytes = malloc(n + 1);
    LT_ASSERT(bytes != NULL && protobuf_c_message_pack(m->body, bytes) == n);
    struct lt_arena again;
    lt_arena_init(&again, 4 * ARENA_MAX);
    const ProtobufCMessage *body = NULL;
    LT_ASSERT(!lt_failed(ipc_body_decode(ipc_type_info(m->type), LT_SLICE(bytes, n), &again, &body)));
    LT_ASSERT(protobuf_c_message_get_packed_size(body) == n);
    lt_arena_done(&again);
    free(bytes);
}

static void send_all(int fd, lt_slice datagram, bool in_memfd)
{
    union {
        struct cmsghdr header;
        uint8_t bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec iov = {.iov_base = (void *)(uintptr_t)datagram.ptr, .iov_len = datagram.len};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    int body = -1;
    if (in_memfd && datagram.len > IPC_HEADER_BYTES) {
        lt_slice rest = lt_slice_sub(datagram, IPC_HEADER_BYTES, datagram.len);
        LT_ASSERT(!lt_failed(ipc_memfd_new(rest, &body)));
        iov.iov_len = IPC_HEADER_BYTES;
        m.msg_control = control.bytes;
        m.msg_controllen = sizeof control.bytes;
        control.header = (struct cmsghdr){
            .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.header), &body, sizeof body);
    }
    (void)sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL); /* one too large for the socket never arrives */
    if (body >= 0) {
        (void)close(body);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size <= PREFIX) {
        return 0;
    }
    int pair[2];
    LT_ASSERT(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
    struct ipc_link *link = NULL;
    enum ipc_role self = (enum ipc_role)(data[0] % IPC_ROLE_COUNT);
    enum ipc_role peer = (enum ipc_role)(data[1] % IPC_ROLE_COUNT);
    LT_ASSERT(!lt_failed(ipc_link_new(pair[0], self, peer, 0, &link)));
    send_all(pair[1], LT_SLICE(data + PREFIX, size - PREFIX), (data[2] & 1) != 0);
    struct lt_arena arena;
    lt_arena_init(&arena, ARENA_MAX);
    struct ipc_msg m;
    lt_res r = ipc_link_recv(link, &arena, &m);
    if (!lt_failed(r)) {
        LT_ASSERT(ipc_may_send(peer, self, m.type));
        repack(&m);
    }
    ipc_msg_done(&m);
    lt_arena_done(&arena);
    ipc_link_free(link);
    (void)close(pair[1]);
    return 0;
}
