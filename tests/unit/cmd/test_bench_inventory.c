/* The book of the bench: how many of what, in which order; and the days of its expressions. */
#include "check.h"

#include "cmd/bench_inventory.h"
#include "x509/dnsname.h"

static const lt_time now = {INT64_C(1795305600000000)}; /* 2026-11-22 */

static void test_shares(void **state)
{
    (void)state;
    static struct inventory_shape s;
    inventory_shape_init(&s, INVENTORY_DEFAULT, now);
    double mean = (double)inventory_names_total(&s) / (double)s.count;
    assert_true(mean > 7.755 && mean < 7.77);
    assert_int_equal(s.replaced, 1706505);
    uint64_t replaced = 0;
    int64_t last = 0;
    for (uint64_t i = 0; i < s.count; i++) {
        struct inventory_one o;
        replaced += inventory_is_replaced(&s, i) ? 1 : 0;
        if (i % 97 == 0) {
            inventory_one(&s, i, &o);
            assert_true(o.issued_us >= last && o.issued_us < now.us && o.not_after_us > now.us);
            assert_true(o.validated_us < o.issued_us && o.names >= 1 && o.names <= INVENTORY_NAMES_MAX);
            last = o.issued_us;
        }
    }
    assert_int_equal(replaced, 1706505);
}

/* Each certificate is of one set, and each set has its certificates; sums of names agree. */
static void test_numbers(void **state)
{
    (void)state;
    static const uint64_t counts[] = {1, 2, 3, 4, 10, 100, 10001, 30000};
    static struct inventory_shape s;
    for (size_t k = 0; k < LT_COUNT(counts); k++) {
        inventory_shape_init(&s, counts[k], now);
        uint64_t found = 0;
        uint64_t names = 0;
        for (uint64_t set = 0; set < s.sets; set++) {
            for (uint64_t time = 0; time < INVENTORY_TIMES; time++) {
                struct inventory_one o;
                uint64_t i = inventory_number(&s, set, time);
                if (i < s.count) {
                    inventory_one(&s, i, &o);
                    assert_int_equal(o.set, set);
                    found++;
                    names += o.names;
                }
            }
        }
        assert_int_equal(found, s.count);
        assert_int_equal(names, inventory_names_total(&s));
    }
}

/* The primary key of certificate_name is filled from its beginning to its end. */
static void test_order_of_names(void **state)
{
    (void)state;
    static struct inventory_shape s;
    char last[INVENTORY_TEXT] = "";
    size_t examples = 0;
    struct lt_buf reversed;
    lt_buf_init(&reversed, 512);
    inventory_shape_init(&s, 40000, now);
    for (uint64_t set = 0; set < s.sets; set++) {
        for (uint64_t k = 0; k < inventory_set_names(set); k++) {
            char name[INVENTORY_TEXT];
            inventory_name(&s, set, k, name);
            assert_ok(x509_dns_check(lt_slice_cstr(name), X509_DNS_WILDCARD));
            examples += strcmp(name, "www.example.com") == 0 || strcmp(name, "example.org") == 0 ? 1 : 0;
            lt_buf_reset(&reversed);
            x509_dns_reverse(lt_slice_cstr(name), &reversed);
            assert_true(strcmp(last, lt_buf_cstr(&reversed)) < 0);
            (void)snprintf(last, sizeof last, "%s", lt_buf_cstr(&reversed));
        }
    }
    assert_true(examples >= 1);
    lt_buf_done(&reversed);
}

static void test_days(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t days;
        const char *moved;
    } rows[] = {
        {"issued in 2019-07-25..2020-02-29 and not expired", 1,
         "issued in 2019-07-26..2020-03-01 and not expired"},
        {"issued in 2020-01", 0, "issued in 2020-01-01..2020-01-31"},
        {"issued in 2019-12 and names = 3", 1, "issued in 2019-12-02..2020-01-01 and names = 3"},
        {"build < \"1.4.2\"", 5, "build < \"1.4.2\""},
        {"rule_set != \"BR-2.1\"", 5, "rule_set != \"BR-2.1\""},
        {"serial = 03a1b2c3d4e5f60718293a4b5c6d7e8f9001", 5, "serial = 03a1b2c3d4e5f60718293a4b5c6d7e8f9001"},
        {"validation_age in 200d..398d", 5, "validation_age in 200d..398d"},
        {"resolver = \"127.0.0.53\"", 5, "resolver = \"127.0.0.53\""},
        {"", 5, ""},
        {"revoked_at > 2020-03-05", 2455, "revoked_at > 2026-11-24"},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct lt_buf out;
        lt_buf_init(&out, 4096);
        assert_ok(inventory_move_days(lt_slice_cstr(rows[i].text), rows[i].days, &out));
        assert_string_equal(lt_buf_cstr(&out), rows[i].moved);
        lt_buf_done(&out);
    }
    static const char *const none[] = {"issued > 2020-13-01", "issued > 2020-02-30", "issued > 2021-02-29",
                                       "issued in 2020-00"};
    for (size_t i = 0; i < LT_COUNT(none); i++) {
        struct lt_buf out;
        lt_buf_init(&out, 4096);
        assert_true(lt_failed(inventory_move_days(lt_slice_cstr(none[i]), 1, &out)));
        lt_buf_done(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shares),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_order_of_names),
        cmocka_unit_test(test_days),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
