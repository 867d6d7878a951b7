/* Hex, base64 both ways, PEM, JSON strings, numbers: RFC 4648 section 10 vectors and what must be refused. */
#include "check.h"

#include "base/text.h"

static struct lt_arena arena;

static int set_up(void **state)
{
    (void)state;
    lt_arena_init(&arena, 1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    lt_arena_done(&arena);
    return 0;
}

static void base64_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *plain, *padded, *url;
    } rows[] = {
        {"", "", ""},
        {"f", "Zg==", "Zg"},
        {"fo", "Zm8=", "Zm8"},
        {"foo", "Zm9v", "Zm9v"},
        {"foob", "Zm9vYg==", "Zm9vYg"},
        {"fooba", "Zm9vYmE=", "Zm9vYmE"},
        {"\xff\xef\xbe", "/+++", "_---"},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct lt_buf b;
        lt_buf_init(&b, 100);
        lt_base64_add(&b, lt_slice_cstr(rows[i].plain));
        assert_slice(lt_buf_slice(&b), rows[i].padded);
        assert_string_equal(lt_base64url(&arena, lt_slice_cstr(rows[i].plain)), rows[i].url);
        lt_slice back;
        assert_ok(lt_unbase64(&arena, lt_slice_cstr(rows[i].padded), &back));
        assert_slice(back, rows[i].plain);
        assert_ok(lt_unbase64url(&arena, lt_slice_cstr(rows[i].url), &back));
        assert_slice(back, rows[i].plain);
        lt_buf_done(&b);
    }
}

static void base64_refusals(void **state)
{
    (void)state;
    static const char *const url[] = {
        "A", "Zg=", "Zg==", "Zh", "Zm9=", "Z g", "Zm+v", "Zm/v", "Zm9\n", "Zm9vYm\xc3"};
    static const char *const padded[] = {"Zg",       "Zg=", "Zg===", "Zh==", "Zm-v",
                                         "Zg==Zg==", "=",   "Zm9v=", "Z===", "Zm9vZ"};
    lt_slice back;
    for (size_t i = 0; i < LT_COUNT(url); i++) {
        assert_fails(lt_unbase64url(&arena, lt_slice_cstr(url[i]), &back), LT_PEER_MALFORMED);
    }
    for (size_t i = 0; i < LT_COUNT(padded); i++) {
        assert_fails(lt_unbase64(&arena, lt_slice_cstr(padded[i]), &back), LT_PEER_MALFORMED);
    }
}

static void hex_both_ways(void **state)
{
    (void)state;
    lt_slice back;
    assert_ok(lt_unhex(&arena, LT_LIT("00fFa9"), &back));
    assert_string_equal(lt_hex(&arena, back), "00ffa9");
    assert_fails(lt_unhex(&arena, LT_LIT("0"), &back), LT_PEER_MALFORMED);
    assert_fails(lt_unhex(&arena, LT_LIT("0g"), &back), LT_PEER_MALFORMED);
    assert_fails(lt_unhex(&arena, LT_LIT(" 0"), &back), LT_PEER_MALFORMED);
}

static void pem_blocks(void **state)
{
    (void)state;
    struct lt_buf b;
    lt_buf_init(&b, 10000);
    uint8_t bytes[100];
    memset(bytes, 7, sizeof bytes);
    lt_buf_add_cstr(&b, "text before\n");
    lt_pem_add(&b, "CERTIFICATE", LT_SLICE(bytes, sizeof bytes));
    lt_pem_add(&b, "X509 CRL", LT_LIT("x"));
    lt_slice text = lt_buf_slice(&b);
    lt_slice label;
    lt_slice der;
    assert_ok(lt_pem_next(&arena, &text, &label, &der));
    assert_slice(label, "CERTIFICATE");
    assert_int_equal(der.len, 100);
    assert_ok(lt_pem_next(&arena, &text, &label, &der));
    assert_slice(label, "X509 CRL");
    assert_fails(lt_pem_next(&arena, &text, &label, &der), LT_PEER_NOT_FOUND);
    static const char *const bad[] = {
        "-----BEGIN A",
        "-----BEGIN A-----\nAA==\n",
        "-----BEGIN A-----\nAA==\n-----END B-----\n",
        "-----BEGIN A-----\nA!==\n-----END A-----\n",
    };
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        text = lt_slice_cstr(bad[i]);
        assert_fails(lt_pem_next(&arena, &text, &label, &der), LT_PEER_MALFORMED);
    }
    lt_buf_done(&b);
}

static void json_strings(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"plain", "\"plain\""},
        {"a\"b\\c", "\"a\\\"b\\\\c\""},
        {"\n\x01", "\"\\u000a\\u0001\""},
        {"\xc3\xa4", "\"\xc3\xa4\""},
        {"\xc3", "\"\\ufffd\""},
        {"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""},
        {"\xf0\x9f\x94\x92", "\"\xf0\x9f\x94\x92\""},
        {"\xc0\x80", "\"\\ufffd\\ufffd\""},
    };
    for (size_t i = 0; i < LT_COUNT(rows); i++) {
        struct lt_buf b;
        lt_buf_init(&b, 1000);
        lt_json_add_string(&b, lt_slice_cstr(rows[i].in));
        assert_slice(lt_buf_slice(&b), rows[i].out);
        lt_buf_done(&b);
    }
}

static void numbers(void **state)
{
    (void)state;
    uint64_t v;
    assert_ok(lt_parse_u64(LT_LIT("0"), 10, &v));
    assert_ok(lt_parse_u64(LT_LIT("18446744073709551615"), UINT64_MAX, &v));
    assert_true(v == UINT64_MAX);
    static const char *const bad[] = {"",  "00", "01", "+1", "-1", " 1", "1 ", "1x", "18446744073709551616",
                                      "11"};
    for (size_t i = 0; i < LT_COUNT(bad); i++) {
        assert_fails(lt_parse_u64(lt_slice_cstr(bad[i]), i + 1 == LT_COUNT(bad) ? 10 : UINT64_MAX, &v),
                     LT_PEER_MALFORMED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_vectors), cmocka_unit_test(base64_refusals), cmocka_unit_test(hex_both_ways),
        cmocka_unit_test(pem_blocks),     cmocka_unit_test(json_strings),    cmocka_unit_test(numbers),
    };
    return cmocka_run_group_tests_name("text", tests, set_up, tear_down);
}
