/* Points in time. The civil-date arithmetic follows the era method: 400 years are always 146,097 days. */
#include "base/clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

enum { DAYS_PER_ERA = 146097, DAYS_TO_1970 = 719468, JUMP_LIMIT_US = 2000000 };

static int64_t read_clock_us(clockid_t id)
{
    struct timespec ts;
    int rc = clock_gettime(id, &ts);
    LT_ASSERT(rc == 0);
    return (int64_t)ts.tv_sec * LT_US_PER_SECOND + ts.tv_nsec / 1000;
}

static const struct lt_clock_page *simulated; /* NULL but in a drill */

void lt_clock_use(const struct lt_clock_page *page)
{
    simulated = page;
}

int64_t lt_clock_ahead_us(void)
{
    return simulated == NULL ? 0 : atomic_load_explicit(&simulated->ahead_us, memory_order_relaxed);
}

lt_time lt_now(void)
{
    return (lt_time){read_clock_us(CLOCK_REALTIME) + lt_clock_ahead_us()};
}

int64_t lt_monotonic_ms(void)
{
    return read_clock_us(CLOCK_BOOTTIME) / LT_US_PER_MS;
}

lt_res lt_clock_check(lt_time not_before)
{
    static int64_t first_offset_us; /* wall minus boot time when this process first looked */
    static bool known;
    int64_t ahead_us = lt_clock_ahead_us();
    int64_t wall_us = read_clock_us(CLOCK_REALTIME);
    int64_t offset_us = wall_us - read_clock_us(CLOCK_BOOTTIME);
    if (!known) {
        first_offset_us = offset_us;
        known = true;
    }
    int64_t moved_us = offset_us - first_offset_us;
    LT_CHECK(moved_us < JUMP_LIMIT_US && moved_us > -JUMP_LIMIT_US, LT_STATE_CLOCK,
             "wall time jumped by %lld ms: mend the clock, then restart",
             (long long)(moved_us / LT_US_PER_MS));
    LT_CHECK(wall_us + ahead_us >= not_before.us, LT_STATE_CLOCK,
             "wall time is %lld s before the last journal entry: mend the clock",
             (long long)((not_before.us - wall_us - ahead_us) / LT_US_PER_SECOND));
    return LT_OK;
}

struct lt_date lt_date_of(lt_time t)
{
    int64_t seconds = lt_time_seconds(t);
    int64_t days = seconds / LT_SECONDS_PER_DAY;
    int64_t rest = seconds % LT_SECONDS_PER_DAY;
    if (rest < 0) {
        rest += LT_SECONDS_PER_DAY;
        days -= 1;
    }
    int64_t z = days + DAYS_TO_1970;
    int64_t era = (z >= 0 ? z : z - (DAYS_PER_ERA - 1)) / DAYS_PER_ERA;
    int64_t doe = z - era * DAYS_PER_ERA;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153; /* months counted from March */
    int month = (int)(mp < 10 ? mp + 3 : mp - 9);
    return (struct lt_date){
        .year = (int)(yoe + era * 400 + (month <= 2)),
        .month = month,
        .day = (int)(doy - (153 * mp + 2) / 5 + 1),
        .hour = (int)(rest / 3600),
        .minute = (int)(rest / 60 % 60),
        .second = (int)(rest % 60),
    };
}

static bool leap_year(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && leap_year(year) ? 29 : days[month - 1];
}

lt_res lt_time_of(const struct lt_date *d, lt_time *ret_time)
{
    bool good = d->year >= 0 && d->year <= 9999 && d->month >= 1 && d->month <= 12 && d->day >= 1 &&
                d->day <= days_in_month(d->year, d->month) && d->hour >= 0 && d->hour <= 23 &&
                d->minute >= 0 && d->minute <= 59 && d->second >= 0 && d->second <= 59;
    LT_CHECK(good, LT_PEER_MALFORMED, "no such time: %04d-%02d-%02d %02d:%02d:%02d", d->year, d->month,
             d->day, d->hour, d->minute, d->second);
    int64_t y = d->year - (d->month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (d->month > 2 ? d->month - 3 : d->month + 9) + 2) / 5 + d->day - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    int64_t days = era * DAYS_PER_ERA + doe - DAYS_TO_1970;
    int64_t seconds = days * LT_SECONDS_PER_DAY + d->hour * 3600 + d->minute * 60 + d->second;
    *ret_time = lt_time_from_seconds(seconds);
    return LT_OK;
}

void lt_time_rfc3339(lt_time t, char ret_text[LT_RFC3339_SIZE])
{
    struct lt_date d = lt_date_of(t);
    char text[80];
    (void)snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02dZ", d.year, d.month, d.day, d.hour,
                   d.minute, d.second);
    (void)snprintf(ret_text, LT_RFC3339_SIZE, "%.20s", text);
}

/* A sticky reader of fixed-width digits. */
struct digits {
    lt_slice s;
    size_t at;
    bool bad;
};

static int take_number(struct digits *d, size_t width)
{
    int value = 0;
    for (size_t i = 0; i < width; i++, d->at++) {
        if (d->at >= d->s.len || d->s.ptr[d->at] < '0' || d->s.ptr[d->at] > '9') {
            d->bad = true;
            return 0;
        }
        value = value * 10 + (d->s.ptr[d->at] - '0');
    }
    return value;
}

static void take_byte(struct digits *d, const char *one_of)
{
    for (const char *c = one_of; d->at < d->s.len && *c != 0; c++) {
        if (d->s.ptr[d->at] == (uint8_t)*c) {
            d->at++;
            return;
        }
    }
    d->bad = true;
}

static int64_t take_fraction_us(struct digits *d)
{
    if (d->at >= d->s.len || d->s.ptr[d->at] != '.') {
        return 0;
    }
    d->at++;
    int64_t us = 0;
    int64_t unit = LT_US_PER_SECOND;
    size_t start = d->at;
    while (d->at < d->s.len && d->s.ptr[d->at] >= '0' && d->s.ptr[d->at] <= '9') {
        unit /= 10;
        us += unit * (d->s.ptr[d->at] - '0');
        d->at++;
    }
    d->bad |= d->at == start;
    return us;
}

static int64_t take_offset_seconds(struct digits *d)
{
    if (d->at < d->s.len && (d->s.ptr[d->at] == 'Z' || d->s.ptr[d->at] == 'z')) {
        d->at++;
        return 0;
    }
    int sign = d->at < d->s.len && d->s.ptr[d->at] == '-' ? -1 : 1;
    take_byte(d, "+-");
    int hours = take_number(d, 2);
    take_byte(d, ":");
    int minutes = take_number(d, 2);
    d->bad |= hours > 23 || minutes > 59;
    return sign * (hours * 3600 + minutes * 60);
}

lt_res lt_time_parse(lt_slice text, lt_time *ret_time)
{
    struct digits d = {.s = text};
    struct lt_date date = {0};
    date.year = take_number(&d, 4);
    take_byte(&d, "-");
    date.month = take_number(&d, 2);
    take_byte(&d, "-");
    date.day = take_number(&d, 2);
    take_byte(&d, "Tt ");
    date.hour = take_number(&d, 2);
    take_byte(&d, ":");
    date.minute = take_number(&d, 2);
    take_byte(&d, ":");
    date.second = take_number(&d, 2);
    int64_t fraction_us = take_fraction_us(&d);
    int64_t offset_s = take_offset_seconds(&d);
    LT_CHECK(!d.bad && d.at == text.len, LT_PEER_MALFORMED,
             "'%.*s' is not a time such as 2026-11-21T23:41:00Z", LT_FMT(lt_slice_sub(text, 0, 40)));
    lt_time t;
    LT_TRY(lt_time_of(&date, &t));
    *ret_time = (lt_time){t.us + fraction_us - offset_s * LT_US_PER_SECOND};
    return LT_OK;
}

lt_res lt_time_parse_or_day(lt_slice text, lt_time *ret_time)
{
    enum { DAY_LEN = 10 };
    char full[LT_RFC3339_SIZE];
    if (text.len != DAY_LEN) {
        return lt_time_parse(text, ret_time);
    }
    (void)snprintf(full, sizeof full, "%.*sT00:00:00Z", LT_FMT(text)); /* measured */
    return lt_time_parse(lt_slice_cstr(full), ret_time);
}
