#ifndef TESTS_UNIT_CHECK_H
#define TESTS_UNIT_CHECK_H
/* cmocka with its prerequisites, and checks for our result type. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/result.h"
#include "base/slice.h"

/* The expression succeeds; its error record is printed where it does not. */
#define assert_ok(expr_)                                                                     \
    do {                                                                                     \
        lt_res check_res_ = (expr_);                                                         \
        if (check_res_.code != 0) {                                                          \
            print_error("%s: %s\n", lt_code_name(check_res_.code), lt_error_last()->detail); \
        }                                                                                    \
        assert_int_equal(check_res_.code, 0);                                                \
    } while (0)
/* The expression fails with exactly this code. */
#define assert_fails(expr_, code_)                                                                        \
    do {                                                                                                  \
        lt_res check_res_ = (expr_);                                                                      \
        if (check_res_.code != (code_)) {                                                                 \
            print_error("expected %s, got %s (%s)\n", lt_code_name(code_), lt_code_name(check_res_.code), \
                        check_res_.code == 0 ? "" : lt_error_last()->detail);                             \
        }                                                                                                 \
        assert_int_equal(check_res_.code, (code_));                                                       \
    } while (0)
#define assert_slice(slice_, cstr_)                                                    \
    do {                                                                               \
        lt_slice check_slice_ = (slice_);                                              \
        if (!lt_slice_eq_cstr(check_slice_, (cstr_))) {                                \
            print_error("expected '%s', got '%.*s'\n", (cstr_), LT_FMT(check_slice_)); \
        }                                                                              \
        assert_true(lt_slice_eq_cstr(check_slice_, (cstr_)));                          \
    } while (0)

#endif
