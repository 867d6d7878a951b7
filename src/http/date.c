/* HTTP dates, one form only. */
#include "http/date.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

static const char days[][4] = {"Thu", "Fri", "Sat", "Sun",
                               "Mon", "Tue", "Wed"}; /* 1970-01-01 was a Thursday */
static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

static const char *day_name(lt_time t)
{
    int64_t day = lt_time_seconds(t) / LT_SECONDS_PER_DAY;
    return days[(day % 7 + 7) % 7];
}

void http_date(lt_time t, char ret_text[HTTP_DATE_SIZE])
{
    struct lt_date d = lt_date_of(t);
    char text[64]; /* wider than any int could make it */
    (void)snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT", day_name(t), d.day,
                   months[(unsigned)(d.month - 1) % 12], d.year, d.hour, d.minute, d.second);
    memcpy(ret_text, text, HTTP_DATE_SIZE - 1);
    ret_text[HTTP_DATE_SIZE - 1] = 0;
}

static lt_res digits(lt_slice text, size_t at, size_t len, int *ret_value)
{
    int value = 0;
    for (size_t i = at; i < at + len; i++) {
        LT_CHECK(text.ptr[i] >= '0' && text.ptr[i] <= '9', LT_PEER_MALFORMED, "HTTP date: not a digit");
        value = value * 10 + (text.ptr[i] - '0');
    }
    *ret_value = value;
    return LT_OK;
}

lt_res http_date_parse(lt_slice text, lt_time *ret_time)
{
    LT_CHECK(text.len == HTTP_DATE_SIZE - 1, LT_PEER_MALFORMED, "HTTP date: wrong length");
    struct lt_date d = {0};
    LT_TRY(digits(text, 5, 2, &d.day));
    LT_TRY(digits(text, 12, 4, &d.year));
    LT_TRY(digits(text, 17, 2, &d.hour));
    LT_TRY(digits(text, 20, 2, &d.minute));
    LT_TRY(digits(text, 23, 2, &d.second));
    for (int m = 0; m < 12; m++) {
        d.month = memcmp(text.ptr + 8, months[m], 3) == 0 ? m + 1 : d.month;
    }
    LT_CHECK(d.month > 0, LT_PEER_MALFORMED, "HTTP date: no month");
    LT_TRY(lt_time_of(&d, ret_time));
    char again[HTTP_DATE_SIZE];
    http_date(*ret_time, again); /* punctuation and the day's name must be the ones we would write */
    LT_CHECK(lt_slice_eq_cstr(text, again), LT_PEER_MALFORMED, "HTTP date: not in the fixed form");
    return LT_OK;
}
