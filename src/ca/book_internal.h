#ifndef CA_BOOK_INTERNAL_H
#define CA_BOOK_INTERNAL_H
/* Between the files of the book in this room. */
#include "ca/book.h"
#include "sign.pb-c.h"

enum { CA_RETRY_AT_ONCE = 256 };

/* ca/journal.c: which sequences of the signer's journal are in the book. */
void ca_journal_reset(struct ca_book *b, int64_t acknowledged);
/* Everything of that sequence is written in this turn. 0 is none. */
void ca_journal_seen(struct ca_book *b, uint64_t sequence);

void ca_revoke_waiters_free(struct ca_book *b);
void ca_plan_waiters_free(struct ca_book *b);

/* "certificate tls 0a1b…", in the turn's arena. */
const char *ca_certificate_subject(struct ca_turn *t, const char *issuer, lt_slice serial);

extern const struct store_sql *const ca_book_sql;
extern const size_t ca_book_sql_count;
extern const struct store_sql *const ca_journal_sql;
extern const size_t ca_journal_sql_count;
extern const struct store_sql *const ca_outcome_sql;
extern const size_t ca_outcome_sql_count;
extern const struct store_sql *const ca_halt_sql;
extern const size_t ca_halt_sql_count;

#endif
