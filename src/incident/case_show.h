#ifndef INCIDENT_CASE_SHOW_H
#define INCIDENT_CASE_SHOW_H
/* An incident as JSON: for the reader, which answers for those that anybody may see, and for the registrar,
 * which answers for a restricted one whoever signs with the key of somebody that has a role in it. Point
 * look-ups and short ranges alone. */
#include "base/buf.h"
#include "incident/op.h"
#include "store/store.h"

/* One object. LT_PEER_NOT_FOUND: there is none, or it is restricted and `restricted_too` is not set. */
LT_MUST_USE lt_res incident_case_show(struct store *s, int64_t id, bool restricted_too, struct lt_buf *out);

/* Rows of lists. */
struct incident_case_page {
    int64_t before;     /* ids below it; INT64_MAX: from the newest */
    int64_t limit;      /* rows */
    const char *status; /* ""; "open"; or one state */
    const char *holder; /* "": those that are not restricted; else the restricted ones where he has a role */
};
/* A JSON array; *ret_last: the last id of it, 0 when there are no more behind it. */
LT_MUST_USE lt_res incident_case_list(struct store *s, const struct incident_case_page *p, struct lt_buf *out,
                                      int64_t *ret_last);

extern const struct incident_sql incident_case_show_sql;

#endif
