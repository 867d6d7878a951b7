/* The arena keeps its cap, its alignment and its zeroes. */
#include "check.h"

#include "base/arena.h"

static void keeps_the_cap(void **state)
{
    (void)state;
    struct lt_arena a;
    lt_arena_init(&a, 100);
    assert_non_null(lt_arena_alloc(&a, 60));
    assert_null(lt_arena_alloc(&a, 41));
    assert_non_null(lt_arena_alloc(&a, 40));
    assert_null(lt_arena_alloc(&a, 1));
    assert_null(lt_arena_array(&a, SIZE_MAX / 2, 4));
    lt_arena_done(&a);
    assert_non_null(lt_arena_alloc(&a, 100));
    lt_arena_done(&a);
    lt_arena_done(NULL);
}

static void is_aligned_and_zero(void **state)
{
    (void)state;
    struct lt_arena a;
    lt_arena_init(&a, 1 << 20);
    for (size_t round = 0; round < 3; round++) {
        for (size_t size = 1; size < 3000; size += 7) {
            uint8_t *p = lt_arena_alloc(&a, size);
            assert_non_null(p);
            assert_int_equal((uintptr_t)p % 16, 0);
            for (size_t i = 0; i < size; i++) {
                assert_int_equal(p[i], 0);
            }
            memset(p, 0xff, size);
        }
        lt_arena_reset(&a);
        assert_int_equal(a.used, 0);
    }
    lt_arena_done(&a);
}

static void copies_end_in_nul(void **state)
{
    (void)state;
    struct lt_arena a;
    lt_arena_init(&a, 1000);
    lt_slice s = lt_arena_copy(&a, LT_LIT("abc"));
    assert_slice(s, "abc");
    assert_int_equal(s.ptr[3], 0);
    assert_string_equal(lt_arena_printf(&a, "%d-%s", 7, "x"), "7-x");
    assert_string_equal(lt_arena_cstr(&a, LT_SLICE(NULL, 0)), "");
    assert_null(lt_arena_copy(&a, LT_SLICE("x", 2000)).ptr);
    lt_arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_cap),
        cmocka_unit_test(is_aligned_and_zero),
        cmocka_unit_test(copies_end_in_nul),
    };
    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
