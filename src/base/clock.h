#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H
/* Points in time and what is done with them. Library code takes the time as a parameter; only loops call
 * lt_now(). */
#include <stdint.h>

#include "base/slice.h"

typedef struct {
    int64_t us; /* microseconds since 1970-01-01T00:00:00Z, no leap seconds */
} lt_time;

#define LT_US_PER_MS INT64_C(1000)
#define LT_US_PER_SECOND INT64_C(1000000)
#define LT_SECONDS_PER_DAY INT64_C(86400)

/* Broken-down UTC, proleptic Gregorian. */
struct lt_date {
    int year; /* 0 to 9999 */
    int month;
    int day;
    int hour;
    int minute;
    int second;
};

/* Wall time, checked against CLOCK_BOOTTIME: see lt_clock_check. The only place that reads the clock. In a
 * drill it is as far ahead of it as the page says. */
lt_time lt_now(void);

/* The clock of a drill: one page, written by whoever runs it, mapped read-only by everybody else. It only
 * grows. */
struct lt_clock_page {
    _Atomic int64_t ahead_us;
};
#define LT_CLOCK_PAGE_SIZE 4096
/* From here on lt_now() is ahead by what the page says; the page outlives the process's use of it. NULL: as
 * the machine says. lt_monotonic_ms() and jumps of the machine's own clock stay what they are. */
void lt_clock_use(const struct lt_clock_page *page);
/* How far ahead; 0: no drill, or one that has just begun. */
int64_t lt_clock_ahead_us(void);
/* Fails with LT_STATE_CLOCK when wall time has moved more than 2 s against CLOCK_BOOTTIME since the first
 * call, or lies before `not_before` (the last journal entry; {0} for none): then nothing may be signed. */
LT_MUST_USE lt_res lt_clock_check(lt_time not_before);
/* Milliseconds that only grow, for time-outs. */
int64_t lt_monotonic_ms(void);

static inline lt_time lt_time_from_seconds(int64_t seconds)
{
    return (lt_time){seconds * LT_US_PER_SECOND};
}
static inline int64_t lt_time_seconds(lt_time t)
{
    int64_t s = t.us / LT_US_PER_SECOND;
    return t.us % LT_US_PER_SECOND < 0 ? s - 1 : s;
}
static inline lt_time lt_time_add_seconds(lt_time t, int64_t seconds)
{
    return (lt_time){t.us + seconds * LT_US_PER_SECOND};
}

struct lt_date lt_date_of(lt_time t);
/* Fails on a day or an hour that does not exist (leap second 60 included). */
LT_MUST_USE lt_res lt_time_of(const struct lt_date *d, lt_time *ret_time);
/* "2026-11-21T23:41:00Z", 21 bytes with the NUL; ret_text has room for them. */
#define LT_RFC3339_SIZE 21
void lt_time_rfc3339(lt_time t, char ret_text[LT_RFC3339_SIZE]);
/* RFC 3339 section 5.6 with "Z" or a numeric offset; fractions are read down to the microsecond. */
LT_MUST_USE lt_res lt_time_parse(lt_slice text, lt_time *ret_time);
/* The same, or "2026-11-21" for its first moment in UTC. */
LT_MUST_USE lt_res lt_time_parse_or_day(lt_slice text, lt_time *ret_time);

#endif
