#ifndef CA_IMPORT_BOOK_H
#define CA_IMPORT_BOOK_H
/* Certificates that were issued elsewhere, on their way into the book; the notary has read them
 * (ca/import.h). An import begins, then its certificates come in requests of at most CA_IMPORT_ROWS_MAX, each
 * one turn with one event that has the Merkle root of what it added. The same request twice adds nothing.
 *
 * What is brought in is filed with the evidence status "unknown": no order, no account unless one is named,
 * no authorization, no method. A certificate that says it is on a part of our CRL is on that part. One that
 * was revoked elsewhere is revoked here: by way of the signer's journal where its issuer is ours and signs
 * here.
 *
 * Refuses: issuers that are not in the book, or have another key than the one that the signature was verified
 * with; more than 100 different certificates of one issuer and serial number; a row that says otherwise than
 * the book; and, of an issuer that signs here, what its CRL cannot have: it would stop that CRL for all. */
#include "ca/book.h"
#include "import.pb-c.h"

struct ca_import_asker {
    const char *operator_;
    lt_slice jws;
};
LT_MUST_USE lt_res ca_import_begin(struct ca_turn *t, const struct ca_import_asker *by,
                                   const Ipc__ImportWanted *w, const char **ret_json);
LT_MUST_USE lt_res ca_import_add(struct ca_turn *t, const struct ca_import_asker *by,
                                 const Ipc__ImportWanted *w, const char **ret_json);
/* Another CA as a row of issuer, offline for ever. LT_PEER_CONFLICT: that name or that key is there. */
LT_MUST_USE lt_res ca_import_issuer_add(struct ca_turn *t, const struct ca_import_asker *by,
                                        const Ipc__ImportIssuer *i, const char **ret_json);

/* What the book refuses of a row by itself; signed_here: its issuer's CRL comes from this CA.
 * LT_PEER_MALFORMED says why. */
LT_MUST_USE lt_res ca_import_row_check(const Ipc__ImportRow *row, bool signed_here, lt_time now);

extern const struct store_sql *const ca_import_sql;
extern const size_t ca_import_sql_count;

#endif
