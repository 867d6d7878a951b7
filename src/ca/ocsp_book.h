#ifndef CA_OCSP_BOOK_H
#define CA_OCSP_BOOK_H
/* The publisher's reading of the book for OCSP: what is to be said of each certificate, in the order of the
 * file, without ever holding them together; and what changed since. Rows come without signatures. Writes
 * neither the book nor a file. */
#include "ca/crl_build.h"
#include "ca/ocsp_map.h"
#include "store/store.h"

enum {
    CA_OCSP_CHANGES_MAX = 65536, /* of one look; beyond them the base is written anew */
    CA_OCSP_OVERLAP_S = 10,      /* what was committed a little after its time stamp */
    CA_OCSP_LATE_S = 75,         /* a server ends a statement after 60 s: nothing is committed later */
};

struct ca_ocsp_source {
    struct store *store;                        /* borrowed, as the issuers are */
    const struct ca_crl_issuer *const *issuers; /* that answer OCSP; a row's issuer is its place here */
    size_t issuer_count;
};

/* Where a reading of all rows stands. */
struct ca_ocsp_reading {
    lt_time now; /* when it began; what has expired by then is left out */
    size_t at;   /* issuer */
    uint8_t last[X509_OCSP_SERIAL_MAX];
    size_t last_len;
};

/* Facts of at most `limit` certificates, in order; fewer come where some have expired. *ret_end when there
 * are no more. ret_rows: room for limit. */
LT_MUST_USE lt_res ca_ocsp_rows(const struct ca_ocsp_source *s, struct ca_ocsp_reading *at, size_t limit,
                                struct ca_ocsp_row *ret_rows, size_t *ret_count, bool *ret_end);
/* What was issued or revoked at `since` or after it, sorted, each once; ret_rows: room for
 * CA_OCSP_CHANGES_MAX. *ret_more: so many were revoked that those are left out; the base must be written
 * anew. LT_PEER_TOO_LARGE when so many were issued. */
LT_MUST_USE lt_res ca_ocsp_changes(const struct ca_ocsp_source *s, lt_time since, lt_time now,
                                   struct ca_ocsp_row *ret_rows, size_t *ret_count, bool *ret_more);
/* Do two rows say the same of the same certificate, whenever it was signed? */
bool ca_ocsp_same_facts(const struct ca_ocsp_row *a, const struct ca_ocsp_row *b);
/* By issuer and serial. */
void ca_ocsp_sort(struct ca_ocsp_row *rows, size_t count);

extern const struct store_sql *const ca_ocsp_sql;
extern const size_t ca_ocsp_sql_count;

#endif
