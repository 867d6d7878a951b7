/* URLs, addresses, DNS messages: the parts that take bytes and do no I/O. */
#include "check.h"
#include "validate/dns_answer.h"
#include "validate/dns_txt.h"
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
#define READ(bytes_, type_) validate_dns_read(LT_SLICE(bytes_, sizeof(bytes_)), "A.de", type_, &m)

static void test_dns(void **state)
{
    static const uint8_t one[] = {HEAD(1, 1), QUESTION, A_RECORD};
    static const uint8_t none[] = {HEAD(1, 0), QUESTION};
    static const uint8_t two[] = {HEAD(1, 2), QUESTION, A_RECORD, A_RECORD};
    static const uint8_t short_data[] = {HEAD(1, 1), QUESTION, 0xc0, 12, 0, 1, 0, 1, 0,
                                         0,          0,        60,   0,  3, 1, 2, 3};
    static const uint8_t bad_label[] = {HEAD(1, 0), 0x80, 'a', 0, 0, 1, 0, 1};
    static const uint8_t chaos[] = {HEAD(1, 1), QUESTION, 0xc0, 12, 0, 1, 0, 3, 0,
                                    0,          0,        60,   0,  4, 1, 2, 3, 4};
    struct validate_address list[VALIDATE_ADDRESSES_MAX];
    struct validate_dns_message m;
    size_t count = 0;
    (void)state;
    assert_ok(READ(one, VALIDATE_DNS_A));
    assert_int_equal(m.ttl, 60);
    assert_int_equal(m.chain_count, 1);
    assert_string_equal(m.chain[0], "a.de");
    assert_ok(validate_dns_addresses(&m, VALIDATE_DNS_A, list, &count));
    assert_int_equal(count, 1);
    assert_memory_equal(list[0].bytes, "\xc0\0\2\1", 4);
    assert_fails(validate_dns_addresses(&m, VALIDATE_DNS_AAAA, list, &count), LT_PEER_MALFORMED);
    assert_ok(READ(none, VALIDATE_DNS_A));
    assert_int_equal(m.count, 0);
    assert_ok(READ(one, VALIDATE_DNS_AAAA));
    assert_int_equal(m.count, 0);
    assert_ok(READ(chaos, VALIDATE_DNS_A));
    assert_int_equal(m.count, 0);
    assert_ok(READ(two, VALIDATE_DNS_A));
    for (int i = 0; i < 20; i++) {
        assert_ok(validate_dns_addresses(&m, VALIDATE_DNS_A, list, &count));
    }
    assert_int_equal(count, VALIDATE_ADDRESSES_MAX);
    for (size_t len = 0; len < sizeof two; len++) { /* cut anywhere */
        assert_fails(validate_dns_read(LT_SLICE(two, len), "a.de", VALIDATE_DNS_A, &m), LT_PEER_MALFORMED);
    }
    count = 0;
    assert_ok(READ(short_data, VALIDATE_DNS_A));
    assert_fails(validate_dns_addresses(&m, VALIDATE_DNS_A, list, &count), LT_PEER_MALFORMED);
    assert_fails(READ(bad_label, VALIDATE_DNS_A), LT_PEER_MALFORMED);
}

/* a.de → B.de → its address; a stranger's record beside it; circles and pointers that go forward. */
static void test_dns_chain(void **state)
{
    static const uint8_t alias[] = {HEAD(1, 3), QUESTION, 0xc0, 12,   0,  5,    0,  1, 0, 0,   0,    30, 0,
                                    4,          1,        'B',  0xc0, 14, 0xc0, 14, 0, 1, 0,   1,    0,  0,
                                    0,          60,       0,    4,    9,  9,    9,  9, 1, 'b', 0xc0, 14, 0,
                                    1,          0,        1,    0,    0,  0,    60, 0, 4, 192, 0,    2,  1};
    static const uint8_t self[] = {HEAD(1, 1), QUESTION, 0xc0, 22, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 1, 2, 3, 4};
    static const uint8_t forward[] = {HEAD(1, 1), QUESTION, 0xc0, 30, 0, 1, 0, 1, 0,
                                      0,          0,        60,   0,  4, 0, 0, 0, 0};
    static const uint8_t dots[] = {HEAD(1, 1), QUESTION, 0xc0, 12, 0, 5,   0, 1,    0,    0,
                                   0,          30,       0,    6,  3, '.', 0, '\\', 0xc0, 14};
    struct validate_dns_message m;
    (void)state;
    assert_ok(READ(alias, VALIDATE_DNS_A));
    assert_int_equal(m.chain_count, 2);
    assert_string_equal(m.chain[1], "b.de");
    assert_int_equal(m.count, 1);
    assert_int_equal(m.ttl, 30);
    assert_memory_equal(m.records[0].ptr, "\xc0\0\2\1", 4);
    assert_fails(READ(self, VALIDATE_DNS_A), LT_PEER_MALFORMED);
    assert_fails(READ(forward, VALIDATE_DNS_A), LT_PEER_MALFORMED);
    assert_ok(READ(dots, VALIDATE_DNS_A));
    assert_string_equal(m.chain[1], "\\046\\000\\092.de");
    uint8_t many[12 + 10 + 20 * 16] = {HEAD(1, 20), QUESTION};
    for (size_t i = 0; i < 20; i++) { /* an alias of itself, again and again */
        static const uint8_t circle[16] = {0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 30, 0, 2, 0xc0, 12};
        memcpy(many + 22 + i * 14, circle, 14);
    }
    assert_fails(READ(many, VALIDATE_DNS_A), LT_PEER_MALFORMED);
}

static void test_txt(void **state)
{
    static const uint8_t pair[] = {2, 'a', 'b', 1, 'c'};
    static const uint8_t empty[] = {0};
    static const uint8_t cut[] = {3, 'a', 'b'};
    uint8_t text[8];
    size_t len = 9;
    (void)state;
    assert_ok(validate_dns_txt(LT_SLICE(pair, sizeof pair), text, sizeof text, &len));
    assert_slice(LT_SLICE(text, len), "abc");
    assert_ok(validate_dns_txt(LT_SLICE(empty, 1), text, sizeof text, &len));
    assert_int_equal(len, 0);
    assert_fails(validate_dns_txt(LT_SLICE(cut, sizeof cut), text, sizeof text, &len), LT_PEER_MALFORMED);
    assert_fails(validate_dns_txt(LT_SLICE(cut, 0), text, sizeof text, &len), LT_PEER_MALFORMED);
    assert_fails(validate_dns_txt(LT_SLICE(pair, sizeof pair), text, 2, &len), LT_PEER_TOO_LARGE);
}

static void test_names_of_dns_methods(void **state)
{
    /* SHA-256 of "https://example.com/acme/acct/ExampleAccount", the draft's example. */
    static const uint8_t hash[32] = {0xa2, 0x58, 0xc7, 0x54, 0xba, 0xab, 0x7b, 0xd9, 0x9b, 0x04};
    char label[VALIDATE_ACCOUNT_LABEL];
    char name[VALIDATE_REVERSE_NAME];
    struct validate_address a;
    (void)state;
    validate_account_label(hash, label);
    assert_string_equal(label, "_ujmmovf2vn55tgye");
    assert_ok(validate_address_parse(LT_LIT("192.0.2.1"), &a));
    validate_reverse_name(&a, name);
    assert_string_equal(name, "1.2.0.192.in-addr.arpa");
    assert_ok(validate_address_parse(LT_LIT("2001:db8::1"), &a));
    validate_reverse_name(&a, name);
    assert_string_equal(name, "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
    static const char *const good[] = {"_x", "_acme-challenge", "_A-1_b"};
    static const char *const bad[] = {
        "",     "_",       "x",
        "x_",   "-_x",     "_a.b",
        "_a b", "dnsauth", "_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < LT_COUNT(good); i++) {
        assert_true(validate_underscore_label(lt_slice_cstr(good[i])));
    }
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        assert_false(validate_underscore_label(lt_slice_cstr(bad[i])));
    }
}

#define URI "accounturi=https://ca.example/acct/1"

static void test_persist(void **state)
{
    static const struct {
        const char *text;
        bool wildcard;
        const char *why; /* part of it; NULL: it shows control */
    } rows[] = {
        {"ca.example; " URI, false, NULL},
        {"CA.Example;" URI, false, NULL},
        {"also.example; " URI, false, NULL},
        {"ca.example; " URI "; policy=wildcard", true, NULL},
        {"ca.example; " URI "; POLICY=WildCard", true, NULL},
        {"ca.example; policy=wildcard; " URI, false, NULL},
        {"ca.example; " URI "; persistUntil=1000", false, NULL},
        {"ca.example; " URI "; persistUntil=9223372036854", false, NULL},
        {"ca.example; " URI "; unknown=1; another=2", false, NULL},
        {"ca.example; " URI "; policy=other", false, NULL},

        {"", false, "another CA"},
        {";", false, "another CA"},
        {"other.example; " URI, false, "another CA"},
        {"ca.example.com; " URI, false, "another CA"},
        {"ca.example", false, "no accounturi"},
        {"ca.example; accounturi=https://ca.example/acct/11", false, "another account"},
        {"ca.example; accounturi=https://ca.example/acct/", false, "another account"},
        {"ca.example; accounturi=", false, "another account"},
        {"ca.example; accounturi=HTTPS://ca.example/acct/1", false, "another account"},
        {"ca.example; " URI "; " URI, false, "more than one"},
        {"ca.example; " URI "; persistUntil=999", false, "has passed"},
        {"ca.example; " URI "; persistUntil=", false, "number of seconds"},
        {"ca.example; " URI "; persistUntil=1e9", false, "number of seconds"},
        {"ca.example; " URI "; persistUntil=-1", false, "number of seconds"},
        {"ca.example; " URI "; persistUntil=0x7fffffff", false, "number of seconds"},
        {"ca.example; " URI "; persistUntil=99999999999999999999", false, "number of seconds"},
        {"ca.example; " URI "; persistUntil=2000; persistUntil=3000", false, "number of seconds"},
        {"ca.example; " URI, true, "policy=wildcard"},
        {"ca.example; " URI "; policy=subdomains", true, "policy=wildcard"},
        {"ca.example; " URI "; policy=wildcard; policy=none", true, "policy=wildcard"},
        {"ca.example " URI, false, "grammar"},
        {"ca.example; accounturi", false, "grammar"},
        {"ca.example; " URI "; ;", false, "grammar"},
        {"ca_example; " URI, false, "grammar"},
        {"ca.example; accounturi=https://ca.example/acct/1 x", false, "grammar"},
        {"ca.example; " URI "; a_b=1", false, "grammar"},
    };
    static const char *const domains[] = {"ca.example", "also.example"};
    struct validate_persist_question q = {.issuer_domains = domains,
                                          .issuer_count = LT_COUNT(domains),
                                          .account_uri = LT_LIT("https://ca.example/acct/1"),
                                          .now = lt_time_from_seconds(1000)};
    bool ours = false;
    (void)state;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        q.wildcard = rows[i].wildcard;
        const char *why = validate_persist_refusal(lt_slice_cstr(rows[i].text), &q, &ours);
        if ((why == NULL) != (rows[i].why == NULL) || (why != NULL && strstr(why, rows[i].why) == NULL)) {
            print_error("\"%s\": %s\n", rows[i].text, why == NULL ? "taken" : why);
        }
        assert_true((why == NULL) == (rows[i].why == NULL));
        assert_true(why == NULL || strstr(why, rows[i].why) != NULL);
    }
    q.account_uri = LT_SLICE(NULL, 0); /* nobody's account is nobody's record */
    assert_non_null(validate_persist_refusal(LT_LIT("ca.example; accounturi="), &q, &ours));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_long_urls),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_dns),
        cmocka_unit_test(test_dns_chain),
        cmocka_unit_test(test_txt),
        cmocka_unit_test(test_names_of_dns_methods),
        cmocka_unit_test(test_persist),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
