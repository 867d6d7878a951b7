/* URLs, addresses, DNS messages: the parts that take bytes and do no I/O. */
#include "check.h"
#include "validate/dns_answer.h"
#include "validate/url.h"

static const struct validate_url base = {.port = 5002, .host = "a.example.com", .path = "/one/two?three"};

static void test_urls(void **state)
{
    static const struct {
        const char *reference;
        const char *want; /* NULL: refused */
    } rows[] = {
        {"http://b.example.com", "http://b.example.com/"},
        {"HTTP://B.Example.COM/X", "http://b.example.com/X"},
        {"https://b.example.com:8443/x?y=z", "https://b.example.com:8443/x?y=z"},
        {"http://b.example.com?q", "http://b.example.com/?q"},
        {"http://b.example.com./x", "http://b.example.com/x"},
        {"http://b.example.com:80/x#frag", "http://b.example.com/x"},
        {"//b.example.com/x", "http://b.example.com/x"},
        {"/x", "http://a.example.com:5002/x"},
        {"x", "http://a.example.com:5002/one/x"},
        {"?x", "http://a.example.com:5002/one/two?x"},
        {"", "http://a.example.com:5002/one/two"},
        {"#f", "http://a.example.com:5002/one/two"},
        {"../x", "http://a.example.com:5002/x"},
        {"../../../x", "http://a.example.com:5002/x"},
        {"./x/./y/..", "http://a.example.com:5002/one/x/"},
        {"/a//b", "http://a.example.com:5002/a//b"},
        {"x?a:b", "http://a.example.com:5002/one/x?a:b"},
        {"http://192.0.2.1/x", "http://192.0.2.1/x"},
        {"http://[2001:DB8::1]:8080/x", "http://[2001:db8::1]:8080/x"},

        {"ftp://b.example.com/", NULL},
        {"javascript:alert(1)", NULL},
        {"file:///etc/passwd", NULL},
        {"http://", NULL},
        {"http:///x", NULL},
        {"http://user@b.example.com/", NULL},
        {"http://user:password@b.example.com/", NULL},
        {"http://b.example.com:0/", NULL},
        {"http://b.example.com:65536/", NULL},
        {"http://b.example.com:8a/", NULL},
        {"http://b.example.com:+80/", NULL},
        {"http://b_c.example.com/", NULL},
        {"http://-b.example.com/", NULL},
        {"http://b..example.com/", NULL},
        {"http://.example.com/", NULL},
        {"http://[::1/", NULL},
        {"http://[::1]x/", NULL},
        {"http://[192.0.2.1]/", NULL},
        {"http://b.example.com/a b", NULL},
        {"http://b.example.com/a\r\nX: y", NULL},
        {"http://b.example.com/\xc3\xbc", NULL},
        {"http://b\xc3\xbc.example.com/", NULL},
        {"http://%62.example.com/", NULL},
    };
    (void)state;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct validate_url u;
        char text[4096] = "";
        lt_res r = validate_url_resolve(&base, lt_slice_cstr(rows[i].reference), &u);
        if (!lt_failed(r)) {
            validate_url_print(&u, text, sizeof text);
        }
        if (lt_failed(r) != (rows[i].want == NULL) ||
            (rows[i].want != NULL && strcmp(text, rows[i].want) != 0)) {
            print_error("%s → %s\n", rows[i].reference, text);
        }
        assert_int_equal(lt_failed(r), rows[i].want == NULL);
        assert_true(rows[i].want == NULL || strcmp(text, rows[i].want) == 0);
    }
}

static void test_long_urls(void **state)
{
    char text[3 * VALIDATE_PATH_MAX];
    struct validate_url u;
    (void)state;
    memset(text, 'x', sizeof text);
    text[0] = '/';
    assert_ok(validate_url_resolve(&base, LT_SLICE(text, VALIDATE_PATH_MAX - 2), &u));
    assert_fails(validate_url_resolve(&base, LT_SLICE(text, VALIDATE_PATH_MAX), &u), LT_PEER_MALFORMED);
    memcpy(text, "http://", 7);
    assert_ok(validate_url_resolve(&base, LT_SLICE(text, 7 + VALIDATE_HOST_MAX - 1), &u));
    assert_fails(validate_url_resolve(&base, LT_SLICE(text, 7 + VALIDATE_HOST_MAX), &u), LT_PEER_MALFORMED);
}

static void test_addresses(void **state)
{
    static const struct {
        const char *text;
        bool special;
    } rows[] = {
        {"1.1.1.1", false},
        {"192.0.1.1", false},
        {"172.15.255.255", false},
        {"172.32.0.1", false},
        {"100.63.255.255", false},
        {"100.128.0.1", false},
        {"223.255.255.255", false},
        {"2606:4700::1111", false},
        {"2a00:1450::1", false},
        {"2002:0101:0101::1", false},
        {"64:ff9b::101:101", false},

        {"0.0.0.0", true},
        {"10.0.0.1", true},
        {"100.64.0.1", true},
        {"127.0.0.1", true},
        {"127.255.255.255", true},
        {"169.254.169.254", true},
        {"172.16.0.1", true},
        {"172.31.255.255", true},
        {"192.0.0.8", true},
        {"192.0.2.1", true},
        {"192.168.0.1", true},
        {"198.18.0.1", true},
        {"198.19.255.255", true},
        {"198.51.100.1", true},
        {"203.0.113.1", true},
        {"224.0.0.1", true},
        {"239.255.255.255", true},
        {"240.0.0.1", true},
        {"255.255.255.255", true},
        {"::", true},
        {"::1", true},
        {"::ffff:1.1.1.1", true},
        {"fe80::1", true},
        {"fc00::1", true},
        {"fd12::1", true},
        {"ff02::1", true},
        {"2001:db8::1", true},
        {"2001::1", true},
        {"2002:7f00:1::1", true},
        {"2002:a00:1::1", true},
        {"64:ff9b::7f00:1", true},
        {"64:ff9b::a00:1", true},
        {"100::1", true},
        {"3fff::1", true},
    };
    static const char *const bad[] = {"",       "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.256",
                                      "::1%lo", "[::1]", "x",         "1.2.3.4 "};
    (void)state;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct validate_address a;
        char text[VALIDATE_ADDRESS_TEXT];
        assert_ok(validate_address_parse(lt_slice_cstr(rows[i].text), &a));
        if ((validate_address_special(&a) != NULL) != rows[i].special) {
            print_error("%s\n", rows[i].text);
        }
        assert_int_equal(validate_address_special(&a) != NULL, rows[i].special);
        validate_address_print(&a, text);
        struct validate_address again;
        assert_ok(validate_address_parse(lt_slice_cstr(text), &again));
        assert_memory_equal(&a, &again, sizeof a);
    }
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        struct validate_address a;
        assert_fails(validate_address_parse(lt_slice_cstr(bad[i]), &a), LT_PEER_MALFORMED);
    }
}

#define HEAD(questions_, answers_) 0x12, 0x34, 0x84, 0, 0, questions_, 0, answers_, 0, 0, 0, 0
#define QUESTION 1, 'a', 2, 'd', 'e', 0, 0, 1, 0, 1
#define A_RECORD 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1

static void test_dns(void **state)
{
    static const uint8_t one[] = {HEAD(1, 1), QUESTION, A_RECORD};
    static const uint8_t none[] = {HEAD(1, 0), QUESTION};
    static const uint8_t two[] = {HEAD(1, 2), QUESTION, A_RECORD, A_RECORD};
    static const uint8_t alias[] = {HEAD(1, 2), QUESTION, 0xc0, 12, 0, 5,    0,  1,       0,
                                    0,          0,        60,   0,  2, 0xc0, 12, A_RECORD};
    static const uint8_t short_data[] = {HEAD(1, 1), QUESTION, 0xc0, 12, 0, 1, 0, 1, 0,
                                         0,          0,        60,   0,  3, 1, 2, 3};
    static const uint8_t bad_label[] = {HEAD(1, 0), 0x80, 'a', 0, 0, 1, 0, 1};
    static const uint8_t chaos[] = {HEAD(1, 1), QUESTION, 0xc0, 12, 0, 1, 0, 3, 0,
                                    0,          0,        60,   0,  4, 1, 2, 3, 4};
    struct validate_address list[VALIDATE_ADDRESSES_MAX];
    size_t count = 0;
    (void)state;
    assert_ok(validate_dns_addresses(LT_SLICE(one, sizeof one), VALIDATE_DNS_A, list, &count));
    assert_int_equal(count, 1);
    assert_memory_equal(list[0].bytes, "\xc0\0\2\1", 4);
    assert_ok(validate_dns_addresses(LT_SLICE(none, sizeof none), VALIDATE_DNS_A, list, &count));
    assert_ok(validate_dns_addresses(LT_SLICE(one, sizeof one), VALIDATE_DNS_AAAA, list, &count));
    assert_ok(validate_dns_addresses(LT_SLICE(chaos, sizeof chaos), VALIDATE_DNS_A, list, &count));
    assert_int_equal(count, 1);
    assert_ok(validate_dns_addresses(LT_SLICE(two, sizeof two), VALIDATE_DNS_A, list, &count));
    assert_ok(validate_dns_addresses(LT_SLICE(alias, sizeof alias), VALIDATE_DNS_A, list, &count));
    assert_int_equal(count, 4);
    for (int i = 0; i < 20; i++) {
        assert_ok(validate_dns_addresses(LT_SLICE(two, sizeof two), VALIDATE_DNS_A, list, &count));
    }
    assert_int_equal(count, VALIDATE_ADDRESSES_MAX);
    for (size_t len = 0; len < sizeof two; len++) { /* cut anywhere */
        count = 0;
        assert_fails(validate_dns_addresses(LT_SLICE(two, len), VALIDATE_DNS_A, list, &count),
                     LT_PEER_MALFORMED);
    }
    count = 0;
    assert_fails(
        validate_dns_addresses(LT_SLICE(short_data, sizeof short_data), VALIDATE_DNS_A, list, &count),
        LT_PEER_MALFORMED);
    assert_fails(validate_dns_addresses(LT_SLICE(bad_label, sizeof bad_label), VALIDATE_DNS_A, list, &count),
                 LT_PEER_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_long_urls),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_dns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
