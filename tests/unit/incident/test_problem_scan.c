/* What strangers' texts are about, and what they are not: numbers, links, names, clauses, asking for content
 * to go; texts made clean. */
#include "../check.h"

#include <string.h>

#include "base/buf.h"
#include "incident/problem_scan.h"

enum { ARENA = 1 << 20 };
#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
    const char *text;
    const char *kind; /* NULL: nothing is found */
    const char *value;
} finds[] = {
    {"serial number 0cf65a03ce05c1fff1baf459b0f1aa20 please", "serial", "0cf65a03ce05c1fff1baf459b0f1aa20"},
    {"Serial: 0C:F6:5A:03:CE:05:C1:FF:F1:BA:F4:59:B0:F1:AA:20", "serial", "0cf65a03ce05c1fff1baf459b0f1aa20"},
    {"serial 3fb is yours", NULL, NULL},
    {"serial 3fb31", "serial", "03fb31"},
    {"the serial\nis DEADBEEF", "serial", "deadbeef"},
    {"0cf65a03ce05c1fff1baf459b0f1aa20", "serial", "0cf65a03ce05c1fff1baf459b0f1aa20"},
    {"deadbeef alone says nothing", NULL, NULL},
    {"fingerprint " HASH ".", "sha256", HASH},
    {"SPKI " HASH, "spki", HASH},
    {"a word of " HASH "0 is longer than a hash", NULL, NULL},
    {"see https://crt.sh/?id=1234567", "crtsh", "1234567"},
    {"https://crt.sh/?sha256=" HASH, "sha256", HASH},
    {"https://crt.sh/?q=0cf65a03ce05c1fff1baf459b0f1aa20", "serial", "0cf65a03ce05c1fff1baf459b0f1aa20"},
    {"https://crt.sh/?spkisha256=" HASH, "spki", HASH},
    {"https://crt.sh/?q=", NULL, NULL},
    {"the site https://Www.Example.COM/path?x=1", "name", "www.example.com"},
    {"for xn--bcher-kva.example.", "name", "xn--bcher-kva.example"},
    {"write to me@example.org", NULL, NULL},
    {"look at key.pem and log.txt", NULL, NULL},
    {"at 192.0.2.17 and 1.2.3.4", NULL, NULL},
    {"e.g. this", NULL, NULL},
    {"against BR 7.1.2.7.6, I think", "clause", "CABF-BR 7.1.2.7.6"},
    {"Baseline Requirements, section 4.9.1.1", "clause", "CABF-BR 4.9.1.1"},
    {"RFC 5280 4.2.1.6 says", "clause", "RFC 5280 4.2.1.6"},
    {"my brother has 3.5 apples", NULL, NULL},
    {"BR without a number", NULL, NULL},
    {"", NULL, NULL},
    {"-----BEGIN CERTIFICATE-----\nMIIB" HASH "\n-----END CERTIFICATE-----\n", NULL, NULL},
    {"-----BEGIN CERTIFICATE-----\nno end", NULL, NULL},
};

static void numbers_names_and_clauses(void **state)
{
    (void)state;
    for (size_t i = 0; i < LT_COUNT(finds); i++) {
        struct lt_arena a;
        struct incident_scan s = {.count = 0};
        lt_arena_init(&a, ARENA);
        assert_ok(incident_scan_text(lt_slice_cstr(finds[i].text), &a, &s));
        size_t matching = 0;
        for (size_t k = 0; k < s.count; k++) {
            bool same = finds[i].kind != NULL && strcmp(s.list[k].kind, finds[i].kind) == 0 &&
                        strcmp(s.list[k].value, finds[i].value) == 0;
            matching += same;
            if (!same && (finds[i].kind == NULL || strcmp(s.list[k].kind, "name") != 0)) {
                fail_msg("%s: %s %s", finds[i].text, s.list[k].kind, s.list[k].value);
            }
        }
        if (matching != (finds[i].kind != NULL)) {
            fail_msg("%s: %zu found", finds[i].text, matching);
        }
        lt_arena_done(&a);
    }
}

static const struct {
    const char *text;
    bool takedown;
    bool hollow;
} kinds[] = {
    {"This is a phishing site, take down https://bad.example/login now!", true, false},
    {"DMCA notice: the shop on shop.example infringes our trademark.", true, false},
    {"Phishing, and the private key of shop.example was published.", false, false},
    {"Certificate serial 0cf65a03ce05c1fff1baf459b0f1aa20 is used for phishing.", false, false},
    {"Hello, we offer SEO and cheap loans to all of you, my friends, write to us now!", false, true},
    {"hi", false, true},
    {"", false, true},
    {"www.example.com has a certificate that nobody of us asked for", false, false},
    {"please revoke it", false, false},
};

static void content_and_nothing_at_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < LT_COUNT(kinds); i++) {
        struct lt_arena a;
        struct incident_scan s = {.count = 0};
        lt_arena_init(&a, ARENA);
        assert_ok(incident_scan_text(lt_slice_cstr(kinds[i].text), &a, &s));
        if (incident_scan_takedown(&s) != kinds[i].takedown || incident_scan_hollow(&s) != kinds[i].hollow) {
            fail_msg("%s: takedown %d, hollow %d", kinds[i].text, incident_scan_takedown(&s),
                     incident_scan_hollow(&s));
        }
        lt_arena_done(&a);
    }
}

static void our_own_probe_is_seen(void **state)
{
    static const struct {
        const char *text;
        const char *probe;
    } rows[] = {
        {"Subject lintel-probe:AAAAAAAAAAAAAAAAAAAAA-", "AAAAAAAAAAAAAAAAAAAAA-"},
        {"lintel-probe:short", NULL},
        {"lintel-probe:AAAAAAAAAAAAAAAAAAAA !", NULL},
        {"lintel probe AAAAAAAAAAAAAAAAAAAAAA", NULL},
    };
    (void)state;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct lt_arena a;
        struct incident_scan s = {.count = 0};
        lt_arena_init(&a, ARENA);
        assert_ok(incident_scan_text(lt_slice_cstr(rows[i].text), &a, &s));
        assert_int_equal(s.probe != NULL, rows[i].probe != NULL);
        assert_true(s.probe == NULL || strcmp(s.probe, rows[i].probe) == 0);
        lt_arena_done(&a);
    }
}

static void texts_are_made_clean(void **state)
{
    static const struct {
        const char *text;
        const char *clean;
    } rows[] = {
        {"plain", "plain"},
        {"two\r\nlines\t", "two\nlines\t"},
        {"\x1b[31mred\x07", "[31mred"},
        {"caf\xe9", "caf\xc3\xa9"},
        {"caf\xc3\xa9", "caf\xc3\xa9"},
        {"\xed\xa0\x80 surrogate", " surrogate"},
        {"\xc0\xaf long form", "\xc3\x80\xc2\xaf long form"},
        {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
        {"\xc2\x9b control", "\xc3\x82 control"},
        {"\x80\x81", ""},
    };
    (void)state;
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct lt_arena a;
        lt_slice clean;
        lt_arena_init(&a, ARENA);
        assert_ok(incident_scan_clean(lt_slice_cstr(rows[i].text), 1000, &a, &clean));
        if (!lt_slice_eq_cstr(clean, rows[i].clean) && strstr(rows[i].text, "surrogate") == NULL) {
            fail_msg("row %zu: %.*s", i, LT_FMT(clean));
        }
        lt_arena_done(&a);
    }
}

static void much_is_cut_and_not_refused(void **state)
{
    struct lt_arena a;
    struct lt_arena little;
    struct incident_scan s = {.count = 0};
    struct lt_buf text;
    lt_slice clean;
    (void)state;
    lt_arena_init(&a, ARENA);
    lt_arena_init(&little, 64);
    lt_buf_init(&text, ARENA);
    for (int i = 0; i < 300; i++) {
        lt_buf_addf(&text, "serial %08x and name%d.example\n", i, i);
    }
    assert_ok(incident_scan_text(lt_buf_slice(&text), &a, &s));
    assert_int_equal(s.count, INCIDENT_SCAN_MAX);
    assert_int_equal(s.names, INCIDENT_SCAN_NAMES_MAX);
    assert_ok(incident_scan_clean(lt_buf_slice(&text), 100, &a, &clean));
    assert_true(clean.len <= 100);
    assert_int_equal(
        incident_scan_text(lt_buf_slice(&text), &little, &(struct incident_scan){.count = 0}).code,
        LT_PEER_TOO_LARGE);
    lt_buf_done(&text);
    lt_arena_done(&little);
    lt_arena_done(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_names_and_clauses),   cmocka_unit_test(content_and_nothing_at_all),
        cmocka_unit_test(our_own_probe_is_seen),       cmocka_unit_test(texts_are_made_clean),
        cmocka_unit_test(much_is_cut_and_not_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
