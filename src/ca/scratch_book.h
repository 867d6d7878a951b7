#ifndef CA_SCRATCH_BOOK_H
#define CA_SCRATCH_BOOK_H
/* The mark of a drill's book (ca/scratch.h): every role that opens a book asks for it, so that no book of a
 * drill is ever served as a CA's, and no CA's book meets a clock that can be moved. */
#include "store/store.h"

/* In a transaction of the caller's: for good, bound to the root that the book has. */
LT_MUST_USE lt_res ca_scratch_book_mark(struct store *s);
/* LT_POLICY_REFUSED: a drill's family and no mark, or the other way round; or the mark of another root. */
LT_MUST_USE lt_res ca_scratch_book_check(struct store *s, bool drill);

extern const struct store_sql *const ca_scratch_sql;
extern const size_t ca_scratch_sql_count;

#endif
