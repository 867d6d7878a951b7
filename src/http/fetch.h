#ifndef HTTP_FETCH_H
#define HTTP_FETCH_H
/* One question over a UNIX socket, blocking, in bounded time: how the command line speaks to the family.
 *
 * Body of a 2xx answer: handed to on_body as it comes, or collected in the arena when on_body is NULL. Body
 * of any other answer: always collected (it is a problem document).
 */
#include "base/arena.h"
#include "http/parse.h"

struct http_fetch {
    const char *socket_path;
    const char *method;       /* "GET", "POST" */
    const char *target;       /* path and query, percent-encoded by the caller (http_escape_add) */
    const char *content_type; /* of body; NULL without one */
    const char *accept;       /* NULL: application/json */
    lt_slice body;
    int timeout_ms;  /* longest silence of the other side; 0 for 30 s */
    size_t body_max; /* of what is collected; 0 for 16 MiB */
    lt_res (*on_body)(void *arg, lt_slice part);
    void *arg;
};

struct http_fetched {
    struct http_head *head; /* in the arena; status and fields: http_head_field(head, "replay-nonce") */
    lt_slice body;          /* what was collected */
};

/* LT_RETRY_UNAVAILABLE when nobody listens, LT_RETRY_TIMEOUT on silence, LT_PEER_MALFORMED when the answer is
 * not HTTP, LT_STATE_CLOSED when it is cut short. An error status is a success here. */
LT_MUST_USE lt_res http_fetch_unix(const struct http_fetch *f, struct lt_arena *a,
                                   struct http_fetched *ret_fetched);

struct lt_buf;
/* Percent-encodes all but the unreserved characters of RFC 3986 section 2.3. */
void http_escape_add(struct lt_buf *out, lt_slice s);

#endif
