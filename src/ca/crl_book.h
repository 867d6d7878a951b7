#ifndef CA_CRL_BOOK_H
#define CA_CRL_BOOK_H
/* CRLs in the book: the bytes are committed here before the publisher renames a file. Numbers only grow. */
#include "ca/book.h"
#include "publish.pb-c.h"

enum { CA_CRL_DERS_KEPT = 3 };

/* CrlStore: row, event, the older DERs cleared; defers CrlStored to `from`. A number that does not grow is
 * answered with ok = false. */
LT_MUST_USE lt_res ca_crl_store(struct ca_turn *t, const struct ipc_addr *from, const Ipc__CrlStore *m);
/* CrlStored with ok = false: the book could not take it just now. */
LT_MUST_USE lt_res ca_crl_not_stored(struct ca_turn *t, const struct ipc_addr *from, const Ipc__CrlStore *m);
LT_MUST_USE lt_res ca_crl_published(struct ca_turn *t, const Ipc__CrlPublished *m);

/* Tells the publisher that entries of these parts of the issuer's CRL have changed. count 0: of any. Each
 * part that is named is made anew at once, so a mass action says it once for all of its entries. */
LT_MUST_USE lt_res ca_crl_hint(struct ca_turn *t, const struct ca_issuer *issuer, uint32_t *shards,
                               size_t count);
/* Each second: what other hosts have asked for, where this one publishes. */
LT_MUST_USE lt_res ca_crl_wanted(struct ca_turn *t);
/* Over how many parts of the issuer's CRL new certificates are spread: as many as the configuration says,
 * once the first CRL of each is in the book, so that no certificate points to a part that does not exist. A
 * part less than wanted until then; 0: the complete CRL. */
LT_MUST_USE lt_res ca_crl_shards(struct ca_turn *t, const struct ca_issuer *issuer, uint32_t *ret_count);

extern const struct store_sql *const ca_crl_sql;
extern const size_t ca_crl_sql_count;

#endif
