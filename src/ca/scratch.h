#ifndef CA_SCRATCH_H
#define CA_SCRATCH_H
/* The marks of a drill. A drill's CA, its book and its keys each say what they are, and a family is either of
 * a drill or of a CA: with a clock that can be moved it starts on nothing that lacks one of the marks,
 * without it on nothing that has one. The folder's mark is the file "scratch", which ends with the very bytes
 * of ca/root.pem; the book's is a row of meta, the SHA-256 of the root's certificate; a key's is the first
 * line of its file (signer/key_mark.h). Nothing takes a mark away again. */
#include "base/buf.h"

#define CA_SCRATCH_MARK "scratch"
/* How far the drill's clock is ahead, in microseconds: for the command line beside the family. */
#define CA_SCRATCH_CLOCK "drill/clock"

/* The bytes of the folder's mark. */
void ca_scratch_mark(lt_slice root_pem, struct lt_buf *out);
/* dir_fd: of the CA folder. LT_POLICY_REFUSED: there is a mark, of another CA. */
LT_MUST_USE lt_res ca_scratch_marked(int dir_fd, bool *ret_marked);
/* LT_POLICY_REFUSED: a drill's clock and no mark, or the other way round. */
LT_MUST_USE lt_res ca_scratch_check(int dir_fd, bool drill);
/* 0 where nobody has moved it; only of a folder that is marked. */
LT_MUST_USE lt_res ca_scratch_ahead(int dir_fd, int64_t *ret_us);

#endif
