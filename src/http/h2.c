/* HTTP/2 by nghttp2, which checks framing, pseudo fields and field grammar; here stand the limits: streams,
 * resets, head, body, and what one connection may make us remember. The same exchanges as for HTTP/1.1. */
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <string.h>

#include "http/conn.h"

enum {
    STREAMS_MAX = 32,
    RESET_BURST = 200, /* streams that a client may reset at once, */
    RESET_RATE = 20,   /* and for each second after that */
    ACKS_MAX = 100,    /* answers to PING and SETTINGS that may wait */
    SETTINGS_ENTRIES_MAX = 16,
    LINGER_MS = 2000,          /* who was refused may stop sending by itself, */
    DROPPED_MAX = 1024 * 1024, /* or has sent that much more */
};

static void refuse(struct http_exchange *x, unsigned status, const char *detail)
{
    if (x->refused || x->handed) {
        return;
    }
    x->refused = true;
    x->conn->server->stats.malformed++;
    http_exchange_problem(x, status, NULL, detail, status == 503 ? 1 : 0);
}

static int on_begin_headers(nghttp2_session *h2, const nghttp2_frame *frame, void *user)
{
    struct http_conn *c = user;
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
        return 0; /* trailers: read past */
    }
    struct http_exchange *x = http_exchange_new(c);
    x->stream_id = frame->hd.stream_id;
    x->deadline_ms = c->server->now_ms + c->server->limits.head_ms + c->server->limits.body_ms;
    x->fields_made = LT_NEW_ARRAY(&x->arena, struct http_field, HTTP_FIELDS_MAX);
    LT_ASSERT(x->fields_made != NULL); /* first in its arena */
    x->request.fields = x->fields_made;
    return nghttp2_session_set_stream_user_data(h2, x->stream_id, x);
}

static void take_pseudo(struct http_exchange *x, lt_slice name, lt_slice value)
{
    struct http_request *r = &x->request;
    if (lt_slice_eq_cstr(name, ":method")) {
        r->method = value;
    } else if (lt_slice_eq_cstr(name, ":path")) {
        r->path = value;
    } else if (lt_slice_eq_cstr(name, ":authority")) {
        r->host = value;
    }
}

static int on_header(nghttp2_session *h2, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
                     const uint8_t *value, size_t value_len, uint8_t flags, void *user)
{
    (void)flags;
    (void)user;
    struct http_exchange *x = nghttp2_session_get_stream_user_data(h2, frame->hd.stream_id);
    if (x == NULL || x->refused || frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
        return 0;
    }
    /*= RFC 9113 6.5.2 "the length of a field name and value in units of octets plus an overhead of 32 octets"
     */
    x->head_bytes += name_len + value_len + 32;
    if (x->head_bytes > HTTP_HEAD_MAX || x->request.field_count >= HTTP_FIELDS_MAX) {
        refuse(x, 431, "the head is too large");
        return 0;
    }
    lt_slice n = lt_arena_copy(&x->arena, LT_SLICE(name, name_len));
    lt_slice v = lt_arena_copy(&x->arena, LT_SLICE(value, value_len));
    LT_ASSERT(n.ptr != NULL && v.ptr != NULL); /* the arena holds any head */
    if (n.ptr[0] == ':') {
        take_pseudo(x, n, v);
        return 0;
    }
    x->fields_made[x->request.field_count++] = (struct http_field){n, v};
    return 0;
}

/* What nghttp2 would silently leave out is a fault here. */
static int on_invalid_header(nghttp2_session *h2, const nghttp2_frame *frame, nghttp2_rcbuf *name,
                             nghttp2_rcbuf *value, uint8_t flags, void *user)
{
    (void)h2;
    (void)frame;
    (void)name;
    (void)value;
    (void)flags;
    (void)user;
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

/* The head is whole. */
static void check_head(struct http_exchange *x)
{
    struct http_request *r = &x->request;
    if (x->refused) {
        return;
    }
    unsigned status = 400;
    lt_slice target = r->path;
    if (lt_failed(http_method_check(r->method, &status)) ||
        lt_failed(http_target_split(target, &r->path, &r->query))) {
        refuse(x, status, lt_error_last()->detail);
    }
    if (r->host.len == 0) {
        r->host = http_request_field(r, "host");
    }
    lt_slice length = http_request_field(r, "content-length"); /* nghttp2 has checked it */
    if (!x->refused && (length.len > 5 || (length.len == 5 && lt_slice_cmp(length, LT_LIT("65536")) > 0))) {
        refuse(x, 413, "the body is too large");
    }
}

static int on_data(nghttp2_session *h2, uint8_t flags, int32_t stream_id, const uint8_t *data, size_t len,
                   void *user)
{
    (void)flags;
    (void)user;
    struct http_exchange *x = nghttp2_session_get_stream_user_data(h2, stream_id);
    if (x != NULL && x->refused) {
        x->dropped += len;
        if (x->sent_all && x->dropped > DROPPED_MAX) {
            http_h2_reset(x);
        }
    }
    if (x == NULL || x->refused || x->handed) {
        return 0;
    }
    if (x->reserved == 0 && !http_exchange_reserve(x, HTTP_BODY_MAX)) {
        refuse(x, 503, "too many requests at once");
        return 0;
    }
    lt_buf_add(&x->body, LT_SLICE(data, len));
    if (x->body.overflow) {
        refuse(x, 413, "the body is too large");
    }
    return 0;
}

static int on_frame(nghttp2_session *h2, const nghttp2_frame *frame, void *user)
{
    (void)user;
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) {
        return 0;
    }
    struct http_exchange *x = nghttp2_session_get_stream_user_data(h2, frame->hd.stream_id);
    if (x == NULL) {
        return 0;
    }
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
        check_head(x);
    }
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 && !x->refused && !x->handed) {
        http_exchange_hand_over(x);
    }
    return 0;
}

static int on_sent(nghttp2_session *h2, const nghttp2_frame *frame, void *user)
{
    (void)user;
    bool ends = (frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS) &&
                (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    struct http_exchange *x = ends ? nghttp2_session_get_stream_user_data(h2, frame->hd.stream_id) : NULL;
    if (x != NULL) {
        x->sent_all = true;
        /* A reset that comes right behind the answer makes some clients forget the answer (curl up to 8): it
         * comes when they go on sending. */
        if (x->refused) {
            x->deadline_ms = x->conn->server->now_ms + LINGER_MS;
        }
    }
    return 0;
}

static int on_stream_close(nghttp2_session *h2, int32_t stream_id, uint32_t error_code, void *user)
{
    (void)error_code;
    struct http_conn *c = user;
    struct http_exchange *x = nghttp2_session_get_stream_user_data(h2, stream_id);
    if (x != NULL) {
        http_exchange_end(x, x->sent_all);
    }
    if (c->exchanges == NULL) {
        c->idle_since_ms = c->server->now_ms;
        c->deadline_ms = c->server->now_ms + c->server->limits.idle_ms;
    }
    return 0;
}

static ssize_t read_source(nghttp2_session *h2, int32_t stream_id, uint8_t *bytes, size_t size,
                           uint32_t *flags, nghttp2_data_source *source, void *user)
{
    (void)h2;
    (void)stream_id;
    (void)user;
    struct http_exchange *x = source->ptr;
    size_t len = 0;
    if (http_exchange_source(x) == SOURCE_WAIT) {
        x->deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    if (lt_failed(http_exchange_pull(x, bytes, size, &len))) {
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* resets the stream: a cut answer, never a wrong one */
    }
    if (http_exchange_source(x) == SOURCE_END) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    }
    return (ssize_t)len;
}

static nghttp2_nv nv(const char *name, const char *value)
{
    lt_slice n = lt_slice_cstr(name);
    lt_slice v = lt_slice_cstr(value);
    /* nghttp2 copies both: its type only lacks the const. */
    return (nghttp2_nv){(uint8_t *)(uintptr_t)n.ptr, (uint8_t *)(uintptr_t)v.ptr, n.len, v.len,
                        NGHTTP2_NV_FLAG_NONE};
}

void http_h2_answer(struct http_exchange *x, const struct http_answer *a)
{
    enum { OWN = 4, FOREIGN = 24 };
    struct http_conn *c = x->conn;
    nghttp2_nv headers[OWN + FOREIGN];
    char status[16];
    char length[24];
    (void)snprintf(status, sizeof status, "%u", a->status); /* three digits */
    (void)snprintf(length, sizeof length, "%llu",
                   (unsigned long long)(a->has_file ? a->file_len : a->body.len)); /* 20 digits */
    size_t count = 0;
    headers[count++] = nv(":status", status);
    headers[count++] = nv("date", c->server->date);
    if (a->content_type != NULL) {
        headers[count++] = nv("content-type", a->content_type);
    }
    bool bodiless = a->status == 204 || a->status == 304;
    if (!bodiless && !a->more) {
        headers[count++] = nv("content-length", length);
    }
    for (size_t i = 0; i < a->header_count && count < OWN + FOREIGN; i++) {
        headers[count++] = nv(a->headers[i].name, a->headers[i].value);
    }
    http_exchange_set_source(x, a, bodiless ? LT_SLICE(NULL, 0) : a->body);
    bool empty = x->head_only || bodiless || http_exchange_source(x) == SOURCE_END;
    nghttp2_data_provider provider = {.source = {.ptr = x}, .read_callback = read_source};
    if (nghttp2_submit_response(c->h2, x->stream_id, headers, count, empty ? NULL : &provider) != 0) {
        http_h2_reset(x);
    }
}

void http_h2_resume(struct http_exchange *x)
{
    if (x->deferred) {
        x->deferred = false;
        (void)nghttp2_session_resume_data(x->conn->h2, x->stream_id); /* a stream that is gone needs none */
    }
}

void http_h2_reset(struct http_exchange *x)
{
    /*= RFC 9113 8.1 "by sending a RST_STREAM with an error code of NO_ERROR after sending a complete
     * response" */
    uint32_t code = x->sent_all ? NGHTTP2_NO_ERROR : NGHTTP2_INTERNAL_ERROR;
    x->deadline_ms = INT64_MAX;
    if (nghttp2_submit_rst_stream(x->conn->h2, NGHTTP2_FLAG_NONE, x->stream_id, code) != 0) {
        x->conn->phase = CONN_DEAD;
    }
}

void http_h2_goaway(struct http_conn *c)
{
    int32_t last = nghttp2_session_get_last_proc_stream_id(c->h2);
    if (nghttp2_submit_goaway(c->h2, NGHTTP2_FLAG_NONE, last, NGHTTP2_NO_ERROR, NULL, 0) != 0) {
        c->phase = CONN_DEAD;
    }
    c->going_away = true;
}

void http_h2_advance(struct http_conn *c)
{
    if (c->in.len > 0) {
        ssize_t n = nghttp2_session_mem_recv(c->h2, c->in.ptr, c->in.len);
        lt_buf_reset(&c->in);
        c->broken = n < 0; /* what is queued (the reason) still goes out */
    }
    while (c->phase == CONN_H2 && http_wire_pending(&c->wire) < HTTP_WIRE_OUT_HIGH) {
        const uint8_t *bytes;
        ssize_t n = nghttp2_session_mem_send(c->h2, &bytes);
        if (n <= 0) {
            c->broken = c->broken || n < 0;
            break;
        }
        lt_buf_add(&c->wire.out, LT_SLICE(bytes, (size_t)n));
    }
    bool over = nghttp2_session_want_read(c->h2) == 0 && nghttp2_session_want_write(c->h2) == 0;
    bool gone = c->going_away && c->exchanges == NULL;
    if (c->phase == CONN_H2 && (c->broken || over || gone)) {
        http_h2_end(c);
        http_conn_linger(c);
    }
}

void http_h2_begin(struct http_conn *c)
{
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, STREAMS_MAX},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HTTP_HEAD_MAX},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, HTTP_BODY_MAX - 1},
    };
    const struct http_server *s = c->server;
    c->phase = CONN_H2;
    c->deadline_ms = s->now_ms + s->limits.head_ms;
    LT_ASSERT(nghttp2_session_server_new2(&c->h2, s->h2_callbacks, c, s->h2_options) ==
              0); /* else: no memory */
    LT_ASSERT(nghttp2_submit_settings(c->h2, NGHTTP2_FLAG_NONE, settings, LT_COUNT(settings)) == 0);
    if (s->draining) {
        http_h2_goaway(c);
    }
}

void http_h2_end(struct http_conn *c)
{
    while (c->exchanges != NULL) {
        http_exchange_end(c->exchanges, c->exchanges->sent_all);
    }
    nghttp2_session_del(c->h2);
    c->h2 = NULL;
}

void http_h2_setup(struct http_server *s)
{
    LT_ASSERT(nghttp2_session_callbacks_new(&s->h2_callbacks) == 0);
    nghttp2_session_callbacks *cb = s->h2_callbacks;
    nghttp2_session_callbacks_set_on_begin_headers_callback(cb, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback2(cb, on_invalid_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame);
    nghttp2_session_callbacks_set_on_frame_send_callback(cb, on_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_stream_close);
    LT_ASSERT(nghttp2_option_new(&s->h2_options) == 0);
    nghttp2_option_set_stream_reset_rate_limit(s->h2_options, RESET_BURST, RESET_RATE);
    nghttp2_option_set_max_outbound_ack(s->h2_options, ACKS_MAX);
    nghttp2_option_set_max_settings(s->h2_options, SETTINGS_ENTRIES_MAX);
    nghttp2_option_set_no_closed_streams(s->h2_options, 1);
}

void http_h2_teardown(struct http_server *s)
{
    nghttp2_option_del(s->h2_options);
    nghttp2_session_callbacks_del(s->h2_callbacks);
}
