#ifndef INCIDENT_LIST_BOOK_H
#define INCIDENT_LIST_BOOK_H
/* Lists of incidents out of the book, as the file that the world fetches: lines of CSV, one for each
 * certificate of the frozen list, read in slices. Serial numbers and hashes alone: what is in it is public in
 * any log, and no name of anybody. For the publisher, which writes it where it belongs. */
#include "base/arena.h"
#include "base/buf.h"
#include "store/store.h"

enum { INCIDENT_LISTS_MAX = 20, INCIDENT_LIST_HEAD_MAX = 400 };

struct incident_list_wanted {
    int64_t incident;
    int64_t version;
    int64_t mass;
    lt_time deadline;
    bool published; /* the book knows of the file */
};
LT_MUST_USE lt_res incident_lists_wanted(struct store *s,
                                         struct incident_list_wanted list[INCIDENT_LISTS_MAX],
                                         size_t *ret_count);

/* How far one list is. Small; no owner. */
struct incident_list_at {
    int64_t tier;
    int64_t issuer;
    uint8_t serial[20];
    size_t serial_len;
    int64_t rows;
};
void incident_list_begin(struct incident_list_at *at);
/* The first line: says which list it is, so that a file that is there already is known. */
void incident_list_head(const struct incident_list_wanted *w, struct lt_buf *out);
/* At most `most` lines more; *ret_end: there are no others. */
LT_MUST_USE lt_res incident_list_rows(struct store *s, const struct incident_list_wanted *w,
                                      struct incident_list_at *at, size_t most, struct lt_buf *out,
                                      bool *ret_end);

extern const struct store_sql *const incident_list_book_sql;
extern const size_t incident_list_book_sql_count;

#endif
