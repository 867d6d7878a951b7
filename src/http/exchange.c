/* Requests in the making and answers on their way, whatever the version of HTTP. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "http/conn.h"

enum { ARENA_MAX = 32 * 1024, QUEUE_MAX = 64 * 1024 * 1024 };

struct http_exchange *http_exchange_new(struct http_conn *c)
{
    struct http_exchange *x = calloc(1, sizeof *x);
    LT_ASSERT(x != NULL);
    x->conn = c;
    x->file_fd = -1;
    x->deadline_ms = INT64_MAX;
    lt_arena_init(&x->arena, ARENA_MAX);
    lt_buf_init(&x->body, HTTP_BODY_MAX);
    lt_buf_init(&x->queue, QUEUE_MAX);
    x->next = c->exchanges;
    if (x->next != NULL) {
        x->next->prev = x;
    }
    c->exchanges = x;
    return x;
}

static void unlink_from_conn(struct http_exchange *x)
{
    if (x->prev != NULL) {
        x->prev->next = x->next;
    } else {
        x->conn->exchanges = x->next;
    }
    if (x->next != NULL) {
        x->next->prev = x->prev;
    }
}

void http_exchange_end(struct http_exchange *x, bool complete)
{
    struct http_server *s = x->conn->server;
    unlink_from_conn(x);
    if (x->handed) {
        const struct http_outcome outcome = {x->status, complete};
        s->hooks.ended(s->hooks.self, x, &outcome);
    }
    s->reserved_bytes -= x->reserved;
    s->queued_bytes -= x->queue.len - x->queue_at;
    if (x->file_fd >= 0) {
        (void)close(x->file_fd); /* read only: nothing to lose */
    }
    lt_arena_done(&x->arena);
    lt_buf_done(&x->body);
    lt_buf_done(&x->queue);
    free(x);
}

bool http_exchange_reserve(struct http_exchange *x, size_t bytes)
{
    struct http_server *s = x->conn->server;
    if (bytes > s->limits.buffered_bytes - s->reserved_bytes) {
        return false;
    }
    x->reserved += bytes;
    s->reserved_bytes += bytes;
    return true;
}

void http_exchange_hand_over(struct http_exchange *x)
{
    const struct http_conn *c = x->conn;
    struct http_request *r = &x->request;
    r->listener = c->listener->info;
    r->body = lt_buf_slice(&x->body);
    r->remote = c->remote;
    r->secure = c->wire.ssl != NULL;
    r->client_spki_sha256 = LT_SLICE(c->client_spki, c->has_client ? sizeof c->client_spki : 0);
    r->has_peer = c->has_peer;
    r->peer_uid = c->peer_uid;
    r->peer_pid = c->peer_pid;
    x->head_only = lt_slice_eq_cstr(r->method, "HEAD");
    x->handed = true;
    x->deadline_ms = INT64_MAX;
    c->server->hooks.request(c->server->hooks.self, x);
}

const struct http_request *http_exchange_request(const struct http_exchange *x)
{
    return &x->request;
}

lt_slice http_request_field(const struct http_request *r, const char *name)
{
    lt_slice want = lt_slice_cstr(name);
    for (size_t i = 0; i < r->field_count; i++) {
        if (lt_slice_eq_nocase(r->fields[i].name, want)) {
            return r->fields[i].value;
        }
    }
    return LT_SLICE(NULL, 0);
}

void http_exchange_set_user(struct http_exchange *x, void *user)
{
    x->user = user;
}

void *http_exchange_user(const struct http_exchange *x)
{
    return x->user;
}

/* The answer comes from a neighbour that reads foreign bytes: a line end in a value would be a second answer.
 */
static bool headers_good(const struct http_answer *a)
{
    bool good = a->status >= 200 && a->status <= 599 &&
                (a->content_type == NULL || http_is_field_value(lt_slice_cstr(a->content_type)));
    for (size_t i = 0; good && i < a->header_count; i++) {
        static const char *const ours[] = {"connection", "content-length", "transfer-encoding",
                                           "date",       "content-type",   "keep-alive",
                                           "upgrade"};
        lt_slice name = lt_slice_cstr(a->headers[i].name);
        good = http_is_token(name) && http_is_field_value(lt_slice_cstr(a->headers[i].value));
        for (size_t k = 0; good && k < LT_COUNT(ours); k++) {
            good = !lt_slice_eq_nocase(name, lt_slice_cstr(ours[k]));
        }
    }
    return good;
}

static void queue_add(struct http_exchange *x, lt_slice body)
{
    struct http_server *s = x->conn->server;
    if (x->queue_at == x->queue.len) {
        x->queue_at = 0;
        lt_buf_reset(&x->queue);
    } else if (x->queue_at > x->queue.len / 2) {
        lt_buf_consume(&x->queue, x->queue_at);
        x->queue_at = 0;
    }
    size_t before = x->queue.len;
    lt_buf_add(&x->queue, body);
    s->queued_bytes += x->queue.len - before;
}

void http_exchange_set_source(struct http_exchange *x, const struct http_answer *a, lt_slice body)
{
    x->more = a->more;
    x->lasting = a->lasting;
    if (a->has_file && !x->head_only) {
        x->file_fd = a->file_fd;
        x->file_left = a->file_len;
    } else if (a->has_file) {
        (void)close(a->file_fd); /* only its size was wanted */
    }
    if (!x->head_only && body.len > 0) {
        queue_add(x, body);
    }
}

void http_exchange_answer(struct http_exchange *x, const struct http_answer *answer)
{
    struct http_conn *c = x->conn;
    LT_ASSERT(!x->answered);
    if (!headers_good(answer)) {
        if (answer->has_file) {
            (void)close(answer->file_fd); /* read only */
        }
        http_exchange_problem(x, 500, NULL, "the answer had a header that is none", 0);
        return;
    }
    x->answered = true;
    x->status = answer->status;
    x->deadline_ms = c->server->now_ms + c->server->limits.send_ms;
    if (c->phase == CONN_H2) {
        http_h2_answer(x, answer);
    } else {
        http_h1_answer(x, answer);
    }
    http_conn_run(c, false);
}

void http_exchange_more(struct http_exchange *x, lt_slice body, bool more)
{
    struct http_conn *c = x->conn;
    LT_ASSERT(x->answered && x->more);
    x->more = more;
    if (!x->head_only && body.len > 0) {
        queue_add(x, body);
    }
    if (x->queue.overflow || c->server->queued_bytes > c->server->limits.buffered_bytes) {
        http_exchange_abort(x); /* a reader this slow has no claim on our memory */
        return;
    }
    if (c->phase == CONN_H2) {
        http_h2_resume(x);
    }
    http_conn_run(c, false);
}

void http_exchange_abort(struct http_exchange *x)
{
    struct http_conn *c = x->conn;
    if (c->phase == CONN_H2) {
        http_h2_reset(x);
    } else {
        c->phase = CONN_DEAD;
    }
    http_conn_run(c, false);
}

enum source_state http_exchange_source(const struct http_exchange *x)
{
    if (x->queue.len > x->queue_at || x->file_left > 0) {
        return SOURCE_DATA;
    }
    return x->more ? SOURCE_WAIT : SOURCE_END;
}

static lt_res pull_file(struct http_exchange *x, uint8_t *bytes, size_t size, size_t *ret_len)
{
    size_t want = x->file_left < size ? (size_t)x->file_left : size;
    ssize_t n;
    do {
        n = pread(x->file_fd, bytes, want, (off_t)x->file_at);
    } while (n < 0 && errno == EINTR);
    LT_CHECK(n > 0, LT_STATE_IO, "a file that is being served ends early");
    x->file_at += (uint64_t)n;
    x->file_left -= (uint64_t)n;
    *ret_len = (size_t)n;
    return LT_OK;
}

lt_res http_exchange_pull(struct http_exchange *x, uint8_t *bytes, size_t size, size_t *ret_len)
{
    *ret_len = 0;
    size_t queued = x->queue.len - x->queue_at;
    if (queued > 0) {
        size_t len = queued < size ? queued : size;
        memcpy(bytes, x->queue.ptr + x->queue_at, len);
        x->queue_at += len;
        x->conn->server->queued_bytes -= len;
        *ret_len = len;
    } else if (x->file_left > 0) {
        LT_TRY(pull_file(x, bytes, size, ret_len));
    }
    x->pulled += *ret_len;
    return LT_OK;
}

void http_problem_add(struct lt_buf *out, unsigned status, const char *type, const char *detail)
{
    lt_buf_add_cstr(out, "{\"type\":");
    lt_json_add_string(out, lt_slice_cstr(type == NULL ? "about:blank" : type));
    lt_buf_addf(out, ",\"title\":\"%s\",\"status\":%u,\"detail\":", http_reason(status), status);
    lt_json_add_string(out, lt_slice_cstr(detail));
    lt_buf_add_cstr(out, "}\n");
}

/* People get a page: what was refused is often a form that they have filled in. */
static bool wants_page(const struct http_exchange *x)
{
    lt_slice accept = http_request_field(&x->request, "accept");
    return x->conn->listener->info->is_public && x->conn->listener->info->kind == HTTP_LISTEN_TLS &&
           accept.len > 0 && memmem(accept.ptr, accept.len, "text/html", sizeof "text/html" - 1) != NULL;
}

static void add_escaped(struct lt_buf *out, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (strchr("<>&\"'", *c) != NULL) {
            lt_buf_addf(out, "&#%u;", (unsigned)(unsigned char)*c);
        } else {
            lt_buf_add_byte(out, (uint8_t)*c);
        }
    }
}

static void answer_page(struct http_exchange *x, unsigned status, const char *detail, const char *wait)
{
    const struct http_header headers[] = {
        {"cache-control", "no-store"},
        {"content-security-policy", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; sandbox"},
        {"x-content-type-options", "nosniff"},
        {"referrer-policy", "no-referrer"},
        {"retry-after", wait},
    };
    struct lt_buf body;
    lt_buf_init(&body, HTTP_HEAD_MAX);
    lt_buf_add_cstr(
        &body, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
               "content=\"width=device-width, initial-scale=1\"><meta name=\"color-scheme\" "
               "content=\"light dark\"><title>");
    add_escaped(&body, http_reason(status));
    lt_buf_add_cstr(&body, "</title></head><body><main><h1>");
    add_escaped(&body, http_reason(status));
    lt_buf_addf(&body, "</h1><p>%u: ", status);
    add_escaped(&body, detail == NULL ? "" : detail);
    lt_buf_add_cstr(&body,
                    ".</p><p>Go back to what you have filled in, or to the <a href=\"/\">front page</a>."
                    "</p></main></body></html>\n");
    const struct http_answer answer = {
        .status = status,
        .content_type = "text/html; charset=utf-8",
        .headers = headers,
        .header_count = LT_COUNT(headers) - (wait[0] == '0' ? 1 : 0),
        .body = lt_buf_slice(&body),
    };
    http_exchange_answer(x, &answer);
    lt_buf_done(&body);
}

void http_exchange_problem(struct http_exchange *x, unsigned status, const char *type, const char *detail,
                           unsigned retry_after_s)
{
    char wait[16];
    (void)snprintf(wait, sizeof wait, "%u", retry_after_s); /* 10 digits at most */
    if (wants_page(x)) {
        answer_page(x, status, detail, wait);
        return;
    }
    const struct http_header headers[] = {{"cache-control", "no-store"}, {"retry-after", wait}};
    struct lt_buf body;
    lt_buf_init(&body, HTTP_HEAD_MAX);
    http_problem_add(&body, status, type, detail);
    const struct http_answer answer = {
        .status = status,
        .content_type = "application/problem+json",
        .headers = headers,
        .header_count = retry_after_s > 0 ? 2 : 1,
        .body = lt_buf_slice(&body),
    };
    http_exchange_answer(x, &answer);
    lt_buf_done(&body);
}

static const struct {
    unsigned status;
    const char *reason;
} reasons[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {301, "Moved Permanently"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

const char *http_reason(unsigned status)
{
    for (size_t i = 0; i < LT_COUNT(reasons); i++) {
        if (reasons[i].status == status) {
            return reasons[i].reason;
        }
    }
    return "Unknown";
}
