#ifndef CA_PUT_BACK_H
#define CA_PUT_BACK_H
/* A book that came out of a backup says so until it was reconciled: a row of meta, so the mark goes wherever
 * the book goes. The registrar does not start on one: what was signed, revoked and published since is not in
 * it. */
#include "store/store.h"

/* In a transaction of the caller's. what: for people ("of 2026-11-22T10:00:00Z"). */
LT_MUST_USE lt_res ca_put_back_mark(struct store *s, const char *what);
LT_MUST_USE lt_res ca_put_back_clear(struct store *s);
LT_MUST_USE lt_res ca_put_back_get(struct store *s, bool *ret_marked);
/* LT_STATE_CORRUPT where it is marked, with what to do. */
LT_MUST_USE lt_res ca_put_back_check(struct store *s);

extern const struct store_sql *const ca_put_back_sql;
extern const size_t ca_put_back_sql_count;

#endif
