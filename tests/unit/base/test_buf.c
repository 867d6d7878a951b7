/* The buffer grows to its maximum, remembers an overflow, and never writes half of anything. */
#include "check.h"

#include "base/buf.h"

static void grows_and_stops(void **state)
{
    (void)state;
    struct lt_buf b;
    lt_buf_init(&b, 1000);
    for (int i = 0; i < 100; i++) {
        lt_buf_addf(&b, "%010d", i);
    }
    assert_ok(lt_buf_check(&b));
    assert_int_equal(b.len, 1000);
    lt_buf_add_byte(&b, 'x');
    assert_int_equal(b.len, 1000);
    assert_fails(lt_buf_check(&b), LT_PEER_TOO_LARGE);
    lt_buf_reset(&b);
    lt_buf_add_cstr(&b, "again");
    assert_ok(lt_buf_check(&b));
    assert_slice(lt_buf_slice(&b), "again");
    lt_buf_done(&b);
}

static void overflow_is_sticky(void **state)
{
    (void)state;
    struct lt_buf b;
    lt_buf_init(&b, 4);
    lt_buf_add(&b, LT_LIT("12345"));
    assert_int_equal(b.len, 0);
    lt_buf_add(&b, LT_LIT("1"));
    assert_int_equal(b.len, 0);
    assert_null(lt_buf_extend(&b, 1));
    assert_string_equal(lt_buf_cstr(&b), "");
    lt_buf_done(&b);
}

static void consumes_from_the_front(void **state)
{
    (void)state;
    struct lt_buf b;
    lt_buf_init(&b, 100);
    lt_buf_add_cstr(&b, "head and tail");
    lt_buf_consume(&b, 9);
    assert_string_equal(lt_buf_cstr(&b), "tail");
    lt_buf_consume(&b, 4);
    assert_int_equal(lt_buf_slice(&b).len, 0);
    lt_buf_done(&b);
    lt_buf_done(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_and_stops),
        cmocka_unit_test(overflow_is_sticky),
        cmocka_unit_test(consumes_from_the_front),
    };
    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
