/* HTTP/1.1 on a connection: one request at a time. What is pipelined waits in a bounded buffer, and then in
 * the client's own socket. */
#include <stdio.h>
#include <string.h>

#include "http/conn.h"

enum { PULL_BYTES = 16000 };

void http_h1_begin(struct http_conn *c)
{
    c->phase = CONN_HEAD;
    c->scanned = 0;
    c->blank_skipped = false;
    c->idle_since_ms = c->server->now_ms;
    c->deadline_ms = c->server->now_ms +
                     (c->in.len > 0 ? c->server->limits.head_ms : c->server->limits.idle_ms);
}

void http_h1_refuse(struct http_conn *c, unsigned status, const char *detail)
{
    struct lt_buf *out = &c->wire.out;
    struct lt_buf body;
    lt_buf_init(&body, HTTP_HEAD_MAX);
    http_problem_add(&body, status, NULL, detail);
    lt_buf_addf(out,
                "HTTP/1.1 %u %s\r\nDate: %s\r\nContent-Type: application/problem+json\r\n"
                "Content-Length: %zu\r\n%sConnection: close\r\n\r\n",
                status, http_reason(status), c->server->date, body.len,
                status == 503 ? "Retry-After: 1\r\n" : "");
    lt_buf_add(out, lt_buf_slice(&body));
    lt_buf_done(&body);
    c->server->stats.malformed++;
    http_conn_linger(c);
}

static void refuse_exchange(struct http_exchange *x, unsigned status, const char *detail)
{
    struct http_conn *c = x->conn;
    http_exchange_end(x, false);
    http_h1_refuse(c, status, detail);
}

static void hand_over(struct http_exchange *x)
{
    x->conn->phase = CONN_HANDLING;
    x->conn->deadline_ms = INT64_MAX;
    http_exchange_hand_over(x);
}

static void begin_body(struct http_exchange *x, const struct http_head *h)
{
    struct http_conn *c = x->conn;
    if (!http_exchange_reserve(x, h->chunked ? HTTP_BODY_MAX : (size_t)h->length)) {
        refuse_exchange(x, 503, "too many requests at once");
        return;
    }
    c->phase = CONN_BODY;
    c->body_chunked = h->chunked;
    c->body_left = h->length;
    c->chunked = (struct http_chunked){0};
    c->deadline_ms = c->server->now_ms + c->server->limits.body_ms;
    /*= RFC 9110 10.1.1 "MAY omit sending a 100 (Continue) response if it has already received some or all" */
    if (h->expect_continue && c->in.len == 0) {
        lt_buf_add_cstr(&c->wire.out, "HTTP/1.1 100 Continue\r\n\r\n");
    }
}

/* A whole head of len bytes is in c->in. */
static void take_head(struct http_conn *c, size_t len)
{
    struct http_exchange *x = http_exchange_new(c);
    lt_slice bytes = lt_arena_copy(&x->arena, lt_slice_sub(lt_buf_slice(&c->in), 0, len));
    struct http_head h;
    unsigned status;
    lt_buf_consume(&c->in, len);
    c->scanned = 0;
    if (lt_failed(http_request_parse(bytes, &h, &status))) {
        refuse_exchange(x, status, lt_error_last()->detail);
        return;
    }
    struct http_field *fields = LT_NEW_ARRAY(&x->arena, struct http_field, h.field_count);
    LT_ASSERT(fields != NULL); /* the arena holds any head */
    memcpy(fields, h.fields, h.field_count * sizeof *fields);
    x->keep_alive = h.keep_alive;
    x->chunked = !h.http10; /* how an answer of unknown length would be sent */
    x->request = (struct http_request){
        .method = h.method,
        .path = h.path,
        .query = h.query,
        .host = h.host,
        .fields = fields,
        .field_count = h.field_count,
    };
    if (h.chunked || h.length > 0) {
        begin_body(x, &h);
    } else {
        hand_over(x);
    }
}

/* More is needed: false. When no more will come, what was answered before still goes out. */
static bool at_eof(struct http_conn *c)
{
    if (c->eof) {
        http_conn_linger(c);
    }
    return c->eof;
}

static bool read_head(struct http_conn *c)
{
    /*= RFC 9112 2.2 "SHOULD ignore at least one empty line (CRLF) received prior to the request-line" */
    if (!c->blank_skipped && c->in.len >= 2 && memcmp(c->in.ptr, "\r\n", 2) == 0) {
        lt_buf_consume(&c->in, 2);
        c->blank_skipped = true;
    }
    bool lone_cr = c->in.len == 1 && c->in.ptr[0] == '\r' && !c->blank_skipped;
    if (c->in.len == 0 || lone_cr) {
        return at_eof(c);
    }
    if (c->listener->info->h2c && lt_slice_starts(lt_buf_slice(&c->in), LT_LIT("PRI "))) {
        http_h2_begin(c);
        return false;
    }
    if (c->scanned == 0) {
        c->deadline_ms = c->server->now_ms + c->server->limits.head_ms;
    }
    size_t len = 0;
    unsigned status;
    lt_res r = http_head_find(lt_buf_slice(&c->in), &c->scanned, &len, &status);
    if (r.code == LT_RETRY_AGAIN) {
        return at_eof(c);
    }
    if (lt_failed(r)) {
        http_h1_refuse(c, status, lt_error_last()->detail);
    } else {
        take_head(c, len);
    }
    return true;
}

static void add_sized(struct http_conn *c, struct http_exchange *x)
{
    size_t len = c->in.len < c->body_left ? c->in.len : (size_t)c->body_left;
    lt_buf_add(&x->body, lt_slice_sub(lt_buf_slice(&c->in), 0, len));
    lt_buf_consume(&c->in, len);
    c->body_left -= len;
}

static lt_res add_chunked(struct http_conn *c, struct http_exchange *x)
{
    lt_slice bytes = lt_buf_slice(&c->in);
    while (bytes.len > 0 && !c->chunked.done) {
        lt_slice data;
        LT_TRY(http_chunked_next(&c->chunked, &bytes, &data));
        lt_buf_add(&x->body, data);
    }
    lt_buf_consume(&c->in, c->in.len - bytes.len);
    return LT_OK;
}

static bool read_body(struct http_conn *c)
{
    struct http_exchange *x = c->exchanges;
    if (!c->body_chunked) {
        add_sized(c, x);
    } else if (lt_failed(add_chunked(c, x))) {
        refuse_exchange(x, lt_error_last()->code == LT_PEER_TOO_LARGE ? 413 : 400, lt_error_last()->detail);
        return true;
    }
    if (x->body.overflow) {
        refuse_exchange(x, 413, "the body is too large");
        return true;
    }
    if (c->body_chunked ? c->chunked.done : c->body_left == 0) {
        hand_over(x);
        return true;
    }
    return at_eof(c);
}

static void add_body_framing(struct http_exchange *x, const struct http_answer *a, struct lt_buf *out)
{
    uint64_t len = a->has_file ? a->file_len : a->body.len;
    if (a->status == 204 || a->status == 304) {
        x->chunked = false;
    } else if (!a->more) {
        x->chunked = false;
        lt_buf_addf(out, "Content-Length: %llu\r\n", (unsigned long long)len);
    } else if (x->chunked) {
        lt_buf_add_cstr(out, "Transfer-Encoding: chunked\r\n");
    } else {
        x->keep_alive = false; /* HTTP/1.0: the body ends with the connection */
    }
}

static void add_line(struct lt_buf *out, const char *name, const char *value)
{
    lt_buf_add_cstr(out, name);
    lt_buf_add(out, LT_LIT(": "));
    lt_buf_add_cstr(out, value);
    lt_buf_add(out, LT_LIT("\r\n"));
}

void http_h1_answer(struct http_exchange *x, const struct http_answer *a)
{
    struct http_conn *c = x->conn;
    struct lt_buf *out = &c->wire.out;
    lt_buf_addf(out, "HTTP/1.1 %u %s\r\nDate: %s\r\n", a->status, http_reason(a->status), c->server->date);
    if (a->content_type != NULL) {
        add_line(out, "Content-Type", a->content_type);
    }
    for (size_t i = 0; i < a->header_count; i++) {
        add_line(out, a->headers[i].name, a->headers[i].value);
    }
    add_body_framing(x, a, out);
    x->keep_alive = x->keep_alive && !c->server->draining && !c->eof;
    lt_buf_add_cstr(out, x->keep_alive ? "\r\n" : "Connection: close\r\n\r\n");
    bool bodiless = a->status == 204 || a->status == 304;
    bool inlined = !x->chunked && !x->head_only && a->body.len <= HTTP_WIRE_OUT_HIGH;
    if (inlined && !bodiless) {
        lt_buf_add(out, a->body); /* in one write with the head */
    }
    http_exchange_set_source(x, a, inlined || bodiless ? LT_SLICE(NULL, 0) : a->body);
    x->chunked = x->chunked && !x->head_only;
}

/* One run of the body, with its chunk framing. */
static bool pump_some(struct http_exchange *x)
{
    struct lt_buf *out = &x->conn->wire.out;
    uint8_t bytes[PULL_BYTES];
    size_t len;
    if (lt_failed(http_exchange_pull(x, bytes, sizeof bytes, &len))) {
        x->conn->phase = CONN_DEAD; /* the client sees a cut answer, never a wrong one */
        return false;
    }
    if (x->chunked) {
        lt_buf_addf(out, "%zx\r\n", len);
    }
    lt_buf_add(out, LT_SLICE(bytes, len));
    if (x->chunked) {
        lt_buf_add_cstr(out, "\r\n");
    }
    return true;
}

static bool send_answer(struct http_conn *c)
{
    struct http_exchange *x = c->exchanges;
    if (x == NULL || !x->answered) {
        return false;
    }
    while (http_exchange_source(x) == SOURCE_DATA) {
        if (http_wire_pending(&c->wire) >= HTTP_WIRE_OUT_HIGH || !pump_some(x)) {
            return false;
        }
    }
    if (http_exchange_source(x) == SOURCE_WAIT) {
        return false;
    }
    if (x->chunked) {
        lt_buf_add_cstr(&c->wire.out, "0\r\n\r\n");
    }
    bool keep = x->keep_alive;
    http_exchange_end(x, true);
    if (keep) {
        http_h1_begin(c);
    } else {
        http_conn_linger(c);
    }
    return true;
}

void http_h1_advance(struct http_conn *c)
{
    bool more = true;
    c->stalled = false;
    while (more) {
        switch (c->phase) {
        case CONN_HEAD:
            c->stalled = http_wire_pending(&c->wire) >= HTTP_WIRE_OUT_HIGH && c->in.len > 0;
            more = !c->stalled && read_head(c);
            break;
        case CONN_BODY:
            more = read_body(c);
            break;
        case CONN_HANDLING:
            more = send_answer(c);
            break;
        case CONN_LINGER:
            lt_buf_reset(&c->in);
            more = false;
            break;
        case CONN_H2:
        case CONN_DEAD:
            more = false;
            break;
        }
    }
}
