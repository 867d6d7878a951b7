/* Dated limits and the length of a validity period. */
#include "check.h"

#include "ca/limits.h"

static lt_time at(const char *text)
{
    lt_time t;
    assert_ok(lt_time_parse(lt_slice_cstr(text), &t));
    return t;
}

static void tls_validity_by_day(void **state)
{
    (void)state;
    static const struct {
        const char *when;
        int64_t days;
        int64_t short_days;
        int64_t reuse_days;
    } rows[] = {
        {"2024-01-01T00:00:00Z", 398, 10, 398}, {"2026-03-14T23:59:59Z", 398, 10, 398},
        {"2026-03-15T00:00:00Z", 200, 7, 200},  {"2026-11-22T00:00:00Z", 200, 7, 200},
        {"2027-03-14T23:59:59Z", 200, 7, 200},  {"2027-03-15T00:00:00Z", 100, 7, 100},
        {"2029-03-14T23:59:59Z", 100, 7, 100},  {"2029-03-15T00:00:00Z", 47, 7, 10},
        {"2050-01-01T00:00:00Z", 47, 7, 10},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        lt_time when = at(rows[i].when);
        assert_int_equal(ca_limit_at(CA_LIMIT_TLS_VALIDITY_S, when), rows[i].days * 86400);
        assert_int_equal(ca_limit_at(CA_LIMIT_TLS_SHORT_LIVED_S, when), rows[i].short_days * 86400);
        assert_int_equal(ca_limit_at(CA_LIMIT_DOMAIN_REUSE_S, when), rows[i].reuse_days * 86400);
    }
}

/* Exactly one row in force for each limit, just before, at and after each edge of the table. */
static void one_row_at_any_time(void **state)
{
    (void)state;
    for (size_t i = 0; i < ca_limit_row_count; i++) {
        const char *const edges[] = {ca_limit_rows[i].from, ca_limit_rows[i].until};
        assert_true(ca_limit_rows[i].source[0] != 0 && ca_limit_rows[i].quote[0] != 0);
        for (size_t e = 0; e < LT_COUNT(edges); e++) {
            lt_time edge = edges[e][0] != 0 ? at(edges[e]) : (lt_time){0};
            for (int64_t d = -1; d <= 1; d++) {
                lt_time when = {edge.us + d};
                size_t hits = 0;
                for (size_t j = 0; j < ca_limit_row_count; j++) {
                    const struct ca_limit_row *row = &ca_limit_rows[j];
                    hits += row->limit == ca_limit_rows[i].limit &&
                            (row->from[0] == 0 || at(row->from).us <= when.us) &&
                            (row->until[0] == 0 || when.us < at(row->until).us);
                }
                assert_int_equal(hits, 1);
                assert_int_equal(ca_limit_row_at(ca_limit_rows[i].limit, when)->limit,
                                 ca_limit_rows[i].limit);
            }
        }
    }
    for (unsigned l = 0; l < CA_LIMIT_COUNT; l++) {
        assert_non_null(ca_limit_name((enum ca_limit)l));
        assert_true(ca_limit_at((enum ca_limit)l, at("2026-11-22T00:00:00Z")) > 0);
    }
}

/* In June 2021 a large CA found that all its certificates were valid for a second longer than its policy
 * said: 90 days from notBefore to notAfter is 7,776,001 seconds, as both ends count. */
static void both_ends_count(void **state)
{
    (void)state;
    lt_time begin = at("2021-06-08T00:00:00Z");
    lt_time end = ca_validity_end(begin, 90 * 86400);
    char text[LT_RFC3339_SIZE];
    lt_time_rfc3339(end, text);
    assert_string_equal(text, "2021-09-05T23:59:59Z");
    assert_int_equal(ca_validity_seconds(begin, end), 7776000);
    assert_int_equal(ca_validity_seconds(begin, at("2021-09-06T00:00:00Z")), 7776001);
    assert_int_equal(ca_validity_seconds(begin, begin), 1);
    for (int64_t s = 1; s < 1000000000; s = s * 7 + 1) {
        assert_int_equal(ca_validity_seconds(begin, ca_validity_end(begin, s)), s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tls_validity_by_day),
        cmocka_unit_test(one_row_at_any_time),
        cmocka_unit_test(both_ends_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
