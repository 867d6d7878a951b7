/* Line by line through the head, then the body by its one framing (RFC 9112). */
#include "validate/http_reply.h"

#include <string.h>

enum { LINE_MAX_LEN = 8192, FIELDS_MAX = 100, FRAMING_MAX = 16 * 1024 };

void validate_http_init(struct validate_http *h)
{
    memset(h, 0, sizeof *h);
    lt_buf_init(&h->line, LINE_MAX_LEN);
    lt_buf_init(&h->body, VALIDATE_BODY_MAX);
}

void validate_http_done(struct validate_http *h)
{
    lt_buf_done(&h->line);
    lt_buf_done(&h->body);
}

static void bad(struct validate_http *h, const char *why)
{
    h->state = VALIDATE_HTTP_BAD;
    h->why = why;
}

static bool digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/*= RFC 9110 5.6.2 "token = 1*tchar" */
static bool token_char(uint8_t c)
{
    return digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/*= RFC 9112 4 "status-line = HTTP-version SP status-code SP [ reason-phrase ]" */
static void read_status_line(struct validate_http *h, lt_slice line)
{
    bool form = line.len >= 12 && lt_slice_starts(line, LT_LIT("HTTP/1.")) &&
                (line.ptr[7] == '0' || line.ptr[7] == '1') && line.ptr[8] == ' ' && digit(line.ptr[9]) &&
                digit(line.ptr[10]) && digit(line.ptr[11]) && (line.len == 12 || line.ptr[12] == ' ');
    if (!form) {
        bad(h, "the first line is no HTTP/1 status line");
        return;
    }
    h->status = (uint32_t)(line.ptr[9] - '0') * 100 + (uint32_t)(line.ptr[10] - '0') * 10 +
                (uint32_t)(line.ptr[11] - '0');
    if (h->status < 100 || h->status > 599) {
        bad(h, "the status is not between 100 and 599");
    }
}

static lt_slice trim(lt_slice s)
{
    while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t')) {
        s = lt_slice_sub(s, 1, SIZE_MAX);
    }
    while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t')) {
        s.len--;
    }
    return s;
}

static void take_length(struct validate_http *h, lt_slice value)
{
    uint64_t length = 0;
    /*= RFC 9112 6.3 "with an invalid Content-Length header field, then the message framing is invalid" */
    if (h->has_length || value.len == 0 || value.len > 18) {
        bad(h, "Content-Length is doubled or no number");
        return;
    }
    for (size_t i = 0; i < value.len; i++) {
        if (!digit(value.ptr[i])) {
            bad(h, "Content-Length is doubled or no number");
            return;
        }
        length = length * 10 + (uint64_t)(value.ptr[i] - '0');
    }
    h->has_length = true;
    h->remaining = length;
}

static void take_encoding(struct validate_http *h, lt_slice value)
{
    if (h->chunked || !lt_slice_eq_nocase(value, LT_LIT("chunked"))) {
        bad(h, "Transfer-Encoding is something else than chunked");
        return;
    }
    h->chunked = true;
}

static void take_location(struct validate_http *h, lt_slice value)
{
    if (h->location[0] != '\0' || value.len == 0 || value.len >= VALIDATE_LOCATION_MAX) {
        bad(h, "Location is doubled, empty or too long");
        return;
    }
    memcpy(h->location, value.ptr, value.len);
    h->location[value.len] = '\0';
}

static const struct {
    const char *name;
    void (*take)(struct validate_http *h, lt_slice value);
} fields[] = {
    {"content-length", take_length},
    {"transfer-encoding", take_encoding},
    {"location", take_location},
};

static void read_field(struct validate_http *h, lt_slice line)
{
    size_t colon = lt_slice_find(line, ':');
    lt_slice name = lt_slice_sub(line, 0, colon);
    if (colon >= line.len || name.len == 0) {
        bad(h, "a header line without a name");
        return;
    }
    for (size_t i = 0; i < name.len; i++) {
        if (!token_char(name.ptr[i])) {
            bad(h, "a header name with characters that are none of a name's, or a folded line");
            return;
        }
    }
    lt_slice value = trim(lt_slice_sub(line, colon + 1, SIZE_MAX));
    for (size_t i = 0; i < LT_COUNT(fields); i++) {
        if (lt_slice_eq_nocase(name, lt_slice_cstr(fields[i].name))) {
            fields[i].take(h, value);
        }
    }
}

/* Does a response of that status end with its head, as far as we are concerned? The body of a redirect or a
 * refusal is never looked at. */
static bool bodiless(uint32_t status)
{
    return status < 200 || status > 299 || status == 204 || status == 205;
}

static void end_head(struct validate_http *h)
{
    if (h->status == 101) {
        bad(h, "the server changes protocols");
    } else if (h->status < 200) {
        /*= RFC 9110 15.2 "A client MUST be able to parse one or more 1xx responses" */
        h->status = 0;
        h->has_length = false;
        h->chunked = false;
        h->location[0] = '\0';
    } else if (h->has_length && h->chunked) {
        bad(h, "Content-Length and Transfer-Encoding together");
    } else if (bodiless(h->status) || (h->has_length && h->remaining == 0)) {
        h->state = VALIDATE_HTTP_DONE;
    } else {
        h->state = h->chunked ? VALIDATE_HTTP_CHUNK_SIZE : VALIDATE_HTTP_BODY;
    }
}

static void head_line(struct validate_http *h, lt_slice line)
{
    if (h->status == 0) {
        read_status_line(h, line);
    } else if (line.len == 0) {
        end_head(h);
    } else if (++h->field_count > FIELDS_MAX) {
        bad(h, "over 100 header lines");
    } else {
        read_field(h, line);
    }
}

/*= RFC 9112 7.1 "chunk-size = 1*HEXDIG" */
static void chunk_size_line(struct validate_http *h, lt_slice line)
{
    uint64_t size = 0;
    lt_slice hex = lt_slice_sub(line, 0, lt_slice_find(line, ';'));
    if (hex.len == 0 || hex.len > 8) {
        bad(h, "a chunk size that is no hexadecimal number");
        return;
    }
    for (size_t i = 0; i < hex.len; i++) {
        uint8_t c = hex.ptr[i];
        uint8_t low = c | 0x20;
        if (!digit(c) && !(low >= 'a' && low <= 'f')) {
            bad(h, "a chunk size that is no hexadecimal number");
            return;
        }
        size = size * 16 + (uint64_t)(digit(c) ? c - '0' : low - 'a' + 10);
    }
    h->remaining = size;
    h->state = size == 0 ? VALIDATE_HTTP_TRAILER : VALIDATE_HTTP_CHUNK_DATA;
}

static void chunk_end_line(struct validate_http *h, lt_slice line)
{
    if (line.len != 0) {
        bad(h, "a chunk that does not end where it says");
        return;
    }
    h->state = VALIDATE_HTTP_CHUNK_SIZE;
}

static void trailer_line(struct validate_http *h, lt_slice line)
{
    if (line.len == 0) {
        h->state = VALIDATE_HTTP_DONE;
    }
}

/* One line without its CRLF. */
static void take_line(struct validate_http *h)
{
    lt_slice line = lt_buf_slice(&h->line);
    switch (h->state) {
    case VALIDATE_HTTP_HEAD:
        head_line(h, line);
        break;
    case VALIDATE_HTTP_CHUNK_SIZE:
        chunk_size_line(h, line);
        break;
    case VALIDATE_HTTP_CHUNK_END:
        chunk_end_line(h, line);
        break;
    case VALIDATE_HTTP_TRAILER:
        trailer_line(h, line);
        break;
    case VALIDATE_HTTP_BODY:
    case VALIDATE_HTTP_CHUNK_DATA:
    case VALIDATE_HTTP_DONE:
    case VALIDATE_HTTP_BAD:
        break;
    }
    lt_buf_reset(&h->line);
}

/* A byte of a line. Control characters, and line feeds that stand alone, are refused here for all lines. */
static void line_byte(struct validate_http *h, uint8_t c)
{
    size_t most = h->in_body ? FRAMING_MAX : VALIDATE_HEAD_MAX;
    if (++h->framing_bytes > most) {
        bad(h, h->in_body ? "too much between the chunks" : "the head is over 16 KiB");
    } else if (h->carriage_return) {
        h->carriage_return = false;
        if (c == '\n') {
            take_line(h);
        } else {
            bad(h, "a carriage return without a line feed");
        }
    } else if (c == '\r') {
        h->carriage_return = true;
    } else if ((c < 0x20 && c != '\t') || c == 0x7f) {
        bad(h, c == '\n' ? "a line feed without a carriage return" : "a control character");
    } else {
        lt_buf_add_byte(&h->line, c);
        if (h->line.overflow) {
            bad(h, "a line over 8 KiB");
        }
    }
}

/* Bytes of the body, as many as belong to it here; returns how many were used. */
static size_t body_bytes(struct validate_http *h, lt_slice bytes)
{
    bool bounded = h->has_length || h->chunked;
    size_t len = bounded && h->remaining < bytes.len ? (size_t)h->remaining : bytes.len;
    size_t room = VALIDATE_BODY_MAX - h->body.len;
    lt_buf_add(&h->body, lt_slice_sub(bytes, 0, len < room ? len : room));
    if (len > room) {
        h->truncated = true;
        h->state = VALIDATE_HTTP_DONE;
        return bytes.len;
    }
    h->remaining -= bounded ? len : 0;
    if (bounded && h->remaining == 0) {
        h->state = h->chunked ? VALIDATE_HTTP_CHUNK_END : VALIDATE_HTTP_DONE;
    }
    return len;
}

enum validate_http_state validate_http_feed(struct validate_http *h, lt_slice bytes)
{
    size_t at = 0;
    while (at < bytes.len && h->state != VALIDATE_HTTP_DONE && h->state != VALIDATE_HTTP_BAD) {
        if (h->state == VALIDATE_HTTP_BODY || h->state == VALIDATE_HTTP_CHUNK_DATA) {
            h->in_body = true;
            at += body_bytes(h, lt_slice_sub(bytes, at, SIZE_MAX));
        } else {
            if (h->state != VALIDATE_HTTP_HEAD && !h->in_body) {
                h->in_body = true;
                h->framing_bytes = 0;
            }
            line_byte(h, bytes.ptr[at]);
            at++;
        }
    }
    return h->state;
}

enum validate_http_state validate_http_eof(struct validate_http *h)
{
    if (h->state == VALIDATE_HTTP_BODY && !h->has_length) {
        h->state = VALIDATE_HTTP_DONE;
    } else if (h->state != VALIDATE_HTTP_DONE && h->state != VALIDATE_HTTP_BAD) {
        bad(h, h->state == VALIDATE_HTTP_HEAD ? "the connection closed inside the head"
                                              : "the connection closed inside the body");
    }
    return h->state;
}
