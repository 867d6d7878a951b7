#ifndef VALIDATE_HTTP_REPLY_H
#define VALIDATE_HTTP_REPLY_H
/* A strict reader of one HTTP/1.1 response, for http-01: status, Location and the first bytes of the body.
 * Fed with what the socket gives; does no I/O. Refuses what it would have to guess: bare line feeds, two
 * framings, folded lines, control characters, heads over 16 KiB. A body is read to 64 KiB and no further.
 */
#include "base/buf.h"
#include "base/slice.h"

enum {
    VALIDATE_HEAD_MAX = 16 * 1024,
    VALIDATE_BODY_MAX = 64 * 1024,
    VALIDATE_LOCATION_MAX = 2048,
};

enum validate_http_state {
    VALIDATE_HTTP_HEAD,
    VALIDATE_HTTP_BODY, /* Content-Length, or until the peer closes */
    VALIDATE_HTTP_CHUNK_SIZE,
    VALIDATE_HTTP_CHUNK_DATA,
    VALIDATE_HTTP_CHUNK_END,
    VALIDATE_HTTP_TRAILER,
    VALIDATE_HTTP_DONE,
    VALIDATE_HTTP_BAD,
};

struct validate_http {
    enum validate_http_state state;
    struct lt_buf line; /* owned: the line being read */
    struct lt_buf body; /* owned */
    uint32_t status;
    bool has_length;
    bool chunked;
    bool truncated;       /* the body was longer than VALIDATE_BODY_MAX: the rest was not read */
    uint64_t remaining;   /* of the body or the chunk */
    size_t framing_bytes; /* of the head; then of chunk sizes and trailers: both are capped */
    size_t field_count;
    bool carriage_return; /* the byte before was one */
    bool in_body;
    char location[VALIDATE_LOCATION_MAX];
    const char *why; /* static storage; of VALIDATE_HTTP_BAD */
};

void validate_http_init(struct validate_http *h);
void validate_http_done(struct validate_http *h);
/* Takes bytes as they come; returns the state. After DONE or BAD the rest is ignored. */
enum validate_http_state validate_http_feed(struct validate_http *h, lt_slice bytes);
/* The peer closed: DONE where that ends a body, BAD elsewhere. */
enum validate_http_state validate_http_eof(struct validate_http *h);

#endif
