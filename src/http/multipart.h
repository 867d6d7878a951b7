#ifndef HTTP_MULTIPART_H
#define HTTP_MULTIPART_H
/* The framing of a posted form with files (multipart/form-data, RFC 7578), undone piece by piece as the bytes
 * come, without I/O and without memory of its own: what stands in a part is handed on as it is, and nobody
 * looks at it here.
 *
 * Refuses what a browser does not send for the forms that we write: a preamble, an epilogue, blanks behind a
 * boundary, parts without a name, encodings of parts, heads or names over the limits, more parts than those.
 */
#include "base/slice.h"

enum {
    HTTP_MULTIPART_PARTS_MAX = 24,
    HTTP_MULTIPART_NAME_MAX = 32,
    HTTP_MULTIPART_FILENAME_MAX = 200,
    HTTP_MULTIPART_TYPE_MAX = 100,
    HTTP_MULTIPART_HEAD_MAX = 1024,
    HTTP_MULTIPART_DELIMITER_MAX = 74, /* CR LF, two dashes, 70 (RFC 2046 5.1.1) */
};

enum http_multipart_event {
    HTTP_MULTIPART_MORE, /* all was read: more bytes are wanted, or it is whole */
    HTTP_MULTIPART_PART, /* one begins: name, filename, type */
    HTTP_MULTIPART_DATA, /* some of it */
    HTTP_MULTIPART_END,  /* of the part */
};

enum http_multipart_state {
    MULTIPART_START, /* before the first boundary */
    MULTIPART_AFTER, /* behind a boundary */
    MULTIPART_HEAD,
    MULTIPART_DATA,
    MULTIPART_DONE, /* behind the last boundary: one end of line may follow */
    MULTIPART_OVER,
};

struct http_multipart { /* no pointers: may be copied */
    enum http_multipart_state state;
    uint8_t delimiter[HTTP_MULTIPART_DELIMITER_MAX]; /* CR LF "--" boundary */
    size_t delimiter_len;
    size_t matched; /* bytes of the delimiter, or of what must follow it */
    uint8_t first;  /* of the two bytes behind a boundary */
    uint8_t head[HTTP_MULTIPART_HEAD_MAX];
    size_t head_len;
    size_t parts;
    /* Of the part: NUL-terminated, without control characters. */
    char name[HTTP_MULTIPART_NAME_MAX + 1];
    char filename[HTTP_MULTIPART_FILENAME_MAX + 1]; /* as the sender's program says it; "" */
    char type[HTTP_MULTIPART_TYPE_MAX + 1];         /* the same; "" */
    bool is_file;                                   /* it has a filename, be it empty */
};

/* Is this Content-Type that of such a body? With or without a boundary. */
bool http_multipart_is(lt_slice content_type);
/* LT_PEER_MALFORMED: it names no boundary, or one that is none. */
LT_MUST_USE lt_res http_multipart_begin(struct http_multipart *m, lt_slice content_type);
/* Reads from *in, which moves on, up to the next event; ret_run, of DATA: in *in, or in m until the next
 * call. LT_PEER_MALFORMED, LT_PEER_TOO_LARGE: it is given up. */
LT_MUST_USE lt_res http_multipart_next(struct http_multipart *m, lt_slice *in,
                                       enum http_multipart_event *ret_event, lt_slice *ret_run);
/* Was the last boundary there? */
bool http_multipart_whole(const struct http_multipart *m);

#endif
