/* Comparing, cutting and splitting borrowed bytes. */
#include "check.h"

static void compares(void **state)
{
    (void)state;
    assert_true(lt_slice_eq(LT_LIT(""), LT_SLICE(NULL, 0)));
    assert_false(lt_slice_eq(LT_LIT("a"), LT_LIT("ab")));
    assert_true(lt_slice_eq_nocase(LT_LIT("Content-Type"), LT_LIT("content-TYPE")));
    assert_false(lt_slice_eq_nocase(LT_LIT("a["), LT_LIT("a{")));
    assert_true(lt_slice_cmp(LT_LIT("a"), LT_LIT("ab")) < 0);
    assert_true(lt_slice_cmp(LT_LIT("b"), LT_LIT("ab")) > 0);
    assert_int_equal(lt_slice_cmp(LT_LIT("\xff"), LT_LIT("\xff")), 0);
    assert_true(lt_slice_starts(LT_LIT("/acme/x"), LT_LIT("/acme/")));
    assert_false(lt_slice_starts(LT_LIT("/a"), LT_LIT("/acme/")));
    assert_true(lt_slice_ends(LT_LIT("a.example.com"), LT_LIT(".com")));
    assert_false(lt_slice_ends(LT_LIT("com"), LT_LIT(".com")));
}

static void cuts_inside_only(void **state)
{
    (void)state;
    lt_slice s = LT_LIT("abcdef");
    assert_slice(lt_slice_sub(s, 2, 2), "cd");
    assert_slice(lt_slice_sub(s, 4, SIZE_MAX), "ef");
    assert_int_equal(lt_slice_sub(s, 6, 1).len, 0);
    assert_int_equal(lt_slice_sub(s, SIZE_MAX, SIZE_MAX).len, 0);
    assert_int_equal(lt_slice_find(s, 'e'), 4);
    assert_int_equal(lt_slice_find(s, 'x'), 6);
}

static void splits(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *parts[4];
        size_t count;
    } rows[] = {
        {"a,b,c", {"a", "b", "c"}, 3}, {"a", {"a"}, 1}, {"", {""}, 1}, {",", {"", ""}, 2},
        {"a,", {"a", ""}, 2},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        lt_slice rest = lt_slice_cstr(rows[i].text);
        lt_slice head;
        size_t n = 0;
        while (lt_slice_split(&rest, ',', &head)) {
            assert_true(n < rows[i].count);
            assert_slice(head, rows[i].parts[n]);
            n++;
        }
        assert_int_equal(n, rows[i].count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares),
        cmocka_unit_test(cuts_inside_only),
        cmocka_unit_test(splits),
    };
    return cmocka_run_group_tests_name("slice", tests, NULL, NULL);
}
