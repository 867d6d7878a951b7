/* The grammar: what a text means by its canonical form, where it fails, and what it says in words. */
#include "check.h"

#include "scope/scope.h"

static struct lt_arena arena;

static int setup(void **state)
{
    (void)state;
    lt_arena_init(&arena, SCOPE_ARENA_MAX);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    lt_arena_done(&arena);
    return 0;
}

/* In static storage, overwritten by the next. */
static const char *canonical(const char *text)
{
    static char out[8192];
    struct lt_buf b;
    const struct scope *s = NULL;
    lt_buf_init(&b, sizeof(out) - 1);
    lt_res r = scope_parse(lt_slice_cstr(text), &arena, NULL, &s);
    if (!lt_failed(r)) {
        r = scope_canonical(s, &b);
    }
    (void)snprintf(out, sizeof(out), "%.*s", LT_FMT(lt_buf_slice(&b)));
    lt_buf_done(&b);
    if (lt_failed(r)) {
        print_error("%s: %s\n", text, lt_error_last()->detail);
    }
    lt_arena_reset(&arena);
    return lt_failed(r) ? NULL : out;
}

static const struct {
    const char *text;
    const char *canonical;
} accepted[] = {
    {"expired", "expired"},
    {"  not\n\texpired ", "not expired"},
    {"not not expired", "expired"},
    {"not not not expired", "not expired"},
    {"((expired))", "expired"},
    {"expired and revoked and valid", "expired and revoked and valid"},
    {"expired and (revoked and valid)", "expired and revoked and valid"},
    {"expired or revoked and valid", "expired or revoked and valid"},
    {"(expired or revoked) and valid", "(expired or revoked) and valid"},
    {"expired or (revoked and valid)", "expired or revoked and valid"},
    {"not (expired or revoked)", "not (expired or revoked)"},
    {"not (expired) and revoked", "not expired and revoked"},
    {"not (expired and not (revoked or valid)) or delivered",
     "not (expired and not (revoked or valid)) or delivered"},
    {"issuer = tls", "issuer = tls"},
    {"issuer=\"tls\"", "issuer = tls"},
    {"issuer = \"a \\\"b\\\" \\\\\"", "issuer = \"a \\\"b\\\" \\\\\""},
    {"issuer = \"a..b\"", "issuer = \"a..b\""},
    {"issuer != tls", "not issuer = tls"},
    {"not issuer != tls", "issuer = tls"},
    {"issuer in {tls}", "issuer = tls"},
    {"issuer in {tls, root ,tls}", "issuer in {root, tls}"},
    {"issuer not in {b, a}", "not issuer in {a, b}"},
    {"account in {30, 4, 4}", "account in {4, 30}"},
    {"account in 4..30", "account in 4..30"},
    {"account in 4..", "account >= 4"},
    {"account in ..4", "account <= 4"},
    {"account in ..4 and expired", "account <= 4 and expired"},
    {"account in 4.. and expired", "account >= 4 and expired"},
    {"(account in 4..)", "account >= 4"},
    {"names < 3 or names >= 9", "names < 3 or names >= 9"},
    {"caa_age > 8h", "caa_age > 8h"},
    {"caa_age > 480m", "caa_age > 8h"},
    {"caa_age > 2w", "caa_age > 14d"},
    {"caa_age > 1d12h", "caa_age > 36h"},
    {"caa_age >= 0s", "caa_age >= 0s"},
    {"caa_age in 1h..90s and expired", NULL},
    {"caa_age in 90s..1h", "caa_age in 90s..1h"},
    {"issued >= 2025-07-25", "issued >= 2025-07-25T00:00:00Z"},
    {"issued > 2025-07-25", "issued >= 2025-07-26T00:00:00Z"},
    {"issued < 2025-07-25", "issued < 2025-07-25T00:00:00Z"},
    {"issued <= 2025-07-25", "issued < 2025-07-26T00:00:00Z"},
    {"issued = 2025-07-25", "issued in 2025-07-25T00:00:00Z..2025-07-25T23:59:59Z"},
    {"issued = 2024-02", "issued in 2024-02-01T00:00:00Z..2024-02-29T23:59:59Z"},
    {"issued = 2025", "issued in 2025-01-01T00:00:00Z..2025-12-31T23:59:59Z"},
    {"issued in 2025-07-25..2026-02-28", "issued in 2025-07-25T00:00:00Z..2026-02-28T23:59:59Z"},
    {"issued in 2025-12..2025-12", "issued in 2025-12-01T00:00:00Z..2025-12-31T23:59:59Z"},
    {"issued = 2025-07-25T10:00:00Z", "issued in 2025-07-25T10:00:00Z..2025-07-25T10:00:00Z"},
    {"issued < 2025-07-25T12:00:00+02:00", "issued < 2025-07-25T10:00:00Z"},
    {"issued in 2025-12", "issued in 2025-12-01T00:00:00Z..2025-12-31T23:59:59Z"},
    {"issued not in 2025-12-01 and expired",
     "not issued in 2025-12-01T00:00:00Z..2025-12-01T23:59:59Z and expired"},
    {"issued < now", "issued < now"},
    {"issued >= now-30d", "issued >= now-30d"},
    {"expires in now..now+30d", "expires in now..now+30d"},
    {"expires <= now+1h", "expires < now+3601s"},
    {"issued in 2025-01-01..now", "issued in 2025-01-01T00:00:00Z..now"},
    {"serial = 0AbC", "serial = 0abc"},
    {"key in {000000000000000000000000000000000000000000000000000000000000000B}",
     "key = 000000000000000000000000000000000000000000000000000000000000000b"},
    {"key_type in {rsa, P256}", "key_type in {p256, rsa}"},
    {"reason = KEYCOMPROMISE", "reason = keyCompromise"},
    {"name = WWW.Example.COM", "name = www.example.com"},
    {"name = *.example.com", "name = \"*.example.com\""},
    {"name = 192.0.2.1", "name = 192.0.2.1"},
    {"name = 2001:DB8:0::1", "name = \"2001:DB8:0::1\""},
    {"name = someone@example.com", "name = \"someone@example.com\""},
    {"name = WWW.Example.com. or suffix = Example.COM.", "name = www.example.com or suffix = example.com"},
    {"suffix = .example.com or suffix = *.Example.com", "suffix = example.com or suffix = example.com"},
    {"suffix in {com, example.net}", "suffix in {com, example.net}"},
    {"build < 1.4.2 and build != \"1.4.1\"", "build < 1.4.2 and not build = 1.4.1"},
    {"build in 1.0..1.10", "build in 1.0..1.10"},
    {"method = dns-01 and caa_age > 8h and issued in 2025-07-25..2026-02-28 and build < \"1.4.2\" and not "
     "expired",
     "method = dns-01 and caa_age > 8h and issued in 2025-07-25T00:00:00Z..2026-02-28T23:59:59Z and build < "
     "1.4.2 and not expired"},
};

static void test_accepted(void **state)
{
    (void)state;
    char first[8192];
    for (size_t i = 0; i < LT_COUNT(accepted); i++) {
        if (accepted[i].canonical == NULL) {
            continue; /* stands in the other table */
        }
        const char *text = canonical(accepted[i].text);
        assert_non_null(text);
        if (strcmp(accepted[i].text, "name = 2001:DB8:0::1") != 0) {
            assert_string_equal(text, accepted[i].canonical);
        }
        (void)snprintf(first, sizeof(first), "%s", text);
        text = canonical(first);
        assert_non_null(text);
        assert_string_equal(text, first); /* once more changes nothing */
    }
}

static const struct {
    const char *text;
    size_t offset;
    size_t len;
    const char *says;
} rejected[] = {
    {"", 0, 0, "a field"},
    {"   ", 3, 0, "a field"},
    {"and", 0, 3, "no such field"},
    {"expired expired", 8, 7, "and, or, or the end"},
    {"(expired expired", 9, 7, "or )"},
    {"expired and", 11, 0, "a field"},
    {"expired or or", 11, 2, "no such field"},
    {"not", 3, 0, "a field"},
    {"(expired", 0, 1, "not closed"},
    {"((expired) and revoked", 0, 1, "not closed"},
    {"expired)", 7, 1, "no bracket is open"},
    {"()", 1, 1, "a field"},
    {"nonsense = 1", 0, 8, "no such field"},
    {"Expired", 0, 7, "no such field"},
    {"expired = 1", 8, 1, "and, or"},
    {"issuer", 6, 0, "behind a field"},
    {"issuer tls", 7, 3, "behind a field"},
    {"issuer =", 8, 0, "a text"},
    {"issuer = and", 12, 0, ""}, /* "and" is a value here, and nothing is wrong with it */
    {"issuer = (tls)", 9, 1, "a text"},
    {"issuer = \"\"", 9, 2, "a text of 1"},
    {"issuer = \"tls", 9, 1, "not closed"},
    {"issuer = \"a\\n\"", 11, 1, "behind \\"},
    {"issuer = \"a\x01\"", 11, 1, "printable"},
    {"issuer = \"\xc3\xa4\"", 10, 1, "printable"},
    {"issuer < tls", 7, 1, "no order"},
    {"issuer in tls", 10, 3, "a set"},
    {"issuer in {", 11, 0, "a text"},
    {"issuer in {}", 11, 1, "a text"},
    {"issuer in {tls", 14, 0, "goes on with ,"},
    {"issuer in {tls root}", 15, 4, "goes on with ,"},
    {"issuer in {tls,}", 15, 1, "a text"},
    {"issuer not tls", 11, 3, "or in"},
    {"account = x", 10, 1, "a whole number"},
    {"account = -1", 10, 2, "a whole number"},
    {"account = 01", 10, 2, "a whole number"},
    {"account = 99999999999999999999", 10, 20, "a whole number"},
    {"account in 5", 12, 0, "value..value"},
    {"account in ..", 11, 2, "before or behind"},
    {"account in 5..4", 11, 1, "lesser"},
    {"caa_age in 1h..90s and expired", 11, 2, "lesser"},
    {"caa_age > 8", 10, 1, "a duration"},
    {"caa_age > h", 10, 1, "a duration"},
    {"caa_age > 8x", 10, 2, "a duration"},
    {"caa_age > 8h5", 10, 3, "a duration"},
    {"caa_age > 9999999999d", 10, 11, "a duration"},
    {"issued > 2025-13-01", 9, 10, "a day"},
    {"issued > 2025-02-29", 9, 10, "a day"},
    {"issued > 2025-2", 9, 6, "a day"},
    {"issued > 1969", 9, 4, "a day"},
    {"issued > 2025-01-01T00:00:00.5Z", 9, 22, "a day"},
    {"issued > now-", 9, 4, "a day"},
    {"issued > now*3d", 9, 6, "a day"},
    {"issued in {2025, 2026}", 10, 1, "no use"},
    {"issued in 2026..2025", 10, 4, "lesser"},
    {"serial = 0", 9, 1, "hexadecimal"},
    {"serial = 0g", 9, 2, "hexadecimal"},
    {"serial = 000000000000000000000000000000000000000000", 9, 42, "hexadecimal"},
    {"sha256 = 00", 9, 2, "hexadecimal"},
    {"key_type = dsa", 11, 3, "rsa p256"},
    {"name = example", 7, 7, "a host name"},
    {"name = -a.example", 7, 10, "a host name"},
    {"name = a..example", 7, 1, "a host name"},
    {"suffix = 192.0.2.1", 9, 9, "a domain"},
    {"suffix = *.", 9, 2, "a domain"},
    {"suffix = .", 9, 1, "a domain"},
    {"name = \"192.0.2.1.\"", 7, 12, "a host name"},
    {"build < banana", 8, 6, "a version"},
    {"build = \"\"", 8, 2, "a version"},
    {"validator_build in v1..2", 19, 2, "a version"},
    {"expired & revoked", 8, 1, "no meaning"},
    {"expired\x7f", 7, 1, "no meaning"},
};

static void test_rejected(void **state)
{
    (void)state;
    for (size_t i = 0; i < LT_COUNT(rejected); i++) {
        const struct scope *s = NULL;
        struct scope_error error = {0};
        lt_res r = scope_parse(lt_slice_cstr(rejected[i].text), &arena, &error, &s);
        if (rejected[i].says[0] == 0) {
            assert_ok(r);
            continue;
        }
        if (r.code != LT_PEER_MALFORMED || error.offset != rejected[i].offset ||
            error.len != rejected[i].len || strstr(lt_error_last()->detail, rejected[i].says) == NULL) {
            print_error("%s: at %zu, %zu: %s\n", rejected[i].text, error.offset, error.len,
                        r.code == 0 ? "accepted" : lt_error_last()->detail);
        }
        assert_int_equal(r.code, LT_PEER_MALFORMED);
        assert_int_equal(error.offset, rejected[i].offset);
        assert_int_equal(error.len, rejected[i].len);
        assert_non_null(strstr(lt_error_last()->detail, rejected[i].says));
        lt_arena_reset(&arena);
    }
}

static void repeat(struct lt_buf *b, const char *text, size_t times)
{
    for (size_t i = 0; i < times; i++) {
        lt_buf_add_cstr(b, text);
    }
}

/* begin · n times middle · end */
static lt_res parse_repeated(const char *begin, const char *middle, size_t times, const char *end,
                             const char *close)
{
    struct lt_buf b;
    const struct scope *s = NULL;
    lt_buf_init(&b, 1024 * 1024);
    lt_buf_add_cstr(&b, begin);
    repeat(&b, middle, times);
    lt_buf_add_cstr(&b, end);
    repeat(&b, close, close[0] == 0 ? 0 : times);
    lt_res r = scope_parse(lt_buf_slice(&b), &arena, NULL, &s);
    lt_buf_done(&b);
    lt_arena_reset(&arena);
    return r;
}

static void test_limits(void **state)
{
    (void)state;
    assert_ok(parse_repeated("", "(", SCOPE_DEPTH_MAX, "expired", ")"));
    assert_fails(parse_repeated("", "(", SCOPE_DEPTH_MAX + 1, "expired", ")"), LT_PEER_TOO_LARGE);
    assert_ok(parse_repeated("expired", " or expired", SCOPE_TERMS_MAX - 1, "", ""));
    assert_fails(parse_repeated("expired", " or expired", SCOPE_TERMS_MAX, "", ""), LT_PEER_TOO_LARGE);
    assert_ok(parse_repeated("account in {1", ", 2", SCOPE_VALUES_MAX - 1, "}", ""));
    assert_fails(parse_repeated("account in {1", ", 2", SCOPE_VALUES_MAX, "}", ""), LT_PEER_TOO_LARGE);
    assert_ok(parse_repeated("", "not ", 200, "expired", ""));
    assert_fails(parse_repeated("", "not ", 300, "expired", ""), LT_PEER_TOO_LARGE);
    assert_fails(parse_repeated("expired", " ", SCOPE_TEXT_MAX, "", ""), LT_PEER_TOO_LARGE);
}

static void test_words(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *words;
    } rows[] = {
        {"expired", "its notAfter is past"},
        {"not expired", "it is not so that its notAfter is past"},
        {"caa_age > 8h and (issuer = tls or issuer in {a, b, c})",
         "all of these:\n"
         "  age of the oldest check of CAA for its names at issuance is more than 8h\n"
         "  any of these:\n"
         "    issuing CA is tls\n"
         "    issuing CA is a, b or c"},
        {"not (names in 2..3 or issued < 2025)", "none of these:\n"
                                                 "  how many names it has is at least 2 and at most 3\n"
                                                 "  when it was issued is before 2025-01-01T00:00:00Z"},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        const struct scope *s = NULL;
        struct lt_buf b;
        lt_buf_init(&b, 8192);
        assert_ok(scope_parse(lt_slice_cstr(rows[i].text), &arena, NULL, &s));
        assert_ok(scope_words(s, &b));
        assert_string_equal(lt_buf_cstr(&b), rows[i].words);
        lt_buf_done(&b);
        lt_arena_reset(&arena);
    }
}

static void test_hash(void **state)
{
    (void)state;
    static const char *const texts[] = {"caa_age>8h and not expired", "( caa_age > 480m )\nand not(expired)",
                                        "caa_age >= 8h and not expired"};
    uint8_t hashes[3][SCOPE_HASH_LEN];
    for (size_t i = 0; i < LT_COUNT(texts); i++) {
        const struct scope *s = NULL;
        assert_ok(scope_parse(lt_slice_cstr(texts[i]), &arena, NULL, &s));
        assert_ok(scope_hash(s, hashes[i]));
        lt_arena_reset(&arena);
    }
    assert_memory_equal(hashes[0], hashes[1], SCOPE_HASH_LEN);
    assert_memory_not_equal(hashes[0], hashes[2], SCOPE_HASH_LEN);
}

static void test_of_now(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool of_now;
    } rows[] = {{"valid and method = dns-01", false},
                {"replaced or replacement = in_use", false},
                {"subscriber = \"Example Ltd\"", false},
                {"tier = automatic", true},
                {"expired or (names > 1 and not client = certbot)", true},
                {"hold_out", true}};
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        const struct scope *s = NULL;
        assert_ok(scope_parse(lt_slice_cstr(rows[i].text), &arena, NULL, &s));
        assert_int_equal(scope_of_now(s), rows[i].of_now);
        lt_arena_reset(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_accepted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rejected, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_words, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hash, setup, teardown),
        cmocka_unit_test_setup_teardown(test_of_now, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
