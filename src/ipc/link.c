/* One end of a link: sends at once and queues what the socket does not take, receives one message at a time.
 * Refuses what the table does not allow, in both directions. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ipc/codec.h"

enum {
    QUEUE_MAX_BYTES = 8 * 1024 * 1024,
    QUEUE_MAX_FDS = 256, /* bodies in memfds and passed descriptors that wait in the queue */
    WIRE_MAX_FDS = IPC_MAX_FDS + 1,
    TYPE_WORDS = IPC_TYPE_LIMIT / 64,
};

/* A message on its way out; one allocation. */
struct parcel {
    struct parcel *next;
    size_t len;
    size_t fd_count;
    int fds[WIRE_MAX_FDS]; /* owned duplicates, only while queued; the memfd always */
    bool wipe;
    uint8_t bytes[];
};

struct ipc_link {
    int fd;
    enum ipc_role self;
    enum ipc_role peer;
    uint32_t peer_instance;
    bool dead;
    uint64_t may_send[TYPE_WORDS]; /* the rows of the table for this link, by type */
    uint64_t may_receive[TYPE_WORDS];
    struct parcel *first; /* owned queue */
    struct parcel **last;
    size_t queued_bytes;
    size_t queued_fds;
    uint8_t *datagram; /* owned mapping of IPC_DATAGRAM_MAX bytes; only touched pages cost memory */
};

static bool has_type(const uint64_t *set, unsigned type)
{
    return type < IPC_TYPE_LIMIT && (set[type / 64] >> (type % 64) & 1) != 0;
}

static void fill_sets(struct ipc_link *link)
{
    for (unsigned t = 0; t < IPC_TYPE_LIMIT; t++) {
        uint64_t bit = UINT64_C(1) << (t % 64);
        if (ipc_may_send(link->self, link->peer, (enum ipc_type)t)) {
            link->may_send[t / 64] |= bit;
        }
        if (ipc_may_send(link->peer, link->self, (enum ipc_type)t)) {
            link->may_receive[t / 64] |= bit;
        }
    }
}

lt_res ipc_link_new(int fd, enum ipc_role self, enum ipc_role peer, uint32_t peer_instance,
                    struct ipc_link **ret_link)
{
    int kind = 0;
    socklen_t kind_len = sizeof kind;
    LT_CHECK(getsockopt(fd, SOL_SOCKET, SO_TYPE, &kind, &kind_len) == 0 && kind == SOCK_SEQPACKET,
             LT_PEER_MALFORMED, "a link needs a SEQPACKET socket");
    int flags = fcntl(fd, F_GETFL);
    LT_CHECK(flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0, LT_STATE_IO, "fcntl: %s",
             strerror(errno));
    uint8_t *datagram = mmap(NULL, IPC_DATAGRAM_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                             0);
    LT_CHECK(datagram != MAP_FAILED, LT_STATE_IO, "no memory for a link: %s", strerror(errno));
    struct ipc_link *link = calloc(1, sizeof *link);
    LT_ASSERT(link != NULL);
    link->fd = fd;
    link->self = self;
    link->peer = peer;
    link->peer_instance = peer_instance;
    link->last = &link->first;
    link->datagram = datagram;
    fill_sets(link);
    *ret_link = link;
    return LT_OK;
}

static void close_all(int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (fds[i] >= 0) {
            (void)close(fds[i]); /* a socket or memfd that nobody wants: nothing to lose */
            fds[i] = -1;
        }
    }
}

static void parcel_free(struct parcel *p)
{
    if (p->wipe) {
        explicit_bzero(p->bytes, p->len);
    }
    close_all(p->fds, p->fd_count);
    free(p);
}

void ipc_link_free(struct ipc_link *link)
{
    if (link == NULL) {
        return;
    }
    for (struct parcel *p = link->first; p != NULL;) {
        struct parcel *next = p->next;
        parcel_free(p);
        p = next;
    }
    (void)munmap(link->datagram, IPC_DATAGRAM_MAX);
    (void)close(link->fd);
    free(link);
}

int ipc_link_fd(const struct ipc_link *link)
{
    return link->fd;
}

enum ipc_role ipc_link_peer(const struct ipc_link *link)
{
    return link->peer;
}

uint32_t ipc_link_peer_instance(const struct ipc_link *link)
{
    return link->peer_instance;
}

bool ipc_link_wants_write(const struct ipc_link *link)
{
    return link->first != NULL;
}

/* LT_RETRY_AGAIN when the socket is full. */
static lt_res transmit(struct ipc_link *link, struct parcel *p)
{
    union {
        struct cmsghdr header;
        uint8_t bytes[CMSG_SPACE(WIRE_MAX_FDS * sizeof(int))];
    } control;
    struct iovec iov = {.iov_base = p->bytes, .iov_len = p->len};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    if (p->fd_count > 0) {
        size_t bytes = p->fd_count * sizeof(int);
        m.msg_control = control.bytes;
        m.msg_controllen = CMSG_SPACE(bytes);
        control.header = (struct cmsghdr){
            .cmsg_len = CMSG_LEN(bytes), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.header), p->fds, bytes);
    }
    ssize_t n;
    do {
        n = sendmsg(link->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    if (n >= 0) {
        return LT_OK;
    }
    if (errno == EAGAIN || errno == ENOBUFS || errno == ETOOMANYREFS) {
        return (lt_res){LT_RETRY_AGAIN};
    }
    int error = errno;
    link->dead = true;
    LT_FAIL(LT_STATE_CLOSED, "%s is gone: %s", ipc_role_name(link->peer), strerror(error));
}

/* The parcel must hold on to its descriptors: the caller closes its own after sending. */
static lt_res own_fds(struct parcel *p, size_t first)
{
    for (size_t i = first; i < p->fd_count; i++) {
        int copy = fcntl(p->fds[i], F_DUPFD_CLOEXEC, 3);
        if (copy < 0) {
            int error = errno;
            close_all(p->fds, i);
            p->fd_count = 0;
            LT_FAIL(LT_RETRY_BUSY, "no descriptor to queue a message with: %s", strerror(error));
        }
        p->fds[i] = copy;
    }
    return LT_OK;
}

static lt_res enqueue(struct ipc_link *link, struct parcel *p, size_t owned_fds)
{
    lt_res r = LT_OK;
    if (link->queued_bytes + p->len > QUEUE_MAX_BYTES || link->queued_fds + p->fd_count > QUEUE_MAX_FDS) {
        r = lt_fail(LT_RETRY_BUSY, __FILE__, __LINE__, "%s does not keep up: %zu bytes wait",
                    ipc_role_name(link->peer), link->queued_bytes);
        p->fd_count = owned_fds; /* the rest is the caller's */
    } else {
        r = own_fds(p, owned_fds);
    }
    if (lt_failed(r)) {
        parcel_free(p);
        return r;
    }
    *link->last = p;
    link->last = &p->next;
    link->queued_bytes += p->len;
    link->queued_fds += p->fd_count;
    return LT_OK;
}

/* Takes the parcel, whose first owned_fds descriptors are its own. */
static lt_res dispatch(struct ipc_link *link, struct parcel *p, size_t owned_fds)
{
    if (link->first != NULL) {
        return enqueue(link, p, owned_fds);
    }
    lt_res r = transmit(link, p);
    if (r.code == LT_RETRY_AGAIN) {
        return enqueue(link, p, owned_fds);
    }
    p->fd_count = owned_fds;
    parcel_free(p);
    return r;
}

/* Header written, body still to be filled in by the caller, who also set the limit. */
static lt_res new_parcel(struct ipc_link *link, enum ipc_type type, size_t body_len, size_t fd_count,
                         struct parcel **ret_parcel)
{
    LT_CHECK(!link->dead, LT_STATE_CLOSED, "%s is gone", ipc_role_name(link->peer));
    /* A bug of ours, not of a peer: no process may even try. */
    LT_ASSERT(has_type(link->may_send, (unsigned)type));
    const struct ipc_type_info *info = ipc_type_info(type);
    LT_CHECK(body_len <= info->max_bytes, LT_PEER_TOO_LARGE, "%s: a body of %zu bytes", info->name, body_len);
    LT_ASSERT(fd_count <= info->max_fds);
    struct parcel *p = malloc(sizeof *p + IPC_HEADER_BYTES + body_len);
    LT_ASSERT(p != NULL);
    p->next = NULL;
    p->len = IPC_HEADER_BYTES + body_len;
    p->fd_count = 0;
    p->wipe = type == IPC_START; /* carries the passphrase */
    *ret_parcel = p;
    return LT_OK;
}

static lt_res finish_parcel(struct ipc_link *link, struct parcel *p, struct ipc_header h, const int *fds,
                            size_t fd_count)
{
    size_t owned = 0;
    h.version = IPC_WIRE_VERSION;
    h.body_len = (uint32_t)(p->len - IPC_HEADER_BYTES);
    if (h.body_len > IPC_INLINE_MAX) {
        lt_res r = ipc_memfd_new(LT_SLICE(p->bytes + IPC_HEADER_BYTES, h.body_len), &p->fds[0]);
        if (lt_failed(r)) {
            parcel_free(p);
            return r;
        }
        h.flags = IPC_FLAG_MEMFD;
        if (p->wipe) {
            explicit_bzero(p->bytes + IPC_HEADER_BYTES, h.body_len);
        }
        p->len = IPC_HEADER_BYTES;
        owned = 1;
    }
    ipc_header_write(&h, p->bytes);
    if (fd_count > 0) {
        memcpy(p->fds + owned, fds, fd_count * sizeof *fds);
    }
    p->fd_count = owned + fd_count;
    return dispatch(link, p, owned);
}

lt_res ipc_link_send(struct ipc_link *link, enum ipc_type type, uint64_t id, const ProtobufCMessage *body,
                     const int *fds, size_t fd_count)
{
    struct parcel *p;
    LT_TRY(new_parcel(link, type, protobuf_c_message_get_packed_size(body), fd_count, &p));
    LT_ASSERT(body->descriptor == ipc_type_info(type)->body);
    (void)protobuf_c_message_pack(body, p->bytes + IPC_HEADER_BYTES); /* the size was asked for above */
    return finish_parcel(link, p, (struct ipc_header){.type = (uint16_t)type, .id = id}, fds, fd_count);
}

lt_res ipc_link_send_packed(struct ipc_link *link, enum ipc_type type, uint64_t id, lt_slice packed,
                            const int *fds, size_t fd_count)
{
    struct parcel *p;
    LT_TRY(new_parcel(link, type, packed.len, fd_count, &p));
    if (packed.len > 0) {
        memcpy(p->bytes + IPC_HEADER_BYTES, packed.ptr, packed.len);
    }
    return finish_parcel(link, p, (struct ipc_header){.type = (uint16_t)type, .id = id}, fds, fd_count);
}

lt_res ipc_link_flush(struct ipc_link *link)
{
    while (link->first != NULL) {
        struct parcel *p = link->first;
        lt_res r = transmit(link, p);
        if (r.code == LT_RETRY_AGAIN) {
            return LT_OK; /* the socket says when it has room */
        }
        LT_TRY(r);
        link->first = p->next;
        if (link->first == NULL) {
            link->last = &link->first;
        }
        link->queued_bytes -= p->len;
        link->queued_fds -= p->fd_count;
        parcel_free(p);
    }
    return LT_OK;
}

/* One datagram with its descriptors; more descriptors than fit are closed by the kernel and flagged. */
static lt_res receive(struct ipc_link *link, int *fds, size_t *ret_fd_count, lt_slice *ret_datagram)
{
    union {
        struct cmsghdr header;
        uint8_t bytes[CMSG_SPACE(WIRE_MAX_FDS * sizeof(int))];
    } control;
    struct iovec iov = {.iov_base = link->datagram, .iov_len = IPC_DATAGRAM_MAX};
    /* CMSG_LEN, not the rounded CMSG_SPACE: the kernel would fill the rounding with one descriptor more. */
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = CMSG_LEN(WIRE_MAX_FDS * sizeof(int))};
    ssize_t n;
    /* ECONNRESET comes once, when the peer died with messages unread; what it had sent is still to be read.
     */
    int resets = 0;
    do {
        n = recvmsg(link->fd, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    } while (n < 0 && (errno == EINTR || (errno == ECONNRESET && resets++ == 0)));
    *ret_fd_count = 0;
    if (n < 0 && errno == EAGAIN) {
        return (lt_res){LT_RETRY_AGAIN};
    }
    LT_CHECK(n > 0, LT_STATE_CLOSED, "%s is gone", ipc_role_name(link->peer));
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c != NULL; c = CMSG_NXTHDR(&m, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
            size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            memcpy(fds, CMSG_DATA(c),
                   count * sizeof(int)); /* the control buffer holds no more than fds does */
            *ret_fd_count = count;
        }
    }
    *ret_datagram = LT_SLICE(link->datagram, (size_t)n);
    LT_CHECK((m.msg_flags & MSG_TRUNC) == 0, LT_PEER_TOO_LARGE, "a message over %d bytes", IPC_DATAGRAM_MAX);
    if ((m.msg_flags & MSG_CTRUNC) != 0) {
        /* Cut before the buffer was full: it is we who have none left, not the peer who sent too many. */
        LT_CHECK(*ret_fd_count == WIRE_MAX_FDS, LT_STATE_IO, "no descriptors are left for a message");
        LT_FAIL(LT_PEER_MALFORMED, "more descriptors than any message has");
    }
    return LT_OK;
}

/* What a datagram says; *fds loses its memfd. */
static lt_res interpret(struct ipc_link *link, lt_slice datagram, int *fds, size_t *fd_count,
                        struct lt_arena *arena, struct ipc_msg *m)
{
    struct ipc_header h;
    const struct ipc_type_info *info;
    LT_TRY(ipc_header_read(datagram, *fd_count, &h, &info));
    m->type = info->type;
    m->from.id = h.id;
    LT_CHECK(has_type(link->may_receive, h.type), LT_PEER_UNSUPPORTED, "%s may not send %s to %s",
             ipc_role_name(link->peer), info->name, ipc_role_name(link->self));
    if ((h.flags & IPC_FLAG_MEMFD) == 0) {
        return ipc_body_decode(info, lt_slice_sub(datagram, IPC_HEADER_BYTES, h.body_len), arena, &m->body);
    }
    lt_slice mapped;
    LT_TRY(ipc_memfd_map(fds[0], h.body_len, &mapped));
    lt_res r = ipc_body_decode(info, mapped, arena, &m->body);
    (void)munmap((void *)(uintptr_t)mapped.ptr, mapped.len);
    (void)close(fds[0]);
    *fd_count -= 1;
    memmove(fds, fds + 1, *fd_count * sizeof *fds);
    return r;
}

lt_res ipc_link_recv(struct ipc_link *link, struct lt_arena *arena, struct ipc_msg *ret_msg)
{
    *ret_msg = (struct ipc_msg){.from = {.role = link->peer, .instance = link->peer_instance}};
    int fds[WIRE_MAX_FDS];
    size_t fd_count = 0;
    lt_slice datagram = {0};
    lt_res r = receive(link, fds, &fd_count, &datagram);
    if (r.code == LT_RETRY_AGAIN) {
        return r;
    }
    if (!lt_failed(r)) {
        r = interpret(link, datagram, fds, &fd_count, arena, ret_msg);
    }
    if (ret_msg->type == IPC_START) {
        explicit_bzero(link->datagram, datagram.len);
    }
    if (lt_failed(r)) {
        close_all(fds, fd_count);
        link->dead = true;
        return r;
    }
    memcpy(ret_msg->fds, fds, fd_count * sizeof *fds);
    ret_msg->fd_count = fd_count;
    return LT_OK;
}

void ipc_msg_done(struct ipc_msg *m)
{
    close_all(m->fds, m->fd_count);
    m->fd_count = 0;
}
