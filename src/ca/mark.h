#ifndef CA_MARK_H
#define CA_MARK_H
/* A file in the CA folder that says what the CA is: a test CA (ca/testing.h), a drill (ca/scratch.h). It is
 * words for people, then the very bytes of ca/root.pem, so that the mark of one CA is worth nothing in the
 * folder of another. */
#include "base/buf.h"

struct ca_mark {
    const char *file;
    const char *words;
};

void ca_mark_write(const struct ca_mark *m, lt_slice root_pem, struct lt_buf *out);
/* dir_fd: of the CA folder. LT_POLICY_REFUSED: there is a mark, of another CA. */
LT_MUST_USE lt_res ca_mark_read(const struct ca_mark *m, int dir_fd, bool *ret_marked);

#endif
