/* Links: what goes through unchanged, and what ends a sender. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

#include "control.pb-c.h"
#include "http.pb-c.h"
#include "ipc/codec.h"
#include "sign.pb-c.h"

enum { ARENA_MAX = 4 * 1024 * 1024 };

/* One link and, at the other end, either its peer or a bare socket that can say anything. */
struct fixture {
    struct ipc_link *a;
    struct ipc_link *b;
    int raw;
    struct lt_arena arena;
};

static void make_pair(int pair[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
}

static void set_up(struct fixture *f, enum ipc_role a, enum ipc_role b)
{
    int pair[2];
    *f = (struct fixture){.raw = -1};
    make_pair(pair);
    assert_ok(ipc_link_new(pair[0], a, b, 3, &f->a));
    assert_ok(ipc_link_new(pair[1], b, a, 5, &f->b));
    lt_arena_init(&f->arena, ARENA_MAX);
}

/* a is a notary's end towards gateway 3; raw is that gateway, lying. */
static void set_up_raw(struct fixture *f, enum ipc_role self, enum ipc_role peer)
{
    int pair[2];
    *f = (struct fixture){0};
    make_pair(pair);
    assert_ok(ipc_link_new(pair[0], self, peer, 3, &f->a));
    f->raw = pair[1];
    lt_arena_init(&f->arena, ARENA_MAX);
}

static void tear_down(struct fixture *f)
{
    ipc_link_free(f->a);
    ipc_link_free(f->b);
    if (f->raw >= 0) {
        (void)close(f->raw);
    }
    lt_arena_done(&f->arena);
}

static size_t count_fds(void)
{
    size_t n = 0;
    for (int fd = 0; fd < 1024; fd++) {
        n += fcntl(fd, F_GETFD) >= 0;
    }
    return n;
}

static void send_raw(const struct fixture *f, const void *bytes, size_t len, const int *fds, size_t fd_count)
{
    struct iovec iov = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = len};
    union {
        struct cmsghdr header;
        uint8_t bytes[CMSG_SPACE(250 * sizeof(int))];
    } control = {0};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    if (fd_count > 0) {
        m.msg_control = control.bytes;
        m.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
        control.header = (struct cmsghdr){
            .cmsg_len = CMSG_LEN(fd_count * sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.header), fds, fd_count * sizeof(int));
    }
    assert_int_equal(sendmsg(f->raw, &m, MSG_NOSIGNAL), (ssize_t)len);
}

static size_t make_request(uint8_t *out, size_t body_len, char fill)
{
    Ipc__HttpRequest r = IPC__HTTP_REQUEST__INIT;
    static char method[] = "POST";
    r.method = method;
    r.body.len = body_len;
    r.body.data = malloc(body_len + 1);
    assert_non_null(r.body.data);
    memset(r.body.data, fill, body_len);
    size_t n = ipc__http_request__pack(&r, out);
    free(r.body.data);
    return n;
}

static void test_there_and_back(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, IPC_GATEWAY, IPC_NOTARY);
    static const size_t sizes[] = {0, 1, 100, 4000, 65000, 65520, 65536, 70000, 120000};
    for (size_t i = 0; i < LT_COUNT(sizes); i++) {
        Ipc__HttpRequest r = IPC__HTTP_REQUEST__INIT;
        r.body.len = sizes[i];
        r.body.data = malloc(sizes[i] + 1);
        assert_non_null(r.body.data);
        memset(r.body.data, (int)('a' + i), sizes[i]);
        assert_ok(ipc_link_send(f.a, IPC_HTTP_REQUEST, 77 + i, &r.base, NULL, 0));
        struct ipc_msg m;
        lt_arena_reset(&f.arena);
        assert_ok(ipc_link_recv(f.b, &f.arena, &m));
        assert_int_equal(m.type, IPC_HTTP_REQUEST);
        assert_int_equal(m.from.role, IPC_GATEWAY);
        assert_int_equal(m.from.instance, 5);
        assert_int_equal(m.from.id, 77 + i);
        assert_int_equal(m.fd_count, 0);
        const Ipc__HttpRequest *got = (const Ipc__HttpRequest *)m.body;
        assert_int_equal(got->body.len, sizes[i]);
        assert_memory_equal(got->body.data == NULL ? r.body.data : got->body.data, r.body.data, sizes[i]);
        ipc_msg_done(&m);
        free(r.body.data);
    }
    struct ipc_msg none;
    assert_int_equal(ipc_link_recv(f.b, &f.arena, &none).code, LT_RETRY_AGAIN);
    tear_down(&f);
}

/* 10 MiB of CRL to the signer: only a memfd crosses. */
static void test_large_body(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, IPC_EXAMINER, IPC_SIGNER);
    Ipc__SignOrder order = IPC__SIGN_ORDER__INIT;
    order.tbs.len = 10 * 1024 * 1024;
    order.tbs.data = malloc(order.tbs.len);
    assert_non_null(order.tbs.data);
    memset(order.tbs.data, 7, order.tbs.len);
    size_t before = count_fds();
    assert_ok(ipc_link_send(f.a, IPC_SIGN_ORDER, 1, &order.base, NULL, 0));
    struct ipc_msg m;
    lt_arena_done(&f.arena);
    lt_arena_init(&f.arena, 16 * 1024 * 1024);
    assert_ok(ipc_link_recv(f.b, &f.arena, &m));
    const Ipc__SignOrder *got = (const Ipc__SignOrder *)m.body;
    assert_int_equal(got->tbs.len, order.tbs.len);
    assert_memory_equal(got->tbs.data, order.tbs.data, order.tbs.len);
    ipc_msg_done(&m);
    assert_int_equal(count_fds(), before);

    /* The receiver's arena is the limit, whatever the type allows. */
    struct lt_arena small;
    lt_arena_init(&small, 1024 * 1024);
    assert_ok(ipc_link_send(f.a, IPC_SIGN_ORDER, 2, &order.base, NULL, 0));
    assert_fails(ipc_link_recv(f.b, &small, &m), LT_PEER_MALFORMED);
    assert_int_equal(count_fds(), before);
    lt_arena_done(&small);
    free(order.tbs.data);
    tear_down(&f);
}

static void test_descriptors_travel(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, IPC_SUPERVISOR, IPC_GATEWAY);
    size_t before = count_fds();
    int pipe_fds[2];
    assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
    Ipc__Link link = IPC__LINK__INIT;
    assert_ok(ipc_link_send(f.a, IPC_LINK, 0, &link.base, &pipe_fds[1], 1));
    assert_int_equal(close(pipe_fds[1]), 0);
    struct ipc_msg m;
    assert_ok(ipc_link_recv(f.b, &f.arena, &m));
    assert_int_equal(m.fd_count, 1);
    assert_true((fcntl(m.fds[0], F_GETFD) & FD_CLOEXEC) != 0);
    assert_int_equal(write(m.fds[0], "x", 1), 1);
    char c = 0;
    assert_int_equal(read(pipe_fds[0], &c, 1), 1);
    assert_int_equal(c, 'x');
    ipc_msg_done(&m); /* nobody took it */
    assert_int_equal(read(pipe_fds[0], &c, 1), 0);
    assert_int_equal(close(pipe_fds[0]), 0);
    assert_int_equal(count_fds(), before);
    tear_down(&f);
}

/* A full socket queues; a full queue says so; flushing brings everything in order; nothing leaks. */
static void test_queue(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, IPC_GATEWAY, IPC_NOTARY);
    size_t before = count_fds();
    Ipc__HttpRequest r = IPC__HTTP_REQUEST__INIT;
    static uint8_t body[60000];
    r.body = (ProtobufCBinaryData){sizeof body, body};
    uint64_t sent = 0;
    lt_res res;
    while (!lt_failed(res = ipc_link_send(f.a, IPC_HTTP_REQUEST, sent, &r.base, NULL, 0))) {
        sent++;
        assert_true(sent < 1000);
    }
    assert_int_equal(res.code, LT_RETRY_BUSY);
    assert_true(ipc_link_wants_write(f.a));
    assert_true(sent > 100);
    for (uint64_t i = 0; i < sent; i++) {
        struct ipc_msg m;
        lt_arena_reset(&f.arena);
        assert_ok(ipc_link_recv(f.b, &f.arena, &m));
        assert_int_equal(m.from.id, i);
        ipc_msg_done(&m);
        assert_ok(ipc_link_flush(f.a));
    }
    assert_false(ipc_link_wants_write(f.a));
    assert_int_equal(count_fds(), before);
    tear_down(&f);
}

/* Bodies in memfds wait in the queue with their descriptors, bounded by number. */
static void test_queue_of_memfds(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, IPC_GATEWAY, IPC_NOTARY);
    size_t before = count_fds();
    Ipc__HttpRequest r = IPC__HTTP_REQUEST__INIT;
    static uint8_t body[100000];
    r.body = (ProtobufCBinaryData){sizeof body, body};
    uint64_t sent = 0;
    lt_res res;
    while (!lt_failed(res = ipc_link_send(f.a, IPC_HTTP_REQUEST, sent, &r.base, NULL, 0))) {
        sent++;
        assert_true(sent < 5000);
    }
    assert_int_equal(res.code, LT_RETRY_BUSY);
    assert_true(count_fds() <= before + 256);
    for (uint64_t i = 0; i < sent; i++) {
        struct ipc_msg m;
        lt_arena_reset(&f.arena);
        assert_ok(ipc_link_recv(f.b, &f.arena, &m));
        assert_int_equal(m.from.id, i);
        ipc_msg_done(&m);
        assert_ok(ipc_link_flush(f.a));
    }
    assert_int_equal(count_fds(), before);
    tear_down(&f);
}

static void test_the_end_of_a_peer(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, IPC_GATEWAY, IPC_NOTARY);
    Ipc__HttpRequest r = IPC__HTTP_REQUEST__INIT;
    Ipc__HttpResponse answer = IPC__HTTP_RESPONSE__INIT;
    assert_ok(ipc_link_send(f.a, IPC_HTTP_REQUEST, 1, &r.base, NULL, 0)); /* never read */
    assert_ok(ipc_link_send(f.b, IPC_HTTP_RESPONSE, 9, &answer.base, NULL, 0));
    ipc_link_free(LT_TAKE(f.b, NULL));
    struct ipc_msg m;
    assert_ok(ipc_link_recv(f.a, &f.arena, &m)); /* its last words are still heard */
    assert_int_equal(m.from.id, 9);
    assert_fails(ipc_link_recv(f.a, &f.arena, &m), LT_STATE_CLOSED);
    assert_fails(ipc_link_send(f.a, IPC_HTTP_REQUEST, 1, &r.base, NULL, 0), LT_STATE_CLOSED);
    tear_down(&f);
}

/* Every way of breaking the rules: fatal for the link, no descriptor left. */
struct forged {
    const char *what;
    struct ipc_header header;
    size_t inline_len;
    int code;
};

static const struct forged forgeries[] = {
    {"an unknown type", {.type = 99, .version = 1}, 0, LT_PEER_UNSUPPORTED},
    {"a type beyond the table", {.type = 60000, .version = 1}, 0, LT_PEER_UNSUPPORTED},
    {"type 0", {.type = 0, .version = 1}, 0, LT_PEER_UNSUPPORTED},
    {"another's sentence", {.type = IPC_ACME_CALL, .version = 1}, 0, LT_PEER_UNSUPPORTED},
    {"the supervisor's sentence", {.type = IPC_START, .version = 1}, 0, LT_PEER_UNSUPPORTED},
    {"our own sentence", {.type = IPC_HTTP_RESPONSE, .version = 1}, 0, LT_PEER_UNSUPPORTED},
    {"a sentence for the signer", {.type = IPC_SIGN_ORDER, .version = 1}, 0, LT_PEER_UNSUPPORTED},
    {"version 0", {.type = IPC_HTTP_REQUEST, .version = 0}, 0, LT_PEER_UNSUPPORTED},
    {"version 2", {.type = IPC_HTTP_REQUEST, .version = 2}, 0, LT_PEER_UNSUPPORTED},
    {"unknown flags", {.type = IPC_HTTP_REQUEST, .version = 1, .flags = 2}, 0, LT_PEER_MALFORMED},
    {"truncated by one", {.type = IPC_HTTP_REQUEST, .version = 1, .body_len = 51}, 50, LT_PEER_MALFORMED},
    {"longer than said", {.type = IPC_HTTP_REQUEST, .version = 1, .body_len = 49}, 50, LT_PEER_MALFORMED},
    {"over the type's limit",
     {.type = IPC_HTTP_REQUEST, .version = 1, .body_len = 200 * 1024},
     0,
     LT_PEER_TOO_LARGE},
    {"4 GiB", {.type = IPC_HTTP_REQUEST, .version = 1, .body_len = UINT32_MAX}, 0, LT_PEER_TOO_LARGE},
    {"a memfd that is missing",
     {.type = IPC_HTTP_REQUEST, .version = 1, .flags = 1, .body_len = 70000},
     0,
     LT_PEER_MALFORMED},
    {"a large body without memfd",
     {.type = IPC_HTTP_REQUEST, .version = 1, .body_len = 70000},
     0,
     LT_PEER_MALFORMED},
    {"undecodable", {.type = IPC_HTTP_REQUEST, .version = 1, .body_len = 50}, 50, LT_PEER_MALFORMED},
};

static void test_forgeries(void **state)
{
    (void)state;
    size_t before = count_fds();
    for (size_t i = 0; i < LT_COUNT(forgeries); i++) {
        const struct forged *g = &forgeries[i];
        struct fixture f;
        set_up_raw(&f, IPC_NOTARY, IPC_GATEWAY);
        uint8_t bytes[256];
        memset(bytes, 0xff, sizeof bytes);
        ipc_header_write(&g->header, bytes);
        send_raw(&f, bytes, IPC_HEADER_BYTES + g->inline_len, NULL, 0);
        struct ipc_msg m;
        lt_res r = ipc_link_recv(f.a, &f.arena, &m);
        if (r.code != g->code) {
            print_error("%s: %s\n", g->what, lt_code_name(r.code));
        }
        assert_int_equal(r.code, g->code);
        assert_int_equal(m.fd_count, 0);
        tear_down(&f);
    }
    assert_int_equal(count_fds(), before);
}

static void test_short_datagrams(void **state)
{
    (void)state;
    uint8_t bytes[IPC_HEADER_BYTES] = {IPC_HTTP_REQUEST, 0, 1};
    for (size_t len = 1; len < sizeof bytes; len++) {
        struct fixture f;
        set_up_raw(&f, IPC_NOTARY, IPC_GATEWAY);
        send_raw(&f, bytes, len, NULL, 0);
        struct ipc_msg m;
        assert_fails(ipc_link_recv(f.a, &f.arena, &m), LT_PEER_MALFORMED);
        tear_down(&f);
    }
}

static void test_oversize_datagram(void **state)
{
    (void)state;
    struct fixture f;
    set_up_raw(&f, IPC_NOTARY, IPC_GATEWAY);
    static uint8_t bytes[IPC_DATAGRAM_MAX + 1];
    struct ipc_header h = {.type = IPC_HTTP_REQUEST, .version = 1, .body_len = IPC_INLINE_MAX};
    ipc_header_write(&h, bytes);
    send_raw(&f, bytes, sizeof bytes, NULL, 0);
    struct ipc_msg m;
    assert_fails(ipc_link_recv(f.a, &f.arena, &m), LT_PEER_TOO_LARGE);
    tear_down(&f);
}

static void test_unknown_field(void **state)
{
    (void)state;
    struct fixture f;
    set_up_raw(&f, IPC_NOTARY, IPC_GATEWAY);
    uint8_t bytes[IPC_HEADER_BYTES + 3] = {0};
    struct ipc_header h = {.type = IPC_HTTP_REQUEST, .version = 1, .body_len = 3};
    ipc_header_write(&h, bytes);
    memcpy(bytes + IPC_HEADER_BYTES, "\xb8\x06\x01", 3); /* field 103, varint 1 */
    send_raw(&f, bytes, sizeof bytes, NULL, 0);
    struct ipc_msg m;
    assert_fails(ipc_link_recv(f.a, &f.arena, &m), LT_PEER_MALFORMED);
    tear_down(&f);
}

enum seal_fault { SEALED, NO_SEALS, STILL_GROWS, STILL_WRITES, TOO_SHORT, TOO_LONG, NOT_A_MEMFD, SHORT_BODY };

/* A memfd as the fault has it, holding a request of len bytes. */
static int forged_memfd(enum seal_fault fault, const uint8_t *bytes, size_t len)
{
    if (fault == NOT_A_MEMFD) {
        char name[] = "/tmp/lintel-test-XXXXXX";
        int file = mkstemp(name);
        assert_true(file >= 0);
        assert_int_equal(unlink(name), 0);
        assert_int_equal(write(file, bytes, len), (ssize_t)len);
        return file;
    }
    int fd = memfd_create("forged", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_true(fd >= 0);
    size_t n = fault == TOO_SHORT ? len - 1 : len;
    assert_int_equal(write(fd, bytes, n), (ssize_t)n);
    if (fault == TOO_LONG) {
        assert_int_equal(write(fd, "x", 1), 1);
    }
    int seals = F_SEAL_SHRINK;
    seals |= fault == STILL_GROWS ? 0 : F_SEAL_GROW;
    seals |= fault == STILL_WRITES ? 0 : F_SEAL_WRITE;
    seals |= F_SEAL_SEAL;
    if (fault != NO_SEALS) {
        assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
    }
    return fd;
}

static void test_memfds(void **state)
{
    (void)state;
    size_t before = count_fds();
    static uint8_t bytes[130000];
    for (int fault = SEALED; fault <= SHORT_BODY; fault++) {
        struct fixture f;
        set_up_raw(&f, IPC_NOTARY, IPC_GATEWAY);
        size_t len = make_request(bytes, fault == SHORT_BODY ? 1000 : 100000, 'x');
        int fd = forged_memfd((enum seal_fault)fault, bytes, len);
        struct ipc_header h = {
            .type = IPC_HTTP_REQUEST, .version = 1, .flags = IPC_FLAG_MEMFD, .body_len = (uint32_t)len};
        uint8_t header[IPC_HEADER_BYTES];
        ipc_header_write(&h, header);
        send_raw(&f, header, sizeof header, &fd, 1);
        (void)close(fd);
        struct ipc_msg m;
        lt_res r = ipc_link_recv(f.a, &f.arena, &m);
        if (fault == SEALED) {
            assert_int_equal(r.code, 0);
            ipc_msg_done(&m);
        } else {
            assert_int_equal(r.code, LT_PEER_MALFORMED);
        }
        tear_down(&f);
    }
    assert_int_equal(count_fds(), before);
}

/* Descriptors beside a sentence that carries none, and more than any may: closed, and the sender is done. */
static void test_descriptor_floods(void **state)
{
    (void)state;
    size_t before = count_fds();
    static const struct {
        enum ipc_role self;
        enum ipc_role peer;
        enum ipc_type type;
        size_t fds;
        bool good;
    } rows[] = {
        {IPC_NOTARY, IPC_GATEWAY, IPC_HTTP_REQUEST, 1, false},
        {IPC_NOTARY, IPC_GATEWAY, IPC_HTTP_REQUEST, 96, false},
        {IPC_NOTARY, IPC_GATEWAY, IPC_HTTP_REQUEST, 250, false},
        {IPC_GATEWAY, IPC_SUPERVISOR, IPC_LINK, 1, true},
        {IPC_GATEWAY, IPC_SUPERVISOR, IPC_LINK, 2, false},
        {IPC_GATEWAY, IPC_SUPERVISOR, IPC_START, 96, true},
        {IPC_GATEWAY, IPC_SUPERVISOR, IPC_START, 97, false},
        {IPC_GATEWAY, IPC_SUPERVISOR, IPC_START, 98, false},
        {IPC_SUPERVISOR, IPC_GATEWAY, IPC_READY, 1, false},
    };
    int fds[250];
    for (size_t i = 0; i < LT_COUNT(fds); i++) {
        fds[i] = STDERR_FILENO;
    }
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct fixture f;
        set_up_raw(&f, rows[i].self, rows[i].peer);
        struct ipc_header h = {.type = (uint16_t)rows[i].type, .version = 1};
        uint8_t header[IPC_HEADER_BYTES];
        ipc_header_write(&h, header);
        send_raw(&f, header, sizeof header, fds, rows[i].fds);
        struct ipc_msg m;
        lt_res r = ipc_link_recv(f.a, &f.arena, &m);
        assert_int_equal(r.code, rows[i].good ? 0 : LT_PEER_MALFORMED);
        ipc_msg_done(&m);
        tear_down(&f);
    }
    assert_int_equal(count_fds(), before);
}

/* A process without free descriptors is itself to blame: no peer is accused, nothing leaks. */
static void test_no_descriptors_left(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, IPC_GATEWAY, IPC_NOTARY);
    Ipc__HttpRequest r = IPC__HTTP_REQUEST__INIT;
    static uint8_t body[100000];
    r.body = (ProtobufCBinaryData){sizeof body, body};
    assert_ok(ipc_link_send(f.a, IPC_HTTP_REQUEST, 1, &r.base, NULL, 0));
    size_t before = count_fds();
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    struct rlimit none = {.rlim_cur = 0, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    struct ipc_msg m;
    lt_res received = ipc_link_recv(f.b, &f.arena, &m);
    lt_res sent = ipc_link_send(f.a, IPC_HTTP_REQUEST, 2, &r.base, NULL, 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(received.code, LT_STATE_IO);
    assert_int_equal(sent.code, LT_RETRY_BUSY);
    assert_int_equal(count_fds(), before);
    tear_down(&f);
}

static void test_only_seqpacket(void **state)
{
    (void)state;
    int pair[2];
    struct ipc_link *link = NULL;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    assert_fails(ipc_link_new(pair[0], IPC_GATEWAY, IPC_NOTARY, 0, &link), LT_PEER_MALFORMED);
    assert_int_equal(close(pair[0]), 0);
    assert_int_equal(close(pair[1]), 0);
    assert_fails(ipc_link_new(-1, IPC_GATEWAY, IPC_NOTARY, 0, &link), LT_PEER_MALFORMED);
}

static void test_too_large_to_send(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, IPC_GATEWAY, IPC_NOTARY);
    static uint8_t body[200 * 1024];
    Ipc__HttpRequest r = IPC__HTTP_REQUEST__INIT;
    r.body = (ProtobufCBinaryData){sizeof body, body};
    assert_fails(ipc_link_send(f.a, IPC_HTTP_REQUEST, 1, &r.base, NULL, 0), LT_PEER_TOO_LARGE);
    struct ipc_msg m;
    assert_int_equal(ipc_link_recv(f.b, &f.arena, &m).code, LT_RETRY_AGAIN);
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_large_body),
        cmocka_unit_test(test_descriptors_travel),
        cmocka_unit_test(test_queue),
        cmocka_unit_test(test_queue_of_memfds),
        cmocka_unit_test(test_the_end_of_a_peer),
        cmocka_unit_test(test_forgeries),
        cmocka_unit_test(test_short_datagrams),
        cmocka_unit_test(test_oversize_datagram),
        cmocka_unit_test(test_unknown_field),
        cmocka_unit_test(test_memfds),
        cmocka_unit_test(test_descriptor_floods),
        cmocka_unit_test(test_no_descriptors_left),
        cmocka_unit_test(test_only_seqpacket),
        cmocka_unit_test(test_too_large_to_send),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
