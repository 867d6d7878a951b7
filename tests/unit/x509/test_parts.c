/* Names, keys, object identifiers, host names, addresses. */
#include "check.h"

#include "der/writer.h"
#include "x509/dnsname.h"
#include "x509/name.h"
#include "x509/spki.h"

#define B(bytes_)                                     \
    {                                                 \
        (const uint8_t *)(bytes_), sizeof(bytes_) - 1 \
    }

static struct lt_arena arena;
static struct lt_buf out;

static int set_up(void **unused)
{
    (void)unused;
    lt_arena_init(&arena, 1 << 20);
    lt_buf_init(&out, 1 << 16);
    return 0;
}

static int tear_down(void **unused)
{
    (void)unused;
    lt_arena_done(&arena);
    lt_buf_done(&out);
    return 0;
}

static void object_identifiers(void **unused)
{
    (void)unused;
    for (unsigned i = 1; i < X509_OID_COUNT; i++) {
        enum x509_oid oid = (enum x509_oid)i;
        lt_slice der = x509_oid_der(oid);
        lt_slice back;
        assert_true(der.len > 0);
        assert_int_equal(x509_oid_find(der), oid);
        assert_int_equal(x509_oid_by_name(lt_slice_cstr(x509_oid_name(oid))), oid);
        lt_buf_reset(&out);
        x509_oid_text(der, &out);
        assert_int_equal(x509_oid_by_name(lt_buf_slice(&out)), oid);
        assert_ok(x509_oid_parse(lt_buf_slice(&out), &arena, &back));
        assert_true(lt_slice_eq(back, der));
    }
    assert_int_equal(x509_oid_find(LT_LIT("")), X509_OID_UNKNOWN);
    assert_int_equal(x509_oid_find(LT_LIT("\x55\x04")), X509_OID_UNKNOWN);
    assert_int_equal(x509_oid_by_name(LT_LIT("nothing")), X509_OID_UNKNOWN);
}

static void dotted_text(void **unused)
{
    (void)unused;
    static const char *const good[] = {
        "0.0", "0.39", "1.39.1", "2.0", "2.40.128", "2.999.1", "1.3.6.1.4.1.4294967296"};
    static const char *const bad[] = {"",
                                      "1",
                                      "1.",
                                      ".1",
                                      "1..2",
                                      "3.1",
                                      "0.40",
                                      "1.40",
                                      "1.2.a",
                                      "1.2.-3",
                                      "01.2",
                                      "1.02",
                                      "1.2.18446744073709551616"};
    lt_slice der;
    for (size_t i = 0; i < LT_COUNT(good); i++) {
        assert_ok(x509_oid_parse(lt_slice_cstr(good[i]), &arena, &der));
        lt_buf_reset(&out);
        x509_oid_text(der, &out);
        assert_slice(lt_buf_slice(&out), good[i]);
    }
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        assert_fails(x509_oid_parse(lt_slice_cstr(bad[i]), &arena, &der), LT_PEER_MALFORMED);
    }
}

static lt_res name_of(enum x509_oid oid, const char *value)
{
    struct x509_name_item item = {oid, lt_slice_cstr(value)};
    struct der_writer w;
    lt_buf_reset(&out);
    der_write_init(&w, &out);
    return x509_name_write(&w, &item, 1);
}

static void names_as_text(void **unused)
{
    (void)unused;
    static const struct {
        const char *value;
        const char *text;
    } rows[] = {
        {"example.com", "CN=example.com"},
        {"a, b", "CN=a\\, b"},
        {" a ", "CN=\\ a\\ "},
        {"#1", "CN=\\#1"},
        {"a+b;c<d>e\"f\\g", "CN=a\\+b\\;c\\<d\\>e\\\"f\\\\g"},
        {"\xc3\xa9t\xc3\xa9", "CN=\xc3\xa9t\xc3\xa9"},
        {"a\tb", "CN=a\\09"
                 "b"},
        {" ", "CN=\\ "},
    };
    struct x509_name name;
    struct lt_buf text;
    lt_buf_init(&text, 1024);
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        assert_ok(name_of(X509_OID_CN, rows[i].value));
        assert_ok(x509_name_parse(lt_buf_slice(&out), &arena, &name));
        lt_buf_reset(&text);
        x509_name_text(&name, &text);
        assert_slice(lt_buf_slice(&text), rows[i].text);
    }
    /* Two attributes in one RDN, an unknown type, a BMPString, a T61String; last RDN first. */
    static const lt_slice der = B(
        "\x30\x36"
        "\x31\x0b\x30\x09\x06\x02\x2a\x03\x02\x03\x01\x02\x03"
        "\x31\x14\x30\x08\x06\x03\x55\x04\x03\x0c\x01\x61\x30\x08\x06\x03\x55\x04\x0a\x0c\x01\x62"
        "\x31\x11\x30\x0f\x06\x03\x55\x04\x0b\x1e\x08\x00\x61\xd8\x00\x20\xac\x00\x2c");
    assert_ok(x509_name_parse(der, &arena, &name));
    assert_int_equal(name.count, 4);
    assert_int_equal(name.rdn_count, 3);
    lt_buf_reset(&text);
    x509_name_text(&name, &text);
    assert_slice(lt_buf_slice(&text), "OU=a\xef\xbf\xbd\xe2\x82\xac\\,,CN=a+O=b,1.2.3=#0203010203");
    assert_slice(x509_name_find(&name, X509_OID_O, 0)->value, "b");
    assert_null(x509_name_find(&name, X509_OID_O, 1));
    lt_buf_done(&text);
}

static void names_that_cannot_be(void **unused)
{
    (void)unused;
    char long_text[130];
    memset(long_text, 'a', sizeof(long_text));
    long_text[129] = 0;
    assert_ok(name_of(X509_OID_C, "AT"));
    assert_fails(name_of(X509_OID_C, "AUT"), LT_PEER_MALFORMED);
    assert_fails(name_of(X509_OID_C, "\xc3\x96"), LT_PEER_MALFORMED);
    assert_fails(name_of(X509_OID_CN, ""), LT_PEER_MALFORMED);
    assert_fails(name_of(X509_OID_CN, "\xff"), LT_PEER_MALFORMED);
    assert_fails(name_of(X509_OID_CN, "\xe2\x82"), LT_PEER_MALFORMED);
    assert_fails(name_of(X509_OID_DC, "\xc3\xa9"), LT_PEER_MALFORMED);
    assert_fails(name_of(X509_OID_SERIAL_NUMBER, "a_b"), LT_PEER_MALFORMED);
    assert_fails(name_of(X509_OID_UNKNOWN, "a"), LT_PEER_MALFORMED);
    assert_fails(name_of(X509_OID_L, long_text), LT_PEER_MALFORMED);
    long_text[128] = 0;
    assert_ok(name_of(X509_OID_L, long_text));
    long_text[65] = 0;
    assert_fails(name_of(X509_OID_CN, long_text), LT_PEER_MALFORMED);
    long_text[64] = 0;
    assert_ok(name_of(X509_OID_CN, long_text));
}

static void host_names(void **unused)
{
    (void)unused;
    static const struct {
        const char *name;
        unsigned flags;
        bool good;
    } rows[] = {
        {"example.com", 0, true},
        {"a.b", 0, true},
        {"xn--bcher-kva.example.com", 0, true},
        {"1.example", 0, true},
        {"a-b.example.com", 0, true},
        {"*.example.com", X509_DNS_WILDCARD, true},
        {"*.example.com", 0, false},
        {"*.com", X509_DNS_WILDCARD, false},
        {"a.*.com", X509_DNS_WILDCARD, false},
        {"a*.example.com", X509_DNS_WILDCARD, false},
        {"*.*.example.com", X509_DNS_WILDCARD, false},
        {"", 0, false},
        {"com", 0, false},
        {"example.com.", 0, false},
        {".example.com", 0, false},
        {"a..b", 0, false},
        {"-a.example.com", 0, false},
        {"a-.example.com", 0, false},
        {"Example.com", 0, false},
        {"ex_ample.com", 0, false},
        {"ex ample.com", 0, false},
        {"b\xc3\xbc"
         "cher.example",
         0, false},
        {"ab--cd.example.com", 0, false},
        {"xn--.example.com", 0, false},
        {"192.0.2.1", 0, false},
        {"example.1", 0, false},
        {"example.com/", 0, false},
        {"example.com:80", 0, false},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        lt_res r = x509_dns_check(lt_slice_cstr(rows[i].name), rows[i].flags);
        if (lt_failed(r) == rows[i].good) {
            fail_msg("'%s'", rows[i].name);
        }
    }
    char label[64 + 4 + 1];
    memset(label, 'a', 64);
    memcpy(label + 63, ".com", 5);
    assert_ok(x509_dns_check(lt_slice_cstr(label), 0));
    memcpy(label + 64, ".com", 5);
    label[63] = 'a';
    assert_fails(x509_dns_check(lt_slice_cstr(label), 0), LT_PEER_MALFORMED);
    char whole[256];
    for (size_t i = 0; i < sizeof(whole); i++) {
        whole[i] = i % 2 == 0 ? 'a' : '.';
    }
    assert_ok(x509_dns_check(LT_SLICE(whole, 253), 0));
    assert_fails(x509_dns_check(LT_SLICE(whole, 255), 0), LT_PEER_MALFORMED);
}

static void suffixes(void **unused)
{
    (void)unused;
    assert_true(x509_dns_below(LT_LIT("example.com"), LT_LIT("example.com")));
    assert_true(x509_dns_below(LT_LIT("a.example.com"), LT_LIT("example.com")));
    assert_true(x509_dns_below(LT_LIT("*.example.com"), LT_LIT("example.com")));
    assert_true(x509_dns_below(LT_LIT("a.Example.com"), LT_LIT("eXample.com")));
    assert_false(x509_dns_below(LT_LIT("aexample.com"), LT_LIT("example.com")));
    assert_false(x509_dns_below(LT_LIT("example.com"), LT_LIT("a.example.com")));
    assert_false(x509_dns_below(LT_LIT("example.com"), LT_LIT("")));
    static const char *const reversed[][2] = {
        {"www.example.com", "com.example.www"}, {"com", "com"}, {"", ""}, {"a.b.c.d", "d.c.b.a"}};
    for (size_t i = 0; i < LT_COUNT(reversed); i++) {
        lt_buf_reset(&out);
        x509_dns_reverse(lt_slice_cstr(reversed[i][0]), &out);
        assert_slice(lt_buf_slice(&out), reversed[i][1]);
    }
}

static void addresses(void **unused)
{
    (void)unused;
    static const char *const rows[][2] = {
        {"192.0.2.1", "192.0.2.1"},
        {"0.0.0.0", "0.0.0.0"},
        {"::", "::"},
        {"::1", "::1"},
        {"1::", "1::"},
        {"2001:DB8::1", "2001:db8::1"},
        {"2001:db8:0:0:0:0:0:1", "2001:db8::1"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
        {"::ffff:192.0.2.1", "::ffff:c000:201"},
        {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
        {"fe80:0000::0001", "fe80::1"},
    };
    static const char *const bad[] = {
        "",
        "1",
        "1.2.3",
        "1.2.3.4.5",
        "256.1.1.1",
        "01.2.3.4",
        "1.2.3.4 ",
        "1..2.3",
        ":",
        ":::",
        "1:::2",
        "1::2::3",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7",
        "12345::",
        "g::",
        "::1.2.3",
        "::1.2.3.4.5",
        "1.2.3.4::",
        "fe80::1%eth0",
        "1:2:3:4:5:6:7:8::",
        "[::1]",
        "1:2:3:4:5:6:7:1.2.3.4",
        "1.2.3.4:1::",
    };
    struct x509_ip ip;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        assert_ok(x509_ip_parse(lt_slice_cstr(rows[i][0]), &ip));
        lt_buf_reset(&out);
        assert_ok(x509_ip_text(LT_SLICE(ip.bytes, ip.len), &out));
        assert_slice(lt_buf_slice(&out), rows[i][1]);
    }
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        lt_res r = x509_ip_parse(lt_slice_cstr(bad[i]), &ip);
        if (r.code != LT_PEER_MALFORMED) {
            fail_msg("'%s' was read", bad[i]);
        }
    }
    assert_fails(x509_ip_text(LT_SLICE(ip.bytes, 5), &out), LT_PEER_MALFORMED);
}

static lt_res rsa(size_t bytes, uint8_t top, uint8_t last, const char *exponent, size_t exponent_len)
{
    static uint8_t modulus[1100];
    struct der_writer w;
    struct x509_spki k = {.type = X509_KEY_RSA,
                          .modulus = LT_SLICE(modulus, bytes),
                          .exponent = LT_SLICE(exponent, exponent_len)};
    memset(modulus, 0x55, sizeof(modulus));
    modulus[0] = top;
    modulus[bytes - 1] = last;
    lt_buf_reset(&out);
    der_write_init(&w, &out);
    x509_spki_write(&w, &k);
    assert_ok(der_write_done(&w));
    assert_ok(x509_spki_parse(lt_buf_slice(&out), &k));
    return x509_spki_check(&k);
}

static void keys(void **unused)
{
    (void)unused;
    assert_ok(rsa(256, 0x80, 1, "\x01\x00\x01", 3));
    assert_ok(rsa(1024, 0x80, 1, "\x01\x00\x01", 3));
    assert_ok(rsa(384, 0xff, 1, "\x01\x00\x00\x01", 4));
    assert_fails(rsa(256, 0x7f, 1, "\x01\x00\x01", 3), LT_PEER_UNSUPPORTED);  /* 2047 bits */
    assert_fails(rsa(257, 0x01, 1, "\x01\x00\x01", 3), LT_PEER_UNSUPPORTED);  /* 2049 bits */
    assert_fails(rsa(128, 0x80, 1, "\x01\x00\x01", 3), LT_PEER_UNSUPPORTED);  /* 1024 bits */
    assert_fails(rsa(1025, 0x80, 1, "\x01\x00\x01", 3), LT_PEER_UNSUPPORTED); /* 8200 bits */
    assert_fails(rsa(256, 0x80, 2, "\x01\x00\x01", 3), LT_PEER_UNSUPPORTED);  /* even */
    assert_fails(rsa(256, 0x80, 1, "\x03", 1), LT_PEER_UNSUPPORTED);
    assert_fails(rsa(256, 0x80, 1, "\x01\x00\x00", 3), LT_PEER_UNSUPPORTED);
    assert_fails(rsa(256, 0x80, 1, "\x01\x00\x02", 3), LT_PEER_UNSUPPORTED);
    assert_fails(rsa(256, 0x80, 1, "\x00", 1), LT_PEER_UNSUPPORTED);
    assert_fails(rsa(256, 0x80, 1,
                     "\x01"
                     "01234567890123456789012345678901",
                     33),
                 LT_PEER_UNSUPPORTED);

    static const lt_slice compressed = B(
        "\x30\x39\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01"
        "\x07\x03\x22\x00\x02"
        "0123456789abcdef0123456789abcdef");
    struct x509_spki k;
    assert_ok(x509_spki_parse(compressed, &k));
    assert_int_equal(k.type, X509_KEY_P256);
    assert_fails(x509_spki_check(&k), LT_PEER_UNSUPPORTED);
    static const lt_slice curve_as_algorithm = B(
        "\x30\x1a\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x0c\x00\x04"
        "0123456789");
    assert_ok(x509_spki_parse(curve_as_algorithm, &k));
    assert_int_equal(k.type, X509_KEY_UNKNOWN);
    assert_fails(x509_spki_check(&k), LT_PEER_UNSUPPORTED);
}

static void algorithms(void **unused)
{
    (void)unused;
    for (unsigned i = 1; i < X509_SIG_COUNT; i++) {
        enum x509_sig_alg alg = (enum x509_sig_alg)i;
        assert_int_equal(x509_sig_alg_find(x509_sig_alg_der(alg)), alg);
    }
    for (unsigned t = X509_KEY_RSA; t <= X509_KEY_ED25519; t++) {
        enum x509_key_type type = (enum x509_key_type)t;
        assert_true(x509_sig_alg_fits(x509_sig_alg_for(type), type));
    }
    assert_false(x509_sig_alg_fits(X509_SIG_ECDSA_SHA256, X509_KEY_P384));
    assert_false(x509_sig_alg_fits(X509_SIG_RSA_SHA256, X509_KEY_P256));
    assert_int_equal(x509_sig_alg_for(X509_KEY_UNKNOWN), X509_SIG_UNKNOWN);
    /* ECDSA with NULL parameters, RSA without: byte for byte or not at all. */
    assert_int_equal(x509_sig_alg_find(LT_LIT("\x30\x0c\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02\x05\x00")),
                     X509_SIG_UNKNOWN);
    assert_int_equal(x509_sig_alg_find(LT_LIT("\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b")),
                     X509_SIG_UNKNOWN);
}

#define EACH(test_) cmocka_unit_test_setup_teardown(test_, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(object_identifiers), EACH(dotted_text), EACH(names_as_text), EACH(names_that_cannot_be),
        EACH(host_names),         EACH(suffixes),    EACH(addresses),     EACH(keys),
        EACH(algorithms),
    };
    return cmocka_run_group_tests_name("x509/parts", tests, NULL, NULL);
}
