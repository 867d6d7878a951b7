/* The child: an engine of its own, questions from one pipe, statements into the other. It ends when the first
 * one does. */
#include "validate/worker.h"

#include <errno.h>
#include <linux/close_range.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* A sanitizer's shadow is larger than any limit. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

enum { BUFFER_MAX = 4 * VALIDATE_FRAME_MAX, READ_AT_ONCE = 64 * 1024, CPU_SECONDS = 60, EXIT_BROKEN = 3 };
enum { MEMORY_MAX = 1024 * 1024 * 1024 };

void validate_frame_add(struct lt_buf *out, uint64_t id, const ProtobufCMessage *body)
{
    uint32_t len = (uint32_t)protobuf_c_message_get_packed_size(body);
    uint8_t *head = lt_buf_extend(out, VALIDATE_FRAME_HEAD + (size_t)len);
    if (head == NULL) {
        return; /* the buffer remembers it */
    }
    memcpy(head, &len, sizeof len);
    memcpy(head + sizeof len, &id, sizeof id);
    (void)protobuf_c_message_pack(body, head + VALIDATE_FRAME_HEAD); /* its length is known */
}

bool validate_frame_next(lt_slice bytes, uint64_t *ret_id, lt_slice *ret_body, size_t *ret_len, bool *ret_bad)
{
    uint32_t len = 0;
    if (bytes.len < VALIDATE_FRAME_HEAD) {
        return false;
    }
    memcpy(&len, bytes.ptr, sizeof len);
    *ret_bad = len > VALIDATE_FRAME_MAX;
    if (*ret_bad || bytes.len - VALIDATE_FRAME_HEAD < len) {
        return false;
    }
    memcpy(ret_id, bytes.ptr + sizeof len, sizeof *ret_id);
    *ret_body = lt_slice_sub(bytes, VALIDATE_FRAME_HEAD, len);
    *ret_len = VALIDATE_FRAME_HEAD + (size_t)len;
    return true;
}

bool validate_frame_flush(int fd, struct lt_buf *out)
{
    while (out->len > 0) {
        ssize_t sent = write(fd, out->ptr, out->len);
        if (sent < 0) {
            return errno == EAGAIN || errno == EINTR;
        }
        lt_buf_consume(out, (size_t)sent);
    }
    return true;
}

bool validate_frame_fill(int fd, struct lt_buf *in)
{
    uint8_t bytes[READ_AT_ONCE];
    ssize_t got = read(fd, bytes, sizeof bytes);
    if (got < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    lt_buf_add(in, LT_SLICE(bytes, (size_t)got));
    return got > 0 && !in->overflow;
}

struct worker {
    const struct validate_pool_options *options;
    struct event_base *base;
    struct validate_engine *engine;
    struct event *readable;
    struct event *writable;
    int from;
    int to;
    struct lt_buf in;
    struct lt_buf out;
};

static void stop(struct worker *w, int status)
{
    (void)w; /* the kernel takes all of it */
    _exit(status);
}

static void flush(struct worker *w)
{
    if (!validate_frame_flush(w->to, &w->out)) {
        stop(w, 0); /* nobody listens any more */
    }
    if (w->out.len > 0) {
        int added = event_add(w->writable, NULL);
        LT_ASSERT(added == 0);
    }
}

static void answer(void *self, uint64_t id, const Ipc__Validated *v)
{
    struct worker *w = self;
    validate_frame_add(&w->out, id, &v->base);
    if (w->out.overflow) {
        stop(w, EXIT_BROKEN);
    }
    flush(w);
}

static void take(struct worker *w, uint64_t id, lt_slice body)
{
    Ipc__Validate *q = ipc__validate__unpack(NULL, body.len, body.ptr);
    if (q == NULL) {
        stop(w, EXIT_BROKEN);
        return;
    }
    if (w->options->in_worker != NULL) {
        w->options->in_worker(q);
    }
    if (lt_failed(validate_start(w->engine, id, q))) {
        stop(w, EXIT_BROKEN); /* the front answers for us */
    }
    ipc__validate__free_unpacked(q, NULL);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct worker *w = arg;
    uint64_t id = 0;
    lt_slice body;
    size_t len = 0;
    bool bad = false;
    (void)what;
    if (!validate_frame_fill((int)fd, &w->in)) {
        stop(w, 0);
    }
    while (validate_frame_next(lt_buf_slice(&w->in), &id, &body, &len, &bad)) {
        take(w, id, body);
        lt_buf_consume(&w->in, len);
    }
    if (bad) {
        stop(w, EXIT_BROKEN);
    }
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    flush(arg);
}

/* All but the two pipes and the standard three: above all the way to the registrar. */
static void close_others(int a, int b)
{
    unsigned low = (unsigned)(a < b ? a : b);
    unsigned high = (unsigned)(a < b ? b : a);
    bool fine = (low <= 3 || close_range(3, low - 1, 0) == 0) &&
                (high == low + 1 || close_range(low + 1, high - 1, 0) == 0) &&
                close_range(high + 1, ~0U, 0) == 0;
    LT_ASSERT(fine);
}

/* A parser that runs in circles, or eats all memory, ends itself. */
static void limit(void)
{
    struct rlimit cpu = {.rlim_cur = CPU_SECONDS, .rlim_max = CPU_SECONDS};
    LT_ASSERT(setrlimit(RLIMIT_CPU, &cpu) == 0);
    struct rlimit now;
    LT_ASSERT(getrlimit(RLIMIT_AS, &now) == 0);
    rlim_t most = now.rlim_max < MEMORY_MAX ? now.rlim_max : MEMORY_MAX;
    struct rlimit memory = {.rlim_cur = most, .rlim_max = most};
    LT_ASSERT(SANITIZED || setrlimit(RLIMIT_AS, &memory) == 0);
}

void validate_worker_run(int from, int to, const struct validate_pool_options *options)
{
    static struct worker w;
    close_others(from, to);
    limit();
    w = (struct worker){.options = options, .from = from, .to = to, .base = event_base_new()};
    LT_ASSERT(w.base != NULL);
    lt_buf_init(&w.in, BUFFER_MAX);
    lt_buf_init(&w.out, BUFFER_MAX);
    if (lt_failed(validate_engine_new(w.base, &options->engine, answer, &w, &w.engine))) {
        stop(&w, EXIT_BROKEN);
    }
    w.readable = event_new(w.base, from, EV_READ | EV_PERSIST, on_readable, &w);
    w.writable = event_new(w.base, to, EV_WRITE, on_writable, &w);
    LT_ASSERT(w.readable != NULL && w.writable != NULL && event_add(w.readable, NULL) == 0);
    (void)event_base_loop(w.base, EVLOOP_NO_EXIT_ON_EMPTY); /* only a broken loop returns */
    _exit(EXIT_BROKEN);
}
