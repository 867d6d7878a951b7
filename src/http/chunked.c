/* The chunked transfer coding, strictly: hex sizes without sign, prefix or blank, CRLF only, extensions and
 * trailers read past under one small budget. */
#include "http/parse.h"

enum state {
    SIZE_FIRST,
    SIZE,
    EXTENSION,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER_FIRST,
    TRAILER,
    TRAILER_LF,
    LAST_LF
};

enum {
    META_MAX =
        4096, /* bytes of size lines, extensions and trailers in one body, beside 16 per chunk of data */
    SIZE_DIGITS_MAX = 8 /* 4 GiB: limits of content are the caller's */
};

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (uint8_t)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool visible(uint8_t c)
{
    return c == '\t' || (c >= 0x20 && c != 0x7f);
}

static lt_res size_byte(struct http_chunked *c, uint8_t b)
{
    int digit = hex_value(b);
    if (digit >= 0) {
        LT_CHECK(c->line_len < SIZE_DIGITS_MAX, LT_PEER_TOO_LARGE, "a chunk size of over %d digits",
                 SIZE_DIGITS_MAX);
        c->left = c->left << 4 | (unsigned)digit;
        c->line_len++;
        c->state = SIZE;
        return LT_OK;
    }
    /*= RFC 9112 7.1 "chunk = chunk-size [ chunk-ext ] CRLF chunk-data CRLF" */
    LT_CHECK(c->state == SIZE && (b == '\r' || b == ';'), LT_PEER_MALFORMED, "a chunk size that is not hex");
    c->state = b == ';' ? EXTENSION : SIZE_LF;
    return LT_OK;
}

static lt_res expect(struct http_chunked *c, uint8_t b, uint8_t want, enum state next)
{
    LT_CHECK(b == want, LT_PEER_MALFORMED, "a line end in the chunked body that is not CRLF");
    c->state = (uint8_t)next;
    return LT_OK;
}

static lt_res end_of_size_line(struct http_chunked *c, uint8_t b)
{
    LT_TRY(expect(c, b, '\n', c->left == 0 ? TRAILER_FIRST : DATA));
    c->line_len = 0;
    return LT_OK;
}

/* Text up to CR: an extension or a trailer line. Nobody uses what it says. */
static lt_res skip_text(struct http_chunked *c, uint8_t b, enum state same, enum state after_cr)
{
    LT_CHECK(b == '\r' || visible(b), LT_PEER_MALFORMED, "a control character in the chunked body's lines");
    c->state = (uint8_t)(b == '\r' ? after_cr : same);
    return LT_OK;
}

static lt_res trailer_first(struct http_chunked *c, uint8_t b)
{
    if (b == '\r') {
        c->state = LAST_LF;
        return LT_OK;
    }
    LT_CHECK(http_is_token(LT_SLICE(&b, 1)), LT_PEER_MALFORMED, "a trailer that is no field");
    c->state = TRAILER;
    return LT_OK;
}

static lt_res meta_byte(struct http_chunked *c, uint8_t b)
{
    LT_CHECK(c->meta_left > 1, LT_PEER_TOO_LARGE, "too much beside the data of a chunked body");
    c->meta_left--;
    switch ((enum state)c->state) {
    case SIZE_FIRST:
    case SIZE:
        return size_byte(c, b);
    case EXTENSION:
        return skip_text(c, b, EXTENSION, SIZE_LF);
    case SIZE_LF:
        return end_of_size_line(c, b);
    case DATA_CR:
        return expect(c, b, '\r', DATA_LF);
    case DATA_LF:
        return expect(c, b, '\n', SIZE_FIRST);
    case TRAILER_FIRST:
        return trailer_first(c, b);
    case TRAILER:
        return skip_text(c, b, TRAILER, TRAILER_LF);
    case TRAILER_LF:
        return expect(c, b, '\n', TRAILER_FIRST);
    case LAST_LF:
        c->done = b == '\n';
        return expect(c, b, '\n', LAST_LF);
    case DATA:
        break;
    }
    LT_ASSERT(c->state != DATA); /* the caller takes data in runs */
    return LT_OK;
}

lt_res http_chunked_next(struct http_chunked *c, lt_slice *bytes, lt_slice *ret_data)
{
    *ret_data = LT_SLICE(NULL, 0);
    if (c->meta_left == 0) {
        c->meta_left = META_MAX;
    }
    while (bytes->len > 0 && !c->done) {
        if (c->state == DATA) {
            size_t len = c->left < bytes->len ? (size_t)c->left : bytes->len;
            *ret_data = LT_SLICE(bytes->ptr, len);
            *bytes = lt_slice_sub(*bytes, len, SIZE_MAX);
            c->left -= len;
            c->state = c->left == 0 ? DATA_CR : DATA;
            /* Data earns the lines around it: many small chunks of a large stream are legal. */
            c->meta_left += c->left == 0 && len >= 16 && c->meta_left < META_MAX ? 16 : 0;
            return LT_OK;
        }
        LT_TRY(meta_byte(c, bytes->ptr[0]));
        *bytes = lt_slice_sub(*bytes, 1, SIZE_MAX);
    }
    return LT_OK;
}
