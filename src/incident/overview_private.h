#ifndef INCIDENT_OVERVIEW_PRIVATE_H
#define INCIDENT_OVERVIEW_PRIVATE_H
/* Between the files of the overview. Each part writes its members, and says what it finds wrong. */
#include "incident/overview.h"

enum overview_level { OVERVIEW_OK, OVERVIEW_WARNING, OVERVIEW_BAD };

enum { OVERVIEW_FINDINGS = 64, OVERVIEW_SHOWN = 12, OVERVIEW_TEXT = 200, OVERVIEW_HREF = 64 };
struct overview_finding {
    enum overview_level level;
    char text[OVERVIEW_TEXT];
    char href[OVERVIEW_HREF];
};
struct overview {
    const struct ca_query *query;
    struct query_out *out;
    const char *holder; /* operator whose restricted incidents are shown; "": none's */
    struct overview_finding findings[OVERVIEW_FINDINGS];
    size_t finding_count;
};

/* A text for one line: one over most bytes ends at a word, with an ellipsis. */
void overview_text(struct query_out *out, const char *key, lt_slice text, size_t most);
const char *overview_level_name(enum overview_level level);
/* href: below /console/. Those that do not fit are left out. */
void overview_find(struct overview *o, enum overview_level level, const char *href, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* One number of one row; 0 where there is none. */
LT_MUST_USE lt_res overview_number(const struct overview *o, const struct store_sql *sql,
                                   const struct store_value *values, size_t count, int64_t *ret_number);

LT_MUST_USE lt_res overview_family(struct overview *o); /* ca, held, roles */
LT_MUST_USE lt_res overview_tally(struct overview *o);  /* counts, expiry, by_*, rates */
LT_MUST_USE lt_res overview_desk(struct overview *o);   /* next, incidents, problems, halts */
LT_MUST_USE lt_res overview_work(struct overview *o);   /* masses, queues, crls, ocsp */

#endif
