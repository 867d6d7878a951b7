#ifndef CA_ARI_BOOK_H
#define CA_ARI_BOOK_H
/* The publisher's reading of the book for renewal information: all rows in slices, in the order of the file,
 * without ever holding them together; and what changed since. Writes neither the book nor a file. */
#include "ca/ari_map.h"
#include "ca/ari_strings.h"
#include "ca/ari_wave.h"
#include "ca/crl_build.h"
#include "store/store.h"

enum {
    CA_ARI_DELTA_MAX = 65536, /* rows; beyond them the base is written anew */
    CA_ARI_OVERLAP_S = 10,    /* what was committed a little after its time stamp */
    CA_ARI_FIND_MAX = 5000,   /* ranks that a delta looks up; beyond them the base is written anew */
};

struct ca_ari_build {
    struct store *store;                 /* borrowed, as the issuers are */
    const struct ca_crl_issuer *issuers; /* in the order of their ids */
    size_t issuer_count;
    lt_time now; /* when it began; what has expired by then is left out */
    size_t at;   /* issuer */
    uint8_t last[CA_ARI_SERIAL_MAX];
    size_t last_len;
    uint64_t rows;
    struct ca_ari_strings strings;
    struct ca_waves *waves; /* owned: the incidents' plans; NULL until they are wanted */
};

void ca_ari_build_init(struct ca_ari_build *b, struct store *store, const struct ca_crl_issuer *issuers,
                       size_t issuer_count, lt_time now);
void ca_ari_build_done(struct ca_ari_build *b);
/* Header with nothing in it yet, and the issuers. */
void ca_ari_build_begin(const struct ca_ari_build *b, struct lt_buf *out);
/* The next rows, out of at most `limit` certificates; *ret_end when there are no more. */
LT_MUST_USE lt_res ca_ari_build_rows(struct ca_ari_build *b, size_t limit, struct lt_buf *out, bool *ret_end);
/* The strings, which come last; and the header as it is to be. */
struct ca_ari_header ca_ari_build_end(const struct ca_ari_build *b, struct lt_buf *out);

struct ca_ari_delta {
    struct ca_ari_row *rows; /* owned; sorted */
    size_t count;
    size_t size;
    uint32_t turn;
    struct ca_ari_strings strings;
    struct ca_waves *waves; /* owned; of one look */
    size_t found;           /* ranks looked up in it */
};

void ca_ari_delta_init(struct ca_ari_delta *d);
void ca_ari_delta_done(struct ca_ari_delta *d);
void ca_ari_delta_reset(struct ca_ari_delta *d);
/* Takes in what was issued, revoked or given a window at `since` or after it. *ret_changed: a row is other
 * than before. LT_PEER_TOO_LARGE beyond CA_ARI_DELTA_MAX: then the base must be written anew. */
LT_MUST_USE lt_res ca_ari_delta_take(struct ca_ari_delta *d, const struct ca_ari_build *book, lt_time since,
                                     bool *ret_changed);
/* The whole file. */
void ca_ari_delta_write(const struct ca_ari_delta *d, const struct ca_ari_build *book, int64_t generation,
                        struct lt_buf *out);

extern const struct store_sql *const ca_ari_sql;
extern const size_t ca_ari_sql_count;

#endif
