#ifndef CA_CRL_WATCH_H
#define CA_CRL_WATCH_H
/* After a CRL was published: the courier fetches it back, and what a relying party was given is in the book.
 * One row for each part of an issuer's CRL; it is due until the newest publication was met and held. */
#include "ca/book.h"
#include "publish.pb-c.h"

/* CrlPublished: the row, due at once. Nothing where the configuration wants no fetching back. */
LT_MUST_USE lt_res ca_crl_watch(struct ca_turn *t, const struct ca_issuer *issuer,
                                const Ipc__CrlPublished *m);
/* Asks the courier for what is due, a bounded number at a time. */
LT_MUST_USE lt_res ca_crl_watch_due(struct ca_turn *t);
/* CrlFetched: row and event; what was not good is due again, after a growing wait. */
LT_MUST_USE lt_res ca_crl_fetched(struct ca_turn *t, const Ipc__CrlFetched *m);

extern const struct store_sql *const ca_crl_watch_sql;
extern const size_t ca_crl_watch_sql_count;

#endif
