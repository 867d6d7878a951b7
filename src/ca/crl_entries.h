#ifndef CA_CRL_ENTRIES_H
#define CA_CRL_ENTRIES_H
/* The entries of a CRL out of the book, in ascending order of serials. Private to ca/crl_*.c: a part is one
 * range of the revocation table; the complete CRL of an issuer with parts is all of its ranges, merged page
 * by page, so that it costs a page of each part and never the whole. */
#include "ca/crl_build.h"

LT_MUST_USE lt_res ca_crl_add_entries(struct store *store, const struct ca_crl_plan *plan,
                                      struct x509_crl_builder *b);

extern const struct store_sql *const ca_crl_entries_sql;
extern const size_t ca_crl_entries_sql_count;

#endif
