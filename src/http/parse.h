#ifndef HTTP_PARSE_H
#define HTTP_PARSE_H
/* HTTP/1.1 heads and chunked bodies, read strictly (RFC 9112) and without I/O.
 *
 * Refuses whatever two readers could take for two things: bare LF or CR, NUL and other control characters,
 * blanks before a colon, folded lines, no Host or two, two framing fields, a transfer coding other than
 * "chunked", a chunk size that is not plain hex. Nothing is repaired.
 */
#include "base/slice.h"

enum {
    HTTP_HEAD_MAX = 8192,  /* start line and fields with their line ends: 431 beyond it */
    HTTP_BODY_MAX = 65536, /* of a request: 413 beyond it */
    HTTP_FIELDS_MAX = 64,
    HTTP_METHOD_MAX = 16,
};

struct http_field {
    lt_slice name;
    lt_slice value; /* without the blanks around it */
};

/* All slices point into the bytes that were parsed. */
struct http_head {
    lt_slice method;
    lt_slice target; /* as sent */
    lt_slice path;   /* of the target, origin form, still percent-encoded */
    lt_slice query;  /* without "?" */
    lt_slice host;
    unsigned status; /* of a response */
    bool http10;
    bool keep_alive;
    bool chunked;
    bool has_length;
    uint64_t length; /* of the body, when has_length */
    bool expect_continue;
    size_t field_count;
    struct http_field fields[HTTP_FIELDS_MAX];
};

/* Is a whole head there? *at says how far was looked already (start with 0): each byte is looked at once.
 * LT_RETRY_AGAIN: more is needed. LT_PEER_*: it can never become a head; *ret_status is the answer (400,
 * 431). */
LT_MUST_USE lt_res http_head_find(lt_slice bytes, size_t *at, size_t *ret_len, unsigned *ret_status);
/* A whole head as http_head_find measured it. On failure *ret_status is the status to answer with. */
LT_MUST_USE lt_res http_request_parse(lt_slice bytes, struct http_head *ret_head, unsigned *ret_status);
/* A response's head. The caller knows the method: an answer to HEAD, 1xx, 204 and 304 have no body. */
LT_MUST_USE lt_res http_response_parse(lt_slice bytes, struct http_head *ret_head);
/* The value of the first field of that name, any case; the empty slice when there is none. */
lt_slice http_head_field(const struct http_head *head, const char *name);

/* Chunked bodies. Zero is the initial state. */
struct http_chunked {
    uint8_t state;
    bool done;
    uint64_t left;   /* of the chunk, or the size in the making */
    size_t line_len; /* of the size line or trailer line so far */
    size_t
        meta_left; /* bytes of lines that may still come beside the data; 0 at the start means the default */
};

/* Takes bytes from the front of *bytes and gives one run of data (perhaps empty). Call again until *bytes is
 * empty or done. What follows the body stays in *bytes. */
LT_MUST_USE lt_res http_chunked_next(struct http_chunked *c, lt_slice *bytes, lt_slice *ret_data);

/* token of RFC 9110 section 5.6.2. */
bool http_is_token(lt_slice s);
/* A field value without control characters (RFC 9110 section 5.5). */
bool http_is_field_value(lt_slice s);

/* LT_OK for the methods that anything here may have; else *ret_status is 501 or 400. */
LT_MUST_USE lt_res http_method_check(lt_slice method, unsigned *ret_status);
/* An origin-form target in its two parts, both checked. */
LT_MUST_USE lt_res http_target_split(lt_slice target, lt_slice *ret_path, lt_slice *ret_query);

/* A path that means one thing only: begins with "/", RFC 3986 pchar, well-formed percent escapes, no empty,
 * "." or ".." segment however it is escaped, no escaped "/", "\\" or NUL. A trailing "/" is allowed. */
LT_MUST_USE lt_res http_path_check(lt_slice path);

#endif
