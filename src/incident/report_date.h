#ifndef INCIDENT_REPORT_DATE_H
#define INCIDENT_REPORT_DATE_H
/* Points in time as people write them in reports: "2026-03-01 02:10 UTC", RFC 3339, "July 29, 2024 22:36
 * UTC", "29 July 2024". Pure. */
#include "base/clock.h"

struct report_date {
    lt_time time;
    bool has_time; /* else its first moment */
    bool has_zone; /* "UTC", "Z" or an offset */
    bool wrong;    /* a day or an hour that does not exist */
};

/* A date at the beginning of the text; ret_used: how many bytes it takes. false: none. */
bool report_date_read(lt_slice text, struct report_date *ret_date, size_t *ret_used);
/* The first date anywhere in it. */
bool report_date_find(lt_slice text, struct report_date *ret_date);
/* "23:41", "23:41:05", each perhaps with a zone, of a day that was said before. */
bool report_date_read_hour(lt_slice text, lt_time day, struct report_date *ret_date, size_t *ret_used);

#endif
