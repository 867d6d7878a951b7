/* One exchange over a UNIX socket. Every wait has an end. */
#include "http/fetch.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"

enum { DEFAULT_TIMEOUT_MS = 30000, DEFAULT_BODY_MAX = 16 * 1024 * 1024, READ_BYTES = 65536 };

struct exchange {
    const struct http_fetch *f;
    struct lt_arena *a;
    int fd;
    struct lt_buf in;   /* read and not yet used */
    struct lt_buf body; /* collected */
    struct http_head *head;
    bool closed; /* the other side has sent all */
};

void http_escape_add(struct lt_buf *out, lt_slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                     c == '.' || c == '_' || c == '~';
        if (plain) {
            lt_buf_add_byte(out, c);
        } else {
            lt_buf_addf(out, "%%%02X", c);
        }
    }
}

static lt_res connect_to(const char *path, int *ret_fd)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    LT_CHECK(len < sizeof address.sun_path, LT_PEER_USAGE, "path of the socket is over %zu bytes: %.80s…",
             sizeof address.sun_path - 1, path);
    memcpy(address.sun_path, path, len);
    LT_CLEANUP(lt_fd_closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    LT_CHECK(fd >= 0, LT_STATE_IO, "socket: %s", strerror(errno));
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        LT_CHECK(errno != EACCES, LT_PEER_UNAUTHORIZED, "%s: not permitted", path);
        LT_FAIL(LT_RETRY_UNAVAILABLE, "%s: %s", path, strerror(errno));
    }
    *ret_fd = LT_TAKE(fd, -1);
    return LT_OK;
}

static lt_res wait_for(const struct exchange *x, short events)
{
    struct pollfd p = {.fd = x->fd, .events = events};
    int timeout_ms = x->f->timeout_ms > 0 ? x->f->timeout_ms : DEFAULT_TIMEOUT_MS;
    int64_t until = lt_monotonic_ms() + timeout_ms;
    int n;
    do {
        int64_t left = until - lt_monotonic_ms();
        n = poll(&p, 1, left > 0 ? (int)left : 0);
    } while (n < 0 && errno == EINTR);
    LT_CHECK(n >= 0, LT_STATE_IO, "poll: %s", strerror(errno));
    LT_CHECK(n > 0, LT_RETRY_TIMEOUT, "no answer within %d ms", timeout_ms);
    return LT_OK;
}

static lt_res send_all(const struct exchange *x, lt_slice bytes)
{
    while (bytes.len > 0) {
        ssize_t n = send(x->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n >= 0) {
            bytes = lt_slice_sub(bytes, (size_t)n, SIZE_MAX);
        } else if (errno == EAGAIN) {
            LT_TRY(wait_for(x, POLLOUT));
        } else {
            LT_CHECK(errno == EINTR, LT_STATE_CLOSED, "send: %s", strerror(errno));
        }
    }
    return LT_OK;
}

static lt_res send_request(const struct exchange *x)
{
    struct lt_buf out;
    lt_buf_init(&out, HTTP_HEAD_MAX + HTTP_BODY_MAX);
    lt_buf_addf(&out, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAccept: %s\r\n",
                x->f->method, x->f->target, x->f->accept != NULL ? x->f->accept : "application/json");
    if (x->f->content_type != NULL) {
        lt_buf_addf(&out, "Content-Type: %s\r\nContent-Length: %zu\r\n", x->f->content_type, x->f->body.len);
    }
    lt_buf_add_cstr(&out, "\r\n");
    lt_buf_add(&out, x->f->body);
    lt_res r = lt_buf_check(&out);
    r = lt_failed(r) ? r : send_all(x, lt_buf_slice(&out));
    lt_buf_done(&out);
    return r;
}

/* More bytes into x->in, or x->closed. */
static lt_res read_some(struct exchange *x)
{
    LT_TRY(wait_for(x, POLLIN));
    uint8_t bytes[READ_BYTES];
    ssize_t n = recv(x->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n < 0) {
        LT_CHECK(errno == EAGAIN || errno == EINTR, LT_STATE_CLOSED, "recv: %s", strerror(errno));
        return LT_OK;
    }
    x->closed = n == 0;
    lt_buf_add(&x->in, LT_SLICE(bytes, (size_t)n));
    return lt_buf_check(&x->in);
}

static lt_res read_head(struct exchange *x)
{
    size_t at = 0;
    size_t len = 0;
    unsigned status;
    lt_res r = http_head_find(lt_buf_slice(&x->in), &at, &len, &status);
    while (r.code == LT_RETRY_AGAIN) {
        LT_CHECK(!x->closed, LT_STATE_CLOSED, "the answer ends within its head");
        LT_TRY(read_some(x));
        r = http_head_find(lt_buf_slice(&x->in), &at, &len, &status);
    }
    LT_TRY(r);
    lt_slice bytes = lt_arena_copy(x->a, lt_slice_sub(lt_buf_slice(&x->in), 0, len));
    x->head = LT_NEW(x->a, struct http_head);
    LT_CHECK(bytes.ptr != NULL && x->head != NULL, LT_PEER_TOO_LARGE, "no room for the answer's head");
    lt_buf_consume(&x->in, len);
    return http_response_parse(bytes, x->head);
}

static lt_res take_body(struct exchange *x, lt_slice part)
{
    if (part.len == 0) {
        return LT_OK;
    }
    if (x->f->on_body != NULL && x->head->status / 100 == 2) {
        return x->f->on_body(x->f->arg, part);
    }
    lt_buf_add(&x->body, part);
    return lt_buf_check(&x->body);
}

static lt_res read_chunked(struct exchange *x)
{
    struct http_chunked chunked = {0};
    while (!chunked.done) {
        lt_slice bytes = lt_buf_slice(&x->in);
        while (bytes.len > 0 && !chunked.done) {
            lt_slice data;
            LT_TRY(http_chunked_next(&chunked, &bytes, &data));
            LT_TRY(take_body(x, data));
        }
        lt_buf_reset(&x->in);
        if (!chunked.done) {
            LT_CHECK(!x->closed, LT_STATE_CLOSED, "the answer is cut short");
            LT_TRY(read_some(x));
        }
    }
    return LT_OK;
}

static lt_res read_sized(struct exchange *x)
{
    uint64_t left = x->head->has_length ? x->head->length : UINT64_MAX;
    for (;;) {
        size_t len = x->in.len < left ? x->in.len : (size_t)left;
        LT_TRY(take_body(x, lt_slice_sub(lt_buf_slice(&x->in), 0, len)));
        left -= len;
        lt_buf_reset(&x->in);
        if (left == 0 || (x->closed && !x->head->has_length)) {
            return LT_OK;
        }
        LT_CHECK(!x->closed, LT_STATE_CLOSED, "the answer is cut short");
        LT_TRY(read_some(x));
    }
}

static lt_res converse(struct exchange *x)
{
    LT_TRY(connect_to(x->f->socket_path, &x->fd));
    LT_TRY(send_request(x));
    do {
        LT_TRY(read_head(x));
    } while (x->head->status < 200);
    if (strcmp(x->f->method, "HEAD") == 0 || x->head->status == 204 || x->head->status == 304) {
        return LT_OK;
    }
    return x->head->chunked ? read_chunked(x) : read_sized(x);
}

lt_res http_fetch_unix(const struct http_fetch *f, struct lt_arena *a, struct http_fetched *ret_fetched)
{
    struct exchange x = {.f = f, .a = a, .fd = -1};
    lt_buf_init(&x.in, HTTP_HEAD_MAX + READ_BYTES);
    lt_buf_init(&x.body, f->body_max > 0 ? f->body_max : (size_t)DEFAULT_BODY_MAX);
    lt_res r = converse(&x);
    lt_slice body = lt_buf_slice(&x.body);
    *ret_fetched = (struct http_fetched){.head = x.head};
    if (!lt_failed(r) && body.len > 0) {
        ret_fetched->body = lt_arena_copy(a, body);
        if (ret_fetched->body.ptr == NULL) {
            r = lt_fail(LT_PEER_TOO_LARGE, __FILE__, __LINE__, "no room for an answer of %zu bytes",
                        body.len);
        }
    }
    lt_buf_done(&x.in);
    lt_buf_done(&x.body);
    lt_fd_closep(&x.fd);
    return r;
}
