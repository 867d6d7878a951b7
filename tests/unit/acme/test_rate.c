/* The GCRA: a burst, then a steady rate; and who an address is. */
#include "acme/rate.h"
#include "base/random.h"
#include "check.h"

static lt_time at_ms(int64_t ms)
{
    return (lt_time){1795305600 * LT_US_PER_SECOND + ms * LT_US_PER_MS};
}

static void test_burst_and_rate(void **state)
{
    struct acme_rates *r = acme_rates_new(lt_random);
    const lt_slice a = LT_LIT("a");
    (void)state;
    acme_rates_set(r, ACME_LIMIT_ORDERS, (struct acme_rate){10, 100});
    for (int i = 0; i < 10; i++) {
        assert_int_equal(acme_rate_ask(r, ACME_LIMIT_ORDERS, a, at_ms(0), true), 0);
    }
    int64_t wait = acme_rate_ask(r, ACME_LIMIT_ORDERS, a, at_ms(0), true);
    assert_in_range(wait, 10, 11);
    assert_in_range(acme_rate_ask(r, ACME_LIMIT_ORDERS, a, at_ms(9999), true), 1, 1);
    assert_int_equal(acme_rate_ask(r, ACME_LIMIT_ORDERS, a, at_ms(10001), true), 0);
    assert_true(acme_rate_ask(r, ACME_LIMIT_ORDERS, a, at_ms(10002), true) > 0);
    /* after the whole period, the whole burst again */
    for (int i = 0; i < 10; i++) {
        assert_int_equal(acme_rate_ask(r, ACME_LIMIT_ORDERS, a, at_ms(200000), true), 0);
    }
    assert_true(acme_rate_ask(r, ACME_LIMIT_ORDERS, a, at_ms(200000), true) > 0);
    acme_rates_free(r);
}

static void test_apart(void **state)
{
    struct acme_rates *r = acme_rates_new(lt_random);
    (void)state;
    acme_rates_set(r, ACME_LIMIT_ORDERS, (struct acme_rate){1, 60});
    acme_rates_set(r, ACME_LIMIT_FAILURES, (struct acme_rate){1, 60});
    assert_int_equal(acme_rate_ask(r, ACME_LIMIT_ORDERS, LT_LIT("a"), at_ms(0), true), 0);
    assert_true(acme_rate_ask(r, ACME_LIMIT_ORDERS, LT_LIT("a"), at_ms(0), false) > 0);
    assert_int_equal(acme_rate_ask(r, ACME_LIMIT_ORDERS, LT_LIT("b"), at_ms(0), true), 0);
    assert_int_equal(acme_rate_ask(r, ACME_LIMIT_FAILURES, LT_LIT("a"), at_ms(0), false), 0);
    assert_int_equal(acme_rate_ask(r, ACME_LIMIT_FAILURES, LT_LIT("a"), at_ms(0), true),
                     0); /* asking was free */
    assert_true(acme_rate_ask(r, ACME_LIMIT_FAILURES, LT_LIT("a"), at_ms(0), true) > 0);
    /* no limit at all */
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(acme_rate_ask(r, ACME_LIMIT_ACCOUNTS, LT_LIT("a"), at_ms(0), true), 0);
    }
    acme_rates_free(r);
}

/* A crowd of other keys pushes out the idle, not those who are at their limit. */
static void test_crowd(void **state)
{
    struct acme_rates *r = acme_rates_new(lt_random);
    (void)state;
    acme_rates_set(r, ACME_LIMIT_ORDERS, (struct acme_rate){100, 1000});
    for (int i = 0; i < 100; i++) {
        assert_int_equal(acme_rate_ask(r, ACME_LIMIT_ORDERS, LT_LIT("busy"), at_ms(0), true), 0);
    }
    for (uint32_t i = 0; i < 100000; i++) {
        assert_int_equal(acme_rate_ask(r, ACME_LIMIT_ORDERS, LT_SLICE(&i, sizeof i), at_ms(0), true), 0);
    }
    assert_true(acme_rate_ask(r, ACME_LIMIT_ORDERS, LT_LIT("busy"), at_ms(0), true) > 0);
    acme_rates_free(r);
}

static void test_address(void **state)
{
    uint8_t a[16];
    uint8_t b[16];
    (void)state;
    assert_int_equal(acme_rate_address("192.0.2.1", a), 4);
    assert_int_equal(acme_rate_address("192.0.2.2", b), 4);
    assert_memory_not_equal(a, b, 4);
    assert_int_equal(acme_rate_address("2001:db8:0:1::1", a), 8);
    assert_int_equal(acme_rate_address("2001:db8:0:1:ffff::2", b), 8);
    assert_memory_equal(a, b, 8);
    assert_int_equal(acme_rate_address("2001:db8:0:2::1", b), 8);
    assert_memory_not_equal(a, b, 8);
    assert_int_equal(acme_rate_address("unix", a), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_burst_and_rate),
        cmocka_unit_test(test_apart),
        cmocka_unit_test(test_crowd),
        cmocka_unit_test(test_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
