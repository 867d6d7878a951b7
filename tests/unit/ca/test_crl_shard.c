/* Parts of a CRL: which one, and its one spelling. */
#include "check.h"

#include "ca/crl_shard.h"

static const char base[] = "http://ca.example.com";

static void addresses_read_back(void **state)
{
    (void)state;
    struct lt_arena a;
    lt_arena_init(&a, 65536);
    static const uint32_t shards[] = {0, 1, 9, 10, 128, 1023, 1024};
    for (size_t i = 0; i < LT_COUNT(shards); i++) {
        uint32_t got = 99;
        const char *url = ca_crl_url(&a, base, "tls", shards[i]);
        assert_non_null(url);
        assert_true(ca_crl_url_shard(lt_slice_cstr(url), base, "tls", &got));
        assert_int_equal(got, shards[i]);
        assert_false(ca_crl_url_shard(lt_slice_cstr(url), base, "tl", &got));
        assert_false(ca_crl_url_shard(lt_slice_cstr(url), base, "tls2", &got));
        assert_false(ca_crl_url_shard(lt_slice_cstr(url), "http://ca.example.co", "tls", &got));
        assert_false(ca_crl_url_shard(lt_slice_cstr(url), "", "tls", &got));
    }
    assert_string_equal(ca_crl_url(&a, base, "tls", 0), "http://ca.example.com/crl/tls.crl");
    assert_string_equal(ca_crl_url(&a, base, "tls", 7), "http://ca.example.com/crl/tls/7.crl");
    lt_arena_done(&a);
    lt_arena_init(&a, 8);
    assert_null(ca_crl_url(&a, base, "tls", 7));
    lt_arena_done(&a);
}

static void other_spellings_are_none(void **state)
{
    (void)state;
    static const char *const urls[] = {
        "",
        "http://ca.example.com",
        "http://ca.example.com/crl/",
        "http://ca.example.com/crl/tls",
        "http://ca.example.com/crl/tls.crl/",
        "http://ca.example.com/crl/tls.crl?",
        "http://ca.example.com/crl/tls..crl",
        "http://ca.example.com/crl/tls/.crl",
        "http://ca.example.com/crl/tls/0.crl",
        "http://ca.example.com/crl/tls/01.crl",
        "http://ca.example.com/crl/tls/+1.crl",
        "http://ca.example.com/crl/tls/-1.crl",
        "http://ca.example.com/crl/tls/1x.crl",
        "http://ca.example.com/crl/tls/1025.crl",
        "http://ca.example.com/crl/tls/4294967297.crl",
        "http://ca.example.com/crl/tls/99999999999999999999.crl",
        "http://ca.example.com/crl/tls//1.crl",
        "http://ca.example.com/crl/tls/1/1.crl",
        "http://ca.example.com/crl/tls/1.crl.crl",
        "http://ca.example.com/crl/tls-1.crl",
        "http://ca.example.com/crl/TLS/1.crl",
        "http://CA.example.com/crl/tls/1.crl",
        "https://ca.example.com/crl/tls/1.crl",
        "http://ca.example.com:80/crl/tls/1.crl",
        "http://ca.example.com/crl/tls/%31.crl",
    };
    for (size_t i = 0; i < LT_COUNT(urls); i++) {
        uint32_t got = 99;
        if (ca_crl_url_shard(lt_slice_cstr(urls[i]), base, "tls", &got)) {
            fail_msg("%s is no address of ours", urls[i]);
        }
        assert_int_equal(got, 0);
    }
}

static void serials_are_spread(void **state)
{
    (void)state;
    enum { COUNT = 16, ALL = 16000 };
    uint32_t on[COUNT + 1] = {0};
    uint8_t serial[16] = {0x0d, 1, 2, 3};
    for (uint32_t i = 0; i < ALL; i++) {
        uint32_t end = i * 2654435761U;
        memcpy(serial + 12, &end, sizeof end);
        uint32_t shard = ca_crl_shard_of(LT_SLICE(serial, sizeof serial), COUNT);
        assert_in_range(shard, 1, COUNT);
        assert_int_equal(shard, ca_crl_shard_of(LT_SLICE(serial, sizeof serial), COUNT));
        assert_int_equal(ca_crl_shard_of(LT_SLICE(serial, sizeof serial), 0), 0);
        assert_int_equal(ca_crl_shard_of(LT_SLICE(serial, sizeof serial), 1), 1);
        on[shard]++;
    }
    for (uint32_t i = 1; i <= COUNT; i++) {
        assert_in_range(on[i], ALL / COUNT * 8 / 10, ALL / COUNT * 12 / 10);
    }
    assert_in_range(ca_crl_shard_of(LT_SLICE("\1", 1), COUNT), 1, COUNT); /* imports have short ones */
    assert_in_range(ca_crl_shard_of(LT_SLICE(NULL, 0), COUNT), 1, COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_read_back),
        cmocka_unit_test(other_spellings_are_none),
        cmocka_unit_test(serials_are_spread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
