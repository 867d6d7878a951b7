#ifndef STORE_POSTGRES_TEXT_H
#define STORE_POSTGRES_TEXT_H
/* A statement of ours in PostgreSQL's words: ?1 becomes $1, x'00' a bytea, and the few words that differ. */
#include "base/buf.h"

/* Appended to out; ret_count is the highest parameter. */
LT_MUST_USE lt_res postgres_text(const char *sql, struct lt_buf *out, size_t *ret_count);

#endif
