/* Sets of revocations as one number: whatever the order, and whatever is another set is another number. */
#include "check.h"

#include <string.h>

#include "ca/crl_digest.h"

struct entry {
    const char *serial;
    size_t len;
    int64_t revoked_s;
    uint32_t reason;
};

static struct ca_crl_digest of(const struct entry *list, size_t count, bool backwards)
{
    struct ca_crl_digest d = {.count = 0};
    for (size_t i = 0; i < count; i++) {
        const struct entry *e = &list[backwards ? count - 1 - i : i];
        ca_crl_digest_add(&d, LT_SLICE(e->serial, e->len), e->revoked_s, e->reason);
    }
    return d;
}

static void order_does_not_count(void **state)
{
    (void)state;
    static const struct entry list[] = {{"\x01", 1, 100, 1},
                                        {"\x02", 1, 100, 1},
                                        {"\x01\x02", 2, 7, 0},
                                        {"01234567890123456789", 20, -5, 10}};
    struct ca_crl_digest a = of(list, 4, false);
    struct ca_crl_digest b = of(list, 4, true);
    assert_true(ca_crl_digest_equal(&a, &b));
    /* In parts, joined. */
    struct ca_crl_digest first = of(list, 1, false);
    struct ca_crl_digest rest = of(list + 1, 3, true);
    struct ca_crl_digest none = {.count = 0};
    ca_crl_digest_join(&rest, &first);
    ca_crl_digest_join(&rest, &none);
    assert_true(ca_crl_digest_equal(&a, &rest));
    assert_int_equal(rest.count, 4);
}

static void other_sets_are_others(void **state)
{
    (void)state;
    static const struct entry one = {"\x01\x02", 2, 100, 1};
    static const struct entry others[] = {
        {"\x01\x03", 2, 100, 1}, {"\x01", 1, 100, 1},     {"\x01\x02\x00", 3, 100, 1},
        {"\x01\x02", 2, 101, 1}, {"\x01\x02", 2, 100, 0}, {"0123456789012345678901", 22, 100, 1},
    };
    struct ca_crl_digest a = of(&one, 1, false);
    for (size_t i = 0; i < LT_COUNT(others); i++) {
        struct ca_crl_digest b = of(&others[i], 1, false);
        assert_false(ca_crl_digest_equal(&a, &b));
        for (size_t k = 0; k < i; k++) {
            struct ca_crl_digest c = of(&others[k], 1, false);
            assert_false(ca_crl_digest_equal(&b, &c));
        }
    }
    struct ca_crl_digest twice = a;
    ca_crl_digest_join(&twice, &a);
    assert_false(ca_crl_digest_equal(&a, &twice));
    struct ca_crl_digest none = {.count = 0};
    assert_false(ca_crl_digest_equal(&a, &none));
    struct ca_crl_digest miscounted = a;
    miscounted.count++;
    assert_false(ca_crl_digest_equal(&a, &miscounted));
}

static void sums_carry(void **state)
{
    (void)state;
    struct ca_crl_digest a = {.count = 1};
    struct ca_crl_digest b = {.count = 1};
    memset(a.sum, 0xff, sizeof a.sum);
    b.sum[CA_CRL_DIGEST_LEN - 1] = 1;
    ca_crl_digest_join(&a, &b); /* modulo 2^256 */
    struct ca_crl_digest zero = {.count = 2};
    assert_true(ca_crl_digest_equal(&a, &zero));
    b.sum[CA_CRL_DIGEST_LEN - 1] = 0x80;
    ca_crl_digest_join(&b, &b);
    assert_int_equal(b.sum[CA_CRL_DIGEST_LEN - 2], 1);
    assert_int_equal(b.sum[CA_CRL_DIGEST_LEN - 1], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_does_not_count),
        cmocka_unit_test(other_sets_are_others),
        cmocka_unit_test(sums_carry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
