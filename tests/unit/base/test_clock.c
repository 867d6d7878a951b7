/* Dates both ways against the C library over 400 years, and RFC 3339 with its refusals. */
#include <stdatomic.h>

#include "check.h"

#include <time.h>

#include "base/clock.h"

static void agrees_with_the_c_library(void **state)
{
    (void)state;
    for (int64_t s = INT64_C(-6000000000); s < INT64_C(8000000000); s += 86399 * 3 + 17) {
        time_t t = (time_t)s;
        struct tm tm;
        assert_non_null(gmtime_r(&t, &tm));
        struct lt_date d = lt_date_of(lt_time_from_seconds(s));
        assert_int_equal(d.year, tm.tm_year + 1900);
        assert_int_equal(d.month, tm.tm_mon + 1);
        assert_int_equal(d.day, tm.tm_mday);
        assert_int_equal(d.hour * 3600 + d.minute * 60 + d.second,
                         tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec);
        lt_time back;
        assert_ok(lt_time_of(&d, &back));
        assert_int_equal(lt_time_seconds(back), s);
    }
}

static void reads_rfc3339(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t us;
    } rows[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-11-21T23:41:00Z", INT64_C(1795304460) * 1000000},
        {"2026-11-21t23:41:00.5z", INT64_C(1795304460) * 1000000 + 500000},
        {"2026-11-22T01:41:00+02:00", INT64_C(1795304460) * 1000000},
        {"2026-11-21T22:11:00.000001-01:30", INT64_C(1795304460) * 1000000 + 1},
        {"1969-12-31T23:59:59Z", -1000000},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        lt_time t;
        assert_ok(lt_time_parse(lt_slice_cstr(rows[i].text), &t));
        assert_int_equal(t.us, rows[i].us);
    }
    char text[LT_RFC3339_SIZE];
    lt_time_rfc3339((lt_time){INT64_C(1795304460) * 1000000 + 999999}, text);
    assert_string_equal(text, "2026-11-21T23:41:00Z");
    lt_time_rfc3339((lt_time){-1}, text);
    assert_string_equal(text, "1969-12-31T23:59:59Z");
}

static void refuses_what_is_no_time(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "2026",
        "2026-11-21",
        "2026-11-21T23:41:00",
        "2026-11-21T23:41Z",
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-06-30T23:59:60Z",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00Zx",
        "2026-01-01T00:00:00+25:00",
        "+026-01-01T00:00:00Z",
        "2026-1-01T00:00:00Z",
        " 2026-01-01T00:00:00Z",
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        lt_time t;
        assert_fails(lt_time_parse(lt_slice_cstr(rows[i]), &t), LT_PEER_MALFORMED);
    }
}

static void reads_days(void **state)
{
    (void)state;
    static const char *const bad[] = {"",           "2026-02-29", "2026-11-2", "2026-11-21Z",
                                      "2026/11/21", "2026-11-2T"};
    lt_time day;
    lt_time t;
    assert_ok(lt_time_parse_or_day(LT_LIT("2026-11-21"), &day));
    assert_ok(lt_time_parse_or_day(LT_LIT("2026-11-21T02:00:00+02:00"), &t));
    assert_int_equal(day.us, t.us);
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        assert_fails(lt_time_parse_or_day(lt_slice_cstr(bad[i]), &t), LT_PEER_MALFORMED);
    }
}

static void leap_days(void **state)
{
    (void)state;
    static const struct {
        int year;
        bool leap;
    } rows[] = {{2000, true}, {1900, false}, {2024, true}, {2026, false}, {2100, false}};
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct lt_date d = {.year = rows[i].year, .month = 2, .day = 29};
        lt_time t;
        assert_int_equal(lt_time_of(&d, &t).code == 0, rows[i].leap);
    }
}

static void clock_in_order_passes(void **state)
{
    (void)state;
    assert_ok(lt_clock_check((lt_time){0}));
    assert_ok(lt_clock_check(lt_now()));
    assert_fails(lt_clock_check(lt_time_add_seconds(lt_now(), 60)), LT_STATE_CLOCK);
}

static void drill_moves_it(void **state)
{
    (void)state;
    struct lt_clock_page page = {0};
    const int64_t day_us = LT_SECONDS_PER_DAY * LT_US_PER_SECOND;
    int64_t before_ms = lt_monotonic_ms();
    lt_time before = lt_now();
    lt_clock_use(&page);
    assert_int_equal(lt_clock_ahead_us(), 0);
    atomic_store(&page.ahead_us, day_us);
    assert_true(lt_now().us - before.us >= day_us);
    assert_true(lt_now().us - before.us < day_us + 60 * LT_US_PER_SECOND);
    assert_true(lt_monotonic_ms() - before_ms < 60000);
    assert_ok(lt_clock_check(lt_now())); /* no jump of the machine's */
    assert_fails(lt_clock_check(lt_time_add_seconds(lt_now(), 60)), LT_STATE_CLOCK);
    lt_clock_use(NULL);
    assert_true(lt_now().us - before.us < 60 * LT_US_PER_SECOND);
    assert_fails(lt_clock_check((lt_time){before.us + day_us}), LT_STATE_CLOCK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_c_library),
        cmocka_unit_test(reads_rfc3339),
        cmocka_unit_test(refuses_what_is_no_time),
        cmocka_unit_test(reads_days),
        cmocka_unit_test(leap_days),
        cmocka_unit_test(clock_in_order_passes),
        cmocka_unit_test(drill_moves_it),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
